//! The checks are worth something: a Waybill without one of its protections is caught.

use tests::storm::{
    Drive, Fault, Sabotage, Scenario, World, check, clean, drive, one_fault, overtaken, random, rivals,
};

use crate::{due::MAIN_JOB, scenarios};

/// Whether a story of the main job shows it.
fn is_caught(sabotage: Sabotage) -> bool {
    scenarios().iter().filter(|scenario| scenario.flow.name == MAIN_JOB).any(|scenario| {
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
fn a_message_that_is_acknowledged_before_its_item_ended_is_caught() {
    let scenario = scenarios().into_iter().next().expect("a scenario");
    let calm = clean(&scenario);
    let lost = (0..calm.calls.len()).any(|call| {
        let early = Some(Sabotage::EarlyAcknowledgement);
        one_fault(&scenario, &calm.made, call, Fault::CrashBefore, early)
            .outcome
            .is_err_and(|broken| broken.0.contains("never begun"))
    });
    assert!(lost);
}

/// A worker that was overtaken must not write an ending of its own.
fn endings_are_doubled(sabotage: Option<Sabotage>) -> bool {
    let scenario = scenarios().into_iter().next().expect("a scenario");
    let calm = clean(&scenario);
    (0..calm.calls.len()).any(|call| {
        let outcome = overtaken(&scenario, &calm.made, call, sabotage).outcome;
        outcome.is_err_and(|broken| broken.0.contains("ended twice"))
    })
}

#[test]
fn a_ledger_without_fences_is_caught() {
    assert!(!endings_are_doubled(None), "with fences, an overtaken worker ends nothing");
    assert!(endings_are_doubled(Some(Sabotage::NoFencing)));
}

/// Bytes changed on the way to the target, under a rule that only compares sizes.
#[test]
fn a_verification_without_hashes_is_caught() {
    let story = scenarios().into_iter().next().expect("a scenario");
    let rules: &'static str =
        format!("{}\n", story.rules.replace("after = \"tag\"", "limits.verify = \"size\"")).leak();
    let blind = Scenario { rules, ..story };
    let is_damaged = |scenario: &Scenario| {
        let calm = clean(scenario);
        (0..calm.calls.len()).any(|call| {
            let outcome = one_fault(scenario, &calm.made, call, Fault::FlipRequest, None).outcome;
            outcome.is_err_and(|broken| broken.0.contains("bytes nobody uploaded"))
        })
    };
    assert!(!is_damaged(&story), "with hashes, a damaged document does not stay");
    assert!(is_damaged(&blind));
}

/// One item was put aside, which excuses its own document and no other.
#[tokio::test(start_paused = true)]
async fn a_document_that_vanished_is_not_excused_by_another_item_that_was_put_aside() {
    let story = scenarios().into_iter().find(|story| story.name == "one bad among good ones");
    let story = story.expect("the scenario");
    let world = World::new(&story, std::collections::BTreeMap::new(), None, 1).await;
    for object in (story.objects)() {
        world.upload(&object).await;
    }
    assert!(drive(&world, story.flow, Drive::default()).await);
    let calm = world.made();
    assert!(check(&world, &story, true, &calm).is_ok());
    world.content_server.with_state(|state| {
        let lost = state.nodes.values().find(|node| node.name == "c.pdf").map(|node| node.id);
        state.nodes.remove(&lost.expect("a document"));
    });
    let broken = check(&world, &story, true, &calm).expect_err("a document is missing");
    assert!(broken.0.contains("differs from a clean run"), "{}", broken.0);
}
