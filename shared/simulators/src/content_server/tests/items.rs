use serde_json::{Value, json};

use super::super::{Settings, seed};
use super::Caller;

fn names(list: &Value) -> Vec<&str> {
    let name = |entry: &'_ Value| entry["data"]["properties"]["name"].as_str().map(str::len);
    assert!(list.as_array().unwrap().iter().all(|entry| name(entry).is_some()), "{list}");
    list.as_array().unwrap().iter().filter_map(|entry| entry["data"]["properties"]["name"].as_str()).collect()
}

#[tokio::test]
async fn flat_fields_a_body_and_json_create_the_same_folder() {
    let caller = Caller::new(Settings::default());
    let flat = caller.call("POST", "v2/nodes", &[("type", "0"), ("parent_id", "3101"), ("name", "a")]).await;
    let body =
        caller.send_body("POST", "v2/nodes", &json!({"type": 0, "parent_id": "3101", "name": "b"})).await;
    let request = caller
        .request("POST", "v2/nodes/")
        .header("content-type", "application/json")
        .body(json!({"type": "0", "parent_id": 3101, "name": "c"}).to_string().into())
        .unwrap();
    let json = super::read(caller.send(request).await).await;
    assert_eq!([flat.status, body.status, json.status], [200; 3]);
    let listed = caller.get("v2/nodes/3101/nodes").await;
    assert_eq!(names(&listed.json["results"]), ["a", "b", "c"]);
}

#[tokio::test]
async fn the_exact_name_comes_first_among_names_that_contain_it() {
    let caller = Caller::new(Settings::default());
    for name in ["a plan b", "PLAN", "plan", "plan 2"] {
        let name = if name == "PLAN" { "Plans" } else { name };
        caller.document(3401, name, b"x").await;
    }
    let listed = caller.get("v2/nodes/3401/nodes?where_name=plan&limit=100").await;
    assert_eq!(names(&listed.json["results"]), ["plan", "a plan b", "plan 2", "Plans"]);
    let past = caller.get("v2/nodes/3401/nodes?page=9&limit=2").await;
    assert_eq!(past.json["results"], json!([]));
    assert_eq!(past.json["collection"]["paging"]["page_total"], 2);
    let first = caller.get("v2/nodes/3401/nodes?limit=2").await;
    assert!(first.json["collection"]["paging"]["links"]["data"]["next"]["href"].is_string());
}

#[tokio::test]
async fn names_are_trimmed_and_limited() {
    let caller = Caller::new(Settings::default());
    let create = |name: String| {
        let caller = &caller;
        async move {
            let body = json!({"type": 0, "parent_id": 3101, "name": name});
            caller.send_body("POST", "v2/nodes", &body).await.status
        }
    };
    assert_eq!(create("  padded ".to_owned()).await, 200);
    assert!(caller.simulator.with_state(|state| state.at("Claims/Incoming/padded").is_some()));
    assert_eq!(create("ä".repeat(248)).await, 200);
    assert_eq!(create("b".repeat(249)).await, 400);
    assert_eq!(create("a:b".to_owned()).await, 400);
    assert_eq!(create("   ".to_owned()).await, 400);
}

#[tokio::test]
async fn a_list_call_drops_what_one_may_not_see_and_refuses_more_than_250() {
    let caller = Caller::named(Settings::default(), "waybill");
    let some = caller.call("POST", "v2/nodes/list", &[("ids", "3001"), ("ids", "3007"), ("ids", "1")]).await;
    assert_eq!(names(&some.json["results"]), ["Claims"]);
    let many = vec![("ids", "3001"); 251];
    let answer = caller.call("POST", "v2/nodes/list", &many).await;
    assert_eq!(answer.json, json!({"error": "Too many items specified for parameter 'ids'"}));
}

