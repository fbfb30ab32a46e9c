//! Bringing bytes in, step by step, to the storage of a file that waits for them.

use http::{Method, header};

use super::{
    Client,
    call::Call,
    download::{Content, no_address},
    error::{classify_storage, failure},
    file::{File, StorageMethod},
    ids::{AssetId, FileId},
    part_ledger::PartLedger,
    signed::{StorageRequest, is_refused, signed_url},
};
use crate::{
    error::{Error, FailureClass, Result},
    http::{Payload, RangedSource, Replayable, Response, exactly},
};

pub(super) const OPERATION: &str = "upload";
/// The storage does not know the upload any more; the ledger is empty again, and the next step begins anew.
pub const UPLOAD_GONE: &str = "iconik.upload-gone";

/// What a step did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UploadStep {
    /// More has arrived: so many bytes by now. Keep the ledger, then take the next step.
    Going(u64),
    /// All has arrived. Close the file.
    Done,
}

impl Client {
    /// Takes one step of an upload: begins it, sends the next parts, or completes it. `file` is what
    /// [`Client::ensure_file`] gave. Bytes go from the source to the storage without being held; S3 is sent
    /// several parts at the same time, Google's storage one after the other.
    ///
    /// After an error the ledger holds what arrived before it: keep it as well.
    ///
    /// # Errors
    /// `iconik.no-signed-url` when the file's storage takes nothing from us. [`UPLOAD_GONE`] (`Transient`).
    /// [`super::CONTENT_CHANGED`] when the source has another length than when the upload began.
    pub async fn upload_step(
        &self,
        asset: &AssetId,
        file: &File,
        source: &RangedSource,
        ledger: &mut PartLedger,
    ) -> Result<UploadStep> {
        if ledger.is_done {
            return Ok(UploadStep::Done);
        }
        if !ledger.is_begun() {
            ledger.begin(source.length(), self.settings.part_bytes);
        }
        if ledger.length != source.length() {
            let message =
                format!("the source has {} bytes and had {} before", source.length(), ledger.length);
            return Err(failure(FailureClass::Conflict, OPERATION, super::CONTENT_CHANGED, message));
        }
        let with_addresses;
        let has_addresses = file.upload_url.is_some() || file.multipart_upload_url.is_some();
        let takes_bytes = matches!(file.storage_method, StorageMethod::S3 | StorageMethod::Gcs);
        let file = if takes_bytes && !has_addresses && !ledger.is_begun() {
            with_addresses = self.file_with_addresses(asset, &file.id).await?;
            &with_addresses
        } else {
            file
        };
        let is_small = !ledger.is_begun() && source.length() <= self.settings.single_upload_bytes;
        let step = match file.storage_method {
            StorageMethod::S3 if is_small => self.upload_whole(asset, file, source, ledger).await,
            StorageMethod::S3 => self.s3_step(asset, file, source, ledger).await,
            StorageMethod::Gcs => self.gcs_step(asset, file, source, ledger).await,
            _ => Err(no_address()),
        };
        if step.as_ref().is_err_and(|error| error.code() == UPLOAD_GONE) {
            *ledger = PartLedger::default();
        }
        step
    }

    /// Gives an upload up, so that what has arrived does not stay on the storage. One that is gone is no failure.
    ///
    /// # Errors
    /// As any call.
    pub async fn abandon_upload(&self, asset: &AssetId, file: &File, ledger: &mut PartLedger) -> Result<()> {
        match (&ledger.upload_id, &ledger.session) {
            (Some(upload_id), _) => {
                let path = [
                    "files",
                    "v1",
                    "assets",
                    asset.as_str(),
                    "files",
                    file.id.as_str(),
                    "multipart",
                    "cleanup",
                ];
                let body = serde_json::json!({"upload_id": upload_id, "abort_upload": true});
                self.remove(&Call::post("abandon upload", &path).repeatable().body(body)).await?;
            }
            (None, Some(session)) => {
                let url = signed_url(OPERATION, session, &self.settings)?;
                let request = StorageRequest::new("abandon upload", Method::DELETE).idempotent();
                // Google answers 499 to say that it did, and whatever else to say that there is nothing to give up.
                self.ask_storage(&url, &request).await?;
            }
            (None, None) => {}
        }
        *ledger = PartLedger::default();
        Ok(())
    }

    /// One request with all of it.
    async fn upload_whole(
        &self,
        asset: &AssetId,
        file: &File,
        source: &RangedSource,
        ledger: &mut PartLedger,
    ) -> Result<UploadStep> {
        let length = source.length();
        let payload = Payload::Stream(BYTES.to_owned(), part_of(source, 0, length));
        let mut request = StorageRequest::new(OPERATION, Method::PUT)
            .payload(payload)
            .idempotent()
            .within(self.settings.transfer_time(length));
        for (name, value) in file.upload_headers.iter().flatten() {
            if let Ok(name) = header::HeaderName::try_from(name.as_str()) {
                request = request.header(name, value.as_str());
            }
        }
        let send = self.to_upload_address(asset, file, |file| file.upload_url.clone(), &request);
        let response = send.await?;
        if !response.status.is_success() {
            return Err(classify_storage(OPERATION, response.status, &response.headers));
        }
        ledger.is_done = true;
        Ok(UploadStep::Done)
    }

    /// Sends to an address that comes with the file; once more, when it has ended, to the one that comes with it now.
    pub(super) async fn to_upload_address(
        &self,
        asset: &AssetId,
        file: &File,
        pick: impl Fn(&File) -> Option<String>,
        request: &StorageRequest,
    ) -> Result<Response> {
        if let Some(address) = pick(file) {
            let url = signed_url(OPERATION, &address, &self.settings)?;
            let response = self.send_to_storage(&url, request).await?;
            if !is_refused(response.status) {
                return Ok(response);
            }
        }
        let fresh = self.file_with_addresses(asset, &file.id).await?;
        let address = pick(&fresh).ok_or_else(no_address)?;
        let url = signed_url(OPERATION, &address, &self.settings)?;
        self.send_to_storage(&url, request).await
    }

    /// A file with the addresses its bytes go to. Unasked, only the answer to its making has them.
    pub(super) async fn file_with_addresses(&self, asset: &AssetId, file: &FileId) -> Result<File> {
        let path = ["files", "v1", "assets", asset.as_str(), "files", file.as_str()];
        let call = Call::get("get file", &path).query("generate_signed_post_url", true);
        self.ask(&call.query("bypass_url_cache", true)).await
    }

    /// Whether the storage has the file whole, after an answer that was lost.
    pub(super) async fn has_arrived(&self, asset: &AssetId, file: &File, length: u64) -> Result<bool> {
        match self.stored_size(&Content::File(asset.clone(), file.id.clone())).await {
            Ok(size) => Ok(size == length),
            Err(error) if error.class() == FailureClass::Gone => Ok(false),
            Err(error) => Err(error),
        }
    }
}

pub(super) const BYTES: &str = "application/octet-stream";

/// A part of a source, which fails unless it is as long as it should be.
pub(super) fn part_of(source: &RangedSource, offset: u64, length: u64) -> Replayable {
    let source = source.clone();
    Replayable::new(length, move || {
        let range = source.range(offset, length);
        async move { Ok(exactly(length, range.open().await?)) }
    })
}

pub(super) fn gone() -> Error {
    failure(FailureClass::Transient, OPERATION, UPLOAD_GONE, "the storage does not know the upload any more")
}
