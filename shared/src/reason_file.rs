//! The reason why something was put aside, where people look: `….reason.json` in the quarantine bucket. For what is itself
//! left where it is, in its system.

use serde_json::{Value, json};

use crate::{
    aws::classify,
    environment::Environment,
    error::{Result, System},
    flow::{Item, Reason, Run},
};

/// Writes the reason to `<prefix><system>/<item>/<name>.reason.json`; says where it is. Safe to repeat. `name` stands for
/// what was put aside in the file's name, `source` tells it from anything else in its system.
///
/// # Errors
/// When the bucket takes no object.
pub async fn write(
    environment: &Environment,
    flow: &str,
    item: &Item,
    (system, name, source): (&str, &str, Value),
    reason: &Reason,
    run: &Run,
) -> Result<Value> {
    let settings = &environment.settings;
    let key = format!("{}{system}/{}/{name}.reason.json", settings.quarantine_prefix, item.key.short());
    let record = json!({
        "flow": flow,
        "item": item.key.digest(),
        "source": source,
        "reason": reason,
        "envelope": run.envelope(),
        "quarantinedAt": run.context().now().to_string(),
    });
    environment
        .s3
        .put_object()
        .bucket(&settings.quarantine_bucket)
        .key(&key)
        .content_type("application/json")
        .body(serde_json::to_vec_pretty(&record).unwrap_or_default().into())
        .send()
        .await
        .map_err(|error| classify(System::S3, "write reason", error))?;
    Ok(json!({"bucket": settings.quarantine_bucket, "key": key}))
}
