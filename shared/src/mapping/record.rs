//! The input of rules and maps: values under namespaces such as `tag.status` or `sidecar.parties`.

use serde_json::{Map, Value as Json};

use super::Captures;

/// Everything known about an item, by namespace.
#[derive(Debug, Clone, Default, PartialEq, serde::Serialize)]
#[serde(transparent)]
pub struct Record {
    namespaces: Map<String, Json>,
}

impl Record {
    /// Nothing known yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// The record with a namespace set, replacing it when it was there.
    #[must_use]
    pub fn with(mut self, namespace: &str, values: impl Into<Json>) -> Self {
        self.namespaces.insert(namespace.to_owned(), values.into());
        self
    }

    /// The record with what a key pattern captured, under `capture`.
    #[must_use]
    pub fn with_captures(self, captures: &Captures) -> Self {
        let values: Map<String, Json> =
            captures.iter().map(|(name, value)| (name.to_owned(), Json::from(value))).collect();
        self.with("capture", values)
    }

    /// Whether a namespace is there at all.
    pub fn has(&self, namespace: &str) -> bool {
        self.namespaces.contains_key(namespace)
    }

    /// The value at a path; JSON `null` counts as absent.
    pub fn get(&self, path: &str) -> Option<&Json> {
        let (namespace, rest) = split(path);
        walk(self.namespaces.get(namespace)?, rest)
    }
}

/// A record, and within a row of a set also the row.
#[derive(Debug, Clone, Copy)]
pub struct View<'a> {
    record: &'a Record,
    row: Option<&'a Json>,
}

impl<'a> View<'a> {
    /// The record alone.
    pub fn of(record: &'a Record) -> Self {
        Self { record, row: None }
    }

    /// The record with the row at hand, under `row`.
    pub fn with_row(self, row: &'a Json) -> Self {
        Self { row: Some(row), ..self }
    }

    /// The value at a path.
    pub fn get(&self, path: &str) -> Option<&'a Json> {
        match (split(path), self.row) {
            (("row", rest), Some(row)) => walk(row, rest),
            _ => self.record.get(path),
        }
    }
}

fn split(path: &str) -> (&str, &str) {
    path.split_once('.').unwrap_or((path, ""))
}

/// Follows a path. A key that itself contains dots is found whole, so that the tag `a.b` is `tag.a.b`.
fn walk<'a>(value: &'a Json, path: &str) -> Option<&'a Json> {
    if path.is_empty() {
        return Some(value).filter(|found| !found.is_null());
    }
    match value {
        Json::Object(map) => match map.get(path) {
            Some(found) => walk(found, ""),
            None => {
                let (first, rest) = path.split_once('.')?;
                walk(map.get(first)?, rest)
            }
        },
        Json::Array(list) => {
            let (first, rest) = split(path);
            walk(list.get(first.parse::<usize>().ok()?)?, rest)
        }
        _ => None,
    }
}
