//! Amazon SQS: standard and first-in-first-out queues, visibility, redrive to a dead-letter queue.
//!
//! Nothing happens by itself: delays, visibility, deduplication and retention are judged against the time at each
//! call, and a long poll answers at once. A standard queue hands messages out in the order they were sent, so that a
//! schedule replays; [`Sqs::deliver_again`] makes the duplicate that AWS allows itself.

mod batch;
mod message;
mod queue;
mod receive;
mod send;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde_json::{Map, Value as Json, json};

pub use self::message::Held;
use self::queue::Queue;
use super::Now;
use super::failure::Failure;

const ACCOUNT: &str = "000000000000";

#[derive(Default)]
struct State {
    queues: BTreeMap<String, Queue>,
    /// Messages ever sent: their ids and sequence numbers come from here.
    count: u64,
}

/// The service, and its state for a test to look into.
#[derive(Clone)]
pub struct Sqs {
    state: Arc<Mutex<State>>,
    now: Now,
}

/// What every call needs: the moment, and the address the caller used.
struct Call<'request> {
    now: i64,
    endpoint: &'request str,
    request: &'request Map<String, Json>,
}

impl Call<'_> {
    fn text(&self, member: &str) -> Option<&str> {
        self.request.get(member).and_then(Json::as_str)
    }

    /// A number, wherever the protocol allows one or its text.
    fn number(&self, member: &str) -> Option<i64> {
        integer(self.request.get(member)?)
    }

    fn queue_name(&self) -> Result<&str, Failure> {
        let url = self.text("QueueUrl").unwrap_or_default();
        match url.rsplit('/').next() {
            Some(name) if !name.is_empty() => Ok(name),
            _ => Err(missing_parameter("QueueUrl")),
        }
    }
}

fn integer(value: &Json) -> Option<i64> {
    value.as_i64().or_else(|| value.as_str()?.parse().ok())
}

fn missing_parameter(name: &str) -> Failure {
    Failure::new("MissingParameter", format!("The request must contain the parameter {name}."))
}

fn invalid_parameter(message: impl Into<String>) -> Failure {
    Failure::new("InvalidParameterValue", message)
}

fn no_such_queue() -> Failure {
    Failure::new("QueueDoesNotExist", "The specified queue does not exist.")
}

impl State {
    fn queue(&mut self, name: &str) -> Result<&mut Queue, Failure> {
        self.queues.get_mut(name).ok_or_else(no_such_queue)
    }
}

impl Sqs {
    pub(super) fn new(now: Now) -> Self {
        Self { state: Arc::default(), now }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn call(
        &self,
        operation: &str,
        endpoint: &str,
        request: &Map<String, Json>,
    ) -> Result<Json, Failure> {
        let call = Call { now: (self.now)(), endpoint, request };
        let state = &mut *self.state();
        for queue in state.queues.values_mut() {
            queue.forget_old(call.now);
        }
        match operation {
            "CreateQueue" => queue::create(state, &call),
            "GetQueueUrl" => queue::url(state, &call),
            "ListQueues" => Ok(queue::list(state, &call)),
            "DeleteQueue" => {
                state.queue(call.queue_name()?)?;
                state.queues.remove(call.queue_name()?);
                Ok(json!({}))
            }
            "GetQueueAttributes" => queue::attributes(state, &call),
            "SetQueueAttributes" => queue::set_attributes(state, &call),
            "PurgeQueue" => {
                state.queue(call.queue_name()?)?.messages.clear();
                Ok(json!({}))
            }
            "SendMessage" => send::one(state, &call),
            "SendMessageBatch" => batch::run(state, &call, send::one),
            "ReceiveMessage" => receive::receive(state, &call),
            "DeleteMessage" => receive::delete(state, &call),
            "DeleteMessageBatch" => batch::run(state, &call, receive::delete),
            "ChangeMessageVisibility" => receive::change_visibility(state, &call),
            "ChangeMessageVisibilityBatch" => batch::run(state, &call, receive::change_visibility),
            _ => Err(Failure::new("InvalidAction", format!("{operation} is not simulated"))),
        }
    }

    /// Makes a queue. False when its attributes make no sense, or it exists with others.
    pub fn create_queue(&self, name: &str, attributes: &[(&str, &str)]) -> bool {
        let attributes: BTreeMap<&str, &str> = attributes.iter().copied().collect();
        let request = json!({ "QueueName": name, "Attributes": attributes });
        request.as_object().is_some_and(|request| self.call("CreateQueue", "", request).is_ok())
    }

    /// Puts a message on a standard queue and returns its id; none when the queue is not there.
    pub fn send(&self, queue: &str, body: &str) -> Option<String> {
        let request = json!({ "QueueUrl": queue, "MessageBody": body });
        let answer = self.call("SendMessage", "", request.as_object()?).ok()?;
        answer.get("MessageId")?.as_str().map(str::to_owned)
    }

    /// Every message of a queue, delayed and in flight ones included, in the order they were sent.
    #[must_use]
    pub fn messages(&self, queue: &str) -> Vec<Held> {
        let now = (self.now)();
        let state = self.state();
        let Some(queue) = state.queues.get(queue) else { return Vec::new() };
        queue.messages.iter().map(|message| message.held(now)).collect()
    }

    /// Names of all queues.
    #[must_use]
    pub fn queues(&self) -> Vec<String> {
        self.state().queues.keys().cloned().collect()
    }

    /// Puts a second copy of a message on its queue, visible at once: a standard queue may deliver twice. False when
    /// the queue does not hold the message.
    pub fn deliver_again(&self, queue: &str, message_id: &str) -> bool {
        let now = (self.now)();
        let mut state = self.state();
        let Some(queue) = state.queues.get_mut(queue) else { return false };
        let Some(message) = queue.messages.iter().find(|message| message.id == message_id) else {
            return false;
        };
        queue.copies += 1;
        let copy = message.copy(queue.copies, now);
        queue.messages.push(copy);
        true
    }
}

/// The code older SDKs know an error by, which the header `x-amzn-query-error` carries.
pub(super) fn query_code(code: &str) -> String {
    match code {
        "QueueDoesNotExist" => "AWS.SimpleQueueService.NonExistentQueue".to_owned(),
        "QueueNameExists" => "QueueAlreadyExists".to_owned(),
        "BatchEntryIdsNotDistinct"
        | "BatchRequestTooLong"
        | "EmptyBatchRequest"
        | "InvalidBatchEntryId"
        | "MessageNotInflight"
        | "TooManyEntriesInBatchRequest" => format!("AWS.SimpleQueueService.{code}"),
        other => other.to_owned(),
    }
}
