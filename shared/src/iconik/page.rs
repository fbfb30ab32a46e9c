//! Lists, page by page, in the four ways the interface has.
//!
//! None of them is taken at its word. A listing ends on an empty page, on one that brings nothing new, on the announced
//! last page, and on the 404 that stands behind the last page; a short page alone ends it only where no further page is
//! announced. A listing by page number shifts when somebody deletes meanwhile: what must not be missed is looked for
//! again.

use std::{collections::HashSet, marker::PhantomData};

use serde::{Deserialize, de::DeserializeOwned};
use serde_json::Value;

use super::{
    Client,
    call::Call,
    error::{NOT_FOUND, failure, unexpected},
    wire,
};
use crate::error::{Error, FailureClass, Result};

/// How the next page is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Style {
    /// By its number.
    Number,
    /// By the id of the last object seen.
    LastId,
    /// By the sort keys of the last object seen, in the body.
    SearchAfter,
    /// By an id that stands for the listing.
    Scroll,
}

/// The pages of a list. Each object comes once, whatever the server repeats.
pub struct Pages<'a, T> {
    client: &'a Client,
    call: Call,
    style: Style,
    next: Option<Next>,
    /// Nobody can say "not found" of what a missing first page would belong to.
    first_may_be_missing: bool,
    seen: HashSet<String>,
    page: u32,
    read: PhantomData<fn() -> T>,
}

enum Next {
    First,
    Number(u32),
    LastId(String),
    SearchAfter(Value),
    Scroll(String),
}

#[derive(Deserialize)]
struct Envelope {
    #[serde(default, deserialize_with = "wire::list")]
    objects: Vec<Value>,
    #[serde(default, deserialize_with = "wire::integer_or_none")]
    pages: Option<i64>,
    #[serde(default, deserialize_with = "wire::integer_or_none")]
    per_page: Option<i64>,
    /// A path, not an address. Only that there is one counts: it does not always repeat what was asked for.
    #[serde(default, deserialize_with = "wire::text_or_none")]
    next_url: Option<String>,
    #[serde(default, deserialize_with = "wire::text_or_none")]
    scroll_id: Option<String>,
    #[serde(default)]
    search_after: Value,
}

impl<'a, T: DeserializeOwned> Pages<'a, T> {
    pub(super) fn new(client: &'a Client, call: Call, style: Style) -> Self {
        Self {
            client,
            call,
            style,
            next: Some(Next::First),
            first_may_be_missing: false,
            seen: HashSet::new(),
            page: 1,
            read: PhantomData,
        }
    }

    /// Says that the list belongs to nothing that could be missing: a 404 to the first page means it is empty.
    pub(super) fn of_everything(mut self) -> Self {
        self.first_may_be_missing = true;
        self
    }

    /// Reads by scrolling, which sees one state of the list and has no last page number. Of assets, collections,
    /// segments and jobs.
    #[must_use]
    pub fn scrolling(mut self) -> Self {
        self.style = Style::Scroll;
        self
    }

    /// Goes on behind a place that [`Pages::place`] gave, also of another process. Of searches alone.
    ///
    /// # Errors
    /// `Bug` when the text is no such place.
    pub fn behind(mut self, place: &str) -> Result<Self> {
        let keys = serde_json::from_str(place)
            .map_err(|error| Error::bug("search", "a place in a search cannot be read").source(error))?;
        self.next = Some(Next::SearchAfter(keys));
        Ok(self)
    }

    /// Where a search goes on behind the pages that were read, as text to be kept; nothing at its end.
    pub fn place(&self) -> Option<String> {
        match &self.next {
            Some(Next::SearchAfter(keys)) => Some(keys.to_string()),
            _ => None,
        }
    }

