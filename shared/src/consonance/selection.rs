//! What is asked of a record: written once with everything we would like to know, and cut down to what the account's schema has.

use super::capabilities::{Capabilities, bare};

/// A field with the fields of what it gives.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Selected {
    name: String,
    /// An argument, and the one value of its enumeration that is asked for.
    given: Option<(String, String)>,
    within: Vec<Selected>,
}

/// Reads `id isbn{isbn13} texts(variantIn:SHORT){text} work{id title}`. It is ours, so what does not fit is left out and a
/// test tells.
pub(super) fn parse(text: &str) -> Vec<Selected> {
    let mut open: Vec<Vec<Selected>> = vec![Vec::new()];
    let (mut word, mut argument) = (String::new(), None);
    for character in text.chars().chain([' ']) {
        if character.is_ascii_alphanumeric() || character == '_' {
            word.push(character);
            continue;
        }
        if let (Some(argument), ')') = (argument.take(), character) {
            if let Some(last) = open.last_mut().and_then(|list| list.last_mut()) {
                last.given = Some((argument, std::mem::take(&mut word)));
            }
            continue;
        }
        if character == ':' {
            argument = Some(std::mem::take(&mut word));
            continue;
        }
        if !word.is_empty() {
            let name = std::mem::take(&mut word);
            if let Some(list) = open.last_mut() {
                list.push(Selected { name, given: None, within: Vec::new() });
            }
        }
        match character {
            '{' => open.push(Vec::new()),
            '}' => {
                let within = open.pop().unwrap_or_default();
                if let Some(parent) = open.last_mut().and_then(|list| list.last_mut()) {
                    parent.within = within;
                }
            }
            _ => {}
        }
    }
    open.into_iter().next().unwrap_or_default()
}

/// The selection for a type, as far as the schema has it; empty when it has nothing of it.
pub(super) fn fit(wanted: &[Selected], of: &str, schema: &Capabilities) -> String {
    let mut kept = Vec::new();
    for one in wanted {
        if one.name == "__typename" {
            kept.push(one.name.clone());
            continue;
        }
        let Some(field) = schema.field(of, &one.name) else { continue };
        if field.needs_arguments() {
            continue;
        }
        let given = match &one.given {
            None => String::new(),
            Some((argument, value)) => {
                let of = field.arguments.get(argument).map(String::as_str).unwrap_or_default();
                // Without the argument it would give something else.
                if !schema.values(bare(of)).any(|known| known == value) {
                    continue;
                }
                if of.starts_with('[') {
                    format!("({argument}:[{value}])")
                } else {
                    format!("({argument}:{value})")
                }
            }
        };
        match (field.is_composite, one.within.is_empty()) {
            (false, _) => kept.push(one.name.clone()),
            (true, true) => {}
            (true, false) => {
                let within = fit(&one.within, field.type_name(), schema);
                if !within.is_empty() {
                    kept.push(format!("{}{given}{{{within}}}", one.name));
                }
            }
        }
    }
    kept.join(" ")
}

/// Types that a selection reaches and the schema was not asked for yet.
pub(super) fn unknown_types(wanted: &[Selected], of: &str, schema: &Capabilities, found: &mut Vec<String>) {
    if !schema.has_type(of) {
        if !found.iter().any(|known| known == of) {
            found.push(of.to_owned());
        }
        return;
    }
    for one in wanted.iter().filter(|one| !one.within.is_empty()) {
        if let Some(field) = schema.field(of, &one.name).filter(|field| field.is_composite) {
            unknown_types(&one.within, field.type_name(), schema, found);
            let argument = one.given.as_ref().and_then(|(argument, _)| field.arguments.get(argument));
            if let Some(of) = argument.map(|of| bare(of)).filter(|of| !schema.has_type(of)) {
                found.push(of.to_owned());
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn schema() -> Capabilities {
        let named = |kind: &str, name: &str| json!({"kind": kind, "name": name, "ofType": null});
        let field = |name: &str, of: &serde_json::Value| json!({"name": name, "args": [], "type": of});
        let mut schema = Capabilities::default();
        schema.take(&json!({
            "name": "Product", "kind": "INTERFACE", "inputFields": null, "enumValues": null,
            "fields": [
                field("id", &named("SCALAR", "Int")),
                field("isbn", &named("OBJECT", "Isbn")),
                field("work", &named("OBJECT", "Work")),
            ],
        }));
        schema.take(&json!({
            "name": "Isbn", "kind": "OBJECT", "inputFields": null, "enumValues": null,
            "fields": [field("isbn13", &named("SCALAR", "String"))],
        }));
        schema
    }

    #[test]
    fn what_the_schema_lacks_is_not_asked_for() {
        let wanted = parse("__typename id price isbn{isbn10 isbn13} authors{name} work{id}");
        assert_eq!(fit(&wanted, "Product", &schema()), "__typename id isbn{isbn13}");
        let mut unknown = Vec::new();
        unknown_types(&wanted, "Product", &schema(), &mut unknown);
        assert_eq!(unknown, ["Work"]);
    }

    #[test]
    fn a_kind_of_text_is_asked_for_where_the_schema_names_it() {
        let mut schema = schema();
        let list =
            json!({"kind": "LIST", "name": null, "ofType": {"kind": "ENUM", "name": "Kind", "ofType": null}});
        schema.take(&json!({
            "name": "Work", "kind": "OBJECT", "inputFields": null, "enumValues": null, "fields": [{
                "name": "texts", "args": [{"name": "kindIn", "type": list}],
                "type": {"kind": "OBJECT", "name": "Isbn", "ofType": null},
            }],
        }));
        let wanted = parse("texts(kindIn:SHORT){isbn13} id");
        let mut unknown = Vec::new();
        unknown_types(&wanted, "Work", &schema, &mut unknown);
        assert_eq!(unknown, ["Kind"]);
        for (value, asked) in [("LONG", ""), ("SHORT", "texts(kindIn:[SHORT]){isbn13}")] {
            schema.take(&json!({"name": "Kind", "fields": null, "inputFields": null, "enumValues": [{"name": value}]}));
            assert_eq!(fit(&wanted, "Work", &schema), asked);
        }
    }

    #[test]
    fn an_object_is_never_asked_for_without_its_fields() {
        assert_eq!(fit(&parse("isbn id"), "Product", &schema()), "id");
        assert_eq!(fit(&parse("isbn{isbn10}"), "Product", &schema()), "");
    }
}
