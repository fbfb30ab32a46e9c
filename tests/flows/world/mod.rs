//! A flow or function as its real binary, with the systems around it: its own AWS account, its own Content Server, its own
//! iconik.
//!
//! [`World::of`] or [`World::with`] makes it. A flow is fed by its queue (`upload`, `change`, `request`, `send`, then
//! `settle`); a function is started by its schedule (`round`) or asked over HTTP (`ask`, `push`).

mod alarms;
mod content;
mod content_server;
mod door;
mod iconik;
mod ledger;
mod queue;
mod written;

use std::{path::PathBuf, sync::atomic::AtomicU32, time::Duration};

use simulators::{
    Clock,
    content_server::{Settings as EcmSettings, Simulator, seed},
    iconik::Settings as IconikSettings,
    journal::Journal,
    serve,
};
use tests::{
    installation::{Installation, Keeping},
    runtime::{Function, Queue, Settings},
};
use tokio::task::JoinHandle;

pub(crate) use alarms::watched;
pub(crate) use content_server::bytes;
pub(crate) use queue::take_test_event;

/// How long is waited for what must come. More than twice as long as a message stays hidden after an invocation that died:
/// with a busy machine, one may.
pub(crate) const PATIENCE: Duration = Duration::from_secs(180);

/// The name of the secret that pushes are signed with, and what is in it.
const SIGNING: (&str, &str) = ("signing", r#"{"current": "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"}"#);

/// An installation of one binary with its own Content Server.
pub(crate) struct World {
    pub(crate) place: Installation,
    pub(crate) ecm: Simulator,
    pub(crate) function: Function,
    pub(crate) queue: Queue,
    flow: &'static str,
    /// Addresses of the other flows' queues.
    queues: Vec<(&'static str, String)>,
    occasions: AtomicU32,
    server: Option<JoinHandle<()>>,
    port: u16,
    iconik: Option<iconik::Tenant>,
}

/// What differs from the usual.
pub(crate) struct Usual {
    /// The binary's name.
    pub(crate) flow: &'static str,
    /// Its rule file. Nothing: the packaged one. It may name buckets of the installation.
    pub(crate) rules: Option<fn(&Installation) -> String>,
    /// Whether uploads to the intake bucket are told to the queue.
    pub(crate) uploads: bool,
    /// Whether it has a content bucket, and how that keeps its objects.
    pub(crate) content: Option<Keeping>,
    /// The flows it may tell, each with a queue of its own.
    pub(crate) tells: &'static [&'static str],
    /// Further environment variables. They may name buckets of the installation.
    pub(crate) variables: fn(&Installation) -> Vec<(&'static str, String)>,
    pub(crate) timeout: Duration,
    pub(crate) enforce_timeout: bool,
    pub(crate) concurrency: usize,
    pub(crate) ecm: EcmSettings,
    /// How iconik is, where there is one.
    pub(crate) iconik: Option<IconikSettings>,
    pub(crate) username: &'static str,
    pub(crate) password: &'static str,
    /// Seconds until a message that nobody acknowledged is shown again.
    pub(crate) visibility: u32,
}

impl Usual {
    /// Any flow or function, with its packaged rules.
    pub(crate) fn of(flow: &'static str) -> Self {
        Self {
            flow,
            rules: None,
            uploads: false,
            content: None,
            tells: &[],
            variables: |_| Vec::new(),
            timeout: Duration::from_secs(20),
            enforce_timeout: true,
            concurrency: 1,
            ecm: EcmSettings::default(),
            iconik: None,
            username: seed::SERVICE_USER,
            password: seed::PASSWORD,
            visibility: 2,
        }
    }
}

impl Default for Usual {
    /// `ingest-uploads` with the rules beside these tests.
    fn default() -> Self {
        Self {
            rules: Some(|_| include_str!("../rules.toml").to_owned()),
            uploads: true,
            ..Self::of("ingest-uploads")
        }
    }
}

/// A setting that `make test` makes.
pub(crate) fn setting(name: &str) -> String {
    std::env::var(name)
        .unwrap_or_else(|_| panic!("{name} is not set: `make test` sets it (see tests/README.md)"))
}

/// Folder with one folder per function.
pub(crate) fn artefacts() -> PathBuf {
    std::path::absolute(setting("WAYBILL_ARTEFACTS")).expect("a path")
}

/// The program of a flow or function.
fn bootstrap(flow: &str) -> PathBuf {
    let bootstrap = artefacts().join(flow).join("bootstrap");
    assert!(bootstrap.is_file(), "{} is not there: `make test` builds it", bootstrap.display());
    bootstrap
}

impl World {
    /// `ingest-uploads`, as usual.
    pub(crate) async fn usual() -> Self {
        Self::with(Usual::default()).await
    }

    pub(crate) async fn with(usual: Usual) -> Self {
        let place = Installation::create(&setting("WAYBILL_AWS_URL"), usual.visibility).await;
        if usual.uploads {
            place.notify().await;
            queue::take_test_event(&place).await;
        }
        if let Some(keeping) = usual.content {
            place.create_bucket(&place.content, keeping).await;
        }
        place.set_credential(usual.username, usual.password).await;
        place.set_secret(SIGNING.0, SIGNING.1).await;
        let mut queues = Vec::new();
        for flow in usual.tells {
            queues.push((*flow, place.create_queue(flow, usual.visibility).await));
        }
        let rules = match usual.rules {
            Some(rules) => place.put_rules(&rules(&place)).await,
            None => String::new(),
        };
        let ecm = Simulator::new(usual.ecm, Clock::machine());
        let (address, server) = serve(ecm.router(), 0).await.expect("a free port");
        let mut settings = Settings::new(usual.flow, bootstrap(usual.flow));
        settings.variables = place.variables(&format!("http://{address}/otcs/cs.exe"), &rules);
        let told: serde_json::Map<String, serde_json::Value> =
            queues.iter().map(|(flow, url)| ((*flow).to_owned(), url.as_str().into())).collect();
        let further = [
            ("WAYBILL_FLOW_QUEUES", serde_json::Value::from(told).to_string()),
            ("WAYBILL_SIGNING_SECRET", SIGNING.0.to_owned()),
        ];
        let iconik = match usual.iconik {
            Some(settings) => Some(iconik::Tenant::serve(settings, &place).await),
            None => None,
        };
        let media = iconik.iter().flat_map(|tenant| tenant.variables());
        for (name, value) in further.into_iter().chain(media).chain((usual.variables)(&place)) {
            settings.variables.insert(name.to_owned(), value);
        }
        settings.timeout = usual.timeout;
        settings.enforce_timeout = usual.enforce_timeout;
        settings.concurrency = usual.concurrency;
        let function = Function::new(settings);
        let queue = Queue::new(place.sqs.clone(), &place.queue_url, function.clone());
        Self {
            place,
            ecm,
            function,
            queue,
            flow: usual.flow,
            queues,
            occasions: AtomicU32::new(1),
            server: Some(server),
            port: address.port(),
            iconik,
        }
    }

    /// What the function and the systems have to say, for a test that failed.
    pub(crate) fn told(&self) -> String {
        let calls = |journal: &Journal| {
            let calls = journal.entries().into_iter();
            let calls = calls.map(|entry| format!("{} {} {}", entry.status, entry.method, entry.path));
            calls.collect::<Vec<_>>().join("\n")
        };
        let media = self.iconik.as_ref().map(|tenant| calls(tenant.simulator.journal()));
        format!(
            "Content Server was called\n{}\niconik was called\n{}\nthe function's log\n{}",
            calls(self.ecm.journal()),
            media.unwrap_or_default(),
            self.function.log().text()
        )
    }
}

impl Drop for World {
    fn drop(&mut self) {
        if let Some(server) = &self.server {
            server.abort();
        }
        if !std::thread::panicking() {
            let unknown = self.ecm.journal().unknown();
            assert!(unknown.is_empty(), "calls that Content Server does not know: {unknown:?}");
            let unknown = self.iconik.as_ref().map(|tenant| tenant.simulator.journal().unknown());
            let unknown = unknown.unwrap_or_default();
            assert!(unknown.is_empty(), "calls that iconik does not know: {unknown:?}");
        }
    }
}

/// So many bytes that do not repeat, other ones for each seed.
pub(crate) fn content(size: usize, seed: u64) -> Vec<u8> {
    use rand::{RngExt, SeedableRng, rngs::StdRng};
    let mut bytes = vec![0; size];
    StdRng::seed_from_u64(seed).fill(&mut bytes[..]);
    bytes
}
