//! One run over one pair: read, merge, keep, write, read again, confirm.

use std::{collections::BTreeMap, time::Duration};

use jiff::{SignedDuration, Timestamp};
use serde_json::json;
use shared::{
    content_server::{EDIT_CONFLICT, NodeId, kind},
    error::{Error, FailureClass, Result},
    flow::{Delivery, Outcome, Policy, Reason, Run},
    iconik::{AssetId, AssetStatus, METADATA_CHANGED, NOT_FOUND, ViewId},
};

use super::{
    SyncAssetMetadata, again,
    content::{Content, Misfit},
    content_server_side::ContentServerSide,
    iconik_side::IconikSide,
    memory::{Kept, Pair},
    merge::{Merge, Reading, merge},
    proof::Unproven,
    skipped,
    state::{Both, PairState, Side},
};

/// How often a pair is looked at again in one run because somebody else was faster, or a field was refused.
const LOOKS: u32 = 4;

/// For so long after a look an older state is another region that is behind, and not a state that came back.
const BEHIND: Duration = Duration::from_secs(3600);

/// Both sides as they were read.
struct Sides {
    iconik: IconikSide,
    content_server: ContentServerSide,
    newest: Both<Option<Timestamp>>,
    /// The current version of the asset.
    version: Option<String>,
}

/// How one look ended.
enum Look {
    Ended(Outcome),
    /// Somebody was faster.
    Overtaken,
    /// The asset's side refused these fields, which have to wait.
    Refused(Vec<String>),
}

/// How a pair stands.
pub(super) struct Standing {
    /// What both sides hold.
    pub(super) now: Both<Reading>,
    /// What would be done about it.
    pub(super) merged: Merge,
    /// When either side last changed, as far as it says.
    pub(super) changed: Option<Timestamp>,
}

/// What became of the writes of one look.
#[derive(Default)]
struct Done {
    /// Found as they were written.
    confirmed: Vec<String>,
    /// Certainly not written.
    withdrawn: Vec<String>,
    refused: Vec<String>,
    overtaken: bool,
}

impl SyncAssetMetadata {
    pub(super) async fn bring_together(&self, asset: &AssetId, node: NodeId, run: &Run) -> Result<Outcome> {
        let mut refused = Vec::new();
        for _ in 0..LOOKS {
            match self.look(asset, node, &refused, run).await? {
                Look::Ended(outcome) => return Ok(outcome),
                Look::Overtaken => run.note("overtaken", "a field was changed between a look and a write"),
                Look::Refused(fields) => {
                    run.note("refused", fields.join(" "));
                    refused.extend(fields);
                }
            }
        }
        Err(again("sync.overtaken", "both sides keep being changed while they are looked at"))
    }

    async fn look(&self, asset: &AssetId, node: NodeId, refused: &[String], run: &Run) -> Result<Look> {
        let mut kept = self.memory.pair(asset.as_str()).await?;
        if kept.is_kept() && kept.pair.node != node.0 {
            // Another document: what was agreed on with the last one says nothing of this one.
            kept.pair = Pair::default();
        }
        let looked = run.context().now();
        let sides = match self.read(asset, node, &kept, looked).await? {
            Ok(sides) => sides,
            Err(outcome) => return Ok(Look::Ended(outcome)),
        };
        let decisions = self.memory.decisions(&kept.pair.state).await?;
        let now = self.reading(&sides, refused);
        let before = as_kept(&kept, &sides, &now);
        let merged = merge(&self.rules.merged(), &before, &now, &decisions);
        if run.is_dry() {
            return told(&merged, &before, true).map(Look::Ended);
        }
        self.memory.record(asset.as_str(), node.0, &merged.conflicts).await?;
        let pair = |state: PairState, unproven: Option<Unproven>| {
            let (newest, version) = (sides.newest.clone(), sides.version.clone());
            Pair { node: node.0, state, newest, version, looked: Some(looked), unproven }
        };
        let earlier = kept.pair.unproven.clone();
        let unproven = self.unproven(asset, earlier.clone(), &merged.writes.iconik).await?;
        // A pair that is as it was keeps the date of its last look, and costs no write.
        let is_as_before = merged.state == kept.pair.state && kept.pair.version == sides.version;
        if !is_as_before || unproven != earlier || !kept.is_kept() {
            self.keep(asset, &mut kept, pair(merged.state.clone(), unproven.clone())).await?;
        }
        let done = self.write(&sides, &merged, run).await?;
        let state = merged.state.clone().confirmed(done.confirmed.iter().map(String::as_str));
        let state = state.withdrawn(done.withdrawn.iter().chain(&done.refused).map(String::as_str));
        let unproven = match unproven {
            // Nothing was written to iconik by this look.
            _ if !done.withdrawn.is_empty() => earlier,
            Some(unproven) if !done.overtaken => {
                let written = unproven.without(&done.refused);
                self.prove((asset, node), &written, &merged.state, run).await?;
                None
            }
            unproven => unproven,
        };
        if state != merged.state || unproven != kept.pair.unproven {
            self.keep(asset, &mut kept, pair(state, unproven)).await?;
        }
        if !done.refused.is_empty() {
            return Ok(Look::Refused(done.refused));
        }
        if done.overtaken {
            return Ok(Look::Overtaken);
        }
        told(&merged, &before, false).map(Look::Ended)
    }

