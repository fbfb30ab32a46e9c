use serde_json::json;

use super::{
    Credential, External, NewDocument, NewVersion, NodeId, Settings, Upload,
    testing::{Canned, answer, node, page},
};
use crate::{
    error::{FailureClass, Retry},
    http::Replayable,
};

fn unauthenticated() -> super::testing::Answer {
    answer(401, json!({"error": "Authentication Required"}))
}

fn found(id: i64, name: &str, kind: i64) -> super::testing::Answer {
    answer(200, json!({"links": {}, "results": node(id, name, kind)}))
}

fn letter() -> (NewDocument, Upload) {
    let new = NewDocument {
        parent: NodeId(7001),
        name: "letter.txt".to_owned(),
        description: String::new(),
        external: External { identity: Some("s3://in/letter.txt#1".to_owned()), ..External::default() },
        categories: Vec::new(),
        advanced_versioning: None,
    };
    let upload = Upload {
        content: Replayable::from_bytes("Dear Ada,"),
        ranges: None,
        file_name: "letter.txt".to_owned(),
        content_type: "text/plain".to_owned(),
    };
    (new, upload)
}

#[tokio::test(start_paused = true)]
async fn an_upload_after_a_renewed_ticket_is_never_empty() {
    let version = json!({"results": {"data": {"versions": {"version_number": 2, "file_size": 9}}}});
    let canned = Canned::new([
        unauthenticated(),
        found(9, "letter.txt", 144),
        unauthenticated(),
        answer(200, version),
    ]);
    let client = canned.client();
    let (new, upload) = letter();
    client.create_document(&new, &upload).await.unwrap();
    client.add_version(NodeId(9), &NewVersion::default(), &upload).await.unwrap();
    let asked = canned.asked();
    assert_eq!(asked.iter().map(|asked| asked.ticket.as_str()).collect::<Vec<_>>(), ["t1", "t2", "t2", "t3"]);
    for asked in &asked {
        let body = String::from_utf8(asked.body.clone()).unwrap();
        assert!(body.contains("\r\n\r\nDear Ada,\r\n"), "{body}");
        assert_eq!(asked.headers["content-length"], asked.body.len().to_string());
    }
    assert_eq!(asked[0].body, asked[1].body, "the second attempt sends what the first one sent");
}

#[tokio::test(start_paused = true)]
async fn many_calls_at_once_sign_in_once_and_renew_once() {
    let mut answers: Vec<_> = (0..8).map(|_| unauthenticated()).collect();
    answers.extend((0..8).map(|id| found(id, "x", 0)));
    let canned = Canned::new(answers);
    let client = canned.client();
    let calls = (0..8).map(|id| {
        let client = client.clone();
        async move { client.get_node(NodeId(id)).await }
    });
    let outcomes = futures_util::future::join_all(calls).await;
    assert!(outcomes.iter().all(Result::is_ok), "{outcomes:?}");
    assert_eq!(canned.sign_ins(), 2);
}

#[tokio::test(start_paused = true)]
async fn the_newest_ticket_is_used() {
    let canned = Canned::new([
        found(1, "a", 0).header("OTCSTicket", "newer"),
        found(1, "a", 0),
        unauthenticated(),
        found(1, "a", 0),
    ]);
    let client = canned.client();
    for _ in 0..3 {
        client.get_node(NodeId(1)).await.unwrap();
    }
    let tickets: Vec<_> = canned.asked().into_iter().map(|asked| asked.ticket).collect();
    assert_eq!(tickets, ["t1", "newer", "newer", "t2"]);
}

