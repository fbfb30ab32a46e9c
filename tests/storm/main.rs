//! The storm over every flow.
//!
//! Exhaustive: each call of a scenario meets each fault its system can have, then redelivery. Rivals: two workers with
//! clocks 15 seconds apart, every message twice, each call held. Random: `STORM_SEEDS` nights of several faults; one
//! seed is one schedule and replays exactly (`STORM_SEED=n STORM_SCENARIO=name`).

mod archive_closed_files;
mod archive_engine;
mod archive_production;
mod archive_reasons;
mod disposition_reasons;
mod due;
mod exchange_review_status;
mod export_for_analysis;
mod figures;
mod file_rights;
mod finals_reasons;
mod finals_stopped;
mod ingest_uploads;
mod intake_reasons;
mod keep_masters;
mod large;
mod late_writes;
mod link_reasons;
mod link_references;
mod offload_content;
mod offload_later;
mod production_reasons;
mod publish_approved;
mod publish_finals;
mod publish_settings;
mod receive_iconik;
mod replicate_content;
mod request_disposition;
mod review_reasons;
mod rights_reasons;
mod sabotage;
mod signoff_reasons;
mod stage_attachments;
mod stage_reasons;
mod start_signoff;
mod switches;
mod sync_asset_metadata;
mod watch_content_server;
mod watch_iconik;
mod weather;

use tests::storm::Scenario;

/// A schedule is some hundred thousand small allocations: with the system's allocator a sixth of the storm.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Every scenario of every flow.
fn scenarios() -> Vec<Scenario> {
    [
        ingest_uploads::scenarios(),
        offload_content::scenarios(),
        publish_approved::scenarios(),
        replicate_content::scenarios(),
        stage_attachments::scenarios(),
        export_for_analysis::scenarios(),
        archive_closed_files::scenarios(),
        archive_production::scenarios(),
        publish_finals::scenarios(),
        file_rights::scenarios(),
        start_signoff::scenarios(),
        sync_asset_metadata::scenarios(),
        request_disposition::scenarios(),
        link_references::scenarios(),
        exchange_review_status::scenarios(),
        keep_masters::scenarios(),
    ]
    .concat()
}

#[test]
fn every_flow_has_a_scenario() {
    let covered: Vec<&str> = scenarios().iter().map(|scenario| scenario.flow.name).collect();
    for flow in s3_content_server::FLOWS.iter().chain(iconik_content_server::FLOWS) {
        assert!(covered.contains(&flow.name), "{} has no scenario in the storm", flow.name);
    }
}

#[test]
fn every_change_feed_has_a_story() {
    let covered = [watch_content_server::COVERED, watch_iconik::COVERED].concat();
    for function in watch::FUNCTIONS {
        assert!(covered.contains(&function.name), "{} has no story", function.name);
    }
}

#[test]
fn every_public_door_has_a_story() {
    for function in webhooks::FUNCTIONS {
        assert!(receive_iconik::COVERED.contains(&function.name), "{} has no story", function.name);
    }
}
