//! Webhooks: whom they tell of what, and what becomes of one that fails.

use std::collections::BTreeMap;

use jiff::SignedDuration;
use serde_json::{Value, json};

use super::super::review::object;
use super::super::{Event, Object, Outcome, Refusal, State};
use super::deliveries::Sender;
use super::query;
use crate::iconik::dates;
use crate::iconik::settings::Detail;

/// How long one may fail before it is switched off.
const PATIENCE: SignedDuration = SignedDuration::from_hours(5);

/// Realms of parts, whose content in the body is documented nowhere.
const PARTS: &[&str] = &["metadata", "approvals", "segments"];

impl State {
    /// Makes a webhook.
    pub fn create_webhook(&mut self, given: &Object) -> Outcome<String> {
        check(given)?;
        let id = self.new_id();
        let mut webhook = object(json!({
            "id": id, "name": null, "description": null, "url": null, "event_type": null, "status": "ENABLED",
            "realm": null, "operation": null, "object_id": null, "query": null, "headers": {}, "last_error": null,
            "last_payload": null, "first_failed_at": null, "deleted_at": null, "date_created": self.time(),
            "date_modified": self.time(),
        }));
        webhook.extend(writable(given));
        if webhook.get("status").and_then(Value::as_str) != Some("DISABLED") {
            webhook.insert("status".to_owned(), "ENABLED".into());
        }
        self.notifications.webhooks.insert(&id, webhook);
        Ok(id)
    }

    /// Changes a webhook. To enable one that was switched off makes it new.
    pub fn edit_webhook(&mut self, id: &str, given: &Object) -> Outcome<()> {
        self.webhook(id)?;
        check(given)?;
        let now = self.time();
        let webhook = self.notifications.webhooks.found_mut(id)?;
        let before = webhook["status"].clone();
        webhook.extend(writable(given));
        let status = match (before.as_str(), given["status"].as_str()) {
            (_, Some("DISABLED")) => "DISABLED",
            // A client that writes back what it has read changes nothing about failing.
            (Some("FAILING"), Some("FAILING")) => "FAILING",
            _ => "ENABLED",
        };
        webhook.insert("status".to_owned(), status.into());
        if status == "ENABLED" && before != "ENABLED" {
            webhook.insert("first_failed_at".to_owned(), Value::Null);
        }
        webhook.insert("date_modified".to_owned(), now);
        Ok(())
    }

    /// Takes a webhook away. Only its state DELETED is left.
    pub fn delete_webhook(&mut self, id: &str) -> Outcome<()> {
        self.webhook(id)?;
        let now = self.time();
        let webhook = self.notifications.webhooks.found_mut(id)?;
        webhook.insert("status".to_owned(), "DELETED".into());
        webhook.insert("deleted_at".to_owned(), now);
        Ok(())
    }

    /// A webhook that was not deleted, or 404.
    pub fn webhook(&self, id: &str) -> Outcome<&Object> {
        let webhook = self.notifications.webhooks.found(id)?;
        if webhook["status"] == "DELETED" { Err(Refusal::unknown("Webhook", id)) } else { Ok(webhook) }
    }

    /// Puts the event on the way to those who want to hear of it.
    pub(super) fn tell_webhooks(&mut self, event: &Event) {
        let Some(payload) = self.payload(event) else { return };
        let wants = |webhook: &&Object| {
            let fits = |key: &str| match webhook[key].as_str() {
                None | Some("") => true,
                Some(wanted) => payload.get(key).and_then(Value::as_str) == Some(wanted),
            };
            let query = webhook["query"].as_str().filter(|query| !query.trim().is_empty());
            matches!(webhook["status"].as_str(), Some("ENABLED" | "FAILING"))
                && ["event_type", "realm", "operation", "object_id"].into_iter().all(fits)
                && query.is_none_or(|query| query::read(query).is_ok_and(|query| query.holds(&payload)))
        };
        let wanting = self.notifications.webhooks.objects().filter(wants);
        let told: Vec<(String, String, BTreeMap<String, String>)> = wanting
            .filter_map(|webhook| {
                let headers = webhook["headers"].as_object().into_iter().flatten();
                let headers =
                    headers.filter_map(|(name, value)| Some((name.clone(), value.as_str()?.to_owned())));
                Some((
                    webhook["id"].as_str()?.to_owned(),
                    webhook["url"].as_str()?.to_owned(),
                    headers.collect(),
                ))
            })
            .collect();
        for (id, url, headers) in told {
            self.post(Sender::Webhook(id), &url, headers, &payload);
        }
    }

    /// The body of a delivery; none for what this iconik does not tell of.
    fn payload(&self, event: &Event) -> Option<Value> {
        let settings = &self.settings.webhooks;
        let realm = match event.realm {
            "approvals" => settings.approval_realm.as_deref()?,
            "segments" => settings.segment_realm.as_deref()?,
            realm => realm,
        };
        let data = match settings.detail {
            Detail::Ids if PARTS.contains(&event.realm) => ids_of(&event.data),
            _ => event.data.clone(),
        };
        Some(json!({
            "system_domain_id": self.system_domain_id, "event_type": event.event_type, "object_id": event.object_id,
            "user_id": event.user_id, "realm": realm, "operation": event.operation, "data": data,
            "request_id": self.request_id,
        }))
    }