#[tokio::test(start_paused = true)]
async fn a_ticket_that_is_refused_right_after_signing_in_is_an_auth_failure() {
    let canned = Canned::new([unauthenticated(), unauthenticated()]);
    let error = canned.client().get_node(NodeId(1)).await.unwrap_err();
    assert_eq!((error.class(), error.retry_advice()), (FailureClass::Auth, Retry::Later));
    assert_eq!(canned.sign_ins(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_wrong_password_is_tried_once_and_not_again_for_a_while() {
    let wrong = || answer(401, json!({"error": "Invalid username/password specified."}));
    let canned = Canned::new([wrong(), wrong()]);
    let secret = r#"{"mode":"password","username":"svc","password":"wrong"}"#;
    let client = canned.client_as(Settings::at("http://ecm/cs/cs"), Credential::from_json(secret).unwrap());
    for _ in 0..5 {
        let error = client.get_node(NodeId(1)).await.unwrap_err();
        assert_eq!((error.class(), error.code()), (FailureClass::Auth, "content-server.credentials-refused"));
        assert!(!format!("{error:?}").contains("wrong\""));
    }
    assert_eq!(canned.lines(), ["POST /v1/auth"]);
    tokio::time::advance(std::time::Duration::from_secs(31)).await;
    client.get_node(NodeId(1)).await.unwrap_err();
    assert_eq!(canned.lines().len(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_log_in_form_in_place_of_an_answer_renews_the_session() {
    let form = answer(200, "<html><form action=/otdsws/login><input type=\"password\"></form></html>");
    let canned = Canned::new([form, found(1, "a", 0)]);
    canned.client().get_node(NodeId(1)).await.unwrap();
    assert_eq!(canned.sign_ins(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_directory_token_is_exchanged_for_a_ticket() {
    let canned = Canned::new([
        answer(200, json!({"access_token": "jwt", "token_type": "Bearer", "expires_in": 3600})),
        answer(200, json!({"data": {"id": 1, "name": "svc"}})).header("OTCSTicket", "swapped"),
        found(1, "a", 0),
    ]);
    let secret =
        r#"{"mode":"otds-client","otds_url":"http://otds/otdsws","client_id":"c","client_secret":"hush"}"#;
    let client = canned.client_as(Settings::at("http://ecm/cs/cs"), Credential::from_json(secret).unwrap());
    client.get_node(NodeId(1)).await.unwrap();
    let asked = canned.asked();
    let expected = ["POST /otdsws/oauth2/token", "GET /v1/auth", "GET /v2/nodes/1?fields=properties"];
    assert_eq!(canned.lines(), expected);
    assert_eq!(asked[1].headers["authorization"], "Bearer jwt");
    assert_eq!(asked[2].ticket, "swapped");
    assert!(
        asked
            .iter()
            .flat_map(|asked| asked.headers.get("authorization"))
            .all(http::HeaderValue::is_sensitive)
    );
}

#[tokio::test(start_paused = true)]
async fn a_directory_user_signs_in_with_a_directory_ticket() {
    let canned = Canned::new([
        answer(200, json!({"token": "x", "ticket": "*OTDSSSO*abc", "userId": "u@p"})),
        answer(200, json!({"data": {"id": 1, "name": "svc"}})).header("OTCSTicket", "swapped"),
        found(1, "a", 0),
    ]);
    let secret = r#"{"mode":"otds-user","otds_url":"http://otds/otdsws","username":"u","password":"p"}"#;
    let client = canned.client_as(Settings::at("http://ecm/cs/cs"), Credential::from_json(secret).unwrap());
    client.get_node(NodeId(1)).await.unwrap();
    let asked = canned.asked();
    assert_eq!(asked[0].line(), "POST /otdsws/rest/authentication/credentials");
    assert_eq!(asked[1].headers["otdsticket"], "*OTDSSSO*abc");
    assert_eq!(asked[2].ticket, "swapped");
}

#[tokio::test(start_paused = true)]
async fn a_token_goes_with_every_call_where_the_server_takes_that() {
    let canned = Canned::new([found(1, "a", 0), unauthenticated(), unauthenticated()]);
    let settings = Settings { direct_bearer: true, ..Settings::at("http://ecm/cs/cs") };
    let client =
        canned.client_as(settings, Credential::from_json(r#"{"mode":"bearer","token":"jwt"}"#).unwrap());
    client.get_node(NodeId(1)).await.unwrap();
    assert_eq!(canned.asked()[0].headers["authorization"], "Bearer jwt");
    let error = client.get_node(NodeId(1)).await.unwrap_err();
    assert_eq!(error.class(), FailureClass::Auth, "a token we cannot renew");
}

#[tokio::test(start_paused = true)]
async fn a_write_whose_answer_is_lost_or_unreadable_has_an_unknown_outcome() {
    for lost in [page(200), page(500), page(503), answer(200, ""), answer(204, ""), answer(200, "null")] {
        let canned = Canned::new([lost]);
        let (new, upload) = letter();
        let error = canned.client().create_document(&new, &upload).await.unwrap_err();
        assert_eq!(error.class(), FailureClass::UnknownOutcome, "{error}");
        assert_eq!(canned.lines().len(), 1, "a create is never sent twice by itself");
    }
}

#[tokio::test(start_paused = true)]
async fn a_read_is_tried_again_behind_a_gateway_and_a_pause_is_obeyed() {
    let canned = Canned::new([page(503), answer(429, "{}").header("retry-after", "2"), found(1, "a", 0)]);
    canned.client().get_node(NodeId(1)).await.unwrap();
    assert_eq!(canned.lines().len(), 3);
}
