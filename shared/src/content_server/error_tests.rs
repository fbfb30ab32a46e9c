use std::time::Duration;

use super::{
    error::{COLLISION, Effect, Facts, Form, TABLE, classify},
    settings::Texts,
};
use crate::error::{
    FailureClass::{self, Auth, Conflict, Forbidden, Gone, Invalid, Throttled, Transient, UnknownOutcome},
    Retry,
};

struct Case(u16, Form, &'static str, FailureClass, FailureClass, &'static str);

/// One row per status and sentence the vendor documents or a client was seen to meet:
/// status, body, sentence, class for a read, class for a write that must not be repeated, code.
#[rustfmt::skip]
const CASES: &[Case] = &[
    Case(401, Form::Json, "Authentication Required", Auth, Auth, "content-server.unauthenticated"),
    Case(401, Form::Empty, "", Auth, Auth, "content-server.unauthenticated"),
    Case(400, Form::Json, "Authentication Required", Auth, Auth, "content-server.unauthenticated"),
    Case(500, Form::Json, "Authentication Required", Auth, Auth, "content-server.unauthenticated"),
    Case(401, Form::Json, "Invalid username/password specified.", Auth, Auth, "content-server.credentials-refused"),
    Case(302, Form::Empty, "", Auth, Auth, "content-server.redirected"),
    Case(429, Form::Page, "<html>slow down", Throttled, Throttled, "content-server.throttled"),
    Case(413, Form::Page, "<html>Request Entity Too Large", Invalid, Invalid, "content-server.too-large"),
    Case(408, Form::Empty, "", Transient, UnknownOutcome, "content-server.timeout"),
    Case(502, Form::Page, "<html>Bad Gateway", Transient, UnknownOutcome, "content-server.gateway"),
    Case(503, Form::Page, "<html>Service Unavailable", Transient, UnknownOutcome, "content-server.gateway"),
    Case(504, Form::Json, "endpoint timed out", Transient, UnknownOutcome, "content-server.gateway"),
    Case(200, Form::Page, "<html>Content Server Client Error", Transient, UnknownOutcome, "content-server.not-json"),
    Case(500, Form::Page, "<html>Please try again", Transient, UnknownOutcome, "content-server.not-json"),
    Case(200, Form::Empty, "", Transient, UnknownOutcome, "content-server.empty-answer"),
    Case(204, Form::Empty, "", Transient, UnknownOutcome, "content-server.empty-answer"),
    Case(500, Form::Json, "Error Processing Request", Transient, UnknownOutcome, "content-server.overload"),
    Case(400, Form::Json, "The attribute group 'Claim' already exists", Conflict, Conflict, "content-server.category-exists"),
    Case(500, Form::Json, "An item with the name 'a.txt' already exists.", Conflict, Conflict, "content-server.collision"),
    Case(400, Form::Json, "An item with the name 'a.txt' already exists.", Conflict, Conflict, "content-server.collision"),
    Case(409, Form::Json, "An item with the name 'a.txt' already exists.", Conflict, Conflict, "content-server.collision"),
    Case(500, Form::Json, "An item with the name 'Authentication Required.pdf' already exists.", Conflict, Conflict, "content-server.collision"),
    Case(409, Form::Json, "Could not update metadata (edit conflict).", Conflict, Conflict, "content-server.edit-conflict"),
    Case(409, Form::Json, "", Conflict, Conflict, "content-server.edit-conflict"),
    Case(423, Form::Json, "", Conflict, Conflict, "content-server.reserved"),
    Case(500, Form::Json, "This item is reserved by Another User.", Conflict, Conflict, "content-server.reserved"),
    Case(500, Form::Json, "Could not delete: the item is under hold.", Forbidden, Forbidden, "content-server.record-state"),
    Case(400, Form::Json, "The REST API URL could not be found in the mappings registry", Forbidden, Forbidden, "content-server.module-missing"),
    Case(400, Form::Json, "Sorry, the item you requested could not be accessed.", Forbidden, Forbidden, "content-server.not-accessible"),
    Case(500, Form::Json, "Sorry, the item you requested could not be accessed.", Forbidden, Forbidden, "content-server.not-accessible"),
    Case(500, Form::Json, "Could not get a node for 4711", Forbidden, Forbidden, "content-server.not-accessible"),
    Case(400, Form::Json, "Could not get node for 4711", Forbidden, Forbidden, "content-server.not-accessible"),
    Case(500, Form::Json, "Could not locate node: 4711", Forbidden, Forbidden, "content-server.not-accessible"),
    Case(404, Form::Json, "no exact match was found", Gone, Gone, "content-server.not-found"),
    Case(404, Form::Json, "", Gone, Gone, "content-server.not-found"),
    Case(500, Form::Json, "Insufficient permissions to perform that action.", Forbidden, Forbidden, "content-server.forbidden"),
    Case(403, Form::Json, "", Forbidden, Forbidden, "content-server.forbidden"),
    Case(400, Form::Json, "Could not process object, invalid action 'create'", Forbidden, Forbidden, "content-server.action-refused"),
    Case(500, Form::Json, "Could not process object, invalid action 'browse'", Forbidden, Forbidden, "content-server.action-refused"),
    Case(400, Form::Json, "Error Evaluating Query: syntax", Forbidden, Forbidden, "content-server.bad-query"),
    Case(500, Form::Json, "Invalid block size: File size must be between 1 and 2 bytes.", Invalid, Invalid, "content-server.upload-size"),
    Case(500, Form::Json, "Invalid BlockID: BlockID 3 has already been uploaded.", Conflict, Conflict, "content-server.part-known"),
    Case(500, Form::Json, "Invalid upload key or the upload session expired", Transient, Transient, "content-server.upload-gone"),
    Case(500, Form::Json, "Invalid status. Cannot close an empty or already closed upload.", Conflict, Conflict, "content-server.upload-closed"),
    Case(400, Form::Json, "Missing required parameter 'name'", Invalid, Invalid, "content-server.bad-request"),
    Case(400, Form::Json, "Invalid datatype specified for argument 'id'", Invalid, Invalid, "content-server.bad-request"),
    Case(400, Form::Json, "Too many items specified for parameter 'ids'", Invalid, Invalid, "content-server.bad-request"),
    Case(500, Form::Json, "Subtype 999 is not a root subtype", Transient, Invalid, "content-server.refused"),
    Case(500, Form::Json, "", Transient, UnknownOutcome, "content-server.failed"),
    Case(500, Form::Empty, "", Transient, UnknownOutcome, "content-server.failed"),
    Case(200, Form::Json, "Could not insert into the Hold Disposition table", Invalid, Invalid, "content-server.refused"),
];

