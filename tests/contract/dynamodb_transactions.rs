//! Transactions: all or nothing, with reasons.

use aws_sdk_dynamodb::error::SdkError;
use aws_sdk_dynamodb::operation::transact_write_items::TransactWriteItemsError;
use aws_sdk_dynamodb::types::{
    ConditionCheck, Delete, Put, ReturnConsumedCapacity, ReturnValuesOnConditionCheckFailure,
    TransactWriteItem, Update,
};

use crate::dynamodb_items::{Item, get, key, n, put, s, table};
use crate::side::{Side, refusal, refusal_text};

crate::contract![
    a_transaction_happens_as_a_whole,
    one_refusal_cancels_all_and_says_which,
    a_repeated_token_has_no_second_effect,
    one_item_takes_part_once,
    a_transaction_costs_twice,
];

fn action_put(table: &str, item: Item, condition: Option<&str>) -> TransactWriteItem {
    let put = Put::builder()
        .table_name(table)
        .set_item(Some(item))
        .set_condition_expression(condition.map(str::to_owned))
        .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld)
        .build()
        .unwrap();
    TransactWriteItem::builder().put(put).build()
}

fn action_update(table: &str, key: Item, fence: i64) -> TransactWriteItem {
    let update = Update::builder()
        .table_name(table)
        .set_key(Some(key))
        .update_expression("SET done = :done")
        .condition_expression("fence = :fence")
        .expression_attribute_values(":fence", n(fence))
        .expression_attribute_values(":done", n(1))
        .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld)
        .build()
        .unwrap();
    TransactWriteItem::builder().update(update).build()
}

fn action_check(table: &str, key: Item, condition: &str) -> TransactWriteItem {
    let check = ConditionCheck::builder()
        .table_name(table)
        .set_key(Some(key))
        .condition_expression(condition)
        .build()
        .unwrap();
    TransactWriteItem::builder().condition_check(check).build()
}

fn action_delete(table: &str, key: Item) -> TransactWriteItem {
    TransactWriteItem::builder()
        .delete(Delete::builder().table_name(table).set_key(Some(key)).build().unwrap())
        .build()
}

async fn record(side: &Side, table: &str, fence: i64) {
    let mut record = key("item", "record");
    record.insert("fence".to_owned(), n(fence));
    put(side, table, record).await;
}

async fn a_transaction_happens_as_a_whole(side: Side) {
    let table = table(&side).await;
    record(&side, &table, 2).await;
    put(&side, &table, key("item", "lease")).await;
    side.dynamodb
        .transact_write_items()
        .transact_items(action_update(&table, key("item", "record"), 2))
        .transact_items(action_put(&table, key("item", "audit#1"), Some("attribute_not_exists(pk)")))
        .transact_items(action_delete(&table, key("item", "lease")))
        .transact_items(action_check(&table, key("item", "hold"), "attribute_not_exists(pk)"))
        .send()
        .await
        .unwrap();
    assert_eq!(get(&side, &table, "item", "record").await.unwrap()["done"], n(1));
    assert!(get(&side, &table, "item", "audit#1").await.is_some());
    assert!(get(&side, &table, "item", "lease").await.is_none());
}

async fn one_refusal_cancels_all_and_says_which(side: Side) {
    let table = table(&side).await;
    record(&side, &table, 3).await;
    let result = side
        .dynamodb
        .transact_write_items()
        .transact_items(action_put(&table, key("item", "audit#1"), None))
        .transact_items(action_update(&table, key("item", "record"), 2))
        .send()
        .await;
    let Err(SdkError::ServiceError(error)) = result else { panic!("{result:?}") };
    let TransactWriteItemsError::TransactionCanceledException(cancelled) = error.into_err() else {
        panic!("another error");
    };
    let codes: Vec<&str> =
        cancelled.cancellation_reasons().iter().map(|reason| reason.code().unwrap_or_default()).collect();
    assert_eq!(codes, ["None", "ConditionalCheckFailed"]);
    assert_eq!(cancelled.cancellation_reasons()[1].item().unwrap()["fence"], n(3));
    assert!(cancelled.message().unwrap().contains("[None, ConditionalCheckFailed]"));
    assert!(get(&side, &table, "item", "audit#1").await.is_none(), "nothing of it happened");
}

async fn a_repeated_token_has_no_second_effect(side: Side) {
    let table = table(&side).await;
    let token = side.name("token");
    let write = |note: &str| {
        let mut record = key("item", "audit#1");
        record.insert("note".to_owned(), s(note));
        side.dynamodb
            .transact_write_items()
            .client_request_token(token.chars().take(36).collect::<String>())
            .transact_items(action_put(&table, record, Some("attribute_not_exists(pk)")))
            .send()
    };
    write("one").await.unwrap();
    write("one").await.unwrap();
    assert_eq!(refusal(write("two").await), "IdempotentParameterMismatchException");
    assert_eq!(get(&side, &table, "item", "audit#1").await.unwrap()["note"], s("one"));
}

async fn one_item_takes_part_once(side: Side) {
    let table = table(&side).await;
    let twice = side
        .dynamodb
        .transact_write_items()
        .transact_items(action_put(&table, key("item", "a"), None))
        .transact_items(action_check(&table, key("item", "a"), "attribute_not_exists(pk)"))
        .send()
        .await;
    let text = refusal_text(twice);
    assert!(
        text.starts_with("ValidationException") && text.contains("multiple operations on one item"),
        "{text}"
    );
    assert!(get(&side, &table, "item", "a").await.is_none());
}

async fn a_transaction_costs_twice(side: Side) {
    let Some(aws) = &side.aws else { return };
    let table = table(&side).await;
    let mut large = key("item", "large");
    large.insert("body".to_owned(), s(&"x".repeat(1500)));
    let answer = side
        .dynamodb
        .transact_write_items()
        .transact_items(action_put(&table, key("item", "small"), None))
        .transact_items(action_put(&table, large, None))
        .return_consumed_capacity(ReturnConsumedCapacity::Total)
        .send()
        .await
        .unwrap();
    let units = answer.consumed_capacity()[0].capacity_units().unwrap();
    assert!((units - 6.0).abs() < f64::EPSILON, "one and two units, twice: {units}");
    assert_eq!(aws.dynamodb().counters(&table).write_units, 6);
}
