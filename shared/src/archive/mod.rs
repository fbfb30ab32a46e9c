//! Archiving in Preservica, once: what is to be kept is looked for by an identifier, brought in when it is not there, followed
//! until it is, compared file by file, and remembered.
//!
//! Preservica keeps nothing apart: a package that arrives twice is two assets. What keeps it to one:
//!
//! - One worker at a time is at an identifier, under a lock of the ledger. Since a lock can be outlived, what is remembered of
//!   the identifier is only ever changed by whoever read it last: a slow worker's step fails.
//! - The reference of the asset is chosen and remembered before anything is sent.
//! - Every package goes in parts, whose joining is what makes it arrive. Parts are joined once, however often that is asked for,
//!   and that they are about to be joined is remembered before. So an answer that is lost leaves no doubt: the parts are joined
//!   again, and either that makes the package arrive, or it had arrived.
//! - Another package goes only after the server has said that the ingest of the first has ended without an asset.
//!
//! What is archived is not what was sent until every checksum that the archive tells is that of the source. Where it tells none
//! that is known here, its bytes are read.

mod bring;
mod compare;
mod deposit;
mod follow;
mod memory;
mod replace;

use std::{future::Future, time::Duration};

use self::{compare::described, memory::Memory};
pub use self::{
    compare::{Difference, How as Differs},
    deposit::{Deposit, DepositedFile, WhenDifferent},
};
use crate::{
    error::{Error, FailureClass, Result, Retry, System},
    flow::Run,
    http::RangedSource,
    preservica::{Client, EntityKind, Reference},
};

/// Whose locks and notes these are in the ledger: all flows that archive share them.
const NAMESPACE: &str = "archive";
const OPERATION: &str = "archive";
/// The facts of the audit event that tell what it is about, and under which name it is remembered.
const IDENTIFIER: &str = "identifier";
const REMEMBERED: &str = "remembered";

/// Another delivery of the same is being dealt with.
pub const BUSY: &str = "preservation.busy";
/// Somebody else went on meanwhile.
pub const OVERTAKEN: &str = "preservation.overtaken";
/// It has arrived, and its ingest has not ended.
pub const INGESTING: &str = "preservation.ingesting";
/// Its ingest has ended without an asset; it is brought in once more.
pub const INGEST_FAILED: &str = "preservation.ingest-failed";
/// Its ingest ended without an asset as often as it was tried.
pub const INGEST_GIVEN_UP: &str = "preservation.ingest-given-up";
/// Its ingest waits for a person, in Preservica.
pub const NEEDS_PERSON: &str = "preservation.needs-person";
/// Several assets have the identifier.
pub const SEVERAL: &str = "preservation.several-assets";
/// What is archived is not what was sent.
pub const WRONG_FIXITY: &str = "preservation.wrong-fixity";
/// What is archived has other files than what is to be.
pub const OTHER_FILES: &str = "preservation.other-files";
/// It was archived before, and was removed from the archive.
pub const REMOVED: &str = "preservation.removed";

/// How patient the archive is.
#[derive(Debug, Clone)]
pub struct Settings {
    /// How long one delivery waits for an ingest before it leaves it for a while.
    pub wait: Duration,
    /// For how long it is left.
    pub pause: Duration,
    /// How long an ingest may take before a person has to look.
    pub patience: Duration,
    /// For how long a request whose answer was lost may still take effect.
    pub settling: Duration,
    /// How often a package is sent in all, when its ingest ends without an asset.
    pub attempts: u32,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            wait: Duration::from_secs(15),
            pause: Duration::from_secs(60),
            patience: Duration::from_secs(24 * 3600),
            settling: Duration::from_secs(120),
            attempts: 3,
        }
    }
}

/// An archive.
#[derive(Debug, Clone)]
pub struct Archive {
    client: Client,
    settings: Settings,
}

/// How far it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// It is archived, and that was verified.
    Archived(Archived),
    /// There is more to do than fits this invocation; what was done is remembered.
    Continue,
    /// In a dry run: what would be done.
    Would(&'static str),
}

/// Something that is archived.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Archived {
    /// The asset.
    pub asset: Reference,
    /// How it came to be.
    pub how: Became,
}

/// How something came to be archived.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Became {
    /// It was brought in.
    Ingested,
    /// It was there with other content, which was replaced.
    Replaced,
    /// It was there already.
    Unchanged,
    /// It is there with other content, which was left as it is.
    Different,
}

