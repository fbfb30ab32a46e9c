//! The stories of `export-for-analysis`.

use std::{collections::BTreeMap, pin::Pin, time::Duration};

use s3_content_server::{
    EXPORT_FOR_ANALYSIS,
    export_for_analysis::{KIND, Line, Marker, State as Said},
};
use serde_json::json;
use sha2::{Digest, Sha256};
use simulators::content_server::{
    self, Blob, State, seed,
    state::{ADMIN, AuditEvent, Changes, NewNode, NewVersion, Node, kind},
};
use tests::storm::{Broken, CONTENT, Intervention, Made, Meanwhile, Scenario, World};

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
]

[data_set.results.text]
"#;

/// The same by listing the folders.
fn walked() -> &'static str {
    RULES.replace("content_types", "find = \"walk\"\ncontent_types").leak()
}

const OPEN: &str = "Open.txt";
const OTHER: &str = "Other.txt";
const FORBIDDEN: [&str; 5] = ["Confidential.txt", "Private.txt", "Held.txt", "Marked.txt", "Scan.tif"];

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
        Scenario {
            interventions: &[],
            ..story("a data set is listed folder by folder", walked(), &[], (1, 0, 0))
        },
        Scenario {
            interventions: &[],
            promise: Some(results_are_applied_once),
            ..story("results come back", RULES, RETURNED, (3, 0, 2))
        },
    ]
}

/// Told without faults only: with them one night in some differs the second time, and why is not known yet.
#[test]
fn later_runs_tell_what_is_new_and_what_is_withdrawn() {
    let later = Scenario { interventions: &[], ..story("later runs", RULES, LATER, (3, 0, 0)) };
    let report = tests::storm::clean(&later);
    assert!(report.outcome.is_ok(), "{:?}\n{}", report.outcome, report.made);
}

type Happening<'a> = Pin<Box<dyn Future<Output = ()> + 'a>>;

/// So far apart that a run has mostly ended before the next begins, whatever befell it.
const LATER: &[Meanwhile] = &[
    Meanwhile { after: Duration::from_secs(1200), what: |world| Box::pin(changes(world)) },
    Meanwhile { after: Duration::from_secs(2400), what: |world| Box::pin(everything_again(world)) },
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
    world.content_server.with_state(|state| {
        add(state, OPEN, "open, revised");
        new_document(state, "New.txt", "text/plain", "new");
        classify_named(state, OTHER);
    });
    world.send(&request("incremental", "second")).await;
}

async fn everything_again(world: &World) {
    world.content_server.with_state(|state| {
        let node = named(state, "New.txt").id;
        state.delete(ADMIN, node).expect("a deletion");
    });
    world.send(&request("full", "third")).await;
}

