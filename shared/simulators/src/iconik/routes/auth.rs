//! Log-in, tokens and applications.

use serde_json::{Value, json};

use crate::iconik::call::Call;
use crate::iconik::page;
use crate::iconik::reply::{Outcome, Refusal, Reply};
use crate::iconik::state::{ApplicationKind, Token};

use super::oauth;

pub(super) fn route(call: &mut Call<'_>, method: &str, path: &[&str]) -> Option<Outcome<Reply>> {
    let ["auth", "v1", rest @ ..] = path else { return None };
    Some(match (method, rest) {
        ("POST", ["oauth", "token"]) => oauth::token(call),
        ("GET", ["oauth", "authorize"]) => oauth::describe(call),
        ("POST", ["oauth", "authorize"]) => oauth::authorize(call),
        ("POST", ["auth", "simple", "login"]) => log_in(call),
        ("GET", ["auth", "token"]) => check(call),
        ("POST", ["auth", "token"]) => another(call),
        ("PUT", ["auth", "token"]) => refresh(call),
        ("DELETE", ["auth", "token"]) => revoke(call),
        ("GET", ["auth", "tokens"]) => tokens(call, None),
        ("GET", ["auth", app_id, "tokens"]) => tokens(call, Some(app_id)),
        ("GET", ["apps"]) => applications(call),
        ("GET", ["apps", "oauth_scopes"]) => Reply::ok(json!({"scopes": oauth::SCOPES})),
        ("GET", ["apps", app_id]) => application(call, app_id),
        ("POST", ["apps", app_id, "token"]) => application_token(call, app_id),
        (
            _,
            ["oauth", "token" | "authorize"]
            | ["auth", "simple", "login"]
            | ["auth", "token" | "tokens"]
            | ["apps"]
            | ["apps", _]
            | ["apps", _, "token"],
        ) => Err(Refusal::Method),
        _ => Err(Refusal::NoUrl),
    })
}

/// The legacy login.
fn log_in(call: &mut Call<'_>) -> Outcome<Reply> {
    let given = call.object()?;
    let text = |name: &str| {
        let text = given.get(name).and_then(Value::as_str);
        text.ok_or_else(|| Refusal::field(name, "Missing data for required field."))
    };
    let (name, email, password) = (text("app_name")?, text("email")?, text("password")?);
    if name != "WEB" {
        return Err(Refusal::field("app_name", "Must be one of: WEB."));
    }
    let found = call.state.users.iter().find(|user| {
        user.email == email && user.password.as_deref() == Some(password) && user.status == "ACTIVE"
    });
    let user = found.map(|user| user.id.clone()).ok_or(Refusal::Unauthenticated)?;
    let app_id = call.state.web_application.clone();
    let seconds = call.state.settings.credentials.login_token_seconds;
    let token = call.state.issue_token(&app_id, &user, Some(seconds));
    Reply::created(call.state.token_shown(&token))
}

/// The token the call came with.
fn own(call: &Call<'_>) -> Outcome<Token> {
    call.token.clone().ok_or(Refusal::Unauthenticated)
}

fn check(call: &Call<'_>) -> Outcome<Reply> {
    Reply::ok(call.state.token_shown(&own(call)?))
}

/// How long a token of this kind lives: as the caller wants, but not longer than it may.
fn seconds(call: &Call<'_>, token: &Token) -> Outcome<Option<i64>> {
    let longest = match token.expires {
        None => call.state.personal_token_seconds(),
        Some(expires) => Some(expires.as_second() - token.made.as_second()),
    };
    Ok(match (call.seconds("expires_in")?, longest) {
        (Some(wanted), Some(longest)) => Some(wanted.clamp(1, longest.max(1))),
        (Some(wanted), None) => Some(wanted.max(1)),
        (None, longest) => longest,
    })
}

fn another(call: &mut Call<'_>) -> Outcome<Reply> {
    let own = own(call)?;
    let seconds = seconds(call, &own)?;
    let token = call.state.issue_token(&own.app_id, &own.user, seconds);
    Reply::created(call.state.token_shown(&token))
}

/// The same token, living on.
fn refresh(call: &mut Call<'_>) -> Outcome<Reply> {
    let own = own(call)?;
    let expires = seconds(call, &own)?.map(|seconds| call.state.after(seconds));
    let known =
        call.state.tokens.iter_mut().find(|known| known.id == own.id).ok_or(Refusal::Unauthenticated)?;
    known.expires = expires;
    let token = known.clone();
    Reply::ok(call.state.token_shown(&token))
}

fn revoke(call: &mut Call<'_>) -> Outcome<Reply> {
    let own = own(call)?;
    call.state.tokens.retain(|known| known.id != own.id);
    Ok(Reply::Nothing(204))
}

/// Tokens of the caller, without their secrets.
fn tokens(call: &mut Call<'_>, app_id: Option<&str>) -> Outcome<Reply> {
    let is_its =
        |token: &&Token| token.user == call.user && app_id.is_none_or(|app_id| token.app_id == app_id);
    let shown = call.state.tokens.iter().filter(is_its).map(|token| {
        let mut shown = call.state.token_shown(token);
        if let Some(secret) = shown.get_mut("token") {
            *secret = "".into();
        }
        shown
    });
    let shown = shown.collect();
    page::list(call, 1000, shown)
}

fn applications(call: &Call<'_>) -> Outcome<Reply> {
    call.needs("can_read_apps")?;
    let domain = &call.state.system_domain_id;
    page::by_last_id(call, call.state.applications.iter().map(|known| known.shown(domain)).collect())
}

fn application(call: &Call<'_>, app_id: &str) -> Outcome<Reply> {
    call.needs("can_read_apps")?;
    let found = call.state.applications.iter().find(|known| known.id == app_id);
    let found = found.ok_or_else(|| Refusal::unknown("App", app_id))?;
    Reply::ok(found.shown(&call.state.system_domain_id))
}

/// A personal token of an application, for its user.
fn application_token(call: &mut Call<'_>, app_id: &str) -> Outcome<Reply> {
    call.needs("can_write_apps")?;
    let found = call.state.applications.iter().find(|known| known.id == app_id);
    let found = found.ok_or_else(|| Refusal::unknown("App", app_id))?;
    if found.kind != ApplicationKind::Personal {
        return Err(Refusal::Other(400, "The app gets its tokens from the OAuth endpoint".to_owned()));
    }
    let user = found.user.clone();
    let longest = call.state.personal_token_seconds();
    let seconds = call.seconds("expires_in")?.map_or(longest, Some);
    let token = call.state.issue_token(app_id, &user, seconds);
    Reply::created(call.state.token_shown(&token))
}
