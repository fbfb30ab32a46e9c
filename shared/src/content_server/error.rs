//! What a status and a sentence of Content Server mean: one table, read from the top, first row that fits.
//!
//! Statuses carry little: 400 stands for bad arguments, unknown addresses and missing items alike, 500 for every
//! business refusal. Rows therefore look at the sentence first.

use std::time::Duration;

use http::StatusCode;
use serde_json::Value;

use super::settings::Texts;
use crate::error::{
    Error,
    FailureClass::{self, Auth, Conflict, Forbidden, Gone, Invalid, Throttled, Transient, UnknownOutcome},
    Retry, System,
};

/// What repeating a call would do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Effect {
    /// It changes nothing.
    Read,
    /// It changes something, and a second time changes nothing more.
    Repeatable,
    /// A second time makes a second thing.
    Once,
}

/// An answer, taken apart for the table.
#[derive(Debug)]
pub(super) struct Facts<'a> {
    pub(super) operation: &'static str,
    pub(super) effect: Effect,
    pub(super) status: u16,
    pub(super) retry_after: Option<Duration>,
    pub(super) form: Form,
    /// The sentence of the error, or the beginning of what came instead of JSON.
    pub(super) text: &'a str,
}

/// What kind of body came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    /// JSON with something in it.
    Json,
    /// Nothing, or the JSON `null`.
    Empty,
    /// HTML or anything else that is not JSON.
    Page,
}

#[derive(Clone, Copy)]
enum Sees {
    Anything,
    Body(Form),
    Text(fn(&Texts) -> &[String]),
    /// JSON whose error holds a sentence, of whatever wording.
    Sentence,
}

pub(super) struct Row {
    statuses: (u16, u16),
    sees: Sees,
    pub(super) code: &'static str,
    read: FailureClass,
    /// For writes that may be repeated.
    repeatable: FailureClass,
    /// For writes that must not be repeated blindly.
    once: FailureClass,
    remedy: Option<&'static str>,
}

const fn row(statuses: (u16, u16), sees: Sees, code: &'static str, class: FailureClass) -> Row {
    Row { statuses, sees, code, read: class, repeatable: class, once: class, remedy: None }
}

impl Row {
    /// A write that must not be repeated blindly may have taken effect.
    const fn uncertain(mut self) -> Self {
        self.once = UnknownOutcome;
        self
    }

    /// Writes differ from reads.
    const fn writes(mut self, class: FailureClass) -> Self {
        self.repeatable = class;
        self.once = class;
        self
    }

    const fn remedy(mut self, remedy: &'static str) -> Self {
        self.remedy = Some(remedy);
        self
    }
}

const REFUSED: (u16, u16) = (400, 599);
const ANY: (u16, u16) = (200, 599);

