//! Queues: visibility, receipts, redrive, order.

use std::time::Duration;

use aws_sdk_sqs::types::{
    DeleteMessageBatchRequestEntry, Message, MessageAttributeValue, MessageSystemAttributeName,
    QueueAttributeName, SendMessageBatchRequestEntry,
};

use crate::side::{Capability, Side, refusal};

crate::contract![
    a_message_arrives_with_its_attributes,
    a_message_returns_when_its_time_runs_out,
    visibility_can_be_ended_and_extended,
    what_fails_too_often_goes_to_the_dead_letter_queue,
    a_delayed_message_waits,
    a_group_goes_one_after_the_other,
    duplicates_are_taken_once,
    a_batch_reports_each_entry,
    a_message_ends_at_one_mebibyte,
    what_is_not_there_is_refused,
];

async fn queue(side: &Side, kind: &str, attributes: &[(QueueAttributeName, String)]) -> String {
    let mut create = side.sqs.create_queue().queue_name(side.name("queue") + kind);
    for (name, value) in attributes {
        create = create.attributes(name.clone(), value);
    }
    create.send().await.unwrap().queue_url().unwrap().to_owned()
}

async fn send(side: &Side, queue: &str, body: &str) {
    side.sqs.send_message().queue_url(queue).message_body(body).send().await.unwrap();
}

async fn receive(side: &Side, queue: &str) -> Vec<Message> {
    let receive = side
        .sqs
        .receive_message()
        .queue_url(queue)
        .max_number_of_messages(10)
        .message_system_attribute_names(MessageSystemAttributeName::All)
        .message_attribute_names("All");
    receive.send().await.unwrap().messages.unwrap_or_default()
}

fn receives(message: &Message) -> &str {
    &message.attributes().unwrap()[&MessageSystemAttributeName::ApproximateReceiveCount]
}

async fn delete(side: &Side, queue: &str, receipt: &str) {
    side.sqs.delete_message().queue_url(queue).receipt_handle(receipt).send().await.unwrap();
}

async fn a_message_arrives_with_its_attributes(side: Side) {
    let queue = queue(&side, "", &[]).await;
    let text =
        MessageAttributeValue::builder().data_type("String").string_value("ingest-uploads").build().unwrap();
    let bytes = MessageAttributeValue::builder()
        .data_type("Binary")
        .binary_value(aws_sdk_sqs::primitives::Blob::new(vec![1, 2]))
        .build()
        .unwrap();
    let sent = side
        .sqs
        .send_message()
        .queue_url(&queue)
        .message_body("hello wörld")
        .message_attributes("flow", text)
        .message_attributes("bytes", bytes)
        .send()
        .await
        .unwrap();
    assert_eq!(sent.md5_of_message_body(), Some("8c6e15df743a0380aaa26e5741794d7b"));
    let found = receive(&side, &queue).await;
    let [message] = found.as_slice() else { panic!("{found:?}") };
    assert_eq!((message.body(), message.message_id()), (Some("hello wörld"), sent.message_id()));
    assert_eq!(message.md5_of_body(), sent.md5_of_message_body());
    assert_eq!(message.md5_of_message_attributes(), sent.md5_of_message_attributes());
    assert_eq!(message.message_attributes().unwrap()["flow"].string_value(), Some("ingest-uploads"));
    assert_eq!(receives(message), "1");
    assert!(message.attributes().unwrap().contains_key(&MessageSystemAttributeName::SentTimestamp));
    delete(&side, &queue, message.receipt_handle().unwrap()).await;
    if side.can(Capability::PatientReceipts) {
        delete(&side, &queue, message.receipt_handle().unwrap()).await;
    }
    side.pass(Duration::from_secs(1)).await;
    assert!(receive(&side, &queue).await.is_empty());
}

