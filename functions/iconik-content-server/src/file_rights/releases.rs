//! Release documents: assets that an asset refers to, and their files as documents beside the final.

use std::collections::BTreeSet;

use jiff::civil::Date;
use serde_json::json;
use shared::{
    content_server::NodeId,
    error::{Error, Result},
    filing::{Step, plan::Target},
    flow::Run,
    iconik::{Asset, AssetId, AssetKind, AssetStatus, NOT_FOUND, ObjectRef, Related},
    mapping::Record,
};

use super::{FileRights, is_final, rights, rights::Rights};
use crate::{
    approval::{self, Approved, by_field},
    filing::{How, Media, NOT_CLOSED, Outcome, Part, VersionMedia, media::Wanted, refused},
    rights_rules::{ReleaseRule, RightsRule},
};

/// A release document, as iconik has it.
pub(super) struct Release<'a> {
    pub(super) rule: &'a ReleaseRule,
    pub(super) asset: Asset,
    pub(super) record: Record,
    /// Its files; none of a link.
    pub(super) media: Vec<Media>,
    /// Its last day.
    pub(super) expires: Option<Date>,
}

impl Release<'_> {
    /// The version people see.
    pub(super) fn version(&self) -> Option<&str> {
        self.asset.current_version().map(|version| version.id.as_str())
    }
}

/// A file of a release that is filed.
#[derive(Debug, Clone)]
pub(super) struct FiledRelease {
    pub(super) release: AssetId,
    pub(super) name: String,
    pub(super) node: NodeId,
    pub(super) sha256: String,
    pub(super) bytes: u64,
}

impl FileRights {
    /// What an asset is related to, and what is related to it, in the ways that rules name.
    pub(super) async fn related(&self, asset: &AssetId) -> Result<Vec<Related>> {
        let releases = self.rules.rules.iter().flat_map(|rule| &rule.releases);
        let kinds: BTreeSet<&str> = releases.map(|release| release.relation.as_str()).collect();
        let mut related = Vec::new();
        for kind in kinds {
            match self.iconik.list_related(asset, kind).all().await {
                // It is not there any more.
                Err(error) if error.code() == NOT_FOUND => {}
                found => related.extend(found?),
            }
        }
        Ok(related)
    }

