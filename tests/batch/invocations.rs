//! One batch in one process: how much of it goes on at once, how long what stays is kept back, and a process that is
//! ended in the middle of it.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use aws_lambda_events::event::sqs::SqsEvent;
use s3_content_server::INGEST_UPLOADS;
use shared::{
    batch::{Invocation, Runner},
    environment::Environment,
    http::{Transport, full},
};
use simulators::faults::{Action, Rule};
use tests::storm::{Scenario, StoredObject, World};

use crate::chores::{Process, chores, count, receive, status, told, wait, world};

/// The target's time for one answer.
const ANSWER: Duration = Duration::from_millis(250);

/// Questions before the target at one moment, now and at most.
#[derive(Clone, Default)]
struct AtOnce(Arc<Mutex<(usize, usize)>>);

impl AtOnce {
    fn most(&self) -> usize {
        self.0.lock().unwrap().1
    }
}

/// Lets the target take its time, and counts.
fn unhurried(environment: &mut Environment, at_once: &AtOnce) {
    let (inner, at_once) = (environment.transport.clone(), at_once.clone());
    environment.transport = Transport::in_process(move |request| {
        let (inner, at_once) = (inner.clone(), at_once.clone());
        async move {
            if request.uri().host() != Some("content-server.test") {
                return inner.send(request).await;
            }
            {
                let mut counts = at_once.0.lock().unwrap();
                counts.0 += 1;
                counts.1 = counts.1.max(counts.0);
            }
            tokio::time::sleep(ANSWER).await;
            let answer = inner.send(request).await;
            at_once.0.lock().unwrap().0 -= 1;
            answer
        }
    });
}

fn deliveries(names: std::ops::Range<u32>) -> Vec<String> {
    names.map(|number| chores(&[(&number.to_string(), "deliver")])).collect()
}

#[tokio::test(start_paused = true)]
async fn so_many_items_of_a_batch_are_worked_on_at_once_as_the_setting_says() {
    for width in [1, 3, 4] {
        let (world, at_once) = (world().await, AtOnce::default());
        let mut process = Process::start(&world, |environment| {
            environment.settings.target_concurrency = width;
            unhurried(environment, &at_once);
        })
        .await;
        assert!(process.deliver(&deliveries(0..10)).await.is_empty());
        assert_eq!(at_once.most(), width);
        assert!((0..10).all(|number| told(&world, &number.to_string()) == ["ingestion"]));
    }
}

#[tokio::test(start_paused = true)]
async fn records_that_panic_do_not_take_those_beside_them_along() {
    let (world, at_once) = (world().await, AtOnce::default());
    let mut process = Process::start(&world, |environment| {
        environment.settings.target_concurrency = 2;
        unhurried(environment, &at_once);
    })
    .await;
    // The second panics while the first waits for the target, the fourth while it is put aside.
    let batch = ["deliver", "panic", "deliver", "panic-aside", "deliver"];
    let batch: Vec<String> = batch.iter().zip(0..).map(|(does, name)| one(name, does)).collect();
    assert!(process.deliver(&batch).await.is_empty());
    for name in ["0", "2", "4"] {
        assert_eq!(told(&world, name), ["ingestion"], "{name}");
    }
    for name in ["1", "3"] {
        assert_eq!(status(&world, name).as_deref(), Some("failed"), "{name}");
    }
    let codes: Vec<String> = world.dead_letters().into_iter().map(|(_, code)| code).collect();
    assert_eq!(codes, ["panic", "panic"]);
    assert!(process.deliver(&[one(5, "deliver")]).await.is_empty(), "the process lives on");
}

fn one(name: u32, does: &str) -> String {
    chores(&[(&name.to_string(), does)])
}

/// Whole seconds until each message that is on the queue is shown again, in the order in which they were sent.
fn kept_back(world: &World) -> Vec<i64> {
    let (now, held) = (world.context.now_milliseconds(), world.aws.sqs().messages("queue"));
    held.iter().map(|message| (message.visible_from - now + 999) / 1000).collect()
}

/// Delivers messages of this kind that were received so many times before; gives the seconds each is kept back.
async fn pauses(received: &[u32], does: &str) -> Vec<i64> {
    let world = world().await;
    let mut messages = Vec::new();
    for (name, received) in (0..).zip(received) {
        world.send(&one(name, does)).await;
        let mut message = receive(&world).await.expect("it was sent");
        message.attributes.insert("ApproximateReceiveCount".into(), received.to_string());
        messages.push(message);
    }
    let process = Process::start(&world, |_| ()).await;
    let stays = process.deliver_messages(messages).await;
    assert_eq!(stays.len(), received.len());
    kept_back(&world)
}

