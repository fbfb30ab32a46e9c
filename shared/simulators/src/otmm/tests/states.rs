//! Check-outs, deletion, folders, subscriptions.

use serde_json::{Value, json};

use super::{as_user, caller, encoded, names, seeded, selection, simulator, text, wait};
use crate::otmm::{Settings, seed};

#[tokio::test]
async fn otmm_check_outs_belong_to_one_user_and_can_be_given_up_by_a_name_of_the_site() {
    let mut settings = Settings::default();
    settings.deletion.cancel_action = "undo_checkout".to_owned();
    let simulator = simulator(settings);
    let (caller, editor) = (caller(&simulator), as_user(&simulator, seed::EDITOR_ID));
    let id = seeded(&simulator, "spring-brief.pdf");
    assert_eq!(caller.act(&id, "check_out").await.status, 200);
    assert_eq!(caller.asset(&id).await["checked_out"], true);
    assert_eq!(editor.act(&id, "check_out").await.status, 500);
    assert_eq!(editor.act(&id, "undo_checkout").await.status, 500);
    assert_eq!(caller.act(&id, "delete").await.status, 500, "it is checked out");
    assert_eq!(caller.act(&id, "cancel_check_out").await.status, 400, "another site's word");
    assert_eq!(caller.act(&id, "undo_checkout").await.status, 200);
    assert_eq!(caller.asset(&id).await["checked_out"], false);
    let folder = seeded(&simulator, "Products");
    assert_eq!(caller.act(&folder, "check_out").await.status, 500);
    let old = caller.asset(&seeded(&simulator, "spring-poster.tif")).await["original_asset_id"].clone();
    assert_eq!(caller.act(old.as_str().unwrap(), "check_out").await.status, 500, "not the latest version");
}

#[tokio::test]
async fn otmm_deletion_is_soft_and_what_was_deleted_comes_back_or_goes_for_ever() {
    let mut settings = Settings::default();
    settings.deletion.undelete_action = "restore".to_owned();
    settings.deletion.purge_action = "destroy".to_owned();
    settings.deletion.readable = false;
    settings.deletion.purge_seconds = Some(100);
    let simulator = simulator(settings);
    let caller = caller(&simulator);
    let id = seeded(&simulator, "spring-brief.pdf");
    assert_eq!(as_user(&simulator, seed::EDITOR_ID).act(&id, "delete").await.status, 403);
    assert_eq!(caller.act(&id, "restore").await.status, 500, "it is not deleted");
    assert_eq!(caller.act(&id, "delete").await.status, 200);
    assert_eq!(caller.get(&format!("assets/{id}")).await.status, 404);
    simulator.with_state(|state| state.settings.deletion.readable = true);
    let asset = caller.asset(&id).await;
    let told = (&asset["deleted"], &asset["asset_state"], &asset["content_state"]);
    assert_eq!(told, (&json!(true), &json!("DELETED"), &json!("SEL_DEL")));
    assert_eq!(caller.act(&id, "lock").await.status, 500);
    assert_eq!(caller.act(&id, "restore").await.status, 200);
    wait(&simulator, 101);
    assert_eq!(caller.get(&format!("assets/{id}")).await.status, 200, "it was back in time");
    assert_eq!(caller.act(&id, "delete").await.status, 200);
    wait(&simulator, 101);
    assert_eq!(caller.get(&format!("assets/{id}")).await.status, 404);
    let logo = seeded(&simulator, "old-logo.png");
    assert_eq!(caller.act(&logo, "destroy").await.status, 500);
    assert_eq!(caller.act(&logo, "delete").await.status, 200);
    assert_eq!(caller.act(&logo, "destroy").await.status, 200);
    assert!(simulator.with_state(|state| !state.assets.contains_key(&logo)));
}

#[tokio::test]
async fn otmm_states_are_for_one_version_or_for_all() {
    let simulator = simulator(Settings::default());
    let caller = caller(&simulator);
    let id = seeded(&simulator, "spring-poster.tif");
    let original = caller.asset(&id).await["original_asset_id"].as_str().unwrap().to_owned();
    let options =
        json!({"asset_state_options_param": {"asset_state_options": {"apply_to_all_versions": true}}})
            .to_string();
    let deleted = |id: &str| simulator.with_state(|state| state.assets[id].deleted.is_some());
    assert_eq!(caller.act(&id, "lock").await.status, 200);
    assert!(!caller.asset(&original).await["locked"].as_bool().unwrap());
    let pairs = [("action", "delete"), ("asset_state_options", options.as_str())];
    assert_eq!(caller.form("PUT", &format!("assets/{id}/state"), &pairs).await.status, 200);
    assert!(deleted(&id) && deleted(&original));
}

fn folder(name: &str) -> Value {
    json!({"folder_resource": {"folder": {
        "name": name, "container_type_id": "ARTESIA.BASIC.FOLDER", "metadata_model_id": "ARTESIA.MODEL.BASIC FOLDER",
        "metadata": {"metadata_element_list": [{"id": seed::STATUS, "value": text("draft")}]},
        "security_policy_list": [{"id": "2"}],
    }}})
}