async fn a_message_returns_when_its_time_runs_out(side: Side) {
    let queue = queue(&side, "", &[(QueueAttributeName::VisibilityTimeout, "1".to_owned())]).await;
    send(&side, &queue, "again").await;
    let first = receive(&side, &queue).await;
    assert!(receive(&side, &queue).await.is_empty(), "in flight");
    side.pass(Duration::from_millis(1200)).await;
    let second = receive(&side, &queue).await;
    assert_eq!((second.len(), receives(&second[0])), (1, "2"));
    assert_ne!(first[0].receipt_handle(), second[0].receipt_handle());
    if side.can(Capability::PatientReceipts) {
        // The handle of an earlier receive is accepted and deletes nothing.
        delete(&side, &queue, first[0].receipt_handle().unwrap()).await;
    }
    side.pass(Duration::from_millis(1200)).await;
    let third = receive(&side, &queue).await;
    assert_eq!(receives(&third[0]), "3");
    side.pass(Duration::from_millis(1200)).await;
    delete(&side, &queue, third[0].receipt_handle().unwrap()).await;
    assert!(receive(&side, &queue).await.is_empty(), "the latest handle works even when its time ran out");
}

async fn visibility_can_be_ended_and_extended(side: Side) {
    let queue = queue(&side, "", &[(QueueAttributeName::VisibilityTimeout, "1".to_owned())]).await;
    send(&side, &queue, "back off").await;
    let change = |receipt: &str, seconds: i32| {
        let change = side.sqs.change_message_visibility().queue_url(&queue).receipt_handle(receipt);
        change.visibility_timeout(seconds).send()
    };
    let first = receive(&side, &queue).await;
    change(first[0].receipt_handle().unwrap(), 0).await.unwrap();
    let second = receive(&side, &queue).await;
    assert_eq!(second.len(), 1, "given back at once");
    change(second[0].receipt_handle().unwrap(), 30).await.unwrap();
    side.pass(Duration::from_millis(1200)).await;
    assert!(receive(&side, &queue).await.is_empty(), "extended");
    if side.can(Capability::QueueLimits) {
        assert!(change(second[0].receipt_handle().unwrap(), 43_201).await.is_err());
    }
}

async fn what_fails_too_often_goes_to_the_dead_letter_queue(side: Side) {
    let dead = queue(&side, "-dead", &[]).await;
    let attributes = side.sqs.get_queue_attributes().queue_url(&dead);
    let attributes = attributes.attribute_names(QueueAttributeName::QueueArn).send().await.unwrap();
    let arn = attributes.attributes().unwrap()[&QueueAttributeName::QueueArn].clone();
    let policy = format!("{{\"deadLetterTargetArn\":\"{arn}\",\"maxReceiveCount\":2}}");
    let queue = queue(
        &side,
        "",
        &[
            (QueueAttributeName::VisibilityTimeout, "0".to_owned()),
            (QueueAttributeName::RedrivePolicy, policy),
        ],
    )
    .await;
    let sent = side.sqs.send_message().queue_url(&queue).message_body("poison").send().await.unwrap();
    assert_eq!(receives(&receive(&side, &queue).await[0]), "1");
    assert_eq!(receives(&receive(&side, &queue).await[0]), "2");
    assert!(receive(&side, &queue).await.is_empty());
    let found = receive(&side, &dead).await;
    let [message] = found.as_slice() else { panic!("{found:?}") };
    assert_eq!((message.body(), message.message_id()), (Some("poison"), sent.message_id()));
}

async fn a_delayed_message_waits(side: Side) {
    let queue = queue(&side, "", &[]).await;
    side.sqs.send_message().queue_url(&queue).message_body("later").delay_seconds(1).send().await.unwrap();
    assert!(receive(&side, &queue).await.is_empty());
    side.pass(Duration::from_millis(1200)).await;
    assert_eq!(receive(&side, &queue).await.len(), 1);
    if !side.can(Capability::QueueLimits) {
        return;
    }
    let late =
        side.sqs.send_message().queue_url(&queue).message_body("never").delay_seconds(901).send().await;
    assert!(late.is_err());
}

fn fifo() -> [(QueueAttributeName, String); 2] {
    [
        (QueueAttributeName::FifoQueue, "true".to_owned()),
        (QueueAttributeName::VisibilityTimeout, "1".to_owned()),
    ]
}

