//! Retention and legal holds on the objects of bags: extended, never shortened.

use aws_sdk_s3::{
    config::http::HttpResponse,
    error::{ProvideErrorMetadata, SdkError},
    operation::head_object::HeadObjectOutput,
    primitives::DateTime,
    types::{
        ObjectLockLegalHold, ObjectLockLegalHoldStatus, ObjectLockMode, ObjectLockRetention,
        ObjectLockRetentionMode,
    },
};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use shared::{
    aws::classify,
    content_server::NodeId,
    error::{Error, FailureClass, Result, System},
    flow::{Delivery, Outcome, Run},
};

use super::{
    ArchiveClosedFiles, category::Archived, described::in_case, retention::Lasting, skipped, without_lock,
};

/// Under which name it is recorded how far the objects are.
const REACHED: &str = "locks-reached";
/// Objects until that is recorded.
const SAVE_EVERY: u64 = 500;

/// How the bags of one case are to be locked.
pub(super) struct Wanted<'a> {
    pub(super) bucket: &'a str,
    /// The beginning of the keys of all bags of the case: a hold is on all of them.
    pub(super) case_prefix: &'a str,
    /// The beginning of the keys of the bag that is retained, and how.
    pub(super) retained: Option<(&'a str, Lasting)>,
}

/// How the bags of a case are locked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Mirrored {
    pub(super) held: bool,
    /// Until when every object of the retained bag is retained.
    pub(super) until: Option<Timestamp>,
    /// Locks that were changed.
    pub(super) changed: u64,
}

#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Reached {
    held: bool,
    key: String,
    version: String,
}

impl ArchiveClosedFiles {
    /// A message about an archived case: its holds are mirrored, and its retention is extended to what its records ask
    /// for now.
    pub(super) async fn mirror(&self, case: NodeId, archived: &Archived, run: &Run) -> Result<Outcome> {
        let (bucket, prefix) = archived.place()?;
        if run.is_dry() {
            return skipped("dry-run", "holds and retention would be mirrored");
        }
        let case_prefix = in_case(archived, prefix);
        let bags = self.bags(bucket, case_prefix, archived).await?;
        let lasting = match &bags.current {
            Some(current) => self.lasting(case, current, run).await,
            None => Ok(Some(None)),
        };
        let (lasting, refused) = match lasting {
            Ok(Some(lasting)) => (lasting, None),
            Ok(None) => return Ok(Outcome::Continue),
            // Holds do not wait until a rule says how long records of a schedule are retained.
            Err(error) if error.class() == FailureClass::Forbidden => (None, Some(error)),
            Err(error) => return Err(error),
        };
        let wanted = Wanted { bucket, case_prefix, retained: lasting.map(|lasting| (prefix, lasting)) };
        let Some(mirrored) = self.mirror_holds(case, &bags.nodes, &wanted, run).await? else {
            return Ok(Outcome::Continue);
        };
        let over = self.is_over(archived).await?;
        if mirrored.changed > 0 || run.is_taken_over() || over {
            self.say_locks(case, mirrored.held, mirrored.until, over).await?;
        } else if refused.is_none() {
            return skipped("archive.unchanged", "the bag is locked as it should be");
        }
        match refused {
            Some(error) => Err(error),
            None => Ok(locked(case, archived, mirrored)),
        }
    }

    /// Locks every object of a case's bags as Content Server holds it, and retains one of them. Nothing when the
    /// invocation must end before.
    pub(super) async fn mirror_holds(
        &self,
        case: NodeId,
        nodes: &[i64],
        wanted: &Wanted<'_>,
        run: &Run,
    ) -> Result<Option<Mirrored>> {
        let mut before = 0;
        let Some(mut held) = self.held(case, nodes, run).await? else { return Ok(None) };
        loop {
            let Some(mut mirrored) = self.lock_objects(wanted, held, run).await? else { return Ok(None) };
            mirrored.changed += before;
            if held {
                return Ok(Some(mirrored));
            }
            // A hold that came while others were lifted must not be missed.
            match self.held(case, nodes, run).await? {
                None => return Ok(None),
                Some(false) => return Ok(Some(mirrored)),
                Some(true) => (held, before) = (true, mirrored.changed),
            }
        }
    }

    /// Sees to it that every version of every object has the hold and at least the retention it should have.
    async fn lock_objects(&self, wanted: &Wanted<'_>, held: bool, run: &Run) -> Result<Option<Mirrored>> {
        let reached =
            run.recorded::<Option<Reached>>(REACHED).flatten().filter(|reached| reached.held == held);
        let mut marker = reached.map(|reached| (reached.key, reached.version));
        let began = marker.clone();
        let mut mirrored = Mirrored { held, until: None, changed: 0 };
        let mut seen = 0;
        loop {
            let (key, version) = marker.clone().unzip();
            let page = self
                .s3
                .list_object_versions()
                .bucket(wanted.bucket)
                .prefix(wanted.case_prefix)
                .set_key_marker(key)
                .set_version_id_marker(version)
                .send()
                .await
                .map_err(|error| classify(System::S3, "list the objects of a case", error))?;
            for object in page.versions() {
                let (Some(key), Some(version)) = (object.key(), object.version_id()) else { continue };
                if run.must_stop() || seen == SAVE_EVERY {
                    seen = 0;
                    let reached = marker.clone().map(|(key, version)| Reached { held, key, version });
                    run.checkpoint(REACHED, &reached).await?;
                    if run.must_stop() {
                        return Ok(None);
                    }
                }
                Box::pin(self.lock_object(wanted, key, version, &mut mirrored, run)).await?;
                seen += 1;
                marker = Some((key.to_owned(), version.to_owned()));
            }
            if page.is_truncated() != Some(true) {
                break;
            }
            marker = page.next_key_marker.zip(page.next_version_id_marker).or(marker);
        }
        if began.is_some() {
            run.checkpoint(REACHED, &None::<Reached>).await?;
        }
        Ok(Some(mirrored))
    }

