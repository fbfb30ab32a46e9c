//! Refusals of S3, in its XML form.

use axum::body::Body;
use http::{HeaderMap, HeaderName, HeaderValue, Response, StatusCode};

use super::xml::Writer;

#[derive(Clone, Debug)]
pub(super) struct Error {
    status: u16,
    code: &'static str,
    message: String,
    detail: Vec<(&'static str, String)>,
    headers: Vec<(&'static str, String)>,
}

pub(super) type Result<T> = std::result::Result<T, Error>;

impl Error {
    pub(super) fn new(status: u16, code: &'static str, message: impl Into<String>) -> Self {
        Self { status, code, message: message.into(), detail: Vec::new(), headers: Vec::new() }
    }

    pub(super) fn with(mut self, element: &'static str, text: impl Into<String>) -> Self {
        self.detail.push((element, text.into()));
        self
    }

    pub(super) fn header(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }

    pub(super) fn invalid_argument(name: &str, value: &str, message: impl Into<String>) -> Self {
        Self::new(400, "InvalidArgument", message).with("ArgumentName", name).with("ArgumentValue", value)
    }

    pub(super) fn invalid_request(message: impl Into<String>) -> Self {
        Self::new(400, "InvalidRequest", message)
    }

    pub(super) fn bad_digest(message: impl Into<String>) -> Self {
        Self::new(400, "BadDigest", message)
    }

    pub(super) fn malformed_xml() -> Self {
        Self::new(
            400,
            "MalformedXML",
            "The XML you provided was not well-formed or did not validate against our published schema",
        )
    }

    pub(super) fn no_such_key(key: &str) -> Self {
        Self::new(404, "NoSuchKey", "The specified key does not exist.").with("Key", key)
    }

    pub(super) fn no_such_version(key: &str, version: &str) -> Self {
        Self::new(404, "NoSuchVersion", "The specified version does not exist.")
            .with("Key", key)
            .with("VersionId", version)
    }

    pub(super) fn no_such_upload(id: &str) -> Self {
        Self::new(
            404,
            "NoSuchUpload",
            "The specified upload does not exist. The upload ID may be invalid, or the upload may have been aborted \
             or completed.",
        )
        .with("UploadId", id)
    }

    pub(super) fn precondition_failed(condition: &str) -> Self {
        Self::new(412, "PreconditionFailed", "At least one of the pre-conditions you specified did not hold")
            .with("Condition", condition)
    }

    pub(super) fn access_denied(message: impl Into<String>) -> Self {
        Self::new(403, "AccessDenied", message)
    }

    pub(super) fn not_implemented(what: &str) -> Self {
        Self::new(
            501,
            "NotImplemented",
            "A header you provided implies functionality that is not implemented",
        )
        .with("Header", what)
    }

    pub(super) fn code(&self) -> &'static str {
        self.code
    }

    pub(super) fn message(&self) -> &str {
        &self.message
    }

    /// The answer. A HEAD and a 304 have no body, so their code is lost: that is what clients of S3 have to live with.
    pub(super) fn respond(&self, bodiless: bool, request_id: &str) -> Response<Body> {
        let mut headers = HeaderMap::new();
        for (name, value) in &self.headers {
            if let Ok(value) = HeaderValue::from_str(value) {
                headers.insert(HeaderName::from_static(name), value);
            }
        }
        let body = if bodiless || self.status == 304 {
            Body::empty()
        } else {
            headers.insert(http::header::CONTENT_TYPE, HeaderValue::from_static("application/xml"));
            let mut xml = Writer::new();
            xml.element("Error", |xml| {
                xml.text("Code", self.code);
                xml.text("Message", &self.message);
                for (element, text) in &self.detail {
                    xml.text(element, text);
                }
                xml.text("RequestId", request_id);
                xml.text("HostId", "stand-in");
            });
            Body::from(xml.finish())
        };
        let mut response = Response::new(body);
        *response.status_mut() = StatusCode::from_u16(self.status).unwrap_or(StatusCode::BAD_REQUEST);
        *response.headers_mut() = headers;
        response
    }
}
