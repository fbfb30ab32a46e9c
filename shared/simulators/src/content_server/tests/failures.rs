use http_body_util::BodyExt as _;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use super::super::Settings;
use super::Caller;
use crate::faults::{Action, Dropped, Rule};

#[tokio::test]
async fn a_fault_before_the_effect_leaves_nothing_and_one_after_it_leaves_everything() {
    let caller = Caller::new(Settings::default());
    let create = |name: &'static str| {
        let body =
            serde_urlencoded::to_string([("type", "0"), ("parent_id", "3101"), ("name", name)]).unwrap();
        caller
            .request("POST", "v2/nodes")
            .header("content-type", "application/x-www-form-urlencoded")
            .body(body.into())
            .unwrap()
    };
    let exists = |name: &str| caller.simulator.with_state(|state| state.child(3101, name).is_some());
    let kinds = [
        (Action::DropBeforeEffect, false),
        (Action::DropAfterEffect, true),
        (Action::Status { status: 503, body: None, content_type: None, retry_after: None }, false),
        (Action::StatusAfterEffect { status: 504 }, true),
        (Action::EmptyOk, false),
        (Action::HtmlOk, false),
    ];
    for ((action, effect), name) in kinds.into_iter().zip(["a", "b", "c", "d", "e", "f"]) {
        let drops = matches!(action, Action::DropBeforeEffect | Action::DropAfterEffect);
        caller.simulator.faults().add(Rule::next(action.clone()).on("POST", "/nodes$")).unwrap();
        let response = caller.send(create(name)).await;
        assert_eq!(response.extensions().get::<Dropped>().is_some(), drops, "{action:?}");
        assert_eq!(exists(name), effect, "{action:?}");
        // The same call goes through the next time, or meets its own effect.
        assert_eq!(caller.send(create(name)).await.status(), if effect { 500 } else { 200 }, "{action:?}");
    }
}

#[tokio::test]
async fn each_status_comes_as_asked() {
    let caller = Caller::new(Settings::default());
    let kinds = [
        (Action::Unauthorized, 401),
        (Action::Forbidden, 403),
        (Action::Conflict, 409),
        (Action::Locked, 423),
        (Action::RateLimited { retry_after: 7 }, 429),
        (Action::HtmlError, 500),
        (Action::NoContent, 204),
    ];
    for (action, status) in kinds {
        caller.simulator.faults().add(Rule::next(action.clone())).unwrap();
        let answer = caller.get("v2/nodes/3001").await;
        assert_eq!(answer.status, status, "{action:?}");
        assert_eq!(answer.headers.get("retry-after").is_some(), status == 429);
    }
    assert_eq!(caller.simulator.journal().entries().iter().filter(|entry| entry.fault.is_some()).count(), 7);
}

#[tokio::test]
async fn a_download_can_break_off_or_lie() {
    let caller = Caller::new(Settings::default());
    let id = caller.document(3101, "memo.txt", b"0123456789").await;
    let path = format!("v1/nodes/{id}/content");
    caller.simulator.faults().add(Rule::next(Action::CorruptByte { at: 3 })).unwrap();
    assert_eq!(caller.get(&path).await.bytes, &b"0122456789"[..]);
    caller.simulator.faults().add(Rule::next(Action::CutBody { at: 4 })).unwrap();
    let response = caller.send(caller.request("GET", &path).body(axum::body::Body::empty()).unwrap()).await;
    assert_eq!(response.headers()["content-length"], "10");
    assert!(response.into_body().collect().await.is_err());
}

#[tokio::test]
async fn on_a_port_a_dropped_answer_is_a_closed_connection() {
    let caller = Caller::new(Settings::default());
    let (address, server) = crate::serve(caller.simulator.router(), 0).await.unwrap();
    assert!(address.ip().is_loopback());
    let ask = async |path: &str| {
        let mut stream = tokio::net::TcpStream::connect(address).await.unwrap();
        let request = format!("GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut answer = String::new();
        let _ = stream.read_to_string(&mut answer).await;
        answer
    };
    caller.simulator.faults().add(Rule::next(Action::DropAfterEffect)).unwrap();
    assert_eq!(ask("/cs/cs/api/v1/ping").await, "");
    assert!(ask("/cs/cs/api/v1/ping").await.contains("\"version\":\"25.4\""));
    server.abort();
}

#[tokio::test(start_paused = true)]
async fn a_delay_passes_in_the_time_of_the_runtime() {
    let caller = Caller::new(Settings::default());
    caller.simulator.faults().add(Rule::next(Action::Delay { milliseconds: 90_000 })).unwrap();
    let before = tokio::time::Instant::now();
    assert_eq!(caller.get("v2/nodes/3001").await.status, 200);
    assert_eq!(before.elapsed().as_secs(), 90);
}

#[tokio::test]
async fn a_tester_drives_it_from_outside() {
    let caller = Caller::new(Settings::default());
    let ask = async |method: &str, path: &str, body: Value| {
        let request = http::Request::builder().method(method).uri(format!("/_simulator/{path}"));
        super::read(caller.send(request.body(body.to_string().into()).unwrap()).await).await
    };
    let set = ask("PUT", "settings", json!({"search_lag_seconds": 5, "modules": {"records": false}})).await;
    assert_eq!(
        (&set.json["search_lag_seconds"], &set.json["modules"]["records"]),
        (&json!(5), &json!(false))
    );
    assert_eq!(set.json["modules"]["workspaces"], true);
    assert_eq!(ask("PUT", "settings", json!({"no_such_switch": 1})).await.status, 400);
    let rule = json!({"path": "/nodes/3001", "action": {"kind": "rate_limited", "retry_after": 2}});
    assert_eq!(ask("POST", "faults", rule).await.json, json!({"waiting": 1}));
    assert_eq!(caller.get("v2/nodes/3001").await.status, 429);
    assert_eq!(ask("POST", "faults", json!({"action": {"kind": "explode"}})).await.status, 400);
    let clock = ask("POST", "clock", json!({"advance_seconds": 3600})).await;
    assert_eq!(clock.json["now"], "2031-05-06T08:08:09Z");
    assert_eq!(caller.get("v2/nodes/3001").await.status, 401);
    let state = ask("GET", "state", Value::Null).await;
    assert_eq!(state.json["nodes"]["3001"]["path"], "Enterprise/Claims");
    let node = ask("GET", "state/nodes/Claims:Guidelines", Value::Null).await;
    assert_eq!(node.json["id"], 3102);
    assert_eq!(ask("GET", "journal", Value::Null).await.json["entries"][0]["status"], 429);
    assert_eq!(ask("GET", "", Value::Null).await.headers["content-type"], "text/html; charset=utf-8");
    ask("POST", "reset", Value::Null).await;
    assert_eq!(caller.simulator.journal().count(), 0);
}
