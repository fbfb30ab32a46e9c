use http::Request;
use serde_json::{Value, json};

use super::super::{Settings, Simulator, Store};
use super::{ask, perform, simulator};
use crate::Clock;

const CREATE: &str = "mutation { createSupportingResource(input: {workId: 1001, resourceFileName: \"cover.jpg\", \
    linkToAllProducts: true}) { presignedUrl supportingResource { id isProcessing productIds } errors { field message } } }";

async fn create(simulator: &Simulator) -> (i64, String) {
    let answer = ask(simulator, CREATE, json!({})).await;
    let payload = &answer["data"]["createSupportingResource"];
    assert_eq!(payload["supportingResource"]["productIds"], json!([2001, 2002]), "{answer}");
    let id = payload["supportingResource"]["id"].as_i64().unwrap();
    (id, payload["presignedUrl"].as_str().unwrap().to_owned())
}

async fn put(simulator: &Simulator, method: &str, address: &str) -> u16 {
    let request = Request::builder().method(method).uri(address).header("content-type", "image/jpeg");
    perform(simulator, request.body("bytes".into()).unwrap()).await.status.as_u16()
}

async fn resource(simulator: &Simulator, id: i64) -> Value {
    let text = "{ work(workSearch: {idEq: 1001}) { supportingResources { id url fileSize isProcessing } } }";
    let answer = ask(simulator, text, json!({})).await;
    let list = answer["data"]["work"]["supportingResources"].as_array().unwrap().clone();
    list.into_iter().find(|one| one["id"] == id).unwrap()
}

#[tokio::test]
async fn an_image_is_brought_and_prepared() {
    let simulator = simulator(Settings { processing_seconds: 5, ..Settings::default() });
    let (id, address) = create(&simulator).await;
    assert_eq!(put(&simulator, "POST", &address).await, 405);
    assert_eq!(put(&simulator, "PUT", &address).await, 200);
    assert_eq!(resource(&simulator, id).await["isProcessing"], true);
    simulator.clock().advance(jiff::SignedDuration::from_secs(5));
    let ready = resource(&simulator, id).await;
    assert_eq!((&ready["isProcessing"], &ready["fileSize"]), (&json!(false), &json!(5)));
    assert!(ready["url"].as_str().unwrap().contains(&format!("{id}//_jpg")), "two slashes in a row");
    let brought = simulator.with_state(|state| state.brought.clone());
    assert_eq!((brought[0].method.as_str(), brought[0].status), ("POST", 405));
    assert!(
        brought[1].headers.contains(&("content-type".to_owned(), "image/jpeg".to_owned())),
        "{brought:?}"
    );
}

#[tokio::test]
async fn an_address_ends_and_cannot_be_changed() {
    let simulator = simulator(Settings { upload_lifetime_seconds: 60, ..Settings::default() });
    let (_, address) = create(&simulator).await;
    assert_eq!(put(&simulator, "PUT", &address.replace("Signature=", "Signature=x")).await, 403);
    simulator.clock().advance(jiff::SignedDuration::from_secs(60));
    assert_eq!(put(&simulator, "PUT", &address).await, 403);
    assert_eq!(put(&simulator, "PUT", "/_storage/none").await, 404);
}

#[tokio::test]
async fn with_a_follow_up_nothing_is_prepared_before_it() {
    let settings = Settings {
        upload_needs_follow_up: true,
        upload_origin: "http://127.0.0.1:9".to_owned(),
        processing_seconds: 0,
        ..Settings::default()
    };
    let simulator = simulator(settings);
    let (id, address) = create(&simulator).await;
    assert!(address.starts_with("http://127.0.0.1:9/_storage/"), "{address}");
    assert_eq!(put(&simulator, "PUT", address.trim_start_matches("http://127.0.0.1:9")).await, 200);
    assert_eq!(resource(&simulator, id).await["isProcessing"], true);
    let text = format!("mutation {{ finishUpload(input: {{id: {id}}}) {{ finished }} }}");
    assert_eq!(ask(&simulator, &text, json!({})).await["data"]["finishUpload"]["finished"], true);
    assert_eq!(resource(&simulator, id).await["isProcessing"], false);
}

#[tokio::test]
async fn the_place_of_the_storage_outlives_a_reset_and_other_switches_do_not() {
    let simulator = simulator(Settings::default());
    simulator.begin_with(|settings| settings.upload_origin = "http://127.0.0.1:9".to_owned());
    simulator.with_state(|state| state.settings.list_cap = Some(1));
    for _ in 0..2 {
        let (_, address) = create(&simulator).await;
        assert!(address.starts_with("http://127.0.0.1:9/_storage/"), "{address}");
        simulator.reset();
    }
    assert_eq!(simulator.with_state(|state| state.settings.list_cap), None);
}

#[tokio::test]
async fn an_account_is_kept_across_restarts() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("account.json");
    let first = simulator(Settings::default());
    let (id, _) = create(&first).await;
    Store::at(&file).save(&first).unwrap();
    let clock = Clock::fixed("2031-05-07T07:08:09Z".parse().unwrap());
    let second = Store::at(&file).open(Settings::default(), clock).unwrap();
    assert_eq!(resource(&second, id).await["isProcessing"], true);
    let (next, _) = create(&second).await;
    assert!(next > id, "ids go on");
}
