//! What is true of assets in a Preservica, as lines that two runs can be compared by; and what must hold of what was archived.

use std::collections::BTreeMap;

use simulators::preservica::{
    State,
    state::{Entity, Kind},
};

use super::{Broken, Made, World};
use crate::archiving;

/// Facts of folders and assets, each with how often it is true. References follow from who came first.
pub(super) fn facts_of(state: &State) -> BTreeMap<String, i64> {
    let mut facts = BTreeMap::new();
    let mut add = |fact: String| *facts.entry(fact).or_default() += 1;
    for entity in state.entities.values().filter(|entity| !entity.deleted) {
        let parent = entity.parent.as_ref().and_then(|parent| state.entities.get(parent));
        let name = format!("{} {}", entity.kind.short(), entity.title);
        if entity.kind == Kind::ContentObject {
            continue;
        }
        add(format!("{name} in {}", parent.map_or("the root", |parent| parent.title.as_str())));
        for identifier in &entity.identifiers {
            add(format!("{name}: {} {}", identifier.kind, identifier.value));
        }
        for fragment in &entity.fragments {
            add(format!("{name}: {} {}", fragment.schema, fragment.content.document(None)));
        }
        for line in files(state, entity) {
            add(format!("{name}: {line}"));
        }
    }
    facts
}

/// The files of an asset: each with its representation, its checksum, and how many generations its part has.
fn files(state: &State, asset: &Entity) -> Vec<String> {
    let mut lines = Vec::new();
    for representation in &asset.representations {
        for part in representation.content_objects.iter().filter_map(|part| state.entities.get(part)) {
            let generations = part.generations.len();
            let active = part.generations.iter().filter(|generation| generation.active);
            for file in active.flat_map(|generation| &generation.bitstreams) {
                let (kind, content) = (&representation.kind, &file.content);
                lines.push(format!(
                    "{kind} {} of {} bytes, {}, generation {generations}",
                    file.filename, content.size, content.sha256
                ));
            }
        }
    }
    lines
}

/// The promise of the archive: nothing is there twice, whatever happened; every file has the bytes of its source, and the
/// checksums that the archive tells of it are those of its bytes; where everything was delivered, the archive is that of the
/// clean run; and of what was begun to be sent nothing is left, but where throwing it away failed.
///
/// # Errors
/// What does not hold.
pub fn archived_once(world: &World, clean: &Made) -> Result<(), Broken> {
    let made = world.made();
    let endings = world.endings();
    let broken =
        |what: String| Err(Broken(format!("{what} ({endings:?}).\n--- clean\n{clean}\n--- seen\n{made}")));
    let wrong = world.preservica().with_state(|state| twice(state).or_else(|| foreign(state)));
    if let Some(wrong) = wrong {
        return broken(wrong);
    }
    // An upload without parts costs nothing, and nobody knows of one whose answer was lost.
    let calls = world.tap.calls();
    let tried =
        |key: &str| calls.iter().any(|call| call.what.starts_with("DELETE") && call.what.contains(key));
    let left = world.preservica().with_state(|state| {
        let left = state.uploads.values().filter(|upload| !upload.parts.is_empty());
        left.map(|upload| upload.key.clone()).collect::<Vec<_>>()
    });
    let delivered = endings.iter().filter(|ending| *ending == "delivered").count();
    let is_whole = delivered >= world.expected().0;
    if let Some(key) = left.iter().find(|key| !tried(key)) {
        return broken(format!("the parts of {key} were left at the storage"));
    }
    let (seen, wanted) = (made.preservica.clone(), &clean.preservica);
    if is_whole && seen != *wanted {
        return broken("everything was delivered, and the archive is not that of a clean run".to_owned());
    }
    Ok(())
}

/// Two assets with one identifier.
fn twice(state: &State) -> Option<String> {
    let mut known: BTreeMap<(&str, &str), &str> = BTreeMap::new();
    let assets =
        state.entities.values().filter(|entity| entity.kind == Kind::InformationObject && !entity.deleted);
    for asset in assets {
        for identifier in
            asset.identifiers.iter().filter(|identifier| identifier.kind == archiving::IDENTIFIER)
        {
            let name = (identifier.kind.as_str(), identifier.value.as_str());
            if known.insert(name, &asset.reference).is_some_and(|other| other != asset.reference) {
                return Some(format!("two assets have the identifier {} {}", name.0, name.1));
            }
        }
    }
    None
}

/// A file that nobody sent, or whose checksums are not those of its bytes.
fn foreign(state: &State) -> Option<String> {
    let sent = archiving::checksums();
    let ours = state.entities.values().filter(|entity| {
        let is_ours = |one: &simulators::preservica::state::Identifier| {
            one.kind == archiving::IDENTIFIER && one.value.starts_with(archiving::OURS)
        };
        !entity.deleted && entity.identifiers.iter().any(is_ours)
    });
    for asset in ours {
        for part in asset.representations.iter().flat_map(|one| &one.content_objects) {
            let Some(part) = state.entities.get(part) else { continue };
            for file in part.generations.iter().flat_map(|generation| &generation.bitstreams) {
                if !sent.contains(&file.content.sha256) {
                    return Some(format!("{} of {} has bytes that nobody sent", file.filename, asset.title));
                }
                let told = file.fixities.iter().find(|(name, _)| name == "SHA256");
                if told.is_some_and(|(_, value)| *value != file.content.sha256) {
                    return Some(format!(
                        "{} of {} is told with a wrong checksum",
                        file.filename, asset.title
                    ));
                }
            }
        }
    }
    None
}