#[test]
fn every_documented_status_and_sentence_has_its_class() {
    for Case(status, form, text, read, once, code) in CASES {
        // A write that may be repeated is as certain as a read, but a refusal of it is final.
        let repeatable = if *once == UnknownOutcome { read } else { once };
        for (effect, class) in [(Effect::Read, read), (Effect::Repeatable, repeatable), (Effect::Once, once)]
        {
            let facts =
                Facts { operation: "test", effect, status: *status, retry_after: None, form: *form, text };
            let error = classify(&Texts::default(), &facts);
            assert_eq!(
                (error.class(), error.code()),
                (*class, *code),
                "{status} {form:?} {text:?} {effect:?}"
            );
        }
    }
}

#[test]
fn every_row_of_the_table_is_reached_by_a_case() {
    for row in TABLE {
        assert!(CASES.iter().any(|case| case.5 == row.code), "no case for {}", row.code);
    }
}

#[test]
fn a_pause_the_server_asks_for_is_kept() {
    let facts = Facts {
        operation: "test",
        effect: Effect::Read,
        status: 503,
        retry_after: Some(Duration::from_secs(9)),
        form: Form::Empty,
        text: "",
    };
    assert_eq!(classify(&Texts::default(), &facts).retry_advice(), Retry::After(Duration::from_secs(9)));
}

#[test]
fn an_installation_in_another_language_brings_its_own_sentences() {
    let texts = Texts { already_exists: vec!["existiert bereits".to_owned()], ..Texts::default() };
    let facts = Facts {
        operation: "test",
        effect: Effect::Once,
        status: 500,
        retry_after: None,
        form: Form::Json,
        text: "Ein Objekt mit dem Namen 'a' existiert bereits.",
    };
    assert_eq!(classify(&texts, &facts).code(), COLLISION);
}
