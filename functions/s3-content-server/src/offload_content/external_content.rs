//! The category that says where the content of a document is.

use jiff::Timestamp;
use shared::{
    content_server::{AttributeValue, CategoryValues, NodeId},
    error::Result,
};

use super::OffloadContent;
use crate::version_copy::StoredVersion;

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
        let category = self.place(&names.category).await?;
        let categories = self.content_server.get_categories(node).await?;
        let Some(values) = categories.iter().find(|values| values.category() == category) else {
            return Ok(None);
        };
        let definition = self.content_server.category_definition(category, node).await?;
        let mut external = External::default();
        for (attribute, _, value) in definition.name_values(values) {
            let text = match &value {
                AttributeValue::Text(text) => text.clone(),
                AttributeValue::Integer(number) => number.to_string(),
                _ => String::new(),
            };
            let is = |name: &Option<String>| name.as_ref() == Some(&attribute.name);
            if attribute.name == names.location {
                external.location = text;
            } else if attribute.name == names.document_version {
                external.document_version = text.parse().ok();
            } else if attribute.name == names.sha256 {
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
        let mut pairs: Vec<(&String, AttributeValue)> = vec![
            (&names.location, stored.uri().as_str().into()),
            (&names.document_version, AttributeValue::Integer(version)),
            (&names.sha256, stored.sha256.as_str().into()),
        ];
        let optional = [
            (&names.object_version, stored.version_id.as_deref().unwrap_or_default().into()),
            (&names.size, stored.size.to_string().as_str().into()),
            (&names.storage_class, stored.storage_class.as_str().into()),
            (&names.offloaded_at, AttributeValue::Moment(now)),
            (&names.recall, AttributeValue::Boolean(false)),
        ];
        pairs.extend(optional.into_iter().filter_map(|(name, value)| Some((name.as_ref()?, value))));
        self.write(node, pairs).await
    }

    /// Takes back that somebody asks for the content.
    pub(super) async fn answered(&self, node: NodeId) -> Result<()> {
        match &self.rules.external_content.recall {
            Some(recall) => self.write(node, vec![(recall, AttributeValue::Boolean(false))]).await,
            None => Ok(()),
        }
    }

    async fn write(&self, node: NodeId, pairs: Vec<(&String, AttributeValue)>) -> Result<()> {
        let category = self.place(&self.rules.external_content.category).await?;
        let definition = self.content_server.category_definition(category, node).await?;
        let mut values = CategoryValues::new(category);
        for (name, value) in pairs {
            definition.put(&mut values, name, value)?;
        }
        self.content_server.set_category(node, &values).await.map(drop)
    }
}
