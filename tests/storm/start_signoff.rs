//! The stories of `start-signoff`.

use std::{collections::BTreeMap, time::Duration};

use iconik_content_server::{
    START_SIGNOFF,
    start_signoff::{COMPLETED, SCHEDULED},
};
use regex::Regex;
use serde_json::{Value, json};
use simulators::{
    content_server::{
        self, Blob, seed as archive,
        state::{ADMIN, NewNode, NewVersion, Process, kind, workflows::ProcessStatus},
    },
    iconik::{self, State, seed, state::Object},
};
use tests::{
    messages,
    storm::{Broken, IconikIntervention, Intervention, Made, Meanwhile, Scenario, World},
};

/// The asset that is signed off: two versions, of which the second is approved.
pub(crate) const FILM: &str = "Harbour Lights 30s";
const FLOW: &str = "start-signoff";
/// What the reviewer says: an Arabic sentence, and behind it what would be shown as another decision.
pub(crate) const SAID: &str = "\u{645}\u{646} \u{641}\u{636}\u{644}\u{643} \u{202e}detcejer";

const IN_CONTENT_SERVER: &[Intervention] = &[
    Intervention { name: "the workflow is suspended", act: suspend },
    Intervention { name: "the workflow is stopped", act: stop },
    Intervention { name: "the workflow is deleted", act: delete_workflows },
];

const IN_ICONIK: &[IconikIntervention] = &[
    IconikIntervention { name: "the asset goes into the recycle bin", act: delete_asset },
    IconikIntervention { name: "a reviewer takes the verdict back", act: take_back },
    IconikIntervention { name: "the version is deleted", act: delete_version },
];

const APPROVED: &[Meanwhile] =
    &[Meanwhile { after: Duration::from_secs(5), what: |world| Box::pin(decide(world, "Approve")) }];
const REJECTED: &[Meanwhile] =
    &[Meanwhile { after: Duration::from_secs(5), what: |world| Box::pin(decide(world, "Reject")) }];
const WITHDRAWN: &[Meanwhile] =
    &[Meanwhile { after: Duration::from_secs(5), what: |world| Box::pin(withdraw(world)) }];
const RESUBMITTED: &[Meanwhile] = &[
    Meanwhile { after: Duration::from_secs(5), what: |world| Box::pin(decide(world, "Reject")) },
    Meanwhile { after: Duration::from_secs(10), what: |world| Box::pin(resubmit(world)) },
];
const FILED_LATER: &[Meanwhile] =
    &[Meanwhile { after: Duration::from_secs(600), what: |world| Box::pin(async { file(world) }) }];

fn story(name: &'static str, prepare: fn(&World), clean: (usize, usize, usize)) -> Scenario {
    Scenario {
        interventions: IN_CONTENT_SERVER,
        in_iconik: IN_ICONIK,
        promise: Some(one_workflow_truly_told),
        ..Scenario::of_iconik(name, &START_SIGNOFF, "", prepare, |world| vec![hint(world, "1")], clean)
    }
}

pub(crate) fn scenarios() -> Vec<Scenario> {
    vec![
        story("an approval starts its sign-off", file, (1, 0, 0)),
        Scenario {
            messages: |world| vec![hint(world, "1"), hint(world, "2")],
            ..story("two hints of one approval", file, (1, 1, 0))
        },
        Scenario { meanwhile: APPROVED, ..story("what is signed off is told", file, (2, 1, 0)) },
        Scenario { meanwhile: REJECTED, ..story("what is rejected is told", file, (2, 1, 0)) },
        Scenario { meanwhile: WITHDRAWN, ..story("a withdrawn review ends its sign-off", file, (2, 1, 0)) },
        Scenario { meanwhile: RESUBMITTED, ..story("a rejected version is reviewed again", file, (3, 1, 0)) },
        Scenario {
            meanwhile: FILED_LATER,
            ..story("a version is filed after its approval", |_| (), (1, 0, 0))
        },
    ]
}

// --- what there is ---------------------------------------------------------------------------------------------------

pub(crate) fn film(world: &World) -> String {
    world.iconik().with_state(|state| state.titled(FILM)).expect("it is seeded")
}

/// The versions of the film, oldest first.
pub(crate) fn versions(state: &State, asset: &str) -> Vec<String> {
    let versions = state.assets.get(asset).and_then(|asset| asset.get("versions")).and_then(Value::as_array);
    let mut versions: Vec<&Value> = versions.into_iter().flatten().collect();
    versions.sort_by_key(|version| version["version_number"].as_i64());
    versions.iter().filter_map(|version| version["id"].as_str()).map(str::to_owned).collect()
}

