//! Comments with answers, transcripts, texts.

use axum::body::Body;
use http::Request;
use serde_json::{Value, json};
use tower::ServiceExt as _;

use super::{call, simulator};
use crate::iconik::{Settings, Simulator, seed};

/// A simulator with one asset: its id and that of its version.
pub(super) async fn with_asset() -> (Simulator, String, String) {
    let simulator = simulator(Settings::default());
    let (_, made) = call(&simulator, "POST", "assets/v1/assets/", Some(json!({"title": "Trailer"}))).await;
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    (simulator, text(&made["id"]), text(&made["versions"][0]["id"]))
}

async fn say(simulator: &Simulator, asset: &str, body: Value) -> Value {
    let path = format!("assets/v1/assets/{asset}/segments/");
    let (status, said) = call(simulator, "POST", &path, Some(body)).await;
    assert_eq!(status, 201, "{said}");
    said
}

async fn list(simulator: &Simulator, asset: &str, query: &str) -> Vec<Value> {
    let path = format!("assets/v1/assets/{asset}/segments/?{query}");
    let (status, listed) = call(simulator, "GET", &path, None).await;
    assert_eq!(status, 200, "{listed}");
    listed["objects"].as_array().unwrap().clone()
}

#[tokio::test]
async fn a_comment_has_answers_an_author_and_an_external_id() {
    let (simulator, asset, version) = with_asset().await;
    let comment = json!({
        "segment_type": "COMMENT", "segment_text": "Das Logo ist zu klein", "time_start_milliseconds": 1000,
        "time_end_milliseconds": 2500, "external_id": "node-17", "user_id": seed::ADMIN, "unknown": null,
    });
    let comment = say(&simulator, &asset, comment).await;
    assert_eq!(comment["user_id"], seed::ADMIN);
    assert_eq!(comment["user_info"]["email"], "administrator@example.com");
    assert_eq!((&comment["version_id"], &comment["top_level"]), (&json!(version), &json!(true)));
    let reply = json!({
        "segment_type": "COMMENT", "segment_text": "\u{5e9}\u{5dc}\u{5d5}\u{5dd} \u{202e}abc", "parent_id": comment["id"],
    });
    let reply = say(&simulator, &asset, reply).await;
    assert_eq!((&reply["parent_id"], &reply["top_level"]), (&comment["id"], &json!(false)));
    assert_eq!(
        reply["path"],
        format!("{}/{}", comment["id"].as_str().unwrap(), reply["id"].as_str().unwrap())
    );
    assert_eq!(reply["segment_text"], "\u{5e9}\u{5dc}\u{5d5}\u{5dd} \u{202e}abc", "kept to the letter");
    assert_eq!(reply["user_id"], seed::SERVICE, "the caller is the author when none is given");

    let listed = list(&simulator, &asset, "segment_type=COMMENT&include_users=True").await;
    assert_eq!(listed.len(), 2);
    assert_eq!(listed[0]["user_info"]["id"], seed::ADMIN);
    assert_eq!(list(&simulator, &asset, "").await[0]["user_info"], Value::Null);
    assert_eq!(list(&simulator, &asset, "query=logo%20klein").await.len(), 1);
    assert_eq!(list(&simulator, &asset, "time_start_milliseconds__gte=1001").await.len(), 0);

    let path = format!("assets/v1/assets/{asset}/segments/{}/", comment["id"].as_str().unwrap());
    let change = json!({"segment_type": "COMMENT", "segment_checked": true});
    let (status, changed) = call(&simulator, "PATCH", &path, Some(change)).await;
    assert_eq!((status.as_u16(), &changed["segment_checked"]), (200, &json!(true)));
    assert_eq!(changed["segment_text"], "Das Logo ist zu klein");
}

#[tokio::test]
async fn what_is_no_segment_is_refused() {
    let (simulator, asset, _) = with_asset().await;
    let path = format!("assets/v1/assets/{asset}/segments/");
    for (body, field) in [
        (json!({}), "segment_type"),
        (json!({"segment_type": "REMARK"}), "segment_type"),
        (json!({"segment_type": "COMMENT", "version_id": "0"}), "version_id"),
        (json!({"segment_type": "COMMENT", "parent_id": "0"}), "parent_id"),
        (
            json!({"segment_type": "COMMENT", "time_start_milliseconds": 5, "time_end_milliseconds": 4}),
            "time_end",
        ),
    ] {
        let (status, answer) = call(&simulator, "POST", &path, Some(body.clone())).await;
        assert_eq!(status, 400, "{body}");
        assert!(answer["errors"][0].as_str().unwrap().starts_with(field), "{answer}");
    }
    for path in ["assets/v1/assets/0/segments/".to_owned(), format!("{path}0/")] {
        assert_eq!(call(&simulator, "GET", &path, None).await.0, 404);
    }
}

