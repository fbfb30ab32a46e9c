//! `offload-content`: versions of documents, and their copies.

use s3_content_server::OFFLOAD_CONTENT;
use shared::{
    node_change::NodeChange,
    reconcile::{Action, Kind, Options},
};
use simulators::content_server::{
    Blob, seed,
    state::{ADMIN, NewNode, NewVersion, kind},
};
use tests::storm::{CONTENT, Scenario, World};

use crate::side::{Compared, repairing, run};

fn rules(lines: &str) -> &'static str {
    format!(
        r#"
[external_content]
category = "Categories:Integration/External Content"
location = "Location"
document_version = "Document Version"
sha256 = "SHA-256"

[[rule]]
name = "scans"
within = "Enterprise:Digitised Archive"
content_types = ["image/*"]
prefix = "kept/"
{lines}
"#
    )
    .leak()
}

const NAMES: [&str; 3] = ["a.tif", "b.tif", "c.tif"];

/// Three documents of two versions.
fn documents(world: &World) {
    world.content_server.with_state(|state| {
        let archive = state.at("Digitised Archive").map(|node| node.id).expect("the archive");
        for name in NAMES {
            let version = |number: u32| {
                NewVersion::of(name, "image/tiff", Blob::of(format!("{name}, version {number}").into_bytes()))
            };
            let new = NewNode {
                kind: kind::DOCUMENT,
                parent_id: archive,
                name: name.to_owned(),
                version: Some(version(1)),
                ..NewNode::default()
            };
            let node = state.create(seed::WAYBILL, new).expect("a document");
            state.add_version(seed::WAYBILL, node, version(2)).expect("a version");
        }
    });
}

fn node(world: &World, name: &str) -> i64 {
    world.content_server.with_state(|state| state.at(&format!("Digitised Archive/{name}")).expect("it").id)
}

fn changed(world: &World) -> Vec<String> {
    let change = |name: &&str| {
        let change = NodeChange { version: Some(2), ..NodeChange::about(node(world, name), None, "") };
        change.envelope("watch-content-server", "offload-content", &world.context).expect("an envelope")
    };
    NAMES.iter().map(change).collect()
}

pub(crate) fn story(lines: &str) -> Scenario {
    Scenario::of_messages("scans", &OFFLOAD_CONTENT, rules(lines), documents, changed, (3, 0, 0))
}

async fn remove(compared: &Compared, key: &str) {
    compared.world.s3.delete_object().bucket(CONTENT).key(key).send().await.expect("deleted");
}

#[test]
fn what_was_offloaded_agrees_whatever_became_of_the_content() {
    for lines in ["", "after = \"purge-old-versions\"", "after = \"pointer\""] {
        run(async {
            let compared = Compared::after(story(lines)).await;
            let said = compared.compare(Options::default()).await;
            assert_eq!(said.found(), [], "{lines}");
            let counts = said.counts();
            assert!(counts.equal >= 3 && counts.alike == 0, "{lines}: {counts:?}");
            assert_eq!(counts.target, 12, "six copies and their descriptions");
            let deep = compared.compare(Options { deep: true, ..Options::default() }).await;
            assert_eq!(deep.found(), [], "{lines}");
        });
    }
}

#[test]
fn copies_that_are_lost_are_made_again_while_the_content_is_still_there() {
    run(async {
        let compared = Compared::after(story("")).await;
        let (a, b) = (node(&compared.world, "a.tif"), node(&compared.world, "b.tif"));
        remove(&compared, &format!("kept/{a}/2/a.tif")).await;
        remove(&compared, &format!("kept/{b}/1.json")).await;
        let said = compared.compare(Options::default()).await;
        let missing = |name: &str| (Kind::Missing, name.to_owned());
        let found = said.found();
        assert_eq!(
            found.iter().filter(|(kind, _)| *kind == Kind::Missing).cloned().collect::<Vec<_>>(),
            [missing("a.tif"), missing("b.tif")]
        );
        // Without its description, nothing vouches for what lies beside it.
        assert_eq!(found.iter().filter(|(kind, _)| *kind == Kind::Extra).count(), 1, "{found:?}");
        assert_eq!(said.finding("a.tif").repair.action, Action::LookAgain);

        assert_eq!(compared.compare(repairing()).await.counts().queued, 2);
        compared.work().await;
        assert_eq!(compared.compare(Options::default()).await.found(), []);
    });
}

#[test]
fn a_lost_copy_whose_content_was_purged_is_a_persons_business() {
    run(async {
        let compared = Compared::after(story("after = \"pointer\"")).await;
        let a = node(&compared.world, "a.tif");
        remove(&compared, &format!("kept/{a}/2/a.tif")).await;
        let said = compared.compare(repairing()).await;
        assert_eq!(said.found(), [(Kind::Missing, "a.tif".to_owned())]);
        let finding = said.finding("a.tif");
        assert_eq!((finding.repair.action, finding.repair.safe), (Action::Person, false));
        assert_eq!(compared.world.waiting(), 0);
    });
}

#[test]
fn a_document_nobody_told_of_is_missing_and_what_is_held_is_accounted_for() {
    run(async {
        let compared =
            Compared::after(Scenario { messages: |_| Vec::new(), clean: (0, 0, 0), ..story("") }).await;
        let held = node(&compared.world, "b.tif");
        compared.world.content_server.with_state(|state| {
            state.apply_hold(ADMIN, held, seed::FLOOD_HOLD).expect("a hold");
        });
        let said = compared.compare(repairing()).await;
        assert_eq!(said.found(), [(Kind::Missing, "a.tif".to_owned()), (Kind::Missing, "c.tif".to_owned())]);
        assert_eq!((said.counts().accounted, said.counts().queued), (1, 2));
        compared.work().await;
        assert_eq!(compared.compare(Options::default()).await.found(), []);
    });
}

#[test]
fn damaged_strange_and_orphaned_copies_are_found_and_nothing_is_deleted() {
    run(async {
        let compared = Compared::after(story("")).await;
        let world = &compared.world;
        let (a, b, c) = (node(world, "a.tif"), node(world, "b.tif"), node(world, "c.tif"));
        let put = world.s3.put_object().bucket(CONTENT).key(format!("kept/{a}/2/a.tif"));
        let put = put.checksum_algorithm(aws_sdk_s3::types::ChecksumAlgorithm::Crc64Nvme);
        put.body(b"a.tif, VERSION 2".to_vec().into()).send().await.expect("put");
        let put = world.s3.put_object().bucket(CONTENT).key(format!("kept/{b}/2/b.tif"));
        put.body(b"something longer in its place".to_vec().into()).send().await.expect("put");
        let put = world.s3.put_object().bucket(CONTENT).key("kept/notes.txt");
        put.body(b"a stranger".to_vec().into()).send().await.expect("put");
        world.content_server.with_state(|state| state.delete(ADMIN, c)).expect("deleted");
        compared.hours(3).await;
        let before = world.aws.s3().versions(CONTENT).len();

        let said = compared.compare(repairing()).await;
        let of = |kind: Kind| {
            let found = said.found().into_iter().filter(|(found, _)| *found == kind);
            found.map(|(_, name)| name).collect::<Vec<_>>()
        };
        assert_eq!(of(Kind::Different), ["a.tif", "b.tif"]);
        // Two versions and two descriptions of the deleted document, and the stranger.
        assert_eq!(of(Kind::Extra), ["1.json", "2.json", "c.tif", "c.tif", "notes.txt"]);
        assert_eq!((said.counts().missing, said.counts().queued), (0, 0));
        assert_eq!(world.aws.s3().versions(CONTENT).len(), before);
    });
}
