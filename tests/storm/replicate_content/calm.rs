//! Stories with an end of their own: they go through no storm.

use std::sync::Arc;

use aws_lambda_events::event::sqs::{SqsEvent, SqsMessage};
use serde_json::Value;
use shared::batch::{Invocation, Runner};
use tests::storm::{Drive, clean, drive};
use tokio::sync::Notify;

use super::*;

fn told(story: impl Future<Output = ()>) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().start_paused(true).build();
    runtime.expect("a runtime").block_on(story);
}

/// A world in which the three documents have been replicated.
async fn replicated(rules: &'static str) -> World {
    let story = Scenario::of_messages("calm", &REPLICATE_CONTENT, rules, plans, all_changed, (3, 0, 0));
    let world = World::new(&story, BTreeMap::new(), None, 1).await;
    for message in all_changed(&world) {
        world.send(&message).await;
    }
    quiet(&world).await;
    world
}

async fn quiet(world: &World) {
    assert!(drive(world, &REPLICATE_CONTENT, Drive::default()).await, "the queue is never quiet");
}

/// Asks for something; gives back the report.
async fn asked(world: &World, id: &str, data: Value) -> Value {
    let before: Vec<String> =
        Replica::of(world).keys().filter(|key| is_report(key)).map(str::to_owned).collect();
    world.send(&request(&data).replace("asked", id)).await;
    quiet(world).await;
    let replica = Replica::of(world);
    let new = replica.keys().find(|key| is_report(key) && !before.iter().any(|known| known == key));
    let key = new.unwrap_or_else(|| panic!("no report of {data}: {:?}", endings(world)));
    replica.json(key).expect("a report")
}

fn is_report(key: &str) -> bool {
    let name = key.strip_prefix(&format!("{PREFIX}_waybill/")).unwrap_or_default();
    name.ends_with(".json") && name.contains('/')
}

/// What was restored, by the path below the folder of the restore.
fn restored(world: &World, report: &Value) -> BTreeMap<String, replica::Facts> {
    let folder = report["folder"].as_i64().expect("a folder");
    world.content_server.with_state(|state| {
        let root = state.path_of(folder);
        let below = state.nodes.values().filter_map(|node| {
            let path = state.path_of(node.id);
            let path = path.strip_prefix(&format!("{root}/"))?.to_owned();
            Some((path, facts_of(state, node).restorable()))
        });
        below.collect()
    })
}

fn original(world: &World, node: i64) -> replica::Facts {
    world.content_server.with_state(|state| facts_of(state, &state.nodes[&node]).restorable())
}

#[test]
fn a_set_is_restored_with_its_folders_and_everything_is_equal() {
    told(async {
        let world = replicated(RULES).await;
        let report = asked(&world, "one", json!({"request": "restore", "set": "plans"})).await;
        assert_eq!((&report["kind"], &report["equal"]), (&json!("restore"), &json!(true)), "{report:#}");
        let counts = json!({"documents": 3, "folders": 2, "versions": 6, "bytes": 68, "different": 0});
        assert_eq!(report["counts"]["documents"], counts["documents"], "{report:#}");
        assert_eq!(report["counts"]["folders"], counts["folders"], "{report:#}");
        assert_eq!(report["counts"]["versions"], counts["versions"], "{report:#}");
        let there = restored(&world, &report);
        let paths: Vec<&str> = there.keys().map(String::as_str).collect();
        assert_eq!(
            paths,
            [
                "Maps and Plans",
                "Maps and Plans/Index.txt",
                "Maps and Plans/Plan of 1887.tif",
                "Maps and Plans/Sheets",
                "Maps and Plans/Sheets/Sheet 7.tif",
            ]
        );
        assert_eq!(there["Maps and Plans/Plan of 1887.tif"], original(&world, PLAN));
        assert_eq!(there["Maps and Plans"], original(&world, MAPS));
        // Asked again, it is another restore; the first stays as it is.
        let other = asked(&world, "two", json!({"request": "restore", "set": "plans"})).await;
        assert_ne!(other["folder"], report["folder"]);
        assert_eq!(restored(&world, &report), there);
    });
}

