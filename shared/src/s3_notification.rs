//! What S3 says about its objects, in both its forms: event notifications (straight to the queue or through a topic)
//! and `EventBridge` events. Keys are decoded exactly once, here.

use std::fmt;

use percent_encoding::percent_decode_str;
use serde::{Deserialize, Serialize};

use crate::{
    error::{Error, Result},
    flow::{Parsed, Reason},
};

/// The key of an S3 object, as S3 knows it. It can only be made by decoding an event's form of it once, or from a
/// plain key.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ObjectKey(String);

impl ObjectKey {
    /// Longest key S3 accepts, in bytes of UTF-8.
    pub const LONGEST: usize = 1024;

    /// Decodes the form-encoded key of an event notification: `+` is a space, `%2B` a plus.
    ///
    /// # Errors
    /// When the decoded bytes are not UTF-8, are empty or longer than S3 allows.
    pub fn decode(encoded: &str) -> Result<Self> {
        let spaced = encoded.replace('+', " ");
        let decoded = percent_decode_str(&spaced).decode_utf8().map_err(|error| {
            Error::invalid("event.key-encoding", "the object key of the event is not UTF-8 once decoded")
                .field("key")
                .source(error)
        })?;
        Self::plain(&decoded)
    }

    /// A key that is not encoded.
    ///
    /// # Errors
    /// When it is empty or longer than S3 allows.
    pub fn plain(key: &str) -> Result<Self> {
        if key.is_empty() || key.len() > Self::LONGEST {
            return Err(Error::invalid(
                "event.key-length",
                format!("an object key has 1 to {} bytes, this one {}", Self::LONGEST, key.len()),
            )
            .field("key"));
        }
        Ok(Self(key.to_owned()))
    }

    /// The key.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for ObjectKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

/// Where an object's events stand in order. S3 compares sequencers of one key as hexadecimal text, the shorter one
/// padded on the right with zeros.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Sequencer(String);

impl Sequencer {
    /// A sequencer as S3 wrote it.
    pub fn new(text: &str) -> Self {
        Self(text.to_ascii_uppercase())
    }

    /// As S3 wrote it, in upper case.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether this one comes before another.
    pub fn is_before(&self, other: &Self) -> bool {
        let length = self.0.len().max(other.0.len());
        format!("{:0<length$}", self.0) < format!("{:0<length$}", other.0)
    }
}

/// One event about one object.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ObjectEvent {
    /// The event's name without the `s3:` prefix, such as `ObjectCreated:Put`.
    pub name: String,
    /// The bucket.
    pub bucket: String,
    /// The key.
    pub key: ObjectKey,
    /// The version, in a versioned bucket.
    pub version_id: Option<String>,
    /// The entity tag without quotes.
    pub etag: Option<String>,
    /// The place of this event among those of its key; some S3-compatible stores leave it out.
    pub sequencer: Option<Sequencer>,
    /// The object's size in bytes.
    pub size: Option<u64>,
    /// When it happened, as written in the event.
    pub time: Option<String>,
}

impl ObjectEvent {
    /// When it happened, in milliseconds since the epoch.
    pub fn happened(&self) -> Option<i64> {
        Some(self.time.as_deref()?.parse::<jiff::Timestamp>().ok()?.as_millisecond())
    }

    /// Whether an object was created.
    pub fn is_created(&self) -> bool {
        self.name.starts_with("ObjectCreated")
    }
}

/// What a message turned out to be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Notification {
    /// Events about objects, and why single records are none.
    Objects(Parsed<ObjectEvent>),
    /// The test event S3 sends when a notification is configured: nothing happened.
    Test,
}

/// Reads a message body: an S3 notification, one wrapped by a topic, or an `EventBridge` event.
///
/// # Errors
/// `Invalid` when it is none of these, or when none of its records can be read: the message can never be understood.
pub fn parse(body: &str) -> Result<Notification> {
    let message: Message = serde_json::from_str(body).map_err(unreadable)?;
    match message {
        Message::Notification { records } => read_records(records).map(Notification::Objects),
        Message::Test { event } if event == "s3:TestEvent" => Ok(Notification::Test),
        Message::Test { .. } => Err(Error::invalid("event.unreadable", "the message is not an S3 event")),
        Message::Topic { message } => {
            // A topic wraps once; a topic inside a topic is nobody's configuration.
            if message.contains("\"TopicArn\"") && serde_json::from_str::<TopicOnly>(&message).is_ok() {
                return Err(Error::invalid("event.unreadable", "a topic message inside a topic message"));
            }
            parse(&message)
        }
        Message::Bridge { detail_type, source, time, detail } => {
            if source != "aws.s3" {
                return Err(
                    Error::invalid("event.unreadable", "the event does not come from S3").field("source")
                );
            }
            detail.into_event(&detail_type, time).map(|event| Notification::Objects(vec![event].into()))
        }
    }
}

