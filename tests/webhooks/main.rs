//! The public doors: who may speak, what becomes of what is said, and that nothing anybody sends breaks them.

mod properties;
mod receiving;
mod refusing;

use std::collections::BTreeMap;

use bytes::Bytes;
use http::{Request, Response};
use serde_json::{Value, json};
use tests::public_door::{PublicDoor, Told};
use webhooks::RECEIVE_ICONIK;

const HEADER: &str = "x-waybill-secret";
const SECRET: &str = "kR3nVd8sQm1xZt7bLw5cYf2h";
const FLOWS: [&str; 3] = ["sync-asset-metadata", "publish-finals", "link-references"];

const TENANT: &str = "9a1c7f3e-5d0b-11ec-a1c3-0a580a3c8cdd";
const USER: &str = "2b6c9d1e-5d0b-11ec-b7f2-0a580a3c8cdd";
const OURSELVES: &str = "3c7d0e2f-5d0b-11ec-88a3-0a580a3c8cdd";
const ASSET: &str = "5c0e4a7a-c7b1-11ec-8a55-0a580a3d8cdd";
const COLLECTION: &str = "7d1f5b8b-c7b1-11ec-9b66-0a580a3d8cdd";
const SHARE: &str = "8e2a6c9c-c7b1-11ec-ac77-0a580a3d8cdd";
const PUBLISH: &str = "9f3b7dad-c7b1-11ec-bd88-0a580a3d8cdd";
const TOKEN: &str = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJzb21lYm9keSJ9.c2lnbmF0dXJl";

const SUBSCRIPTIONS: &str = r#"
own_users = ["3c7d0e2f-5d0b-11ec-88a3-0a580a3c8cdd"]
tenant = "9a1c7f3e-5d0b-11ec-a1c3-0a580a3c8cdd"

[[webhook]]
name = "metadata"
flows = ["sync-asset-metadata"]
realms = ["metadata", "entity"]
operations = ["create", "update", "delete"]

[[webhook]]
name = "collections"
flows = ["link-references", "sync-asset-metadata"]
realms = ["contents"]
objects = ["assets", "collections"]

[[webhook]]
name = "shares"
flows = ["link-references"]
realms = ["shares"]

[[action]]
name = "publish"
id = "9f3b7dad-c7b1-11ec-bd88-0a580a3d8cdd"
flows = ["publish-finals"]

[[action]]
name = "by-hand"
id = "0a4c8ebe-c7b1-11ec-ce99-0a580a3d8cdd"
flows = ["publish-finals", "link-references"]
ignore_own_users = true
"#;

/// Runs on one thread and a paused clock.
fn run<T>(story: impl Future<Output = T>) -> T {
    if let Ok(filter) = std::env::var("STORM_LOG") {
        let _ = tracing_subscriber::fmt().with_env_filter(filter).without_time().with_ansi(false).try_init();
    }
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().start_paused(true).build();
    runtime.expect("a runtime").block_on(story)
}

async fn door() -> PublicDoor {
    door_with(SUBSCRIPTIONS).await
}

async fn door_with(subscriptions: &str) -> PublicDoor {
    let secret = json!({"current": SECRET}).to_string();
    PublicDoor::new(&RECEIVE_ICONIK, subscriptions, &secret, &FLOWS, BTreeMap::new()).await
}

/// A request as iconik sends it.
fn post(path: &str, secret: &str, body: impl Into<Bytes>) -> Request<Bytes> {
    let request = Request::post(path).header("content-type", "application/json").header(HEADER, secret);
    request.body(body.into()).unwrap()
}

fn webhook(body: &Value) -> Request<Bytes> {
    post("/webhooks", SECRET, body.to_string())
}

fn action(body: &Value) -> Request<Bytes> {
    post("/actions", SECRET, body.to_string())
}

/// As captured: an asset is put into a collection.
fn contents() -> Value {
    json!({
        "system_domain_id": TENANT, "event_type": "collections", "object_id": ASSET, "user_id": USER,
        "realm": "contents", "operation": "create",
        "data": {
            "collection_id": COLLECTION, "object_id": ASSET, "object_type": "assets",
            "date_created": "2022-04-29T00:22:10.316685+00:00", "parents": [COLLECTION],
        },
        "request_id": "0123456789abcdef0123456789abcdef",
    })
}

/// As captured: an asset is shared. The id at the top is that of the share.
fn share() -> Value {
    json!({
        "system_domain_id": TENANT, "event_type": "assets", "object_id": SHARE, "user_id": USER,
        "realm": "shares", "operation": "create",
        "data": {
            "id": SHARE, "object_id": ASSET, "object_type": "assets", "title": "Für Dich \u{202e}gpj.exe",
            "owner_id": USER, "allow_download": false, "expires": "2022-05-29T00:22:10+00:00",
        },
        "request_id": "1123456789abcdef0123456789abcdef",
    })
}

/// A field of an asset's metadata is changed; what the data of such an event is, is not documented.
fn metadata(request: &str) -> Value {
    json!({
        "system_domain_id": TENANT, "event_type": "assets", "object_id": ASSET, "user_id": USER,
        "realm": "metadata", "operation": "update", "data": {}, "request_id": request,
    })
}

/// As captured: a button is pressed with a selection. An automation sends the same.
fn press(assets: &[&str], moment: &str) -> Value {
    json!({
        "user_id": USER, "system_domain_id": TENANT, "context": "BULK", "action_id": PUBLISH,
        "asset_ids": assets, "collection_ids": [], "saved_search_ids": [], "metadata_view_id": null,
        "metadata_values": null, "date_created": moment, "auth_token": TOKEN,
    })
}

const MOMENT: &str = "2022-04-29T00:22:10.316685";

/// An answer as its status and its outcome.
fn outcome(response: &Response<Bytes>) -> (u16, String) {
    let body: Value = serde_json::from_slice(response.body()).unwrap();
    (response.status().as_u16(), body["outcome"].as_str().unwrap_or_default().to_owned())
}

/// A refusal as its status and its code.
fn problem(response: &Response<Bytes>) -> (u16, String) {
    assert_eq!(response.headers()["content-type"], "application/problem+json");
    let body: Value = serde_json::from_slice(response.body()).unwrap();
    assert_eq!(body["status"], response.status().as_u16());
    (response.status().as_u16(), body["code"].as_str().unwrap().to_owned())
}

/// What was told, as flow and object, sorted.
fn objects(told: &[Told]) -> Vec<(&str, String)> {
    let object = |one: &Told| format!("{}/{}", one.change.object_type, one.change.object_id);
    let mut objects: Vec<_> = told.iter().map(|one| (one.flow.as_str(), object(one))).collect();
    objects.sort();
    objects
}
