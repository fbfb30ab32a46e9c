use serde_json::{Value, json};

use super::super::settings::{Put, StatusWrites, UnknownFields, VersionOrder};
use super::super::{Settings, Simulator, seed};
use super::{call, make_asset, seeded, send, simulator, wait};

#[tokio::test]
async fn an_asset_is_made_read_and_changed_and_only_what_can_be_written_is() {
    let simulator = simulator(Settings::default());
    let body = json!({
        "title": "Trailer", "type": "LINK", "external_link": "https://example.com/", "id": "mine", "favoured": true,
        "date_created": "2030-01-02T03:04:05.123456", "date_modified": "2030-01-02T03:04:05",
        "date_deleted": "2030-01-02T03:04:05", "colour": "red",
    });
    let (status, made) = call(&simulator, "POST", "assets/v1/assets", Some(body)).await;
    assert_eq!(status, 201);
    assert_ne!(made["id"], "mine");
    assert_eq!(
        (&made["status"], &made["date_deleted"], &made["colour"]),
        (&json!("ACTIVE"), &Value::Null, &Value::Null)
    );
    assert_eq!(made["date_created"], "2030-01-02T03:04:05.123456+00:00", "without a zone means UTC");
    assert_eq!(made["date_modified"], "2031-05-06T07:08:09.000000+00:00");
    let path = format!("assets/v1/assets/{}/", made["id"].as_str().unwrap());
    wait(&simulator, 5);
    let (status, changed) = call(&simulator, "PATCH", &path, Some(json!({"external_id": "D-1"}))).await;
    assert_eq!(
        (status.as_u16(), &changed["title"], &changed["external_id"]),
        (200, &json!("Trailer"), &json!("D-1"))
    );
    assert_eq!(changed["date_modified"], "2031-05-06T07:08:14.000000+00:00");
    assert_eq!(changed["updated_by_user"], seed::SERVICE);
    let events = simulator.with_state(|state| {
        state.events.iter().map(|event| (event.realm, event.operation)).collect::<Vec<_>>()
    });
    assert_eq!(events, [("entity", "create"), ("entity", "update")]);
}

#[tokio::test]
async fn collections_and_people_are_shown_when_they_are_asked_for() {
    let simulator = simulator(Settings::default());
    let finals = seeded(&simulator, "Finals");
    let body = Some(json!({"title": "Trailer", "collection_id": finals}));
    let (_, outside) = call(&simulator, "POST", "assets/v1/assets/", body.clone()).await;
    assert_eq!(outside["in_collections"], json!([]), "the collection alone does nothing");
    let (_, inside) = call(&simulator, "POST", "assets/v1/assets/?assign_to_collection=true", body).await;
    let path = format!("assets/v1/assets/{}/", inside["id"].as_str().unwrap());
    let (_, plain) = call(&simulator, "GET", &path, None).await;
    assert_eq!((plain.get("in_collections"), plain.get("created_by_user_info")), (None, None));
    let (_, full) =
        call(&simulator, "GET", &format!("{path}?include_collections=True&include_users=true"), None).await;
    assert_eq!(full["in_collections"], json!([finals]));
    assert_eq!(full["created_by_user_info"]["email"], "service@example.com");
    assert_eq!(full["versions"][0]["created_by_user_info"]["email"], "service@example.com");
    simulator.with_state(|state| state.settings.edits.collections_always = true);
    assert_eq!(call(&simulator, "GET", &path, None).await.1["in_collections"], json!([finals]));
    let unknown = Some(json!({"title": "Trailer", "collection_id": "nowhere"}));
    let (status, _) = call(&simulator, "POST", "assets/v1/assets/?assign_to_collection=true", unknown).await;
    assert_eq!(status, 400);
}