pub(super) const TABLE: &[Row] = &[
    // The door.
    row(ANY, Sees::Text(|texts| &texts.credentials_refused), CREDENTIALS_REFUSED, Auth)
        .remedy("check the Content Server secret"),
    row((401, 401), Sees::Anything, UNAUTHENTICATED, Auth),
    row((300, 399), Sees::Anything, "content-server.redirected", Auth)
        .remedy("the address leads to a sign-on page; give one that answers the REST interface directly"),
    // Between us and the server, or in front of it.
    row((429, 429), Sees::Anything, "content-server.throttled", Throttled),
    row((413, 413), Sees::Anything, "content-server.too-large", Invalid)
        .remedy("raise the body limit of the proxy before Content Server, or switch on Large File Upload"),
    row((408, 408), Sees::Anything, "content-server.timeout", Transient).uncertain(),
    row((502, 504), Sees::Anything, "content-server.gateway", Transient).uncertain(),
    row(ANY, Sees::Body(Form::Page), "content-server.not-json", Transient).uncertain(),
    row((200, 299), Sees::Body(Form::Empty), "content-server.empty-answer", Transient).uncertain(),
    row(REFUSED, Sees::Text(|texts| &texts.overload), "content-server.overload", Transient).uncertain(),
    // What the sentence says. The category collision holds the words of the name collision, so it comes first.
    row(ANY, Sees::Text(|texts| &texts.category_exists), CATEGORY_EXISTS, Conflict),
    row(ANY, Sees::Text(|texts| &texts.already_exists), COLLISION, Conflict),
    row(ANY, Sees::Text(|texts| &texts.part_known), PART_KNOWN, Conflict),
    row(ANY, Sees::Text(|texts| &texts.upload_closed), UPLOAD_CLOSED, Conflict),
    row(ANY, Sees::Text(|texts| &texts.edit_conflict), EDIT_CONFLICT, Conflict),
    row(ANY, Sees::Text(|texts| &texts.module_missing), MODULE_MISSING, Forbidden)
        .remedy("install the module on Content Server, or correct the address or the rule that needs it"),
    row(ANY, Sees::Text(|texts| &texts.not_accessible), NOT_ACCESSIBLE, Forbidden)
        .remedy("check that the item exists and that the service user may see it"),
    row(ANY, Sees::Text(|texts| &texts.not_found), NOT_FOUND, Gone),
    row(ANY, Sees::Text(|texts| &texts.insufficient_rights), FORBIDDEN, Forbidden)
        .remedy("give the service user the right it lacks"),
    row(ANY, Sees::Text(|texts| &texts.action_refused), "content-server.action-refused", Forbidden)
        .remedy("check the service user's rights on the item and the item's type"),
    row(ANY, Sees::Text(|texts| &texts.upload_size), UPLOAD_SIZE, Invalid),
    row(ANY, Sees::Text(|texts| &texts.upload_gone), UPLOAD_GONE, Transient),
    row(ANY, Sees::Text(|texts| &texts.bad_query), "content-server.bad-query", Forbidden)
        .remedy("correct the search expression"),
    row(ANY, Sees::Text(|texts| &texts.record_state), RECORD_STATE, Forbidden)
        .remedy("a hold or the state as a record forbids the change; ask records management"),
    row(ANY, Sees::Text(|texts| &texts.reserved), RESERVED, Conflict),
    // Last of them: it stops more than one item, and an item's name in another sentence may hold these words.
    row((400, 500), Sees::Text(|texts| &texts.unauthenticated), UNAUTHENTICATED, Auth),
    // What the status says when the sentence is not one of these.
    row((403, 403), Sees::Anything, FORBIDDEN, Forbidden).remedy("give the service user the right it lacks"),
    row((404, 404), Sees::Anything, NOT_FOUND, Gone),
    row((409, 409), Sees::Anything, EDIT_CONFLICT, Conflict),
    row((423, 423), Sees::Anything, RESERVED, Conflict),
    row((400, 499), Sees::Anything, BAD_REQUEST, Invalid),
    // A sentence is the server's own refusal: a write did not happen. Without one nobody knows.
    row((500, 599), Sees::Sentence, REFUSED_BY_SERVER, Transient).writes(Invalid),
    row((500, 599), Sees::Anything, "content-server.failed", Transient).uncertain(),
    row((200, 299), Sees::Sentence, REFUSED_BY_SERVER, Invalid),
];

pub(super) const UNAUTHENTICATED: &str = "content-server.unauthenticated";
pub(super) const CREDENTIALS_REFUSED: &str = "content-server.credentials-refused";
pub(super) const CATEGORY_EXISTS: &str = "content-server.category-exists";
/// A sibling has the name.
pub const COLLISION: &str = "content-server.collision";
/// A large upload that was closed before.
pub const UPLOAD_CLOSED: &str = "content-server.upload-closed";
pub(super) const PART_KNOWN: &str = "content-server.part-known";
/// Somebody else changed the item in between.
pub const EDIT_CONFLICT: &str = "content-server.edit-conflict";
/// An optional module is not installed.
pub const MODULE_MISSING: &str = "content-server.module-missing";
/// Missing or hidden; the server does not say which.
pub const NOT_ACCESSIBLE: &str = "content-server.not-accessible";
/// Not there.
pub const NOT_FOUND: &str = "content-server.not-found";
pub(super) const FORBIDDEN: &str = "content-server.forbidden";
pub(super) const UPLOAD_SIZE: &str = "content-server.upload-size";
/// A large upload that has to begin again.
pub const UPLOAD_GONE: &str = "content-server.upload-gone";
/// A hold or the state as a record forbids it.
pub const RECORD_STATE: &str = "content-server.record-state";
/// Checked out by somebody.
pub const RESERVED: &str = "content-server.reserved";
/// The server does not give ranges of content.
pub const NO_RANGES: &str = "content-server.no-ranges";
pub(super) const BAD_REQUEST: &str = "content-server.bad-request";
/// A refusal in words that are not in the table.
pub const REFUSED_BY_SERVER: &str = "content-server.refused";
pub(super) const UNEXPECTED_ANSWER: &str = "content-server.unexpected-answer";

