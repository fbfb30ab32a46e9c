//! The stories of `export-for-analysis`.

mod calm;
mod promises;

use std::{collections::BTreeMap, pin::Pin, time::Duration};

use s3_content_server::{
    EXPORT_FOR_ANALYSIS,
    export_for_analysis::{KIND, Line, Marker, Mode, State as Said},
};
use serde_json::json;
use sha2::{Digest, Sha256};
use simulators::content_server::{
    self, Blob, State, seed,
    state::{ADMIN, AuditEvent, Changes, NewNode, NewVersion, Node, kind},
};
use tests::storm::{Broken, CONTENT, Fault, Intervention, Made, Meanwhile, Scenario, World};

use self::promises::*;

const RULES: &str = r#"
[[data_set]]
name = "archive"
within = "Enterprise:Digitised Archive"
readable_by = ["Records Managers"]
content_types = ["text/*"]
fields = [
  { to = "title", from = ["category.Digitised Item.Title", "node.name"] },
  { to = "year", from = "category.Digitised Item.Year", as = "integer" },
]

[data_set.forbid]
classifications = ["Classifications:Sensitivity/Confidential"]
held = true

[[data_set.forbid.value]]
category = "Categories:Business/Digitised Item"
attribute = "Subjects"
one_of = ["not for machines"]

[data_set.results.values]
category = "Categories:Business/Digitised Item"
fields = [
  { to = "Signature", from = "result.signature" },
  { to = "Year", from = "result.year", as = "integer", min = "1000", max = "2100" },
  { to = "Title", from = "result.title" },
]

[data_set.results.text]
"#;

/// The same by listing the folders.
fn walked() -> &'static str {
    RULES.replace("content_types", "find = \"walk\"\ncontent_types").leak()
}

const OPEN: &str = "Open.txt";
const OTHER: &str = "Other.txt";
const TEXT: &str = "Open.txt - text.txt";
const REGISTER: &str = "Transcript of the register of 1887.\n";
const FORBIDDEN: [&str; 5] = ["Confidential.txt", "Private.txt", "Held.txt", "Marked.txt", "Scan.tif"];

/// Under whose name the stories themselves act. Whoever intervenes is the administrator.
const CURATOR: i64 = seed::WAYBILL;

const PEOPLE: &[Intervention] = &[
    Intervention { name: "a right is taken", act: restrict },
    Intervention { name: "a classification", act: classify },
    Intervention { name: "a hold", act: hold },
    Intervention { name: "a new version", act: add_version },
    Intervention { name: "a deletion", act: delete },
];

fn story(
    name: &'static str,
    rules: &'static str,
    meanwhile: &'static [Meanwhile],
    clean: (usize, usize, usize),
) -> Scenario {
    Scenario {
        interventions: PEOPLE,
        promise: Some(what_is_exported_may_be),
        meanwhile,
        ..Scenario::of_messages(name, &EXPORT_FOR_ANALYSIS, rules, documents, asked_for, clean)
    }
}

pub(crate) fn scenarios() -> Vec<Scenario> {
    vec![
        story("a data set is exported", RULES, &[], (1, 0, 0)),
        story("a data set is listed folder by folder", walked(), &[], (1, 0, 0)),
        story("later runs", RULES, LATER, (3, 0, 0)),
        Scenario {
            interventions: OF_RESULTS,
            promise: Some(results_are_applied_once),
            ..story("results come back", RULES, RETURNED, (3, 0, 3))
        },
    ]
}

/// What people do to a document while results of it come back.
const OF_RESULTS: &[Intervention] = &[
    Intervention { name: "a year is filed", act: file_year },
    Intervention {
        name: "a new version",
        act: |server| server.with_state(|state| add(state, OPEN, "open, revised")),
    },
    Intervention { name: "a document of the text's name", act: take_name },
    Intervention { name: "a deletion", act: |server| server.with_state(|state| remove(state, OPEN)) },
];

type Happening<'a> = Pin<Box<dyn Future<Output = ()> + 'a>>;

