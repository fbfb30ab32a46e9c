//! The result for machines: one JSON document, and the audit chains beside it.

use std::path::Path;

use serde_json::{Value, json};

use super::{
    Result,
    evidence::Evidence,
    ledger,
    promises::{self, Promise},
    run::Course,
    samples::CONTRACT,
    systems::Stack,
    uploads::{self, Uploaded},
};

/// Everything there is to tell.
pub(crate) struct Report<'a> {
    pub(crate) stack: &'a Stack,
    pub(crate) course: &'a Course,
    pub(crate) evidence: &'a Evidence,
    pub(crate) promises: &'a [Promise],
    pub(crate) seconds: f64,
}

impl Report<'_> {
    /// The report as JSON.
    pub(crate) fn json(&self) -> Value {
        let items: Vec<Value> = self.course.uploaded.iter().map(|uploaded| self.item(uploaded)).collect();
        let promises: Vec<Value> = self.promises.iter().map(Promise::json).collect();
        json!({
            "held": self.promises.iter().all(|promise| promise.held),
            "seconds": (self.seconds * 10.0).round() / 10.0,
            "promises": promises,
            "items": items,
            "audit": {"asset": self.shown_asset(), "events": self.shown_events()},
            "stack": self.stack.outputs,
        })
    }

    fn item(&self, uploaded: &Uploaded) -> Value {
        let record = self.course.records.get(&uploaded.item);
        let mut item = json!({
            "key": uploaded.key, "objectVersion": uploaded.version, "size": uploaded.size, "sha256": uploaded.sha256,
            "item": uploaded.item, "ending": record.map_or("open", |record| &record.status),
            "attempts": record.map_or(0, |record| record.attempts), "result": record.map(|record| &record.result),
        });
        if let Some(record) = record.filter(|record| record.status == "delivered") {
            item["hashEqual"] = promises::is_equal(uploaded, record, self.evidence).into();
            item["path"] = self.path(record).into();
        }
        item
    }

    /// Where a delivered document is.
    pub(crate) fn path(&self, record: &ledger::Record) -> String {
        let held = self.evidence.made.get(&(record.node(), record.version()));
        held.map(|held| held.path.clone()).unwrap_or_default()
    }

    /// The asset whose audit is shown.
    pub(crate) fn shown_asset(&self) -> String {
        uploads::asset(&self.evidence.bucket, CONTRACT)
    }

    fn shown_events(&self) -> Vec<Value> {
        let chain = self.evidence.chains.get(&self.shown_asset());
        let lines = chain.map_or("", |chain| chain.export.as_str()).lines();
        lines.filter_map(|line| serde_json::from_str(line).ok()).collect()
    }

    /// Leaves `report.json` and one file per chain in a folder.
    pub(crate) fn save(&self, folder: &Path) -> Result<()> {
        let failed = |error: std::io::Error| format!("{}: {error}", folder.display());
        let audit = folder.join("audit");
        match std::fs::remove_dir_all(folder) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(failed(error)),
            _ => std::fs::create_dir_all(&audit).map_err(failed)?,
        }
        std::fs::write(folder.join("report.json"), format!("{:#}\n", self.json())).map_err(failed)?;
        for (asset, chain) in &self.evidence.chains {
            std::fs::write(audit.join(format!("{asset}.jsonl")), format!("{}\n", chain.export))
                .map_err(failed)?;
        }
        Ok(())
    }
}
