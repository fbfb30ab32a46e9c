//! One final state per item, whatever its message does.

use std::time::Duration;

use operations::dead_letters::DeadLetters;
use serde_json::Value;
use tests::storm::{Drive, QUARANTINE, World, drive};

use crate::chores::{CHORES, Process, chores, count, is_open, leave, redriven, status, told, wait, world};

#[tokio::test(start_paused = true)]
async fn what_cannot_be_read_is_parked_once_its_siblings_have_ended() {
    let world = world().await;
    let body = r#"[{"name": "a", "does": "later"}, {"name": 7}, {"name": "b", "does": "deliver"}]"#;
    world.send(body).await;
    assert!(drive(&world, &CHORES, Drive::default()).await);
    assert_eq!(told(&world, "a"), ["ingestion"]);
    assert_eq!(told(&world, "b"), ["ingestion"]);
    assert_eq!(count(&world, "tries/b/").await, 1, "what was delivered is not done again");
    assert_eq!(world.dead_letters(), [(body.to_owned(), "chore.unreadable".to_owned())]);
}

#[tokio::test(start_paused = true)]
async fn siblings_that_end_differently_each_end_once() {
    let world = world().await;
    let body = chores(&[
        ("broken", "mend"),
        ("late", "later"),
        ("panics", "panic"),
        ("bad", "panic-aside"),
        ("good", "deliver"),
    ]);
    world.send(&body).await;
    assert!(drive(&world, &CHORES, Drive::default()).await);
    for (item, ending) in [("late", "ingestion"), ("good", "ingestion")] {
        assert_eq!(told(&world, item), [ending], "{item}");
    }
    for item in ["broken", "panics", "bad"] {
        assert_eq!(told(&world, item), ["transfer"], "{item}");
        assert_eq!(status(&world, item).as_deref(), Some("failed"), "{item}");
        assert_eq!(count(&world, &format!("tries/{item}/")).await, 1, "{item}");
    }
    let mut codes: Vec<String> = world.dead_letters().into_iter().map(|(_, code)| code).collect();
    codes.sort();
    assert_eq!(codes, ["chore.broken", "panic", "panic"]);
}

#[tokio::test(start_paused = true)]
async fn what_wants_to_record_more_than_a_record_holds_is_parked_at_once() {
    let world = world().await;
    let body = chores(&[("a", "hoard")]);
    world.send(&body).await;
    assert!(drive(&world, &CHORES, Drive::default()).await);
    assert_eq!(world.dead_letters(), [(body, "checkpoint.too-large".to_owned())]);
    assert_eq!(told(&world, "a"), ["transfer"]);
    assert_eq!(count(&world, "tries/a/").await, 1, "it is not tried until the queue gives up");
}

