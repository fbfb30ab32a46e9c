//! Reads one asset: what it is, how its versions were reviewed, what was said of it, and which files it has.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Mutex, PoisonError},
};

use shared::{
    error::Result,
    iconik::{
        ArchiveStatus, Asset, AssetId, AssetKind, AssetStatus, AssetVersion, Client, File, FileScope,
        FileSet, FileStatus, Format, MetadataValues, NOT_FOUND, ObjectRef, Person, Reviewer, Segment,
        SegmentFilter, SegmentKind, SegmentStatus, UserId, VersionId, VersionStatus,
    },
};

use super::{
    facts::{
        AssetFacts, AssetState, CommentFacts, FileFacts, FormatFacts, Member, ReviewFacts, SetFacts,
        ShownFacts, VerdictFacts, VersionFacts,
    },
    select::chosen_version,
};
use crate::production_rules::{Comments, Part, ProductionRule, Shown};

/// Reads assets for one rule. Names of people are asked for once.
pub(super) struct Reader<'a> {
    pub(super) iconik: &'a Client,
    pub(super) rule: &'a ProductionRule,
    names: Mutex<BTreeMap<UserId, String>>,
}

impl<'a> Reader<'a> {
    pub(super) fn new(iconik: &'a Client, rule: &'a ProductionRule) -> Self {
        Self { iconik, rule, names: Mutex::default() }
    }

    /// What is known of an asset by now.
    pub(super) async fn read(&self, member: &Member) -> Result<AssetFacts> {
        let id = AssetId::new(&member.id);
        let Some(asset) = self.iconik.find_asset(&id).await? else {
            let (id, places) = (member.id.clone(), member.places.clone());
            return Ok(AssetFacts { id, places, state: AssetState::Gone, ..AssetFacts::default() });
        };
        let mut facts = of_asset(&asset, member);
        if facts.state != AssetState::InUse {
            return Ok(facts);
        }
        let parts = parts_of(self.rule, &asset.kind, asset.category.as_deref());
        if parts.is_empty() || has_no_files(&asset.kind) {
            return Ok(facts);
        }
        facts.versions = self.versions(&asset).await?;
        let wanted: BTreeSet<String> = parts
            .iter()
            .filter_map(|part| Some(chosen_version(&facts.versions, part.version)?.id.clone()))
            .collect();
        for version in &wanted {
            facts.formats.extend(self.formats(&id, &VersionId::new(version)).await?);
        }
        // Nothing of it is in the package: then neither is what was said of it.
        if parts.iter().all(|part| !part.every_asset && !has_file_for(part, &facts.formats)) {
            return Ok(facts);
        }
        facts.comments = self.comments(&id, &wanted).await?;
        for shown in &self.rule.shown {
            facts.shown.extend(shown_of(self.iconik, &ObjectRef::from(id.clone()), shown).await?);
        }
        Ok(facts)
    }

    /// The versions in use, the newest first, each with its review.
    async fn versions(&self, asset: &Asset) -> Result<Vec<VersionFacts>> {
        let object = ObjectRef::from(asset.id.clone());
        let mut versions = Vec::new();
        for version in in_use(asset) {
            let review = self.review(&object, &version.id).await?;
            versions.push(VersionFacts {
                id: version.id.as_str().to_owned(),
                number: version.number,
                created: version.created,
                created_by: match &version.created_by_user {
                    Some(user) => Some(self.name(user, &[]).await?),
                    None => None,
                },
                review,
            });
        }
        Ok(versions)
    }

    /// How a version was reviewed.
    pub(super) async fn review(
        &self,
        object: &ObjectRef,
        version: &VersionId,
    ) -> Result<Option<ReviewFacts>> {
        let Some(approval) = self.iconik.find_approval(object, Some(version)).await? else {
            return Ok(None);
        };
        let mut verdicts = self.iconik.list_verdicts(object, Some(version)).await?;
        if verdicts.is_empty() {
            verdicts.clone_from(&approval.approvals_by);
        }
        let mut said = Vec::new();
        for verdict in &verdicts {
            let (reviewer, reviewer_id) = match verdict.reviewer() {
                Reviewer::User(user) => {
                    (self.name(&user, &approval.users_info).await?, Some(user.as_str().to_owned()))
                }
                Reviewer::External(address) => (address, None),
                Reviewer::Unknown => ("somebody".to_owned(), None),
            };
            said.push(VerdictFacts {
                reviewer,
                reviewer_id,
                status: verdict.status.as_str().to_owned(),
                at: verdict.changed,
            });
        }
        said.sort_by(|one, other| (one.at, &one.reviewer).cmp(&(other.at, &other.reviewer)));
        Ok(Some(ReviewFacts {
            status: approval.status.as_str().to_owned(),
            needed: approval.min_number,
            requested_by: match &approval.requested_by {
                Some(user) => Some(self.name(user, &approval.users_info).await?),
                None => None,
            },
            requested: approval.requested,
            changed: approval.changed,
            verdicts: said,
        }))
    }

