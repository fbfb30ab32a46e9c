//! The stories of `stage-attachments`.

mod package;

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use s3_content_server::{
    STAGE_ATTACHMENTS,
    stage_attachments::{COMPLETED, SCHEDULED},
};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use shared::node_change::NodeChange;
use simulators::content_server::{
    self, Blob, State, seed,
    state::{ADMIN, NewNode, NewVersion, Process, kind, workflows::ProcessStatus},
};
use tests::storm::{Broken, CONTENT, INTAKE, Intervention, Made, Meanwhile, Scenario, StoredObject, World};

/// Rules of one rule, with these lines about the attachment and these about the output.
pub(crate) fn rules(attachment: &str, output: &str) -> &'static str {
    format!(
        r#"
[[rule]]
name = "cases"
key = "cases/{{case}}/{{name}}"

[rule.workflow]
map = "Enterprise:Workflow Maps/Document Review"
title = "Case {{capture.case}}"
attributes = {{ Reason = "Case {{capture.case}}" }}

[rule.attachment]
{attachment}

[rule.decision]
step = "Review"
approved = ["Approve"]

[rule.output]
prefix = "decided/"
folder = "{{capture.case}}"
{output}
"#
    )
    .leak()
}

const PEOPLE: &[Intervention] = &[
    Intervention { name: "the workflow is suspended", act: suspend },
    Intervention { name: "the workflow is stopped", act: stop },
    Intervention { name: "the workflow is deleted", act: delete },
    Intervention { name: "the decision is changed", act: change_mind },
    Intervention { name: "a hold on the attachments", act: hold },
];

pub(crate) const APPROVED: &[Meanwhile] =
    &[Meanwhile { after: Duration::from_secs(5), what: |world| Box::pin(decide(world, "Approve")) }];
const REJECTED: &[Meanwhile] =
    &[Meanwhile { after: Duration::from_secs(5), what: |world| Box::pin(decide(world, "Reject")) }];

fn story(
    name: &'static str,
    rules: &'static str,
    objects: fn() -> Vec<StoredObject>,
    clean: (usize, usize, usize),
) -> Scenario {
    Scenario {
        interventions: PEOPLE,
        promise: Some(one_attachment_one_workflow_one_output),
        ..Scenario::of(name, &STAGE_ATTACHMENTS, rules, objects, clean)
    }
}

pub(crate) fn scenarios() -> Vec<Scenario> {
    vec![
        story("an upload starts its workflow", rules("", ""), one, (1, 0, 0)),
        Scenario {
            prepare: running,
            ..story("uploads go to the workflow that is running", rules("", ""), two, (2, 0, 0))
        },
        Scenario {
            meanwhile: APPROVED,
            ..story("what is approved comes out", rules("", ""), two, (3, 1, 0))
        },
        Scenario {
            meanwhile: REJECTED,
            ..story("what is rejected does not come out", rules("", ""), one, (2, 1, 0))
        },
        Scenario {
            meanwhile: APPROVED,
            prepare: running,
            ..story(
                "the final package, of shortcuts",
                rules(
                    "as = \"shortcut\"\nfolder = \"Enterprise:Claims/Cases/{capture.case}\"",
                    "contents = \"all\"",
                ),
                versions,
                (3, 1, 0),
            )
        },
        Scenario {
            meanwhile: APPROVED,
            ..story(
                "a reference, whose object goes from S3 to S3",
                rules("as = \"reference\"", ""),
                one,
                (2, 1, 0),
            )
        },
        Scenario {
            prepare: filed_and_large,
            ..story(
                "a large upload that was filed before",
                rules("as = \"shortcut\"\noriginal = \"{user.node}\"", ""),
                of_the_filed,
                (1, 0, 0),
            )
        },
        Scenario { prepare: large, ..story("a large upload in parts", rules("", ""), film, (1, 0, 0)) },
    ]
}

pub(crate) fn pdf(text: &str) -> Vec<u8> {
    format!("%PDF-1.7\n{text}\n%%EOF\n").into_bytes()
}

pub(crate) fn one() -> Vec<StoredObject> {
    vec![StoredObject::new("cases/C-1/offer.pdf", "application/pdf", pdf("offer"))]
}

fn two() -> Vec<StoredObject> {
    vec![
        StoredObject::new("cases/C-1/offer.pdf", "application/pdf", pdf("offer")),
        StoredObject::new("cases/C-1/terms a+b.pdf", "application/pdf", pdf("terms")),
    ]
}

