//! What people see of processes.

use serde_json::{Value, json};

use super::super::call::Call;
use super::super::reply::{Outcome, Refusal, Reply};
use super::super::state::{Message, Monitor};

pub(super) fn route(call: &mut Call<'_>, path: &[&str]) -> Outcome<Reply> {
    if call.method != http::Method::GET {
        return Err(Refusal::NoUrl);
    }
    match path {
        ["monitors"] => monitors(call),
        ["monitors", id, "timeseries"] => {
            let known = call.state.monitors.iter().find(|known| known.id == *id);
            let known = known.ok_or_else(|| Refusal::NotFound(format!("There is no monitor {id}")))?;
            let moments = [Some(known.started), known.completed];
            let series: Vec<Value> = moments
                .into_iter()
                .flatten()
                .map(|at| json!({"date": at, "status": status(call, known)}))
                .collect();
            Ok(Reply::Json(200, json!({"success": true, "version": 1, "value": {"timeseries": series}})))
        }
        ["messages"] => messages(call),
        _ => Err(Refusal::NoUrl),
    }
}

/// It has begun, or not yet.
fn status<'monitor>(call: &Call<'_>, monitor: &'monitor Monitor) -> &'monitor str {
    match monitor.status.as_str() {
        "Pending" if monitor.started <= call.state.now => "Running",
        other => other,
    }
}

/// Whether a list with commas, when there is one, names something.
fn names(list: Option<&str>, word: &str) -> bool {
    list.is_none_or(|list| list.split(',').any(|one| one == word))
}

fn paged(call: &Call<'_>, name: &str, all: Vec<Value>) -> Outcome<Reply> {
    let (start, most) = call.window()?;
    let total = all.len();
    let mut paging = json!({"totalResults": total});
    if let Some(object) = paging.as_object_mut() {
        if start.saturating_add(most) < total {
            object.insert("next".to_owned(), call.page_address(start + most, most).into());
        }
        if start > 0 {
            object.insert("previous".to_owned(), call.page_address(start.saturating_sub(most), most).into());
        }
    }
    let shown: Vec<Value> = all.into_iter().skip(start).take(most).collect();
    Ok(Reply::Json(200, json!({"success": true, "version": 1, "value": {"paging": paging, name: shown}})))
}

fn monitors(call: &Call<'_>) -> Outcome<Reply> {
    let (statuses, categories, name) = (call.text("status"), call.text("category"), call.text("name"));
    let found = call.state.monitors.iter().rev().filter(|monitor| {
        names(statuses, status(call, monitor))
            && names(categories, &monitor.category)
            && name.is_none_or(|name| monitor.name == name)
    });
    let count = |monitor: &Monitor, kind: &str| {
        monitor.messages.iter().filter(|message| message.status == kind).count()
    };
    let shown = found.map(|monitor| {
        let percent = monitor.percent(call.state.now);
        let done = monitor.files * percent / 100;
        json!({
            "mappedId": monitor.id, "name": monitor.name, "status": status(call, monitor),
            "started": monitor.started, "completed": monitor.completed, "category": monitor.category,
            "subcategory": "", "progressText": format!("{done} of {} files", monitor.files), "percentComplete": percent,
            "filesPending": monitor.files - done, "filesProcessed": done, "size": monitor.size,
            "warnings": count(monitor, "Warning"), "errors": count(monitor, "Error"), "canRetry": false,
        })
    });
    paged(call, "monitors", shown.collect())
}

fn messages(call: &Call<'_>) -> Outcome<Reply> {
    let (wanted, statuses) = (call.text("monitor"), call.text("status"));
    let of_monitor = |monitor: &Monitor, message: &Message| {
        let entity = message.entity.as_deref().and_then(|reference| call.state.entities.get(reference));
        json!({
            "mappedId": message.id, "mappedMonitorId": monitor.id, "monitorName": monitor.name,
            "path": message.path, "date": message.date, "status": message.status, "message": message.key,
            "displayMessage": message.text, "workflowInstanceId": monitor.workflow, "workflowName": "Ingest",
            "sourceId": message.source, "entityRef": message.entity,
            "entityTitle": entity.map(|entity| entity.title.clone()),
            "securityDescriptor": entity.map(|entity| entity.security_tag.clone()),
        })
    };
    let found = call
        .state
        .monitors
        .iter()
        .filter(|monitor| wanted.is_none_or(|wanted| monitor.id == wanted))
        .flat_map(|monitor| monitor.messages.iter().map(move |message| (monitor, message)))
        .filter(|(_, message)| names(statuses, &message.status))
        .map(|(monitor, message)| of_monitor(monitor, message));
    paged(call, "messages", found.collect())
}
