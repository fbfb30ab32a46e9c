//! One delivery of one item, as a flow sees it.

use std::{collections::BTreeMap, future::Future, sync::Mutex, time::Duration};

use serde::{Serialize, de::DeserializeOwned};

use super::{Item, Measure, Policy};
use crate::{
    context::Context,
    error::{Error, FailureClass, Result, Retry, System},
    ledger::{Attempt, Begin, ChainEnd, Ledger},
    lost_answers,
};

/// One delivery of one item: its claim, its deadline, and the way effects are made.
#[derive(Debug)]
pub struct Run {
    ledger: Ledger,
    attempt: Mutex<Attempt>,
    taken_over: bool,
    asset: String,
    chain_end: Mutex<Option<ChainEnd>>,
    stop_at: i64,
    dry_run: bool,
    retries: Mutex<u32>,
    notes: Mutex<BTreeMap<String, String>>,
    measured: Mutex<Vec<(Measure, f64)>>,
    happened: Option<i64>,
    envelope: Mutex<Option<String>>,
}

/// After the name of an effect: the checkpoint that tells that it was begun and must not be made twice.
const BEGUN: &str = ".begun";

/// How long to wait before looking for an effect whose answer was lost, each time.
const LOOK_AGAIN: [Duration; 3] = [Duration::ZERO, Duration::from_millis(500), Duration::from_secs(2)];

impl Run {
    pub(crate) fn new(ledger: Ledger, attempt: Attempt, asset: String, stop_at: i64, dry_run: bool) -> Self {
        Self {
            taken_over: attempt.is_taken_over(),
            attempt: Mutex::new(attempt),
            ledger,
            asset,
            chain_end: Mutex::new(None),
            stop_at,
            dry_run,
            retries: Mutex::new(0),
            notes: Mutex::default(),
            measured: Mutex::default(),
            happened: None,
            envelope: Mutex::default(),
        }
    }

    /// Says when what the item is about happened, in milliseconds since the epoch.
    #[must_use]
    pub(crate) fn since(mut self, happened: Option<i64>) -> Self {
        self.happened = happened;
        self
    }

    pub(crate) fn happened(&self) -> Option<i64> {
        self.happened
    }

    pub(crate) fn keep_envelope(&self, envelope: String) {
        *lock(&self.envelope) = Some(envelope);
    }

    /// The body of the message an item that is put aside came in, as it was sent.
    pub fn envelope(&self) -> Option<String> {
        lock(&self.envelope).clone()
    }

    /// Claims an item outside the batch runner, for tools and tests: a run until `stop_at` under a lease until
    /// `lease_until` (milliseconds since the epoch), or nothing when it is not ours to do.
    ///
    /// # Errors
    /// When the ledger cannot be reached.
    pub async fn claim(
        ledger: &Ledger,
        flow: &str,
        item: &Item,
        lease_until: i64,
        stop_at: i64,
    ) -> Result<Option<Self>> {
        let begin = ledger.begin(flow, &item.key, &item.payload_hash, lease_until).await?;
        let Begin::Ours(attempt) = begin else { return Ok(None) };
        Ok(Some(Self::new(ledger.clone(), attempt, item.asset.clone(), stop_at, false)))
    }

    /// The context it runs in.
    pub fn context(&self) -> &Context {
        self.ledger.context()
    }

    /// The ledger, for locks and references.
    pub fn ledger(&self) -> &Ledger {
        &self.ledger
    }

    /// Whether an earlier attempt may have acted.
    pub fn is_taken_over(&self) -> bool {
        self.taken_over
    }

    /// Whether effects are to be described instead of made.
    pub fn is_dry(&self) -> bool {
        self.dry_run
    }

    /// When the claim ends, in milliseconds since the epoch.
    pub fn lease_until(&self) -> i64 {
        self.attempt().lease_until
    }

    /// Whether it is time to checkpoint and continue in another invocation.
    pub fn must_stop(&self) -> bool {
        self.context().now_milliseconds() >= self.stop_at
    }