/// So far apart that a run has mostly ended before the next begins, whatever befell it.
const LATER: &[Meanwhile] = &[
    Meanwhile { after: Duration::from_secs(2400), what: |world| Box::pin(changes(world)) },
    Meanwhile { after: Duration::from_secs(4800), what: |world| Box::pin(everything_again(world)) },
];

const RETURNED: &[Meanwhile] = &[Meanwhile { after: Duration::from_secs(1200), what: results }];

fn request(mode: &str, occasion: &str) -> String {
    let data = json!({"data_set": "archive", "mode": mode, "occasion": occasion});
    json!({"specversion": "1.0", "id": occasion, "source": "storm", "type": KIND, "data": data}).to_string()
}

fn asked_for(_: &World) -> Vec<String> {
    vec![request("full", "first")]
}

async fn changes(world: &World) {
    by_curator(world, |state| {
        add(state, OPEN, "open, revised");
        new_document(state, "New.txt", "text/plain", "new");
        classify_named(state, OTHER);
    });
    world.send(&request("incremental", "second")).await;
}

async fn everything_again(world: &World) {
    by_curator(world, |state| remove(state, "New.txt"));
    world.send(&request("full", "third")).await;
}

fn results(world: &World) -> Happening<'_> {
    Box::pin(async {
        let (node, other, register) = world.content_server.with_state(|state| {
            let id = |name: &str| find(state, name).map_or(1, |node| node.id);
            (id(OPEN), id(OTHER), id("Registers/Register 1887.txt"))
        });
        let values = |signature: &str, year: i64| {
            let values = json!({"signature": signature, "year": year});
            json!({"schema": "waybill.result.v1", "sha256": sha256(b"open"), "values": values}).to_string()
        };
        // Values of many: of the register they are taken, and of the other document no longer those of a version 7.
        let line = |(node, version): (i64, i64), content: &str, title: &str| {
            let values = json!({"title": title});
            json!({"schema": "waybill.result.v1", "id": node, "version": version, "sha256": sha256(content.as_bytes()),
                "values": values})
        };
        let lines =
            format!("{}\n{}\n", line((register, 1), REGISTER, "Births"), line((other, 7), "other", "None"));
        for (key, body) in [
            (format!("results/archive/{node}/1/values.json"), values("B 2", 1887)),
            (format!("results/archive/{node}/1/recognised.txt"), "What the model read.".to_owned()),
            (format!("results/archive/{other}/7/values.json"), values("B 3", 1887)),
            (format!("results/archive/{node}/1/late.json"), values("B 2", 3000)),
            ("results/archive/many.jsonl".to_owned(), lines),
        ] {
            let put = world.s3.put_object().bucket(CONTENT).key(key);
            put.body(body.into_bytes().into()).send().await.expect("a result");
        }
    })
}

fn new_document(state: &mut State, name: &str, mime_type: &str, text: &str) -> i64 {
    let version = NewVersion::of(name, mime_type, Blob::of(text.as_bytes().to_vec()));
    let new = NewNode {
        kind: kind::DOCUMENT,
        parent_id: seed::ARCHIVE,
        name: name.to_owned(),
        version: Some(version),
        ..NewNode::default()
    };
    state.create(ADMIN, new).expect("a document")
}

/// Two that may be exported beside the one that is always there, and five that may not, each for its own reason.
fn documents(world: &World) {
    world.content_server.with_state(|state| {
        let values = |value: serde_json::Value| value.as_object().cloned().expect("values");
        let open = new_document(state, OPEN, "text/plain", "open");
        let filed = values(json!({"2": "A 1", "3": "What is open"}));
        state.add_category(ADMIN, open, seed::DIGITISED_ITEM, &filed).expect("a category");
        new_document(state, OTHER, "text/plain", "other");
        for name in FORBIDDEN {
            let mime_type = if name.ends_with("tif") { "image/tiff" } else { "text/plain" };
            new_document(state, name, mime_type, name);
        }
        classify_named(state, "Confidential.txt");
        take_rights(state, "Private.txt");
        let held = named(state, "Held.txt").id;
        state.apply_hold(ADMIN, held, seed::FLOOD_HOLD).expect("a hold");
        let marked = named(state, "Marked.txt").id;
        let filed = values(json!({"7": ["history", "Not for machines"]}));
        state.add_category(ADMIN, marked, seed::DIGITISED_ITEM, &filed).expect("a category");
        // It was there long before, so that a later run finds only what changed since.
        let register = state.at("Digitised Archive/Registers/Register 1887.txt").expect("a register").id;
        let register = state.nodes.get_mut(&register).expect("a register");
        register.modified -= jiff::SignedDuration::from_hours(48);
        state.audit.clear();
    });
}

