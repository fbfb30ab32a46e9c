//! The category that says where the content of a document is.

use jiff::Timestamp;
use shared::{
    content_server::{AttributeValue, NodeId},
    error::Result,
};

use super::OffloadContent;
use crate::{category_values, version_copy::StoredVersion};

/// What the category says.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct External {
    pub(super) location: String,
    pub(super) object_version: Option<String>,
    pub(super) document_version: Option<i64>,
    pub(super) sha256: String,
    /// Somebody asks for the content.
    pub(super) recall: bool,
}

impl External {
    /// Bucket and key of the copy.
    pub(super) fn bucket_and_key(&self) -> Option<(&str, &str)> {
        self.location.strip_prefix("s3://")?.split_once('/')
    }
}

impl OffloadContent {
    /// What the category says of a document; nothing when it does not have the category.
    pub(super) async fn external(&self, node: NodeId) -> Result<Option<External>> {
        let names = &self.rules.external_content;
        let category = self.places.id(&self.content_server, &names.category).await?;
        let Some(values) = category_values::read(&self.content_server, node, category).await? else {
            return Ok(None);
        };
        let mut external = External::default();
        for (attribute, value) in values {
            let text = category_values::text(&value);
            let is = |name: &Option<String>| name.as_ref() == Some(&attribute);
            if attribute == names.location {
                external.location = text;
            } else if attribute == names.document_version {
                external.document_version = text.parse().ok();
            } else if attribute == names.sha256 {
                external.sha256 = text;
            } else if is(&names.object_version) {
                external.object_version = Some(text).filter(|text| !text.is_empty());
            } else if is(&names.recall) {
                external.recall = value == AttributeValue::Boolean(true);
            }
        }
        Ok(Some(external))
    }

    /// Says where the content of a version is.
    pub(super) async fn say_where(
        &self,
        node: NodeId,
        version: i64,
        stored: &StoredVersion,
        now: Timestamp,
    ) -> Result<()> {
        let names = &self.rules.external_content;
        let mut pairs: Vec<(&str, AttributeValue)> = vec![
            (names.location.as_str(), stored.uri().as_str().into()),
            (names.document_version.as_str(), AttributeValue::Integer(version)),
            (names.sha256.as_str(), stored.sha256.as_str().into()),
        ];
        let optional = [
            (&names.object_version, stored.version_id.as_deref().unwrap_or_default().into()),
            (&names.size, stored.size.to_string().as_str().into()),
            (&names.storage_class, stored.storage_class.as_str().into()),
            (&names.offloaded_at, AttributeValue::Moment(now)),
            (&names.recall, AttributeValue::Boolean(false)),
        ];
        pairs.extend(optional.into_iter().filter_map(|(name, value)| Some((name.as_deref()?, value))));
        self.write(node, pairs).await
    }

    /// Takes back that somebody asks for the content.
    pub(super) async fn answered(&self, node: NodeId) -> Result<()> {
        match &self.rules.external_content.recall {
            Some(recall) => self.write(node, vec![(recall.as_str(), AttributeValue::Boolean(false))]).await,
            None => Ok(()),
        }
    }

    async fn write(&self, node: NodeId, pairs: Vec<(&str, AttributeValue)>) -> Result<()> {
        let category = self.places.id(&self.content_server, &self.rules.external_content.category).await?;
        category_values::write(&self.content_server, node, category, pairs).await
    }
}
