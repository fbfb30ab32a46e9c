//! The stories of `archive-closed-files`.

mod available;

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use s3_content_server::ARCHIVE_CLOSED_FILES;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use shared::{
    bagit::{Bag, Checksums, tag_files},
    node_change::NodeChange,
};
use simulators::{
    aws::s3::Stored,
    content_server::{
        self, Blob, State, seed,
        state::{ADMIN, NewNode, NewVersion, Node, kind, records::RecordChanges},
    },
};
use tests::storm::{ARCHIVE, Broken, Intervention, Made, Meanwhile, Scenario, World};

pub(crate) const RULES: &str = r#"
[archive]
category = "Categories:Integration/Archive"
location = "Location"
revision = "Revision"
state = "State"
manifest_sha256 = "Manifest SHA-256"
retain_until = "Retain Until"
legal_hold = "Legal Hold"
archived_at = "Archived At"
link = "Link"
available_until = "Available Until"

[[rule]]
name = "closed-claims"
within = "Enterprise:Claims"
closed = { category = "Categories:Business/Case File", attribute = "Status", values = ["Closed"] }
bucket = "archive"
prefix = "kept/"
source_organization = "Harbour Mutual"
"#;

pub(crate) const RETENTION: &str = "[rule.retention]\ndefault = \"1 year\"\n\
    schedules = { \"CLM-FILES-10Y\" = \"10 years\", \"SUP-CONTRACTS-6Y\" = \"20 years\" }\n";
/// So many years after the day the world begins, to the end of that day.
const ONE_YEAR: &str = "2032-05-07T00:00:00Z";
const TEN_YEARS: &str = "2041-05-07T00:00:00Z";
const TWENTY_YEARS: &str = "2051-05-07T00:00:00Z";

pub(crate) const CASE: &str = "Claims/CLM-100900 Roof";
pub(crate) const LETTER: &str = "Claims/CLM-100900 Roof/Letters/Letter.txt";
pub(crate) const NOTE: &str = "Claims/CLM-100900 Roof/Note 100 %.txt";

const HOLDS: [Intervention; 3] = [
    Intervention { name: "a hold on the case", act: hold_case },
    Intervention { name: "a hold on a document", act: hold_document },
    Intervention { name: "holds are lifted", act: lift },
];

const PEOPLE: &[Intervention] = &[
    HOLDS[0],
    HOLDS[1],
    Intervention { name: "a document is added", act: add_document },
    Intervention { name: "the case is reopened", act: reopen },
    Intervention { name: "a record gets a longer schedule", act: lengthen },
];

/// Where a document has versions, and is none that may not be moved.
const WITH_VERSIONS: &[Intervention] = &[
    HOLDS[0],
    HOLDS[1],
    Intervention { name: "a version is added", act: add_version },
    Intervention { name: "the case is reopened", act: reopen },
    Intervention { name: "a document is moved away", act: move_document },
];

/// Somebody asks for the bag, by a letter that is in it.
pub(crate) const RETRIEVAL: Meanwhile = Meanwhile {
    after: Duration::from_secs(300),
    what: |world| {
        Box::pin(async move {
            let message = change(world, LETTER, Some("retrieve"), "");
            world.send(&message).await;
        })
    },
};

pub(crate) fn story(
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
        told: |world| vec![change(world, CASE, None, "later")],
        ..Scenario::of_messages(name, &ARCHIVE_CLOSED_FILES, rules, prepare, messages, clean)
    }
}

