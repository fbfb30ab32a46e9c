//! Pushes at the function's door.

use bytes::Bytes;
use http::{Request, Response, StatusCode};
use shared::webhook::{TOLERANCE, Verifier};
use tests::{
    storm::Fault,
    watched::{FLOWS, SECRET, Setting, Watched},
};

use crate::{FEEDS, run, watched};

const RECALL: &str = r#"{"feed": "papers", "node": 4711, "request": "recall"}"#;
const OTHER: &str = r#"{"current": "whsec_QUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUE="}"#;

fn push(world: &Watched, secret: &str, id: &str, off: i64, body: &str) -> Request<Bytes> {
    let at = world.context.now().as_second() + off;
    let signature = Verifier::from_json(secret).unwrap().sign(id, at, body.as_bytes());
    Request::post("/changes")
        .header("webhook-id", id)
        .header("webhook-timestamp", at)
        .header("webhook-signature", signature)
        .body(Bytes::copy_from_slice(body.as_bytes()))
        .unwrap()
}

fn problem(response: &Response<Bytes>) -> (u16, String) {
    assert_eq!(response.headers()["content-type"], "application/problem+json");
    let body: serde_json::Value = serde_json::from_slice(response.body()).unwrap();
    assert_eq!(body["status"], response.status().as_u16());
    (response.status().as_u16(), body["code"].as_str().unwrap().to_owned())
}

#[test]
fn a_signed_push_is_told_to_every_flow_of_its_feed_once() {
    run(async {
        let world = watched(Setting::of(FEEDS)).await;
        let answer = world.ask(push(&world, SECRET, "msg-1", 0, RECALL)).await;
        assert_eq!(
            (answer.status(), answer.body().as_ref()),
            (StatusCode::ACCEPTED, &b"{\"accepted\":1}"[..])
        );
        for flow in FLOWS {
            assert_eq!(world.told_to(flow), [(4711, "requested".to_owned())]);
        }
        // Sent again, and again a while later, it is the same push.
        for off in [0, 60] {
            world.pass(off).await;
            let back = -i64::try_from(off).unwrap();
            let again = world.ask(push(&world, SECRET, "msg-1", back, RECALL)).await;
            assert_eq!((again.status(), again.body().as_ref()), (StatusCode::OK, &b"{\"accepted\":0}"[..]));
        }
        assert_eq!(world.told().len(), 2);
        // A second request for the same node is another one.
        assert_eq!(world.ask(push(&world, SECRET, "msg-2", 0, RECALL)).await.status(), StatusCode::ACCEPTED);
        assert_eq!(world.told().len(), 4);
        assert!(!world.repeats());
    });
}

#[test]
fn what_is_not_signed_as_it_has_to_be_reaches_nobody() {
    run(async {
        let world = watched(Setting::of(FEEDS)).await;
        let signed = || push(&world, SECRET, "msg-1", 0, RECALL);
        let refused = async |request| problem(&world.ask(request).await);
        let by_another = push(&world, OTHER, "msg-1", 0, RECALL);
        assert_eq!(refused(by_another).await, (401, "push.signature".into()));
        let mut changed = signed();
        *changed.body_mut() = Bytes::from(RECALL.replace("4711", "4712"));
        assert_eq!(refused(changed).await, (401, "push.signature".into()));
        let mut bare = signed();
        bare.headers_mut().clear();
        assert_eq!(refused(bare).await, (401, "push.unsigned".into()));
        for off in [-TOLERANCE - 1, TOLERANCE + 1] {
            let old = push(&world, SECRET, "msg-1", off, RECALL);
            assert_eq!(refused(old).await, (401, "push.out-of-time".into()));
        }
        let large = "x".repeat(256 * 1024 + 1);
        assert_eq!(refused(push(&world, SECRET, "m", 0, &large)).await, (413, "push.too-large".into()));
        for body in [
            "",
            "[]",
            "{}",
            r#"{"feed": "papers"}"#,
            r#"{"feed": "other", "node": 1}"#,
            r#"{"feed": "papers", "node": -2000}"#,
            r#"{"feed": "papers", "node": 1, "request": "a b"}"#,
            r#"{"feed": "papers", "node": 1, "who": "me"}"#,
        ] {
            let malformed = push(&world, SECRET, "m", 0, body);
            assert_eq!(refused(malformed).await, (400, "push.malformed".into()), "{body}");
        }
        let mut other = signed();
        *other.uri_mut() = "/".parse().unwrap();
        assert_eq!(refused(other).await.0, 404);
        let mut get = signed();
        *get.method_mut() = http::Method::GET;
        assert_eq!(refused(get).await.0, 405);
        assert!(world.told().is_empty());
    });
}

#[test]
fn senders_may_change_over_to_a_new_secret() {
    run(async {
        let world = watched(Setting::of(FEEDS)).await;
        world.aws.secrets().put(
            "signing",
            &OTHER.replace('}', r#", "previous": "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"}"#),
        );
        for (id, secret) in [("old", SECRET), ("new", OTHER)] {
            let status = world.ask(push(&world, secret, id, 0, RECALL)).await.status();
            assert_eq!(status, StatusCode::ACCEPTED, "{id}");
        }
    });
}

#[test]
fn whatever_fails_a_push_that_is_sent_again_reaches_every_flow_with_the_same_ids() {
    let calls = run(async {
        let world = watched(Setting::of(FEEDS)).await;
        world.ask(push(&world, SECRET, "msg-1", 0, RECALL)).await;
        world.tap.calls()
    });
    for (number, call) in calls.iter().enumerate() {
        for fault in [Fault::Refused(500), Fault::DropBefore, Fault::DropAfter, Fault::CrashAfter] {
            run(async {
                let mut setting = Setting::of(FEEDS);
                setting.plan = [(number, fault)].into();
                let world = watched(setting).await;
                // The sender tries again, as the specification says, until it is told that the push was taken.
                for _ in 0..3 {
                    let crash = std::sync::Arc::new(tokio::sync::Notify::new());
                    let asked = async {
                        let function = world.start(crash.clone()).await.ok()?;
                        let request = push(&world, SECRET, "msg-1", 0, RECALL);
                        Some(function.answer(request, shared::batch::Invocation { deadline: i64::MAX }).await)
                    };
                    let status = tokio::select! {
                        answer = asked => answer.map(|answer| answer.status()),
                        () = crash.notified() => None,
                    };
                    world.pass(5).await;
                    if status.is_some_and(|status| status.is_success()) {
                        break;
                    }
                }
                let what = format!("{fault:?} at call {number} ({})", call.what);
                let ids = |flow: &str| {
                    let told = world.told().into_iter().filter(|told| told.flow == flow);
                    told.map(|told| told.id).collect::<std::collections::BTreeSet<_>>()
                };
                for flow in FLOWS {
                    assert_eq!(ids(flow).len(), 1, "{what}: {flow}");
                }
            });
        }
    }
}
