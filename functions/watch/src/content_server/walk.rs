//! Workspace by workspace: lists what is in each, folder by folder, without the search index in between. Each walk is a
//! full look; where it has come is noted after each workspace.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use shared::{
    content_server::{ChildFilter, NodeId},
    error::Result,
};

use super::{
    Time, WatchContentServer,
    notice::{Notice, Remembered},
};
use crate::feeds::{Existing, Feed};

/// Remembered or found nodes that are read at once.
const STEP: usize = 250;

/// How walks go.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Walks {
    /// The last workspace that is done with.
    after: i64,
    /// How many nodes this walk has reported as gone.
    removed: u64,
    /// A walk was finished before.
    finished: bool,
    /// When this walk began.
    #[serde(default)]
    begun: Option<Timestamp>,
}

impl WatchContentServer {
    /// Goes on with the walk, or begins another. Gives back when the walk began that is finished now.
    pub(super) async fn walk(&self, feed: &Feed, kind: &str, time: &Time<'_>) -> Result<Option<Timestamp>> {
        let note = format!("{}/walk", feed.name);
        let mut walks: Walks = self.unfinished(&note).await?.unwrap_or_default();
        walks.begun.get_or_insert(self.environment.context.now());
        let kind = self.content_server.get_workspace_type(kind).await?;
        let listed: BTreeSet<i64> =
            self.content_server.list_workspaces(kind.id).await?.into_iter().map(|id| id.0).collect();
        while !time.is_over() {
            // Listed and remembered workspaces, in the order of their numbers.
            let remembered = self.recall_between(&feed.name, walks.after, i64::MAX, STEP).await?;
            let next_listed = listed.range(walks.after + 1..).next().copied();
            let next_known = remembered.iter().find(|(_, known)| !known.gone || !known.is_told(feed));
            let next_known = next_known.map(|(node, _)| *node);
            let next = match (next_listed, next_known) {
                (Some(listed), Some(known)) => listed.min(known),
                (Some(only), None) | (None, Some(only)) => only,
                // Nothing but workspaces that are gone: behind them there may be more.
                (None, None) => match remembered.last_key_value() {
                    Some((last, _)) if remembered.len() >= STEP => {
                        walks.after = *last;
                        continue;
                    }
                    _ => {
                        let done = Walks { finished: true, ..Walks::default() };
                        self.set_unfinished(&note, Some(&done)).await?;
                        return Ok(walks.begun);
                    }
                },
            };
            self.visit(feed, next, &remembered, &mut walks).await?;
            walks.after = next;
            self.set_unfinished(&note, Some(&walks)).await?;
        }
        Ok(None)
    }

    /// One workspace: what is in it, then the workspace itself. In that order, so that a workspace counts as gone only
    /// when everything in it has been dealt with.
    async fn visit(
        &self,
        feed: &Feed,
        workspace: i64,
        remembered: &BTreeMap<i64, Remembered>,
        walks: &mut Walks,
    ) -> Result<()> {
        let silent = !walks.finished && feed.existing == Existing::Remember;
        let found = match self.content_server.list_states(&[NodeId(workspace)], false).await?.is_empty() {
            true => BTreeSet::new(),
            false => self.inside(workspace).await?,
        };
        let list = format!("{}/{workspace}", feed.name);
        let inside = |removed: u64| Notice {
            feed,
            list: list.clone(),
            workspace: Some(workspace),
            silent,
            all_types: false,
            removals: Some(feed.most_removed.saturating_sub(removed)),
        };
        let mut after = 0;
        while after < i64::MAX {
            let known = self.recall_between(&list, after, i64::MAX, STEP).await?;
            let mut reach = match known.last_key_value() {
                Some((last, _)) if known.len() >= STEP => *last,
                _ => i64::MAX,
            };
            let mut nodes: Vec<i64> = found.range(after + 1..=reach).take(STEP).copied().collect();
            if nodes.len() >= STEP {
                reach = nodes.last().copied().unwrap_or(reach);
            }
            let known_here =
                known.range(after + 1..=reach).filter(|(_, known)| !known.gone || !known.is_told(feed));
            nodes.extend(known_here.map(|(node, _)| *node));
            nodes.sort_unstable();
            nodes.dedup();
            self.visited(&inside(walks.removed), &nodes, &known, walks).await?;
            after = reach;
        }
        let itself = Notice { list: feed.name.clone(), all_types: true, ..inside(walks.removed) };
        self.visited(&itself, &[workspace], remembered, walks).await
    }

    async fn visited(
        &self,
        notice: &Notice<'_>,
        nodes: &[i64],
        known: &BTreeMap<i64, Remembered>,
        walks: &mut Walks,
    ) -> Result<()> {
        let settled = self.settle(notice, nodes, known).await?;
        walks.removed += settled.removed;
        settled.failure.map_or(Ok(()), Err)
    }

    /// All nodes below a workspace. Only their numbers are kept.
    async fn inside(&self, workspace: i64) -> Result<BTreeSet<i64>> {
        let mut found = BTreeSet::new();
        let mut containers = vec![NodeId(workspace)];
        while let Some(container) = containers.pop() {
            let mut children = self.content_server.list_children(container, ChildFilter::default());
            while let Some(page) = children.next_page().await? {
                for child in page {
                    // A workspace inside a workspace is visited by itself, if it is of the type.
                    let nested = child.kind == shared::content_server::kind::WORKSPACE;
                    if found.insert(child.id.0) && child.container && !nested {
                        containers.push(child.id);
                    }
                }
            }
        }
        Ok(found)
    }
}
