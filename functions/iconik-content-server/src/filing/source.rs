//! The bytes of a medium as a content on its way into Content Server. Addresses are fetched just before they are used, and
//! anew when they have ended; a transfer goes on where it was.
//!
//! iconik states no checksum that one could rely on. So a content is read twice: what the second reading sends has to have
//! the SHA-256 of the first, or no document is made of it.

use shared::{
    error::{Error, Result},
    filing::{Content, parts},
    flow::Run,
    http::Replayable,
    iconik::Client,
    transfer::{RangedSource, Ranges, Witness, hash_resumable},
};

use super::{Media, Reading};

/// Two readings do not agree.
pub(super) const CORRUPT: &str = "source.corrupt";
/// The checkpoint of the first reading.
const FIRST_READING: &str = "first-reading";

/// A medium as a content. Its storage is asked how many bytes it has, which shows that it can be read at all.
///
/// # Errors
/// `iconik.no-signed-url`, `iconik.content-missing`; `file.size-differs` when iconik says another size than the storage;
/// `file.empty`. [`parts::PAUSED`] when the first reading goes on in the next invocation.
pub async fn content(client: &Client, media: &Media, reading: Reading, run: &Run) -> Result<Content> {
    let length = length(client, media).await?;
    let source = ranges(client, media, length);
    let sha256 = match reading {
        Reading::Once => None,
        Reading::Twice => {
            let first = hash_resumable(&source, Ranges::FromAnywhere, run, FIRST_READING).await?;
            Some(parts::done(first)?.sha256)
        }
    };
    let witness = Witness::new();
    let watching = sha256.as_deref().map_or_else(|| witness.clone(), |known| witness.expecting(known));
    let (client, from) = (client.clone(), media.content.clone());
    let whole = Replayable::new(length, move || {
        let (client, from, watching) = (client.clone(), from.clone(), watching.clone());
        async move { Ok(watching.watch(client.download(&from).await?.body)) }
    });
    Ok(Content {
        whole,
        witness,
        source,
        file_name: media.name.clone(),
        content_type: media.media_type(),
        crc64_nvme: None,
        sha256,
        modified: media.modified,
    })
}

/// Forgets the first reading, which the second did not agree with.
///
/// # Errors
/// When the item is not ours any more, or the ledger cannot be reached.
pub async fn forget(run: &Run) -> Result<()> {
    run.checkpoint(FIRST_READING, &()).await
}

async fn length(client: &Client, media: &Media) -> Result<u64> {
    let length = client.stored_size(&media.content).await?;
    if length == 0 {
        return Err(Error::invalid("file.empty", "the storage has no bytes of the file")
            .field(media.name.clone())
            .remedy("bring the file into iconik again"));
    }
    match media.size.filter(|size| *size != length) {
        None => Ok(length),
        Some(size) => {
            let message = format!("iconik says {size} bytes, the storage has {length}");
            Err(Error::invalid("file.size-differs", message)
                .field(media.name.clone())
                .remedy("let iconik scan the storage again, or bring the file in again"))
        }
    }
}

fn ranges(client: &Client, media: &Media, length: u64) -> RangedSource {
    let (client, from) = (client.clone(), media.content.clone());
    RangedSource::new(&media.content_mark(length), length, move |offset, wanted| {
        let (client, from) = (client.clone(), from.clone());
        async move { Ok(client.download_range(&from, offset..offset + wanted).await?.body) }
    })
}
