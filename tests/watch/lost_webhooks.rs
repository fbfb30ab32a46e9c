//! iconik's webhooks, the door they lead to and the sweep beside it: what a webhook that was switched off did not tell is
//! found, and nobody but a person switches it on.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Mutex},
};

use serde_json::json;
use simulators::iconik::settings::Order;
use tests::swept::{FLOWS, Setting, Swept, Told};
use watch::WATCH_ICONIK;
use webhooks::RECEIVE_ICONIK;

use crate::run;

const FEEDS: &str = r#"
receiver = "https://waybill.example.com"

[[feed]]
name = "assets"
flows = ["archive-production", "sync-asset-metadata"]
existing = "remember"
"#;

const SUBSCRIPTIONS: &str = r#"
[[webhook]]
name = "assets"
flows = ["archive-production", "sync-asset-metadata"]
event_types = ["assets"]
realms = ["entity"]
operations = ["create", "update", "delete"]
"#;

fn setting() -> Setting {
    Setting { subscriptions: SUBSCRIPTIONS.to_owned(), ..Setting::of(FEEDS) }
}

/// What one of the two told a flow of an object.
fn by<'a>(told: &'a [Told], teller: &str, flow: &str, object: &str) -> Vec<&'a Told> {
    let teller = format!("waybill:{teller}/");
    told.iter()
        .filter(|told| {
            told.source.starts_with(&teller) && told.flow == flow && told.change.object_id == object
        })
        .collect()
}

/// Each change has one id, and each id is of one change.
fn is_told_under_one_id(told: &[Told]) -> bool {
    let mut ids: BTreeMap<(&str, &str, String), BTreeSet<&str>> = BTreeMap::new();
    for one in told {
        let change = (one.flow, one.source.as_str(), one.change.key().digest().to_owned());
        ids.entry(change).or_default().insert(&one.id);
    }
    let all: BTreeSet<&str> = told.iter().map(|one| one.id.as_str()).collect();
    ids.values().all(|ids| ids.len() == 1) && all.len() == ids.len()
}

#[test]
fn what_a_webhook_that_was_switched_off_did_not_tell_is_found_by_the_sweep_once() {
    run(async {
        let world = Swept::new(&WATCH_ICONIK, setting()).await;
        let webhook = world.webhook("assets");
        world.rounds().await;
        world.pass(300).await;

        let heard = world.asset("heard").await;
        assert!(world.send(Some(&RECEIVE_ICONIK)).await > 0, "the door answers");
        assert_eq!(world.webhook_status(&webhook), "ENABLED");
        for flow in FLOWS {
            assert_eq!(by(&world.told(), "receive-iconik", flow, &heard).len(), 1);
        }

        // The door is away. What is sent meanwhile is lost: the webhook does not try again.
        let failed = world.asset("sent to nobody").await;
        assert_eq!(world.send(None).await, 0);
        assert_eq!(world.webhook_status(&webhook), "FAILING");
        world.pass(5 * 3600 + 60).await;
        assert_eq!(world.webhook_status(&webhook), "DISABLED");
        // The door is there again, and nobody sends to it.
        let silent = world.asset("never sent").await;
        assert_eq!(world.send(Some(&RECEIVE_ICONIK)).await, 0);

        world.rounds().await;
        world.pass(26 * 3600).await;
        world.rounds().await;
        let told = world.told();
        for flow in FLOWS {
            for lost in [&failed, &silent] {
                assert_eq!(by(&told, "receive-iconik", flow, lost).len(), 0);
                assert_eq!(by(&told, "watch-iconik", flow, lost).len(), 1, "{flow}");
            }
            // The sweep does not know what the door told; the flow reads the object and finds nothing left to do.
            assert_eq!(by(&told, "watch-iconik", flow, &heard).len(), 1);
        }
        assert!(is_told_under_one_id(&told), "{told:#?}");
        assert!(!world.repeats());
        assert_eq!(world.webhook_status(&webhook), "DISABLED", "only a person switches it on");
        let writes: Vec<_> = world
            .iconik
            .journal()
            .entries()
            .into_iter()
            .filter(|entry| entry.path.contains("webhooks") && entry.method != "GET")
            .collect();
        assert!(writes.is_empty(), "{writes:?}");

        // A person does; the next change is heard, and found under one id of the sweep.
        world.iconik.with_state(|state| {
            let mut whole = state.webhook(&webhook).expect("a webhook").clone();
            whole.insert("status".to_owned(), json!("ENABLED"));
            state.edit_webhook(&webhook, &whole).expect("switched on");
        });
        world.rename(&silent, "heard again").await;
        assert!(world.send(Some(&RECEIVE_ICONIK)).await > 0);
        assert_eq!(by(&world.told(), "receive-iconik", FLOWS[0], &silent).len(), 1);
    });
}

