use std::collections::VecDeque;

use super::*;
use crate::http;

/// A body that gives these pieces, one by one, and then ends or fails.
fn pieces(pieces: &[&[u8]], failure: Option<&'static str>) -> Body {
    struct Pieces(VecDeque<Bytes>, Option<&'static str>);
    impl http_body::Body for Pieces {
        type Data = Bytes;
        type Error = BoxError;
        fn poll_frame(
            mut self: Pin<&mut Self>,
            _: &mut Context<'_>,
        ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
            Poll::Ready(match self.0.pop_front() {
                Some(piece) => Some(Ok(Frame::data(piece))),
                None => self.1.take().map(|failure| Err(failure.into())),
            })
        }
    }
    Pieces(pieces.iter().map(|piece| Bytes::copy_from_slice(piece)).collect(), failure).boxed()
}

/// What the other side received, and the failure it saw.
async fn receive(mut body: Body) -> (Vec<u8>, Option<Error>) {
    let mut received = Vec::new();
    while let Some(frame) = body.frame().await {
        match frame {
            Ok(frame) => received.extend_from_slice(&frame.into_data().unwrap()),
            Err(error) => return (received, Some(body_error(error))),
        }
    }
    (received, None)
}

#[tokio::test]
async fn what_arrives_is_what_left_and_its_hash_is_known() {
    let witness = Witness::new();
    assert_eq!(witness.digests(), None);
    let (received, failure) = receive(witness.watch(exactly(pieces(&[b"way", b"", b"bill"], None), 7))).await;
    assert!(failure.is_none());
    assert_eq!(received, b"waybill");
    assert_eq!(witness.digests(), Some(Digests::of(b"waybill")));
}

#[tokio::test]
async fn a_receiver_that_stops_at_the_promised_length_leaves_a_finished_pass() {
    // An HTTP client with a content length does not ask again after the last byte.
    let witness = Witness::new();
    let mut body = witness.watch(exactly(pieces(&[b"way", b"bill"], None), 7));
    body.frame().await.unwrap().unwrap();
    assert_eq!(witness.digests(), None);
    body.frame().await.unwrap().unwrap();
    assert!(body.is_end_stream());
    drop(body);
    assert_eq!(witness.digests(), Some(Digests::of(b"waybill")));
}

#[tokio::test]
async fn a_source_that_ends_early_never_becomes_a_shorter_document() {
    let witness = Witness::new();
    let (received, failure) = receive(witness.watch(exactly(pieces(&[b"way", b"bil"], None), 7))).await;
    let failure = failure.unwrap();
    assert_eq!((failure.class(), failure.code()), (FailureClass::Transient, "source.cut"));
    assert!(failure.message().contains("6 of 7"), "{failure}");
    assert!(received.len() < 7);
    assert_eq!(witness.digests(), None);
    assert_eq!(witness.failure().unwrap().code(), "source.cut");
}

#[tokio::test]
async fn a_connection_that_breaks_is_a_failure_of_the_source() {
    let witness = Witness::new();
    let (_, failure) = receive(witness.watch(exactly(pieces(&[b"way"], Some("reset by peer")), 7))).await;
    assert_eq!(failure.unwrap().code(), "source.cut");
    // Even after the last byte: the source has not said that it was the last.
    let (received, failure) =
        receive(witness.watch(exactly(pieces(&[b"way", b"bill"], Some("reset by peer")), 7))).await;
    assert_eq!(failure.unwrap().class(), FailureClass::Transient);
    assert_eq!(received, b"way");
    assert_eq!(witness.digests(), None);
}

#[tokio::test]
async fn a_source_that_gives_too_much_is_not_cut_to_size() {
    for pieces_of in [&[&b"waybills"[..]][..], &[&b"waybill"[..], &b"s"[..]][..]] {
        let witness = Witness::new();
        let (received, failure) = receive(witness.watch(exactly(pieces(pieces_of, None), 7))).await;
        assert_eq!(failure.unwrap().code(), "source.cut");
        assert!(received.is_empty());
        assert_eq!(witness.digests(), None);
    }
}

#[tokio::test]
async fn a_flipped_bit_does_not_arrive_when_the_source_states_its_checksum() {
    let right = Digests::of(b"waybill");
    for known in [
        Known { sha256: Some(right.sha256.clone()), crc64_nvme: None },
        Known { sha256: None, crc64_nvme: Some(right.crc64_nvme.clone()) },
    ] {
        let witness = Witness::new();
        let watching = witness.knowing(known);
        let (_, failure) = receive(watching.watch(exactly(pieces(&[b"way", b"bill"], None), 7))).await;
        assert!(failure.is_none());
        assert_eq!(witness.digests().as_ref(), Some(&right));
        let (received, failure) = receive(watching.watch(exactly(pieces(&[b"way", b"bilm"], None), 7))).await;
        assert_eq!(failure.unwrap().code(), "source.corrupt");
        assert_eq!(received, b"way");
        assert_eq!(witness.digests(), None);
        assert_eq!(witness.failure().unwrap().code(), "source.corrupt");
    }
}

#[tokio::test]
async fn a_flipped_bit_shows_when_the_target_is_compared() {
    let witness = Witness::new();
    let _ = receive(witness.watch(http::full("waybill"))).await;
    let stored = hash_body(http::full("waybilm"), Some(7)).await.unwrap();
    assert_ne!(witness.digests(), Some(stored));
}

#[tokio::test]
async fn every_attempt_is_judged_by_itself() {
    let witness = Witness::new();
    let (_, failure) = receive(witness.watch(exactly(pieces(&[b"way"], None), 7))).await;
    assert!(failure.is_some());
    let first = witness.watch(exactly(pieces(&[b"way", b"bill"], None), 7));
    let (_, failure) = receive(witness.watch(exactly(pieces(&[b"way", b"bill"], None), 7))).await;
    assert!(failure.is_none());
    assert!(witness.failure().is_none());
    assert_eq!(witness.digests(), Some(Digests::of(b"waybill")));
    drop(first);
    // The other side answered before it had taken everything: that attempt proves nothing.
    let mut third = witness.watch(exactly(pieces(&[b"way", b"bill"], None), 7));
    third.frame().await.unwrap().unwrap();
    drop(third);
    assert_eq!(witness.digests(), None);
}

#[tokio::test]
async fn an_empty_content_has_a_hash_even_when_nobody_asks_for_its_bytes() {
    let witness = Witness::new();
    drop(witness.watch(http::empty()));
    assert_eq!(witness.digests(), Some(Digests::of_nothing()));
    let (_, failure) = receive(witness.watch(exactly(pieces(&[b"x"], None), 0))).await;
    assert_eq!(failure.unwrap().code(), "source.cut");
    assert_eq!(witness.digests(), None);
}

#[tokio::test]
async fn hashing_a_body_checks_its_length() {
    assert_eq!(hash_body(http::full("waybill"), Some(7)).await.unwrap(), Digests::of(b"waybill"));
    assert_eq!(hash_body(http::full("waybill"), None).await.unwrap().bytes, 7);
    assert_eq!(hash_body(http::full("waybill"), Some(8)).await.unwrap_err().code(), "source.cut");
    assert_eq!(hash_body(http::full("waybill"), Some(6)).await.unwrap_err().code(), "source.cut");
}
