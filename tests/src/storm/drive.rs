//! Works the queue the way the Lambda service does.

use std::{collections::BTreeSet, sync::Arc, time::Duration};

use aws_lambda_events::event::sqs::{SqsEvent, SqsMessage, SqsMessageAttribute};
use serde_json::{Value, json};
use shared::{
    batch::{Invocation, Runner},
    flow::Entry,
};
use tokio::sync::Notify;

use super::{Sabotage, World};

/// How the queue is worked.
#[derive(Debug, Clone, Copy)]
pub struct Drive {
    /// Messages per batch.
    pub batch: i32,
    /// Functions at a time.
    pub workers: usize,
    /// How far the second worker's clock is off, in seconds.
    pub clock_off: i64,
}

impl Default for Drive {
    fn default() -> Self {
        Self { batch: 10, workers: 1, clock_off: 0 }
    }
}

/// Seconds one invocation may take.
const TIME_OUT: u64 = 60;
/// Simulated time after which a queue that is not quiet never will be. A story may let a day pass.
const PATIENCE: Duration = Duration::from_secs(36 * 3600);

/// How long a worker waits before it looks at an empty queue again.
const EMPTY: Duration = Duration::from_secs(20);

/// Batches one worker is handed at most: without this, messages handed back at once would stop simulated time.
const BATCHES: usize = 20_000;

/// Delivers messages until the queue is empty. False when it never becomes quiet.
pub async fn drive(world: &World, flow: &'static Entry, how: Drive) -> bool {
    let workers = (0..how.workers).map(|number| {
        let clock_off = if number == 0 { 0 } else { how.clock_off };
        async move { work(world, flow, how.batch, clock_off).await }
    });
    let all = futures_util::future::join_all(workers);
    tokio::time::timeout(PATIENCE, all).await.is_ok() && world.waiting() == 0
}

async fn work(world: &World, flow: &'static Entry, batch: i32, clock_off: i64) {
    let mut runner: Option<(Runner, Arc<Notify>)> = None;
    for _ in 0..BATCHES {
        world.restore();
        for event in world.events() {
            world.send(&event).await;
        }
        let messages = receive(world, batch).await;
        if messages.is_empty() {
            if world.waiting() == 0 && !world.is_restless() {
                return;
            }
            // What is still to happen to an empty queue is waited for in larger steps.
            let pause = if world.waiting() == 0 { EMPTY } else { world.until_visible() };
            tokio::time::sleep(pause).await;
            continue;
        }
        let (current, crash) = match runner.take() {
            Some(running) => running,
            None => match start(world, flow, world.next_process(), clock_off).await {
                Some(started) => started,
                // A process that does not start leaves its messages to their visibility time-out.
                None => {
                    tokio::time::sleep(Duration::from_secs(1)).await;
                    continue;
                }
            },
        };
        if let Some(alive) = invoke(world, current, crash, messages, clock_off).await {
            runner = Some(alive);
        }
    }
}

async fn start(
    world: &World,
    flow: &'static Entry,
    process: u64,
    clock_off: i64,
) -> Option<(Runner, Arc<Notify>)> {
    let crash = Arc::new(Notify::new());
    let environment = world.environment(world.tap.transport(crash.clone()), process, clock_off);
    tokio::select! {
        // In this order, always: which branch is looked at first must not be left to chance.
        biased;
        () = crash.notified() => None,
        started = Runner::connect(flow, environment) => match started {
            Ok(runner) => Some((runner, crash.clone())),
            Err(error) => {
                tracing::warn!(error = ?error, "the process does not start");
                None
            }
        },
        () = tokio::time::sleep(Duration::from_secs(TIME_OUT)) => None,
    }
}

/// One invocation. The process is gone afterwards when it crashed or ran out of time.
async fn invoke(
    world: &World,
    runner: Runner,
    crash: Arc<Notify>,
    messages: Vec<Value>,
    clock_off: i64,
) -> Option<(Runner, Arc<Notify>)> {
    let time = i64::try_from(TIME_OUT).expect("small") * 1000;
    let deadline = world.context.now_milliseconds() + clock_off * 1000 + time;
    let mut event = SqsEvent::default();
    event.records = messages.iter().map(record).collect();
    let response = tokio::select! {
        biased;
        () = crash.notified() => None,
        (response, _) = runner.run_counted(event, Invocation { deadline }) => Some(response),
        () = tokio::time::sleep(Duration::from_secs(TIME_OUT)) => None,
    };
    let Some(response) = response else {
        if world.tap.sabotage() == Some(Sabotage::EarlyAcknowledgement) {
            acknowledge(world, &messages, &BTreeSet::new()).await;
        }
        return None;
    };
    let failed = response.batch_item_failures.into_iter().map(|failure| failure.item_identifier).collect();
    acknowledge(world, &messages, &failed).await;
    Some((runner, crash))
}

/// Deletes the messages of a batch, but those that failed.
async fn acknowledge(world: &World, messages: &[Value], failed: &BTreeSet<String>) {
    for message in messages {
        if message["MessageId"].as_str().is_some_and(|id| !failed.contains(id)) {
            world.call_queue("DeleteMessage", json!({"ReceiptHandle": message["ReceiptHandle"]})).await;
        }
    }
}

async fn receive(world: &World, batch: i32) -> Vec<Value> {
    let all = json!(["All"]);
    let request = json!({
        "MaxNumberOfMessages": batch, "MessageSystemAttributeNames": all, "MessageAttributeNames": all,
    });
    let mut answer = world.call_queue("ReceiveMessage", request).await;
    answer["Messages"].as_array_mut().map(std::mem::take).unwrap_or_default()
}

fn record(message: &Value) -> SqsMessage {
    let text = |value: &Value| value.as_str().map(str::to_owned);
    let members = |name: &str| message[name].as_object().into_iter().flatten();
    let mut record = SqsMessage::default();
    record.message_id = text(&message["MessageId"]);
    record.receipt_handle = text(&message["ReceiptHandle"]);
    record.body = text(&message["Body"]);
    record.attributes =
        members("Attributes").filter_map(|(name, value)| Some((name.clone(), text(value)?))).collect();
    for (name, value) in members("MessageAttributes") {
        let mut attribute = SqsMessageAttribute::default();
        attribute.data_type = text(&value["DataType"]);
        attribute.string_value = text(&value["StringValue"]);
        record.message_attributes.insert(name.clone(), attribute);
    }
    record
}
