//! The stories of `replicate-content`.

mod calm;
mod replica;

use std::{collections::BTreeMap, time::Duration};

use jiff::Timestamp;
use s3_content_server::REPLICATE_CONTENT;
use serde_json::json;
use shared::node_change::{Change, NodeChange};
use simulators::content_server::{
    Blob, State, seed,
    state::{
        ADMIN, Changes, NewNode, NewVersion, Permission, kind, permissions::Holder, records::RecordChanges,
    },
};
use tests::storm::{Broken, Form, Intervention, Made, Meanwhile, Scenario, World};

use self::replica::{PREFIX, Replica, facts_of, sha256};

const RULES: &str = "[[rule]]\nname = \"plans\"\nwithin = \"Enterprise:Digitised Archive\"\nprefix = \"plans/\"\n\
    restore_into = \"Enterprise:Quarantine\"\ndrill_documents = 2\n";

/// When everything is told of for the last time.
const LAST: Duration = Duration::from_secs(1500);
const BEGINNING: &str = "2031-05-06T07:08:09Z";
/// The document, and the folder it is in.
const PLAN: i64 = 100_001;
const MAPS: i64 = 3401;

const PEOPLE: &[Intervention] = &[
    Intervention { name: "a new version", act: |server| server.with_state(add_version) },
    Intervention { name: "a new name", act: |server| server.with_state(rename) },
    Intervention { name: "other rights", act: |server| server.with_state(|state| give_rights(state, ADMIN)) },
    Intervention { name: "another value", act: |server| server.with_state(|state| set_value(state, ADMIN)) },
    Intervention { name: "a deletion", act: |server| server.with_state(|state| delete(state, ADMIN)) },
    Intervention { name: "a move out of the set", act: |server| server.with_state(move_out) },
];

pub(crate) fn scenarios() -> Vec<Scenario> {
    let told = |name, meanwhile, clean| Scenario {
        meanwhile,
        promise: Some(replica_equals),
        ..Scenario::of_messages(name, &REPLICATE_CONTENT, RULES, plans, changed, clean)
    };
    let restored = |name, meanwhile, clean| Scenario {
        meanwhile,
        promise: Some(restored_once),
        ..Scenario::of_messages(name, &REPLICATE_CONTENT, RULES, plans, all_changed, clean)
    };
    vec![
        Scenario {
            interventions: PEOPLE,
            ..told("a document is replicated with its versions", TELLINGS, (1, 2, 0))
        },
        told("a change of values alone is replicated", VALUES, (2, 2, 0)),
        told("a deletion becomes a marker", DELETION, (2, 2, 0)),
        Scenario { interventions: OF_ORIGINALS, ..restored("a set is restored", RESTORE, (4, 0, 0)) },
        restored("a sample is drilled", DRILL, (4, 0, 0)),
    ]
}

/// What people do to originals while a restore reads the replica.
const OF_ORIGINALS: &[Intervention] = &[
    Intervention { name: "a new version", act: |server| server.with_state(add_version) },
    Intervention { name: "a deletion", act: |server| server.with_state(|state| delete(state, ADMIN)) },
];

/// The feed tells again at its full looks.
const TELLINGS: &[Meanwhile] = &[
    Meanwhile { after: Duration::from_secs(700), what: |world| Box::pin(tell(world, "later")) },
    Meanwhile { after: LAST, what: |world| Box::pin(tell(world, "last")) },
];
const VALUES: &[Meanwhile] = &[
    Meanwhile {
        after: Duration::from_secs(300),
        what: |world| {
            Box::pin(async move {
                world.content_server.with_state(|state| set_value(state, seed::WAYBILL));
                world.content_server.with_state(|state| give_rights(state, seed::WAYBILL));
                tell(world, "values").await;
            })
        },
    },
    TELLINGS[0],
    TELLINGS[1],
];
const DELETION: &[Meanwhile] = &[
    Meanwhile {
        after: Duration::from_secs(300),
        what: |world| {
            Box::pin(async move {
                world.content_server.with_state(|state| delete(state, seed::WAYBILL));
                world.send(&change(world, PLAN, Change::Removed, None, "deleted")).await;
            })
        },
    },
    TELLINGS[0],
    TELLINGS[1],
];
const RESTORE: &[Meanwhile] = &[Meanwhile {
    after: Duration::from_secs(300),
    what: |world| {
        Box::pin(async move { world.send(&request(&json!({"request": "restore", "set": "plans"}))).await })
    },
}];
const DRILL: &[Meanwhile] = &[Meanwhile {
    after: Duration::from_secs(300),
    what: |world| Box::pin(async move { world.send(&request(&json!({"request": "drill"}))).await }),
}];

