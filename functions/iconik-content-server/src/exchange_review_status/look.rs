//! What there is to see on both sides at this moment.

use std::collections::BTreeMap;

use jiff::Timestamp;
use shared::{
    content_server::{AttributeValue, NodeId},
    error::{FailureClass, Result},
    iconik::{
        self, ApprovalStatus, Asset, AssetStatus, AssetVersion, Person, Reviewer, Segment, SegmentFilter,
        SegmentId, SegmentKind, SegmentStatus, UserId, VersionId, VersionStatus,
    },
};

use super::{
    ExchangeReviewStatus, Subject, again,
    entries::{Kind, Known, Seen},
};
use crate::review_rules::ToIconik;

/// What our own comments begin their external id with.
pub(super) const OURS: &str = "waybill:review:";

/// What is there, and what was and is not.
pub(super) struct Sight {
    /// The asset at this moment.
    pub(super) asset: Asset,
    pub(super) now: Vec<Seen>,
    pub(super) gone: Vec<String>,
}

/// Names of people by id, as far as they were told.
type Names = BTreeMap<String, String>;

impl ExchangeReviewStatus {
    /// Reads both sides. What the record knows and nobody lists any more is asked for by itself before it counts as gone.
    pub(super) async fn look(&self, subject: &Subject<'_>, known: &BTreeMap<String, Known>) -> Result<Sight> {
        let asset = self.iconik.find_asset(&subject.asset).await?;
        let asset = asset.filter(|asset| asset.status != AssetStatus::Deleted);
        let asset = asset.ok_or_else(|| again("review.asset-deleted", "the asset was deleted meanwhile"))?;
        let mut sight = Sight { asset, now: Vec::new(), gone: Vec::new() };
        self.reviews(subject, known, &mut sight).await?;
        self.comments(subject, known, &mut sight).await?;
        if let (Some(node), Some(rule)) = (subject.document, &subject.rule.to_iconik) {
            sight.now.extend(self.state_of(node, rule).await?);
        }
        Ok(sight)
    }

    /// Where the review of each version stands, and what each reviewer says.
    async fn reviews(
        &self,
        subject: &Subject<'_>,
        known: &BTreeMap<String, Known>,
        sight: &mut Sight,
    ) -> Result<()> {
        let asset = sight.asset.clone();
        let mut versions: Vec<(VersionId, Option<&AssetVersion>)> =
            asset.versions.iter().map(|version| (version.id.clone(), Some(version))).collect();
        // The version that a hint names, and those of which the record knows.
        let noted = known.keys().filter_map(|subject| subject.strip_prefix("review/"));
        for id in subject.named.into_iter().chain(noted) {
            if !versions.iter().any(|(version, _)| version.as_str() == id) {
                versions.push((VersionId::new(id), None));
            }
        }
        for (id, version) in versions {
            let is_gone = version.is_none_or(|version| {
                matches!(version.status, VersionStatus::Deleted | VersionStatus::Deleting)
            });
            let of_version = Seen {
                version: Some(id.as_str().to_owned()),
                version_number: version.and_then(|version| version.number),
                version_gone: is_gone,
                ..Seen::of(Kind::Review, id.as_str())
            };
            let review = self.iconik.find_approval(&subject.object, Some(&id)).await?;
            let Some(review) = review.filter(|review| review.status != ApprovalStatus::NotAsked) else {
                let prefix = format!("verdict/{}/", id.as_str());
                let of_it =
                    |name: &&String| name.starts_with(&prefix) || **name == format!("review/{}", id.as_str());
                sight.gone.extend(known.keys().filter(of_it).cloned());
                continue;
            };
            let mut names: Names = review.users_info.iter().map(named).collect();
            sight.now.push(Seen {
                author: review.requested_by.as_ref().map(|user| user.as_str().to_owned()),
                at: review.changed.or(review.requested),
                status: Some(review.status.as_str().to_owned()),
                facts: is_gone
                    .then(|| ("versionDeleted".to_owned(), "true".to_owned()))
                    .into_iter()
                    .collect(),
                ..of_version.clone()
            });
            let said = self.verdicts(subject, &of_version, &mut names).await?;
            let prefix = format!("verdict/{}/", id.as_str());
            let is_taken_back = |name: &&String| {
                name.starts_with(&prefix) && !said.iter().any(|verdict| verdict.subject() == **name)
            };
            sight.gone.extend(known.keys().filter(is_taken_back).cloned());
            sight.now.extend(said);
        }
        Ok(())
    }

