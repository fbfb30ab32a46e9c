//! A small flow that drives the archive engine: what a message names is packed and kept in Preservica. It stands for the flows
//! that archive, and is nowhere but in tests.

use std::{
    collections::{BTreeMap, BTreeSet},
    future::ready,
    sync::{LazyLock, Mutex},
    time::Duration,
};

use bytes::Bytes;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use shared::{
    archive::{Archive, Became, Deposit, DepositedFile, Settings, Step, WhenDifferent},
    environment::Environment,
    error::{Error, Result, System},
    flow::{Delivery, Entry, Flow, Item, Outcome, Parsed, Reason, Run},
    http::RangedSource,
    ledger::Key,
    packages::{
        Algorithm, Content, Package, Part, Purpose, Representation,
        xip::{self, Asset, NewAsset},
    },
    preservica::Reference,
};

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

    /// They, measured; once, however often they are asked for.
    fn measured(&self) -> Content {
        static KNOWN: LazyLock<Mutex<BTreeMap<(u8, usize), Content>>> = LazyLock::new(Mutex::default);
        let mut known = KNOWN.lock().expect("no panic");
        let measure = || Content::of_bytes(self.content(), &[Algorithm::Sha1, Algorithm::Sha256]);
        known.entry((self.seed, self.size)).or_insert_with(measure).clone()
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

    /// What it is made of. References of parts follow from that of the asset, so that a package is the same bytes every time.
    fn contents(&self, asset: &str) -> Vec<Representation> {
        let purposes = [Purpose::Preservation, Purpose::Access];
        let made = purposes.into_iter().map(|purpose| {
            let files = self.files.iter().filter(|file| file.access == (purpose == Purpose::Access));
            let parts = files.map(|file| Part::new(part_of(asset, &file.name), &file.name, file.measured()));
            Representation { purpose, name: purpose.name().to_owned(), parts: parts.collect() }
        });
        made.filter(|representation| !representation.parts.is_empty()).collect()
    }

    /// What the engine is asked to keep.
    ///
    /// # Errors
    /// When a content was not measured.
    pub fn deposit(&self) -> Result<Deposit> {
        let files = DepositedFile::of(&self.contents(""))?;
        SENT.lock().expect("no panic").extend(files.iter().map(|file| file.sha256.clone()));
        Ok(Deposit {
            kind: IDENTIFIER.to_owned(),
            value: self.value.clone(),
            folder: Reference::new(&self.folder),
            files,
            when_different: match self.replace {
                true => WhenDifferent::Replace,
                false => WhenDifferent::Leave,
            },
        })
    }

    /// Its package for an asset of this reference.
    ///
    /// # Errors
    /// When its names do not fit into a package.
    pub fn package(&self, asset: &Reference) -> Result<RangedSource> {
        let about = Asset {
            reference: asset.as_str().to_owned(),
            title: self.value.clone(),
            security_tag: "open".to_owned(),
            parent: Some(self.folder.clone()),
            identifiers: vec![(IDENTIFIER.to_owned(), self.value.clone())],
            ..Asset::default()
        };
        let new = NewAsset { about, contents: self.contents(asset.as_str()), effective: None };
        let entries = xip::package(&[new], "6.0")?;
        Ok(Package::new(entries, Timestamp::UNIX_EPOCH)?.source())
    }
}

/// A reference that follows from that of an asset.
fn part_of(asset: &str, name: &str) -> String {
    let hash = hex::encode(Sha256::digest(format!("{asset} {name}")));
    let piece = |from: usize, to: usize| hash.get(from..to).unwrap_or_default();
    format!("{}-{}-4{}-a{}-{}", piece(0, 8), piece(8, 12), piece(12, 15), piece(15, 18), piece(18, 30))
}

static SENT: LazyLock<Mutex<BTreeSet<String>>> = LazyLock::new(Mutex::default);

/// SHA-256 of everything that was ever to be kept.
///
/// # Panics
/// When a test has panicked.
pub fn checksums() -> BTreeSet<String> {
    SENT.lock().expect("no panic").clone()
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
        let deposit = event.deposit()?;
        let pack = |asset: Reference| ready(event.package(&asset));
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
