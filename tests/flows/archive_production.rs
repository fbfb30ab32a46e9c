//! A production that is closed becomes a complete package, or says what it waits for.

use std::{collections::BTreeMap, time::Duration};

use iconik_content_server::{
    archive_production::summary::{Approvals, Comments, Summary},
    production_rules::SAMPLE,
};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use shared::{audit::EventType, ledger::Key};
use simulators::{
    content::Blob,
    content_server::state::{Node, kind},
    iconik::{
        Settings, State,
        seed::{
            PRODUCER, REVIEWER,
            media::{HEALTHCARE, MASTER, NEWS, ORIGINALS, SHORT},
        },
        state::media::Kind,
    },
};
use tests::{
    campaign,
    installation::{Installation, Keeping},
};

use crate::world::{Usual, World};

const CAMPAIGN: &str = "Harbour Lights";
const FOLDER: &str = "Claims/Guidelines";

/// The packaged rules, and the examples, with a target that the seeded repository has.
fn campaigns(_: &Installation) -> String {
    SAMPLE.replace("Enterprise:Marketing/Productions", "Enterprise:Claims/Guidelines")
}

fn news(_: &Installation) -> String {
    include_str!("../../functions/iconik-content-server/rules/examples/production-news.toml")
        .replace("Enterprise:Newsroom/Transmitted", "Enterprise:Claims/Guidelines")
}

fn healthcare(_: &Installation) -> String {
    let rules =
        include_str!("../../functions/iconik-content-server/rules/examples/production-healthcare.toml");
    rules.replace("[rule.target.workspace]\ntype = \"Product\"", "[rule.target.workspace]\ntype = \"Claim\"").replace(
        "business_object = { system = \"REGULATORY\", type = \"PRODUCT\", id = \"{collection.external_id}\" }",
        "business_object = { system = \"CLAIMS\", type = \"CLAIM\", id = \"100117\" }",
    )
}

async fn world(rules: fn(&Installation) -> String) -> World {
    let world = World::with(Usual {
        rules: Some(rules),
        content: Some(Keeping::Versions),
        iconik: Some(Settings::default()),
        variables: |_| vec![("WAYBILL_TARGET_RATE", "1000".into())],
        ..Usual::of("archive-production")
    })
    .await;
    world.iconik().with_state(campaign::describe);
    world
}

fn close(world: &World, title: &str) {
    world.iconik().with_state(|state| {
        campaign::set_status(state, title, "closed", "2031-05-06");
        state.index_all();
    });
}

/// The documents below a folder, by their paths in it.
fn package(world: &World, folder: &str) -> BTreeMap<String, Node> {
    world.ecm.with_state(|state| {
        let documents = state.nodes.values().filter(|node| node.kind == kind::DOCUMENT);
        let below = documents.filter_map(|node| {
            let path = state.path_of(node.id);
            let (_, below) = path.split_once(&format!("{folder}/"))?;
            Some((below.to_owned(), node.clone()))
        });
        below.collect()
    })
}

fn bytes(node: &Node) -> Vec<u8> {
    node.versions.last().expect("a version").content.bytes().expect("its bytes").to_vec()
}

/// The bytes of every file of iconik with a name.
fn stored(state: &State, name: &str) -> Vec<u8> {
    let file = state.media.files.objects().find(|file| file["original_name"] == name).expect("the file");
    let id = file["id"].as_str().expect("its id");
    state.stored(Kind::File, id).expect("it is stored").content.bytes().expect("its bytes").to_vec()
}

fn job(world: &World) -> Value {
    let jobs = world.iconik().with_state(|state| {
        let ours = state
            .jobs
            .objects()
            .filter(|job| job["title"].as_str().is_some_and(|title| title.starts_with("Archive ")));
        ours.cloned().map(Value::from).collect::<Vec<_>>()
    });
    jobs.into_iter().max_by_key(|job| job["date_created"].as_str().map(str::to_owned)).expect("a job of ours")
}

fn said(world: &World, title: &str, field: &str) -> Option<Value> {
    let id = world.titled(title);
    world.iconik().with_state(|state| state.values_of(("collections", &id), field)).into_iter().next()
}

fn sha256(bytes: &[u8]) -> String {
    hex::encode(Sha256::digest(bytes))
}

/// What keeps the seeded campaign from being complete is seen to.
fn finish_campaign(state: &mut State) {
    let vertical = state.titled("Harbour Lights 15s vertical").expect("the placeholder");
    state.delete(PRODUCER, "assets", &vertical).expect("it goes");
    let master = state.titled(MASTER).expect("the master");
    let version = state.current_version_of(&master).expect("a version");
    let key = state.approval_key("assets", &master, Some(&version)).expect("a review");
    for reviewer in [PRODUCER, REVIEWER] {
        state.decide(reviewer, &key, "APPROVED").expect("a verdict");
    }
    state.index_all();
}

