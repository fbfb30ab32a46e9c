use serde_json::json;

use super::super::Settings;
use super::super::seed::{CLAIM_EVIDENCE, DIGITISED_ITEM};
use super::Caller;

async fn evidence(caller: &Caller) -> i64 {
    let roles =
        json!({"categories": {"4101_2": "100117", "4101_9_1_10": "A. Witness", "4101_9_2_10": "B. Expert"}});
    let body = json!({"type": 144, "parent_id": 3101, "name": "memo.txt", "roles": roles}).to_string();
    let file = ("file", "memo.txt", "text/plain", &b"x"[..]);
    let created = caller.upload("v2/nodes", &[("body", &body)], file).await;
    created.json["results"]["data"]["properties"]["id"].as_i64().unwrap()
}

#[tokio::test]
async fn the_same_values_come_in_three_shapes() {
    let caller = Caller::new(Settings::default());
    let id = evidence(&caller).await;
    let list = caller.get(&format!("v2/nodes/{id}/categories?metadata")).await;
    insta::assert_json_snapshot!("on_the_category_list", list.json["results"]);
    let flat = caller.get(&format!("v2/nodes/{id}?fields=categories")).await;
    assert_eq!(flat.json["results"]["data"]["categories"][0], list.json["results"][0]["data"]["categories"]);
    let nested = json!({"categories": {"4104": {"4104_2": "S 1"}}});
    let body =
        json!({"template_id": "5001", "wksp_type_id": "16", "type": "848", "name": "CLM-1", "roles": nested});
    let workspace =
        caller.send_body("POST", "v2/businessworkspaces", &body).await.json["results"]["id"].clone();
    let read = caller.get(&format!("v2/businessworkspaces/{workspace}?fields=categories")).await;
    assert_eq!(read.json["results"]["data"]["categories"]["4104"]["4104_2"], "S 1");
}

#[tokio::test]
async fn definitions_come_with_the_category_first_and_each_set_before_its_members() {
    let caller = Caller::new(Settings::default());
    let id = evidence(&caller).await;
    let read = caller.get(&format!("v2/nodes/{id}/categories/{CLAIM_EVIDENCE}?metadata")).await;
    let metadata = read.json["results"]["metadata"]["categories"].as_object().unwrap();
    let keys: Vec<&String> = metadata.keys().collect();
    assert_eq!(keys[0], "4101");
    let place = |key: &str| keys.iter().position(|known| *known == key).unwrap();
    assert!(place("4101_9") < place("4101_9_x_10"));
    assert_eq!(metadata["4101_2"]["required"], true);
    assert_eq!(metadata["4101_2"]["max_length"], 32);
}

#[tokio::test]
async fn an_emptied_row_goes_and_the_later_ones_move_up() {
    let caller = Caller::new(Settings::default());
    let id = evidence(&caller).await;
    let path = format!("v2/nodes/{id}/categories/{CLAIM_EVIDENCE}");
    assert_eq!(caller.call("PUT", &path, &[("4101_9_1", "")]).await.status, 200);
    caller.simulator.with_state(|state| {
        let values = &state.nodes[&id].categories[&CLAIM_EVIDENCE].values;
        assert_eq!(values["9_1_10"], "B. Expert");
        assert!(!values.contains_key("9_2_10"));
    });
}

#[tokio::test]
async fn edits_keep_what_they_do_not_name_and_refuse_what_does_not_fit() {
    let caller = Caller::new(Settings::default());
    let id = evidence(&caller).await;
    let path = format!("v2/nodes/{id}/categories/{CLAIM_EVIDENCE}");
    let good = [
        ("4101_3", "Photo"),
        ("4101_4", "2031-05-01"),
        ("4101_6", "1200"),
        ("4101_8", "roof"),
        ("4101_8", "hail"),
    ];
    assert_eq!(caller.call("PUT", &path, &good).await.status, 200);
    let bad = [
        ("4101_3", "Painting"),
        ("4101_4", "May"),
        ("4101_6", "much"),
        ("4101_2", ""),
        ("4101_99", "x"),
        ("4101_13", "5"),
    ];
    for (key, value) in bad {
        assert_eq!(caller.call("PUT", &path, &[(key, value)]).await.status, 400, "{key}={value}");
    }
    caller.simulator.with_state(|state| {
        let value = |name| state.value_of(id, "Claim Evidence", name).cloned();
        assert_eq!(value("Claim Number"), Some(json!("100117")));
        assert_eq!(value("Loss Date"), Some(json!("2031-05-01T00:00:00")));
        assert_eq!(value("Estimated Amount"), Some(json!(1200)));
        assert_eq!(value("Keywords"), Some(json!(["roof", "hail"])));
        assert_eq!(value("Parties:Name"), Some(json!("A. Witness")));
    });
}

#[tokio::test]
async fn two_editors_of_one_category_meet_in_a_conflict() {
    let caller = Caller::new(Settings::default());
    let id = evidence(&caller).await;
    let read = caller.get(&format!("v2/nodes/{id}?fields=categories&state")).await;
    let token = &read.json["results"]["state"]["categories"]["4101_1"];
    let path = format!("v2/nodes/{id}/categories/{CLAIM_EVIDENCE}");
    let edit = json!({"4101_3": "Video", "4101_1": token});
    assert_eq!(caller.send_body("PUT", &path, &edit).await.status, 200);
    assert_eq!(caller.send_body("PUT", &path, &edit).await.status, 409);
}

#[tokio::test]
async fn a_category_is_added_once_inherited_by_new_items_and_removed() {
    let caller = Caller::new(Settings::default());
    let add = [("category_id", "4104"), ("4104_2", "S 7")];
    assert_eq!(caller.call("POST", "v2/nodes/3401/categories", &add).await.status, 200);
    let again = caller.call("POST", "v2/nodes/3401/categories", &add).await;
    assert_eq!(again.json, json!({"error": "The attribute group 'Digitised Item' already exists"}));
    assert_eq!(caller.call("POST", "v2/nodes/3401/categories/4104/inheritance", &[]).await.status, 200);
    let id = caller.document(3401, "scan.tif", b"x").await;
    caller.simulator.with_state(|state| {
        assert_eq!(state.nodes[&id].categories[&DIGITISED_ITEM].values["2"], "S 7");
    });
    assert_eq!(caller.call("DELETE", "v2/nodes/3401/categories/4104/", &[]).await.status, 200);
    assert_eq!(caller.get("v2/nodes/3401/categories").await.json["results"], json!([]));
}

#[tokio::test]
async fn a_refused_category_leaves_no_document_behind() {
    let caller = Caller::new(Settings::default());
    let body = json!({"type": 144, "parent_id": 3101, "name": "memo.txt", "roles": {"categories": {"4101_3": "Photo"}}});
    let file = ("file", "memo.txt", "text/plain", &b"x"[..]);
    let refused = caller.upload("v2/nodes", &[("body", &body.to_string())], file).await;
    assert_eq!(refused.status, 400);
    assert!(caller.simulator.with_state(|state| state.at("Claims/Incoming/memo.txt").is_none()));
}
