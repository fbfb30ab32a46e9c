//! The Lambda function of the flow `link-references`.

fn main() -> Result<(), shared::lambda::StartError> {
    shared::lambda::start(&iconik_content_server::LINK_REFERENCES)
}
