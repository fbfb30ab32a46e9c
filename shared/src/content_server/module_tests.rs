use http_body_util::BodyExt;
use serde_json::json;

use super::{
    External, NewDocument, NewVersion, NewWorkflow, NodeId, RangedSource, RecordDetails, Settings, Upload,
    testing::{Answer, Canned, answer, node, page},
};
use crate::{
    error::FailureClass,
    http::{Replayable, full},
};

fn done() -> Answer {
    answer(200, json!({"links": {}, "results": {}}))
}

fn video() -> (NewDocument, Upload) {
    let new = NewDocument {
        parent: NodeId(7001),
        name: "film.mov".to_owned(),
        description: String::new(),
        external: External::default(),
        categories: Vec::new(),
        advanced_versioning: None,
    };
    let bytes = "0123456789";
    let upload = Upload {
        content: Replayable::from_bytes(bytes),
        ranges: Some(RangedSource::new(10, move |offset, length| async move {
            let (from, to) = (usize::try_from(offset).unwrap(), usize::try_from(offset + length).unwrap());
            Ok(full(&bytes[from..to]))
        })),
        file_name: "film.mov".to_owned(),
        content_type: "video/quicktime".to_owned(),
    };
    (new, upload)
}

fn eager() -> Settings {
    let mut settings = Settings::at("http://ecm/cs/cs");
    settings.large_upload.from_size = 5;
    settings
}

fn offer() -> Answer {
    answer(200, json!({"results": {"data": {"is_enabled": true, "min_size": 5, "max_size": 100}}}))
}

fn started() -> Answer {
    answer(
        200,
        json!({"results": {"upload_key": "k+/1", "num_parts": "3", "part_size": 4, "max_retries": 3}}),
    )
}

fn said(text: &str) -> Answer {
    answer(500, json!({"error": text}))
}

#[tokio::test(start_paused = true)]
async fn a_large_file_goes_up_in_parts_and_a_part_that_arrived_before_counts() {
    let canned = Canned::new([
        offer(),
        started(),
        done(),
        page(503),
        said("Invalid BlockID: BlockID 2 has already been uploaded."),
        done(),
        page(502),
        said("Invalid status. Cannot close an empty or already closed upload."),
        answer(200, json!({"results": node(9, "film.mov", 144)})),
    ]);
    let (new, upload) = video();
    canned.client_with(eager()).create_document(&new, &upload).await.unwrap();
    let lines = canned.lines();
    assert_eq!(
        lines[2..7],
        [
            "POST /v2/multipart/k%2B%2F1/1",
            "POST /v2/multipart/k%2B%2F1/2",
            "POST /v2/multipart/k%2B%2F1/2",
            "POST /v2/multipart/k%2B%2F1/3",
            "POST /v2/multipart/k%2B%2F1"
        ]
    );
    let asked = canned.asked();
    for (index, part) in [(2, "0123"), (4, "4567"), (5, "89")] {
        let body = String::from_utf8(asked[index].body.clone()).unwrap();
        assert!(
            body.contains("name=\"part_content\"") && body.contains(&format!("\r\n\r\n{part}\r\n")),
            "{body}"
        );
    }
    assert_eq!(asked[8].json()["upload_key"], "k+/1");
}

#[tokio::test(start_paused = true)]
async fn a_large_upload_that_fails_is_thrown_away() {
    let canned = Canned::new([offer(), started(), said("The upload session expired."), done()]);
    let (_, upload) = video();
    let error = canned
        .client_with(eager())
        .add_version(NodeId(9), &NewVersion::default(), &upload)
        .await
        .unwrap_err();
    assert_eq!((error.class(), error.code()), (FailureClass::Transient, super::UPLOAD_GONE));
    assert_eq!(canned.lines().last().unwrap(), "DELETE /v2/multipart/k%2B%2F1");
}

#[tokio::test(start_paused = true)]
async fn where_parts_are_not_offered_a_large_file_goes_up_whole() {
    let missing =
        answer(400, json!({"error": "The REST API URL could not be found in the mappings registry"}));
    for refusal in [answer(200, json!({"is_enabled": false})), missing] {
        let canned = Canned::new([refusal, answer(200, json!({"results": node(9, "film.mov", 144)}))]);
        let (new, upload) = video();
        canned.client_with(eager()).create_document(&new, &upload).await.unwrap();
        assert!(String::from_utf8_lossy(&canned.asked()[1].body).contains("0123456789"));
    }
}

