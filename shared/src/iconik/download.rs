//! Taking bytes out: the signed address is fetched just before it is used, and again when it has ended; a body that
//! breaks off goes on where it broke, and only with the same bytes.

use std::ops::Range;

use bytes::Bytes;
use http::{HeaderMap, Method, StatusCode, header};
use http_body_util::BodyExt;

use super::{
    Client,
    call::Call,
    error::{CONTENT_CHANGED, NOT_FOUND, classify_storage, failure, unexpected},
    ids::{AssetId, FileId, KeyframeId, ProxyId},
    signed::{StorageRequest, is_refused, signed_url},
};
use crate::{
    error::{FailureClass, Result},
    http::{Body, Response, empty, of_pieces, skipping},
};

const OPERATION: &str = "download";
type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// What can be downloaded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Content {
    /// A file, as it is on its storage.
    File(AssetId, FileId),
    /// A web preview.
    Proxy(AssetId, ProxyId),
    /// A still picture.
    Keyframe(AssetId, KeyframeId),
}

impl Content {
    fn address(&self) -> Call {
        let (asset, kind, id) = match self {
            Self::File(asset, id) => (asset, "files", id.as_str()),
            Self::Proxy(asset, id) => (asset, "proxies", id.as_str()),
            // Pictures have no call of their own for it: the address comes with them.
            Self::Keyframe(asset, id) => {
                let path = ["files", "v1", "assets", asset.as_str(), "keyframes", id.as_str()];
                return Call::get("get download address", &path);
            }
        };
        let path = ["files", "v1", "assets", asset.as_str(), kind, id, "download_url"];
        Call::get("get download address", &path)
    }
}

/// Content on its way out. Watch the body for its hash; it fails unless it is exactly as long as announced.
#[derive(Debug)]
pub struct Download {
    /// Its length, from the beginning of the range that was asked for.
    pub length: u64,
    /// The bytes.
    pub body: Body,
}

impl Client {
    /// The bytes of a file or preview from its beginning.
    ///
    /// # Errors
    /// [`super::NO_SIGNED_URL`] when its storage gives no addresses, [`super::SIGNED_URL_REFUSED`] when a fresh one is
    /// refused, [`super::CONTENT_MISSING`] when the storage has no such object. The body fails with
    /// [`super::CONTENT_CHANGED`] when other bytes have taken their place.
    pub async fn download(&self, content: &Content) -> Result<Download> {
        self.download_from(content, 0).await
    }

    /// The same from an offset to the end.
    ///
    /// # Errors
    /// As [`Client::download`].
    pub async fn download_from(&self, content: &Content, offset: u64) -> Result<Download> {
        let mut reading = Reading {
            client: self.clone(),
            content: content.clone(),
            address: None,
            at: offset,
            end: None,
            until: None,
            mark: None,
            body: None,
            idle: 0,
        };
        reading.open().await?;
        reading.into_download()
    }

    /// A range of it. An empty range is an empty body.
    ///
    /// # Errors
    /// As [`Client::download`]; [`super::CONTENT_CHANGED`] when there is no such range.
    pub async fn download_range(&self, content: &Content, range: Range<u64>) -> Result<Download> {
        if range.is_empty() {
            return Ok(Download { length: 0, body: empty() });
        }
        let mut reading = Reading {
            client: self.clone(),
            content: content.clone(),
            address: None,
            at: range.start,
            end: None,
            until: Some(range.end),
            mark: None,
            body: None,
            idle: 0,
        };
        reading.open().await?;
        reading.into_download()
    }

    /// How many bytes a storage has of a file, without reading them.
    ///
    /// # Errors
    /// As [`Client::download`].
    pub async fn stored_size(&self, content: &Content) -> Result<u64> {
        let mut address = None;
        let response = self.open_signed(content, &mut address, Some("bytes=0-0")).await?;
        let Response { status, headers, .. } = response;
        let size = match status {
            // Only of nothing there is no first byte; S3 does not say the length then.
            StatusCode::RANGE_NOT_SATISFIABLE => Some(total(&headers).unwrap_or_default()),
            StatusCode::PARTIAL_CONTENT => total(&headers),
            _ => number(&headers, header::CONTENT_LENGTH),
        };
        size.ok_or_else(|| unexpected(OPERATION, super::error::Effect::Read, "the storage tells no size"))
    }

