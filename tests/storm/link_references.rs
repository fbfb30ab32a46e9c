//! The stories of `link-references`.

use std::{collections::BTreeSet, pin::Pin, time::Duration};

use iconik_content_server::LINK_REFERENCES;
use serde_json::{Value, json};
use simulators::{
    content_server::{
        self, Blob, seed,
        state::{ADMIN, Changes, NewVersion},
    },
    iconik,
};
use tests::{
    messages,
    production::{self, COLLECTION, WORKSPACE},
    repository,
    storm::{Broken, IconikIntervention, Intervention, Made, Meanwhile, Scenario, World},
};

pub(crate) const RULES: &str = include_str!("../flows/link-rules.toml");

pub(crate) const NAME: &str = "Drying contract.pdf";
const RENAMED: &str = "Drying and storage.pdf";
/// The films in the collection.
const FILMS: usize = 3;

const PEOPLE: &[Intervention] = &[
    Intervention { name: "another name", act: rename },
    Intervention { name: "a new version", act: add_version },
    Intervention { name: "a classification as confidential", act: classify },
    Intervention { name: "a mark as confidential", act: mark },
    Intervention { name: "a confidential folder", act: classify_folder },
    Intervention { name: "a move out of the folder", act: move_out },
    Intervention { name: "the document is deleted", act: delete },
    Intervention {
        name: "the workspace belongs to nothing",
        act: |server| production::belongs_to(server, &[]),
    },
];

const IN_ICONIK: &[IconikIntervention] = &[
    IconikIntervention { name: "the link is deleted", act: delete_link },
    IconikIntervention { name: "the link gets another title", act: retitle_link },
    IconikIntervention { name: "the link is taken out of its collection", act: take_link_out },
];

fn story(
    name: &'static str,
    prepare: fn(&World),
    meanwhile: &'static [Meanwhile],
    clean: (usize, usize, usize),
) -> Scenario {
    Scenario {
        promise: Some(shows_what_is_there),
        told: |world| vec![change(world, "told")],
        meanwhile,
        ..Scenario::of_iconik(
            name,
            &LINK_REFERENCES,
            RULES,
            prepare,
            |world| vec![change(world, "first")],
            clean,
        )
    }
}

pub(crate) fn scenarios() -> Vec<Scenario> {
    let shown = story("a contract is shown beside the films", one_contract, &[], (1, 0, 0));
    vec![
        Scenario { interventions: PEOPLE, in_iconik: IN_ICONIK, ..shown },
        Scenario {
            iconik: Some(|theirs| theirs.index.lag_seconds = 5),
            ..story("a contract is shown, and the index is behind", one_contract, &[], (1, 0, 0))
        },
        story("a contract gets another name and a version", one_contract, RENAMED_LATER, (2, 0, 0)),
        story("a contract becomes confidential", one_contract, CONFIDENTIAL_LATER, (2, 0, 0)),
        story("a contract is marked as confidential", one_contract, MARKED_LATER, (2, 0, 0)),
        story("a contract comes back", one_contract, THERE_AND_BACK, (3, 0, 0)),
        Scenario {
            messages: |world| vec![about(world, CERTIFICATES[0]), about(world, CERTIFICATES[1])],
            meanwhile: WITHDRAWN_LATER,
            ..story("certificates are addresses in a field", certificates, &[], (3, 0, 0))
        },
        Scenario {
            messages: |world| {
                vec![messages::node_change("link-references", workspace(world), None, "mapped")]
            },
            // The workspace, its three folders, and one document.
            ..story("a workspace is mapped", one_contract, &[], (5, 0, 0))
        },
        Scenario {
            promise: Some(nothing_is_shown),
            ..story("a workspace names a collection that is not there", mapped_to_nothing, &[], (0, 0, 1))
        },
    ]
}

type Eventual<'a> = Pin<Box<dyn Future<Output = ()> + 'a>>;
const LATER: Duration = Duration::from_secs(10);
const MUCH_LATER: Duration = Duration::from_secs(400);

const RENAMED_LATER: &[Meanwhile] = &[Meanwhile {
    after: LATER,
    what: |world| {
        then(world, "renamed", |server| {
            rename(server);
            add_version(server);
        })
    },
}];
const CONFIDENTIAL_LATER: &[Meanwhile] =
    &[Meanwhile { after: LATER, what: |world| then(world, "confidential", classify) }];
const MARKED_LATER: &[Meanwhile] = &[Meanwhile { after: LATER, what: |world| then(world, "marked", mark) }];
const THERE_AND_BACK: &[Meanwhile] = &[
    Meanwhile { after: LATER, what: |world| then(world, "confidential", classify) },
    Meanwhile { after: MUCH_LATER, what: |world| then(world, "declassified", declassify) },
];
const WITHDRAWN_LATER: &[Meanwhile] = &[Meanwhile {
    after: LATER,
    what: |world| {
        Box::pin(async move {
            let node = at(&world.content_server, CERTIFICATES[0]).expect("the document");
            production::classify(&world.content_server, node);
            world.send(&messages::node_change("link-references", node, None, "later")).await;
        })
    },
}];

