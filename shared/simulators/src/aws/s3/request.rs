//! A request, taken apart: bucket, key, query, headers, and the body without its chunk framing.

use std::collections::BTreeMap;

use axum::body::{Body, to_bytes};
use bytes::{Bytes, BytesMut};
use http::Method;
use percent_encoding::percent_decode_str;
use sha2::{Digest, Sha256};

use super::error::{Error, Result};

pub(super) struct Request {
    pub(super) method: Method,
    pub(super) bucket: String,
    pub(super) key: String,
    query: BTreeMap<String, String>,
    headers: BTreeMap<String, String>,
    pub(super) body: Bytes,
}

const LONGEST_KEY: usize = 1024;

impl Request {
    pub(super) async fn read(request: http::Request<Body>) -> Result<Self> {
        let (parts, body) = request.into_parts();
        let decode = |text: &str| {
            let decoded = percent_decode_str(text).decode_utf8();
            decoded
                .map(|text| text.into_owned())
                .map_err(|_| Error::new(400, "InvalidURI", "Couldn't parse the specified URI."))
        };
        let path = parts.uri.path().trim_start_matches('/');
        let (bucket, key) = path.split_once('/').unwrap_or((path, ""));
        let key = decode(key)?;
        if key.len() > LONGEST_KEY {
            return Err(Error::new(400, "KeyTooLongError", "Your key is too long")
                .with("Size", key.len().to_string())
                .with("MaxSizeAllowed", LONGEST_KEY.to_string()));
        }
        let query = parts.uri.query().unwrap_or_default();
        let query: Vec<(String, String)> = serde_urlencoded::from_str(query).unwrap_or_default();
        // Header bytes are Latin-1 here: metadata sent as raw UTF-8 is what S3 then re-encodes.
        let headers = parts.headers.iter().map(|(name, value)| {
            (name.as_str().to_owned(), value.as_bytes().iter().map(|byte| char::from(*byte)).collect())
        });
        let mut read = Self {
            method: parts.method,
            bucket: decode(bucket)?,
            key,
            query: query.into_iter().collect(),
            headers: headers.collect(),
            body: Bytes::new(),
        };
        let body = to_bytes(body, usize::MAX).await.map_err(|_| incomplete())?;
        read.take_body(body)?;
        Ok(read)
    }

    /// A request made here, without a client.
    pub(super) fn of(method: Method, bucket: &str, key: &str) -> Self {
        let (bucket, key) = (bucket.to_owned(), key.to_owned());
        Self { method, bucket, key, query: BTreeMap::new(), headers: BTreeMap::new(), body: Bytes::new() }
    }

    pub(super) fn asking(mut self, name: &str, value: &str) -> Self {
        self.query.insert(name.to_owned(), value.to_owned());
        self
    }

    pub(super) fn saying(mut self, name: &str, value: &str) -> Self {
        self.headers.insert(name.to_owned(), value.to_owned());
        self
    }

