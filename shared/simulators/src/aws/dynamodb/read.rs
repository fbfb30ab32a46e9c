//! `GetItem`, `BatchGetItem`, `Query`, `Scan`.

use std::ops::Bound;

use serde_json::{Map, Value as Json, json};

use super::State;
use super::expression::key::KeyCondition;
use super::expression::parser::projection;
use super::expression::path::{Path, project};
use super::expression::{Condition, Placeholders};
use super::table::{Key, Table, key_value};
use super::value::{Item, item_from_json, item_to_json, size_of_item};
use super::write::{consumed, item, refuse_legacy, text};
use crate::aws::failure::Failure;

/// A page ends after this much, as read, before the filter.
const LARGEST_PAGE: usize = 1024 * 1024;

/// Half a unit per started four kilobytes, a whole one when the read is consistent.
fn read_units(size: usize, request: &Map<String, Json>) -> f64 {
    let consistent = request.get("ConsistentRead").and_then(Json::as_bool).unwrap_or(false);
    let blocks = u32::try_from(size.div_ceil(4096).max(1)).unwrap_or(u32::MAX);
    f64::from(blocks) * if consistent { 1.0 } else { 0.5 }
}

fn count_read(state: &mut State, table: &str, units: f64) -> Result<(), Failure> {
    let counters = &mut state.table_mut(table)?.counters;
    counters.reads += 1;
    counters.read_units += units;
    Ok(())
}

fn projected(item: &Item, paths: Option<&[Path]>) -> Json {
    match paths {
        Some(paths) => item_to_json(&project(item, paths)),
        None => item_to_json(item),
    }
}

pub(super) fn get(state: &mut State, request: &Map<String, Json>) -> Result<Json, Failure> {
    refuse_legacy(request)?;
    let mut placeholders = Placeholders::read(request, &["ProjectionExpression"])?;
    let paths =
        text(request, "ProjectionExpression").map(|text| projection(text, &mut placeholders)).transpose()?;
    placeholders.finish()?;
    let table = state.table(text(request, "TableName").unwrap_or_default())?;
    let found = table.items.get(&table.exact_key(&item(request, "Key")?)?);
    let units = read_units(found.map_or(0, size_of_item), request);
    let mut answer = Map::new();
    if let Some(found) = found {
        answer.insert("Item".to_owned(), projected(found, paths.as_deref()));
    }
    let name = table.name.clone();
    if let Some(report) = consumed(request, &name, "", units) {
        answer.insert("ConsumedCapacity".to_owned(), report);
    }
    count_read(state, &name, units)?;
    Ok(Json::Object(answer))
}

pub(super) fn batch_get(state: &mut State, request: &Map<String, Json>) -> Result<Json, Failure> {
    let tables = request.get("RequestItems").and_then(Json::as_object).cloned().unwrap_or_default();
    let keys = |wanted: &Json| wanted.get("Keys").and_then(Json::as_array).cloned().unwrap_or_default();
    let count: usize = tables.values().map(|wanted| keys(wanted).len()).sum();
    if count == 0 || count > 100 {
        return Err(Failure::validation(
            "Too many items requested for the BatchGetItem call, or none: between 1 and 100 are allowed",
        ));
    }
    let mut responses = Map::new();
    let mut reports = Vec::new();
    for (name, wanted) in &tables {
        let members = wanted.as_object().cloned().unwrap_or_default();
        refuse_legacy(&members)?;
        let mut placeholders = Placeholders::read(&members, &["ProjectionExpression"])?;
        let paths = text(&members, "ProjectionExpression")
            .map(|text| projection(text, &mut placeholders))
            .transpose()?;
        placeholders.finish()?;
        let table = state.table(name)?;
        let mut seen: Vec<Key> = Vec::new();
        let mut found = Vec::new();
        let mut units = 0.0;
        for key in keys(wanted) {
            let key = table.exact_key(&item_from_json(key.as_object().unwrap_or(&Map::new()))?)?;
            if seen.contains(&key) {
                return Err(Failure::validation("Provided list of item keys contains duplicates"));
            }
            let item = table.items.get(&key);
            units += read_units(item.map_or(0, size_of_item), &members);
            found.extend(item.map(|item| projected(item, paths.as_deref())));
            seen.push(key);
        }
        responses.insert(name.clone(), Json::Array(found));
        reports.extend(consumed(request, name, "", units));
        count_read(state, name, units)?;
    }
    let mut answer = Map::new();
    answer.insert("Responses".to_owned(), Json::Object(responses));
    answer.insert("UnprocessedKeys".to_owned(), json!({}));
    if !reports.is_empty() {
        answer.insert("ConsumedCapacity".to_owned(), Json::Array(reports));
    }
    Ok(Json::Object(answer))
}

/// What `Query` and `Scan` do with the items they walk over.
struct Page {
    filter: Option<Condition>,
    paths: Option<Vec<Path>>,
    limit: usize,
}

