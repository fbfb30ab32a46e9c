//! Taking bytes out: a body that breaks off goes on where it broke, and one read from its beginning ends well only when it has
//! the checksum that the archive says it has.

use std::ops::Range;

use http::{HeaderMap, Method, StatusCode, header};
use sha2::Digest;

use super::{
    Bitstream, Client, Fixity, FixityAlgorithm,
    call::Call,
    error::{Effect, Form, failure, form_of, unexpected},
    send::failed,
};
use crate::{
    error::{Error, FailureClass, Result},
    http::{Body, Patience, Request, Response, Source, empty, resuming, skipping},
};

const OPERATION: &str = "download";
/// The bytes are not those that the archive's checksum is of.
pub const FIXITY_MISMATCH: &str = "preservica.fixity-mismatch";
/// The bytes are not as many as the archive says.
pub const CONTENT_CHANGED: &str = "preservica.content-changed";
/// The bytes lie in cold storage, and have to be brought back first.
pub const IN_COLD_STORAGE: &str = "preservica.in-cold-storage";

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
        Reading::begin(self, file, whole, Watch::for_file(file)).await
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
        Reading::begin(self, file, range, None).await
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

/// A file as it is read.
struct Reading {
    client: Client,
    target: String,
    /// The size that the archive says.
    size: u64,
    stop: u64,
    watch: Option<Watch>,
}

impl Reading {
    async fn begin(
        client: &Client,
        file: &Bitstream,
        range: Range<u64>,
        watch: Option<Watch>,
    ) -> Result<Download> {
        let (target, size, stop) = (file.content.clone(), file.size, range.end);
        let length = range.end.saturating_sub(range.start);
        if size == 0 {
            // No byte will come whose arrival could be the moment to compare.
            watch.map_or(Ok(()), Watch::check)?;
            return Ok(Download { length: 0, body: empty() });
        }
        let patience = Patience {
            context: client.http.context().clone(),
            stall: client.settings.answer(),
            resumptions: client.settings.download_resumptions,
        };
        let body =
            resuming(Self { client: client.clone(), target, size, stop, watch }, range, patience).await?;
        Ok(Download { length, body })
    }
}

impl Source for Reading {
    async fn open(&mut self, at: u64) -> Result<Body> {
        let mut request = Request::new(OPERATION, Method::GET, self.target.clone());
        if at > 0 || self.stop < self.size {
            request = request.header(header::RANGE, &format!("bytes={at}-{}", self.stop.saturating_sub(1)));
        }
        let Response { status, headers, body } = self.client.open(&request).await?;
        let total = match status {
            StatusCode::OK => number(&headers, header::CONTENT_LENGTH),
            StatusCode::PARTIAL_CONTENT if starts_at(&headers) == Some(at) => total(&headers),
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
        // A server may answer a range with everything.
        Ok(if status == StatusCode::OK { skipping(body, at) } else { body })
    }

    fn pass(&mut self, data: &[u8]) {
        if let Some(watch) = &mut self.watch {
            watch.update(data);
        }
    }

    fn end(&mut self) -> Result<()> {
        self.watch.take().map_or(Ok(()), Watch::check)
    }

    fn cut(&self, at: u64) -> Error {
        let message = format!("the server broke off after {at} of {} bytes, again and again", self.stop);
        failure(FailureClass::Transient, OPERATION, "preservica.content-cut", message)
    }
}

async fn refused(client: &Client, status: StatusCode, headers: &HeaderMap, body: Body) -> Error {
    let bytes = client.http.read(OPERATION, true, body).await.unwrap_or_default();
    failed(&Call::get(OPERATION, &[]), status, headers, &bytes)
}

fn changed(message: &str) -> Error {
    failure(FailureClass::Conflict, OPERATION, CONTENT_CHANGED, message)
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
