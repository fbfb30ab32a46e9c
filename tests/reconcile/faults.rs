//! A fault at any call of a run: what both sides have is never told as missing, different or extra, and what was
//! planted is found all the same.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use shared::reconcile::{Comparison, Kind, Options, Place};
use tests::storm::{Fault, Scenario};
use tokio::sync::Notify;

use crate::{
    archive_production, file_rights, ingest_uploads, offload_content, publish_approved, publish_finals,
    side::{Compared, Said, run, scope},
};

/// Processes that a run may take.
const PROCESSES: usize = 6;

const FAULTS: [Fault; 9] = [
    Fault::DropBefore,
    Fault::DropAfter,
    Fault::CrashBefore,
    Fault::CutAnswer,
    Fault::Refused(403),
    Fault::Refused(404),
    Fault::Refused(500),
    Fault::Throttled(503, 1),
    Fault::HoldBefore(Duration::from_secs(900)),
];

#[test]
fn no_fault_makes_a_difference_of_what_agrees() {
    for story in [
        ingest_uploads::story(),
        offload_content::story("after = \"purge-old-versions\""),
        publish_approved::story(),
        publish_finals::story(),
        file_rights::story(),
        archive_production::story(),
    ] {
        run(every_call(story));
    }
}

/// A run of a story with each fault at every so many calls.
pub(crate) async fn every_call(story: Scenario) {
    let compared = Compared::after(story).await;
    let tap = compared.tap(BTreeMap::new());
    compared.compare_over(&tap, Options::default()).await.expect("a clean run");
    let calls = tap.calls().len();
    let every = if std::env::var_os("STORM_SEEDS").is_some() { 1 } else { 5 };
    for (turn, fault) in FAULTS.into_iter().enumerate() {
        for call in (turn % every..calls).step_by(every) {
            let said = bad_night(&compared, call, fault).await;
            let wrong: Vec<_> =
                said.found().into_iter().filter(|(kind, _)| *kind != Kind::Unverifiable).collect();
            assert_eq!(wrong, [], "{}: {fault:?} at call {call}", story.name);
        }
    }
}

/// A run with one fault at one call: processes that die or fail are followed by others, as the schedule starts them.
async fn bad_night(compared: &Compared, call: usize, fault: Fault) -> Said {
    let tap = compared.tap([(call, fault)].into());
    let mut place: Option<Place> = None;
    for _ in 0..PROCESSES {
        let crash = Arc::new(Notify::new());
        let environment = compared.environment(tap.transport(crash.clone()));
        let process = async {
            let sides = (compared.entry().connect)(&environment, &scope()).await?;
            let mut run = match &place {
                Some(place) => Comparison::resume(&environment, &*sides, "", place.clone()).await?,
                None => {
                    let flow = compared.scenario.flow.name;
                    let mut run = Comparison::begin(&environment, flow, &*sides, "", Options::default());
                    run.keep().await?;
                    place = Some(run.place().clone());
                    run
                }
            };
            run.run(i64::MAX).await
        };
        let done = tokio::select! {
            done = process => done,
            () = crash.notified() => Ok(false),
            () = tokio::time::sleep(Duration::from_secs(600)) => Ok(false),
        };
        if matches!(done, Ok(true)) {
            return compared.said(&place.expect("a place").prefix).await;
        }
        compared.hours(1).await;
    }
    panic!("the run never ends: {fault:?} at call {call}");
}
