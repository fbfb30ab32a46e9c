//! What is wrong with a bag.

use std::fmt;

/// One thing that is wrong with a bag, or odd about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// Stable and machine-readable.
    pub code: &'static str,
    /// The file at fault, as its path in the bag.
    pub path: String,
    /// What was expected and what came.
    pub message: String,
}

impl Problem {
    pub(crate) fn new(code: &'static str, path: impl Into<String>, message: impl Into<String>) -> Self {
        Self { code, path: path.into(), message: message.into() }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}: {} ({})", self.path, self.message, self.code)
    }
}
