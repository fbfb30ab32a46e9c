//! Business workspaces that rules name: their type, their template, and one that is there, to look at.

use shared::{
    content_server::{Node, WorkspaceType},
    error::Result,
    filing::template,
    mapping::PathTemplate,
};

use super::{
    Look,
    places::{First, Place},
    report::Findings,
};
use crate::intake_rules::WorkspaceTemplate;

const ABOUT: &str = "target";

impl Look<'_> {
    /// The workspaces of a rule. The place is one in a workspace of the type that is there already.
    pub(super) async fn workspace(
        &self,
        wanted: &WorkspaceTemplate,
        findings: &mut Findings,
    ) -> Result<Option<Place>> {
        let types = findings.kept(ABOUT, self.client.list_workspace_types().await)?;
        let Some(types) = types else { return Ok(None) };
        let Some(kind) = types.into_iter().find(|kind| kind.name == wanted.kind) else {
            findings.missing(
                ABOUT,
                format!("there is no workspace type {:?}", wanted.kind),
                "correct the type in the rule, or let the service user see it",
            );
            return Ok(None);
        };
        findings.ok(ABOUT, format!("the workspace type {:?} is there", kind.name));
        if let Some((system, object, _)) = &wanted.business_object {
            self.business_object(&kind, system, object, findings).await?;
        }
        if wanted.create {
            self.creation(wanted, &kind, findings).await?;
        }
        let sample = self.client.first_workspace(kind.id).await;
        match findings.kept(ABOUT, sample)? {
            Some(Some(sample)) => self.inside(wanted, sample, findings).await,
            Some(None) => {
                none_there(wanted, &kind, findings);
                Ok(None)
            }
            None => Ok(None),
        }
    }

    async fn business_object(
        &self,
        kind: &WorkspaceType,
        system: &str,
        object: &str,
        findings: &mut Findings,
    ) -> Result<()> {
        let known = self.client.list_workspace_types_for(system, object).await;
        let Some(known) = findings.kept(ABOUT, known)? else { return Ok(()) };
        if known.iter().any(|known| known.id == kind.id) {
            findings.ok(ABOUT, format!("workspaces of the type stand for {object} of {system}"));
        } else {
            findings.missing(
                ABOUT,
                format!("workspaces of the type {:?} do not stand for {object} of {system}", kind.name),
                "correct `business_object` in the rule, or connect the type with the external system",
            );
        }
        Ok(())
    }

    /// What making a workspace needs.
    async fn creation(
        &self,
        wanted: &WorkspaceTemplate,
        kind: &WorkspaceType,
        findings: &mut Findings,
    ) -> Result<()> {
        if let Some(id) = findings.kept(ABOUT, template(wanted.template.as_ref(), kind))? {
            let name = kind.templates.iter().find(|template| template.id == id);
            let name = name.map(|template| template.name.as_str()).unwrap_or_default();
            findings.ok(ABOUT, format!("new workspaces are made from the template {name:?}"));
        }
        let Some(location) = &wanted.location else {
            let message = "whether the account may make workspaces: the type decides where, and the interface does not tell";
            findings.not_checked(ABOUT, message);
            return Ok(());
        };
        let place = self.folder("target location", location, false, findings).await?;
        match place {
            Some(Place { first: First::Document, node }) => {
                self.may_add("target location", &node, "workspaces", findings).await.map(drop)
            }
            _ => Ok(()),
        }
    }

    /// A workspace that is there, for example.
    async fn inside(
        &self,
        wanted: &WorkspaceTemplate,
        sample: Node,
        findings: &mut Findings,
    ) -> Result<Option<Place>> {
        if !wanted.create {
            findings.not_checked(ABOUT, "whether the workspace of each object is there; the rule makes none");
        }
        let (names, whole) =
            wanted.folder.as_ref().map_or_else(|| (Vec::new(), true), PathTemplate::fixed_names);
        let workspace = sample.name.clone();
        let Some(way) = self.way(ABOUT, sample, &names, findings).await? else { return Ok(None) };
        let first = match (&way.missing, whole) {
            (None, true) => First::Document,
            _ => First::Folder,
        };
        let message = match &way.missing {
            Some(name) => {
                format!("{workspace:?}, for example, has no folder {name:?}: it is made when needed")
            }
            None => format!("{workspace:?}, for example, is as the rule needs it"),
        };
        findings.ok(ABOUT, message);
        findings.not_checked(ABOUT, "other workspaces of the type: each has rights of its own");
        Ok(Some(Place { node: way.node, first }))
    }
}

fn none_there(wanted: &WorkspaceTemplate, kind: &WorkspaceType, findings: &mut Findings) {
    let message = format!("the account sees no workspace of the type {:?}", kind.name);
    if wanted.create {
        findings.not_checked(ABOUT, format!("rights inside workspaces: {message}"));
    } else {
        let remedy = "let the service user see the workspaces, create them, or set `create = true`";
        findings.missing(ABOUT, format!("{message}, and the rule makes none"), remedy);
    }
}
