//! The Lambda function of the flow `replicate-content`.

fn main() -> Result<(), shared::lambda::StartError> {
    shared::lambda::start(&s3_content_server::REPLICATE_CONTENT)
}
