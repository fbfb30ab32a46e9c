//! A large content on its way into Content Server: part by part, over as many invocations as it takes.
//!
//! The server keeps the parts and refuses one it has already; it tells neither which it has nor how long it keeps them.
//! What is recorded beside the item is therefore the upload's key, how many parts are known to be there, and the state
//! of the hash behind them. Parts go one after the other, because SHA-256 must see the bytes in order.

use serde::{Deserialize, Serialize};

use super::{Content, Told};
use crate::{
    content_server::{Client, LargeUpload, REFUSED_BY_SERVER, UPLOAD_CLOSED, UPLOAD_GONE},
    error::{Error, FailureClass, Result, System},
    flow::Run,
    http::Replayable,
    transfer::{Digests, Hasher, HasherState, Progress, RangedSource, Witness, hash_body_on, until_stop_if},
};

/// The code of a pause: it travels as an error, so that it leaves every step it happens in, and every lock, on the ordinary
/// way out; only then it becomes [`crate::flow::Outcome::Continue`].
pub const PAUSED: &str = "transfer.paused";
/// The checkpoint.
const RECORD: &str = "large-upload";
/// How many bytes may pass until progress is recorded, and how many milliseconds.
const RECORD_EVERY: u64 = 64 << 20;
const RECORD_AFTER: i64 = 15_000;
/// How often an upload of one item may be begun anew.
const RESTARTS_ALLOWED: u32 = 5;

#[derive(Debug, Clone, Serialize, Deserialize)]
struct Recorded {
    /// Which content it is of.
    source: String,
    /// Nothing when it has become a document, or has to begin anew.
    upload: Option<LargeUpload>,
    /// Parts that are there and hashed, from the first.
    done: u64,
    /// The state of the hash behind them.
    hasher: HasherState,
    /// How often it was begun anew.
    restarts: u32,
}

impl Recorded {
    fn read(run: &Run) -> Option<Self> {
        run.recorded(RECORD)
    }

    async fn write(&self, run: &Run) -> Result<()> {
        run.checkpoint(RECORD, self).await
    }
}

/// To go on in the next invocation.
pub fn paused() -> Error {
    let message = "the transfer goes on in the next invocation";
    Error::new(FailureClass::Transient, System::Waybill, "transfer", PAUSED, message)
}

/// What is done; a pause where it is not.
///
/// # Errors
/// [`PAUSED`].
pub fn done<T>(progress: Progress<T>) -> Result<T> {
    match progress {
        Progress::Done(done) => Ok(done),
        Progress::Paused => Err(paused()),
    }
}

/// Sends all parts of a content. Called again by a later attempt, it goes on where the last one was.
///
/// `told` is given the number of bytes that are there, whenever they are recorded.
///
/// # Errors
/// What source and server say. What was sent stays, for the next attempt.
pub async fn send(
    client: &Client,
    content: &Content,
    run: &Run,
    told: Option<Told<'_>>,
) -> Result<Progress<LargeUpload>> {
    let mut work = match Work::resume(client, content, run).await? {
        Some(work) => work,
        None => Work::begin(client, content, run).await?,
    };
    while work.recorded.done < work.upload.parts() {
        if work.sent > 0 && run.must_stop() {
            work.record().await?;
            return Ok(Progress::Paused);
        }
        let any = work.sent > 0;
        let Some(outcome) = until_stop_if(run, || any, work.send_next(client, content)).await else {
            work.record().await?;
            return Ok(Progress::Paused);
        };
        match outcome {
            Ok(hasher) => {
                let recorded = work.advance(hasher).await?;
                if let Some(told) = told.filter(|_| recorded) {
                    told(work.hasher.bytes()).await?;
                }
            }
            Err(error) if is_forgotten(&work.recorded, work.resumed, &error) => {
                begin_anew(client, run, error).await?;
                return Ok(Progress::Paused);
            }
            Err(error) => {
                // What is there is worth keeping, but the reason of the failure is what counts.
                let _ = work.record().await;
                return Err(error);
            }
        }
    }
    let digests = work.hasher.finish();
    let differs = |known: &Option<String>, found: &str| known.as_ref().is_some_and(|known| known != found);
    if differs(&content.crc64_nvme, &digests.crc64_nvme) || differs(&content.sha256, &digests.sha256) {
        abandon(client, run).await;
        forget(run).await?;
        return Err(Error::new(
            FailureClass::Transient,
            System::S3,
            "read source",
            "source.corrupt",
            "the bytes that came do not have the checksum their source states",
        ));
    }
    Ok(Progress::Done(work.upload))
}