    /// Fetches an address for now: another one than that which was refused.
    async fn signed(&self, content: &Content, refused: Option<&str>) -> Result<String> {
        let answer = match (self.json(&content.address()).await, content) {
            // A storage that signs nothing may be answered like a file that is missing.
            (Err(error), Content::File(asset, id)) if error.code() == NOT_FOUND => {
                let path = ["files", "v1", "assets", asset.as_str(), "files", id.as_str()];
                let is_there = self.look::<serde_json::Value>(&Call::get("get file", &path)).await?.is_some();
                return Err(if is_there { no_address() } else { error });
            }
            (answer, _) => answer?,
        };
        let mut url = address_in(&answer).ok_or_else(no_address)?;
        if refused == Some(url.as_str())
            && let Content::File(asset, id) = content
        {
            // Signed addresses are cached. Only the file itself can be asked for past the cache.
            let path = ["files", "v1", "assets", asset.as_str(), "files", id.as_str()];
            let call = Call::get("get download address", &path).query("bypass_url_cache", true);
            url = address_in(&self.json(&call).await?).unwrap_or(url);
        }
        Ok(url)
    }

    /// Opens what is behind an address, fetching one where there is none and once more where it has ended.
    async fn open_signed(
        &self,
        content: &Content,
        address: &mut Option<String>,
        range: Option<&str>,
    ) -> Result<Response> {
        let mut request = StorageRequest::new(OPERATION, Method::GET);
        if let Some(range) = range {
            request = request.header(header::RANGE, range);
        }
        let mut refused: Option<String> = None;
        loop {
            let text = match address.take() {
                Some(text) => text,
                None => self.signed(content, refused.as_deref()).await?,
            };
            let url = signed_url(OPERATION, &text, &self.settings)?;
            let response = self.send_to_storage(&url, &request).await?;
            if is_refused(response.status) && refused.is_none() {
                refused = Some(text);
                continue;
            }
            let is_empty = response.status == StatusCode::RANGE_NOT_SATISFIABLE;
            if !response.status.is_success() && !is_empty {
                return Err(classify_storage(OPERATION, response.status, &response.headers));
            }
            *address = Some(text);
            return Ok(response);
        }
    }
}

/// A storage behind a gateway, or another that iconik cannot sign for.
pub const NO_SIGNED_URL: &str = "iconik.no-signed-url";

pub(super) fn no_address() -> crate::error::Error {
    let message = "iconik gives no address for the file: its storage is not one it can sign for";
    failure(FailureClass::Invalid, OPERATION, NO_SIGNED_URL, message)
        .remedy("transfer the file to a cloud storage in iconik, then redrive the item")
}

/// A download under way.
struct Reading {
    client: Client,
    content: Content,
    address: Option<String>,
    /// The next byte to come.
    at: u64,
    /// Where all of it ends, once known.
    end: Option<u64>,
    /// Where the range that was asked for ends.
    until: Option<u64>,
    /// What tells these bytes from others under the same name.
    mark: Option<Mark>,
    body: Option<Body>,
    /// Openings since a byte came.
    idle: u32,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Mark {
    etag: Option<String>,
    total: u64,
}

impl Reading {
    fn stop(&self) -> u64 {
        let end = self.end.unwrap_or_default();
        self.until.map_or(end, |until| until.min(end))
    }

    /// Opens the rest.
    async fn open(&mut self) -> Result<()> {
        let range = match self.until {
            Some(until) => Some(format!("bytes={}-{}", self.at, until.saturating_sub(1))),
            None if self.at > 0 => Some(format!("bytes={}-", self.at)),
            None => None,
        };
        let response = self.client.open_signed(&self.content, &mut self.address, range.as_deref()).await?;
        let Response { status, headers, body } = response;
        check_encoding(&headers)?;
        let whole = status == StatusCode::OK;
        let total = if whole { number(&headers, header::CONTENT_LENGTH) } else { total(&headers) };
        let total = total.ok_or_else(|| {
            unexpected(OPERATION, super::error::Effect::Read, "the storage does not announce a length")
        })?;
        let etag = headers.get(header::ETAG).and_then(|etag| etag.to_str().ok()).map(str::to_owned);
        let mark = Mark { etag, total };
        if self.mark.as_ref().is_some_and(|first| *first != mark) {
            return Err(changed("the storage has other bytes than when the download began"));
        }
        let asked = self.at;
        if self.until.is_some_and(|until| until > total) || asked > total {
            return Err(changed("the range ends behind the last byte"));
        }
        self.mark = Some(mark);
        self.end = Some(total);
        self.body = match status {
            StatusCode::PARTIAL_CONTENT if starts_at(&headers) == Some(asked) => Some(body),
            StatusCode::RANGE_NOT_SATISFIABLE if asked == total => None,
            // A storage may answer a range with everything.
            StatusCode::OK => Some(skipping(body, asked)),
            _ => return Err(changed("the storage answered with another range")),
        };
        Ok(())
    }

