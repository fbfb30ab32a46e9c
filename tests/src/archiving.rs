//! A small flow that drives the archive engine: what a message names is packed and kept in Preservica. It stands for the flows
//! that archive, and is nowhere but in tests.

use std::{
    collections::BTreeSet,
    future::ready,
    sync::{LazyLock, Mutex},
    time::Duration,
};

use bytes::Bytes;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use shared::{
    archive::{Archive, Became, Deposit, DepositedFile, Settings, Step, WhenDifferent},
    environment::Environment,
    error::{Error, Result, System},
    flow::{Delivery, Entry, Flow, Item, Outcome, Parsed, Reason, Run},
    http::{RangedSource, full},
    ledger::Key,
    preservica::{Reference, RepresentationKind},
};

use crate::xip;

/// Whose identifier the assets are found by.
pub const IDENTIFIER: &str = "OTMM";
/// What the identifiers that tests make begin with.
pub const OURS: &str = "kept-";

/// The flow.
pub static KEEP_MASTERS: Entry = Entry::of::<KeepMasters>();

/// What a message asks for.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Master {
    /// Its identifier.
    pub value: String,
    /// Which event this is: two of them may be about one thing.
    pub occasion: String,
    /// The folder it goes to.
    pub folder: String,
    /// Its files.
    pub files: Vec<MasterFile>,
    /// Content that differs is replaced.
    pub replace: bool,
}

/// A file of it.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MasterFile {
    /// Its name.
    pub name: String,
    /// Whether it is for access.
    pub access: bool,
    /// What its bytes follow from.
    pub seed: u8,
    /// How many there are.
    pub size: usize,
}

impl MasterFile {
    /// A file that is preserved.
    pub fn preserved(name: &str, seed: u8, size: usize) -> Self {
        Self { name: name.to_owned(), access: false, seed, size }
    }

    /// A file for access.
    pub fn for_access(name: &str, seed: u8, size: usize) -> Self {
        Self { access: true, ..Self::preserved(name, seed, size) }
    }

    /// Its bytes.
    pub fn content(&self) -> Bytes {
        let mut state = u64::from(self.seed) + 1;
        let bytes = (0..self.size).map(|_| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            u8::try_from(state >> 56).unwrap_or_default()
        });
        bytes.collect::<Vec<u8>>().into()
    }
}

impl Master {
    /// The message that asks for it.
    ///
    /// # Panics
    /// Never: it is made of texts and numbers.
    pub fn message(&self) -> String {
        serde_json::to_string(self).expect("it can be written")
    }

    /// What the engine is asked to keep.
    pub fn deposit(&self) -> Deposit {
        let files = self.files.iter().map(|file| {
            let content = file.content();
            let sha256 = hex::encode(Sha256::digest(&content));
            SENT.lock().expect("no panic").insert(sha256.clone());
            DepositedFile {
                representation: match file.access {
                    true => RepresentationKind::Access,
                    false => RepresentationKind::Preservation,
                },
                name: file.name.clone(),
                size: content.len() as u64,
                sha256,
                fixities: Vec::new(),
                source: source(content),
            }
        });
        Deposit {
            kind: IDENTIFIER.to_owned(),
            value: self.value.clone(),
            folder: Reference::new(&self.folder),
            files: files.collect(),
            when_different: match self.replace {
                true => WhenDifferent::Replace,
                false => WhenDifferent::Leave,
            },
        }
    }
}

static SENT: LazyLock<Mutex<BTreeSet<String>>> = LazyLock::new(Mutex::default);

/// SHA-256 of everything that was ever to be kept.
///
/// # Panics
/// When a test has panicked.
pub fn checksums() -> BTreeSet<String> {
    SENT.lock().expect("no panic").clone()
}

/// Bytes that can be read from any place, as often as needed.
pub fn source(bytes: Bytes) -> RangedSource {
    RangedSource::new(bytes.len() as u64, move |offset, length| {
        let end = usize::try_from(offset + length).unwrap_or(usize::MAX).min(bytes.len());
        let part = bytes.slice(usize::try_from(offset).unwrap_or(usize::MAX).min(end)..end);
        ready(Ok(full(part)))
    })
}

/// Keeps masters in Preservica.
pub struct KeepMasters {
    environment: Environment,
    archive: Archive,
}

/// A shorter patience than is usual: a night is not to be a day.
fn patience() -> Settings {
    Settings { patience: Duration::from_secs(2 * 3600), ..Settings::default() }
}

impl Flow for KeepMasters {
    const NAME: &'static str = "keep-masters";
    const SYSTEMS: &'static [System] = &[System::Preservica];
    type Event = Master;

    async fn connect(environment: &Environment) -> Result<Self> {
        let archive = Archive::new(environment.preservica().await?, patience());
        Ok(Self { environment: environment.clone(), archive })
    }

    fn parse(&self, body: &str) -> Result<Parsed<Master>> {
        let event: Master = serde_json::from_str(body)
            .map_err(|error| Error::invalid("message.unreadable", error.to_string()))?;
        Ok(Parsed { events: vec![event], refused: Vec::new() })
    }

    fn item(&self, event: &Master) -> Item {
        Item {
            key: Key::of(&[&event.value, &event.occasion]),
            payload_hash: hex::encode(Sha256::digest(event.message())),
            asset: Key::of(&[&event.value]).digest().to_owned(),
            asset_text: event.value.clone(),
        }
    }

    async fn handle(&self, event: &Master, run: &Run) -> Result<Outcome> {
        self.environment.renew_preservica_credential(self.archive.client()).await?;
        let deposit = event.deposit();
        let pack = |reference: Reference| {
            let files: Vec<(bool, &str, Bytes)> =
                event.files.iter().map(|file| (file.access, file.name.as_str(), file.content())).collect();
            let package =
                xip::package(reference.as_str(), &event.folder, (IDENTIFIER, event.value.as_str()), &files);
            ready(Ok(source(package)))
        };
        match Box::pin(self.archive.keep(run, &deposit, pack)).await? {
            Step::Continue => Ok(Outcome::Continue),
            Step::Would(what) => Ok(Outcome::Skipped(Reason::new("dry-run", what))),
            Step::Archived(archived) if archived.how == Became::Different => {
                Ok(Outcome::Skipped(Reason::new("preservation.different", "it is there with other content")))
            }
            Step::Archived(archived) => {
                let result = serde_json::json!({"asset": archived.asset.as_str()});
                Ok(Outcome::Delivered(Delivery { result, ..Delivery::default() }))
            }
        }
    }

    async fn put_aside(&self, _: &Master, reason: &Reason, _: &Run) -> Result<serde_json::Value> {
        Ok(serde_json::json!({"reason": reason.code}))
    }

    async fn abandon(&self, run: &Run) {
        if let Err(error) = self.archive.abandon(run).await {
            tracing::warn!(error = ?error, "what was begun to be sent stays at the storage");
        }
    }
}
