//! Figures for CloudWatch, in its embedded metric format: one JSON line in the log becomes metrics.

use serde_json::{Map, Value, json};

use crate::{batch, context::Context};

/// One figure.
#[derive(Debug, Clone)]
pub struct Figure {
    /// The metric's name.
    pub name: &'static str,
    /// Its unit, one of CloudWatch's.
    pub unit: &'static str,
    /// Its value, or several in a list.
    pub value: Value,
}

impl Figure {
    /// A number of things.
    pub fn count(name: &'static str, value: u64) -> Self {
        Self { name, unit: "Count", value: value.into() }
    }
}

/// The line for the log. Each set of labels named in `sets` makes a metric of its own.
pub fn line(context: &Context, sets: &[&[&str]], labels: &[(&str, &str)], figures: &[Figure]) -> Value {
    let metrics: Vec<Value> =
        figures.iter().map(|figure| json!({"Name": figure.name, "Unit": figure.unit})).collect();
    let mut line = Map::new();
    line.insert(
        "_aws".to_owned(),
        json!({
            "Timestamp": context.now_milliseconds(),
            "CloudWatchMetrics": [{"Namespace": "Waybill", "Dimensions": sets, "Metrics": metrics}],
        }),
    );
    line.extend(labels.iter().map(|(name, value)| ((*name).to_owned(), Value::from(*value))));
    line.extend(figures.iter().map(|figure| (figure.name.to_owned(), figure.value.clone())));
    line.into()
}

/// Writes a line to where CloudWatch picks it up.
pub fn print(line: &Value) {
    batch::metrics::print(line);
}

/// The most values of one metric that CloudWatch takes in one line.
pub(crate) const MOST_VALUES: usize = 100;

/// As many values as one line can hold: every one at first; when they become too many, every second, every fourth and
/// so on.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Sample {
    values: Vec<i64>,
    seen: u64,
    thinned: u32,
}

impl Sample {
    pub(crate) fn values(&self) -> &[i64] {
        &self.values
    }

    pub(crate) fn add(&mut self, value: i64) {
        if self.is_next() && self.values.len() >= MOST_VALUES {
            let mut keep = false;
            self.values.retain(|_| {
                keep = !keep;
                keep
            });
            self.thinned += 1;
        }
        if self.is_next() {
            self.values.push(value);
        }
        self.seen += 1;
    }

    fn is_next(&self) -> bool {
        self.seen.trailing_zeros() >= self.thinned
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sample_is_spread_evenly_over_everything_it_saw() {
        let mut sample = Sample::default();
        (0..100).for_each(|value| sample.add(value));
        assert_eq!(sample.values(), (0..100).collect::<Vec<_>>());
        (100..1000).for_each(|value| sample.add(value));
        assert_eq!(sample.values(), (0..1000).step_by(16).collect::<Vec<_>>());
    }
}
