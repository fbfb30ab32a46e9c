//! The documents that the package makes itself: approvals, comments, the page for people, and last of all the summary for
//! machines, which has the hash of everything else.

use bytes::Bytes;
use serde::Serialize;
use shared::{
    error::{Error, Result},
    filing::{Content, Existing, Filed as Outcome, Filing, Mark, Verify, VersionsOf},
    flow::{Item, Run},
    http::{Replayable, full},
    ledger::Key,
    transfer::{Digests, RangedSource, Witness},
};

use super::{
    ArchiveProduction,
    closing::Production,
    file::{Place, plan},
    filed::Filed,
    pack::Packing,
    select::Selection,
    summary::{self, Building, Closing, Document, Package, SummaryCollection},
    work::{Read, Work},
};
use crate::production_rules::RECORDS_FOLDER;

/// The names of the documents.
pub(super) const APPROVALS: &str = "Approvals.json";
pub(super) const COMMENTS: &str = "Comments.json";
pub(super) const PAGE: &str = "Production summary.html";
pub(super) const SUMMARY: &str = "Production summary.json";
const JSON: &str = "application/json";

/// A document to be written.
struct Record<'a> {
    folders: &'a [String],
    name: &'a str,
    media_type: &'a str,
    bytes: Bytes,
}

impl ArchiveProduction {
    /// Writes what is not written yet.
    pub(super) async fn write_records(
        &self,
        packing: &Packing<'_>,
        work: &mut Work,
        (read, selection, filed): (&Read, &Selection, &[Filed]),
        place: &Place,
    ) -> Result<()> {
        if work.progress.summary.is_some() {
            return Ok(());
        }
        packing.show(super::pack::TOTAL * 92 / 100, "writing the summary").await?;
        let (production, run) = (packing.production, packing.run);
        let building = building(production, work, (read, selection, filed), place);
        let bare = building.summary(&[]);
        let folder = [RECORDS_FOLDER.to_owned()];
        let mut records = Vec::new();
        for (name, bytes) in [(APPROVALS, json(&bare.approvals())?), (COMMENTS, json(&bare.comments())?)] {
            let record = Record { folders: &folder, name, media_type: JSON, bytes };
            records.push(self.write(production, place, &record, run).await?);
        }
        let page = summary::page(&building.summary(&records));
        let record =
            Record { folders: &[], name: PAGE, media_type: "text/html", bytes: page.into_bytes().into() };
        records.push(self.write(production, place, &record, run).await?);
        let bytes = json(&building.summary(&records))?;
        let record = Record { folders: &[], name: SUMMARY, media_type: JSON, bytes };
        work.progress.summary = Some(self.write(production, place, &record, run).await?);
        work.progress.records = records;
        self.save(work, run).await
    }

    async fn write(
        &self,
        production: &Production<'_>,
        place: &Place,
        record: &Record<'_>,
        run: &Run,
    ) -> Result<Document> {
        let digests = Digests::of(&record.bytes);
        let content = content(record, &digests);
        let mark = mark(production, place, record.name, &digests);
        let plan = plan(place, record.folders, record.name, Existing::NewVersion);
        let origin = format!(
            "closing {} of iconik collection {}",
            production.closing.number, production.collection.id
        );
        let filing = Filing {
            plan: &plan,
            mark: &mark,
            content: &content,
            verify: Verify::ReadBack,
            versions_of: VersionsOf::SameAsset,
            origin: &origin,
            run,
            guard: None,
            told: None,
        };
        let (Outcome::Done { placed, .. } | Outcome::LeftAlone { placed, .. }) =
            Box::pin(self.filer.file(&filing)).await?;
        let path: Vec<&str> = record.folders.iter().map(String::as_str).chain([record.name]).collect();
        Ok(Document {
            path: path.join("/"),
            node: placed.node.0,
            node_version: placed.version,
            size: digests.bytes,
            sha256: digests.sha256,
        })
    }
}

/// What the summary is made of.
fn building<'a>(
    production: &Production<'a>,
    work: &Work,
    (read, selection, filed): (&'a Read, &'a Selection, &'a [Filed]),
    place: &Place,
) -> Building<'a> {
    let (collection, closed) = (&production.collection, &production.rule.closed);
    let revision = closed.revision_field.as_ref().map(|field| production.metadata.texts(field).join(", "));
    Building {
        rule: production.rule,
        collection: SummaryCollection {
            id: collection.id.as_str().to_owned(),
            title: collection.title.clone(),
            category: collection.category.clone(),
            external_id: collection.external_id.clone(),
            created: collection.created,
        },
        closing: Closing {
            number: production.closing.number,
            field: closed.field.clone(),
            value: production.metadata.texts(&closed.field).join(", "),
            revision: revision.filter(|revision| !revision.is_empty()),
            noticed: production.closing.at,
            packaged: work.progress.began.unwrap_or(production.closing.at),
        },
        package: Package { node: place.node, name: place.name.clone() },
        shown: &read.shown,
        tree: &read.tree,
        assets: &read.assets,
        selection,
        filed,
    }
}

fn json<T: Serialize>(value: &T) -> Result<Bytes> {
    let mut text = serde_json::to_vec_pretty(value)
        .map_err(|error| Error::bug("write JSON", "a record of a package is not JSON").source(error))?;
    text.push(b'\n');
    Ok(text.into())
}

fn content(record: &Record<'_>, digests: &Digests) -> Content {
    let witness = Witness::new();
    let length = digests.bytes;
    let whole = {
        let (bytes, witness) = (record.bytes.clone(), witness.clone());
        Replayable::new(length, move || {
            let (bytes, witness) = (bytes.clone(), witness.clone());
            async move { Ok(witness.watch(full(bytes))) }
        })
    };
    let bytes = record.bytes.clone();
    let source = RangedSource::new(&digests.sha256, length, move |offset, wanted| {
        let part = usize::try_from(offset).unwrap_or(usize::MAX)
            ..usize::try_from(offset + wanted).unwrap_or(usize::MAX);
        let part = bytes.get(part).map(|part| bytes.slice_ref(part)).unwrap_or_default();
        async move { Ok(full(part)) }
    });
    Content {
        whole,
        witness,
        source,
        file_name: record.name.to_owned(),
        content_type: record.media_type.to_owned(),
        crc64_nvme: None,
        sha256: Some(digests.sha256.clone()),
        modified: None,
    }
}

/// The mark of a record. Those of one name succeed one another, closing by closing.
fn mark(production: &Production<'_>, place: &Place, name: &str, digests: &Digests) -> Mark {
    let collection = production.collection.id.as_str();
    let (number, node) = (production.closing.number.to_string(), place.node.to_string());
    let item = Item {
        key: Key::of(&["record", collection, &node, &number, name, &digests.sha256]),
        payload_hash: String::new(),
        asset: Key::of(&["iconik", collection, "record", name]).digest().to_owned(),
        asset_text: String::new(),
    };
    Mark::of(&item, None)
}
