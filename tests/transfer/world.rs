//! S3 and the ledger in this process, with a hand on every request between them and the code that ships.

use std::{
    future::pending,
    sync::{Arc, Mutex},
    time::Duration,
};

use aws_sdk_dynamodb::types::{
    AttributeDefinition, BillingMode, KeySchemaElement, KeyType, ScalarAttributeType,
};
use aws_sdk_s3::types::{BucketVersioningStatus, VersioningConfiguration};
use bytes::{Bytes, BytesMut};
use futures_util::stream;
use http_body::Frame;
use http_body_util::{BodyExt, StreamBody};
use shared::{
    aws,
    context::Context,
    flow::{Item, Run},
    http::{Body, Transport, TransportError, TransportErrorKind, full},
    ledger::{Key, Ledger},
    transfer::{RangedSource, S3Object},
};
use simulators::aws::Aws;
use tests::in_process;

/// The bucket things come from.
pub(crate) const SOURCE: &str = "uploads";
/// The bucket things go to.
pub(crate) const TARGET: &str = "archive";
/// How long a claim of these tests lasts, in milliseconds.
const LEASE: i64 = 60_000;

/// What happens to a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fault {
    /// It takes effect, and its answer is lost.
    LoseAnswer,
    /// It never arrives.
    Refuse,
    /// It arrives up to the middle of its body, and nothing more happens until the process is killed.
    HangInBody,
    /// It takes effect, and then nothing more happens until the process is killed.
    HangAfter,
    /// One bit of its body flips on the way.
    FlipBit,
    /// S3 is out of order.
    Unavailable,
}

struct Planned {
    call: &'static str,
    after: usize,
    times: usize,
    fault: Fault,
}

#[derive(Default)]
struct Wire {
    planned: Vec<Planned>,
    seen: Vec<String>,
    carried: usize,
}

/// Everything a transfer touches.
#[derive(Clone)]
pub(crate) struct World {
    /// The stand-in.
    pub(crate) aws: Aws,
    /// The client of the code that ships.
    pub(crate) s3: aws_sdk_s3::Client,
    /// Time.
    pub(crate) context: Context,
    ledger: Ledger,
    wire: Arc<Mutex<Wire>>,
}

impl World {
    /// Two buckets and a ledger; the source bucket keeps versions when told so.
    pub(crate) async fn new(versioned: bool) -> Self {
        let context = Context::simulated("2031-05-06T07:08:09Z".parse().unwrap(), 7);
        let clock = context.clone();
        let aws = Aws::new(Arc::new(move || clock.now_milliseconds()));
        let wire = Arc::new(Mutex::new(Wire::default()));
        let (router, tapped) = (aws.router(), Arc::clone(&wire));
        let transport = Transport::in_process(move |request| {
            let (router, tapped) = (router.clone(), Arc::clone(&tapped));
            async move { carry(router, &tapped, request).await }
        });
        let sdk = aws::connect_to(&transport, &context, "http://aws.invalid", "test");
        let s3 = aws::s3(&sdk);
        for bucket in [SOURCE, TARGET] {
            s3.create_bucket().bucket(bucket).send().await.unwrap();
        }
        if versioned {
            let enabled = VersioningConfiguration::builder().status(BucketVersioningStatus::Enabled).build();
            s3.put_bucket_versioning().bucket(SOURCE).versioning_configuration(enabled).send().await.unwrap();
        }
        let dynamodb = aws_sdk_dynamodb::Client::new(&sdk);
        create_table(&dynamodb).await;
        let ledger = Ledger::new(dynamodb, "ledger", context.clone());
        Self { aws, s3, context, ledger, wire }
    }

    /// Puts an object into the source bucket.
    pub(crate) async fn put(&self, key: &str, content: impl Into<Bytes>) {
        let body = content.into().into();
        self.s3.put_object().bucket(SOURCE).key(key).body(body).send().await.unwrap();
    }

    /// The object as it is now.
    pub(crate) async fn head(&self, key: &str) -> S3Object {
        S3Object::head(&self.s3, SOURCE, key, None, None).await.unwrap()
    }

