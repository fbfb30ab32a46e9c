//! The calls as a client sees them, in-process.

mod doors;
mod editing;
mod failing;
mod imports;
mod looking;
mod reading;
mod states;

use axum::body::Body;
use bytes::Bytes;
use http::{HeaderMap, Request};
use serde_json::{Value, json};
use tower::ServiceExt as _;

use super::state::Session;
use super::{Settings, Simulator, seed};
use crate::Clock;

/// A simulator whose clock stands still.
pub(super) fn simulator(settings: Settings) -> Simulator {
    Simulator::new(settings, Clock::fixed("2031-05-06T07:08:09Z".parse().unwrap()))
}

pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) headers: HeaderMap,
    pub(super) bytes: Bytes,
}

impl Answer {
    pub(super) fn text(&self) -> String {
        String::from_utf8_lossy(&self.bytes).into_owned()
    }

    pub(super) fn json(&self) -> Value {
        serde_json::from_slice(&self.bytes).unwrap_or_else(|error| panic!("{error}: {}", self.text()))
    }

    /// The sentence of an error.
    pub(super) fn sentence(&self) -> String {
        self.json()["exception_body"]["message"].as_str().unwrap().to_owned()
    }
}

pub(super) async fn perform(simulator: &Simulator, request: Request<Body>) -> Answer {
    let (parts, body) = simulator.router().oneshot(request).await.unwrap().into_parts();
    let bytes = axum::body::to_bytes(body, usize::MAX).await.unwrap();
    Answer { status: parts.status.as_u16(), headers: parts.headers, bytes }
}

/// Somebody with a session, and what they do with it.
pub(super) struct Caller<'a> {
    pub(super) simulator: &'a Simulator,
    pub(super) session: Session,
}

/// The integration user with a session.
pub(super) fn caller(simulator: &Simulator) -> Caller<'_> {
    as_user(simulator, seed::INTEGRATION_ID)
}

pub(super) fn as_user<'a>(simulator: &'a Simulator, user: &str) -> Caller<'a> {
    Caller { simulator, session: simulator.with_state(|state| state.open_session(user)).unwrap() }
}

/// JSON as it stands in a query.
pub(super) fn encoded(value: &Value) -> String {
    url::form_urlencoded::byte_serialize(value.to_string().as_bytes()).collect()
}

pub(super) fn form(pairs: &[(&str, &str)]) -> String {
    url::form_urlencoded::Serializer::new(String::new()).extend_pairs(pairs).finish()
}

impl Caller<'_> {
    async fn send(&self, method: &str, path: &str, kind: &str, body: impl Into<Body>) -> Answer {
        let request = Request::builder()
            .method(method)
            .uri(format!("/otmmapi/v6/{path}"))
            .header("otmmauthtoken", &self.session.digest)
            .header("x-requested-by", self.session.id)
            .header("content-type", kind);
        perform(self.simulator, request.body(body.into()).unwrap()).await
    }

    pub(super) async fn get(&self, path: &str) -> Answer {
        self.send("GET", path, "", Body::empty()).await
    }

    pub(super) async fn json(&self, method: &str, path: &str, body: &Value) -> Answer {
        self.send(method, path, "application/json; charset=UTF-8", body.to_string()).await
    }

    pub(super) async fn form(&self, method: &str, path: &str, pairs: &[(&str, &str)]) -> Answer {
        self.send(method, path, "application/x-www-form-urlencoded", form(pairs)).await
    }

    /// A form with files: each part is a name, a file name, a type, and bytes.
    pub(super) async fn parts(
        &self,
        method: &str,
        path: &str,
        parts: &[(&str, Option<&str>, &str, &[u8])],
    ) -> Answer {
        let mut body = Vec::new();
        for (name, file, kind, bytes) in parts {
            let file = file.map(|file| format!("; filename=\"{file}\"")).unwrap_or_default();
            let head = format!(
                "--cut\r\nContent-Disposition: form-data; name=\"{name}\"{file}\r\nContent-Type: {kind}\r\n\r\n"
            );
            body.extend_from_slice(head.as_bytes());
            body.extend_from_slice(bytes);
            body.extend_from_slice(b"\r\n");
        }
        body.extend_from_slice(b"--cut--\r\n");
        self.send(method, path, "multipart/form-data; boundary=cut", body).await
    }

    /// One asset with everything.
    pub(super) async fn asset(&self, id: &str) -> Value {
        self.get(&format!("assets/{id}?load_type=full")).await.json()["asset_resource"]["asset"].clone()
    }

    /// Does something to the state of an asset.
    pub(super) async fn act(&self, id: &str, action: &str) -> Answer {
        self.form("PUT", &format!("assets/{id}/state"), &[("action", action)]).await
    }

    /// Searches with these conditions.
    pub(super) async fn search(&self, conditions: &Value, more: &[(&str, &str)]) -> Value {
        let answer = self.search_answer(conditions, more).await;
        assert_eq!(answer.status, 200, "{}", answer.text());
        answer.json()["search_result_resource"].clone()
    }

    pub(super) async fn search_answer(&self, conditions: &Value, more: &[(&str, &str)]) -> Answer {
        let list = json!({"search_condition_list": {"search_condition": conditions}}).to_string();
        let mut pairs = vec![("search_condition_list", list.as_str())];
        pairs.extend(more);
        self.form("POST", "search/text", &pairs).await
    }
}

/// A condition on a field.
pub(super) fn condition(field: &str, operator: &str, value: &str) -> Value {
    json!({
        "type": "com.artesia.search.SearchScalarCondition", "metadata_field_id": field,
        "relational_operator_id": operator, "value": value,
    })
}

/// The names of what is in a list.
pub(super) fn names(list: &Value) -> Vec<&str> {
    list.as_array().unwrap().iter().map(|one| one["name"].as_str().unwrap()).collect()
}

/// The id of what has a name in the seed.
pub(super) fn seeded(simulator: &Simulator, name: &str) -> String {
    simulator.with_state(|state| state.titled(name).map(|asset| asset.id.clone())).unwrap()
}

/// Lets so many seconds pass.
pub(super) fn wait(simulator: &Simulator, seconds: i64) {
    simulator.clock().advance(jiff::SignedDuration::from_secs(seconds));
}

/// An edit of one field.
pub(super) fn edit(field: &str, value: Value) -> Value {
    json!({"edited_asset": {"data": {"metadata": [
        {"id": field, "type": "com.artesia.metadata.MetadataField", "value": value},
    ]}}})
}

/// A text as a value.
pub(super) fn text(value: &str) -> Value {
    json!({"value": {"type": "string", "value": value}})
}

/// The field or table with an id in the metadata of an asset.
pub(super) fn field<'a>(asset: &'a Value, id: &str) -> &'a Value {
    let groups = asset["metadata"]["metadata_element_list"].as_array().unwrap();
    let mut all = groups.iter().flat_map(|group| group["metadata_element_list"].as_array().unwrap());
    all.find(|element| element["id"] == id).unwrap_or_else(|| panic!("no {id}"))
}

/// A selection of these ids.
pub(super) fn selection(ids: &[&str]) -> String {
    json!({"selection_context_param": {"selection_context": {
        "type": "com.artesia.asset.selection.AssetIdsSelectionContext", "asset_ids": ids,
    }}})
    .to_string()
}
