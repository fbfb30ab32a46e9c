//! Reviews, comments, and who is told of them.

use serde_json::json;
use shared::iconik::{
    Action as Does, ActionContext, ApprovalRequested, ApprovalStatus, NewApprovalRequest, NewAutomation,
    NewCustomAction, NewSegment, NewVersion, NewWebhook, ObjectRef, SecretHeaders, SegmentChange,
    SegmentFilter, SegmentKind, Trigger, UserId, WebhookStatus,
};
use simulators::{
    faults::{Action, Rule},
    iconik::{self as simulator, seed},
};

use crate::{client_of, ours, seeded, tenant};

fn secret(token: &str) -> String {
    format!(r#"{{"mode":"application-token","app_id":"{}","auth_token":"{token}"}}"#, seed::APP_ID)
}

#[tokio::test(start_paused = true)]
async fn a_review_is_asked_for_decided_by_others_and_belongs_to_its_version() {
    let (simulator, client) = tenant(simulator::Settings::default());
    let asset = seeded(&simulator, "Harbour at dawn");
    let object = ObjectRef::from(asset.clone());
    assert_eq!(client.find_approval(&object, None).await.unwrap(), None);
    let new = NewApprovalRequest { users: vec![UserId::new(seed::REVIEWER)], groups: vec![], min_number: 1 };
    let asked = client.request_approval(&object, &new).await.unwrap();
    assert!(matches!(asked, ApprovalRequested::Done(_)));
    let reviewer = client_of(&simulator, ours(), &secret(seed::REVIEWER_TOKEN));
    reviewer.set_own_verdict(&object, &ApprovalStatus::Approved).await.unwrap();
    let version = client.get_asset(&asset).await.unwrap().current_version().unwrap().id.clone();
    let approval = client.find_approval(&object, Some(&version)).await.unwrap().expect("it was asked for");
    assert_eq!((approval.status, approval.version_id.as_ref()), (ApprovalStatus::Approved, Some(&version)));
    let verdicts = client.list_verdicts(&object, Some(&version)).await.unwrap();
    assert!(verdicts.iter().any(|verdict| {
        verdict.status == ApprovalStatus::Approved
            && verdict.reviewer() == shared::iconik::Reviewer::User(UserId::new(seed::REVIEWER))
    }));
    let newer = client.create_version(&asset, NewVersion::default()).await.unwrap();
    assert_eq!(client.find_approval(&object, Some(&newer.id)).await.unwrap(), None);
    client.delete_approval_request(&object).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_comment_and_its_reply_are_made_once_in_any_script_and_resolved() {
    let (simulator, client) = tenant(simulator::Settings::default());
    let asset = seeded(&simulator, "Harbour at dawn");
    let text = "Bitte prüfen: \u{645}\u{646} \u{202e}gnp.tsop\u{202c} <b>良い</b>";
    simulator.faults().add(Rule::next(Action::DropAfterEffect).on("POST", "/segments/")).unwrap();
    let comment = client.ensure_segment(&asset, &NewSegment::comment(text, "ecm-1")).await.unwrap();
    let reply = NewSegment { parent: Some(comment.id.clone()), ..NewSegment::comment("Ja.", "ecm-2") };
    for _ in 0..2 {
        client.ensure_segment(&asset, &NewSegment::comment(text, "ecm-1")).await.unwrap();
        client.ensure_segment(&asset, &reply).await.unwrap();
    }
    client.update_segment(&asset, &comment.id, &SegmentChange::new().resolved(true)).await.unwrap();
    let filter = SegmentFilter { kind: Some(SegmentKind::Comment), ..SegmentFilter::default() };
    let ours: Vec<_> = client.list_segments(&asset, &filter).all().await.unwrap();
    let ours: Vec<_> = ours.iter().filter(|segment| segment.external_id.is_some()).collect();
    assert_eq!(ours.len(), 2);
    let read = client.find_segment(&asset, &comment.id).await.unwrap().unwrap();
    assert_eq!((read.text.as_str(), read.is_resolved), (text, true));
    assert!(ours.iter().any(|segment| segment.parent_id.as_ref() == Some(&comment.id)));
    client.delete_segment(&asset, &comment.id).await.unwrap();
}

fn hook() -> NewWebhook {
    NewWebhook {
        name: "Waybill".to_owned(),
        url: "http://127.0.0.1:9/in".to_owned(),
        event_type: "assets".to_owned(),
        realm: None,
        operation: Some("update".to_owned()),
        query: None,
        headers: SecretHeaders([("X-Waybill-Secret".to_owned(), "hush".to_owned())].into()),
    }
}

#[tokio::test(start_paused = true)]
async fn a_webhook_is_made_once_and_switched_on_again_only_when_told() {
    let (simulator, client) = tenant(simulator::Settings::default());
    simulator.faults().add(Rule::next(Action::DropAfterEffect).on("POST", "/webhooks/")).unwrap();
    let made = client.ensure_webhook(&hook()).await.unwrap();
    assert_eq!(client.ensure_webhook(&hook()).await.unwrap().id, made.id);
    assert_eq!(made.status, WebhookStatus::Enabled);
    let mut whole = hook();
    whole.name = "Waybill".to_owned();
    let enabled = client.enable_webhook(&made.id).await.unwrap();
    assert_eq!((enabled.status, enabled.headers), (WebhookStatus::Enabled, whole.headers));
    client.delete_webhook(&made.id).await.unwrap();
    client.delete_webhook(&made.id).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn an_automation_calls_our_action_when_a_review_is_decided() {
    let (simulator, client) = tenant(simulator::Settings::default());
    let action = NewCustomAction {
        title: "Publish".to_owned(),
        url: "http://127.0.0.1:9/in".to_owned(),
        context: ActionContext::Asset,
        headers: SecretHeaders([("X-Waybill-Secret".to_owned(), "hush".to_owned())].into()),
        metadata_view: None,
    };
    let made = client.ensure_custom_action(&action).await.unwrap();
    assert_eq!(client.ensure_custom_action(&action).await.unwrap().id, made.id);
    let new = NewAutomation {
        name: "Publish what is approved".to_owned(),
        triggers: vec![Trigger::ReviewStatusChanged(vec![ApprovalStatus::Approved])],
        actions: vec![Does::CustomAction { action: made.id.clone(), context: ActionContext::Asset }],
    };
    let automation = client.ensure_automation(&new).await.unwrap();
    assert_eq!((&automation.triggers, &automation.actions), (&new.triggers, &new.actions));
    assert_eq!(client.ensure_automation(&new).await.unwrap().id, automation.id);
    assert!(client.find_custom_action(&ActionContext::Asset, &made.id).await.unwrap().is_some());

    // The review is asked for, which the automation is not for; then it is decided.
    let asset = seeded(&simulator, "Harbour at dawn");
    let object = ObjectRef::from(asset.clone());
    let review =
        NewApprovalRequest { users: vec![UserId::new(seed::REVIEWER)], groups: vec![], min_number: 1 };
    client.request_approval(&object, &review).await.unwrap();
    let sent = || simulator.with_state(|state| state.take_deliveries(usize::MAX));
    assert!(sent().is_empty(), "it is not decided yet");
    let reviewer = client_of(&simulator, ours(), &secret(seed::REVIEWER_TOKEN));
    reviewer.set_own_verdict(&object, &ApprovalStatus::Approved).await.unwrap();
    let calls = sent();
    assert_eq!(calls.len(), 1, "{calls:?}");
    assert_eq!(calls[0].sender, simulator::state::Sender::CustomAction(made.id.as_str().to_owned()));
    assert_eq!(
        (calls[0].url.as_str(), calls[0].headers["X-Waybill-Secret"].as_str()),
        (action.url.as_str(), "hush")
    );
    let said = calls[0].json();
    assert_eq!(
        (&said["asset_ids"], &said["action_id"]),
        (&json!([asset.as_str()]), &json!(made.id.as_str()))
    );
    client.delete_custom_action(&ActionContext::Asset, &made.id).await.unwrap();
}
