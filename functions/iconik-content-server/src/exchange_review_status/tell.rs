//! Telling each side of the other: the document by a category, the asset by metadata, comment and history.

use std::{fmt::Write as _, future::Future, sync::Arc};

use serde::{Serialize, de::DeserializeOwned};
use shared::{
    audit::{AuditEvent, SealedEvent},
    content_server::{AttributeValue, CategoryDefinition, CategoryOutcome, CategoryValues, NodeId},
    error::Result,
    flow::{Policy, Run},
    iconik::{
        Asset, AssetId, HistoryEntry, HistoryId, HistoryOperation, MetadataChange, NewSegment, Segment,
        SegmentFilter, SegmentId, SegmentKind,
    },
};

use super::{
    ExchangeReviewStatus, NAME, Subject, again,
    entries::shown,
    look::OURS,
    standing::{Standing, detail},
};
use crate::{
    asset_metadata::AssetMetadata,
    made_once::made_by_any,
    review_rules::{ToContentServer, ToIconik},
};

/// The longest text that goes into a field of iconik, in characters.
const LONGEST: usize = 250;

impl ExchangeReviewStatus {
    /// Tells both sides what the record says; says how much was new to them.
    pub(super) async fn tell(
        &self,
        subject: &Subject<'_>,
        asset: &Asset,
        chain: &[SealedEvent],
        run: &Run,
    ) -> Result<usize> {
        let mut told = 0;
        if let (Some(node), Some(rule)) = (subject.document, &subject.rule.to_content_server)
            && let Some(standing) = Standing::of(asset, chain)
        {
            told += usize::from(self.tell_content_server(node, rule, standing, run).await?);
        }
        if let Some(rule) = &subject.rule.to_iconik {
            told += self.tell_iconik(subject, rule, chain, run).await?;
        }
        Ok(told)
    }

    /// Where the review stands, into the category.
    async fn tell_content_server(
        &self,
        node: NodeId,
        rule: &ToContentServer,
        standing: Standing,
        run: &Run,
    ) -> Result<bool> {
        let (_, values) = self.told_values(node, rule, standing).await?;
        if values.is_empty() {
            return Ok(false);
        }
        let act = || async {
            let outcome = self.content_server.set_category(node, &values).await?;
            Ok(outcome != CategoryOutcome::Unchanged)
        };
        run.effect("tell content server", Policy::RepeatSafe, || async { Ok(None) }, act).await
    }

    /// What the category says where the review stands as it does, with its definition.
    pub(super) async fn told_values(
        &self,
        node: NodeId,
        rule: &ToContentServer,
        standing: Standing,
    ) -> Result<(Arc<CategoryDefinition>, CategoryValues)> {
        let category = self.content_server.resolve_category(&rule.category).await?.id;
        let definition = self.content_server.category_definition(category, node).await?;
        let mut values = CategoryValues::new(category);
        let told = [
            (&rule.status, rule.word(&standing.status).to_owned()),
            (&rule.approved_by, shown(&standing.approved_by.join("; "))),
            (&rule.changed, standing.changed.unwrap_or_default()),
            (&rule.version, standing.version_number.unwrap_or_default()),
            (&rule.open_comments, standing.open_comments.to_string()),
        ];
        for (attribute, value) in told {
            let Some(attribute) = attribute else { continue };
            let longest = definition.attribute(attribute).and_then(|attribute| attribute.max_length);
            let value = value.chars().take(longest.unwrap_or(usize::MAX)).collect();
            definition.put(&mut values, attribute, AttributeValue::Text(value))?;
        }
        Ok((definition, values))
    }

    /// Every state of the document that was not told yet, in order; the fields show the last one.
    async fn tell_iconik(
        &self,
        subject: &Subject<'_>,
        rule: &ToIconik,
        chain: &[SealedEvent],
        run: &Run,
    ) -> Result<usize> {
        let behind = self.told_up_to(&subject.asset).await?;
        let states: Vec<&SealedEvent> =
            chain.iter().filter(|entry| detail(&entry.event, "kind") == Some("document")).collect();
        let Some(last) = states.last() else {
            return Ok(0);
        };
        // Fields belong to a version: one that has become the newest since does not show them yet.
        self.show(subject, rule, &last.event, run).await?;
        let new: Vec<&&SealedEvent> = states.iter().filter(|entry| entry.sequence > behind).collect();
        for entry in &new {
            self.say(subject, rule, &entry.event, run).await?;
        }
        if !new.is_empty() {
            run.ledger().set_note(NAME, &note(&subject.asset), &last.sequence.to_string()).await?;
        }
        Ok(new.len())
    }

    /// The entry up to which the asset was told of its document.
    pub(super) async fn told_up_to(&self, asset: &AssetId) -> Result<u64> {
        let noted = self.environment.ledger.note(NAME, &note(asset)).await?;
        Ok(noted.and_then(|note| note.parse().ok()).unwrap_or(0))
    }

