//! Searching. The index lags behind, finds more than what is equal, and does not fail when it did not understand a condition:
//! it leaves it out and finds too much.

use std::time::Duration;

use serde_json::Value;

use super::{
    Client,
    asset::Asset,
    assets::Load,
    call::Call,
    condition::{AnyOf, Condition, list},
    error::{failure, unexpected},
    ids::{AssetId, FieldId},
    pages::{Position, read_all},
    session::milliseconds,
    wire,
};
use crate::error::{FailureClass, Result};

pub(super) const OPERATION: &str = "search";
/// The server did not understand a condition of the search, and may have found what was not asked for. Nothing of it is given.
pub const INVALID_CONDITIONS: &str = "otmm.invalid-conditions";

/// A search.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Search {
    keyword: String,
    groups: Vec<AnyOf>,
    sort: Option<String>,
    load: Load,
    folder: Option<AssetId>,
    with_deleted: bool,
}

impl Default for Search {
    fn default() -> Self {
        Self {
            keyword: "*".to_owned(),
            groups: Vec::new(),
            sort: None,
            load: Load::State,
            folder: None,
            with_deleted: false,
        }
    }
}

impl Search {
    /// Everything.
    pub fn new() -> Self {
        Self::default()
    }

    /// What has a keyword in its metadata or content, as the settings' scope says.
    #[must_use]
    pub fn keyword(mut self, keyword: impl Into<String>) -> Self {
        self.keyword = keyword.into();
        self
    }

    /// And for which this holds: a condition, or one of several.
    #[must_use]
    pub fn and(mut self, group: impl Into<AnyOf>) -> Self {
        let group = group.into();
        if !group.0.is_empty() {
            self.groups.push(group);
        }
        self
    }

    /// In this order: by a field, or by a word such as `NAME`.
    #[must_use]
    pub fn sorted(mut self, by: &str, ascending: bool) -> Self {
        self.sort = Some(format!("{}_{by}", if ascending { "asc" } else { "desc" }));
        self
    }

    /// With so much about each.
    #[must_use]
    pub fn load(mut self, load: Load) -> Self {
        self.load = load;
        self
    }

    /// Directly in a folder.
    #[must_use]
    pub fn in_folder(mut self, folder: &AssetId) -> Self {
        self.folder = Some(folder.clone());
        self
    }

    /// With what is deleted, which some sites find too.
    #[must_use]
    pub fn with_deleted(mut self) -> Self {
        self.with_deleted = true;
        self
    }
}

/// The pages of what a search found.
pub struct Found<'a> {
    client: &'a Client,
    search: Search,
    position: Position,
    total: Option<u64>,
    first_total: Option<u64>,
}

impl Client {
    /// Searches. It finds what the index knows, which lags behind; read by its id what is to be acted on.
    pub fn search(&self, search: Search) -> Found<'_> {
        Found { client: self, search, position: Position::default(), total: None, first_total: None }
    }

    /// The condition that leaves old versions out.
    pub fn is_latest(&self) -> Condition {
        let ids = &self.settings.ids;
        Condition::contains(&ids.latest_version, ids.latest_version_value.as_str())
    }

    /// The assets in which a text field is exactly this by now: those that a search finds, read again by their ids.
    ///
    /// # Errors
    /// As [`Found::next_page`].
    pub async fn find_by_text(&self, field: &FieldId, text: &str) -> Result<Vec<Asset>> {
        let condition = match self.settings.ids.operators.text_is.is_empty() {
            true => Condition::contains(field, text),
            false => Condition::is(field, text),
        };
        let hits = self.search(Search::new().and(condition)).all().await?;
        let mut found = Vec::new();
        for hit in hits {
            let Some(asset) = self.find_asset(&hit.id, Load::Metadata).await? else { continue };
            if asset.metadata.as_ref().and_then(|metadata| metadata.text(field)) == Some(text) {
                found.push(asset);
            }
        }
        Ok(found)
    }

    /// The same, asked again for what was just made until the index has had its time.
    ///
    /// # Errors
    /// As [`Found::next_page`].
    pub async fn find_made(&self, field: &FieldId, text: &str) -> Result<Vec<Asset>> {
        let began = self.now_milliseconds();
        let patience = milliseconds(self.settings.index_patience_seconds);
        loop {
            let found = self.find_by_text(field, text).await?;
            if !found.is_empty() || self.now_milliseconds().saturating_sub(began) >= patience {
                return Ok(found);
            }
            self.http.context().sleep(Duration::from_secs(2)).await;
        }
    }
}

