//! What a change feed says about a node of Content Server: one `CloudEvents` envelope per change and interested flow.

use cloudevents::{AttributesReader, Data, Event, EventBuilder, EventBuilderV10};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::{
    context::Context,
    error::{Error, Result},
    ledger::Key,
};

/// The `type` of the envelope.
pub const KIND: &str = "waybill.node-change.v1";

/// One change of one node. A hint: whoever acts on it reads the node first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NodeChange {
    /// The node.
    pub node: i64,
    /// What became of it.
    pub change: Change,
    /// Its newest version, for nodes that have content.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<i64>,
    /// When it was last modified, by Content Server's clock.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub modified: Option<Timestamp>,
    /// SHA-256 over the category values the feed watches; empty when it watches none.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub projection: String,
    /// The business workspace it was found in, when the feed reads workspace by workspace.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub workspace: Option<i64>,
    /// What was asked for, when somebody pushed the change: `recall`, `retrieve`, `withdraw`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request: Option<String>,
    /// What tells two reports of equal content apart: a node that went to another state and back, a second request.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub occasion: String,
}

/// What became of a node.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Change {
    /// It is new, has a new version, or other values.
    Changed,
    /// It was there at the last full look and is not any more.
    Removed,
    /// A person or a workflow asks for something.
    Requested,
}

impl NodeChange {
    /// What makes two reports the same change: node, version, modification date, watched values, request and
    /// occasion.
    pub fn key(&self) -> Key {
        let version = self.version.map(|version| version.to_string()).unwrap_or_default();
        let modified = self.modified.map(|modified| modified.to_string()).unwrap_or_default();
        let change = format!("{:?}", self.change);
        let request = self.request.as_deref().unwrap_or_default();
        let node = self.node.to_string();
        Key::of(&[&node, &change, &version, &modified, &self.projection, request, &self.occasion])
    }

    /// The envelope for one interested flow.
    ///
    /// # Errors
    /// When it cannot be formed, which is a defect.
    pub fn envelope(&self, source: &str, flow: &str, context: &Context) -> Result<String> {
        let form = |error: &dyn std::fmt::Display| {
            Error::bug("send change", format!("the envelope of a change cannot be formed: {error}"))
        };
        let data = serde_json::to_value(self).map_err(|error| form(&error))?;
        let event = EventBuilderV10::new()
            .id(Key::of(&[flow, self.key().digest()]).digest())
            .source(format!("waybill:{source}"))
            .ty(KIND)
            .subject(format!("node/{}", self.node))
            .time(context.now().to_string())
            .data("application/json", data)
            .build()
            .map_err(|error| form(&error))?;
        serde_json::to_string(&event).map_err(|error| form(&error))
    }

    /// Reads a message body.
    ///
    /// # Errors
    /// When it is no such envelope; it never will be.
    pub fn parse(body: &str) -> Result<Self> {
        let refused = |what: String| {
            Error::invalid("event.not-a-change", what)
                .remedy(format!("send CloudEvents of type {KIND}, as the change feed does"))
        };
        let event: Event =
            serde_json::from_str(body).map_err(|error| refused(format!("not a CloudEvent: {error}")))?;
        if event.ty() != KIND {
            return Err(refused(format!("expected an event of type {KIND}, found {}", event.ty())));
        }
        let Some(Data::Json(data)) = event.data() else {
            return Err(refused("the event has no JSON data".into()));
        };
        serde_json::from_value(data.clone())
            .map_err(|error| refused(format!("the event's data is not a change: {error}")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn change() -> NodeChange {
        NodeChange {
            node: 4711,
            change: Change::Changed,
            version: Some(2),
            modified: Some("2031-05-06T07:08:09Z".parse().unwrap()),
            projection: "ab".into(),
            workspace: None,
            request: None,
            occasion: String::new(),
        }
    }

    #[test]
    fn a_change_survives_its_envelope() {
        let body = change().envelope("watch-content-server", "offload-content", &Context::system()).unwrap();
        assert_eq!(NodeChange::parse(&body).unwrap(), change());
        let envelope: serde_json::Value = serde_json::from_str(&body).unwrap();
        assert_eq!(envelope["specversion"], "1.0");
        assert_eq!(envelope["subject"], "node/4711");
    }

    #[test]
    fn the_same_change_has_the_same_id_for_one_flow_and_another_for_the_next() {
        let id = |flow| {
            let body = change().envelope("watch-content-server", flow, &Context::system()).unwrap();
            serde_json::from_str::<serde_json::Value>(&body).unwrap()["id"].clone()
        };
        assert_eq!(id("offload-content"), id("offload-content"));
        assert_ne!(id("offload-content"), id("publish-approved"));
    }

    #[test]
    fn other_versions_dates_values_and_requests_are_other_changes() {
        let others = [
            NodeChange { version: Some(3), ..change() },
            NodeChange { modified: None, ..change() },
            NodeChange { projection: "cd".into(), ..change() },
            NodeChange { request: Some("recall".into()), ..change() },
            NodeChange { occasion: "2".into(), ..change() },
            NodeChange { change: Change::Removed, ..change() },
        ];
        for other in others {
            assert_ne!(other.key(), change().key(), "{other:?}");
        }
    }

    #[test]
    fn what_is_no_change_is_refused_with_what_was_expected() {
        for body in ["", "{}", "[]", r#"{"specversion":"1.0","id":"1","source":"x","type":"other"}"#] {
            let error = NodeChange::parse(body).unwrap_err();
            assert_eq!(error.code(), "event.not-a-change", "{body}");
            assert!(error.remedy_text().is_some_and(|remedy| remedy.contains(KIND)));
        }
    }
}