#[tokio::test(start_paused = true)]
async fn a_collision_in_a_language_we_do_not_read_is_recognised_by_looking() {
    let canned = Canned::new([
        said("Ein Objekt mit dem Namen 'film.mov' ist schon vorhanden."),
        answer(200, json!({"results": [node(9, "film.mov", 144)]})),
    ]);
    let (new, upload) = video();
    let error = canned.client().create_document(&new, &upload).await.unwrap_err();
    assert_eq!((error.class(), error.code()), (FailureClass::Conflict, super::COLLISION));
}

#[tokio::test(start_paused = true)]
async fn a_download_that_ends_early_fails_and_a_page_is_no_content() {
    let content = |length: &str| answer(200, "abc").header("content-length", length);
    let canned = Canned::new([content("3"), content("5"), page(200)]);
    let client = canned.client();
    let whole = client.download(NodeId(9), Some(2)).await.unwrap();
    assert_eq!(whole.body.collect().await.unwrap().to_bytes(), "abc");
    let cut = client.download(NodeId(9), None).await.unwrap();
    assert!(cut.body.collect().await.is_err());
    assert_eq!(client.download(NodeId(9), None).await.unwrap_err().code(), "content-server.not-json");
    assert_eq!(canned.lines()[0], "GET /v1/nodes/9/versions/2/content?action=download");
}

#[tokio::test(start_paused = true)]
async fn a_record_is_classified_with_its_token_and_an_answer_of_nothing_is_looked_after() {
    let record = |classes: serde_json::Value| {
        answer(200, json!({"rm_metadataToken": "t9", "canRMClassify": true, "data": classes}))
    };
    let canned = Canned::new([
        record(json!([])),
        answer(200, ""),
        record(json!([{"rmclassification_id": 40, "official": 0}])),
    ]);
    let written =
        canned.client().classify_record(NodeId(9), NodeId(40), &RecordDetails::default()).await.unwrap();
    assert!(written);
    assert_eq!(canned.asked()[1].json(), json!({"class_id": 40, "rm_metadataToken": "t9"}));
}

#[tokio::test(start_paused = true)]
async fn a_hold_is_applied_once_and_not_knowing_is_never_taken_for_free() {
    let holds = |holds: serde_json::Value| answer(200, json!({"data": holds}));
    let held = || json!([{"hold_id": "3", "hold_name": "Litigation", "active": true}]);
    let canned = Canned::new([
        holds(json!([])),
        answer(204, ""),
        holds(held()),
        holds(held()),
        holds(held()),
        answer(500, json!({"error": "Insufficient permissions to perform that action."})),
    ]);
    let client = canned.client();
    assert!(client.apply_hold(NodeId(9), 3).await.unwrap());
    assert!(!client.apply_hold(NodeId(9), 3).await.unwrap());
    assert!(client.is_held(NodeId(9)).await.unwrap());
    assert_eq!(client.is_held(NodeId(9)).await.unwrap_err().class(), FailureClass::Forbidden);
}

#[tokio::test(start_paused = true)]
async fn a_workflow_is_prepared_filled_in_by_label_and_started() {
    let form = json!({"data": {}, "forms": [{"data": {}, "options": {"fields": {"WorkflowForm_10": {"label": "Claim"}}},
        "schema": {"properties": {"WorkflowForm_10": {"type": "string"}}}}]});
    let canned = Canned::new([
        answer(200, json!({"results": {"draftprocess_id": 77, "workflow_type": "1_1"}})),
        answer(200, form),
        done(),
        answer(200, json!({"results": {"process_id": 78, "custom_message": null, "WorkID": 78}})),
    ]);
    let new = NewWorkflow {
        map: NodeId(500),
        documents: vec![NodeId(11), NodeId(12)],
        title: "Review a.pdf v1".to_owned(),
        attributes: vec![("Claim".to_owned(), "C-1".into())],
        comment: String::new(),
    };
    assert_eq!(canned.client().start_workflow(&new).await.unwrap().0, 78);
    let asked = canned.asked();
    assert_eq!(asked[0].json(), json!({"workflow_id": 500, "doc_ids": "11,12", "AttachDocuments": "true"}));
    assert_eq!(
        asked[2].json()["values"],
        json!({"WorkflowForm_Title": "Review a.pdf v1", "WorkflowForm_10": "C-1"})
    );
    assert_eq!(asked[3].json()["action"], "Initiate");
}
