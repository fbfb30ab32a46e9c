use std::time::Duration;

use http::{HeaderMap, StatusCode};
use serde_json::{Value, json};

use super::error::{
    Effect, Facts, Form, STORAGE_TABLE, Said, TABLE, classify, classify_storage, without_queries,
};
use crate::error::{
    FailureClass::{self, Auth, Conflict, Forbidden, Gone, Invalid, Throttled, Transient, UnknownOutcome},
    Retry,
};

struct Case(u16, Form, FailureClass, FailureClass, &'static str);

/// status, body, class for a read, class for a write that must not be repeated, code.
#[rustfmt::skip]
const CASES: &[Case] = &[
    Case(401, Form::Words, Auth, Auth, "iconik.unauthenticated"),
    Case(401, Form::Page, Auth, Auth, "iconik.unauthenticated"),
    Case(302, Form::Empty, Forbidden, Forbidden, "iconik.redirected"),
    Case(308, Form::Words, Forbidden, Forbidden, "iconik.redirected"),
    Case(429, Form::Words, Throttled, Throttled, "iconik.throttled"),
    Case(429, Form::Page, Throttled, Throttled, "iconik.throttled"),
    Case(408, Form::Empty, Transient, UnknownOutcome, "iconik.timeout"),
    Case(413, Form::Page, Invalid, Invalid, "iconik.too-large"),
    Case(502, Form::Page, Transient, UnknownOutcome, "iconik.gateway"),
    Case(503, Form::Empty, Transient, UnknownOutcome, "iconik.gateway"),
    Case(504, Form::Words, Transient, UnknownOutcome, "iconik.gateway"),
    Case(200, Form::Page, Transient, UnknownOutcome, "iconik.not-json"),
    Case(403, Form::Page, Transient, UnknownOutcome, "iconik.not-json"),
    Case(500, Form::Page, Transient, UnknownOutcome, "iconik.not-json"),
    Case(200, Form::Empty, Transient, UnknownOutcome, "iconik.empty-answer"),
    Case(403, Form::Words, Forbidden, Forbidden, "iconik.forbidden"),
    Case(404, Form::Words, Gone, Gone, "iconik.not-found"),
    Case(404, Form::Empty, Gone, Gone, "iconik.not-found"),
    Case(410, Form::Words, Gone, Gone, "iconik.not-found"),
    Case(405, Form::Words, Forbidden, Forbidden, "iconik.not-offered"),
    Case(501, Form::Words, Forbidden, Forbidden, "iconik.not-offered"),
    Case(409, Form::Words, Conflict, Conflict, "iconik.conflict"),
    Case(412, Form::Words, Conflict, Conflict, "iconik.conflict"),
    Case(423, Form::Words, Conflict, Conflict, "iconik.locked"),
    Case(400, Form::Words, Invalid, Invalid, "iconik.refused"),
    Case(400, Form::Empty, Invalid, Invalid, "iconik.refused"),
    Case(415, Form::Words, Invalid, Invalid, "iconik.refused"),
    Case(422, Form::Words, Invalid, Invalid, "iconik.refused"),
    Case(500, Form::Words, Transient, UnknownOutcome, "iconik.failed"),
    Case(500, Form::Empty, Transient, UnknownOutcome, "iconik.failed"),
    Case(507, Form::Words, Transient, UnknownOutcome, "iconik.failed"),
];

fn facts<'a>(status: u16, form: Form, effect: Effect, answer: &'a Value) -> Facts<'a> {
    Facts { operation: "test", effect, status, retry_after: None, form, answer }
}

#[test]
fn every_status_has_its_class() {
    for Case(status, form, read, once, code) in CASES {
        for (effect, class) in [(Effect::Read, read), (Effect::Repeatable, read), (Effect::Once, once)] {
            let error = classify(&facts(*status, *form, effect, &Value::Null));
            assert_eq!((error.class(), error.code()), (*class, *code), "{status} {form:?} {effect:?}");
        }
    }
}

#[test]
fn every_row_of_the_tables_is_reached_by_a_case() {
    for row in TABLE {
        assert!(CASES.iter().any(|case| case.4 == row.code), "no case for {}", row.code);
    }
    for status in 300..600 {
        let (status, headers) = (StatusCode::from_u16(status).unwrap(), HeaderMap::new());
        let error = classify_storage("test", status, &headers);
        assert!(STORAGE_TABLE.iter().any(|row| row.code == error.code()), "{status}");
    }
}

#[test]
fn a_storages_refusals_have_their_class() {
    for (status, class, code) in [
        (403, Forbidden, "iconik.signed-url-refused"),
        (400, Forbidden, "iconik.signed-url-refused"),
        (404, Gone, "iconik.content-missing"),
        (412, Conflict, "iconik.content-changed"),
        (416, Conflict, "iconik.content-changed"),
        (429, Throttled, "iconik.storage-throttled"),
        (503, Throttled, "iconik.storage-throttled"),
        (411, Invalid, "iconik.storage-refused"),
        (500, Transient, "iconik.storage-failed"),
        (301, Forbidden, "iconik.storage-redirected"),
        (408, Transient, "iconik.storage-timeout"),
    ] {
        let error = classify_storage("test", StatusCode::from_u16(status).unwrap(), &HeaderMap::new());
        assert_eq!((error.class(), error.code()), (class, code), "{status}");
    }
}

#[test]
fn both_shapes_of_an_error_are_read_and_a_third_does_no_harm() {
    let said = |answer: Value| Said::of(&answer);
    assert_eq!(said(json!({"errors": ["one", "two"]})).text, "one; two");
    let by_field = said(json!({"errors": {"title": ["Missing data."], "type": "Wrong."}}));
    assert_eq!(by_field.text, "title: Missing data.; type: Wrong.");
    assert_eq!(by_field.field.as_deref(), Some("title"));
    assert_eq!(
        said(json!({"error": "invalid_client", "error_description": "Unknown."})).text,
        "invalid_client; Unknown."
    );
    for odd in [json!({}), json!([]), json!("text"), json!({"errors": null}), json!({"errors": [{"a": 1}]})] {
        assert_eq!(said(odd.clone()).field, None, "{odd}");
    }
    let answer = json!({"errors": {"Expiry Date": "Not a date."}});
    let error = classify(&facts(400, Form::Words, Effect::Repeatable, &answer));
    assert_eq!(error.field_name(), Some("Expiry Date"));
    assert!(error.message().contains("Not a date."));
}

#[test]
fn a_pause_the_server_asks_for_is_kept() {
    let null = Value::Null;
    let asked =
        Facts { retry_after: Some(Duration::from_secs(9)), ..facts(429, Form::Words, Effect::Once, &null) };
    assert_eq!(classify(&asked).retry_advice(), Retry::After(Duration::from_secs(9)));
    let unasked = facts(429, Form::Words, Effect::Once, &null);
    assert_eq!(classify(&unasked).retry_advice(), Retry::Later);
}

#[test]
fn a_signed_address_in_an_error_loses_its_signature() {
    let answer = json!({"errors": ["cannot read https://b.s3.amazonaws.com/k?X-Amz-Signature=hush now"]});
    let error = classify(&facts(400, Form::Words, Effect::Read, &answer));
    let shown = format!("{error:?}");
    assert!(!shown.contains("hush") && shown.contains("https://b.s3.amazonaws.com/k?… now"), "{shown}");
    assert_eq!(without_queries("a? b://c"), "a? b://c");
}
