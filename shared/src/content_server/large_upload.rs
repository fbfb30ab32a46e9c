//! Large File Upload: a file in parts, each of which can be sent again, before a node is made from it.
//!
//! The server tells neither which parts it has nor how long it keeps them. What makes an interrupted upload go on is
//! that it refuses a part it already has, in so many words.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{
    Client,
    call::{Call, segment},
    documents::Upload,
    error::{Effect, MODULE_MISSING, PART_KNOWN, UPLOAD_CLOSED, unexpected},
    node::NodeId,
    wire,
};
use crate::{
    error::{FailureClass, Result},
    http::{FormData, RangedSource, Replayable},
};

/// What the server says about Large File Upload.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LargeUploadOffer {
    /// Smallest file in bytes.
    pub min_size: u64,
    /// Largest file in bytes.
    pub max_size: u64,
}

/// An upload that has been started. Keep it to go on in another process.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LargeUpload {
    key: String,
    length: u64,
    part_size: u64,
    parts: u64,
}

impl LargeUpload {
    pub(super) fn key(&self) -> &str {
        &self.key
    }

    /// How many parts there are; they are numbered from 1.
    pub fn parts(&self) -> u64 {
        self.parts
    }

    /// Offset and length of a part.
    pub fn range(&self, part: u64) -> (u64, u64) {
        let offset = part.saturating_sub(1).saturating_mul(self.part_size).min(self.length);
        (offset, self.part_size.min(self.length - offset))
    }
}

impl Client {
    /// What the server offers; nothing when the feature is off or the release does not have it.
    ///
    /// # Errors
    /// As any call.
    pub async fn large_upload_offer(&self) -> Result<Option<LargeUploadOffer>> {
        let answer = match self.json(&Call::get("read the upload settings", "/v2/multipart/settings")).await {
            Ok(answer) => answer,
            Err(error) if error.code() == MODULE_MISSING => return Ok(None),
            Err(error) => return Err(error),
        };
        let number =
            |key| find(&answer, key).and_then(wire::as_integer).and_then(|size| u64::try_from(size).ok());
        Ok(find(&answer, "is_enabled").and_then(wire::as_truth).unwrap_or(false).then(|| LargeUploadOffer {
            min_size: number("min_size").unwrap_or(0),
            max_size: number("max_size").unwrap_or(u64::MAX),
        }))
    }

    /// Starts an upload.
    ///
    /// # Errors
    /// `content-server.upload-size` when the file is outside the server's bounds.
    pub async fn start_large_upload(
        &self,
        file_name: &str,
        content_type: &str,
        length: u64,
    ) -> Result<LargeUpload> {
        const OPERATION: &str = "start a large upload";
        // A started upload that nobody goes on with is forgotten by the server, so a second start does no harm.
        let call = Call::post(OPERATION, "/v2/multipart")
            .repeatable()
            .field("file_name", file_name)
            .field("file_size", length)
            .field("mime_type", content_type);
        let answer = self.json(&call).await?;
        let number =
            |key| find(&answer, key).and_then(wire::as_integer).and_then(|size| u64::try_from(size).ok());
        let key = find(&answer, "upload_key").and_then(wire::as_text);
        match (key, number("part_size"), number("num_parts")) {
            (Some(key), Some(part_size), Some(parts))
                if part_size > 0 && parts == length.div_ceil(part_size).max(1) =>
            {
                Ok(LargeUpload { key, length, part_size, parts })
            }
            _ => Err(unexpected(OPERATION, Effect::Repeatable, "no key, or parts that do not add up")),
        }
    }

