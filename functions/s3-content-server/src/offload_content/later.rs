//! What is remembered about a document for later: that somebody called its content back, that S3 is restoring it, and when
//! it is to be looked at again.
//!
//! A document that is held, reserved, recalled or too young may be offloaded later without any change that a feed could
//! tell of. It is noted with a time; a sweep, which a schedule puts on the queue, sends the flow a message for each whose
//! time has come. The message is the same however often a sweep is repeated.

use aws_sdk_sqs::types::SendMessageBatchRequestEntry;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::json;
use shared::{
    aws::classify,
    content_server::NodeId,
    error::{Error, FailureClass, Result, System},
    flow::{Delivery, Flow, Outcome, Run},
    ledger::Sighting,
    node_change::NodeChange,
};

use super::{OffloadContent, skipped};
use crate::offload_rules::OffloadRule;

/// Documents to look at again, and recalls to ask after: one does not take the other's place.
const AGAIN: &str = "look-again";
const RECALL_AGAIN: &str = "recall-again";
/// Documents whose content somebody called back.
const RECALLED: &str = "recalled";
/// Documents whose copy S3 is restoring.
const RESTORING: &str = "restoring";

/// After how long a document that nobody may touch is looked at again.
pub(super) const TOMORROW: SignedDuration = SignedDuration::from_hours(24);
/// After how long a restoration is asked after, should S3 not tell of its end.
const RESTORATION_ASKED: SignedDuration = SignedDuration::from_hours(12);
/// The longest a restoration takes: 48 hours from the deepest archive, and a day of grace.
const RESTORATION_LIMIT: SignedDuration = SignedDuration::from_hours(72);

/// Documents read at a time, and messages of one request.
const PAGE: usize = 100;
const BATCH: usize = 10;

/// When a document is looked at again.
#[derive(Debug, Serialize, Deserialize)]
struct Again {
    due: Timestamp,
}

/// Since when S3 restores the copy, for which recall.
#[derive(Debug, Serialize, Deserialize)]
struct Restoring {
    mark: String,
    since: Timestamp,
}

impl OffloadContent {
    /// Notes that a document is to be looked at again.
    pub(super) async fn look_again(&self, node: NodeId, due: Timestamp, run: &Run) -> Result<()> {
        self.note(AGAIN, node, &Again { due }, false, run).await
    }

    /// Notes that a recall is to be asked after.
    pub(super) async fn recall_again(&self, node: NodeId, due: Timestamp, run: &Run) -> Result<()> {
        self.note(RECALL_AGAIN, node, &Again { due }, false, run).await
    }

    /// The content is here: nothing is to be asked after any more.
    pub(super) async fn recall_is_done(&self, node: NodeId, run: &Run) -> Result<()> {
        match self.sighting(RECALL_AGAIN, node, run).await? {
            Some(sighting) => run.ledger().forget(Self::NAME, RECALL_AGAIN, &sighting).await,
            None => Ok(()),
        }
    }

    /// Notes that somebody wants the content here. An offload that began before, or that nothing but the recall itself
    /// gave rise to, leaves it alone for a while.
    pub(super) async fn note_recall(&self, node: NodeId, run: &Run) -> Result<()> {
        self.note(RECALLED, node, &run.context().now(), true, run).await
    }

    /// Until when a rule leaves the document alone because its content was called back.
    pub(super) async fn recalled_until(
        &self,
        node: NodeId,
        rule: &OffloadRule,
        run: &Run,
    ) -> Result<Option<Timestamp>> {
        let recalled: Option<Timestamp> = self.noted(RECALLED, node, run).await?;
        let stay = SignedDuration::from_hours(24 * i64::from(rule.recalled_days));
        let until = recalled.and_then(|recalled| recalled.checked_add(stay).ok());
        Ok(until.filter(|until| *until > run.context().now()))
    }

    /// S3 restores the copy: the recall goes on when S3 says that it has. Should that never come, it is asked after, and
    /// in the end given up.
    pub(super) async fn await_restoration(&self, node: NodeId, mark: &str, run: &Run) -> Result<Outcome> {
        let now = run.context().now();
        let begun = self.noted::<Restoring>(RESTORING, node, run).await?.filter(|begun| begun.mark == mark);
        let since = begun.as_ref().map_or(now, |begun| begun.since);
        if now.duration_since(since) >= RESTORATION_LIMIT {
            // Whoever asks again begins anew.
            let anew = Restoring { mark: mark.to_owned(), since: now };
            self.note(RESTORING, node, &anew, true, run).await?;
            let message = format!("node {node}: S3 has not restored the copy since {since}");
            return Err(Error::new(
                FailureClass::Invalid,
                System::Waybill,
                "recall",
                "recall.not-restored",
                message,
            )
            .remedy("look at the object's restore status in S3 and ask AWS, then request the recall again"));
        }
        if begun.is_none() {
            let restoring = Restoring { mark: mark.to_owned(), since };
            self.note(RESTORING, node, &restoring, true, run).await?;
        }
        self.recall_again(node, after(now, RESTORATION_ASKED), run).await?;
        skipped("recall.restoring", "S3 restores the copy; the recall goes on when it says that it has")
    }

