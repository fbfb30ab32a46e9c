use axum::body::Body;
use base64::Engine as _;
use base64::prelude::{BASE64_STANDARD, BASE64_URL_SAFE_NO_PAD};
use http::Request;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use super::super::settings::{OauthAnswer, TokenHeader};
use super::super::{Settings, Simulator, seed};
use super::{Answer, perform, send, simulator, wait};

/// A call with these headers alone.
async fn with(simulator: &Simulator, headers: &[(&str, &str)]) -> u16 {
    let mut request = Request::get("/API/auth/v1/auth/token/");
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    perform(simulator, request.body(Body::empty()).unwrap()).await.status.as_u16()
}

/// A call of the OAuth endpoint.
async fn oauth(simulator: &Simulator, query: &str, form: &[(&str, &str)]) -> Answer {
    let request = Request::post(format!("/API/auth/v1/oauth/token/{query}"))
        .header("content-type", "application/x-www-form-urlencoded")
        .body(Body::from(serde_urlencoded::to_string(form).unwrap()));
    perform(simulator, request.unwrap()).await
}

const CLIENT: &[(&str, &str)] = &[
    ("grant_type", "client_credentials"),
    ("client_id", seed::CLIENT_ID),
    ("client_secret", seed::CLIENT_SECRET),
];

#[tokio::test]
async fn a_call_needs_both_headers_and_says_why_it_is_refused() {
    let simulator = simulator(Settings::default());
    let (app, token) = (("App-ID", seed::APP_ID), ("Auth-Token", seed::TOKEN));
    assert_eq!(with(&simulator, &[app, token]).await, 200);
    for wrong in [&[app][..], &[token], &[], &[app, ("Auth-Token", "other")], &[("App-ID", "other"), token]] {
        assert_eq!(with(&simulator, wrong).await, 401, "{wrong:?}");
    }
    simulator.with_state(|state| {
        state.settings.credentials.app_id_needed = false;
        state.settings.credentials.unauthorized_text = "Unauthorized".to_owned();
    });
    assert_eq!(with(&simulator, &[token]).await, 200);
    let refused = send(&simulator, "other", "GET", "auth/v1/auth/token/", None).await;
    assert_eq!(refused.json, json!({"errors": ["Unauthorized"]}));
}

#[tokio::test]
async fn a_blocked_user_and_an_expired_personal_token_are_refused() {
    let mut settings = Settings::default();
    settings.credentials.personal_token_seconds = Some(60);
    let simulator = simulator(settings);
    let both = [("App-ID", seed::APP_ID), ("Auth-Token", seed::TOKEN)];
    assert_eq!(with(&simulator, &both).await, 200);
    simulator.with_state(|state| state.users[0].status = "BLOCKED".to_owned());
    assert_eq!(with(&simulator, &both).await, 401);
    simulator.with_state(|state| state.users[0].status = "ACTIVE".to_owned());
    wait(&simulator, 61);
    assert_eq!(with(&simulator, &both).await, 401);
}

#[tokio::test]
async fn a_token_is_checked_copied_refreshed_and_revoked() {
    let simulator = simulator(Settings::default());
    let call =
        async |token: &str, method: &str, path: &str| send(&simulator, token, method, path, None).await;
    let made = call(seed::TOKEN, "POST", "auth/v1/auth/token/?expires_in=100").await;
    assert_eq!(made.status, 201);
    assert_eq!(made.json["expires"], "2031-05-06T07:09:49.000000+00:00");
    let token = made.json["token"].as_str().unwrap();
    let me = call(token, "GET", "users/v1/users/current/").await;
    assert_eq!(
        (&me.json["id"], &me.json["type"], &me.json["status"]),
        (&json!(seed::SERVICE), &json!("STANDARD"), &json!("ACTIVE"))
    );
    wait(&simulator, 90);
    assert_eq!(call(token, "PUT", "auth/v1/auth/token/").await.status, 200);
    wait(&simulator, 90);
    assert_eq!(call(token, "GET", "auth/v1/auth/token/").await.status, 200, "it lives on");
    let listed = call(token, "GET", "auth/v1/auth/tokens/").await;
    assert!(
        listed.json["objects"].as_array().unwrap().iter().all(|shown| shown["token"] == ""),
        "no secret is listed"
    );
    assert_eq!(call(token, "DELETE", "auth/v1/auth/token/").await.status, 204);
    assert_eq!(call(token, "GET", "auth/v1/auth/token/").await.status, 401);
}

