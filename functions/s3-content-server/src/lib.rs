//! The flows between Amazon S3 and OpenText Content Server.

pub mod archive_closed_files;
pub mod archive_rules;
pub mod export_for_analysis;
pub mod export_rules;
pub mod ingest_uploads;
pub mod intake_rules;
pub mod offload_content;
pub mod offload_rules;
pub mod preflight;
pub mod publish_approved;
pub mod publish_rules;
pub mod replica_rules;
pub mod replicate_content;
pub mod rule_words;
mod sides;
pub mod stage_attachments;
pub mod staging_rules;
mod uploads;
pub mod version_copy;
mod zip;

use archive_closed_files::ArchiveClosedFiles;
use export_for_analysis::ExportForAnalysis;
use ingest_uploads::IngestUploads;
use offload_content::OffloadContent;
use publish_approved::PublishApproved;
use replicate_content::ReplicateContent;
use shared::{
    content_server::{category_values, places},
    error::System,
    flow::Entry,
    reconcile::SidesEntry,
};
use stage_attachments::StageAttachments;

/// Uploads to S3 become governed documents.
pub static INGEST_UPLOADS: Entry = Entry::of::<IngestUploads>();

/// The content of documents goes to S3, and comes back when it is asked for.
pub static OFFLOAD_CONTENT: Entry = Entry::of::<OffloadContent>();

/// Approved documents are published, and withdrawn when the approval ends.
pub static PUBLISH_APPROVED: Entry = Entry::of::<PublishApproved>();

/// Uploads become attachments of workflows; what these decide goes back to S3.
pub static STAGE_ATTACHMENTS: Entry = Entry::of::<StageAttachments>();

/// Content sets have a verified replica elsewhere, from which they can be restored.
pub static REPLICATE_CONTENT: Entry = Entry::of::<ReplicateContent>();

/// Chosen documents go to S3 for analysis, and what was found out comes back.
pub static EXPORT_FOR_ANALYSIS: Entry = Entry::of::<ExportForAnalysis>();

/// Closed cases become bags in the archive, locked and held as their records are.
pub static ARCHIVE_CLOSED_FILES: Entry = Entry::of::<ArchiveClosedFiles>();

/// Every flow of this pair.
pub static FLOWS: &[&Entry] = &[
    &INGEST_UPLOADS,
    &OFFLOAD_CONTENT,
    &PUBLISH_APPROVED,
    &STAGE_ATTACHMENTS,
    &REPLICATE_CONTENT,
    &EXPORT_FOR_ANALYSIS,
    &ARCHIVE_CLOSED_FILES,
];

/// What the sides of these flows are in. S3 has no breaker.
const SYSTEMS: &[System] = &[System::ContentServer];

/// The two sides of flows of this pair, for comparisons.
pub static SIDES: &[SidesEntry] = &[
    SidesEntry {
        flow: "export-for-analysis",
        systems: SYSTEMS,
        connect: export_for_analysis::sides::connect,
    },
    SidesEntry {
        flow: "ingest-uploads",
        systems: SYSTEMS,
        connect: sides::uploads::connect::<IngestUploads>,
    },
    SidesEntry { flow: "offload-content", systems: SYSTEMS, connect: offload_content::connect_sides },
    SidesEntry { flow: "publish-approved", systems: SYSTEMS, connect: publish_approved::connect_sides },
    SidesEntry {
        flow: "archive-closed-files",
        systems: SYSTEMS,
        connect: archive_closed_files::connect_sides,
    },
    SidesEntry { flow: "replicate-content", systems: SYSTEMS, connect: replicate_content::sides::connect },
    SidesEntry {
        flow: "stage-attachments",
        systems: SYSTEMS,
        connect: sides::uploads::connect::<StageAttachments>,
    },
];
