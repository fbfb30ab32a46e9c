//! Requests, verdicts, and the status that follows.

use serde_json::{Value, json};

use super::segments::with_asset;
use super::{call, send};
use crate::iconik::seed;
use crate::iconik::settings::{RollUp, SecondRequest};

fn request() -> Value {
    json!({"users": [seed::SERVICE, seed::ADMIN], "min_number": 2})
}

#[tokio::test]
async fn an_approval_is_asked_for_given_and_withdrawn() {
    let (simulator, asset, version) = with_asset().await;
    let path = format!("assets/v1/assets/{asset}/approvals");
    assert_eq!(call(&simulator, "GET", &format!("{path}/request/"), None).await.0, 404, "none was asked for");
    let verdict = json!({"status": "APPROVED"});
    assert_eq!(call(&simulator, "PUT", &format!("{path}/"), Some(verdict.clone())).await.0, 404);
    let (status, asked) = call(&simulator, "POST", &format!("{path}/request/"), Some(request())).await;
    assert_eq!(
        (status.as_u16(), &asked["status"], &asked["version_id"]),
        (201, &json!("REQUESTED"), &json!(version))
    );
    assert_eq!((&asked["user_status"], &asked["requested_by"]), (&json!("REQUESTED"), &json!(seed::SERVICE)));
    assert_eq!(asked["users_info"].as_array().unwrap().len(), 2);

    let (status, own) = call(&simulator, "PUT", &format!("{path}/"), Some(verdict.clone())).await;
    assert_eq!(
        (status.as_u16(), &own["status"], &own["user"]),
        (200, &json!("APPROVED"), &json!(seed::SERVICE))
    );
    let (_, now) = call(&simulator, "GET", &format!("{path}/request/"), None).await;
    assert_eq!(
        (&now["status"], &now["user_status"]),
        (&json!("REQUESTED"), &json!("APPROVED")),
        "two are needed"
    );
    send(&simulator, seed::ADMIN_TOKEN, "PUT", &format!("{path}/"), Some(verdict)).await;
    let (_, now) = call(&simulator, "GET", &format!("{path}/request/"), None).await;
    assert_eq!(now["status"], "APPROVED");
    let (_, by) = call(&simulator, "GET", &format!("{path}/"), None).await;
    assert_eq!(by["objects"].as_array().unwrap().len(), 2);

    assert_eq!(call(&simulator, "DELETE", &format!("{path}/user/{}/", seed::ADMIN), None).await.0, 204);
    assert_eq!(call(&simulator, "DELETE", &format!("{path}/user/{}/", seed::ADMIN), None).await.0, 404);
    let (_, changed) =
        call(&simulator, "PATCH", &format!("{path}/request/"), Some(json!({"min_number": 1}))).await;
    assert_eq!(changed["status"], "APPROVED", "one is enough now");
    let (status, withdrawn) = call(&simulator, "DELETE", &format!("{path}/request/"), None).await;
    assert_eq!((status.as_u16(), &withdrawn["status"]), (200, &json!("APPROVED")));
    assert_eq!(call(&simulator, "GET", &format!("{path}/request/"), None).await.0, 404);
    let history = simulator.with_state(|state| state.history.objects().cloned().collect::<Vec<_>>());
    assert!(history.iter().any(|entry| entry["operation_type"] == "APPROVE"), "{history:?}");
}

#[tokio::test]
async fn an_approval_belongs_to_one_version() {
    let (simulator, asset, first) = with_asset().await;
    let path = format!("assets/v1/assets/{asset}");
    call(&simulator, "POST", &format!("{path}/approvals/request/"), Some(request())).await;
    call(&simulator, "PUT", &format!("{path}/approvals/"), Some(json!({"status": "NOT_APPROVED"}))).await;
    let second = simulator
        .with_state(|state| state.add_version(seed::SERVICE, &asset, &serde_json::Map::new()))
        .unwrap();
    assert_eq!(
        call(&simulator, "GET", &format!("{path}/approvals/request/"), None).await.0,
        404,
        "a new version has none"
    );
    let old = format!("{path}/versions/{first}/approvals");
    let (_, before) = call(&simulator, "GET", &format!("{old}/request/"), None).await;
    assert_eq!((&before["status"], &before["version_id"]), (&json!("NOT_APPROVED"), &json!(first)));
    let (_, by) = call(&simulator, "GET", &format!("{old}/"), None).await;
    assert_eq!(by["objects"][0]["status"], "NOT_APPROVED");
    assert_eq!(call(&simulator, "PUT", &format!("{old}/"), Some(json!({"status": "APPROVED"}))).await.0, 405);
    call(&simulator, "POST", &format!("{path}/approvals/request/"), Some(request())).await;
    let (_, now) = call(&simulator, "GET", &format!("{path}/approvals/request/"), None).await;
    assert_eq!((&now["status"], &now["version_id"]), (&json!("REQUESTED"), &json!(second)));
}