#[tokio::test]
async fn what_a_put_leaves_out_stays_or_goes() {
    let simulator = simulator(Settings::default());
    let path = format!("assets/v1/assets/{}/", seeded(&simulator, "Creative brief"));
    let put = async |body: Value| call(&simulator, "PUT", &path, Some(body)).await;
    let (_, merged) = put(json!({"title": "Brief"})).await;
    assert_eq!((&merged["type"], &merged["external_id"]), (&json!("LINK"), &json!("3104")));
    simulator.with_state(|state| state.settings.edits.put = Put::Replaces);
    assert_eq!(put(json!({"warning": "old"})).await.0, 400, "the title is needed then");
    let (status, replaced) = put(json!({"title": "Brief", "type": "LINK"})).await;
    assert_eq!(
        (status.as_u16(), &replaced["external_id"], &replaced["category"]),
        (200, &Value::Null, &Value::Null)
    );
    assert_eq!(replaced["versions"].as_array().unwrap().len(), 1);
    let collection = format!("assets/v1/collections/{}/", seeded(&simulator, "Harbour Lights"));
    let (_, replaced) = call(&simulator, "PUT", &collection, Some(json!({"title": "Harbour Lights"}))).await;
    assert_eq!(
        (&replaced["external_id"], &replaced["in_collections"].as_array().unwrap().len()),
        (&Value::Null, &1)
    );
}

#[tokio::test]
async fn unknown_fields_are_dropped_or_refused() {
    let simulator = simulator(Settings::default());
    simulator.with_state(|state| state.settings.edits.unknown_fields = UnknownFields::Refused);
    let body = Some(json!({"title": "Trailer", "colour": "red", "favoured": true}));
    let (status, answer) = call(&simulator, "POST", "assets/v1/assets/", body).await;
    assert_eq!((status.as_u16(), &answer["errors"]), (400, &json!(["colour: Unknown field."])));
}

#[tokio::test]
async fn writing_the_status_is_stored_dropped_or_acts() {
    let simulator = simulator(Settings::default());
    let patch = async |id: &str, body: Value| {
        call(&simulator, "PATCH", &format!("assets/v1/assets/{id}/"), Some(body)).await.1
    };
    let deleted = |id: &str| simulator.with_state(|state| state.is_deleted("assets", id));
    let id = make_asset(&simulator, "Trailer").await;
    let body = json!({"status": "DELETED", "archive_status": "ARCHIVED"});
    let stored = patch(&id, body.clone()).await;
    assert_eq!(
        (&stored["status"], &stored["archive_status"], deleted(&id)),
        (&json!("DELETED"), &json!("ARCHIVED"), false)
    );
    let id = make_asset(&simulator, "Trailer").await;
    simulator.with_state(|state| state.settings.edits.status_writes = StatusWrites::Dropped);
    let dropped = patch(&id, body.clone()).await;
    assert_eq!((&dropped["status"], &dropped["archive_status"]), (&json!("ACTIVE"), &json!("NOT_ARCHIVED")));
    simulator.with_state(|state| state.settings.edits.status_writes = StatusWrites::Act);
    patch(&id, body).await;
    assert!(deleted(&id));
    patch(&id, json!({"status": "ACTIVE"})).await;
    assert!(!deleted(&id));
}

#[tokio::test]
async fn external_ids_may_repeat_unless_switched_off() {
    let simulator = simulator(Settings::default());
    let make = async || {
        let body = json!({"title": "Trailer", "external_id": "3104"});
        call(&simulator, "POST", "assets/v1/assets/", Some(body)).await.0
    };
    assert_eq!(make().await, 201);
    simulator.with_state(|state| state.settings.edits.external_ids_repeat = false);
    assert_eq!(make().await, 409);
}

#[tokio::test]
async fn many_assets_are_edited_together_or_not_at_all() {
    let simulator = simulator(Settings::default());
    let ids = [make_asset(&simulator, "One").await, make_asset(&simulator, "Two").await];
    let body =
        |last: &str| json!({"objects": [{"id": ids[0], "warning": "!"}, {"id": last, "warning": "!"}]});
    assert_eq!(call(&simulator, "PATCH", "assets/v1/assets/", Some(body("nowhere"))).await.0, 404);
    let warned = || {
        simulator.with_state(|state| state.assets.objects().filter(|asset| asset["warning"] == "!").count())
    };
    assert_eq!(warned(), 0);
    let (status, answer) = call(&simulator, "PATCH", "assets/v1/assets/", Some(body(&ids[1]))).await;
    assert_eq!((status.as_u16(), warned()), (202, 2));
    let job = answer["job_id"].as_str().unwrap();
    assert_eq!(simulator.with_state(|state| state.jobs.get(job).unwrap()["status"].clone()), "FINISHED");
}

