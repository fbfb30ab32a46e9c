//! The stories of `exchange-review-status`: reviews of regulated assets, their evidence, and what each side is told.

use std::collections::BTreeSet;

use iconik_content_server::EXCHANGE_REVIEW_STATUS;
use serde_json::{Value, json};
use shared::audit;
use simulators::{
    content_server,
    iconik::{Simulator, State, seed, state::Object},
};
use tests::{
    messages, repository,
    storm::{Broken, Fault, IconikIntervention, Intervention, Made, Scenario, World, clean, one_fault},
};

const FLOW: &str = "exchange-review-status";
const ASSET: &str = "Using the inhaler";
const FOLDER: &str = "Digitised Archive";
pub(crate) const FILM: &str = "inhaler.mp4";
const EVIDENCE: &str = "Review evidence ";
/// What our own comments are called.
const OURS: &str = "waybill:review:";
/// An Arabic sentence, and behind it what would be shown as another name.
const SAID: &str = "\u{645}\u{646} \u{202e}gpj.exe";

const IN_CONTENT_SERVER: &[Intervention] = &[
    Intervention { name: "the approval of the document is revoked", act: revoke },
    Intervention { name: "somebody alters the evidence", act: alter },
    Intervention { name: "the document is deleted", act: delete_document },
];

const IN_ICONIK: &[IconikIntervention] = &[
    IconikIntervention { name: "a reviewer comments", act: say },
    IconikIntervention { name: "a reviewer changes a comment", act: edit },
    IconikIntervention { name: "a comment is deleted", act: delete },
    IconikIntervention { name: "a reviewer takes the verdict back", act: take_back },
    IconikIntervention { name: "the review is withdrawn", act: withdraw },
    IconikIntervention { name: "the version is deleted", act: delete_version },
    IconikIntervention { name: "the asset goes into the recycle bin", act: recycle },
];

pub(crate) fn scenarios() -> Vec<Scenario> {
    vec![
        Scenario {
            interventions: IN_CONTENT_SERVER,
            in_iconik: IN_ICONIK,
            told: |world| vec![hint(world, "told")],
            ..story("a review leaves evidence, and each side is told of the other", (1, 1, 0))
        },
        Scenario {
            messages: |world| vec![hint(world, "1"), hint(world, "2"), of_document(world)],
            ..story("hints that come together add each event once", (1, 4, 0))
        },
        Scenario {
            iconik: Some(|theirs| theirs.index.lag_seconds = 15),
            ..story("a comment is in no list yet when its hint comes", (2, 0, 0))
        },
        Scenario {
            prepare: |world| {
                prepare(world);
                approve_and_delete(world.iconik());
                // What an asset holds belongs to a version.
                file(world);
            },
            ..story("an approval of a version that was deleted is kept, and told to nobody", (0, 1, 1))
        },
    ]
}

fn story(name: &'static str, clean: (usize, usize, usize)) -> Scenario {
    let messages: fn(&World) -> Vec<String> = |world| vec![hint(world, "1")];
    Scenario {
        promise: Some(evidence_holds),
        ..Scenario::of_iconik(name, &EXCHANGE_REVIEW_STATUS, "", prepare, messages, clean)
    }
}

// --- what there is ---------------------------------------------------------------------------------------------------

pub(crate) fn asset(state: &State) -> String {
    state.titled(ASSET).expect("it is seeded")
}

fn object(value: Value) -> Object {
    value.as_object().cloned().unwrap_or_default()
}

pub(crate) fn document(world: &World) -> Option<i64> {
    let film = |state: &mut content_server::State| {
        state.nodes.values().find(|node| node.name == FILM).map(|node| node.id)
    };
    world.content_server.with_state(film)
}

/// A film that was filed, whose document is approved in Content Server; its reviewers in iconik do not agree.
pub(crate) fn prepare(world: &World) {
    let server = &world.content_server;
    let node = repository::document(server, FOLDER, FILM, "video/mp4", &[b"the film".to_vec()]);
    repository::set_value(server, node, "Document Approval", "Status", "Approved".into());
    let approver = server.with_state(|state| state.member_by_name("claims.reviewer").expect("a reviewer").id);
    repository::set_value(server, node, "Document Approval", "Approver", approver.into());
    file(world);
    world.iconik().with_state(|state| {
        let id = asset(state);
        let said = object(json!({"segment_type": "COMMENT", "segment_text": SAID}));
        state.add_segment(seed::REVIEWER, &id, None, &said).expect("a comment");
    });
}

