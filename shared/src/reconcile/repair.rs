//! The safe part of the repair plan, onto the flow's queue: so many in a second, so many in a run, each told in its
//! asset's audit chain. Nothing is changed here; the flow does its work as ever and checks everything itself.

use std::time::Duration;

use aws_sdk_sqs::types::SendMessageBatchRequestEntry;

use super::{
    Comparison, Phase,
    part::{Folder, Stored},
};
use crate::{
    audit::{AuditEvent, EventType, Outcome},
    aws::classify,
    error::{Error, FailureClass, Result, System},
};

/// Messages one request takes.
const BATCH: usize = 10;
/// How long a batch takes at least: ten messages a second.
const BATCH_TIME: Duration = Duration::from_secs(1);

impl Comparison<'_> {
    /// Queues what is safe until a moment. Where it is, is kept with every batch: after a crash a batch is sent once
    /// more at most, and its messages are the same items to the flow.
    pub(super) async fn repair(&mut self, until: i64) -> Result<()> {
        if self.queue.is_empty() {
            let message = format!("there is no queue of {} to put repairs onto", self.state.flow);
            return Err(Error::configuration("reconcile.no-queue", message)
                .remedy("add the flow to WAYBILL_FLOW_QUEUES, or compare without repair"));
        }
        while self.state.repaired.0 < self.state.parts {
            let (part, from) = self.state.repaired;
            let folder =
                Folder { s3: &self.environment.s3, bucket: &self.place.bucket, prefix: &self.place.prefix };
            let findings = folder.read_part(part).await?;
            let mut next = from;
            while next < findings.len() {
                let room = self.state.options.most_repairs.saturating_sub(self.state.counts.queued);
                if room == 0 {
                    self.state.phase = Phase::Report;
                    return self.keep().await;
                }
                if self.environment.context.now_milliseconds() >= until {
                    return Ok(());
                }
                let most = usize::try_from(room).unwrap_or(usize::MAX).min(BATCH);
                let behind = findings.get(next..).unwrap_or_default().iter().enumerate();
                let safe: Vec<(usize, &Stored)> =
                    behind.filter(|(_, stored)| stored.message.is_some()).take(most).collect();
                self.send(&safe).await?;
                next = match safe.last() {
                    Some((last, _)) => next + last + 1,
                    None => findings.len(),
                };
                self.state.counts.queued += u64::try_from(safe.len()).unwrap_or(0);
                self.state.repaired = (part, next);
                self.keep().await?;
            }
            self.state.repaired = (part + 1, 0);
        }
        self.state.phase = Phase::Report;
        self.keep().await
    }

    async fn send(&self, safe: &[(usize, &Stored)]) -> Result<()> {
        const OPERATION: &str = "queue a repair";
        if safe.is_empty() {
            return Ok(());
        }
        for (_, stored) in safe {
            self.environment.ledger.append_event(&self.event(stored)).await?;
        }
        let entries = safe
            .iter()
            .map(|(index, stored)| {
                let body = stored.message.clone().unwrap_or_default();
                let entry = SendMessageBatchRequestEntry::builder().id(index.to_string()).message_body(body);
                entry.build().map_err(|error| Error::bug(OPERATION, "a message is incomplete").source(error))
            })
            .collect::<Result<Vec<_>>>()?;
        let request = self.environment.sqs.send_message_batch().queue_url(self.queue);
        let output = request.set_entries(Some(entries)).send().await.map_err(|error| {
            classify(System::Sqs, OPERATION, error).remedy("let this function send to the flow's queue")
        })?;
        if !output.failed.is_empty() {
            let message = format!("the queue of {} did not take every message", self.state.flow);
            let class = FailureClass::Transient;
            return Err(Error::new(class, System::Sqs, OPERATION, "reconcile.not-all-sent", message));
        }
        self.environment.context.sleep(BATCH_TIME).await;
        Ok(())
    }

    /// What the audit chain is told: that somebody was asked to put it right, before they are.
    fn event(&self, stored: &Stored) -> AuditEvent {
        let finding = &stored.finding;
        AuditEvent {
            asset: finding.asset.clone(),
            event_type: EventType::Validation,
            event_date_time: finding.found.clone(),
            outcome: Outcome::Warning,
            agent: format!("waybill reconcile {}", env!("CARGO_PKG_VERSION")),
            item: finding.key.clone(),
            message_digest: None,
            detail: [
                ("finding", finding.kind.name().to_owned()),
                ("flow", self.state.flow.clone()),
                ("repair", "queued".to_owned()),
                ("report", format!("s3://{}/{}", self.place.bucket, self.place.prefix)),
            ]
            .map(|(name, fact)| (name.to_owned(), fact))
            .into(),
        }
    }
}
