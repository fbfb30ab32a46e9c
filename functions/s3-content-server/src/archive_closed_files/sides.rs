//! The two sides of `archive-closed-files`: cases and records that are archived, or are to be, and bags in S3 with their
//! locks.

use std::collections::BTreeMap;

use aws_sdk_s3::types::ObjectLockLegalHoldStatus;
use jiff::Timestamp;
use serde_json::Value;
use shared::{
    aws::classify,
    bagit::{Algorithm, BAG_INFO, Bag, Problem, TAG_MANIFEST, tag_files},
    content_server::{NOT_ACCESSIBLE, NOT_FOUND, Node, NodeId},
    environment::Environment,
    error::{FailureClass, Result, System},
    flow::Flow,
    ledger::Key,
    reconcile::{Again, Eventual, Facts, Listed, Look, Page, Pair, Scope, Seen, Side, Sides, Words},
    transfer::{Digests, S3Object, hash_body},
};

use super::{
    ArchiveClosedFiles,
    category::{AVAILABLE, Archived},
    described::{Bags, in_case},
    layout::case_of,
    lock::retained_until,
    store,
};
use crate::sides::{Prefix, Walk, account, asset, list_objects, listed_node, look_again, roots};

/// The sides.
pub(crate) struct ArchiveSides {
    flow: ArchiveClosedFiles,
    walk: Walk,
    shelves: Vec<Prefix>,
}

/// Makes the sides from the flow's own configuration.
pub(crate) fn connect<'a>(
    environment: &'a Environment,
    _: &'a Scope,
) -> Eventual<'a, Result<Box<dyn Sides>>> {
    Box::pin(async move {
        let flow = ArchiveClosedFiles::open(environment).await?;
        let shelf = |rule| Prefix { bucket: flow.bucket(rule).to_owned(), prefix: rule.prefix.clone() };
        let mut shelves: Vec<Prefix> = flow.rules.rules.iter().map(shelf).collect();
        shelves.sort();
        shelves.dedup();
        Ok(Box::new(ArchiveSides { flow, walk: Walk::with_containers(), shelves }) as Box<dyn Sides>)
    })
}

impl Sides for ArchiveSides {
    fn words(&self) -> Words {
        let places: Vec<String> =
            self.shelves.iter().map(|shelf| format!("s3://{}/{}", shelf.bucket, shelf.prefix)).collect();
        Words {
            source: "cases and records that are archived, or are to be".into(),
            target: format!("bags in {}", places.join(", ")),
            missing: "look for delete markers over the objects of the bag and remove them: Object Lock keeps the \
                      versions below"
                .into(),
            different: "do not reduce anything: find out what changed the bag, and bring the earlier versions of its \
                        objects back"
                .into(),
            extra: "decide whether the bag is still wanted; nothing deletes it by itself".into(),
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
                Side::Target => list_objects(&self.flow.s3, &self.shelves, cursor.as_deref()).await,
            }
        })
    }

    fn look<'a>(&'a self, side: Side, listed: &'a Listed, look: Look) -> Eventual<'a, Result<Vec<Pair>>> {
        Box::pin(async move {
            let found = match side {
                Side::Source => Box::pin(self.case(listed_node(listed)?, look)).await?,
                Side::Target => {
                    let text =
                        |name: &str| listed.facts.get(name).and_then(Value::as_str).unwrap_or_default();
                    Box::pin(self.object(text("bucket"), text("key"))).await?
                }
            };
            Ok(found.into_iter().collect())
        })
    }
}

/// What is to be seen of a bag.
struct Bagged {
    facts: Facts,
    note: Option<String>,
    locks: Locks,
}

/// The weakest locks of a bag's objects.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Locks {
    /// Whether all of them are held, or none; nothing when some are.
    held: Option<bool>,
    /// Until when all of them are retained.
    until: Option<Timestamp>,
}

