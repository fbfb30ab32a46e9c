//! Jobs as workers and people see them.

use serde_json::{Value, json};

use super::media::{done, text};
use super::{call, simulator};
use crate::iconik::settings::Jobs;
use crate::iconik::state::Pressed;
use crate::iconik::{Settings, Simulator};

async fn started(simulator: &Simulator, more: Value) -> String {
    let mut job =
        json!({"type": "CUSTOM", "status": "STARTED", "title": "File finals", "progress_total": 200});
    job.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    text(&done(simulator, 201, "POST", "jobs/v1/jobs/", job).await, "id")
}

/// One answer of a change; its path is without the last slash, as a widely used client has it.
async fn change(simulator: &Simulator, job: &str, body: Value) -> Value {
    done(simulator, 200, "PATCH", &format!("jobs/v1/jobs/{job}"), body).await
}

#[tokio::test]
async fn a_job_goes_from_its_start_to_its_end() {
    let simulator = simulator(Settings::default());
    for (given, field) in [
        (json!({"type": "CUSTOM", "status": "STARTED"}), "title"),
        (json!({"type": "WORK", "status": "STARTED", "title": "x"}), "type"),
        (json!({"type": "CUSTOM", "status": "RUNNING", "title": "x"}), "status"),
        (
            json!({"type": "CUSTOM", "status": "STARTED", "title": "x", "related_objects": []}),
            "related_objects",
        ),
        (
            json!({"type": "CUSTOM", "status": "STARTED", "title": "x", "progress_total": "many"}),
            "progress_total",
        ),
    ] {
        let (status, answer) = call(&simulator, "POST", "jobs/v1/jobs/", Some(given)).await;
        assert_eq!(status, 400);
        assert!(answer["errors"][0].as_str().unwrap().starts_with(field), "{answer}");
    }
    let job = started(&simulator, json!({"metadata": {"a": 1}})).await;
    let half = change(&simulator, &job, json!({"progress_processed": 100, "message": "2 of 4 files"})).await;
    assert_eq!(
        (&half["progress"], &half["status"], &half["completed_at"]),
        (&json!(50), &json!("STARTED"), &Value::Null)
    );
    let merged = done(
        &simulator,
        200,
        "PATCH",
        &format!("jobs/v1/jobs/{job}/?merge_metadata=true"),
        json!({"metadata": {"b": 2}}),
    )
    .await;
    assert_eq!(merged["metadata"], json!({"a": 1, "b": 2}));
    let ended = change(&simulator, &job, json!({"status": "FINISHED", "progress_processed": 200})).await;
    assert_eq!((&ended["progress"], ended["completed_at"].is_string()), (&json!(100), true));
    let events =
        simulator.with_state(|state| state.events.iter().filter(|event| event.event_type == "jobs").count());
    assert_eq!(events, 4);
    let failed = started(&simulator, json!({"parent_id": job})).await;
    change(&simulator, &failed, json!({"status": "FAILED", "error_message": "The file is growing."})).await;
    let listed =
        done(&simulator, 200, "GET", &format!("jobs/v1/jobs/?parent_id={job}&status=FAILED"), None).await;
    assert_eq!(
        (&listed["total"], &listed["objects"][0]["error_message"]),
        (&json!(1), &json!("The file is growing."))
    );
    assert_eq!(call(&simulator, "GET", "jobs/v1/jobs/?per_page=101", None).await.0, 400);
    done(&simulator, 204, "DELETE", &format!("jobs/v1/jobs/{job}/?recursive=true"), None).await;
    assert_eq!(call(&simulator, "GET", &format!("jobs/v1/jobs/{failed}/"), None).await.0, 404);
}

#[tokio::test]
async fn a_person_aborts_and_the_worker_notices() {
    for takes_back in [false, true] {
        let jobs = Jobs { progress_takes_abort_back: takes_back, ..Jobs::default() };
        let simulator = simulator(Settings { jobs, ..Settings::default() });
        let context = json!({"ABORT": {"url": "https://worker.example/abort", "bulk": false}});
        let job = started(&simulator, json!({"action_context": context})).await;
        let press = json!({"job_ids": [job], "action": "ABORT"});
        done(&simulator, 200, "PUT", "jobs/v1/jobs/state/", press).await;
        let progress =
            json!({"status": "STARTED", "type": "CUSTOM", "title": "File finals", "progress_processed": 20});
        let seen = change(&simulator, &job, progress).await;
        assert_eq!(seen["status"], if takes_back { "STARTED" } else { "ABORT_PENDING" });
        assert_eq!(seen["progress"], 10);
        assert_eq!(change(&simulator, &job, json!({"status": "ABORTED"})).await["status"], "ABORTED");
        let pressed = simulator.with_state(|state| state.pressed.clone());
        let url = "https://worker.example/abort".to_owned();
        assert_eq!(pressed, [Pressed { job, action: "ABORT".to_owned(), url }]);
    }
}