    /// What a person is called; the id of one who is not there any more.
    async fn name(&self, user: &UserId, known: &[Person]) -> Result<String> {
        if let Some(person) = known.iter().find(|person| person.id == user.as_str()) {
            let name = person.name();
            if !name.is_empty() {
                return Ok(name);
            }
        }
        let known = self.names.lock().unwrap_or_else(PoisonError::into_inner).get(user).cloned();
        if let Some(name) = known {
            return Ok(name);
        }
        let found = self.iconik.find_user(user).await?.map(|user| user.name());
        let name = found.filter(|name| !name.is_empty()).unwrap_or_else(|| user.as_str().to_owned());
        self.names.lock().unwrap_or_else(PoisonError::into_inner).insert(user.clone(), name.clone());
        Ok(name)
    }

    async fn formats(&self, asset: &AssetId, version: &VersionId) -> Result<Vec<FormatFacts>> {
        let scope = FileScope::Version(asset.clone(), version.clone());
        let (formats, sets, files) = (
            self.iconik.list_formats(&scope).all().await?,
            self.iconik.list_file_sets(&scope).all().await?,
            self.iconik.list_files(&scope).all().await?,
        );
        let formats = formats.into_iter().filter(|format| format.status != FileStatus::Deleted);
        Ok(formats.map(|format| of_format(&format, version, &sets, &files)).collect())
    }

    async fn comments(&self, asset: &AssetId, wanted: &BTreeSet<String>) -> Result<Vec<CommentFacts>> {
        if self.rule.comments == Comments::None {
            return Ok(Vec::new());
        }
        let filter = SegmentFilter { kind: Some(SegmentKind::Comment), version: None, all_versions: true };
        let segments = match self.iconik.list_segments(asset, &filter).all().await {
            Err(error) if error.code() == NOT_FOUND => Vec::new(),
            outcome => outcome?,
        };
        let all = self.rule.comments == Comments::AllVersions;
        let mut comments = Vec::new();
        for segment in segments {
            let version = segment.version_id.as_ref().map(VersionId::as_str);
            let is_wanted = all || version.is_none_or(|version| wanted.contains(version));
            if segment.status == SegmentStatus::Deleted || segment.kind != SegmentKind::Comment || !is_wanted
            {
                continue;
            }
            comments.push(self.comment(&segment).await?);
        }
        comments.sort_by(|one, other| (one.at, &one.id).cmp(&(other.at, &other.id)));
        Ok(comments)
    }

    async fn comment(&self, segment: &Segment) -> Result<CommentFacts> {
        let author = match (&segment.user_info, &segment.share_user_email, &segment.user_id) {
            (_, Some(address), _) => address.clone(),
            (Some(person), None, _) if !person.name().is_empty() => person.name(),
            (_, None, Some(user)) => self.name(user, &[]).await?,
            (_, None, None) => "somebody".to_owned(),
        };
        Ok(CommentFacts {
            id: segment.id.as_str().to_owned(),
            version: segment.version_id.as_ref().map(|version| version.as_str().to_owned()),
            answers: segment.parent_id.as_ref().map(|parent| parent.as_str().to_owned()),
            text: segment.text.clone(),
            author,
            author_id: segment.user_id.as_ref().map(|user| user.as_str().to_owned()),
            at: segment.created,
            starts: segment.starts,
            ends: segment.ends,
            resolved: segment.is_resolved,
            internal: segment.is_internal,
            drawing: segment.has_drawing,
        })
    }
}

/// The versions in use, the newest first.
pub(super) fn in_use(asset: &Asset) -> Vec<&AssetVersion> {
    let is_out = |version: &&AssetVersion| {
        !matches!(version.status, VersionStatus::Deleting | VersionStatus::Deleted | VersionStatus::Failed)
    };
    let mut versions: Vec<&AssetVersion> = asset.versions.iter().filter(is_out).collect();
    versions.sort_by_key(|version| std::cmp::Reverse(version.number));
    versions
}