#[tokio::test]
async fn a_campaign_waits_for_what_is_missing_by_name_and_is_then_complete() {
    let world = world(campaigns).await;
    close(&world, CAMPAIGN);
    world.iconik_change("collections", &world.titled(CAMPAIGN)).await;
    world.settle().await;
    assert_eq!(world.endings().await, ["skipped package.held"], "{}", world.told());
    let waiting = job(&world);
    let why = waiting["error_message"].as_str().unwrap_or_default();
    assert_eq!(waiting["status"], "FAILED", "{waiting}");
    for name in
        ["Harbour Lights 15s vertical: is a placeholder", "Harbour Lights 60s master: v3 is not approved"]
    {
        assert!(why.contains(name), "{name} is not named: {why}");
    }
    assert_eq!(said(&world, CAMPAIGN, "PackageState"), Some(json!("waiting for files")));
    let folder = format!("{FOLDER}/Harbour Lights (CMP-2031-014)");
    assert_eq!(package(&world, &folder).len(), 0, "nothing is filed while the package waits");

    world.iconik().with_state(finish_campaign);
    world.iconik_request("collections", &world.titled(CAMPAIGN), "archive").await;
    world.settle().await;
    assert_eq!(world.endings().await, ["delivered", "skipped package.held"], "{}", world.told());

    let package = package(&world, &folder);
    let files = [
        ("Masters/Harbour Lights 60s master v3", "HL_60_v3.mov"),
        ("Masters/Harbour Lights 60s master v3", "HL_60_v3_stereo.wav"),
        ("Masters/Harbour Lights 60s master v3", "HL_60_v3_surround.wav"),
        ("Masters/Harbour Lights 30s v2", "HL_30_v2.mov"),
        ("Source references/Harbour Lights edit v1", "Harbour Lights.prproj"),
        ("Source references/Harbour Lights edit v1", "harbour_lights_60.edl"),
        ("Source references/Harbour Lights edit v1", "harbour_lights_60.aaf"),
    ];
    for (folder, name) in files {
        let path = format!("{folder}/{name}");
        let node = package.get(&path).unwrap_or_else(|| panic!("{path} is not in {:?}", package.keys()));
        let source = world.iconik().with_state(|state| stored(state, name));
        assert!(bytes(node) == source, "{path} has other bytes");
        assert_eq!(node.versions.len(), 1, "{path}");
    }
    let summary: Summary =
        serde_json::from_slice(&bytes(&package["Production summary.json"])).expect("a summary");
    assert_eq!((summary.closing.number, summary.closing.value.as_str()), (1, "closed"));
    for document in &summary.documents {
        let node = &package[&document.path];
        assert_eq!(
            (node.id, sha256(&bytes(node))),
            (document.node, document.sha256.clone()),
            "{}",
            document.path
        );
    }
    assert_eq!(summary.documents.len() + 1, package.len(), "the summary tells of everything but itself");
    let short = summary.assets.iter().find(|asset| asset.title == SHORT).expect("the cut-down");
    assert_eq!(short.comments.len(), 7, "those on both versions");
    let statuses: Vec<_> =
        short.versions.iter().filter_map(|version| Some(version.review.as_ref()?.status.as_str())).collect();
    assert_eq!(statuses, ["APPROVED", "NOT_APPROVED"]);
    assert_eq!(summary.left_out, []);
    let approvals: Approvals =
        serde_json::from_slice(&bytes(&package["Records/Approvals.json"])).expect("approvals");
    let comments: Comments =
        serde_json::from_slice(&bytes(&package["Records/Comments.json"])).expect("comments");
    assert_eq!((approvals.approvals.len(), comments.assets.len()), (3, 1));
    let page = String::from_utf8(bytes(&package["Production summary.html"])).expect("text");
    assert!(page.contains("HL_60_v3.mov") && page.contains("&lt;cut&gt;") && !page.contains("<cut>"));

    let done = job(&world);
    assert_eq!((&done["status"], &done["progress"]), (&json!("FINISHED"), &json!(100)), "{done}");
    assert_eq!(said(&world, CAMPAIGN, "PackageState"), Some(json!("archived")));
    let node = world.ecm.with_state(|state| state.at(&folder).expect("the folder").id);
    assert_eq!(said(&world, CAMPAIGN, "PackageNode"), Some(json!(node)));
    let audit = world.audit(Key::of(&["iconik", "collections", &world.titled(CAMPAIGN)]).digest()).await;
    let delivered =
        audit.iter().find(|event| event.event.event_type == EventType::Ingestion).expect("an event");
    assert_eq!(delivered.event.message_digest, Some(sha256(&bytes(&package["Production summary.json"]))));
}