#[test]
fn a_deleted_document_and_a_folder_are_restored_by_their_numbers() {
    told(async {
        let world = replicated(RULES).await;
        let before = original(&world, PLAN);
        world.content_server.with_state(|state| delete(state, seed::WAYBILL));
        world.send(&change(&world, PLAN, Change::Removed, None, "gone")).await;
        quiet(&world).await;
        assert_eq!(Replica::of(&world).record(PLAN).expect("a record")["presence"], "gone");
        // The push of a person has no more than the node.
        world.send(&change(&world, PLAN, Change::Requested, Some("restore"), "back")).await;
        quiet(&world).await;
        let replica = Replica::of(&world);
        let report =
            replica.keys().find(|key| is_report(key)).and_then(|key| replica.json(key)).expect("a report");
        assert_eq!(restored(&world, &report), [("Plan of 1887.tif".to_owned(), before)].into());

        let folder =
            asked(&world, "folder", json!({"request": "restore", "node": at(&world, "Sheets")})).await;
        assert_eq!(
            restored(&world, &folder).into_keys().collect::<Vec<_>>(),
            ["Sheets", "Sheets/Sheet 7.tif"]
        );
        let set = asked(&world, "set", json!({"request": "restore", "set": "plans"})).await;
        assert!(!restored(&world, &set).contains_key("Maps and Plans/Plan of 1887.tif"), "it was deleted");
        let all = asked(&world, "all", json!({"request": "restore", "set": "plans", "deleted": true})).await;
        assert!(restored(&world, &all).contains_key("Maps and Plans/Plan of 1887.tif"));
    });
}

#[test]
fn a_restore_into_what_is_replicated_or_nowhere_is_refused_with_its_reason() {
    told(async {
        let world = replicated(RULES).await;
        for (id, data) in [
            (
                "a",
                json!({"request": "restore", "set": "plans", "into": "Enterprise:Digitised Archive/Registers"}),
            ),
            ("b", json!({"request": "restore", "set": "plans", "into": "Enterprise:Nowhere"})),
            ("c", json!({"request": "restore", "set": "plans", "into": "nowhere"})),
            ("d", json!({"request": "drill", "set": "others"})),
            ("e", json!({"request": "restore", "node": 1})),
        ] {
            world.send(&request(&data).replace("asked", id)).await;
        }
        quiet(&world).await;
        let reasons = world.aws.s3().versions(tests::storm::QUARANTINE).into_iter().map(|object| {
            let reason: Value = serde_json::from_slice(&object.data).expect("a reason");
            assert!(
                reason["reason"]["remedy"].as_str().is_some_and(|remedy| !remedy.is_empty()),
                "{reason:#}"
            );
            reason["reason"]["code"].as_str().unwrap_or_default().to_owned()
        });
        let mut reasons: Vec<String> = reasons.collect();
        reasons.sort();
        assert_eq!(
            reasons,
            ["content-server.path-missing", "request.bad-path", "request.unknown-set", "restore.into-a-set"]
        );
        assert_eq!(endings(&world).get("e").map(String::as_str), Some("skipped"));
        world.send(&request(&json!({"request": "destroy"}))).await;
        quiet(&world).await;
        let codes: Vec<String> = world.dead_letters().into_iter().map(|(_, code)| code).collect();
        assert_eq!(codes, ["request.unreadable"]);
    });
}

#[test]
fn a_drill_restores_a_sample_and_leaves_it() {
    told(async {
        let world = replicated(RULES).await;
        let report = asked(&world, "drill", json!({"request": "drill"})).await;
        assert_eq!((&report["kind"], &report["equal"]), (&json!("drill"), &json!(true)), "{report:#}");
        assert_eq!(report["counts"]["documents"], 2, "as many as the rule says");
        assert!(restored(&world, &report).len() >= 2, "what was restored is there to be looked at");
        nothing_is_deleted(&world).expect("nothing is deleted");
    });
}

