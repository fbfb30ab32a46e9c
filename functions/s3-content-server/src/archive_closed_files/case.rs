//! What a message is about: a case or record that a rule takes, whether it is closed, and whether it is archived.

use shared::{
    content_server::{MODULE_MISSING, NOT_ACCESSIBLE, NOT_FOUND, Node, NodeId, kind},
    error::Result,
    flow::{Outcome, Run},
};

use super::{ArchiveClosedFiles, category::Archived, skipped};
use crate::{
    archive_rules::{ArchiveRule, Takes},
    category_values,
};

/// A case or record with the rule that takes it.
#[derive(Debug, Clone)]
pub(super) struct Case<'a> {
    pub(super) node: Node,
    pub(super) rule: &'a ArchiveRule,
}

impl ArchiveClosedFiles {
    /// Something about a node is different, or somebody wants it looked at.
    pub(super) async fn changed(&self, node: NodeId, item: &str, run: &Run) -> Result<Outcome> {
        let node = match self.content_server.get_node(node).await {
            Ok(node) => node,
            Err(error) if matches!(error.code(), NOT_ACCESSIBLE | NOT_FOUND) => {
                return skipped("node.gone", "it is not there, or the service user may not see it");
            }
            Err(error) => return Err(error),
        };
        let rule = self.rule_for(&node).await?;
        if let Some(rule) = rule
            && self.is_closed(node.id, rule).await?
        {
            run.note("rule", &rule.name);
            let lock = self.lock(node.id, run).await?;
            let outcome = Box::pin(self.archive(Case { node, rule }, item, run)).await;
            self.unlock(&lock, run).await;
            return outcome;
        }
        // A hold on anything in an archived case is a hold on its bag.
        let Some((case, archived)) = self.archived_around(node.id).await? else {
            return match rule {
                Some(_) => skipped("archive.not-closed", "it is not closed"),
                None => skipped("rule.none", "no rule takes it, and it is in no archived case"),
            };
        };
        let lock = self.lock(case, run).await?;
        let outcome = Box::pin(self.mirror(case, &archived, run)).await;
        self.unlock(&lock, run).await;
        outcome
    }

    /// The first rule that fits.
    pub(super) async fn rule_for(&self, node: &Node) -> Result<Option<&ArchiveRule>> {
        for rule in &self.rules.rules {
            let fits = match rule.takes {
                Takes::Cases => node.container,
                Takes::OfficialRecords => node.kind == kind::DOCUMENT,
            };
            if !fits {
                continue;
            }
            match &rule.within {
                Some(within) if !self.places.is_within(&self.content_server, node.id, within).await? => {}
                _ => return Ok(Some(rule)),
            }
        }
        Ok(None)
    }

    pub(super) async fn is_closed(&self, node: NodeId, rule: &ArchiveRule) -> Result<bool> {
        let Some(closed) = &rule.closed else {
            return match self.content_server.get_record(node).await {
                Ok(record) => Ok(rule.takes == Takes::OfficialRecords && record.is_official()),
                Err(error) if error.code() == MODULE_MISSING => Ok(false),
                Err(error) => Err(error),
            };
        };
        let category = self.places.id(&self.content_server, &closed.category).await?;
        let values = category_values::read(&self.content_server, node, category).await?;
        let value = values.as_ref().and_then(|values| values.get(&closed.attribute));
        Ok(value.is_some_and(|value| closed.values.contains(&category_values::text(value))))
    }

    /// The archived case a node is, or is in: the nearest one.
    pub(super) async fn archived_around(&self, node: NodeId) -> Result<Option<(NodeId, Archived)>> {
        if let Some(archived) = self.archived(node).await? {
            return Ok(Some((node, archived)));
        }
        let way = self.content_server.list_ancestors(node).await?;
        // The volume they are all in is no case.
        for ancestor in way.iter().skip(1).rev().filter(|ancestor| ancestor.id != node) {
            if let Some(archived) = self.archived(ancestor.id).await? {
                return Ok(Some((ancestor.id, archived)));
            }
        }
        Ok(None)
    }
}
