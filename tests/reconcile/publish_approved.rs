//! `publish-approved`: what is approved, its copies, and the links that lead to them.

use s3_content_server::PUBLISH_APPROVED;
use serde_json::json;
use shared::{
    links::{Links, Token},
    node_change::NodeChange,
    reconcile::{Action, Kind, Options},
};
use simulators::content_server::{
    Blob, seed,
    state::{ADMIN, NewNode, NewVersion, kind},
};
use tests::{
    repository,
    storm::{CONTENT, LINK_ADDRESS, Scenario, World},
};

use crate::side::{Compared, Said, repairing, run};

const RULES: &str = r#"
[publication]
category = "Categories:Integration/Publication"
state = "State"
version = "Version"
location = "Location"
sha256 = "SHA-256"
reason = "Reason"

[[audience]]
name = "partners"
link = "Partner Link"
valid_days = 300

[[rule]]
name = "packages"
within = "Enterprise:Claims/Guidelines/Together"
key = "packages/{folder.name}"
audiences = ["partners"]
approved = { by = "attribute", category = "Categories:Business/Document Approval", attribute = "Status", values = ["Approved"], version = "Approved Version" }
package = {}

[[rule]]
name = "guidelines"
within = "Enterprise:Claims/Guidelines"
key = "guides/{node.name}"
audiences = ["partners"]
approved = { by = "attribute", category = "Categories:Business/Document Approval", attribute = "Status", values = ["Approved"], version = "Approved Version" }
"#;

const NAMES: [&str; 4] = ["a.pdf", "b.pdf", "Together/c.pdf", "Together/d.pdf"];

/// Two documents by themselves and two in a package; one more that nobody approved.
fn documents(world: &World) {
    world.content_server.with_state(|state| {
        let folder = NewNode {
            kind: kind::FOLDER,
            parent_id: seed::GUIDELINES,
            name: "Together".into(),
            ..NewNode::default()
        };
        let folder = state.create(ADMIN, folder).expect("a folder");
        for name in NAMES.into_iter().chain(["draft.pdf"]) {
            let (parent_id, name) = match name.strip_prefix("Together/") {
                Some(name) => (folder, name),
                None => (seed::GUIDELINES, name),
            };
            let version = |number: u32| {
                let content = format!("%PDF-1.7 {name}, version {number}").into_bytes();
                NewVersion::of(name, "application/pdf", Blob::of(content))
            };
            let new = NewNode {
                kind: kind::DOCUMENT,
                parent_id,
                name: name.to_owned(),
                version: Some(version(1)),
                ..NewNode::default()
            };
            let node = state.create(ADMIN, new).expect("a document");
            state.add_version(ADMIN, node, version(2)).expect("a version");
            let status = if name == "draft.pdf" { "Draft" } else { "Approved" };
            let values = [("2", json!(status)), ("3", json!(2))];
            let values = values.map(|(key, value)| (key.to_owned(), value)).into_iter().collect();
            state.add_category(ADMIN, node, seed::DOCUMENT_APPROVAL, &values).expect("a category");
        }
    });
}

fn node(world: &World, name: &str) -> i64 {
    world.content_server.with_state(|state| state.at(&format!("Claims/Guidelines/{name}")).expect("it").id)
}

fn changed(world: &World) -> Vec<String> {
    let change = |name: &&str| {
        let change = NodeChange::about(node(world, name), None, "");
        change.envelope("watch-content-server", "publish-approved", &world.context).expect("an envelope")
    };
    NAMES.iter().map(change).collect()
}

pub(crate) fn story() -> Scenario {
    Scenario {
        content_versioned: true,
        ..Scenario::of_messages("guides", &PUBLISH_APPROVED, RULES, documents, changed, (4, 0, 0))
    }
}

fn approve(world: &World, name: &str, state: &str, version: i64) {
    let node = node(world, name);
    repository::set_value(&world.content_server, node, "Document Approval", "Status", json!(state));
    repository::set_value(
        &world.content_server,
        node,
        "Document Approval",
        "Approved Version",
        json!(version),
    );
}

