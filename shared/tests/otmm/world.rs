//! A repository, clients of it, and what the site declares.

use shared::{
    context::Context,
    http::Pace,
    otmm::{Asset, AssetId, Client, Credential, FieldId, Load, ModelId, OperatorId, PolicyId, Settings},
};
use simulators::{
    Clock,
    otmm::{self as simulator, seed},
};

pub(crate) use crate::in_process::read;
use crate::in_process::transport;

pub(crate) const BEGINNING: &str = "2031-05-06T07:08:09Z";
pub(crate) const BASE: &str = "http://dam.example.com";

/// A repository, and a client of it as the integration user.
pub(crate) fn site(settings: simulator::Settings) -> (simulator::Simulator, Client) {
    site_with(settings, ours())
}

/// The same with settings of the client.
pub(crate) fn site_with(settings: simulator::Settings, ours: Settings) -> (simulator::Simulator, Client) {
    // Its clock goes with that of the test, so that waiting is waiting.
    let beginning: jiff::Timestamp = BEGINNING.parse().unwrap();
    let started = tokio::time::Instant::now();
    let clock = Clock::from_fn(move || beginning + started.elapsed());
    let simulator = simulator::Simulator::new(settings, clock);
    let client = client_with(&simulator, ours, &password_of(seed::INTEGRATION));
    (simulator, client)
}

/// A client with a secret.
pub(crate) fn client_with(simulator: &simulator::Simulator, ours: Settings, secret: &str) -> Client {
    ours.validate().unwrap();
    let context = Context::simulated(BEGINNING.parse().unwrap(), 7);
    let credential = Credential::from_json(secret).unwrap();
    Client::new(ours, credential, transport(simulator.router()), context, Pace::per_second(10_000.0))
}

/// A client as somebody.
pub(crate) fn client_as(simulator: &simulator::Simulator, user: &str) -> Client {
    client_with(simulator, ours(), &password_of(user))
}

/// The secret of somebody.
pub(crate) fn password_of(user: &str) -> String {
    format!(r#"{{"mode":"password","username":"{user}","password":"{}"}}"#, seed::PASSWORD)
}

/// What the site declares, as its administrator would.
pub(crate) fn ours() -> Settings {
    let mut settings = Settings::at(BASE);
    settings.session.directory_url = BASE.to_owned();
    settings.ids.updated = FieldId::new(seed::UPDATED);
    settings.ids.correlation = FieldId::new(seed::CORRELATION);
    settings.ids.asset_model = ModelId::new(seed::MODEL);
    settings.ids.policies = vec![PolicyId::new(seed::POLICY.to_string())];
    settings.ids.operators.date_from = OperatorId::new("ARTESIA.OPERATOR.DATE.IS ON OR AFTER");
    settings.types.date = "dateTime".to_owned();
    settings.actions.cancel_check_out = "cancel_check_out".to_owned();
    settings.actions.undelete = "undelete".to_owned();
    settings
}

/// The id of what has a name in the seed, deleted or not; of several versions the latest.
pub(crate) fn seeded(simulator: &simulator::Simulator, name: &str) -> AssetId {
    let found = simulator.with_state(|state| {
        let is_it = |asset: &&simulator::state::Asset| asset.name == name && asset.latest;
        state.titled(name).or_else(|| state.assets.values().find(is_it)).map(|asset| asset.id.clone())
    });
    AssetId::new(found.expect("it is seeded"))
}

/// What has a name in the seed, read whole.
pub(crate) async fn asset(simulator: &simulator::Simulator, client: &Client, name: &str) -> Asset {
    client.get_asset(&seeded(simulator, name), Load::Full).await.unwrap()
}

/// Calls by method and a part of the path.
pub(crate) fn calls(simulator: &simulator::Simulator, method: &str, part: &str) -> usize {
    let entries = simulator.journal().entries();
    entries.iter().filter(|entry| entry.method == method && entry.path.contains(part)).count()
}

/// A field.
pub(crate) fn field(id: &str) -> FieldId {
    FieldId::new(id)
}