    /// Writes the fields.
    async fn show(
        &self,
        subject: &Subject<'_>,
        rule: &ToIconik,
        entry: &AuditEvent,
        run: &Run,
    ) -> Result<()> {
        let change = shown_fields(rule, entry);
        if change.is_empty() {
            return Ok(());
        }
        let act = || async {
            AssetMetadata::set(&self.iconik, &subject.asset, &rule.view, &change).await?;
            Ok(true)
        };
        run.effect("tell iconik", Policy::RepeatSafe, || async { Ok(None) }, act).await.map(drop)
    }

    /// Says it, as a comment and in the history.
    async fn say(&self, subject: &Subject<'_>, rule: &ToIconik, entry: &AuditEvent, run: &Run) -> Result<()> {
        let identity = detail(entry, "identity").unwrap_or_default();
        let (asset, sentence) = (&subject.asset, sentence(entry));
        let place = format!("told/{asset}/{identity}");
        if rule.comment {
            let said = NewSegment::comment(sentence, called(entry));
            let all = SegmentFilter { kind: Some(SegmentKind::Comment), version: None, all_versions: true };
            let find = || async {
                let is_it = |comment: &Segment| comment.external_id.as_ref() == Some(&said.external_id);
                Ok(self.iconik.list_segments(asset, &all).find(is_it).await?.map(|comment| comment.id))
            };
            let make = || async { Ok(self.iconik.create_segment(asset, &said).await?.id) };
            self.once::<SegmentId, _, _>("comment", &format!("{place}/comment"), run, find, make).await?;
        }
        let words = words_of(entry);
        let operation = HistoryOperation::Custom;
        let find = || async {
            let is_it = |entry: &HistoryEntry| entry.operation == operation && entry.description == words;
            Ok(self.iconik.list_history(asset).find(is_it).await?.map(|entry| entry.id))
        };
        let make =
            || async { Ok(self.iconik.create_history_entry(asset, &operation, &words, None).await?.id) };
        self.once::<HistoryId, _, _>("history", &format!("{place}/history"), run, find, make).await
    }

    /// Makes something of an asset once, whichever item does it.
    async fn once<T, F, M>(
        &self,
        effect: &'static str,
        place: &str,
        run: &Run,
        find: impl Fn() -> F + Send + Sync,
        make: impl Fn() -> M + Send + Sync,
    ) -> Result<()>
    where
        T: Serialize + DeserializeOwned + Send + Sync,
        F: Future<Output = Result<Option<T>>> + Send,
        M: Future<Output = Result<T>> + Send,
    {
        if made_by_any(&self.iconik, run, (NAME, place), effect, find, make).await? {
            return Ok(());
        }
        Err(again("review.busy", "another worker is telling the same"))
    }
}

/// The note that says up to where an asset was told.
fn note(asset: &AssetId) -> String {
    format!("told/{asset}")
}

/// What the fields of an asset are to show of a state of its document.
pub(super) fn shown_fields(rule: &ToIconik, entry: &AuditEvent) -> MetadataChange {
    let short = |text: &str| text.chars().take(LONGEST).collect::<String>();
    let mut change = MetadataChange::new();
    if let Some(field) = &rule.status_field {
        change = change.set(field, [short(rule.word(detail(entry, "status").unwrap_or_default()))]);
    }
    if let Some(field) = &rule.decided_by_field {
        change = match who(entry) {
            Some(who) => change.set(field, [short(&who)]),
            None => change.clear(field),
        };
    }
    change
}

/// What a comment about an entry is called.
pub(super) fn called(entry: &AuditEvent) -> String {
    format!("{OURS}{}", detail(entry, "identity").unwrap_or_default())
}

/// What the history says of an entry, once.
pub(super) fn words_of(entry: &AuditEvent) -> String {
    let identity = detail(entry, "identity").unwrap_or_default();
    format!("{} ({})", sentence(entry), identity.get(..12).unwrap_or_default())
}

fn who(entry: &AuditEvent) -> Option<String> {
    detail(entry, "authorName").or_else(|| detail(entry, "author")).map(shown)
}

/// `Content Server: Approved by Robin Example on 2031-05-06, version 2. Remark`.
fn sentence(entry: &AuditEvent) -> String {
    let mut text = format!("Content Server: {}", shown(detail(entry, "status").unwrap_or_default()));
    if let Some(who) = who(entry) {
        let _ = write!(text, " by {who}");
    }
    if let Some(at) = detail(entry, "happened").and_then(|at| at.get(..10)) {
        let _ = write!(text, " on {at}");
    }
    if let Some(version) = detail(entry, "version") {
        let _ = write!(text, ", version {}", shown(version));
    }
    if let Some(remark) = detail(entry, "text") {
        let _ = write!(text, ". {}", shown(remark));
    }
    text
}
