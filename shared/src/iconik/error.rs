//! What an answer of iconik means: one table, read from the top, first row that fits.
//!
//! Statuses carry the meaning here; sentences are documented nowhere, come in two shapes, and are only passed on.

use std::time::Duration;

use http::{HeaderMap, StatusCode};
use serde_json::Value;

use crate::{
    error::{
        Error,
        FailureClass::{
            self, Auth, Conflict, Forbidden, Gone, Invalid, Throttled, Transient, UnknownOutcome,
        },
        System,
    },
    http::{Judged, Row, row},
};

pub(super) use crate::http::{Effect, Form, retry_after};

/// An answer, taken apart for the table.
#[derive(Debug)]
pub(super) struct Facts<'a> {
    pub(super) operation: &'static str,
    pub(super) effect: Effect,
    pub(super) status: u16,
    pub(super) retry_after: Option<Duration>,
    pub(super) form: Form,
    pub(super) answer: &'a Value,
}

pub(super) const TABLE: &[Row] = &[
    // The door.
    row((401, 401), UNAUTHENTICATED, Auth).remedy("check the iconik secret: the token is wrong or has ended"),
    row((300, 399), "iconik.redirected", Forbidden)
        .remedy("give the address of the tenant's region, which answers directly"),
    // Between us and the server, or in front of it.
    row((429, 429), "iconik.throttled", Throttled),
    row((408, 408), "iconik.timeout", Transient).uncertain(),
    row((413, 413), "iconik.too-large", Invalid),
    row((502, 504), "iconik.gateway", Transient).uncertain(),
    row((200, 599), "iconik.not-json", Transient).with(Form::Page).uncertain(),
    row((200, 299), "iconik.empty-answer", Transient).with(Form::Empty).uncertain(),
    // What the service says.
    row((403, 403), FORBIDDEN, Forbidden)
        .remedy("give the token's user the role, and access to the object, that it lacks"),
    row((404, 404), NOT_FOUND, Gone),
    row((405, 405), NOT_OFFERED, Forbidden).remedy("the tenant's iconik does not offer this call"),
    row((409, 409), CONFLICT, Conflict),
    row((410, 410), NOT_FOUND, Gone),
    row((412, 412), CONFLICT, Conflict),
    row((423, 423), "iconik.locked", Conflict),
    row((400, 499), REFUSED, Invalid),
    row((501, 501), NOT_OFFERED, Forbidden).remedy("the tenant's iconik does not offer this call"),
    row((500, 599), "iconik.failed", Transient).uncertain(),
];

/// What the storage behind a signed address means. Its sentences are not repeated: they repeat the request.
pub(super) const STORAGE_TABLE: &[Row] = &[
    row((300, 399), "iconik.storage-redirected", Forbidden)
        .remedy("the storage sends elsewhere; check its endpoint and region in iconik"),
    row((400, 400), SIGNED_URL_REFUSED, Forbidden).remedy("check the storage's access keys in iconik"),
    row((401, 401), SIGNED_URL_REFUSED, Forbidden).remedy("check the storage's access keys in iconik"),
    row((403, 403), SIGNED_URL_REFUSED, Forbidden).remedy("check the storage's access keys in iconik"),
    row((404, 404), CONTENT_MISSING, Gone),
    row((408, 408), "iconik.storage-timeout", Transient),
    row((410, 410), CONTENT_MISSING, Gone),
    row((412, 412), CONTENT_CHANGED, Conflict),
    row((416, 416), CONTENT_CHANGED, Conflict),
    row((429, 429), "iconik.storage-throttled", Throttled),
    row((503, 503), "iconik.storage-throttled", Throttled),
    row((405, 499), "iconik.storage-refused", Invalid),
    row((500, 599), "iconik.storage-failed", Transient),
];

/// A signed address was refused, although it was fresh.
pub const SIGNED_URL_REFUSED: &str = "iconik.signed-url-refused";
/// The entry is there, its bytes are not.
pub const CONTENT_MISSING: &str = "iconik.content-missing";
/// The bytes are not those the transfer began with.
pub const CONTENT_CHANGED: &str = "iconik.content-changed";

/// The failure a storage's answer stands for.
pub(super) fn classify_storage(operation: &'static str, status: StatusCode, headers: &HeaderMap) -> Error {
    let judged = judged(operation, Effect::Read, status.as_u16(), Form::Words, retry_after(headers));
    judged.by(STORAGE_TABLE, "iconik.storage-failed", format!("the storage answered {status}"))
}

