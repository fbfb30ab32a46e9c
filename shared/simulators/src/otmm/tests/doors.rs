//! Logging in in every way, what calls have to show, how sessions end.

use axum::body::Body;
use http::Request;
use serde_json::{Value, json};

use super::{Answer, caller, form, perform, seeded, simulator, wait};
use crate::otmm::settings::{Expired, Full, RequestedBy};
use crate::otmm::{Settings, Simulator, seed};

async fn post_form(simulator: &Simulator, path: &str, pairs: &[(&str, &str)]) -> Answer {
    let request = Request::post(path).header("content-type", "application/x-www-form-urlencoded");
    perform(simulator, request.body(Body::from(form(pairs))).unwrap()).await
}

async fn login(simulator: &Simulator) -> Answer {
    let pairs = [("username", seed::INTEGRATION), ("password", seed::PASSWORD)];
    post_form(simulator, "/otmmapi/v6/sessions", &pairs).await
}

async fn ask(simulator: &Simulator, method: &str, path: &str, headers: &[(&str, String)]) -> Answer {
    let mut request = Request::builder().method(method).uri(path);
    for (name, value) in headers {
        request = request.header(*name, value);
    }
    perform(simulator, request.body(Body::empty()).unwrap()).await
}

fn cookie_of(answer: &Answer) -> String {
    let cookies = answer.headers.get_all("set-cookie").iter().map(|value| value.to_str().unwrap());
    let pairs: Vec<&str> = cookies.map(|cookie| cookie.split(';').next().unwrap()).collect();
    pairs.join("; ")
}

const ME: &str = "/otmmapi/v6/users/me";

#[tokio::test]
async fn otmm_login_gives_a_session_a_digest_and_cookies_and_refuses_in_its_own_words() {
    let simulator = simulator(Settings::default());
    let answer = login(&simulator).await;
    let session = answer.json()["session_resource"]["session"].clone();
    assert_eq!((answer.status, session["login_name"].as_str()), (200, Some(seed::INTEGRATION)));
    assert!(session["id"].is_u64() && session["user_id"].is_string() && session["validation_key"].is_i64());
    assert_eq!(session["message_digest"].as_str().unwrap().len(), 40);
    assert!(cookie_of(&answer).contains("JSESSIONID=") && cookie_of(&answer).contains("ROUTEID="));
    let wrong = [("username", seed::INTEGRATION), ("password", "wrong")];
    let refused = post_form(&simulator, "/otmmapi/v6/sessions", &wrong).await;
    assert_eq!(
        (refused.status, refused.json()["exception_body"]["http_response_code"].as_u64()),
        (401, Some(401))
    );
}

#[tokio::test]
async fn otmm_takes_any_one_of_cookie_digest_and_bearer() {
    let simulator = simulator(Settings::default());
    let answer = login(&simulator).await;
    let session = answer.json()["session_resource"]["session"].clone();
    let digest = session["message_digest"].as_str().unwrap().to_owned();
    let cookie = cookie_of(&answer).replace(".node1;", ".node2;");
    for (name, value) in [
        ("cookie", cookie),
        ("otmmauthtoken", digest.clone()),
        ("authorization", format!("Bearer otmmToken {digest}")),
    ] {
        let answer = ask(&simulator, "GET", ME, &[(name, value)]).await;
        assert_eq!(answer.json()["user_resource"]["user"]["login_name"], seed::INTEGRATION, "{name}");
    }
    for headers in [
        vec![],
        vec![("authorization", "Bearer nothing".to_owned())],
        vec![("cookie", "JSESSIONID=A".to_owned())],
    ] {
        assert_eq!(ask(&simulator, "GET", ME, &headers).await.status, 401);
    }
}

#[tokio::test]
async fn otmm_bearers_come_from_otmm_or_from_the_directory_service_and_end() {
    for tells_expiry in [false, true] {
        let mut settings = Settings::default();
        settings.sessions.token_seconds = 600;
        settings.sessions.tells_expiry = tells_expiry;
        let simulator = simulator(settings);
        let client = [
            ("grant_type", "password"),
            ("username", seed::INTEGRATION),
            ("password", seed::PASSWORD),
            ("client_id", seed::CLIENT_ID),
            ("client_secret", seed::CLIENT_SECRET),
        ];
        let own = post_form(&simulator, "/otmmapi/v6/sessions/oauth2/token", &client).await.json();
        let own = own["token_info"]["oauth_token"].clone();
        assert_eq!(own.get("expiresIn").is_some(), tells_expiry);
        let other = post_form(&simulator, "/otdsws/oauth2/token", &client).await.json();
        assert_eq!(other["expires_in"], 600);
        for token in [&own["accessToken"], &other["access_token"]] {
            let bearer = [("authorization", format!("Bearer {}", token.as_str().unwrap()))];
            assert_eq!(ask(&simulator, "GET", ME, &bearer).await.status, 200);
            // A bearer needs no number of a session beside it.
            let search = ask(&simulator, "POST", "/otmmapi/v6/search/text", &bearer).await;
            assert_eq!(search.status, 200, "{}", search.text());
        }
        wait(&simulator, 601);
        let bearer = [("authorization", format!("Bearer {}", own["accessToken"].as_str().unwrap()))];
        assert_eq!(ask(&simulator, "GET", ME, &bearer).await.status, 401);
        let mut wrong = client;
        wrong[4].1 = "wrong";
        assert_eq!(post_form(&simulator, "/otmmapi/v6/sessions/oauth2/token", &wrong).await.status, 401);
    }
}

