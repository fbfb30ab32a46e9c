//! A Content Server that is watched, in this process: the repository, the queues of the flows, and between them a
//! function that a schedule starts.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::Duration,
};

use aws_sdk_dynamodb::types::{
    AttributeDefinition, BillingMode, KeySchemaElement, KeyType, ScalarAttributeType,
};
use bytes::Bytes;
use http::{Request, Response};
use jiff::SignedDuration;
use shared::{
    aws,
    batch::Invocation,
    context::Context,
    environment::{Environment, Settings},
    error::Error,
    function::{AnyFunction, FunctionEntry},
    node_change::{Change, NodeChange},
};
use simulators::{
    Clock,
    aws::Aws,
    content_server::{
        self, Blob, Simulator,
        state::{ADMIN, Changes, NewNode, NewVersion, kind},
    },
};
use tokio::sync::Notify;

use crate::{
    in_process,
    storm::{Fault, Tap},
};

const TABLE: &str = "ledger";
const CONFIGURATION: &str = "configuration";
/// Seconds one invocation may take.
const TIME_OUT: u64 = 60;
/// The flows that have a queue.
pub const FLOWS: [&str; 2] = ["offload-content", "publish-approved"];
/// The signing secret.
pub const SECRET: &str = r#"{"current": "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"}"#;
/// A folder documents are put into.
pub const FOLDER: i64 = content_server::seed::CLAIMS;

/// How the repository and the clocks are.
#[derive(Clone)]
pub struct Setting {
    /// The feed file.
    pub feeds: String,
    /// The repository's open questions.
    pub content_server: content_server::Settings,
    /// What the client is told of them.
    pub client: serde_json::Value,
    /// How far Content Server's clock is ahead of ours, in seconds.
    pub clock_ahead: i64,
    /// The faults of the n-th calls.
    pub plan: BTreeMap<usize, Fault>,
    /// Seconds an invocation may take.
    pub time: u64,
}

impl Setting {
    /// A feed file, and everything as it usually is.
    pub fn of(feeds: &str) -> Self {
        Self {
            feeds: feeds.to_owned(),
            content_server: content_server::Settings::default(),
            client: serde_json::json!({}),
            clock_ahead: 0,
            plan: BTreeMap::new(),
            time: TIME_OUT,
        }
    }
}

/// One message a flow got.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Told {
    /// The flow.
    pub flow: String,
    /// The node.
    pub node: i64,
    /// What became of it.
    pub change: String,
    /// Its version.
    pub version: Option<i64>,
    /// What tells equal reports apart.
    pub occasion: String,
    /// The id of the message.
    pub id: String,
}

/// The systems of one run.
pub struct Watched {
    /// Time, ids and randomness of the world itself.
    pub context: Context,
    /// AWS.
    pub aws: Aws,
    /// Content Server.
    pub content_server: Simulator,
    /// Between the function and both.
    pub tap: Tap,
    entry: &'static FunctionEntry,
    settings: Settings,
    sqs: aws_sdk_sqs::Client,
    time: u64,
    processes: std::sync::atomic::AtomicU64,
}

