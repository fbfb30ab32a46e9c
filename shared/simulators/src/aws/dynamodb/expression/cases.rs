//! The expression language, case by case, over one item.

use serde_json::{Map, Value as Json, json};

use super::super::value::{Item, item_from_json, item_to_json};
use super::parser::projection;
use super::path::project;
use super::{Condition, Placeholders, Update};
use crate::aws::failure::Failure;

fn members(json: Json) -> Map<String, Json> {
    json.as_object().unwrap().clone()
}

/// A record as the ledger might keep it.
fn item() -> Item {
    item_from_json(&members(json!({
        "pk": { "S": "ingest#1" },
        "fence": { "N": "3" },
        "big": { "N": "9007199254740993" },
        "step": { "S": "upload" },
        "octets": { "B": "AQID" },
        "sealed": { "BOOL": true },
        "gone": { "NULL": true },
        "parts": { "L": [{ "N": "1" }, { "S": "two" }, { "M": { "etag": { "S": "e3" } } }] },
        "doc": { "M": { "title": { "S": "Claim" }, "size": { "N": "10" }, "blank": { "M": {} } } },
        "tags": { "SS": ["a", "b"] },
        "counts": { "NS": ["1", "2.0"] },
        "blobs": { "BS": ["AQID", "BAUG"] },
    })))
    .unwrap()
}

fn placeholders(expression: &str) -> Placeholders {
    // Only what the expression names, since an unused placeholder is refused.
    let values = json!({
        ":1": { "N": "1" }, ":2": { "N": "2" }, ":3": { "N": "3" }, ":3.0": { "N": "3.0" }, ":9": { "N": "9" },
        ":big": { "N": "9007199254740992" }, ":upload": { "S": "upload" }, ":up": { "S": "up" }, ":zz": { "S": "zz" },
        ":raw": { "B": "AQID" }, ":rawstart": { "B": "AQI=" }, ":true": { "BOOL": true }, ":null": { "NULL": true },
        ":a": { "S": "a" }, ":tags": { "SS": ["b", "a"] }, ":part": { "M": { "etag": { "S": "e3" } } },
        ":S": { "S": "S" }, ":L": { "S": "L" }, ":DOG": { "S": "DOG" }, ":list": { "L": [{ "S": "new" }] },
        ":counts": { "NS": ["2", "1"] }, ":newtags": { "SS": ["c"] }, ":oldtags": { "SS": ["a", "b"] },
        ":empty": { "S": "" }, ":three": { "S": "3" },
    });
    let names = json!({ "#status": "step", "#doc": "doc", "#nowhere": "nowhere" });
    let used = |all: &Json| -> Map<String, Json> {
        let words: Vec<&str> =
            expression.split(|c: char| !(c.is_alphanumeric() || "_:#".contains(c))).collect();
        members(all.clone()).into_iter().filter(|(key, _)| words.contains(&key.as_str())).collect()
    };
    let mut request = Map::new();
    request.insert("ConditionExpression".to_owned(), json!(expression));
    for (member, all) in [("ExpressionAttributeValues", values), ("ExpressionAttributeNames", names)] {
        let used = used(&all);
        if !used.is_empty() {
            request.insert(member.to_owned(), Json::Object(used));
        }
    }
    Placeholders::read(&request, &["ConditionExpression"]).unwrap()
}

fn condition(expression: &str) -> Result<bool, Failure> {
    let mut placeholders = placeholders(expression);
    let parsed = Condition::parse("ConditionExpression", expression, &mut placeholders)?;
    placeholders.finish()?;
    Ok(parsed.holds(&item()))
}

