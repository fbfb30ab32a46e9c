//! What must hold of a disposition when the queue is quiet.

use std::collections::BTreeSet;

use iconik_content_server::request_disposition::certificate;
use serde_json::{Value, json};
use simulators::content_server::{
    seed,
    state::{Node, workflows::ProcessStatus},
};
use tests::storm::{Broken, Fault, Made, World};

use super::{FILM, POSTER, PREVIEW, RECONSIDERED, asset, at, documents};

/// G6: what went into the recycle bin went there on a decision that stands, when no hold was in force, and left one
/// certificate that verifies; what did not has none. G1: it is asked about once.
pub(super) fn nothing_under_a_hold(world: &World, clean: &Made) -> Result<(), Broken> {
    kept(world, clean, |made| made.iconik.clone())
}

/// What was decided is done when iconik says so, and told once, whether the round that decided found it done or a later one.
pub(super) fn archived_in_the_end(world: &World, clean: &Made) -> Result<(), Broken> {
    done_once_the_hold_is_lifted(world, clean)
}

/// The same where a hold may come before or after it is asked about, as the night goes: whatever was told of the hold, in
/// the end what was decided is done, and told once.
pub(super) fn done_once_the_hold_is_lifted(world: &World, clean: &Made) -> Result<(), Broken> {
    kept(world, clean, in_the_end)
}

/// What iconik says in the end, and what it was told was decided, in whichever turn.
fn in_the_end(made: &Made) -> Vec<String> {
    let turn = regex::Regex::new(r" \([0-9.]+\):").expect("a pattern");
    let is_meant = |fact: &&String| !fact.contains(": history ") || fact.contains("Content Server decided");
    made.iconik.iter().filter(is_meant).map(|fact| turn.replace(fact, ":").into_owned()).collect()
}

/// `of` gives what must be in iconik as after a clean run, in the end.
fn kept(world: &World, clean: &Made, of: fn(&Made) -> Vec<String>) -> Result<(), Broken> {
    let made = world.made();
    let mut entries: Vec<&String> =
        made.iconik.iter().filter(|fact| fact.contains(": history CUSTOM ")).collect();
    let all = entries.len();
    entries.dedup();
    if entries.len() < all {
        return Err(Broken(format!("an entry was told twice\n{made}")));
    }
    for (index, title) in made.workflows.iter().enumerate() {
        if made.workflows.iter().skip(index + 1).any(|other| other == title) {
            return Err(Broken(format!("{title} was started twice\n{made}")));
        }
    }
    certified(world)?;
    if let Some(at) = deleted_at(world) {
        held_then(world, &at)?;
    }
    // An item that was put aside, because a system refused, made less.
    let given_up =
        world.endings().iter().any(|one| one.starts_with("quarantined") || one.starts_with("failed"));
    let is_less = given_up || !world.dead_letters().is_empty();
    if of(&made) == of(clean) || is_less || is_touched(world, clean) {
        return Ok(());
    }
    // A document was refused when others were gone: the asset was put back, and the next round decided, told and did it again.
    let is_refused = world.tap.met().iter().any(|fault| matches!(fault, Fault::Refused(_)));
    let mut seen = in_the_end(&made);
    seen.dedup();
    if is_refused && is_certified_in_part(world) && seen == in_the_end(clean) {
        return Ok(());
    }
    Err(Broken(format!("iconik differs from a clean run\n--- clean\n{clean}\n--- seen\n{made}")))
}

/// Whether people came in between, or did not find what they were to decide.
fn is_touched(world: &World, clean: &Made) -> bool {
    let asset = asset(world);
    let status = world.iconik().with_state(|state| state.values_of(("assets", &asset), "AssetStatus"));
    let by_people = world.content_server.with_state(|state| {
        let nodes = documents(state).chain([seed::ARCHIVE]);
        let mut holds = nodes.filter_map(|node| state.nodes.get(&node)).flat_map(|node| &node.holds);
        let mut processes = state.processes.values();
        let reconsidered = processes.any(|process| {
            process.finished.iter().any(|finished| finished.comment == RECONSIDERED)
                || process.status == ProcessStatus::Running
        });
        holds.next().is_some() || reconsidered || state.processes.len() < clean.workflows.len()
    });
    by_people || status != [json!("obsolete")]
}

/// When the asset went into the bin, if it is there.
fn deleted_at(world: &World) -> Option<jiff::Timestamp> {
    let id = asset(world);
    world.iconik().with_state(|state| {
        let found = state.assets.get(&id)?;
        let is_deleted = found.get("status").and_then(Value::as_str) == Some("DELETED");
        let at = found.get("date_deleted").and_then(Value::as_str).filter(|_| is_deleted)?;
        Some(at.parse().expect("a time with its zone"))
    })
}