#[tokio::test]
async fn news_is_packaged_without_what_its_storage_cannot_give_and_says_so() {
    let world = world(news).await;
    close(&world, "Evening news");
    world.iconik_request("collections", &world.titled("Evening news"), "archive").await;
    world.settle().await;
    assert_eq!(world.endings().await, ["delivered"], "{}", world.told());
    let package = package(&world, &format!("{FOLDER}/Evening news ({})", world.titled("Evening news")));
    let summary: Summary =
        serde_json::from_slice(&bytes(&package["Production summary.json"])).expect("a summary");
    let left: Vec<_> =
        summary.left_out.iter().map(|left| (left.file.as_deref(), left.code.as_str())).collect();
    assert_eq!(left, [(Some("FERRY_1830.mxf"), "package.file-unreachable")]);
    let proxy = package.iter().find(|(path, _)| path.ends_with("FERRY_1830_proxy.mp4")).expect("the proxy");
    assert!(bytes(proxy.1) == world.iconik().with_state(|state| stored(state, "FERRY_1830_proxy.mp4")));
    assert_eq!(job(&world)["status"], "FINISHED_WITH_WARNING");
    assert_eq!(world.asset(&world.titled(NEWS))["archive_status"], "ARCHIVED");
}

#[tokio::test]
async fn regulated_material_without_an_approved_version_is_not_packaged() {
    let world = world(healthcare).await;
    close(&world, "Patient information");
    world.iconik_request("collections", &world.titled("Patient information"), "archive").await;
    world.settle().await;
    assert_eq!(world.endings().await, ["skipped package.held"], "{}", world.told());
    let why = job(&world)["error_message"].as_str().unwrap_or_default().to_owned();
    assert!(why.contains(&format!("{HEALTHCARE}: has no approved version")), "{why}");
}

/// Whoever had said no to the newest version of the regulated film says yes.
fn approve_regulated(state: &mut State) {
    let film = state.titled(HEALTHCARE).expect("the film");
    let version = state.current_version_of(&film).expect("a version");
    let key = state.approval_key("assets", &film, Some(&version)).expect("a review");
    state.decide(REVIEWER, &key, "APPROVED").expect("a verdict");
    state.index_all();
}

#[tokio::test]
async fn regulated_material_that_is_approved_goes_into_the_workspace_of_its_product() {
    const WORKSPACE: &str = "Claims/CLM-100117 Water damage";
    let title = "Patient information";
    let world = world(healthcare).await;
    world.iconik().with_state(approve_regulated);
    close(&world, title);
    world.iconik_request("collections", &world.titled(title), "archive").await;
    world.settle().await;
    assert_eq!(world.endings().await, ["delivered"], "{}", world.told());

    // The workspace was there, and stays the only one of its business object; the folders in it are new.
    let folder = format!("{WORKSPACE}/Promotional material/{title}");
    let (workspaces, node) = world.ecm.with_state(|state| {
        let named = state.nodes.values().filter(|node| node.kind == kind::WORKSPACE);
        let named = named.filter(|node| node.name.contains("100117") || node.name == title);
        (named.map(|node| node.name.clone()).collect::<Vec<_>>(), state.at(&folder).map(|node| node.id))
    });
    assert_eq!(workspaces, ["CLM-100117 Water damage"]);
    let node = node.expect("the folder of the package in the workspace");
    let package = package(&world, &folder);
    let paths: Vec<&str> = package.keys().map(String::as_str).collect();
    let approved = format!("Approved material/{HEALTHCARE} v2");
    for name in ["inhaler_v2.mp4", "leaflet_v2.pdf"] {
        let path = format!("{approved}/{name}");
        let document = package.get(&path).unwrap_or_else(|| panic!("{path} is not in {paths:?}"));
        assert!(bytes(document) == world.iconik().with_state(|state| stored(state, name)), "{path}");
    }
    assert!(!paths.iter().any(|path| path.contains("_v1")), "only what is approved: {paths:?}");
    for name in [
        "Production summary.html",
        "Production summary.json",
        "Records/Approvals.json",
        "Records/Comments.json",
    ] {
        assert!(package.contains_key(name), "{name} is not in {paths:?}");
    }
    let summary: Summary =
        serde_json::from_slice(&bytes(&package["Production summary.json"])).expect("a summary");
    assert_eq!(summary.documents.len() + 1, package.len(), "the summary tells of everything but itself");
    let done = job(&world);
    assert_eq!(done["status"], "FINISHED", "{done}");
    assert_eq!(said(&world, title, "PackageState"), Some(json!("archived")));
    assert_eq!(
        said(&world, title, "PackageNode"),
        Some(json!(node)),
        "iconik leads to the place in the workspace"
    );
}

