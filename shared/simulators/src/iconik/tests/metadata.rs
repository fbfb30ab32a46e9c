//! Metadata: values in their two shapes, what a write does, and the definitions.

use axum::body::Body;
use http::Request;
use serde_json::{Value, json};
use tower::ServiceExt as _;

use super::media::{done, seeded, text};
use super::{call, simulator};
use crate::iconik::seed::media as seed;
use crate::iconik::seed::metadata::{CAMPAIGN_VIEW, GOVERNANCE_VIEW, NEWS_VIEW, RIGHTS_VIEW};
use crate::iconik::seed::{ADMIN_TOKEN, APP_ID};
use crate::iconik::settings::{EmptyValues, MetadataRules, Required, Unwanted};
use crate::iconik::{Settings, Simulator};

fn with(metadata_rules: MetadataRules) -> Simulator {
    simulator(Settings { metadata_rules, ..Settings::default() })
}

/// One call by the administrator.
async fn as_admin(simulator: &Simulator, method: &str, path: &str, body: Option<Value>) -> (u16, Value) {
    let request = Request::builder()
        .method(method)
        .uri(format!("/API/{path}"))
        .header("App-ID", APP_ID)
        .header("Auth-Token", ADMIN_TOKEN);
    let body = body.map_or_else(Body::empty, |body| Body::from(body.to_string()));
    let response = simulator.router().oneshot(request.body(body).unwrap()).await.unwrap();
    let status = response.status().as_u16();
    let bytes = axum::body::to_bytes(response.into_body(), usize::MAX).await.unwrap();
    (status, serde_json::from_slice(&bytes).unwrap_or_default())
}

fn values(field: &str, list: &[Value]) -> Value {
    let list: Vec<Value> = list.iter().map(|value| json!({"value": value})).collect();
    json!({"metadata_values": {field: {"field_values": list}}})
}

/// Writes one field and answers the status.
async fn write(simulator: &Simulator, asset: &str, view: &str, field: &str, list: &[Value]) -> (u16, Value) {
    let path = format!("metadata/v1/assets/{asset}/views/{view}/");
    let (status, answer) = call(simulator, "PUT", &path, Some(values(field, list))).await;
    (status.as_u16(), answer)
}

/// The values of a field now.
fn kept(simulator: &Simulator, asset: &str, field: &str) -> Vec<Value> {
    simulator.with_state(|state| state.values_of(("assets", asset), field))
}

#[tokio::test]
async fn values_are_read_through_a_view_and_directly_in_two_shapes() {
    let simulator = with(MetadataRules::default());
    let asset = seeded(&simulator, seed::MASTER);
    let path = format!("metadata/v1/assets/{asset}/views/{CAMPAIGN_VIEW}/");
    let read = done(&simulator, 200, "GET", &path, None).await;
    let region = &read["metadata_values"]["Region"]["field_values"];
    assert_eq!(region, &json!([{"value": "EMEA"}, {"value": "APAC"}]));
    assert_eq!((&read["object_id"], &read["object_type"]), (&json!(asset), &json!("assets")));
    assert!(read["metadata_values"].get("RightsHolder").is_none(), "it is in another view");
    // Nothing there is 404 for each view, and so is a view or an asset that does not exist.
    for (asset, view) in
        [(asset.as_str(), GOVERNANCE_VIEW), (asset.as_str(), "other"), ("other", CAMPAIGN_VIEW)]
    {
        let path = format!("metadata/v1/assets/{asset}/views/{view}/");
        assert_eq!(call(&simulator, "GET", &path, None).await.0, 404);
    }
    let direct = format!("metadata/v1/assets/{asset}/");
    assert_eq!(call(&simulator, "GET", &direct, None).await.0, 403, "for administrators only");
    let (status, read) = as_admin(&simulator, "GET", &direct, None).await;
    assert_eq!(
        (status, &read["RoyaltyShare"]),
        (200, &json!({"name": "RoyaltyShare", "type": "float", "values": [{"value": 2.5}]}))
    );
    assert!(read.get("metadata_values").is_none(), "it is not wrapped");
    // Written directly nothing is checked, not even that the object exists.
    let (status, _) = as_admin(
        &simulator,
        "PUT",
        "metadata/v1/assets/nobody/",
        Some(values("NewsPriority", &[json!("high")])),
    )
    .await;
    assert_eq!(status, 200);
    let (_, read) = as_admin(&simulator, "GET", "metadata/v1/assets/nobody/", None).await;
    assert_eq!(read["NewsPriority"]["values"], json!([{"value": "high"}]));
    assert_eq!(as_admin(&simulator, "PUT", &direct, Some(values("Unheard", &[json!(1)]))).await.0, 200);
    let (_, hidden) = as_admin(&simulator, "GET", &direct, None).await;
    let (_, shown) =
        as_admin(&simulator, "GET", &format!("{direct}?include_values_for_deleted_fields=true"), None).await;
    assert_eq!((hidden.get("Unheard"), &shown["Unheard"]["values"]), (None, &json!([{"value": 1}])));
}

