//! The storm over `watch-content-server`: a function that a schedule starts. Each call of its story meets each fault its
//! system can have; then the schedule goes on. Every change reaches every flow, each under one id.

use std::collections::{BTreeMap, BTreeSet};

use tests::{
    storm::{Call, Fault},
    watched::{FOLDER, Setting, Watched},
};
use watch::WATCH_CONTENT_SERVER;

use crate::{
    due::{is_due_in_sweeps, is_wanted},
    weather::{each, none},
};

const FEEDS: &str = r#"
[[feed]]
name = "papers"
flows = ["offload-content", "publish-approved"]
search = { query = 'OTName:"watched*"' }
watch = [{ category = 4104 }]
"#;

/// The functions that have a story here.
pub(crate) const COVERED: [&str; 1] = ["watch-content-server"];

/// What was told, by flow and change, with the ids it was told under.
type Told = BTreeMap<(String, i64, String, Option<i64>, String), BTreeSet<String>>;

fn run<T>(story: impl Future<Output = T>) -> T {
    if let Ok(filter) = std::env::var("STORM_LOG") {
        let _ = tracing_subscriber::fmt().with_env_filter(filter).without_time().with_ansi(false).try_init();
    }
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().start_paused(true).build();
    runtime.expect("a runtime").block_on(story)
}

/// Documents are made; one gets a version and one a value; one is deleted.
fn story(plan: BTreeMap<usize, Fault>) -> (Vec<Call>, Told) {
    // The AWS clients draw the pauses between their attempts here.
    fastrand::seed(1);
    run(async {
        let world = Watched::new(&WATCH_CONTENT_SERVER, Setting { plan, ..Setting::of(FEEDS) }).await;
        let papers: Vec<i64> =
            (0..4).map(|number| world.document(FOLDER, &format!("watched {number}.txt"))).collect();
        world.rounds().await;
        world.pass(600).await;
        world.version(papers[0]);
        world.rounds().await;
        world.set(papers[1], "2", "approved");
        world.delete(papers[2]);
        world.pass(24 * 3600).await;
        world.rounds().await;
        let mut told = Told::new();
        for one in world.told() {
            let what = (one.flow, one.node, one.change, one.version, one.occasion);
            told.entry(what).or_default().insert(one.id);
        }
        (world.tap.calls(), told)
    })
}

#[test]
fn every_fault_at_every_call_of_a_watch_loses_nothing() {
    let (calls, calm) = story(BTreeMap::new());
    assert_eq!(calm.len(), 14, "four documents, a version, a value and a deletion, for two flows: {calm:?}");
    let mut schedules = Vec::new();
    for (number, call) in calls.iter().enumerate().filter(|(number, _)| is_wanted(*number)) {
        let faults = Fault::all(call.form).iter().enumerate();
        let due = faults.filter(|(turn, _)| is_due_in_sweeps(number + turn));
        schedules.extend(due.map(|(_, fault)| (number, call, *fault)));
    }
    none(&each(&schedules, |(number, call, fault)| {
        let (_, told) = story([(*number, *fault)].into());
        let same = told.keys().eq(calm.keys()) && told.values().all(|ids| ids.len() == 1);
        (!same).then(|| format!("{fault:?} at call {number} ({}): {told:#?}", call.what))
    }));
}
