//! `sync-asset-metadata`: an asset, its document, and the fields that are kept equal.

use iconik_content_server::{
    SYNC_ASSET_METADATA,
    sync_asset_metadata::{
        memory::Memory,
        state::{Decision, Side},
    },
    sync_rules,
};
use serde_json::json;
use shared::reconcile::{Action, Kind, Options};
use simulators::{content_server::state::ADMIN, iconik::seed::EDITOR};
use tests::{
    in_process, messages,
    paired::{self, CAMPAIGN, Pair},
    repository,
    storm::{Scenario, World},
};

use crate::{
    faults,
    side::{Compared, Said, repairing, run},
};

const FLOW: &str = "sync-asset-metadata";

/// The studio has described the film, and legal has decided about it.
fn prepare(world: &World) {
    paired::plant(&world.content_server, CAMPAIGN);
    let pair = paired::pair(&world.content_server, world.iconik(), CAMPAIGN);
    file(world, &pair, "Rights Status", "Restricted use");
    file(world, &pair, "Rights Expiry", "2034-01-31");
}

fn name() -> String {
    format!("{}.mov", CAMPAIGN.title)
}

fn pair(world: &World) -> Pair {
    let name = name();
    let node = world
        .content_server
        .with_state(|state| state.nodes.values().find(|node| node.name == name).map(|node| node.id));
    let asset = world.iconik().with_state(|state| state.titled(CAMPAIGN.title));
    Pair { asset: asset.expect("the asset"), node: node.expect("the document") }
}

fn told(world: &World, occasion: &str) -> Vec<String> {
    let pair = pair(world);
    vec![
        messages::iconik_change(FLOW, "assets", &pair.asset, None, occasion),
        messages::node_change(FLOW, pair.node, None, occasion),
    ]
}

pub(crate) fn story() -> Scenario {
    Scenario::of_iconik(
        "a campaign",
        &SYNC_ASSET_METADATA,
        sync_rules::SAMPLE,
        prepare,
        |world| told(world, "first"),
        (1, 1, 0),
    )
}

/// Somebody writes an attribute of the document.
fn file(world: &World, pair: &Pair, attribute: &str, value: &str) {
    repository::set_value(&world.content_server, pair.node, CAMPAIGN.category, attribute, json!(value));
}

/// Somebody writes a field of the asset.
fn write(world: &World, pair: &Pair, field: &str, value: &str) {
    paired::edit(world.iconik(), &pair.asset, CAMPAIGN.view, field, &json!(value)).expect("it is taken");
}

fn fields(said: &Said) -> Vec<&str> {
    said.finding(CAMPAIGN.title).differences.iter().map(|difference| difference.what.as_str()).collect()
}

#[test]
fn a_pair_that_was_kept_in_step_agrees() {
    run(async {
        let compared = Compared::after(story()).await;
        let said = compared.compare(Options::default()).await;
        assert_eq!(said.found(), []);
        let counts = said.counts();
        assert_eq!((counts.alike, counts.accounted, counts.in_flight), (1, 0, 0), "{counts:?}");
        assert_eq!(compared.world.waiting(), 0);
    });
}

#[test]
fn fields_nobody_told_of_are_found_on_either_side_and_brought_into_line() {
    run(async {
        let compared = Compared::after(story()).await;
        let (world, pair) = (&compared.world, pair(&compared.world));
        write(world, &pair, "Project", "Ferries");
        file(world, &pair, "Rights Status", "Cleared for use");
        // Too young to be a difference.
        let said = compared.compare(Options::default()).await;
        assert_eq!((said.found(), said.counts().in_flight), (vec![], 1));
        compared.hours(3).await;
        let said = compared.compare(repairing()).await;
        assert_eq!(said.found(), [(Kind::Metadata, CAMPAIGN.title.to_owned())]);
        assert_eq!(fields(&said), ["project", "rights-status"]);
        let finding = said.finding(CAMPAIGN.title);
        assert_eq!((finding.repair.action, finding.repair.safe), (Action::LookAgain, true));
        assert!(!finding.explanation.contains("Ferries"), "{}", finding.explanation);
        compared.work().await;
        assert_eq!(compared.compare(Options::default()).await.found(), []);
        let project = repository::value(&world.content_server, pair.node, CAMPAIGN.category, "Project");
        assert_eq!(project, Some(json!("Ferries")));
        assert_eq!(paired::held(world.iconik(), &pair.asset, "RightsStatus"), [json!("cleared")]);
    });
}

