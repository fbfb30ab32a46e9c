//! What people and schedules ask of a replica, as a `CloudEvent`.

use jiff::Timestamp;
use serde::Deserialize;
use serde_json::Value;
use shared::{
    error::{Error, Result},
    ledger::Key,
};

/// The `type` of the envelope.
pub const KIND: &str = "waybill.replica-request.v1";

/// Something that is asked of a replica.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReplicaRequest {
    /// What.
    pub asked: Asked,
    /// The content set; for a restore of one node it is found by the node.
    pub set: Option<String>,
    /// What tells it from other requests like it.
    pub id: String,
}

/// What is asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Asked {
    /// The next things of the replica are to be compared with their checksums.
    Verify,
    /// A random sample is to be restored and compared.
    Drill {
        /// The container to restore into; that of the rule when there is none.
        into: Option<String>,
    },
    /// Content is to be brought back.
    Restore {
        /// One document, or a folder with what is in it; the whole set when there is none.
        node: Option<i64>,
        /// The container to restore into; that of the rule when there is none.
        into: Option<String>,
        /// Whether to bring back what was deleted, too.
        deleted: bool,
    },
}

/// The envelope of a message (CloudEvents 1.0), as far as it is looked at.
#[derive(Debug, Deserialize)]
pub(super) struct Envelope {
    specversion: String,
    id: String,
    #[serde(rename = "type")]
    kind: String,
    /// When it was sent.
    #[serde(default)]
    pub(super) time: Option<Timestamp>,
    #[serde(default)]
    data: Value,
}

impl Envelope {
    /// Reads a message body; nothing when it is something else.
    pub(super) fn read(body: &str) -> Option<Self> {
        serde_json::from_str(body).ok().filter(|envelope: &Self| envelope.specversion == "1.0")
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    request: Word,
    #[serde(default)]
    set: Option<String>,
    #[serde(default)]
    node: Option<i64>,
    #[serde(default)]
    into: Option<String>,
    #[serde(default)]
    deleted: bool,
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Word {
    Verify,
    Drill,
    Restore,
}

impl ReplicaRequest {
    /// Reads a message body; nothing when it is an envelope of another type, or none.
    ///
    /// # Errors
    /// When it is such an envelope and its data is not understood.
    pub fn parse(body: &str) -> Result<Option<Self>> {
        let Some(event) = Envelope::read(body).filter(|event| event.kind == KIND) else { return Ok(None) };
        let refused = |what: String| {
            Error::invalid("request.unreadable", what).remedy(
                "send {\"request\": \"verify\" | \"drill\" | \"restore\", \"set\": …} as its data; for a restore also \
                 `node`, `into`, `deleted`",
            )
        };
        let written: Written = serde_json::from_value(event.data)
            .map_err(|error| refused(format!("the request's data is not understood: {error}")))?;
        let alone = written.node.is_none() && !written.deleted;
        let asked = match written.request {
            Word::Verify if alone && written.into.is_none() => Asked::Verify,
            Word::Drill if alone => Asked::Drill { into: written.into },
            Word::Restore if written.node.is_some() || written.set.is_some() => {
                Asked::Restore { node: written.node, into: written.into, deleted: written.deleted }
            }
            Word::Restore => return Err(refused("a restore names neither a set nor a node".into())),
            Word::Verify | Word::Drill => {
                return Err(refused(
                    "`node`, `into` and `deleted` are for restores, `into` for drills".into(),
                ));
            }
        };
        Ok(Some(Self { asked, set: written.set, id: event.id }))
    }

    /// What makes two requests the same one.
    pub fn key(&self) -> Key {
        let set = self.set.as_deref().unwrap_or_default();
        match &self.asked {
            Asked::Verify => Key::of(&["verify", set, &self.id]),
            Asked::Drill { into } => Key::of(&["drill", set, into.as_deref().unwrap_or_default(), &self.id]),
            Asked::Restore { node, into, deleted } => {
                let node = node.map(|node| node.to_string()).unwrap_or_default();
                let into = into.as_deref().unwrap_or_default();
                Key::of(&["restore", set, &node, into, &deleted.to_string(), &self.id])
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn body(data: serde_json::Value) -> String {
        json!({"specversion": "1.0", "id": "7", "source": "me", "type": KIND, "data": data}).to_string()
    }

    #[test]
    fn requests_are_read_as_people_write_them() {
        let read = |data| ReplicaRequest::parse(&body(data)).unwrap().unwrap();
        assert_eq!(read(json!({"request": "verify"})).asked, Asked::Verify);
        let drill = read(json!({"request": "drill", "set": "claims"}));
        assert_eq!((drill.asked, drill.set.as_deref()), (Asked::Drill { into: None }, Some("claims")));
        let restore =
            read(json!({"request": "restore", "node": 7, "into": "Enterprise:Here", "deleted": true}));
        let into = Some("Enterprise:Here".to_owned());
        assert_eq!(restore.asked, Asked::Restore { node: Some(7), into, deleted: true });
        assert_ne!(restore.key(), read(json!({"request": "restore", "node": 8})).key());
    }

    #[test]
    fn what_is_not_understood_is_refused_and_what_is_something_else_is_left() {
        for data in [
            json!({"request": "destroy"}),
            json!({"request": "restore"}),
            json!({"request": "verify", "node": 7}),
            json!({"request": "drill", "deleted": true}),
            json!({"request": "verify", "sets": "claims"}),
            json!("verify"),
        ] {
            let error = ReplicaRequest::parse(&body(data.clone())).unwrap_err();
            assert_eq!(error.code(), "request.unreadable", "{data}");
        }
        let other = body(json!({})).replace(KIND, "waybill.node-change.v1");
        assert_eq!(ReplicaRequest::parse(&other).unwrap(), None);
        assert_eq!(ReplicaRequest::parse("nothing").unwrap(), None);
    }
}
