//! Scans that nobody touches go to S3; a pointer stands for them; they come back when somebody asks.

use serde_json::json;
use sha2::{Digest, Sha256};
use tests::repository;

use super::Story;
use crate::{
    Result,
    promises::{Promise, promise},
    stage::{Stage, asset_of},
};

pub(crate) const STORY: Story = Story {
    flow: "offload-content",
    about: "large, idle content goes to S3 and comes back",
    stacks: &["offload-content"],
    rules: RULES,
    prepare: |stage| Box::pin(prepare(stage)),
    play: |stage| Box::pin(play(stage)),
    look,
};

const RULES: &str = r#"
[external_content]
category = "Categories:Integration/External Content"
location = "Location"
document_version = "Document Version"
sha256 = "SHA-256"
size = "Size"
storage_class = "Storage Class"
recall = "Recall"

[[rule]]
name = "old-plans"
within = "Enterprise:Digitised Archive/Plans"
min_size = "1 MiB"
prefix = "plans/"
storage_class = "GLACIER"
after = "pointer"

[[rule]]
name = "scans"
within = "Enterprise:Digitised Archive"
min_size = "1 MiB"
prefix = "scans/"
after = "pointer"
"#;

const FOLDER: &str = "Digitised Archive";
const PLANS: &str = "Digitised Archive/Plans";
const REGISTER: &str = "Land register 1911.tif";
const PLAN: &str = "Plan of 1887.tif";
const HELD: &str = "Flood protocol.tif";
const NOTE: &str = "Note.txt";

/// So many bytes that do not repeat.
fn scan(megabytes: usize, seed: u64) -> Vec<u8> {
    let mut random = fastrand::Rng::with_seed(seed);
    let mut bytes = vec![0; megabytes << 20];
    random.fill(&mut bytes);
    bytes
}

/// The versions of the register, the plan and the document that is held.
fn contents() -> [Vec<Vec<u8>>; 3] {
    [vec![scan(12, 1), scan(24, 2)], vec![scan(8, 3)], vec![scan(2, 4)]]
}

async fn prepare(stage: &Stage<'_>) -> Result<Vec<String>> {
    let [register, plan, held] = contents();
    let server = &stage.simulator;
    repository::folder(server, FOLDER, "Plans");
    repository::document(server, FOLDER, REGISTER, "image/tiff", &register);
    repository::document(server, PLANS, PLAN, "image/tiff", &plan);
    let held = repository::document(server, FOLDER, HELD, "image/tiff", &held);
    repository::hold(server, held);
    repository::document(server, FOLDER, NOTE, "text/plain", &[b"a short note".to_vec()]);
    Ok(vec![])
}

async fn play(stage: &Stage<'_>) -> Result<Vec<Promise>> {
    let server = &stage.simulator;
    let node = |folder: &str, name: &str| repository::at(server, &format!("{folder}/{name}"));
    let (register, plan) = (node(FOLDER, REGISTER), node(PLANS, PLAN));
    let (held, note) = (node(FOLDER, HELD), node(FOLDER, NOTE));
    let [registers, plans, _] = contents();

    let mut endings = Vec::new();
    for (node, name) in [(register, REGISTER), (plan, PLAN), (held, HELD), (note, NOTE)] {
        endings.push((name, stage.change(node, None, "1").await?));
    }
    let mut refused = Vec::new();
    for (name, item) in &endings {
        let record = stage.ended(item, name).await?;
        let expected = match *name {
            HELD => "skipped reduction.held",
            NOTE => "skipped rule.none",
            _ => "delivered",
        };
        let found = format!("{} {}", record.status, record.reason());
        if found.trim_end() != expected {
            refused.push(format!("{name}: {found}, not {expected}"));
        }
    }
    let mut promises =
        vec![promise("the rules decide", "two taken, one held, one too small".into(), refused)];
    promises.push(stored(stage, register, &registers, "scans/", REGISTER).await?);
    promises.push(pointed(stage, register, plan));

    // A person sets the attribute; the change feed tells of it.
    repository::set_value(server, register, "External Content", "Recall", json!(true));
    stage.say.step("somebody ticks Recall on the register, and asks for the plan, which is in GLACIER");
    let item = stage.change(register, None, "2").await?;
    stage.ended(&item, REGISTER).await?;
    let item = stage.change(plan, Some("recall"), "2").await?;
    stage.ended(&item, PLAN).await?;
    let whole = plans[0].len() as u64;
    stage
        .until("S3 has restored the plan and said so; it is back", |server| {
            repository::node(server, plan).latest().is_some_and(|version| version.content.size == whole)
        })
        .await?;
    promises.push(returned(stage, register, plan));
    promises.extend(stage.usual_promises(&[asset_of(register), asset_of(plan)]).await?);
    Ok(promises)
}

/// Every version is in S3, byte for byte, with its description.
async fn stored(
    stage: &Stage<'_>,
    node: i64,
    versions: &[Vec<u8>],
    prefix: &str,
    name: &str,
) -> Result<Promise> {
    let bucket = stage.output("OffloadBucketName")?;
    let keys = stage.keys(bucket).await?;
    let mut faults = Vec::new();
    for (number, bytes) in (1..).zip(versions) {
        let key = format!("{prefix}{node}/{number}/{name}");
        if !keys.contains_key(&key) || stage.get(bucket, &key).await? != *bytes {
            faults.push(format!("{key} is not what version {number} was"));
        }
        if !keys.contains_key(&format!("{prefix}{node}/{number}.json")) {
            faults.push(format!("version {number} has no description"));
        }
    }
    let glacier = keys.values().filter(|class| *class == "GLACIER").count();
    if glacier == 0 {
        faults.push("nothing is in GLACIER".into());
    }
    let good = format!("{} objects, {glacier} of them in GLACIER; every version byte for byte", keys.len());
    Ok(promise("every version is in S3", good, faults))
}

/// What Content Server holds while the content is away.
fn pointed(stage: &Stage<'_>, register: i64, plan: i64) -> Promise {
    let mut faults = Vec::new();
    let mut bytes = 0;
    for node in [register, plan] {
        let document = repository::node(&stage.simulator, node);
        if document.versions.len() != 1 {
            faults.push(format!(
                "{} has {} versions beside its pointer",
                document.name,
                document.versions.len() - 1
            ));
        }
        bytes += document.versions.iter().map(|version| version.content.size).sum::<u64>();
    }
    let good = format!("44 MB became {bytes} bytes in Content Server");
    promise("a pointer stands for the content", good, faults)
}

fn returned(stage: &Stage<'_>, register: i64, plan: i64) -> Promise {
    let [registers, plans, _] = contents();
    let mut faults = Vec::new();
    for (node, versions) in [(register, registers), (plan, plans)] {
        let back = Sha256::digest(repository::newest_bytes(&stage.simulator, node));
        if versions.last().is_none_or(|last| Sha256::digest(last) != back) {
            faults.push(format!("node {node} has other bytes than it had"));
        }
    }
    promise("what comes back is what went", "SHA-256 equal, from STANDARD and from GLACIER".into(), faults)
}

fn look(stage: &Stage<'_>) -> Result<Vec<(&'static str, String)>> {
    let aws = stage.aws();
    Ok(vec![
        ("offloaded content", format!("{aws} s3 ls --recursive s3://{}", stage.output("OffloadBucketName")?)),
        ("the function's log", format!("{aws} logs tail {}", stage.own("LogGroupName")?)),
    ])
}
