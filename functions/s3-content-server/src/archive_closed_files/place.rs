//! Copies a valid bag into its place: inside S3, into the class of the archive, locked from its first moment on.

use shared::{
    error::{Error, FailureClass, Result},
    flow::Run,
    transfer::{self, CopySizes, CopyTarget, ObjectLock, S3Object, copy_resumable},
};

use super::{
    ArchiveClosedFiles, again,
    case::Case,
    inspect::staging_gone,
    progress::{Locked, Progress},
    retention,
};
use shared::bagit::BAGIT_TXT;

/// Files until progress is recorded.
const SAVE_EVERY: usize = 100;
/// Under which name the copying of a long file is recorded: one after the other.
const LONG_COPY: &str = "placed";

impl ArchiveClosedFiles {
    /// Copies what is not in its place yet. False when the invocation must end before.
    pub(super) async fn place(
        &self,
        case: &Case<'_>,
        from: &str,
        to: &str,
        locked: Locked,
        progress: &mut Progress,
        run: &Run,
    ) -> Result<bool> {
        let bucket = self.bucket(case.rule);
        let mut files: Vec<String> = self.list(bucket, from).await?.into_keys().collect();
        // Last of all: without it, what is there is no bag.
        files.sort_by_key(|path| path == BAGIT_TXT);
        for path in files.iter().skip(progress.placed) {
            if run.must_stop() {
                progress.save(run).await?;
                return Ok(false);
            }
            let target = CopyTarget {
                storage_class: case.rule.storage_class.clone().filter(|_| path.starts_with("data/")),
                lock: lock_of(case, locked, run),
                only_if_absent: true,
                ..CopyTarget::new(bucket, format!("{to}{path}"))
            };
            if !self.place_file(bucket, &format!("{from}{path}"), target, run).await? {
                progress.save(run).await?;
                return Ok(false);
            }
            progress.placed += 1;
            if progress.placed.is_multiple_of(SAVE_EVERY) {
                progress.save(run).await?;
            }
        }
        progress.save(run).await?;
        Ok(true)
    }

    async fn place_file(&self, bucket: &str, key: &str, mut target: CopyTarget, run: &Run) -> Result<bool> {
        let from = S3Object::head(&self.s3, bucket, key, None, None).await.map_err(kept)?;
        let sizes = CopySizes::default();
        let copied = match copy_resumable(&self.s3, &from, &target, sizes, run, LONG_COPY).await {
            // An earlier attempt at this very state left another file of this name: about the case, say, as it was then.
            Err(error) if error.code() == "target.exists" => {
                target.only_if_absent = false;
                copy_resumable(&self.s3, &from, &target, sizes, run, LONG_COPY).await
            }
            outcome => outcome,
        };
        let transfer::Progress::Done(copied) = copied.map_err(kept)? else { return Ok(false) };
        let there = S3Object::head(&self.s3, bucket, &target.key, copied.version_id.as_deref(), None)
            .await
            .map_err(kept)?;
        let equal = |one: &Option<String>, other: &Option<String>| one.is_some() && one == other;
        let same = equal(&from.checksum_sha256, &there.checksum_sha256)
            || equal(&from.checksum_crc64_nvme, &there.checksum_crc64_nvme);
        if from.size == there.size && same {
            return Ok(true);
        }
        Err(again("archive.place-differs", "an object of the bag is not what it was copied from"))
    }
}

/// How new objects of a bag are locked.
fn lock_of(case: &Case<'_>, locked: Locked, run: &Run) -> ObjectLock {
    let now = run.context().now().as_second();
    // S3 refuses what has ended, by its own clock.
    let until = locked.until.filter(|until| until.as_second() > now + 300);
    let retention = case.rule.retention.as_ref().zip(until);
    ObjectLock {
        retention: retention.map(|(rule, until)| (retention::mode(rule), until)),
        legal_hold: locked.held,
    }
}

/// That a file of ours went is no reason to think that the case did.
fn kept(error: Error) -> Error {
    if error.class() == FailureClass::Gone { staging_gone().source(error) } else { error }
}
