//! The round over the last days of rights. It tells by messages to the flow's own queue, so that every asset is an item of
//! its own.

use jiff::{Timestamp, civil::Date, tz::TimeZone};
use shared::{
    error::Result,
    flow::{Outcome, Run},
};

use super::{DUE, FileRights, case, skipped};

/// The checkpoint that says how far a round has come.
const BEHIND: &str = "behind";

impl FileRights {
    pub(super) async fn look(&self, run: &Run) -> Result<Outcome> {
        let today = today(run);
        let mut behind = run.recorded::<i64>(BEHIND).unwrap_or(-1);
        let mut told = 0_u32;
        loop {
            let page = case::due_behind(run.ledger(), behind).await?;
            if page.is_empty() {
                break;
            }
            for (number, due) in page {
                if run.must_stop() {
                    run.checkpoint(BEHIND, &behind).await?;
                    return Ok(Outcome::Continue);
                }
                if let Some(day) = due.on.filter(|day| *day < today) {
                    told += 1;
                    if !run.is_dry() {
                        // What could not be done is tried again with the first round of each day.
                        self.tell(&due.asset, DUE, format!("{day}, looked at on {today}"), run).await?;
                    }
                }
                behind = number;
            }
        }
        run.note("told", told.to_string());
        skipped("look.done", &format!("{told} assets have rights whose last day is over"))
    }
}

/// The day it is, by UTC.
pub(super) fn today(run: &Run) -> Date {
    day_of(run.context().now())
}

/// The day of a moment, by UTC.
pub(super) fn day_of(moment: Timestamp) -> Date {
    moment.to_zoned(TimeZone::UTC).date()
}