#[tokio::test(start_paused = true)]
async fn each_record_that_failed_is_kept_back_longer_the_more_often_it_was_received() {
    let pauses = pauses(&[1, 2, 5, 12], "down").await;
    for (pause, (least, most)) in pauses.iter().zip([(2, 4), (4, 8), (32, 64), (450, 900)]) {
        assert!((least..=most).contains(pause), "{pauses:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn records_that_failed_together_do_not_come_back_together() {
    let mut pauses = pauses(&[9; 4], "down").await;
    assert!(pauses.iter().all(|pause| (450..=900).contains(pause)), "{pauses:?}");
    pauses.sort_unstable();
    pauses.dedup();
    assert!(pauses.len() >= 3, "half of each pause is chance: {pauses:?}");
}

/// An upload whose document the target does not take now.
async fn turned_away(prepare: fn(&World)) -> i64 {
    let story = Scenario {
        prepare,
        ..Scenario::of(
            "turned away",
            &INGEST_UPLOADS,
            "[[rule]]\nname = \"claims\"\nkey = \"claims/{name}\"\ntarget.folder = \"Enterprise:Claims\"\n",
            || vec![StoredObject::new("claims/letter.txt", "text/plain", "dear sirs")],
            (1, 0, 0),
        )
    };
    let world = World::new(&story, std::collections::BTreeMap::new(), None, 1).await;
    let environment = world.environment(world.tap.transport(Arc::default()), 1, 0);
    let runner = Runner::connect(&INGEST_UPLOADS, environment).await.expect("it starts");
    for object in (story.objects)() {
        world.upload(&object).await;
    }
    world.send(&world.events().remove(0)).await;
    let mut event = SqsEvent::default();
    event.records = vec![receive(&world).await.expect("a message")];
    let deadline = world.context.now_milliseconds() + 60_000;
    let (response, _) = runner.run_counted(event, Invocation { deadline }).await;
    assert_eq!(response.batch_item_failures.len(), 1, "{:?}", world.endings());
    kept_back(&world).remove(0)
}

/// The target asks for a pause; whatever else the batch holds for it is given back, and does not wait in the function.
#[tokio::test(start_paused = true)]
async fn a_pause_that_the_target_asked_for_is_not_waited_for_in_an_invocation() {
    let world = world().await;
    let process = Process::start(&world, |environment| {
        environment.settings.target_concurrency = 1;
        let inner = environment.transport.clone();
        environment.transport = Transport::in_process(move |request| {
            let inner = inner.clone();
            async move {
                if request.uri().host() != Some("content-server.test") {
                    return inner.send(request).await;
                }
                let answer = http::Response::builder().status(429).header("retry-after", "100");
                Ok(answer.body(full("{}")).expect("an answer"))
            }
        });
    })
    .await;
    // The first chore takes any answer for a good one.
    let mut messages = Vec::new();
    for name in 0..2 {
        world.send(&one(name, "deliver")).await;
        messages.push(receive(&world).await.expect("it was sent"));
    }
    let began = world.context.now_milliseconds();
    assert_eq!(process.deliver_messages(messages).await, [1]);
    assert!(world.context.now_milliseconds() - began < 1000, "it does not wait in the function");
    assert_eq!(kept_back(&world).last(), Some(&100), "it is back when the target may be asked again");
}

/// The target answers the creation of documents like this.
fn answers(world: &World, action: Action) {
    let rule = Rule::next(action).on("POST", "/api/v2/nodes$").times(100);
    world.content_server.faults().add(rule).expect("a pattern");
}

#[tokio::test(start_paused = true)]
async fn what_the_target_asks_for_in_retry_after_is_kept_to() {
    assert_eq!(turned_away(|world| answers(world, Action::RateLimited { retry_after: 1200 })).await, 1200);
    let gateway = |world: &World| {
        let status = Action::Status { status: 503, body: None, content_type: None, retry_after: Some(1500) };
        answers(world, status);
    };
    assert_eq!(turned_away(gateway).await, 1500);
    // Less than its own pause would be is no reason to come sooner.
    let pause = turned_away(|world| answers(world, Action::RateLimited { retry_after: 1 })).await;
    assert!((2..=4).contains(&pause), "{pause}");
}

#[tokio::test(start_paused = true)]
async fn a_process_that_is_ended_in_mid_batch_gives_back_what_has_not_ended() {
    let (world, at_once) = (world().await, AtOnce::default());
    let mut process = Process::start(&world, |environment| {
        environment.settings.target_concurrency = 2;
        unhurried(environment, &at_once);
    })
    .await;
    let (batch, runner) = (deliveries(0..6), process.runner());
    // Two have ended, two are with the target, two were not begun.
    let ended = async {
        tokio::time::sleep(ANSWER * 3 / 2).await;
        let told = world.context.now_milliseconds();
        runner.stop().await;
        world.context.now_milliseconds() - told
    };
    let (stays, took) = tokio::join!(process.deliver(&batch), ended);
    assert_eq!(stays, [2, 3, 4, 5]);
    assert!(took < 100, "{took} ms");
    assert_eq!(process.deliver(&deliveries(6..7)).await, [0], "nothing is begun any more");
    for name in ["4", "5", "6"] {
        assert_eq!(status(&world, name), None, "{name} was not begun");
    }
    // Their claims are over: whoever gets them next need not wait.
    let mut next = Process::start(&world, |_| ()).await;
    assert!(next.deliver(&batch).await.is_empty());
    for number in 0..6 {
        assert_eq!(told(&world, &number.to_string()), ["ingestion"]);
    }
    assert_eq!(count(&world, "tries/0/").await, 1, "what had ended is not done again");
    assert_eq!(count(&world, "tries/2/").await, 2);
}

#[tokio::test(start_paused = true)]
async fn a_process_without_a_batch_ends_at_once() {
    let world = world().await;
    let process = Process::start(&world, |_| ()).await;
    let now = world.context.now_milliseconds();
    process.runner().stop().await;
    wait(0).await;
    assert!(world.context.now_milliseconds() - now < 10);
}
