//! Logging in. Every refusal is JSON: a widely used client reads nothing else.

use http::Method;
use serde_json::{Value, json};

use super::super::call::Call;
use super::super::reply::{Outcome, Refusal, Reply};
use super::super::state::{Login, Token};

pub(in crate::preservica) fn route(call: &mut Call<'_>, what: &str) -> Outcome<Reply> {
    let fields = call.form();
    let field = |name: &str| {
        let found = fields.iter().find(|(known, _)| known == name);
        found.map(|(_, value)| value.as_str()).filter(|value| !value.is_empty())
    };
    match (&call.method, what) {
        (&Method::POST, "login") => {
            let (name, password) =
                (field("username").unwrap_or_default(), field("password").unwrap_or_default());
            let details = field("includeUserDetails").is_some_and(|text| text.eq_ignore_ascii_case("true"));
            match call.state.login(name, password, field("tenant"))? {
                Login::Done(token) => Ok(Reply::Json(200, shown(call, &token, details))),
                Login::SecondFactor(continuation) => Ok(Reply::Json(
                    401,
                    json!({"success": false, "message": "needs.2fa", "continuationToken": continuation,
                        "tenant": call.state.tenant}),
                )),
            }
        }
        // One page of the vendor says PUT, one client says POST.
        (&(Method::POST | Method::PUT), "complete-2fa") => {
            let (name, continuation) =
                (field("username").unwrap_or_default(), field("continuationToken").unwrap_or_default());
            let code = field("twoFactorToken").unwrap_or_default();
            let token = call.state.complete_login(name, continuation, code)?;
            Ok(Reply::Json(200, shown(call, &token, true)))
        }
        (&Method::POST, "refresh") => {
            let old = call.header("preservica-access-token").ok_or(Refusal::Unauthenticated)?.to_owned();
            let refresh = field("refreshToken").or(call.text("refreshToken")).unwrap_or_default().to_owned();
            let token = call.state.refresh(&old, &refresh)?;
            Ok(Reply::Json(200, shown(call, &token, false)))
        }
        _ => Err(Refusal::NoUrl),
    }
}

fn shown(call: &Call<'_>, token: &Token, details: bool) -> Value {
    let minutes = call.state.settings.sessions.lifetime_seconds.div_euclid(60);
    let mut shown = json!({
        "success": true, "token": token.token, "refresh-token": token.refresh, "validFor": minutes,
        "user": token.user,
    });
    if let (true, Some(object), Some(user)) = (details, shown.as_object_mut(), call.state.user(&token.user)) {
        object.insert("tenant".to_owned(), call.state.tenant.clone().into());
        object.insert("roles".to_owned(), json!(user.roles));
        object.insert("fullName".to_owned(), user.full_name.clone().into());
        object.insert("email".to_owned(), user.name.clone().into());
    }
    shown
}
