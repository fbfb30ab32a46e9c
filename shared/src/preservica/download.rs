//! Taking bytes out: a body that breaks off goes on where it broke, and one read from its beginning ends well only when it has
//! the checksum that the archive says it has.

use std::ops::Range;

use bytes::Bytes;
use http::{HeaderMap, Method, StatusCode, header};
use http_body_util::BodyExt;
use sha2::Digest;

use super::{
    Bitstream, Client, Fixity, FixityAlgorithm,
    call::Call,
    error::{Effect, Form, failure, form_of, unexpected},
    send::failed,
};
use crate::{
    error::{Error, FailureClass, Result},
    http::{Body, Request, Response, empty, of_pieces, skipping},
};

const OPERATION: &str = "download";
/// The bytes are not those that the archive's checksum is of.
pub const FIXITY_MISMATCH: &str = "preservica.fixity-mismatch";
/// The bytes are not as many as the archive says.
pub const CONTENT_CHANGED: &str = "preservica.content-changed";
/// The bytes lie in cold storage, and have to be brought back first.
pub const IN_COLD_STORAGE: &str = "preservica.in-cold-storage";

type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// Content on its way out. It fails unless it is exactly as long as announced.
#[derive(Debug)]
pub struct Download {
    /// Its length, from the beginning of the range that was asked for.
    pub length: u64,
    /// The bytes.
    pub body: Body,
}

impl Client {
    /// The bytes of a file. The body fails with [`FIXITY_MISMATCH`] in place of its last bytes when they are not those of its
    /// checksum; where there are several, the strongest is compared.
    ///
    /// # Errors
    /// As any call; [`IN_COLD_STORAGE`] where the settings say how that is answered. The body fails with [`CONTENT_CHANGED`]
    /// when the server has another number of bytes.
    pub async fn download(&self, file: &Bitstream) -> Result<Download> {
        let whole = 0..file.size;
        let mut reading = Reading::new(self, file, whole, Watch::for_file(file));
        reading.open().await?;
        Ok(reading.into_download())
    }

    /// A range of the bytes of a file, whose checksum nobody knows. An empty range is an empty body.
    ///
    /// # Errors
    /// As [`Client::download`].
    pub async fn download_range(&self, file: &Bitstream, range: Range<u64>) -> Result<Download> {
        if range.end > file.size {
            return Err(changed("the range ends behind the last byte"));
        }
        if range.is_empty() {
            return Ok(Download { length: 0, body: empty() });
        }
        let mut reading = Reading::new(self, file, range, None);
        reading.open().await?;
        Ok(reading.into_download())
    }
}

/// A checksum that is being made, and what it has to be.
enum Watch {
    Md5(md5::Md5, String),
    Sha1(sha1::Sha1, String),
    Sha256(sha2::Sha256, String),
    Sha512(sha2::Sha512, String),
}

impl Watch {
    /// By the strongest checksum of a file; none when it has none that is known here.
    fn for_file(file: &Bitstream) -> Option<Self> {
        let of = |algorithm: FixityAlgorithm| {
            let found = file.fixities.iter().find(|Fixity { algorithm: known, .. }| *known == algorithm);
            found.map(|fixity| fixity.value.clone())
        };
        of(FixityAlgorithm::Sha512)
            .map(|value| Self::Sha512(sha2::Sha512::new(), value))
            .or_else(|| of(FixityAlgorithm::Sha256).map(|value| Self::Sha256(sha2::Sha256::new(), value)))
            .or_else(|| of(FixityAlgorithm::Sha1).map(|value| Self::Sha1(sha1::Sha1::new(), value)))
            .or_else(|| of(FixityAlgorithm::Md5).map(|value| Self::Md5(md5::Md5::new(), value)))
    }

    fn update(&mut self, data: &[u8]) {
        match self {
            Self::Md5(hash, _) => hash.update(data),
            Self::Sha1(hash, _) => hash.update(data),
            Self::Sha256(hash, _) => hash.update(data),
            Self::Sha512(hash, _) => hash.update(data),
        }
    }

    fn check(self) -> Result<()> {
        let (found, expected) = match self {
            Self::Md5(hash, expected) => (hex::encode(hash.finalize().as_slice()), expected),
            Self::Sha1(hash, expected) => (hex::encode(hash.finalize().as_slice()), expected),
            Self::Sha256(hash, expected) => (hex::encode(hash.finalize().as_slice()), expected),
            Self::Sha512(hash, expected) => (hex::encode(hash.finalize().as_slice()), expected),
        };
        if found == expected {
            return Ok(());
        }
        let message = format!("the bytes have the checksum {found}, and the archive says {expected}");
        Err(failure(FailureClass::Conflict, OPERATION, FIXITY_MISMATCH, message))
    }
}

/// A download under way.
struct Reading {
    client: Client,
    target: String,
    /// The size that the archive says.
    size: u64,
    /// The next byte to come.
    at: u64,
    stop: u64,
    body: Option<Body>,
    /// Openings since a byte came.
    idle: u32,
    watch: Option<Watch>,
}

