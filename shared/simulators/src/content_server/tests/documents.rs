use serde_json::json;

use super::super::Settings;
use super::super::seed;
use super::Caller;

#[tokio::test]
async fn an_uploaded_document_is_found_by_name_and_downloads_unchanged() {
    let caller = Caller::new(Settings::default());
    let body = r#"{"type":"144","parent_id":"3101","name":"photo ö.jpg","description":"front"}"#;
    let file = ("file", "photo ö.jpg", "image/jpeg", &b"\xff\xd8bytes"[..]);
    let created = caller.upload("v2/nodes", &[("body", body)], file).await;
    assert_eq!(created.status, 200);
    let id = created.json["results"]["data"]["properties"]["id"].as_i64().unwrap();
    let found = caller.get("v2/nodes/3101/nodes?where_name=PHOTO&limit=100&fields=properties{id,name}").await;
    assert_eq!(found.json["results"], json!([{"data": {"properties": {"id": id, "name": "photo ö.jpg"}}}]));
    assert_eq!(found.json["collection"]["paging"]["total_count"], 1);
    let content = caller.get(&format!("v1/nodes/{id}/content?action=download")).await;
    assert_eq!(content.bytes, &b"\xff\xd8bytes"[..]);
    assert_eq!(content.headers["content-type"], "application/octet-stream");
    assert_eq!(content.headers["content-length"], "7");
    caller.simulator.with_state(|state| {
        let node = state.at("Claims/Incoming/photo ö.jpg").unwrap();
        assert_eq!(node.latest().unwrap().content.size, 7);
        assert_eq!(node.latest().unwrap().mime_type, "image/jpeg");
    });
}

#[tokio::test]
async fn the_same_name_collides_whatever_its_case_and_differently_in_each_generation() {
    let caller = Caller::new(Settings::default());
    caller.document(seed::CLAIMS, "report.txt", b"one").await;
    let again = r#"{"type":144,"parent_id":3001,"name":"REPORT.txt"}"#;
    let file = ("file", "report.txt", "text/plain", &b"two"[..]);
    let v2 = caller.upload("v2/nodes", &[("body", again)], file).await;
    assert_eq!(
        (v2.status, v2.json),
        (500, json!({"error": "An item with the name 'REPORT.txt' already exists."}))
    );
    let v1 = caller.upload("v1/nodes", &[("body", again)], file).await;
    assert_eq!(v1.status, 400);
}

#[tokio::test]
async fn unknown_urls_are_refused_as_the_server_does_and_stand_in_the_journal() {
    let caller = Caller::new(Settings::default());
    let answer = caller.get("v2/no/such/call").await;
    assert_eq!(answer.status, 400);
    assert_eq!(answer.json["error"], "The REST API URL could not be found in the mappings registry.");
    let unknown = caller.simulator.journal().unknown();
    assert_eq!(unknown.len(), 1);
    assert_eq!(unknown[0].path, "/otcs/cs.exe/api/v2/no/such/call");
}

#[tokio::test]
async fn an_upload_above_the_memory_threshold_comes_back_whole() {
    let caller = Caller::new(Settings::default());
    let bytes: Vec<u8> = (0..5_000_000_u32).map(|n| (n % 251) as u8).collect();
    let id = caller.document(seed::ARCHIVE, "scan.tif", &bytes).await;
    let content = caller.get(&format!("v2/nodes/{id}/versions/1/content")).await;
    assert!(content.bytes == bytes, "the content differs");
}
