//! What a document gets once its content is in place: categories, permissions, classification, review.

use shared::{
    content_server::{
        Grant, Holder, MemberKind, NOT_ACCESSIBLE, NewWorkflow, NodeId, NodePath, PermissionTemplate,
        RecordDetails, Right, Root, WorkflowScope, volume,
    },
    error::{Error, FailureClass, Result, System},
    flow::Policy,
};

use super::{
    IngestUploads,
    deliver::{FILED, Filed, Job},
};
use crate::{
    intake_rules::{
        permissions::{self, MemberName, PermissionPlan},
        plan::{Reference, ReviewPlan},
    },
    uploads::passage::Placed,
};

impl IngestUploads {
    /// Brings the document into the state the rule asks for. Each step but the last changes nothing when repeated; a
    /// workflow is started once or not at all.
    pub(super) async fn finish(&self, job: &Job<'_>, placed: Placed) -> Result<()> {
        if !placed.new_document {
            for values in self.category_values(placed.node, &job.plan.categories).await? {
                self.content_server.set_category(placed.node, &values).await?;
            }
        }
        if let Some(class) = &job.plan.classification {
            let class = self.record_class(class).await?;
            self.content_server.classify_record(placed.node, class, &RecordDetails::default()).await?;
        }
        if let Some(review) = &job.plan.review {
            self.start_review(job, placed, review).await?;
        }
        Ok(())
    }

    /// Gives the document its rights, last of all: they may not include our own.
    pub(super) async fn restrict(&self, job: &Job<'_>, filed: &Filed) -> Result<()> {
        let Some(plan) = &job.plan.permissions else { return Ok(()) };
        let template = self.permission_template(plan).await?;
        if job.run.recorded::<Filed>(FILED).is_none() {
            job.run.checkpoint(FILED, filed).await?;
        }
        match self.content_server.apply_permissions(filed.placed.node, &template).await {
            // The document was seen a moment ago, or by the attempt before this one. The last of the new rights, the
            // owner's, have taken it out of our sight: they are in force.
            Err(error) if error.code() == NOT_ACCESSIBLE => {
                tracing::warn!(node = filed.placed.node.0, "the new rights leave none to the service user");
                job.run.note("rights", "not seen by the service user");
                Ok(())
            }
            outcome => outcome.map(drop),
        }
    }

    async fn permission_template(&self, plan: &PermissionPlan) -> Result<PermissionTemplate> {
        let fixed = [
            (Holder::Public, &plan.public),
            (Holder::Group, &plan.owner_group),
            (Holder::Owner, &plan.owner),
        ];
        let mut grants = Vec::new();
        for assigned in &plan.assigned {
            let member = match &assigned.member {
                MemberName::Group(name) => self.member(MemberKind::Group, name).await?,
                MemberName::User(name) => self.member(MemberKind::User, name).await?,
            };
            grants.push(grant(Holder::Member(member), &assigned.rights));
        }
        // Whoever made the document sees it as its owner, as long as the owner's rights are not taken.
        grants.extend(fixed.into_iter().filter_map(|(holder, rights)| Some(grant(holder, rights.as_ref()?))));
        Ok(PermissionTemplate { grants, only_these_members: false })
    }

    async fn record_class(&self, class: &Reference) -> Result<NodeId> {
        let names = match class {
            Reference::Id(id) => return Ok(NodeId(i64::try_from(*id).unwrap_or(i64::MAX))),
            Reference::Path(names) => names,
        };
        let name = format!("class {}", names.join("/"));
        if let Some(known) = self.places.get(&name) {
            return Ok(known);
        }
        let path = NodePath { root: Root::Volume(volume::RECORDS), segments: names.clone() };
        let found = self.content_server.resolve_path(&path).await?.id;
        self.places.put(name, found);
        Ok(found)
    }

    async fn start_review(&self, job: &Job<'_>, placed: Placed, review: &ReviewPlan) -> Result<()> {
        // The title carries the item, so that a workflow whose start was not confirmed is recognised.
        let title = format!("{} [{}]", review.title, self.short_item(job.event));
        let started: i64 = job
            .run
            .effect(
                "start-review",
                Policy::NeverRepeat,
                || async {
                    let known = self.content_server.list_workflows(WorkflowScope::Initiated).await?;
                    Ok(known.iter().find(|workflow| workflow.title == title).map(|found| found.process().0))
                },
                || async {
                    let map = self.workflow_map(&review.workflow, placed.node).await?;
                    let mut attributes = Vec::with_capacity(review.attributes.len());
                    for field in &review.attributes {
                        attributes.push((field.to.clone(), field.value.to_string().into()));
                    }
                    let new = NewWorkflow {
                        map,
                        documents: vec![placed.node],
                        title: title.clone(),
                        attributes,
                        comment: format!("started by {}", job.plan.rule),
                    };
                    Ok(self.content_server.start_workflow(&new).await?.0)
                },
            )
            .await?;
        job.run.note("review", started.to_string());
        Ok(())
    }

    async fn workflow_map(&self, wanted: &Reference, document: NodeId) -> Result<NodeId> {
        let name = match wanted {
            Reference::Id(id) => return Ok(NodeId(i64::try_from(*id).unwrap_or(i64::MAX))),
            Reference::Path(names) => names.last().cloned().unwrap_or_default(),
        };
        let parent = self.content_server.get_node(document).await?.parent;
        let maps = self.content_server.list_workflow_maps(document, parent).await?;
        let found = maps.into_iter().find(|map| map.name == name);
        found.map(|map| NodeId(map.id)).ok_or_else(|| {
            Error::new(
                FailureClass::Forbidden,
                System::ContentServer,
                "start review",
                "review.workflow-missing",
                format!("no workflow map {name:?} is offered for this document"),
            )
            .remedy("correct the name in the rule, or let the service user initiate the map")
        })
    }
}

fn grant(holder: Holder, rights: &[permissions::Right]) -> Grant {
    Grant { holder, rights: rights.iter().map(|right| right_of(*right)).collect() }
}

fn right_of(right: permissions::Right) -> Right {
    match right {
        permissions::Right::See => Right::See,
        permissions::Right::SeeContents => Right::SeeContents,
        permissions::Right::Modify => Right::Modify,
        permissions::Right::EditAttributes => Right::EditAttributes,
        permissions::Right::AddItems => Right::AddItems,
        permissions::Right::Reserve => Right::Reserve,
        permissions::Right::AddMajorVersion => Right::AddMajorVersion,
        permissions::Right::DeleteVersions => Right::DeleteVersions,
        permissions::Right::Delete => Right::Delete,
        permissions::Right::EditPermissions => Right::EditPermissions,
    }
}
