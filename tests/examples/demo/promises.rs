//! Holds what is there at the end against what was promised.

use std::collections::BTreeSet;

use super::{
    evidence::Evidence,
    ledger,
    run::{Course, PATIENCE, POISON},
    samples::{CONTRACT, Expected, VIDEO},
    uploads::{self, Uploaded},
};

/// A promise, and whether it held.
pub(crate) struct Promise {
    pub(crate) name: &'static str,
    pub(crate) held: bool,
    pub(crate) detail: String,
}

impl Promise {
    /// As the report has it.
    pub(crate) fn json(&self) -> serde_json::Value {
        serde_json::json!({"promise": self.name, "held": self.held, "detail": self.detail})
    }
}

/// One verdict per promise. `seconds` is what it took.
pub(crate) fn judge(course: &Course, evidence: &Evidence, seconds: f64) -> Vec<Promise> {
    vec![
        one_ending(evidence),
        as_expected(course),
        where_they_belong(course, evidence),
        same_bytes(course, evidence),
        no_duplicates(course, evidence),
        reasons(course, evidence),
        taken_over(course),
        repeated_notification(course, evidence),
        dead_letter(evidence),
        audit(evidence),
        no_unknown_calls(evidence),
        in_time(seconds),
    ]
}

/// A promise that is broken by faults; `good` says what was seen when there are none.
pub(crate) fn promise(name: &'static str, good: String, faults: Vec<String>) -> Promise {
    let held = faults.is_empty();
    Promise { name, held, detail: if held { good } else { faults.join("; ") } }
}

fn one_ending(evidence: &Evidence) -> Promise {
    let mut faults = Vec::new();
    for (key, version, record) in &evidence.objects {
        let ended = record.as_ref().is_some_and(ledger::Record::has_ended);
        let item = uploads::item(&evidence.bucket, key, version);
        let chain = evidence.chains.get(&uploads::asset(&evidence.bucket, key));
        let events =
            chain.map_or(0, |chain| chain.events.iter().filter(|event| event.event.item == item).count());
        if !ended || events != 1 {
            faults
                .push(format!("{key} has {events} endings{}", if ended { "" } else { " and is still open" }));
        }
    }
    let good = format!("{} object versions, one final state each", evidence.objects.len());
    promise("every upload ends once", good, faults)
}

fn as_expected(course: &Course) -> Promise {
    let faults = course.uploaded.iter().filter_map(|uploaded| {
        let record = course.records.get(&uploaded.item);
        let found = record.map_or_else(
            || "open".to_owned(),
            |record| match record.status.as_str() {
                "delivered" => format!("delivered {} v{}", record.rule(), record.version()),
                status => format!("{status} {}", record.reason()),
            },
        );
        let wanted = match uploaded.expected {
            Expected::Delivered(rule, version) => format!("delivered {rule} v{version}"),
            Expected::Skipped(reason) => format!("skipped {reason}"),
            Expected::Quarantined(reason) => format!("quarantined {reason}"),
        };
        (found != wanted).then(|| format!("{}: {found}, not {wanted}", uploaded.key))
    });
    let good = format!("{} uploads, each by the rule and to the end it should", course.uploaded.len());
    promise("the rules decide", good, faults.collect())
}

fn where_they_belong(course: &Course, evidence: &Evidence) -> Promise {
    let good = format!(
        "{} uploads: folder, value, class, rights and reviews as their rules say",
        delivered(course).count()
    );
    promise("every document is where it belongs", good, evidence.misfiled.clone())
}

/// The uploads that were delivered, each with its record.
pub(crate) fn delivered(course: &Course) -> impl Iterator<Item = (&Uploaded, &ledger::Record)> {
    course.uploaded.iter().filter_map(|uploaded| {
        let record = course.records.get(&uploaded.item)?;
        (record.status == "delivered").then_some((uploaded, record))
    })
}

/// Whether the target holds the very bytes of an upload.
pub(crate) fn is_equal(uploaded: &Uploaded, record: &ledger::Record, evidence: &Evidence) -> bool {
    let held = evidence.made.get(&(record.node(), record.version()));
    held.is_some_and(|held| held.sha256 == uploaded.sha256 && held.size == uploaded.size)
}