/// The link that the category of a node tells.
fn link(world: &World, name: &str) -> Option<Token> {
    let node = node(world, name);
    let told = world.content_server.with_state(|state| {
        state.value_of(node, "Publication", "Partner Link").and_then(|link| link.as_str().map(str::to_owned))
    });
    let token = told?.strip_prefix(&format!("{LINK_ADDRESS}/"))?.to_owned();
    Some(Token::presented(&token))
}

fn copies(world: &World) -> Vec<String> {
    world.aws.s3().versions(CONTENT).into_iter().map(|object| object.key).collect()
}

/// What is safe is done; afterwards both sides agree but for what a person has to decide.
async fn repaired(compared: &Compared, queued: u64) -> Said {
    assert_eq!(compared.compare(repairing()).await.counts().queued, queued);
    compared.work().await;
    compared.compare(Options::default()).await
}

#[test]
fn what_is_published_agrees_documents_and_packages() {
    run(async {
        let compared = Compared::after(story()).await;
        for deep in [false, true] {
            let said = compared.compare(Options { deep, ..Options::default() }).await;
            assert_eq!(said.found(), [], "{deep}");
            let counts = said.counts();
            assert_eq!((counts.equal, counts.alike, counts.accounted), (3, 0, 0), "{counts:?}");
        }
        assert_eq!(compared.world.waiting(), 0);
    });
}

#[test]
fn an_approval_nobody_told_of_is_missing_and_so_is_a_copy_that_was_removed() {
    run(async {
        let compared = Compared::after(story()).await;
        let world = &compared.world;
        approve(world, "draft.pdf", "Approved", 1);
        let package = "packages/Together.zip";
        for key in ["guides/a.pdf", package] {
            let version = world.aws.s3().versions(CONTENT).into_iter().find(|object| object.key == key);
            let delete = world.s3.delete_object().bucket(CONTENT).key(key);
            delete.version_id(version.expect("a copy").version_id).send().await.expect("deleted");
        }
        // Hidden behind a delete marker.
        world.s3.delete_object().bucket(CONTENT).key("guides/b.pdf").send().await.expect("deleted");
        compared.hours(3).await;
        let before = (link(world, "a.pdf"), link(world, "Together"));
        let said = compared.compare(Options::default()).await;
        let found = said.found();
        let missing: Vec<&str> =
            found.iter().filter(|(kind, _)| *kind == Kind::Missing).map(|(_, name)| name.as_str()).collect();
        assert_eq!(missing, ["Together.zip", "a.pdf", "b.pdf", "draft.pdf"]);
        // What lies behind the marker is not the copy any more.
        assert_eq!(found.len() - missing.len(), 1, "{found:?}");
        assert_eq!(said.finding("draft.pdf").repair.action, Action::LookAgain);
        assert_eq!(repaired(&compared, 5).await.found(), []);
        assert_eq!(
            (link(world, "a.pdf"), link(world, "Together")),
            before,
            "links lead on to the new copies"
        );
    });
}

#[test]
fn what_is_not_approved_any_more_is_found_and_withdrawn() {
    run(async {
        let compared = Compared::after(story()).await;
        let world = &compared.world;
        approve(world, "a.pdf", "Revoked", 2);
        for name in ["Together/c.pdf", "Together/d.pdf"] {
            approve(world, name, "Revoked", 2);
        }
        // Deleted, and nobody told of it.
        let b = node(world, "b.pdf");
        world.content_server.with_state(|state| state.delete(ADMIN, b)).expect("deleted");
        compared.hours(3).await;
        let said = compared.compare(Options::default()).await;
        let extra = |name: &str| (Kind::Extra, name.to_owned());
        assert_eq!(
            said.found(),
            [extra("guides/a.pdf"), extra("guides/b.pdf"), extra("packages/Together.zip")]
        );
        assert!(said.report.findings.iter().all(|finding| finding.repair.safe));
        assert_eq!(repaired(&compared, 3).await.found(), []);
        assert_eq!(copies(world), Vec::<String>::new());
        assert!(link(world, "a.pdf").is_none() && link(world, "Together").is_none());
    });
}

