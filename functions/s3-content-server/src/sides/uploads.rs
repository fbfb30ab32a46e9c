//! The two sides of a flow that makes documents of uploads: the uploads in its buckets, by the rules that take them, and
//! the documents and versions that were made of them.
//!
//! What became of an upload is in its record, and after the record's time in the audit chain of its asset, which does
//! not end. Without either it was never dealt with. Documents that no upload stands behind any more are none of this
//! comparison's business: sources may be moved and deleted, by rule and by people.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde_json::Value;
use shared::{
    audit::{self, AuditEvent, EventType},
    content_server::{Client, NOT_ACCESSIBLE, NOT_FOUND, NodeId, Version},
    environment::Environment,
    error::{Error, FailureClass, Result},
    filing::Mark,
    flow::{Flow, Item},
    ledger::Ending,
    reconcile::{
        Account, Action, Again, Eventual, Facts, Listed, Look, Page, Pair, Scope, Seen, Side, Sides, Words,
    },
    s3_notification::{ObjectEvent, ObjectKey},
    transfer::{S3Object, hash_body},
};

use super::{ListedVersion, list_versions};

/// The reason S3 never gives for the creation of an object: a comparison found that the flow never got its event.
const AGAIN: &str = "Reconcile";

/// A flow that makes documents of uploads.
pub(crate) trait TakesUploads: Flow {
    /// What it makes, in the words of reports.
    const MADE: &'static str;

    /// The item of an upload.
    fn item_of(&self, upload: &ObjectEvent) -> Item;

    /// Whether its rules have anything to do with an upload.
    fn is_ours(&self, upload: &ObjectEvent) -> bool;

    /// Whether what a rule makes only says where the content is.
    fn is_reference(&self, rule: &str) -> bool {
        let _ = rule;
        false
    }

    /// Where it makes it.
    fn target(&self) -> &Client;

    /// What its rules map of an upload, and what the document holds of that; nothing where that is not compared.
    fn mapped<'a>(
        &'a self,
        _upload: &'a ObjectEvent,
        _object: &'a S3Object,
        _node: NodeId,
    ) -> Eventual<'a, Result<Option<OnBothSides>>> {
        Box::pin(async { Ok(None) })
    }
}

/// Fingerprints of mapped values by the names of their fields, on both sides.
#[derive(Debug, Default)]
pub(crate) struct OnBothSides {
    source: BTreeMap<String, String>,
    target: BTreeMap<String, String>,
}

impl OnBothSides {
    pub(crate) fn put(&mut self, field: String, source: String, target: String) {
        self.source.insert(field.clone(), source);
        self.target.insert(field, target);
    }
}

/// Whether the event of an upload that was lost, and is sent again without its place among those of its key, comes too
/// late: only the upload that is read without naming a version can be taken for the last one.
pub(crate) async fn is_overtaken(s3: &aws_sdk_s3::Client, event: &ObjectEvent) -> Result<bool> {
    if event.name != format!("ObjectCreated:{AGAIN}") {
        return Ok(false);
    }
    match S3Object::head(s3, &event.bucket, event.key.as_str(), None, None).await {
        Ok(current) => Ok(current.version_id != event.version_id),
        Err(error) if error.class() == FailureClass::Gone => Ok(true),
        Err(error) => Err(error),
    }
}

/// The sides.
struct UploadSides<F> {
    flow: F,
    environment: Environment,
    buckets: Vec<String>,
}

/// Makes the sides from the flow's own configuration.
pub(crate) fn connect<'a, F: TakesUploads>(
    environment: &'a Environment,
    scope: &'a Scope,
) -> Eventual<'a, Result<Box<dyn Sides>>> {
    Box::pin(async move {
        if scope.buckets.is_empty() {
            return Err(Error::configuration("reconcile.no-bucket", "no intake bucket is named")
                .remedy("name the flow's intake buckets as `buckets`"));
        }
        let flow = F::connect(environment).await?;
        let (environment, buckets) = (environment.clone(), scope.buckets.clone());
        Ok(Box::new(UploadSides { flow, environment, buckets }) as Box<dyn Sides>)
    })
}

