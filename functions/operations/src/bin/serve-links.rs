//! Expiring links to published documents, as a Lambda function.

fn main() -> Result<(), shared::lambda::StartError> {
    shared::lambda::start_function(&operations::SERVE_LINKS)
}
