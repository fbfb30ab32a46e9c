//! What an answer of Preservica means: one table, read from the top, first row that fits.
//!
//! Statuses carry the meaning. What stands in the body of an error is documented nowhere and comes as text, XML or a page;
//! a sentence is only passed on.

use std::time::Duration;

use http::{HeaderMap, StatusCode, header};
use serde_json::Value;

use super::xml::Element;
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
    pub(super) body: &'a [u8],
}

/// The credential was refused.
pub const UNAUTHENTICATED: &str = "preservica.unauthenticated";
/// The user lacks a role, or a right on the object.
pub const FORBIDDEN: &str = "preservica.forbidden";
/// Not there, or not to be seen by this user.
pub const NOT_FOUND: &str = "preservica.not-found";
/// A rule of the tenant stands against it: a hold, a missing workflow, an unknown security tag.
pub const RULE: &str = "preservica.against-a-rule";
/// There is one already, or somebody else is at it.
pub const CONFLICT: &str = "preservica.conflict";
/// The input was refused.
pub const REFUSED: &str = "preservica.refused";
/// The answer is not what the call is known to give.
pub(super) const UNEXPECTED_ANSWER: &str = "preservica.unexpected-answer";

const TABLE: &[Row] = &[
    // The door.
    row((401, 401), UNAUTHENTICATED, Auth).remedy("check the Preservica secret: user, password and tenant"),
    row((300, 399), "preservica.redirected", Forbidden)
        .remedy("give the server's address, which answers directly"),
    // Between us and the server, or in front of it.
    row((429, 429), "preservica.throttled", Throttled),
    row((408, 408), "preservica.timeout", Transient).uncertain(),
    row((413, 413), "preservica.too-large", Invalid),
    row((502, 504), "preservica.gateway", Transient).uncertain(),
    row((200, 299), "preservica.page-instead-of-answer", Transient).with(Form::Page).uncertain(),
    row((200, 299), "preservica.empty-answer", Transient).with(Form::Empty).uncertain(),
    row((200, 299), UNEXPECTED_ANSWER, Transient).uncertain(),
    // What the service says.
    row((403, 403), FORBIDDEN, Forbidden)
        .remedy("give the user the role, and the right on the object's security tag, that it lacks"),
    row((404, 404), NOT_FOUND, Gone),
    row((405, 405), "preservica.not-offered", Forbidden).remedy("this Preservica does not offer the call"),
    row((409, 409), CONFLICT, Conflict),
    row((410, 410), NOT_FOUND, Gone),
    row((422, 422), RULE, Forbidden).remedy("see what the message names, and set it right in Preservica"),
    row((423, 423), CONFLICT, Conflict),
    row((400, 499), REFUSED, Invalid),
    row((501, 501), "preservica.not-offered", Forbidden).remedy("this Preservica does not offer the call"),
    row((500, 599), "preservica.failed", Transient).uncertain(),
];

/// The failure an answer stands for. Call it only for answers that are failures.
pub(super) fn classify(facts: &Facts<'_>) -> Error {
    let judged = Judged {
        system: System::Preservica,
        operation: facts.operation,
        effect: facts.effect,
        status: facts.status,
        form: facts.form,
        retry_after: facts.retry_after,
    };
    judged.by(TABLE, "preservica.failed", message(facts))
}

/// An answer that is no failure, but not what the call is known to give.
pub(super) fn unexpected(operation: &'static str, effect: Effect, what: impl std::fmt::Display) -> Error {
    let class = if effect == Effect::Once { UnknownOutcome } else { Transient };
    let message = format!("the answer is not understood: {what}");
    Error::new(class, System::Preservica, operation, UNEXPECTED_ANSWER, message)
}

/// A failure of ours to classify.
pub(super) fn failure(
    class: FailureClass,
    operation: &'static str,
    code: &'static str,
    message: impl Into<String>,
) -> Error {
    Error::new(class, System::Preservica, operation, code, message)
}

