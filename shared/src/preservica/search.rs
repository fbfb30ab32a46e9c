//! Search. It is behind what was archived: whether an ingest has happened is asked by identifier, never here.

use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::{
    Client,
    call::Call,
    entity::EntityKind,
    error::{Effect, unexpected},
    ids::Reference,
};
use crate::error::Result;

/// What is searched for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Search {
    /// Words; everything when empty.
    pub text: String,
    /// Fields and the values of which they have to have one.
    pub fields: Vec<(String, Vec<String>)>,
    /// Fields and the values of which they must have none. Since 7.5.
    pub without: Vec<(String, Vec<String>)>,
    /// The field it is sorted by, and whether the greatest comes first.
    pub sort: Option<(String, bool)>,
    /// Fields that are shown of what is found.
    pub show: Vec<String>,
}

/// Something that was found.
#[derive(Debug, Clone, PartialEq)]
pub struct Found {
    /// What it is.
    pub kind: EntityKind,
    /// Its reference.
    pub reference: Reference,
    /// The fields that were to be shown.
    pub fields: Map<String, Value>,
}

/// One page of what was found.
#[derive(Debug, Clone, PartialEq)]
pub struct FoundPage {
    /// What is on it.
    pub found: Vec<Found>,
    /// How many there are in all, as the server says.
    pub total: u64,
}

#[derive(Deserialize)]
pub(super) struct Envelope<T> {
    #[serde(default = "yes")]
    success: bool,
    value: Option<T>,
}

fn yes() -> bool {
    true
}

impl<T> Envelope<T> {
    /// What is in it.
    pub(super) fn open(self, operation: &'static str) -> Result<T> {
        let lacks = || unexpected(operation, Effect::Read, "it says that it did not succeed");
        self.value.filter(|_| self.success).ok_or_else(lacks)
    }
}

#[derive(Deserialize)]
struct Answer {
    #[serde(rename = "objectIds", default)]
    ids: Vec<String>,
    #[serde(rename = "totalHits", default)]
    total: u64,
    #[serde(default)]
    metadata: Vec<Vec<Named>>,
}

#[derive(Deserialize)]
struct Named {
    name: String,
    #[serde(default)]
    value: Value,
}

/// `sdb:IO|reference`.
fn object(id: &str) -> Option<(EntityKind, Reference)> {
    let (kind, reference) = id.strip_prefix("sdb:")?.split_once('|')?;
    Some((EntityKind::named(kind)?, Reference::new(reference)))
}

impl Search {
    fn query(&self) -> Value {
        let field = |(name, values): &(String, Vec<String>), operator: Option<&str>| {
            let mut field = json!({"name": name, "values": values});
            if let (Some(operator), Some(object)) = (operator, field.as_object_mut()) {
                object.insert("operator".to_owned(), operator.into());
            }
            field
        };
        let wanted = self.fields.iter().map(|one| field(one, None));
        let unwanted = self.without.iter().map(|one| field(one, Some("NOT")));
        let mut query = json!({
            "q": if self.text.is_empty() { "%" } else { &self.text },
            "fields": wanted.chain(unwanted).collect::<Vec<_>>(),
        });
        if let (Some((name, is_descending)), Some(object)) = (&self.sort, query.as_object_mut()) {
            let order = if *is_descending { "desc" } else { "asc" };
            object.insert("sort".to_owned(), json!([{"sortFields": [name], "sortOrder": order}]));
        }
        query
    }
}

impl Client {
    /// One page of what is found, from the entry at `start`.
    ///
    /// # Errors
    /// As any call.
    pub async fn search_page(&self, search: &Search, start: u64) -> Result<FoundPage> {
        let mut fields = vec![
            ("start", start.to_string()),
            ("max", self.settings.page_size.to_string()),
            ("q", search.query().to_string()),
        ];
        if !search.show.is_empty() {
            fields.push(("metadata", search.show.join(",")));
        }
        let call = Call::post("search", &["content", "search"]).elsewhere().reading().form(&fields);
        let envelope: Envelope<Answer> = self.ask_json(&call).await?;
        let Answer { ids, total, mut metadata } = envelope.open(call.operation())?;
        metadata.resize_with(ids.len(), Vec::new);
        let found = ids.iter().zip(metadata).map(|(id, values)| {
            let (kind, reference) = object(id)?;
            let fields = values.into_iter().map(|Named { name, value }| (name, value)).collect();
            Some(Found { kind, reference, fields })
        });
        let found: Option<Vec<Found>> = found.collect();
        let found = found.ok_or_else(|| unexpected(call.operation(), Effect::Read, "an id is none"))?;
        Ok(FoundPage { found, total })
    }

    /// Everything that is found, at most so many. It ends on a page without anything, whatever total the server claims.
    ///
    /// # Errors
    /// As any call.
    pub async fn search(&self, search: &Search, most: usize) -> Result<Vec<Found>> {
        let mut all: Vec<Found> = Vec::new();
        loop {
            let page = self.search_page(search, all.len() as u64).await?;
            let is_last = page.found.is_empty() || all.len() as u64 + page.found.len() as u64 >= page.total;
            all.extend(page.found);
            if is_last || all.len() >= most {
                all.truncate(most);
                return Ok(all);
            }
        }
    }
}