impl Reading {
    fn new(client: &Client, file: &Bitstream, range: Range<u64>, watch: Option<Watch>) -> Self {
        Self {
            client: client.clone(),
            target: file.content.clone(),
            size: file.size,
            at: range.start,
            stop: range.end,
            body: None,
            idle: 0,
            watch,
        }
    }

    /// Opens the rest.
    async fn open(&mut self) -> Result<()> {
        let mut request = Request::new(OPERATION, Method::GET, self.target.clone());
        let is_part = self.at > 0 || self.stop < self.size;
        if is_part {
            request =
                request.header(header::RANGE, &format!("bytes={}-{}", self.at, self.stop.saturating_sub(1)));
        }
        let Response { status, headers, body } = self.client.open(&request).await?;
        let total = match status {
            StatusCode::OK => number(&headers, header::CONTENT_LENGTH),
            StatusCode::PARTIAL_CONTENT if starts_at(&headers) == Some(self.at) => total(&headers),
            StatusCode::PARTIAL_CONTENT => return Err(changed("the server answered with another range")),
            StatusCode::RANGE_NOT_SATISFIABLE => return Err(changed("the server has no such range")),
            status if self.client.settings.cold_statuses.contains(&status.as_u16()) => {
                let pause = std::time::Duration::from_secs(self.client.settings.cold_pause_seconds);
                let message = format!("answered {status}: the content lies in cold storage");
                return Err(
                    failure(FailureClass::Transient, OPERATION, IN_COLD_STORAGE, message).not_before(pause)
                );
            }
            status => return Err(refused(&self.client, status, &headers, body).await),
        };
        if total.is_some_and(|total| total != self.size) {
            return Err(match form_of(&headers, b"?") {
                Form::Page => unexpected(OPERATION, Effect::Read, "a page in place of the bytes"),
                _ => changed("the server has another number of bytes than the archive says"),
            });
        }
        self.body = Some(match status {
            // A server may answer a range with everything.
            StatusCode::OK => skipping(body, self.at),
            _ => body,
        });
        Ok(())
    }

    /// The next bytes; nothing at the end.
    async fn step(&mut self) -> Result<Option<Bytes>> {
        loop {
            if self.at >= self.stop {
                return self.watch.take().map_or(Ok(()), Watch::check).map(|()| None);
            }
            if self.body.is_none() {
                self.open().await?;
            }
            let Some(body) = self.body.as_mut() else { return Err(cut(self.at, self.stop)) };
            let frame = tokio::time::timeout(self.client.settings.answer(), body.frame()).await;
            if let Ok(Some(Ok(frame))) = frame {
                let Ok(mut data) = frame.into_data() else { continue };
                if data.is_empty() {
                    continue;
                }
                data.truncate(usize::try_from(self.stop - self.at).unwrap_or(usize::MAX));
                self.at += data.len() as u64;
                self.idle = 0;
                if let Some(watch) = &mut self.watch {
                    watch.update(&data);
                }
                // Before the last bytes go out: whoever has as many as were announced may not ask for the end.
                if self.at >= self.stop {
                    self.watch.take().map_or(Ok(()), Watch::check)?;
                }
                return Ok(Some(data));
            }
            // Cut, stalled, or ended too early: on from here.
            self.body = None;
            self.idle += 1;
            if self.idle > self.client.settings.download_resumptions {
                return Err(cut(self.at, self.stop));
            }
            let pause = std::time::Duration::from_millis(200 << self.idle.min(5));
            let context = self.client.http.context();
            context.sleep(context.jitter(pause)).await;
        }
    }

    fn into_download(self) -> Download {
        let length = self.stop.saturating_sub(self.at);
        let stream = futures_util::stream::unfold(Some(self), |reading| async move {
            let mut reading = reading?;
            match reading.step().await {
                Ok(Some(data)) => Some((Ok(data), Some(reading))),
                Ok(None) => None,
                Err(error) => Some((Err(BoxError::from(error)), None)),
            }
        });
        let body = of_pieces(stream, length);
        Download { length, body }
    }
}

async fn refused(client: &Client, status: StatusCode, headers: &HeaderMap, body: Body) -> Error {
    let bytes = client.http.read(OPERATION, true, body).await.unwrap_or_default();
    failed(&Call::get(OPERATION, &[]), status, headers, &bytes)
}

fn changed(message: &str) -> Error {
    failure(FailureClass::Conflict, OPERATION, CONTENT_CHANGED, message)
}

fn cut(at: u64, stop: u64) -> Error {
    let message = format!("the server broke off after {at} of {stop} bytes, again and again");
    failure(FailureClass::Transient, OPERATION, "preservica.content-cut", message)
}

fn number(headers: &HeaderMap, name: header::HeaderName) -> Option<u64> {
    headers.get(name)?.to_str().ok()?.trim().parse().ok()
}

/// The whole length in `Content-Range: bytes 5-9/10`.
fn total(headers: &HeaderMap) -> Option<u64> {
    let range = headers.get(header::CONTENT_RANGE)?.to_str().ok()?;
    range.rsplit_once('/')?.1.trim().parse().ok()
}

fn starts_at(headers: &HeaderMap) -> Option<u64> {
    let range = headers.get(header::CONTENT_RANGE)?.to_str().ok()?;
    range.trim().strip_prefix("bytes ")?.split_once('-')?.0.parse().ok()
}
