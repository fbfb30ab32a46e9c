//! The page for people: what it shows of an item, and the content it lets one download.

use axum::body::Body;
use http::Request;
use regex::Regex;
use serde_json::{Value, json};

use super::super::Settings;
use super::{Answer, Caller, read};

async fn page(caller: &Caller, part: &str) -> Answer {
    let request = Request::get(format!("/_simulator/{part}")).body(Body::empty()).unwrap();
    read(caller.send(request).await).await
}

/// A document with two versions, a category with a set, a classification and a hold.
async fn evidence(caller: &Caller) -> i64 {
    let id = caller.document(3101, "roof.txt", b"one").await;
    let file = ("file", "Dach \u{e4}.txt", "text/plain", &b"two, longer"[..]);
    assert_eq!(caller.upload(&format!("v2/nodes/{id}/versions"), &[], file).await.status, 200);
    let values = [("category_id", "4101"), ("4101_2", "100117"), ("4101_9_1_10", "Ada Byron")];
    assert_eq!(caller.call("POST", &format!("v2/nodes/{id}/categories"), &values).await.status, 200);
    let hold = json!({"hold_id": 8001});
    assert_eq!(caller.send_body("POST", &format!("v1/nodes/{id}/holds"), &hold).await.status, 200);
    id
}

#[tokio::test]
async fn a_person_looks_at_an_item() {
    let caller = Caller::new(Settings::default());
    let id = evidence(&caller).await;
    let shown = page(&caller, &format!("state/objects/{id}")).await.json;
    assert_eq!((&shown["name"], &shown["type_name"]), (&json!("roof.txt"), &json!("Document")));
    let above: Vec<&str> =
        shown["above"].as_array().unwrap().iter().map(|item| item["name"].as_str().unwrap()).collect();
    assert_eq!(above, ["Enterprise", "Claims", "Incoming"]);

    let versions: Vec<_> = shown["versions"]
        .as_array()
        .unwrap()
        .iter()
        .map(|version| (version["file_name"].as_str().unwrap(), version["size"].as_u64().unwrap()))
        .collect();
    assert_eq!(versions, [("roof.txt", 3), ("Dach \u{e4}.txt", 11)]);

    let category = &shown["category_view"][0];
    assert_eq!(category["name"], "Claim Evidence");
    assert_eq!(category["values"]["4101_2"], "100117");
    assert_eq!(category["values"]["4101_9_1_10"], "Ada Byron");
    // By these the page names what stands in a field and in a row of a set.
    assert_eq!(category["metadata"]["4101_2"]["name"], "Claim Number");
    assert_eq!(category["metadata"]["4101_9"]["name"], "Parties");
    assert_eq!(category["metadata"]["4101_9_x_10"]["name"], "Name");

    assert_eq!(shown["hold_names"], json!(["Flood 2030 litigation"]));
    let audit: Vec<&str> =
        shown["audit"].as_array().unwrap().iter().map(|event| event["name"].as_str().unwrap()).collect();
    assert_eq!(audit.last(), Some(&"Create"), "the newest is on top: {audit:?}");
    assert!(audit.len() > 2 && shown["audit"][0]["user"] == "admin", "{}", shown["audit"]);
    let same = page(&caller, "state/objects/Claims:Incoming:roof.txt").await.json;
    assert_eq!(same["id"], id, "by its path too");
    let inside = page(&caller, "state/tree/Claims:Incoming").await.json;
    let entry = inside.as_array().unwrap().iter().find(|entry| entry["id"] == id).unwrap();
    assert_eq!((&entry["held"], &entry["size"]), (&json!(true), &json!(11)));
}

#[tokio::test]
async fn the_page_reads_nothing_that_an_item_has_not() {
    let caller = Caller::new(Settings::default());
    let id = evidence(&caller).await;
    let item = page(&caller, &format!("state/objects/{id}")).await.json;
    let tree = page(&caller, "state/tree/Claims:Incoming").await.json;
    let view = String::from_utf8(page(&caller, "view.js").await.bytes.to_vec()).unwrap();
    for (what, of, least) in [
        ("node", &item, 15),
        ("version", &item["versions"][0], 7),
        ("category", &item["category_view"][0], 3),
        ("event", &item["audit"][0], 3),
        ("item", &tree[0], 5),
    ] {
        let read = Regex::new(&format!(r"\b{what}\.(\w+)")).unwrap();
        let fields: Vec<&str> =
            read.captures_iter(&view).map(|found| found.get(1).unwrap().as_str()).collect();
        assert!(fields.len() >= least, "{what}: {fields:?}");
        let missing: Vec<&&str> = fields.iter().filter(|field| of.get(**field).is_none()).collect();
        assert!(missing.is_empty(), "view.js reads {missing:?} of {what}: {of}");
    }
}

#[tokio::test]
async fn a_person_downloads_each_version_under_its_name() {
    let caller = Caller::new(Settings::default());
    let id = evidence(&caller).await;
    for (version, bytes, name) in [(1, &b"one"[..], "roof%2Etxt"), (2, b"two, longer", "Dach%20%C3%A4%2Etxt")]
    {
        let content = page(&caller, &format!("content/{id}/{version}")).await;
        assert_eq!((content.status, &content.bytes[..]), (200, bytes));
        assert_eq!(content.headers["content-length"], bytes.len().to_string());
        let disposition = content.headers["content-disposition"].to_str().unwrap();
        assert_eq!(disposition, format!("attachment; filename*=UTF-8''{name}"));
    }
    for absent in [format!("content/{id}/3"), "content/999/1".to_owned(), "content/x/y".to_owned()] {
        let answer = page(&caller, &absent).await;
        assert_eq!(
            (answer.status, &answer.json["error"]),
            (404, &Value::from("No such version.")),
            "{absent}"
        );
    }
    // Looking is in no journal.
    let looked = caller.simulator.journal().entries().iter().any(|entry| entry.path.contains("_simulator"));
    assert!(!looked);
}