#[tokio::test]
async fn a_write_changes_the_fields_it_names() {
    let simulator = with(MetadataRules::default());
    let asset = seeded(&simulator, seed::MASTER);
    let path = format!("metadata/v1/assets/{asset}/views/{CAMPAIGN_VIEW}/");
    let entry = |mode: &str, list: &[&str]| {
        let list: Vec<Value> = list.iter().map(|value| json!({"value": value})).collect();
        json!({"metadata_values": {"Region": {"mode": mode, "field_values": list}}})
    };
    for (mode, list, expected) in [
        ("append", vec!["AMER", "EMEA"], vec!["EMEA", "APAC", "AMER"]),
        ("delete", vec!["EMEA", "worldwide"], vec!["APAC", "AMER"]),
        ("overwrite", vec!["worldwide"], vec!["worldwide"]),
    ] {
        let answer = done(&simulator, 200, "PUT", &path, entry(mode, &list)).await;
        assert_eq!(kept(&simulator, &asset, "Region"), expected, "{mode}");
        assert_eq!(
            answer["metadata_values"]["Campaign"]["field_values"][0]["value"], "Harbour Lights",
            "{mode}"
        );
    }
    assert_eq!(call(&simulator, "PUT", &path, Some(entry("replace", &["EMEA"]))).await.0, 400);
    assert_eq!(write(&simulator, &asset, CAMPAIGN_VIEW, "Region", &[]).await.0, 200);
    assert_eq!(kept(&simulator, &asset, "Region"), Vec::<Value>::new());
}

#[tokio::test]
async fn what_does_not_fit_its_field_is_refused_field_by_field() {
    let simulator = with(MetadataRules::default());
    let (master, news) = (seeded(&simulator, seed::MASTER), seeded(&simulator, seed::NEWS));
    for (asset, view, field, list) in [
        (&master, CAMPAIGN_VIEW, "RightsStatus", vec![json!("unheard")]),
        (&master, CAMPAIGN_VIEW, "ExpiryDate", vec![json!("31.12.2031")]),
        (&master, CAMPAIGN_VIEW, "Owner", vec![json!("nobody")]),
        (&master, CAMPAIGN_VIEW, "Campaign", vec![json!("a"), json!("b")]),
        (&master, CAMPAIGN_VIEW, "Project", vec![]),
        (&master, CAMPAIGN_VIEW, "Project", vec![json!(" ")]),
        (&master, GOVERNANCE_VIEW, "ContentServerLink", vec![json!("over there")]),
        (&master, GOVERNANCE_VIEW, "LegalHold", vec![json!("perhaps")]),
        (&master, GOVERNANCE_VIEW, "ContentServerNode", vec![json!("3104a")]),
        (&master, RIGHTS_VIEW, "RoyaltyShare", vec![json!(100.5)]),
        (&news, NEWS_VIEW, "NewsPriority", vec![json!(0)]),
        (&news, NEWS_VIEW, "NewsPriority", vec![json!(2.5)]),
        (&news, NEWS_VIEW, "Embargo", vec![json!("tomorrow")]),
        (&news, NEWS_VIEW, "Slug", vec![json!({"nested": true})]),
    ] {
        let (status, answer) = write(&simulator, asset, view, field, &list).await;
        assert_eq!(status, 400, "{field} {list:?}");
        assert!(answer["errors"][0].as_str().unwrap().starts_with(field), "{answer}");
    }
    for (field, given, kept_as) in [
        ("NewsPriority", json!("3"), json!(3)),
        ("Embargo", json!("2031-05-06T18:00:00"), json!("2031-05-06T18:00:00")),
        ("Slug", json!(42), json!("42")),
    ] {
        assert_eq!(write(&simulator, &news, NEWS_VIEW, field, &[given]).await.0, 200, "{field}");
        assert_eq!(kept(&simulator, &news, field), [kept_as]);
    }
    simulator.with_state(|state| state.settings.metadata_rules.text_for_numbers = false);
    assert_eq!(write(&simulator, &news, NEWS_VIEW, "NewsPriority", &[json!("3")]).await.0, 400);
    assert_eq!(write(&simulator, &master, GOVERNANCE_VIEW, "LegalHold", &[json!("true")]).await.0, 400);
    assert_eq!(write(&simulator, &master, GOVERNANCE_VIEW, "LegalHold", &[json!(true)]).await.0, 200);
}