impl Archived {
    fn new(asset: &Reference, how: Became) -> Self {
        Self { asset: asset.clone(), how }
    }
}

impl Archive {
    /// An archive behind a client.
    pub fn new(client: Client, settings: Settings) -> Self {
        Self { client, settings }
    }

    /// The client.
    pub fn client(&self) -> &Client {
        &self.client
    }

    /// Takes what is to be archived as far as this invocation goes. `pack` makes its package for an asset of the reference it is
    /// given, with the identifier in it: the same bytes for the same reference, as often as it is asked.
    ///
    /// # Errors
    /// [`BUSY`], [`OVERTAKEN`], [`INGESTING`], [`INGEST_FAILED`] (`Transient`): later again. [`SEVERAL`], [`WRONG_FIXITY`],
    /// [`OTHER_FILES`], [`REMOVED`], [`NEEDS_PERSON`], [`INGEST_GIVEN_UP`] (`Forbidden`): a person has to look. Undecided, when
    /// nobody can know whether it has arrived. As any call, and what `pack` gives.
    pub async fn keep<P, F>(&self, run: &Run, deposit: &Deposit, pack: P) -> Result<Step>
    where
        P: Fn(Reference) -> F + Send + Sync,
        F: Future<Output = Result<RangedSource>> + Send,
    {
        deposit.check()?;
        let name = deposit.name();
        let settling = i64::try_from(self.settings.settling.as_millis()).unwrap_or(i64::MAX);
        let until = run.lease_until().saturating_add(settling);
        let lock = run.ledger().lock(NAMESPACE, &name, until).await?;
        let lock = lock.ok_or_else(|| later(BUSY, "another delivery of the same is being dealt with"))?;
        run.note(IDENTIFIER, format!("{} {}", deposit.kind, deposit.value));
        run.note(REMEMBERED, &name);
        let outcome = Box::pin(self.under_lock(run, deposit, &name, &pack)).await;
        run.leave_after(&lock, outcome, self.settings.settling).await
    }

    /// Throws away what this delivery, which ends undelivered, or an earlier one began to send. What has arrived is left, and what
    /// may have only where the storage says that it has not.
    ///
    /// # Errors
    /// [`BUSY`]. As any call.
    pub async fn abandon(&self, run: &Run) -> Result<()> {
        let Some(name) = run.notes().remove(REMEMBERED) else { return Ok(()) };
        let lock = run.ledger().lock(NAMESPACE, &name, run.lease_until()).await?;
        let lock = lock.ok_or_else(|| later(BUSY, "another delivery of the same is being dealt with"))?;
        let outcome = async {
            let Some(mut memory) = Memory::read(run, &name).await? else { return Ok(()) };
            if memory.told.arrived.is_some() || !memory.told.upload.is_begun() {
                return Ok(());
            }
            // Parts that were refused to be joined are there still; where they are not, they may have arrived.
            if memory.told.upload.may_have_arrived() {
                self.client.withdraw_upload(&mut memory.told.upload).await?;
            } else {
                self.client.abandon_upload(&mut memory.told.upload).await?;
            }
            memory.keep(run).await?;
            Ok(())
        };
        let outcome = outcome.await;
        run.leave(&lock).await;
        outcome
    }

    async fn under_lock<P, F>(&self, run: &Run, deposit: &Deposit, name: &str, pack: &P) -> Result<Step>
    where
        P: Fn(Reference) -> F + Send + Sync,
        F: Future<Output = Result<RangedSource>> + Send,
    {
        let memory = Memory::read(run, name).await?;
        match self.look(deposit, memory.as_ref()).await? {
            Some(asset) => self.there(run, deposit, &asset, memory, name).await,
            None if run.is_dry() => Ok(Step::Would("it would be ingested")),
            None => Box::pin(self.bring(run, deposit, memory, name, pack)).await,
        }
    }

    /// The one asset that has the identifier, or is the one that was chosen for it.
    async fn look(&self, deposit: &Deposit, memory: Option<&Memory>) -> Result<Option<Reference>> {
        let listed = self.client.by_identifier(&deposit.kind, &deposit.value).all().await?;
        let is_asset = |kind: Option<EntityKind>| kind.is_none_or(|kind| kind == EntityKind::Asset);
        let mut found: Vec<Reference> = listed
            .into_iter()
            .filter(|one| !one.is_deleted && is_asset(one.kind))
            .map(|one| one.reference)
            .collect();
        found.sort();
        found.dedup();
        if found.len() > 1 {
            let names: Vec<&str> = found.iter().map(Reference::as_str).collect();
            let message = format!(
                "{} assets have the identifier {} {}: {}",
                names.len(),
                deposit.kind,
                deposit.value,
                names.join(", ")
            );
            return Err(person(SEVERAL, message).remedy(
                "find out in Preservica which of them is to stay, and take the identifier off the others",
            ));
        }
        if found.is_empty()
            && let Some(memory) = memory
        {
            let own = self.client.find_entity(EntityKind::Asset, &memory.told.reference).await?;
            found.extend(own.filter(|entity| !entity.is_deleted).map(|entity| entity.reference));
        }
        Ok(found.pop())
    }

