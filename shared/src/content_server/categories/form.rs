//! The form for adding a category, which describes attributes of a category that is not on any node at hand:
//! `schema` holds types and bounds, `options` holds labels and editors, both nested the same way.

use serde_json::Value;

use super::{
    attribute::{Attribute, AttributeKind, AttributeSet},
    definition::{CategoryDefinition, set_of},
};
use crate::content_server::{NodeId, wire};

/// Reads the form's answer.
pub(super) fn definition(category: NodeId, answer: &Value) -> Option<CategoryDefinition> {
    let forms = answer.get("forms").or_else(|| answer.pointer("/results/forms"))?;
    let form = forms.as_array().and_then(|list| list.first()).unwrap_or(forms);
    let schema = form.get("schema")?;
    // Some releases give the same facts here as with a node's values, and flat.
    if let Some(properties) = schema.get("properties")
        && let Some(definition) = CategoryDefinition::from_metadata(category, properties)
    {
        return Some(definition);
    }
    let mut attributes = Vec::new();
    collect(category, schema, form.get("options").unwrap_or(&Value::Null), None, &mut attributes);
    let name = schema.get("title").and_then(Value::as_str).unwrap_or_default().to_owned();
    (!attributes.is_empty()).then_some(CategoryDefinition { id: category, name, attributes })
}

fn collect(
    category: NodeId,
    schema: &Value,
    options: &Value,
    set: Option<&AttributeSet>,
    into: &mut Vec<Attribute>,
) {
    let Some(properties) = schema.get("properties").and_then(Value::as_object) else { return };
    let prefix = format!("{category}_");
    for (key, schema) in properties {
        let options = options.pointer("/fields").and_then(|fields| fields.get(key)).unwrap_or(&Value::Null);
        // A set is an object, or a list of objects when it repeats.
        let item = schema.get("items").unwrap_or(schema);
        let item_options =
            options.pointer("/fields/item").or_else(|| options.get("items")).unwrap_or(options);
        let name = label(schema, options);
        if item.get("properties").is_some() {
            let number = key.strip_prefix(&prefix).and_then(|rest| rest.parse().ok());
            let inner = number.map(|id| AttributeSet { id, name });
            collect(category, item, item_options, inner.as_ref().or(set), into);
        } else if key.starts_with(&prefix) && !key.ends_with("_1") {
            into.push(Attribute {
                key: pattern(key),
                name,
                kind: kind(item, item_options),
                multi_value: schema.get("items").is_some(),
                required: [schema, item]
                    .iter()
                    .any(|facts| facts.get("required").and_then(wire::as_truth) == Some(true)),
                max_length: item
                    .get("maxLength")
                    .and_then(wire::as_integer)
                    .and_then(|length| usize::try_from(length).ok())
                    .filter(|length| *length > 0),
                choices: item.get("enum").map(wire::texts).unwrap_or_default(),
                set: set.cloned().filter(|set| set_of(key) == Some(set.id)),
            });
        }
    }
}

/// Rows are shown with their number in some forms.
fn pattern(key: &str) -> String {
    let parts: Vec<&str> = key.split('_').collect();
    match parts.as_slice() {
        [category, set, _, attribute] => format!("{category}_{set}_x_{attribute}"),
        _ => key.to_owned(),
    }
}

fn label(schema: &Value, options: &Value) -> String {
    let text = |facts: &Value, key: &str| facts.get(key).and_then(Value::as_str).map(str::to_owned);
    text(schema, "title").or_else(|| text(options, "label")).unwrap_or_default()
}

fn kind(schema: &Value, options: &Value) -> AttributeKind {
    let word =
        |facts: &Value, key: &str| facts.get(key).and_then(Value::as_str).unwrap_or_default().to_lowercase();
    let (editor, format) = (word(options, "type"), word(schema, "format"));
    match word(schema, "type").as_str() {
        _ if editor.contains("user") || editor.contains("member") => AttributeKind::User,
        "boolean" => AttributeKind::Boolean,
        "integer" => AttributeKind::Integer,
        _ if editor.contains("datetime") || format.contains("datetime") || format.contains("date-time") => {
            AttributeKind::Moment
        }
        _ if editor == "date" || format == "date" => AttributeKind::Date,
        _ => AttributeKind::Text,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_form_tells_names_types_and_sets() {
        let answer = json!({"forms": [{
            "data": {},
            "schema": {"type": "object", "properties": {
                "8101_2": {"type": "string", "title": "Claim number", "maxLength": 64, "required": true},
                "8101_5": {"type": "array", "title": "Languages", "items": {"type": "string", "enum": ["de", "", "fr"]}},
                "8101_6": {"type": "string", "format": "date", "title": "Received"},
                "8101_7": {"type": "integer", "title": "Owner"},
                "8101_3": {"type": "array", "title": "Parties", "items": {"type": "object", "properties": {
                    "8101_3_x_4": {"type": "string", "title": "Name"}}}}}},
            "options": {"fields": {"8101_6": {"type": "date"}, "8101_7": {"type": "otcs_user_picker"}}}
        }]});
        let definition = definition(NodeId(8101), &answer).unwrap();
        let attribute = |name: &str| definition.attribute(name).cloned().unwrap();
        assert_eq!(attribute("Claim number").max_length, Some(64));
        assert!(attribute("Claim number").required && attribute("Languages").multi_value);
        assert_eq!(attribute("Languages").choices, ["de", "fr"]);
        assert!(attribute("Claim number").choices.is_empty());
        assert_eq!(attribute("Received").kind, AttributeKind::Date);
        assert_eq!(attribute("Owner").kind, AttributeKind::User);
        assert_eq!(attribute("Parties:Name").key, "8101_3_x_4");
    }
}
