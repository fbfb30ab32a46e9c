//! The sender: takes deliveries from the queue and POSTs them, as long as it runs.

use std::net::IpAddr;
use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt as _, Full, Limited};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tokio::task::{JoinHandle, JoinSet};

use super::Simulator;
use super::state::Delivery;

/// How often the queue is looked at.
const PAUSE: Duration = Duration::from_millis(20);
/// Bytes of an answer that are read.
const ANSWER_LIMIT: usize = 64 * 1024;

impl Simulator {
    /// Sends what webhooks and custom actions have to say, over HTTP. The task ends when it is aborted.
    pub fn start_sending(&self) -> JoinHandle<()> {
        let simulator = self.clone();
        tokio::spawn(async move {
            let mut running = JoinSet::new();
            loop {
                let most = simulator.with_state(|state| state.settings.deliveries.at_once.max(1));
                let free = most.saturating_sub(running.len());
                let taken = match free {
                    0 => Vec::new(),
                    free => simulator.with_state(|state| state.take_deliveries(free)),
                };
                for delivery in taken {
                    let simulator = simulator.clone();
                    running.spawn(async move { simulator.send(&delivery).await });
                }
                tokio::select! {
                    Some(_) = running.join_next() => {}
                    () = tokio::time::sleep(PAUSE) => {}
                }
            }
        })
    }

    async fn send(&self, delivery: &Delivery) {
        let (seconds, only_loopback) = self.with_state(|state| {
            (state.settings.deliveries.timeout_seconds, state.settings.deliveries.only_loopback)
        });
        let answer =
            match tokio::time::timeout(Duration::from_secs(seconds), post(delivery, only_loopback)).await {
                Ok(answer) => answer,
                Err(_) => Err(format!("no answer within {seconds} s")),
            };
        self.with_state(|state| state.delivered(delivery, answer));
    }
}

/// The status of the answer, or why there is none.
async fn post(delivery: &Delivery, only_loopback: bool) -> Result<u16, String> {
    let mut request = delivery.request().ok_or("the request cannot be made")?;
    let url = url::Url::parse(&delivery.url).map_err(|_| "the URL is not valid")?;
    if url.scheme() != "http" {
        return Err("only http addresses are called".to_owned());
    }
    let authority = url.authority().to_owned();
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
    let path = url[url::Position::BeforePath..url::Position::AfterQuery].parse::<http::Uri>();
    *request.uri_mut() = path.map_err(|_| "the URL is not valid")?;
    if let Ok(host) = authority.parse::<http::HeaderValue>() {
        request.headers_mut().insert(http::header::HOST, host);
    }
    let answer = sender.send_request(request.map(Full::<Bytes>::new)).await;
    let status = match answer {
        Ok(answer) => {
            let status = answer.status().as_u16();
            // An answer that is too long or breaks off has still said its status.
            let _ = Limited::new(answer.into_body(), ANSWER_LIMIT).collect().await;
            Ok(status)
        }
        Err(error) => Err(error.to_string()),
    };
    connection.abort();
    status
}
