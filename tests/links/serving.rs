//! The function, as somebody with a link meets it.

use std::{collections::BTreeSet, num::NonZeroU32};

use bytes::Bytes;
use http::{Method, Response, StatusCode};
use serde_json::{Value, json};
use shared::links::{Audience, NewLink};

use crate::{
    place::{Place, REFERENCE},
    server::{Server, asking, body_of, fetch},
};

const BROWSER: &str = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8";
const CONTENT: &[u8] = b"the approved contract";

fn location(response: &Response<Bytes>) -> &str {
    assert_eq!(response.status(), StatusCode::TEMPORARY_REDIRECT, "{response:?}");
    response.headers()["location"].to_str().unwrap()
}

#[tokio::test(start_paused = true)]
async fn a_link_leads_to_the_document_under_its_name_and_type() {
    let place = Place::new().await;
    let server = Server::of(&place).await;
    let link = place.issue(None).await;
    let response = server.get(link.token.text(), "203.0.113.7").await;
    assert_eq!(response.headers()["cache-control"], "no-store");
    assert_eq!(response.headers()["referrer-policy"], "no-referrer");
    assert!(response.body().is_empty());
    let address = location(&response).to_owned();
    assert!(!address.contains(link.token.text()), "storage does not learn the link");
    let document = fetch(&place, Method::GET, &address, &[]).await;
    assert_eq!(
        (document.status(), document.headers()["content-type"].to_str().unwrap()),
        (StatusCode::OK, "application/pdf")
    );
    let disposition = document.headers()["content-disposition"].to_str().unwrap();
    assert!(
        disposition.contains("filename*=UTF-8''Vertrag%20f%C3%BCr%20S%C3%B6hne%20&%20T%C3%B6chter.pdf"),
        "{disposition}"
    );
    assert_eq!(body_of(document).await, CONTENT);
}

#[tokio::test(start_paused = true)]
async fn the_storage_address_lives_a_minute_and_the_link_goes_on() {
    let place = Place::new().await;
    let server = Server::of(&place).await;
    let link = place.issue(Some(1)).await;
    let address = location(&server.get(link.token.text(), "203.0.113.7").await).to_owned();
    place.wait(59).await;
    assert_eq!(fetch(&place, Method::GET, &address, &[]).await.status(), StatusCode::OK);
    place.wait(1).await;
    assert_eq!(fetch(&place, Method::GET, &address, &[]).await.status(), StatusCode::FORBIDDEN);
    let fresh = location(&server.get(link.token.text(), "203.0.113.7").await).to_owned();
    assert_ne!(fresh, address);
    assert_eq!(fetch(&place, Method::GET, &fresh, &[]).await.status(), StatusCode::OK);
    assert_eq!(place.audited_downloads().await, 1);
}

#[tokio::test(start_paused = true)]
async fn a_broken_off_download_goes_on_where_it_stopped() {
    let place = Place::new().await;
    let server = Server::of(&place).await;
    let link = place.issue(Some(1)).await;
    let address = location(&server.get(link.token.text(), "203.0.113.7").await).to_owned();
    let first = fetch(&place, Method::GET, &address, &[("range", "bytes=0-8")]).await;
    assert_eq!(
        (first.status(), first.headers()["content-range"].to_str().unwrap()),
        (StatusCode::PARTIAL_CONTENT, "bytes 0-8/21")
    );
    let mut content = body_of(first).await.to_vec();
    place.wait(600).await;
    let address = location(&server.get(link.token.text(), "203.0.113.7").await).to_owned();
    let rest = fetch(&place, Method::GET, &address, &[("range", "bytes=9-")]).await;
    content.extend_from_slice(&body_of(rest).await);
    assert_eq!(content, CONTENT);
    let beyond = fetch(&place, Method::GET, &address, &[("range", "bytes=99-")]).await;
    assert_eq!(beyond.status(), StatusCode::RANGE_NOT_SATISFIABLE);
    assert_eq!(place.audited_downloads().await, 1);
}

#[tokio::test(start_paused = true)]
async fn a_new_version_under_the_same_key_is_not_what_the_link_is_for() {
    let place = Place::new().await;
    let server = Server::of(&place).await;
    let link = place.issue(None).await;
    place.overwrite(b"not approved").await;
    let address = location(&server.get(link.token.text(), "203.0.113.7").await).to_owned();
    assert_eq!(body_of(fetch(&place, Method::GET, &address, &[]).await).await, CONTENT);
}

