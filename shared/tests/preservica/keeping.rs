//! Retention policies and legal holds.

use shared::{
    error::FailureClass,
    preservica::{EntityKind, Policy},
};
use simulators::{
    faults::{Action, Rule},
    preservica::{self as simulator, seed},
};

use crate::world::{client_of, ours, seeded, tenant};

#[tokio::test(start_paused = true)]
async fn preservica_policies_are_made_and_assigned_once() {
    let (simulator, client) = tenant(simulator::Settings::default());
    let manager = client_of(&simulator, ours(), seed::MANAGER);
    let new = Policy {
        name: "Ten years".to_owned(),
        security_tag: Some("open".to_owned()),
        start_date_field: Some("xip.created".to_owned()),
        period: Some("10".to_owned()),
        period_unit: Some("YEAR".to_owned()),
        expiry_action: Some("REVIEW".to_owned()),
        restriction: Some("DELETE".to_owned()),
        is_assignable: true,
        ..Policy::default()
    };
    let id = manager.create_policy(&new).await.unwrap();
    assert_eq!(client.get_policy(&id).await.unwrap(), new);
    let names: Vec<String> =
        client.policies().all().await.unwrap().into_iter().map(|(_, name)| name).collect();
    assert!(
        names.contains(&"Ten years".to_owned()) && names.contains(&"Seven years".to_owned()),
        "{names:?}"
    );
    let spring = seeded(&simulator, "Spring launch");
    simulator
        .faults()
        .add(Rule::next(Action::DropAfterEffect).on("POST", "/retention-assignments$"))
        .unwrap();
    let made = client.ensure_assignment(&spring, &id).await.unwrap();
    assert_eq!((&made.policy, made.is_expired), (&id, Some(false)));
    assert_eq!(client.ensure_assignment(&spring, &id).await.unwrap(), made);
    assert_eq!(client.assignments(&spring).await.unwrap().len(), 1);
    for _ in 0..2 {
        client.remove_assignment(&spring, &made.id).await.unwrap();
    }
    assert!(client.assignments(&spring).await.unwrap().is_empty());
    // Whoever does not manage makes none.
    let error = client.create_policy(&new).await.unwrap_err();
    assert_eq!(error.class(), FailureClass::Forbidden);
}

#[tokio::test(start_paused = true)]
async fn preservica_keeps_what_is_held_or_restricted_until_its_time_is_over() {
    let (simulator, client) = tenant(simulator::Settings::default());
    let manager = client_of(&simulator, ours(), seed::MANAGER);
    let (spring, report) = (seeded(&simulator, "Spring launch"), seeded(&simulator, "Annual report"));
    let hold = client.holds(Some("Dispute of 2030")).await.unwrap().remove(0);
    simulator.faults().add(Rule::next(Action::DropAfterEffect).on("POST", "/legal-holds$")).unwrap();
    for _ in 0..2 {
        client.ensure_hold(&spring, &hold.id).await.unwrap();
    }
    assert_eq!(client.holds_of(&spring).await.unwrap(), std::slice::from_ref(&hold.id));
    for asset in [&spring, &report] {
        let error = client.ask_removal((EntityKind::Asset, asset), "away").await.unwrap_err();
        assert_eq!((error.class(), error.code()), (FailureClass::Forbidden, "preservica.against-a-rule"));
    }
    // What is above it neither.
    let campaigns = seeded(&simulator, "Campaigns");
    let error = client.ask_removal((EntityKind::Folder, &campaigns), "away").await.unwrap_err();
    assert_eq!(error.code(), "preservica.against-a-rule");
    client.release_hold(&spring, &hold.id).await.unwrap();
    client.release_hold(&spring, &hold.id).await.unwrap();
    client.ask_removal((EntityKind::Asset, &spring), "away").await.unwrap();
    simulator.clock().advance(jiff::SignedDuration::from_hours(8 * 366 * 24));
    client.ask_removal((EntityKind::Asset, &report), "its time is over").await.unwrap();
    assert_eq!(client.assignments(&report).await.unwrap()[0].is_expired, Some(true));
    // Nobody says with which status it is refused, or whether.
    simulator.with_state(|state| state.settings.deletion.held_status = None);
    client.ensure_hold(&spring, &hold.id).await.unwrap();
    client.ask_removal((EntityKind::Asset, &spring), "away").await.unwrap();
    let made = manager.create_hold("Other", "x").await.unwrap();
    assert_eq!(client.holds(None).await.unwrap().len(), 2);
    assert_eq!(made.name, "Other");
}

#[tokio::test(start_paused = true)]
async fn preservica_before_9_1_has_no_legal_holds_and_is_not_asked_for_any() {
    for (version, offered) in
        [("7.7.0", false), ("8.3.0", false), ("9.0.0", false), ("9.1.0", true), ("10.0", true)]
    {
        let (simulator, client) =
            tenant(simulator::Settings { version: version.to_owned(), ..simulator::Settings::default() });
        match client.holds(None).await {
            Ok(holds) => assert!(offered && holds.len() == 1, "{version}"),
            Err(error) => {
                assert_eq!((offered, error.code()), (false, "preservica.needs-version"), "{version}");
                assert!(
                    !simulator.journal().entries().iter().any(|entry| entry.path.contains("legal-holds"))
                );
            }
        }
    }
}
