//! What the account may do where documents go, and what it will be able to do with the documents it makes.

use std::collections::BTreeSet;

use shared::{
    content_server::{Holder, Node, Right},
    error::Result,
};

use super::{
    Look,
    places::{First, Place},
    report::Findings,
};
use crate::intake_rules::{Existing, IntakeRule, Verify};

const ABOUT: &str = "rights";

impl Look<'_> {
    /// The rights a rule needs at its place.
    pub(super) async fn rights(
        &self,
        rule: &IntakeRule,
        place: &Place,
        findings: &mut Findings,
    ) -> Result<()> {
        let node = &place.node;
        let held = match place.first {
            First::Document => self.may_add(ABOUT, node, "documents", findings).await?,
            First::Folder => self.may_add(ABOUT, node, "folders", findings).await?,
            First::Unknown => {
                findings.not_checked(ABOUT, "rights in the folders that objects name");
                None
            }
        };
        self.own_documents(rule, node, &held.unwrap_or_default(), findings).await?;
        if rule.existing != Existing::KeepBoth {
            let message =
                "whether versions may be added to documents that are there: each has rights of its own";
            findings.not_checked(ABOUT, message);
        }
        Ok(())
    }

    /// Whether the account may put something into a container. Gives its rights there, when the server tells them.
    pub(super) async fn may_add(
        &self,
        about: &str,
        node: &Node,
        what: &str,
        findings: &mut Findings,
    ) -> Result<Option<BTreeSet<Right>>> {
        let held = self.client.effective_rights(node.id, self.me.id).await;
        let held = match held {
            Ok(held) => held,
            Err(error) => {
                let message = format!(
                    "whether the account may add {what} to {:?}: the server does not tell its rights ({})",
                    node.name,
                    error.code()
                );
                findings.refusal_as_not_checked(about, message, error)?;
                return Ok(None);
            }
        };
        if held.contains(&Right::AddItems) {
            findings.ok(about, format!("{} may add {what} to {:?}", self.me.name, node.name));
        } else {
            findings.missing(
                about,
                format!("{} may not add {what} to {:?} (node {})", self.me.name, node.name, node.id),
                "give the user or one of its groups the permission \"Add Items\" there",
            );
        }
        Ok(Some(held))
    }

    /// A new document takes the list of rights of its container, and the account becomes its owner.
    async fn own_documents(
        &self,
        rule: &IntakeRule,
        node: &Node,
        held: &BTreeSet<Right>,
        findings: &mut Findings,
    ) -> Result<()> {
        let mut needed = Vec::new();
        if rule.limits.verify == Verify::ReadBack {
            needed.push((Right::SeeContents, "read them back"));
            needed.push((Right::Delete, "take back what does not agree"));
        }
        if rule.permissions.is_some() {
            needed.push((Right::EditPermissions, "set their permissions"));
        }
        if needed.is_empty() {
            return Ok(());
        }
        let listed = match self.client.list_permissions(node.id).await {
            Ok(listed) => listed,
            // A delivery reads the list of its document before it changes it.
            Err(error) if rule.permissions.is_some() => return findings.refusal(ABOUT, error),
            Err(error) => {
                let message = format!("what the owner of new documents may do ({})", error.code());
                return findings.refusal_as_not_checked(ABOUT, message, error);
            }
        };
        let owner = listed.into_iter().find(|grant| grant.holder == Holder::Owner);
        let owner = owner.map(|grant| grant.rights).unwrap_or_default();
        let lacking: Vec<_> = needed
            .iter()
            .filter(|(right, _)| !owner.contains(right) && !held.contains(right))
            .map(|(_, what)| *what)
            .collect();
        if lacking.is_empty() {
            let may: Vec<_> = needed.iter().map(|(_, what)| *what).collect();
            findings.ok(ABOUT, format!("owners of new documents may {}", may.join(", ")));
        } else {
            findings.warning(
                ABOUT,
                format!(
                    "new documents usually take the rights of {:?}, and neither their owner nor {} may {} by these",
                    node.name,
                    self.me.name,
                    lacking.join(", ")
                ),
                "give the owner, or the user, these permissions on the folder",
            );
        }
        Ok(())
    }
}
