//! Why `stage-attachments` puts something aside, told by what it writes for people; and what it does when a decision is
//! changed, and when it shall do nothing.

use std::{collections::BTreeMap, time::Duration};

use s3_content_server::STAGE_ATTACHMENTS;
use serde_json::{Value, json};
use shared::flow::Entry;
use simulators::content_server::{
    Blob,
    state::{ADMIN, NewNode, NewVersion, Permission, kind},
};
use tests::storm::{CONTENT, Drive, INTAKE, Meanwhile, QUARANTINE, Scenario, StoredObject, World, drive};

use crate::stage_attachments::{APPROVED, change_mind, decide, delete, one, pdf, rules, running, scheduled};

fn story(rules: &'static str) -> Scenario {
    Scenario::of("reasons", &STAGE_ATTACHMENTS, rules, one, (0, 0, 1))
}

/// The world at the end of a story.
async fn played(story: &Scenario) -> World {
    let world = World::new(story, BTreeMap::new(), None, 1).await;
    play(&world, story, story.flow).await;
    world
}

async fn play(world: &World, story: &Scenario, flow: &'static Entry) {
    for object in (story.objects)() {
        world.upload(&object).await;
    }
    let (quiet, ()) = tokio::join!(drive(world, flow, Drive::default()), world.live(story));
    assert!(quiet, "the queue never becomes quiet");
}

/// The reasons that lie in the quarantine bucket.
fn reasons(world: &World) -> Vec<Value> {
    let objects = world.aws.s3().versions(QUARANTINE).into_iter();
    let reasons = objects.filter(|object| object.key.ends_with(".reason.json"));
    reasons.map(|object| serde_json::from_slice::<Value>(&object.data).unwrap()["reason"].clone()).collect()
}

async fn is_put_aside_as(story: Scenario, code: &str) {
    let world = played(&story).await;
    let reasons = reasons(&world);
    let codes: Vec<&str> = reasons.iter().filter_map(|reason| reason["code"].as_str()).collect();
    assert_eq!(codes, [code]);
    assert!(reasons[0]["remedy"].is_string() || code == "empty-object", "{code} has no remedy");
    let output = world.aws.s3().versions(CONTENT);
    assert!(output.is_empty(), "{code}: {output:?}");
}

fn with(from: &str, to: &str) -> &'static str {
    let rules = rules("", "");
    assert!(rules.contains(from), "{from}");
    rules.replace(from, to).leak()
}

