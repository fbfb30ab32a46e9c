//! The two sides of `archive-production`: closed productions of iconik, and their packages in Content Server.
//!
//! A package is what iconik was at its closing, so it is held against its own summary, the last document that is made of it
//! and that names node, size and SHA-256 of every other; and the summary against what the ledger has of it. Whether a
//! production is closed, and which closing that is, iconik is asked as the flow asks it.

use std::cmp::max;

use serde_json::json;
use shared::{
    environment::Environment,
    error::{FailureClass, Result},
    flow::Flow,
    iconik::{Collection, CollectionId, CollectionStatus, MetadataValues},
    reconcile::{Again, Eventual, Facts, Listed, Look, Page, Pair, Scope, Seen, Side, Sides, Words},
};

use super::{
    ArchiveProduction,
    closing::{Closing, Standing},
    object,
    packaged::Packaged,
};
use crate::{
    production_rules::ProductionRule,
    sides::{OnBothSides, account, collection_asset, events, list_collections, listed_id, look_again},
};

/// Skips that explain a package that is not there.
const EXPLAINED: [&str; 1] = ["package.aborted"];

/// The sides.
pub(super) struct ProductionSides {
    pub(super) flow: ArchiveProduction,
    /// The collections of iconik that are compared, with everything below them.
    collections: Vec<String>,
}

/// Makes the sides from the flow's own configuration.
pub(crate) fn connect<'a>(
    environment: &'a Environment,
    scope: &'a Scope,
) -> Eventual<'a, Result<Box<dyn Sides>>> {
    Box::pin(async move {
        let flow = ArchiveProduction::connect(environment).await?;
        Ok(Box::new(ProductionSides { flow, collections: scope.collections.clone() }) as Box<dyn Sides>)
    })
}

impl Sides for ProductionSides {
    fn words(&self) -> Words {
        Words {
            source: "closed productions and what their packages are to hold".into(),
            target: "packages in Content Server".into(),
            missing: "somebody or something removed it after the package was complete: restore it from Content Server's \
                      recycle bin, or let another closing of the production make another package"
                .into(),
            different: "find out who changed which side; bring back the version that the summary names".into(),
            extra: "find out who put it into the package; the flow removes nothing".into(),
        }
    }

    fn list(&self, _: Side, cursor: Option<String>) -> Eventual<'_, Result<Page>> {
        Box::pin(async move {
            let mut page = list_collections(&self.flow.iconik, &self.collections, cursor.as_deref()).await?;
            if cursor.is_none() {
                // Those that are named are productions too, or may be.
                let named = self.collections.iter();
                let named = named.map(|id| Listed { key: format!("collection {id}"), facts: json!(id) });
                page.items = named.chain(page.items).collect();
            }
            Ok(page)
        })
    }

    fn look<'a>(&'a self, side: Side, listed: &'a Listed, look: Look) -> Eventual<'a, Result<Vec<Pair>>> {
        Box::pin(async move {
            let id = CollectionId::new(listed_id(listed)?);
            let Some(found) = self.flow.iconik.find_collection(&id).await? else { return Ok(Vec::new()) };
            if found.status == CollectionStatus::Deleted {
                return Ok(Vec::new());
            }
            let Some(rule) = self.rule_of(&found).await? else { return Ok(Vec::new()) };
            let production = Production {
                metadata: self.flow.iconik.get_metadata(&object(&id), &rule.closed.view).await?,
                noted: self.flow.closings(&id, &self.flow.environment.ledger).await?,
                collection: found,
                rule,
            };
            match side {
                Side::Source => Box::pin(self.production(&production, look)).await,
                Side::Target => Box::pin(self.strays(&production)).await,
            }
        })
    }
}

/// A collection that a rule takes, whether it is closed or not.
pub(super) struct Production<'a> {
    pub(super) collection: Collection,
    pub(super) rule: &'a ProductionRule,
    /// Of the view that says whether it is closed.
    pub(super) metadata: MetadataValues,
    /// What was noted of its closings, from the first.
    noted: Vec<Closing>,
}

