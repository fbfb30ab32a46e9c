//! Both functions and the systems around them, all on this machine.

use std::{
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use aws_sdk_dynamodb::types::{
    AttributeDefinition, BillingMode, KeySchemaElement, KeyType, ScalarAttributeType,
};
use aws_sdk_s3::primitives::ByteStream;
use serde_json::{Value, json};
use simulators::{
    Clock,
    aws::Aws,
    content_server::{Settings as EcmSettings, Simulator, seed},
    serve,
};
use tests::{
    installation::Installation,
    runtime::{Function, Invocation, Outcome, Settings, failed_messages},
};

use crate::generated::{self, Traffic};

/// Which of the two.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Side {
    /// The binary that ships.
    Waybill,
    /// The same in Python.
    Peer,
}

/// The systems, and the way to both functions.
pub(crate) struct Stage {
    pub(crate) aws: Aws,
    pub(crate) ecm: Simulator,
    pub(crate) place: Installation,
    pub(crate) traffic: Arc<Traffic>,
    pub(crate) ecm_url: String,
    root: PathBuf,
    artefacts: PathBuf,
    number: AtomicU64,
}

impl Stage {
    /// Systems without history.
    pub(crate) async fn new(root: &Path, artefacts: &Path, keep_content: bool) -> Self {
        let mut settings = EcmSettings { discard_content: !keep_content, ..EcmSettings::default() };
        // The bare copy goes up in one piece; so does ours then.
        settings.modules.large_upload = false;
        Self::with(root, artefacts, settings).await
    }

    /// The same, with a Content Server of these settings.
    pub(crate) async fn with(root: &Path, artefacts: &Path, settings: EcmSettings) -> Self {
        let aws = Aws::new(Arc::new(|| jiff::Timestamp::now().as_millisecond()));
        let traffic = Arc::new(Traffic::default());
        let (address, _) =
            serve(generated::router(aws.clone(), traffic.clone()), 0).await.expect("a free port");
        let ecm = Simulator::new(settings, Clock::machine());
        let (ecm_address, _) = serve(ecm.router(), 0).await.expect("a free port");
        let place = Installation::create(&format!("http://{address}"), 30).await;
        place.set_credential(seed::SERVICE_USER, seed::PASSWORD).await;
        create_peer_table(&place).await;
        Self {
            aws,
            ecm,
            place,
            traffic,
            ecm_url: format!("http://{ecm_address}/otcs/cs.exe"),
            root: root.to_owned(),
            artefacts: artefacts.to_owned(),
            number: AtomicU64::new(0),
        }
    }

    /// One of the functions; its process starts with its first event.
    pub(crate) fn function(&self, side: Side) -> Function {
        let bench = self.root.join("tests/bench");
        let variables = self.place.variables(&self.ecm_url, &bench.join("rules.toml").display().to_string());
        let mut settings = match side {
            Side::Waybill => Settings::new("ingest-uploads", self.artefacts.join("ingest-uploads/bootstrap")),
            Side::Peer => Settings::new("ingest-uploads", self.root.join(".venv/bench/bin/python")),
        };
        settings.variables = variables;
        settings.timeout = Duration::from_secs(900);
        if side == Side::Waybill {
            return Function::new(settings.variable("WAYBILL_TARGET_RATE", "100000"));
        }
        settings.arguments = ["-m", "awslambdaric", "intake.handle"].map(str::to_owned).to_vec();
        Function::new(
            settings
                .variable("PYTHONPATH", bench.join("peer").display().to_string())
                .variable("PEER_TABLE", "peer")
                .variable("POWERTOOLS_METRICS_NAMESPACE", "bench")
                .variable("POWERTOOLS_LOG_LEVEL", "INFO"),
        )
    }

    /// Uploads so many small objects and gives the batch that tells of them.
    pub(crate) async fn small_batch(&self, count: usize, bytes: usize) -> Value {
        let mut records = Vec::new();
        for _ in 0..count {
            let number = self.next();
            let key = format!("small/{number:08}.bin");
            let mut content = vec![0_u8; bytes];
            content
                .iter_mut()
                .enumerate()
                .for_each(|(at, byte)| *byte = at.wrapping_mul(31).to_be_bytes()[7]);
            content[..8].copy_from_slice(&number.to_be_bytes());
            let request = self.place.s3.put_object().bucket(&self.place.intake).key(&key);
            let put = request.body(ByteStream::from(content)).send().await.expect("the upload is taken");
            records.push(self.message(&key, bytes as u64, put.e_tag(), put.version_id()));
        }
        json!({"Records": records})
    }

