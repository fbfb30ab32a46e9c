//! What documents of Content Server hold, beside what they are to hold.

use std::collections::BTreeMap;

use shared::{
    content_server::{
        AttributeValue, CategoryValues, Client, NOT_ACCESSIBLE, NOT_FOUND, Node, NodeId, Version,
    },
    error::Result,
    filing::{Filer, plan::CategoryPlan},
    reconcile::{Facts, fingerprint},
};

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
