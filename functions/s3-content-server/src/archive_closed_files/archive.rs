//! From a closed case to a valid, locked bag in its place.

use std::collections::BTreeMap;

use serde_json::json;
use shared::{
    error::Result,
    flow::{Delivery, Outcome, Run},
};

use super::{
    ArchiveClosedFiles, again,
    case::Case,
    category::{ARCHIVED, Archived},
    inspect::{Inspected, staging_gone},
    layout::{bag_prefix, case_prefix, work_prefix},
    lock::Wanted,
    pack::Packed,
    plan::Plan,
    progress::{Locked, Progress},
    reduce::Reduced,
    retention::{self, Lasting},
    skipped,
};
use crate::version_copy::records;

impl ArchiveClosedFiles {
    pub(super) async fn archive(&self, case: Case<'_>, item: &str, run: &Run) -> Result<Outcome> {
        // A category that is not there is told before anything is copied.
        let archived = self.archived(case.node.id).await?;
        if run.is_dry() {
            return skipped("dry-run", &format!("rule {} takes it", case.rule.name));
        }
        let mut progress = Progress::of(run);
        let Some(plan) = Box::pin(self.plan(&case, &mut progress, item, run)).await? else {
            return Ok(Outcome::Continue);
        };
        if plan.documents.is_empty() {
            return skipped("archive.empty", "there are no documents in it");
        }
        let same = archived.filter(|archived| archived.revision == plan.revision());
        if let Some(archived) = same {
            // What an earlier attempt of this very item did is gone on with.
            if progress.sealed.as_ref() != Some(&archived.manifest_sha256) {
                return self.mirror(case.node.id, &archived, run).await;
            }
            progress.told = true;
        }
        if !Box::pin(self.pack(&case, &plan, &mut progress, item, run)).await? {
            return Ok(Outcome::Continue);
        }
        let Some(packed) = self.packed(&case, &progress, item).await? else {
            progress.begin_anew(run).await?;
            return Err(staging_gone());
        };
        let Some(locked) = self.locks(&case, &plan, &packed, &mut progress, run).await? else {
            return Ok(Outcome::Continue);
        };
        let prefix = format!("{}bag/", work_prefix(item, progress.attempt));
        let sealed = match progress.sealed.clone() {
            Some(sealed) => sealed,
            None => {
                let sealed = self.seal(&case, &plan, &packed, locked, (&progress, item), run).await?;
                progress.sealed = Some(sealed.clone());
                progress.save(run).await?;
                sealed
            }
        };
        if !progress.valid {
            let bucket = self.bucket(case.rule).to_owned();
            match Box::pin(self.inspect(&bucket, &prefix, &sealed, (&mut progress, &mut Vec::new()), run))
                .await?
            {
                Inspected::Valid => progress.valid = true,
                Inspected::Paused => return Ok(Outcome::Continue),
                Inspected::Wrong(problems) => {
                    return Err(self.rejected(&problems, &mut progress, run).await?);
                }
            }
            progress.save(run).await?;
        }
        let bag = Bag { case, plan, packed, locked, sealed, prefix };
        Box::pin(self.deliver(bag, progress, run)).await
    }

    /// How the bag is to be locked: decided once, because the bag says it too.
    async fn locks(
        &self,
        case: &Case<'_>,
        plan: &Plan,
        packed: &BTreeMap<String, Packed>,
        progress: &mut Progress,
        run: &Run,
    ) -> Result<Option<Locked>> {
        if let Some(locked) = progress.locked {
            return Ok(Some(locked));
        }
        let Some(held) = self.held(case.node.id, &nodes(plan), run).await? else { return Ok(None) };
        let until = match &case.rule.retention {
            Some(rule) => {
                let today = retention::day(run.context().now());
                let of_case = records(&self.content_server, case.node.id).await?;
                let of_case = retention::of_records(rule, &of_case, today)?;
                let longest = packed.values().filter_map(|packed| packed.until).chain(of_case).max();
                Some(match longest {
                    Some(until) => until,
                    None => retention::without_records(rule, today)?,
                })
            }
            None => None,
        };
        progress.locked = Some(Locked { until, held });
        Ok(progress.locked)
    }

