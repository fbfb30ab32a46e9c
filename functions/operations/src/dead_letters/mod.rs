//! Dead letters: what a flow could not deliver, looked at, and put back on its queue when the cause is mended.
//!
//! A queue has no way to look at messages without taking them. Those that are looked at are hidden for a while and then given
//! back; nothing is deleted but what was put back, and that only after it is on the queue and in the audit.

mod trace;

use std::{
    collections::{BTreeMap, HashMap, HashSet},
    time::Duration,
};

use aws_sdk_sqs::types::{Message, MessageAttributeValue, MessageSystemAttributeName};
use jiff::Timestamp;
use serde::Serialize;
use sha2::{Digest, Sha256};
use shared::{
    audit::{AuditEvent, EventType, Outcome},
    aws::classify,
    environment::Environment,
    error::{Error, Result, System},
    ledger::Key,
};

pub use self::trace::{Trace, TracedItem};

/// How long one call waits for messages, in seconds: a short look does not ask all of a queue's servers.
const LOOK_SECONDS: i32 = 2;
/// The longest a queue hides a message.
const LONGEST_HIDDEN: Duration = Duration::from_secs(43_200);
/// What a letter without a code was: the queue moved it by itself.
const NO_CODE: &str = "-";

/// The dead letters of one flow.
pub struct DeadLetters {
    environment: Environment,
}

/// A dead letter, hidden from others for now.
#[derive(Debug, Clone)]
pub struct Letter {
    /// Its id in the dead-letter queue.
    pub id: String,
    /// The body of the message that was given up, byte for byte.
    pub body: String,
    /// When it came into the dead-letter queue.
    pub sent: Option<Timestamp>,
    attributes: HashMap<String, MessageAttributeValue>,
    receipt: String,
}

/// Letters with the same cause.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Group {
    /// The flow that gave them up; nothing where the queue did.
    pub flow: Option<String>,
    /// The reason code; `-` where the queue moved them by itself, after too many receipts.
    pub code: String,
    /// How many there are.
    pub count: usize,
    /// When the oldest came.
    pub oldest: Option<Timestamp>,
    /// The ids of some of them.
    pub ids: Vec<String>,
    /// The reason of the first, in words.
    pub reason: Option<String>,
}

/// A letter that is on the queue again.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Redriven {
    /// Its id in the dead-letter queue.
    pub id: String,
    /// Its id on the queue.
    pub message: String,
    /// The audit chain that tells of it.
    pub asset: String,
    /// Its place in that chain.
    pub sequence: u64,
}

impl Letter {
    fn of(message: Message) -> Option<Self> {
        let sent = message.attributes.as_ref()?.get(&MessageSystemAttributeName::SentTimestamp);
        let sent = sent.and_then(|sent| Timestamp::from_millisecond(sent.parse().ok()?).ok());
        Some(Self {
            id: message.message_id?,
            body: message.body.unwrap_or_default(),
            sent,
            attributes: message.message_attributes.unwrap_or_default(),
            receipt: message.receipt_handle?,
        })
    }

    /// An attribute it was parked with, such as `waybill-reason`.
    pub fn attribute(&self, name: &str) -> Option<&str> {
        self.attributes.get(name)?.string_value()
    }

    /// The flow that gave it up.
    pub fn flow(&self) -> Option<&str> {
        self.attribute("waybill-flow")
    }

    /// The reason code; `-` where the queue moved it by itself.
    pub fn code(&self) -> &str {
        self.attribute("waybill-code").unwrap_or(NO_CODE)
    }
}

/// Letters by their cause, the largest group first.
pub fn groups(letters: &[Letter]) -> Vec<Group> {
    const IDS: usize = 5;
    let mut by_cause: BTreeMap<(Option<&str>, &str), Vec<&Letter>> = BTreeMap::new();
    for letter in letters {
        by_cause.entry((letter.flow(), letter.code())).or_default().push(letter);
    }
    let mut groups: Vec<Group> = by_cause
        .into_iter()
        .map(|((flow, code), letters)| Group {
            flow: flow.map(str::to_owned),
            code: code.to_owned(),
            count: letters.len(),
            oldest: letters.iter().filter_map(|letter| letter.sent).min(),
            ids: letters.iter().take(IDS).map(|letter| letter.id.clone()).collect(),
            reason: letters.iter().find_map(|letter| letter.attribute("waybill-reason")).map(str::to_owned),
        })
        .collect();
    groups.sort_by_key(|group| std::cmp::Reverse(group.count));
    groups
}

impl DeadLetters {
    /// The dead letters of the flow whose queues the settings name.
    ///
    /// # Errors
    /// Names the setting that is missing.
    pub fn new(environment: Environment) -> Result<Self> {
        let settings = &environment.settings;
        let needed = [
            ("WAYBILL_QUEUE_URL", &settings.queue_url),
            ("WAYBILL_DEAD_LETTER_QUEUE_URL", &settings.dead_letter_queue_url),
        ];
        if let Some((name, _)) = needed.iter().find(|(_, value)| value.is_empty()) {
            return Err(Error::configuration("settings.invalid", format!("the setting {name} is missing"))
                .remedy("give it the value that the flow's function has"));
        }
        Ok(Self { environment })
    }