#[tokio::test]
async fn a_field_outside_the_view_or_read_only_is_refused_ignored_or_written() {
    for (unwanted, status, written) in
        [(Unwanted::Refused, 400, false), (Unwanted::Ignored, 200, false), (Unwanted::Written, 200, true)]
    {
        let simulator =
            with(MetadataRules { outside_view: unwanted, read_only: unwanted, ..MetadataRules::default() });
        let asset = seeded(&simulator, seed::MASTER);
        for field in ["Slug", "IngestedFrom"] {
            assert_eq!(
                write(&simulator, &asset, CAMPAIGN_VIEW, field, &[json!("X")]).await.0,
                status,
                "{field}"
            );
            assert_eq!(!kept(&simulator, &asset, field).is_empty(), written, "{field}");
        }
        // A field that is defined nowhere cannot be written.
        let expected = if unwanted == Unwanted::Ignored { 200 } else { 400 };
        assert_eq!(write(&simulator, &asset, CAMPAIGN_VIEW, "Unheard", &[json!("X")]).await.0, expected);
    }
}

#[tokio::test]
async fn an_empty_list_clears_a_field_or_does_not() {
    for (empty_values, stays, status, left) in [
        (EmptyValues::Clear, false, 200, None),
        (EmptyValues::Clear, true, 200, Some(0)),
        (EmptyValues::Ignored, false, 200, Some(1)),
        (EmptyValues::Refused, false, 400, Some(1)),
    ] {
        let simulator =
            with(MetadataRules { empty_values, cleared_stays: stays, ..MetadataRules::default() });
        let asset = seeded(&simulator, seed::MASTER);
        assert_eq!(write(&simulator, &asset, CAMPAIGN_VIEW, "ExpiryDate", &[]).await.0, status);
        let path = format!("metadata/v1/assets/{asset}/views/{CAMPAIGN_VIEW}/");
        let read = done(&simulator, 200, "GET", &path, None).await;
        let shown = read["metadata_values"]
            .get("ExpiryDate")
            .map(|field| field["field_values"].as_array().unwrap().len());
        assert_eq!(shown, left, "{empty_values:?}");
    }
    // With the last value the view is 404 again, unless the cleared field stays.
    for (stays, status) in [(false, 404), (true, 200)] {
        let simulator = with(MetadataRules { cleared_stays: stays, ..MetadataRules::default() });
        let asset = seeded(&simulator, seed::MASTER);
        for list in [vec![json!("filed")], vec![]] {
            assert_eq!(write(&simulator, &asset, GOVERNANCE_VIEW, "ContentServerState", &list).await.0, 200);
        }
        let path = format!("metadata/v1/assets/{asset}/views/{GOVERNANCE_VIEW}/");
        assert_eq!(call(&simulator, "GET", &path, None).await.0, status);
    }
}

#[tokio::test]
async fn a_write_replaces_the_whole_view_where_that_is_so() {
    for (replaces, left) in [(false, 1), (true, 0)] {
        let simulator = with(MetadataRules { write_replaces_view: replaces, ..MetadataRules::default() });
        let asset = seeded(&simulator, seed::MASTER);
        assert_eq!(write(&simulator, &asset, CAMPAIGN_VIEW, "Project", &[json!("P")]).await.0, 200);
        assert_eq!(kept(&simulator, &asset, "Campaign").len(), left);
        assert_eq!(kept(&simulator, &asset, "RightsHolder").len(), 1, "another view's");
    }
}

