//! The checks are worth something: a Waybill without one of its protections is caught.

use tests::storm::{Fault, Sabotage, clean, random, rivals};

use crate::scenarios;

fn is_caught(sabotage: Sabotage) -> bool {
    scenarios().iter().any(|scenario| {
        let calm = clean(scenario);
        let rival = (0..calm.calls.len() * 2).any(|number| {
            [Fault::CrashAfter, Fault::DropAfter, Fault::HoldAfter(std::time::Duration::from_secs(900))]
                .into_iter()
                .any(|fault| rivals(scenario, &calm.made, number, fault, Some(sabotage)).outcome.is_err())
        });
        rival || (1..200).any(|seed| random(scenario, &calm, seed, Some(sabotage)).outcome.is_err())
    })
}

#[test]
fn a_flow_that_does_not_look_before_it_repeats_is_caught() {
    assert!(is_caught(Sabotage::NoProbe));
}

#[test]
fn a_ledger_without_fences_is_caught() {
    assert!(is_caught(Sabotage::NoFencing));
}
