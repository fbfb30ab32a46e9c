//! The door for iconik, as a Lambda function.

fn main() -> Result<(), shared::lambda::StartError> {
    shared::lambda::start_function(&webhooks::RECEIVE_ICONIK)
}
