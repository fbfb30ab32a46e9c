//! Amazon S3: objects and versions, conditional writes, checksums, multipart uploads, object lock, events.
//!
//! Written by hand over the wire format rather than over the crate `s3s`, because `s3s` judges every signed request
//! against the machine's clock (the SDK signs whatever the test's clock says, and a replay must not depend on the day
//! it runs), refuses signed requests when it is given no keys, and leaves checksums, conditions, versions and locks,
//! which are the point here, to its implementor all the same.
//!
//! Path-style addresses only. Not imitated: access control, encryption beyond its headers, lifecycle, SHA-1.

mod answer;
mod buckets;
mod checksum;
mod conditions;
mod copy;
mod error;
mod locks;
mod metadata;
mod multipart;
mod notification;
mod objects;
mod presigned;
mod request;
mod restore;
mod seed;
mod state;
mod xml;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use axum::body::Body;
use bytes::Bytes;
use http::{HeaderValue, Method, Response};

use self::answer::Answer;
use self::error::{Error, Result};
pub use self::notification::{Cause, Notification};
use self::request::Request;
pub use self::seed::Object;
use self::state::State;
use super::Now;

/// Least size of every part but the last, at AWS.
const LEAST_PART: usize = 5 * 1024 * 1024;

/// The service, and its state for a test to look into.
#[derive(Clone)]
pub struct S3 {
    state: Arc<Mutex<State>>,
    now: Now,
}

/// A version as a test sees it.
#[derive(Clone, Debug, PartialEq)]
pub struct Stored {
    /// Key of the object.
    pub key: String,
    /// Version id; `null` without versioning.
    pub version_id: String,
    /// A delete marker has no content.
    pub delete_marker: bool,
    /// Content.
    pub data: Bytes,
    /// Entity tag without quotes.
    pub etag: String,
    /// User metadata as stored.
    pub metadata: std::collections::BTreeMap<String, String>,
    /// Tags.
    pub tags: std::collections::BTreeMap<String, String>,
    /// Storage class.
    pub storage_class: String,
    /// Mode of its retention, and its end in milliseconds since 1970.
    pub retained: Option<(String, i64)>,
    /// Whether a legal hold is on it.
    pub legal_hold: bool,
}

impl S3 {
    pub(crate) fn new(now: Now) -> Self {
        let state = State { least_part: LEAST_PART, ..State::default() };
        Self { state: Arc::new(Mutex::new(state)), now }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) async fn call(&self, request: http::Request<Body>) -> Response<Body> {
        let bodiless = request.method() == Method::HEAD;
        let read = Request::read(request).await;
        let now = (self.now)();
        let state = &mut *self.state();
        let id = format!("{:016X}", state.next());
        let in_time = |request: Request| presigned::check(&request, now).map(|()| request);
        let mut response = match read.and_then(in_time).and_then(|request| dispatch(state, &request, now)) {
            Ok(answer) => answer.respond(),
            Err(error) => error.respond(bodiless, &id),
        };
        if let Ok(id) = HeaderValue::from_str(&id) {
            response.headers_mut().insert("x-amz-request-id", id);
        }
        response
    }

    /// Every version in a bucket, by key, the oldest first; empty when there is no such bucket.
    #[must_use]
    pub fn versions(&self, bucket: &str) -> Vec<Stored> {
        let state = self.state();
        let Some(bucket) = state.buckets.get(bucket) else { return Vec::new() };
        let all = bucket
            .objects
            .iter()
            .flat_map(|(key, versions)| versions.iter().map(move |version| (key, version)));
        all.map(|(key, version)| Stored {
            key: key.clone(),
            version_id: version.id.clone(),
            delete_marker: version.marker,
            data: version.data.clone(),
            etag: version.etag.clone(),
            metadata: version.description.metadata.clone(),
            tags: version.description.tags.clone(),
            storage_class: version.description.storage_class().to_owned(),
            retained: version.description.retention.as_ref().map(|kept| (kept.mode.clone(), kept.until)),
            legal_hold: version.description.legal_hold,
        })
        .collect()
    }

    /// Content of an object as it is now.
    #[must_use]
    pub fn content(&self, bucket: &str, key: &str) -> Option<Bytes> {
        Some(self.state().buckets.get(bucket)?.current(key)?.data.clone())
    }

    /// Keys of multipart uploads that are neither completed nor aborted.
    #[must_use]
    pub fn open_uploads(&self, bucket: &str) -> Vec<String> {
        let state = self.state();
        let uploads = state.buckets.get(bucket).into_iter().flat_map(|bucket| bucket.uploads.values());
        uploads.map(|upload| upload.key.clone()).collect()
    }

    /// Every event so far, oldest first, and forgets them.
    #[must_use]
    pub fn take_notifications(&self) -> Vec<Notification> {
        std::mem::take(&mut self.state().notifications)
    }

    /// The latest event.
    #[must_use]
    pub fn last_notification(&self) -> Option<Notification> {
        self.state().notifications.last().cloned()
    }

