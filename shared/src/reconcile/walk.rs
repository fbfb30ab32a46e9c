//! The documents below containers of Content Server (and the containers, where they matter), container by container,
//! without the search index in between.

use std::sync::{Arc, Mutex, PoisonError};

use serde::{Deserialize, Serialize};
use serde_json::json;

use super::{Listed, Page, read_cursor, write_cursor};
use crate::{
    content_server::{ChildFilter, Client, NOT_ACCESSIBLE, NOT_FOUND, NodeId, kind},
    error::Result,
};

/// Nodes one page gives at most.
const PAGE: usize = 200;

/// A walk through the containers below some roots. Its cursor holds the containers that are still to be visited.
#[derive(Debug, Default)]
pub struct Walk {
    /// Whether containers are listed too.
    containers: bool,
    /// What the container at hand holds, so that a large one is not listed again for each page.
    at_hand: Mutex<Option<Arc<Container>>>,
}

#[derive(Debug)]
struct Container {
    id: i64,
    /// Numbers only, sorted.
    listed: Vec<i64>,
    containers: Vec<i64>,
}

#[derive(Debug, Default, Serialize, Deserialize)]
struct Cursor {
    /// Containers to be visited, the next one last.
    stack: Vec<i64>,
    /// The last node of that container that was listed.
    after: i64,
}

impl Walk {
    /// A walk that lists the containers below the roots as well.
    pub fn with_containers() -> Self {
        Self { containers: true, ..Self::default() }
    }

    /// The next nodes. Each fact is the number of a node.
    ///
    /// # Errors
    /// As any call; what the service user may not see is passed over.
    pub async fn page(&self, client: &Client, roots: &[NodeId], cursor: Option<&str>) -> Result<Page> {
        let mut at: Cursor = match cursor {
            Some(_) => read_cursor(cursor)?,
            None => Cursor { stack: roots.iter().rev().map(|root| root.0).collect(), after: 0 },
        };
        let Some(container) = at.stack.last().copied() else { return Ok(Page::default()) };
        let held = self.container(client, container).await?;
        let from = held.listed.partition_point(|node| *node <= at.after);
        let rest = held.listed.get(from..).unwrap_or_default();
        let page = rest.get(..PAGE.min(rest.len())).unwrap_or_default();
        let items =
            page.iter().map(|node| Listed { key: format!("node {node}"), facts: json!(node) }).collect();
        match page.last() {
            Some(last) if rest.len() > page.len() => at.after = *last,
            _ => {
                at.stack.pop();
                // A root below another one is visited as a root, once.
                let below = held.containers.iter().copied().filter(|id| !roots.contains(&NodeId(*id)));
                at.stack.extend(below);
                at.after = 0;
            }
        }
        let next = if at.stack.is_empty() { None } else { Some(write_cursor(&at)?) };
        Ok(Page { items, next })
    }

    async fn container(&self, client: &Client, id: i64) -> Result<Arc<Container>> {
        let at_hand = self.at_hand.lock().unwrap_or_else(PoisonError::into_inner).clone();
        if let Some(held) = at_hand.filter(|held| held.id == id) {
            return Ok(held);
        }
        let mut held = Container { id, listed: Vec::new(), containers: Vec::new() };
        let mut children = client.list_children(NodeId(id), ChildFilter::default());
        loop {
            let page = match children.next_page().await {
                Ok(page) => page,
                // It went away since its parent was listed, or is not for the service user to see.
                Err(error) if matches!(error.code(), NOT_ACCESSIBLE | NOT_FOUND) => break,
                Err(error) => return Err(error),
            };
            let Some(page) = page else { break };
            for child in page {
                if child.kind == kind::DOCUMENT || (self.containers && child.container) {
                    held.listed.push(child.id.0);
                }
                if child.container {
                    held.containers.push(child.id.0);
                }
            }
        }
        held.listed.sort_unstable();
        let held = Arc::new(held);
        *self.at_hand.lock().unwrap_or_else(PoisonError::into_inner) = Some(held.clone());
        Ok(held)
    }
}
