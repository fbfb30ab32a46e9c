//! Files what was selected, one after the other: each is a document with the mark of what it was made of, read back and
//! compared.

use shared::{
    content_server::NodeId,
    error::{Error, FailureClass, Result, System},
    filing::{
        Existing, Filed as Outcome, Filing, FilingPlan, Mark, Step as Told, Verify, VersionsOf,
        plan::{DocumentPlan, NodePath, Root, Target},
    },
    flow::{Item, Run},
    iconik::{AssetId, Content, FileId, FileStatus, NO_SIGNED_URL, NOT_FOUND, VersionId},
    ledger::Key,
};

use super::{
    ArchiveProduction,
    closing::Production,
    facts::{AssetFacts, FileFacts},
    filed::Filed,
    pack::{Packing, Step, share_of_bytes},
    select::{Chosen, Problem, Selection},
    work::{Read, Work},
};
use crate::filing::{
    media::{Media, Part},
    source, why_broken,
};

/// Under which name the ledger keeps what a file became.
const FILE: &str = "archive-production-file";
const CONTENT_SERVER: &str = "content-server";
/// Files until what was filed is written down, and milliseconds.
const SAVE_EVERY: usize = 25;
const SAVE_AFTER: i64 = 15_000;
/// A file is not what it was when it was listed.
const CHANGED: &str = "package.file-changed";

/// Where the package is.
#[derive(Debug, Clone)]
pub(super) struct Place {
    pub(super) node: i64,
    pub(super) name: String,
}

/// Which file it is the turn of, and how much was filed before it.
#[derive(Debug, Clone, Copy)]
struct Turn {
    number: usize,
    all: usize,
    done: u64,
    total: u64,
}

impl Turn {
    async fn show(self, packing: &Packing<'_>, chosen: &Chosen, sent: u64) -> Result<()> {
        let message = format!("filing: {} of {} files, {}", self.number, self.all, chosen.name);
        packing.show(share_of_bytes(self.done + sent, self.total), &message).await
    }
}

impl ArchiveProduction {
    /// The folder or workspace of a package, made where the rule says so.
    pub(super) async fn place(&self, production: &Production<'_>, run: &Run) -> Result<Place> {
        let target = production.rule.target.plan(&production.collection, &production.metadata)?;
        let node = self.filer.container(&target, run).await?;
        let name = self.filer.content_server().get_node(node).await?.name;
        Ok(Place { node: node.0, name })
    }

    /// Files what is not filed yet.
    pub(super) async fn file_all(
        &self,
        packing: &Packing<'_>,
        work: &mut Work,
        (read, selection): (&Read, &Selection),
        place: &Place,
    ) -> Result<Step<()>> {
        let all = selection.files.len();
        let bytes = |files: &[Chosen]| files.iter().filter_map(|chosen| chosen.file.size).sum::<u64>();
        let total = bytes(&selection.files);
        let before = selection.files.get(..work.progress.filed).unwrap_or_default();
        let mut done = bytes(before);
        let (mut fresh, mut saved) = (Vec::new(), packing.run.context().now_milliseconds());
        for (number, chosen) in selection.files.iter().enumerate().skip(work.progress.filed) {
            if packing.run.must_stop() {
                self.note_filed(work, &mut fresh, packing.run).await?;
                return Ok(Step::Paused);
            }
            let Some(asset) = read.assets.get(chosen.asset) else {
                return Err(Error::bug("file", "a chosen file has no asset"));
            };
            let turn = Turn { number: number + 1, all, done, total };
            turn.show(packing, chosen, 0).await?;
            let outcome = Box::pin(self.file_one(packing, asset, chosen, place, turn)).await;
            match outcome {
                Ok(filed) => fresh.push(filed),
                Err(error) => {
                    // What is there is worth keeping, but the reason is what counts.
                    let _ = self.note_filed(work, &mut fresh, packing.run).await;
                    return Err(error);
                }
            }
            done += chosen.file.size.unwrap_or_default();
            let now = packing.run.context().now_milliseconds();
            if fresh.len() >= SAVE_EVERY || now - saved >= SAVE_AFTER {
                self.note_filed(work, &mut fresh, packing.run).await?;
                saved = now;
            }
        }
        self.note_filed(work, &mut fresh, packing.run).await?;
        Ok(Step::Done(()))
    }

