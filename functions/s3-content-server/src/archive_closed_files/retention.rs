//! Until when a record is retained.

use aws_sdk_s3::types::ObjectLockRetentionMode;
use jiff::{Timestamp, civil::Date, tz::TimeZone};
use shared::{
    content_server::{NOT_ACCESSIBLE, NOT_FOUND, NodeId},
    error::{Error, Result},
    flow::Run,
};

use super::{ArchiveClosedFiles, described::Described};
use crate::{
    archive_rules::{Retention, RetentionMode},
    version_copy::{RecordDescription, records},
};

/// Under which name it is recorded how many documents were asked about, and the longest retention of these.
const ASKED: &str = "asked-about-retention";

/// How long a bag has to be retained, and how.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Lasting {
    pub(super) mode: ObjectLockRetentionMode,
    pub(super) until: Timestamp,
}

impl ArchiveClosedFiles {
    /// How long the records of a case ask for its bag now: nothing within when no rule or no record says so, nothing
    /// at all when the invocation must end before that is known.
    pub(super) async fn lasting(
        &self,
        case: NodeId,
        described: &Described,
        run: &Run,
    ) -> Result<Option<Option<Lasting>>> {
        let Some((rule, from)) = self.retention_of(described) else { return Ok(Some(None)) };
        let (asked, known) = run.recorded::<(usize, Option<Timestamp>)>(ASKED).unwrap_or_default();
        let mut longest = if asked == 0 { self.end_of(rule, case, from).await? } else { known };
        for (number, node) in described.documents.iter().enumerate().skip(asked) {
            if run.must_stop() {
                run.checkpoint(ASKED, &(number, longest)).await?;
                return Ok(None);
            }
            longest = longest.max(self.end_of(rule, NodeId(*node), from).await?);
        }
        if asked > 0 {
            run.checkpoint(ASKED, &(0, None::<Timestamp>)).await?;
        }
        Ok(Some(longest.map(|until| Lasting { mode: mode(rule), until })))
    }

    /// The retention of the rule by which a bag was made, and the day from which it counts where a record has none.
    pub(super) fn retention_of(&self, described: &Described) -> Option<(&Retention, Date)> {
        let rule = self.rules.rules.iter().find(|rule| rule.name == described.rule)?;
        rule.retention.as_ref().zip(described.archived_on)
    }

    /// Until when the records of one node ask for it; nothing when it has none, or is gone.
    pub(super) async fn end_of(
        &self,
        rule: &Retention,
        node: NodeId,
        from: Date,
    ) -> Result<Option<Timestamp>> {
        match records(&self.content_server, node).await {
            Ok(records) => of_records(rule, &records, from),
            Err(error) if matches!(error.code(), NOT_ACCESSIBLE | NOT_FOUND) => Ok(None),
            Err(error) => Err(error),
        }
    }
}

/// The latest end among the records' retentions; nothing without a record that has a schedule.
///
/// # Errors
/// `archive.unknown-schedule` when a schedule is not in the rule and there is no default.
pub(super) fn of_records(
    retention: &Retention,
    records: &[RecordDescription],
    today: Date,
) -> Result<Option<Timestamp>> {
    let mut latest = None;
    for record in records.iter().filter(|record| !record.schedule.is_empty()) {
        let from = record.record_date.get(..10).and_then(|day| day.parse().ok()).unwrap_or(today);
        let (period, from) = match (retention.schedules.get(&record.schedule), retention.default) {
            (Some(period), _) => (*period, from),
            (None, Some(period)) => (period, today),
            (None, None) => {
                let message = format!(
                    "the rule does not say how long records of schedule `{}` are retained",
                    record.schedule
                );
                return Err(Error::configuration("archive.unknown-schedule", message)
                    .remedy("add the schedule's code to `schedules` in [rule.retention], or a `default`"));
            }
        };
        latest = latest.max(Some(period.end(from).ok_or_else(beyond)?));
    }
    Ok(latest)
}

/// What is retained without a schedule.
///
/// # Errors
/// `archive.no-retention` when there is no default.
pub(super) fn without_records(retention: &Retention, today: Date) -> Result<Timestamp> {
    let period = retention.default.ok_or_else(|| {
        Error::configuration("archive.no-retention", "nothing in the case has a retention schedule")
            .remedy("classify the case, or add a `default` to [rule.retention]")
    })?;
    period.end(today).ok_or_else(beyond)
}

/// The day of a moment.
pub(super) fn day(now: Timestamp) -> Date {
    now.to_zoned(TimeZone::UTC).date()
}

/// The mode in the SDK's words.
pub(super) fn mode(retention: &Retention) -> ObjectLockRetentionMode {
    match retention.mode {
        RetentionMode::Governance => ObjectLockRetentionMode::Governance,
        RetentionMode::Compliance => ObjectLockRetentionMode::Compliance,
    }
}

fn beyond() -> Error {
    Error::configuration("archive.no-retention", "the retention ends beyond the calendar")
        .remedy("shorten the period in [rule.retention]")
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use jiff::ToSpan;

    use super::*;
    use crate::archive_rules::Period;

    fn record(schedule: &str, date: &str) -> RecordDescription {
        RecordDescription {
            class: 1,
            file_number: String::new(),
            schedule: schedule.into(),
            status: String::new(),
            record_date: date.into(),
            official: true,
        }
    }

    fn retention(default: Option<Period>) -> Retention {
        let schedules = [("TEN", 10), ("SIX", 6)];
        let schedules = schedules.map(|(code, years)| (code.to_owned(), Period::For(years.years())));
        Retention { mode: RetentionMode::Governance, schedules: BTreeMap::from(schedules), default }
    }

    fn end(default: Option<Period>, records: &[RecordDescription]) -> Result<Option<String>, &'static str> {
        let today = "2031-05-06".parse().unwrap();
        let found = of_records(&retention(default), records, today).map_err(|error| error.code())?;
        Ok(found.map(|end| end.to_string()))
    }

    #[test]
    fn the_longest_retention_of_a_case_counts_from_the_date_of_its_record() {
        let records = [record("SIX", "2030-01-01"), record("TEN", "2025-01-01T00:00:00"), record("", "")];
        assert_eq!(end(None, &records), Ok(Some("2036-01-02T00:00:00Z".into())));
        assert_eq!(end(None, &[record("TEN", "")]), Ok(Some("2041-05-07T00:00:00Z".into())));
        assert_eq!(end(None, &[]), Ok(None));
    }

    #[test]
    fn a_schedule_the_rule_does_not_know_is_no_reason_to_retain_for_less() {
        assert_eq!(end(None, &[record("OTHER", "2030-01-01")]), Err("archive.unknown-schedule"));
        let default = Some(Period::For(1.year()));
        assert_eq!(end(default, &[record("OTHER", "2030-01-01")]), Ok(Some("2032-05-07T00:00:00Z".into())));
        let today = "2031-05-06".parse().unwrap();
        assert_eq!(without_records(&retention(None), today).unwrap_err().code(), "archive.no-retention");
    }
}
