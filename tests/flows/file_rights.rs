//! Rights of an approved film are filed beside its final, and decide who may use it; when a release ends, somebody has a task.

use serde_json::{Value, json};
use simulators::{
    content_server::state::{Permission, kind},
    iconik::{
        Settings,
        seed::{
            PRODUCER,
            media::{DAWN, SHORT},
            metadata::RIGHTS_VIEW,
        },
        state::media::Kind,
    },
};
use tests::released::{self, FINALS};

use crate::world::{Usual, World, bytes};

const RULES: &str = include_str!("rights-rules.toml");
const RELEASE: &str = "Talent release (Søndre pier)";

/// A film whose final is filed, whose rights are cleared, and which has a release.
async fn world() -> (World, String, i64) {
    let world = World::with(Usual {
        rules: Some(|_| RULES.to_owned()),
        iconik: Some(Settings::default()),
        ..Usual::of("file-rights")
    })
    .await;
    released::plant(&world.ecm);
    let node = released::file_final(&world.ecm, world.iconik(), SHORT);
    released::clear(world.iconik(), SHORT);
    let film = world.titled(SHORT);
    (world, film, node)
}

fn shown(world: &World, asset: &str, field: &str) -> Vec<Value> {
    world.iconik().with_state(|state| state.values_of(("assets", asset), field))
}

fn history(world: &World) -> Vec<String> {
    world.iconik().with_state(|state| {
        let ours = state.history.objects().filter(|entry| entry["operation_type"] == "CUSTOM");
        ours.filter_map(|entry| entry["operation_description"].as_str().map(str::to_owned)).collect()
    })
}

/// What everybody may do with a document.
fn public(world: &World, node: i64) -> Vec<Permission> {
    world.node(node).permissions.public.clone().unwrap_or_default().into_iter().collect()
}

/// The bytes iconik has of a release.
fn release_bytes(world: &World, release: &str) -> Vec<u8> {
    world.iconik().with_state(|state| {
        let file = state.media.files.objects().find(|file| file["asset_id"] == release).expect("its file");
        let stored = state.stored(Kind::File, file["id"].as_str().expect("an id")).expect("its content");
        stored.content.bytes().expect("bytes").to_vec()
    })
}

#[tokio::test]
async fn rights_are_filed_beside_the_final_and_the_final_says_so() {
    let (world, film, node) = world().await;
    let release = released::release(world.iconik(), SHORT, RELEASE, Some("2041-05-31"));
    world.iconik_change("assets", &film).await;
    world.settle().await;
    assert_eq!(world.endings().await, ["delivered"], "{}", world.told());

    let filed = world.documents(&format!("{FINALS}/Rights"));
    assert_eq!(filed.len(), 2, "the statement and the release");
    let statement = filed.iter().find(|node| node.name.contains("statement")).expect("the statement");
    let document = filed.iter().find(|node| node.id != statement.id).expect("the release");
    assert_eq!(bytes(document), release_bytes(&world, &release), "byte for byte");
    let page = String::from_utf8(bytes(statement)).expect("a text");
    for said in [SHORT, RELEASE, "Harbour Lights Production", "LIC-0042", "2041-05-31"] {
        assert!(page.contains(said), "{said} is not in the statement:\n{page}");
    }
    assert!(page.contains(&format!("document {}", document.id)), "{page}");
    assert!(statement.record.is_some() && document.record.is_some(), "both are classified");
    assert_eq!(world.value(document.id, "Rights", "Asset"), Some(json!(film)));
    assert!(public(&world, document.id).is_empty() && public(&world, statement.id).is_empty());

    assert_eq!(world.value(node, "Rights of Final", "Statement"), Some(json!(statement.id)));
    assert_eq!(world.value(node, "Rights of Final", "State"), Some(json!("Current")));
    assert_eq!(public(&world, node), [Permission::See, Permission::SeeContents]);
    assert_eq!(shown(&world, &film, "UsageBlocked"), [json!(false)]);
    assert_eq!(history(&world).len(), 1, "{:?}", history(&world));

    // Whatever is said a second time, there is nothing to do.
    world.iconik_change("assets", &film).await;
    world.settle().await;
    assert_eq!(world.endings().await, ["delivered", "skipped rights.already-filed"], "{}", world.told());
    // What the metadata say is a revision, and a version of the statement.
    released::describe(world.iconik(), SHORT, RIGHTS_VIEW, &json!({"Territories": ["DE"]}));
    world.iconik_change("assets", &film).await;
    world.settle().await;
    assert_eq!(world.node(statement.id).versions.len(), 2, "{}", world.told());
    assert_eq!(world.value(node, "Rights of Final", "Revision"), Some(json!(2)));
}

