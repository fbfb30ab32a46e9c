//! Automations: what sets them off and what they do.

use jiff::SignedDuration;
use serde_json::{Value, json};

use super::custom_actions::action;
use super::segments::with_asset;
use super::{call, send};
use crate::iconik::settings::ActsFor;
use crate::iconik::{Simulator, seed};

const AUTOMATIONS: &str = "automations/v1/automations/";

/// Makes an automation that calls a custom action; its id.
async fn automation(simulator: &Simulator, action: &str, triggers: Value, conditions: Value) -> String {
    let body = json!({
        "name": "Tell of it", "triggers": triggers, "conditions": conditions,
        "actions": [{"type": "CUSTOM_ACTION", "parameters": {"action_id": action, "context": "ASSET"}}],
    });
    let made = send(simulator, seed::ADMIN_TOKEN, "POST", AUTOMATIONS, Some(body)).await;
    let (status, made) = (made.status, made.json);
    assert_eq!((status.as_u16(), &made["status"]), (201, &json!("ACTIVE")), "{made}");
    made["id"].as_str().unwrap().to_owned()
}

fn review(statuses: &[&str]) -> Value {
    json!([{"type": "REVIEW_STATUS_CHANGED", "parameters": {"statuses": statuses}}])
}

fn sent(simulator: &Simulator) -> Vec<Value> {
    simulator
        .with_state(|state| state.take_deliveries(usize::MAX))
        .iter()
        .map(|delivery| delivery.json())
        .collect()
}

async fn decide(simulator: &Simulator, asset: &str, status: &str) {
    let path = format!("assets/v1/assets/{asset}/approvals/");
    assert_eq!(call(simulator, "PUT", &path, Some(json!({"status": status}))).await.0, 200);
}

#[tokio::test]
async fn an_approved_review_calls_the_custom_action_once_for_each_change() {
    let (simulator, asset, version) = with_asset().await;
    let action = action(&simulator, json!({})).await;
    let id = automation(&simulator, &action, review(&["APPROVED", "NOT_APPROVED"]), json!([])).await;
    let asking = format!("assets/v1/assets/{asset}/approvals/request/");
    call(&simulator, "POST", &asking, Some(json!({"users": [seed::SERVICE]}))).await;
    assert_eq!(sent(&simulator).len(), 0, "REQUESTED is not waited for");
    decide(&simulator, &asset, "APPROVED").await;
    let told = sent(&simulator);
    assert_eq!(told.len(), 1);
    assert_eq!((&told[0]["asset_ids"], &told[0]["action_id"]), (&json!([asset]), &json!(action)));
    assert_eq!(told[0]["user_id"], seed::ADMIN, "for who made the automation");
    decide(&simulator, &asset, "APPROVED").await;
    assert_eq!(sent(&simulator).len(), 0, "the status did not change");
    decide(&simulator, &asset, "NOT_APPROVED").await;
    assert_eq!(sent(&simulator).len(), 1);
    let history = format!("{AUTOMATIONS}{id}/history/assets/{asset}/{version}/");
    let (status, ran) = call(&simulator, "GET", &history, None).await;
    assert_eq!((status.as_u16(), &ran["status"]), (200, &json!("SUCCEED")));
    assert_eq!(call(&simulator, "DELETE", &history, None).await.0, 204);
    assert_eq!(call(&simulator, "GET", &history, None).await.0, 404);
}

#[tokio::test]
async fn an_automation_is_made_read_changed_and_deleted() {
    let (simulator, asset, _) = with_asset().await;
    let action = action(&simulator, json!({})).await;
    let id = automation(&simulator, &action, review(&[]), json!([])).await;
    let own = format!("{AUTOMATIONS}{id}/");
    let (status, changed) = call(&simulator, "PATCH", &own, Some(json!({"status": "INACTIVE"}))).await;
    assert_eq!(
        (status.as_u16(), &changed["status"], &changed["name"]),
        (200, &json!("INACTIVE"), &json!("Tell of it"))
    );
    call(&simulator, "POST", &format!("assets/v1/assets/{asset}/approvals/request/"), Some(json!({}))).await;
    assert_eq!(sent(&simulator).len(), 0, "an inactive one does nothing");
    assert_eq!(call(&simulator, "GET", AUTOMATIONS, None).await.1["total"], 1);
    assert_eq!(call(&simulator, "DELETE", &own, None).await.0, 204);
    assert_eq!(call(&simulator, "GET", &own, None).await.0, 404);
    let action = json!([{"type": "CUSTOM_ACTION", "parameters": {"action_id": action}}]);
    for wrong in [
        json!({"name": "x", "triggers": [], "actions": action}),
        json!({"name": "x", "triggers": [{"type": "FULL_MOON"}], "actions": action}),
        json!({"name": "x", "triggers": [{"type": "ARCHIVE"}], "actions": [{"type": "CUSTOM_ACTION"}]}),
        json!({"name": "x", "triggers": [{"type": "ARCHIVE"}]}),
        json!({"name": "x", "triggers": [{"type": "ARCHIVE"}], "actions": action, "status": "ON"}),
    ] {
        assert_eq!(call(&simulator, "POST", AUTOMATIONS, Some(wrong)).await.0, 400);
    }
}