/// The failure an answer stands for. Call it only for answers that are failures.
pub(super) fn classify(texts: &Texts, facts: &Facts<'_>) -> Error {
    let folded = facts.text.to_lowercase();
    let found = TABLE.iter().find(|row| {
        (row.statuses.0..=row.statuses.1).contains(&facts.status)
            && match row.sees {
                Sees::Anything => true,
                Sees::Body(form) => form == facts.form,
                Sees::Sentence => facts.form == Form::Json && !folded.trim().is_empty(),
                Sees::Text(fragments) => facts.form == Form::Json && holds_any(&folded, fragments(texts)),
            }
    });
    let (class, code, remedy) = found.map_or((Transient, "content-server.failed", None), |row| {
        let class = match facts.effect {
            Effect::Read => row.read,
            Effect::Repeatable => row.repeatable,
            Effect::Once => row.once,
        };
        (class, row.code, row.remedy)
    });
    let mut error = Error::new(class, System::ContentServer, facts.operation, code, message(facts));
    if let Some(remedy) = remedy {
        error = error.remedy(remedy);
    }
    match facts.retry_after {
        Some(pause) if error.retry_advice() != Retry::Never => error.retry(Retry::After(pause)),
        _ => error,
    }
}

/// An answer that is JSON and no failure, but not what the call is documented to give.
pub(super) fn unexpected(operation: &'static str, effect: Effect, what: impl std::fmt::Display) -> Error {
    let class = if effect == Effect::Once { UnknownOutcome } else { Transient };
    Error::new(
        class,
        System::ContentServer,
        operation,
        UNEXPECTED_ANSWER,
        format!("the answer is not understood: {what}"),
    )
}

/// A target that is not as the configuration says.
pub(super) fn misconfigured(
    operation: &'static str,
    code: &'static str,
    message: impl Into<String>,
) -> Error {
    Error::new(Forbidden, System::ContentServer, operation, code, message)
}

/// The sentence of an error in a JSON answer.
pub(super) fn sentence(answer: &Value) -> String {
    let mut parts = Vec::new();
    for key in ["error", "errorDetail", "errorDetails", "errMsg"] {
        match answer.get(key) {
            Some(Value::String(text)) if !text.is_empty() => parts.push(text.as_str()),
            Some(Value::Object(object)) => {
                parts.extend(object.get("message").and_then(Value::as_str));
            }
            _ => {}
        }
    }
    parts.join(" ")
}

pub(super) fn begins_with_any(folded: &str, fragments: &[String]) -> bool {
    let begins = |fragment: &String| !fragment.is_empty() && folded.starts_with(&fragment.to_lowercase());
    fragments.iter().any(begins)
}

pub(super) fn holds_any(folded: &str, fragments: &[String]) -> bool {
    fragments.iter().any(|fragment| !fragment.is_empty() && folded.contains(&fragment.to_lowercase()))
}

fn message(facts: &Facts<'_>) -> String {
    let status = StatusCode::from_u16(facts.status)
        .map_or_else(|_| facts.status.to_string(), |known| known.to_string());
    match facts.form {
        Form::Empty => format!("answered {status} with an empty body"),
        Form::Page => format!("answered {status} with a page instead of JSON"),
        Form::Json if facts.text.is_empty() => format!("answered {status}"),
        Form::Json => {
            let text: String = facts.text.chars().take(500).collect();
            format!("answered {status}: {text}")
        }
    }
}