pub(crate) fn scenarios() -> Vec<Scenario> {
    vec![
        story("a closed case becomes a bag", RETENTION, a_record, closed, (1, 0, 0)),
        Scenario {
            interventions: WITH_VERSIONS,
            ..story(
                "old versions go when the bag is valid",
                &format!("after = \"purge-old-versions\"\n{RETENTION}"),
                two_versions,
                closed,
                (1, 0, 0),
            )
        },
        Scenario { interventions: &HOLDS, ..story("what is held is locked", "", held, closed, (1, 0, 0)) },
        Scenario {
            interventions: &[],
            meanwhile: &[RETRIEVAL],
            promise: Some(available::the_bag_can_be_had),
            ..story(
                "a bag is brought out of its archive",
                "storage_class = \"GLACIER\"\nretrieve = { to = \"link\" }",
                a_letter,
                closed,
                (3, 0, 0),
            )
        },
        Scenario {
            interventions: &[],
            ..story(
                "what is not closed stays",
                RETENTION,
                |world| open_with(world, &["a first letter"], false),
                closed,
                (0, 1, 0),
            )
        },
    ]
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

/// A case with a letter of so many versions in a folder, and perhaps a note that is a record. Each story has as little of
/// it as it needs: every file of a bag is a dozen calls, and every call meets every fault.
fn open_with(world: &World, letters: &[&str], note: bool) {
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
        let case = folder(state, seed::CLAIMS, "CLM-100900 Roof");
        if !letters.is_empty() {
            let folder = folder(state, case, "Letters");
            document(state, folder, "Letter.txt", letters);
        }
        if note {
            let note = document(state, case, "Note 100 %.txt", &["a note"]);
            let changes = RecordChanges { official: Some(true), ..RecordChanges::default() };
            state.classify_record(ADMIN, note, seed::CLAIM_FILES, changes).expect("a record");
        }
        let values = json!({"2": "Open"});
        state
            .add_category(ADMIN, case, seed::CASE_FILE, values.as_object().expect("values"))
            .expect("a category");
        state.audit.clear();
    });
}

fn closed_with(world: &World, letters: &[&str], note: bool) {
    open_with(world, letters, note);
    set_status(&world.content_server, "Closed");
    world.content_server.with_state(|state| state.audit.clear());
}

/// All of it.
pub(crate) fn case(world: &World) {
    closed_with(world, &["a first letter", "a second letter"], true);
}

fn a_record(world: &World) {
    closed_with(world, &[], true);
}

fn a_letter(world: &World) {
    closed_with(world, &["a first letter"], false);
}

fn two_versions(world: &World) {
    closed_with(world, &["a first letter", "a second letter"], false);
}

fn held(world: &World) {
    a_letter(world);
    hold_document(&world.content_server);
}

pub(crate) fn change(world: &World, path: &str, request: Option<&str>, occasion: &str) -> String {
    let node = world.content_server.with_state(|state| state.at(path).expect("a node").id);
    let change = NodeChange::about(node, request, occasion);
    change.envelope("watch-content-server", "archive-closed-files", &world.context).expect("an envelope")
}

pub(crate) fn closed(world: &World) -> Vec<String> {
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
    let note = server.with_state(|state| state.at(NOTE).is_some());
    put_hold(server, if note { NOTE } else { LETTER });
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
        let letter = state.at(LETTER).expect("the letter").id;
        let changes = content_server::state::Changes {
            parent_id: Some(seed::SUPPLIERS),
            ..content_server::state::Changes::default()
        };
        state.update(ADMIN, letter, changes).expect("it is moved");
    });
}

/// The record belongs to another schedule from now on.
fn lengthen(server: &content_server::Simulator) {
    schedule(server, "SUP-CONTRACTS-6Y");
}

