//! What S3, and whoever else writes to the queue, says about uploads.

use serde_json::{Value, json};
use shared::s3_notification::{self, Notification};
use tests::runtime::Outcome;

use crate::world::{World, bytes};

/// Takes what is on the queue, without delivering it.
async fn bodies(world: &World, count: usize) -> Vec<String> {
    let mut bodies = Vec::new();
    while bodies.len() < count {
        let request = world.place.sqs.receive_message().queue_url(&world.place.queue_url);
        let answer = request.max_number_of_messages(10).wait_time_seconds(5).send().await.unwrap();
        for message in answer.messages.unwrap_or_default() {
            bodies.push(message.body.unwrap());
            let request = world.place.sqs.delete_message().queue_url(&world.place.queue_url);
            request.set_receipt_handle(message.receipt_handle).send().await.unwrap();
        }
    }
    bodies
}

#[tokio::test]
async fn an_event_that_comes_three_times_makes_one_document() {
    let world = World::usual().await;
    world.upload("inbox/letter.txt", *b"dear sirs").await;
    let body = bodies(&world, 1).await.remove(0);
    for _ in 0..3 {
        world.send(&body).await;
        world.settle().await;
    }
    world.only_document("Claims/Incoming", b"dear sirs");
}

#[tokio::test]
async fn events_in_the_wrong_order_leave_the_newest_content_on_top() {
    let world = World::usual().await;
    world.upload("inbox/plan.txt", *b"old").await;
    let old = bodies(&world, 1).await.remove(0);
    world.upload("inbox/plan.txt", *b"new").await;
    world.settle().await;
    world.send(&old).await;
    world.settle().await;
    let documents = world.documents("Claims/Incoming");
    assert_eq!(documents.len(), 1, "{}", world.told());
    assert_eq!(bytes(&documents[0]), b"new", "{}", world.told());
}

#[tokio::test]
async fn an_event_without_a_sequencer_is_delivered() {
    let world = World::usual().await;
    world.upload("inbox/letter.txt", *b"dear sirs").await;
    let mut event: Value = serde_json::from_str(&bodies(&world, 1).await[0]).unwrap();
    let object = event["Records"][0]["s3"]["object"].as_object_mut().unwrap();
    assert!(object.remove("sequencer").is_some());
    world.send(&event.to_string()).await;
    world.settle().await;
    world.only_document("Claims/Incoming", b"dear sirs");
}

#[tokio::test]
async fn the_test_event_of_s3_is_acknowledged_and_nothing_happens() {
    let world = World::usual().await;
    let body = json!({"Service": "Amazon S3", "Event": "s3:TestEvent", "Time": "2031-05-06T07:08:09.000Z",
        "Bucket": world.place.intake, "RequestId": "5582815E1AEA5ADF", "HostId": "8cLeGAmw098X5cv4Zkwcmo8vvZa3eH3e"});
    world.send(&body.to_string()).await;
    world.settle().await;
    assert!(world.dead_letters().await.is_empty());
    assert!(world.documents("Claims/Incoming").is_empty());
}

#[tokio::test]
async fn an_object_deleted_before_it_was_read_is_skipped() {
    let world = World::usual().await;
    world.upload("inbox/gone.txt", *b"a mistake").await;
    world.upload("inbox/good.txt", *b"good").await;
    let listed = world.place.s3.list_object_versions().bucket(&world.place.intake).send().await.unwrap();
    for version in listed.versions() {
        if version.key() == Some("inbox/gone.txt") {
            let request = world.place.s3.delete_object().bucket(&world.place.intake).key("inbox/gone.txt");
            request.set_version_id(version.version_id.clone()).send().await.unwrap();
        }
    }
    world.settle().await;
    world.only_document("Claims/Incoming", b"good");
    assert!(world.dead_letters().await.is_empty());
    assert!(world.reasons().await.is_empty());
}

#[tokio::test]
async fn an_object_replaced_before_it_was_read_ends_with_the_newest_content_on_top() {
    let world = World::usual().await;
    world.upload("inbox/plan.txt", *b"first").await;
    world.upload("inbox/plan.txt", *b"second").await;
    world.settle().await;
    let documents = world.documents("Claims/Incoming");
    assert_eq!(documents.len(), 1);
    assert_eq!(bytes(&documents[0]), b"second", "{}", world.told());
}

