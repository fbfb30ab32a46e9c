//! Time, ids and randomness, from one place that a test can set. Nothing else in Waybill asks the machine for them,
//! so a storm schedule replays exactly.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use jiff::Timestamp;
use rand::{Rng, RngExt, SeedableRng, rngs::StdRng};

/// The source of time, ids and randomness. Cheap to clone; clones share their state.
#[derive(Clone)]
pub struct Context {
    clock: Clock,
    random: Arc<Mutex<StdRng>>,
}

#[derive(Clone)]
enum Clock {
    System,
    /// Follows tokio's clock, which a test pauses and advances, from a fixed beginning.
    Simulated {
        beginning: Timestamp,
        started: tokio::time::Instant,
    },
}

impl Context {
    /// The machine's clock and its randomness.
    #[expect(clippy::disallowed_methods, reason = "everybody else asks here")]
    pub fn system() -> Self {
        Self { clock: Clock::System, random: Arc::new(Mutex::new(StdRng::from_rng(&mut rand::rng()))) }
    }

    /// A clock that begins at `beginning` and moves with tokio's (pausable) clock, and randomness from a seed.
    /// Must be called inside a tokio runtime.
    pub fn simulated(beginning: Timestamp, seed: u64) -> Self {
        Self {
            clock: Clock::Simulated { beginning, started: tokio::time::Instant::now() },
            random: Arc::new(Mutex::new(StdRng::seed_from_u64(seed))),
        }
    }

    /// The present moment.
    #[expect(clippy::disallowed_methods, reason = "everybody else asks here")]
    pub fn now(&self) -> Timestamp {
        match &self.clock {
            Clock::System => Timestamp::now(),
            Clock::Simulated { beginning, started } => {
                let elapsed = i64::try_from(started.elapsed().as_millis()).unwrap_or(i64::MAX);
                Timestamp::from_millisecond(beginning.as_millisecond().saturating_add(elapsed))
                    .unwrap_or(Timestamp::MAX)
            }
        }
    }

    /// Milliseconds since the Unix epoch.
    pub fn now_milliseconds(&self) -> i64 {
        self.now().as_millisecond()
    }

    /// Waits, by the runtime's clock.
    pub async fn sleep(&self, duration: Duration) {
        tokio::time::sleep(duration).await;
    }

    /// A fresh 128-bit id in lower-case hexadecimal.
    pub fn new_id(&self) -> String {
        let mut bytes = [0_u8; 16];
        self.fill(&mut bytes);
        hex::encode(bytes)
    }

    /// Random bytes.
    pub fn fill(&self, bytes: &mut [u8]) {
        self.random.lock().unwrap_or_else(std::sync::PoisonError::into_inner).fill_bytes(bytes);
    }

    /// A duration between none and `ceiling`, evenly spread: the jitter of every backoff.
    pub fn jitter(&self, ceiling: Duration) -> Duration {
        let ceiling = u64::try_from(ceiling.as_millis()).unwrap_or(u64::MAX);
        let mut random = self.random.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        Duration::from_millis(random.random_range(0..=ceiling))
    }
}

impl std::fmt::Debug for Context {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Context").field("now", &self.now()).finish_non_exhaustive()
    }
}
