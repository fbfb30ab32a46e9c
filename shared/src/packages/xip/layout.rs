//! Where files lie in the packages that are described by XIP.

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::document::{
    Asset, Bitstream, FoundPart, FoundRepresentation, Generation, Xip, has_original_filename,
};
use crate::{
    error::{Error, Result},
    packages::{
        Archive, Content, Entry, Expected, PartFile, Purpose, Representation, TWICE,
        asset::numbered,
        fixity::OF_DOCUMENTS,
        pax::{generation_folder, part_folder, representation_folder},
        storage_name,
    },
};

/// An asset to be packed.
#[derive(Debug, Clone)]
pub struct NewAsset {
    /// What is said of it; its representations are made of `contents`.
    pub about: Asset,
    /// What it is made of.
    pub contents: Vec<Representation>,
    /// Since when its generations are what they are.
    pub effective: Option<Timestamp>,
}

/// The entries of a package of assets, each in a folder that is called by its reference: descriptions before contents.
///
/// # Errors
/// `Invalid`: [`TWICE`] when two files of a representation have one storage name; as [`Xip::to_xml`].
pub fn package(assets: &[NewAsset], version: &str) -> Result<Vec<Entry>> {
    let mut entries = Vec::new();
    for asset in assets {
        let base = storage_name(&asset.about.reference);
        let mut files = Vec::new();
        let described = asset.described(version, &mut files, |representation, number, _, _| {
            let letter = if representation.purpose == Purpose::Preservation { 'p' } else { 'a' };
            format!("{letter}{}", number.0)
        });
        let xip = Xip { version: version.to_owned(), folders: Vec::new(), assets: vec![described] };
        let document = Content::of_bytes(xip.to_xml()?, &OF_DOCUMENTS);
        entries.push(Entry::folder(&base));
        entries.push(Entry::new(format!("{base}/metadata.xml"), document));
        entries.push(Entry::folder(&format!("{base}/content")));
        let mut folder = String::new();
        for (place, content) in files {
            let in_folder = place.split_once('/').map_or("", |(folder, _)| folder);
            if in_folder != folder {
                folder = in_folder.to_owned();
                entries.push(Entry::folder(&format!("{base}/content/{folder}")));
            }
            entries.push(Entry::new(format!("{base}/content/{place}"), content));
        }
    }
    let mut paths = std::collections::HashSet::new();
    match entries.iter().find(|entry| !paths.insert(entry.path.as_str())) {
        Some(twice) => Err(Error::invalid(TWICE, format!("two entries would be `{}`", twice.path))),
        None => Ok(entries),
    }
}

/// The description of an asset whose files lie as in a [`pax`](crate::packages::pax): a content for
/// [`pax::entries`](crate::packages::pax::entries) of the same representations.
///
/// # Errors
/// As [`Xip::to_xml`].
pub fn in_pax(asset: &NewAsset, version: &str) -> Result<Content> {
    let described = asset.described(version, &mut Vec::new(), |representation, number, part, (at, of)| {
        let folder = representation_folder(representation.purpose, number);
        format!("{folder}/{}/{}", part_folder(part), generation_folder(at, of))
    });
    let xip = Xip { version: version.to_owned(), folders: Vec::new(), assets: vec![described] };
    Ok(Content::of_bytes(xip.to_xml()?, &OF_DOCUMENTS))
}

impl NewAsset {
    /// What is said of it, with every file at the place that `location` gives; files with their places.
    fn described(
        &self,
        version: &str,
        files: &mut Vec<(String, Content)>,
        location: impl Fn(&Representation, (usize, usize), &crate::packages::Part, (usize, usize)) -> String,
    ) -> Asset {
        let mut representations = Vec::new();
        for (representation, number) in self.contents.iter().zip(numbered(&self.contents)) {
            let mut parts = Vec::new();
            for part in &representation.parts {
                let of = part.generations.len();
                let generations = part.generations.iter().enumerate().map(|(at, contents)| {
                    let location = location(representation, number, part, (at, of));
                    let bitstreams = contents.iter().map(|file| {
                        let mut bitstream = bitstream(file, &location);
                        if !has_original_filename(version) {
                            bitstream.original_filename = None;
                        }
                        files.push((bitstream.place(), file.content.clone()));
                        bitstream
                    });
                    Generation {
                        is_original: at == 0,
                        is_active: at + 1 == of,
                        label: None,
                        effective: self.effective,
                        bitstreams: bitstreams.collect(),
                    }
                });
                parts.push(FoundPart {
                    reference: part.reference.clone(),
                    title: part.title.clone(),
                    description: None,
                    generations: generations.collect(),
                });
            }
            let name = Some(representation.name.clone()).filter(|name| !name.is_empty());
            representations.push(FoundRepresentation { purpose: representation.purpose, name, parts });
        }
        Asset { representations, ..self.about.clone() }
    }
}

fn bitstream(file: &PartFile, location: &str) -> Bitstream {
    let filename = storage_name(&file.name);
    let original_filename = (filename != file.name).then(|| file.name.clone());
    let facts = file.content.facts();
    Bitstream {
        filename,
        location: Some(location.to_owned()),
        original_filename,
        bytes: facts.bytes,
        fixities: facts.fixities.clone(),
    }
}

/// The assets of a package, by the folder of each, with what is said about its files: measure and
/// [`check`](Expected::check) them.
///
/// # Errors
/// As [`Archive::read`] and [`Xip::read`]; `Invalid` when a package describes no asset, or a file that is described is not there.
pub async fn assets_in(archive: &Archive) -> Result<BTreeMap<String, (Xip, Vec<Expected>)>> {
    let mut found = BTreeMap::new();
    for member in archive.members() {
        let Some(base) = member.path.strip_suffix("metadata.xml") else { continue };
        if !base.is_empty() && !base.ends_with('/') || base.contains("/content/") {
            continue;
        }
        let xip = Xip::read(&archive.read(member).await?)?;
        let place = format!("{base}content/");
        let files: Vec<Expected> = xip.assets.iter().flat_map(|asset| asset.files(&place)).collect();
        for file in &files {
            let there = archive.find(&file.path).map(|member| member.bytes);
            if there.is_none() || there != file.bytes {
                let message = format!(
                    "`{}` is described with {} bytes, and there {}",
                    file.path,
                    file.bytes.unwrap_or_default(),
                    there.map_or("is no such file".to_owned(), |bytes| format!("are {bytes}"))
                );
                return Err(Error::invalid(crate::packages::FIXITY, message));
            }
        }
        found.insert(base.trim_end_matches('/').to_owned(), (xip, files));
    }
    match found.is_empty() {
        true => Err(Error::invalid(crate::packages::BAD_XML, "the package has no metadata.xml")),
        false => Ok(found),
    }
}
