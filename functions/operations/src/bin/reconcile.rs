//! The Lambda function `reconcile`.

fn main() -> Result<(), shared::lambda::StartError> {
    shared::lambda::start_function(&operations::RECONCILE)
}
