//! When a target is left alone, and when it is tried again.

use crate::chores::{Process, chores, is_open, told, wait, world};

fn one(name: &str, does: &str) -> String {
    chores(&[(name, does)])
}

fn several(does: &str, names: std::ops::Range<u32>) -> Vec<String> {
    names.map(|number| one(&format!("{does} {number}"), does)).collect()
}

#[tokio::test(start_paused = true)]
async fn five_failures_in_a_row_open_the_breaker() {
    for does in ["down", "lost"] {
        let world = world().await;
        let mut process = Process::start(&world, |_| ()).await;
        process.deliver(&several(does, 0..4)).await;
        assert!(!is_open(&world), "{does}");
        process.deliver(&several(does, 4..5)).await;
        assert!(is_open(&world), "{does}");
        assert_eq!(process.deliver(&[one("a", "deliver")]).await, [0], "left alone");
        assert!(told(&world, "a").is_empty());
    }
}

#[tokio::test(start_paused = true)]
async fn a_target_that_refuses_what_it_is_asked_is_alive() {
    let world = world().await;
    let mut process = Process::start(&world, |_| ()).await;
    process.deliver(&several("down", 0..4)).await;
    assert!(process.deliver(&[one("a", "refused")]).await.is_empty());
    process.deliver(&several("down", 4..8)).await;
    assert!(!is_open(&world), "never five in a row");
    assert_eq!(told(&world, "a"), ["quarantine"]);
}

#[tokio::test(start_paused = true)]
async fn a_refusal_closes_the_breaker_when_it_answers_the_probe() {
    let world = world().await;
    let mut process = Process::start(&world, |_| ()).await;
    process.deliver(&several("down", 0..5)).await;
    wait(31).await;
    assert!(process.deliver(&[one("a", "refused"), one("b", "deliver")]).await.is_empty());
    assert!(!is_open(&world));
    assert_eq!(told(&world, "b"), ["ingestion"]);
}

#[tokio::test(start_paused = true)]
async fn what_ends_without_asking_the_target_leaves_the_probe_to_the_next() {
    let world = world().await;
    let mut process = Process::start(&world, |_| ()).await;
    assert!(process.deliver(&[one("seen", "deliver")]).await.is_empty());
    process.deliver(&several("down", 0..5)).await;
    assert!(is_open(&world));
    wait(31).await;
    let batch = [one("seen", "deliver"), one("nothing", "skip"), one("a", "deliver")];
    assert!(process.deliver(&batch).await.is_empty(), "all in one batch");
    assert!(!is_open(&world));
    assert_eq!(told(&world, "a"), ["ingestion"]);
}

#[tokio::test(start_paused = true)]
async fn what_never_asks_the_target_does_not_speak_for_it() {
    let world = world().await;
    let mut process = Process::start(&world, |_| ()).await;
    process.deliver(&several("down", 0..4)).await;
    assert!(process.deliver(&several("skip", 0..3)).await.is_empty());
    process.deliver(&several("down", 4..5)).await;
    assert!(is_open(&world));
}