fn message(facts: &Facts<'_>) -> String {
    let status = StatusCode::from_u16(facts.status)
        .map_or_else(|_| facts.status.to_string(), |known| known.to_string());
    match facts.form {
        Form::Empty => format!("answered {status} with an empty body"),
        Form::Page => format!("answered {status} with a page"),
        Form::Words if facts.status < 300 => {
            format!("answered {status} with something else than was asked for")
        }
        Form::Words => match said(facts.body) {
            Some(text) => format!("answered {status}: {text}"),
            None => format!("answered {status}"),
        },
    }
}

/// The sentence in the body of an error: of JSON and XML what they call message, of text the beginning.
fn said(body: &[u8]) -> Option<String> {
    let text = match serde_json::from_slice::<Value>(body) {
        Ok(value) => value.get("message").and_then(Value::as_str).map(str::to_owned),
        Err(_) => match Element::parse(body) {
            Ok(root) => {
                let message = root.search("", "Message").or_else(|| root.search("", "message"));
                message.map(Element::content)
            }
            Err(_) => std::str::from_utf8(body).ok().map(str::to_owned),
        },
    };
    let text = text?.split_whitespace().collect::<Vec<_>>().join(" ");
    let text: String = text.chars().filter(|character| !character.is_control()).take(300).collect();
    (!text.is_empty()).then_some(text)
}

/// What kind of body it is.
pub(super) fn form_of(headers: &HeaderMap, body: &[u8]) -> Form {
    let kind = headers.get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    let begins = body.get(..body.len().min(64)).unwrap_or_default().trim_ascii_start().to_ascii_lowercase();
    match body {
        [] => Form::Empty,
        _ if kind.to_ascii_lowercase().starts_with("text/html") => Form::Page,
        _ if begins.starts_with(b"<!doctype html") || begins.starts_with(b"<html") => Form::Page,
        _ => Form::Words,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn classified(status: u16, effect: Effect, kind: &str, body: &str) -> Error {
        let mut headers = HeaderMap::new();
        headers.insert(header::CONTENT_TYPE, kind.parse().unwrap());
        let form = form_of(&headers, body.as_bytes());
        let facts =
            Facts { operation: "ask", effect, status, retry_after: None, form, body: body.as_bytes() };
        classify(&facts)
    }

    #[test]
    fn the_status_says_what_went_wrong_and_the_effect_whether_it_is_known() {
        for (status, class, code) in [
            (400, Invalid, REFUSED),
            (403, Forbidden, FORBIDDEN),
            (404, Gone, NOT_FOUND),
            (409, Conflict, CONFLICT),
            (422, Forbidden, RULE),
            (429, Throttled, "preservica.throttled"),
            (500, Transient, "preservica.failed"),
            (503, Transient, "preservica.gateway"),
        ] {
            let error = classified(status, Effect::Read, "text/plain", "No.");
            assert_eq!((error.class(), error.code()), (class, code), "{status}");
            assert!(error.message().ends_with(": No."), "{error}");
        }
        for status in [408, 500, 502, 504] {
            let class = classified(status, Effect::Once, "text/plain", "").class();
            assert_eq!(class, UnknownOutcome, "{status}");
        }
    }

    #[test]
    fn sentences_are_found_in_every_form_and_pages_are_not_repeated() {
        for (kind, body) in [
            ("application/json", r#"{"success":false,"message":"Too bad"}"#),
            ("application/xml", "<e xmlns=\"urn:x\"><Message>Too\n bad</Message></e>"),
            ("text/plain", " Too bad\n"),
        ] {
            let error = classified(422, Effect::Read, kind, body);
            assert!(error.message().ends_with(": Too bad"), "{error}");
        }
        let error = classified(200, Effect::Once, "text/html", "<p>hush</p>");
        assert_eq!((error.class(), error.code()), (UnknownOutcome, "preservica.page-instead-of-answer"));
        assert!(!error.message().contains("hush"));
        assert_eq!(
            classified(500, Effect::Read, "", "  <!DOCTYPE HTML><p>hush").message(),
            "answered 500 Internal Server Error with a page"
        );
    }
}
