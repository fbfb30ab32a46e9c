//! The Lambda function of the flow `archive-production`.

fn main() -> Result<(), shared::lambda::StartError> {
    shared::lambda::start(&iconik_content_server::ARCHIVE_PRODUCTION)
}
