//! The reviews of the seed.

use serde_json::json;

use super::{call, seeded, simulator};
use crate::iconik::Settings;

#[tokio::test]
async fn the_first_version_was_rejected_and_the_second_approved() {
    let simulator = simulator(Settings::default());
    let short = seeded(&simulator, "Harbour Lights 30s");
    let path = format!("assets/v1/assets/{short}");
    let (_, latest) = call(&simulator, "GET", &format!("{path}/approvals/request/"), None).await;
    assert_eq!((&latest["status"], &latest["min_number"]), (&json!("APPROVED"), &json!(2)));
    assert!(latest["approvals_by"].as_array().unwrap().iter().all(|verdict| verdict["status"] == "APPROVED"));
    let (_, asset) = call(&simulator, "GET", &format!("{path}/"), None).await;
    let versions = asset["versions"].as_array().unwrap();
    let first =
        versions.iter().find(|version| version["version_number"] == 1).unwrap()["id"].as_str().unwrap();
    let request = format!("{path}/versions/{first}/approvals/request/");
    let (_, before) = call(&simulator, "GET", &request, None).await;
    assert_eq!(before["status"], "NOT_APPROVED");
    assert!(before["change_date"].as_str() < latest["request_date"].as_str());

    let all = format!("{path}/segments/?segment_type=COMMENT&include_all_versions=true&include_users=true");
    let (_, listed) = call(&simulator, "GET", &all, None).await;
    let comments = listed["objects"].as_array().unwrap();
    assert_eq!(comments.len(), 7);
    assert_eq!(comments.iter().filter(|comment| comment["parent_id"].is_string()).count(), 2);
    assert_eq!(comments.iter().filter(|comment| comment["segment_checked"] == true).count(), 1);
    assert!(comments.iter().all(|comment| comment["user_info"]["email"].is_string()));
    let (_, now) = call(&simulator, "GET", &format!("{path}/segments/"), None).await;
    assert_eq!(now["total"], 2, "those of the latest version");
}

#[tokio::test]
async fn one_review_is_open_and_one_is_mixed() {
    let simulator = simulator(Settings::default());
    for (title, expected) in [("Harbour Lights 60s master", "REQUESTED"), ("Using the inhaler", "MIXED")] {
        let asset = seeded(&simulator, title);
        let path = format!("assets/v1/assets/{asset}/approvals/request/");
        assert_eq!(call(&simulator, "GET", &path, None).await.1["status"], expected, "{title}");
    }
    assert!(simulator.with_state(|state| state.take_deliveries(9)).is_empty());
    let mixed = json!({"doc_types": ["assets"], "filter": {"operator": "AND", "terms": [{"name": "approval.status", "value": "MIXED"}]}});
    let (_, found) = call(&simulator, "POST", "search/v1/search/", Some(mixed)).await;
    assert_eq!((&found["total"], &found["objects"][0]["title"]), (&json!(1), &json!("Using the inhaler")));
}
