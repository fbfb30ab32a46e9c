use schemars::SchemaGenerator;
use serde_json::{Value, json};

use super::{About, Kind};

/// The JSON Schema of events, for whoever sends them: one alternative for each type.
pub fn schema() -> Value {
    let mut generator = SchemaGenerator::default();
    let about = generator.subschema_for::<About>();
    let alternatives: Vec<Value> = Kind::ALL
        .iter()
        .map(|kind| {
            let details = kind.schema(&mut generator);
            json!({
                "title": kind.name(),
                "properties": {
                    "type": {"const": kind.name()},
                    "data": {"allOf": [about, details]},
                },
            })
        })
        .collect();
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "An event about an account of Consonance",
        "type": "object",
        "required": ["type", "timestamp", "schema_version", "account", "data"],
        "properties": {
            "type": {"type": "string", "pattern": "^[a-zA-Z0-9_.]+$"},
            "timestamp": {"type": "string", "format": "date-time"},
            "schema_version": {"const": 1},
            "account": {"type": "string", "minLength": 1},
            "data": {
                "type": "object",
                "anyOf": [
                    {"required": ["work_id"]},
                    {"required": ["product_ids"], "properties": {"product_ids": {"minItems": 1}}},
                    {"required": ["isbn13"]},
                ],
            },
        },
        "oneOf": alternatives,
        "$defs": generator.definitions(),
    })
}
