//! The Lambda function of the flow `request-disposition`.

fn main() -> Result<(), shared::lambda::StartError> {
    shared::lambda::start(&iconik_content_server::REQUEST_DISPOSITION)
}
