//! The calls: each file reads the parameters of one family, asks the state, and renders.

mod assets;

use http::Method;

use super::call::Call;
use super::reply::{Outcome, Refusal, Reply};

/// A family of calls: `None` when the path (service, version, rest) is not its own.
type Family = fn(&mut Call<'_>, &str, &[&str]) -> Option<Outcome<Reply>>;

/// Whether a call needs no credentials.
pub(super) fn is_public(method: &Method, path: &[&str]) -> bool {
    *method == Method::POST
        && matches!(path, ["auth", "v1", "oauth", "token"] | ["auth", "v1", "auth", "simple", "login"])
}

/// Finds the call.
pub(super) fn route(call: &mut Call<'_>, path: &[&str]) -> Outcome<Reply> {
    let families: [Family; 1] = [assets::route];
    let method = call.method.clone();
    let found = families.into_iter().find_map(|family| family(call, method.as_str(), path));
    found.unwrap_or(Err(Refusal::NoUrl))
}
