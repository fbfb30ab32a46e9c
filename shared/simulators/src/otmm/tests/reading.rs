//! What of an asset is told, in which words, and what its bytes are.

use axum::body::Body;
use http::Request;
use serde_json::json;

use super::{Answer, Caller, as_user, caller, encoded, field, names, perform, seeded, simulator};
use crate::content::Blob;
use crate::otmm::settings::{Checksum, EmptyValue};
use crate::otmm::{Settings, Simulator, seed};

#[tokio::test]
async fn otmm_tells_of_an_asset_what_is_asked_for() {
    let simulator = simulator(Settings::default());
    let caller = caller(&simulator);
    let id = seeded(&simulator, "spring-poster.tif");
    let gated = ["metadata", "security_policy_list", "path_list", "links"];
    for (query, wanted) in
        [("", 0), ("?load_type=system", 0), ("?load_type=metadata", 1), ("?load_type=full", 4)]
    {
        let asset =
            caller.get(&format!("assets/{id}{query}")).await.json()["asset_resource"]["asset"].clone();
        assert_eq!(gated.iter().filter(|name| asset.get(**name).is_some()).count(), wanted, "{query}");
        assert_eq!((asset["version"].as_u64(), asset["latest_version"].as_bool()), (Some(2), Some(true)));
        assert_ne!(asset["asset_id"], asset["original_asset_id"]);
        assert!(asset["import_job_id"].is_u64());
        let url = asset["master_content_info"]["url"].as_str().unwrap();
        assert!(url.starts_with("/otmmapi/v6/renditions/"), "{url}");
    }
    let request = json!({"data_load_request": {"load_metadata": true, "load_security_policies": "true", "load_path": false}});
    let path =
        format!("assets/{id}?load_type=custom&level_of_detail=slim&data_load_request={}", encoded(&request));
    let asset = caller.get(&path).await.json()["asset_resource"]["asset"].clone();
    assert!(asset.get("metadata").is_some() && asset.get("security_policy_list").is_some());
    assert!(asset.get("path_list").is_none() && asset.get("asset_content_info").is_none());
    for wrong in ["load_type=some", "load_type=custom", "level_of_detail=fat"] {
        assert_eq!(caller.get(&format!("assets/{id}?{wrong}")).await.status, 400, "{wrong}");
    }
}

#[tokio::test]
async fn otmm_metadata_has_groups_then_fields_and_tables_by_column() {
    let simulator = simulator(Settings::default());
    let asset = caller(&simulator).asset(&seeded(&simulator, "spring-spot.mov")).await;
    assert_eq!(asset["metadata"]["metadata_element_list"].as_array().unwrap().len(), 2);
    let status = &field(&asset, seed::STATUS)["value"];
    assert_eq!(status["value"]["type"], "com.artesia.metadata.DomainValue");
    assert_eq!(status["value"]["field_value"], json!({"type": "string", "value": "approved"}));
    assert_eq!(status["value"]["display_value"], "Approved ", "with the blank that somebody typed");
    let columns = field(&asset, seed::EVENTS)["metadata_element_list"].as_array().unwrap().clone();
    assert_eq!(columns.len(), 3);
    assert_eq!(columns[1]["values"][0]["value"], json!({"type": "string", "value": "approved"}));
    assert!(field(&asset, "ARTESIA.FIELD.TAG").get("value").is_none());
}

#[tokio::test]
async fn otmm_values_are_written_in_words_of_the_site() {
    let mut settings = Settings::default();
    settings.wire.date_type = "date".to_owned();
    settings.wire.number_type = "double".to_owned();
    settings.wire.empty_value = EmptyValue::Hollow;
    settings.wire.single_as_object = true;
    let simulator = simulator(settings);
    let asset = caller(&simulator).asset(&seeded(&simulator, "spring-spot.mov")).await;
    assert_eq!(field(&asset, seed::RETAIN_UNTIL)["value"]["value"]["type"], "date");
    assert_eq!(field(&asset, seed::USES)["value"]["value"], json!({"type": "double", "value": 3}));
    let hollow = &field(&asset, "ARTESIA.FIELD.TAG")["value"];
    assert!(hollow.is_object() && hollow.get("value").is_none());
    assert!(asset["security_policy_list"].is_object(), "a list of one is that one");
}

