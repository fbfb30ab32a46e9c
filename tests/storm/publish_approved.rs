//! The stories of `publish-approved`.

use std::{
    collections::{BTreeMap, BTreeSet},
    pin::Pin,
    time::Duration,
};

use s3_content_server::PUBLISH_APPROVED;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use shared::{links::Token, node_change::NodeChange};
use simulators::content_server::{
    self, Blob, State, seed,
    state::{ADMIN, NewNode, NewVersion, kind},
};
use tests::storm::{
    Broken, CONTENT, Drive, Intervention, LINK_ADDRESS, Made, Meanwhile, Scenario, World, drive,
};

pub(crate) const HEAD: &str = r#"
[publication]
category = "Categories:Integration/Publication"
state = "State"
version = "Version"
location = "Location"
sha256 = "SHA-256"
published_at = "Published At"
reason = "Reason"

[[audience]]
name = "partners"
link = "Partner Link"
valid_days = 30

[[rule]]
name = "guidelines"
within = "Enterprise:Claims/Guidelines"
content_types = ["application/pdf"]
audiences = ["partners"]
expires = "Valid Until"
never_classified = ["Classifications:Sensitivity/Confidential"]
"#;
pub(crate) const BY_ATTRIBUTE: &str = r#"by = "attribute", category = "Categories:Business/Document Approval", attribute = "Status", values = ["Approved"]"#;

/// One document, whose category says which version is approved.
pub(crate) fn by_version() -> &'static str {
    rules(&format!(
        "key = \"guides/{{node.name}}\"\napproved = {{ {BY_ATTRIBUTE}, version = \"Approved Version\" }}"
    ))
}

/// One document, whose newest version is approved when its category says so first.
fn by_state() -> &'static str {
    rules(&format!("key = \"guides/{{node.name}}\"\napproved = {{ {BY_ATTRIBUTE} }}"))
}

/// A link leads to the version it was issued for, and ends with it.
fn links_end() -> &'static str {
    by_version().replace("valid_days = 30", "valid_days = 30\nsuperseded = \"end\"").leak()
}

/// The approved documents of a folder as one package. Holds and classifications are not asked for here: the stories of
/// one document have them.
pub(crate) fn packed() -> &'static str {
    rules(&format!(
        "key = \"packages/{{folder.name}}\"\napproved = {{ {BY_ATTRIBUTE}, version = \"Approved Version\" }}\npackage = {{}}\nheld = \"publish\""
    ))
    .replace("never_classified = [\"Classifications:Sensitivity/Confidential\"]\n", "")
    .leak()
}

pub(crate) fn rules(lines: &str) -> &'static str {
    format!("{HEAD}{lines}\n").leak()
}

pub(crate) const STORM: &str = "Storm damage.pdf";
pub(crate) const FLOOD: &str = "Flood damage.pdf";

const PEOPLE: &[Intervention] = &[
    Intervention { name: "the approval is taken back", act: |server| approve(server, STORM, "Revoked", 1) },
    Intervention { name: "a new version that nobody approved", act: add_unapproved },
    Intervention { name: "another version is approved", act: |server| approve(server, STORM, "Approved", 2) },
    Intervention { name: "a hold", act: hold },
    Intervention { name: "a classification as confidential", act: classify },
    Intervention { name: "the document is deleted", act: delete },
];

fn story(
    name: &'static str,
    rules: &'static str,
    prepare: fn(&World),
    meanwhile: &'static [Meanwhile],
    clean: (usize, usize, usize),
) -> Scenario {
    Scenario {
        interventions: PEOPLE,
        told: |world| vec![change(world, STORM, None, "told"), change(world, FLOOD, None, "told")],
        promise: Some(only_the_approved),
        content_versioned: true,
        meanwhile,
        ..Scenario::of_messages(name, &PUBLISH_APPROVED, rules, prepare, first, clean)
    }
}

