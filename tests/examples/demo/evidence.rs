//! Looks into every system for what is there at the end.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::{Duration, Instant},
};

use aws_sdk_sqs::types::QueueAttributeName;
use serde_json::Value;
use simulators::content_server::Simulator;

use super::{
    Result,
    chains::{self, Chain},
    filed, ledger, promises,
    run::{Course, FLOW},
    systems::Stack,
    uploads,
};

/// A version of a document in the target.
pub(crate) struct Held {
    pub(crate) sha256: String,
    pub(crate) size: u64,
    pub(crate) path: String,
}

type Versions = BTreeMap<(i64, i64), Held>;

/// What was found at the end.
pub(crate) struct Evidence {
    /// Versions made in the target, by node and number.
    pub(crate) made: Versions,
    /// Every object version in the intake bucket: key, version and its record.
    pub(crate) objects: Vec<(String, String, Option<ledger::Record>)>,
    pub(crate) chains: BTreeMap<String, Chain>,
    /// What stands in the reason files, by item.
    pub(crate) reasons: BTreeMap<String, Value>,
    /// Bodies of dead letters.
    pub(crate) dead_letters: Vec<String>,
    pub(crate) waiting: u64,
    /// What is wrong with where documents are and what they say of themselves.
    pub(crate) misfiled: Vec<String>,
    /// Addresses called in the target that do not exist.
    pub(crate) unknown_calls: usize,
    pub(crate) bucket: String,
}

/// All versions of all documents in the target.
pub(crate) fn versions(simulator: &Simulator) -> Versions {
    simulator.with_state(|state| {
        let mut versions = BTreeMap::new();
        for node in state.nodes.values() {
            for version in &node.versions {
                let content = &version.content;
                let path = state.path_of(node.id);
                versions.insert(
                    (node.id, version.number),
                    Held { sha256: content.sha256.clone(), size: content.size, path },
                );
            }
        }
        versions
    })
}

/// How many messages are on a queue, seen or hidden.
pub(crate) async fn waiting(stack: &Stack, queue: &str) -> Result<u64> {
    let asked = [
        QueueAttributeName::ApproximateNumberOfMessages,
        QueueAttributeName::ApproximateNumberOfMessagesNotVisible,
        QueueAttributeName::ApproximateNumberOfMessagesDelayed,
    ];
    let read = stack.sqs.get_queue_attributes().queue_url(queue);
    let output = read.set_attribute_names(Some(asked.to_vec())).send().await;
    let output = output.map_err(|error| format!("the queue cannot be read: {error:?}"))?;
    let numbers =
        output.attributes.unwrap_or_default().into_values().filter_map(|value| value.parse::<u64>().ok());
    Ok(numbers.sum())
}

/// Waits for a queue to be empty, for a while.
pub(crate) async fn empties(stack: &Stack, queue: &str, seconds: f64) -> Result<()> {
    let until = Instant::now() + Duration::from_secs_f64(seconds);
    while waiting(stack, queue).await? > 0 && Instant::now() < until {
        tokio::time::sleep(Duration::from_millis(250)).await;
    }
    Ok(())
}

/// Looks into every system.
pub(crate) async fn gather(
    stack: &Stack,
    simulator: &Simulator,
    before: &Versions,
    course: &Course,
) -> Result<Evidence> {
    let bucket = stack.intake()?.to_owned();
    let mut objects = Vec::new();
    let mut assets = BTreeSet::new();
    let listed = stack.s3.list_object_versions().bucket(&bucket).send().await;
    let listed = listed.map_err(|error| format!("the intake bucket cannot be listed: {error:?}"))?;
    for object in listed.versions.unwrap_or_default() {
        let (key, version) = (object.key.unwrap_or_default(), object.version_id.unwrap_or_default());
        let record = ledger::record(stack, FLOW, &uploads::item(&bucket, &key, &version)).await?;
        assets.insert(uploads::asset(&bucket, &key));
        objects.push((key, version, record));
    }
    let assets: Vec<String> = assets.into_iter().collect();
    let mut reasons = BTreeMap::new();
    for uploaded in &course.uploaded {
        let Some(record) = course.records.get(&uploaded.item).filter(|record| record.status == "quarantined")
        else {
            continue;
        };
        let reason = reason_file(stack, record).await.unwrap_or_else(Value::String);
        reasons.insert(uploaded.item.clone(), reason);
    }
    let delivered =
        promises::delivered(course).map(|(uploaded, record)| (uploaded.key.as_str(), record.node()));
    let delivered = delivered.collect();
    let mut made = versions(simulator);
    made.retain(|version, _| !before.contains_key(version));
    Ok(Evidence {
        made,
        objects,
        chains: chains::read(stack, &assets).await?,
        reasons,
        dead_letters: dead_letters(stack).await?,
        waiting: waiting(stack, stack.output("IngestUploadsQueueUrl")?).await?,
        misfiled: filed::faults(simulator, &delivered),
        unknown_calls: simulator.journal().unknown().len(),
        bucket,
    })
}

/// The reason beside a copy in quarantine, when both are there.
async fn reason_file(stack: &Stack, record: &ledger::Record) -> Result<Value> {
    let place = &record.result["place"];
    let (bucket, key) = (place["bucket"].as_str().unwrap_or(""), place["key"].as_str().unwrap_or(""));
    let copy = stack.s3.head_object().bucket(bucket).key(key).send().await;
    copy.map_err(|_| format!("there is no copy at s3://{bucket}/{key}"))?;
    let name = format!("{key}.reason.json");
    let reason = stack.s3.get_object().bucket(bucket).key(&name).send().await;
    let reason = reason.map_err(|_| format!("there is no s3://{bucket}/{name}"))?;
    let bytes = reason.body.collect().await.map_err(|error| error.to_string())?.into_bytes();
    serde_json::from_slice(&bytes).map_err(|error| format!("s3://{bucket}/{name}: {error}"))
}

async fn dead_letters(stack: &Stack) -> Result<Vec<String>> {
    let queue = stack.output("IngestUploadsDeadLetterQueueUrl")?;
    let received = stack.sqs.receive_message().queue_url(queue).max_number_of_messages(10).send().await;
    let received = received.map_err(|error| format!("the dead-letter queue cannot be read: {error:?}"))?;
    Ok(received.messages.unwrap_or_default().into_iter().filter_map(|message| message.body).collect())
}
