//! The two sides of `publish-finals`: the approved versions of assets that a rule files, and the documents that were made of
//! them.
//!
//! iconik itself is asked which versions are approved, as the flow asks it. A document is looked up by what the ledger
//! remembers of the file, else by its mark where the rule would put it. Whatever the message of a repair says, the flow asks
//! iconik again before it makes anything, and makes nothing twice.

use std::{
    cmp::{Reverse, max},
    sync::{Arc, Mutex},
};

use shared::{
    content_server::NodeId,
    environment::Environment,
    error::{Error, FailureClass, Result},
    filing::InPlace,
    flow::Flow,
    iconik::{Asset, AssetId, VersionId},
    mapping::Record,
    reconcile::{Again, Eventual, Facts, Listed, Look, Page, Pair, Scope, Seen, Side, Sides, Words},
    transfer::hash_body,
};

use super::{
    PublishFinals,
    extra::Marked,
    plan::{Document, at},
};
use crate::{
    approval::{self, Approved, IN_PROGRESS, Standing},
    asset_metadata::AssetMetadata,
    filing::{Media, NOT_CLOSED},
    finals_rules::FinalsRule,
    sides::{
        Found, Made, OnBothSides, account, asset, compare_categories, events, find_made, is_of_same_asset,
        keep_lasting, list_assets, listed_id, look_again, other_hours,
    },
};

/// Skips that explain a document that is not there.
const EXPLAINED: [&str; 2] = ["job.aborted", "version.superseded"];
/// What both sides say of a document that is the asset's own.
const OWN: &str = "made of this asset";
/// What both sides say where iconik is told of the documents.
const TOLD: &str = "iconik names a document of the asset";

/// The sides.
pub(super) struct FinalsSides {
    pub(super) flow: PublishFinals,
    /// The collections of iconik whose assets are compared.
    collections: Vec<String>,
    /// What the container that was looked at last holds.
    pub(super) at_hand: Mutex<Option<Arc<Marked>>>,
}

/// Makes the sides from the flow's own configuration.
pub(crate) fn connect<'a>(
    environment: &'a Environment,
    scope: &'a Scope,
) -> Eventual<'a, Result<Box<dyn Sides>>> {
    Box::pin(async move {
        let flow = PublishFinals::connect(environment).await?;
        let collections = scope.collections.clone();
        Ok(Box::new(FinalsSides { flow, collections, at_hand: Mutex::default() }) as Box<dyn Sides>)
    })
}

impl Sides for FinalsSides {
    fn words(&self) -> Words {
        Words {
            source: "files of approved versions that a rule files".into(),
            target: "documents in Content Server".into(),
            missing: "somebody or something removed the document after it was filed: if that was a mistake, restore it \
                      from Content Server's recycle bin"
                .into(),
            different: "find out who changed which side: what is filed is not filed anew; a new version of the asset, \
                        when it is approved, is"
                .into(),
            extra: "find out who made it; the flow knows another document for this file".into(),
        }
    }

    fn list(&self, _: Side, cursor: Option<String>) -> Eventual<'_, Result<Page>> {
        // Documents do not say of which asset they are: what is beside those of an asset is looked at, asset by asset.
        Box::pin(async move { list_assets(&self.flow.iconik, &self.collections, cursor.as_deref()).await })
    }

    fn look<'a>(&'a self, side: Side, listed: &'a Listed, look: Look) -> Eventual<'a, Result<Vec<Pair>>> {
        Box::pin(async move {
            match side {
                Side::Source => Box::pin(self.asset(listed_id(listed)?, look)).await,
                Side::Target => Box::pin(self.strays(listed_id(listed)?)).await,
            }
        })
    }
}

impl FinalsSides {
    /// Every approved version of an asset, and what iconik is told of them.
    async fn asset(&self, id: &str, look: Look) -> Result<Vec<Pair>> {
        let iconik = &self.flow.iconik;
        let Some(asset) = iconik.find_asset(&AssetId::new(id)).await? else { return Ok(Vec::new()) };
        let mut versions = asset.versions.clone();
        versions.sort_by_key(|version| Reverse(version.number));
        let (mut pairs, mut filed) = (Vec::new(), Vec::new());
        for version in versions {
            let approved = match approval::standing_of(iconik, asset.clone(), Some(version.id.as_str())).await
            {
                Ok(Standing::Approved(approved)) => approved,
                Ok(Standing::Not(_)) => continue,
                Err(error) if error.code() == IN_PROGRESS => continue,
                Err(error) => return Err(error),
            };
            let (found, first) = Box::pin(self.version(&approved, look)).await?;
            pairs.extend(found);
            filed.extend(first.map(|node| (version.id, node)));
        }
        pairs.extend(self.told(&asset, &filed).await?);
        Ok(pairs)
    }

