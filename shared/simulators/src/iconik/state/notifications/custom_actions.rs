//! Custom actions: buttons that POST to somebody else's server.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::super::review::object;
use super::super::{Object, Outcome, Refusal, State, Token};
use super::deliveries::Sender;

const CONTEXTS: &[&str] = &[
    "ASSET",
    "ASSET_SUBCLIP",
    "SHARED_ASSET",
    "COLLECTION",
    "SHARED_COLLECTION",
    "PLAYLIST",
    "SHARED_PLAYLIST",
    "BULK",
    "SAVED_SEARCH",
    "NONE",
];
const TYPES: &[&str] = &["POST", "OPEN", "PUBLISH"];

/// What a caller may write.
const WRITABLE: &[&str] = &[
    "title",
    "url",
    "context",
    "type",
    "app_id",
    "headers",
    "metadata_view",
    "disabled",
    "color",
    "transcoder_id",
    "publish_template_id",
];

/// What an action is called for.
#[derive(Clone, Debug, Default)]
pub struct Called {
    /// Assets.
    pub asset_ids: Vec<String>,
    /// Collections.
    pub collection_ids: Vec<String>,
    /// Saved searches.
    pub saved_search_ids: Vec<String>,
    /// The view of the action's form.
    pub metadata_view_id: Value,
    /// What was filled in.
    pub metadata_values: Value,
}

impl State {
    /// Makes a custom action for one context.
    pub fn create_custom_action(&mut self, context: &str, given: &Object) -> Outcome<String> {
        if !CONTEXTS.contains(&context) {
            return Err(Refusal::field("context", format!("Must be one of: {}.", CONTEXTS.join(", "))));
        }
        check(given)?;
        let id = self.new_id();
        let mut action = object(json!({
            "id": id, "context": context, "title": null, "url": null, "type": "POST", "app_id": null, "headers": {},
            "metadata_view": null, "disabled": false, "color": null, "status": "HEALTHY", "last_error": null,
            "last_error_date": null, "system_domain_id": self.system_domain_id, "transcoder_id": null,
            "publish_template_id": null, "date_created": self.time(), "date_modified": self.time(),
        }));
        action.extend(writable(given));
        action.insert("context".to_owned(), context.into());
        let missing =
            ["title", "url"].into_iter().filter(|name| action.get(*name).is_none_or(Value::is_null));
        let missing: Vec<_> =
            missing.map(|name| (name.to_owned(), "Missing data for required field.".to_owned())).collect();
        if !missing.is_empty() {
            return Err(Refusal::Invalid(missing));
        }
        self.notifications.custom_actions.insert(&id, action);
        Ok(id)
    }

    /// Changes what is given.
    pub fn edit_custom_action(&mut self, context: &str, id: &str, given: &Object) -> Outcome<()> {
        self.custom_action(context, id)?;
        check(given)?;
        let now = self.time();
        let action = self.notifications.custom_actions.found_mut(id)?;
        action.extend(writable(given).filter(|(name, _)| name != "context"));
        action.insert("date_modified".to_owned(), now);
        Ok(())
    }

    /// Takes an action away.
    pub fn delete_custom_action(&mut self, context: &str, id: &str) -> Outcome<()> {
        self.custom_action(context, id)?;
        self.notifications.custom_actions.remove(id);
        Ok(())
    }

    /// The action of this context, or 404.
    pub fn custom_action(&self, context: &str, id: &str) -> Outcome<&Object> {
        let action = self.notifications.custom_actions.found(id)?;
        match action["context"] == context {
            true => Ok(action),
            false => Err(Refusal::unknown("Custom action", id)),
        }
    }

    /// Somebody presses the button. Gives the address to open, if the action is one that opens.
    pub fn call_custom_action(&mut self, user: &str, id: &str, called: &Called) -> Outcome<Option<String>> {
        let action = &self.notifications.custom_actions.found(id)?.clone();
        if action["disabled"] == true {
            return Err(Refusal::field("disabled", "The custom action is disabled."));
        }
        let url = action["url"].as_str().unwrap_or_default().to_owned();
        if action["type"] == "OPEN" {
            return Ok(Some(url));
        }
        let app_id = action["app_id"].as_str().map_or_else(|| self.web_application.clone(), str::to_owned);
        let seconds = self.settings.custom_actions.token_seconds;
        // A button pressed often would fill the table with tokens that are good for nothing.
        let (now, issued) = (self.now, &mut self.notifications.issued);
        let is_over = |token: &Token| token.expires.is_some_and(|expires| expires <= now);
        self.tokens.retain(|token| !(is_over(token) && issued.remove(&token.id)));
        let token = self.issue_token(&app_id, user, Some(seconds));
        self.notifications.issued.insert(token.id.clone());
        let body = json!({
            "user_id": user, "system_domain_id": self.system_domain_id, "context": action["context"],
            "action_id": id, "asset_ids": called.asset_ids, "collection_ids": called.collection_ids,
            "saved_search_ids": called.saved_search_ids, "metadata_view_id": called.metadata_view_id,
            "metadata_values": called.metadata_values, "auth_token": token.token,
            "date_created": self.now.strftime("%Y-%m-%dT%H:%M:%S.%6f").to_string(),
        });
        let headers = action["headers"].as_object().into_iter().flatten();
        let headers: BTreeMap<String, String> =
            headers.filter_map(|(name, value)| Some((name.clone(), value.as_str()?.to_owned()))).collect();
        self.post(Sender::CustomAction(id.to_owned()), &url, headers, &body);
        Ok(None)
    }

    pub(super) fn custom_action_succeeded(&mut self, id: &str) {
        if let Ok(action) = self.notifications.custom_actions.found_mut(id) {
            action.insert("status".to_owned(), "HEALTHY".into());
        }
    }

    pub(super) fn custom_action_failed(&mut self, id: &str, error: &str) {
        let now = self.time();
        if let Ok(action) = self.notifications.custom_actions.found_mut(id) {
            action.insert("status".to_owned(), "FAILING".into());
            action.insert("last_error".to_owned(), error.into());
            action.insert("last_error_date".to_owned(), now);
        }
    }
}

fn writable(given: &Object) -> impl Iterator<Item = (String, Value)> + use<'_> {
    let known = given.iter().filter(|(name, _)| WRITABLE.contains(&name.as_str()));
    known.map(|(name, value)| match (name.as_str(), value) {
        ("headers", Value::Null) => (name.clone(), json!({})),
        ("type", Value::Null) => (name.clone(), "POST".into()),
        _ => (name.clone(), value.clone()),
    })
}

fn check(given: &Object) -> Outcome<()> {
    let text = |name: &str| given.get(name).and_then(Value::as_str);
    if let Some(kind) = text("type").filter(|kind| !TYPES.contains(kind)) {
        return Err(Refusal::field("type", format!("'{kind}' is not one of: {}.", TYPES.join(", "))));
    }
    if text("url").is_some_and(|url| !url::Url::parse(url).is_ok_and(|url| url.has_host())) {
        return Err(Refusal::field("url", "Not a valid URL."));
    }
    let is_text = |headers: &Object| headers.values().all(Value::is_string);
    match given.get("headers") {
        None | Some(Value::Null) => Ok(()),
        Some(Value::Object(headers)) if is_text(headers) => Ok(()),
        Some(_) => Err(Refusal::field("headers", "Not a valid mapping type.")),
    }
}