fn contents() -> [Vec<u8>; 3] {
    ["first", "second", "third"].map(|version| format!("plan, {version}").into_bytes())
}

/// A document with everything a document can have, and two plain ones, one in a folder that is new.
fn plans(world: &World) {
    world.content_server.with_state(|state| {
        let plan = document(state, MAPS, "Plan of 1887.tif", &contents());
        assert_eq!(plan, PLAN);
        let values = json!({"2": "100117", "6": 12500, "7": true, "8": ["map", "plan"],
            "9_1_10": "A. Surveyor", "9_1_11": "Expert", "9_2_10": "B. Witness", "9_2_11": "Witness"});
        let values = values.as_object().expect("an object");
        state.add_category(seed::WAYBILL, plan, seed::CLAIM_EVIDENCE, values).expect("a category");
        let rights = [Permission::See, Permission::SeeContents].into_iter().collect();
        state.set_rights(seed::WAYBILL, plan, Holder::Custom(1204), Some(rights), None, 0).expect("rights");
        state.nodes.get_mut(&plan).expect("it").classifications.push(seed::CONFIDENTIAL);
        let details = RecordChanges::default();
        state.classify_record(ADMIN, plan, seed::CLAIM_FILES, details).expect("a record");
        let sheets =
            NewNode { kind: kind::FOLDER, parent_id: MAPS, name: "Sheets".to_owned(), ..NewNode::default() };
        let sheets = state.create(seed::WAYBILL, sheets).expect("a folder");
        document(state, sheets, "Sheet 7.tif", &[b"sheet seven".to_vec()]);
        document(state, MAPS, "Index.txt", &[b"index".to_vec(), b"index, corrected".to_vec()]);
        state.audit.clear();
    });
}

fn document(state: &mut State, parent: i64, name: &str, contents: &[Vec<u8>]) -> i64 {
    let mut versions =
        contents.iter().map(|bytes| NewVersion::of(name, "image/tiff", Blob::of(bytes.clone())));
    let new = NewNode {
        kind: kind::DOCUMENT,
        parent_id: parent,
        name: name.to_owned(),
        description: format!("{name}, scanned"),
        version: versions.next(),
        ..NewNode::default()
    };
    let node = state.create(seed::WAYBILL, new).expect("a document");
    for version in versions {
        state.add_version(seed::WAYBILL, node, version).expect("a version");
    }
    node
}

fn change(world: &World, node: i64, change: Change, request: Option<&str>, occasion: &str) -> String {
    let change = NodeChange { change, ..NodeChange::about(node, request, occasion) };
    change.envelope("watch-content-server", "replicate-content", &world.context).expect("an envelope")
}

fn request(data: &serde_json::Value) -> String {
    let kind = s3_content_server::replicate_content::KIND;
    json!({"specversion": "1.0", "id": "asked", "source": "test", "type": kind, "data": data}).to_string()
}

fn changed(world: &World) -> Vec<String> {
    vec![change(world, PLAN, Change::Changed, None, "first")]
}

/// The three documents. Their folders are noticed with them.
fn all_changed(world: &World) -> Vec<String> {
    let nodes = [PLAN, at(world, "Sheets/Sheet 7.tif"), at(world, "Index.txt")];
    nodes.map(|node| change(world, node, Change::Changed, None, "first")).into()
}

