//! The storm over `watch-iconik`: a function that a schedule starts. Each call of its story meets each fault its system can
//! have; then the schedule goes on. Every change reaches every flow, each under one id.

use std::collections::{BTreeMap, BTreeSet};

use tests::{
    storm::{Call, Fault},
    swept::{Setting, Swept},
};
use watch::WATCH_ICONIK;

use crate::{
    due::{is_due_in_sweeps, is_wanted},
    weather::{each, none},
};

/// The functions that have a story here.
pub(crate) const COVERED: [&str; 1] = ["watch-iconik"];

const FEEDS: &str = r#"
receiver = "https://waybill.example.com"

[[feed]]
name = "assets"
flows = ["archive-production", "sync-asset-metadata"]
existing = "remember"
"#;

/// What was told: the flow, the number of the asset, the operation and which change of the asset it was, with the ids it was
/// told under.
type Told = BTreeMap<(&'static str, Option<usize>, String, String), BTreeSet<String>>;

fn run<T>(story: impl Future<Output = T>) -> T {
    if let Ok(filter) = std::env::var("STORM_LOG") {
        let _ = tracing_subscriber::fmt().with_env_filter(filter).without_time().with_ansi(false).try_init();
    }
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().start_paused(true).build();
    runtime.expect("a runtime").block_on(story)
}

/// A webhook fails until iconik switches it off; assets are made, one is renamed, one deleted.
fn story(plan: BTreeMap<usize, Fault>) -> (Vec<Call>, Told, String) {
    // The AWS clients draw the pauses between their attempts here.
    fastrand::seed(1);
    run(async {
        let world = Swept::new(&WATCH_ICONIK, Setting { plan, ..Setting::of(FEEDS) }).await;
        let webhook = world.webhook("assets");
        world.rounds().await;
        let mut assets = Vec::new();
        for number in 0..3 {
            assets.push(world.asset(&format!("asset {number}")).await);
        }
        assert_eq!(world.send(None).await, 0);
        world.pass(6 * 3600).await;
        world.rounds().await;
        world.rename(&assets[0], "renamed").await;
        world.delete(&assets[1]).await;
        world.rounds().await;
        world.pass(24 * 3600).await;
        world.rounds().await;
        let mut told = Told::new();
        for one in world.told() {
            let operation = one.change.operation.unwrap_or_default();
            let number = assets.iter().position(|asset| *asset == one.change.object_id);
            let revision = one.change.occasion.rsplit(' ').next().unwrap_or_default().to_owned();
            told.entry((one.flow, number, operation, revision)).or_default().insert(one.id);
        }
        (world.tap.calls(), told, world.webhook_status(&webhook))
    })
}

#[test]
fn every_fault_at_every_call_of_a_sweep_loses_nothing_and_switches_nothing_on() {
    let (calls, calm, status) = story(BTreeMap::new());
    assert_eq!(calm.len(), 10, "three assets, a new name and a deletion, for two flows: {calm:?}");
    assert_eq!(status, "DISABLED");
    let mut schedules = Vec::new();
    for (number, call) in calls.iter().enumerate().filter(|(number, _)| is_wanted(*number)) {
        let faults = Fault::all(call.form).iter().enumerate();
        let due = faults.filter(|(turn, _)| is_due_in_sweeps(number + turn));
        schedules.extend(due.map(|(_, fault)| (number, call, *fault)));
    }
    none(&each(&schedules, |(number, call, fault)| {
        let (_, told, status) = story([(*number, *fault)].into());
        let same = told.keys().eq(calm.keys()) && told.values().all(|ids| ids.len() == 1);
        let same = same && status == "DISABLED";
        (!same).then(|| format!("{fault:?} at call {number} ({}): {status} {told:#?}", call.what))
    }));
}
