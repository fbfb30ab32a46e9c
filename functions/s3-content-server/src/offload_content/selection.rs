//! Which rule takes a document.

use jiff::Timestamp;
use shared::{
    content_server::{Node, Version},
    error::Result,
    flow::Run,
};

use super::OffloadContent;
use crate::offload_rules::OffloadRule;

/// What the rules say of a document.
pub(super) enum Selection<'a> {
    Taken(&'a OffloadRule),
    /// A rule would take it, were it not modified so lately.
    TooYoung(&'a OffloadRule),
    None,
}

/// Under which name the decision is kept: what is begun makes the document younger, and is finished all the same.
const DECISION: &str = "rule";

impl OffloadContent {
    pub(super) async fn select(&self, node: &Node, newest: &Version, run: &Run) -> Result<Selection<'_>> {
        let decided = run.recorded::<String>(DECISION);
        if let Some(rule) = self.rules.rules.iter().find(|rule| Some(&rule.name) == decided.as_ref()) {
            return Ok(Selection::Taken(rule));
        }
        self.rule_for(node, newest, run.context().now()).await
    }

    /// What the rules say of a document now.
    pub(super) async fn rule_for(
        &self,
        node: &Node,
        newest: &Version,
        now: Timestamp,
    ) -> Result<Selection<'_>> {
        let mut too_young = None;
        for rule in &self.rules.rules {
            if !rule.takes_type(newest.mime_type.as_deref())
                || newest.file_size.is_some_and(|size| size < rule.min_size)
                || !self.is_within(node, rule).await?
            {
                continue;
            }
            if rule.unmodified_days == 0 || is_old(node, rule, now) {
                return Ok(Selection::Taken(rule));
            }
            too_young = too_young.or(Some(rule));
        }
        Ok(too_young.map_or(Selection::None, Selection::TooYoung))
    }

    /// Keeps the decision for the next attempt, where what is done may change what the rules would say.
    pub(super) async fn decide(&self, rule: &OffloadRule, run: &Run) -> Result<()> {
        if rule.unmodified_days == 0 || run.recorded::<String>(DECISION).is_some() {
            return Ok(());
        }
        run.checkpoint(DECISION, &rule.name).await
    }

    async fn is_within(&self, node: &Node, rule: &OffloadRule) -> Result<bool> {
        if let Some(within) = &rule.within
            && !self.places.is_within(&self.content_server, node.id, within).await?
        {
            return Ok(false);
        }
        match &rule.with_category {
            Some(category) => self.places.has_category(&self.content_server, node.id, category).await,
            None => Ok(true),
        }
    }
}

fn is_old(node: &Node, rule: &OffloadRule, now: Timestamp) -> bool {
    let least = i64::from(rule.unmodified_days) * 24 * 3600;
    node.modified.is_some_and(|modified| now.as_second() - modified.as_second() >= least)
}
