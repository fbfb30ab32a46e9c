//! What is said about an object of iconik, by its webhooks, its custom actions or the sweep: one `CloudEvents` envelope per
//! object and interested flow.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::{change_event, context::Context, error::Result, ledger::Key};

/// The `type` of the envelope.
pub const KIND: &str = "waybill.iconik-change.v1";

/// Something about one object. A hint and no more: of the sender's body there are only names in it, and the fields of a form
/// that somebody subscribed to; so whoever acts on it reads the object first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct IconikChange {
    /// What it is, in iconik's word: `assets`, `collections`.
    pub object_type: String,
    /// Its id.
    pub object_id: String,
    /// The version it is about, where that was said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version_id: Option<String>,
    /// The realm of the webhook: `entity`, `metadata`, `contents`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub realm: Option<String>,
    /// The operation of the webhook: `create`, `update`, `delete`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub operation: Option<String>,
    /// What a person or an automation asked for, by the name the custom action has in the subscriptions.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request: Option<String>,
    /// What tells two reports of equal content apart: another request to iconik, a later date, another press of the button.
    pub occasion: String,
    /// What a person filled into the form of the custom action, by the field's name: only fields that the subscription
    /// names, and no part of what makes two reports the same one.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub form: BTreeMap<String, Vec<String>>,
}

impl IconikChange {
    /// That an object changed or, with a request, that somebody asks for something about it, and nothing more.
    pub fn about(
        object_type: &str,
        object_id: &str,
        request: Option<&str>,
        occasion: impl Into<String>,
    ) -> Self {
        Self {
            object_type: object_type.to_owned(),
            object_id: object_id.to_owned(),
            version_id: None,
            realm: None,
            operation: None,
            request: request.map(str::to_owned),
            occasion: occasion.into(),
            form: BTreeMap::new(),
        }
    }

    /// What makes two reports the same one.
    pub fn key(&self) -> Key {
        let text = |part: &Option<String>| part.clone().unwrap_or_default();
        let (version, realm, operation, request) =
            (text(&self.version_id), text(&self.realm), text(&self.operation), text(&self.request));
        let parts =
            [&self.object_type, &self.object_id, &version, &realm, &operation, &request, &self.occasion];
        Key::of(&parts.map(String::as_str))
    }

    /// The envelope for one interested flow. `source` is who tells it, `receive-iconik/publish`.
    ///
    /// # Errors
    /// When it cannot be formed, which is a defect.
    pub fn envelope(&self, source: &str, flow: &str, context: &Context) -> Result<String> {
        let subject = format!("{}/{}", self.object_type, self.object_id);
        let id = Key::of(&[flow, self.key().digest()]);
        change_event::wrap(KIND, source, subject, &id, self, context)
    }

    /// Reads a message body.
    ///
    /// # Errors
    /// When it is no such envelope; it never will be.
    pub fn parse(body: &str) -> Result<Self> {
        change_event::unwrap(KIND, "receive-iconik", body)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn change() -> IconikChange {
        IconikChange {
            object_type: "assets".into(),
            object_id: "0f3c1a52-6b1e-11ef-8f5e-0a58a9feac02".into(),
            version_id: Some("1f3c1a52-6b1e-11ef-8f5e-0a58a9feac02".into()),
            realm: Some("metadata".into()),
            operation: Some("update".into()),
            request: None,
            occasion: "1".into(),
            form: Default::default(),
        }
    }

    #[test]
    fn a_change_survives_its_envelope() {
        let body =
            change().envelope("receive-iconik/metadata", "sync-asset-metadata", &Context::system()).unwrap();
        assert_eq!(IconikChange::parse(&body).unwrap(), change());
        let envelope: serde_json::Value = serde_json::from_str(&body).unwrap();
        assert_eq!(envelope["specversion"], "1.0");
        assert_eq!(envelope["source"], "waybill:receive-iconik/metadata");
        assert_eq!(envelope["subject"], "assets/0f3c1a52-6b1e-11ef-8f5e-0a58a9feac02");
    }

    #[test]
    fn what_was_filled_into_a_form_is_told_and_makes_no_other_report_of_it() {
        let form: BTreeMap<_, _> = [("Reason".to_owned(), vec!["\u{6700}\u{7d42}".to_owned()])].into();
        let filled = IconikChange { form, ..change() };
        let body = filled.envelope("receive-iconik/publish", "publish-finals", &Context::system()).unwrap();
        assert_eq!(IconikChange::parse(&body).unwrap(), filled);
        assert_eq!(filled.key(), change().key());
        let plain =
            change().envelope("receive-iconik/publish", "publish-finals", &Context::system()).unwrap();
        assert!(!plain.contains("\"form\""), "{plain}");
    }

    #[test]
    fn the_same_change_has_the_same_id_for_one_flow_and_another_for_the_next() {
        let id = |flow| {
            let body = change().envelope("receive-iconik/metadata", flow, &Context::system()).unwrap();
            serde_json::from_str::<serde_json::Value>(&body).unwrap()["id"].clone()
        };
        assert_eq!(id("sync-asset-metadata"), id("sync-asset-metadata"));
        assert_ne!(id("sync-asset-metadata"), id("publish-finals"));
    }

    #[test]
    fn whatever_differs_makes_another_change() {
        let others = [
            IconikChange { object_type: "collections".into(), ..change() },
            IconikChange { object_id: "2f3c1a52-6b1e-11ef-8f5e-0a58a9feac02".into(), ..change() },
            IconikChange { version_id: None, ..change() },
            IconikChange { realm: None, ..change() },
            IconikChange { operation: Some("delete".into()), ..change() },
            IconikChange { request: Some("publish".into()), ..change() },
            IconikChange { occasion: "2".into(), ..change() },
        ];
        for other in others {
            assert_ne!(other.key(), change().key(), "{other:?}");
        }
    }

    #[test]
    fn what_is_no_change_is_refused_with_what_was_expected() {
        for body in ["", "{}", "[]", r#"{"specversion":"1.0","id":"1","source":"x","type":"other"}"#] {
            let error = IconikChange::parse(body).unwrap_err();
            assert_eq!(error.code(), "event.not-a-change", "{body}");
            assert!(error.remedy_text().is_some_and(|remedy| remedy.contains(KIND)));
        }
    }
}
