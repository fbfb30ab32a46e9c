//! Items: writing, reading, querying, limits and what they cost.

use std::collections::HashMap;

use aws_sdk_dynamodb::primitives::Blob;
use aws_sdk_dynamodb::types::{
    AttributeDefinition, AttributeValue, BillingMode, KeySchemaElement, KeyType, KeysAndAttributes,
    ReturnConsumedCapacity, ReturnValue, ScalarAttributeType, Select, TimeToLiveSpecification,
};

use crate::side::{Capability, Side, refusal, refusal_text};

crate::contract![
    an_item_comes_back_as_it_went_in,
    updates_change_an_item_or_make_one,
    numbers_keep_38_digits,
    keys_must_be_whole_and_not_empty,
    an_item_ends_at_400_kilobytes,
    a_query_selects_orders_and_pages,
    a_scan_visits_every_item,
    a_batch_reads_many_items,
    capacity_is_counted_in_kilobytes,
    an_expired_item_is_still_there,
    a_missing_table_is_named_so,
];

pub(crate) fn s(text: &str) -> AttributeValue {
    AttributeValue::S(text.to_owned())
}

pub(crate) fn n(number: impl ToString) -> AttributeValue {
    AttributeValue::N(number.to_string())
}

pub(crate) type Item = HashMap<String, AttributeValue>;

pub(crate) fn item<const N: usize>(members: [(&str, AttributeValue); N]) -> Item {
    members.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
}

pub(crate) fn key(pk: &str, sk: &str) -> Item {
    item([("pk", s(pk)), ("sk", s(sk))])
}

/// A table with a partition and a sort key, both text.
pub(crate) async fn table(side: &Side) -> String {
    let name = side.name("table");
    let mut create = side.dynamodb.create_table().table_name(&name).billing_mode(BillingMode::PayPerRequest);
    for (attribute, role) in [("pk", KeyType::Hash), ("sk", KeyType::Range)] {
        let schema = KeySchemaElement::builder().attribute_name(attribute).key_type(role).build().unwrap();
        let definition = AttributeDefinition::builder()
            .attribute_name(attribute)
            .attribute_type(ScalarAttributeType::S)
            .build()
            .unwrap();
        create = create.key_schema(schema).attribute_definitions(definition);
    }
    create.send().await.unwrap();
    let described = side.dynamodb.describe_table().table_name(&name).send().await.unwrap();
    assert_eq!(described.table().unwrap().table_status().unwrap().as_str(), "ACTIVE");
    name
}

pub(crate) async fn put(side: &Side, table: &str, item: Item) {
    side.dynamodb.put_item().table_name(table).set_item(Some(item)).send().await.unwrap();
}

pub(crate) async fn get(side: &Side, table: &str, pk: &str, sk: &str) -> Option<Item> {
    let get = side.dynamodb.get_item().table_name(table).set_key(Some(key(pk, sk))).consistent_read(true);
    get.send().await.unwrap().item
}

async fn an_item_comes_back_as_it_went_in(side: Side) {
    let table = table(&side).await;
    let mut record = key("ingest#ünï", "record");
    record.extend(item([
        ("number", n("12.50")),
        ("bytes", AttributeValue::B(Blob::new(vec![0, 1, 255]))),
        ("yes", AttributeValue::Bool(true)),
        ("nothing", AttributeValue::Null(true)),
        ("list", AttributeValue::L(vec![s(""), n(1), AttributeValue::M(item([("deep", s("x"))]))])),
        ("texts", AttributeValue::Ss(vec!["a".to_owned(), "b".to_owned()])),
        ("empty", s("")),
    ]));
    put(&side, &table, record.clone()).await;
    let mut found = get(&side, &table, "ingest#ünï", "record").await.unwrap();
    record.insert("number".to_owned(), n("12.5"));
    if let Some(AttributeValue::Ss(texts)) = found.get_mut("texts") {
        texts.sort();
    }
    assert_eq!(found, record);
    assert_eq!(get(&side, &table, "ingest#ünï", "other").await, None);
    let part = side
        .dynamodb
        .get_item()
        .table_name(&table)
        .set_key(Some(key("ingest#ünï", "record")))
        .projection_expression("#list[2].deep, yes")
        .expression_attribute_names("#list", "list")
        .send()
        .await
        .unwrap();
    let deep = AttributeValue::L(vec![AttributeValue::M(item([("deep", s("x"))]))]);
    assert_eq!(part.item.unwrap(), item([("yes", AttributeValue::Bool(true)), ("list", deep)]));
    let old = side.dynamodb.delete_item().table_name(&table).set_key(Some(key("ingest#ünï", "record")));
    let old = old.return_values(ReturnValue::AllOld).send().await.unwrap();
    assert_eq!(old.attributes.unwrap().get("yes"), Some(&AttributeValue::Bool(true)));
    assert_eq!(get(&side, &table, "ingest#ünï", "record").await, None);
}