#[test]
fn webhooks_that_are_lost_doubled_and_out_of_order_and_a_sweep_beside_them_leave_out_nothing_and_double_no_id()
 {
    for (lose, double, order) in [(3, 2, Order::Shuffled), (2, 3, Order::Reversed), (1, 0, Order::Kept)] {
        run(async {
            let mut setting = setting();
            setting.iconik.deliveries.lose_every = lose;
            setting.iconik.deliveries.duplicate_every = double;
            setting.iconik.deliveries.order = order;
            let world = Swept::new(&WATCH_ICONIK, setting).await;
            let webhook = world.webhook("assets");
            world.rounds().await;
            world.pass(300).await;
            let mut assets = Vec::new();
            for number in 0..12 {
                assets.push(world.asset(&format!("asset {number}")).await);
                if number % 3 == 2 {
                    world.rename(&assets[number], &format!("asset {number} anew")).await;
                    world.delete(&assets[number - 1]).await;
                    world.send(Some(&RECEIVE_ICONIK)).await;
                    world.rounds().await;
                }
                world.pass(20).await;
            }
            world.send(Some(&RECEIVE_ICONIK)).await;
            world.rounds().await;
            let told = world.told();
            for (number, asset) in assets.iter().enumerate() {
                for flow in FLOWS {
                    let times = by(&told, "watch-iconik", flow, asset).len()
                        + by(&told, "receive-iconik", flow, asset).len();
                    // One that was made and deleted between two rounds is nobody's concern when no webhook came.
                    assert!(
                        times > 0 || number % 3 == 1,
                        "asset {number} was lost: {lose} {double} {order:?}"
                    );
                }
            }
            assert!(is_told_under_one_id(&told), "{lose} {double} {order:?}");
            assert_eq!(world.webhook_status(&webhook), "ENABLED");
        });
    }
}

#[test]
fn a_webhook_that_fails_is_an_alarm_with_its_state_and_no_failed_round() {
    let log = Log::default();
    let _written = log.written();
    run(async {
        let world = Swept::new(&WATCH_ICONIK, setting()).await;
        let webhook = world.webhook("assets");
        world.rounds().await;
        assert_eq!(log.taken(), Vec::<String>::new(), "one that tells is nothing to speak of");
        world.asset("sent to nobody").await;
        world.send(None).await;
        for expected in ["FAILING", "DISABLED"] {
            assert_eq!(world.webhook_status(&webhook), expected);
            assert!(world.round().await, "it is an alarm, not a failure");
            let said = log.taken();
            assert_eq!(said.len(), 1, "{said:?}");
            for part in ["a webhook that leads here does not tell", &webhook, expected, "since="] {
                assert!(said[0].contains(part), "{part}: {said:?}");
            }
            world.pass(6 * 3600).await;
        }
    });
}

#[test]
fn a_custom_action_that_fails_or_is_switched_off_is_an_alarm_of_its_own_and_no_failed_round() {
    let log = Log::default();
    let _written = log.written();
    run(async {
        let world = Swept::new(&WATCH_ICONIK, setting()).await;
        world.webhook("collections");
        let action = world.custom_action("Publish");
        world.rounds().await;
        assert_eq!(log.taken(), Vec::<String>::new());
        let asset = world.asset("pressed for nobody").await;
        world.press(&action, &[&asset], json!(null));
        assert_eq!(world.send(None).await, 0);
        let is_told = |switched_off: bool| {
            let said = log.taken();
            assert_eq!(said.len(), 1, "{said:?}");
            let disabled = format!("disabled={switched_off}");
            for part in ["a custom action that leads here fails", &action, &disabled] {
                assert!(said[0].contains(part), "{part}: {said:?}");
            }
        };
        assert!(world.round().await, "it is an alarm, not a failure");
        is_told(false);
        // The door is there again, and the next press heals it.
        world.press(&action, &[&asset], json!(null));
        assert_eq!(world.send(Some(&RECEIVE_ICONIK)).await, 1);
        assert!(world.round().await);
        assert_eq!(log.taken(), Vec::<String>::new());
        world.iconik.with_state(|state| {
            let off = json!({"disabled": true});
            state.edit_custom_action("ASSET", &action, off.as_object().expect("an object")).expect("off");
        });
        assert!(world.round().await);
        is_told(true);
    });
}

/// Lines of the log that warn.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Log {
    /// Writes what this thread says until the guard goes.
    fn written(&self) -> (tracing::Dispatch, tracing::subscriber::DefaultGuard) {
        let to = self.clone();
        let warnings = || tracing_subscriber::fmt().with_max_level(tracing::Level::WARN).with_ansi(false);
        // While there is only one, a line that another test's thread comes to first is taken for one that nobody wants.
        let second = tracing::Dispatch::new(warnings().with_writer(std::io::sink).finish());
        let subscriber = warnings().with_writer(move || to.clone()).finish();
        (second, tracing::subscriber::set_default(subscriber))
    }

    /// What was said of webhooks and actions since this was asked last.
    fn taken(&self) -> Vec<String> {
        let bytes = std::mem::take(&mut *self.0.lock().unwrap());
        let text = String::from_utf8(bytes).unwrap();
        text.lines().filter(|line| line.contains("leads here")).map(str::to_owned).collect()
    }
}

impl std::io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}
