//! The Lambda function of the flow `publish-approved`.

fn main() -> Result<(), shared::lambda::StartError> {
    shared::lambda::start(&s3_content_server::PUBLISH_APPROVED)
}
