//! The two sides of `file-rights`: the rights that iconik has of approved assets, and what is filed of them beside their
//! finals: the statement, the releases, what the finals say, and that nobody uses a final whose rights have lapsed.
//!
//! iconik is asked as the flow asks it. Of assets that are gone, or not approved any more, what was filed stays, and its last
//! days hold: what a case of the ledger says of these is the source then.

use std::cmp::max;

use serde_json::json;
use shared::{
    environment::Environment,
    error::{Error, FailureClass, Result},
    flow::Flow,
    iconik::{Asset, AssetId, AssetStatus},
    mapping::Record,
    reconcile::{Again, Eventual, Facts, Listed, Look, Page, Pair, Scope, Seen, Side, Sides, Words},
};

use super::{
    FileRights, case,
    case::Case,
    look::day_of,
    rights::{self, Lapse, Rights},
    settle::{record_of, without_a_rule},
};
use crate::{
    approval::{Approved, IN_PROGRESS, Standing},
    rights_rules::RightsRule,
    sides::{account, asset, events, list_assets, listed_id, look_again},
};

/// What both sides say of rights that are filed as they are.
const AS_THEY_ARE: &str = "the rights as iconik has them";

/// The sides.
pub(super) struct RightsSides {
    pub(super) flow: FileRights,
    /// The collections of iconik whose assets are compared.
    collections: Vec<String>,
}

/// Makes the sides from the flow's own configuration.
pub(crate) fn connect<'a>(
    environment: &'a Environment,
    scope: &'a Scope,
) -> Eventual<'a, Result<Box<dyn Sides>>> {
    Box::pin(async move {
        let flow = FileRights::connect(environment).await?;
        Ok(Box::new(RightsSides { flow, collections: scope.collections.clone() }) as Box<dyn Sides>)
    })
}

impl Sides for RightsSides {
    fn words(&self) -> Words {
        Words {
            source: "rights of approved assets that a rule files".into(),
            target: "statements and releases beside their finals".into(),
            missing: "somebody or something removed the document after it was filed: if that was a mistake, restore it \
                      from Content Server's recycle bin"
                .into(),
            different: "find out who changed which side; what people edit of a filed document or of permissions is put \
                        right by hand, or with the next revision of the rights"
                .into(),
            extra: "see to it that nobody uses the final any more".into(),
        }
    }

    fn list(&self, side: Side, cursor: Option<String>) -> Eventual<'_, Result<Page>> {
        Box::pin(async move {
            match side {
                Side::Source => list_assets(&self.flow.iconik, &self.collections, cursor.as_deref()).await,
                Side::Target => self.list_cases(cursor.as_deref()).await,
            }
        })
    }

    fn look<'a>(&'a self, side: Side, listed: &'a Listed, look: Look) -> Eventual<'a, Result<Vec<Pair>>> {
        Box::pin(async move {
            match side {
                Side::Source => Box::pin(self.asset(listed_id(listed)?, look)).await,
                Side::Target => Ok(Box::pin(self.left(listed_id(listed)?)).await?.into_iter().collect()),
            }
        })
    }
}

/// What is filed of an asset, and by what it is judged.
pub(super) struct Standpoint<'a> {
    pub(super) asset: &'a Asset,
    pub(super) case: &'a Case,
    pub(super) rule: &'a RightsRule,
    /// What the rule read and what was filed, as the case has it.
    pub(super) record: Record,
    pub(super) lapses: Vec<Lapse>,
}

impl RightsSides {
    async fn list_cases(&self, cursor: Option<&str>) -> Result<Page> {
        let behind = match cursor {
            Some(text) => text.parse().map_err(|_| Error::bug("list", "a cursor is not a number"))?,
            None => -1,
        };
        let due = case::due_behind(&self.flow.environment.ledger, behind).await?;
        let next = due.last().map(|(number, _)| number.to_string());
        let items = due
            .into_iter()
            .map(|(number, due)| Listed { key: format!("rights of node {number}"), facts: json!(due.asset) });
        Ok(Page { items: items.collect(), next })
    }

