//! A retrieved bag as one ZIP file (RFC 8493 calls it a serialised bag), made from S3 into S3 without ever being whole
//! anywhere in between.
//!
//! Every file was read when the bag was validated. From the checksums of that reading follows the CRC64-NVME of the whole
//! ZIP before a byte of it is sent: what S3 took is compared with it, so nothing has to be read a third time.

use shared::{
    content_server::NodeId,
    error::{FailureClass, Result},
    flow::Run,
    links::Target,
    transfer::{self, RangedSource, S3Object, UploadSizes, UploadTarget, upload},
};

use super::{ArchiveClosedFiles, again, category::Archived, layout::retrieved_key, reading::Read};
use crate::zip::{self, Entry};

/// Under which name its upload is recorded.
const UPLOAD: &str = "zip";
/// How long such a file is used again, in seconds: the bucket's life cycle takes it away after some weeks.
const FRESH: i64 = 12 * 3600;

impl ArchiveClosedFiles {
    /// Sees to it that the ZIP of a bag is there; gives what a link to it leads to. Nothing when the invocation must end
    /// before.
    pub(super) async fn zipped(
        &self,
        case: NodeId,
        archived: &Archived,
        reads: &[Read],
        run: &Run,
    ) -> Result<Option<Target>> {
        let (bucket, prefix) = archived.place()?;
        let name = format!("{case} {}", archived.revision);
        let entries: Vec<Entry> = reads
            .iter()
            .map(|read| Entry {
                name: format!("{name}/{}", read.path),
                crc32: read.crc32,
                content: self.content_of(bucket, prefix, read),
            })
            .collect();
        let crcs: Vec<&str> = reads.iter().map(|read| read.digests.crc64_nvme.as_str()).collect();
        let expected = zip::crc64_nvme(&entries, &crcs)?;
        let key = retrieved_key(case.0, &archived.revision);
        let target = |version: Option<String>| Target {
            bucket: bucket.to_owned(),
            key: key.clone(),
            version,
            file_name: format!("{name}.zip"),
            content_type: "application/zip".to_owned(),
            sha256: None,
        };
        if let Some(there) = self.fresh(bucket, &key, &expected, run).await? {
            return Ok(Some(target(there.version_id)));
        }
        let source = zip::zip(&entries, &expected)?;
        let to = UploadTarget {
            content_type: Some("application/zip".to_owned()),
            ..UploadTarget::new(bucket, &key)
        };
        let uploaded = upload(&self.s3, &source, &to, UploadSizes::default(), run, UPLOAD).await?;
        let transfer::Progress::Done(uploaded) = uploaded else { return Ok(None) };
        if uploaded.digests.crc64_nvme != expected {
            return Err(again("retrieve.zip-differs", "the ZIP that was sent is not that of the valid bag"));
        }
        Ok(Some(target(uploaded.version_id)))
    }

    /// A file of a bag, opened when it is its turn.
    fn content_of(&self, bucket: &str, prefix: &str, read: &Read) -> RangedSource {
        let (s3, bucket, key) = (self.s3.clone(), bucket.to_owned(), format!("{prefix}{}", read.path));
        let version = read.version.clone();
        RangedSource::new(&read.digests.sha256, read.digests.bytes, move |offset, length| {
            let (s3, bucket, key, version) = (s3.clone(), bucket.clone(), key.clone(), version.clone());
            async move {
                let object = S3Object::head(&s3, &bucket, &key, version.as_deref(), None).await?;
                object.open(&s3, Some(offset..offset + length)).await
            }
        })
    }

    /// The ZIP that an earlier request made, while it lies there for long enough still.
    async fn fresh(&self, bucket: &str, key: &str, crc64: &str, run: &Run) -> Result<Option<S3Object>> {
        let object = match S3Object::head(&self.s3, bucket, key, None, None).await {
            Ok(object) => object,
            Err(error) if error.class() == FailureClass::Gone => return Ok(None),
            Err(error) => return Err(error),
        };
        let since = run.context().now().as_second() - FRESH;
        let is_fresh = object.last_modified.is_some_and(|at| at.as_second() > since);
        let same = object.checksum_crc64_nvme.as_deref() == Some(crc64);
        Ok(Some(object).filter(|_| is_fresh && same))
    }
}
