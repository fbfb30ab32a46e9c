//! Bringing a package in, step by step, through the storage that speaks like S3. Its arrival begins an ingest: a package that may
//! have arrived is never sent again by itself.
//!
//! No SDK is used: the storage takes the token in a header of its own, so that a long upload goes on with whatever token is in
//! force, and it does not understand the checksums that an SDK sends behind a body.

use std::{collections::BTreeMap, fmt};

use futures_util::future::join_all;
use http::{HeaderMap, HeaderName, Method, StatusCode, header};
use serde::{Deserialize, Serialize};

use super::{
    Client,
    error::{Effect, Facts, classify, failure, form_of, retry_after, unexpected},
    ids::Reference,
    progress::ProgressToken,
    xml::Element,
};
use crate::{
    error::{Error, FailureClass, Result},
    http::{Payload, RangedSource, Replayable, Request, exactly},
};

const OPERATION: &str = "upload package";
/// The storage does not know the upload any more, and nothing was ingested; the ledger is empty again, and the next step begins
/// anew.
pub const UPLOAD_GONE: &str = "preservica.upload-gone";
/// The package may have arrived, which nobody can see at the storage: look for its asset before anything else, and begin with an
/// empty ledger only when it is not there.
pub const MAY_HAVE_ARRIVED: &str = "preservica.package-may-have-arrived";
/// The source has another length than when the upload began.
pub const SOURCE_CHANGED: &str = "preservica.source-changed";

const PROGRESS: &str = "preservica-progress-token";
const DESTINATION: HeaderName = HeaderName::from_static("x-amz-meta-structuralobjectreference");
const BYTES: &str = "application/octet-stream";
/// Most parts of an upload. The storage takes 10,000, and their marks would not fit into one record of those who keep a ledger.
const MOST_PARTS: u64 = 2_000;

/// What a step did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum UploadStep {
    /// More has arrived: so many bytes by now. Keep the ledger, then take the next step.
    Going(u64),
    /// All has arrived, and its ingest begins. A server that gives no token can only be asked for the asset.
    Done(Option<ProgressToken>),
}

/// How far an upload is. Keep it between steps; another process goes on from it.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct UploadLedger {
    key: String,
    length: u64,
    part_size: u64,
    upload_id: Option<String>,
    parts: BTreeMap<u32, String>,
    /// It goes in parts however small it is.
    #[serde(default)]
    in_parts: bool,
    /// What makes the package arrive is about to be sent, or was.
    is_arriving: bool,
    /// It was sent, and no answer came.
    is_unknown: bool,
    /// The storage did not know the upload any more when its parts were to be joined.
    #[serde(default)]
    is_gone: bool,
    is_done: bool,
    progress: Option<ProgressToken>,
}

impl UploadLedger {
    /// For a package that goes in parts however small it is. Parts are joined once, so that a package whose answer was lost may
    /// be told to arrive again: [`UploadLedger::join_again`].
    pub fn in_parts() -> Self {
        Self { in_parts: true, ..Self::default() }
    }

    /// Something is at the storage, or on its way there.
    pub fn is_begun(&self) -> bool {
        self.upload_id.is_some() || self.is_arriving
    }

    /// What makes the package arrive was sent, or may have been.
    pub fn may_have_arrived(&self) -> bool {
        self.is_arriving
    }

    /// Lets the next step join the parts again, after an answer was lost: a second time does nothing. False where that is no
    /// way to find out, as the package went in one request or the storage has said that it does not know the upload any more.
    pub fn join_again(&mut self) -> bool {
        let may = self.upload_id.is_some() && !self.is_gone;
        self.is_unknown &= !may;
        may
    }

    fn forget(&mut self) {
        *self = Self { in_parts: self.in_parts, ..Self::default() };
    }

    /// Bytes that have arrived.
    pub fn bytes_sent(&self) -> u64 {
        if self.is_done {
            return self.length;
        }
        self.parts.keys().map(|number| self.length_of(*number)).sum()
    }

    /// The name of the package at the storage.
    pub fn key(&self) -> &str {
        &self.key
    }

    fn begin(&mut self, key: String, length: u64, least: u64) {
        const STEP: u64 = 1 << 20;
        let size = least.max(length.div_ceil(MOST_PARTS)).max(1);
        self.forget();
        (self.key, self.length, self.part_size) = (key, length, size.div_ceil(STEP) * STEP);
    }