    /// The rights of an asset, and everything that is filed of them.
    async fn asset(&self, id: &str, look: Look) -> Result<Vec<Pair>> {
        let id = AssetId::new(id);
        let Some(found) = self.find(&id).await? else { return Ok(Vec::new()) };
        let kept = self.flow.case(&id, &self.flow.environment.ledger).await?;
        let approved = match self.flow.standing(&id, None, kept.case.as_ref()).await {
            Ok(Standing::Approved(approved)) => approved,
            Ok(Standing::Not(_)) => return self.of_case(&found, kept.case.as_ref(), false, look).await,
            Err(error) if error.code() == IN_PROGRESS => return Ok(Vec::new()),
            Err(error) => return Err(error),
        };
        let is_later = |case: &Case| case.number > approved.number();
        if kept.case.as_ref().is_some_and(is_later) {
            return self.of_case(&found, kept.case.as_ref(), false, look).await;
        }
        let record = self.flow.record(&approved).await?;
        let Some(rule) = self.flow.rules.choose(&record) else {
            return self.of_case(&found, kept.case.as_ref(), true, look).await;
        };
        let mut pair = self.pair(&found, "rights");
        pair.changed = max(max(approved.at, found.modified), pair.changed);
        let rights = match self.rights(&approved, rule, record, kept.case.is_some()).await {
            Ok(rights) => rights,
            Err(error) if error.class() == FailureClass::Invalid => {
                return Ok(vec![self.refused(pair, &approved, kept.case.as_ref(), &error).await?]);
            }
            Err(error) => return Err(error),
        };
        let released = rights.releases.iter().filter_map(|release| release.asset.modified).max();
        pair.changed = max(pair.changed, released);
        Box::pin(self.filed(&approved, &rights, kept.case.as_ref(), pair, look)).await
    }

    /// An asset that is not in the recycle bin.
    async fn find(&self, id: &AssetId) -> Result<Option<Asset>> {
        let found = self.flow.iconik.find_asset(id).await?;
        Ok(found.filter(|found: &Asset| found.status != AssetStatus::Deleted))
    }

