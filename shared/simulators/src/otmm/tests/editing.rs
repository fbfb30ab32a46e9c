//! Edits of metadata: what they change, what they refuse, what they answer.

use serde_json::{Value, json};

use super::{as_user, caller, edit, encoded, field, seeded, selection, simulator, text, wait};
use crate::otmm::settings::{EditAnswer, Unknown};
use crate::otmm::{Settings, Simulator, seed};

const OPTIMISTIC: &str = "?lock_strategy=optimistic";

fn value_of(simulator: &Simulator, id: &str, field: &str) -> Option<Value> {
    simulator.with_state(|state| state.assets[id].values.get(field).cloned())
}

#[tokio::test]
async fn otmm_saves_with_the_callers_lock_or_without_one_where_the_site_allows_that() {
    for allowed in [true, false] {
        let mut settings = Settings::default();
        settings.edits.optimistic_assets = allowed;
        settings.edits.lock_conflict_status = 409;
        let simulator = simulator(settings);
        let (caller, editor) = (caller(&simulator), as_user(&simulator, seed::EDITOR_ID));
        let id = seeded(&simulator, "spring-brief.pdf");
        let path = format!("assets/{id}");
        let body = edit(seed::ARCHIVE_ID, text("a-1"));
        assert_eq!(caller.json("PATCH", &path, &body).await.status, 409, "nobody has locked it");
        let optimistic = caller.json("PATCH", &format!("{path}{OPTIMISTIC}"), &body).await;
        assert_eq!(optimistic.status, if allowed { 200 } else { 409 });
        assert_eq!(editor.act(&id, "lock").await.status, 200);
        for query in ["", OPTIMISTIC] {
            let refused = caller.json("PATCH", &format!("{path}{query}"), &body).await;
            assert_eq!(refused.status, 409);
            assert!(refused.sentence().ends_with("is locked by editor"), "{}", refused.text());
        }
        assert_eq!(editor.json("PATCH", &path, &body).await.status, 200);
        assert_eq!(editor.act(&id, "unlock").await.status, 200);
        assert_eq!(value_of(&simulator, &id, seed::ARCHIVE_ID), Some("a-1".into()));
        let folder = seeded(&simulator, "Products");
        let body = json!({"edited_folder": {"data": {"metadata": [{"id": seed::STATUS, "value": text("approved")}]}}});
        let saved = caller.json("PATCH", &format!("folders/{folder}{OPTIMISTIC}"), &body).await;
        assert_eq!(saved.status, 200, "folders always allow it");
    }
}

#[tokio::test]
async fn otmm_locks_of_users_may_end_by_themselves() {
    let mut settings = Settings::default();
    settings.edits.lock_seconds = Some(60);
    let simulator = simulator(settings);
    let id = seeded(&simulator, "spring-brief.pdf");
    assert_eq!(as_user(&simulator, seed::EDITOR_ID).act(&id, "lock").await.status, 200);
    let caller = caller(&simulator);
    assert_eq!(caller.act(&id, "lock").await.status, 500);
    wait(&simulator, 60);
    assert_eq!(caller.act(&id, "lock").await.status, 200);
}

#[tokio::test]
async fn otmm_edits_change_what_they_name_and_clear_what_they_name_as_null() {
    for stays in [true, false] {
        let mut settings = Settings::default();
        settings.edits.unnamed_fields_stay = stays;
        let simulator = simulator(settings);
        let caller = caller(&simulator);
        let id = seeded(&simulator, "spring-spot.mov");
        let before = caller.asset(&id).await["date_last_updated"].clone();
        wait(&simulator, 1);
        let body = json!({"edited_asset": {"data": {"metadata": [
            {"id": seed::RETAIN_UNTIL, "type": "com.artesia.metadata.MetadataField", "value": null},
            {"id": seed::USES, "value": {"value": {"type": "number", "value": "4"}}},
            {"id": seed::NAME, "value": text("spring-film.mov")},
        ]}}});
        let answer = caller.json("PATCH", &format!("assets/{id}{OPTIMISTIC}"), &body).await;
        assert_eq!((answer.status, answer.bytes.len()), (200, 0), "{}", answer.text());
        let asset = caller.asset(&id).await;
        assert_eq!(asset["name"], "spring-film.mov");
        assert!(field(&asset, seed::RETAIN_UNTIL).get("value").is_none());
        assert_eq!(field(&asset, seed::USES)["value"]["value"]["value"], 4);
        assert_eq!(value_of(&simulator, &id, seed::STATUS), stays.then(|| "approved".into()));
        assert_ne!(asset["date_last_updated"], before);
    }
}