    pub(super) fn webhook_sends(&self, id: &str) -> bool {
        let webhook = self.notifications.webhooks.get(id);
        webhook.is_some_and(|webhook| matches!(webhook["status"].as_str(), Some("ENABLED" | "FAILING")))
    }

    pub(super) fn webhook_succeeded(&mut self, id: &str) {
        if !self.settings.webhooks.success_heals || !self.webhook_sends(id) {
            return;
        }
        if let Ok(webhook) = self.notifications.webhooks.found_mut(id) {
            webhook.insert("status".to_owned(), "ENABLED".into());
            webhook.insert("first_failed_at".to_owned(), Value::Null);
        }
    }

    pub(super) fn webhook_failed(&mut self, id: &str, error: &str, payload: &str) {
        if !self.webhook_sends(id) {
            return;
        }
        let (now, time) = (self.now, self.time());
        let Ok(webhook) = self.notifications.webhooks.found_mut(id) else { return };
        webhook.insert("last_error".to_owned(), error.into());
        webhook.insert("last_payload".to_owned(), payload.into());
        if webhook["first_failed_at"].is_null() {
            webhook.insert("first_failed_at".to_owned(), time);
        }
        let status = if is_over(webhook, now) { "DISABLED" } else { "FAILING" };
        webhook.insert("status".to_owned(), status.into());
    }

    /// Switches those off that have failed for too long.
    pub(super) fn disable_failing_webhooks(&mut self) {
        if !self.settings.webhooks.disabled_by_clock {
            return;
        }
        let now = self.now;
        let over = |webhook: &&Object| webhook["status"] == "FAILING" && is_over(webhook, now);
        let over = self.notifications.webhooks.objects().filter(over);
        let over: Vec<String> =
            over.filter_map(|webhook| webhook["id"].as_str().map(str::to_owned)).collect();
        for id in over {
            if let Ok(webhook) = self.notifications.webhooks.found_mut(&id) {
                webhook.insert("status".to_owned(), "DISABLED".into());
            }
        }
    }
}

fn is_over(webhook: &Object, now: jiff::Timestamp) -> bool {
    let first = webhook["first_failed_at"].as_str().and_then(dates::read);
    first.is_some_and(|first| now.duration_since(first) >= PATIENCE)
}

/// What a caller may write of a webhook, but its state.
fn writable(given: &Object) -> impl Iterator<Item = (String, Value)> + use<'_> {
    const WRITABLE: &[&str] = &[
        "name",
        "description",
        "url",
        "event_type",
        "realm",
        "operation",
        "object_id",
        "query",
        "headers",
        "status",
    ];
    let known = given.iter().filter(|(name, _)| WRITABLE.contains(&name.as_str()));
    known.map(|(name, value)| match (name.as_str(), value) {
        ("headers", Value::Null) => (name.clone(), json!({})),
        _ => (name.clone(), value.clone()),
    })
}

fn check(given: &Object) -> Outcome<()> {
    let text = |name: &str| given.get(name).and_then(Value::as_str).filter(|text| !text.is_empty());
    let missing = ["url", "event_type", "status"].into_iter().filter(|name| text(name).is_none());
    let missing: Vec<_> =
        missing.map(|name| (name.to_owned(), "Missing data for required field.".to_owned())).collect();
    if !missing.is_empty() {
        return Err(Refusal::Invalid(missing));
    }
    if !text("status").is_some_and(|status| matches!(status, "ENABLED" | "DISABLED" | "FAILING" | "DELETED"))
    {
        return Err(Refusal::field("status", "Must be one of: ENABLED, DISABLED, FAILING, DELETED."));
    }
    if !text("url").and_then(|url| url::Url::parse(url).ok()).is_some_and(|url| url.has_host()) {
        return Err(Refusal::field("url", "Not a valid URL."));
    }
    let is_text = |headers: &Object| headers.values().all(Value::is_string);
    if !given
        .get("headers")
        .is_none_or(|headers| headers.is_null() || headers.as_object().is_some_and(is_text))
    {
        return Err(Refusal::field("headers", "Not a valid mapping type."));
    }
    match text("query").map(query::read) {
        Some(Err(why)) => Err(Refusal::field("query", why)),
        _ => Ok(()),
    }
}

/// Which part it was, without its values.
fn ids_of(data: &Value) -> Value {
    let names = |name: &str| {
        name == "id"
            || name == "object_type"
            || name == "user"
            || name.ends_with("_id")
            || name.starts_with("date_")
    };
    let kept = data.as_object().into_iter().flatten().filter(|(name, _)| names(name));
    Value::Object(kept.map(|(name, value)| (name.clone(), value.clone())).collect())
}
