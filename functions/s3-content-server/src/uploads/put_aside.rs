//! Quarantine: the object and its reason, side by side, where people look; the source stays and says so.

use serde_json::{Value, json};
use shared::{
    aws::classify,
    environment::Environment,
    error::{Result, System},
    flow::{Reason, Run},
    s3_notification::{ObjectEvent, ObjectKey},
    transfer::{self, CopySizes, CopyTarget},
};

use super::{head, is_final, item, tags};

/// Larger objects are referred to rather than copied, in bytes.
const LARGEST_COPY: u64 = 5 << 30;

/// Copies the object (server-side) under the quarantine prefix and writes the reason beside it. Repeating it writes the
/// same things again.
pub(crate) async fn quarantine(
    environment: &Environment,
    flow: &str,
    event: &ObjectEvent,
    reason: &Reason,
    run: &Run,
) -> Result<Value> {
    let (s3, settings) = (&environment.s3, &environment.settings);
    let item = item(event);
    let place = place_of(&settings.quarantine_prefix, event, item.key.short());
    let object = match head(s3, event).await {
        Ok(object) => Some(object),
        Err(error) if is_final(&error) => None,
        Err(error) => return Err(error),
    };
    let mut copied = false;
    if let Some(object) = object.as_ref().filter(|object| object.size <= LARGEST_COPY) {
        let to = CopyTarget::new(&settings.quarantine_bucket, &place);
        match transfer::copy(s3, object, &to, CopySizes::default()).await {
            Ok(_) => copied = true,
            // An object that cannot be read (archived, another key) is referred to.
            Err(error) if is_final(&error) => tracing::warn!(error = ?error, "not copied"),
            Err(error) => return Err(error),
        }
    }
    let record = json!({
        "flow": flow,
        "item": item.key.digest(),
        "source": {
            "bucket": event.bucket, "key": event.key, "versionId": event.version_id, "etag": event.etag,
            "sequencer": event.sequencer, "size": object.as_ref().map(|object| object.size).or(event.size),
            "present": object.is_some(),
        },
        "copied": copied,
        "reason": reason,
        "envelope": run.envelope(),
        "quarantinedAt": run.context().now().to_string(),
    });
    s3.put_object()
        .bucket(&settings.quarantine_bucket)
        .key(format!("{place}.reason.json"))
        .content_type("application/json")
        .body(serde_json::to_vec_pretty(&record).unwrap_or_default().into())
        .send()
        .await
        .map_err(|error| classify(System::S3, "write reason", error))?;
    if let Some(object) = &object
        && let Err(error) = tags::add(s3, object, &[("waybill-state", "quarantined")]).await
    {
        tracing::warn!(error = ?error, "the source is not tagged as quarantined");
    }
    Ok(json!({"bucket": settings.quarantine_bucket, "key": place, "copied": copied}))
}

/// `<prefix><bucket>/<item>/<key>`, so that two versions of a key do not overwrite each other; of a key too long for that
/// the name alone.
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
