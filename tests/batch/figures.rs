//! What a batch's figures say, and the alarms that watch them.

use std::{
    collections::{BTreeMap, VecDeque},
    time::Duration,
};

use serde_json::{Value, json};
use shared::http::Transport;
use tests::storm::{QUARANTINE, World};

use crate::chores::{BYTES, Process, chores, delete, leave, receive, world};

/// Delivers whatever waits until the queue is empty; tells of every batch's figures with the time.
async fn settle(world: &World, process: &Process, mut meanwhile: impl AsyncFnMut(i64)) -> Vec<(i64, Value)> {
    let mut told = Vec::new();
    while world.waiting() > 0 {
        meanwhile(world.context.now_milliseconds()).await;
        let Some(message) = receive(world).await else {
            tokio::time::sleep(world.until_visible()).await;
            continue;
        };
        let (stays, figures) = process.deliver_counted(vec![message.clone()]).await;
        told.push((world.context.now_milliseconds(), figures));
        if stays.is_empty() {
            delete(world, &message).await;
        }
    }
    told
}

/// The properties of an alarm in the template.
fn alarm(name: &str) -> BTreeMap<String, String> {
    let template = concat!(env!("CARGO_MANIFEST_DIR"), "/../infra/template.yaml");
    let template = std::fs::read_to_string(template).expect("the template");
    let (_, alarm) = template.split_once(&format!("\n  {name}:\n")).expect("the alarm");
    let lines = alarm.lines().take_while(|line| !line.is_empty());
    let fields = lines.filter_map(|line| line.trim().split_once(": "));
    fields.map(|(name, value)| (name.to_owned(), value.to_owned())).collect()
}

/// In which minutes an alarm is on, as CloudWatch decides it: missing minutes are taken for good ones, or left out of
/// account.
fn minutes_on(alarm: &BTreeMap<String, String>, points: &[(i64, i64)]) -> Vec<i64> {
    let number = |name: &str| alarm.get(name).map(|number| number.parse::<usize>().expect("a number"));
    assert_eq!((number("Period"), number("Threshold")), (Some(60), Some(0)));
    let periods = number("EvaluationPeriods").expect("how many");
    let needed = number("DatapointsToAlarm").unwrap_or(periods);
    let missing = match alarm["TreatMissingData"].as_str() {
        "notBreaching" => Some(false),
        "ignore" => None,
        other => panic!("{other} is not known here"),
    };
    let mut minutes: BTreeMap<i64, Vec<i64>> = BTreeMap::new();
    points.iter().for_each(|(at, value)| minutes.entry(at / 60_000).or_default().push(*value));
    let (first, last) = (*minutes.keys().next().unwrap(), *minutes.keys().last().unwrap());
    let (mut window, mut on, mut is_on) = (VecDeque::new(), Vec::new(), false);
    for minute in first..=last {
        let breaches = minutes.get(&minute).map(|values| {
            let values = values.iter().copied();
            0 < match alarm["Statistic"].as_str() {
                "Minimum" => values.fold(i64::MAX, i64::min),
                "Maximum" => values.fold(0, i64::max),
                other => panic!("{other} is not known here"),
            }
        });
        window.push_back(breaches.or(missing));
        if window.len() > periods {
            window.pop_front();
        }
        let known: Vec<bool> = window.iter().flatten().copied().collect();
        if known.iter().filter(|breaches| **breaches).count() >= needed {
            is_on = true;
        } else if !known.is_empty() {
            is_on = false;
        }
        if is_on {
            on.push(minute);
        }
    }
    on
}

/// One upload waits while the target is away. It is tried more and more rarely, and the alarm stays on until it is filed.
#[tokio::test(start_paused = true)]
async fn the_alarm_of_an_open_breaker_is_on_while_one_upload_waits_and_ends_with_it() {
    let world = world().await;
    let process = Process::start(&world, |_| ()).await;
    world.send(&chores(&[("a", "outage")])).await;
    let back = world.context.now_milliseconds() + 3_600_000;
    let told = settle(&world, &process, async |now| {
        if now >= back {
            leave(&world, "mended").await;
        }
    })
    .await;
    let points: Vec<(i64, i64)> =
        told.iter().map(|(at, figures)| (*at, figures["BreakerOpen"].as_i64().unwrap())).collect();
    let opened = points.iter().find(|(_, open)| *open > 0).expect("it opens").0;
    let ended = points.last().unwrap();
    assert!(ended.0 > back && ended.1 == 0, "{points:?}");
    let on = minutes_on(&alarm("IngestUploadsBreakerAlarm"), &points);
    assert!(on.first() <= Some(&(opened / 60_000 + 2)), "soon: {on:?} {points:?}");
    let all: Vec<i64> = (*on.first().unwrap()..ended.0 / 60_000).collect();
    assert_eq!(on, all, "without a gap, until it ends: {points:?}");
}

