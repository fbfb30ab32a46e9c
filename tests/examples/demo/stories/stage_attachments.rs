//! Drafts of contracts are reviewed in Content Server; what is approved comes out, what is rejected does not.

use std::collections::BTreeMap;

use s3_content_server::stage_attachments::{COMPLETED, SCHEDULED};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use shared::{ledger::Key, node_change::NodeChange};
use simulators::content_server::state::{ADMIN, Process};
use tests::messages;

use super::Story;
use crate::{
    Result,
    promises::{Promise, promise},
    stage::Stage,
};

pub(crate) const STORY: Story = Story {
    flow: "stage-attachments",
    about: "uploads are reviewed in a workflow, and what it approves comes back",
    stacks: &["stage-attachments"],
    rules: "",
    prepare: |_| Box::pin(async { Ok(vec![]) }),
    play: |stage| Box::pin(play(stage)),
    look,
};

const APPROVED: &str = "CON-2031";
const REJECTED: &str = "CON-2032";

/// So many bytes that do not repeat.
fn text(kilobytes: usize, seed: u64) -> Vec<u8> {
    let mut bytes = vec![0; kilobytes << 10];
    fastrand::Rng::with_seed(seed).fill(&mut bytes);
    bytes
}

/// What is uploaded, by key.
fn uploads() -> BTreeMap<String, Vec<u8>> {
    [
        (format!("contracts/{APPROVED}/draft.docx"), text(300, 1)),
        (format!("contracts/{APPROVED}/annex, plans.pdf"), text(12 << 10, 2)),
        (format!("contracts/{REJECTED}/draft.docx"), text(200, 3)),
        (format!("contracts/{REJECTED}/empty.docx"), Vec::new()),
    ]
    .into()
}

async fn play(stage: &Stage<'_>) -> Result<Vec<Promise>> {
    let bucket = stage.output("StagingBucketName")?;
    let mut promises = vec![attached(stage, bucket).await?];
    promises.push(together(stage));

    let [approved, rejected] = [APPROVED, REJECTED].map(|contract| workflow(stage, contract));
    let (approved, rejected) = (approved?, rejected?);
    decide(stage, approved.id, "Approve")?;
    decide(stage, rejected.id, "Reject")?;
    stage.say.step("a reviewer approves one and rejects the other; only of the first the workflow tells");
    let item = stage.change(approved.id, Some(COMPLETED), "push-1").await?;
    stage.ended(&item, &approved.title).await?;
    let time = stage.stack.context.now().to_string();
    let round = json!({"version": "0", "detail-type": SCHEDULED, "source": "aws.events", "time": time});
    stage.send(&round.to_string()).await?;
    let told = messages::node_change(stage.flow, rejected.id, Some(COMPLETED), "rejected");
    let item = NodeChange::parse(&told).map_err(|error| error.to_string())?.key().digest().to_owned();
    stage.ended(&item, &rejected.title).await?;

    promises.push(output(stage).await?);
    promises.push(tagged(stage, bucket, [&approved, &rejected]).await?);
    let mut assets: Vec<String> =
        uploads().keys().map(|key| Key::of(&[bucket, key]).digest().to_owned()).collect();
    assets.extend(
        [&approved, &rejected].map(|process| {
            Key::of(&["content-server workflow", &process.id.to_string()]).digest().to_owned()
        }),
    );
    promises.extend(stage.usual_promises(&assets).await?);
    Ok(promises)
}

/// Uploads everything; each upload ends as it should.
async fn attached(stage: &Stage<'_>, bucket: &str) -> Result<Promise> {
    let mut items = Vec::new();
    for (key, bytes) in uploads() {
        let put = stage.stack.s3.put_object().bucket(bucket).key(&key).body(bytes.into());
        let version = put.send().await.map_err(|error| format!("s3://{bucket}/{key}: {error:?}"))?.version_id;
        let version = format!("version {}", version.unwrap_or_default());
        items.push((Key::of(&[bucket, &key, &version]).digest().to_owned(), key));
    }
    let mut faults = Vec::new();
    for (item, key) in items {
        let record = stage.ended(&item, &key).await?;
        let expected = if key.ends_with("empty.docx") { "quarantined empty-object" } else { "delivered" };
        let found = format!("{} {}", record.status, record.reason());
        if found.trim_end() != expected {
            faults.push(format!("{key}: {found}, not {expected}"));
        }
    }
    Ok(promise("the rules decide", "three attached, an empty one put aside".into(), faults))
}

fn workflow(stage: &Stage<'_>, contract: &str) -> Result<Process> {
    let title = format!("Review of contract {contract} [");
    stage.simulator.with_state(|state| {
        let mut found = state.processes.values().filter(|process| process.title.starts_with(&title));
        found.next().cloned().ok_or_else(|| format!("no workflow reviews {contract}"))
    })
}

