//! The stories of `archive-production`.

use std::{collections::BTreeMap, pin::Pin, time::Duration};

use iconik_content_server::{
    ARCHIVE_PRODUCTION,
    archive_production::summary::{SCHEMA, Summary},
};
use serde_json::Value;
use sha2::{Digest, Sha256};
use simulators::{
    content_server::state::{Node, State as Repository, kind},
    iconik::{State, seed::PRODUCER},
};
use tests::{
    campaign::{self, FINAL, SPOT},
    messages::iconik_change,
    storm::{Broken, IconikIntervention, Made, Meanwhile, Scenario, World},
};

const FLOW: &str = "archive-production";
pub(crate) const RULES: &str = r#"
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
history = true
"#;

/// What the files of the package are, by their paths in it.
const FILES: [(&str, &str); 3] = [
    ("Edit decision lists/Lighthouse project v1/LH_20.edl", "LH_20.edl"),
    ("Masters/Lighthouse 20s v1/LH_20.mov", "LH_20.mov"),
    ("Masters/Lighthouse 20s v1/LH_20_stereo.wav", "LH_20_stereo.wav"),
];
const SUMMARY: &str = "Production summary.json";
/// What the package makes itself.
const RECORDS: [&str; 4] =
    ["Production summary.html", SUMMARY, "Records/Approvals.json", "Records/Comments.json"];
const PACKAGE: &str = "Claims/Guidelines/Lighthouse spot";

const PEOPLE: &[IconikIntervention] = &[
    IconikIntervention { name: "the production is opened again", act: |iconik| iconik.with_state(reopen) },
    IconikIntervention {
        name: "the final goes into the recycle bin",
        act: |iconik| iconik.with_state(delete),
    },
    IconikIntervention { name: "the approval is withdrawn", act: |iconik| iconik.with_state(withdraw) },
    IconikIntervention { name: "somebody comments", act: |iconik| iconik.with_state(comment) },
];

pub(crate) fn scenarios() -> Vec<Scenario> {
    let archives =
        |marked| RULES.replace("[rule.closed]", &format!("{marked}\n[rule.closed]")).leak() as &str;
    vec![
        Scenario {
            in_iconik: PEOPLE,
            told: |world| vec![change(world, "told")],
            ..story("a closed production becomes a complete package", RULES, closed, first, &[], (1, 0, 0))
        },
        story(
            "an unfinished file holds the package until it is finished",
            RULES,
            growing,
            first,
            FINISHED,
            (1, 1, 0),
        ),
        Scenario {
            iconik: Some(|theirs| theirs.index.lag_seconds = 15),
            ..story(
                "a production that was opened and closed again has another package",
                archives("archive_state = \"assets\""),
                closed,
                first,
                CLOSED_AGAIN,
                (2, 1, 0),
            )
        },
    ]
}

fn story(
    name: &'static str,
    rules: &'static str,
    prepare: fn(&World),
    messages: fn(&World) -> Vec<String>,
    meanwhile: &'static [Meanwhile],
    clean: (usize, usize, usize),
) -> Scenario {
    let like = Scenario::of_iconik(name, &ARCHIVE_PRODUCTION, rules, prepare, messages, clean);
    Scenario { promise: Some(complete_or_not_said_to_be), meanwhile, ..like }
}

type Eventual<'a> = Pin<Box<dyn Future<Output = ()> + 'a>>;

const FINISHED: &[Meanwhile] = &[Meanwhile { after: Duration::from_secs(120), what: finished }];
const CLOSED_AGAIN: &[Meanwhile] = &[
    Meanwhile { after: Duration::from_secs(300), what: opened },
    Meanwhile { after: Duration::from_secs(600), what: closed_again },
];

fn finished(world: &World) -> Eventual<'_> {
    Box::pin(async move {
        world.iconik().with_state(|state| campaign::set_file(state, "LH_20_stereo.wav", "CLOSED"));
        let film = titled(world, FINAL);
        world.send(&iconik_change(FLOW, "assets", &film, None, "finished")).await;
    })
}

fn opened(world: &World) -> Eventual<'_> {
    Box::pin(async move {
        world.iconik().with_state(reopen);
        world.send(&change(world, "opened")).await;
    })
}

fn closed_again(world: &World) -> Eventual<'_> {
    Box::pin(async move {
        world.iconik().with_state(|state| {
            comment(state);
            campaign::set_status(state, SPOT, "closed", "2031-05-08");
        });
        world.send(&change(world, "closed again")).await;
    })
}

fn titled(world: &World, title: &str) -> String {
    world.iconik().with_state(|state| state.titled(title)).expect("it is there")
}

pub(crate) fn change(world: &World, occasion: &str) -> String {
    iconik_change(FLOW, "collections", &titled(world, SPOT), None, occasion)
}

fn first(world: &World) -> Vec<String> {
    vec![change(world, "closed")]
}

