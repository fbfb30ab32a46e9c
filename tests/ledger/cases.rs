//! The table of idempotency cases.

use serde_json::json;
use shared::{
    error::FailureClass,
    ledger::{Begin, Ending},
};

use crate::table::{Place, completion, key, ours};

/// Makes each case a test over the stand-in, and one over the emulator when there is one.
macro_rules! cases {
    ($($(#[$note:meta])* $name:ident),* $(,)?) => {
        mod in_process {
            use super::*;
            $(
                $(#[$note])*
                #[tokio::test(start_paused = true)]
                async fn $name() {
                    super::$name(&Place::in_process().await).await;
                }
            )*
        }

        /// One test for all: an emulator that is not there is one line, not a silent pass of many tests.
        #[tokio::test]
        async fn every_case_holds_over_the_emulator() {
            if std::env::var("WAYBILL_AWS_URL").is_err() {
                eprintln!("WAYBILL_AWS_URL is not set: the emulator was not asked");
                return;
            }
            $({
                let place = Place::emulator().await.unwrap();
                eprintln!("case {}", stringify!($name));
                super::cases::$name(&place).await;
            })*
        }
    };
}

cases!(
    a_first_delivery_is_ours,
    a_repeat_is_told_how_it_ended,
    another_payload_is_refused_while_in_progress,
    another_payload_is_refused_after_completion,
    another_payload_is_refused_after_a_failure,
    a_second_worker_waits_for_the_first,
    an_expired_lease_is_taken_over_with_a_higher_fence,
    two_callers_after_a_time_out_do_not_both_win,
    a_stale_worker_cannot_complete,
    a_stale_worker_cannot_checkpoint_or_release,
    a_checkpoint_that_comes_late_takes_back_nothing,
    a_released_item_is_claimed_at_once_and_keeps_its_checkpoints,
    crashes_are_counted_and_releases_are_not,
    a_claim_whose_answer_was_lost_is_ours_and_the_only_one,
    an_expired_record_is_replaced_once_when_the_answer_was_lost,
    a_reopening_whose_answer_was_lost_is_ours_and_the_only_one,
    a_release_whose_answer_was_lost_takes_no_second_crash_off_the_count,
    a_completion_whose_answer_was_lost_is_not_a_second_one,
    a_large_result_goes_elsewhere_and_comes_back,
    a_large_result_without_a_place_is_refused_before_anything_is_written,
    a_checkpoint_too_large_for_a_record_is_refused_and_the_item_can_still_end,
    a_failed_item_is_reopened_once_by_each_message_a_person_puts_back,
    a_reopened_item_keeps_what_it_recorded,
    only_what_failed_is_reopened,
    an_expired_record_not_yet_removed_counts_as_absent,
    an_expired_record_accepts_another_payload,
    a_clock_ahead_takes_over_early_and_the_fence_still_holds,
    two_items_of_one_asset_append_to_one_chain,
    a_lock_has_a_deadline,
    a_watermark_only_moves_forward,
    a_reference_is_found_from_the_other_side,
    a_note_is_replaced_only_by_who_read_it,
);

const FLOW: &str = "ingest-uploads";

async fn a_first_delivery_is_ours(place: &Place) {
    let attempt = ours(place.ledger.begin(FLOW, &key("a"), "p1", place.lease(60)).await.unwrap());
    assert_eq!(attempt.fence, 1);
    assert!(!attempt.is_taken_over());
    assert_eq!(attempt.crashes, 0);
}

async fn a_repeat_is_told_how_it_ended(place: &Place) {
    let attempt = ours(place.ledger.begin(FLOW, &key("a"), "p1", place.lease(60)).await.unwrap());
    place.ledger.complete(&attempt, &completion(Ending::Delivered, "s"), None).await.unwrap();
    match place.ledger.begin(FLOW, &key("a"), "p1", place.lease(60)).await.unwrap() {
        Begin::Completed { ending: Ending::Delivered, result } => assert_eq!(result, json!({"node": 7001})),
        other => panic!("{other:?}"),
    }
}

async fn another_payload_is_refused_while_in_progress(place: &Place) {
    ours(place.ledger.begin(FLOW, &key("a"), "p1", place.lease(60)).await.unwrap());
    let begin = place.ledger.begin(FLOW, &key("a"), "p2", place.lease(60)).await.unwrap();
    assert!(matches!(begin, Begin::OtherPayload), "{begin:?}");
}

async fn another_payload_is_refused_after_completion(place: &Place) {
    let attempt = ours(place.ledger.begin(FLOW, &key("a"), "p1", place.lease(60)).await.unwrap());
    place.ledger.complete(&attempt, &completion(Ending::Delivered, "s"), None).await.unwrap();
    let begin = place.ledger.begin(FLOW, &key("a"), "p2", place.lease(60)).await.unwrap();
    assert!(matches!(begin, Begin::OtherPayload), "{begin:?}");
}

async fn another_payload_is_refused_after_a_failure(place: &Place) {
    let attempt = ours(place.ledger.begin(FLOW, &key("a"), "p1", place.lease(60)).await.unwrap());
    place.ledger.release(&attempt, "http.timeout").await.unwrap();
    let begin = place.ledger.begin(FLOW, &key("a"), "p2", place.lease(60)).await.unwrap();
    assert!(matches!(begin, Begin::OtherPayload), "{begin:?}");
}

async fn a_second_worker_waits_for_the_first(place: &Place) {
    let lease = place.lease(60);
    ours(place.ledger.begin(FLOW, &key("a"), "p1", lease).await.unwrap());
    match place.ledger.begin(FLOW, &key("a"), "p1", place.lease(90)).await.unwrap() {
        Begin::InProgress { until } => assert_eq!(until, lease),
        other => panic!("{other:?}"),
    }
}

async fn an_expired_lease_is_taken_over_with_a_higher_fence(place: &Place) {
    ours(place.ledger.begin(FLOW, &key("a"), "p1", place.lease(1)).await.unwrap());
    place.wait(2).await;
    let second = ours(place.ledger.begin(FLOW, &key("a"), "p1", place.lease(60)).await.unwrap());
    assert_eq!(second.fence, 2);
    assert!(second.is_taken_over());
}

async fn two_callers_after_a_time_out_do_not_both_win(place: &Place) {
    ours(place.ledger.begin(FLOW, &key("a"), "p1", place.lease(1)).await.unwrap());
    place.wait(2).await;
    let (item, lease) = (key("a"), place.lease(60));
    let (one, other) = tokio::join!(
        place.ledger.begin(FLOW, &item, "p1", lease),
        place.ledger.begin(FLOW, &item, "p1", lease),
    );
    let won = [one.unwrap(), other.unwrap()].iter().filter(|begin| matches!(begin, Begin::Ours(_))).count();
    assert_eq!(won, 1);
}

async fn a_stale_worker_cannot_complete(place: &Place) {
    let slow = ours(place.ledger.begin(FLOW, &key("a"), "p1", place.lease(1)).await.unwrap());
    place.wait(2).await;
    let quick = ours(place.ledger.begin(FLOW, &key("a"), "p1", place.lease(60)).await.unwrap());
    let late = place.ledger.complete(&slow, &completion(Ending::Failed, "s"), None).await;
    assert_eq!(late.unwrap_err().code(), "ledger.fenced");
    place.ledger.complete(&quick, &completion(Ending::Delivered, "s"), None).await.unwrap();
    let later = place.ledger.complete(&slow, &completion(Ending::Failed, "s"), None).await;
    assert_eq!(later.unwrap_err().code(), "ledger.fenced");
    assert_eq!(
        place.ledger.chain("s").await.unwrap().len(),
        1,
        "the stale worker left no trace in the audit"
    );
}

async fn a_stale_worker_cannot_checkpoint_or_release(place: &Place) {
    let slow = ours(place.ledger.begin(FLOW, &key("a"), "p1", place.lease(1)).await.unwrap());
    place.wait(2).await;
    ours(place.ledger.begin(FLOW, &key("a"), "p1", place.lease(60)).await.unwrap());
    assert_eq!(place.ledger.checkpoint(&slow, "x", &json!(1)).await.unwrap_err().code(), "ledger.fenced");
    assert_eq!(place.ledger.release(&slow, "late").await.unwrap_err().code(), "ledger.fenced");
}

async fn a_checkpoint_that_comes_late_takes_back_nothing(place: &Place) {
    let (ledger, item) = (&place.ledger, key("a"));
    let mut attempt = ours(ledger.begin(FLOW, &item, "p1", place.lease(60)).await.unwrap());
    attempt.next_checkpoint();
    let early = attempt.clone();
    ledger.checkpoint(&early, "first", &json!(1)).await.unwrap();
    // Its answer was lost, and it was sent again.
    ledger.checkpoint(&early, "first", &json!(1)).await.unwrap();
    attempt.checkpoints.insert("first".to_owned(), json!(1));
    attempt.next_checkpoint();
    ledger.checkpoint(&attempt, "second", &json!(2)).await.unwrap();
    let late = ledger.checkpoint(&early, "first", &json!(1)).await.unwrap_err();
    assert_eq!(late.code(), "ledger.fenced");
    ledger.release(&attempt, "later").await.unwrap();
    let mut next = ours(ledger.begin(FLOW, &item, "p1", place.lease(60)).await.unwrap());
    assert_eq!((&next.checkpoints["first"], &next.checkpoints["second"]), (&json!(1), &json!(2)));
    next.next_checkpoint();
    ledger.checkpoint(&next, "third", &json!(3)).await.unwrap();
}

async fn a_released_item_is_claimed_at_once_and_keeps_its_checkpoints(place: &Place) {
    let first = ours(place.ledger.begin(FLOW, &key("a"), "p1", place.lease(600)).await.unwrap());
    place.ledger.checkpoint(&first, "node", &json!(7001)).await.unwrap();
    place.ledger.release(&first, "http.timeout").await.unwrap();
    let second = ours(place.ledger.begin(FLOW, &key("a"), "p1", place.lease(600)).await.unwrap());
    assert_eq!(second.fence, 2);
    assert_eq!(second.checkpoints["node"], json!(7001));
}

async fn crashes_are_counted_and_releases_are_not(place: &Place) {
    for crashes in 0..3 {
        let attempt = ours(place.ledger.begin(FLOW, &key("a"), "p1", place.lease(1)).await.unwrap());
        assert_eq!(attempt.crashes, crashes);
        place.wait(2).await;
    }
    let attempt = ours(place.ledger.begin(FLOW, &key("a"), "p1", place.lease(1)).await.unwrap());
    place.ledger.release(&attempt, "throttled").await.unwrap();
    let attempt = ours(place.ledger.begin(FLOW, &key("a"), "p1", place.lease(1)).await.unwrap());
    assert_eq!(attempt.crashes, 3, "an attempt that said why it ended is not a crash");
}

async fn a_claim_whose_answer_was_lost_is_ours_and_the_only_one(place: &Place) {
    let begin = place
        .losing_an_answer(async |ledger| ledger.begin(FLOW, &key("a"), "p1", place.lease(60)).await)
        .await;
    let attempt = ours(begin.unwrap());
    assert_eq!((attempt.fence, attempt.crashes), (1, 0));
    place.ledger.complete(&attempt, &completion(Ending::Delivered, "s"), None).await.unwrap();
}

async fn an_expired_record_is_replaced_once_when_the_answer_was_lost(place: &Place) {
    let short = place.ledger.clone().retention(std::time::Duration::from_secs(1));
    let first = ours(short.begin(FLOW, &key("a"), "p1", place.lease(1)).await.unwrap());
    short.checkpoint(&first, "node", &json!(1)).await.unwrap();
    place.wait(3).await;
    let begin = place
        .losing_an_answer(async |ledger| ledger.begin(FLOW, &key("a"), "p2", place.lease(60)).await)
        .await;
    let again = ours(begin.unwrap());
    assert_eq!((again.fence, again.crashes), (2, 0));
    assert!(again.checkpoints.is_empty());
    place.ledger.complete(&again, &completion(Ending::Delivered, "s"), None).await.unwrap();
}

async fn a_reopening_whose_answer_was_lost_is_ours_and_the_only_one(place: &Place) {
    let (ledger, item) = (&place.ledger, key("a"));
    let attempt = ours(ledger.begin(FLOW, &item, "p1", place.lease(60)).await.unwrap());
    ledger.checkpoint(&attempt, "node", &json!(7001)).await.unwrap();
    ledger.complete(&attempt, &completion(Ending::Failed, "s"), None).await.unwrap();
    let begin = place
        .losing_an_answer(async |ledger| {
            ledger.reopen(FLOW, &item, "p1", place.lease(60), "m1", |_| ()).await
        })
        .await;
    let again = ours(begin.unwrap());
    assert_eq!((again.fence, again.crashes), (2, 0));
    assert_eq!(again.checkpoints["node"], json!(7001));
    ledger.complete(&again, &completion(Ending::Failed, "s"), None).await.unwrap();
    let redelivered = ledger.reopen(FLOW, &item, "p1", place.lease(60), "m1", |_| ()).await.unwrap();
    assert!(matches!(redelivered, Begin::Completed { ending: Ending::Failed, .. }), "{redelivered:?}");
}

async fn a_release_whose_answer_was_lost_takes_no_second_crash_off_the_count(place: &Place) {
    let (ledger, item) = (&place.ledger, key("a"));
    // One attempt ends without a word.
    ours(ledger.begin(FLOW, &item, "p1", place.lease(1)).await.unwrap());
    place.wait(2).await;
    let second = ours(ledger.begin(FLOW, &item, "p1", place.lease(60)).await.unwrap());
    place.losing_an_answer(async |ledger| ledger.release(&second, "http.timeout").await).await.unwrap();
    // What was sent first may be carried out once more.
    ledger.release(&second, "http.timeout").await.unwrap();
    let third = ours(ledger.begin(FLOW, &item, "p1", place.lease(60)).await.unwrap());
    assert_eq!((third.fence, third.crashes), (3, 1));
    // Later still it must not give back what another worker holds.
    assert_eq!(ledger.release(&second, "http.timeout").await.unwrap_err().code(), "ledger.fenced");
    ledger.complete(&third, &completion(Ending::Delivered, "s"), None).await.unwrap();
}

async fn a_completion_whose_answer_was_lost_is_not_a_second_one(place: &Place) {
    let attempt = ours(place.ledger.begin(FLOW, &key("a"), "p1", place.lease(60)).await.unwrap());
    place.ledger.complete(&attempt, &completion(Ending::Delivered, "s"), None).await.unwrap();
    place.ledger.complete(&attempt, &completion(Ending::Delivered, "s"), None).await.unwrap();
    assert_eq!(place.ledger.chain("s").await.unwrap().len(), 1);
}

async fn a_large_result_goes_elsewhere_and_comes_back(place: &Place) {
    let ledger = place.with_overflow().await;
    let attempt = ours(ledger.begin(FLOW, &key("a"), "p1", place.lease(60)).await.unwrap());
    let mut large = completion(Ending::Delivered, "s");
    large.result = json!({"list": vec!["0123456789"; 60_000]});
    ledger.complete(&attempt, &large, None).await.unwrap();
    match ledger.begin(FLOW, &key("a"), "p1", place.lease(60)).await.unwrap() {
        Begin::Completed { result, .. } => assert_eq!(result, large.result),
        other => panic!("{other:?}"),
    }
}

async fn a_large_result_without_a_place_is_refused_before_anything_is_written(place: &Place) {
    let attempt = ours(place.ledger.begin(FLOW, &key("a"), "p1", place.lease(60)).await.unwrap());
    let mut large = completion(Ending::Delivered, "s");
    large.result = json!("x".repeat(600_000));
    assert!(place.ledger.complete(&attempt, &large, None).await.is_err());
    assert!(place.ledger.chain("s").await.unwrap().is_empty());
    place.ledger.checkpoint(&attempt, "still", &json!("ours")).await.unwrap();
}

async fn a_checkpoint_too_large_for_a_record_is_refused_and_the_item_can_still_end(place: &Place) {
    let mut attempt = ours(place.ledger.begin(FLOW, &key("a"), "p1", place.lease(60)).await.unwrap());
    attempt.next_checkpoint();
    let list = |bytes| json!("x".repeat(bytes));
    let refused = place.ledger.checkpoint(&attempt, "list", &list(300_000)).await.unwrap_err();
    assert_eq!((refused.class(), refused.code()), (FailureClass::Bug, "checkpoint.too-large"));
    assert!(refused.message().contains("`list`") && refused.remedy_text().is_some(), "{refused}");
    // The most that is kept leaves room for the largest result.
    place.ledger.checkpoint(&attempt, "list", &list(262_000)).await.unwrap();
    let mut large = completion(Ending::Failed, "s");
    large.result = list(131_000);
    place.ledger.complete(&attempt, &large, None).await.unwrap();
}

async fn a_failed_item_is_reopened_once_by_each_message_a_person_puts_back(place: &Place) {
    let (ledger, item) = (&place.ledger, key("a"));
    let attempt = ours(ledger.begin(FLOW, &item, "p1", place.lease(60)).await.unwrap());
    ledger.complete(&attempt, &completion(Ending::Failed, "s"), None).await.unwrap();
    let duplicate = ledger.begin(FLOW, &item, "p1", place.lease(60)).await.unwrap();
    assert!(matches!(duplicate, Begin::Completed { ending: Ending::Failed, .. }), "{duplicate:?}");

    let reopen = |message| ledger.reopen(FLOW, &item, "p1", place.lease(60), message, |_| ());
    let again = ours(reopen("m1").await.unwrap());
    assert!(again.is_taken_over());
    assert_eq!(again.crashes, 0);
    let rival = reopen("m2").await.unwrap();
    assert!(matches!(rival, Begin::InProgress { .. }), "{rival:?}");
    ledger.complete(&again, &completion(Ending::Failed, "s"), None).await.unwrap();

    let redelivered = reopen("m1").await.unwrap();
    assert!(matches!(redelivered, Begin::Completed { ending: Ending::Failed, .. }), "{redelivered:?}");
    ours(reopen("m2").await.unwrap());
}

async fn a_reopened_item_keeps_what_it_recorded(place: &Place) {
    let (ledger, item) = (&place.ledger, key("a"));
    let attempt = ours(ledger.begin(FLOW, &item, "p1", place.lease(60)).await.unwrap());
    ledger.checkpoint(&attempt, "node", &json!(7001)).await.unwrap();
    ledger.complete(&attempt, &completion(Ending::Failed, "s"), None).await.unwrap();
    let prepare = |checkpoints: &mut std::collections::BTreeMap<String, serde_json::Value>| {
        checkpoints.insert("decided".into(), json!(true));
    };
    let again = ours(ledger.reopen(FLOW, &item, "p1", place.lease(60), "m1", prepare).await.unwrap());
    assert_eq!(again.checkpoints["node"], json!(7001));
    assert_eq!(again.checkpoints["decided"], json!(true));
}

async fn only_what_failed_is_reopened(place: &Place) {
    let (ledger, item) = (&place.ledger, key("a"));
    let attempt = ours(ledger.begin(FLOW, &item, "p1", place.lease(60)).await.unwrap());
    ledger.complete(&attempt, &completion(Ending::Delivered, "s"), None).await.unwrap();
    let begin = ledger.reopen(FLOW, &item, "p1", place.lease(60), "m1", |_| ()).await.unwrap();
    assert!(matches!(begin, Begin::Completed { ending: Ending::Delivered, .. }), "{begin:?}");
    let begin = ledger.reopen(FLOW, &item, "p2", place.lease(60), "m1", |_| ()).await.unwrap();
    assert!(matches!(begin, Begin::OtherPayload), "{begin:?}");
}

async fn an_expired_record_not_yet_removed_counts_as_absent(place: &Place) {
    let ledger = place.ledger.clone().retention(std::time::Duration::from_secs(1));
    let attempt = ours(ledger.begin(FLOW, &key("a"), "p1", place.lease(1)).await.unwrap());
    ledger.checkpoint(&attempt, "node", &json!(1)).await.unwrap();
    ledger.complete(&attempt, &completion(Ending::Delivered, "s"), None).await.unwrap();
    place.wait(3).await;
    let again = ours(ledger.begin(FLOW, &key("a"), "p1", place.lease(60)).await.unwrap());
    assert!(again.checkpoints.is_empty());
    assert_eq!(again.fence, 2, "the fence outlives the record");
}

async fn an_expired_record_accepts_another_payload(place: &Place) {
    let ledger = place.ledger.clone().retention(std::time::Duration::from_secs(1));
    ours(ledger.begin(FLOW, &key("a"), "p1", place.lease(1)).await.unwrap());
    place.wait(3).await;
    ours(ledger.begin(FLOW, &key("a"), "p2", place.lease(60)).await.unwrap());
}

async fn a_clock_ahead_takes_over_early_and_the_fence_still_holds(place: &Place) {
    let first = ours(place.ledger.begin(FLOW, &key("a"), "p1", place.lease(60)).await.unwrap());
    let ahead = place.with_clock_off_by(120);
    let second = ours(ahead.begin(FLOW, &key("a"), "p1", place.lease(300)).await.unwrap());
    assert_eq!(second.fence, 2);
    let late = place.ledger.complete(&first, &completion(Ending::Delivered, "s"), None).await;
    assert_eq!(late.unwrap_err().code(), "ledger.fenced");
}

async fn two_items_of_one_asset_append_to_one_chain(place: &Place) {
    let one = ours(place.ledger.begin(FLOW, &key("a"), "p1", place.lease(60)).await.unwrap());
    let other = ours(place.ledger.begin(FLOW, &key("b"), "p1", place.lease(60)).await.unwrap());
    let end = place.ledger.chain_end("s").await.unwrap();
    place.ledger.complete(&one, &completion(Ending::Delivered, "s"), Some(end.clone())).await.unwrap();
    place.ledger.complete(&other, &completion(Ending::Skipped, "s"), Some(end)).await.unwrap();
    let chain = place.ledger.chain("s").await.unwrap();
    let export: Vec<String> = chain.iter().map(|event| event.canonical().unwrap()).collect();
    assert_eq!(shared::audit::verify(&export.join("\n"), Some(&chain[1].hash)).unwrap(), chain[1].hash);
}

async fn a_lock_has_a_deadline(place: &Place) {
    let lock = place.ledger.lock(FLOW, "asset", place.lease(2)).await.unwrap().unwrap();
    assert!(place.ledger.lock(FLOW, "asset", place.lease(2)).await.unwrap().is_none());
    place.wait(3).await;
    let next = place.ledger.lock(FLOW, "asset", place.lease(60)).await.unwrap().unwrap();
    place.ledger.unlock(&lock).await.unwrap();
    assert!(
        place.ledger.lock(FLOW, "asset", place.lease(2)).await.unwrap().is_none(),
        "only its owner gives it back"
    );
    place.ledger.hold(&lock, std::time::Duration::from_secs(1)).await.unwrap();
    place.ledger.hold(&next, std::time::Duration::from_secs(600)).await.unwrap();
    assert!(
        place.ledger.lock(FLOW, "asset", place.lease(2)).await.unwrap().is_none(),
        "only its owner holds it for longer or shorter"
    );
    place.ledger.unlock(&next).await.unwrap();
    assert!(place.ledger.lock(FLOW, "asset", place.lease(2)).await.unwrap().is_some());
}

async fn a_watermark_only_moves_forward(place: &Place) {
    assert!(place.ledger.advance_watermark(FLOW, "feed", "2031-05-06").await.unwrap());
    assert!(!place.ledger.advance_watermark(FLOW, "feed", "2031-05-05").await.unwrap());
    assert_eq!(place.ledger.watermark(FLOW, "feed").await.unwrap().as_deref(), Some("2031-05-06"));
}

async fn a_reference_is_found_from_the_other_side(place: &Place) {
    place.ledger.put_reference("content-server", "7001", "s3", "intake/a.pdf").await.unwrap();
    let found = place.ledger.find_reference("content-server", "7001", "s3").await.unwrap();
    assert_eq!(found.as_deref(), Some("intake/a.pdf"));
    assert_eq!(place.ledger.find_reference("content-server", "7002", "s3").await.unwrap(), None);
    // Many at once, more than one read takes, of which few are known.
    place.ledger.put_reference("content-server", "7150", "s3", "intake/b.pdf").await.unwrap();
    let wanted = (7001..7200).map(|node| node.to_string()).collect();
    let found = place.ledger.find_references("content-server", &wanted, "s3").await.unwrap();
    let found: Vec<(&str, &str)> = found.iter().map(|(node, key)| (node.as_str(), key.as_str())).collect();
    assert_eq!(found, [("7001", "intake/a.pdf"), ("7150", "intake/b.pdf")]);
    let nobody = std::collections::BTreeSet::new();
    assert!(place.ledger.find_references("content-server", &nobody, "s3").await.unwrap().is_empty());
}

async fn a_note_is_replaced_only_by_who_read_it(place: &Place) {
    let replace = async |before: Option<&str>, note: &str| {
        place.ledger.replace_note(FLOW, "pair", before, note).await.unwrap()
    };
    assert!(replace(None, "first").await);
    assert!(!replace(None, "another first").await);
    assert!(replace(Some("first"), "second").await);
    assert!(replace(Some("first"), "second").await, "again, as after a lost answer");
    assert!(!replace(Some("first"), "third").await, "somebody was faster");
    assert_eq!(place.ledger.note(FLOW, "pair").await.unwrap().as_deref(), Some("second"));
}