pub(crate) fn hint(world: &World, occasion: &str) -> String {
    messages::iconik_change(FLOW, "assets", &film(world), Some("signoff"), occasion)
}

pub(crate) fn object(value: Value) -> Object {
    value.as_object().cloned().unwrap_or_default()
}

/// The approved version is in Content Server, and iconik says as which document.
pub(crate) fn file(world: &World) {
    let node = world.content_server.with_state(|state| {
        let parent_id = state.at("Claims").expect("the claims").id;
        let content = Blob::of(b"%PDF-1.7 the film".to_vec());
        let new = NewNode {
            kind: kind::DOCUMENT,
            parent_id,
            name: "harbour-lights-30s.pdf".to_owned(),
            version: Some(NewVersion::of("harbour-lights-30s.pdf", "application/pdf", content)),
            ..NewNode::default()
        };
        state.create(archive::WAYBILL, new).expect("a document")
    });
    set(world, "ContentServerNode", &json!(node));
}

/// Writes a field that shows what Content Server knows, as the editor.
pub(crate) fn set(world: &World, field: &str, value: &Value) {
    let asset = film(world);
    world.iconik().with_state(|state| {
        let values = object(json!({field: {"field_values": [{"value": value}]}}));
        let of = ("assets", asset.as_str());
        state
            .write_values(seed::EDITOR, of, seed::metadata::GOVERNANCE_VIEW, &values, false)
            .expect("written")
    });
}

/// What the schedule sends.
pub(crate) fn scheduled(world: &World) -> String {
    let time = world.context.now().to_string();
    json!({"version": "0", "detail-type": SCHEDULED, "source": "aws.events", "time": time, "detail": {}})
        .to_string()
}

// --- what happens meanwhile ------------------------------------------------------------------------------------------

/// Waits until a workflow runs, or nothing will start one any more.
async fn wait_for_a_workflow(world: &World) {
    for _ in 0..720 {
        let runs = world.content_server.with_state(|state| {
            state.processes.values().any(|process| process.status == ProcessStatus::Running)
        });
        if runs || world.waiting() == 0 {
            break;
        }
        tokio::time::sleep(Duration::from_secs(10)).await;
    }
    // Whoever tells of it has ended by then, when nothing went wrong.
    tokio::time::sleep(Duration::from_secs(5)).await;
}

/// A reviewer decides, the workflow says so, and a round follows.
pub(crate) async fn decide(world: &World, disposition: &'static str) {
    wait_for_a_workflow(world).await;
    let processes = world.content_server.with_state(|state| {
        let reviewer = state.member_by_name("claims.reviewer").expect("a reviewer").id;
        let running: Vec<i64> =
            state.processes.values().filter(|process| runs(process)).map(|process| process.id).collect();
        for id in &running {
            if let Some(process) = state.processes.get_mut(id) {
                process.status = ProcessStatus::Running;
            }
            if state.finish_task(reviewer, *id, 1, disposition, SAID).is_ok() && disposition == "Approve" {
                state.finish_task(ADMIN, *id, 2, "SendOn", "").expect("sent on");
            }
        }
        running
    });
    for process in processes {
        world.send(&messages::node_change(FLOW, process, Some(COMPLETED), "")).await;
    }
    // The push is dealt with by then: a worker looks at an empty queue every 20 seconds.
    tokio::time::sleep(Duration::from_secs(30)).await;
    world.send(&scheduled(world)).await;
}

fn runs(process: &Process) -> bool {
    matches!(process.status, ProcessStatus::Running | ProcessStatus::Suspended)
}

/// A reviewer takes the verdict back, and nobody tells of it but a round.
async fn withdraw(world: &World) {
    wait_for_a_workflow(world).await;
    take_back(world.iconik());
    world.send(&scheduled(world)).await;
}

/// The version is reviewed once more, and approved.
async fn resubmit(world: &World) {
    let asset = film(world);
    world.iconik().with_state(|state| {
        let version = versions(state, &asset).pop().expect("a version");
        let request = object(json!({"version_id": version, "users": [seed::PRODUCER], "min_number": 1}));
        state.request_approval(seed::EDITOR, "assets", &asset, &request).expect("asked");
        let key = state.approval_key("assets", &asset, Some(&version)).expect("a key");
        state.decide(seed::PRODUCER, &key, "APPROVED").expect("approved");
    });
    world.send(&hint(world, "again")).await;
}

// --- what people do --------------------------------------------------------------------------------------------------

/// What a process says of itself once people were at it.
const TOUCHED: &str = "touched by people";