#[tokio::test]
async fn a_stale_token_is_an_edit_conflict_and_a_fresh_one_comes_back() {
    let caller = Caller::new(Settings::default());
    let id = caller.document(3101, "letter.txt", b"x").await;
    let read = caller.get(&format!("v2/nodes/{id}?fields=properties&state")).await;
    let token = read.json["results"]["state"]["properties"]["metadata_token"].clone();
    let path = format!("v2/nodes/{id}");
    let first = caller.send_body("PUT", &path, &json!({"description": "a", "metadata_token": token})).await;
    assert_eq!(first.status, 200);
    assert_ne!(first.json["results"]["state"]["properties"]["metadata_token"], token);
    let second = caller.send_body("PUT", &path, &json!({"description": "b", "metadata_token": token})).await;
    assert_eq!(
        (second.status, second.json["error"].as_str().unwrap().contains("edit conflict")),
        (409, true)
    );
}

#[tokio::test]
async fn what_one_user_reserved_another_cannot_change() {
    let caller = Caller::named(Settings::default(), "waybill");
    let id = caller.document(3101, "letter.txt", b"x").await;
    let path = format!("v2/nodes/{id}");
    assert_eq!(caller.send_body("PUT", &path, &json!({"reserved_user_id": seed::WAYBILL})).await.status, 200);
    let reviewer = caller.is("claims.reviewer");
    let refused = reviewer.send_body("PUT", &path, &json!({"name": "mine.txt"})).await;
    assert_eq!(
        (refused.status, refused.json["error"].as_str()),
        (500, Some("The item is reserved by waybill."))
    );
    let file = ("file", "letter.txt", "text/plain", &b"new"[..]);
    assert_eq!(reviewer.upload(&format!("{path}/versions"), &[], file).await.status, 500);
    assert_eq!(caller.send_body("PUT", &path, &json!({"reserved_user_id": null})).await.status, 200);
    assert_eq!(reviewer.send_body("PUT", &path, &json!({"name": "mine.txt"})).await.status, 200);
}

#[tokio::test]
async fn deleted_items_come_back_from_the_recycle_bin_with_what_was_inside() {
    let caller = Caller::new(Settings::default());
    let inside = caller.document(3101, "letter.txt", b"x").await;
    assert_eq!(caller.call("DELETE", "v2/nodes/3101", &[]).await.json["results"], json!({}));
    let gone = caller.call("DELETE", "v2/nodes/3101", &[]).await;
    assert_eq!((gone.status, gone.json), (500, json!({"error": "Could not get a node for 3101"})));
    let bin = caller.get("v2/volumes/recyclebin/nodes?where_name=inc").await;
    assert_eq!(names(&bin.json["results"]), ["Incoming"]);
    let back =
        caller.send_body("POST", "v2/volumes/recyclebin/nodes/restore", &json!({"ids": [3101, 7]})).await;
    assert_eq!(back.json["results"]["success"]["ids"], json!([3101]));
    assert_eq!(back.json["results"]["failure"]["ids"], json!([7]));
    assert_eq!(
        caller.simulator.with_state(|state| state.at("Claims/Incoming/letter.txt").map(|node| node.id)),
        Some(inside)
    );
}

#[tokio::test]
async fn a_moved_folder_takes_its_content_along_and_cannot_move_into_itself() {
    let caller = Caller::new(Settings::default());
    caller.document(3101, "letter.txt", b"x").await;
    assert_eq!(
        caller.send_body("PUT", "v2/nodes/3101", &json!({"parent_id": seed::ARCHIVE})).await.status,
        200
    );
    assert!(caller.simulator.with_state(|state| state.at("Digitised Archive/Incoming/letter.txt").is_some()));
    let loops = caller.send_body("PUT", "v2/nodes/3004", &json!({"parent_id": 3101})).await;
    assert_eq!(loops.status, 500);
}

