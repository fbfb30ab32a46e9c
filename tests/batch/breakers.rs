//! When a target is left alone, and when it is tried again.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::Duration,
};

use shared::http::Transport;
use tokio::sync::Barrier;

use crate::chores::{Process, chores, is_open, told, wait, world};

/// What two processes do at the same moment.
#[derive(Clone)]
struct Together {
    /// Whether their reads wait for each other.
    meet: Arc<AtomicBool>,
    read: Arc<Barrier>,
    asked: Arc<AtomicUsize>,
}

impl Together {
    fn new() -> Self {
        Self { meet: Arc::default(), read: Arc::new(Barrier::new(2)), asked: Arc::default() }
    }

    /// The next read of each process ends when the other's has; the target counts, and takes five seconds.
    fn watch(&self, inner: Transport) -> Transport {
        let (together, met) = (self.clone(), Arc::new(AtomicBool::new(false)));
        Transport::in_process(move |request| {
            let (inner, together, met) = (inner.clone(), together.clone(), met.clone());
            async move {
                if request.uri().host() == Some("content-server.test") {
                    together.asked.fetch_add(1, Ordering::Relaxed);
                    tokio::time::sleep(Duration::from_secs(5)).await;
                }
                let reads = request
                    .headers()
                    .get("x-amz-target")
                    .is_some_and(|name| name == "DynamoDB_20120810.GetItem");
                let answer = inner.send(request).await;
                if reads && together.meet.load(Ordering::Relaxed) && !met.swap(true, Ordering::Relaxed) {
                    together.read.wait().await;
                }
                answer
            }
        })
    }

    fn asked(&self) -> usize {
        self.asked.load(Ordering::Relaxed)
    }
}

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
async fn of_processes_that_see_the_pause_end_at_once_one_asks_the_target_and_the_others_wait_for_it() {
    let (world, together) = (world().await, Together::new());
    let start = || Process::start_behind(&world, |transport| together.watch(transport));
    let (mut first, mut second, mut third) = (start().await, start().await, start().await);
    assert_eq!(first.deliver(&several("down", 0..5)).await.len(), 5);
    assert!(is_open(&world));
    assert_eq!(second.deliver(&[one("b", "deliver")]).await, [0], "open for all of them");
    assert_eq!(third.deliver(&[one("c", "deliver")]).await, [0], "open for all of them");
    wait(31).await;
    together.meet.store(true, Ordering::Relaxed);
    let (a, b, c) = (one("a", "deliver"), one("b", "deliver"), one("c", "deliver"));
    let meanwhile = async {
        wait(3).await;
        together.meet.store(false, Ordering::Relaxed);
        let stays = third.deliver(std::slice::from_ref(&c)).await;
        (stays, together.asked())
    };
    let (one_stays, other_stays, (third_stays, asked)) = tokio::join!(
        first.deliver(std::slice::from_ref(&a)),
        second.deliver(std::slice::from_ref(&b)),
        meanwhile
    );
    assert_eq!(asked, 1, "while the probe runs");
    assert_eq!((one_stays.len() + other_stays.len(), third_stays.len()), (1, 1));
    assert_eq!(together.asked(), 1, "one call reached the target");
    assert!(!is_open(&world), "it answered");
    let left = if one_stays.is_empty() { b } else { a };
    assert!(second.deliver(&[left, c]).await.is_empty());
    assert_eq!(together.asked(), 3);
    for name in ["a", "b", "c"] {
        assert_eq!(told(&world, name), ["ingestion"], "{name}");
    }
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