    /// The next page, or nothing at the end.
    ///
    /// # Errors
    /// As any call; `Forbidden`, `iconik.endless-list`, behind the last page that can be asked for.
    pub async fn next_page(&mut self) -> Result<Option<Vec<T>>> {
        let Some(next) = self.next.take() else { return Ok(None) };
        let is_first = matches!(next, Next::First);
        let call = self.asking(next)?;
        let envelope: Envelope = match self.client.ask(&call).await {
            Ok(envelope) => envelope,
            Err(error) if error.code() == NOT_FOUND && (!is_first || self.first_may_be_missing) => {
                return Ok(None);
            }
            Err(error) => return Err(error),
        };
        let fresh: Vec<&Value> =
            envelope.objects.iter().filter(|object| is_new(&mut self.seen, object)).collect();
        if fresh.is_empty() {
            return Ok(None);
        }
        let read = |object: &&Value| {
            T::deserialize(*object).map_err(|error| unexpected(call.operation(), call.effect(), error))
        };
        let objects = fresh.iter().map(read).collect::<Result<Vec<T>>>()?;
        self.next = self.following(&envelope);
        Ok(Some(objects))
    }

    /// All pages in one list.
    ///
    /// # Errors
    /// As [`Pages::next_page`].
    pub async fn all(mut self) -> Result<Vec<T>> {
        let mut objects = Vec::new();
        while let Some(page) = self.next_page().await? {
            objects.extend(page);
        }
        Ok(objects)
    }

    /// The first object for which something holds, without reading further than to it.
    ///
    /// # Errors
    /// As [`Pages::next_page`].
    pub async fn find(mut self, holds: impl Fn(&T) -> bool) -> Result<Option<T>> {
        while let Some(page) = self.next_page().await? {
            if let Some(found) = page.into_iter().find(&holds) {
                return Ok(Some(found));
            }
        }
        Ok(None)
    }

    fn asking(&self, next: Next) -> Result<Call> {
        let call = self.call.clone().query("per_page", self.client.settings.page_size);
        Ok(match next {
            Next::First if self.style == Style::Number => call.query("page", 1),
            Next::First if self.style == Style::Scroll => call.query("scroll", true),
            Next::First => call,
            Next::Number(page) if page > self.client.settings.page_ceiling => {
                let what = format!("the list goes on behind page {}", self.client.settings.page_ceiling);
                let error = failure(FailureClass::Forbidden, call.operation(), "iconik.endless-list", what);
                return Err(error.remedy("narrow what is listed"));
            }
            Next::Number(page) => call.query("page", page),
            Next::LastId(id) => call.query("last_id", id),
            Next::SearchAfter(keys) => call.member("search_after", keys),
            Next::Scroll(id) => call.query("scroll", true).query("scroll_id", id),
        })
    }

    fn following(&mut self, envelope: &Envelope) -> Option<Next> {
        self.page += 1;
        let announced = envelope.next_url.is_some();
        let asked = i64::from(self.client.settings.page_size);
        // A server may give fewer than asked for, and then says how many.
        let length = envelope.per_page.filter(|length| *length > 0).map_or(asked, |length| length.min(asked));
        let is_short = i64::try_from(envelope.objects.len()).is_ok_and(|count| count < length);
        let last = envelope.objects.last()?;
        match self.style {
            Style::Number => {
                let is_last = envelope.pages.is_some_and(|pages| i64::from(self.page) > pages);
                let ends = !announced && (is_last || (is_short && envelope.pages.is_none()));
                (!ends).then_some(Next::Number(self.page))
            }
            Style::LastId => {
                let id = last.get("id").and_then(Value::as_str)?;
                (announced || !is_short).then(|| Next::LastId(id.to_owned()))
            }
            Style::SearchAfter => {
                let is_filled = |keys: &&Value| keys.as_array().is_some_and(|keys| !keys.is_empty());
                let keys = last.get("_sort").filter(is_filled).or(Some(&envelope.search_after));
                keys.filter(is_filled).cloned().map(Next::SearchAfter)
            }
            Style::Scroll => envelope.scroll_id.clone().map(Next::Scroll),
        }
    }
}

/// Whether an object has not come before. What has no id is not told apart.
fn is_new(seen: &mut HashSet<String>, object: &Value) -> bool {
    match object.get("id").and_then(Value::as_str) {
        Some(id) => seen.insert(id.to_owned()),
        None => true,
    }
}