    /// It is there: it is compared, perhaps replaced, and remembered.
    async fn there(
        &self,
        run: &Run,
        deposit: &Deposit,
        asset: &Reference,
        memory: Option<Memory>,
        name: &str,
    ) -> Result<Step> {
        if let Some(memory) = &memory
            && let Some(token) = memory.told.token.clone().filter(|_| &memory.told.reference == asset)
        {
            // It may be seen before all of it is there.
            self.is_over(run, memory, &token).await?;
        }
        let replaced = memory.as_ref().map_or(0, |memory| memory.told.replaced);
        let Some(differences) = self.compare(run, asset, deposit, &replaced.to_string()).await? else {
            return Ok(Step::Continue);
        };
        let ours = memory.as_ref().is_some_and(|memory| memory.brought(asset, deposit));
        if differences.is_empty() {
            let how = match &memory {
                Some(memory) if memory.told.changing.is_some() || replaced > 0 => Became::Replaced,
                Some(memory) if ours && memory.told.archived.is_none() => Became::Ingested,
                _ => Became::Unchanged,
            };
            return self.record(run, deposit, asset, memory, name, how).await;
        }
        // It was verified before, or was sent and never: nobody but a person may touch it.
        let is_known = memory.as_ref().is_some_and(|memory| match &memory.told.archived {
            Some(archived) => *archived == deposit.print(),
            None => ours,
        });
        if is_known {
            let message =
                format!("what was archived as {asset} is not what was sent: {}", described(&differences));
            return Err(person(WRONG_FIXITY, message).remedy(
                "compare the asset in Preservica with its source; nothing was removed on either side",
            ));
        }
        match deposit.when_different {
            WhenDifferent::Leave => Ok(Step::Archived(Archived::new(asset, Became::Different))),
            WhenDifferent::Replace if run.is_dry() => Ok(Step::Would("its content would be replaced")),
            WhenDifferent::Replace => {
                let memory = memory.unwrap_or_else(|| Memory::new(name, asset.clone(), deposit));
                Box::pin(self.replace(run, deposit, asset, memory, differences)).await
            }
        }
    }

    /// What is archived and verified is remembered; a second time nothing is written.
    async fn record(
        &self,
        run: &Run,
        deposit: &Deposit,
        asset: &Reference,
        memory: Option<Memory>,
        name: &str,
        how: Became,
    ) -> Result<Step> {
        if run.is_dry() {
            return Ok(Step::Would("it is archived already"));
        }
        let of_asset = (EntityKind::Asset, asset);
        self.client.ensure_identifier(of_asset, &deposit.kind, &deposit.value).await?;
        let mut memory = memory.unwrap_or_else(|| Memory::new(name, asset.clone(), deposit));
        if memory.told.upload.is_begun() && !memory.told.upload.may_have_arrived() {
            // Somebody else brought it in: what was begun is thrown away.
            self.client.abandon_upload(&mut memory.told.upload).await?;
        }
        let is_known =
            memory.told.reference == *asset && memory.told.archived.as_deref() == Some(&*deposit.print());
        if !is_known || memory.told.changing.is_some() {
            run.ledger().put_reference(&deposit.kind, &deposit.value, "preservica", asset.as_str()).await?;
            memory.archived(asset, deposit);
            memory.keep(run).await?;
        }
        run.note("asset", asset.as_str());
        Ok(Step::Archived(Archived::new(asset, how)))
    }
}

/// To be tried again soon.
fn later(code: &'static str, message: impl Into<String>) -> Error {
    Error::new(FailureClass::Transient, System::Waybill, OPERATION, code, message)
        .retry(Retry::After(Duration::from_secs(5)))
}

/// A person has to look.
fn person(code: &'static str, message: impl Into<String>) -> Error {
    Error::new(FailureClass::Forbidden, System::Preservica, OPERATION, code, message)
}