#[test]
fn another_approved_version_links_that_lead_nowhere_and_a_category_that_lies_are_put_right() {
    run(async {
        let compared = Compared::after(story()).await;
        let world = &compared.world;
        approve(world, "a.pdf", "Approved", 1);
        let tap = compared.tap(std::collections::BTreeMap::new());
        let environment = compared.environment(tap.transport(std::sync::Arc::default()));
        let links = Links::new(environment.ledger.clone());
        let token = link(world, "b.pdf").expect("a link");
        assert!(links.revoke(&token.id(), "by hand").await.expect("revoked"));
        let package = node(world, "Together");
        repository::set_value(&world.content_server, package, "Publication", "State", json!("Withdrawn"));
        compared.hours(3).await;
        let said = compared.compare(Options::default()).await;
        let different = |name: &str| (Kind::Different, name.to_owned());
        assert_eq!(said.found(), [different("Together.zip"), different("a.pdf"), different("b.pdf")]);
        let what = |name: &str| {
            said.finding(name)
                .differences
                .iter()
                .map(|difference| difference.what.clone())
                .collect::<Vec<_>>()
        };
        assert_eq!((what("a.pdf"), what("b.pdf")), (vec!["version".to_owned()], vec!["state".to_owned()]));
        assert_eq!(what("Together.zip"), ["metadata"]);
        assert_eq!(repaired(&compared, 3).await.found(), []);
        assert_ne!(link(world, "b.pdf").expect("a link").text(), token.text());
    });
}

#[test]
fn links_of_what_is_not_published_are_taken_back() {
    run(async {
        let compared = Compared::after(story()).await;
        let world = &compared.world;
        let token = link(world, "a.pdf").expect("a link");
        approve(world, "a.pdf", "Revoked", 2);
        let there = world.aws.s3().versions(CONTENT).into_iter().find(|object| object.key == "guides/a.pdf");
        let delete = world.s3.delete_object().bucket(CONTENT).key("guides/a.pdf");
        delete.version_id(there.expect("a copy").version_id).send().await.expect("deleted");
        compared.hours(3).await;
        let said = compared.compare(Options::default()).await;
        assert_eq!(said.found(), [(Kind::Different, "a.pdf".to_owned())]);
        assert_eq!(repaired(&compared, 1).await.found(), []);
        let tap = compared.tap(std::collections::BTreeMap::new());
        let environment = compared.environment(tap.transport(std::sync::Arc::default()));
        let kept = Links::new(environment.ledger.clone()).find(&token.id()).await.expect("the ledger");
        assert!(kept.expect("the link").revoked);
    });
}

#[test]
fn what_others_put_into_the_bucket_is_a_persons_business() {
    run(async {
        let compared = Compared::after(story()).await;
        let world = &compared.world;
        for key in ["notes.txt", "guides/b.pdf"] {
            let put = world.s3.put_object().bucket(CONTENT).key(key).body(b"somebody's".to_vec().into());
            put.send().await.expect("put");
        }
        compared.hours(3).await;
        let before = copies(world).len();
        let said = compared.compare(repairing()).await;
        let found = said.found();
        // The copy of b.pdf lies behind what somebody put over it.
        let extra: Vec<&str> =
            found.iter().filter(|(kind, _)| *kind == Kind::Extra).map(|(_, name)| name.as_str()).collect();
        assert_eq!(extra, ["guides/b.pdf", "guides/b.pdf", "notes.txt"], "{found:?}");
        assert_eq!(said.finding("notes.txt").repair.action, Action::Person);
        assert!(found.contains(&(Kind::Missing, "b.pdf".to_owned())));
        let missing = said.report.findings.iter().find(|finding| finding.kind == Kind::Missing);
        assert_eq!(missing.expect("b.pdf").repair.action, Action::Person);
        compared.work().await;
        assert!(copies(world).len() <= before);
        let kept = world.aws.s3().versions(CONTENT);
        assert_eq!(kept.iter().filter(|object| *object.data == *b"somebody's").count(), 2);
    });
}
