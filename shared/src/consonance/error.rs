//! What an answer of Consonance means: one table for answers of HTTP, one for errors within an answer of GraphQL, each read
//! from the top, first row that fits. Neither is documented; sentences are looked at only where GraphQL gives nothing else.

use std::time::Duration;

use http::{HeaderMap, StatusCode, header};
use serde_json::Value;

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

/// What kind of body came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    /// JSON.
    Json,
    /// Nothing.
    Empty,
    /// HTML, or anything else that is not JSON.
    Page,
}

/// An answer, taken apart for the table.
#[derive(Debug)]
pub(super) struct Facts {
    pub(super) operation: &'static str,
    pub(super) effect: Effect,
    pub(super) status: u16,
    pub(super) retry_after: Option<Duration>,
    pub(super) form: Form,
}

struct Row {
    statuses: (u16, u16),
    form: Option<Form>,
    code: &'static str,
    class: FailureClass,
    /// A write that must not be repeated blindly may have taken effect.
    uncertain: bool,
    remedy: Option<&'static str>,
}

const fn row(statuses: (u16, u16), code: &'static str, class: FailureClass) -> Row {
    Row { statuses, form: None, code, class, uncertain: false, remedy: None }
}

impl Row {
    const fn with(mut self, form: Form) -> Self {
        self.form = Some(form);
        self
    }

    const fn uncertain(mut self) -> Self {
        self.uncertain = true;
        self
    }

    const fn remedy(mut self, remedy: &'static str) -> Self {
        self.remedy = Some(remedy);
        self
    }
}

/// The key was refused.
pub const UNAUTHENTICATED: &str = "consonance.unauthenticated";
/// Not there.
pub const NOT_FOUND: &str = "consonance.not-found";
/// The input was refused; the field is named where the server names it.
pub const REFUSED: &str = "consonance.refused";
/// The account's schema does not have what was asked for.
pub const QUERY_REFUSED: &str = "consonance.query-refused";
/// A page, or something else, where JSON was due.
pub const NOT_JSON: &str = "consonance.not-json";
/// The answer is not what the call is documented to give.
pub const UNEXPECTED_ANSWER: &str = "consonance.unexpected-answer";

const CHECK_KEY: &str = "check the Consonance secret: each interface takes a key of its own scheme";

const TABLE: &[Row] = &[
    row((401, 401), UNAUTHENTICATED, Auth).remedy(CHECK_KEY),
    row((300, 399), "consonance.redirected", Forbidden).remedy("give the account's own address"),
    row((429, 429), "consonance.throttled", Throttled),
    row((408, 408), "consonance.timeout", Transient).uncertain(),
    row((413, 413), "consonance.too-large", Invalid),
    row((502, 504), "consonance.gateway", Transient).uncertain(),
    row((403, 403), "consonance.forbidden", Forbidden).remedy("ask the vendor's support what the key may do"),
    row((404, 404), NOT_FOUND, Gone),
    row((409, 409), "consonance.conflict", Conflict),
    row((200, 299), NOT_JSON, Transient).with(Form::Page).uncertain(),
    row((200, 299), "consonance.empty-answer", Transient).with(Form::Empty).uncertain(),
    row((500, 599), "consonance.failed", Transient).uncertain(),
    row((400, 499), REFUSED, Invalid),
];

/// The failure an answer stands for. Call it only for answers that are failures.
pub(super) fn classify(facts: &Facts) -> Error {
    let found = TABLE.iter().find(|row| {
        (row.statuses.0..=row.statuses.1).contains(&facts.status)
            && row.form.is_none_or(|form| form == facts.form)
    });
    let (class, code, remedy) = match found {
        Some(row) if row.uncertain && facts.effect == Effect::Once => (UnknownOutcome, row.code, row.remedy),
        Some(row) => (row.class, row.code, row.remedy),
        None => (Transient, "consonance.failed", None),
    };
    let status = StatusCode::from_u16(facts.status)
        .map_or_else(|_| facts.status.to_string(), |known| known.to_string());
    let with = match facts.form {
        Form::Json => "",
        Form::Empty => " with an empty body",
        Form::Page => " with a page instead of JSON",
    };
    let mut error = failure(class, facts.operation, code, format!("answered {status}{with}"));
    if let Some(remedy) = remedy {
        error = error.remedy(remedy);
    }
    match facts.retry_after {
        Some(pause) if error.retry_advice() != Retry::Never => error.retry(Retry::After(pause)),
        _ => error,
    }
}

