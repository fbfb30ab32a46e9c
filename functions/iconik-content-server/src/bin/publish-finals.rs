//! The Lambda function of the flow `publish-finals`.

fn main() -> Result<(), shared::lambda::StartError> {
    shared::lambda::start(&iconik_content_server::PUBLISH_FINALS)
}
