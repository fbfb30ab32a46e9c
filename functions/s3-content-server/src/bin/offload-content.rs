//! The Lambda function of the flow `offload-content`.

fn main() -> Result<(), shared::lambda::StartError> {
    shared::lambda::start(&s3_content_server::OFFLOAD_CONTENT)
}
