//! Approved documents are published; a link leads to them while they are approved, and to nothing afterwards.

use http::{Method, StatusCode};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use shared::audit::EventType;
use tests::{
    archive,
    installation::Keeping,
    repository,
    runtime::{Function, Settings},
    web::{self, Answer},
};

use crate::world::{Usual, World, artefacts, content};

const RULES: &str = r#"
[publication]
category = "Categories:Integration/Publication"
state = "State"
version = "Version"
sha256 = "SHA-256"
reason = "Reason"

[[audience]]
name = "partners"
link = "Partner Link"
valid_days = 30

[[rule]]
name = "packages"
within = "Enterprise:Suppliers"
key = "suppliers/{folder.name}"
audiences = ["partners"]
approved = { by = "attribute", category = "Categories:Business/Document Approval", attribute = "Status", values = ["Approved"], version = "Approved Version" }
package = {}

[[rule]]
name = "guidelines"
within = "Enterprise:Claims/Guidelines"
key = "guides/{node.name}"
audiences = ["partners"]
disposition = "inline"
never_classified = ["Classifications:Sensitivity/Confidential"]
approved = { by = "attribute", category = "Categories:Business/Document Approval", attribute = "Status", values = ["Approved"], version = "Approved Version" }
"#;

const FOLDER: &str = "Claims/Guidelines";
const NAME: &str = "Leitfaden Sturmschäden.pdf";
const KEY: &str = "guides/Leitfaden Sturmschäden.pdf";
const APPROVAL: &str = "Document Approval";

async fn world() -> World {
    World::with(Usual {
        rules: Some(|_| RULES.into()),
        content: Some(Keeping::Versions),
        variables: |_| vec![("WAYBILL_LINK_ADDRESS", "https://links.test".into())],
        ..Usual::of("publish-approved")
    })
    .await
}

fn approve(world: &World, node: i64, state: &str, version: i64) {
    repository::set_value(&world.ecm, node, APPROVAL, "Status", json!(state));
    repository::set_value(&world.ecm, node, APPROVAL, "Approved Version", json!(version));
}

/// The token of the link that the publication category tells.
fn told(world: &World, node: i64) -> Option<String> {
    let link = world.value(node, "Publication", "Partner Link")?;
    let link = link.as_str().filter(|link| !link.is_empty())?;
    Some(link.strip_prefix("https://links.test/").expect("the address before the token").to_owned())
}

/// The same installation with the function that serves links in place of the one that issues them.
fn serving(mut world: World) -> World {
    let mut settings = Settings::new("serve-links", artefacts().join("serve-links/bootstrap"));
    settings.variables = world.place.variables("http://127.0.0.1:9/otcs/cs.exe", "");
    world.function = Function::new(settings);
    world
}

async fn visit(world: &World, token: &str) -> Answer {
    world.ask(Method::GET, &format!("/{token}"), &[("accept", "text/html")], "").await
}

fn sha256(bytes: &[u8]) -> String {
    hex::encode(Sha256::digest(bytes))
}

#[tokio::test]
async fn the_approved_version_is_published_under_its_name_and_its_link_serves_it() {
    let world = world().await;
    let (first, second) = (content(300_000, 1), content(9_000_000, 2));
    let node = world.document(FOLDER, NAME, "application/pdf", &[first.clone(), second.clone()]);
    approve(&world, node, "Approved", 1);
    world.change(node).await;
    world.settle().await;
    assert_eq!(world.endings().await, ["delivered"], "{}", world.told());
    let published = world.objects(&world.place.content).await;
    assert_eq!(published.keys().map(String::as_str).collect::<Vec<_>>(), [KEY]);
    assert!(published[KEY] == first, "not the version that was approved");
    assert_eq!(world.value(node, "Publication", "SHA-256"), Some(json!(sha256(&first))));
    let head = world.place.s3.head_object().bucket(&world.place.content).key(KEY).send().await.unwrap();
    assert_eq!(head.content_type(), Some("application/pdf"));
    let name = "inline; filename=\"Leitfaden Sturmsch_den.pdf\"; \
                filename*=UTF-8''Leitfaden%20Sturmsch%C3%A4den.pdf";
    assert_eq!(head.content_disposition(), Some(name));
    let token = told(&world, node).expect("a link is told");

    // Another version is approved, large enough to go up in parts: the same link goes on to it.
    approve(&world, node, "Approved", 2);
    world.change(node).await;
    world.settle().await;
    assert_eq!(told(&world, node), Some(token.clone()));
    let listed = world.place.s3.list_object_versions().bucket(&world.place.content).send().await.unwrap();
    assert_eq!(listed.versions().len(), 1, "the first copy is gone, not hidden");

    let world = serving(world);
    let answer = visit(&world, &token).await;
    assert_eq!(answer.status, StatusCode::TEMPORARY_REDIRECT, "{}", world.told());
    let got = web::ask(Method::GET, answer.header("location"), &[], "").await.unwrap();
    assert!(got.body == second, "{}", got.status);
    let events = world.audit_of_node(node).await;
    let downloads: Vec<_> =
        events.iter().filter(|event| event.event.event_type == EventType::Dissemination).collect();
    assert_eq!(downloads.len(), 1, "{events:?}");
    assert_eq!(downloads[0].event.message_digest, Some(sha256(&second)), "the audit tells which bytes");
}

