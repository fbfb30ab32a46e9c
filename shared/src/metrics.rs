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
