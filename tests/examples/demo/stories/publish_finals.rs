//! A film is approved in iconik by two reviewers; its original, preview and poster go to Content Server, a large master over
//! several parts; then somebody aborts, and a film with unclear rights is refused.

use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use simulators::{
    content::Blob,
    iconik::{
        State,
        seed::{
            self,
            media::{MASTER, SHORT},
            metadata::CAMPAIGN_VIEW,
        },
        state::{Object, media::Kind},
    },
};
use tests::media_archive;

use super::Story;
use crate::{
    Result,
    promises::{Promise, promise},
    stage::Stage,
};

pub(crate) const STORY: Story = Story {
    flow: "publish-finals",
    about: "approved films go from iconik into Content Server, byte for byte, and iconik says where",
    stacks: &["publish-finals"],
    rules: "",
    prepare: |stage| Box::pin(prepare(stage)),
    play: |stage| Box::pin(play(stage)),
    look,
};

const FOLDER: &str = "Marketing/Finals/Harbour Lights";
/// The size of the large master, in bytes.
const LARGE: u64 = 150 << 20;

fn map(value: Value) -> Object {
    value.as_object().cloned().unwrap_or_default()
}

fn rights(state: &mut State, title: &str, status: &str) -> Result<()> {
    let asset = state.titled(title).ok_or_else(|| format!("{title} is not there"))?;
    let values = map(json!({"RightsStatus": {"field_values": [{"value": status}]}}));
    let written = state.write_values(seed::EDITOR, ("assets", &asset), CAMPAIGN_VIEW, &values, false);
    written.map(drop).map_err(|error| format!("{title}: {error:?}"))
}

async fn prepare(stage: &Stage<'_>) -> Result<Vec<String>> {
    media_archive::plant(&stage.simulator);
    stage.iconik()?.with_state(|state| rights(state, SHORT, "cleared"))?;
    Ok(Vec::new())
}

/// Ids and SHA-256 of the files of an asset's current version.
fn originals(state: &State, title: &str) -> Vec<(String, String)> {
    let Some(asset) = state.titled(title) else { return Vec::new() };
    let version = state.current_version_of(&asset);
    let files = state.media.files.objects().filter(|file| file["version_id"] == json!(version));
    files
        .filter_map(|file| {
            let id = file["id"].as_str()?;
            let stored = state.stored(Kind::File, id)?;
            Some((id.to_owned(), hex::encode(Sha256::digest(stored.content.bytes().ok()?))))
        })
        .collect()
}

/// SHA-256 of every document below the folder of the campaign.
fn filed(stage: &Stage<'_>) -> Vec<String> {
    stage.simulator.with_state(|state| {
        let nodes = state.nodes.values().filter(|node| state.path_of(node.id).contains(FOLDER));
        nodes.filter_map(|node| Some(node.latest()?.content.sha256.clone())).collect()
    })
}

fn shown(stage: &Stage<'_>, title: &str, field: &str) -> Result<Vec<Value>> {
    Ok(stage.iconik()?.with_state(|state| {
        let asset = state.titled(title).unwrap_or_default();
        state.values_of(("assets", &asset), field)
    }))
}

async fn publish(stage: &Stage<'_>, title: &str, occasion: &str) -> Result<String> {
    let id = stage.iconik()?.with_state(|state| state.titled(title)).unwrap_or_default();
    let item = stage.iconik_change("assets", &id, Some("publish"), occasion).await?;
    let record = stage.ended(&item, title).await?;
    Ok(format!("{} {}", record.status, record.reason()).trim().to_owned())
}

async fn play(stage: &Stage<'_>) -> Result<Vec<Promise>> {
    stage.say.step("both reviewers have approved the short film; an automation says so");
    let ended = publish(stage, SHORT, "1").await?;
    let mut faults = Vec::new();
    if ended != "delivered" {
        faults.push(format!("it ended as {ended}"));
    }
    let there = filed(stage);
    let wanted = stage.iconik()?.with_state(|state| originals(state, SHORT));
    for (file, sha256) in &wanted {
        if !there.contains(sha256) {
            faults.push(format!("file {file} is not in Content Server byte for byte"));
        }
    }
    if shown(stage, SHORT, "ContentServerState")? != [json!("filed")] {
        faults.push("iconik does not say that it is filed".to_owned());
    }
    let good = format!("{} documents, SHA-256 compared with what iconik holds", there.len());
    let mut promises = vec![promise("an approved film is filed with preview and poster", good, faults)];
    promises.push(refused(stage).await?);
    promises.push(large(stage).await?);
    promises.push(again(stage).await?);
    promises.extend(stage.usual_promises(&[asset_of(stage, SHORT)?, asset_of(stage, MASTER)?]).await?);
    Ok(promises)
}

