//! What an answer of OTMM means.
//!
//! Nearly every refusal comes as status 500 with `exception_body` and a sentence: it is a business error, and asking again
//! gives it again. So sentences are looked at first, for 400, 409 and 500; what they do not tell, the table of statuses
//! does. A 500 with anything else in it comes from a server that is out of order.

use http::{HeaderMap, StatusCode};
use serde_json::Value;

use super::{settings::Texts, wire};
pub(super) use crate::http::Effect;
use crate::{
    error::{
        Error,
        FailureClass::{
            self, Auth, Conflict, Forbidden, Gone, Invalid, Throttled, Transient, UnknownOutcome,
        },
        Retry, System,
    },
    http::{Form, Judged, Row, retry_after, row},
};

/// The credential was refused.
pub const UNAUTHENTICATED: &str = "otmm.unauthenticated";
/// The user lacks a right.
pub const FORBIDDEN: &str = "otmm.forbidden";
/// Not there, or not to be seen by this user.
pub const NOT_FOUND: &str = "otmm.not-found";
/// Somebody else, or a job, holds the asset.
pub const LOCKED: &str = "otmm.locked";
/// Somebody else changed it first.
pub const CONFLICT: &str = "otmm.conflict";
/// The input was refused.
pub const REFUSED: &str = "otmm.refused";
/// The site does not take files of this kind.
pub const RESTRICTED: &str = "otmm.restricted-extension";
/// The content is too large for the site, or for this way.
pub const TOO_LARGE: &str = "otmm.too-large";
/// The content lies in a storage from which it has to be brought back first.
pub const CONTENT_OFFLINE: &str = "otmm.content-offline";
/// The server refuses, and its sentence tells nothing that is known here.
pub const BUSINESS: &str = "otmm.business-error";
/// The server cannot at the moment.
pub const OVERLOADED: &str = "otmm.overloaded";
/// A page where JSON was due.
pub const NOT_JSON: &str = "otmm.not-json";
/// The settings do not say what the site calls something.
pub const NOT_CONFIGURED: &str = "otmm.not-configured";
/// The answer is not what the call is known to give.
pub(super) const UNEXPECTED_ANSWER: &str = "otmm.unexpected-answer";

pub(super) const TABLE: &[Row] = &[
    // The door.
    row((401, 401), UNAUTHENTICATED, Auth).remedy("check the OTMM secret, and that the user may sign in"),
    row((300, 399), "otmm.redirected", Forbidden).remedy(
        "give the server's address, which answers directly, and check the way its sessions are opened",
    ),
    // Between us and the server, or in front of it.
    row((429, 429), "otmm.throttled", Throttled),
    row((408, 408), "otmm.timeout", Transient).uncertain(),
    row((413, 413), TOO_LARGE, Forbidden).remedy("let what stands before OTMM take larger bodies"),
    row((502, 504), "otmm.gateway", Transient).uncertain(),
    row((400, 400), "otmm.refused-by-container", Invalid)
        .with(Form::Page)
        .remedy("an id or value has a character that the web server refuses"),
    row((200, 599), NOT_JSON, Transient).with(Form::Page).uncertain(),
    row((200, 299), "otmm.empty-answer", Transient).with(Form::Empty).uncertain(),
    // What the service says.
    row((403, 403), FORBIDDEN, Forbidden)
        .remedy("give the service user the functional right and the policy that it lacks"),
    row((404, 404), NOT_FOUND, Gone),
    row((405, 405), "otmm.not-offered", Forbidden).remedy("this OTMM does not offer the call"),
    row((409, 409), CONFLICT, Conflict),
    row((410, 410), NOT_FOUND, Gone),
    row((412, 412), CONFLICT, Conflict),
    row((416, 416), super::download::CONTENT_CHANGED, Conflict),
    row((423, 423), LOCKED, Conflict),
    row((400, 499), REFUSED, Invalid),
    row((500, 500), "otmm.failed", Transient).with(Form::Empty).uncertain(),
    row((500, 500), BUSINESS, Forbidden)
        .remedy("see what the message names; asking again gives the same answer"),
    row((501, 501), "otmm.not-offered", Forbidden).remedy("this OTMM does not offer the call"),
    row((505, 599), "otmm.failed", Transient).uncertain(),
];

/// An answer, taken apart.
#[derive(Debug)]
pub(super) struct Facts<'a> {
    pub(super) operation: &'static str,
    pub(super) effect: Effect,
    /// Ids that the call named, which the sentence may repeat.
    pub(super) names: &'a [&'a str],
    pub(super) status: StatusCode,
    pub(super) headers: &'a HeaderMap,
    pub(super) form: Form,
    pub(super) answer: &'a Value,
}

/// The failure an answer stands for. Call it only for answers that are failures.
pub(super) fn classify(texts: &Texts, facts: &Facts<'_>) -> Error {
    let exception = facts.answer.get("exception_body");
    let status = facts.status.as_u16();
    let inner = exception.and_then(|body| wire::number(body, "http_response_code"));
    let inner = inner.and_then(|code| u16::try_from(code).ok()).filter(|code| (400..600).contains(code));
    // A refusal that came with 200 is one all the same.
    let means = match (status, inner) {
        (200..=299 | 500, Some(code)) => code,
        (200..=299, None) if exception.is_some() => 500,
        _ => status,
    };
    let judged = Judged {
        system: System::Otmm,
        operation: facts.operation,
        effect: facts.effect,
        status: means,
        form: facts.form,
        retry_after: retry_after(facts.headers),
    };
    let said = said(facts.answer);
    let error = judged.by(TABLE, "otmm.failed", message(facts, said.as_deref()));
    if facts.form == Form::Words
        && matches!(means, 400 | 409 | 500)
        && let Some((code, class, remedy)) =
            said.and_then(|text| told(texts, &without_names(&text, facts.names), facts.effect))
    {
        let error = error.with_class(class).with_code(code);
        let error = match judged.retry_after {
            Some(pause) if error.retry_advice() != Retry::Never => error.retry(Retry::After(pause)),
            _ => error,
        };
        return match remedy {
            Some(remedy) => error.remedy(remedy),
            None => error,
        };
    }
    error
}

