//! Answers of buckets: XML, and refusals in the words of each provider.

use axum::body::Body;
use http::{HeaderValue, Response, StatusCode, header};
use jiff::Timestamp;
use quick_xml::escape::escape;

/// Why a bucket does not do as asked.
#[derive(Debug)]
pub(super) struct Fault {
    status: u16,
    code: &'static str,
    message: String,
    more: Vec<(&'static str, String)>,
}

impl Fault {
    pub(super) fn new(status: u16, code: &'static str, message: impl Into<String>) -> Self {
        Self { status, code, message: message.into(), more: Vec::new() }
    }

    fn with(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.more.push((name, value.into()));
        self
    }

    pub(super) fn denied(message: &str) -> Self {
        Self::new(403, "AccessDenied", message)
    }

    pub(super) fn no_bucket(name: &str) -> Self {
        Self::new(404, "NoSuchBucket", "The specified bucket does not exist").with("BucketName", name)
    }

    pub(super) fn no_key(key: &str) -> Self {
        Self::new(404, "NoSuchKey", "The specified key does not exist.").with("Key", key)
    }

    pub(super) fn no_upload(id: &str) -> Self {
        let message = "The specified upload does not exist. The upload ID may be invalid, or the upload may have been \
                       aborted or completed.";
        Self::new(404, "NoSuchUpload", message).with("UploadId", id)
    }

    pub(super) fn cut() -> Self {
        Self::new(400, "IncompleteBody", "The request body terminated unexpectedly")
    }

    pub(super) fn internal(why: &str) -> Self {
        Self::new(500, "InternalError", format!("We encountered an internal error: {why}"))
    }

    pub(super) fn bad_digest() -> Self {
        Self::new(400, "BadDigest", "The Content-MD5 you specified did not match what we received.")
    }

    pub(super) fn malformed() -> Self {
        let message =
            "The XML you provided was not well-formed or did not validate against our published schema";
        Self::new(400, "MalformedXML", message)
    }

    /// The signature is not that of the request.
    pub(super) fn tampered(provider: &str) -> Self {
        match provider {
            "AZURE" => Self::new(
                403,
                "AuthenticationFailed",
                "Server failed to authenticate the request. Make sure the value of Authorization header is formed \
                 correctly including the signature.",
            )
            .with("AuthenticationErrorDetail", "Signature did not match."),
            "GCS" => Self::new(
                403,
                "SignatureDoesNotMatch",
                "Access denied.",
            )
            .with("Details", "The request signature we calculated does not match the signature you provided."),
            _ => Self::new(
                403,
                "SignatureDoesNotMatch",
                "The request signature we calculated does not match the signature you provided. Check your key and \
                 signing method.",
            ),
        }
    }

    /// The time of the address is over.
    pub(super) fn expired(
        provider: &str,
        google: u16,
        lifetime: i64,
        (at, now): (Timestamp, Timestamp),
    ) -> Self {
        let iso = |time: Timestamp| time.strftime("%Y-%m-%dT%H:%M:%SZ").to_string();
        match provider {
            "AZURE" => Self::new(403, "AuthenticationFailed", "Server failed to authenticate the request.")
                .with(
                    "AuthenticationErrorDetail",
                    format!("Signature not valid in the specified time frame: Expiry [{}]", iso(at)),
                ),
            "GCS" => Self::new(google, "ExpiredToken", "The provided token has expired.")
                .with("Details", format!("Request signature expired at: {}", iso(at))),
            _ => Self::denied("Request has expired")
                .with("X-Amz-Expires", lifetime.to_string())
                .with("Expires", iso(at))
                .with("ServerTime", iso(now)),
        }
    }

    pub(super) fn response(self) -> Response<Body> {
        let mut members = vec![("Code", self.code.to_owned()), ("Message", self.message)];
        members.extend(self.more);
        members.push(("RequestId", "SIMULATED0000001".to_owned()));
        let mut response = xml("Error", &members);
        *response.status_mut() =
            StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        response
    }
}

/// One element.
pub(super) fn element(name: &str, text: &str) -> String {
    format!("<{name}>{}</{name}>", escape(text))
}

/// A document of flat members.
pub(super) fn xml(root: &str, members: &[(&str, String)]) -> Response<Body> {
    let inner: String = members.iter().map(|(name, text)| element(name, text)).collect();
    document(root, &inner)
}

/// A document.
pub(super) fn document(root: &str, inner: &str) -> Response<Body> {
    let text = format!("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<{root}>{inner}</{root}>");
    let mut response = Response::new(Body::from(text));
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/xml"));
    response
}

/// No body, with these headers.
pub(super) fn empty(status: u16, headers: &[(&'static str, String)]) -> Response<Body> {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    for (name, value) in headers {
        if let Ok(value) = HeaderValue::from_str(value) {
            response.headers_mut().insert(*name, value);
        }
    }
    response
}
