//! The directory service on the same server: `/otdsws/…`.

use base64::Engine as _;
use http::{HeaderMap, Method};
use serde_json::{Value, json};

use crate::content_server::request::Params;
use crate::content_server::state::{MemberId, State};

/// Answers with a status and JSON.
pub(crate) fn answer(
    state: &mut State,
    method: &Method,
    rest: &str,
    headers: &HeaderMap,
    params: &Params,
) -> (u16, Value) {
    match (method.as_str(), rest) {
        ("POST", "rest/authentication/credentials") => credentials(state, params, "userName"),
        ("POST", "v1/authentication/credentials") => credentials(state, params, "user_name"),
        ("POST", "rest/authentication/ticketforuser" | "rest/authentication/resource/ticketforuser") => {
            ticket_for_user(state, params)
        }
        ("POST", "oauth2/token") => token(state, headers, params),
        ("POST", "rest/authentication/oauth/tokeninfo") => {
            match state.check_bearer(&params.text("token").unwrap_or_default()) {
                Ok(member) => (200, json!({"active": true, "username": state.login_of(member)})),
                Err(_) => (400, json!({"status": 1034, "error": "Invalid token", "errorDetails": null})),
            }
        }
        _ => (404, json!({"status": 404, "error": "Not Found", "errorDetails": null})),
    }
}

/// `name@partition` names a user, `{client}@OAuthClients` an OAuth client.
fn member_of(state: &State, name: &str) -> Option<MemberId> {
    let login = name.split_once('@').map_or(name, |(login, _)| login);
    state.member_by_name(login).map(|member| member.id)
}

fn credentials(state: &mut State, params: &Params, field: &str) -> (u16, Value) {
    let name = params.text(field).unwrap_or_default();
    let password = params.text("password").unwrap_or_default();
    let member = match name.split_once('@') {
        Some((client, "OAuthClients")) => state.check_client(client, &password),
        _ => member_of(state, &name).filter(|id| {
            state.members.get(id).is_some_and(|member| member.password.as_deref() == Some(password.as_str()))
        }),
    };
    match member {
        Some(member) => (200, ticket(state, member, field == "user_name")),
        None => (401, json!({"status": 1002, "error": "Invalid username/password", "errorDetails": null})),
    }
}

fn ticket(state: &State, member: MemberId, newer: bool) -> Value {
    let ticket = state.issue_directory_ticket(member);
    let user = format!("{}@Content Server Members", state.login_of(member));
    if newer {
        return json!({
            "token": ticket, "user_id": user, "ticket": ticket, "resourceID": null, "failureReason": null,
            "password_expiration_time": 0, "continuation": false, "continuationContext": null,
            "continuationData": null,
        });
    }
    json!({
        "token": ticket, "userId": user, "ticket": ticket, "resourceID": null, "failureReason": null,
        "passwordExpirationTime": 0, "continuation": false, "continuationContext": null, "continuationData": null,
    })
}

fn ticket_for_user(state: &mut State, params: &Params) -> (u16, Value) {
    let own = params.text("ticket").unwrap_or_default();
    if state.check_directory_ticket(&own).is_err() {
        return (400, json!({"status": 1034, "error": "Expired OTDS SSO ticket", "errorDetails": null}));
    }
    match params.text("userName").and_then(|name| member_of(state, &name)) {
        Some(member) => (200, ticket(state, member, false)),
        None => (404, json!({"status": 1003, "error": "No such user", "errorDetails": null})),
    }
}

fn token(state: &mut State, headers: &HeaderMap, params: &Params) -> (u16, Value) {
    let refused =
        |error: &str| (if error == "invalid_client" { 401 } else { 400 }, json!({ "error": error }));
    let (id, secret) = basic(headers).unwrap_or_else(|| {
        (params.text("client_id").unwrap_or_default(), params.text("client_secret").unwrap_or_default())
    });
    let member = match params.text("grant_type").as_deref() {
        Some("client_credentials") => match state.check_client(&id, &secret) {
            Some(member) => member,
            None => return refused("invalid_client"),
        },
        Some("password") => {
            let name = params.text("username").unwrap_or_default();
            let password = params.text("password").unwrap_or_default();
            let known = member_of(state, &name).and_then(|id| state.members.get(&id));
            match known.filter(|member| member.password.as_deref() == Some(password.as_str())) {
                Some(member) => member.id,
                None => return refused("invalid_grant"),
            }
        }
        Some("urn:ietf:params:oauth:grant-type:token-exchange") => {
            let subject = params.text("subject_token").unwrap_or_default();
            match state.check_client(&id, &secret).and_then(|_| member_of(state, &subject)) {
                Some(member) => member,
                None => return refused("invalid_grant"),
            }
        }
        _ => return refused("unsupported_grant_type"),
    };
    let answer = json!({
        "access_token": state.issue_bearer(member),
        "token_type": "Bearer",
        "expires_in": state.settings.bearer_lifetime_seconds,
        "issued_token_type": "urn:ietf:params:oauth:token-type:access_token",
    });
    (200, answer)
}

fn basic(headers: &HeaderMap) -> Option<(String, String)> {
    let value = headers.get("authorization")?.to_str().ok()?.strip_prefix("Basic ")?;
    let decoded = base64::engine::general_purpose::STANDARD.decode(value).ok()?;
    let (id, secret) = std::str::from_utf8(&decoded).ok()?.split_once(':')?;
    Some((id.to_owned(), secret.to_owned()))
}
