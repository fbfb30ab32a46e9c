//! Files and folders as entries of a package, or as objects to be uploaded in this order.

use std::collections::HashSet;

use super::document::{Fixity, Kind, Manifest, ManifestFile, NOT_IN_VERSION, Opex, Version};
use crate::{
    error::{Error, Result},
    packages::{Content, Entry, fixity::OF_DOCUMENTS, pax, storage_name},
};

/// A folder by its true name.
#[derive(Debug, Clone, Default)]
pub struct Folder {
    /// Its name.
    pub name: String,
    /// What is said of it; its manifest is made. Without a title, its name is one.
    pub about: Opex,
    /// Folders in it.
    pub folders: Vec<Self>,
    /// Files in it.
    pub files: Vec<File>,
    /// Assets in it that are folders.
    pub assets: Vec<AssetFolder>,
}

/// A file by its true name.
#[derive(Debug, Clone)]
pub struct File {
    /// Its name.
    pub name: String,
    /// Its content.
    pub content: Content,
    /// What is said of it; its fixities, its original name and, without another, its title are filled in.
    pub about: Opex,
    /// Files within it of which fixities are told instead of its own: those of a [`pax`] that is zipped (1.2).
    pub within: Vec<Entry>,
}

impl File {
    /// A file of which nothing but its name is said.
    pub fn new(name: impl Into<String>, content: Content) -> Self {
        Self { name: name.into(), content, about: Opex::default(), within: Vec::new() }
    }

    /// An asset in a zip of its own, `{name}.pax.zip`.
    ///
    /// # Errors
    /// As [`Package::content`](crate::packages::Package::content).
    pub fn zipped_asset(name: impl Into<String>, package: &crate::packages::Package) -> Result<Self> {
        let within = package.entries().to_vec();
        Ok(Self { within, ..Self::new(name, package.content()?) })
    }
}

/// An asset that is a folder: its entries are those of [`pax::entries`].
#[derive(Debug, Clone)]
pub struct AssetFolder {
    /// Its name, without `.pax`.
    pub name: String,
    /// What is said of it; manifest and fixities are made.
    pub about: Opex,
    /// What is in it.
    pub entries: Vec<Entry>,
}

/// The entries of a folder with all that is in it, below the folder's own name. Contents come first, each with its document, and
/// manifests after all of them, the innermost first: `root/root.opex` is the last.
///
/// # Errors
/// `Invalid`: [`NOT_IN_VERSION`] for an asset folder before 1.2, and as [`Opex::to_xml`].
pub fn entries(root: &Folder, version: Version) -> Result<Vec<Entry>> {
    let mut laid = Laid { version, contents: Vec::new(), manifests: Vec::new() };
    laid.folder(root, "")?;
    laid.contents.extend(laid.manifests);
    Ok(laid.contents)
}

struct Laid {
    version: Version,
    contents: Vec<Entry>,
    /// Manifests, inner ones before outer ones.
    manifests: Vec<Entry>,
}

impl Laid {
    fn folder(&mut self, folder: &Folder, above: &str) -> Result<()> {
        let name = storage_name(&folder.name);
        let path = format!("{above}{name}/");
        let mut manifest = Manifest::default();
        for file in &folder.files {
            self.file(file, &path, &mut manifest)?;
        }
        for asset in &folder.assets {
            self.asset(asset, &path, &mut manifest)?;
        }
        for inner in &folder.folders {
            manifest.folders.push(storage_name(&inner.name));
            self.folder(inner, &path)?;
        }
        let about = Opex { manifest: Some(manifest), ..self.titled(&folder.about, &folder.name) };
        self.manifests.push(Entry::new(format!("{path}{name}.opex"), document(&about)?));
        Ok(())
    }

    fn titled(&self, about: &Opex, name: &str) -> Opex {
        let title = about.title.clone().or_else(|| Some(name.to_owned()));
        Opex { version: self.version, title, ..about.clone() }
    }

    fn file(&mut self, file: &File, path: &str, manifest: &mut Manifest) -> Result<()> {
        let is_asset = !file.within.is_empty();
        let name = match is_asset {
            true => format!("{}.pax.zip", storage_name(&file.name)),
            false => storage_name(&file.name),
        };
        let mut about = self.titled(&file.about, &file.name);
        if is_asset && self.version.has_asset_folders() {
            about.fixities.extend(within(&file.within));
        } else {
            about.fixities.extend(Fixity::all_of(None, file.content.facts()));
        }
        if !is_asset && self.version.has_original_filename() {
            about.original_filename = Some(file.name.clone());
        }
        self.put(path, &name, file.content.clone(), Kind::Content, manifest);
        self.put(path, &format!("{name}.opex"), document(&about)?, Kind::Metadata, manifest);
        Ok(())
    }

    fn asset(&mut self, asset: &AssetFolder, path: &str, manifest: &mut Manifest) -> Result<()> {
        if !self.version.has_asset_folders() {
            let message = format!("OPEX {} has no asset folders", self.version);
            return Err(Error::invalid(NOT_IN_VERSION, message).remedy("write OPEX v1.2, or zip the asset"));
        }
        let name = format!("{}.pax", storage_name(&asset.name));
        let mut about = self.titled(&asset.about, &asset.name);
        about.fixities.extend(within(&asset.entries));
        about.manifest = Some(whole_manifest(&asset.entries));
        for entry in &asset.entries {
            let path = format!("{path}{name}/{}", entry.path);
            self.contents.push(Entry::new(path, entry.content.clone()));
        }
        manifest.folders.push(name.clone());
        self.put(path, &format!("{name}.opex"), document(&about)?, Kind::Metadata, manifest);
        Ok(())
    }

    fn put(&mut self, path: &str, name: &str, content: Content, kind: Kind, manifest: &mut Manifest) {
        let file = ManifestFile { name: name.to_owned(), size: Some(content.bytes()), kind: Some(kind) };
        manifest.files.push(file);
        self.contents.push(Entry::new(format!("{path}{name}"), content));
    }
}

fn document(about: &Opex) -> Result<Content> {
    Ok(Content::of_bytes(about.to_xml()?, &OF_DOCUMENTS))
}

fn within(entries: &[Entry]) -> impl Iterator<Item = Fixity> {
    let files = entries.iter().filter(|entry| !entry.is_folder());
    files.flat_map(|entry| Fixity::all_of(Some(&entry.path), entry.content.facts()).collect::<Vec<_>>())
}

/// The manifest of an asset folder, which goes down to the last level.
fn whole_manifest(entries: &[Entry]) -> Manifest {
    let (mut manifest, mut seen) = (Manifest::default(), HashSet::new());
    for entry in entries {
        let above = entry.path.match_indices('/').filter_map(|(at, _)| entry.path.get(..at));
        manifest.folders.extend(above.filter(|folder| seen.insert(*folder)).map(str::to_owned));
        if !entry.is_folder() {
            let kind = if pax::is_description(&entry.path) { Kind::Metadata } else { Kind::Content };
            let size = Some(entry.content.bytes());
            manifest.files.push(ManifestFile { name: entry.path.clone(), size, kind: Some(kind) });
        }
    }
    manifest
}
