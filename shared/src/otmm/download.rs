//! Taking content out. Whether the server goes on in the middle is documented nowhere: a body that breaks off is asked for from
//! where it broke, and when everything comes again, what is there already is left out.

use std::{ops::Range, time::Duration};

use http::{HeaderMap, StatusCode, header};
use sha2::Digest;

use super::{
    Client,
    asset::{Asset, ContentInfo, Rendition},
    call::Call,
    error::{CONTENT_OFFLINE, failure},
    ids::AssetId,
    send::text_of,
    settings::Checksum,
};
use crate::{
    error::{Error, FailureClass, Result},
    http::{Body, Patience, Response, Source, empty, resuming, skipping},
};

const OPERATION: &str = "download";
/// The bytes do not have the checksum that the server says they have.
pub const CHECKSUM_MISMATCH: &str = "otmm.checksum-mismatch";
/// The bytes are not as many as the server said, or not those the transfer began with.
pub const CONTENT_CHANGED: &str = "otmm.content-changed";
/// There are no bytes of the asset to be had.
pub const NO_CONTENT: &str = "otmm.no-content";

/// Content on its way out. It fails unless it is exactly as long as announced.
#[derive(Debug)]
pub struct Download {
    /// Its length, from the beginning of the range that was asked for.
    pub length: u64,
    /// The bytes.
    pub body: Body,
}

impl Client {
    /// The master of an asset, as it was read with [`super::Load::Full`] or [`super::ContentLoad::content`]. Read the asset
    /// again afterwards: when its version or date has moved, begin anew.
    ///
    /// # Errors
    /// [`NO_CONTENT`] (`Invalid`) for a folder, a deleted asset, a clip. [`super::TOO_LARGE`] (`Forbidden`) where the site lets
    /// masters of this size out by jobs only. The body fails with [`CONTENT_CHANGED`], and with [`CHECKSUM_MISMATCH`] in place
    /// of its last bytes where the settings want that.
    pub async fn download(&self, asset: &Asset) -> Result<Download> {
        let size = size_of(asset)?;
        self.begin(asset, None, size, 0..size).await
    }

    /// A range of the bytes of a master, whose checksum nobody knows.
    ///
    /// # Errors
    /// As [`Client::download`].
    pub async fn download_range(&self, asset: &Asset, range: Range<u64>) -> Result<Download> {
        let size = size_of(asset)?;
        if range.end > size {
            return Err(changed("the range ends behind the last byte"));
        }
        self.begin(asset, None, size, range).await
    }

    /// A rendition of an asset that was read with its renditions.
    ///
    /// # Errors
    /// [`NO_CONTENT`] (`Invalid`) when the asset was not read with that rendition, or has none.
    pub async fn download_rendition(&self, asset: &Asset, which: Rendition) -> Result<Download> {
        let found = asset.renditions.iter().find(|(known, _)| *known == which).map(|(_, info)| info);
        let size = found.and_then(|info| info.size);
        let size = size.ok_or_else(|| no_content("it has no such rendition, or was read without"))?;
        self.begin(asset, Some(which), size, 0..size).await
    }

    async fn begin(
        &self,
        asset: &Asset,
        which: Option<Rendition>,
        size: u64,
        range: Range<u64>,
    ) -> Result<Download> {
        let length = range.end.saturating_sub(range.start);
        if length == 0 {
            return Ok(Download { length, body: empty() });
        }
        let info = match which {
            None => asset.master.as_ref(),
            Some(which) => asset.renditions.iter().find(|(known, _)| *known == which).map(|(_, info)| info),
        };
        let mime = info.and_then(|info| info.mime_type.as_ref()).or(asset.mime_type.as_ref());
        let is_whole = length == size;
        let source = Reading {
            client: self.clone(),
            asset: asset.id.clone(),
            which,
            size,
            stop: range.end,
            may_be_page: mime.is_some_and(|mime| mime.to_ascii_lowercase().starts_with("text/html")),
            watch: info.filter(|_| is_whole).and_then(|info| Watch::of(info, self.settings.checksum)),
        };
        let patience = Patience {
            context: self.http.context().clone(),
            stall: self.settings.answer(),
            resumptions: self.settings.download_resumptions,
        };
        Ok(Download { length, body: resuming(source, range, patience).await? })
    }
}