async fn versions(simulator: &Simulator, asset: &str) -> Vec<(i64, String)> {
    let (_, asset) = call(simulator, "GET", &format!("assets/v1/assets/{asset}/"), None).await;
    let versions = asset["versions"].as_array().unwrap().clone();
    let pair = |version: &Value| {
        (version["version_number"].as_i64().unwrap(), version["id"].as_str().unwrap().to_owned())
    };
    versions.iter().map(pair).collect()
}

#[tokio::test]
async fn versions_are_added_promoted_and_deleted() {
    let simulator = simulator(Settings::default());
    let asset = seeded(&simulator, "Harbour Lights 60s master");
    let path = |rest: &str| format!("assets/v1/assets/{asset}/versions/{rest}");
    let (status, answer) = call(&simulator, "POST", &path(""), Some(json!({"copy_metadata": true}))).await;
    assert_eq!(status, 200);
    let keys = [
        "id",
        "person_ids",
        "transcribe_status",
        "face_recognition_status",
        "archive_status",
        "date_created",
    ];
    for version in answer["versions"].as_array().unwrap() {
        assert!(keys.iter().all(|key| !version[*key].is_null()), "a client reads no null: {version}");
    }
    let numbers = |list: Vec<(i64, String)>| list.into_iter().map(|(number, _)| number).collect::<Vec<_>>();
    let before = versions(&simulator, &asset).await;
    assert_eq!(numbers(before.clone()), [4, 3, 2, 1], "the newest first");
    simulator.with_state(|state| state.settings.edits.version_order = VersionOrder::OldestFirst);
    assert_eq!(numbers(versions(&simulator, &asset).await), [1, 2, 3, 4]);
    let first = &before[3].1;
    assert_eq!(call(&simulator, "PUT", &path(&format!("{first}/promote/")), None).await.0, 204);
    assert_eq!(simulator.with_state(|state| state.current_version_of(&asset)).as_ref(), Some(first));
    let third = &before[1].1;
    let (_, edited) =
        call(&simulator, "PATCH", &path(&format!("{third}/")), Some(json!({"status": "FAILED"}))).await;
    assert!(edited["versions"].as_array().unwrap().iter().any(|version| version["status"] == "FAILED"));
    assert_eq!(call(&simulator, "DELETE", &path(&format!("{third}/")), None).await.0, 204);
    assert_eq!(versions(&simulator, &asset).await.len(), 4, "it still shows");
    assert_eq!(call(&simulator, "DELETE", &path(&format!("{third}/?hard_delete=True")), None).await.0, 204);
    assert_eq!(call(&simulator, "DELETE", &path("old/"), None).await.0, 204);
    assert_eq!(numbers(versions(&simulator, &asset).await), [5]);
    assert_eq!(
        call(&simulator, "DELETE", &path(&format!("{first}/")), None).await.0,
        400,
        "the last one stays"
    );
    let (_, history) =
        call(&simulator, "GET", &format!("assets/v1/assets/{asset}/history/?per_page=100"), None).await;
    let noted: Vec<&str> = history["objects"]
        .as_array()
        .unwrap()
        .iter()
        .map(|entry| entry["operation_type"].as_str().unwrap())
        .collect();
    assert!(
        ["VERSION_CREATE", "VERSION_PROMOTE", "VERSION_DELETE", "VERSION_UPDATE"]
            .iter()
            .all(|kind| noted.contains(kind))
    );
}

#[tokio::test]
async fn a_version_is_made_of_another_asset_unless_that_is_being_transcoded() {
    let simulator = simulator(Settings::default());
    let (asset, source) = (make_asset(&simulator, "One").await, make_asset(&simulator, "Two").await);
    let path = format!("assets/v1/assets/{asset}/versions/from/assets/{source}/");
    assert_eq!(call(&simulator, "POST", &path, Some(json!({}))).await.0, 202);
    let version = versions(&simulator, &source).await[0].1.clone();
    let busy = format!("assets/v1/assets/{source}/versions/{version}/");
    call(&simulator, "PATCH", &busy, Some(json!({"status": "IN_PROGRESS"}))).await;
    assert_eq!(call(&simulator, "POST", &path, Some(json!({}))).await.0, 409);
    let own = versions(&simulator, &asset).await[1].1.clone();
    let path = format!("assets/v1/assets/{asset}/versions/from/versions/{own}/");
    assert_eq!(call(&simulator, "POST", &path, None).await.0, 202);
    assert_eq!(versions(&simulator, &asset).await.len(), 3);
}

