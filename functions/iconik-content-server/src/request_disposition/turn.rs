//! One step of a disposition: asking, or doing what was decided.

use serde_json::json;
use shared::{
    content_server::NodeId,
    error::Result,
    flow::{Delivery, Outcome as Ending, Reason, Run},
};

use super::{
    RequestDisposition, again,
    asset::Asset,
    case::{self, Case, Kept, Phase},
    destroy::Inventory,
    documents::Earlier,
    permit::Grounds,
    report::Report,
    review::Decision,
    skipped,
    step::Step,
};
use crate::disposition_rules::{Outcome, State};

/// The checkpoint of how the step ended, before it is kept.
const ENDED: &str = "ended";
/// The checkpoint of what is to be destroyed, before anything is.
pub(super) const INVENTORY: &str = "inventory";

/// How a step ended: what is kept of it, and what the item ends with.
#[derive(Debug, Clone, serde::Serialize, serde::Deserialize)]
pub(super) struct Ended {
    case: Case,
    with: With,
}

#[derive(Debug, Clone, serde::Serialize, serde::Deserialize)]
enum With {
    Delivered(Delivery),
    Skipped(Reason),
}

impl Ended {
    pub(super) fn delivered(case: Case, delivery: Delivery) -> Self {
        Self { case, with: With::Delivered(delivery) }
    }

    pub(super) fn skipped(case: Case, code: &str, message: &str) -> Self {
        Self { case, with: With::Skipped(Reason::new(code, message)) }
    }

    /// The same, of a step that had destroyed documents before something came in between. `certificate` is the document of
    /// their certificate and the SHA-256 of it, which the chain has to know.
    pub(super) fn having_destroyed(self, gone: &[NodeId], (certificate, digest): (String, String)) -> Self {
        let mut case = self.case;
        case.nodes.retain(|node| !gone.contains(node));
        case.removed.extend(gone);
        let mut detail = facts(&case, "destroyed-in-part");
        detail.insert("certificate".to_owned(), certificate.clone());
        let gone: Vec<String> = gone.iter().map(ToString::to_string).collect();
        detail.insert("destroyed".to_owned(), gone.join(" "));
        let result = json!({ "destroyed": gone, "certificate": certificate });
        Self::delivered(case, Delivery { result, digest: Some(digest), bytes: 0, detail })
    }
}

impl RequestDisposition {
    /// Takes a step, alone for its asset.
    pub(super) async fn take(&self, step: &Step, run: &Run) -> Result<Ending> {
        if run.is_dry() {
            return skipped("dry-run", "nothing is asked for or done in a dry run");
        }
        let name = format!("asset-{}", step.asset);
        let lock = run.ledger().lock(super::FLOW, &name, run.lease_until()).await?;
        let lock =
            lock.ok_or_else(|| again("disposition.busy", "another step of this asset is being done"))?;
        let outcome = self.take_alone(step, run).await;
        run.leave_after(&lock, outcome, super::SETTLING).await
    }

    async fn take_alone(&self, step: &Step, run: &Run) -> Result<Ending> {
        let kept = case::case_of(run.ledger(), &step.asset).await?;
        let ended = match run.recorded::<Ended>(ENDED) {
            Some(ended) => ended,
            None => match self.step(step, &kept, run).await? {
                Ok(ended) => {
                    run.checkpoint(ENDED, &ended).await?;
                    ended
                }
                Err(reason) => return Ok(Ending::Skipped(reason)),
            },
        };
        // A later step may have been kept since an earlier attempt at this one.
        let is_later = |there: &Case| (there.revision, there.turn) > (ended.case.revision, ended.case.turn);
        if !kept.case.as_ref().is_some_and(is_later) {
            case::keep(run, &kept, &ended.case).await?;
        }
        Ok(match ended.with {
            With::Delivered(delivery) => Ending::Delivered(delivery),
            With::Skipped(reason) => Ending::Skipped(reason),
        })
    }

