//! What iconik shows: fields of a view, and entries in the history. What is to be told is kept until it has been told, so that
//! whoever comes next tells it, and nobody twice.

use shared::{
    error::{FailureClass, Result},
    flow::Run,
    iconik::{AssetId, HistoryEntry, HistoryOperation, MetadataChange},
};

use super::{
    FileRights,
    case::{Kept, Untold},
    rights::{Lapse, sentence},
};
use crate::{
    asset_metadata::AssetMetadata,
    made_once::{after_lost_answer, patiently},
    rights_rules::Shown,
};

/// The most characters of a notice.
const LONGEST: usize = 250;

impl FileRights {
    /// Shows how it stands with the rights of an asset.
    pub(super) async fn show(&self, asset: &AssetId, statement: Option<i64>, lapses: &[Lapse]) -> Result<()> {
        let Some(shown) = &self.rules.shown else { return Ok(()) };
        let change = told(shown, statement, lapses);
        AssetMetadata::set(&self.iconik, asset, &shown.view, &change).await.map(drop)
    }

    /// Tells the history what it is still to be told.
    pub(super) async fn tell_rest(&self, asset: &AssetId, kept: &mut Kept, run: &Run) -> Result<()> {
        while let Some(case) = kept.case.clone().filter(|case| !case.untold.is_empty()) {
            let mut case = case;
            let Untold { text, begun } = case.untold.remove(0);
            if !begun {
                let mut begun = case.clone();
                begun.untold.insert(0, Untold { text: text.clone(), begun: true });
                self.keep(asset, kept, begun, run).await?;
            }
            match self.write_history(asset, &text, begun, run).await {
                // The asset is gone, and its history with it: what was done stands all the same.
                Err(error) if error.class() == FailureClass::Gone => {
                    tracing::warn!(error = ?error, "the history is not told");
                }
                outcome => outcome?,
            }
            self.keep(asset, kept, case, run).await?;
        }
        Ok(())
    }

    async fn write_history(&self, asset: &AssetId, text: &str, begun: bool, run: &Run) -> Result<()> {
        let custom = HistoryOperation::Custom;
        let find = || async {
            let is_it = |entry: &HistoryEntry| entry.operation == custom && entry.description == text;
            Ok(self.iconik.list_history(asset).find(is_it).await?.map(|entry| entry.id))
        };
        if begun && patiently(&self.iconik, run, &find).await?.is_some() {
            return Ok(());
        }
        match self.iconik.create_history_entry(asset, &custom, text, None).await {
            Err(error) if error.class() == FailureClass::UnknownOutcome => {
                after_lost_answer(&self.iconik, run, error, &find).await.map(drop)
            }
            outcome => outcome.map(drop),
        }
    }
}

/// What iconik is to show of the rights of an asset.
pub(super) fn told(shown: &Shown, statement: Option<i64>, lapses: &[Lapse]) -> MetadataChange {
    let mut change = MetadataChange::new();
    if let (Some(field), Some(statement)) = (&shown.statement, statement) {
        change = change.set(field, [statement]);
    }
    let is_lapsed = !lapses.is_empty();
    if let Some(field) = &shown.state {
        let word = if is_lapsed { &shown.lapsed } else { &shown.current };
        change = change.set(field, [word.as_str()]);
    }
    if let Some(field) = &shown.blocked {
        change = change.set(field, [is_lapsed]);
    }
    if let Some(field) = &shown.notice {
        let text: String = sentence(lapses).chars().take(LONGEST).collect();
        change = if is_lapsed { change.set(field, [text.as_str()]) } else { change.clear(field) };
    }
    change
}