#[tokio::test(start_paused = true)]
async fn head_tells_the_size_and_costs_no_use() {
    let place = Place::new().await;
    let server = Server::of(&place).await;
    let link = place.issue(Some(1)).await;
    for _ in 0..5 {
        let response = server.ask(Method::HEAD, link.token.text(), "203.0.113.9", BROWSER).await;
        let document = fetch(&place, Method::HEAD, location(&response), &[]).await;
        assert_eq!(document.headers()["content-length"], "21");
    }
    assert_eq!(place.audited_downloads().await, 0);
    location(&server.get(link.token.text(), "203.0.113.7").await);
    let used_up = server.ask(Method::HEAD, link.token.text(), "203.0.113.9", BROWSER).await;
    assert_eq!((used_up.status(), used_up.body().len()), (StatusCode::GONE, 0));
}

#[tokio::test(start_paused = true)]
async fn whoever_a_link_was_for_sees_a_page_on_what_became_of_it() {
    let place = Place::new().await;
    let server = Server::of(&place).await;
    let (expiring, revoked, used) =
        (place.issue(None).await, place.issue(None).await, place.issue(Some(1)).await);
    place.links.revoke(&revoked.id, "superseded").await.unwrap();
    location(&server.get(used.token.text(), "198.51.100.1").await);
    for (token, title, code) in [
        (used.token.text(), "This link has been used", "link.used-up"),
        (revoked.token.text(), "This link was withdrawn", "link.revoked"),
        (expiring.token.text(), "This link has expired", "link.expired"),
    ] {
        if code == "link.expired" {
            place.wait(3600).await;
        }
        let page = server.ask(Method::GET, token, "203.0.113.7", BROWSER).await;
        assert_eq!(page.status(), StatusCode::GONE);
        assert_eq!(page.headers()["content-type"], "text/html; charset=utf-8");
        assert!(
            page.headers()["content-security-policy"].to_str().unwrap().starts_with("default-src 'none'")
        );
        let text = String::from_utf8(page.body().to_vec()).unwrap();
        assert!(text.contains(title), "{text}");
        assert!(!text.contains(token) && !text.contains("contract") && !text.contains(REFERENCE), "{text}");
        let problem = server.ask(Method::GET, token, "203.0.113.7", "application/problem+json").await;
        assert_eq!(problem.headers()["content-type"], "application/problem+json");
        let problem: Value = serde_json::from_slice(problem.body()).unwrap();
        assert_eq!(
            (&problem["status"], &problem["code"], &problem["title"]),
            (&json!(410), &json!(code), &json!(title))
        );
    }
}

#[tokio::test(start_paused = true)]
async fn unknown_malformed_and_somebody_elses_links_look_the_same_and_take_the_same_reads() {
    let place = Place::new().await;
    let server = Server::of(&place).await;
    let audience = Audience::of(&[], &["192.0.2.0/24"]).unwrap();
    let link = || NewLink { audience: audience.clone(), uses: NonZeroU32::new(1), ..place.new_link() };
    let (open, revoked) =
        (place.links.issue(&link()).await.unwrap(), place.links.issue(&link()).await.unwrap());
    place.links.revoke(&revoked.id, "superseded").await.unwrap();
    let huge = "x".repeat(9_000);
    let tokens = [
        "AAAAAAAAAAAAAAAAAAAAAA",
        "",
        "..%2F",
        "%E6%97%A5%00",
        &huge,
        open.token.text(),
        revoked.token.text(),
    ];
    for accept in [BROWSER, "application/problem+json"] {
        let (mut answers, mut reads) = (BTreeSet::new(), BTreeSet::new());
        for (number, token) in tokens.into_iter().enumerate() {
            let before = place.reads();
            let response = server.ask(Method::GET, token, &format!("203.0.113.{number}"), accept).await;
            reads.insert(place.reads() - before);
            assert_eq!(response.status(), StatusCode::NOT_FOUND);
            answers.insert(format!("{response:?}"));
        }
        assert_eq!((answers.len(), reads.len()), (1, 1), "{answers:#?}\n{reads:?}");
    }
    assert_eq!(place.audited_downloads().await, 0);
}

