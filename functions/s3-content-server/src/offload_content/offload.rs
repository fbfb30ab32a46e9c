//! From a document to verified copies, and what becomes of its content then.

use std::collections::BTreeMap;

use jiff::SignedDuration;
use serde_json::json;
use shared::{
    content_server::{
        External as Mark, NOT_ACCESSIBLE, NOT_FOUND, NewVersion, Node, NodeId, OfficialRecords, Reduction,
        ReductionRefused, Replaced, Upload, Version, kind,
    },
    error::Result,
    flow::{Delivery, Outcome, Policy, Reason, Run},
    transfer::{Progress, UploadSizes, hash_body},
};

use super::{
    OffloadContent, again,
    external_content::External,
    later::{TOMORROW, after},
    pointer::{self, is_pointer},
    selection::Selection,
    skipped,
};
use crate::{
    offload_rules::{After, OffloadRule},
    version_copy::{NodeDescription, Shelf, StoredVersion, VersionCopy, read_version, version_source},
};

/// Verified copies by the number of their version.
type Copies = BTreeMap<i64, StoredVersion>;

/// A document with what its versions hold.
struct Work<'a> {
    node: Node,
    rule: &'a OffloadRule,
    /// Versions that are content, oldest first.
    contents: Vec<Version>,
    pointers: Vec<i64>,
    /// What the category says of the newest content.
    said: Said,
    run: &'a Run,
}

/// What the external content category says of the newest content.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Said {
    /// Nothing.
    Nothing,
    /// That this version is copied.
    ThisVersion,
    /// That an earlier version of the same bytes is copied, to this place.
    TheseBytes(String),
}

impl Work<'_> {
    /// The newest version that is content.
    fn newest(&self) -> Option<&Version> {
        self.contents.last()
    }
}

impl OffloadContent {
    /// Offloads a document. One that is `asked_for` is looked at even when the category says that all is done: every
    /// copy must be in its place, and is made again where it is not.
    pub(super) async fn offload(&self, node: NodeId, asked_for: bool, run: &Run) -> Result<Outcome> {
        let node = match self.content_server.get_node(node).await {
            Ok(node) => node,
            Err(error) if matches!(error.code(), NOT_ACCESSIBLE | NOT_FOUND) => {
                return skipped("node.gone", "the document is not there, or the service user may not see it");
            }
            Err(error) => return Err(error),
        };
        if node.kind != kind::DOCUMENT {
            return skipped("node.no-document", "only documents have content of their own");
        }
        let versions = self.content_server.list_versions(node.id).await?;
        let pointers = versions.iter().filter(|version| is_pointer(version)).map(|version| version.number);
        let pointers: Vec<i64> = pointers.collect();
        let external = self.external(node.id).await?;
        if external.as_ref().is_some_and(|external| external.recall) {
            return self.recall(node.id, run).await;
        }
        let is_pointed = versions.last().is_some_and(is_pointer);
        let contents: Vec<Version> = versions.into_iter().filter(|version| !is_pointer(version)).collect();
        let Some(newest) = contents.last() else {
            return self.offloaded_before(node.id, external, run);
        };
        let rule = match self.select(&node, newest, run).await? {
            Selection::Taken(rule) => rule,
            Selection::TooYoung(rule) => {
                let days = rule.unmodified_days;
                let age = SignedDuration::from_hours(24 * i64::from(days));
                if !run.is_dry() {
                    self.look_again(node.id, after(node.modified.unwrap_or_default(), age), run).await?;
                }
                let message =
                    format!("rule {} takes documents that were not modified for {days} days", rule.name);
                return skipped("offload.modified-lately", &message);
            }
            Selection::None => return skipped("rule.none", "no rule takes the document"),
        };
        run.note("rule", &rule.name);
        let said = match self.said_of(node.id, external.as_ref(), &contents, run).await? {
            Progress::Done(said) => said,
            Progress::Paused => return Ok(Outcome::Continue),
        };
        let current = said != Said::Nothing;
        // A pointer is never undone by a rule that leaves none.
        if is_pointed && rule.after != After::Pointer
            || current && !asked_for && !has_more_to_do(rule, &contents, &pointers)
        {
            return self.offloaded_before(node.id, external, run);
        }
        // Before the guards: what somebody called back is not even copied again.
        if rule.after == After::Pointer
            && !asked_for
            && let Some(until) = self.recalled_until(node.id, rule, run).await?
        {
            if !run.is_dry() {
                self.look_again(node.id, until, run).await?;
            }
            return skipped(
                "offload.recalled",
                &format!("somebody called the content back; it stays until {until}"),
            );
        }
        if let Some(why) = self.guarded(&node, rule).await? {
            return self.left_alone(node.id, &why, run).await;
        }
        if run.is_dry() {
            return skipped("dry-run", &format!("rule {} takes it", rule.name));
        }
        self.decide(rule, run).await?;
        Box::pin(self.copy_all(Work { node, rule, contents, pointers, said, run })).await
    }

