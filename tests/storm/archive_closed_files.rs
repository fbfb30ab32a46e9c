//! The stories of `archive-closed-files`.

use std::{
    collections::{BTreeMap, BTreeSet},
    pin::Pin,
    time::Duration,
};

use s3_content_server::ARCHIVE_CLOSED_FILES;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use shared::{
    bagit::{Bag, Checksums, tag_files},
    node_change::{Change, NodeChange},
};
use simulators::{
    aws::s3::Stored,
    content_server::{
        self, Blob, State, seed,
        state::{ADMIN, NewNode, NewVersion, Node, kind, records::RecordChanges},
    },
};
use tests::storm::{ARCHIVE, Broken, Intervention, Made, Meanwhile, Scenario, World};

const RULES: &str = r#"
[archive]
category = "Categories:Integration/Archive"
location = "Location"
revision = "Revision"
state = "State"
manifest_sha256 = "Manifest SHA-256"
retain_until = "Retain Until"
legal_hold = "Legal Hold"
archived_at = "Archived At"

[[rule]]
name = "closed-claims"
within = "Enterprise:Claims"
closed = { category = "Categories:Business/Case File", attribute = "Status", values = ["Closed"] }
bucket = "archive"
prefix = "kept/"
source_organization = "Harbour Mutual"
"#;

const RETENTION: &str =
    "[rule.retention]\nschedules = { \"CLM-FILES-10Y\" = \"10 years\" }\ndefault = \"1 year\"\n";
/// Ten years after the day the world begins, to the end of that day, in milliseconds.
const TEN_YEARS: &str = "2041-05-07T00:00:00Z";

const CASE: &str = "Claims/CLM-100900 Roof";
const LETTER: &str = "Claims/CLM-100900 Roof/Letters/Letter.txt";

const PEOPLE: &[Intervention] = &[
    Intervention { name: "a hold on the case", act: hold_case },
    Intervention { name: "a hold on a document", act: hold_document },
    Intervention { name: "holds are lifted", act: lift },
    Intervention { name: "a document is added", act: add_document },
    Intervention { name: "a version is added", act: add_version },
    Intervention { name: "the case is reopened", act: reopen },
    Intervention { name: "a document is moved away", act: move_document },
];

/// The change feed speaks again after a while, and somebody asks for holds to be looked at.
const LATER: &[Meanwhile] = &[
    Meanwhile { after: Duration::from_secs(600), what: |world| later(world, None, "later") },
    Meanwhile {
        after: Duration::from_secs(1200),
        what: |world| later(world, Some("mirror-holds"), "at last"),
    },
];

/// Somebody asks for the bag, by a letter that is in it.
const RETRIEVAL: Meanwhile = Meanwhile {
    after: Duration::from_secs(300),
    what: |world| {
        Box::pin(async move {
            let message = change(world, LETTER, Some("retrieve"), "");
            world.send(&message).await;
        })
    },
};

const RETRIEVED: &[Meanwhile] = &[RETRIEVAL, LATER[0], LATER[1]];

fn later<'a>(
    world: &'a World,
    request: Option<&'static str>,
    occasion: &'static str,
) -> Pin<Box<dyn Future<Output = ()> + 'a>> {
    Box::pin(async move {
        let message = change(world, CASE, request, occasion);
        world.send(&message).await;
    })
}

fn story(
    name: &'static str,
    lines: &str,
    prepare: fn(&World),
    messages: fn(&World) -> Vec<String>,
    clean: (usize, usize, usize),
) -> Scenario {
    let rules: &'static str = format!("{RULES}{lines}\n").leak();
    Scenario {
        interventions: PEOPLE,
        promise: Some(the_bag_is_the_case),
        meanwhile: LATER,
        ..Scenario::of_messages(name, &ARCHIVE_CLOSED_FILES, rules, prepare, messages, clean)
    }
}

/// What goes through the storm.
pub(crate) fn scenarios() -> Vec<Scenario> {
    vec![Scenario {
        interventions: &[],
        meanwhile: &[],
        ..story("what is not closed stays", RETENTION, open, closed, (0, 1, 0))
    }]
}