#[tokio::test]
async fn an_administrator_mints_personal_tokens_whose_life_the_tenant_sets() {
    let simulator = simulator(Settings::default());
    let path = format!("auth/v1/apps/{}/token/", seed::APP_ID);
    assert_eq!(send(&simulator, seed::TOKEN, "POST", &path, None).await.status, 403);
    let minted = send(&simulator, seed::ADMIN_TOKEN, "POST", &path, None).await;
    assert_eq!((minted.status.as_u16(), &minted.json["expires"]), (201, &Value::Null));
    let setting = Some(json!({"default_app_token_ttl": 3600}));
    let set = send(&simulator, seed::ADMIN_TOKEN, "PATCH", "settings/v1/system/current/", setting).await;
    assert_eq!(set.json["default_app_token_ttl"], 3600);
    let minted = send(&simulator, seed::ADMIN_TOKEN, "POST", &path, None).await;
    assert_eq!(minted.json["expires"], "2031-05-06T08:08:09.000000+00:00");
}

#[tokio::test]
async fn the_legacy_login_gives_an_application_and_a_token() {
    let mut settings = Settings::default();
    settings.credentials.login_token_seconds = 60;
    let simulator = simulator(settings);
    let log_in = async |password: &str| {
        let body = json!({"app_name": "WEB", "email": "editor@example.com", "password": password});
        let request = Request::post("/API/auth/v1/auth/simple/login").body(Body::from(body.to_string()));
        perform(&simulator, request.unwrap()).await
    };
    assert_eq!(log_in("wrong").await.status, 401);
    let answer = log_in(seed::PASSWORD).await;
    assert_eq!(answer.status, 201);
    let text = |name: &str| answer.json[name].as_str().unwrap().to_owned();
    let (app_id, token) = (text("app_id"), text("token"));
    let headers = [("App-ID", app_id.as_str()), ("Auth-Token", token.as_str())];
    assert_eq!(with(&simulator, &headers).await, 200);
    wait(&simulator, 61);
    assert_eq!(with(&simulator, &headers).await, 401);
}

#[tokio::test]
async fn an_oauth_token_comes_in_the_answer_and_goes_in_the_header_that_is_switched_on() {
    let mut settings = Settings::default();
    settings.credentials.oauth_token_seconds = 600;
    let simulator = simulator(settings);
    let answer = oauth(&simulator, "", CLIENT).await;
    assert_eq!((answer.status.as_u16(), &answer.json["expires_in"]), (200, &json!(600)));
    assert_eq!(answer.json["token"], answer.json["access_token"]);
    let token = answer.json["token"].as_str().unwrap().to_owned();
    let bearer = format!("Bearer {token}");
    let own = [("App-ID", seed::CLIENT_ID), ("Auth-Token", token.as_str())];
    for (header, with_own, with_bearer) in
        [(TokenHeader::Either, 200, 200), (TokenHeader::AuthToken, 200, 401), (TokenHeader::Bearer, 401, 200)]
    {
        simulator.with_state(|state| state.settings.credentials.oauth_header = header);
        assert_eq!(with(&simulator, &own).await, with_own, "{header:?}");
        assert_eq!(with(&simulator, &[("Authorization", &bearer)]).await, with_bearer, "{header:?}");
    }
    let personal = format!("Bearer {}", seed::TOKEN);
    assert_eq!(
        with(&simulator, &[("Authorization", &personal)]).await,
        401,
        "a personal token is no bearer token"
    );
    for (kind, token, access) in [(OauthAnswer::Vendor, true, false), (OauthAnswer::Standard, false, true)] {
        simulator.with_state(|state| state.settings.credentials.oauth_answer = kind);
        let answer = oauth(&simulator, "?expires_in=30", CLIENT).await.json;
        assert_eq!(
            (answer["token"].is_string(), answer["access_token"].is_string()),
            (token, access),
            "{answer}"
        );
    }
    wait(&simulator, 601);
    simulator.with_state(|state| state.settings.credentials.oauth_header = TokenHeader::Either);
    assert_eq!(with(&simulator, &own).await, 401);
}

