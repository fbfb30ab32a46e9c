//! From candidates to messages: reads the nodes as they are now, compares them with what the feed remembers, tells the
//! flows, and only then remembers.
//!
//! A search or a listing only says which nodes to look at. What is told is read from the repository itself, so an index
//! that lags behind can neither bring an old state back nor make one change look like two.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::atomic::Ordering,
};

use futures_util::{StreamExt, TryStreamExt};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use shared::{
    content_server::{NodeId, NodeState},
    error::{Error, Result},
    function::Function,
    ledger::Sighting,
    node_change::{Change, NodeChange},
};

use super::WatchContentServer;
use crate::feeds::{Feed, Watched};

/// Writes to the ledger at the same time.
const WRITERS: usize = 8;

/// What a feed remembers of a node.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Remembered {
    #[serde(flatten)]
    pub(super) facts: Facts,
    /// Counts the changes, so that a node that goes back to an earlier state is a change of its own.
    revision: u64,
    /// The flows that have been told of it as it is.
    told: BTreeSet<String>,
    /// It was gone when it was looked for last.
    #[serde(default)]
    pub(super) gone: bool,
}

impl Remembered {
    /// Whether every flow of the feed knows it as it is.
    pub(super) fn is_told(&self, feed: &Feed) -> bool {
        feed.flows.iter().all(|flow| self.told.contains(flow))
    }
}

/// What makes a node another than it was.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Facts {
    kind: i64,
    version: Option<i64>,
    modified: Option<Timestamp>,
    projection: String,
}

/// Which list of a feed's memory is meant, and what is to be said about it.
pub(super) struct Notice<'a> {
    pub(super) feed: &'a Feed,
    /// The list's name in the ledger.
    pub(super) list: String,
    /// The workspace the nodes are in, when the feed reads workspace by workspace.
    pub(super) workspace: Option<i64>,
    /// Nodes are only remembered; nobody is told.
    pub(super) silent: bool,
    /// Nodes of types that are not reported are remembered as well.
    pub(super) all_types: bool,
    /// How many more nodes may be reported as gone; nothing when a node that is not found means nothing.
    pub(super) removals: Option<u64>,
}

/// What became of some candidates.
#[derive(Debug, Default)]
pub(super) struct Settled {
    /// Nodes that were reported as gone.
    pub(super) removed: u64,
    /// Why a flow could not be told. It is not remembered as told.
    pub(super) failure: Option<Error>,
}

/// A message that is due, and what is remembered once it is sent.
struct Due {
    change: NodeChange,
    flows: Vec<String>,
    after: Remembered,
}

impl<'a> Notice<'a> {
    /// About what a search finds.
    pub(super) fn of_search(feed: &'a Feed, silent: bool, removals: Option<u64>) -> Self {
        Self { feed, list: feed.name.clone(), workspace: None, silent, all_types: false, removals }
    }
}

impl WatchContentServer {
    /// What a list remembers of these nodes.
    pub(super) async fn recall(&self, list: &str, nodes: &[i64]) -> Result<BTreeMap<i64, Remembered>> {
        understood(self.environment.ledger.sightings(Self::NAME, list, nodes).await?)
    }

    /// What a list remembers between two numbers, in order, at most so many.
    pub(super) async fn recall_between(
        &self,
        list: &str,
        after: i64,
        up_to: i64,
        most: usize,
    ) -> Result<BTreeMap<i64, Remembered>> {
        let ledger = &self.environment.ledger;
        understood(ledger.sightings_between(Self::NAME, list, after, up_to, most).await?)
    }

    /// Reads the candidates, tells the flows what is new about them, and remembers it.
    pub(super) async fn settle(
        &self,
        notice: &Notice<'_>,
        nodes: &[i64],
        remembered: &BTreeMap<i64, Remembered>,
    ) -> Result<Settled> {
        if nodes.is_empty() {
            return Ok(Settled::default());
        }
        self.counts.found.fetch_add(nodes.len() as u64, Ordering::Relaxed);
        let ids: Vec<NodeId> = nodes.iter().map(|node| NodeId(*node)).collect();
        let states = self.content_server.list_states(&ids, !notice.feed.watched.is_empty()).await?;
        let states: BTreeMap<i64, NodeState> =
            states.into_iter().map(|state| (state.node.id.0, state)).collect();
        let due: Vec<Due> =
            nodes.iter().filter_map(|node| due(notice, *node, states.get(node), remembered)).collect();
        let removed = due.iter().filter(|due| due.after.gone).count() as u64;
        if notice.removals.is_some_and(|allowed| removed > allowed) {
            let message = format!(
                "more than {} nodes of the feed {} cannot be seen any more",
                notice.feed.most_removed, notice.feed.name
            );
            return Err(Error::configuration("watch.too-many-removed", message).remedy(
                "check the rights of the service user; if the nodes are really gone, raise `most_removed`",
            ));
        }
        let messages: Vec<(NodeChange, Vec<String>)> =
            due.iter().map(|due| (due.change.clone(), due.flows.clone())).collect();
        let (told, failure) = self.tell(&notice.feed.name, &messages).await;
        let sent = told.iter().map(Vec::len).sum::<usize>();
        self.counts.told.fetch_add(sent as u64, Ordering::Relaxed);
        self.counts.removed.fetch_add(removed, Ordering::Relaxed);
        let mut kept = Vec::with_capacity(due.len());
        for (due, told) in due.into_iter().zip(told) {
            let mut after = due.after;
            after.told.extend(told);
            kept.push(self.keep(notice, due.change.node, after));
        }
        futures_util::stream::iter(kept).buffer_unordered(WRITERS).try_collect::<Vec<()>>().await?;
        Ok(Settled { removed, failure })
    }