/// What an error within an answer says, and what it means. `code` is that of its extensions, where there is one.
struct Said {
    codes: &'static [&'static str],
    words: &'static [&'static str],
    code: &'static str,
    class: FailureClass,
    uncertain: bool,
}

const SAID: &[Said] = &[
    Said {
        codes: &["UNAUTHENTICATED"],
        words: &["unauthenticated", "invalid api key", "access denied"],
        code: UNAUTHENTICATED,
        class: Auth,
        uncertain: false,
    },
    Said {
        codes: &["FORBIDDEN", "UNAUTHORIZED"],
        words: &["not authorized", "not authorised", "not permitted", "permission"],
        code: "consonance.forbidden",
        class: Forbidden,
        uncertain: false,
    },
    Said {
        codes: &["THROTTLED", "RATE_LIMITED"],
        words: &["rate limit", "throttled", "too many requests"],
        code: "consonance.throttled",
        class: Throttled,
        uncertain: false,
    },
    // The sentence of graphql-ruby when a query takes too long.
    Said {
        codes: &["TIMEOUT"],
        words: &["timeout on ", "timed out"],
        code: "consonance.timeout",
        class: Transient,
        uncertain: true,
    },
    Said { codes: &["NOT_FOUND"], words: &["not found"], code: NOT_FOUND, class: Gone, uncertain: false },
    Said {
        codes: &["INTERNAL_SERVER_ERROR"],
        words: &["internal", "something went wrong"],
        code: "consonance.failed",
        class: Transient,
        uncertain: true,
    },
];

/// The failure that the errors of an answer with status 200 stand for; nothing when there are none. Half an answer is none.
pub(super) fn classify_errors(operation: &'static str, effect: Effect, answer: &Value) -> Option<Error> {
    let errors = answer.get("errors").filter(|errors| !errors.is_null())?;
    let list = errors.as_array().map(Vec::as_slice).unwrap_or_default();
    if list.is_empty() && errors.is_array() {
        return None;
    }
    let text = |error: &Value| error.get("message").and_then(Value::as_str).unwrap_or_default().to_owned();
    let said: String = list.iter().map(text).collect::<Vec<_>>().join("; ").chars().take(500).collect();
    let message = format!("answered with errors: {}", without_addresses(&said));
    // Nothing was run: not a field of it is known to the server, or it does not parse.
    let found = list.iter().find_map(meaning);
    if answer.get("data").is_none() && found.is_none() {
        let remedy = "the account's schema differs from what was probed: probe it again and compare";
        return Some(failure(Forbidden, operation, QUERY_REFUSED, message).remedy(remedy));
    }
    let (class, code) = match found {
        Some(said) if said.uncertain && effect == Effect::Once => (UnknownOutcome, said.code),
        Some(said) => (said.class, said.code),
        None => (Invalid, REFUSED),
    };
    let mut error = failure(class, operation, code, message);
    if class == Auth {
        error = error.remedy(CHECK_KEY);
    }
    Some(error)
}

fn meaning(error: &Value) -> Option<&'static Said> {
    let code =
        error.get("extensions").and_then(|more| more.get("code")).and_then(Value::as_str).unwrap_or_default();
    let words = error.get("message").and_then(Value::as_str).unwrap_or_default().to_lowercase();
    let by_code = SAID.iter().find(|said| said.codes.iter().any(|known| known.eq_ignore_ascii_case(code)));
    by_code.or_else(|| SAID.iter().find(|said| said.words.iter().any(|part| words.contains(part))))
}

/// The first fault that a mutation's own list of errors tells, with its field. The vendor's examples name the field in two
/// ways, and give one sentence or several.
pub(super) fn refused_input(operation: &'static str, payload: &Value) -> Option<Error> {
    let first = match payload.get("errors") {
        Some(Value::Array(list)) => list.first()?,
        Some(Value::Null) | None => return None,
        Some(other) => other,
    };
    let field = ["field", "attribute"].iter().find_map(|name| first.get(name)?.as_str());
    let text = match (first.get("message"), first.get("messages"), first) {
        (Some(Value::String(text)), _, _) | (_, _, Value::String(text)) => text.clone(),
        (_, Some(Value::Array(list)), _) => {
            list.iter().filter_map(Value::as_str).collect::<Vec<_>>().join("; ")
        }
        _ => String::new(),
    };
    let text: String = without_addresses(&text).chars().take(300).collect();
    let error = failure(Invalid, operation, REFUSED, format!("the input was refused: {text}"));
    Some(match field {
        Some(field) => error.field(field),
        None => error,
    })
}

