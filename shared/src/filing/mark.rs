//! The mark every document and version made here carries in Content Server: which asset, which item, in which order.

use std::fmt;

use crate::{flow::Item, s3_notification::Sequencer};

/// `waybill:<asset>:<item>:<sequencer>`, kept as the external identity.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mark {
    asset: String,
    item: String,
    sequencer: Option<Sequencer>,
}

impl Mark {
    /// The mark of an item. Of two items of one asset, the one with the later sequencer is the newer.
    pub fn of(item: &Item, sequencer: Option<&Sequencer>) -> Self {
        Self {
            asset: item.asset.chars().take(16).collect(),
            item: item.key.digest().chars().take(24).collect(),
            sequencer: sequencer.cloned(),
        }
    }

    /// Whether an identity found in the target is this mark.
    pub fn is(&self, identity: &str) -> bool {
        identity == self.to_string()
    }

    /// Whether an identity found in the target belongs to an upload of the same asset.
    pub fn is_of_same_asset(&self, identity: &str) -> bool {
        let mut parts = identity.split(':');
        parts.next() == Some("waybill") && parts.next() == Some(self.asset.as_str())
    }

    /// Whether an identity found in the target belongs to a later upload of the same asset.
    pub fn is_older_than(&self, identity: &str) -> bool {
        let mut parts = identity.split(':');
        let (Some("waybill"), Some(asset), Some(_), Some(sequencer)) =
            (parts.next(), parts.next(), parts.next(), parts.next())
        else {
            return false;
        };
        let newer = Sequencer::new(sequencer);
        asset == self.asset && self.sequencer.as_ref().is_some_and(|own| own.is_before(&newer))
    }
}

impl fmt::Display for Mark {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sequencer = self.sequencer.as_ref().map(Sequencer::as_str).unwrap_or_default();
        write!(formatter, "waybill:{}:{}:{sequencer}", self.asset, self.item)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ledger::Key;

    fn mark(version: &str, sequencer: Option<&str>) -> Mark {
        let item = Item {
            key: Key::of(&["intake", "a.pdf", version]),
            payload_hash: String::new(),
            asset: Key::of(&["intake", "a.pdf"]).digest().to_owned(),
            asset_text: String::new(),
        };
        Mark::of(&item, sequencer.map(Sequencer::new).as_ref())
    }

    #[test]
    fn a_mark_knows_itself_and_its_successors() {
        let (first, second) = (mark("v1", Some("0055A1")), mark("v2", Some("0055A2")));
        assert!(first.is(&first.to_string()));
        assert!(!first.is(&second.to_string()));
        assert!(first.is_older_than(&second.to_string()));
        assert!(!second.is_older_than(&first.to_string()));
        assert!(!first.is_older_than("someone else's identity"));
        assert!(first.is_of_same_asset(&second.to_string()));
        assert!(
            !first.is_of_same_asset("someone else's identity") && !first.is_of_same_asset("waybill:0123:4:5")
        );
    }

    #[test]
    fn without_a_sequencer_nothing_is_older() {
        assert!(!mark("v1", None).is_older_than(&mark("v2", Some("0055A2")).to_string()));
        assert!(!mark("v2", Some("0055A2")).is_older_than(&mark("v1", None).to_string()));
    }
}
