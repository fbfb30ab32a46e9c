//! The hash of a long content, over as many invocations as it takes.

use std::sync::atomic::{AtomicBool, Ordering};

use http_body_util::BodyExt;
use serde::{Deserialize, Serialize};

use super::{
    digest::{Digests, Hasher, HasherState},
    multipart::until_stop_if,
    s3_upload::RangedSource,
    target::Progress,
    witness::body_error,
};
use crate::{error::Result, flow::Run};

/// How many bytes may pass until progress is recorded, and how many milliseconds.
const RECORD_EVERY: u64 = 256 << 20;
const RECORD_AFTER: i64 = 15_000;

/// How a content can be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ranges {
    /// From anywhere: reading pauses when the invocation must stop.
    FromAnywhere,
    /// Only from its beginning: reading has to fit one invocation.
    FromTheBeginning,
}

/// How far an earlier attempt has read.
#[derive(Debug, Serialize, Deserialize)]
struct Recorded {
    source: String,
    hasher: HasherState,
}

/// Reads a content to its end and gives its digests. Bytes are not kept.
///
/// The state of the hash is recorded with `run` under `name`; called again by a later attempt, reading goes on where
/// the last one was, and what was read to its end is not read again.
///
/// # Errors
/// What the source says; `Transient` with code `source.cut` when it breaks off.
pub async fn hash_resumable(
    source: &RangedSource,
    ranges: Ranges,
    run: &Run,
    name: &str,
) -> Result<Progress<Digests>> {
    let from_anywhere = ranges == Ranges::FromAnywhere;
    let earlier = run
        .recorded::<Recorded>(name)
        .filter(|recorded| recorded.source == source.mark())
        .and_then(|recorded| Hasher::resume(&recorded.hasher).ok())
        .filter(|hasher| from_anywhere || hasher.bytes() == source.length());
    let mut reading = Reading::new(source, run, name, earlier.unwrap_or_default());
    if reading.hasher.bytes() == source.length() {
        return Ok(Progress::Done(reading.hasher.finish()));
    }
    let progressed = AtomicBool::new(false);
    let outcome = if from_anywhere {
        let may_stop = || progressed.load(Ordering::Relaxed);
        until_stop_if(run, may_stop, reading.go_on(&progressed, true)).await
    } else {
        Some(reading.go_on(&progressed, false).await)
    };
    match outcome {
        Some(Ok(())) => {
            reading.record().await?;
            Ok(Progress::Done(reading.hasher.finish()))
        }
        Some(Err(error)) => {
            // What was read is worth keeping, but the reason of the failure is what counts.
            if from_anywhere {
                let _ = reading.record().await;
            }
            Err(error)
        }
        None => {
            reading.record().await?;
            Ok(Progress::Paused)
        }
    }
}

struct Reading<'run> {
    source: &'run RangedSource,
    run: &'run Run,
    name: &'run str,
    hasher: Hasher,
    recorded: u64,
    recorded_at: i64,
}

impl<'run> Reading<'run> {
    fn new(source: &'run RangedSource, run: &'run Run, name: &'run str, hasher: Hasher) -> Self {
        let recorded_at = run.context().now_milliseconds();
        Self { source, run, name, recorded: hasher.bytes(), hasher, recorded_at }
    }

    async fn go_on(&mut self, progressed: &AtomicBool, record: bool) -> Result<()> {
        let from = self.hasher.bytes();
        let mut body = self.source.open(from, self.source.length() - from).await?;
        while let Some(frame) = body.frame().await {
            let Ok(data) = frame.map_err(body_error)?.into_data() else { continue };
            self.hasher.update(&data);
            progressed.store(true, Ordering::Relaxed);
            let late = self.run.context().now_milliseconds() - self.recorded_at >= RECORD_AFTER;
            if record && (late || self.hasher.bytes() - self.recorded >= RECORD_EVERY) {
                self.record().await?;
            }
        }
        Ok(())
    }

    async fn record(&mut self) -> Result<()> {
        if self.hasher.bytes() == self.recorded {
            return Ok(());
        }
        let recorded = Recorded { source: self.source.mark().to_owned(), hasher: self.hasher.state() };
        self.run.checkpoint(self.name, &recorded).await?;
        self.recorded = self.hasher.bytes();
        self.recorded_at = self.run.context().now_milliseconds();
        Ok(())
    }
}
