//! What must hold of data sets and of the results that come back.

use super::*;

pub(super) const RIGHTS: i64 = 9;
pub(super) const CLASSIFIED: i64 = 264;
pub(super) const HELD: i64 = 352;
pub(super) const DELETED: i64 = 2;
pub(super) const FETCHED: i64 = 20;
pub(super) const EDITED: i64 = 10;

pub(super) fn sha256(bytes: &[u8]) -> String {
    hex::encode(Sha256::digest(bytes))
}

/// A run that says it is complete.
pub(super) struct Run {
    pub(super) folder: String,
    pub(super) marker: Marker,
    pub(super) lines: Vec<Line>,
}

/// Objects of the data set as they are now.
pub(super) fn objects(world: &World) -> BTreeMap<String, Vec<u8>> {
    let current = world.aws.s3().versions(CONTENT).into_iter().filter(|object| !object.delete_marker);
    current.map(|object| (object.key, object.data.to_vec())).collect()
}

/// The complete runs; an error when a marker and what it vouches for differ.
pub(super) fn runs(objects: &BTreeMap<String, Vec<u8>>) -> Result<Vec<Run>, Broken> {
    let broken = |what: String| Err(Broken(what));
    let mut runs = Vec::new();
    for (key, data) in objects {
        let Some(folder) = key.strip_suffix("_SUCCESS") else { continue };
        let marker: Marker = serde_json::from_slice(data).map_err(|error| Broken(error.to_string()))?;
        let Some(manifest) = objects.get(&marker.manifest.key) else {
            return broken(format!("{key} vouches for a manifest that is not there"));
        };
        if sha256(manifest) != marker.manifest.sha256 || manifest.len() as u64 != marker.manifest.size {
            return broken(format!("{key} vouches for another manifest"));
        }
        let text = String::from_utf8_lossy(manifest);
        let lines: Result<Vec<Line>, _> = text.lines().map(serde_json::from_str).collect();
        let lines = lines.map_err(|error| Broken(format!("{}: {error}", marker.manifest.key)))?;
        if lines.len() as u64 != marker.manifest.lines {
            return broken(format!("{key} counts other lines than there are"));
        }
        runs.push(Run { folder: folder.to_owned(), marker, lines });
    }
    runs.sort_by(|one, other| one.marker.begun.cmp(&other.marker.begun));
    Ok(runs)
}

/// G2: the manifest names what is there, byte for byte, each document once, and nothing else is in the run's folder.
pub(super) fn manifests_are_true(objects: &BTreeMap<String, Vec<u8>>, runs: &[Run]) -> Result<(), Broken> {
    for run in runs {
        let mut seen = std::collections::BTreeSet::new();
        let mut own = std::collections::BTreeSet::new();
        for line in &run.lines {
            if !seen.insert((line.id, line.version)) {
                return Err(Broken(format!("node {} is in {} twice", line.id, run.folder)));
            }
            let Some(content) = &line.content else { continue };
            let Some(data) = objects.get(&content.key) else {
                return Err(Broken(format!("{} is named and not there", content.key)));
            };
            if sha256(data) != content.sha256 || data.len() as u64 != content.size {
                return Err(Broken(format!("{} holds other bytes than its line says", content.key)));
            }
            let here = content.key.starts_with(&run.folder);
            if here != (line.state == Said::Exported) {
                return Err(Broken(format!("{} is said to be {:?}", content.key, line.state)));
            }
            own.extend(here.then(|| content.key.clone()));
        }
        let folder = format!("{}content/", run.folder);
        let there = objects.keys().filter(|key| key.starts_with(&folder) && key.matches('/').count() == 6);
        if let Some(stray) = there.into_iter().find(|key| !own.contains(*key)) {
            return Err(Broken(format!("{stray} is there and no line names it")));
        }
    }
    Ok(())
}

