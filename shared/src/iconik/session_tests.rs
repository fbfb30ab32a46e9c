use std::time::Duration;

use serde_json::json;

use super::{
    AssetId, Credential, OauthHeader, Settings,
    testing::{Answer, BASE, Canned, answer, page},
};
use crate::error::{FailureClass, Retry};

fn asset() -> Answer {
    answer(200, json!({"id": "a", "title": "Trailer"}))
}

fn unauthenticated() -> Answer {
    answer(401, json!({"errors": ["Token is invalid or has expired"]}))
}

fn id() -> AssetId {
    AssetId::new("a")
}

#[tokio::test(start_paused = true)]
async fn an_application_token_is_shown_with_every_call_and_never_without_its_application() {
    let canned = Canned::new([asset()]);
    canned.client().get_asset(&id()).await.unwrap();
    let asked = canned.asked().remove(0);
    assert_eq!((asked.header("app-id"), asked.header("auth-token")), ("app", "hush"));
    assert_eq!(asked.target, "assets/v1/assets/a/?include_collections=true&include_users=true");
    assert_eq!(canned.tokens_asked(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_refused_application_token_is_shown_once_and_again_only_when_it_has_changed_or_time_has_passed() {
    let canned = Canned::new([unauthenticated(), asset(), unauthenticated()]);
    let client = canned.client();
    let error = client.get_asset(&id()).await.unwrap_err();
    assert_eq!((error.class(), error.code()), (FailureClass::Auth, "iconik.unauthenticated"));
    assert!(client.is_refused().await);
    // Nothing is sent meanwhile.
    let error = client.get_asset(&id()).await.unwrap_err();
    assert_eq!((error.class(), canned.asked().len()), (FailureClass::Auth, 1));
    let secret = r#"{"mode":"application-token","app_id":"app","auth_token":"new"}"#;
    client.change_credential(Credential::from_json(secret).unwrap()).await;
    client.get_asset(&id()).await.unwrap();
    assert_eq!(canned.asked().remove(1).header("auth-token"), "new");
    assert!(!client.is_refused().await);
    client.get_asset(&id()).await.unwrap_err();
    tokio::time::sleep(Duration::from_secs(31)).await;
    assert!(client.is_refused().await);
}

#[tokio::test(start_paused = true)]
async fn one_token_is_fetched_however_many_calls_need_it_and_renewed_once_when_it_is_refused() {
    let mut answers: Vec<Answer> = (0..8).map(|_| asset()).collect();
    answers.push(unauthenticated());
    answers.push(asset());
    let canned = Canned::new(answers);
    let client = canned.oauth_client(Settings::at(BASE));
    let calls = (0..8).map(|_| async { client.get_asset(&id()).await });
    for outcome in futures_util::future::join_all(calls).await {
        outcome.unwrap();
    }
    assert_eq!(canned.tokens_asked(), 1);
    client.get_asset(&id()).await.unwrap();
    assert_eq!(canned.tokens_asked(), 2);
    let asked = canned.asked();
    assert_eq!((asked[8].header("auth-token"), asked[9].header("auth-token")), ("t1", "t2"));
}

#[tokio::test(start_paused = true)]
async fn a_token_is_renewed_before_it_ends() {
    let canned = Canned::new([asset(), asset(), asset()]).tokens([
        answer(200, json!({"access_token": "a1", "token_type": "bearer", "expires_in": 120})),
        answer(200, json!({"token": "a2", "expires": "2031-05-06 08:00:00"})),
    ]);
    let client = canned.oauth_client(Settings::at(BASE));
    client.get_asset(&id()).await.unwrap();
    tokio::time::sleep(Duration::from_secs(61)).await;
    client.get_asset(&id()).await.unwrap();
    tokio::time::sleep(Duration::from_secs(52 * 60)).await;
    client.get_asset(&id()).await.unwrap();
    let shown: Vec<String> =
        canned.asked().iter().map(|asked| asked.header("auth-token").to_owned()).collect();
    assert_eq!(shown, ["a1", "a2", "t3"]);
}

#[tokio::test(start_paused = true)]
async fn a_token_by_oauth_is_shown_as_the_setting_says() {
    for (how, headers) in [
        (OauthHeader::AuthToken, ["app", "t1", ""]),
        (OauthHeader::Bearer, ["", "", "Bearer t1"]),
        (OauthHeader::Both, ["app", "t1", "Bearer t1"]),
    ] {
        let canned = Canned::new([asset()]);
        let settings = Settings { oauth_header: how, ..Settings::at(BASE) };
        canned.oauth_client(settings).get_asset(&id()).await.unwrap();
        let asked = canned.asked().remove(0);
        let shown = ["app-id", "auth-token", "authorization"].map(|name| asked.header(name).to_owned());
        assert_eq!(shown, headers, "{how:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_refused_oauth_client_is_not_tried_again_at_once_and_its_secret_is_not_told() {
    for refusal in [answer(400, json!({"error": "invalid_client"})), unauthenticated()] {
        let canned = Canned::new([]).tokens([refusal]);
        let client = canned.oauth_client(Settings::at(BASE));
        for _ in 0..2 {
            let error = client.get_asset(&id()).await.unwrap_err();
            assert_eq!((error.class(), error.retry_advice()), (FailureClass::Auth, Retry::Later));
            assert!(!format!("{error:?}").contains("hush"));
        }
        assert_eq!((canned.tokens_asked(), canned.asked().len()), (1, 0));
    }
}

#[tokio::test(start_paused = true)]
async fn a_door_that_is_out_of_order_is_no_refusal() {
    let canned = Canned::new([asset()]).tokens([page(502), page(502), page(502)]);
    let client = canned.oauth_client(Settings::at(BASE));
    let error = client.get_asset(&id()).await.unwrap_err();
    assert_eq!(error.class(), FailureClass::Transient);
    assert!(!client.is_refused().await);
    client.get_asset(&id()).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_401_for_ever_ends_after_one_renewal() {
    let canned = Canned::new([unauthenticated(), unauthenticated()]);
    let client = canned.oauth_client(Settings::at(BASE));
    let error = client.get_asset(&id()).await.unwrap_err();
    assert_eq!((error.class(), canned.asked().len(), canned.tokens_asked()), (FailureClass::Auth, 2, 2));
    assert!(client.is_refused().await);
}