const ROUNDS: &str = "[[rule]]\nname = \"plans\"\nwithin = \"Enterprise:Digitised Archive\"\nprefix = \"plans/\"\n\
    restore_into = \"Enterprise:Quarantine\"\nverify_at_once = 3\n";

#[test]
fn verification_goes_round_and_finds_exactly_what_is_damaged() {
    told(async {
        let world = replicated(ROUNDS).await;
        let replica = Replica::of(&world);
        let nodes: Vec<i64> = replica.keys().filter_map(|key| key.split('/').nth(1)?.parse().ok()).collect();
        let distinct: std::collections::BTreeSet<i64> = nodes.into_iter().collect();
        assert_eq!(distinct.len(), 5, "three documents, two folders");
        let reads = |world: &World| world.tap.calls().iter().filter(|call| call.form == Form::Vendor).count();
        let before = reads(&world);
        let first = asked(&world, "1", json!({"request": "verify"})).await;
        let second = asked(&world, "2", json!({"request": "verify", "set": "plans"})).await;
        assert_eq!((&first["equal"], &second["equal"]), (&json!(true), &json!(true)));
        let looked = |report: &Value| {
            report["counts"]["documents"].as_u64().unwrap_or(0)
                + report["counts"]["folders"].as_u64().unwrap_or(0)
        };
        assert_eq!((looked(&first), looked(&second)), (3, 2), "each looks at the next ones");
        assert!(replica_round(&world)["completedAt"].is_string());
        let signing_in = reads(&world) - before;
        assert!(signing_in <= 2, "Content Server is asked for nothing: {signing_in} calls");

        let sheet = at(&world, "Sheets/Sheet 7.tif");
        // Somebody overwrites a content with another of the same length, and a revision goes.
        let content = format!("{PREFIX}{PLAN}/2/Plan of 1887.tif");
        let body = b"plan, secund".to_vec();
        world
            .s3
            .put_object()
            .bucket(tests::storm::CONTENT)
            .key(&content)
            .body(body.into())
            .send()
            .await
            .expect("put");
        let revision = Replica::of(&world).record(sheet).expect("a record")["revision"]["key"].clone();
        let revision = revision.as_str().expect("a key");
        world.s3.delete_object().bucket(tests::storm::CONTENT).key(revision).send().await.expect("deleted");
        let mut found = std::collections::BTreeSet::new();
        for id in ["3", "4"] {
            let report = asked(&world, id, json!({"request": "verify"})).await;
            for key in report["entries"].as_array().expect("entries") {
                for entry in entries(&world, key.as_str().expect("a key")) {
                    found.insert((
                        entry["node"].as_i64().expect("a node"),
                        entry["differences"][0]["field"].to_string(),
                    ));
                }
            }
        }
        let expected = [(PLAN, "\"content of version 2\"".to_owned()), (sheet, "\"revision 1\"".to_owned())];
        assert_eq!(found, expected.into());

        // A restore says so too, and restores the rest; the request `replicate` mends what Content Server still has.
        let report = asked(&world, "all", json!({"request": "restore", "set": "plans"})).await;
        assert_eq!((&report["equal"], &report["counts"]["different"]), (&json!(false), &json!(2)));
        for node in [PLAN, sheet] {
            world.send(&change(&world, node, Change::Requested, Some("replicate"), "mend")).await;
        }
        quiet(&world).await;
        for id in ["5", "6", "7"] {
            assert_eq!(asked(&world, id, json!({"request": "verify"})).await["equal"], json!(true), "{id}");
        }
    });
}

fn replica_round(world: &World) -> Value {
    Replica::of(world).json(&format!("{PREFIX}_waybill/verification.json")).expect("a round")
}

#[test]
fn a_change_of_values_alone_is_a_revision_and_copies_no_content() {
    let story = scenarios().into_iter().find(|story| story.name.contains("values alone")).expect("the story");
    let report = clean(&story);
    assert!(report.outcome.is_ok(), "{:?}", report.outcome);
    let downloads = report
        .calls
        .iter()
        .filter(|call| call.form == Form::Vendor && call.what.ends_with("/content"))
        .count();
    assert_eq!(downloads, 6, "each of three versions was read twice, and never again");
}