fn size_of(asset: &Asset) -> Result<u64> {
    if let Some(why) = asset.why_no_content() {
        return Err(no_content(why));
    }
    asset.content_size.ok_or_else(|| no_content("the server tells no size of it"))
}

/// A checksum that is being made, and what it has to be.
struct Watch {
    hash: md5::Md5,
    expected: String,
    fails: bool,
}

impl Watch {
    /// None where it is not wanted, or where what the server says cannot be an MD5.
    fn of(info: &ContentInfo, checksum: Checksum) -> Option<Self> {
        let expected = info.checksum.clone()?;
        let is_md5 = expected.len() == 32 && expected.bytes().all(|byte| byte.is_ascii_hexdigit());
        (is_md5 && checksum != Checksum::Ignore).then(|| Self {
            hash: md5::Md5::new(),
            expected,
            fails: checksum == Checksum::Fail,
        })
    }

    fn check(self, asset: &AssetId) -> Result<()> {
        let found = hex::encode(self.hash.finalize().as_slice());
        if found == self.expected {
            return Ok(());
        }
        let message = format!("the bytes have the MD5 {found}, and the server says {}", self.expected);
        if !self.fails {
            tracing::warn!(system = "otmm", asset = %asset, "{message}");
            return Ok(());
        }
        Err(failure(FailureClass::Conflict, OPERATION, CHECKSUM_MISMATCH, message))
    }
}

/// Content as it is read.
struct Reading {
    client: Client,
    asset: AssetId,
    which: Option<Rendition>,
    /// The size that the asset says.
    size: u64,
    stop: u64,
    may_be_page: bool,
    watch: Option<Watch>,
}

impl Source for Reading {
    async fn open(&mut self, at: u64) -> Result<Body> {
        let mut call = Call::get(OPERATION, &["assets", self.asset.as_str(), "contents"]);
        call = match self.which {
            Some(which) => call.query("rendition_type", which.word()),
            None => call.query("disposition", "attachment"),
        };
        let range = format!("bytes={at}-{}", self.stop.saturating_sub(1));
        let range = Some(range.as_str()).filter(|_| at > 0 || self.stop < self.size);
        let opened = self.client.open(&call, range, self.may_be_page).await;
        let Response { status, headers, body } = opened.map_err(|error| match error.code() {
            CONTENT_OFFLINE => {
                error.not_before(Duration::from_secs(self.client.settings.offline_pause_seconds))
            }
            _ => error,
        })?;
        let total = match status {
            StatusCode::PARTIAL_CONTENT if starts_at(&headers) == Some(at) => total(&headers),
            StatusCode::PARTIAL_CONTENT => return Err(changed("the server answered with another range")),
            StatusCode::OK => text_of(&headers, &header::CONTENT_LENGTH).trim().parse().ok(),
            _ => return Err(no_content("the server answered without content")),
        };
        if total.is_some_and(|total| total != self.size) {
            return Err(changed("the server has another number of bytes than it said"));
        }
        // A server that knows no ranges answers with everything.
        Ok(if status == StatusCode::OK { skipping(body, at) } else { body })
    }

    fn pass(&mut self, data: &[u8]) {
        if let Some(watch) = &mut self.watch {
            watch.hash.update(data);
        }
    }

    fn end(&mut self) -> Result<()> {
        self.watch.take().map_or(Ok(()), |watch| watch.check(&self.asset))
    }

    fn cut(&self, at: u64) -> Error {
        let message = format!("the server broke off after {at} of {} bytes, again and again", self.stop);
        failure(FailureClass::Transient, OPERATION, "otmm.content-cut", message)
    }
}

fn no_content(why: &str) -> Error {
    failure(FailureClass::Invalid, OPERATION, NO_CONTENT, format!("there is no content to be had: {why}"))
}

fn changed(message: &str) -> Error {
    failure(FailureClass::Conflict, OPERATION, CONTENT_CHANGED, message)
}

/// The whole length in `Content-Range: bytes 5-9/10`.
fn total(headers: &HeaderMap) -> Option<u64> {
    text_of(headers, &header::CONTENT_RANGE).rsplit_once('/')?.1.trim().parse().ok()
}

fn starts_at(headers: &HeaderMap) -> Option<u64> {
    let range = text_of(headers, &header::CONTENT_RANGE).trim();
    range.strip_prefix("bytes ")?.split_once('-')?.0.parse().ok()
}