    /// What a rule files of a version; and its first document, when all of them are there.
    async fn version(&self, approved: &Approved, look: Look) -> Result<(Vec<Pair>, Option<NodeId>)> {
        let record = self.flow.record(approved, self.flow.environment.context.now()).await?;
        let Some(rule) = self.flow.rules.choose(&record) else { return Ok((Vec::new(), None)) };
        let plan = match self.flow.plan(approved, &record, rule).await {
            Ok(plan) => plan,
            // Too many files, or two of one name: nothing of it can be filed.
            Err(error) if error.class() == FailureClass::Invalid => {
                return Ok((vec![self.refused(approved, &error).await?], None));
            }
            Err(error) => return Err(error),
        };
        let (mut pairs, mut nodes) = (Vec::new(), Vec::new());
        for document in &plan.documents {
            let (pair, node) = Box::pin(self.document(approved, (rule, &record), document, look)).await?;
            pairs.push(pair);
            nodes.extend(node);
        }
        for error in &plan.refused {
            pairs.push(self.refused(approved, error).await?);
        }
        let is_whole = plan.refused.is_empty() && nodes.len() == plan.documents.len();
        Ok((pairs, nodes.first().copied().filter(|_| is_whole)))
    }

    /// What cannot be filed as it is: the flow puts it aside, once it has heard of it.
    async fn refused(&self, approved: &Approved, error: &Error) -> Result<Pair> {
        let what = error.field_name().unwrap_or_else(|| error.code());
        let mut pair = self.pair(approved, what, &approved.asset.title);
        pair.note = Some(format!("As it is it cannot be filed: {}.", error.message()));
        pair.source = Seen::There(Facts::default());
        self.explain(&mut pair, approved).await?;
        Ok(pair)
    }

    fn pair(&self, approved: &Approved, what: &str, name: &str) -> Pair {
        let id = approved.asset.id.as_str();
        let mut pair =
            Pair::new(format!("asset {id} version {}: {what}", approved.number()), name, asset(id));
        pair.changed = approved.at;
        pair
    }

    /// A file and its document; the node, when it is there.
    async fn document(
        &self,
        approved: &Approved,
        by: (&FinalsRule, &Record),
        document: &Document,
        look: Look,
    ) -> Result<(Pair, Option<NodeId>)> {
        let media = &document.media;
        let what = format!("{} {}", media.part.name(), media.id());
        let mut pair = self.pair(approved, &what, &media.name);
        pair.changed = max(pair.changed, media.modified);
        let mut source = Facts { size: media.size, version: Some(OWN.into()), ..Facts::default() };
        let Some(made) = self.made(document, &mut pair).await? else {
            match media.check_usable() {
                Err(error) if error.code() == NOT_CLOSED => {
                    pair.accounted = Some("its file is still being written, and is waited for".into());
                }
                Err(error) => pair.note = Some(format!("As it is it cannot be filed: {}.", error.message())),
                Ok(()) => {}
            }
            pair.source = Seen::There(source);
            self.explain(&mut pair, approved).await?;
            return Ok((pair, None));
        };
        source.size = media.size.or(made.bytes);
        source.sha256.clone_from(&made.sha256);
        let client = &self.flow.content_server;
        let Some(Found { node, version, is_newest }) = find_made(client, &made, &mut pair).await? else {
            if pair.accounted.is_none() && self.was_left_unseen(approved, &pair.asset).await? {
                pair.accounted = Some("the rights of its rule leave the service user none".into());
            }
            pair.source = Seen::There(source);
            return Ok((pair, None));
        };
        let mut target = Facts { size: version.file_size, version: Some(OWN.into()), ..Facts::default() };
        if is_of_same_asset(&media.mark(), &node, &version) {
            // Content Server never changes a version.
            target.sha256.clone_from(&made.sha256);
        } else {
            target.version = Some("not marked as made of this asset".into());
        }
        if is_newest {
            self.values(by, document, node.id).await?.into_facts(&mut source, &mut target);
        }
        if look.deep {
            self.read_both(media, &made, (&mut source, &mut target)).await?;
        }
        (pair.source, pair.target) = (Seen::There(source), Seen::There(target));
        Ok((pair, Some(node.id)))
    }