#[tokio::test]
async fn what_is_no_verdict_or_request_is_refused() {
    let (simulator, asset, _) = with_asset().await;
    let path = format!("assets/v1/assets/{asset}/approvals");
    for body in [json!({"min_number": 0}), json!({"users": "all"})] {
        assert_eq!(call(&simulator, "POST", &format!("{path}/request/"), Some(body)).await.0, 400);
    }
    let other = json!({"version_id": "0"});
    assert_eq!(call(&simulator, "POST", &format!("{path}/request/"), Some(other)).await.0, 404);
    call(&simulator, "POST", &format!("{path}/request/"), Some(request())).await;
    assert_eq!(call(&simulator, "PUT", &format!("{path}/"), Some(json!({"status": "MAYBE"}))).await.0, 400);
    assert_eq!(call(&simulator, "GET", "assets/v1/assets/0/approvals/", None).await.0, 404);
    simulator.with_state(|state| state.users.iter_mut().for_each(|user| user.roles.clear()));
    assert_eq!(
        call(&simulator, "PUT", &format!("{path}/"), Some(json!({"status": "APPROVED"}))).await.0,
        403
    );
}

#[tokio::test]
async fn the_roll_up_is_a_switch() {
    for (rule, expected) in [
        (RollUp::MinimumNumber, "MIXED"),
        (RollUp::AllReviewers, "MIXED"),
        (RollUp::RejectionWins, "NOT_APPROVED"),
        (RollUp::LastVerdict, "APPROVED"),
    ] {
        let (simulator, asset, _) = with_asset().await;
        simulator.with_state(|state| state.settings.approvals.roll_up = rule);
        let path = format!("assets/v1/assets/{asset}/approvals");
        call(&simulator, "POST", &format!("{path}/request/"), Some(request())).await;
        call(&simulator, "PUT", &format!("{path}/"), Some(json!({"status": "NOT_APPROVED"}))).await;
        send(&simulator, seed::ADMIN_TOKEN, "PUT", &format!("{path}/"), Some(json!({"status": "APPROVED"})))
            .await;
        let (_, now) = call(&simulator, "GET", &format!("{path}/request/"), None).await;
        assert_eq!(now["status"], expected, "{rule:?}");
    }
}

#[tokio::test]
async fn a_request_may_be_made_in_the_background() {
    let (simulator, asset, _) = with_asset().await;
    simulator.with_state(|state| {
        state.settings.approvals.asset_requests_in_background = true;
        state.settings.approvals.background_seconds = 30;
    });
    let path = format!("assets/v1/assets/{asset}/approvals/request/");
    let (status, job) = call(&simulator, "POST", &path, Some(request())).await;
    assert_eq!(status, 202);
    assert!(job["job_id"].is_string());
    assert_eq!(call(&simulator, "GET", &path, None).await.0, 404);
    simulator.clock().advance(jiff::SignedDuration::from_secs(31));
    assert_eq!(call(&simulator, "GET", &path, None).await.1["status"], "REQUESTED");
}

#[tokio::test]
async fn approvals_of_collections_are_made_in_the_background() {
    let (simulator, ..) = with_asset().await;
    let title = json!({"title": "Spring"});
    let (_, collection) = call(&simulator, "POST", "assets/v1/collections/", Some(title)).await;
    let path = format!("assets/v1/collections/{}/approvals/request/", collection["id"].as_str().unwrap());
    assert_eq!(call(&simulator, "POST", &path, Some(request())).await.0, 202);
    let (_, asked) = call(&simulator, "GET", &path, None).await;
    assert_eq!((&asked["object_type"], &asked["version_id"]), (&json!("collections"), &Value::Null));
}

