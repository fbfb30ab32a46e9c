//! The two sides of `publish-approved`: what Content Server says is to be published, and what is: copies in the
//! distribution bucket, links in the ledger, and what the publication category tells.
//!
//! Whatever differs is put right by one message that a document changed: the flow asks Content Server itself what is
//! approved, twice, before it publishes or withdraws anything. So no message of a comparison can publish what is not
//! approved or withdraw what is; and what it withdraws it can publish again, as nothing of the document is lost.

use std::cmp::max;

use jiff::Timestamp;
use shared::{
    audit::EventType,
    content_server::{ChildFilter, NOT_ACCESSIBLE, NOT_FOUND, Node, NodeId, kind},
    environment::Environment,
    error::{Error, FailureClass, Result},
    flow::Flow,
    ledger::Ending,
    reconcile::{Account, Again, Eventual, Facts, Listed, Look, Page, Pair, Scope, Seen, Side, Sides, Words},
    transfer::{S3Object, hash_body},
};

use super::{
    PublishApproved,
    approval::Noting,
    asset,
    copies::{Copy, KEY_TAKEN, Place, Said},
    standing::{Content, Offer, Standing, Unit},
};
use crate::{
    sides::{ListedVersion, Walk, list_versions, listed_node, look_again, roots},
    version_copy::version_source,
};

/// What both sides say where links are as they should be.
const LINKED: &str = "each audience has the link that the category tells";

/// The sides.
struct PublishSides {
    flow: PublishApproved,
    walk: Walk,
}

/// Makes the sides from the flow's own configuration.
pub(crate) fn connect<'a>(
    environment: &'a Environment,
    _: &'a Scope,
) -> Eventual<'a, Result<Box<dyn Sides>>> {
    Box::pin(async move {
        let flow = PublishApproved::new(environment).await?;
        Ok(Box::new(PublishSides { flow, walk: Walk::default() }) as Box<dyn Sides>)
    })
}

impl Sides for PublishSides {
    fn words(&self) -> Words {
        Words {
            source: "approved versions and packages that a rule publishes".into(),
            target: format!("copies in {}, with their links", self.flow.bucket()),
            missing: "put right what the report says of it (a key that something else has, a bucket without versions), \
                      then send its change again"
                .into(),
            different: "compare the document in Content Server with its copy: its bytes are others than those that were \
                        published"
                .into(),
            extra: "decide whether it is still wanted; the flow removes only what says that it is the flow's".into(),
        }
    }

    fn list(&self, side: Side, cursor: Option<String>) -> Eventual<'_, Result<Page>> {
        Box::pin(async move {
            match side {
                Side::Source => {
                    let containers = self.flow.rules.rules.iter().map(|rule| rule.within.as_ref());
                    let roots = roots(&self.flow.content_server, &self.flow.places, containers).await?;
                    self.walk.page(&self.flow.content_server, &roots, cursor.as_deref()).await
                }
                Side::Target => {
                    let bucket = [self.flow.bucket().to_owned()];
                    list_versions(&self.flow.s3, &bucket, cursor.as_deref()).await
                }
            }
        })
    }

    fn look<'a>(&'a self, side: Side, listed: &'a Listed, look: Look) -> Eventual<'a, Result<Vec<Pair>>> {
        Box::pin(async move {
            match side {
                Side::Source => self.document(listed_node(listed)?, look).await,
                Side::Target => Ok(self.object(listed).await?.into_iter().collect()),
            }
        })
    }
}

