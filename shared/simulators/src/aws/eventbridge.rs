//! Amazon `EventBridge`: what is put on a bus.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde_json::{Map, Value as Json, json};

use super::failure::Failure;

/// Entries one call takes.
const MOST_ENTRIES: usize = 10;
/// Bytes of all entries of one call.
const MOST_BYTES: usize = 256 * 1024;

/// An event that was taken.
#[derive(Debug, Clone, PartialEq)]
pub struct Event {
    /// The id it was given.
    pub id: String,
    /// The bus.
    pub bus: String,
    /// Whose event it is.
    pub source: String,
    /// What kind of event.
    pub detail_type: String,
    /// The rest, an object.
    pub detail: Json,
}

/// The service, and its state for a test to look into.
#[derive(Clone, Default)]
pub struct EventBridge {
    taken: Arc<Mutex<Vec<Event>>>,
}

impl EventBridge {
    /// Every event that was taken, in order.
    #[must_use]
    pub fn events(&self) -> Vec<Event> {
        self.state().clone()
    }

    fn state(&self) -> MutexGuard<'_, Vec<Event>> {
        self.taken.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn call(&self, operation: &str, request: &Map<String, Json>) -> Result<Json, Failure> {
        if operation != "PutEvents" {
            return Err(Failure::new("UnknownOperationException", format!("{operation} is not simulated")));
        }
        let entries = request.get("Entries").and_then(Json::as_array).map(Vec::as_slice).unwrap_or_default();
        if entries.is_empty() || entries.len() > MOST_ENTRIES {
            return Err(Failure::validation(format!(
                "1 validation error detected: Value at 'entries' failed to satisfy constraint: Member must have \
                 length between 1 and {MOST_ENTRIES}, inclusive"
            )));
        }
        if entries.iter().map(size).sum::<usize>() > MOST_BYTES {
            return Err(Failure::validation("Total size of the entries in the request is over the limit."));
        }
        let answers: Vec<Json> = entries.iter().map(|entry| self.take(entry)).collect();
        let failed = answers.iter().filter(|answer| answer.get("ErrorCode").is_some()).count();
        Ok(json!({"FailedEntryCount": failed, "Entries": answers}))
    }

    fn take(&self, entry: &Json) -> Json {
        let text = |member: &str| entry.get(member).and_then(Json::as_str).filter(|text| !text.is_empty());
        let refuse = |code: &str, message: String| json!({"ErrorCode": code, "ErrorMessage": message});
        for member in ["Source", "DetailType", "Detail"] {
            if text(member).is_none() {
                let message =
                    format!("Parameter {member} is not valid. Reason: {member} is a required argument.");
                return refuse("InvalidArgument", message);
            }
        }
        let detail = text("Detail").and_then(|detail| serde_json::from_str::<Json>(detail).ok());
        let Some(detail) = detail.filter(Json::is_object) else {
            return refuse("MalformedDetail", "Detail is malformed.".to_owned());
        };
        let mut taken = self.state();
        let event = Event {
            id: format!("00000000-0000-4000-9000-{:012}", taken.len() + 1),
            bus: text("EventBusName").unwrap_or("default").to_owned(),
            source: text("Source").unwrap_or_default().to_owned(),
            detail_type: text("DetailType").unwrap_or_default().to_owned(),
            detail,
        };
        let answer = json!({"EventId": event.id});
        taken.push(event);
        answer
    }
}

/// Bytes of an entry as the service counts them: 14 for the time, and the texts.
fn size(entry: &Json) -> usize {
    let text = |member: &str| entry.get(member).and_then(Json::as_str).map_or(0, str::len);
    14 + text("Source") + text("DetailType") + text("Detail")
}
