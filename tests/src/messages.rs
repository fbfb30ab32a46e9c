//! What change feeds and people send to the flows.

use serde_json::{Map, Value, json};
use shared::{context::Context, iconik_change::IconikChange, node_change::NodeChange, webhook::Verifier};

/// The message that a node changed, or that somebody asks for something. Two of other occasions are two items.
///
/// # Panics
/// When it cannot be formed.
pub fn node_change(flow: &str, node: i64, request: Option<&str>, occasion: &str) -> String {
    let change = NodeChange::about(node, request, occasion);
    change.envelope("tests", flow, &Context::system()).expect("an envelope")
}

/// The message that something about an object of iconik changed, or that somebody asks for something. `object_type` is
/// `assets` or `collections`. Two of other occasions are two items.
///
/// # Panics
/// When it cannot be formed.
pub fn iconik_change(
    flow: &str,
    object_type: &str,
    id: &str,
    request: Option<&str>,
    occasion: &str,
) -> String {
    let change = IconikChange::about(object_type, id, request, occasion);
    change.envelope("tests", flow, &Context::system()).expect("an envelope")
}

/// The secret of a function that calls iconik with a token of the seeded application.
pub fn iconik_credential(token: &str) -> String {
    let app_id = simulators::iconik::seed::APP_ID;
    json!({"mode": "application-token", "app_id": app_id, "auth_token": token}).to_string()
}

/// The headers of a push that is signed with a secret, `{"current": "whsec_…"}`, at this moment.
///
/// # Panics
/// When the secret is none.
pub fn push_headers(secret: &str, id: &str, body: &str) -> [(&'static str, String); 3] {
    let now = Context::system().now().as_second();
    let signature = Verifier::from_json(secret).expect("a secret").sign(id, now, body.as_bytes());
    [("webhook-id", id.to_owned()), ("webhook-timestamp", now.to_string()), ("webhook-signature", signature)]
}

/// The event that a function URL and an HTTP API make of a request.
pub fn http_request(account: &str, method: &str, path: &str, headers: &[(&str, &str)], body: &str) -> Value {
    let headers: Map<String, Value> =
        headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).into())).collect();
    json!({
        "version": "2.0", "routeKey": "$default", "rawPath": path, "rawQueryString": "",
        "headers": headers, "body": body, "isBase64Encoded": false,
        "requestContext": {
            "accountId": account, "apiId": "api", "domainName": "api.test", "domainPrefix": "api",
            "requestId": "request", "routeKey": "$default", "stage": "$default",
            "time": "06/May/2031:07:08:09 +0000", "timeEpoch": 1_936_076_889_000_u64,
            "http": {
                "method": method, "path": path, "protocol": "HTTP/1.1",
                "sourceIp": "203.0.113.7", "userAgent": "test",
            },
        },
    })
}
