//! How many calls are let through, as a gateway before the server may decide.

use std::collections::BTreeMap;

use super::{MemberId, Outcome, Refusal, State};

/// Calls of the running span of time, and those under way: of each user, or of all together.
#[derive(Clone, Debug, Default)]
pub(crate) struct Throttling {
    span: i64,
    calls: BTreeMap<Option<MemberId>, u64>,
    under_way: BTreeMap<Option<MemberId>, u64>,
}

/// What a call is where calls at the same time are bounded.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Arrival {
    /// Let through, and counted until it ends.
    Counted(Option<MemberId>),
    /// One too many.
    Refused,
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
            self.throttling.span = span;
            self.throttling.calls.clear();
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

    /// Counts a call among those under way, unless there are enough. Nothing where they are not bounded, or not for
    /// somebody who is not known yet.
    pub(crate) fn arrive(&mut self, caller: Option<MemberId>) -> Option<Arrival> {
        let settings = &self.settings.throttle;
        let most = settings.at_once?;
        let counted = if settings.per_user { Some(caller?) } else { None };
        let under_way = self.throttling.under_way.entry(counted).or_default();
        if *under_way >= most {
            return Some(Arrival::Refused);
        }
        *under_way += 1;
        Some(Arrival::Counted(counted))
    }

    /// Takes a call that was counted off those under way.
    pub(crate) fn leave(&mut self, counted: Option<MemberId>) {
        if let Some(under_way) = self.throttling.under_way.get_mut(&counted) {
            // A simulator that started over meanwhile has forgotten it.
            *under_way = under_way.saturating_sub(1);
        }
    }
}
