//! Metadata of an asset and of its document is kept equal, field by field; what cannot be decided waits for a person, who decides
//! it; what we write ourselves starts nothing.

use std::time::{Duration, Instant};

use iconik_content_server::sync_asset_metadata::{
    memory::{Memory, Recorded},
    state::{Cause, Decision, Grounds, Resolution, Side},
};
use serde_json::{Value, json};
use simulators::{
    content_server::state::ADMIN,
    faults::{Action, Rule},
    iconik::{Settings as IconikSettings, seed},
};
use tests::paired::{self, CAMPAIGN, Pair, held};

use crate::world::{PATIENCE, Usual, World};

fn usual() -> Usual {
    Usual { iconik: Some(IconikSettings::default()), ..Usual::of("sync-asset-metadata") }
}

/// A campaign's master and its document, about which only legal has said something.
async fn paired(usual: Usual) -> (World, Pair) {
    let world = World::with(usual).await;
    paired::plant(&world.ecm, CAMPAIGN);
    let pair = paired::pair(&world.ecm, world.iconik(), CAMPAIGN);
    file(&world, &pair, "Rights Status", json!("Restricted use"));
    (world, pair)
}

fn file(world: &World, pair: &Pair, attribute: &str, value: Value) {
    tests::repository::set_value(&world.ecm, pair.node, CAMPAIGN.category, attribute, value);
}

fn edit(world: &World, pair: &Pair, field: &str, value: Value) {
    paired::edit(world.iconik(), &pair.asset, CAMPAIGN.view, field, &value).expect("iconik takes it");
}

fn filed(world: &World, pair: &Pair, attribute: &str) -> Value {
    world.value(pair.node, CAMPAIGN.category, attribute).unwrap_or_default()
}

async fn told(world: &World, pair: &Pair) {
    world.iconik_change("assets", &pair.asset).await;
    world.settle().await;
}

fn memory(world: &World) -> Memory {
    Memory::new(world.ledger())
}

async fn history(world: &World, pair: &Pair) -> Vec<Recorded> {
    memory(world).history(&pair.asset).await.expect("the history")
}

/// Calls by which the flow changed something in either system.
fn writes(world: &World) -> usize {
    let count = |entries: Vec<simulators::journal::Entry>| {
        let is_write = |path: &str| path.contains("/metadata/v1/assets/") || path.contains("/categories");
        let writes = entries.iter().filter(|entry| entry.method != "GET" && is_write(&entry.path));
        writes.count()
    };
    count(world.ecm.journal().entries()) + count(world.iconik().journal().entries())
}

#[tokio::test]
async fn each_side_takes_what_the_other_has_and_the_echo_is_silent() {
    let (world, pair) = paired(usual()).await;
    told(&world, &pair).await;
    assert_eq!(world.endings().await, ["delivered"], "{}", world.told());
    assert_eq!(filed(&world, &pair, "Project"), json!("CMP-2031-014"));
    assert_eq!(filed(&world, &pair, "Region"), json!(["APAC", "EMEA"]));
    assert_eq!(filed(&world, &pair, "Language"), json!(["German", "English"]));
    assert_eq!(filed(&world, &pair, "Keywords"), json!("ferry; harbour"));
    assert_eq!(held(world.iconik(), &pair.asset, "RightsStatus"), [json!("restricted")], "legal's own");
    let overruled = history(&world, &pair).await;
    let [rights] = overruled.as_slice() else { panic!("{overruled:?}") };
    let took = Resolution::Took { side: Side::ContentServer, grounds: Grounds::Owner };
    assert_eq!((rights.conflict.field.as_str(), rights.conflict.resolution), ("rights-status", took));

    // What we wrote ourselves is told by both systems, and changes nothing.
    let so_far = writes(&world);
    world.iconik_change("assets", &pair.asset).await;
    world.change(pair.node).await;
    world.settle().await;
    assert_eq!(world.endings().await, ["delivered", "skipped sync.equal", "skipped sync.equal"]);
    assert_eq!(writes(&world), so_far, "{}", world.told());

    // One side changes: the other takes it, in both directions, without a conflict.
    edit(&world, &pair, "Campaign", json!("Harbour Lights 2032"));
    file(&world, &pair, "Rights Expiry", json!("2034-01-31"));
    file(&world, &pair, "Language", json!(["Norwegian"]));
    world.change(pair.node).await;
    world.settle().await;
    assert_eq!(filed(&world, &pair, "Campaign"), json!("Harbour Lights 2032"), "{}", world.told());
    assert_eq!(held(world.iconik(), &pair.asset, "ExpiryDate"), [json!("2034-01-31")]);
    assert_eq!(held(world.iconik(), &pair.asset, "Language"), [json!("nb")]);
    assert_eq!(history(&world, &pair).await.len(), 1);
    assert!(!world.audit_of_node(pair.node).await.is_empty(), "what the document told is in its audit");
}

