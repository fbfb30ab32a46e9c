//! Paths such as `Enterprise:Claims/2026`, and folders that are made on the way.

use std::{fmt, str::FromStr};

use super::{
    Client,
    edit::NewFolder,
    error::{COLLISION, misconfigured},
    node::{Node, NodeId},
    nodes::volume,
};
use crate::error::{Error, FailureClass, Result};

/// The code of a path that leads nowhere the user can see.
pub const PATH_MISSING: &str = "content-server.path-missing";

/// Where a path begins.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Root {
    /// A volume, by its type.
    Volume(i64),
    /// A node, by its id.
    Node(NodeId),
    /// A node, by its nickname.
    Nickname(String),
}

/// A place in Content Server as people write it: a root, a colon, and names with slashes between them.
///
/// Roots are `Enterprise`, `Categories`, `Classifications`, `Records`, `Workspaces`, `Templates`, a volume type such as
/// `volume 141`, a node id such as `#7001`, or a nickname such as `@claims_intake`. A name that holds a slash is
/// written with `\/`, one that holds a backslash with `\\`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NodePath {
    /// Where it begins.
    pub root: Root,
    /// The names, from the root on.
    pub segments: Vec<String>,
}

const VOLUMES: &[(&str, i64)] = &[
    ("Enterprise", volume::ENTERPRISE),
    ("Categories", volume::CATEGORIES),
    ("Classifications", volume::CLASSIFICATIONS),
    ("Records", volume::RECORDS),
    ("Workspaces", volume::WORKSPACES),
    ("Templates", volume::TEMPLATES),
];

impl FromStr for NodePath {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let refuse = || {
            Error::configuration("content-server.path", format!("{text:?} is not a path in Content Server"))
                .remedy("write Enterprise:Claims/2026, #7001:Claims, or @nickname:Claims")
        };
        let (root, rest) = text.split_once(':').unwrap_or((text, ""));
        let root = root.trim();
        let root = if let Some(id) = root.strip_prefix('#') {
            Root::Node(NodeId(id.parse().map_err(|_| refuse())?))
        } else if let Some(nickname) = root.strip_prefix('@').filter(|nickname| !nickname.is_empty()) {
            Root::Nickname(nickname.to_owned())
        } else if let Some(kind) = root.strip_prefix("volume ") {
            Root::Volume(kind.trim().parse().map_err(|_| refuse())?)
        } else {
            let known = VOLUMES.iter().find(|(name, _)| name.eq_ignore_ascii_case(root));
            Root::Volume(known.ok_or_else(refuse)?.1)
        };
        Ok(Self { root, segments: split(rest).ok_or_else(refuse)? })
    }
}

/// The names of a path; nothing when one of them is empty.
fn split(path: &str) -> Option<Vec<String>> {
    let path = path.trim_matches('/');
    if path.is_empty() {
        return Some(Vec::new());
    }
    let mut segments = vec![String::new()];
    let mut characters = path.chars();
    while let Some(character) = characters.next() {
        let literal = match character {
            '/' => None,
            '\\' => Some(characters.next()?),
            other => Some(other),
        };
        match (literal, segments.last_mut()) {
            (Some(literal), Some(segment)) => segment.push(literal),
            _ => segments.push(String::new()),
        }
    }
    segments.iter().all(|segment| !segment.trim().is_empty()).then_some(segments)
}

impl fmt::Display for NodePath {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.root {
            Root::Volume(kind) => match VOLUMES.iter().find(|(_, known)| known == kind) {
                Some((name, _)) => formatter.write_str(name)?,
                None => write!(formatter, "volume {kind}")?,
            },
            Root::Node(node) => write!(formatter, "#{node}")?,
            Root::Nickname(nickname) => write!(formatter, "@{nickname}")?,
        }
        for (index, segment) in self.segments.iter().enumerate() {
            let joint = if index == 0 { ":" } else { "/" };
            write!(formatter, "{joint}{}", segment.replace('\\', "\\\\").replace('/', "\\/"))?;
        }
        Ok(())
    }
}

/// A folder at the end of a path, and those that had to be made for it.
#[derive(Debug, Clone)]
pub struct EnsuredFolder {
    /// The folder.
    pub folder: Node,
    /// The folders made by this call, outermost first.
    pub created: Vec<Node>,
}

