//! `archive-production`: closed productions, and their packages.

use iconik_content_server::ARCHIVE_PRODUCTION;
use serde_json::{Value, json};
use shared::reconcile::{Action, Kind, Options};
use simulators::{
    content_server::{
        Blob,
        state::{ADMIN, NewNode, NewVersion, kind},
    },
    iconik::seed::PRODUCER,
};
use tests::{
    campaign::{self, SPOT, VIEW},
    messages::iconik_change,
    repository,
    storm::{Scenario, World},
};

use crate::{
    approved::{id, map, untold},
    side::{Compared, repairing, run},
};

const RULES: &str = r#"
[[rule]]
name = "campaigns"
categories = ["campaign"]

[rule.closed]
view = "5f0c8f30-7a51-11f0-c006-0242ac120002"
field = "ProductionStatus"
values = ["closed"]
revision_field = "ClosedOn"

[rule.target]
folder = "Enterprise:Claims/Guidelines/{collection.title}"
create = true

[[rule.part]]
folder = "Masters"
categories = ["final"]
formats = ["ORIGINAL"]
version = "approved"
at_least = 1

[[rule.part]]
folder = "Edit decision lists"
extensions = ["edl"]
every_asset = false

[rule.told]
view = "5f0c8f30-7a51-11f0-c006-0242ac120002"
state_field = "PackageState"
held = "waiting for files"
node_field = "PackageNode"
"#;

/// The folder of the package.
const PACKAGE: &str = "Claims/Guidelines/Lighthouse spot";
const FILM: &str = "LH_20.mov";
const SUMMARY: &str = "Production summary.json";
/// Files, approvals, comments, the page, and the summary.
const DOCUMENTS: u64 = 7;

fn closed(world: &World) {
    world.iconik().with_state(|state| {
        campaign::plant(state);
        campaign::set_status(state, SPOT, "closed", "2031-05-06");
        state.index_all();
    });
}

fn growing(world: &World) {
    world.iconik().with_state(|state| {
        state.settings.media.reopen = true;
        campaign::plant(state);
        campaign::set_file(state, "LH_20_stereo.wav", "GROWING");
        campaign::set_status(state, SPOT, "closed", "2031-05-06");
        state.index_all();
    });
}

pub(crate) fn story() -> Scenario {
    let told =
        |world: &World| vec![iconik_change("archive-production", "collections", &id(world, SPOT), None, "1")];
    Scenario::of_iconik("package", &ARCHIVE_PRODUCTION, RULES, closed, told, (1, 0, 0))
}

/// The document of the package with a name.
fn document(world: &World, name: &str) -> i64 {
    world.content_server.with_state(|state| {
        let mut nodes = state.nodes.values().filter(|node| node.kind == kind::DOCUMENT && node.name == name);
        nodes.find(|node| state.path_of(node.id).contains(PACKAGE)).expect("the document").id
    })
}

/// Somebody puts other bytes into a version that is there.
fn replace(world: &World, node: i64, bytes: Vec<u8>) {
    world.content_server.with_state(|state| {
        let versions = &mut state.nodes.get_mut(&node).expect("the document").versions;
        versions[0].content = Blob::of(bytes);
    });
}

fn set_status(world: &World, status: &str, on: &str) {
    world.iconik().with_state(|state| campaign::set_status(state, SPOT, status, on));
}

fn show(world: &World, field: &str, values: &Value) {
    let collection = id(world, SPOT);
    world.iconik().with_state(|state| {
        let values = map(json!({ field: {"field_values": values} }));
        state.write_values(PRODUCER, ("collections", &collection), VIEW, &values, false).expect("written");
    });
}

#[test]
fn a_complete_package_agrees_with_its_closing() {
    run(async {
        let compared = Compared::after(story()).await;
        for deep in [false, true] {
            let said = compared.compare(Options { deep, ..Options::default() }).await;
            assert_eq!(said.found(), [], "{deep}");
            let counts = said.counts();
            // And what iconik says of it.
            assert_eq!((counts.equal, counts.alike, counts.accounted), (DOCUMENTS, 1, 0), "{counts:?}");
        }
        assert_eq!(compared.world.waiting(), 0);
    });
}

#[test]
fn a_closing_nobody_told_of_is_missing_and_is_packaged_when_the_flow_looks() {
    run(async {
        let compared = Compared::after(untold(story())).await;
        let said = compared.compare(Options::default()).await;
        assert_eq!(said.found(), [(Kind::Missing, SPOT.to_owned())]);
        assert_eq!(said.finding(SPOT).repair.action, Action::LookAgain);
        let after = compared.repaired(1).await;
        assert_eq!((after.found(), after.counts().equal), (vec![], DOCUMENTS));
    });
}