    async fn keep(&self, notice: &Notice<'_>, node: i64, after: Remembered) -> Result<()> {
        let facts = serde_json::to_string(&after)
            .map_err(|error| Error::bug("remember", "what was seen cannot be written").source(error))?;
        let sighting = Sighting { id: node, facts };
        // What is gone is forgotten after a while, but not before every flow knows.
        let may_go = after.gone && after.is_told(notice.feed);
        self.environment.ledger.remember(Self::NAME, &notice.list, &sighting, may_go).await
    }
}

fn understood(sightings: Vec<Sighting>) -> Result<BTreeMap<i64, Remembered>> {
    let read = |sighting: Sighting| {
        let facts = serde_json::from_str(&sighting.facts).map_err(|error| {
            Error::bug("recall", "what the ledger remembers of a node cannot be read").source(error)
        })?;
        Ok((sighting.id, facts))
    };
    sightings.into_iter().map(read).collect()
}

/// What is to be said about a node, if anything.
fn due(
    notice: &Notice<'_>,
    node: i64,
    state: Option<&NodeState>,
    remembered: &BTreeMap<i64, Remembered>,
) -> Option<Due> {
    let before = remembered.get(&node);
    let (facts, gone) = match state {
        Some(state) => (Facts::of(state, &notice.feed.watched), false),
        // Not found where that means something, and known until now.
        None if notice.removals.is_some() => (before?.facts.clone(), true),
        None => return None,
    };
    let wanted = notice.feed.takes(facts.kind);
    if !wanted && !notice.all_types {
        return None;
    }
    let same = before.filter(|before| before.facts == facts && before.gone == gone);
    let told = same.map(|same| same.told.clone()).unwrap_or_default();
    let quiet = !wanted || (notice.silent && !gone);
    let flows: Vec<String> = notice.feed.flows.iter().filter(|flow| !told.contains(*flow)).cloned().collect();
    if flows.is_empty() {
        return None;
    }
    let revision = match (same, before) {
        (Some(same), _) => same.revision,
        (None, Some(before)) => before.revision + 1,
        (None, None) => 1,
    };
    let change = NodeChange {
        node,
        change: if gone { Change::Removed } else { Change::Changed },
        version: facts.version,
        modified: facts.modified,
        projection: facts.projection.clone(),
        workspace: notice.workspace,
        request: None,
        occasion: revision.to_string(),
    };
    let mut after = Remembered { facts, revision, told, gone };
    let flows = if quiet {
        after.told.extend(flows);
        Vec::new()
    } else {
        flows
    };
    Some(Due { change, flows, after })
}

impl Facts {
    fn of(state: &NodeState, watched: &[Watched]) -> Self {
        Self {
            kind: state.node.kind,
            version: state.version,
            modified: state.node.modified,
            projection: projection(state, watched),
        }
    }
}

/// A hash over the values that count, in a stable order; empty when none are watched.
fn projection(state: &NodeState, watched: &[Watched]) -> String {
    if watched.is_empty() {
        return String::new();
    }
    let mut hash = Sha256::new();
    for watched in watched {
        let values = state.categories.iter().find(|values| values.category().0 == watched.category);
        // Keys come sorted; one without a value is as good as none.
        for (key, value) in values.into_iter().flat_map(|values| values.iter()) {
            let attribute = key.split('_').nth(1).and_then(|number| number.parse().ok());
            let counts = watched.attributes.is_empty()
                || attribute.is_some_and(|number| watched.attributes.contains(&number));
            if counts && !value.is_empty() {
                for part in [key, &format!("{value:?}")] {
                    hash.update((part.len() as u64).to_be_bytes());
                    hash.update(part.as_bytes());
                }
            }
        }
    }
    hex::encode(hash.finalize())
}