#[tokio::test]
async fn a_release_that_ends_narrows_access_and_gives_a_task_and_a_renewal_gives_it_back() {
    let (world, film, node) = world().await;
    let release = released::release(world.iconik(), SHORT, RELEASE, Some("2041-05-31"));
    world.iconik_change("assets", &film).await;
    world.settle().await;
    assert_eq!(public(&world, node).len(), 2, "{}", world.told());

    // iconik tells of the release, not of the film.
    released::describe(world.iconik(), RELEASE, RIGHTS_VIEW, &json!({"ReleaseExpiry": "2021-05-31"}));
    world.iconik_change("assets", &release).await;
    world.settle().await;
    assert!(public(&world, node).is_empty(), "{}", world.told());
    assert_eq!(world.value(node, "Rights of Final", "State"), Some(json!("Lapsed")));
    assert_eq!(shown(&world, &film, "UsageBlocked"), [json!(true)]);
    let notice = shown(&world, &film, "UsageNotice");
    assert!(notice[0].as_str().is_some_and(|notice| notice.contains("2021-05-31")), "{notice:?}");
    let tasks: Vec<String> =
        world.ecm.with_state(|state| state.processes.values().map(|one| one.title.clone()).collect());
    assert_eq!(tasks.len(), 1, "{tasks:?}");
    assert!(tasks[0].starts_with(&format!("Renew the rights of {SHORT}")), "{tasks:?}");
    // Another hint gives no other task.
    world.iconik_change("assets", &film).await;
    world.settle().await;
    assert_eq!(world.ecm.with_state(|state| state.processes.len()), 1);

    released::describe(world.iconik(), RELEASE, RIGHTS_VIEW, &json!({"ReleaseExpiry": "2042-05-31"}));
    world.iconik_change("assets", &release).await;
    world.settle().await;
    assert_eq!(public(&world, node), [Permission::See, Permission::SeeContents], "{}", world.told());
    assert_eq!(world.value(node, "Rights of Final", "State"), Some(json!("Current")));
    assert_eq!(shown(&world, &film, "UsageBlocked"), [json!(false)]);
    assert!(shown(&world, &film, "UsageNotice").is_empty());
    let told = history(&world);
    assert!(told.iter().any(|entry| entry.contains("have lapsed")), "{told:?}");
    assert!(told.iter().any(|entry| entry.contains("last again")), "{told:?}");
}

#[tokio::test]
async fn what_cannot_be_filed_is_left_alone_or_put_aside_with_its_reason() {
    let (world, film, node) = world().await;
    let release = released::release(world.iconik(), SHORT, RELEASE, None);
    let file = world.iconik().with_state(|state| {
        let file = state.media.files.objects().find(|file| file["asset_id"] == release.as_str());
        file.expect("its file")["id"].as_str().expect("an id").to_owned()
    });
    let failed = json!({"status": "FAILED"}).as_object().cloned().expect("an object");
    world.iconik().with_state(|state| state.edit_file(PRODUCER, &release, &file, failed)).expect("it failed");
    world.iconik_change("assets", &film).await;
    // Nobody asked for its approval.
    let footage = world.titled(DAWN);
    world.iconik_change("assets", &footage).await;
    world.settle().await;
    let endings = world.endings().await;
    assert_eq!(endings, ["quarantined file.failed", "skipped approval.none"], "{}", world.told());
    let reasons = world.reasons().await;
    assert!(reasons[0]["reason"]["remedy"].is_string(), "{reasons:?}");
    assert_eq!(world.node(node).kind, kind::DOCUMENT);
    assert!(world.ecm.with_state(|state| {
        state.at(&format!("{FINALS}/Rights")).is_none_or(|folder| state.children(folder.id).is_empty())
    }));
}