impl ArchiveSides {
    /// A case or record: its bag when it is archived, or that it should have one.
    async fn case(&self, node: NodeId, look: Look) -> Result<Option<Pair>> {
        let node = match self.flow.content_server.get_node(node).await {
            Ok(node) => node,
            Err(error) if matches!(error.code(), NOT_ACCESSIBLE | NOT_FOUND) => return Ok(None),
            Err(error) => return Err(error),
        };
        let archived = self.flow.archived(node.id).await?;
        let rule = match self.flow.rule_for(&node).await? {
            Some(rule) if self.flow.is_closed(node.id, rule).await? => Some(rule),
            _ => None,
        };
        // What an open case holds now is nobody's business; what its bag says is.
        let now = match rule {
            Some(rule) => Some(self.flow.plan_now(&node, rule.versions).await?),
            None => None,
        };
        let Some(archived) = archived else {
            let Some(plan) = now else { return Ok(None) };
            let mut pair = pair(&node);
            pair.source = Seen::There(Facts { version: Some(plan.revision()), ..Facts::default() });
            pair.changed = node.modified;
            pair.note = Some("It is closed, and does not say where its bag is.".into());
            if plan.documents.is_empty() {
                pair.accounted = Some("there are no documents in it".into());
            }
            pair.account = account(&self.flow.environment.ledger, &pair.asset).await?;
            pair.if_missing = Some(self.again(node.id, "archive")?);
            return Ok(Some(pair));
        };
        let (bucket, prefix) = archived.place()?;
        let mut pair = pair(&node);
        pair.changed = node.modified;
        let bags = self.flow.bags(bucket, in_case(&archived, prefix), &archived).await?;
        let wanted = self.wanted_locks(node.id, &bags).await?;
        let revision = now.filter(|plan| !plan.documents.is_empty()).map(|plan| plan.revision());
        let mut source = Facts {
            sha256: Some(archived.manifest_sha256.clone()),
            version: Some(revision.unwrap_or_else(|| archived.revision.clone())),
            metadata: Some(VALID.to_owned()),
            ..Facts::default()
        };
        match self.bag(&archived, look).await? {
            Some(bag) => {
                let as_wanted = bag.locks.until >= wanted.until && bag.locks.held == wanted.held;
                let seen = if as_wanted { wanted } else { bag.locks };
                let is_over = self.flow.is_over(&archived).await?;
                let is_out = archived.state == AVAILABLE;
                source.state = Some(words_of(wanted, is_out));
                let facts = Facts { state: Some(words_of(seen, is_out && !is_over)), ..bag.facts };
                // A bag that is not what it was is a person's business, whatever else there is to be done.
                let is_sound = facts.sha256 == source.sha256 && facts.metadata == source.metadata;
                // Locks are only ever extended, and another state of the case gets a bag of its own.
                let request = if facts.version == source.version { "mirror-holds" } else { "archive" };
                if is_sound {
                    pair.if_different = Some(self.again(node.id, request)?);
                }
                pair.note = bag.note;
                pair.target = Seen::There(facts);
            }
            None => pair.note = Some(format!("There is nothing at {}.", archived.location)),
        }
        pair.source = Seen::There(source);
        Ok(Some(pair))
    }

    /// How a bag has to be locked by what Content Server says now.
    async fn wanted_locks(&self, case: NodeId, bags: &Bags) -> Result<Locks> {
        let mut held = self.flow.is_held_from_above(case).await?;
        for node in &bags.nodes {
            if held {
                break;
            }
            held = self.flow.is_held(NodeId(*node)).await?;
        }
        let mut until = None;
        if let Some(current) = &bags.current
            && let Some((rule, from)) = self.flow.retention_of(current)
        {
            for node in [case.0].into_iter().chain(current.documents.iter().copied()) {
                until = until.max(self.flow.end_of(rule, NodeId(node), from).await?);
            }
        }
        // What has ended needs no lock any more.
        let until = until.filter(|until| *until > self.flow.environment.context.now());
        Ok(Locks { held: Some(held), until })
    }

