//! How many calls are let through, as a gateway before the server may decide.

use std::collections::BTreeMap;

use super::{MemberId, Outcome, Refusal, State};

/// Calls of the running span of time: of each user, or of all together.
#[derive(Clone, Debug, Default)]
pub(crate) struct Throttling {
    span: i64,
    calls: BTreeMap<Option<MemberId>, u64>,
}

impl State {
    /// Counts a call and refuses it when there were enough. Who is not known yet counts only where all are counted
    /// together.
    pub(crate) fn admit(&mut self, caller: Option<MemberId>) -> Outcome<()> {
        let settings = &self.settings.throttle;
        let Some(most) = settings.calls else { return Ok(()) };
        let counted = if settings.per_user { caller } else { None };
        if settings.per_user && counted.is_none() {
            return Ok(());
        }
        let span = self.now.as_second().div_euclid(settings.seconds.max(1));
        if self.throttling.span != span {
            self.throttling = Throttling { span, ..Throttling::default() };
        }
        let calls = self.throttling.calls.entry(counted).or_default();
        *calls += 1;
        if *calls > most {
            return Err(Refusal::Throttled {
                status: settings.status,
                retry_after: settings.retry_after_seconds,
            });
        }
        Ok(())
    }
}
