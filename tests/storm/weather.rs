//! The schedules every scenario goes through.

use std::{
    sync::{
        Mutex,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use tests::storm::{Fault, Scenario, clean, intervened, one_fault, overtaken, random, rivals};

use crate::scenarios;

#[test]
fn without_faults_every_story_ends_as_told() {
    for scenario in scenarios() {
        let report = clean(&scenario);
        assert!(report.outcome.is_ok(), "{}: {:?}\n{}", scenario.name, report.outcome, report.made);
    }
}

#[test]
fn the_same_seed_is_the_same_night() {
    for scenario in scenarios() {
        let calm = clean(&scenario);
        for seed in 1..=5 {
            let (one, other) = (random(&scenario, &calm, seed, None), random(&scenario, &calm, seed, None));
            assert_eq!(one.calls, other.calls, "{} seed {seed}", scenario.name);
            assert_eq!(one.made, other.made, "{} seed {seed}", scenario.name);
        }
    }
}

#[test]
fn every_fault_at_every_call_ends_like_a_clean_run() {
    let mut broken = Vec::new();
    for scenario in wanted() {
        let calm = clean(&scenario);
        for (number, call) in calm.calls.iter().enumerate().filter(|(number, _)| is_wanted(*number)) {
            for fault in Fault::all(call.form) {
                if let Err(reason) = one_fault(&scenario, &calm.made, number, *fault, None).outcome {
                    let what = &call.what;
                    broken.push(format!(
                        "{}: {fault:?} at call {number} ({what}): {}",
                        scenario.name, reason.0
                    ));
                }
            }
        }
    }
    none(&broken);
}

#[test]
fn two_rivals_held_at_every_call_make_one_document() {
    const LONG: Duration = Duration::from_secs(900);
    let faults = [
        Fault::HoldBefore(LONG),
        Fault::HoldAfter(LONG),
        Fault::CrashBefore,
        Fault::CrashAfter,
        Fault::DropAfter,
    ];
    let mut broken = Vec::new();
    for scenario in wanted() {
        let calm = clean(&scenario);
        for number in (0..calm.calls.len() * 2).filter(|number| is_wanted(*number)) {
            for fault in faults {
                let report = rivals(&scenario, &calm.made, number, fault, None);
                if let Err(reason) = report.outcome {
                    let what = report.calls.get(number).map(|call| call.what.clone()).unwrap_or_default();
                    broken.push(format!(
                        "{}: rivals, {fault:?} at call {number} ({what}): {}",
                        scenario.name, reason.0
                    ));
                }
            }
        }
    }
    none(&broken);
}

#[test]
fn clocks_further_apart_than_a_claim_lasts_make_nothing_twice() {
    let mut broken = Vec::new();
    for scenario in wanted() {
        let calm = clean(&scenario);
        for number in (0..calm.calls.len()).filter(|number| is_wanted(*number)) {
            if let Err(reason) = overtaken(&scenario, &calm.made, number, None).outcome {
                broken.push(format!("{}: overtaken at call {number}: {}", scenario.name, reason.0));
            }
        }
    }
    none(&broken);
}

#[test]
fn what_people_do_at_any_call_is_respected() {
    let mut broken = Vec::new();
    for scenario in wanted() {
        let calm = clean(&scenario);
        for intervention in scenario.interventions {
            for (number, call) in calm.calls.iter().enumerate() {
                let report = intervened(&scenario, &calm.made, number, *intervention);
                if let Err(reason) = report.outcome {
                    let (name, what) = (intervention.name, &call.what);
                    broken.push(format!(
                        "{}: {name} before call {number} ({what}): {}",
                        scenario.name, reason.0
                    ));
                }
            }
        }
    }
    none(&broken);
}

/// The scenarios, or the one that `STORM_SCENARIO` names.
fn wanted() -> Vec<Scenario> {
    let name = std::env::var("STORM_SCENARIO").ok();
    scenarios()
        .into_iter()
        .filter(|scenario| name.as_ref().is_none_or(|name| *name == scenario.name))
        .collect()
}

/// Every call when `STORM_SEEDS` asks for a whole storm, otherwise one in seven; or the one that `STORM_CALL` names.
fn is_wanted(call: usize) -> bool {
    match std::env::var("STORM_CALL").ok().and_then(|text| text.parse::<usize>().ok()) {
        Some(wanted) => wanted == call,
        None => std::env::var_os("STORM_SEEDS").is_some() || call % 7 == 3,
    }
}

fn none(broken: &[String]) {
    let shown: Vec<&str> = broken.iter().take(5).map(String::as_str).collect();
    assert!(
        broken.is_empty(),
        "{} schedules broke a promise; the first:\n{}",
        broken.len(),
        shown.join("\n\n")
    );
}

#[test]
fn random_nights() {
    let number = |name: &str| std::env::var(name).ok().and_then(|text| text.parse::<u64>().ok());
    let (first, last) = match number("STORM_SEED") {
        Some(seed) => (seed, seed),
        None => (1, number("STORM_SEEDS").unwrap_or(100)),
    };
    let next = AtomicU64::new(first);
    let broken = Mutex::new(Vec::new());
    let nights = || {
        let stories: Vec<(Scenario, _)> =
            wanted().into_iter().map(|scenario| (scenario, clean(&scenario))).collect();
        loop {
            let seed = next.fetch_add(1, Ordering::Relaxed);
            if seed > last {
                return;
            }
            let at = usize::try_from(seed).expect("a small seed") % stories.len();
            let (scenario, calm) = &stories[at];
            let report = random(scenario, calm, seed, None);
            if let Err(reason) = report.outcome {
                broken.lock().expect("no panic").push(format!(
                    "STORM_SEED={seed} STORM_SCENARIO={:?} cargo nextest run -p tests --test storm random_nights\n{}",
                    scenario.name, reason.0
                ));
            }
        }
    };
    std::thread::scope(|scope| {
        for _ in 0..std::thread::available_parallelism().map_or(1, std::num::NonZero::get) {
            scope.spawn(nights);
        }
    });
    none(&broken.into_inner().expect("no panic"));
}