/// What happens in the story, told apart from what people do besides.
fn by_curator(world: &World, act: impl FnOnce(&mut State)) {
    world.content_server.with_state(|state| {
        let before = state.audit.len();
        act(state);
        state.audit.iter_mut().skip(before).for_each(|event| event.user = CURATOR);
    });
}

fn find<'a>(state: &'a State, name: &str) -> Option<&'a Node> {
    state.at(&format!("Digitised Archive/{name}"))
}

fn named<'a>(state: &'a State, name: &str) -> &'a Node {
    find(state, name).expect("the document")
}

fn take_rights(state: &mut State, name: &str) {
    let node = named(state, name).id;
    let rights = state.nodes.get_mut(&node).expect("the document");
    let readers = rights.permissions.custom.get(&seed::INTEGRATIONS).cloned();
    rights.permissions.public = None;
    rights.permissions.group = None;
    rights.permissions.custom = readers.map(|rights| (seed::INTEGRATIONS, rights)).into_iter().collect();
    note(state, node, RIGHTS);
}

fn classify_named(state: &mut State, name: &str) {
    let Some(node) = find(state, name).map(|node| node.id) else { return };
    let classified = state.nodes.get_mut(&node).expect("the document");
    classified.classifications.push(seed::CONFIDENTIAL);
    note(state, node, CLASSIFIED);
    // Who classifies says why, which moves the date.
    let changes = Changes { description: Some("confidential".to_owned()), ..Changes::default() };
    state.update(ADMIN, node, changes).expect("a description");
}

fn add(state: &mut State, name: &str, text: &str) {
    let Some(node) = find(state, name).map(|node| node.id) else { return };
    let version = NewVersion::of(name, "text/plain", Blob::of(text.as_bytes().to_vec()));
    state.add_version(ADMIN, node, version).expect("a version");
}

fn remove(state: &mut State, name: &str) {
    let Some(node) = find(state, name).map(|node| node.id) else { return };
    state.delete(ADMIN, node).expect("a deletion");
}

fn note(state: &mut State, node: i64, event_type: i64) {
    let name = "by a person".to_owned();
    let event = AuditEvent { node, event_type, name, at: state.now, user: ADMIN, target_user: None };
    state.audit.push(event);
}

/// Whether a document is there for a person to act on.
fn on_other(server: &content_server::Simulator, act: impl Fn(&mut State, i64)) {
    server.with_state(|state| {
        if let Some(node) = find(state, OTHER).map(|node| node.id) {
            act(state, node);
        }
    });
}

fn restrict(server: &content_server::Simulator) {
    on_other(server, |state, _| take_rights(state, OTHER));
}

fn classify(server: &content_server::Simulator) {
    server.with_state(|state| classify_named(state, OTHER));
}

fn hold(server: &content_server::Simulator) {
    on_other(server, |state, node| state.apply_hold(ADMIN, node, seed::FLOOD_HOLD).expect("a hold"));
}

fn add_version(server: &content_server::Simulator) {
    server.with_state(|state| add(state, OTHER, "other, revised"));
}

fn delete(server: &content_server::Simulator) {
    server.with_state(|state| remove(state, OTHER));
}

/// A person knows better than the model, or was quicker.
fn file_year(server: &content_server::Simulator) {
    server.with_state(|state| {
        let Some(node) = find(state, OPEN).map(|node| node.id) else { return };
        let values = json!({"4": 1900});
        let values = values.as_object().expect("an object");
        state.edit_category(ADMIN, node, seed::DIGITISED_ITEM, values, None).expect("a year");
    });
}

fn take_name(server: &content_server::Simulator) {
    server.with_state(|state| {
        if find(state, TEXT).is_none() {
            new_document(state, TEXT, "text/plain", "by a person");
        }
    });
}