pub(crate) fn scenarios() -> Vec<Scenario> {
    vec![
        story(
            "the approved version is published, not the newest",
            by_version(),
            one_approved,
            &[],
            (1, 0, 0),
        ),
        story("another version is approved", by_version(), one_approved, APPROVED_ANEW, (2, 0, 0)),
        Scenario {
            interventions: &PEOPLE[..1],
            ..story(
                "another version is approved, and links end with theirs",
                links_end(),
                one_approved,
                APPROVED_ANEW,
                (2, 0, 0),
            )
        },
        Scenario {
            interventions: &[],
            ..story("an approval is taken back", by_version(), one_approved, TAKEN_BACK, (2, 0, 0))
        },
        Scenario {
            interventions: &PEOPLE[..1],
            ..story("a newer version is not approved by itself", by_state(), one_approved, ADDED, (1, 1, 0))
        },
        Scenario {
            interventions: &PEOPLE[..2],
            messages: |world| vec![change(world, STORM, None, ""), change(world, FLOOD, None, "")],
            ..story("approved documents are one package", packed(), two_approved, TAKEN_BACK, (3, 0, 0))
        },
        Scenario {
            interventions: &[],
            messages: |world| vec![change(world, STORM, Some("publish"), "")],
            ..story(
                "people ask to publish and to withdraw",
                rules("key = \"guides/{node.name}\"\napproved = { by = \"request\" }")
                    .replace("expires = \"Valid Until\"\n", "")
                    .leak(),
                one_approved,
                WITHDRAWN,
                (2, 0, 0),
            )
        },
    ]
}

const LATER: Duration = Duration::from_secs(10);
type Eventual<'a> = Pin<Box<dyn Future<Output = ()> + 'a>>;

const APPROVED_ANEW: &[Meanwhile] = &[Meanwhile { after: LATER, what: |world| later(world, "Approved", 2) }];
const TAKEN_BACK: &[Meanwhile] = &[Meanwhile { after: LATER, what: |world| later(world, "Revoked", 1) }];
const ADDED: &[Meanwhile] = &[Meanwhile { after: LATER, what: added }];
const WITHDRAWN: &[Meanwhile] = &[Meanwhile { after: LATER, what: withdrawn }];

fn later<'a>(world: &'a World, state: &'static str, version: i64) -> Eventual<'a> {
    Box::pin(async move {
        if exists(world, STORM) {
            approve(&world.content_server, STORM, state, version);
        }
        world.send(&change(world, STORM, None, "later")).await;
    })
}

fn added(world: &World) -> Eventual<'_> {
    Box::pin(async move {
        add_unapproved(&world.content_server);
        world.send(&change(world, STORM, None, "later")).await;
    })
}

fn withdrawn(world: &World) -> Eventual<'_> {
    Box::pin(async move { world.send(&change(world, STORM, Some("withdraw"), "later")).await })
}

pub(crate) fn content(name: &str, version: i64) -> Vec<u8> {
    format!("%PDF-1.7 {name}, version {version}").into_bytes()
}

pub(crate) fn path(name: &str) -> String {
    format!("Claims/Guidelines/{name}")
}

fn exists(world: &World, name: &str) -> bool {
    world.content_server.with_state(|state| state.at(&path(name)).is_some())
}

pub(crate) fn plant(state: &mut State, name: &str, approved: i64) {
    let version = |number| NewVersion::of(name, "application/pdf", Blob::of(content(name, number)));
    let new = NewNode {
        kind: kind::DOCUMENT,
        parent_id: seed::GUIDELINES,
        name: name.to_owned(),
        version: Some(version(1)),
        ..NewNode::default()
    };
    let node = state.create(ADMIN, new).expect("a document");
    state.add_version(ADMIN, node, version(2)).expect("a version");
    let values = [("2", json!("Approved")), ("3", json!(approved)), ("4", json!("2031-07-01"))];
    let values = values.map(|(key, value)| (key.to_owned(), value)).into_iter().collect();
    state.add_category(ADMIN, node, seed::DOCUMENT_APPROVAL, &values).expect("a category");
}

pub(crate) fn one_approved(world: &World) {
    world.content_server.with_state(|state| plant(state, STORM, 1));
}

fn two_approved(world: &World) {
    world.content_server.with_state(|state| {
        plant(state, STORM, 1);
        plant(state, FLOOD, 2);
    });
}

