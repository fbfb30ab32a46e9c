//! One flow's systems, in this process.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering},
    },
    time::Duration,
};

use aws_sdk_sqs::types::MessageAttributeValue;
use http_body_util::BodyExt;
use sha2::{Digest, Sha256};
use shared::{
    aws,
    context::Context,
    environment::{Environment, Settings},
    http::Transport,
};
use simulators::{
    Clock,
    aws::{Aws, s3::Cause},
    content_server, iconik, preservica,
};

use super::{
    Sabotage, Scenario, StoredObject, Vendors, content_server::made_in, fault::Fault, iconik::Facts,
    made::Made, preservica::facts_of, seeds, tap::Tap,
};
use crate::{in_process, messages};

/// The beginning of time in every world.
const BEGINNING: &str = "2031-05-06T07:08:09Z";
/// Where the intake bucket is.
pub const INTAKE: &str = "intake";
/// Where the quarantine bucket is.
pub const QUARANTINE: &str = "quarantine";
/// Where flows keep content.
pub const CONTENT: &str = "content";
/// What goes before the token of a link.
pub const LINK_ADDRESS: &str = "https://links.test";
/// Where bags are: a bucket with Object Lock.
pub const ARCHIVE: &str = "archive";
const TABLE: &str = "ledger";
const QUEUE: &str = "queue";
const DEAD_LETTERS: &str = "dead-letters";
const RULES: &str = "configuration";

/// The systems of one run.
pub struct World {
    /// Time, ids and randomness of the world itself.
    pub context: Context,
    /// AWS.
    pub aws: Aws,
    /// Content Server.
    pub content_server: content_server::Simulator,
    /// iconik, where the scenario has one.
    pub iconik: Option<iconik::Simulator>,
    /// Preservica, where the scenario has one.
    pub preservica: Option<preservica::Simulator>,
    /// Between the flow and all of them.
    pub tap: Tap,
    /// S3 without faults, for the story and the checks.
    pub s3: aws_sdk_s3::Client,
    /// SQS without faults.
    pub sqs: aws_sdk_sqs::Client,
    settings: Settings,
    client_settings: Mutex<String>,
    iconik_client_settings: Mutex<String>,
    preservica_client_settings: Mutex<String>,
    seeded: BTreeSet<i64>,
    /// What was true in iconik before the flow began.
    iconik_before: Facts,
    /// The same of assets in Preservica.
    preservica_before: BTreeMap<String, i64>,
    expected: (usize, usize, usize),
    seed: u64,
    redrives: AtomicUsize,
    processes: AtomicU64,
    /// SHA-256 of what was uploaded.
    uploaded: Mutex<BTreeSet<String>>,
    /// How much of the story is still to happen.
    to_happen: AtomicUsize,
    rules: &'static str,
    restores: AtomicBool,
}

