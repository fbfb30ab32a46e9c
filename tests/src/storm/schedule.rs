//! Schedules: the clean run, one fault at one call, two rivals, random nights.

use std::collections::BTreeMap;

use rand::{RngExt, SeedableRng, rngs::StdRng, seq::IndexedRandom};

use super::{
    Broken, Call, Deed, Drive, Fault, Sabotage, Scenario, World, check,
    check::{nothing_is_given_up, nothing_is_lost},
    drive,
    made::Made,
};

/// What a run was like.
#[derive(Debug)]
pub struct Report {
    /// The calls it made.
    pub calls: Vec<Call>,
    /// What is in the target afterwards.
    pub made: Made,
    /// How its items ended, or what did not hold.
    pub outcome: Result<BTreeMap<String, usize>, Broken>,
}

/// Runs on one thread and a paused clock. `STORM_LOG=info` shows what the flow says meanwhile.
fn run<T>(story: impl Future<Output = T>) -> T {
    if let Ok(filter) = std::env::var("STORM_LOG") {
        let _ = tracing_subscriber::fmt().with_env_filter(filter).without_time().with_ansi(false).try_init();
    }
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().start_paused(true).build();
    runtime.expect("a runtime").block_on(story)
}

/// The run without faults.
pub fn clean(scenario: &Scenario) -> Report {
    as_told(scenario, Drive::default(), Night::default())
}

/// The run without faults in which the last upload's event comes first, one after the other.
pub fn backwards(scenario: &Scenario) -> Report {
    as_told(scenario, Drive { batch: 1, ..Drive::default() }, Night { backwards: true, ..Night::default() })
}

fn as_told(scenario: &Scenario, how: Drive, night_of: Night) -> Report {
    let report = night(scenario, BTreeMap::new(), None, how, 1, None, night_of);
    let expected =
        [("delivered", scenario.clean.0), ("skipped", scenario.clean.1), ("quarantined", scenario.clean.2)];
    let expected: BTreeMap<String, usize> = expected
        .into_iter()
        .filter(|(_, count)| *count > 0)
        .map(|(name, count)| (name.to_owned(), count))
        .collect();
    let outcome = report.outcome.and_then(|endings| {
        if endings == expected {
            Ok(endings)
        } else {
            Err(Broken(format!("ended as {endings:?}, expected {expected:?}")))
        }
    });
    Report { outcome, ..report }
}

/// One fault at the n-th call, then redelivery.
pub fn one_fault(
    scenario: &Scenario,
    clean: &Made,
    call: usize,
    fault: Fault,
    sabotage: Option<Sabotage>,
) -> Report {
    night(scenario, [(call, fault)].into(), sabotage, Drive::default(), 1, Some(clean), Night::default())
}

/// No faults, but somebody does something in one of the systems immediately before the n-th call.
pub fn intervened(scenario: &Scenario, clean: &Made, call: usize, deed: Deed) -> Report {
    let night_of = Night { intervention: Some((call, deed)), ..Night::default() };
    night(scenario, BTreeMap::new(), None, Drive::default(), 1, Some(clean), night_of)
}

/// Two workers, every message twice, the n-th call held.
pub fn rivals(
    scenario: &Scenario,
    clean: &Made,
    call: usize,
    fault: Fault,
    sabotage: Option<Sabotage>,
) -> Report {
    doubled(scenario, clean, [(call, fault)].into(), 15, sabotage)
}

/// The same, and nothing is held.
pub fn undisturbed_rivals(scenario: &Scenario, clean: &Made) -> Report {
    doubled(scenario, clean, BTreeMap::new(), 15, None)
}

/// Two workers whose clocks are two minutes apart, so that one takes over what the other still works on; every message
/// twice, the n-th call slow.
pub fn overtaken(scenario: &Scenario, clean: &Made, call: usize, sabotage: Option<Sabotage>) -> Report {
    let slow = Fault::HoldAfter(std::time::Duration::from_secs(20));
    doubled(scenario, clean, [(call, slow)].into(), 120, sabotage)
}

fn doubled(
    scenario: &Scenario,
    clean: &Made,
    plan: BTreeMap<usize, Fault>,
    clock_off: i64,
    sabotage: Option<Sabotage>,
) -> Report {
    let how = Drive { batch: 1, workers: 2, clock_off };
    night(scenario, plan, sabotage, how, 1, Some(clean), Night { doubled: true, ..Night::default() })
}

