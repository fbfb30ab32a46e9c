//! Folders that rules name, as far as their names do not depend on an object.

use shared::{
    content_server::{Node, NodePath, kind},
    error::Result,
    filing::server_root,
    mapping::PathTemplate,
};

use super::{Look, report::Findings};
use crate::intake_rules::{RootedTemplate, plan::Root};

/// The innermost container on the way to where documents go that is there already.
pub(super) struct Place {
    /// The container.
    pub(super) node: Node,
    /// What is put into it first.
    pub(super) first: First,
}

/// What is put into a container.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum First {
    /// Documents.
    Document,
    /// Folders, in which the documents go.
    Folder,
    /// Nothing that is known: folders in it, which are there or not, receive the documents.
    Unknown,
}

/// How far a way leads.
pub(super) struct Way {
    /// The last container that is there.
    pub(super) node: Node,
    /// The first name that is not.
    pub(super) missing: Option<String>,
}

impl Look<'_> {
    /// The folder of a rule, its rights left aside. Nothing when it is missing and not made.
    pub(super) async fn folder(
        &self,
        about: &str,
        path: &RootedTemplate,
        create: bool,
        findings: &mut Findings,
    ) -> Result<Option<Place>> {
        let root = NodePath { root: server_root(path.root), segments: Vec::new() };
        let Some(root) = findings.kept(about, self.client.resolve_path(&root).await)? else {
            return Ok(None);
        };
        let shown = shown(path.root, path.names.as_ref());
        let (names, whole) =
            path.names.as_ref().map_or_else(|| (Vec::new(), true), PathTemplate::fixed_names);
        let Some(way) = self.way(about, root, &names, findings).await? else { return Ok(None) };
        if let Some(name) = &way.missing {
            let message = format!("there is no {name:?} in {:?}, on the way to {shown}", way.node.name);
            if !create {
                let remedy = "create the folder, let the service user see it, or set `create = true`";
                findings.missing(about, message, remedy);
                return Ok(None);
            }
            findings.ok(about, format!("{message}: it is made for the first object"));
            return Ok(Some(Place { node: way.node, first: First::Folder }));
        }
        if whole {
            findings.ok(about, format!("{shown} is there"));
            return Ok(Some(Place { node: way.node, first: First::Document }));
        }
        findings.ok(about, format!("{:?}, on the way to {shown}, is there", way.node.name));
        if create {
            return Ok(Some(Place { node: way.node, first: First::Folder }));
        }
        findings.not_checked(about, format!("the folders that objects name: {shown}; the rule makes none"));
        Ok(Some(Place { node: way.node, first: First::Unknown }))
    }

    /// Follows names as a delivery would. Nothing when something else is in the way, which is noted.
    pub(super) async fn way(
        &self,
        about: &str,
        from: Node,
        names: &[String],
        findings: &mut Findings,
    ) -> Result<Option<Way>> {
        let rules = &self.client.settings().names;
        let mut node = from;
        for name in names {
            let found = self.client.find_child(node.id, &rules.escape(name)).await;
            let Some(found) = findings.kept(about, found)? else { return Ok(None) };
            let child = match found {
                None => return Ok(Some(Way { node, missing: Some(name.clone()) })),
                Some(Node { kind: kind::SHORTCUT, original: Some(original), .. }) => {
                    let Some(original) = findings.kept(about, self.client.get_node(original).await)? else {
                        return Ok(None);
                    };
                    original
                }
                Some(child) => child,
            };
            if !child.container {
                let message = format!("{name:?} in {:?} is no folder", node.name);
                findings.missing(about, message, "rename that item, or send the documents to another folder");
                return Ok(None);
            }
            node = child;
        }
        Ok(Some(Way { node, missing: None }))
    }
}

fn shown(root: Root, names: Option<&PathTemplate>) -> String {
    let names = names.map(PathTemplate::text).unwrap_or_default();
    match root {
        Root::Enterprise => format!("Enterprise:{names}"),
        Root::Node(id) => format!("{id}:{names}"),
    }
}
