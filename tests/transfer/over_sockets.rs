//! The same over real connections: what an HTTP client does with a body that has a length is not what a test in one
//! process does with it.

use std::sync::{Arc, Mutex};

use axum::{Router, body::to_bytes, extract::Request, routing::post};
use bytes::Bytes;
use shared::{
    aws,
    context::Context,
    error::System,
    http::{Client, Limits, Pace, Payload, Replayable, Transport},
    transfer::{Digests, Progress, RangedSource, UploadSizes, UploadTarget, Witness, upload},
};
use simulators::aws::Aws;

use crate::world::{SOURCE, TARGET, World, content, pieces};

async fn serve(router: Router) -> String {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move { axum::serve(listener, router).await });
    format!("http://{address}")
}

#[tokio::test]
async fn objects_travel_over_connections_and_arrive_as_they_left() {
    let context = Context::system();
    let clock = context.clone();
    let aws = Aws::new(Arc::new(move || clock.now_milliseconds()));
    aws.s3().set_least_part(1);
    let address = serve(aws.router()).await;
    let transport = Transport::network().unwrap();
    let s3 = aws::s3(&aws::connect_to(&transport, &context, &address, "test"));
    for bucket in [SOURCE, TARGET] {
        s3.create_bucket().bucket(bucket).send().await.unwrap();
    }
    let world = World::new(false).await;
    let run = world.attempt().await;
    let sizes = UploadSizes { single: 1_000, part: 300_000, record_every: 300_000 };
    for length in [0, 1_000, 1_000_000] {
        let bytes = content(length);
        s3.put_object().bucket(SOURCE).key("a b+ü").body(bytes.clone().into()).send().await.unwrap();
        let object = shared::transfer::S3Object::head(&s3, SOURCE, "a b+ü", None, None).await.unwrap();
        let from = RangedSource::from_object(&object, &s3);
        let to = UploadTarget::new(TARGET, format!("{length}/ü"));
        let name = format!("upload {length}");
        let done = upload(&s3, &from, &to, sizes, &run, &name).await.unwrap();
        let Progress::Done(done) = done else { panic!("paused") };
        assert_eq!(done.digests, Digests::of(&bytes));
        assert_eq!(aws.s3().content(TARGET, &to.key), Some(bytes));
        assert!(aws.s3().open_uploads(TARGET).is_empty());
    }
}

/// A system that takes documents, and the documents it took.
async fn takes_documents() -> (Client, Arc<Mutex<Vec<Bytes>>>) {
    let taken = Arc::new(Mutex::new(Vec::new()));
    let kept = Arc::clone(&taken);
    let router = Router::new().route(
        "/documents",
        post(move |request: Request| async move {
            if let Ok(document) = to_bytes(request.into_body(), usize::MAX).await {
                kept.lock().unwrap().push(document);
            }
        }),
    );
    let (transport, context) = (Transport::network().unwrap(), Context::system());
    let address = serve(router).await;
    let pace = Pace::per_second(1_000.0);
    let client = Client::new(System::ContentServer, &address, transport, context, pace, Limits::default());
    (client, taken)
}

fn document(bytes: &Bytes, promised: u64, witness: &Witness) -> Replayable {
    let (bytes, witness) = (bytes.clone(), witness.clone());
    Replayable::new(promised, move || {
        let source = RangedSource::new("one", promised, {
            let bytes = bytes.clone();
            move |_, _| {
                let bytes = bytes.clone();
                async move { Ok(pieces(bytes)) }
            }
        });
        let witness = witness.clone();
        async move { Ok(witness.watch(source.open(0, promised).await?)) }
    })
}

#[tokio::test]
async fn a_document_is_taken_whole_with_its_hash_known_or_not_at_all() {
    let (client, taken) = takes_documents().await;
    let send = |promised: u64, bytes: &Bytes, witness: &Witness| {
        let payload = Payload::Stream("application/pdf".to_owned(), document(bytes, promised, witness));
        let request = shared::http::Request::new("file", http::Method::POST, "/documents");
        let (client, request) = (client.clone(), request.payload(payload));
        async move { client.send_and_read(&request).await }
    };
    for length in [0, 1, 16_384, 500_000] {
        let (bytes, witness) = (content(length), Witness::new());
        send(length as u64, &bytes, &witness).await.unwrap();
        assert_eq!(witness.digests(), Some(Digests::of(&bytes)), "{length} bytes");
        assert_eq!(taken.lock().unwrap().pop(), Some(bytes));
    }
    for (promised, length) in [(500_000, 499_999), (500_000, 500_001), (500_000, 0), (1, 2)] {
        let (bytes, witness) = (content(length), Witness::new());
        send(promised, &bytes, &witness).await.unwrap_err();
        assert_eq!(witness.digests(), None);
        assert_eq!(witness.failure().unwrap().code(), "source.cut");
        assert!(taken.lock().unwrap().is_empty(), "{length} of {promised} bytes");
    }
}