/// The parts that take files of an asset.
pub(super) fn parts_of<'a>(
    rule: &'a ProductionRule,
    kind: &AssetKind,
    category: Option<&str>,
) -> Vec<&'a Part> {
    rule.parts.iter().filter(|part| part.takes_asset(kind, category)).collect()
}

/// Whether a part takes any of these files.
fn has_file_for(part: &Part, formats: &[FormatFacts]) -> bool {
    let wanted = formats.iter().filter(|format| part.takes_format(&format.name));
    let mut files = wanted.flat_map(|format| format.sets.iter().flat_map(|set| &set.files));
    files.any(|file| part.takes_name(&file.name))
}

/// Whether assets of a kind never have files of their own.
pub(super) fn has_no_files(kind: &AssetKind) -> bool {
    matches!(kind, AssetKind::Link | AssetKind::Subclip | AssetKind::Post)
}

/// Values of a view that the summary shows; nothing when there are none.
pub(super) async fn shown_of(
    iconik: &Client,
    object: &ObjectRef,
    shown: &Shown,
) -> Result<Option<ShownFacts>> {
    let values = iconik.get_metadata(object, &shown.view).await?;
    let fields = shown_fields(&values, shown);
    let view = shown.view.as_str().to_owned();
    Ok((!fields.is_empty()).then(|| ShownFacts { title: shown.title.clone(), view, fields }))
}

fn shown_fields(values: &MetadataValues, shown: &Shown) -> Vec<(String, Vec<String>)> {
    let all = values.fields().map(|(field, _)| field);
    let names: Vec<&str> = if shown.fields.is_empty() {
        all.collect()
    } else {
        shown.fields.iter().map(String::as_str).collect()
    };
    let texts = names.into_iter().map(|name| (name.to_owned(), values.texts(name)));
    texts.filter(|(_, values)| !values.is_empty()).collect()
}

fn of_asset(asset: &Asset, member: &Member) -> AssetFacts {
    AssetFacts {
        id: asset.id.as_str().to_owned(),
        title: asset.title.clone(),
        kind: asset.kind.as_str().to_owned(),
        category: asset.category.clone(),
        external_id: asset.external_id.clone(),
        link: asset.external_link.clone(),
        original: asset.original_asset_id.as_ref().map(|id| id.as_str().to_owned()),
        state: match asset.status {
            AssetStatus::Deleted => AssetState::Recycled,
            _ => AssetState::InUse,
        },
        places: member.places.clone(),
        created: asset.created,
        ..AssetFacts::default()
    }
}

fn of_format(format: &Format, version: &VersionId, sets: &[FileSet], files: &[File]) -> FormatFacts {
    let of_this = sets
        .iter()
        .filter(|set| set.format_id.as_ref() == Some(&format.id) && set.status != FileStatus::Deleted);
    let mut sets: Vec<SetFacts> = of_this.map(|set| of_set(set, files)).collect();
    sets.sort_by(|one, other| one.id.cmp(&other.id));
    FormatFacts {
        id: format.id.as_str().to_owned(),
        name: format.name.clone(),
        version: version.as_str().to_owned(),
        archived: format.archive_status == ArchiveStatus::Archived,
        sets,
    }
}

fn of_set(set: &FileSet, files: &[File]) -> SetFacts {
    let of_this = files
        .iter()
        .filter(|file| file.file_set_id.as_ref() == Some(&set.id) && file.status != FileStatus::Deleted);
    let mut files: Vec<FileFacts> = of_this.map(of_file).collect();
    files.sort_by(|one, other| {
        (&one.folder, &one.name, &one.id).cmp(&(&other.folder, &other.name, &other.id))
    });
    SetFacts {
        id: set.id.as_str().to_owned(),
        name: set.name.clone(),
        storage: set.storage_id.as_ref().map(|storage| storage.as_str().to_owned()),
        folder: set.base_dir.clone(),
        archived: set.is_archive || set.status == FileStatus::Archived,
        announced: set.file_count,
        files,
    }
}

fn of_file(file: &File) -> FileFacts {
    FileFacts {
        id: file.id.as_str().to_owned(),
        name: if file.original_name.is_empty() { file.name.clone() } else { file.original_name.clone() },
        folder: file.directory_path.clone(),
        kind: file.kind.as_str().to_owned(),
        status: file.status.as_str().to_owned(),
        usable: file.is_usable(),
        method: file.storage_method.as_str().to_owned(),
        size: file.size,
        checksum: file.checksum.clone(),
        modified: file.modified,
    }
}
