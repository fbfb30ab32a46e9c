//! Plans have a replica; one is changed, all are deleted; they are restored and equal; a sample is drilled.

use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use simulators::content_server::state::ADMIN;
use tests::repository;

use super::Story;
use crate::{
    Result,
    promises::{Promise, promise},
    stage::{Stage, asset_of},
};

pub(crate) const STORY: Story = Story {
    flow: "replicate-content",
    about: "a verified replica in a second bucket; restored from it, and proved equal",
    stacks: &["replicate-content"],
    rules: RULES,
    prepare: |stage| Box::pin(prepare(stage)),
    play: |stage| Box::pin(play(stage)),
    look,
};

const RULES: &str = r#"
[[rule]]
name = "plans"
within = "Enterprise:Digitised Archive"
prefix = "plans/"
restore_into = "Enterprise:Quarantine"
drill_documents = 2
"#;

const FOLDER: &str = "Digitised Archive/Plans";
const NAMES: [&str; 3] = ["Plan of 1887.tif", "Survey 1911.tif", "Sheet 7.tif"];
const CATEGORY: &str = "Claim Evidence";

/// So many bytes that do not repeat.
fn scan(megabytes: usize, seed: u64) -> Vec<u8> {
    let mut random = fastrand::Rng::with_seed(seed);
    let mut bytes = vec![0; megabytes << 20];
    random.fill(&mut bytes);
    bytes
}

fn contents() -> [Vec<Vec<u8>>; 3] {
    [vec![scan(3, 1), scan(12, 2), scan(2, 3)], vec![scan(20, 4)], vec![scan(1, 5), scan(1, 6)]]
}

async fn prepare(stage: &Stage<'_>) -> Result<Vec<String>> {
    repository::folder(&stage.simulator, "Digitised Archive", "Plans");
    for (name, versions) in NAMES.iter().zip(contents()) {
        let node = repository::document(&stage.simulator, FOLDER, name, "image/tiff", &versions);
        repository::set_value(&stage.simulator, node, CATEGORY, "Claim Number", json!("100117"));
    }
    Ok(vec![])
}

/// Asks the flow for something; waits for its end.
async fn ask(stage: &Stage<'_>, id: &str, data: Value, name: &str) -> Result<()> {
    use s3_content_server::replicate_content::{KIND, ReplicaRequest};
    let body =
        json!({"specversion": "1.0", "id": id, "source": "demo", "type": KIND, "data": data}).to_string();
    let request = ReplicaRequest::parse(&body).map_err(|error| error.to_string())?.ok_or("no request")?;
    stage.send(&body).await?;
    let record = stage.ended(request.key().digest(), name).await?;
    if record.status == "delivered" {
        Ok(())
    } else {
        Err(format!("{name}: {} {}", record.status, record.reason()))
    }
}

async fn play(stage: &Stage<'_>) -> Result<Vec<Promise>> {
    let server = &stage.simulator;
    let nodes = NAMES.map(|name| repository::at(server, &format!("{FOLDER}/{name}")));
    for (occasion, step) in
        [("1", "the change feed tells of three documents"), ("2", "one has another value, no more")]
    {
        stage.say.step(step);
        let told = if occasion == "1" { &nodes[..] } else { &nodes[..1] };
        if occasion == "2" {
            repository::set_value(server, nodes[0], CATEGORY, "Claim Number", json!("100118"));
        }
        for (node, name) in told.iter().zip(NAMES) {
            let item = stage.change(*node, None, occasion).await?;
            stage.ended(&item, name).await?;
        }
    }
    let mut promises = vec![replicated(stage, &nodes).await?];
    ask(stage, "verify", json!({"request": "verify", "set": "plans"}), "verification of the replica").await?;
    ask(stage, "drill", json!({"request": "drill", "set": "plans"}), "drill of two documents").await?;

    stage.say.step("somebody deletes the folder with all of them; the feed tells that they are gone");
    let folder = repository::at(server, FOLDER);
    server.with_state(|state| state.delete(ADMIN, folder)).map_err(|error| format!("{error:?}"))?;
    for (node, name) in nodes.iter().zip(NAMES) {
        let item = stage.change(*node, None, "3").await?;
        stage.ended(&item, name).await?;
    }
    promises.push(marked(stage, &nodes).await?);
    let all = json!({"request": "restore", "set": "plans", "deleted": true});
    ask(stage, "restore", all, "restore of the set").await?;
    promises.push(restored(stage).await?);
    promises.push(reports(stage).await?);
    let deletes = server.journal().entries().into_iter();
    let deletes =
        deletes.filter(|call| call.method == "DELETE" && !call.path.contains("/permissions/")).count();
    let faults = (deletes > 0).then(|| format!("{deletes} calls of the flow delete something"));
    promises.push(promise(
        "the replica is never the reason for a delete",
        "no such call".into(),
        faults.into_iter().collect(),
    ));
    promises.extend(stage.usual_promises(&nodes.map(asset_of)).await?);
    Ok(promises)
}

