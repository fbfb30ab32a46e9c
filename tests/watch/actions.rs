//! iconik's custom actions and automations, the door they lead to and the sweep beside it: an approval is told once to each
//! flow that wants it, and one that nobody was told of is found.

use serde_json::json;
use simulators::iconik::{seed, state::Sender};
use tests::swept::{Setting, Swept, Told};
use watch::WATCH_ICONIK;
use webhooks::RECEIVE_ICONIK;

use crate::run;

const FLOWS: &[&str] = &["publish-finals", "start-signoff"];
const FEEDS: &str = r#"
receiver = "https://waybill.example.com"

[[feed]]
name = "assets"
flows = ["publish-finals", "start-signoff"]
existing = "remember"
"#;
/// A film whose review waits for the reviewer.
const FILM: &str = "Using the inhaler";

/// A tenant with a button, with an automation for reviews that are decided, and with a film.
async fn tenant() -> (Swept, String, String, String) {
    let world = Swept::new(&WATCH_ICONIK, Setting { flows: FLOWS, ..Setting::of(FEEDS) }).await;
    let (review, publish) = (world.custom_action("Review decided"), world.custom_action("Publish"));
    world.automation(&review, &["APPROVED", "NOT_APPROVED"]);
    world.put_subscriptions(&format!(
        r#"
[[action]]
name = "review"
id = "{review}"
flows = ["start-signoff"]

[[action]]
name = "publish"
id = "{publish}"
flows = ["publish-finals"]
form = ["Reason", "Urgent"]
"#
    ));
    let film = world.iconik.with_state(|state| state.titled(FILM)).expect("it is seeded");
    (world, review, publish, film)
}

fn decide(world: &Swept, film: &str, status: &str) {
    world.iconik.with_state(|state| {
        let key = state.approval_key("assets", film, None).expect("a review");
        state.decide(seed::REVIEWER, &key, status).expect("a verdict");
    });
}

fn by_door(world: &Swept) -> Vec<Told> {
    world.told().into_iter().filter(|told| told.source.starts_with("waybill:receive-iconik/")).collect()
}

#[test]
fn a_decided_review_fires_its_automation_and_a_person_presses_the_button_and_each_tells_its_flow_once() {
    run(async {
        let (world, review, publish, film) = tenant().await;
        assert_eq!(world.send(Some(&RECEIVE_ICONIK)).await, 0, "nothing has been decided yet");
        decide(&world, &film, "APPROVED");
        assert_eq!(world.send(Some(&RECEIVE_ICONIK)).await, 1, "the automation sends");
        let told = by_door(&world);
        assert_eq!(told.len(), 1, "{told:?}");
        assert_eq!(
            (told[0].flow, told[0].source.as_str()),
            ("start-signoff", "waybill:receive-iconik/review")
        );
        assert_eq!((told[0].change.object_type.as_str(), &told[0].change.object_id), ("assets", &film));
        assert_eq!(told[0].change.request.as_deref(), Some("review"));
        assert_eq!(told[0].change.realm, None, "it is no webhook's");

        let form = json!({
            "Reason": {"field_values": [{"value": "\u{6700}\u{7d42}\u{7248}"}]},
            "Urgent": {"field_values": [{"value": true}]},
            "Salary": {"field_values": [{"value": "not for queues"}]},
        });
        world.press(&publish, &[&film], form);
        assert_eq!(world.send(Some(&RECEIVE_ICONIK)).await, 1);
        let pressed: Vec<Told> =
            by_door(&world).into_iter().filter(|told| told.flow == "publish-finals").collect();
        assert_eq!((by_door(&world).len(), pressed.len()), (2, 1), "{pressed:?}");
        assert_eq!(
            (pressed[0].change.request.as_deref(), &pressed[0].change.object_id),
            (Some("publish"), &film)
        );
        // Of the form, what the subscription names; a token acts for whoever pressed and goes nowhere.
        let filled: Vec<(&str, Vec<&str>)> = pressed[0]
            .change
            .form
            .iter()
            .map(|(name, values)| (name.as_str(), values.iter().map(String::as_str).collect()))
            .collect();
        assert_eq!(filled, [("Reason", vec!["\u{6700}\u{7d42}\u{7248}"]), ("Urgent", vec!["true"])]);

        // What is sent twice is told once; another decision is another message.
        let sent = world.iconik.with_state(|state| state.notifications.tried.clone());
        let senders: Vec<&Sender> = sent.iter().map(|(delivery, _)| &delivery.sender).collect();
        assert_eq!(senders, [&Sender::CustomAction(review), &Sender::CustomAction(publish)]);
        world.iconik.with_state(|state| {
            state.notifications.waiting.extend(sent.iter().map(|(delivery, _)| delivery.clone()));
        });
        assert_eq!(world.send(Some(&RECEIVE_ICONIK)).await, 2, "a repetition is acknowledged");
        assert_eq!(by_door(&world).len(), 2);
        decide(&world, &film, "NOT_APPROVED");
        assert_eq!(
            world.send(Some(&RECEIVE_ICONIK)).await,
            0,
            "they disagree, which the automation is not for"
        );
        world.pass(60).await;
        decide(&world, &film, "APPROVED");
        assert_eq!(world.send(Some(&RECEIVE_ICONIK)).await, 1);
        assert_eq!(by_door(&world).len(), 3);
        assert!(!world.repeats());
    });
}

#[test]
fn an_approval_that_an_automation_told_to_nobody_is_found_by_the_sweep_once() {
    run(async {
        let (world, _, _, film) = tenant().await;
        world.rounds().await;
        world.pass(300).await;
        decide(&world, &film, "APPROVED");
        assert_eq!(world.send(None).await, 0, "the door is away");
        for _ in 0..2 {
            world.pass(26 * 3600).await;
            world.rounds().await;
        }
        assert!(by_door(&world).is_empty());
        for flow in FLOWS {
            assert_eq!(world.times(flow, &film), 1, "{flow}: {:?}", world.told());
        }
        assert!(!world.repeats());
    });
}