/// A document or version that was made of an upload.
struct Made {
    node: i64,
    version: i64,
    sha256: Option<String>,
    size: Option<u64>,
    /// The rule that took it.
    rule: String,
}

/// What is known of what became of an upload.
struct Told {
    account: Account,
    made: Option<Made>,
    /// Whether its rule left the service user no right to see it.
    unseen: bool,
}

impl<F: TakesUploads> Sides for UploadSides<F> {
    fn words(&self) -> Words {
        Words {
            source: format!("uploads in {}", self.buckets.join(", ")),
            target: F::MADE.into(),
            missing: "somebody or something removed the document after it was delivered: if that was a mistake, restore \
                      it from Content Server's recycle bin, or upload the object again"
                .into(),
            different: "find out who changed which side; upload the object again to make it the newest version".into(),
            extra: "none".into(),
        }
    }

    fn list(&self, side: Side, cursor: Option<String>) -> Eventual<'_, Result<Page>> {
        Box::pin(async move {
            match side {
                Side::Source => {
                    let mut page =
                        list_versions(&self.environment.s3, &self.buckets, cursor.as_deref()).await?;
                    page.items.retain(|listed| self.is_ours(listed));
                    Ok(page)
                }
                Side::Target => Ok(Page::default()),
            }
        })
    }

    fn look<'a>(&'a self, _: Side, listed: &'a Listed, look: Look) -> Eventual<'a, Result<Vec<Pair>>> {
        Box::pin(async move {
            let version = read(listed)?;
            Ok(vec![self.pair(&listed.key, &version, look).await?])
        })
    }
}

impl<F: TakesUploads> UploadSides<F> {
    /// Whether the flow's rules have anything to do with an object.
    fn is_ours(&self, listed: &Listed) -> bool {
        let Ok(version) = read(listed) else { return true };
        let Ok(event) = event(&version) else { return false };
        self.flow.is_ours(&event)
    }

    async fn pair(&self, key: &str, version: &ListedVersion, look: Look) -> Result<Pair> {
        let event = event(version)?;
        let item = self.flow.item_of(&event);
        let mut pair = Pair::new(key, &item.asset_text, &item.asset);
        let (id, etag) = (version.version.as_deref(), version.etag.as_deref());
        let head = S3Object::head(&self.environment.s3, &version.bucket, &version.key, id, etag).await;
        let object = match head {
            Ok(object) => object,
            // Moved, deleted or replaced since it was listed.
            Err(error) if error.class() == FailureClass::Gone => return Ok(pair),
            Err(error) => return Err(error),
        };
        pair.changed = object.last_modified;
        let mut source =
            Facts { size: Some(object.size), sha256: object.checksum_sha256.clone(), ..Facts::default() };
        let told = self.told(&item, version, object.last_modified).await?;
        pair.account = told.account;
        if let Some(made) = told.made {
            let deep = look.deep && source.sha256.is_none();
            if deep {
                source.sha256 = Some(
                    hash_body(object.open(&self.environment.s3, None).await?, Some(object.size))
                        .await?
                        .sha256,
                );
            }
            let described = self.find(&made, &item, look, told.unseen, &mut pair).await?;
            if let Some(node) = described.filter(|_| version.latest)
                && let Seen::There(target) = &mut pair.target
                && let Some(both) = self.flow.mapped(&event, &object, node).await?
            {
                source.mapped = Some(both.source);
                target.mapped = Some(both.target);
            }
            if matches!(pair.target, Seen::There(_)) && made.size.is_some() && version.version.is_none() {
                pair.note = Some(
                    "The bucket keeps no versions: an upload of the same key and size may have taken \
                                  this one's place."
                        .into(),
                );
            }
        } else if matches!(pair.account, Account::Nothing | Account::UnderWay(_)) {
            pair.if_missing = self.again(version, &mut pair.note);
        }
        pair.source = Seen::There(source);
        Ok(pair)
    }

