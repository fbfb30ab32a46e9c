//! Workflows, which have an interface of their own beside `/api`.

use super::super::call::{Call, WORKFLOW};
use super::super::reply::{Outcome, Refusal, Reply};
use super::super::state::{CONTEXTS, Instance};
use super::super::xml::Element;

pub(super) fn route(call: &mut Call<'_>, path: &[&str]) -> Outcome<Reply> {
    match (call.method.as_str(), path) {
        ("GET", ["contexts"]) => Ok(Reply::Xml(contexts(call))),
        ("POST", ["instances"]) => start(call),
        ("POST", ["instances", "terminate"]) => {
            call.state.may_write(&call.user)?;
            for id in call.required("workflowInstanceIds")?.split(',') {
                call.state.terminate(id.trim());
            }
            Ok(Reply::Nothing(202))
        }
        ("GET", ["instances"]) => instances(call),
        ("GET", ["instances", id]) => {
            let found = call.state.instances.iter().find(|instance| instance.id == *id).cloned();
            let found = found.ok_or_else(|| Refusal::NotFound(format!("There is no instance {id}")))?;
            Ok(Reply::Xml(described(call, &found)))
        }
        _ => Err(Refusal::NoUrl),
    }
}

fn element(name: &str) -> Element {
    Element::new(WORKFLOW, name)
}

fn contexts(call: &Call<'_>) -> Element {
    let (kind, definition) = (call.text("type"), call.text("workflowDefinitionId"));
    let found = CONTEXTS.iter().filter(|context| {
        kind.is_none_or(|kind| kind.eq_ignore_ascii_case(context.kind))
            && definition.is_none_or(|definition| definition == context.definition)
    });
    let shown =
        found.map(|context| element("WorkflowContext").with("Id", context.id).with("Name", context.name));
    element("WorkflowContexts").children_from(shown)
}

fn start(call: &mut Call<'_>) -> Outcome<Reply> {
    call.state.may_write(&call.user)?;
    let asked = call.xml("StartWorkflowRequest")?;
    let text = |name: &str| asked.text_of(name).unwrap_or_default();
    let parameters: Vec<(String, String)> = asked
        .all("Parameter")
        .filter_map(|parameter| Some((parameter.text_of("Key")?, parameter.text_of("Value")?)))
        .collect();
    let user = call.user.clone();
    let context = (text("WorkflowContextId"), text("WorkflowContextName"));
    let id = call.state.start_workflow(&user, (&context.0, &context.1), &parameters)?;
    let started = element("WorkflowInstance").with("Id", id);
    Ok(Reply::Whole(super::super::reply::text(201, "application/xml;charset=UTF-8", started.document(None))))
}

fn described(call: &Call<'_>, instance: &Instance) -> Element {
    let context = CONTEXTS.iter().find(|context| context.id == instance.context);
    let state = call.state.instance_state(instance);
    let ended = call.state.monitors.iter().find(|monitor| monitor.id == instance.monitor);
    let ended = ended.and_then(|monitor| monitor.completed).map(moment);
    let mut shown = element("WorkflowInstance")
        .with("Id", instance.id.clone())
        .with("Started", moment(instance.started))
        .with_some("Finished", ended.as_deref())
        .with("State", state)
        .with("DisplayState", state.replace('_', " "))
        .with("ArchivalProcessId", instance.id.clone())
        .with("WorkflowGroupId", instance.id.clone())
        .with("WorkflowContextId", instance.context.clone())
        .with("WorkflowContextName", context.map_or("", |context| context.name))
        .with("WorkflowDefinitionTextId", context.map_or("", |context| context.definition));
    let wants = call.text("includeErrors").is_some_and(|text| text.eq_ignore_ascii_case("true"));
    let errors = call.state.progress.get(&instance.token).map(|progress| progress.errors.clone());
    for error in errors.into_iter().flatten().filter(|_| wants) {
        shown = shown.child(element("Errors").with("Error", error));
    }
    shown
}

/// With a fraction of a second, always.
fn moment(at: jiff::Timestamp) -> String {
    at.strftime("%Y-%m-%dT%H:%M:%S.%3fZ").to_string()
}

fn instances(call: &Call<'_>) -> Outcome<Reply> {
    let (start, most) = call.window()?;
    let found = call.state.instances.iter().filter(|instance| {
        let state = call.state.instance_state(instance);
        call.text("state").is_none_or(|wanted| wanted.eq_ignore_ascii_case(state))
            && call.text("contextId").is_none_or(|wanted| wanted == instance.context)
            && call.text("creator").is_none_or(|wanted| wanted == instance.user)
    });
    let found: Vec<Element> = found.map(|instance| described(call, instance)).collect();
    let total = found.len();
    let page: Vec<Element> = found.into_iter().skip(start).take(most).collect();
    let listed = element("WorkflowInstances")
        .with("TotalCount", total.to_string())
        .with("Count", page.len().to_string())
        .child(element("WorkflowInstances").children_from(page));
    Ok(Reply::Xml(listed))
}
