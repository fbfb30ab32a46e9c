//! Workflow tasks: inbox, detail, finishing.

use serde_json::{Value, json};

use super::{Call, number, workflows};
use crate::content_server::render::plain_date;
use crate::content_server::reply::{Page, Reply, done, results};
use crate::content_server::state::{Outcome, Process, Refusal};

pub(super) fn route(call: &mut Call<'_>, method: &str, path: &[&str]) -> Option<Outcome<Reply>> {
    Some(match (method, path) {
        ("GET", ["v2", "members", "assignments"])
        | ("GET", ["v2", "members", "moduleassignments", "ExpandAssignments", "workflow"]) => inbox(call),
        ("GET", ["v1", "forms", "processes", "tasks", "update"]) => detail(call),
        ("PUT", ["v2", "processes", process, "subprocesses", _, "tasks", task]) => {
            number(process).and_then(|process| number(task).and_then(|task| update(call, process, task)))
        }
        _ => return None,
    })
}

fn inbox(call: &mut Call<'_>) -> Outcome<Reply> {
    let waiting = call.state.assignments(call.actor);
    let assignment = |process: &&Process| {
        let step = call.state.current_step(process);
        json!({
            "id": process.id, "name": step.map(|step| step.name.clone()), "type": 153,
            "type_name": "Workflow Step", "workflow_id": process.id, "workflow_subworkflow_id": process.id,
            "workflow_subworkflow_task_id": process.task, "workflow_name": process.title,
            "date_due": process.due, "date_assigned": plain_date(process.at), "from_user_id": process.by,
            "location_id": process.attachments, "priority": 50, "priority_name": "Medium", "status": 1,
            "status_name": "In Progress", "instructions": step.map(|step| step.instructions.clone()),
        })
    };
    let all: Vec<Value> = waiting.iter().map(assignment).collect();
    let (page, cut) = Page::cut(&call.params, &call.state.settings, 100, all)?;
    let mut answer = results(json!({"data": {"assignments": cut}}));
    if let Reply::Json(Value::Object(object)) = &mut answer {
        object.insert("collection".to_owned(), json!({"paging": page.numbers()}));
    }
    Ok(answer)
}

fn detail(call: &mut Call<'_>) -> Outcome<Reply> {
    let id = call.params.needed_number("process_id")?;
    let task = call.params.number("task_id")?.unwrap_or(1);
    let process = call.state.task(call.actor, id, task)?;
    let step = call.state.current_step(process).ok_or(Refusal::NotAccessible)?;
    let custom: Vec<Value> =
        step.dispositions.iter().map(|known| json!({"key": known.key, "label": known.label})).collect();
    let mut actions =
        vec![json!({"key": "Delegate", "label": "Delegate"}), json!({"key": "Review", "label": "Review"})];
    if custom.is_empty() {
        actions.insert(0, json!({"key": "SendOn", "label": "Send On"}));
    }
    Ok(Reply::Json(json!({
        "data": {
            "title": step.name, "instructions": step.instructions, "actions": actions, "custom_actions": custom,
            "data_packages": [{"type": 1, "sub_type": 1, "data": {"attachment_folder_id": process.attachments}}],
            "comments_on": true, "attachments_on": true, "message": null, "authentication": false,
            "process_id": id, "subprocess_id": id, "task_id": task, "member_accept": false,
        },
        "forms": [{"data": process.values, "options": {}, "schema": {"properties": {}}}],
    })))
}

fn update(call: &mut Call<'_>, id: i64, task: i64) -> Outcome<Reply> {
    let comment = call.params.text("comment").unwrap_or_default();
    let (action, custom) = (call.params.filled("action"), call.params.filled("custom_action"));
    match (action, custom) {
        (Some(_), Some(_)) => {
            Err(Refusal::said(400, "Only one of 'action' and 'custom_action' can be used."))
        }
        (None, None) => Err(Refusal::Missing("action")),
        (None, Some(custom)) => {
            call.state.finish_task(call.actor, id, task, &custom, &comment)?;
            done()
        }
        (Some(action), None) => {
            match action.to_lowercase().as_str() {
                "formupdate" => {
                    let values = workflows::form_values(call)?;
                    call.state.fill_task(call.actor, id, task, values)?;
                }
                "delegate" | "review" => {
                    let assignee = call.params.needed_number("assignee")?;
                    call.state.delegate_task(call.actor, id, task, assignee)?;
                }
                _ => call.state.finish_task(call.actor, id, task, &action, &comment)?,
            }
            done()
        }
    }
}