    pub(super) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(String::as_str)
    }

    /// All headers whose names begin so, without the beginning.
    pub(super) fn headers_under<'request>(
        &'request self,
        prefix: &'request str,
    ) -> impl Iterator<Item = (&'request str, &'request str)> {
        self.headers
            .iter()
            .filter_map(move |(name, value)| Some((name.strip_prefix(prefix)?, value.as_str())))
    }

    pub(super) fn query(&self, name: &str) -> Option<&str> {
        self.query.get(name).map(String::as_str)
    }

    pub(super) fn has_query(&self, name: &str) -> bool {
        self.query.contains_key(name)
    }

    /// A query parameter we do not know, which would change what the request means.
    pub(super) fn unknown_query(&self, known: &[&str]) -> Option<&str> {
        let harmless = |name: &str| {
            name == "x-id"
                || name == "versionId"
                || name.starts_with("response-")
                || name.starts_with("X-Amz-")
        };
        self.query.keys().map(String::as_str).find(|name| !harmless(name) && !known.contains(name))
    }

    pub(super) fn number(&self, name: &str, fallback: usize) -> Result<usize> {
        let Some(text) = self.query(name).filter(|text| !text.is_empty()) else { return Ok(fallback) };
        text.parse().map_err(|_| {
            Error::invalid_argument(
                name,
                text,
                format!("Provided {name} not an integer or within integer range"),
            )
        })
    }

    fn take_body(&mut self, body: Bytes) -> Result<()> {
        if let Some(length) = self.header("content-length").and_then(|text| text.parse::<usize>().ok())
            && length != body.len()
        {
            return Err(incomplete());
        }
        let payload = self.header("x-amz-content-sha256").unwrap_or_default().to_owned();
        let chunked = payload.starts_with("STREAMING-")
            || self.header("content-encoding").is_some_and(|encoding| encoding.contains("aws-chunked"));
        if chunked {
            let (content, trailers) = unchunk(&body)?;
            let announced =
                self.header("x-amz-decoded-content-length").and_then(|text| text.parse::<usize>().ok());
            if announced.is_some_and(|announced| announced != content.len()) {
                return Err(incomplete());
            }
            self.headers.extend(trailers);
            self.body = content;
            return Ok(());
        }
        if payload.len() == 64 && payload != hex::encode(Sha256::digest(&body)) {
            return Err(Error::new(
                400,
                "XAmzContentSHA256Mismatch",
                "The provided 'x-amz-content-sha256' header does not match what was computed.",
            ));
        }
        self.body = body;
        Ok(())
    }
}

fn incomplete() -> Error {
    Error::new(
        400,
        "IncompleteBody",
        "You did not provide the number of bytes specified by the Content-Length HTTP header",
    )
}

/// Splits at the first CRLF.
fn line(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let end = bytes.windows(2).position(|pair| pair == b"\r\n")?;
    Some((bytes.get(..end)?, bytes.get(end + 2..)?))
}

/// Removes the `aws-chunked` framing: `size[;extension]`, data, …, `0`, then trailers as headers.
fn unchunk(body: &[u8]) -> Result<(Bytes, Vec<(String, String)>)> {
    let mut content = BytesMut::new();
    let mut rest = body;
    loop {
        let (head, after) = line(rest).ok_or_else(incomplete)?;
        let head = String::from_utf8_lossy(head);
        let size = head.split(';').next().unwrap_or_default().trim();
        let size = usize::from_str_radix(size, 16).map_err(|_| incomplete())?;
        if size == 0 {
            return Ok((content.freeze(), trailers(after)));
        }
        content.extend_from_slice(after.get(..size).ok_or_else(incomplete)?);
        let end = after.get(size..).unwrap_or_default();
        rest = end.strip_prefix(b"\r\n").ok_or_else(incomplete)?;
    }
}

fn trailers(mut rest: &[u8]) -> Vec<(String, String)> {
    let mut found = Vec::new();
    while let Some((head, after)) = line(rest) {
        let head = String::from_utf8_lossy(head);
        if let Some((name, value)) = head.split_once(':') {
            found.push((name.trim().to_ascii_lowercase(), value.trim().to_owned()));
        }
        rest = after;
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chunks_are_joined_and_trailers_become_headers() {
        let framed =
            b"4;chunk-signature=abc\r\nWiki\r\n6\r\npedia \r\n0\r\nx-amz-checksum-crc32:AAAAAA==\r\n\r\n";
        let (content, trailers) = unchunk(framed).unwrap();
        assert_eq!(content, Bytes::from_static(b"Wikipedia "));
        assert_eq!(trailers, [("x-amz-checksum-crc32".to_owned(), "AAAAAA==".to_owned())]);
        assert!(
            unchunk(b"4\r\nWi").is_err() && unchunk(b"4\r\nWiki\r\n").is_err() && unchunk(b"zz\r\n").is_err()
        );
    }
}