    /// What was made of a file, by the ledger; else by its mark, where the rule would put it.
    async fn made(&self, document: &Document, pair: &mut Pair) -> Result<Option<Made>> {
        let (media, ledger) = (&self.flow.media, &self.flow.environment.ledger);
        if let Some(filed) = media.known(&document.media, ledger).await? {
            return Ok(Some(Made::from(filed)));
        }
        Ok(match media.filer().in_place(&document.plan, &document.media.mark()).await? {
            InPlace::Ours(placed) => {
                Some(Made { node: placed.node, version: placed.version, sha256: None, bytes: None })
            }
            InPlace::Later => {
                pair.accounted = Some("a later version of the asset is in its place".into());
                None
            }
            InPlace::Other => None,
        })
    }

    async fn was_left_unseen(&self, approved: &Approved, asset: &str) -> Result<bool> {
        let ledger = &self.flow.environment.ledger;
        let told = events(ledger, PublishFinals::NAME, asset, approved.at).await?;
        Ok(told.iter().any(|event| event.detail.contains_key("rights")))
    }

    /// What the rule maps today, whatever the hour, beside what the document holds of it.
    async fn values(
        &self,
        (rule, record): (&FinalsRule, &Record),
        document: &Document,
        node: NodeId,
    ) -> Result<OnBothSides> {
        let mut plans = document.plan.categories.clone();
        let content = rule.contents.iter().find(|content| content.part == document.media.part);
        for then in other_hours(self.flow.environment.context.now()) {
            let record = at(record.clone(), then).with("media", document.media.facts());
            match content.map(|content| content.plan(&record)) {
                Some(Ok(other)) => keep_lasting(&mut plans, &other.categories),
                _ => return Ok(OnBothSides::default()),
            }
        }
        let mut both = OnBothSides::default();
        match compare_categories(self.flow.media.filer(), node, &plans, &mut both).await {
            // A value that does not fit any more: a user who left, a category that was made anew.
            Err(error) if error.class() == FailureClass::Invalid => Ok(OnBothSides::default()),
            outcome => outcome.map(|()| both),
        }
    }

    async fn read_both(
        &self,
        media: &Media,
        made: &Made,
        (source, target): (&mut Facts, &mut Facts),
    ) -> Result<()> {
        let file = self.flow.iconik.download(&media.content).await?;
        source.sha256 = Some(hash_body(file.body, Some(file.length)).await?.sha256);
        let document = self.flow.content_server.download(made.node, Some(made.version)).await?;
        target.sha256 = Some(hash_body(document.body, document.length).await?.sha256);
        Ok(())
    }

    /// Whether iconik names one of an asset's documents and a state. What the state says, other flows may have written.
    async fn told(&self, of: &Asset, filed: &[(VersionId, NodeId)]) -> Result<Option<Pair>> {
        let Some((newest, node)) = filed.first() else { return Ok(None) };
        let shown = &self.flow.rules.shown;
        let metadata = AssetMetadata::read(&self.flow.iconik, &of.id, &shown.view).await?;
        let told = metadata.values().text(&shown.node).unwrap_or_default();
        let mut pair = Pair::new(format!("asset {} in iconik", of.id), &of.title, asset(of.id.as_str()));
        pair.changed = of.modified;
        let state = if told.is_empty() || metadata.values().get(&shown.state).is_empty() {
            pair.if_different = Some(self.again(of, newest)?);
            "iconik names no document, or no state".to_owned()
        } else if filed.iter().any(|(_, node)| node.to_string() == told) {
            TOLD.to_owned()
        } else {
            pair.note = Some(format!("iconik names node {told}; the first document is node {node}."));
            "iconik names something else".to_owned()
        };
        pair.source = Seen::There(Facts { state: Some(TOLD.into()), ..Facts::default() });
        pair.target = Seen::There(Facts { state: Some(state), ..Facts::default() });
        Ok(Some(pair))
    }

    /// Why something is not there, as far as the audit knows since the approval; and what may bring it.
    async fn explain(&self, pair: &mut Pair, approved: &Approved) -> Result<()> {
        let version = &approved.version.id;
        let ledger = &self.flow.environment.ledger;
        let told = events(ledger, PublishFinals::NAME, &pair.asset, approved.at).await?;
        let of_version = told
            .iter()
            .find(|event| event.detail.get("version").is_some_and(|told| told == version.as_str()));
        pair.account = account(of_version, &EXPLAINED);
        pair.if_missing = Some(self.again(&approved.asset, version)?);
        Ok(())
    }

    /// Lets the flow look at a version and do what its rules say. One message a day.
    fn again(&self, of: &Asset, version: &VersionId) -> Result<Again> {
        let object = ("assets", of.id.as_str());
        let context = &self.flow.environment.context;
        look_again(PublishFinals::NAME, context, object, Some(version.as_str()), None)
    }
}