#[test]
fn documents_that_were_removed_or_changed_are_a_persons_business() {
    run(async {
        let compared = Compared::after(story()).await;
        let world = &compared.world;
        let film = document(world, FILM);
        world.content_server.with_state(|state| state.delete(ADMIN, film)).expect("deleted");
        replace(world, document(world, "LH_20_stereo.wav"), b"shorter".to_vec());
        let same = campaign::bytes("LH_20.edl");
        replace(world, document(world, "LH_20.edl"), vec![7; same.len()]);
        compared.hours(3).await;
        let said = compared.compare(repairing()).await;
        let found = |kind: Kind, name: &str| (kind, name.to_owned());
        let (film, sound) = (found(Kind::Missing, FILM), found(Kind::Different, "LH_20_stereo.wav"));
        assert_eq!(said.found(), [film.clone(), sound.clone()]);
        assert!(said.report.findings.iter().all(|finding| finding.repair.action == Action::Person));
        assert_eq!(said.counts().queued, 0);
        let deep = compared.compare(Options { deep: true, ..Options::default() }).await;
        assert_eq!(deep.found(), [film, found(Kind::Different, "LH_20.edl"), sound]);
    });
}

#[test]
fn a_summary_that_was_changed_or_removed_is_found() {
    run(async {
        let compared = Compared::after(story()).await;
        let world = &compared.world;
        let summary = document(world, SUMMARY);
        let mut bytes = repository::newest_bytes(&world.content_server, summary);
        let at = bytes.iter().position(|byte| *byte == b'L').expect("a letter");
        bytes[at] = b'M';
        replace(world, summary, bytes);
        compared.hours(3).await;
        let said = compared.compare(Options::default()).await;
        assert_eq!(said.found(), [(Kind::Different, SUMMARY.to_owned())]);
        assert_eq!(said.finding(SUMMARY).differences[0].what, "sha256");
        world.content_server.with_state(|state| state.delete(ADMIN, summary)).expect("deleted");
        let said = compared.compare(Options::default()).await;
        assert_eq!(said.found(), [(Kind::Missing, SUMMARY.to_owned())]);
    });
}

#[test]
fn what_others_put_into_a_package_is_extra() {
    run(async {
        let compared = Compared::after(story()).await;
        let world = &compared.world;
        let folder = repository::at(&world.content_server, PACKAGE);
        world.content_server.with_state(|state| {
            let version = NewVersion::of("notes.txt", "text/plain", Blob::of(b"somebody's".to_vec()));
            let new = NewNode {
                kind: kind::DOCUMENT,
                parent_id: folder,
                name: "notes.txt".into(),
                version: Some(version),
                ..NewNode::default()
            };
            state.create(ADMIN, new).expect("a document");
        });
        compared.hours(3).await;
        let said = compared.compare(repairing()).await;
        assert_eq!(said.found(), [(Kind::Extra, "notes.txt".to_owned())]);
        assert_eq!(said.counts().queued, 0);
    });
}

#[test]
fn a_package_that_waits_is_not_missing() {
    run(async {
        let compared = Compared::after(Scenario { prepare: growing, ..story() }).await;
        let said = compared.compare(Options::default()).await;
        assert_eq!((said.found(), said.counts().accounted), (vec![], 1));
    });
}

#[test]
fn what_was_packaged_is_compared_after_the_production_is_open_again() {
    run(async {
        let compared = Compared::after(story()).await;
        let world = &compared.world;
        set_status(world, "open", "");
        compared.hours(3).await;
        let said = compared.compare(Options::default()).await;
        assert_eq!((said.found(), said.counts().equal), (vec![], DOCUMENTS));
        // Closed again, and nobody told of it.
        set_status(world, "closed", "2031-05-08");
        compared.hours(3).await;
        let said = compared.compare(Options::default()).await;
        assert_eq!(said.found(), [(Kind::Missing, SPOT.to_owned())]);
        assert_eq!(said.counts().equal, DOCUMENTS);
        assert_eq!(compared.repaired(1).await.found(), []);
    });
}

#[test]
fn what_iconik_says_of_a_package_is_compared_field_by_field() {
    run(async {
        let compared = Compared::after(story()).await;
        show(&compared.world, "PackageNode", &json!([]));
        compared.hours(3).await;
        let said = compared.compare(Options::default()).await;
        assert_eq!(said.found(), [(Kind::Metadata, SPOT.to_owned())]);
        let what: Vec<_> = said.finding(SPOT).differences.iter().map(|one| one.what.as_str()).collect();
        assert_eq!(what, ["PackageNode"]);
    });
}
