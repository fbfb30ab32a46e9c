//! Who is refused, and why; and that the door opens again.

use std::{collections::BTreeMap, sync::Arc};

use bytes::Bytes;
use http::{Method, Request};
use serde_json::{Value, json};
use shared::batch::Invocation;
use tests::public_door::PublicDoor;
use tokio::sync::Notify;
use webhooks::RECEIVE_ICONIK;

use crate::{
    ASSET, FLOWS, HEADER, MOMENT, SECRET, SUBSCRIPTIONS, action, contents, door, door_with, metadata,
    outcome, post, press, problem, run, share, webhook,
};

const NEW: &str = "Zt7bLw5cYf2hkR3nVd8sQm1x";

#[test]
fn whoever_does_not_know_the_secret_is_refused_with_the_same_words() {
    run(async {
        let world = door().await;
        let body = contents().to_string();
        let mut answers = Vec::new();
        let longer = format!("{SECRET}x");
        for secret in ["", "wrong", &SECRET[1..], &SECRET[..23], longer.as_str(), "KR3nVd8sQm1xZt7bLw5cYf2h"]
        {
            answers.push(world.ask(post("/webhooks", secret, body.clone())).await);
        }
        let mut bare = webhook(&contents());
        bare.headers_mut().remove(HEADER);
        answers.push(world.ask(bare).await);
        for answer in &answers {
            assert_eq!(problem(answer), (401, "receive.secret".into()));
            assert_eq!(answer.body(), answers[0].body());
        }
        assert!(world.told().is_empty());
        assert!(!String::from_utf8_lossy(answers[0].body()).contains("kR3n"));
    });
}

#[test]
fn senders_may_change_over_to_a_new_secret() {
    run(async {
        let world = door().await;
        world.set_secret(&json!({"current": NEW, "previous": SECRET}).to_string());
        for (secret, request) in [(SECRET, "2123456789abcdef"), (NEW, "3123456789abcdef")] {
            let answer = world.ask(post("/webhooks", secret, metadata(request).to_string())).await;
            assert_eq!(outcome(&answer).1, "told");
        }
        world.set_secret(&json!({"current": NEW}).to_string());
        let old = world.ask(post("/webhooks", SECRET, contents().to_string())).await;
        assert_eq!(problem(&old), (401, "receive.secret".into()));
    });
}

#[test]
fn a_secret_that_was_changed_a_moment_ago_counts_in_a_process_that_runs_and_guessing_does_not_read_it() {
    run(async {
        let world = door().await;
        let function = world.start(Arc::new(Notify::new())).await.expect("it starts");
        let ask = async |secret: &str, request: &str| {
            let request = post("/webhooks", secret, metadata(request).to_string());
            function.answer(request, Invocation { deadline: i64::MAX }).await.status().as_u16()
        };
        assert_eq!(ask(SECRET, "a1").await, 202);
        assert_eq!(world.secret_reads(), 1);
        world.set_secret(&json!({"current": NEW, "previous": SECRET}).to_string());
        world.pass(11).await;
        assert_eq!(ask(NEW, "a2").await, 202, "nobody waits for five minutes");
        assert_eq!(world.secret_reads(), 2);
        for guess in 0..200 {
            assert_eq!(ask(&format!("guess {guess}"), "a3").await, 401);
        }
        assert_eq!(world.secret_reads(), 2, "two hundred guesses within ten seconds read nothing");
        world.pass(301).await;
        assert_eq!(ask(SECRET, "a4").await, 202);
        assert_eq!(world.secret_reads(), 3);
    });
}

#[test]
fn a_body_of_ten_megabytes_is_refused_before_anything_is_read_of_it() {
    run(async {
        let world = door().await;
        let before = world.tap.calls().len();
        for (size, secret) in [(10 << 20, SECRET), (10 << 20, "wrong"), (256 * 1024 + 1, SECRET)] {
            let mut body = contents();
            body["data"]["description"] = "x".repeat(size).into();
            let answer = world.ask(post("/webhooks", secret, body.to_string())).await;
            assert_eq!(problem(&answer), (413, "receive.too-large".into()));
            assert!(answer.body().len() < 1000);
        }
        assert!(world.told().is_empty());
        let after = world.tap.calls().split_off(before);
        let only_starts =
            after.iter().all(|call| !call.what.contains("DynamoDB") && !call.what.contains("sqs"));
        assert!(only_starts, "{after:?}");
        // The largest that is taken is taken.
        let mut body = contents();
        let room = 256 * 1024 - body.to_string().len() - r#","description":"""#.len();
        body["data"]["description"] = "x".repeat(room).into();
        assert_eq!(body.to_string().len(), 256 * 1024);
        assert_eq!(outcome(&world.ask(webhook(&body)).await).1, "told");
    });
}

