//! What a repeat is answered with: in the record, or in S3 when it is too large for one.

use serde_json::Value;

use super::{
    Attempt, Ledger,
    attributes::{Item, get_text},
};
use crate::{
    aws::classify,
    error::{Error, FailureClass, Result, System},
};

/// A result larger than this, in bytes, is kept outside the record, which may not exceed 400 KB in all.
const LARGEST_RESULT: usize = 128 * 1024;

/// A result as the record holds it: itself, or where it is.
pub(super) enum StoredResult {
    Inline(String),
    Elsewhere(String),
}

impl StoredResult {
    /// The attribute it goes into.
    pub(super) fn name(&self) -> &'static str {
        match self {
            Self::Inline(_) => "result",
            Self::Elsewhere(_) => "result_at",
        }
    }

    pub(super) fn text(&self) -> &str {
        match self {
            Self::Inline(text) | Self::Elsewhere(text) => text,
        }
    }
}

impl Ledger {
    pub(super) async fn store_result(&self, attempt: &Attempt, result: &Value) -> Result<StoredResult> {
        let encoded = result.to_string();
        if encoded.len() <= LARGEST_RESULT {
            return Ok(StoredResult::Inline(encoded));
        }
        let Some(overflow) = &self.overflow else {
            return Err(Error::bug(
                "complete",
                format!(
                    "the result has {} bytes, a record holds {LARGEST_RESULT}, and no overflow bucket is configured",
                    encoded.len()
                ),
            ));
        };
        let key = format!("results/{}/{}.json", attempt.pk.replace('#', "/"), attempt.fence);
        overflow
            .s3
            .put_object()
            .bucket(&overflow.bucket)
            .key(&key)
            .content_type("application/json")
            .body(encoded.into_bytes().into())
            .send()
            .await
            .map_err(|error| classify(System::S3, "store result", error))?;
        Ok(StoredResult::Elsewhere(key))
    }

    pub(super) async fn read_result(&self, item: &Item) -> Result<Value> {
        if let Some(inline) = get_text(item, "result") {
            return Ok(serde_json::from_str(inline).unwrap_or(Value::Null));
        }
        let (Some(key), Some(overflow)) = (get_text(item, "result_at"), &self.overflow) else {
            return Ok(Value::Null);
        };
        let object = overflow
            .s3
            .get_object()
            .bucket(&overflow.bucket)
            .key(key)
            .send()
            .await
            .map_err(|error| classify(System::S3, "read result", error))?;
        let bytes = object.body.collect().await.map_err(|error| {
            Error::new(
                FailureClass::Transient,
                System::S3,
                "read result",
                "answer.cut",
                "the result broke off",
            )
            .source(error)
        })?;
        Ok(serde_json::from_slice(&bytes.into_bytes()).unwrap_or(Value::Null))
    }
}
