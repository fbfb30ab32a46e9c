//! The two sides of `offload-content`: the versions of documents that its rules or the external content category speak
//! of, and their copies in S3 with the descriptions that vouch for them.

use serde_json::Value;
use shared::{
    content_server::{NOT_ACCESSIBLE, NOT_FOUND, Node, NodeId, OfficialRecords, Version},
    environment::Environment,
    error::{FailureClass, Result},
    flow::Flow,
    ledger::Key,
    reconcile::{Again, Eventual, Facts, Listed, Look, Page, Pair, Scope, Seen, Side, Sides, Words},
    transfer::{S3Object, UploadSizes, hash_body},
};

use super::{OffloadContent, external_content::External, pointer::is_pointer, selection::Selection};
use crate::{
    offload_rules::After,
    sides::{Prefix, Walk, account, asset, list_objects, listed_node, look_again, roots},
    version_copy::{Reading, Shelf, StoredDescription, VersionCopy, description_key},
};

/// The sides.
pub(crate) struct OffloadSides {
    flow: OffloadContent,
    walk: Walk,
    shelves: Vec<Prefix>,
}

/// Makes the sides from the flow's own configuration.
pub(crate) fn connect<'a>(
    environment: &'a Environment,
    _: &'a Scope,
) -> Eventual<'a, Result<Box<dyn Sides>>> {
    Box::pin(async move {
        let flow = OffloadContent::connect(environment).await?;
        let mut shelves: Vec<Prefix> = flow
            .rules
            .rules
            .iter()
            .map(|rule| Prefix {
                bucket: rule.bucket.clone().unwrap_or_else(|| environment.settings.content_bucket.clone()),
                prefix: rule.prefix.clone(),
            })
            .collect();
        shelves.sort();
        shelves.dedup();
        Ok(Box::new(OffloadSides { flow, walk: Walk::default(), shelves }) as Box<dyn Sides>)
    })
}

impl Sides for OffloadSides {
    fn words(&self) -> Words {
        let places: Vec<String> =
            self.shelves.iter().map(|shelf| format!("s3://{}/{}", shelf.bucket, shelf.prefix)).collect();
        Words {
            source: "versions of documents that are offloaded, or are to be".into(),
            target: format!("copies in {}", places.join(", ")),
            missing: "its content is not in Content Server any more: restore the object, or its earlier version, in S3 \
                      before anything else"
                .into(),
            different: "do not reduce anything: find out which side was changed, and restore the object's earlier \
                        version in S3"
                .into(),
            extra: "decide whether the copy is still wanted; nothing deletes it by itself".into(),
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
            match side {
                Side::Source => self.document(listed_node(listed)?, look).await,
                Side::Target => {
                    let text =
                        |name: &str| listed.facts.get(name).and_then(Value::as_str).unwrap_or_default();
                    Ok(self.copy(text("bucket"), text("key")).await?.into_iter().collect())
                }
            }
        })
    }
}

impl OffloadSides {
    /// A document of Content Server: each of its versions that has a copy, and the one that should have one.
    async fn document(&self, node: NodeId, look: Look) -> Result<Vec<Pair>> {
        let node = match self.flow.content_server.get_node(node).await {
            Ok(node) => node,
            Err(error) if matches!(error.code(), NOT_ACCESSIBLE | NOT_FOUND) => return Ok(Vec::new()),
            Err(error) => return Err(error),
        };
        let versions = self.flow.content_server.list_versions(node.id).await?;
        let contents: Vec<&Version> = versions.iter().filter(|version| !is_pointer(version)).collect();
        let external = self.flow.external(node.id).await?.filter(|external| !external.location.is_empty());
        let mut pairs = Vec::new();
        let mut covered = 0;
        if let Some(external) = &external
            && let (Some(shelf), Some(number)) = (shelf_of(external), external.document_version)
        {
            covered = number;
            for version in contents.iter().filter(|version| version.number < number) {
                pairs.push(self.version(&node, version.number, Some(version), None, &shelf, look).await?);
            }
            let current = contents.iter().copied().find(|version| version.number == number);
            pairs.push(self.version(&node, number, current, Some(external), &shelf, look).await?);
        }
        if let Some(newest) = contents.last().filter(|newest| newest.number > covered) {
            pairs.extend(self.to_be_offloaded(&node, newest, &versions).await?);
        }
        Ok(pairs)
    }