    /// The bag at the place that a case names; nothing when there is nothing.
    async fn bag(&self, archived: &Archived, look: Look) -> Result<Option<Bagged>> {
        let (bucket, prefix) = archived.place()?;
        let listed = self.flow.list(bucket, prefix).await?;
        if listed.is_empty() {
            return Ok(None);
        }
        let sizes: BTreeMap<String, u64> =
            listed.iter().map(|(path, object)| (path.clone(), object.size)).collect();
        let mut tags = BTreeMap::new();
        for name in tag_files(sizes.keys().map(String::as_str)) {
            if let Some(bytes) = self.flow.get(bucket, &format!("{prefix}{name}")).await? {
                tags.insert(name.to_owned(), bytes);
            }
        }
        let opened = Bag::open(&sizes, &tags);
        let mut problem = opened.as_ref().err().and_then(|problems| problems.first().cloned());
        let mut note = None;
        let mut locks: Option<Locks> = None;
        for (path, object) in &listed {
            let key = format!("{prefix}{path}");
            let this = self.locks_of(bucket, &key).await?;
            let Some(this) = this else { continue };
            locks = Some(locks.map_or(this, |all| all.weakest(this)));
            let Ok(bag) = &opened else { continue };
            let expected = bag.checksum(path, Algorithm::Sha256);
            if let (Some(expected), None) = (expected, &problem) {
                problem = self.content(bucket, &key, (path, object, expected), look, &mut note).await?;
            }
        }
        let revision = prefix.trim_end_matches('/').rsplit('/').next().unwrap_or_default();
        Ok(Some(Bagged {
            facts: Facts {
                sha256: tags.get(TAG_MANIFEST).map(|bytes| Digests::of(bytes).sha256),
                version: Some(revision.to_owned()),
                metadata: Some(problem.map_or_else(|| VALID.to_owned(), |problem| problem.to_string())),
                ..Facts::default()
            },
            note,
            locks: locks.unwrap_or(Locks { held: Some(false), until: None }),
        }))
    }

    /// The locks of an object; nothing when it went meanwhile.
    async fn locks_of(&self, bucket: &str, key: &str) -> Result<Option<Locks>> {
        let head = self.flow.s3.head_object().bucket(bucket).key(key).send().await;
        let head = match head.map_err(|error| classify(System::S3, "look at a lock", error)) {
            Ok(head) => head,
            Err(error) if error.class() == FailureClass::Gone => return Ok(None),
            Err(error) => return Err(error),
        };
        let held = head.object_lock_legal_hold_status() == Some(&ObjectLockLegalHoldStatus::On);
        Ok(Some(Locks { held: Some(held), until: retained_until(&head) }))
    }

    /// What is wrong with the content of a file of a bag, by S3's own checksum; or, looked at closely, by reading it.
    async fn content(
        &self,
        bucket: &str,
        key: &str,
        (path, listed, expected): (&str, &store::Listed, &str),
        look: Look,
        note: &mut Option<String>,
    ) -> Result<Option<Problem>> {
        let object = S3Object::head(&self.flow.s3, bucket, key, None, None).await?;
        let mut sha256 = object.checksum_sha256.clone();
        if look.deep {
            if listed.is_away() {
                *note = Some("Files in an archive class were not read.".into());
            } else {
                let body = object.open(&self.flow.s3, None).await?;
                sha256 = Some(hash_body(body, Some(object.size)).await?.sha256);
            }
        }
        let wrong = sha256.is_some_and(|sha256| sha256 != expected);
        Ok(wrong.then(|| Problem {
            code: "bag.checksum",
            path: path.to_owned(),
            message: "its sha256 is not the one in the manifest".to_owned(),
        }))
    }

