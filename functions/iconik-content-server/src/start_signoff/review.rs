//! From a hint about an asset to what its reviews ask for.

use shared::{
    content_server::ProcessId,
    error::Result,
    flow::{Outcome, Reason, Run},
    iconik::{Approval, ApprovalStatus, Asset, AssetId, AssetStatus, AssetVersion, ObjectRef, VersionId},
    iconik_change::IconikChange,
    ledger::Key,
};

use super::{
    RESUBMIT, StartSignoff,
    follow::{Followed, delivery},
    memory::{Ending, Known, Lapse, Signoff},
    skipped,
    withdraw::is_deleted,
};

/// An approved version.
pub(super) struct Approved<'a> {
    pub(super) asset: &'a Asset,
    pub(super) version: &'a AssetVersion,
    pub(super) review: &'a Approval,
    /// The item that is being worked on.
    pub(super) item: &'a Key,
    pub(super) run: &'a Run,
}

impl Approved<'_> {
    pub(super) fn number(&self) -> i64 {
        self.version.number.unwrap_or(0)
    }

    /// When the review was asked for, in milliseconds since the epoch.
    pub(super) fn requested(&self) -> Option<i64> {
        self.review.requested.map(jiff::Timestamp::as_millisecond)
    }
}

/// What there is to do about an approved version.
enum Due {
    /// Its next round is to be started.
    Round(u32),
    Nothing(Reason),
}

impl StartSignoff {
    pub(super) async fn reviewed(&self, change: &IconikChange, run: &Run) -> Result<Outcome> {
        if change.object_type != "assets" {
            return skipped("object.not-an-asset", "only assets are signed off");
        }
        run.note("asset", change.object_id.as_str());
        let work = Box::pin(self.reviewed_alone(change, run));
        self.alone(&change.object_id, run, work).await
    }

    async fn reviewed_alone(&self, change: &IconikChange, run: &Run) -> Result<Outcome> {
        let id = AssetId::new(change.object_id.as_str());
        // What this item has started is its own, whatever became of it since.
        if let Some(process) = self.started(run) {
            return self.begun(process, run).await;
        }
        let known = self.known(&id).await?;
        let asset = self.iconik.find_asset(&id).await?;
        let withdrawn = self.withdraw_lapsed(&known, asset.as_ref(), run).await?;
        let outcome = match asset {
            None => skipped("asset.gone", "the asset is not there any more"),
            Some(asset) if asset.status == AssetStatus::Deleted => {
                skipped("asset.in-recycle-bin", "the asset is in the recycle bin")
            }
            Some(asset) => Box::pin(self.consider(&asset, change, known, run)).await,
        }?;
        let withdrawn = withdrawn.into_iter().next();
        match (outcome, withdrawn) {
            (Outcome::Skipped(reason), Some((process, followed))) => {
                Ok(as_withdrawn(process, followed, &reason))
            }
            (outcome, _) => Ok(outcome),
        }
    }

    /// Reads the review and does what it asks for.
    async fn consider(
        &self,
        asset: &Asset,
        change: &IconikChange,
        mut known: Known,
        run: &Run,
    ) -> Result<Outcome> {
        let (version, review) = match self.subject(asset, change.version_id.as_deref()).await? {
            Ok(subject) => subject,
            Err(reason) => return Ok(Outcome::Skipped(reason)),
        };
        run.note("version", version.id.as_str());
        if review.status != ApprovalStatus::Approved {
            // The next approval is another review.
            if let Some(signoff) = known.get_mut(&version.id).filter(|signoff| !signoff.reopened) {
                signoff.reopened = true;
                self.remember_asset(&asset.id, &known, run).await?;
            }
            let message = format!(
                "the review of version {} stands at {}",
                version_number(version),
                review.status.as_str()
            );
            return skipped("review.not-approved", &message);
        }
        let item = change.key();
        let approved = Approved { asset, version, review: &review, item: &item, run };
        let round = match self.due(&approved, &mut known, change).await? {
            Due::Round(round) => round,
            Due::Nothing(reason) => return Ok(Outcome::Skipped(reason)),
        };
        let record = self.record_of(asset, version, &review).await?;
        let Some(rule) = self.rules.choose(&record) else {
            return skipped("rule.none", "no rule has such an asset signed off");
        };
        run.note("rule", rule.name.as_str());
        if run.is_dry() {
            return skipped("dry-run", &format!("the rule {} would start its workflow", rule.name));
        }
        Box::pin(self.start(&approved, rule, &record, round)).await
    }

