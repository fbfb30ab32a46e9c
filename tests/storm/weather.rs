//! The schedules every scenario goes through.

use std::time::Duration;

use tests::storm::{Fault, Scenario, clean, one_fault, random, rivals};

use crate::scenarios;

#[test]
fn without_faults_every_story_ends_as_told() {
    for scenario in scenarios() {
        let report = clean(&scenario);
        assert!(report.outcome.is_ok(), "{}: {:?}\n{}", scenario.name, report.outcome, report.render);
    }
}

#[test]
fn the_same_seed_is_the_same_night() {
    for scenario in scenarios() {
        let calm = clean(&scenario);
        for seed in 1..=5 {
            let (one, other) = (random(&scenario, &calm, seed, None), random(&scenario, &calm, seed, None));
            assert_eq!(one.calls, other.calls, "{} seed {seed}", scenario.name);
            assert_eq!(one.render, other.render, "{} seed {seed}", scenario.name);
        }
    }
}

#[test]
fn every_fault_at_every_call_ends_like_a_clean_run() {
    for scenario in scenarios() {
        let calm = clean(&scenario);
        for (number, call) in calm.calls.iter().enumerate() {
            for fault in Fault::all(call.form) {
                let report = one_fault(&scenario, &calm.render, number, *fault, None);
                assert!(
                    report.outcome.is_ok(),
                    "{}: {fault:?} at call {number} ({}): {}",
                    scenario.name,
                    call.what,
                    report.outcome.unwrap_err().0
                );
            }
        }
    }
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
    for scenario in scenarios() {
        let calm = clean(&scenario);
        for number in 0..calm.calls.len() * 2 {
            for fault in faults {
                let report = rivals(&scenario, &calm.render, number, fault, None);
                assert!(
                    report.outcome.is_ok(),
                    "{}: rivals, {fault:?} at call {number}: {}",
                    scenario.name,
                    report.outcome.unwrap_err().0
                );
            }
        }
    }
}

#[test]
fn random_nights() {
    let number = |name: &str| std::env::var(name).ok().and_then(|text| text.parse::<u64>().ok());
    let (first, last) = match number("STORM_SEED") {
        Some(seed) => (seed, seed),
        None => (1, number("STORM_SEEDS").unwrap_or(200)),
    };
    let wanted = std::env::var("STORM_SCENARIO").ok();
    let stories: Vec<(Scenario, _)> = scenarios()
        .into_iter()
        .filter(|scenario| wanted.as_ref().is_none_or(|name| *name == scenario.name))
        .map(|scenario| {
            let calm = clean(&scenario);
            (scenario, calm)
        })
        .collect();
    let mut broken = Vec::new();
    for seed in first..=last {
        let at = usize::try_from(seed).expect("a small seed") % stories.len();
        let (scenario, calm) = &stories[at];
        let report = random(scenario, calm, seed, None);
        if let Err(reason) = report.outcome {
            broken.push(format!(
                "STORM_SEED={seed} STORM_SCENARIO={:?} cargo nextest run -p tests --test storm random_nights\n{}",
                scenario.name, reason.0
            ));
        }
    }
    assert!(
        broken.is_empty(),
        "{} of {} nights broke a promise:\n{}",
        broken.len(),
        last + 1 - first,
        broken.join("\n\n")
    );
}
