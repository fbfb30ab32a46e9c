//! What only a look from inside shows: direct access, counters, and that a run replays.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use axum::body::{Body, to_bytes};
use http::Request;
use serde_json::{Value as Json, json};

use super::Aws;
use super::s3::{Cause, Object};

fn aws() -> (Aws, Arc<AtomicI64>) {
    let clock = Arc::new(AtomicI64::new(1_795_000_000_000));
    let time = clock.clone();
    (Aws::new(Arc::new(move || time.load(Ordering::SeqCst))), clock)
}

async fn json_call(aws: &Aws, target: &str, request: Json) -> (u16, Json) {
    let request = Request::post("http://aws.test/")
        .header("x-amz-target", target)
        .body(Body::from(request.to_string()));
    let response = aws.call(request.unwrap()).await;
    let status = response.status().as_u16();
    let body = to_bytes(response.into_body(), usize::MAX).await.unwrap();
    (status, serde_json::from_slice(&body).unwrap())
}

#[tokio::test]
async fn a_test_can_lay_things_out_and_look_at_them() {
    let (aws, _) = aws();
    assert!(aws.s3().create_bucket("uploads", true) && !aws.s3().create_bucket("uploads", true));
    let metadata = BTreeMap::from([("Claim".to_owned(), "Zürich".to_owned())]);
    let object = Object { content: "one".into(), metadata, ..Object::default() };
    assert!(aws.s3().put("uploads", "a b.pdf", object) && aws.s3().put("uploads", "a b.pdf", "two"));
    assert!(!aws.s3().put("nowhere", "a", "x"));
    let versions = aws.s3().versions("uploads");
    assert_eq!((versions.len(), &versions[0].data[..], &versions[1].data[..]), (2, &b"one"[..], &b"two"[..]));
    assert_eq!(versions[0].metadata["claim"], "Zürich");
    assert!(aws.s3().delete("uploads", "a b.pdf", None));
    assert_eq!(aws.s3().content("uploads", "a b.pdf"), None);
    assert_eq!(aws.s3().last_notification().unwrap().cause, Cause::DeleteMarker);

    assert!(aws.sqs().create_queue("intake", &[("VisibilityTimeout", "60")]));
    let id = aws.sqs().send("intake", "hello").unwrap();
    assert!(aws.sqs().deliver_again("intake", &id) && !aws.sqs().deliver_again("intake", "other"));
    let held = aws.sqs().messages("intake");
    assert_eq!((held.len(), held[0].id == held[1].id, held[0].receives), (2, true, 0));

    assert!(aws.dynamodb().create_table("ledger", "pk", Some("sk")));
    let put = json!({ "TableName": "ledger", "Item": { "pk": { "S": "a" }, "sk": { "S": "b" } } });
    json_call(&aws, "DynamoDB_20120810.PutItem", put).await;
    assert_eq!(aws.dynamodb().dump("ledger"), json!([{ "pk": { "S": "a" }, "sk": { "S": "b" } }]));

    aws.secrets().put("vendor", "one");
    let read = json_call(&aws, "secretsmanager.GetSecretValue", json!({ "SecretId": "vendor" })).await;
    assert_eq!((read.1["SecretString"].as_str(), aws.secrets().reads("vendor")), (Some("one"), 1));
}

#[tokio::test]
async fn both_copies_of_a_duplicate_are_received_and_deleted_apart() {
    let (aws, _) = aws();
    aws.sqs().create_queue("intake", &[]);
    let id = aws.sqs().send("intake", "twice").unwrap();
    aws.sqs().deliver_again("intake", &id);
    let receive = json!({ "QueueUrl": "http://aws.test/000000000000/intake", "MaxNumberOfMessages": 10 });
    let (_, found) = json_call(&aws, "AmazonSQS.ReceiveMessage", receive).await;
    let messages = found["Messages"].as_array().unwrap();
    assert_eq!(messages.len(), 2);
    let delete = json!({ "QueueUrl": "intake", "ReceiptHandle": messages[0]["ReceiptHandle"] });
    json_call(&aws, "AmazonSQS.DeleteMessage", delete).await;
    assert_eq!(aws.sqs().messages("intake").len(), 1);
}

#[tokio::test]
async fn what_we_do_not_imitate_is_refused_aloud() {
    let (aws, _) = aws();
    aws.dynamodb().create_table("ledger", "pk", None);
    for (target, request) in [
        ("DynamoDB_20120810.ExecuteStatement", json!({})),
        ("DynamoDB_20120810.Query", json!({ "TableName": "ledger", "IndexName": "by-status" })),
        ("DynamoDB_20120810.UpdateItem", json!({ "TableName": "ledger", "AttributeUpdates": {} })),
        ("AmazonSQS.StartMessageMoveTask", json!({})),
        ("Kinesis_20131202.PutRecord", json!({})),
    ] {
        assert_eq!(json_call(&aws, target, request).await.0, 400, "{target}");
    }
    let request = Request::get("http://aws.test/bucket/key?torrent").body(Body::empty()).unwrap();
    assert_eq!(aws.call(request).await.status(), 501);
}

#[tokio::test]
async fn the_same_calls_at_the_same_times_give_the_same_answers() {
    async fn run() -> Vec<(u16, Json)> {
        let (aws, clock) = aws();
        let mut answers = Vec::new();
        let queue = json!({ "QueueName": "q" });
        answers.push(json_call(&aws, "AmazonSQS.CreateQueue", queue).await);
        for body in ["one", "two"] {
            clock.fetch_add(17, Ordering::SeqCst);
            answers.push(
                json_call(&aws, "AmazonSQS.SendMessage", json!({ "QueueUrl": "q", "MessageBody": body }))
                    .await,
            );
        }
        let receive =
            json!({ "QueueUrl": "q", "MessageSystemAttributeNames": ["All"], "MaxNumberOfMessages": 10 });
        answers.push(json_call(&aws, "AmazonSQS.ReceiveMessage", receive).await);
        aws.s3().create_bucket("bucket", true);
        aws.s3().put("bucket", "a", "x");
        answers.extend(aws.s3().take_notifications().iter().map(|event| (0, event.s3_json())));
        answers
    }
    assert_eq!(run().await, run().await);
}
