//! The two sides of `export-for-analysis`: the documents that belong to data sets, with the markers of complete runs, and
//! the objects that the data sets remember, with the manifests that the markers vouch for.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
};

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::json;
use shared::{
    content_server::{NodeId, Search, Version},
    environment::Environment,
    error::{FailureClass, Result},
    flow::Flow,
    ledger::Key,
    reconcile::{Action, Again, Eventual, Facts, Listed, Look, Page, Pair, Scope, Seen, Side, Sides, Words},
    transfer::{S3Object, hash_body},
};

use super::{
    ExportForAnalysis, KIND, Mode,
    gate::{Bounds, Look as Gate, Seen as Document},
    manifest::{Marker, metadata},
    plan::Plan,
    remembered::Kept,
};
use crate::{
    export_rules::{DataSet, Find},
    sides::{Prefix, asset, list_objects, read_cursor, write_cursor},
};

/// Documents one page gives at most.
const PAGE: usize = 200;
/// A manifest up to this size is read and hashed in any case.
const READ_AT_MOST: u64 = 16 << 20;

/// The sides.
pub(crate) struct DataSetSides {
    flow: ExportForAnalysis,
    /// The documents of the data set at hand, so that it is not searched again for each page.
    at_hand: Mutex<Option<(usize, Arc<Vec<i64>>)>>,
    bounds: Mutex<BTreeMap<usize, Arc<Bounds>>>,
}

/// Where a listing goes on.
#[derive(Debug, Default, Serialize, Deserialize)]
struct Cursor {
    /// Which data set.
    at: usize,
    /// The last document of it.
    after: i64,
    /// Whether its documents are done, and its markers come.
    markers: bool,
    /// Where the listing of the markers goes on.
    key: Option<String>,
}

/// Something that is listed.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Thing {
    Document { at: usize, node: i64 },
    Marker { at: usize, key: String },
}

/// Makes the sides from the flow's own configuration.
pub(crate) fn connect<'a>(
    environment: &'a Environment,
    _: &'a Scope,
) -> Eventual<'a, Result<Box<dyn Sides>>> {
    Box::pin(async move {
        let flow = ExportForAnalysis::connect(environment).await?;
        let sides = DataSetSides { flow, at_hand: Mutex::default(), bounds: Mutex::default() };
        Ok(Box::new(sides) as Box<dyn Sides>)
    })
}

impl Sides for DataSetSides {
    fn words(&self) -> Words {
        Words {
            source: "documents that belong to a data set, or markers of its runs".into(),
            target: format!("objects of the data sets in s3://{}", self.flow.bucket()),
            missing:
                "restore the object, or its earlier version, in S3; or ask for a full run of the data set"
                    .into(),
            different: "use nothing of that run; restore the object's earlier version, or ask for a full run"
                .into(),
            extra: "ask for a full run of the data set, which withdraws it; remove what was made from it"
                .into(),
        }
    }

    fn list(&self, side: Side, cursor: Option<String>) -> Eventual<'_, Result<Page>> {
        Box::pin(async move {
            let cursor: Cursor = read_cursor(cursor.as_deref())?;
            match (side, cursor.markers) {
                (Side::Source, false) => self.documents_after(cursor).await,
                (Side::Source, true) => self.markers(cursor.at, cursor.key).await,
                (Side::Target, _) => self.remembered_after(cursor).await,
            }
        })
    }

    fn look<'a>(&'a self, side: Side, listed: &'a Listed, look: Look) -> Eventual<'a, Result<Vec<Pair>>> {
        Box::pin(async move {
            let Ok(thing) = serde_json::from_value(listed.facts.clone()) else { return Ok(Vec::new()) };
            match (side, thing) {
                (Side::Source, Thing::Document { at, node }) => self.document(at, NodeId(node), look).await,
                (Side::Source, Thing::Marker { at, key }) => self.marker(at, &key, look).await,
                (Side::Target, Thing::Document { at, node }) => self.remembered(at, NodeId(node)).await,
                (Side::Target, Thing::Marker { .. }) => Ok(Vec::new()),
            }
        })
    }
}

impl DataSetSides {
    fn data_set(&self, at: usize) -> Option<&DataSet> {
        self.flow.rules.data_sets.get(at)
    }

    fn listed(&self, at: usize, node: i64) -> Result<Listed> {
        let name = self.data_set(at).map_or("", |data_set| data_set.name.as_str());
        let facts = write_value(&Thing::Document { at, node })?;
        Ok(Listed { key: format!("node {node} of the data set {name}"), facts })
    }

