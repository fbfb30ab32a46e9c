//! Following what has arrived until it is archived, or is known not to be.

use std::time::Duration;

use super::{
    Archive, Deposit, INGEST_FAILED, INGEST_GIVEN_UP, INGESTING, NEEDS_PERSON, OPERATION, Step, bring::now,
    later, memory::Memory, person,
};
use crate::{
    error::{Error, FailureClass, Result, Retry, System},
    flow::{EFFECT_UNDECIDED, Run},
    preservica::{Progress, ProgressStatus, ProgressToken},
};

impl Archive {
    pub(super) async fn follow(
        &self,
        run: &Run,
        deposit: &Deposit,
        memory: Memory,
        name: &str,
    ) -> Result<Step> {
        let Some(token) = memory.told.token.clone() else {
            return Box::pin(self.find(run, deposit, memory, name)).await;
        };
        let Some(end) = self.is_over(run, &memory, &token).await? else {
            return Box::pin(self.find(run, deposit, memory, name)).await;
        };
        // However it ended: what is there counts.
        if let Some(asset) = self.look(deposit, Some(&memory)).await? {
            run.note("ingest", format!("{:?}", end.status));
            return Box::pin(self.there(run, deposit, &asset, Some(memory), name)).await;
        }
        match end.status {
            ProgressStatus::Failed | ProgressStatus::Aborted | ProgressStatus::Cancelled => {
                Err(self.failed(run, deposit, memory, &end.errors).await)
            }
            ProgressStatus::Completed => {
                Err(self.waits(run, &memory, "its ingest is completed, and it is not there yet"))
            }
            status => {
                let message =
                    format!("its ingest ended as {status:?}, without the asset{}", told(&end.errors));
                Err(person(NEEDS_PERSON, message)
                    .remedy("see to the process in Preservica, then send the message again"))
            }
        }
    }

    /// What became of an ingest. Nothing when the server does not know the token any more.
    ///
    /// # Errors
    /// [`INGESTING`], when it has not ended.
    pub(super) async fn is_over(
        &self,
        run: &Run,
        memory: &Memory,
        token: &ProgressToken,
    ) -> Result<Option<Progress>> {
        let wait = if run.must_stop() { Duration::ZERO } else { self.settings.wait };
        match self.client.follow_progress(token, wait).await {
            Ok(progress) if progress.status.is_over() => Ok(Some(progress)),
            Ok(_) => Err(self.waits(run, memory, "its ingest has not ended")),
            Err(error) if error.class() == FailureClass::Gone => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// It has arrived and its token is not known: it is looked for, and for what the server tells of its package.
    async fn find(&self, run: &Run, deposit: &Deposit, memory: Memory, name: &str) -> Result<Step> {
        let beginning = now(run);
        let wait = i64::try_from(self.settings.wait.as_millis()).unwrap_or(i64::MAX);
        let pause = Duration::from_secs(self.client.settings().progress_seconds.max(1));
        loop {
            if let Some(asset) = self.look(deposit, Some(&memory)).await? {
                return Box::pin(self.there(run, deposit, &asset, Some(memory), name)).await;
            }
            let monitors = match self.client.monitors(memory.told.upload.key()).await {
                // Not every user may see them.
                Err(error) if error.class() == FailureClass::Forbidden => Vec::new(),
                monitors => monitors?,
            };
            if let Some(ended) = monitors.iter().find(|monitor| monitor.status == "Failed") {
                let messages = self.client.messages(&ended.id).await?;
                let errors = messages.into_iter().filter(|message| message.status == "Error");
                let errors: Vec<String> = errors.map(|message| message.sentence).collect();
                // What ended between the two questions may have made it.
                if self.look(deposit, Some(&memory)).await?.is_none() {
                    return Err(self.failed(run, deposit, memory, &errors).await);
                }
                continue;
            }
            if run.must_stop() || now(run).saturating_sub(beginning) >= wait {
                let error = self.waits(run, &memory, "it has arrived, and is not there yet");
                if error.code() == INGESTING {
                    return Err(error);
                }
                return Err(self.in_doubt(run, deposit, memory).await);
            }
            run.context().sleep(pause).await;
        }
    }

    /// The ingest ended and there is no asset: another package goes, as often as that is allowed.
    async fn failed(&self, run: &Run, deposit: &Deposit, mut memory: Memory, errors: &[String]) -> Error {
        memory.told.failures += 1;
        let times = memory.told.failures;
        let gives_up = times >= self.settings.attempts;
        if gives_up {
            // Whoever sends it again has seen to it.
            memory.told.failures = 0;
        }
        memory.begin_anew(deposit);
        if let Err(trouble) = memory.keep(run).await {
            return trouble;
        }
        let message = format!("its ingest ended without the asset, the {times}. time{}", told(errors));
        match gives_up {
            true => person(INGEST_GIVEN_UP, message)
                .remedy("see what is wrong with the package or the ingest, then send the message again"),
            false => later(INGEST_FAILED, message),
        }
    }

    /// Nobody can know whether the package was ingested. A person may say that it was not, and then another one goes.
    async fn in_doubt(&self, run: &Run, deposit: &Deposit, mut memory: Memory) -> Error {
        match run.may_repeat(OPERATION).await {
            Ok(false) => return undecided(),
            Ok(true) => {}
            Err(trouble) => return trouble,
        }
        memory.begin_anew(deposit);
        let kept = memory.keep(run).await;
        match kept.and(run.is_repeated(OPERATION).await) {
            Ok(()) => later(INGEST_FAILED, "somebody has decided that another package goes"),
            Err(trouble) => trouble,
        }
    }

    /// That it is waited for still, or that a person has to look.
    fn waits(&self, run: &Run, memory: &Memory, what: &str) -> Error {
        let since = memory.told.arrived.unwrap_or_else(|| now(run));
        let patience = i64::try_from(self.settings.patience.as_millis()).unwrap_or(i64::MAX);
        if now(run).saturating_sub(since) < patience {
            return later(INGESTING, what).retry(Retry::After(self.settings.pause));
        }
        let message = format!("{what} after {} s", self.settings.patience.as_secs());
        person(NEEDS_PERSON, message).remedy("see to the process in Preservica, then send the message again")
    }
}

/// Nobody can know whether the package arrived.
fn undecided() -> Error {
    let message =
        "the storage had forgotten the upload when its parts were to be joined, and no asset has appeared";
    Error::new(FailureClass::Bug, System::Waybill, OPERATION, EFFECT_UNDECIDED, message)
        .remedy("look in Preservica whether the package was ingested, then redrive the message")
}

fn told(errors: &[String]) -> String {
    match errors.first() {
        Some(error) => format!(": {}", error.chars().take(300).collect::<String>()),
        None => String::new(),
    }
}
