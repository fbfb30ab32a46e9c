//! What a flow is, and what one delivery of one item is to it. A flow never sees Lambda, a queue or the ledger.

mod leave;
mod measure;
mod parsed;
mod run;

use std::{collections::BTreeMap, future::Future, panic::AssertUnwindSafe, pin::Pin, sync::Arc};

use serde::Serialize;
use serde_json::Value;

use crate::{
    environment::Environment,
    error::{Error, Result, System},
    ledger::Key,
};
pub use measure::Measure;
pub use parsed::{Parsed, Reason};
pub(crate) use run::allow_repeat;
pub use run::{EFFECT_UNDECIDED, Run};

/// One integration flow: the clients it needs and what it does with one item.
pub trait Flow: Sized + Send + Sync + 'static {
    /// A verb and an object; the same string everywhere: binary, queue, records, logs.
    const NAME: &'static str;
    /// The systems it touches besides AWS.
    const SYSTEMS: &'static [System];
    /// What one item arrives as.
    type Event: Send + Sync + 'static;

    /// Builds the clients and reads the configuration. Runs once, before the first event.
    fn connect(environment: &Environment) -> impl Future<Output = Result<Self>> + Send;

    /// Reads a message body, once. An error of class `Invalid` makes the message a dead letter; so do parts of it that
    /// are refused, once everything else in it has ended.
    ///
    /// # Errors
    /// When nothing in the message can ever be understood.
    fn parse(&self, body: &str) -> Result<Parsed<Self::Event>>;

    /// What identifies an item and its asset.
    fn item(&self, event: &Self::Event) -> Item;

    /// When what the event tells of happened, in milliseconds since the epoch, if the event says so.
    fn happened(&self, event: &Self::Event) -> Option<i64> {
        let _ = event;
        None
    }

    /// Delivers one item.
    fn handle(&self, event: &Self::Event, run: &Run) -> impl Future<Output = Result<Outcome>> + Send;

    /// Puts an item aside with the reason, where people find it. Must be safe to repeat.
    fn put_aside(
        &self,
        event: &Self::Event,
        reason: &Reason,
        run: &Run,
    ) -> impl Future<Output = Result<Value>> + Send;

    /// Throws away what an item began in a target and will not finish, because it ends undelivered: an upload in
    /// parts, say. Must be safe to repeat; what cannot be thrown away is left.
    fn abandon(&self, run: &Run) -> impl Future<Output = ()> + Send {
        let _ = run;
        std::future::ready(())
    }
}

/// The identity of one item.
#[derive(Debug, Clone)]
pub struct Item {
    /// What is delivered once.
    pub key: Key,
    /// SHA-256 over what was asked for, to notice a key that is used for something else.
    pub payload_hash: String,
    /// The asset whose audit chain tells about it.
    pub asset: String,
    /// The asset in words, for logs.
    pub asset_text: String,
}

/// How a flow ended an item.
#[derive(Debug, Clone)]
pub enum Outcome {
    /// The target has it, and that was verified.
    Delivered(Delivery),
    /// There was nothing to do, and why.
    Skipped(Reason),
    /// There is more to do than fits this invocation; what was done is checkpointed.
    Continue,
}

/// What was delivered.
#[derive(Debug, Clone, Default, Serialize, serde::Deserialize)]
pub struct Delivery {
    /// What a repeat is answered with.
    pub result: Value,
    /// SHA-256 of the content.
    pub digest: Option<String>,
    /// Bytes moved through the function.
    pub bytes: u64,
    /// Facts for the audit event.
    pub detail: BTreeMap<String, String>,
}

/// What may be done when it is not known whether an effect took place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Policy {
    /// Doing it again changes nothing.
    RepeatSafe,
    /// Look in the target first; do it again only when it is not there.
    CheckThenRepeat,
    /// Never do it twice: when it is begun, its end unknown, and it cannot be found, the item fails and a person
    /// decides. Redriven, the target is asked again: found, the item goes on; not found, it fails again, unless the
    /// redriven message carries `waybill-decision` = `repeat`, which allows the effect once more.
    NeverRepeat,
}