fn versions() -> Vec<StoredObject> {
    vec![
        StoredObject::new("cases/C-1/offer.pdf", "application/pdf", pdf("first offer")),
        StoredObject::new("cases/C-1/offer.pdf", "application/pdf", pdf("second offer")),
    ]
}

fn film() -> Vec<StoredObject> {
    let mut bytes = pdf("film");
    bytes.resize(1_050, b'x');
    vec![StoredObject::new("cases/C-1/film.pdf", "application/pdf", bytes)]
}

const FILED: &str = "100001";

fn of_the_filed() -> Vec<StoredObject> {
    film().into_iter().map(|object| object.metadata(&[("node", FILED)])).collect()
}

/// Where 1,000 bytes are large: parts of 300 bytes, ranges of downloads, and slow calls.
fn large(world: &World) {
    world.set_content_server(
        |settings| {
            settings.large_upload.min_size = 500;
            settings.large_upload.part_size = 300;
            settings.range_requests = true;
            settings.latency_milliseconds = 2_500;
        },
        r#"{"large_upload": {"from_size": 500}, "range_downloads": true}"#,
    );
}

fn filed_and_large(world: &World) {
    large(world);
    world.content_server.with_state(|state| {
        let claims = state.at("Claims").expect("the claims").id;
        let content = film().remove(0).content.to_vec();
        let new = NewNode {
            kind: kind::DOCUMENT,
            parent_id: claims,
            name: "film.pdf".to_owned(),
            version: Some(NewVersion::of("film.pdf", "application/pdf", Blob::of(content))),
            ..NewNode::default()
        };
        let node = state.create(seed::WAYBILL, new).expect("a document");
        assert_eq!(node.to_string(), FILED);
    });
}

/// A person has started the workflow, under the title of the rule; the service user manages it.
pub(crate) fn running(world: &World) {
    world.content_server.with_state(|state| {
        state.workflow_maps.get_mut(&seed::DOCUMENT_REVIEW).expect("the map").managers = vec![seed::WAYBILL];
        let handler = state.member_by_name("claims.handler").expect("a handler").id;
        let draft = state.create_draft(handler, seed::DOCUMENT_REVIEW, Vec::new()).expect("a draft");
        let title = json!({"WorkflowForm_Title": "Case C-1"});
        state.fill_draft(handler, draft, title.as_object().cloned().unwrap_or_default()).expect("a title");
        state.initiate_draft(handler, draft, "").expect("a workflow");
    });
}

// --- what people do --------------------------------------------------------------------------------------------------

/// What a process says of itself once people were at it.
const TOUCHED: &str = "touched by people";

fn each_process(server: &content_server::Simulator, act: impl Fn(&mut Process)) {
    server.with_state(|state| state.processes.values_mut().for_each(&act));
}

fn suspend(server: &content_server::Simulator) {
    each_process(server, |process| {
        if process.status == ProcessStatus::Running {
            process.status = ProcessStatus::Suspended;
        }
    });
}

fn stop(server: &content_server::Simulator) {
    each_process(server, |process| {
        if process.status == ProcessStatus::Running {
            process.status = ProcessStatus::Stopped;
            TOUCHED.clone_into(&mut process.comment);
        }
    });
}

pub(crate) fn delete(server: &content_server::Simulator) {
    server.with_state(|state| {
        let all: Vec<i64> = state.processes.keys().copied().collect();
        all.into_iter().for_each(|process| state.delete_process(ADMIN, process).expect("deleted"));
    });
}

/// The reviewer's decision is turned round after the workflow has ended.
pub(crate) fn change_mind(server: &content_server::Simulator) {
    each_process(server, |process| {
        let ended = process.status == ProcessStatus::Completed;
        for finished in process.finished.iter_mut().filter(|finished| ended && finished.step == "Review") {
            let other = if finished.action == "Approve" { "Reject" } else { "Approve" };
            other.clone_into(&mut finished.action);
            TOUCHED.clone_into(&mut process.comment);
        }
    });
}

fn hold(server: &content_server::Simulator) {
    server.with_state(|state| {
        let all: BTreeSet<i64> = attached(state).into_values().flatten().collect();
        for node in all {
            // A second hold of the same kind is refused, and changes nothing.
            let _ = state.apply_hold(ADMIN, node, seed::FLOOD_HOLD);
        }
    });
}

