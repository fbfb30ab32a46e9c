//! Memory does not grow with the content: every byte on its way is counted, over a source that makes its bytes as they
//! are asked for and an S3 that checks them and keeps nothing.

use std::sync::{
    Arc, Mutex,
    atomic::{AtomicUsize, Ordering},
};

use bytes::Bytes;
use futures_util::stream;
use http_body::Frame;
use http_body_util::{BodyExt, StreamBody};
use shared::{
    aws,
    context::Context,
    flow::Run,
    http::{Body, Transport, full},
    transfer::{Hasher, Progress, RangedSource, UploadSizes, UploadTarget, upload},
};

use crate::world::{TARGET, World};

const PIECE: usize = 64 << 10;

/// Bytes alive now, and at most.
#[derive(Default)]
struct Alive {
    now: AtomicUsize,
    peak: AtomicUsize,
}

/// A piece of the source that says when it is gone.
struct Counted(Vec<u8>, Arc<Alive>);

impl Counted {
    fn made(piece: Vec<u8>, alive: &Arc<Alive>) -> Bytes {
        let now = alive.now.fetch_add(piece.len(), Ordering::SeqCst) + piece.len();
        alive.peak.fetch_max(now, Ordering::SeqCst);
        Bytes::from_owner(Self(piece, Arc::clone(alive)))
    }
}

impl AsRef<[u8]> for Counted {
    fn as_ref(&self) -> &[u8] {
        &self.0
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.1.now.fetch_sub(self.0.len(), Ordering::SeqCst);
    }
}

/// The piece at a place: any place can be made without the ones before.
fn piece(offset: u64, length: usize) -> Vec<u8> {
    let mut piece = vec![0; length];
    let (words, _) = piece.as_chunks_mut::<8>();
    for (number, word) in (offset / 8..).zip(words) {
        *word = number.wrapping_mul(0x9e37_79b9_7f4a_7c15).to_le_bytes();
    }
    piece
}

fn lazy(length: u64, alive: &Arc<Alive>) -> RangedSource {
    let alive = Arc::clone(alive);
    RangedSource::new("lazy", length, move |offset, length| {
        let alive = Arc::clone(&alive);
        let end = offset + length;
        let mut at = offset;
        let pieces = std::iter::from_fn(move || {
            let size = usize::try_from(end - at).unwrap().min(PIECE);
            let made = (size > 0).then(|| Counted::made(piece(at, size), &alive));
            at += size as u64;
            made.map(|made| Ok(Frame::data(made)))
        });
        async move { Ok(StreamBody::new(stream::iter(pieces)).boxed()) }
    })
}

/// An S3 that takes parts as they come, and keeps only their lengths.
async fn swallow(taken: &Mutex<u64>, request: http::Request<Body>) -> http::Response<Body> {
    let (parts, mut body) = request.into_parts();
    let query = parts.uri.query().unwrap_or_default().to_owned();
    while let Some(frame) = body.frame().await {
        drop(frame.unwrap());
    }
    let answer = match parts.method.as_str() {
        "POST" if query.contains("uploads") => {
            "<InitiateMultipartUploadResult><UploadId>one</UploadId></InitiateMultipartUploadResult>"
        }
        "GET" => "<ListMultipartUploadsResult></ListMultipartUploadsResult>",
        "POST" => "<CompleteMultipartUploadResult><ETag>\"e-1\"</ETag></CompleteMultipartUploadResult>",
        _ => {
            let length = parts.headers.get("x-amz-decoded-content-length").unwrap();
            *taken.lock().unwrap() += length.to_str().unwrap().parse::<u64>().unwrap();
            ""
        }
    };
    http::Response::builder().header("etag", "\"part\"").body(full(answer)).unwrap()
}

async fn peak_for(length: u64, part: u64, run: &Run, name: &str) -> usize {
    let taken = Arc::new(Mutex::new(0));
    let tally = Arc::clone(&taken);
    let transport = Transport::in_process(move |request| {
        let tally = Arc::clone(&tally);
        async move { Ok(swallow(&tally, request).await) }
    });
    let context = Context::simulated("2031-05-06T07:08:09Z".parse().unwrap(), 7);
    let s3 = aws::s3(&aws::connect_to(&transport, &context, "http://aws.invalid", "test"));
    let alive = Arc::new(Alive::default());
    let sizes = UploadSizes { single: 1 << 20, part, record_every: 256 << 20 };
    let to = UploadTarget::new(TARGET, "film.mov");
    let done = upload(&s3, &lazy(length, &alive), &to, sizes, run, name).await.unwrap();
    let Progress::Done(done) = done else { panic!("paused") };
    assert_eq!(*taken.lock().unwrap(), length);
    assert_eq!(done.digests.bytes, length);
    let mut whole = Hasher::new();
    let mut at = 0;
    while at < length {
        let size = usize::try_from(length - at).unwrap().min(PIECE);
        whole.update(&piece(at, size));
        at += size as u64;
    }
    assert_eq!(done.digests, whole.finish());
    assert_eq!(alive.now.load(Ordering::SeqCst), 0);
    alive.peak.load(Ordering::SeqCst)
}

#[tokio::test(start_paused = true)]
async fn a_content_of_more_than_a_gibibyte_takes_no_more_memory_than_a_small_one() {
    let world = World::new(false).await;
    let run = world.attempt_for(3_600).await;
    let small = peak_for(9 << 20, 8 << 20, &run, "small").await;
    // Parts as large as an object of several tebibytes needs them.
    let large = peak_for((1 << 30) + 12_345, 512 << 20, &run, "large").await;
    println!("peak of bytes alive: {small} for 9 MiB, {large} for 1 GiB in parts of 512 MiB");
    assert!(large <= small, "{large} against {small}");
    assert!(large <= 8 * PIECE, "{large}");
}
