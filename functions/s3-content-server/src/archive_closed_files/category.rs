//! The category that says where the bag of a case is.

use jiff::{Timestamp, tz::TimeZone};
use shared::{
    content_server::{AttributeValue, NodeId},
    error::{Error, Result},
};

use super::ArchiveClosedFiles;
use crate::category_values;

/// States of a bag, as the category names them.
pub(super) const ARCHIVED: &str = "archived";
pub(super) const RETRIEVING: &str = "retrieving";
pub(super) const AVAILABLE: &str = "available";
pub(super) const DAMAGED: &str = "damaged";

/// What the category says.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Archived {
    pub(super) location: String,
    pub(super) revision: String,
    pub(super) state: String,
    pub(super) manifest_sha256: String,
    /// The address of the link to the retrieved bag.
    pub(super) link: String,
}

impl Archived {
    /// The bucket, and the beginning of every key of the bag.
    pub(super) fn bucket_and_prefix(&self) -> Option<(&str, &str)> {
        self.location.strip_prefix("s3://")?.split_once('/').filter(|(_, prefix)| prefix.ends_with('/'))
    }

    /// The same, of a bag whose place is known to be readable.
    pub(super) fn place(&self) -> Result<(&str, &str)> {
        self.bucket_and_prefix()
            .ok_or_else(|| Error::bug("read the archive category", "the bag's address is none"))
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
            link: names.link.as_ref().map(text).unwrap_or_default(),
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
        // What was retrieved of an earlier bag is not this one.
        let earlier = names.link.iter().chain(&names.available_until);
        pairs.extend(earlier.map(|name| (name.as_str(), AttributeValue::Empty)));
        pairs.extend(self.locks_as_values(held, until));
        if let Some(name) = &names.archived_at {
            pairs.push((name, AttributeValue::Moment(now)));
        }
        self.write(case, pairs).await
    }

    /// Says in which state the bag is.
    pub(super) async fn say_state(&self, case: NodeId, state: &str) -> Result<()> {
        self.write(case, vec![(&self.rules.archive.state, state.into())]).await
    }

    /// Says that the bag can be had, until when, and by which link.
    pub(super) async fn say_available(
        &self,
        case: NodeId,
        link: Option<&str>,
        until: Option<Timestamp>,
    ) -> Result<()> {
        let names = &self.rules.archive;
        let mut pairs: Vec<(&str, AttributeValue)> = vec![(&names.state, AVAILABLE.into())];
        if let Some(name) = &names.link {
            pairs.push((name, link.map_or(AttributeValue::Empty, Into::into)));
        }
        if let Some(name) = &names.available_until {
            pairs.push((name, until.map_or(AttributeValue::Empty, AttributeValue::Moment)));
        }
        self.write(case, pairs).await
    }

    /// Says how the bag is locked, and `over` that what was brought out of the archive is not readable any more.
    pub(super) async fn say_locks(
        &self,
        case: NodeId,
        held: bool,
        until: Option<Timestamp>,
        over: bool,
    ) -> Result<()> {
        let names = &self.rules.archive;
        let mut pairs = self.locks_as_values(held, until);
        if over {
            pairs.push((&names.state, ARCHIVED.into()));
            let ended = names.link.iter().chain(&names.available_until);
            pairs.extend(ended.map(|name| (name.as_str(), AttributeValue::Empty)));
        }
        if pairs.is_empty() { Ok(()) } else { self.write(case, pairs).await }
    }

    fn locks_as_values(&self, held: bool, until: Option<Timestamp>) -> Vec<(&str, AttributeValue)> {
        let names = &self.rules.archive;
        let mut pairs = Vec::new();
        if let (Some(name), Some(until)) = (&names.retain_until, until) {
            // It ends with the day before this midnight.
            let end = until.to_zoned(TimeZone::UTC).date();
            let last = end.yesterday().unwrap_or(end);
            pairs.push((name.as_str(), AttributeValue::Date(last)));
        }
        if let Some(name) = &names.legal_hold {
            pairs.push((name.as_str(), AttributeValue::Boolean(held)));
        }
        pairs
    }

    async fn write(&self, case: NodeId, pairs: Vec<(&str, AttributeValue)>) -> Result<()> {
        let category = self.places.id(&self.content_server, &self.rules.archive.category).await?;
        category_values::write(&self.content_server, case, category, pairs).await
    }
}
