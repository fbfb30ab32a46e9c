//! What goes wrong on purpose, as this system would tell it.

use serde_json::json;

use super::{caller, edit, seeded, simulator, text};
use crate::faults::{Action, Rule};
use crate::otmm::{Settings, State, seed};

#[tokio::test]
async fn otmm_faults_are_told_in_the_systems_own_shape_or_as_a_page() {
    let simulator = simulator(Settings::default());
    let caller = caller(&simulator);
    let path = format!("assets/{}", seeded(&simulator, "spring-brief.pdf"));
    for (action, status, is_json) in [
        (Action::Unauthorized, 401, true),
        (Action::Locked, 423, true),
        (Action::Status { status: 503, body: None, content_type: None, retry_after: Some(7) }, 503, true),
        (Action::HtmlError, 500, false),
        (Action::HtmlOk, 200, false),
    ] {
        simulator.faults().add(Rule::next(action).on("GET", "/assets/")).unwrap();
        let answer = caller.get(&path).await;
        assert_eq!(answer.status, status);
        match is_json {
            true => assert_eq!(answer.json()["exception_body"]["http_response_code"], status),
            false => assert!(answer.text().starts_with("<!DOCTYPE html>")),
        }
        assert_eq!(caller.get(&path).await.status, 200, "once");
    }
}

#[tokio::test]
async fn otmm_does_what_it_was_asked_though_the_answer_is_lost() {
    let simulator = simulator(Settings::default());
    let caller = caller(&simulator);
    let id = seeded(&simulator, "spring-brief.pdf");
    let gateway = || Rule::next(Action::StatusAfterEffect { status: 504 });
    simulator.faults().add(gateway().on("PATCH", "/assets/")).unwrap();
    let body = edit(seed::ARCHIVE_ID, text("a-1"));
    let answer = caller.json("PATCH", &format!("assets/{id}?lock_strategy=optimistic"), &body).await;
    assert_eq!(answer.status, 504);
    let stored = simulator.with_state(|state| state.assets[&id].values.get(seed::ARCHIVE_ID).cloned());
    assert_eq!(stored, Some(json!("a-1")));
    simulator.faults().add(gateway().on("POST", "/jobs/imports")).unwrap();
    let before = simulator.with_state(|state| state.jobs.len());
    for status in [504, 200] {
        let answer = caller.form("POST", "jobs/imports", &[("file_name", "a.tif")]).await;
        assert_eq!(answer.status, status);
    }
    assert_eq!(simulator.with_state(|state| state.jobs.len()), before + 2, "a second try makes a second job");
}

#[tokio::test]
async fn otmm_sessions_may_all_end_at_once() {
    let simulator = simulator(Settings::default());
    let caller = caller(&simulator);
    assert_eq!(caller.get("users/me").await.status, 200);
    simulator.with_state(State::end_sessions);
    assert_eq!(caller.get("users/me").await.status, 401);
    assert_eq!(super::caller(&simulator).get("users/me").await.status, 200);
    simulator.reset();
    assert!(
        simulator.with_state(|state| state.sessions.is_empty()) && simulator.journal().entries().is_empty()
    );
}