#[tokio::test]
async fn otmm_checksums_are_md5_or_cannot_be_computed_or_are_absent() {
    for (checksum, expected) in
        [(Checksum::Md5, Some(true)), (Checksum::Opaque, Some(false)), (Checksum::Absent, None)]
    {
        let mut settings = Settings::default();
        settings.wire.checksum = checksum;
        let simulator = simulator(settings);
        let id = seeded(&simulator, "care-instructions.txt");
        let md5 =
            simulator.with_state(|state| state.assets[&id].master.as_ref().map(|master| master.md5.clone()));
        let asset = caller(&simulator).asset(&id).await;
        let told = asset["master_content_info"].get("content_checksum");
        assert_eq!(told.map(|told| told.as_str() == md5.as_deref()), expected);
    }
}

#[tokio::test]
async fn otmm_statuses_of_what_is_missing_and_forbidden_are_the_sites() {
    for (missing, forbidden) in [(404, 403), (500, 500)] {
        let settings =
            Settings { not_found_status: missing, forbidden_status: forbidden, ..Settings::default() };
        let simulator = simulator(settings);
        assert_eq!(caller(&simulator).get("assets/0").await.status, missing);
        let id = seeded(&simulator, "spring-brief.pdf");
        let reader = as_user(&simulator, seed::READER_ID);
        assert_eq!(reader.get(&format!("assets/{id}/contents")).await.status, forbidden);
        assert_eq!(reader.act(&id, "lock").await.status, forbidden);
        let image = seeded(&simulator, "spring-poster.tif");
        let preview = reader.get(&format!("assets/{image}/contents?rendition_type=preview")).await;
        assert_eq!((preview.status, preview.bytes.len()), (200, 9_000));
    }
}

async fn contents(caller: &Caller<'_>, id: &str, range: Option<&str>) -> Answer {
    let mut request = Request::get(format!("/otmmapi/v6/assets/{id}/contents?disposition=attachment"))
        .header("otmmauthtoken", &caller.session.digest);
    if let Some(range) = range {
        request = request.header("range", range);
    }
    perform(caller.simulator, request.body(Body::empty()).unwrap()).await
}

#[tokio::test]
async fn otmm_downloads_are_whole_unless_ranges_are_switched_on() {
    for on in [false, true] {
        let mut settings = Settings::default();
        settings.downloads.ranges = on;
        settings.downloads.etags = on;
        settings.downloads.tells_length = on;
        let simulator = simulator(settings);
        let caller = caller(&simulator);
        let id = seeded(&simulator, "spring-brief.pdf");
        let bytes = Blob::generated(14, 60_000).bytes().unwrap();
        let whole = contents(&caller, &id, None).await;
        assert_eq!((whole.status, &whole.bytes), (200, &bytes));
        assert_eq!(whole.headers.contains_key("etag"), on);
        assert_eq!(whole.headers.contains_key("content-length"), on);
        let part = contents(&caller, &id, Some("bytes=59990-")).await;
        assert_eq!((part.status, part.bytes.len()), if on { (206, 10) } else { (200, 60_000) });
        let behind = contents(&caller, &id, Some("bytes=60000-")).await;
        assert_eq!(behind.status, if on { 416 } else { 200 });
        let asset = caller.asset(&id).await;
        let url = asset["master_content_info"]["url"]
            .as_str()
            .unwrap()
            .trim_start_matches("/otmmapi/v6/")
            .to_owned();
        assert_eq!(caller.get(&url).await.bytes, bytes);
    }
}

#[tokio::test]
async fn otmm_gives_out_no_content_that_is_too_large_deleted_expired_or_offline_unless_told() {
    for serves in [false, true] {
        let mut settings = Settings::default();
        settings.downloads.largest_bytes = (!serves).then_some(299_999);
        settings.downloads.serves_deleted = serves;
        settings.downloads.serves_expired = serves;
        settings.downloads.offline_status = (!serves).then_some(503);
        settings.business_status = 520;
        let simulator = simulator(settings);
        let caller = caller(&simulator);
        let deleted = simulator.with_state(|state| {
            state.assets.values().find(|asset| asset.name == "spring-rough.jpg").map(|asset| asset.id.clone())
        });
        for (id, refused) in [
            (seeded(&simulator, "spring-poster.tif"), 520),
            (deleted.unwrap(), 520),
            (seeded(&simulator, "old-logo.png"), 520),
            (seeded(&simulator, "broadcast-master.mxf"), 520),
            (seeded(&simulator, "spring-brief.pdf"), 200),
        ] {
            assert_eq!(contents(&caller, &id, None).await.status, if serves { 200 } else { refused });
        }
    }
    let simulator = simulator(Settings::default());
    let master = seeded(&simulator, "broadcast-master.mxf");
    let answer = contents(&caller(&simulator), &master, None).await;
    assert_eq!((answer.status, answer.sentence().as_str()), (500, "The content is not online"));
}

