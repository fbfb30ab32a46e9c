use serde_json::json;

use super::super::seed;
use super::super::settings::Settings;
use super::Caller;

#[tokio::test]
async fn a_workflow_somebody_else_started_is_seen_and_added_to_by_who_manages_its_map() {
    let handler = Caller::named(Settings::default(), "claims.handler");
    let service = handler.is("waybill");
    let start = async || {
        let draft = json!({"workflow_id": seed::DOCUMENT_REVIEW});
        let draft = handler.send_body("POST", "v2/draftprocesses", &draft).await.json;
        let path = format!("v2/draftprocesses/{}", draft["results"]["draftprocess_id"]);
        handler.send_body("PUT", &path, &json!({"action": "Initiate"})).await.json["results"]["process_id"]
            .clone()
    };
    let unseen = format!("v2/workflows/status/processes/{}", start().await);
    assert_eq!(service.get(&unseen).await.status, 400);
    service.simulator.with_state(|state| {
        state.workflow_maps.get_mut(&seed::DOCUMENT_REVIEW).unwrap().managers = vec![seed::WAYBILL];
    });
    let seen = service.get(&format!("v2/workflows/status/processes/{}", start().await)).await;
    assert_eq!(seen.json["results"]["wf_details"]["status"], "executing");
    let folder = seen.json["results"]["attachments"]["attachment_folder_id"].as_i64().unwrap();
    service.document(folder, "memo.txt", b"x").await;
}

#[tokio::test]
async fn whether_steps_name_people_is_a_switch() {
    for (named, count) in [(true, 1), (false, 0)] {
        let caller = Caller::new(Settings { workflow_steps_name_people: named, ..Settings::default() });
        let draft = json!({"workflow_id": seed::DOCUMENT_REVIEW});
        let draft = caller.send_body("POST", "v2/draftprocesses", &draft).await.json;
        let path = format!("v2/draftprocesses/{}", draft["results"]["draftprocess_id"]);
        let started = caller.send_body("PUT", &path, &json!({"action": "Initiate"})).await.json;
        let status = format!("v2/workflows/status/processes/{}", started["results"]["process_id"]);
        let step = caller.get(&status).await.json["results"]["step_list"]["current"][0].clone();
        assert_eq!(step["task_assignees"]["assignedto"].as_array().map(Vec::len), Some(count), "{step}");
    }
}

#[tokio::test]
async fn a_deleted_workflow_takes_its_attachments_along_and_leaves_what_they_point_to() {
    let caller = Caller::new(Settings::default());
    let document = caller.document(3101, "memo.txt", b"x").await;
    let draft = json!({"workflow_id": seed::DOCUMENT_REVIEW, "doc_ids": document.to_string()});
    let draft = caller.send_body("POST", "v2/draftprocesses", &draft).await.json;
    let path = format!("v2/draftprocesses/{}", draft["results"]["draftprocess_id"]);
    let started = caller.send_body("PUT", &path, &json!({"action": "Initiate"})).await.json;
    let process = &started["results"]["process_id"];
    let status = format!("v2/workflows/status/processes/{process}");
    let folder = caller.get(&status).await.json["results"]["attachments"]["attachment_folder_id"].clone();
    assert_eq!(
        caller.get(&format!("v2/nodes/{folder}/nodes")).await.json["results"].as_array().unwrap().len(),
        1
    );
    assert_eq!(caller.call("DELETE", &format!("v2/processes/{process}"), &[]).await.status, 200);
    assert_eq!(caller.get(&status).await.status, 400);
    assert_eq!(caller.get(&format!("v2/nodes/{folder}")).await.status, 400);
    assert_eq!(caller.get(&format!("v2/nodes/{document}")).await.status, 200);
}
