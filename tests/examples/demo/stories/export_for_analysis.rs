//! The archive becomes a data set, without what must not be read by machines; what they found comes back.

use std::collections::BTreeMap;

use s3_content_server::export_for_analysis::{ExportRequest, KIND, Line, Marker, State};
use serde_json::json;
use sha2::{Digest, Sha256};
use shared::ledger::Key;
use simulators::content_server::{Simulator, seed};
use tests::repository;

use super::Story;
use crate::{
    Result,
    promises::{Promise, promise},
    stage::{Stage, asset_of},
};

pub(crate) const STORY: Story = Story {
    flow: "export-for-analysis",
    about: "chosen documents become a data set, and what was found comes back",
    stacks: &["export-for-analysis"],
    rules: RULES,
    prepare: |stage| Box::pin(prepare(stage)),
    play: |stage| Box::pin(play(stage)),
    look,
};

const RULES: &str = r#"
[[data_set]]
name = "archive"
within = "Enterprise:Digitised Archive"
readable_by = ["Records Managers"]
fields = [{ to = "title", from = ["category.Digitised Item.Title", "node.name"] }]

[data_set.forbid]
classifications = ["Classifications:Sensitivity/Confidential"]

[data_set.results.values]
category = "Categories:Business/Digitised Item"
fields = [{ to = "Year", from = "result.year", as = "integer", min = "1000", max = "2100" }]
"#;

const FOLDER: &str = "Digitised Archive";
const PLAN: &str = "Plan of 1887.tif";
const LETTER: &str = "Letter of 1911.txt";
const SECRET: &str = "Will.txt";

async fn prepare(stage: &Stage<'_>) -> Result<Vec<String>> {
    let server = &stage.simulator;
    let mut plan = vec![0; 9 << 20];
    fastrand::Rng::with_seed(5).fill(&mut plan);
    repository::document(server, FOLDER, PLAN, "image/tiff", &[plan]);
    repository::document(server, FOLDER, LETTER, "text/plain", &[b"A letter of 1911.".to_vec()]);
    let secret = repository::document(server, FOLDER, SECRET, "text/plain", &[b"A last will.".to_vec()]);
    classify(server, secret);
    Ok(vec![])
}

fn classify(server: &Simulator, node: i64) {
    server.with_state(|state| {
        if let Some(node) = state.nodes.get_mut(&node) {
            node.classifications.push(seed::CONFIDENTIAL);
        }
    });
}

async fn play(stage: &Stage<'_>) -> Result<Vec<Promise>> {
    let server = &stage.simulator;
    let (plan, letter) = (
        repository::at(server, &format!("{FOLDER}/{PLAN}")),
        repository::at(server, &format!("{FOLDER}/{LETTER}")),
    );
    let secret = repository::at(server, &format!("{FOLDER}/{SECRET}"));
    let first = exported(stage, "1").await?;
    let mut promises = vec![complete(stage, &first).await?];

    stage.say.step("the plan becomes confidential, the letter gets a second version");
    classify(server, plan);
    repository::version(server, letter, LETTER, "text/plain", b"A letter of 12 May 1911.");
    let second = exported(stage, "2").await?;
    promises.push(complete(stage, &second).await?);
    promises.push(closed(&first, &second, [plan, secret]));

    let sha256 = second.1.get(&letter).and_then(|line| Some(line.content.as_ref()?.sha256.clone()));
    let values = json!({"schema": "waybill.result.v1", "sha256": sha256, "values": {"year": 1911}});
    let bucket = stage.output("DataSetBucketName")?;
    let key = format!("results/archive/{letter}/2/values.json");
    stage.put(bucket, &key, values.to_string().into_bytes()).await?;
    stage
        .until("a model has read the letter; its year is in Content Server", |server| {
            repository::value(server, letter, "Digitised Item", "Year") == Some(json!(1911))
        })
        .await?;
    let data_set = Key::of(&["data-set", "archive"]).digest().to_owned();
    // The result is applied a moment before its item has ended.
    for _ in 0..50 {
        if !stage.ledger()?.chain(&asset_of(letter)).await.map_err(|error| error.to_string())?.is_empty() {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
    }
    promises.extend(stage.usual_promises(&[data_set, asset_of(letter)]).await?);
    Ok(promises)
}

type Run = (Marker, BTreeMap<i64, Line>);

/// Asks for everything, and reads what the marker vouches for.
async fn exported(stage: &Stage<'_>, occasion: &str) -> Result<Run> {
    let data = json!({"data_set": "archive", "mode": "full", "occasion": occasion});
    let body = json!({"specversion": "1.0", "id": occasion, "source": "demo", "type": KIND, "data": data});
    let request = ExportRequest::parse(&body.to_string()).map_err(|error| error.to_string())?;
    stage.send(&body.to_string()).await?;
    stage.ended(request.key().digest(), &format!("data set archive, run {occasion}")).await?;
    let bucket = stage.output("DataSetBucketName")?;
    let end = format!("run={}/_SUCCESS", request.key().short());
    let keys = stage.keys(bucket).await?;
    let marker = keys.keys().find(|key| key.ends_with(&end)).ok_or("the run has no marker")?;
    let marker: Marker =
        serde_json::from_slice(&stage.get(bucket, marker).await?).map_err(|error| error.to_string())?;
    let manifest = String::from_utf8_lossy(&stage.get(bucket, &marker.manifest.key).await?).into_owned();
    let lines: std::result::Result<Vec<Line>, _> = manifest.lines().map(serde_json::from_str).collect();
    let lines = lines.map_err(|error| error.to_string())?;
    Ok((marker, lines.into_iter().map(|line| (line.id, line)).collect()))
}

/// Every document of a manifest is there with the bytes Content Server has.
async fn complete(stage: &Stage<'_>, (marker, lines): &Run) -> Result<Promise> {
    let bucket = stage.output("DataSetBucketName")?;
    let mut faults = Vec::new();
    for (node, line) in lines {
        let Some(content) = &line.content else { continue };
        let there = stage.get(bucket, &content.key).await?;
        if there != repository::newest_bytes(&stage.simulator, *node) {
            faults.push(format!("{} has other bytes than node {node}", content.key));
        }
        if hex::encode(Sha256::digest(&there)) != content.sha256 {
            faults.push(format!("the manifest has another hash of {}", content.key));
        }
    }
    let counts = marker.documents;
    let good = format!("{} exported, {} referenced, byte for byte", counts.exported, counts.referenced);
    Ok(promise("the manifest is true", good, faults))
}

/// What is confidential was never exported, and what became so is withdrawn.
fn closed(first: &Run, second: &Run, [plan, secret]: [i64; 2]) -> Promise {
    let mut faults = Vec::new();
    if [first, second].iter().any(|run| run.1.contains_key(&secret)) {
        faults.push("the will is in a manifest".to_owned());
    }
    if second.1.get(&plan).map(|line| line.state) != Some(State::Withdrawn) {
        faults.push("the plan was not withdrawn".to_owned());
    }
    promise("what is confidential stays out", "one never in, one withdrawn".into(), faults)
}

fn look(stage: &Stage<'_>) -> Result<Vec<(&'static str, String)>> {
    let aws = stage.aws();
    Ok(vec![
        ("the data set", format!("{aws} s3 ls --recursive s3://{}", stage.output("DataSetBucketName")?)),
        ("the function's log", format!("{aws} logs tail {}", stage.own("LogGroupName")?)),
    ])
}
