//! What an asset is made of: representations, parts, their generations, and files.

use super::super::call::Call;
use super::super::reply::{Outcome, Refusal, Reply};
use super::super::state::{self, Algorithm, Bitstream, Entity, Generation, Kind, Representation};
use super::super::xml::Element;
use super::download;

pub(super) fn route(call: &mut Call<'_>, (kind, reference): (Kind, &str), path: &[&str]) -> Outcome<Reply> {
    call.state.living(kind, reference)?;
    match (kind, call.method.as_str(), path) {
        (Kind::InformationObject, "GET", ["representations"]) => representations(call, reference),
        (Kind::InformationObject, "GET", ["representations", of]) => representation(call, reference, of, 1),
        (Kind::InformationObject, "GET", ["representations", of, number]) => {
            representation(call, reference, of, position(number)?)
        }
        (Kind::InformationObject, "POST", ["representations"]) => add_access(call, reference),
        (Kind::ContentObject, "GET", ["generations"]) => generations(call, reference),
        (Kind::ContentObject, "POST", ["generations"]) => replace(call, reference),
        (Kind::ContentObject, "GET", ["generations", generation]) => {
            one_generation(call, reference, position(generation)?)
        }
        (Kind::ContentObject, "GET", ["generations", generation, "bitstreams", bitstream, rest @ ..]) => {
            let at = (position(generation)?, position(bitstream)?);
            match rest {
                [] => one_bitstream(call, reference, at),
                ["content"] => download::bitstream(call, reference, at),
                ["storage-locations"] => storage_locations(call, reference, at),
                ["integrity-check-history"] => integrity_checks(call, reference, at),
                _ => Err(Refusal::NoUrl),
            }
        }
        _ => Err(Refusal::NoUrl),
    }
}

fn position(text: &str) -> Outcome<usize> {
    text.parse().map_err(|_| Refusal::NotFound(format!("{text} is no position")))
}

fn representations(call: &Call<'_>, reference: &str) -> Outcome<Reply> {
    let asset = call.state.living(Kind::InformationObject, reference)?;
    let listed = asset.representations.iter().enumerate().map(|(at, one)| {
        let before = asset.representations.iter().take(at).filter(|earlier| earlier.kind == one.kind).count();
        let path = format!("information-objects/{reference}/representations/{}/{}", one.kind, before + 1);
        call.entity_element("Representation")
            .attribute("type", one.kind.clone())
            .attribute("name", one.name.clone())
            .text(call.address(&path))
    });
    let list = call.entity_element("Representations").children_from(listed);
    Ok(Reply::Xml(call.entity_element("RepresentationsResponse").child(list)))
}

fn representation(call: &Call<'_>, reference: &str, kind: &str, number: usize) -> Outcome<Reply> {
    let asset = call.state.living(Kind::InformationObject, reference)?;
    let found = number
        .checked_sub(1)
        .and_then(|at| asset.representations.iter().filter(|one| one.kind == kind).nth(at));
    let unknown = || Refusal::NotFound(format!("There is no representation {kind} {number}"));
    let Representation { kind, name, content_objects } = found.ok_or_else(unknown)?;
    let inside = content_objects.iter().map(|part| call.xip_element("ContentObject").text(part.clone()));
    let itself = call
        .xip_element("Representation")
        .with("InformationObject", reference)
        .with("Name", name.clone())
        .with("Type", kind.clone())
        .child(call.xip_element("ContentObjects").children_from(inside));
    let listed = content_objects.iter().filter_map(|part| call.state.entities.get(part)).map(|part| {
        call.entity_element("ContentObject")
            .attribute("ref", part.reference.clone())
            .attribute("title", part.title.clone())
            .attribute("type", "CO")
            .text(call.address(&format!("content-objects/{}", part.reference)))
    });
    let list = call.entity_element("ContentObjects").children_from(listed);
    Ok(Reply::Xml(call.entity_element("RepresentationResponse").child(itself).child(list)))
}

