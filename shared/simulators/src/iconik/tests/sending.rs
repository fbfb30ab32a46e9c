//! The sender, over real connections.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::body::Bytes;
use axum::extract::State as Shared;
use http::{HeaderMap, StatusCode, Uri};
use serde_json::{Value, json};

use super::segments::with_asset;
use super::{call, seed};
use crate::iconik::Simulator;
use crate::serve;

type Received = Arc<Mutex<Vec<(String, HeaderMap, Value)>>>;

/// Somebody else's server on a free port: it keeps what comes. Below `/slow` it waits, below `/broken` it answers 500.
async fn listener() -> (String, Received) {
    async fn take(
        Shared(received): Shared<Received>,
        uri: Uri,
        headers: HeaderMap,
        body: Bytes,
    ) -> StatusCode {
        received.lock().unwrap().push((uri.to_string(), headers, serde_json::from_slice(&body).unwrap()));
        match uri.path() {
            "/slow" => {
                tokio::time::sleep(Duration::from_secs(60)).await;
                StatusCode::OK
            }
            "/broken" => StatusCode::INTERNAL_SERVER_ERROR,
            _ => StatusCode::ACCEPTED,
        }
    }
    let received = Received::default();
    let (address, _) = serve(Router::new().fallback(take).with_state(received.clone()), 0).await.unwrap();
    (format!("http://{address}"), received)
}

async fn hook(simulator: &Simulator, url: &str) -> String {
    let body = json!({"url": url, "event_type": "assets", "status": "ENABLED", "headers": {"X-Secret": "of the test"}});
    let (status, made) = call(simulator, "POST", "notifications/v1/webhooks/", Some(body)).await;
    assert_eq!(status, 201, "{made}");
    made["id"].as_str().unwrap().to_owned()
}

async fn rename(simulator: &Simulator, asset: &str, times: usize) {
    for _ in 0..times {
        call(simulator, "PATCH", &format!("assets/v1/assets/{asset}/"), Some(json!({"title": "Teaser"})))
            .await;
    }
}

/// Waits until so many deliveries were tried; what came of each.
async fn tried(simulator: &Simulator, count: usize) -> Vec<Result<u16, String>> {
    for _ in 0..500 {
        let tried = simulator.with_state(|state| {
            state.notifications.tried.iter().map(|(_, answer)| answer.clone()).collect::<Vec<_>>()
        });
        if tried.len() >= count {
            return tried;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("not {count} deliveries within five seconds");
}

#[tokio::test]
async fn deliveries_arrive_in_order_with_headers_and_body() {
    let (simulator, asset, _) = with_asset().await;
    let (url, received) = listener().await;
    hook(&simulator, &format!("{url}/hook?tenant=1")).await;
    let sender = simulator.start_sending();
    rename(&simulator, &asset, 5).await;
    assert_eq!(tried(&simulator, 5).await, vec![Ok(202); 5]);
    sender.abort();
    let received = received.lock().unwrap();
    assert_eq!(received.len(), 5);
    let (path, headers, body) = &received[0];
    assert_eq!((path.as_str(), &headers["x-secret"]), ("/hook?tenant=1", &"of the test".parse().unwrap()));
    assert_eq!(headers["host"], url.trim_start_matches("http://"));
    assert_eq!((&body["object_id"], &body["user_id"]), (&json!(asset), &json!(seed::SERVICE)));
    let requests: Vec<&Value> = received.iter().map(|(_, _, body)| &body["request_id"]).collect();
    let told: Vec<Value> = simulator.with_state(|state| {
        state.notifications.tried.iter().map(|(delivery, _)| delivery.json()["request_id"].clone()).collect()
    });
    assert_eq!(requests, told.iter().collect::<Vec<_>>());
}

#[tokio::test]
async fn what_goes_wrong_is_told_and_the_webhook_fails() {
    let (simulator, asset, _) = with_asset().await;
    let (url, _received) = listener().await;
    simulator.with_state(|state| {
        state.settings.deliveries.timeout_seconds = 1;
        state.settings.deliveries.at_once = 8;
    });
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let urls = [
        format!("{url}/broken"),
        format!("{url}/slow"),
        format!("http://{free}/"),
        "https://127.0.0.1/".to_owned(),
        "http://192.0.2.1/".to_owned(),
    ];
    let mut hooks = Vec::new();
    for url in &urls {
        hooks.push(hook(&simulator, url).await);
    }
    let sender = simulator.start_sending();
    rename(&simulator, &asset, 1).await;
    tried(&simulator, urls.len()).await;
    sender.abort();
    for (id, expected) in hooks.iter().zip([
        "HTTP status 500",
        "no answer within 1 s",
        "refused",
        "only http",
        "192.0.2.1 is not on this machine",
    ]) {
        let (_, now) = call(&simulator, "GET", &format!("notifications/v1/webhooks/{id}/"), None).await;
        assert_eq!(now["status"], "FAILING");
        assert!(now["last_error"].as_str().unwrap().contains(expected), "{expected}: {now}");
    }
}

#[tokio::test]
async fn other_addresses_are_called_only_when_a_switch_says_so() {
    let (simulator, asset, _) = with_asset().await;
    let (url, received) = listener().await;
    // Not an address of the loopback interface, though this machine answers there.
    hook(&simulator, &url.replace("127.0.0.1", "0.0.0.0")).await;
    let sender = simulator.start_sending();
    rename(&simulator, &asset, 1).await;
    let refused = tried(&simulator, 1).await;
    assert!(refused[0].as_ref().is_err_and(|why| why.contains("not on this machine")), "{refused:?}");
    simulator.with_state(|state| state.settings.deliveries.only_loopback = false);
    rename(&simulator, &asset, 1).await;
    assert_eq!(tried(&simulator, 2).await[1], Ok(202));
    sender.abort();
    assert_eq!(received.lock().unwrap().len(), 1);
}