/// An answer that is no failure, but not what the call is documented to give.
pub(super) fn unexpected(operation: &'static str, effect: Effect, what: &str) -> Error {
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
    Error::new(class, System::Consonance, operation, code, message)
}

/// A text without addresses in it: a signed one could be among them.
fn without_addresses(text: &str) -> String {
    let words = text.split_inclusive(char::is_whitespace).map(|word| match word.contains("://") {
        true => "… ",
        false => word,
    });
    words.collect::<String>().trim_end().to_owned()
}

pub(super) fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    headers.get(header::RETRY_AFTER)?.to_str().ok()?.trim().parse().ok().map(Duration::from_secs)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn told(answer: &Value, effect: Effect) -> (FailureClass, &'static str) {
        let error = classify_errors("read", effect, answer).unwrap();
        (error.class(), error.code())
    }

    #[test]
    fn errors_with_status_200_are_failures_of_their_kind() {
        let runtime = |message: &str| json!({"data": {"work": null}, "errors": [{"message": message, "path": ["work"]}]});
        let cases = [
            (
                json!({"errors": [{"message": "Field 'x' doesn't exist on type 'Work'"}]}),
                Forbidden,
                QUERY_REFUSED,
            ),
            (runtime("Timeout on Query.works"), Transient, "consonance.timeout"),
            (runtime("Work not found"), Gone, NOT_FOUND),
            (runtime("Internal error"), Transient, "consonance.failed"),
            (runtime("Date must be after signing"), Invalid, REFUSED),
            (
                json!({"data": null, "errors": [{"message": "no", "extensions": {"code": "RATE_LIMITED"}}]}),
                Throttled,
                "consonance.throttled",
            ),
            (json!({"errors": [{"message": "Access denied"}]}), Auth, UNAUTHENTICATED),
            (json!({"errors": "broken"}), Forbidden, QUERY_REFUSED),
        ];
        for (answer, class, code) in cases {
            assert_eq!(told(&answer, Effect::Read), (class, code), "{answer}");
        }
        assert!(classify_errors("read", Effect::Read, &json!({"data": {}})).is_none());
        assert!(classify_errors("read", Effect::Read, &json!({"data": {}, "errors": []})).is_none());
        assert!(classify_errors("read", Effect::Read, &json!({"data": {}, "errors": null})).is_none());
    }

    #[test]
    fn a_write_that_timed_out_may_have_happened() {
        let answer = json!({"data": null, "errors": [{"message": "Timeout on Mutation.createWebLink"}]});
        assert_eq!(told(&answer, Effect::Once).0, UnknownOutcome);
        assert_eq!(told(&answer, Effect::Repeatable).0, Transient);
        let facts =
            |effect| Facts { operation: "write", effect, status: 502, retry_after: None, form: Form::Page };
        assert_eq!(classify(&facts(Effect::Once)).class(), UnknownOutcome);
        assert_eq!(classify(&facts(Effect::Read)).class(), Transient);
    }

    #[test]
    fn refused_input_is_told_by_field_in_each_way_the_vendor_writes_it() {
        for (errors, field) in [
            (json!([{"field": "link", "message": "is not a URL"}]), Some("link")),
            (json!([{"attribute": "link", "message": "is not a URL"}]), Some("link")),
            (json!([{"field": "link", "messages": ["is not a URL", "is too long"]}]), Some("link")),
            (json!(["is not a URL"]), None),
        ] {
            let error = refused_input("link", &json!({"errors": errors})).unwrap();
            assert_eq!((error.class(), error.code(), error.field_name()), (Invalid, REFUSED, field));
            assert!(error.message().contains("is not a URL"), "{error}");
        }
        assert!(refused_input("link", &json!({"errors": []})).is_none());
        assert!(refused_input("link", &json!({"webLink": {"id": 1}})).is_none());
    }

    #[test]
    fn a_signed_address_in_a_sentence_is_not_repeated() {
        let answer = json!({"errors": [{"message": "cannot read https://bucket.example.com/a?X-Amz-Signature=hush now"}]});
        let error = classify_errors("read", Effect::Read, &answer).unwrap();
        assert!(!format!("{error:?}").contains("hush"), "{error:?}");
    }
}