    /// What each reviewer says of a version.
    async fn verdicts(
        &self,
        subject: &Subject<'_>,
        of_version: &Seen,
        names: &mut Names,
    ) -> Result<Vec<Seen>> {
        let version = VersionId::new(&of_version.id);
        let mut said = Vec::new();
        for verdict in self.iconik.list_verdicts(&subject.object, Some(&version)).await? {
            let (author, name) = match verdict.reviewer() {
                Reviewer::User(user) => (user.as_str().to_owned(), self.name_of(&user, names).await?),
                Reviewer::External(address) => (address.clone(), Some(address)),
                Reviewer::Unknown => continue,
            };
            if matches!(verdict.status, ApprovalStatus::NotAsked | ApprovalStatus::Requested) {
                continue;
            }
            said.push(Seen {
                kind: Kind::Verdict,
                id: format!("{}/{author}", version.as_str()),
                author: Some(author),
                author_name: name,
                at: verdict.changed,
                status: Some(verdict.status.as_str().to_owned()),
                ..of_version.clone()
            });
        }
        Ok(said)
    }

    /// The comments of every version with their answers, but our own.
    async fn comments(
        &self,
        subject: &Subject<'_>,
        known: &BTreeMap<String, Known>,
        sight: &mut Sight,
    ) -> Result<()> {
        let asset = &subject.asset;
        let all = SegmentFilter { kind: Some(SegmentKind::Comment), version: None, all_versions: true };
        let mut pages = self.iconik.list_segments(asset, &all);
        let mut listed = Vec::new();
        while let Some(page) = pages.next_page().await? {
            listed.extend(page.into_iter().filter(|segment| segment.status != SegmentStatus::Deleted));
        }
        for (subject, before) in known {
            let Some(id) = subject.strip_prefix("comment/") else { continue };
            let is_listed = listed.iter().any(|segment| segment.id.as_str() == id);
            if is_listed != before.is_gone {
                continue;
            }
            // The list lags: only the comment itself says whether it is there.
            listed.retain(|segment| segment.id.as_str() != id);
            let found = self.iconik.find_segment(asset, &SegmentId::new(id)).await?;
            match found.filter(|segment| segment.status != SegmentStatus::Deleted) {
                Some(segment) => listed.push(segment),
                None => sight.gone.push(subject.clone()),
            }
        }
        let is_ours =
            |segment: &Segment| segment.external_id.as_deref().is_some_and(|id| id.starts_with(OURS));
        let numbers: BTreeMap<&str, Option<i64>> =
            sight.asset.versions.iter().map(|version| (version.id.as_str(), version.number)).collect();
        for segment in listed {
            if is_ours(&segment) {
                continue;
            }
            let seen = comment(&segment, &numbers);
            if !sight.now.iter().any(|other| other.subject() == seen.subject()) {
                sight.now.push(seen);
            }
        }
        Ok(())
    }

    async fn name_of(&self, user: &UserId, names: &mut Names) -> Result<Option<String>> {
        if let Some(name) = names.get(user.as_str()) {
            return Ok(Some(name.clone()));
        }
        let found = match self.iconik.find_user(user).await {
            // Who may read reviews may not be allowed to read users.
            Err(error) if error.class() == FailureClass::Forbidden => None,
            found => found?,
        };
        let name = found.map(|user| user.name());
        names.extend(name.clone().map(|name| (user.as_str().to_owned(), name)));
        Ok(name)
    }

    /// The name of a member of Content Server, unless there is none to be read.
    async fn member_name(&self, member: i64) -> Result<Option<String>> {
        match self.content_server.get_member(member).await {
            Err(error) if matches!(error.class(), FailureClass::Gone | FailureClass::Forbidden) => Ok(None),
            found => found.map(|member| Some(member.full_name())),
        }
    }