    /// The documents that the data sets' rules find, data set by data set, each followed by the markers of its runs.
    async fn documents_after(&self, cursor: Cursor) -> Result<Page> {
        let Some(data_set) = self.data_set(cursor.at) else { return Ok(Page::default()) };
        let found = self.found(cursor.at, data_set).await?;
        let rest = found.get(found.partition_point(|node| *node <= cursor.after)..).unwrap_or_default();
        let page = rest.get(..PAGE.min(rest.len())).unwrap_or_default();
        let items = page.iter().map(|node| self.listed(cursor.at, *node)).collect::<Result<_>>()?;
        let next = match page.last() {
            Some(last) if rest.len() > page.len() => {
                Cursor { at: cursor.at, after: *last, ..Cursor::default() }
            }
            _ => Cursor { at: cursor.at, markers: true, ..Cursor::default() },
        };
        Ok(Page { items, next: Some(write_cursor(&next)?) })
    }

    async fn markers(&self, at: usize, cursor: Option<String>) -> Result<Page> {
        let Some(data_set) = self.data_set(at) else { return Ok(Page::default()) };
        let prefix = format!("{}/dt=", data_set.name);
        let place = Prefix { bucket: self.flow.bucket().to_owned(), prefix };
        let listed = list_objects(&self.flow.s3, &[place], cursor.as_deref()).await?;
        let keys = listed.items.iter().filter_map(|item| item.facts.get("key")?.as_str());
        let markers = keys.filter(|key| key.ends_with("/_SUCCESS")).map(|key| {
            let facts = write_value(&Thing::Marker { at, key: key.to_owned() })?;
            Ok(Listed { key: format!("s3://{}/{key}", self.flow.bucket()), facts })
        });
        let items = markers.collect::<Result<_>>()?;
        let next = match listed.next {
            Some(next) => Some(Cursor { at, after: 0, markers: true, key: Some(next) }),
            None => self.data_set(at + 1).map(|_| Cursor { at: at + 1, ..Cursor::default() }),
        };
        Ok(Page { items, next: next.map(|next| write_cursor(&next)).transpose()? })
    }

    /// The documents that the data sets remember.
    async fn remembered_after(&self, cursor: Cursor) -> Result<Page> {
        let Some(data_set) = self.data_set(cursor.at) else { return Ok(Page::default()) };
        let ledger = &self.flow.environment.ledger;
        let list =
            ledger.sightings_between(ExportForAnalysis::NAME, &data_set.name, cursor.after, i64::MAX, PAGE);
        let page = list.await?;
        let items = page.iter().map(|known| self.listed(cursor.at, known.id)).collect::<Result<_>>()?;
        let next = match page.last() {
            Some(last) if page.len() >= PAGE => {
                Some(Cursor { at: cursor.at, after: last.id, ..Cursor::default() })
            }
            _ => self.data_set(cursor.at + 1).map(|_| Cursor { at: cursor.at + 1, ..Cursor::default() }),
        };
        Ok(Page { items, next: next.map(|next| write_cursor(&next)).transpose()? })
    }

    /// Everything that a data set's rules find, as a full run finds it.
    async fn found(&self, at: usize, data_set: &DataSet) -> Result<Arc<Vec<i64>>> {
        let held = self.at_hand.lock().unwrap_or_else(PoisonError::into_inner).clone();
        if let Some((_, found)) = held.filter(|(held, _)| *held == at) {
            return Ok(found);
        }
        let bounds = self.bounds(at, data_set).await?;
        let plan = self.everything();
        let found = Arc::new(self.flow.find_all(data_set, &plan, &bounds).await?);
        *self.at_hand.lock().unwrap_or_else(PoisonError::into_inner) = Some((at, found.clone()));
        Ok(found)
    }

    fn everything(&self) -> Plan {
        let begun = self.flow.environment.context.now();
        Plan { run: String::new(), mode: Mode::Full, date: String::new(), begun, since: None, saved: None }
    }

    async fn bounds(&self, at: usize, data_set: &DataSet) -> Result<Arc<Bounds>> {
        let held = self.bounds.lock().unwrap_or_else(PoisonError::into_inner).get(&at).cloned();
        if let Some(bounds) = held {
            return Ok(bounds);
        }
        let bounds = Arc::new(self.flow.bounds(data_set).await?);
        self.bounds.lock().unwrap_or_else(PoisonError::into_inner).insert(at, bounds.clone());
        Ok(bounds)
    }

