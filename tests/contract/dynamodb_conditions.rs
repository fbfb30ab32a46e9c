//! Conditions: what a ledger's claims, fences and leases stand on.

use aws_sdk_dynamodb::types::{AttributeValue, ReturnValue, ReturnValuesOnConditionCheckFailure};

use crate::dynamodb_items::{get, item, key, n, put, s, table};
use crate::side::{Capability, Side, refusal, refusal_text};

crate::contract![
    only_the_first_of_two_creates,
    a_lease_is_taken_over_after_its_end_and_not_before,
    a_stale_fence_writes_nothing,
    conditions_mean_the_same_everywhere,
    nonsense_is_refused_before_it_is_judged,
];

async fn only_the_first_of_two_creates(side: Side) {
    let table = table(&side).await;
    let create = |owner: &str| {
        let mut record = key("item", "record");
        record.insert("owner_id".to_owned(), s(owner));
        side.dynamodb
            .put_item()
            .table_name(&table)
            .set_item(Some(record))
            .condition_expression("attribute_not_exists(pk)")
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld)
            .send()
    };
    create("first").await.unwrap();
    let error = create("second").await.unwrap_err().into_service_error();
    assert!(error.is_conditional_check_failed_exception());
    let aws_sdk_dynamodb::operation::put_item::PutItemError::ConditionalCheckFailedException(failed) = error
    else {
        panic!("another error");
    };
    assert_eq!(failed.item().unwrap()["owner_id"], s("first"), "the refusal shows who holds it");
    assert_eq!(get(&side, &table, "item", "record").await.unwrap()["owner_id"], s("first"));
}

async fn a_lease_is_taken_over_after_its_end_and_not_before(side: Side) {
    let table = table(&side).await;
    let claim = |now: i64| {
        side.dynamodb
            .update_item()
            .table_name(&table)
            .set_key(Some(key("item", "record")))
            .update_expression("SET fence = if_not_exists(fence, :zero) + :one, lease = :until")
            .condition_expression("attribute_not_exists(pk) OR (lease < :now AND NOT attribute_exists(done))")
            .expression_attribute_values(":zero", n(0))
            .expression_attribute_values(":one", n(1))
            .expression_attribute_values(":until", n(now + 60))
            .expression_attribute_values(":now", n(now))
            .return_values(ReturnValue::AllNew)
            .send()
    };
    assert_eq!(claim(1000).await.unwrap().attributes.unwrap()["fence"], n(1));
    assert_eq!(refusal(claim(1060).await), "ConditionalCheckFailedException");
    assert_eq!(claim(1061).await.unwrap().attributes.unwrap()["fence"], n(2));
}

async fn a_stale_fence_writes_nothing(side: Side) {
    let table = table(&side).await;
    let mut record = key("item", "record");
    record.insert("fence".to_owned(), n(2));
    put(&side, &table, record.clone()).await;
    let complete = |fence: i64| {
        side.dynamodb
            .update_item()
            .table_name(&table)
            .set_key(Some(key("item", "record")))
            .update_expression("SET done = :yes")
            .condition_expression("fence = :mine")
            .expression_attribute_values(":mine", n(fence))
            .expression_attribute_values(":yes", AttributeValue::Bool(true))
            .send()
    };
    assert_eq!(refusal(complete(1).await), "ConditionalCheckFailedException");
    assert_eq!(get(&side, &table, "item", "record").await.unwrap(), record);
    complete(2).await.unwrap();
    let refused = side.dynamodb.delete_item().table_name(&table).set_key(Some(key("item", "record")));
    let refused = refused.condition_expression("attribute_not_exists(done)").send().await;
    assert_eq!(refusal(refused), "ConditionalCheckFailedException");
}

