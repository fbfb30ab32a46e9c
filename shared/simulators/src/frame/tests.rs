//! One test kit: what the administrator of one simulator can do, the administrator of each can.

use axum::Router;
use axum::body::Body;
use http::{HeaderMap, Request};
use serde_json::{Value, json};
use tower::ServiceExt as _;

use crate::{Clock, consonance, content_server, iconik, otmm, preservica};

/// A simulated system at a fixed time, and a call by somebody whom it knows.
struct Kit {
    name: &'static str,
    router: Router,
    path: &'static str,
    method: &'static str,
    credentials: Vec<(&'static str, String)>,
}

struct Answer {
    status: u16,
    headers: HeaderMap,
    text: String,
}

impl Answer {
    fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|error| panic!("{error}: {}", self.text))
    }
}

impl Kit {
    async fn perform(&self, request: Request<Body>) -> Answer {
        let (parts, body) = self.router.clone().oneshot(request).await.unwrap().into_parts();
        let bytes = axum::body::to_bytes(body, usize::MAX).await.unwrap();
        let text = String::from_utf8_lossy(&bytes).into_owned();
        Answer { status: parts.status.as_u16(), headers: parts.headers, text }
    }

    async fn admin(&self, method: &str, path: &str, body: Value) -> Answer {
        let body = if body.is_null() { Body::empty() } else { Body::from(body.to_string()) };
        let request = Request::builder().method(method).uri(format!("/_simulator/{path}"));
        self.perform(request.body(body).unwrap()).await
    }

    async fn call(&self) -> Answer {
        let mut request = Request::builder().method(self.method).uri(self.path);
        for (name, value) in &self.credentials {
            request = request.header(*name, value);
        }
        let body =
            if self.method == "POST" { Body::from("{\"query\": \"{ __typename }\"}") } else { Body::empty() };
        self.perform(request.body(body).unwrap()).await
    }
}

fn clock() -> Clock {
    Clock::fixed("2031-05-06T07:08:09Z".parse().unwrap())
}

/// All that stand in the frame.
fn kits() -> [Kit; 5] {
    let content_server = content_server::Simulator::new(content_server::Settings::default(), clock());
    let ticket =
        content_server.with_state(|state| state.log_in("admin", content_server::seed::PASSWORD)).unwrap();
    let iconik = iconik::Simulator::new(iconik::Settings::default(), clock());
    let preservica = preservica::Simulator::new(preservica::Settings::default(), clock());
    let token = preservica.with_state(|state| state.open_session(preservica::seed::OPERATOR).token);
    let consonance = consonance::Simulator::new(consonance::Settings::default(), clock());
    let otmm = otmm::Simulator::new(otmm::Settings::default(), clock());
    let session = otmm.with_state(|state| state.open_session(otmm::seed::INTEGRATION_ID)).unwrap();
    [
        Kit {
            name: "Content Server",
            router: content_server.router(),
            path: "/otcs/cs.exe/api/v2/nodes/2000",
            method: "GET",
            credentials: vec![("OTCSTicket", ticket)],
        },
        Kit {
            name: "iconik",
            router: iconik.router(),
            path: "/API/assets/v1/assets/",
            method: "GET",
            credentials: vec![
                ("App-ID", iconik::seed::APP_ID.to_owned()),
                ("Auth-Token", iconik::seed::TOKEN.to_owned()),
            ],
        },
        Kit {
            name: "Preservica",
            router: preservica.router(),
            path: "/api/user/details",
            method: "GET",
            credentials: vec![("Preservica-Access-Token", token)],
        },
        Kit {
            name: "Consonance",
            router: consonance.router(),
            path: "/graphql",
            method: "POST",
            credentials: vec![("Authorization", format!("Bearer {}", consonance::seed::GRAPHQL_KEY))],
        },
        Kit {
            name: "OTMM",
            router: otmm.router(),
            path: "/otmmapi/v6/lookupdomains",
            method: "GET",
            credentials: vec![
                ("otmmauthtoken", session.digest.clone()),
                ("X-Requested-By", session.id.to_string()),
            ],
        },
    ]
}

#[tokio::test]
async fn each_shows_its_page_and_what_it_holds() {
    for kit in kits() {
        let name = kit.name;
        let page = kit.admin("GET", "", Value::Null).await;
        assert!(page.text.contains(&format!("<title>{name} simulator</title>")), "{name}: {}", page.text);
        let view = kit.admin("GET", "view.js", Value::Null).await;
        assert!(view.text.contains("browse({"), "{name}: the page's tree is told how to show objects");
        let top = kit.admin("GET", "state/tree/top", Value::Null).await.json();
        let top = top.as_array().unwrap();
        assert!(!top.is_empty(), "{name} is seeded");
        for item in top {
            assert!(item["title"].is_string() && item["children"].is_number(), "{name}: {item}");
            let id = item["id"].as_str().map_or_else(|| item["id"].to_string(), str::to_owned);
            let object = kit.admin("GET", &format!("state/objects/{id}"), Value::Null).await;
            assert_eq!(object.status, 200, "{name}: {id}: {}", object.text);
            let inside = kit.admin("GET", &format!("state/tree/{id}"), Value::Null).await.json();
            assert_eq!(
                inside.as_array().map(Vec::len),
                item["children"].as_u64().map(|count| count as usize)
            );
        }
        let missing = kit.admin("GET", "state/objects/nothing", Value::Null).await;
        assert_eq!((missing.status, missing.json()), (404, json!({"error": "No such object."})), "{name}");
        let state = kit.admin("GET", "state", Value::Null).await.json();
        assert_eq!(state["now"], "2031-05-06T07:08:09Z", "{name}");
        for (method, path) in
            [("PATCH", "settings"), ("PUT", "journal"), ("GET", "nothing"), ("GET", "reset")]
        {
            let refused = kit.admin(method, path, Value::Null).await;
            assert_eq!((refused.status, refused.json()), (404, json!({"error": "No such admin call."})));
        }
    }
}

