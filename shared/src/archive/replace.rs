//! Replacing the files of an asset that is there: each gets a new generation, once.

use std::time::Duration;

use super::{
    Archive, Deposit, Difference, Differs, OTHER_FILES, Step, WRONG_FIXITY,
    bring::now,
    compare::described,
    later,
    memory::{Changing, Memory},
    person,
};
use crate::{
    error::{Error, FailureClass, Result, Retry, System},
    flow::{EFFECT_UNDECIDED, Run},
    preservica::{ProgressStatus, Reference, RepresentationKind},
};

const OPERATION: &str = "replace content";

impl Archive {
    /// Replaces one file after the other, as far as this invocation goes.
    pub(super) async fn replace(
        &self,
        run: &Run,
        deposit: &Deposit,
        asset: &Reference,
        mut memory: Memory,
        differences: Vec<Difference>,
    ) -> Result<Step> {
        let is_structure = |one: &&Difference| {
            let is_access = one.representation == RepresentationKind::Access;
            !(matches!(one.how, Differs::Content(..)) || is_access && one.how == Differs::Missing)
        };
        if differences.iter().any(|one| is_structure(&one)) {
            let message = format!("{asset} has other files: {}", described(&differences));
            return Err(person(OTHER_FILES, message).remedy(
                "files cannot be added to or taken from what is preserved: archive it as another version",
            ));
        }
        for difference in &differences {
            if run.must_stop() {
                return Ok(Step::Continue);
            }
            self.replace_one(run, deposit, asset, &mut memory, difference).await?;
        }
        let Some(left) = self.compare(run, asset, deposit, &memory.told.replaced.to_string()).await? else {
            return Ok(Step::Continue);
        };
        if !left.is_empty() {
            let message = format!("{asset} is not as it was replaced: {}", described(&left));
            return Err(person(WRONG_FIXITY, message).remedy(
                "compare the asset in Preservica with its source; its earlier content is still there",
            ));
        }
        let how = super::Became::Replaced;
        let name = deposit.name();
        self.record(run, deposit, asset, Some(memory), &name, how).await
    }

    async fn replace_one(
        &self,
        run: &Run,
        deposit: &Deposit,
        asset: &Reference,
        memory: &mut Memory,
        difference: &Difference,
    ) -> Result<()> {
        let wanted =
            deposit.files.iter().find(|file| file.is_at(&difference.representation, &difference.name));
        let Some(wanted) = wanted else { return Ok(()) };
        let begun = memory.told.changing.clone().filter(|changing| changing.sha256 == wanted.sha256);
        let token = match begun {
            Some(Changing { token: Some(token), .. }) => token,
            Some(changing) if !self.may_replace_again(run, &changing).await? => {
                return Err(undecided());
            }
            _ => {
                run.check_lease(OPERATION)?;
                let sha256 = wanted.sha256.clone();
                memory.told.changing = Some(Changing { sha256, since: now(run), token: None });
                memory.keep(run).await?;
                let asked = match &difference.part {
                    Some(part) => {
                        self.client.replace_content(part, &wanted.name, &wanted.sha256, &wanted.source).await
                    }
                    None => self.client.add_access_copy(asset, "Access", &wanted.name, &wanted.source).await,
                };
                match asked {
                    Ok(token) => {
                        if let Some(changing) = &mut memory.told.changing {
                            changing.token = Some(token.clone());
                        }
                        memory.told.replaced += 1;
                        memory.keep(run).await?;
                        token
                    }
                    Err(error) => {
                        if error.class() != FailureClass::UnknownOutcome {
                            // Nothing was begun.
                            memory.told.changing = None;
                            memory.keep(run).await?;
                        }
                        return Err(error);
                    }
                }
            }
        };
        let wait = if run.must_stop() { Duration::ZERO } else { self.settings.wait };
        let end = self.client.follow_progress(&token, wait).await?;
        if !end.status.is_over() {
            return Err(later(super::INGESTING, "new content is being taken in")
                .retry(Retry::After(self.settings.pause)));
        }
        memory.told.changing = None;
        memory.keep(run).await?;
        match end.status {
            ProgressStatus::Completed => Ok(()),
            status => {
                let message = format!("replacing {:?} ended as {status:?}", difference.name);
                Err(person(super::NEEDS_PERSON, message).remedy("see to the process in Preservica"))
            }
        }
    }

    /// The answer was lost, and the new content is not there: it may come still, for a while; then a person decides.
    async fn may_replace_again(&self, run: &Run, changing: &Changing) -> Result<bool> {
        let settling = i64::try_from(self.settings.settling.as_millis()).unwrap_or(i64::MAX);
        if now(run).saturating_sub(changing.since) < settling.saturating_mul(4) {
            return Err(later(super::INGESTING, "it is not known yet whether new content is taken in")
                .retry(Retry::After(self.settings.settling)));
        }
        let may = run.may_repeat(OPERATION).await?;
        if may {
            run.is_repeated(OPERATION).await?;
        }
        Ok(may)
    }
}

fn undecided() -> Error {
    let message = "it is not known whether new content was taken in, and it must not be twice";
    Error::new(FailureClass::Bug, System::Waybill, OPERATION, EFFECT_UNDECIDED, message)
        .remedy("look at the generations of the asset in Preservica, then redrive the message")
}
