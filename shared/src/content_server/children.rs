//! What is in a container, page by page.

use std::collections::HashSet;

use super::{
    Client,
    call::Call,
    node::{Node, NodeId, NodeProperties},
    wire::{Entry, Listing, Paging},
};
use crate::error::{Error, FailureClass, Result, System};

/// Which children to list.
#[derive(Debug, Clone, Default)]
pub struct ChildFilter {
    /// Only those whose name has this in it. How it compares differs between releases: compare again yourself.
    pub name: Option<String>,
    /// Only these types; -1 stands for containers, -2 for what search finds, -3 for all but containers.
    pub kinds: Vec<i64>,
}

/// The pages of a listing. Each entry comes once, whatever the server repeats.
pub struct Children<'a> {
    client: &'a Client,
    parent: NodeId,
    filter: ChildFilter,
    sort: Option<&'static str>,
    turn: Turn,
}

impl Client {
    /// The children of a container.
    pub fn list_children(&self, parent: NodeId, filter: ChildFilter) -> Children<'_> {
        Children { client: self, parent, filter, sort: None, turn: Turn::new(self) }
    }
}

impl Children<'_> {
    /// The order of the entries, such as `desc_modify_date`.
    #[must_use]
    pub fn sort(mut self, order: &'static str) -> Self {
        self.sort = Some(order);
        self
    }

    /// The next page, or nothing at the end.
    ///
    /// # Errors
    /// As any call; an endless listing is cut at the configured number of pages.
    pub async fn next_page(&mut self) -> Result<Option<Vec<Node>>> {
        let Some(page) = self.turn.page("list children")? else { return Ok(None) };
        let call = Call::get("list children", format!("/v2/nodes/{}/nodes", self.parent))
            .query_if("where_name", self.filter.name.as_deref())
            .query_if("sort", self.sort);
        let call = self.filter.kinds.iter().fold(call, |call, kind| call.query("where_type", kind));
        let call = call.query("page", page).query("limit", self.turn.limit).query("fields", "properties");
        let answer: Listing<Entry<NodeProperties>> = self.client.ask(&call).await?;
        self.turn.took(answer.results.0.len(), answer.paging());
        let nodes =
            answer.results.0.into_iter().map(|entry| entry.data.properties.into_node(&self.client.zone));
        Ok(Some(nodes.filter(|node| self.turn.is_new(node.id.0)).collect()))
    }

    /// All pages in one list.
    ///
    /// # Errors
    /// As [`Children::next_page`].
    pub async fn all(mut self) -> Result<Vec<Node>> {
        let mut nodes = Vec::new();
        while let Some(page) = self.next_page().await? {
            nodes.extend(page);
        }
        Ok(nodes)
    }
}

/// When a listing goes on and when it ends. Servers were seen to answer earlier entries again past the last page, so
/// it ends on a short page, on the announced last entry, and on a page that brings nothing new.
pub(super) struct Turn {
    next: Option<u32>,
    pub(super) limit: u32,
    ceiling: u32,
    seen: HashSet<i64>,
    fresh: bool,
}

impl Turn {
    pub(super) fn new(client: &Client) -> Self {
        Self::with_limit(client, client.settings.page_size)
    }

    pub(super) fn with_limit(client: &Client, limit: u32) -> Self {
        let ceiling = client.settings.page_ceiling;
        Self { next: Some(1), limit: limit.max(1), ceiling, seen: HashSet::new(), fresh: true }
    }

    /// The page to ask for, if there is one.
    pub(super) fn page(&mut self, operation: &'static str) -> Result<Option<u32>> {
        if !self.fresh {
            self.next = None;
        }
        match self.next {
            Some(page) if page > self.ceiling => Err(Error::new(
                FailureClass::Forbidden,
                System::ContentServer,
                operation,
                "content-server.endless-listing",
                format!("the listing goes on after {} pages", self.ceiling),
            )
            .remedy("narrow the listing, or raise page_ceiling")),
            next => Ok(next),
        }
    }

    /// Notes what a page brought.
    pub(super) fn took(&mut self, entries: usize, paging: Option<&Paging>) {
        let told = paging.and_then(|paging| u32::try_from(paging.limit?).ok()).filter(|told| *told > 0);
        let limit = told.map_or(self.limit, |told| told.min(self.limit));
        let limit = usize::try_from(limit).unwrap_or(usize::MAX);
        let last = paging.is_some_and(|paging| {
            let page = self.next.map(i64::from);
            matches!((paging.range_max, paging.total_count), (Some(max), Some(total)) if max >= total)
                || matches!((page, paging.page_total), (Some(page), Some(total)) if total > 0 && page >= total)
        });
        // A server that caps the limit sends short pages and says so in its limit or its count; only without a count is a
        // page the last that is shorter than its own limit.
        let counted = paging.is_some_and(|paging| paging.total_count.is_some() && paging.range_max.is_some());
        let short = entries < limit && !counted;
        self.next = self.next.map(|page| page + 1).filter(|_| entries > 0 && !last && !short);
        self.fresh = false;
    }

    /// Whether an entry has not come before.
    pub(super) fn is_new(&mut self, id: i64) -> bool {
        let new = self.seen.insert(id);
        self.fresh |= new;
        new
    }
}
