//! The real binaries, end to end: an upload on one side, a document on the other, and what goes wrong between them.
//! One file per flow; those of `ingest-uploads` are `arrivals`, `batches`, `crashes`, `events`,
//! `outages`, `refusals` and `secrets`. `doors` is about every function that no queue feeds.
//!
//! `make test` sets what they need. By hand:
//!
//! ```text
//! infra/package local
//! WAYBILL_ARTEFACTS=target/lambda-local tests/aws/stand-in run -- cargo nextest run -p tests --test flows
//! ```
//!
//! Without these, leave them out: `cargo nextest run -E 'not binary(flows)'`.

mod archive_closed_files;
mod archive_production;
mod arrivals;
mod batches;
mod crashes;
mod deployed;
mod doors;
mod events;
mod exchange_review_status;
mod export_for_analysis;
mod file_rights;
mod link_references;
mod offload_content;
mod outages;
mod publish_approved;
mod publish_finals;
mod receive_iconik;
mod reconcile;
mod refusals;
mod replicate_content;
mod request_disposition;
mod secrets;
mod serve_links;
mod stage_attachments;
mod start_signoff;
mod sync_asset_metadata;
mod watch_content_server;
mod watch_iconik;
mod world;
