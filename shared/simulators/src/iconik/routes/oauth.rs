//! The OAuth endpoints (RFC 6749, RFC 7636).

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use serde_json::{Value, json};

use crate::iconik::call::Call;
use crate::iconik::reply::{Outcome, Refusal, Reply};
use crate::iconik::settings::OauthAnswer;
use crate::iconik::state::{Application, ApplicationKind, Grant, Token};

/// Scopes that there are.
pub(super) const SCOPES: &[&str] = &["read", "write", "admin"];

/// How long a code can be exchanged, in seconds.
const CODE_SECONDS: i64 = 60;

fn refused<T>(code: &str) -> Outcome<T> {
    Err(Refusal::Other(if code == "invalid_client" { 401 } else { 400 }, code.to_owned()))
}

/// Issues a token.
pub(super) fn token(call: &mut Call<'_>) -> Outcome<Reply> {
    let form = call.form();
    let field = |name: &str| form.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str());
    let basic = basic(call);
    let (id, secret) = match &basic {
        Some((id, secret)) => (Some(id.as_str()), Some(secret.as_str())),
        None => (field("client_id"), field("client_secret")),
    };
    let found = call.state.applications.iter().find(|known| Some(known.id.as_str()) == id);
    let Some(application) = found.filter(|known| known.kind == ApplicationKind::Oauth).cloned() else {
        return refused("invalid_client");
    };
    let is_secret = secret == Some(application.secret.as_str());
    // Codes and refresh tokens are proof enough for a client that keeps no secret; a wrong secret never is.
    if secret.is_some() && !is_secret {
        return refused("invalid_client");
    }
    let expires_in = call.seconds("expires_in")?;
    let issued = match field("grant_type") {
        Some("client_credentials") if !is_secret => return refused("invalid_client"),
        Some("client_credentials") => {
            let scope = scope_of(&application, field("scope"))?;
            call.state.issue_oauth(&application, &application.user, &scope, expires_in)
        }
        Some("refresh_token") => {
            let refresh = field("refresh_token").unwrap_or_default();
            call.state.refresh_oauth(&application, refresh, expires_in)?
        }
        Some("authorization_code") => {
            let text = |name: &str| field(name).unwrap_or_default();
            let (code, place, verifier) = (text("code"), text("redirect_uri"), text("code_verifier"));
            call.state.exchange_code(&application, code, place, verifier, expires_in)?
        }
        None => return refused("invalid_request"),
        Some(_) => return refused("unsupported_grant_type"),
    };
    Reply::ok(shown(call, &issued))
}

/// Client id and secret of HTTP Basic.
fn basic(call: &Call<'_>) -> Option<(String, String)> {
    let header = call.headers.get("authorization")?.to_str().ok()?.strip_prefix("Basic ")?;
    let text = String::from_utf8(BASE64_STANDARD.decode(header).ok()?).ok()?;
    let (id, secret) = text.split_once(':')?;
    let decode = |part: &str| percent_encoding::percent_decode_str(part).decode_utf8_lossy().into_owned();
    Some((decode(id), decode(secret)))
}

/// The scope that is granted: what is asked for, if it is allowed.
fn scope_of(application: &Application, wanted: Option<&str>) -> Outcome<String> {
    let wanted = wanted.filter(|wanted| !wanted.is_empty());
    let Some(wanted) = wanted else { return Ok(application.scopes.join(" ")) };
    let is_allowed = |scope: &str| application.scopes.iter().any(|known| known == scope);
    if wanted.split(' ').all(is_allowed) { Ok(wanted.to_owned()) } else { refused("invalid_scope") }
}

fn shown(call: &Call<'_>, token: &Token) -> Value {
    let answer = call.state.settings.credentials.oauth_answer;
    let mut shown = match answer {
        OauthAnswer::Standard => json!({}),
        OauthAnswer::Both | OauthAnswer::Vendor => call.state.token_shown(token),
    };
    let Some(object) = shown.as_object_mut().filter(|_| answer != OauthAnswer::Vendor) else { return shown };
    let left = token.expires.map(|expires| expires.as_second() - call.state.now.as_second());
    object.insert("access_token".to_owned(), token.token.clone().into());
    object.insert("token_type".to_owned(), "Bearer".into());
    object.insert("expires_in".to_owned(), left.into());
    object.insert("scope".to_owned(), token.scope.clone().into());
    if let Some(refresh) = &token.refresh {
        object.insert("refresh_token".to_owned(), refresh.clone().into());
    }
    shown
}

/// An authorization request, checked.
struct Asked {
    application: Application,
    redirect_uri: String,
    scope: String,
    challenge: String,
}

fn asked(call: &Call<'_>) -> Outcome<Asked> {
    let needed = |name: &str| {
        let text = call.text(name).map(str::to_owned);
        text.ok_or_else(|| Refusal::field(name, "Missing data for required field."))
    };
    let (id, redirect_uri, challenge) =
        (needed("client_id")?, needed("redirect_uri")?, needed("code_challenge")?);
    let found = call.state.applications.iter().find(|known| known.id == id);
    let Some(application) = found.filter(|known| known.kind == ApplicationKind::Oauth).cloned() else {
        return refused("invalid_client");
    };
    if needed("response_type")? != "code" {
        return refused("unsupported_response_type");
    }
    let is_known = application.redirect_uris.contains(&redirect_uri);
    let is_hashed = call.text("code_challenge_method").is_none_or(|method| method == "S256");
    if !is_known || !is_hashed {
        return refused("invalid_request");
    }
    let scope = scope_of(&application, Some(&needed("scope")?))?;
    Ok(Asked { application, redirect_uri, scope, challenge })
}

/// What the user is asked to agree to.
pub(super) fn describe(call: &Call<'_>) -> Outcome<Reply> {
    let asked = asked(call)?;
    let user = call.state.user_info(&call.user);
    Reply::ok(json!({
        "client": {"id": asked.application.id, "name": asked.application.name},
        "redirect_uri": asked.redirect_uri, "scopes": asked.scope.split(' ').collect::<Vec<_>>(),
        "system_domain": {"id": call.state.system_domain_id, "name": call.state.system.get("name")},
        "user": user, "state": call.text("state"),
    }))
}

/// The user agrees, or not.
pub(super) fn authorize(call: &mut Call<'_>) -> Outcome<Reply> {
    let asked = asked(call)?;
    let form = call.form();
    let confirmed = form.iter().any(|(name, _)| name == "confirm") || call.body.get("confirm").is_some();
    let mut place = url::Url::parse(&asked.redirect_uri)
        .map_err(|_| Refusal::Other(400, "invalid_request".to_owned()))?;
    if confirmed {
        let code = call.state.new_secret();
        place.query_pairs_mut().append_pair("code", &code);
        let grant = Grant {
            app_id: asked.application.id,
            user: call.user.clone(),
            redirect_uri: asked.redirect_uri,
            scope: asked.scope,
            challenge: asked.challenge,
            expires: call.state.after(CODE_SECONDS),
        };
        call.state.grants.insert(code, grant);
    } else {
        place.query_pairs_mut().append_pair("error", "access_denied");
    }
    if let Some(state) = call.text("state") {
        place.query_pairs_mut().append_pair("state", state);
    }
    Reply::ok(json!({"redirect_uri": place.as_str()}))
}