pub(crate) fn closed(world: &World) {
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

fn reopen(state: &mut State) {
    campaign::set_status(state, SPOT, "open", "");
}

fn delete(state: &mut State) {
    if let Some(film) = state.titled(FINAL) {
        state.delete(PRODUCER, "assets", &film).expect("it goes");
    }
}

fn withdraw(state: &mut State) {
    let film = state.titled(FINAL).expect("the final");
    let version = state.current_version_of(&film).expect("a version");
    let key = state.approval_key("assets", &film, Some(&version)).expect("a review");
    state.decide(PRODUCER, &key, "NOT_APPROVED").expect("a verdict");
}

fn comment(state: &mut State) {
    if let Some(film) = state.titled(FINAL).filter(|film| !state.is_deleted("assets", film)) {
        campaign::comment(state, PRODUCER, &film, "One more thing.", None);
    }
}

fn sha256(bytes: &[u8]) -> String {
    hex::encode(Sha256::digest(bytes))
}

/// The documents below the package's folder, by their paths in it.
pub(crate) fn package(state: &Repository) -> BTreeMap<String, &Node> {
    let mut documents = BTreeMap::new();
    for node in state.nodes.values().filter(|node| node.kind == kind::DOCUMENT) {
        let path = state.path_of(node.id);
        if let Some((_, below)) = path.split_once(&format!("{PACKAGE}/")) {
            documents.insert(below.to_owned(), node);
        }
    }
    documents
}

/// Whatever happens: no file is in the package twice or with other bytes, and when iconik says that it is archived, the
/// package is complete and its summary tells exactly what is in it. Without interference, all of it is there.
fn complete_or_not_said_to_be(world: &World, clean: &Made) -> Result<(), Broken> {
    let said = world.iconik().with_state(|state| {
        let id = state.titled(SPOT).unwrap_or_default();
        state.values_of(("collections", &id), "PackageState")
    });
    let is_said = said.first().and_then(Value::as_str) == Some("archived");
    world.content_server.with_state(|state| {
        let documents = package(state);
        for (path, node) in &documents {
            let Some((_, name)) = FILES.iter().find(|(known, _)| known == path) else {
                if RECORDS.contains(&path.as_str()) {
                    continue;
                }
                return Err(Broken(format!("{path} is in the package and nobody put it there")));
            };
            if node.versions.len() != 1 {
                return Err(Broken(format!("{path} has {} versions", node.versions.len())));
            }
            if content(node)? != campaign::bytes(name) {
                return Err(Broken(format!("{path} has other bytes")));
            }
        }
        if !is_said {
            return Ok(());
        }
        let missing =
            FILES.iter().map(|(path, _)| *path).chain(RECORDS).find(|path| !documents.contains_key(*path));
        if let Some(missing) = missing {
            return Err(Broken(format!("the package is said to be complete, and {missing} is not in it")));
        }
        summary_is_true(state, &documents)
    })?;
    history_is_told_once(world)?;
    without_records(world, clean)
}

fn content(node: &Node) -> Result<bytes::Bytes, Broken> {
    let version = node.versions.last().ok_or_else(|| Broken(format!("{} has no version", node.name)))?;
    version.content.bytes().map_err(|error| Broken(format!("{}: {error}", node.name)))
}

/// The summary names every document of the package, with its node, its version, its size and its hash.
fn summary_is_true(state: &Repository, documents: &BTreeMap<String, &Node>) -> Result<(), Broken> {
    let Some(node) = documents.get(SUMMARY) else { return Ok(()) };
    let summary: Summary = serde_json::from_slice(&content(node)?)
        .map_err(|error| Broken(format!("the summary cannot be read: {error}")))?;
    if summary.schema != SCHEMA || summary.totals.files != 3 || summary.totals.left_out != 0 {
        return Err(Broken(format!("the summary is not that of the production: {:?}", summary.totals)));
    }
    for document in &summary.documents {
        let node = state.nodes.get(&document.node);
        let version = node
            .and_then(|node| node.versions.iter().find(|version| version.number == document.node_version));
        let bytes = version.and_then(|version| version.content.bytes().ok()).unwrap_or_default();
        if sha256(&bytes) != document.sha256 || bytes.len() as u64 != document.size {
            return Err(Broken(format!("{} is not what the summary says of it", document.path)));
        }
    }
    let told: Vec<&str> = summary.documents.iter().map(|document| document.path.as_str()).collect();
    let untold = documents.keys().find(|path| *path != SUMMARY && !told.contains(&path.as_str()));
    match untold {
        Some(path) => Err(Broken(format!("the summary says nothing of {path}"))),
        None => Ok(()),
    }
}

/// An asset says once for each closing that it was archived.
fn history_is_told_once(world: &World) -> Result<(), Broken> {
    let mut told: BTreeMap<String, usize> = BTreeMap::new();
    world.iconik().with_state(|state| {
        for entry in state.history.objects() {
            let text = |name: &str| entry[name].as_str().unwrap_or_default().to_owned();
            if text("operation_description").starts_with("Archived in Content Server") {
                *told.entry(text("asset_id") + &text("operation_description")).or_default() += 1;
            }
        }
    });
    match told.values().find(|times| **times > 1) {
        Some(times) => Err(Broken(format!("an asset says {times} times that it was archived"))),
        None => Ok(()),
    }
}

/// Where nobody interfered and nothing was given up, everything but the records, which tell of times and nodes, is as in
/// the clean run.
fn without_records(world: &World, clean: &Made) -> Result<(), Broken> {
    let endings = world.endings();
    let (delivered, ..) = world.expected();
    let all = endings.iter().filter(|ending| ending.starts_with("delivered")).count() == delivered;
    if !all || endings.iter().any(|ending| ending.contains("reopened") || ending.contains("held")) {
        return Ok(());
    }
    let files = |made: &Made| -> Vec<(String, String)> {
        let is_file = |path: &str| !RECORDS.iter().any(|record| path.ends_with(record));
        made.versions.iter().filter(|(path, _)| is_file(path)).cloned().collect()
    };
    let made = world.made();
    if files(&made) != files(clean) {
        return Err(Broken(format!(
            "the files differ from a clean run.\n--- clean\n{clean}\n--- seen\n{made}"
        )));
    }
    Ok(())
}
