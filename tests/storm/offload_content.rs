//! The stories of `offload-content`.

use std::collections::{BTreeMap, BTreeSet};

use s3_content_server::OFFLOAD_CONTENT;
use sha2::{Digest, Sha256};
use shared::node_change::NodeChange;
use simulators::content_server::{
    self, Blob, State, seed,
    state::{ADMIN, Changes, NewNode, NewVersion, Node, kind},
};
use tests::storm::{Broken, CONTENT, Intervention, Made, Scenario, World};

const CATEGORY: &str = r#"
[external_content]
category = "Categories:Integration/External Content"
location = "Location"
document_version = "Document Version"
sha256 = "SHA-256"
size = "Size"
storage_class = "Storage Class"
recall = "Recall"
"#;

/// Rules of one rule over everything, with these last lines.
fn rules(lines: &str) -> &'static str {
    format!("{CATEGORY}\n[[rule]]\nname = \"scans\"\nwithin = \"Enterprise:Digitised Archive\"\nprefix = \"kept/\"\n{lines}\n")
        .leak()
}

pub(crate) const NAME: &str = "Plan of 1887.tif";
const BY_SOMEBODY: &[u8] = b"added by somebody meanwhile";

const PEOPLE: &[Intervention] = &[
    Intervention { name: "a hold", act: hold },
    Intervention { name: "a hold on the folder", act: hold_folder },
    Intervention { name: "a reservation", act: reserve },
    Intervention { name: "a new version", act: add_version },
    Intervention { name: "an official record", act: declare },
];

fn story(
    name: &'static str,
    lines: &str,
    messages: fn(&World) -> Vec<String>,
    clean: (usize, usize, usize),
) -> Scenario {
    Scenario {
        interventions: PEOPLE,
        promise: Some(nothing_is_lost),
        ..Scenario::of_messages(name, &OFFLOAD_CONTENT, rules(lines), document, messages, clean)
    }
}

pub(crate) fn scenarios() -> Vec<Scenario> {
    vec![
        story("every version is copied and kept", "", changed, (1, 0, 0)),
        story("old versions are purged", "after = \"purge-old-versions\"", changed, (1, 0, 0)),
        story("a pointer stands for the content", "after = \"pointer\"", changed, (1, 0, 0)),
        Scenario {
            promise: Some(the_content_is_back),
            ..story("content is called back", "after = \"pointer\"", changed_and_recalled, (2, 0, 0))
        },
        recalled_out_of_an_archive(),
        the_held_one(),
    ]
}

pub(crate) fn the_held_one() -> Scenario {
    Scenario {
        prepare: held,
        interventions: &[],
        ..story("what is held is left alone", "after = \"pointer\"", changed, (0, 1, 0))
    }
}

pub(crate) fn recalled_out_of_an_archive() -> Scenario {
    let lines = "after = \"pointer\"\nstorage_class = \"GLACIER\"";
    Scenario {
        promise: Some(the_content_is_back),
        ..story("content is called back out of an archive", lines, changed_and_recalled, (2, 1, 0))
    }
}

fn contents() -> [Vec<u8>; 3] {
    ["first", "second", "third"].map(|version| format!("scan, {version}").into_bytes())
}

/// A document of three versions.
fn document(world: &World) {
    world.content_server.with_state(|state| {
        let archive = state.at("Digitised Archive").map(|node| node.id).expect("the archive");
        let [first, rest @ ..] = contents();
        let version = |bytes: Vec<u8>| NewVersion::of(NAME, "image/tiff", Blob::of(bytes));
        let new =
            NewNode { kind: kind::DOCUMENT, parent_id: archive, name: NAME.to_owned(), ..NewNode::default() };
        let node = state
            .create(seed::WAYBILL, NewNode { version: Some(version(first)), ..new })
            .expect("a document");
        for bytes in rest {
            state.add_version(seed::WAYBILL, node, version(bytes)).expect("a version");
        }
        state.audit.clear();
    });
}

fn held(world: &World) {
    document(world);
    hold(&world.content_server);
}

