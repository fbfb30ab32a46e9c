//! Brings what iconik shows of a document into line with Content Server, and looks again until both agree.

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::json;
use shared::{
    content_server::NodeId,
    error::Result,
    flow::{Delivery, Flow, Outcome, Reason, Run},
    iconik::CollectionId,
    node_change::NodeChange,
};

use super::{
    LinkReferences, again,
    memory::{Remembered, Shown},
    standing::{Offer, Standing},
};
use crate::link_rules::Show;

/// How often something that keeps changing is brought into line within one attempt.
const ROUNDS: usize = 5;

/// A document being worked on.
pub(super) struct Work<'a> {
    pub(super) node: NodeId,
    pub(super) run: &'a Run,
    pub(super) remembered: Remembered,
    pub(super) done: Done,
}

/// What is shown now, and what was done for it.
#[derive(Debug, Clone, Default, Serialize)]
pub(super) struct Done {
    /// Where it is shown: the link asset, or the field, by collection.
    pub(super) shown: BTreeMap<CollectionId, String>,
    /// Where it was withdrawn.
    pub(super) withdrawn: Vec<CollectionId>,
    /// Whether anything was changed.
    #[serde(skip)]
    pub(super) changed: bool,
}

impl LinkReferences {
    pub(super) async fn settle(&self, change: &NodeChange, run: &Run) -> Result<Outcome> {
        let node = NodeId(change.node);
        match self.find_node(node).await? {
            Some(found) if found.container => return self.spread(change, &found, run).await,
            Some(_) => {}
            // It may have been a workspace of which documents are shown.
            None => self.spread_gone(change, run).await?,
        }
        let remembered = self.remembered(node).await?;
        let mut work = Work { node, run, remembered, done: Done::default() };
        let mut standing = self.standing(node).await?;
        for _ in 0..ROUNDS {
            if run.is_dry() {
                return Ok(self.told_only(&work, &standing));
            }
            if run.must_stop() {
                return Ok(Outcome::Continue);
            }
            let before = std::mem::take(&mut work.done.changed);
            Box::pin(self.bring_into_line(&mut work, &standing)).await?;
            let changed = work.done.changed;
            work.done.changed |= before;
            // What was true before may not be any more, now that it is done.
            let now = if changed { Some(self.standing(node).await?) } else { None };
            match now {
                Some(now) if !now.same(&standing) => standing = now,
                _ => return Ok(outcome(work, &standing)),
            }
        }
        Err(again("link.changing", "the document changes faster than it can be shown"))
    }

    async fn bring_into_line(&self, work: &mut Work<'_>, standing: &Standing<'_>) -> Result<()> {
        let wanted = standing.collections();
        let shown: Vec<CollectionId> = work.remembered.memory.shown.keys().cloned().collect();
        for collection in shown.iter().filter(|collection| !wanted.contains(collection)) {
            Box::pin(self.withdraw(work, collection)).await?;
        }
        let Standing::Shown(offer) = standing else { return Ok(()) };
        for collection in wanted {
            if work.remembered.in_collection(collection) == Shown::default() {
                self.remember_workspace(work.node, offer).await?;
            }
            match &offer.rule.show {
                Show::Asset(asset) => Box::pin(self.show_asset(work, offer, asset, collection)).await?,
                Show::Field(field) => Box::pin(self.show_address(work, offer, field, collection)).await?,
            }
        }
        Ok(())
    }

    /// Whoever asks for everything of a workspace that is gone must know what was in it.
    async fn remember_workspace(&self, node: NodeId, offer: &Offer<'_>) -> Result<()> {
        let set = format!("workspace {}", offer.workspace);
        self.environment.ledger.add_member(Self::NAME, &set, &node.to_string(), None).await
    }

    /// What would be done.
    fn told_only(&self, work: &Work<'_>, standing: &Standing<'_>) -> Outcome {
        let shown = work.remembered.memory.shown.iter();
        let over = shown.filter(|(collection, shown)| {
            let shows = shown.may_have_asset() || (shown.field.is_some() && !shown.withdrawn);
            shows && !standing.collections().contains(collection)
        });
        let over: Vec<&str> = over.map(|(collection, _)| collection.as_str()).collect();
        if !over.is_empty() {
            work.run.note("would-withdraw-from", over.join(" "));
        }
        match standing {
            Standing::Withheld(why) => Outcome::Skipped(why.reason()),
            Standing::Shown(offer) => {
                let collections: Vec<&str> = offer.collections.iter().map(CollectionId::as_str).collect();
                work.run.note("would-show-in", collections.join(" "));
                let message = format!("rule {} would show it", offer.rule.name);
                Outcome::Skipped(Reason::new("dry-run", message))
            }
        }
    }
}

/// How the item ends: delivered when anything was changed, or may have been by an earlier attempt.
fn outcome(work: Work<'_>, standing: &Standing<'_>) -> Outcome {
    let Work { run, done, .. } = work;
    if !done.changed && (!run.is_taken_over() || done.shown.is_empty()) {
        return Outcome::Skipped(match standing {
            Standing::Withheld(why) => why.reason(),
            Standing::Shown(_) => Reason::new("link.already", "it is shown already, as it is now"),
        });
    }
    let mut detail = BTreeMap::new();
    if let Standing::Shown(offer) = standing {
        detail.insert("rule".to_owned(), offer.rule.name.clone());
        detail.insert("version".to_owned(), offer.version.to_string());
    }
    if let Standing::Withheld(why) = standing {
        detail.insert("withheld".to_owned(), why.code.to_owned());
    }
    for (name, count) in [("shown", done.shown.len()), ("withdrawn", done.withdrawn.len())] {
        if count > 0 {
            detail.insert(name.to_owned(), count.to_string());
        }
    }
    Outcome::Delivered(Delivery { digest: None, bytes: 0, result: json!(done), detail })
}
