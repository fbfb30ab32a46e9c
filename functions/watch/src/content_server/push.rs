//! The door for pushes: a `WebReport`, a workflow step or a person says that a node changed, or asks for something.
//!
//! Whatever a push says is a hint; the flow reads the node itself. So nothing is asked of Content Server here, and the
//! answer takes milliseconds: check the signature, remember the delivery, put one message per node and flow on a queue.

use bytes::Bytes;
use http::{Method, Request, Response, StatusCode, header};
use serde::Deserialize;
use serde_json::json;
use shared::{
    environment::Environment,
    error::{Error, FailureClass, Result},
    function::{Function, Problem},
    node_change::NodeChange,
    webhook::{Delivery, KeptSecret, Refusal, TOLERANCE, Verifier},
};

use super::WatchContentServer;
use crate::feeds::Feed;

/// Where pushes go.
const PATH: &str = "/changes";
/// The largest push.
const LARGEST: usize = 256 * 1024;
/// Most nodes of one push.
const MOST_NODES: usize = 100;

/// Who may push; nobody when no secret is configured.
pub(super) struct Door(Option<KeptSecret<Verifier>>);

/// What a push says.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Push {
    feed: String,
    #[serde(default)]
    node: Option<i64>,
    #[serde(default)]
    nodes: Vec<i64>,
    #[serde(default)]
    request: Option<String>,
}

impl Door {
    /// Reads the signing secret, when one is configured.
    pub(super) async fn open(environment: &Environment) -> Result<Self> {
        let secret = environment.settings.signing_secret.as_str();
        if secret.is_empty() {
            return Ok(Self(None));
        }
        KeptSecret::open(environment, secret, Verifier::from_json).await.map(Some).map(Self)
    }
}

impl WatchContentServer {
    /// Answers a request at the door.
    pub(super) async fn take_push(&self, request: &Request<Bytes>) -> Response<Bytes> {
        match self.pushed(request).await {
            Ok((status, accepted)) => {
                let body = json!({ "accepted": accepted }).to_string();
                let mut response = Response::new(Bytes::from(body));
                *response.status_mut() = status;
                let json = header::HeaderValue::from_static("application/json");
                response.headers_mut().insert(header::CONTENT_TYPE, json);
                response
            }
            Err(problem) => {
                tracing::warn!(code = problem.code(), "a push was refused");
                problem.response()
            }
        }
    }

    async fn pushed(&self, request: &Request<Bytes>) -> Result<(StatusCode, usize), Problem> {
        if request.uri().path().trim_end_matches('/') != PATH {
            return Err(Problem::new(StatusCode::NOT_FOUND, "http.no-such-path", "Nothing is served here")
                .detail(format!("pushes go to {PATH}")));
        }
        if request.method() != Method::POST {
            let status = StatusCode::METHOD_NOT_ALLOWED;
            return Err(Problem::new(status, "http.method", "Only POST is served here"));
        }
        if request.body().len() > LARGEST {
            let problem =
                Problem::new(StatusCode::PAYLOAD_TOO_LARGE, "push.too-large", "The push is too large");
            return Err(problem.detail(format!("at most {LARGEST} bytes are taken")));
        }
        let Some(secret) = &self.door.0 else {
            let status = StatusCode::NOT_FOUND;
            return Err(Problem::new(status, "push.off", "Pushes are switched off"));
        };
        let now = self.environment.context.now();
        let verifier = secret.get(&self.environment).await;
        let delivery = verifier.verify(request.headers(), request.body(), now).map_err(unauthorized)?;
        let push: Push = serde_json::from_slice(request.body())
            .map_err(|error| malformed(format!("the body is not a push: {error}")))?;
        let feed = self.feeds.iter().find(|feed| feed.name == push.feed);
        let feed = feed.ok_or_else(|| malformed(format!("there is no feed {:?}", push.feed)))?;
        let changes = changes(&push, &delivery)?;
        self.deliver(feed, &delivery, changes).await
    }

    /// Once per delivery, however often it is sent: its id is remembered for as long as its signature is good.
    async fn deliver(
        &self,
        feed: &Feed,
        delivery: &Delivery,
        changes: Vec<NodeChange>,
    ) -> Result<(StatusCode, usize), Problem> {
        let ledger = &self.environment.ledger;
        let taken = ledger.is_delivered(Self::NAME, &delivery.id).await;
        if taken.map_err(|error| away(&error))? {
            return Ok((StatusCode::OK, 0));
        }
        let accepted = changes.len();
        let messages: Vec<(NodeChange, Vec<String>)> =
            changes.into_iter().map(|change| (change, feed.flows.clone())).collect();
        let (_, failure) = self.tell(&feed.name, &messages).await;
        if let Some(error) = failure {
            return Err(away(&error));
        }
        // Only now: a crash before this line lets the sender's next attempt through, with the same message ids.
        let until = delivery.signed_at.saturating_add(2 * TOLERANCE);
        let remembered = ledger.set_delivered(Self::NAME, &delivery.id, until).await;
        remembered.map_err(|error| away(&error))?;
        Ok((StatusCode::ACCEPTED, accepted))
    }
}

fn changes(push: &Push, delivery: &Delivery) -> Result<Vec<NodeChange>, Problem> {
    let mut nodes: Vec<i64> = push.nodes.iter().copied().chain(push.node).collect();
    nodes.sort_unstable();
    nodes.dedup();
    if nodes.is_empty() || nodes.len() > MOST_NODES || nodes.iter().any(|node| *node <= 0) {
        return Err(malformed(format!("expected 1 to {MOST_NODES} node ids in `node` or `nodes`")));
    }
    if let Some(request) = &push.request {
        let fits = |c: char| c.is_ascii_lowercase() || c == '-';
        if request.is_empty() || request.len() > 32 || !request.chars().all(fits) {
            return Err(malformed("`request` is a word of lower-case letters, such as recall".to_owned()));
        }
    }
    let change = |node| NodeChange::about(node, push.request.as_deref(), delivery.id.clone());
    Ok(nodes.into_iter().map(change).collect())
}

fn unauthorized(refusal: Refusal) -> Problem {
    let code = match refusal {
        Refusal::Headers => "push.unsigned",
        Refusal::Time => "push.out-of-time",
        Refusal::Signature => "push.signature",
    };
    let title = "The push is not signed as it has to be";
    Problem::new(StatusCode::UNAUTHORIZED, code, title).detail(refusal.to_string())
}

fn malformed(detail: String) -> Problem {
    let title = "The push cannot be understood";
    Problem::new(StatusCode::BAD_REQUEST, "push.malformed", title).detail(detail)
}

fn away(error: &Error) -> Problem {
    tracing::error!(code = error.code(), error = ?error, "a push could not be taken");
    let seconds = if error.class() == FailureClass::Throttled { 30 } else { 5 };
    let title = "The push cannot be taken just now";
    Problem::new(StatusCode::SERVICE_UNAVAILABLE, "push.not-now", title).retry_after(seconds)
}