#[tokio::test]
async fn advanced_versioning_counts_twice_and_a_purge_keeps_the_majors() {
    let caller = Caller::new(Settings::default());
    let body =
        json!({"type": 144, "parent_id": 3101, "name": "v.txt", "advanced_versioning": true}).to_string();
    let file = ("file", "v.txt", "text/plain", &b"0"[..]);
    let created = caller.upload("v2/nodes", &[("body", &body)], file).await;
    let id = created.json["results"]["data"]["properties"]["id"].as_i64().unwrap();
    for major in ["true", "false", "false"] {
        let fields = [("add_major_version", major)];
        caller.upload(&format!("v2/nodes/{id}/versions"), &fields, file).await;
    }
    let labels = |caller: &Caller| {
        caller.simulator.with_state(|state| {
            state.nodes[&id].versions.iter().map(|version| version.label()).collect::<Vec<_>>()
        })
    };
    assert_eq!(labels(&caller), ["0.1", "1.0", "1.1", "1.2"]);
    let purged = caller.call("DELETE", &format!("v2/nodes/{id}/versions?number_to_keep=1"), &[]).await;
    assert_eq!(purged.status, 200);
    assert_eq!(labels(&caller), ["1.0", "1.2"]);
}

#[tokio::test]
async fn response_codes_can_be_suppressed() {
    let caller = Caller::new(Settings::default());
    let answer = caller.get("v2/nodes/999999?suppress_response_codes").await;
    assert_eq!((answer.status, &answer.json["statusCode"]), (200, &json!(400)));
    assert!(answer.json["error"].as_str().unwrap().starts_with("Sorry, the item you requested"));
}

#[tokio::test]
async fn the_shape_of_an_item() {
    let caller = Caller::new(Settings::default());
    let id = caller.document(3101, "memo.txt", b"hello").await;
    let read = caller.get(&format!("v2/nodes/{id}?fields=properties&fields=versions.element(0)")).await;
    insta::assert_json_snapshot!(read.json);
}

#[tokio::test]
async fn an_absent_module_looks_like_an_unknown_url() {
    let caller = Caller::new(Settings::default());
    caller.switch(|settings| settings.modules.workspaces = false);
    let answer = caller.get("v2/businessworkspacetypes").await;
    assert_eq!(
        (answer.status, answer.json["error"].as_str().unwrap().contains("mappings registry")),
        (400, true)
    );
}

#[tokio::test]
async fn a_name_is_free_again_after_a_rename_a_move_or_a_deletion() {
    let caller = Caller::new(Settings::default());
    for change in ["rename", "move", "delete"] {
        let id = caller.document(3101, "memo.txt", b"x").await;
        let path = format!("v2/nodes/{id}");
        let answer = match change {
            "rename" => caller.send_body("PUT", &path, &json!({"name": "renamed.txt"})).await,
            "move" => caller.send_body("PUT", &path, &json!({"parent_id": 3401})).await,
            _ => caller.call("DELETE", &path, &[]).await,
        };
        assert_eq!(answer.status, 200, "{change}");
        assert!(caller.simulator.with_state(|state| state.child(3101, "memo.txt").is_none()), "{change}");
    }
    caller.simulator.with_state(|state| {
        assert!(state.at("Claims/Incoming/RENAMED.txt").is_some());
        assert!(state.at("Digitised Archive/Maps and Plans/memo.txt").is_some());
    });
}

#[tokio::test]
async fn who_changed_an_item_last_is_told_and_a_head_gives_the_length_only() {
    let caller = Caller::named(Settings::default(), "waybill");
    let id = caller.document(3101, "memo.txt", b"hello").await;
    let path = format!("v2/nodes/{id}");
    caller.is("claims.handler").send_body("PUT", &path, &json!({"description": "seen"})).await;
    let read = caller.get(&path).await;
    let properties = &read.json["results"]["data"]["properties"];
    assert_eq!((&properties["create_user_id"], &properties["modify_user_id"]), (&json!(1300), &json!(1202)));
    let head = caller.call("HEAD", &format!("{path}/content"), &[]).await;
    assert_eq!(
        (head.status, &head.headers["content-length"], head.bytes.len()),
        (200, &"5".parse().unwrap(), 0)
    );
}
