//! The two sides of `start-signoff`: reviews that are approved and the workflows that sign them off, and what iconik was told.
//!
//! A message about the asset or its workflow puts right what the flow would do by itself: start what is due, end what lapsed,
//! tell what moved. What it has told it does not tell again: who took it away, or turned a decision round, is a person's business.

mod due;
mod told;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use shared::{
    content_server::{ProcessId, WorkflowScope},
    environment::Environment,
    error::{Error, Result},
    flow::Flow,
    iconik::{AssetId, AssetStatus, VersionId},
    reconcile::{Again, Eventual, Facts, Listed, Look, Page, Pair, Scope, Seen, Side, Sides, Words},
};

use super::{COMPLETED, StartSignoff, memory::Mark};
use crate::sides::{self, list_assets, listed_id, look_again, look_at_node};

/// The sides.
struct SignoffSides {
    flow: StartSignoff,
    collections: Vec<String>,
}

/// A workflow of Content Server that carries a mark of ours, and the others that carry the same.
#[derive(Serialize, Deserialize)]
struct Marked {
    process: i64,
    title: String,
    others: Vec<i64>,
}

/// Makes the sides from the flow's own configuration.
pub(crate) fn connect<'a>(
    environment: &'a Environment,
    scope: &'a Scope,
) -> Eventual<'a, Result<Box<dyn Sides>>> {
    Box::pin(async move {
        let flow = StartSignoff::connect(environment).await?;
        Ok(Box::new(SignoffSides { flow, collections: scope.collections.clone() }) as Box<dyn Sides>)
    })
}

impl Sides for SignoffSides {
    fn words(&self) -> Words {
        Words {
            source: "approved versions that are to be signed off, and their workflows".into(),
            target: "workflows in Content Server, and what iconik was told of them".into(),
            missing: "see what the flow's last item about the asset says, then approve again".into(),
            different: "see in Content Server what was decided: what was told once is not told again".into(),
            extra: "find out who started it, and stop the workflow that nobody follows".into(),
        }
    }

    fn list(&self, side: Side, cursor: Option<String>) -> Eventual<'_, Result<Page>> {
        Box::pin(async move {
            match side {
                Side::Source => list_assets(&self.flow.iconik, &self.collections, cursor.as_deref()).await,
                Side::Target => self.marked_workflows().await,
            }
        })
    }

    fn look<'a>(&'a self, side: Side, listed: &'a Listed, _: Look) -> Eventual<'a, Result<Vec<Pair>>> {
        Box::pin(async move {
            if side == Side::Source {
                return Box::pin(self.asset(&AssetId::new(listed_id(listed)?))).await;
            }
            let marked = serde_json::from_value(listed.facts.clone())
                .map_err(|error| Error::bug("look", "what was listed cannot be read").source(error))?;
            let found = Box::pin(self.workflow(&marked)).await?;
            Ok(found.into_iter().collect())
        })
    }
}

impl SignoffSides {
    /// The workflows that carry a mark like ours. Content Server lists all that this user has started at once.
    async fn marked_workflows(&self) -> Result<Page> {
        let all = self.flow.content_server.list_workflows(WorkflowScope::Initiated).await?;
        let mut by_mark: BTreeMap<String, Vec<i64>> = BTreeMap::new();
        let marked = |title: &str| {
            let mark = title.rsplit_once(" [").map(|(_, mark)| mark.to_owned());
            mark.filter(|_| Mark::in_title(title).is_some())
        };
        for workflow in &all {
            if let Some(mark) = marked(&workflow.title) {
                by_mark.entry(mark).or_default().push(workflow.process().0);
            }
        }
        let mut items = Vec::new();
        for workflow in &all {
            let Some(mark) = marked(&workflow.title) else { continue };
            let process = workflow.process().0;
            let same = by_mark.get(&mark).map(Vec::as_slice).unwrap_or_default();
            let others = same.iter().copied().filter(|other| *other != process).collect();
            let facts = serde_json::to_value(Marked { process, title: workflow.title.clone(), others })
                .map_err(|error| Error::bug("list", "what is listed is not JSON").source(error))?;
            items.push(Listed { key: format!("workflow {process}"), facts });
        }
        Ok(Page { items, next: None })
    }

    /// A workflow with a mark: one that nobody follows beside another of the same version and round, or one that runs though
    /// its asset is gone. Of all others the listing of assets tells.
    async fn workflow(&self, marked: &Marked) -> Result<Option<Pair>> {
        let process = ProcessId(marked.process);
        let Some(mark) = Mark::in_title(&marked.title) else { return Ok(None) };
        // What another flow has started is none of ours.
        if self.flow.starting(&mark).await?.is_none() {
            return Ok(None);
        }
        let Some(status) = self.flow.content_server.find_workflow(process).await? else { return Ok(None) };
        let mut pair = Pair::new(format!("workflow {}", process.0), &marked.title, "");
        pair.target = Seen::There(Facts::default());
        if let Some(workflow) = self.flow.workflow(process).await? {
            let asset = self.flow.iconik.find_asset(&workflow.asset).await?;
            let is_gone = asset.as_ref().is_none_or(|asset| asset.status == AssetStatus::Deleted);
            if !is_gone || workflow.closed.is_some() || status.is_ended() {
                return Ok(None);
            }
            pair.asset = sides::asset(workflow.asset.as_str());
            pair.changed = asset.as_ref().and_then(|asset| asset.deleted.max(asset.modified));
            pair.note = Some("Its asset is in the recycle bin, or gone, and the workflow runs.".into());
            pair.if_extra = Some(self.review_again(&workflow.asset, &workflow.version)?);
            return Ok(Some(pair));
        }
        for other in &marked.others {
            if let Some(followed) = self.flow.workflow(ProcessId(*other)).await? {
                pair.asset = sides::asset(followed.asset.as_str());
                pair.note = Some(format!("Workflow {other} signs off the same version in the same round."));
                return Ok(Some(pair));
            }
        }
        Ok(None)
    }

    /// Lets the flow look at the review of a version.
    fn review_again(&self, asset: &AssetId, version: &VersionId) -> Result<Again> {
        let context = &self.flow.environment.context;
        look_again(StartSignoff::NAME, context, ("assets", asset.as_str()), Some(version.as_str()), None)
    }

    /// Lets the flow look at a workflow.
    fn workflow_again(&self, process: ProcessId) -> Result<Again> {
        look_at_node(StartSignoff::NAME, &self.flow.environment.context, process.0, Some(COMPLETED))
    }
}

/// Facts of which only the state counts.
fn state(words: impl Into<String>) -> Seen {
    Seen::There(Facts { state: Some(words.into()), ..Facts::default() })
}