    async fn lock_object(
        &self,
        wanted: &Wanted<'_>,
        key: &str,
        version: &str,
        mirrored: &mut Mirrored,
        run: &Run,
    ) -> Result<()> {
        let head = self.s3.head_object().bucket(wanted.bucket).key(key).version_id(version).send().await;
        let head = match head.map_err(|error| classify(System::S3, "look at a lock", error)) {
            Ok(head) => head,
            // What went meanwhile needs no lock.
            Err(error) if error.class() == FailureClass::Gone => return Ok(()),
            Err(error) => return Err(error),
        };
        let retained = wanted.retained.as_ref().filter(|(prefix, _)| key.starts_with(*prefix));
        let extended = retained.and_then(|(_, lasting)| longer(&head, &lasting.mode, lasting.until, run));
        if retained.is_some() {
            let until = extended.as_ref().map(|(_, until)| *until).or_else(|| retained_until(&head));
            mirrored.until = [mirrored.until, until].into_iter().flatten().min();
        }
        if let Some((mode, until)) = extended {
            let retention = ObjectLockRetention::builder()
                .mode(mode)
                .retain_until_date(DateTime::from_secs(until.as_second()))
                .build();
            let put = self.s3.put_object_retention().bucket(wanted.bucket).key(key).version_id(version);
            put.retention(retention).send().await.map_err(|error| refused(wanted.bucket, "retain", error))?;
            mirrored.changed += 1;
        }
        let is_held = head.object_lock_legal_hold_status() == Some(&ObjectLockLegalHoldStatus::On);
        if is_held != mirrored.held {
            let status =
                if mirrored.held { ObjectLockLegalHoldStatus::On } else { ObjectLockLegalHoldStatus::Off };
            let put = self.s3.put_object_legal_hold().bucket(wanted.bucket).key(key).version_id(version);
            let put = put.legal_hold(ObjectLockLegalHold::builder().status(status).build());
            put.send().await.map_err(|error| refused(wanted.bucket, "hold", error))?;
            mirrored.changed += 1;
        }
        Ok(())
    }
}

fn locked(case: NodeId, archived: &Archived, mirrored: Mirrored) -> Outcome {
    let Mirrored { held, until, changed } = mirrored;
    let until = until.map(|until| until.to_string());
    Outcome::Delivered(Delivery {
        result: serde_json::json!({
            "case": case, "location": archived.location, "legalHold": held, "retainUntil": until, "changed": changed,
        }),
        detail: [
            ("legalHold", if held { "on" } else { "off" }.to_owned()),
            ("retainUntil", until.unwrap_or_default()),
            ("changed", changed.to_string()),
        ]
        .map(|(name, fact)| (name.to_owned(), fact))
        .into(),
        ..Delivery::default()
    })
}

/// Until when an object is retained.
pub(super) fn retained_until(head: &HeadObjectOutput) -> Option<Timestamp> {
    head.object_lock_retain_until_date().and_then(|date| Timestamp::from_second(date.secs()).ok())
}

fn refused<E>(bucket: &str, operation: &'static str, error: SdkError<E, HttpResponse>) -> Error
where
    E: ProvideErrorMetadata + std::error::Error + Send + Sync + 'static,
{
    let unlocked =
        error.message().is_some_and(|message| message.contains("missing Object Lock Configuration"));
    let error = classify(System::S3, operation, error);
    if unlocked {
        return without_lock(bucket).source(error);
    }
    error.remedy(
        "let this function set retention and legal hold (s3:PutObjectRetention, s3:PutObjectLegalHold)",
    )
}

/// The retention an object has to be given, when that is more than it has.
fn longer(
    head: &HeadObjectOutput,
    mode: &ObjectLockRetentionMode,
    until: Timestamp,
    run: &Run,
) -> Option<(ObjectLockRetentionMode, Timestamp)> {
    let now = run.context().now();
    let has = retained_until(head).filter(|until| *until > now);
    let has_compliance = has.is_some() && head.object_lock_mode() == Some(&ObjectLockMode::Compliance);
    let compliance = has_compliance || *mode == ObjectLockRetentionMode::Compliance;
    // The clock of S3 may be a little before ours: what ends within minutes has ended.
    let until = has.map_or(until, |has| has.max(until));
    if until.as_second() <= now.as_second() + 300 {
        return None;
    }
    let same = has == Some(until) && has_compliance == compliance;
    let mode =
        if compliance { ObjectLockRetentionMode::Compliance } else { ObjectLockRetentionMode::Governance };
    (!same).then_some((mode, until))
}
