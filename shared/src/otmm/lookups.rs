//! Lookup domains: the values that a field may have, and what is shown for them.

use jiff::Timestamp;
use serde_json::Value;

use super::{
    Client,
    call::Call,
    error::{failure, unexpected},
    ids::DomainId,
    wire,
};
use crate::error::{FailureClass, Result};

/// A domain does not have the value, or not any more.
pub const NO_SUCH_VALUE: &str = "otmm.no-such-value";

/// The values that a field may have.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LookupDomain {
    /// Its id.
    pub id: DomainId,
    /// The values, in the server's order.
    pub values: Vec<Lookup>,
}

/// A value of a domain.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lookup {
    /// What is stored.
    pub key: String,
    /// What is shown, without the blanks that some sites have around it.
    pub display: String,
    /// Whether it is out of use.
    pub is_expired: bool,
    /// From when it may be used.
    pub active_from: Option<Timestamp>,
    /// Until when.
    pub active_to: Option<Timestamp>,
}

impl Lookup {
    fn read(json: &Value) -> Option<Self> {
        let key = json.get("field_value")?;
        let key = wire::text(key, "value").or_else(|| wire::as_text(key))?;
        let display = wire::text(json, "display_value").or_else(|| wire::text(json, "displayValue"));
        Some(Self {
            display: display.map_or_else(|| key.clone(), |display| display.trim().to_owned()),
            key,
            is_expired: wire::is(json, "expired_value"),
            active_from: wire::moment(json, "active_from"),
            active_to: wire::moment(json, "active_to"),
        })
    }

    fn is_usable(&self, now: Timestamp) -> bool {
        !self.is_expired
            && self.active_from.is_none_or(|from| from <= now)
            && self.active_to.is_none_or(|to| now <= to)
    }
}

impl LookupDomain {
    /// What is shown for a key.
    pub fn display_of(&self, key: &str) -> Option<&str> {
        self.values.iter().find(|value| value.key == key).map(|value| value.display.as_str())
    }

    /// The key for a text: a key as it stands, or what is shown, without regard to case and blanks around it.
    ///
    /// # Errors
    /// [`NO_SUCH_VALUE`] (`Invalid`) when there is none, or it is out of use at the moment, or two are shown alike.
    pub fn key_of(&self, text: &str, now: Timestamp) -> Result<&str> {
        let refuse = |what: &str| {
            let message = format!("the lookup domain {} {what} {text:?}", self.id);
            failure(FailureClass::Invalid, "look a value up", NO_SUCH_VALUE, message)
        };
        let shown = text.trim().to_lowercase();
        let exact: Vec<&Lookup> = self.values.iter().filter(|value| value.key == text).collect();
        let matching: Vec<&Lookup> = match exact.is_empty() {
            false => exact,
            true => self.values.iter().filter(|value| value.display.to_lowercase() == shown).collect(),
        };
        let usable: Vec<&&Lookup> = matching.iter().filter(|value| value.is_usable(now)).collect();
        match usable.as_slice() {
            [one] => Ok(&one.key),
            [] if matching.is_empty() => Err(refuse("has no value")),
            [] => Err(refuse("does not use any more")),
            _ => Err(refuse("shows several values as")),
        }
    }
}

impl Client {
    /// A lookup domain with its values.
    ///
    /// # Errors
    /// As any call.
    pub async fn lookup_domain(&self, id: &DomainId) -> Result<LookupDomain> {
        let call = Call::get("get lookup domain", &["lookupdomains", id.as_str()]);
        let json = self.ask_for(&call, "/lookup_domain_resource/lookup_domain").await?;
        read(&json).ok_or_else(|| unexpected(call.operation(), call.effect(), "a domain without an id"))
    }

    /// All lookup domains of the site, with their values where the server tells them in a list.
    ///
    /// # Errors
    /// As any call.
    pub async fn lookup_domains(&self) -> Result<Vec<LookupDomain>> {
        let call = Call::get("list lookup domains", &["lookupdomains"]);
        let body = self.ask_for(&call, "/lookup_domains_resource").await?;
        Ok(wire::list(&body, "lookup_domains").iter().filter_map(read).collect())
    }
}

fn read(json: &Value) -> Option<LookupDomain> {
    let id = wire::text(json, "domainId").or_else(|| wire::text(json, "domain_id"))?;
    let name = if json.get("domainValues").is_some() { "domainValues" } else { "domain_values" };
    let values = wire::list(json, name).iter().filter_map(Lookup::read).collect();
    Some(LookupDomain { id: DomainId::new(id), values })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_value_is_found_by_its_key_or_by_what_is_shown_and_not_when_it_is_out_of_use() {
        let domain = read(&json!({"domainId": "D", "domainValues": [
            {"display_value": " Retail ", "field_value": {"type": "string", "value": "7"}, "active_from": ""},
            {"displayValue": "Old", "field_value": {"value": 8}, "expired_value": "true"},
            {"display_value": "Later", "field_value": {"value": "9"}, "active_from": "2031-01-01T00:00:00Z"},
            {"display_value": "Twin", "field_value": {"value": "10"}},
            {"display_value": "twin ", "field_value": {"value": "11"}},
        ]}))
        .unwrap();
        let now = "2030-06-01T00:00:00Z".parse().unwrap();
        assert_eq!(domain.display_of("7"), Some("Retail"));
        for (text, key) in [("7", "7"), (" retail", "7"), ("10", "10")] {
            assert_eq!(domain.key_of(text, now).unwrap(), key, "{text}");
        }
        for (text, what) in [
            ("Wholesale", "has no value"),
            ("Old", "does not use any more"),
            ("Later", "does not use any more"),
            ("Twin", "shows several"),
        ] {
            let error = domain.key_of(text, now).unwrap_err();
            assert_eq!(error.code(), NO_SUCH_VALUE);
            assert!(error.message().contains(what), "{error}");
        }
    }
}
