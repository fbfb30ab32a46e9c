//! What changed. There is no feed of it, so it is searched for, from a little earlier than asked: the index lags, and its
//! times are whole seconds.

use std::{collections::HashSet, time::Duration};

use jiff::Timestamp;

use super::{
    Client,
    asset::Asset,
    condition::Condition,
    error::{failure, not_configured, unexpected},
    search::Search,
};
use crate::{
    error::{FailureClass, Result},
    http::Effect,
};

const OPERATION: &str = "look for changes";
/// The search found something that changes in years to come: it does not heed the condition.
pub const IGNORED_CONDITIONS: &str = "otmm.conditions-ignored";
/// The search did not give the newest first, so that nobody can tell where to stop.
pub const UNSORTED: &str = "otmm.list-not-sorted";

/// What changed.
#[derive(Debug, Clone, PartialEq)]
pub struct Changes {
    /// The assets, the earliest change first; each version of an asset once. Those of the round before come again.
    pub assets: Vec<Asset>,
    /// From when to look the next time.
    pub until: Timestamp,
}

impl Client {
    /// What changed since a moment, of what a search finds. The newest is read first: what changes meanwhile moves to the
    /// front, where the next round finds it, and nothing moves over a page's edge unseen.
    ///
    /// Where the site's operator for moments is known, it bounds the search; a search for what changes in years to come then has
    /// to find nothing. Elsewhere the list is read by its order until it is older than asked.
    ///
    /// # Errors
    /// [`super::INVALID_CONDITIONS`], [`IGNORED_CONDITIONS`], [`UNSORTED`] (`Forbidden`); [`super::NOT_CONFIGURED`] without
    /// `ids.updated`; as any search.
    pub async fn changed_since(&self, since: Timestamp, search: Search) -> Result<Changes> {
        let field = &self.settings.ids.updated;
        if field.is_empty() {
            return Err(not_configured(OPERATION, "ids.updated"));
        }
        let overlap = Duration::from_secs(self.settings.change_overlap_seconds);
        let from = since.checked_sub(overlap).unwrap_or(since);
        let mut search = search.sorted(field.as_str(), false);
        if !self.settings.ids.operators.date_from.is_empty() {
            self.check_moments(&search).await?;
            search = search.and(Condition::from(field, from));
        }
        let mut found = self.search(search);
        let mut assets: Vec<Asset> = Vec::new();
        let mut known = HashSet::new();
        let (mut last, mut until) = (Timestamp::MAX, since);
        // The index has the order, the asset tells what it is by now: what changes meanwhile stands where it stood.
        let moving = self.http.context().now().checked_sub(overlap).unwrap_or(since);
        'pages: while let Some(page) = found.next_page().await? {
            for asset in page {
                let updated = asset.updated;
                let updated = updated.ok_or_else(|| {
                    unexpected(OPERATION, Effect::Read, "an asset without the date of its change")
                })?;
                if updated > last && updated < moving {
                    let message = "the search did not give the newest first";
                    return Err(failure(FailureClass::Forbidden, OPERATION, UNSORTED, message).remedy(
                        "check ids.updated in the settings: it has to be a field that can be sorted by",
                    ));
                }
                last = last.min(updated);
                if updated < from {
                    break 'pages;
                }
                until = until.max(updated);
                if known.insert((asset.original_id.clone(), asset.version)) {
                    assets.push(asset);
                }
            }
        }
        assets.sort_by(|one, other| (one.updated, &one.id).cmp(&(other.updated, &other.id)));
        Ok(Changes { assets, until })
    }

    /// Makes sure that the condition on a moment is heeded.
    async fn check_moments(&self, search: &Search) -> Result<()> {
        let years = Duration::from_secs(20 * 365 * 24 * 3600);
        let now = self.http.context().now();
        let future = now.checked_add(years).unwrap_or(now);
        let canary = search.clone().with_deleted().and(Condition::from(&self.settings.ids.updated, future));
        if self.search(canary).next_page().await?.is_none() {
            return Ok(());
        }
        let message =
            "a search for what changes in twenty years found something: the condition is not heeded";
        Err(failure(FailureClass::Forbidden, OPERATION, IGNORED_CONDITIONS, message)
            .remedy("check ids.updated and ids.operators.date_from in the settings against the site's"))
    }
}