    /// The batch that tells of one object that is made on the way.
    pub(crate) fn generated_batch(&self, bytes: u64) -> (String, Value) {
        let key = format!("generated/{bytes}-{}.bin", self.next());
        let etag = format!("\"generated-{bytes}\"");
        let event = json!({"Records": [self.message(&key, bytes, Some(&etag), None)]});
        (key, event)
    }

    fn next(&self) -> u64 {
        self.number.fetch_add(1, Ordering::Relaxed)
    }

    /// A message of the queue with the notification of one upload, as AWS writes it.
    pub(crate) fn message(&self, key: &str, size: u64, etag: Option<&str>, version: Option<&str>) -> Value {
        let number = self.next();
        let mut object = json!({
            "key": key, "size": size, "eTag": etag.unwrap_or_default().trim_matches('"'),
            "sequencer": format!("{number:016X}"),
        });
        if let Some(version) = version {
            object["versionId"] = version.into();
        }
        let body = json!({"Records": [{
            "eventVersion": "2.1", "eventSource": "aws:s3", "awsRegion": "us-east-1",
            "eventTime": "2031-05-06T07:08:09.000Z", "eventName": "ObjectCreated:Put",
            "userIdentity": {"principalId": "EXAMPLE"}, "requestParameters": {"sourceIPAddress": "127.0.0.1"},
            "responseElements": {"x-amz-request-id": "EXAMPLE", "x-amz-id-2": "EXAMPLE"},
            "s3": {"s3SchemaVersion": "1.0", "configurationId": "uploads",
                "bucket": {"name": self.place.intake, "ownerIdentity": {"principalId": "EXAMPLE"},
                    "arn": format!("arn:aws:s3:::{}", self.place.intake)},
                "object": object},
        }]});
        json!({
            "messageId": format!("00000000-0000-4000-8000-{number:012x}"),
            "receiptHandle": format!("handle-{number}"),
            "body": body.to_string(),
            "attributes": {"ApproximateReceiveCount": "1", "SentTimestamp": "1935817689000",
                "SenderId": "EXAMPLE", "ApproximateFirstReceiveTimestamp": "1935817689001"},
            "messageAttributes": {},
            "md5OfBody": "e4e68fb7bd0e697a0ae8f1bb342846b3",
            "eventSource": "aws:sqs",
            "eventSourceARN": format!("arn:aws:sqs:us-east-1:{}:uploads", self.place.account),
            "awsRegion": "us-east-1",
        })
    }

    /// Runs a batch, all of which must be delivered: a figure of failures is none.
    pub(crate) async fn run(&self, function: &Function, batch: &Value) -> Invocation {
        let before = self.documents();
        let count = batch["Records"].as_array().map_or(0, Vec::len);
        let invocation = self.invoke(function, batch).await;
        let made = self.documents() - before;
        assert_eq!(made, count, "documents made; the log ends with\n{}", tail(function));
        invocation
    }

    /// Runs a batch, all of which must be done with.
    pub(crate) async fn invoke(&self, function: &Function, batch: &Value) -> Invocation {
        let records = batch["Records"].as_array().cloned().unwrap_or_default();
        let ids: Vec<String> =
            records.iter().filter_map(|record| record["messageId"].as_str().map(str::to_owned)).collect();
        let invocation = function.invoke(batch).await;
        assert!(
            matches!(invocation.outcome, Outcome::Answer(_)),
            "{:?}\n{}",
            invocation.outcome,
            tail(function)
        );
        let failed = failed_messages(&invocation.outcome, &ids).len();
        assert_eq!(failed, 0, "messages that failed; the log ends with\n{}", tail(function));
        invocation
    }

    fn documents(&self) -> usize {
        self.ecm.with_state(|state| {
            let folder = state.at("Claims/Incoming").map(|node| node.id);
            folder.map_or(0, |id| state.children(id).len())
        })
    }
}

/// The end of a function's log.
pub(crate) fn tail(function: &Function) -> String {
    let lines = function.log().lines();
    lines[lines.len().saturating_sub(20)..].join("\n")
}

async fn create_peer_table(place: &Installation) {
    let key = KeySchemaElement::builder().attribute_name("id").key_type(KeyType::Hash).build();
    let text =
        AttributeDefinition::builder().attribute_name("id").attribute_type(ScalarAttributeType::S).build();
    place
        .dynamodb
        .create_table()
        .table_name("peer")
        .billing_mode(BillingMode::PayPerRequest)
        .key_schema(key.expect("complete"))
        .attribute_definitions(text.expect("complete"))
        .send()
        .await
        .expect("the table is made");
}
