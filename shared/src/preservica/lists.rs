//! Lists, page by page. An answer says where the next page is; that is followed only to the server we were given, and no
//! further than to a page that brings nothing or was there before.

use std::collections::HashSet;

use super::{
    Client,
    call::Call,
    error::{Effect, failure, unexpected},
    xml::{ENTITY, Element},
};
use crate::error::{FailureClass, Result};

/// What the entries of a page are read with; nothing for a page with an entry that is not understood.
type Reading<T> = fn(&Element) -> Option<Vec<T>>;

/// The pages of a list.
pub struct Entries<'a, T> {
    client: &'a Client,
    operation: &'static str,
    next: Option<Call>,
    seen: HashSet<String>,
    read: Reading<T>,
    /// How many there are, as the last page said.
    total: Option<u64>,
}

impl<'a, T> Entries<'a, T> {
    pub(super) fn new(client: &'a Client, first: Call, read: Reading<T>) -> Self {
        let operation = first.operation();
        let first = first.query("start", 0).query("max", client.settings.page_size);
        Self { client, operation, next: Some(first), seen: HashSet::new(), read, total: None }
    }

    /// The next page, or nothing at the end.
    ///
    /// # Errors
    /// As any call; [`super::FOREIGN_HOST`] when the next page is said to be elsewhere; `preservica.endless-list` when it is one
    /// that was there before.
    pub async fn next_page(&mut self) -> Result<Option<Vec<T>>> {
        let Some(call) = self.next.take() else { return Ok(None) };
        let root = self.client.ask_xml(&call).await?;
        let wrong = || unexpected(self.operation, Effect::Read, "an entry of the list has no reference");
        let entries = (self.read)(&root).ok_or_else(wrong)?;
        let paging = root.search(ENTITY, "Paging");
        let text = |name: &str| paging.and_then(|paging| paging.text_of(name));
        self.total = text("TotalResults").and_then(|text| text.parse().ok()).or(self.total);
        if entries.is_empty() {
            return Ok(None);
        }
        if let Some(address) = text("Next") {
            let target = self.client.own_target(self.operation, &address)?;
            if !self.seen.insert(target.clone()) {
                let message = "the list says that a page follows which was there before";
                return Err(failure(
                    FailureClass::Forbidden,
                    self.operation,
                    "preservica.endless-list",
                    message,
                ));
            }
            self.next = Some(Call::follow(self.operation, &target));
        }
        Ok(Some(entries))
    }

    /// All pages in one list.
    ///
    /// # Errors
    /// As [`Entries::next_page`].
    pub async fn all(mut self) -> Result<Vec<T>> {
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
}
