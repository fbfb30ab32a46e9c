//! What documents of Content Server hold, beside what they are to hold.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use shared::{
    content_server::{
        AttributeValue, CategoryValues, Client, NOT_ACCESSIBLE, NOT_FOUND, Node, NodeId, Version,
    },
    error::Result,
    filing::{Filer, plan::CategoryPlan},
    reconcile::{Facts, fingerprint},
};

/// When else the rules are asked, in hours from now. What they map from the hour of delivery differs then, and is not
/// compared: nobody knows that hour any more. No two of them share a year, a month or a day of the month.
const OTHER_HOURS: [i64; 2] = [24 * 1009 + 5, 24 * 2022 + 11];

/// Moments of which no two share a year, a month or a day, beside now: what a rule maps otherwise then depends on the hour.
pub(crate) fn other_hours(now: Timestamp) -> Vec<Timestamp> {
    let then = |hours| now.checked_add(SignedDuration::from_hours(hours)).ok();
    OTHER_HOURS.into_iter().filter_map(then).collect()
}

/// Takes out of category values what is not the same in others.
pub(crate) fn keep_lasting(plans: &mut [CategoryPlan], others: &[CategoryPlan]) {
    for plan in plans {
        let same = others.iter().find(|other| other.category == plan.category).map(|same| &same.values);
        plan.values.fields.retain(|field| same.is_some_and(|same| same.fields.contains(field)));
        plan.values.sets.retain(|set| same.is_some_and(|same| same.sets.contains(set)));
    }
}

/// Fingerprints of mapped values by the names of their fields, on both sides.
#[derive(Debug, Default)]
pub(crate) struct OnBothSides {
    source: BTreeMap<String, String>,
    target: BTreeMap<String, String>,
}

impl OnBothSides {
    /// Adds a field, with what either side holds in it.
    pub(crate) fn put(&mut self, field: String, source: &str, target: &str) {
        self.source.insert(field.clone(), fingerprint(source));
        self.target.insert(field, fingerprint(target));
    }

    /// Puts them into the facts of both sides.
    pub(crate) fn into_facts(self, source: &mut Facts, target: &mut Facts) {
        if !self.source.is_empty() {
            (source.mapped, target.mapped) = (Some(self.source), Some(self.target));
        }
    }
}

/// A node, unless it is gone or not for the service user to see.
///
/// # Errors
/// As any call.
pub(crate) async fn find_node(client: &Client, node: NodeId) -> Result<Option<Node>> {
    seen(client.get_node(node).await)
}

/// The versions of a document, likewise.
///
/// # Errors
/// As any call.
pub(crate) async fn find_versions(client: &Client, node: NodeId) -> Result<Option<Vec<Version>>> {
    seen(client.list_versions(node).await)
}

fn seen<T>(outcome: Result<T>) -> Result<Option<T>> {
    match outcome {
        Ok(found) => Ok(Some(found)),
        Err(error) if matches!(error.code(), NOT_ACCESSIBLE | NOT_FOUND) => Ok(None),
        Err(error) => Err(error),
    }
}

/// Adds the category values that a plan has for a document, beside those it holds.
///
/// # Errors
/// What does not fit a category; as any call.
pub(crate) async fn compare_categories(
    filer: &Filer,
    node: NodeId,
    plans: &[CategoryPlan],
    both: &mut OnBothSides,
) -> Result<()> {
    if plans.is_empty() {
        return Ok(());
    }
    let client = filer.content_server();
    let held = client.get_categories(node).await?;
    for plan in plans {
        let (definition, values) = filer.values_of(node, plan).await?;
        let none = CategoryValues::new(values.category());
        let held = held.iter().find(|held| held.category() == values.category()).unwrap_or(&none);
        for one in client.compare_values(&definition, &values, held) {
            let ours = text(&one.ours);
            let theirs = if one.agree { ours.clone() } else { text(&one.theirs) };
            both.put(format!("{}:{}", definition.name, one.name), &ours, &theirs);
        }
    }
    Ok(())
}

fn text(value: &AttributeValue) -> String {
    if value.is_empty() { String::new() } else { format!("{value:?}") }
}