    async fn note_filed(&self, work: &mut Work, fresh: &mut Vec<Filed>, run: &Run) -> Result<()> {
        if fresh.is_empty() {
            return Ok(());
        }
        let last = work.progress.filed + fresh.len();
        self.put_filed(work, last, fresh).await?;
        work.progress.filed = last;
        work.progress.filed_lists.push(last);
        fresh.clear();
        self.save(work, run).await
    }

    async fn file_one(
        &self,
        packing: &Packing<'_>,
        asset: &AssetFacts,
        chosen: &Chosen,
        place: &Place,
        turn: Turn,
    ) -> Result<Filed> {
        let (production, run) = (packing.production, packing.run);
        let key = key(production, asset, chosen, place);
        if let Some(known) = self.known(&key, run).await? {
            return Ok(known);
        }
        let media = media(asset, chosen);
        let guard = || -> Told<'_> { Box::pin(self.check_unchanged(asset, &chosen.file)) };
        let told = |sent: u64| -> Told<'_> { Box::pin(turn.show(packing, chosen, sent)) };
        // Before its bytes are moved as well as before they become a document.
        guard().await?;
        let content = Box::pin(source::content(&self.iconik, &media, production.rule.reading, run)).await?;
        let mark = mark(production, asset, chosen, &key);
        let plan = plan(place, &chosen.folders, &chosen.name, Existing::SkipIfSame);
        let origin = format!("iconik asset {}, {}, {}", asset.id, chosen.format, chosen.file.id);
        let filing = Filing {
            plan: &plan,
            mark: &mark,
            content: &content,
            verify: Verify::ReadBack,
            versions_of: VersionsOf::SameAsset,
            origin: &origin,
            run,
            guard: Some(&guard),
            told: Some(&told),
        };
        let (placed, digests) = match Box::pin(self.filer.file(&filing)).await {
            Err(error) => return Err(why_broken(error, &content, run).await?),
            Ok(Outcome::Done { placed, digests }) => (placed, digests),
            // The very bytes are there already, of an earlier closing or attempt.
            Ok(Outcome::LeftAlone { placed, .. }) => {
                (placed, self.filer.passage(run).source_digests(&content).await?)
            }
        };
        let filed = Filed {
            file: chosen.file.id.clone(),
            node: placed.node.0,
            version: placed.version,
            size: digests.bytes,
            sha256: digests.sha256,
        };
        let text = serde_json::to_string(&filed)
            .map_err(|error| Error::bug("remember file", "what was filed is not JSON").source(error))?;
        run.ledger().put_reference(FILE, key.digest(), CONTENT_SERVER, &text).await?;
        Ok(filed)
    }

    /// What a file became before, if that is still there.
    async fn known(&self, key: &Key, run: &Run) -> Result<Option<Filed>> {
        let noted = run.ledger().find_reference(FILE, key.digest(), CONTENT_SERVER).await?;
        let Some(filed) = noted.and_then(|noted| serde_json::from_str::<Filed>(&noted).ok()) else {
            return Ok(None);
        };
        let there = self.filer.content_server().get_version(NodeId(filed.node), filed.version).await;
        match there {
            Ok(version) if version.file_size == Some(filed.size) => Ok(Some(filed)),
            Ok(_) => Ok(None),
            Err(error)
                if matches!(
                    error.class(),
                    FailureClass::Gone | FailureClass::Forbidden | FailureClass::Invalid
                ) =>
            {
                Ok(None)
            }
            Err(error) => Err(error),
        }
    }