pub(crate) fn the_document(state: &State) -> &Node {
    state.at(&format!("Digitised Archive/{NAME}")).expect("the document")
}

fn change(world: &World, request: Option<&str>) -> String {
    let node = world.content_server.with_state(|state| the_document(state).id);
    let change = NodeChange { version: Some(3), ..NodeChange::about(node, request, "") };
    change.envelope("watch-content-server", "offload-content", &world.context).expect("an envelope")
}

fn changed(world: &World) -> Vec<String> {
    vec![change(world, None)]
}

fn changed_and_recalled(world: &World) -> Vec<String> {
    vec![change(world, None), change(world, Some("recall"))]
}

fn hold(server: &content_server::Simulator) {
    server.with_state(|state| {
        let node = the_document(state).id;
        state.apply_hold(ADMIN, node, seed::FLOOD_HOLD).expect("a hold");
    });
}

fn hold_folder(server: &content_server::Simulator) {
    server.with_state(|state| {
        state.apply_hold(ADMIN, seed::ARCHIVE, seed::FLOOD_HOLD).expect("a hold");
        // Told of by the document, where the promise looks.
        let node = the_document(state).id;
        let held = state.audit.iter().rev().find(|event| event.event_type == HELD).cloned();
        state.audit.extend(held.map(|event| content_server::state::AuditEvent { node, ..event }));
    });
}

fn reserve(server: &content_server::Simulator) {
    server.with_state(|state| {
        let node = the_document(state).id;
        let changes = Changes { reserved_user_id: Some(Some(ADMIN)), ..Changes::default() };
        state.update(ADMIN, node, changes).expect("a reservation");
    });
}

fn add_version(server: &content_server::Simulator) {
    server.with_state(|state| {
        let node = the_document(state).id;
        let version = NewVersion::of(NAME, "image/tiff", Blob::of(BY_SOMEBODY.to_vec()));
        state.add_version(ADMIN, node, version).expect("a version");
    });
}

fn declare(server: &content_server::Simulator) {
    server.with_state(|state| {
        let node = the_document(state).id;
        let changes = content_server::state::records::RecordChanges {
            official: Some(true),
            ..content_server::state::records::RecordChanges::default()
        };
        state.classify_record(ADMIN, node, seed::CLAIM_FILES, changes).expect("a record");
    });
}

const ADDED: i64 = 13;
const DELETED: i64 = 14;
const RESERVED: i64 = 7;
const HELD: i64 = 352;
const CLASSIFIED: i64 = 350;

fn sha256(bytes: &[u8]) -> String {
    hex::encode(Sha256::digest(bytes))
}

/// G6 and G2: every content that ever was is in Content Server or vouched for in S3, byte for byte; nothing is there
/// twice; after a hold, a reservation or a declaration no version went; and a run that delivered everything looks like a clean one.
fn nothing_is_lost(world: &World, clean: &Made) -> Result<(), Broken> {
    holds(world, clean, false)
}

/// The same; `twice` allows that what came back stands beside what must not be touched any more.
fn holds(world: &World, clean: &Made, twice: bool) -> Result<(), Broken> {
    let copies = copies(world)?;
    let made = world.made();
    let mut here: BTreeMap<&str, usize> = BTreeMap::new();
    for content in made.contents() {
        *here.entry(content).or_default() += 1;
    }
    let mut known: BTreeSet<String> = contents().iter().map(|bytes| sha256(bytes)).collect();
    let (pointers, added) = world.content_server.with_state(|state| {
        let node = the_document(state);
        let pointers: Vec<String> = node
            .versions
            .iter()
            .filter(|version| version.mime_type == "application/json")
            .map(|version| version.content.sha256.clone())
            .collect();
        let added = state.audit.iter().any(|event| event.event_type == ADDED && event.user == ADMIN);
        (pointers, added)
    });
    if added {
        known.insert(sha256(BY_SOMEBODY));
    }
    for content in &known {
        if !here.contains_key(content.as_str()) && !copies.contains(content) {
            return Err(Broken(format!("content {content} is lost\n{made}")));
        }
    }
    for (content, count) in &here {
        if !known.contains(*content) && !pointers.iter().any(|pointer| pointer == content) {
            return Err(Broken(format!("bytes nobody filed: {content}\n{made}")));
        }
        if *count > 1 && !twice {
            return Err(Broken(format!("{content} is there {count} times\n{made}")));
        }
    }
    if let Some(stray) = copies.iter().find(|content| !known.contains(*content)) {
        return Err(Broken(format!("S3 vouches for bytes nobody filed: {stray}")));
    }
    hands_off(world)?;
    as_clean(world, &made, clean)
}