async fn updates_change_an_item_or_make_one(side: Side) {
    let table = table(&side).await;
    let update = |expression: &str| {
        side.dynamodb
            .update_item()
            .table_name(&table)
            .set_key(Some(key("a", "b")))
            .update_expression(expression)
    };
    let made = update("SET fence = if_not_exists(fence, :zero) + :one, steps = :none ADD seen :tag")
        .expression_attribute_values(":zero", n(0))
        .expression_attribute_values(":one", n(1))
        .expression_attribute_values(":none", AttributeValue::L(vec![]))
        .expression_attribute_values(":tag", AttributeValue::Ss(vec!["x".to_owned()]))
        .return_values(ReturnValue::AllNew)
        .send()
        .await
        .unwrap();
    let mut expected = key("a", "b");
    expected.extend(item([
        ("fence", n(1)),
        ("steps", AttributeValue::L(vec![])),
        ("seen", AttributeValue::Ss(vec!["x".to_owned()])),
    ]));
    assert_eq!(made.attributes.unwrap(), expected);
    let changed =
        update("SET steps = list_append(steps, :step), fence = fence + :one DELETE seen :tag REMOVE absent")
            .expression_attribute_values(":step", AttributeValue::L(vec![s("upload")]))
            .expression_attribute_values(":one", n(1))
            .expression_attribute_values(":tag", AttributeValue::Ss(vec!["x".to_owned()]))
            .return_values(ReturnValue::UpdatedNew)
            .send()
            .await
            .unwrap();
    assert_eq!(
        changed.attributes.unwrap(),
        item([("steps", AttributeValue::L(vec![s("upload")])), ("fence", n(2))])
    );
    assert_eq!(get(&side, &table, "a", "b").await.unwrap().get("seen"), None, "an emptied set is gone");
    for (expression, reason) in [
        ("SET nowhere.deep = :one", "invalid for update"),
        ("SET fence = steps + :one", "incorrect data type"),
        ("SET fence = absent + :one", "does not exist in the item"),
        ("SET pk = :one", "part of the key"),
        ("SET fence = :one, fence = :one", "overlap"),
    ] {
        if ["incorrect data type", "overlap"].contains(&reason) && !side.can(Capability::StrictUpdates) {
            continue;
        }
        let refused = update(expression).expression_attribute_values(":one", n(1)).send().await;
        let text = refusal_text(refused);
        assert!(text.starts_with("ValidationException") && text.contains(reason), "{expression}: {text}");
    }
}

async fn numbers_keep_38_digits(side: Side) {
    let table = table(&side).await;
    let long = "12345678901234567890123456789012345678";
    let mut record = key("n", "1");
    record.insert("long".to_owned(), n(long));
    put(&side, &table, record.clone()).await;
    assert_eq!(get(&side, &table, "n", "1").await.unwrap().get("long"), Some(&n(long)));
    for bad in [format!("{long}9"), "1E126".to_owned(), "ten".to_owned()] {
        record.insert("long".to_owned(), n(&bad));
        let refused = side.dynamodb.put_item().table_name(&table).set_item(Some(record.clone())).send().await;
        assert_eq!(refusal(refused), "ValidationException", "{bad}");
    }
}

