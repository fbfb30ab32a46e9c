//! Brings a bag out of its archive class.

use std::time::Duration;

use aws_sdk_s3::{
    error::ProvideErrorMetadata,
    types::{GlacierJobParameters, RestoreRequest, Tier},
};
use serde_json::json;
use shared::{
    aws::classify,
    content_server::NodeId,
    error::{Error, FailureClass, Result, Retry, System},
    flow::{Delivery, Outcome, Run},
    transfer::S3Object,
};

use super::{
    ArchiveClosedFiles,
    category::{AVAILABLE, Archived, RETRIEVING},
    layout::case_of,
    skipped,
};
use crate::archive_rules::{RetrieveSpec, RetrieveTier};

/// Under which name it is recorded when the restoration was begun, in milliseconds.
const BEGUN: &str = "restoration-begun";
/// How soon, and how late, a restoration that is under way is looked at again.
const SOONEST_LOOK: Duration = Duration::from_secs(15);
const LATEST_LOOK: Duration = Duration::from_secs(3600);

impl ArchiveClosedFiles {
    /// Somebody asks for the bag of a case, or of the case a document is in.
    pub(super) async fn retrieve(&self, node: NodeId, run: &Run) -> Result<Outcome> {
        let Some((case, archived)) = self.archived_around(node).await? else {
            return skipped("retrieve.not-archived", "it is not archived, nor is a case it is in");
        };
        if run.is_dry() {
            return skipped("dry-run", "the bag would be retrieved");
        }
        let lock = self.lock(case, run).await?;
        let outcome = self.bring_out(case, &archived, run).await;
        self.unlock(&lock, run).await;
        outcome
    }

    async fn bring_out(&self, case: NodeId, archived: &Archived, run: &Run) -> Result<Outcome> {
        let Some((bucket, prefix)) = archived.bucket_and_prefix() else {
            return skipped("retrieve.not-archived", "the category does not say where the bag is");
        };
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
        for (path, object) in
            objects.iter().filter(|(_, object)| object.archived && object.restored != Some(true))
        {
            if run.must_stop() {
                return Ok(Outcome::Continue);
            }
            let ready =
                object.restored.is_none() && !self.restore(bucket, &format!("{prefix}{path}"), &how).await?;
            pending += usize::from(!ready);
        }
        if pending == 0 {
            self.say_state(case, AVAILABLE).await?;
            return Ok(available(case, archived, objects.len()));
        }
        if archived.state != RETRIEVING {
            self.say_state(case, RETRIEVING).await?;
        }
        Err(self.waiting(pending, &how, run).await?)
    }

    /// Why the item stays on the queue; after too long, why it fails.
    async fn waiting(&self, pending: usize, how: &RetrieveSpec, run: &Run) -> Result<Error> {
        let now = run.context().now_milliseconds();
        let Some(begun) = run.recorded::<Option<i64>>(BEGUN).flatten() else {
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

    /// Asks for one object; false when it can be read already.
    async fn restore(&self, bucket: &str, key: &str, how: &RetrieveSpec) -> Result<bool> {
        let object = S3Object::head(&self.s3, bucket, key, None, None).await?;
        if let Some(state) = &object.restoration {
            return Ok(!state.contains("ongoing-request=\"false\""));
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
            Ok(_) => Ok(true),
            Err(error) if error.code() == Some("RestoreAlreadyInProgress") => Ok(true),
            Err(error) => Err(classify(System::S3, "restore", error)
                .remedy("let this function restore objects under the prefix (s3:RestoreObject)")),
        }
    }

    /// S3 has restored one object: the bag is available when it was the last one.
    pub(super) async fn restored(&self, bucket: &str, key: &str, run: &Run) -> Result<Outcome> {
        let ours = self.rules.rules.iter().filter(|rule| self.bucket(rule) == bucket);
        let Some(case) = ours.filter_map(|rule| case_of(&rule.prefix, key)).next() else {
            return skipped("retrieve.not-ours", "the object is in no bag");
        };
        let case = NodeId(case);
        let Some(archived) = self.archived(case).await? else {
            return skipped("retrieve.not-archived", "the case does not say where its bag is");
        };
        let bag = archived
            .bucket_and_prefix()
            .filter(|(in_bucket, prefix)| *in_bucket == bucket && key.starts_with(*prefix));
        let Some((_, prefix)) = bag.filter(|_| archived.state == RETRIEVING) else {
            return skipped("retrieve.not-asked", "nobody is waiting for this bag");
        };
        let objects = self.list(bucket, prefix).await?;
        for (path, object) in
            objects.iter().filter(|(_, object)| object.archived && object.restored != Some(true))
        {
            let waits = match object.restored {
                Some(_) => true,
                None => {
                    let head =
                        S3Object::head(&self.s3, bucket, &format!("{prefix}{path}"), None, None).await?;
                    !head.restoration.is_some_and(|state| state.contains("ongoing-request=\"false\""))
                }
            };
            if waits {
                return skipped(
                    "retrieve.others-pending",
                    "other objects of the bag are still being restored",
                );
            }
        }
        if run.is_dry() {
            return skipped("dry-run", "the bag would be marked as available");
        }
        self.say_state(case, AVAILABLE).await?;
        Ok(available(case, &archived, objects.len()))
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

/// S3 says when an object is restored; this look is for what it does not say. The next one comes after as long as
/// was waited already.
fn restoring(pending: usize, waited: i64) -> Error {
    let pause = Duration::from_millis(u64::try_from(waited).unwrap_or(0));
    let message = format!("S3 restores {pending} objects of the bag");
    Error::new(FailureClass::Transient, System::Waybill, "retrieve", "retrieve.restoring", message)
        .retry(Retry::After(pause.clamp(SOONEST_LOOK, LATEST_LOOK)))
}

fn available(case: NodeId, archived: &Archived, objects: usize) -> Outcome {
    Outcome::Delivered(Delivery {
        result: json!({"case": case, "location": archived.location, "state": AVAILABLE, "objects": objects}),
        digest: Some(archived.manifest_sha256.clone()).filter(|digest| !digest.is_empty()),
        detail: [
            ("location".to_owned(), archived.location.clone()),
            ("state".to_owned(), AVAILABLE.to_owned()),
        ]
        .into(),
        ..Delivery::default()
    })
}
