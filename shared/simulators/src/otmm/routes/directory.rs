//! The directory service: tickets, and tokens without OTMM.

use axum::body::Body;
use base64::Engine as _;
use http::Response;
use serde_json::{Value, json};

use super::super::call::Call;
use super::super::reply::{Outcome, Refusal, Reply};
use crate::frame::json_response;

/// `path` is below `/otdsws`.
pub(in crate::otmm) fn route(call: &mut Call<'_>, path: &[&str]) -> Outcome<Reply> {
    let answered = match (call.method.as_str(), path) {
        ("POST", ["rest", "authentication", "credentials"]) => ticket(call),
        ("POST", ["rest", "authentication", "resource", "ticketforresource"]) => exchange(call),
        ("POST", ["oauth2", "token"] | ["login"]) => token(call),
        _ => return Err(Refusal::NoUrl),
    };
    Ok(Reply::Whole(answered.unwrap_or_else(|refused| *refused)))
}

/// Boxed: a response is large.
type Answer = Result<Response<Body>, Box<Response<Body>>>;

fn refused(status: u16, what: &str) -> Box<Response<Body>> {
    Box::new(json_response(status, &json!({"status": status, "error": what})))
}

fn text<'a>(body: Option<&'a Value>, name: &str) -> &'a str {
    body.and_then(|body| body.get(name)).and_then(Value::as_str).unwrap_or_default()
}

fn ticket(call: &mut Call<'_>) -> Answer {
    let body = call.params.json.as_ref();
    let (name, password) = (text(body, "userName"), text(body, "password"));
    let wrong = |_| refused(401, "Authentication failed");
    // A partition may follow the name.
    let name = name.split('@').next().unwrap_or_default();
    let user = call.state.whose(name, password).map_err(wrong)?;
    let ticket = call.state.new_ticket(&user);
    Ok(json_response(200, &json!({"ticket": ticket, "token": null, "userId": name, "resourceID": null})))
}

fn exchange(call: &mut Call<'_>) -> Answer {
    let old = text(call.params.json.as_ref(), "ticket");
    let user = call.state.user_of_ticket(old).ok_or_else(|| refused(401, "The ticket is not valid"))?;
    let ticket = call.state.new_ticket(&user);
    Ok(json_response(200, &json!({ "ticket": ticket })))
}

/// The password and the client grant. Whoever comes as the client itself is the first user.
fn token(call: &mut Call<'_>) -> Answer {
    let basic = call.header("authorization").and_then(|text| text.strip_prefix("Basic "));
    let basic = basic.and_then(|text| base64::engine::general_purpose::STANDARD.decode(text).ok());
    let basic = basic.and_then(|bytes| String::from_utf8(bytes).ok());
    let params = &call.params;
    let client = match basic.as_deref().and_then(|pair| pair.split_once(':')) {
        Some((id, secret)) => (id.to_owned(), secret.to_owned()),
        None => {
            let text = |name| params.text(name).unwrap_or_default().to_owned();
            (text("client_id"), text("client_secret"))
        }
    };
    if client != call.state.client {
        return Err(Box::new(json_response(401, &json!({"error": "invalid_client"}))));
    }
    let user = match params.text("grant_type") {
        Some("client_credentials") => call.state.users.first().map(|user| user.id.clone()),
        Some("password") => {
            let text = |name| params.text(name).unwrap_or_default();
            call.state.whose(text("username"), text("password")).ok()
        }
        _ => return Err(Box::new(json_response(400, &json!({"error": "unsupported_grant_type"})))),
    };
    let user = user.ok_or_else(|| Box::new(json_response(400, &json!({"error": "invalid_grant"}))))?;
    let body = json!({
        "access_token": call.state.new_token(&user), "token_type": "Bearer",
        "expires_in": call.state.settings.sessions.token_seconds,
    });
    Ok(json_response(200, &body))
}
