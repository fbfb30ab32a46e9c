//! The GraphQL interface: a schema out of [`schema.graphql`](schema), and answers out of the state.

mod changes;
mod resolve;
mod schema;

use axum::body::Body;
use http::Response;
use serde_json::{Map, Value, json};

pub(super) use async_graphql::dynamic::Schema;

use super::{Simulator, State};
use crate::frame::json_response;

/// The schema for the switches as they are now.
fn schema_of(state: &mut State) -> Result<Schema, String> {
    match &state.schema {
        Some((of, schema)) if *of == state.settings => Ok(schema.clone()),
        _ => {
            let schema = schema::build(&state.settings)?;
            state.schema = Some((state.settings.clone(), schema.clone()));
            Ok(schema)
        }
    }
}

/// Runs one request. Its errors come with status 200, as graphql-ruby sends them: without `data` when nothing was run.
pub(super) async fn answer(simulator: &Simulator, bytes: &[u8]) -> Response<Body> {
    let Ok(Value::Object(body)) = serde_json::from_slice::<Value>(bytes) else {
        return json_response(400, &json!({"errors": [{"message": "The request is no JSON object"}]}));
    };
    let schema = match simulator.with_state(schema_of) {
        Ok(schema) => schema,
        Err(why) => return json_response(500, &json!({"errors": [{"message": why}]})),
    };
    let text = body.get("query").and_then(Value::as_str).unwrap_or_default();
    let variables = body.get("variables").cloned().unwrap_or_default();
    let mut request = async_graphql::Request::new(text)
        .variables(async_graphql::Variables::from_json(variables))
        .data(simulator.clone());
    if let Some(name) = body.get("operationName").and_then(Value::as_str) {
        request = request.operation_name(name);
    }
    let response = schema.execute(request).await;
    let was_run = response.errors.iter().all(|error| !error.path.is_empty());
    let errors = response.errors.iter().map(|error| {
        let locations = error.locations.iter().map(|at| json!({"line": at.line, "column": at.column}));
        let mut shown = Map::from_iter([
            ("message".to_owned(), json!(error.message)),
            ("locations".to_owned(), locations.collect()),
        ]);
        if !error.path.is_empty() {
            shown.insert("path".to_owned(), json!(error.path));
        }
        Value::Object(shown)
    });
    let errors: Vec<Value> = errors.collect();
    let mut answer = Map::new();
    if was_run {
        answer.insert("data".to_owned(), response.data.into_json().unwrap_or_default());
    }
    if !errors.is_empty() {
        answer.insert("errors".to_owned(), errors.into());
    }
    json_response(200, &Value::Object(answer))
}
