//! The collections that a workspace belongs to.

use shared::{
    content_server::NodeId,
    error::{Error, Result},
    iconik::{Collection, CollectionId, CollectionStatus, Search, Term},
};

use super::LinkReferences;
use crate::{link_rules::MappedBy, view_rules::is_uuid};

impl LinkReferences {
    /// The collections of a workspace that are there, in a stable order.
    ///
    /// # Errors
    /// `Invalid` when the workspace names one that is not there.
    pub(super) async fn collections_of(&self, workspace: NodeId) -> Result<Vec<CollectionId>> {
        let mut found = match &self.rules.collection {
            MappedBy::ExternalId => self.called(workspace).await?,
            MappedBy::Attribute { category, attribute } => {
                let named = self.values_of(workspace, category, attribute).await?;
                let mut collections = Vec::with_capacity(named.len());
                for text in named {
                    collections.push(self.named(workspace, &text, attribute).await?);
                }
                collections
            }
        };
        found.sort();
        found.dedup();
        Ok(found)
    }

    /// A collection that a workspace names by its id.
    async fn named(&self, workspace: NodeId, text: &str, attribute: &str) -> Result<CollectionId> {
        let refused = |code, message: String| {
            Error::invalid(code, message).field(attribute).remedy(
                "write the id that iconik shows in the address of the collection, or empty the attribute",
            )
        };
        if !is_uuid(text) {
            let message = format!("workspace {workspace} names a collection that has no id of iconik's form");
            return Err(refused("link.bad-collection", message));
        }
        let collection = CollectionId::new(text.to_lowercase());
        match self.iconik.find_collection(&collection).await? {
            Some(found) if found.status != CollectionStatus::Deleted => Ok(collection),
            _ => {
                let message = format!(
                    "workspace {workspace} names collection {collection}, which iconik does not have"
                );
                Err(refused("link.collection-gone", message))
            }
        }
    }

    /// The collections whose external id is the number of a workspace. They are searched for, and each is read anew.
    async fn called(&self, workspace: NodeId) -> Result<Vec<CollectionId>> {
        let number = workspace.to_string();
        let search = Search::of(&["collections"]).term(Term::is("external_id", &number));
        let mut collections = Vec::new();
        for hit in self.iconik.search::<Collection>(search).all().await? {
            let Some(found) = self.iconik.find_collection(&hit.id).await? else { continue };
            let is_it = found.external_id.as_deref() == Some(number.as_str());
            if is_it && found.status != CollectionStatus::Deleted {
                collections.push(found.id);
            }
        }
        Ok(collections)
    }
}
