//! A write whose answer was lost may take effect half a minute later, though the same was sent again and carried out; and
//! whatever is to follow it may be carried out before. So may a write of a worker whose work another one, with a clock two
//! minutes ahead, has taken over.

use std::time::Duration;

use tests::storm::{Call, Fault, Form, Report, Scenario, clean, one_fault, overtaken};

use crate::{
    scenarios,
    weather::{each, none},
};

fn story(name: &str) -> (Scenario, Report) {
    let scenario = scenarios().into_iter().find(|scenario| scenario.name == name).expect("the story");
    let calm = clean(&scenario);
    (scenario, calm)
}

/// Each of the meant calls of a story comes late, in a run of its own.
fn every_one_late(name: &str, is_meant: impl Fn(&Call) -> bool + Sync) {
    let (scenario, calm) = story(name);
    let meant: Vec<usize> = (0..calm.calls.len()).filter(|number| is_meant(&calm.calls[*number])).collect();
    assert!(meant.len() > 1, "{name} has no such calls: {:?}", calm.calls);
    none(&each(&meant, |number| {
        let fault = Fault::LateEffect(Duration::from_secs(30));
        let reason = one_fault(&scenario, &calm.made, *number, fault, None).outcome.err()?;
        Some(format!("{name}: call {number} ({}) comes late: {}", calm.calls[*number].what, reason.0))
    }));
}

#[test]
fn who_lost_access_and_got_it_back_has_it() {
    every_one_late("a release ends and is renewed", |call| {
        call.form == Form::Vendor && call.what.starts_with("PUT ") && call.what.contains("/permissions/")
    });
}

#[test]
fn an_address_that_was_taken_out_of_a_field_stays_out_and_the_other_stays_in() {
    every_one_late("certificates are addresses in a field", |call| {
        call.form == Form::Iconik && call.what.starts_with("PUT ") && call.what.contains("/views/")
    });
}

#[test]
fn one_refusal_leaves_nothing_that_tells_of_what_is_confidential() {
    let (scenario, calm) = story("a contract becomes confidential");
    let is_metadata = |call: &Call| call.form == Form::Iconik && call.what.contains("/views/");
    let meant: Vec<usize> =
        (0..calm.calls.len()).filter(|number| is_metadata(&calm.calls[*number])).collect();
    assert!(!meant.is_empty(), "{:?}", calm.calls);
    none(&each(&meant, |number| {
        let reason = one_fault(&scenario, &calm.made, *number, Fault::Refused(403), None).outcome.err()?;
        Some(format!("call {number} ({}) is refused: {}", calm.calls[*number].what, reason.0))
    }));
}

/// At each call of a story somebody with a clock two minutes ahead takes the work over.
fn overtaken_everywhere(name: &str) {
    let (scenario, calm) = story(name);
    let calls: Vec<usize> = (0..calm.calls.len()).collect();
    none(&each(&calls, |number| {
        let reason = overtaken(&scenario, &calm.made, *number, None).outcome.err()?;
        Some(format!("overtaken at call {number} ({}): {}", calm.calls[*number].what, reason.0))
    }));
}

#[test]
fn of_two_who_make_the_same_link_at_the_same_moment_one_takes_its_own_back() {
    overtaken_everywhere("a contract becomes confidential");
    overtaken_everywhere("a contract gets another name and a version");
}

#[test]
fn who_wrote_over_what_another_put_into_a_field_has_it_put_there_again() {
    overtaken_everywhere("certificates are addresses in a field");
}
