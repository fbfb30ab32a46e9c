//! An object that is written while it grows: small ones in one call, large ones in parts.

use aws_sdk_s3::types::{CompletedMultipartUpload, CompletedPart};

use crate::{
    aws::classify,
    error::{Error, Result, System},
    reconcile::part::Folder,
};

/// Bytes of one part; S3 wants at least 5 MiB of all but the last.
const PART: usize = 8 << 20;
const OPERATION: &str = "write the report";

pub(super) struct Object<'a> {
    folder: &'a Folder<'a>,
    key: String,
    content_type: &'static str,
    buffer: Vec<u8>,
    upload: Option<String>,
    parts: Vec<CompletedPart>,
}

impl<'a> Object<'a> {
    pub(super) fn new(folder: &'a Folder<'a>, name: &str, content_type: &'static str) -> Self {
        let key = format!("{}{name}", folder.prefix);
        Self { folder, key, content_type, buffer: Vec::new(), upload: None, parts: Vec::new() }
    }

    pub(super) async fn write(&mut self, bytes: &[u8]) -> Result<()> {
        self.buffer.extend_from_slice(bytes);
        if self.buffer.len() >= PART { self.send_part().await } else { Ok(()) }
    }

    /// Writes what is left and completes the object.
    pub(super) async fn finish(mut self) -> Result<()> {
        if self.upload.is_none() {
            let put = self.folder.s3.put_object().bucket(self.folder.bucket).key(&self.key);
            let put = put.content_type(self.content_type).body(std::mem::take(&mut self.buffer).into());
            return put.send().await.map(drop).map_err(|error| classify(System::S3, OPERATION, error));
        }
        let completed = self.complete().await;
        if completed.is_err() {
            self.abandon().await;
        }
        completed
    }

    /// Throws away what was written.
    pub(super) async fn abandon(&mut self) {
        let Some(upload) = self.upload.take() else { return };
        let abort = self.folder.s3.abort_multipart_upload().bucket(self.folder.bucket).key(&self.key);
        if let Err(error) = abort.upload_id(upload).send().await {
            let error = classify(System::S3, OPERATION, error);
            tracing::warn!(error = ?error, "an unfinished report is left to the bucket's life cycle");
        }
    }

    async fn complete(&mut self) -> Result<()> {
        if !self.buffer.is_empty() {
            self.send_part().await?;
        }
        let parts = CompletedMultipartUpload::builder().set_parts(Some(self.parts.clone())).build();
        let complete = self.folder.s3.complete_multipart_upload().bucket(self.folder.bucket).key(&self.key);
        let complete = complete.set_upload_id(self.upload.clone()).multipart_upload(parts);
        complete.send().await.map(drop).map_err(|error| classify(System::S3, OPERATION, error))
    }

    async fn send_part(&mut self) -> Result<()> {
        let s3 = self.folder.s3;
        if self.upload.is_none() {
            let create = s3.create_multipart_upload().bucket(self.folder.bucket).key(&self.key);
            let created = create.content_type(self.content_type).send().await;
            let created = created.map_err(|error| classify(System::S3, OPERATION, error))?;
            let id = created.upload_id;
            self.upload = Some(id.ok_or_else(|| Error::bug(OPERATION, "S3 began an upload without an id"))?);
        }
        let number = i32::try_from(self.parts.len() + 1).unwrap_or(i32::MAX);
        let part = s3.upload_part().bucket(self.folder.bucket).key(&self.key).part_number(number);
        let part = part.set_upload_id(self.upload.clone()).body(std::mem::take(&mut self.buffer).into());
        let sent = part.send().await.map_err(|error| classify(System::S3, OPERATION, error))?;
        let completed = CompletedPart::builder().part_number(number).set_e_tag(sent.e_tag);
        // Given back when it was asked for; must be named again then.
        let completed = completed.set_checksum_crc64_nvme(sent.checksum_crc64_nvme);
        self.parts.push(completed.set_checksum_crc32(sent.checksum_crc32).build());
        Ok(())
    }
}
