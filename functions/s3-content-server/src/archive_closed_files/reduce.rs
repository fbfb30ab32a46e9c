//! What becomes of the content in Content Server, once the bag is valid and in its place.

use std::collections::BTreeMap;

use shared::{
    content_server::{NodeId, Reduction, ReductionRefused},
    error::Result,
    flow::{Policy, Run},
};

use super::{ArchiveClosedFiles, case::Case, pack::Packed, plan::Plan, progress::Progress};
use crate::archive_rules::After;

/// Documents until progress is recorded.
const SAVE_EVERY: usize = 100;

/// What was done to the content.
#[derive(Debug, Default)]
pub(super) struct Reduced {
    pub(super) purged: u32,
    /// Why some of it was left, the first reason.
    pub(super) kept: Option<&'static str>,
}

impl ArchiveClosedFiles {
    /// Purges what the rule says, each version under a permit of its own. Nothing when the invocation must end before.
    pub(super) async fn reduce(
        &self,
        case: &Case<'_>,
        plan: &Plan,
        packed: &BTreeMap<String, Packed>,
        progress: &mut Progress,
        run: &Run,
    ) -> Result<Option<Reduced>> {
        let mut reduced = Reduced::default();
        if case.rule.after == After::Keep {
            return Ok(Some(reduced));
        }
        let mut sizes: BTreeMap<i64, BTreeMap<i64, u64>> = BTreeMap::new();
        for packed in packed.values() {
            if let Some(version) = packed.version {
                sizes.entry(packed.node).or_default().insert(version, packed.size);
            }
        }
        for document in plan.documents.iter().skip(progress.reduced) {
            if run.must_stop() {
                progress.save(run).await?;
                return Ok(None);
            }
            let verified = sizes.remove(&document.node).unwrap_or_default();
            if let Some(newest) = verified.keys().next_back().copied() {
                let reduction = Reduction {
                    node: NodeId(document.node),
                    newest,
                    verified,
                    pointers: Vec::new(),
                    official_records: case.rule.official_records,
                };
                self.purge(&reduction, &mut reduced, run).await?;
            }
            progress.reduced += 1;
            if progress.reduced.is_multiple_of(SAVE_EVERY) {
                progress.save(run).await?;
            }
        }
        Ok(Some(reduced))
    }

    async fn purge(&self, reduction: &Reduction, reduced: &mut Reduced, run: &Run) -> Result<()> {
        for version in reduction.verified.keys().copied().filter(|version| *version < reduction.newest) {
            let done: Option<ReductionRefused> = run
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
                None => reduced.purged += 1,
                // An earlier attempt was here.
                Some(ReductionRefused::Gone) => {}
                Some(why) => {
                    reduced.kept.get_or_insert(why.code());
                    return Ok(());
                }
            }
        }
        Ok(())
    }
}
