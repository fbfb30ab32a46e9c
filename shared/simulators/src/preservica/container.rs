//! The bulk location over HTTP where it is a container of Azure: the few calls of Blob storage that an upload makes, for whoever
//! shows a shared access signature that was given out for it.

use std::collections::BTreeMap;

use axum::Router;
use axum::body::Body;
use http::request::Parts;
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, Response, StatusCode, header};

use super::Simulator;
use super::answer::receive;
use super::state::{Contained, Shown, State};
use super::xml::Element;
use crate::content::Blob;
use crate::frame;

/// How headers with metadata begin.
const METADATA: &str = "x-ms-meta-";

/// Status, code and sentence.
struct Fault(u16, &'static str, &'static str);

const UNKNOWN: Fault = Fault(404, "BlobNotFound", "The specified blob does not exist.");

impl Simulator {
    /// The bulk location as a container of Azure (`uploads.at_azure`), as a router for a port of its own. Packages that are put
    /// there are taken in. Signatures are looked up, not computed.
    pub fn container_router(&self) -> Router {
        self.routed_beside(refuse, answer)
    }
}

fn refuse(status: u16, text: &str) -> Response<Body> {
    refused(status, "InternalError", text)
}

fn refused(status: u16, code: &str, text: &str) -> Response<Body> {
    let error = Element::new("", "Error").with("Code", code).with("Message", text);
    let mut response = super::reply::text(status, "application/xml", error.document(None));
    set(&mut response, "x-ms-error-code", code);
    response
}

async fn answer(simulator: Simulator, request: Request<Body>, _: u64) -> Response<Body> {
    let (parts, body) = request.into_parts();
    let threshold = simulator.with_state(|state| state.settings.memory_threshold_bytes);
    let Some(received) = receive(body, threshold).await else {
        return refused(400, "RequestBodyInvalid", "The body broke off");
    };
    let outcome = simulator.with_state(|state| act(state, &parts, received.content));
    let mut response = match outcome {
        Ok(response) => response,
        Err(Fault(status, code, text)) => refused(status, code, text),
    };
    if let Some(id) = parts.headers.get("x-ms-client-request-id") {
        response.headers_mut().insert("x-ms-client-request-id", id.clone());
    }
    response
}

fn act(state: &mut State, parts: &Parts, content: Blob) -> Result<Response<Body>, Fault> {
    let query: BTreeMap<String, String> =
        url::form_urlencoded::parse(parts.uri.query().unwrap_or_default().as_bytes()).into_owned().collect();
    let signature = query.get("sig").map(String::as_str).unwrap_or_default();
    if state.shown_signature(signature) != Shown::Good {
        let text = "Server failed to authenticate the request: the signature is not valid, or has ended.";
        return Err(Fault(403, "AuthenticationFailed", text));
    }
    let path = frame::segments(parts.uri.path());
    let (container, name) = path.split_first().ok_or(UNKNOWN)?;
    if *container != state.bulk_container() {
        return Err(Fault(404, "ContainerNotFound", "The specified container does not exist."));
    }
    let name = name.join("/");
    match (&parts.method, query.get("comp").map(String::as_str)) {
        (&Method::HEAD, None) => Ok(described(state.contained(&name).ok_or(UNKNOWN)?)),
        (&Method::PUT, None) => {
            if parts.headers.get("x-ms-blob-type").is_none_or(|kind| kind != "BlockBlob") {
                return Err(Fault(400, "MissingRequiredHeader", "x-ms-blob-type has to be BlockBlob."));
            }
            put(state, parts, &name, content)
        }
        (&Method::PUT, Some("block")) => {
            let missing = Fault(400, "InvalidQueryParameterValue", "blockid is missing.");
            state.keep_block(&name, query.get("blockid").ok_or(missing)?, content);
            Ok(made())
        }
        (&Method::PUT, Some("blocklist")) => {
            let wrong = || Fault(400, "InvalidBlockList", "The specified block list is invalid.");
            let list =
                content.bytes().ok().and_then(|bytes| Element::parse(&bytes).ok()).ok_or_else(wrong)?;
            let blocks: Vec<String> = list.elements().map(Element::content).collect();
            let content = state.join_blocks(&name, &blocks).ok_or_else(wrong)?;
            put(state, parts, &name, content)
        }
        _ => Err(Fault(405, "UnsupportedHttpVerb", "The resource does not support this call.")),
    }
}

fn put(state: &mut State, parts: &Parts, name: &str, content: Blob) -> Result<Response<Body>, Fault> {
    let only_new = parts.headers.get(header::IF_NONE_MATCH).is_some_and(|value| value == "*");
    if only_new && state.contained(name).is_some() {
        return Err(Fault(409, "BlobAlreadyExists", "The specified blob already exists."));
    }
    let kept = state.contain(name, content, metadata(&parts.headers));
    let mut response = made();
    stamp(&mut response, &kept);
    Ok(response)
}

fn metadata(headers: &HeaderMap) -> BTreeMap<String, String> {
    let said = headers.iter().filter_map(|(name, value)| {
        let name = name.as_str().strip_prefix(METADATA)?;
        Some((name.to_owned(), value.to_str().ok()?.to_owned()))
    });
    said.collect()
}

fn made() -> Response<Body> {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::CREATED;
    set(&mut response, "x-ms-request-server-encrypted", "true");
    response
}

fn described(kept: &Contained) -> Response<Body> {
    let mut response = Response::new(Body::empty());
    stamp(&mut response, kept);
    set(&mut response, "content-length", &kept.content.size.to_string());
    set(&mut response, "content-type", "application/octet-stream");
    set(&mut response, "x-ms-blob-type", "BlockBlob");
    for (name, value) in &kept.metadata {
        set(&mut response, &format!("{METADATA}{name}"), value);
    }
    response
}

fn stamp(response: &mut Response<Body>, kept: &Contained) {
    set(response, "etag", &kept.tag);
    set(response, "last-modified", &kept.at.strftime("%a, %d %b %Y %H:%M:%S GMT").to_string());
}

fn set(response: &mut Response<Body>, name: &str, value: &str) {
    if let (Ok(name), Ok(value)) = (name.parse::<HeaderName>(), HeaderValue::from_str(value)) {
        response.headers_mut().insert(name, value);
    }
}