fn generations(call: &Call<'_>, reference: &str) -> Outcome<Reply> {
    let part = call.state.living(Kind::ContentObject, reference)?;
    let listed = part.generations.iter().enumerate().map(|(at, generation)| {
        call.entity_element("Generation")
            .attribute("active", generation.active.to_string())
            .text(call.address(&format!("content-objects/{reference}/generations/{}", at + 1)))
    });
    let list = call.entity_element("Generations").children_from(listed);
    Ok(Reply::Xml(call.entity_element("GenerationsResponse").child(list)))
}

fn generation_of(part: &Entity, number: usize) -> Outcome<&Generation> {
    let found = number.checked_sub(1).and_then(|at| part.generations.get(at));
    found.ok_or_else(|| Refusal::NotFound(format!("There is no generation {number}")))
}

fn one_generation(call: &Call<'_>, reference: &str, number: usize) -> Outcome<Reply> {
    let part = call.state.living(Kind::ContentObject, reference)?;
    let generation = generation_of(part, number)?;
    let names =
        generation.bitstreams.iter().map(|file| call.xip_element("Bitstream").text(file.filename.clone()));
    let format = call
        .xip_element("Format")
        .attribute("valid", "true")
        .with("PUID", generation.format.0.clone())
        .with("Priority", "1")
        .with("IdentificationMethod", "Extension")
        .with("FormatName", generation.format.1.clone());
    let itself = call
        .xip_element("Generation")
        .attribute("original", generation.original.to_string())
        .attribute("active", generation.active.to_string())
        .with("ContentObject", reference)
        .with("Label", generation.label.clone())
        .with("EffectiveDate", when(generation.effective))
        .child(call.xip_element("Bitstreams").children_from(names))
        .child(call.xip_element("Formats").child(format))
        .child(call.xip_element("Properties"));
    let listed = generation.bitstreams.iter().enumerate().map(|(at, file)| {
        let path = format!("content-objects/{reference}/generations/{number}/bitstreams/{}", at + 1);
        call.entity_element("Bitstream")
            .attribute("filename", file.filename.clone())
            .text(call.address(&path))
    });
    // They are looked for directly below the root.
    let list = call.entity_element("Bitstreams").children_from(listed);
    Ok(Reply::Xml(call.entity_element("GenerationResponse").child(itself).child(list)))
}

fn one_bitstream(call: &Call<'_>, reference: &str, at: (usize, usize)) -> Outcome<Reply> {
    let file = call.state.bitstream(reference, at.0, at.1)?;
    // The algorithm has to come first, the value second.
    let fixities = file.fixities.iter().map(|(algorithm, value)| {
        call.xip_element("Fixity")
            .with("FixityAlgorithmRef", algorithm.clone())
            .with("FixityValue", value.clone())
    });
    let itself = call
        .xip_element("Bitstream")
        .with("Filename", file.filename.clone())
        .with("FileSize", file.content.size.to_string())
        .with("PhysicalLocation", "")
        .child(call.xip_element("Fixities").children_from(fixities));
    let own = call.address(&format!("content-objects/{reference}/generations/{}/bitstreams/{}", at.0, at.1));
    let further = call
        .entity_element("AdditionalInformation")
        .with("Self", own.clone())
        .with("Content", format!("{own}/content"));
    Ok(Reply::Xml(call.entity_element("BitstreamResponse").child(itself).child(further)))
}

fn storage_locations(call: &Call<'_>, reference: &str, at: (usize, usize)) -> Outcome<Reply> {
    let file = call.state.bitstream(reference, at.0, at.1)?;
    let name = if file.cold { "cold-storage" } else { "s3-storage" };
    let location =
        call.entity_element("StorageLocation").child(call.entity_element("Adapter").attribute("name", name));
    Ok(Reply::Xml(call.entity_element("StorageLocationsResponse").child(location)))
}

