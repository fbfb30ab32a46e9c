//! The door: logging in, who a call is from, logging out.

use axum::body::Body;
use http::{HeaderValue, Method, Response, header};
use serde_json::json;

use super::super::call::Call;
use super::super::reply::{Outcome, Refusal, Reply};
use super::super::settings::RequestedBy;
use super::super::state::{Session, State};
use crate::frame::json_response;

/// How a call says who it is from.
enum Shown {
    Bearer(String),
    Digest(String),
    Cookie(String),
}

pub(in crate::otmm) fn route(call: &mut Call<'_>, path: &[&str]) -> Outcome<Reply> {
    match (call.method.as_str(), path) {
        ("POST", []) => {
            let (login, password) = (call.params.required("username")?, call.params.required("password")?);
            let user = call.state.whose(login, password)?;
            opened(call, &user)
        }
        ("GET", []) => probe(call),
        ("DELETE", []) => leave(call),
        ("POST", ["oauth2", "token"]) => token(call),
        _ => Err(Refusal::NoUrl),
    }
}

/// A new session, with its cookies.
fn opened(call: &mut Call<'_>, user: &str) -> Outcome<Reply> {
    let session = call.state.open_session(user)?;
    call.user = user.to_owned();
    let mut response = told(call.state, &session);
    let cookies = [
        format!("JSESSIONID={}; Path=/otmmapi; HttpOnly", session.cookie),
        "ROUTEID=.node1; Path=/".to_owned(),
    ];
    for cookie in cookies {
        if let Ok(value) = HeaderValue::from_str(&cookie) {
            response.headers_mut().append(header::SET_COOKIE, value);
        }
    }
    Ok(Reply::Whole(response))
}

fn told(state: &State, session: &Session) -> Response<Body> {
    let user = state.user(&session.user);
    let session = json!({
        "domain_name": "OTMM", "id": session.id, "local_session": false,
        "login_name": user.map(|user| &user.login), "message_digest": session.digest,
        "role_name": user.map(|user| &user.role.1), "user_full_name": user.map(|user| &user.full_name),
        "user_id": session.user, "user_role_id": user.map(|user| user.role.0),
        "validation_key": session.validation_key,
    });
    json_response(200, &json!({"session_resource": {"session": session}}))
}

/// The session there is; otherwise one for whoever a ticket, a proxy or a bearer says.
fn probe(call: &mut Call<'_>) -> Outcome<Reply> {
    let ticket = call.header("otdstoken").map(str::to_owned);
    if let Some(ticket) = ticket.or_else(|| call.params.text("OTDSTicket").map(str::to_owned)) {
        let user = call.state.user_of_ticket(&ticket).ok_or(Refusal::Unauthenticated)?;
        return opened(call, &user);
    }
    let proxy = call.state.settings.sessions.remote_user_header.clone();
    if let Some(login) = proxy.and_then(|name| call.header(&name).map(str::to_owned)) {
        let user = call.state.user_named(&login)?;
        return opened(call, &user);
    }
    let mut ways = shown(call).into_iter();
    if let Some(Shown::Bearer(token)) = ways.next() {
        let user = call.state.user_of_token(&token).ok_or(Refusal::Unauthenticated)?;
        return opened(call, &user);
    }
    let session = current(call).ok_or(Refusal::Unauthenticated)?;
    call.user = session.user.clone();
    Ok(Reply::Whole(told(call.state, &session)))
}

fn leave(call: &mut Call<'_>) -> Outcome<Reply> {
    let session = current(call).ok_or(Refusal::Unauthenticated)?;
    call.user = session.user.clone();
    call.state.sessions.remove(&session.id);
    Ok(Reply::Nothing(call.state.settings.sessions.logout_status))
}

/// The password grant, through OTMM.
fn token(call: &mut Call<'_>) -> Outcome<Reply> {
    let params = &call.params;
    if params.text("grant_type") != Some("password") {
        return Err(Refusal::Invalid("The grant_type is not supported".to_owned()));
    }
    let client = (params.required("client_id")?, params.required("client_secret")?);
    let known = &call.state.client;
    if client != (known.0.as_str(), known.1.as_str()) {
        return Err(Refusal::Status(401, "The client is unknown".to_owned()));
    }
    let user = call.state.whose(params.required("username")?, params.required("password")?)?;
    let mut token = json!({"accessToken": call.state.new_token(&user), "tokenType": "Bearer"});
    let rules = &call.state.settings.sessions;
    if let (true, Some(members)) = (rules.tells_expiry, token.as_object_mut()) {
        members.insert("expiresIn".to_owned(), rules.token_seconds.into());
    }
    call.user = user;
    Ok(Reply::Json(200, json!({"token_info": {"oauth_token": token}})))
}

/// Everything that a call shows, a bearer first.
fn shown(call: &Call<'_>) -> Vec<Shown> {
    let authorization = call.header("authorization").unwrap_or_default();
    let bearer = authorization.strip_prefix("Bearer ").map(str::trim);
    let own = bearer.and_then(|bearer| bearer.strip_prefix("otmmToken "));
    let digest = call.header("otmmauthtoken").or(own);
    let cookies = call.headers.get_all(header::COOKIE).iter().filter_map(|value| value.to_str().ok());
    let cookie = cookies
        .flat_map(|line| line.split(';'))
        .find_map(|pair| pair.trim().strip_prefix("JSESSIONID="))
        .map(|value| Shown::Cookie(value.to_owned()));
    let bearer = bearer.filter(|_| own.is_none()).map(|token| Shown::Bearer(token.to_owned()));
    let digest = digest.map(|digest| Shown::Digest(digest.to_owned()));
    [bearer, digest, cookie].into_iter().flatten().collect()
}

/// The session that a digest or cookie shows.
fn current(call: &mut Call<'_>) -> Option<Session> {
    shown(call).into_iter().find_map(|way| match way {
        Shown::Bearer(_) => None,
        Shown::Digest(digest) => call.state.session_of_digest(&digest),
        Shown::Cookie(cookie) => call.state.session_of_cookie(&cookie),
    })
}

/// Who a call is from: any one of the ways will do, and a session needs its number beside it.
pub(in crate::otmm) fn identify(call: &mut Call<'_>) -> Outcome<String> {
    let ways = shown(call);
    for way in &ways {
        if let Shown::Bearer(token) = way
            && let Some(user) = call.state.user_of_token(token)
        {
            return Ok(user);
        }
    }
    let session = current(call).ok_or(Refusal::Unauthenticated)?;
    // The oldest of the interfaces asked for nothing but the cookie.
    if call.version == 4 {
        return Ok(session.user);
    }
    let rules = &call.state.settings.sessions;
    let is_write = call.method != Method::GET;
    let has_digest = ways.iter().any(|way| matches!(way, Shown::Digest(_)));
    if is_write && rules.writes_need_digest && !has_digest {
        return Err(Refusal::Unauthenticated);
    }
    let is_asked = match rules.requested_by {
        RequestedBy::Off => false,
        RequestedBy::Writes => is_write,
        RequestedBy::All => true,
    };
    if is_asked && call.header("x-requested-by") != Some(session.id.to_string().as_str()) {
        let what = "X-Requested-By is missing or is not the number of the session".to_owned();
        return Err(Refusal::Status(rules.requested_by_status, what));
    }
    Ok(session.user)
}