/// The credential was refused.
pub const UNAUTHENTICATED: &str = "iconik.unauthenticated";
/// The user lacks a role or access.
pub const FORBIDDEN: &str = "iconik.forbidden";
/// Not there; or, asked for values of a metadata view, none yet.
pub const NOT_FOUND: &str = "iconik.not-found";
/// The tenant does not offer the call.
pub const NOT_OFFERED: &str = "iconik.not-offered";
/// It is there already, or somebody else is at it.
pub const CONFLICT: &str = "iconik.conflict";
/// The input was refused; the field is named where the server names it.
pub const REFUSED: &str = "iconik.refused";
pub(super) const UNEXPECTED_ANSWER: &str = "iconik.unexpected-answer";

/// The failure an answer stands for. Call it only for answers that are failures.
pub(super) fn classify(facts: &Facts<'_>) -> Error {
    let said = Said::of(facts.answer);
    let judged = judged(facts.operation, facts.effect, facts.status, facts.form, facts.retry_after);
    let error = judged.by(TABLE, "iconik.failed", message(facts, &said));
    match said.field {
        Some(field) => error.field(field),
        None => error,
    }
}

fn judged(
    operation: &'static str,
    effect: Effect,
    status: u16,
    form: Form,
    retry_after: Option<Duration>,
) -> Judged {
    Judged { system: System::Iconik, operation, effect, status, form, retry_after }
}

/// An answer that is JSON and no failure, but not what the call is documented to give.
pub(super) fn unexpected(operation: &'static str, effect: Effect, what: impl std::fmt::Display) -> Error {
    let class = if effect == Effect::Once { UnknownOutcome } else { Transient };
    let text = without_queries(&what.to_string());
    Error::new(
        class,
        System::Iconik,
        operation,
        UNEXPECTED_ANSWER,
        format!("the answer is not understood: {text}"),
    )
}

/// A failure of ours to classify.
pub(super) fn failure(
    class: FailureClass,
    operation: &'static str,
    code: &'static str,
    message: impl Into<String>,
) -> Error {
    Error::new(class, System::Iconik, operation, code, message)
}

/// What an error says: a list of sentences, or sentences by field, or something undocumented.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Said {
    pub(super) text: String,
    pub(super) field: Option<String>,
}

impl Said {
    pub(super) fn of(answer: &Value) -> Self {
        match answer.get("errors") {
            Some(Value::Array(list)) => Self { text: joined(list.iter().map(sentence)), field: None },
            Some(Value::Object(fields)) => Self {
                text: joined(fields.iter().map(|(field, what)| format!("{field}: {}", sentence(what)))),
                field: fields.keys().next().cloned(),
            },
            Some(other) => Self { text: sentence(other), field: None },
            None => {
                let texts =
                    ["error", "message", "error_description"].iter().filter_map(|key| answer.get(key));
                Self { text: joined(texts.map(sentence)), field: None }
            }
        }
    }
}

fn joined(sentences: impl Iterator<Item = String>) -> String {
    sentences.filter(|sentence| !sentence.is_empty()).collect::<Vec<_>>().join("; ")
}

fn sentence(value: &Value) -> String {
    match value {
        Value::String(text) => text.trim().to_owned(),
        Value::Null => String::new(),
        Value::Array(list) => joined(list.iter().map(sentence)),
        other => other.to_string(),
    }
}

fn message(facts: &Facts<'_>, said: &Said) -> String {
    let status = StatusCode::from_u16(facts.status)
        .map_or_else(|_| facts.status.to_string(), |known| known.to_string());
    match facts.form {
        Form::Empty => format!("answered {status} with an empty body"),
        Form::Page => format!("answered {status} with a page instead of JSON"),
        Form::Words if said.text.is_empty() => format!("answered {status}"),
        Form::Words => {
            let text: String = without_queries(&said.text).chars().take(500).collect();
            format!("answered {status}: {text}")
        }
    }
}

/// A text without the queries of addresses in it: that is where a signed one keeps its signature.
pub(super) fn without_queries(text: &str) -> String {
    let mut clean = String::with_capacity(text.len());
    for word in text.split_inclusive(char::is_whitespace) {
        match word.find("://").and_then(|at| Some(at + word.get(at..)?.find('?')?)) {
            Some(at) => {
                clean.push_str(word.get(..at).unwrap_or_default());
                clean.push_str("?…");
                if word.ends_with(char::is_whitespace) {
                    clean.push(' ');
                }
            }
            None => clean.push_str(word),
        }
    }
    clean
}