type Eventual<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// A flow without its types, for lists and for the runner, which is compiled once.
pub struct Entry {
    /// The flow's name.
    pub name: &'static str,
    /// The systems it touches.
    pub systems: &'static [System],
    connect: Connect,
}

type Connect = for<'a> fn(&'a Environment) -> Eventual<'a, Result<Arc<dyn AnyFlow>>>;

impl Entry {
    /// The entry of a flow.
    pub const fn of<F: Flow>() -> Self {
        Self {
            name: F::NAME,
            systems: F::SYSTEMS,
            connect: |environment| {
                Box::pin(async move { Ok(Arc::new(F::connect(environment).await?) as Arc<dyn AnyFlow>) })
            },
        }
    }

    /// Connects the flow.
    ///
    /// # Errors
    /// As [`Flow::connect`].
    pub async fn connect(&self, environment: &Environment) -> Result<Arc<dyn AnyFlow>> {
        (self.connect)(environment).await
    }
}

/// One item of a message, its type erased.
pub struct AnyEvent(Box<dyn std::any::Any + Send + Sync>, Item, Option<i64>);

impl AnyEvent {
    /// Its identity.
    pub fn item(&self) -> &Item {
        &self.1
    }

    /// As [`Flow::happened`].
    pub fn happened(&self) -> Option<i64> {
        self.2
    }
}

/// The erased face of [`Flow`]; implemented for every flow, not by hand.
pub trait AnyFlow: Send + Sync {
    /// As [`Flow::parse`].
    ///
    /// # Errors
    /// As [`Flow::parse`].
    fn parse(&self, body: &str) -> Result<Parsed<AnyEvent>>;
    /// As [`Flow::handle`].
    fn handle<'a>(&'a self, event: &'a AnyEvent, run: &'a Run) -> Eventual<'a, Result<Outcome>>;
    /// As [`Flow::put_aside`].
    fn put_aside<'a>(
        &'a self,
        event: &'a AnyEvent,
        reason: &'a Reason,
        run: &'a Run,
    ) -> Eventual<'a, Result<Value>>;
    /// As [`Flow::abandon`].
    fn abandon<'a>(&'a self, run: &'a Run) -> Eventual<'a, ()>;
}

impl<F: Flow> AnyFlow for F {
    fn parse(&self, body: &str) -> Result<Parsed<AnyEvent>> {
        let Parsed { events, mut refused } = Flow::parse(self, body)?;
        let mut known = Vec::with_capacity(events.len());
        for event in events {
            match std::panic::catch_unwind(AssertUnwindSafe(|| (self.item(&event), self.happened(&event)))) {
                Ok((item, happened)) => known.push(AnyEvent(Box::new(event), item, happened)),
                Err(_panic) => refused.push(Reason::from(&Error::bug("identify", "the flow panicked"))),
            }
        }
        Ok(Parsed { events: known, refused })
    }

    fn handle<'a>(&'a self, event: &'a AnyEvent, run: &'a Run) -> Eventual<'a, Result<Outcome>> {
        Box::pin(async move {
            match event.0.downcast_ref() {
                Some(event) => Flow::handle(self, event, run).await,
                None => Err(Error::bug("handle", "an event of another flow")),
            }
        })
    }

    fn put_aside<'a>(
        &'a self,
        event: &'a AnyEvent,
        reason: &'a Reason,
        run: &'a Run,
    ) -> Eventual<'a, Result<Value>> {
        Box::pin(async move {
            match event.0.downcast_ref() {
                Some(event) => Flow::put_aside(self, event, reason, run).await,
                None => Err(Error::bug("put aside", "an event of another flow")),
            }
        })
    }

    fn abandon<'a>(&'a self, run: &'a Run) -> Eventual<'a, ()> {
        Box::pin(Flow::abandon(self, run))
    }
}
