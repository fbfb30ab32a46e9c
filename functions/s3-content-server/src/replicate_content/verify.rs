//! Whether a replica is still what it was: its objects against what is known of them, a part at a time, round and round.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::json;
use shared::{
    content_server::kind,
    error::{FailureClass, Result},
    flow::{Delivery, Item, Measure, Outcome, Run},
    transfer::{S3Object, hash_body},
};

use super::{
    ReplicateContent, Set,
    record::ReplicatedVersion,
    replica::{DAMAGED, Replica},
    report::{Counts, Difference, Entry, REPORT, Report, ReportKind},
    seconds_since, skipped,
};

/// Where it is kept how far the verification of a replica is.
const ROUND: &str = "verification.json";
/// Entries that are held before they are written.
const HELD: usize = 100;

/// How far the verification of a replica is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Round {
    schema: String,
    /// The last thing that was looked at.
    after: Option<i64>,
    /// When this round began.
    begun_at: Timestamp,
    /// When the last round ended that looked at everything.
    completed_at: Option<Timestamp>,
}

/// What one request has done so far.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
struct Portion {
    begun: bool,
    after: Option<i64>,
    looked: u64,
    counts: Counts,
    parts: Vec<String>,
    ended: bool,
}

impl ReplicateContent {
    /// Looks at the next things of a replica. Content Server is not asked for anything.
    pub(super) async fn verify(&self, set: &Set, item: &Item, run: &Run) -> Result<Outcome> {
        if run.is_dry() {
            return skipped("dry-run", "the next things of the replica would be verified");
        }
        let replica = &set.replica;
        let now = run.context().now();
        let round = replica.own::<Round>(ROUND).await?.unwrap_or_else(|| Round {
            schema: "waybill.replica-verification.v1".to_owned(),
            after: None,
            begun_at: now,
            completed_at: None,
        });
        let mut portion: Portion = run.recorded("portion").unwrap_or_default();
        if !portion.begun {
            portion = Portion { begun: true, after: round.after, ..Portion::default() };
        }
        let mut damaged = Vec::new();
        while !portion.ended && portion.looked < set.rule.verify_at_once {
            let nodes = replica.nodes_after(portion.after).await?;
            portion.ended = nodes.is_empty();
            for node in nodes {
                if run.must_stop() {
                    self.note_damage(replica, item, &mut damaged, &mut portion).await?;
                    run.checkpoint("portion", &portion).await?;
                    return Ok(Outcome::Continue);
                }
                if let Some(entry) = look(replica, node).await? {
                    portion.counts.add(&entry);
                    damaged.extend(Some(entry).filter(|entry| !entry.differences.is_empty()));
                }
                portion.after = Some(node);
                portion.looked += 1;
                if damaged.len() >= HELD {
                    self.note_damage(replica, item, &mut damaged, &mut portion).await?;
                }
                if portion.looked >= set.rule.verify_at_once {
                    break;
                }
            }
        }
        self.note_damage(replica, item, &mut damaged, &mut portion).await?;
        // The last thing of the round ends it, also when the portion is full with it.
        portion.ended = portion.ended || replica.nodes_after(portion.after).await?.is_empty();
        self.conclude_verification(set, (round, portion), item, run).await
    }

    async fn conclude_verification(
        &self,
        set: &Set,
        (round, portion): (Round, Portion),
        item: &Item,
        run: &Run,
    ) -> Result<Outcome> {
        let (replica, now) = (&set.replica, run.context().now());
        let report = Report {
            schema: REPORT.to_owned(),
            kind: ReportKind::Verify,
            set: set.rule.name.clone(),
            id: item.key.short().to_owned(),
            folder: None,
            finished_at: now.to_string(),
            equal: portion.counts.different == 0,
            counts: portion.counts.clone(),
            entries: portion.parts.clone(),
        };
        let key = replica.put_own(&format!("verifications/{}.json", report.id), &report).await?;
        let next = match portion.ended {
            true => Round { after: None, begun_at: now, completed_at: Some(now), ..round },
            false => Round { after: portion.after, ..round },
        };
        replica.put_own(ROUND, &next).await?;
        run.measure(Measure::ReplicaVerified, as_number(portion.looked));
        run.measure(Measure::ReplicaDamaged, as_number(portion.counts.different));
        let last = next.completed_at.unwrap_or(next.begun_at);
        run.measure(Measure::ReplicaVerifiedAge, seconds_since(last, run));
        Ok(Outcome::Delivered(Delivery {
            result: json!({ "set": set.rule.name, "report": key, "equal": report.equal, "counts": report.counts,
                "roundEnded": portion.ended }),
            detail: [
                ("set", set.rule.name.clone()),
                ("report", key),
                ("damaged", portion.counts.different.to_string()),
            ]
            .map(|(name, fact)| (name.to_owned(), fact))
            .into(),
            ..Delivery::default()
        }))
    }

