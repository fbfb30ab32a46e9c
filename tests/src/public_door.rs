//! A function at a public door, in this process: the queues of the flows behind it, and a sender before it.

use std::{
    collections::BTreeMap,
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
    iconik_change::IconikChange,
};
use simulators::aws::Aws;
use tokio::sync::Notify;

use crate::{
    in_process,
    storm::{Fault, Tap},
    watched::create_table,
};

const TABLE: &str = "ledger";
const CONFIGURATION: &str = "configuration";
/// The name of the secret the sender is known by.
const SIGNING: &str = "signing";

/// One message a flow got.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Told {
    /// The flow.
    pub flow: String,
    /// What it was told.
    pub change: IconikChange,
    /// Who told it.
    pub source: String,
    /// The id of the message.
    pub id: String,
}

/// The systems of one run.
pub struct PublicDoor {
    /// Time, ids and randomness of the world itself.
    pub context: Context,
    /// AWS.
    pub aws: Aws,
    /// Between the function and AWS.
    pub tap: Tap,
    entry: &'static FunctionEntry,
    settings: Settings,
    flows: Vec<String>,
    processes: AtomicU64,
}

impl PublicDoor {
    /// A function with a rule file, the text of its secret, and flows that have queues; `plan` gives the fault of its
    /// n-th call.
    ///
    /// # Panics
    /// When the stand-ins refuse.
    pub async fn new(
        entry: &'static FunctionEntry,
        rules: &str,
        secret: &str,
        flows: &[&str],
        plan: BTreeMap<usize, Fault>,
    ) -> Self {
        let context = Context::simulated("2031-05-06T07:08:09Z".parse().expect("a time"), 1);
        let clock = context.clone();
        let aws = Aws::new(Arc::new(move || clock.now_milliseconds()));
        let tap = Tap::new(axum::Router::new(), aws.router(), plan, None);
        let sdk = aws::connect_to(&in_process::transport(aws.router()), &context, "http://aws.test", "test");
        let sqs = aws_sdk_sqs::Client::new(&sdk);
        let mut queues = serde_json::Map::new();
        for flow in flows {
            let queue = sqs.create_queue().queue_name(*flow).send().await.expect("a queue").queue_url;
            queues.insert((*flow).to_owned(), queue.expect("an address").into());
        }
        create_table(&aws_sdk_dynamodb::Client::new(&sdk)).await;
        let s3 = aws::s3(&sdk);
        s3.create_bucket().bucket(CONFIGURATION).send().await.expect("a bucket");
        let put = s3.put_object().bucket(CONFIGURATION).key("rules.toml");
        put.body(rules.as_bytes().to_vec().into()).send().await.expect("rules");
        aws.secrets().put(SIGNING, secret);
        let settings = serde_json::json!({
            "environment": "test", "table": TABLE, "rules": format!("s3://{CONFIGURATION}/rules.toml"),
            "flow_queues": serde_json::Value::from(queues).to_string(), "signing_secret": SIGNING,
        });
        let settings = serde_json::from_value(settings).expect("settings");
        let flows = flows.iter().map(|flow| (*flow).to_owned()).collect();
        Self { context, aws, tap, entry, settings, flows, processes: AtomicU64::new(0) }
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

    /// A request, answered by a process of its own.
    ///
    /// # Panics
    /// When the function does not start.
    pub async fn ask(&self, request: Request<Bytes>) -> Response<Bytes> {
        let function = self.start(Arc::new(Notify::new())).await.expect("it starts");
        function.answer(request, Invocation { deadline: i64::MAX }).await
    }

    /// The same, where the process may die on the way; nothing when nobody answered.
    pub async fn try_to_ask(&self, request: Request<Bytes>) -> Option<Response<Bytes>> {
        let crash = Arc::new(Notify::new());
        let asked = async {
            let function = self.start(crash.clone()).await.ok()?;
            Some(function.answer(request, Invocation { deadline: i64::MAX }).await)
        };
        tokio::select! {
            answer = asked => answer,
            () = crash.notified() => None,
        }
    }

    /// Lets time pass.
    pub async fn pass(&self, seconds: u64) {
        tokio::time::sleep(Duration::from_secs(seconds)).await;
    }

    /// Changes the secret the sender is known by.
    pub fn set_secret(&self, text: &str) {
        self.aws.secrets().put(SIGNING, text);
    }

    /// How often the secret was read.
    pub fn secret_reads(&self) -> u64 {
        self.aws.secrets().reads(SIGNING)
    }

    /// What the flows were told, in the order it came.
    ///
    /// # Panics
    /// When a message is no change.
    pub fn told(&self) -> Vec<Told> {
        let mut told = Vec::new();
        for flow in &self.flows {
            for message in self.aws.sqs().messages(flow) {
                let envelope: serde_json::Value = serde_json::from_str(&message.body).expect("JSON");
                let text = |name: &str| envelope[name].as_str().unwrap_or_default().to_owned();
                let change = IconikChange::parse(&message.body).expect("a change");
                told.push(Told { flow: flow.clone(), change, source: text("source"), id: text("id") });
            }
        }
        told
    }

    /// Everything that stays: what is on the queues and in the ledger.
    pub fn kept(&self) -> String {
        let mut kept = self.aws.dynamodb().dump(TABLE).to_string();
        for flow in &self.flows {
            for message in self.aws.sqs().messages(flow) {
                kept.push_str(&message.body);
            }
        }
        kept
    }
}