    /// How a pair stands at this moment, or why one of the two is not there. Nothing is written, and nothing is kept.
    pub(super) async fn standing(
        &self,
        asset: &AssetId,
        node: NodeId,
    ) -> Result<std::result::Result<Standing, Reason>> {
        let mut kept = self.memory.pair(asset.as_str()).await?;
        if kept.is_kept() && kept.pair.node != node.0 {
            kept.pair = Pair::default();
        }
        let sides = match self.read(asset, node, &kept, self.environment.context.now()).await? {
            Ok(sides) => sides,
            Err(Outcome::Skipped(reason)) => return Ok(Err(reason)),
            Err(_) => return Err(Error::bug("compare", "a look at a pair ended in something else")),
        };
        let decisions = self.memory.decisions(&kept.pair.state).await?;
        let now = self.reading(&sides, &[]);
        let merged = merge(&self.rules.merged(), &as_kept(&kept, &sides, &now), &now, &decisions);
        let changed = sides.newest.iconik.max(sides.newest.content_server);
        Ok(Ok(Standing { now, merged, changed }))
    }

    /// What both sides hold, with what each would not take of the other.
    fn reading(&self, sides: &Sides, refused: &[String]) -> Both<Reading> {
        let fields = &self.rules.fields;
        let mut now = Both {
            iconik: sides.iconik.reading.clone(),
            content_server: sides.content_server.reading.clone(),
        };
        sides.iconik.check(fields, &mut now.content_server);
        sides.content_server.check(fields, &mut now.iconik);
        for field in refused {
            if let Some(seen) = now.content_server.get_mut(field) {
                seen.refused_there = Some(Misfit::Refused);
            }
        }
        now
    }

    /// Both sides, or how the item ends because one of them is not there.
    async fn read(
        &self,
        asset: &AssetId,
        node: NodeId,
        kept: &Kept,
        now: Timestamp,
    ) -> Result<std::result::Result<Sides, Outcome>> {
        let found = match self.iconik.get_asset(asset).await {
            Ok(found) => found,
            Err(error) if error.code() == NOT_FOUND => {
                return skipped("asset.gone", "the asset is not there any more").map(Err);
            }
            Err(error) => return Err(error),
        };
        if found.status == AssetStatus::Deleted {
            return skipped("asset.deleted", "the asset is in the recycle bin").map(Err);
        }
        let document = match self.content_server.get_node(node).await {
            Ok(document) => document,
            Err(error) if error.class() == FailureClass::Gone => {
                return skipped("document.gone", "the document is not there any more").map(Err);
            }
            Err(error) => return Err(error),
        };
        if document.kind == kind::SHORTCUT {
            return skipped("document.shortcut", "a shortcut has no values of its own").map(Err);
        }
        let newest = Both { iconik: found.modified, content_server: document.modified };
        check_fresh(&newest, kept, now)?;
        let (fields, looked) = (&self.rules.fields, kept.pair.looked);
        let view = ViewId::new(&self.rules.view);
        let ourselves = self.ourselves().await?;
        let iconik = IconikSide::read(&self.iconik, &found, &view, fields, Some(&ourselves)).await?;
        let category = self.content_server.resolve_category(&self.rules.category).await?.id;
        let content_server =
            ContentServerSide::read(&self.content_server, &document, category, fields, looked).await?;
        let version = found.current_version().map(|version| version.id.to_string());
        Ok(Ok(Sides { iconik, content_server, newest, version }))
    }

    async fn keep(&self, asset: &AssetId, kept: &mut Kept, pair: Pair) -> Result<()> {
        if self.memory.keep(asset.as_str(), kept, pair).await? {
            return Ok(());
        }
        Err(again("sync.busy", "another worker keeps this pair"))
    }