pub(crate) fn approve(server: &content_server::Simulator, name: &str, status: &str, version: i64) {
    server.with_state(|state| {
        let Some(node) = state.at(&path(name)).map(|node| node.id) else { return };
        let values = [("2", json!(status)), ("3", json!(version))];
        let values = values.map(|(key, value)| (key.to_owned(), value)).into_iter().collect();
        state.edit_category(ADMIN, node, seed::DOCUMENT_APPROVAL, &values, None).expect("an approval");
    });
}

pub(crate) fn add_unapproved(server: &content_server::Simulator) {
    server.with_state(|state| {
        let node = state.at(&path(STORM)).expect("the document").id;
        let version = NewVersion::of(STORM, "application/pdf", Blob::of(content(STORM, 3)));
        state.add_version(ADMIN, node, version).expect("a version");
    });
}

pub(crate) fn hold(server: &content_server::Simulator) {
    server.with_state(|state| {
        let node = state.at(&path(STORM)).expect("the document").id;
        state.apply_hold(ADMIN, node, seed::FLOOD_HOLD).expect("a hold");
    });
}

fn classify(server: &content_server::Simulator) {
    server.with_state(|state| {
        let node = state.at(&path(STORM)).expect("the document").id;
        state.nodes.get_mut(&node).expect("the document").classifications.push(seed::CONFIDENTIAL);
    });
}

fn delete(server: &content_server::Simulator) {
    server.with_state(|state| {
        let node = state.at(&path(STORM)).expect("the document").id;
        state.delete(ADMIN, node).expect("it goes");
    });
}

pub(crate) fn change(world: &World, name: &str, request: Option<&str>, occasion: &str) -> String {
    let node = world.content_server.with_state(|state| {
        // What was deleted is still told of.
        let deleted = state.recycle_bin.values().flatten().find(|node| node.name == name);
        state.at(&path(name)).or(deleted).map_or(0, |node| node.id)
    });
    let change = NodeChange::about(node, request, occasion);
    change.envelope("watch-content-server", "publish-approved", &world.context).expect("an envelope")
}

pub(crate) fn first(world: &World) -> Vec<String> {
    vec![change(world, STORM, None, "")]
}

pub(crate) fn sha256(bytes: &[u8]) -> String {
    hex::encode(Sha256::digest(bytes))
}

/// Of a publication: the name of its document in the repository, and the SHA-256 of each file it holds.
pub(crate) type Published = BTreeMap<String, String>;

/// Nothing that is not approved now is in the distribution bucket, in any version of any object; what is approved is there
/// once, and its one link leads to it. Where an item was put aside, a person has yet to redrive it: then nothing may be
/// there that was never approved.
pub(crate) fn only_the_approved(world: &World, _: &Made) -> Result<(), Broken> {
    let wanted = wanted(world);
    let objects = world.aws.s3().versions(CONTENT);
    let unfinished = world.ledger().iter().any(|record| {
        let status = record.pointer("/status/S").and_then(Value::as_str);
        status.is_some_and(|status| status != "delivered" && status != "skipped")
    });
    let mut found = Vec::new();
    for object in &objects {
        let files = files(&object.key, &object.data)?;
        let never = sha256(&content(STORM, 3));
        if files.values().any(|file| *file == never) && !decided(world, 3) {
            return Err(Broken(format!("{} holds a version that nobody approved", object.key)));
        }
        found.push(files);
    }
    links_lead_home(world, &objects, unfinished)?;
    if unfinished {
        return Ok(());
    }
    if found != wanted {
        return Err(Broken(format!("published are {found:?}\nexpected {wanted:?}")));
    }
    for object in &objects {
        if object.delete_marker || !object.metadata.contains_key("waybill-unit") {
            return Err(Broken(format!("{} is not a copy that says whose it is", object.key)));
        }
    }
    Ok(())
}

