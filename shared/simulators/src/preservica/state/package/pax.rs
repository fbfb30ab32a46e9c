//! PAX: one asset with several representations, told by its folders or by an XIP document among them.

use std::collections::BTreeMap;

use super::xip::{Described, read_document};
use super::{About, Files, PackedAsset, PackedFile, PackedPart, PackedRepresentation, checked};

/// A fixity that is said beside the asset: its place in it, algorithm and value.
pub(super) type Said = (Option<String>, String, String);

/// What goes before the representations, where there are any at the top or one folder below.
pub(super) fn top_of(names: &[String]) -> Option<String> {
    names.iter().find_map(|name| {
        let at = name.find("Representation_")?;
        let top = name.get(..at)?;
        (top.matches('/').count() <= 1 && (top.is_empty() || top.ends_with('/'))).then(|| top.to_owned())
    })
}

/// Reads the asset whose representations are below `top`, which is empty or ends with a slash.
pub(super) fn read(
    files: &mut Files,
    top: &str,
    about: About,
    said: &[Said],
    threshold: u64,
) -> Result<PackedAsset, String> {
    let names: Vec<String> =
        files.names().into_iter().filter_map(|name| name.strip_prefix(top).map(str::to_owned)).collect();
    let described = names.iter().find(|name| !name.contains('/') && name.ends_with(".xip")).cloned();
    let mut asset = match described {
        Some(name) => {
            let xip = read_document(files, &format!("{top}{name}"))?;
            let itself = xip.find("InformationObject").ok_or("There is no asset in the XIP document")?;
            Described { files, base: top, xip: &xip, threshold }.asset(itself)?
        }
        None => by_folders(files, top, &names, said, threshold)?,
    };
    if asset.representations.is_empty() {
        return Err(format!("There is no representation in {top}"));
    }
    asset.about = with(about, asset.about);
    Ok(asset)
}

/// What is said beside an asset counts before what is said in it; identifiers and fragments are those of both.
fn with(mut beside: About, within: About) -> About {
    if !within.title.is_empty() && beside.title.is_empty() {
        beside.title = within.title;
    }
    beside.description = beside.description.or(within.description);
    beside.security_tag = beside.security_tag.or(within.security_tag);
    beside.identifiers.extend(within.identifiers);
    beside.fragments.extend(within.fragments);
    beside
}

/// The files of each generation of each part of each representation.
type Folders = BTreeMap<String, BTreeMap<String, BTreeMap<String, Vec<String>>>>;

fn by_folders(
    files: &mut Files,
    top: &str,
    names: &[String],
    said: &[Said],
    threshold: u64,
) -> Result<PackedAsset, String> {
    let mut folders = Folders::new();
    for name in names {
        let steps: Vec<&str> = name.split('/').collect();
        let (representation, part, generation) = match steps.as_slice() {
            [representation, part, _] => (representation, part, ""),
            [representation, part, generation, _] => (representation, part, *generation),
            _ => continue,
        };
        let parts = folders.entry((*representation).to_owned()).or_default();
        let generations = parts.entry((*part).to_owned()).or_default();
        generations.entry(generation.to_owned()).or_default().push(name.clone());
    }
    let mut asset = PackedAsset::default();
    for (folder, parts) in folders {
        let Some(kind) = folder.strip_prefix("Representation_") else { continue };
        let kind = kind.split('_').next().unwrap_or_default();
        let mut packed =
            PackedRepresentation { kind: kind.to_owned(), name: kind.to_owned(), parts: Vec::new() };
        for (title, generations) in parts {
            let mut part = PackedPart { title, ..PackedPart::default() };
            for places in generations.into_values() {
                let mut all = Vec::new();
                for place in places {
                    all.push(file(files, top, &place, said, threshold)?);
                }
                part.generations.push(all);
            }
            packed.parts.push(part);
        }
        asset.representations.push(packed);
    }
    Ok(asset)
}

fn file(
    files: &mut Files,
    top: &str,
    place: &str,
    said: &[Said],
    threshold: u64,
) -> Result<PackedFile, String> {
    let content = files.content(&format!("{top}{place}"), threshold)?;
    let of_it = said.iter().filter(|(at, ..)| at.as_deref() == Some(place));
    let of_it: Vec<(String, String)> =
        of_it.map(|(_, algorithm, value)| (algorithm.clone(), value.clone())).collect();
    let fixities = checked(&content, &of_it, place)?;
    let name = place.rsplit('/').next().unwrap_or(place).to_owned();
    Ok(PackedFile { name, fixities, content })
}
