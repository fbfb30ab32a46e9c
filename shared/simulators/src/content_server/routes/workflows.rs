//! Workflows: maps, drafts, starting, status.

use serde_json::{Map, Value, json};

use super::{Call, number};
use crate::content_server::render::plain_date;
use crate::content_server::reply::{Reply, done, results};
use crate::content_server::state::workflows::{Draft, Finished, ProcessStatus};
use crate::content_server::state::{MemberId, NodeId, Outcome, Permission, Process, Refusal, WorkflowMap};

pub(super) fn route(call: &mut Call<'_>, method: &str, path: &[&str]) -> Option<Outcome<Reply>> {
    Some(match (method, path) {
        ("GET", ["v2", "docworkflows"]) => maps_for_documents(call),
        ("POST", ["v2", "draftprocesses"]) => create_draft(call),
        ("POST", ["v2", "draftprocesses", "startwf"]) => start(call),
        ("PUT", ["v2", "draftprocesses", id]) => number(id).and_then(|id| update_draft(call, id)),
        ("GET", ["v1", "forms", "draftprocesses"] | ["v1", "forms", "draftprocesses", "update"]) => {
            draft_form(call)
        }
        ("POST", ["v2", "processes"] | ["v2", "workflows", "Initiate" | "initiate"]) => {
            start_by_definition(call)
        }
        ("GET", ["v2", "workflows", "status"]) => list(call),
        ("GET", ["v2", "workflows", "status", "processes", id]) => number(id).and_then(|id| one(call, id)),
        ("GET", ["v2", "workflows", "status", "info"]) => {
            call.params.needed_number("workid").and_then(|id| one(call, id))
        }
        ("PUT", ["v2", "processes", id, "status"]) => number(id).and_then(|id| change_status(call, id)),
        ("DELETE", ["v2", "processes", id]) => number(id).and_then(|id| {
            call.state.delete_process(call.actor, id)?;
            done()
        }),
        _ => return None,
    })
}

fn maps_for_documents(call: &mut Call<'_>) -> Outcome<Reply> {
    for document in call.params.numbers("doc_id")? {
        call.state.visible(call.actor, document)?;
    }
    let sees = |map: &&WorkflowMap| {
        call.state.node(map.id).is_ok_and(|node| call.state.may(call.actor, node, Permission::See))
    };
    let data: Vec<Value> = call
        .state
        .workflow_maps
        .values()
        .filter(sees)
        .map(|map| json!({"DataID": map.id, "Name": map.name, "WorkflowType": "1_1"}))
        .collect();
    Ok(results(json!({"data": data, "fError": null, "fErrorDetail": null, "statusMsg": null})))
}

fn create_draft(call: &mut Call<'_>) -> Outcome<Reply> {
    let map = call.params.needed_number("workflow_id")?;
    let documents = call.params.numbers("doc_ids")?;
    let with_documents = !documents.is_empty();
    let id = call.state.create_draft(call.actor, map, documents)?;
    let mut answer = json!({ "draftprocess_id": id });
    if let (true, Some(object)) = (with_documents, answer.as_object_mut()) {
        object.insert("workflow_type".to_owned(), "1_1".into());
    }
    Ok(results(answer))
}

fn start(call: &mut Call<'_>) -> Outcome<Reply> {
    let map = call.params.needed_number("workflow_id")?;
    let documents = call.params.numbers("doc_ids")?;
    let id = call.state.start_workflow(call.actor, map, documents)?;
    Ok(results(json!({"process_id": id, "custom_message": null})))
}

fn start_by_definition(call: &mut Call<'_>) -> Outcome<Reply> {
    let definition = match call.params.get("definition") {
        Some(Value::String(text)) => serde_json::from_str(text).unwrap_or_default(),
        Some(value) => value.clone(),
        None => return Err(Refusal::Missing("definition")),
    };
    let map = definition.get("workflow_id").and_then(crate::content_server::request::as_text);
    let map = number(&map.ok_or(Refusal::Missing("workflow_id"))?)?;
    call.state.workflow_map(call.actor, map)?;
    let draft =
        Draft { map, documents: Vec::new(), by: call.actor, title: None, due: None, values: Map::new() };
    let id = call.state.start_process(call.actor, draft, "")?;
    Ok(Reply::Json(json!({ "process_id": id })))
}

/// The form values of a call, as an object.
pub(super) fn form_values(call: &Call<'_>) -> Outcome<Map<String, Value>> {
    match call.params.get("values") {
        Some(Value::Object(values)) => Ok(values.clone()),
        Some(Value::String(text)) => {
            serde_json::from_str(text).map_err(|_| Refusal::BadType("values".to_owned()))
        }
        _ => Err(Refusal::Missing("values")),
    }
}

fn update_draft(call: &mut Call<'_>, id: i64) -> Outcome<Reply> {
    let action = call.params.needed("action")?.to_lowercase();
    match action.as_str() {
        "formupdate" => {
            let values = form_values(call)?;
            call.state.fill_draft(call.actor, id, values)?;
            done()
        }
        "initiate" => {
            let comment = call.params.text("comment").unwrap_or_default();
            let process = call.state.initiate_draft(call.actor, id, &comment)?;
            Ok(results(
                json!({"process_id": process, "custom_message": null, "WorkID": process, "WRID": null}),
            ))
        }
        _ => Err(Refusal::BadType("action".to_owned())),
    }
}

