//! The client of iconik against its simulator: each family of calls, and what goes wrong.

mod assets;
mod faults;
mod files;
mod reviews;
mod words;

use shared::{
    context::Context,
    http::Pace,
    iconik::{AssetId, Client, Credential, Settings},
};
use simulators::{
    Clock,
    iconik::{self as simulator, seed},
};
use tests::in_process;

pub(crate) const BEGINNING: &str = "2031-05-06T07:08:09Z";
/// Where the simulator says its buckets are when a request names no host.
const BASE: &str = "http://127.0.0.1";

/// A tenant, and a client of it as its service user.
pub(crate) fn tenant(settings: simulator::Settings) -> (simulator::Simulator, Client) {
    tenant_with(settings, Settings::at(BASE))
}

/// The same with settings of the client.
pub(crate) fn tenant_with(settings: simulator::Settings, ours: Settings) -> (simulator::Simulator, Client) {
    // Its clock goes with that of the test, so that waiting for the index is waiting.
    let beginning: jiff::Timestamp = BEGINNING.parse().unwrap();
    let started = tokio::time::Instant::now();
    let clock = Clock::from_fn(move || beginning + started.elapsed());
    let simulator = simulator::Simulator::new(settings, clock);
    let client = client_of(&simulator, ours, &token());
    (simulator, client)
}

/// The secret of the service user.
pub(crate) fn token() -> String {
    format!(r#"{{"mode":"application-token","app_id":"{}","auth_token":"{}"}}"#, seed::APP_ID, seed::TOKEN)
}

/// A client with a secret.
pub(crate) fn client_of(simulator: &simulator::Simulator, ours: Settings, secret: &str) -> Client {
    client_paced(simulator, ours, secret, 10_000.0)
}

/// The same with so many requests per second at most.
pub(crate) fn client_paced(
    simulator: &simulator::Simulator,
    ours: Settings,
    secret: &str,
    per_second: f64,
) -> Client {
    ours.validate().unwrap();
    let context = Context::simulated(BEGINNING.parse().unwrap(), 7);
    let transport = in_process::transport(simulator.router());
    Client::new(
        ours,
        Credential::from_json(secret).unwrap(),
        transport,
        context,
        Pace::per_second(per_second),
    )
}

/// Settings of the client at the tenant.
pub(crate) fn ours() -> Settings {
    Settings::at(BASE)
}

/// The asset with a title in the seed.
pub(crate) fn seeded(simulator: &simulator::Simulator, title: &str) -> AssetId {
    AssetId::new(simulator.with_state(|state| state.titled(title)).expect("it is seeded"))
}
