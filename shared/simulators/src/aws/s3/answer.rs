//! Answers: headers, dates, XML.

use axum::body::Body;
use http::{HeaderMap, HeaderName, HeaderValue, Response, StatusCode};
use jiff::Timestamp;

use super::checksum::Checksum;
use super::state::{Bucket, Version};
use super::xml::Writer;

pub(super) struct Answer {
    status: StatusCode,
    headers: HeaderMap,
    body: Body,
}

impl Answer {
    pub(super) fn ok() -> Self {
        Self { status: StatusCode::OK, headers: HeaderMap::new(), body: Body::empty() }
    }

    pub(super) fn no_content() -> Self {
        Self { status: StatusCode::NO_CONTENT, ..Self::ok() }
    }

    pub(super) fn xml(root: &str, content: impl FnOnce(&mut Writer)) -> Self {
        let mut writer = Writer::new();
        writer.root(root, content);
        let answer = Self { body: Body::from(writer.finish()), ..Self::ok() };
        answer.header("content-type", "application/xml")
    }

    pub(super) fn status(mut self, status: StatusCode) -> Self {
        self.status = status;
        self
    }

    pub(super) fn body(mut self, body: Body) -> Self {
        self.body = body;
        self
    }

    pub(super) fn header(mut self, name: &str, value: impl AsRef<str>) -> Self {
        if let (Ok(name), Ok(value)) =
            (HeaderName::from_bytes(name.as_bytes()), HeaderValue::from_str(value.as_ref()))
        {
            self.headers.insert(name, value);
        }
        self
    }

    pub(super) fn optional(self, name: &str, value: Option<impl AsRef<str>>) -> Self {
        match value {
            Some(value) => self.header(name, value),
            None => self,
        }
    }

    pub(super) fn checksum(self, checksum: Option<&Checksum>) -> Self {
        match checksum {
            Some(checksum) => self
                .header(checksum.algorithm.header(), &checksum.value)
                .header("x-amz-checksum-type", checksum.kind()),
            None => self,
        }
    }

    /// What every write of an object answers with.
    pub(super) fn written(self, bucket: &Bucket, version: &Version) -> Self {
        self.header("etag", quoted(&version.etag))
            .optional("x-amz-version-id", bucket.shown_id(version))
            .header("x-amz-server-side-encryption", "AES256")
    }

    pub(super) fn respond(self) -> Response<Body> {
        let mut response = Response::new(self.body);
        *response.status_mut() = self.status;
        *response.headers_mut() = self.headers;
        response
    }
}

/// Elements that carry a checksum in an XML answer.
pub(super) fn checksum_elements(xml: &mut Writer, checksum: Option<&Checksum>) {
    if let Some(checksum) = checksum {
        xml.text(checksum.algorithm.element(), &checksum.value);
        xml.text("ChecksumType", checksum.kind());
    }
}

pub(super) fn quoted(etag: &str) -> String {
    format!("\"{etag}\"")
}

/// `Wed, 21 Oct 2026 07:28:00 GMT`, as headers want it.
pub(super) fn http_date(milliseconds: i64) -> String {
    format_time(milliseconds, "%a, %d %b %Y %H:%M:%S GMT")
}

/// `2026-10-21T07:28:00.000Z`, as XML and events want it.
pub(super) fn iso_date(milliseconds: i64) -> String {
    format_time(milliseconds, "%Y-%m-%dT%H:%M:%S%.3fZ")
}

fn format_time(milliseconds: i64, format: &str) -> String {
    Timestamp::from_millisecond(milliseconds).unwrap_or_default().strftime(format).to_string()
}

/// Milliseconds of an ISO date.
pub(super) fn parse_iso(text: &str) -> Option<i64> {
    text.parse::<Timestamp>().ok().map(|time| time.as_millisecond())
}

/// Milliseconds of an HTTP date.
pub(super) fn parse_http(text: &str) -> Option<i64> {
    let time = jiff::fmt::rfc2822::parse(text).ok()?;
    Some(time.timestamp().as_millisecond())
}