    fn count(&self) -> u32 {
        u32::try_from(self.length.div_ceil(self.part_size.max(1)).max(1)).unwrap_or(u32::MAX)
    }

    fn offset_of(&self, number: u32) -> u64 {
        u64::from(number.saturating_sub(1)) * self.part_size
    }

    fn length_of(&self, number: u32) -> u64 {
        self.length.saturating_sub(self.offset_of(number)).min(self.part_size)
    }

    fn missing(&self, most: usize) -> Vec<u32> {
        (1..=self.count()).filter(|number| !self.parts.contains_key(number)).take(most).collect()
    }
}

impl fmt::Debug for UploadLedger {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("UploadLedger")
            .field("key", &self.key)
            .field("length", &self.length)
            .field("parts", &self.parts.len())
            .field("is_arriving", &self.is_arriving)
            .field("is_done", &self.is_done)
            .finish_non_exhaustive()
    }
}

impl Client {
    /// Takes one step of the upload of a package: begins it, sends the next parts, or lets it arrive. Bytes go from the source to
    /// the storage without being held. Choose and keep the references in the package before the first step: they are what to
    /// look for when an answer is lost.
    ///
    /// After an error keep the ledger as well.
    ///
    /// # Errors
    /// [`UPLOAD_GONE`] (`Transient`). [`MAY_HAVE_ARRIVED`] (`UnknownOutcome`). [`SOURCE_CHANGED`]. As any call.
    pub async fn upload_step(
        &self,
        source: &RangedSource,
        destination: Option<&Reference>,
        ledger: &mut UploadLedger,
    ) -> Result<UploadStep> {
        if ledger.is_done {
            return Ok(UploadStep::Done(ledger.progress.clone()));
        }
        if ledger.is_unknown {
            return Err(may_have_arrived("the package was sent before, and no answer came"));
        }
        if ledger.key.is_empty() {
            ledger.begin(
                format!("{}.zip", Reference::fresh(self.http.context())),
                source.length(),
                self.settings.part_bytes,
            );
        }
        if ledger.length != source.length() {
            let message =
                format!("the package has {} bytes and had {} before", source.length(), ledger.length);
            return Err(failure(FailureClass::Conflict, OPERATION, SOURCE_CHANGED, message));
        }
        let is_small = ledger.upload_id.is_none()
            && !ledger.in_parts
            && ledger.length <= self.settings.single_upload_bytes;
        if is_small && !ledger.is_arriving {
            // Whoever keeps the ledger now knows that it may have arrived from here on.
            ledger.is_arriving = true;
            return Ok(UploadStep::Going(0));
        }
        if is_small {
            return self.send_whole(source, destination, ledger).await;
        }
        let Some(upload_id) = ledger.upload_id.clone() else {
            ledger.upload_id = Some(self.begin_parts(destination, ledger).await?);
            return Ok(UploadStep::Going(0));
        };
        let missing = ledger.missing(self.settings.parts_at_once);
        if !missing.is_empty() {
            let step = self.send_parts(source, &upload_id, &missing, ledger).await;
            if step.as_ref().is_err_and(|error| error.code() == UPLOAD_GONE) {
                ledger.forget();
            }
            return step;
        }
        if !ledger.is_arriving {
            ledger.is_arriving = true;
            return Ok(UploadStep::Going(ledger.length));
        }
        self.join_parts(&upload_id, ledger).await
    }

    /// Gives an upload up, so that its parts do not stay at the storage. One that is gone is no failure.
    ///
    /// # Errors
    /// As any call.
    pub async fn abandon_upload(&self, ledger: &mut UploadLedger) -> Result<()> {
        self.abort(ledger).await?;
        ledger.forget();
        Ok(())
    }

    /// Gives an upload up whose parts may have been joined. True when it was there still: then nothing has arrived, and nothing
    /// will, and the ledger is empty again. False when it was not, which leaves the doubt and the ledger as they are.
    ///
    /// # Errors
    /// As any call.
    pub async fn withdraw_upload(&self, ledger: &mut UploadLedger) -> Result<bool> {
        let was_there = self.abort(ledger).await?;
        if was_there {
            ledger.forget();
        }
        Ok(was_there)
    }

