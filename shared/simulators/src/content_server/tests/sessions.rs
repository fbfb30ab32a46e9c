use jiff::SignedDuration;
use serde_json::json;

use super::super::settings::{TicketExpiry, Unauthenticated};
use super::super::{Settings, seed};
use super::{Caller, read};
use axum::body::Body;
use http::Request;

async fn who(caller: &Caller, header: &str, value: &str) -> u16 {
    let request = Request::get("/cs/cs/api/v1/auth/").header(header, value).body(Body::empty()).unwrap();
    read(caller.send(request).await).await.status
}

#[tokio::test]
async fn a_log_in_gives_a_ticket_and_every_answer_a_fresh_one_while_the_old_stays_good() {
    let caller = Caller::new(Settings::default());
    let form = [("username", "waybill"), ("password", seed::PASSWORD)];
    let answer = caller.call("POST", "v1/auth", &form).await;
    let ticket = answer.json["ticket"].as_str().unwrap().to_owned();
    caller.simulator.clock().advance(SignedDuration::from_secs(1));
    let request =
        Request::get("/otcs/cs.exe/api/v2/nodes/3001").header("otcsticket", &ticket).body(Body::empty());
    let fresh = caller.send(request.unwrap()).await.headers()["OTCSTicket"].to_str().unwrap().to_owned();
    assert_ne!(ticket, fresh);
    for ticket in [&ticket, &fresh] {
        assert_eq!(who(&caller, "OTCSTICKET", ticket).await, 200);
        assert_eq!(who(&caller, "LLCookie", ticket).await, 200);
        assert_eq!(who(&caller, "Cookie", &format!("other=1; LLCookie={ticket}")).await, 200);
    }
}

#[tokio::test]
async fn a_sliding_ticket_dies_of_age_and_its_successors_live_on() {
    let caller = Caller::new(Settings { ticket_lifetime_seconds: 60, ..Settings::default() });
    let mut newest = caller.ticket.clone();
    for _ in 0..5 {
        caller.simulator.clock().advance(SignedDuration::from_secs(40));
        newest = caller.simulator.with_state(|state| state.check_ticket(&newest)).unwrap().1;
    }
    assert_eq!(who(&caller, "OTCSTicket", &caller.ticket).await, 401);
    assert_eq!(who(&caller, "OTCSTicket", &newest).await, 200);
}

#[tokio::test]
async fn an_absolute_session_ends_however_busy_it_was() {
    let expiry = TicketExpiry::Absolute;
    let caller =
        Caller::new(Settings { ticket_expiry: expiry, ticket_lifetime_seconds: 60, ..Settings::default() });
    let mut newest = caller.ticket.clone();
    for _ in 0..5 {
        caller.simulator.clock().advance(SignedDuration::from_secs(11));
        newest = caller.simulator.with_state(|state| state.check_ticket(&newest)).unwrap().1;
    }
    caller.simulator.clock().advance(SignedDuration::from_secs(5));
    assert_eq!(who(&caller, "OTCSTicket", &newest).await, 401);
}

#[tokio::test]
async fn garbage_and_tickets_of_another_server_are_refused() {
    let caller = Caller::new(Settings::default());
    let other = Caller::new(Settings { seed: 2, ..Settings::default() });
    let request =
        Request::get("/cs/cs/api/v2/nodes/2000").header("OTCSTicket", &other.ticket).body(Body::empty());
    let answer = read(caller.send(request.unwrap()).await).await;
    assert_eq!((answer.status, answer.json), (401, json!({"error": "Authentication Required"})));
    assert_eq!(who(&caller, "OTCSTicket", "garbage").await, 401);
    caller.switch(|settings| settings.unauthenticated = Unauthenticated::LoginPage);
    let request = Request::get("/cs/cs/api/v2/nodes/2000").body(Body::empty()).unwrap();
    let answer = read(caller.send(request).await).await;
    assert_eq!(
        (answer.status, &answer.headers["content-type"]),
        (200, &"text/html; charset=UTF-8".parse().unwrap())
    );
}

#[tokio::test]
async fn a_log_out_ends_the_session_and_all_its_tickets() {
    let caller = Caller::new(Settings::default());
    assert_eq!(caller.call("DELETE", "v1/auth", &[]).await.status, 200);
    assert_eq!(caller.get("v2/nodes/2000").await.status, 401);
}

#[tokio::test]
async fn a_bearer_token_is_exchanged_and_used_directly_only_when_that_is_on() {
    let caller = Caller::new(Settings::default());
    let form = format!(
        "grant_type=client_credentials&client_id={}&client_secret={}",
        seed::CLIENT_ID,
        seed::CLIENT_SECRET
    );
    let request = Request::post("/otdsws/oauth2/token")
        .header("content-type", "application/x-www-form-urlencoded")
        .body(Body::from(form))
        .unwrap();
    let answer = read(caller.send(request).await).await;
    let bearer = format!("Bearer {}", answer.json["access_token"].as_str().unwrap());
    assert_eq!(who(&caller, "Authorization", &bearer).await, 200);
    let direct =
        || Request::get("/cs/cs/api/v2/nodes/3001").header("Authorization", &bearer).body(Body::empty());
    assert_eq!(caller.send(direct().unwrap()).await.status(), 401);
    caller.switch(|settings| settings.direct_directory_tokens = true);
    assert_eq!(caller.send(direct().unwrap()).await.status(), 200);
    caller.simulator.clock().advance(SignedDuration::from_secs(3600));
    assert_eq!(caller.send(direct().unwrap()).await.status(), 401);
}

#[tokio::test]
async fn wrong_credentials_are_told_apart_from_missing_ones() {
    let caller = Caller::new(Settings::default());
    let wrong = caller.call("POST", "v1/auth", &[("username", "waybill"), ("password", "x")]).await;
    assert_eq!(
        (wrong.status, wrong.json["error"].as_str()),
        (401, Some("Invalid username/password specified."))
    );
    let missing = caller.call("POST", "v1/auth", &[("username", "waybill")]).await;
    assert_eq!(
        (missing.status, missing.json["error"].as_str()),
        (500, Some("Argument password is required."))
    );
}