/// iconik says as which document the asset was filed.
fn file(world: &World) {
    let node = document(world);
    world.iconik().with_state(|state| {
        let id = asset(state);
        let values = object(json!({"ContentServerNode": {"field_values": [{"value": node}]}}));
        state.write_directly(seed::EDITOR, ("assets", &id), &values);
    });
}

fn approve_and_delete(iconik: &Simulator) {
    iconik.with_state(|state| {
        let key = state.approval_key("assets", &asset(state), None).expect("a review");
        for reviewer in [seed::PRODUCER, seed::REVIEWER] {
            state.decide(reviewer, &key, "APPROVED").expect("a verdict");
        }
    });
    delete_version(iconik);
}

pub(crate) fn hint(world: &World, occasion: &str) -> String {
    let id = world.iconik().with_state(|state| asset(state));
    messages::iconik_change(FLOW, "assets", &id, None, occasion)
}

fn of_document(world: &World) -> String {
    messages::node_change(FLOW, document(world).expect("the document"), None, "3")
}

// --- what people do --------------------------------------------------------------------------------------------------

/// Comments of people that are there.
fn comments(state: &State) -> Vec<String> {
    let id = asset(state);
    let is_theirs = |segment: &&Object| {
        segment["asset_id"] == id.as_str()
            && segment["segment_type"] == "COMMENT"
            && segment["status"] == "ACTIVE"
            && !segment["external_id"].as_str().unwrap_or_default().starts_with(OURS)
    };
    let theirs = state.review.segments.objects().filter(is_theirs);
    theirs.filter_map(|segment| segment["id"].as_str().map(str::to_owned)).collect()
}

fn say(iconik: &Simulator) {
    iconik.with_state(|state| {
        let said = object(json!({"segment_type": "COMMENT", "segment_text": "die Dosis stimmt jetzt"}));
        let id = asset(state);
        state.add_segment(seed::REVIEWER, &id, None, &said).expect("a comment");
    });
}

fn edit(iconik: &Simulator) {
    iconik.with_state(|state| {
        let (id, comment) = (asset(state), comments(state).remove(0));
        let said = object(json!({"segment_text": "the dose is right now", "segment_checked": true}));
        state.edit_segment(seed::REVIEWER, &id, &comment, &said).expect("an edit");
    });
}

fn delete(iconik: &Simulator) {
    iconik.with_state(|state| {
        let (id, comment) = (asset(state), comments(state).remove(0));
        state.delete_segment(seed::REVIEWER, &id, &comment, true).expect("deleted");
    });
}

fn take_back(iconik: &Simulator) {
    iconik.with_state(|state| {
        let key = state.approval_key("assets", &asset(state), None).expect("a review");
        let reviewer = state.approval(&key).expect("a review").verdicts[0].user.clone().expect("a user");
        state.take_back(&reviewer, &key, &reviewer).expect("taken back");
    });
}

fn withdraw(iconik: &Simulator) {
    iconik.with_state(|state| {
        let key = state.approval_key("assets", &asset(state), None).expect("a review");
        state.delete_request(seed::EDITOR, &key).expect("withdrawn");
    });
}

fn delete_version(iconik: &Simulator) {
    iconik.with_state(|state| {
        let id = asset(state);
        let newest = state.approval_key("assets", &id, None).expect("a version").version_id;
        let held = state.assets.get_mut(&id).and_then(|asset| asset.get_mut("versions"));
        for version in held.and_then(Value::as_array_mut).into_iter().flatten() {
            if version["id"].as_str() == newest.as_deref() {
                version["status"] = "DELETED".into();
            }
        }
    });
}

fn recycle(iconik: &Simulator) {
    iconik.with_state(|state| {
        let id = asset(state);
        state.delete(seed::PRODUCER, "assets", &id).expect("deleted");
    });
}

fn revoke(server: &content_server::Simulator) {
    let node = repository::at(server, &format!("{FOLDER}/{FILM}"));
    repository::set_value(server, node, "Document Approval", "Status", "Revoked".into());
}

fn alter(server: &content_server::Simulator) {
    let found = server.with_state(|state| {
        state.nodes.values().find(|node| node.name.starts_with(EVIDENCE)).map(|node| node.id)
    });
    // There may be none yet.
    if let Some(node) = found {
        repository::version(server, node, "evidence.jsonl", "application/x-ndjson", b"{}\n");
    }
}

