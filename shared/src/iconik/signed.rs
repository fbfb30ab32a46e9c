//! Calls to the storages that signed addresses lead to.

use std::time::Duration;

use http::{HeaderMap, HeaderName, Method, header};

use super::{Client, error::failure, settings::Settings};
use crate::{
    error::{FailureClass, Result, System},
    http::{Client as HttpClient, Limits, Payload, Request, Response, SignedUrl},
};

/// Takes a signed address apart.
///
/// # Errors
/// `Forbidden` when it leads to a host that is not allowed, or is no address.
pub(super) fn signed_url(operation: &'static str, text: &str, settings: &Settings) -> Result<SignedUrl> {
    SignedUrl::parse(text, &settings.base_url, &settings.signed_hosts).map_err(|what| {
        failure(FailureClass::Forbidden, operation, FOREIGN_HOST, what)
            .remedy("when the storage is meant, add its host to signed_hosts")
    })
}

/// A signed address that leads somewhere unexpected.
pub const FOREIGN_HOST: &str = "iconik.foreign-host";

/// A request to a storage.
pub(super) struct StorageRequest {
    operation: &'static str,
    method: Method,
    headers: Vec<(HeaderName, String)>,
    payload: Payload,
    idempotent: bool,
    timeout: Option<Duration>,
}

impl StorageRequest {
    pub(super) fn new(operation: &'static str, method: Method) -> Self {
        let idempotent = method.is_safe();
        Self { operation, method, headers: Vec::new(), payload: Payload::Empty, idempotent, timeout: None }
    }

    pub(super) fn header(mut self, name: HeaderName, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }

    pub(super) fn payload(mut self, payload: Payload) -> Self {
        self.payload = payload;
        self
    }

    pub(super) fn idempotent(mut self) -> Self {
        self.idempotent = true;
        self
    }

    pub(super) fn within(mut self, timeout: Duration) -> Self {
        self.timeout = Some(timeout);
        self
    }

    fn to(&self, url: &SignedUrl) -> Request {
        let request = Request::new(self.operation, self.method.clone(), url.target())
            .header(header::ACCEPT_ENCODING, "identity")
            .payload(self.payload.clone());
        let headers = self.headers.iter();
        let mut request = headers.fold(request, |request, (name, value)| request.header(name.clone(), value));
        if self.idempotent {
            request = request.idempotent();
        }
        match self.timeout {
            Some(timeout) => request.timeout(timeout),
            None => request,
        }
    }
}

impl Client {
    fn storage(&self, url: &SignedUrl) -> HttpClient {
        let limits =
            Limits { attempts: self.settings.attempts, answer: self.settings.answer(), ..Limits::default() };
        let (transport, context) = (self.transport.clone(), self.http.context().clone());
        HttpClient::new(System::Iconik, url.origin(), transport, context, self.storage_pace.clone(), limits)
    }

    /// Sends a request to a storage and gives its answer unread, whatever its status.
    pub(super) async fn send_to_storage(
        &self,
        url: &SignedUrl,
        request: &StorageRequest,
    ) -> Result<Response> {
        self.storage(url).send(&request.to(url)).await
    }

    /// The same with its body read, which has to be small.
    pub(super) async fn ask_storage(
        &self,
        url: &SignedUrl,
        request: &StorageRequest,
    ) -> Result<(http::StatusCode, HeaderMap, bytes::Bytes)> {
        self.storage(url).send_and_read(&request.to(url)).await
    }
}

/// Whether a storage says that a signature has ended or is wrong. Google says so with 400.
pub(super) fn is_refused(status: http::StatusCode) -> bool {
    matches!(status.as_u16(), 400 | 401 | 403)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings() -> Settings {
        Settings::at("https://eu.iconik.io")
    }

    #[test]
    fn a_signed_address_keeps_every_byte_and_shows_none_of_its_signature() {
        let text =
            "https://bucket.s3.eu-west-1.amazonaws.com/a%20b/c+d.mov?X-Amz-Signature=hush%2Fhush&x=%7E~";
        let url = signed_url("download", text, &settings()).unwrap();
        assert_eq!(format!("{}{}", url.origin(), url.target()), text);
        assert!(!format!("{url:?}").contains("hush"));
        let own = signed_url("download", "/signed/1?key=hush", &settings()).unwrap();
        assert_eq!(format!("{}{}", own.origin(), own.target()), "https://eu.iconik.io/signed/1?key=hush");
    }

    #[test]
    fn an_address_that_leads_elsewhere_is_refused_and_not_repeated() {
        for text in [
            "https://bucket.example.com/a?sig=hush",
            "https://amazonaws.com.example.com/a?sig=hush",
            "https://evilamazonaws.com/a?sig=hush",
            "http://bucket.s3.amazonaws.com/a?sig=hush",
            "https://user:hush@bucket.s3.amazonaws.com/a",
            "https://169.254.169.254/latest/?sig=hush",
            "https://bucket.s3.amazonaws.com\\@example.com/?sig=hush",
            "file:///etc/passwd?hush",
            "//example.com/a?sig=hush",
            "hush",
        ] {
            let error = signed_url("download", text, &settings()).unwrap_err();
            assert_eq!((error.code(), error.class()), (FOREIGN_HOST, FailureClass::Forbidden), "{text}");
            assert!(!format!("{error:?}").contains("hush"), "{error:?}");
        }
    }
}
