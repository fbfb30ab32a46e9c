//! From candidates to messages: compares them with what the feed remembers, tells the flows, and only then remembers.

use std::collections::{BTreeMap, BTreeSet};

use futures_util::{StreamExt, TryStreamExt};
use serde::{Deserialize, Serialize};
use shared::{
    error::{Error, Result},
    flow_queues::Message,
    function::Function,
    iconik::{AssetId, AssetStatus, CollectionId, CollectionStatus},
};

use super::{
    WatchIconik,
    feeds::Feed,
    found::{Candidate, Facts},
};

/// Writes to the ledger at the same time.
const WRITERS: usize = 8;

/// What a feed remembers of an object.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Remembered {
    #[serde(flatten)]
    facts: Facts,
    /// Counts the changes, so that an object that goes back to an earlier state is a change of its own.
    revision: u64,
    /// The flows that have been told of it as it is.
    told: BTreeSet<String>,
}

/// What became of some candidates.
#[derive(Debug, Default)]
pub(super) struct Settled {
    /// Messages that were sent.
    pub(super) told: u64,
    /// Why a flow could not be told. It is not remembered as told.
    pub(super) failure: Option<Error>,
}

/// A change that is due, and what is remembered once it is told.
struct Due {
    candidate: Candidate,
    flows: Vec<String>,
    after: Remembered,
}

impl WatchIconik {
    /// Tells the flows what is new about these objects, and remembers it. With `silent`, it is only remembered.
    pub(super) async fn settle(
        &self,
        feed: &Feed,
        candidates: Vec<Candidate>,
        silent: bool,
    ) -> Result<Settled> {
        let mut remembered = self.recall(feed, &candidates).await?;
        let mut due = Vec::new();
        for candidate in candidates {
            let before = remembered.remove(&candidate.key());
            due.extend(self.due(feed, candidate, before, silent).await?);
        }
        let mut messages = Vec::new();
        for due in &due {
            let change = due.candidate.change(&due.after.facts, due.after.revision);
            let source = format!("{}/{}", Self::NAME, feed.name);
            for flow in &due.flows {
                let body = change.envelope(&source, flow, &self.environment.context)?;
                messages.push(Message { flow: flow.clone(), body });
            }
        }
        let sent = self.queues.send(&messages).await;
        let told = sent.arrived.iter().filter(|arrived| **arrived).count() as u64;
        let mut arrived = sent.arrived.into_iter();
        let kept = due.into_iter().map(|due| {
            let Due { candidate, flows, mut after } = due;
            // What was told is remembered, whatever became of the rest.
            after.told.extend(flows.into_iter().filter(|_| arrived.next().unwrap_or_default()));
            self.keep(feed, candidate.key(), after)
        });
        let kept: Vec<_> = kept.collect();
        futures_util::stream::iter(kept).buffer_unordered(WRITERS).try_collect::<Vec<()>>().await?;
        Ok(Settled { told, failure: sent.failure })
    }

    async fn recall(&self, feed: &Feed, candidates: &[Candidate]) -> Result<BTreeMap<String, Remembered>> {
        let keys: Vec<String> = candidates.iter().map(Candidate::key).collect();
        let facts = self.environment.ledger.facts(Self::NAME, &feed.name, &keys).await?;
        let read = |(key, facts): (String, String)| {
            let remembered = serde_json::from_str(&facts).map_err(|error| {
                Error::bug("recall", "what the ledger remembers of an object cannot be read").source(error)
            })?;
            Ok((key, remembered))
        };
        facts.into_iter().map(read).collect()
    }

    async fn keep(&self, feed: &Feed, key: String, after: Remembered) -> Result<()> {
        let facts = serde_json::to_string(&after)
            .map_err(|error| Error::bug("remember", "what was seen cannot be written").source(error))?;
        // What is gone is forgotten after a while, but not before every flow knows.
        let may_go = after.facts.gone && feed.flows.iter().all(|flow| after.told.contains(flow));
        self.environment.ledger.set_facts(Self::NAME, &feed.name, &key, &facts, may_go).await
    }

    /// What is to be said about an object, if anything.
    async fn due(
        &self,
        feed: &Feed,
        candidate: Candidate,
        before: Option<Remembered>,
        silent: bool,
    ) -> Result<Option<Due>> {
        let facts = match (&candidate.facts, &before) {
            (Some(facts), _) => facts.clone(),
            (None, Some(before)) => Facts { gone: true, ..before.facts.clone() },
            // Nobody was told of it.
            (None, None) => return Ok(None),
        };
        let was_gone = before.as_ref().is_some_and(|before| before.facts.gone);
        // An index that lags, or a copy of it, shows an earlier state again.
        let is_old = before.as_ref().is_some_and(|before| facts.modified < before.facts.modified);
        if is_old && !was_gone {
            return Ok(None);
        }
        // Nor is the index believed that something is gone or there again.
        if before.is_some() && facts.gone != was_gone && self.is_there(&candidate).await? == facts.gone {
            return Ok(None);
        }
        let same = before.as_ref().filter(|before| before.facts == facts);
        let told = same.map(|same| same.told.clone()).unwrap_or_default();
        let flows: Vec<String> = feed.flows.iter().filter(|flow| !told.contains(*flow)).cloned().collect();
        if flows.is_empty() {
            return Ok(None);
        }
        let revision = match (same, &before) {
            (Some(same), _) => same.revision,
            (None, Some(before)) => before.revision + 1,
            (None, None) => 1,
        };
        let mut after = Remembered { facts, revision, told };
        let flows = if silent {
            after.told.extend(flows);
            Vec::new()
        } else {
            flows
        };
        Ok(Some(Due { candidate, flows, after }))
    }

    /// Whether an object is there and not in the recycle bin, asked of the object itself.
    async fn is_there(&self, candidate: &Candidate) -> Result<bool> {
        match candidate.object_type.as_str() {
            "assets" => {
                let asset = self.iconik.find_asset(&AssetId::new(&candidate.id)).await?;
                Ok(asset.is_some_and(|asset| asset.status != AssetStatus::Deleted))
            }
            "collections" => {
                let collection = self.iconik.find_collection(&CollectionId::new(&candidate.id)).await?;
                Ok(collection.is_some_and(|collection| collection.status != CollectionStatus::Deleted))
            }
            // Segments have no recycle bin.
            _ => Ok(candidate.facts.is_some()),
        }
    }
}