#[test]
fn comparisons_hold_or_fail_as_documented() {
    expect_each(&[
        (true, "fence = :3"),
        (false, "fence = :2"),
        (false, "fence = :three"),
        (true, "fence <> :three"),
        (true, "big > :big"),
        (false, "big = :big"),
        (true, "tags = :tags"),
        (true, "counts = :counts"),
        (true, "sealed = :true"),
        (true, "gone = :null"),
        (true, "parts[2] = :part"),
        (true, "fence < :9"),
        (false, "fence < :3"),
        (true, "fence <= :3 AND fence >= :3"),
        (false, "step > :9"),
        (false, "step < :9"),
        (false, "parts < :9"),
        (true, ":2 < fence"),
        (true, "octets >= :raw"),
        (true, "step > :up"),
        // A missing attribute equals nothing and differs from everything.
        (false, "nowhere = :1"),
        (true, "nowhere <> :1"),
        (false, "nowhere = absent"),
        (true, "nowhere <> absent"),
        (false, "nowhere < :1"),
        (false, "nowhere >= :1"),
        (false, "nowhere BETWEEN :1 AND :9"),
        (false, "nowhere IN (:1, :2)"),
        (true, "NOT nowhere = :1"),
        (true, "fence BETWEEN :1 AND :3"),
        (true, "fence between :3 and :3"),
        (false, "fence BETWEEN :1 AND :2"),
        (false, "step BETWEEN :1 AND :9"),
        (false, ":2 BETWEEN fence AND :9"),
        (true, "fence IN (:1, :3)"),
        (true, "fence IN (:a, :null, :3)"),
        (false, "fence IN (:1, :2)"),
    ]);
}

#[test]
fn functions_names_and_logic_hold_or_fail_as_documented() {
    expect_each(&[
        (true, "attribute_exists(doc.title)"),
        (false, "attribute_exists(doc.title.deeper)"),
        (false, "attribute_exists(parts[3])"),
        (true, "attribute_exists(gone)"),
        (true, "attribute_not_exists(nowhere)"),
        (false, "attribute_not_exists(pk)"),
        (true, "attribute_type(parts, :L)"),
        (false, "attribute_type(fence, :S)"),
        (false, "attribute_type(nowhere, :S)"),
        (true, "begins_with(step, :up)"),
        (true, "begins_with(octets, :rawstart)"),
        (false, "begins_with(step, :zz)"),
        (false, "begins_with(fence, :up)"),
        (false, "begins_with(nowhere, :up)"),
        (true, "begins_with(:upload, :up)"),
        (true, "contains(step, :a)"),
        (true, "contains(tags, :a)"),
        (true, "contains(counts, :2)"),
        (true, "contains(parts, :1)"),
        (true, "contains(parts, :part)"),
        (false, "contains(parts, :a)"),
        (true, "contains(blobs, :raw)"),
        (true, "contains(octets, :rawstart)"),
        (false, "contains(fence, :3)"),
        (false, "contains(nowhere, :a)"),
        (true, "size(tags) = :2"),
        (true, "size(parts) = fence"),
        (true, "size(octets) = :3"),
        (true, "size(step) > :3"),
        (false, "size(fence) = :1"),
        (false, "size(nowhere) < :9"),
        (true, "#status = :upload"),
        (true, "#doc.title <> :a"),
        (true, "attribute_not_exists(#nowhere) OR fence = :9"),
        // NOT binds tighter than AND, AND tighter than OR.
        (true, "fence = :3 OR fence = :3 AND fence = :9"),
        (false, "(fence = :3 OR fence = :3) AND fence = :9"),
        (false, "NOT fence = :3 AND fence = :3"),
        (true, "NOT (fence = :3 AND fence = :9)"),
        (true, "not not fence = :3"),
        (true, "(fence = :3) AnD (step = :upload)"),
    ]);
}

fn expect_each(cases: &[(bool, &str)]) {
    for (expected, expression) in cases {
        assert_eq!(condition(expression), Ok(*expected), "{expression}");
    }
}

