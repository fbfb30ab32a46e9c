//! Comparisons of both sides: planted differences are all found, nothing else is.

mod approved;
mod archive_closed_files;
mod archive_production;
mod exchange_review_status;
mod export_for_analysis;
mod faults;
mod file_rights;
mod ingest_uploads;
mod link_references;
mod offload_content;
mod publish_approved;
mod publish_finals;
mod random;
mod replicate_content;
mod request_disposition;
mod runs;
mod side;
mod stage_attachments;
mod start_signoff;
mod sync_asset_metadata;
