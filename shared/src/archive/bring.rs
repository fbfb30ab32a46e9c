//! Bringing in what is not there: the package is sent in parts, which are joined once.

use std::future::Future;

use super::{Archive, Deposit, REMOVED, Step, memory::Memory, person};
use crate::{
    error::{Error, Result},
    flow::Run,
    http::RangedSource,
    preservica::{MAY_HAVE_ARRIVED, Reference, SOURCE_CHANGED, UPLOAD_GONE, UploadStep},
};

/// How often parts are joined again within one delivery when answers are lost.
const JOINS: u32 = 3;

impl Archive {
    pub(super) async fn bring<P, F>(
        &self,
        run: &Run,
        deposit: &Deposit,
        memory: Option<Memory>,
        name: &str,
        pack: &P,
    ) -> Result<Step>
    where
        P: Fn(Reference) -> F + Send + Sync,
        F: Future<Output = Result<RangedSource>> + Send,
    {
        let mut memory = match memory {
            Some(memory) => memory,
            None => {
                let mut memory = Memory::new(name, Reference::fresh(run.context()), deposit);
                memory.keep(run).await?;
                memory
            }
        };
        if memory.told.archived.is_some() {
            let message = format!("{} was archived before and is not there any more", memory.told.reference);
            return Err(person(REMOVED, message)
                .remedy("find out in Preservica who removed it, and whether it is to be archived again"));
        }
        if memory.told.print != deposit.print() && !memory.told.upload.may_have_arrived() {
            // What is on its way is not what is to be archived any more, and has not arrived.
            self.client.abandon_upload(&mut memory.told.upload).await?;
            memory.begin_anew(deposit);
            memory.keep(run).await?;
        }
        if memory.told.arrived.is_none() && !self.send(run, deposit, &mut memory, pack).await? {
            return Ok(Step::Continue);
        }
        Box::pin(self.follow(run, deposit, memory, name)).await
    }

    /// Sends the package until it has arrived. False when the invocation must end before.
    async fn send<P, F>(&self, run: &Run, deposit: &Deposit, memory: &mut Memory, pack: &P) -> Result<bool>
    where
        P: Fn(Reference) -> F + Send + Sync,
        F: Future<Output = Result<RangedSource>> + Send,
    {
        let source = pack(memory.told.reference.clone()).await?;
        let mut joins = 0;
        loop {
            if run.must_stop() {
                return Ok(false);
            }
            run.check_lease("upload package")?;
            let was_begun = memory.told.upload.is_begun();
            let step = self.client.upload_step(&source, Some(&deposit.folder), &mut memory.told.upload).await;
            match step {
                Ok(UploadStep::Going(_)) => self.kept_or_abandoned(run, memory, was_begun).await?,
                Ok(UploadStep::Done(token)) => {
                    (memory.told.arrived, memory.told.token) = (Some(now(run)), token);
                    memory.keep(run).await?;
                    return Ok(true);
                }
                Err(error) if error.code() == MAY_HAVE_ARRIVED => {
                    joins += 1;
                    if !memory.told.upload.join_again() {
                        // They were joined before: it has arrived, and only its token is not known.
                        memory.told.arrived = Some(now(run));
                        memory.keep(run).await?;
                        return Ok(true);
                    }
                    if joins >= JOINS {
                        return Err(error);
                    }
                }
                Err(error) => return Err(self.broken(run, deposit, memory, error).await),
            }
        }
    }

    /// Remembers how far the package is. An upload that was just begun is thrown away when somebody else was faster.
    async fn kept_or_abandoned(&self, run: &Run, memory: &mut Memory, was_begun: bool) -> Result<()> {
        let kept = memory.keep(run).await;
        if kept.is_err()
            && !was_begun
            && let Err(error) = self.client.abandon_upload(&mut memory.told.upload).await
        {
            tracing::warn!(error = ?error, "an upload that was begun stays at the storage");
        }
        kept
    }

    /// What a step that failed leaves is remembered too.
    async fn broken(&self, run: &Run, deposit: &Deposit, memory: &mut Memory, error: Error) -> Error {
        if error.code() == SOURCE_CHANGED && !memory.told.upload.may_have_arrived() {
            if let Err(trouble) = self.client.abandon_upload(&mut memory.told.upload).await {
                return trouble;
            }
            memory.begin_anew(deposit);
        }
        if error.code() == UPLOAD_GONE {
            tracing::warn!("the storage forgot an upload, which begins anew");
        }
        match memory.keep(run).await {
            Ok(()) => error,
            Err(trouble) => trouble,
        }
    }
}

pub(super) fn now(run: &Run) -> i64 {
    run.context().now_milliseconds()
}