async fn keys_must_be_whole_and_not_empty(side: Side) {
    let table = table(&side).await;
    for bad in [
        key("", "b"),
        key("a", ""),
        item([("pk", s("a"))]),
        item([("pk", s("a")), ("sk", n(1))]),
        key(&"x".repeat(2049), "b"),
        key("a", &"x".repeat(1025)),
    ] {
        let refused = side.dynamodb.put_item().table_name(&table).set_item(Some(bad)).send().await;
        assert_eq!(refusal(refused), "ValidationException");
    }
    let mut extra = key("a", "b");
    extra.insert("more".to_owned(), n(1));
    let refused = side.dynamodb.get_item().table_name(&table).set_key(Some(extra)).send().await;
    assert!(refusal_text(refused).contains("does not match the schema"));
}

async fn an_item_ends_at_400_kilobytes(side: Side) {
    let table = table(&side).await;
    // Names count: pk, a, sk, b and body are 10 bytes.
    let room = 400 * 1024 - 10;
    for (length, fits) in [(room, true), (room + 1, false)] {
        let mut record = key("a", "b");
        record.insert("body".to_owned(), s(&"x".repeat(length)));
        let put = side.dynamodb.put_item().table_name(&table).set_item(Some(record)).send().await;
        assert_eq!(put.is_ok(), fits, "{length}");
    }
    let grown = side.dynamodb.update_item().table_name(&table).set_key(Some(key("a", "b")));
    let grown =
        grown.update_expression("SET m = :m").expression_attribute_values(":m", s("more")).send().await;
    assert!(refusal_text(grown).contains("exceeded the maximum allowed size"));
}

async fn a_query_selects_orders_and_pages(side: Side) {
    let table = table(&side).await;
    for number in 0..9 {
        let mut record = key("asset", &format!("audit#{number}"));
        record.insert("odd".to_owned(), AttributeValue::Bool(number % 2 == 1));
        put(&side, &table, record).await;
    }
    put(&side, &table, key("asset", "record")).await;
    put(&side, &table, key("asset2", "audit#0")).await;
    let query = |condition: &str| {
        side.dynamodb
            .query()
            .table_name(&table)
            .key_condition_expression(condition)
            .expression_attribute_values(":pk", s("asset"))
    };
    let keys = |items: &[Item]| -> String {
        let last = |item: &Item| item["sk"].as_s().unwrap().trim_start_matches("audit#").to_owned();
        items.iter().map(last).collect::<Vec<_>>().join(" ")
    };
    let all = query("pk = :pk").send().await.unwrap();
    assert_eq!((keys(all.items()), all.count), ("0 1 2 3 4 5 6 7 8 record".to_owned(), 10));
    let begun = query("pk = :pk AND begins_with(sk, :a)").expression_attribute_values(":a", s("audit#"));
    let begun = begun.scan_index_forward(false).limit(3).send().await.unwrap();
    assert_eq!(keys(begun.items()), "8 7 6");
    let next = query("pk = :pk AND begins_with(sk, :a)").expression_attribute_values(":a", s("audit#"));
    let next = next
        .scan_index_forward(false)
        .set_exclusive_start_key(begun.last_evaluated_key)
        .send()
        .await
        .unwrap();
    assert_eq!((keys(next.items()), next.last_evaluated_key), ("5 4 3 2 1 0".to_owned(), None));
    let between = query("sk BETWEEN :from AND :to AND pk = :pk")
        .expression_attribute_values(":from", s("audit#2"))
        .expression_attribute_values(":to", s("audit#4"))
        .send()
        .await
        .unwrap();
    assert_eq!(keys(between.items()), "2 3 4");
    let filtered = query("pk = :pk AND sk > :sk")
        .expression_attribute_values(":sk", s("audit#3"))
        .filter_expression("odd = :yes")
        .expression_attribute_values(":yes", AttributeValue::Bool(true))
        .select(Select::Count)
        .send()
        .await
        .unwrap();
    assert_eq!((filtered.count, filtered.scanned_count), (2, 6));
    for (condition, reason) in [
        ("sk = :pk", "missed key schema element: pk"),
        ("pk = :pk OR sk = :pk", "OR"),
        ("pk > :pk", "not supported"),
        ("pk = :pk AND sk <> :pk", "not supported"),
        ("pk = :pk AND contains(sk, :pk)", "not supported"),
    ] {
        if !(condition == "sk = :pk" || side.can(Capability::StrictQueries)) {
            continue;
        }
        let text = refusal_text(query(condition).send().await);
        assert!(text.starts_with("ValidationException") && text.contains(reason), "{condition}: {text}");
    }
}

