//! Uploads become attachments of a workflow, which is started once; what is approved comes out, what is rejected does not.

use std::time::Duration;

use s3_content_server::stage_attachments::{COMPLETED, SCHEDULED};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use shared::context::Context;
use simulators::{
    content_server::state::{ADMIN, Node, Process, kind},
    faults::{Action, Rule},
};
use tests::installation::Keeping;

use crate::world::{Usual, World, bytes, content};

const RULES: &str = r#"
[[rule]]
name = "contracts"
key = "contracts/{contract}/{name}"

[rule.workflow]
map = "Enterprise:Workflow Maps/Document Review"
title = "Review of contract {capture.contract}"
attributes = { Reason = "New draft of {capture.contract}" }

[rule.decision]
step = "Review"
approved = ["Approve"]

[rule.output]
prefix = "approved/"
folder = "{capture.contract}"
"#;

const TAGS: &[&str] = &["waybill-decision", "waybill-process"];

fn usual() -> Usual {
    Usual {
        rules: Some(|_| RULES.into()),
        uploads: true,
        content: Some(Keeping::Versions),
        ..Usual::of("stage-attachments")
    }
}

/// The workflows there are.
fn workflows(world: &World) -> Vec<Process> {
    world.ecm.with_state(|state| state.processes.values().cloned().collect())
}

/// The one workflow, with its attachments by name.
fn only_workflow(world: &World) -> (Process, Vec<Node>) {
    let mut all = workflows(world);
    assert_eq!(all.len(), 1, "workflows; {}", world.told());
    let process = all.remove(0);
    let children = world
        .ecm
        .with_state(|state| state.children(process.attachments).into_iter().cloned().collect::<Vec<_>>());
    (process, children)
}

/// A reviewer decides, and the workflow goes on to its end.
fn decide(world: &World, process: i64, disposition: &str) {
    world.ecm.with_state(|state| {
        state.finish_task(ADMIN, process, 1, disposition, "").expect("decided");
        if disposition == "Approve" {
            state.finish_task(ADMIN, process, 2, "SendOn", "").expect("sent on");
        }
    });
}

/// What the tags of an input say.
async fn tags(world: &World, key: &str) -> Vec<String> {
    let place = &world.place;
    let answer = place.s3.get_object_tagging().bucket(&place.intake).key(key).send().await.expect("tags");
    let value = |name: &&str| {
        let tag = answer.tag_set.iter().find(|tag| tag.key == **name);
        tag.map_or_else(String::new, |tag| tag.value.clone())
    };
    TAGS.iter().map(value).collect()
}

#[tokio::test]
async fn uploads_are_reviewed_together_and_what_is_approved_comes_out_with_its_manifest() {
    let world = World::with(usual()).await;
    let (draft, annex) = (content(300_000, 1), content(9_000_000, 2));
    world.upload("contracts/C-1/draft 1.pdf", draft.clone()).await;
    world.upload("contracts/C-1/annex a+b.pdf", annex.clone()).await;
    world.settle().await;
    assert_eq!(world.endings().await, ["delivered", "delivered"], "{}", world.told());
    let (process, attachments) = only_workflow(&world);
    assert!(process.title.starts_with("Review of contract C-1 ["), "{}", process.title);
    assert_eq!(process.values["WorkflowForm_10"], "New draft of C-1");
    let names: Vec<&str> = attachments.iter().map(|node| node.name.as_str()).collect();
    assert_eq!(names, ["annex a+b.pdf", "draft 1.pdf"]);
    assert!(attachments.iter().all(|node| node.kind == kind::DOCUMENT));
    assert!(bytes(&attachments[0]) == annex && bytes(&attachments[1]) == draft, "the attached bytes");
    assert!(world.kept().await.is_empty(), "nothing comes out before it is decided");

    decide(&world, process.id, "Approve");
    world.request(process.id, COMPLETED).await;
    world.settle().await;
    assert_eq!(world.endings().await, ["delivered", "delivered", "delivered"], "{}", world.told());
    let output = world.objects(&world.place.content).await;
    assert!(output["approved/C-1/1/annex a+b.pdf"] == annex && output["approved/C-1/1/draft 1.pdf"] == draft);
    assert_eq!(output.len(), 4, "two documents, manifest and marker: {:?}", output.keys());
    let manifest: Value = serde_json::from_slice(&output["approved/C-1/1/manifest.json"]).unwrap();
    let marker: Value = serde_json::from_slice(&output["approved/C-1/1/_COMPLETE"]).unwrap();
    let sha256 = |bytes: &[u8]| hex::encode(Sha256::digest(bytes));
    assert_eq!(marker["sha256"], sha256(&output["approved/C-1/1/manifest.json"]));
    assert_eq!(manifest["workflow"]["disposition"], "Approve");
    assert_eq!(manifest["documents"][1]["sha256"], sha256(&draft));
    assert_eq!(manifest["inputs"][1]["key"], "contracts/C-1/draft 1.pdf");
    for key in ["contracts/C-1/draft 1.pdf", "contracts/C-1/annex a+b.pdf"] {
        assert_eq!(tags(&world, key).await, ["approved".to_owned(), process.id.to_string()], "{key}");
    }

    // The next upload of the case begins its second round.
    world.upload("contracts/C-1/draft 2.pdf", content(1_000, 3)).await;
    world.settle().await;
    let titles: Vec<String> = workflows(&world).into_iter().map(|process| process.title).collect();
    assert!(titles.len() == 2 && titles[0].ends_with("-1]") && titles[1].ends_with("-2]"), "{titles:?}");
}

