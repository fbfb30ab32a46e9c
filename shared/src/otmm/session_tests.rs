use std::time::Duration;

use serde_json::json;

use super::{
    AssetId, Credential, Load, Settings,
    testing::{Answer, BASE, Canned, DIRECTORY, answer, asset, nothing, page, refusal, session},
};
use crate::error::{FailureClass, Retry};

fn trailer() -> Answer {
    asset(&json!({}), &[], &[])
}

fn id() -> AssetId {
    AssetId::new("a1")
}

fn with_directory() -> Settings {
    let mut settings = Settings::at(BASE);
    settings.session.directory_url = DIRECTORY.to_owned();
    settings
}

#[tokio::test(start_paused = true)]
async fn one_session_is_opened_however_many_calls_need_it_and_shown_in_every_way_that_counts() {
    let canned = Canned::new((0..8).map(|_| trailer()));
    let client = canned.client();
    let calls = (0..8).map(|_| async { client.get_asset(&id(), Load::State).await });
    for outcome in futures_util::future::join_all(calls).await {
        outcome.unwrap();
    }
    let opening = canned.openings();
    assert_eq!((opening.len(), opening[0].line().as_str()), (1, "POST sessions"));
    assert_eq!(opening[0].body, b"username=svc&password=hush-hush");
    for asked in canned.asked() {
        let shown =
            ["cookie", "otmmauthtoken", "x-requested-by", "authorization"].map(|name| asked.header(name));
        assert_eq!(shown, ["JSESSIONID=s1.node1", "digest1", "1", ""]);
    }
}

#[tokio::test(start_paused = true)]
async fn a_session_that_ended_is_opened_once_more_in_whatever_way_that_is_said() {
    let said = [
        answer(401, json!({})),
        nothing(302).header("location", "/otds/login"),
        page(200),
        refusal(401, "The session has expired"),
    ];
    for said in said {
        let canned = Canned::new([trailer(), said, trailer()]);
        let client = canned.client();
        client.get_asset(&id(), Load::State).await.unwrap();
        client.get_asset(&id(), Load::State).await.unwrap();
        let asked = canned.asked();
        assert_eq!((canned.openings().len(), asked[2].header("x-requested-by")), (2, "2"));
        assert_eq!(asked[2].header("cookie"), "JSESSIONID=s2.node1", "nothing of the old one");
    }
}

#[tokio::test(start_paused = true)]
async fn a_403_is_taken_for_the_end_of_a_session_only_when_it_was_idle_for_a_while() {
    let forbidden = || refusal(403, "No");
    let canned = Canned::new([trailer(), forbidden(), forbidden(), trailer(), forbidden(), forbidden()]);
    let client = canned.client();
    client.get_asset(&id(), Load::State).await.unwrap();
    let error = client.get_asset(&id(), Load::State).await.unwrap_err();
    assert_eq!((error.class(), error.code()), (FailureClass::Forbidden, "otmm.forbidden"));
    tokio::time::sleep(Duration::from_secs(300)).await;
    client.get_asset(&id(), Load::State).await.unwrap();
    assert_eq!(canned.openings().len(), 2);
    tokio::time::sleep(Duration::from_secs(300)).await;
    let error = client.get_asset(&id(), Load::State).await.unwrap_err();
    assert_eq!((error.code(), canned.openings().len()), ("otmm.forbidden", 3));
}

#[tokio::test(start_paused = true)]
async fn a_401_for_ever_ends_after_one_opening_and_is_not_knocked_at_again_for_a_while() {
    let canned = Canned::new([answer(401, json!({})), answer(401, json!({}))]);
    let client = canned.client();
    let error = client.get_asset(&id(), Load::State).await.unwrap_err();
    assert_eq!((error.class(), error.code()), (FailureClass::Auth, "otmm.unauthenticated"));
    assert_eq!((canned.asked().len(), canned.openings().len()), (2, 2));
    assert!(client.is_refused().await);
    client.get_asset(&id(), Load::State).await.unwrap_err();
    assert_eq!((canned.asked().len(), canned.openings().len()), (2, 2));
}

