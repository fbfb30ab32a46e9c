//! What was pushed before: senders try again for days, and somebody else could send again what he overheard.

use std::time::Duration;

use sha2::{Digest, Sha256};

use super::Delivery;
use crate::{error::Result, ledger::Ledger};

/// What is known of a push.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Seen {
    /// Nothing: it is to be dealt with.
    New,
    /// It was dealt with before.
    Before,
    /// Something else was dealt with under its id: nothing may be done.
    Other,
}

/// What one door remembers of pushes, by their ids and what they said.
#[derive(Debug, Clone)]
pub struct Memory {
    ledger: Ledger,
    door: &'static str,
    time: Duration,
}

impl Memory {
    /// How long pushes are remembered, unless set otherwise: longer than the three days for which senders try.
    pub const TIME: Duration = Duration::from_secs(7 * 24 * 3600);

    /// The memory of a door.
    pub fn new(ledger: Ledger, door: &'static str) -> Self {
        Self { ledger, door, time: Self::TIME }
    }

    /// Remembers for another time.
    #[must_use]
    pub fn time(mut self, time: Duration) -> Self {
        self.time = time;
        self
    }

    /// Whether a push was dealt with before.
    ///
    /// # Errors
    /// When the ledger cannot be asked.
    pub async fn seen(&self, delivery: &Delivery, body: &[u8]) -> Result<Seen> {
        if self.ledger.is_delivered(self.door, &with_body(delivery, body)).await? {
            return Ok(Seen::Before);
        }
        let is_other = self.ledger.is_delivered(self.door, &delivery.id).await?;
        Ok(if is_other { Seen::Other } else { Seen::New })
    }

    /// Remembers a push that was dealt with. Only then: a crash before lets the sender's next attempt through.
    ///
    /// # Errors
    /// When the ledger cannot be asked.
    pub async fn remember(&self, delivery: &Delivery, body: &[u8]) -> Result<()> {
        let time = i64::try_from(self.time.as_secs()).unwrap_or(i64::MAX);
        let until = self.ledger.context().now().as_second().saturating_add(time);
        // In this order, so that half of it still knows the push itself.
        self.ledger.set_delivered(self.door, &with_body(delivery, body), until).await?;
        self.ledger.set_delivered(self.door, &delivery.id, until).await
    }
}

fn with_body(delivery: &Delivery, body: &[u8]) -> String {
    format!("{}#{}", delivery.id, hex::encode(Sha256::digest(body)))
}
