//! What takes time: it has a token, under which one asks what became of it.

use std::{fmt, time::Duration};

use serde::{Deserialize, Serialize};

use super::{Client, call::Call, error::unexpected, xml::Element};
use crate::error::Result;

/// What begins the namespace of progress.
const STATUS: &str = "http://status.preservica.com";
/// The longest token.
const LONGEST: usize = 128;

/// What one asks with.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ProgressToken(String);

impl ProgressToken {
    /// The token with this text; none when it cannot be one.
    pub fn read(text: &str) -> Option<Self> {
        let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
        let is_one = !text.is_empty() && text.len() <= LONGEST && text.bytes().all(is_plain);
        is_one.then(|| Self(text.to_owned()))
    }

    /// Its text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for ProgressToken {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

/// How far it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ProgressStatus {
    /// It waits: for its turn, or for a second person.
    Pending,
    /// It is being done.
    Active,
    /// It is done.
    Completed,
    /// It went wrong.
    Failed,
    /// It was given up.
    Aborted,
    /// Somebody has to look at it.
    Suspended,
    /// Some of it was done.
    MixedOutcome,
    /// A person gave it up.
    Cancelled,
    /// The server does not know.
    Unknown,
    /// A word this client does not know.
    Other(String),
}

impl ProgressStatus {
    fn of(word: &str) -> Self {
        match word {
            "PENDING" => Self::Pending,
            "ACTIVE" => Self::Active,
            "COMPLETED" => Self::Completed,
            "FAILED" => Self::Failed,
            "ABORTED" => Self::Aborted,
            // On its way there.
            "SUSPENDED" | "SUSPENDING" => Self::Suspended,
            "FINISHED_MIXED_OUTCOME" => Self::MixedOutcome,
            "CANCELLED" => Self::Cancelled,
            "UNKNOWN" => Self::Unknown,
            other => Self::Other(other.to_owned()),
        }
    }

    /// Nothing more happens by itself. What is suspended waits for a person, and what is unknown may never be known.
    pub fn is_over(&self) -> bool {
        !matches!(self, Self::Pending | Self::Active | Self::Other(_))
    }
}

/// What became of something so far.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Progress {
    /// How far it is.
    pub status: ProgressStatus,
    /// What went wrong, in the server's sentences.
    pub errors: Vec<String>,
}

impl Client {
    /// What became of something.
    ///
    /// # Errors
    /// As any call.
    pub async fn progress(&self, token: &ProgressToken) -> Result<Progress> {
        let call = Call::get("ask for progress", &["progress", token.as_str()]).query("includeErrors", true);
        let root = self.ask_xml(&call).await?;
        let status = root.search(STATUS, "Status").map(Element::content).filter(|text| !text.is_empty());
        let status = status.ok_or_else(|| unexpected(call.operation(), call.effect(), "no Status in it"))?;
        let errors = match root.search(STATUS, "Errors") {
            None => Vec::new(),
            Some(errors) => {
                let own = Some(errors.content()).into_iter();
                let all = own.chain(errors.elements().map(Element::content));
                all.filter(|text| !text.is_empty()).collect()
            }
        };
        Ok(Progress { status: ProgressStatus::of(&status), errors })
    }

    /// Asks until it is over, or for so long: what it gives may be pending or active still.
    ///
    /// # Errors
    /// As any call.
    pub async fn follow_progress(&self, token: &ProgressToken, patience: Duration) -> Result<Progress> {
        let began = self.now_milliseconds();
        let longest = i64::try_from(patience.as_millis()).unwrap_or(i64::MAX);
        let pause = Duration::from_secs(self.settings.progress_seconds.max(1));
        loop {
            let progress = self.progress(token).await?;
            let next =
                self.now_milliseconds().saturating_add(i64::try_from(pause.as_millis()).unwrap_or(i64::MAX));
            if progress.status.is_over() || next.saturating_sub(began) > longest {
                return Ok(progress);
            }
            self.http.context().sleep(pause).await;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_one_word_and_nothing_that_could_lead_elsewhere() {
        assert!(ProgressToken::read("0d3c7b9e-1f52-4c5e-9f0a-4a7f0c1b2d3e").is_some());
        for text in ["", "a/b", "a b", "<html>", &"a".repeat(129)] {
            assert!(ProgressToken::read(text).is_none(), "{text}");
        }
    }

    #[test]
    fn every_word_is_over_or_not() {
        for (word, is_over) in [
            ("PENDING", false),
            ("ACTIVE", false),
            ("COMPLETED", true),
            ("FAILED", true),
            ("ABORTED", true),
            ("SUSPENDED", true),
            ("SUSPENDING", true),
            ("UNKNOWN", true),
            ("FINISHED_MIXED_OUTCOME", true),
            ("CANCELLED", true),
            ("SOMETHING_NEW", false),
        ] {
            assert_eq!(ProgressStatus::of(word).is_over(), is_over, "{word}");
        }
    }
}
