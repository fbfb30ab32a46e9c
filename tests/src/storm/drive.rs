//! Works the queue the way the Lambda service does.

use std::{collections::BTreeSet, sync::Arc, time::Duration};

use aws_lambda_events::event::sqs::{SqsEvent, SqsMessage, SqsMessageAttribute};
use aws_sdk_sqs::types::{Message, MessageSystemAttributeName};
use shared::{
    batch::{Invocation, Runner},
    flow::Entry,
};
use tokio::sync::Notify;

use super::World;

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
/// Simulated time after which a queue that is not quiet never will be.
const PATIENCE: Duration = Duration::from_secs(12 * 3600);

/// Batches one worker is handed at most: without this, messages handed back at once would stop simulated time.
const BATCHES: usize = 20_000;

/// Delivers messages until the queue is empty. False when it never becomes quiet.
pub async fn drive(world: &World, flow: &'static Entry, how: Drive) -> bool {
    let workers = (0..how.workers).map(|number| {
        let clock_off = if number == 0 { 0 } else { how.clock_off };
        // No two processes of a world draw the same ids.
        let first = u64::try_from(number).expect("a few workers") * 1_000_000;
        async move { work(world, flow, how.batch, clock_off, first).await }
    });
    let all = futures_util::future::join_all(workers);
    tokio::time::timeout(PATIENCE, all).await.is_ok() && world.waiting() == 0
}

async fn work(world: &World, flow: &'static Entry, batch: i32, clock_off: i64, first: u64) {
    let mut runner: Option<(Runner, Arc<Notify>)> = None;
    let mut process = first;
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
            tokio::time::sleep(world.until_visible()).await;
            continue;
        }
        let (current, crash) = match runner.take() {
            Some(running) => running,
            None => {
                process += 1;
                match start(world, flow, process, clock_off).await {
                    Some(started) => started,
                    // A process that does not start leaves its messages to their visibility time-out.
                    None => {
                        tokio::time::sleep(Duration::from_secs(1)).await;
                        continue;
                    }
                }
            }
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
        started = Runner::connect(flow, environment) => match started {
            Ok(runner) => Some((runner, crash.clone())),
            Err(error) => {
                tracing::warn!(error = ?error, "the process does not start");
                None
            }
        },
        () = crash.notified() => None,
        () = tokio::time::sleep(Duration::from_secs(TIME_OUT)) => None,
    }
}

/// One invocation. The process is gone afterwards when it crashed or ran out of time.
async fn invoke(
    world: &World,
    runner: Runner,
    crash: Arc<Notify>,
    messages: Vec<Message>,
    clock_off: i64,
) -> Option<(Runner, Arc<Notify>)> {
    let time = i64::try_from(TIME_OUT).expect("small") * 1000;
    let deadline = world.context.now_milliseconds() + clock_off * 1000 + time;
    let mut event = SqsEvent::default();
    event.records = messages.iter().map(record).collect();
    let response = tokio::select! {
        (response, _) = runner.run_counted(event, Invocation { deadline }) => response,
        () = crash.notified() => return None,
        () = tokio::time::sleep(Duration::from_secs(TIME_OUT)) => return None,
    };
    let failed: BTreeSet<String> =
        response.batch_item_failures.into_iter().map(|failure| failure.item_identifier).collect();
    for message in messages {
        if message.message_id().is_some_and(|id| !failed.contains(id)) {
            let delete = world.sqs.delete_message().queue_url(world.queue_url());
            let _ = delete.set_receipt_handle(message.receipt_handle).send().await;
        }
    }
    Some((runner, crash))
}

async fn receive(world: &World, batch: i32) -> Vec<Message> {
    let receive = world.sqs.receive_message().queue_url(world.queue_url()).max_number_of_messages(batch);
    let receive = receive.message_system_attribute_names(MessageSystemAttributeName::All);
    let received = receive.message_attribute_names("All").send().await;
    received.expect("messages").messages.unwrap_or_default()
}

fn record(message: &Message) -> SqsMessage {
    let mut record = SqsMessage::default();
    record.message_id.clone_from(&message.message_id);
    record.receipt_handle.clone_from(&message.receipt_handle);
    record.body.clone_from(&message.body);
    if let Some(attributes) = &message.attributes {
        record.attributes =
            attributes.iter().map(|(name, value)| (name.as_str().to_owned(), value.clone())).collect();
    }
    for (name, value) in message.message_attributes.iter().flatten() {
        let mut attribute = SqsMessageAttribute::default();
        attribute.data_type = Some(value.data_type.clone());
        attribute.string_value.clone_from(&value.string_value);
        record.message_attributes.insert(name.clone(), attribute);
    }
    record
}
