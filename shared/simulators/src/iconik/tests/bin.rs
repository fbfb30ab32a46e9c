use serde_json::{Value, json};

use super::super::settings::BulkDelete;
use super::super::{Settings, seed};
use super::{call, make_asset, seeded, send, simulator, wait};

const DAY: i64 = 24 * 3600;

#[tokio::test]
async fn a_deleted_asset_can_be_read_and_restored_until_the_bin_empties_itself() {
    let simulator = simulator(Settings::default());
    let id = make_asset(&simulator, "Trailer").await;
    let path = format!("assets/v1/assets/{id}/");
    assert_eq!(call(&simulator, "DELETE", &path, None).await.0, 204);
    assert_eq!(call(&simulator, "DELETE", &path, None).await.0, 204, "again");
    let (status, shown) = call(&simulator, "GET", &path, None).await;
    assert_eq!(
        (status.as_u16(), &shown["status"], &shown["deleted_by_user"]),
        (200, &json!("DELETED"), &json!(seed::SERVICE))
    );
    let (_, queue) = call(&simulator, "GET", "assets/v1/delete_queue/assets/?per_page=100", None).await;
    assert!(queue["objects"].as_array().unwrap().iter().any(|asset| asset["id"] == id));
    assert_eq!(call(&simulator, "PUT", &format!("{path}restore/"), None).await.0, 204);
    assert_eq!(
        call(&simulator, "PUT", &format!("{path}restore/"), None).await.0,
        404,
        "it is not there any more"
    );
    call(&simulator, "DELETE", &path, None).await;
    wait(&simulator, DAY - 1);
    assert_eq!(call(&simulator, "GET", &path, None).await.0, 200);
    wait(&simulator, 1);
    assert_eq!(call(&simulator, "GET", &path, None).await.0, 404);
    let told = simulator.with_state(|state| {
        let its = state.events.iter().filter(|event| event.object_id == id && event.realm == "entity");
        its.map(|event| event.operation).collect::<Vec<_>>()
    });
    assert_eq!(told, ["create", "delete", "restore", "delete", "purge"]);
}

#[tokio::test]
async fn what_is_in_the_bin_may_be_hidden() {
    let simulator = simulator(Settings::default());
    let path = format!("assets/v1/assets/{}/", seeded(&simulator, "Harbour Lights teaser (rejected)"));
    assert_eq!(call(&simulator, "GET", &path, None).await.0, 200);
    simulator.with_state(|state| state.settings.bin.readable = false);
    assert_eq!(call(&simulator, "GET", &path, None).await.0, 404);
    assert_eq!(call(&simulator, "PATCH", &path, Some(json!({"title": "x"}))).await.0, 404);
}

#[tokio::test]
async fn the_tenant_says_how_long_the_bin_keeps() {
    let simulator = simulator(Settings::default());
    let id = make_asset(&simulator, "Trailer").await;
    let set = |hours: Value| Some(json!({"delete_grace_period": hours}));
    let system = "settings/v1/system/current/";
    assert_eq!(send(&simulator, seed::ADMIN_TOKEN, "PATCH", system, set(json!(-1))).await.status, 400);
    assert_eq!(send(&simulator, seed::TOKEN, "PATCH", system, set(json!(1))).await.status, 403);
    let answer = send(&simulator, seed::ADMIN_TOKEN, "PATCH", system, set(json!(72))).await;
    assert_eq!(answer.json["delete_grace_period"], 72);
    call(&simulator, "DELETE", &format!("assets/v1/assets/{id}/"), None).await;
    wait(&simulator, 2 * DAY);
    assert_eq!(call(&simulator, "GET", &format!("assets/v1/assets/{id}/"), None).await.0, 200);
    wait(&simulator, DAY);
    assert_eq!(call(&simulator, "GET", &format!("assets/v1/assets/{id}/"), None).await.0, 404);
}