    /// Takes up to `most` letters and hides them from others for a while. Give them back.
    ///
    /// # Errors
    /// When the queue cannot be reached.
    pub async fn take(&self, most: usize, hidden: Duration) -> Result<Vec<Letter>> {
        let hidden = i32::try_from(hidden.min(LONGEST_HIDDEN).as_secs()).unwrap_or(i32::MAX);
        let mut seen = HashSet::new();
        let mut letters = Vec::new();
        while letters.len() < most {
            let wanted = i32::try_from(most - letters.len()).unwrap_or(i32::MAX).min(10);
            let taken = self
                .environment
                .sqs
                .receive_message()
                .queue_url(&self.environment.settings.dead_letter_queue_url)
                .max_number_of_messages(wanted)
                .visibility_timeout(hidden)
                .wait_time_seconds(LOOK_SECONDS)
                .message_attribute_names("All")
                .message_system_attribute_names(MessageSystemAttributeName::All)
                .send()
                .await
                .map_err(|error| classify(System::Sqs, "receive dead letters", error))?;
            let taken = taken.messages.unwrap_or_default();
            if taken.is_empty() {
                break;
            }
            letters
                .extend(taken.into_iter().filter_map(Letter::of).filter(|one| seen.insert(one.id.clone())));
        }
        Ok(letters)
    }

    /// Shows letters to others again. What fails here is shown when its time is over.
    pub async fn give_back<'a>(&self, letters: impl IntoIterator<Item = &'a Letter>) {
        for letter in letters {
            let outcome = self
                .environment
                .sqs
                .change_message_visibility()
                .queue_url(&self.environment.settings.dead_letter_queue_url)
                .receipt_handle(&letter.receipt)
                .visibility_timeout(0)
                .send()
                .await;
            if let Err(error) = outcome {
                let error = classify(System::Sqs, "give back a dead letter", error);
                tracing::debug!(error = ?error, "the letter is shown again when its time is over");
            }
        }
    }

    /// Puts a letter back on the flow's queue: the same body, byte for byte, with the attributes it was parked with, by
    /// which the runner begins its failed items again. Then it is told in the audit, then it leaves the dead letters. Where
    /// this ends half-way, the letter is still there; put back twice, its items are begun again once more at most.
    ///
    /// `decision` is what a person decided about an effect whose end is not known (`repeat`), `by` who put it back.
    ///
    /// # Errors
    /// When a queue or the ledger cannot be reached.
    pub async fn redrive(
        &self,
        letter: &Letter,
        decision: Option<&str>,
        by: Option<&str>,
    ) -> Result<Redriven> {
        let settings = &self.environment.settings;
        let mut attributes = letter.attributes.clone();
        if let Some(decision) = decision {
            attributes.insert("waybill-decision".to_owned(), text(decision)?);
        }
        let sqs = &self.environment.sqs;
        let sent = sqs
            .send_message()
            .queue_url(&settings.queue_url)
            .message_body(&letter.body)
            .set_message_attributes(Some(attributes).filter(|attributes| !attributes.is_empty()))
            .send()
            .await
            .map_err(|error| classify(System::Sqs, "redrive", error))?;
        let message = sent.message_id.unwrap_or_default();
        let event = self.event(letter, &message, decision, by);
        let asset = event.asset.clone();
        let sequence = self.environment.ledger.append_event(&event).await?.sequence;
        sqs.delete_message()
            .queue_url(&settings.dead_letter_queue_url)
            .receipt_handle(&letter.receipt)
            .send()
            .await
            .map_err(|error| classify(System::Sqs, "delete a dead letter", error))?;
        Ok(Redriven { id: letter.id.clone(), message, asset, sequence })
    }

    fn event(&self, letter: &Letter, message: &str, decision: Option<&str>, by: Option<&str>) -> AuditEvent {
        let flow = letter.flow().unwrap_or(NO_CODE);
        let told = [
            ("action", Some("redriven")),
            ("flow", letter.flow()),
            ("code", Some(letter.code())),
            ("letter", Some(letter.id.as_str())),
            ("message", Some(message)),
            ("decision", decision),
            ("by", by),
        ];
        AuditEvent {
            asset: chain_of(flow),
            event_type: EventType::Transfer,
            event_date_time: self.environment.context.now().to_string(),
            outcome: Outcome::Success,
            agent: format!("waybill dead-letters {}", env!("CARGO_PKG_VERSION")),
            item: letter.attribute("waybill-message-id").unwrap_or(&letter.id).to_owned(),
            message_digest: Some(hex::encode(Sha256::digest(letter.body.as_bytes()))),
            detail: told
                .into_iter()
                .filter_map(|(name, fact)| Some((name.to_owned(), fact?.to_owned())))
                .collect(),
        }
    }
}

/// The audit chain of what was put back of a flow's dead letters.
pub fn chain_of(flow: &str) -> String {
    Key::of(&["dead-letters", flow]).digest().to_owned()
}

fn text(value: &str) -> Result<MessageAttributeValue> {
    MessageAttributeValue::builder()
        .data_type("String")
        .string_value(value)
        .build()
        .map_err(|error| Error::bug("redrive", "a message attribute is incomplete").source(error))
}