    /// Whether there was something to abort.
    async fn abort(&self, ledger: &UploadLedger) -> Result<bool> {
        let Some(upload_id) = ledger.upload_id.as_deref().filter(|_| !ledger.is_done) else {
            return Ok(false);
        };
        let target = format!("{}?{}", self.place(ledger).await?, encoded(&[("uploadId", upload_id)]));
        let request = Request::new("abandon upload", Method::DELETE, target).idempotent();
        let response = self.open(&request).await?;
        let (status, headers) = (response.status, response.headers);
        if status.is_success() || status == StatusCode::NOT_FOUND {
            return Ok(status.is_success());
        }
        let body = self.http.read("abandon upload", true, response.body).await?;
        Err(refused(status, &headers, &body, Effect::Repeatable))
    }

    /// Where the package goes.
    async fn place(&self, ledger: &UploadLedger) -> Result<String> {
        let tenant = self.tenant().await?.to_lowercase();
        Ok(format!("/api/s3/buckets/{tenant}.package.upload/{}", ledger.key))
    }

    async fn send_whole(
        &self,
        source: &RangedSource,
        destination: Option<&Reference>,
        ledger: &mut UploadLedger,
    ) -> Result<UploadStep> {
        let payload = Payload::Stream(BYTES.to_owned(), part_of(source, 0, ledger.length));
        let request = Request::new(OPERATION, Method::PUT, self.place(ledger).await?)
            .payload(payload)
            .timeout(self.settings.transfer_time(ledger.length));
        self.let_arrive(&directed(request, destination), ledger).await
    }

    async fn begin_parts(&self, destination: Option<&Reference>, ledger: &UploadLedger) -> Result<String> {
        let target = format!("{}?uploads", self.place(ledger).await?);
        // A second beginning leaves an upload without parts behind, which costs nothing.
        let request = directed(Request::new(OPERATION, Method::POST, target), destination).idempotent();
        let response = self.open(&request).await?;
        let (status, headers) = (response.status, response.headers);
        let body = self.http.read(OPERATION, true, response.body).await?;
        if !status.is_success() {
            return Err(refused(status, &headers, &body, Effect::Repeatable));
        }
        let root = Element::parse(&body).ok();
        let id = root.and_then(|root| root.search("", "UploadId").map(Element::content));
        let id = id.filter(|id| !id.is_empty());
        id.ok_or_else(|| unexpected(OPERATION, Effect::Repeatable, "no UploadId in it"))
    }

    async fn send_parts(
        &self,
        source: &RangedSource,
        upload_id: &str,
        missing: &[u32],
        ledger: &mut UploadLedger,
    ) -> Result<UploadStep> {
        let place = self.place(ledger).await?;
        let sending = missing.iter().map(|number| {
            let payload = part_of(source, ledger.offset_of(*number), ledger.length_of(*number));
            self.send_part(&place, upload_id, *number, payload)
        });
        let outcomes = join_all(sending).await;
        let mut failed = None;
        for (number, outcome) in missing.iter().zip(outcomes) {
            match outcome {
                Ok(mark) => drop(ledger.parts.insert(*number, mark)),
                Err(error) => failed = failed.or(Some(error)),
            }
        }
        match failed {
            Some(error) => Err(error),
            None => Ok(UploadStep::Going(ledger.bytes_sent())),
        }
    }

    /// Sends one part and gives the storage's mark of it.
    async fn send_part(&self, place: &str, upload_id: &str, number: u32, part: Replayable) -> Result<String> {
        let query = encoded(&[("partNumber", &number.to_string()), ("uploadId", upload_id)]);
        let time = self.settings.transfer_time(part.length());
        let request = Request::new(OPERATION, Method::PUT, format!("{place}?{query}"))
            .payload(Payload::Stream(BYTES.to_owned(), part))
            .timeout(time)
            .idempotent();
        let response = self.open(&request).await?;
        let (status, headers) = (response.status, response.headers);
        if status.is_success() {
            let mark = headers.get(header::ETAG).and_then(|mark| mark.to_str().ok()).map(str::to_owned);
            return mark.ok_or_else(|| unexpected(OPERATION, Effect::Repeatable, "no ETag in it"));
        }
        let body = self.http.read(OPERATION, true, response.body).await?;
        if status == StatusCode::NOT_FOUND {
            let text = "the storage does not know the upload any more";
            return Err(failure(FailureClass::Transient, OPERATION, UPLOAD_GONE, text));
        }
        Err(refused(status, &headers, &body, Effect::Repeatable))
    }

