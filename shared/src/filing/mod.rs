//! Filing: a content becomes a document in Content Server, or a version of one, where a rule says and with what it says.
//!
//! What the flows have in common that file something: the words of their rules ([`file`], compiled by [`compile`] into a
//! [`FilingRule`], which makes a [`FilingPlan`] of a record), the place and what the document carries ([`Filer`]), the
//! mark by which it is recognised ([`Mark`]), the way of the bytes, of large ones part by part over several invocations
//! ([`parts`]), and the proof that what arrived is what left.
//!
//! Safe to repeat: every document and version is marked in the creating call itself, and is looked for by that mark
//! before anything is made again. Versions of one document are added under a lock.

mod categories;
pub mod compile;
pub mod file;
mod find;
mod mark;
mod members;
pub mod parts;
mod passage;
pub mod permissions;
mod place;
pub mod plan;
mod target;
mod template;
mod verify;

use std::{fmt, future::Future, pin::Pin, sync::Arc};

use jiff::Timestamp;

use self::target::Places;
pub use self::{
    file::{Existing, Verify},
    find::{InPlace, carries},
    mark::Mark,
    passage::{Passage, Placed},
    place::{MOST_NAMESAKES, SAME, STALE, numbered},
    plan::FilingPlan,
    target::{server_root, template},
    template::{FilingRule, ReferenceTemplate, RootedTemplate, TargetTemplate, WorkspaceTemplate},
};
use crate::{
    content_server::{CategoryValues, Client, NodeId, RecordDetails},
    error::Result,
    flow::{Policy, Reason, Run},
    http::Replayable,
    transfer::{Digests, RangedSource, Witness},
};

/// A content on its way.
#[derive(Debug, Clone)]
pub struct Content {
    /// The whole of it, watched by `witness` whenever it is opened.
    pub whole: Replayable,
    /// Sees the whole of it pass.
    pub witness: Witness,
    /// Any part of it, under a mark that tells it from every other content.
    pub source: RangedSource,
    /// The file's name.
    pub file_name: String,
    /// Its media type.
    pub content_type: String,
    /// Its CRC64-NVME, as far as the source states it.
    pub crc64_nvme: Option<String>,
    /// Its SHA-256, likewise.
    pub sha256: Option<String>,
    /// When it was changed last.
    pub modified: Option<Timestamp>,
}

/// Something that is asked or told while a content is on its way.
pub type Step<'a> = Pin<Box<dyn Future<Output = Result<()>> + Send + 'a>>;
/// Told how many bytes are there.
pub type Told<'a> = &'a (dyn Fn(u64) -> Step<'a> + Send + Sync);
/// Asked at the last moment before something is made; a refusal keeps it from being made.
pub type Guard<'a> = &'a (dyn Fn() -> Step<'a> + Send + Sync);

/// Whose documents get a further version when the name is taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum VersionsOf {
    /// Whichever document bears the name.
    Anything,
    /// Only those made of the same asset; any other is in the way.
    SameAsset,
}

/// One content that is to be filed in one delivery of its item.
pub struct Filing<'a> {
    /// What is to be made of it.
    pub plan: &'a FilingPlan,
    /// How it is recognised.
    pub mark: &'a Mark,
    /// The content.
    pub content: &'a Content,
    /// How the document is compared with it.
    pub verify: Verify,
    /// Whose documents get a further version.
    pub versions_of: VersionsOf,
    /// What versions say of where they come from, before the mark.
    pub origin: &'a str,
    /// The item.
    pub run: &'a Run,
    /// What must hold at the last moment.
    pub guard: Option<Guard<'a>>,
    /// Who is told how far it is.
    pub told: Option<Told<'a>>,
}

impl fmt::Debug for Filing<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Filing")
            .field("plan", self.plan)
            .field("mark", self.mark)
            .finish_non_exhaustive()
    }
}

/// What became of a content.
#[derive(Debug, Clone)]
pub enum Filed {
    /// It is there and verified.
    Done {
        /// Where.
        placed: Placed,
        /// What was read, and is there.
        digests: Digests,
    },
    /// There was nothing to do.
    LeftAlone {
        /// Why: [`STALE`] or [`SAME`].
        reason: Reason,
        /// What is there.
        placed: Placed,
    },
}

/// What a plan names, as the target has it.
struct Found {
    container: NodeId,
    categories: Vec<CategoryValues>,
    class: Option<NodeId>,
}

/// Files contents in one Content Server for one flow. Cheap to clone; clones share the ids that were found.
#[derive(Debug, Clone)]
pub struct Filer {
    flow: &'static str,
    content_server: Client,
    places: Arc<Places>,
}

impl Filer {
    /// A filer that has found nothing yet. Documents are locked under the flow's name while versions are added.
    pub fn new(flow: &'static str, content_server: Client) -> Self {
        Self { flow, content_server, places: Arc::default() }
    }

    /// The client it files with.
    pub fn content_server(&self) -> &Client {
        &self.content_server
    }

    /// Files a content: places it, verifies it, and gives it its categories and its classification. Rights come last, by
    /// [`Filer::restrict`], when everything else of the item is done. What the plan names and the target does not have
    /// is told before anything is made of the content.
    ///
    /// # Errors
    /// [`parts::PAUSED`] when it goes on in the next invocation. What the source, the target and the guard say.
    pub async fn file(&self, filing: &Filing<'_>) -> Result<Filed> {
        let found = self.find(filing).await?;
        let placed = match Box::pin(self.place(filing, &found)).await? {
            place::Placement::Done(placed) => placed,
            place::Placement::LeaveAlone { reason, placed } => {
                return Ok(Filed::LeftAlone { reason, placed });
            }
        };
        parts::spent(filing.run).await?;
        let digests = self.verify(filing, placed).await?;
        if !placed.new_document {
            for values in &found.categories {
                let set = || async { self.content_server.set_category(placed.node, values).await.map(drop) };
                filing.run.effect("set-category", Policy::RepeatSafe, || async { Ok(None) }, set).await?;
            }
        }
        if let Some(class) = found.class {
            let classify = || async {
                let details = RecordDetails::default();
                self.content_server.classify_record(placed.node, class, &details).await.map(drop)
            };
            filing.run.effect("classify", Policy::RepeatSafe, || async { Ok(None) }, classify).await?;
        }
        Ok(Filed::Done { placed, digests })
    }

    /// Everything the plan names. Members are only looked for: [`Filer::restrict`] is given them later.
    async fn find(&self, filing: &Filing<'_>) -> Result<Found> {
        let plan = filing.plan;
        let container = self.container(&plan.target, filing.run).await?;
        let categories = self.category_values(container, &plan.categories).await?;
        let class = match &plan.classification {
            Some(class) => Some(self.record_class(class).await?),
            None => None,
        };
        if let Some(permissions) = &plan.permissions {
            self.permission_template(permissions).await?;
        }
        Ok(Found { container, categories, class })
    }
}
