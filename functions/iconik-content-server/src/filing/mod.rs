//! A file, preview or picture of an asset becomes a document in Content Server, or a version of one.
//!
//! For every flow of this pair that brings media over: what a version of an asset consists of and whether it can be used
//! ([`media`]), its bytes as a content for [`shared::filing`] ([`source`]), and the memory of what has been filed, by
//! asset, version, format and file. The rules' words, the place, categories, classification, rights and the proof by
//! SHA-256 are those of [`shared::filing`].

pub mod media;
pub mod source;

use std::collections::{BTreeMap, BTreeSet};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use shared::{
    content_server::{self, NodeId},
    error::{Error, Result},
    filing::{Content, Existing, Filed, Filer, Filing, FilingPlan, Guard, Told, Verify, VersionsOf, parts},
    flow::{Reason, Run},
    iconik::{self, AssetId, AssetVersion},
    ledger::Ledger,
    mapping::Violations,
};

pub use self::media::{Media, Part, VersionMedia};

/// The systems' names in cross-references of the ledger.
pub const ICONIK: &str = "iconik";
/// See above.
pub const CONTENT_SERVER: &str = "content-server";
/// What a file, preview or picture of a version is called there.
const MEDIA: &str = "iconik-media";

/// The code of a wait for a file that is still being written.
pub const NOT_CLOSED: &str = "file.not-closed";

/// What was made of a file, preview or picture. Kept in the ledger, so that it is made once.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FiledMedia {
    /// The document.
    pub node: NodeId,
    /// The number of its version.
    pub version: i64,
    /// SHA-256 of the content.
    pub sha256: String,
    /// Its length.
    pub bytes: u64,
    /// Whether the rights of the rule were given too, which is done last.
    #[serde(default)]
    pub restricted: bool,
}

/// How often a content is read.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Reading {
    /// Two readings must agree, as iconik states no checksum that one could rely on.
    #[default]
    Twice,
    /// One reading of the announced length is trusted.
    Once,
}

/// How a medium is to be filed.
#[derive(Clone, Copy)]
pub struct How<'a> {
    /// What is to be made of it.
    pub plan: &'a FilingPlan,
    /// How often it is read.
    pub reading: Reading,
    /// How the document is compared with it.
    pub verify: Verify,
    /// What must hold at the last moment, besides that the file is still the same.
    pub guard: Option<Guard<'a>>,
    /// Who is told how far it is.
    pub told: Option<Told<'a>>,
}

/// What became of a medium.
#[derive(Debug, Clone)]
pub enum Outcome {
    /// It is there, by this attempt or an earlier one.
    Filed(FiledMedia),
    /// A later version of the asset is in its place already.
    Superseded(Reason),
}

/// Files media of one iconik in one Content Server for one flow. Cheap to clone.
#[derive(Debug, Clone)]
pub struct MediaFiler {
    iconik: iconik::Client,
    filer: Filer,
}

impl MediaFiler {
    /// Documents are locked under the flow's name while versions are added.
    pub fn new(flow: &'static str, iconik: iconik::Client, content_server: content_server::Client) -> Self {
        Self { iconik, filer: Filer::new(flow, content_server) }
    }

    /// What places documents.
    pub fn filer(&self) -> &Filer {
        &self.filer
    }

    /// The client of iconik.
    pub fn iconik(&self) -> &iconik::Client {
        &self.iconik
    }

    /// What has been made of a medium before.
    ///
    /// # Errors
    /// When the ledger cannot be reached.
    pub async fn known(&self, media: &Media, ledger: &Ledger) -> Result<Option<FiledMedia>> {
        let key = media.key();
        let noted = ledger.find_reference(MEDIA, key.digest(), CONTENT_SERVER).await?;
        Ok(noted.and_then(|noted| serde_json::from_str(&noted).ok()))
    }

    /// The documents that were made of whichever media of these versions of an asset, as far as iconik still lists them.
    ///
    /// # Errors
    /// As any call; when the ledger holds a note that cannot be read, as its document would be overlooked.
    pub async fn known_of(
        &self,
        asset: &AssetId,
        versions: &[AssetVersion],
        ledger: &Ledger,
    ) -> Result<BTreeSet<NodeId>> {
        let media = media::list_all(&self.iconik, asset, versions).await?;
        Ok(self.known_media(&media, ledger).await?.into_values().map(|filed| filed.node).collect())
    }

    /// What has been made of any of these media before, by the digests of their keys.
    ///
    /// # Errors
    /// As [`MediaFiler::known_of`], but for calls of iconik.
    pub async fn known_media(
        &self,
        media: &[Media],
        ledger: &Ledger,
    ) -> Result<BTreeMap<String, FiledMedia>> {
        let keys = media.iter().map(|media| media.key().digest().to_owned()).collect();
        let noted = ledger.find_references(MEDIA, &keys, CONTENT_SERVER).await?;
        let read = |(key, noted): (String, String)| match serde_json::from_str::<FiledMedia>(&noted) {
            Ok(filed) => Ok((key, filed)),
            Err(error) => {
                let message = "the ledger holds a note of a filed file that cannot be read";
                Err(Error::bug("find documents", message).source(error))
            }
        };
        noted.into_iter().map(read).collect()
    }

    /// Whether an earlier attempt at this item has made something of a medium that is not finished: not verified, or without
    /// its rights.
    ///
    /// # Errors
    /// As any call.
    pub async fn is_half_filed(&self, media: &Media, plan: &FilingPlan, run: &Run) -> Result<bool> {
        match self.known(media, run.ledger()).await? {
            Some(filed) => Ok(!filed.restricted),
            None => self.filer.is_begun(plan, &media.mark(), run).await,
        }
    }

