use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use axum::body::Body;
use serde_json::json;

use super::super::settings::{ErrorShape, MissingSlash, Spelling};
use super::super::{Settings, seed};
use super::{call, perform, seeded, send, simulator};

#[tokio::test]
async fn every_error_is_json_with_errors() {
    let simulator = simulator(Settings::default());
    let calls = [
        ("GET", "assets/v1/nothing/", None, 404),
        ("GET", "assets/v1/assets/0/", None, 404),
        ("POST", "assets/v1/assets/", Some(json!({})), 400),
        ("DELETE", "assets/v1/assets/", None, 405),
        ("GET", "search/v1/nothing/", None, 404),
        ("POST", "search/v1/search/", Some(json!({"query": "(open"})), 400),
    ];
    for (method, path, body, expected) in calls {
        let (status, answer) = call(&simulator, method, path, body).await;
        assert_eq!(status, expected, "{method} {path}");
        assert!(answer["errors"].is_array(), "{answer}");
    }
    let garbage = http::Request::post("/API/assets/v1/assets/")
        .header("App-ID", seed::APP_ID)
        .header("Auth-Token", seed::TOKEN)
        .body("{".into())
        .unwrap();
    let answer = perform(&simulator, garbage).await;
    assert_eq!((answer.status.as_u16(), &answer.json), (400, &json!({"errors": ["Invalid JSON"]})));
}

#[tokio::test]
async fn a_body_that_is_too_large_is_refused_when_all_of_it_is_sent() {
    let simulator = simulator(Settings::default());
    let sent = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&sent);
    let pieces = (0..20).map(move |_| {
        count.fetch_add(1, Ordering::Relaxed);
        Ok::<_, std::io::Error>(vec![b' '; 1024 * 1024])
    });
    let request = http::Request::post("/API/assets/v1/assets/")
        .header("App-ID", seed::APP_ID)
        .header("Auth-Token", seed::TOKEN)
        .body(Body::from_stream(futures_util::stream::iter(pieces)))
        .unwrap();
    let answer = perform(&simulator, request).await;
    let expected = json!({"errors": ["Request Entity Too Large"]});
    assert_eq!((answer.status.as_u16(), &answer.json), (413, &expected));
    assert_eq!(sent.load(Ordering::Relaxed), 20);
}

#[tokio::test]
async fn a_wrong_field_is_told_in_either_shape() {
    let simulator = simulator(Settings::default());
    let body = Some(json!({"title": "Trailer", "type": "FILM"}));
    let (_, answer) = call(&simulator, "POST", "assets/v1/assets/", body.clone()).await;
    assert!(answer["errors"][0].as_str().unwrap().starts_with("type: Must be one of"), "{answer}");
    simulator.with_state(|state| state.settings.error_shape = ErrorShape::Map);
    let (status, answer) = call(&simulator, "POST", "assets/v1/assets/", body).await;
    assert_eq!(status, 400);
    assert!(answer["errors"]["type"].as_str().unwrap().starts_with("Must be one of"), "{answer}");
}

#[tokio::test]
async fn a_path_without_its_slash_is_served_or_redirected_with_its_query() {
    let simulator = simulator(Settings::default());
    let body = Some(json!({"title": "Trailer"}));
    assert_eq!(call(&simulator, "POST", "assets/v1/assets", body.clone()).await.0, 201);
    simulator.with_state(|state| state.settings.missing_slash = MissingSlash::Redirected);
    let answer =
        send(&simulator, seed::TOKEN, "POST", "assets/v1/assets?assign_to_collection=true", body).await;
    assert_eq!(answer.status, 308);
    assert_eq!(answer.headers["location"], "/API/assets/v1/assets/?assign_to_collection=true");
    assert_eq!(
        simulator.with_state(|state| state
            .assets
            .objects()
            .filter(|asset| asset["title"] == "Trailer")
            .count()),
        1
    );
}