#[test]
fn a_document_that_goes_to_another_set_is_marked_where_it_was() {
    const TWO: &str = "[[rule]]\nname = \"plans\"\nwithin = \"Enterprise:Digitised Archive\"\nprefix = \"plans/\"\n\
        restore_into = \"Enterprise:Quarantine\"\n[[rule]]\nname = \"people\"\nwithin = \"Enterprise:Onboarding\"\n\
        prefix = \"people/\"\nrestore_into = \"Enterprise:Quarantine\"\n";
    told(async {
        let world = replicated(TWO).await;
        world.content_server.with_state(move_out);
        world.send(&change(&world, PLAN, Change::Changed, None, "moved")).await;
        quiet(&world).await;
        let replica = Replica::of(&world);
        let presence = |key: String| replica.json(&key).expect("a record")["presence"].clone();
        assert_eq!(presence(format!("plans/{PLAN}/record.json")), "left");
        assert_eq!(presence(format!("people/{PLAN}/record.json")), "present");
    });
}

#[test]
fn a_dry_run_says_what_it_would_do_and_does_nothing() {
    told(async {
        let world = replicated(RULES).await;
        let (objects, nodes) = (Replica::of(&world).keys().count(), world.made().lines.len());
        world.content_server.with_state(add_version);
        let mut environment = world.environment(world.tap.transport(Arc::new(Notify::new())), 7, 0);
        environment.settings.dry_run = true;
        let runner = Runner::connect(&REPLICATE_CONTENT, environment).await.expect("it starts");
        for body in [
            change(&world, PLAN, Change::Changed, None, "dry"),
            request(&json!({"request": "restore", "set": "plans"})),
            request(&json!({"request": "drill"})),
            request(&json!({"request": "verify"})),
        ] {
            let (failed, _) = invoke(&world, &runner, &body).await;
            assert!(!failed);
        }
        assert_eq!((Replica::of(&world).keys().count(), world.made().lines.len()), (objects, nodes));
    });
}

/// Invokes a function with one message; whether it stays on the queue, and the metrics.
async fn invoke(world: &World, runner: &Runner, body: &str) -> (bool, Value) {
    let mut message = SqsMessage::default();
    message.message_id = Some("1".into());
    message.receipt_handle = Some("1".into());
    message.body = Some(body.to_owned());
    let mut event = SqsEvent::default();
    event.records = vec![message];
    let deadline = world.context.now_milliseconds() + 60_000;
    let (response, tally) = runner.run_counted(event, Invocation { deadline }).await;
    let metrics = tally.render("replicate-content", "storm", &world.context);
    (!response.batch_item_failures.is_empty(), metrics)
}

const AWAY: &str = "[[rule]]\nname = \"plans\"\nwithin = \"Enterprise:Digitised Archive\"\nprefix = \"plans/\"\n\
    bucket = \"content\"\nregion = \"eu-central-1\"\nrestore_into = \"Enterprise:Quarantine\"\n";