fn draft_form(call: &mut Call<'_>) -> Outcome<Reply> {
    let id = call.params.needed_number("draftprocess_id")?;
    let draft = call.state.draft(call.actor, id)?;
    let map = call.state.workflow_maps.get(&draft.map).ok_or(Refusal::NotAccessible)?;
    let properties: Map<String, Value> = map
        .fields
        .iter()
        .map(|(key, name)| (key.clone(), json!({"title": name, "type": "string"})))
        .collect();
    Ok(Reply::Json(json!({
        "data": {"title": draft.title, "instructions": "", "draftprocess_id": id},
        "forms": [{"data": draft.values, "options": {}, "schema": {"properties": properties}}],
    })))
}

/// Status words of lists: late, on time, or how it ended.
fn status_key(call: &Call<'_>, process: &Process) -> &'static str {
    let today = call.state.now.strftime("%Y-%m-%d").to_string();
    match process.status {
        ProcessStatus::Running if process.due.as_ref().is_some_and(|due| *due < today) => "workflowlate",
        ProcessStatus::Running | ProcessStatus::Suspended => "ontime",
        ProcessStatus::Completed | ProcessStatus::Archived => "completed",
        ProcessStatus::Stopped => "stopped",
    }
}

fn list(call: &mut Call<'_>) -> Outcome<Reply> {
    let kind =
        call.params.filled("Kind").or_else(|| call.params.filled("kind")).unwrap_or_default().to_lowercase();
    let wanted = call.params.filled("wstatus").unwrap_or_default().to_lowercase();
    let found: Vec<Value> = call
        .state
        .processes
        .values()
        .filter(|process| match kind.as_str() {
            "initiated" => process.by == call.actor,
            _ => call.state.process(call.actor, process.id).is_ok(),
        })
        .filter(|process| wanted.is_empty() || wanted.split(',').any(|one| one == status_key(call, process)))
        .map(|process| {
            let step = call.state.current_step(process).map(|step| step.name.clone());
            let map = call.state.workflow_maps.get(&process.map).map(|map| map.name.clone());
            let status = json!({
                "process_id": process.id, "subprocess_id": process.id, "task_id": process.task,
                "wf_name": process.title, "map_name": map, "status_key": status_key(call, process),
                "due_date": process.due, "date_initiated": plain_date(process.at), "step_name": step,
                "assignee": [{"userId": process.assignee, "loginName": call.state.login_of(process.assignee)}],
            });
            json!({"data": {"wfstatus": status}})
        })
        .collect();
    Ok(results(found))
}

fn one(call: &mut Call<'_>, id: i64) -> Outcome<Reply> {
    let process = call.state.process(call.actor, id)?;
    let steps = call.state.workflow_maps.get(&process.map).map(|map| map.steps.clone()).unwrap_or_default();
    let names_people = call.state.settings.workflow_steps_name_people;
    let people = |member: MemberId| {
        let people: Vec<Value> = names_people.then(|| json!({"userId": member})).into_iter().collect();
        json!({"assignedto": people})
    };
    let past = |finished: &Finished| {
        json!({
            "process_id": id, "task_id": finished.task, "task_name": finished.step,
            "task_assignees": people(finished.by), "task_status": "completed",
            "task_end_date": plain_date(finished.at), "disposition": finished.action, "comment": finished.comment,
        })
    };
    let completed: Vec<Value> = process.finished.iter().map(past).collect();
    let at = usize::try_from(process.task - 1).unwrap_or(0);
    let step = |(index, step): (usize, &crate::content_server::state::workflows::Step)| {
        json!({"process_id": id, "subprocess_id": id, "task_id": index + 1, "task_name": step.name,
               "task_assignees": people(step.assignee)})
    };
    let running = matches!(process.status, ProcessStatus::Running | ProcessStatus::Suspended);
    let current: Vec<Value> =
        steps.iter().enumerate().filter(|(i, _)| running && *i == at).map(step).collect();
    let next: Vec<Value> = steps.iter().enumerate().filter(|(i, _)| running && *i > at).map(step).collect();
    let status = match process.status {
        ProcessStatus::Running => "executing",
        ProcessStatus::Suspended => "suspended",
        ProcessStatus::Stopped => "stopped",
        ProcessStatus::Completed => "completed",
        ProcessStatus::Archived => "archived",
    };
    Ok(results(json!({
        "attachments": {"attachment_folder_id": process.attachments},
        "data_packages": [{"type": 1, "sub_type": 1, "data": {"attachment_folder_id": process.attachments}}],
        "step_list": {"completed": completed, "current": current, "next": next},
        "wf_details": {
            "wf_name": process.title, "status": status, "status_key": status_key(call, process),
            "date_initiated": plain_date(process.at), "due_date": process.due, "initiator": {"userId": process.by},
            "process_id": id, "map_id": process.map, "form_values": process.values, "comment": process.comment,
        },
        "permissions": {"Suspend": true, "Stop": true, "Archive": true, "Delete": true},
    })))
}

fn change_status(call: &mut Call<'_>, id: NodeId) -> Outcome<Reply> {
    let status = match call.params.needed("status")?.as_str() {
        "suspend" => ProcessStatus::Suspended,
        "resume" => ProcessStatus::Running,
        "stop" => ProcessStatus::Stopped,
        "archive" => ProcessStatus::Archived,
        _ => return Err(Refusal::BadType("status".to_owned())),
    };
    call.state.set_process_status(call.actor, id, status)?;
    done()
}