#[tokio::test]
async fn what_two_people_said_waits_until_a_third_decides_and_the_flow_carries_it_out() {
    let (world, pair) = paired(usual()).await;
    file(&world, &pair, "Business Owner", json!("legal@example.com"));
    told(&world, &pair).await;
    let waiting = memory(&world).waiting(Some(&pair.asset)).await.expect("what waits");
    let [owner] = waiting.as_slice() else { panic!("{waiting:?}; {}", world.told()) };
    assert_eq!(owner.conflict.resolution, Resolution::Waits { cause: Cause::Manual });
    assert_eq!(held(world.iconik(), &pair.asset, "Owner"), [json!("producer@example.com")]);
    assert_eq!(
        filed(&world, &pair, "Business Owner"),
        json!("legal@example.com"),
        "until then each keeps its own"
    );

    let decision = Decision {
        conflict: owner.conflict.id.clone(),
        take: Side::ContentServer,
        by: "steward@example.com".to_owned(),
    };
    memory(&world).decide(&decision).await.expect("it waits");
    world.request(pair.node, "sync").await;
    world.settle().await;
    assert_eq!(held(world.iconik(), &pair.asset, "Owner"), [json!("legal@example.com")], "{}", world.told());
    assert!(memory(&world).waiting(None).await.expect("what waits").is_empty());
    let told = history(&world, &pair).await;
    let took = Resolution::Took { side: Side::ContentServer, grounds: Grounds::Person };
    assert!(told.iter().any(|recorded| recorded.conflict.resolution == took), "{told:?}");
    // Who decides it again comes too late.
    assert_eq!(memory(&world).decide(&decision).await.unwrap_err().code(), "conflict.unknown");
}

#[tokio::test]
async fn an_option_that_is_not_in_the_list_waits_and_keeps_nothing_else_from_its_place() {
    let (world, pair) = paired(usual()).await;
    told(&world, &pair).await;
    file(&world, &pair, "Rights Status", json!("Lapsed")); // in the category, not in the rules
    file(&world, &pair, "Language", json!(["Japanese"]));
    file(&world, &pair, "Business Owner", json!("nobody in particular")); // iconik wants an address
    edit(&world, &pair, "Region", json!(["AMER"]));
    told(&world, &pair).await;
    assert_eq!(world.endings().await, ["delivered", "delivered"], "{}", world.told());
    assert_eq!(held(world.iconik(), &pair.asset, "Language"), [json!("ja")], "the rest is in its place");
    assert_eq!(filed(&world, &pair, "Region"), json!(["AMER"]));
    let mut waiting = memory(&world).waiting(None).await.expect("what waits");
    waiting.sort_by(|one, other| one.conflict.field.cmp(&other.conflict.field));
    let causes: Vec<(String, String)> = waiting
        .iter()
        .map(|recorded| (recorded.conflict.field.clone(), format!("{:?}", recorded.conflict.resolution)))
        .collect();
    assert_eq!(causes.len(), 2, "{causes:?}");
    assert!(causes[0].0 == "owner" && causes[0].1.contains("Refused"), "{causes:?}");
    assert!(causes[1].0 == "rights-status" && causes[1].1.contains("Option"), "{causes:?}");
    // Not tried again and again.
    let so_far = writes(&world);
    told(&world, &pair).await;
    assert_eq!(world.endings().await, ["delivered", "delivered", "skipped sync.waiting"]);
    assert_eq!(writes(&world), so_far, "{}", world.told());
    // Corrected, it goes on by itself.
    file(&world, &pair, "Rights Status", json!("Expired"));
    file(&world, &pair, "Business Owner", json!("legal@example.com"));
    told(&world, &pair).await;
    assert_eq!(held(world.iconik(), &pair.asset, "RightsStatus"), [json!("expired")], "{}", world.told());
    assert!(memory(&world).waiting(None).await.expect("what waits").is_empty());
}