/// A node in the folder of the plans.
fn at(world: &World, path: &str) -> i64 {
    let path = format!("Digitised Archive/Maps and Plans/{path}");
    world.content_server.with_state(|state| state.at(&path).map(|node| node.id)).expect("the node")
}

async fn tell(world: &World, occasion: &str) {
    world.send(&change(world, PLAN, Change::Changed, None, occasion)).await;
}

/// What a person does to the document while it is there.
fn add_version(state: &mut State) {
    let version = NewVersion::of("Plan of 1887.tif", "image/tiff", Blob::of(b"by somebody".to_vec()));
    if state.nodes.contains_key(&PLAN) {
        state.add_version(ADMIN, PLAN, version).expect("a version");
    }
}

fn rename(state: &mut State) {
    let changes = Changes { name: Some("The plan.tif".to_owned()), ..Changes::default() };
    if state.nodes.contains_key(&PLAN) {
        state.update(ADMIN, PLAN, changes).expect("a name");
    }
}

fn move_out(state: &mut State) {
    let changes = Changes { parent_id: Some(seed::ONBOARDING), ..Changes::default() };
    if state.nodes.contains_key(&PLAN) {
        state.update(ADMIN, PLAN, changes).expect("a move");
    }
}

fn give_rights(state: &mut State, actor: i64) {
    if state.nodes.contains_key(&PLAN) {
        let rights = [Permission::See].into_iter().collect();
        state.set_rights(actor, PLAN, Holder::Custom(1207), Some(rights), None, 0).expect("rights");
    }
}

fn set_value(state: &mut State, actor: i64) {
    if state.nodes.contains_key(&PLAN) {
        let values = json!({"2": "100118"});
        let values = values.as_object().expect("an object");
        state.edit_category(actor, PLAN, seed::CLAIM_EVIDENCE, values, None).expect("a value");
    }
}

fn delete(state: &mut State, actor: i64) {
    if state.nodes.contains_key(&PLAN) {
        state.delete(actor, PLAN).expect("deleted");
    }
}

/// Whether a person acted when nobody was told of it any more.
fn is_untold(world: &World) -> bool {
    let beginning: Timestamp = BEGINNING.parse().expect("a time");
    let last = beginning + jiff::SignedDuration::try_from(LAST).expect("short");
    world
        .content_server
        .with_state(|state| state.audit.iter().any(|event| event.user == ADMIN && event.at >= last))
}

/// How items ended, by the last word of their keys.
fn endings(world: &World) -> BTreeMap<String, String> {
    let ledger = world.ledger().into_iter().filter_map(|record| {
        let text = |name: &str| record.pointer(&format!("/{name}/S")).and_then(|text| text.as_str());
        text("pk")?.contains("#item#").then(|| {
            let last = text("item_key").and_then(|key| key.split(' ').next_back()).unwrap_or_default();
            (last.to_owned(), text("status").unwrap_or_default().to_owned())
        })
    });
    ledger.collect()
}

/// Byte for byte and field for field, the replica is Content Server when the last telling was dealt with; nothing went
/// from it; and no call that deletes was ever made.
fn replica_equals(world: &World, _: &Made) -> Result<(), Broken> {
    nothing_is_deleted(world)?;
    let replica = Replica::of(world);
    let told = matches!(endings(world).get("last").map(String::as_str), Some("delivered" | "skipped"));
    let facts = replica.facts(PLAN)?;
    if !told || is_untold(world) {
        return Ok(());
    }
    let record = replica.record(PLAN);
    world.content_server.with_state(|state| {
        let node = state.nodes.get(&PLAN);
        let inside = node.filter(|node| state.path_of(node.id).contains("/Digitised Archive/"));
        let record = match (&record, inside) {
            (Some(record), _) => record,
            (None, Some(_)) => return Err(Broken("the replica does not know the document".into())),
            // It went before it could be replicated.
            (None, None) => return Ok(()),
        };
        let expected = match (node, inside) {
            (_, Some(_)) => "present",
            (Some(_), None) => "left",
            (None, _) => "gone",
        };
        if record["presence"] != expected {
            return Err(Broken(format!("it is {}, and should be {expected}", record["presence"])));
        }
        let Some(node) = inside else { return Ok(()) };
        let expected = facts_of(state, node);
        if facts.as_ref() != Some(&expected) {
            return Err(Broken(format!("the replica says {facts:#?}\nContent Server says {expected:#?}")));
        }
        let folder = replica.facts(MAPS)?;
        let there = state.nodes.get(&MAPS).map(|folder| facts_of(state, folder));
        if folder != there {
            return Err(Broken(format!(
                "of the folder the replica says {folder:#?}\nContent Server says {there:#?}"
            )));
        }
        Ok(())
    })?;
    // Whatever became of the document, what was copied stays. What went before its first telling was delivered may never
    // have been copied.
    let known = replica.contents();
    let (interrupted, is_there) = world.content_server.with_state(|state| {
        (state.audit.iter().any(|event| event.user == ADMIN), state.nodes.contains_key(&PLAN))
    });
    let copied = is_there || endings(world).get("first").map(String::as_str) == Some("delivered");
    match contents().iter().find(|bytes| !known.contains(&sha256(bytes))) {
        Some(missing) if copied && !interrupted => {
            Err(Broken(format!("the content {missing:?} is not in the replica")))
        }
        _ => Ok(()),
    }
}