#[tokio::test]
async fn times_are_written_in_three_spellings() {
    let simulator = simulator(Settings::default());
    let id = seeded(&simulator, "Creative brief");
    let path = format!("assets/v1/assets/{id}/");
    let found = json!({"filter": {"operator": "AND", "terms": [{"name": "id", "value_in": [id]}]}});
    for (spelling, written) in [
        (Spelling::Zoned, "2031-05-02T07:08:09.000000+00:00"),
        (Spelling::Zoneless, "2031-05-02T07:08:09.000000"),
        (Spelling::Spaced, "2031-05-02 07:08:09"),
    ] {
        simulator.with_state(|state| {
            state.settings.dates.objects = spelling;
            state.settings.dates.search = Spelling::Zoned;
        });
        assert_eq!(call(&simulator, "GET", &path, None).await.1["date_created"], written);
        simulator.with_state(|state| {
            state.settings.dates.objects = Spelling::Zoned;
            state.settings.dates.search = spelling;
        });
        let (_, answer) = call(&simulator, "POST", "search/v1/search/", Some(found.clone())).await;
        assert_eq!(answer["objects"][0]["date_created"], written);
    }
    simulator.with_state(|state| state.settings.dates = super::super::settings::Dates::default());
    let (_, answer) = call(&simulator, "POST", "search/v1/search/", Some(found)).await;
    assert_eq!(answer["objects"][0]["date_created"], "2031-05-02T07:08:09.000000", "search says no zone");
}

#[tokio::test]
async fn calls_beyond_the_limit_are_refused_for_their_application_until_the_window_ends() {
    let simulator = simulator(Settings::default());
    let me = async || send(&simulator, seed::TOKEN, "GET", "users/v1/users/current/", None).await;
    assert!(me().await.headers.get("ratelimit-remaining").is_none(), "no limit, nothing remains");
    simulator.with_state(|state| {
        state.settings.rate_limit.calls = Some(2);
        state.settings.rate_limit.seconds = 10;
    });
    assert_eq!(me().await.headers["ratelimit-remaining"], "1");
    assert_eq!(me().await.headers["ratelimit-remaining"], "0");
    let refused = me().await;
    assert_eq!((refused.status.as_u16(), &refused.json), (429, &json!({"errors": ["Rate limit exceeded"]})));
    assert_eq!(
        (&refused.headers["retry-after"], &refused.headers["ratelimit-remaining"]),
        (&"1".parse().unwrap(), &"0".parse().unwrap())
    );
    simulator.with_state(|state| {
        let limit = &mut state.settings.rate_limit;
        limit.retry_after_seconds = None;
        limit.tells_remaining = false;
        limit.html_page = true;
    });
    let refused = me().await;
    assert_eq!(refused.status, 429);
    assert!(refused.headers["content-type"].to_str().unwrap().starts_with("text/html"));
    assert!(["retry-after", "ratelimit-remaining"].iter().all(|name| refused.headers.get(*name).is_none()));
    super::wait(&simulator, 11);
    assert_eq!(me().await.status, 200);
}

#[tokio::test(start_paused = true)]
async fn a_call_takes_as_long_as_is_set() {
    let simulator = simulator(Settings { latency_milliseconds: 250, ..Settings::default() });
    let before = tokio::time::Instant::now();
    call(&simulator, "GET", "assets/v1/assets/", None).await;
    assert_eq!(before.elapsed().as_millis(), 250);
}

#[tokio::test]
async fn a_call_needs_its_role() {
    let simulator = simulator(Settings::default());
    simulator.with_state(|state| {
        let user = state.users.iter_mut().find(|user| user.id == seed::SERVICE).unwrap();
        user.roles.retain(|role| role != "can_write_assets");
    });
    let path = format!("assets/v1/assets/{}/", seeded(&simulator, "Creative brief"));
    let (status, answer) = call(&simulator, "PATCH", &path, Some(json!({"title": "x"}))).await;
    assert_eq!(
        (status.as_u16(), &answer),
        (403, &json!({"errors": ["User does not have the role can_write_assets"]}))
    );
    let admin = send(&simulator, seed::ADMIN_TOKEN, "PATCH", &path, Some(json!({"title": "x"}))).await;
    assert_eq!(admin.status, 200);
}

#[tokio::test]
async fn the_same_story_gives_the_same_ids() {
    let mut ids = Vec::new();
    for _ in 0..2 {
        let simulator = simulator(Settings::default());
        let id = super::make_asset(&simulator, "Trailer").await;
        assert_eq!(id.split('-').nth(2), Some("11f0"), "like a UUID of version 1");
        ids.push((id, simulator.with_state(|state| state.request_id.clone())));
    }
    assert_eq!(ids[0], ids[1]);
    assert_eq!(ids[0].1.len(), 32);
}
