//! The Lambda function of the flow `exchange-review-status`.

fn main() -> Result<(), shared::lambda::StartError> {
    shared::lambda::start(&iconik_content_server::EXCHANGE_REVIEW_STATUS)
}
