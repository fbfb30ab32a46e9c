//! Whoever's claim on an item is over changes nothing more, wherever it stands: somebody else may be at it.

use std::{sync::Arc, time::Duration};

use shared::flow::Run;
use tests::{
    repository,
    storm::{Call, Fault, Form},
};

use super::{INGEST_UPLOADS, Scenario, StoredObject, World, pdf};

/// What a call changes, when it changes something beside the ledger.
fn change(call: &Call) -> Option<&'static str> {
    let (method, path) = call.what.split_once(' ')?;
    if method == "GET" || method == "HEAD" || path.contains("/auth") {
        return None;
    }
    match call.form {
        // A copy, or tags.
        Form::S3 => Some(if method == "DELETE" { "remove" } else { "put" }),
        Form::Vendor => [
            ("/categories", "category"),
            ("/rmclassifications", "class"),
            ("/permissions", "rights"),
            ("/versions", "version"),
            ("/businessworkspaces", "workspace"),
        ]
        .into_iter()
        .find(|(part, _)| path.contains(part))
        .map(|(_, what)| what)
        .or(Some("node")),
        _ => None,
    }
}

/// One worker on one upload without anybody who would stop it. Its claim lasts five seconds, and the answer to one
/// call comes after twenty.
async fn slow_worker(story: &Scenario, slow: Option<usize>) -> (Vec<Call>, Option<String>) {
    let plan = slow.map(|call| (call, Fault::HoldAfter(Duration::from_secs(20))));
    let world = World::new(story, plan.into_iter().collect(), None, 1).await;
    for object in (story.objects)() {
        world.upload(&object).await;
    }
    let environment = world.environment(world.tap.transport(Arc::default()), 1, 0);
    let flow = INGEST_UPLOADS.connect(&environment).await.expect("it starts");
    let event = flow.parse(&world.events().remove(0)).expect("an event").events.remove(0);
    let end = world.context.now_milliseconds() + 5_000;
    let claimed = Run::claim(&environment.ledger, INGEST_UPLOADS.name, event.item(), end, end).await;
    let run = claimed.expect("the ledger answers").expect("nobody else has it");
    let ended = flow.handle(&event, &run).await.err().map(|error| error.code().to_owned());
    (world.tap.calls(), ended)
}

/// Every change of the story in its order; and whoever's claim ended during one of them makes none of the others.
async fn is_stopped_before_each(story: &Scenario, expected: &[&str]) {
    let (calm, ended) = slow_worker(story, None).await;
    assert_eq!(ended, None);
    let changes: Vec<(usize, &str)> =
        calm.iter().enumerate().filter_map(|(at, call)| Some((at, change(call)?))).collect();
    let mut kinds: Vec<&str> = changes.iter().map(|(_, what)| *what).collect();
    kinds.dedup();
    assert_eq!(kinds, expected, "{calm:?}");
    // The last call of each change, and the first of all, before there is any.
    let first = calm.iter().position(|call| call.what.contains("letter.pdf")).expect("the upload is read");
    let last = changes
        .iter()
        .zip(changes.iter().skip(1))
        .filter(|(one, next)| one.1 != next.1)
        .map(|(one, _)| one.0);
    for slow in last.chain([first]) {
        let (calls, ended) = slow_worker(story, Some(slow)).await;
        let after: Vec<&str> = calls.iter().skip(slow + 1).filter_map(change).collect();
        assert_eq!(after, Vec::<&str>::new(), "after {:?}", calls[slow]);
        assert_eq!(
            ended.as_deref().map(|code| code.starts_with("ledger.")),
            Some(true),
            "{:?}: {ended:?}",
            calls[slow]
        );
    }
}

#[tokio::test(start_paused = true)]
async fn a_worker_whose_claim_is_over_is_stopped_before_each_change() {
    const GOVERNED: &str = r#"
[[rule]]
name = "governed"
key = "in/{name}"
target.folder = "Enterprise:Claims/Incoming"
existing = "new-version"
classification = "File Plan/CLM-FILES"
permissions = "team"
after = { move = "done/" }

[[rule.category]]
path = "Business/Claim Evidence"
fields = [{ to = "Claim Number", value = "1" }]

[permission_templates.team]
public = []
assigned = [{ group = "Claims", rights = ["see", "see_contents"] }]
"#;
    fn there(world: &World) {
        repository::document(
            &world.content_server,
            "Claims/Incoming",
            "letter.pdf",
            "application/pdf",
            &[pdf("older")],
        );
    }
    fn letter() -> Vec<StoredObject> {
        vec![StoredObject::new("in/letter.pdf", "application/pdf", pdf("letter"))]
    }
    let story = |rules: String| Scenario::of("calm", &INGEST_UPLOADS, rules.leak(), letter, (1, 0, 0));
    let governed = Scenario { prepare: there, ..story(GOVERNED.to_owned()) };
    let all = ["version", "category", "class", "rights", "put", "remove"];
    is_stopped_before_each(&governed, &all).await;
    let deleted = GOVERNED.replace("{ move = \"done/\" }", "\"delete\"");
    is_stopped_before_each(&story(deleted), &["node", "class", "rights", "remove"]).await;
    let workspace = "[[rule]]\nname = \"cases\"\nkey = \"in/{name}\"\ntarget.workspace = { type = \"Claim\", name = \"CLM-7\", create = true }\n";
    is_stopped_before_each(&story(workspace.to_owned()), &["workspace", "node", "put"]).await;
    let folder = "[[rule]]\nname = \"new\"\nkey = \"in/{name}\"\ntarget.folder = \"Enterprise:Claims/New/Newer\"\ntarget.create = true\n";
    is_stopped_before_each(&story(folder.to_owned()), &["node", "put"]).await;
}
