//! Replica rules: which content sets of Content Server are replicated, where, and how they are restored.
//!
//! [`ReplicaRules::parse`] reads the file once, at start, and tells everything wrong with it with line and remedy.

pub mod file;
#[cfg(test)]
mod tests;

use aws_sdk_s3::types::StorageClass;
use shared::{
    content_server::NodePath,
    mapping::{Diagnostics, Document, Located},
};

use self::file::RuleSpec;
pub use self::file::{Permissions, Records};
use crate::{
    rule_words::{ClassName, check_name, check_prefix, is_type_wanted, path},
    version_copy::Reading,
};

/// The rules in the package, used when no others are configured.
pub const SAMPLE: &str = include_str!("../../rules/replica-rules.toml");

/// The most documents of a drill.
const MOST_DRILLED: u32 = 50;

/// All rules of a file.
#[derive(Debug, Clone)]
pub struct ReplicaRules {
    /// The rules in the order they are tried.
    pub rules: Vec<ReplicaRule>,
}

/// One content set.
#[derive(Debug, Clone)]
pub struct ReplicaRule {
    /// Its name.
    pub name: String,
    /// The container it is below.
    pub within: NodePath,
    /// The media types of its documents; all when empty.
    pub content_types: Vec<String>,
    /// The category its documents have.
    pub with_category: Option<NodePath>,
    /// The bucket; the function's own when there is none.
    pub bucket: Option<String>,
    /// The Region of the bucket; the function's setting when there is none.
    pub region: Option<String>,
    /// The beginning of every key.
    pub prefix: String,
    /// The storage class; S3's standard one when there is none.
    pub storage_class: Option<StorageClass>,
    /// How copies are verified.
    pub reading: Reading,
    /// Where restores go.
    pub restore_into: NodePath,
    /// Where drills go.
    pub drill_into: NodePath,
    /// Documents of one drill.
    pub drill_documents: usize,
    /// Things that one verification looks at.
    pub verify_at_once: u64,
    /// What rights restored things get.
    pub permissions: Permissions,
    /// What restored things become as records.
    pub records: Records,
}

impl ReplicaRules {
    /// Reads a rule file. Everything wrong with it is told together, each with file, line, column and remedy.
    ///
    /// # Errors
    /// When anything is wrong.
    pub fn parse(text: &str, file: &str) -> Result<Self, Diagnostics> {
        let (mut document, mut diagnostics) = Document::parse(file, text)?;
        let specs = document.list::<RuleSpec>("rule", &mut diagnostics);
        let end = document.end();
        let broken = !diagnostics.is_empty();
        document.finish(&mut diagnostics);
        if specs.is_empty() && !broken && diagnostics.is_empty() {
            diagnostics.report(end, "no-rules", "the file has no rules", "add at least one `[[rule]]`");
        }
        let mut rules: Vec<ReplicaRule> = Vec::new();
        for spec in specs {
            let spec = spec.into_value();
            check_against(&rules, &spec, &mut diagnostics);
            rules.extend(rule(spec, &mut diagnostics));
        }
        diagnostics.finish(Self { rules })
    }
}

impl ReplicaRule {
    /// Whether a media type is one of those of the set.
    pub fn takes_type(&self, media_type: Option<&str>) -> bool {
        is_type_wanted(&self.content_types, media_type)
    }
}

/// Each set has a name and a place of its own.
fn check_against(earlier: &[ReplicaRule], spec: &RuleSpec, diagnostics: &mut Diagnostics) {
    if earlier.iter().any(|rule| rule.name == *spec.name.value()) {
        diagnostics.report(
            spec.name.span(),
            "duplicate-rule",
            format!("the name `{}` is taken by an earlier rule", spec.name.value()),
            "give each rule its own name",
        );
    }
    let bucket = spec.bucket.as_ref().map(Located::value);
    let prefix = spec.prefix.value();
    let overlaps = |rule: &&ReplicaRule| {
        rule.bucket.as_ref() == bucket
            && (rule.prefix.starts_with(prefix.as_str()) || prefix.starts_with(&rule.prefix))
    };
    if let Some(other) = earlier.iter().find(overlaps) {
        diagnostics.report(
            spec.prefix.span(),
            "shared-prefix",
            format!("the prefix `{prefix}` and that of the rule `{}` hold one another", other.name),
            "give each set a prefix of its own",
        );
    }
}

fn rule(spec: RuleSpec, diagnostics: &mut Diagnostics) -> Option<ReplicaRule> {
    let before = diagnostics.len();
    check_name(&spec.name, diagnostics);
    check_prefix(&spec.prefix, diagnostics);
    let within = path(&spec.within, diagnostics);
    let with_category = spec.with_category.as_ref().and_then(|place| path(place, diagnostics));
    let restore_into = path(&spec.restore_into, diagnostics);
    let drill_into = match &spec.drill_into {
        Some(place) => path(place, diagnostics),
        None => restore_into.clone(),
    };
    let drilled = between(spec.drill_documents.as_ref(), 5, MOST_DRILLED, diagnostics);
    let verified = between(spec.verify_at_once.as_ref(), 1000, 1_000_000, diagnostics);
    if let Some(class) = &spec.storage_class
        && matches!(class.value(), ClassName::Glacier | ClassName::DeepArchive)
    {
        diagnostics.report(
            class.span(),
            "slow-storage-class",
            "a replica in this class cannot be read at once",
            "use a class that is read at once, such as `GLACIER_IR`",
        );
    }
    if let (Some(region), None) = (&spec.region, &spec.bucket) {
        diagnostics.report(
            region.span(),
            "region-without-bucket",
            "the Region is that of `bucket`, and the rule names none",
            "name the bucket too, or remove the Region",
        );
    }
    if diagnostics.len() > before {
        return None;
    }
    Some(ReplicaRule {
        name: spec.name.into_value(),
        within: within?,
        content_types: spec.content_types.map(Located::into_value).unwrap_or_default(),
        with_category,
        bucket: spec.bucket.map(Located::into_value),
        region: spec.region.map(Located::into_value),
        prefix: spec.prefix.into_value(),
        storage_class: spec.storage_class.and_then(|class| class.into_value().class()),
        reading: spec.reading,
        restore_into: restore_into?,
        drill_into: drill_into?,
        drill_documents: usize::try_from(drilled).unwrap_or(usize::MAX),
        verify_at_once: u64::from(verified),
        permissions: spec.permissions,
        records: spec.records,
    })
}

fn between(number: Option<&Located<u32>>, usual: u32, most: u32, diagnostics: &mut Diagnostics) -> u32 {
    let Some(number) = number else { return usual };
    if !(1..=most).contains(number.value()) {
        diagnostics.report(
            number.span(),
            "out-of-range",
            format!("{} is not between 1 and {most}", number.value()),
            format!("write a number from 1 to {most}"),
        );
    }
    *number.value()
}

/// The JSON Schema of rule files, for editors.
pub fn schema() -> String {
    let mut schema = schemars::schema_for!(file::ReplicaRulesFile);
    schema.insert("title".to_owned(), "Waybill replica rules".into());
    let mut text = serde_json::to_string_pretty(&schema).unwrap_or_default();
    text.push('\n');
    text
}
