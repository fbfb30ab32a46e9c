//! The storm over `receive-iconik`: each call of a delivery meets each fault its system can have, and iconik, or a person,
//! sends again until it is taken. Every flow hears of every object under one id, and what was taken is not told again.

use std::collections::{BTreeMap, BTreeSet};

use bytes::Bytes;
use http::Request;
use serde_json::{Value, json};
use tests::{
    public_door::PublicDoor,
    storm::{Call, Fault},
};
use webhooks::RECEIVE_ICONIK;

use crate::weather::{each, none};

/// The functions that have a story here.
pub(crate) const COVERED: [&str; 1] = ["receive-iconik"];

const SECRET: &str = "kR3nVd8sQm1xZt7bLw5cYf2h";
const FLOWS: [&str; 2] = ["publish-finals", "sync-asset-metadata"];
const SUBSCRIPTIONS: &str = r#"
[[webhook]]
name = "contents"
flows = ["publish-finals", "sync-asset-metadata"]
realms = ["contents"]
objects = ["assets", "collections"]

[[action]]
name = "publish"
id = "9f3b7dad-c7b1-11ec-bd88-0a580a3d8cdd"
flows = ["publish-finals"]
"#;

/// What was told, by flow and object, with the ids it was told under.
type Told = BTreeMap<(String, String), BTreeSet<String>>;

fn deliveries() -> Vec<Request<Bytes>> {
    let event = json!({
        "event_type": "collections", "realm": "contents", "operation": "create", "object_id": "asset-1",
        "user_id": "somebody", "request_id": "0123456789abcdef",
        "data": {"collection_id": "collection-1", "object_id": "asset-1", "object_type": "assets"},
    });
    let assets: Vec<String> = (1..=15).map(|number| format!("asset-{number}")).collect();
    let press = json!({
        "action_id": "9f3b7dad-c7b1-11ec-bd88-0a580a3d8cdd", "asset_ids": assets, "user_id": "somebody",
        "date_created": "2022-04-29T00:22:10.316685", "auth_token": "eyJ",
    });
    let post = |path: &str, body: &Value| {
        let request = Request::post(path).header("x-waybill-secret", SECRET);
        request.body(Bytes::from(body.to_string())).expect("a request")
    };
    vec![post("/webhooks", &event), post("/actions", &press)]
}

/// Sends until it is taken. A process that does not start is started again by Lambda with the next request.
async fn is_taken(world: &PublicDoor, delivery: &Request<Bytes>) -> bool {
    for _ in 0..5 {
        let answer = world.try_to_ask(delivery.clone()).await;
        if answer.is_some_and(|answer| answer.status().is_success()) {
            return true;
        }
        world.pass(30).await;
    }
    false
}

fn story(plan: BTreeMap<usize, Fault>) -> (Vec<Call>, Told) {
    // The AWS clients draw the pauses between their attempts here.
    fastrand::seed(1);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().start_paused(true).build();
    runtime.expect("a runtime").block_on(async {
        let secret = json!({"current": SECRET}).to_string();
        let world = PublicDoor::new(&RECEIVE_ICONIK, SUBSCRIPTIONS, &secret, &FLOWS, plan).await;
        for delivery in deliveries() {
            assert!(is_taken(&world, &delivery).await, "the delivery is never taken");
            let before = world.told().len();
            assert!(is_taken(&world, &delivery).await, "what was taken is not taken again");
            assert_eq!(world.told().len(), before, "what was taken is told again");
        }
        let mut told = Told::new();
        for one in world.told() {
            let what = (
                one.flow,
                format!("{}/{}/{:?}", one.change.object_type, one.change.object_id, one.change.request),
            );
            told.entry(what).or_default().insert(one.id);
        }
        (world.tap.calls(), told)
    })
}

#[test]
fn every_fault_at_every_call_of_a_delivery_loses_nothing_and_doubles_no_id() {
    let (calls, calm) = story(BTreeMap::new());
    assert_eq!(
        calm.len(),
        4 + 15,
        "an asset and a collection for two flows, fifteen assets for one: {calm:?}"
    );
    let mut schedules = Vec::new();
    for (number, call) in calls.iter().enumerate() {
        schedules.extend(Fault::all(call.form).iter().map(|fault| (number, call, *fault)));
    }
    none(&each(&schedules, |(number, call, fault)| {
        let (_, told) = story([(*number, *fault)].into());
        let same = told.keys().eq(calm.keys()) && told.values().all(|ids| ids.len() == 1);
        (!same).then(|| format!("{fault:?} at call {number} ({}): {told:#?}", call.what))
    }));
}