/// What is told without faults.
fn stories() -> Vec<Scenario> {
    vec![
        story("a closed case becomes a bag", RETENTION, case, closed, (1, 2, 0)),
        story(
            "old versions go when the bag is valid",
            &format!("after = \"purge-old-versions\"\n{RETENTION}"),
            case,
            closed,
            (1, 2, 0),
        ),
        Scenario { interventions: &[], ..story("what is held is locked", "", held, closed, (1, 2, 0)) },
        Scenario {
            interventions: &[],
            meanwhile: RETRIEVED,
            ..story(
                "a bag is brought out of its archive",
                "storage_class = \"GLACIER\"",
                case,
                closed,
                (5, 2, 0),
            )
        },
    ]
}

#[test]
fn a_case_is_archived_held_reduced_and_brought_out_as_told() {
    for story in stories() {
        let report = tests::storm::clean(&story);
        assert!(report.outcome.is_ok(), "{}: {:?}\n{}", story.name, report.outcome, report.made);
    }
}

fn document(state: &mut State, parent: i64, name: &str, versions: &[&str]) -> i64 {
    let version = |text: &&str| NewVersion::of(name, "text/plain", Blob::of(text.as_bytes().to_vec()));
    let new =
        NewNode { kind: kind::DOCUMENT, parent_id: parent, name: name.to_owned(), ..NewNode::default() };
    let mut contents = versions.iter().map(version);
    let node = state.create(seed::WAYBILL, NewNode { version: contents.next(), ..new }).expect("a document");
    for version in contents {
        state.add_version(seed::WAYBILL, node, version).expect("a version");
    }
    node
}

/// A case with a letter of two versions in a folder, and a note that is a record.
fn open(world: &World) {
    world.content_server.with_state(|state| {
        let folder = |state: &mut State, parent: i64, name: &str| {
            let new = NewNode {
                kind: kind::FOLDER,
                parent_id: parent,
                name: name.to_owned(),
                ..NewNode::default()
            };
            state.create(seed::WAYBILL, new).expect("a folder")
        };
        let claims = seed::CLAIMS;
        let case = folder(state, claims, "CLM-100900 Roof");
        let letters = folder(state, case, "Letters");
        document(state, letters, "Letter.txt", &["a first letter", "a second letter"]);
        let note = document(state, case, "Note 100 %.txt", &["a note"]);
        let changes = RecordChanges { official: Some(true), ..RecordChanges::default() };
        state.classify_record(ADMIN, note, seed::CLAIM_FILES, changes).expect("a record");
        let values = json!({"2": "Open"});
        state
            .add_category(ADMIN, case, seed::CASE_FILE, values.as_object().expect("values"))
            .expect("a category");
        state.audit.clear();
    });
}

fn case(world: &World) {
    open(world);
    set_status(&world.content_server, "Closed");
    world.content_server.with_state(|state| state.audit.clear());
}

fn held(world: &World) {
    case(world);
    hold_document(&world.content_server);
}

fn change(world: &World, path: &str, request: Option<&str>, occasion: &str) -> String {
    let node = world.content_server.with_state(|state| state.at(path).expect("a node").id);
    let change = NodeChange {
        node,
        change: if request.is_some() { Change::Requested } else { Change::Changed },
        version: None,
        modified: None,
        projection: String::new(),
        workspace: None,
        request: request.map(str::to_owned),
        occasion: occasion.to_owned(),
    };
    change.envelope("watch-content-server", "archive-closed-files", &world.context).expect("an envelope")
}

fn closed(world: &World) -> Vec<String> {
    vec![change(world, CASE, None, "")]
}

fn set_status(server: &content_server::Simulator, status: &str) {
    server.with_state(|state| {
        let case = state.at(CASE).expect("the case").id;
        let values = json!({ "2": status });
        let values = values.as_object().expect("values");
        state.edit_category(ADMIN, case, seed::CASE_FILE, values, None).expect("a status");
    });
}

fn reopen(server: &content_server::Simulator) {
    set_status(server, "Open");
}

fn put_hold(server: &content_server::Simulator, path: &str) {
    server.with_state(|state| {
        let node = state.at(path).map(|node| node.id).expect("a node");
        state.apply_hold(ADMIN, node, seed::FLOOD_HOLD).expect("a hold");
    });
}

fn hold_case(server: &content_server::Simulator) {
    put_hold(server, CASE);
}

fn hold_document(server: &content_server::Simulator) {
    put_hold(server, LETTER);
}

fn lift(server: &content_server::Simulator) {
    server.with_state(|state| {
        let held: Vec<i64> =
            state.nodes.values().filter(|node| !node.holds.is_empty()).map(|node| node.id).collect();
        for node in held {
            state.remove_hold(ADMIN, node, seed::FLOOD_HOLD).expect("a hold that is lifted");
        }
    });
}