    /// What Content Server says of the document.
    async fn state_of(&self, node: NodeId, rule: &ToIconik) -> Result<Option<Seen>> {
        let category = self.content_server.resolve_category(&rule.category).await?.id;
        let present = match self.content_server.get_categories(node).await {
            Err(error) if error.class() == FailureClass::Gone => return Ok(None),
            present => present?.into_iter().find(|values| values.category() == category),
        };
        let Some(present) = present else { return Ok(None) };
        let definition = self.content_server.category_definition(category, node).await?;
        let value = |name: &String| {
            definition
                .attribute(name)
                .and_then(|attribute| present.get(&attribute.key))
                .filter(|value| !value.is_empty())
        };
        let Some(status) = value(&rule.status).and_then(text) else { return Ok(None) };
        let decided_by = rule.decided_by.as_ref().and_then(value);
        let (author, author_name) = match decided_by {
            Some(AttributeValue::User(member) | AttributeValue::Integer(member)) => {
                (Some(member.to_string()), self.member_name(*member).await?)
            }
            Some(value) => (text(value), text(value)),
            None => (None, None),
        };
        let latest = self.content_server.list_versions(node).await?.into_iter().next_back();
        Ok(Some(Seen {
            version: latest.as_ref().map(|latest| latest.label.clone()),
            version_number: latest.map(|latest| latest.number),
            author,
            author_name,
            at: rule.decided.as_ref().and_then(value).and_then(moment),
            status: Some(status),
            text: rule.remark.as_ref().and_then(value).and_then(text),
            ..Seen::of(Kind::Document, node.to_string())
        }))
    }
}

fn named(person: &Person) -> (String, String) {
    (person.id.clone(), person.name())
}

fn comment(segment: &Segment, numbers: &BTreeMap<&str, Option<i64>>) -> Seen {
    let version = segment.version_id.as_ref().map(|version| version.as_str().to_owned());
    let author = segment.user_id.as_ref().map(|user| user.as_str().to_owned());
    let facts = [
        ("answers", segment.parent_id.as_ref().map(|parent| parent.as_str().to_owned())),
        ("begins", segment.starts.map(|begins| begins.to_string())),
        ("drawing", segment.has_drawing.then(|| "true".to_owned())),
        ("ends", segment.ends.map(|ends| ends.to_string())),
        ("resolved", Some(segment.is_resolved.to_string())),
    ];
    Seen {
        version_number: version.as_deref().and_then(|version| numbers.get(version).copied().flatten()),
        version,
        author: segment.share_user_email.clone().or(author),
        author_name: segment
            .user_info
            .as_ref()
            .map(Person::name)
            .or_else(|| segment.share_user_email.clone()),
        at: segment.modified.or(segment.created),
        text: Some(segment.text.clone()),
        facts: facts.into_iter().filter_map(|(name, fact)| Some((name.to_owned(), fact?))).collect(),
        ..Seen::of(Kind::Comment, segment.id.as_str())
    }
}

fn text(value: &AttributeValue) -> Option<String> {
    match value {
        AttributeValue::Empty => None,
        AttributeValue::Text(text) => Some(text.clone()),
        AttributeValue::Integer(number) | AttributeValue::User(number) => Some(number.to_string()),
        AttributeValue::Boolean(truth) => Some(truth.to_string()),
        AttributeValue::Date(day) => Some(day.to_string()),
        AttributeValue::Moment(moment) => Some(moment.to_string()),
        AttributeValue::Many(values) => {
            let texts: Vec<String> = values.iter().filter_map(text).collect();
            (!texts.is_empty()).then(|| texts.join("; "))
        }
    }
}

fn moment(value: &AttributeValue) -> Option<Timestamp> {
    match value {
        AttributeValue::Moment(moment) => Some(*moment),
        AttributeValue::Date(day) => day.to_zoned(jiff::tz::TimeZone::UTC).ok().map(|day| day.timestamp()),
        AttributeValue::Text(text) => iconik::moment(text),
        _ => None,
    }
}