fn integrity_checks(call: &Call<'_>, reference: &str, at: (usize, usize)) -> Outcome<Reply> {
    call.state.bitstream(reference, at.0, at.1)?;
    let created = call.state.living(Kind::ContentObject, reference)?.created;
    let (entries, paging) = call.page(vec!["QUICK", "FULL"])?;
    let listed = entries.into_iter().map(|kind| {
        let fields = [
            ("Type", kind.to_owned()),
            ("Success", "true".to_owned()),
            ("Date", when(created)),
            ("AdapterName", "s3-storage".to_owned()),
            ("Fixed", "false".to_owned()),
        ];
        let fields = fields.into_iter().map(|(name, text)| call.xip_element(name).text(text));
        call.entity_element("IntegrityCheckHistory").children_from(fields)
    });
    let list = call.entity_element("IntegrityCheckHistories").children_from(listed);
    Ok(Reply::Xml(call.entity_element("IntegrityCheckHistoryResponse").child(list).child(paging)))
}

/// The body, with the checksum that a header claims; its own by SHA-1 where none does.
fn received(call: &mut Call<'_>, name: String) -> Outcome<Bitstream> {
    let received = call.received.take().ok_or_else(|| Refusal::Invalid("There is no content".to_owned()))?;
    let mut fixities = Vec::new();
    for algorithm in ["MD5", "SHA-1", "SHA-256", "SHA-512"] {
        let Some(claimed) = call.header(&format!("fixity-{}", algorithm.to_lowercase())) else { continue };
        let Some(known) = Algorithm::named(algorithm) else { continue };
        let found = state::digest(known, &received.content)
            .map_err(|error| Refusal::Refused(500, error.to_string()))?;
        if !found.eq_ignore_ascii_case(claimed) {
            return Err(Refusal::Refused(422, format!("The fixity {algorithm} is {found}, not {claimed}")));
        }
        fixities.push((known.name().to_owned(), found));
    }
    if fixities.is_empty() {
        let found = state::digest(Algorithm::Sha1, &received.content);
        fixities.push(("SHA1".to_owned(), found.map_err(|error| Refusal::Refused(500, error.to_string()))?));
    }
    Ok(Bitstream { filename: name, fixities, cold: false, content: received.content })
}

/// New bytes for a part. Of all calls that begin something, only this one is answered 200.
fn replace(call: &mut Call<'_>, reference: &str) -> Outcome<Reply> {
    call.state.may_write(&call.user)?;
    if call.text("replaceType") != Some("previous") {
        return Err(Refusal::Invalid("replaceType has to be previous".to_owned()));
    }
    let name = call.header("filename").unwrap_or("file").to_owned();
    let file = received(call, name)?;
    let user = call.user.clone();
    Ok(Reply::Text(200, call.state.ask_generation(&user, reference, file)?))
}

fn add_access(call: &mut Call<'_>, reference: &str) -> Outcome<Reply> {
    call.state.may_write(&call.user)?;
    if call.text("type") != Some("Access") {
        return Err(Refusal::Invalid("The type has to be Access".to_owned()));
    }
    let (name, file_name) = (call.required("name")?, call.required("filename")?);
    let file = received(call, file_name)?;
    let user = call.user.clone();
    Ok(Reply::Text(202, call.state.ask_access(&user, reference, &name, file)?))
}

/// A time as the entity interface writes it.
pub(super) fn when(time: jiff::Timestamp) -> String {
    time.strftime("%Y-%m-%dT%H:%M:%S%.3fZ").to_string()
}

/// An event and what it did to one entity.
pub(super) fn event_action(call: &Call<'_>, event: &state::Event, action: &state::Action) -> Element {
    call.xip_element("EventAction")
        .attribute("commandType", action.command.clone())
        // A widely used client looks for the event's type here.
        .attribute("type", event.kind.clone())
        .child(shown_event(call, event))
        .with("Date", when(event.date))
        .with("Entity", action.entity.clone())
}

/// An event.
pub(super) fn shown_event(call: &Call<'_>, event: &state::Event) -> Element {
    let mut shown = call
        .xip_element("Event")
        .attribute("type", event.kind.clone())
        .with("Ref", event.reference.clone())
        .with("Date", when(event.date))
        .with("User", event.user.clone());
    if let Some((name, instance)) = &event.workflow {
        shown = shown.with("WorkflowName", name.clone()).with("WorkflowInstanceId", instance.clone());
    }
    shown
}
