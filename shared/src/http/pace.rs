use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use tokio::time::Instant;

/// Spaces requests to one target so that its worst second never sees more than the set rate from this process, and
/// slows down further while the target asks for less.
///
/// Every request claims the next free slot, so callers that wake together still leave one after the other.
#[derive(Debug, Clone)]
pub struct Pace {
    slots: Arc<Mutex<Slots>>,
}

/// The longest a target is left alone by one function; beyond that its breaker speaks.
const LONGEST_PAUSE: Duration = Duration::from_secs(120);

#[derive(Debug)]
struct Slots {
    fastest: f64,
    current: f64,
    next: Option<Instant>,
    /// Until when the target asked to be left alone.
    closed: Option<Instant>,
}

impl Pace {
    /// At most `per_second` requests in any second.
    pub fn per_second(per_second: f64) -> Self {
        let fastest = per_second.max(0.01);
        Self { slots: Arc::new(Mutex::new(Slots { fastest, current: fastest, next: None, closed: None })) }
    }

    /// Waits for the next free slot.
    pub async fn slot(&self) {
        let (now, at) = {
            let mut slots = self.lock();
            let now = Instant::now();
            let at = slots.next.map_or(now, |next| next.max(now));
            slots.next = Some(at + Duration::from_secs_f64(1.0 / slots.current));
            (now, at)
        };
        // The timer counts whole milliseconds: asked for this moment, it would still wait for the next one.
        if at > now {
            tokio::time::sleep_until(at).await;
        }
    }

    /// How much longer the target asked to be left alone.
    pub fn closed_for(&self) -> Duration {
        self.lock().closed.map_or(Duration::ZERO, |until| until.saturating_duration_since(Instant::now()))
    }

    /// The target asked for less: half the rate from here on, and nothing before `pause` has passed.
    pub fn slow_down(&self, pause: Option<Duration>) {
        let mut slots = self.lock();
        slots.current = (slots.current / 2.0).max(slots.fastest / 64.0);
        if let Some(pause) = pause {
            let until = Instant::now() + pause.min(LONGEST_PAUSE);
            slots.next = Some(slots.next.map_or(until, |next| next.max(until)));
            slots.closed = Some(slots.closed.map_or(until, |closed| closed.max(until)));
        }
    }

    /// The target struggles and does not say how much is too much: half the rate, down to an eighth of the set one.
    pub fn ease_off(&self) {
        let mut slots = self.lock();
        let least = slots.current.min(slots.fastest / 8.0);
        slots.current = (slots.current / 2.0).max(least);
    }

    /// The target answered well: a little faster again, up to the set rate.
    pub fn speed_up(&self) {
        let mut slots = self.lock();
        slots.current = (slots.current + slots.fastest / 32.0).min(slots.fastest);
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Slots> {
        self.slots.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn the_worst_second_never_exceeds_the_rate_even_when_all_wake_together() {
        let pace = Pace::per_second(20.0);
        let began = Instant::now();
        let mut tasks = tokio::task::JoinSet::new();
        for _ in 0..200 {
            let pace = pace.clone();
            tasks.spawn(async move {
                pace.slot().await;
                began.elapsed()
            });
        }
        let mut moments = tasks.join_all().await;
        moments.sort();
        for (index, moment) in moments.iter().enumerate() {
            let within =
                moments[index..].iter().filter(|other| **other < *moment + Duration::from_secs(1)).count();
            assert!(within <= 20, "{within} requests in the second after {moment:?}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_throttled_target_sees_nothing_before_its_pause_ends() {
        let pace = Pace::per_second(100.0);
        pace.slot().await;
        let began = Instant::now();
        pace.slow_down(Some(Duration::from_secs(7)));
        pace.slot().await;
        assert!(began.elapsed() >= Duration::from_secs(7));
    }
}
