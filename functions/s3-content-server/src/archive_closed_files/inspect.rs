//! Validates a bag by reading it back from S3.

use std::collections::BTreeMap;

use shared::{
    bagit::{Algorithm, Bag, Found, Problem, TAG_MANIFEST, tag_files},
    error::{Error, FailureClass, Result},
    flow::Run,
    transfer::{Digests, S3Object},
};

use super::{
    ArchiveClosedFiles, again,
    progress::Progress,
    reading::{Read, read},
};

/// Files read until progress is recorded.
const SAVE_EVERY: usize = 500;
/// What has at most so many bytes is looked at and read in one call.
const SMALL: u64 = 1 << 20;
/// Bags of one item that may turn out invalid, until the item is put aside.
const REJECTIONS_ALLOWED: u32 = 3;

/// What was found of a bag.
pub(super) enum Inspected {
    /// It is valid.
    Valid,
    /// The invocation must end before it is known.
    Paused,
    /// It is not, and this is wrong.
    Wrong(Vec<Problem>),
}

impl ArchiveClosedFiles {
    /// Reads a bag and judges it, going on where an earlier invocation was. `sealed` is what its manifest of tag files
    /// must be.
    pub(super) async fn inspect(
        &self,
        bucket: &str,
        prefix: &str,
        sealed: &str,
        (progress, reads): (&mut Progress, &mut Vec<Read>),
        run: &Run,
    ) -> Result<Inspected> {
        let files = self.list(bucket, prefix).await?;
        let files: BTreeMap<String, u64> =
            files.into_iter().map(|(path, listed)| (path, listed.size)).collect();
        let mut tags = BTreeMap::new();
        for name in tag_files(files.keys().map(String::as_str)) {
            if let Some(bytes) = self.get(bucket, &format!("{prefix}{name}")).await? {
                tags.insert(name.to_owned(), bytes);
            }
        }
        let bag = match Bag::open(&files, &tags) {
            Ok(bag) => bag,
            Err(problems) => return Ok(Inspected::Wrong(problems)),
        };
        let manifest = tags.get(TAG_MANIFEST).map(|bytes| Digests::of(bytes).sha256);
        if manifest.as_deref() != Some(sealed) {
            return Ok(Inspected::Wrong(vec![Problem {
                code: "bag.checksum",
                path: TAG_MANIFEST.to_owned(),
                message: "it is not the one that was written".to_owned(),
            }]));
        }
        for (path, _) in bag.files().skip(progress.inspected) {
            if run.must_stop() {
                progress.save(run).await?;
                return Ok(Inspected::Paused);
            }
            let Some(mut back) = self.read_back(bucket, prefix, path, run).await? else {
                progress.save(run).await?;
                return Ok(Inspected::Paused);
            };
            // A single reading may have been damaged on its way.
            if bag.check(path, &found(&back)).is_some() {
                match self.read_back(bucket, prefix, path, run).await? {
                    Some(again) => back = again,
                    None => return Ok(Inspected::Paused),
                }
            }
            if let Some(problem) = bag.check(path, &found(&back)) {
                return Ok(Inspected::Wrong(vec![problem]));
            }
            reads.push(back);
            progress.inspected += 1;
            if progress.inspected.is_multiple_of(SAVE_EVERY) {
                progress.save(run).await?;
            }
        }
        Ok(Inspected::Valid)
    }

    /// What a file holds; nothing when the invocation must end before it is read.
    pub(super) async fn read_back(
        &self,
        bucket: &str,
        prefix: &str,
        path: &str,
        run: &Run,
    ) -> Result<Option<Read>> {
        let key = format!("{prefix}{path}");
        let small = S3Object::head_and_content(&self.s3, bucket, &key, None, None, SMALL);
        let object = match small.await {
            Ok(object) => object,
            Err(error) if error.class() == FailureClass::Gone => return Err(staging_gone()),
            Err(error) => return Err(error),
        };
        read(&object, path, &self.s3, run).await
    }

    /// A bag that is not valid is built anew, a few times; then it is put aside with what is wrong.
    pub(super) async fn rejected(
        &self,
        problems: &[Problem],
        progress: &mut Progress,
        run: &Run,
    ) -> Result<Error> {
        progress.rejected += 1;
        let first = problems.first().map(ToString::to_string).unwrap_or_default();
        let message = format!(
            "the bag read back from S3 is not valid, {} problems, the first: {first}",
            problems.len()
        );
        let error = again("archive.bag-invalid", message)
            .remedy("look for what changes objects under work/ in the bucket, then send the message again");
        let last = progress.rejected >= REJECTIONS_ALLOWED;
        progress.begin_anew(run).await?;
        Ok(if last { error.with_class(FailureClass::Invalid) } else { error })
    }
}

fn found(read: &Read) -> Found {
    Found { checksums: [(Algorithm::Sha256, read.digests.sha256.clone())].into(), bytes: read.digests.bytes }
}

/// What lies in the working place went, by the bucket's life cycle say.
pub(super) fn staging_gone() -> Error {
    again(
        "archive.work-gone",
        "files of the bag that was being built are not there any more: it is built anew",
    )
}
