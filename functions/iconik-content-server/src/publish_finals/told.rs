//! What iconik is told: the node and the state in metadata fields, and an entry in the history.

use shared::{
    content_server::NodeId,
    error::Result,
    flow::Run,
    iconik::{HistoryId, HistoryOperation, MetadataChange},
};

use super::{
    PublishFinals,
    deliver::{Done, FILES, files},
};
use crate::{
    approval::Approved,
    asset_metadata::AssetMetadata,
    filing::{CONTENT_SERVER, ICONIK},
    made_once::made_once,
    progress::Progress,
};

/// The checkpoint of the entry in the history.
const HISTORY: &str = "history";

/// What iconik was told.
pub(super) struct Told {
    /// The first document.
    pub(super) node: NodeId,
    /// Whether it had to be told.
    pub(super) changed: bool,
}

impl PublishFinals {
    /// Tells that everything is filed; the ledger remembers which node is the asset's, for other flows.
    pub(super) async fn tell_filed(
        &self,
        approved: &Approved,
        done: &Done,
        progress: Option<&Progress<'_>>,
        run: &Run,
    ) -> Result<Told> {
        let node = done.filed.first().map_or(NodeId(0), |(_, filed)| filed.node);
        let shown = &self.rules.shown;
        let mut change =
            MetadataChange::new().set(&shown.node, [node.0]).set(&shown.state, [shown.filed.as_str()]);
        if let Some((field, link)) = &shown.link {
            change = change.set(field, [link.replace("{node}", &node.to_string())]);
        }
        let mut changed = false;
        // An older version that was approved late does not take the place of a newer one.
        if done.superseded.is_none() && self.may_tell(approved, run).await? {
            if !files(run) {
                // Whoever filed it did not come to tell it: what is told by an attempt is told whole by the next.
                run.checkpoint(FILES, &approved.begun()).await?;
            }
            let (number, asset) = (node.to_string(), approved.asset.id.as_str());
            let ledger = run.ledger();
            ledger.put_reference(ICONIK, asset, CONTENT_SERVER, &number).await?;
            ledger.put_reference(CONTENT_SERVER, &number, ICONIK, asset).await?;
            AssetMetadata::set(&self.iconik, &approved.asset.id, &shown.view, &change).await?;
            changed = true;
        }
        if files(run) {
            self.tell_history(approved, done, node, progress, run).await?;
        }
        Ok(Told { node, changed })
    }

    /// Of an item that finds everything filed, a state that another flow has written since (in sign-off, archived) is left.
    async fn may_tell(&self, approved: &Approved, run: &Run) -> Result<bool> {
        if files(run) {
            return Ok(true);
        }
        let shown = &self.rules.shown;
        let now = AssetMetadata::read(&self.iconik, &approved.asset.id, &shown.view).await?;
        Ok(now.values().get(&shown.node).is_empty() || now.values().get(&shown.state).is_empty())
    }

    async fn tell_history(
        &self,
        approved: &Approved,
        done: &Done,
        node: NodeId,
        progress: Option<&Progress<'_>>,
        run: &Run,
    ) -> Result<()> {
        let nodes: Vec<String> = done.filed.iter().map(|(_, filed)| filed.node.to_string()).collect();
        let description = format!(
            "Version {} filed in Content Server: node {node}; {} verified by SHA-256 (nodes {})",
            approved.number(),
            if nodes.len() == 1 { "1 document".to_owned() } else { format!("{} documents", nodes.len()) },
            nodes.join(", "),
        );
        let (asset, job) = (&approved.asset.id, progress.map(Progress::job));
        let operation = HistoryOperation::Custom;
        let find = || async {
            let is_it = |entry: &shared::iconik::HistoryEntry| {
                entry.operation == operation && entry.description == description
            };
            Ok(self.iconik.list_history(asset).find(is_it).await?.map(|entry| entry.id))
        };
        let make = || async {
            let entry = self.iconik.create_history_entry(asset, &operation, &description, job).await?;
            Ok(entry.id)
        };
        // Another message about the same version may have told it.
        if run.recorded::<HistoryId>(HISTORY).is_none() && find().await?.is_some() {
            return Ok(());
        }
        made_once::<HistoryId, _, _>(&self.iconik, run, HISTORY, find, make).await.map(drop)
    }

    /// Tells that something could not be filed. What an earlier version's documents are stays told.
    pub(super) async fn tell_incomplete(&self, approved: &Approved, done: &Done) -> Result<()> {
        let shown = &self.rules.shown;
        let mut change = MetadataChange::new().set(&shown.state, [shown.incomplete.as_str()]);
        if let Some((_, filed)) = done.filed.first() {
            change = change.set(&shown.node, [filed.node.0]);
        }
        AssetMetadata::set(&self.iconik, &approved.asset.id, &shown.view, &change).await.map(drop)
    }
}