fn delete_document(server: &content_server::Simulator) {
    let node = repository::at(server, &format!("{FOLDER}/{FILM}"));
    server.with_state(|state| state.delete(content_server::state::ADMIN, node)).expect("deleted");
}

// --- what must hold --------------------------------------------------------------------------------------------------

fn broken<T>(what: String) -> Result<T, Broken> {
    Err(Broken(what))
}

/// The chain of the asset in the ledger.
pub(crate) fn chain(world: &World) -> Vec<String> {
    let mut lines: Vec<(String, String)> = world
        .ledger()
        .into_iter()
        .filter_map(|record| {
            let text = |name: &str| record.pointer(&format!("/{name}/S")).and_then(Value::as_str);
            text("pk")?.starts_with(&format!("{FLOW}#log#review-")).then_some(())?;
            Some((text("sk")?.to_owned(), text("entry")?.to_owned()))
        })
        .collect();
    lines.sort();
    lines.into_iter().map(|(_, line)| line).collect()
}

/// The lines of each version of the evidence, the newest last.
fn evidence(world: &World) -> Vec<Vec<String>> {
    world.content_server.with_state(|state| {
        let found = state.nodes.values().find(|node| node.name.starts_with(EVIDENCE));
        let versions = found.map(|node| node.versions.clone()).unwrap_or_default();
        let lines = |bytes: &[u8]| String::from_utf8_lossy(bytes).lines().map(str::to_owned).collect();
        versions.iter().map(|version| lines(&version.content.bytes().expect("kept"))).collect()
    })
}

/// Whether something ended otherwise than in a calm night, so that a person has to look first.
fn is_given_up(world: &World) -> bool {
    let is_bad = |ending: &String| {
        let is_expected = ending == "quarantined review.version-deleted";
        (ending.starts_with("quarantined") || ending.starts_with("failed")) && !is_expected
    };
    world.endings().iter().any(is_bad) || !world.dead_letters().is_empty()
}

/// Whatever happened: the chain verifies and has each event once, nobody's verdict is the flow's, and nothing is told twice.
/// Where nothing was given up: the evidence is the chain, it has each thing as it is now, and both sides know what it says.
fn evidence_holds(world: &World, _: &Made) -> Result<(), Broken> {
    let chain = chain(world);
    if let Err(tampering) = audit::verify(&chain.join("\n"), None) {
        return broken(format!("the chain does not verify: {tampering}"));
    }
    let entries: Vec<Value> = chain.iter().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    let identities: BTreeSet<&str> =
        entries.iter().map(|entry| entry["detail"]["identity"].as_str().unwrap_or_default()).collect();
    if identities.len() != entries.len() {
        return broken(format!("an event is in the chain twice: {chain:#?}"));
    }
    nothing_is_told_twice(world, &entries)?;
    let is_recycled = world
        .iconik()
        .with_state(|state| state.assets.get(&asset(state)).is_none_or(|asset| asset["status"] == "DELETED"));
    if is_given_up(world) || is_recycled {
        return Ok(());
    }
    evidence_is_the_chain(world, &chain)?;
    comments_are_as_they_are(world, &entries)?;
    both_sides_know(world, &entries)
}

fn evidence_is_the_chain(world: &World, chain: &[String]) -> Result<(), Broken> {
    let versions = evidence(world);
    if versions.last().map(Vec::as_slice) != Some(chain) {
        return broken(format!("the newest evidence is not the chain: {versions:#?}"));
    }
    // What arrived damaged is followed by the whole.
    let damaged = versions.iter().filter(|version| !chain.starts_with(version)).count();
    if damaged > 1 {
        return broken(format!("{damaged} versions of the evidence are no beginning of the newest"));
    }
    Ok(())
}

fn comments_are_as_they_are(world: &World, entries: &[Value]) -> Result<(), Broken> {
    let last = |subject: &str| entries.iter().rev().find(|entry| entry["detail"]["subject"] == subject);
    let there = world.iconik().with_state(|state| {
        let text = |id: &String| state.review.segments.get(id).map(|segment| segment["segment_text"].clone());
        comments(state).into_iter().map(|id| (text(&id), id)).collect::<Vec<_>>()
    });
    for (text, comment) in &there {
        let said = last(&format!("comment/{comment}")).map(|entry| entry["detail"]["text"].clone());
        if said != *text {
            return broken(format!("of a comment the evidence says {said:?}, and it is {text:?}"));
        }
    }
    let subjects: BTreeSet<&str> =
        entries.iter().map(|entry| entry["detail"]["subject"].as_str().unwrap_or_default()).collect();
    for comment in subjects.iter().filter_map(|subject| subject.strip_prefix("comment/")) {
        let is_gone =
            last(&format!("comment/{comment}")).is_some_and(|entry| entry["detail"]["action"] == "deleted");
        if there.iter().any(|(_, id)| id == comment) == is_gone {
            return broken(format!("the evidence does not know whether comment {comment} is there"));
        }
    }
    Ok(())
}

