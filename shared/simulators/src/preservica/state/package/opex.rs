//! OPEX: a tree of folders and files, each with what is said of it in a document beside it or, of a folder, in it.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    About, Contents, Files, PackedAsset, PackedFile, PackedFolder, PackedPart, PackedRepresentation,
};
use super::{checked, pax, texts};
use crate::preservica::xml::Element;

/// Every version begins with this.
const NAMESPACE: &str = "http://www.openpreservationexchange.org/opex/v1.";

/// A document.
#[derive(Default)]
struct Opex {
    about: About,
    original_name: Option<String>,
    fixities: Vec<pax::Said>,
    manifest: Option<Manifest>,
}

/// What a folder says to hold: files with their sizes, and folders.
#[derive(Default)]
struct Manifest {
    files: BTreeMap<String, Option<u64>>,
    folders: BTreeSet<String>,
}

/// Reads the tree below a folder; below none for an empty name.
pub(super) fn read_tree(
    files: &mut Files,
    directory: &str,
    needs_manifests: bool,
    threshold: u64,
) -> Result<Contents, String> {
    let top = directory.trim_matches('/');
    let top = if top.is_empty() { String::new() } else { format!("{top}/") };
    let mut tree =
        Tree { names: files.names(), files, needs_manifests, threshold, read: Contents::default() };
    // One of these stops the whole.
    let stops = |name: &&String| name.starts_with(&top) && name.contains([':', '<', '>', '|']);
    if let Some(name) = tree.names.iter().find(stops) {
        return Err(format!("The file name {name:?} has a character that is not allowed"));
    }
    if !tree.names.iter().any(|name| name.starts_with(&top)) {
        return Err(format!("There is nothing in {directory}"));
    }
    let own = tree.folder_document(&top)?;
    let manifest = own.and_then(|own| own.manifest);
    tree.walk(&top, None, manifest.as_ref())?;
    Ok(tree.read)
}

struct Tree<'a> {
    files: &'a mut Files,
    names: Vec<String>,
    needs_manifests: bool,
    threshold: u64,
    read: Contents,
}

impl Tree<'_> {
    /// The document of a folder, which lies in it and is called as it is.
    fn folder_document(&mut self, folder: &str) -> Result<Option<Opex>, String> {
        let name = folder.trim_end_matches('/').rsplit('/').next().unwrap_or_default();
        let document = format!("{folder}{name}.opex");
        match !name.is_empty() && self.names.contains(&document) {
            true => read_document(self.files, &document).map(Some),
            false => Ok(None),
        }
    }

    /// Files and folders directly in a folder.
    fn children(&self, folder: &str) -> (Vec<String>, BTreeSet<String>) {
        let (mut files, mut folders) = (Vec::new(), BTreeSet::new());
        for rest in self.names.iter().filter_map(|name| name.strip_prefix(folder)) {
            match rest.split_once('/') {
                Some((inner, _)) => drop(folders.insert(inner.to_owned())),
                None => files.push(rest.to_owned()),
            }
        }
        (files, folders)
    }

    fn pass_over(&mut self, path: String, why: &str) {
        self.read.passed_over.push((path, why.to_owned()));
    }

    fn walk(&mut self, folder: &str, at: Option<usize>, manifest: Option<&Manifest>) -> Result<(), String> {
        if self.needs_manifests && manifest.is_none() {
            self.pass_over(folder.to_owned(), "The folder has no manifest yet");
            return Ok(());
        }
        let (files, folders) = self.children(folder);
        if let Some(manifest) = manifest {
            let there = files.iter().map(String::as_str).collect::<BTreeSet<_>>();
            for missing in manifest.files.keys().filter(|name| !there.contains(name.as_str())) {
                let why = format!("{folder}{missing} is in the manifest, and not there");
                self.read.assets.push(Err(why));
            }
            for missing in manifest.folders.difference(&folders) {
                let why = format!("The folder {folder}{missing} is in the manifest, and not there");
                self.read.assets.push(Err(why));
            }
        }
        for name in &files {
            if name.ends_with(".opex") {
                continue;
            }
            // Such a name is taken for nothing, without a word.
            if !name.is_ascii() || name.contains('?') {
                continue;
            }
            let listed = manifest.map(|manifest| manifest.files.get(name));
            match listed {
                Some(None) => self.pass_over(format!("{folder}{name}"), "The manifest does not name it"),
                _ => {
                    let asset = self.file(folder, name, at, listed.flatten().copied().flatten());
                    self.read.assets.push(asset);
                }
            }
        }
        for name in &folders {
            if manifest.is_some_and(|manifest| !manifest.folders.contains(name)) {
                self.pass_over(format!("{folder}{name}"), "The manifest does not name it");
                continue;
            }
            let beside = format!("{folder}{name}.opex");
            if name.ends_with(".pax") && self.names.contains(&beside) {
                let asset = self.asset_folder(folder, name, at, &beside);
                self.read.assets.push(asset);
                continue;
            }
            let inner = format!("{folder}{name}/");
            let document = self.folder_document(&inner)?.unwrap_or_default();
            let Opex { mut about, manifest, .. } = document;
            if self.needs_manifests && manifest.is_none() {
                self.pass_over(inner, "The folder has no manifest yet");
                continue;
            }
            if about.title.is_empty() {
                about.title.clone_from(name);
            }
            let here = self.read.folders.len();
            self.read.folders.push(PackedFolder { parent: at, path: format!("{folder}{name}"), about });
            self.walk(&inner, Some(here), manifest.as_ref())?;
        }
        Ok(())
    }

    /// A file: an asset of one part, or of the representations in it.
    fn file(
        &mut self,
        folder: &str,
        name: &str,
        at: Option<usize>,
        size: Option<u64>,
    ) -> Result<PackedAsset, String> {
        let path = format!("{folder}{name}");
        let beside = format!("{path}.opex");
        let mut document = match self.names.contains(&beside) {
            true => read_document(self.files, &beside)?,
            false => Opex::default(),
        };
        let content = self.files.content(&path, self.threshold)?;
        if let Some(size) = size.filter(|size| *size != content.size) {
            return Err(format!("{path} has {} bytes, and {size} in the manifest", content.size));
        }
        let of_it = document.fixities.iter().filter(|(within, ..)| within.is_none());
        let of_it: Vec<(String, String)> =
            of_it.map(|(_, algorithm, value)| (algorithm.clone(), value.clone())).collect();
        let fixities = checked(&content, &of_it, &path)?;
        let called = document.original_name.take().unwrap_or_else(|| name.to_owned());
        if document.about.title.is_empty() {
            document.about.title = called.trim_end_matches(".pax.zip").to_owned();
        }
        let mut asset = if name.ends_with(".pax.zip") {
            let mut within = Files::of_zip(&content)?;
            let top = pax::top_of(&within.names()).unwrap_or_default();
            pax::read(&mut within, &top, document.about, &document.fixities, self.threshold)?
        } else {
            let file = PackedFile { name: name.to_owned(), fixities, content };
            let part = PackedPart { title: called, generations: vec![vec![file]], ..PackedPart::default() };
            let kind = "Preservation".to_owned();
            let one = PackedRepresentation { name: kind.clone(), kind, parts: vec![part] };
            PackedAsset { about: document.about, representations: vec![one], ..PackedAsset::default() }
        };
        (asset.path, asset.folder) = (path, at);
        Ok(asset)
    }

    /// A folder that is an asset.
    fn asset_folder(
        &mut self,
        folder: &str,
        name: &str,
        at: Option<usize>,
        beside: &str,
    ) -> Result<PackedAsset, String> {
        let Opex { mut about, fixities, manifest, .. } = read_document(self.files, beside)?;
        let top = format!("{folder}{name}/");
        for (file, size) in manifest.iter().flat_map(|manifest| &manifest.files) {
            let content = self.files.content(&format!("{top}{file}"), self.threshold)?;
            if size.is_some_and(|size| size != content.size) {
                return Err(format!("{top}{file} has {} bytes, and others in the manifest", content.size));
            }
        }
        if about.title.is_empty() {
            about.title = name.trim_end_matches(".pax").to_owned();
        }
        let asset = pax::read(self.files, &top, about, &fixities, self.threshold)?;
        Ok(PackedAsset { path: format!("{folder}{name}"), folder: at, ..asset })
    }
}