/// Nothing that must not be read by machines is in any run, and nothing of it is anywhere in the bucket.
pub(super) fn nothing_forbidden(
    world: &World,
    objects: &BTreeMap<String, Vec<u8>>,
    runs: &[Run],
) -> Result<(), Broken> {
    for name in FORBIDDEN {
        let content = sha256(name.as_bytes());
        if let Some((key, _)) = objects.iter().find(|(_, data)| sha256(data) == content) {
            return Err(Broken(format!("{key} holds {name}, which must not be exported")));
        }
    }
    world.content_server.with_state(|state| {
        let closing = |event: &AuditEvent| matches!(event.event_type, RIGHTS | CLASSIFIED | HELD | DELETED);
        for (at, event) in state.audit.iter().enumerate().filter(|(_, event)| closing(event)) {
            let later = state.audit.iter().skip(at);
            let fetched = later.clone().any(|later| later.event_type == FETCHED && later.node == event.node);
            for run in runs {
                let named = run.lines.iter().any(|line| line.id == event.node && line.content.is_some());
                let begun: jiff::Timestamp = run.marker.begun.parse().expect("a moment");
                // Closed before the run began, or before its content was read for the last time.
                let closed = event.at < begun
                    || fetched
                        && run.lines.iter().any(|line| line.id == event.node && line.state == Said::Exported);
                if named && closed {
                    return Err(Broken(format!("node {} was closed and is in {}", event.node, run.folder)));
                }
            }
        }
        Ok(())
    })
}

/// The marker comes behind everything it vouches for, the event behind the marker.
pub(super) fn the_marker_is_last(world: &World, runs: &[Run]) -> Result<(), Broken> {
    let calls = world.tap.calls();
    let put = |key: &str| {
        let path = format!("PUT /{CONTENT}/{}", key.replace('=', "%3D"));
        calls.iter().position(|call| call.what == path || call.what == path.replace("%3D", "="))
    };
    for run in runs {
        let marker = put(&format!("{}_SUCCESS", run.folder));
        let manifest = put(&run.marker.manifest.key);
        if marker.is_none() || manifest.is_none() || marker < manifest {
            return Err(Broken(format!("{} has a marker before its manifest", run.folder)));
        }
    }
    let told = world.aws.eventbridge().events();
    for event in &told {
        let known = runs.iter().any(|run| event.detail["run"] == run.marker.run.as_str());
        if !known || event.detail_type != "waybill.data-set-completed.v1" {
            return Err(Broken(format!("the bus was told of a run that is not complete: {event:?}")));
        }
    }
    let silent =
        runs.iter().find(|run| told.iter().all(|event| event.detail["run"] != run.marker.run.as_str()));
    match silent.filter(|_| all_delivered(world)) {
        Some(run) => Err(Broken(format!("the bus was never told of {}", run.folder))),
        None => Ok(()),
    }
}

pub(super) fn all_delivered(world: &World) -> bool {
    world.ledger().iter().all(|record| {
        let status = record.pointer("/status/S").and_then(|status| status.as_str());
        status.is_none_or(|status| status == "delivered")
    })
}

/// What a run says, by the document's name: state and hash.
pub(super) fn said(run: &Run) -> BTreeMap<String, (Said, String)> {
    let content =
        |line: &Line| line.content.as_ref().map(|content| (content.name.clone(), content.sha256.clone()));
    run.lines
        .iter()
        .map(|line| {
            let (name, sha256) = content(line).unwrap_or_else(|| (line.id.to_string(), String::new()));
            (name, (line.state, sha256))
        })
        .collect()
}

pub(super) fn what_is_exported_may_be(world: &World, _: &Made) -> Result<(), Broken> {
    let objects = objects(world);
    let runs = runs(&objects)?;
    manifests_are_true(&objects, &runs)?;
    nothing_forbidden(world, &objects, &runs)?;
    the_marker_is_last(world, &runs)?;
    nobody_is_refused_in_vain(world, &runs)?;
    let Some(first) = runs.first().filter(|_| all_delivered(world)) else {
        return if all_delivered(world) { Err(Broken("nothing was exported".to_owned())) } else { Ok(()) };
    };
    if !has_anybody_acted(world) {
        let expected = [(OPEN, "open"), (OTHER, "other"), ("Register 1887.txt", REGISTER)]
            .map(|(name, text)| (name.to_owned(), (Said::Exported, sha256(text.as_bytes()))))
            .into();
        is_as_told("first", first, &expected)?;
    }
    if runs.len() < 3 { Ok(()) } else { later_runs(world, &runs) }
}

