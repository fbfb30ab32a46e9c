//! Google's way: a session to which bytes are sent in order, and which can be asked how far it has come.

use http::{HeaderMap, HeaderName, Method, StatusCode, header};

use super::{
    Client,
    error::{Effect, classify_storage, unexpected},
    file::File,
    ids::AssetId,
    part_ledger::PartLedger,
    signed::{StorageRequest, signed_url},
    upload::{BYTES, OPERATION, UploadStep, gone, part_of},
};
use crate::{
    error::{FailureClass, Result},
    http::{Payload, RangedSource, SignedUrl},
};

const RESUMABLE: HeaderName = HeaderName::from_static("x-goog-resumable");

impl Client {
    pub(super) async fn gcs_step(
        &self,
        asset: &AssetId,
        file: &File,
        source: &RangedSource,
        ledger: &mut PartLedger,
    ) -> Result<UploadStep> {
        let Some(session) = ledger.session.clone() else {
            ledger.session = Some(self.begin_gcs(asset, file).await?);
            return Ok(UploadStep::Going(0));
        };
        let url = signed_url(OPERATION, &session, &self.settings)?;
        let (offset, length) = (ledger.sent, ledger.part_size.min(ledger.length - ledger.sent));
        let range = match length {
            0 => format!("bytes */{}", ledger.length),
            length => format!("bytes {offset}-{}/{}", offset + length - 1, ledger.length),
        };
        let payload = Payload::Stream(BYTES.to_owned(), part_of(source, offset, length));
        // Never sent again blindly: what has arrived of it is asked for.
        let request = StorageRequest::new(OPERATION, Method::PUT)
            .header(header::CONTENT_RANGE, range)
            .payload(payload)
            .within(self.settings.transfer_time(length));
        let failure = match self.send_to_storage(&url, &request).await {
            Ok(response) if !needs_question(response.status) => {
                return settle(ledger, response.status, &response.headers);
            }
            Ok(response) => classify_storage(OPERATION, response.status, &response.headers),
            Err(error) if error.class() == FailureClass::UnknownOutcome => {
                error.with_class(FailureClass::Transient)
            }
            Err(error) => error,
        };
        if failure.class() != FailureClass::Transient {
            return Err(failure);
        }
        let step = self.ask_how_far(&url, ledger).await?;
        // What fails without a byte arriving is a failure, however often it is asked about.
        if step == UploadStep::Going(offset) { Err(failure) } else { Ok(step) }
    }

    async fn begin_gcs(&self, asset: &AssetId, file: &File) -> Result<String> {
        // A second session leaves one without bytes behind, which costs nothing.
        let mut request =
            StorageRequest::new(OPERATION, Method::POST).header(RESUMABLE, "start").idempotent();
        for (name, value) in file.upload_headers.iter().flatten() {
            if let Ok(name) = HeaderName::try_from(name.as_str()) {
                request = request.header(name, value.as_str());
            }
        }
        let address = |file: &File| file.upload_url.clone();
        let response = self.to_upload_address(asset, file, address, &request).await?;
        if !response.status.is_success() {
            return Err(classify_storage(OPERATION, response.status, &response.headers));
        }
        let location = response.headers.get(header::LOCATION).and_then(|location| location.to_str().ok());
        let location = location
            .ok_or_else(|| unexpected(OPERATION, Effect::Repeatable, "the storage names no session"))?;
        // It leads where it should, or nothing is sent there.
        signed_url(OPERATION, location, &self.settings)?;
        Ok(location.to_owned())
    }

    /// Asks a session how far it has come.
    async fn ask_how_far(&self, url: &SignedUrl, ledger: &mut PartLedger) -> Result<UploadStep> {
        let request = StorageRequest::new(OPERATION, Method::PUT)
            .header(header::CONTENT_RANGE, format!("bytes */{}", ledger.length))
            .header(header::CONTENT_LENGTH, "0")
            .idempotent();
        let (status, headers, _) = self.ask_storage(url, &request).await?;
        settle(ledger, status, &headers)
    }
}

/// Whether an answer leaves open how much has arrived.
fn needs_question(status: StatusCode) -> bool {
    status.is_server_error() || matches!(status.as_u16(), 408 | 429)
}

/// Notes how far a session says it has come.
fn settle(ledger: &mut PartLedger, status: StatusCode, headers: &HeaderMap) -> Result<UploadStep> {
    match status.as_u16() {
        200 | 201 => {
            ledger.is_done = true;
            Ok(UploadStep::Done)
        }
        // Without a range nothing has arrived.
        308 => {
            let last = headers.get(header::RANGE).and_then(|range| range.to_str().ok());
            let last = last.and_then(|range| range.rsplit_once('-')?.1.trim().parse::<u64>().ok());
            ledger.sent = last.map_or(0, |last| (last + 1).min(ledger.length));
            Ok(UploadStep::Going(ledger.sent))
        }
        // The session ended: a week old, given up, or finished and forgotten.
        404 | 410 | 499 => Err(gone()),
        _ => Err(classify_storage(OPERATION, status, headers)),
    }
}