    /// What became of an upload: by its record, or by the audit chain of its asset.
    async fn told(&self, item: &Item, version: &ListedVersion, modified: Option<Timestamp>) -> Result<Told> {
        let ledger = &self.environment.ledger;
        if version.version.is_some()
            && let Some(known) = ledger.known(F::NAME, &item.key).await?
        {
            let account = Account::of(Some(&known));
            let is_delivered = known.ending == Some(Ending::Delivered);
            let number = |name: &str| known.result.get(name).and_then(Value::as_i64);
            let made = match (is_delivered, number("node"), number("version")) {
                (true, Some(node), Some(version)) => Some(Made {
                    node,
                    version,
                    sha256: known.result.get("sha256").and_then(Value::as_str).map(str::to_owned),
                    size: known.result.get("bytes").and_then(Value::as_u64),
                    rule: known.result.get("rule").and_then(Value::as_str).unwrap_or_default().to_owned(),
                }),
                _ => None,
            };
            return Ok(Told { account, made, unseen: false });
        }
        let chain = ledger.chain(&item.asset).await?;
        let events = chain.iter().rev().map(|sealed| &sealed.event);
        let told = match version.version {
            Some(_) => events.into_iter().find(|event| event.item == item.key.digest()),
            // Without a version the item's identity does not follow from the object: what was told of the asset since
            // the object was written is told of this object.
            None => events.into_iter().find(|event| is_since(event, modified)),
        };
        Ok(match told {
            Some(event) => by_event(event),
            None => Told { account: Account::Nothing, made: None, unseen: false },
        })
    }

    /// Looks for what was made in Content Server. Gives the document back when this upload is the last that gave it its
    /// values.
    async fn find(
        &self,
        made: &Made,
        item: &Item,
        look: Look,
        unseen: bool,
        pair: &mut Pair,
    ) -> Result<Option<NodeId>> {
        let client = self.flow.target();
        let node = NodeId(made.node);
        let versions = match client.list_versions(node).await {
            Ok(versions) => versions,
            Err(error) if matches!(error.code(), NOT_ACCESSIBLE | NOT_FOUND) => {
                if unseen || self.was_left_unseen(item).await? {
                    pair.accounted = Some("the rights of its rule leave the service user none".into());
                }
                pair.note = Some(format!("Node {node} is not there, or the service user may not see it."));
                return Ok(None);
            }
            Err(error) => return Err(error),
        };
        let newest = versions.last().map(|version| version.number);
        let Some(version) = versions.iter().find(|version| version.number == made.version) else {
            pair.note = Some(format!("Node {node} is there, its version {} is not.", made.version));
            if newest.is_some_and(|newest| newest > made.version) {
                pair.accounted = Some("newer versions stand in its place".into());
            }
            return Ok(None);
        };
        if self.flow.is_reference(&made.rule) {
            pair.note = Some("The document only says where the object is.".into());
            pair.target = Seen::There(Facts::default());
            return Ok(None);
        }
        let is_marked = self.is_marked(node, version, item).await?;
        let mut facts = Facts { size: version.file_size, ..Facts::default() };
        if is_marked {
            // The hash of record: what was read back when it was delivered. Content Server never changes a version.
            facts.sha256.clone_from(&made.sha256);
        } else {
            facts.version = Some("not marked as made of this upload".into());
        }
        if look.deep {
            let download = client.download(node, Some(made.version)).await?;
            facts.sha256 = Some(hash_body(download.body, download.length).await?.sha256);
        }
        pair.target = Seen::There(facts);
        let is_last = !versions.iter().any(|other| other.number > made.version && is_of_an_upload(other));
        Ok(Some(node).filter(|_| is_marked && is_last))
    }

