//! What has expired is looked for every hour: its links have ended by then by themselves, its copy has not. So are
//! workflows that have ended without a push.

use jiff::{Timestamp, ToSpan, tz::TimeZone};
use serde::Deserialize;
use shared::{
    error::Result,
    flow::{Delivery, Flow, Outcome, Run},
    ledger::Key,
    node_change::NodeChange,
};

use super::{PublishApproved, skipped};

/// How many days back a first look goes.
const FIRST_LOOK_DAYS: i64 = 31;
/// Where it is kept how far was looked.
const LOOKED: &str = "expiry";

/// What Amazon EventBridge sends by a schedule.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Hour {
    id: String,
    source: String,
    #[serde(rename = "detail-type")]
    detail_type: String,
    time: Timestamp,
}

impl Hour {
    /// Reads a message body; nothing when it is something else.
    pub(super) fn parse(body: &str) -> Option<Self> {
        let hour: Self = serde_json::from_str(body).ok()?;
        (hour.source == "aws.events" && hour.detail_type == "Scheduled Event").then_some(hour)
    }

    pub(super) fn key(&self) -> Key {
        Key::of(&["hour", &self.id])
    }
}

impl PublishApproved {
    /// Sends the change of every document that has expired since the last look to the flow's own queue; sent twice for
    /// one hour, it is the same item.
    pub(super) async fn expire(&self, hour: &Hour, run: &Run) -> Result<Outcome> {
        let ledger = run.ledger();
        let today = hour.time.to_zoned(TimeZone::UTC).date();
        let looked = ledger.watermark(Self::NAME, LOOKED).await?;
        let looked = looked.and_then(|text| text.parse().ok());
        // The last day once more: something may have been published on it that had expired already.
        let mut day = looked.unwrap_or_else(|| today.saturating_sub(FIRST_LOOK_DAYS.days()));
        let mut sent = 0_usize;
        while day <= today {
            for node in ledger.members(Self::NAME, &format!("expires {day}")).await? {
                if run.must_stop() {
                    return Ok(Outcome::Continue);
                }
                let Ok(node) = node.parse::<i64>() else { continue };
                if !run.is_dry() {
                    self.send(node, None, &format!("expires {day}, seen {}", hour.time), run).await?;
                }
                sent += 1;
            }
            day = day.saturating_add(1.day());
        }
        let workflows = self.look_at_workflows(run).await?;
        if run.is_dry() {
            let message = format!("{sent} expired documents and {workflows} workflows would be looked at");
            return skipped("dry-run", &message);
        }
        ledger.advance_watermark(Self::NAME, LOOKED, &today.to_string()).await?;
        if sent + workflows == 0 {
            return skipped("expiry.nothing", "nothing has expired, and no workflow has ended");
        }
        Ok(Outcome::Delivered(Delivery {
            result: serde_json::json!({ "expired": sent, "workflows": workflows }),
            detail: [("expired", sent), ("workflows", workflows)]
                .map(|(name, count)| (name.to_owned(), count.to_string()))
                .into(),
            ..Delivery::default()
        }))
    }

    /// Sends a message about a node, or a request about a workflow, to the flow's own queue.
    pub(super) async fn send(
        &self,
        node: i64,
        request: Option<&str>,
        occasion: &str,
        run: &Run,
    ) -> Result<()> {
        let change = NodeChange::about(node, request, occasion);
        let body = change.envelope(Self::NAME, Self::NAME, run.context())?;
        self.environment.send_to_own_queue("send change", body, 0).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_hour_is_what_eventbridge_sends_by_a_schedule_and_nothing_else() {
        let sent = r#"{"version":"0","id":"89d1a02d-5ec7-412e-82f5-13505f849b41","detail-type":"Scheduled Event",
            "source":"aws.events","account":"123456789012","time":"2031-05-06T07:00:00Z","region":"us-east-1",
            "resources":["arn:aws:events:us-east-1:123456789012:rule/expiry"],"detail":{}}"#;
        let hour = Hour::parse(sent).unwrap();
        assert_eq!(hour.time.to_string(), "2031-05-06T07:00:00Z");
        assert_eq!(Hour::parse(&sent.replace("aws.events", "aws.s3")), None);
        assert_eq!(Hour::parse(r#"{"specversion":"1.0"}"#), None);
    }
}
