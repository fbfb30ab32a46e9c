use axum::body::Body;
use http::Request;
use serde_json::{Value, json};

use super::super::Settings;
use super::{Answer, call, make_asset, perform, seeded, simulator};

async fn ask(simulator: &super::Simulator, method: &str, path: &str, body: Value) -> Answer {
    let request = Request::builder().method(method).uri(format!("/_simulator/{path}"));
    perform(simulator, request.body(Body::from(body.to_string())).unwrap()).await
}

#[tokio::test]
async fn a_tester_drives_it_from_outside() {
    let simulator = simulator(Settings::default());
    let set = ask(&simulator, "PUT", "settings", json!({"index": {"lag_seconds": 5}})).await;
    assert_eq!((&set.json["index"]["lag_seconds"], &set.json["edits"]["put"]), (&json!(5), &json!("merges")));
    assert_eq!(ask(&simulator, "PUT", "settings", json!({"colour": 1})).await.status, 400);
    let fault =
        json!({"method": "GET", "path": "/assets/", "action": {"kind": "rate_limited", "retry_after": 7}});
    assert_eq!(ask(&simulator, "POST", "faults", fault).await.json["waiting"], 1);
    let (status, refused) = call(&simulator, "GET", "assets/v1/assets/", None).await;
    assert_eq!(status, 429);
    assert!(refused["errors"].is_array(), "faults are JSON too: {refused}");
    let clock = ask(&simulator, "POST", "clock", json!({"advance_seconds": 60})).await;
    assert_eq!(clock.json["now"], "2031-05-06T07:09:09Z");
    let journal = ask(&simulator, "GET", "journal", Value::Null).await.json;
    assert_eq!((&journal["count"], &journal["entries"][0]["fault"]), (&json!(1), &json!("rate_limited")));
    make_asset(&simulator, "Trailer").await;
    let state = ask(&simulator, "GET", "state", Value::Null).await.json;
    let made =
        state["assets"].as_array().unwrap().iter().find(|asset| asset["title"] == "Trailer").unwrap().clone();
    assert_eq!(state["events"][0]["object_id"], made["id"]);
    assert_eq!(ask(&simulator, "POST", "reset", Value::Null).await.status, 200);
    let state = ask(&simulator, "GET", "state", Value::Null).await.json;
    assert!(state["assets"].as_array().unwrap().iter().all(|asset| asset["title"] != "Trailer"));
    assert_eq!(ask(&simulator, "GET", "settings", Value::Null).await.json["index"]["lag_seconds"], 0);
    ask(&simulator, "POST", "sessions/end", Value::Null).await;
    assert_eq!(call(&simulator, "GET", "assets/v1/assets/", None).await.0, 401);
}

#[tokio::test]
async fn a_person_looks_around() {
    let simulator = simulator(Settings::default());
    for (part, kind) in [
        ("", "text/html"),
        ("style.css", "text/css"),
        ("script.js", "text/javascript"),
        ("view.js", "text/javascript"),
    ] {
        let answer = ask(&simulator, "GET", part, Value::Null).await;
        assert!(answer.headers["content-type"].to_str().unwrap().starts_with(kind), "{part}");
    }
    let top = ask(&simulator, "GET", "state/tree/top", Value::Null).await.json;
    let titles: Vec<&str> =
        top.as_array().unwrap().iter().map(|one| one["title"].as_str().unwrap()).collect();
    assert_eq!(titles, ["Productions", "Newsroom", "Healthcare"]);
    let finals = seeded(&simulator, "Finals");
    let inside = ask(&simulator, "GET", &format!("state/tree/{finals}"), Value::Null).await.json;
    assert_eq!(inside[0]["versions"], 3);
    let master = seeded(&simulator, "Harbour Lights 60s master");
    let shown = ask(&simulator, "GET", &format!("state/objects/{master}"), Value::Null).await.json;
    assert_eq!(
        (&shown["above"][0]["title"], shown["relations"].as_array().unwrap().len()),
        (&json!("Finals"), 2)
    );
    let by_editor =
        |entry: &&Value| entry["who"] == "editor@example.com" && entry["what"] == "VERSION_CREATE";
    assert_eq!(shown["history"].as_array().unwrap().iter().filter(by_editor).count(), 2);
    for part in ["files", "formats", "file_sets"] {
        assert!(!shown[part].as_array().unwrap().is_empty(), "{part}");
    }
    assert_eq!(ask(&simulator, "GET", "state/objects/none", Value::Null).await.status, 404);
}
