//! What follows from a decision to retain, and from what stands in the way of the others.

use serde_json::json;
use shared::{
    content_server::Node,
    error::Result,
    flow::{Delivery, Run},
};

use super::{
    RequestDisposition,
    asset::Asset,
    case::{Case, Phase},
    permit::{Grounds, Refused},
    report::Report,
    turn::{Ended, facts, heading},
};
use crate::disposition_rules::{Outcome, State};

impl RequestDisposition {
    /// It stays: the record gets its status back, and iconik is told.
    pub(super) async fn retain(
        &self,
        asset: &Asset,
        documents: &[Node],
        grounds: &Grounds<'_>,
        run: &Run,
    ) -> Result<Ended> {
        if let Some(record) = &grounds.rule.record
            && let Some(status) = &record.retained
        {
            self.set_status(documents, record, status, run).await?;
        }
        let text = format!("{} Content Server decided: retain.", heading(grounds.case));
        let outcome = Outcome::Retain;
        let report = Report { state: Some(State::Retained), outcome: Some(outcome), held: false, text };
        self.report(asset, &report, run).await?;
        Ok(closed(grounds.case, outcome, None))
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
