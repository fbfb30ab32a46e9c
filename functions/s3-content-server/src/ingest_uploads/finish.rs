//! What a document gets once it is filed: rights and a review.

use shared::{
    content_server::{NewWorkflow, NodeId, WorkflowScope},
    error::{Error, FailureClass, Result, System},
    filing::Placed,
    flow::Policy,
};

use super::{
    IngestUploads,
    deliver::{FILED, Filed, Job},
};
use crate::intake_rules::plan::{Reference, ReviewPlan};

impl IngestUploads {
    /// Gives the document its rights, last of all: they may not include our own.
    pub(super) async fn restrict(&self, job: &Job<'_>, filed: &Filed) -> Result<()> {
        let Some(plan) = &job.plan.permissions else { return Ok(()) };
        let template = self.filer.permission_template(plan).await?;
        if job.run.recorded::<Filed>(FILED).is_none() {
            job.run.checkpoint(FILED, filed).await?;
        }
        let give = || self.filer.restrict(filed.placed.node, &template);
        let give = job.run.effect("give-rights", Policy::RepeatSafe, || async { Ok(None) }, give);
        if !give.await? {
            job.run.note("rights", "not seen by the service user");
        }
        Ok(())
    }

    pub(super) async fn start_review(
        &self,
        job: &Job<'_>,
        placed: Placed,
        review: &ReviewPlan,
    ) -> Result<()> {
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
