//! Brings a bag out of its archive class.

use std::{collections::BTreeMap, time::Duration};

use aws_sdk_s3::{
    error::ProvideErrorMetadata,
    types::{GlacierJobParameters, RestoreRequest, Tier},
};
use shared::{
    aws::classify,
    content_server::NodeId,
    error::{Error, FailureClass, Result, Retry, System},
    flow::{Outcome, Reason, Run},
    transfer::S3Object,
};

use super::{
    ArchiveClosedFiles,
    available::available,
    category::{AVAILABLE, Archived, RETRIEVING},
    layout::case_of,
    skipped,
    store::Listed,
};
use crate::archive_rules::{RetrieveSpec, RetrieveTier};

/// Under which name it is recorded when the restoration was begun, in milliseconds.
const BEGUN: &str = "restoration-begun";
/// How soon, and how late, a restoration that is under way is looked at again.
const SOONEST_LOOK: Duration = Duration::from_secs(15);
const LATEST_LOOK: Duration = Duration::from_secs(3600);
/// What S3 says of an object that it has brought out.
const DONE: &str = "ongoing-request=\"false\"";

impl ArchiveClosedFiles {
    /// Somebody asks for the bag of a case, or of the case a document is in.
    pub(super) async fn retrieve(&self, node: NodeId, item: &str, run: &Run) -> Result<Outcome> {
        let Some((case, _)) = self.archived_around(node).await? else {
            return skipped("retrieve.not-archived", "it is not archived, nor is a case it is in");
        };
        if run.is_dry() {
            return skipped("dry-run", "the bag would be retrieved");
        }
        let lock = self.lock(case, run).await?;
        let outcome = Box::pin(self.bring_out(case, item, run)).await;
        self.unlock(&lock, run).await;
        outcome
    }

    async fn bring_out(&self, case: NodeId, item: &str, run: &Run) -> Result<Outcome> {
        let Some(archived) = self.archived(case).await? else {
            return skipped("retrieve.not-archived", "the category does not say where the bag is");
        };
        let (bucket, prefix) = archived.place()?;
        let how = self.how_to_retrieve(bucket, prefix);
        let objects = self.list(bucket, prefix).await?;
        if objects.is_empty() {
            return Err(Error::invalid(
                "retrieve.bag-missing",
                format!("there is nothing at {}", archived.location),
            )
            .remedy("look for the bag under <prefix><case>/ in the bucket, and correct the category"));
        }
        let mut pending = 0_usize;
        for (path, _) in objects.iter().filter(|(_, object)| object.is_away()) {
            if run.must_stop() {
                return Ok(Outcome::Continue);
            }
            pending += usize::from(!self.restore(bucket, &format!("{prefix}{path}"), &how).await?);
        }
        if pending > 0 {
            if archived.state != RETRIEVING {
                self.say_state(case, RETRIEVING).await?;
            }
            return Err(self.waiting(pending, &how, run).await?);
        }
        // S3 may have said so while this request waited, and another message have done the rest.
        if archived.state == AVAILABLE && begun(run).is_some() {
            return Ok(available(case, &archived, objects.len()));
        }
        Box::pin(self.make_available(case, &archived, &how, item, run)).await
    }

    /// Why the item stays on the queue; after too long, why it fails.
    async fn waiting(&self, pending: usize, how: &RetrieveSpec, run: &Run) -> Result<Error> {
        let now = run.context().now_milliseconds();
        let Some(begun) = begun(run) else {
            run.checkpoint(BEGUN, &Some(now)).await?;
            return Ok(restoring(pending, 0));
        };
        let hours = i64::from(how.overdue_hours);
        if now - begun < hours * 3_600_000 {
            return Ok(restoring(pending, now - begun));
        }
        // Whoever sends the message again gives it the same time once more.
        run.checkpoint(BEGUN, &None::<i64>).await?;
        let message = format!("{pending} objects of the bag are not restored after {hours} hours");
        Ok(Error::new(FailureClass::Bug, System::S3, "retrieve", "retrieve.overdue", message).remedy(
            "look at the objects' restore state in S3 and at the service's health, then redrive the message",
        ))
    }

    /// Asks for one object; true when it can be read already.
    async fn restore(&self, bucket: &str, key: &str, how: &RetrieveSpec) -> Result<bool> {
        let object = S3Object::head(&self.s3, bucket, key, None, None).await?;
        if let Some(state) = &object.restoration {
            return Ok(state.contains(DONE));
        }
        let tier = match how.tier {
            RetrieveTier::Standard => Tier::Standard,
            RetrieveTier::Bulk => Tier::Bulk,
            RetrieveTier::Expedited => Tier::Expedited,
        };
        let tier = GlacierJobParameters::builder().tier(tier).build();
        let tier = tier.map_err(|error| Error::bug("restore", "no tier").source(error))?;
        let request =
            RestoreRequest::builder().days(i32::from(how.days)).glacier_job_parameters(tier).build();
        let restore = self.s3.restore_object().bucket(bucket).key(key).set_version_id(object.version_id);
        match restore.restore_request(request).send().await {
            Ok(_) => Ok(false),
            Err(error) if error.code() == Some("RestoreAlreadyInProgress") => Ok(false),
            Err(error) => Err(classify(System::S3, "restore", error)
                .remedy("let this function restore objects under the prefix (s3:RestoreObject)")),
        }
    }