/// Whether a person did something that is not of the story.
pub(super) fn has_anybody_acted(world: &World) -> bool {
    world.content_server.with_state(|state| state.audit.iter().any(|event| event.user == ADMIN))
}

/// A refusal is believed when it comes twice: one fault alone leaves nothing out.
pub(super) fn nobody_is_refused_in_vain(world: &World, runs: &[Run]) -> Result<(), Broken> {
    let refused = world.tap.met().iter().filter(|fault| matches!(fault, Fault::Refused(400..=499))).count();
    let left = |run: &Run, why: &str| run.marker.excluded.get(why).copied().unwrap_or(0);
    match runs.iter().find(|run| left(run, "excluded.unreadable") > 0 && refused < 2) {
        Some(run) => Err(Broken(format!("{} leaves out what could be read", run.folder))),
        None => Ok(()),
    }
}

/// What a run says is what it is to say, but for documents that it says it had to leave out.
pub(super) fn is_as_told(
    which: &str,
    run: &Run,
    expected: &BTreeMap<String, (Said, String)>,
) -> Result<(), Broken> {
    let left = |why: &str| run.marker.excluded.get(why).copied().unwrap_or(0);
    let said = said(run);
    let missing = expected.len().saturating_sub(said.len()) as u64;
    let is_part = said.iter().all(|(name, told)| expected.get(name) == Some(told));
    if is_part && missing <= left("excluded.failed") + left("excluded.unreadable") {
        return Ok(());
    }
    Err(Broken(format!("the {which} run says {said:?}, not {expected:?}")))
}

/// The second run has what changed, the third everything; neither copies again what an earlier one has.
pub(super) fn later_runs(world: &World, runs: &[Run]) -> Result<(), Broken> {
    let (other, new) = world.content_server.with_state(|state| {
        let deleted = |user: i64| {
            let mut events = state.audit.iter();
            events.find(|event| event.event_type == DELETED && event.user == user).map(|event| event.node)
        };
        let other = find(state, OTHER).map(|node| node.id).or(deleted(ADMIN)).unwrap_or_default();
        (other.to_string(), deleted(CURATOR).unwrap_or_default().to_string())
    });
    let acted = has_anybody_acted(world);
    let gone = || (Said::Withdrawn, String::new());
    let revised = || sha256(b"open, revised");
    // What befell the run before it may have made the second one the first that ended: it is a full one then.
    let is_incremental = matches!(runs[1].marker.mode, Mode::Incremental);
    if is_incremental && !is_left_out(&runs[..2]) {
        let mut second = said(&runs[1]);
        if acted {
            second.remove(&other);
            second.remove(OTHER);
        }
        let mut expected: BTreeMap<String, (Said, String)> = [
            (OPEN.to_owned(), (Said::Exported, revised())),
            ("New.txt".to_owned(), (Said::Exported, sha256(b"new"))),
        ]
        .into();
        if !acted {
            expected.insert(other.clone(), gone());
        }
        if second != expected {
            return Err(Broken(format!("the second run says {second:?}, not {expected:?}")));
        }
    }
    if is_left_out(runs) {
        return Ok(());
    }
    let mut third = said(&runs[2]);
    if acted {
        third.remove(&other);
    }
    let mut expected: BTreeMap<String, (Said, String)> = [
        (OPEN.to_owned(), (Said::Referenced, revised())),
        ("Register 1887.txt".to_owned(), (Said::Referenced, sha256(REGISTER.as_bytes()))),
        (new, gone()),
    ]
    .into();
    if !is_incremental {
        // Nothing before the third told of what the second never saw.
        expected.retain(|name, _| third.contains_key(name));
    }
    if third == expected { Ok(()) } else { Err(Broken(format!("the third run says {third:?}"))) }
}