    /// The end of the asset's audit chain: one read per delivery.
    ///
    /// # Errors
    /// When the ledger cannot be reached.
    pub async fn chain_end(&self) -> Result<ChainEnd> {
        if let Some(end) = lock(&self.chain_end).clone() {
            return Ok(end);
        }
        let end = self.ledger.chain_end(&self.asset).await?;
        *lock(&self.chain_end) = Some(end.clone());
        Ok(end)
    }

    pub(crate) fn known_chain_end(&self) -> Option<ChainEnd> {
        lock(&self.chain_end).clone()
    }

    pub(crate) fn attempt(&self) -> Attempt {
        lock(&self.attempt).clone()
    }

    pub(crate) fn retries(&self) -> u32 {
        *lock(&self.retries)
    }

    /// Adds a fact to the audit event of this item, however it ends.
    pub fn note(&self, name: &str, fact: impl Into<String>) {
        lock(&self.notes).insert(name.to_owned(), fact.into());
    }

    pub(crate) fn notes(&self) -> BTreeMap<String, String> {
        lock(&self.notes).clone()
    }

    /// Measures something for the metrics of the batch, however the item ends.
    pub fn measure(&self, what: Measure, value: f64) {
        lock(&self.measured).push((what, value));
    }

    pub(crate) fn measured(&self) -> Vec<(Measure, f64)> {
        lock(&self.measured).clone()
    }

    /// What an earlier attempt (or an earlier step) recorded under a name.
    pub fn recorded<T: DeserializeOwned>(&self, name: &str) -> Option<T> {
        let value = lock(&self.attempt).checkpoints.get(name).cloned()?;
        serde_json::from_value(value).ok()
    }

    /// Records that a step is done: one ledger write. Only for plans of several effects and for long ones.
    ///
    /// # Errors
    /// When the item is not ours any more, or the ledger cannot be reached.
    pub async fn checkpoint<T: Serialize>(&self, name: &str, value: &T) -> Result<()> {
        let value = serde_json::to_value(value).map_err(|error| {
            Error::bug("checkpoint", "a checkpoint cannot be written as JSON").source(error)
        })?;
        let attempt = {
            let mut attempt = lock(&self.attempt);
            attempt.next_checkpoint();
            attempt.clone()
        };
        self.ledger.checkpoint(&attempt, name, &value).await?;
        lock(&self.attempt).checkpoints.insert(name.to_owned(), value);
        Ok(())
    }

    /// Makes one effect in a target, exactly once as far as the target can tell.
    ///
    /// `probe` asks the target whether the effect is there; it is asked before acting when an earlier attempt may
    /// have acted, and after acting when the answer was lost.
    ///
    /// # Errors
    /// What `probe` and `act` give; `ledger.lease-over` when the claim has ended, so that a slow worker stops.
    pub async fn effect<T, P, A>(
        &self,
        name: &'static str,
        policy: Policy,
        probe: impl Fn() -> P + Send + Sync,
        act: impl Fn() -> A + Send + Sync,
    ) -> Result<T>
    where
        T: Send + Serialize + DeserializeOwned,
        P: Future<Output = Result<Option<T>>> + Send,
        A: Future<Output = Result<T>> + Send,
    {
        self.check_lease(name)?;
        if policy == Policy::NeverRepeat {
            return self.never_repeat(name, probe, act).await;
        }
        if self.taken_over
            && policy == Policy::CheckThenRepeat
            && let Some(there) = probe().await?
        {
            return Ok(there);
        }
        self.check_lease(name)?;
        match act().await {
            Err(error)
                if error.class() == FailureClass::UnknownOutcome && policy == Policy::CheckThenRepeat =>
            {
                match self.look_again(probe).await {
                    Ok(there) => there.ok_or(error),
                    // Nobody knows yet, and whoever stopped the look says when to look again.
                    Err(trouble) => match trouble.retry_advice() {
                        Retry::After(pause) => Err(error.not_before(pause)),
                        Retry::Later => Err(error),
                        Retry::Never => Err(trouble),
                    },
                }
            }
            Err(error) if error.class() == FailureClass::UnknownOutcome => {
                *lock(&self.retries) += 1;
                lost_answers::note();
                act().await
            }
            outcome => outcome,
        }
    }