impl World {
    /// A world for a scenario, with faults planned for the n-th calls.
    pub async fn new(
        scenario: &Scenario,
        plan: BTreeMap<usize, Fault>,
        sabotage: Option<Sabotage>,
        seed: u64,
    ) -> Self {
        fastrand::seed(seed);
        let context = Context::simulated(BEGINNING.parse().expect("a time"), seed);
        let clock = context.clone();
        let aws = Aws::new(Arc::new(move || clock.now_milliseconds()));
        let clock = context.clone();
        let mut switches = content_server::Settings::default();
        (scenario.switches)(&mut switches);
        let content_server = content_server::Simulator::with(
            seeds::repository(switches, context.now()),
            Clock::from_fn(move || clock.now()),
        );
        let iconik = scenario.iconik.map(|switches| {
            let (clock, mut settings) = (context.clone(), iconik::Settings::default());
            // Calls in this process name no host.
            settings.media.bucket_address = Some("http://iconik.test".to_owned());
            switches(&mut settings);
            iconik::Simulator::with(
                seeds::production(settings, context.now()),
                Clock::from_fn(move || clock.now()),
            )
        });
        let preservica = scenario.preservica.map(|switches| {
            let (clock, mut settings) = (context.clone(), preservica::Settings::default());
            switches(&mut settings);
            preservica::Simulator::new(settings, Clock::from_fn(move || clock.now()))
        });
        let vendors = Vendors {
            content_server: content_server.router(),
            iconik: iconik.as_ref().map(iconik::Simulator::router).unwrap_or_default(),
            preservica: preservica.as_ref().map(preservica::Simulator::router).unwrap_or_default(),
        };
        let tap = Tap::of(vendors, aws.router(), plan, sabotage);
        let sdk = aws::connect_to(&in_process::transport(aws.router()), &context, "http://aws.test", "test");
        let seeded = content_server.with_state(|state| state.nodes.keys().copied().collect());
        let mut world = Self {
            s3: aws::s3(&sdk),
            sqs: aws_sdk_sqs::Client::new(&sdk),
            settings: settings(scenario),
            client_settings: Mutex::default(),
            iconik_client_settings: Mutex::default(),
            preservica_client_settings: Mutex::default(),
            context,
            aws,
            content_server,
            iconik,
            preservica,
            tap,
            seeded,
            iconik_before: Facts::default(),
            preservica_before: BTreeMap::new(),
            expected: scenario.clean,
            seed,
            redrives: AtomicUsize::new(0),
            processes: AtomicU64::new(0),
            uploaded: Mutex::default(),
            to_happen: AtomicUsize::new(scenario.meanwhile.len()),
            rules: scenario.rules,
            restores: AtomicBool::new(true),
        };
        world.build(scenario);
        (scenario.prepare)(&world);
        world.iconik_before = world.iconik_facts();
        world.preservica_before = world.preservica_facts();
        world
    }

    /// Makes buckets, queues, table and secret directly: through their clients it would be a tenth of a schedule.
    fn build(&mut self, scenario: &Scenario) {
        let kept = [(INTAKE, scenario.versioned), (CONTENT, scenario.content_versioned)];
        let mut buckets = kept.into_iter().chain([(QUARANTINE, false), (RULES, false)]);
        assert!(buckets.all(|(name, versioned)| self.aws.s3().create_bucket(name, versioned)));
        assert!(self.aws.s3().create_locked_bucket(ARCHIVE));
        if !scenario.rules.is_empty() {
            assert!(self.aws.s3().put(RULES, "rules.toml", scenario.rules.as_bytes()));
        }
        let queue = |name: &str, visibility: &str| {
            assert!(self.aws.sqs().create_queue(name, &[("VisibilityTimeout", visibility)]));
            format!("http://aws.test/000000000000/{name}")
        };
        self.settings.queue_url = queue(QUEUE, "360");
        self.settings.dead_letter_queue_url = queue(DEAD_LETTERS, "30");
        assert!(self.aws.dynamodb().create_table(TABLE, "pk", Some("sk")));
        let secret = serde_json::json!({
            "mode": "password",
            "username": content_server::seed::SERVICE_USER,
            "password": content_server::seed::PASSWORD,
        });
        self.aws.secrets().put("content-server", &secret.to_string());
        self.aws.secrets().put("iconik", &messages::iconik_credential(iconik::seed::TOKEN));
        let archivist = serde_json::json!({
            "username": preservica::seed::OPERATOR,
            "password": preservica::seed::PASSWORD,
            "tenant": preservica::seed::TENANT,
        });
        self.aws.secrets().put("preservica", &archivist.to_string());
        let _ = self.aws.s3().take_notifications();
    }

    /// The number of the next process of the flow: no two of a world draw the same ids, however often the queue is worked.
    pub fn next_process(&self) -> u64 {
        self.processes.fetch_add(1, Ordering::Relaxed) + 1
    }