/// Holds or not, and the condition.
const CONDITIONS: [(bool, &str); 47] = [
    (true, "fence = :3"),
    (false, "fence = :text3"),
    (true, "fence <> :text3"),
    (true, "big > :big"),
    (false, "big = :big"),
    (true, "marks = :marks"),
    (false, "step > :3"),
    (false, "step < :3"),
    (true, "step > :up"),
    (false, "nowhere = :3"),
    (true, "nowhere <> :3"),
    (false, "nowhere = elsewhere"),
    (true, "nowhere <> elsewhere"),
    (false, "nowhere < :3"),
    (false, "nowhere BETWEEN :1 AND :9"),
    (false, "nowhere IN (:1, :3)"),
    (true, "NOT nowhere = :3"),
    (true, "fence BETWEEN :1 AND :3"),
    (false, "fence BETWEEN :9 AND :99"),
    (false, "step BETWEEN :1 AND :9"),
    (true, "fence IN (:1, :3)"),
    (true, "fence IN (:up, :3)"),
    (false, "fence IN (:1, :9)"),
    (true, "attribute_exists(doc.title)"),
    (false, "attribute_exists(doc.title.deeper)"),
    (true, "attribute_exists(pieces[1])"),
    (false, "attribute_exists(pieces[2])"),
    (true, "attribute_not_exists(nowhere)"),
    (false, "attribute_not_exists(pk)"),
    (true, "attribute_type(pieces, :L)"),
    (false, "attribute_type(fence, :L)"),
    (false, "attribute_type(nowhere, :L)"),
    (true, "begins_with(step, :up)"),
    (false, "begins_with(nowhere, :up)"),
    (false, "begins_with(fence, :up)"),
    (true, "contains(step, :load)"),
    (true, "contains(marks, :a)"),
    (true, "contains(pieces, :1)"),
    (false, "contains(nowhere, :a)"),
    (true, "size(marks) = :2"),
    (true, "size(step) > :3"),
    (false, "size(fence) = :1"),
    (false, "size(nowhere) < :9"),
    (true, "fence = :3 OR fence = :3 AND fence = :9"),
    (false, "(fence = :3 OR fence = :3) AND fence = :9"),
    (false, "NOT fence = :3 AND fence = :3"),
    (true, "NOT (fence = :3 AND fence = :9)"),
];

/// Those of the conditions that only a careful reader of the documentation gets right.
const ODD: [&str; 3] = ["nowhere = elsewhere", "nowhere <> elsewhere", "begins_with(fence, :up)"];

async fn conditions_mean_the_same_everywhere(side: Side) {
    let table = table(&side).await;
    let mut record = key("a", "b");
    record.extend(item([
        ("fence", n(3)),
        ("big", n("9007199254740993")),
        ("step", s("upload")),
        ("marks", AttributeValue::Ss(vec!["a".to_owned(), "b".to_owned()])),
        ("pieces", AttributeValue::L(vec![n(1), s("two")])),
        ("doc", AttributeValue::M(item([("title", s("Claim"))]))),
    ]));
    put(&side, &table, record.clone()).await;
    let values = [
        (":1", n(1)),
        (":2", n(2)),
        (":3", n("3.0")),
        (":9", n(9)),
        (":99", n(99)),
        (":text3", s("3")),
        (":big", n("9007199254740992")),
        (":marks", AttributeValue::Ss(vec!["b".to_owned(), "a".to_owned()])),
        (":up", s("up")),
        (":load", s("load")),
        (":a", s("a")),
        (":L", s("L")),
    ];
    for (expected, condition) in CONDITIONS {
        if ODD.contains(&condition) && !side.can(Capability::OddOperands) {
            continue;
        }
        let words: Vec<&str> =
            condition.split(|letter: char| !(letter.is_alphanumeric() || letter == ':')).collect();
        let mut put = side.dynamodb.put_item().table_name(&table).set_item(Some(record.clone()));
        for (name, value) in values.iter().filter(|(name, _)| words.contains(name)) {
            put = put.expression_attribute_values(*name, value.clone());
        }
        let result = put.condition_expression(condition).send().await;
        if expected {
            assert!(result.is_ok(), "{condition}: {result:?}");
        } else {
            assert_eq!(refusal(result), "ConditionalCheckFailedException", "{condition}");
        }
    }
}

async fn nonsense_is_refused_before_it_is_judged(side: Side) {
    let table = table(&side).await;
    for (condition, reason) in [
        ("fence =", "Syntax error"),
        ("fence = :3 fence", "Syntax error"),
        ("fence = :undefined", "not defined"),
        ("#undefined = :3", "not defined"),
        ("status = :3", "reserved keyword"),
        ("attribute_exists(:3)", ""),
        ("Attribute_exists(pk) AND fence = :3", "Invalid function name"),
        ("fence <> fence AND step = :3", "must be distinct"),
        ("step = step", "must be distinct"),
        ("begins_with(fence, :3)", "Incorrect operand type"),
    ] {
        let strict =
            ["Invalid function name", "must be distinct", "Incorrect operand type"].contains(&reason);
        if strict && !side.can(Capability::StrictConditions) {
            continue;
        }
        let put = side.dynamodb.put_item().table_name(&table).set_item(Some(key("a", "b")));
        let put = put.condition_expression(condition).expression_attribute_values(":3", n(3));
        let text = refusal_text(put.send().await);
        assert!(text.starts_with("ValidationException"), "{condition}: {text}");
        // The order of the checks, and so the one that speaks, is ours to keep and nobody else's.
        if side.aws.is_some() {
            assert!(text.contains(reason), "{condition}: {text}");
        }
    }
    assert_eq!(get(&side, &table, "a", "b").await, None);
}
