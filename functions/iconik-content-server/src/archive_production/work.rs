//! What is known of a package while it is made: how far it is, what was read, what was filed. It lies in S3 beside the
//! package, not in the record of a message, so that whichever message comes next goes on with it.

use jiff::Timestamp;
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use shared::{
    aws::classify,
    error::{Error, FailureClass, Result, System},
    flow::{Flow, Run},
    iconik::CollectionId,
    ledger::Key,
};

use super::{
    ArchiveProduction, again,
    closing::Production,
    facts::{AssetFacts, ShownFacts, Tree},
    filed::Filed,
    summary::Document,
};

/// How far a package is.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct Progress {
    /// How often the production was read anew: each time in files of their own.
    pub(super) attempt: u32,
    /// How often it was because something changed meanwhile.
    pub(super) changes: u32,
    /// When the package was begun.
    pub(super) began: Option<Timestamp>,
    /// Its collections and assets are written down.
    pub(super) listed: bool,
    /// Assets that were read, and the last one of each list of them.
    pub(super) read: usize,
    pub(super) lists: Vec<usize>,
    /// Nothing holds it.
    pub(super) selected: bool,
    /// Files that are documents, and the last one of each list of them.
    pub(super) filed: usize,
    pub(super) filed_lists: Vec<usize>,
    /// Assets of the package that were looked at once more and are as they were, and since when that is done.
    pub(super) confirmed: usize,
    pub(super) confirming: Option<Timestamp>,
    /// Approvals, comments and the page.
    pub(super) records: Vec<Document>,
    /// The summary for machines, which is the last document.
    pub(super) summary: Option<Document>,
    /// Assets that iconik was told of, and the one that may have been.
    pub(super) told: usize,
    pub(super) telling: Option<usize>,
    /// Assets whose archive state iconik did not take.
    pub(super) untold: usize,
}

/// A package under way.
pub(super) struct Work {
    prefix: String,
    pub(super) progress: Progress,
}

/// What was read of a production.
pub(super) struct Read {
    pub(super) tree: Tree,
    pub(super) shown: Vec<ShownFacts>,
    pub(super) assets: Vec<AssetFacts>,
}

const TREE: &str = "tree.json";

impl ArchiveProduction {
    /// The work at a package, where it was left.
    pub(super) async fn work(&self, production: &Production<'_>) -> Result<Work> {
        self.work_at(&production.collection.id, production.closing.number).await
    }

    /// The work at the package of a closing, by its number.
    pub(super) async fn work_at(&self, collection: &CollectionId, closing: u64) -> Result<Work> {
        let key = Key::of(&[Self::NAME, collection.as_str(), &closing.to_string()]);
        let prefix = format!("work/{}/", key.short());
        let progress = self.get_json(&format!("{prefix}progress.json")).await?.unwrap_or_default();
        Ok(Work { prefix, progress })
    }

    /// Writes down how far it is.
    pub(super) async fn save(&self, work: &Work, run: &Run) -> Result<()> {
        if run.is_dry() {
            return Ok(());
        }
        self.put_json(&format!("{}progress.json", work.prefix), &work.progress).await
    }

    /// Begins to read anew, for the so manyeth time because something changed. What was filed stays and is recognised.
    pub(super) async fn begin_anew(&self, work: &mut Work, changes: u32, run: &Run) -> Result<()> {
        let Progress { attempt, began, .. } = work.progress;
        work.progress = Progress { attempt: attempt + 1, changes, began, ..Progress::default() };
        self.save(work, run).await
    }

    pub(super) async fn put_tree(&self, work: &Work, tree: &(Tree, Vec<ShownFacts>)) -> Result<()> {
        self.put_json(&work.name(TREE), tree).await
    }

    pub(super) async fn put_assets(&self, work: &Work, last: usize, assets: &[AssetFacts]) -> Result<()> {
        self.put_json(&work.name(&format!("assets-{last}.json")), &assets).await
    }

    pub(super) async fn put_filed(&self, work: &Work, last: usize, filed: &[Filed]) -> Result<()> {
        self.put_json(&work.name(&format!("filed-{last}.json")), &filed).await
    }

    pub(super) async fn tree(&self, work: &Work) -> Result<(Tree, Vec<ShownFacts>)> {
        self.needed(&work.name(TREE)).await
    }

    /// Everything that was read, the assets in their final order.
    pub(super) async fn everything(&self, work: &Work) -> Result<Read> {
        let (tree, shown) = self.tree(work).await?;
        let mut assets = Vec::new();
        for last in &work.progress.lists {
            assets.extend(self.needed::<Vec<AssetFacts>>(&work.name(&format!("assets-{last}.json"))).await?);
        }
        Ok(Read { tree, shown, assets: super::select::in_order(assets) })
    }

    /// Everything that was filed.
    pub(super) async fn all_filed(&self, work: &Work) -> Result<Vec<Filed>> {
        let mut filed = Vec::new();
        for last in &work.progress.filed_lists {
            filed.extend(self.needed::<Vec<Filed>>(&work.name(&format!("filed-{last}.json"))).await?);
        }
        Ok(filed)
    }

    /// The names of everything that holds a package, for people. Gives its address.
    pub(super) async fn put_list(&self, work: &Work, lines: &[String]) -> Result<String> {
        let key = work.name("held.txt");
        self.put(&key, "text/plain; charset=utf-8", (lines.join("\n") + "\n").into_bytes()).await?;
        Ok(format!("s3://{}/{key}", self.environment.settings.content_bucket))
    }

    async fn needed<T: DeserializeOwned>(&self, key: &str) -> Result<T> {
        self.get_json(key).await?.ok_or_else(|| {
            // A life-cycle rule took it, or somebody did.
            again("package.work-gone", format!("{key} is not there any more"), 60)
        })
    }

    async fn put_json<T: Serialize>(&self, key: &str, value: &T) -> Result<()> {
        let text = serde_json::to_vec(value).map_err(|error| {
            Error::bug("write JSON", "what is known of a package is not JSON").source(error)
        })?;
        self.put(key, "application/json", text).await
    }

    async fn put(&self, key: &str, media_type: &str, text: Vec<u8>) -> Result<()> {
        let bucket = &self.environment.settings.content_bucket;
        let put = self.environment.s3.put_object().bucket(bucket).key(key).content_type(media_type);
        put.body(text.into()).send().await.map(drop).map_err(|error| {
            classify(System::S3, "write down progress", error)
                .remedy("let this function put objects into its bucket")
        })
    }

    async fn get_json<T: DeserializeOwned>(&self, key: &str) -> Result<Option<T>> {
        let bucket = &self.environment.settings.content_bucket;
        let answer = self.environment.s3.get_object().bucket(bucket).key(key).send().await;
        let output = match answer.map_err(|error| classify(System::S3, "read progress", error)) {
            Ok(output) => output,
            Err(error) if error.class() == FailureClass::Gone => return Ok(None),
            Err(error) => return Err(error),
        };
        let bytes = output.body.collect().await.map_err(|error| {
            again("package.work-cut", "what is known of a package broke off", 5).source(error)
        })?;
        serde_json::from_slice(&bytes.into_bytes()).map(Some).map_err(|error| {
            Error::bug("read progress", "what is known of a package cannot be read").source(error)
        })
    }
}

impl Work {
    /// A file of this attempt.
    fn name(&self, name: &str) -> String {
        format!("{}{}/{name}", self.prefix, self.progress.attempt)
    }
}