#[tokio::test]
async fn several_triggers_all_have_to_happen_in_any_order() {
    let (simulator, asset, _) = with_asset().await;
    let (_, collection) =
        call(&simulator, "POST", "assets/v1/collections/", Some(json!({"title": "Finals"}))).await;
    let collection = collection["id"].as_str().unwrap();
    let added = json!({"collection_ids": [collection], "object_type": "assets"});
    let triggers = json!([
        {"type": "OBJECT_ADDED_TO_COLLECTION", "parameters": added},
        {"type": "REVIEW_STATUS_CHANGED", "parameters": {"statuses": ["APPROVED"]}},
    ]);
    let action = action(&simulator, json!({})).await;
    automation(&simulator, &action, triggers, json!([])).await;
    call(&simulator, "POST", &format!("assets/v1/assets/{asset}/approvals/request/"), Some(json!({}))).await;
    decide(&simulator, &asset, "APPROVED").await;
    assert_eq!(sent(&simulator).len(), 0);
    simulator.clock().advance(SignedDuration::from_hours(24 * 300));
    let body = json!({"object_id": asset, "object_type": "assets"});
    call(&simulator, "POST", &format!("assets/v1/collections/{collection}/contents/"), Some(body)).await;
    assert_eq!(sent(&simulator).len(), 1, "there is no limit of time");
}

#[tokio::test]
async fn collections_set_off_by_what_comes_in_and_goes_out_also_further_down() {
    let (simulator, asset, _) = with_asset().await;
    let make = async |body: Value| {
        let (_, made) = call(&simulator, "POST", "assets/v1/collections/", Some(body)).await;
        made["id"].as_str().unwrap().to_owned()
    };
    let outer = make(json!({"title": "Spring"})).await;
    let inner = make(json!({"title": "Finals", "parent_id": outer})).await;
    let action = action(&simulator, json!({})).await;
    let trigger = |kind: &str, deep: bool| {
        let parameters =
            json!({"collection_ids": [outer], "object_type": "assets", "include_subcollections": deep});
        json!([{"type": kind, "parameters": parameters}])
    };
    automation(&simulator, &action, trigger("OBJECT_ADDED_TO_COLLECTION", false), json!([])).await;
    automation(&simulator, &action, trigger("OBJECT_ADDED_TO_COLLECTION", true), json!([])).await;
    automation(&simulator, &action, trigger("OBJECT_REMOVED_FROM_COLLECTION", true), json!([])).await;
    let put = async |collection: &str| {
        let body = json!({"object_id": asset, "object_type": "assets"});
        call(&simulator, "POST", &format!("assets/v1/collections/{collection}/contents/"), Some(body)).await;
    };
    put(&inner).await;
    assert_eq!(sent(&simulator).len(), 1, "only the one that looks further down");
    put(&outer).await;
    assert_eq!(sent(&simulator).len(), 2);
    let out = format!("assets/v1/collections/{inner}/contents/assets/{asset}/");
    call(&simulator, "DELETE", &out, None).await;
    assert_eq!(sent(&simulator).len(), 1);
}

#[tokio::test]
async fn conditions_are_looked_at_when_it_runs() {
    let (simulator, asset, _) = with_asset().await;
    let action = action(&simulator, json!({})).await;
    let conditions = json!([{"operator": "AND", "terms": [
        {"name": "title", "value": "Trailer"}, {"name": "approval.status", "value_in": ["APPROVED"]},
    ]}]);
    automation(&simulator, &action, review(&["APPROVED"]), conditions).await;
    let (_, other) = call(&simulator, "POST", "assets/v1/assets/", Some(json!({"title": "Teaser"}))).await;
    for id in [&asset, other["id"].as_str().unwrap()] {
        call(&simulator, "POST", &format!("assets/v1/assets/{id}/approvals/request/"), Some(json!({}))).await;
        decide(&simulator, id, "APPROVED").await;
    }
    let told = sent(&simulator);
    assert_eq!((told.len(), &told[0]["asset_ids"]), (1, &json!([asset])));
}