fn add_document(server: &content_server::Simulator) {
    server.with_state(|state| {
        let case = state.at(CASE).expect("the case").id;
        document(state, case, "Late.txt", &["what came late"]);
    });
}

fn add_version(server: &content_server::Simulator) {
    server.with_state(|state| {
        let letter = state.at(LETTER).expect("the letter").id;
        let version = NewVersion::of("Letter.txt", "text/plain", Blob::of(b"a third letter".to_vec()));
        state.add_version(ADMIN, letter, version).expect("a version");
    });
}

fn move_document(server: &content_server::Simulator) {
    server.with_state(|state| {
        let note = state.at(&format!("{CASE}/Note 100 %.txt")).expect("the note").id;
        let changes = content_server::state::Changes {
            parent_id: Some(seed::SUPPLIERS),
            ..content_server::state::Changes::default()
        };
        // An official record may not be moved everywhere; then it stays.
        let _ = state.update(ADMIN, note, changes);
    });
}

const DELETED: i64 = 14;

/// The promises: the bag is valid and holds the case as it is; locks are as long as they have to be and holds are
/// mirrored; nothing was reduced that is not in a valid bag.
fn the_bag_is_the_case(world: &World, _: &Made) -> Result<(), Broken> {
    let objects: Vec<Stored> =
        world.aws.s3().versions(ARCHIVE).into_iter().filter(|object| !object.delete_marker).collect();
    let category = world.content_server.with_state(|state| {
        let case = state.at(CASE).expect("the case");
        case.categories.get(&seed::ARCHIVED).map(|assigned| assigned.values.clone())
    });
    let told = |number: &str| -> String {
        let value = category.as_ref().and_then(|values| values.get(number));
        value.and_then(|value| value.as_str()).unwrap_or_default().to_owned()
    };
    let purged =
        world.content_server.with_state(|state| state.audit.iter().any(|event| event.event_type == DELETED));
    let location = told("2");
    let Some(prefix) = location.strip_prefix(&format!("s3://{ARCHIVE}/")) else {
        return match (purged, all_ended_well(world) && !is_open(world)) {
            (true, _) => Err(Broken("a version went before there was a bag".into())),
            (_, true) if !too_late(world, 600) => {
                Err(Broken("every item ended well, and the closed case has no bag".into()))
            }
            _ => Ok(()),
        };
    };
    let bag = valid(&objects, prefix)?;
    let seal = bag.get("tagmanifest-sha256.txt").map(|object| sha256(&object.data)).unwrap_or_default();
    if seal != told("5") {
        return Err(Broken("the case names another manifest than the bag has".into()));
    }
    equals(world, &bag)?;
    locked(world, &objects, prefix)
}

fn sha256(bytes: &[u8]) -> String {
    hex::encode(Sha256::digest(bytes))
}

fn is_open(world: &World) -> bool {
    world.content_server.with_state(|state| {
        let case = state.at(CASE).expect("the case");
        case.categories[&seed::CASE_FILE].values.get("2") != Some(&json!("Closed"))
    })
}

/// Whether people did something when no message was to come any more that could tell of it.
fn too_late(world: &World, seconds: i64) -> bool {
    let last: jiff::Timestamp = "2031-05-06T07:08:09Z".parse().expect("the beginning of every world");
    let last = last + jiff::SignedDuration::from_secs(seconds);
    world
        .content_server
        .with_state(|state| state.audit.iter().any(|event| event.user == ADMIN && event.at >= last))
}

/// Whether no item was put aside or failed.
fn all_ended_well(world: &World) -> bool {
    let endings = world.ledger();
    let mut endings =
        endings.iter().filter_map(|record| record.pointer("/status/S").and_then(|status| status.as_str()));
    endings.all(|status| matches!(status, "delivered" | "skipped"))
}

/// The newest version of every object of a bag, by path, when the bag is valid.
fn valid<'a>(objects: &'a [Stored], prefix: &str) -> Result<BTreeMap<String, &'a Stored>, Broken> {
    let mut bag: BTreeMap<String, &Stored> = BTreeMap::new();
    for object in objects {
        if let Some(path) = object.key.strip_prefix(prefix) {
            // Versions come newest first.
            bag.entry(path.to_owned()).or_insert(object);
        }
    }
    let sizes = bag.iter().map(|(path, object)| (path.clone(), object.data.len() as u64)).collect();
    let tags = tag_files(bag.keys().map(String::as_str)).into_iter();
    let tags = tags.map(|name| (name.to_owned(), bag[name].data.to_vec())).collect();
    let read =
        Bag::open(&sizes, &tags).map_err(|problems| Broken(format!("the bag is not valid: {problems:?}")))?;
    for (path, algorithms) in read.files() {
        let mut checksums = Checksums::of(algorithms);
        checksums.update(&bag[path].data);
        if let Some(problem) = read.check(path, &checksums.finish()) {
            return Err(Broken(format!("the bag is not valid: {problem}")));
        }
    }
    Ok(bag)
}