#[tokio::test]
async fn required_fields_are_those_named_or_all() {
    for (required, status) in [(Required::Named, 200), (Required::All, 400)] {
        let simulator = with(MetadataRules { required, ..MetadataRules::default() });
        let (fresh, master) = (seeded(&simulator, seed::DAWN), seeded(&simulator, seed::MASTER));
        assert_eq!(write(&simulator, &fresh, CAMPAIGN_VIEW, "Campaign", &[json!("C")]).await.0, status);
        assert_eq!(
            write(&simulator, &master, CAMPAIGN_VIEW, "Campaign", &[json!("C")]).await.0,
            200,
            "it has a value"
        );
    }
}

#[tokio::test]
async fn native_values_may_be_shown_as_text() {
    for (as_text, shown) in [(false, json!(2.5)), (true, json!("2.5"))] {
        let simulator = with(MetadataRules { values_as_text: as_text, ..MetadataRules::default() });
        let asset = seeded(&simulator, seed::MASTER);
        let path = format!("metadata/v1/assets/{asset}/views/{RIGHTS_VIEW}/");
        let read = done(&simulator, 200, "GET", &path, None).await;
        assert_eq!(read["metadata_values"]["RoyaltyShare"]["field_values"][0]["value"], shown);
    }
}

#[tokio::test]
async fn an_unchanged_write_is_silent_and_a_changed_one_is_told() {
    for (moves, carry) in [(true, true), (false, false)] {
        let simulator = with(MetadataRules {
            moves_date_modified: moves,
            events_carry_values: carry,
            ..MetadataRules::default()
        });
        let asset = seeded(&simulator, seed::MASTER);
        let modified = |simulator: &Simulator| {
            simulator.with_state(|state| state.assets.get(&asset).unwrap()["date_modified"].clone())
        };
        let before = modified(&simulator);
        simulator.clock().advance(jiff::SignedDuration::from_secs(5));
        let path = format!("metadata/v1/assets/{asset}/views/{CAMPAIGN_VIEW}/?ignore_unchanged=true");
        let same = values("Campaign", &[json!("Harbour Lights")]);
        done(&simulator, 200, "PUT", &path, same).await;
        assert_eq!(modified(&simulator), before);
        assert!(simulator.with_state(|state| state.events.iter().all(|event| event.realm != "metadata")));
        done(&simulator, 200, "PUT", &path, values("Campaign", &[json!("Another")])).await;
        assert_eq!(modified(&simulator) != before, moves);
        let event = simulator.with_state(|state| state.events.last().cloned()).unwrap();
        assert_eq!((event.realm, event.operation, event.object_id), ("metadata", "update", asset.clone()));
        assert_eq!(event.data.get("metadata_values").is_some(), carry);
    }
}

#[tokio::test]
async fn versions_and_segments_have_values_of_their_own() {
    let simulator = with(MetadataRules::default());
    let asset = seeded(&simulator, seed::MASTER);
    let base = format!("assets/v1/assets/{asset}/versions/");
    let newest = simulator.with_state(|state| state.current_version_of(&asset).unwrap());
    done(&simulator, 200, "POST", &base, json!({"copy_metadata": true})).await;
    let versions = [newest, simulator.with_state(|state| state.current_version_of(&asset).unwrap())];
    let read = async |version: &str| {
        let path = format!("metadata/v1/assets/{asset}/versions/{version}/views/{CAMPAIGN_VIEW}/");
        let read = done(&simulator, 200, "GET", &path, None).await;
        read["metadata_values"]["Campaign"]["field_values"][0]["value"].clone()
    };
    assert_eq!(read(&versions[1]).await, "Harbour Lights", "a new version begins with what there was");
    assert_eq!(write(&simulator, &asset, CAMPAIGN_VIEW, "Campaign", &[json!("Second")]).await.0, 200);
    assert_eq!(
        (read(&versions[0]).await, read(&versions[1]).await),
        (json!("Harbour Lights"), json!("Second"))
    );
    done(&simulator, 200, "POST", &base, json!({"copy_metadata": false})).await;
    let path = format!("metadata/v1/assets/{asset}/views/{CAMPAIGN_VIEW}/");
    assert_eq!(call(&simulator, "GET", &path, None).await.0, 404, "a version made without its metadata");
    let path = format!("metadata/v1/assets/{asset}/segments/one/views/{RIGHTS_VIEW}/");
    assert_eq!(call(&simulator, "GET", &path, None).await.0, 404);
    done(&simulator, 200, "PUT", &path, values("RightsHolder", &[json!("Somebody")])).await;
    let read = done(&simulator, 200, "GET", &path, None).await;
    assert_eq!((&read["object_type"], &read["object_id"]), (&json!("segments"), &json!("one")));
}

