//! Documents of a workspace are shown in its collection, as they are and as long as they may be.

use serde_json::{Value, json};
use simulators::{
    content_server::{
        Blob,
        state::{ADMIN, Changes, NewVersion},
    },
    faults::{Action, Rule},
    iconik::{Settings as IconikSettings, seed},
};
use tests::{
    production::{self, COLLECTION, WORKSPACE},
    repository,
};

use crate::world::{Usual, World};

const RULES: &str = include_str!("link-rules.toml");

async fn world() -> World {
    let world = World::with(Usual {
        rules: Some(|_| RULES.to_owned()),
        iconik: Some(IconikSettings::default()),
        ..Usual::of("link-references")
    })
    .await;
    production::belongs_to(&world.ecm, &[&world.titled(COLLECTION)]);
    world
}

fn contract(world: &World, name: &str) -> i64 {
    let folder = format!("{WORKSPACE}/Contracts");
    world.document(&folder, name, "application/pdf", &[b"%PDF-1.7".to_vec()])
}

fn titles(world: &World) -> Vec<String> {
    production::links(world.iconik()).into_iter().map(|(title, _, _)| title).collect()
}

#[tokio::test]
async fn a_contract_is_shown_follows_its_document_and_goes_when_it_becomes_confidential() {
    let world = world().await;
    let node = contract(&world, "Drying.pdf");
    world.change(node).await;
    world.settle().await;
    let address = format!("https://ecm.example.com/otcs/cs.exe/app/nodes/{node}");
    let link = ("Contract: Drying.pdf (version 1)".to_owned(), address.clone(), vec![COLLECTION.to_owned()]);
    assert_eq!(production::links(world.iconik()), [link], "{}", world.told());

    let changes = Changes { name: Some("Drying and storage.pdf".to_owned()), ..Changes::default() };
    world.ecm.with_state(|state| state.update(ADMIN, node, changes)).expect("a name");
    let second = NewVersion::of("x.pdf", "application/pdf", Blob::of(b"%PDF-1.7 second".to_vec()));
    world.ecm.with_state(|state| state.add_version(ADMIN, node, second)).expect("a version");
    world.change(node).await;
    world.settle().await;
    assert_eq!(titles(&world), ["Contract: Drying and storage.pdf (version 2)"], "{}", world.told());
    let history: Vec<Value> = world.iconik().with_state(|state| {
        let custom = state.history.objects().filter(|entry| entry["operation_type"] == "CUSTOM");
        custom.map(|entry| entry["operation_description"].clone()).collect()
    });
    assert_eq!(history, ["Version 2 is in Content Server"]);

    production::classify(&world.ecm, node);
    world.change(node).await;
    world.settle().await;
    assert!(titles(&world).is_empty(), "{}", world.told());
    let kept = world.iconik().with_state(|state| {
        let texts = state.assets.objects().map(|asset| Value::Object(asset.clone()).to_string());
        texts.collect::<String>()
    });
    assert!(!kept.contains("Drying"), "the recycle bin tells of it");
    assert!(!kept.contains(&address), "the recycle bin leads to it");
    let written = world.iconik().journal().entries();
    assert!(!written.iter().any(|entry| entry.path.contains("/_storage/")), "no content went anywhere");
    assert_eq!(world.endings().await, ["delivered"; 3], "{}", world.told());
    assert_eq!(world.audit_of_node(node).await.len(), 3);
}

#[tokio::test]
async fn a_workspace_that_is_mapped_shows_what_is_in_it_and_one_that_is_not_shows_nothing() {
    let world = world().await;
    production::belongs_to(&world.ecm, &[]);
    let nodes = [contract(&world, "Drying.pdf"), contract(&world, "Lifting.pdf")];
    for node in nodes {
        world.change(node).await;
    }
    world.settle().await;
    assert_eq!(world.endings().await, ["skipped link.not-mapped"; 2], "{}", world.told());

    let workspace = repository::at(&world.ecm, WORKSPACE);
    production::belongs_to(&world.ecm, &[&world.titled(COLLECTION), &world.titled("Documents")]);
    world.change(workspace).await;
    world.settle().await;
    assert_eq!(titles(&world).len(), 4, "two documents in two collections; {}", world.told());
    // The workspace is told of again and again; that concerns nobody.
    let before = world.endings().await.len();
    world.change(workspace).await;
    world.settle().await;
    assert_eq!(world.endings().await.len(), before + 1, "{}", world.told());
}

#[tokio::test]
async fn a_mapping_to_nothing_is_put_aside_with_its_reason_and_stops_nobody_else() {
    let world = world().await;
    production::belongs_to(&world.ecm, &["5f0c8f30-7a51-11f0-ffff-0242ac120002"]);
    let node = contract(&world, "Drying.pdf");
    world.change(node).await;
    world.settle().await;
    let reasons = world.reasons().await;
    assert_eq!(reasons[0]["reason"]["code"], "link.collection-gone", "{}", world.told());
    assert_eq!(reasons[0]["source"]["node"], node);
    assert!(titles(&world).is_empty());

    production::belongs_to(&world.ecm, &[&world.titled(COLLECTION)]);
    world.change(node).await;
    world.settle().await;
    assert_eq!(titles(&world).len(), 1, "{}", world.told());
}

#[tokio::test]
async fn a_link_whose_answer_is_lost_is_made_once() {
    let world = world().await;
    let node = contract(&world, "Drying.pdf");
    let lost = Rule::next(Action::DropAfterEffect).on("POST", "/assets/v1/assets/$");
    world.iconik().faults().add(lost).expect("a rule");
    world.change(node).await;
    world.settle().await;
    assert_eq!(titles(&world).len(), 1, "{}", world.told());
}

#[tokio::test]
async fn iconik_may_be_away_and_its_token_may_be_changed() {
    let mut world = world().await;
    let node = contract(&world, "Drying.pdf");
    world.stop_iconik().await;
    world.change(node).await;
    let poller = world.poll();
    tokio::time::sleep(std::time::Duration::from_secs(3)).await;
    drop(poller);
    assert!(titles(&world).is_empty());
    world.start_iconik().await;
    world.settle().await;
    assert_eq!(titles(&world).len(), 1, "{}", world.told());

    // The token that the function has is revoked; another one is stored.
    world.iconik().with_state(|state| state.tokens.retain(|token| token.token != seed::TOKEN));
    world.set_iconik_token(seed::ADMIN_TOKEN).await;
    let other = contract(&world, "Lifting.pdf");
    world.change(other).await;
    world.settle().await;
    assert_eq!(titles(&world).len(), 2, "{}", world.told());
}

#[tokio::test]
async fn a_contract_goes_when_a_person_marks_it_as_confidential_by_an_attribute() {
    let world = world().await;
    let node = contract(&world, "Drying.pdf");
    world.change(node).await;
    world.settle().await;
    assert_eq!(titles(&world).len(), 1, "{}", world.told());
    let mark = |confidential: bool| {
        for (attribute, value) in
            [("Supplier Number", json!("0000200777")), ("Confidential", json!(confidential))]
        {
            repository::set_value(&world.ecm, node, "Supplier Submission", attribute, value);
        }
    };
    mark(true);
    world.change(node).await;
    world.settle().await;
    assert!(titles(&world).is_empty(), "{}", world.told());
    assert_eq!(world.endings().await, ["delivered"; 2], "{}", world.told());
    mark(false);
    world.change(node).await;
    world.settle().await;
    assert_eq!(titles(&world), ["Contract: Drying.pdf (version 1)"], "{}", world.told());
}