#[tokio::test]
async fn a_purge_destroys_at_once_and_needs_the_bin_first() {
    let simulator = simulator(Settings::default());
    let (one, two) = (make_asset(&simulator, "One").await, make_asset(&simulator, "Two").await);
    let purge = |id: &str| format!("assets/v1/assets/{id}/purge/");
    assert_eq!(call(&simulator, "DELETE", &purge(&one), None).await.0, 400);
    call(&simulator, "DELETE", &format!("assets/v1/assets/{one}/"), None).await;
    assert_eq!(call(&simulator, "DELETE", &purge(&one), None).await.0, 204);
    assert_eq!(call(&simulator, "GET", &format!("assets/v1/assets/{one}/"), None).await.0, 404);
    assert!(
        simulator.with_state(|state| state.history.objects().all(|entry| entry["asset_id"] != one.as_str()))
    );
    simulator.with_state(|state| state.settings.bin.purge_needs_deleted = false);
    assert_eq!(call(&simulator, "DELETE", &purge(&two), None).await.0, 204);
}

#[tokio::test]
async fn the_delete_queue_takes_lists_with_a_body_on_delete() {
    let simulator = simulator(Settings::default());
    let ids = [make_asset(&simulator, "One").await, make_asset(&simulator, "Two").await];
    let body = || Some(json!({ "ids": ids }));
    let queue = "assets/v1/delete_queue/assets/";
    let in_bin =
        || simulator.with_state(|state| ids.iter().filter(|id| state.is_deleted("assets", id)).count());
    assert_eq!(call(&simulator, "POST", queue, Some(json!({"ids": [ids[0], "nowhere"]}))).await.0, 404);
    assert_eq!(in_bin(), 0, "all or none");
    assert_eq!(call(&simulator, "POST", queue, body()).await.0, 204);
    assert_eq!(in_bin(), 2);
    assert_eq!(call(&simulator, "DELETE", queue, body()).await.0, 204);
    assert_eq!(in_bin(), 0);
    call(&simulator, "POST", queue, body()).await;
    assert_eq!(call(&simulator, "POST", &format!("{queue}restore/all/"), None).await.0, 204);
    assert_eq!(in_bin(), 0);
    call(&simulator, "POST", queue, body()).await;
    assert_eq!(
        call(&simulator, "POST", &format!("{queue}purge/"), Some(json!({"ids": [ids[0]]}))).await.0,
        204
    );
    assert_eq!(in_bin(), 1);
    assert_eq!(call(&simulator, "POST", "assets/v1/delete_queue/purge/all/", None).await.0, 204);
    assert!(simulator.with_state(|state| state.bin.is_empty()));
}

#[tokio::test]
async fn a_bulk_deletion_of_collections_empties_them_and_of_assets_depends() {
    let simulator = simulator(Settings::default());
    let bulk =
        async |body: Value| call(&simulator, "POST", "assets/v1/delete_queue/bulk/", Some(body)).await.0;
    let gone = |kind: &str, id: &str| simulator.with_state(|state| state.is_deleted(kind, id));
    let (finals, master) = (seeded(&simulator, "Finals"), seeded(&simulator, "Harbour Lights 60s master"));
    assert_eq!(bulk(json!({"object_ids": [finals], "object_type": "collections"})).await, 202);
    assert_eq!((gone("assets", &master), gone("collections", &finals)), (true, false));
    let body = json!({"object_ids": [finals], "object_type": "collections", "content_only": false});
    assert_eq!(bulk(body).await, 202);
    assert!(gone("collections", &finals));
    let dawn = seeded(&simulator, "Harbour at dawn");
    assert_eq!(bulk(json!({"object_ids": [dawn], "object_type": "assets"})).await, 202);
    assert!(!gone("assets", &dawn), "assets have no contents");
    simulator.with_state(|state| state.settings.bin.bulk_delete = BulkDelete::Deletes);
    bulk(json!({"object_ids": [dawn], "object_type": "assets"})).await;
    assert!(gone("assets", &dawn));
    let interview = seeded(&simulator, "Harbour master: interview & b-roll");
    let body = json!({"object_ids": [interview], "object_type": "assets", "content_only": false});
    assert_eq!(bulk(body).await, 202);
    assert!(gone("assets", &interview));
    assert_eq!(bulk(json!({"object_ids": [], "object_type": "assets"})).await, 400);
    assert_eq!(bulk(json!({"object_ids": vec!["x"; 501], "object_type": "assets"})).await, 400);
}