    /// Sends the flow a message for every document whose time has come.
    pub(super) async fn sweep(&self, run: &Run) -> Result<Outcome> {
        if run.is_dry() {
            return skipped("dry-run", "the documents that are due would be looked at again");
        }
        let mut sent = 0;
        for (list, request) in [(AGAIN, None), (RECALL_AGAIN, Some("recall"))] {
            match self.sweep_list(list, request, run).await? {
                Some(number) => sent += number,
                None => return Ok(Outcome::Continue),
            }
        }
        let detail = [("documents".to_owned(), sent.to_string())].into();
        Ok(Outcome::Delivered(Delivery {
            result: json!({"lookedAgain": sent}),
            detail,
            ..Delivery::default()
        }))
    }

    /// How many messages were sent; none when the time is over before all of the list was read.
    async fn sweep_list(&self, list: &str, request: Option<&str>, run: &Run) -> Result<Option<u64>> {
        let now = run.context().now();
        let (mut after, mut sent) = (-1, 0);
        loop {
            if run.must_stop() {
                return Ok(None);
            }
            let page = run.ledger().sightings_between(Self::NAME, list, after, i64::MAX, PAGE).await?;
            let Some(last) = page.last() else { return Ok(Some(sent)) };
            after = last.id;
            let mut due = Vec::new();
            for sighting in &page {
                let again: Again = understood(&sighting.facts)?;
                if again.due <= now {
                    due.push((sighting, message(sighting.id, again.due, request, run)?));
                }
            }
            for chunk in due.chunks(BATCH) {
                self.send(chunk).await?;
                for (sighting, _) in chunk {
                    run.ledger().forget(Self::NAME, list, sighting).await?;
                    sent += 1;
                }
            }
        }
    }

    async fn send(&self, due: &[(&Sighting, String)]) -> Result<()> {
        const OPERATION: &str = "look again";
        let incomplete = |error| Error::bug(OPERATION, "a message is incomplete").source(error);
        let entries = due.iter().map(|(sighting, body)| {
            let entry =
                SendMessageBatchRequestEntry::builder().id(sighting.id.to_string()).message_body(body);
            entry.build().map_err(incomplete)
        });
        let entries: Vec<_> = entries.collect::<Result<_>>()?;
        let queue = &self.environment.settings.queue_url;
        let request = self.environment.sqs.send_message_batch().queue_url(queue).set_entries(Some(entries));
        let output = request.send().await.map_err(|error| classify(System::Sqs, OPERATION, error))?;
        if output.failed.is_empty() {
            return Ok(());
        }
        let message = "the queue did not take every message";
        Err(Error::new(FailureClass::Transient, System::Sqs, OPERATION, "offload.not-all-sent", message))
    }

    async fn note<T: Serialize>(
        &self,
        list: &str,
        node: NodeId,
        what: &T,
        expires: bool,
        run: &Run,
    ) -> Result<()> {
        let facts = serde_json::to_string(what)
            .map_err(|error| Error::bug("note document", "a note cannot be written").source(error))?;
        run.ledger().remember(Self::NAME, list, &Sighting { id: node.0, facts }, expires).await
    }

    async fn noted<T: for<'de> Deserialize<'de>>(
        &self,
        list: &str,
        node: NodeId,
        run: &Run,
    ) -> Result<Option<T>> {
        let noted = self.sighting(list, node, run).await?;
        noted.map(|noted| understood(&noted.facts)).transpose()
    }

    async fn sighting(&self, list: &str, node: NodeId, run: &Run) -> Result<Option<Sighting>> {
        let found = run.ledger().sightings_between(Self::NAME, list, node.0 - 1, node.0, 1).await?;
        Ok(found.into_iter().next())
    }
}

fn understood<T: for<'de> Deserialize<'de>>(facts: &str) -> Result<T> {
    serde_json::from_str(facts)
        .map_err(|error| Error::bug("read note", "a note of a document cannot be read").source(error))
}

fn message(node: i64, due: Timestamp, request: Option<&str>, run: &Run) -> Result<String> {
    let change = NodeChange::about(node, request, format!("look-again {due}"));
    change.envelope(OffloadContent::NAME, OffloadContent::NAME, run.context())
}

/// A while after a moment.
pub(super) fn after(moment: Timestamp, pause: SignedDuration) -> Timestamp {
    moment.checked_add(pause).unwrap_or(Timestamp::MAX)
}