#[test]
fn what_makes_no_sense_is_refused_before_any_item_is_read() {
    for (expression, reason) in [
        ("", "can not be empty"),
        ("fence =", "Syntax error"),
        ("fence = :3 fence", "Syntax error"),
        ("fence ! :3", "Syntax error"),
        ("fence", "Syntax error"),
        ("fence IN ()", "Syntax error"),
        ("(fence = :3", "Syntax error"),
        ("fence = 3", "Syntax error"),
        ("parts[a] = :3", "Syntax error"),
        ("((fence = :3))", "redundant parentheses"),
        (
            "fence = :undefined",
            "attribute value used in expression is not defined; attribute value: :undefined",
        ),
        (
            "#undefined = :3",
            "attribute name used in the document path is not defined; attribute name: #undefined",
        ),
        ("status = :3", "reserved keyword: status"),
        ("doc.name = :3", "reserved keyword: name"),
        ("fence < :true", "Incorrect operand type for operator or function; operator: <, operand type: BOOL"),
        ("fence >= :tags", "operand type: SS"),
        ("fence BETWEEN :9 AND :1", "upper bound to be greater than or equal to lower bound"),
        ("fence BETWEEN :1 AND :a", "same data type"),
        ("begins_with(fence, :1)", "operand type: N"),
        ("attribute_exists(:1)", "requires a document path"),
        ("attribute_exists(pk, fence)", "number of operands: 2"),
        ("attribute_type(fence, :DOG)", "DOG"),
        ("attribute_type(fence, step)", "Incorrect operand type"),
        ("size(tags)", "not allowed to be used this way"),
        ("size(tags, parts) = :2", "number of operands: 2"),
        ("size(:1) = :2", "operand type: N"),
        ("attribute_exists(pk) = :true", "not allowed to be used this way"),
        ("fence = contains(tags, :a)", "not allowed to be used this way"),
        ("if_not_exists(fence, :1) = :1", "not allowed in a condition expression"),
        ("Attribute_exists(pk)", "Invalid function name; function: Attribute_exists"),
        ("contains(step, step)", "must be distinct"),
        ("fence = fence", "must be distinct"),
    ] {
        let refusal = condition(expression).expect_err(expression);
        assert_eq!(refusal.code, "ValidationException");
        assert!(refusal.message.contains(reason), "{expression}: {}", refusal.message);
    }
}

#[test]
fn placeholders_nobody_uses_are_refused() {
    let read = |request: Json| Placeholders::read(&members(request), &["ConditionExpression"]);
    let mut given = read(json!({
        "ConditionExpression": "a = :a",
        "ExpressionAttributeValues": { ":a": { "S": "x" }, ":b": { "S": "y" } },
    }))
    .unwrap();
    Condition::parse("ConditionExpression", "a = :a", &mut given).unwrap();
    assert_eq!(
        given.finish().unwrap_err().message,
        "Value provided in ExpressionAttributeValues unused in expressions: keys: {:b}"
    );
    for (request, reason) in [
        (
            json!({ "ExpressionAttributeNames": { "#a": "a" } }),
            "can only be specified when using expressions",
        ),
        (json!({ "ConditionExpression": "a = b", "ExpressionAttributeValues": {} }), "must not be empty"),
        (json!({ "ConditionExpression": "a = b", "ExpressionAttributeNames": { "a": "a" } }), "invalid key"),
        (
            json!({ "ConditionExpression": "a = b", "ExpressionAttributeValues": { ":a": { "SS": [] } } }),
            "empty",
        ),
    ] {
        assert!(read(request).unwrap_err().message.contains(reason), "{reason}");
    }
}

fn updated(expression: &str) -> Result<Item, Failure> {
    let mut placeholders = placeholders(expression);
    let update = Update::parse(expression, &mut placeholders)?;
    placeholders.finish()?;
    update.apply(&item())
}

