//! Searching the index. It lags behind: what was just made is not found yet, what was just deleted still is.

use super::{
    Client,
    call::Call,
    children::Turn,
    node::{Node, NodeId, NodeProperties},
    wire::{Entry, Listing},
};
use crate::error::Result;

/// What to search for.
#[derive(Debug, Clone, Default)]
pub struct Search {
    /// An expression in the server's query language, such as `OTSubType:144 AND OTName:"x"`.
    pub query: String,
    /// Only below this container.
    pub location: Option<NodeId>,
    /// The order, such as `asc_OTModifyDate`.
    pub sort: Option<String>,
    /// A search query saved in the server, by its number, instead of an expression.
    pub saved: Option<NodeId>,
}

/// The pages of a search. Each node comes once: servers were seen to answer earlier results again past the end.
pub struct Found<'a> {
    client: &'a Client,
    search: Search,
    turn: Turn,
}

impl Client {
    /// Searches.
    pub fn search(&self, search: Search) -> Found<'_> {
        Found { client: self, search, turn: Turn::new(self) }
    }

    /// What a `WebReport` whose destination is the browser answers. Its author decides what that is; here it has to be
    /// JSON.
    ///
    /// # Errors
    /// `Gone` when there is no such node, `Forbidden` when it is no report; what is no JSON is not understood.
    pub async fn web_report(&self, report: NodeId) -> Result<serde_json::Value> {
        let call = Call::get("run report", format!("/v1/nodes/{report}/output")).reading();
        self.ask(&call.query("format", "webreport")).await
    }
}

impl Found<'_> {
    /// The next page, or nothing at the end.
    ///
    /// # Errors
    /// `Forbidden` when the expression is wrong.
    pub async fn next_page(&mut self) -> Result<Option<Vec<Node>>> {
        const OPERATION: &str = "search";
        let Some(page) = self.turn.page(OPERATION)? else { return Ok(None) };
        let mut call =
            Call::post(OPERATION, "/v2/search").reading().field("page", page).field("limit", self.turn.limit);
        call = match self.search.saved {
            Some(saved) => call.field("query_id", saved),
            None => {
                let call = call.field("where", &self.search.query).field("lookfor", "complexquery");
                call.field("within", "all")
            }
        };
        if let Some(location) = self.search.location {
            call = call.field("location_id1", location);
        }
        if let Some(sort) = &self.search.sort {
            call = call.field("sort", sort);
        }
        let answer: Listing<Entry<NodeProperties>> = self.client.ask(&call).await?;
        self.turn.took(answer.results.0.len(), answer.paging());
        let nodes =
            answer.results.0.into_iter().map(|entry| entry.data.properties.into_node(&self.client.zone));
        Ok(Some(nodes.filter(|node| self.turn.is_new(node.id.0)).collect()))
    }

    /// All pages in one list.
    ///
    /// # Errors
    /// As [`Found::next_page`].
    pub async fn all(mut self) -> Result<Vec<Node>> {
        let mut nodes = Vec::new();
        while let Some(page) = self.next_page().await? {
            nodes.extend(page);
        }
        Ok(nodes)
    }
}

/// A text inside an expression. The query language has no way to write a quotation mark inside a text, so a blank takes
/// its place: compare what is found with what was meant.
pub fn query_text(text: &str) -> String {
    format!("\"{}\"", text.replace(['"', '\n', '\r'], " "))
}