    async fn remember(&self, media: &Media, filed: &FiledMedia, ledger: &Ledger) -> Result<()> {
        let text = serde_json::to_string(filed)
            .map_err(|error| Error::bug("remember file", "what was filed is not JSON").source(error))?;
        ledger.put_reference(MEDIA, media.key().digest(), CONTENT_SERVER, &text).await
    }

    /// Files a medium with everything its plan says, rights last. Safe to repeat.
    ///
    /// # Errors
    /// `shared::filing::parts::PAUSED` when it goes on in the next invocation; [`NOT_CLOSED`] (`Transient`) while it is
    /// being written; what makes it unusable; what the guard and the systems say.
    pub async fn file(&self, media: &Media, how: How<'_>, run: &Run) -> Result<Outcome> {
        let filed = match self.known(media, run.ledger()).await? {
            Some(filed) => filed,
            None => match Box::pin(self.place(media, how, run)).await? {
                Outcome::Filed(filed) => filed,
                superseded @ Outcome::Superseded(_) => return Ok(superseded),
            },
        };
        self.restrict(media, how, filed, run).await.map(Outcome::Filed)
    }

    async fn place(&self, media: &Media, how: How<'_>, run: &Run) -> Result<Outcome> {
        media.check_usable()?;
        let content = source::content(&self.iconik, media, how.reading, run).await?;
        let guard = || -> shared::filing::Step<'_> {
            Box::pin(async {
                media.check_unchanged(&self.iconik).await?;
                match how.guard {
                    Some(guard) => guard().await,
                    None => Ok(()),
                }
            })
        };
        let told = |bytes: u64| -> shared::filing::Step<'_> {
            Box::pin(async move {
                match how.told {
                    Some(told) => told(bytes).await,
                    None => Ok(()),
                }
            })
        };
        let (mark, origin) = (media.mark(), media.origin());
        let filing = Filing {
            plan: how.plan,
            mark: &mark,
            content: &content,
            verify: how.verify,
            versions_of: match how.plan.existing {
                Existing::KeepBoth => VersionsOf::Anything,
                Existing::NewVersion | Existing::SkipIfSame => VersionsOf::SameAsset,
            },
            origin: &origin,
            run,
            guard: Some(&guard),
            told: Some(&told),
        };
        let filed = match self.filer.file(&filing).await {
            Err(error) => return Err(why_broken(error, &content, run).await?),
            Ok(filed) => filed,
        };
        let filed = match filed {
            Filed::Done { placed, digests } => FiledMedia {
                node: placed.node,
                version: placed.version,
                sha256: digests.sha256,
                bytes: digests.bytes,
                restricted: false,
            },
            // The same bytes came with an earlier version of the asset.
            Filed::LeftAlone { reason, placed } if reason.code == shared::filing::SAME => {
                let passage = self.filer.passage(run);
                let digests = passage.source_digests(&content).await?;
                FiledMedia {
                    node: placed.node,
                    version: placed.version,
                    sha256: digests.sha256,
                    bytes: digests.bytes,
                    restricted: false,
                }
            }
            Filed::LeftAlone { .. } => {
                let message = "a later version of the asset is in the document already";
                return Ok(Outcome::Superseded(Reason::new("version.superseded", message)));
            }
        };
        self.remember(media, &filed, run.ledger()).await?;
        Ok(Outcome::Filed(filed))
    }

    /// Gives the document its rights. Remembered beforehand, as afterwards it may be out of our sight.
    async fn restrict(
        &self,
        media: &Media,
        how: How<'_>,
        mut filed: FiledMedia,
        run: &Run,
    ) -> Result<FiledMedia> {
        if filed.restricted {
            return Ok(filed);
        }
        if let Some(permissions) = &how.plan.permissions {
            let template = self.filer.permission_template(permissions).await?;
            if !self.filer.restrict(filed.node, &template).await? {
                run.note("rights", "not seen by the service user");
            }
        }
        filed.restricted = true;
        self.remember(media, &filed, run.ledger()).await?;
        Ok(filed)
    }
}

/// How many bytes of a medium have come to Content Server, filed or under way. `known` is what was made of it before.
pub fn arrived(media: &Media, known: Option<&FiledMedia>, run: &Run) -> u64 {
    let under_way = || media.size.map_or(0, |size| parts::sent(run, &media.content_mark(size)));
    known.map_or_else(under_way, |filed| filed.bytes)
}

/// All that is wrong as one reason: the first gives the code and the field, the message tells every one.
pub fn refused(violations: &Violations) -> Error {
    let Some(first) = violations.iter().next() else {
        return Error::bug("plan", "a plan was refused without a violation");
    };
    let all: Vec<String> = violations.iter().map(ToString::to_string).collect();
    Error::invalid(first.code, all.join("; ")).field(first.field.clone()).remedy(first.remedy.clone())
}

/// The server sees an upload that broke off; why is known here. What was read is forgotten when two readings differ.
pub(crate) async fn why_broken(error: Error, content: &Content, run: &Run) -> Result<Error> {
    let broke = content.witness.failure().filter(|_| error.code() != source::CORRUPT);
    let error = broke.filter(|broke| broke.code() == source::CORRUPT).unwrap_or(error);
    if error.code() == source::CORRUPT {
        // Nobody knows which of the two readings was the right one.
        source::forget(run).await?;
    }
    Ok(error)
}