/// The reviewer waits for all attachments (a quarter of an hour at most), decides, and the workflow says so; a round
/// follows.
pub(crate) async fn decide(world: &World, disposition: &'static str) {
    for _ in 0..90 {
        let there = world.content_server.with_state(|state| delivered(state).len());
        // With an empty queue, nothing more comes.
        if there >= world.uploaded().len() || world.waiting() == 0 {
            break;
        }
        tokio::time::sleep(Duration::from_secs(10)).await;
    }
    // Whoever attaches has ended by then, when nothing went wrong.
    tokio::time::sleep(Duration::from_secs(2)).await;
    let processes = world.content_server.with_state(|state| {
        let all: Vec<i64> = state.processes.keys().copied().collect();
        for id in &all {
            finish(state, *id, disposition);
        }
        all
    });
    for process in processes {
        let change = NodeChange::about(process, Some(COMPLETED), "");
        let push = change.envelope("watch-content-server", "stage-attachments", &world.context);
        world.send(&push.expect("an envelope")).await;
    }
    // The push is dealt with by then: a worker looks at an empty queue every 20 seconds.
    tokio::time::sleep(Duration::from_secs(30)).await;
    world.send(&scheduled(world)).await;
}

/// What the schedule sends.
pub(crate) fn scheduled(world: &World) -> String {
    let time = world.context.now().to_string();
    json!({"version": "0", "detail-type": SCHEDULED, "source": "aws.events", "time": time, "detail": {}})
        .to_string()
}

fn finish(state: &mut State, id: i64, disposition: &str) {
    if let Some(process) = state.processes.get_mut(&id)
        && process.status == ProcessStatus::Suspended
    {
        process.status = ProcessStatus::Running;
    }
    if state.finish_task(ADMIN, id, 1, disposition, "").is_ok() {
        let _ = state.finish_task(ADMIN, id, 2, "SendOn", "");
    }
}

// --- what must hold --------------------------------------------------------------------------------------------------

fn sha256(bytes: &[u8]) -> String {
    hex::encode(Sha256::digest(bytes))
}

/// The documents attached to each process, those behind shortcuts included.
fn attached(state: &State) -> BTreeMap<i64, Vec<i64>> {
    let of = |process: &Process| {
        let children = state.children(process.attachments);
        children
            .iter()
            .map(|node| if node.kind == kind::SHORTCUT { node.original_id } else { node.id })
            .collect()
    };
    state.processes.values().map(|process| (process.id, of(process))).collect()
}

/// SHA-256 of everything that is attached somewhere, once per document and version; of references, what they refer to.
fn delivered(state: &State) -> Vec<String> {
    let nodes: BTreeSet<i64> = attached(state).into_values().flatten().collect();
    let versions = nodes.iter().filter_map(|node| state.nodes.get(node)).flat_map(|node| &node.versions);
    versions
        .map(|version| {
            let referred =
                version.content.bytes().ok().and_then(|bytes| serde_json::from_slice::<Value>(&bytes).ok());
            let referred =
                referred.as_ref().and_then(|reference| reference["sha256"].as_str().map(str::to_owned));
            referred.unwrap_or_else(|| version.content.sha256.clone())
        })
        .collect()
}

/// What the ledger knows of workflows: by number, what was decided.
fn closed(world: &World) -> BTreeMap<i64, (Value, Option<String>)> {
    let text =
        |record: &Value, name: &str| record.pointer(&format!("/{name}/S"))?.as_str().map(str::to_owned);
    let ours = world.ledger().into_iter().filter_map(|record| {
        (text(&record, "pk")? == "stage-attachments#seen#workflows").then_some(())?;
        let facts: Value = serde_json::from_str(&text(&record, "facts")?).ok()?;
        let decision = facts["closed"]["decision"].as_str().map(str::to_owned);
        Some((text(&record, "sk")?.parse().ok()?, (facts, decision)))
    });
    ours.collect()
}

fn statuses(world: &World) -> Vec<(String, String)> {
    let text = |record: &Value, name: &str| {
        record.pointer(&format!("/{name}/S")).and_then(|text| text.as_str()).unwrap_or_default().to_owned()
    };
    let items = world.ledger().into_iter().filter(|record| text(record, "pk").contains("#item#"));
    items.map(|record| (text(&record, "item_key"), text(&record, "status"))).collect()
}

fn one_attachment_one_workflow_one_output(world: &World, clean: &Made) -> Result<(), Broken> {
    let made = world.made();
    if let Some(twice) = made.workflows.windows(2).find(|pair| pair[0] == pair[1]) {
        return Err(Broken(format!("two workflows of one round: {}", twice[0])));
    }
    attachments_are_uploads(world)?;
    outputs_are_decided(world)?;
    // Where people delete workflows, others are started instead.
    let deleted = clean.workflows.iter().any(|title| !made.workflows.contains(title));
    let touched = world
        .content_server
        .with_state(|state| state.processes.values().any(|process| process.comment == TOUCHED));
    let otherwise = statuses(world).iter().any(|(_, status)| status != "delivered" && status != "skipped");
    if !touched
        && !deleted
        && !otherwise
        && made.workflows != clean.workflows
        && !came_after_the_decision(world)
    {
        return Err(Broken(format!(
            "other workflows than in a clean run\n--- clean\n{clean}\n--- seen\n{made}"
        )));
    }
    Ok(())
}