impl Production<'_> {
    /// The last closing whose package is complete.
    pub(super) fn archived(&self) -> Option<&Closing> {
        self.noted.iter().rev().find(|closing| closing.standing == Standing::Archived)
    }

    /// The closing that is at hand, as far as it was noted; of a production that is closed.
    fn at_hand(&self) -> Option<&Closing> {
        let mark = self.rule.closed.mark(&self.metadata);
        self.noted.last().filter(|last| last.mark == mark && last.standing != Standing::Reopened)
    }

    pub(super) fn pair(&self, what: &str, name: &str) -> Pair {
        let id = self.collection.id.as_str();
        Pair::new(format!("collection {id}: {what}"), name, collection_asset(id))
    }
}

impl ProductionSides {
    async fn rule_of(&self, collection: &Collection) -> Result<Option<&ProductionRule>> {
        for rule in &self.flow.rules.rules {
            if self.flow.takes(rule, collection).await? {
                return Ok(Some(rule));
            }
        }
        Ok(None)
    }

    /// A production: that its closing has a package, what is in the last complete one, and what iconik says of it.
    async fn production(&self, production: &Production<'_>, look: Look) -> Result<Vec<Pair>> {
        let mut pairs = Vec::new();
        let is_closed = production.rule.closed.holds(&production.metadata);
        let at_hand = production.at_hand().filter(|_| is_closed);
        let is_archived = at_hand.is_some_and(|closing| closing.standing == Standing::Archived);
        if is_closed && !is_archived {
            pairs.push(self.to_be_made(production, at_hand).await?);
        }
        let Some(archived) = production.archived() else { return Ok(pairs) };
        let Some(packaged) = self.packaged(production, archived, &mut pairs).await? else { return Ok(pairs) };
        pairs.extend(self.documents(production, &packaged, look).await?);
        if is_archived {
            pairs.extend(self.told(production, &packaged).await?);
        }
        Ok(pairs)
    }

    /// A closing without a complete package: under way, waiting, put aside, or never heard of.
    async fn to_be_made(&self, production: &Production<'_>, noted: Option<&Closing>) -> Result<Pair> {
        let (id, ledger) = (&production.collection.id, &self.flow.environment.ledger);
        let mut pair = production.pair("package", &production.collection.title);
        pair.source = Seen::There(Facts::default());
        pair.changed = production.collection.modified;
        pair.note = Some(match noted {
            None => "It is closed, and nothing is noted of this closing.".to_owned(),
            Some(closing) => format!("Its closing {} was noted at {}.", closing.number, closing.at),
        });
        if let Some(closing) = noted {
            pair.changed = max(pair.changed, Some(closing.at));
            if self.flow.waits(id, ledger).await? == Some(closing.number) {
                pair.accounted = Some("its package waits for what the flow has named".into());
            }
        }
        let since = noted.map(|closing| closing.at).or(production.collection.modified);
        let told = events(ledger, ArchiveProduction::NAME, &pair.asset, since).await?;
        pair.account = account(told.first(), &EXPLAINED);
        pair.if_missing = Some(self.again(id)?);
        Ok(pair)
    }

    /// What iconik says of a package that is complete.
    async fn told(&self, production: &Production<'_>, packaged: &Packaged) -> Result<Option<Pair>> {
        let told = &production.rule.told;
        let Some(view) = &told.view else { return Ok(None) };
        let held = self.flow.iconik.get_metadata(&object(&production.collection.id), view).await?;
        let mut both = OnBothSides::default();
        let node = packaged.summary.package.node.to_string();
        let word = told.archived.clone();
        for (field, ours) in [(&told.state_field, word), (&told.node_field, node)] {
            if let Some(field) = field {
                both.put(field.clone(), &ours, &held.text(field).unwrap_or_default());
            }
        }
        let (mut source, mut target) = (Facts::default(), Facts::default());
        both.into_facts(&mut source, &mut target);
        if source.mapped.is_none() {
            return Ok(None);
        }
        let mut pair = production.pair("in iconik", &production.collection.title);
        pair.changed = production.collection.modified;
        (pair.source, pair.target) = (Seen::There(source), Seen::There(target));
        Ok(Some(pair))
    }

    /// Lets the flow look at a production and do what its rules say. One message a day.
    fn again(&self, id: &CollectionId) -> Result<Again> {
        let context = &self.flow.environment.context;
        look_again(ArchiveProduction::NAME, context, ("collections", id.as_str()), None, Some("archive"))
    }
}

/// Whether a failure says for good that something cannot be had.
pub(super) fn is_for_good(class: FailureClass) -> bool {
    matches!(class, FailureClass::Gone | FailureClass::Forbidden | FailureClass::Invalid)
}
