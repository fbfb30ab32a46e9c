//! Puts a summary together out of what was read and what was filed.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    AssetSummary, Closing, Comment, Document, FileSummary, LeftOut, Package, PartSummary, Review, SCHEMA,
    Shown, ShownField, Summary, SummaryCollection, Totals, Verdict, VersionSummary,
};
use crate::{
    archive_production::{
        facts::{AssetFacts, AssetState, ReviewFacts, ShownFacts, Tree},
        filed::Filed,
        select::{Chosen, Selection},
    },
    production_rules::ProductionRule,
};

/// What a summary is made of.
pub(in crate::archive_production) struct Building<'a> {
    pub(in crate::archive_production) rule: &'a ProductionRule,
    pub(in crate::archive_production) collection: SummaryCollection,
    pub(in crate::archive_production) closing: Closing,
    pub(in crate::archive_production) package: Package,
    pub(in crate::archive_production) shown: &'a [ShownFacts],
    pub(in crate::archive_production) tree: &'a Tree,
    pub(in crate::archive_production) assets: &'a [AssetFacts],
    pub(in crate::archive_production) selection: &'a Selection,
    pub(in crate::archive_production) filed: &'a [Filed],
}

impl Building<'_> {
    /// The summary, with these documents beside the files of assets.
    pub(in crate::archive_production) fn summary(&self, records: &[Document]) -> Summary {
        let filed: BTreeMap<&str, &Filed> =
            self.filed.iter().map(|filed| (filed.file.as_str(), filed)).collect();
        let mut files: BTreeMap<usize, Vec<FileSummary>> = BTreeMap::new();
        for chosen in &self.selection.files {
            if let Some(filed) = filed.get(chosen.file.id.as_str()) {
                files.entry(chosen.asset).or_default().push(self.file(chosen, filed));
            }
        }
        let assets: Vec<AssetSummary> = self
            .assets
            .iter()
            .enumerate()
            .map(|(position, asset)| self.asset(asset, files.remove(&position).unwrap_or_default()))
            .collect();
        let in_package = assets.iter().flat_map(|asset| &asset.files).map(|file| Document {
            path: file.path.clone(),
            node: file.node,
            node_version: file.node_version,
            size: file.size,
            sha256: file.sha256.clone(),
        });
        let mut documents: Vec<Document> = in_package.collect();
        documents.sort_by(|one, other| one.path.cmp(&other.path));
        documents.extend(records.iter().cloned());
        Summary {
            schema: SCHEMA.to_owned(),
            collection: self.collection.clone(),
            closing: self.closing.clone(),
            rule: self.rule.name.clone(),
            package: self.package.clone(),
            totals: self.totals(&assets),
            metadata: shown(self.shown),
            parts: self.parts(&assets),
            collections: self.tree.collections.iter().map(|place| place.path.clone()).collect(),
            assets,
            documents,
            left_out: self
                .selection
                .left_out
                .iter()
                .map(|problem| LeftOut {
                    asset: problem.asset.clone(),
                    file: problem.file.clone(),
                    code: problem.code.clone(),
                    what: problem.what.clone(),
                })
                .collect(),
        }
    }

    fn file(&self, chosen: &Chosen, filed: &Filed) -> FileSummary {
        let part = self.rule.parts.get(chosen.part);
        FileSummary {
            path: chosen.path(),
            part: part.map(|part| part.folder.clone()).unwrap_or_default(),
            version: chosen.version.clone(),
            format: chosen.format.clone(),
            file: chosen.file.id.clone(),
            name: chosen.file.name.clone(),
            modified: chosen.file.modified,
            stated_checksum: chosen.file.checksum.clone(),
            node: filed.node,
            node_version: filed.version,
            size: filed.size,
            sha256: filed.sha256.clone(),
        }
    }

    fn asset(&self, asset: &AssetFacts, files: Vec<FileSummary>) -> AssetSummary {
        let packaged: BTreeSet<&str> = files.iter().map(|file| file.version.as_str()).collect();
        let place = |position: &usize| Some(self.tree.collections.get(*position)?.path.clone());
        let versions = asset.versions.iter().map(|version| VersionSummary {
            id: version.id.clone(),
            number: version.number,
            created: version.created,
            created_by: version.created_by.clone(),
            packaged: packaged.contains(version.id.as_str()),
            review: version.review.as_ref().map(review),
        });
        AssetSummary {
            versions: versions.collect(),
            id: asset.id.clone(),
            title: asset.title.clone(),
            kind: asset.kind.clone(),
            category: asset.category.clone(),
            external_id: asset.external_id.clone(),
            state: match asset.state {
                AssetState::InUse => "in-use",
                AssetState::Recycled => "recycled",
                AssetState::Gone => "gone",
            }
            .to_owned(),
            link: asset.link.clone(),
            original_asset: asset.original.clone(),
            places: asset.places.iter().filter_map(place).collect(),
            created: asset.created,
            comments: asset.comments.iter().map(comment).collect(),
            metadata: shown(&asset.shown),
            files,
        }
    }

    fn totals(&self, assets: &[AssetSummary]) -> Totals {
        let count = |number: usize| u64::try_from(number).unwrap_or(u64::MAX);
        let files = || assets.iter().flat_map(|asset| &asset.files);
        let verdicts = |asset: &AssetSummary| -> usize {
            let reviews = asset.versions.iter().filter_map(|version| version.review.as_ref());
            reviews.map(|review| review.verdicts.len()).sum()
        };
        Totals {
            collections: count(self.tree.collections.len()),
            assets: count(assets.len()),
            packaged_assets: count(assets.iter().filter(|asset| !asset.files.is_empty()).count()),
            files: count(files().count()),
            bytes: files().map(|file| file.size).sum(),
            comments: count(assets.iter().map(|asset| asset.comments.len()).sum()),
            verdicts: count(assets.iter().map(verdicts).sum()),
            left_out: count(self.selection.left_out.len()),
        }
    }

    fn parts(&self, assets: &[AssetSummary]) -> Vec<PartSummary> {
        let all: Vec<&FileSummary> = assets.iter().flat_map(|asset| &asset.files).collect();
        let parts = self.rule.parts.iter().map(|part| {
            let files = || all.iter().filter(|file| file.part == part.folder);
            PartSummary {
                folder: part.folder.clone(),
                title: part.title.clone(),
                files: u64::try_from(files().count()).unwrap_or(u64::MAX),
                bytes: files().map(|file| file.size).sum(),
            }
        });
        parts.collect()
    }
}