/// The digests of a content all of whose parts were sent, by this attempt or an earlier one.
pub fn digests(run: &Run, source: &RangedSource) -> Option<Digests> {
    let recorded = Recorded::read(run)?;
    let hasher = Hasher::resume(&recorded.hasher).ok()?;
    (recorded.source == source.mark() && hasher.bytes() == source.length()).then(|| hasher.finish())
}

/// How many bytes of a content with this mark are known to be there, by this attempt or an earlier one.
pub fn sent(run: &Run, mark: &str) -> u64 {
    let recorded = Recorded::read(run).filter(|recorded| recorded.source == mark);
    recorded.and_then(|recorded| Hasher::resume(&recorded.hasher).ok()).map_or(0, |hasher| hasher.bytes())
}

/// The upload has become a document or a version: there is nothing left to throw away.
///
/// # Errors
/// When the item is not ours any more, or the ledger cannot be reached.
pub async fn spent(run: &Run) -> Result<()> {
    match Recorded::read(run) {
        Some(recorded) if recorded.upload.is_some() => Recorded { upload: None, ..recorded }.write(run).await,
        _ => Ok(()),
    }
}

/// What to do when the server refuses to make something of an upload all of whose parts were sent: the upload begins
/// anew when the refusal says, or may say, that the server has forgotten it.
///
/// # Errors
/// The refusal, when it has another reason.
pub async fn after_refusal(client: &Client, run: &Run, refusal: Error) -> Result<()> {
    match Recorded::read(run) {
        Some(recorded) if is_forgotten(&recorded, run.is_taken_over(), &refusal) => {
            begin_anew(client, run, refusal).await
        }
        _ => Err(refusal),
    }
}

/// Throws the upload away, if there is one.
pub async fn abandon(client: &Client, run: &Run) {
    if let Some(upload) = Recorded::read(run).and_then(|recorded| recorded.upload) {
        client.cancel_large_upload(&upload).await;
    }
}

/// Forgets what was recorded, so that the content is sent and hashed anew.
///
/// # Errors
/// When the item is not ours any more, or the ledger cannot be reached.
pub async fn forget(run: &Run) -> Result<()> {
    match Recorded::read(run) {
        Some(_) => run.checkpoint(RECORD, &()).await,
        None => Ok(()),
    }
}

/// Whether a refusal says that the server does not know the upload any more. In words we cannot read it may: one
/// upload of an earlier attempt is given that benefit of doubt, once.
fn is_forgotten(recorded: &Recorded, resumed: bool, refusal: &Error) -> bool {
    matches!(refusal.code(), UPLOAD_GONE | UPLOAD_CLOSED)
        || (refusal.code() == REFUSED_BY_SERVER && resumed && recorded.restarts == 0)
}

async fn begin_anew(client: &Client, run: &Run, cause: Error) -> Result<()> {
    let Some(recorded) = Recorded::read(run) else { return Err(cause) };
    if recorded.restarts >= RESTARTS_ALLOWED {
        return Err(Error::new(
            FailureClass::Invalid,
            System::Waybill,
            "upload in parts",
            "large-upload.forgotten",
            format!("the server forgot the upload {} times before it was complete", recorded.restarts + 1),
        )
        .remedy("let Content Server keep unfinished uploads longer, or raise the function's time-out")
        .source(cause));
    }
    tracing::warn!(error = ?cause, "the upload in parts begins anew");
    abandon(client, run).await;
    let fresh = Hasher::new().state();
    let restarts = recorded.restarts + 1;
    Recorded { upload: None, done: 0, hasher: fresh, restarts, ..recorded }.write(run).await
}