    /// The newest version, when the rules want it in S3 and nothing says that it is.
    async fn to_be_offloaded(
        &self,
        node: &Node,
        newest: &Version,
        versions: &[Version],
    ) -> Result<Option<Pair>> {
        let now = self.flow.environment.context.now();
        let Selection::Taken(rule) = self.flow.rule_for(node, newest, now).await? else { return Ok(None) };
        if versions.last().is_some_and(is_pointer) && rule.after != After::Pointer {
            return Ok(None);
        }
        let mut pair = pair(node, newest.number);
        pair.source = Seen::There(Facts { size: newest.file_size, ..Facts::default() });
        pair.changed = node.modified.max(newest.created);
        pair.note =
            Some(format!("The rule {} takes it, and its category does not say that it is in S3.", rule.name));
        // A copy takes nothing from an official record.
        let records = if rule.after == After::Keep { OfficialRecords::Reduce } else { rule.official_records };
        if let Some(why) = self.flow.content_server.untouchable(node.id, records).await? {
            pair.accounted = Some(why.to_string());
        }
        pair.account = account(&self.flow.environment.ledger, &pair.asset).await?;
        pair.if_missing = Some(self.again(node.id)?);
        Ok(Some(pair))
    }

    /// One version, and its copy.
    async fn version(
        &self,
        node: &Node,
        number: i64,
        version: Option<&Version>,
        external: Option<&External>,
        shelf: &Shelf,
        look: Look,
    ) -> Result<Pair> {
        let mut pair = pair(node, number);
        let mut source = Facts {
            size: version.and_then(|version| version.file_size),
            sha256: external.map(|external| external.sha256.clone()).filter(|sha256| !sha256.is_empty()),
            ..Facts::default()
        };
        if look.deep && version.is_some() {
            let download = self.flow.content_server.download(node.id, Some(number)).await?;
            source.sha256 = Some(hash_body(download.body, download.length).await?.sha256);
        }
        if version.is_some() {
            // As long as Content Server has the content, the flow can make the copy again.
            let again = self.again(node.id)?;
            pair.if_missing = Some(again);
        }
        pair.changed = version.and_then(|version| version.created);
        match self.vouched(node.id.0, number, shelf).await? {
            None => {
                pair.note = Some(format!(
                    "No description at s3://{}/{} vouches for a copy.",
                    shelf.bucket,
                    description_key(&shelf.prefix, node.id.0, number)
                ))
            }
            Some(description) => {
                let stored = &description.content;
                source.crc64_nvme = Some(stored.crc64_nvme.clone()).filter(|crc| !crc.is_empty());
                // The category speaks of the newest version; the hash of record of the others is in their descriptions.
                source.sha256.get_or_insert_with(|| stored.sha256.clone());
                if let Some(version) = version {
                    let known = (version.created.map(|moment| moment.to_string()), version.file_name.clone());
                    source.version = Some(words_of(known.0.as_deref(), &known.1));
                }
                let id = stored.version_id.as_deref();
                match S3Object::head(&self.flow.s3, &stored.bucket, &stored.key, id, None).await {
                    Ok(object) => {
                        pair.target =
                            Seen::There(self.facts(&description, &object, look, &mut pair.note).await?);
                    }
                    Err(error) if error.class() == FailureClass::Gone => {
                        pair.note =
                            Some(format!("Its description is there, the object {} is not.", stored.uri()));
                    }
                    Err(error) => return Err(error),
                }
            }
        }
        pair.source = Seen::There(source);
        Ok(pair)
    }

    /// What a copy is, by S3's own checksums where it keeps them.
    async fn facts(
        &self,
        description: &StoredDescription,
        object: &S3Object,
        look: Look,
        note: &mut Option<String>,
    ) -> Result<Facts> {
        let stored = &description.content;
        let crc_agrees = object.checksum_crc64_nvme.as_ref() == Some(&stored.crc64_nvme);
        let mut facts = Facts {
            size: Some(object.size),
            // The checksum proves the bytes to be those the description was written for.
            sha256: object.checksum_sha256.clone().or_else(|| crc_agrees.then(|| stored.sha256.clone())),
            crc64_nvme: object.checksum_crc64_nvme.clone(),
            version: Some(words_of(description.version.created.as_deref(), &description.version.file_name)),
            ..Facts::default()
        };
        if look.deep {
            let archived = matches!(object.storage_class.as_deref(), Some("GLACIER" | "DEEP_ARCHIVE"));
            if archived {
                *note = Some("The copy is archived and was not read.".into());
            } else {
                let body = object.open(&self.flow.s3, None).await?;
                facts.sha256 = Some(hash_body(body, Some(object.size)).await?.sha256);
            }
        }
        Ok(facts)
    }