/// What S3 vouches for; an error when a description and its object differ.
fn copies(world: &World) -> Result<BTreeSet<String>, Broken> {
    let mut copies = BTreeSet::new();
    let objects = world.aws.s3().versions(CONTENT);
    for object in
        objects.iter().filter(|object| object.key.ends_with(".json") && object.key.matches('/').count() == 2)
    {
        let description: serde_json::Value =
            serde_json::from_slice(&object.data).map_err(|error| Broken(error.to_string()))?;
        let text =
            |pointer: &str| description.pointer(pointer).and_then(|text| text.as_str()).unwrap_or_default();
        let content = objects.iter().find(|content| content.key == text("/content/key"));
        let found = content.map(|content| sha256(&content.data)).unwrap_or_default();
        if found != text("/content/sha256") {
            return Err(Broken(format!(
                "{} vouches for other bytes than {}",
                object.key,
                text("/content/key")
            )));
        }
        copies.insert(found);
    }
    Ok(copies)
}

/// Once a document is held, reserved or an official record, none of its versions goes.
fn hands_off(world: &World) -> Result<(), Broken> {
    world.content_server.with_state(|state| {
        let node = the_document(state).id;
        let ours = state.audit.iter().filter(|event| event.node == node);
        let after = ours.skip_while(|event| !matches!(event.event_type, HELD | RESERVED | CLASSIFIED));
        match after.clone().find(|event| event.event_type == DELETED) {
            Some(_) => Err(Broken(format!(
                "a version went that was not to be touched any more: {:?}",
                after.collect::<Vec<_>>()
            ))),
            None => Ok(()),
        }
    })
}

/// Without people in the way and with every item delivered, the document is as a clean run leaves it.
fn as_clean(world: &World, made: &Made, clean: &Made) -> Result<(), Broken> {
    let interrupted =
        world.content_server.with_state(|state| state.audit.iter().any(|event| event.user == ADMIN));
    let ended_otherwise = world.ledger().iter().any(|record| {
        let status = record.pointer("/status/S").and_then(|status| status.as_str());
        status.is_some_and(|status| status != "delivered")
    });
    if interrupted || ended_otherwise || made.versions == clean.versions {
        return Ok(());
    }
    Err(Broken(format!("the document differs from a clean run\n--- clean\n{clean}\n--- seen\n{made}")))
}

/// Whatever order offloading and recall end in, and however often either is begun anew: who called the content back has
/// it, and no offload from before takes it away again.
fn the_content_is_back(world: &World, clean: &Made) -> Result<(), Broken> {
    let interrupted =
        world.content_server.with_state(|state| state.audit.iter().any(|event| event.user == ADMIN));
    let ended_well = world.ledger().iter().all(|record| {
        let status = record.pointer("/status/S").and_then(|status| status.as_str());
        status.is_none_or(|status| status == "delivered" || status == "skipped")
    });
    let is_guarded = world.content_server.with_state(|state| {
        let guards = |event: &content_server::state::AuditEvent| {
            matches!(event.event_type, HELD | RESERVED | CLASSIFIED)
        };
        state.audit.iter().any(guards)
    });
    holds(world, clean, is_guarded)?;
    let [_, _, last] = contents();
    let newest = world
        .content_server
        .with_state(|state| the_document(state).latest().map(|version| version.content.sha256.clone()));
    if interrupted || !ended_well || newest == Some(sha256(&last)) {
        return Ok(());
    }
    Err(Broken(format!("who called the content back has not got it\n{}", world.made())))
}