/// The master is not approved yet, then its rights are not clear.
async fn refused(stage: &Stage<'_>) -> Result<Promise> {
    let mut faults = Vec::new();
    stage.say.step("somebody presses the button for a film that is still in review");
    let ended = publish(stage, MASTER, "1").await?;
    if ended != "skipped approval.not-approved" {
        faults.push(format!("a film in review ended as {ended}"));
    }
    stage.iconik()?.with_state(|state| {
        rights(state, MASTER, "pending")?;
        decide(state, MASTER)
    })?;
    stage.say.step("it is approved, but its rights are still pending");
    let ended = publish(stage, MASTER, "2").await?;
    if !ended.starts_with("quarantined") {
        faults.push(format!("a film with unclear rights ended as {ended}"));
    }
    if shown(stage, MASTER, "ContentServerState")? != [json!("not_filed")] {
        faults.push("iconik does not say that it is not filed".to_owned());
    }
    Ok(promise("what is not approved, or not clear, is not filed", ended, faults))
}

fn decide(state: &mut State, title: &str) -> Result<()> {
    let asset = state.titled(title).unwrap_or_default();
    let key = state.approval_key("assets", &asset, None).map_err(|error| format!("{error:?}"))?;
    for reviewer in [seed::PRODUCER, seed::REVIEWER] {
        state.decide(reviewer, &key, "APPROVED").map_err(|error| format!("{error:?}"))?;
    }
    Ok(())
}

/// A large picture goes up in parts.
async fn large(stage: &Stage<'_>) -> Result<Promise> {
    let sha256 = stage.iconik()?.with_state(|state| -> Result<String> {
        rights(state, MASTER, "cleared")?;
        let asset = state.titled(MASTER).unwrap_or_default();
        let Some((file, _)) = originals(state, MASTER).into_iter().next() else {
            return Err("the master has no file".to_owned());
        };
        let blob = Blob::generated(60, LARGE);
        let sha256 = hex::encode(Sha256::digest(blob.bytes().map_err(|error| error.to_string())?));
        state.put_content(Kind::File, &file, blob);
        let closed = map(json!({"status": "CLOSED", "size": LARGE}));
        state.edit_file(seed::EDITOR, &asset, &file, closed).map_err(|error| format!("{error:?}"))?;
        Ok(sha256)
    })?;
    stage.say.step("the rights are cleared, and the master, 150 MiB, goes over in parts");
    let ended = publish(stage, MASTER, "3").await?;
    let mut faults = Vec::new();
    if ended != "delivered" {
        faults.push(format!("it ended as {ended}"));
    }
    if !filed(stage).contains(&sha256) {
        faults.push("the master is not in Content Server byte for byte".to_owned());
    }
    let standing = stage.iconik()?.with_state(|state| {
        let ours = state.jobs.objects().filter(|job| job["type"] == "CUSTOM");
        ours.filter(|job| job["status"] == "STARTED").count()
    });
    if standing > 0 {
        faults.push(format!("{standing} jobs are left standing in iconik"));
    }
    Ok(promise("a large master goes in parts, and every job has ended", format!("{LARGE} bytes"), faults))
}

/// The same hint once more.
async fn again(stage: &Stage<'_>) -> Result<Promise> {
    let before = filed(stage).len();
    stage.say.step("the sweep says it once more");
    let ended = publish(stage, SHORT, "2").await?;
    let mut faults = Vec::new();
    if ended != "skipped finals.already-filed" {
        faults.push(format!("it ended as {ended}"));
    }
    let after = filed(stage).len();
    if after != before {
        faults.push(format!("{before} documents became {after}"));
    }
    Ok(promise("an approval that is told twice is filed once", ended, faults))
}

fn asset_of(stage: &Stage<'_>, title: &str) -> Result<String> {
    let id = stage.iconik()?.with_state(|state| state.titled(title)).unwrap_or_default();
    Ok(shared::ledger::Key::of(&["iconik", &id]).digest().to_owned())
}

fn look(stage: &Stage<'_>) -> Result<Vec<(&'static str, String)>> {
    let aws = stage.aws();
    Ok(vec![("the function's log", format!("{aws} logs tail {}", stage.own("LogGroupName")?))])
}