    /// Whether the category speaks of the newest content: by its number, or byte for byte. Where an edit of a category
    /// adds a version, saying where the content is makes another version of it, and saying so again would make one more
    /// each time.
    async fn said_of(
        &self,
        node: NodeId,
        external: Option<&External>,
        contents: &[Version],
        run: &Run,
    ) -> Result<Progress<Said>> {
        let nothing = Ok(Progress::Done(Said::Nothing));
        let (Some(external), Some(newest)) = (external, contents.last()) else { return nothing };
        let Some(number) = external.document_version else { return nothing };
        if number == newest.number {
            return Ok(Progress::Done(Said::ThisVersion));
        }
        let copied = contents.iter().find(|version| version.number == number);
        let differs = copied.is_some_and(|copied| copied.file_size != newest.file_size);
        if number > newest.number || external.sha256.is_empty() || differs {
            return nothing;
        }
        let source = version_source(&self.content_server, node, newest).await?;
        let sizes = UploadSizes::default();
        let read = read_version(&self.content_server, &source, sizes, run, "compare");
        Ok(match Box::pin(read).await? {
            Progress::Done(digests) if digests.sha256 == external.sha256 => {
                Progress::Done(Said::TheseBytes(external.location.clone()))
            }
            Progress::Done(_) => Progress::Done(Said::Nothing),
            Progress::Paused => Progress::Paused,
        })
    }

    /// What an earlier attempt of this very item finished is its delivery; what another item did is none of it.
    fn offloaded_before(&self, node: NodeId, external: Option<External>, run: &Run) -> Result<Outcome> {
        match external.filter(|_| run.is_taken_over()) {
            Some(external) => Ok(Outcome::Delivered(Delivery {
                result: json!({"node": node, "location": external.location, "sha256": external.sha256}),
                digest: Some(external.sha256),
                ..Delivery::default()
            })),
            None => skipped("offload.already", "the content is in S3 already, and verified"),
        }
    }

    /// Whether a reservation, a hold or the record state forbids to touch the document.
    async fn guarded(&self, node: &Node, rule: &OffloadRule) -> Result<Option<ReductionRefused>> {
        // A copy takes nothing from an official record.
        let records = if rule.after == After::Keep { OfficialRecords::Reduce } else { rule.official_records };
        self.content_server.untouchable(node.id, records).await
    }

    /// Nothing is done to a document that nobody may touch now.
    async fn left_alone(&self, node: NodeId, why: &ReductionRefused, run: &Run) -> Result<Outcome> {
        self.look_tomorrow(node, why, run).await?;
        Ok(Outcome::Skipped(Reason::new(why.code(), why.to_string())))
    }

    /// A hold, a reservation or a lock ends without any change that a feed could tell of.
    async fn look_tomorrow(&self, node: NodeId, why: &ReductionRefused, run: &Run) -> Result<()> {
        use ReductionRefused::{Held, Locked, Reserved};
        if run.is_dry() || !matches!(why, Held { .. } | Reserved | Locked(_)) {
            return Ok(());
        }
        self.look_again(node, after(run.context().now(), TOMORROW), run).await
    }