/// A random night: one seed, one schedule.
pub fn random(scenario: &Scenario, clean: &Report, seed: u64, sabotage: Option<Sabotage>) -> Report {
    let mut dice = StdRng::seed_from_u64(seed);
    let calls = clean.calls.len();
    let mut plan = BTreeMap::new();
    for _ in 0..dice.random_range(1..=6) {
        // Later calls than the clean run has are met by redeliveries.
        let at = dice.random_range(0..calls * 2);
        let form = clean.calls.get(at % calls).map_or(super::Form::Vendor, |call| call.form);
        if let Some(fault) = Fault::all(form).choose(&mut dice) {
            plan.insert(at, *fault);
        }
    }
    let how = Drive {
        batch: dice.random_range(1..=10),
        workers: dice.random_range(1..=3),
        clock_off: dice.random_range(-15..=15),
    };
    let night_of = Night {
        doubled: dice.random_bool(0.5),
        shuffled: dice.random_bool(0.5),
        redriven: dice.random_bool(0.5),
        ..Night::default()
    };
    night(scenario, plan, sabotage, how, seed, Some(&clean.made), night_of)
}

#[derive(Debug, Clone, Copy, Default)]
struct Night {
    doubled: bool,
    shuffled: bool,
    /// In the morning a person redrives what is in the dead-letter queue.
    redriven: bool,
    backwards: bool,
    /// What somebody does before which call.
    intervention: Option<(usize, Deed)>,
}

fn night(
    scenario: &Scenario,
    plan: BTreeMap<usize, Fault>,
    sabotage: Option<Sabotage>,
    how: Drive,
    seed: u64,
    clean: Option<&Made>,
    night: Night,
) -> Report {
    // Several faults may use up the times an item is tried.
    // Whoever's clock is minutes ahead may think that it has waited long enough.
    let is_one = plan.len() == 1 && how.clock_off.abs() <= 15;
    let only = plan.first_key_value().map(|(call, fault)| (*call, *fault)).filter(|_| is_one);
    run(async {
        let world = World::new(scenario, plan, sabotage, seed).await;
        for object in (scenario.objects)() {
            world.upload(&object).await;
        }
        let mut events = world.events();
        events.extend((scenario.messages)(&world));
        let told = events.len();
        if let Some((call, deed)) = night.intervention {
            let (content_server, iconik) = (world.content_server.clone(), world.iconik.clone());
            let preservica = world.preservica.clone();
            world.tap.before(call, move || deed.act(&content_server, iconik.as_ref(), preservica.as_ref()));
        }
        if night.backwards {
            events.reverse();
        }
        if night.doubled {
            events = events.iter().flat_map(|event| [event.clone(), event.clone()]).collect();
        }
        if night.shuffled {
            use rand::seq::SliceRandom;
            events.shuffle(&mut StdRng::seed_from_u64(seed));
        }
        for event in &events {
            world.send(event).await;
        }
        let work = async {
            let mut quiet = drive(&world, scenario.flow, how).await;
            if night.intervention.is_some() {
                for event in (scenario.told)(&world) {
                    world.send(&event).await;
                }
                quiet = quiet && drive(&world, scenario.flow, how).await;
            }
            if night.redriven && quiet && world.redrive(None).await > 0 {
                return drive(&world, scenario.flow, how).await;
            }
            quiet
        };
        let (quiet, ()) = tokio::join!(work, world.live(scenario));
        let made = world.made();
        let mut outcome = check(&world, scenario, quiet, clean.unwrap_or(&made));
        if night.intervention.is_none() {
            outcome = outcome.and_then(|endings| {
                nothing_is_lost(&world, scenario, told, &endings)?;
                let calls = world.tap.calls();
                let met = only.and_then(|(call, fault)| Some((calls.get(call)?.form, fault)));
                if met.is_some_and(|(form, fault)| fault.passes(form)) {
                    nothing_is_given_up(&world, scenario)?;
                }
                Ok(endings)
            });
        }
        Report { calls: world.tap.calls(), made, outcome }
    })
}
