//! What changed. Ids come first, then the records, some at once: nothing bounds a list of the vendor's, and all of a large
//! account in one answer is more than anybody should read.

use std::collections::BTreeSet;

use jiff::civil::Date;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value, json};

use super::{
    Client,
    error::{Effect, failure, unexpected},
    product::{Product, WORK, Work},
    reading::{lacks, need_input, product_selection, read, select},
    wire,
};
use crate::error::{Error, FailureClass, Result};

/// The server repeats what it gave, or gives more than there can be.
pub const PAGING_STUCK: &str = "consonance.paging-stuck";
/// A list that is not in order of ids, of an account of which nobody said that its lists are whole.
pub const LIST_UNORDERED: &str = "consonance.list-unordered";

/// A kind of record of which there is a list that says what changed.
struct Kind {
    listing: &'static str,
    reading: &'static str,
    list: &'static str,
    one: &'static str,
    search: &'static str,
    attributes: &'static str,
    of: &'static str,
}

const PRODUCTS: Kind = Kind {
    listing: "list products",
    reading: "read products",
    list: "products",
    one: "product",
    search: "productSearch",
    attributes: "ProductSearchAttributes",
    of: "Product",
};

const WORKS: Kind = Kind {
    listing: "list works",
    reading: "read works",
    list: "works",
    one: "work",
    search: "workSearch",
    attributes: "WorkSearchAttributes",
    of: "Work",
};

impl Client {
    /// Ids of products that may have changed since a day, or of all of them, in order and beyond `after` (0 for all): whoever
    /// has to stop goes on from the last one that was dealt with. A day before the last known one is the one to ask for: the
    /// vendor promises nothing, and what did not change is found by comparing.
    ///
    /// # Errors
    /// [`PAGING_STUCK`] when the server repeats itself, [`LIST_UNORDERED`] when it may have left something out.
    pub async fn changed_product_ids(&self, since: Option<Date>, after: i64) -> Result<Vec<i64>> {
        self.changed_ids(&PRODUCTS, since, after).await
    }

    /// The same of works.
    ///
    /// # Errors
    /// As [`Client::changed_product_ids`].
    pub async fn changed_work_ids(&self, since: Option<Date>, after: i64) -> Result<Vec<i64>> {
        self.changed_ids(&WORKS, since, after).await
    }

    /// Products by their ids, in that order; those that are gone are left out.
    ///
    /// # Errors
    /// When one of them cannot be read.
    pub async fn read_products(&self, ids: &[i64]) -> Result<Vec<Product>> {
        self.read_each(&PRODUCTS, ids, &product_selection()).await
    }

    /// The same of works.
    ///
    /// # Errors
    /// When one of them cannot be read.
    pub async fn read_works(&self, ids: &[i64]) -> Result<Vec<Work>> {
        self.read_each(&WORKS, ids, WORK).await
    }

    /// Products that may have changed since a day, or all of them, in memory at once.
    ///
    /// # Errors
    /// As [`Client::changed_product_ids`].
    pub async fn products_changed(&self, since: Option<Date>) -> Result<Vec<Product>> {
        self.read_products(&self.changed_product_ids(since, 0).await?).await
    }

    /// The same of works.
    ///
    /// # Errors
    /// As [`Client::changed_product_ids`].
    pub async fn works_changed(&self, since: Option<Date>) -> Result<Vec<Work>> {
        self.read_works(&self.changed_work_ids(since, 0).await?).await
    }

