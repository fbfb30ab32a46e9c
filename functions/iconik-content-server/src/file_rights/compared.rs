//! The documents of an asset's rights, beside what they are to be.

use std::cmp::max;

use shared::{
    content_server::NodeId,
    error::{FailureClass, Result},
    filing::carries,
    flow::Flow,
    reconcile::{Facts, Look, Pair, Seen},
    transfer::hash_body,
};

use super::{
    FileRights,
    rights::Rights,
    settle::said_on_final,
    shown,
    sides::{RightsSides, Standpoint},
    statement,
};
use crate::{
    asset_metadata::AssetMetadata,
    filing::Media,
    sides::{
        Made, OnBothSides, compare_categories, events, find_made, find_node, find_versions, is_of_same_asset,
    },
};

/// What the flow notes of a final that its rights take out of its sight.
const UNSEEN: &str = "not seen by the service user";
/// What both sides say of a final whose rights have lapsed.
const NARROWED: &str = "only those whom the rule names may use it";
/// What both sides say of the document of a release.
const OWN: &str = "made of the release";

impl RightsSides {
    /// The statement, the finals, and what iconik shows.
    pub(super) async fn documents(&self, of: &Standpoint<'_>, look: Look) -> Result<Vec<Pair>> {
        let mut pairs = Vec::new();
        if let Some(node) = of.case.statement {
            pairs.push(Box::pin(self.statement(of, node, look)).await?);
        }
        for node in &of.case.nodes {
            pairs.push(Box::pin(self.final_document(of, *node)).await?);
        }
        pairs.extend(self.shown(of).await?);
        Ok(pairs)
    }

    /// The statement: the newest version of its document is that of the revision.
    async fn statement(&self, of: &Standpoint<'_>, node: NodeId, look: Look) -> Result<Pair> {
        let client = &self.flow.content_server;
        let case = of.case;
        let mut pair = self.pair(of.asset, "statement");
        pair.name = format!("{}: rights statement", of.asset.title);
        let revision = format!("revision {}", case.revision);
        let sha256 = self.hash_of_record(&pair.asset, case.revision, node).await?;
        pair.source = Seen::There(Facts {
            version: Some(revision.clone()),
            sha256: sha256.clone(),
            ..Facts::default()
        });
        let versions = find_versions(client, node).await?;
        let Some((there, versions)) = find_node(client, node).await?.zip(versions) else {
            pair.note = Some(format!("Node {node} is not there, or the service user may not see it."));
            return Ok(pair);
        };
        pair.changed = there.modified;
        let key = statement::key(&of.asset.id, &case.version, case.revision);
        let mark = statement::mark(&of.asset.id, key, case.revision);
        let newest = versions.last().filter(|version| carries(&mark, &there, version));
        let mut target = Facts { version: Some("another version".into()), ..Facts::default() };
        if let Some(newest) = newest {
            target = Facts { version: Some(revision), size: newest.file_size, sha256, ..Facts::default() };
            if look.deep {
                let download = client.download(node, Some(newest.number)).await?;
                target.sha256 = Some(hash_body(download.body, download.length).await?.sha256);
            }
        }
        pair.target = Seen::There(target);
        Ok(pair)
    }

    /// The hash that a statement had when it was read back.
    async fn hash_of_record(&self, asset: &str, revision: u64, node: NodeId) -> Result<Option<String>> {
        let ledger = &self.flow.environment.ledger;
        let told = events(ledger, FileRights::NAME, asset, None).await?;
        let (revision, node) = (revision.to_string(), node.to_string());
        let of_it = told.into_iter().find(|event| {
            let says = |name: &str, what: &String| event.detail.get(name) == Some(what);
            event.message_digest.is_some() && says("revision", &revision) && says("statement", &node)
        });
        Ok(of_it.and_then(|event| event.message_digest))
    }