async fn a_scan_visits_every_item(side: Side) {
    let table = table(&side).await;
    for number in 0..7 {
        put(&side, &table, key(&format!("p{number}"), "x")).await;
    }
    let (mut found, mut start) = (Vec::new(), None);
    loop {
        let page = side.dynamodb.scan().table_name(&table).limit(3).set_exclusive_start_key(start);
        let page = page.send().await.unwrap();
        found.extend(page.items().iter().map(|item| item["pk"].as_s().unwrap().clone()));
        start = page.last_evaluated_key;
        if start.is_none() {
            break;
        }
    }
    found.sort();
    assert_eq!(found, ["p0", "p1", "p2", "p3", "p4", "p5", "p6"]);
}

async fn a_batch_reads_many_items(side: Side) {
    let table = table(&side).await;
    put(&side, &table, key("a", "1")).await;
    put(&side, &table, key("a", "2")).await;
    let ask = |keys: Vec<Item>| {
        let keys = KeysAndAttributes::builder().set_keys(Some(keys)).build().unwrap();
        side.dynamodb.batch_get_item().request_items(&table, keys).send()
    };
    let found = ask(vec![key("a", "1"), key("a", "2"), key("a", "3")]).await.unwrap();
    assert_eq!(found.responses.unwrap()[&table].len(), 2);
    assert_eq!(refusal(ask(vec![key("a", "1"), key("a", "1")]).await), "ValidationException");
}

async fn capacity_is_counted_in_kilobytes(side: Side) {
    let table = table(&side).await;
    for (length, units) in [(10, 1.0), (1500, 2.0), (3000, 3.0), (5, 3.0)] {
        let mut record = key("a", "b");
        record.insert("body".to_owned(), s(&"x".repeat(length)));
        let put = side.dynamodb.put_item().table_name(&table).set_item(Some(record));
        let answer = put.return_consumed_capacity(ReturnConsumedCapacity::Total).send().await.unwrap();
        let consumed = answer.consumed_capacity.unwrap().capacity_units.unwrap();
        // The larger of the item before and after counts.
        assert!((consumed - units).abs() < f64::EPSILON, "{length}: {consumed}");
    }
    if let Some(aws) = &side.aws {
        let counters = aws.dynamodb().counters(&table);
        assert_eq!((counters.writes, counters.write_units), (4, 9));
    }
}

async fn an_expired_item_is_still_there(side: Side) {
    let table = table(&side).await;
    let expiry = TimeToLiveSpecification::builder().attribute_name("expires").enabled(true).build().unwrap();
    side.dynamodb
        .update_time_to_live()
        .table_name(&table)
        .time_to_live_specification(expiry)
        .send()
        .await
        .unwrap();
    for (sk, expires) in [("past", side.seconds() - 1), ("future", side.seconds() + 3600)] {
        let mut record = key("a", sk);
        record.insert("expires".to_owned(), n(expires));
        put(&side, &table, record).await;
    }
    if let Some(aws) = &side.aws {
        assert!(get(&side, &table, "a", "past").await.is_some(), "only AWS, and some day, removes it");
        assert_eq!(aws.dynamodb().remove_expired(&table), 1);
        assert!(get(&side, &table, "a", "past").await.is_none());
    }
    assert!(get(&side, &table, "a", "future").await.is_some());
}

async fn a_missing_table_is_named_so(side: Side) {
    let missing = side.name("nowhere");
    let refused = side.dynamodb.get_item().table_name(&missing).set_key(Some(key("a", "b"))).send().await;
    assert_eq!(refusal(refused), "ResourceNotFoundException");
    let refused = side.dynamodb.describe_table().table_name(&missing).send().await;
    assert!(refused.unwrap_err().into_service_error().is_resource_not_found_exception());
}
