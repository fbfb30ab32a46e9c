//! The Lambda function of the flow `stage-attachments`.

fn main() -> Result<(), shared::lambda::StartError> {
    shared::lambda::start(&s3_content_server::STAGE_ATTACHMENTS)
}