/// The replica is never the reason for a delete: not one request of this flow could delete anything.
fn nothing_is_deleted(world: &World) -> Result<(), Broken> {
    let calls = world.tap.calls();
    let deletes = calls.iter().find(|call| {
        call.form != Form::AwsJson && call.what.starts_with("DELETE") && !call.what.contains("/permissions/")
    });
    deletes.map_or(Ok(()), |call| Err(Broken(format!("a call that deletes: {}", call.what))))
}

/// Everything that was restored is there once and is what the replica says; what arrived damaged was set aside.
fn restored_once(world: &World, _: &Made) -> Result<(), Broken> {
    nothing_is_deleted(world)?;
    let replica = Replica::of(world);
    let equal: Vec<i64> = replica
        .keys()
        .filter(|key| key.ends_with(".jsonl") && key.starts_with(&format!("{PREFIX}_waybill/")))
        .flat_map(|key| entries(world, key))
        .filter(|entry| entry["outcome"] == "equal")
        .filter_map(|entry| entry["restored"].as_i64())
        .collect();
    world.content_server.with_state(|state| {
        let mut seen: BTreeMap<&str, i64> = BTreeMap::new();
        for node in state.nodes.values() {
            let Some(mark) = node.external.identity.as_deref().filter(|mark| mark.starts_with("waybill:"))
            else {
                continue;
            };
            let aside = node.name.contains(" (damaged ");
            let original = mark.split(':').nth(3).and_then(|original| original.parse().ok());
            let facts = original.map_or(Ok(None), |original| replica.facts(original))?;
            let restored = facts_of(state, node).restorable();
            if let Some(facts) = facts.as_ref().map(replica::Facts::restorable) {
                let expected = facts.versions.get(..restored.versions.len());
                let is_part = expected == Some(&restored.versions[..]);
                if is_part == aside && !facts.versions.is_empty() {
                    return Err(Broken(format!(
                        "{} holds {:?} of {:?}",
                        node.name, restored.versions, facts.versions
                    )));
                }
                if equal.contains(&node.id) && restored != facts {
                    return Err(Broken(format!(
                        "{} is said to be equal: {restored:#?}\n{facts:#?}",
                        node.name
                    )));
                }
            }
            if !aside && let Some(other) = seen.insert(mark, node.id) {
                return Err(Broken(format!("{} was restored twice: {other} and {}", node.name, node.id)));
            }
        }
        Ok(())
    })
}

fn entries(world: &World, key: &str) -> Vec<serde_json::Value> {
    let objects = world.aws.s3().versions(tests::storm::CONTENT);
    let object = objects.into_iter().find(|object| object.key == key);
    let text = object.map(|object| String::from_utf8_lossy(&object.data).into_owned()).unwrap_or_default();
    text.lines().filter_map(|line| serde_json::from_str(line).ok()).collect()
}
