//! The buckets that signed addresses lead to: below `/_storage/{storage}/{key}`, each speaking its provider's language.

mod answer;
mod b2;
mod google;
mod object;
mod parts;

use axum::body::Body;
use futures_util::StreamExt as _;
use http::{HeaderMap, Method, Request, Response};
use md5::{Digest as _, Md5};
use sha1::Sha1;

use super::Simulator;
use super::state::State;
use super::state::media::{Given, Received, text};
use answer::Fault;

/// Where the buckets are.
pub(super) const PLACE: &str = "/_storage/";

/// What a bucket's call answers.
type Answer = Result<Response<Body>, Fault>;

/// A call to a bucket.
struct Asked {
    method: Method,
    storage: String,
    key: String,
    params: Vec<(String, String)>,
    headers: HeaderMap,
}

impl Asked {
    fn param(&self, name: &str) -> Option<&str> {
        self.params.iter().find(|(found, _)| found == name).map(|(_, value)| value.as_str())
    }

    fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }

    fn content_type(&self) -> String {
        self.header("content-type").unwrap_or("application/octet-stream").to_owned()
    }

    fn place(&self) -> (&str, &str) {
        (&self.storage, &self.key)
    }
}

/// Serves one call to a bucket.
pub(super) async fn answer(simulator: &Simulator, request: Request<Body>, sequence: u64) -> Response<Body> {
    let (parts, body) = request.into_parts();
    let path = parts.uri.path().strip_prefix(PLACE).unwrap_or_default();
    let (storage, key) = path.split_once('/').unwrap_or((path, ""));
    let decoded = |text: &str| percent_encoding::percent_decode_str(text).decode_utf8_lossy().into_owned();
    let query = url::form_urlencoded::parse(parts.uri.query().unwrap_or_default().as_bytes());
    let mut asked = Asked {
        method: parts.method,
        storage: decoded(storage),
        key: decoded(key),
        params: query.into_owned().collect(),
        headers: parts.headers,
    };
    let Some(provider) = simulator.with_state(|state| provider(state, &asked.storage)) else {
        return Fault::no_bucket(&asked.storage).response();
    };
    if provider == "B2" && asked.key.starts_with("b2api/") {
        let (received, bytes) = match receive(simulator, body, b2::is_part(&asked), true).await {
            Ok(received) => received,
            Err(why) => return why.response(),
        };
        simulator.journal().note(sequence, |entry| entry.received = bytes);
        return simulator.with_state(|state| b2::act(state, &mut asked, received));
    }
    let allowed = match google::is_session(&asked) {
        true => Ok(()),
        false => simulator.with_state(|state| allow(state, &asked, &provider)),
    };
    if let Err(refused) = allowed {
        return refused.response();
    }
    let is_part = asked.param("partNumber").is_some() || google::is_session(&asked);
    let (received, bytes) = match receive(simulator, body, is_part, false).await {
        Ok(received) => received,
        Err(why) => return why.response(),
    };
    simulator.journal().note(sequence, |entry| entry.received = bytes);
    let answered = simulator.with_state(|state| act(state, &asked, &provider, received));
    answered.unwrap_or_else(|fault| fault.response())
}

fn provider(state: &mut State, storage: &str) -> Option<String> {
    state.media.storages.get(storage).map(|storage| text(storage, "method").to_owned())
}

/// Whether the address is good now.
fn allow(state: &State, asked: &Asked, provider: &str) -> Result<(), Fault> {
    let Asked { method, storage, key, params, headers } = asked;
    match state.check_signature(method.as_str(), storage, key, params, headers) {
        Given::Valid => Ok(()),
        Given::Unsigned => Err(Fault::denied("Access Denied")),
        Given::Tampered => Err(Fault::tampered(provider)),
        Given::Expired { lifetime, at } => Err(Fault::expired(
            provider,
            state.settings.media.google_expired_status,
            lifetime,
            (at, state.now),
        )),
    }
}

/// Takes a body in, in constant memory.
async fn receive(
    simulator: &Simulator,
    body: Body,
    is_part: bool,
    sha1: bool,
) -> Result<(Received, u64), Fault> {
    let mut spool = simulator.with_state(|state| state.settings.media.spool(is_part));
    let (mut md5, mut digest) = (Md5::new(), sha1.then(Sha1::new));
    let mut pieces = body.into_data_stream();
    while let Some(piece) = pieces.next().await {
        let piece = piece.map_err(|_| Fault::cut())?;
        md5.update(&piece);
        if let Some(digest) = &mut digest {
            digest.update(&piece);
        }
        spool.write(&piece).map_err(|error| Fault::internal(&error.to_string()))?;
    }
    let size = spool.size();
    let sha1 = digest.map(|digest| hex::encode(digest.finalize()));
    Ok((Received { content: spool.finish(), md5: md5.finalize().into(), sha1 }, size))
}

/// Does what an address allows.
fn act(state: &mut State, asked: &Asked, provider: &str, received: Received) -> Answer {
    let has = |name: &str| asked.param(name).is_some();
    match asked.method {
        Method::GET | Method::HEAD if has("uploadId") => parts::list(state, asked),
        Method::GET | Method::HEAD => object::get(state, asked),
        Method::POST if has("uploads") => parts::begin(state, asked),
        Method::POST if has("uploadId") => parts::complete(state, asked, &received),
        Method::POST if provider == "GCS" && asked.header("x-goog-resumable") == Some("start") => {
            google::begin(state, asked)
        }
        Method::PUT if google::is_session(asked) => google::receive(state, asked, &received),
        Method::DELETE if google::is_session(asked) => google::cancel(state, asked),
        Method::PUT if has("compose") => google::compose(state, asked, &received),
        Method::PUT if has("partNumber") => parts::put(state, asked, received),
        Method::PUT => object::put(state, asked, provider, received),
        Method::DELETE if has("uploadId") => parts::abort(state, asked),
        Method::DELETE => object::delete(state, asked),
        _ => Err(Fault::new(
            405,
            "MethodNotAllowed",
            "The specified method is not allowed against this resource.",
        )),
    }
}