/// No hold was in force when it was destroyed.
fn held_then(world: &World, deleted: &jiff::Timestamp) -> Result<(), Broken> {
    world.content_server.with_state(|state| {
        let nodes = documents(state).chain([seed::ARCHIVE]);
        let holds = nodes.filter_map(|node| state.nodes.get(&node)).flat_map(|node| &node.holds);
        match holds.map(|held| held.at).min() {
            Some(at) if at <= *deleted => {
                Err(Broken(format!("destroyed at {deleted}, and a hold was in force since {at}")))
            }
            _ => Ok(()),
        }
    })
}

/// The contents of the certificates there are.
pub(crate) fn certificates(world: &World) -> Vec<Vec<u8>> {
    world.content_server.with_state(|state| {
        let Some(folder) = state.at("Digitised Archive/Certificates").map(|folder| folder.id) else {
            return Vec::new();
        };
        let contents =
            state.children(folder).into_iter().filter_map(|node| node.latest()?.content.bytes().ok());
        contents.map(|bytes| bytes.to_vec()).collect()
    })
}

/// Whether one of them tells of documents that were gone when the asset was put back.
fn is_certified_in_part(world: &World) -> bool {
    world.content_server.with_state(|state| {
        let folder = state.at("Digitised Archive/Certificates").map(|folder| folder.id);
        let all = folder.map(|folder| state.children(folder)).unwrap_or_default();
        all.into_iter().any(|node| node.name.contains("-part-"))
    })
}

/// What is destroyed stands in certificates, and nothing else does; each verifies, and is classified as the rules say. All that
/// is known of the asset stands in them, also where it was left.
pub(crate) fn certified(world: &World) -> Result<(), Broken> {
    let texts = certificates(world);
    let mut told: BTreeSet<String> = BTreeSet::new();
    let mut named: BTreeSet<String> = BTreeSet::new();
    let mut whole = 0;
    for text in &texts {
        let found = verified(world, text)?;
        whole += found.destroyed.iter().filter(|one| one.what == "iconik asset").count();
        named.extend(found.documents.iter().map(|document| document.name.clone()));
        let removed = found.documents.iter().filter(|document| document.removed);
        told.extend(removed.map(|document| document.name.clone()));
    }
    let is_deleted = deleted_at(world).is_some();
    if whole != usize::from(is_deleted) {
        return Err(Broken(format!("{whole} certificates of the asset, which is deleted: {is_deleted}")));
    }
    let is_beside = world.ledger().iter().any(|item| {
        let pk = item.pointer("/pk/S").and_then(Value::as_str);
        pk.is_some_and(|pk| pk.starts_with("reference#iconik-media#"))
    });
    let filed = if is_beside { vec![FILM, POSTER, PREVIEW] } else { vec![FILM] };
    let gone: BTreeSet<String> = world.content_server.with_state(|state| {
        filed.iter().filter(|name| at(state, name).is_none()).map(|name| (*name).to_owned()).collect()
    });
    if told != gone {
        return Err(Broken(format!("{gone:?} are gone, and certificates tell of {told:?}")));
    }
    if is_deleted && !filed.iter().all(|name| named.contains(*name)) {
        return Err(Broken(format!("the certificates name {named:?}, and {filed:?} were filed")));
    }
    world.content_server.with_state(|state| {
        let folder = state.at("Digitised Archive/Certificates").map(|folder| folder.id);
        let all = folder.map(|folder| state.children(folder)).unwrap_or_default();
        let class_of = |node: &Node| {
            let class = node.record.as_ref().and_then(|record| state.nodes.get(&record.class));
            class.map(|class| class.name.clone())
        };
        match all.into_iter().find(|node| class_of(node).as_deref() != Some("ARC-DIGITISED")) {
            Some(node) => Err(Broken(format!("{} is a record of class {:?}", node.name, class_of(node)))),
            None => Ok(()),
        }
    })
}

/// A certificate that verifies against the asset's chain.
fn verified(world: &World, text: &[u8]) -> Result<certificate::Certificate, Broken> {
    let certificate: Value = serde_json::from_slice(text).map_err(|error| Broken(error.to_string()))?;
    let pk = format!("asset#{}", certificate["audit"]["chain"].as_str().unwrap_or_default());
    let mut events: Vec<(String, String)> = world
        .ledger()
        .iter()
        .filter_map(|item| {
            let text = |name: &str| item.pointer(&format!("/{name}/S")).and_then(Value::as_str);
            (text("pk")? == pk).then_some(())?;
            Some((text("sk")?.to_owned(), text("event")?.to_owned()))
        })
        .collect();
    events.sort();
    let chain: Vec<&str> = events.iter().map(|(_, event)| event.as_str()).collect();
    match certificate::verify(text, &chain.join("\n"), None) {
        Ok(found) if found.decision.place.starts_with("workflow") && found.decision.by.is_none() => {
            Err(Broken("the certificate does not name who decided".to_owned()))
        }
        Ok(found) if found.asset.id == asset(world) && !found.asset.files.is_empty() => Ok(found),
        Ok(_) => Err(Broken("the certificate is another asset's, or names no files".to_owned())),
        Err(doubt) => Err(Broken(format!("the certificate: {doubt}"))),
    }
}