/// Reads each record for itself: one that is no event does not take the others with it.
fn read_records(records: Vec<serde_json::Value>) -> Result<Parsed<ObjectEvent>> {
    let mut parsed = Parsed::default();
    let mut first = None;
    for record in records {
        let event = serde_json::from_value::<Record>(record).map_err(unreadable).and_then(Record::into_event);
        match event {
            Ok(event) => parsed.events.push(event),
            Err(error) => {
                parsed.refused.push(Reason::from(&error));
                first.get_or_insert(error);
            }
        }
    }
    match first {
        Some(error) if parsed.events.is_empty() => Err(error),
        _ => Ok(parsed),
    }
}

fn unreadable(error: serde_json::Error) -> Error {
    Error::invalid("event.unreadable", "the message is not an S3 event in any of its forms")
        .remedy("send S3 event notifications or EventBridge events to this queue, nothing else")
        .source(error)
}

#[derive(Deserialize)]
struct TopicOnly {
    #[serde(rename = "TopicArn")]
    _topic: String,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Message {
    Notification {
        #[serde(rename = "Records")]
        records: Vec<serde_json::Value>,
    },
    Bridge {
        #[serde(rename = "detail-type")]
        detail_type: String,
        source: String,
        time: Option<String>,
        detail: Box<BridgeDetail>,
    },
    Topic {
        #[serde(rename = "Message")]
        message: String,
    },
    Test {
        #[serde(rename = "Event")]
        event: String,
    },
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Record {
    event_name: String,
    event_time: Option<String>,
    s3: Entity,
}

#[derive(Deserialize)]
struct Entity {
    bucket: Bucket,
    object: Object,
}

#[derive(Deserialize)]
struct Bucket {
    name: String,
}

#[derive(Deserialize)]
struct Object {
    key: String,
    #[serde(rename = "versionId", alias = "version-id")]
    version_id: Option<String>,
    #[serde(rename = "eTag", alias = "etag")]
    etag: Option<String>,
    sequencer: Option<String>,
    size: Option<u64>,
}

#[derive(Deserialize)]
struct BridgeDetail {
    bucket: Bucket,
    object: Object,
    reason: Option<String>,
}

impl Record {
    fn into_event(self) -> Result<ObjectEvent> {
        let name = self.event_name.strip_prefix("s3:").unwrap_or(&self.event_name).to_owned();
        let key = ObjectKey::decode(&self.s3.object.key)?;
        Ok(self.s3.object.into_event(name, self.s3.bucket.name, key, self.event_time))
    }
}

impl BridgeDetail {
    fn into_event(self, detail_type: &str, time: Option<String>) -> Result<ObjectEvent> {
        let reason = self.reason.as_deref().unwrap_or_default();
        let name = match detail_type {
            "Object Created" => format!(
                "ObjectCreated:{}",
                match reason {
                    "PutObject" => "Put",
                    "POST Object" => "Post",
                    "CopyObject" => "Copy",
                    "CompleteMultipartUpload" => "CompleteMultipartUpload",
                    other => other,
                }
            ),
            other => other.replace(' ', ""),
        };
        let key = ObjectKey::plain(&self.object.key)?;
        Ok(self.object.into_event(name, self.bucket.name, key, time))
    }
}

impl Object {
    fn into_event(self, name: String, bucket: String, key: ObjectKey, time: Option<String>) -> ObjectEvent {
        let text = |value: Option<String>| value.filter(|text| !text.is_empty());
        ObjectEvent {
            name,
            bucket,
            key,
            version_id: text(self.version_id).filter(|version| version != "null"),
            etag: text(self.etag).map(|etag| etag.trim_matches('"').to_owned()),
            sequencer: text(self.sequencer).map(|sequencer| Sequencer::new(&sequencer)),
            size: self.size,
            time,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn notification(key: &str) -> String {
        serde_json::json!({"Records": [{"eventVersion": "2.1", "eventSource": "aws:s3", "awsRegion": "us-east-1",
            "eventTime": "2031-05-06T07:08:09.000Z", "eventName": "ObjectCreated:Put",
            "s3": {"s3SchemaVersion": "1.0", "bucket": {"name": "intake", "arn": "arn:aws:s3:::intake"},
                   "object": {"key": key, "size": 12, "eTag": "abc", "versionId": "v1", "sequencer": "0055AE"}}}]})
        .to_string()
    }

    fn key_of(body: &str) -> String {
        match parse(body).unwrap() {
            Notification::Objects(parsed) => parsed.events[0].key.to_string(),
            Notification::Test => panic!("a test event"),
        }
    }

    #[test]
    fn keys_arrive_form_encoded_and_are_decoded_once() {
        for (encoded, decoded) in [
            ("claims/a+b.pdf", "claims/a b.pdf"),
            ("claims/a%2Bb.pdf", "claims/a+b.pdf"),
            ("claims/100%25.pdf", "claims/100%.pdf"),
            ("claims/%2525.pdf", "claims/%25.pdf"),
            ("caf%C3%A9+%E2%82%AC.pdf", "café €.pdf"),
            ("a%3Bb%3Dc%26d", "a;b=c&d"),
        ] {
            assert_eq!(key_of(&notification(encoded)), decoded);
        }
    }

    #[test]
    fn event_bridge_keys_are_not_encoded() {
        let body = serde_json::json!({"version": "0", "detail-type": "Object Created", "source": "aws.s3",
            "time": "2031-05-06T07:08:09Z", "detail": {"version": "0", "bucket": {"name": "intake"},
            "object": {"key": "a+b %41.pdf", "size": 5, "etag": "abc", "version-id": "v1", "sequencer": "0055AE"},
            "reason": "PutObject"}});
        assert_eq!(key_of(&body.to_string()), "a+b %41.pdf");
    }

    #[test]
    fn the_same_upload_is_the_same_event_by_either_road() {
        let body = serde_json::json!({"detail-type": "Object Created", "source": "aws.s3",
            "time": "2031-05-06T07:08:09.000Z", "detail": {"bucket": {"name": "intake"},
            "object": {"key": "a b", "size": 12, "etag": "abc", "version-id": "v1", "sequencer": "0055AE"},
            "reason": "PutObject"}});
        assert_eq!(parse(&body.to_string()).unwrap(), parse(&notification("a+b")).unwrap());
    }

    #[test]
    fn a_topic_message_is_unwrapped_and_the_test_event_is_nothing() {
        let wrapped = serde_json::json!({"Type": "Notification", "TopicArn": "arn:aws:sns:us-east-1:1:t",
            "Message": notification("a+b")});
        assert_eq!(key_of(&wrapped.to_string()), "a b");
        let test = r#"{"Service":"Amazon S3","Event":"s3:TestEvent","Bucket":"intake"}"#;
        assert_eq!(parse(test).unwrap(), Notification::Test);
    }

    #[test]
    fn a_missing_sequencer_or_version_is_tolerated() {
        let body = r#"{"Records":[{"eventName":"s3:ObjectCreated:Put","s3":{"bucket":{"name":"b"},
            "object":{"key":"k"}}}]}"#;
        let Notification::Objects(Parsed { events, .. }) = parse(body).unwrap() else { panic!("no objects") };
        assert_eq!(events[0].sequencer, None);
        assert!(events[0].is_created());
    }