#[test]
fn what_is_none_of_iconik_s_says_what_was_expected_and_nothing_of_what_came() {
    run(async {
        let world = door().await;
        let mut override_in_realm = contents();
        override_in_realm["realm"] = "meta\u{202e}atad".into();
        let mut token_for_realm = contents();
        token_for_realm["realm"] = crate::TOKEN.into();
        let deep = format!("{}1{}", "[".repeat(200_000), "]".repeat(40_000));
        let bodies = [
            String::new(),
            "[]".into(),
            "null".into(),
            "{".into(),
            "PK\u{3}\u{4}".into(),
            "<html>".into(),
            r#"{"event_type": "assets"}"#.into(),
            override_in_realm.to_string(),
            token_for_realm.to_string(),
            deep,
            press(&[ASSET], MOMENT).to_string(),
        ];
        for body in bodies {
            let answer = world.ask(post("/webhooks", SECRET, body.clone())).await;
            assert_eq!(problem(&answer), (400, "receive.malformed".into()), "{body:.100}");
            let text = String::from_utf8_lossy(answer.body()).into_owned();
            assert!(text.is_ascii() && !text.contains("eyJ") && !text.contains("atad"), "{text}");
        }
        let mut ids = press(&[ASSET], MOMENT);
        ids["asset_ids"] = json!(["\u{202e}../../x"]);
        let mut of_another_kind = press(&[ASSET], MOMENT);
        of_another_kind["asset_ids"] = json!({"a": crate::TOKEN});
        for body in [ids, of_another_kind, contents(), json!({})] {
            let answer = world.ask(action(&body)).await;
            assert_eq!(problem(&answer), (400, "receive.malformed".into()), "{body}");
            assert!(answer.body().is_ascii() && !String::from_utf8_lossy(answer.body()).contains("eyJ"));
        }
        let invalid = world.ask(post("/webhooks", SECRET, Bytes::from_static(b"\xff\xfe{\x00}"))).await;
        assert_eq!(problem(&invalid).0, 400);
        assert!(world.told().is_empty());
    });
}

#[test]
fn another_tenant_an_empty_selection_and_too_large_a_one_have_their_reasons() {
    run(async {
        let world = door().await;
        for tenant in [Value::from(ASSET), Value::Null] {
            let mut event = contents();
            event["system_domain_id"] = tenant.clone();
            assert_eq!(problem(&world.ask(webhook(&event)).await), (403, "receive.other-tenant".into()));
            let mut pressed = press(&[ASSET], MOMENT);
            pressed["system_domain_id"] = tenant;
            assert_eq!(problem(&world.ask(action(&pressed)).await), (403, "receive.other-tenant".into()));
        }
        let mut saved_search = press(&[], MOMENT);
        saved_search["saved_search_ids"] = json!([ASSET]);
        let empty = problem(&world.ask(action(&saved_search)).await);
        assert_eq!(empty, (422, "receive.nothing-selected".into()));
        let ids: Vec<String> = (0..501).map(|number| format!("asset-{number}")).collect();
        let ids: Vec<&str> = ids.iter().map(String::as_str).collect();
        let many = problem(&world.ask(action(&press(&ids, MOMENT))).await);
        assert_eq!(many, (413, "receive.too-many-objects".into()));
        assert!(world.told().is_empty());
        assert_eq!(outcome(&world.ask(action(&press(&ids[..500], MOMENT))).await), (202, "told".into()));
        assert_eq!(world.told().len(), 500);
    });
}

#[test]
fn other_paths_and_methods_lead_nowhere() {
    run(async {
        let world = door().await;
        for path in ["/", "/webhook", "/webhooks/x", "/Actions"] {
            let answer = world.ask(post(path, SECRET, contents().to_string())).await;
            assert_eq!(problem(&answer), (404, "http.no-such-path".into()));
        }
        for method in [Method::GET, Method::PUT, Method::DELETE] {
            let request = Request::builder().method(method).uri("/webhooks").header(HEADER, SECRET);
            let answer = world.ask(request.body(Bytes::new()).unwrap()).await;
            assert_eq!(problem(&answer), (405, "http.method".into()));
        }
        let slash = world.ask(post("/webhooks/", SECRET, contents().to_string())).await;
        assert_eq!(outcome(&slash).1, "told", "a slash at the end makes no difference");
    });
}