/// Every version that Content Server has or had is in the bag, unless people came between and no message has told yet.
fn equals(world: &World, bag: &BTreeMap<String, &Stored>) -> Result<(), Broken> {
    let packed: BTreeSet<String> = bag
        .iter()
        .filter(|(path, _)| path.starts_with("data/"))
        .map(|(_, object)| sha256(&object.data))
        .collect();
    let (filed, purged) = world.content_server.with_state(|state| {
        let inside = |node: &&Node| state.path_of(node.id).contains(CASE);
        let documents = state.nodes.values().filter(inside).filter(|node| node.kind == kind::DOCUMENT);
        let contents =
            documents.flat_map(|node| node.versions.iter().map(|version| version.content.sha256.clone()));
        (contents.collect::<BTreeSet<_>>(), state.audit.iter().any(|event| event.event_type == DELETED))
    });
    if purged && !packed.contains(&sha256(b"a first letter")) {
        return Err(Broken("a version went that is not in the bag".into()));
    }
    let missing: Vec<&String> = filed.difference(&packed).collect();
    if all_ended_well(world) && !is_open(world) && !too_late(world, 600) && !missing.is_empty() {
        return Err(Broken(format!("the bag lacks versions of the case: {missing:?}")));
    }
    Ok(())
}

/// Objects are retained as long as their record, and held exactly when the case or one of its documents is.
fn locked(world: &World, objects: &[Stored], prefix: &str) -> Result<(), Broken> {
    let until: i64 = TEN_YEARS.parse::<jiff::Timestamp>().expect("a moment").as_millisecond();
    let retaining = world.rules().contains("[rule.retention]");
    let held = world.content_server.with_state(|state| {
        let case = state.at(CASE).expect("the case");
        let mut nodes = state.nodes.values().filter(|node| state.ancestors(node.id).contains(&case.id));
        nodes.any(|node| state.holding(node).is_some())
    });
    let case_prefix = prefix.trim_end_matches('/').rsplit_once('/').map_or(prefix, |(case, _)| case);
    for object in objects.iter().filter(|object| object.key.starts_with(case_prefix)) {
        let (mode, end) = object.retained.clone().unwrap_or_default();
        let of_the_bag = object.key.starts_with(prefix);
        if of_the_bag && retaining && (mode != "GOVERNANCE" || end < until) {
            return Err(Broken(format!("{} is retained {mode} until {end} and not {until}", object.key)));
        }
        if all_ended_well(world) && !too_late(world, 1200) && object.legal_hold != held {
            return Err(Broken(format!("{}: legal hold {}, hold {held}", object.key, object.legal_hold)));
        }
    }
    Ok(())
}

/// What a restoration that never ends comes to: a person is told, once, after the time the rule gives it.
#[test]
fn a_restoration_that_never_ends_is_told_to_a_person() {
    let lines = "storage_class = \"DEEP_ARCHIVE\"\nretrieve = { overdue_hours = 1 }";
    let story = Scenario {
        meanwhile: &[RETRIEVAL],
        prepare: |world| {
            case(world);
            world.never_restore();
        },
        promise: Some(|world, _| {
            let letters: Vec<String> = world.dead_letters().into_iter().map(|(_, code)| code).collect();
            let bag = world.aws.s3().versions(ARCHIVE);
            assert!(bag.iter().any(|object| object.storage_class == "DEEP_ARCHIVE"));
            if letters == ["retrieve.overdue"] { Ok(()) } else { Err(Broken(format!("{letters:?}"))) }
        }),
        ..story("never restored", lines, case, closed, (1, 0, 0))
    };
    let report = tests::storm::clean(&story);
    match report.outcome {
        Err(Broken(told)) => assert!(told.contains("\"delivered\": 1, \"failed\": 1"), "{told}"),
        other => panic!("{other:?}"),
    }
}