/// A Region that is away: what changed waits, the lag grows, Content Server is neither asked in vain nor blamed; when the
/// Region is back, everything is replicated.
#[test]
fn changes_wait_for_a_region_that_is_away() {
    told(async {
        let story = Scenario::of_messages("away", &REPLICATE_CONTENT, AWAY, plans, changed, (1, 0, 0));
        let world = World::new(&story, BTreeMap::new(), None, 1).await;
        let environment = world.environment(world.tap.transport(Arc::new(Notify::new())), 7, 0);
        let runner = Runner::connect(&REPLICATE_CONTENT, environment).await.expect("it starts");
        world.tap.set_away(Some("eu-central-1"));
        let vendor =
            |world: &World| world.tap.calls().iter().filter(|call| call.form == Form::Vendor).count();
        let (body, asked) = (change(&world, PLAN, Change::Changed, None, "first"), vendor(&world));
        let mut lags = Vec::new();
        for _ in 0..8 {
            let (stays, metrics) = invoke(&world, &runner, &body).await;
            assert!(stays, "nothing is lost: {metrics}");
            assert_eq!((&metrics["Retries"], &metrics["BreakerOpen"]), (&json!(1), &json!(0)), "{metrics}");
            lags.push(metrics["ReplicaLag"][0].as_f64().expect("a lag"));
            tokio::time::sleep(Duration::from_secs(600)).await;
        }
        assert!(lags.is_sorted() && lags.first() < Some(&60.0) && lags.last() > Some(&4000.0), "{lags:?}");
        assert_eq!(vendor(&world), asked, "Content Server is not asked for what cannot be kept");
        let breakers = world
            .ledger()
            .into_iter()
            .filter(|record| record["pk"]["S"].as_str().is_some_and(|pk| pk.starts_with("breaker#")));
        assert_eq!(breakers.count(), 0, "nobody else stops for it");
        let reason =
            world.ledger().iter().find_map(|record| record["last_reason"]["S"].as_str().map(str::to_owned));
        assert_eq!(reason.as_deref(), Some("replica.unreachable"));

        world.tap.set_away(None);
        let (stays, metrics) = invoke(&world, &runner, &body).await;
        assert!(!stays);
        assert_eq!(metrics["Delivered"], 1);
        assert!(metrics["ReplicaLag"][0].as_f64() > Some(4000.0), "{metrics}");
        let named = metrics["_aws"]["CloudWatchMetrics"][0]["Metrics"].as_array().expect("metrics");
        assert!(named.contains(&json!({"Name": "ReplicaLag", "Unit": "Seconds"})));
        replica_is(&world);
    });
}

fn replica_is(world: &World) {
    let facts = Replica::of(world).facts(PLAN).unwrap_or_else(|broken| panic!("{}", broken.0));
    let there = world.content_server.with_state(|state| facts_of(state, &state.nodes[&PLAN]));
    assert_eq!(facts, Some(there));
}

#[test]
fn a_bucket_that_is_not_there_is_a_fault_of_the_configuration() {
    told(async {
        let rules: &'static str = AWAY.replace("\"content\"", "\"elsewhere\"").leak();
        let story = Scenario::of_messages("nowhere", &REPLICATE_CONTENT, rules, plans, changed, (0, 0, 1));
        let world = World::new(&story, BTreeMap::new(), None, 1).await;
        world.send(&change(&world, PLAN, Change::Changed, None, "first")).await;
        quiet(&world).await;
        let object = world.aws.s3().versions(tests::storm::QUARANTINE).pop().expect("a reason");
        let reason: Value = serde_json::from_slice(&object.data).expect("JSON");
        assert_eq!(reason["reason"]["code"], "replica.bucket-missing");
        assert_eq!(reason["reason"]["class"], "forbidden");
    });
}

/// Ledger writes, calls to AWS, calls to Content Server and bytes read by the function so far.
fn costs(world: &World) -> [u64; 4] {
    let calls = world.tap.calls();
    let vendor = calls.iter().filter(|call| call.form == Form::Vendor).count() as u64;
    [world.aws.dynamodb().counters("ledger").writes, calls.len() as u64 - vendor, vendor, world.tap.content()]
}