#[tokio::test]
async fn a_refresh_token_works_once_and_wrong_clients_get_none() {
    let simulator = simulator(Settings::default());
    let basic = BASE64_STANDARD.encode(format!("{}:{}", seed::CLIENT_ID, seed::CLIENT_SECRET));
    let request = Request::post("/API/auth/v1/oauth/token/")
        .header("content-type", "application/x-www-form-urlencoded")
        .header("authorization", format!("Basic {basic}"))
        .body(Body::from("grant_type=client_credentials&scope=read"));
    let first = perform(&simulator, request.unwrap()).await.json;
    assert_eq!(first["scope"], "read");
    let refresh = first["refresh_token"].as_str().unwrap().to_owned();
    let again = [
        ("grant_type", "refresh_token"),
        ("client_id", seed::CLIENT_ID),
        ("refresh_token", refresh.as_str()),
    ];
    let second = oauth(&simulator, "", &again).await;
    assert_eq!((second.status.as_u16(), &second.json["scope"]), (200, &json!("read")));
    assert_eq!(oauth(&simulator, "", &again).await.json, json!({"errors": ["invalid_grant"]}));
    for (name, value, status, error) in [
        ("client_secret", "wrong", 401, "invalid_client"),
        ("client_id", seed::APP_ID, 401, "invalid_client"),
        ("grant_type", "password", 400, "unsupported_grant_type"),
    ] {
        let form: Vec<_> =
            CLIENT.iter().map(|(key, old)| (*key, if *key == name { value } else { old })).collect();
        let refused = oauth(&simulator, "", &form).await;
        assert_eq!((refused.status.as_u16(), &refused.json["errors"][0]), (status, &json!(error)));
    }
    simulator.with_state(|state| state.settings.credentials.refresh_tokens = false);
    assert_eq!(oauth(&simulator, "", CLIENT).await.json.get("refresh_token"), None);
}

#[tokio::test]
async fn a_code_is_exchanged_once_by_who_knows_its_verifier() {
    let simulator = simulator(Settings::default());
    let challenge = BASE64_URL_SAFE_NO_PAD.encode(Sha256::digest("a verifier of the client"));
    let query = format!(
        "client_id={}&redirect_uri=http://127.0.0.1/callback&scope=read&response_type=code&state=x\
         &code_challenge={challenge}&code_challenge_method=S256",
        seed::CLIENT_ID
    );
    let path = format!("auth/v1/oauth/authorize/?{query}");
    let described = send(&simulator, seed::EDITOR_TOKEN, "GET", &path, None).await;
    assert_eq!(described.json["user"]["email"], "editor@example.com");
    let code = async || {
        let agreed =
            send(&simulator, seed::EDITOR_TOKEN, "POST", &path, Some(json!({"confirm": true}))).await;
        let place = url::Url::parse(agreed.json["redirect_uri"].as_str().unwrap()).unwrap();
        place.query_pairs().find(|(name, _)| name == "code").unwrap().1.into_owned()
    };
    let exchange = async |code: &str, verifier: &str| {
        let form = [
            ("grant_type", "authorization_code"),
            ("client_id", seed::CLIENT_ID),
            ("code", code),
            ("redirect_uri", "http://127.0.0.1/callback"),
            ("code_verifier", verifier),
        ];
        oauth(&simulator, "", &form).await
    };
    let first = code().await;
    assert_eq!(exchange(&first, "a guess").await.status, 400);
    assert_eq!(exchange(&first, "a verifier of the client").await.status, 400, "a code is used up by trying");
    let second = code().await;
    let issued = exchange(&second, "a verifier of the client").await;
    assert_eq!((issued.status.as_u16(), &issued.json["user_id"]), (200, &json!(seed::EDITOR)));
    let refused = send(&simulator, seed::EDITOR_TOKEN, "POST", &path, None).await;
    assert!(refused.json["redirect_uri"].as_str().unwrap().contains("error=access_denied"));
}
