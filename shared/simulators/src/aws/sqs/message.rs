//! Messages, their hashes, and what a reader of one is told.

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use md5::{Digest, Md5};
use serde_json::{Map, Value as Json, json};

use super::{Failure, invalid_parameter};

#[derive(Clone)]
pub(super) struct Message {
    pub(super) id: String,
    /// Apart from `id` because a duplicate delivery has the same id.
    pub(super) copy: u64,
    pub(super) body: String,
    pub(super) attributes: Map<String, Json>,
    pub(super) trace: Option<String>,
    pub(super) sent: i64,
    pub(super) visible_from: i64,
    pub(super) receives: u64,
    pub(super) first_received: Option<i64>,
    pub(super) group: Option<String>,
    pub(super) deduplication: Option<String>,
    pub(super) sequence: Option<String>,
    pub(super) source: Option<String>,
}

/// A message as a test sees it.
#[derive(Clone, Debug, PartialEq)]
pub struct Held {
    /// Id of the message.
    pub id: String,
    /// Its body.
    pub body: String,
    /// Message attributes, in the form of the protocol.
    pub attributes: Map<String, Json>,
    /// How often it was received.
    pub receives: u64,
    /// It was received and its visibility timeout runs.
    pub in_flight: bool,
    /// It waits for its delay to pass.
    pub delayed: bool,
    /// When it can next be received.
    pub visible_from: i64,
    /// Group of a message in a first-in-first-out queue.
    pub group: Option<String>,
}

impl Message {
    pub(super) fn is_visible(&self, now: i64) -> bool {
        self.visible_from <= now
    }

    pub(super) fn in_flight(&self, now: i64) -> bool {
        self.receives > 0 && !self.is_visible(now)
    }

    pub(super) fn is_delayed(&self, now: i64) -> bool {
        self.receives == 0 && !self.is_visible(now)
    }

    pub(super) fn held(&self, now: i64) -> Held {
        Held {
            id: self.id.clone(),
            body: self.body.clone(),
            attributes: self.attributes.clone(),
            receives: self.receives,
            in_flight: self.in_flight(now),
            delayed: self.is_delayed(now),
            visible_from: self.visible_from,
            group: self.group.clone(),
        }
    }

    pub(super) fn copy(&self, number: u64, now: i64) -> Self {
        Self { copy: number, visible_from: now, ..self.clone() }
    }

    /// The handle of the most recent receive.
    pub(super) fn handle(&self) -> String {
        URL_SAFE_NO_PAD.encode(format!("{}\n{}\n{}", self.id, self.copy, self.receives))
    }

    /// What `ReceiveMessage` returns, with the attributes the caller asked for.
    pub(super) fn render(&self, system: &[&str], wanted: &[&str]) -> Json {
        let mut answer = Map::new();
        answer.insert("MessageId".to_owned(), json!(self.id));
        answer.insert("ReceiptHandle".to_owned(), json!(self.handle()));
        answer.insert("MD5OfBody".to_owned(), json!(md5_of(self.body.as_bytes())));
        answer.insert("Body".to_owned(), json!(self.body));
        let own = self.system_attributes();
        let chosen: Map<String, Json> = own
            .into_iter()
            .filter(|(name, _)| system.contains(&"All") || system.contains(&name.as_str()))
            .collect();
        if !chosen.is_empty() {
            answer.insert("Attributes".to_owned(), Json::Object(chosen));
        }
        let chosen: Map<String, Json> = self
            .attributes
            .iter()
            .filter(|(name, _)| wanted.iter().any(|pattern| selects(pattern, name)))
            .map(|(name, value)| (name.clone(), value.clone()))
            .collect();
        if !chosen.is_empty() {
            if let Ok(md5) = md5_of_attributes(&chosen) {
                answer.insert("MD5OfMessageAttributes".to_owned(), json!(md5));
            }
            answer.insert("MessageAttributes".to_owned(), Json::Object(chosen));
        }
        Json::Object(answer)
    }

    fn system_attributes(&self) -> Map<String, Json> {
        let mut own = Map::new();
        own.insert("SenderId".to_owned(), json!("AIDASTANDIN0000000000"));
        own.insert("SentTimestamp".to_owned(), json!(self.sent.to_string()));
        own.insert("ApproximateReceiveCount".to_owned(), json!(self.receives.to_string()));
        let first = self.first_received.unwrap_or(self.sent);
        own.insert("ApproximateFirstReceiveTimestamp".to_owned(), json!(first.to_string()));
        for (name, value) in [
            ("MessageGroupId", &self.group),
            ("MessageDeduplicationId", &self.deduplication),
            ("SequenceNumber", &self.sequence),
            ("AWSTraceHeader", &self.trace),
            ("DeadLetterQueueSourceArn", &self.source),
        ] {
            if let Some(value) = value {
                own.insert(name.to_owned(), json!(value));
            }
        }
        own
    }
}

fn selects(pattern: &str, name: &str) -> bool {
    match pattern.strip_suffix(".*") {
        Some(prefix) => name.starts_with(prefix),
        None => matches!(pattern, "All" | ".*") || pattern == name,
    }
}

/// The message, copy and receive a handle stands for.
pub(super) fn parse_handle(handle: &str) -> Option<(String, u64, u64)> {
    let text = String::from_utf8(URL_SAFE_NO_PAD.decode(handle).ok()?).ok()?;
    let mut parts = text.split('\n');
    let found = (parts.next()?.to_owned(), parts.next()?.parse().ok()?, parts.next()?.parse().ok()?);
    parts.next().is_none().then_some(found)
}

pub(super) fn md5_of(bytes: &[u8]) -> String {
    hex::encode(Md5::digest(bytes))
}

/// The hash SQS defines over message attributes: names, types and values, each with its length, sorted by name.
pub(super) fn md5_of_attributes(attributes: &Map<String, Json>) -> Result<String, Failure> {
    let mut names: Vec<&String> = attributes.keys().collect();
    names.sort();
    let mut hash = Md5::new();
    for name in names {
        let (kind, value, binary) = attribute(name, attributes.get(name).unwrap_or(&Json::Null))?;
        add_field(&mut hash, name.as_bytes());
        add_field(&mut hash, kind.as_bytes());
        hash.update([if binary { 2 } else { 1 }]);
        add_field(&mut hash, &value);
    }
    Ok(hex::encode(hash.finalize()))
}

fn add_field(hash: &mut Md5, bytes: &[u8]) {
    hash.update(u32::try_from(bytes.len()).unwrap_or(u32::MAX).to_be_bytes());
    hash.update(bytes);
}

/// Data type, value and whether it is binary.
pub(super) fn attribute(name: &str, value: &Json) -> Result<(String, Vec<u8>, bool), Failure> {
    let invalid = |reason: &str| invalid_parameter(format!("The message attribute '{name}' {reason}"));
    let kind = value.get("DataType").and_then(Json::as_str).unwrap_or_default().to_owned();
    let (content, binary) = match kind.split('.').next() {
        Some("String" | "Number") => {
            let text = value.get("StringValue").and_then(Json::as_str).unwrap_or_default();
            (text.as_bytes().to_vec(), false)
        }
        Some("Binary") => {
            let text = value.get("BinaryValue").and_then(Json::as_str).unwrap_or_default();
            (STANDARD.decode(text).map_err(|_| invalid("is not valid base64."))?, true)
        }
        _ => {
            return Err(invalid(
                "has an invalid message attribute type, the set of supported type prefixes is Binary, Number, and \
                 String.",
            ));
        }
    };
    if content.is_empty() {
        return Err(invalid("must contain a non-empty message attribute value."));
    }
    Ok((kind, content, binary))
}