#[tokio::test(start_paused = true)]
async fn a_duplicate_of_a_failed_item_does_not_begin_it_again() {
    let world = world().await;
    let body = chores(&[("a", "mend")]);
    world.send(&body).await;
    assert!(drive(&world, &CHORES, Drive::default()).await);
    leave(&world, "mended").await;
    world.send(&body).await;
    assert!(drive(&world, &CHORES, Drive::default()).await);
    assert_eq!(told(&world, "a"), ["transfer"]);
    assert_eq!(count(&world, "tries/a/").await, 1);
    assert_eq!(world.dead_letters().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn what_failed_is_delivered_when_a_person_has_mended_the_cause_and_redrives_it() {
    let world = world().await;
    world.send(&chores(&[("a", "mend"), ("b", "deliver")])).await;
    assert!(drive(&world, &CHORES, Drive::default()).await);

    assert_eq!(world.redrive(None).await, 1, "too early");
    assert!(drive(&world, &CHORES, Drive::default()).await);
    assert_eq!(told(&world, "a"), ["transfer", "transfer"]);

    leave(&world, "mended").await;
    assert_eq!(world.redrive(None).await, 1);
    assert!(drive(&world, &CHORES, Drive::default()).await);
    assert_eq!(told(&world, "a"), ["transfer", "transfer", "ingestion"]);
    assert_eq!(told(&world, "b"), ["ingestion"]);
    assert_eq!(status(&world, "a").as_deref(), Some("delivered"));
    assert!(world.dead_letters().is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_redriven_message_that_comes_twice_reopens_its_item_once() {
    let world = world().await;
    let mut process = Process::start(&world, |_| ()).await;
    let body = chores(&[("a", "mend")]);
    assert!(process.deliver(std::slice::from_ref(&body)).await.is_empty());
    let again = redriven(process.message(&body));
    for _ in 0..2 {
        assert!(process.deliver_messages(vec![again.clone()]).await.is_empty());
        assert_eq!(told(&world, "a"), ["transfer", "transfer"]);
    }
}

#[tokio::test(start_paused = true)]
async fn an_item_that_cannot_be_parked_is_not_called_failed() {
    let world = world().await;
    let mut process = Process::start(&world, |environment| {
        environment.settings.dead_letter_queue_url = "http://aws.test/000000000000/none".into();
    })
    .await;
    assert_eq!(process.deliver(&[chores(&[("a", "mend")])]).await, [0]);
    assert!(told(&world, "a").is_empty());
    assert_eq!(status(&world, "a").as_deref(), Some("in-progress"));

    let mut process = Process::start(&world, |_| ()).await;
    assert!(process.deliver(&[chores(&[("a", "mend")])]).await.is_empty());
    assert_eq!(told(&world, "a"), ["transfer"]);
    assert_eq!(world.dead_letters().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn an_effect_that_must_not_be_repeated_waits_for_a_person() {
    let world = world().await;
    world.send(&chores(&[("a", "once")])).await;
    assert!(drive(&world, &CHORES, Drive::default()).await);
    let code = |letters: Vec<(String, String)>| letters.into_iter().map(|(_, code)| code).collect::<Vec<_>>();
    assert_eq!(code(world.dead_letters()), ["effect.undecided"]);

    world.redrive(None).await;
    assert!(drive(&world, &CHORES, Drive::default()).await);
    assert_eq!(code(world.dead_letters()), ["effect.undecided"], "looked for, and still not there");
    assert_eq!(count(&world, "done/a/").await, 1);

    leave(&world, "found").await;
    world.redrive(None).await;
    assert!(drive(&world, &CHORES, Drive::default()).await);
    assert_eq!(told(&world, "a"), ["transfer", "transfer", "ingestion"]);
    assert_eq!(count(&world, "done/a/").await, 1);
}

#[tokio::test(start_paused = true)]
async fn a_person_may_decide_that_an_effect_is_made_once_more() {
    let world = world().await;
    world.send(&chores(&[("a", "once")])).await;
    assert!(drive(&world, &CHORES, Drive::default()).await);
    world.redrive(Some("repeat")).await;
    assert!(drive(&world, &CHORES, Drive::default()).await);
    assert_eq!(count(&world, "done/a/").await, 2, "one decision, one more");
    world.redrive(None).await;
    assert!(drive(&world, &CHORES, Drive::default()).await);
    assert_eq!(count(&world, "done/a/").await, 2, "the decision was for that message only");
    assert_eq!(told(&world, "a"), ["transfer"; 3]);
}

/// By the command for dead letters, as by the console: the failed item is begun again, with the person's decision.
#[tokio::test(start_paused = true)]
async fn what_the_command_puts_back_is_begun_again() {
    let world = world().await;
    world.send(&chores(&[("a", "once")])).await;
    assert!(drive(&world, &CHORES, Drive::default()).await);
    let (body, _) = world.dead_letters().remove(0);
    let letters = DeadLetters::new(Process::start(&world, |_| {}).await.environment()).unwrap();
    let taken = letters.take(10, Duration::from_secs(60)).await.unwrap();
    assert_eq!(
        (taken.len(), taken[0].body.as_str(), taken[0].code()),
        (1, body.as_str(), "effect.undecided")
    );
    assert!(letters.take(10, Duration::from_secs(60)).await.unwrap().is_empty(), "hidden meanwhile");
    letters.redrive(&taken[0], Some("repeat"), None).await.unwrap();
    assert!(world.dead_letters().is_empty());
    assert!(drive(&world, &CHORES, Drive::default()).await);
    assert_eq!(count(&world, "done/a/").await, 2, "one decision, one more");
}

/// Put back twice, because the first time ended half-way: the second copy changes nothing.
#[tokio::test(start_paused = true)]
async fn a_letter_that_is_put_back_twice_is_delivered_once() {
    let world = world().await;
    world.send(&chores(&[("a", "once")])).await;
    assert!(drive(&world, &CHORES, Drive::default()).await);
    leave(&world, "found").await;
    let letters = DeadLetters::new(Process::start(&world, |_| {}).await.environment()).unwrap();
    let taken = letters.take(10, Duration::from_secs(60)).await.unwrap();
    letters.redrive(&taken[0], None, None).await.unwrap();
    letters.redrive(&taken[0], None, None).await.unwrap();
    assert!(drive(&world, &CHORES, Drive::default()).await);
    assert_eq!(told(&world, "a"), ["transfer", "ingestion"]);
    assert_eq!(count(&world, "done/a/").await, 1);
    assert!(world.dead_letters().is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_dry_run_uses_its_messages_up_and_does_nothing() {
    let world = world().await;
    let mut process = Process::start(&world, |environment| environment.settings.dry_run = true).await;
    assert!(process.deliver(&[chores(&[("a", "deliver")]), chores(&[("b", "mend")])]).await.is_empty());
    assert_eq!(count(&world, "").await, 0);
    assert!(told(&world, "a").is_empty() && told(&world, "b").is_empty());
    assert!(world.dead_letters().is_empty() && !is_open(&world));
    let ended =
        world.ledger().iter().any(|record| record.pointer("/ended_at").is_some_and(|at| *at != Value::Null));
    assert!(!ended, "what was tried without effect can still be delivered");
}

/// What was delivered stays delivered, and what came under its name later is put aside once, however often it comes.
#[tokio::test(start_paused = true)]
async fn one_identity_for_two_contents_is_put_aside_and_the_first_stays_as_it_ended() {
    let world = world().await;
    let other = r#"[{"name": "a", "does": "deliver", "about": "something else"}]"#;
    world.send(&chores(&[("a", "deliver")])).await;
    assert!(drive(&world, &CHORES, Drive::default()).await);
    for _ in 0..2 {
        world.send(other).await;
        assert!(drive(&world, &CHORES, Drive::default()).await);
        assert_eq!(told(&world, "a"), ["ingestion", "quarantine"]);
    }
    assert_eq!(world.endings(), ["delivered", "quarantined item.key-reused"]);
    assert_eq!(status(&world, "a").as_deref(), Some("delivered"));
    assert_eq!(count(&world, "tries/a/").await, 1, "nothing is done for the second");
    let aside = world.s3.get_object().bucket(QUARANTINE).key("aside/a").send().await.unwrap();
    assert_eq!(aside.body.collect().await.unwrap().to_vec(), other.as_bytes());
    assert!(world.dead_letters().is_empty());
}

/// A batch of one item, whose process is gone after a second. Each is another process, with ids of its own.
async fn killed(world: &World, body: &str) {
    let mut process = Process::start_behind(world, |transport| transport).await;
    let body = body.to_owned();
    let delivery = process.deliver(std::slice::from_ref(&body));
    assert!(tokio::time::timeout(Duration::from_secs(1), delivery).await.is_err(), "it is not done by then");
    // Nobody may begin before the claim is over.
    wait(120).await;
}

#[tokio::test(start_paused = true)]
async fn what_killed_its_process_five_times_is_not_tried_a_sixth_time() {
    let world = world().await;
    let body = chores(&[("poison", "endless")]);
    for times in 1..=5 {
        killed(&world, &body).await;
        assert_eq!(count(&world, "tries/poison/").await, times);
        assert!(told(&world, "poison").is_empty() && world.dead_letters().is_empty());
    }
    let mut process = Process::start_behind(&world, |transport| transport).await;
    assert!(process.deliver(std::slice::from_ref(&body)).await.is_empty(), "it leaves the queue");
    assert_eq!(count(&world, "tries/poison/").await, 5, "nobody touches it again");
    assert_eq!(world.dead_letters(), [(body, "attempts.crashed".to_owned())]);
    assert_eq!(told(&world, "poison"), ["transfer"]);
    assert_eq!(status(&world, "poison").as_deref(), Some("failed"));
}

/// Four crashes are a bad day: the fifth attempt ends it, and is no crash.
#[tokio::test(start_paused = true)]
async fn what_ends_after_four_crashes_is_delivered() {
    let world = world().await;
    for _ in 0..4 {
        killed(&world, &chores(&[("a", "endless")])).await;
    }
    let mut process = Process::start(&world, |_| ()).await;
    assert!(process.deliver(&[chores(&[("a", "deliver")])]).await.is_empty());
    assert_eq!(told(&world, "a"), ["ingestion"]);
}

#[tokio::test(start_paused = true)]
async fn what_does_not_fit_six_invocations_is_parked_with_what_to_do() {
    let world = world().await;
    let body = chores(&[("a", "endless")]);
    let mut process = Process::start(&world, |_| ()).await;
    for times in 1..=5 {
        assert_eq!(process.deliver(std::slice::from_ref(&body)).await, [0], "it stays on the queue");
        assert_eq!(count(&world, "tries/a/").await, times);
        assert!(told(&world, "a").is_empty() && world.dead_letters().is_empty());
    }
    assert!(process.deliver(std::slice::from_ref(&body)).await.is_empty(), "the sixth time it leaves");
    assert_eq!(world.dead_letters(), [(body, "deadline".to_owned())]);
    assert_eq!(told(&world, "a"), ["transfer"]);
    assert_eq!(world.endings(), ["failed deadline"]);
    let records = world.ledger();
    let result = records.iter().find_map(|record| record.pointer("/result/S")).and_then(Value::as_str);
    assert!(result.is_some_and(|result| result.contains("raise the function's time-out")), "{result:?}");
}
