//! Server information and web reports.

use serde_json::{Map, Value, json};

use super::{Call, number};
use crate::content_server::render;
use crate::content_server::reply::{Reply, results};
use crate::content_server::settings::TicketExpiry;
use crate::content_server::state::{Outcome, Refusal};

pub(super) fn route(call: &mut Call<'_>, method: &str, path: &[&str]) -> Option<Outcome<Reply>> {
    Some(match (method, path) {
        ("GET", ["v1", "serverinfo"]) => server_info(call),
        ("GET", ["v2", "systemhealth"]) => Ok(results(json!({"status": "OK"}))),
        ("GET", ["v2", "server", "messages"]) => Ok(results(json!([]))),
        _ => return None,
    })
}

fn server_info(call: &mut Call<'_>) -> Outcome<Reply> {
    let settings = &call.state.settings;
    let language = json!({"default": true, "display_name": "English", "language_code": "en_US"});
    let absolute = settings.ticket_expiry == TicketExpiry::Absolute;
    Ok(Reply::Json(json!({
        "mobile": {"cometIntegration": false},
        "server": {
            "version": settings.version,
            "url": "/otcs/cs.exe",
            "current_date": render::date(call.state, call.state.now),
            "advanced_versioning": true,
            "character_encoding": 1,
            "languages": [language],
            "metadata_languages": [language],
            "enabled_languages": ["en_US"],
            "time_zone_offset_enabled": settings.dates_with_zone,
            "domain_enabled": false,
        },
        "sessions": {
            "enabled": true,
            "expire_after_last_login": absolute,
            "expire_after_last_request": !absolute,
            "logout_url": "",
            "session_inactivity": settings.ticket_lifetime_seconds * 1000,
            "session_reaction_time": 60000,
            "session_timeout": settings.ticket_lifetime_seconds * 1000,
        },
        "viewer": {"content_suite": {"enabled": false}},
    })))
}

/// Web reports: registered answers by nickname.
pub(super) fn web_reports(call: &mut Call<'_>, method: &str, path: &[&str]) -> Option<Outcome<Reply>> {
    match (method, path) {
        ("GET" | "POST", ["v1", "webreports", nickname]) => Some(run(call, nickname)),
        ("GET", ["v1", "webreports", nickname, "parameters"]) => Some(
            call.state
                .web_reports
                .get(*nickname)
                .map(|_| Reply::Json(json!({"data": []})))
                .ok_or_else(|| Refusal::said(400, "Could not find a WebReport with that nickname.")),
        ),
        ("GET" | "POST", ["v1", "nodes", id, "output"]) => Some(number(id).and_then(|id| {
            let nickname = call.state.visible(call.actor, id)?.nickname.clone();
            run(call, &nickname.ok_or_else(|| Refusal::said(500, "The item is not a WebReport."))?)
        })),
        _ => None,
    }
}

/// A registered report answers its JSON. A text value is answered as text, with `{parameter}` replaced.
fn run(call: &mut Call<'_>, nickname: &str) -> Outcome<Reply> {
    let report = call.state.web_reports.get(nickname).cloned();
    let report =
        report.ok_or_else(|| Refusal::said(400, "Could not find a WebReport with that nickname."))?;
    match report {
        Value::Null => Err(Refusal::said(500, "No output returned from WebReport execution")),
        Value::String(mut text) => {
            for key in call.params.all().keys() {
                let value = call.params.text(key).unwrap_or_default();
                text = text.replace(&format!("{{{key}}}"), &value);
            }
            Ok(Reply::Text { kind: "text/plain; charset=UTF-8", text })
        }
        Value::Object(mut object) => {
            let parameters: Map<String, Value> = call
                .params
                .all()
                .iter()
                .filter(|(key, _)| *key != "format")
                .map(|(k, v)| (k.clone(), v.clone()))
                .collect();
            object.insert("parameters".to_owned(), parameters.into());
            Ok(Reply::Json(object.into()))
        }
        other => Ok(Reply::Json(other)),
    }
}