/// An upload under way in this invocation.
struct Work<'run> {
    run: &'run Run,
    upload: LargeUpload,
    recorded: Recorded,
    hasher: Hasher,
    /// Whether an earlier attempt began it.
    resumed: bool,
    /// Parts sent in this invocation.
    sent: u64,
    unrecorded: u64,
    recorded_at: i64,
}

impl<'run> Work<'run> {
    async fn resume(client: &Client, content: &Content, run: &'run Run) -> Result<Option<Self>> {
        let Some(recorded) = Recorded::read(run) else { return Ok(None) };
        let Some(upload) = recorded.upload.clone() else { return Ok(None) };
        let hasher = Hasher::resume(&recorded.hasher).ok().filter(|hasher| {
            let (next, _) = upload.range(recorded.done + 1);
            recorded.source == content.source.mark() && hasher.bytes() == next
        });
        let Some(hasher) = hasher else {
            client.cancel_large_upload(&upload).await;
            return Ok(None);
        };
        Ok(Some(Self::new(run, upload, recorded, hasher, true)))
    }

    async fn begin(client: &Client, content: &Content, run: &'run Run) -> Result<Self> {
        // Another content of the same item may have been sent before.
        let earlier = Recorded::read(run).filter(|recorded| recorded.source == content.source.mark());
        let restarts = earlier.map_or(0, |recorded| recorded.restarts);
        let length = content.source.length();
        let upload = client.start_large_upload(&content.file_name, &content.content_type, length).await?;
        let hasher = Hasher::new();
        let recorded = Recorded {
            source: content.source.mark().to_owned(),
            upload: Some(upload.clone()),
            done: 0,
            hasher: hasher.state(),
            restarts,
        };
        if let Err(error) = recorded.write(run).await {
            // Nobody else knows of it.
            client.cancel_large_upload(&upload).await;
            return Err(error);
        }
        Ok(Self::new(run, upload, recorded, hasher, false))
    }

    fn new(run: &'run Run, upload: LargeUpload, recorded: Recorded, hasher: Hasher, resumed: bool) -> Self {
        let recorded_at = run.context().now_milliseconds();
        Self { run, upload, recorded, hasher, resumed, sent: 0, unrecorded: 0, recorded_at }
    }

    /// Sends the next part and gives the hasher behind it.
    async fn send_next(&self, client: &Client, content: &Content) -> Result<Hasher> {
        let part = self.recorded.done + 1;
        let (offset, length) = self.upload.range(part);
        let witness = Witness::new();
        let bytes = {
            let (source, witness, hasher) = (content.source.clone(), witness.clone(), self.hasher.clone());
            Replayable::new(length, move || {
                let (source, witness, hasher) = (source.clone(), witness.clone(), hasher.clone());
                async move { Ok(witness.watch_on(source.open(offset, length).await?, hasher)) }
            })
        };
        let sent = client.upload_part(&self.upload, part, bytes).await;
        sent.map_err(|error| witness.failure().unwrap_or(error))?;
        match witness.hasher() {
            Some(hasher) if hasher.bytes() == offset + length => Ok(hasher),
            // The server knew the part and did not wait for it.
            _ => hash_body_on(self.hasher.clone(), content.source.open(offset, length).await?).await,
        }
    }

    /// Says whether it was recorded.
    async fn advance(&mut self, hasher: Hasher) -> Result<bool> {
        self.recorded.done += 1;
        self.sent += 1;
        self.unrecorded += hasher.bytes() - self.hasher.bytes();
        self.hasher = hasher;
        let late = self.run.context().now_milliseconds() - self.recorded_at >= RECORD_AFTER;
        // The last one is always recorded: the digests of the whole are taken from there. It is also what stops a
        // worker whose claim has ended.
        let due = late || self.unrecorded >= RECORD_EVERY || self.recorded.done == self.upload.parts();
        if due {
            self.record().await?;
        }
        Ok(due)
    }

    async fn record(&mut self) -> Result<()> {
        if self.unrecorded > 0 {
            self.recorded.hasher = self.hasher.state();
            self.recorded.write(self.run).await?;
            self.unrecorded = 0;
            self.recorded_at = self.run.context().now_milliseconds();
        }
        Ok(())
    }
}