#[tokio::test]
async fn a_view_that_changed_makes_its_fields_wait_and_one_that_is_gone_is_put_aside_with_what_to_do() {
    let (world, pair) = paired(usual()).await;
    told(&world, &pair).await;
    let take_out = |name: &str| {
        world.iconik().with_state(|state| {
            let view = state.metadata.views.get_mut(CAMPAIGN.view).expect("the view");
            let fields = view.get_mut("view_fields").and_then(Value::as_array_mut).expect("fields");
            fields.retain(|field| field["name"] != name);
        });
    };
    take_out("Campaign");
    edit(&world, &pair, "Project", json!("CMP-2032-001"));
    told(&world, &pair).await;
    assert_eq!(filed(&world, &pair, "Project"), json!("CMP-2032-001"), "{}", world.told());
    assert_eq!(
        filed(&world, &pair, "Campaign"),
        json!("Harbour Lights"),
        "what cannot be seen was not deleted"
    );
    let waiting = memory(&world).waiting(None).await.expect("what waits");
    let [campaign] = waiting.as_slice() else { panic!("{waiting:?}") };
    let cause = Cause::NoPlace { side: Side::Iconik };
    assert_eq!(campaign.conflict.resolution, Resolution::Waits { cause });

    world.iconik().with_state(|state| state.metadata.views.remove(CAMPAIGN.view));
    told(&world, &pair).await;
    let endings = world.endings().await;
    assert_eq!(endings.last().map(String::as_str), Some("quarantined metadata.view-missing"), "{endings:?}");
    let reasons = world.reasons().await;
    let [reason] = reasons.as_slice() else { panic!("{reasons:?}") };
    assert_eq!(reason["source"]["asset"], json!(pair.asset));
    assert!(reason["reason"]["remedy"].as_str().is_some_and(|remedy| remedy.contains("view")), "{reason}");
    assert_eq!(filed(&world, &pair, "Project"), json!("CMP-2032-001"), "the document stays as it is");
}

#[tokio::test]
async fn another_language_goes_over_as_it_is_and_what_would_turn_round_its_surroundings_waits() {
    let (world, pair) = paired(usual()).await;
    told(&world, &pair).await;
    let hebrew = "אורות הנמל \u{2067}Harbour Lights\u{2069} ‎(2032)";
    edit(&world, &pair, "Campaign", json!(hebrew));
    told(&world, &pair).await;
    assert_eq!(filed(&world, &pair, "Campaign"), json!(hebrew), "{}", world.told());
    let so_far = writes(&world);
    told(&world, &pair).await;
    assert_eq!(writes(&world), so_far, "and is the same from then on");

    edit(&world, &pair, "Campaign", json!("gnp.\u{202e}sthgiL"));
    told(&world, &pair).await;
    assert_eq!(filed(&world, &pair, "Campaign"), json!(hebrew));
    let waiting = memory(&world).waiting(None).await.expect("what waits");
    let [campaign] = waiting.as_slice() else { panic!("{waiting:?}") };
    assert!(format!("{:?}", campaign.conflict.resolution).contains("Controls"), "{campaign:?}");
}

#[tokio::test]
async fn an_asset_in_the_recycle_bin_is_left_alone_and_goes_on_when_it_is_back() {
    let (world, pair) = paired(usual()).await;
    told(&world, &pair).await;
    file(&world, &pair, "Rights Expiry", json!("2034-01-31"));
    let media = world.iconik();
    media.with_state(|state| state.delete(seed::EDITOR, "assets", &pair.asset)).expect("it goes");
    world.change(pair.node).await;
    world.settle().await;
    assert_eq!(world.endings().await, ["delivered", "skipped asset.deleted"], "{}", world.told());
    media.with_state(|state| state.restore(seed::EDITOR, "assets", &pair.asset)).expect("it comes back");
    told(&world, &pair).await;
    assert_eq!(held(media, &pair.asset, "ExpiryDate"), [json!("2034-01-31")], "{}", world.told());
    // An asset without a document, a collection, what is for another flow.
    let stranger = world.titled(seed::media::NEWS);
    world.iconik_change("assets", &stranger).await;
    world.iconik_change("collections", &world.titled("Finals")).await;
    world.request(pair.node, "publish").await;
    world.settle().await;
    let endings = world.endings().await;
    for code in ["sync.no-pair", "sync.no-asset", "request.not-ours"] {
        assert!(endings.contains(&format!("skipped {code}")), "{endings:?}");
    }
}

