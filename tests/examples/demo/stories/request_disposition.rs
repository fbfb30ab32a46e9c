//! Three assets of a campaign go out of use: one is retained, one is held, one is destroyed under a certificate.

use iconik_content_server::request_disposition::{COMPLETED, Step, certificate};
use serde_json::{Value, json};
use shared::ledger::Key;
use simulators::{
    content_server::{
        Blob, seed,
        state::{ADMIN, NewNode, NewVersion, kind},
    },
    iconik::seed::{PRODUCER, media, metadata::GOVERNANCE_VIEW},
};
use tests::messages;

use super::Story;
use crate::{
    Result,
    promises::{Promise, promise},
    stage::Stage,
};

pub(crate) const STORY: Story = Story {
    flow: "request-disposition",
    about: "Content Server decides what becomes of assets that are no longer used; a hold keeps them",
    stacks: &["request-disposition"],
    rules: "",
    prepare: |_| Box::pin(async { Ok(vec![]) }),
    play: |stage| Box::pin(play(stage)),
    look,
};

/// The assets, and what is decided about each.
const ASSETS: [(&str, &str); 3] =
    [(media::SHORT, "Destroy"), (media::DAWN, "Retain"), (media::VISUAL, "Destroy")];
/// The one on which a hold is laid.
const HELD: &str = media::VISUAL;

async fn play(stage: &Stage<'_>) -> Result<Vec<Promise>> {
    let mut chains = Vec::new();
    for (title, _) in ASSETS {
        let (asset, _) = obsolete(stage, title)?;
        let item = stage.iconik_change("assets", &asset, None, "status").await?;
        stage.ended(&item, title).await?;
        let step = step(&asset, 0, "requested");
        stage.ended(&step, &format!("{title}: asked")).await?;
        chains.push(Key::of(&["iconik", &asset]).digest().to_owned());
    }
    let mut promises = vec![asked_once(stage)];
    hold(stage)?;
    stage
        .say
        .step("a hold is laid on the document of the third; the records manager decides about all of them");
    for (title, decision) in ASSETS {
        let process = decide(stage, title, decision)?;
        let item = stage.change(process, Some(COMPLETED), "push").await?;
        stage.ended(&item, &format!("{title}: decided")).await?;
        let asset = stage.iconik()?.with_state(|state| state.titled(title)).ok_or("no asset")?;
        stage.ended(&step(&asset, 1, decision), &format!("{title}: {decision}")).await?;
    }
    promises.push(as_decided(stage)?);
    promises.push(certified(stage).await?);
    promises.extend(stage.usual_promises(&chains).await?);
    Ok(promises)
}

/// The item of a step.
fn step(asset: &str, turn: u64, news: &str) -> String {
    Step { asset: asset.to_owned(), revision: 1, turn, news: news.to_owned() }.item()
}

/// An asset is filed, and its status says that it is not used any more.
fn obsolete(stage: &Stage<'_>, title: &str) -> Result<(String, i64)> {
    let node = stage.simulator.with_state(|state| {
        let parent_id = state.at("Digitised Archive").map(|node| node.id).ok_or("no archive")?;
        let name = format!("{title}.mov").replace(':', "");
        let content = Blob::of(title.as_bytes().repeat(1000));
        let version = Some(NewVersion::of(&name, "video/quicktime", content));
        let new = NewNode { kind: kind::DOCUMENT, parent_id, name, version, ..NewNode::default() };
        state.create(seed::WAYBILL, new).map_err(|refusal| format!("{refusal:?}"))
    })?;
    let asset = stage.iconik()?.with_state(|state| {
        let asset = state.titled(title).ok_or("no asset")?;
        for (field, value) in [("ContentServerNode", json!(node)), ("AssetStatus", json!("obsolete"))] {
            let values = json!({field: {"field_values": [{"value": value}]}});
            let values = values.as_object().cloned().unwrap_or_default();
            let written = state.write_values(PRODUCER, ("assets", &asset), GOVERNANCE_VIEW, &values, false);
            written.map_err(|refusal| format!("{refusal:?}"))?;
        }
        Ok::<_, String>(asset)
    })?;
    Ok((asset, node))
}

/// Each is asked about once, with its document attached.
fn asked_once(stage: &Stage<'_>) -> Promise {
    let titles: Vec<String> =
        stage.simulator.with_state(|state| state.processes.values().map(|one| one.title.clone()).collect());
    let asked = |title: &str| titles.iter().filter(|one| one.contains(title)).count();
    let wrong = ASSETS.iter().filter(|(title, _)| asked(title) != 1);
    let faults = wrong.map(|(title, _)| format!("{title} was asked about {} times", asked(title)));
    promise("each is asked about once", format!("{} workflows", titles.len()), faults.collect())
}

