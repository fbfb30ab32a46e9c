//! What a document gets beside its values: permissions, classification, review.

use shared::{
    content_server::{ChildFilter, MODULE_MISSING, MemberKind, Node, NodeId, NodePath, Root, kind, volume},
    error::Result,
};

use super::{Look, places::Place, report::Findings};
use crate::intake_rules::{
    ReferenceTemplate, ReviewTemplate,
    permissions::{MemberName, PermissionPlan},
    plan::Reference,
};

/// Containers looked into for a document, at most.
const MOST_CONTAINERS: usize = 10;

impl Look<'_> {
    /// The members of a permission template.
    pub(super) async fn members(&self, plan: &PermissionPlan, findings: &mut Findings) -> Result<()> {
        let about = format!("permissions {}", plan.template);
        for assigned in &plan.assigned {
            let (kind, name) = match &assigned.member {
                MemberName::Group(name) => (MemberKind::Group, name),
                MemberName::User(name) => (MemberKind::User, name),
            };
            if findings.kept(&about, self.client.resolve_member(kind, name).await)?.is_some() {
                findings.ok(about.as_str(), format!("the {} is there", assigned.member));
            }
        }
        Ok(())
    }

    /// The records management classification, and whether the module answers.
    pub(super) async fn classification(
        &self,
        class: &ReferenceTemplate,
        near: Option<&Node>,
        findings: &mut Findings,
    ) -> Result<()> {
        const ABOUT: &str = "classification";
        if let Some(near) = near {
            match self.client.get_record(near.id).await {
                Ok(_) => findings.ok(ABOUT, "records management answers"),
                Err(error) if error.code() == MODULE_MISSING => {
                    let remedy = "install Records Management, or take `classification` out of the rule";
                    findings.missing(ABOUT, "there is no records management on this server", remedy);
                    return Ok(());
                }
                Err(error) => findings.refusal(ABOUT, error)?,
            }
        }
        let (found, shown) = match class {
            ReferenceTemplate::Id(id) => {
                let id = NodeId(i64::try_from(*id).unwrap_or(i64::MAX));
                (self.client.get_node(id).await, format!("node {id}"))
            }
            ReferenceTemplate::Path(path) => {
                let (segments, whole) = path.fixed_names();
                if !whole {
                    findings.not_checked(ABOUT, format!("the classes that objects name: {}", path.text()));
                }
                let shown = segments.join("/");
                let path = NodePath { root: Root::Volume(volume::RECORDS), segments };
                (self.client.resolve_path(&path).await, shown)
            }
        };
        if findings.kept(ABOUT, found)?.is_some() {
            findings.ok(ABOUT, format!("{shown} is there"));
            findings.not_checked(
                ABOUT,
                "whether the account may give it: the interface tells it only by giving it",
            );
        }
        Ok(())
    }

    /// The workflow map of a review.
    pub(super) async fn review(
        &self,
        review: &ReviewTemplate,
        place: Option<&Place>,
        findings: &mut Findings,
    ) -> Result<()> {
        const ABOUT: &str = "review";
        let map = &review.workflow;
        if let Reference::Id(id) = map {
            let id = NodeId(i64::try_from(*id).unwrap_or(i64::MAX));
            match findings.kept(ABOUT, self.client.get_node(id).await)? {
                Some(node) if node.kind == kind::WORKFLOW_MAP => {}
                Some(node) => {
                    let message = format!("{:?} (node {id}) is no workflow map", node.name);
                    findings.missing(ABOUT, message, "correct `workflow` in the rule");
                    return Ok(());
                }
                None => return Ok(()),
            }
        }
        let document = match place {
            Some(place) => self.some_document(place, findings).await?,
            None => None,
        };
        let Some(document) = document else {
            findings.not_checked(
                ABOUT,
                format!("whether the account may start {map}: the interface tells it only of a document, and none was found at the target"),
            );
            return Ok(());
        };
        let maps = self.client.list_workflow_maps(document.id, document.parent).await;
        let Some(maps) = findings.kept(ABOUT, maps)? else { return Ok(()) };
        let offered = maps.iter().any(|offered| match map {
            Reference::Id(id) => u64::try_from(offered.id) == Ok(*id),
            Reference::Path(names) => names.last() == Some(&offered.name),
        });
        if !offered {
            findings.missing(
                ABOUT,
                format!("the workflow map {map} is not offered for {:?}, for example", document.name),
                "correct the name in the rule, or let the service user initiate the map",
            );
            return Ok(());
        }
        findings.ok(ABOUT, format!("the workflow map {map} is offered for {:?}, for example", document.name));
        let fields: Vec<_> = review.attributes.fields().iter().map(|field| field.to()).collect();
        if !fields.is_empty() {
            let message =
                format!("the fields {}: the form shows only when a workflow is prepared", fields.join(", "));
            findings.not_checked(ABOUT, message);
        }
        Ok(())
    }

    /// A document at a place or a little below it.
    async fn some_document(&self, place: &Place, findings: &mut Findings) -> Result<Option<Node>> {
        let mut containers = vec![place.node.id];
        let mut next = 0;
        while let Some(container) = containers.get(next).copied().filter(|_| next < MOST_CONTAINERS) {
            next += 1;
            let mut children = self.client.list_children(container, ChildFilter::default());
            let page = findings.kept("review", children.next_page().await)?.flatten().unwrap_or_default();
            for child in page {
                if child.kind == kind::DOCUMENT {
                    return Ok(Some(child));
                }
                if child.container {
                    containers.push(child.id);
                }
            }
        }
        Ok(None)
    }
}