#[tokio::test]
async fn several_objects_are_written_with_one_call() {
    let simulator = with(MetadataRules::default());
    let (one, two) = (seeded(&simulator, seed::MASTER), seeded(&simulator, seed::SHORT));
    let path = format!("metadata/v1/assets/views/{CAMPAIGN_VIEW}/");
    let mut same = values("Campaign", &[json!("Both")]);
    same["object_ids"] = json!([one, two]);
    let answer = done(&simulator, 202, "PUT", &path, same.clone()).await;
    let job = done(&simulator, 200, "GET", &format!("jobs/v1/jobs/{}/", text(&answer, "job_id")), None).await;
    assert_eq!((&job["status"], &job["type"]), (&json!("FINISHED"), &json!("METADATA")));
    for asset in [&one, &two] {
        assert_eq!(kept(&simulator, asset, "Campaign"), ["Both"]);
    }
    let entry = |id: &str, value: &str| {
        let mut entry = values("Campaign", &[json!(value)]);
        entry["id"] = id.into();
        entry
    };
    let mapping = json!([entry(&one, "First"), entry(&two, "Second")]);
    let body = json!({"object_ids": [one, two], "metadata_values_object_id_mapping": mapping});
    done(&simulator, 202, "POST", &path, body).await;
    assert_eq!(
        (kept(&simulator, &one, "Campaign"), kept(&simulator, &two, "Campaign")),
        (vec![json!("First")], vec![json!("Second")])
    );
    let mut wrong = values("RightsStatus", &[json!("unheard")]);
    wrong["object_ids"] = json!([one]);
    let answer = done(&simulator, 202, "PUT", &path, wrong).await;
    let job = done(&simulator, 200, "GET", &format!("jobs/v1/jobs/{}/", text(&answer, "job_id")), None).await;
    assert_eq!(job["status"], "FAILED");
    same["object_ids"] = json!([]);
    assert_eq!(call(&simulator, "PUT", &path, Some(same)).await.0, 400);
}

#[tokio::test]
async fn a_field_blocks_an_asset_or_puts_a_banner_on_it() {
    let simulator = with(MetadataRules::default());
    let asset = seeded(&simulator, seed::MASTER);
    assert_eq!(write(&simulator, &asset, RIGHTS_VIEW, "UsageBlocked", &[json!(true)]).await.0, 200);
    assert_eq!(
        write(&simulator, &asset, RIGHTS_VIEW, "UsageNotice", &[json!("Music unlicensed")]).await.0,
        200
    );
    let shown = done(&simulator, 200, "GET", &format!("assets/v1/assets/{asset}/"), None).await;
    assert_eq!((&shown["is_blocked"], &shown["warning"]), (&json!(true), &json!("Music unlicensed")));
    assert_eq!(write(&simulator, &asset, RIGHTS_VIEW, "UsageBlocked", &[]).await.0, 200);
    let shown = done(&simulator, 200, "GET", &format!("assets/v1/assets/{asset}/"), None).await;
    assert_eq!(shown["is_blocked"], false);
}

