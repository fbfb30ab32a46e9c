//! Buckets and objects put in place without a client.

use std::collections::BTreeMap;

use bytes::Bytes;
use http::Method;

use super::{S3, checksum, dispatch, notification::Cause, request::Request, state::Version};

/// An object to put.
#[derive(Clone, Debug, Default)]
pub struct Object {
    /// Its content.
    pub content: Bytes,
    /// Its `Content-Type`, when it is to have one.
    pub content_type: Option<String>,
    /// User metadata.
    pub metadata: BTreeMap<String, String>,
    /// Tags.
    pub tags: BTreeMap<String, String>,
}

impl<Content: Into<Bytes>> From<Content> for Object {
    fn from(content: Content) -> Self {
        Self { content: content.into(), ..Self::default() }
    }
}

impl S3 {
    /// Makes a bucket. False when there is one of that name, or the name is no name.
    pub fn create_bucket(&self, name: &str, versioned: bool) -> bool {
        let made = self.direct(Request::of(Method::PUT, name, ""));
        let mut versioning = Request::of(Method::PUT, name, "").asking("versioning", "");
        versioning.body = Bytes::from_static(
            b"<VersioningConfiguration><Status>Enabled</Status></VersioningConfiguration>",
        );
        made && (!versioned || self.direct(versioning))
    }

    /// Makes a bucket with Object Lock, which keeps versions. False as for any bucket.
    pub fn create_locked_bucket(&self, name: &str) -> bool {
        self.direct(Request::of(Method::PUT, name, "").saying("x-amz-bucket-object-lock-enabled", "true"))
    }

    /// Puts an object as a client would, event included. False when the bucket is not there.
    pub fn put(&self, bucket: &str, key: &str, object: impl Into<Object>) -> bool {
        let object = object.into();
        let mut request = Request::of(Method::PUT, bucket, key);
        if let Some(content_type) = &object.content_type {
            request = request.saying("content-type", content_type);
        }
        for (name, value) in &object.metadata {
            request = request.saying(&format!("x-amz-meta-{}", name.to_ascii_lowercase()), value);
        }
        if let Ok(tags) = serde_urlencoded::to_string(&object.tags) {
            request = request.saying("x-amz-tagging", &tags);
        }
        request.body = object.content;
        self.direct(request)
    }

    /// Puts an object of so many zero bytes, event included, as one that came in parts and without a checksum. Nobody reads
    /// them, so one of many GiB costs no time, and no memory until somebody does. False when the bucket is not there.
    pub fn put_zeros(&self, bucket: &str, key: &str, size: usize) -> bool {
        let now = (self.now)();
        let mut state = self.state();
        let number = state.next();
        let Ok(to) = state.bucket(bucket) else { return false };
        let version = Version {
            id: String::new(),
            marker: false,
            data: vec![0; size].into(),
            etag: checksum::etag_of_parts([checksum::etag(key.as_bytes()).as_str()].into_iter()),
            modified: now,
            description: Default::default(),
            checksum: None,
            parts: vec![size],
        };
        to.add(key, version, number);
        state.notify(bucket, key, Cause::Multipart, now);
        true
    }

    /// Deletes an object, or one version of it. False when that is not allowed.
    pub fn delete(&self, bucket: &str, key: &str, version: Option<&str>) -> bool {
        let request = Request::of(Method::DELETE, bucket, key);
        self.direct(match version {
            Some(version) => request.asking("versionId", version),
            None => request,
        })
    }

    fn direct(&self, request: Request) -> bool {
        let now = (self.now)();
        dispatch(&mut self.state(), &request, now).is_ok()
    }
}