    /// An object in the place of copies: whose it is.
    async fn copy(&self, bucket: &str, key: &str) -> Result<Option<Pair>> {
        let uri = format!("s3://{bucket}/{key}");
        let Some(shelf) =
            self.shelves.iter().find(|shelf| shelf.bucket == bucket && key.starts_with(&shelf.prefix))
        else {
            return Ok(None);
        };
        let head = S3Object::head(&self.flow.s3, bucket, key, None, None).await;
        let object = match head {
            Ok(object) => object,
            Err(error) if error.class() == FailureClass::Gone => return Ok(None),
            Err(error) => return Err(error),
        };
        let mut pair =
            Pair::new(&uri, key.rsplit('/').next().unwrap_or(key), Key::of(&[bucket, key]).digest());
        pair.changed = object.last_modified;
        pair.target = Seen::There(Facts { size: Some(object.size), ..Facts::default() });
        let Some((node, version, is_description)) = place(key, &shelf.prefix) else {
            pair.note = Some("Its key is none that this flow writes.".into());
            return Ok(Some(pair));
        };
        pair.asset = asset(NodeId(node));
        if !is_description {
            let shelf =
                Shelf { bucket: bucket.to_owned(), prefix: shelf.prefix.clone(), storage_class: None };
            let named = self.vouched(node, version, &shelf).await?;
            if named.is_none_or(|description| description.content.key != key) {
                pair.note = Some(
                    "No description names it: it was left behind, or put there by somebody else.".into(),
                );
                return Ok(Some(pair));
            }
        }
        match self.flow.content_server.get_node(NodeId(node)).await {
            Ok(_) => Ok(None),
            Err(error) if matches!(error.code(), NOT_ACCESSIBLE | NOT_FOUND) => {
                pair.note = Some(format!(
                    "Node {node} was deleted in Content Server, or the service user may not see it."
                ));
                Ok(Some(pair))
            }
            Err(error) => Err(error),
        }
    }

    async fn vouched(&self, node: i64, version: i64, shelf: &Shelf) -> Result<Option<StoredDescription>> {
        let copies = VersionCopy {
            content_server: &self.flow.content_server,
            s3: &self.flow.s3,
            shelf,
            reading: Reading::Once,
            sizes: UploadSizes::default(),
        };
        copies.description(node, version).await
    }

    /// Asks for the document's copies: each must be in its place, and is made where it is not. One request a day.
    fn again(&self, node: NodeId) -> Result<Again> {
        look_again(OffloadContent::NAME, &self.flow.environment.context, node, Some("offload"))
    }
}

fn pair(node: &Node, version: i64) -> Pair {
    Pair::new(format!("node {} version {version}", node.id), &node.name, asset(node.id))
}

/// The shelf that the category's address lies on: what is before `<node>/<version>/<name>`.
fn shelf_of(external: &External) -> Option<Shelf> {
    let (bucket, key) = external.bucket_and_key()?;
    let mut steps = key.rsplitn(4, '/').skip(3);
    let prefix = steps.next().map(|prefix| format!("{prefix}/")).unwrap_or_default();
    Some(Shelf { bucket: bucket.to_owned(), prefix, storage_class: None })
}

/// Node and version of a key, and whether it is a description's.
fn place(key: &str, prefix: &str) -> Option<(i64, i64, bool)> {
    let mut steps = key.strip_prefix(prefix)?.split('/');
    let (node, version, name) = (steps.next()?, steps.next()?, steps.next());
    if steps.next().is_some() {
        return None;
    }
    match name {
        Some(_) => Some((node.parse().ok()?, version.parse().ok()?, false)),
        None => Some((node.parse().ok()?, version.strip_suffix(".json")?.parse().ok()?, true)),
    }
}

fn words_of(created: Option<&str>, file_name: &str) -> String {
    format!("{file_name}, added {}", created.unwrap_or("at no known time"))
}
