//! A campaign is closed while a cut-down is still to come and the master is not approved: its package waits, by name. Both
//! are seen to, and it is complete.

use std::collections::BTreeMap;

use iconik_content_server::archive_production::summary::Summary;
use sha2::{Digest, Sha256};
use shared::ledger::Key;
use simulators::{
    content_server::state::{Node, kind},
    iconik::{
        State,
        seed::{PRODUCER, REVIEWER, media::MASTER},
        state::media::Kind,
    },
};
use tests::campaign;

use super::Story;
use crate::{
    Result,
    promises::{Promise, promise},
    stage::Stage,
};

pub(crate) const STORY: Story = Story {
    flow: "archive-production",
    about: "a closed campaign waits for what is missing, and becomes a complete package",
    stacks: &["archive-production"],
    rules: RULES,
    prepare: |stage| Box::pin(prepare(stage)),
    play: |stage| Box::pin(play(stage)),
    look,
};

const RULES: &str = r#"
[[rule]]
name = "campaigns"
categories = ["campaign"]

[rule.closed]
view = "5f0c8f30-7a51-11f0-c006-0242ac120002"
field = "ProductionStatus"
values = ["closed"]
revision_field = "ClosedOn"

[rule.target]
folder = "Enterprise:Claims/Guidelines/{collection.title} ({collection.external_id})"
create = true

[[rule.part]]
folder = "Masters"
title = "Final masters"
categories = ["final"]
kinds = ["ASSET", "PLACEHOLDER"]
formats = ["ORIGINAL"]
version = "approved"
at_least = 1

[[rule.part]]
folder = "Source references"
kinds = ["NLE_PROJECT"]
formats = ["ORIGINAL", "EDL", "AAF"]

[[rule.shown]]
view = "5f0c8f30-7a51-11f0-c004-0242ac120002"
title = "Rights"

[rule.told]
view = "5f0c8f30-7a51-11f0-c006-0242ac120002"
state_field = "PackageState"
held = "waiting for files"
node_field = "PackageNode"
history = true
"#;

const CAMPAIGN: &str = "Harbour Lights";
const PLACEHOLDER: &str = "Harbour Lights 15s vertical";
const FOLDER: &str = "Claims/Guidelines/Harbour Lights (CMP-2031-014)";
/// What has to be in the package, by the names in iconik.
const FILES: [&str; 7] = [
    "HL_60_v3.mov",
    "HL_60_v3_stereo.wav",
    "HL_60_v3_surround.wav",
    "HL_30_v2.mov",
    "Harbour Lights.prproj",
    "harbour_lights_60.edl",
    "harbour_lights_60.aaf",
];

async fn prepare(stage: &Stage<'_>) -> Result<Vec<String>> {
    stage.iconik()?.with_state(|state| {
        campaign::describe(state);
        campaign::set_status(state, CAMPAIGN, "closed", "2031-05-06");
        state.index_all();
    });
    Ok(Vec::new())
}

async fn play(stage: &Stage<'_>) -> Result<Vec<Promise>> {
    let closed = titled(stage, CAMPAIGN)?;
    stage.say.step(&format!("the collection \"{CAMPAIGN}\" is closed"));
    let item = stage.iconik_change("collections", &closed, None, "closed").await?;
    let held = stage.ended(&item, "it waits").await?;
    let mut faults = Vec::new();
    let why = job(stage)?.1;
    for name in [PLACEHOLDER, MASTER] {
        if !why.contains(name) {
            faults.push(format!("{name} is not named"));
        }
    }
    if held.reason() != "package.held" || !package(stage).is_empty() {
        faults.push(format!("it ended as {} {}", held.status, held.reason()));
    }
    stage.say.step(&format!("the job in iconik says: {why}"));
    let mut promises = vec![promise("what is missing or unfinished holds the package, by name", why, faults)];

    stage.say.step("the placeholder is dropped, the master is approved");
    stage.iconik()?.with_state(finish);
    let item = stage.iconik_change("collections", &closed, Some("archive"), "asked for").await?;
    stage.ended(&item, CAMPAIGN).await?;
    let documents = package(stage);
    for path in documents.keys() {
        stage.say.step(&format!("in Content Server: {path}"));
    }
    promises.push(files(stage, &documents)?);
    promises.push(summary(&documents)?);
    let (status, message) = job(stage)?;
    let faults = (!status.starts_with("FINISHED")).then(|| format!("the job is {status}"));
    promises.push(promise(
        "people see how it went",
        format!("{status}: {message}"),
        faults.into_iter().collect(),
    ));
    let asset = Key::of(&["iconik", "collections", &closed]).digest().to_owned();
    promises.extend(stage.usual_promises(&[asset]).await?);
    Ok(promises)
}

