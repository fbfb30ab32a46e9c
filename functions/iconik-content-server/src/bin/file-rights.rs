//! The Lambda function of the flow `file-rights`.

fn main() -> Result<(), shared::lambda::StartError> {
    shared::lambda::start(&iconik_content_server::FILE_RIGHTS)
}