#[tokio::test]
async fn when_the_approval_ends_copy_and_link_go() {
    let world = world().await;
    let node = world.document(FOLDER, NAME, "application/pdf", &[content(50_000, 3)]);
    approve(&world, node, "Approved", 1);
    world.change(node).await;
    world.settle().await;
    let token = told(&world, node).expect("a link is told");
    approve(&world, node, "Revoked", 1);
    world.change(node).await;
    world.settle().await;
    assert_eq!(world.endings().await, ["delivered", "delivered"], "{}", world.told());
    let listed = world.place.s3.list_object_versions().bucket(&world.place.content).send().await.unwrap();
    assert!(listed.versions().is_empty() && listed.delete_markers().is_empty());
    assert_eq!(told(&world, node), None);
    assert_eq!(world.value(node, "Publication", "State"), Some(json!("Withdrawn")));
    assert_eq!(world.value(node, "Publication", "Reason"), Some(json!("publish.not-approved")));
    let world = serving(world);
    let gone = visit(&world, &token).await;
    assert_eq!(gone.status, StatusCode::GONE, "{}", world.told());
}

#[tokio::test]
async fn approved_documents_of_a_folder_are_one_package_with_a_manifest() {
    let world = world().await;
    let folder = repository::folder(&world.ecm, "Suppliers", "Terms 2031");
    let terms: Vec<(String, Vec<u8>)> =
        (0..3).map(|number| (format!("Terms {number}.pdf"), content(4_000_000, number))).collect();
    let nodes: Vec<i64> = terms
        .iter()
        .map(|(name, bytes)| {
            world.document("Suppliers/Terms 2031", name, "application/pdf", std::slice::from_ref(bytes))
        })
        .collect();
    for node in &nodes[..2] {
        approve(&world, *node, "Approved", 1);
    }
    world.change(nodes[0]).await;
    world.settle().await;
    assert_eq!(world.endings().await, ["delivered"], "{}", world.told());
    let published = world.objects(&world.place.content).await;
    let bytes = &published["suppliers/Terms 2031.zip"];
    let held = archive::read(bytes).unwrap();
    assert_eq!(held.len(), 3);
    let manifest: Value = serde_json::from_slice(&held["manifest.json"]).unwrap();
    assert_eq!(manifest["documents"].as_array().unwrap().len(), 2, "the third is not approved");
    for (document, (name, bytes)) in manifest["documents"].as_array().unwrap().iter().zip(&terms) {
        assert_eq!((&document["name"], &document["sha256"]), (&json!(name), &json!(sha256(bytes))));
        assert!(held[name] == *bytes, "{name}");
    }
    assert!(told(&world, folder).is_some(), "the container is told");
}

#[tokio::test]
async fn what_may_not_be_published_is_not_and_the_reason_is_told() {
    let world = world().await;
    let draft = world.document(FOLDER, "Draft.pdf", "application/pdf", &[content(1000, 5)]);
    let held = world.document(FOLDER, "Held.pdf", "application/pdf", &[content(1000, 6)]);
    let elsewhere = world.document("Claims", "Note.pdf", "application/pdf", &[content(1000, 7)]);
    approve(&world, draft, "In Review", 1);
    approve(&world, held, "Approved", 1);
    approve(&world, elsewhere, "Approved", 1);
    repository::hold(&world.ecm, held);
    for node in [draft, held, elsewhere] {
        world.change(node).await;
    }
    world.settle().await;
    let endings = ["skipped publish.held", "skipped publish.not-approved", "skipped rule.none"];
    assert_eq!(world.endings().await, endings, "{}", world.told());
    assert!(world.kept().await.is_empty());
}

#[tokio::test]
async fn a_dry_run_publishes_nothing_and_remembers_nothing() {
    let world = World::with(Usual {
        variables: |_| {
            vec![("WAYBILL_LINK_ADDRESS", "https://links.test".into()), ("WAYBILL_DRY_RUN", "true".into())]
        },
        rules: Some(|_| RULES.into()),
        content: Some(Keeping::Versions),
        ..Usual::of("publish-approved")
    })
    .await;
    let node = world.document(FOLDER, NAME, "application/pdf", &[content(1000, 8)]);
    approve(&world, node, "Approved", 1);
    world.change(node).await;
    world.request(node, "withdraw").await;
    world.settle().await;
    assert!(world.kept().await.is_empty());
    assert_eq!(told(&world, node), None);
    assert!(world.function.log().text().contains("would-publish"), "{}", world.told());
}
