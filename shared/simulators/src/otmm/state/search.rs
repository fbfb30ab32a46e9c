//! Search, in an index that is behind.

use std::cmp::Ordering;

use serde_json::Value;

use super::expression::{Expression, has_words};
use super::metadata::as_text;
use super::{Asset, Outcome, Refusal, State};
use crate::otmm::settings::InvalidConditions;

/// What is searched for.
#[derive(Debug, Default)]
pub(in crate::otmm) struct Query {
    /// Words; all for none.
    pub(in crate::otmm) keywords: Option<String>,
    /// Words are looked for in values, in content.
    pub(in crate::otmm) scope: (bool, bool),
    /// The conditions as they came.
    pub(in crate::otmm) conditions: Option<Value>,
    /// Fields, and the values one of which they must have.
    pub(in crate::otmm) facets: Vec<(String, Vec<Option<String>>)>,
    /// A folder, and whether what lies deeper counts too.
    pub(in crate::otmm) folder: Option<(String, bool)>,
    /// `asc_` or `desc_` with a field.
    pub(in crate::otmm) sort: Option<String>,
    /// Position before the first hit, and how many hits at most.
    pub(in crate::otmm) window: (usize, usize),
}

/// What is found.
#[derive(Debug)]
pub(in crate::otmm) struct Found {
    /// The ids of this page.
    pub(in crate::otmm) ids: Vec<String>,
    /// How many are folders, of all hits.
    pub(in crate::otmm) folders: usize,
    /// All hits.
    pub(in crate::otmm) total: usize,
    /// Some conditions were left out.
    pub(in crate::otmm) has_invalid: bool,
}

impl State {
    /// Searches.
    pub(in crate::otmm) fn search(&self, query: &Query) -> Outcome<Found> {
        let rules = &self.settings.search;
        let list = query.conditions.as_ref();
        let expression = self.read_conditions(list)?;
        let unknown_facet = query.facets.iter().any(|(field, _)| !self.knows(field));
        let is_wrong = self.has_invalid(list) || unknown_facet;
        let nothing = Found { ids: Vec::new(), folders: 0, total: 0, has_invalid: true };
        match rules.invalid {
            InvalidConditions::Refused if is_wrong => {
                return Err(Refusal::Business("The search has invalid conditions".to_owned()));
            }
            InvalidConditions::NothingFound if is_wrong => return Ok(nothing),
            _ => {}
        }
        let mut hits: Vec<&Asset> = self
            .index
            .values()
            .filter(|asset| !asset.hidden && self.is_shown(asset))
            .filter(|asset| self.is_hit(asset, query, expression.as_ref()))
            .collect();
        hits.sort_by_key(|asset| asset.number);
        if let Some(sort) = &query.sort {
            self.sort(&mut hits, sort)?;
        }
        let (after, limit) = query.window;
        let reach = rules.deepest.unwrap_or(usize::MAX);
        let page = hits.iter().take(reach).skip(after).take(limit);
        Ok(Found {
            ids: page.map(|asset| asset.id.clone()).collect(),
            folders: hits.iter().filter(|asset| asset.is_folder()).count(),
            total: hits.len(),
            has_invalid: is_wrong && rules.invalid != InvalidConditions::LeftOutSilently,
        })
    }

    fn is_shown(&self, asset: &Asset) -> bool {
        let rules = &self.settings.search;
        (rules.finds_deleted || asset.deleted.is_none())
            && (rules.finds_expired || !self.is_expired(asset))
            && (rules.finds_old_versions || asset.latest)
    }

    fn is_hit(&self, asset: &Asset, query: &Query, expression: Option<&Expression>) -> bool {
        let by_words = query.keywords.as_ref().is_none_or(|words| {
            let in_values = query.scope.0 && has_words(&self.all_words(asset), words);
            in_values || query.scope.1 && has_words(&text_of(asset), words)
        });
        let by_folder = query.folder.as_ref().is_none_or(|(folder, is_direct)| {
            asset.parents.iter().any(|parent| parent == folder || !is_direct && self.is_below(parent, folder))
        });
        let by_facets = query.facets.iter().filter(|(field, _)| self.knows(field)).all(|(field, wanted)| {
            let values = self.values_of(asset, field);
            wanted.iter().any(|wanted| match wanted {
                Some(wanted) => values.iter().filter_map(as_text).any(|value| value == *wanted),
                None => values.is_empty(),
            })
        });
        by_words
            && by_folder
            && by_facets
            && expression.is_none_or(|expression| self.matches(asset, expression))
    }

    /// Sorts by name or a field.
    pub(in crate::otmm) fn sort(&self, assets: &mut [&Asset], sort: &str) -> Outcome<()> {
        let wrong = || Refusal::Invalid(format!("There is no order '{sort}'"));
        let (direction, field) = sort.split_once('_').ok_or_else(wrong)?;
        let is_descending = match direction {
            "asc" => false,
            "desc" => true,
            _ => return Err(wrong()),
        };
        let key = |asset: &Asset| match field {
            "NAME" => vec![Value::from(asset.name.to_lowercase())],
            _ => self.values_of(asset, field),
        };
        assets.sort_by(|one, other| {
            let order = compare(&key(one), &key(other));
            if is_descending { order.reverse() } else { order }
        });
        Ok(())
    }
}

fn compare(one: &[Value], other: &[Value]) -> Ordering {
    let pairs = || match (one.first(), other.first()) {
        (Some(Value::Number(one)), Some(Value::Number(other))) => one.as_f64().partial_cmp(&other.as_f64()),
        (one, other) => Some(one.and_then(as_text).cmp(&other.and_then(as_text))),
    };
    pairs().unwrap_or(Ordering::Equal)
}

/// The words of a file that is text.
fn text_of(asset: &Asset) -> String {
    let master = asset
        .master
        .as_ref()
        .filter(|master| master.mime_type.starts_with("text/") && master.content.size <= 1 << 20);
    let bytes = master.and_then(|master| master.content.bytes().ok()).unwrap_or_default();
    String::from_utf8_lossy(&bytes).into_owned()
}