#[tokio::test(start_paused = true)]
async fn a_wrong_password_is_shown_once_told_without_it_and_a_corrected_one_opens_the_door() {
    for status in [401, 403] {
        let canned = Canned::new([trailer()]).doors([refusal(status, "Bad credentials")]);
        let client = canned.client();
        for _ in 0..3 {
            let error = client.get_asset(&id(), Load::State).await.unwrap_err();
            assert_eq!((error.class(), error.retry_advice()), (FailureClass::Auth, Retry::Later));
            assert!(!format!("{error:?}").contains("hush"), "{error:?}");
        }
        assert_eq!(canned.openings().len(), 1);
        let secret = r#"{"mode":"password","username":"svc","password":"other"}"#;
        client.change_credential(Credential::from_json(secret).unwrap()).await;
        client.get_asset(&id(), Load::State).await.unwrap();
        assert!(!client.is_refused().await);
    }
}

#[tokio::test(start_paused = true)]
async fn a_door_that_is_out_of_order_or_full_is_no_refusal() {
    for out in [page(200), page(500), refusal(500, "Too many sessions"), nothing(200), answer(200, json!({}))]
    {
        let canned = Canned::new([trailer()]).doors([out]);
        let client = canned.client();
        let error = client.get_asset(&id(), Load::State).await.unwrap_err();
        assert_eq!(error.class(), FailureClass::Transient, "{error:?}");
        assert!(!client.is_refused().await);
        client.get_asset(&id(), Load::State).await.unwrap();
    }
}

#[tokio::test(start_paused = true)]
async fn a_page_in_place_of_the_answer_to_what_must_not_be_repeated_repeats_nothing() {
    let parent = AssetId::new("f1");
    let new = super::NewFolder { name: "New".to_owned(), ..super::NewFolder::default() };
    let canned = Canned::new([page(200)]);
    let error = canned.client().create_folder(&parent, &new).await.unwrap_err();
    assert_eq!((error.class(), error.code()), (FailureClass::UnknownOutcome, "otmm.not-json"));
    assert_eq!(canned.asked().len(), 1);
    // One to sign in with shows that nothing was done.
    let login = answer(200, "<html><form><input type=\"password\"></form></html>")
        .header("content-type", "text/html");
    let made = answer(200, json!({"folder_resource": {"folder": {"asset_id": "f2", "name": "New"}}}));
    let canned = Canned::new([login, made]);
    assert_eq!(canned.client().create_folder(&parent, &new).await.unwrap().id, AssetId::new("f2"));
    assert_eq!(canned.openings().len(), 2);
}

#[tokio::test(start_paused = true)]
async fn the_directory_gives_a_ticket_that_opens_a_session_in_either_place() {
    let secret = r#"{"mode":"directory-ticket","username":"svc","password":"hush-hush"}"#;
    for in_query in [false, true] {
        let mut settings = with_directory();
        settings.session.directory_resource = "r-1".to_owned();
        if in_query {
            settings.session.directory_ticket_in = super::TicketPlace::Query;
        }
        let doors = [
            answer(200, json!({"ticket": "*OTDS*1"})),
            answer(200, json!({"ticket": "*OTDS*2"})),
            session(9),
        ];
        let canned = Canned::new([trailer()]).doors(doors);
        canned.client_as(settings, secret).get_asset(&id(), Load::State).await.unwrap();
        let openings = canned.openings();
        let base = format!("POST {DIRECTORY}/otdsws/rest/authentication");
        assert_eq!(openings[0].line(), format!("{base}/credentials"));
        assert_eq!(openings[0].json()["ticketType"], "OTDSTICKET");
        assert_eq!(openings[1].line(), format!("{base}/resource/ticketforresource"));
        assert_eq!(openings[1].json(), json!({"ticket": "*OTDS*1", "targetResourceId": "r-1"}));
        let (line, header) =
            if in_query { ("GET sessions?OTDSTicket=*OTDS*2", "") } else { ("GET sessions", "*OTDS*2") };
        assert_eq!((openings[2].line().as_str(), openings[2].header("otdstoken")), (line, header));
        assert_eq!(canned.asked()[0].header("x-requested-by"), "9");
    }
}