#[tokio::test]
async fn time_alone_sets_off_once_for_each_version() {
    let (simulator, asset, _) = with_asset().await;
    let action = action(&simulator, json!({})).await;
    let triggers = json!([{"type": "CREATED_AT_TRANSITION", "parameters": {"days_since_created": 30}}]);
    let named = json!([{"operator": "AND", "terms": [{"name": "title", "value": "Trailer"}]}]);
    automation(&simulator, &action, triggers, named).await;
    simulator.clock().advance(SignedDuration::from_hours(24 * 29));
    assert_eq!(sent(&simulator).len(), 0);
    simulator.clock().advance(SignedDuration::from_hours(25));
    let told = sent(&simulator);
    assert_eq!((told.len(), &told[0]["asset_ids"]), (1, &json!([asset])));
    simulator.clock().advance(SignedDuration::from_hours(25));
    assert_eq!(sent(&simulator).len(), 0);
}

#[tokio::test]
async fn an_automation_runs_for_what_is_there_when_told_so() {
    let (simulator, asset, _) = with_asset().await;
    let action = action(&simulator, json!({})).await;
    call(&simulator, "POST", &format!("assets/v1/assets/{asset}/approvals/request/"), Some(json!({}))).await;
    decide(&simulator, &asset, "APPROVED").await;
    let named = json!([{"operator": "AND", "terms": [{"name": "id", "value": asset}]}]);
    let id = automation(&simulator, &action, review(&["APPROVED"]), named).await;
    let (_, estimate) = call(&simulator, "GET", &format!("{AUTOMATIONS}{id}/runs/estimate/"), None).await;
    assert_eq!(estimate["total"], 1);
    assert_eq!(call(&simulator, "POST", &format!("{AUTOMATIONS}{id}/runs/"), None).await.0, 202);
    assert_eq!(sent(&simulator).len(), 1);
}

#[tokio::test]
async fn other_actions_are_done_and_what_is_not_done_is_a_failed_run() {
    let (simulator, asset, version) = with_asset().await;
    let (_, collection) =
        call(&simulator, "POST", "assets/v1/collections/", Some(json!({"title": "Finals"}))).await;
    let body = json!({
        "name": "x", "triggers": review(&["REQUESTED"]),
        "actions": [
            {"type": "RESTRICT_ASSET", "parameters": {"restrict_metadata_field": "Blocked", "warning": "in review"}},
            {"type": "ADD_TO_COLLECTION", "parameters": {"collection_id": collection["id"]}},
            {"type": "ANALYZE", "parameters": {}},
            {"type": "DELETE_ASSET"},
        ],
    });
    let made = send(&simulator, seed::ADMIN_TOKEN, "POST", AUTOMATIONS, Some(body)).await.json;
    call(&simulator, "POST", &format!("assets/v1/assets/{asset}/approvals/request/"), Some(json!({}))).await;
    let (_, now) =
        call(&simulator, "GET", &format!("assets/v1/assets/{asset}/?include_collections=true"), None).await;
    assert_eq!(
        (&now["is_blocked"], &now["warning"], &now["status"]),
        (&json!(true), &json!("in review"), &json!("ACTIVE"))
    );
    assert_eq!(now["in_collections"], json!([collection["id"]]));
    let history = format!("{AUTOMATIONS}{}/history/assets/{asset}/{version}/", made["id"].as_str().unwrap());
    let (_, ran) = call(&simulator, "GET", &history, None).await;
    assert_eq!(ran["status"], "FAILED");
    assert!(ran["error_message"].as_str().unwrap().contains("ANALYZE"), "{ran}");
}

