//! What an alarm is given to look at: the figures that a function writes, where the template says the alarm looks.

use std::collections::BTreeMap;

use super::World;

/// The values of the metric that an alarm of the template watches, batch by batch. They count as CloudWatch counts them:
/// from lines in the embedded metric format that name the metric, in the alarm's namespace and dimensions.
pub(crate) fn watched(world: &World, alarm: &str) -> Vec<f64> {
    let alarm = properties(alarm);
    let (namespace, metric) = (alarm["Namespace"].as_str(), alarm["MetricName"].as_str());
    let values = world.function.log().records().into_iter().filter_map(|record| {
        let directive = &record["_aws"]["CloudWatchMetrics"][0];
        let dimensions = serde_json::from_value::<Vec<Vec<String>>>(directive["Dimensions"].clone()).ok()?;
        let named = directive["Metrics"].as_array()?.iter().any(|named| named["Name"] == metric);
        // The template names the dimensions in the order of the figures, and the flow by its value.
        let flow = alarm["Dimensions"].contains(&format!("Value: {} ", record["Flow"].as_str()?));
        let are_told = dimensions.first()?.iter().all(|name| {
            alarm["Dimensions"].contains(&format!("Name: {name},")) && record[name.as_str()].is_string()
        });
        (directive["Namespace"] == namespace && named && flow && are_told).then(|| record[metric].as_f64())?
    });
    values.collect()
}

/// The properties of an alarm in the template.
fn properties(name: &str) -> BTreeMap<String, String> {
    let template = concat!(env!("CARGO_MANIFEST_DIR"), "/../infra/template.yaml");
    let template = std::fs::read_to_string(template).expect("the template");
    let (_, alarm) = template.split_once(&format!("\n  {name}:\n")).expect("the alarm");
    let lines = alarm.lines().take_while(|line| !line.is_empty());
    let fields = lines.filter_map(|line| line.trim().split_once(": "));
    fields.map(|(name, value)| (name.to_owned(), value.to_owned())).collect()
}