impl Watched {
    /// A repository that is watched by a function.
    ///
    /// # Panics
    /// When the stand-ins refuse.
    pub async fn new(entry: &'static FunctionEntry, setting: Setting) -> Self {
        let context = Context::simulated("2031-05-06T07:08:09Z".parse().expect("a time"), 1);
        let clock = context.clone();
        let aws = Aws::new(Arc::new(move || clock.now_milliseconds()));
        let (clock, ahead) = (context.clone(), SignedDuration::from_secs(setting.clock_ahead));
        let content_server =
            Simulator::new(setting.content_server, Clock::from_fn(move || clock.now() + ahead));
        let tap = Tap::new(content_server.router(), aws.router(), setting.plan, None);
        let sdk = aws::connect_to(&in_process::transport(aws.router()), &context, "http://aws.test", "test");
        let sqs = aws_sdk_sqs::Client::new(&sdk);
        let mut queues = serde_json::Map::new();
        for flow in FLOWS {
            let queue = sqs.create_queue().queue_name(flow).send().await.expect("a queue").queue_url;
            queues.insert(flow.to_owned(), queue.expect("an address").into());
        }
        create_table(&aws_sdk_dynamodb::Client::new(&sdk)).await;
        let s3 = aws::s3(&sdk);
        s3.create_bucket().bucket(CONFIGURATION).send().await.expect("a bucket");
        let put = s3.put_object().bucket(CONFIGURATION).key("feeds.toml");
        put.body(setting.feeds.into_bytes().into()).send().await.expect("feeds");
        let credential = serde_json::json!({
            "mode": "password",
            "username": content_server::seed::SERVICE_USER,
            "password": content_server::seed::PASSWORD,
        });
        aws.secrets().put("content-server", &credential.to_string());
        aws.secrets().put("signing", SECRET);
        let settings = serde_json::json!({
            "environment": "storm", "table": TABLE, "queue_url": "", "dead_letter_queue_url": "",
            "quarantine_bucket": "", "rules": format!("s3://{CONFIGURATION}/feeds.toml"),
            "content_server_url": "http://content-server.test/otcs/cs.exe",
            "content_server_secret": "content-server", "content_server_settings": setting.client.to_string(),
            "target_rate": 1000.0, "flow_queues": serde_json::Value::from(queues).to_string(),
            "signing_secret": "signing", "lease_margin_seconds": 5,
        });
        let settings = serde_json::from_value(settings).expect("settings");
        let (time, processes) = (setting.time, std::sync::atomic::AtomicU64::new(0));
        Self { context, aws, content_server, tap, entry, settings, sqs, time, processes }
    }

    /// Starts a process of the function.
    ///
    /// # Errors
    /// When it does not start.
    pub async fn start(&self, crash: Arc<Notify>) -> Result<Arc<dyn AnyFunction>, Error> {
        let process = self.processes.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        let context = Context::simulated(self.context.now(), 1009 + process);
        let transport = self.tap.transport(crash);
        let sdk = aws::connect_to(&transport, &context, "http://aws.test", "test");
        self.entry.connect(&Environment::new(self.settings.clone(), context, transport, &sdk)).await
    }

    /// One round in a process of its own, as the schedule starts it. False when it failed, crashed or took too long.
    pub async fn round(&self) -> bool {
        let crash = Arc::new(Notify::new());
        let deadline = self.context.now_milliseconds() + i64::try_from(self.time).expect("small") * 1000;
        let work = async {
            let function = self.start(crash.clone()).await?;
            function.round(Invocation { deadline }).await
        };
        let left = self.context.now();
        let done = tokio::select! {
            done = work => done,
            () = crash.notified() => return false,
            () = tokio::time::sleep(Duration::from_secs(self.time)) => return false,
        };
        if let Err(error) = &done {
            tracing::warn!(error = ?error, "the round failed after {:?}", self.context.now().duration_since(left));
        }
        done.is_ok()
    }

    /// Rounds as the schedule starts them, until one went well and there is nothing left for the next.
    ///
    /// # Panics
    /// When there is no end of failures.
    pub async fn rounds(&self) {
        for _ in 0..50 {
            let before = self.told().len();
            let well = self.round().await;
            // The schedule comes again in a minute; a lock of a process that died ends meanwhile.
            self.pass(61).await;
            if well && self.told().len() == before {
                return;
            }
        }
        panic!("the rounds never end well");
    }

    /// A request at the function's door.
    ///
    /// # Panics
    /// When the function does not start.
    pub async fn ask(&self, request: Request<Bytes>) -> Response<Bytes> {
        let function = self.start(Arc::new(Notify::new())).await.expect("it starts");
        function.answer(request, Invocation { deadline: i64::MAX }).await
    }

    /// Lets time pass.
    pub async fn pass(&self, seconds: u64) {
        tokio::time::sleep(Duration::from_secs(seconds)).await;
    }