/// Whether a run says that it had to leave documents out that may be exported.
pub(super) fn is_left_out(runs: &[Run]) -> bool {
    runs.iter().any(|run| {
        ["excluded.failed", "excluded.unreadable"].iter().any(|why| run.marker.excluded.contains_key(*why))
    })
}

/// What came back is there once, what does not fit is put aside, and nothing else has changed.
pub(super) fn results_are_applied_once(world: &World, _: &Made) -> Result<(), Broken> {
    let objects = objects(world);
    let runs = runs(&objects)?;
    manifests_are_true(&objects, &runs)?;
    nothing_forbidden(world, &objects, &runs)?;
    let delivered = |key: &str| {
        world.ledger().iter().any(|record| {
            let text = |name: &str| record.pointer(&format!("/{name}/S")).and_then(|text| text.as_str());
            text("item_key").is_some_and(|item| item.contains(key)) && text("status") == Some("delivered")
        })
    };
    let by_hand = has_anybody_acted(world);
    world.content_server.with_state(|state| {
        let (values_there, texts_there) = (delivered("values.json"), delivered("recognised.txt"));
        register_is_told(state, &objects, delivered("many.jsonl"))?;
        let by_flow = |node: &&Node| {
            node.external.identity.as_deref().is_some_and(|it| it.starts_with("waybill-text:"))
        };
        let texts: Vec<&Node> =
            state.nodes.values().filter(|node| node.name == TEXT).filter(by_flow).collect();
        match texts.as_slice() {
            [] if !texts_there || by_hand => {}
            [text]
                if text.versions.len() == 1
                    && text
                        .latest()
                        .is_some_and(|latest| latest.content.sha256 == sha256(b"What the model read.")) => {}
            texts => return Err(Broken(format!("the text is there {} times", texts.len()))),
        }
        let Some(open) = find(state, OPEN) else { return Ok(()) };
        if open.versions.len() != 1 && !by_hand {
            return Err(Broken("a result changed the document".to_owned()));
        }
        let values = &open.categories.get(&seed::DIGITISED_ITEM).expect("the category").values;
        // A person filed the signature; the year was empty.
        if values.get("2") != Some(&json!("A 1")) || values.get("3") != Some(&json!("What is open")) {
            return Err(Broken(format!("what a person filed was overwritten: {values:?}")));
        }
        let year = values.get("4").and_then(serde_json::Value::as_i64);
        let filed = state.audit.iter().any(|event| event.user == ADMIN && event.event_type == EDITED);
        let expected = if filed { Some(1900) } else { values_there.then_some(1887) };
        if year == expected { Ok(()) } else { Err(Broken(format!("the year is {year:?}, not {expected:?}"))) }
    })
}

/// Of a file with a line that is taken and one that is not, the one is there, and the file is told to be put aside. It is
/// taken only of a version that a run has exported, be it that the run was put aside afterwards and has no manifest.
pub(super) fn register_is_told(
    state: &State,
    objects: &BTreeMap<String, Vec<u8>>,
    delivered: bool,
) -> Result<(), Broken> {
    if delivered {
        return Err(Broken("a file with a line that does not fit is said to be delivered".to_owned()));
    }
    let register = named(state, "Registers/Register 1887.txt");
    let filed = register.categories.get(&seed::DIGITISED_ITEM);
    let title = filed.and_then(|category| category.values.get("3")).filter(|title| **title != json!(""));
    let exported = objects.iter().any(|(key, data)| {
        key.contains(&format!("/content/{}/1/", register.id)) && data == REGISTER.as_bytes()
    });
    match title {
        None => Ok(()),
        Some(title) if *title == json!("Births") && exported => Ok(()),
        Some(title) => Err(Broken(format!("the register is called {title}"))),
    }
}