#[test]
fn updates_change_what_they_name_and_nothing_else() {
    for (expression, attribute, expected) in [
        ("SET fence = fence + :1", "fence", json!({ "N": "4" })),
        ("SET fence = :1 - fence", "fence", json!({ "N": "-2" })),
        ("set fence = if_not_exists(nowhere, :9)", "fence", json!({ "N": "9" })),
        ("SET fence = if_not_exists(fence, :9) + :1", "fence", json!({ "N": "4" })),
        ("SET big = big + :1", "big", json!({ "N": "9007199254740994" })),
        ("SET copy2 = step, step = :a", "copy2", json!({ "S": "upload" })),
        (
            "SET doc.title = :a",
            "doc",
            json!({ "M": { "title": { "S": "a" }, "size": { "N": "10" }, "blank": { "M": {} } } }),
        ),
        (
            "SET doc.blank.deep = :1",
            "doc",
            json!({ "M": {
            "title": { "S": "Claim" }, "size": { "N": "10" }, "blank": { "M": { "deep": { "N": "1" } } } } }),
        ),
        (
            "SET parts[0] = :a",
            "parts",
            json!({ "L": [{ "S": "a" }, { "S": "two" }, { "M": { "etag": { "S": "e3" } } }] }),
        ),
        (
            "SET parts[70] = :a, parts[9] = :1",
            "parts",
            json!({ "L": [
            { "N": "1" }, { "S": "two" }, { "M": { "etag": { "S": "e3" } } }, { "N": "1" }, { "S": "a" }] }),
        ),
        (
            "SET parts = list_append(:list, parts)",
            "parts",
            json!({ "L": [
            { "S": "new" }, { "N": "1" }, { "S": "two" }, { "M": { "etag": { "S": "e3" } } }] }),
        ),
        ("REMOVE parts[0], parts[1]", "parts", json!({ "L": [{ "M": { "etag": { "S": "e3" } } }] })),
        (
            "REMOVE parts[9]",
            "parts",
            json!({ "L": [{ "N": "1" }, { "S": "two" }, { "M": { "etag": { "S": "e3" } } }] }),
        ),
        ("REMOVE step", "step", Json::Null),
        ("REMOVE nowhere", "nowhere", Json::Null),
        ("ADD fence :2", "fence", json!({ "N": "5" })),
        ("ADD nowhere :2", "nowhere", json!({ "N": "2" })),
        ("ADD tags :newtags", "tags", json!({ "SS": ["a", "b", "c"] })),
        ("DELETE tags :oldtags", "tags", Json::Null),
        ("DELETE nowhere :tags", "nowhere", Json::Null),
        (
            "SET step = :a REMOVE fence ADD big :1 DELETE tags :newtags",
            "big",
            json!({ "N": "9007199254740994" }),
        ),
    ] {
        let after = updated(expression).unwrap_or_else(|failure| panic!("{expression}: {}", failure.message));
        let found = item_to_json(&after).get(attribute).cloned().unwrap_or(Json::Null);
        assert_eq!(found, expected, "{expression}");
    }
}

#[test]
fn updates_that_cannot_be_made_are_refused() {
    for (expression, reason) in [
        ("", "can not be empty"),
        ("fence = :1", "Syntax error"),
        ("SET fence :1", "Syntax error"),
        ("SET fence = fence + fence + :1", "Syntax error"),
        ("SET fence = :1 SET step = :a", "can only be used once"),
        ("SET doc = :a, doc.title = :a", "overlap"),
        ("SET parts[0] = :a REMOVE parts[0]", "overlap"),
        ("SET doc[0] = :a, doc.title = :a", "conflict"),
        ("SET fence = nowhere", "does not exist in the item"),
        ("SET nowhere = nowhere + :1", "does not exist in the item"),
        ("SET fence = step + :1", "incorrect data type"),
        ("SET fence = fence + :a", "operator or function: +, operand type: S"),
        ("SET nowhere.deep = :1", "invalid for update"),
        ("SET step.deep = :1", "invalid for update"),
        ("SET parts.deep = :1", "invalid for update"),
        ("ADD step :1", "incorrect data type"),
        ("ADD fence :a", "operator: ADD, operand type: S"),
        ("DELETE tags :1", "operator: DELETE, operand type: N"),
        ("DELETE counts :tags", "incorrect data type"),
        ("SET parts = list_append(parts, step)", "incorrect data type"),
        ("SET parts = list_append(parts, :1)", "operand type: N"),
        ("SET fence = size(tags)", "not allowed in an update expression"),
        ("SET fence = dog(tags)", "Invalid function name"),
        ("SET fence = if_not_exists(:1, :2)", "requires a document path"),
        ("REMOVE size", "reserved keyword"),
    ] {
        let refusal = updated(expression).expect_err(expression);
        assert!(refusal.message.contains(reason), "{expression}: {}", refusal.message);
    }
}

#[test]
fn a_projection_keeps_the_shape_of_what_it_picks() {
    let picked = |expression: &str| {
        let paths = projection(expression, &mut placeholders(expression))?;
        Ok::<_, Failure>(item_to_json(&project(&item(), &paths)))
    };
    assert_eq!(
        picked("pk, doc.title, parts[2].etag, parts[0], nowhere, step.deeper").unwrap(),
        json!({
            "pk": { "S": "ingest#1" },
            "doc": { "M": { "title": { "S": "Claim" } } },
            "parts": { "L": [{ "N": "1" }, { "M": { "etag": { "S": "e3" } } }] },
        })
    );
    assert!(picked("doc, doc.title").unwrap_err().message.contains("overlap"));
    assert!(picked("pk,").unwrap_err().message.contains("Syntax error"));
}