#[tokio::test(start_paused = true)]
async fn tokens_are_shown_as_bearers_renewed_before_they_end_and_refresh_tokens_go_on() {
    let by_otmm = r#"{"mode":"oauth-password","username":"u","password":"hush","client_id":"c","client_secret":"hush"}"#;
    let token = answer(200, json!({"token_info": {"oauth_token": {"accessToken": "t1"}}}));
    let canned = Canned::new([trailer()]).doors([token]);
    canned.client_as(Settings::at(BASE), by_otmm).get_asset(&id(), Load::State).await.unwrap();
    assert_eq!(canned.openings()[0].line(), "POST sessions/oauth2/token");
    let asked = canned.asked().remove(0);
    assert_eq!([asked.header("authorization"), asked.header("x-requested-by")], ["Bearer t1", ""]);

    let by_refresh = r#"{"mode":"oauth-refresh","client_id":"c","refresh_token":"r0"}"#;
    let token = |number: u32| {
        answer(
            200,
            json!({"access_token": format!("t{number}"), "expires_in": 120, "refresh_token": format!("r{number}")}),
        )
    };
    let canned = Canned::new([trailer(), trailer()]).doors([token(1), token(2)]);
    let client = canned.client_as(with_directory(), by_refresh);
    client.get_asset(&id(), Load::State).await.unwrap();
    tokio::time::sleep(Duration::from_secs(61)).await;
    client.get_asset(&id(), Load::State).await.unwrap();
    let bodies: Vec<String> =
        canned.openings().iter().map(|asked| String::from_utf8(asked.body.clone()).unwrap()).collect();
    assert!(bodies[0].contains("refresh_token=r0") && bodies[1].contains("refresh_token=r1"), "{bodies:?}");
    assert_eq!(canned.asked()[1].header("authorization"), "Bearer t2");
}

#[tokio::test(start_paused = true)]
async fn a_token_opens_a_session_too_where_calls_need_its_number() {
    let secret = r#"{"mode":"oauth-client","client_id":"c","client_secret":"hush"}"#;
    let mut settings = with_directory();
    settings.session.token_opens_session = true;
    let canned = Canned::new([trailer()]).doors([answer(200, json!({"access_token": "t1"})), session(7)]);
    canned.client_as(settings, secret).get_asset(&id(), Load::State).await.unwrap();
    assert_eq!(canned.openings()[1].header("authorization"), "Bearer t1");
    let asked = canned.asked().remove(0);
    assert_eq!([asked.header("authorization"), asked.header("x-requested-by")], ["Bearer t1", "7"]);
    // Without the directory's address nobody is asked.
    let canned = Canned::new([]);
    let error = canned.client_as(Settings::at(BASE), secret).login().await.unwrap_err();
    assert_eq!((error.code(), canned.openings().len()), ("otmm.not-configured", 0));
}

#[tokio::test(start_paused = true)]
async fn a_session_is_given_back_and_another_opened_when_it_is_needed_again() {
    let canned = Canned::new([trailer(), nothing(200), trailer()]);
    let client = canned.client();
    client.logout().await.unwrap();
    assert_eq!(client.login().await.unwrap().login_name.as_deref(), Some("svc"));
    client.get_asset(&id(), Load::State).await.unwrap();
    client.logout().await.unwrap();
    client.logout().await.unwrap();
    let asked = canned.asked();
    assert_eq!((asked[1].line().as_str(), asked[1].header("otmmauthtoken")), ("DELETE sessions", "digest1"));
    client.get_asset(&id(), Load::State).await.unwrap();
    assert_eq!(canned.openings().len(), 2);
}
