use serde_json::{Value, json};

use super::{
    Action, ActionContext, ApprovalRequested, ApprovalStatus, AssetChange, AssetId, AssetKind, Automation,
    CollectionContent, CollectionId, ContentFilter, CustomActionId, File, FileStatus, HistoryOperation,
    JobChange, JobId, JobStatus, NewApprovalRequest, NewAsset, NewAutomation, NewJob, NewSegment, NewVersion,
    NewWebhook, ObjectRef, Reviewer, SecretHeaders, Segment, SegmentId, Trigger, UserId, VersionId, Webhook,
    WebhookId,
    testing::{Answer, Canned, answer, lost, nothing, page},
};
use crate::error::{FailureClass, Retry};

fn asset() -> AssetId {
    AssetId::new("a")
}

fn list(objects: Value) -> Answer {
    answer(200, json!({"objects": objects, "pages": 1, "next_url": null}))
}

fn nobody() -> Answer {
    answer(404, json!({"errors": ["Approval request not found"]}))
}

fn wanted() -> NewAsset {
    NewAsset {
        title: "Brief".to_owned(),
        kind: AssetKind::Link,
        external_id: "ecm-42".to_owned(),
        external_link: Some("https://ecm.example.com/42".to_owned()),
        category: None,
        collection: Some(CollectionId::new("c")),
    }
}

fn found() -> Value {
    json!({"id": "a", "title": "Brief", "type": "LINK", "status": "ACTIVE", "external_id": "ecm-42"})
}

#[tokio::test(start_paused = true)]
async fn an_asset_reads_with_nulls_missing_members_and_words_of_tomorrow() {
    let canned = Canned::new([answer(
        200,
        json!({"id": "a", "title": null, "type": "HOLOGRAM", "status": "ACTIVE", "is_blocked": null,
            "date_created": "2024-01-02 03:04:05", "date_modified": "2024-01-02T03:04:05.123456", "date_deleted": null,
            "in_collections": null, "external_id": "", "unheard_of": {"deep": [1]},
            "versions": [{"id": "v1", "version_number": 1, "status": "ACTIVE"},
                {"id": "v3", "version_number": 3, "status": "FAILED"}, {"id": "v2", "version_number": 2, "status": "ACTIVE"}]}),
    )]);
    let asset = canned.client().get_asset(&asset()).await.unwrap();
    assert_eq!(asset.kind, AssetKind::Other("HOLOGRAM".to_owned()));
    assert_eq!(asset.current_version().map(|version| version.id.as_str()), Some("v2"));
    assert!(asset.created.is_some() && asset.modified.is_some() && asset.deleted.is_none());
    assert_eq!((asset.external_id, asset.is_blocked), (None, false));
}

#[tokio::test(start_paused = true)]
async fn an_asset_whose_making_was_not_confirmed_is_found_again_and_not_doubled() {
    // The first search sees nothing; the answer to the create is lost; the index is behind, then it shows the asset.
    let canned = Canned::new([
        list(json!([])),
        lost(),
        list(json!([])),
        list(json!([found()])),
        answer(200, found()),
        list(json!([])),
    ]);
    let made = canned.client().ensure_asset(&wanted()).await.unwrap();
    assert_eq!(made.id, asset());
    let asked = canned.asked();
    assert_eq!(asked[1].line(), "POST assets/v1/assets/?assign_to_collection=true");
    assert_eq!(
        asked[1].json(),
        json!({"title": "Brief", "type": "LINK", "external_id": "ecm-42",
            "external_link": "https://ecm.example.com/42", "collection_id": "c"})
    );
    assert_eq!(asked.iter().filter(|asked| asked.line().starts_with("POST assets/")).count(), 1);
}