/// A category that is not there, and a bag that is damaged each time it is built, are put aside with their reasons.
#[test]
fn what_cannot_be_archived_is_put_aside_with_its_reason() {
    let missing = RULES.replace("Integration/Archive", "Integration/Nowhere");
    let missing = Scenario {
        rules: missing.leak(),
        meanwhile: &[],
        promise: Some(|world, _| reason(world, "content-server.path-missing")),
        ..story("no category", "", case, closed, (0, 0, 1))
    };
    let report = tests::storm::clean(&missing);
    assert!(report.outcome.is_ok(), "{:?}", report.outcome);
    let unknown = Scenario {
        meanwhile: &[],
        promise: Some(|world, _| reason(world, "archive.unknown-schedule")),
        ..story(
            "no schedule",
            "[rule.retention]\nschedules = { OTHER = \"1 year\" }",
            case,
            closed,
            (0, 0, 1),
        )
    };
    let report = tests::storm::clean(&unknown);
    assert!(report.outcome.is_ok(), "{:?}", report.outcome);
}

fn reason(world: &World, code: &str) -> Result<(), Broken> {
    let put_aside = world.aws.s3().versions(tests::storm::QUARANTINE);
    let found: Vec<String> = put_aside
        .iter()
        .filter_map(|object| serde_json::from_slice::<Value>(&object.data).ok())
        .filter_map(|record| Some(record.pointer("/reason/code")?.as_str()?.to_owned()))
        .collect();
    if found == [code] { Ok(()) } else { Err(Broken(format!("{found:?}"))) }
}

/// Somebody changes what lies in the working place whenever it is there: the bag never validates.
#[tokio::test(start_paused = true)]
async fn a_bag_that_does_not_validate_is_put_aside_and_nothing_is_reduced() {
    let lines = format!("after = \"purge-old-versions\"\n{RETENTION}");
    let story = Scenario { meanwhile: &[], ..story("damaged", &lines, case, closed, (0, 0, 1)) };
    let world = World::new(&story, BTreeMap::new(), None, 1).await;
    for call in 0..2000 {
        let aws = world.aws.clone();
        world.tap.before(call, move || damage(&aws));
    }
    for message in closed(&world) {
        world.send(&message).await;
    }
    assert!(tests::storm::drive(&world, &ARCHIVE_CLOSED_FILES, tests::storm::Drive::default()).await);
    assert_eq!(reason(&world, "archive.bag-invalid"), Ok(()));
    world.content_server.with_state(|state| {
        assert_eq!(state.at(LETTER).expect("the letter").versions.len(), 2);
        assert!(!state.at(CASE).expect("the case").categories.contains_key(&seed::ARCHIVED));
    });
    let placed =
        world.aws.s3().versions(ARCHIVE).into_iter().filter(|object| object.key.starts_with("kept/"));
    assert_eq!(placed.count(), 0, "nothing is placed, so nothing is locked for years");
}

fn damage(aws: &simulators::aws::Aws) {
    use futures_util::FutureExt;
    let objects = aws.s3().versions(ARCHIVE).into_iter();
    let contents: BTreeMap<String, Stored> =
        objects.rev().map(|object| (object.key.clone(), object)).collect();
    for object in
        contents.into_values().filter(|object| object.key.contains("/bag/data/") && object.data != "damaged")
    {
        let path: String = object.key.bytes().map(|byte| format!("%{byte:02X}")).collect();
        let put = http::Request::put(format!("http://aws.test/{ARCHIVE}/{path}"));
        let put =
            put.header("content-length", "7").body(axum::body::Body::from("damaged")).expect("a request");
        let answer = aws.call(put).now_or_never().expect("the simulator never waits");
        assert!(answer.status().is_success(), "{}", answer.status());
    }
}

/// A bucket without Object Lock would keep nothing of what is promised: the function does not start.
#[tokio::test(start_paused = true)]
async fn a_bucket_without_object_lock_refuses_the_start() {
    let rules = RULES.replace("bucket = \"archive\"", "bucket = \"content\"");
    let story = Scenario { rules: rules.leak(), ..story("no lock", "", case, closed, (0, 0, 0)) };
    let world = World::new(&story, BTreeMap::new(), None, 1).await;
    let crash = std::sync::Arc::new(tokio::sync::Notify::new());
    let environment = world.environment(world.tap.transport(crash), 1, 0);
    let Err(error) = ARCHIVE_CLOSED_FILES.connect(&environment).await else { panic!("it started") };
    assert_eq!(error.code(), "archive.bucket-without-lock");
    assert!(error.remedy_text().is_some());
}