    /// The next bytes; nothing at the end.
    async fn step(&mut self) -> Result<Option<Bytes>> {
        loop {
            let stop = self.stop();
            if self.at >= stop {
                return Ok(None);
            }
            if self.body.is_none() {
                self.open().await?;
            }
            let Some(body) = self.body.as_mut() else { return Err(cut(self.at, stop)) };
            let frame = tokio::time::timeout(self.client.settings.answer(), body.frame()).await;
            if let Ok(Some(Ok(frame))) = frame {
                let Ok(mut data) = frame.into_data() else { continue };
                if data.is_empty() {
                    continue;
                }
                data.truncate(usize::try_from(stop - self.at).unwrap_or(usize::MAX));
                self.at += data.len() as u64;
                self.idle = 0;
                return Ok(Some(data));
            }
            // Cut, stalled, or ended too early: on from here.
            self.body = None;
            self.idle += 1;
            if self.idle > self.client.settings.download_resumptions {
                return Err(cut(self.at, stop));
            }
            let pause = std::time::Duration::from_millis(200 << self.idle.min(5));
            let context = self.client.http.context();
            context.sleep(context.jitter(pause)).await;
        }
    }

    fn into_download(self) -> Result<Download> {
        let length = self.stop().saturating_sub(self.at);
        let stream = futures_util::stream::unfold(Some(self), |reading| async move {
            let mut reading = reading?;
            match reading.step().await {
                Ok(Some(data)) => Some((Ok(data), Some(reading))),
                Ok(None) => None,
                Err(error) => Some((Err(BoxError::from(error)), None)),
            }
        });
        let body = of_pieces(stream, length);
        Ok(Download { length, body })
    }
}

fn address_in(answer: &serde_json::Value) -> Option<String> {
    let url = answer.get("url").and_then(serde_json::Value::as_str);
    url.filter(|url| !url.is_empty()).map(str::to_owned)
}

fn changed(message: &str) -> crate::error::Error {
    failure(FailureClass::Conflict, OPERATION, CONTENT_CHANGED, message)
}

fn cut(at: u64, stop: u64) -> crate::error::Error {
    let message = format!("the storage broke off after {at} of {stop} bytes, again and again");
    failure(FailureClass::Transient, OPERATION, "iconik.content-cut", message)
}

fn check_encoding(headers: &HeaderMap) -> Result<()> {
    let encoding = headers.get(header::CONTENT_ENCODING).and_then(|value| value.to_str().ok());
    if encoding.is_none_or(|encoding| encoding.eq_ignore_ascii_case("identity")) {
        return Ok(());
    }
    let message = "the storage compresses content although it was asked not to";
    Err(failure(FailureClass::Forbidden, OPERATION, "iconik.encoded-content", message)
        .remedy("store the object without Content-Encoding"))
}

fn number(headers: &HeaderMap, name: header::HeaderName) -> Option<u64> {
    headers.get(name)?.to_str().ok()?.trim().parse().ok()
}

/// The whole length in `Content-Range: bytes 5-9/10` or `bytes */10`.
fn total(headers: &HeaderMap) -> Option<u64> {
    let range = headers.get(header::CONTENT_RANGE)?.to_str().ok()?;
    range.rsplit_once('/')?.1.trim().parse().ok()
}

fn starts_at(headers: &HeaderMap) -> Option<u64> {
    let range = headers.get(header::CONTENT_RANGE)?.to_str().ok()?;
    range.trim().strip_prefix("bytes ")?.split_once('-')?.0.parse().ok()
}
