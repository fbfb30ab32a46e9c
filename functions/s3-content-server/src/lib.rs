//! The flows between Amazon S3 and OpenText Content Server.

pub mod ingest_uploads;
pub mod intake_rules;
mod parts;

use ingest_uploads::IngestUploads;
use shared::flow::Entry;

/// Uploads to S3 become governed documents.
pub static INGEST_UPLOADS: Entry = Entry::of::<IngestUploads>();

/// Every flow of this pair.
pub static FLOWS: &[&Entry] = &[&INGEST_UPLOADS];