    /// The version a hint is about, with its review: the one it names, or else the newest that was ever reviewed.
    pub(super) async fn subject<'a>(
        &self,
        asset: &'a Asset,
        named: Option<&str>,
    ) -> Result<Result<(&'a AssetVersion, Approval), Reason>> {
        let object = ObjectRef::Assets(asset.id.clone());
        if let Some(named) = named.map(VersionId::new) {
            let Some(version) = asset.version(&named).filter(|version| !is_deleted(version)) else {
                return Ok(Err(Reason::new("version.deleted", "the version was deleted after its review")));
            };
            let review = self.iconik.find_approval(&object, Some(&named)).await?;
            return Ok(review
                .map(|review| (version, review))
                .ok_or_else(|| Reason::new("review.none", "nobody was asked to review the version")));
        }
        let mut versions: Vec<&AssetVersion> =
            asset.versions.iter().filter(|version| !is_deleted(version)).collect();
        versions.sort_by_key(|version| std::cmp::Reverse(version.number));
        for version in versions {
            if let Some(review) = self.iconik.find_approval(&object, Some(&version.id)).await? {
                return Ok(Ok((version, review)));
            }
        }
        Ok(Err(Reason::new("review.none", "nobody was asked to review the asset")))
    }

    /// Whether a version that is approved is to be signed off, and in which round.
    async fn due(&self, approved: &Approved<'_>, known: &mut Known, change: &IconikChange) -> Result<Due> {
        let nothing = |code: &str, message: &str| Ok(Due::Nothing(Reason::new(code, message)));
        let run = approved.run;
        for (_, newer) in known.all().filter(|(_, signoff)| signoff.number > approved.number()) {
            let workflow = self.workflow(newer.process).await?;
            let stands =
                workflow.is_some_and(|workflow| matches!(workflow.closed, None | Some(Ending::Approved)));
            if stands {
                return nothing("version.superseded", "a newer version is signed off, or is being");
            }
        }
        let Some(signoff) = known.get_mut(&approved.version.id) else { return Ok(Due::Round(1)) };
        let next = signoff.round + 1;
        let requested = approved.requested();
        let ending = match self.workflow(signoff.process).await? {
            Some(_) => self.follow(signoff.process, run).await?.ending,
            // It ended so long ago that nobody remembers how.
            None => Some(Ending::Gone),
        };
        let Some(ending) = ending else {
            // The same content was approved once more: it stands for that review as well.
            if is_newer(requested, signoff) && !run.is_dry() {
                signoff.requested = requested;
                self.remember_asset(&approved.asset.id, known, run).await?;
            }
            return nothing("signoff.running", "the workflow of this version is running");
        };
        let wanted_anew = change.request.as_deref() == Some(RESUBMIT) && ending != Ending::Approved;
        let is_due = ending == Ending::Withdrawn || signoff.reopened || wanted_anew;
        if is_due || is_newer(requested, signoff) {
            return Ok(Due::Round(next));
        }
        nothing("signoff.decided", "this review of the version has been decided about")
    }

    /// Ends the sign-offs of older versions that run.
    pub(super) async fn supersede(&self, approved: &Approved<'_>) -> Result<()> {
        let run = approved.run;
        let known = self.known(&approved.asset.id).await?;
        for (_, older) in known.all().filter(|(_, signoff)| signoff.number < approved.number()) {
            match self.workflow(older.process).await? {
                Some(workflow) if workflow.closed.is_none() => {
                    self.withdraw(older.process, workflow, Lapse::Superseded, run).await?;
                }
                _ => {}
            }
        }
        Ok(())
    }
}

/// What a hint that led to withdrawals and nothing else is delivered as.
fn as_withdrawn(process: ProcessId, followed: Option<Followed>, reason: &Reason) -> Outcome {
    let Some(followed) = followed else {
        return Outcome::Skipped(Reason::new("dry-run", "it would withdraw the sign-off"));
    };
    let mut delivered = delivery(process, &followed);
    delivered.detail.insert("because".to_owned(), reason.code.clone());
    Outcome::Delivered(delivered)
}

/// The number of a version.
pub(super) fn version_number(version: &AssetVersion) -> i64 {
    version.number.unwrap_or(0)
}

/// Whether a review was asked for later than the one of a sign-off.
pub(super) fn is_newer(requested: Option<i64>, signoff: &Signoff) -> bool {
    requested.zip(signoff.requested).is_some_and(|(requested, before)| requested > before)
}