    async fn rights<'a>(
        &self,
        approved: &Approved,
        rule: &'a RightsRule,
        record: Record,
        is_filed: bool,
    ) -> Result<Rights<'a>> {
        let related = self.flow.related(&approved.asset.id).await?;
        let releases = self.flow.releases(approved, rule, &related).await?;
        Rights::of(approved, rule, record, releases, is_filed)
    }

    /// Rights that cannot be filed as they are: the flow puts them aside, once it has heard of them.
    async fn refused(
        &self,
        mut pair: Pair,
        approved: &Approved,
        case: Option<&Case>,
        error: &Error,
    ) -> Result<Pair> {
        self.explain(&mut pair, approved).await?;
        pair.note = Some(format!("As they are they cannot be filed: {}.", error.message()));
        pair.source = there(AS_THEY_ARE.into());
        if let Some(case) = case {
            pair.target = there(revision(case));
            if matches!(pair.account, shared::reconcile::Account::Ended(..)) {
                pair.accounted = Some("they were put aside, and what was filed before stays".into());
            }
        }
        Ok(pair)
    }

    /// The rights of an approved version: that they are filed as they are, and everything of it.
    async fn filed(
        &self,
        approved: &Approved,
        rights: &Rights<'_>,
        case: Option<&Case>,
        mut pair: Pair,
        look: Look,
    ) -> Result<Vec<Pair>> {
        let ledger = &self.flow.environment.ledger;
        let nodes = match self.flow.find_final(approved, rights, ledger).await {
            Ok(nodes) => nodes,
            Err(error) if error.class() == FailureClass::Invalid => {
                return Ok(vec![self.refused(pair, approved, case, &error).await?]);
            }
            Err(error) => return Err(error),
        };
        self.explain(&mut pair, approved).await?;
        let lapses = rights.lapses(day_of(self.flow.environment.context.now()));
        let mut source = Facts { version: Some(AS_THEY_ARE.into()), ..Facts::default() };
        if nodes.is_empty() {
            pair.accounted = Some("its final is not filed yet, and is waited for".into());
        }
        let Some(case) = case else {
            pair.source = Seen::There(source);
            return Ok(vec![pair]);
        };
        let last = case::last_revision(ledger, &approved.asset.id).await?;
        let is_seen = last.is_some_and(|(place, last)| place == case.revision && last == rights.digest);
        let is_filed = is_seen && case.version == approved.version.id.as_str();
        let keys: Vec<String> = lapses.iter().map(|lapse| lapse.key.clone()).collect();
        let version = if is_filed { AS_THEY_ARE.to_owned() } else { revision(case) };
        let mut target = Facts { version: Some(version), ..Facts::default() };
        (source.metadata, target.metadata) = (Some(numbers(&nodes)), Some(numbers(&case.nodes)));
        (source.state, target.state) = (Some(words(&keys)), Some(words(&case.lapsed)));
        let is_settled = is_filed && case.nodes == nodes && case.lapsed == keys;
        (pair.source, pair.target) = (Seen::There(source), Seen::There(target));
        let mut pairs = vec![pair];
        if is_settled {
            let record = record_of(&case.record);
            let of = Standpoint { asset: &approved.asset, case, rule: rights.rule, record, lapses };
            pairs.extend(self.documents(&of, look).await?);
            pairs.extend(self.releases(&of, rights, look).await?);
        }
        Ok(pairs)
    }

    /// What was filed of an asset that is not approved any more, or that no rule takes: its last days hold.
    async fn of_case(
        &self,
        found: &Asset,
        case: Option<&Case>,
        is_without_rule: bool,
        look: Look,
    ) -> Result<Vec<Pair>> {
        let Some(case) = case else { return Ok(Vec::new()) };
        let Some(rule) = self.flow.rules.rule(&case.rule) else { return Ok(Vec::new()) };
        let lapses = self.lapsed(case, is_without_rule);
        let mut pair = self.pair(found, "rights");
        pair.changed = found.modified;
        pair.if_different = Some(self.again(&found.id)?);
        let fresh = fresh(&lapses, case);
        let is_noted = fresh.is_empty();
        pair.source = state("what has lapsed is noted, and access is narrowed".into());
        pair.target = match is_noted {
            true => pair.source.clone(),
            false => state(format!("not noted: {}", words(&fresh))),
        };
        let mut pairs = vec![pair];
        // What a final says of what lapsed otherwise is not known any more.
        let is_all = case.lapsed.iter().all(|key| lapses.iter().any(|lapse| lapse.key == *key));
        if is_noted && is_all {
            let of = Standpoint { asset: found, case, rule, record: record_of(&case.record), lapses };
            pairs.extend(self.documents(&of, look).await?);
        }
        Ok(pairs)
    }

    fn lapsed(&self, case: &Case, is_without_rule: bool) -> Vec<Lapse> {
        let today = day_of(self.flow.environment.context.now());
        let mut lapses = rights::lapsed(&case.expiries, today);
        if is_without_rule {
            lapses.push(without_a_rule(case));
        }
        lapses
    }

    /// What is left of an asset that iconik has no more. The documents stay; that people may use them ends with the rights.
    async fn left(&self, id: &str) -> Result<Option<Pair>> {
        let id = AssetId::new(id);
        if self.find(&id).await?.is_some() {
            return Ok(None);
        }
        let kept = self.flow.case(&id, &self.flow.environment.ledger).await?;
        let Some(case) = kept.case else { return Ok(None) };
        let mut pair = Pair::new(format!("asset {id}: rights"), format!("asset {id}"), asset(id.as_str()));
        pair.target = there(revision(&case));
        let fresh = fresh(&self.lapsed(&case, false), &case);
        if fresh.is_empty() {
            pair.accounted = Some("what was filed stays, and its last days hold".into());
        } else {
            pair.note = Some(format!(
                "Access to its final is not narrowed, though it has lapsed: {}.",
                words(&fresh)
            ));
            pair.if_extra = Some(self.again(&id)?);
        }
        Ok(Some(pair))
    }

    pub(super) fn pair(&self, found: &Asset, what: &str) -> Pair {
        Pair::new(format!("asset {}: {what}", found.id), &found.title, asset(found.id.as_str()))
    }

    /// Why something is not there, as far as the audit knows since the approval; and what may bring it.
    async fn explain(&self, pair: &mut Pair, approved: &Approved) -> Result<()> {
        let ledger = &self.flow.environment.ledger;
        let since = max(approved.at, approved.asset.modified);
        let told = events(ledger, FileRights::NAME, &pair.asset, since).await?;
        pair.account = account(told.first(), &[]);
        let again = self.again(&approved.asset.id)?;
        (pair.if_missing, pair.if_different) = (Some(again.clone()), Some(again));
        Ok(())
    }

    /// Lets the flow look at an asset and do what its rules say. One message a day.
    fn again(&self, id: &AssetId) -> Result<Again> {
        let context = &self.flow.environment.context;
        look_again(FileRights::NAME, context, ("assets", id.as_str()), None, None)
    }
}

/// What has lapsed and is not noted.
fn fresh(lapses: &[Lapse], case: &Case) -> Vec<String> {
    let keys = lapses.iter().map(|lapse| lapse.key.clone());
    keys.filter(|key| !case.lapsed.contains(key)).collect()
}

fn words(lapsed: &[String]) -> String {
    if lapsed.is_empty() { "the rights last".to_owned() } else { format!("lapsed: {}", lapsed.join("; ")) }
}

fn numbers(nodes: &[shared::content_server::NodeId]) -> String {
    nodes.iter().map(ToString::to_string).collect::<Vec<_>>().join(" ")
}

fn revision(case: &Case) -> String {
    format!("revision {} of version {}", case.revision, case.number)
}

fn there(version: String) -> Seen {
    Seen::There(Facts { version: Some(version), ..Facts::default() })
}

fn state(state: String) -> Seen {
    Seen::There(Facts { state: Some(state), ..Facts::default() })
}
