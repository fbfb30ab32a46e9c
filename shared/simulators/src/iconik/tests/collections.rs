use serde_json::{Value, json};

use super::super::Settings;
use super::{call, make_asset, seeded, simulator, wait};

#[tokio::test]
async fn a_collection_has_everything_that_a_client_cannot_read_as_null() {
    let simulator = simulator(Settings::default());
    let parent = seeded(&simulator, "Harbour Lights");
    let body = Some(json!({"title": "Sound", "parent_id": parent, "date_deleted": "2031-01-01T00:00:00"}));
    let (status, made) = call(&simulator, "POST", "assets/v1/collections", body).await;
    assert_eq!(status, 201);
    let keys = [
        "created_by_user",
        "object_type",
        "favoured",
        "position",
        "metadata",
        "permissions",
        "keyframes",
        "in_collections",
        "custom_order_status",
        "status",
        "is_root",
        "parents",
        "keyframe_asset_ids",
        "id",
        "title",
    ];
    assert!(keys.iter().all(|key| !made[*key].is_null()), "{made}");
    let productions = seeded(&simulator, "Productions");
    assert_eq!(made["parents"], json!([parent, productions]));
    assert_eq!((&made["is_root"], &made["status"]), (&json!(false), &json!("ACTIVE")));
    let (_, info) =
        call(&simulator, "GET", &format!("assets/v1/collections/{productions}/content/info"), None).await;
    assert_eq!(info["collections_count"], 7);
    let id = made["id"].as_str().unwrap();
    let (_, path) = call(&simulator, "GET", &format!("assets/v1/collections/{id}/full/path/"), None).await;
    assert_eq!(path["path"], "/Productions/Harbour Lights/Sound");
    let (_, above) = call(&simulator, "GET", &format!("assets/v1/collections/{id}/ancestors/"), None).await;
    assert_eq!(above["objects"].as_array().unwrap().len(), 2);
}

#[tokio::test]
async fn a_collection_moves_or_is_copied_and_never_into_itself() {
    let simulator = simulator(Settings::default());
    let finals = seeded(&simulator, "Finals");
    let (campaign, newsroom) = (seeded(&simulator, "Harbour Lights"), seeded(&simulator, "Newsroom"));
    let path = format!("assets/v1/collections/{finals}/");
    let patch = async |path: &str, parent: &str| {
        call(&simulator, "PATCH", path, Some(json!({"parent_id": parent}))).await
    };
    let (_, moved) = patch(&path, &newsroom).await;
    assert_eq!(moved["in_collections"], json!([newsroom]));
    let (_, copied) = patch(&format!("{path}?change_parent_mode=copy"), &campaign).await;
    assert_eq!(copied["in_collections"], json!([newsroom, campaign]));
    assert_eq!(patch(&format!("assets/v1/collections/{campaign}/"), &finals).await.0, 400);
    assert_eq!(patch(&format!("{path}?change_parent_mode=swap"), &campaign).await.0, 400);
    let contents = format!("assets/v1/collections/{finals}/contents/");
    let body = json!({"object_id": campaign, "object_type": "collections"});
    assert_eq!(call(&simulator, "POST", &contents, Some(body)).await.0, 400);
}

#[tokio::test]
async fn contents_are_listed_by_kind_put_in_and_taken_out() {
    let simulator = simulator(Settings::default());
    let campaign = seeded(&simulator, "Harbour Lights");
    let path = format!("assets/v1/collections/{campaign}/contents");
    let id = make_asset(&simulator, "Poster").await;
    let body = json!({"object_id": id, "object_type": "assets"});
    let (status, answer) = call(&simulator, "POST", &path, Some(body.clone())).await;
    assert_eq!((status.as_u16(), &answer["object_id"]), (201, &json!(id)));
    assert_eq!(call(&simulator, "POST", &path, Some(body)).await.0, 201, "again");
    let count = async |query: &str| {
        call(&simulator, "GET", &format!("{path}/?{query}"), None).await.1["total"].clone()
    };
    assert_eq!(count("").await, 6);
    assert_eq!(count("object_types=assets").await, 1);
    assert_eq!(count("object_types=collections").await, 5);
    assert_eq!(count(&format!("object_ids={id}")).await, 1);
    assert_eq!(count("filter=title,eq,Finals").await, 1);
    assert_eq!(count("external_id=none").await, 0);
    assert_eq!(call(&simulator, "GET", &format!("{path}/?filter=title,like,x"), None).await.0, 400);
    let (_, sorted) = call(&simulator, "GET", &format!("{path}/?sort=title,desc&per_page=2"), None).await;
    assert_eq!(
        (&sorted["objects"][0]["title"], &sorted["objects"][1]["title"]),
        (&json!("Stills"), &json!("Poster"))
    );
    assert_eq!(sorted["objects"][1]["object_type"], "assets");
    assert_eq!(call(&simulator, "DELETE", &format!("{path}/assets/{id}/"), None).await.0, 204);
    assert_eq!(call(&simulator, "DELETE", &format!("{path}/assets/{id}/"), None).await.0, 404);
    assert_eq!(call(&simulator, "GET", &format!("assets/v1/assets/{id}/"), None).await.1["status"], "ACTIVE");
    let told: Vec<Value> = simulator.with_state(|state| {
        let contents = state.events.iter().filter(|event| event.realm == "contents");
        contents
            .map(|event| {
                json!([event.event_type, event.operation, event.object_id, event.data["collection_id"]])
            })
            .collect()
    });
    let expected =
        [json!(["collections", "create", id, campaign]), json!(["collections", "delete", id, campaign])];
    assert_eq!(told, expected);
}

