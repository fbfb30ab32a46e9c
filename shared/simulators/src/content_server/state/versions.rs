//! Versions of documents.

use super::node::External;
use super::{MemberId, NodeId, Outcome, Permission, Refusal, State, Version, kind};
use crate::content::Blob;

/// Longest description of a version.
const DESCRIPTION_LENGTH: usize = 255;

/// A version to add.
#[derive(Clone, Debug)]
pub struct NewVersion {
    /// File name it comes with.
    pub file_name: String,
    /// Content type it comes with.
    pub mime_type: String,
    /// Description.
    pub description: String,
    /// The bytes.
    pub content: Blob,
    /// A major version, under advanced versioning.
    pub major: bool,
    /// What a migration says about its origin.
    pub external: External,
}

impl NewVersion {
    /// A version with this content and nothing else.
    pub fn of(file_name: &str, mime_type: &str, content: Blob) -> Self {
        Self {
            file_name: file_name.to_owned(),
            mime_type: mime_type.to_owned(),
            description: String::new(),
            content,
            major: false,
            external: External::default(),
        }
    }
}

impl State {
    /// Adds a version and returns its number.
    pub fn add_version(&mut self, actor: MemberId, id: NodeId, new: NewVersion) -> Outcome<i64> {
        let node = self.with_right(actor, id, Permission::Modify, "addversion")?;
        if node.kind != kind::DOCUMENT {
            return Err(Refusal::InvalidAction("addversion"));
        }
        if new.major && !self.may(actor, node, Permission::AddMajorVersion) {
            return Err(Refusal::InvalidAction("addversion"));
        }
        self.not_reserved_by_another(actor, node)?;
        self.not_blocked_for_version(node)?;
        if new.description.chars().count() > DESCRIPTION_LENGTH {
            return Err(Refusal::said(400, "The version description cannot exceed 255 characters."));
        }
        self.audit(id, 13, actor);
        Ok(self.push_version(actor, id, new))
    }

    /// Adds a version without asking.
    pub(crate) fn push_version(&mut self, actor: MemberId, id: NodeId, new: NewVersion) -> i64 {
        let (now, version_id) = (self.now, self.fresh_id());
        let Some(node) = self.nodes.get_mut(&id) else { return 0 };
        let number = node.next_version;
        let (major, minor) = match node.latest() {
            _ if !node.advanced_versioning => (0, number),
            Some(latest) if new.major => (latest.major + 1, 0),
            Some(latest) => (latest.major, latest.minor + 1),
            None if new.major => (1, 0),
            None => (0, 1),
        };
        let categories = node.categories.clone();
        node.next_version += 1;
        node.versions.push(Version {
            number,
            version_id,
            advanced: node.advanced_versioning,
            major,
            minor,
            file_name: new.file_name,
            mime_type: new.mime_type,
            description: new.description,
            content: new.content,
            created: now,
            modified: now,
            owner: actor,
            locked_by: None,
            external: new.external,
            categories,
        });
        self.modify(id);
        number
    }

    /// The version with this number of an item the member may open.
    pub fn readable_version(&self, actor: MemberId, id: NodeId, number: Option<i64>) -> Outcome<&Version> {
        let node = self.visible(actor, id)?;
        if !self.may(actor, node, Permission::SeeContents) {
            return Err(Refusal::NotAccessible);
        }
        // A generation shows one version of its original, a shortcut the newest one.
        if matches!(node.kind, kind::SHORTCUT | kind::GENERATION) && node.original_id != id {
            return self.readable_version(actor, node.original_id, number);
        }
        let found = match number {
            Some(number) => node.version(number),
            None => node.latest(),
        };
        found.ok_or_else(|| Refusal::said(500, "Could not locate the version."))
    }

    /// Changes the description of a version.
    pub fn describe_version(&mut self, actor: MemberId, id: NodeId, number: i64, text: &str) -> Outcome<()> {
        self.with_right(actor, id, Permission::Modify, "versionproperties")?;
        let now = self.now;
        self.edit_version(id, number, |version| {
            version.description = text.chars().take(DESCRIPTION_LENGTH).collect();
            version.modified = now;
        })
    }

    /// Locks a version against deletion, or unlocks it.
    pub fn lock_version(&mut self, actor: MemberId, id: NodeId, number: i64, lock: bool) -> Outcome<()> {
        self.with_right(actor, id, Permission::Modify, "lockversion")?;
        self.edit_version(id, number, |version| version.locked_by = lock.then_some(actor))
    }

    /// Makes a minor version major.
    pub fn promote_version(&mut self, actor: MemberId, id: NodeId, number: i64) -> Outcome<()> {
        let node = self.with_right(actor, id, Permission::AddMajorVersion, "promoteversion")?;
        if !node.advanced_versioning {
            return Err(Refusal::InvalidAction("promoteversion"));
        }
        let top = node.versions.iter().map(|version| version.major).max().unwrap_or(0);
        self.edit_version(id, number, |version| {
            version.major = top + 1;
            version.minor = 0;
        })
    }

    fn edit_version(&mut self, id: NodeId, number: i64, edit: impl FnOnce(&mut Version)) -> Outcome<()> {
        let node = self.nodes.get_mut(&id).ok_or(Refusal::NoNode(id))?;
        let version = node.versions.iter_mut().find(|version| version.number == number);
        edit(version.ok_or_else(|| Refusal::said(500, "Could not locate the version."))?);
        self.touch(id);
        Ok(())
    }

    /// Deletes one version; the last one stays.
    pub fn delete_version(&mut self, actor: MemberId, id: NodeId, number: i64) -> Outcome<()> {
        let node = self.with_right(actor, id, Permission::DeleteVersions, "deleteversion")?;
        self.not_reserved_by_another(actor, node)?;
        self.not_blocked_for_delete(node)?;
        let version =
            node.version(number).ok_or_else(|| Refusal::said(500, "Could not locate the version."))?;
        if node.versions.len() == 1 || version.locked_by.is_some() {
            return Err(Refusal::InvalidAction("deleteversion"));
        }
        self.audit(id, 14, actor);
        self.keep_versions(id, |version| version.number != number);
        Ok(())
    }

    /// Deletes all but the newest versions. Under advanced versioning only minor ones go.
    pub fn purge_versions(&mut self, actor: MemberId, id: NodeId, keep: i64) -> Outcome<()> {
        let node = self.with_right(actor, id, Permission::DeleteVersions, "purge")?;
        self.not_reserved_by_another(actor, node)?;
        self.not_blocked_for_delete(node)?;
        let keep = usize::try_from(keep).ok().filter(|keep| *keep > 0);
        let keep = keep.ok_or_else(|| Refusal::BadType("number_to_keep".to_owned()))?;
        let cut = node.versions.len().saturating_sub(keep);
        let advanced = node.advanced_versioning;
        let doomed: Vec<i64> = node
            .versions
            .iter()
            .take(cut)
            .filter(|version| version.locked_by.is_none() && (!advanced || version.minor != 0))
            .map(|version| version.number)
            .collect();
        if !doomed.is_empty() {
            self.audit(id, 14, actor);
        }
        self.keep_versions(id, |version| !doomed.contains(&version.number));
        Ok(())
    }

    fn keep_versions(&mut self, id: NodeId, keep: impl Fn(&Version) -> bool) {
        if let Some(node) = self.nodes.get_mut(&id) {
            node.versions.retain(keep);
        }
        self.modify(id);
    }
}