type Told = (&'static str, FailureClass, Option<&'static str>);

/// What a sentence tells.
fn told(texts: &Texts, text: &str, effect: Effect) -> Option<Told> {
    let text = without_quotes(text).to_lowercase();
    let holds = |fragments: &[String]| {
        fragments.iter().any(|fragment| !fragment.is_empty() && text.contains(&fragment.to_lowercase()))
    };
    let once = effect == Effect::Once;
    let rows: [(&[String], Told); 9] = [
        (&texts.locked, (LOCKED, Conflict, Some("try again when it is free"))),
        (&texts.changed, (CONFLICT, Conflict, Some("read it again"))),
        (&texts.restricted, (RESTRICTED, Forbidden, Some("let the site take files of this kind"))),
        (&texts.too_large, (TOO_LARGE, Forbidden, Some("raise the site's limit, or take another way"))),
        (&texts.offline, (CONTENT_OFFLINE, Transient, Some("let it be brought back in OTMM"))),
        // What is to be made may name something that is missing; that is a mistake in what was given.
        (&texts.not_found, (NOT_FOUND, if once { Invalid } else { Gone }, None)),
        (
            &texts.forbidden,
            (
                FORBIDDEN,
                Forbidden,
                Some("give the service user the functional right and the policy that it lacks"),
            ),
        ),
        (&texts.overload, (OVERLOADED, if once { UnknownOutcome } else { Transient }, None)),
        (&texts.refused_value, (REFUSED, Invalid, None)),
    ];
    rows.into_iter().find(|(fragments, _)| holds(fragments)).map(|(_, told)| told)
}

/// A sentence without what it quotes: a value or name in it tells nothing of what went wrong.
fn without_quotes(text: &str) -> String {
    let (mut clean, mut before, mut open) = (String::with_capacity(text.len()), ' ', None);
    let mut rest = text.chars().peekable();
    while let Some(character) = rest.next() {
        let ends_word = |next: Option<&char>| next.is_none_or(|next| !next.is_alphanumeric());
        match (character, open) {
            ('\'' | '"', Some(mark)) if mark == character && ends_word(rest.peek()) => open = None,
            // An apostrophe stands within a word.
            ('\'' | '"', None) if !before.is_alphanumeric() => open = Some(character),
            (other, None) => clean.push(other),
            (_, Some(_)) => {}
        }
        before = character;
    }
    clean
}

/// A sentence without the ids that the call named itself: a field may well be called "NO SUCH" or "LOCKED BY".
fn without_names(text: &str, names: &[&str]) -> String {
    let mut clean = text.to_owned();
    for name in names.iter().filter(|name| !name.is_empty()) {
        let mut from = 0;
        while let Some(found) = clean.get(from..).and_then(|rest| rest.find(name)) {
            let (begin, end) = (from + found, from + found + name.len());
            let is_apart = |other: Option<char>| other.is_none_or(|other| !other.is_alphanumeric());
            let before = clean.get(..begin).and_then(|before| before.chars().next_back());
            let after = clean.get(end..).and_then(|after| after.chars().next());
            if is_apart(before) && is_apart(after) {
                clean.replace_range(begin..end, "");
                from = begin;
            } else {
                from = end;
            }
        }
    }
    clean
}

/// The sentence of a refusal. What is meant for debugging is not repeated.
pub(super) fn said(answer: &Value) -> Option<String> {
    let body = answer.get("exception_body").unwrap_or(answer);
    let text = ["message", "error_description", "error", "errorMessage"]
        .iter()
        .find_map(|name| wire::text(body, name))?;
    let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
    let text: String = text.chars().filter(|character| !character.is_control()).take(300).collect();
    match wire::text(body, "error_code") {
        _ if text.is_empty() => None,
        Some(code) => Some(format!("{text} (error {code})")),
        None => Some(text),
    }
}

fn message(facts: &Facts<'_>, said: Option<&str>) -> String {
    let status = facts.status;
    match (facts.form, said) {
        (Form::Empty, _) => format!("answered {status} with an empty body"),
        (Form::Page, _) => format!("answered {status} with a page instead of JSON"),
        (Form::Words, Some(text)) => format!("answered {status}: {text}"),
        (Form::Words, None) => format!("answered {status}"),
    }
}

/// An answer that is JSON and no failure, but not what the call is known to give.
pub(super) fn unexpected(operation: &'static str, effect: Effect, what: impl std::fmt::Display) -> Error {
    let class = if effect == Effect::Once { UnknownOutcome } else { Transient };
    failure(class, operation, UNEXPECTED_ANSWER, format!("the answer is not understood: {what}"))
}

/// A failure of ours to classify.
pub(super) fn failure(
    class: FailureClass,
    operation: &'static str,
    code: &'static str,
    message: impl Into<String>,
) -> Error {
    Error::new(class, System::Otmm, operation, code, message)
}

/// The settings lack a name that the call needs. Nothing was sent.
pub(super) fn not_configured(operation: &'static str, field: &str) -> Error {
    let message = format!("the settings do not say what the site calls {field}; nothing was sent");
    failure(Forbidden, operation, NOT_CONFIGURED, message)
        .field(field)
        .remedy("ask the site's administrator, and declare it in the settings of the client")
}