    /// A document of the final: what it says of its rights, and that nobody uses it when they have lapsed.
    async fn final_document(&self, of: &Standpoint<'_>, node: NodeId) -> Result<Pair> {
        let mut pair = self.pair(of.asset, &format!("final, node {node}"));
        let mut source = Facts::default();
        let Some(there) = find_node(&self.flow.content_server, node).await? else {
            pair.note = Some(format!("Node {node} is not there, or the service user may not see it."));
            if self.was_left_unseen(&pair.asset).await? {
                pair.accounted = Some("the rights of its rule leave the service user none".into());
            }
            pair.source = Seen::There(source);
            return Ok(pair);
        };
        pair.name.clone_from(&there.name);
        pair.changed = there.modified;
        let mut target = Facts::default();
        let plans = said_on_final(of.rule, &of.record, &of.lapses)?;
        let mut both = OnBothSides::default();
        match compare_categories(self.flow.filer(), node, &plans, &mut both).await {
            // A value that does not fit any more, as its category was made anew.
            Err(error) if error.class() == FailureClass::Invalid => {}
            outcome => {
                outcome?;
                both.into_facts(&mut source, &mut target);
            }
        }
        if !of.lapses.is_empty() {
            let mut narrowed = self.flow.filer().permission_template(&of.rule.narrowed).await?;
            narrowed.only_these_members = true;
            let is_narrowed = self.flow.content_server.has_permissions(node, &narrowed).await?;
            source.state = Some(NARROWED.into());
            target.state = Some(if is_narrowed { NARROWED } else { "others may use it" }.into());
        }
        (pair.source, pair.target) = (Seen::There(source), Seen::There(target));
        Ok(pair)
    }

    /// Whether the flow noted that it does not see a final any more whose permissions it gave.
    async fn was_left_unseen(&self, asset: &str) -> Result<bool> {
        let told = events(&self.flow.environment.ledger, FileRights::NAME, asset, None).await?;
        Ok(told.iter().any(|event| event.detail.get("rights").is_some_and(|told| told == UNSEEN)))
    }

    /// What iconik shows of it, field by field.
    async fn shown(&self, of: &Standpoint<'_>) -> Result<Option<Pair>> {
        let Some(shown) = &self.flow.rules.shown else { return Ok(None) };
        let wanted = shown::told(shown, of.case.statement.map(|node| node.0), &of.lapses);
        let metadata = AssetMetadata::read(&self.flow.iconik, &of.asset.id, &shown.view).await?;
        let beyond = wanted.clone().beyond(metadata.values());
        let mut both = OnBothSides::default();
        for (field, values) in wanted.fields() {
            let text = |values: &[serde_json::Value]| match values {
                [] => String::new(),
                some => format!("{some:?}"),
            };
            let ours = text(values);
            let is_other = beyond.fields().any(|(other, _)| other == field);
            let theirs = if is_other { text(metadata.values().get(field)) } else { ours.clone() };
            both.put(field.to_owned(), &ours, &theirs);
        }
        let mut pair = self.pair(of.asset, "in iconik");
        pair.changed = of.asset.modified;
        let (mut source, mut target) = (Facts::default(), Facts::default());
        both.into_facts(&mut source, &mut target);
        (pair.source, pair.target) = (Seen::There(source), Seen::There(target));
        Ok(Some(pair))
    }

    /// The files of the releases, and their documents.
    pub(super) async fn releases(
        &self,
        of: &Standpoint<'_>,
        rights: &Rights<'_>,
        look: Look,
    ) -> Result<Vec<Pair>> {
        let mut pairs = Vec::new();
        for release in &rights.releases {
            for media in &release.media {
                let mut pair = self.pair(of.asset, &format!("release {}, {}", release.asset.id, media.id()));
                pair.name.clone_from(&media.name);
                pair.changed = max(release.asset.modified, media.modified);
                Box::pin(self.release(media, &mut pair, look)).await?;
                pairs.push(pair);
            }
        }
        Ok(pairs)
    }

    async fn release(&self, media: &Media, pair: &mut Pair, look: Look) -> Result<()> {
        let mut source = Facts { size: media.size, version: Some(OWN.into()), ..Facts::default() };
        let known = self.flow.media.known(media, &self.flow.environment.ledger).await?;
        let Some(made) = known.map(Made::from) else {
            pair.note = Some("The ledger knows no document of it, though the rights are filed.".into());
            pair.source = Seen::There(source);
            return Ok(());
        };
        source.size = media.size.or(made.bytes);
        source.sha256.clone_from(&made.sha256);
        let found = find_made(&self.flow.content_server, &made, pair).await?;
        let Some(found) = found else {
            pair.source = Seen::There(source);
            return Ok(());
        };
        let mut target = Facts { size: found.version.file_size, ..Facts::default() };
        if is_of_same_asset(&media.mark(), &found.node, &found.version) {
            target.version = Some(OWN.into());
            target.sha256.clone_from(&made.sha256);
        } else {
            target.version = Some("not marked as made of the release".into());
        }
        if look.deep {
            let file = self.flow.iconik.download(&media.content).await?;
            source.sha256 = Some(hash_body(file.body, Some(file.length)).await?.sha256);
            let document = self.flow.content_server.download(made.node, Some(made.version)).await?;
            target.sha256 = Some(hash_body(document.body, document.length).await?.sha256);
        }
        (pair.source, pair.target) = (Seen::There(source), Seen::There(target));
        Ok(())
    }
}