pub(crate) fn schedule(server: &content_server::Simulator, code: &str) {
    server.with_state(|state| {
        let note = state.at(NOTE).expect("the note").id;
        let changes = RecordChanges { rsi: Some(code.to_owned()), ..RecordChanges::default() };
        state.edit_record(ADMIN, note, changes).expect("another schedule");
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
        value.and_then(Value::as_str).unwrap_or_default().to_owned()
    };
    let purged =
        world.content_server.with_state(|state| state.audit.iter().any(|event| event.event_type == DELETED));
    let location = told("2");
    let Some(prefix) = location.strip_prefix(&format!("s3://{ARCHIVE}/")) else {
        return match (purged, all_ended_well(world) && !is_open(world) && !is_empty(world)) {
            (true, _) => Err(Broken("a version went before there was a bag".into())),
            (_, true) => Err(Broken("every item ended well, and the closed case has no bag".into())),
            _ => Ok(()),
        };
    };
    let bag = valid(&objects, prefix)?;
    let seal = bag.get("tagmanifest-sha256.txt").map(|object| sha256(&object.data)).unwrap_or_default();
    if seal != told("5") {
        return Err(Broken("the case names another manifest than the bag has".into()));
    }
    if purged && !is_kept(&objects) {
        return Err(Broken("a version went that is in no bag".into()));
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

fn is_empty(world: &World) -> bool {
    world.content_server.with_state(|state| state.at(LETTER).or_else(|| state.at(NOTE)).is_none())
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
            // The newest version comes last.
            bag.insert(path.to_owned(), object);
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

/// Whether the version that goes is in a bag. A case that changed meanwhile has a further one, of what there is then.
fn is_kept(objects: &[Stored]) -> bool {
    let mut packed = objects.iter().filter(|object| object.key.contains("/data/"));
    packed.any(|object| object.data.as_ref() == b"a first letter")
}

/// Every version that Content Server has is in the bag, unless people came between and no message has told yet.
fn equals(world: &World, bag: &BTreeMap<String, &Stored>) -> Result<(), Broken> {
    let packed: BTreeSet<String> = bag
        .iter()
        .filter(|(path, _)| path.starts_with("data/"))
        .map(|(_, object)| sha256(&object.data))
        .collect();
    let filed = world.content_server.with_state(|state| {
        let inside = |node: &&Node| state.path_of(node.id).contains(CASE);
        let documents = state.nodes.values().filter(inside).filter(|node| node.kind == kind::DOCUMENT);
        let contents =
            documents.flat_map(|node| node.versions.iter().map(|version| version.content.sha256.clone()));
        contents.collect::<BTreeSet<_>>()
    });
    let missing: Vec<&String> = filed.difference(&packed).collect();
    if all_ended_well(world) && !is_open(world) && !missing.is_empty() {
        return Err(Broken(format!("the bag lacks versions of the case: {missing:?}")));
    }
    Ok(())
}

/// Objects are retained as long as their record asks for, and held exactly when the case or one of its documents is.
fn locked(world: &World, objects: &[Stored], prefix: &str) -> Result<(), Broken> {
    let retaining = world.rules().contains("[rule.retention]");
    let (held, longer) = world.content_server.with_state(|state| {
        let case = state.at(CASE).expect("the case");
        let mut nodes = state.nodes.values().filter(|node| state.ancestors(node.id).contains(&case.id));
        let held = nodes.any(|node| state.holding(node).is_some());
        let record = state.at(NOTE).and_then(|note| note.record.as_ref());
        (held, record.map(|record| record.rsi.starts_with("SUP")))
    });
    let well = all_ended_well(world);
    let until = match longer {
        None => ONE_YEAR,
        Some(true) if well => TWENTY_YEARS,
        Some(_) => TEN_YEARS,
    };
    let until: i64 = until.parse::<jiff::Timestamp>().expect("a moment").as_millisecond();
    let case_prefix = prefix.trim_end_matches('/').rsplit_once('/').map_or(prefix, |(case, _)| case);
    for object in objects.iter().filter(|object| object.key.starts_with(case_prefix)) {
        let (mode, end) = object.retained.clone().unwrap_or_default();
        let of_the_bag = object.key.starts_with(prefix);
        if of_the_bag && retaining && (mode != "GOVERNANCE" || end < until) {
            return Err(Broken(format!("{} is retained {mode} until {end} and not {until}", object.key)));
        }
        if well && object.legal_hold != held {
            return Err(Broken(format!("{}: legal hold {}, hold {held}", object.key, object.legal_hold)));
        }
    }
    Ok(())
}