fn results(world: &World) -> Happening<'_> {
    Box::pin(async {
        let (node, other) =
            world.content_server.with_state(|state| (named(state, OPEN).id, named(state, OTHER).id));
        let values = |signature: &str, year: i64| {
            let values = json!({"signature": signature, "year": year});
            json!({"schema": "waybill.result.v1", "sha256": sha256(b"open"), "values": values}).to_string()
        };
        for (key, body) in [
            (format!("results/archive/{node}/1/values.json"), values("B 2", 1887)),
            (format!("results/archive/{node}/1/recognised.txt"), "What the model read.".to_owned()),
            (format!("results/archive/{other}/7/values.json"), values("B 3", 1887)),
            (format!("results/archive/{node}/1/late.json"), values("B 2", 3000)),
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

fn named<'a>(state: &'a State, name: &str) -> &'a Node {
    state.at(&format!("Digitised Archive/{name}")).expect("the document")
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
    let node = named(state, name).id;
    let classified = state.nodes.get_mut(&node).expect("the document");
    classified.classifications.push(seed::CONFIDENTIAL);
    note(state, node, CLASSIFIED);
    // A person who classifies says why, which moves the date.
    let changes = Changes { description: Some("confidential".to_owned()), ..Changes::default() };
    state.update(ADMIN, node, changes).expect("a description");
}

fn add(state: &mut State, name: &str, text: &str) {
    let node = named(state, name).id;
    let version = NewVersion::of(name, "text/plain", Blob::of(text.as_bytes().to_vec()));
    state.add_version(ADMIN, node, version).expect("a version");
}

fn note(state: &mut State, node: i64, event_type: i64) {
    let event = AuditEvent {
        node,
        event_type,
        name: "by a person".to_owned(),
        at: state.now,
        user: ADMIN,
        target_user: None,
    };
    state.audit.push(event);
}

fn restrict(server: &content_server::Simulator) {
    server.with_state(|state| take_rights(state, OTHER));
}

fn classify(server: &content_server::Simulator) {
    server.with_state(|state| classify_named(state, OTHER));
}

fn hold(server: &content_server::Simulator) {
    server.with_state(|state| {
        let node = named(state, OTHER).id;
        state.apply_hold(ADMIN, node, seed::FLOOD_HOLD).expect("a hold");
    });
}

fn add_version(server: &content_server::Simulator) {
    server.with_state(|state| add(state, OTHER, "other, revised"));
}

fn delete(server: &content_server::Simulator) {
    server.with_state(|state| {
        let node = named(state, OTHER).id;
        state.delete(ADMIN, node).expect("a deletion");
    });
}

const RIGHTS: i64 = 9;
const CLASSIFIED: i64 = 264;
const HELD: i64 = 352;
const DELETED: i64 = 2;
const FETCHED: i64 = 20;

fn sha256(bytes: &[u8]) -> String {
    hex::encode(Sha256::digest(bytes))
}

/// A run that says it is complete.
struct Run {
    folder: String,
    marker: Marker,
    lines: Vec<Line>,
}

/// Objects of the data set as they are now.
fn objects(world: &World) -> BTreeMap<String, Vec<u8>> {
    let current = world.aws.s3().versions(CONTENT).into_iter().filter(|object| !object.delete_marker);
    current.map(|object| (object.key, object.data.to_vec())).collect()
}

/// The complete runs; an error when a marker and what it vouches for differ.
fn runs(objects: &BTreeMap<String, Vec<u8>>) -> Result<Vec<Run>, Broken> {
    let broken = |what: String| Err(Broken(what));
    let mut runs = Vec::new();
    for (key, data) in objects {
        let Some(folder) = key.strip_suffix("_SUCCESS") else { continue };
        let marker: Marker = serde_json::from_slice(data).map_err(|error| Broken(error.to_string()))?;
        let Some(manifest) = objects.get(&marker.manifest.key) else {
            return broken(format!("{key} vouches for a manifest that is not there"));
        };
        if sha256(manifest) != marker.manifest.sha256 || manifest.len() as u64 != marker.manifest.size {
            return broken(format!("{key} vouches for another manifest"));
        }
        let text = String::from_utf8_lossy(manifest);
        let lines: Result<Vec<Line>, _> = text.lines().map(serde_json::from_str).collect();
        let lines = lines.map_err(|error| Broken(format!("{}: {error}", marker.manifest.key)))?;
        if lines.len() as u64 != marker.manifest.lines {
            return broken(format!("{key} counts other lines than there are"));
        }
        runs.push(Run { folder: folder.to_owned(), marker, lines });
    }
    runs.sort_by(|one, other| one.marker.begun.cmp(&other.marker.begun));
    Ok(runs)
}

/// G2: the manifest names what is there, byte for byte, each document once, and nothing else is in the run's folder.
fn manifests_are_true(objects: &BTreeMap<String, Vec<u8>>, runs: &[Run]) -> Result<(), Broken> {
    for run in runs {
        let mut seen = std::collections::BTreeSet::new();
        let mut own = std::collections::BTreeSet::new();
        for line in &run.lines {
            if !seen.insert((line.id, line.version)) {
                return Err(Broken(format!("node {} is in {} twice", line.id, run.folder)));
            }
            let Some(content) = &line.content else { continue };
            let Some(data) = objects.get(&content.key) else {
                return Err(Broken(format!("{} is named and not there", content.key)));
            };
            if sha256(data) != content.sha256 || data.len() as u64 != content.size {
                return Err(Broken(format!("{} holds other bytes than its line says", content.key)));
            }
            let here = content.key.starts_with(&run.folder);
            if here != (line.state == Said::Exported) {
                return Err(Broken(format!("{} is said to be {:?}", content.key, line.state)));
            }
            own.extend(here.then(|| content.key.clone()));
        }
        let folder = format!("{}content/", run.folder);
        let there = objects.keys().filter(|key| key.starts_with(&folder) && key.matches('/').count() == 6);
        if let Some(stray) = there.into_iter().find(|key| !own.contains(*key)) {
            return Err(Broken(format!("{stray} is there and no line names it")));
        }
    }
    Ok(())
}

/// Nothing that must not be read by machines is in any run, and nothing of it is anywhere in the bucket.
fn nothing_forbidden(world: &World, objects: &BTreeMap<String, Vec<u8>>, runs: &[Run]) -> Result<(), Broken> {
    for name in FORBIDDEN {
        let content = sha256(name.as_bytes());
        if let Some((key, _)) = objects.iter().find(|(_, data)| sha256(data) == content) {
            return Err(Broken(format!("{key} holds {name}, which must not be exported")));
        }
    }
    world.content_server.with_state(|state| {
        let closing = |event: &AuditEvent| matches!(event.event_type, RIGHTS | CLASSIFIED | HELD | DELETED);
        for (at, event) in
            state.audit.iter().enumerate().filter(|(_, event)| event.user == ADMIN && closing(event))
        {
            let later = state.audit.iter().skip(at);
            let fetched = later.clone().any(|later| later.event_type == FETCHED && later.node == event.node);
            for run in runs {
                let named = run.lines.iter().any(|line| line.id == event.node && line.content.is_some());
                let begun: jiff::Timestamp = run.marker.begun.parse().expect("a moment");
                // Closed before the run began, or before its content was read for the last time.
                let closed = event.at < begun
                    || fetched
                        && run.lines.iter().any(|line| line.id == event.node && line.state == Said::Exported);
                if named && closed {
                    return Err(Broken(format!("node {} was closed and is in {}", event.node, run.folder)));
                }
            }
        }
        Ok(())
    })
}

/// The marker comes behind everything it vouches for, the event behind the marker.
fn the_marker_is_last(world: &World, runs: &[Run]) -> Result<(), Broken> {
    let calls = world.tap.calls();
    let put = |key: &str| {
        let path = format!("PUT /{CONTENT}/{}", key.replace('=', "%3D"));
        calls.iter().position(|call| call.what == path || call.what == path.replace("%3D", "="))
    };
    for run in runs {
        let marker = put(&format!("{}_SUCCESS", run.folder));
        let manifest = put(&run.marker.manifest.key);
        if marker.is_none() || manifest.is_none() || marker < manifest {
            return Err(Broken(format!("{} has a marker before its manifest", run.folder)));
        }
    }
    let told = world.aws.eventbridge().events();
    for event in &told {
        let known = runs.iter().any(|run| event.detail["run"] == run.marker.run.as_str());
        if !known || event.detail_type != "waybill.data-set-completed.v1" {
            return Err(Broken(format!("the bus was told of a run that is not complete: {event:?}")));
        }
    }
    let silent =
        runs.iter().find(|run| told.iter().all(|event| event.detail["run"] != run.marker.run.as_str()));
    match silent.filter(|_| all_delivered(world)) {
        Some(run) => Err(Broken(format!("the bus was never told of {}", run.folder))),
        None => Ok(()),
    }
}

fn all_delivered(world: &World) -> bool {
    world.ledger().iter().all(|record| {
        let status = record.pointer("/status/S").and_then(|status| status.as_str());
        status.is_none_or(|status| status == "delivered")
    })
}

/// What a run says, by the document's name: state and hash.
fn said(run: &Run) -> BTreeMap<String, (Said, String)> {
    let content =
        |line: &Line| line.content.as_ref().map(|content| (content.name.clone(), content.sha256.clone()));
    run.lines
        .iter()
        .map(|line| {
            let (name, sha256) = content(line).unwrap_or_else(|| (line.id.to_string(), String::new()));
            (name, (line.state, sha256))
        })
        .collect()
}

fn what_is_exported_may_be(world: &World, _: &Made) -> Result<(), Broken> {
    let objects = objects(world);
    let runs = runs(&objects)?;
    manifests_are_true(&objects, &runs)?;
    nothing_forbidden(world, &objects, &runs)?;
    the_marker_is_last(world, &runs)?;
    let interrupted =
        world.content_server.with_state(|state| state.audit.iter().any(|event| event.user == ADMIN));
    // What could not be read again and again is left out, and said to be.
    let left_out = |run: &Run| {
        ["excluded.failed", "excluded.unreadable"].iter().any(|why| run.marker.excluded.contains_key(*why))
    };
    if runs.iter().any(left_out) || !all_delivered(world) {
        return Ok(());
    }
    let Some(first) = runs.first() else { return Err(Broken("nothing was exported".to_owned())) };
    if !interrupted {
        let register = "Transcript of the register of 1887.\n";
        let expected: BTreeMap<String, (Said, String)> =
            [(OPEN, "open"), (OTHER, "other"), ("Register 1887.txt", register)]
                .map(|(name, text)| (name.to_owned(), (Said::Exported, sha256(text.as_bytes()))))
                .into();
        if said(first) != expected {
            return Err(Broken(format!("the first run says {:?}", said(first))));
        }
    }
    if runs.len() < 3 {
        return Ok(());
    }
    later_runs(world, &runs)
}

/// The second run has what changed, the third everything; neither copies again what an earlier one has.
fn later_runs(world: &World, runs: &[Run]) -> Result<(), Broken> {
    let (other, new) = world.content_server.with_state(|state| {
        let deleted = state.audit.iter().find(|event| event.event_type == DELETED).map(|event| event.node);
        (named(state, OTHER).id.to_string(), deleted.unwrap_or_default().to_string())
    });
    let gone = || (Said::Withdrawn, String::new());
    let revised = || sha256(b"open, revised");
    let second = said(&runs[1]);
    for (name, expected) in [
        (OPEN, (Said::Exported, revised())),
        ("New.txt", (Said::Exported, sha256(b"new"))),
        (other.as_str(), gone()),
    ] {
        if second.get(name) != Some(&expected) {
            return Err(Broken(format!("the second run says of {name} {:?}: {second:?}", second.get(name))));
        }
    }
    let third = said(&runs[2]);
    let register = sha256(b"Transcript of the register of 1887.\n");
    let expected: BTreeMap<String, (Said, String)> = [
        (OPEN.to_owned(), (Said::Referenced, revised())),
        ("Register 1887.txt".to_owned(), (Said::Referenced, register)),
        (new, gone()),
    ]
    .into();
    if second.contains_key("Register 1887.txt") {
        return Err(Broken(format!("the second run tells what has not changed: {second:?}")));
    }
    if third == expected { Ok(()) } else { Err(Broken(format!("the third run says {third:?}"))) }
}

/// What came back is there once, what does not fit is put aside, and nothing else has changed.
fn results_are_applied_once(world: &World, _: &Made) -> Result<(), Broken> {
    let objects = objects(world);
    let runs = runs(&objects)?;
    manifests_are_true(&objects, &runs)?;
    nothing_forbidden(world, &objects, &runs)?;
    let delivered = |key: &str| {
        world.ledger().iter().any(|record| {
            let text = |name: &str| record.pointer(&format!("/{name}/S")).and_then(|text| text.as_str());
            text("item_key").is_some_and(|item| item.contains(key)) && text("status") == Some("delivered")
        })
    };
    world.content_server.with_state(|state| {
        let open = named(state, OPEN);
        if open.versions.len() != 1 {
            return Err(Broken("a result changed the document".to_owned()));
        }
        let values = &open.categories.get(&seed::DIGITISED_ITEM).expect("the category").values;
        // A person filed the signature; the year was empty.
        if values.get("2") != Some(&json!("A 1")) || values.get("3") != Some(&json!("What is open")) {
            return Err(Broken(format!("what a person filed was overwritten: {values:?}")));
        }
        let year = values.get("4").and_then(serde_json::Value::as_i64);
        if year != delivered("values.json").then_some(1887) {
            return Err(Broken(format!("the year is {year:?}")));
        }
        let texts: Vec<&Node> =
            state.nodes.values().filter(|node| node.name == "Open.txt - text.txt").collect();
        match texts.as_slice() {
            [] if !delivered("recognised.txt") => Ok(()),
            [text]
                if text.versions.len() == 1
                    && text
                        .latest()
                        .is_some_and(|latest| latest.content.sha256 == sha256(b"What the model read.")) =>
            {
                Ok(())
            }
            texts => Err(Broken(format!("the text is there {} times", texts.len()))),
        }
    })
}
