//! Comments, approvals, shares, transcripts: what people say of assets.

mod approvals;
mod roll_up;
mod segments;
mod shares;
mod transcriptions;
mod transcripts;

use std::collections::BTreeMap;

use serde_json::Value;

use super::{Object, Outcome, State, Table};

pub use approvals::{Approval, ApprovalKey, Asked, Verdict};
pub(in crate::iconik) use segments::Wanted;
pub use shares::Share;
use transcripts::Cue;
pub(in crate::iconik) use transcripts::text_of;

/// What people say of assets.
#[derive(Clone, Debug)]
pub struct Review {
    /// Comments, markers, transcripts and other parts of assets.
    pub segments: Table,
    /// Approvals by object and version.
    pub approvals: BTreeMap<ApprovalKey, Approval>,
    waiting: Vec<approvals::Waiting>,
    /// Shares by id.
    pub shares: BTreeMap<String, Share>,
    /// Languages and speakers of transcripts.
    pub transcriptions: Table,
}

impl Review {
    pub(super) fn new() -> Self {
        Self {
            segments: Table::new("Segment"),
            approvals: BTreeMap::new(),
            waiting: Vec::new(),
            shares: BTreeMap::new(),
            transcriptions: Table::new("Transcription"),
        }
    }
}

impl State {
    /// What waited and is due now.
    pub(super) fn settle_review(&mut self) {
        self.answer_waiting_requests();
        self.populate_shares();
    }

    /// What was said of an object goes with it.
    pub(super) fn forget_review(&mut self, object_type: &str, id: &str) {
        self.review.approvals.retain(|key, _| key.object_type != object_type || key.object_id != id);
        self.review.shares.retain(|_, share| !share.is_of(object_type, id));
        if object_type != "assets" {
            return;
        }
        for table in [&mut self.review.segments, &mut self.review.transcriptions] {
            for entry in table.ids() {
                if table.get(&entry).is_some_and(|entry| entry["asset_id"] == id) {
                    table.remove(&entry);
                }
            }
        }
    }

    /// Gives a new version the segments of the one it was made of, where that is asked for.
    pub(super) fn copy_segments(
        &mut self,
        user: &str,
        asset: &str,
        source: &str,
        made: &str,
        given: &Object,
    ) {
        if given.get("copy_segments") != Some(&Value::Bool(true)) {
            return;
        }
        let kinds =
            given.get("include_segment_types").and_then(Value::as_array).filter(|kinds| !kinds.is_empty());
        let wanted = |segment: &&Object| {
            segment["asset_id"] == asset
                && segment["version_id"] == source
                && segment["status"] == "ACTIVE"
                && kinds.is_none_or(|kinds| kinds.contains(&segment["segment_type"]))
        };
        let copied: Vec<Object> = self.review.segments.objects().filter(wanted).cloned().collect();
        let mut ids = BTreeMap::new();
        for mut segment in copied {
            let text = |name: &str| segment.get(name).and_then(Value::as_str).unwrap_or_default();
            let (old, parent) = (text("id").to_owned(), ids.get(text("parent_id")).cloned());
            segment.insert("parent_id".to_owned(), parent.map_or(Value::Null, Value::String));
            segment.insert("version_id".to_owned(), made.into());
            // The segment was let in before, and the version is there.
            if let Ok(id) = self.add_segment(user, asset, None, &segment) {
                ids.insert(old, id);
            }
        }
    }

    /// Asset or collection, which must be there.
    pub(super) fn must_exist(&self, object_type: &str, id: &str) -> Outcome<()> {
        self.table_of(object_type)?.found(id).map(|_| ())
    }
}

/// An object from a JSON literal.
pub(in crate::iconik) fn object(value: Value) -> Object {
    match value {
        Value::Object(object) => object,
        _ => Object::new(),
    }
}
