//! An object of S3 as a content on its way into Content Server.

use shared::{
    content_server::{LargeUpload, NodeId, Upload},
    error::{Error, Result},
    filing::{self, Content, Placed},
    transfer::{Digests, RangedSource, S3Object, Witness},
};

use super::{file_name, media_type};

/// One content between S3 and Content Server, in one delivery of its item.
#[derive(Clone, Copy)]
pub(crate) struct Passage<'a> {
    pub(crate) target: filing::Passage<'a>,
    pub(crate) s3: &'a aws_sdk_s3::Client,
}

/// An object as a content.
pub(crate) fn content(s3: &aws_sdk_s3::Client, object: &S3Object, witness: &Witness) -> Content {
    Content {
        whole: object.replayable(s3, witness),
        witness: witness.clone(),
        source: RangedSource::from_object(object, s3),
        file_name: file_name(object),
        content_type: media_type(object),
        crc64_nvme: object.checksum_crc64_nvme.clone(),
        sha256: object.checksum_sha256.clone(),
        modified: object.last_modified,
    }
}

impl Passage<'_> {
    /// The upload of a large object with all its parts; nothing when the object goes up in one call.
    pub(crate) async fn sent_in_parts(
        &self,
        object: &S3Object,
        upload: &Upload,
    ) -> Result<Option<LargeUpload>> {
        let content = Content {
            file_name: upload.file_name.clone(),
            content_type: upload.content_type.clone(),
            ..content(self.s3, object, &Witness::new())
        };
        self.target.sent_in_parts(&content, None).await
    }

    /// As [`filing::Passage::after_refusal`].
    pub(crate) async fn after_refusal(&self, refusal: Error) -> Error {
        self.target.after_refusal(refusal).await
    }

    /// As [`filing::Passage::source_digests`].
    pub(crate) async fn object_digests(&self, object: &S3Object, witness: &Witness) -> Result<Digests> {
        self.target.source_digests(&content(self.s3, object, witness)).await
    }

    /// As [`filing::Passage::version_digests`].
    pub(crate) async fn version_digests(&self, node: NodeId, version: i64, size: u64) -> Result<Digests> {
        self.target.version_digests(node, version, size).await
    }

    /// As [`filing::Passage::reject`].
    pub(crate) async fn reject(&self, placed: Placed, source: &Digests, held: &str) -> Result<Error> {
        self.target.reject(placed, source, held).await
    }
}