#[tokio::test]
async fn what_is_rejected_has_no_output_and_a_round_finds_it_without_a_push() {
    let world = World::with(usual()).await;
    world.upload("contracts/C-2/draft.pdf", content(10_000, 4)).await;
    world.settle().await;
    let (process, _) = only_workflow(&world);
    let round = || {
        let time = Context::system().now().to_string();
        json!({"version": "0", "detail-type": SCHEDULED, "source": "aws.events", "time": time}).to_string()
    };
    world.send(&round()).await;
    world.settle().await;
    assert_eq!(world.endings().await, ["delivered", "skipped look.done"], "it still runs; {}", world.told());

    decide(&world, process.id, "Reject");
    world.send(&round()).await;
    world.settle().await;
    let endings = ["delivered", "delivered", "skipped look.done", "skipped look.done"];
    assert_eq!(world.endings().await, endings, "{}", world.told());
    assert!(world.kept().await.is_empty());
    let told = tags(&world, "contracts/C-2/draft.pdf").await;
    assert_eq!(told, ["rejected".to_owned(), process.id.to_string()]);
}

#[tokio::test]
async fn killed_after_the_workflow_was_started_it_starts_no_second_one() {
    let world = World::with(Usual { timeout: Duration::from_secs(4), visibility: 2, ..usual() }).await;
    world.upload("contracts/C-3/draft.pdf", content(10_000, 5)).await;
    // The workflow is started, the answer is lost, and so is the function while it looks for it.
    let answer_lost = Rule::next(Action::DropAfterEffect).on("PUT", "/draftprocesses/").call(2);
    world.ecm.faults().add(answer_lost).unwrap();
    let slow = Rule::next(Action::Delay { milliseconds: 3000 }).on("GET", "/workflows/status").call(3);
    world.ecm.faults().add(slow).unwrap();
    let delivery = world.delivering();
    while workflows(&world).is_empty() {
        assert!(!delivery.is_finished(), "it made none; {}", world.told());
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    for process in world.function.processes() {
        process.kill();
    }
    assert_eq!(delivery.await.unwrap().stay, 1);
    // Killed before its slow look, it must not leave that to the next process, whose time would not suffice.
    world.ecm.faults().clear();
    world.settle().await;
    assert_eq!(world.endings().await, ["delivered"], "{}", world.told());
    let (_, attachments) = only_workflow(&world);
    assert_eq!(attachments.len(), 1, "attached once");
}

#[tokio::test]
async fn what_cannot_be_attached_is_put_aside_with_its_reason() {
    let nowhere = Usual {
        rules: Some(|_| RULES.replace("Workflow Maps/Document Review", "Workflow Maps/No Such Map")),
        ..usual()
    };
    let world = World::with(nowhere).await;
    world.upload("contracts/C-4/draft.pdf", content(10_000, 6)).await;
    world.upload("elsewhere/draft.pdf", content(10_000, 7)).await;
    world.settle().await;
    assert_eq!(world.endings().await, ["quarantined rule.none", "quarantined workflow.map-missing"]);
    assert!(workflows(&world).is_empty());
}