    /// An attempt at the one item of a test, that need not stop for `seconds`. An earlier one has lost its claim.
    pub(crate) async fn attempt_for(&self, seconds: i64) -> Run {
        let now = self.context.now_milliseconds();
        let item = Item {
            key: Key::of(&["transfer", "item"]),
            payload_hash: "payload".into(),
            asset: "asset".into(),
            asset_text: "asset".into(),
        };
        let run = Run::claim(&self.ledger, "transfer", &item, now + LEASE, now + seconds * 1000).await;
        run.unwrap().expect("the item is free")
    }

    /// An attempt with all the time in the world.
    pub(crate) async fn attempt(&self) -> Run {
        self.attempt_for(LEASE / 1000).await
    }

    /// The process was killed: its claim ends by itself.
    pub(crate) async fn until_the_claim_ends(&self) {
        self.context.sleep(Duration::from_millis(LEASE as u64 + 1)).await;
    }

    /// Plans a fault for the requests whose operation is `call`, once `after` of them have passed.
    pub(crate) fn plan(&self, call: &'static str, after: usize, fault: Fault) {
        self.plan_times(call, after, 1, fault);
    }

    /// The same, for several requests in a row.
    pub(crate) fn plan_times(&self, call: &'static str, after: usize, times: usize, fault: Fault) {
        self.wire.lock().unwrap().planned.push(Planned { call, after, times, fault });
    }

    /// How often an operation was called.
    pub(crate) fn calls(&self, call: &str) -> usize {
        self.wire.lock().unwrap().seen.iter().filter(|seen| *seen == call).count()
    }

    /// Forgets what was called, and the bytes that passed.
    pub(crate) fn forget(&self) {
        let mut wire = self.wire.lock().unwrap();
        wire.seen.clear();
        wire.carried = 0;
    }

    /// Bytes of content that passed through this process, in either direction.
    pub(crate) fn carried(&self) -> usize {
        self.wire.lock().unwrap().carried
    }

    /// What is in the target bucket under a key.
    pub(crate) fn target(&self, key: &str) -> Option<Bytes> {
        self.aws.s3().content(TARGET, key)
    }

    /// Unfinished uploads to the target bucket.
    pub(crate) fn orphans(&self) -> Vec<String> {
        self.aws.s3().open_uploads(TARGET)
    }
}

/// A content that is different at every place.
pub(crate) fn content(length: usize) -> Bytes {
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let mut content = BytesMut::with_capacity(length + 8);
    while content.len() < length {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        content.extend_from_slice(&state.to_le_bytes());
    }
    content.truncate(length);
    content.freeze()
}

/// A content in memory as a source that gives it in pieces.
pub(crate) fn source(content: &Bytes) -> RangedSource {
    let content = content.clone();
    RangedSource::new("one", content.len() as u64, move |offset, length| {
        let part = content.slice(offset as usize..(offset + length) as usize);
        async move { Ok(pieces(part)) }
    })
}

/// A body that gives its bytes in pieces.
pub(crate) fn pieces(mut rest: Bytes) -> Body {
    let pieces = std::iter::from_fn(move || {
        (!rest.is_empty()).then(|| Ok(Frame::data(rest.split_to(rest.len().min(16 << 10)))))
    });
    StreamBody::new(stream::iter(pieces)).boxed()
}

async fn create_table(dynamodb: &aws_sdk_dynamodb::Client) {
    let key =
        |name: &str, kind| KeySchemaElement::builder().attribute_name(name).key_type(kind).build().unwrap();
    let text = |name: &str| {
        let kind = ScalarAttributeType::S;
        AttributeDefinition::builder().attribute_name(name).attribute_type(kind).build().unwrap()
    };
    dynamodb
        .create_table()
        .table_name("ledger")
        .billing_mode(BillingMode::PayPerRequest)
        .key_schema(key("pk", KeyType::Hash))
        .key_schema(key("sk", KeyType::Range))
        .attribute_definitions(text("pk"))
        .attribute_definitions(text("sk"))
        .send()
        .await
        .unwrap();
}