#[tokio::test(start_paused = true)]
async fn an_asset_that_cannot_be_found_again_is_not_made_again_either() {
    let mut answers = vec![list(json!([])), lost()];
    answers.extend((0..20).map(|_| list(json!([]))));
    let canned = Canned::new(answers);
    let error = canned.client().ensure_asset(&wanted()).await.unwrap_err();
    assert_eq!(error.class(), FailureClass::UnknownOutcome);
    assert_eq!(canned.asked().iter().filter(|asked| asked.line().starts_with("POST assets/")).count(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_hit_of_the_index_counts_only_when_the_asset_itself_agrees() {
    let deleted = json!({"id": "a", "title": "x", "status": "DELETED", "external_id": "ecm-42"});
    let other = json!({"id": "b", "title": "x", "status": "ACTIVE", "external_id": "ecm-421"});
    let canned = Canned::new([
        list(json!([{"id": "a"}, {"id": "b"}, {"id": "c"}])),
        answer(200, deleted),
        answer(200, other),
        answer(404, json!({"errors": ["gone"]})),
        list(json!([])),
    ]);
    assert!(canned.client().find_assets_by_external_id("ecm-42").await.unwrap().is_empty());
}

#[tokio::test(start_paused = true)]
async fn only_what_changes_of_an_asset_is_sent() {
    let canned = Canned::new([answer(200, found())]);
    let change = AssetChange::new().blocked(true).warning(None);
    canned.client().update_asset(&asset(), &change).await.unwrap();
    let asked = canned.asked().remove(0);
    assert_eq!(
        (asked.line().as_str(), asked.json()),
        ("PATCH assets/v1/assets/a/", json!({"is_blocked": true, "warning": null}))
    );
}

#[tokio::test(start_paused = true)]
async fn deleting_what_is_gone_is_no_failure_and_a_new_version_is_the_newest() {
    let canned = Canned::new([
        answer(404, json!({"errors": ["gone"]})),
        answer(
            200,
            json!({"asset_id": "a", "versions": [
            {"id": "v2", "version_number": 2, "status": "ACTIVE"}, {"id": "v1", "version_number": 1, "status": "ACTIVE"}]}),
        ),
    ]);
    let client = canned.client();
    client.delete_asset(&asset()).await.unwrap();
    let version = client.create_version(&asset(), NewVersion::default()).await.unwrap();
    assert_eq!(version.id, VersionId::new("v2"));
}

#[tokio::test(start_paused = true)]
async fn faults_of_every_kind_have_their_class_and_repeatable_calls_are_repeated() {
    let canned = Canned::new([
        answer(429, json!({"errors": ["Rate limit exceeded"]})).header("retry-after", "2"),
        answer(429, json!({"errors": ["Rate limit exceeded"]})),
        answer(200, found()),
    ]);
    canned.client().get_asset(&asset()).await.unwrap();
    assert_eq!(canned.asked().len(), 3);
    let canned = Canned::new([answer(429, json!({})).header("retry-after", "60")]);
    let error = canned.client().get_asset(&asset()).await.unwrap_err();
    assert_eq!((error.class(), canned.asked().len()), (FailureClass::Throttled, 1));
    assert_eq!(error.retry_advice(), Retry::After(std::time::Duration::from_secs(60)));
    let canned = Canned::new([page(502), page(503), page(504)]);
    let error = canned.client().get_asset(&asset()).await.unwrap_err();
    assert_eq!((error.class(), canned.asked().len()), (FailureClass::Transient, 3));
    let canned = Canned::new([page(502)]);
    let error = canned.client().create_asset(&wanted()).await.unwrap_err();
    assert_eq!((error.class(), canned.asked().len()), (FailureClass::UnknownOutcome, 1));
    let canned = Canned::new([page(200)]);
    let error = canned.client().get_asset(&asset()).await.unwrap_err();
    assert_eq!(error.code(), "iconik.not-json");
    let canned = Canned::new([nothing(200)]);
    let error = canned.client().get_asset(&asset()).await.unwrap_err();
    assert_eq!(error.code(), "iconik.empty-answer");
}

#[tokio::test(start_paused = true)]
async fn few_calls_left_slow_the_client_down_before_it_is_refused() {
    let few = || answer(200, found()).header("ratelimit-remaining", "0");
    let canned = Canned::new((0..12).map(|_| few()).collect::<Vec<_>>());
    let client = canned.client_paced(50.0);
    let began = tokio::time::Instant::now();
    for _ in 0..12 {
        client.get_asset(&asset()).await.unwrap();
    }
    let many = Canned::new((0..12).map(|_| answer(200, found())).collect::<Vec<_>>());
    let slowed = began.elapsed();
    let (client, began) = (many.client_paced(50.0), tokio::time::Instant::now());
    for _ in 0..12 {
        client.get_asset(&asset()).await.unwrap();
    }
    assert!(slowed > began.elapsed() * 4, "{slowed:?} and {:?}", began.elapsed());
}

#[tokio::test(start_paused = true)]
async fn a_review_is_of_a_version_and_nobody_asked_is_none() {
    let canned = Canned::new([
        nobody(),
        answer(
            200,
            json!({"object_id": "a", "version_id": "v1", "status": "MIXED", "users": ["u1"], "groups": null,
            "externals": ["reviewer@example.com"], "min_number": 2, "request_date": "2024-01-02T03:04:05+00:00"}),
        ),
        answer(
            200,
            json!({"objects": [
            {"user": "u1", "status": "APPROVED", "version_id": "v1", "change_date": "2024-01-02 03:04:05"},
            {"external": "reviewer@example.com", "status": "NOT_APPROVED", "version_id": "v1"}]}),
        ),
        answer(200, json!([{"user": "u1", "status": "APPROVED"}])),
    ]);
    let (client, object, version) = (canned.client(), ObjectRef::from(asset()), VersionId::new("v1"));
    assert_eq!(client.find_approval(&object, None).await.unwrap(), None);
    let approval = client.find_approval(&object, Some(&version)).await.unwrap().unwrap();
    assert_eq!((&approval.status, approval.externals), (&ApprovalStatus::Mixed, 1));
    assert_eq!(canned.lines()[1], "GET assets/v1/assets/a/versions/v1/approvals/request/");
    let verdicts = client.list_verdicts(&object, Some(&version)).await.unwrap();
    assert_eq!(verdicts[0].reviewer(), Reviewer::User(UserId::new("u1")));
    assert_eq!(verdicts[1].reviewer(), Reviewer::External("reviewer@example.com".to_owned()));
    assert!(!format!("{approval:?}{verdicts:?}").contains('@'), "addresses are for no log");
    assert_eq!(client.list_verdicts(&object, None).await.unwrap().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn asking_for_a_review_is_done_at_once_or_in_the_background() {
    let canned = Canned::new([
        answer(201, json!({"object_id": "a", "status": "REQUESTED", "version_id": "v1"})),
        answer(202, json!({"job_id": "j"})),
    ]);
    let client = canned.client();
    let new = NewApprovalRequest { users: vec![UserId::new("u1")], ..NewApprovalRequest::default() };
    let done = client.request_approval(&asset().into(), &new).await.unwrap();
    assert!(
        matches!(done, ApprovalRequested::Done(approval) if approval.status == ApprovalStatus::Requested)
    );
    let later = client.request_approval(&CollectionId::new("c").into(), &new).await.unwrap();
    assert_eq!(later, ApprovalRequested::Background(JobId::new("j")));
    assert_eq!(canned.asked()[0].json(), json!({"users": ["u1"], "groups": [], "min_number": 1}));
}

#[tokio::test(start_paused = true)]
async fn a_reply_is_made_once_with_our_own_id_however_often_it_is_ensured() {
    let text = "Freigegeben \u{202e}gnp.tsop\u{202c} – bitte prüfen";
    let reply = json!({"id": "s2", "segment_type": "COMMENT", "segment_text": text, "parent_id": "s1",
        "external_id": "ecm-7", "status": "ACTIVE"});
    let canned = Canned::new([list(json!([])), lost(), list(json!([reply.clone()])), list(json!([reply]))]);
    let client = canned.client();
    let new = NewSegment { parent: Some(SegmentId::new("s1")), ..NewSegment::comment(text, "ecm-7") };
    let made = client.ensure_segment(&asset(), &new).await.unwrap();
    let again = client.ensure_segment(&asset(), &new).await.unwrap();
    assert_eq!((made.id, made.text), (again.id, text.to_owned()));
    let posts: Vec<_> = canned.asked().into_iter().filter(|asked| asked.method == "POST").collect();
    assert_eq!(posts.len(), 1);
    assert_eq!(
        posts[0].json(),
        json!({"segment_type": "COMMENT", "segment_text": text, "external_id": "ecm-7", "parent_id": "s1"})
    );
}

#[test]
fn what_people_wrote_is_in_no_log() {
    let segment: Segment = serde_json::from_value(json!({"id": "s", "segment_type": "COMMENT",
        "segment_text": "hush", "user_info": {"id": "u", "email": "hush@example.com"}}))
    .unwrap();
    assert!(!format!("{segment:?}").contains("hush"));
    let file: File = serde_json::from_value(json!({"id": "f", "upload_url": "https://b/?hush"})).unwrap();
    assert!(!format!("{file:?}").contains("hush"));
    let webhook: Webhook =
        serde_json::from_value(json!({"id": "w", "headers": {"X-Secret": "hush"}, "last_payload": "hush"}))
            .unwrap();
    assert!(!format!("{webhook:?}").contains("hush"));
}

#[test]
fn only_a_closed_file_of_what_is_in_use_is_usable() {
    let usable = |status: &str, set: &str| {
        let file = json!({"id": "f", "status": status, "file_set_status": set, "format_status": "ACTIVE"});
        serde_json::from_value::<File>(file).unwrap().is_usable()
    };
    assert!(usable("CLOSED", "ACTIVE"));
    for status in ["OPEN", "GROWING", "AWAITED", "FAILED", "ARCHIVED", "MISSING", "DELETED", "NEW_2027"] {
        assert!(!usable(status, "ACTIVE"), "{status}");
    }
    assert!(!usable("CLOSED", "DELETED"));
    assert_eq!(FileStatus::from("REDISCOVERED"), FileStatus::Rediscovered);
}

#[tokio::test(start_paused = true)]
async fn a_job_shows_progress_notices_an_abort_and_ends_truthfully() {
    let job = |status: &str| {
        answer(200, json!({"id": "j", "type": "CUSTOM", "status": status, "title": "Publish"}))
    };
    let canned = Canned::new([
        list(json!([])),
        job("STARTED"),
        job("STARTED"),
        job("ABORT_PENDING"),
        job("ABORTED"),
        job("FAILED"),
    ]);
    let client = canned.client();
    let new = NewJob {
        title: "Publish".to_owned(),
        object: asset().into(),
        total: 200,
        key: "k1".to_owned(),
        message: None,
    };
    let started = client.ensure_job(&new).await.unwrap();
    let going = client.update_job(&started.id, &JobChange::progress(50, Some("half"))).await.unwrap();
    assert!(!going.is_abort_wanted());
    let wanted = client.update_job(&started.id, &JobChange::progress(60, None)).await.unwrap();
    assert!(wanted.is_abort_wanted() && !wanted.status.is_end());
    client.update_job(&started.id, &JobChange::aborted(Some("stopped at file 3 of 9"))).await.unwrap();
    client.update_job(&started.id, &JobChange::failed("no room")).await.unwrap();
    let bodies: Vec<Value> = canned.asked()[1..].iter().map(super::testing::Asked::json).collect();
    assert_eq!(
        bodies[0],
        json!({"type": "CUSTOM", "status": "STARTED", "title": "Publish", "object_type": "assets", "object_id": "a",
            "progress_total": 200, "progress_processed": 0, "job_context": {"waybill_key": "k1"}})
    );
    assert_eq!(bodies[1], json!({"progress_processed": 50, "message": "half"}));
    assert_eq!(bodies[3], json!({"status": "ABORTED", "message": "stopped at file 3 of 9"}));
    assert_eq!(bodies[4], json!({"status": "FAILED", "error_message": "no room", "message": "no room"}));
}

#[tokio::test(start_paused = true)]
async fn a_job_whose_making_was_not_confirmed_is_found_by_its_key() {
    let job = json!({"id": "j", "type": "CUSTOM", "status": "STARTED", "title": "x", "object_id": "a", "job_context": {"waybill_key": "k1"}});
    let other = json!({"id": "i", "type": "CUSTOM", "status": "STARTED", "title": "x", "object_id": "a", "job_context": null});
    let canned = Canned::new([list(json!([])), lost(), list(json!([other, job.clone()])), answer(200, job)]);
    let new = NewJob {
        title: "x".to_owned(),
        object: asset().into(),
        total: 1,
        key: "k1".to_owned(),
        message: None,
    };
    let found = canned.client().ensure_job(&new).await.unwrap();
    assert_eq!((found.id, found.status), (JobId::new("j"), JobStatus::Started));
}

#[tokio::test(start_paused = true)]
async fn an_entry_of_the_history_is_written_once() {
    let entry = json!({"id": "h", "operation_type": "CUSTOM", "operation_description": "Filed as 42"});
    let canned = Canned::new([list(json!([])), lost(), list(json!([])), list(json!([entry]))]);
    let made = canned
        .client()
        .ensure_history_entry(&asset(), &HistoryOperation::Custom, "Filed as 42", None)
        .await
        .unwrap();
    assert_eq!(made.id.as_str(), "h");
}

#[tokio::test(start_paused = true)]
async fn a_relation_is_made_again_without_harm() {
    let canned = Canned::new([page(503), answer(200, json!({})), answer(404, json!({"errors": ["none"]}))]);
    let (client, other) = (canned.client(), AssetId::new("b"));
    client.ensure_relation(&asset(), "RELEASE", &other, Some("model release")).await.unwrap();
    client.delete_relation(&asset(), "RELEASE", &other).await.unwrap();
    assert_eq!(
        canned.asked()[1].json(),
        json!({"related_to_asset_id": "b", "relation_type": "RELEASE", "description": "model release"})
    );
    assert_eq!(canned.lines()[2], "DELETE assets/v1/assets/a/relations/RELEASE/b/");
}

#[tokio::test(start_paused = true)]
async fn contents_of_a_collection_are_told_apart_and_what_is_unknown_is_not_lost() {
    let canned = Canned::new([
        list(json!([
            {"id": "a", "object_type": "assets", "title": "x"},
            {"id": "c", "object_type": "collections", "title": "y", "status": "ACTIVE"},
            {"id": "p", "object_type": "playlists"}
        ])),
        answer(409, json!({"errors": ["already in it"]})),
    ]);
    let (client, collection) = (canned.client(), CollectionId::new("c0"));
    let found = client.list_contents(&collection, &ContentFilter::default()).all().await.unwrap();
    assert!(matches!(&found[0], CollectionContent::Asset(asset) if asset.id.as_str() == "a"));
    assert!(matches!(&found[1], CollectionContent::Collection(inner) if inner.id.as_str() == "c"));
    assert!(matches!(&found[2], CollectionContent::Other(kind, id) if kind == "playlists" && id == "p"));
    client.add_to_collection(&collection, &asset().into()).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_webhook_is_ensured_as_it_is_and_enabled_only_when_told() {
    let silent = json!({"id": "w", "name": "Waybill", "url": "https://in.example.com", "event_type": "assets", "status": "DISABLED",
        "realm": null, "operation": null, "query": null, "headers": {"X-Secret": "hush"},
        "last_error": "timeout", "last_payload": "{}", "first_failed_at": "2024-01-02T03:04:05", "date_created": "2024-01-01T00:00:00"});
    let canned = Canned::new([
        answer(200, json!({"objects": [silent.clone()]})),
        answer(200, silent.clone()),
        answer(200, silent),
    ]);
    let client = canned.client();
    let new = NewWebhook {
        name: "Waybill".to_owned(),
        url: "https://in.example.com".to_owned(),
        event_type: "assets".to_owned(),
        realm: None,
        operation: None,
        query: None,
        headers: SecretHeaders([("X-Secret".to_owned(), "hush".to_owned())].into()),
    };
    assert_eq!(client.ensure_webhook(&new).await.unwrap().id, WebhookId::new("w"));
    assert_eq!(canned.asked().len(), 1, "nothing was switched on in passing");
    client.enable_webhook(&WebhookId::new("w")).await.unwrap();
    assert_eq!(
        canned.asked()[2].json(),
        json!({"name": "Waybill", "url": "https://in.example.com", "event_type": "assets", "status": "ENABLED",
            "realm": null, "operation": null, "query": null, "headers": {"X-Secret": "hush"}})
    );
}

#[tokio::test(start_paused = true)]
async fn an_approval_starts_an_action_by_an_automation() {
    let trigger = json!({"type": "REVIEW_STATUS_CHANGED", "parameters": {"statuses": ["APPROVED"]}});
    let action = json!({"type": "CUSTOM_ACTION", "parameters": {"action_id": "ca", "context": "ASSET"}});
    let made = json!({"id": "au", "name": "Tell", "status": "ACTIVE", "triggers": [trigger, {"type": "ARCHIVE", "parameters": {}}], "actions": [action]});
    let canned = Canned::new([list(json!([])), answer(201, made)]);
    let new = NewAutomation {
        name: "Tell".to_owned(),
        triggers: vec![Trigger::ReviewStatusChanged(vec![ApprovalStatus::Approved])],
        actions: vec![Action::CustomAction {
            action: CustomActionId::new("ca"),
            context: ActionContext::Asset,
        }],
    };
    let automation: Automation = canned.client().ensure_automation(&new).await.unwrap();
    assert_eq!((&automation.triggers[0], &automation.actions), (&new.triggers[0], &new.actions));
    assert!(matches!(&automation.triggers[1], Trigger::Other(value) if value["type"] == "ARCHIVE"));
    assert_eq!(canned.asked()[1].json()["triggers"], json!([trigger]));
    assert_eq!(canned.asked()[1].json()["actions"], json!([action]));
}
