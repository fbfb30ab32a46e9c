//! What a batch did, in CloudWatch's embedded metric format: one JSON line in the log becomes metrics.

use std::{
    collections::BTreeMap,
    io::Write,
    sync::{Mutex, MutexGuard, PoisonError},
};

use serde_json::{Value, json};

use crate::{
    context::Context,
    flow::Measure,
    ledger::Ending,
    metrics::{MOST_VALUES, Sample},
};

/// Counts of one batch.
#[derive(Debug, Default)]
pub struct Tally(Mutex<Counts>);

#[derive(Debug, Default, Clone, PartialEq)]
struct Counts {
    delivered: u64,
    skipped: u64,
    quarantined: u64,
    failed: u64,
    configuration_faults: u64,
    repeated: u64,
    runs: u64,
    distinct_items: u64,
    given_back: u64,
    parked: u64,
    continued: u64,
    retries: u64,
    bytes: u64,
    work_milliseconds: Sample,
    call_milliseconds: Sample,
    lag_milliseconds: Sample,
    breaker_open: bool,
    measured: BTreeMap<Measure, Vec<f64>>,
}

impl Tally {
    pub(super) fn begun(&self, fence: i64) {
        let mut counts = self.counts();
        counts.runs += 1;
        counts.distinct_items += u64::from(fence == 1);
    }

    /// An item ended, so many milliseconds after what it is about happened.
    pub(super) fn ended(&self, ending: Ending, lag: Option<i64>) {
        let mut counts = self.counts();
        if let Some(lag) = lag {
            counts.lag_milliseconds.add(lag);
        }
        match ending {
            Ending::Delivered => counts.delivered += 1,
            Ending::Skipped => counts.skipped += 1,
            Ending::Quarantined => counts.quarantined += 1,
            Ending::Failed => counts.failed += 1,
        }
    }

    pub(super) fn quarantined(&self, configuration_fault: bool) {
        self.counts().configuration_faults += u64::from(configuration_fault);
    }

    pub(super) fn repeated(&self) {
        self.counts().repeated += 1;
    }

    pub(super) fn given_back(&self) {
        self.counts().given_back += 1;
    }

    pub(super) fn parked(&self) {
        self.counts().parked += 1;
    }

    pub(super) fn continued(&self) {
        self.counts().continued += 1;
    }

    pub(super) fn retried(&self) {
        self.counts().retries += 1;
    }

    pub(super) fn worked(&self, milliseconds: i64, retries: u32) {
        let mut counts = self.counts();
        counts.work_milliseconds.add(milliseconds);
        counts.retries += u64::from(retries);
    }

    /// So long vendor systems took to answer.
    pub(super) fn called(&self, milliseconds: &[i64]) {
        let mut counts = self.counts();
        milliseconds.iter().for_each(|time| counts.call_milliseconds.add(*time));
    }

    pub(super) fn bytes(&self, bytes: u64) {
        self.counts().bytes += bytes;
    }

    pub(super) fn breaker_open(&self, open: bool) {
        self.counts().breaker_open = open;
    }

    pub(super) fn measured(&self, measured: Vec<(Measure, f64)>) {
        let mut counts = self.counts();
        for (what, value) in measured {
            let values = counts.measured.entry(what).or_default();
            if values.len() < MOST_VALUES {
                values.push(value);
            }
        }
    }

    /// The line for the log.
    pub fn render(&self, flow: &str, environment: &str, context: &Context) -> Value {
        let counts = self.counts().clone();
        let mut line = json!({
            "_aws": {
                "Timestamp": context.now_milliseconds(),
                "CloudWatchMetrics": [{
                    "Namespace": "Waybill",
                    "Dimensions": [["Environment", "Flow"]],
                    "Metrics": [
                        metric("Delivered", "Count"), metric("Skipped", "Count"),
                        metric("Quarantined", "Count"), metric("Failed", "Count"),
                        metric("ConfigurationFaults", "Count"), metric("Repeated", "Count"),
                        metric("Runs", "Count"), metric("DistinctItems", "Count"),
                        metric("GivenBack", "Count"), metric("Parked", "Count"),
                        metric("Continued", "Count"), metric("Retries", "Count"),
                        metric("Bytes", "Bytes"), metric("ItemDuration", "Milliseconds"),
                        metric("TargetLatency", "Milliseconds"), metric("Lag", "Milliseconds"),
                        metric("BreakerOpen", "Count"),
                    ],
                }],
            },
            "Environment": environment,
            "Flow": flow,
            "Delivered": counts.delivered,
            "Skipped": counts.skipped,
            "Quarantined": counts.quarantined,
            "Failed": counts.failed,
            "ConfigurationFaults": counts.configuration_faults,
            "Repeated": counts.repeated,
            "Runs": counts.runs,
            "DistinctItems": counts.distinct_items,
            "GivenBack": counts.given_back,
            "Parked": counts.parked,
            "Continued": counts.continued,
            "Retries": counts.retries,
            "Bytes": counts.bytes,
            "ItemDuration": counts.work_milliseconds.values(),
            "TargetLatency": counts.call_milliseconds.values(),
            "Lag": counts.lag_milliseconds.values(),
            "BreakerOpen": u8::from(counts.breaker_open),
        });
        for (what, values) in counts.measured {
            let described = described(what);
            let name = described.get("Name").and_then(Value::as_str);
            if let (Some(name), Some(fields)) = (name, line.as_object_mut()) {
                fields.insert(name.to_owned(), values.into());
            }
            let metrics = line.pointer_mut("/_aws/CloudWatchMetrics/0/Metrics").and_then(Value::as_array_mut);
            metrics.into_iter().for_each(|metrics| metrics.push(described.clone()));
        }
        line
    }

    fn counts(&self) -> MutexGuard<'_, Counts> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn metric(name: &str, unit: &str) -> Value {
    json!({"Name": name, "Unit": unit})
}

/// What a measure is called, and its unit.
fn described(measure: Measure) -> Value {
    match measure {
        Measure::ReplicaLag => metric("ReplicaLag", "Seconds"),
        Measure::ReplicaVerifiedAge => metric("ReplicaVerifiedAge", "Seconds"),
        Measure::ReplicaVerified => metric("ReplicaVerified", "Count"),
        Measure::ReplicaDamaged => metric("ReplicaDamaged", "Count"),
        Measure::Restored => metric("Restored", "Count"),
        Measure::RestoreDifferences => metric("RestoreDifferences", "Count"),
    }
}

/// Writes a line to standard output, where CloudWatch picks it up; the log's own format would wrap it.
pub(crate) fn print(line: &Value) {
    let mut output = std::io::stdout().lock();
    let _ = writeln!(output, "{line}");
}
