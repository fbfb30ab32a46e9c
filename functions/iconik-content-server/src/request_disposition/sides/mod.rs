//! The two sides of `request-disposition`: assets whose status asks for a decision, and what was asked, decided and told; what
//! was destroyed, and the certificates of it.
//!
//! A message puts right only what the flow would do by itself: ask for what was never asked, take the step for which there is
//! news. Nothing is archived or destroyed by a comparison, nor by its message: the flow asks Content Server, and looks for holds,
//! immediately before each such call.

mod asked;
mod destroyed;
mod told;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use shared::{
    audit::AuditEvent,
    content_server::{NodeId, ProcessId, WorkflowScope},
    environment::Environment,
    error::{Error, Result},
    flow::Flow,
    reconcile::{
        Account, Again, Eventual, Facts, Listed, Look, Page, Pair, Scope, Seen, Side, Sides, Words,
        read_cursor, write_cursor,
    },
};

use super::{FLOW, RequestDisposition, case};
use crate::sides::{self, account, events, list_assets, listed_id, look_again, look_at_node};

/// How items end that only tell of others.
const HINTS: [&str; 3] = ["disposition.told", "disposition.no-news", "disposition.not-due"];

/// The sides.
struct DispositionSides {
    flow: RequestDisposition,
    collections: Vec<String>,
}

/// Where the listing of the source is: assets first, then the dispositions that are remembered, by document.
#[derive(Default, Serialize, Deserialize)]
struct Cursor {
    at: Option<String>,
    behind: Option<i64>,
}

/// Something that is listed.
#[derive(Serialize, Deserialize)]
enum Thing {
    /// An asset of iconik.
    Asset(String),
    /// The asset of a disposition that is remembered.
    Case(String),
    /// A document in the folder of certificates.
    Certificate(i64),
    /// A workflow of Content Server, and others with the same title.
    Workflow { process: i64, title: String, others: Vec<i64> },
}

/// Makes the sides from the flow's own configuration.
pub(crate) fn connect<'a>(
    environment: &'a Environment,
    scope: &'a Scope,
) -> Eventual<'a, Result<Box<dyn Sides>>> {
    Box::pin(async move {
        let flow = RequestDisposition::connect(environment).await?;
        Ok(Box::new(DispositionSides { flow, collections: scope.collections.clone() }) as Box<dyn Sides>)
    })
}

impl Sides for DispositionSides {
    fn words(&self) -> Words {
        Words {
            source: "assets whose status asks for a decision, and dispositions".into(),
            target: "what was asked in Content Server, told in iconik, and certified".into(),
            missing: "find out who took it away: look into the recycle bins of both systems".into(),
            different: "see what Content Server decided, and correct the side that says something else"
                .into(),
            extra: "find out who made it: no disposition stands behind it".into(),
        }
    }

    fn list(&self, side: Side, cursor: Option<String>) -> Eventual<'_, Result<Page>> {
        Box::pin(async move {
            match side {
                Side::Source => self.dispositions_behind(read_cursor(cursor.as_deref())?).await,
                Side::Target => self.made().await,
            }
        })
    }

    fn look<'a>(&'a self, _: Side, listed: &'a Listed, _: Look) -> Eventual<'a, Result<Vec<Pair>>> {
        Box::pin(async move {
            let thing = serde_json::from_value(listed.facts.clone())
                .map_err(|error| Error::bug("look", "what was listed cannot be read").source(error))?;
            match thing {
                Thing::Asset(id) => Box::pin(self.asset(&id)).await,
                Thing::Case(id) => Box::pin(self.without_asset(&id)).await,
                Thing::Certificate(node) => {
                    Ok(Box::pin(self.certificate_there(NodeId(node))).await?.into_iter().collect())
                }
                Thing::Workflow { process, title, others } => {
                    let found = self.second_review(ProcessId(process), &title, &others).await?;
                    Ok(found.into_iter().collect())
                }
            }
        })
    }
}