fn each_running(server: &content_server::Simulator, status: ProcessStatus) {
    server.with_state(|state| {
        for process in state.processes.values_mut().filter(|process| runs(process)) {
            process.status = status;
            TOUCHED.clone_into(&mut process.comment);
        }
    });
}

fn suspend(server: &content_server::Simulator) {
    each_running(server, ProcessStatus::Suspended);
}

fn stop(server: &content_server::Simulator) {
    each_running(server, ProcessStatus::Stopped);
}

pub(crate) fn delete_workflows(server: &content_server::Simulator) {
    server.with_state(|state| {
        let all: Vec<i64> = state.processes.keys().copied().collect();
        all.into_iter().for_each(|process| state.delete_process(ADMIN, process).expect("deleted"));
    });
}

fn the_film(state: &State) -> String {
    state.titled(FILM).expect("it is seeded")
}

pub(crate) fn delete_asset(tenant: &iconik::Simulator) {
    tenant.with_state(|state| {
        let asset = the_film(state);
        // It may be there already.
        let _ = state.delete(seed::PRODUCER, "assets", &asset);
    });
}

pub(crate) fn take_back(tenant: &iconik::Simulator) {
    tenant.with_state(|state| {
        let asset = the_film(state);
        let version = versions(state, &asset).pop().expect("a version");
        let key = state.approval_key("assets", &asset, Some(&version)).expect("a key");
        let _ = state.take_back(seed::PRODUCER, &key, seed::PRODUCER);
    });
}

pub(crate) fn delete_version(tenant: &iconik::Simulator) {
    tenant.with_state(|state| {
        let asset = the_film(state);
        let newest = versions(state, &asset).pop().expect("a version");
        let held = state.assets.get_mut(&asset).and_then(|asset| asset.get_mut("versions"));
        for version in held.and_then(Value::as_array_mut).into_iter().flatten() {
            if version["id"] == newest.as_str() {
                version["status"] = "DELETED".into();
            }
        }
    });
}

// --- what must hold --------------------------------------------------------------------------------------------------

/// What the flow says to people in iconik: history and comments.
pub(crate) fn said(state: &State) -> Vec<String> {
    let text =
        |held: &Object, name: &str| held.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
    let history = state.history.objects().map(|entry| text(entry, "operation_description"));
    let comments = state.review.segments.objects();
    let comments = comments.filter(|segment| text(segment, "external_id").starts_with("waybill-signoff"));
    let comments = comments.map(|segment| format!("comment: {}", text(segment, "segment_text")));
    let mut said: Vec<String> =
        history.filter(|entry| entry.starts_with("Sign-off")).chain(comments).collect();
    said.sort();
    said
}

/// What the ledger knows of workflows: by number, how each ended.
fn closed(world: &World) -> BTreeMap<i64, Option<String>> {
    let text =
        |record: &Value, name: &str| record.pointer(&format!("/{name}/S"))?.as_str().map(str::to_owned);
    let ours = world.ledger().into_iter().filter_map(|record| {
        (text(&record, "pk")? == "start-signoff#seen#workflows").then_some(())?;
        let facts: Value = serde_json::from_str(&text(&record, "facts")?).ok()?;
        Some((text(&record, "sk")?.parse().ok()?, facts["closed"].as_str().map(str::to_owned)))
    });
    ours.collect()
}

/// How a workflow ended, by itself.
fn decision(process: &Process) -> Option<&'static str> {
    let review = process.finished.iter().find(|finished| finished.step == "Review");
    match (process.status, review.map(|finished| finished.action.as_str())) {
        (ProcessStatus::Completed, Some("Approve")) => Some("approved"),
        (ProcessStatus::Completed, _) => Some("rejected"),
        _ => None,
    }
}

fn broken<T>(what: String) -> Result<T, Broken> {
    Err(Broken(what))
}

/// One workflow per reviewed version, whatever happened; nothing is said twice or under a name that did not decide; nobody's
/// verdict is the flow's; and what iconik shows is what Content Server decided.
fn one_workflow_truly_told(world: &World, clean: &Made) -> Result<(), Broken> {
    let made = world.made();
    if let Some(twice) = made.workflows.windows(2).find(|pair| pair[0] == pair[1]) {
        return broken(format!("two workflows of one round: {}", twice[0]));
    }
    let running = world
        .content_server
        .with_state(|state| state.processes.values().filter(|process| runs(process)).count());
    if running > 1 {
        return broken(format!("{running} workflows of one version run"));
    }
    let (told, forged) = world.iconik().with_state(|state| {
        let verdicts = state.review.approvals.values().flat_map(|approval| &approval.verdicts);
        let forged = verdicts.filter(|verdict| verdict.user.as_deref() == Some(seed::SERVICE)).count();
        (said(state), forged)
    });
    if forged > 0 {
        return broken("the service user has given a verdict".to_owned());
    }
    if let Some(twice) = told.windows(2).find(|pair| pair[0] == pair[1]) {
        return broken(format!("said twice: {}", twice[0]));
    }
    decisions_are_theirs(world, &told)?;
    as_in_a_calm_night(world, &made, clean)
}