#[test]
fn a_pair_the_flow_never_heard_of_is_found() {
    run(async {
        let compared = Compared::after(Scenario { messages: |_| Vec::new(), ..story() }).await;
        let said = compared.compare(repairing()).await;
        assert_eq!(said.found(), [(Kind::Metadata, CAMPAIGN.title.to_owned())]);
        assert!(fields(&said).contains(&"expiry"), "{:?}", fields(&said));
        compared.work().await;
        let said = compared.compare(Options::default()).await;
        assert_eq!((said.found(), said.counts().alike), (vec![], 1));
    });
}

#[test]
fn a_conflict_that_waits_for_a_person_is_no_difference_until_somebody_decides() {
    run(async {
        let compared = Compared::after(story()).await;
        let (world, pair) = (&compared.world, pair(&compared.world));
        write(world, &pair, "Owner", "studio@example.com");
        file(world, &pair, "Business Owner", "legal@example.com");
        compared.hours(3).await;
        // Nobody has recorded it yet.
        let said = compared.compare(repairing()).await;
        assert_eq!((said.found().len(), fields(&said)), (1, vec!["owner"]));
        compared.work().await;
        let said = compared.compare(Options::default()).await;
        assert_eq!((said.found(), said.counts().accounted), (vec![], 1));

        // What else differs is told, and what waits only beside it.
        write(world, &pair, "Project", "Ferries");
        // One message a day.
        compared.hours(24).await;
        let said = compared.compare(repairing()).await;
        assert_eq!(fields(&said), ["project"]);
        assert!(said.finding(CAMPAIGN.title).explanation.contains("owner waits for a person"));
        compared.work().await;

        let memory = Memory::new(world.environment(in_process::transport(world.aws.router()), 900, 0).ledger);
        let waiting = memory.waiting(Some(&pair.asset)).await.expect("the ledger");
        let conflict = waiting.first().expect("a conflict").conflict.id.clone();
        let by = "steward@example.com".to_owned();
        let decision = Decision { conflict, take: Side::ContentServer, by };
        memory.decide(&decision).await.expect("it waits");
        compared.hours(24).await;
        assert_eq!(fields(&compared.compare(repairing()).await), ["owner"]);
        compared.work().await;
        let said = compared.compare(Options::default()).await;
        assert_eq!((said.found(), said.counts().accounted), (vec![], 0));
        assert_eq!(paired::held(world.iconik(), &pair.asset, "Owner"), [json!("legal@example.com")]);
    });
}

#[test]
fn a_document_that_is_gone_is_missing() {
    run(async {
        let compared = Compared::after(story()).await;
        let node = pair(&compared.world).node;
        compared.world.content_server.with_state(|state| state.delete(ADMIN, node)).expect("deleted");
        compared.hours(3).await;
        let said = compared.compare(repairing()).await;
        assert_eq!(said.found(), [(Kind::Missing, CAMPAIGN.title.to_owned())]);
        assert_eq!(said.finding(CAMPAIGN.title).repair.action, Action::Person);
        assert_eq!(compared.world.waiting(), 0);
    });
}

#[test]
fn the_document_of_an_asset_that_is_gone_is_extra() {
    run(async {
        let compared = Compared::after(story()).await;
        let asset = pair(&compared.world).asset;
        let iconik = compared.world.iconik();
        iconik.with_state(|state| state.delete(EDITOR, "assets", &asset)).expect("deleted");
        compared.hours(3).await;
        let said = compared.compare(repairing()).await;
        assert_eq!(said.found(), [(Kind::Extra, name())]);
        assert!(said.finding(&name()).explanation.contains("recycle bin"));
        assert_eq!(compared.world.waiting(), 0);
        // The bin empties itself.
        compared.hours(30).await;
        assert_eq!(compared.compare(Options::default()).await.found(), [(Kind::Extra, name())]);
    });
}

#[test]
fn a_view_that_is_gone_makes_the_pair_unverifiable_and_nothing_else() {
    run(async {
        let compared = Compared::after(story()).await;
        compared.world.iconik().with_state(|state| state.metadata.views.remove(CAMPAIGN.view));
        let said = compared.compare(Options::default()).await;
        let kinds: Vec<Kind> = said.found().into_iter().map(|(kind, _)| kind).collect();
        assert_eq!(kinds, [Kind::Unverifiable]);
    });
}

#[test]
fn no_fault_makes_a_difference_of_a_pair_that_agrees() {
    run(faults::every_call(story()));
}
