//! The sender: takes pushes from the queue and POSTs them, as long as it runs; and the handshake before the first.

use std::net::IpAddr;
use std::time::Duration;

use bytes::Bytes;
use futures_util::stream;
use http_body_util::{BodyExt as _, Limited, StreamBody};
use hyper::body::Frame;
use hyper_util::rt::TokioIo;
use serde_json::Value;
use tokio::net::TcpStream;
use tokio::task::JoinHandle;

use super::Simulator;
use super::state::Delivery;
use super::state::challenge_response;

/// How often the queue is looked at.
const PAUSE: Duration = Duration::from_millis(20);
/// Pushes taken at once.
const AT_ONCE: usize = 16;
/// Bytes of an answer that are read.
const ANSWER_LIMIT: usize = 64 * 1024;
/// Bytes of a chunk.
const CHUNK: usize = 512;

impl Simulator {
    /// Sends what webhooks have to say, over HTTP. The task ends when it is aborted.
    pub fn start_sending(&self) -> JoinHandle<()> {
        let simulator = self.clone();
        tokio::spawn(async move {
            loop {
                for delivery in simulator.with_state(|state| state.take_deliveries(AT_ONCE)) {
                    simulator.send(&delivery).await;
                }
                tokio::time::sleep(PAUSE).await;
            }
        })
    }

    async fn send(&self, delivery: &Delivery) {
        let rules = self.with_state(|state| state.settings.deliveries.clone());
        let answer = match delivery.request() {
            Some(request) => {
                let posting = post(request, rules.only_loopback);
                match tokio::time::timeout(Duration::from_secs(rules.timeout_seconds), posting).await {
                    Ok(answer) => answer.map(|(status, _)| status),
                    Err(_) => Err(format!("no answer within {} s", rules.timeout_seconds)),
                }
            }
            None => Err("the request cannot be made".to_owned()),
        };
        self.with_state(|state| state.delivered(delivery, &answer));
    }
}

/// Asks a subscriber to show that it has the secret.
pub(super) async fn shake_hands(
    url: &str,
    secret: &str,
    code: &str,
    only_loopback: bool,
) -> Result<(), String> {
    let mut address = url::Url::parse(url).map_err(|_| "the URL is not valid")?;
    address.query_pairs_mut().append_pair("challengeCode", code);
    let request =
        http::Request::post(address.as_str()).body(Bytes::new()).map_err(|error| error.to_string())?;
    let asking = tokio::time::timeout(Duration::from_secs(10), post(request, only_loopback));
    let (status, body) = asking.await.map_err(|_| "no answer in time")??;
    if status != 200 {
        return Err(format!("it was answered {status}"));
    }
    let answer: Value = serde_json::from_slice(&body).map_err(|_| "the answer is no JSON")?;
    let text = |name: &str| answer.get(name).and_then(Value::as_str).unwrap_or_default();
    match text("challengeCode") == code && text("challengeResponse") == challenge_response(secret, code) {
        true => Ok(()),
        false => Err("the answer is not that of the secret".to_owned()),
    }
}

/// Status and body of the answer, or why there is none. The body goes in chunks, as a well-known receiver expects.
async fn post(request: http::Request<Bytes>, only_loopback: bool) -> Result<(u16, Bytes), String> {
    let url = url::Url::parse(&request.uri().to_string()).map_err(|_| "the URL is not valid")?;
    if url.scheme() != "http" {
        return Err("only http addresses are called".to_owned());
    }
    let port = url.port_or_known_default().unwrap_or(80);
    let host = url.host_str().unwrap_or_default().trim_matches(['[', ']']).to_owned();
    let is_loopback =
        host == "localhost" || host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback());
    if only_loopback && !is_loopback {
        return Err(format!("{host} is not on this machine"));
    }
    let stream = TcpStream::connect((host.as_str(), port)).await.map_err(|error| error.to_string())?;
    let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream))
        .await
        .map_err(|error| error.to_string())?;
    let connection = tokio::spawn(connection);
    let (mut parts, body) = request.into_parts();
    let target = url[url::Position::BeforePath..url::Position::AfterQuery].parse::<http::Uri>();
    parts.uri = target.map_err(|_| "the URL is not valid")?;
    if let Ok(host) = url.authority().parse::<http::HeaderValue>() {
        parts.headers.insert(http::header::HOST, host);
    }
    let chunks: Vec<Result<Frame<Bytes>, std::convert::Infallible>> =
        body.chunks(CHUNK).map(|chunk| Ok(Frame::data(Bytes::copy_from_slice(chunk)))).collect();
    let request = http::Request::from_parts(parts, StreamBody::new(stream::iter(chunks)));
    let answer = match sender.send_request(request).await {
        Ok(answer) => {
            let status = answer.status().as_u16();
            let body = Limited::new(answer.into_body(), ANSWER_LIMIT).collect().await;
            // An answer that is too long or breaks off has still said its status.
            Ok((status, body.map(|body| body.to_bytes()).unwrap_or_default()))
        }
        Err(error) => Err(error.to_string()),
    };
    connection.abort();
    answer
}