fn read_document(files: &mut Files, name: &str) -> Result<Opex, String> {
    let root = Element::parse(&files.description(name)?).map_err(|error| format!("{name}: {error}"))?;
    if root.name != "OPEXMetadata" || !root.namespace.starts_with(NAMESPACE) {
        return Err(format!("{name} is no OPEX document"));
    }
    let mut document = Opex::default();
    if let Some(transfer) = root.find("Transfer") {
        document.about.source = texts(transfer, "SourceID");
        document.original_name = texts(transfer, "OriginalFilename");
        let listed = transfer.find("Fixities").into_iter().flat_map(|list| list.all("Fixity"));
        document.fixities = listed
            .filter_map(|fixity| {
                let path = fixity.value("path").map(str::to_owned);
                Some((path, fixity.value("type")?.to_owned(), fixity.value("value")?.to_owned()))
            })
            .collect();
        document.manifest = transfer.find("Manifest").map(read_manifest);
    }
    if let Some(properties) = root.find("Properties") {
        document.about.title = texts(properties, "Title").unwrap_or_default();
        document.about.description = texts(properties, "Description");
        document.about.security_tag = texts(properties, "SecurityDescriptor");
        let listed = properties.find("Identifiers").into_iter().flat_map(|list| list.all("Identifier"));
        document.about.identifiers =
            listed.filter_map(|id| Some((id.value("type")?.to_owned(), id.content()))).collect();
    }
    let described = root.find("DescriptiveMetadata").into_iter().flat_map(Element::elements);
    document.about.fragments =
        described.map(|element| (element.namespace.clone(), element.clone())).collect();
    Ok(document)
}

fn read_manifest(manifest: &Element) -> Manifest {
    let files = manifest.find("Files").into_iter().flat_map(|list| list.all("File"));
    let folders = manifest.find("Folders").into_iter().flat_map(|list| list.all("Folder"));
    let size = |file: &Element| file.value("size").and_then(|size| size.parse().ok());
    Manifest {
        files: files.map(|file| (file.content(), size(file))).collect(),
        folders: folders.map(Element::content).collect(),
    }
}