#[tokio::test]
async fn a_copy_of_a_document_does_not_take_its_place_until_the_document_is_gone() {
    let (world, pair) = paired(usual()).await;
    told(&world, &pair).await;
    let copy = world.ecm.with_state(|state| {
        let parent = state.node(pair.node).expect("the document").parent_id;
        state.copy(ADMIN, pair.node, parent, Some("Copy of it"), 0).expect("a copy")
    });
    file(&world, &Pair { node: copy, ..pair.clone() }, "Campaign", json!("Somebody's draft"));
    world.change(copy).await;
    world.settle().await;
    assert_eq!(world.endings().await, ["delivered", "skipped sync.copy"], "{}", world.told());
    assert_ne!(held(world.iconik(), &pair.asset, "Campaign"), [json!("Somebody's draft")]);
    edit(&world, &pair, "Campaign", json!("Harbour Lights 2032"));
    told(&world, &pair).await;
    assert_eq!(filed(&world, &pair, "Campaign"), json!("Harbour Lights 2032"), "{}", world.told());

    world.ecm.with_state(|state| state.delete(ADMIN, pair.node)).expect("it goes");
    world.change(copy).await;
    world.settle().await;
    edit(&world, &pair, "Project", json!("CMP-2032-001"));
    told(&world, &pair).await;
    let taken_over = Pair { node: copy, ..pair };
    assert_eq!(filed(&world, &taken_over, "Project"), json!("CMP-2032-001"), "{}", world.told());
}

#[tokio::test]
async fn a_new_version_without_values_and_a_category_that_was_taken_off_are_filled_and_clear_nothing() {
    let (world, pair) = paired(usual()).await;
    told(&world, &pair).await;
    let values = held(world.iconik(), &pair.asset, "Keywords");
    world.iconik().with_state(|state| {
        let given = json!({"copy_metadata": false}).as_object().cloned().expect("an object");
        state.add_version(seed::EDITOR, &pair.asset, &given).expect("a version")
    });
    assert!(held(world.iconik(), &pair.asset, "Keywords").is_empty(), "a new version begins without values");
    told(&world, &pair).await;
    assert_eq!(held(world.iconik(), &pair.asset, "Project"), [json!("CMP-2031-014")], "{}", world.told());
    assert_eq!(held(world.iconik(), &pair.asset, "Keywords").len(), values.len());
    assert_eq!(filed(&world, &pair, "Keywords"), json!("ferry; harbour"));

    world.ecm.with_state(|state| {
        let category = state.category_named(CAMPAIGN.category).expect("the category").id;
        state.remove_category(ADMIN, pair.node, category).expect("it goes");
    });
    told(&world, &pair).await;
    assert_eq!(filed(&world, &pair, "Project"), json!("CMP-2031-014"), "{}", world.told());
    assert_eq!(held(world.iconik(), &pair.asset, "RightsStatus"), [json!("restricted")]);
    let so_far = writes(&world);
    told(&world, &pair).await;
    assert_eq!(writes(&world), so_far);
}

#[tokio::test]
async fn killed_between_both_writes_it_ends_equal_and_tells_no_conflict_that_there_was_not() {
    let (world, pair) = paired(Usual { timeout: Duration::from_secs(8), visibility: 2, ..usual() }).await;
    told(&world, &pair).await;
    let before = history(&world, &pair).await.len();
    edit(&world, &pair, "Campaign", json!("Harbour Lights 2032"));
    file(&world, &pair, "Rights Expiry", json!("2034-01-31"));
    let path = format!("/metadata/v1/assets/{}/views/", pair.asset);
    let held_back = Rule::next(Action::Delay { milliseconds: 3000 }).on("PUT", &path);
    world.iconik().faults().add(held_back).expect("a rule");
    world.iconik_change("assets", &pair.asset).await;
    let delivery = world.delivering();
    let is_called = || {
        let mut entries = world.iconik().journal().entries().into_iter();
        entries.any(|entry| entry.method == "PUT" && entry.path.contains(&path) && entry.status == 0)
    };
    let patience = Instant::now() + PATIENCE;
    while !is_called() && Instant::now() < patience {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    assert!(is_called(), "{}", world.told());
    for process in world.function.processes() {
        process.kill();
    }
    assert_eq!(delivery.await.expect("it ran").stay, 1);
    world.settle().await;
    assert_eq!(filed(&world, &pair, "Campaign"), json!("Harbour Lights 2032"), "{}", world.told());
    assert_eq!(held(world.iconik(), &pair.asset, "ExpiryDate"), [json!("2034-01-31")]);
    assert_eq!(history(&world, &pair).await.len(), before, "nobody was overruled");
}

#[tokio::test]
async fn a_dry_run_tells_and_touches_nothing() {
    let (world, pair) =
        paired(Usual { variables: |_| vec![("WAYBILL_DRY_RUN", "true".into())], ..usual() }).await;
    let so_far = writes(&world);
    world.iconik_change("assets", &pair.asset).await;
    world.settle().await;
    assert_eq!(writes(&world), so_far);
    assert!(filed(&world, &pair, "Project").is_null());
    assert!(history(&world, &pair).await.is_empty());
    assert!(world.function.log().text().contains("dry-run"), "{}", world.told());
}
