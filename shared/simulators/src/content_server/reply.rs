//! Answers: the envelopes of both generations of the interface.

use serde_json::{Value, json};

use super::request::Params;
use super::settings::{Settings, TotalCount};
use super::state::Outcome;
use crate::content::Blob;

/// What a call answers.
#[derive(Debug)]
pub(super) enum Reply {
    /// JSON with status 200.
    Json(Value),
    /// Content of a version.
    Content(Content),
    /// Text of another type, as a web report declares it.
    Text {
        /// Content type.
        kind: &'static str,
        /// The text.
        text: String,
    },
}

/// Content to download.
#[derive(Debug)]
pub(super) struct Content {
    pub(super) blob: Blob,
    pub(super) mime_type: String,
    pub(super) file_name: String,
    pub(super) version_id: i64,
}

/// `results` in the envelope of the second generation.
pub(super) fn results(value: impl Into<Value>) -> Reply {
    let mut envelope = links();
    if let Some(object) = envelope.as_object_mut() {
        object.insert("results".to_owned(), value.into());
    }
    Reply::Json(envelope)
}

/// The usual answer to a write: an empty object, never nothing.
pub(super) fn done() -> Outcome<Reply> {
    Ok(results(json!({})))
}

pub(super) fn links() -> Value {
    json!({"links": {"data": {"self": {
        "body": "", "content_type": "", "href": "", "method": "GET", "name": ""
    }}}})
}

/// By how much a count that is too high is so: entries the caller may not see, say.
const UNSEEN: usize = 7;

/// One page of a list.
#[derive(Clone, Copy, Debug)]
pub(super) struct Page {
    pub(super) page: usize,
    pub(super) limit: usize,
    /// How many there are.
    total: usize,
    /// How many there are said to be, if anything is said.
    said: Option<usize>,
}

impl Page {
    /// Reads `page` and `limit` and cuts the list.
    pub(super) fn cut<T>(
        params: &Params,
        settings: &Settings,
        default: usize,
        items: Vec<T>,
    ) -> Outcome<(Self, Vec<T>)> {
        Self::cut_at(usize::MAX, params, settings, default, items)
    }

    /// As [`Page::cut`], for a list whose largest page is documented.
    pub(super) fn cut_at<T>(
        most: usize,
        params: &Params,
        settings: &Settings,
        default: usize,
        items: Vec<T>,
    ) -> Outcome<(Self, Vec<T>)> {
        let limit = usize::try_from(params.number("limit")?.unwrap_or(0)).unwrap_or(0);
        let limit = if limit == 0 { default } else { limit }.min(most).min(settings.largest_page).max(1);
        let page = usize::try_from(params.number("page")?.unwrap_or(1)).unwrap_or(1).max(1);
        let total = items.len();
        let said = match settings.total_count {
            TotalCount::Exact => Some(total),
            TotalCount::Absent => None,
            TotalCount::TooHigh => Some(total + UNSEEN),
        };
        let cut = items.into_iter().skip((page - 1).saturating_mul(limit)).take(limit).collect();
        Ok((Self { page, limit, total, said }, cut))
    }

    fn has_next(self) -> bool {
        self.page < self.said.unwrap_or(self.total).div_ceil(self.limit)
    }

    /// The numbers of a page, as both envelopes show them.
    pub(super) fn numbers(self) -> Value {
        let first = (self.page - 1).saturating_mul(self.limit);
        let mut numbers = json!({
            "limit": self.limit,
            "page": self.page,
            "range_min": if first < self.total { first + 1 } else { 0 },
            "range_max": if first < self.total { (first + self.limit).min(self.total) } else { 0 },
        });
        if let (Some(said), Some(object)) = (self.said, numbers.as_object_mut()) {
            object.insert("page_total".to_owned(), said.div_ceil(self.limit).into());
            object.insert("total_count".to_owned(), said.into());
        }
        numbers
    }

    fn next_link(self, path: &str) -> Option<Value> {
        let href = format!("{path}?page={}&limit={}", self.page + 1, self.limit);
        self.has_next()
            .then(|| json!({"body": "", "content_type": "", "href": href, "method": "GET", "name": "Next"}))
    }
}

/// A collection: `collection` with paging and sorting, `results` list. Browse lists nest the next link under `data`.
pub(super) fn collection(path: &str, page: Page, sort: &str, items: Vec<Value>) -> Value {
    let mut paging = page.numbers();
    if let (Some(next), Some(object)) = (page.next_link(path), paging.as_object_mut()) {
        object.insert("links".to_owned(), json!({"data": {"next": next}}));
    }
    let mut envelope = links();
    if let Some(object) = envelope.as_object_mut() {
        object.insert(
            "collection".to_owned(),
            json!({"paging": paging, "sorting": {"sort": [{"key": "sort", "value": sort}]}}),
        );
        object.insert("results".to_owned(), Value::from(items));
    }
    envelope
}

/// A list of workspaces: paging at the top level.
pub(super) fn workspace_list(path: &str, page: Page, items: Vec<Value>) -> Reply {
    let mut paging = page.numbers();
    if let (Some(next), Some(object)) = (page.next_link(path), paging.as_object_mut()) {
        object.insert("actions".to_owned(), json!({"next": next}));
    }
    let mut envelope = links();
    if let Some(object) = envelope.as_object_mut() {
        object.insert("paging".to_owned(), paging);
        object.insert("results".to_owned(), Value::from(items));
        object.insert("wksp_info".to_owned(), json!({"wksp_type_icon": null}));
        object.insert("meta_data".to_owned(), json!({"properties": {}}));
    }
    Reply::Json(envelope)
}
