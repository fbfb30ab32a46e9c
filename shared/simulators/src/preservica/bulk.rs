//! The bulk location over HTTP: the calls of S3, for whoever shows credentials that were given out for it.

use axum::Router;
use axum::body::Body;
use http::{HeaderMap, Request, Response};

use super::Simulator;
use super::routes::storage::fault_response;
use super::state::{Fault, Shown};

impl Simulator {
    /// The bulk location, as a router for a port of its own. Packages that are put there are taken in; trees when their
    /// workflow is started. Signatures are not checked.
    pub fn bulk_router(&self) -> Router {
        self.routed_beside(refuse, answer)
    }
}

fn refuse(status: u16, text: &str) -> Response<Body> {
    fault_response(&Fault::new(status, "InternalError", text))
}

async fn answer(simulator: Simulator, request: Request<Body>, _: u64) -> Response<Body> {
    let (key, session) = credentials(request.headers());
    let shown = simulator.with_state(|state| state.shown(&key, &session));
    let refused = match shown {
        Shown::Good => None,
        Shown::Ended => Some(Fault::new(400, "ExpiredToken", "The provided token has expired.")),
        Shown::Unknown => {
            let text = "The AWS Access Key Id you provided does not exist in our records.";
            Some(Fault::new(403, "InvalidAccessKeyId", text))
        }
    };
    if let Some(fault) = refused {
        // A client notices a refusal only after it has sent all.
        let _ = axum::body::to_bytes(request.into_body(), usize::MAX).await;
        return fault_response(&fault);
    }
    let Some(storage) = simulator.with_state(|state| state.bulk.clone()) else {
        return fault_response(&Fault::new(404, "NoSuchBucket", "The specified bucket does not exist"));
    };
    let response = storage.call(request).await;
    simulator.with_state(super::State::watch_bulk);
    response
}

/// The access key and the session token of a signature.
fn credentials(headers: &HeaderMap) -> (String, String) {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let key = text("authorization").split_once("Credential=").and_then(|(_, rest)| rest.split('/').next());
    (key.unwrap_or_default().to_owned(), text("x-amz-security-token").to_owned())
}