#[tokio::test]
async fn each_has_switches_faults_and_a_journal() {
    for kit in kits() {
        let name = kit.name;
        assert_eq!(kit.call().await.status, 200, "{name}");
        let before = kit.admin("GET", "settings", Value::Null).await.json();
        let set = kit.admin("PUT", "settings", json!({"latency_milliseconds": 3})).await.json();
        assert_eq!(set["latency_milliseconds"], 3, "{name}");
        assert_eq!(set.as_object().map(|all| all.len()), before.as_object().map(|all| all.len()), "{name}");
        for wrong in [json!({"no_such_switch": 1}), json!({"latency_milliseconds": "long"})] {
            assert_eq!(kit.admin("PUT", "settings", wrong).await.status, 400, "{name}");
        }
        assert_eq!(kit.admin("GET", "settings", Value::Null).await.json(), set, "{name}");

        let rules = json!([
            {"path": kit.path, "action": {"kind": "rate_limited", "retry_after": 7}},
            {"method": kit.method, "call": 2, "action": {"kind": "status", "status": 503}},
        ]);
        assert_eq!(kit.admin("POST", "faults", rules).await.json(), json!({"waiting": 2}), "{name}");
        let unreadable = json!({"path": "(", "action": {"kind": "forbidden"}});
        assert_eq!(kit.admin("POST", "faults", unreadable).await.status, 400, "{name}");
        let limited = kit.call().await;
        assert_eq!((limited.status, &limited.headers["retry-after"]), (429, &"7".parse().unwrap()), "{name}");
        assert_eq!(kit.call().await.status, 503, "{name}");
        assert_eq!(kit.admin("GET", "faults", Value::Null).await.json(), json!([]), "{name}");
        assert_eq!(kit.call().await.status, 200, "{name}");
        kit.admin("POST", "faults", json!({"action": {"kind": "forbidden"}})).await;
        assert_eq!(kit.admin("DELETE", "faults", Value::Null).await.json(), json!({"waiting": 0}), "{name}");
        assert_eq!(kit.call().await.status, 200, "{name}");

        let journal = kit.admin("GET", "journal", Value::Null).await.json();
        assert_eq!(journal["count"], 5, "{name}: what the administrator does is not in it");
        let told: Vec<_> = journal["entries"]
            .as_array()
            .unwrap()
            .iter()
            .map(|entry| (entry["status"].as_u64().unwrap(), entry["fault"].as_str()))
            .collect();
        let expected =
            [(200, None), (429, Some("rate_limited")), (503, Some("status")), (200, None), (200, None)];
        assert_eq!(told, expected, "{name}");
        assert!(journal["entries"][0]["user"].is_string(), "{name} knows who called");
        assert_eq!(kit.admin("DELETE", "journal", Value::Null).await.json(), json!({"count": 0}), "{name}");
    }
}

#[tokio::test]
async fn each_has_a_clock_ends_sessions_and_starts_over() {
    for kit in kits() {
        let name = kit.name;
        let first = kit.admin("GET", "settings", Value::Null).await.json();
        let moved = kit.admin("POST", "clock", json!({"advance_seconds": 60})).await.json();
        assert_eq!(moved, json!({"now": "2031-05-06T07:09:09Z"}), "{name}");
        let state = kit.admin("GET", "state", Value::Null).await.json();
        assert_eq!(state["now"], "2031-05-06T07:09:09Z", "{name}");
        let set = kit.admin("POST", "clock", json!({"now": "2031-05-06T07:10:00Z"})).await.json();
        assert_eq!(set, kit.admin("GET", "clock", Value::Null).await.json(), "{name}");
        assert_eq!(kit.admin("POST", "clock", json!({"now": "tomorrow"})).await.status, 400, "{name}");
        assert_eq!(kit.admin("POST", "clock", json!({})).await.status, 400, "{name}");

        assert_eq!(kit.call().await.status, 200, "{name}");
        let ended = kit.admin("POST", "sessions/end", Value::Null).await.json();
        assert_eq!(ended, json!({"ended": true}), "{name}");
        assert_eq!(kit.call().await.status, 401, "{name}");

        kit.admin("PUT", "settings", json!({"latency_milliseconds": 3})).await;
        kit.admin("POST", "faults", json!({"action": {"kind": "forbidden"}})).await;
        assert_eq!(kit.admin("POST", "reset", Value::Null).await.json(), json!({"reset": true}), "{name}");
        assert_eq!(kit.admin("GET", "settings", Value::Null).await.json(), first, "{name}");
        assert_eq!(kit.admin("GET", "faults", Value::Null).await.json(), json!([]), "{name}");
        assert_eq!(kit.admin("GET", "journal", Value::Null).await.json()["count"], 0, "{name}");
        let now = kit.admin("GET", "clock", Value::Null).await.json();
        assert_eq!(now["now"], "2031-05-06T07:10:00Z", "{name}: time goes on");
    }
}
