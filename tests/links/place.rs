//! A ledger with links, and a published document they lead to.

use std::{
    num::NonZeroU32,
    sync::{Arc, Mutex},
    time::Duration,
};

use aws_sdk_dynamodb::types::{
    AttributeDefinition, BillingMode, KeySchemaElement, KeyType, ScalarAttributeType,
};
use aws_sdk_s3::types::{BucketVersioningStatus, VersioningConfiguration};
use fastrand::Rng;
use jiff::{SignedDuration, Timestamp};
use shared::{
    audit::{self, EventType},
    aws,
    context::Context,
    http::Transport,
    ledger::Ledger,
    links::{Answer, Audience, Issued, Links, NewLink, Origin, Purpose, Target, Token, Visitor},
};
use simulators::aws::Aws;
use tests::in_process;

/// The beginning of time in these tests.
pub(crate) const BEGINNING: &str = "2031-05-06T07:08:09Z";
/// The asset of the document.
pub(crate) const ASSET: &str = "asset-of-7001";
/// The reference the flow issues links for.
pub(crate) const REFERENCE: &str = "7001 v3";
/// The bucket of published documents.
pub(crate) const BUCKET: &str = "distribution";
/// The function that serves them.
pub(crate) const AGENT: &str = "serve-links";
/// The ledger's table.
pub(crate) const TABLE: &str = "ledger";

/// One test's installation.
pub(crate) struct Place {
    pub(crate) context: Context,
    pub(crate) aws: Aws,
    pub(crate) ledger: Ledger,
    pub(crate) links: Links,
    pub(crate) target: Target,
}

impl Place {
    pub(crate) async fn new() -> Self {
        let context = Context::simulated(BEGINNING.parse().unwrap(), 7);
        let clock = context.clone();
        let aws = Aws::new(Arc::new(move || clock.now_milliseconds()));
        let transport = in_process::transport(aws.router());
        let sdk = aws::connect_to(&transport, &context, "http://aws.test", "test");
        table(&aws_sdk_dynamodb::Client::new(&sdk)).await;
        let version = publish(&aws::s3(&sdk)).await;
        let ledger = Ledger::new(aws_sdk_dynamodb::Client::new(&sdk), TABLE, context.clone());
        let target = Target {
            bucket: BUCKET.into(),
            key: "7001/3/partner/contract.pdf".into(),
            version: Some(version),
            file_name: "Vertrag für Söhne & Töchter.pdf".into(),
            content_type: "application/pdf".into(),
            sha256: Some("ab".repeat(32)),
        };
        Self { links: Links::new(ledger.clone()), ledger, context, aws, target }
    }

    /// A link valid for an hour, for everybody.
    pub(crate) fn new_link(&self) -> NewLink {
        NewLink {
            target: self.target.clone(),
            valid_until: self.context.now() + SignedDuration::from_hours(1),
            uses: None,
            audience: Audience::everybody(),
            origin: Origin {
                flow: "publish-approved".into(),
                reference: REFERENCE.into(),
                asset: ASSET.into(),
            },
        }
    }

    pub(crate) async fn issue(&self, uses: Option<u32>) -> Issued {
        self.links.issue(&NewLink { uses: uses.and_then(NonZeroU32::new), ..self.new_link() }).await.unwrap()
    }

    /// What a client at this address gets who downloads.
    pub(crate) async fn download(&self, token: &Token, address: &str) -> Answer {
        self.links.visit(token, &at(address), window(15), AGENT).await.unwrap()
    }

    /// The same installation, seen by another process over a way that takes a while, whose clock is off.
    pub(crate) fn process(&self, seed: u64, seconds_off: i64) -> Links {
        let now: Timestamp = self.context.now() + SignedDuration::from_secs(seconds_off);
        let context = Context::simulated(now, seed);
        let sdk = aws::connect_to(&slow(self.aws.router(), seed), &context, "http://aws.test", "test");
        Links::new(Ledger::new(aws_sdk_dynamodb::Client::new(&sdk), TABLE, context))
    }

    /// How often the audit says that it was downloaded. The chain must be whole.
    pub(crate) async fn audited_downloads(&self) -> usize {
        let chain = self.ledger.chain(ASSET).await.unwrap();
        let export: Vec<String> = chain.iter().map(|event| event.canonical().unwrap()).collect();
        let end = chain.last().map(|event| event.hash.as_str());
        audit::verify(&export.join("\n"), end).unwrap();
        chain.iter().filter(|event| event.event.event_type == EventType::Dissemination).count()
    }

    /// Everything in the table, as text.
    pub(crate) fn table(&self) -> String {
        self.aws.dynamodb().dump(TABLE).to_string()
    }

    /// Reads of the table so far.
    pub(crate) fn reads(&self) -> u64 {
        self.aws.dynamodb().counters(TABLE).reads
    }

    /// Puts something else under the document's key.
    pub(crate) async fn overwrite(&self, content: &'static [u8]) {
        let transport = in_process::transport(self.aws.router());
        let s3 = aws::s3(&aws::connect_to(&transport, &self.context, "http://aws.test", "test"));
        let put = s3.put_object().bucket(BUCKET).key(&self.target.key);
        put.body(aws_sdk_s3::primitives::ByteStream::from_static(content)).send().await.unwrap();
    }

    pub(crate) async fn wait(&self, seconds: u64) {
        tokio::time::sleep(Duration::from_secs(seconds)).await;
    }
}

/// A visitor from an address.
pub(crate) fn at(address: &str) -> Visitor {
    Visitor { address: Some(address.parse().unwrap()), email: None }
}

/// A download with a window of so many minutes.
pub(crate) fn window(minutes: u64) -> Purpose {
    Purpose::Download(Duration::from_secs(60 * minutes))
}

/// Requests and answers take up to 20 ms each, so that what runs at the same time mixes.
fn slow(router: axum::Router, seed: u64) -> Transport {
    let random = Arc::new(Mutex::new(Rng::with_seed(seed)));
    let pause = move || Duration::from_millis(random.lock().unwrap().u64(0..20));
    Transport::in_process(move |request| {
        let (router, there, back) = (router.clone(), pause(), pause());
        async move {
            tokio::time::sleep(there).await;
            let response = in_process::call(router, request).await;
            tokio::time::sleep(back).await;
            Ok(response)
        }
    })
}

async fn table(dynamodb: &aws_sdk_dynamodb::Client) {
    let key =
        |name: &str, kind| KeySchemaElement::builder().attribute_name(name).key_type(kind).build().unwrap();
    let text = |name: &str| {
        let text = AttributeDefinition::builder().attribute_name(name);
        text.attribute_type(ScalarAttributeType::S).build().unwrap()
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
        .unwrap();
}

async fn publish(s3: &aws_sdk_s3::Client) -> String {
    s3.create_bucket().bucket(BUCKET).send().await.unwrap();
    let versioned = VersioningConfiguration::builder().status(BucketVersioningStatus::Enabled).build();
    s3.put_bucket_versioning().bucket(BUCKET).versioning_configuration(versioned).send().await.unwrap();
    let put = s3.put_object().bucket(BUCKET).key("7001/3/partner/contract.pdf");
    let put = put.body(b"the approved contract".to_vec().into()).send().await.unwrap();
    put.version_id.unwrap()
}
