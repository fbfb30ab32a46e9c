//! From an asset's status to what was asked about it, and how far that has come.

use shared::{
    error::Result,
    reconcile::{Account, Facts, Pair, Seen},
};

use super::{DispositionSides, state};
use crate::{
    disposition_rules::{Destroy, Outcome, Rule},
    request_disposition::{
        asset::Asset,
        case::{self, Case, Phase},
    },
    sides,
};

impl DispositionSides {
    /// An asset that is there: whether its status was asked about, and how that stands.
    pub(super) async fn asset(&self, id: &str) -> Result<Vec<Pair>> {
        let Ok(asset) = self.flow.asset(id).await? else { return Ok(Vec::new()) };
        let ledger = &self.flow.environment.ledger;
        let rule = self.flow.rules.choose(&asset.status, asset.category.as_deref());
        let case = case::case_of(ledger, id).await?.case;
        let Some(case) = case else {
            return match rule {
                Some(_) => Ok(vec![self.not_asked(&asset).await?]),
                None => Ok(Vec::new()),
            };
        };
        let seen = case::status_of(ledger, id).await?;
        let is_current = case.status == asset.status
            && seen.is_some_and(|(revision, status)| revision == case.revision && status == asset.status);
        match (is_current, case.is_closed(), rule) {
            (true, ..) => Box::pin(self.disposition(&asset, &case)).await,
            (false, false, _) => Ok(vec![self.not_withdrawn(&asset, &case)?]),
            (false, true, Some(_)) => Ok(vec![self.not_asked(&asset).await?]),
            (false, true, None) => Ok(Vec::new()),
        }
    }

    /// A status that asks for a decision, and nobody was asked.
    async fn not_asked(&self, asset: &Asset) -> Result<Pair> {
        let key = format!("asset {}, status {:?}", asset.id, asset.status);
        let mut pair = Pair::new(key, &asset.title, sides::asset(&asset.id));
        pair.changed = asset.since.or(asset.modified);
        pair.source = Seen::There(Facts::default());
        pair.account = self.account(&asset.id, asset.since).await?;
        pair.if_missing = Some(self.status_again(&asset.id)?);
        Ok(pair)
    }

    /// A disposition of another status than the asset has by now.
    fn not_withdrawn(&self, asset: &Asset, case: &Case) -> Result<Pair> {
        let mut pair = disposition_pair(asset, case);
        pair.changed = asset.since.or(asset.modified);
        pair.source = state(format!("its status is {:?}", asset.status));
        pair.target = state(format!("its disposition is of the status {:?}", case.status));
        pair.if_different = Some(self.status_again(&asset.id)?);
        Ok(pair)
    }

    /// A disposition of the status that an asset has.
    async fn disposition(&self, asset: &Asset, case: &Case) -> Result<Vec<Pair>> {
        let mut pair = disposition_pair(asset, case);
        pair.changed = asset.since;
        if let Phase::Closed { outcome } = &case.phase {
            return self.ended(asset, case, *outcome, pair).await;
        }
        let Some(news) = self.flow.news(case).await? else {
            let mut pairs = vec![self.told(asset, case, pair).await?];
            pairs.extend(self.records(asset, case).await?);
            return Ok(pairs);
        };
        // What the flow cannot deal with it puts aside, and says so once.
        let account = self.account(&asset.id, asset.since).await?;
        if matches!(account, Account::Ended(..)) {
            pair.accounted = Some("there is news that was put aside, with its reason".into());
        }
        pair.changed = pair.changed.max(self.decided_at(case).await?);
        pair.source = state(format!("there is news: {news}"));
        pair.target = state("nothing was done about it");
        pair.if_different = match case.nodes.first() {
            Some(node) => Some(self.news_again(*node)?),
            None => None,
        };
        Ok(vec![pair])
    }

    /// When it was decided, where Content Server says so.
    async fn decided_at(&self, case: &Case) -> Result<Option<jiff::Timestamp>> {
        let Some(rule) = self.flow.rules.rule(&case.rule) else { return Ok(None) };
        let decision = match self.flow.decision(rule, case).await {
            Err(error) if error.code() == "disposition.no-decision" => None,
            decision => decision?,
        };
        Ok(decision.and_then(|decision| decision.at?.parse().ok()))
    }

    /// A disposition that is over, of an asset that is there.
    async fn ended(
        &self,
        asset: &Asset,
        case: &Case,
        outcome: Option<Outcome>,
        mut pair: Pair,
    ) -> Result<Vec<Pair>> {
        let rule = self.flow.rules.rule(&case.rule);
        let takes = |rule: &Rule| rule.destroy != Destroy::Nothing;
        match outcome {
            // Withdrawn: whoever changes the status again is asked anew.
            None => Ok(Vec::new()),
            Some(Outcome::Destroy) if rule.is_some_and(takes) => {
                pair.changed = pair.changed.max(asset.modified);
                pair.source = state("it was decided to destroy the asset, and that was certified");
                pair.target = state("the asset is in use");
                pair.note = Some("Somebody has brought it back from the recycle bin.".into());
                Ok(vec![pair])
            }
            Some(_) => Ok(vec![self.told(asset, case, pair).await?]),
        }
    }
}

/// A disposition of an asset, of which nothing is known yet.
fn disposition_pair(asset: &Asset, case: &Case) -> Pair {
    let key = format!("disposition of asset {}, revision {}", asset.id, case.revision);
    let mut pair = Pair::new(key, format!("disposition of {}", asset.title), sides::asset(&asset.id));
    pair.note = Some(format!("Its rule is {}.", case.rule));
    pair
}
