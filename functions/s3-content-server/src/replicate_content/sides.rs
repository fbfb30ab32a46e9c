//! The two sides of `replicate-content`: the documents and folders of content sets, and what their replicas know of them.

use serde_json::json;
use sha2::{Digest, Sha256};
use shared::{
    content_server::NodeId,
    environment::Environment,
    error::Result,
    flow::Flow,
    reconcile::{Again, Eventual, Facts, Listed, Look, Page, Pair, Scope, Seen, Side, Sides, Words},
    transfer::hash_body,
};

use super::{
    ReplicateContent,
    read::{Found, is_folder},
    record::{Presence, ReplicaState, written},
    replica::DAMAGED,
    verify::intact,
};
use crate::{
    sides::{Walk, asset, look_again, read_cursor, write_cursor},
    version_copy::{NodeDescription, VersionDescription},
};

/// The sides.
pub(crate) struct ReplicaSides {
    flow: ReplicateContent,
    walk: Walk,
}

/// Makes the sides from the flow's own configuration.
pub(crate) fn connect<'a>(
    environment: &'a Environment,
    _: &'a Scope,
) -> Eventual<'a, Result<Box<dyn Sides>>> {
    Box::pin(async move {
        let flow = ReplicateContent::connect(environment).await?;
        Ok(Box::new(ReplicaSides { flow, walk: Walk::with_containers() }) as Box<dyn Sides>)
    })
}

impl Sides for ReplicaSides {
    fn words(&self) -> Words {
        let places =
            self.flow.sets.iter().map(|set| format!("s3://{}/{}", set.replica.bucket, set.replica.prefix));
        let places: Vec<String> = places.collect();
        Words {
            source: "documents and folders of the content sets".into(),
            target: format!("records and contents in {}", places.join(", ")),
            missing:
                "restore the object, or its earlier version, in S3; then ask for the node with `replicate`"
                    .into(),
            different: "ask for the node with the request `replicate`".into(),
            extra: "send the node's change: the replica marks it, and keeps what it holds".into(),
        }
    }

    fn list(&self, side: Side, cursor: Option<String>) -> Eventual<'_, Result<Page>> {
        Box::pin(async move {
            match side {
                Side::Source => {
                    let mut roots = Vec::new();
                    for set in &self.flow.sets {
                        roots.push(self.flow.places.id(&self.flow.content_server, &set.rule.within).await?);
                    }
                    roots.sort_unstable();
                    roots.dedup();
                    let server = &self.flow.content_server;
                    self.walk.page(server, &roots, cursor.as_deref()).await
                }
                Side::Target => self.known(cursor.as_deref()).await,
            }
        })
    }

    fn look<'a>(&'a self, side: Side, listed: &'a Listed, look: Look) -> Eventual<'a, Result<Vec<Pair>>> {
        Box::pin(async move {
            match side {
                Side::Source => self.node(NodeId(listed.facts.as_i64().unwrap_or_default()), look).await,
                Side::Target => {
                    let place: (usize, i64) =
                        serde_json::from_value(listed.facts.clone()).unwrap_or_default();
                    Ok(self.record(place).await?.into_iter().collect())
                }
            }
        })
    }
}

impl ReplicaSides {
    /// The nodes that replicas know, set by set.
    async fn known(&self, cursor: Option<&str>) -> Result<Page> {
        let (at, after): (usize, Option<i64>) = read_cursor(cursor)?;
        let Some(set) = self.flow.sets.get(at) else { return Ok(Page::default()) };
        let nodes = set.replica.nodes_after(after).await?;
        let next = match nodes.last() {
            Some(last) => Some((at, Some(*last))),
            None if at + 1 < self.flow.sets.len() => Some((at + 1, None)),
            None => None,
        };
        let items = nodes.into_iter().map(|node| Listed {
            key: format!("node {node} in the replica of {}", set.rule.name),
            facts: json!((at, node)),
        });
        let next = next.map(|next| write_cursor(&next)).transpose()?;
        Ok(Page { items: items.collect(), next })
    }

