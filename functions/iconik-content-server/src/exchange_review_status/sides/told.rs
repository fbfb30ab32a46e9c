//! What each side was told of the other.

use shared::{
    audit::AuditEvent,
    content_server::CategoryValues,
    error::Result,
    iconik::{Asset, AssetId, HistoryOperation, Segment, SegmentFilter, SegmentKind, SegmentStatus},
    reconcile::{Facts, Pair, Seen},
};

use super::{ReviewSides, observed, pair, state};
use crate::{
    asset_metadata::AssetMetadata,
    exchange_review_status::{
        Subject,
        chain::Chain,
        look::OURS,
        standing::{Standing, detail},
        tell::{called, shown_fields, words_of},
    },
    review_rules::ToIconik,
    sides::OnBothSides,
};

/// What iconik says of documents, beside its fields.
struct Words {
    /// Our own comments, by what they are called.
    comments: Vec<String>,
    /// What the history says.
    history: Vec<String>,
}

impl ReviewSides {
    /// Where the review stands by the record, against the category of the document.
    pub(super) async fn told_content_server(
        &self,
        subject: &Subject<'_>,
        asset: &Asset,
        chain: &Chain,
    ) -> Result<Option<Pair>> {
        let (Some(node), Some(rule)) = (subject.document, &subject.rule.to_content_server) else {
            return Ok(None);
        };
        let Some(standing) = Standing::of(asset, &chain.entries) else { return Ok(None) };
        let client = &self.flow.content_server;
        let (definition, values) = self.flow.told_values(node, rule, standing).await?;
        if values.is_empty() {
            return Ok(None);
        }
        let none = CategoryValues::new(values.category());
        let held = client.get_categories(node).await?;
        let held = held.iter().find(|held| held.category() == values.category()).unwrap_or(&none);
        let mut both = OnBothSides::default();
        for one in client.compare_values(&definition, &values, held) {
            let ours = format!("{:?}", one.ours);
            let theirs = if one.agree { ours.clone() } else { format!("{:?}", one.theirs) };
            both.put(one.name, &ours, &theirs);
        }
        let mut pair = pair(asset, &format!("told to node {node}"), format!("standing of {}", asset.title));
        pair.changed = observed(&chain.entries);
        let (mut source, mut target) = (Facts::default(), Facts::default());
        both.into_facts(&mut source, &mut target);
        (pair.source, pair.target) = (Seen::There(source), Seen::There(target));
        pair.if_metadata = Some(self.again(&asset.id)?);
        Ok(Some(pair))
    }

    /// The states of the document by the record, against fields, comments and history of the asset.
    pub(super) async fn told_iconik(
        &self,
        subject: &Subject<'_>,
        asset: &Asset,
        chain: &Chain,
    ) -> Result<Vec<Pair>> {
        let Some(rule) = &subject.rule.to_iconik else { return Ok(Vec::new()) };
        let is_state = |entry: &AuditEvent| detail(entry, "kind") == Some("document");
        let states: Vec<_> = chain.entries.iter().filter(|entry| is_state(&entry.event)).collect();
        let Some(last) = states.last() else { return Ok(Vec::new()) };
        let mut pairs: Vec<Pair> = self.fields(asset, rule, &last.event).await?.into_iter().collect();
        let words = self.words_there(asset).await?;
        let behind = self.flow.told_up_to(&asset.id).await?;
        for entry in states {
            let mut pair = pair(
                asset,
                &format!("told of entry {}", entry.sequence),
                format!("state of the document of {}", asset.title),
            );
            pair.changed = detail(&entry.event, "observed").and_then(|at| at.parse().ok());
            let wanted = wanted(rule);
            pair.source = state(wanted.join(" and "));
            let found: Vec<&str> =
                wanted.iter().copied().filter(|what| words.has(what, &entry.event)).collect();
            if !found.is_empty() {
                pair.target = state(found.join(" and "));
            }
            // What was told once is not told again: somebody took it away.
            if entry.sequence > behind {
                let again = self.again(&asset.id)?;
                (pair.if_missing, pair.if_different) = (Some(again.clone()), Some(again));
            }
            pairs.push(pair);
        }
        Ok(pairs)
    }

    /// The fields that show the last state of the document.
    async fn fields(&self, asset: &Asset, rule: &ToIconik, entry: &AuditEvent) -> Result<Option<Pair>> {
        let change = shown_fields(rule, entry);
        if change.is_empty() {
            return Ok(None);
        }
        let held = AssetMetadata::read(&self.flow.iconik, &asset.id, &rule.view).await?;
        let amiss = change.clone().beyond(held.values());
        let mut both = OnBothSides::default();
        for (field, values) in change.fields() {
            let ours: Vec<String> = values.iter().map(ToString::to_string).collect();
            let is_amiss = amiss.fields().any(|(other, _)| other == field);
            let theirs = if is_amiss { held.values().texts(field).join("\n") } else { ours.join("\n") };
            both.put(field.to_owned(), &ours.join("\n"), &theirs);
        }
        let mut pair = pair(asset, "fields", format!("fields of {}", asset.title));
        pair.changed = detail(entry, "observed").and_then(|at| at.parse().ok());
        let (mut source, mut target) = (Facts::default(), Facts::default());
        both.into_facts(&mut source, &mut target);
        (pair.source, pair.target) = (Seen::There(source), Seen::There(target));
        pair.if_metadata = Some(self.again(&asset.id)?);
        Ok(Some(pair))
    }

    /// Our own comments of an asset.
    pub(super) async fn own_comments(&self, asset: &AssetId) -> Result<Vec<String>> {
        let all = SegmentFilter { kind: Some(SegmentKind::Comment), version: None, all_versions: true };
        let comments = self.flow.iconik.list_segments(asset, &all).all().await?;
        let there = comments.into_iter().filter(|comment: &Segment| comment.status != SegmentStatus::Deleted);
        let called = there.filter_map(|comment| comment.external_id);
        Ok(called.filter(|called| called.starts_with(OURS)).collect())
    }

    async fn words_there(&self, asset: &Asset) -> Result<Words> {
        let comments = self.own_comments(&asset.id).await?;
        let entries = self.flow.iconik.list_history(&asset.id).all().await?;
        let custom = entries.into_iter().filter(|entry| entry.operation == HistoryOperation::Custom);
        Ok(Words { comments, history: custom.map(|entry| entry.description).collect() })
    }
}

/// In which ways a state is told.
const COMMENT: &str = "comment";
const HISTORY: &str = "history";

fn wanted(rule: &ToIconik) -> Vec<&'static str> {
    if rule.comment { vec![COMMENT, HISTORY] } else { vec![HISTORY] }
}

impl Words {
    fn has(&self, what: &str, entry: &AuditEvent) -> bool {
        match what {
            COMMENT => self.comments.contains(&called(entry)),
            _ => self.history.contains(&words_of(entry)),
        }
    }
}