/// The files of a copy by their names: of a package those that its manifest tells of, with the hash that it tells.
pub(crate) fn files(key: &str, data: &[u8]) -> Result<Published, Broken> {
    if !key.ends_with(".zip") {
        return Ok([(key.rsplit('/').next().unwrap_or_default().to_owned(), sha256(data))].into());
    }
    let broken = |error: &dyn std::fmt::Display| Broken(format!("{key} is no package: {error}"));
    let mut contents = tests::archive::read(data).map_err(|error| broken(&error))?;
    let manifest = contents.remove("manifest.json").unwrap_or_default();
    let manifest: Value = serde_json::from_slice(&manifest).map_err(|error| broken(&error))?;
    let documents = manifest["documents"].as_array().cloned().unwrap_or_default();
    let told: Published = documents
        .iter()
        .map(|document| {
            let text = |name: &str| document[name].as_str().unwrap_or_default().to_owned();
            (text("name"), text("sha256"))
        })
        .collect();
    let held: Published = contents.iter().map(|(name, bytes)| (name.clone(), sha256(bytes))).collect();
    if told == held { Ok(held) } else { Err(Broken(format!("{key} holds {held:?} and tells of {told:?}"))) }
}

/// What is to be published, as Content Server says now: one list of files per object.
fn wanted(world: &World) -> Vec<Published> {
    let requested = last_request(world);
    let packed = world.content_server.with_state(|state| {
        let mut approved: Vec<Published> = Vec::new();
        for name in [FLOOD, STORM] {
            let Some(node) = state.at(&path(name)) else { continue };
            let value = |attribute| state.value_of(node.id, "Document Approval", attribute);
            let held = !node.holds.is_empty() || node.classifications.contains(&seed::CONFIDENTIAL);
            let number = match &requested {
                Some(number) => *number,
                None if value("Status") == Some(&json!("Approved")) => {
                    value("Approved Version").and_then(Value::as_i64)
                }
                None => None,
            };
            if let Some(number) = number.filter(|_| !held) {
                approved.push([(name.to_owned(), sha256(&content(name, number)))].into());
            }
        }
        approved
    });
    let is_package = world.aws.s3().versions(CONTENT).iter().any(|object| object.key.ends_with(".zip"));
    if is_package && !packed.is_empty() { vec![packed.into_iter().flatten().collect()] } else { packed }
}

/// Where people decide by requests: the version that the last one approved, if any. Nothing where they do not.
fn last_request(world: &World) -> Option<Option<i64>> {
    let mut log: Vec<(String, Value)> = Vec::new();
    for record in world.ledger() {
        let text = |name: &str| record.pointer(&format!("/{name}/S")).and_then(Value::as_str);
        if text("pk").is_some_and(|pk| pk.contains("#log#decisions")) {
            let entry = serde_json::from_str(text("entry").unwrap_or_default()).unwrap_or_default();
            log.push((text("sk").unwrap_or_default().to_owned(), entry));
        }
    }
    log.sort_by(|one, other| one.0.cmp(&other.0));
    log.last().map(|(_, entry)| entry["decision"]["approved"].as_i64())
}

/// Whether a version was the newest one when its document was first seen approved: then it is the one that is meant.
fn decided(world: &World, version: i64) -> bool {
    world.ledger().iter().any(|record| {
        let entry = record.pointer("/entry/S").and_then(Value::as_str).unwrap_or_default();
        serde_json::from_str::<Value>(entry).is_ok_and(|entry| entry["decision"]["approved"] == version)
    })
}