fn then<'a>(world: &'a World, occasion: &'static str, act: fn(&content_server::Simulator)) -> Eventual<'a> {
    Box::pin(async move {
        act(&world.content_server);
        world.send(&change(world, occasion)).await;
    })
}

pub(crate) fn one_contract(world: &World) {
    let server = &world.content_server;
    production::belongs_to(server, &[&production::collection(world.iconik(), COLLECTION)]);
    let folder = format!("{WORKSPACE}/Contracts");
    repository::document(server, &folder, NAME, "application/pdf", &[b"%PDF-1.7 contract".to_vec()]);
}

const CERTIFICATES: [&str; 2] = ["Certificates/Drying.pdf", "Certificates/Lifting.pdf"];

fn certificates(world: &World) {
    one_contract(world);
    for path in CERTIFICATES {
        let (folder, name) = path.split_once('/').expect("a folder and a name");
        let folder = format!("{WORKSPACE}/{folder}");
        let bytes = vec![path.as_bytes().to_vec()];
        repository::document(&world.content_server, &folder, name, "application/pdf", &bytes);
    }
    world.iconik().with_state(|state| {
        let many = json!({"multi": true}).as_object().cloned().expect("an object");
        state.edit_field("ContentServerLink", many).expect("a field");
    });
}

fn mapped_to_nothing(world: &World) {
    one_contract(world);
    production::belongs_to(&world.content_server, &["5f0c8f30-7a51-11f0-ffff-0242ac120002"]);
}

/// The contract, wherever it is and whatever it is called.
pub(crate) fn contract(server: &content_server::Simulator) -> Option<i64> {
    server.with_state(|state| {
        let named = |name: &String| name == NAME || name == RENAMED;
        let found = state.nodes.values().find(|node| named(&node.name)).map(|node| node.id);
        let deleted =
            || state.recycle_bin.values().flatten().find(|node| named(&node.name)).map(|node| node.id);
        found.or_else(deleted)
    })
}

pub(crate) fn at(server: &content_server::Simulator, path: &str) -> Option<i64> {
    server.with_state(|state| state.at(&format!("{WORKSPACE}/{path}")).map(|node| node.id))
}

fn workspace(world: &World) -> i64 {
    repository::at(&world.content_server, WORKSPACE)
}

pub(crate) fn change(world: &World, occasion: &str) -> String {
    let node = contract(&world.content_server).expect("the contract");
    messages::node_change("link-references", node, None, occasion)
}

fn about(world: &World, path: &str) -> String {
    let node = at(&world.content_server, path).expect("the document");
    messages::node_change("link-references", node, None, "first")
}

fn rename(server: &content_server::Simulator) {
    let Some(node) = contract(server) else { return };
    let changes = Changes { name: Some(RENAMED.to_owned()), ..Changes::default() };
    server.with_state(|state| state.update(ADMIN, node, changes)).expect("a name");
}

fn add_version(server: &content_server::Simulator) {
    let Some(node) = contract(server) else { return };
    let version = NewVersion::of(NAME, "application/pdf", Blob::of(b"%PDF-1.7 second".to_vec()));
    server.with_state(|state| state.add_version(ADMIN, node, version)).expect("a version");
}

pub(crate) fn classify(server: &content_server::Simulator) {
    production::classify(server, contract(server).expect("the contract"));
}

/// Somebody ticks the box of a category.
pub(crate) fn mark(server: &content_server::Simulator) {
    set_mark(server, contract(server).expect("the contract"), true);
}

/// Sets the attribute by which the rules know what is confidential.
pub(crate) fn set_mark(server: &content_server::Simulator, node: i64, confidential: bool) {
    let is_there = server.with_state(|state| state.nodes.contains_key(&node));
    if is_there {
        repository::set_value(server, node, MARK.0, "Supplier Number", json!("0000200777"));
        repository::set_value(server, node, MARK.0, MARK.1, json!(confidential));
    }
}

/// The category and the attribute that `[confidential]` of the rules names.
const MARK: (&str, &str) = ("Supplier Submission", "Confidential");

fn classify_folder(server: &content_server::Simulator) {
    production::classify(server, at(server, "Contracts").expect("the folder"));
}

fn declassify(server: &content_server::Simulator) {
    let node = contract(server).expect("the contract");
    server.with_state(|state| state.nodes.get_mut(&node).expect("the node").classifications.clear());
}

fn move_out(server: &content_server::Simulator) {
    let (Some(node), Some(offers)) = (contract(server), at(server, "Offers")) else { return };
    let changes = Changes { parent_id: Some(offers), ..Changes::default() };
    server.with_state(|state| state.update(ADMIN, node, changes)).expect("it moves");
}

fn delete(server: &content_server::Simulator) {
    let Some(node) = contract(server) else { return };
    server.with_state(|state| state.delete(ADMIN, node)).expect("it goes");
}

/// The link that is there, if it is there already.
pub(crate) fn link(tenant: &iconik::Simulator) -> Option<String> {
    tenant.with_state(|state| {
        let is_link = |asset: &&iconik::state::Object| {
            asset["external_id"].as_str().is_some_and(|id| id.starts_with("content-server-"))
        };
        state.assets.objects().find(is_link).and_then(|asset| asset["id"].as_str().map(str::to_owned))
    })
}

