//! A flow's world, and comparisons in it.

use std::{
    collections::BTreeMap,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use operations::reconcile::SIDES;
use shared::{
    environment::Environment,
    error::Result,
    http::Transport,
    reconcile::{Comparison, Counts, Finding, Kind, Options, Report, Scope, SidesEntry},
};
use simulators::iconik;
use tests::storm::{Drive, Fault, Scenario, Tap, Vendors, World, drive};
use tokio::sync::Notify;

/// Where reports go.
pub(crate) const REPORTS: &str = "reports";
/// The intake bucket of every world.
pub(crate) const INTAKE: &str = "intake";

/// A world in which the story of a flow has happened and everything is at rest, long enough ago to be compared.
pub(crate) struct Compared {
    pub(crate) world: World,
    pub(crate) scenario: Scenario,
    /// Processes so far: no two draw the same ids.
    processes: AtomicU64,
}

/// What a run said.
pub(crate) struct Said {
    pub(crate) report: Report,
    pub(crate) prefix: String,
}

impl Said {
    pub(crate) fn counts(&self) -> Counts {
        self.report.counts
    }

    /// Kinds and names of the findings, sorted.
    pub(crate) fn found(&self) -> Vec<(Kind, String)> {
        let mut found: Vec<_> =
            self.report.findings.iter().map(|finding| (finding.kind, finding.name.clone())).collect();
        found.sort();
        found
    }

    pub(crate) fn finding(&self, name: &str) -> &Finding {
        let found = self.report.findings.iter().find(|finding| finding.name.ends_with(name));
        found.unwrap_or_else(|| panic!("nothing was found of {name}: {:?}", self.found()))
    }
}

/// Runs on one thread and a paused clock.
pub(crate) fn run<T>(story: impl Future<Output = T>) -> T {
    if let Ok(filter) = std::env::var("STORM_LOG") {
        let _ = tracing_subscriber::fmt().with_env_filter(filter).without_time().with_ansi(false).try_init();
    }
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().start_paused(true).build();
    runtime.expect("a runtime").block_on(story)
}

impl Compared {
    /// Lets a story happen to its end, and some hours pass.
    pub(crate) async fn after(scenario: Scenario) -> Self {
        let world = World::new(&scenario, BTreeMap::new(), None, 1).await;
        world.s3.create_bucket().bucket(REPORTS).send().await.expect("a bucket");
        let compared = Self { world, scenario, processes: AtomicU64::new(7_000_000) };
        for object in (scenario.objects)() {
            compared.world.upload(&object).await;
        }
        for message in (scenario.messages)(&compared.world) {
            compared.world.send(&message).await;
        }
        compared.work().await;
        compared
    }

    /// Works the queue until it is empty, then lets some hours pass.
    pub(crate) async fn work(&self) {
        for event in self.world.events() {
            self.world.send(&event).await;
        }
        assert!(drive(&self.world, self.scenario.flow, Drive::default()).await, "the queue is never quiet");
        self.hours(3).await;
    }

    pub(crate) async fn hours(&self, hours: u64) {
        tokio::time::sleep(Duration::from_secs(hours * 3600)).await;
    }

    /// What a process that compares is given, over a way out.
    pub(crate) fn environment(&self, transport: Transport) -> Environment {
        let process = self.processes.fetch_add(1, Ordering::Relaxed);
        let mut environment = self.world.environment(transport, process, 0);
        environment.settings.report_bucket = REPORTS.to_owned();
        environment
    }

    /// A way out on which the n-th calls fail.
    pub(crate) fn tap(&self, plan: BTreeMap<usize, Fault>) -> Tap {
        let iconik = self.world.iconik.as_ref().map(iconik::Simulator::router).unwrap_or_default();
        let content_server = self.world.content_server.router();
        let vendors = Vendors { content_server, iconik, ..Vendors::default() };
        Tap::of(vendors, self.world.aws.router(), plan, None)
    }

    /// Compares without faults.
    pub(crate) async fn compare(&self, options: Options) -> Said {
        let tap = self.tap(BTreeMap::new());
        self.compare_over(&tap, options).await.expect("it can be compared")
    }

    /// One run by one process, however its calls go.
    pub(crate) async fn compare_over(&self, tap: &Tap, options: Options) -> Result<Said> {
        let environment = self.environment(tap.transport(Arc::new(Notify::new())));
        let sides = (self.entry().connect)(&environment, &scope()).await?;
        let queue = self.world.queue_url();
        let mut run = Comparison::begin(&environment, self.scenario.flow.name, &*sides, queue, options);
        assert!(run.run(i64::MAX).await?, "a run without an end ends");
        Ok(self.said(&run.place().prefix).await)
    }

    /// Does what is safe, which are so many messages; compares again when the flow has worked them.
    pub(crate) async fn repaired(&self, queued: u64) -> Said {
        assert_eq!(self.compare(repairing()).await.counts().queued, queued);
        self.work().await;
        self.compare(Options::default()).await
    }

    pub(crate) fn entry(&self) -> SidesEntry {
        let mut entries = SIDES.iter().copied().flatten();
        *entries.find(|entry| entry.flow == self.scenario.flow.name).expect("its sides")
    }

    /// The report that a run wrote.
    pub(crate) async fn said(&self, prefix: &str) -> Said {
        let report =
            serde_json::from_str(&self.text(&format!("{prefix}report.json")).await).expect("a report");
        Said { report, prefix: prefix.to_owned() }
    }

    /// An object of the report bucket.
    pub(crate) async fn text(&self, key: &str) -> String {
        let object = self.world.s3.get_object().bucket(REPORTS).key(key).send().await.expect("an object");
        String::from_utf8(object.body.collect().await.expect("a body").to_vec()).expect("text")
    }
}

pub(crate) fn scope() -> Scope {
    Scope { buckets: vec![INTAKE.to_owned()], ..Scope::default() }
}

/// What repairs.
pub(crate) fn repairing() -> Options {
    Options { repair: true, ..Options::default() }
}
