//! The values of one category of a node, by the names of its attributes. Attributes inside sets are left out.

use std::collections::BTreeMap;

use super::{AttributeValue, CategoryValues, Client, NodeId};
use crate::error::Result;

/// The values a node has in a category, empty ones too; nothing when it does not have the category.
///
/// # Errors
/// As any call.
pub async fn read(
    content_server: &Client,
    node: NodeId,
    category: NodeId,
) -> Result<Option<BTreeMap<String, AttributeValue>>> {
    let categories = content_server.get_categories(node).await?;
    let Some(values) = categories.iter().find(|values| values.category() == category) else {
        return Ok(None);
    };
    let definition = content_server.category_definition(category, node).await?;
    // What has no value may be left out by the server.
    let outside = definition.attributes.iter().filter(|attribute| attribute.set.is_none());
    let mut found: BTreeMap<String, AttributeValue> =
        outside.map(|attribute| (attribute.name.clone(), AttributeValue::Empty)).collect();
    let named =
        definition.name_values(values).into_iter().filter(|(attribute, _, _)| attribute.set.is_none());
    found.extend(named.map(|(attribute, _, value)| (attribute.name.clone(), value)));
    Ok(Some(found))
}

/// Writes values into a category, which is added when the node does not have it; other values stay.
///
/// # Errors
/// When the category has no attribute of a name, or a value is refused.
pub async fn write(
    content_server: &Client,
    node: NodeId,
    category: NodeId,
    pairs: Vec<(&str, AttributeValue)>,
) -> Result<()> {
    let definition = content_server.category_definition(category, node).await?;
    let mut values = CategoryValues::new(category);
    for (name, value) in pairs {
        definition.put(&mut values, name, value)?;
    }
    content_server.set_category(node, &values).await.map(drop)
}

/// A value as text; empty for what has no plain one.
pub fn text(value: &AttributeValue) -> String {
    match value {
        AttributeValue::Text(text) => text.clone(),
        AttributeValue::Integer(number) | AttributeValue::User(number) => number.to_string(),
        AttributeValue::Boolean(truth) => truth.to_string(),
        AttributeValue::Date(day) => day.to_string(),
        AttributeValue::Moment(moment) => moment.to_string(),
        AttributeValue::Empty | AttributeValue::Many(_) => String::new(),
    }
}

/// The texts of a value that may be several; none of what is empty.
pub fn texts(value: &AttributeValue) -> Vec<String> {
    match value {
        AttributeValue::Many(values) => values.iter().flat_map(texts).collect(),
        one => Some(text(one)).filter(|text| !text.is_empty()).into_iter().collect(),
    }
}
