//! Search: an index that follows what is written, with its query language, filters, facets and sorting.

mod documents;
mod lucene;
mod matching;
mod saved;

use std::collections::BTreeMap;

use serde_json::{Value, json};

use self::lucene::{End, Query};
use self::matching::{is_there, matches, text_of, values_at, within};
use super::{Object, Outcome, Refusal, State};
use crate::iconik::page::Sorting;
use crate::iconik::settings::Operator;

/// Where words without a field are looked for.
const FIELDS: &[&str] = &["title", "description", "external_id", "metadata.*", "segment_text", "files.name"];
/// How many values a facet tells.
const FACET: usize = 10;

/// What is asked for.
pub(in crate::iconik) struct Search {
    query: Option<Query>,
    kinds: Vec<String>,
    fields: Vec<String>,
    filter: Option<Filter>,
    facets: Vec<String>,
    facets_filters: Vec<(String, Vec<String>)>,
    pub(in crate::iconik) sorting: Sorting,
    pub(in crate::iconik) after: Vec<Value>,
    view: Option<String>,
    include: Vec<String>,
    exclude: Vec<String>,
}

struct Filter {
    all: bool,
    negated: bool,
    terms: Vec<Term>,
    filters: Vec<Filter>,
}

struct Term {
    name: String,
    test: Test,
}

enum Test {
    Value(Query),
    OneOf(Vec<String>),
    Range(End, End),
    Exists(bool),
}

/// What was found.
pub(in crate::iconik) struct Found {
    /// Documents, each with `_sort`.
    pub(in crate::iconik) objects: Vec<Value>,
    /// Facets by name.
    pub(in crate::iconik) facets: Object,
}

impl Search {
    /// Reads the body of a search.
    pub(in crate::iconik) fn read(body: &Object, operator: Operator) -> Outcome<Self> {
        let text = |name: &str| body.get(name).and_then(Value::as_str).filter(|text| !text.trim().is_empty());
        let mut kinds = texts(body.get("doc_types"));
        if kinds.is_empty() {
            kinds = vec!["assets".to_owned(), "collections".to_owned()];
        }
        let mut fields = texts(body.get("search_fields"));
        if fields.is_empty() {
            fields = FIELDS.iter().map(|field| (*field).to_owned()).collect();
        }
        let list = |name: &str| body.get(name).and_then(Value::as_array).into_iter().flatten();
        let mut keys = Vec::new();
        for sort in list("sort") {
            let Some(name) = sort.get("name").and_then(Value::as_str) else {
                return Err(Refusal::field("sort", "Missing data for required field."));
            };
            keys.push((name.to_owned(), sort.get("order").and_then(Value::as_str) == Some("desc")));
        }
        let filtered = list("facets_filters").map(|filter| -> Outcome<(String, Vec<String>)> {
            let name = filter.get("name").and_then(Value::as_str);
            let name =
                name.ok_or_else(|| Refusal::field("facets_filters", "Missing data for required field."))?;
            Ok((name.to_owned(), texts(filter.get("value_in"))))
        });
        Ok(Self {
            query: text("query").map(|text| lucene::parse(text, operator)).transpose()?,
            kinds,
            fields,
            filter: match body.get("filter").and_then(Value::as_object) {
                Some(filter) if !filter.is_empty() => Some(Filter::read(filter, operator)?),
                _ => None,
            },
            facets: texts(body.get("facets")),
            facets_filters: filtered.collect::<Outcome<_>>()?,
            sorting: Sorting::of(keys),
            after: list("search_after").cloned().collect(),
            view: text("metadata_view_id").map(str::to_owned),
            include: texts(body.get("include_fields")),
            exclude: texts(body.get("exclude_fields")),
        })
    }

    /// Only these kinds, when there are some.
    pub(in crate::iconik) fn only(&mut self, kinds: &[String]) {
        if !kinds.is_empty() {
            self.kinds = kinds.to_vec();
        }
    }

    fn takes(&self, document: &Value) -> bool {
        let is_kind = document.get("object_type").and_then(Value::as_str);
        is_kind.is_some_and(|kind| self.kinds.iter().any(|wanted| wanted == kind))
            && self.query.as_ref().is_none_or(|query| matches(query, document, &self.fields))
            && self.filter.as_ref().is_none_or(|filter| filter.takes(document))
            && self.facets_filters.iter().all(|(name, wanted)| {
                values_at(document, name).into_iter().any(|value| wanted.contains(&text_of(value)))
            })
    }

    fn facets(&self, found: &[Value]) -> Object {
        let mut facets = Object::new();
        for name in &self.facets {
            let mut counts: BTreeMap<String, u64> = BTreeMap::new();
            for value in
                found.iter().flat_map(|document| values_at(document, name)).filter(|value| is_there(value))
            {
                *counts.entry(text_of(value)).or_default() += 1;
            }
            let mut counts: Vec<(String, u64)> = counts.into_iter().collect();
            counts.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
            let others: u64 = counts.iter().skip(FACET).map(|(_, count)| count).sum();
            let buckets: Vec<Value> = counts
                .iter()
                .take(FACET)
                .map(|(key, count)| json!({"key": key, "doc_count": count}))
                .collect();
            let facet =
                json!({"buckets": buckets, "doc_count_error_upper_bound": 0, "sum_other_doc_count": others});
            facets.insert(name.clone(), facet);
        }
        facets
    }