/// Byte for byte what iconik holds, each once.
fn files(stage: &Stage<'_>, documents: &BTreeMap<String, Node>) -> Result<Promise> {
    let mut faults = Vec::new();
    for name in FILES {
        let source = stage.iconik()?.with_state(|state| stored(state, name)).unwrap_or_default();
        let there: Vec<_> =
            documents.iter().filter(|(path, _)| path.ends_with(&format!("/{name}"))).collect();
        match there.as_slice() {
            [(_, node)] if node.versions.len() == 1 && bytes(node) == source => {}
            [_] => faults.push(format!("{name} has other bytes, or several versions")),
            found => faults.push(format!("{name} is there {} times", found.len())),
        }
    }
    Ok(promise("masters and sources are in it, byte for byte", format!("{} files", FILES.len()), faults))
}

/// The summary tells of every document, with its hash.
fn summary(documents: &BTreeMap<String, Node>) -> Result<Promise> {
    let written = documents.get("Production summary.json").ok_or("there is no summary")?;
    let summary: Summary = serde_json::from_slice(&bytes(written)).map_err(|error| error.to_string())?;
    let mut faults = Vec::new();
    for document in &summary.documents {
        let there = documents.get(&document.path).map(|node| hex::encode(Sha256::digest(bytes(node))));
        if there.as_ref() != Some(&document.sha256) {
            faults.push(format!("{} is not what the summary says", document.path));
        }
    }
    if summary.documents.len() + 1 != documents.len() {
        faults.push(format!("it tells of {} of {} documents", summary.documents.len(), documents.len() - 1));
    }
    let totals = summary.totals;
    let seen = format!(
        "{} hashes, {} comments, {} verdicts",
        summary.documents.len(),
        totals.comments,
        totals.verdicts
    );
    Ok(promise("the summary has the hash of everything else", seen, faults))
}

fn titled(stage: &Stage<'_>, title: &str) -> Result<String> {
    stage.iconik()?.with_state(|state| state.titled(title)).ok_or_else(|| format!("there is no {title}"))
}

/// What keeps the campaign from being complete is seen to.
fn finish(state: &mut State) {
    let vertical = state.titled(PLACEHOLDER).expect("the placeholder");
    state.delete(PRODUCER, "assets", &vertical).expect("it goes");
    let master = state.titled(MASTER).expect("the master");
    let version = state.current_version_of(&master).expect("a version");
    let key = state.approval_key("assets", &master, Some(&version)).expect("a review");
    for reviewer in [PRODUCER, REVIEWER] {
        state.decide(reviewer, &key, "APPROVED").expect("a verdict");
    }
    state.index_all();
}

/// How the last job of ours ended, and what it says.
fn job(stage: &Stage<'_>) -> Result<(String, String)> {
    stage.iconik()?.with_state(|state| {
        let text = |job: &simulators::iconik::state::Object, name: &str| {
            job[name].as_str().unwrap_or_default().to_owned()
        };
        let ours = state.jobs.objects().filter(|job| text(job, "title").starts_with("Archive "));
        let last = ours.max_by_key(|job| text(job, "date_created")).ok_or("there is no job")?;
        Ok((text(last, "status"), text(last, "message")))
    })
}

fn stored(state: &State, name: &str) -> Option<Vec<u8>> {
    let file = state.media.files.objects().find(|file| file["original_name"] == name)?;
    state.stored(Kind::File, file["id"].as_str()?)?.content.bytes().ok().map(Into::into)
}

fn package(stage: &Stage<'_>) -> BTreeMap<String, Node> {
    stage.simulator.with_state(|state| {
        let documents = state.nodes.values().filter(|node| node.kind == kind::DOCUMENT);
        let below = documents.filter_map(|node| {
            let path = state.path_of(node.id);
            let (_, below) = path.split_once(&format!("{FOLDER}/"))?;
            Some((below.to_owned(), node.clone()))
        });
        below.collect()
    })
}

fn bytes(node: &Node) -> Vec<u8> {
    node.versions.last().and_then(|version| version.content.bytes().ok()).unwrap_or_default().into()
}

fn look(stage: &Stage<'_>) -> Result<super::Places> {
    let page = package(stage).get("Production summary.html").map(|node| node.id);
    let places = page.map(|node| ("the page for people", format!("node {node} in Content Server")));
    Ok(places.into_iter().collect())
}
