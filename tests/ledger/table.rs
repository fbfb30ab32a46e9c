//! A fresh table for every case.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering},
    },
    time::Duration,
};

use aws_sdk_dynamodb::types::{
    AttributeDefinition, BillingMode, KeySchemaElement, KeyType, ScalarAttributeType,
};
use shared::{
    audit::{AuditEvent, EventType, Outcome},
    aws,
    context::Context,
    http::{Transport, TransportError, TransportErrorKind},
    ledger::{Attempt, Begin, Completion, Ending, Key, Ledger, Overflow},
};
use simulators::aws::Aws;
use tests::in_process;

/// The beginning of time in these tests.
pub(crate) const BEGINNING: &str = "2031-05-06T07:08:09Z";

/// Where a case runs.
pub(crate) struct Place {
    /// The ledger under test.
    pub(crate) ledger: Ledger,
    /// Its clock.
    pub(crate) context: Context,
    /// The stand-in, when it is the one in this process.
    pub(crate) aws: Option<Aws>,
    transport: Transport,
    address: String,
    table: String,
}

impl Place {
    /// The stand-in in this process, on a paused clock.
    pub(crate) async fn in_process() -> Self {
        let context = Context::simulated(BEGINNING.parse().unwrap(), 7);
        let clock = context.clone();
        let aws = Aws::new(Arc::new(move || clock.now_milliseconds()));
        let transport = in_process::transport(aws.router());
        Self::at(context, Some(aws), transport, "http://aws.invalid".into()).await
    }

    /// The emulator named in the environment, if one is.
    pub(crate) async fn emulator() -> Option<Self> {
        let address = std::env::var("WAYBILL_AWS_URL").ok()?;
        // Ids of its own: an account takes a transaction's token once in ten minutes, whatever the table.
        static SEED: AtomicU64 = AtomicU64::new(1);
        let seed = u64::from(std::process::id()) << 16 | SEED.fetch_add(1, Ordering::Relaxed);
        let context = Context::simulated(jiff_now(), seed);
        Some(Self::at(context, None, Transport::network().unwrap(), address).await)
    }

    async fn at(context: Context, aws: Option<Aws>, transport: Transport, address: String) -> Self {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let table = format!("ledger-{}-{}", std::process::id(), NUMBER.fetch_add(1, Ordering::Relaxed));
        let sdk = aws::connect_to(&transport, &context, &address, "test");
        let dynamodb = aws_sdk_dynamodb::Client::new(&sdk);
        let key = |name: &str, kind| {
            KeySchemaElement::builder().attribute_name(name).key_type(kind).build().unwrap()
        };
        let text = |name: &str| {
            AttributeDefinition::builder()
                .attribute_name(name)
                .attribute_type(ScalarAttributeType::S)
                .build()
                .unwrap()
        };
        dynamodb
            .create_table()
            .table_name(&table)
            .billing_mode(BillingMode::PayPerRequest)
            .key_schema(key("pk", KeyType::Hash))
            .key_schema(key("sk", KeyType::Range))
            .attribute_definitions(text("pk"))
            .attribute_definitions(text("sk"))
            .send()
            .await
            .unwrap();
        let ledger = Ledger::new(dynamodb, &table, context.clone());
        Self { ledger, context, aws, transport, address, table }
    }

    /// The same ledger with somewhere to put large results.
    pub(crate) async fn with_overflow(&self) -> Ledger {
        let sdk = aws::connect_to(&self.transport, &self.context, &self.address, "test");
        let s3 = aws::s3(&sdk);
        let bucket = format!("{}-overflow", self.table);
        s3.create_bucket().bucket(&bucket).send().await.unwrap();
        self.ledger.clone().overflow(Overflow { s3, bucket })
    }

    /// The same ledger, seen by another worker whose clock is off.
    pub(crate) fn with_clock_off_by(&self, seconds: i64) -> Ledger {
        let off = self.context.now() + jiff::SignedDuration::from_secs(seconds);
        let context = Context::simulated(off, 8);
        let sdk = aws::connect_to(&self.transport, &context, &self.address, "test");
        Ledger::new(aws_sdk_dynamodb::Client::new(&sdk), &self.table, context)
    }

    /// Lends out the same ledger, where one answer is lost: the first update that is carried out, and nobody hears of it. What
    /// the SDK sends again is answered.
    pub(crate) async fn losing_an_answer<T>(&self, act: impl AsyncFnOnce(Ledger) -> T) -> T {
        let (through, lost) = (self.transport.clone(), Arc::new(AtomicBool::new(false)));
        let noted = lost.clone();
        let transport = Transport::in_process(move |request| {
            let (through, noted) = (through.clone(), noted.clone());
            async move {
                let target = request.headers().get("x-amz-target");
                let is_update = target.is_some_and(|target| target.as_bytes().ends_with(b".UpdateItem"));
                let answer = through.send(request).await?;
                if is_update && answer.status().is_success() && !noted.swap(true, Ordering::Relaxed) {
                    return Err(TransportError::new(TransportErrorKind::Interrupted, "the answer was lost"));
                }
                Ok(answer)
            }
        });
        let sdk = aws::connect_to(&transport, &self.context, &self.address, "test");
        let dynamodb = aws_sdk_dynamodb::Client::new(&sdk);
        let done = act(Ledger::new(dynamodb, &self.table, self.context.clone())).await;
        assert!(lost.load(Ordering::Relaxed), "no answer was lost");
        done
    }

    /// The table's name.
    pub(crate) fn table(&self) -> &str {
        &self.table
    }

    /// The end of a lease of this many seconds.
    pub(crate) fn lease(&self, seconds: i64) -> i64 {
        self.context.now_milliseconds() + seconds * 1000
    }

    /// Lets time pass.
    pub(crate) async fn wait(&self, seconds: u64) {
        tokio::time::sleep(Duration::from_secs(seconds)).await;
    }
}

/// The emulator lives in real time; the cases move a simulated clock ahead of it, which it does not look at.
fn jiff_now() -> jiff::Timestamp {
    jiff::Timestamp::now()
}

pub(crate) fn key(name: &str) -> Key {
    Key::of(&["bucket", name, "v1"])
}

pub(crate) fn completion(ending: Ending, asset: &str) -> Completion {
    Completion {
        ending,
        result: serde_json::json!({"node": 7001}),
        event: AuditEvent {
            asset: asset.into(),
            event_type: EventType::Ingestion,
            event_date_time: BEGINNING.into(),
            outcome: Outcome::Success,
            agent: "waybill test".into(),
            item: "item".into(),
            message_digest: None,
            detail: std::collections::BTreeMap::default(),
        },
    }
}

pub(crate) fn ours(begin: Begin) -> Attempt {
    match begin {
        Begin::Ours(attempt) => attempt,
        other => panic!("the claim was refused: {other:?}"),
    }
}
