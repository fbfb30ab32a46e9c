//! The Lambda function `watch-content-server`.

fn main() -> Result<(), shared::lambda::StartError> {
    shared::lambda::start_function(&watch::WATCH_CONTENT_SERVER)
}