    async fn note_damage(
        &self,
        replica: &Replica,
        item: &Item,
        damaged: &mut Vec<Entry>,
        portion: &mut Portion,
    ) -> Result<()> {
        if damaged.is_empty() {
            return Ok(());
        }
        let name = format!("verifications/{}/{:05}.jsonl", item.key.short(), portion.parts.len() + 1);
        portion.parts.push(replica.put_lines(&name, damaged).await?);
        damaged.clear();
        Ok(())
    }
}

/// What one thing of a replica is like now; nothing while nothing vouches for it yet.
async fn look(replica: &Replica, node: i64) -> Result<Option<Entry>> {
    let record = match replica.record(node).await {
        Ok(Some(kept)) => kept.record,
        Ok(None) => return Ok(None),
        Err(error) if error.code() == "replica.taken" => {
            let damaged = Difference::new("record", "is not what was written");
            return Ok(Some(Entry::of(node, true).damaged(vec![damaged])));
        }
        Err(error) => return Err(error),
    };
    let entry = Entry::of(node, record.kind == kind::DOCUMENT);
    let state = match replica.revision(&record.revision).await {
        Ok(revision) => revision.state,
        Err(error) if error.code() == DAMAGED => {
            let field = format!("revision {}", record.revision.number);
            return Ok(Some(entry.damaged(vec![Difference::new(field, "is missing or another one")])));
        }
        Err(error) => return Err(error),
    };
    let mut differences = Vec::new();
    for version in &state.versions {
        if let Err(what) = intact(replica, version).await? {
            let field = format!("content of version {}", version.version.number);
            differences.push(Difference::new(field, what));
        }
    }
    let bytes = state.versions.iter().map(|version| version.content.size).sum();
    let entry = Entry { versions: state.versions.len() as u64, bytes, ..entry };
    Ok(Some(if differences.is_empty() { entry } else { entry.damaged(differences) }))
}

/// The object of a content, when it is the one that was kept; else what is wrong with it. It is only read where S3 keeps
/// no checksum of the whole of it.
pub(super) async fn intact(
    replica: &Replica,
    version: &ReplicatedVersion,
) -> Result<Result<S3Object, &'static str>> {
    const OTHER: &str = "is another one in the replica";
    let content = &version.content;
    let head =
        S3Object::head(&replica.s3, &content.bucket, &content.key, content.version_id.as_deref(), None).await;
    let object = match head {
        Ok(object) => object,
        Err(error) if error.class() == FailureClass::Gone => return Ok(Err("is not in the replica")),
        Err(error) => return Err(error),
    };
    let (sha256, crc) = (object.checksum_sha256.as_ref(), object.checksum_crc64_nvme.as_ref());
    if object.size != content.size
        || sha256.is_some_and(|sha256| *sha256 != content.sha256)
        || crc.is_some_and(|crc| *crc != content.crc64_nvme)
    {
        return Ok(Err(OTHER));
    }
    if sha256.is_none() && crc.is_none() {
        let held = hash_body(object.open(&replica.s3, None).await?, Some(object.size)).await?;
        if held.sha256 != content.sha256 {
            return Ok(Err(OTHER));
        }
    }
    Ok(Ok(object))
}

/// A count as a metric has it.
#[expect(clippy::cast_precision_loss, reason = "a metric needs no more than 53 bits")]
pub(super) fn as_number(count: u64) -> f64 {
    count as f64
}
