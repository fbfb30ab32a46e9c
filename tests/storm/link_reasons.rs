//! What `link-references` withdraws because somebody says by an attribute that it is confidential, and what it leaves alone in
//! a dry run.

use std::collections::BTreeMap;

use serde_json::json;
use tests::{
    production::{self, WORKSPACE},
    repository,
    storm::{Drive, Form, Scenario, World, drive},
};

use crate::link_references::{NAME, change, classify, contract, link, mark, scenarios, set_mark};

/// Calls that may change something at a vendor: all but looks, sign-ins and searches.
pub(crate) fn writing_calls(world: &World) -> Vec<String> {
    let calls = world.tap.calls().into_iter();
    let to_vendors =
        calls.filter(|call| matches!(call.form, Form::Vendor | Form::Iconik | Form::IconikStorage));
    let looks = |what: &str| {
        let reads = ["GET ", "HEAD "].iter().any(|method| what.starts_with(method));
        reads || what.ends_with("/auth") || what.contains("/search")
    };
    to_vendors.map(|call| call.what).filter(|what| !looks(what)).collect()
}

fn story() -> Scenario {
    let stories = scenarios().into_iter();
    let mut shown = stories.filter(|story| story.name == "a contract is shown beside the films");
    shown.next().expect("the story")
}

async fn told(world: &World, story: &Scenario, occasion: &str) {
    world.send(&change(world, occasion)).await;
    assert!(drive(world, story.flow, Drive::default()).await, "the queue never becomes quiet");
}

/// The contract is shown.
async fn shown(story: &Scenario) -> World {
    let world = World::new(story, BTreeMap::new(), None, 1).await;
    told(&world, story, "first").await;
    assert_eq!(production::links(world.iconik()).len(), 1, "{:?}", world.endings());
    world
}

/// No link, and nothing in iconik that tells of the document: not even in the recycle bin.
fn is_withdrawn(world: &World, node: i64) {
    assert!(production::links(world.iconik()).is_empty(), "{:?}", world.endings());
    let kept = world.iconik().with_state(|state| {
        let assets = state.assets.objects().map(|asset| json!(asset).to_string());
        assets.collect::<String>()
    });
    assert!(!kept.contains(NAME), "iconik tells of it");
    assert!(!kept.contains(&format!("/app/nodes/{node}")), "iconik leads to it");
    assert!(!world.made().iconik.iter().any(|fact| fact.contains(NAME)), "{}", world.made());
}

#[tokio::test(start_paused = true)]
async fn the_link_of_a_document_goes_when_a_person_marks_it_as_confidential_and_comes_back_afterwards() {
    let story = story();
    let world = shown(&story).await;
    let node = contract(&world.content_server).expect("the contract");
    mark(&world.content_server);
    told(&world, &story, "marked").await;
    is_withdrawn(&world, node);
    assert_eq!(world.endings(), ["delivered"; 2]);
    // The box is there and is not ticked: that hides nothing.
    set_mark(&world.content_server, node, false);
    told(&world, &story, "not marked").await;
    assert_eq!(production::links(world.iconik()).len(), 1, "{:?}", world.endings());
}

#[tokio::test(start_paused = true)]
async fn a_document_that_is_marked_before_is_never_shown_and_neither_is_one_in_a_workspace_that_is_marked() {
    let story = story();
    let world = World::new(&story, BTreeMap::new(), None, 1).await;
    mark(&world.content_server);
    told(&world, &story, "first").await;
    assert_eq!(world.endings(), ["skipped link.confidential"]);
    assert_eq!(writing_calls(&world), [""; 0]);

    let world = shown(&story).await;
    let node = contract(&world.content_server).expect("the contract");
    set_mark(&world.content_server, repository::at(&world.content_server, WORKSPACE), true);
    told(&world, &story, "workspace").await;
    is_withdrawn(&world, node);
}

#[tokio::test(start_paused = true)]
async fn a_dry_run_shows_nothing_and_withdraws_nothing() {
    let story = story();
    let world = World::new(&story, BTreeMap::new(), None, 1).await.dry();
    let before = world.made();
    told(&world, &story, "first").await;
    assert_eq!(world.made(), before);
    assert_eq!(writing_calls(&world), [""; 0]);

    // What is shown stays, though it may not be shown any more.
    let world = shown(&story).await.dry();
    classify(&world.content_server);
    let (before, calls) = (world.made(), writing_calls(&world).len());
    told(&world, &story, "confidential").await;
    assert_eq!(world.made(), before);
    assert_eq!(writing_calls(&world).len(), calls, "{:?}", writing_calls(&world));
    assert!(link(world.iconik()).is_some());

    // Not dry any more, the same message withdraws it.
    let world = world.in_earnest();
    told(&world, &story, "confidential").await;
    is_withdrawn(&world, contract(&world.content_server).expect("the contract"));
}