/// An upload that was delayed past the decision starts another round, and rightly so.
fn came_after_the_decision(world: &World) -> bool {
    closed(world).values().any(|(facts, _)| facts["round"].as_u64() > Some(1))
        && world.content_server.with_state(|state| {
            state.processes.values().any(|process| process.status == ProcessStatus::Completed)
        })
}

/// G1, G2: nothing is attached twice or with other bytes; what was delivered is attached, unless people deleted it.
fn attachments_are_uploads(world: &World) -> Result<(), Broken> {
    let uploaded = world.uploaded();
    let there = world.content_server.with_state(|state| delivered(state));
    for content in &there {
        if !uploaded.contains(content) {
            return Err(Broken(format!("bytes nobody uploaded are attached: {content}")));
        }
        if there.iter().filter(|other| *other == content).count() > 1 {
            return Err(Broken(format!("{content} is attached more than once")));
        }
    }
    let deleted = world
        .content_server
        .with_state(|state| closed(world).keys().any(|process| !state.processes.contains_key(process)));
    let statuses = statuses(world);
    for object in world.aws.s3().versions(INTAKE) {
        let item = statuses.iter().find(|(key, _)| key.contains(&object.version_id));
        let is_delivered = item.is_some_and(|(_, status)| status == "delivered");
        if is_delivered && !deleted && !there.contains(&sha256(&object.data)) {
            return Err(Broken(format!("{} counts as delivered and is attached nowhere", object.key)));
        }
    }
    Ok(())
}

/// What the ledger says was decided is what S3 holds and says; and, unless somebody changed it since, what the workflow
/// says.
fn outputs_are_decided(world: &World) -> Result<(), Broken> {
    let objects = world.aws.s3().versions(CONTENT);
    for (process, (facts, decision)) in closed(world) {
        let round = facts["round"].as_u64().unwrap_or_default();
        let folder = format!("decided/C-1/{round}/");
        let output: Vec<_> = objects.iter().filter(|object| object.key.starts_with(&folder)).collect();
        let names: BTreeSet<&str> = output.iter().map(|object| &object.key[folder.len()..]).collect();
        match decision.as_deref() {
            Some("approved") => package::is_whole(&folder, &output)?,
            Some(_) if !output.is_empty() => {
                return Err(Broken(format!("work that was not approved has an output: {names:?}")));
            }
            Some(_) => {}
            None if names.contains("_COMPLETE") => {
                return Err(Broken("an output counts that nobody has decided about".to_owned()));
            }
            None => {}
        }
        let Some(decision) = decision else { continue };
        let number = process.to_string();
        let inputs = world.aws.s3().versions(INTAKE).into_iter();
        let inputs = inputs.filter(|object| object.tags.get("waybill-process") == Some(&number));
        let tags: Vec<String> =
            inputs.map(|object| object.tags.get("waybill-decision").cloned().unwrap_or_default()).collect();
        let list = format!("stage-attachments#seen#inputs-{process}");
        let ledger = world.ledger();
        let inputs =
            ledger.iter().filter(|record| record.pointer("/pk/S").and_then(Value::as_str) == Some(&list));
        if tags.len() != inputs.count() || tags.iter().any(|tag| *tag != decision) {
            return Err(Broken(format!("decided as {decision}, but the inputs say {tags:?}")));
        }
        let said = world.content_server.with_state(|state| state.processes.get(&process).and_then(word));
        let changed = world.content_server.with_state(|state| {
            state.processes.get(&process).is_none_or(|process| process.comment == TOUCHED)
        });
        if !changed && said != Some(decision.as_str()) {
            return Err(Broken(format!("dealt with as {decision}, but the workflow says {said:?}")));
        }
    }
    Ok(())
}

fn word(process: &Process) -> Option<&'static str> {
    let review = process.finished.iter().find(|finished| finished.step == "Review");
    match (process.status, review.map(|finished| finished.action.as_str())) {
        (ProcessStatus::Stopped, _) => Some("stopped"),
        (ProcessStatus::Completed, Some("Approve")) => Some("approved"),
        (ProcessStatus::Completed, _) => Some("rejected"),
        _ => None,
    }
}