    /// An object in the place of bags: whose it is. A bag is told once, by its `bag-info.txt`.
    async fn object(&self, bucket: &str, key: &str) -> Result<Option<Pair>> {
        let Some(shelf) =
            self.shelves.iter().find(|shelf| shelf.bucket == bucket && key.starts_with(&shelf.prefix))
        else {
            return Ok(None);
        };
        let object = match S3Object::head(&self.flow.s3, bucket, key, None, None).await {
            Ok(object) => object,
            Err(error) if error.class() == FailureClass::Gone => return Ok(None),
            Err(error) => return Err(error),
        };
        let name = key.rsplit('/').next().unwrap_or(key);
        let mut found = Pair::new(format!("s3://{bucket}/{key}"), name, Key::of(&[bucket, key]).digest());
        found.changed = object.last_modified;
        found.target = Seen::There(Facts { size: Some(object.size), ..Facts::default() });
        let (Some(case), Some((prefix, path))) = (case_of(&shelf.prefix, key), in_bag(&shelf.prefix, key))
        else {
            found.note = Some("Its key is none that this flow writes.".into());
            return Ok(Some(found));
        };
        if path != BAG_INFO {
            let info = self.flow.list(bucket, &format!("{prefix}{BAG_INFO}")).await?;
            if !info.is_empty() {
                return Ok(None);
            }
            found.note = Some("It is not in a bag: there is no bag-info.txt beside it.".into());
        }
        found.asset = asset(NodeId(case));
        let node = match self.flow.content_server.get_node(NodeId(case)).await {
            Ok(node) => node,
            Err(error) if matches!(error.code(), NOT_ACCESSIBLE | NOT_FOUND) => {
                found.note = Some(format!(
                    "Node {case} was deleted in Content Server, or the service user may not see it."
                ));
                return Ok(Some(found));
            }
            Err(error) => return Err(error),
        };
        found.name.clone_from(&node.name);
        let location = format!("s3://{bucket}/{prefix}");
        match self.flow.archived(node.id).await? {
            // The other side tells of it.
            Some(archived) if archived.location == location => return Ok(None),
            Some(archived) if path == BAG_INFO && archived.place()?.0 == bucket => {
                found.accounted = Some("a later bag of the case stands for it".into());
            }
            _ if path == BAG_INFO => {
                found.note = Some("The case does not say that this is its bag.".into());
            }
            _ => {}
        }
        Ok(Some(found))
    }

    /// Lets the flow look at a case and do what its rules say. One request a day.
    fn again(&self, node: NodeId, request: &str) -> Result<Again> {
        look_again(ArchiveClosedFiles::NAME, &self.flow.environment.context, node, Some(request))
    }
}

/// How a bag is called that has no fault.
const VALID: &str = "a valid bag";

impl Locks {
    fn weakest(self, other: Self) -> Self {
        Self { held: self.held.filter(|held| other.held == Some(*held)), until: self.until.min(other.until) }
    }
}

fn words_of(locks: Locks, is_out: bool) -> String {
    let held = match locks.held {
        Some(true) => "legal hold on",
        Some(false) => "legal hold off",
        None => "legal hold on a part of it",
    };
    let until =
        locks.until.map_or_else(|| "not retained".to_owned(), |until| format!("retained until {until}"));
    format!("{held}, {until}{}", if is_out { ", available" } else { "" })
}

fn pair(node: &Node) -> Pair {
    Pair::new(format!("node {}", node.id), &node.name, asset(node.id))
}

/// The beginning of the keys of the bag that an object is in, and its path there.
fn in_bag<'a>(shelf: &str, key: &'a str) -> Option<(&'a str, &'a str)> {
    let rest = key.strip_prefix(shelf)?;
    let (case, rest) = rest.split_once('/')?;
    let (revision, path) = rest.split_once('/')?;
    let is_revision = revision.len() == 16 && revision.bytes().all(|letter| letter.is_ascii_hexdigit());
    let at = key.len() - path.len();
    (case.parse::<i64>().is_ok() && is_revision && !path.is_empty()).then(|| key.split_at(at))
}
