//! The time a simulator lives in: the machine's, one a test sets by hand, or one a test derives from its own
//! clock (for instance from the paused clock of the async runtime).

use std::sync::{Arc, Mutex, PoisonError};

use jiff::{SignedDuration, Timestamp};

enum Source {
    Machine,
    Fixed(Timestamp),
    Function(Arc<dyn Fn() -> Timestamp + Send + Sync>),
}

struct Inner {
    source: Source,
    /// Added to whatever the source says, so that a running clock can be moved too.
    offset: SignedDuration,
}

/// A clock shared by everything in one simulator. Clones show the same time.
#[derive(Clone)]
pub struct Clock(Arc<Mutex<Inner>>);

impl Clock {
    fn of(source: Source) -> Self {
        Self(Arc::new(Mutex::new(Inner { source, offset: SignedDuration::ZERO })))
    }

    /// The machine's time.
    pub fn machine() -> Self {
        Self::of(Source::Machine)
    }

    /// Stands still at `now` until [`set`](Self::set) or [`advance`](Self::advance) move it.
    pub fn fixed(now: Timestamp) -> Self {
        Self::of(Source::Fixed(now))
    }

    /// Asks `source` each time.
    pub fn from_fn(source: impl Fn() -> Timestamp + Send + Sync + 'static) -> Self {
        Self::of(Source::Function(Arc::new(source)))
    }

    /// The time now.
    pub fn now(&self) -> Timestamp {
        let inner = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let base = match &inner.source {
            Source::Machine => Timestamp::now(),
            Source::Fixed(now) => *now,
            Source::Function(source) => source(),
        };
        base.checked_add(inner.offset).unwrap_or(base)
    }

    /// Moves the clock to `now`. A running clock runs on from there.
    pub fn set(&self, now: Timestamp) {
        let shift = now.duration_since(self.now());
        self.advance(shift);
    }

    /// Moves the clock on (or back, with a negative duration).
    pub fn advance(&self, by: SignedDuration) {
        let mut inner = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        inner.offset = inner.offset.checked_add(by).unwrap_or(inner.offset);
    }
}

impl Default for Clock {
    fn default() -> Self {
        Self::machine()
    }
}

impl std::fmt::Debug for Clock {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "Clock({})", self.now())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fixed_clock_moves_only_when_told() {
        let start: Timestamp = "2031-05-06T07:08:09Z".parse().unwrap();
        let clock = Clock::fixed(start);
        assert_eq!(clock.now(), start);
        clock.clone().advance(SignedDuration::from_mins(31));
        assert_eq!(clock.now().to_string(), "2031-05-06T07:39:09Z");
        clock.set(start);
        assert_eq!(clock.now(), start);
    }

    #[test]
    fn a_clock_made_from_a_function_follows_it_and_can_still_be_moved() {
        let base = Arc::new(Mutex::new(Timestamp::UNIX_EPOCH));
        let seen = base.clone();
        let clock = Clock::from_fn(move || *seen.lock().unwrap());
        clock.advance(SignedDuration::from_secs(5));
        *base.lock().unwrap() = "1970-01-01T00:00:10Z".parse().unwrap();
        assert_eq!(clock.now().as_second(), 15);
    }
}
