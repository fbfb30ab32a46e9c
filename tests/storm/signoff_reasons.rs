//! Why `start-signoff` does nothing, or puts something aside; and what stands in iconik and Content Server then.

use std::collections::BTreeMap;

use iconik_content_server::{
    START_SIGNOFF,
    signoff_rules::SAMPLE,
    start_signoff::{COMPLETED, RESUBMIT},
};
use serde_json::{Value, json};
use simulators::{
    content_server::state::{ADMIN, Process},
    iconik::seed,
};
use tests::{
    messages,
    storm::{Drive, QUARANTINE, Scenario, World, clean, drive, overtaken},
};

use crate::start_signoff::{
    FILM, SAID, delete_asset, delete_version, delete_workflows, file, film, hint, object, said, scheduled,
    set, take_back, versions,
};

const FLOW: &str = "start-signoff";

fn story(rules: &'static str, prepare: fn(&World)) -> Scenario {
    Scenario::of_iconik("reasons", &START_SIGNOFF, rules, prepare, |world| vec![hint(world, "1")], (0, 0, 1))
}

/// The packaged rules with a word changed.
fn with(from: &str, to: &str) -> &'static str {
    assert!(SAMPLE.contains(from), "{from}");
    SAMPLE.replace(from, to).leak()
}

async fn world_of(rules: &'static str, prepare: fn(&World)) -> World {
    World::new(&story(rules, prepare), BTreeMap::new(), None, 1).await
}

/// Sends messages and works the queue until it is quiet.
async fn deal_with(world: &World, messages: &[String]) {
    for message in messages {
        world.send(message).await;
    }
    assert!(drive(world, &START_SIGNOFF, Drive::default()).await, "the queue never becomes quiet");
}

async fn played(rules: &'static str, prepare: fn(&World)) -> World {
    let world = world_of(rules, prepare).await;
    let hint = hint(&world, "1");
    deal_with(&world, &[hint]).await;
    world
}

fn workflows(world: &World) -> Vec<Process> {
    world.content_server.with_state(|state| state.processes.values().cloned().collect())
}

fn push(process: i64, occasion: &str) -> String {
    messages::node_change(FLOW, process, Some(COMPLETED), occasion)
}

/// A value that shows what Content Server knows of the film; `null` when it has none.
fn shown(world: &World, field: &str) -> Value {
    let asset = film(world);
    world
        .iconik()
        .with_state(|state| state.values_of(("assets", &asset), field).into_iter().next().unwrap_or_default())
}

fn told(world: &World) -> Vec<String> {
    world.iconik().with_state(|state| said(state))
}

fn finish(world: &World, process: i64, task: i64, action: &str, comment: &str) {
    world.content_server.with_state(|state| {
        let reviewer =
            if task == 1 { state.member_by_name("claims.reviewer").expect("a reviewer").id } else { ADMIN };
        state.finish_task(reviewer, process, task, action, comment).expect("done");
    });
}

/// The reasons that lie in the quarantine bucket.
fn reasons(world: &World) -> Vec<Value> {
    let objects = world.aws.s3().versions(QUARANTINE).into_iter();
    let reasons = objects.filter(|object| object.key.ends_with(".reason.json"));
    reasons.map(|object| serde_json::from_slice::<Value>(&object.data).unwrap()["reason"].clone()).collect()
}

fn is_put_aside(world: &World, code: &str) {
    let reasons = reasons(world);
    let codes: Vec<&str> = reasons.iter().filter_map(|reason| reason["code"].as_str()).collect();
    assert_eq!(codes, [code], "{:?}", world.endings());
    assert!(reasons[0]["remedy"].is_string(), "{code} has no remedy");
}

