//! Every call of a visit meets every fault that its system can have; then the visitor tries again.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use http::StatusCode;
use shared::{
    context::Context,
    links::{Answer, Ended},
};
use tests::storm::{Fault, Form, Tap};
use tokio::sync::Notify;

use crate::{
    place::{Place, at, window},
    server::Server,
};

/// A visit through a tap; nothing when the process died on the way.
async fn visit(place: &Place, tap: &Tap, token: &str, time_out: u64) -> Option<StatusCode> {
    let crash = Arc::new(Notify::new());
    // No two processes draw the same ids.
    let seed = place.context.now_milliseconds().unsigned_abs();
    let context = Context::simulated(place.context.now(), seed);
    let server = Server::over(tap.transport(crash.clone()), &context).await;
    let asked = server.get(token, "203.0.113.7");
    let asked = tokio::time::timeout(Duration::from_secs(time_out), asked);
    tokio::select! {
        answer = asked => answer.ok().map(|answer| answer.status()),
        () = crash.notified() => None,
    }
}

fn tap(place: &Place, plan: BTreeMap<usize, Fault>) -> Tap {
    Tap::new(axum::Router::new(), place.aws.router(), plan, None)
}

#[tokio::test(start_paused = true)]
async fn whatever_fails_on_the_way_the_visitor_gets_the_document_with_one_use_and_one_event() {
    let clean = Place::new().await;
    let watched = tap(&clean, BTreeMap::new());
    let link = clean.issue(Some(1)).await;
    assert_eq!(visit(&clean, &watched, link.token.text(), 15).await, Some(StatusCode::TEMPORARY_REDIRECT));
    let calls = watched.calls();
    let names: Vec<&str> = calls.iter().map(|call| call.what.as_str()).collect();
    assert_eq!(names, ["GetItem", "GetItem", "Query", "TransactWriteItems"]);

    let mut nights = 0;
    for call in 0..calls.len() {
        for fault in Fault::all(Form::AwsJson) {
            let place = Place::new().await;
            let link = place.issue(Some(1)).await;
            let tap = tap(&place, BTreeMap::from([(call, *fault)]));
            let first = visit(&place, &tap, link.token.text(), 15).await;
            let told = [None, Some(StatusCode::TEMPORARY_REDIRECT), Some(StatusCode::SERVICE_UNAVAILABLE)];
            assert!(told.contains(&first), "{call} {fault:?}: {first:?}");
            assert!(tap.is_spent(), "{call} {fault:?} was not met");
            tap.calm();
            let again = visit(&place, &tap, link.token.text(), 15).await;
            assert_eq!(again, Some(StatusCode::TEMPORARY_REDIRECT), "{call} {fault:?}: tried again");
            assert_eq!(place.audited_downloads().await, 1, "{call} {fault:?}");
            let other = place.links.visit(&link.token, &at("203.0.113.8"), window(15), "x").await.unwrap();
            assert!(matches!(other, Answer::Ended(_, Ended::UsedUp)), "{call} {fault:?}: {other:?}");
            nights += 1;
        }
    }
    assert_eq!(nights, calls.len() * Fault::all(Form::AwsJson).len());
}

#[tokio::test(start_paused = true)]
async fn a_link_revoked_between_the_look_and_the_use_is_not_used() {
    for call in 0..4 {
        let place = Place::new().await;
        let link = place.issue(Some(1)).await;
        // The answer comes late; by then it says what is no longer so.
        let slow = Fault::HoldAfter(Duration::from_secs(20));
        let tap = tap(&place, BTreeMap::from([(call, slow)]));
        let revoking = async {
            place.wait(5).await;
            place.links.revoke(&link.id, "withdrawn").await.unwrap()
        };
        let (answer, revoked) = tokio::join!(visit(&place, &tap, link.token.text(), 60), revoking);
        assert!(revoked && tap.is_spent());
        // Once the transaction is through, the visit was before the revocation.
        let (expected, uses) =
            if call == 3 { (StatusCode::TEMPORARY_REDIRECT, 1) } else { (StatusCode::GONE, 0) };
        assert_eq!((answer, place.audited_downloads().await), (Some(expected), uses), "held at call {call}");
    }
}