    /// Sends one part, numbered from 1. A part the server already has counts as sent.
    ///
    /// # Errors
    /// [`super::UPLOAD_GONE`] when the upload has to begin again.
    pub async fn upload_part(&self, upload: &LargeUpload, part: u64, content: Replayable) -> Result<()> {
        let within = self.settings.upload_time(content.length());
        let form = FormData::new(&self.http.context().new_id()).file(
            &self.settings.large_upload.part_field,
            &format!("part-{part}"),
            "application/octet-stream",
            content,
        );
        let path = format!("/v2/multipart/{}/{part}", segment(&upload.key));
        let call = Call::post("upload a part", path).repeatable().multipart(form).within(within);
        match self.tell(&call).await {
            Err(error) if error.code() == PART_KNOWN => Ok(()),
            outcome => outcome,
        }
    }

    /// Says that all parts have been sent. With node fields, for servers that make the node here, gives its id.
    pub(super) async fn close_large_upload(
        &self,
        upload: &LargeUpload,
        fields: Option<&Value>,
    ) -> Result<Option<NodeId>> {
        let call = Call::post("close a large upload", format!("/v2/multipart/{}", segment(&upload.key)))
            .within(self.settings.slow());
        if let Some(fields) = fields {
            let answer = self.json(&call.body(fields)).await?;
            return Ok(find(&answer, "id").and_then(wire::as_integer).map(NodeId));
        }
        // Closing twice is refused in so many words: that is as good as closed.
        match self.tell(&call.repeatable()).await {
            Err(error) if error.code() == UPLOAD_CLOSED => Ok(None),
            outcome => outcome.map(|()| None),
        }
    }

    /// Throws an upload away. That it fails is of no consequence: the server forgets it in time.
    pub async fn cancel_large_upload(&self, upload: &LargeUpload) {
        let path = format!("/v2/multipart/{}", segment(&upload.key));
        if let Err(error) = self.tell(&Call::delete("cancel a large upload", path).sparing()).await {
            tracing::debug!(code = error.code(), "a large upload could not be cancelled");
        }
    }

    /// Whether a file of this length is to go up in parts: it is long enough, and the server takes it so.
    ///
    /// # Errors
    /// As any call; the server is asked once.
    pub async fn takes_in_parts(&self, length: u64) -> Result<bool> {
        let settings = &self.settings.large_upload;
        if !settings.enabled || length < settings.from_size {
            return Ok(false);
        }
        let offer = *self.large_uploads.get_or_try_init(|| self.large_upload_offer()).await?;
        Ok(offer.is_some_and(|offer| (offer.min_size..=offer.max_size).contains(&length)))
    }

    /// The source of parts, when the file is to go up in parts.
    pub(super) async fn offered_parts<'a>(&self, upload: &'a Upload) -> Result<Option<&'a RangedSource>> {
        let Some(source) = upload.ranges.as_ref() else { return Ok(None) };
        Ok(self.takes_in_parts(upload.content.length()).await?.then_some(source))
    }

    /// All parts, one after the other; what has been sent is thrown away when one of them cannot be.
    pub(super) async fn upload_in_parts(
        &self,
        upload: &Upload,
        source: &RangedSource,
    ) -> Result<LargeUpload> {
        let length = source.length();
        let large = self.start_large_upload(&upload.file_name, &upload.content_type, length).await?;
        for part in 1..=large.parts() {
            let (offset, length) = large.range(part);
            if let Err(error) = self.upload_part(&large, part, source.range(offset, length)).await {
                if error.class() != FailureClass::Auth {
                    self.cancel_large_upload(&large).await;
                }
                return Err(error);
            }
        }
        Ok(large)
    }
}

/// A key anywhere in an answer: releases differ in how deep they put it.
fn find<'a>(answer: &'a Value, key: &str) -> Option<&'a Value> {
    match answer {
        Value::Object(object) => {
            object.get(key).or_else(|| object.values().find_map(|inner| find(inner, key)))
        }
        Value::Array(list) => list.iter().find_map(|inner| find(inner, key)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_parts_of_a_file_add_up_to_it() {
        let upload = LargeUpload { key: "k".to_owned(), length: 250, part_size: 100, parts: 3 };
        let ranges: Vec<_> = (1..=3).map(|part| upload.range(part)).collect();
        assert_eq!(ranges, [(0, 100), (100, 100), (200, 50)]);
    }
}