    /// S3 has restored one object: the bag is made available when it was the last one.
    pub(super) async fn restored(&self, bucket: &str, key: &str, item: &str, run: &Run) -> Result<Outcome> {
        let ours = self.rules.rules.iter().filter(|rule| self.bucket(rule) == bucket);
        let Some(case) = ours.filter_map(|rule| case_of(&rule.prefix, key)).next() else {
            return skipped("retrieve.not-ours", "the object is in no bag");
        };
        let case = NodeId(case);
        // There is one such event for each object, and only the last one has anything to do.
        if let Wanted::Not(outcome) = self.wanted(case, (bucket, key)).await? {
            return Ok(outcome);
        }
        if run.is_dry() {
            return skipped("dry-run", "the bag would be made available");
        }
        let lock = self.lock(case, run).await?;
        let outcome = match self.wanted(case, (bucket, key)).await {
            Ok(Wanted::Not(outcome)) => Ok(outcome),
            Ok(Wanted::Now(archived)) => {
                let (bucket, prefix) = archived.place()?;
                let how = self.how_to_retrieve(bucket, prefix);
                Box::pin(self.make_available(case, &archived, &how, item, run)).await
            }
            Err(error) => Err(error),
        };
        self.unlock(&lock, run).await;
        outcome
    }

    /// Whether somebody waits for the bag that an object is in, and all of it can be read.
    async fn wanted(&self, case: NodeId, (bucket, key): (&str, &str)) -> Result<Wanted> {
        let not = |code, message| Ok(Wanted::Not(Outcome::Skipped(Reason::new(code, message))));
        let Some(archived) = self.archived(case).await? else {
            return not("retrieve.not-archived", "the case does not say where its bag is");
        };
        let (in_bucket, prefix) = archived.place()?;
        if in_bucket != bucket || !key.starts_with(prefix) || archived.state != RETRIEVING {
            return not("retrieve.not-asked", "nobody is waiting for this bag");
        }
        let objects = self.list(bucket, prefix).await?;
        if self.is_away(bucket, prefix, &objects).await? {
            return not("retrieve.others-pending", "other objects of the bag are still being restored");
        }
        Ok(Wanted::Now(archived))
    }

    /// Whether an object of a bag cannot be read.
    async fn is_away(&self, bucket: &str, prefix: &str, objects: &BTreeMap<String, Listed>) -> Result<bool> {
        for (path, _) in objects.iter().filter(|(_, object)| object.is_away()) {
            let key = format!("{prefix}{path}");
            let head = S3Object::head(&self.s3, bucket, &key, None, None).await?;
            if !head.restoration.is_some_and(|state| state.contains(DONE)) {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Whether a bag that is said to be available cannot be read any more.
    pub(super) async fn is_over(&self, archived: &Archived) -> Result<bool> {
        if archived.state != AVAILABLE {
            return Ok(false);
        }
        let (bucket, prefix) = archived.place()?;
        let objects = self.list(bucket, prefix).await?;
        self.is_away(bucket, prefix, &objects).await
    }

    fn how_to_retrieve(&self, bucket: &str, prefix: &str) -> RetrieveSpec {
        let rule = self
            .rules
            .rules
            .iter()
            .find(|rule| self.bucket(rule) == bucket && prefix.starts_with(&rule.prefix));
        rule.map(|rule| rule.retrieve.clone()).unwrap_or_default()
    }
}

/// What an event about one restored object is good for.
enum Wanted {
    /// Nothing.
    Not(Outcome),
    /// This bag can be made available.
    Now(Archived),
}

fn begun(run: &Run) -> Option<i64> {
    run.recorded::<Option<i64>>(BEGUN).flatten()
}

/// S3 says when an object is restored; this look is for what it does not say. The next one comes after as long as
/// was waited already.
fn restoring(pending: usize, waited: i64) -> Error {
    let pause = Duration::from_millis(u64::try_from(waited).unwrap_or(0));
    let message = format!("S3 restores {pending} objects of the bag");
    Error::new(FailureClass::Transient, System::Waybill, "retrieve", "retrieve.restoring", message)
        .retry(Retry::After(pause.clamp(SOONEST_LOOK, LATEST_LOOK)))
}
