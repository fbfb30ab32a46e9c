//! What tests of media share.

use axum::body::Body;
use bytes::Bytes;
use http::{HeaderMap, Request};
use serde_json::{Value, json};
use tower::ServiceExt as _;

use super::call;
use crate::iconik::Simulator;

/// A bare request, as to a bucket: status, headers, bytes.
pub(super) async fn bare(
    simulator: &Simulator,
    method: &str,
    address: &str,
    headers: &[(&str, &str)],
    body: impl Into<Body>,
) -> (u16, HeaderMap, Bytes) {
    let path = address.strip_prefix("http://127.0.0.1").unwrap_or(address);
    let mut request = Request::builder().method(method).uri(path);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let response = simulator.router().oneshot(request.body(body.into()).unwrap()).await.unwrap();
    let (parts, body) = response.into_parts();
    let bytes = axum::body::to_bytes(body, usize::MAX).await.unwrap();
    (parts.status.as_u16(), parts.headers, bytes)
}

/// The text of an element of a bucket's answer.
pub(super) fn element(bytes: &[u8], name: &str) -> String {
    let text = String::from_utf8_lossy(bytes);
    let inner =
        text.split(&format!("<{name}>")).nth(1).and_then(|rest| rest.split(&format!("</{name}>")).next());
    inner.unwrap_or_else(|| panic!("no {name} in {text}")).replace("&quot;", "\"")
}

/// A text of an answer.
pub(super) fn text(value: &Value, name: &str) -> String {
    value[name].as_str().unwrap_or_else(|| panic!("no {name} in {value}")).to_owned()
}

/// A call that has to answer this status.
pub(super) async fn done(
    simulator: &Simulator,
    expected: u16,
    method: &str,
    path: &str,
    body: impl Into<Option<Value>>,
) -> Value {
    let (status, answer) = call(simulator, method, path, body.into()).await;
    assert_eq!(status, expected, "{method} {path}: {answer}");
    answer
}

/// An asset with a format and a file set on this storage: the three ids.
pub(super) async fn file_set(simulator: &Simulator, storage: &str) -> (String, String, String) {
    let asset = done(simulator, 201, "POST", "assets/v1/assets/", json!({"title": "Fresh"})).await;
    let asset = text(&asset, "id");
    let format = done(
        simulator,
        201,
        "POST",
        &format!("files/v1/assets/{asset}/formats/"),
        json!({"name": "ORIGINAL"}),
    )
    .await;
    let format = text(&format, "id");
    let given = json!({"name": "fresh", "format_id": format, "storage_id": storage, "base_dir": "", "component_ids": []});
    let made = done(simulator, 201, "POST", &format!("files/v1/assets/{asset}/file_sets/"), given).await;
    (asset, format, text(&made, "id"))
}

/// A file in a new file set on this storage: the asset and the answer of its making.
pub(super) async fn file(simulator: &Simulator, storage: &str, name: &str) -> (String, Value) {
    let (asset, _, set) = file_set(simulator, storage).await;
    let given = json!({"original_name": name, "directory_path": "in", "file_set_id": set, "type": "FILE", "size": 11});
    let made = done(simulator, 201, "POST", &format!("files/v1/assets/{asset}/files/"), given).await;
    (asset, made)
}

/// The id of a seeded asset.
pub(super) fn seeded(simulator: &Simulator, title: &str) -> String {
    simulator.with_state(|state| {
        let mut assets = state.assets.objects();
        let found =
            assets.find(|asset| asset["title"] == title).unwrap_or_else(|| panic!("no asset {title}"));
        found["id"].as_str().unwrap().to_owned()
    })
}