    async fn copy_all(&self, work: Work<'_>) -> Result<Outcome> {
        let Some(newest) = work.newest().cloned() else { return Err(changed()) };
        let rule = work.rule;
        let bucket = rule.bucket.as_ref().unwrap_or(&self.environment.settings.content_bucket);
        let shelf = Shelf {
            bucket: bucket.clone(),
            prefix: rule.prefix.clone(),
            storage_class: rule.storage_class.clone(),
        };
        let copy = VersionCopy {
            content_server: &self.content_server,
            s3: &self.s3,
            shelf: &shelf,
            reading: rule.reading,
            sizes: UploadSizes::default(),
        };
        let described = NodeDescription::read(&self.content_server, &work.node).await?;
        let mut copies = Copies::new();
        for version in &work.contents {
            if work.run.must_stop() {
                return Ok(Outcome::Continue);
            }
            match Box::pin(copy.copy(&described, version, work.run)).await? {
                Progress::Done(stored) => copies.insert(version.number, stored),
                Progress::Paused => return Ok(Outcome::Continue),
            };
        }
        // Copying takes time: what was true before it may not be any more.
        if let Some(why) = self.guarded(&work.node, rule).await? {
            return self.left_alone(work.node.id, &why, work.run).await;
        }
        let latest = self.content_server.latest_version(work.node.id).await?;
        if latest.number > newest.number && !is_pointer(&latest) {
            return Err(changed());
        }
        let Some(stored) = copies.get(&newest.number) else { return Err(changed()) };
        let now = work.run.context().now();
        let is_said = matches!(&work.said, Said::TheseBytes(location)
            if copies.values().any(|copy| copy.uri() == *location));
        if !is_said {
            self.say_where(work.node.id, newest.number, stored, now).await?;
        }
        self.after(&work, &newest, &copies).await
    }

    /// Does with the content what the rule says, as far as it may, and tells what was delivered.
    async fn after(&self, work: &Work<'_>, newest: &Version, copies: &Copies) -> Result<Outcome> {
        let mut purged = 0;
        let kept = match work.rule.after {
            After::Keep => None,
            After::PurgeOldVersions => {
                let reduction = reduction(work, copies, newest.number, work.pointers.clone());
                self.purge(work, &reduction, &mut purged).await?
            }
            After::Pointer => match self.point(work, newest, copies).await? {
                Replaced::Not(why) => Some(why),
                Replaced::By(number) => {
                    let pointers = work.pointers.iter().copied().chain([number]).collect();
                    let reduction = reduction(work, copies, number, pointers);
                    self.purge(work, &reduction, &mut purged).await?
                }
            },
        };
        match &kept {
            // Begun anew with what there is now.
            Some(ReductionRefused::NewerVersion(_)) => return Err(changed()),
            Some(why) => {
                work.run.note("kept", why.code());
                self.look_tomorrow(work.node.id, why, work.run).await?;
            }
            None => {}
        }
        let Some(stored) = copies.get(&newest.number) else { return Err(changed()) };
        let bytes = copies.values().map(|copy| copy.size).sum();
        Ok(Outcome::Delivered(Delivery {
            result: json!({
                "node": work.node.id, "rule": work.rule.name, "versions": copies, "purged": purged,
                "kept": kept.as_ref().map(ReductionRefused::code),
            }),
            digest: Some(stored.sha256.clone()),
            bytes,
            detail: [
                ("rule", work.rule.name.clone()),
                ("location", stored.uri()),
                ("version", newest.number.to_string()),
                ("copies", copies.len().to_string()),
                ("purged", purged.to_string()),
            ]
            .map(|(name, fact)| (name.to_owned(), fact))
            .into(),
        }))
    }

