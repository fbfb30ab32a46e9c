//! iconik: what is in it, what it tells, and that it goes away.

use simulators::{
    Clock,
    iconik::{Settings, Simulator, seed, state::Object},
    serve,
};
use tests::{installation::Installation, messages};
use tokio::task::JoinHandle;

use super::World;

/// An iconik that is served on a port of its own.
pub(super) struct Tenant {
    pub(super) simulator: Simulator,
    secret: String,
    server: Option<JoinHandle<()>>,
    port: u16,
}

impl Tenant {
    /// Serves it, and puts the credential of its service user into a secret.
    pub(super) async fn serve(settings: Settings, place: &Installation) -> Self {
        let simulator = Simulator::new(settings, Clock::machine());
        let (address, server) = serve(simulator.router(), 0).await.expect("a free port");
        let secret = format!("waybill/{}/iconik", place.account);
        place.set_secret(&secret, &messages::iconik_credential(seed::TOKEN)).await;
        Self { simulator, secret, server: Some(server), port: address.port() }
    }

    /// Where a function finds it.
    pub(super) fn variables(&self) -> [(&'static str, String); 2] {
        [
            ("WAYBILL_ICONIK_URL", format!("http://127.0.0.1:{}", self.port)),
            ("WAYBILL_ICONIK_SECRET", self.secret.clone()),
        ]
    }
}

impl Drop for Tenant {
    fn drop(&mut self) {
        if let Some(server) = &self.server {
            server.abort();
        }
    }
}

impl World {
    /// iconik, which `Usual` asked for.
    pub(crate) fn iconik(&self) -> &Simulator {
        &self.iconik.as_ref().expect("`Usual` says `iconik: Some(…)`").simulator
    }

    /// The id of the asset or collection with a title.
    pub(crate) fn titled(&self, title: &str) -> String {
        self.iconik().with_state(|state| state.titled(title)).expect("it is there")
    }

    /// An asset as it is.
    pub(crate) fn asset(&self, id: &str) -> Object {
        self.iconik().with_state(|state| state.assets.get(id).cloned()).expect("the asset")
    }

    /// Tells the flow that something about an object of iconik changed: `assets` or `collections`. Each call is an item of
    /// its own.
    pub(crate) async fn iconik_change(&self, object_type: &str, id: &str) {
        let body = messages::iconik_change(self.flow, object_type, id, None, &self.occasion());
        self.send(&body).await;
    }

    /// Asks the flow for something about an object of iconik, as a custom action does.
    pub(crate) async fn iconik_request(&self, object_type: &str, id: &str, request: &str) {
        let body = messages::iconik_change(self.flow, object_type, id, Some(request), &self.occasion());
        self.send(&body).await;
    }

    /// Changes the credential that the function is given for iconik.
    pub(crate) async fn set_iconik_token(&self, token: &str) {
        let secret = &self.iconik.as_ref().expect("`Usual` says `iconik: Some(…)`").secret;
        self.place.set_secret(secret, &messages::iconik_credential(token)).await;
    }

    /// iconik goes away.
    pub(crate) async fn stop_iconik(&mut self) {
        let tenant = self.iconik.as_mut().expect("`Usual` says `iconik: Some(…)`");
        if let Some(server) = tenant.server.take() {
            server.abort();
            let _ = server.await;
        }
        // Connections that are kept alive would go on.
        for process in self.function.processes() {
            process.kill();
        }
    }

    /// iconik is back at the same address.
    pub(crate) async fn start_iconik(&mut self) {
        let tenant = self.iconik.as_mut().expect("`Usual` says `iconik: Some(…)`");
        let (_, server) =
            serve(tenant.simulator.router(), tenant.port).await.expect("the port is still free");
        tenant.server = Some(server);
    }
}
