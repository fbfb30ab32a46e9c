//! The flows between Amazon S3 and OpenText Content Server.

mod category_values;
pub mod ingest_uploads;
pub mod intake_rules;
pub mod offload_content;
pub mod offload_rules;
mod parts;
mod places;
mod reason_file;
pub mod rule_words;
pub mod version_copy;

use ingest_uploads::IngestUploads;
use offload_content::OffloadContent;
use shared::flow::Entry;

/// Uploads to S3 become governed documents.
pub static INGEST_UPLOADS: Entry = Entry::of::<IngestUploads>();

/// The content of documents goes to S3, and comes back when it is asked for.
pub static OFFLOAD_CONTENT: Entry = Entry::of::<OffloadContent>();

/// Every flow of this pair.
pub static FLOWS: &[&Entry] = &[&INGEST_UPLOADS, &OFFLOAD_CONTENT];