/// What was said in iconik: our comments, and entries of the history.
pub(crate) fn told(world: &World) -> [Vec<String>; 2] {
    world.iconik().with_state(|state| {
        let text = |held: &Object, name: &str| held[name].as_str().unwrap_or_default().to_owned();
        let ours = state.review.segments.objects().filter(|held| text(held, "external_id").starts_with(OURS));
        let comments = ours.map(|held| text(held, "external_id")).collect();
        let history = state.history.objects().map(|held| text(held, "operation_description"));
        [comments, history.filter(|said| said.starts_with("Content Server: ")).collect()]
    })
}

fn nothing_is_told_twice(world: &World, entries: &[Value]) -> Result<(), Broken> {
    let states = entries.iter().filter(|entry| entry["detail"]["kind"] == "document").count();
    for said in told(world) {
        let different: BTreeSet<&String> = said.iter().collect();
        if different.len() != said.len() || said.len() > states {
            return broken(format!("{states} states of the document were told as {said:?}"));
        }
    }
    let forged = world.iconik().with_state(|state| {
        let verdicts = state.review.approvals.values().flat_map(|approval| &approval.verdicts);
        verdicts.filter(|verdict| verdict.user.as_deref() == Some(seed::SERVICE)).count()
    });
    if forged > 0 {
        return broken("the service user has given a verdict".to_owned());
    }
    Ok(())
}

fn both_sides_know(world: &World, entries: &[Value]) -> Result<(), Broken> {
    let (stands, shown) = world.iconik().with_state(|state| {
        let id = asset(state);
        let versions = state.assets.get(&id).map(|asset| asset["versions"].clone()).unwrap_or_default();
        let versions = versions.as_array().cloned().unwrap_or_default();
        let there = versions.iter().filter(|version| version["status"] == "ACTIVE");
        let reviewed = there.filter_map(|version| {
            let key = state.approval_key("assets", &id, version["id"].as_str()).ok()?;
            Some((version["version_number"].as_i64(), state.approval(&key).ok()?.status.clone()))
        });
        (reviewed.max().map(|(_, status)| status), state.values_of(("assets", &id), "DocumentState"))
    });
    let was_told = entries.iter().any(|entry| {
        let detail = &entry["detail"];
        detail["kind"] == "review" && detail["notice"] != "review.version-deleted"
    });
    let expected = stands.or(was_told.then(|| "N/A".to_owned()));
    let node = document(world).expect("the document");
    let status = repository::value(&world.content_server, node, "Review", "Status");
    if status != expected.clone().map(Value::from) {
        return broken(format!("the document is told {status:?} instead of {expected:?}"));
    }
    let state = repository::value(&world.content_server, node, "Document Approval", "Status");
    if shown.first().map(|shown| Value::from(shown.as_str())) != state {
        return broken(format!("the asset is told {shown:?} instead of {state:?}"));
    }
    let states = entries.iter().filter(|entry| entry["detail"]["kind"] == "document").count();
    let said = told(world).map(|said| said.len());
    if said != [states, states] {
        return broken(format!("{states} states of the document were told {said:?} times"));
    }
    Ok(())
}

/// A worker may die with half of what it saw in the chain; whoever comes in between adds the rest.
#[test]
fn an_approval_of_a_deleted_version_is_put_aside_once_whichever_items_keep_it() {
    let stories = scenarios();
    let story = stories.last().expect("the story of the deleted version");
    let calm = clean(story);
    let kept = calm.calls.iter().enumerate().filter(|(_, call)| call.what.contains("PutItem"));
    for (number, call) in kept {
        for fault in [Fault::CrashBefore, Fault::CrashAfter] {
            let ended = one_fault(story, &calm.made, number, fault, None).outcome;
            let put_aside = ended.expect("what holds in the end").get("quarantined").copied();
            assert_eq!(put_aside, Some(1), "{fault:?} at call {number} ({})", call.what);
        }
    }
}
