//! Walks the collections of a production.
//!
//! What is in a collection comes from the index, which may be behind: it is listed once before anything is filed and once
//! more at the end, and both have to agree.

use std::collections::{BTreeMap, BTreeSet};

use shared::{
    error::{Error, Result},
    iconik::{
        Client, Collection, CollectionContent, CollectionId, CollectionStatus, ContentFilter, NOT_FOUND,
    },
};

use super::facts::{Member, Place, Tree};

/// Collections one inside the other; what is deeper is a ring that nobody meant.
const DEEPEST: usize = 64;

/// Lists a collection with everything below it: each collection once, and each asset once with all the places it is in.
///
/// # Errors
/// What iconik says.
pub(super) async fn walk(iconik: &Client, root: &Collection) -> Result<Tree> {
    let mut tree = Tree::default();
    let mut members: BTreeMap<String, usize> = BTreeMap::new();
    let mut seen = BTreeSet::from([root.id.clone()]);
    tree.collections.push(Place { id: root.id.as_str().to_owned(), path: vec![root.title.clone()] });
    let mut next = 0;
    while let Some(place) = tree.collections.get(next).cloned() {
        let contents = contents(iconik, &CollectionId::new(&place.id)).await?;
        for content in contents {
            match content {
                CollectionContent::Asset(asset) => {
                    let id = asset.id.as_str().to_owned();
                    let at = *members.entry(id.clone()).or_insert_with(|| {
                        tree.assets.push(Member { id, places: Vec::new() });
                        tree.assets.len() - 1
                    });
                    if let Some(member) = tree.assets.get_mut(at) {
                        member.places.push(next);
                    }
                }
                CollectionContent::Collection(inner) => {
                    if !seen.insert(inner.id.clone()) || place.path.len() >= DEEPEST {
                        continue;
                    }
                    // The copy in the index may be stale.
                    let Some(inner) = iconik.find_collection(&inner.id).await? else { continue };
                    if inner.status == CollectionStatus::Deleted {
                        continue;
                    }
                    let path = place.path.iter().cloned().chain([inner.title.clone()]).collect();
                    tree.collections.push(Place { id: inner.id.as_str().to_owned(), path });
                }
                CollectionContent::Other(kind, id) => tree.others.push((kind, id)),
            }
        }
        next += 1;
    }
    Ok(tree)
}

async fn contents(iconik: &Client, collection: &CollectionId) -> Result<Vec<CollectionContent>> {
    let listed = iconik.list_contents(collection, &ContentFilter::default()).all().await;
    match listed {
        // An empty collection may be answered like a page behind the last one.
        Err(error) if is_missing(&error) => Ok(Vec::new()),
        outcome => outcome,
    }
}

fn is_missing(error: &Error) -> bool {
    error.code() == NOT_FOUND
}
