//! The Lambda function `watch-iconik`.

fn main() -> Result<(), shared::lambda::StartError> {
    shared::lambda::start_function(&watch::WATCH_ICONIK)
}
