//! Signed addresses: whoever has one may read or write the bytes behind it. They are never shown, and lead only to
//! hosts that are allowed.

use std::{fmt, time::Duration};

use http::{HeaderMap, HeaderName, Method, header};
use url::Url;

use super::{Client, error::failure, settings::Settings};
use crate::{
    error::{FailureClass, Result, System},
    http::{Client as HttpClient, Limits, Payload, Request, Response},
};

/// An address with its signature, taken apart but not changed by a byte: a signature covers how it is written.
#[derive(Clone)]
pub(super) struct SignedUrl {
    origin: String,
    target: String,
}

impl fmt::Debug for SignedUrl {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("SignedUrl").field("origin", &self.origin).finish_non_exhaustive()
    }
}

impl SignedUrl {
    /// # Errors
    /// `Forbidden` when it leads to a host that is not allowed, or is no address.
    pub(super) fn parse(operation: &'static str, text: &str, settings: &Settings) -> Result<Self> {
        let base = Url::parse(&settings.base_url).ok();
        let joined;
        let text = if text.starts_with('/') && !text.starts_with("//") {
            let origin = base.as_ref().map(|base| base.origin().ascii_serialization()).unwrap_or_default();
            joined = format!("{origin}{text}");
            &joined
        } else {
            text
        };
        let refuse = |what: String| {
            Err(failure(FailureClass::Forbidden, operation, FOREIGN_HOST, what)
                .remedy("when the storage is meant, add its host to signed_hosts"))
        };
        let Some((url, base)) = Url::parse(text).ok().zip(base) else {
            return refuse("the signed address is no address".to_owned());
        };
        let Some(host) = url.host_str() else { return refuse("the signed address has no host".to_owned()) };
        let own = url.origin() == base.origin();
        let is_safe = url.scheme() == "https" || (url.scheme() == "http" && base.scheme() == "http");
        if !is_safe || !url.username().is_empty() || url.password().is_some() || text.contains('\\') {
            return refuse(format!("the signed address at {host} is not a plain https address"));
        }
        if !own && !settings.signed_hosts.iter().any(|allowed| is_allowed(host, allowed)) {
            return refuse(format!("the signed address leads to {host}, which is not in signed_hosts"));
        }
        let rest = text.split_once("://").map(|(_, rest)| rest).unwrap_or_default();
        let target = rest.find(['/', '?', '#']).and_then(|at| rest.get(at..)).unwrap_or("/");
        let target = target.split('#').next().unwrap_or(target);
        let target = if target.starts_with('/') { target.to_owned() } else { format!("/{target}") };
        Ok(Self { origin: url.origin().ascii_serialization(), target })
    }
}

fn is_allowed(host: &str, allowed: &str) -> bool {
    let allowed = allowed.to_ascii_lowercase();
    match allowed.strip_prefix('*') {
        Some(ending) => host.len() > ending.len() && host.ends_with(ending),
        None => host == allowed,
    }
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
        let request = Request::new(self.operation, self.method.clone(), url.target.clone())
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
        HttpClient::new(System::Iconik, &url.origin, transport, context, self.storage_pace.clone(), limits)
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
        let url = SignedUrl::parse("download", text, &settings()).unwrap();
        assert_eq!(format!("{}{}", url.origin, url.target), text);
        assert!(!format!("{url:?}").contains("hush"));
        let own = SignedUrl::parse("download", "/signed/1?key=hush", &settings()).unwrap();
        assert_eq!(format!("{}{}", own.origin, own.target), "https://eu.iconik.io/signed/1?key=hush");
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
            let error = SignedUrl::parse("download", text, &settings()).unwrap_err();
            assert_eq!((error.code(), error.class()), (FOREIGN_HOST, FailureClass::Forbidden), "{text}");
            assert!(!format!("{error:?}").contains("hush"), "{error:?}");
        }
    }
}