#[tokio::test(start_paused = true)]
async fn a_workflow_map_that_is_missing_or_none_is_told() {
    for place in ["Enterprise:Workflow Maps/No Such Map", "Enterprise:Claims", "Enterprise:Board Minutes"] {
        let rules = with("Enterprise:Workflow Maps/Document Review", place);
        is_put_aside_as(story(rules), "workflow.map-missing").await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_form_without_the_rules_attribute_is_told_and_the_next_upload_is_not_kept_waiting() {
    is_put_aside_as(story(with("Reason =", "Motive =")), "content-server.attribute-unknown").await;
    fn two() -> Vec<StoredObject> {
        let other = StoredObject::new("cases/C-1/terms.pdf", "application/pdf", pdf("terms"));
        one().into_iter().chain([other]).collect()
    }
    let story = Scenario { objects: two, ..story(with("Reason =", "Motive =")) };
    let codes: Vec<Value> =
        reasons(&played(&story).await).iter().map(|reason| reason["code"].clone()).collect();
    assert_eq!(codes, [json!("content-server.attribute-unknown"), json!("content-server.attribute-unknown")]);
}

#[tokio::test(start_paused = true)]
async fn a_workflow_that_is_not_there_or_there_twice_is_told() {
    let only_running = with("attributes =", "start = false\nattributes =");
    is_put_aside_as(story(only_running), "workflow.none").await;
    fn twice(world: &World) {
        running(world);
        running(world);
    }
    is_put_aside_as(Scenario { prepare: twice, ..story(rules("", "")) }, "workflow.ambiguous").await;
}

#[tokio::test(start_paused = true)]
async fn what_is_wrong_with_an_upload_is_told() {
    fn elsewhere() -> Vec<StoredObject> {
        vec![StoredObject::new("elsewhere/offer.pdf", "application/pdf", pdf("offer"))]
    }
    fn empty() -> Vec<StoredObject> {
        vec![StoredObject::new("cases/C-1/offer.pdf", "application/pdf", Vec::new())]
    }
    is_put_aside_as(Scenario { objects: elsewhere, ..story(rules("", "")) }, "rule.none").await;
    is_put_aside_as(Scenario { objects: empty, ..story(rules("", "")) }, "empty-object").await;
    let small = with("key = \"cases", "max_size = \"5 B\"\nkey = \"cases");
    is_put_aside_as(story(small), "object-too-large").await;
    let original = rules("as = \"shortcut\"\noriginal = \"{user.node}\"", "");
    for (node, code) in [
        (None, "missing-value"),
        (Some("the third"), "attachment.original-unreadable"),
        (Some("999999"), "attachment.original-missing"),
        (Some("3001"), "attachment.original-missing"),
    ] {
        let world = World::new(&story(original), BTreeMap::new(), None, 1).await;
        let object = one().remove(0);
        let metadata: Vec<_> = node.into_iter().map(|node| ("node", node)).collect();
        world.upload(&object.metadata(&metadata)).await;
        assert!(drive(&world, &STAGE_ATTACHMENTS, Drive::default()).await);
        assert_eq!(reasons(&world)[0]["code"], code);
    }
}

#[tokio::test(start_paused = true)]
async fn an_original_of_other_content_is_told() {
    fn other(world: &World) {
        let node = world.content_server.with_state(|state| {
            let parent_id = state.at("Claims").unwrap().id;
            let version = NewVersion::of("offer.pdf", "application/pdf", Blob::of(pdf("another offer")));
            let new =
                NewNode { kind: kind::DOCUMENT, parent_id, name: "offer.pdf".into(), ..NewNode::default() };
            state.create(ADMIN, NewNode { version: Some(version), ..new }).unwrap()
        });
        assert_eq!(node, 100_001);
    }
    fn offer() -> Vec<StoredObject> {
        one().into_iter().map(|object| object.metadata(&[("node", "100001")])).collect()
    }
    let rules = rules("as = \"shortcut\"\noriginal = \"{user.node}\"", "");
    let story = Scenario { prepare: other, objects: offer, ..story(rules) };
    is_put_aside_as(story, "attachment.original-differs").await;
}

#[tokio::test(start_paused = true)]
async fn attachments_that_cannot_be_added_to_are_told() {
    fn without_folder(world: &World) {
        running(world);
        world.content_server.with_state(|state| {
            state.processes.values_mut().for_each(|process| process.attachments = 0);
        });
    }
    fn read_only(world: &World) {
        running(world);
        world.content_server.with_state(|state| {
            let folders: Vec<i64> = state.processes.values().map(|process| process.attachments).collect();
            let reading = [Permission::See, Permission::SeeContents];
            for folder in folders {
                let permissions = &mut state.nodes.get_mut(&folder).unwrap().permissions;
                for rights in permissions.custom.values_mut() {
                    *rights = reading.into_iter().collect();
                }
            }
        });
    }
    fn taken(world: &World) {
        running(world);
        world.content_server.with_state(|state| {
            let folder = state.processes.values().next().unwrap().attachments;
            let version = NewVersion::of("offer.pdf", "application/pdf", Blob::of(pdf("somebody's offer")));
            let new = NewNode {
                kind: kind::DOCUMENT,
                parent_id: folder,
                name: "offer.pdf".into(),
                ..NewNode::default()
            };
            state.create(ADMIN, NewNode { version: Some(version), ..new }).unwrap();
        });
    }
    is_put_aside_as(Scenario { prepare: without_folder, ..story(rules("", "")) }, "attachments.missing")
        .await;
    is_put_aside_as(Scenario { prepare: read_only, ..story(rules("", "")) }, "attachments.forbidden").await;
    is_put_aside_as(Scenario { prepare: taken, ..story(rules("", "")) }, "attachment.name-taken").await;
}

#[tokio::test(start_paused = true)]
async fn a_decision_that_cannot_be_read_is_told_and_nothing_comes_out() {
    let elsewhere =
        Scenario { meanwhile: APPROVED, ..story(with("step = \"Review\"", "step = \"Signing\"")) };
    let world = played(&elsewhere).await;
    // Once for the push, and once for the round.
    let codes: Vec<Value> = reasons(&world).iter().map(|reason| reason["code"].clone()).collect();
    assert_eq!(codes, [json!("decision.missing"), json!("decision.missing")]);
    assert!(world.aws.s3().versions(CONTENT).is_empty());

    const DELETED: &[Meanwhile] = &[Meanwhile {
        after: Duration::from_secs(60),
        what: |world| {
            Box::pin(async move {
                delete(&world.content_server);
                world.send(&scheduled(world)).await;
            })
        },
    }];
    is_put_aside_as(Scenario { meanwhile: DELETED, ..story(rules("", "")) }, "workflow.gone").await;
}

/// The round finds what no push has told, and what was told otherwise before.
#[tokio::test(start_paused = true)]
async fn a_decision_that_is_changed_later_is_followed_in_both_directions() {
    const CHANGED_TWICE: &[Meanwhile] = &[
        Meanwhile { after: Duration::from_secs(5), what: |world| Box::pin(decide(world, "Approve")) },
        Meanwhile {
            after: Duration::from_secs(600),
            what: |world| {
                Box::pin(async move {
                    assert_eq!(says(world), ("approved".to_owned(), 3), "document, manifest, marker");
                    change_mind(&world.content_server);
                    world.send(&scheduled(world)).await;
                })
            },
        },
        Meanwhile {
            after: Duration::from_secs(700),
            what: |world| {
                Box::pin(async move {
                    assert_eq!(says(world), ("rejected".to_owned(), 0));
                    change_mind(&world.content_server);
                    world.send(&scheduled(world)).await;
                })
            },
        },
    ];
    let story = Scenario { meanwhile: CHANGED_TWICE, ..story(rules("", "")) };
    let world = played(&story).await;
    assert_eq!(says(&world), ("approved".to_owned(), 3));
    assert_eq!(reasons(&world), Vec::<Value>::new());
}

/// What the input says was decided, and how many objects the output has.
fn says(world: &World) -> (String, usize) {
    let inputs = world.aws.s3().versions(INTAKE);
    let decision = inputs[0].tags.get("waybill-decision").cloned().unwrap_or_default();
    (decision, world.aws.s3().versions(CONTENT).len())
}

#[tokio::test(start_paused = true)]
async fn a_dry_run_does_nothing() {
    let story = story(rules("", ""));
    let world = World::new(&story, BTreeMap::new(), None, 1).await.dry();
    play(&world, &story, &STAGE_ATTACHMENTS).await;
    assert_eq!(world.made(), tests::storm::Made::default());
    assert_eq!(reasons(&world), Vec::<Value>::new());
    assert!(world.waiting() == 0 && world.aws.s3().versions(INTAKE)[0].tags.is_empty());
}
