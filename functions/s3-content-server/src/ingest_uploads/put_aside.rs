//! Quarantine: the object and its reason, side by side, where people look; the source stays and says so.

use serde_json::{Value, json};
use shared::{
    aws::classify,
    error::{Error, FailureClass, Result, System},
    flow::{Flow, Reason, Run},
    s3_notification::{ObjectEvent, ObjectKey},
    transfer::{self, CopySizes, CopyTarget, S3Object},
};

use super::{IngestUploads, after::put_tags};

/// Larger objects are referred to rather than copied, in bytes.
const LARGEST_COPY: u64 = 5 << 30;

impl IngestUploads {
    /// Copies the object (server-side) under the quarantine prefix and writes the reason beside it. Repeating it
    /// writes the same things again.
    pub(super) async fn quarantine(&self, event: &ObjectEvent, reason: &Reason, run: &Run) -> Result<Value> {
        let item = self.item(event);
        let place = self.place_of(event, item.key.short());
        let version = event.version_id.as_deref();
        let expected = if version.is_none() { event.etag.as_deref() } else { None };
        let head = S3Object::head(&self.s3, &event.bucket, event.key.as_str(), version, expected).await;
        let object = match head {
            Ok(object) => Some(object),
            Err(error) if is_final(&error) => None,
            Err(error) => return Err(error),
        };
        let mut copied = false;
        if let Some(object) = object.as_ref().filter(|object| object.size <= LARGEST_COPY) {
            let to = CopyTarget::new(&self.quarantine_bucket, &place);
            match transfer::copy(&self.s3, object, &to, CopySizes::default()).await {
                Ok(_) => copied = true,
                // An object that cannot be read (archived, another key) is referred to.
                Err(error) if is_final(&error) => tracing::warn!(error = ?error, "not copied"),
                Err(error) => return Err(error),
            }
        }
        let record = json!({
            "flow": Self::NAME,
            "item": item.key.digest(),
            "source": {
                "bucket": event.bucket, "key": event.key, "versionId": event.version_id, "etag": event.etag,
                "sequencer": event.sequencer, "size": object.as_ref().map(|object| object.size).or(event.size),
                "present": object.is_some(),
            },
            "copied": copied,
            "reason": reason,
            "quarantinedAt": run.context().now().to_string(),
        });
        let text = serde_json::to_vec_pretty(&record).unwrap_or_default();
        self.s3
            .put_object()
            .bucket(&self.quarantine_bucket)
            .key(format!("{place}.reason.json"))
            .content_type("application/json")
            .body(text.into())
            .send()
            .await
            .map_err(|error| classify(System::S3, "write reason", error))?;
        if let Some(object) = &object
            && let Err(error) = self.say_so(object).await
        {
            tracing::warn!(error = ?error, "the source is not tagged as quarantined");
        }
        Ok(json!({"bucket": self.quarantine_bucket, "key": place, "copied": copied}))
    }

    /// Says on the source that it was put aside.
    async fn say_so(&self, object: &S3Object) -> Result<()> {
        let mut tags = object.tags(&self.s3).await?;
        tags.insert("waybill-state".into(), "quarantined".into());
        if tags.len() > 10 {
            return Ok(());
        }
        put_tags(&self.s3, object, tags).await
    }

    /// `<prefix><bucket>/<key>`, made unique by the item so that two versions of a key do not overwrite each other.
    fn place_of(&self, event: &ObjectEvent, item: &str) -> String {
        let place = format!("{}{}/{}", self.quarantine_prefix, event.bucket, item);
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
}

/// Whether trying again gives the same answer.
fn is_final(error: &Error) -> bool {
    matches!(error.class(), FailureClass::Gone | FailureClass::Forbidden | FailureClass::Invalid)
}