#[tokio::test]
async fn otmm_folders_are_made_walked_and_filled() {
    let simulator = simulator(Settings::default());
    let caller = caller(&simulator);
    let made = caller.json("POST", &format!("folders/{}", seed::PUBLIC), &folder("Größe")).await.json();
    let made = made["folder_resource"]["folder"].clone();
    assert_eq!(made["security_policy_list"], json!([{"id": 2, "name": "Archive only"}]));
    assert_eq!(made["type"], "com.artesia.container.Container");
    let id = made["asset_id"].as_str().unwrap();
    assert_eq!(id.len(), 40);
    for (wrong, status) in [("container_type_id", 500), ("name", 500), ("security_policy_list", 500)] {
        let mut body = folder("Other");
        body["folder_resource"]["folder"][wrong] = json!([{"id": 99}]);
        assert_eq!(
            caller.json("POST", &format!("folders/{}", seed::PUBLIC), &body).await.status,
            status,
            "{wrong}"
        );
    }
    let (brief, spring) = (seeded(&simulator, "spring-brief.pdf"), seeded(&simulator, "Spring 2030"));
    let context = selection(&[&brief, &spring, "nothing"]);
    let pairs = [("type", "add"), ("selection_context", context.as_str())];
    for (valid, reasons) in
        [(json!([brief]), ["SINGLE_PARENT", "NOT_EXIST"]), (json!([]), ["EXISTING_ELEMENT", "SINGLE_PARENT"])]
    {
        let answer = caller.form("PUT", &format!("folders/{id}/children"), &pairs).await;
        assert_eq!(answer.status, 200, "even when nothing was done");
        let result = answer.json()["folder_operation_resource"]["folder_operation_result"].clone();
        assert_eq!(result["valid_children"], valid);
        for (failed, reason) in result["failed_children"].as_array().unwrap().iter().zip(reasons) {
            assert_eq!(failed["reasons"], json!([reason]));
        }
    }
    let parents = caller.get(&format!("assets/{brief}/parents")).await.json()["folders_resource"].clone();
    assert_eq!(names(&parents["folder_list"]), ["Spring 2030", "Größe"]);
    let walked =
        caller.get(&format!("folders/{}/folders", seed::PUBLIC)).await.json()["folders_resource"].clone();
    assert_eq!(names(&walked["folder_list"]), ["Campaigns", "Products", "Größe"]);
    let folder =
        caller.get(&format!("folders/{spring}?load_type=full")).await.json()["folder_resource"]["folder"]
            .clone();
    assert_eq!(folder["container_child_counts"]["asset_count"], 3);
}

#[tokio::test]
async fn otmm_subscriptions_are_the_callers() {
    let simulator = simulator(Settings::default());
    let caller = caller(&simulator);
    let id = seeded(&simulator, "spring-brief.pdf");
    let context = selection(&[&id]);
    let pairs = [("action", "subscribe"), ("selection_context", context.as_str())];
    assert_eq!(caller.form("POST", "assets/subscriptions", &pairs).await.status, 200);
    assert_eq!(caller.asset(&id).await["subscribed_to"], true);
    assert_eq!(as_user(&simulator, seed::EDITOR_ID).asset(&id).await["subscribed_to"], false);
}

#[tokio::test]
async fn otmm_selections_are_of_ids_or_of_a_folder_with_as_much_below_as_is_wanted() {
    let simulator = simulator(Settings::default());
    let caller = caller(&simulator);
    let count = async |kind: &str, of: (&str, Value), descendants: &str, types: &str, deleted: bool| {
        let mut context = json!({
            "type": format!("com.artesia.asset.selection.{kind}"), "include_descendants": descendants,
            "child_type": types, "include_deleted_assets": deleted,
        });
        context[of.0] = of.1;
        let context = json!({"selection_context_param": {"selection_context": context}});
        let answer = caller.get(&format!("assets?selection_context={}", encoded(&context))).await;
        answer.json()["assets_resource"]["collection_summary"]["total_number_of_items"].as_u64()
    };
    let (by_id, by_folder) = ("AssetIdsSelectionContext", "FolderSelectionContext");
    let all = "ASSETS_AND_CONTAINERS";
    let root = || ("asset_ids", json!([seed::PUBLIC]));
    assert_eq!(count(by_id, root(), "NONE", "ASSETS", false).await, Some(1));
    assert_eq!(count(by_id, root(), "IMMEDIATE", all, false).await, Some(3));
    assert_eq!(count(by_id, root(), "ALL", all, false).await, Some(10));
    assert_eq!(count(by_id, root(), "ALL", "ASSETS", true).await, Some(8), "the root is named, and stays");
    let spring = ("folder_id", json!(seeded(&simulator, "Spring 2030")));
    assert_eq!(count(by_folder, spring.clone(), "NONE", all, true).await, Some(4));
    assert_eq!(count(by_folder, spring.clone(), "NONE", all, false).await, Some(3));
    assert_eq!(count("SearchSelectionContext", spring, "NONE", all, false).await, None);
}
