//! Logging in, tokens and who may do what.

use axum::body::Body;
use http::Request;

use super::{Answer, call, get, perform, seeded, simulator, wait};
use crate::preservica::{Settings, Simulator, seed};

async fn post_form(simulator: &Simulator, path: &str, token: Option<&str>, form: &str) -> Answer {
    let request = Request::post(path).header("content-type", "application/x-www-form-urlencoded");
    let request = match token {
        Some(token) => request.header("Preservica-Access-Token", token),
        None => request,
    };
    perform(simulator, request.body(Body::from(form.to_owned())).unwrap()).await
}

fn login_form(password: &str) -> String {
    format!("username={}&password={password}&tenant=demo&includeUserDetails=true", seed::OPERATOR)
}

const LOGIN: &str = "/api/accesstoken/login";

#[tokio::test]
async fn preservica_login_answers_as_documented_and_refuses_in_json() {
    let simulator = simulator(Settings::default());
    let answer = post_form(&simulator, LOGIN, None, &login_form(seed::PASSWORD)).await;
    let json = answer.json();
    assert_eq!(
        (answer.status, json["validFor"].as_u64(), json["tenant"].as_str()),
        (200, Some(15), Some("DEMO"))
    );
    assert_eq!(json["token"].as_str().unwrap().len(), 36);
    let refused = post_form(&simulator, LOGIN, None, &login_form("wrong")).await;
    assert_eq!((refused.status, refused.json()["success"].as_bool()), (401, Some(false)));
    let other = login_form(seed::PASSWORD).replace("tenant=demo", "tenant=other");
    assert_eq!(post_form(&simulator, LOGIN, None, &other).await.status, 401);
}

#[tokio::test]
async fn preservica_tokens_end_in_time_are_taken_in_two_headers_and_refreshed_once() {
    let simulator = simulator(Settings::default());
    let json = post_form(&simulator, LOGIN, None, &login_form(seed::PASSWORD)).await.json();
    let (token, refresh) = (json["token"].as_str().unwrap(), json["refresh-token"].as_str().unwrap());
    let ask = async |header: &str, value: String| {
        let request = Request::get("/api/user/details").header(header, value);
        perform(&simulator, request.body(Body::empty()).unwrap()).await.status
    };
    assert_eq!(ask("Preservica-Access-Token", token.to_owned()).await, 200);
    assert_eq!(ask("Authorization", format!("Bearer {token}")).await, 200);
    assert_eq!(ask("X-Other", token.to_owned()).await, 401);
    let form = format!("refreshToken={refresh}");
    let path = "/api/accesstoken/refresh";
    let renewed = post_form(&simulator, path, Some(token), &form).await;
    assert_eq!(renewed.status, 200);
    assert_eq!(post_form(&simulator, path, Some(token), &form).await.status, 401, "single use");
    assert_eq!(ask("Preservica-Access-Token", token.to_owned()).await, 200, "many live at a time");
    wait(&simulator, 901);
    assert_eq!(ask("Preservica-Access-Token", token.to_owned()).await, 401);
}

#[tokio::test]
async fn preservica_asks_for_a_second_factor_where_it_is_switched_on() {
    let mut settings = Settings::default();
    settings.sessions.two_factor = true;
    let simulator = simulator(settings);
    let answer = post_form(&simulator, LOGIN, None, &login_form(seed::PASSWORD)).await;
    let json = answer.json();
    assert_eq!((answer.status, json["message"].as_str()), (401, Some("needs.2fa")));
    let continuation = json["continuationToken"].as_str().unwrap().replace('|', "%7C");
    let code = simulator.with_state(|state| state.second_factor(seed::OPERATOR)).unwrap();
    for (code, status) in [("000000x", 401), (code.as_str(), 200)] {
        let form = format!(
            "username={}&continuationToken={continuation}&tenant=DEMO&twoFactorToken={code}",
            seed::OPERATOR
        );
        let answer = post_form(&simulator, "/api/accesstoken/complete-2fa", None, &form).await;
        assert_eq!(answer.status, status, "{}", answer.text);
    }
}

#[tokio::test]
async fn preservica_lets_readers_read_and_only_managers_manage() {
    let simulator = simulator(Settings::default());
    let spring = seeded(&simulator, "Spring launch");
    let path = format!("/api/entity/information-objects/{spring}/identifiers");
    assert_eq!(call(&simulator, seed::READER, "GET", &path, "").await.status, 200);
    let body =
        "<Identifier xmlns=\"http://preservica.com/XIP/v9.1\"><Type>t</Type><Value>v</Value></Identifier>";
    assert_eq!(call(&simulator, seed::READER, "POST", &path, body).await.status, 403);
    let hooks = "/api/webhook/subscriptions";
    assert_eq!(get(&simulator, hooks).await.status, 403);
    assert_eq!(call(&simulator, seed::MANAGER, "GET", hooks, "").await.json(), serde_json::json!([]));
    assert_eq!(get(&simulator, "/api/nothing").await.status, 404);
    assert_eq!(simulator.journal().unknown().len(), 1);
}