/// What one more document of one version costs, the first time, when nothing changed, and to restore: README.md of the
/// flow says so.
#[test]
fn figures_per_document() {
    const FEW: usize = 3;
    const MANY: usize = 13;
    const SIZE: usize = 10_500;
    let measured = |count: usize| {
        let mut phases = Vec::new();
        told(async {
            let story =
                Scenario::of_messages("calm", &REPLICATE_CONTENT, RULES, |_| (), |_| Vec::new(), (0, 0, 0));
            let world = World::new(&story, BTreeMap::new(), None, 1).await;
            let nodes: Vec<i64> = world.content_server.with_state(|state| {
                let content = |number: usize| format!("{number:010}").repeat(SIZE / 10).into_bytes();
                let numbers = 0..count;
                numbers
                    .map(|number| document(state, MAPS, &format!("{number}.tif"), &[content(number)]))
                    .collect()
            });
            for occasion in ["first", "again"] {
                let before = costs(&world);
                for node in &nodes {
                    world.send(&change(&world, *node, Change::Changed, None, occasion)).await;
                }
                quiet(&world).await;
                let after = costs(&world);
                phases.push([0, 1, 2, 3].map(|at| after[at] - before[at]));
            }
            let before = costs(&world);
            let report = asked(&world, "one", json!({"request": "restore", "set": "plans"})).await;
            assert_eq!(report["equal"], true);
            let after = costs(&world);
            phases.push([0, 1, 2, 3].map(|at| after[at] - before[at]));
        });
        phases
    };
    let (few, many) = (measured(FEW), measured(MANY));
    let more = (MANY - FEW) as f64;
    let each: Vec<[f64; 4]> = few
        .iter()
        .zip(&many)
        .map(|(few, many)| [0, 1, 2, 3].map(|at| (many[at] - few[at]) as f64 / more))
        .collect();
    println!("per document of {SIZE} bytes: writes, AWS, vendor, bytes; new, unchanged, restored: {each:?}");
    let bytes = |phase: usize| each[phase][3] / SIZE as f64;
    // Read twice to be replicated, never when nothing changed; sent and read back once to be restored.
    assert!(bytes(0) < 2.2 && bytes(1) < 0.4 && bytes(2) < 2.5, "{each:?}");
    assert!(each[0][0] <= 6.0 && each[1][0] <= 6.0 && each[2][0] <= 2.0, "{each:?}");
    assert!(each[0][2] <= 20.0 && each[1][2] <= 12.0 && each[2][2] <= 30.0, "{each:?}");
}

/// A restore and a drill longer than an invocation go on in the next ones, and restore everything once.
#[test]
fn a_restore_longer_than_an_invocation_goes_on_in_the_next_ones() {
    told(async {
        let world = replicated(RULES).await;
        let continued =
            |world: &World| world.tap.calls().iter().filter(|call| call.what == "SendMessage").count();
        world.set_content_server(|settings| settings.latency_milliseconds = 1000, "");
        let report = asked(&world, "slow", json!({"request": "restore", "set": "plans"})).await;
        assert!(continued(&world) >= 1, "it took one invocation");
        assert_eq!(
            (&report["equal"], &report["counts"]["documents"]),
            (&json!(true), &json!(3)),
            "{report:#}"
        );
        assert_eq!(restored(&world, &report).len(), 5, "each thing is there once");
        let lines: usize = report["entries"]
            .as_array()
            .expect("entries")
            .iter()
            .map(|key| entries(&world, key.as_str().expect("a key")).len())
            .sum();
        assert_eq!(lines, 5, "each thing is told once");
    });
}

/// So does the replication of a document with many versions.
#[test]
fn a_document_longer_than_an_invocation_is_replicated_in_several() {
    told(async {
        let story = Scenario::of_messages("slow", &REPLICATE_CONTENT, RULES, plans, changed, (1, 0, 0));
        let world = World::new(&story, BTreeMap::new(), None, 1).await;
        world.content_server.with_state(|state| (0..20).for_each(|_| add_version(state)));
        world.set_content_server(|settings| settings.latency_milliseconds = 2000, "");
        world.send(&change(&world, PLAN, Change::Changed, None, "first")).await;
        quiet(&world).await;
        let calls = world.tap.calls();
        let continued = calls.iter().filter(|call| call.what == "SendMessage").count();
        assert!(continued >= 2, "it took {} invocations", continued + 1);
        let downloads =
            calls.iter().filter(|call| call.form == Form::Vendor && call.what.ends_with("/content"));
        assert_eq!(downloads.count(), 46, "each of 23 versions was read twice, whoever began it");
        replica_is(&world);
    });
}