    async fn changed_ids(&self, kind: &Kind, since: Option<Date>, after: i64) -> Result<Vec<i64>> {
        let schema = self.capabilities().await?;
        let Kind { list, search, attributes, listing, of, .. } = *kind;
        need_input(&schema, listing, attributes, "after")?;
        if since.is_some() {
            need_input(&schema, listing, attributes, "changedSince")?;
        }
        if schema.field(of, "id").is_none() {
            return Err(lacks(listing, &format!("{of} has no id")));
        }
        let text = format!("query List($search: {attributes}) {{ {list}({search}: $search) {{ id }} }}");
        // The greatest id is what `after` goes on from: order is not promised, and neither is that a record comes once.
        let (mut greatest, mut found) = (after, BTreeSet::new());
        loop {
            let mut asked = Map::from_iter([("after".to_owned(), json!(greatest))]);
            if let Some(since) = since {
                asked.insert("changedSince".to_owned(), json!(since.to_string()));
            }
            let mut data = self.query(listing, Effect::Read, &text, json!({"search": asked})).await?;
            let page = match data.get_mut(list).map(Value::take) {
                Some(Value::Array(page)) => page,
                Some(Value::Null) => Vec::new(),
                _ => return Err(unexpected(listing, Effect::Read, "no list in it")),
            };
            if page.is_empty() {
                return Ok(found.into_iter().collect());
            }
            let (before, mut in_order) = (greatest, true);
            for record in page {
                let id = record.get("id").and_then(wire::as_integer);
                let id = id.ok_or_else(|| unexpected(listing, Effect::Read, "a record without its id"))?;
                in_order &= id >= greatest;
                greatest = greatest.max(id);
                found.insert(id);
            }
            if greatest <= before || found.len() > self.settings.most_records {
                return Err(stuck(listing, greatest, found.len()));
            }
            if !in_order && !self.settings.unordered_lists_are_whole {
                return Err(unordered(listing));
            }
        }
    }

    async fn read_each<T: DeserializeOwned>(&self, kind: &Kind, ids: &[i64], wanted: &str) -> Result<Vec<T>> {
        let schema = self.capabilities().await?;
        let selected = select(&schema, kind.reading, kind.of, wanted)?;
        let mut records: Vec<T> = Vec::with_capacity(ids.len());
        for some in ids.chunks(self.settings.records_at_once.max(1)) {
            let answered: Result<Vec<T>> = self.read_some(kind, some, &selected).await;
            match answered {
                Ok(read) => records.extend(read),
                // A server may tell of one that is gone by an error, and give none of the others then.
                Err(error) if error.code() == super::NOT_FOUND => {
                    for id in some {
                        let search = (kind.search, kind.attributes);
                        let alone: Option<T> =
                            self.one(kind.reading, kind.one, search, kind.of, *id, wanted).await?;
                        records.extend(alone);
                    }
                }
                Err(error) => return Err(error),
            }
        }
        Ok(records)
    }

    async fn read_some<T: DeserializeOwned>(
        &self,
        kind: &Kind,
        ids: &[i64],
        selected: &str,
    ) -> Result<Vec<T>> {
        let Kind { reading, one, search, attributes, of, .. } = *kind;
        let numbered = || (0..).zip(ids).map(|(number, id): (usize, _)| (number, *id));
        let variables: Vec<String> =
            numbered().map(|(number, _)| format!("$s{number}: {attributes}!")).collect();
        let fields: Vec<String> = numbered()
            .map(|(number, _)| format!("r{number}: {one}({search}: $s{number}) {{ ...Wanted }}"))
            .collect();
        let text = format!(
            "query Read({}) {{ {} }} fragment Wanted on {of} {{ {selected} }}",
            variables.join(", "),
            fields.join(" ")
        );
        let searches: Map<String, Value> =
            numbered().map(|(number, id)| (format!("s{number}"), json!({"idEq": id}))).collect();
        let mut data = self.query(reading, Effect::Read, &text, Value::Object(searches)).await?;
        let mut records = Vec::with_capacity(ids.len());
        for (number, id) in numbered() {
            let record = data.get_mut(format!("r{number}")).map(Value::take).unwrap_or_default();
            if record.is_null() {
                continue;
            }
            // A search that the server does not understand would give another record.
            if record.get("id").and_then(wire::as_integer) != Some(id) {
                return Err(unexpected(reading, Effect::Read, "another record than was asked for"));
            }
            records.push(read(reading, record)?);
        }
        Ok(records)
    }
}

fn stuck(operation: &'static str, greatest: i64, records: usize) -> Error {
    let message =
        format!("the list never ends: {records} records, and no id beyond {greatest} where more were given");
    failure(FailureClass::Forbidden, operation, PAGING_STUCK, message)
        .remedy("the server ignores `after`, or most_records is too low")
}

fn unordered(operation: &'static str) -> Error {
    let message =
        "the list is not in order of ids: if it is capped as well, records are left out of it unseen";
    failure(FailureClass::Forbidden, operation, LIST_UNORDERED, message).remedy(
        "ask the vendor's support whether lists are capped; set unordered_lists_are_whole when they are not",
    )
}
