//! The ledger: one DynamoDB table that remembers what was begun, what was done and who may act.
//!
//! Access patterns, all by key (`pk`, `sk`); nothing scans:
//!
//! | what | `pk` | `sk` | how |
//! |---|---|---|---|
//! | claim, checkpoint, release, complete an item | `<flow>#item#<key>` | `record` | conditional update |
//! | what is known of an item | `<flow>#item#<key>` | `record` | get |
//! | begin a failed item again for a redriven message | `<flow>#item#<key>` | `record` | get, conditional update |
//! | append to an asset's audit chain | `asset#<asset>` | `event#<sequence>` | put if absent, with the completion |
//! | the end of a chain, a whole chain | `asset#<asset>` | `event#…` | query, newest first / oldest first |
//! | what is this object called in the other system | `reference#<system>#<id>` | other system | put, get |
//! | how far a change feed has been read | `<flow>#watermark` | feed | conditional update, forward only |
//! | one worker at a time on a thing | `<flow>#lock#<name>` | `lock` | conditional put, delete |
//! | what a change feed saw of a thing | `<flow>#seen#<list>` | number | put, batch get, query of a range |
//! | where a change feed goes on, who began something first, what two sides agreed on last | `<flow>#note` | name | put, put if absent or unchanged, get |
//! | what a flow made of a thing, over all its items | `<flow>#set#<name>` | member | put, query |
//! | what was decided last about a thing | `<flow>#log#<name>` | sequence | put if absent, query, newest first |
//! | has this push been taken | `<flow>#delivery#<id>` | `delivery` | put, get |
//! | is a target out of order | `breaker#<target>` | `state` | conditional update, get |
//! | an expiring link, and one client's use of it | `link#<hash of its token>` | `record`, `use#<client>` | see `links` |
//! | the links that were issued for a thing | `link#reference#<hash>` | hash of the token | put, query, delete |
//!
//! Expiry is always part of a condition or compared after a read; the table's time-to-live only tidies up.
//! An item that creates one small document costs two writes: the claim (one write unit) and, in one transaction,
//! its completion and its audit event (four).

mod attributes;
mod breaker;
mod chain;
mod claim;
mod completion;
mod key;
mod known;
mod lists;
mod marks;
mod reopen;
mod result;
mod sightings;

use std::time::Duration;

pub(crate) use attributes::{Item, get_number, get_text, keys, number, text};
pub use breaker::{Breaker, BreakerState};
pub(crate) use chain::Appended;
pub use chain::ChainEnd;
pub use claim::{Attempt, Begin};
pub use completion::{Completion, Ending};
pub use key::Key;
pub use known::Known;
pub use marks::Lock;
pub use sightings::Sighting;

use crate::context::Context;

/// The ledger of one deployment. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Ledger {
    dynamodb: aws_sdk_dynamodb::Client,
    table: String,
    context: Context,
    retention: Duration,
    overflow: Option<Overflow>,
}

/// Where results too large for a record are kept.
#[derive(Debug, Clone)]
pub struct Overflow {
    /// The client to reach it with.
    pub s3: aws_sdk_s3::Client,
    /// The bucket.
    pub bucket: String,
}

impl Ledger {
    /// How long a record is kept, unless set otherwise: long past the 14 days a queue can hold a message.
    pub const RETENTION: Duration = Duration::from_secs(90 * 24 * 3600);

    /// A ledger in `table`.
    pub fn new(dynamodb: aws_sdk_dynamodb::Client, table: impl Into<String>, context: Context) -> Self {
        Self { dynamodb, table: table.into(), context, retention: Self::RETENTION, overflow: None }
    }

    /// Sets how long records are kept.
    #[must_use]
    pub fn retention(mut self, retention: Duration) -> Self {
        self.retention = retention;
        self
    }

    /// Sets where results too large for a record go.
    #[must_use]
    pub fn overflow(mut self, overflow: Overflow) -> Self {
        self.overflow = Some(overflow);
        self
    }

    /// The context it runs in.
    pub fn context(&self) -> &Context {
        &self.context
    }

    pub(crate) fn dynamodb(&self) -> &aws_sdk_dynamodb::Client {
        &self.dynamodb
    }

    pub(crate) fn table(&self) -> &str {
        &self.table
    }

    fn expiry_seconds(&self) -> i64 {
        let retention = i64::try_from(self.retention.as_secs()).unwrap_or(i64::MAX);
        self.context.now().as_second().saturating_add(retention)
    }
}
