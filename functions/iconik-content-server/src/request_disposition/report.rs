//! What iconik is told: fields, and an entry in the asset's history.

use shared::{
    error::{Error, Result},
    flow::{Policy, Run},
    iconik::{AssetId, HistoryEntry, HistoryId, HistoryOperation, MetadataChange},
    ledger::Key,
};

use super::{RequestDisposition, asset::Asset};
use crate::{
    disposition_rules::{Outcome, State},
    made_once::made_once,
};

/// Something to be told.
#[derive(Debug, Clone)]
pub(super) struct Report {
    /// How far it has come; nothing when that is told by others.
    pub(super) state: Option<State>,
    pub(super) outcome: Option<Outcome>,
    /// Whether a hold is in the way.
    pub(super) held: bool,
    /// For the history. It is told once, so it says what makes it the only one of its kind.
    pub(super) text: String,
}

impl RequestDisposition {
    /// Writes the fields and the entry. Both are looked for before they are written.
    pub(super) async fn report(&self, asset: &Asset, report: &Report, run: &Run) -> Result<()> {
        let fields = &self.rules.iconik;
        let mut change = MetadataChange::new();
        if let Some(outcome) = report.outcome {
            change = change.set(&fields.outcome, [fields.outcome_word(outcome)]);
        }
        if let Some((field, word)) = report.state.and_then(|state| fields.state_word(state)) {
            change = change.set(field, [word]);
        }
        if let Some(field) = &fields.hold {
            change = change.set(field, [report.held]);
        }
        let view = self.view().await?;
        view.check(&change)?;
        let object = asset.reference();
        let is_told = || async {
            let values = self.iconik.get_metadata(&object, &view.id).await?;
            Ok(change.clone().beyond(&values).is_empty().then_some(()))
        };
        // Once: one that is carried out late would say what is over.
        let tell =
            || async { self.iconik.update_metadata_once(&object, &view.id, &change, None).await.map(drop) };
        run.effect("tell iconik", Policy::CheckThenRepeat, is_told, tell).await?;
        self.write_history(&AssetId::new(&asset.id), &report.text, run).await
    }

    /// Adds an entry to the history, unless it is there.
    pub(super) async fn write_history(&self, asset: &AssetId, text: &str, run: &Run) -> Result<()> {
        let custom = HistoryOperation::Custom;
        let find = || async {
            let is_it = |entry: &HistoryEntry| entry.operation == custom && entry.description == text;
            Ok::<_, Error>(self.iconik.list_history(asset).find(is_it).await?.map(|entry| entry.id))
        };
        // A step may have more than one thing to tell.
        let name = format!("history-{}", Key::of(&[text]).short());
        let make = || async { Ok(self.iconik.create_history_entry(asset, &custom, text, None).await?.id) };
        made_once::<HistoryId, _, _>(&self.iconik, run, &name, find, make).await.map(drop)
    }
}
