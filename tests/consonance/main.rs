//! The client of Consonance against its simulator: what is read, what is written, and what goes wrong.

mod events;
mod faults;
mod reading;
mod rest;
mod schema;
mod sockets;
mod writing;

use shared::{
    consonance::{Client, Credential, Settings},
    context::Context,
    http::Pace,
};
use simulators::{
    Clock,
    consonance::{self as simulator, seed},
};
use tests::in_process;

pub(crate) const BEGINNING: &str = "2031-05-06T07:08:09Z";
const BASE: &str = "http://127.0.0.1";

/// An account, and a client of it.
pub(crate) fn account(settings: simulator::Settings) -> (simulator::Simulator, Client) {
    account_with(settings, ours())
}

/// The same with settings of the client.
pub(crate) fn account_with(settings: simulator::Settings, ours: Settings) -> (simulator::Simulator, Client) {
    // Its clock goes with that of the test.
    let beginning: jiff::Timestamp = BEGINNING.parse().unwrap();
    let started = tokio::time::Instant::now();
    let clock = Clock::from_fn(move || beginning + started.elapsed());
    let simulator = simulator::Simulator::new(settings, clock);
    let client = client_of(&simulator, ours, &secret());
    (simulator, client)
}

/// The keys that are seeded.
pub(crate) fn secret() -> String {
    format!(r#"{{"graphql_key":"{}","rest_token":"{}"}}"#, seed::GRAPHQL_KEY, seed::REST_TOKEN)
}

/// A client with a secret.
pub(crate) fn client_of(simulator: &simulator::Simulator, ours: Settings, secret: &str) -> Client {
    ours.validate().unwrap();
    let context = Context::simulated(BEGINNING.parse().unwrap(), 7);
    let transport = in_process::transport(simulator.router());
    Client::new(ours, Credential::from_json(secret).unwrap(), transport, context, Pace::per_second(10_000.0))
}

/// Settings of the client at the account.
pub(crate) fn ours() -> Settings {
    Settings::at(BASE)
}

/// The ids of what was read.
pub(crate) fn ids<T>(records: &[T], id: impl Fn(&T) -> Option<i64>) -> Vec<i64> {
    records.iter().filter_map(id).collect()
}
