//! Names as they will be in Content Server: which of them it does not take as they are, and what becomes of those.

use serde::Serialize;
use shared::content_server::NameRules;

use super::{plan::Target, rule::Draft};

/// A name that the delivery of an object looks for or gives.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct StoredName {
    /// What bears it.
    pub of: Named,
    /// The name as the rule makes it.
    pub original: String,
    /// The name in Content Server.
    pub stored: String,
    /// What has to be done to it.
    pub change: NameChange,
}

/// What bears a name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Named {
    /// The document.
    Document,
    /// A folder on the way to it.
    Folder,
    /// Its business workspace.
    Workspace,
}

/// What has to be done to a name before Content Server takes it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum NameChange {
    /// Nothing.
    None,
    /// Characters are written as escapes; the original can be read from it.
    Escaped,
    /// It is cut, with a hash of the original; the original cannot be read from it.
    Shortened,
}

impl Named {
    pub(super) fn word(self) -> &'static str {
        match self {
            Self::Document => "document",
            Self::Folder => "folder",
            Self::Workspace => "workspace",
        }
    }
}

impl NameChange {
    pub(super) fn word(self) -> &'static str {
        match self {
            Self::None => "as it is",
            Self::Escaped => "escaped",
            Self::Shortened => "shortened",
        }
    }
}

/// Every name of a draft, from the outermost folder to the document.
pub(super) fn stored_names(draft: &Draft, rules: &NameRules) -> Vec<StoredName> {
    let mut names = Vec::new();
    let mut add = |of, original: &str| {
        let stored = rules.escape(original);
        let change = match rules.unescape(&stored) {
            None => NameChange::Shortened,
            Some(_) if stored == original => NameChange::None,
            Some(_) => NameChange::Escaped,
        };
        names.push(StoredName { of, original: original.to_owned(), stored, change });
    };
    match &draft.target {
        Some(Target::Folder { path, .. }) => path.names.iter().for_each(|name| add(Named::Folder, name)),
        Some(Target::Workspace(workspace)) => {
            let location = workspace.location.iter().flat_map(|location| &location.names);
            location.for_each(|name| add(Named::Folder, name));
            workspace.name.iter().for_each(|name| add(Named::Workspace, name));
            workspace.folder.iter().for_each(|name| add(Named::Folder, name));
        }
        None => {}
    }
    draft.document.iter().for_each(|document| add(Named::Document, &document.name));
    names
}
