use schemars::JsonSchema;
use serde::Deserialize;

/// Names that stand for kinds of values in what is written. A value that is there keeps the name it was read with.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct WireTypes {
    /// Of a text.
    pub text: String,
    /// Of a number. Not documented.
    pub number: String,
    /// Of a date. Not documented.
    pub date: String,
}

impl Default for WireTypes {
    fn default() -> Self {
        Self { text: "string".to_owned(), number: "number".to_owned(), date: "datetime".to_owned() }
    }
}

/// Names of what can be done to an asset's state. One that is empty is not known, and is refused before anybody is called.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Actions {
    /// Lock.
    pub lock: String,
    /// Unlock.
    pub unlock: String,
    /// Check out.
    pub check_out: String,
    /// Give a check-out up. Not seen in public.
    pub cancel_check_out: String,
    /// Delete, which can be undone for a while.
    pub delete: String,
    /// Undo a deletion. Not seen in public.
    pub undelete: String,
}

impl Default for Actions {
    fn default() -> Self {
        Self {
            lock: "lock".to_owned(),
            unlock: "unlock".to_owned(),
            check_out: "check_out".to_owned(),
            cancel_check_out: String::new(),
            delete: "delete".to_owned(),
            undelete: String::new(),
        }
    }
}

impl Actions {
    pub(super) fn all(&self) -> [(&'static str, &str); 6] {
        [
            ("actions.lock", &self.lock),
            ("actions.unlock", &self.unlock),
            ("actions.check_out", &self.check_out),
            ("actions.cancel_check_out", &self.cancel_check_out),
            ("actions.delete", &self.delete),
            ("actions.undelete", &self.undelete),
        ]
    }
}

/// How the state of a job is recognised: neither the answer's form nor its words are documented. Words are compared
/// without regard to case; a job in a state that is not named here is no failure and no success, but a mistake in these
/// settings, and is told as one.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct JobWords {
    /// Members that hold the state, the first that is there counts.
    pub state_members: Vec<String>,
    /// Members that say why a job failed.
    pub message_members: Vec<String>,
    /// Members that hold the ids of assets it made.
    pub asset_members: Vec<String>,
    /// It is under way.
    pub running: Vec<String>,
    /// It ended well.
    pub done: Vec<String>,
    /// It ended well for some and not for others.
    pub partly: Vec<String>,
    /// It failed.
    pub failed: Vec<String>,
    /// Seconds between two questions for its state.
    pub poll_seconds: u64,
}

fn owned(words: &[&str]) -> Vec<String> {
    words.iter().map(|&word| word.to_owned()).collect()
}

impl Default for JobWords {
    fn default() -> Self {
        Self {
            state_members: owned(&["job_status", "status", "job_state", "state"]),
            message_members: owned(&[
                "error_message",
                "failure_reason",
                "status_message",
                "message",
                "error",
            ]),
            asset_members: owned(&["asset_ids", "asset_id_list", "asset_id", "new_asset_ids"]),
            running: owned(&[
                "RUNNING",
                "QUEUED",
                "PENDING",
                "SUBMITTED",
                "STARTED",
                "ACTIVE",
                "WAITING",
                "IN_PROGRESS",
                "NEW",
            ]),
            done: owned(&["COMPLETED", "COMPLETE", "DONE", "SUCCESS", "SUCCEEDED", "FINISHED"]),
            partly: owned(&["COMPLETED_WITH_ERRORS", "COMPLETED_WITH_WARNINGS", "PARTIAL"]),
            failed: owned(&["FAILED", "FAILURE", "ERROR", "ABORTED", "CANCELLED", "CANCELED"]),
            poll_seconds: 5,
        }
    }
}

impl JobWords {
    /// A word that stands for two things.
    pub(super) fn ambiguous(&self) -> Option<String> {
        let mut seen = std::collections::HashSet::new();
        let words = [&self.running, &self.done, &self.partly, &self.failed].into_iter().flatten();
        words.map(|word| word.to_uppercase()).find(|word| !seen.insert(word.clone()))
    }
}

/// Fragments of sentences, compared without regard to case: nearly every refusal comes as status 500 with a sentence, which
/// is all that tells them apart. Replace them when the service user's language is not English.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Texts {
    /// Somebody, or a job, holds the asset.
    pub locked: Vec<String>,
    /// Not there, or not to be seen by this user.
    pub not_found: Vec<String>,
    /// The user lacks a right.
    pub forbidden: Vec<String>,
    /// The kind of file is not allowed on the site.
    pub restricted: Vec<String>,
    /// The content is larger than the site lets out or in this way.
    pub too_large: Vec<String>,
    /// The content lies in a storage from which it has to be brought back first.
    pub offline: Vec<String>,
    /// Somebody else changed it in between.
    pub changed: Vec<String>,
    /// A value or id is not accepted.
    pub refused_value: Vec<String>,
    /// The server cannot at the moment.
    pub overload: Vec<String>,
    /// What a page that asks to sign in holds.
    pub login_page: Vec<String>,
}

impl Default for Texts {
    fn default() -> Self {
        Self {
            locked: owned(&["locked", "checked out", "in use by"]),
            not_found: owned(&["not found", "does not exist", "no such", "unable to find"]),
            forbidden: owned(&[
                "permission",
                "not authorized",
                "not authorised",
                "privilege",
                "access denied",
            ]),
            restricted: owned(&["restricted", "extension is not allowed"]),
            too_large: owned(&["too large", "larger than", "exceeds the maximum", "size limit"]),
            offline: owned(&["not online", "offline", "nearline"]),
            changed: owned(&["modified by another", "has been modified", "optimistic", "stale"]),
            refused_value: owned(&["invalid", "not a valid", "unknown field", "required field"]),
            overload: owned(&[
                "temporarily",
                "timed out",
                "timeout",
                "try again",
                "too many sessions",
                "session limit",
                "maximum number of sessions",
                "concurrent",
                "deadlock",
            ]),
            login_page: owned(&["type=\"password\"", "j_security_check", "otdsws/login"]),
        }
    }
}