    /// What a process of the flow is given. `clock_off` is how far its clock is from the world's, in seconds.
    pub fn environment(&self, transport: Transport, process: u64, clock_off: i64) -> Environment {
        let now = self.context.now() + jiff::SignedDuration::from_secs(clock_off);
        let context = Context::simulated(now, self.seed.wrapping_mul(1009).wrapping_add(process));
        let sdk = aws::connect_to(&transport, &context, "http://aws.test", "test");
        let mut settings = self.settings.clone();
        settings.content_server_settings = self.client_settings.lock().expect("no panic").clone();
        settings.iconik_settings = self.iconik_client_settings.lock().expect("no panic").clone();
        settings.preservica_settings = self.preservica_client_settings.lock().expect("no panic").clone();
        Environment::new(settings, context, transport, &sdk)
    }

    /// How this world's Content Server differs from the common case: what the server does, and what its clients are
    /// told of it (a JSON object of client settings).
    pub fn set_content_server(&self, change: impl FnOnce(&mut content_server::Settings), clients: &str) {
        self.content_server.with_state(|state| change(&mut state.settings));
        clients.clone_into(&mut self.client_settings.lock().expect("no panic"));
    }

    /// The same for iconik.
    pub fn set_iconik(&self, change: impl FnOnce(&mut iconik::Settings), clients: &str) {
        self.iconik().with_state(|state| change(&mut state.settings));
        clients.clone_into(&mut self.iconik_client_settings.lock().expect("no panic"));
    }

    /// The same for Preservica.
    pub fn set_preservica(&self, change: impl FnOnce(&mut preservica::Settings), clients: &str) {
        self.preservica().with_state(|state| change(&mut state.settings));
        clients.clone_into(&mut self.preservica_client_settings.lock().expect("no panic"));
    }

    /// iconik.
    ///
    /// # Panics
    /// When the scenario has none.
    pub fn iconik(&self) -> &iconik::Simulator {
        self.iconik.as_ref().expect("the scenario has an iconik")
    }

    /// Preservica.
    ///
    /// # Panics
    /// When the scenario has none.
    pub fn preservica(&self) -> &preservica::Simulator {
        self.preservica.as_ref().expect("the scenario has a Preservica")
    }

    fn preservica_facts(&self) -> BTreeMap<String, i64> {
        self.preservica.as_ref().map(|one| one.with_state(|state| facts_of(state))).unwrap_or_default()
    }

    /// What is true in iconik now.
    fn iconik_facts(&self) -> Facts {
        self.iconik.as_ref().map(|iconik| iconik.with_state(|state| Facts::of(state))).unwrap_or_default()
    }

    /// How many items are expected to be delivered, skipped and quarantined in a run without faults.
    pub fn expected(&self) -> (usize, usize, usize) {
        self.expected
    }

    /// The same world, in which flows only say what they would do.
    #[must_use]
    pub fn dry(mut self) -> Self {
        self.settings.dry_run = true;
        self
    }

    /// The same world, in which flows do what they say again.
    #[must_use]
    pub fn in_earnest(mut self) -> Self {
        self.settings.dry_run = false;
        self
    }

    /// Uploads an object, as somebody outside does. Its event waits to be sent.
    pub async fn upload(&self, object: &StoredObject) {
        let mut put = self
            .s3
            .put_object()
            .bucket(INTAKE)
            .key(&object.key)
            .content_type(object.content_type)
            .checksum_algorithm(aws_sdk_s3::types::ChecksumAlgorithm::Crc64Nvme)
            .body(object.content.clone().into());
        if !object.tags.is_empty() {
            put = put.tagging(object.tags);
        }
        for (name, value) in &object.metadata {
            put = put.metadata(*name, *value);
        }
        put.send().await.expect("an upload");
        let sha256 = hex::encode(Sha256::digest(&object.content));
        self.uploaded.lock().expect("no panic while uploading").insert(sha256);
    }

    /// SHA-256 of everything that was uploaded so far.
    pub fn uploaded(&self) -> BTreeSet<String> {
        self.uploaded.lock().expect("no panic while uploading").clone()
    }

    /// Lets happen what the story says happens while the flow works.
    pub async fn live(&self, scenario: &Scenario) {
        let beginning = tokio::time::Instant::now();
        for event in scenario.meanwhile {
            tokio::time::sleep_until(beginning + event.after).await;
            (event.what)(self).await;
            self.to_happen.fetch_sub(1, Ordering::Relaxed);
        }
    }

