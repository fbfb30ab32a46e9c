//! Reading categories and their definitions. Values come in three shapes: a list of flat objects, one flat object
//! among a node's data, and objects nested by category. One walk reads them all.

use std::{collections::BTreeMap, sync::Arc};

use serde_json::Value;

use super::{AttributeValue, CategoryDefinition, CategoryValues, form};
use crate::{
    content_server::{
        Client, Node, NodeId, NodePath,
        call::Call,
        error::{CATEGORY_EXISTS, misconfigured},
        kind,
    },
    error::{FailureClass, Result},
};

impl Client {
    /// What a node has in its categories.
    ///
    /// # Errors
    /// As any call.
    pub async fn get_categories(&self, node: NodeId) -> Result<Vec<CategoryValues>> {
        let call = Call::get("read categories", format!("/v2/nodes/{node}/categories"));
        let answer = self.json(&call).await?;
        Ok(values_in(answer.get("results").unwrap_or(&Value::Null)))
    }

    /// The category at a path.
    ///
    /// # Errors
    /// `Forbidden` when the path leads nowhere or to something else.
    pub async fn resolve_category(&self, path: &NodePath) -> Result<Node> {
        let node = self.resolve_path(path).await?;
        if node.kind == kind::CATEGORY {
            return Ok(node);
        }
        Err(misconfigured(
            "find a category",
            "content-server.no-category",
            format!("{path} is not a category"),
        )
        .remedy("correct the path of the category"))
    }

    /// What a category is made of. Any node that may carry it will do as `near`, such as the folder a document is to
    /// go into. Definitions are kept for a while.
    ///
    /// # Errors
    /// `Forbidden` when there is no such category.
    pub async fn category_definition(
        &self,
        category: NodeId,
        near: NodeId,
    ) -> Result<Arc<CategoryDefinition>> {
        let now = self.http.context().now_milliseconds();
        let kept = i64::try_from(self.settings.definition_seconds * 1000).unwrap_or(i64::MAX);
        if let Some(definition) = self.definitions.get(category, now.saturating_sub(kept)) {
            return Ok(definition);
        }
        let definition = match self.form_definition(category, near).await {
            Ok(Some(definition)) => definition,
            Ok(None) => self.definition_on(category, near).await?.ok_or_else(|| no_definition(category))?,
            // The form is for adding; a node that has the category already may refuse it.
            Err(error) if is_refusal(error.class()) || error.code() == CATEGORY_EXISTS => {
                self.definition_on(category, near).await?.ok_or(error)?
            }
            Err(error) => return Err(error),
        };
        Ok(self.definitions.keep(now, definition))
    }

    async fn form_definition(&self, category: NodeId, near: NodeId) -> Result<Option<CategoryDefinition>> {
        let call = Call::get("read a category's form", "/v1/forms/nodes/categories/create")
            .query("id", near)
            .query("category_id", category);
        let Some(mut definition) = form::definition(category, &self.json(&call).await?) else {
            return Ok(None);
        };
        if definition.name.is_empty() {
            definition.name = self.get_node(category).await?.name;
        }
        Ok(Some(definition))
    }

    /// The definition as it comes with the values of a node that has the category.
    async fn definition_on(&self, category: NodeId, node: NodeId) -> Result<Option<CategoryDefinition>> {
        let call = Call::get("read categories", format!("/v2/nodes/{node}/categories")).flag("metadata");
        let answer = self.json(&call).await?;
        let results = answer.get("results").unwrap_or(&Value::Null);
        let entries = results.as_array().map_or(std::slice::from_ref(results), Vec::as_slice);
        Ok(entries.iter().find_map(|entry| {
            CategoryDefinition::from_metadata(category, entry.pointer("/metadata/categories")?)
        }))
    }
}

fn no_definition(category: NodeId) -> crate::error::Error {
    misconfigured("read a category", "content-server.no-category", format!("{category} shows no attributes"))
        .remedy("check the id of the category and that the service user may see it")
}

fn is_refusal(class: FailureClass) -> bool {
    matches!(class, FailureClass::Invalid | FailureClass::Forbidden | FailureClass::Gone)
}

/// All values in an answer, by category.
pub(in crate::content_server) fn values_in(answer: &Value) -> Vec<CategoryValues> {
    let mut found = BTreeMap::new();
    walk(answer, &mut found);
    found.into_values().collect()
}

fn walk(value: &Value, found: &mut BTreeMap<NodeId, CategoryValues>) {
    match value {
        Value::Array(list) => list.iter().for_each(|entry| walk(entry, found)),
        Value::Object(object) => {
            for (key, value) in object {
                match category_of(key) {
                    // `{category}` around nested values, and `{category}_1` which stands for the category itself.
                    Some((category, true)) => {
                        found.entry(category).or_insert_with(|| CategoryValues::new(category));
                        walk(value, found);
                    }
                    Some((category, false)) => {
                        let values = found.entry(category).or_insert_with(|| CategoryValues::new(category));
                        values.insert(key.as_str(), AttributeValue::from_wire(value));
                    }
                    None if key == "data" || key == "categories" => walk(value, found),
                    None => {}
                }
            }
        }
        _ => {}
    }
}