#[tokio::test]
async fn otmm_sessions_are_had_for_tickets_while_these_live() {
    let mut settings = Settings::default();
    settings.sessions.ticket_seconds = 60;
    let simulator = simulator(settings);
    let post = async |path: &str, body: Value| {
        let request = Request::post(format!("/otdsws/rest/authentication/{path}"));
        let request = request.header("content-type", "application/json");
        perform(&simulator, request.body(Body::from(body.to_string())).unwrap()).await
    };
    let body = json!({"userName": seed::EDITOR, "password": seed::PASSWORD, "ticketType": "OTDSTICKET"});
    let ticket = post("credentials", body).await.json()["ticket"].as_str().unwrap().to_owned();
    let body = json!({"ticket": ticket, "targetResourceId": "otmm"});
    let ticket = post("resource/ticketforresource", body).await.json()["ticket"].as_str().unwrap().to_owned();
    let by_header = ask(&simulator, "GET", "/otmmapi/v6/sessions", &[("otdstoken", ticket.clone())]).await;
    assert_eq!(by_header.json()["session_resource"]["session"]["login_name"], seed::EDITOR);
    let path = format!("/otmmapi/v6/sessions?{}", form(&[("OTDSTicket", &ticket)]));
    assert_eq!(ask(&simulator, "GET", &path, &[]).await.status, 200);
    wait(&simulator, 61);
    assert_eq!(ask(&simulator, "GET", &path, &[]).await.status, 401);
    assert_eq!(post("credentials", json!({"userName": seed::EDITOR, "password": "wrong"})).await.status, 401);
}

#[tokio::test]
async fn otmm_believes_a_proxy_only_where_it_is_told_to() {
    let proxy = [("x-remote-user", seed::READER.to_owned())];
    for header in [None, Some("x-remote-user".to_owned())] {
        let mut settings = Settings::default();
        settings.sessions.remote_user_header = header.clone();
        let simulator = simulator(settings);
        let answer = ask(&simulator, "GET", "/otmmapi/v6/sessions", &proxy).await;
        assert_eq!(answer.status, if header.is_some() { 200 } else { 401 });
    }
}

#[tokio::test]
async fn otmm_asks_for_the_number_of_the_session_of_nobody_of_writers_or_of_everybody() {
    for (asked, status, read, write) in [
        (RequestedBy::Off, 403, 200, 200),
        (RequestedBy::Writes, 403, 200, 403),
        (RequestedBy::All, 400, 400, 400),
    ] {
        let mut settings = Settings::default();
        settings.sessions.requested_by = asked;
        settings.sessions.requested_by_status = status;
        let simulator = simulator(settings);
        let session = caller(&simulator).session;
        let digest = ("otmmauthtoken", session.digest.clone());
        assert_eq!(ask(&simulator, "GET", ME, std::slice::from_ref(&digest)).await.status, read);
        let search = "/otmmapi/v6/search/text";
        assert_eq!(ask(&simulator, "POST", search, std::slice::from_ref(&digest)).await.status, write);
        let with = [digest.clone(), ("x-requested-by", session.id.to_string())];
        assert_eq!(ask(&simulator, "POST", search, &with).await.status, 200);
        let other = [digest.clone(), ("x-requested-by", "1".to_owned())];
        assert_eq!(ask(&simulator, "POST", search, &other).await.status, write);
        // The oldest interface never did.
        assert_eq!(
            ask(&simulator, "POST", "/otmmapi/v4/search/text", std::slice::from_ref(&digest)).await.status,
            200
        );
        assert_eq!(ask(&simulator, "GET", "/otmmapi/v6/sessions", &[digest]).await.status, 200);
    }
}