#[tokio::test(start_paused = true)]
async fn what_needs_no_sign_off_is_skipped_with_the_reason() {
    fn in_the_bin(world: &World) {
        delete_asset(world.iconik());
    }
    fn without_the_version(world: &World) {
        delete_version(world.iconik());
    }
    fn taken_back(world: &World) {
        file(world);
        take_back(world.iconik());
    }
    fn purged(world: &World) {
        let asset = film(world);
        world.iconik().with_state(|state| {
            state.delete(seed::PRODUCER, "assets", &asset).expect("deleted");
            state.purge(seed::PRODUCER, "assets", &asset).expect("purged");
        });
    }
    let none = with("[\"campaign\", \"final\"]", "[\"news\"]");
    for (rules, prepare, code) in [
        ("", in_the_bin as fn(&World), "asset.in-recycle-bin"),
        ("", taken_back, "review.not-approved"),
        (none, file, "rule.none"),
    ] {
        let world = played(rules, prepare).await;
        assert_eq!(world.endings(), [format!("skipped {code}")]);
        assert!(workflows(&world).is_empty() && told(&world).is_empty(), "{code}");
    }
    // An approval for a version that was deleted, named by who tells of it.
    let world = world_of("", file).await;
    let (asset, newest) =
        (film(&world), world.iconik().with_state(|state| versions(state, &film_id(state)).pop()));
    without_the_version(&world);
    let named = messages::iconik_change(FLOW, "assets", &asset, Some("signoff"), "1");
    let mut named: Value = serde_json::from_str(&named).unwrap();
    named["data"]["version_id"] = json!(newest);
    deal_with(&world, &[named.to_string()]).await;
    assert_eq!(world.endings(), ["skipped version.deleted"]);
    // One that is wholly gone, an asset nobody reviewed, and a collection.
    let world = world_of("", file).await;
    let gone = hint(&world, "1");
    let other = world.iconik().with_state(|state| state.titled("Harbour at dawn")).expect("it is seeded");
    purged(&world);
    let nobody = messages::iconik_change(FLOW, "assets", &other, None, "1");
    let collection = messages::iconik_change(FLOW, "collections", &other, None, "1");
    deal_with(&world, &[gone, nobody, collection]).await;
    assert_eq!(world.endings(), ["skipped asset.gone", "skipped object.not-an-asset", "skipped review.none"]);
}

fn film_id(state: &simulators::iconik::State) -> String {
    state.titled(FILM).expect("it is seeded")
}

#[tokio::test(start_paused = true)]
async fn a_workflow_map_that_is_gone_or_none_is_told_and_another_hint_starts_it_once_it_is_back() {
    for place in ["Enterprise:Workflow Maps/No Such Map", "Enterprise:Claims", "Enterprise:Board Minutes"] {
        let world = played(with("Enterprise:Workflow Maps/Document Review", place), file).await;
        is_put_aside(&world, "workflow.map-missing");
        assert!(workflows(&world).is_empty() && told(&world).is_empty());
    }
    let world = played(with("Reason =", "Motive ="), file).await;
    is_put_aside(&world, "content-server.attribute-unknown");
    let corrected = world.content_server.with_state(|state| {
        let map =
            state.workflow_maps.values_mut().find(|map| map.name == "Document Review").expect("the map");
        map.fields.push(("WorkflowForm_12".to_owned(), "Motive".to_owned()));
        map.id
    });
    let again = hint(&world, "2");
    deal_with(&world, &[again]).await;
    let started = workflows(&world);
    assert_eq!(started.iter().map(|process| process.map).collect::<Vec<_>>(), [corrected]);
}

