//! Record series identifiers (retention schedules).

use serde_json::{Value, json};

use super::{Call, number};
use crate::content_server::reply::{Page, Reply, results};
use crate::content_server::state::records::Stage;
use crate::content_server::state::{NodeId, Outcome, RecordsSchedule, Refusal};

pub(super) fn route(call: &mut Call<'_>, method: &str, path: &[&str]) -> Option<Outcome<Reply>> {
    Some(match (method, path) {
        ("GET", ["v2", "rsis"]) => list(call),
        ("POST", ["v2", "rsischedules"]) => create(call),
        ("POST", ["v2", "rsischedules", id, "stages"]) => number(id).and_then(|id| add_stage(call, id)),
        ("GET", ["v1", "nodes", id, "rsis"]) => number(id).and_then(|id| of_item(call, id)),
        _ => return None,
    })
}

fn list(call: &mut Call<'_>) -> Outcome<Reply> {
    let all: Vec<Value> = call
        .state
        .schedules
        .values()
        .map(|schedule| {
            json!({
                "RSIID": schedule.id, "RSI": schedule.name, "Title": schedule.title,
                "Description": schedule.description, "RSIStatus": schedule.status, "Active": 1,
                "DispControl": i32::from(schedule.disposition), "RSIScheduleID": schedule.id,
                "RetStage": schedule.stages.first().map(|stage| stage.name.clone()),
                "EventType": schedule.stages.first().map(|stage| stage.event_type),
                "RetYears": schedule.stages.first().map(|stage| stage.years),
            })
        })
        .collect();
    let (page, cut) = Page::cut(&call.params, &call.state.settings, 25, all)?;
    Ok(results(json!({"ok": true, "data": {"rsis": cut}, "paging": page.numbers()})))
}

fn create(call: &mut Call<'_>) -> Outcome<Reply> {
    let name = call.params.needed("name")?;
    if call.state.schedules.values().any(|schedule| schedule.name == name) {
        return Ok(results(json!({"ok": false, "errMsg": "The RSI already exists.", "id": null})));
    }
    let id = call.state.fresh_id();
    let schedule = RecordsSchedule {
        id,
        name,
        title: call.params.text("title").unwrap_or_default(),
        description: call.params.text("description").unwrap_or_default(),
        status: call.params.text("status").unwrap_or_default(),
        disposition: call.params.flag("dispcontrol").unwrap_or(false),
        stages: Vec::new(),
    };
    call.state.schedules.insert(id, schedule);
    Ok(results(json!({"ok": true, "errMsg": "", "id": id})))
}

fn add_stage(call: &mut Call<'_>, id: i64) -> Outcome<Reply> {
    let stage = Stage {
        name: call.params.needed("stage")?,
        event_type: call.params.number("eventType")?.unwrap_or(1),
        years: call.params.number("retentionYears")?.unwrap_or(0),
        action: call.params.number("actionCode")?.unwrap_or(0),
    };
    let schedule = call.state.schedules.get_mut(&id);
    schedule.ok_or_else(|| Refusal::said(400, "Invalid RSI schedule."))?.stages.push(stage);
    Ok(results(json!({"ok": true, "errMsg": "", "id": id})))
}

fn of_item(call: &mut Call<'_>, id: NodeId) -> Outcome<Reply> {
    let node = call.state.visible(call.actor, id)?;
    let class_rsi = node.system_attributes.get("rsi").and_then(Value::as_str).map(str::to_owned);
    let name = node.record.as_ref().map(|record| record.rsi.clone()).or(class_rsi).unwrap_or_default();
    let data: Vec<Value> = call
        .state
        .schedules
        .values()
        .filter(|schedule| schedule.name == name)
        .map(|schedule| json!({"rsi_id": schedule.id, "rsi": schedule.name, "title": schedule.title}))
        .collect();
    Ok(Reply::Json(json!({ "data": data })))
}
