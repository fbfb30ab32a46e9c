//! Conditions of automations: the same terms as those of a search, on the object as it is.

use std::cmp::Ordering;

use serde_json::Value;

/// Whether all conditions of a list hold.
pub(super) fn hold(conditions: &Value, document: &Value) -> bool {
    conditions.as_array().is_none_or(|list| list.iter().all(|condition| holds(condition, document)))
}

fn holds(condition: &Value, document: &Value) -> bool {
    let list = |name: &str| condition[name].as_array().cloned().unwrap_or_default();
    let terms = list("terms").into_iter().map(|term| is_met(&term, document));
    let nested = list("conditions").into_iter().chain(list("filters")).map(|nested| holds(&nested, document));
    let mut parts = terms.chain(nested);
    match condition["operator"].as_str().unwrap_or("AND").to_uppercase().as_str() {
        "OR" => parts.any(|holds| holds),
        "NOT" | "NOR" => !parts.any(|holds| holds),
        _ => parts.all(|holds| holds),
    }
}

fn is_met(term: &Value, document: &Value) -> bool {
    let path: Vec<&str> = term["name"].as_str().unwrap_or_default().split('.').collect();
    let found = at(document, &path);
    if let Some(exists) = term["exists"].as_bool() {
        return exists != found.is_empty();
    }
    if let Some(missing) = term["missing"].as_bool() {
        return missing == found.is_empty();
    }
    if let Some(wanted) = term["value_in"].as_array() {
        return found.iter().any(|value| wanted.iter().any(|wanted| text(value) == text(wanted)));
    }
    let range = &term["range"];
    if range.is_object() {
        let (min, max) = (&range["min"], &range["max"]);
        let within = |value: &&Value| {
            (min.is_null() || compare(value, min).is_ge()) && (max.is_null() || compare(value, max).is_le())
        };
        return found.iter().any(within);
    }
    found.iter().any(|value| text(value) == text(&term["value"]))
}

/// The values a path leads to, lists flattened, nothing where there is nothing.
fn at<'a>(value: &'a Value, path: &[&str]) -> Vec<&'a Value> {
    match (value, path.split_first()) {
        (Value::Array(list), _) => list.iter().flat_map(|part| at(part, path)).collect(),
        (Value::Null, _) => Vec::new(),
        (value, None) => vec![value],
        (value, Some((name, rest))) => value.get(*name).map_or(Vec::new(), |found| at(found, rest)),
    }
}

fn text(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

fn compare(value: &Value, bound: &Value) -> Ordering {
    match (text(value).parse::<f64>(), text(bound).parse::<f64>()) {
        (Ok(value), Ok(bound)) => value.total_cmp(&bound),
        _ => text(value).cmp(&text(bound)),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn conditions_hold_or_not() {
        let document = json!({
            "title": "Trailer", "is_online": true, "versions": [{"id": "1"}, {"id": "2"}], "warning": null,
            "metadata": {"Campaign": ["Spring"], "Budget": [900], "Due": ["2031-05-01"]}, "approval": {"status": "MIXED"},
        });
        let cases = [
            (json!([]), true),
            (json!(null), true),
            (
                json!([{"operator": "AND", "terms": [{"name": "title", "value": "Trailer"}, {"name": "is_online", "value": "true"}]}]),
                true,
            ),
            (
                json!([{"operator": "AND", "terms": [{"name": "metadata.Campaign", "value_in": ["Autumn", "Spring"]}]}]),
                true,
            ),
            (
                json!([{"operator": "OR", "terms": [{"name": "title", "value": "x"}, {"name": "versions.id", "value": "2"}]}]),
                true,
            ),
            (json!([{"operator": "NOT", "terms": [{"name": "title", "value": "Trailer"}]}]), false),
            (json!([{"operator": "AND", "terms": [{"name": "warning", "exists": true}]}]), false),
            (json!([{"operator": "AND", "terms": [{"name": "warning", "missing": true}]}]), true),
            (
                json!([{"operator": "AND", "terms": [{"name": "metadata.Budget", "range": {"min": "1000"}}]}]),
                false,
            ),
            (
                json!([{"operator": "AND", "terms": [{"name": "metadata.Due", "range": {"min": "2031-04-01", "max": "2031-06-01"}}]}]),
                true,
            ),
            (
                json!([{"operator": "AND", "filters": [{"operator": "OR", "terms": [{"name": "approval.status", "value": "MIXED"}]}]}]),
                true,
            ),
        ];
        for (conditions, expected) in cases {
            assert_eq!(hold(&conditions, &document), expected, "{conditions}");
        }
    }
}