#[tokio::test]
async fn otmm_may_want_the_digest_beside_the_cookie_from_the_second_interface_on() {
    let mut settings = Settings::default();
    settings.sessions.writes_need_digest = true;
    let simulator = simulator(settings);
    let session = caller(&simulator).session;
    let mut headers = vec![
        ("cookie", format!("JSESSIONID={}", session.cookie)),
        ("x-requested-by", session.id.to_string()),
    ];
    for (version, status) in [("v4", 200), ("v5", 401), ("v6", 401)] {
        let path = format!("/otmmapi/{version}/search/text");
        assert_eq!(ask(&simulator, "POST", &path, &headers).await.status, status);
    }
    headers.push(("otmmauthtoken", session.digest));
    assert_eq!(ask(&simulator, "POST", "/otmmapi/v5/search/text", &headers).await.status, 200);
}

#[tokio::test]
async fn otmm_sessions_end_without_calls_and_say_so_in_one_of_four_ways() {
    let mut settings = Settings::default();
    settings.sessions.idle_seconds = 60;
    for (expired, status, begins) in [
        (Expired::Unauthorized, 401, "{\"exception_body\""),
        (Expired::Forbidden, 403, "{\"exception_body\""),
        (Expired::Redirect, 302, "<!DOCTYPE html>"),
        (Expired::Page, 200, "<!DOCTYPE html>"),
    ] {
        settings.sessions.expired = expired;
        let simulator = simulator(settings.clone());
        let caller = caller(&simulator);
        for _ in 0..3 {
            // Each call keeps it alive.
            wait(&simulator, 59);
            assert_eq!(
                caller.get("users/me").await.json()["user_resource"]["user"]["login_name"],
                seed::INTEGRATION
            );
        }
        wait(&simulator, 60);
        let answer = caller.get("users/me").await;
        assert_eq!(answer.status, status);
        assert!(answer.text().starts_with(begins), "{}", answer.text());
        assert_eq!(answer.headers.contains_key("location"), status == 302);
    }
}

#[tokio::test]
async fn otmm_digests_may_outlive_their_sessions() {
    let mut settings = Settings::default();
    settings.sessions.digest_survives = true;
    let simulator = simulator(settings);
    let session = caller(&simulator).session;
    wait(&simulator, 1801);
    let by_cookie = ask(&simulator, "GET", ME, &[("cookie", format!("JSESSIONID={}", session.cookie))]).await;
    assert_eq!(by_cookie.status, 401);
    assert_eq!(ask(&simulator, "GET", ME, &[("otmmauthtoken", session.digest)]).await.status, 200);
}

#[tokio::test]
async fn otmm_users_have_so_many_sessions_and_no_more_until_one_is_logged_out() {
    let mut settings = Settings::default();
    settings.sessions.most = Some(2);
    settings.sessions.full_status = 503;
    settings.sessions.logout_status = 204;
    let simulator = simulator(settings.clone());
    let first = login(&simulator).await.json()["session_resource"]["session"].clone();
    login(&simulator).await;
    let refused = login(&simulator).await;
    assert_eq!(refused.status, 503);
    assert!(refused.sentence().contains("maximum number of sessions"));
    let digest = [("otmmauthtoken", first["message_digest"].as_str().unwrap().to_owned())];
    let left = ask(&simulator, "DELETE", "/otmmapi/v6/sessions", &digest).await;
    assert_eq!((left.status, left.bytes.len()), (204, 0));
    assert_eq!(ask(&simulator, "GET", ME, &digest).await.status, 401);
    assert_eq!(login(&simulator).await.status, 200);
    // Those that have ended by themselves do not count.
    wait(&simulator, 1801);
    assert_eq!(login(&simulator).await.status, 200);

    settings.sessions.full = Full::OldestEnds;
    let simulator = self::simulator(settings);
    let sessions: Vec<Value> = {
        let mut all = Vec::new();
        for _ in 0..3 {
            all.push(login(&simulator).await.json()["session_resource"]["session"].clone());
        }
        all
    };
    for (session, status) in sessions.iter().zip([401, 200, 200]) {
        let digest = [("otmmauthtoken", session["message_digest"].as_str().unwrap().to_owned())];
        assert_eq!(ask(&simulator, "GET", ME, &digest).await.status, status);
    }
}

#[tokio::test]
async fn otmm_containers_refuse_json_in_addresses_that_is_not_encoded() {
    let simulator = simulator(Settings::default());
    let caller = caller(&simulator);
    let id = seeded(&simulator, "spring-brief.pdf");
    let raw = "load_type=custom&data_load_request={}";
    let answer = caller.get(&format!("assets/{id}?{raw}")).await;
    assert_eq!(answer.status, 400);
    assert!(answer.text().starts_with("<!DOCTYPE html>"));
    assert_eq!(caller.get("nothing").await.status, 404);
    assert_eq!(simulator.journal().unknown().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn otmm_may_be_slow() {
    let simulator = simulator(Settings { latency_milliseconds: 1500, ..Settings::default() });
    let began = tokio::time::Instant::now();
    login(&simulator).await;
    assert!(began.elapsed().as_millis() >= 1500);
}
