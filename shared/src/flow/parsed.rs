//! What a message was found to hold, and the reasons for what it holds in vain.

use serde::{Deserialize, Serialize};

use crate::error::{Error, FailureClass};

/// What a message holds. A part that cannot be understood does not keep the others from being delivered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Parsed<E> {
    /// What can be worked on, in order.
    pub events: Vec<E>,
    /// Why each of the other parts can never be understood.
    pub refused: Vec<Reason>,
}

impl<E> Default for Parsed<E> {
    fn default() -> Self {
        Self { events: Vec::new(), refused: Vec::new() }
    }
}

impl<E> From<Vec<E>> for Parsed<E> {
    fn from(events: Vec<E>) -> Self {
        Self { events, refused: Vec::new() }
    }
}

/// Why something ended as it did, for machines and for people. Never holds the offending value itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reason {
    /// Stable and machine-readable.
    pub code: String,
    /// What was expected, what came, where.
    pub message: String,
    /// The field at fault.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub field: Option<String>,
    /// What to do about it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub remedy: Option<String>,
    /// What kind of failure it was.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub class: Option<FailureClass>,
}

impl Reason {
    /// A reason without a failure behind it.
    pub fn new(code: impl Into<String>, message: impl Into<String>) -> Self {
        Self { code: code.into(), message: message.into(), field: None, remedy: None, class: None }
    }
}

impl From<&Error> for Reason {
    fn from(error: &Error) -> Self {
        Self {
            code: error.code().to_owned(),
            message: error.message().to_owned(),
            field: error.field_name().map(str::to_owned),
            remedy: error.remedy_text().map(str::to_owned),
            class: Some(error.class()),
        }
    }
}