#[tokio::test]
async fn an_upload_told_of_by_eventbridge_or_a_topic_is_delivered() {
    let world = World::usual().await;
    let names = ["bridge.txt", "topic.txt"];
    for name in names {
        world.upload(&format!("inbox/{name}"), name).await;
    }
    let mut bodies = bodies(&world, 2).await;
    bodies.sort_by_key(|body| body.contains("topic.txt"));
    for (name, body) in names.iter().zip(bodies) {
        let record = serde_json::from_str::<Value>(&body).unwrap()["Records"][0].clone();
        let object = &record["s3"]["object"];
        let told = if *name == "bridge.txt" {
            json!({"version": "0", "id": "17793124-05d4-b198-2fde-7ededc63b103", "detail-type": "Object Created",
                "source": "aws.s3", "account": "111122223333", "time": "2031-05-06T07:08:09Z", "region": "us-east-1",
                "resources": [format!("arn:aws:s3:::{}", world.place.intake)],
                "detail": {"version": "0", "bucket": {"name": world.place.intake},
                    "object": {"key": "inbox/bridge.txt", "size": object["size"], "etag": object["eTag"],
                        "version-id": object["versionId"], "sequencer": object["sequencer"]},
                    "request-id": "N4N7GDK58NMKJ12R", "requester": "123456789012",
                    "source-ip-address": "1.2.3.4", "reason": "PutObject"}})
        } else {
            json!({"Type": "Notification", "MessageId": "22b80b92-fdea-4c2c-8f9d-bdfb0c7bf324",
                "TopicArn": "arn:aws:sns:us-east-1:123456789012:uploads", "Subject": "Amazon S3 Notification",
                "Message": body, "Timestamp": "2031-05-06T07:08:09.000Z", "SignatureVersion": "1",
                "Signature": "EXAMPLE", "SigningCertURL": "EXAMPLE", "UnsubscribeURL": "EXAMPLE"})
        };
        world.send(&told.to_string()).await;
    }
    world.settle().await;
    let documents = world.documents("Claims/Incoming");
    let names: Vec<_> = documents.iter().map(|document| document.name.as_str()).collect();
    assert_eq!(names, ["bridge.txt", "topic.txt"], "{}", world.told());
}

/// The sample events of the `aws_lambda_events` crate that reach an adapter of ours, as files; their licence (MIT) is
/// beside them.
pub(crate) fn samples() -> Vec<(String, String)> {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/events/aws_lambda_events");
    let mut samples: Vec<_> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "json"))
        .map(|path| {
            let name = path.file_stem().unwrap().to_string_lossy().into_owned();
            (name, std::fs::read_to_string(path).unwrap())
        })
        .collect();
    samples.sort();
    samples
}

#[test]
fn of_the_sample_events_those_of_s3_are_understood_as_a_message_and_all_others_are_refused() {
    let understood: Vec<String> = samples()
        .into_iter()
        .filter(|(_, body)| match s3_notification::parse(body) {
            Ok(Notification::Objects(parsed)) => !parsed.events.is_empty(),
            Ok(Notification::Test) => true,
            Err(error) => {
                assert_eq!(error.code().split('.').next(), Some("event"), "{error:?}");
                false
            }
        })
        .map(|(name, _)| name)
        .collect();
    assert_eq!(understood, ["example-s3-event", "example-s3-event-with-decoded"]);
}

#[tokio::test]
async fn the_binary_answers_every_sample_event_and_stays_up() {
    let world = World::usual().await;
    for (name, body) in samples() {
        let event: Value = serde_json::from_str(&body).unwrap();
        let outcome = world.function.invoke(&event).await.outcome;
        let is_batch = name.starts_with("example-sqs-event");
        match outcome {
            Outcome::Answer(Some(answer)) => {
                assert!(answer["batchItemFailures"].is_array(), "{name}: {answer}")
            }
            Outcome::Failed(reason) if !is_batch => {
                assert!(reason["errorMessage"].is_string(), "{name}: {reason}")
            }
            other => panic!("{name}: {other:?}; {}", world.told()),
        }
    }
    assert_eq!(world.function.processes().len(), 1, "one process answered all of them");
    // And it still does its work.
    world.upload("inbox/letter.txt", *b"dear sirs").await;
    world.settle().await;
    world.only_document("Claims/Incoming", b"dear sirs");
}