impl PublishSides {
    async fn node(&self, node: NodeId) -> Result<Option<Node>> {
        match self.flow.content_server.get_node(node).await {
            Ok(node) => Ok(Some(node)),
            Err(error) if matches!(error.code(), NOT_ACCESSIBLE | NOT_FOUND) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// A document by itself, or the package it speaks for.
    async fn document(&self, node: NodeId, look: Look) -> Result<Vec<Pair>> {
        let Some(node) = self.node(node).await? else { return Ok(Vec::new()) };
        let alone = Unit::Document(node.id);
        let rule = self.flow.select(&node).await?;
        if rule.is_none_or(|rule| rule.package.is_none()) {
            let pair = match self.flow.standing(&alone, Noting::Nothing).await? {
                Standing::Offered(offer) => Some(self.offered(&alone, &node, &offer, look).await?),
                Standing::Withheld(why) => self.left_over(&alone, &node, why.code).await?,
            };
            return Ok(pair.into_iter().collect());
        }
        let mut pairs: Vec<Pair> =
            self.left_over(&alone, &node, "publish.in-package").await?.into_iter().collect();
        if let Some(package) = self.flow.package_now(node.id, Noting::Nothing).await?
            && self.speaks_for(&node, &package).await?
            && let Standing::Offered(offer) = self.flow.standing(&package, Noting::Nothing).await?
        {
            pairs.push(self.offered(&package, &node, &offer, look).await?);
        }
        Ok(pairs)
    }

    /// Whether a document is the first of its package: a package is compared once.
    async fn speaks_for(&self, node: &Node, package: &Unit) -> Result<bool> {
        let filter = ChildFilter { name: None, kinds: vec![kind::DOCUMENT] };
        let children = self.flow.content_server.list_children(node.parent, filter).all().await?;
        let mut before: Vec<NodeId> =
            children.iter().map(|child| child.id).filter(|id| *id < node.id).collect();
        before.sort_unstable();
        for other in before {
            if self.flow.package_now(other, Noting::Nothing).await?.as_ref() == Some(package) {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// What is to be published, and what is.
    async fn offered(&self, unit: &Unit, node: &Node, offer: &Offer<'_>, look: Look) -> Result<Pair> {
        let mut pair = Pair::new(unit.name(), &offer.file_name, asset(unit.node()));
        pair.changed = changed(node, offer);
        let again = self.again(node.id)?;
        let words = words_of(offer);
        let mut source = Facts { version: Some(words.clone()), ..Facts::default() };
        if let Content::Version(version) = &offer.content {
            source.size = version.file_size;
        }
        let head = S3Object::head(&self.flow.s3, self.flow.bucket(), &offer.key, None, None).await;
        let object = match head {
            Ok(object) => Some(object),
            Err(error) if error.class() == FailureClass::Gone => None,
            Err(error) => return Err(error),
        };
        let place = match &object {
            Some(object) => self.flow.place(unit, offer, object).await,
            None => Ok(Place::Free),
        };
        let (object, place) = match (object, place) {
            (Some(object), Ok(place)) => (object, place),
            (_, Err(error)) if error.code() == KEY_TAKEN => {
                pair.note = Some(format!("The key {:?} holds something else.", offer.key));
                pair.account = self.account(node.id).await?;
                pair.source = Seen::There(source);
                return Ok(pair);
            }
            (_, Err(error)) => return Err(error),
            (None, Ok(_)) => {
                pair.if_missing = Some(again);
                pair.account = self.account(node.id).await?;
                pair.source = Seen::There(source);
                return Ok(pair);
            }
        };
        pair.changed = max(pair.changed, object.last_modified);
        let said = Said::by(&object);
        let is_of_it = said.fingerprint == offer.fingerprint();
        let mut target = Facts {
            size: source.size.map(|_| object.size),
            version: Some(if is_of_it { words } else { "of another version, or under another name".into() }),
            crc64_nvme: object.checksum_crc64_nvme.clone(),
            ..Facts::default()
        };
        source.crc64_nvme = Some(said.crc64_nvme.to_owned()).filter(|text| !text.is_empty());
        let mut as_it_should_be = false;
        if let Place::Holds(copy) = &place {
            source.sha256 = Some(copy.sha256.clone());
            target.sha256 = Some(copy.sha256.clone());
            as_it_should_be = self.compare_notes(unit, offer, copy, (&mut source, &mut target)).await?;
            if look.deep {
                self.read_both((unit, offer), &object, (&mut source, &mut target)).await?;
            }
        } else if is_of_it {
            source.state = Some("holds what was put there".into());
            target.state = Some("holds other bytes, or was never verified".into());
        }
        // Where everything but the bytes is as it should be, the flow would find nothing to do.
        pair.if_different = Some(again).filter(|_| !as_it_should_be);
        (pair.source, pair.target) = (Seen::There(source), Seen::There(target));
        Ok(pair)
    }

    /// What the category tells and where links lead, against the copy. Says whether all of it is right.
    async fn compare_notes(
        &self,
        unit: &Unit,
        offer: &Offer<'_>,
        copy: &Copy,
        (source, target): (&mut Facts, &mut Facts),
    ) -> Result<bool> {
        let told = self.flow.told(unit.node()).await?;
        if let Some((said, due)) = self.flow.words(&told, offer, copy) {
            source.metadata = Some(said);
            target.metadata = Some(due);
        }
        let amiss = self.flow.amiss(unit, offer, copy, &told).await?;
        source.state = Some(LINKED.into());
        target.state = Some(amiss.unwrap_or_else(|| LINKED.into()));
        Ok(source.state == target.state && source.metadata == target.metadata)
    }

    /// Reads a document and its copy; of a package the copy, against the hash it had when it was made.
    async fn read_both(
        &self,
        (unit, offer): (&Unit, &Offer<'_>),
        object: &S3Object,
        (source, target): (&mut Facts, &mut Facts),
    ) -> Result<()> {
        if let (Content::Version(version), Unit::Document(node)) = (&offer.content, unit) {
            let content = version_source(&self.flow.content_server, *node, version).await?;
            let body = content.open(0, content.length()).await?;
            source.sha256 = Some(hash_body(body, Some(content.length())).await?.sha256);
        }
        let body = object.open(&self.flow.s3, None).await?;
        target.sha256 = Some(hash_body(body, Some(object.size)).await?.sha256);
        Ok(())
    }

    /// What is left of a publication that is not to be: open links, or a category that says it is published. Copies are
    /// told of by the other side's listing.
    async fn left_over(&self, unit: &Unit, node: &Node, why: &str) -> Result<Option<Pair>> {
        let links = self.flow.remembered("links", unit).await?;
        if links.is_empty() && self.flow.remembered("copies", unit).await?.is_empty() {
            return Ok(None);
        }
        let open = self.flow.open_links(unit, &[]).await?;
        let says = self.flow.says_published(&self.flow.told(unit.node()).await?);
        if (open == 0 && !says) || self.flow.has_copies(unit).await? {
            return Ok(None);
        }
        let mut pair = Pair::new(unit.name(), &node.name, asset(unit.node()));
        pair.changed = node.modified;
        if open == 0 && why == "publish.held" {
            pair.accounted = Some("a document on hold may refuse to be told that it was withdrawn".into());
        }
        pair.if_different = Some(self.again(node.id)?);
        let state = |state: String| Seen::There(Facts { state: Some(state), ..Facts::default() });
        pair.source = state(format!("not published: {why}"));
        pair.target =
            state(format!("{open} open links{}", if says { ", and told as published" } else { "" }));
        Ok(Some(pair))
    }

    /// A version of an object in the distribution bucket: whose it is, and whether it is to be there.
    async fn object(&self, listed: &Listed) -> Result<Option<Pair>> {
        let version: ListedVersion = serde_json::from_value(listed.facts.clone())
            .map_err(|error| Error::bug("look", "a listed version cannot be read").source(error))?;
        let id = version.version.as_deref();
        let head = S3Object::head(&self.flow.s3, &version.bucket, &version.key, id, None).await;
        let object = match head {
            Ok(object) => object,
            Err(error) if error.class() == FailureClass::Gone => return Ok(None),
            Err(error) => return Err(error),
        };
        let mut pair = Pair::new(&listed.key, &version.key, "");
        pair.changed = object.last_modified;
        pair.target = Seen::There(Facts { size: Some(object.size), ..Facts::default() });
        let name = Said::by(&object).unit.to_owned();
        let Some(unit) = self.unit_of(&name).await? else {
            pair.asset = shared::ledger::Key::of(&[&version.bucket, &version.key]).digest().to_owned();
            pair.note = Some("It does not say that this flow put it there, or of which publication.".into());
            return Ok(Some(pair));
        };
        pair.asset = asset(unit.node());
        let node = self.node(unit.node()).await?;
        match self.flow.standing(&unit, Noting::Nothing).await? {
            // The other side's listing tells of it.
            Standing::Offered(offer) if offer.key == version.key && version.latest => return Ok(None),
            Standing::Offered(_) => {
                pair.note =
                    Some("It is an older copy, or lies under a key that is not the copy's any more.".into());
            }
            Standing::Withheld(why) => {
                pair.note = Some(format!("Nothing is to be published: {}.", why.message))
            }
        }
        pair.changed = max(pair.changed, node.and_then(|node| node.modified));
        // What is under a key that the flow does not remember, it does not remove.
        if self.flow.remembered("copies", &unit).await?.contains(&version.key) {
            pair.if_extra = Some(self.again(unit.node())?);
        }
        Ok(Some(pair))
    }

    /// The publication of this name.
    async fn unit_of(&self, name: &str) -> Result<Option<Unit>> {
        if let Some(node) = name.strip_prefix("node-") {
            return Ok(node.parse().ok().map(|node| Unit::Document(NodeId(node))));
        }
        let container = name.strip_prefix("package-").and_then(|rest| rest.split('-').next());
        let Some(container) = container.and_then(|text| text.parse().ok()).map(NodeId) else {
            return Ok(None);
        };
        let known = self.flow.packages_known(container).await?;
        Ok(known.into_iter().find(|unit| unit.name() == name))
    }

    /// Whether a document's last item was put aside: then somebody knows that it is not published, and why.
    async fn account(&self, node: NodeId) -> Result<Account> {
        let chain = self.flow.environment.ledger.chain(&asset(node)).await?;
        let mut events = chain.iter().rev().map(|sealed| &sealed.event);
        let last = events.find(|event| {
            matches!(
                event.event_type,
                EventType::Ingestion | EventType::Accession | EventType::Quarantine | EventType::Transfer
            )
        });
        Ok(match last {
            Some(event) if event.event_type == EventType::Quarantine => {
                Account::Ended(Ending::Quarantined, event.detail.get("reason").cloned())
            }
            _ => Account::NotAsked,
        })
    }

    /// Tells the flow that a node changed: one message a day.
    fn again(&self, node: NodeId) -> Result<Again> {
        look_again(PublishApproved::NAME, &self.flow.environment.context, node, None)
    }
}

/// When what is to be published last changed, as far as it is known.
fn changed(node: &Node, offer: &Offer<'_>) -> Option<Timestamp> {
    let created = match &offer.content {
        Content::Version(version) => version.created,
        Content::Members(members) => members.iter().filter_map(|member| member.version.created).max(),
    };
    max(node.modified, created)
}

fn words_of(offer: &Offer<'_>) -> String {
    match &offer.content {
        Content::Version(version) => format!("version {} as {}", version.number, offer.file_name),
        Content::Members(members) => format!("{} documents as {}", members.len(), offer.file_name),
    }
}