/// The category a key belongs to, and whether it stands for the category itself.
fn category_of(key: &str) -> Option<(NodeId, bool)> {
    let mut parts = key.split('_');
    let category = NodeId(parts.next()?.parse().ok()?);
    let rest: Vec<&str> = parts.collect();
    match rest.as_slice() {
        [] | ["1"] => Some((category, true)),
        rest if rest.iter().all(|part| part.parse::<u32>().is_ok()) => Some((category, false)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_three_shapes_read_the_same() {
        let listed = json!([{"data": {"categories": {"8101_2": "x", "8101_3_1_4": "r1"}},
            "metadata": {"categories": {"8101": {"name": "Cat"}}}}, {"data": {"categories": {"9000_2": null}}}]);
        let of_a_node = json!({"data": {"properties": {"id": 1},
            "categories": [{"8101_2": "x", "8101_3_1_4": "r1"}, {"9000_2": ""}]}});
        let nested = json!({"data": {"categories": {"8101": {"8101_2": "x", "8101_3_1_4": "r1"},
            "9000": {"9000_2": null}}}});
        let read = values_in(&listed);
        assert_eq!(read.len(), 2);
        assert_eq!(read[0].get("8101_3_1_4"), Some(&"r1".into()));
        assert_eq!(values_in(&of_a_node), read);
        assert_eq!(values_in(&nested), read);
    }

    #[test]
    fn a_definition_is_read_from_the_metadata_of_a_node() {
        let metadata = json!({
            "8101": {"key": "8101", "name": "Claim", "persona": "category", "type_name": "Assoc"},
            "8101_2": {"key": "8101_2", "name": "Title", "persona": "", "type": -1, "type_name": "String",
                "multi_value": false, "required": true, "max_length": 5},
            "8101_3": {"key": "8101_3", "name": "Parties", "persona": "set", "type_name": "Assoc"},
            "8101_3_x_4": {"key": "8101_3_x_4", "name": "Name", "persona": "", "type_name": "String"},
            "8101_5": {"key": "8101_5", "name": "Handler", "persona": "user", "type": 14},
            "8101_6": {"key": "8101_6", "name": "Received", "type": -7, "include_time": false},
            "8101_7": {"key": "8101_7", "name": "Amounts", "type": 2, "multi_value": true}});
        let definition = CategoryDefinition::from_metadata(NodeId(8101), &metadata).unwrap();
        assert_eq!(definition.name, "Claim");
        let mut values = CategoryValues::new(definition.id);
        definition.put(&mut values, "Title", "short".into()).unwrap();
        definition.put_row(&mut values, "Parties:Name", 2, "Ada".into()).unwrap();
        definition.put(&mut values, "Handler", "1042".into()).unwrap();
        definition.put(&mut values, "Received", "2031-05-06T07:08:09Z".into()).unwrap();
        definition.put(&mut values, "Amounts", AttributeValue::Many(vec!["1".into(), "2".into()])).unwrap();
        let wire: Vec<_> = values.wire(false).collect();
        let expected = [
            ("8101_2", json!("short")),
            ("8101_3_2_4", json!("Ada")),
            ("8101_5", json!(1042)),
            ("8101_6", json!("2031-05-06")),
            ("8101_7", json!([1, 2])),
        ];
        assert_eq!(wire, expected.map(|(key, value)| (key.to_owned(), value)));
        definition.check_required(&values).unwrap();
    }

    #[test]
    fn a_value_that_does_not_fit_is_refused_with_its_attribute() {
        let metadata = json!([{"8101": {"name": "Claim"},
            "8101_2": {"name": "Title", "type": -1, "required": true, "max_length": 5},
            "8101_7": {"name": "Amount", "type": 2}}]);
        let definition = CategoryDefinition::from_metadata(NodeId(8101), &metadata).unwrap();
        let mut values = CategoryValues::new(definition.id);
        for (name, value, code, class) in [
            ("Title", "too long", "content-server.attribute-too-long", FailureClass::Invalid),
            ("Amount", "many", "content-server.attribute-type", FailureClass::Invalid),
            ("Colour", "red", "content-server.attribute-unknown", FailureClass::Forbidden),
        ] {
            let error = definition.put(&mut values, name, value.into()).unwrap_err();
            assert_eq!((error.code(), error.class(), error.field_name()), (code, class, Some(name)));
        }
        assert_eq!(
            definition.check_required(&values).unwrap_err().code(),
            "content-server.attribute-required"
        );
    }
}