    /// A document that the rules find: each version that belongs to the data set, and its object.
    async fn document(&self, at: usize, node: NodeId, look: Look) -> Result<Vec<Pair>> {
        let Some(data_set) = self.data_set(at) else { return Ok(Vec::new()) };
        let bounds = self.bounds(at, data_set).await?;
        // What must not be in the data set is told on the other side, when it is.
        let Gate::In(seen) = self.flow.look(data_set, &bounds, node).await? else { return Ok(Vec::new()) };
        let Ok(versions) = self.flow.versions(data_set, node).await? else { return Ok(Vec::new()) };
        if versions.iter().any(|version| metadata(data_set, &seen, version).is_err()) {
            return Ok(Vec::new());
        }
        let facts = self.flow.recall(data_set, node.0).await?.unwrap_or_default();
        let mark = self.flow.environment.ledger.watermark(ExportForAnalysis::NAME, &data_set.name).await?;
        let mark: Option<Timestamp> = mark.and_then(|mark| mark.parse().ok());
        let mut pairs = Vec::with_capacity(versions.len());
        for version in &versions {
            let kept = facts.versions.get(&version.number);
            pairs.push(self.version(data_set, &seen, (version, kept, mark), look).await?);
        }
        Ok(pairs)
    }

    async fn version(
        &self,
        data_set: &DataSet,
        seen: &Document,
        (version, kept, mark): (&Version, Option<&Kept>, Option<Timestamp>),
        look: Look,
    ) -> Result<Pair> {
        let (node, number) = (seen.node.id, version.number);
        let key = format!("node {node} version {number} of the data set {}", data_set.name);
        let mut pair = Pair::new(key, &seen.node.name, asset(node));
        pair.changed = seen.node.modified.max(version.created);
        pair.if_missing = Some(self.again(data_set));
        pair.if_different = Some(self.again(data_set));
        let created = version.created.map(|created| created.to_string());
        let mut source =
            Facts { size: version.file_size, version: Some(words(created.as_deref())), ..Facts::default() };
        match kept {
            None if mark.is_none() => pair.accounted = Some("no run of the data set has ended yet".into()),
            // The watermark counts whole seconds.
            None if pair.changed.zip(mark).is_some_and(|(changed, mark)| is_behind(changed, mark)) => {
                pair.accounted = Some("it changed since the last run: the next one takes it".into());
            }
            None => pair.note = Some("The data set was never given this version.".into()),
            Some(kept) => {
                source.sha256 = Some(kept.stored.sha256.clone());
                if look.deep {
                    let download = self.flow.content_server.download(node, Some(number)).await?;
                    source.sha256 = Some(hash_body(download.body, download.length).await?.sha256);
                }
                match self.object(kept, look).await? {
                    Some(facts) => pair.target = Seen::There(facts),
                    None => pair.note = Some(format!("The object {} is not there.", kept.stored.uri())),
                }
            }
        }
        pair.source = Seen::There(source);
        Ok(pair)
    }

    /// What the object of a version is; nothing when it is not there.
    async fn object(&self, kept: &Kept, look: Look) -> Result<Option<Facts>> {
        let (s3, stored) = (&self.flow.s3, &kept.stored);
        let id = stored.version_id.as_deref();
        let object = match S3Object::head(s3, &stored.bucket, &stored.key, id, None).await {
            Ok(object) => object,
            Err(error) if error.class() == FailureClass::Gone => return Ok(None),
            Err(error) => return Err(error),
        };
        // The checksum proves the bytes to be those that were kept.
        let agrees = object.checksum_crc64_nvme.as_ref() == Some(&stored.crc64_nvme);
        let known = object.checksum_sha256.clone().or_else(|| agrees.then(|| stored.sha256.clone()));
        let sha256 = match known {
            Some(known) if !look.deep => known,
            _ => hash_body(object.open(s3, None).await?, Some(object.size)).await?.sha256,
        };
        Ok(Some(Facts {
            size: Some(object.size),
            sha256: Some(sha256),
            version: Some(words(kept.created.as_deref())),
            ..Facts::default()
        }))
    }