    /// The releases of an asset that a rule files.
    pub(super) async fn releases<'a>(
        &self,
        approved: &Approved,
        rule: &'a RightsRule,
        related: &[Related],
    ) -> Result<Vec<Release<'a>>> {
        let mut releases = Vec::new();
        for wanted in &rule.releases {
            let mut known = BTreeSet::new();
            for other in related {
                let relation = other.relations.iter().find(|relation| {
                    relation.relation_type == wanted.relation
                        && relation.related_from_asset_id.as_ref() == Some(&approved.asset.id)
                });
                let Some(relation) = relation else { continue };
                if !known.insert(other.asset.id.clone()) {
                    continue;
                }
                // The list may be behind: the asset itself is not.
                let found: Option<Asset> = self.iconik.find_asset(&other.asset.id).await?;
                let Some(asset) = found.filter(|asset| asset.status != AssetStatus::Deleted) else {
                    continue;
                };
                let described = relation.description.as_deref();
                releases.push(self.release(approved, wanted, asset, described).await?);
            }
        }
        releases.sort_by(|one, other| {
            (&one.rule.relation, &one.asset.title, one.asset.id.as_str()).cmp(&(
                &other.rule.relation,
                &other.asset.title,
                other.asset.id.as_str(),
            ))
        });
        Ok(releases)
    }

    async fn release<'a>(
        &self,
        approved: &Approved,
        rule: &'a ReleaseRule,
        asset: Asset,
        described: Option<&str>,
    ) -> Result<Release<'a>> {
        let version = asset.current_version().cloned();
        let mut record = Record::new()
            .with(
                "asset",
                json!({
                    "id": asset.id, "title": asset.title, "kind": asset.kind.as_str(),
                    "category": asset.category, "external_id": asset.external_id,
                }),
            )
            .with(
                "version",
                json!({
                    "id": version.as_ref().map(|version| &version.id),
                    "number": version.as_ref().and_then(|version| version.number),
                }),
            )
            .with(
                "final",
                json!({
                    "id": approved.asset.id, "title": approved.asset.title, "version": approved.number(),
                }),
            );
        for (name, id) in &self.rules.views {
            let fields = self.rules.fields_of_releases(name);
            if !fields.is_empty() {
                approval::check_view(&self.iconik, id, &fields).await?;
                let object = ObjectRef::Assets(asset.id.clone());
                record = record.with(name, by_field(&self.iconik.get_metadata(&object, id).await?));
            }
        }
        let expires = match &rule.expires {
            Some(path) => rights::last_day(&record, path)?,
            None => None,
        };
        if rule.expiry_required && expires.is_none() {
            let message = "expected a last day of the release, found none";
            let field = rule.expires.clone().unwrap_or_default();
            return Err(Error::invalid("release.no-expiry", message)
                .field(field)
                .remedy("fill the field of the release in iconik; the asset is looked at again then"));
        }
        let until = expires.map(|day| day.to_string());
        let facts = json!({ "relation": rule.relation, "description": described, "expires": until });
        let record = record.with("release", facts);
        let mut media = Vec::new();
        if let Some(version) = version.filter(|_| asset.kind != AssetKind::Link) {
            let wanted = Wanted { files: true, ..Wanted::default() };
            let found = VersionMedia::list(&self.iconik, &asset.id, &version, None, wanted).await?;
            media = rule
                .formats
                .iter()
                .flat_map(|format| found.of(&Part::Format(format.clone())).to_vec())
                .collect();
        }
        if media.is_empty() && asset.kind != AssetKind::Link {
            let message = format!("the release has no file in {}", rule.formats.join(", "));
            return Err(Error::invalid("release.no-file", message)
                .field(asset.id.to_string())
                .remedy("bring its file into iconik, or relate a link; the asset is looked at again then"));
        }
        Ok(Release { rule, asset, record, media, expires })
    }

    /// Files the files of the releases. One that cannot be filed keeps the others from nothing.
    pub(super) async fn file_releases(
        &self,
        approved: &Approved,
        rights: &Rights<'_>,
        place: &Target,
        run: &Run,
    ) -> Result<Vec<FiledRelease>> {
        let (mut filed, mut refused_first, mut waiting) = (Vec::new(), None, None);
        for release in &rights.releases {
            for media in &release.media {
                match Box::pin(self.file_release(approved, release, media, place, run)).await {
                    Ok(one) => filed.push(one),
                    Err(error) if error.code() == NOT_CLOSED => waiting = Some(error),
                    Err(error) if is_final(&error) && error.code() != approval::WITHDRAWN => {
                        tracing::warn!(error = ?error, file = media.id(), "a release is not filed");
                        refused_first.get_or_insert(error);
                    }
                    Err(error) => return Err(error),
                }
            }
        }
        if let Some(refused) = refused_first {
            return Err(refused);
        }
        match waiting {
            Some(waiting) => Err(self.waited(waiting, rights.rule.patience, run).await?),
            None => Ok(filed),
        }
    }

    async fn file_release(
        &self,
        approved: &Approved,
        release: &Release<'_>,
        media: &Media,
        place: &Target,
        run: &Run,
    ) -> Result<FiledRelease> {
        let record = release.record.clone().with("media", media.facts());
        let plan = release.rule.document(&record, place).map_err(|violations| refused(&violations))?;
        let guard = || -> Step<'_> { Box::pin(approved.check(&self.iconik)) };
        let how = How {
            plan: &plan,
            reading: release.rule.reading,
            verify: release.rule.verify,
            guard: Some(&guard),
            told: None,
        };
        match Box::pin(self.media.file(media, how, run)).await? {
            Outcome::Filed(filed) => Ok(FiledRelease {
                release: release.asset.id.clone(),
                name: media.name.clone(),
                node: filed.node,
                sha256: filed.sha256,
                bytes: filed.bytes,
            }),
            Outcome::Superseded(reason) => {
                // Somebody filed a later version of the release since it was listed.
                Err(super::again("rights.overtaken", reason.message))
            }
        }
    }
}