    /// Whether a version carries the mark of the item, as the flow leaves it.
    async fn is_marked(&self, node: NodeId, version: &Version, item: &Item) -> Result<bool> {
        let mark = Mark::of(item, None).to_string();
        let carries = |text: &str| text.contains(&mark);
        if version.external_identity.as_deref().is_some_and(carries) || carries(&version.description) {
            return Ok(true);
        }
        let identity = self.flow.target().get_node(node).await?.external.identity;
        Ok(identity.as_deref().is_some_and(carries))
    }

    async fn was_left_unseen(&self, item: &Item) -> Result<bool> {
        let chain = self.environment.ledger.chain(&item.asset).await?;
        Ok(chain.iter().any(|sealed| {
            sealed.event.item == item.key.digest() && sealed.event.detail.contains_key("rights")
        }))
    }

    /// The event the flow never got. Only the newest version of a key is sent again, and the flow looks once more
    /// whether it still is: an older one would come after its successor.
    fn again(&self, version: &ListedVersion, note: &mut Option<String>) -> Option<Again> {
        let Some(id) = &version.version else {
            *note = Some(
                "The bucket keeps no versions: which upload this is cannot be said, so it is not sent again. \
                 Upload it anew."
                    .into(),
            );
            return None;
        };
        if !version.latest {
            *note = Some("A newer version of the object is there: this one is not sent again.".into());
            return None;
        }
        let message = serde_json::json!({
            "detail-type": "Object Created",
            "source": "aws.s3",
            "detail": {
                "bucket": {"name": version.bucket},
                "object": {
                    "key": version.key, "version-id": id, "etag": version.etag, "size": version.size,
                },
                "reason": AGAIN,
            },
        });
        Some(Again { action: Action::Redeliver, message: message.to_string() })
    }
}

/// Whether a version was made of an upload: other flows add versions too, and leave the values alone.
fn is_of_an_upload(version: &Version) -> bool {
    let words = version.external_identity.as_deref().unwrap_or_default().split(':').collect::<Vec<_>>();
    matches!(words.as_slice(), ["waybill", asset, _, _] if !matches!(*asset, "pointer" | "recall"))
}

/// What an event of the asset's chain says.
fn by_event(event: &AuditEvent) -> Told {
    let number = |name: &str| event.detail.get(name).and_then(|text| text.parse::<i64>().ok());
    let reason = event.detail.get("reason").cloned();
    let ending = match (event.event_type, event.outcome) {
        (EventType::Ingestion, audit::Outcome::Success) => Ending::Delivered,
        (EventType::Quarantine, _) => Ending::Quarantined,
        (EventType::Accession, _) => Ending::Skipped,
        _ => Ending::Failed,
    };
    let made = match (ending, number("node"), number("version")) {
        (Ending::Delivered, Some(node), Some(version)) => Some(Made {
            node,
            version,
            sha256: event.message_digest.clone(),
            size: event.detail.get("size").and_then(|size| size.parse().ok()),
            rule: event.detail.get("rule").cloned().unwrap_or_default(),
        }),
        _ => None,
    };
    Told { account: Account::Ended(ending, reason), made, unseen: event.detail.contains_key("rights") }
}

/// Whether an event tells how an item ended after a moment.
fn is_since(event: &AuditEvent, moment: Option<Timestamp>) -> bool {
    let told = event.event_date_time.parse::<Timestamp>().ok();
    let is_ending = event.event_type != EventType::Validation;
    is_ending && told.zip(moment).is_some_and(|(told, moment)| told >= moment)
}

fn read(listed: &Listed) -> Result<ListedVersion> {
    serde_json::from_value(listed.facts.clone())
        .map_err(|error| Error::bug("look", "a listed version cannot be read").source(error))
}

/// The event of an upload, as far as a listing knows it.
fn event(version: &ListedVersion) -> Result<ObjectEvent> {
    Ok(ObjectEvent {
        name: format!("ObjectCreated:{AGAIN}"),
        bucket: version.bucket.clone(),
        key: ObjectKey::plain(&version.key)?,
        version_id: version.version.clone(),
        etag: version.etag.clone(),
        sequencer: None,
        size: Some(version.size),
        time: None,
    })
}
