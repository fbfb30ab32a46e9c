//! Documents that were made of files of iconik.

use std::cmp::max;

use shared::{
    content_server::{Client, Node, NodeId, Version},
    error::Result,
    filing::Mark,
    reconcile::Pair,
};

use super::{find_node, find_versions};
use crate::filing::FiledMedia;

/// A document, or a version of one, as it was made of a file.
#[derive(Debug, Clone)]
pub(crate) struct Made {
    pub(crate) node: NodeId,
    pub(crate) version: i64,
    /// The hash of record: what was read back when it was filed. Nothing where the ledger knows nothing of it.
    pub(crate) sha256: Option<String>,
    pub(crate) bytes: Option<u64>,
}

/// What is there of it.
#[derive(Debug)]
pub(crate) struct Found {
    pub(crate) node: Node,
    pub(crate) version: Version,
    /// Whether no other version stands before it.
    pub(crate) is_newest: bool,
}

impl From<FiledMedia> for Made {
    fn from(filed: FiledMedia) -> Self {
        let (sha256, bytes) = (Some(filed.sha256), Some(filed.bytes));
        Self { node: filed.node, version: filed.version, sha256, bytes }
    }
}

/// Looks for what was made. Why it is not there is noted; that newer versions took its place is in order.
///
/// # Errors
/// As any call.
pub(crate) async fn find_made(client: &Client, made: &Made, pair: &mut Pair) -> Result<Option<Found>> {
    let number = made.version;
    let versions = find_versions(client, made.node).await?;
    let node = match &versions {
        Some(_) => find_node(client, made.node).await?,
        None => None,
    };
    let (Some(versions), Some(node)) = (versions, node) else {
        pair.note = Some(format!("Node {} is not there, or the service user may not see it.", made.node));
        return Ok(None);
    };
    pair.changed = max(pair.changed, node.modified);
    let newest = versions.iter().map(|version| version.number).max();
    let Some(version) = versions.into_iter().find(|version| version.number == number) else {
        pair.note = Some(format!("Node {} is there, its version {number} is not.", node.id));
        if newest.is_some_and(|newest| newest > number) {
            pair.accounted = Some("newer versions stand in its place".into());
        }
        return Ok(None);
    };
    Ok(Some(Found { node, version, is_newest: newest == Some(number) }))
}

/// Whether a version was made of the same asset and format. One that has the bytes of an earlier version of the asset carries
/// that one's mark.
pub(crate) fn is_of_same_asset(mark: &Mark, node: &Node, version: &Version) -> bool {
    let of_same = |identity: &String| mark.is_of_same_asset(identity);
    node.external.identity.as_ref().is_some_and(of_same)
        || version.external_identity.as_ref().is_some_and(of_same)
        || version.description.split_whitespace().any(|word| mark.is_of_same_asset(word))
}
