//! What the settings of `publish-approved` do that no story has, and what happens where nothing can be published.

use std::{collections::BTreeMap, time::Duration};

use serde_json::{Value, json};
use shared::{links::Token, node_change::NodeChange};
use simulators::content_server::{
    Blob, State, seed,
    state::{ADMIN, NewNode, NewVersion, kind},
};
use tests::storm::{CONTENT, Drive, Fault, Form, LINK_ADDRESS, Made, QUARANTINE, Scenario, World, drive};

use crate::publish_approved::{
    FLOOD, STORM, add_unapproved, approve, by_version, change, content, files, first, hold, hour,
    one_approved, only_the_approved, packed, path, plant, rules, scenarios, sha256,
};

fn story(rules: &'static str, prepare: fn(&World)) -> Scenario {
    Scenario { name: "settings", rules, prepare, ..scenarios()[0] }
}

async fn played(story: &Scenario) -> World {
    let world = World::new(story, BTreeMap::new(), None, 1).await;
    for body in first(&world) {
        world.send(&body).await;
    }
    work(&world, story).await;
    world
}

async fn work(world: &World, story: &Scenario) {
    assert!(drive(world, story.flow, Drive::default()).await, "the queue never becomes quiet");
}

/// The link that the category tells.
fn link(world: &World, name: &str) -> Option<String> {
    let value = world.content_server.with_state(|state| {
        let node = state.at(&path(name)).expect("the document").id;
        state.value_of(node, "Publication", "Partner Link").cloned()
    });
    value.and_then(|link| link.as_str().map(str::to_owned)).filter(|link| !link.is_empty())
}

/// Whether a link that was told is still open.
fn is_open(world: &World, link: &str) -> bool {
    let token = link.strip_prefix(&format!("{LINK_ADDRESS}/")).expect("the address before the token");
    let pk = format!("link#{}", Token::presented(token).id().text());
    let ledger = world.ledger();
    let record = ledger.iter().find(|record| {
        let text = |name: &str| record.pointer(&format!("/{name}/S")).and_then(Value::as_str);
        text("pk") == Some(&pk) && text("sk") == Some("record")
    });
    record.expect("a record").get("revoked_at").is_none()
}

fn published(world: &World) -> Vec<(String, String)> {
    let objects = world.aws.s3().versions(CONTENT).into_iter();
    objects.map(|object| (object.key, sha256(&object.data))).collect()
}

/// The codes of reasons that lie in the quarantine bucket, all of them with a remedy.
fn reasons(world: &World) -> Vec<String> {
    let objects = world.aws.s3().versions(QUARANTINE).into_iter();
    let reasons =
        objects.map(|object| serde_json::from_slice::<Value>(&object.data).expect("JSON")["reason"].clone());
    reasons
        .map(|reason| {
            assert!(reason["remedy"].is_string(), "{reason}");
            reason["code"].as_str().unwrap_or_default().to_owned()
        })
        .collect()
}

#[tokio::test(start_paused = true)]
async fn a_link_follows_or_ends_when_another_version_is_approved_as_its_audience_says() {
    for (superseded, follows) in [("follow", true), ("end", false)] {
        let line = format!("valid_days = 30\nsuperseded = \"{superseded}\"");
        let story = story(by_version().replace("valid_days = 30", &line).leak(), one_approved);
        let world = played(&story).await;
        let before = link(&world, STORM).expect("a link");
        approve(&world.content_server, STORM, "Approved", 2);
        world.send(&change(&world, STORM, None, "another version")).await;
        work(&world, &story).await;
        let after = link(&world, STORM).expect("a link");
        assert_eq!((before == after, is_open(&world, &before)), (follows, follows), "{superseded}");
        assert!(is_open(&world, &after), "{superseded}");
        assert_eq!(only_the_approved(&world, &Made::default()), Ok(()), "{superseded}");
    }
}

#[tokio::test(start_paused = true)]
async fn what_is_on_hold_is_published_where_the_rule_says_so_and_withdrawn_elsewhere() {
    for (line, stays) in [("held = \"publish\"", true), ("", false)] {
        let rules = by_version().replace("key = \"guides", &format!("{line}\nkey = \"guides")).leak();
        let story = story(rules, one_approved);
        let world = played(&story).await;
        let before = link(&world, STORM).expect("a link");
        hold(&world.content_server);
        world.send(&change(&world, STORM, None, "held")).await;
        work(&world, &story).await;
        assert_eq!(
            (published(&world).len(), is_open(&world, &before)),
            (usize::from(stays), stays),
            "{line:?}"
        );
        // Another version is approved while the hold is in force.
        approve(&world.content_server, STORM, "Approved", 2);
        world.send(&change(&world, STORM, None, "another version")).await;
        work(&world, &story).await;
        let second = ("guides/Storm damage.pdf".to_owned(), sha256(&content(STORM, 2)));
        assert_eq!(published(&world), if stays { vec![second] } else { Vec::new() }, "{line:?}");
        assert_eq!(reasons(&world), Vec::<String>::new());
    }
}