    async fn never_repeat<T, P, A>(
        &self,
        name: &'static str,
        probe: impl Fn() -> P + Send + Sync,
        act: impl Fn() -> A + Send + Sync,
    ) -> Result<T>
    where
        T: Send + Serialize + DeserializeOwned,
        P: Future<Output = Result<Option<T>>> + Send,
        A: Future<Output = Result<T>> + Send,
    {
        if let Some(done) = self.recorded::<T>(name) {
            return Ok(done);
        }
        let intent = format!("{name}{BEGUN}");
        if self.recorded::<bool>(&intent) == Some(true) {
            return self.look_again(probe).await?.ok_or_else(|| undecided(name));
        }
        if self.taken_over
            && let Some(there) = probe().await?
        {
            return Ok(there);
        }
        self.checkpoint(&intent, &true).await?;
        let done = match act().await {
            Err(error) if error.class() == FailureClass::UnknownOutcome => {
                self.look_again(probe).await?.ok_or_else(|| undecided(name))?
            }
            // A definite refusal: nothing was begun, and a later attempt may try.
            Err(error) => {
                self.checkpoint(&intent, &false).await?;
                return Err(error);
            }
            Ok(done) => done,
        };
        self.checkpoint(name, &done).await?;
        Ok(done)
    }

    /// Whether a person has decided that an effect, whose intent is kept elsewhere and whose end nobody knows, may be made once
    /// more. Where nobody has, it is recorded as begun, so that somebody can.
    ///
    /// # Errors
    /// As [`Run::checkpoint`].
    pub(crate) async fn may_repeat(&self, name: &str) -> Result<bool> {
        let intent = format!("{name}{BEGUN}");
        let known = self.recorded::<bool>(&intent);
        if known.is_none() {
            self.checkpoint(&intent, &true).await?;
        }
        Ok(known == Some(false))
    }

    /// What a person has decided counts once.
    ///
    /// # Errors
    /// As [`Run::checkpoint`].
    pub(crate) async fn is_repeated(&self, name: &str) -> Result<()> {
        self.checkpoint(&format!("{name}{BEGUN}"), &true).await
    }

    async fn look_again<T, P>(&self, probe: impl Fn() -> P + Send + Sync) -> Result<Option<T>>
    where
        P: Future<Output = Result<Option<T>>> + Send,
    {
        for pause in LOOK_AGAIN {
            self.context().sleep(pause).await;
            *lock(&self.retries) += 1;
            if let Some(there) = probe().await? {
                return Ok(Some(there));
            }
        }
        Ok(None)
    }

    /// Whether the claim still holds.
    ///
    /// # Errors
    /// `ledger.lease-over` when it does not.
    pub(crate) fn check_lease(&self, effect: &'static str) -> Result<()> {
        if self.context().now_milliseconds() < self.lease_until() {
            return Ok(());
        }
        Err(Error::new(
            FailureClass::Conflict,
            System::Ledger,
            effect,
            "ledger.lease-over",
            "the claim on this item ended before the effect",
        )
        .retry(Retry::Later))
    }
}

/// A person has looked and decides: what was begun without a known end may be made once more, if it is not there.
pub(crate) fn allow_repeat(checkpoints: &mut BTreeMap<String, serde_json::Value>) {
    for (name, begun) in checkpoints.iter_mut() {
        if name.ends_with(BEGUN) {
            *begun = false.into();
        }
    }
}

/// The code of an effect that was begun and of which nobody knows whether it took place.
pub const EFFECT_UNDECIDED: &str = "effect.undecided";

fn undecided(name: &'static str) -> Error {
    Error::new(
        FailureClass::Bug,
        System::Waybill,
        name,
        EFFECT_UNDECIDED,
        "it is not known whether this effect took place, and it must not take place twice",
    )
    .remedy(
        "look in the target system: when it took place, redrive the message; when it did not, send the message again \
         with the attribute waybill-decision = repeat",
    )
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}
