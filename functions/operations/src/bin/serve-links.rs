//! Expiring links to published documents, as a Lambda function.

use operations::serve_links::ServeLinks;
use shared::function::FunctionEntry;

static FUNCTION: FunctionEntry = FunctionEntry::of::<ServeLinks>();

fn main() -> Result<(), shared::lambda::StartError> {
    shared::lambda::start_function(&FUNCTION)
}