#[tokio::test]
async fn a_listing_can_be_older_than_the_asset_it_lists() {
    let simulator = simulator(Settings::default());
    simulator.with_state(|state| state.settings.index.lag_seconds = 5);
    let finals = seeded(&simulator, "Finals");
    let master = seeded(&simulator, "Harbour Lights 60s master");
    let asset = format!("assets/v1/assets/{master}/");
    call(&simulator, "PATCH", &asset, Some(json!({"archive_status": "ARCHIVED"}))).await;
    assert_eq!(call(&simulator, "GET", &asset, None).await.1["archive_status"], "ARCHIVED");
    let listed = async || {
        let contents = format!("assets/v1/collections/{finals}/contents/?object_ids={master}");
        call(&simulator, "GET", &contents, None).await.1["objects"][0]["archive_status"].clone()
    };
    assert_eq!(listed().await, "NOT_ARCHIVED");
    wait(&simulator, 4);
    assert_eq!(listed().await, "NOT_ARCHIVED");
    wait(&simulator, 1);
    assert_eq!(listed().await, "ARCHIVED");
}

#[tokio::test]
async fn another_region_can_be_behind_even_for_single_objects() {
    let simulator = simulator(Settings::default());
    simulator.with_state(|state| state.settings.index.region_lag_seconds = 3);
    let path = format!("assets/v1/assets/{}/", seeded(&simulator, "Creative brief"));
    let collection = format!("assets/v1/collections/{}/", seeded(&simulator, "Finals"));
    for path in [&path, &collection] {
        let before = call(&simulator, "GET", path, None).await.1["title"].clone();
        call(&simulator, "PATCH", path, Some(json!({"title": "New"}))).await;
        assert_eq!(call(&simulator, "GET", path, None).await.1["title"], before);
    }
    let fresh = make_asset(&simulator, "Poster").await;
    assert_eq!(call(&simulator, "GET", &format!("assets/v1/assets/{fresh}/"), None).await.0, 404);
    wait(&simulator, 3);
    assert_eq!(call(&simulator, "GET", &path, None).await.1["title"], "New");
    assert_eq!(call(&simulator, "GET", &format!("assets/v1/assets/{fresh}/"), None).await.0, 200);
}

#[tokio::test]
async fn a_collection_is_deleted_restored_and_purged_only_when_empty() {
    let simulator = simulator(Settings::default());
    let evening = seeded(&simulator, "Evening news");
    let path = format!("assets/v1/collections/{evening}/");
    assert_eq!(call(&simulator, "DELETE", &path, None).await.0, 202);
    assert_eq!(call(&simulator, "PUT", &format!("{path}restore/"), None).await.0, 202);
    simulator.with_state(|state| {
        state.settings.bin.collection_delete_status = 204;
        state.settings.bin.collection_restore_status = 201;
    });
    assert_eq!(call(&simulator, "DELETE", &path, None).await.0, 204);
    assert_eq!(call(&simulator, "PUT", &format!("{path}restore/"), None).await.0, 201);
    call(&simulator, "DELETE", &path, None).await;
    assert_eq!(call(&simulator, "DELETE", &format!("{path}purge/"), None).await.0, 403, "it is not empty");
    let report = seeded(&simulator, "Ferry terminal opens");
    call(&simulator, "DELETE", &format!("{path}contents/assets/{report}/"), None).await;
    assert_eq!(call(&simulator, "DELETE", &format!("{path}purge/"), None).await.0, 202);
    assert_eq!(call(&simulator, "GET", &path, None).await.0, 404, "clients rely on it");
}

#[tokio::test]
async fn being_put_into_a_collection_may_count_as_a_change() {
    let simulator = simulator(Settings::default());
    let id = make_asset(&simulator, "Poster").await;
    let modified = async || {
        call(&simulator, "GET", &format!("assets/v1/assets/{id}/"), None).await.1["date_modified"].clone()
    };
    let before = modified().await;
    let put = async |collection: &str| {
        let path = format!("assets/v1/collections/{}/contents/", seeded(&simulator, collection));
        call(&simulator, "POST", &path, Some(json!({"object_id": id, "object_type": "assets"}))).await
    };
    wait(&simulator, 9);
    put("Stills").await;
    assert_eq!(modified().await, before);
    simulator.with_state(|state| state.settings.edits.contents_move_date_modified = true);
    put("Finals").await;
    assert_ne!(modified().await, before);
}

#[tokio::test]
async fn a_collection_knows_what_its_files_take() {
    let simulator = simulator(Settings::default());
    let campaign = seeded(&simulator, "Harbour Lights");
    let (_, info) =
        call(&simulator, "GET", &format!("assets/v1/collections/{campaign}/content/info/"), None).await;
    let below = simulator.with_state(|state| state.descendants_of(&campaign));
    let expected: u64 = simulator.with_state(|state| {
        let inside =
            |file: &&super::super::state::Object| below.iter().any(|(_, id)| file["asset_id"] == id.as_str());
        state.media.files.objects().filter(inside).filter_map(|file| file["size"].as_u64()).sum()
    });
    assert!(expected > 0);
    assert_eq!(info["total_size"], expected);
    let stored =
        info["storage_info"].as_array().unwrap().iter().map(|one| one["size"].as_u64().unwrap()).sum::<u64>();
    assert_eq!(stored, expected);
    let (_, size) = call(&simulator, "GET", &format!("assets/v1/collections/{campaign}/size/"), None).await;
    assert_eq!(size["size"], expected);
}
