//! What follows from the decisions that destroy nothing.

use serde_json::json;
use shared::{
    error::Result,
    flow::{Delivery, Policy, Run},
    iconik::{ArchiveStatus, AssetId, FileScope, Format, FormatArchive},
};

use super::{
    RequestDisposition,
    asset::Asset,
    case::{Case, Phase},
    permit::{Grounds, Permit, Refused},
    report::Report,
    turn::{Ended, facts, heading},
};
use crate::disposition_rules::{Outcome, State};

impl RequestDisposition {
    /// It stays: the record gets its status back, and iconik is told.
    pub(super) async fn retain(&self, asset: &Asset, grounds: &Grounds<'_>, run: &Run) -> Result<Ended> {
        if let Some(record) = &grounds.rule.record
            && let Some(status) = &record.retained
        {
            let documents = self.documents(asset, run).await?;
            self.set_status(&documents, record, status, run).await?;
        }
        let text = format!("{} Content Server decided: retain.", heading(grounds.case));
        self.end(asset, grounds, State::Retained, text, run).await
    }

    /// It goes into the archive, format by format; iconik moves the files by itself.
    pub(super) async fn archive(&self, asset: &Asset, grounds: &Grounds<'_>, run: &Run) -> Result<Ended> {
        let id = AssetId::new(&asset.id);
        let mut archived = 0_u32;
        for format in self.formats_to_archive(&id, grounds).await? {
            let how = FormatArchive { remove_original: grounds.rule.remove_archived };
            if let Err(refused) = self.archive_format(&id, &format, how, grounds, run).await? {
                return self.refuse(asset, grounds, &refused, run).await;
            }
            archived += 1;
        }
        run.note("formats", archived.to_string());
        let text = format!("{} Content Server decided: archive.", heading(grounds.case));
        self.end(asset, grounds, State::Archived, text, run).await
    }

    /// A format goes to the archive, unless something speaks against it in this very moment.
    async fn archive_format(
        &self,
        asset: &AssetId,
        format: &Format,
        how: FormatArchive,
        grounds: &Grounds<'_>,
        run: &Run,
    ) -> Result<std::result::Result<(), Refused>> {
        let is_under_way = || async {
            let formats = self.iconik.list_formats(&FileScope::Asset(asset.clone()));
            let found = formats.find(|found: &Format| found.id == format.id).await?;
            Ok(found.filter(is_archived).map(|_| Ok(())))
        };
        let archive = || async {
            match self.may(grounds).await? {
                Ok(permit) => self.archive_by(permit, asset, format, how).await.map(Ok),
                Err(refused) => Ok(Err(refused)),
            }
        };
        run.effect("archive format", Policy::CheckThenRepeat, is_under_way, archive).await
    }

    async fn archive_by(
        &self,
        _permit: Permit,
        asset: &AssetId,
        format: &Format,
        how: FormatArchive,
    ) -> Result<()> {
        self.iconik.archive_format(asset, &format.id, &how).await.map(drop)
    }

    /// The formats that the rule names and that are not in the archive, of whichever version.
    async fn formats_to_archive(&self, asset: &AssetId, grounds: &Grounds<'_>) -> Result<Vec<Format>> {
        if grounds.rule.archive_formats.is_empty() {
            return Ok(Vec::new());
        }
        let mut formats = self.iconik.list_formats(&FileScope::Asset(asset.clone())).all().await?;
        formats.retain(|format| grounds.rule.archive_formats.contains(&format.name) && !is_archived(format));
        Ok(formats)
    }

    /// Something stands in the way of what was decided.
    pub(super) async fn refuse(
        &self,
        asset: &Asset,
        grounds: &Grounds<'_>,
        refused: &Refused,
        run: &Run,
    ) -> Result<Ended> {
        let case = grounds.case.clone();
        match refused {
            Refused::Held { on } => {
                run.note("held-on", on.to_string());
                self.hold_back(asset, case, Some(grounds.decision), run).await
            }
            Refused::Reconsidered => {
                let message = "the decision was changed while it was being carried out";
                Ok(Ended::skipped(case, "disposition.reconsidered", message))
            }
            Refused::Withdrawn => {
                let case = Case { phase: Phase::Closed { outcome: None }, ..case };
                let message = "the asset's status was changed while the decision was being carried out";
                Ok(Ended::skipped(case, "disposition.withdrawn", message))
            }
        }
    }

    async fn end(
        &self,
        asset: &Asset,
        grounds: &Grounds<'_>,
        state: State,
        text: String,
        run: &Run,
    ) -> Result<Ended> {
        let outcome = grounds.decision.outcome;
        let report = Report { state: Some(state), outcome: Some(outcome), held: false, text };
        self.report(asset, &report, run).await?;
        Ok(closed(grounds.case, outcome, None))
    }
}

/// The end of a disposition. `certificate` is its document and the SHA-256 of it.
pub(super) fn closed(case: &Case, outcome: Outcome, certificate: Option<(String, String)>) -> Ended {
    let case = Case { phase: Phase::Closed { outcome: Some(outcome) }, ..case.clone() };
    let mut detail = facts(&case, outcome.word());
    let (node, digest) = certificate.unzip();
    detail.extend(node.iter().map(|node| ("certificate".to_owned(), node.clone())));
    let result = json!({ "outcome": outcome, "certificate": node });
    Ended::delivered(case, Delivery { result, digest, bytes: 0, detail })
}

fn is_archived(format: &Format) -> bool {
    matches!(format.archive_status, ArchiveStatus::Archiving | ArchiveStatus::Archived)
}