fn same_bytes(course: &Course, evidence: &Evidence) -> Promise {
    let differing = delivered(course).filter(|(uploaded, record)| !is_equal(uploaded, record, evidence));
    let faults = differing.map(|(uploaded, _)| format!("{} differs in the target", uploaded.key)).collect();
    let bytes: u64 = delivered(course).map(|(uploaded, _)| uploaded.size).sum();
    let good =
        format!("{} documents, {} MB, SHA-256 equal at both ends", delivered(course).count(), bytes >> 20);
    promise("bytes in = bytes out", good, faults)
}

fn no_duplicates(course: &Course, evidence: &Evidence) -> Promise {
    let delivered: BTreeSet<(i64, i64)> =
        delivered(course).map(|(_, record)| (record.node(), record.version())).collect();
    let extra = evidence.made.iter().filter(|(version, _)| !delivered.contains(version));
    let faults =
        extra.map(|((node, version), held)| format!("node {node} v{version} {} is one too many", held.path));
    let good = format!("{} versions in the target, as many as were delivered", evidence.made.len());
    promise("nothing is filed twice", good, faults.collect())
}

fn reasons(course: &Course, evidence: &Evidence) -> Promise {
    let mut faults = Vec::new();
    for (item, file) in &evidence.reasons {
        let Some(record) = course.records.get(item) else { continue };
        if file["reason"]["code"].as_str() != Some(record.reason()) {
            faults.push(
                file.as_str()
                    .map_or_else(|| format!("another reason than {}", record.reason()), str::to_owned),
            );
        }
    }
    let good = format!("{} put aside, each with its .reason.json", evidence.reasons.len());
    promise("what is refused says why", good, faults)
}

fn taken_over(course: &Course) -> Promise {
    let video = course.uploaded.iter().find(|uploaded| uploaded.key == VIDEO);
    let attempts =
        video.and_then(|video| course.records.get(&video.item)).map_or(0, |record| record.attempts);
    let faults = if course.killed && attempts >= 2 {
        vec![]
    } else {
        vec![format!("{attempts} attempts at the video")]
    };
    promise(
        "a killed function loses nothing",
        format!("the video was delivered at attempt {attempts}"),
        faults,
    )
}

fn repeated_notification(course: &Course, evidence: &Evidence) -> Promise {
    let contract = course.uploaded.iter().find(|uploaded| uploaded.key == CONTRACT);
    let attempts =
        contract.and_then(|contract| course.records.get(&contract.item)).map_or(0, |record| record.attempts);
    let mut faults = Vec::new();
    if attempts != 1 {
        faults.push(format!("{attempts} attempts at an upload that was notified twice"));
    }
    if evidence.waiting > 0 {
        faults.push(format!("{} messages still wait in the queue", evidence.waiting));
    }
    promise("a repeated notification changes nothing", "acknowledged; the queue is empty".into(), faults)
}

fn dead_letter(evidence: &Evidence) -> Promise {
    let faults = match evidence.dead_letters.as_slice() {
        [only] if only == POISON => vec![],
        letters => vec![format!("{} dead letters instead of the one that is no notification", letters.len())],
    };
    promise("only poison is a dead letter", "one message that is no notification".into(), faults)
}

fn audit(evidence: &Evidence) -> Promise {
    let broken = evidence.chains.iter().filter_map(|(asset, chain)| {
        let problem = chain.verdict.as_ref().err()?;
        Some(format!("chain {asset}: {problem}"))
    });
    let events: usize = evidence.chains.values().map(|chain| chain.events.len()).sum();
    let good = format!("{} chains, {events} events, every hash follows", evidence.chains.len());
    promise("the audit verifies", good, broken.collect())
}

fn no_unknown_calls(evidence: &Evidence) -> Promise {
    let unknown = evidence.unknown_calls;
    let faults =
        if unknown == 0 { vec![] } else { vec![format!("{unknown} calls of addresses that do not exist")] };
    promise("the target's interface is kept to", "no call it does not know".into(), faults)
}

/// Seconds that it takes at most on a machine with nothing else to do.
const TWO_MINUTES: f64 = 120.0;

/// A busy machine may take longer than two minutes, and says so; what takes longer than anybody waits is broken.
fn in_time(seconds: f64) -> Promise {
    let faults = if seconds < PATIENCE { vec![] } else { vec![format!("{seconds:.0} s")] };
    let good = match seconds < TWO_MINUTES {
        true => format!("{seconds:.0} s: under two minutes"),
        false => format!("{seconds:.0} s: over two minutes, as on a machine that has other things to do"),
    };
    promise("it ends while one watches", good, faults)
}

#[cfg(test)]
#[path = "promises_tests.rs"]
mod tests;
