//! Who is told of what happens. Subscribing is done outside, because a handshake comes first.

use serde_json::{Value, json};

use super::super::call::Call;
use super::super::reply::{Outcome, Refusal, Reply};
use super::super::state::{ADMINISTRATOR, CONFIGURATION_MANAGER, MANAGER, State, Subscription};

/// What one can be told of.
const TRIGGERS: [&str; 5] =
    ["MOVED", "FULL_TEXT_INDEXED", "CHANGED_SECURITY_DESCRIPTOR", "INGEST_FAILED", "CHANGE_ASSET_VISIBILITY"];

pub(super) fn route(call: &mut Call<'_>, path: &[&str]) -> Outcome<Reply> {
    call.state.needs(&call.user, &[MANAGER, CONFIGURATION_MANAGER, ADMINISTRATOR])?;
    match (call.method.as_str(), path) {
        ("GET", []) => Ok(Reply::Json(200, call.state.subscriptions.iter().map(shown).collect())),
        ("DELETE", [id]) => {
            let before = call.state.subscriptions.len();
            call.state.subscriptions.retain(|known| known.id != *id);
            match call.state.subscriptions.len() == before {
                true => Err(Refusal::NotFound(format!("There is no subscription {id}"))),
                false => Ok(Reply::Nothing(204)),
            }
        }
        _ => Err(Refusal::NoUrl),
    }
}

/// A subscription as it is asked for.
pub(in crate::preservica) fn read(state: &mut State, user: &str, bytes: &[u8]) -> Outcome<Subscription> {
    state.needs(user, &[MANAGER, CONFIGURATION_MANAGER, ADMINISTRATOR])?;
    let body: Value =
        serde_json::from_slice(bytes).map_err(|_| Refusal::Invalid("The body is no JSON".to_owned()))?;
    let text = |name: &str| {
        let text = body.get(name).and_then(Value::as_str).filter(|text| !text.is_empty());
        text.map(str::to_owned).ok_or_else(|| Refusal::Invalid(format!("{name} is missing")))
    };
    let (url, trigger, secret) = (text("url")?, text("triggerType")?, text("secret")?);
    if !TRIGGERS.contains(&trigger.as_str()) {
        return Err(Refusal::Invalid(format!("There is no trigger {trigger}")));
    }
    // It comes as a text from a widely used client.
    let include_identifiers = match body.get("includeIdentifiers") {
        Some(Value::Bool(truth)) => *truth,
        Some(Value::String(text)) => text.eq_ignore_ascii_case("true"),
        _ => false,
    };
    Ok(Subscription { id: state.new_reference(), url, trigger, secret, include_identifiers })
}

pub(in crate::preservica) fn shown(subscription: &Subscription) -> Value {
    json!({
        "id": subscription.id, "url": subscription.url, "triggerType": subscription.trigger,
        "includeIdentifiers": subscription.include_identifiers,
    })
}