    async fn join_parts(&self, upload_id: &str, ledger: &mut UploadLedger) -> Result<UploadStep> {
        let target = format!("{}?{}", self.place(ledger).await?, encoded(&[("uploadId", upload_id)]));
        let parts = ledger.parts.iter().map(|(number, mark)| {
            Element::new(S3, "Part").with("PartNumber", &number.to_string()).with("ETag", mark)
        });
        let body = parts.fold(Element::new(S3, "CompleteMultipartUpload"), Element::child);
        let request = Request::new(OPERATION, Method::POST, target)
            .payload(Payload::Bytes("application/xml", body.document().into()))
            .timeout(self.settings.transfer_time(ledger.length / 16));
        self.let_arrive(&request, ledger).await
    }

    /// Sends what makes the package arrive.
    async fn let_arrive(&self, request: &Request, ledger: &mut UploadLedger) -> Result<UploadStep> {
        let outcome = self.arrived(request).await;
        match outcome {
            Ok(Arrival::Gone) => {
                (ledger.is_unknown, ledger.is_gone) = (true, true);
                Err(may_have_arrived("the storage does not know the upload any more"))
            }
            Ok(Arrival::Told(progress)) => {
                ledger.is_done = true;
                ledger.progress = progress;
                Ok(UploadStep::Done(ledger.progress.clone()))
            }
            Err(error) if error.class() == FailureClass::UnknownOutcome => {
                ledger.is_unknown = true;
                Err(error.with_code(MAY_HAVE_ARRIVED))
            }
            Err(error) => Err(error),
        }
    }

    async fn arrived(&self, request: &Request) -> Result<Arrival> {
        let response = self.open(request).await?;
        let (status, headers) = (response.status, response.headers);
        let body = self.http.read(OPERATION, false, response.body).await?;
        let code = Element::parse(&body).ok().and_then(|root| root.search("", "Code").map(Element::content));
        match (status.is_success(), code.as_deref()) {
            (true, None) => {
                let token = headers.get(PROGRESS).and_then(|token| token.to_str().ok());
                Ok(Arrival::Told(token.and_then(ProgressToken::read)))
            }
            // Joined before, or forgotten: nobody can say which.
            (false, Some("NoSuchUpload")) => Ok(Arrival::Gone),
            // S3 may answer 200 and say in the body that it failed.
            (true, Some(code)) => Err(unexpected(OPERATION, Effect::Once, format_args!("it says {code}"))),
            (false, _) => Err(refused(status, &headers, &body, Effect::Once)),
        }
    }
}

/// What was answered to what makes a package arrive.
enum Arrival {
    /// It has arrived.
    Told(Option<ProgressToken>),
    /// The storage does not know the upload.
    Gone,
}

/// The namespace of what S3 is told.
const S3: &str = "http://s3.amazonaws.com/doc/2006-03-01/";

fn directed(request: Request, destination: Option<&Reference>) -> Request {
    match destination {
        Some(folder) => request.header(DESTINATION, folder.as_str()),
        None => request,
    }
}

fn encoded(query: &[(&str, &str)]) -> String {
    serde_urlencoded::to_string(query).unwrap_or_default()
}

fn may_have_arrived(text: &str) -> Error {
    failure(FailureClass::UnknownOutcome, OPERATION, MAY_HAVE_ARRIVED, text)
}

fn refused(status: StatusCode, headers: &HeaderMap, body: &[u8], effect: Effect) -> Error {
    classify(&Facts {
        operation: OPERATION,
        effect,
        status: status.as_u16(),
        retry_after: retry_after(headers),
        form: form_of(headers, body),
        body,
    })
}

/// A part of a source, which fails unless it is as long as it should be.
pub(super) fn part_of(source: &RangedSource, offset: u64, length: u64) -> Replayable {
    let source = source.clone();
    Replayable::new(length, move || {
        let range = source.range(offset, length);
        async move { Ok(exactly(length, range.open().await?)) }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_cover_a_package_of_any_length_once_and_are_never_too_many() {
        for length in [1, 8 << 20, (8 << 20) + 1, 100_u64 << 30, 5 << 40] {
            let mut ledger = UploadLedger::default();
            ledger.begin("k.zip".to_owned(), length, 8 << 20);
            assert!(u64::from(ledger.count()) <= MOST_PARTS, "{length}");
            let total: u64 = (1..=ledger.count()).map(|number| ledger.length_of(number)).sum();
            assert_eq!(total, length);
        }
    }
}
