//! Which of several uploads of one key is the truth: the later one, by the sequencer that S3 gives each.

use shared::{
    error::Result,
    flow::{Outcome, Reason, Run},
    s3_notification::Sequencer,
};

/// The fact of an audit event that says which upload of the asset is the newest one delivered so far.
const SEQUENCER: &str = "sequencer";
/// What that fact says when none has been delivered.
const NONE: &str = "none";
/// The reason for leaving a document alone that has the very content of the upload.
pub(crate) const SAME: &str = "document.same";

/// Where an upload stands among those of its key.
pub(crate) struct Order<'a> {
    own: Option<&'a Sequencer>,
    newest_delivered: Option<Sequencer>,
}

impl<'a> Order<'a> {
    /// Reads it from the asset's audit chain. The last event tells; only when that is one written without a look at
    /// the order (a removal, a crash) the events before it are read too.
    pub(crate) async fn read(own: Option<&'a Sequencer>, asset: &str, run: &Run) -> Result<Self> {
        let last = run.chain_end().await?.last;
        let newest = match last.map(|event| event.detail.get(SEQUENCER).cloned()) {
            None => None,
            Some(Some(told)) => Some(told),
            Some(None) => {
                let chain = run.ledger().chain(asset).await?;
                chain.iter().rev().find_map(|sealed| sealed.event.detail.get(SEQUENCER).cloned())
            }
        };
        let newest = newest.filter(|told| told != NONE);
        run.note(SEQUENCER, newest.as_deref().unwrap_or(NONE));
        Ok(Self { own, newest_delivered: newest.as_deref().map(Sequencer::new) })
    }

    /// Why the upload is not acted on, when a later one of its key was delivered already. One that was put aside or
    /// failed does not count: nothing of it is in the target.
    pub(crate) fn stale(&self) -> Option<Reason> {
        let is_stale = self.own?.is_before(self.newest_delivered.as_ref()?);
        is_stale
            .then(|| Reason::new("event.stale", "a later upload of the same key has been dealt with already"))
    }

    /// Notes that the target holds this upload, when it does.
    pub(crate) fn note(&self, outcome: &Outcome, run: &Run) {
        let is_held = match outcome {
            Outcome::Delivered(_) => true,
            Outcome::Skipped(reason) => reason.code == SAME,
            Outcome::Continue => false,
        };
        if let Some(own) = self.own.filter(|_| is_held && self.stale().is_none()) {
            run.note(SEQUENCER, own.as_str());
        }
    }
}
