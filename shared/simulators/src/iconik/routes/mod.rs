//! The calls: each file reads the parameters of one family, asks the state, and renders.

mod approvals;
mod asset_parts;
mod assets;
mod auth;
mod automations;
mod collections;
mod custom_actions;
mod delete_queue;
mod files;
mod jobs;
mod metadata;
mod oauth;
mod search;
mod segments;
mod shares;
mod tenant;
mod transcriptions;
mod webhooks;

use http::Method;

use super::call::Call;
use super::reply::{Outcome, Refusal, Reply};

/// A family of calls: `None` when the path (service, version, rest) is not its own.
type Family = fn(&mut Call<'_>, &str, &[&str]) -> Option<Outcome<Reply>>;

/// All families.
const FAMILIES: &[Family] = &[
    // Before assets: `relation_types` stands where an id would.
    asset_parts::route,
    assets::route,
    auth::route,
    collections::route,
    delete_queue::route,
    files::route,
    jobs::route,
    metadata::route,
    search::route,
    tenant::route,
    approvals::route,
    automations::route,
    custom_actions::route,
    segments::route,
    shares::route,
    transcriptions::route,
    webhooks::route,
];

/// Whether a call needs no credentials.
pub(super) fn is_public(method: &Method, path: &[&str]) -> bool {
    *method == Method::POST
        && matches!(path, ["auth", "v1", "oauth", "token"] | ["auth", "v1", "auth", "simple", "login"])
}

/// Finds the call.
pub(super) fn route(call: &mut Call<'_>, path: &[&str]) -> Outcome<Reply> {
    let method = call.method.clone();
    let found = FAMILIES.iter().find_map(|family| family(call, method.as_str(), path));
    found.unwrap_or(Err(Refusal::NoUrl))
}
