//! The tap between a flow and everything outside it.

use std::{
    collections::BTreeMap,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering},
    },
};

use bytes::Bytes;
use http::{Request, Response};
use http_body::Body as _;
use http_body_util::{BodyExt, StreamBody};
use shared::http::{Body, Transport, TransportError, TransportErrorKind, full};
use simulators::faults::Dropped;
use tokio::sync::Notify;

use super::fault::{Fault, Form};

/// One call that passed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Call {
    /// The family of its system.
    pub form: Form,
    /// Method and path, ids included.
    pub what: String,
}

impl Call {
    /// What is asked for, without ids and keys.
    pub fn kind(&self) -> String {
        let is_version = |segment: &str| segment.len() == 2 && segment.starts_with('v');
        let is_id =
            |segment: &str| segment.contains(|letter: char| letter.is_ascii_digit()) && !is_version(segment);
        let segments = self.what.split('/').map(|segment| if is_id(segment) { "*" } else { segment });
        match self.form {
            Form::S3 | Form::IconikStorage => segments.take(2).collect::<Vec<_>>().join("/"),
            _ => segments.collect::<Vec<_>>().join("/"),
        }
    }
}

/// A change made to requests on their way, to show that the checks notice what it breaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sabotage {
    /// Nobody's fence or ownership is checked any more.
    NoFencing,
    /// Every claim looks like the first, so nothing is looked for before it is repeated.
    NoProbe,
    /// What a process that died was working on counts as done.
    EarlyAcknowledgement,
}

/// Something that happens elsewhere.
type Act = Box<dyn FnOnce() + Send>;

/// Counts calls, remembers them, and puts faults in. Clones are the same tap.
#[derive(Clone)]
pub struct Tap(Arc<Inner>);

/// The vendors' systems behind a tap.
#[derive(Debug, Clone, Default)]
pub struct Vendors {
    /// Content Server.
    pub content_server: axum::Router,
    /// iconik, and its buckets.
    pub iconik: axum::Router,
    /// Preservica, and its storage.
    pub preservica: axum::Router,
}

struct Inner {
    vendors: Vendors,
    aws: axum::Router,
    plan: Mutex<BTreeMap<usize, Fault>>,
    calls: Mutex<Vec<Call>>,
    met: Mutex<Vec<Fault>>,
    meanwhile: Mutex<BTreeMap<usize, Act>>,
    sabotage: Option<Sabotage>,
    open: AtomicBool,
    late: AtomicUsize,
    /// What calls that do not arrive say of themselves.
    away: Mutex<Option<String>>,
    content: AtomicU64,
}

impl Tap {
    /// A tap before Content Server and AWS; `plan` gives the fault of the n-th call, counted from 0.
    pub fn new(
        content_server: axum::Router,
        aws: axum::Router,
        plan: BTreeMap<usize, Fault>,
        sabotage: Option<Sabotage>,
    ) -> Self {
        Self::of(Vendors { content_server, ..Vendors::default() }, aws, plan, sabotage)
    }

    /// The same before several vendors' systems.
    pub fn of(
        vendors: Vendors,
        aws: axum::Router,
        plan: BTreeMap<usize, Fault>,
        sabotage: Option<Sabotage>,
    ) -> Self {
        Self(Arc::new(Inner {
            vendors,
            aws,
            plan: Mutex::new(plan),
            calls: Mutex::default(),
            met: Mutex::default(),
            meanwhile: Mutex::default(),
            sabotage,
            open: AtomicBool::new(true),
            late: AtomicUsize::new(0),
            away: Mutex::default(),
            content: AtomicU64::new(0),
        }))
    }

    /// Lets something happen immediately before the n-th call.
    pub fn before(&self, call: usize, act: impl FnOnce() + Send + 'static) {
        self.0.meanwhile.lock().expect("no panic while calling").insert(call, Box::new(act));
    }

    /// From now on, calls to one Region of AWS do not arrive; with none, all do again.
    pub fn set_away(&self, region: Option<&str>) {
        let scope = region.map(|region| format!("/{region}/"));
        *self.0.away.lock().expect("no panic while calling") = scope;
    }

    fn is_away(&self, request: &Request<Body>) -> bool {
        let signed = request.headers().get(http::header::AUTHORIZATION).and_then(|text| text.to_str().ok());
        let away = self.0.away.lock().expect("no panic while calling");
        away.as_ref().is_some_and(|scope| signed.is_some_and(|signed| signed.contains(scope)))
    }

    /// The protection that is missing.
    pub fn sabotage(&self) -> Option<Sabotage> {
        self.0.sabotage
    }

    /// The calls so far.
    pub fn calls(&self) -> Vec<Call> {
        self.0.calls.lock().expect("no panic while calling").clone()
    }

    /// The faults that were put in so far.
    pub fn met(&self) -> Vec<Fault> {
        self.0.met.lock().expect("no panic while calling").clone()
    }

    /// Whether every planned fault has been met.
    pub fn is_spent(&self) -> bool {
        self.0.plan.lock().expect("no panic while calling").is_empty()
    }

