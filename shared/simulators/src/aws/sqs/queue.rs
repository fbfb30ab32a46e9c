//! Queues and their attributes.

use std::collections::BTreeMap;

use serde_json::{Map, Value as Json, json};

use super::message::Message;
use super::{ACCOUNT, Call, Failure, State, invalid_parameter};

/// A message that deduplication remembers.
#[derive(Clone)]
pub(super) struct Remembered {
    pub(super) until: i64,
    pub(super) answer: Json,
}

pub(super) struct Queue {
    pub(super) name: String,
    attributes: BTreeMap<String, String>,
    given: BTreeMap<String, String>,
    created: i64,
    modified: i64,
    pub(super) messages: Vec<Message>,
    pub(super) remembered: BTreeMap<String, Remembered>,
    pub(super) copies: u64,
}

const DEFAULTS: [(&str, &str); 5] = [
    ("DelaySeconds", "0"),
    ("MaximumMessageSize", "1048576"),
    ("MessageRetentionPeriod", "345600"),
    ("ReceiveMessageWaitTimeSeconds", "0"),
    ("VisibilityTimeout", "30"),
];

/// Lowest and highest value of each numeric attribute.
const RANGES: [(&str, i64, i64); 5] = [
    ("DelaySeconds", 0, 900),
    ("MaximumMessageSize", 1024, 1_048_576),
    ("MessageRetentionPeriod", 60, 1_209_600),
    ("ReceiveMessageWaitTimeSeconds", 0, 20),
    ("VisibilityTimeout", 0, 43_200),
];

const OTHERS: [&str; 9] = [
    "ContentBasedDeduplication",
    "DeduplicationScope",
    "FifoQueue",
    "FifoThroughputLimit",
    "KmsDataKeyReusePeriodSeconds",
    "KmsMasterKeyId",
    "Policy",
    "RedriveAllowPolicy",
    "SqsManagedSseEnabled",
];

impl Queue {
    pub(super) fn number(&self, attribute: &str) -> i64 {
        self.attributes.get(attribute).and_then(|text| text.parse().ok()).unwrap_or_default()
    }

    pub(super) fn flag(&self, attribute: &str) -> bool {
        self.attributes.get(attribute).is_some_and(|text| text == "true")
    }

    pub(super) fn is_fifo(&self) -> bool {
        self.name.ends_with(".fifo")
    }

    pub(super) fn arn(&self) -> String {
        arn(&self.name)
    }

    /// Name of the dead-letter queue, and the receives a message may have before it goes there.
    pub(super) fn redrive(&self) -> Option<(String, u64)> {
        let policy: Json = serde_json::from_str(self.attributes.get("RedrivePolicy")?).ok()?;
        let target = policy.get("deadLetterTargetArn")?.as_str()?.rsplit(':').next()?.to_owned();
        let most = u64::try_from(super::integer(policy.get("maxReceiveCount")?)?).ok()?;
        Some((target, most))
    }

    /// Drops what the retention period and the deduplication interval have run out for.
    pub(super) fn forget_old(&mut self, now: i64) {
        let oldest = now - self.number("MessageRetentionPeriod") * 1000;
        self.messages.retain(|message| message.sent > oldest);
        self.remembered.retain(|_, remembered| remembered.until > now);
    }

    fn set(&mut self, given: &BTreeMap<String, String>) -> Result<(), Failure> {
        for (name, value) in given {
            check(name, value)?;
        }
        self.attributes.extend(given.clone());
        self.attributes.retain(|name, value| name != "RedrivePolicy" || !value.is_empty());
        Ok(())
    }
}

fn arn(name: &str) -> String {
    format!("arn:aws:sqs:us-east-1:{ACCOUNT}:{name}")
}

fn check(name: &str, value: &str) -> Result<(), Failure> {
    let invalid =
        || Failure::new("InvalidAttributeValue", format!("Invalid value for the parameter {name}."));
    if let Some((_, least, most)) = RANGES.into_iter().find(|(known, ..)| *known == name) {
        let number: i64 = value.parse().map_err(|_| invalid())?;
        return if (least..=most).contains(&number) { Ok(()) } else { Err(invalid()) };
    }
    if name == "RedrivePolicy" {
        if value.is_empty() {
            return Ok(());
        }
        let policy: Json = serde_json::from_str(value).map_err(|_| invalid())?;
        let most = policy.get("maxReceiveCount").and_then(super::integer).ok_or_else(invalid)?;
        let target = policy.get("deadLetterTargetArn").and_then(Json::as_str).ok_or_else(invalid)?;
        let sound = (1..=1000).contains(&most) && target.starts_with("arn:aws:sqs:");
        return if sound { Ok(()) } else { Err(invalid()) };
    }
    if OTHERS.contains(&name) {
        return Ok(());
    }
    Err(Failure::new("InvalidAttributeName", format!("Unknown Attribute {name}.")))
}

