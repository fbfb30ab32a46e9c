//! One call, with everything it may use.

use http::{HeaderMap, Method};
use serde_json::{Value, json};

use super::reply::{Outcome, Refusal};
use super::request::Params;
use super::state::State;

/// One call, with everything it may use.
pub(super) struct Call<'a> {
    pub(super) state: &'a mut State,
    pub(super) method: Method,
    pub(super) params: Params,
    pub(super) headers: &'a HeaderMap,
    /// 4, 5 or 6.
    pub(super) version: u8,
    /// The caller's id; empty for calls that need no session.
    pub(super) user: String,
    /// Scheme, host and port that the call came to.
    pub(super) base: String,
}

/// A part of a list.
pub(super) struct Page<T> {
    pub(super) entries: Vec<T>,
    pub(super) after: usize,
    pub(super) limit: usize,
    pub(super) total: usize,
}

impl Call<'_> {
    /// A header.
    pub(super) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }

    /// Which entries a page has: the position before the first, and how many at most.
    pub(super) fn window(&self, usual: usize, most: usize) -> Outcome<(usize, usize)> {
        let limit = self.params.number("limit")?.unwrap_or(usual).min(most);
        let before = self.params.number("before")?;
        match (self.params.number("after")?, before) {
            (Some(_), Some(_)) => Err(Refusal::Invalid("after and before exclude each other".to_owned())),
            (None, Some(before)) => Ok((before.saturating_sub(limit), limit.min(before))),
            (after, None) => Ok((after.unwrap_or(0), limit)),
        }
    }

    /// The page of a list that is asked for.
    pub(super) fn page<T>(&self, all: Vec<T>) -> Outcome<Page<T>> {
        let lists = &self.state.settings.lists;
        let (after, limit) = self.window(lists.usual, lists.most)?;
        let total = all.len();
        Ok(Page { entries: all.into_iter().skip(after).take(limit).collect(), after, limit, total })
    }
}

impl<T> Page<T> {
    /// What is said of a list beside its entries.
    pub(super) fn summary(&self, groups: &[(&str, usize)]) -> Value {
        let entry: Vec<Value> = groups
            .iter()
            .filter(|(_, count)| *count > 0)
            .map(|(key, value)| json!({"key": key, "value": value}))
            .collect();
        json!({
            "after_index": self.after, "limit": self.limit, "actual_count_of_items": self.entries.len(),
            "total_number_of_items": self.total, "group_to_count_map": {"entry": entry},
        })
    }
}