impl Page {
    fn read(request: &Map<String, Json>, placeholders: &mut Placeholders) -> Result<Self, Failure> {
        let filter = text(request, "FilterExpression")
            .map(|text| Condition::parse("FilterExpression", text, placeholders))
            .transpose()?;
        let paths =
            text(request, "ProjectionExpression").map(|text| projection(text, placeholders)).transpose()?;
        let limit = match request.get("Limit").and_then(Json::as_u64) {
            Some(0) => {
                return Err(Failure::validation(
                    "1 validation error detected: Value '0' at 'limit' failed to satisfy constraint: Member must have \
                     value greater than or equal to 1",
                ));
            }
            Some(limit) => usize::try_from(limit).unwrap_or(usize::MAX),
            None => usize::MAX,
        };
        Ok(Self { filter, paths, limit })
    }

    fn walk<'table>(
        &self,
        request: &Map<String, Json>,
        table: &'table Table,
        items: impl Iterator<Item = &'table Item>,
    ) -> (Map<String, Json>, f64) {
        let (mut scanned, mut size) = (0, 0);
        let mut found = Vec::new();
        let mut last = None;
        for item in items {
            scanned += 1;
            size += size_of_item(item);
            if self.filter.as_ref().is_none_or(|filter| filter.holds(item)) {
                found.push(projected(item, self.paths.as_deref()));
            }
            // As at AWS, a page that its limit ended names a last key even when nothing follows it.
            if scanned >= self.limit || size >= LARGEST_PAGE {
                last = Some(item_to_json(&table.key_of(item)));
                break;
            }
        }
        let mut answer = Map::new();
        answer.insert("Count".to_owned(), json!(found.len()));
        answer.insert("ScannedCount".to_owned(), json!(scanned));
        if text(request, "Select") != Some("COUNT") {
            answer.insert("Items".to_owned(), Json::Array(found));
        }
        if let Some(last) = last {
            answer.insert("LastEvaluatedKey".to_owned(), last);
        }
        let units = read_units(size, request);
        if let Some(report) = consumed(request, &table.name, "", units) {
            answer.insert("ConsumedCapacity".to_owned(), report);
        }
        (answer, units)
    }
}

fn start_key(request: &Map<String, Json>, table: &Table) -> Result<Option<Key>, Failure> {
    if !request.contains_key("ExclusiveStartKey") {
        return Ok(None);
    }
    table
        .exact_key(&item(request, "ExclusiveStartKey")?)
        .map(Some)
        .map_err(|_| Failure::validation("The provided starting key is invalid"))
}

pub(super) fn query(state: &mut State, request: &Map<String, Json>) -> Result<Json, Failure> {
    refuse_legacy(request)?;
    let mut placeholders =
        Placeholders::read(request, &["FilterExpression", "ProjectionExpression", "KeyConditionExpression"])?;
    let table = state.table(text(request, "TableName").unwrap_or_default())?;
    let condition = text(request, "KeyConditionExpression").ok_or_else(|| {
        Failure::validation(
            "Either the KeyConditions or KeyConditionExpression parameter must be specified in the request.",
        )
    })?;
    let range = table.range.as_ref().map(|part| part.name.as_str());
    let condition = KeyCondition::parse(condition, &mut placeholders, &table.hash.name, range)?;
    let page = Page::read(request, &mut placeholders)?;
    placeholders.finish()?;
    let keys = table.keys();
    let filtered = page.filter.as_ref().map(Condition::paths).unwrap_or_default();
    if let Some(path) = filtered.iter().find(|path| keys.contains(&path.attribute.as_str())) {
        return Err(Failure::validation(format!(
            "Filter Expression can only contain non-primary key attributes: Primary key attribute: {}",
            path.attribute
        )));
    }
    if condition.partition.type_name() != table.hash.kind {
        return Err(Failure::validation(
            "One or more parameter values were invalid: Condition parameter type does not match schema type",
        ));
    }
    let partition = key_value(&table.hash.name, &condition.partition, 2048, "hashkey")?;
    let forward = request.get("ScanIndexForward").and_then(Json::as_bool).unwrap_or(true);
    let start = start_key(request, table)?;
    let after = |key: &Key| match &start {
        Some(start) if forward => key > start,
        Some(start) => key < start,
        None => true,
    };
    let matching: Vec<&Item> = table
        .items
        .range((partition.clone(), None)..)
        .take_while(|(key, _)| key.0 == partition)
        .filter(|(key, item)| {
            after(key) && condition.sort.as_ref().is_none_or(|condition| condition.holds(item))
        })
        .map(|(_, item)| item)
        .collect();
    let (answer, units) = if forward {
        page.walk(request, table, matching.into_iter())
    } else {
        page.walk(request, table, matching.into_iter().rev())
    };
    let name = table.name.clone();
    count_read(state, &name, units)?;
    Ok(Json::Object(answer))
}

pub(super) fn scan(state: &mut State, request: &Map<String, Json>) -> Result<Json, Failure> {
    refuse_legacy(request)?;
    let mut placeholders = Placeholders::read(request, &["FilterExpression", "ProjectionExpression"])?;
    let page = Page::read(request, &mut placeholders)?;
    placeholders.finish()?;
    let table = state.table(text(request, "TableName").unwrap_or_default())?;
    let from = start_key(request, table)?.map_or(Bound::Unbounded, Bound::Excluded);
    let items = table.items.range((from, Bound::Unbounded)).map(|(_, item)| item);
    let (answer, units) = page.walk(request, table, items);
    let name = table.name.clone();
    count_read(state, &name, units)?;
    Ok(Json::Object(answer))
}
