//! Everything that is known about an upload, read once; and where it goes when it cannot be accepted.

use serde_json::{Value, json};
use shared::{
    aws::classify,
    error::{Error, FailureClass, Result, System},
    flow::{Flow, Reason, Run},
    s3_notification::{ObjectEvent, ObjectKey},
    transfer::{self, CopySizes, CopyTarget, S3Object},
};

use super::{StageAttachments, upload_item};
use crate::{
    ingest_uploads::after::put_tags,
    intake_rules::Upload,
    staging_rules::{Staged, StagingRule},
};

/// Larger objects are referred to rather than copied into quarantine, in bytes.
const LARGEST_COPY: u64 = 5 << 30;
/// Tags an object can have.
const MOST_TAGS: usize = 10;

impl StageAttachments {
    /// The object of an event, pinned to the version the event was about.
    pub(super) async fn object(&self, event: &ObjectEvent) -> Result<S3Object> {
        let version = event.version_id.as_deref();
        let expected = if version.is_none() { event.etag.as_deref() } else { None };
        S3Object::head(&self.s3, &event.bucket, event.key.as_str(), version, expected).await
    }

    /// The rule that takes an upload, and what it makes of it.
    pub(super) async fn staged(&self, object: &S3Object, run: &Run) -> Result<(&StagingRule, Staged)> {
        let key = object.key.as_str();
        let rule = self.rules.rules.iter().find(|rule| rule.takes(key)).ok_or_else(no_rule)?;
        run.note("rule", &rule.name);
        if object.size == 0 {
            return Err(Error::invalid("empty-object", "the object is empty").field("object.size"));
        }
        if object.size > rule.max_size {
            let message =
                format!("the rule takes {} bytes at most, the object has {}", rule.max_size, object.size);
            return Err(Error::invalid("object-too-large", message)
                .field("object.size")
                .remedy("raise `max_size` in the rule, or upload a smaller object"));
        }
        let tags = if rule.needs_tags() { object.tags(&self.s3).await? } else { Default::default() };
        let record = Upload {
            bucket: object.bucket.clone(),
            key: object.key.clone(),
            size: object.size,
            content_type: object.content_type.clone(),
            etag: Some(object.etag.clone()),
            version_id: object.version_id.clone(),
            last_modified: object.last_modified,
            tags,
            user: object.user_metadata.clone(),
            sidecar: None,
            now: run.context().now(),
        }
        .record();
        let (rule, record) = self.rules.choose(key, record).ok_or_else(no_rule)?;
        rule.stage(&record).map(|staged| (rule, staged))
    }

    /// Copies the object (server-side) under the quarantine prefix and writes the reason beside it; the source stays
    /// and says so. Repeating it writes the same things again.
    pub(super) async fn quarantine(&self, event: &ObjectEvent, reason: &Reason, run: &Run) -> Result<Value> {
        let item = upload_item(event);
        let settings = &self.environment.settings;
        let place = place_of(&settings.quarantine_prefix, event, item.key.short());
        let object = match self.object(event).await {
            Ok(object) => Some(object),
            Err(error) if is_final(&error) => None,
            Err(error) => return Err(error),
        };
        let mut copied = false;
        if let Some(object) = object.as_ref().filter(|object| object.size <= LARGEST_COPY) {
            let to = CopyTarget::new(&settings.quarantine_bucket, &place);
            match transfer::copy(&self.s3, object, &to, CopySizes::default()).await {
                Ok(_) => copied = true,
                Err(error) if is_final(&error) => tracing::warn!(error = ?error, "not copied"),
                Err(error) => return Err(error),
            }
        }
        let record = json!({
            "flow": Self::NAME,
            "item": item.key.digest(),
            "source": {
                "bucket": event.bucket, "key": event.key, "versionId": event.version_id, "etag": event.etag,
                "size": object.as_ref().map(|object| object.size).or(event.size), "present": object.is_some(),
            },
            "copied": copied,
            "reason": reason,
            "quarantinedAt": run.context().now().to_string(),
        });
        self.s3
            .put_object()
            .bucket(&settings.quarantine_bucket)
            .key(format!("{place}.reason.json"))
            .content_type("application/json")
            .body(serde_json::to_vec_pretty(&record).unwrap_or_default().into())
            .send()
            .await
            .map_err(|error| classify(System::S3, "write reason", error))?;
        if let Some(object) = &object
            && let Err(error) = self.tag(object, &[("waybill-state", "quarantined")]).await
        {
            tracing::warn!(error = ?error, "the source is not tagged as quarantined");
        }
        Ok(json!({"bucket": settings.quarantine_bucket, "key": place, "copied": copied}))
    }

    /// Adds tags to an object version. False when it has no room for them; nothing is written when they are there.
    pub(super) async fn tag(&self, object: &S3Object, added: &[(&str, &str)]) -> Result<bool> {
        let there = object.tags(&self.s3).await?;
        let mut tags = there.clone();
        for (name, value) in added {
            tags.insert((*name).to_owned(), (*value).to_owned());
        }
        if tags.len() > MOST_TAGS {
            return Ok(false);
        }
        if tags != there {
            put_tags(&self.s3, object, tags).await?;
        }
        Ok(true)
    }
}

fn no_rule() -> Error {
    Error::invalid("rule.none", "no staging rule takes this object")
        .field("key")
        .remedy("add a rule for its key, or upload it where a rule expects it")
}

/// `<prefix><bucket>/<item>/<key>`; of a key too long for that the name alone.
fn place_of(prefix: &str, event: &ObjectEvent, item: &str) -> String {
    let place = format!("{prefix}{}/{item}", event.bucket);
    let key = format!("{place}/{}", event.key);
    let longest = ObjectKey::LONGEST - ".reason.json".len();
    if key.len() <= longest {
        return key;
    }
    let name = event.key.as_str().rsplit('/').next().unwrap_or_default();
    let mut key = format!("{place}/{name}");
    while key.len() > longest {
        key.pop();
    }
    key
}

/// Whether trying again gives the same answer.
pub(super) fn is_final(error: &Error) -> bool {
    matches!(error.class(), FailureClass::Gone | FailureClass::Forbidden | FailureClass::Invalid)
}
