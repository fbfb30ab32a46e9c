//! The Lambda function of the flow `archive-closed-files`.

fn main() -> Result<(), shared::lambda::StartError> {
    shared::lambda::start(&s3_content_server::ARCHIVE_CLOSED_FILES)
}
