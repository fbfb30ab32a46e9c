//! What a tenant's administrator sets.

use serde_json::{Value, json};

use super::{Object, Outcome, Refusal, State, fields};

/// The settings of a tenant that nobody has changed.
pub(super) fn defaults() -> Object {
    fields::object(json!({
        "name": "Northlight Studios", "delete_grace_period": 24, "default_app_token_ttl": null,
        "default_language": "en", "default_keyframe_time": null,
    }))
}

impl State {
    /// The settings as shown.
    pub(in crate::iconik) fn system_shown(&self) -> Object {
        let mut shown = self.system.clone();
        shown.insert("id".to_owned(), self.system_domain_id.clone().into());
        shown
    }

    /// Changes settings.
    pub(in crate::iconik) fn edit_system(&mut self, given: Object) -> Outcome<()> {
        if let Some(hours) = given.get("delete_grace_period")
            && !hours.as_i64().is_some_and(|hours| (0..=87_600).contains(&hours))
        {
            return Err(Refusal::field("delete_grace_period", "Must be between 0 and 87600."));
        }
        if let Some(seconds) = given.get("default_app_token_ttl")
            && !(seconds.is_null() || seconds.as_i64().is_some_and(|seconds| seconds > 0))
        {
            return Err(Refusal::field("default_app_token_ttl", "Not a valid integer."));
        }
        self.system.extend(given.into_iter().filter(|(name, _)| name != "id"));
        Ok(())
    }

    /// Life of a personal token: the tenant's setting, else the switch.
    pub(in crate::iconik) fn personal_token_seconds(&self) -> Option<i64> {
        let set = self.system.get("default_app_token_ttl").and_then(Value::as_i64);
        set.or(self.settings.credentials.personal_token_seconds)
    }
}