    /// Leaves in a document what was asked for.
    fn trim(&self, document: &mut Object, shown: Object) {
        document.insert("metadata".to_owned(), Value::Object(shown));
        let is_own = |name: &str| ["id", "object_type", "_sort"].contains(&name);
        let top = |field: &String| field.split('.').next().unwrap_or_default().to_owned();
        if !self.include.is_empty() {
            let kept: Vec<String> = self.include.iter().map(top).collect();
            document.retain(|name, _| is_own(name) || kept.contains(name));
        }
        document.retain(|name, _| is_own(name) || !self.exclude.contains(name));
    }
}

impl Filter {
    fn read(filter: &Object, operator: Operator) -> Outcome<Self> {
        let list = |name: &str| filter.get(name).and_then(Value::as_array).into_iter().flatten();
        let object = |value: &Value| value.as_object().cloned().unwrap_or_default();
        let joined = filter.get("operator").and_then(Value::as_str).unwrap_or("AND").to_uppercase();
        if !["AND", "OR", "NOT"].contains(&joined.as_str()) {
            return Err(Refusal::field("operator", "Must be one of: AND, OR, NOT."));
        }
        Ok(Self {
            all: joined == "AND",
            negated: joined == "NOT",
            terms: list("terms").map(|term| Term::read(&object(term), operator)).collect::<Outcome<_>>()?,
            filters: list("filters")
                .map(|filter| Self::read(&object(filter), operator))
                .collect::<Outcome<_>>()?,
        })
    }

    fn takes(&self, document: &Value) -> bool {
        let mut results = (self.terms.iter().map(|term| term.takes(document)))
            .chain(self.filters.iter().map(|filter| filter.takes(document)));
        let is_empty = self.terms.is_empty() && self.filters.is_empty();
        match (self.negated, self.all) {
            _ if is_empty => true,
            (true, _) => results.all(|result| !result),
            (false, true) => results.all(|result| result),
            (false, false) => results.any(|result| result),
        }
    }
}

impl Term {
    fn read(term: &Object, operator: Operator) -> Outcome<Self> {
        let name = term.get("name").and_then(Value::as_str).map(str::to_owned);
        let name = name.ok_or_else(|| Refusal::field("name", "Missing data for required field."))?;
        let set = |name: &str| term.get(name).filter(|value| !value.is_null());
        let test =
            if let Some(wanted) = set("value_in").and_then(Value::as_array).filter(|list| !list.is_empty()) {
                Test::OneOf(wanted.iter().map(text_of).collect())
            } else if let Some(range) = set("range").and_then(Value::as_object) {
                let zone = range.get("timezone").and_then(Value::as_str).unwrap_or_default();
                let end = |name: &str| -> End {
                    let text = range.get(name).filter(|value| is_there(value)).map(text_of)?;
                    Some((zoned(&text, zone), true))
                };
                Test::Range(end("min"), end("max"))
            } else if let Some(exists) = set("exists").and_then(Value::as_bool) {
                Test::Exists(exists)
            } else if let Some(missing) = set("missing").and_then(Value::as_bool) {
                Test::Exists(!missing)
            } else if let Some(value) = set("value").filter(|value| is_there(value)) {
                Test::Value(lucene::parse(&text_of(value), operator)?)
            } else {
                return Err(Refusal::field(&name, "A term needs value, value_in, range, exists or missing."));
            };
        Ok(Self { name, test })
    }

    fn takes(&self, document: &Value) -> bool {
        let values = values_at(document, &self.name);
        match &self.test {
            Test::Value(query) => matches(query, document, std::slice::from_ref(&self.name)),
            Test::OneOf(wanted) => values.into_iter().any(|value| wanted.contains(&text_of(value))),
            Test::Range(low, high) => values.into_iter().any(|value| within(value, low, high)),
            Test::Exists(exists) => values.into_iter().any(is_there) == *exists,
        }
    }
}

/// A time without a zone is in the one that the range names.
fn zoned(text: &str, zone: &str) -> String {
    let is_time = text.contains('T') && !zone.is_empty();
    let (_, clock) = text.split_once('T').unwrap_or_default();
    let has_zone = clock.contains(['+', '-', 'Z']);
    if is_time && !has_zone { format!("{text}{zone}") } else { text.to_owned() }
}

fn texts(list: Option<&Value>) -> Vec<String> {
    list.and_then(Value::as_array)
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
        .map(str::to_owned)
        .collect()
}

/// Searches.
pub(in crate::iconik) fn searched(state: &State, user: &str, search: &Search) -> Found {
    let mut found: Vec<Value> = state
        .documents(user)
        .into_iter()
        .map(Value::Object)
        .filter(|document| search.takes(document))
        .collect();
    search.sorting.sort(&mut found);
    let facets = search.facets(&found);
    if !search.after.is_empty() {
        search.sorting.cut(&mut found, &search.after);
    }
    for document in &mut found {
        let keys = search.sorting.keys(document);
        let Some(document) = document.as_object_mut() else { continue };
        document.insert("_sort".to_owned(), keys.into());
        let all = document.get("metadata").and_then(Value::as_object).cloned().unwrap_or_default();
        search.trim(document, state.metadata_of_view(all, search.view.as_deref()));
    }
    Found { objects: found, facets }
}

impl State {
    /// Of a document's metadata what a view has; nothing without a view.
    fn metadata_of_view(&self, mut all: Object, view: Option<&str>) -> Object {
        let view = view.and_then(|view| self.metadata.views.get(view)?.get("view_fields")?.as_array());
        let names: Vec<&str> =
            view.into_iter().flatten().filter_map(|field| field.get("name")?.as_str()).collect();
        all.retain(|name, _| names.contains(&name.as_str()));
        all
    }
}
