use serde_json::json;

use super::super::settings::{LargeUpload, PartField};
use super::super::{Blob, Settings};
use super::Caller;

fn small_parts() -> Settings {
    let large_upload = LargeUpload { min_size: 10, part_size: 8, ..LargeUpload::default() };
    Settings { large_upload, ..Settings::default() }
}

async fn started(caller: &Caller) -> String {
    let form = [("file_name", "film.mp4"), ("file_size", "20"), ("mime_type", "video/mp4")];
    let answer = caller.call("POST", "v2/multipart", &form).await;
    assert_eq!((&answer.json["num_parts"], &answer.json["part_size"]), (&json!(3), &json!(8)));
    answer.json["upload_key"].as_str().unwrap().to_owned()
}

async fn part(caller: &Caller, key: &str, number: usize, field: &str, bytes: &[u8]) -> super::Answer {
    let path = format!("v2/multipart/{key}/{number}");
    caller.upload(&path, &[], (field, "part", "application/octet-stream", bytes)).await
}

#[tokio::test]
async fn parts_in_any_order_become_one_document() {
    let caller = Caller::new(small_parts());
    let key = started(&caller).await;
    for (number, bytes) in [(3, &b"end."[..]), (1, b"12345678"), (2, b"abcdefgh")] {
        assert_eq!(part(&caller, &key, number, "part_content", bytes).await.status, 200);
    }
    assert_eq!(caller.call("POST", &format!("v2/multipart/{key}"), &[]).await.status, 200);
    let body = json!({"type": 144, "parent_id": 3101, "name": "film.mp4", "upload_key": key});
    assert_eq!(caller.send_body("POST", "v2/nodes", &body).await.status, 200);
    caller.simulator.with_state(|state| {
        let version = state.at("Claims/Incoming/film.mp4").unwrap().latest().unwrap();
        assert_eq!(version.content.sha256, Blob::of(&b"12345678abcdefghend."[..]).sha256);
        assert_eq!(version.mime_type, "video/mp4");
    });
    // A key is used once.
    let again = json!({"type": 144, "parent_id": 3101, "name": "again.mp4", "upload_key": key});
    assert_eq!(caller.send_body("POST", "v2/nodes", &again).await.status, 500);
}

#[tokio::test]
async fn a_part_sent_twice_is_refused_in_the_words_a_client_must_know() {
    let caller = Caller::new(small_parts());
    let key = started(&caller).await;
    assert_eq!(part(&caller, &key, 1, "part_content", b"12345678").await.status, 200);
    let again = part(&caller, &key, 1, "part_content", b"12345678").await;
    assert_eq!(again.json["error"], "Invalid BlockID: BlockID 1 has already been uploaded.");
    let beyond = part(&caller, &key, 4, "part_content", b"x").await;
    assert_eq!(beyond.json["error"], "Invalid BlockID: Expected BlockID between 1 and 3");
    assert_eq!(part(&caller, &key, 2, "part_content", b"short").await.status, 500);
    assert_eq!(part(&caller.is("waybill"), &key, 2, "part_content", b"abcdefgh").await.status, 500);
    assert_eq!(caller.call("POST", &format!("v2/multipart/{key}"), &[]).await.status, 500);
    assert_eq!(caller.call("DELETE", &format!("v2/multipart/{key}"), &[]).await.status, 200);
    assert_eq!(part(&caller, &key, 2, "part_content", b"abcdefgh").await.status, 500);
}

#[tokio::test]
async fn parts_out_of_order_are_refused_only_where_that_is_so() {
    for (in_order, status) in [(false, 200), (true, 500)] {
        let mut settings = small_parts();
        settings.large_upload.parts_in_order = in_order;
        let caller = Caller::new(settings);
        let key = started(&caller).await;
        assert_eq!(part(&caller, &key, 1, "part_content", b"12345678").await.status, 200);
        let early = part(&caller, &key, 3, "part_content", b"end.").await;
        assert_eq!(early.status, status, "in order: {in_order}: {}", early.json);
        // One that is there already is known, whatever else is missing.
        let again = part(&caller, &key, 1, "part_content", b"12345678").await;
        assert_eq!(again.json["error"], "Invalid BlockID: BlockID 1 has already been uploaded.");
        assert_eq!(part(&caller, &key, 2, "part_content", b"abcdefgh").await.status, 200);
        let last = part(&caller, &key, 3, "part_content", b"end.").await;
        assert_eq!(last.status == 200, in_order, "it was refused, or it is there: {}", last.json);
        assert_eq!(caller.call("POST", &format!("v2/multipart/{key}"), &[]).await.status, 200);
    }
}

#[tokio::test]
async fn the_field_name_and_the_closing_call_are_switches() {
    let mut settings = small_parts();
    settings.large_upload.part_field = PartField::File;
    settings.large_upload.close_creates_node = true;
    let caller = Caller::new(settings);
    let key = started(&caller).await;
    assert_eq!(part(&caller, &key, 1, "part_content", b"12345678").await.status, 400);
    for (number, bytes) in [(1, &b"12345678"[..]), (2, b"abcdefgh"), (3, b"end.")] {
        assert_eq!(part(&caller, &key, number, "file", bytes).await.status, 200);
    }
    let body = json!({"parent_id": 3101, "name": "film.mp4"});
    let closed = caller.send_body("POST", &format!("v2/multipart/{key}"), &body).await;
    let id = closed.json["id"].as_i64();
    assert_eq!(
        caller.simulator.with_state(|state| state.at("Claims/Incoming/film.mp4").map(|node| node.id)),
        id
    );
}

#[tokio::test]
async fn files_outside_the_limits_and_a_server_without_the_feature_refuse() {
    let caller = Caller::new(small_parts());
    let small = caller.call("POST", "v2/multipart", &[("file_name", "a"), ("file_size", "9")]).await;
    assert!(
        small.json["error"]
            .as_str()
            .unwrap()
            .starts_with("Invalid block size: File size must be between 10 and")
    );
    caller.switch(|settings| settings.large_upload.enabled = false);
    let settings = caller.get("v2/multipart/settings").await;
    assert_eq!(settings.json["results"]["data"]["is_enabled"], false);
    caller.switch(|settings| settings.modules.large_upload = false);
    assert_eq!(caller.get("v2/multipart/settings").await.status, 400);
}

#[tokio::test]
async fn a_file_outside_the_bounds_is_refused() {
    let large_upload = LargeUpload { min_size: 10, max_size: 20, ..LargeUpload::default() };
    let caller = Caller::new(Settings { large_upload, ..Settings::default() });
    for (size, status) in [("9", 500), ("10", 200), ("20", 200), ("21", 500)] {
        let form = [("file_name", "film.mp4"), ("file_size", size), ("mime_type", "video/mp4")];
        assert_eq!(caller.call("POST", "v2/multipart", &form).await.status, status, "{size}");
    }
}