/// One workflow per contract, with the very bytes of every upload attached to it.
fn together(stage: &Stage<'_>) -> Promise {
    let attached: Vec<Vec<u8>> = stage.simulator.with_state(|state| {
        let folders = state.processes.values().map(|process| process.attachments);
        let nodes = folders.flat_map(|folder| state.children(folder));
        nodes.filter_map(|node| node.latest()?.content.bytes().ok()).map(|bytes| bytes.to_vec()).collect()
    });
    let count = stage.simulator.with_state(|state| state.processes.len());
    let mut faults = Vec::new();
    if count != 2 {
        faults.push(format!("{count} workflows"));
    }
    let uploads = uploads();
    let sent: Vec<&Vec<u8>> = uploads.values().filter(|bytes| !bytes.is_empty()).collect();
    if attached.len() != sent.len() {
        faults.push(format!("{} attachments of {} uploads", attached.len(), sent.len()));
    }
    let missing = sent.iter().filter(|bytes| !attached.contains(bytes)).count();
    if missing > 0 {
        faults.push(format!("{missing} uploads are not attached as they were sent"));
    }
    promise("one workflow per contract", "2 workflows, 3 attachments, byte for byte".into(), faults)
}

fn decide(stage: &Stage<'_>, process: i64, disposition: &str) -> Result<()> {
    stage.simulator.with_state(|state| {
        state.finish_task(ADMIN, process, 1, disposition, "").map_err(|refusal| format!("{refusal:?}"))?;
        if disposition == "Approve" {
            state.finish_task(ADMIN, process, 2, "SendOn", "").map_err(|refusal| format!("{refusal:?}"))?;
        }
        Ok(())
    })
}

/// The approved contract is in the output, whole and vouched for; nothing else is.
async fn output(stage: &Stage<'_>) -> Result<Promise> {
    let bucket = stage.output("DecidedBucketName")?;
    let folder = format!("approved/contracts/{APPROVED}/1");
    let keys = stage.keys(bucket).await?;
    let mut faults = Vec::new();
    let expected: Vec<String> = ["_COMPLETE", "annex, plans.pdf", "draft.docx", "manifest.json"]
        .map(|name| format!("{folder}/{name}"))
        .into();
    if !keys.keys().eq(expected.iter()) {
        faults.push(format!("the output holds {:?}", keys.keys()));
    }
    for (key, bytes) in uploads().iter().filter(|(key, _)| key.contains(APPROVED)) {
        let name = key.rsplit('/').next().unwrap_or_default();
        if stage.get(bucket, &format!("{folder}/{name}")).await? != *bytes {
            faults.push(format!("{name} came out with other bytes"));
        }
    }
    let manifest = stage.get(bucket, &format!("{folder}/manifest.json")).await?;
    let marker: Value = serde_json::from_slice(&stage.get(bucket, &format!("{folder}/_COMPLETE")).await?)
        .map_err(|error| error.to_string())?;
    if marker["sha256"] != hex::encode(Sha256::digest(&manifest)) {
        faults.push("the marker vouches for another manifest".into());
    }
    let good = format!("{} objects under {folder}/, the marker last; nothing of {REJECTED}", keys.len());
    Ok(promise("only what is approved comes out", good, faults))
}

/// Every input says what was decided about it, and by which workflow.
async fn tagged(stage: &Stage<'_>, bucket: &str, [approved, rejected]: [&Process; 2]) -> Result<Promise> {
    let mut faults = Vec::new();
    for key in uploads().keys().filter(|key| !key.ends_with("empty.docx")) {
        let tagging = stage.stack.s3.get_object_tagging().bucket(bucket).key(key).send().await;
        let tags = tagging.map_err(|error| format!("s3://{bucket}/{key}: {error:?}"))?.tag_set;
        let value = |name: &str| tags.iter().find(|tag| tag.key == name).map(|tag| tag.value.clone());
        let found = (value("waybill-decision"), value("waybill-process"));
        let (decision, process) =
            if key.contains(APPROVED) { ("approved", approved) } else { ("rejected", rejected) };
        if found != (Some(decision.to_owned()), Some(process.id.to_string())) {
            faults.push(format!("{key} is tagged {found:?}"));
        }
    }
    Ok(promise("the inputs say what was decided", "approved, approved, rejected".into(), faults))
}

fn look(stage: &Stage<'_>) -> Result<Vec<(&'static str, String)>> {
    let aws = stage.aws();
    Ok(vec![
        (
            "uploads",
            format!("{aws} s3 cp draft.docx s3://{}/contracts/CON-1/", stage.output("StagingBucketName")?),
        ),
        ("output", format!("{aws} s3 ls --recursive s3://{}", stage.output("DecidedBucketName")?)),
        ("the function's log", format!("{aws} logs tail {}", stage.own("LogGroupName")?)),
    ])
}