impl Found<'_> {
    fn call(&self) -> Result<Call> {
        let settings = &self.client.settings;
        let search = &self.search;
        let mut call = Call::post(OPERATION, &["search", "text"])
            .reading()
            .field("keyword_query", &search.keyword)
            .field("keyword_scope_id", &settings.ids.keyword_scope)
            .field("search_config_id", &settings.ids.search_config)
            .field("after", self.position.after())
            .field("limit", settings.page_size);
        if !search.groups.is_empty() {
            let conditions = list(&search.groups, settings)?;
            call = call.field("search_condition_list", &conditions).naming(&conditions);
        }
        if let Some(sort) = &search.sort {
            call = call.field("sort", sort);
        }
        if let Some(folder) = &search.folder {
            call = call.field("folder_filter", folder).field("folder_filter_type", "direct");
        }
        Ok(search.load.form(call))
    }

    /// The next page, or nothing at the end.
    ///
    /// # Errors
    /// [`INVALID_CONDITIONS`] (`Forbidden`); [`super::ENDED_EARLY`] (`Transient`); `otmm.endless-list` (`Forbidden`);
    /// [`super::NOT_CONFIGURED`] where the site's operator is not known; as any call.
    pub async fn next_page(&mut self) -> Result<Option<Vec<Asset>>> {
        if self.position.is_over() {
            return Ok(None);
        }
        let call = self.call()?;
        let body = self.client.ask_for(&call, "/search_result_resource").await?;
        let result = body.get("search_result").unwrap_or(&Value::Null);
        // Without that word nobody knows what the conditions were worth.
        match wire::truth(result, "contains_invalid_conditions") {
            Some(false) => {}
            None if self.search.groups.is_empty() => {}
            None => {
                let what = "it does not say whether the conditions were understood";
                return Err(unexpected(OPERATION, call.effect(), what));
            }
            Some(true) => {
                let message =
                    "the server did not understand a condition, and may have found what was not asked for";
                return Err(failure(FailureClass::Forbidden, OPERATION, INVALID_CONDITIONS, message)
                    .remedy("check the ids of fields and operators in the settings against the site's"));
            }
        }
        let assets = read_all(&call, &body, &["asset_list"])?;
        let told = wire::number(result, "hit_count");
        let count = assets.len() as u64;
        if told.is_some_and(|told| told > 0) && count == 0 {
            return Err(unexpected(OPERATION, call.effect(), "hits, and none of them in it"));
        }
        self.total = wire::number(result, "total_hit_count");
        self.first_total = self.first_total.or(self.total);
        let mut fresh = self.position.take(self.client, OPERATION, assets, count, self.total)?;
        if count == 0 {
            return Ok(None);
        }
        if !self.search.with_deleted {
            fresh.retain(|asset| !asset.is_gone());
        }
        Ok(Some(fresh))
    }

    /// All pages in one list.
    ///
    /// # Errors
    /// As [`Found::next_page`].
    pub async fn all(mut self) -> Result<Vec<Asset>> {
        let mut all = Vec::new();
        while let Some(page) = self.next_page().await? {
            all.extend(page);
        }
        Ok(all)
    }

    /// How many there are in all, as the last page said.
    pub fn total(&self) -> Option<u64> {
        self.total
    }

    /// Whether as many were found on the last page as on the first. Where not, something came or went meanwhile, and may
    /// have been missed.
    pub fn is_settled(&self) -> bool {
        self.total == self.first_total
    }
}