    /// A thing of Content Server: what it is like, and each of its contents.
    async fn node(&self, node: NodeId, look: Look) -> Result<Vec<Pair>> {
        let Some(found) = self.flow.find(node).await? else { return Ok(Vec::new()) };
        if found.node.kind != shared::content_server::kind::DOCUMENT && !is_folder(&found.node) {
            return Ok(Vec::new());
        }
        let Some(set) = self.flow.set_for(&found).await?.and_then(|index| self.flow.sets.get(index)) else {
            return Ok(Vec::new());
        };
        let mut pair = self.pair(node, &found.node.name);
        pair.changed = found.node.modified;
        let again = self.again(node)?;
        pair.if_missing = Some(again.clone());
        pair.if_different = Some(again);
        let (source, numbers) = self.facts_now(&found).await?;
        pair.source = Seen::There(source);
        let Some(kept) = set.replica.record(node.0).await? else { return Ok(vec![pair]) };
        let state = match set.replica.revision(&kept.record.revision).await {
            Ok(revision) => revision.state,
            Err(error) if error.code() == DAMAGED => {
                pair.note = Some(format!("Its record is there; {}.", error.message()));
                return Ok(vec![pair]);
            }
            Err(error) => return Err(error),
        };
        pair.target = Seen::There(facts_then(&state)?);
        let mut pairs = vec![pair];
        for version in state.versions.iter().filter(|version| numbers.contains(&version.version.number)) {
            let number = version.version.number;
            let mut pair = self.pair(node, &found.node.name);
            pair.key = format!("node {node} version {number}");
            pair.if_missing = Some(self.again(node)?);
            let content = &version.content;
            pair.source = Seen::There(Facts {
                size: Some(content.size),
                sha256: Some(content.sha256.clone()),
                ..Facts::default()
            });
            match intact(&set.replica, version).await? {
                Ok(object) => {
                    let mut sha256 = content.sha256.clone();
                    if look.deep {
                        let body = object.open(&set.replica.s3, None).await?;
                        sha256 = hash_body(body, Some(object.size)).await?.sha256;
                    }
                    pair.target = Seen::There(Facts {
                        size: Some(object.size),
                        sha256: Some(sha256),
                        ..Facts::default()
                    });
                }
                // Not the copy that was vouched for: there is none.
                Err(what) => pair.note = Some(format!("The content at {} {what}.", content.uri())),
            }
            pairs.push(pair);
        }
        Ok(pairs)
    }

    /// A thing of a replica: whether Content Server has it still, in this set.
    async fn record(&self, (at, node): (usize, i64)) -> Result<Option<Pair>> {
        let Some(set) = self.flow.sets.get(at) else { return Ok(None) };
        let Some(kept) = set.replica.record(node).await? else { return Ok(None) };
        if kept.record.presence != Presence::Present {
            return Ok(None);
        }
        let found = self.flow.find(NodeId(node)).await?;
        let there = match &found {
            Some(found) => self.flow.set_for(found).await?,
            None => None,
        };
        if there == Some(at) {
            return Ok(None);
        }
        let mut pair = self.pair(NodeId(node), &kept.record.name);
        pair.target = Seen::There(Facts::default());
        pair.changed = kept.record.replicated_at.parse().ok();
        pair.note = Some(match found {
            Some(_) => format!("It is not in the set {} any more.", set.rule.name),
            None => "It was deleted in Content Server, or the service user may not see it.".to_owned(),
        });
        // The replica marks it and keeps what it holds.
        pair.if_extra = Some(self.again(NodeId(node))?);
        Ok(Some(pair))
    }

    /// What a thing is like now, and the numbers of its versions.
    async fn facts_now(&self, found: &Found) -> Result<(Facts, Vec<i64>)> {
        let server = &self.flow.content_server;
        let node = NodeDescription::read_at(server, &found.node, &found.way).await?;
        let versions = match found.node.kind {
            shared::content_server::kind::DOCUMENT => server.list_versions(found.node.id).await?,
            _ => Vec::new(),
        };
        let numbers = versions.iter().map(|version| version.number).collect();
        let described: Vec<VersionDescription> = versions.iter().map(VersionDescription::of).collect();
        Ok((facts(&node, &described)?, numbers))
    }

    fn pair(&self, node: NodeId, name: &str) -> Pair {
        Pair::new(format!("node {node}"), name, asset(node))
    }

    /// Asks for the node: everything is looked at again, whatever earlier revisions say. One request a day.
    fn again(&self, node: NodeId) -> Result<Again> {
        look_again(ReplicateContent::NAME, &self.flow.environment.context, node, Some("replicate"))
    }
}

/// What the replica says a thing is like.
fn facts_then(state: &ReplicaState) -> Result<Facts> {
    let versions: Vec<VersionDescription> =
        state.versions.iter().map(|version| version.version.clone()).collect();
    let facts = facts(&state.node, &versions)?;
    Ok(match state.presence {
        Presence::Present => facts,
        Presence::Gone => Facts { state: Some("marked as gone".into()), ..facts },
        Presence::Left => Facts { state: Some("marked as left".into()), ..facts },
    })
}

fn facts(node: &NodeDescription, versions: &[VersionDescription]) -> Result<Facts> {
    let numbers: Vec<String> = versions.iter().map(|version| version.number.to_string()).collect();
    Ok(Facts {
        version: Some(if numbers.is_empty() { "none".into() } else { numbers.join(", ") }),
        metadata: Some(hex::encode(Sha256::digest(written(&(node, versions))?))),
        state: Some("in the set".into()),
        ..Facts::default()
    })
}