async fn delivered(simulator: &Simulator, original: &str) -> Answer {
    let request = Request::get(format!("/adaptivemedia/rendition?id={original}"));
    perform(simulator, request.body(Body::empty()).unwrap()).await
}

#[tokio::test]
async fn otmm_delivery_needs_no_session_and_may_not_hear_of_deletions() {
    for (enabled, serves, living, deleted) in
        [(true, true, 200, 200), (true, false, 200, 404), (false, true, 404, 404)]
    {
        let mut settings = Settings::default();
        settings.delivery.enabled = enabled;
        settings.delivery.serves_deleted = serves;
        let simulator = simulator(settings);
        let caller = caller(&simulator);
        let id = seeded(&simulator, "spring-brief.pdf");
        assert_eq!(caller.asset(&id).await.get("delivery_service_url").is_some(), enabled);
        assert_eq!(delivered(&simulator, &id).await.status, living);
        assert_eq!(caller.act(&id, "delete").await.status, 200);
        assert_eq!(delivered(&simulator, &id).await.status, deleted);
    }
}

#[tokio::test]
async fn otmm_lists_have_pages_with_a_usual_and_a_largest_length() {
    let mut settings = Settings::default();
    settings.lists.usual = 2;
    settings.lists.most = 3;
    let simulator = simulator(settings);
    let caller = caller(&simulator);
    let spring = seeded(&simulator, "Spring 2030");
    let page =
        caller.get(&format!("folders/{spring}/children?sort=asc_NAME")).await.json()["folder_children"]
            .clone();
    assert_eq!(names(&page["asset_list"]), ["spring-brief.pdf", "spring-poster.tif"]);
    let summary = &page["collection_summary"];
    assert_eq!((summary["total_number_of_items"].as_u64(), summary["limit"].as_u64()), (Some(4), Some(2)));
    assert_eq!(summary["group_to_count_map"]["entry"], json!([{"key": "ASSET", "value": 4}]));
    let path = format!("folders/{spring}/children?sort=desc_NAME&after=1&limit=500");
    let page = caller.get(&path).await.json()["folder_children"].clone();
    assert_eq!(names(&page["asset_list"]), ["spring-rough.jpg", "spring-poster.tif", "spring-brief.pdf"]);
    let filter =
        json!({"asset_filter_request_param": {"asset_filter_request": {"exclude_deleted_assets": true}}});
    let path = format!("folders/{spring}/children?limit=3&asset_filter_request={}", encoded(&filter));
    let page = caller.get(&path).await.json()["folder_children"].clone();
    assert_eq!(page["asset_list"].as_array().unwrap().len(), 3, "deleted ones are there unless excluded");
    let roots = caller.get("folders/rootfolders").await.json()["folders_resource"].clone();
    assert_eq!(names(&roots["folder_list"])[0], "Public folders");
    let recent = caller.get("assets/recent").await.json()["assets_resource"].clone();
    assert_eq!(recent["asset_list"].as_array().unwrap().len(), 2);
}

#[tokio::test]
async fn otmm_tells_what_a_site_is_made_of() {
    let simulator = simulator(Settings { memory_threshold_bytes: 10, ..Settings::default() });
    let caller = caller(&simulator);
    let domains = caller.get("lookupdomains").await.json();
    assert_eq!(domains["lookup_domains_resource"]["lookup_domains"].as_array().unwrap().len(), 5);
    let domain = caller.get("lookupdomains/OTMM.DOMAIN.OTM_PRODUCT").await.json();
    let domain = &domain["lookup_domain_resource"]["lookup_domain"];
    assert_eq!(domain["domainValues"][0]["field_value"], json!({"type": "string", "value": "7"}));
    let model = caller.get(&format!("metadatamodels/{}", seed::MODEL)).await.json();
    assert_eq!(model["metadata_model_resource"]["metadata_model"]["legacy_id"], 104);
    let policies = caller.get("securitypolicies").await.json();
    assert_eq!(policies["security_policies_resource"]["security_policy_list"][1]["id"], 2);
    let collections = caller.get("collections").await.json()["collection_resource"]["collection"].clone();
    let id = collections[0]["id"].as_str().unwrap();
    let inside = caller.get(&format!("collections/{id}/assets")).await.json();
    assert_eq!(names(&inside["assets_resource"]["asset_list"]), ["spring-poster.tif", "spring-spot.mov"]);
    let id = seeded(&simulator, "spring-brief.pdf");
    let review =
        caller.form("POST", "reviewjobs/quicksessions?version=1", &[("asset_ids", &id)]).await.json();
    assert!(review["quick_session_resource"]["url"].as_str().unwrap().contains("/review?session="));
    assert_eq!(caller.get("lookupdomains/NOTHING").await.status, 404);
}
