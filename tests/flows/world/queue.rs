//! A flow's queue: what is put on it, delivered from it, and given up.

use std::{
    sync::atomic::Ordering,
    time::{Duration, Instant},
};

use aws_sdk_s3::primitives::ByteStream;
use aws_sdk_sqs::types::{Message, QueueAttributeName};
use shared::node_change::NodeChange;
use tests::{
    installation::Installation,
    messages,
    runtime::{Delivery, Poller, Queue},
};
use tokio::task::JoinHandle;

use super::{PATIENCE, World};

impl World {
    /// Puts an object into the intake bucket.
    pub(crate) async fn upload(&self, key: &str, content: impl Into<Vec<u8>>) {
        let body = ByteStream::from(content.into());
        let request = self.place.s3.put_object().bucket(&self.place.intake).key(key).body(body);
        request.send().await.expect("the upload is taken");
    }

    /// Puts a message on the queue as it is.
    pub(crate) async fn send(&self, body: &str) {
        let request = self.place.sqs.send_message().queue_url(&self.place.queue_url).message_body(body);
        request.send().await.expect("the message is taken");
    }

    /// Tells the flow that a node changed, as a change feed does. Each call is an item of its own.
    pub(crate) async fn change(&self, node: i64) {
        self.send(&messages::node_change(self.flow, node, None, &self.occasion())).await;
    }

    /// Asks the flow for something about a node. Each call is an item of its own.
    pub(crate) async fn request(&self, node: i64, request: &str) {
        self.send(&messages::node_change(self.flow, node, Some(request), &self.occasion())).await;
    }

    pub(super) fn occasion(&self) -> String {
        self.occasions.fetch_add(1, Ordering::Relaxed).to_string()
    }

    /// Delivers in the background.
    pub(crate) fn poll(&self) -> Poller {
        self.queue.poll()
    }

    /// Waits until so many messages are on the queue: S3 tells of an upload a moment after it.
    pub(crate) async fn until_queued(&self, messages: u64) {
        let deadline = Instant::now() + PATIENCE;
        while self.waiting().await < messages {
            assert!(Instant::now() < deadline, "fewer messages arrived; {}", self.told());
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// Delivers one batch that must be there.
    pub(crate) async fn deliver(&self) -> Delivery {
        next_batch(&self.queue).await.unwrap_or_else(|| panic!("no message arrived; {}", self.told()))
    }

    /// Delivers one batch that must be there, in the background.
    pub(crate) fn delivering(&self) -> JoinHandle<Delivery> {
        let queue = self.queue.clone();
        tokio::spawn(async move { next_batch(&queue).await.expect("no message arrived") })
    }

    /// Delivers until the queue is empty, hidden messages included.
    pub(crate) async fn settle(&self) {
        self.settle_within(PATIENCE).await;
    }

    pub(crate) async fn settle_within(&self, patience: Duration) {
        let _poller = self.poll();
        let deadline = Instant::now() + patience;
        // S3 tells of an upload a moment after it.
        tokio::time::sleep(Duration::from_millis(300)).await;
        while self.waiting().await > 0 {
            assert!(Instant::now() < deadline, "the queue is not empty; {}", self.told());
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }

    /// Messages on the queue, seen or hidden.
    pub(crate) async fn waiting(&self) -> u64 {
        use QueueAttributeName::{
            ApproximateNumberOfMessages, ApproximateNumberOfMessagesDelayed,
            ApproximateNumberOfMessagesNotVisible,
        };
        let names = [
            ApproximateNumberOfMessages,
            ApproximateNumberOfMessagesNotVisible,
            ApproximateNumberOfMessagesDelayed,
        ];
        let request = self.place.sqs.get_queue_attributes().queue_url(&self.place.queue_url);
        let answer =
            request.set_attribute_names(Some(names.to_vec())).send().await.expect("the queue answers");
        let attributes = answer.attributes.unwrap_or_default();
        attributes.values().filter_map(|count| count.parse::<u64>().ok()).sum()
    }

    /// Messages that were given up.
    pub(crate) async fn dead_letters(&self) -> Vec<Message> {
        let request = self.place.sqs.receive_message().queue_url(&self.place.dead_letter_queue_url);
        let request = request.max_number_of_messages(10).message_attribute_names("All");
        request.send().await.expect("the queue can be read").messages.unwrap_or_default()
    }

    /// What another flow was told about nodes, by the order of its queue; taken off it.
    pub(crate) async fn told_to(&self, flow: &str) -> Vec<NodeChange> {
        let bodies = self.bodies_of(flow).await;
        bodies.iter().map(|body| NodeChange::parse(body).expect("a change")).collect()
    }

    /// The messages on another flow's queue; taken off it.
    pub(crate) async fn bodies_of(&self, flow: &str) -> Vec<String> {
        let url = self.queues.iter().find(|(name, _)| *name == flow).map(|(_, url)| url).expect("in `tells`");
        let mut told = Vec::new();
        loop {
            let request = self.place.sqs.receive_message().queue_url(url).max_number_of_messages(10);
            let messages = request.send().await.expect("the queue can be read").messages.unwrap_or_default();
            if messages.is_empty() {
                return told;
            }
            for message in messages {
                told.push(message.body.unwrap_or_default());
                let request = self.place.sqs.delete_message().queue_url(url);
                request.set_receipt_handle(message.receipt_handle).send().await.expect("the message goes");
            }
        }
    }
}

/// The next batch, when it is over.
async fn next_batch(queue: &Queue) -> Option<Delivery> {
    let deadline = Instant::now() + PATIENCE;
    while Instant::now() < deadline {
        if let Some(delivery) = queue.deliver().await.expect("the queue can be read") {
            return Some(delivery);
        }
    }
    None
}

/// S3 announces a new notification with a test event; a test of its own looks at that.
pub(crate) async fn take_test_event(place: &Installation) {
    let request = place.sqs.receive_message().queue_url(&place.queue_url).wait_time_seconds(5);
    for message in request.send().await.expect("the queue can be read").messages.unwrap_or_default() {
        assert!(message.body.unwrap_or_default().contains("s3:TestEvent"));
        let request = place.sqs.delete_message().queue_url(&place.queue_url);
        request.set_receipt_handle(message.receipt_handle).send().await.expect("the message goes");
    }
}
