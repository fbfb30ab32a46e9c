//! What the runner does to its queues: keep a message invisible, park it, continue it.

use std::time::Duration;

use aws_lambda_events::event::sqs::SqsMessage;
use aws_sdk_sqs::types::MessageAttributeValue;

use super::{Runner, Tally, continuation};
use crate::{
    aws::classify,
    error::{Error, Result, System},
    flow::Reason,
};

/// The first pause of a message that could not be delivered; each further receipt doubles it.
const FIRST_PAUSE: Duration = Duration::from_secs(4);
/// The longest pause between two receipts of a message.
const LONGEST_PAUSE: Duration = Duration::from_secs(900);

/// A message that a person put back on the queue from the dead-letter queue: moving it keeps the attributes it was
/// parked with, which no other message has. What the queue itself moved after too many receipts has none, and needs
/// none: its items never ended.
pub(super) struct Redrive<'message> {
    /// The message, by its id.
    pub(super) message: &'message str,
    /// Whether the person decided that an effect whose end is unknown may be made once more.
    pub(super) repeat: bool,
}

impl<'message> Redrive<'message> {
    pub(super) fn of(flow: &str, message: &'message SqsMessage) -> Option<Self> {
        let attribute = |name: &str| message.message_attributes.get(name)?.string_value.as_deref();
        let id = message.message_id.as_deref()?;
        (attribute("waybill-flow")? == flow)
            .then(|| Self { message: id, repeat: attribute("waybill-decision") == Some("repeat") })
    }
}

impl Runner {
    /// The pause before a message is shown again, by how often it was received: exponential, half of it jitter.
    pub(super) fn backoff(&self, message: &SqsMessage) -> Duration {
        let received: u32 = message
            .attributes
            .get("ApproximateReceiveCount")
            .and_then(|count| count.parse().ok())
            .unwrap_or(1);
        let ceiling = FIRST_PAUSE
            .checked_mul(2_u32.saturating_pow(received.saturating_sub(1).min(16)))
            .unwrap_or(LONGEST_PAUSE)
            .min(LONGEST_PAUSE);
        ceiling / 2 + self.environment.context.jitter(ceiling / 2)
    }

    /// Keeps a message invisible for a while. A failure here only means that it is shown earlier or later.
    pub(super) async fn leave(&self, message: &SqsMessage, pause: Duration) {
        // Whole seconds, rounded up: a message shown at once again would be handed back and forth without end.
        let seconds = pause.as_millis().div_ceil(1000).clamp(1, 43_200);
        let seconds = i32::try_from(seconds).unwrap_or(43_200);
        let outcome = self
            .environment
            .sqs
            .change_message_visibility()
            .queue_url(&self.environment.settings.queue_url)
            .set_receipt_handle(message.receipt_handle.clone())
            .visibility_timeout(seconds)
            .send()
            .await;
        if let Err(error) = outcome {
            let error = classify(System::Sqs, "change visibility", error);
            tracing::warn!(flow = self.name, error = ?error, "the queue's own visibility time-out applies");
        }
    }

    /// Copies a message, body byte for byte, to the dead-letter queue with its reason.
    pub(super) async fn park(&self, message: &SqsMessage, reason: &Reason, tally: &Tally) -> Result<()> {
        let attribute = |text: &str| {
            let text: String = text.chars().take(512).collect();
            MessageAttributeValue::builder()
                .data_type("String")
                .string_value(if text.is_empty() { "-".to_owned() } else { text })
                .build()
                .map_err(|error| Error::bug("park", "a message attribute is incomplete").source(error))
        };
        self.environment
            .sqs
            .send_message()
            .queue_url(&self.environment.settings.dead_letter_queue_url)
            .message_body(message.body.as_deref().filter(|body| !body.is_empty()).unwrap_or(" "))
            .message_attributes("waybill-flow", attribute(self.name)?)
            .message_attributes("waybill-code", attribute(&reason.code)?)
            .message_attributes("waybill-reason", attribute(&reason.message)?)
            .message_attributes(
                "waybill-message-id",
                attribute(message.message_id.as_deref().unwrap_or_default())?,
            )
            .send()
            .await
            .map_err(|error| classify(System::Sqs, "park", error))?;
        tracing::error!(
            flow = self.name,
            message_id = message.message_id,
            code = reason.code,
            reason = reason.message,
            "message parked in the dead-letter queue"
        );
        tally.parked();
        Ok(())
    }

    /// Puts the rest of a message's work on the queue as a message of its own.
    pub(super) async fn send_continuation(&self, message: &SqsMessage) -> Result<()> {
        let body = continuation::wrap(self.name, message, &self.environment.context)?;
        self.environment
            .sqs
            .send_message()
            .queue_url(&self.environment.settings.queue_url)
            .message_body(body)
            .send()
            .await
            .map(drop)
            .map_err(|error| classify(System::Sqs, "continue", error))
    }
}
