use std::io::Read as _;

use serde_json::json;

use super::super::Settings;
use super::super::settings::{Envelope, Language, NameFilter};
use super::{Caller, read};

async fn content(caller: &Caller, id: i64, header: (&str, &str)) -> super::Answer {
    let request = caller.request("GET", &format!("v1/nodes/{id}/content")).header(header.0, header.1);
    read(caller.send(request.body(axum::body::Body::empty()).unwrap()).await).await
}

#[tokio::test]
async fn ranges_are_ignored_until_they_are_switched_on() {
    let caller = Caller::new(Settings::default());
    let id = caller.document(3101, "memo.txt", b"0123456789").await;
    let whole = content(&caller, id, ("range", "bytes=2-5")).await;
    assert_eq!((whole.status, whole.bytes.len()), (200, 10));
    caller.switch(|settings| settings.range_requests = true);
    for (range, bytes, named) in [
        ("bytes=2-5", "2345", "bytes 2-5/10"),
        ("bytes=7-", "789", "bytes 7-9/10"),
        ("bytes=-2", "89", "bytes 8-9/10"),
    ] {
        let part = content(&caller, id, ("range", range)).await;
        assert_eq!((part.status, &part.bytes[..]), (206, bytes.as_bytes()), "{range}");
        assert_eq!(part.headers["content-range"], named);
    }
}

#[tokio::test]
async fn downloads_are_compressed_when_switched_on_and_accepted() {
    let caller = Caller::new(Settings { gzip_downloads: true, ..Settings::default() });
    let id = caller.document(3101, "memo.txt", &[b'a'; 10_000]).await;
    assert_eq!(content(&caller, id, ("accept-encoding", "identity")).await.bytes.len(), 10_000);
    let packed = content(&caller, id, ("accept-encoding", "gzip, deflate")).await;
    assert_eq!(packed.headers["content-encoding"], "gzip");
    assert!(packed.bytes.len() < 1000);
    let mut unpacked = Vec::new();
    flate2::read::GzDecoder::new(&packed.bytes[..]).read_to_end(&mut unpacked).unwrap();
    assert_eq!(unpacked, [b'a'; 10_000]);
}

#[tokio::test]
async fn dates_language_and_envelope_follow_their_switches() {
    let caller = Caller::new(Settings {
        dates_with_zone: false,
        language: Language::German,
        upload_envelope: Envelope::Flat,
        ..Settings::default()
    });
    let folder = json!({"type": 0, "parent_id": 3101, "name": "Briefe"});
    let created = caller.send_body("POST", "v2/nodes", &folder).await;
    assert_eq!(
        (&created.json["name"], &created.json["create_date"]),
        (&json!("Briefe"), &json!("2031-05-06T07:08:09"))
    );
    let again = caller.send_body("POST", "v2/nodes", &folder).await;
    assert_eq!(again.json["error"], "Ein Element mit dem Namen 'Briefe' ist bereits vorhanden.");
}

#[tokio::test]
async fn a_gateway_may_limit_uploads_and_a_server_may_refuse_empty_ones() {
    let caller =
        Caller::new(Settings { max_upload_bytes: Some(10), empty_documents: false, ..Settings::default() });
    let body = r#"{"type":144,"parent_id":3101,"name":"a.txt"}"#;
    let upload = async |bytes: &[u8]| {
        caller.upload("v2/nodes", &[("body", body)], ("file", "a.txt", "text/plain", bytes)).await.status
    };
    assert_eq!(upload(b"eleven bytes").await, 413);
    assert_eq!(upload(b"").await, 400);
    assert_eq!(upload(b"ten bytes!").await, 200);
}

#[tokio::test]
async fn a_name_filter_means_what_its_switch_says() {
    let caller = Caller::new(Settings::default());
    let count = async |filter: NameFilter, wanted: &str| {
        caller.switch(|settings| settings.node_name_filter = filter);
        let listed = caller.get(&format!("v2/nodes/3004/nodes?where_name={wanted}")).await;
        listed.json["collection"]["paging"]["total_count"].as_u64().unwrap()
    };
    assert_eq!(count(NameFilter::Contains, "graph").await, 1);
    assert_eq!(count(NameFilter::StartsWith, "graph").await, 0);
    assert_eq!(count(NameFilter::StartsWith, "photo").await, 1);
    assert_eq!(count(NameFilter::Equals, "photo").await, 0);
    assert_eq!(count(NameFilter::Equals, "photographs").await, 1);
}
