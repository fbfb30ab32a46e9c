//! Refusals of the JSON services, in the form the AWS SDKs read.

use serde_json::{Map, Value, json};

/// An error answer of `DynamoDB`, SQS or Secrets Manager.
#[derive(Clone, Debug, PartialEq)]
pub struct Failure {
    /// HTTP status.
    pub status: u16,
    /// Name of the exception, without its namespace.
    pub code: &'static str,
    /// What the caller reads.
    pub message: String,
    /// Further members of the exception, such as `CancellationReasons`.
    pub detail: Map<String, Value>,
}

impl Failure {
    pub(crate) fn new(code: &'static str, message: impl Into<String>) -> Self {
        Self { status: 400, code, message: message.into(), detail: Map::new() }
    }

    pub(crate) fn validation(message: impl Into<String>) -> Self {
        Self::new("ValidationException", message)
    }

    pub(crate) fn with(mut self, member: &str, value: Value) -> Self {
        self.detail.insert(member.to_owned(), value);
        self
    }

    pub(crate) fn body(&self, namespace: &str) -> Value {
        let mut body = json!({ "__type": format!("{namespace}{}", self.code), "message": self.message });
        if let Some(members) = body.as_object_mut() {
            // The transaction exception spells its message with a capital.
            if self.detail.contains_key("CancellationReasons") {
                members.insert("Message".to_owned(), Value::from(self.message.clone()));
            }
            members.extend(self.detail.clone());
        }
        body
    }
}