    #[test]
    fn sequencers_are_compared_padded_on_the_right() {
        let is_before = |a: &str, b: &str| Sequencer::new(a).is_before(&Sequencer::new(b));
        assert!(is_before("0055AED6DCD90281E5", "0055AED6DCD90281E6"));
        assert!(is_before("0055", "005501"));
        assert!(!is_before("0056", "005501"));
        assert!(!is_before("0055", "005500"));
        assert!(!is_before("00ab", "00AB"));
    }

    #[test]
    fn a_record_that_cannot_be_read_does_not_take_its_siblings_with_it() {
        let mut body: serde_json::Value = serde_json::from_str(&notification("a+b")).unwrap();
        let good = body["Records"][0].clone();
        let mut other_encoding = good.clone();
        other_encoding["s3"]["object"]["key"] = "%FF".into();
        let mut last = good.clone();
        last["s3"]["object"]["key"] = "c".into();
        body["Records"] = serde_json::json!([good, {"eventName": 7}, other_encoding, last]);
        let Notification::Objects(parsed) = parse(&body.to_string()).unwrap() else { panic!("no objects") };
        let keys: Vec<&str> = parsed.events.iter().map(|event| event.key.as_str()).collect();
        assert_eq!(keys, ["a b", "c"]);
        let codes: Vec<&str> = parsed.refused.iter().map(|reason| reason.code.as_str()).collect();
        assert_eq!(codes, ["event.unreadable", "event.key-encoding"]);
    }

    #[test]
    fn anything_else_is_refused_cleanly() {
        for body in ["", "null", "[]", "{}", r#"{"Records":[{}]}"#, r#"{"Event":"x"}"#, "\u{0}"] {
            assert_eq!(parse(body).unwrap_err().code(), "event.unreadable", "{body}");
        }
        let long = "a".repeat(1025);
        assert_eq!(parse(&notification(&long)).unwrap_err().code(), "event.key-length");
        assert_eq!(parse(&notification("%FF")).unwrap_err().code(), "event.key-encoding");
    }
}
