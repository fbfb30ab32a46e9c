//! The Lambda function of the flow `sync-asset-metadata`.

fn main() -> Result<(), shared::lambda::StartError> {
    shared::lambda::start(&iconik_content_server::SYNC_ASSET_METADATA)
}
