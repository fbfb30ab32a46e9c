//! The event source mapping: messages from an SQS queue to a function, in batches.

use std::time::Duration;

use aws_sdk_sqs::types::{Message, MessageSystemAttributeName};
use serde_json::{Map, Value, json};
use tokio::sync::watch;

use super::{Function, Outcome, failed_messages};

/// A queue that feeds a function.
#[derive(Clone)]
pub struct Queue {
    client: aws_sdk_sqs::Client,
    url: String,
    function: Function,
}

/// One batch, when it is over.
#[derive(Debug, Clone)]
pub struct Delivery {
    /// Messages in the batch.
    pub messages: usize,
    /// Messages that stay on the queue.
    pub stay: usize,
    /// How the invocation ended.
    pub outcome: Outcome,
}

/// Batches delivered in the background, until it is dropped: a function that is at work then is left alone, and its
/// messages stay hidden.
pub struct Poller {
    _stop: watch::Sender<()>,
}

impl Queue {
    /// Messages a batch has at most, as in the template.
    const BATCH: i32 = 10;

    /// Feeds a function from the queue at this address.
    pub fn new(client: aws_sdk_sqs::Client, url: &str, function: Function) -> Self {
        Self { client, url: url.to_owned(), function }
    }

    /// Takes what is there, up to a batch, and delivers it. `None` when nothing arrives within a second.
    ///
    /// # Errors
    /// When the queue cannot be read.
    pub async fn deliver(&self) -> Result<Option<Delivery>, aws_sdk_sqs::Error> {
        let messages = self.receive().await?;
        if messages.is_empty() { Ok(None) } else { self.hand_over(&messages).await.map(Some) }
    }

    async fn receive(&self) -> Result<Vec<Message>, aws_sdk_sqs::Error> {
        let received = self
            .client
            .receive_message()
            .queue_url(&self.url)
            .max_number_of_messages(Self::BATCH)
            .wait_time_seconds(1)
            .message_system_attribute_names(MessageSystemAttributeName::All)
            .message_attribute_names("All")
            .send()
            .await?;
        Ok(received.messages.unwrap_or_default())
    }

    /// Gives a batch to the function, and takes off the queue what it is done with.
    async fn hand_over(&self, messages: &[Message]) -> Result<Delivery, aws_sdk_sqs::Error> {
        let ids: Vec<String> = messages.iter().filter_map(|message| message.message_id.clone()).collect();
        let outcome = self.function.invoke(&self.event(messages)).await.outcome;
        let stay = failed_messages(&outcome, &ids);
        for message in messages {
            if stay.contains(message.message_id.as_deref().unwrap_or_default()) {
                continue;
            }
            let handle = message.receipt_handle.clone();
            self.client.delete_message().queue_url(&self.url).set_receipt_handle(handle).send().await?;
        }
        Ok(Delivery { messages: messages.len(), stay: stay.len(), outcome })
    }

    /// Makes messages visible again that nobody was given.
    async fn hand_back(&self, messages: Vec<Message>) -> Result<(), aws_sdk_sqs::Error> {
        for message in messages {
            let request = self.client.change_message_visibility().queue_url(&self.url).visibility_timeout(0);
            request.set_receipt_handle(message.receipt_handle).send().await?;
        }
        Ok(())
    }

    /// Delivers in the background, as many batches at a time as the function has processes.
    pub fn poll(&self) -> Poller {
        let (stop, stopped) = watch::channel(());
        for _ in 0..self.function.settings().concurrency {
            tokio::spawn(self.clone().deliver_until(stopped.clone()));
        }
        Poller { _stop: stop }
    }

    /// Delivers until the other end of the channel is gone. A request for messages is waited for even then: the queue
    /// would answer it all the same, and hide a message from all others that nobody has.
    async fn deliver_until(self, mut stopped: watch::Receiver<()>) {
        loop {
            let delivered = match self.receive().await {
                Ok(messages) if stopped.has_changed().is_err() => {
                    let _ = self.hand_back(messages).await;
                    return;
                }
                Ok(messages) if messages.is_empty() => continue,
                Ok(messages) => tokio::select! {
                    _ = stopped.changed() => return,
                    delivered = self.hand_over(&messages) => delivered.map(|_| ()),
                },
                Err(_) if stopped.has_changed().is_err() => return,
                Err(error) => Err(error),
            };
            if let Err(error) = delivered {
                tracing::warn!(%error, "the queue cannot be read");
                tokio::time::sleep(Duration::from_millis(200)).await;
            }
        }
    }

    /// The event Lambda makes of a batch.
    pub fn event(&self, messages: &[Message]) -> Value {
        let name = self.url.rsplit('/').next().unwrap_or_default();
        let arn = format!("arn:aws:sqs:us-east-1:000000000000:{name}");
        let records: Vec<Value> = messages.iter().map(|message| record(message, &arn)).collect();
        json!({"Records": records})
    }
}

fn record(message: &Message, arn: &str) -> Value {
    let attributes: Map<String, Value> = message
        .attributes
        .iter()
        .flatten()
        .map(|(name, value)| (name.as_str().to_owned(), Value::from(value.as_str())))
        .collect();
    let message_attributes: Map<String, Value> = message
        .message_attributes
        .iter()
        .flatten()
        .map(|(name, value)| {
            let value = json!({
                "stringValue": value.string_value,
                "stringListValues": [],
                "binaryListValues": [],
                "dataType": value.data_type,
            });
            (name.clone(), value)
        })
        .collect();
    json!({
        "messageId": message.message_id,
        "receiptHandle": message.receipt_handle,
        "body": message.body,
        "attributes": attributes,
        "messageAttributes": message_attributes,
        "md5OfBody": message.md5_of_body,
        "eventSource": "aws:sqs",
        "eventSourceARN": arn,
        "awsRegion": "us-east-1",
    })
}