fn hold(stage: &Stage<'_>) -> Result<()> {
    stage.simulator.with_state(|state| {
        let name = format!("Digitised Archive/{HELD}.mov").replace(':', "");
        let node = state.at(&name).map(|node| node.id).ok_or("no document to hold")?;
        state.apply_hold(ADMIN, node, seed::FLOOD_HOLD).map_err(|refusal| format!("{refusal:?}"))
    })
}

fn decide(stage: &Stage<'_>, title: &str, decision: &str) -> Result<i64> {
    stage.simulator.with_state(|state| {
        let found = state.processes.values().find(|one| one.title.contains(title)).map(|one| one.id);
        let process = found.ok_or_else(|| format!("no workflow about {title}"))?;
        state
            .finish_task(ADMIN, process, 1, decision, "by the plan")
            .map_err(|refusal| format!("{refusal:?}"))?;
        Ok(process)
    })
}

/// What a field of an asset says.
fn field(stage: &Stage<'_>, title: &str, name: &str) -> Result<String> {
    let values = stage.iconik()?.with_state(|state| {
        let asset = state.titled(title).unwrap_or_default();
        state.values_of(("assets", &asset), name)
    });
    Ok(values.first().and_then(Value::as_str).unwrap_or_default().to_owned())
}

fn is_in_bin(stage: &Stage<'_>, title: &str) -> Result<bool> {
    Ok(stage
        .iconik()?
        .with_state(|state| state.titled(title).is_some_and(|asset| state.is_deleted("assets", &asset))))
}

/// The decided one is gone, the retained and the held one are there, and each says so.
fn as_decided(stage: &Stage<'_>) -> Result<Promise> {
    let mut faults = Vec::new();
    for (title, gone, state) in [
        (media::SHORT, true, "destroyed"),
        (media::DAWN, false, "filed"),
        (media::VISUAL, false, "under_hold"),
    ] {
        let found = (is_in_bin(stage, title)?, field(stage, title, "ContentServerState")?);
        if found != (gone, state.to_owned()) {
            faults.push(format!("{title}: in the bin {}, {}", found.0, found.1));
        }
    }
    let good = "one in the recycle bin, one retained, one under a hold".to_owned();
    Ok(promise("what was decided is done, and not under a hold", good, faults))
}

/// The destroyed one has a certificate that verifies with nothing but the two files.
async fn certified(stage: &Stage<'_>) -> Result<Promise> {
    let texts: Vec<Vec<u8>> = stage.simulator.with_state(|state| {
        let folder = state.at("Digitised Archive/Certificates of Destruction").map(|node| node.id);
        let nodes = folder.map(|folder| state.children(folder)).unwrap_or_default();
        nodes.into_iter().filter_map(|node| Some(node.latest()?.content.bytes().ok()?.to_vec())).collect()
    });
    let mut faults = Vec::new();
    let asset = stage.iconik()?.with_state(|state| state.titled(media::SHORT)).ok_or("no asset")?;
    let chain = Key::of(&["iconik", &asset]);
    let (lines, end) =
        stage.ledger()?.export_chain(chain.digest()).await.map_err(|error| error.to_string())?;
    match texts.as_slice() {
        [text] => match certificate::verify(text, &lines.join("\n"), Some(&end)) {
            Ok(found) if found.asset.id == asset => {}
            Ok(_) => faults.push("it is another asset's".to_owned()),
            Err(doubt) => faults.push(doubt.to_string()),
        },
        other => faults.push(format!("{} certificates", other.len())),
    }
    let good = format!("one, in an audit chain of {} events", lines.len());
    Ok(promise("its certificate verifies offline", good, faults))
}

fn look(stage: &Stage<'_>) -> Result<Vec<(&'static str, String)>> {
    let aws = stage.aws();
    let ask = messages::iconik_change(stage.flow, "assets", "<asset>", None, "by-hand-1");
    Ok(vec![
        (
            "ask about an asset",
            format!("{aws} sqs send-message --queue-url {} --message-body '{ask}'", stage.own("QueueUrl")?),
        ),
        ("the function's log", format!("{aws} logs tail {}", stage.own("LogGroupName")?)),
    ])
}