#[tokio::test]
async fn a_deleted_comment_is_gone_or_shown_as_deleted() {
    let (simulator, asset, _) = with_asset().await;
    let comment = json!({"segment_type": "COMMENT", "segment_text": "a"});
    let soft = say(&simulator, &asset, comment.clone()).await;
    let hard = say(&simulator, &asset, comment.clone()).await;
    let reply = json!({"segment_type": "COMMENT", "parent_id": hard["id"]});
    say(&simulator, &asset, reply.clone()).await;
    let place =
        |segment: &Value| format!("assets/v1/assets/{asset}/segments/{}/", segment["id"].as_str().unwrap());
    let (status, _) = call(&simulator, "DELETE", &format!("{}?soft_delete=True", place(&soft)), None).await;
    assert_eq!(status, 204);
    assert_eq!(call(&simulator, "GET", &place(&soft), None).await.1["status"], "DELETED");
    assert_eq!(list(&simulator, &asset, "status=DELETED").await.len(), 1);
    assert_eq!(list(&simulator, &asset, "").await.len(), 2);
    simulator.with_state(|state| state.settings.segments.list_shows_deleted = true);
    assert_eq!(list(&simulator, &asset, "").await.len(), 3);
    simulator.with_state(|state| state.settings.segments.list_shows_deleted = false);
    assert_eq!(call(&simulator, "DELETE", &place(&hard), None).await.0, 204);
    assert_eq!(call(&simulator, "GET", &place(&hard), None).await.0, 404);
    assert_eq!(list(&simulator, &asset, "").await.len(), 0, "its answer went with it");

    simulator.with_state(|state| state.settings.segments.delete_takes_replies = false);
    let hard = say(&simulator, &asset, comment).await;
    say(&simulator, &asset, json!({"segment_type": "COMMENT", "parent_id": hard["id"]})).await;
    assert_eq!(call(&simulator, "DELETE", &place(&hard), None).await.0, 204);
    assert_eq!(list(&simulator, &asset, "").await.len(), 1, "its answer stays");
}

#[tokio::test]
async fn an_author_may_not_be_given_where_the_switch_says_so() {
    let (simulator, asset, _) = with_asset().await;
    simulator.with_state(|state| state.settings.segments.author_can_be_given = false);
    let said = say(&simulator, &asset, json!({"segment_type": "COMMENT", "user_id": seed::ADMIN})).await;
    assert_eq!(said["user_id"], seed::SERVICE);
}

#[tokio::test]
async fn a_list_comes_from_an_index_that_lags() {
    let (simulator, asset, _) = with_asset().await;
    simulator.with_state(|state| state.settings.index.lag_seconds = 5);
    let said = say(&simulator, &asset, json!({"segment_type": "COMMENT"})).await;
    assert_eq!(list(&simulator, &asset, "").await.len(), 0);
    let path = format!("assets/v1/assets/{asset}/segments/{}/", said["id"].as_str().unwrap());
    assert_eq!(call(&simulator, "GET", &path, None).await.0, 200, "by its id it is there at once");
    simulator.clock().advance(jiff::SignedDuration::from_secs(6));
    assert_eq!(list(&simulator, &asset, "").await.len(), 1);
}

#[tokio::test]
async fn many_segments_in_one_call() {
    let (simulator, asset, _) = with_asset().await;
    let bulk = format!("assets/v1/assets/{asset}/segments/bulk/");
    let tags: Vec<Value> =
        (0..500).map(|n| json!({"segment_type": "TAG", "segment_text": n.to_string()})).collect();
    let (status, job) = call(&simulator, "POST", &bulk, Some(json!({"objects": tags}))).await;
    assert_eq!(status, 201);
    assert!(job["job_id"].is_string());
    let mut more = tags;
    more.push(json!({"segment_type": "TAG"}));
    assert_eq!(call(&simulator, "POST", &bulk, Some(json!({"objects": more}))).await.0, 400);
    let listed = list(&simulator, &asset, "per_page=1000").await;
    assert_eq!(listed.len(), 500);
    let edits: Vec<Value> = listed[..2]
        .iter()
        .map(|tag| json!({"id": tag["id"], "asset_id": asset, "segment_type": "QC"}))
        .collect();
    assert_eq!(call(&simulator, "PUT", &bulk, Some(json!({"objects": edits}))).await.0, 201);
    assert_eq!(list(&simulator, &asset, "segment_type=QC").await.len(), 2);

    let by_id = json!({"segment_ids": [listed[0]["id"]]});
    let path = format!("{bulk}?immediately=True&ignore_reindexing=False");
    assert_eq!(call(&simulator, "DELETE", &path, Some(by_id)).await.0, 204);
    assert_eq!(list(&simulator, &asset, "segment_type=QC").await.len(), 1);
    let by_type = json!({"segment_type": "QC"});
    assert_eq!(call(&simulator, "DELETE", &format!("{bulk}?immediately=false"), Some(by_type)).await.0, 204);
    assert_eq!(list(&simulator, &asset, "segment_type=QC").await.len(), 0);
    assert_eq!(list(&simulator, &asset, "status=DELETED&segment_type=QC").await.len(), 1);
    assert_eq!(call(&simulator, "DELETE", &bulk, Some(json!({}))).await.0, 400);
}