impl Client {
    /// The node a path leads to.
    ///
    /// # Errors
    /// `Forbidden` with the first name that leads nowhere.
    pub async fn resolve_path(&self, path: &NodePath) -> Result<Node> {
        let mut node = self.resolve_root(&path.root).await?;
        for name in &path.segments {
            let Some(child) = self.find_namesake(node.id, name).await? else {
                let message = format!("there is no {name:?} in {:?}, on the way to {path}", node.name);
                return Err(misconfigured("resolve a path", PATH_MISSING, message)
                    .remedy("create it, correct the path, or let the service user see it"));
            };
            node = self.follow(child).await?;
        }
        Ok(node)
    }

    /// The folder below `root` that a list of names leads to; those that are missing are made as `new` says. Names go
    /// in as they are: escape them first ([`super::NameRules::escape`]). Several callers may do the same at once.
    ///
    /// # Errors
    /// `Forbidden` when something that is no folder is in the way, or when a name is taken by what cannot be seen.
    pub async fn ensure_folder_path(
        &self,
        root: NodeId,
        names: &[String],
        new: &NewFolder,
    ) -> Result<EnsuredFolder> {
        let mut folder = Self::container("ensure a folder", self.get_node(root).await?)?;
        let mut created = Vec::new();
        for name in names {
            let (child, made) = self.ensure_folder(folder.id, name, new).await?;
            folder = child;
            if made {
                created.push(folder.clone());
            }
        }
        Ok(EnsuredFolder { folder, created })
    }

    /// The folder with a name, and whether this call made it.
    ///
    /// # Errors
    /// As [`Client::ensure_folder_path`].
    pub async fn ensure_folder(&self, parent: NodeId, name: &str, new: &NewFolder) -> Result<(Node, bool)> {
        const OPERATION: &str = "ensure a folder";
        if let Some(child) = self.find_child(parent, name).await? {
            return Ok((Self::container(OPERATION, self.follow(child).await?)?, false));
        }
        let failure = match self.create_folder(parent, name, new).await {
            Ok(folder) => return Ok((folder, true)),
            Err(failure) => failure,
        };
        // A rival made it first, or our own call did and the answer was lost, or the refusal is worded in a language
        // we do not read: what is there now decides.
        let may_exist = matches!(failure.class(), FailureClass::UnknownOutcome | FailureClass::Invalid)
            || failure.code() == COLLISION;
        if !may_exist {
            return Err(failure);
        }
        match self.find_namesake(parent, name).await? {
            Some(child) => Ok((Self::container(OPERATION, self.follow(child).await?)?, false)),
            None if failure.code() == COLLISION => {
                let message = format!("the name {name:?} is taken by something the service user cannot see");
                Err(misconfigured(OPERATION, "content-server.name-taken-unseen", message)
                    .remedy("let the service user see that item, or rename it")
                    .source(failure))
            }
            None => Err(failure),
        }
    }

    async fn resolve_root(&self, root: &Root) -> Result<Node> {
        match root {
            Root::Volume(kind) => self.get_volume(*kind).await,
            Root::Node(node) => self.get_node(*node).await,
            Root::Nickname(nickname) => self.find_nickname(nickname).await?.ok_or_else(|| {
                let message = format!("nothing has the nickname {nickname:?}");
                misconfigured("resolve a path", PATH_MISSING, message)
            }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_read_as_people_write_them() {
        for (text, root, segments) in [
            ("Enterprise:Claims/2026", Root::Volume(141), vec!["Claims", "2026"]),
            ("enterprise:/Claims/", Root::Volume(141), vec!["Claims"]),
            ("Categories:Claims \\/ Evidence", Root::Volume(133), vec!["Claims / Evidence"]),
            ("#7001", Root::Node(NodeId(7001)), vec![]),
            ("@claims_intake:in", Root::Nickname("claims_intake".to_owned()), vec!["in"]),
            ("volume 550:Plan", Root::Volume(550), vec!["Plan"]),
        ] {
            let path: NodePath = text.parse().unwrap();
            assert_eq!(
                (&path.root, &path.segments),
                (&root, &segments.iter().map(ToString::to_string).collect())
            );
            assert_eq!(path.to_string().parse::<NodePath>().unwrap(), path);
        }
    }

    #[test]
    fn a_path_that_leads_nowhere_is_refused_at_the_start() {
        for text in ["Claims/2026", "#x:y", "@:y", "Enterprise:a//b", "Enterprise:a\\"] {
            assert!(text.parse::<NodePath>().is_err(), "{text}");
        }
    }
}