    /// Sees to it that the newest version is the pointer to this content.
    async fn point(&self, work: &Work<'_>, newest: &Version, copies: &Copies) -> Result<Replaced> {
        let node = work.node.id;
        let mark = pointer::mark(node, newest.number);
        let Some(stored) = copies.get(&newest.number) else { return Err(changed()) };
        if let Some(there) = self.pointer_of(node, &mark).await? {
            self.check_pointer(node, there, &pointer::upload(node, newest, stored)).await?;
            return Ok(Replaced::By(there));
        }
        let versions = self.content_server.list_versions(node).await?;
        let top = versions.last().map_or(newest.number, |version| version.number);
        if versions.iter().any(|version| version.number > newest.number && !is_pointer(version)) {
            return Ok(Replaced::Not(ReductionRefused::NewerVersion(top)));
        }
        let new = NewVersion {
            description: format!("content offloaded: {mark}"),
            major: false,
            external: Mark {
                source: Some("cloud_storage".into()),
                identity: Some(mark.clone()),
                identity_type: Some("waybill".into()),
                ..Mark::default()
            },
        };
        let upload = pointer::upload(node, newest, stored);
        let reduction = reduction(work, copies, top, work.pointers.clone());
        let replaced = work
            .run
            .effect(
                "point",
                Policy::CheckThenRepeat,
                || async { Ok(self.pointer_of(node, &mark).await?.map(Replaced::By)) },
                || async {
                    match self.content_server.may_replace(&reduction).await? {
                        Ok(permit) => self.content_server.replace(permit, &new, &upload).await,
                        Err(why) => Ok(Replaced::Not(why)),
                    }
                },
            )
            .await?;
        if let Replaced::By(number) = replaced {
            self.check_pointer(node, number, &upload).await?;
        }
        Ok(replaced)
    }

    /// The pointer with this mark, when it is the newest version.
    async fn pointer_of(&self, node: NodeId, mark: &str) -> Result<Option<i64>> {
        let versions = self.content_server.list_versions(node).await?;
        let newest = versions.last().filter(|newest| newest.external_identity.as_deref() == Some(mark));
        Ok(newest.map(|newest| newest.number))
    }

    /// A pointer that arrived damaged is taken away, while there is still all that it points to.
    async fn check_pointer(&self, node: NodeId, number: i64, upload: &Upload) -> Result<()> {
        let sent = hash_body(upload.content.open().await?, None).await?;
        let download = self.content_server.download(node, Some(number)).await?;
        let held = hash_body(download.body, download.length).await?;
        if held.sha256 == sent.sha256 {
            return Ok(());
        }
        self.content_server.delete_version(node, number).await?;
        Err(again("offload.pointer-damaged", "the pointer arrived damaged and was taken away"))
    }

    /// Purges every version but the newest, each under a permit of its own. Gives back why it ended early.
    async fn purge(
        &self,
        work: &Work<'_>,
        reduction: &Reduction,
        purged: &mut u32,
    ) -> Result<Option<ReductionRefused>> {
        let pointers = work.pointers.iter().copied();
        let mut doomed: Vec<i64> =
            work.contents.iter().map(|version| version.number).chain(pointers).collect();
        doomed.sort_unstable();
        for version in doomed.into_iter().filter(|version| *version < reduction.newest) {
            let done: Option<ReductionRefused> = work
                .run
                .effect(
                    "purge",
                    Policy::RepeatSafe,
                    || async { Ok(None) },
                    || async {
                        Ok(match self.content_server.may_reduce(reduction, version).await? {
                            Ok(permit) => self.content_server.reduce(permit).await?.err(),
                            Err(why) => Some(why),
                        })
                    },
                )
                .await?;
            match done {
                None => *purged += 1,
                // An earlier attempt was here.
                Some(ReductionRefused::Gone) => {}
                Some(why) => return Ok(Some(why)),
            }
        }
        Ok(None)
    }
}

/// Whether the rule asks for more than what the category says was done.
fn has_more_to_do(rule: &OffloadRule, contents: &[Version], pointers: &[i64]) -> bool {
    match rule.after {
        After::Keep => false,
        After::PurgeOldVersions => contents.len() + pointers.len() > 1,
        After::Pointer => true,
    }
}

fn reduction(work: &Work<'_>, copies: &Copies, newest: i64, pointers: Vec<i64>) -> Reduction {
    Reduction {
        node: work.node.id,
        newest,
        verified: copies.iter().map(|(version, copy)| (*version, copy.size)).collect(),
        pointers,
        official_records: work.rule.official_records,
    }
}

fn changed() -> shared::error::Error {
    again("offload.changed", "a version was added meanwhile: the document is looked at anew")
}