    async fn step(&self, step: &Step, kept: &Kept, run: &Run) -> Result<std::result::Result<Ended, Reason>> {
        let open = kept.case.as_ref();
        let is_passed = open.is_some_and(|open| {
            let passed = (open.revision, open.turn) >= (step.revision, step.turn);
            passed || open.revision == step.revision && open.is_closed()
        });
        if is_passed {
            return passed("a later step of this asset has been done");
        }
        let open = open.filter(|open| open.revision == step.revision);
        if step.turn > 0 && open.is_none() {
            return passed("this disposition is over");
        }
        // What has begun to be destroyed is brought to its end, or back.
        if let (Some(open), Some(inventory)) = (open, run.recorded::<Inventory>(INVENTORY)) {
            return self.go_on_destroying(step, open, &inventory, run).await.map(Ok);
        }
        let asset = match self.asset(&step.asset).await? {
            Ok(asset) => asset,
            Err(reason) => return self.close_without(step, open, reason).await,
        };
        let revision = case::revision_of(run.ledger(), &asset.id, &asset.status).await?;
        if revision != step.revision {
            return match open {
                Some(open) => self.withdraw(step, open, &asset, run).await.map(Ok),
                None => passed("the asset has another status by now"),
            };
        }
        // A review of an earlier status that nobody has ended yet.
        if let Some(earlier) = kept.case.as_ref().filter(|case| case.revision < step.revision) {
            self.end_review(earlier, run).await?;
        }
        match open {
            None | Some(Case { phase: Phase::Due, .. }) => self.request(step, kept, &asset, run).await,
            Some(open) if matches!(open.phase, Phase::Archiving { .. }) => {
                let case = Case { turn: step.turn, held: false, ..open.clone() };
                self.follow(&asset, case, run).await.map(Ok)
            }
            Some(open) => self.decide(step, open, &asset, run).await,
        }
    }

    /// Looks for holds, sets the record's status, asks for the decision.
    async fn request(
        &self,
        step: &Step,
        kept: &Kept,
        asset: &Asset,
        run: &Run,
    ) -> Result<std::result::Result<Ended, Reason>> {
        let Some(rule) = self.rules.choose(&asset.status, asset.category.as_deref()) else {
            return passed("no rule asks for a decision about this status any more");
        };
        // What was destroyed for an earlier status of the asset is not missing.
        let removed = kept.case.as_ref().map(|case| case.removed.clone()).unwrap_or_default();
        let open = kept.case.as_ref().filter(|case| case.revision == step.revision);
        let asked = open.map(|open| open.nodes.as_slice()).unwrap_or_default();
        let documents = self.documents(asset, rule, Earlier { asked, removed: &removed }, run).await?;
        let mut case = Case {
            asset: asset.id.clone(),
            revision: step.revision,
            status: asset.status.clone(),
            turn: step.turn,
            rule: rule.name.clone(),
            nodes: documents.iter().map(|document| document.id).collect(),
            removed,
            phase: Phase::Due,
            held: false,
        };
        run.note("rule", rule.name.as_str());
        run.note("revision", step.revision.to_string());
        if self.hold_over(&case.nodes).await?.is_some() {
            case.held = true;
            return self.hold_back(asset, case, None, run).await.map(Ok);
        }
        if let Some(record) = &rule.record {
            self.set_status(&documents, record, &record.status, run).await?;
        }
        let process = self.ask(asset, rule, &documents, step.revision, run).await?;
        case.phase = Phase::InReview { process };
        let text = format!("{} Content Server was asked what is to become of it.", heading(&case));
        let report = Report { state: Some(State::InReview), outcome: None, held: false, text };
        self.report(asset, &report, run).await?;
        let nodes: Vec<String> = case.nodes.iter().map(ToString::to_string).collect();
        let mut detail = facts(&case, "asked");
        detail.extend(process.map(|process| ("workflow".to_owned(), process.0.to_string())));
        let result = json!({ "nodes": nodes, "workflow": process });
        let delivery = Delivery { result, digest: None, bytes: 0, detail };
        Ok(Ok(Ended::delivered(case, delivery)))
    }

