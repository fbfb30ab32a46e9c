//! Lists, page by page. A list is taken by position, and shifts when something comes or goes meanwhile: each asset comes
//! once, and what must not be missed is looked for again.

use std::collections::HashSet;

use serde_json::Value;

use super::{
    Client,
    asset::Asset,
    call::Call,
    error::{failure, unexpected},
    ids::AssetId,
    wire,
};
use crate::error::{FailureClass, Result};

/// The list said that there is more, and gave nothing.
pub const ENDED_EARLY: &str = "otmm.list-ended-early";

/// Where in a list we are.
#[derive(Debug, Default)]
pub(super) struct Position {
    /// Items that were passed.
    after: u64,
    pages: u32,
    seen: HashSet<AssetId>,
    over: bool,
}

impl Position {
    pub(super) fn after(&self) -> u64 {
        self.after
    }

    pub(super) fn is_over(&self) -> bool {
        self.over
    }

    /// Takes a page: what is new in it. The end is where as many were passed as there are; where the server does not say how
    /// many there are, it is a page that is not full.
    pub(super) fn take(
        &mut self,
        client: &Client,
        operation: &'static str,
        assets: Vec<Asset>,
        count: u64,
        total: Option<u64>,
    ) -> Result<Vec<Asset>> {
        self.pages += 1;
        self.after = self.after.saturating_add(count);
        if count == 0 {
            self.over = true;
            if let Some(total) = total.filter(|total| self.after < *total) {
                let message = format!("the list said it has {total} and ended after {}", self.after);
                return Err(failure(FailureClass::Transient, operation, ENDED_EARLY, message));
            }
            return Ok(Vec::new());
        }
        self.over = match total {
            Some(total) => self.after >= total,
            None => count < u64::from(client.settings.page_size),
        };
        let fresh: Vec<Asset> =
            assets.into_iter().filter(|asset| self.seen.insert(asset.id.clone())).collect();
        let repeats = fresh.is_empty() && !self.over;
        if repeats || self.pages >= client.settings.page_ceiling {
            self.over = true;
            let message = if repeats {
                "the list gives a page again that was there before".to_owned()
            } else {
                format!("the list goes on behind page {}", client.settings.page_ceiling)
            };
            let error = failure(FailureClass::Forbidden, operation, "otmm.endless-list", message);
            return Err(error.remedy("narrow what is listed"));
        }
        Ok(fresh)
    }
}

/// The pages of a list of assets.
pub struct Pages<'a> {
    client: &'a Client,
    call: Call,
    root: &'static str,
    position: Position,
}

impl<'a> Pages<'a> {
    pub(super) fn new(client: &'a Client, call: Call) -> Self {
        Self { client, call, root: "/assets_resource", position: Position::default() }
    }

    /// The answer has another root.
    pub(super) fn under(mut self, root: &'static str) -> Self {
        self.root = root;
        self
    }

    /// The next page, or nothing at the end.
    ///
    /// # Errors
    /// As any call; [`ENDED_EARLY`] (`Transient`); `otmm.endless-list` (`Forbidden`) when it gives a page again, or behind the
    /// last page that the settings allow.
    pub async fn next_page(&mut self) -> Result<Option<Vec<Asset>>> {
        if self.position.is_over() {
            return Ok(None);
        }
        let call = self
            .call
            .clone()
            .query("after", self.position.after())
            .query("limit", self.client.settings.page_size);
        let body = self.client.ask_for(&call, self.root).await?;
        let summary = body.get("collection_summary").unwrap_or(&Value::Null);
        let total = wire::number(summary, "total_number_of_items");
        let assets = read_all(&call, &body, &["asset_list", "folder_list"])?;
        let listed = assets.len() as u64;
        let count = wire::number(summary, "actual_count_of_items").unwrap_or(listed).min(listed);
        let fresh = self.position.take(self.client, call.operation(), assets, count, total)?;
        Ok(Some(fresh).filter(|fresh| !fresh.is_empty() || !self.position.is_over()))
    }

    /// All pages in one list.
    ///
    /// # Errors
    /// As [`Pages::next_page`].
    pub async fn all(mut self) -> Result<Vec<Asset>> {
        let mut all = Vec::new();
        while let Some(page) = self.next_page().await? {
            all.extend(page);
        }
        Ok(all)
    }

    /// The first asset for which something holds, without reading further than to it.
    ///
    /// # Errors
    /// As [`Pages::next_page`].
    pub async fn find(mut self, holds: impl Fn(&Asset) -> bool) -> Result<Option<Asset>> {
        while let Some(page) = self.next_page().await? {
            if let Some(found) = page.into_iter().find(&holds) {
                return Ok(Some(found));
            }
        }
        Ok(None)
    }
}

/// Every asset of a list, which stands under the first of these names that is there.
pub(super) fn read_all(call: &Call, body: &Value, names: &[&str]) -> Result<Vec<Asset>> {
    let name = names.iter().find(|name| body.get(**name).is_some_and(|list| !list.is_null()));
    let list = name.map(|name| wire::list(body, name)).unwrap_or_default();
    let read = |json: &Value| {
        let asset = json.get("asset").unwrap_or(json);
        Asset::read(asset)
            .ok_or_else(|| unexpected(call.operation(), call.effect(), "an entry of the list has no id"))
    };
    list.iter().map(read).collect()
}
