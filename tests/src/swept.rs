//! An iconik that is swept, in this process: the tenant, the queues of the flows, and between them a function that a
//! schedule starts, beside the door that iconik's webhooks lead to.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use bytes::Bytes;
use http::{Request, Response};
use shared::{
    aws,
    batch::Invocation,
    context::Context,
    environment::{Environment, Settings},
    error::Error,
    function::{AnyFunction, FunctionEntry},
    http::Pace,
    iconik::{self, AssetChange, AssetId, AssetKind, NewAsset},
    iconik_change::IconikChange,
};
use simulators::{
    Clock,
    aws::Aws,
    iconik::{Settings as IconikSettings, Simulator, seed, state::Called},
};
use tokio::sync::Notify;

use crate::{
    in_process, messages,
    storm::{Fault, Tap, Vendors},
    watched::create_table,
};

const TABLE: &str = "ledger";
const CONFIGURATION: &str = "configuration";
/// Where webhooks lead, where custom actions lead, and the secret they show.
const DOOR: &str = "https://waybill.example.com/webhooks";
const ACTIONS: &str = "https://waybill.example.com/actions";
const SECRET: &str = "kR3nVd8sQm1xZt7bLw5cYf2h";
/// The flows that have a queue, unless the setting says otherwise.
pub const FLOWS: [&str; 2] = ["archive-production", "sync-asset-metadata"];

/// How the tenant is.
#[derive(Clone)]
pub struct Setting {
    /// The feed file.
    pub feeds: String,
    /// The tenant's open questions.
    pub iconik: IconikSettings,
    /// What the client is told of them.
    pub client: serde_json::Value,
    /// How far iconik's clock is ahead of ours, in seconds.
    pub clock_ahead: i64,
    /// The faults of the n-th calls.
    pub plan: BTreeMap<usize, Fault>,
    /// Seconds an invocation may take.
    pub time: u64,
    /// Calls to iconik in a second.
    pub rate: f64,
    /// The file of the door that webhooks lead to.
    pub subscriptions: String,
    /// The flows that have a queue.
    pub flows: &'static [&'static str],
}

impl Setting {
    /// A feed file, and everything as it usually is.
    pub fn of(feeds: &str) -> Self {
        Self {
            feeds: feeds.to_owned(),
            iconik: IconikSettings::default(),
            client: serde_json::json!({"attempts": 1}),
            clock_ahead: 0,
            plan: BTreeMap::new(),
            time: 60,
            rate: 1000.0,
            subscriptions: String::new(),
            flows: &FLOWS,
        }
    }
}

/// One message a flow got.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Told {
    /// The flow.
    pub flow: &'static str,
    /// What it was told.
    pub change: IconikChange,
    /// Who told it.
    pub source: String,
    /// The id of the message.
    pub id: String,
}

/// The systems of one run.
pub struct Swept {
    /// Time, ids and randomness of the world itself.
    pub context: Context,
    /// AWS.
    pub aws: Aws,
    /// iconik.
    pub iconik: Simulator,
    /// An editor at work.
    pub editor: iconik::Client,
    /// Between the function and both.
    pub tap: Tap,
    sqs: aws_sdk_sqs::Client,
    flows: &'static [&'static str],
    entry: &'static FunctionEntry,
    settings: Settings,
    time: u64,
    processes: AtomicU64,
}

impl Swept {
    /// A tenant that is swept by a function.
    ///
    /// # Panics
    /// When the stand-ins refuse.
    pub async fn new(entry: &'static FunctionEntry, setting: Setting) -> Self {
        let context = Context::simulated("2031-05-06T07:08:09Z".parse().expect("a time"), 1);
        let clock = context.clone();
        let aws = Aws::new(Arc::new(move || clock.now_milliseconds()));
        let (clock, ahead) = (context.clone(), jiff::SignedDuration::from_secs(setting.clock_ahead));
        let iconik = Simulator::new(setting.iconik, Clock::from_fn(move || clock.now() + ahead));
        let vendors = Vendors { iconik: iconik.router(), ..Vendors::default() };
        let tap = Tap::of(vendors, aws.router(), setting.plan, None);
        let sdk = aws::connect_to(&in_process::transport(aws.router()), &context, "http://aws.test", "test");
        let sqs = aws_sdk_sqs::Client::new(&sdk);
        let mut queues = serde_json::Map::new();
        for &flow in setting.flows {
            let queue = sqs.create_queue().queue_name(flow).send().await.expect("a queue").queue_url;
            queues.insert(flow.to_owned(), queue.expect("an address").into());
        }
        create_table(&aws_sdk_dynamodb::Client::new(&sdk)).await;
        assert!(aws.s3().create_bucket(CONFIGURATION, false));
        for (key, text) in [("feeds.toml", &setting.feeds), ("subscriptions.toml", &setting.subscriptions)] {
            assert!(aws.s3().put(CONFIGURATION, key, text.clone().into_bytes()));
        }
        aws.secrets().put("iconik", &messages::iconik_credential(seed::TOKEN));
        aws.secrets().put("signing", &serde_json::json!({"current": SECRET}).to_string());
        let settings = serde_json::json!({
            "environment": "storm", "table": TABLE, "rules": format!("s3://{CONFIGURATION}/feeds.toml"),
            "iconik_url": "http://iconik.test", "iconik_secret": "iconik",
            "iconik_settings": setting.client.to_string(), "target_rate": setting.rate,
            "flow_queues": serde_json::Value::from(queues).to_string(), "lease_margin_seconds": 5,
            "signing_secret": "signing",
        });
        let editor = iconik::Client::new(
            iconik::Settings::at("http://iconik.test"),
            iconik::Credential::from_json(&messages::iconik_credential(seed::EDITOR_TOKEN))
                .expect("a credential"),
            in_process::transport(iconik.router()),
            context.clone(),
            Pace::per_second(1000.0),
        );
        let settings = serde_json::from_value(settings).expect("settings");
        let (flows, time, processes) = (setting.flows, setting.time, AtomicU64::new(0));
        Self { context, aws, iconik, editor, tap, sqs, flows, entry, settings, time, processes }
    }