#[tokio::test(start_paused = true)]
async fn a_document_that_is_none_or_is_never_filed_is_told() {
    fn no_document(world: &World) {
        set(world, "ContentServerNode", &json!(2000));
    }
    fn no_node(world: &World) {
        set(world, "ContentServerNode", &json!(999_999));
    }
    for prepare in [no_document as fn(&World), no_node] {
        let world = played("", prepare).await;
        is_put_aside(&world, "document.missing");
    }
    let world = played("", |_| ()).await;
    is_put_aside(&world, "document.not-filed");
    assert!(workflows(&world).is_empty(), "nobody signs off what is not there");
    let unattached =
        with("[rule.document]\nnode = \"{governance.ContentServerNode}\"\nwait = \"4 hours\"\n", "");
    let world = played(unattached, |_| ()).await;
    assert_eq!(world.endings(), ["delivered"]);
    assert!(workflows(&world)[0].documents.is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_metadata_view_that_changed_and_an_option_it_lacks_are_told_after_everything_else() {
    let lacks = with("decided_by = \"SignoffDecidedBy\"", "decided_by = \"DecidedBy\"");
    let world = played(lacks, file).await;
    is_put_aside(&world, "iconik.field-not-in-view");
    assert_eq!(workflows(&world).len(), 1, "the sign-off goes on");
    assert_eq!(told(&world).len(), 1, "and people are told of it");
    let lacks = with("undecided = \"filed\"", "undecided = \"filed\"\nin_signoff = \"at work\"");
    let world = played(lacks, file).await;
    is_put_aside(&world, "iconik.no-such-choice");
    assert_eq!(workflows(&world).len(), 1);
}

#[tokio::test(start_paused = true)]
async fn each_step_and_the_decision_are_told_with_who_took_them_and_what_they_said() {
    let world = played("", file).await;
    let process = workflows(&world).remove(0);
    assert!(process.title.starts_with("Sign-off of Harbour Lights 30s, version 2 ["), "{}", process.title);
    assert_eq!(process.documents.len(), 1);
    let reason = process.values["WorkflowForm_10"].as_str().expect("a reason");
    assert!(reason.starts_with("Campaign Harbour Lights, approved by "), "{reason}");
    assert_eq!(
        (shown(&world, "ContentServerState"), shown(&world, "SignoffStep")),
        (json!("in_signoff"), json!("Review"))
    );

    finish(&world, process.id, 1, "Approve", SAID);
    let round = scheduled(&world);
    deal_with(&world, &[round]).await;
    assert_eq!(
        (shown(&world, "SignoffStep"), shown(&world, "SignoffDecision")),
        (json!("File"), Value::Null)
    );
    let comments: Vec<String> = told(&world).into_iter().filter(|line| line.starts_with("comment")).collect();
    let [comment] = comments.as_slice() else { panic!("{comments:?}") };
    assert!(
        comment.contains("\"Review\" was ended as \"Approve\" by Claims Reviewer (claims.reviewer)"),
        "{comment}"
    );
    // Every letter is there, and what would turn round what follows is closed.
    assert!(comment.ends_with(&format!("\u{2068}{SAID}\u{202c}\u{2069}")), "{comment:?}");

    finish(&world, process.id, 2, "SendOn", "");
    deal_with(&world, &[push(process.id, "")]).await;
    assert_eq!(shown(&world, "ContentServerState"), json!("signed_off"));
    assert_eq!(
        (shown(&world, "SignoffDecision"), shown(&world, "SignoffStep")),
        (json!("approved"), Value::Null)
    );
    assert_eq!(shown(&world, "SignoffDecidedBy"), json!("Claims Reviewer (claims.reviewer)"));
    let ended = format!(
        "Sign-off of version 2: approved by Claims Reviewer (claims.reviewer) (workflow {})",
        process.id
    );
    assert!(
        told(&world).contains(&ended) && told(&world).contains(&format!("comment: {ended}")),
        "{:#?}",
        told(&world)
    );
    let before = told(&world);
    let repeated = hint(&world, "2");
    deal_with(&world, &[push(process.id, "again"), repeated]).await;
    assert_eq!(told(&world), before);
    assert!(world.endings().contains(&"skipped decision.already".to_owned()));
    assert!(world.endings().contains(&"skipped signoff.decided".to_owned()));
    assert_eq!(workflows(&world).len(), 1);
}

#[tokio::test(start_paused = true)]
async fn where_content_server_does_not_say_who_did_it_nobody_is_named() {
    let world = world_of("", file).await;
    world.set_content_server(|settings| settings.workflow_steps_name_people = false, "");
    let hint = hint(&world, "1");
    deal_with(&world, &[hint]).await;
    let process = workflows(&world).remove(0);
    finish(&world, process.id, 1, "Reject", "");
    deal_with(&world, &[push(process.id, "")]).await;
    assert_eq!(shown(&world, "SignoffDecision"), json!("rejected"));
    let by = "somebody whom Content Server does not name";
    assert_eq!(shown(&world, "SignoffDecidedBy"), json!(by));
    assert!(told(&world).iter().any(|line| line.contains(&format!("rejected by {by}"))));
}

#[tokio::test(start_paused = true)]
async fn an_asset_in_the_bin_ends_its_sign_off_and_is_told_of_it_when_it_comes_back() {
    let world = played("", file).await;
    delete_asset(world.iconik());
    let round = scheduled(&world);
    deal_with(&world, &[round]).await;
    let stopped = workflows(&world).remove(0);
    assert_eq!(format!("{:?}", stopped.status), "Stopped");
    assert_eq!(shown(&world, "SignoffDecision"), Value::Null, "nobody writes into the bin");
    let asset = film(&world);
    world.iconik().with_state(|state| state.restore(seed::PRODUCER, "assets", &asset)).expect("restored");
    tokio::time::sleep(std::time::Duration::from_secs(60)).await;
    let round = scheduled(&world);
    deal_with(&world, &[round]).await;
    assert_eq!(shown(&world, "SignoffDecision"), json!("withdrawn"));
    // Its review still stands: the next hint has it signed off anew.
    let again = hint(&world, "2");
    deal_with(&world, &[again]).await;
    assert_eq!(workflows(&world).len(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_newer_approved_version_takes_the_place_of_an_older_one() {
    let world = played("", file).await;
    let asset = film(&world);
    world.iconik().with_state(|state| {
        let version = state.add_version(seed::EDITOR, &asset, &object(json!({}))).expect("a version");
        let request = object(json!({"version_id": version, "users": [seed::PRODUCER]}));
        state.request_approval(seed::EDITOR, "assets", &asset, &request).expect("asked");
        let key = state.approval_key("assets", &asset, Some(&version)).expect("a key");
        state.decide(seed::PRODUCER, &key, "APPROVED").expect("approved");
    });
    let newer = hint(&world, "2");
    deal_with(&world, &[newer]).await;
    let statuses: Vec<String> =
        workflows(&world).iter().map(|process| format!("{:?}", process.status)).collect();
    assert_eq!(statuses, ["Stopped", "Running"]);
    assert!(
        told(&world)
            .iter()
            .any(|line| line.contains("version 2: withdrawn, as a newer version was approved"))
    );
    assert_eq!(shown(&world, "SignoffDecision"), Value::Null, "what is shown is the newer one's");
}

#[tokio::test(start_paused = true)]
async fn what_was_rejected_is_signed_off_anew_only_when_people_want_it() {
    let world = played("", file).await;
    let first = workflows(&world).remove(0);
    finish(&world, first.id, 1, "Reject", "");
    deal_with(&world, &[push(first.id, "")]).await;
    assert_eq!(shown(&world, "SignoffDecision"), json!("rejected"));
    let again = hint(&world, "2");
    deal_with(&world, &[again]).await;
    assert_eq!(workflows(&world).len(), 1, "the same review was decided about");
    let asset = film(&world);
    let resubmitted = messages::iconik_change(FLOW, "assets", &asset, Some(RESUBMIT), "3");
    deal_with(&world, &[resubmitted]).await;
    let titles: Vec<String> = workflows(&world).into_iter().map(|process| process.title).collect();
    assert!(titles.len() == 2 && titles[0].ends_with("-1]") && titles[1].ends_with("-2]"), "{titles:?}");
    assert_eq!(
        (shown(&world, "ContentServerState"), shown(&world, "SignoffDecision")),
        (json!("in_signoff"), Value::Null)
    );
    // Or when a reviewer has taken the verdict back, and gives it anew.
    let second = workflows(&world).remove(1);
    finish(&world, second.id, 1, "Reject", "");
    take_back(world.iconik());
    let lapsed = hint(&world, "4");
    deal_with(&world, &[push(second.id, ""), lapsed]).await;
    world.iconik().with_state(|state| {
        let version = versions(state, &asset).pop();
        let key = state.approval_key("assets", &asset, version.as_deref()).expect("a key");
        state.decide(seed::PRODUCER, &key, "APPROVED").expect("approved");
    });
    let anew = hint(&world, "5");
    deal_with(&world, &[anew]).await;
    assert_eq!(workflows(&world).len(), 3);
}

#[tokio::test(start_paused = true)]
async fn a_workflow_that_says_nothing_or_is_gone_is_told_and_nothing_is_guessed() {
    let world = played(with("steps = [\"Review\"]", "steps = [\"Legal\"]"), file).await;
    let process = workflows(&world).remove(0);
    finish(&world, process.id, 1, "Reject", "");
    deal_with(&world, &[push(process.id, "")]).await;
    is_put_aside(&world, "decision.missing");
    assert_eq!(shown(&world, "SignoffDecision"), Value::Null);

    let world = played("", file).await;
    let process = workflows(&world).remove(0);
    delete_workflows(&world.content_server);
    deal_with(&world, &[push(process.id, ""), push(4711, "")]).await;
    is_put_aside(&world, "workflow.gone");
    assert!(world.endings().contains(&"skipped workflow.not-ours".to_owned()));
    assert_eq!(shown(&world, "SignoffDecidedBy"), Value::Null);
    assert!(told(&world).iter().any(|line| line.contains("its decision is not known")));
}

#[tokio::test(start_paused = true)]
async fn a_dry_run_says_what_it_would_do_and_does_nothing() {
    let world = world_of("", file).await.dry();
    let before = world.made().to_string();
    let hint = hint(&world, "1");
    deal_with(&world, &[hint]).await;
    assert!(workflows(&world).is_empty() && told(&world).is_empty());
    assert!(reasons(&world).is_empty() && world.waiting() == 0);
    assert_eq!(shown(&world, "ContentServerState"), Value::Null);
    assert_eq!(world.made().to_string(), before, "neither side was written");
}

#[test]
fn workers_whose_clocks_are_minutes_apart_say_nothing_twice() {
    let stories = crate::start_signoff::scenarios();
    let story = stories.iter().find(|story| story.name == "what is signed off is told").expect("a story");
    let calm = clean(story);
    for number in 0..calm.calls.len() {
        let outcome = overtaken(story, &calm.made, number, None).outcome;
        assert!(outcome.is_ok(), "call {number}: {outcome:?}");
    }
}
