//! Content of any size goes through without being held.

use std::sync::{
    Arc,
    atomic::{AtomicI64, AtomicU64, Ordering},
};

use bytes::Bytes;
use futures_util::StreamExt;
use http_body_util::{BodyExt, StreamBody};
use shared::{
    context::Context,
    http::{Body, Pace, Replayable, Transport, full},
    otmm::{
        AssetId, Checksum, Client, Credential, ImportLedger, ImportStep, JobId, Load, NewAsset, Settings,
        Upload,
    },
};

use crate::world::{BASE, BEGINNING, ours, password_of};

const PIECE: u64 = 64 << 10;
const LARGE: u64 = 6 << 30;

/// Pieces that were made and not yet taken.
#[derive(Clone, Default)]
struct Held {
    now: Arc<AtomicI64>,
    most: Arc<AtomicI64>,
}

impl Held {
    fn made(&self) {
        let now = self.now.fetch_add(1, Ordering::Relaxed) + 1;
        self.most.fetch_max(now, Ordering::Relaxed);
    }

    fn taken(&self) {
        self.now.fetch_sub(1, Ordering::Relaxed);
    }

    fn most(&self) -> i64 {
        self.most.load(Ordering::Relaxed)
    }
}

/// So many bytes, piece by piece.
fn content(length: u64, held: &Held) -> Body {
    let piece = Bytes::from(vec![7; PIECE as usize]);
    let held = held.clone();
    let pieces = futures_util::stream::iter(0..length / PIECE).map(move |_| {
        held.made();
        Ok(http_body::Frame::data(piece.clone()))
    });
    BodyExt::boxed(StreamBody::new(pieces))
}

/// A server that takes and gives content and keeps none of it.
fn client(settings: Settings, held: &Held, received: &Arc<AtomicU64>) -> Client {
    let (held, received) = (held.clone(), received.clone());
    let transport = Transport::in_process(move |request| {
        let (held, received) = (held.clone(), received.clone());
        async move {
            let path = request.uri().path().to_owned();
            let mut body = request.into_body();
            while let Some(frame) = body.frame().await {
                let data = frame.unwrap().into_data().unwrap_or_default();
                received.fetch_add(data.len() as u64, Ordering::Relaxed);
                if data.len() as u64 == PIECE {
                    held.taken();
                }
            }
            let json = match path.rsplit('/').next().unwrap_or_default() {
                "sessions" => r#"{"session_resource":{"session":{"id":1,"message_digest":"d"}}}"#.to_owned(),
                "a1" => {
                    format!(r#"{{"asset_resource":{{"asset":{{"asset_id":"a1","content_size":{LARGE}}}}}}}"#)
                }
                "contents" => {
                    let answer = http::Response::builder().header("content-length", LARGE);
                    return Ok(answer.body(content(LARGE, &held)).unwrap());
                }
                _ => r#"{"job_handle":{"job_id":"7"}}"#.to_owned(),
            };
            Ok(http::Response::builder().header("content-type", "application/json").body(full(json)).unwrap())
        }
    });
    let context = Context::simulated(BEGINNING.parse().unwrap(), 7);
    let credential = Credential::from_json(&password_of("svc")).unwrap();
    Client::new(settings, credential, transport, context, Pace::per_second(10_000.0))
}

#[tokio::test(start_paused = true)]
async fn six_gigabytes_go_in_in_one_call_and_in_stages_with_a_few_pieces_in_memory() {
    for one_call_bytes in [0, u64::MAX] {
        let (held, received) = (Held::default(), Arc::new(AtomicU64::new(0)));
        let mut settings = Settings { base_url: BASE.to_owned(), ..ours() };
        settings.imports.one_call_bytes = one_call_bytes;
        let client = client(settings, &held, &received);
        let source = held.clone();
        let new = NewAsset {
            upload: Upload {
                content: Replayable::new(LARGE, move || {
                    let source = source.clone();
                    async move { Ok(content(LARGE, &source)) }
                }),
                file_name: "master.mxf".to_owned(),
                content_type: "application/mxf".to_owned(),
            },
            folder: AssetId::new("f1"),
            model: None,
            metadata: shared::otmm::MetadataChange::new(),
            policies: Vec::new(),
            template: None,
            correlation: None,
        };
        let mut ledger = ImportLedger::default();
        loop {
            if let ImportStep::Done(job) = client.import_step(&new, &mut ledger).await.unwrap() {
                assert_eq!(job, JobId::new("7"));
                break;
            }
        }
        assert!(received.load(Ordering::Relaxed) > LARGE, "and what stands around it");
        assert!(held.most() <= 2, "{} pieces of 64 KiB were held", held.most());
    }
}

#[tokio::test(start_paused = true)]
async fn six_gigabytes_come_out_with_a_few_pieces_in_memory() {
    let (held, received) = (Held::default(), Arc::new(AtomicU64::new(0)));
    let settings = Settings { base_url: BASE.to_owned(), checksum: Checksum::Ignore, ..ours() };
    let client = client(settings, &held, &received);
    let asset = client.get_asset(&AssetId::new("a1"), Load::State).await.unwrap();
    let download = client.download(&asset).await.unwrap();
    assert_eq!(download.length, LARGE);
    let (mut body, mut came) = (download.body, 0);
    while let Some(frame) = body.frame().await {
        came += frame.unwrap().into_data().unwrap_or_default().len() as u64;
        held.taken();
    }
    assert_eq!(came, LARGE);
    assert!(held.most() <= 2, "{} pieces of 64 KiB were held", held.most());
}