    /// Starts a process of the function.
    ///
    /// # Errors
    /// When it does not start.
    pub async fn start(&self, crash: Arc<Notify>) -> Result<Arc<dyn AnyFunction>, Error> {
        let process = self.processes.fetch_add(1, Ordering::Relaxed);
        let context = Context::simulated(self.context.now(), 1009 + process);
        let transport = self.tap.transport(crash);
        let sdk = aws::connect_to(&transport, &context, "http://aws.test", "test");
        self.entry.connect(&Environment::new(self.settings.clone(), context, transport, &sdk)).await
    }

    /// Puts another feed file in the place of the first.
    ///
    /// # Panics
    /// When it is refused.
    pub fn put_feeds(&self, feeds: &str) {
        assert!(self.aws.s3().put(CONFIGURATION, "feeds.toml", feeds.as_bytes().to_vec()));
    }

    /// Makes the queue of a flow anew.
    ///
    /// # Panics
    /// When it is refused.
    pub fn create_queue(&self, flow: &str) {
        assert!(self.aws.sqs().create_queue(flow, &[]));
    }

    /// Takes a flow's queue away.
    ///
    /// # Panics
    /// When it is refused.
    pub async fn remove_queue(&self, flow: &str) {
        let url = self.sqs.get_queue_url().queue_name(flow).send().await.expect("a queue").queue_url;
        self.sqs.delete_queue().queue_url(url.expect("an address")).send().await.expect("deleted");
    }

    /// Makes a webhook that leads to the door.
    ///
    /// # Panics
    /// When it is refused.
    pub fn webhook(&self, event_type: &str) -> String {
        let given = serde_json::json!({
            "name": "Waybill", "url": DOOR, "event_type": event_type, "status": "ENABLED",
            "headers": {"x-waybill-secret": SECRET},
        });
        let given = given.as_object().expect("an object");
        self.iconik.with_state(|state| state.create_webhook(given)).expect("a webhook")
    }

    /// How a webhook is doing.
    ///
    /// # Panics
    /// When it is not there.
    pub fn webhook_status(&self, webhook: &str) -> String {
        self.iconik.with_state(|state| {
            let found = state.webhook(webhook).expect("a webhook");
            found["status"].as_str().unwrap_or_default().to_owned()
        })
    }

    /// Makes a custom action for assets that leads to the door.
    ///
    /// # Panics
    /// When it is refused.
    pub fn custom_action(&self, title: &str) -> String {
        let given = serde_json::json!({
            "title": title, "url": ACTIONS, "type": "POST", "headers": {"x-waybill-secret": SECRET},
        });
        let given = given.as_object().expect("an object");
        self.iconik.with_state(|state| state.create_custom_action("ASSET", given)).expect("an action")
    }

    /// Makes an automation that runs a custom action when a review comes to one of these statuses.
    ///
    /// # Panics
    /// When it is refused.
    pub fn automation(&self, action: &str, statuses: &[&str]) {
        let given = serde_json::json!({
            "name": "Tell of reviews", "conditions": [],
            "triggers": [{"type": "REVIEW_STATUS_CHANGED", "parameters": {"statuses": statuses}}],
            "actions": [{"type": "CUSTOM_ACTION", "parameters": {"action_id": action, "context": "ASSET"}}],
        });
        let given = given.as_object().expect("an object");
        self.iconik.with_state(|state| state.create_automation(seed::ADMIN, given)).expect("an automation");
    }

    /// A person presses the button of a custom action, with a selection and what was filled into its form.
    ///
    /// # Panics
    /// When it is refused.
    pub fn press(&self, action: &str, assets: &[&str], values: serde_json::Value) {
        let asset_ids = assets.iter().map(|&asset| asset.to_owned()).collect();
        let called = Called { asset_ids, metadata_values: values, ..Called::default() };
        self.iconik
            .with_state(|state| state.call_custom_action(seed::EDITOR, action, &called))
            .expect("it is pressed");
    }

    /// Puts another subscription file in the place of the first.
    ///
    /// # Panics
    /// When it is refused.
    pub fn put_subscriptions(&self, subscriptions: &str) {
        assert!(self.aws.s3().put(CONFIGURATION, "subscriptions.toml", subscriptions.as_bytes().to_vec()));
    }