#[tokio::test(start_paused = true)]
async fn whoever_guesses_is_answered_nothing_for_a_while_and_others_are() {
    let place = Place::new().await;
    let server = Server::of(&place).await;
    let link = place.issue(None).await;
    for guess in 0..10 {
        let answer = server.get(&format!("guess{guess}"), "2001:db8::1").await;
        assert_eq!(answer.status(), StatusCode::NOT_FOUND);
    }
    let before = place.reads();
    // The neighbour address is the same network; a good link is not told apart from a bad one.
    for token in ["guess", link.token.text()] {
        let answer = server.get(token, "2001:db8::2").await;
        assert_eq!(
            (answer.status(), answer.headers()["retry-after"].to_str().unwrap()),
            (StatusCode::TOO_MANY_REQUESTS, "6")
        );
    }
    assert_eq!(place.reads(), before, "nothing was looked up");
    location(&server.get(link.token.text(), "203.0.113.7").await);
    place.wait(60).await;
    location(&server.get(link.token.text(), "2001:db8::1").await);
}

#[tokio::test(start_paused = true)]
async fn a_link_for_a_domain_opens_for_an_address_the_identity_provider_verified() {
    let place = Place::new().await;
    let server = Server::of(&place).await;
    let audience = Audience::of(&["example.com"], &[]).unwrap();
    let link = place.links.issue(&NewLink { audience, ..place.new_link() }).await.unwrap();
    let ask = |claims: Option<Value>| {
        server.answer(asking(
            Method::GET,
            &format!("/signed-in/{}", link.token.text()),
            "203.0.113.7",
            BROWSER,
            claims,
        ))
    };
    location(&ask(Some(json!({"email": "a@example.com", "email_verified": "true"}))).await);
    location(&ask(Some(json!({"email": "a@example.com", "email_verified": true}))).await);
    for refused in [
        None,
        Some(json!({})),
        Some(json!({"email": "a@example.com"})),
        Some(json!({"email": "a@example.com", "email_verified": "false"})),
        Some(json!({"email": "a@other.example", "email_verified": "true"})),
        Some(json!({"email": 7, "email_verified": "true"})),
    ] {
        assert_eq!(ask(refused.clone()).await.status(), StatusCode::NOT_FOUND, "{refused:?}");
    }
    let query = format!("/{}?email=a@example.com&email_verified=true", link.token.text());
    assert_eq!(
        server.answer(asking(Method::GET, &query, "203.0.113.7", BROWSER, None)).await.status(),
        StatusCode::NOT_FOUND
    );
}

#[tokio::test(start_paused = true)]
async fn where_somebody_comes_from_is_not_taken_from_what_he_says() {
    let place = Place::new().await;
    let server = Server::of(&place).await;
    let audience = Audience::of(&[], &["192.0.2.0/24"]).unwrap();
    let link = place.links.issue(&NewLink { audience, ..place.new_link() }).await.unwrap();
    let mut request = asking(Method::GET, &format!("/{}", link.token.text()), "203.0.113.7", BROWSER, None);
    for name in ["x-forwarded-for", "forwarded", "x-real-ip", "true-client-ip"] {
        request.headers_mut().insert(name, "192.0.2.7".parse().unwrap());
    }
    assert_eq!(server.answer(request).await.status(), StatusCode::NOT_FOUND);
    location(&server.get(link.token.text(), "192.0.2.7").await);
}

#[tokio::test(start_paused = true)]
async fn nothing_but_looking_and_downloading_is_possible() {
    let place = Place::new().await;
    let server = Server::of(&place).await;
    let link = place.issue(Some(1)).await;
    let before = place.table();
    for method in [Method::POST, Method::PUT, Method::DELETE, Method::OPTIONS, Method::PATCH] {
        let answer = server.ask(method, link.token.text(), "203.0.113.7", BROWSER).await;
        assert_eq!(
            (answer.status(), answer.headers()["allow"].to_str().unwrap()),
            (StatusCode::METHOD_NOT_ALLOWED, "GET, HEAD")
        );
    }
    assert_eq!(place.table(), before);
}
