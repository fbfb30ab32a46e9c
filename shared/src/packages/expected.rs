//! What a description says that a content is.

use std::collections::BTreeMap;

use super::{Algorithm, FIXITY, Facts};
use crate::error::{Error, Result};

/// What the description of a package says about a content in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Expected {
    /// Where it is in the package.
    pub path: String,
    /// Where it is in the package at that path, when that is one by itself.
    pub within: Option<String>,
    /// Its length in bytes.
    pub bytes: Option<u64>,
    /// Its fixities in lower-case hexadecimal.
    pub fixities: BTreeMap<Algorithm, String>,
}

impl Expected {
    /// The algorithms to be measured.
    pub fn algorithms(&self) -> Vec<Algorithm> {
        self.fixities.keys().copied().collect()
    }

    /// Compares what was found, by [`measure`](super::measure) with its [`algorithms`](Self::algorithms).
    ///
    /// # Errors
    /// `Invalid` with [`FIXITY`]: another length, another fixity, or one that was not measured.
    pub fn check(&self, found: &Facts) -> Result<()> {
        let wrong = |what: String| {
            let place = self.within.as_deref().map(|path| format!(" in it: {path}")).unwrap_or_default();
            let error = Error::invalid(FIXITY, format!("`{}`{place}: {what}", self.path));
            Err(error.remedy("it was damaged on its way, or is another file; fetch it again"))
        };
        if let Some(bytes) = self.bytes.filter(|bytes| *bytes != found.bytes) {
            return wrong(format!("expected {bytes} bytes, and it has {}", found.bytes));
        }
        for (algorithm, value) in &self.fixities {
            let name = algorithm.opex_name();
            match found.fixities.get(algorithm) {
                Some(came) if came.eq_ignore_ascii_case(value) => {}
                Some(came) => return wrong(format!("expected {name} {value}, and it has {came}")),
                None => return wrong(format!("expected {name} {value}, and it was not measured")),
            }
        }
        Ok(())
    }
}