    /// Brings a valid bag into its place, says so, and does with the content what the rule says.
    async fn deliver(&self, bag: Bag<'_>, mut progress: Progress, run: &Run) -> Result<Outcome> {
        let Bag { case, plan, packed, locked, sealed, prefix } = bag;
        let (id, rule, bucket) = (case.node.id, case.rule, self.bucket(case.rule));
        let place = bag_prefix(&rule.prefix, id.0, &plan.revision());
        let location = format!("s3://{bucket}/{place}");
        let mut held = locked.held;
        if !progress.told {
            if progress.placed == 0 {
                if !self.is_closed(id, rule).await? {
                    return skipped("archive.reopened", "it was reopened while it was packed");
                }
                let node = self.content_server.get_node(id).await?;
                if !self.documents(&node).await?.is_as(&plan) {
                    progress.begin_anew(run).await?;
                    return Err(again(
                        "archive.changed",
                        "the case changed while it was packed: it is packed anew",
                    ));
                }
            }
            if !Box::pin(self.place(&case, &prefix, &place, locked, &mut progress, run)).await? {
                return Ok(Outcome::Continue);
            }
            let retained = rule.retention.as_ref().zip(locked.until);
            let lasting = |(rule, until)| Lasting { mode: retention::mode(rule), until };
            let wanted = Wanted {
                bucket,
                case_prefix: &case_prefix(&rule.prefix, id.0),
                retained: retained.map(lasting).map(|lasting| (place.as_str(), lasting)),
            };
            let Some(mirrored) = Box::pin(self.mirror_holds(id, &nodes(&plan), &wanted, run)).await? else {
                return Ok(Outcome::Continue);
            };
            held = mirrored.held;
            let archived = Archived {
                location: location.clone(),
                revision: plan.revision(),
                state: ARCHIVED.to_owned(),
                manifest_sha256: sealed.clone(),
                link: String::new(),
            };
            self.say_archived(id, &archived, locked.until, held, run.context().now()).await?;
            progress.told = true;
            progress.save(run).await?;
        }
        let Some(reduced) = Box::pin(self.reduce(&case, &plan, &packed, &mut progress, run)).await? else {
            return Ok(Outcome::Continue);
        };
        Ok(delivered(&case, &location, &sealed, &packed, (locked, held), &reduced))
    }
}

/// A valid bag in its working place.
struct Bag<'a> {
    case: Case<'a>,
    plan: Plan,
    packed: BTreeMap<String, Packed>,
    locked: Locked,
    sealed: String,
    prefix: String,
}

/// The nodes whose holds are holds on the bag, besides the case itself.
fn nodes(plan: &Plan) -> Vec<i64> {
    plan.documents.iter().map(|document| document.node).chain(plan.containers.iter().copied()).collect()
}

fn delivered(
    case: &Case<'_>,
    location: &str,
    sealed: &str,
    packed: &BTreeMap<String, Packed>,
    (locked, held): (Locked, bool),
    reduced: &Reduced,
) -> Outcome {
    let contents = packed.values().filter(|packed| packed.version.is_some());
    let bytes = contents.clone().map(|packed| packed.size).sum();
    let until = locked.until.map(|until| until.to_string());
    Outcome::Delivered(Delivery {
        result: json!({
            "case": case.node.id, "rule": case.rule.name, "location": location, "manifestSha256": sealed,
            "files": contents.clone().count(), "bytes": bytes, "retainUntil": until, "legalHold": held,
            "purged": reduced.purged, "kept": reduced.kept,
        }),
        digest: Some(sealed.to_owned()),
        bytes,
        detail: [
            ("rule", case.rule.name.clone()),
            ("location", location.to_owned()),
            ("files", contents.count().to_string()),
            ("retainUntil", until.unwrap_or_default()),
            ("legalHold", held.to_string()),
            ("purged", reduced.purged.to_string()),
            ("kept", reduced.kept.unwrap_or_default().to_owned()),
        ]
        .map(|(name, fact)| (name.to_owned(), fact))
        .into(),
    })
}
