//! One contract for every stand-in for AWS: each test runs against the in-process stand-in always, and against the
//! endpoint of `WAYBILL_AWS_URL` (ministack, or another emulator) when it is set. A difference found here is a bug of
//! a stand-in; where a known one is not ours to mend, [`side::Capability`] names it.

#![cfg(test)]

mod dynamodb_conditions;
mod dynamodb_items;
mod dynamodb_transactions;
mod eventbridge;
mod s3_multipart;
mod s3_objects;
mod s3_versions;
mod secrets;
mod side;
mod sqs;
mod stand_in;

/// Makes two tests of each named function: `in_process::name` and `at_address::name`.
macro_rules! contract {
    ($($name:ident),+ $(,)?) => {
        mod in_process {
            $(#[tokio::test]
            async fn $name() {
                super::$name(crate::side::Side::in_process()).await;
            })+
        }

        mod at_address {
            $(#[tokio::test]
            async fn $name() {
                if let Some(side) = crate::side::Side::at_address() {
                    super::$name(side).await;
                }
            })+
        }
    };
}
use contract;