#[tokio::test]
async fn fields_views_and_categories_are_defined() {
    let simulator = with(MetadataRules::default());
    let post = async |path: &str, body: Value| as_admin(&simulator, "POST", path, Some(body)).await;
    let field = json!({"name": "Mood", "label": "Mood", "field_type": "drop_down", "options": [{"label": "Calm", "value": "calm"}]});
    assert_eq!(post("metadata/v1/fields/", field.clone()).await.0, 201);
    assert_eq!(post("metadata/v1/fields/", field.clone()).await.0, 400, "the name is taken");
    assert_eq!(
        post("metadata/v1/fields/", json!({"name": "A", "label": "A", "field_type": "colour"})).await.0,
        400
    );
    let both = json!({"name": "B", "label": "B", "field_type": "drop_down", "options": [{"label": "c", "value": "c"}], "source_url": "https://x.example"});
    assert_eq!(post("metadata/v1/fields/", both).await.0, 400);
    let changed = as_admin(
        &simulator,
        "PUT",
        "metadata/v1/fields/Mood/",
        Some(json!({"label": "Mood!", "field_type": "text"})),
    )
    .await;
    assert_eq!((&changed.1["label"], &changed.1["field_type"]), (&json!("Mood!"), &json!("drop_down")));
    let (status, view) = post(
        "metadata/v1/views/",
        json!({"name": "Moods", "view_fields": [{"name": "Mood", "required": true}]}),
    )
    .await;
    assert_eq!(status, 201);
    assert_eq!(
        view["view_fields"][0]["field_type"], "drop_down",
        "with the definition, though not asked for"
    );
    let id = text(&view, "id");
    assert_eq!(
        post("metadata/v1/views/", json!({"name": "X", "view_fields": [{"name": "Unheard"}]})).await.0,
        400
    );
    let path = format!("metadata/v1/views/{id}/");
    assert!(done(&simulator, 200, "GET", &path, None).await["view_fields"][0].get("options").is_none());
    let merged = done(&simulator, 200, "GET", &format!("{path}?merge_fields=True"), None).await;
    assert_eq!(
        (&merged["view_fields"][0]["options"][0]["value"], &merged["view_fields"][0]["required"]),
        (&json!("calm"), &json!(true))
    );
    let category = json!({"name": "mood", "label": "Mood", "view_ids": [id]});
    assert_eq!(post("metadata/v1/assets/categories/", category.clone()).await.0, 201);
    assert_eq!(post("metadata/v1/assets/categories/", category).await.0, 409);
    let shown = done(&simulator, 200, "GET", "metadata/v1/assets/categories/mood/views/", None).await;
    assert_eq!(shown["views"][0]["view_fields"][0]["label"], "Mood!");
    assert_eq!(as_admin(&simulator, "DELETE", "metadata/v1/fields/Mood/", None).await.0, 204);
    let asset = seeded(&simulator, seed::MASTER);
    assert_eq!(write(&simulator, &asset, &id, "Mood", &[json!("calm")]).await.0, 400, "the field is gone");
    let everything = done(&simulator, 200, "GET", "metadata/v1/fields/", None).await;
    let names: Vec<String> =
        everything["objects"].as_array().unwrap().iter().map(|field| text(field, "name")).collect();
    assert!(names.is_sorted(), "else the name of the last one is no place to go on from: {names:?}");
    let first = done(&simulator, 200, "GET", "metadata/v1/fields/?per_page=2", None).await;
    let last = text(&first["objects"][1], "name");
    let second =
        done(&simulator, 200, "GET", &format!("metadata/v1/fields/?per_page=2&last_field_name={last}"), None)
            .await;
    assert!(text(&second["objects"][0], "name") > last);
    let filtered = done(&simulator, 200, "GET", "metadata/v1/fields/?filter=Slug%2CDesk", None).await;
    assert_eq!(filtered["objects"].as_array().unwrap().len(), 2);
    let all = done(&simulator, 200, "GET", "metadata/v1/views/", None).await;
    assert_eq!(all["objects"].as_array().unwrap().len(), 6);
}

#[tokio::test]
async fn a_write_is_in_the_assets_history_where_that_is_so() {
    for (writes_in_history, entries) in [(true, 1), (false, 0)] {
        let simulator = with(MetadataRules { writes_in_history, ..MetadataRules::default() });
        let asset = seeded(&simulator, seed::MASTER);
        let count = || {
            let is_write =
                |entry: &&Value| entry["asset_id"] == *asset && entry["operation_type"] == "METADATA";
            simulator.with_state(|state| {
                state.history.objects().map(|entry| json!(entry)).filter(|entry| is_write(&entry)).count()
            })
        };
        let before = count();
        assert_eq!(write(&simulator, &asset, CAMPAIGN_VIEW, "Project", &[json!("P")]).await.0, 200);
        assert_eq!(count() - before, entries);
    }
}
