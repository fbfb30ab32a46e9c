//! The Lambda function of the flow `start-signoff`.

fn main() -> Result<(), shared::lambda::StartError> {
    shared::lambda::start(&iconik_content_server::START_SIGNOFF)
}