/// What the flow holds a workflow to have decided is what it decided, and a person who did not decide is not named.
fn decisions_are_theirs(world: &World, told: &[String]) -> Result<(), Broken> {
    for (process, closed) in closed(world) {
        let process = world.content_server.with_state(|state| state.processes.get(&process).cloned());
        let Some(process) = process else { continue };
        let decided = decision(&process);
        if let Some(closed) = closed
            && ["approved", "rejected"].contains(&closed.as_str())
            && decided != Some(closed.as_str())
        {
            return broken(format!("held to be {closed}, and the workflow says {decided:?}"));
        }
        let number = format!("(workflow {})", process.id);
        let names_a_decision = |line: &&String| {
            line.ends_with(&number) && (line.contains("approved by") || line.contains("rejected by"))
        };
        if let Some(line) = told.iter().find(names_a_decision)
            && !(decided.is_some() && by_name(world, line).contains("Claims Reviewer (claims.reviewer)"))
        {
            return broken(format!("{line:?} is told of a workflow that says {decided:?}"));
        }
    }
    Ok(())
}

/// Where nobody meddled and nothing was given up, both systems end as in a calm night; never is there more.
fn as_in_a_calm_night(world: &World, made: &Made, clean: &Made) -> Result<(), Broken> {
    let meddled = world.content_server.with_state(|state| {
        closed(world)
            .keys()
            .any(|id| state.processes.get(id).is_none_or(|process| process.comment == TOUCHED))
    }) || is_lapsed(world, clean);
    let gave_up =
        world.endings().iter().any(|one| one.starts_with("quarantined") || one.starts_with("failed"));
    if meddled || gave_up || !world.dead_letters().is_empty() {
        return Ok(());
    }
    let (seen, expected) = (plain(world, &made.iconik), plain(world, &clean.iconik));
    if made.workflows != clean.workflows || seen != expected {
        return broken(format!(
            "the systems differ from a calm night ({:?}).\n--- calm\n{clean}\n--- seen\n{made}",
            world.endings()
        ));
    }
    Ok(())
}

/// Whether people did to the film what they do in no calm night.
fn is_lapsed(world: &World, clean: &Made) -> bool {
    let stands = |facts: &[String]| {
        let about = |fact: &&String| {
            fact.contains("approval") || fact.contains("status = \"DELETED\"") || fact.contains("version ")
        };
        facts.iter().filter(about).filter(|fact| !fact.contains("history")).cloned().collect::<Vec<_>>()
    };
    let deleted = world.iconik().with_state(|state| {
        let asset = the_film(state);
        let versions = state.assets.get(&asset).and_then(|asset| asset.get("versions")).cloned();
        versions.is_some_and(|versions| versions.to_string().contains("DELETED"))
    });
    deleted || stands(&world.made().iconik) != stands(&clean.iconik)
}

/// Facts without what follows from when, from who came first, and from how often the fields were written on the way.
fn plain(world: &World, facts: &[String]) -> Vec<String> {
    let numbers = Regex::new("[0-9]+").expect("a pattern");
    let facts = facts.iter().filter(|fact| !fact.ends_with(": history METADATA "));
    let mut plain: Vec<String> =
        facts.map(|fact| numbers.replace_all(&by_name(world, fact), "#").into_owned()).collect();
    plain.sort();
    plain
}

/// A sentence in which people have their names. Who is hidden from the flow has a number.
fn by_name(world: &World, line: &str) -> String {
    let hidden = Regex::new("user ([0-9]+)").expect("a pattern");
    let name = |found: &regex::Captures<'_>| {
        let member = world
            .content_server
            .with_state(|state| found[1].parse().ok().and_then(|id: i64| state.members.get(&id).cloned()));
        let full = |one: content_server::state::Member| {
            format!("{} {} ({})", one.first_name, one.last_name, one.name)
        };
        member.map_or_else(|| found[0].to_owned(), full)
    };
    hidden.replace_all(line, name).into_owned()
}
