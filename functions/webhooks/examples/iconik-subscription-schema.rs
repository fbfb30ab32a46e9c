//! Prints the JSON Schema of the subscriptions to iconik.
#![allow(clippy::print_stdout)]

fn main() {
    print!("{}", webhooks::receive_iconik::subscriptions::schema());
}
