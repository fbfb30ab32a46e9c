//! What is to be signed off, and by which workflow.

use shared::{
    error::Result,
    flow::Flow,
    iconik::{ApprovalStatus, Asset, AssetId, AssetStatus},
    reconcile::Pair,
};

use super::{SignoffSides, state};
use crate::{
    sides::{self, account, events},
    start_signoff::{
        StartSignoff,
        memory::{Ending, Known, Mark},
        review::{is_newer, version_number},
    },
};

/// What both sides say of a workflow that is followed.
const FOLLOWED: &str = "started, and followed";

impl SignoffSides {
    /// An asset: the sign-off that is due, and those there were.
    pub(super) async fn asset(&self, id: &AssetId) -> Result<Vec<Pair>> {
        let found = self.flow.iconik.find_asset(id).await?;
        let Some(asset) = found.filter(|asset| asset.status != AssetStatus::Deleted) else {
            return Ok(Vec::new());
        };
        let known = self.flow.known(id).await?;
        let mut pairs: Vec<Pair> = self.due(&asset, &known).await?.into_iter().collect();
        if known.all().next().is_some() {
            pairs.extend(self.followed(&asset, &known).await?);
        }
        Ok(pairs)
    }

    /// The sign-off that the flow would start now, if a hint about the asset came.
    async fn due(&self, asset: &Asset, known: &Known) -> Result<Option<Pair>> {
        let Ok((version, review)) = self.flow.subject(asset, None).await? else { return Ok(None) };
        if review.status != ApprovalStatus::Approved {
            return Ok(None);
        }
        let record = self.flow.record_of(asset, version, &review).await?;
        let Some(rule) = self.flow.rules.choose(&record) else { return Ok(None) };
        let number = version_number(version);
        for (_, newer) in known.all().filter(|(_, signoff)| signoff.number > number) {
            let workflow = self.flow.workflow(newer.process).await?;
            if workflow.is_some_and(|workflow| matches!(workflow.closed, None | Some(Ending::Approved))) {
                return Ok(None);
            }
        }
        let requested = review.requested.map(jiff::Timestamp::as_millisecond);
        let round = match known.get(&version.id) {
            None => 1,
            Some(signoff) => {
                let workflow = self.flow.workflow(signoff.process).await?;
                // One that runs stands for every review of the version; of one that nobody remembers it is known that it
                // has ended.
                let Some(ending) = workflow.map_or(Some(Ending::Gone), |workflow| workflow.closed) else {
                    return Ok(None);
                };
                let is_due = ending == Ending::Withdrawn || signoff.reopened || is_newer(requested, signoff);
                if !is_due {
                    return Ok(None);
                }
                signoff.round + 1
            }
        };
        let key = format!("asset {}, version {number}, round {round}", asset.id);
        let mut pair = Pair::new(key, &asset.title, sides::asset(asset.id.as_str()));
        pair.changed = review.changed.max(review.requested);
        pair.source = state(FOLLOWED);
        let again = self.review_again(&asset.id, &version.id)?;
        let mark = Mark::of(&asset.id, &version.id, round);
        if let Some(process) = self.flow.marked(&mark).await? {
            pair.target = state("started, and nobody follows it");
            pair.note = Some(format!("Workflow {} carries its mark.", process.0));
            pair.if_different = Some(again);
            return Ok(Some(pair));
        }
        pair.if_missing = Some(again);
        // A document that stands for none is put aside, with its reason.
        let is_awaited = rule
            .document
            .as_ref()
            .is_some_and(|wanted| matches!(wanted.document(&record, version.id.as_str()), Ok(None)));
        if is_awaited {
            pair.accounted = Some("the approved version is not filed yet".into());
        }
        let ledger = &self.flow.environment.ledger;
        let events = events(ledger, StartSignoff::NAME, &pair.asset, review.requested).await?;
        pair.account = account(events.first(), &[]);
        Ok(Some(pair))
    }
}