    /// The marker of a run, and the manifest it vouches for.
    async fn marker(&self, at: usize, key: &str, look: Look) -> Result<Vec<Pair>> {
        let Some(data_set) = self.data_set(at) else { return Ok(Vec::new()) };
        let (s3, bucket) = (&self.flow.s3, self.flow.bucket());
        let place = format!("s3://{bucket}/{key}");
        let mut pair = Pair::new(&place, key, Key::of(&["data-set", &data_set.name]).digest());
        let marker = match S3Object::head(s3, bucket, key, None, None).await {
            Ok(object) if object.size <= READ_AT_MOST => self.flow.read_result(&object, READ_AT_MOST).await?,
            Ok(_) => bytes::Bytes::new(),
            Err(error) if error.class() == FailureClass::Gone => return Ok(Vec::new()),
            Err(error) => return Err(error),
        };
        let Ok(marker) = serde_json::from_slice::<Marker>(&marker) else {
            pair.source = Seen::Unreadable(format!("{place} is no marker of a run"));
            return Ok(vec![pair]);
        };
        let named = &marker.manifest;
        pair.source = Seen::There(Facts {
            size: Some(named.size),
            sha256: Some(named.sha256.clone()),
            ..Facts::default()
        });
        match S3Object::head(s3, bucket, &named.key, None, None).await {
            Ok(object) => {
                let read = look.deep || object.size <= READ_AT_MOST;
                let sha256 = match &object.checksum_sha256 {
                    Some(sha256) if !look.deep => Some(sha256.clone()),
                    _ if read => {
                        Some(hash_body(object.open(s3, None).await?, Some(object.size)).await?.sha256)
                    }
                    _ => None,
                };
                pair.target = Seen::There(Facts { size: Some(object.size), sha256, ..Facts::default() });
            }
            Err(error) if error.class() == FailureClass::Gone => {
                pair.note = Some(format!("The manifest {} is not there.", named.key));
            }
            Err(error) => return Err(error),
        }
        Ok(vec![pair])
    }

    /// A document that a data set remembers: whether it may still be in it.
    async fn remembered(&self, at: usize, node: NodeId) -> Result<Vec<Pair>> {
        let Some(data_set) = self.data_set(at) else { return Ok(Vec::new()) };
        let facts = self.flow.recall(data_set, node.0).await?.unwrap_or_default();
        if facts.versions.is_empty() {
            return Ok(Vec::new());
        }
        let bounds = self.bounds(at, data_set).await?;
        let (why, changed) = match self.flow.look(data_set, &bounds, node).await? {
            Gate::Out(why) => (why, None),
            Gate::In(seen) if self.is_found(data_set, &bounds, node).await? => {
                return match metadata_fits(data_set, &seen, &self.flow.versions(data_set, node).await?) {
                    true => Ok(Vec::new()),
                    false => Ok(vec![self.extra(data_set, node, "excluded.metadata", seen.node.modified)]),
                };
            }
            Gate::In(seen) => ("excluded.not-selected", seen.node.modified),
        };
        Ok(vec![self.extra(data_set, node, why, changed)])
    }

    fn extra(&self, data_set: &DataSet, node: NodeId, why: &str, changed: Option<Timestamp>) -> Pair {
        let key = format!("node {node} of the data set {}", data_set.name);
        let mut pair = Pair::new(key, format!("node {node}"), asset(node));
        pair.target = Seen::There(Facts::default());
        pair.changed = changed;
        pair.note = Some(format!("Its versions must not be used any more: {why}."));
        pair.if_extra = Some(self.again(data_set));
        pair
    }

    /// Whether a data set's query finds a document that may be in it.
    async fn is_found(&self, data_set: &DataSet, bounds: &Bounds, node: NodeId) -> Result<bool> {
        if data_set.find == Find::Walk || data_set.query.is_none() {
            return Ok(true);
        }
        let query = self.flow.query(data_set, &self.everything(), node.0 - 1);
        let search = Search {
            query: format!("{query} AND [QLREGION \"OTDataID\"] = \"{node}\""),
            location: Some(bounds.within),
            ..Search::default()
        };
        let page = self.flow.content_server.search(search).next_page().await?.unwrap_or_default();
        Ok(page.iter().any(|found| found.id == node))
    }

    /// Asks for a full run of the data set, one a day, whatever it is asked for.
    fn again(&self, data_set: &DataSet) -> Again {
        let day = self.flow.environment.context.now().strftime("%Y-%m-%d");
        let occasion = format!("reconcile {day}");
        let message = json!({
            "specversion": "1.0", "id": occasion, "source": "reconcile", "type": KIND,
            "data": { "data_set": data_set.name, "mode": "full", "occasion": occasion },
        });
        Again { action: Action::LookAgain, message: message.to_string() }
    }
}

fn metadata_fits<E>(
    data_set: &DataSet,
    seen: &Document,
    versions: &std::result::Result<Vec<Version>, E>,
) -> bool {
    let fits =
        |versions: &Vec<Version>| versions.iter().all(|version| metadata(data_set, seen, version).is_ok());
    versions.as_ref().is_ok_and(fits)
}

/// Whether a change came after what a run has seen.
fn is_behind(changed: Timestamp, mark: Timestamp) -> bool {
    changed.duration_since(mark) >= SignedDuration::from_secs(1)
}

fn words(created: Option<&str>) -> String {
    created.map_or_else(|| "of an unknown date".to_owned(), |created| format!("created {created}"))
}

fn write_value(thing: &Thing) -> Result<serde_json::Value> {
    serde_json::to_value(thing)
        .map_err(|error| shared::error::Error::bug("list", "a listed thing is not JSON").source(error))
}
