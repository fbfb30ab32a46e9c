//! The file that says what is compared, and how often. It is read once, at start; everything wrong with it is told
//! together, each with line, column and remedy.

use schemars::JsonSchema;
use serde::Deserialize;
use shared::{
    mapping::{Diagnostics, Document, Located, closest},
    reconcile::Options,
};

/// A sample, for the shape.
pub const SAMPLE: &str = include_str!("../../rules/reconcile-rules.toml");

/// What is compared.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ReconcileFile {
    /// The flows.
    #[serde(default)]
    pub flow: Vec<FlowSpec>,
}

/// One flow.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct FlowSpec {
    /// Its name, such as `ingest-uploads`.
    pub name: Located<String>,
    /// Hours from the beginning of one run to the next. Without it: 24.
    pub every_hours: Option<u32>,
    /// The flow's own rules, as its function is given them: `s3://bucket/key`. Without it: those in its package.
    #[serde(default)]
    pub rules: String,
    /// The buckets that are listed, where the flow's rules do not say it: the intake buckets of `ingest-uploads`.
    #[serde(default)]
    pub buckets: Vec<String>,
    /// The collections of iconik, by id, whose assets are compared at any depth. Without it: everything that the service
    /// user sees.
    #[serde(default)]
    pub collections: Vec<String>,
    /// Where the flow keeps content, unless its rules say it: its function's `WAYBILL_CONTENT_BUCKET`.
    #[serde(default)]
    pub content_bucket: String,
    /// The Region of that bucket, where it is another one: its function's `WAYBILL_CONTENT_REGION`.
    #[serde(default)]
    pub content_region: String,
    /// Minutes for which a difference counts as being on its way. Without it: 60.
    pub grace_minutes: Option<u32>,
    /// Contents are read and hashed on both sides where no side states a hash. It reads everything: seldom, and slowly.
    #[serde(default)]
    pub deep: bool,
    /// What is safe is put onto the flow's queue by every run. Without it only a person's request does.
    #[serde(default)]
    pub repair: bool,
    /// Repairs one run puts onto the queue at most. Without it: 1000.
    pub most_repairs: Option<u64>,
}

/// A flow that is compared.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FlowPlan {
    /// Its name.
    pub flow: String,
    /// Hours from run to run.
    pub every_hours: u32,
    /// Its own rules.
    pub rules: String,
    /// The buckets that are listed.
    pub buckets: Vec<String>,
    /// The collections of iconik whose assets are compared; everything when there are none.
    pub collections: Vec<String>,
    /// Where it keeps content.
    pub content_bucket: String,
    /// The Region of that bucket; the function's own when empty.
    pub content_region: String,
    /// How it is compared.
    pub options: Options,
}

/// Reads a file.
///
/// # Errors
/// Everything that is wrong with it.
pub fn parse(text: &str, file: &str) -> Result<Vec<FlowPlan>, Diagnostics> {
    let (mut document, mut diagnostics) = Document::parse(file, text)?;
    let specs = document.list::<FlowSpec>("flow", &mut diagnostics);
    let end = document.end();
    let broken = !diagnostics.is_empty();
    document.finish(&mut diagnostics);
    if specs.is_empty() && !broken {
        diagnostics.report(end, "no-flows", "the file has no flows", "add at least one `[[flow]]`");
    }
    let mut plans: Vec<FlowPlan> = Vec::new();
    for spec in specs {
        let spec = spec.into_value();
        let (name, span) = (spec.name.value().clone(), spec.name.span());
        let known: Vec<&str> = super::SIDES.iter().copied().flatten().map(|entry| entry.flow).collect();
        if !known.contains(&name.as_str()) {
            let remedy = match closest(&name, known.iter().copied()) {
                Some(meant) => format!("did you mean `{meant}`?"),
                None => format!("write one of {}", known.join(", ")),
            };
            diagnostics.report(span.clone(), "unknown-flow", format!("`{name}` cannot be compared"), remedy);
        }
        if plans.iter().any(|plan| plan.flow == name) {
            let message = format!("`{name}` is there twice");
            diagnostics.report(span, "name-taken", message, "compare each flow once");
        }
        let usual = Options::default();
        plans.push(FlowPlan {
            flow: name,
            every_hours: spec.every_hours.unwrap_or(24).max(1),
            rules: spec.rules,
            buckets: spec.buckets,
            collections: spec.collections,
            content_bucket: spec.content_bucket,
            content_region: spec.content_region,
            options: Options {
                deep: spec.deep,
                repair: spec.repair,
                grace_minutes: spec.grace_minutes.unwrap_or(usual.grace_minutes),
                most_repairs: spec.most_repairs.unwrap_or(usual.most_repairs),
            },
        });
    }
    diagnostics.finish(plans)
}

/// The JSON Schema of the file, for editors.
pub fn schema() -> String {
    let mut schema = schemars::schema_for!(ReconcileFile);
    schema.insert("title".to_owned(), "Waybill: what is compared".into());
    let mut text = serde_json::to_string_pretty(&schema).unwrap_or_default();
    text.push('\n');
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn published(file: &str, current: &str) {
        let file = format!("{}/rules/{file}", env!("CARGO_MANIFEST_DIR"));
        if std::env::var_os("UPDATE_SCHEMA").is_some() {
            std::fs::write(&file, current).unwrap();
        }
        assert_eq!(std::fs::read_to_string(file).unwrap(), current, "write it with UPDATE_SCHEMA=1");
    }

    #[test]
    fn the_published_schemas_are_those_in_force() {
        published("reconcile-rules.schema.json", &schema());
        published("reconcile-report.schema.json", &shared::reconcile::schema());
    }

    #[test]
    fn the_sample_is_in_order_and_repairs_nothing_by_itself() {
        let plans = parse(SAMPLE, "reconcile-rules.toml").unwrap_or_else(|found| panic!("{found}"));
        assert!(plans.iter().all(|plan| !plan.options.repair));
        let known = super::super::SIDES.iter().copied().flatten().map(|entry| entry.flow);
        let flows: std::collections::BTreeSet<&str> = plans.iter().map(|plan| plan.flow.as_str()).collect();
        assert_eq!(flows, known.collect());
    }

    #[test]
    fn every_mistake_is_told_with_its_line() {
        let told = |text: &str| {
            let found = parse(text, "rules.toml").expect_err("the file was accepted");
            found.list().iter().map(|one| (one.line, one.code, one.remedy.clone())).collect::<Vec<_>>()
        };
        assert_eq!(told("")[0].1, "no-flows");
        let found =
            told("[[flow]]\nname = \"ingest-upload\"\n[[flow]]\nname = \"offload-content\"\nevery = 3\n");
        assert_eq!((found[0].0, found[0].1), (2, "unknown-flow"));
        assert_eq!((found[1].0, found[1].1), (5, "unknown-key"));
        assert!(found[0].2.contains("`ingest-uploads`"), "{found:?}");
        let twice = "[[flow]]\nname = \"offload-content\"\n[[flow]]\nname = \"offload-content\"\n";
        assert_eq!(told(twice)[0].1, "name-taken");
    }
}