impl DispositionSides {
    /// Assets, and behind them the dispositions that are remembered: an asset that was destroyed is in no listing.
    async fn dispositions_behind(&self, cursor: Cursor) -> Result<Page> {
        if let Some(behind) = cursor.behind {
            let found = case::cases_behind(&self.flow.environment.ledger, behind).await?;
            let next = found.last().map(|(node, _)| Cursor { at: None, behind: Some(*node) });
            let items = found.into_iter().map(|(node, asset)| {
                Ok(Listed { key: format!("disposition of node {node}"), facts: facts(&Thing::Case(asset))? })
            });
            let items = items.collect::<Result<Vec<_>>>()?;
            return Ok(Page { items, next: next.as_ref().map(write_cursor).transpose()? });
        }
        let page = list_assets(&self.flow.iconik, &self.collections, cursor.at.as_deref()).await?;
        let items = page.items.iter().map(|listed| {
            let facts = facts(&Thing::Asset(listed_id(listed)?.to_owned()))?;
            Ok(Listed { key: listed.key.clone(), facts })
        });
        let items = items.collect::<Result<Vec<_>>>()?;
        let next = match page.next.clone() {
            Some(next) => Cursor { at: Some(next), behind: None },
            None => Cursor { at: None, behind: Some(-1) },
        };
        Ok(Page { items, next: Some(write_cursor(&next)?) })
    }

    /// What dispositions make: certificates in their folder, and the workflows that this user has started.
    async fn made(&self) -> Result<Page> {
        let mut items = Vec::new();
        for node in self.certificates_there().await? {
            let facts = facts(&Thing::Certificate(node.0))?;
            items.push(Listed { key: format!("certificate {node}"), facts });
        }
        let all = self.flow.content_server.list_workflows(WorkflowScope::Initiated).await?;
        let mut by_title: BTreeMap<&str, Vec<i64>> = BTreeMap::new();
        for workflow in &all {
            by_title.entry(&workflow.title).or_default().push(workflow.process().0);
        }
        for workflow in &all {
            let process = workflow.process().0;
            let same = by_title.get(workflow.title.as_str()).map(Vec::as_slice).unwrap_or_default();
            let others: Vec<i64> = same.iter().copied().filter(|other| *other != process).collect();
            if others.is_empty() {
                continue;
            }
            let title = workflow.title.clone();
            let facts = facts(&Thing::Workflow { process, title, others })?;
            items.push(Listed { key: format!("workflow {process}"), facts });
        }
        Ok(Page { items, next: None })
    }

    /// A workflow that is called like another: whether that asks for a decision, and this one nobody follows.
    async fn second_review(&self, process: ProcessId, title: &str, others: &[i64]) -> Result<Option<Pair>> {
        let ledger = &self.flow.environment.ledger;
        if case::is_review(ledger, process).await? {
            return Ok(None);
        }
        for other in others {
            if !case::is_review(ledger, ProcessId(*other)).await? {
                continue;
            }
            if self.flow.content_server.find_workflow(process).await?.is_none() {
                return Ok(None);
            }
            let mut pair = Pair::new(format!("workflow {}", process.0), title, "");
            pair.target = Seen::There(Facts::default());
            pair.note = Some(format!("Workflow {other} asks for the same decision."));
            if let Some(asset) = case::asset_of(ledger, *other).await? {
                pair.asset = sides::asset(&asset);
            }
            return Ok(Some(pair));
        }
        Ok(None)
    }

    /// How the last item about an asset ended since a moment, as far as that explains a gap. That a hint led to an item of its
    /// own says nothing.
    async fn account(&self, asset: &str, since: Option<jiff::Timestamp>) -> Result<Account> {
        let events = events(&self.flow.environment.ledger, FLOW, &sides::asset(asset), since).await?;
        let is_hint = |event: &&AuditEvent| {
            event.detail.get("reason").is_some_and(|reason| HINTS.contains(&reason.as_str()))
        };
        Ok(account(events.iter().find(|event| !is_hint(event)), &[]))
    }

    /// Lets the flow look at the status of an asset.
    fn status_again(&self, asset: &str) -> Result<Again> {
        look_again(FLOW, &self.flow.environment.context, ("assets", asset), None, None)
    }

    /// Lets the flow look whether there is news of a disposition, by one of its documents.
    fn news_again(&self, node: NodeId) -> Result<Again> {
        look_at_node(FLOW, &self.flow.environment.context, node.0, None)
    }
}

fn facts(thing: &Thing) -> Result<serde_json::Value> {
    serde_json::to_value(thing)
        .map_err(|error| Error::bug("list", "what is listed is not JSON").source(error))
}

/// Facts of which only the state counts.
fn state(words: impl Into<String>) -> Seen {
    Seen::There(Facts { state: Some(words.into()), ..Facts::default() })
}