    /// Calls that are still to be carried out though nobody waits for them any more.
    pub fn late(&self) -> usize {
        self.0.late.load(Ordering::Relaxed)
    }

    /// Bytes of content that came to the flow: what it reads itself, and does not let a server copy.
    pub fn content(&self) -> u64 {
        self.0.content.load(Ordering::Relaxed)
    }

    /// No further faults: what comes now is the time after the bad night.
    pub fn calm(&self) {
        self.0.open.store(false, Ordering::Relaxed);
    }

    /// The way out for one process; `crash` is told when the process is to die.
    pub fn transport(&self, crash: Arc<Notify>) -> Transport {
        let tap = self.clone();
        Transport::in_process(move |request| {
            let (tap, crash) = (tap.clone(), crash.clone());
            async move { tap.call(request, &crash).await }
        })
    }

    async fn call(&self, request: Request<Body>, crash: &Notify) -> Result<Response<Body>, TransportError> {
        let form = form_of(&request);
        let fault = self.next_fault(&request, form);
        if self.is_away(&request) {
            return Err(TransportError::new(TransportErrorKind::Connect, "nobody answers"));
        }
        let Some(fault) = fault else { return is_whole(self.pass(request, form, None).await) };
        match fault {
            Fault::CrashBefore => die(crash).await,
            Fault::DropBefore => return Err(broken()),
            Fault::LateEffect(time) => {
                self.carry_out_later(request, form, time).await;
                return Err(broken());
            }
            Fault::HoldBefore(time) => {
                tokio::time::sleep(time).await;
                return Err(TransportError::new(TransportErrorKind::Timeout, "held back"));
            }
            Fault::Refused(_) | Fault::Throttled(..) => {
                return Ok(fault.answer(form).expect("a refusal has an answer"));
            }
            _ => {}
        }
        let response = is_whole(self.pass(request, form, Some(fault)).await)?;
        match fault {
            Fault::CrashAfter => die(crash).await,
            Fault::DropAfter => Err(broken()),
            Fault::HoldAfter(time) => {
                tokio::time::sleep(time).await;
                Ok(response)
            }
            Fault::PageAfter | Fault::EmptyAfter => Ok(fault.answer(form).expect("it has an answer")),
            Fault::CutAnswer => Ok(cut(response).await),
            Fault::FlipAnswer if is_content(&response) => Ok(flip(response).await),
            _ => Ok(response),
        }
    }

    /// A request that broke off before its body was complete is never carried out.
    async fn carry_out_later(&self, request: Request<Body>, form: Form, time: std::time::Duration) {
        let (parts, body) = request.into_parts();
        let Ok(body) = body.collect().await else { return };
        let request = Request::from_parts(parts, full(body.to_bytes()));
        let tap = self.clone();
        tap.0.late.fetch_add(1, Ordering::Relaxed);
        tokio::spawn(async move {
            tokio::time::sleep(time).await;
            let _ = tap.pass(request, form, None).await;
            tap.0.late.fetch_sub(1, Ordering::Relaxed);
        });
    }

    fn next_fault(&self, request: &Request<Body>, form: Form) -> Option<Fault> {
        let mut calls = self.0.calls.lock().expect("no panic while calling");
        let number = calls.len();
        let target = request.headers().get("x-amz-target").and_then(|value| value.to_str().ok());
        let what = target.map_or_else(
            || format!("{} {}", request.method(), request.uri().path()),
            |target| target.rsplit('.').next().unwrap_or_default().to_owned(),
        );
        let named = Call { form, what };
        calls.push(named.clone());
        if let Some(act) = self.0.meanwhile.lock().expect("no panic while calling").remove(&number) {
            act();
        }
        let fault = self.0.plan.lock().expect("no panic while calling").remove(&number);
        // A fault is planned for a number; another call may have come there, which cannot go wrong in this way.
        let possible = fault.filter(|fault| Fault::all(form).contains(fault));
        let fault = possible.filter(|_| self.0.open.load(Ordering::Relaxed));
        if let Some(fault) = fault {
            tracing::info!(number, call = named.what, ?fault, "a fault");
        }
        self.0.met.lock().expect("no panic while calling").extend(fault);
        fault
    }

    async fn pass(&self, request: Request<Body>, form: Form, fault: Option<Fault>) -> Response<Body> {
        let request = match (fault, self.0.sabotage) {
            (Some(Fault::FlipRequest), _) => flip_upload(request).await,
            (_, Some(Sabotage::NoFencing)) if form == Form::AwsJson => unfence(request).await,
            _ => request,
        };
        let router = match form {
            Form::Vendor => &self.0.vendors.content_server,
            Form::Iconik | Form::IconikStorage => &self.0.vendors.iconik,
            Form::Preservica => &self.0.vendors.preservica,
            Form::AwsJson | Form::S3 => &self.0.aws,
        };
        let claim = request.headers().get("x-amz-target").is_some_and(|target| target == UPDATE_ITEM);
        let reads = request.method() == http::Method::GET;
        let response = crate::in_process::call(router.clone(), request).await;
        if reads && is_content(&response) {
            let length = response.body().size_hint().exact().unwrap_or(0);
            self.0.content.fetch_add(length, Ordering::Relaxed);
        }
        match self.0.sabotage {
            Some(Sabotage::NoProbe) if claim => first_fence(response).await,
            _ => response,
        }
    }
}