/// Every link that is open leads to what is there now or to nothing; the one that was told leads to the copy.
fn links_lead_home(
    world: &World,
    objects: &[simulators::aws::s3::Stored],
    unfinished: bool,
) -> Result<(), Broken> {
    let mut open: BTreeMap<String, (String, String)> = BTreeMap::new();
    for record in world.ledger() {
        let text = |name: &str| record.pointer(&format!("/{name}/S")).and_then(Value::as_str);
        let Some(id) = text("pk").and_then(|pk| pk.strip_prefix("link#")) else { continue };
        if text("sk") != Some("record") || record.get("revoked_at").is_some() {
            continue;
        }
        let link: Value = serde_json::from_str(text("link").unwrap_or_default()).unwrap_or_default();
        let target = |name: &str| link["target"][name].as_str().unwrap_or_default().to_owned();
        open.insert(id.to_owned(), (target("key"), target("version")));
    }
    let there: BTreeSet<(String, String)> =
        objects.iter().map(|object| (object.key.clone(), object.version_id.clone())).collect();
    let leading = open.values().filter(|target| there.contains(*target)).count();
    if unfinished {
        return Ok(());
    }
    if leading != objects.len() {
        return Err(Broken(format!("{leading} open links lead to {} copies: {open:?}", objects.len())));
    }
    let mut told = world.content_server.with_state(|state| {
        let link = |node: i64| state.value_of(node, "Publication", "Partner Link").and_then(Value::as_str);
        let told = state.nodes.keys().filter_map(|node| Some((*node, link(*node)?.to_owned())));
        told.filter(|(_, link)| !link.is_empty()).collect::<Vec<_>>()
    });
    let target = |link: &str| {
        let token = link.strip_prefix(&format!("{LINK_ADDRESS}/")).unwrap_or_default();
        open.get(Token::presented(token).id().text())
    };
    // A document that refuses to be written to is withdrawn all the same: it may go on telling a link that is dead.
    let audit = serde_json::to_string(&world.ledger()).unwrap_or_default();
    told.retain(|(node, link)| target(link).is_some() || !audit.contains(&format!("not-told-{node}\\")));
    if told.len() != objects.len() {
        return Err(Broken(format!("{} links are told of {} copies", told.len(), objects.len())));
    }
    match told.iter().find(|(_, link)| !target(link).is_some_and(|target| there.contains(target))) {
        Some((node, _)) => Err(Broken(format!("the link that node {node} tells does not lead to the copy"))),
        None => Ok(()),
    }
}

/// What the schedule sends.
pub(crate) fn hour(world: &World) -> String {
    json!({
        "version": "0", "id": world.context.now().to_string(), "detail-type": "Scheduled Event",
        "source": "aws.events", "time": world.context.now().to_string(), "detail": {},
    })
    .to_string()
}

/// Nobody tells of a day that passes: an hourly look finds what has expired.
#[tokio::test(start_paused = true)]
async fn what_has_expired_is_withdrawn_without_a_change() {
    let story = scenarios()[0];
    let world = World::new(&story, BTreeMap::new(), None, 1).await;
    for body in first(&world) {
        world.send(&body).await;
    }
    assert!(drive(&world, story.flow, Drive::default()).await);
    assert_eq!(world.aws.s3().versions(CONTENT).len(), 1);
    world.send(&hour(&world)).await;
    assert!(drive(&world, story.flow, Drive::default()).await);
    assert_eq!(world.aws.s3().versions(CONTENT).len(), 1, "it is valid until July");
    tokio::time::sleep(Duration::from_secs(60 * 86_400)).await;
    world.send(&hour(&world)).await;
    assert!(drive(&world, story.flow, Drive::default()).await);
    assert!(world.aws.s3().versions(CONTENT).is_empty());
    let reason = world.content_server.with_state(|state| {
        let node = state.at(&path(STORM)).expect("the document").id;
        state.value_of(node, "Publication", "Reason").cloned()
    });
    assert_eq!(reason, Some(json!("publish.expired")));
}

/// The promise these stories are held against notices what it is there for.
#[tokio::test(start_paused = true)]
async fn what_is_published_without_approval_breaks_the_promise() {
    let story = scenarios()[0];
    let world = World::new(&story, BTreeMap::new(), None, 1).await;
    for body in first(&world) {
        world.send(&body).await;
    }
    assert!(drive(&world, story.flow, Drive::default()).await);
    let broken = |world: &World| only_the_approved(world, &Made::default()).err().map(|broken| broken.0);
    assert_eq!(broken(&world), None);
    // Nobody tells the flow: what is published then is not approved any more, or not what is approved.
    for (state, version) in [("Revoked", 1), ("Approved", 2)] {
        approve(&world.content_server, STORM, state, version);
        assert!(broken(&world).is_some_and(|told| told.starts_with("published are")), "{state} {version}");
    }
    approve(&world.content_server, STORM, "Approved", 1);
    assert_eq!(broken(&world), None);
    let put = world.s3.put_object().bucket(CONTENT).key("guides/Storm damage.pdf");
    put.body(content(STORM, 3).into()).send().await.expect("an object");
    assert!(broken(&world).is_some_and(|told| told.contains("nobody approved")));
}