#[test]
fn a_file_or_a_secret_with_a_mistake_keeps_it_from_starting() {
    let code = |subscriptions: &str, secret: &str, flows: &[&str]| {
        run(async {
            let world = PublicDoor::new(&RECEIVE_ICONIK, subscriptions, secret, flows, BTreeMap::new()).await;
            let started = world.start(Arc::new(Notify::new())).await;
            started.err().map(|error| (error.code(), error.to_string()))
        })
    };
    let secret = json!({"current": SECRET}).to_string();
    assert_eq!(code(SUBSCRIPTIONS, &secret, &FLOWS), None);
    let (reason, text) = code("[[webhook]]\nname = \"a\"\nflows = [\"x\"]\n", &secret, &FLOWS).unwrap();
    assert_eq!(reason, "subscriptions.invalid");
    assert!(text.contains("rules.toml:1:1: missing field `realms`"), "{text}");
    let (reason, text) = code(SUBSCRIPTIONS, &secret, &FLOWS[..2]).unwrap();
    assert_eq!(reason, "subscriptions.invalid");
    assert!(text.contains("rules.toml:13:9: the flow `link-references` has no queue"), "{text}");
    assert_eq!(code(SUBSCRIPTIONS, r#"{"current": "short"}"#, &FLOWS).unwrap().0, "webhook.secret");
}

#[test]
fn a_form_with_more_than_a_message_takes_is_refused_and_one_that_fits_is_told_with_its_fields() {
    run(async {
        let named = SUBSCRIPTIONS
            .replace("flows = [\"publish-finals\"]\n", "flows = [\"publish-finals\"]\nform = [\"Reason\"]\n");
        let world = door_with(&named).await;
        let filled = |length: usize| {
            let mut body = press(&[ASSET], MOMENT);
            let reason = "\u{202e}".repeat(length / 3);
            body["metadata_values"] = json!({"Reason": {"field_values": [{"value": reason}]}});
            action(&body)
        };
        assert_eq!(problem(&world.ask(filled(4200)).await), (413, "receive.form-too-large".to_owned()));
        assert!(world.told().is_empty());
        assert_eq!(outcome(&world.ask(filled(3000)).await), (202, "told".to_owned()));
        let told = world.told();
        assert_eq!(told[0].change.form["Reason"], ["\u{202e}".repeat(1000)]);
        // Without the subscription's word for it nothing of it goes anywhere.
        let world = door().await;
        assert_eq!(outcome(&world.ask(filled(4200)).await), (202, "told".to_owned()));
        assert!(!world.kept().contains('\u{202e}') && world.told()[0].change.form.is_empty());
    });
}

#[test]
fn what_is_told_to_flows_that_are_not_deployed_is_acknowledged_and_told_to_the_rest() {
    run(async {
        let optional = SUBSCRIPTIONS.replace("realms =", "if_deployed = true\nrealms =");
        let optional = optional.replace("id =", "if_deployed = true\nid =");
        let secret = json!({"current": SECRET}).to_string();
        let flows = ["sync-asset-metadata"];
        let world = PublicDoor::new(&RECEIVE_ICONIK, &optional, &secret, &flows, BTreeMap::new()).await;
        assert_eq!(outcome(&world.ask(webhook(&contents())).await), (202, "told".to_owned()));
        assert_eq!(world.told().len(), 2, "the asset and the collection, to the one flow there is");
        assert_eq!(outcome(&world.ask(webhook(&share())).await), (200, "unwanted".to_owned()));
        assert_eq!(outcome(&world.ask(action(&press(&[ASSET], MOMENT))).await), (200, "unwanted".to_owned()));
        assert_eq!(world.told().len(), 2);
        // Once the flow is deployed it is no repetition: nobody was told.
        let world = PublicDoor::new(&RECEIVE_ICONIK, &optional, &secret, &FLOWS, BTreeMap::new()).await;
        assert_eq!(outcome(&world.ask(webhook(&share())).await), (202, "told".to_owned()));
    });
}