#[tokio::test(start_paused = true)]
async fn a_key_that_something_else_has_is_left_alone_and_told() {
    fn stranger(world: &World) {
        one_approved(world);
        assert!(world.aws.s3().put(CONTENT, "guides/Storm damage.pdf", b"somebody's".as_slice()));
    }
    let world = played(&story(by_version(), stranger)).await;
    assert_eq!(reasons(&world), ["publish.key-taken"]);
    assert_eq!(published(&world), [("guides/Storm damage.pdf".to_owned(), sha256(b"somebody's"))]);
    assert_eq!(link(&world, STORM), None);
}

#[tokio::test(start_paused = true)]
async fn of_two_documents_of_one_key_the_first_stays_published() {
    fn namesakes(world: &World) {
        one_approved(world);
        world.content_server.with_state(|state| another_folder(state, STORM));
    }
    let story = story(by_version(), namesakes);
    let world = played(&story).await;
    let before = (published(&world), link(&world, STORM).expect("a link"));
    world.send(&change(&world, &format!("Later/{STORM}"), None, "the other one")).await;
    work(&world, &story).await;
    assert_eq!(reasons(&world), ["publish.key-taken"]);
    assert_eq!((published(&world), link(&world, STORM).expect("a link")), before);
    assert!(is_open(&world, &before.1));
}

/// A document of the same name, approved, in a folder below.
fn another_folder(state: &mut State, name: &str) {
    let folder = NewNode {
        kind: kind::FOLDER,
        parent_id: seed::GUIDELINES,
        name: "Later".into(),
        ..NewNode::default()
    };
    let folder = state.create(ADMIN, folder).expect("a folder");
    let version = NewVersion::of(name, "application/pdf", Blob::of(b"%PDF-1.7 another one".to_vec()));
    let new = NewNode { kind: kind::DOCUMENT, parent_id: folder, name: name.into(), ..NewNode::default() };
    let node = state.create(ADMIN, NewNode { version: Some(version), ..new }).expect("a document");
    let values = [("2", json!("Approved")), ("3", json!(1)), ("4", json!("2031-07-01"))];
    let values = values.map(|(key, value)| (key.to_owned(), value)).into_iter().collect();
    state.add_category(ADMIN, node, seed::DOCUMENT_APPROVAL, &values).expect("a category");
}

#[tokio::test(start_paused = true)]
async fn a_bucket_without_versions_is_told_and_keeps_nothing() {
    let story = Scenario { content_versioned: false, ..story(by_version(), one_approved) };
    let world = played(&story).await;
    assert_eq!(reasons(&world), ["publish.bucket-without-versions"]);
    assert_eq!(published(&world), []);
    assert_eq!(link(&world, STORM), None);
}

/// Reading takes longer than an invocation has: the next one goes on with what was read.
#[tokio::test(start_paused = true)]
async fn a_package_takes_as_many_invocations_as_it_needs() {
    const FOUR: [(&str, i64); 4] = [(STORM, 1), (FLOOD, 2), ("Fire.pdf", 1), ("Hail.pdf", 2)];
    fn four(world: &World) {
        world.content_server.with_state(|state| {
            FOUR.into_iter().for_each(|(name, approved)| plant(state, name, approved));
        });
    }
    let reads = |world: &World| -> Vec<usize> {
        let calls = world.tap.calls().into_iter().enumerate();
        calls.filter(|(_, call)| call.what.ends_with("/content")).map(|(number, _)| number).collect()
    };
    let invocations =
        |world: &World| 1 + world.tap.calls().iter().filter(|call| call.what.contains("SendMessage")).count();
    let story = story(packed(), four);
    let clean = played(&story).await;
    assert_eq!((reads(&clean).len(), invocations(&clean)), (8, 1), "each document is read, and read again");

    // Behind what is asked before them, two slow readings take 44 of the 50 seconds that an item has.
    let slow = |number| (number, Fault::HoldAfter(Duration::from_secs(20)));
    let slow: BTreeMap<usize, Fault> = reads(&clean).into_iter().take(2).map(slow).collect();
    let before = clean.tap.calls().into_iter().take(reads(&clean)[0]);
    let before = before.filter(|call| call.form == Form::Vendor).count() as u64;
    let world = World::new(&story, slow, None, 1).await;
    world.set_content_server(|settings| settings.latency_milliseconds = 4_000 / before, "");
    for body in first(&world) {
        world.send(&body).await;
    }
    work(&world, &story).await;
    assert_eq!(world.endings(), ["delivered"]);
    assert_eq!((reads(&world).len(), invocations(&world)), (8, 2));
    let objects = world.aws.s3().versions(CONTENT);
    let packages: Vec<_> = objects.iter().map(|object| files(&object.key, &object.data)).collect();
    let whole = FOUR.map(|(name, version)| (name.to_owned(), sha256(&content(name, version))));
    assert_eq!(packages, [Ok(whole.into())]);
}

