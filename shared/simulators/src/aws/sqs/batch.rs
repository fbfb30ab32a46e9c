//! Batches: ten entries, each with a result of its own.

use std::collections::BTreeSet;

use serde_json::{Map, Value as Json, json};

use super::{Call, Failure, State, send};

const MOST_ENTRIES: usize = 10;
const LARGEST_BATCH: usize = 1_048_576;

pub(super) fn run(
    state: &mut State,
    call: &Call,
    one: impl Fn(&mut State, &Call) -> Result<Json, Failure>,
) -> Result<Json, Failure> {
    state.queue(call.queue_name()?)?;
    let entries = call.request.get("Entries").and_then(Json::as_array).cloned().unwrap_or_default();
    check(&entries)?;
    let (mut successful, mut failed) = (Vec::new(), Vec::new());
    for entry in &entries {
        let id = entry.get("Id").cloned().unwrap_or_default();
        let mut request = entry.as_object().cloned().unwrap_or_default();
        request.insert("QueueUrl".to_owned(), json!(call.text("QueueUrl")));
        match one(state, &Call { now: call.now, endpoint: call.endpoint, request: &request }) {
            Ok(answer) => {
                let mut answer = answer.as_object().cloned().unwrap_or_default();
                answer.insert("Id".to_owned(), id);
                successful.push(Json::Object(answer));
            }
            Err(failure) => failed.push(json!({
                "Id": id,
                "Code": failure.code,
                "Message": failure.message,
                "SenderFault": true,
            })),
        }
    }
    let mut answer = Map::new();
    for (member, list) in [("Successful", successful), ("Failed", failed)] {
        if !list.is_empty() {
            answer.insert(member.to_owned(), Json::Array(list));
        }
    }
    Ok(Json::Object(answer))
}

fn check(entries: &[Json]) -> Result<(), Failure> {
    if entries.is_empty() {
        return Err(Failure::new("EmptyBatchRequest", "There should be at least one entry in the request."));
    }
    if entries.len() > MOST_ENTRIES {
        return Err(Failure::new(
            "TooManyEntriesInBatchRequest",
            format!(
                "Maximum number of entries per request are {MOST_ENTRIES}. You have sent {}.",
                entries.len()
            ),
        ));
    }
    let mut ids = BTreeSet::new();
    let mut total = 0;
    for entry in entries {
        let id = entry.get("Id").and_then(Json::as_str).unwrap_or_default();
        let allowed = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
        if id.is_empty() || id.len() > 80 || !id.bytes().all(allowed) {
            return Err(Failure::new(
                "InvalidBatchEntryId",
                "A batch entry id can only contain alphanumeric characters, hyphens and underscores. It can be at \
                 most 80 letters long.",
            ));
        }
        if !ids.insert(id) {
            return Err(Failure::new("BatchEntryIdsNotDistinct", format!("Id {id} repeated.")));
        }
        // A malformed attribute fails its own entry later, not the batch.
        total += entry.as_object().and_then(|entry| send::size(entry).ok()).unwrap_or_default();
    }
    if total > LARGEST_BATCH {
        return Err(Failure::new(
            "BatchRequestTooLong",
            format!(
                "Batch requests cannot be longer than {LARGEST_BATCH} bytes. You have sent {total} bytes."
            ),
        ));
    }
    Ok(())
}