#[tokio::test]
async fn otmm_answers_an_edit_with_nothing_or_with_the_asset() {
    for (answer, status, has_body) in
        [(EditAnswer::Empty, 200, false), (EditAnswer::NoContent, 204, false), (EditAnswer::Asset, 200, true)]
    {
        let mut settings = Settings::default();
        settings.edits.answer = answer;
        let simulator = simulator(settings);
        let id = seeded(&simulator, "spring-brief.pdf");
        let body = edit(seed::ARCHIVE_ID, text("a-1"));
        let saved = caller(&simulator).json("PATCH", &format!("assets/{id}{OPTIMISTIC}"), &body).await;
        assert_eq!((saved.status, !saved.bytes.is_empty()), (status, has_body));
        if has_body {
            assert_eq!(saved.json()["asset_resource"]["asset"]["asset_id"], id.as_str());
        }
    }
}

#[tokio::test]
async fn otmm_unknown_fields_are_refused_left_out_or_stored() {
    for (unknown, status, stored) in
        [(Unknown::Refused, 500, false), (Unknown::Ignored, 200, false), (Unknown::Stored, 200, true)]
    {
        let mut settings = Settings::default();
        settings.edits.unknown_field = unknown;
        let simulator = simulator(settings);
        let id = seeded(&simulator, "spring-brief.pdf");
        // Ids are the same to the last blank.
        let body = edit("CUSTOM.FIELD.ARCHIVE_ID", text("a-1"));
        let saved = caller(&simulator).json("PATCH", &format!("assets/{id}{OPTIMISTIC}"), &body).await;
        assert_eq!(saved.status, status);
        assert_eq!(value_of(&simulator, &id, "CUSTOM.FIELD.ARCHIVE_ID").is_some(), stored);
    }
}

#[tokio::test]
async fn otmm_values_outside_of_their_lookup_are_refused_left_out_or_stored() {
    for (unknown, expired, status, stored, expired_status) in [
        (Unknown::Refused, true, 500, Some("draft"), 200),
        (Unknown::Ignored, false, 200, None, 500),
        (Unknown::Stored, false, 200, Some("made up"), 500),
    ] {
        let mut settings = Settings::default();
        settings.edits.unknown_lookup = unknown;
        settings.edits.expired_lookup = expired;
        let simulator = simulator(settings);
        let caller = caller(&simulator);
        let id = seeded(&simulator, "spring-brief.pdf");
        let path = format!("assets/{id}{OPTIMISTIC}");
        let saved = caller.json("PATCH", &path, &edit(seed::STATUS, text("made up"))).await;
        assert_eq!(saved.status, status);
        assert_eq!(value_of(&simulator, &id, seed::STATUS), stored.map(Value::from));
        let saved = caller.json("PATCH", &path, &edit(seed::STATUS, text("on hold"))).await;
        assert_eq!(saved.status, expired_status);
        let chosen =
            json!({"value": {"type": "com.artesia.metadata.DomainValue", "displayValue": "Approved"}});
        assert_eq!(caller.json("PATCH", &path, &edit(seed::STATUS, chosen)).await.status, 200);
        assert_eq!(value_of(&simulator, &id, seed::STATUS), Some("approved".into()));
    }
}

#[tokio::test]
async fn otmm_values_have_to_be_of_the_type_the_site_calls_them() {
    for checked in [true, false] {
        let mut settings = Settings::default();
        settings.wire.types_are_checked = checked;
        let simulator = simulator(settings);
        let caller = caller(&simulator);
        let path = format!("assets/{}{OPTIMISTIC}", seeded(&simulator, "spring-brief.pdf"));
        for (id, kind, value, is_right) in [
            (seed::RETAIN_UNTIL, "dateTime", json!("2040-01-01T00:00:00Z"), true),
            (seed::RETAIN_UNTIL, "date", json!("2040-01-01"), !checked),
            (seed::RETAIN_UNTIL, "dateTime", json!("soon"), false),
            (seed::USES, "number", json!(4), true),
            (seed::USES, "string", json!("4"), !checked),
            (seed::USES, "number", json!("many"), false),
            (seed::ARCHIVE_ID, "string", json!(4), false),
            ("ARTESIA.FIELD.ASSET ID", "string", json!("x"), false),
        ] {
            let body = edit(id, json!({"value": {"type": kind, "value": value}}));
            let status = caller.json("PATCH", &path, &body).await.status;
            assert_eq!(status, if is_right { 200 } else { 500 }, "{id} {kind} {value}");
        }
    }
}

