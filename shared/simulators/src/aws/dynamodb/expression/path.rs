//! Document paths: `a.b[0]`.

use std::collections::BTreeMap;
use std::fmt;

use super::super::value::{Item, Value};
use crate::aws::failure::Failure;

#[derive(Clone, Debug, PartialEq, Eq)]
pub(in super::super) enum Step {
    Name(String),
    Index(usize),
}

/// A path: the attribute, then the steps into it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in super::super) struct Path {
    pub(in super::super) attribute: String,
    pub(in super::super) steps: Vec<Step>,
}

impl Path {
    pub(in super::super) fn find<'item>(&self, item: &'item Item) -> Option<&'item Value> {
        self.steps.iter().try_fold(item.get(&self.attribute)?, |value, step| match (value, step) {
            (Value::M(members), Step::Name(name)) => members.get(name),
            (Value::L(values), Step::Index(index)) => values.get(*index),
            _ => None,
        })
    }

    fn contains(&self, other: &Self) -> bool {
        self.attribute == other.attribute && other.steps.starts_with(&self.steps)
    }

    /// The same place reached once as a map member and once as a list index.
    fn conflicts(&self, other: &Self) -> bool {
        let differing = self.steps.iter().zip(&other.steps).find(|(left, right)| left != right);
        self.attribute == other.attribute
            && matches!(differing, Some((Step::Name(_), Step::Index(_)) | (Step::Index(_), Step::Name(_))))
    }
}

/// No two paths of one update or projection may lie within each other.
pub(super) fn refuse_overlap(kind: &str, paths: &[&Path]) -> Result<(), Failure> {
    for (index, one) in paths.iter().enumerate() {
        for two in paths.iter().skip(index + 1) {
            let problem = if one.contains(two) || two.contains(one) {
                "overlap"
            } else if one.conflicts(two) {
                "conflict"
            } else {
                continue;
            };
            return Err(Failure::validation(format!(
                "Invalid {kind}: Two document paths {problem} with each other; must remove or rewrite one of these \
                 paths; path one: {one}, path two: {two}"
            )));
        }
    }
    Ok(())
}

impl fmt::Display for Path {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "[{}", self.attribute)?;
        for step in &self.steps {
            match step {
                Step::Name(name) => write!(formatter, ", {name}")?,
                Step::Index(index) => write!(formatter, ", [{index}]")?,
            }
        }
        formatter.write_str("]")
    }
}

/// The part of an item that a projection asks for: list elements close up, in their order.
pub(in super::super) fn project(item: &Item, paths: &[Path]) -> Item {
    let mut wanted: BTreeMap<&str, Vec<&[Step]>> = BTreeMap::new();
    for path in paths {
        wanted.entry(&path.attribute).or_default().push(&path.steps);
    }
    wanted
        .iter()
        .filter_map(|(name, steps)| Some(((*name).to_owned(), pick(item.get(*name)?, steps)?)))
        .collect()
}

fn pick(value: &Value, wanted: &[&[Step]]) -> Option<Value> {
    if wanted.iter().any(|steps| steps.is_empty()) {
        return Some(value.clone());
    }
    let inside = |this: &Step| -> Vec<&[Step]> {
        wanted
            .iter()
            .filter_map(|steps| steps.split_first())
            .filter(|(first, _)| *first == this)
            .map(|(_, rest)| rest)
            .collect()
    };
    let picked = |this: Step, value: &Value| {
        let inner = inside(&this);
        if inner.is_empty() { None } else { pick(value, &inner) }
    };
    match value {
        Value::M(members) => {
            let found: Item = members
                .iter()
                .filter_map(|(name, value)| Some((name.clone(), picked(Step::Name(name.clone()), value)?)))
                .collect();
            (!found.is_empty()).then_some(Value::M(found))
        }
        Value::L(values) => {
            let found: Vec<Value> = values
                .iter()
                .enumerate()
                .filter_map(|(index, value)| picked(Step::Index(index), value))
                .collect();
            (!found.is_empty()).then_some(Value::L(found))
        }
        _ => None,
    }
}
