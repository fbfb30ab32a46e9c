//! The events S3 sends about objects, in both shapes: straight to a queue, and through `EventBridge`.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::{Value as Json, json};

use super::answer::iso_date;
use super::state::{State, Version, Versioning};

/// What happened to an object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cause {
    /// Written in one piece.
    Put,
    /// Written by a copy.
    Copy,
    /// Written by a completed multipart upload.
    Multipart,
    /// A version was removed.
    Delete,
    /// A delete marker was put on top.
    DeleteMarker,
    /// An archived object became readable.
    Restored,
}

/// One event.
#[derive(Clone, Debug, PartialEq)]
pub struct Notification {
    /// What happened.
    pub cause: Cause,
    /// Where.
    pub bucket: String,
    /// To which object, not encoded.
    pub key: String,
    /// Bytes it has.
    pub size: usize,
    /// Its entity tag, without quotes.
    pub etag: String,
    /// Its version, in a bucket with versions.
    pub version_id: Option<String>,
    /// Hexadecimal and of equal length: per key, a later event has a greater one.
    pub sequencer: String,
    /// When, in milliseconds since 1970.
    pub time: i64,
}

/// A key in an event is form-encoded, with its slashes left alone.
const KEY: &AsciiSet =
    &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'*').remove(b'/').remove(b' ');

/// A key the way events and encoded lists write it.
pub(super) fn form_encoded(key: &str) -> String {
    utf8_percent_encode(key, KEY).to_string().replace(' ', "+")
}

impl Notification {
    /// The message S3 puts on a queue.
    #[must_use]
    pub fn s3_json(&self) -> Json {
        let name = match self.cause {
            Cause::Put => "ObjectCreated:Put",
            Cause::Copy => "ObjectCreated:Copy",
            Cause::Multipart => "ObjectCreated:CompleteMultipartUpload",
            Cause::Delete => "ObjectRemoved:Delete",
            Cause::DeleteMarker => "ObjectRemoved:DeleteMarkerCreated",
            Cause::Restored => "ObjectRestore:Completed",
        };
        let mut object = json!({ "key": form_encoded(&self.key) });
        if let Some(members) = object.as_object_mut() {
            if self.cause != Cause::Delete && self.cause != Cause::DeleteMarker {
                members.insert("size".to_owned(), json!(self.size));
            }
            if self.cause != Cause::Delete {
                members.insert("eTag".to_owned(), json!(self.etag));
            }
            if let Some(id) = &self.version_id {
                members.insert("versionId".to_owned(), json!(id));
            }
            members.insert("sequencer".to_owned(), json!(self.sequencer));
        }
        json!({ "Records": [{
            "eventVersion": "2.1",
            "eventSource": "aws:s3",
            "awsRegion": "us-east-1",
            "eventTime": iso_date(self.time),
            "eventName": name,
            "userIdentity": { "principalId": "AWS:AIDASTANDIN0000000000" },
            "requestParameters": { "sourceIPAddress": "127.0.0.1" },
            "responseElements": { "x-amz-request-id": self.request_id(), "x-amz-id-2": "stand-in" },
            "s3": {
                "s3SchemaVersion": "1.0",
                "configurationId": "uploads",
                "bucket": {
                    "name": self.bucket,
                    "ownerIdentity": { "principalId": "A00000000000000" },
                    "arn": format!("arn:aws:s3:::{}", self.bucket),
                },
                "object": object,
            },
        }] })
    }

    /// The event as a rule on the default bus hands it on.
    #[must_use]
    pub fn event_bridge_json(&self) -> Json {
        let (kind, reason) = match self.cause {
            Cause::Put => ("Object Created", "PutObject"),
            Cause::Copy => ("Object Created", "CopyObject"),
            Cause::Multipart => ("Object Created", "CompleteMultipartUpload"),
            Cause::Delete | Cause::DeleteMarker => ("Object Deleted", "DeleteObject"),
            Cause::Restored => ("Object Restore Completed", ""),
        };
        let mut object = json!({
            "key": self.key,
            "etag": self.etag,
            "sequencer": self.sequencer,
        });
        if let Some(members) = object.as_object_mut() {
            if kind == "Object Created" {
                members.insert("size".to_owned(), json!(self.size));
            }
            if let Some(id) = &self.version_id {
                members.insert("version-id".to_owned(), json!(id));
            }
        }
        let mut detail = json!({
            "version": "0",
            "bucket": { "name": self.bucket },
            "object": object,
            "request-id": self.request_id(),
            "requester": "000000000000",
            "source-ip-address": "127.0.0.1",
            "reason": reason,
        });
        if let Some(members) = detail.as_object_mut()
            && kind == "Object Deleted"
        {
            let deletion =
                if self.cause == Cause::Delete { "Permanently Deleted" } else { "Delete Marker Created" };
            members.insert("deletion-type".to_owned(), json!(deletion));
        }
        json!({
            "version": "0",
            "id": format!("00000000-0000-4000-8000-{:0>12}", self.sequencer.trim_start_matches('0').to_lowercase()),
            "detail-type": kind,
            "source": "aws.s3",
            "account": "000000000000",
            // The bus cuts the time to the second.
            "time": iso_date(self.time).split('.').next().map(|time| format!("{time}Z")),
            "region": "us-east-1",
            "resources": [format!("arn:aws:s3:::{}", self.bucket)],
            "detail": detail,
        })
    }

    fn request_id(&self) -> String {
        format!("{:0>16}", self.sequencer.trim_start_matches('0'))
    }
}

impl State {
    /// Records the event of a write that just made a version current.
    pub(super) fn notify(&mut self, bucket: &str, key: &str, cause: Cause, now: i64) {
        let written = self.buckets.get(bucket).and_then(|bucket| bucket.current(key)).cloned();
        if let Some(version) = written {
            self.notify_about(bucket, key, &version, cause, now);
        }
    }

    /// Records an event about a version, which may be gone already.
    pub(super) fn notify_about(
        &mut self,
        bucket: &str,
        key: &str,
        version: &Version,
        cause: Cause,
        now: i64,
    ) {
        self.sequencer += 1;
        let versioned = self.buckets.get(bucket).is_some_and(|bucket| bucket.versioning != Versioning::Never);
        self.notifications.push(Notification {
            cause,
            bucket: bucket.to_owned(),
            key: key.to_owned(),
            size: version.data.len(),
            etag: version.etag.clone(),
            version_id: versioned.then(|| version.id.clone()),
            sequencer: format!("{:018X}", self.sequencer),
            time: now,
        });
    }
}
