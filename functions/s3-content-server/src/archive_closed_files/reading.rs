//! One file of a bag, read to its end over as many invocations as it takes, with every checksum that is asked of it
//! afterwards.

use http_body_util::BodyExt;
use serde::{Deserialize, Serialize};
use shared::{
    error::{Error, Result},
    flow::Run,
    transfer::{Digests, Hasher, HasherState, RangedSource, S3Object},
};

use super::again;

/// So much is read at a time; then it is asked whether the invocation has to end.
const STRETCH: u64 = 32 << 20;
/// Under which name the reading of a long file is recorded: one after the other.
const LONG_READING: &str = "inspected";

/// A file that was read.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Read {
    /// Its path in the bag.
    pub(super) path: String,
    /// The version of the object.
    pub(super) version: Option<String>,
    pub(super) digests: Digests,
    /// The CRC-32 that ZIP files want.
    pub(super) crc32: u32,
}

#[derive(Serialize, Deserialize)]
struct Recorded {
    mark: String,
    hasher: HasherState,
    crc32: u64,
}

/// Reads an object; nothing when the invocation must end before its end.
pub(super) async fn read(
    object: &S3Object,
    path: &str,
    s3: &aws_sdk_s3::Client,
    run: &Run,
) -> Result<Option<Read>> {
    let source = RangedSource::from_object(object, s3);
    let earlier = run.recorded::<Option<Recorded>>(LONG_READING).flatten();
    let earlier = earlier.filter(|recorded| recorded.mark == source.mark());
    let (mut hasher, mut crc32) = match &earlier {
        Some(recorded) => (Hasher::resume(&recorded.hasher)?, resumed(recorded.crc32)),
        None => (Hasher::new(), crc_fast::Digest::new(crc_fast::CrcAlgorithm::Crc32IsoHdlc)),
    };
    while hasher.bytes() < object.size {
        if hasher.bytes() > 0 && run.must_stop() {
            let recorded =
                Recorded { mark: source.mark().to_owned(), hasher: hasher.state(), crc32: crc32.get_state() };
            run.checkpoint(LONG_READING, &Some(recorded)).await?;
            return Ok(None);
        }
        let stretch = STRETCH.min(object.size - hasher.bytes());
        let mut body = source.open(hasher.bytes(), stretch).await?;
        while let Some(frame) = body.frame().await {
            let frame = frame.map_err(|error| match error.downcast::<Error>() {
                Ok(error) => *error,
                Err(error) => {
                    again("archive.read-cut", "a file of the bag broke off while it was read").source(error)
                }
            })?;
            if let Ok(data) = frame.into_data() {
                hasher.update(&data);
                crc32.update(&data);
            }
        }
    }
    if earlier.is_some() {
        run.checkpoint(LONG_READING, &None::<Recorded>).await?;
    }
    Ok(Some(Read {
        path: path.to_owned(),
        version: object.version_id.clone(),
        digests: hasher.finish(),
        crc32: u32::try_from(crc32.finalize()).unwrap_or_default(),
    }))
}

fn resumed(state: u64) -> crc_fast::Digest {
    crc_fast::Digest::new_with_init_state(crc_fast::CrcAlgorithm::Crc32IsoHdlc, state)
}