    /// Lets iconik send what waits, by webhooks, custom actions and automations: to the door, or to nobody. Gives back how
    /// many were taken with 2xx.
    ///
    /// # Panics
    /// When the door does not start.
    pub async fn send(&self, door: Option<&'static FunctionEntry>) -> usize {
        let mut taken = 0;
        loop {
            let deliveries = self.iconik.with_state(|state| state.take_deliveries(20));
            if deliveries.is_empty() {
                return taken;
            }
            for delivery in deliveries {
                let answer = match door {
                    Some(door) => {
                        let request = delivery.request().expect("a request");
                        Ok(self.ask(door, request).await.status().as_u16())
                    }
                    None => Err("connection refused".to_owned()),
                };
                taken += usize::from(answer.as_ref().is_ok_and(|status| (200..300).contains(status)));
                self.iconik.with_state(|state| state.delivered(&delivery, answer));
            }
        }
    }

    async fn ask(&self, door: &'static FunctionEntry, request: Request<Bytes>) -> Response<Bytes> {
        let context = Context::simulated(self.context.now(), 7);
        let transport = in_process::transport(self.aws.router());
        let sdk = aws::connect_to(&transport, &context, "http://aws.test", "test");
        let mut settings = self.settings.clone();
        settings.rules = format!("s3://{CONFIGURATION}/subscriptions.toml");
        let function = door.connect(&Environment::new(settings, context, transport, &sdk)).await;
        function.expect("it starts").answer(request, Invocation { deadline: i64::MAX }).await
    }

    /// One round in a process of its own, as the schedule starts it. False when it failed, crashed or took too long.
    pub async fn round(&self) -> bool {
        let crash = Arc::new(Notify::new());
        let deadline = self.context.now_milliseconds() + i64::try_from(self.time).expect("small") * 1000;
        let work = async {
            let function = self.start(crash.clone()).await?;
            function.round(Invocation { deadline }).await
        };
        let done = tokio::select! {
            done = work => done,
            () = crash.notified() => return false,
            () = tokio::time::sleep(Duration::from_secs(self.time)) => return false,
        };
        if let Err(error) = &done {
            tracing::warn!(error = ?error, "the round failed");
        }
        done.is_ok()
    }

    /// Rounds as the schedule starts them, until one went well and told nothing.
    ///
    /// # Panics
    /// When there is no end of failures.
    pub async fn rounds(&self) {
        for _ in 0..50 {
            let before = self.told().len();
            let well = self.round().await;
            // The schedule comes again; a lock of a process that died ends meanwhile.
            self.pass(61).await;
            if well && self.told().len() == before {
                return;
            }
        }
        panic!("the rounds never end well");
    }

    /// Lets time pass.
    pub async fn pass(&self, seconds: u64) {
        tokio::time::sleep(Duration::from_secs(seconds)).await;
    }

    /// What the flows were told.
    ///
    /// # Panics
    /// When a message is no change.
    pub fn told(&self) -> Vec<Told> {
        let mut told = Vec::new();
        for &flow in self.flows {
            for message in self.aws.sqs().messages(flow) {
                let envelope: serde_json::Value = serde_json::from_str(&message.body).expect("JSON");
                let text = |name: &str| envelope[name].as_str().unwrap_or_default().to_owned();
                let change = IconikChange::parse(&message.body).expect("a change");
                told.push(Told { flow, change, source: text("source"), id: text("id") });
            }
        }
        told
    }

    /// How often one flow was told of an object.
    pub fn times(&self, flow: &str, object: &str) -> usize {
        self.told().iter().filter(|told| told.flow == flow && told.change.object_id == object).count()
    }

    /// Whether any message came twice, or any change under two ids.
    pub fn repeats(&self) -> bool {
        let told = self.told();
        let ids: BTreeSet<_> = told.iter().map(|told| (told.flow, &told.id)).collect();
        let changes: BTreeSet<_> = told
            .iter()
            .map(|told| (told.flow, &told.source, told.change.key().digest().to_owned()))
            .collect();
        ids.len() < told.len() || changes.len() < told.len()
    }

    /// Makes an asset.
    ///
    /// # Panics
    /// When it is refused.
    pub async fn asset(&self, title: &str) -> String {
        let new = NewAsset {
            title: title.to_owned(),
            kind: AssetKind::Asset,
            external_id: title.to_owned(),
            external_link: None,
            category: None,
            collection: None,
        };
        self.editor.create_asset(&new).await.expect("an asset").id.as_str().to_owned()
    }

    /// Changes an asset's title, which moves its date.
    ///
    /// # Panics
    /// When it is refused.
    pub async fn rename(&self, asset: &str, title: &str) {
        let change = AssetChange::new().title(title);
        self.editor.update_asset(&AssetId::new(asset), &change).await.expect("an edit");
    }

    /// Puts an asset into the recycle bin.
    ///
    /// # Panics
    /// When it is refused.
    pub async fn delete(&self, asset: &str) {
        self.editor.delete_asset(&AssetId::new(asset)).await.expect("deleted");
    }
}