async fn a_group_goes_one_after_the_other(side: Side) {
    let queue = queue(&side, ".fifo", &fifo()).await;
    for (body, group) in [("a1", "a"), ("b1", "b"), ("a2", "a")] {
        let send = side.sqs.send_message().queue_url(&queue).message_body(body).message_group_id(group);
        send.message_deduplication_id(body).send().await.unwrap();
    }
    let first = side.sqs.receive_message().queue_url(&queue).max_number_of_messages(1).send().await.unwrap();
    let first = &first.messages()[0];
    assert_eq!(first.body(), Some("a1"));
    let bodies = |messages: Vec<Message>| -> Vec<String> {
        messages.into_iter().map(|message| message.body.unwrap_or_default()).collect()
    };
    assert_eq!(bodies(receive(&side, &queue).await), ["b1"], "a is held up by its first message");
    delete(&side, &queue, first.receipt_handle().unwrap()).await;
    assert_eq!(bodies(receive(&side, &queue).await), ["a2"]);
    let without = side.sqs.send_message().queue_url(&queue).message_body("no group").send().await;
    assert_eq!(refusal(without), "MissingParameter");
}

async fn duplicates_are_taken_once(side: Side) {
    let queue = queue(&side, ".fifo", &fifo()).await;
    let mut ids = Vec::new();
    for _ in 0..2 {
        let send = side.sqs.send_message().queue_url(&queue).message_body("once").message_group_id("g");
        ids.push(send.message_deduplication_id("d").send().await.unwrap().message_id);
    }
    assert_eq!(ids[0], ids[1]);
    assert_eq!(receive(&side, &queue).await.len(), 1);
}

async fn a_batch_reports_each_entry(side: Side) {
    let queue = queue(&side, "", &[]).await;
    let entry = |id: &str, body: &str| {
        SendMessageBatchRequestEntry::builder().id(id).message_body(body).build().unwrap()
    };
    let batch = |entries: Vec<SendMessageBatchRequestEntry>| {
        side.sqs.send_message_batch().queue_url(&queue).set_entries(Some(entries)).send()
    };
    let sent = batch(vec![entry("one", "1"), entry("two", "2")]).await.unwrap();
    assert_eq!((sent.successful().len(), sent.failed().len()), (2, 0));
    let distinct = batch(vec![entry("one", "1"), entry("one", "2")]).await;
    assert!(distinct.unwrap_err().into_service_error().is_batch_entry_ids_not_distinct());
    let many = batch((0..11).map(|number| entry(&number.to_string(), "x")).collect()).await;
    assert!(many.unwrap_err().into_service_error().is_too_many_entries_in_batch_request());
    let found = receive(&side, &queue).await;
    assert_eq!(found.len(), 2);
    let entries = found.iter().enumerate().map(|(number, message)| {
        let entry = DeleteMessageBatchRequestEntry::builder().id(format!("d{number}"));
        entry.receipt_handle(message.receipt_handle().unwrap()).build().unwrap()
    });
    let deleted = side.sqs.delete_message_batch().queue_url(&queue).set_entries(Some(entries.collect()));
    assert_eq!(deleted.send().await.unwrap().successful().len(), 2);
}

async fn a_message_ends_at_one_mebibyte(side: Side) {
    let queue = queue(&side, "", &[]).await;
    let limit = 1024 * 1024;
    send(&side, &queue, &"x".repeat(limit)).await;
    let large = side.sqs.send_message().queue_url(&queue).message_body("x".repeat(limit + 1)).send().await;
    assert_eq!(refusal(large), "InvalidParameterValue");
}

async fn what_is_not_there_is_refused(side: Side) {
    let here = queue(&side, "", &[]).await;
    let nowhere = format!("{}-nowhere", here);
    let sent = side.sqs.send_message().queue_url(&nowhere).message_body("x").send().await;
    assert!(sent.unwrap_err().into_service_error().is_queue_does_not_exist());
    let found = side.sqs.get_queue_url().queue_name(side.name("nowhere")).send().await;
    assert!(found.unwrap_err().into_service_error().is_queue_does_not_exist());
    let deleted = side.sqs.delete_message().queue_url(&here).receipt_handle("not a handle").send().await;
    assert!(deleted.unwrap_err().into_service_error().is_receipt_handle_is_invalid());
    send(&side, &here, "swept away").await;
    side.sqs.purge_queue().queue_url(&here).send().await.unwrap();
    assert!(receive(&side, &here).await.is_empty());
}