    /// What the flows were told, in the order it came.
    ///
    /// # Panics
    /// When a message is no change.
    pub fn told(&self) -> Vec<Told> {
        let mut told = Vec::new();
        for flow in FLOWS {
            for message in self.aws.sqs().messages(flow) {
                let change = NodeChange::parse(&message.body).expect("a change");
                let envelope: serde_json::Value = serde_json::from_str(&message.body).expect("JSON");
                told.push(Told {
                    flow: flow.to_owned(),
                    node: change.node,
                    change: name(change.change),
                    version: change.version,
                    occasion: change.occasion,
                    id: envelope["id"].as_str().unwrap_or_default().to_owned(),
                });
            }
        }
        told
    }

    /// What one flow was told of: nodes and what became of them, sorted.
    pub fn told_to(&self, flow: &str) -> Vec<(i64, String)> {
        let told = self.told().into_iter().filter(|told| told.flow == flow);
        let mut told: Vec<_> = told.map(|told| (told.node, told.change)).collect();
        told.sort();
        told
    }

    /// Whether any message came twice.
    pub fn repeats(&self) -> bool {
        let told = self.told();
        told.iter().map(|told| (&told.flow, &told.id)).collect::<BTreeSet<_>>().len() < told.len()
    }

    /// Makes a document.
    ///
    /// # Panics
    /// When it is refused.
    pub fn document(&self, parent: i64, name: &str) -> i64 {
        let version = NewVersion::of(name, "text/plain", Blob::of(name.as_bytes().to_vec()));
        let new = NewNode {
            kind: kind::DOCUMENT,
            parent_id: parent,
            name: name.to_owned(),
            version: Some(version),
            ..NewNode::default()
        };
        self.content_server.with_state(|state| state.create(ADMIN, new)).expect("a document")
    }

    /// Adds a version to a document.
    ///
    /// # Panics
    /// When it is refused.
    pub fn version(&self, node: i64) {
        let new = NewVersion::of("next.txt", "text/plain", Blob::of(b"next".to_vec()));
        self.content_server.with_state(|state| state.add_version(ADMIN, node, new)).expect("a version");
    }

    /// Changes a document's description, which moves its date.
    ///
    /// # Panics
    /// When it is refused.
    pub fn describe(&self, node: i64, text: &str) {
        let changes = Changes { description: Some(text.to_owned()), ..Changes::default() };
        self.content_server.with_state(|state| state.update(ADMIN, node, changes)).expect("an edit");
    }

    /// Sets a value of a category, which does not move the date.
    ///
    /// # Panics
    /// When it is refused.
    pub fn set(&self, node: i64, attribute: &str, value: &str) {
        let category = content_server::seed::DIGITISED_ITEM;
        let values = [(attribute.to_owned(), serde_json::Value::from(value))].into_iter().collect();
        self.content_server
            .with_state(|state| {
                if state.assigned(node, category).is_ok() {
                    state.edit_category(ADMIN, node, category, &values, None)
                } else {
                    state.add_category(ADMIN, node, category, &values)
                }
            })
            .expect("a value");
    }

    /// Deletes a node.
    ///
    /// # Panics
    /// When it is refused.
    pub fn delete(&self, node: i64) {
        self.content_server.with_state(|state| state.delete(ADMIN, node)).expect("deleted");
    }

    /// SQS without faults.
    pub fn sqs(&self) -> &aws_sdk_sqs::Client {
        &self.sqs
    }
}

fn name(change: Change) -> String {
    format!("{change:?}").to_lowercase()
}

pub(crate) async fn create_table(dynamodb: &aws_sdk_dynamodb::Client) {
    let key = |name: &str, kind| {
        KeySchemaElement::builder().attribute_name(name).key_type(kind).build().expect("a key")
    };
    let text = |name: &str| {
        let text = AttributeDefinition::builder().attribute_name(name);
        text.attribute_type(ScalarAttributeType::S).build().expect("an attribute")
    };
    dynamodb
        .create_table()
        .table_name(TABLE)
        .billing_mode(BillingMode::PayPerRequest)
        .key_schema(key("pk", KeyType::Hash))
        .key_schema(key("sk", KeyType::Range))
        .attribute_definitions(text("pk"))
        .attribute_definitions(text("sk"))
        .send()
        .await
        .expect("a table");
}
