use http::{HeaderMap, StatusCode, header};
use serde_json::{Value, json};

use super::{
    error::{Effect, Facts, TABLE, classify},
    settings::Texts,
};
use crate::{
    error::{
        Error,
        FailureClass::{
            self, Auth, Conflict, Forbidden, Gone, Invalid, Throttled, Transient, UnknownOutcome,
        },
    },
    http::Form,
};

fn classified(status: u16, form: Form, effect: Effect, answer: &Value) -> Error {
    let status = StatusCode::from_u16(status).unwrap();
    let headers = HeaderMap::new();
    let names = ["CUST.FIELD.NO SUCH", "LOCKED", "a1"];
    let facts = Facts { operation: "test", effect, names: &names, status, headers: &headers, form, answer };
    classify(&Texts::default(), &facts)
}

struct Case(u16, Form, FailureClass, FailureClass, &'static str);

/// status, body, class for a read, class for a write that must not be repeated, code.
#[rustfmt::skip]
const CASES: &[Case] = &[
    Case(401, Form::Words, Auth, Auth, "otmm.unauthenticated"),
    Case(302, Form::Empty, Forbidden, Forbidden, "otmm.redirected"),
    Case(429, Form::Page, Throttled, Throttled, "otmm.throttled"),
    Case(408, Form::Empty, Transient, UnknownOutcome, "otmm.timeout"),
    Case(413, Form::Page, Forbidden, Forbidden, "otmm.too-large"),
    Case(502, Form::Page, Transient, UnknownOutcome, "otmm.gateway"),
    Case(503, Form::Words, Transient, UnknownOutcome, "otmm.gateway"),
    Case(400, Form::Page, Invalid, Invalid, "otmm.refused-by-container"),
    Case(200, Form::Page, Transient, UnknownOutcome, "otmm.not-json"),
    Case(404, Form::Page, Transient, UnknownOutcome, "otmm.not-json"),
    Case(500, Form::Page, Transient, UnknownOutcome, "otmm.not-json"),
    Case(200, Form::Empty, Transient, UnknownOutcome, "otmm.empty-answer"),
    Case(403, Form::Words, Forbidden, Forbidden, "otmm.forbidden"),
    Case(404, Form::Words, Gone, Gone, "otmm.not-found"),
    Case(410, Form::Words, Gone, Gone, "otmm.not-found"),
    Case(405, Form::Words, Forbidden, Forbidden, "otmm.not-offered"),
    Case(409, Form::Words, Conflict, Conflict, "otmm.conflict"),
    Case(412, Form::Words, Conflict, Conflict, "otmm.conflict"),
    Case(416, Form::Empty, Conflict, Conflict, "otmm.content-changed"),
    Case(423, Form::Words, Conflict, Conflict, "otmm.locked"),
    Case(400, Form::Words, Invalid, Invalid, "otmm.refused"),
    Case(500, Form::Empty, Transient, UnknownOutcome, "otmm.failed"),
    Case(500, Form::Words, Forbidden, Forbidden, "otmm.business-error"),
    Case(501, Form::Words, Forbidden, Forbidden, "otmm.not-offered"),
    Case(507, Form::Words, Transient, UnknownOutcome, "otmm.failed"),
];

#[test]
fn every_status_has_its_class_and_every_row_a_case() {
    for Case(status, form, read, once, code) in CASES {
        for (effect, class) in [(Effect::Read, read), (Effect::Repeatable, read), (Effect::Once, once)] {
            let error = classified(*status, *form, effect, &Value::Null);
            assert_eq!((error.class(), error.code()), (*class, *code), "{status} {form:?} {effect:?}");
        }
    }
    for row in TABLE {
        assert!(CASES.iter().any(|case| case.4 == row.code), "no case for {}", row.code);
    }
}

fn said(message: &str) -> Value {
    json!({"exception_body": {"http_response_code": 500, "message": message, "debug_message": "hush", "error_code": 1000}})
}

#[test]
fn a_500_with_a_sentence_is_a_business_error_that_is_not_asked_again_blindly() {
    for (message, class, code) in [
        ("Asset is locked by jane", Conflict, "otmm.locked"),
        ("The file extension 'exe' is restricted", Forbidden, "otmm.restricted-extension"),
        ("The asset a1 does not exist", Gone, "otmm.not-found"),
        ("You do not have permission", Forbidden, "otmm.forbidden"),
        ("The content is larger than MAX_CONTENT_VIEW_SIZE", Forbidden, "otmm.too-large"),
        ("The content is not online", Transient, "otmm.content-offline"),
        ("Server temporarily unavailable", Transient, "otmm.overloaded"),
        ("Invalid value", Invalid, "otmm.refused"),
        ("The value 'locked' isn't in \"No such\" list", Forbidden, "otmm.business-error"),
        ("Something else", Forbidden, "otmm.business-error"),
        // An id that the call named tells nothing, and what merely looks like it does.
        ("The field CUST.FIELD.NO SUCH is not in the model", Forbidden, "otmm.business-error"),
        ("The field LOCKED, a1 and CUST.FIELD.NO SUCH are wrong", Forbidden, "otmm.business-error"),
        ("No such asset: a1", Gone, "otmm.not-found"),
        ("CUST.FIELD.NO SUCHLIKE", Gone, "otmm.not-found"),
    ] {
        let error = classified(500, Form::Words, Effect::Read, &said(message));
        assert_eq!((error.class(), error.code()), (class, code), "{message}");
        assert!(error.message().contains(message) && error.message().contains("(error 1000)"), "{error}");
        assert!(!format!("{error:?}").contains("hush"), "{error:?}");
    }
    let once = classified(500, Form::Words, Effect::Once, &said("The folder does not exist"));
    assert_eq!(once.class(), Invalid, "what was given is wrong; nothing is gone that was there");
    let once = classified(500, Form::Words, Effect::Once, &said("timed out"));
    assert_eq!(once.class(), UnknownOutcome);
}

#[test]
fn a_refusal_that_comes_with_200_or_names_another_status_is_what_it_says() {
    assert_eq!(classified(200, Form::Words, Effect::Read, &said("Something")).code(), "otmm.business-error");
    let inner = json!({"exception_body": {"http_response_code": 404, "message": "Nope"}});
    assert_eq!(classified(500, Form::Words, Effect::Read, &inner).code(), "otmm.not-found");
}

#[test]
fn what_asks_for_a_pause_gets_it() {
    let mut headers = HeaderMap::new();
    headers.insert(header::RETRY_AFTER, "9".parse().unwrap());
    let answer = Value::Null;
    let status = StatusCode::TOO_MANY_REQUESTS;
    let facts = Facts {
        operation: "test",
        effect: Effect::Once,
        names: &[],
        status,
        headers: &headers,
        form: Form::Words,
        answer: &answer,
    };
    let error = classify(&Texts::default(), &facts);
    assert_eq!(error.retry_advice(), crate::error::Retry::After(std::time::Duration::from_secs(9)));
}