#[tokio::test]
async fn open_questions_of_approvals_follow_their_switches() {
    let (simulator, asset, _) = with_asset().await;
    let path = format!("assets/v1/assets/{asset}/approvals");
    let (asking, yes) = (format!("{path}/request/"), Some(json!({"status": "APPROVED"})));
    simulator.with_state(|state| state.settings.approvals.verdict_needs_request = false);
    assert_eq!(call(&simulator, "PUT", &format!("{path}/"), yes.clone()).await.0, 200);
    assert_eq!(call(&simulator, "GET", &asking, None).await.1["requested_by"], Value::Null);

    simulator.with_state(|state| state.settings.approvals.second_request = SecondRequest::Refused);
    assert_eq!(call(&simulator, "POST", &asking, Some(request())).await.0, 409);
    simulator.with_state(|state| state.settings.approvals.second_request = SecondRequest::KeepsVerdicts);
    let (_, kept) = call(&simulator, "POST", &asking, Some(json!({"users": [seed::ADMIN]}))).await;
    assert_eq!(kept["status"], "APPROVED");
    simulator.with_state(|state| state.settings.approvals.second_request = SecondRequest::StartsOver);
    let (_, anew) = call(&simulator, "POST", &asking, Some(json!({"users": [seed::ADMIN]}))).await;
    assert_eq!(anew["status"], "REQUESTED");

    simulator.with_state(|state| state.settings.approvals.only_reviewers = true);
    assert_eq!(call(&simulator, "PUT", &format!("{path}/"), yes.clone()).await.0, 403);
    send(&simulator, seed::ADMIN_TOKEN, "PUT", &format!("{path}/"), yes).await;
    let (_, still) = call(&simulator, "PATCH", &asking, Some(json!({"min_number": 1}))).await;
    assert_eq!(still["status"], "APPROVED");
    simulator.with_state(|state| state.settings.approvals.edit_forgets_verdicts = true);
    let (_, forgotten) = call(&simulator, "PATCH", &asking, Some(json!({"min_number": 1}))).await;
    assert_eq!(forgotten["status"], "REQUESTED");
    simulator.with_state(|state| state.settings.approvals.delete_answers_body = false);
    assert_eq!(call(&simulator, "DELETE", &asking, None).await, (http::StatusCode::NO_CONTENT, Value::Null));
}

#[tokio::test]
async fn many_are_decided_and_withdrawn_in_one_call() {
    let (simulator, asset, _) = with_asset().await;
    let (_, other) = call(&simulator, "POST", "assets/v1/assets/", Some(json!({"title": "Teaser"}))).await;
    let ids = json!([asset, other["id"]]);
    let body = json!({"object_ids": ids, "object_type": "assets", "status": "NOT_APPROVED"});
    let (status, job) = call(&simulator, "POST", "assets/v1/approvals/bulk/", Some(body)).await;
    assert_eq!(status, 200, "{job}");
    for id in [&asset, other["id"].as_str().unwrap()] {
        let path = format!("assets/v1/assets/{id}/approvals/request/");
        assert_eq!(call(&simulator, "GET", &path, None).await.1["status"], "NOT_APPROVED");
    }
    let body = json!({"object_ids": ids, "object_type": "assets"});
    assert_eq!(call(&simulator, "POST", "assets/v1/approvals/bulk_remove/", Some(body)).await.0, 200);
    for id in [&asset, other["id"].as_str().unwrap()] {
        let path = format!("assets/v1/assets/{id}/approvals/request/");
        assert_eq!(call(&simulator, "GET", &path, None).await.0, 404);
    }
    for wrong in [
        json!({"object_ids": [], "object_type": "assets", "status": "APPROVED"}),
        json!({"object_ids": [asset], "object_type": "files", "status": "APPROVED"}),
        json!({"object_ids": [asset], "object_type": "assets", "status": "MIXED"}),
    ] {
        assert_eq!(call(&simulator, "POST", "assets/v1/approvals/bulk/", Some(wrong)).await.0, 400);
    }
}
