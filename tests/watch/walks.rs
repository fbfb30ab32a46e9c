//! Feeds that list workspaces.

use simulators::content_server::{seed, state::ADMIN};
use tests::watched::{FLOWS, Setting, Watched};

use crate::{run, watched};

const CLAIMS: &str = r#"
[[feed]]
name = "claims"
flows = ["offload-content"]
workspaces = { type = "Claim" }
types = ["document", "workspace"]
"#;

/// The workspaces of the type and the documents in them.
fn members(world: &Watched) -> Vec<i64> {
    world.content_server.with_state(|state| {
        let inside: Vec<i64> = state
            .workspaces()
            .filter(|(_, own)| own.type_id == seed::CLAIM_TYPE)
            .map(|(node, _)| node.id)
            .collect();
        let documents = state.nodes.values().filter(|node| node.kind == 144);
        let documents =
            documents.filter(|node| state.ancestors(node.id).iter().any(|id| inside.contains(id)));
        let mut all: Vec<i64> = documents.map(|node| node.id).chain(inside.iter().copied()).collect();
        all.sort_unstable();
        all
    })
}

fn free_workspace(world: &Watched) -> i64 {
    world.content_server.with_state(|state| {
        // The first one is on hold.
        let claims = state.workspaces().filter(|(_, own)| own.type_id == seed::CLAIM_TYPE);
        claims.map(|(node, _)| node.id).max().expect("a claim")
    })
}

fn nodes(told: Vec<(i64, String)>) -> Vec<i64> {
    told.into_iter().map(|(node, _)| node).collect()
}

#[test]
fn workspaces_and_what_is_in_their_folders_are_told_without_the_index() {
    run(async {
        let mut setting = Setting::of(CLAIMS);
        setting.content_server.search_lag_seconds = 1_000_000;
        setting.client = serde_json::json!({ "page_size": 2 });
        let world = watched(setting).await;
        let workspace = free_workspace(&world);
        let folder = world.content_server.with_state(|state| {
            state.children(workspace).into_iter().find(|node| node.kind == 0).expect("a folder").id
        });
        let deep = world.document(folder, "deep.txt");
        let top = world.document(workspace, "top.txt");
        world.rounds().await;
        assert_eq!(nodes(world.told_to(FLOWS[0])), members(&world));
        world.pass(60).await;
        world.version(deep);
        world.delete(top);
        world.rounds().await;
        let mut expected: Vec<(i64, String)> =
            members(&world).into_iter().map(|node| (node, "changed".to_owned())).collect();
        expected.extend([(deep, "changed".into()), (top, "changed".into()), (top, "removed".into())]);
        expected.sort();
        let told: Vec<_> = world.told_to(FLOWS[0]);
        // Putting something into a workspace may move the workspace's own date.
        let told: Vec<_> = told.into_iter().filter(|(node, _)| *node != workspace).collect();
        expected.retain(|(node, _)| *node != workspace);
        assert_eq!(told, expected);
        assert!(!world.repeats());
    });
}

#[test]
fn a_workspace_that_is_deleted_goes_with_everything_in_it() {
    run(async {
        let world = watched(Setting::of(CLAIMS)).await;
        let workspace = free_workspace(&world);
        let paper = world.document(workspace, "paper.txt");
        world.rounds().await;
        world.content_server.with_state(|state| state.delete(ADMIN, workspace)).expect("deleted");
        world.rounds().await;
        let told = world.told_to(FLOWS[0]);
        for node in [workspace, paper] {
            assert!(told.contains(&(node, "removed".to_owned())), "{node} in {told:?}");
        }
        let count = told.len();
        world.rounds().await;
        assert_eq!(world.told_to(FLOWS[0]).len(), count, "it is told once");
    });
}