    /// Whether something is still to happen: to the story, or of calls nobody waits for any more.
    pub fn is_restless(&self) -> bool {
        self.to_happen.load(Ordering::Relaxed) > 0 || self.tap.late() > 0
    }

    /// The events of uploads since the last call, as message bodies.
    pub fn events(&self) -> Vec<String> {
        let notifications = self.aws.s3().take_notifications().into_iter();
        let told = notifications.filter(|event| {
            let result = event.bucket == CONTENT && event.key.starts_with("results/");
            event.bucket == INTAKE || result || event.cause == Cause::Restored
        });
        told.map(|event| event.s3_json()).filter(is_wanted).map(|event| event.to_string()).collect()
    }

    /// Objects that were asked for are brought out of their archive.
    pub fn restore(&self) {
        if self.restores.load(Ordering::Relaxed) {
            self.aws.s3().finish_restorations();
        }
    }

    /// No restoration ever ends.
    pub fn never_restore(&self) {
        self.set_archive_is_slow(true);
    }

    /// Whether what is asked for stays in its archive.
    pub fn set_archive_is_slow(&self, slow: bool) {
        self.restores.store(!slow, Ordering::Relaxed);
    }

    /// The flow's rules.
    pub fn rules(&self) -> &'static str {
        self.rules
    }

    /// How items ended, in the order of their keys: `delivered`, `skipped rule.none`.
    pub fn endings(&self) -> Vec<String> {
        let records = self.ledger().into_iter();
        let mut endings: Vec<String> = records
            .filter_map(|record| {
                let text = |name: &str| {
                    record.pointer(&format!("/{name}/S")).and_then(|text| text.as_str()).unwrap_or_default()
                };
                let result: serde_json::Value = serde_json::from_str(text("result")).unwrap_or_default();
                let code = result["reason"]["code"].as_str().unwrap_or_default();
                let ending = format!("{} {code}", text("status")).trim_end().to_owned();
                text("pk").contains("#item#").then_some(ending)
            })
            .collect();
        endings.sort();
        endings
    }

    /// Puts a message on the flow's queue.
    pub async fn send(&self, body: &str) {
        assert!(self.aws.sqs().send(QUEUE, body).is_some(), "the queue takes the message");
    }

    /// A call to the flow's queue as the Lambda service makes it, without a client between.
    ///
    /// # Panics
    /// When the queue does not answer JSON.
    pub async fn call_queue(&self, operation: &str, mut request: serde_json::Value) -> serde_json::Value {
        request["QueueUrl"] = self.settings.queue_url.as_str().into();
        let call =
            http::Request::post("http://aws.test/").header("x-amz-target", format!("AmazonSQS.{operation}"));
        let answer = self.aws.call(call.body(request.to_string().into()).expect("a request")).await;
        let bytes = answer.into_body().collect().await.expect("an answer").to_bytes();
        serde_json::from_slice(&bytes).expect("JSON")
    }

    /// A person moves everything from the dead-letter queue back to the flow's queue, attributes and all, like a
    /// message move task; with a decision of theirs, if they have one. Returns how many messages that were.
    pub async fn redrive(&self, decision: Option<&str>) -> usize {
        // A message may have been parked twice; then it is redriven twice.
        let mut copies: BTreeMap<String, usize> = BTreeMap::new();
        loop {
            let dead_letters = &self.settings.dead_letter_queue_url;
            let receive = self.sqs.receive_message().queue_url(dead_letters).max_number_of_messages(10);
            let received = receive.message_attribute_names("All").send().await.expect("dead letters");
            let messages = received.messages.unwrap_or_default();
            if messages.is_empty() {
                let times = copies.values().copied().max().unwrap_or(1);
                self.redrives.fetch_add(times, Ordering::Relaxed);
                return copies.values().sum();
            }
            for message in messages {
                *copies.entry(message.body.clone().unwrap_or_default()).or_default() += 1;
                let decided = decision.map(|text| {
                    let attribute = MessageAttributeValue::builder().data_type("String").string_value(text);
                    ("waybill-decision".to_owned(), attribute.build().expect("an attribute"))
                });
                let attributes = message.message_attributes.into_iter().flatten().chain(decided).collect();
                let send = self.sqs.send_message().queue_url(&self.settings.queue_url);
                let send = send.set_message_body(message.body).set_message_attributes(Some(attributes));
                send.send().await.expect("sent");
                let delete = self.sqs.delete_message().queue_url(dead_letters);
                delete.set_receipt_handle(message.receipt_handle).send().await.expect("deleted");
            }
        }
    }

    /// How often a person redrove any one dead letter.
    pub fn redrives(&self) -> usize {
        self.redrives.load(Ordering::Relaxed)
    }

    /// The flow's queue.
    pub fn queue_url(&self) -> &str {
        &self.settings.queue_url
    }

    /// Messages on the flow's queue, visible or not.
    pub fn waiting(&self) -> usize {
        self.aws.sqs().messages(QUEUE).len()
    }

    /// How long until a message of the flow's queue can be received; a moment when there is none.
    pub fn until_visible(&self) -> Duration {
        let next = self.aws.sqs().messages(QUEUE).iter().map(|message| message.visible_from).min();
        let wait = next.map_or(2000, |next| next - self.context.now_milliseconds());
        Duration::from_millis(u64::try_from(wait).unwrap_or(0).max(100))
    }

    /// Bodies in the dead-letter queue with their reason codes.
    pub fn dead_letters(&self) -> Vec<(String, String)> {
        let code = |attributes: &serde_json::Map<String, serde_json::Value>| {
            let code = attributes.get("waybill-code").and_then(|code| code.get("StringValue"));
            code.and_then(|code| code.as_str()).unwrap_or("no reason").to_owned()
        };
        let held = self.aws.sqs().messages(DEAD_LETTERS);
        held.into_iter().map(|message| (message.body, code(&message.attributes))).collect()
    }

    /// All items of the ledger's table.
    pub fn ledger(&self) -> Vec<serde_json::Value> {
        let dump = self.aws.dynamodb().dump(TABLE);
        dump.as_array().cloned().unwrap_or_default()
    }

    /// Everything the flow made in both systems, ids and times left out, in a stable order.
    pub fn made(&self) -> Made {
        let facts = self.iconik_facts();
        let (iconik, jobs) = (facts.since(&self.iconik_before), facts.jobs_since(&self.iconik_before));
        let preservica = super::iconik::since(&self.preservica_facts(), &self.preservica_before);
        Made { iconik, jobs, preservica, ..made_in(&self.content_server, &self.seeded) }
    }
}

fn is_wanted(event: &serde_json::Value) -> bool {
    let name = event.pointer("/Records/0/eventName").and_then(|name| name.as_str());
    name.is_some_and(|name| name.starts_with("ObjectCreated") || name.starts_with("ObjectRestore"))
}

fn settings(scenario: &Scenario) -> Settings {
    let rules = if scenario.rules.is_empty() { String::new() } else { format!("s3://{RULES}/rules.toml") };
    let settings = serde_json::json!({
        "environment": "storm", "table": TABLE, "queue_url": "", "dead_letter_queue_url": "",
        "quarantine_bucket": QUARANTINE, "content_bucket": CONTENT, "rules": rules,
        "content_server_url": "http://content-server.test/otcs/cs.exe",
        "content_server_secret": "content-server", "target_rate": 1000.0,
        "link_address": LINK_ADDRESS,
        "iconik_url": if scenario.iconik.is_some() { "http://iconik.test" } else { "" },
        "iconik_secret": "iconik",
        "preservica_url": if scenario.preservica.is_some() { "http://preservica.test" } else { "" },
        "preservica_secret": "preservica",
    });
    serde_json::from_value(settings).expect("settings")
}
