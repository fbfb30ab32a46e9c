//! The form for putting a category on an item: `schema` with types and bounds, `options` with labels and editors.

use serde_json::{Map, Value, json};

use super::state::{Attribute, AttributeKind, CategoryDefinition};

/// Schema and options of a category's form.
pub(super) fn category(definition: &CategoryDefinition) -> (Value, Value) {
    let prefix = definition.id.to_string();
    let (properties, fields) = fields(&prefix, &definition.attributes);
    (json!({"type": "object", "title": definition.name, "properties": properties}), json!({"fields": fields}))
}

fn fields(prefix: &str, attributes: &[Attribute]) -> (Map<String, Value>, Map<String, Value>) {
    let (mut properties, mut fields) = (Map::new(), Map::new());
    for attribute in attributes {
        let key = format!("{prefix}_{}", attribute.id);
        let (schema, options) = match &attribute.kind {
            AttributeKind::Set { members, max_rows } => {
                let (inner, inner_fields) = self::fields(&format!("{key}_x"), members);
                (
                    json!({"type": "array", "maxItems": max_rows, "title": attribute.name,
                           "items": {"type": "object", "properties": inner}}),
                    json!({"label": attribute.name, "fields": {"item": {"fields": inner_fields}}}),
                )
            }
            kind => single(attribute, kind),
        };
        properties.insert(key.clone(), schema);
        fields.insert(key, options);
    }
    (properties, fields)
}

fn single(attribute: &Attribute, kind: &AttributeKind) -> (Value, Value) {
    let (word, editor) = match kind {
        AttributeKind::Integer => ("integer", "integer"),
        AttributeKind::Boolean => ("boolean", "checkbox"),
        AttributeKind::Date { with_time: false } => ("string", "date"),
        AttributeKind::Date { with_time: true } => ("string", "datetime"),
        AttributeKind::Choice { .. } => ("string", "select"),
        AttributeKind::User => ("integer", "otcs_user"),
        AttributeKind::TextArea => ("string", "textarea"),
        AttributeKind::Text { .. } | AttributeKind::Set { .. } => ("string", "text"),
    };
    let mut schema = json!({"type": word, "title": attribute.name, "required": attribute.required});
    if let Some(schema) = schema.as_object_mut() {
        match kind {
            AttributeKind::Text { max_length } => {
                drop(schema.insert("maxLength".to_owned(), json!(max_length)))
            }
            AttributeKind::Choice { values } => drop(schema.insert("enum".to_owned(), json!(values))),
            _ => {}
        }
    }
    let options = json!({"label": attribute.name, "type": editor});
    if attribute.multi_value {
        let items = schema.clone();
        let outer =
            json!({"type": "array", "title": attribute.name, "items": items, "required": attribute.required});
        return (outer, json!({"label": attribute.name, "fields": {"item": options}}));
    }
    (schema, options)
}
