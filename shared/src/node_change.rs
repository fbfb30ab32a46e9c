//! What a change feed says about a node of Content Server: one `CloudEvents` envelope per change and interested flow.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::{change_event, context::Context, error::Result, ledger::Key};

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
    /// That a node changed or, with a request, that somebody asks for something about it, and nothing more.
    pub fn about(node: i64, request: Option<&str>, occasion: impl Into<String>) -> Self {
        Self {
            node,
            change: if request.is_some() { Change::Requested } else { Change::Changed },
            version: None,
            modified: None,
            projection: String::new(),
            workspace: None,
            request: request.map(str::to_owned),
            occasion: occasion.into(),
        }
    }

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
        let id = Key::of(&[flow, self.key().digest()]);
        change_event::wrap(KIND, source, format!("node/{}", self.node), &id, self, context)
    }

    /// Reads a message body.
    ///
    /// # Errors
    /// When it is no such envelope; it never will be.
    pub fn parse(body: &str) -> Result<Self> {
        change_event::unwrap(KIND, "the change feed", body)
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
