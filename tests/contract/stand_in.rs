//! What only our stand-in has: events to deliver, and faults.

use serde_json::json;

use crate::s3_objects::{bucket, content, put};
use crate::side::Side;

#[tokio::test]
async fn a_put_can_be_announced_as_s3_does_it() {
    let side = Side::in_process();
    let bucket = bucket(&side).await;
    put(&side, &bucket, "claims/a b+ü(1).pdf", b"hello").await;
    put(&side, &bucket, "next", b"x").await;
    let events = side.aws.as_ref().unwrap().s3().take_notifications();
    let event = events[0].s3_json();
    let record = &event["Records"][0];
    assert_eq!(record["eventName"], "ObjectCreated:Put");
    assert_eq!(record["eventTime"], "2026-11-18T11:06:40.000Z");
    assert_eq!(
        record["s3"]["object"],
        json!({
            "key": "claims/a+b%2B%C3%BC%281%29.pdf",
            "size": 5,
            "eTag": "5d41402abc4b2a76b9719d911017c592",
            "sequencer": events[0].sequencer,
        })
    );
    assert!(
        events[0].sequencer < events[1].sequencer && events[0].sequencer.len() == events[1].sequencer.len()
    );
    let event = events[0].event_bridge_json();
    assert_eq!((&event["detail-type"], &event["source"]), (&json!("Object Created"), &json!("aws.s3")));
    assert_eq!(event["detail"]["object"]["key"], "claims/a b+ü(1).pdf", "the bus does not encode it");
    assert_eq!(event["detail"]["reason"], "PutObject");
}

#[tokio::test]
async fn a_body_can_break_off_under_an_unchanged_length() {
    for side in [Side::in_process(), Side::on_a_port().await] {
        let bucket = bucket(&side).await;
        put(&side, &bucket, "a", b"0123456789").await;
        side.aws.as_ref().unwrap().s3().cut_next_get(4);
        let got = side.s3.get_object().bucket(&bucket).key("a").send().await.unwrap();
        assert_eq!(got.content_length(), Some(10));
        let read = got.body.collect().await;
        assert!(read.is_err(), "{read:?}");
        assert_eq!(content(&side, &bucket, "a").await, b"0123456789", "only once");
    }
}

#[tokio::test]
async fn a_flipped_byte_keeps_its_tag() {
    let side = Side::in_process();
    let bucket = bucket(&side).await;
    put(&side, &bucket, "a", b"hello").await;
    let before = side.s3.head_object().bucket(&bucket).key("a").send().await.unwrap();
    assert!(side.aws.as_ref().unwrap().s3().flip_byte(&bucket, "a", 1));
    let after = side.s3.head_object().bucket(&bucket).key("a").send().await.unwrap();
    assert_eq!(before.e_tag(), after.e_tag());
    let got = side.s3.get_object().bucket(&bucket).key("a").send().await.unwrap();
    assert!(got.body.collect().await.is_err(), "the client compares the checksum");
}
