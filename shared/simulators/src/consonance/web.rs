//! What the administrator is shown of the state.

use axum::body::Body;
use http::Response;
use serde_json::{Value, json};

use super::Simulator;
use super::state::{State, Table};
use crate::admin::shown;

/// The calls that the others have not: works by the name they have here.
pub(super) fn beside(simulator: &Simulator, method: &str, segments: &[&str]) -> Option<Response<Body>> {
    match (method, segments) {
        ("GET", ["state", "works"]) => Some(shown(simulator.with_state(|state| children(state, "top")))),
        ("GET", ["state", "works", id]) => Some(shown(simulator.with_state(|state| object(state, id)))),
        _ => None,
    }
}

/// All of the account but its keys.
pub(super) fn everything(state: &State) -> Value {
    let mut shown = json!(state);
    if let Some(members) = shown.as_object_mut() {
        members.remove("graphql_keys");
        members.remove("rest_tokens");
    }
    shown
}

/// Works, with nothing inside that could be chosen.
pub(super) fn children(state: &State, parent: &str) -> Option<Value> {
    let shown = state.works.values().filter(|_| parent == "top").map(|work| {
        let products = state.products.values().filter(|product| product["workId"] == work["id"]).count();
        json!({
            "id": work["id"], "title": work["title"], "stage": work["projectStage"], "products": products, "children": 0,
        })
    });
    Some(shown.collect())
}

/// A work with all that belongs to it.
pub(super) fn object(state: &State, id: &str) -> Option<Value> {
    let work = id.parse::<i64>().ok().and_then(|id| state.works.get(&id))?;
    let its = |table: &Table| -> Value {
        table.values().filter(|record| record["workId"] == work["id"]).cloned().collect()
    };
    Some(json!({
        "work": work, "products": its(&state.products), "contributions": its(&state.contributions),
        "contracts": its(&state.contracts), "resources": its(&state.resources),
        "production_files": its(&state.production_files), "web_links": its(&state.web_links),
    }))
}