    /// Whether a file is still what it was when it was listed.
    async fn check_unchanged(&self, asset: &AssetFacts, file: &FileFacts) -> Result<()> {
        let changed = |what: String| {
            Err(Error::new(FailureClass::Conflict, System::Iconik, "read file", CHANGED, what)
                .field(file.name.clone()))
        };
        let now = match self.iconik.get_file(&AssetId::new(&asset.id), &FileId::new(&file.id)).await {
            Err(error) if error.code() == NOT_FOUND => return changed("it is not there any more".to_owned()),
            outcome => outcome?,
        };
        if !now.is_usable() {
            return changed(format!("it cannot be used any more ({})", now.status));
        }
        if now.size != file.size || now.checksum != file.checksum {
            return changed("it was changed while the package was made".to_owned());
        }
        Ok(())
    }
}

/// What a failure says of a file that holds the package: it was there when everything was read.
pub(super) fn problem(error: &Error, read: &Read, selection: &Selection, filed: usize) -> Option<Problem> {
    let (code, what) = match error.code() {
        NO_SIGNED_URL => (
            "package.file-unreachable",
            "its storage gives no addresses; transfer it to a cloud storage in iconik",
        ),
        "iconik.content-missing" => ("package.file-missing", "its storage does not have it"),
        "file.empty" => ("package.file-empty", "its storage has no bytes of it"),
        "file.size-differs" => ("package.file-size", "iconik says another size than its storage"),
        CHANGED => ("package.file-changed", error.message()),
        _ => return None,
    };
    let chosen = selection.files.get(filed);
    let named = error.field_name().map(str::to_owned).or_else(|| Some(chosen?.file.name.clone()));
    // The failure names the file; what was filed before it may not be written down yet.
    let of = selection
        .files
        .iter()
        .skip(filed)
        .find(|chosen| Some(&chosen.file.name) == named.as_ref())
        .or(chosen);
    let asset = of.and_then(|chosen| read.assets.get(chosen.asset)).map(|asset| asset.title.clone());
    Some(Problem {
        asset: asset.unwrap_or_default(),
        file: named,
        code: code.to_owned(),
        what: what.to_owned(),
    })
}

/// The plan for a document in a folder of the package.
pub(super) fn plan(place: &Place, folders: &[String], name: &str, existing: Existing) -> FilingPlan {
    let root = Root::Node(u64::try_from(place.node).unwrap_or_default());
    FilingPlan {
        target: Target::Folder { path: NodePath { root, names: folders.to_vec() }, create: true },
        document: DocumentPlan { name: name.to_owned(), description: None },
        existing,
        categories: Vec::new(),
        permissions: None,
        classification: None,
    }
}

/// What is filed once: these bytes of this file in this package folder.
fn key(production: &Production<'_>, asset: &AssetFacts, chosen: &Chosen, place: &Place) -> Key {
    let size = chosen.file.size.map(|size| size.to_string()).unwrap_or_default();
    let checksum = chosen.file.checksum.clone().unwrap_or_default();
    let parts = [
        production.collection.id.as_str(),
        &place.node.to_string(),
        &asset.id,
        &chosen.version,
        &chosen.file.id,
        &size,
        &checksum,
        &chosen.path(),
    ];
    Key::of(&parts)
}

/// The mark of a document. Files that take the same place in the package succeed one another.
fn mark(production: &Production<'_>, asset: &AssetFacts, chosen: &Chosen, key: &Key) -> Mark {
    let place = Key::of(&["iconik", production.collection.id.as_str(), &asset.id, &chosen.path()]);
    let item = Item {
        key: key.clone(),
        payload_hash: String::new(),
        asset: place.digest().to_owned(),
        asset_text: String::new(),
    };
    Mark::of(&item, None)
}

fn media(asset: &AssetFacts, chosen: &Chosen) -> Media {
    let file = &chosen.file;
    let id = AssetId::new(&asset.id);
    let number = asset.versions.iter().find(|version| version.id == chosen.version);
    Media {
        content: Content::File(id.clone(), FileId::new(&file.id)),
        asset: id,
        version: VersionId::new(&chosen.version),
        version_number: number.and_then(|version| version.number).unwrap_or_default(),
        part: Part::Format(chosen.format.clone()),
        name: file.name.clone(),
        folder: file.folder.clone(),
        size: file.size,
        status: FileStatus::from(file.status.as_str()),
        in_use: file.usable,
        checksum: file.checksum.clone(),
        modified: file.modified,
    }
}
