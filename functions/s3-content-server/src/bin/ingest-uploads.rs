//! The Lambda function of the flow `ingest-uploads`.

fn main() -> Result<(), shared::lambda::StartError> {
    shared::lambda::start(&s3_content_server::INGEST_UPLOADS)
}
