//! A tenant, clients of it, and the way between them without a socket.

use shared::{
    context::Context,
    http::Pace,
    preservica::{Client, Credential, Reference, Settings},
};
use simulators::{
    Clock,
    preservica::{self as simulator, seed},
};

pub(crate) use crate::in_process::read;
use crate::in_process::transport;

const BEGINNING: &str = "2031-05-06T07:08:09Z";
const BASE: &str = "http://preservica.example.com";

/// A tenant, and a client of it as the operator.
pub(crate) fn tenant(settings: simulator::Settings) -> (simulator::Simulator, Client) {
    tenant_with(settings, ours())
}

/// The same with settings of the client.
pub(crate) fn tenant_with(settings: simulator::Settings, ours: Settings) -> (simulator::Simulator, Client) {
    // Its clock goes with that of the test, so that waiting is waiting.
    let beginning: jiff::Timestamp = BEGINNING.parse().unwrap();
    let started = tokio::time::Instant::now();
    let clock = Clock::from_fn(move || beginning + started.elapsed());
    let simulator = simulator::Simulator::new(settings, clock);
    let client = client_of(&simulator, ours, seed::OPERATOR);
    (simulator, client)
}

/// A client as somebody.
pub(crate) fn client_of(simulator: &simulator::Simulator, ours: Settings, user: &str) -> Client {
    client_with(simulator, ours, &secret_of(user, seed::PASSWORD))
}

/// A client with a secret.
pub(crate) fn client_with(simulator: &simulator::Simulator, ours: Settings, secret: &str) -> Client {
    ours.validate().unwrap();
    let context = Context::simulated(BEGINNING.parse().unwrap(), 7);
    let credential = Credential::from_json(secret).unwrap();
    Client::new(ours, credential, transport(simulator.router()), context, Pace::per_second(10_000.0))
}

/// The secret of somebody.
pub(crate) fn secret_of(user: &str, password: &str) -> String {
    format!(r#"{{"username":"{user}","password":"{password}","tenant":"{}"}}"#, seed::TENANT)
}

/// Settings of the client at the tenant.
pub(crate) fn ours() -> Settings {
    Settings::at(BASE)
}

/// The reference of what has a title in the seed.
pub(crate) fn seeded(simulator: &simulator::Simulator, title: &str) -> Reference {
    let found = simulator.with_state(|state| state.titled(title).map(|entity| entity.reference.clone()));
    Reference::new(found.expect("it is seeded"))
}

/// How often a path was called.
pub(crate) fn calls(simulator: &simulator::Simulator, part: &str) -> usize {
    simulator.journal().entries().iter().filter(|entry| entry.path.contains(part)).count()
}