fn columns(lists: &[(&str, &[&str])]) -> Value {
    let column = |(id, values): &(&str, &[&str])| {
        let rows: Vec<Value> = values.iter().map(|value| text(value)).collect();
        json!({"id": id, "type": "com.artesia.metadata.MetadataTableField", "values": rows})
    };
    json!({"edited_asset": {"data": {"metadata": lists.iter().map(column).collect::<Vec<_>>()}}})
}

#[tokio::test]
async fn otmm_tables_are_replaced_column_by_column_and_all_have_as_many_rows() {
    for uneven in [Unknown::Refused, Unknown::Stored] {
        let mut settings = Settings::default();
        settings.edits.uneven_columns = uneven;
        settings.wire.types_are_checked = false;
        let simulator = simulator(settings);
        let caller = caller(&simulator);
        let id = seeded(&simulator, "spring-spot.mov");
        let path = format!("assets/{id}{OPTIMISTIC}");
        let rows = |column: &str| simulator.with_state(|state| state.assets[&id].columns[column].len());
        let whole = columns(&[
            (seed::EVENT_DATE, &["2030-03-01T08:00:00Z", "2031-01-01T00:00:00Z"]),
            (seed::EVENT_TYPE, &["approved", "archived"]),
            (seed::EVENT_DETAIL, &["By legal", "a-1"]),
        ]);
        assert_eq!(caller.json("PATCH", &path, &whole).await.status, 200);
        assert_eq!(rows(seed::EVENT_TYPE), 2);
        // There is no appending: the column is what was sent.
        let one = columns(&[(seed::EVENT_TYPE, &["archived"])]);
        let saved = caller.json("PATCH", &path, &one).await;
        assert_eq!(saved.status, if uneven == Unknown::Refused { 500 } else { 200 });
        assert_eq!(rows(seed::EVENT_TYPE), if uneven == Unknown::Refused { 2 } else { 1 });
        let wrong = edit(seed::EVENT_TYPE, text("a field, not a column"));
        assert_eq!(caller.json("PATCH", &path, &wrong).await.status, 500);
    }
}

#[tokio::test]
async fn otmm_bulk_edits_are_200_whatever_came_of_them() {
    for objects in [true, false] {
        let mut settings = Settings::default();
        settings.edits.bulk_objects = objects;
        let simulator = simulator(settings);
        let caller = caller(&simulator);
        let (brief, spot) = (seeded(&simulator, "spring-brief.pdf"), seeded(&simulator, "spring-spot.mov"));
        as_user(&simulator, seed::EDITOR_ID).act(&spot, "lock").await;
        let body = json!({"bulk_edit_request_param": {"bulk_edit_request": {
            "context": {
                "type": "com.artesia.asset.selection.AssetIdsSelectionContext", "asset_ids": [&brief, &spot, "nothing"],
            },
            "metadata_values": {"metadata_edit_id_value_list": [{
                "metadata_section_id": "METADATA_MISC_EDIT_SECTION",
                "field_id_value_entries": [{"metadata_field_id": seed::RESTRICTION, "metadata_value": text("embargo")}],
            }]},
        }}});
        let answer = caller.json("PATCH", "assets/", &body).await;
        assert_eq!(answer.status, 200);
        let result = answer.json()["bulk_asset_result_representation"]["bulk_asset_result"].clone();
        let good = &result["successful_object_list"][0];
        assert_eq!(if objects { &good["object_id"] } else { good }, brief.as_str());
        assert_eq!(result["failed_object_list"].as_array().unwrap().len(), 2);
        assert_eq!(value_of(&simulator, &brief, seed::RESTRICTION), Some("embargo".into()));
        let context = selection(&[&spot]);
        let pairs = [("action", "lock"), ("selection_context", context.as_str())];
        let answer = caller.form("PUT", "assets/state", &pairs).await.json();
        let result = answer["bulk_asset_result_representation"]["bulk_asset_result"].clone();
        assert_eq!(result["successful_object_list"], json!([]));
        let told = &result["failed_object_list"][0];
        assert_eq!(if objects { &told["object_id"] } else { told }, spot.as_str());
        let context: Value = serde_json::from_str(&selection(&[&brief])).unwrap();
        let listed = caller.get(&format!("assets?selection_context={}", encoded(&context))).await.json();
        assert_eq!(listed["assets_resource"]["asset_list"][0]["asset_id"], brief.as_str());
    }
}