fn given(request: &Map<String, Json>) -> BTreeMap<String, String> {
    let members = request.get("Attributes").and_then(Json::as_object);
    members
        .into_iter()
        .flatten()
        .filter_map(|(name, value)| Some((name.clone(), value.as_str()?.to_owned())))
        .collect()
}

fn url_of(call: &Call, name: &str) -> Json {
    json!({ "QueueUrl": format!("{}/{ACCOUNT}/{name}", call.endpoint) })
}

pub(super) fn create(state: &mut State, call: &Call) -> Result<Json, Failure> {
    let name = call.text("QueueName").unwrap_or_default();
    let given = given(call.request);
    let fifo = given.get("FifoQueue").is_some_and(|value| value == "true");
    let plain = name.strip_suffix(".fifo").unwrap_or(name);
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
    if plain.is_empty() || name.len() > 80 || !plain.bytes().all(allowed) {
        return Err(invalid_parameter(
            "Can only include alphanumeric characters, hyphens, or underscores. 1 to 80 in length",
        ));
    }
    if fifo != name.ends_with(".fifo") {
        return Err(invalid_parameter(
            "The name of a FIFO queue can only include alphanumeric characters, hyphens, or underscores, must end with .fifo suffix and be 1 to 80 in length.",
        ));
    }
    if let Some(queue) = state.queues.get(name) {
        if given.iter().any(|(key, value)| queue.attributes.get(key) != Some(value)) {
            return Err(Failure::new(
                "QueueNameExists",
                "A queue already exists with the same name and a different value for an attribute",
            ));
        }
        return Ok(url_of(call, name));
    }
    let mut queue = Queue {
        name: name.to_owned(),
        attributes: DEFAULTS.into_iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect(),
        given: given.clone(),
        created: call.now,
        modified: call.now,
        messages: Vec::new(),
        remembered: BTreeMap::new(),
        copies: 0,
    };
    queue.set(&given)?;
    state.queues.insert(name.to_owned(), queue);
    Ok(url_of(call, name))
}

pub(super) fn url(state: &mut State, call: &Call) -> Result<Json, Failure> {
    let name = call.text("QueueName").unwrap_or_default();
    state.queue(name)?;
    Ok(url_of(call, name))
}

pub(super) fn list(state: &State, call: &Call) -> Json {
    let prefix = call.text("QueueNamePrefix").unwrap_or_default();
    let urls: Vec<Json> = state
        .queues
        .keys()
        .filter(|name| name.starts_with(prefix))
        .filter_map(|name| url_of(call, name).get("QueueUrl").cloned())
        .collect();
    json!({ "QueueUrls": urls })
}

pub(super) fn attributes(state: &mut State, call: &Call) -> Result<Json, Failure> {
    let queue = state.queue(call.queue_name()?)?;
    let count = |wanted: fn(&Message, i64) -> bool| {
        queue.messages.iter().filter(|message| wanted(message, call.now)).count().to_string()
    };
    let mut all = queue.attributes.clone();
    all.insert("QueueArn".to_owned(), queue.arn());
    all.insert("CreatedTimestamp".to_owned(), (queue.created / 1000).to_string());
    all.insert("LastModifiedTimestamp".to_owned(), (queue.modified / 1000).to_string());
    all.insert("ApproximateNumberOfMessages".to_owned(), count(|message, now| message.is_visible(now)));
    all.insert(
        "ApproximateNumberOfMessagesNotVisible".to_owned(),
        count(|message, now| message.in_flight(now)),
    );
    all.insert(
        "ApproximateNumberOfMessagesDelayed".to_owned(),
        count(|message, now| message.is_delayed(now)),
    );
    if !queue.given.contains_key("SqsManagedSseEnabled") {
        all.insert("SqsManagedSseEnabled".to_owned(), "true".to_owned());
    }
    let wanted: Vec<&str> = call
        .request
        .get("AttributeNames")
        .and_then(Json::as_array)
        .map(|names| names.iter().filter_map(Json::as_str).collect())
        .unwrap_or_default();
    if !wanted.contains(&"All") {
        all.retain(|name, _| wanted.contains(&name.as_str()));
    }
    Ok(if all.is_empty() { json!({}) } else { json!({ "Attributes": all }) })
}

pub(super) fn set_attributes(state: &mut State, call: &Call) -> Result<Json, Failure> {
    let queue = state.queue(call.queue_name()?)?;
    queue.set(&given(call.request))?;
    queue.modified = call.now;
    Ok(json!({}))
}