/// A campaign with one image sequence.
fn sequence(state: &mut State, frames: usize) {
    let given = json!({"title": "Titles", "category": "campaign", "external_id": "CMP-9"});
    let titles = campaign::collection(state, None, given);
    let shot =
        campaign::asset(state, &titles, json!({"title": "Title shot", "type": "ASSET", "category": "final"}));
    let names: Vec<String> = (0..frames).map(|frame| format!("title.{frame:06}.dpx")).collect();
    let files: Vec<campaign::Planted<'_>> =
        names.iter().map(|name| (name.as_str(), Blob::of(campaign::bytes(name)), "CLOSED")).collect();
    campaign::format(state, &shot, "ORIGINAL", ORIGINALS, "titles/shot", &files);
    campaign::review(state, &shot, &[(PRODUCER, "APPROVED")]);
    campaign::set_status(state, "Titles", "closed", "2031-05-06");
    state.index_all();
}

#[tokio::test]
async fn a_long_sequence_takes_several_invocations_and_no_frame_is_there_twice() {
    let world = World::with(Usual {
        rules: Some(campaigns),
        content: Some(Keeping::Versions),
        iconik: Some(Settings::default()),
        timeout: Duration::from_secs(4),
        variables: |_| vec![("WAYBILL_TARGET_RATE", "100".into())],
        ..Usual::of("archive-production")
    })
    .await;
    world.iconik().with_state(|state| {
        campaign::describe(state);
        sequence(state, 80);
    });
    world.iconik_request("collections", &world.titled("Titles"), "archive").await;
    // Somebody looks at the job after each go.
    let mut percents = Vec::new();
    loop {
        world.deliver().await;
        let job = job(&world);
        if job["status"] != "STARTED" {
            break;
        }
        if job["message"].is_null() {
            assert!(percents.is_empty() && job["progress"] == 0, "it has only begun: {job}");
            continue;
        }
        assert!(job["message"].as_str().is_some_and(|message| message.contains(" of ")), "{job}");
        percents.push(job["progress"].as_i64().expect("a percentage"));
    }
    assert!(percents.len() > 1 && percents.is_sorted(), "it only goes on: {percents:?}");
    assert!(percents.iter().all(|percent| (1..100).contains(percent)), "it is under way: {percents:?}");
    assert!(percents.first() < percents.last(), "people see it rise: {percents:?}");
    world.settle().await;
    assert_eq!(world.endings().await, ["delivered"], "{}", world.told());
    let done = job(&world);
    assert_eq!((&done["status"], &done["progress"]), (&json!("FINISHED"), &json!(100)), "{done}");
    let package = package(&world, &format!("{FOLDER}/Titles (CMP-9)"));
    let frames = package.iter().filter(|(path, _)| path.ends_with(".dpx"));
    let mut count = 0;
    for (path, node) in frames {
        let name = path.rsplit('/').next().unwrap_or_default();
        assert!(bytes(node) == campaign::bytes(name) && node.versions.len() == 1, "{path}");
        count += 1;
    }
    assert_eq!(count, 80);
    let summary: Summary =
        serde_json::from_slice(&bytes(&package["Production summary.json"])).expect("a summary");
    assert_eq!(summary.totals.files, 80);
    let listed = world.objects(&world.place.content).await;
    let lists = listed.keys().filter(|key| key.contains("/filed-")).count();
    assert!(lists > 1, "it took more than one go: {:?}", listed.keys());
}

#[tokio::test]
async fn a_person_who_aborts_the_job_is_obeyed_and_what_was_filed_stays() {
    let world = World::with(Usual {
        rules: Some(campaigns),
        content: Some(Keeping::Versions),
        iconik: Some(Settings::default()),
        timeout: Duration::from_secs(4),
        variables: |_| vec![("WAYBILL_TARGET_RATE", "50".into())],
        ..Usual::of("archive-production")
    })
    .await;
    world.iconik().with_state(|state| {
        campaign::describe(state);
        sequence(state, 80);
    });
    world.iconik_request("collections", &world.titled("Titles"), "archive").await;
    world.deliver().await;
    let id = job(&world)["id"].as_str().expect("an id").to_owned();
    world.iconik().with_state(|state| state.press(PRODUCER, &[id], "ABORT").expect("the button"));
    world.settle().await;
    assert_eq!(world.endings().await, ["skipped package.aborted"], "{}", world.told());
    assert_eq!(job(&world)["status"], "ABORTED");
    let package = package(&world, &format!("{FOLDER}/Titles (CMP-9)"));
    assert!(!package.contains_key("Production summary.json"));
    // Asked again, it goes on.
    world.iconik_request("collections", &world.titled("Titles"), "archive").await;
    world.settle().await;
    assert_eq!(world.endings().await, ["delivered", "skipped package.aborted"], "{}", world.told());
    assert_eq!(self::package(&world, &format!("{FOLDER}/Titles (CMP-9)")).len(), 84);
}