/// The operation of a request, as S3 names it.
fn operation(request: &http::request::Parts) -> String {
    if let Some(target) = request.headers.get("x-amz-target") {
        return target.to_str().unwrap_or_default().rsplit('.').next().unwrap_or_default().to_owned();
    }
    let query = request.uri.query().unwrap_or_default();
    let copies = request.headers.contains_key("x-amz-copy-source");
    let asks = |name: &str| query.split('&').any(|pair| pair.split('=').next() == Some(name));
    match request.method.as_str() {
        "PUT" if asks("partNumber") && copies => "UploadPartCopy",
        "PUT" if asks("partNumber") => "UploadPart",
        "PUT" if copies => "CopyObject",
        "PUT" => "PutObject",
        "POST" if asks("uploads") => "CreateMultipartUpload",
        "POST" if asks("uploadId") => "CompleteMultipartUpload",
        "DELETE" if asks("uploadId") => "AbortMultipartUpload",
        "GET" if asks("uploadId") => "ListParts",
        "GET" if asks("uploads") => "ListMultipartUploads",
        "GET" if asks("tagging") => "GetObjectTagging",
        "GET" => "GetObject",
        "HEAD" => "HeadObject",
        _ => "other",
    }
    .to_owned()
}

async fn carry(
    router: axum::Router,
    wire: &Mutex<Wire>,
    request: http::Request<Body>,
) -> Result<http::Response<Body>, TransportError> {
    let (parts, body) = request.into_parts();
    let operation = operation(&parts);
    let fault = fault_for(&mut wire.lock().unwrap(), &operation);
    match fault {
        Some(Fault::Refuse) => return Err(TransportError::new(TransportErrorKind::Connect, "refused")),
        Some(Fault::Unavailable) => {
            return Ok(http::Response::builder().status(503).body(full("")).unwrap());
        }
        _ => {}
    }
    let mut content = BytesMut::new();
    let announced = announced(&parts);
    let mut body = body;
    while let Some(frame) = body.frame().await {
        // A client that cannot give its body to the end breaks the connection: the other side never sees a request.
        let frame = frame.map_err(|error| TransportError::new(TransportErrorKind::Interrupted, error))?;
        if let Ok(data) = frame.into_data() {
            content.extend_from_slice(&data);
        }
        if fault == Some(Fault::HangInBody) && content.len() as u64 > announced / 2 {
            pending::<()>().await;
        }
    }
    if fault == Some(Fault::HangInBody) {
        pending::<()>().await;
    }
    if fault == Some(Fault::FlipBit) {
        let middle = content.len() / 2;
        content[middle] ^= 1;
    }
    let moves = matches!(operation.as_str(), "PutObject" | "UploadPart" | "GetObject");
    if moves {
        wire.lock().unwrap().carried += content.len();
    }
    let response = in_process::call(router, http::Request::from_parts(parts, full(content.freeze()))).await;
    match fault {
        Some(Fault::LoseAnswer) => Err(TransportError::new(TransportErrorKind::Interrupted, "lost")),
        Some(Fault::HangAfter) => pending().await,
        _ => {
            if moves {
                let length = response.headers().get("content-length");
                let length = length.and_then(|length| length.to_str().ok()?.parse::<usize>().ok());
                wire.lock().unwrap().carried += length.unwrap_or(0);
            }
            Ok(response)
        }
    }
}

fn fault_for(wire: &mut Wire, operation: &str) -> Option<Fault> {
    wire.seen.push(operation.to_owned());
    let planned = wire.planned.iter_mut().find(|planned| planned.call == operation && planned.times > 0)?;
    if planned.after > 0 {
        planned.after -= 1;
        return None;
    }
    planned.times -= 1;
    Some(planned.fault)
}

/// The length of a body as its request states it.
fn announced(request: &http::request::Parts) -> u64 {
    let length = request.headers.get("content-length").and_then(|length| length.to_str().ok());
    length.and_then(|length| length.parse().ok()).unwrap_or(0)
}