    /// Fault: inverts one stored byte of the current version; its checksums and tag stay as they were. False when
    /// there is no such byte.
    pub fn flip_byte(&self, bucket: &str, key: &str, offset: usize) -> bool {
        let mut state = self.state();
        let Some(bucket) = state.buckets.get_mut(bucket) else { return false };
        let Some(version) = bucket.objects.get_mut(key).and_then(|versions| versions.last_mut()) else {
            return false;
        };
        let mut data = version.data.to_vec();
        let Some(byte) = data.get_mut(offset) else { return false };
        *byte = !*byte;
        version.data = Bytes::from(data);
        true
    }

    /// Fault: the body of the next `GetObject` breaks off after so many bytes, under an unchanged `Content-Length`.
    pub fn cut_next_get(&self, after: usize) {
        self.state().cut_next_get = Some(after);
    }

    /// Lowers the least size of a part, so that a test of many parts stays small.
    pub fn set_least_part(&self, bytes: usize) {
        self.state().least_part = bytes;
    }
}

fn dispatch(state: &mut State, request: &Request, now: i64) -> Result<Answer> {
    if request.bucket.is_empty() {
        return Ok(buckets::list_all(state));
    }
    if request.key.is_empty() { on_bucket(state, request, now) } else { on_object(state, request, now) }
}

const LIST: [&str; 10] = [
    "list-type",
    "prefix",
    "delimiter",
    "max-keys",
    "encoding-type",
    "continuation-token",
    "start-after",
    "fetch-owner",
    "key-marker",
    "version-id-marker",
];

fn on_bucket(state: &mut State, request: &Request, now: i64) -> Result<Answer> {
    let known: Vec<&str> = LIST
        .into_iter()
        .chain(["versioning", "versions", "uploads", "object-lock", "location", "delete", "max-uploads"])
        .collect();
    if let Some(unknown) = request.unknown_query(&known) {
        return Err(Error::not_implemented(unknown));
    }
    let asks = |name: &str| request.has_query(name);
    match request.method {
        Method::PUT if asks("versioning") => buckets::put_versioning(state, request),
        Method::PUT => buckets::create(state, request, now),
        Method::GET if asks("versioning") => buckets::get_versioning(state, request),
        Method::GET if asks("versions") => buckets::list_versions(state, request),
        Method::GET if asks("uploads") => multipart::list_uploads(state, request),
        Method::GET if asks("object-lock") => buckets::get_object_lock(state, request),
        Method::GET if asks("location") => {
            state.bucket(&request.bucket)?;
            Ok(Answer::xml("LocationConstraint", |_| {}))
        }
        Method::GET if request.query("list-type") == Some("2") => buckets::list(state, request, now),
        Method::HEAD => {
            state.bucket(&request.bucket)?;
            Ok(Answer::ok().header("x-amz-bucket-region", "us-east-1"))
        }
        Method::DELETE => buckets::delete(state, request),
        Method::POST if asks("delete") => buckets::delete_objects(state, request, now),
        _ => Err(Error::not_implemented("operation")),
    }
}

fn on_object(state: &mut State, request: &Request, now: i64) -> Result<Answer> {
    let known = [
        "uploadId",
        "uploads",
        "partNumber",
        "tagging",
        "retention",
        "legal-hold",
        "restore",
        "max-parts",
        "part-number-marker",
    ];
    if let Some(unknown) = request.unknown_query(&known) {
        return Err(Error::not_implemented(unknown));
    }
    let asks = |name: &str| request.has_query(name);
    let copies = request.header("x-amz-copy-source").is_some();
    match request.method {
        Method::PUT if asks("uploadId") && copies => multipart::copy_part(state, request, now),
        Method::PUT if asks("uploadId") => multipart::put_part(state, request, now),
        Method::PUT if asks("tagging") => locks::put_tags(state, request),
        Method::PUT if asks("retention") => locks::put_retention(state, request, now),
        Method::PUT if asks("legal-hold") => locks::put_legal_hold(state, request),
        Method::PUT if copies => copy::object(state, request, now),
        Method::PUT => objects::put(state, request, now),
        Method::GET if asks("uploadId") => multipart::list_parts(state, request),
        Method::GET if asks("tagging") => locks::get_tags(state, request),
        Method::GET if asks("retention") => locks::get_retention(state, request),
        Method::GET if asks("legal-hold") => locks::get_legal_hold(state, request),
        Method::GET => objects::get(state, request, false, now),
        Method::HEAD => objects::get(state, request, true, now),
        Method::DELETE if asks("uploadId") => multipart::abort(state, request),
        Method::DELETE if asks("tagging") => locks::delete_tags(state, request),
        Method::DELETE => objects::delete(state, request, now),
        Method::POST if asks("restore") => restore::begin(state, request, now),
        Method::POST if asks("uploads") => multipart::create(state, request, now),
        Method::POST if asks("uploadId") => multipart::complete(state, request, now),
        _ => Err(Error::not_implemented("operation")),
    }
}
