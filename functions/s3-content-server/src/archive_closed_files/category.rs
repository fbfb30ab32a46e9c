//! The category that says where the bag of a case is.

use jiff::{Timestamp, tz::TimeZone};
use shared::{
    content_server::{AttributeValue, NodeId},
    error::Result,
};

use super::ArchiveClosedFiles;
use crate::category_values;

/// States of a bag, as the category names them.
pub(super) const ARCHIVED: &str = "archived";
pub(super) const RETRIEVING: &str = "retrieving";
pub(super) const AVAILABLE: &str = "available";

/// What the category says.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Archived {
    pub(super) location: String,
    pub(super) revision: String,
    pub(super) state: String,
    pub(super) manifest_sha256: String,
}

impl Archived {
    /// The bucket, and the beginning of every key of the bag.
    pub(super) fn bucket_and_prefix(&self) -> Option<(&str, &str)> {
        self.location.strip_prefix("s3://")?.split_once('/').filter(|(_, prefix)| prefix.ends_with('/'))
    }
}

impl ArchiveClosedFiles {
    /// Where the bag of a case is; nothing when it was never archived.
    pub(super) async fn archived(&self, case: NodeId) -> Result<Option<Archived>> {
        let names = &self.rules.archive;
        let category = self.places.id(&self.content_server, &names.category).await?;
        let Some(values) = category_values::read(&self.content_server, case, category).await? else {
            return Ok(None);
        };
        let text = |name: &String| values.get(name).map(category_values::text).unwrap_or_default();
        let archived = Archived {
            location: text(&names.location),
            revision: text(&names.revision),
            state: text(&names.state),
            manifest_sha256: text(&names.manifest_sha256),
        };
        Ok(Some(archived).filter(|archived| archived.bucket_and_prefix().is_some()))
    }

    /// Says where the bag is.
    pub(super) async fn say_archived(
        &self,
        case: NodeId,
        archived: &Archived,
        until: Option<Timestamp>,
        held: bool,
        now: Timestamp,
    ) -> Result<()> {
        let names = &self.rules.archive;
        let mut pairs: Vec<(&str, AttributeValue)> = vec![
            (&names.location, archived.location.as_str().into()),
            (&names.revision, archived.revision.as_str().into()),
            (&names.state, archived.state.as_str().into()),
            (&names.manifest_sha256, archived.manifest_sha256.as_str().into()),
        ];
        if let (Some(name), Some(until)) = (&names.retain_until, until) {
            // It ends with the day before this midnight.
            let end = until.to_zoned(TimeZone::UTC).date();
            let last = end.yesterday().unwrap_or(end);
            pairs.push((name, AttributeValue::Date(last)));
        }
        if let Some(name) = &names.legal_hold {
            pairs.push((name, AttributeValue::Boolean(held)));
        }
        if let Some(name) = &names.archived_at {
            pairs.push((name, AttributeValue::Moment(now)));
        }
        self.write(case, pairs).await
    }

    /// Says in which state the bag is.
    pub(super) async fn say_state(&self, case: NodeId, state: &str) -> Result<()> {
        self.write(case, vec![(&self.rules.archive.state, state.into())]).await
    }

    /// Says whether a legal hold is on the bag.
    pub(super) async fn say_held(&self, case: NodeId, held: bool) -> Result<()> {
        match &self.rules.archive.legal_hold {
            Some(name) => self.write(case, vec![(name, AttributeValue::Boolean(held))]).await,
            None => Ok(()),
        }
    }

    async fn write(&self, case: NodeId, pairs: Vec<(&str, AttributeValue)>) -> Result<()> {
        let category = self.places.id(&self.content_server, &self.rules.archive.category).await?;
        category_values::write(&self.content_server, case, category, pairs).await
    }
}