#[tokio::test]
async fn other_buttons_and_priorities() {
    let simulator = simulator(Settings::default());
    let job = started(&simulator, json!({})).await;
    for (action, status) in [("PAUSE", "PAUSED"), ("RESUME", "STARTED"), ("RESTART", "STARTED")] {
        done(&simulator, 200, "PUT", "jobs/v1/jobs/state/", json!({"job_ids": [job], "action": action}))
            .await;
        assert_eq!(
            done(&simulator, 200, "GET", &format!("jobs/v1/jobs/{job}/"), None).await["status"],
            status
        );
    }
    let wrong = json!({"job_ids": [job], "action": "EXPLODE"});
    assert_eq!(call(&simulator, "PUT", "jobs/v1/jobs/state/", Some(wrong)).await.0, 400);
    assert_eq!(
        call(&simulator, "PUT", "jobs/v1/jobs/state/", Some(json!({"job_ids": [], "action": "ABORT"})))
            .await
            .0,
        400
    );
    done(&simulator, 200, "PUT", "jobs/v1/jobs/priority/", json!({"job_ids": [job], "priority": 9})).await;
    assert_eq!(done(&simulator, 200, "GET", &format!("jobs/v1/jobs/{job}/"), None).await["priority"], 9);
    let beyond = json!({"job_ids": [job], "priority": 11});
    assert_eq!(call(&simulator, "PUT", "jobs/v1/jobs/priority/", Some(beyond)).await.0, 400);
    let edit =
        done(&simulator, 202, "PATCH", &format!("jobs/v1/jobs/?ids={job}"), json!({"message": "all"})).await;
    assert!(edit["job_id"].is_string());
    assert_eq!(done(&simulator, 200, "GET", &format!("jobs/v1/jobs/{job}/"), None).await["message"], "all");
    done(&simulator, 204, "DELETE", "jobs/v1/jobs/", json!({"job_ids": [job]})).await;
    assert_eq!(call(&simulator, "GET", &format!("jobs/v1/jobs/{job}/"), None).await.0, 404);
}

#[tokio::test]
async fn steps_show_where_a_job_is() {
    let simulator = simulator(Settings::default());
    let steps = json!([{"label": "Copy", "status": "IN_PROGRESS"}, {"label": "Verify", "status": "WAITING"}]);
    let job = started(&simulator, json!({})).await;
    let path = format!("jobs/v1/jobs/{job}/steps/");
    let made = done(&simulator, 200, "PATCH", &path, json!({"steps": steps})).await;
    let first = text(&made["steps"][0], "id");
    let changed = done(&simulator, 200, "PATCH", &format!("{path}{first}/"), json!({"status": "DONE"})).await;
    assert_eq!(
        (&changed["steps"][0]["status"], &changed["steps"][0]["label"]),
        (&json!("DONE"), &json!("Copy"))
    );
    assert_eq!(changed["steps"][1]["status"], "WAITING");
    assert_eq!(
        call(&simulator, "PATCH", &format!("{path}{first}/"), Some(json!({"status": "OVER"}))).await.0,
        400
    );
    assert_eq!(
        call(&simulator, "PATCH", &format!("{path}other/"), Some(json!({"status": "DONE"}))).await.0,
        404
    );
}

#[tokio::test]
async fn an_ended_job_is_final_where_that_is_so() {
    for is_final in [true, false] {
        let jobs = Jobs { ended_is_final: is_final, ..Jobs::default() };
        let simulator = simulator(Settings { jobs, ..Settings::default() });
        let job = started(&simulator, json!({})).await;
        change(&simulator, &job, json!({"status": "FAILED"})).await;
        let path = format!("jobs/v1/jobs/{job}/");
        let (status, _) = call(&simulator, "PATCH", &path, Some(json!({"status": "STARTED"}))).await;
        assert_eq!(status, if is_final { 409 } else { 200 });
    }
}
