//! What `exchange-review-status` tells each side in full: version, time and who; and a dry run, which tells nobody.

use std::collections::BTreeMap;

use iconik_content_server::{EXCHANGE_REVIEW_STATUS, review_rules::SAMPLE};
use serde_json::{Value, json};
use shared::iconik::moment;
use simulators::{
    content_server::state::{Attribute, AttributeKind},
    iconik::seed,
};
use tests::{
    repository,
    storm::{Drive, Scenario, World, drive},
};

use crate::exchange_review_status::{asset, document, hint, prepare, told};

const APPROVAL: &str = "Document Approval";
const REVIEW: &str = "Review";

/// The packaged rules, which also read when it was decided and what was said.
fn rules() -> &'static str {
    let read = "decided_by = \"Approver\"\n";
    assert!(SAMPLE.contains(read));
    SAMPLE.replace(read, &format!("{read}decided = \"Decided At\"\nremark = \"Conditions\"\n")).leak()
}

/// The category has a place for it, and the document says so.
fn decided(world: &World) {
    world.content_server.with_state(|state| {
        let id = state.category_named(APPROVAL).expect("the category").id;
        let attributes = &mut state.categories.get_mut(&id).expect("the category").attributes;
        attributes.push(Attribute::new(20, "Decided At", AttributeKind::Date { with_time: true }));
        attributes.push(Attribute::new(21, "Conditions", AttributeKind::Text { max_length: 254 }));
    });
    prepare(world);
    let node = document(world).expect("the document");
    let said = "Nur f\u{fc}r Fachkreise \u{202e}gpj.exe";
    for (attribute, value) in [("Decided At", "2031-05-04T22:30:00"), ("Conditions", said)] {
        repository::set_value(&world.content_server, node, APPROVAL, attribute, value.into());
    }
}

async fn world_of(rules: &'static str, prepare: fn(&World)) -> World {
    let story = Scenario::of_iconik(
        "reasons",
        &EXCHANGE_REVIEW_STATUS,
        rules,
        prepare,
        |world| vec![hint(world, "1")],
        (1, 1, 0),
    );
    World::new(&story, BTreeMap::new(), None, 1).await
}

async fn deal_with(world: &World, occasion: &str) {
    world.send(&hint(world, occasion)).await;
    assert!(drive(world, &EXCHANGE_REVIEW_STATUS, Drive::default()).await, "the queue never becomes quiet");
}

/// What the document is told of the review.
fn of_document(world: &World, attribute: &str) -> Option<Value> {
    let node = document(world).expect("the document");
    repository::value(&world.content_server, node, REVIEW, attribute)
}

/// When the review of the film changed last, as Content Server writes it.
fn changed(world: &World) -> Value {
    let changed = world.iconik().with_state(|state| {
        let key = state.approval_key("assets", &asset(state), None).expect("a review");
        state.approval(&key).expect("a review").change_date.clone()
    });
    let changed = changed.as_str().and_then(moment).expect("a moment");
    changed.strftime("%Y-%m-%dT%H:%M:%S").to_string().into()
}

#[tokio::test(start_paused = true)]
async fn the_document_is_told_which_version_was_reviewed_when_and_who_approved() {
    let world = world_of("", prepare).await;
    deal_with(&world, "1").await;
    // One of the two has approved so far.
    let (first, said) = (changed(&world), of_document(&world, "Changed At"));
    assert_eq!(said, Some(first.clone()));
    assert_eq!(of_document(&world, "Status"), Some("MIXED".into()));
    assert_eq!(of_document(&world, "Version"), Some(2.into()), "the second version of the film is reviewed");
    assert_eq!(of_document(&world, "Approved By"), Some("Campaign Producer".into()));
    assert_eq!(of_document(&world, "Open Comments"), Some(2.into()));

    tokio::time::sleep(std::time::Duration::from_secs(3600)).await;
    world.iconik().with_state(|state| {
        let key = state.approval_key("assets", &asset(state), None).expect("a review");
        state.decide(seed::REVIEWER, &key, "APPROVED").expect("a verdict");
    });
    deal_with(&world, "2").await;
    let second = changed(&world);
    assert_ne!(second, first);
    assert_eq!(of_document(&world, "Changed At"), Some(second));
    assert_eq!(of_document(&world, "Status"), Some("APPROVED".into()));
    assert_eq!(of_document(&world, "Version"), Some(2.into()));
    assert_eq!(of_document(&world, "Approved By"), Some("Campaign Producer; Brand Reviewer".into()));

    // A verdict that is taken back is nobody's any more.
    world.iconik().with_state(|state| {
        let key = state.approval_key("assets", &asset(state), None).expect("a review");
        state.take_back(seed::PRODUCER, &key, seed::PRODUCER).expect("taken back");
    });
    deal_with(&world, "3").await;
    assert_eq!(of_document(&world, "Approved By"), Some("Brand Reviewer".into()));
}

#[tokio::test(start_paused = true)]
async fn the_asset_is_told_when_the_document_was_decided_about_and_what_was_said() {
    let world = world_of(rules(), decided).await;
    deal_with(&world, "1").await;
    let said = world.iconik().with_state(|state| {
        let id = asset(state);
        let comments = state
            .review
            .segments
            .objects()
            .filter(|held| held["asset_id"] == id.as_str() && held["user_id"] == seed::SERVICE);
        comments.map(|held| held["segment_text"].as_str().unwrap_or_default().to_owned()).collect::<Vec<_>>()
    });
    let beginning =
        "Content Server: Approved by Claims Reviewer (claims.reviewer) on 2031-05-04, version 1. ";
    assert_eq!(said.len(), 1, "{said:?}");
    let remark = said[0].strip_prefix(beginning).unwrap_or_else(|| panic!("{said:?}"));
    assert!(remark.contains("Nur f\u{fc}r Fachkreise"), "{remark:?}");
    let [comments, history] = told(&world);
    assert_eq!((comments.len(), history.len()), (1, 1));
    assert!(history[0].starts_with(&said[0]), "{history:?}");
    // The evidence has both as they are.
    let entries: Vec<Value> = crate::exchange_review_status::chain(&world)
        .iter()
        .map(|line| serde_json::from_str(line).expect("JSON"))
        .filter(|entry: &Value| entry["detail"]["kind"] == "document")
        .collect();
    assert_eq!(entries.len(), 1, "{entries:#?}");
    let detail = &entries[0]["detail"];
    assert_eq!(detail["happened"], "2031-05-04T22:30:00Z");
    assert_eq!(detail["text"], "Nur f\u{fc}r Fachkreise \u{202e}gpj.exe");

    // Another condition is another state, and is told too.
    let node = document(&world).expect("the document");
    repository::set_value(&world.content_server, node, APPROVAL, "Conditions", json!("None"));
    deal_with(&world, "2").await;
    let [comments, history] = told(&world);
    assert_eq!((comments.len(), history.len()), (2, 2));
    assert!(history.iter().any(|said| said.contains("version 1. None")), "{history:?}");
}

#[tokio::test(start_paused = true)]
async fn a_dry_run_says_what_it_would_do_and_writes_on_neither_side() {
    let world = world_of("", prepare).await.dry();
    let before = world.made().to_string();
    deal_with(&world, "1").await;
    assert_eq!(world.made().to_string(), before, "neither side was written");
    assert_eq!(of_document(&world, "Status"), None);
    assert_eq!(told(&world), [Vec::<String>::new(), Vec::new()]);
    assert!(crate::exchange_review_status::chain(&world).is_empty(), "no evidence was begun");
    assert_eq!(world.waiting(), 0, "it does not ask itself again");
}
