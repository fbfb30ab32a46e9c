//! The runner itself, with a function of a few lines that does as its event says.

use std::{os::unix::fs::PermissionsExt, path::PathBuf};

use serde_json::json;

use super::*;

const OBEDIENT: &str = r#"#!/usr/bin/env python3
import json, os, sys, time, urllib.request
base = "http://" + os.environ["AWS_LAMBDA_RUNTIME_API"] + "/2018-06-01/runtime/"
def call(path, body=None):
    return urllib.request.urlopen(urllib.request.Request(base + path, data=body))
if os.environ.get("REFUSE"):
    call("init/error", b'{"errorMessage": "rules.toml:3: no such field"}')
    sys.exit(1)
number = 0
while True:
    event = call("invocation/next")
    order, number = json.load(event), number + 1
    identity = event.headers["Lambda-Runtime-Aws-Request-Id"]
    print("took", json.dumps(order), flush=True)
    if order.get("exit"): sys.exit(order["exit"])
    time.sleep(order.get("sleep", 0))
    left = int(event.headers["Lambda-Runtime-Deadline-Ms"]) - time.time() * 1000
    answer = {"number": number, "pid": os.getpid(), "left": left}
    kind = "error" if order.get("fail") else "response"
    call(f"invocation/{identity}/{kind}", json.dumps(answer).encode())
"#;

struct Script(PathBuf);

impl Script {
    fn settings(name: &str) -> (Self, Settings) {
        let folder = std::env::temp_dir().join(format!("waybill-runner-{}-{name}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        let path = folder.join("bootstrap");
        std::fs::write(&path, OBEDIENT).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
        (Self(folder), Settings::new(name, path))
    }
}

impl Drop for Script {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

fn answer(invocation: &Invocation) -> &Value {
    match &invocation.outcome {
        Outcome::Answer(Some(answer)) => answer,
        other => panic!("no answer but {other:?}"),
    }
}

/// Waits until a process has taken an event.
async fn taken(function: &Function) -> Arc<Process> {
    for _ in 0..500 {
        if function.log().text().contains("took")
            && let Some(process) = function.busy().first()
        {
            return process.clone();
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("no process took the event: {}", function.log().text());
}

#[tokio::test]
async fn a_process_is_used_again_and_knows_its_deadline() {
    let (_script, settings) = Script::settings("again");
    let function = Function::new(settings);
    let first = function.invoke(&json!({})).await;
    let second = function.invoke(&json!({})).await;
    assert!(first.start.is_some() && second.start.is_none());
    assert_eq!(answer(&first)["pid"], answer(&second)["pid"]);
    assert_eq!(answer(&second)["number"], 2);
    let left = answer(&second)["left"].as_f64().unwrap();
    assert!((20_000.0..=30_000.0).contains(&left), "{left}");
}

#[tokio::test]
async fn a_process_that_ended_or_was_killed_is_followed_by_another() {
    let (_script, settings) = Script::settings("killed");
    let function = Function::new(settings);
    let outcome = function.invoke(&json!({"exit": 3})).await.outcome;
    assert_eq!(outcome, Outcome::Exited("exit status: 3".into()));
    let work = tokio::spawn({
        let function = function.clone();
        async move { function.invoke(&json!({"sleep": 60})).await.outcome }
    });
    while !function.log().text().contains("sleep") {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    taken(&function).await.kill();
    assert!(matches!(work.await.unwrap(), Outcome::Exited(text) if text.contains("signal: 9")));
    assert_eq!(answer(&function.invoke(&json!({})).await)["number"], 1);
}

#[tokio::test]
async fn work_that_overruns_its_time_is_ended() {
    let (_script, settings) = Script::settings("overrun");
    let function = Function::new(settings.timeout(Duration::from_millis(300)));
    assert_eq!(function.invoke(&json!({"sleep": 60})).await.outcome, Outcome::TimedOut);
    assert!(function.processes().is_empty());
}

#[tokio::test]
async fn a_frozen_process_goes_on_where_it_was() {
    let (_script, mut settings) = Script::settings("frozen");
    settings.timeout = Duration::from_millis(200);
    settings.enforce_timeout = false;
    let function = Function::new(settings);
    let work = tokio::spawn({
        let function = function.clone();
        async move { function.invoke(&json!({"sleep": 0.1})).await }
    });
    let process = taken(&function).await;
    process.freeze();
    tokio::time::sleep(Duration::from_millis(500)).await;
    assert!(!work.is_finished());
    process.thaw();
    let invocation = work.await.unwrap();
    assert!(answer(&invocation)["left"].as_f64().unwrap() < 0.0);
}

#[tokio::test]
async fn a_process_that_refuses_to_start_says_why_and_takes_no_event() {
    let (_script, settings) = Script::settings("refuses");
    let function = Function::new(settings.variable("REFUSE", "yes"));
    let outcome = function.invoke(&json!({})).await.outcome;
    assert!(
        matches!(&outcome, Outcome::DidNotStart(reason) if reason.contains("rules.toml:3")),
        "{outcome:?}"
    );
    assert!(!function.log().text().contains("took"));
}

#[tokio::test]
async fn processes_work_side_by_side_and_an_error_of_one_does_not_end_it() {
    let (_script, settings) = Script::settings("several");
    let function = Function::new(settings.concurrency(2));
    let (one, other) = (json!({"sleep": 0.3}), json!({"sleep": 0.3}));
    let (one, other) = tokio::join!(function.invoke(&one), function.invoke(&other));
    assert_ne!(answer(&one)["pid"], answer(&other)["pid"]);
    assert!(matches!(function.invoke(&json!({"fail": true})).await.outcome, Outcome::Failed(_)));
    assert_eq!(function.processes().len(), 2);
}