const UPDATE_ITEM: &str = "DynamoDB_20120810.UpdateItem";

fn form_of(request: &Request<Body>) -> Form {
    match request.uri().host() {
        _ if request.headers().contains_key("x-amz-target") => Form::AwsJson,
        Some("content-server.test") => Form::Vendor,
        Some("iconik.test") if request.uri().path().starts_with("/_storage/") => Form::IconikStorage,
        Some("iconik.test") => Form::Iconik,
        Some("preservica.test") => Form::Preservica,
        _ => Form::S3,
    }
}

/// Tells the driver, which drops this process; until then nothing happens any more.
async fn die(crash: &Notify) -> ! {
    crash.notify_one();
    std::future::pending().await
}

fn broken() -> TransportError {
    TransportError::new(TransportErrorKind::Interrupted, "the connection was cut")
}

/// No answer comes to a request that broke off by itself.
fn is_whole(response: Response<Body>) -> Result<Response<Body>, TransportError> {
    match response.extensions().get::<Dropped>() {
        Some(Dropped) => Err(broken()),
        None => Ok(response),
    }
}

async fn bytes_of(body: Body) -> Bytes {
    body.collect().await.map(http_body_util::Collected::to_bytes).unwrap_or_default()
}

async fn cut(response: Response<Body>) -> Response<Body> {
    let (parts, body) = response.into_parts();
    let bytes = bytes_of(body).await;
    let half = bytes.slice(..bytes.len() / 2);
    let frames: Vec<Result<http_body::Frame<Bytes>, Box<dyn std::error::Error + Send + Sync>>> =
        vec![Ok(http_body::Frame::data(half)), Err("the connection was cut".into())];
    Response::from_parts(parts, StreamBody::new(futures_util::stream::iter(frames)).boxed())
}

/// Only content is flipped: an answer's structure is protected by TLS, a file may have been damaged long before.
fn is_content(response: &Response<Body>) -> bool {
    let kind = response.headers().get(http::header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok());
    !kind.is_some_and(|kind| kind.starts_with("application/json") || kind.contains("xml"))
}

async fn flip(response: Response<Body>) -> Response<Body> {
    let (parts, body) = response.into_parts();
    let mut bytes = bytes_of(body).await.to_vec();
    if let Some(byte) = bytes.last_mut() {
        *byte ^= 1;
    }
    Response::from_parts(parts, full(bytes))
}

/// Flips a byte of the file in an upload form, whose last part is the file, or of content that is all there is.
async fn flip_upload(request: Request<Body>) -> Request<Body> {
    if request.uri().path().starts_with("/api/s3/") && request.method() == http::Method::PUT {
        let (parts, body) = request.into_parts();
        let mut bytes = bytes_of(body).await.to_vec();
        let middle = bytes.len() / 2;
        if let Some(byte) = bytes.get_mut(middle) {
            *byte ^= 1;
        }
        return Request::from_parts(parts, full(bytes));
    }
    let form = request.headers().get(http::header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok());
    if !form.is_some_and(|form| form.starts_with("multipart/form-data")) {
        return request;
    }
    let (parts, body) = request.into_parts();
    let mut bytes = bytes_of(body).await.to_vec();
    let start = bytes.windows(4).rposition(|window| window == b"\r\n\r\n").map_or(0, |at| at + 4);
    if let Some(byte) = bytes.get_mut(start) {
        *byte ^= 1;
    }
    Request::from_parts(parts, full(bytes))
}

async fn unfence(request: Request<Body>) -> Request<Body> {
    let (parts, body) = request.into_parts();
    let text = String::from_utf8_lossy(&bytes_of(body).await).into_owned();
    let text = text
        .replace("fence = :fence AND", "(fence = :fence OR attribute_exists(pk)) AND")
        .replace("#owner = :owner AND", "(#owner = :owner OR attribute_exists(pk)) AND")
        .replace("AND #status = :progress\"", "AND (#status = :progress OR attribute_exists(pk))\"");
    let mut parts = parts;
    parts.headers.remove(http::header::CONTENT_LENGTH);
    Request::from_parts(parts, full(text.into_bytes()))
}

async fn first_fence(response: Response<Body>) -> Response<Body> {
    let (parts, body) = response.into_parts();
    let bytes = bytes_of(body).await;
    let Ok(mut answer) = serde_json::from_slice::<serde_json::Value>(&bytes) else {
        return Response::from_parts(parts, full(bytes));
    };
    if let Some(fence) = answer.pointer_mut("/Attributes/fence/N") {
        *fence = "1".into();
    }
    let mut parts = parts;
    parts.headers.remove(http::header::CONTENT_LENGTH);
    parts.headers.remove("x-amz-crc32");
    Response::from_parts(parts, full(answer.to_string().into_bytes()))
}
