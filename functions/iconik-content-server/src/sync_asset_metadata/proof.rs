//! Whether a write to iconik took the place of something that nobody saw.
//!
//! iconik has no conditional write. What somebody else writes between our last look at a field and our write is gone, and of all
//! that can be read afterwards only the asset's history tells of it: an entry for every write, without field and value. So the
//! newest entries are kept before a write. When somebody else's entry has come since, and no later than our own, every field we
//! wrote has a conflict recorded, with who it was and when. So it is when the history cannot tell, unless the tenant's settings say that it
//! never does (`metadata_writes_in_history`): then nothing is proved.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use shared::{
    content_server::NodeId,
    error::{FailureClass, Result},
    flow::Run,
    iconik::{AssetId, HistoryEntry, HistoryOperation},
};

use super::{
    SyncAssetMetadata,
    content::Content,
    state::{Both, Changed, Conflict, Grounds, PairState, Party, Resolution, Side, conflict_id},
};

/// Writes to iconik of which it is not known yet whether they took the place of something, and the history before them.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Unproven {
    /// What was written last, by field.
    pub fields: BTreeMap<String, Content>,
    /// What was written to a field before that. Each of these writes may be the one that took the place of something.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub before: BTreeMap<String, Vec<Content>>,
    /// When the newest entry was made.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub since: Option<Timestamp>,
    /// The entries of that moment.
    #[serde(default)]
    pub known: BTreeSet<String>,
}

impl Unproven {
    /// But for the last writes of what was refused.
    pub(super) fn without(&self, refused: &[String]) -> Self {
        let mut written = self.clone();
        written.fields.retain(|field, _| !refused.contains(field));
        written
    }

    /// With what is written next. The same value again is the same write: a repeat.
    fn followed_by(mut self, writes: &BTreeMap<String, Content>) -> Self {
        for (field, content) in writes {
            let Some(replaced) = self.fields.insert(field.clone(), content.clone()) else { continue };
            let before = self.before.entry(field.clone()).or_default();
            before.retain(|earlier| earlier != content);
            if replaced != *content && !before.contains(&replaced) {
                before.push(replaced);
            }
        }
        self.before.retain(|_, contents| !contents.is_empty());
        self
    }

    /// Every write that is not proved, with its field.
    fn writes(&self) -> impl Iterator<Item = (&String, &Content)> {
        let before = self.before.iter().flat_map(|(field, contents)| std::iter::repeat(field).zip(contents));
        before.chain(&self.fields)
    }
}

/// What the history says of writes.
enum Said {
    /// Nobody else wrote.
    Nothing,
    /// Somebody did, or may have.
    Somebody(Changed),
}

impl SyncAssetMetadata {
    /// What is to be proved once these fields are written. What is not proved yet since an earlier write goes with it.
    pub(super) async fn unproven(
        &self,
        asset: &AssetId,
        earlier: Option<Unproven>,
        writes: &BTreeMap<String, Content>,
    ) -> Result<Option<Unproven>> {
        if !self.iconik.settings().metadata_writes_in_history {
            return Ok(None);
        }
        if writes.is_empty() {
            return Ok(earlier);
        }
        let unproven = match earlier {
            Some(earlier) => earlier,
            None => {
                let entries = self.writes_in_history(asset).await?.unwrap_or_default();
                let since = entries.iter().filter_map(|entry| entry.created).max();
                let newest = entries.into_iter().filter(|entry| entry.created == since);
                let known = newest.map(|entry| entry.id.to_string()).collect();
                Unproven { since, known, ..Unproven::default() }
            }
        };
        Ok(Some(unproven.followed_by(writes)))
    }

