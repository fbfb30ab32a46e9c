//! The reason why something was put aside, where people look: `….reason.json` in the quarantine bucket. What it is about
//! stays as it is in both systems.

use serde_json::{Value, json};
use shared::{
    aws::classify,
    environment::Environment,
    error::{Result, System},
    flow::{Item, Reason, Run},
};

/// Writes the reason to `<prefix>iconik/<item>/<name>.reason.json`; says where it is. Safe to repeat.
pub(crate) async fn write(
    environment: &Environment,
    flow: &str,
    item: &Item,
    (name, source): (&str, Value),
    reason: &Reason,
    run: &Run,
) -> Result<Value> {
    let settings = &environment.settings;
    let key = format!("{}iconik/{}/{name}.reason.json", settings.quarantine_prefix, item.key.short());
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
