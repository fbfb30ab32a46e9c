//! Tickets: `/v1/auth`, `/v1/ping`, `/v1/contentauth`.

use http::HeaderMap;
use serde_json::json;

use super::{Call, number};
use crate::content_server::render;
use crate::content_server::reply::{Reply, results};
use crate::content_server::state::{Outcome, Refusal};

pub(super) fn route(call: &mut Call<'_>, method: &str, path: &[&str]) -> Option<Outcome<Reply>> {
    Some(match (method, path) {
        ("GET", ["v1", "ping"]) => {
            let version = call.state.settings.version.clone();
            Ok(Reply::Json(json!({"build": 1, "href": call.path, "version": version})))
        }
        ("POST", ["v1", "auth"]) => log_in(call),
        ("GET", ["v1", "auth"]) => {
            let member = call.state.members.get(&call.actor).map(render::member);
            Ok(Reply::Json(json!({"data": member, "perspective": null})))
        }
        ("DELETE", ["v1", "auth"]) => {
            for ticket in tickets(call.headers) {
                call.state.log_out(&ticket);
            }
            Ok(results(json!({})))
        }
        ("GET", ["v1", "contentauth"]) => content_token(call),
        _ => return None,
    })
}

fn log_in(call: &mut Call<'_>) -> Outcome<Reply> {
    let argument = |name: &str| Refusal::said(500, format!("Argument {name} is required."));
    let name = call.params.filled("username").ok_or_else(|| argument("username"))?;
    let password = call.params.filled("password").ok_or_else(|| argument("password"))?;
    if call.params.filled("domain").is_some() {
        return Err(Refusal::said(401, "Domain support is disabled."));
    }
    let ticket = call.state.log_in(&name, &password)?;
    Ok(Reply::Json(json!({ "ticket": ticket })))
}

fn content_token(call: &mut Call<'_>) -> Outcome<Reply> {
    let id = number(&call.params.needed("id")?)?;
    call.state.visible(call.actor, id)?;
    Ok(Reply::Json(json!({"token": call.state.issue_content_token(call.actor, id)})))
}

/// Every ticket a request carries: in the headers and in the cookies, under either name.
pub(crate) fn tickets(headers: &HeaderMap) -> Vec<String> {
    let mut found: Vec<String> = ["otcsticket", "llcookie"]
        .iter()
        .filter_map(|name| headers.get(*name)?.to_str().ok())
        .map(str::to_owned)
        .collect();
    let cookies = headers.get_all("cookie").iter().filter_map(|value| value.to_str().ok());
    for (name, value) in cookies.flat_map(|line| line.split(';')).filter_map(|cookie| cookie.split_once('='))
    {
        if matches!(name.trim().to_lowercase().as_str(), "otcsticket" | "llcookie") {
            let value = value.trim().trim_matches('"');
            found.push(percent_encoding::percent_decode_str(value).decode_utf8_lossy().into_owned());
        }
    }
    found
}
