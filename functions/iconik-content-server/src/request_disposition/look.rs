//! The round over what is under way: has it been decided, has a hold been lifted?
//!
//! It tells by messages to the flow's own queue, so that every step is an item of its own.

use shared::{
    error::Result,
    flow::{Outcome, Run},
};

use super::{
    RequestDisposition,
    archive::Standing,
    case::{self, Case, Phase},
    skipped,
    step::{ARCHIVED, RELEASED, Step},
};

/// The checkpoint that says how far a round has come.
const BEHIND: &str = "behind";

impl RequestDisposition {
    pub(super) async fn look(&self, run: &Run) -> Result<Outcome> {
        let mut behind = run.recorded::<i64>(BEHIND).unwrap_or(-1);
        let (mut looked, mut told) = (0_u32, 0_u32);
        loop {
            let page = case::cases_behind(run.ledger(), behind).await?;
            if page.is_empty() {
                break;
            }
            for (node, asset) in page {
                if run.must_stop() {
                    run.checkpoint(BEHIND, &behind).await?;
                    return Ok(Outcome::Continue);
                }
                looked += 1;
                told += u32::from(self.look_at(&asset, run).await?);
                behind = node;
            }
        }
        run.note("told", told.to_string());
        skipped("look.done", &format!("{looked} dispositions were looked at, {told} have news"))
    }

    /// Tells of the next step of a disposition, if one is due.
    pub(super) async fn look_at(&self, asset: &str, run: &Run) -> Result<bool> {
        let Some(open) = case::case_of(run.ledger(), asset).await?.case else { return Ok(false) };
        let Some(news) = self.news(&open).await? else { return Ok(false) };
        if !run.is_dry() {
            let step = Step { asset: open.asset, revision: open.revision, turn: open.turn + 1, news };
            self.tell(&step, run).await?;
        }
        Ok(true)
    }

    pub(super) async fn news(&self, open: &Case) -> Result<Option<String>> {
        if open.is_closed() {
            return Ok(None);
        }
        if open.held {
            let lifted = self.hold_over(&open.nodes).await?.is_none();
            return Ok(lifted.then(|| RELEASED.to_owned()));
        }
        match open.phase {
            Phase::InReview { .. } => {}
            Phase::Archiving { since, ref formats } => {
                return Ok(match self.standing(open, since, formats).await? {
                    Standing::Archived => Some(ARCHIVED.to_owned()),
                    Standing::UnderWay => None,
                    // Its item says so to people, once.
                    Standing::Failed(why) | Standing::Stuck(why) => Some(why),
                });
            }
            Phase::Due | Phase::Closed { .. } => return Ok(None),
        }
        // Without its rule nobody knows what a word means: it waits until the rule is back.
        let Some(rule) = self.rules.rule(&open.rule) else { return Ok(None) };
        match self.decision(rule, open).await {
            Ok(decision) => Ok(decision.map(|decision| decision.word)),
            // Its item says why.
            Err(error) if error.code() == "disposition.no-decision" => Ok(Some(error.message().to_owned())),
            Err(error) => Err(error),
        }
    }
}