#[tokio::test]
async fn metadata_that_is_written_sets_off_and_is_written() {
    let (simulator, asset, _) = with_asset().await;
    let action = action(&simulator, json!({})).await;
    let waited_for = json!({"event_type": "ASSETS", "metadata_values": {
        "RightsStatus": {"field_values": [{"value": "cleared"}]}, "Owner": {"field_values": []},
    }});
    let triggers = json!([{"type": "METADATA_UPDATE", "parameters": waited_for}]);
    automation(&simulator, &action, triggers, json!([])).await;
    let write = |status: &str| {
        let status = json!({"field_values": [{"value": status}]});
        let owner = json!({"field_values": [{"value": "producer@example.com"}]});
        let values = json!({"RightsStatus": status, "Owner": owner});
        let object = (asset.clone(), values.as_object().unwrap().clone());
        simulator.with_state(|state| state.write_directly(seed::EDITOR, ("assets", &object.0), &object.1));
    };
    write("pending");
    assert_eq!(sent(&simulator).len(), 0, "another value");
    write("cleared");
    assert_eq!(sent(&simulator).len(), 1);
    simulator.with_state(|state| state.settings.metadata_rules.events_carry_values = false);
    write("cleared");
    assert_eq!(sent(&simulator).len(), 1, "whatever webhooks are told");

    let values = json!({"Campaign": {"field_values": [{"value": "Harbour Lights"}]}, "Project": {"field_values": [{"value": "P-1"}]}});
    let parameters = json!({"metadata_view_id": seed::metadata::CAMPAIGN_VIEW, "metadata_values": values});
    let body = json!({
        "name": "x", "triggers": review(&["REQUESTED"]), "actions": [{"type": "METADATA_UPDATE", "parameters": parameters}],
    });
    send(&simulator, seed::ADMIN_TOKEN, "POST", AUTOMATIONS, Some(body)).await;
    call(&simulator, "POST", &format!("assets/v1/assets/{asset}/approvals/request/"), Some(json!({}))).await;
    let written = simulator.with_state(|state| state.values_of(("assets", &asset), "Campaign"));
    assert_eq!(written, ["Harbour Lights"]);
}

#[tokio::test]
async fn content_subtitles_and_archiving_set_off() {
    let (simulator, asset, _) = with_asset().await;
    let action = action(&simulator, json!({})).await;
    for trigger in [
        json!({"type": "ASSET_ONLINE", "parameters": {"only_first_version": true, "wait_for_transcode": false}}),
        json!({"type": "ARCHIVE"}),
        json!({"type": "RESTORE"}),
        json!({"type": "SUBTITLE_ADDED", "parameters": {"language": "de"}}),
        json!({"type": "ASSET_SHARE", "parameters": {"allow_download": true}}),
    ] {
        automation(&simulator, &action, json!([trigger]), json!([])).await;
    }
    let path = format!("assets/v1/assets/{asset}/");
    for change in [
        json!({"is_online": true}),
        json!({"archive_status": "ARCHIVED"}),
        json!({"archive_status": "NOT_ARCHIVED"}),
    ] {
        assert_eq!(call(&simulator, "PATCH", &path, Some(change.clone())).await.0, 200);
        assert_eq!(sent(&simulator).len(), 1, "{change}");
        call(&simulator, "PATCH", &path, Some(change)).await;
        assert_eq!(sent(&simulator).len(), 0, "it was so before");
    }
    let share = |download: bool| {
        json!({
            "emails": [], "allow_download": download, "allow_comments": false, "allow_approving_comments": false,
            "allow_setting_approve_status": false,
        })
    };
    for (download, expected) in [(false, 0), (true, 1)] {
        call(&simulator, "POST", &format!("{path}shares/"), Some(share(download))).await;
        assert_eq!(sent(&simulator).len(), expected);
    }
    let formats = format!("files/v1/assets/{asset}/formats/");
    let (_, format) = call(&simulator, "POST", &formats, Some(json!({"name": "SUBTITLES"}))).await;
    for (language, expected) in [("en", 0), ("de", 1)] {
        let body = json!({
            "language": language, "closed_captions": false, "format_id": format["id"],
            "content": "WEBVTT\n\n00:00:01.000 --> 00:00:02.000\nGuten Tag\n",
        });
        let (status, made) =
            call(&simulator, "POST", &format!("files/v1/assets/{asset}/subtitles/"), Some(body)).await;
        assert!(status.is_success(), "{made}");
        assert_eq!(sent(&simulator).len(), expected, "{language}");
    }
}

#[tokio::test]
async fn for_whom_when_and_how_often_it_runs_are_switches() {
    let (simulator, asset, _) = with_asset().await;
    let action = action(&simulator, json!({})).await;
    automation(&simulator, &action, review(&[]), json!([])).await;
    simulator.with_state(|state| {
        state.settings.automations.acts_for = ActsFor::Cause;
        state.settings.automations.delay_seconds = 20;
        state.settings.automations.once_per_version = true;
    });
    call(&simulator, "POST", &format!("assets/v1/assets/{asset}/approvals/request/"), Some(json!({}))).await;
    assert_eq!(sent(&simulator).len(), 0);
    simulator.clock().advance(SignedDuration::from_secs(20));
    let told = sent(&simulator);
    assert_eq!((told.len(), &told[0]["user_id"]), (1, &json!(seed::SERVICE)));
    decide(&simulator, &asset, "APPROVED").await;
    simulator.clock().advance(SignedDuration::from_secs(20));
    assert_eq!(sent(&simulator).len(), 0, "it has run for this version");
}