fn review(facts: &ReviewFacts) -> Review {
    Review {
        status: facts.status.clone(),
        needed: facts.needed,
        requested_by: facts.requested_by.clone(),
        requested: facts.requested,
        changed: facts.changed,
        verdicts: facts
            .verdicts
            .iter()
            .map(|verdict| Verdict {
                reviewer: verdict.reviewer.clone(),
                reviewer_id: verdict.reviewer_id.clone(),
                status: verdict.status.clone(),
                at: verdict.at,
            })
            .collect(),
    }
}

fn comment(facts: &crate::archive_production::facts::CommentFacts) -> Comment {
    Comment {
        id: facts.id.clone(),
        version: facts.version.clone(),
        answers: facts.answers.clone(),
        text: facts.text.clone(),
        author: facts.author.clone(),
        author_id: facts.author_id.clone(),
        at: facts.at,
        starts_milliseconds: facts.starts,
        ends_milliseconds: facts.ends,
        resolved: facts.resolved,
        internal: facts.internal,
        drawing: facts.drawing,
    }
}

fn shown(facts: &[ShownFacts]) -> Vec<Shown> {
    let field =
        |(name, values): &(String, Vec<String>)| ShownField { name: name.clone(), values: values.clone() };
    let all = facts.iter().map(|shown| Shown {
        title: shown.title.clone(),
        view: shown.view.clone(),
        fields: shown.fields.iter().map(field).collect(),
    });
    all.collect()
}
