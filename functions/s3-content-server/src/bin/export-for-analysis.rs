//! The Lambda function of the flow `export-for-analysis`.

fn main() -> Result<(), shared::lambda::StartError> {
    shared::lambda::start(&s3_content_server::EXPORT_FOR_ANALYSIS)
}
