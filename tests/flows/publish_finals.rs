//! An approved final goes from iconik into Content Server: original, preview and poster, byte for byte; iconik says where.

use serde_json::{Value, json};
use simulators::iconik::{
    Settings,
    seed::{self, media::SHORT, metadata::CAMPAIGN_VIEW},
    state::{Object, media::Kind},
};
use tests::media_archive;

use crate::world::{Usual, World, bytes};

const FOLDER: &str = "Marketing/Finals/Harbour Lights/Harbour Lights 30s";

fn usual() -> Usual {
    Usual { iconik: Some(Settings::default()), ..Usual::of("publish-finals") }
}

fn map(value: Value) -> Object {
    value.as_object().cloned().expect("an object")
}

/// A world with the places in Content Server, and the rights of the film as they are.
async fn world(usual: Usual, rights: &str) -> World {
    let world = World::with(usual).await;
    media_archive::plant(&world.ecm);
    let film = world.titled(SHORT);
    let values = map(json!({"RightsStatus": {"field_values": [{"value": rights}]}}));
    world
        .iconik()
        .with_state(|state| {
            state.write_values(seed::EDITOR, ("assets", &film), CAMPAIGN_VIEW, &values, false)
        })
        .expect("values");
    world
}

/// What iconik says of an asset in a field of the view for Content Server.
fn shown(world: &World, asset: &str, field: &str) -> Vec<Value> {
    world.iconik().with_state(|state| state.values_of(("assets", asset), field))
}

/// The bytes iconik has of the current version: of the original and of the preview.
fn media(world: &World, asset: &str) -> (Vec<u8>, Vec<u8>) {
    world.iconik().with_state(|state| {
        let version = state.current_version_of(asset).expect("a version");
        let format = state
            .media
            .formats
            .objects()
            .find(|format| format["version_id"] == *version && format["name"] == "ORIGINAL")
            .expect("the original")["id"]
            .clone();
        let file = state.media.files.objects().find(|file| file["format_id"] == format).expect("its file");
        let proxy = state.media.proxies.objects().find(|proxy| proxy["version_id"] == *version);
        let read = |kind, object: &Object| {
            let stored = state.stored(kind, object["id"].as_str().expect("an id")).expect("its content");
            stored.content.bytes().expect("bytes").to_vec()
        };
        (read(Kind::File, file), read(Kind::Proxy, proxy.expect("a preview")))
    })
}

#[tokio::test]
async fn an_approved_final_is_filed_whole_and_iconik_says_where() {
    let world = world(usual(), "cleared").await;
    let film = world.titled(SHORT);
    world.iconik_request("assets", &film, "publish").await;
    world.settle().await;
    assert_eq!(world.endings().await, ["delivered"], "{}", world.told());

    let (original, preview) = media(&world, &film);
    let documents = world.documents(FOLDER);
    let mut names: Vec<&str> = documents.iter().map(|node| node.name.as_str()).collect();
    names.sort_unstable();
    assert_eq!(names.len(), 3, "original, preview, poster: {names:?}");
    let master = documents.iter().find(|node| bytes(node) == original).expect("the original, byte for byte");
    assert!(documents.iter().any(|node| bytes(node) == preview), "the preview, byte for byte");
    let category = "Final Media";
    assert_eq!(world.value(master.id, category, "Asset"), Some(json!(film)));
    assert_eq!(world.value(master.id, category, "Rights Status"), Some(json!("Cleared for use")));
    assert_eq!(world.value(master.id, category, "Rendition"), Some(json!("ORIGINAL")));
    assert!(master.record.is_some(), "it is classified");

    assert_eq!(shown(&world, &film, "ContentServerNode"), [json!(master.id)]);
    assert_eq!(shown(&world, &film, "ContentServerState"), [json!("filed")]);
    let (history, jobs) = world.iconik().with_state(|state| {
        let history: Vec<String> = state
            .history
            .objects()
            .filter(|entry| entry["operation_type"] == "CUSTOM")
            .map(|entry| entry["operation_description"].as_str().unwrap_or_default().to_owned())
            .collect();
        let jobs: Vec<(Value, Value)> = state
            .jobs
            .objects()
            .filter(|job| job["type"] == "CUSTOM")
            .map(|job| (job["status"].clone(), job["progress"].clone()))
            .collect();
        (history, jobs)
    });
    assert_eq!(history.len(), 1, "{history:?}");
    assert!(history[0].contains(&master.id.to_string()), "{history:?}");
    assert_eq!(jobs, [(json!("FINISHED"), json!(100))]);

    // A second hint finds it done.
    world.iconik_change("assets", &film).await;
    world.settle().await;
    assert_eq!(world.endings().await, ["delivered", "skipped finals.already-filed"], "{}", world.told());
    assert_eq!(world.documents(FOLDER).len(), 3);
}

#[tokio::test]
async fn a_film_whose_rights_are_unclear_is_put_aside_and_iconik_says_so() {
    let world = world(usual(), "pending").await;
    let film = world.titled(SHORT);
    world.iconik_request("assets", &film, "publish").await;
    world.settle().await;
    assert_eq!(world.endings().await, ["quarantined not-in-lookup"], "{}", world.told());
    assert_eq!(shown(&world, &film, "ContentServerState"), [json!("not_filed")]);
    let reasons = world.reasons().await;
    assert_eq!(reasons.len(), 1);
}

#[tokio::test]
async fn iconik_is_away_for_a_while_and_the_final_is_filed_afterwards() {
    let mut world = world(usual(), "cleared").await;
    let film = world.titled(SHORT);
    assert_eq!(world.asset(&film)["status"], "ACTIVE");
    world.stop_iconik().await;
    world.iconik_request("assets", &film, "publish").await;
    world.start_iconik().await;
    world.settle().await;
    assert_eq!(world.endings().await, ["delivered"], "{}", world.told());
}

#[tokio::test]
async fn a_token_that_ended_is_replaced_in_the_secret_and_the_final_is_filed() {
    let world = world(usual(), "cleared").await;
    let film = world.titled(SHORT);
    world.set_iconik_token("ended").await;
    world.iconik_request("assets", &film, "publish").await;
    let settled = world.settle();
    let renewed = async {
        tokio::time::sleep(std::time::Duration::from_secs(3)).await;
        world.set_iconik_token(seed::TOKEN).await;
    };
    tokio::join!(settled, renewed);
    assert_eq!(world.endings().await, ["delivered"], "{}", world.told());
}
