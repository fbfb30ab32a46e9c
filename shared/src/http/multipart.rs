//! `multipart/form-data` (RFC 7578) whose length is known before the first byte and which opens anew for every attempt.

use std::{
    collections::VecDeque,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

use bytes::Bytes;
use http_body::{Frame, SizeHint};
use http_body_util::BodyExt;

use super::{Body, Payload, Replayable, exactly, full};

type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// A form on its way.
#[derive(Clone)]
pub(crate) struct FormData {
    boundary: String,
    pieces: Vec<Piece>,
}

#[derive(Clone)]
enum Piece {
    Bytes(Bytes),
    Content(Replayable),
}

impl FormData {
    /// A form with a boundary that occurs nowhere in what it carries: pass 128 random bits.
    pub(crate) fn new(random: &str) -> Self {
        Self { boundary: format!("waybill-{random}"), pieces: Vec::new() }
    }

    /// A field of plain text.
    pub(crate) fn text(mut self, name: &str, value: &str) -> Self {
        let head = self.head(name, "");
        self.pieces.push(Piece::Bytes(format!("{head}\r\n{value}\r\n").into()));
        self
    }

    /// A field that says of itself that it is JSON.
    pub(crate) fn json(mut self, name: &str, value: &serde_json::Value) -> Self {
        let head = self.head(name, "");
        self.pieces.push(Piece::Bytes(
            format!("{head}Content-Type: application/json; charset=UTF-8\r\n\r\n{value}\r\n").into(),
        ));
        self
    }

    /// A file, whose bytes are read when they are sent.
    pub(crate) fn file(
        mut self,
        name: &str,
        file_name: &str,
        content_type: &str,
        content: Replayable,
    ) -> Self {
        let head = self.head(name, &format!("; filename=\"{}\"", quoted(file_name)));
        // A header ends at a line break, wherever it came from.
        let content_type: String = content_type.chars().filter(|character| !character.is_control()).collect();
        self.pieces.push(Piece::Bytes(format!("{head}Content-Type: {content_type}\r\n\r\n").into()));
        self.pieces.push(Piece::Content(content));
        self.pieces.push(Piece::Bytes(Bytes::from_static(b"\r\n")));
        self
    }

    fn head(&self, name: &str, rest: &str) -> String {
        format!("--{}\r\nContent-Disposition: form-data; name=\"{}\"{rest}\r\n", self.boundary, quoted(name))
    }
}

/// Browsers write these three as escapes; everything else goes as it is, in UTF-8.
fn quoted(text: &str) -> String {
    text.replace('"', "%22").replace('\r', "%0D").replace('\n', "%0A")
}

impl From<&FormData> for Payload {
    fn from(form: &FormData) -> Self {
        let mut pieces = form.pieces.clone();
        pieces.push(Piece::Bytes(format!("--{}--\r\n", form.boundary).into()));
        let length = pieces
            .iter()
            .map(|piece| match piece {
                Piece::Bytes(bytes) => bytes.len() as u64,
                Piece::Content(content) => content.length(),
            })
            .sum();
        let pieces: Arc<[Piece]> = pieces.into();
        let stream = Replayable::new(length, move || {
            let pieces = pieces.clone();
            async move {
                let mut chain = VecDeque::with_capacity(pieces.len());
                for piece in pieces.iter() {
                    chain.push_back(match piece {
                        Piece::Bytes(bytes) => full(bytes.clone()),
                        Piece::Content(content) => exactly(content.length(), content.open().await?),
                    });
                }
                Ok(Chain { chain, length }.boxed())
            }
        });
        Self::Stream(format!("multipart/form-data; boundary={}", form.boundary), stream)
    }
}

/// Bodies one after the other.
struct Chain {
    chain: VecDeque<Body>,
    length: u64,
}

impl http_body::Body for Chain {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        while let Some(body) = self.chain.front_mut() {
            match std::task::ready!(Pin::new(body).poll_frame(context)) {
                Some(Ok(frame)) if frame.is_data() => {
                    let sent = frame.data_ref().map_or(0, Bytes::len) as u64;
                    self.length = self.length.saturating_sub(sent);
                    return Poll::Ready(Some(Ok(frame)));
                }
                Some(Ok(_)) => {}
                Some(Err(error)) => return Poll::Ready(Some(Err(error))),
                None => {
                    self.chain.pop_front();
                }
            }
        }
        Poll::Ready(None)
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.length)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parts(payload: Payload) -> (String, Replayable) {
        match payload {
            Payload::Stream(content_type, stream) => (content_type, stream),
            other => panic!("not a stream: {other:?}"),
        }
    }

    #[tokio::test]
    async fn a_form_has_the_length_it_announces_and_is_the_same_each_time_it_is_opened() {
        let form = FormData::new("b0").text("body", "{\"name\":\"a\"}").file(
            "file",
            "say \"hi\" – ß.txt",
            "text/plain",
            Replayable::from_bytes("hello"),
        );
        let (content_type, stream) = parts(Payload::from(&form));
        assert_eq!(content_type, "multipart/form-data; boundary=waybill-b0");
        for _ in 0..2 {
            let bytes = stream.open().await.unwrap().collect().await.unwrap().to_bytes();
            assert_eq!(bytes.len() as u64, stream.length());
            assert_eq!(
                String::from_utf8(bytes.to_vec()).unwrap(),
                "--waybill-b0\r\nContent-Disposition: form-data; name=\"body\"\r\n\r\n{\"name\":\"a\"}\r\n\
                 --waybill-b0\r\nContent-Disposition: form-data; name=\"file\"; filename=\"say %22hi%22 – ß.txt\"\r\n\
                 Content-Type: text/plain\r\n\r\nhello\r\n--waybill-b0--\r\n"
            );
        }
    }

    #[tokio::test]
    async fn a_source_that_is_shorter_or_longer_than_announced_fails_the_upload() {
        for (announced, content) in [(6, "hello"), (4, "hello")] {
            let source = Replayable::new(announced, move || async move { Ok(full(content)) });
            let (_, stream) =
                parts(Payload::from(&FormData::new("b").file("file", "a", "text/plain", source)));
            let outcome = stream.open().await.unwrap().collect().await;
            assert!(outcome.is_err(), "{announced} bytes announced");
        }
    }
}
