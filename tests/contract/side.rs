//! The two sides of the contract, and what is known to be missing on one.

use std::future::ready;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::time::Duration;

use shared::context::Context;
use shared::http::Transport;
use simulators::aws::Aws;

pub(crate) use aws_sdk_s3::error::ProvideErrorMetadata;

/// What a stand-in may lack, by name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Capability {
    /// Function names, and operands that must differ, are checked before any item is read.
    StrictConditions,
    /// Updates are checked for overlapping paths and types of operands.
    StrictUpdates,
    /// Key conditions are only those a key can answer.
    StrictQueries,
    /// Two missing attributes are not equal, and a function of the wrong type of attribute is false, not an error.
    OddOperands,
    /// Put and copy answer with the checksum they stored.
    ChecksumOnAnswers,
    /// A multipart object has a CRC64NVME of its whole content.
    FullObjectChecksum,
    /// Parts below 5 MiB are refused.
    LeastPart,
    /// Parts out of order are refused, and so is a second completion.
    StrictCompletion,
    /// Keys, metadata, tags, ranges of part copies and copies onto oneself have limits.
    ObjectLimits,
    /// Metadata in encoded words is stored decoded.
    EncodedMetadata,
    /// Delays and visibility timeouts have limits.
    QueueLimits,
    /// A copy takes the lock that its request names.
    LockedCopies,
    /// A list tells of restorations when it is asked to.
    ListedRestorations,
    /// A receipt handle of the past, or of a message already deleted, is accepted and does nothing.
    PatientReceipts,
    /// Entries that are no events are refused, each by its answer.
    StrictEvents,
}

/// ministack 1.5.33 fails these; everything else is expected of it.
const MISSING_AT_ADDRESS: [Capability; 15] = [
    Capability::StrictConditions,
    Capability::StrictUpdates,
    Capability::StrictQueries,
    Capability::OddOperands,
    Capability::ChecksumOnAnswers,
    Capability::FullObjectChecksum,
    Capability::LeastPart,
    Capability::StrictCompletion,
    Capability::ObjectLimits,
    Capability::EncodedMetadata,
    Capability::QueueLimits,
    Capability::LockedCopies,
    Capability::ListedRestorations,
    Capability::PatientReceipts,
    Capability::StrictEvents,
];

/// One side: clients, and a way to let time pass.
pub(crate) struct Side {
    pub(crate) dynamodb: aws_sdk_dynamodb::Client,
    pub(crate) eventbridge: aws_sdk_eventbridge::Client,
    pub(crate) s3: aws_sdk_s3::Client,
    pub(crate) secrets: aws_sdk_secretsmanager::Client,
    pub(crate) sqs: aws_sdk_sqs::Client,
    /// The stand-in itself, when it is ours.
    pub(crate) aws: Option<Aws>,
    clock: Option<Arc<AtomicI64>>,
}

static NAMES: AtomicU64 = AtomicU64::new(0);

impl Side {
    pub(crate) fn in_process() -> Self {
        let clock = Arc::new(AtomicI64::new(1_795_000_000_000));
        let time = clock.clone();
        let aws = Aws::new(Arc::new(move || time.load(Ordering::SeqCst)));
        let transport = tests::in_process::transport(aws.router());
        Self::with(&transport, "http://aws.test", Some(aws), Some(clock))
    }

    /// Ours too, but through a socket.
    pub(crate) async fn on_a_port() -> Self {
        let side = Self::in_process();
        let router = side.aws.as_ref().unwrap().router();
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        Self::with(&Transport::network().unwrap(), &format!("http://{address}"), side.aws, side.clock)
    }

    pub(crate) fn at_address() -> Option<Self> {
        let url = std::env::var("WAYBILL_AWS_URL").ok()?;
        Some(Self::with(&Transport::network().unwrap(), &url, None, None))
    }

    fn with(transport: &Transport, url: &str, aws: Option<Aws>, clock: Option<Arc<AtomicI64>>) -> Self {
        let config = shared::aws::connect_to(transport, &Context::system(), url, "111122223333");
        Self {
            dynamodb: aws_sdk_dynamodb::Client::new(&config),
            eventbridge: aws_sdk_eventbridge::Client::new(&config),
            s3: shared::aws::s3(&config),
            secrets: aws_sdk_secretsmanager::Client::new(&config),
            sqs: aws_sdk_sqs::Client::new(&config),
            aws,
            clock,
        }
    }

    pub(crate) fn can(&self, capability: Capability) -> bool {
        self.aws.is_some() || !MISSING_AT_ADDRESS.contains(&capability)
    }

    /// Lets time pass: at once on our side, by waiting elsewhere.
    pub(crate) async fn pass(&self, time: Duration) {
        match &self.clock {
            Some(clock) => {
                clock.fetch_add(i64::try_from(time.as_millis()).unwrap(), Ordering::SeqCst);
                ready(()).await;
            }
            None => tokio::time::sleep(time).await,
        }
    }

    /// The side's own time in seconds.
    pub(crate) fn seconds(&self) -> i64 {
        match &self.clock {
            Some(clock) => clock.load(Ordering::SeqCst) / 1000,
            None => Context::system().now_milliseconds() / 1000,
        }
    }

    /// A name nobody else uses.
    pub(crate) fn name(&self, kind: &str) -> String {
        let number = NAMES.fetch_add(1, Ordering::SeqCst);
        format!(
            "{kind}-{}-{}-{number}",
            std::process::id(),
            Context::system().now_milliseconds() % 100_000_000
        )
    }
}

/// The code of the refusal a call must end in.
pub(crate) fn refusal<T: std::fmt::Debug, E: ProvideErrorMetadata + std::fmt::Debug>(
    result: Result<T, E>,
) -> String {
    let error = result.expect_err("the call should have been refused");
    error.code().unwrap_or_else(|| panic!("no code: {error:?}")).to_owned()
}

/// Code and message of the refusal.
pub(crate) fn refusal_text<T: std::fmt::Debug, E: ProvideErrorMetadata + std::fmt::Debug>(
    result: Result<T, E>,
) -> String {
    let error = result.expect_err("the call should have been refused");
    format!("{}: {}", error.code().unwrap_or_default(), error.message().unwrap_or_default())
}
