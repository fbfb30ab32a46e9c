//! `replicate-content`: a content set, and its replica.

use s3_content_server::REPLICATE_CONTENT;
use shared::{
    node_change::NodeChange,
    reconcile::{Action, Kind, Options},
};
use simulators::content_server::{
    Blob, seed,
    state::{ADMIN, Changes, NewNode, NewVersion, kind},
};
use tests::storm::{CONTENT, Scenario, World};

use crate::side::{Compared, repairing, run};

const RULES: &str = "[[rule]]\nname = \"plans\"\nwithin = \"Enterprise:Digitised Archive\"\nprefix = \"plans/\"\n\
    restore_into = \"Enterprise:Quarantine\"\n";
const NAMES: [&str; 2] = ["a.tif", "b.tif"];

/// Two documents of two versions beside what is there.
fn documents(world: &World) {
    world.content_server.with_state(|state| {
        for name in NAMES {
            let version = |number: u32| {
                NewVersion::of(name, "image/tiff", Blob::of(format!("{name}, version {number}").into_bytes()))
            };
            let new = NewNode {
                kind: kind::DOCUMENT,
                parent_id: seed::ARCHIVE,
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

/// Everything below the container of the set.
fn set(world: &World) -> Vec<i64> {
    world.content_server.with_state(|state| {
        let mut found = Vec::new();
        let mut containers = vec![seed::ARCHIVE];
        while let Some(container) = containers.pop() {
            for child in state.children(container) {
                found.push(child.id);
                containers.push(child.id);
            }
        }
        found
    })
}

fn told(world: &World) -> Vec<String> {
    let change = |node: i64| NodeChange::about(node, None, "");
    let told = |node| change(node).envelope("watch-content-server", "replicate-content", &world.context);
    set(world).into_iter().map(|node| told(node).expect("an envelope")).collect()
}

fn story() -> Scenario {
    Scenario::of_messages("plans", &REPLICATE_CONTENT, RULES, documents, told, (0, 0, 0))
}

#[test]
fn what_was_replicated_agrees() {
    run(async {
        let compared = Compared::after(story()).await;
        for deep in [false, true] {
            let said = compared.compare(Options { deep, ..Options::default() }).await;
            assert_eq!(said.found(), [], "deep: {deep}");
            let counts = said.counts();
            assert_eq!(counts.source, set(&compared.world).len() as u64, "{counts:?}");
            // Each content by its hash; documents and folders by what is known of them.
            assert!(counts.equal >= 4 && counts.alike == counts.source, "{counts:?}");
        }
    });
}

#[test]
fn lost_contents_changed_values_and_deletions_are_found_and_put_right_by_the_flow() {
    run(async {
        let compared = Compared::after(story()).await;
        let world = &compared.world;
        let (a, b) = (node(world, "a.tif"), node(world, "b.tif"));
        // A content is lost in the replica, a description changes without a word, a document goes.
        let lost = world
            .aws
            .s3()
            .versions(CONTENT)
            .into_iter()
            .find(|object| object.key.starts_with(&format!("plans/{a}/2/")));
        let lost = lost.expect("the content of the second version").key;
        world.s3.delete_object().bucket(CONTENT).key(&lost).send().await.expect("deleted");
        world.content_server.with_state(|state| {
            let changes = Changes { description: Some("drawn in 1887".to_owned()), ..Changes::default() };
            state.update(ADMIN, a, changes).expect("an edit");
            state.delete(ADMIN, b).expect("deleted");
        });
        compared.hours(3).await;
        let said = compared.compare(repairing()).await;
        assert_eq!(
            said.found(),
            [
                (Kind::Missing, "a.tif".to_owned()),
                (Kind::Different, "a.tif".to_owned()),
                (Kind::Extra, "b.tif".to_owned()),
            ]
        );
        assert!(said.report.findings.iter().all(|finding| finding.repair.action == Action::LookAgain));
        let kept = world.aws.s3().versions(CONTENT).len();
        compared.work().await;
        assert_eq!(compared.compare(Options::default()).await.found(), []);
        assert!(world.aws.s3().versions(CONTENT).len() > kept, "the replica only ever grows");
    });
}