    /// Reads the decision and does it.
    async fn decide(
        &self,
        step: &Step,
        open: &Case,
        asset: &Asset,
        run: &Run,
    ) -> Result<std::result::Result<Ended, Reason>> {
        let Some(rule) = self.rules.rule(&open.rule) else {
            return passed("the rule that asked for this decision is not there any more");
        };
        // Documents may have been filed since it was asked.
        let earlier = Earlier { asked: &open.nodes, removed: &open.removed };
        let documents = self.documents(asset, rule, earlier, run).await?;
        let nodes = documents.iter().map(|document| document.id).collect();
        let case = Case { turn: step.turn, held: false, nodes, ..open.clone() };
        let Some(decision) = self.decision(rule, &case).await? else {
            return Ok(Ok(Ended::skipped(case, "disposition.undecided", "it is not decided yet")));
        };
        run.note("rule", rule.name.as_str());
        run.note("revision", step.revision.to_string());
        run.note("decision", decision.outcome.word());
        run.note("decided", decision.place.as_str());
        let grounds = Grounds { case: &case, rule, decision: &decision, is_deleted: false };
        let ended = match decision.outcome {
            Outcome::Retain => self.retain(asset, &documents, &grounds, run).await?,
            Outcome::Archive => self.archive(asset, &grounds, run).await?,
            Outcome::Destroy => self.destroy(asset, documents, &grounds, run).await?,
        };
        Ok(Ok(ended))
    }

    /// A hold is in the way: iconik is told, and the rounds look whether it is lifted.
    pub(super) async fn hold_back(
        &self,
        asset: &Asset,
        case: Case,
        decision: Option<&Decision>,
        run: &Run,
    ) -> Result<Ended> {
        let decided = decision.map_or_else(
            || "no decision was asked for".to_owned(),
            |decision| format!("nothing was done about the decision to {}", decision.outcome.word()),
        );
        let text = format!("{} A hold is in force in Content Server; {decided}.", heading(&case));
        let report = Report { state: Some(State::Held), outcome: None, held: true, text };
        self.report(asset, &report, run).await?;
        let case = Case { held: true, ..case };
        Ok(Ended::skipped(case, "disposition.held", "a hold is in force; it is looked at again"))
    }

    /// The status is another one by now: what was asked for is not wanted any more.
    pub(super) async fn withdraw(&self, step: &Step, open: &Case, asset: &Asset, run: &Run) -> Result<Ended> {
        let case =
            Case { turn: step.turn, held: false, phase: Phase::Closed { outcome: None }, ..open.clone() };
        self.end_review(open, run).await?;
        let text = match open.phase {
            Phase::Archiving { .. } => "while iconik was archiving it; what iconik has begun goes on",
            Phase::Due | Phase::InReview { .. } | Phase::Closed { .. } => "before anything was done",
        };
        let text = format!("{} Its status was changed {text}.", heading(&case));
        let report = Report { state: Some(State::Withdrawn), outcome: None, held: false, text };
        self.report(asset, &report, run).await?;
        Ok(Ended::skipped(case, "disposition.withdrawn", "the asset has another status by now"))
    }

    /// The asset is gone, by somebody else's hand.
    async fn close_without(
        &self,
        step: &Step,
        open: Option<&Case>,
        reason: Reason,
    ) -> Result<std::result::Result<Ended, Reason>> {
        let Some(open) = open else { return Ok(Err(reason)) };
        let phase = Phase::Closed { outcome: None };
        let case = Case { turn: step.turn, held: false, phase, ..open.clone() };
        Ok(Ok(Ended::skipped(case, &reason.code, &reason.message)))
    }
}

fn passed(message: &str) -> Result<std::result::Result<Ended, Reason>> {
    Ok(Err(Reason::new("disposition.passed", message)))
}

/// How an entry in the history begins: it tells one status of an asset, and one step, from another.
pub(super) fn heading(case: &Case) -> String {
    format!("Disposition of status {:?} ({}.{}):", case.status, case.revision, case.turn)
}

/// What an audit event says of a step.
pub(super) fn facts(case: &Case, what: &str) -> std::collections::BTreeMap<String, String> {
    let nodes: Vec<String> = case.nodes.iter().map(ToString::to_string).collect();
    [
        ("disposition", what.to_owned()),
        ("asset-id", case.asset.clone()),
        ("revision", case.revision.to_string()),
        ("nodes", nodes.join(" ")),
    ]
    .map(|(name, fact)| (name.to_owned(), fact))
    .into()
}