#[tokio::test]
async fn a_relation_is_made_once_listed_from_both_ends_and_ended() {
    let simulator = simulator(Settings::default());
    let (asset, other) = (make_asset(&simulator, "Spot").await, make_asset(&simulator, "Release form").await);
    let path = format!("assets/v1/assets/{asset}/relations/");
    let body =
        json!({"related_to_asset_id": other, "relation_type": "rights_document", "description": "Talent"});
    assert_eq!(call(&simulator, "POST", &path, Some(body.clone())).await.0, 201);
    let (status, again) = call(&simulator, "POST", &path, Some(body)).await;
    assert_eq!((status.as_u16(), &again["description"]), (200, &json!("Talent")));
    for (from, to) in [(&asset, &other), (&other, &asset)] {
        let (_, listed) = call(&simulator, "GET", &format!("assets/v1/assets/{from}/relations/"), None).await;
        assert_eq!(listed["objects"][0]["id"], **to);
        assert_eq!(listed["objects"][0]["relations"][0]["related_to_asset_id"], other);
    }
    let unknown = json!({"related_to_asset_id": other, "relation_type": "none"});
    assert_eq!(call(&simulator, "POST", &path, Some(unknown)).await.0, 400);
    assert_eq!(call(&simulator, "POST", &format!("{path}reference/{other}/reverse/"), None).await.0, 201);
    assert!(simulator.with_state(|state| state.relation(&other, "reference", &asset).is_some()));
    assert_eq!(call(&simulator, "DELETE", &format!("{path}rights_document/{other}/"), None).await.0, 204);
    assert_eq!(call(&simulator, "DELETE", &format!("{path}rights_document/{other}/"), None).await.0, 404);
    let types = "assets/v1/assets/relation_types/";
    assert_eq!(call(&simulator, "DELETE", &format!("{types}reference/"), None).await.0, 409, "it is in use");
    let made = json!({"name": "sequel", "source_label": "follows", "destination_label": "is followed by"});
    assert_eq!(call(&simulator, "POST", types, Some(made)).await.0, 201);
    let (_, edited) =
        call(&simulator, "PATCH", &format!("{types}sequel/"), Some(json!({"description": "x"}))).await;
    assert_eq!((&edited["name"], &edited["description"]), (&json!("sequel"), &json!("x")));
    assert_eq!(call(&simulator, "DELETE", &format!("{types}sequel/"), None).await.0, 204);
}

#[tokio::test]
async fn an_integration_writes_history_and_takes_it_back() {
    let simulator = simulator(Settings::default());
    let asset = make_asset(&simulator, "Spot").await;
    let path = format!("assets/v1/assets/{asset}/history/");
    let (status, _) = call(&simulator, "POST", &path, Some(json!({"operation_type": "FILED"}))).await;
    assert_eq!(status, 400);
    let body = json!({"operation_type": "CUSTOM", "operation_description": "Filed as 100245"});
    let (status, entry) = call(&simulator, "POST", &path, Some(body)).await;
    assert_eq!(
        (status.as_u16(), &entry["asset_id"], &entry["user_id"]),
        (201, &json!(asset), &json!(seed::SERVICE))
    );
    let own = format!("{path}{}/", entry["id"].as_str().unwrap());
    assert_eq!(call(&simulator, "GET", &own, None).await.1["operation_description"], "Filed as 100245");
    let other = make_asset(&simulator, "Other").await;
    assert_eq!(call(&simulator, "GET", &own.replace(&asset, &other), None).await.0, 404);
    assert_eq!(call(&simulator, "DELETE", &own, None).await.0, 204);
    assert_eq!(call(&simulator, "GET", &path, None).await.1["total"], 0);
}

#[tokio::test]
async fn what_a_user_looked_at_is_recent() {
    let simulator = simulator(Settings::default());
    let id = seeded(&simulator, "Harbour at dawn");
    let viewed =
        send(&simulator, seed::EDITOR_TOKEN, "POST", &format!("assets/v1/assets/{id}/views/"), None).await;
    assert_eq!(viewed.status, 200);
    let (_, recent) = call(&simulator, "GET", "assets/v1/assets/recent/", None).await;
    assert_eq!((&recent["total"], &recent["objects"][0]["id"]), (&json!(1), &json!(id)));
}