    /// Records the conflicts that writes which took place may have been.
    pub(super) async fn prove(
        &self,
        (asset, node): (&AssetId, NodeId),
        unproven: &Unproven,
        state: &PairState,
        run: &Run,
    ) -> Result<()> {
        if unproven.writes().next().is_none() {
            return Ok(());
        }
        let Said::Somebody(changed) = self.said(asset, unproven, run).await? else { return Ok(()) };
        run.note("unseen", "somebody may have written the asset's metadata between our look and our write");
        let conflict = |(field, content): (&String, &Content)| {
            let before = state.fields.get(field);
            let sides = Both {
                iconik: Party { content: None, changed: changed.clone() },
                content_server: Party { content: Some(content.clone()), changed: Changed::default() },
            };
            let revision = before.map_or(0, |before| before.revision);
            let agreed = before.and_then(|before| before.agreed.clone());
            let resolution = Resolution::Took { side: Side::ContentServer, grounds: Grounds::Unseen };
            Conflict {
                id: conflict_id(field, revision, &sides),
                field: field.clone(),
                agreed,
                sides,
                resolution,
            }
        };
        let conflicts: Vec<Conflict> = unproven.writes().map(conflict).collect();
        self.memory.record(asset.as_str(), node.0, &conflicts).await
    }

    async fn said(&self, asset: &AssetId, unproven: &Unproven, run: &Run) -> Result<Said> {
        let ourselves = self.ourselves().await?;
        let patience = i64::try_from(self.iconik.settings().index_patience_seconds).unwrap_or(i64::MAX);
        let until = self.iconik.now_milliseconds().saturating_add(patience.saturating_mul(1000));
        let mut pause = Duration::from_millis(500);
        loop {
            let Some(entries) = self.writes_in_history(asset).await? else {
                return Ok(Said::Somebody(Changed::default()));
            };
            let is_new = |entry: &&HistoryEntry| {
                entry.created >= unproven.since && !unproven.known.contains(entry.id.as_str())
            };
            let is_ours = |entry: &&HistoryEntry| entry.user_id.as_ref() == Some(&ourselves);
            let (ours, theirs): (Vec<_>, Vec<_>) = entries.iter().filter(is_new).partition(is_ours);
            if let Some(our_last) = ours.iter().map(|entry| entry.created).max() {
                let somebody =
                    theirs.iter().filter(|entry| entry.created <= our_last).min_by_key(|entry| entry.created);
                return Ok(match somebody {
                    None => Said::Nothing,
                    Some(entry) => Said::Somebody(Changed {
                        at: entry.created,
                        by: entry.user_id.as_ref().map(ToString::to_string),
                    }),
                });
            }
            // The list comes from the index, which is behind. Our own entry tells when it is not.
            if self.iconik.now_milliseconds() >= until {
                return Ok(Said::Somebody(Changed::default()));
            }
            run.context().sleep(pause).await;
            pause = (pause * 2).min(Duration::from_secs(4));
        }
    }

    /// The entries of the asset's history about its metadata; nothing when it is not shown to us.
    async fn writes_in_history(&self, asset: &AssetId) -> Result<Option<Vec<HistoryEntry>>> {
        match self.iconik.list_history(asset).all().await {
            Ok(entries) => {
                let is_write = |entry: &HistoryEntry| entry.operation == HistoryOperation::Metadata;
                Ok(Some(entries.into_iter().filter(is_write).collect()))
            }
            Err(error) if error.class() == FailureClass::Forbidden => Ok(None),
            Err(error) => Err(error),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{super::content::Scalar, *};

    fn text(word: &str) -> Content {
        Content::Values(vec![Scalar::Text(word.to_owned())])
    }

    fn words(word: &str) -> BTreeMap<String, Content> {
        [("headline".to_owned(), text(word))].into()
    }

    #[test]
    fn a_second_write_to_a_field_leaves_the_first_to_be_proved() {
        let once = Unproven::default().followed_by(&words("first"));
        let twice = once.clone().followed_by(&words("second"));
        let headline = "headline".to_owned();

        let all: Vec<_> = twice.writes().collect();
        assert_eq!(all, [(&headline, &text("first")), (&headline, &text("second"))]);

        let refused = twice.without(std::slice::from_ref(&headline));
        assert_eq!(refused.writes().collect::<Vec<_>>(), [(&headline, &text("first"))]);

        assert_eq!(once.clone().followed_by(&words("first")), once, "a repeat is no second write");
    }
}