    /// Writes both sides, the document first. When somebody was faster there, nothing was written anywhere.
    async fn write(&self, sides: &Sides, merged: &Merge, run: &Run) -> Result<Done> {
        let (fields, writes) = (&self.rules.fields, &merged.writes);
        let names = |writes: &BTreeMap<String, Content>| writes.keys().cloned().collect::<Vec<String>>();
        let mut done = Done::default();
        if !writes.content_server.is_empty() {
            let (client, side) = (&self.content_server, &sides.content_server);
            let probe = || async {
                let found = side.found(client, fields, &writes.content_server).await?;
                Ok::<_, Error>((found.len() == writes.content_server.len()).then_some(found))
            };
            let act = || side.write(client, fields, &writes.content_server);
            match run.effect("write category", Policy::CheckThenRepeat, probe, act).await {
                Ok(confirmed) => done.confirmed.extend(confirmed),
                Err(error) if error.code() == EDIT_CONFLICT => {
                    done.withdrawn = [names(&writes.content_server), names(&writes.iconik)].concat();
                    done.overtaken = true;
                    return Ok(done);
                }
                Err(error) => return Err(error),
            }
        }
        if !writes.iconik.is_empty() {
            let (client, side) = (&self.iconik, &sides.iconik);
            let probe = || side.found(client, fields, &writes.iconik);
            let act = || side.write(client, fields, &writes.iconik);
            match run.effect("write metadata", Policy::CheckThenRepeat, probe, act).await {
                Ok(written) => {
                    done.confirmed.extend(written.confirmed);
                    done.refused = written.refused;
                }
                // Before our write or after it: what is noted of it tells the next look.
                Err(error) if error.code() == METADATA_CHANGED => done.overtaken = true,
                Err(error) => return Err(error),
            }
        }
        Ok(done)
    }
}

/// What is kept of a pair, as it counts for a look at both sides.
fn as_kept(kept: &Kept, sides: &Sides, now: &Both<Reading>) -> PairState {
    let anew = Both {
        iconik: kept.pair.version.is_some() && kept.pair.version != sides.version,
        content_server: !sides.content_server.has_category(),
    };
    as_at_first(kept.pair.state.clone(), now, &anew)
}

/// A new version of an asset begins without values, and a document from which the category was taken has none: nobody cleared
/// them. There it is as at the first look, and what the other side has is taken.
fn as_at_first(mut state: PairState, now: &Both<Reading>, anew: &Both<bool>) -> PairState {
    let holds_nothing = |side: Side, field: &str| {
        now.get(side).get(field).is_some_and(|seen| seen.content == Some(Content::Nothing))
    };
    for (name, field) in &mut state.fields {
        let is_absent = Side::BOTH.into_iter().any(|side| *anew.get(side) && holds_nothing(side, name));
        if is_absent && field.agreed.as_ref().is_some_and(|agreed| *agreed != Content::Nothing) {
            (field.agreed, field.intent, field.unsure) = (None, None, false);
            field.revision += 1;
        }
    }
    state
}

/// A state from before the last look comes from a copy that is behind. One that stays is what somebody brought back.
fn check_fresh(newest: &Both<Option<Timestamp>>, kept: &Kept, now: Timestamp) -> Result<()> {
    let behind = SignedDuration::try_from(BEHIND).unwrap_or(SignedDuration::MAX);
    if kept.pair.looked.is_none_or(|looked| now.duration_since(looked) > behind) {
        return Ok(());
    }
    for side in Side::BOTH {
        if newest.get(side).is_some() && newest.get(side) < kept.pair.newest.get(side) {
            let what = format!("{} answered with a state from before the last look", side.name());
            return Err(again("sync.stale-reading", what));
        }
    }
    Ok(())
}

/// How the item ends, in counts: values stay out of logs and audit.
fn told(merged: &Merge, before: &PairState, is_dry: bool) -> Result<Outcome> {
    let (to_iconik, to_content_server) = (merged.writes.iconik.len(), merged.writes.content_server.len());
    let waiting = merged.state.fields.values().filter(|field| field.open.is_some()).count();
    if merged.writes_nothing() && merged.conflicts.is_empty() {
        return match (waiting, merged.state == *before) {
            (0, _) => skipped("sync.equal", "both sides hold the same"),
            _ => skipped("sync.waiting", "what differs waits for a person"),
        };
    }
    if is_dry {
        return skipped("dry-run", "nothing was written");
    }
    let detail = [
        ("to-iconik", to_iconik),
        ("to-content-server", to_content_server),
        ("conflicts", merged.conflicts.len()),
        ("waiting", waiting),
    ];
    Ok(Outcome::Delivered(Delivery {
        result: json!({
            "toIconik": merged.writes.iconik.keys().collect::<Vec<_>>(),
            "toContentServer": merged.writes.content_server.keys().collect::<Vec<_>>(),
            "conflicts": merged.conflicts.iter().map(|conflict| &conflict.id).collect::<Vec<_>>(),
        }),
        digest: None,
        bytes: 0,
        detail: detail.map(|(name, count)| (name.to_owned(), count.to_string())).into(),
    }))
}