fn delete_link(tenant: &iconik::Simulator) {
    let Some(link) = link(tenant) else { return };
    tenant.with_state(|state| state.delete(iconik::seed::EDITOR, "assets", &link)).expect("it goes");
}

fn retitle_link(tenant: &iconik::Simulator) {
    let Some(link) = link(tenant) else { return };
    tenant.with_state(|state| {
        state.assets.get_mut(&link).expect("the link").insert("title".to_owned(), "Something else".into());
    });
}

fn take_link_out(tenant: &iconik::Simulator) {
    let Some(link) = link(tenant) else { return };
    let collection = production::collection(tenant, COLLECTION);
    // It may not be in it yet.
    let _ = tenant.with_state(|state| state.part(iconik::seed::EDITOR, "assets", &link, &collection));
}

/// Whether an item has not ended well: then a person has yet to look at it.
fn is_unfinished(world: &World) -> bool {
    let well = |ending: &String| ending.starts_with("delivered") || ending.starts_with("skipped");
    !world.endings().iter().all(well) || !world.dead_letters().is_empty()
}

/// The documents of a folder that may be shown: number and title.
fn wanted(world: &World, folder: &str) -> Vec<(i64, String)> {
    world.content_server.with_state(|state| {
        let Some(found) = state.at(&format!("{WORKSPACE}/{folder}")) else { return Vec::new() };
        let is_open = |classes: &[i64]| !classes.contains(&seed::CONFIDENTIAL);
        let workspace = state.at(WORKSPACE).expect("the workspace").id;
        let mapped = state.value_of(workspace, production::CATEGORY, production::ATTRIBUTE);
        let mapped = mapped.is_some_and(|value| value.as_array().is_some_and(|list| !list.is_empty()));
        if !mapped || !is_open(&found.classifications) {
            return Vec::new();
        }
        let documents = state.children(found.id).into_iter();
        let is_marked = |node: i64| state.value_of(node, MARK.0, MARK.1) == Some(&json!(true));
        let open = documents.filter(|node| !node.versions.is_empty() && is_open(&node.classifications));
        let open = open.filter(|node| !is_marked(node.id) && !is_marked(workspace));
        open.map(|node| {
            let version = node.latest().map_or(0, |version| version.number);
            (node.id, format!("Contract: {} (version {version})", node.name))
        })
        .collect()
    })
}

fn address(node: i64) -> String {
    format!("https://ecm.example.com/otcs/cs.exe/app/nodes/{node}")
}

/// What Content Server has is what iconik shows, once, and nothing tells of what is not shown.
fn shows_what_is_there(world: &World, _: &Made) -> Result<(), Broken> {
    let found = production::links(world.iconik());
    let addresses: BTreeSet<&String> = found.iter().map(|(_, address, _)| address).collect();
    if addresses.len() != found.len() {
        return Err(Broken(format!("a document is shown twice: {found:?}")));
    }
    if is_unfinished(world) {
        return Ok(());
    }
    let mut expected: Vec<_> = wanted(world, "Contracts")
        .into_iter()
        .map(|(node, title)| (title, address(node), vec![COLLECTION.to_owned()]))
        .collect();
    expected.sort();
    // In the story of certificates nobody speaks of the contract.
    if at(&world.content_server, CERTIFICATES[0]).is_some() {
        return field_says(world);
    }
    if found != expected {
        return Err(Broken(format!("shown are {found:?}\nexpected {expected:?}")));
    }
    let facts = world.made().iconik;
    let related = facts.iter().filter(|fact| fact.contains(" rights_document asset Contract: ")).count();
    if related != FILMS * expected.len() {
        return Err(Broken(format!("{related} films refer to {} contracts", expected.len())));
    }
    let tells = facts.iter().find(|fact| fact.contains(NAME) || fact.contains(RENAMED));
    match tells {
        Some(fact) if expected.is_empty() => {
            Err(Broken(format!("iconik tells of what is not shown: {fact}")))
        }
        _ => Ok(()),
    }
}

/// The field of the collection has the address of each certificate that may be shown, and no other.
fn field_says(world: &World) -> Result<(), Broken> {
    let tenant = world.iconik();
    let collection = production::collection(tenant, COLLECTION);
    let mut found: Vec<Value> =
        tenant.with_state(|state| state.values_of(("collections", &collection), "ContentServerLink"));
    let mut expected: Vec<Value> =
        wanted(world, "Certificates").iter().map(|(node, _)| address(*node).into()).collect();
    let order = |one: &Value, other: &Value| one.as_str().cmp(&other.as_str());
    found.sort_by(order);
    expected.sort_by(order);
    if found == expected {
        return Ok(());
    }
    Err(Broken(format!("the field says {found:?}\nexpected {expected:?}")))
}

fn nothing_is_shown(world: &World, _: &Made) -> Result<(), Broken> {
    let facts = world.made().iconik;
    if facts.is_empty() { Ok(()) } else { Err(Broken(format!("iconik shows {facts:?}"))) }
}