async fn json_at(stage: &Stage<'_>, key: &str) -> Result<Value> {
    let bytes = stage.get(stage.output("ReplicaBucketName")?, key).await?;
    serde_json::from_slice(&bytes).map_err(|error| format!("{key}: {error}"))
}

/// Every version is in the replica byte for byte, and the changed value is a revision.
async fn replicated(stage: &Stage<'_>, nodes: &[i64]) -> Result<Promise> {
    let bucket = stage.output("ReplicaBucketName")?;
    let mut faults = Vec::new();
    for ((node, name), versions) in nodes.iter().zip(NAMES).zip(contents()) {
        for (number, bytes) in (1..).zip(versions) {
            let key = format!("plans/{node}/{number}/{name}");
            if stage.get(bucket, &key).await? != bytes {
                faults.push(format!("{key} is not what version {number} is"));
            }
        }
    }
    let record = json_at(stage, &format!("plans/{}/record.json", nodes[0])).await?;
    let revision = json_at(stage, record["revision"]["key"].as_str().unwrap_or_default()).await?;
    if revision["number"] != 2 || !revision.to_string().contains("\"100118\"") {
        faults.push("the changed value is not a second revision".into());
    }
    Ok(promise(
        "the replica is Content Server",
        "6 versions byte for byte, 2 revisions of one document".into(),
        faults,
    ))
}

/// What was deleted is marked, and all of it is still there.
async fn marked(stage: &Stage<'_>, nodes: &[i64]) -> Result<Promise> {
    let mut faults = Vec::new();
    for node in nodes {
        let record = json_at(stage, &format!("plans/{node}/record.json")).await?;
        if record["presence"] != "gone" {
            faults.push(format!("node {node} is {}", record["presence"]));
        }
    }
    let keys = stage.keys(stage.output("ReplicaBucketName")?).await?;
    let contents = keys.keys().filter(|key| key.ends_with(".tif")).count();
    if contents != 6 {
        faults.push(format!("{contents} contents are in the replica, not 6"));
    }
    Ok(promise("a deletion is a marker", "3 markers, 6 contents still there".into(), faults))
}

/// Every document is in Content Server again, each version in order, with its value.
async fn restored(stage: &Stage<'_>) -> Result<Promise> {
    let report = report(stage, "restores").await?;
    let folder = repository::node(&stage.simulator, report["folder"].as_i64().unwrap_or_default());
    let mut faults = Vec::new();
    for ((name, versions), number) in NAMES.iter().zip(contents()).zip(["100118", "100117", "100117"]) {
        let path = format!("Quarantine/{}/Plans/{name}", folder.name);
        let Some(node) = stage.simulator.with_state(|state| state.at(&path).cloned()) else {
            faults.push(format!("{path} is not there"));
            continue;
        };
        let back: Vec<&str> = node.versions.iter().map(|version| version.content.sha256.as_str()).collect();
        let went: Vec<String> = versions.iter().map(|bytes| hex::encode(Sha256::digest(bytes))).collect();
        if back != went {
            faults.push(format!("{name} has other versions than it had"));
        }
        if repository::value(&stage.simulator, node.id, CATEGORY, "Claim Number") != Some(json!(number)) {
            faults.push(format!("{name} has another value than it had"));
        }
    }
    Ok(promise(
        "what is restored is what was deleted",
        "3 documents, 6 versions in order, values".into(),
        faults,
    ))
}

async fn report(stage: &Stage<'_>, kind: &str) -> Result<Value> {
    let keys = stage.keys(stage.output("ReplicaBucketName")?).await?;
    let prefix = format!("plans/_waybill/{kind}/");
    let key = keys.keys().find(|key| key.starts_with(&prefix) && key.ends_with(".json"));
    json_at(stage, key.ok_or(format!("no report in {prefix}"))?).await
}

/// The reports say the same.
async fn reports(stage: &Stage<'_>) -> Result<Promise> {
    let mut faults = Vec::new();
    for (kind, documents) in [("verifications", 3), ("drills", 2), ("restores", 3)] {
        let report = report(stage, kind).await?;
        if report["equal"] != true || report["counts"]["documents"] != documents {
            faults.push(format!("{kind}: {report}"));
        }
    }
    Ok(promise("reports prove it", "a verification, a drill and a restore: equal".into(), faults))
}

fn look(stage: &Stage<'_>) -> Result<Vec<(&'static str, String)>> {
    let aws = stage.aws();
    Ok(vec![
        ("the replica", format!("{aws} s3 ls --recursive s3://{}", stage.output("ReplicaBucketName")?)),
        ("the function's log", format!("{aws} logs tail {}", stage.own("LogGroupName")?)),
    ])
}
