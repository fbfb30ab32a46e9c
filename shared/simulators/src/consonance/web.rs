//! Admin calls under `/_simulator/`, and the page to look around.

use axum::body::Body;
use http::{Request, Response};
use serde_json::{Value, json};

use super::Simulator;
use super::state::{State, Table};
use crate::admin::{Admin, AdminCall, no_such};
use crate::frame::json_response;

const VIEW: &str = include_str!("web/view.js");

/// Serves an admin call or a part of the page.
pub(super) async fn answer(simulator: &Simulator, request: Request<Body>) -> Response<Body> {
    let call = AdminCall::read(request).await;
    let admin = Admin {
        clock: simulator.clock(),
        faults: simulator.faults(),
        journal: simulator.journal(),
        name: "Consonance",
        view: VIEW,
        settings: &|| json!(simulator.with_state(|state| state.settings.clone())),
        change: &|settings| {
            let settings = serde_json::from_value(settings).map_err(|error| error.to_string())?;
            Ok(json!(simulator.with_state(|state| {
                state.settings = settings;
                state.settings.clone()
            })))
        },
        reset: &|| simulator.reset(),
    };
    if let Some(response) = admin.answer(&call) {
        return response;
    }
    let segments: Vec<&str> = call.segments.iter().map(String::as_str).collect();
    match (call.method.as_str(), segments.as_slice()) {
        ("POST", ["sessions", "end"]) => {
            simulator.with_state(|state| {
                state.graphql_keys.clear();
                state.rest_tokens.clear();
            });
            json_response(200, &json!({"ended": true}))
        }
        ("GET", ["state"]) => json_response(200, &simulator.with_state(|state| json!(&*state))),
        ("GET", ["state", "works"]) => json_response(200, &simulator.with_state(|state| works(state))),
        ("GET", ["state", "works", id]) => match simulator.with_state(|state| work(state, id)) {
            Some(work) => json_response(200, &work),
            None => no_such("work"),
        },
        _ => no_such("admin call"),
    }
}

fn works(state: &State) -> Value {
    let shown = state.works.values().map(|work| {
        let products = state.products.values().filter(|product| product["workId"] == work["id"]).count();
        json!({"id": work["id"], "title": work["title"], "stage": work["projectStage"], "products": products})
    });
    shown.collect()
}

/// A work with all that belongs to it.
fn work(state: &State, id: &str) -> Option<Value> {
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