async fn text(simulator: &Simulator, path: &str) -> (String, String) {
    let request = Request::get(format!("/API/{path}"))
        .header("App-ID", seed::APP_ID)
        .header("Auth-Token", seed::TOKEN)
        .body(Body::empty());
    let response = simulator.router().oneshot(request.unwrap()).await.unwrap();
    assert_eq!(response.status(), 200);
    let kind = response.headers()["content-type"].to_str().unwrap().to_owned();
    let bytes = axum::body::to_bytes(response.into_body(), usize::MAX).await.unwrap();
    (kind, String::from_utf8(bytes.to_vec()).unwrap())
}

#[tokio::test]
async fn segments_are_given_as_tables_and_subtitles_and_subtitles_become_a_transcript() {
    let (simulator, asset, version) = with_asset().await;
    let subtitles = "WEBVTT\n\n00:00:01.000 --> 00:00:02.500\nGuten Tag\n\n00:00:03.000 --> 00:00:04.000\nund willkommen\n";
    let path = format!("assets/v1/assets/{asset}/versions/{version}/transcriptions");
    let body = json!({"content": subtitles, "format": "WEBVTT", "language": "de"});
    let (status, made) = call(&simulator, "POST", &format!("{path}/subtitles/"), Some(body)).await;
    assert_eq!((status.as_u16(), &made["language"]), (200, &json!("de")), "{made}");
    let id = made["id"].as_str().unwrap();
    let own = format!("{path}/{id}/properties/");
    let speakers = json!({"speaker_labels": {"0": "Sprecherin"}});
    let (_, changed) = call(&simulator, "PATCH", &own, Some(speakers)).await;
    assert_eq!((&changed["speaker_labels"]["0"], &changed["language"]), (&json!("Sprecherin"), &json!("de")));
    let (_, listed) = call(&simulator, "GET", &format!("{path}/properties/"), None).await;
    assert_eq!(listed["objects"][0], changed);

    let segments = format!("assets/v1/assets/{asset}/segments");
    let (kind, vtt) = text(&simulator, &format!("{segments}/vtt/?transcription_id={id}")).await;
    assert_eq!((kind.as_str(), vtt.as_str()), ("text/vtt; charset=utf-8", subtitles));
    let (_, srt) = text(&simulator, &format!("{segments}/srt/?words_per_line=1")).await;
    assert!(srt.starts_with("1\n00:00:01,000 --> 00:00:02,500\nGuten\nTag\n\n2\n"), "{srt}");
    let (_, plain) = text(&simulator, &format!("{segments}/text/")).await;
    assert_eq!(plain, "Guten Tag\nund willkommen");
    let (kind, table) = text(&simulator, &format!("{segments}/csv/")).await;
    assert_eq!((kind.as_str(), table.lines().count()), ("text/csv; charset=utf-8", 3));

    assert_eq!(call(&simulator, "DELETE", &own, None).await.0, 204);
    assert_eq!(call(&simulator, "GET", &own, None).await.0, 404);
    let bad = json!({"content": "nothing"});
    assert_eq!(call(&simulator, "POST", &format!("{path}/subtitles/"), Some(bad)).await.0, 400);
}

#[tokio::test]
async fn a_new_version_takes_segments_when_asked_and_a_purged_asset_leaves_none() {
    let (simulator, asset, _) = with_asset().await;
    let comment = say(&simulator, &asset, json!({"segment_type": "COMMENT", "segment_text": "a"})).await;
    say(&simulator, &asset, json!({"segment_type": "COMMENT", "parent_id": comment["id"]})).await;
    say(&simulator, &asset, json!({"segment_type": "TAG"})).await;
    let versions = format!("assets/v1/assets/{asset}/versions/");
    call(&simulator, "POST", &versions, Some(json!({}))).await;
    assert_eq!(list(&simulator, &asset, "").await.len(), 0);
    let first = &list(&simulator, &asset, "include_all_versions=true").await[0]["version_id"].clone();
    let given =
        json!({"source_version_id": first, "copy_segments": true, "include_segment_types": ["COMMENT"]});
    assert_eq!(call(&simulator, "POST", &versions, Some(given)).await.0, 200);
    let copied = list(&simulator, &asset, "").await;
    assert_eq!(copied.len(), 2);
    assert_eq!(copied[1]["parent_id"], copied[0]["id"]);
    assert_ne!(copied[0]["id"], comment["id"]);
    call(&simulator, "POST", &format!("assets/v1/assets/{asset}/approvals/request/"), Some(json!({}))).await;
    call(&simulator, "DELETE", &format!("assets/v1/assets/{asset}/"), None).await;
    assert_eq!(call(&simulator, "DELETE", &format!("assets/v1/assets/{asset}/purge/"), None).await.0, 204);
    let left = simulator.with_state(|state| {
        let segments = state.review.segments.objects().filter(|segment| segment["asset_id"] == asset).count();
        segments + state.review.approvals.keys().filter(|key| key.object_id == asset).count()
    });
    assert_eq!(left, 0);
}