/// A person has the document reviewed in a workflow that the service user manages; it ends with this disposition.
fn reviewed(world: &World, disposition: &str) -> i64 {
    world.content_server.with_state(|state| {
        state.workflow_maps.get_mut(&seed::DOCUMENT_REVIEW).expect("the map").managers = vec![seed::WAYBILL];
        let node = state.at(&path(STORM)).expect("the document").id;
        let draft = state.create_draft(ADMIN, seed::DOCUMENT_REVIEW, vec![node]).expect("a draft");
        let process = state.initiate_draft(ADMIN, draft, "").expect("a workflow");
        state.finish_task(ADMIN, process, 1, disposition, "").expect("a decision");
        // What is rejected has ended by that.
        let _ = state.finish_task(ADMIN, process, 2, "SendOn", "");
        process
    })
}

fn requested(world: &World, node: i64, request: &str) -> String {
    let change = NodeChange::about(node, Some(request), world.context.now().to_string());
    change.envelope("watch-content-server", "publish-approved", &world.context).expect("an envelope")
}

fn by_workflow() -> &'static str {
    rules("key = \"guides/{node.name}\"\napproved = { by = \"workflow\", step = \"Review\", dispositions = [\"Approve\"] }")
        .replace("expires = \"Valid Until\"\n", "")
        .leak()
}

#[tokio::test(start_paused = true)]
async fn what_a_workflow_approves_is_published_as_it_was_then_whether_a_push_tells_of_it_or_the_hour() {
    let minute = || tokio::time::sleep(Duration::from_secs(60));
    for pushed in [true, false] {
        let story = story(by_workflow(), one_approved);
        let world = played(&story).await;
        assert_eq!(published(&world), [], "no workflow has ended yet");
        minute().await;
        let rejected = reviewed(&world, "Reject");
        minute().await;
        let approved = reviewed(&world, "Approve");
        minute().await;
        // Nobody has approved what comes afterwards.
        add_unapproved(&world.content_server);
        if pushed {
            for process in [rejected, approved, approved, 999_999] {
                world.send(&requested(&world, process, "workflow-completed")).await;
                work(&world, &story).await;
                minute().await;
            }
        }
        for _ in 0..2 {
            world.send(&hour(&world)).await;
            work(&world, &story).await;
            minute().await;
        }
        let second = ("guides/Storm damage.pdf".to_owned(), sha256(&content(STORM, 2)));
        assert_eq!(published(&world), [second], "{pushed}: {:?}", world.endings());
        assert!(link(&world, STORM).is_some_and(|link| is_open(&world, &link)));

        // What somebody withdraws is not approved again by the workflow that did so before.
        let node = world.content_server.with_state(|state| state.at(&path(STORM)).expect("the document").id);
        world.send(&requested(&world, node, "withdraw")).await;
        work(&world, &story).await;
        world.send(&requested(&world, approved, "workflow-completed")).await;
        world.send(&hour(&world)).await;
        work(&world, &story).await;
        assert_eq!(published(&world), [], "{pushed}");
        assert_eq!(reasons(&world), Vec::<String>::new());
    }
}

#[tokio::test(start_paused = true)]
async fn what_a_later_workflow_rejects_is_withdrawn_in_whatever_order_they_are_told_of() {
    let orders: [&[usize]; 8] =
        [&[0, 1], &[1, 0], &[0, 1, 2], &[2, 1, 0], &[1, 0, 2], &[1, 2, 0], &[0, 2, 1], &[2, 0, 1]];
    for order in orders {
        let story = story(by_workflow(), one_approved);
        let world = played(&story).await;
        let mut told = Vec::new();
        for disposition in ["Approve", "Reject", "Approve"].into_iter().take(order.len()) {
            tokio::time::sleep(Duration::from_secs(60)).await;
            told.push(reviewed(&world, disposition));
        }
        tokio::time::sleep(Duration::from_secs(60)).await;
        for at in order {
            world.send(&requested(&world, told[*at], "workflow-completed")).await;
            work(&world, &story).await;
        }
        let seen = published(&world);
        if order.len() == 2 {
            assert_eq!(seen, [], "{order:?}: {:?}", world.endings());
            assert!(link(&world, STORM).is_none_or(|link| !is_open(&world, &link)), "{order:?}");
        } else {
            assert_eq!(seen.len(), 1, "{order:?}: {:?}", world.endings());
        }
        assert_eq!(reasons(&world), Vec::<String>::new(), "{order:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_version_of_the_very_second_of_the_decision_is_left_to_a_person() {
    let story = story(by_workflow(), one_approved);
    let world = played(&story).await;
    tokio::time::sleep(Duration::from_secs(60)).await;
    let approved = reviewed(&world, "Approve");
    add_unapproved(&world.content_server);
    world.send(&requested(&world, approved, "workflow-completed")).await;
    work(&world, &story).await;
    assert_eq!((published(&world), reasons(&world)), (Vec::new(), vec!["approval.ambiguous".to_owned()]));
}