#[tokio::test(start_paused = true)]
async fn an_item_of_several_invocations_is_one_run_and_is_put_aside_with_the_body_it_came_in() {
    let world = world().await;
    let process = Process::start(&world, |_| ()).await;
    let body = r#"[ {"name":"a",  "does":"long", "more":"\u00fc ü"} ]"#;
    world.send(body).await;
    let told = settle(&world, &process, async |_| ()).await;
    let sum = |name: &str| told.iter().filter_map(|(_, figures)| figures[name].as_u64()).sum::<u64>();
    assert_eq!((told.len(), sum("Continued"), sum("Quarantined")), (3, 2, 1));
    assert_eq!((sum("Runs"), sum("DistinctItems")), (1, 1));
    let aside = world.s3.get_object().bucket(QUARANTINE).key("aside/a").send().await.unwrap();
    assert_eq!(aside.body.collect().await.unwrap().to_vec(), body.as_bytes());
}

#[tokio::test(start_paused = true)]
async fn an_item_that_is_tried_again_is_two_runs_of_one_item() {
    let world = world().await;
    let process = Process::start(&world, |_| ()).await;
    world.send(&chores(&[("a", "later")])).await;
    let told = settle(&world, &process, async |_| ()).await;
    let sum = |name: &str| told.iter().filter_map(|(_, figures)| figures[name].as_u64()).sum::<u64>();
    assert_eq!((told.len(), sum("Retries"), sum("Delivered")), (2, 1, 1), "{told:?}");
    assert_eq!((sum("Runs"), sum("DistinctItems")), (2, 1), "{told:?}");
    assert_eq!(told[0].1["DistinctItems"], 1, "it counts where it is met first: {told:?}");
}

#[tokio::test(start_paused = true)]
async fn lag_is_the_age_of_the_message_and_the_latency_is_the_targets_not_the_items() {
    let world = world().await;
    let mut process = Process::start(&world, |environment| {
        let target = environment.transport.clone();
        environment.transport = Transport::in_process(move |request| {
            let target = target.clone();
            async move {
                tokio::time::sleep(Duration::from_millis(250)).await;
                target.send(request).await
            }
        });
    })
    .await;
    let mut message = process.message(&chores(&[("a", "slow")]));
    let sent = world.context.now_milliseconds() - 90_000;
    message.attributes.insert("SentTimestamp".into(), sent.to_string());
    let (stays, figures) = process.deliver_counted(vec![message]).await;
    assert!(stays.is_empty());
    let values = |name: &str| -> Vec<i64> { serde_json::from_value(figures[name].clone()).unwrap() };
    let [latency] = values("TargetLatency")[..] else { panic!("one call: {figures}") };
    assert!((250..260).contains(&latency), "{figures}");
    let [duration] = values("ItemDuration")[..] else { panic!("one item: {figures}") };
    assert!((3250..3300).contains(&duration), "{figures}");
    let [lag] = values("Lag")[..] else { panic!("one item: {figures}") };
    assert!((93_250..94_000).contains(&lag), "{figures}");
    let named = figures["_aws"]["CloudWatchMetrics"][0]["Metrics"].as_array().unwrap();
    for name in ["TargetLatency", "ItemDuration", "Lag"] {
        assert!(named.contains(&json!({"Name": name, "Unit": "Milliseconds"})), "{name}");
    }
    // A message of a store that does not say when it was sent has no lag.
    let message = process.message(&chores(&[("b", "deliver")]));
    assert_eq!(process.deliver_counted(vec![message]).await.1["Lag"], json!([]));
}

/// Each ending under its own name, bytes of what was delivered and of nothing else, and a letter for each message that
/// was parked. What is seen again is not counted again.
#[tokio::test(start_paused = true)]
async fn endings_bytes_and_parked_messages_are_counted_each_for_itself() {
    let world = world().await;
    let mut process = Process::start(&world, |_| ()).await;
    let endings =
        chores(&[("a", "deliver"), ("b", "deliver"), ("c", "skip"), ("d", "refused"), ("e", "mend")]);
    let bodies = [endings, chores(&[("f", "mend")]), "no chore".to_owned()];
    let count = |figures: &Value, names: &[&str]| -> Vec<u64> {
        names
            .iter()
            .map(|name| figures[name].as_u64().unwrap_or_else(|| panic!("{name}: {figures}")))
            .collect()
    };
    let names = ["Delivered", "Skipped", "Quarantined", "Failed", "Bytes", "Parked", "Repeated"];
    let messages = bodies.iter().map(|body| process.message(body)).collect();
    let (stays, figures) = process.deliver_counted(messages).await;
    assert!(stays.is_empty(), "{stays:?}");
    assert_eq!(count(&figures, &names), [2, 1, 1, 2, 2 * BYTES, 3, 0], "{figures}");
    assert_eq!(world.dead_letters().len(), 3);

    let again = vec![process.message(&bodies[0])];
    let (_, figures) = process.deliver_counted(again).await;
    assert_eq!(count(&figures, &names), [0, 0, 0, 0, 0, 0, 5], "{figures}");

    let told = figures["_aws"]["CloudWatchMetrics"][0]["Metrics"].as_array().unwrap();
    for (name, unit) in [("Skipped", "Count"), ("Failed", "Count"), ("Bytes", "Bytes"), ("Parked", "Count")] {
        assert!(told.contains(&json!({"Name": name, "Unit": unit})), "{name} is not told to CloudWatch");
    }
}
