//! Offload rules: which documents of Content Server go to S3, where, and what becomes of their content.
//!
//! [`OffloadRules::parse`] reads the file once, at start, and tells everything wrong with it with line and remedy.

pub mod file;
#[cfg(test)]
mod tests;

use aws_sdk_s3::types::StorageClass;
use shared::{
    content_server::{NodePath, OfficialRecords},
    mapping::{Diagnostics, Located},
};

pub use self::file::After;
use self::file::{ExternalContentSpec, RuleSpec};
use crate::{
    rule_words::{category_and_rules, check_name, check_prefix, compile_rules, is_type_wanted, path},
    version_copy::Reading,
};

/// The rules in the package, used when no others are configured.
pub const SAMPLE: &str = include_str!("../../rules/offload-rules.toml");

/// All rules of a file.
#[derive(Debug, Clone)]
pub struct OffloadRules {
    /// The category that says where content is.
    pub external_content: ExternalContent,
    /// The rules in the order they are tried.
    pub rules: Vec<OffloadRule>,
}

/// The category that says where content is, and its attributes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExternalContent {
    /// Where the category is.
    pub category: NodePath,
    /// The attribute with the address.
    pub location: String,
    /// The attribute with the number of the version.
    pub document_version: String,
    /// The attribute with the SHA-256.
    pub sha256: String,
    /// The attribute with the version of the object.
    pub object_version: Option<String>,
    /// The attribute with the size.
    pub size: Option<String>,
    /// The attribute with the storage class.
    pub storage_class: Option<String>,
    /// The attribute with the moment.
    pub offloaded_at: Option<String>,
    /// The attribute that asks for the content.
    pub recall: Option<String>,
}

/// One rule.
#[derive(Debug, Clone)]
pub struct OffloadRule {
    /// Its name.
    pub name: String,
    /// The container it applies to.
    pub within: Option<NodePath>,
    /// The media types it takes; all when empty.
    pub content_types: Vec<String>,
    /// The category a document must have.
    pub with_category: Option<NodePath>,
    /// The least size of the newest version.
    pub min_size: u64,
    /// Days without modification.
    pub unmodified_days: u32,
    /// Days for which content that somebody called back stays.
    pub recalled_days: u8,
    /// The bucket; the function's own when there is none.
    pub bucket: Option<String>,
    /// The beginning of every key.
    pub prefix: String,
    /// The storage class; S3's standard one when there is none.
    pub storage_class: Option<StorageClass>,
    /// How copies are verified.
    pub reading: Reading,
    /// What becomes of the content.
    pub after: After,
    /// What becomes of official records.
    pub official_records: OfficialRecords,
}

impl OffloadRules {
    /// Reads a rule file. Everything wrong with it is told together, each with file, line, column and remedy.
    ///
    /// # Errors
    /// When anything is wrong.
    pub fn parse(text: &str, file: &str) -> Result<Self, Diagnostics> {
        const REMEDY: &str =
            "name the category that says where the content of a document is, and its attributes";
        let (category, specs, mut diagnostics) =
            category_and_rules::<ExternalContentSpec, RuleSpec>((text, file), "external_content", REMEDY)?;
        let external = category.and_then(|spec| external_content(spec, &mut diagnostics));
        let rules = compile_rules(specs, |spec| &spec.name, &mut diagnostics, rule);
        match external {
            Some(external_content) => diagnostics.finish(Self { external_content, rules }),
            // Why there is none has been reported.
            None => Err(diagnostics),
        }
    }
}

impl OffloadRule {
    /// Whether a media type is one of those the rule takes.
    pub fn takes_type(&self, media_type: Option<&str>) -> bool {
        is_type_wanted(&self.content_types, media_type)
    }
}

fn external_content(spec: ExternalContentSpec, diagnostics: &mut Diagnostics) -> Option<ExternalContent> {
    let text = |name: Option<Located<String>>| name.map(Located::into_value);
    Some(ExternalContent {
        category: path(&spec.category, diagnostics)?,
        location: spec.location.into_value(),
        document_version: spec.document_version.into_value(),
        sha256: spec.sha256.into_value(),
        object_version: text(spec.object_version),
        size: text(spec.size),
        storage_class: text(spec.storage_class),
        offloaded_at: text(spec.offloaded_at),
        recall: text(spec.recall),
    })
}

fn rule(spec: RuleSpec, diagnostics: &mut Diagnostics) -> Option<OffloadRule> {
    let before = diagnostics.len();
    check_name(&spec.name, diagnostics);
    check_prefix(&spec.prefix, diagnostics);
    let within = spec.within.as_ref().and_then(|place| path(place, diagnostics));
    let with_category = spec.with_category.as_ref().and_then(|place| path(place, diagnostics));
    let after = spec.after.as_ref().map(|after| *after.value()).unwrap_or_default();
    if let Some(span) = spec.after.as_ref().map(Located::span)
        && after != After::Keep
        && spec.reading == Reading::Once
    {
        diagnostics.report(
            span,
            "reduced-after-one-reading",
            "content that is reduced must have been read twice: Content Server keeps no checksum",
            "remove `reading = \"once\"`, or set `after = \"keep\"`",
        );
    }
    if diagnostics.len() > before {
        return None;
    }
    Some(OffloadRule {
        name: spec.name.into_value(),
        within,
        content_types: spec.content_types.map(Located::into_value).unwrap_or_default(),
        with_category,
        min_size: spec.min_size.map_or(0, crate::intake_rules::HumanSize::as_bytes),
        unmodified_days: spec.unmodified_days,
        recalled_days: spec.recalled_days.0,
        bucket: spec.bucket.map(Located::into_value),
        prefix: spec.prefix.into_value(),
        storage_class: spec.storage_class.class(),
        reading: spec.reading,
        after,
        official_records: spec.official_records,
    })
}

/// The JSON Schema of rule files, for editors.
pub fn schema() -> String {
    let mut schema = schemars::schema_for!(file::OffloadRulesFile);
    schema.insert("title".to_owned(), "Waybill offload rules".into());
    let mut text = serde_json::to_string_pretty(&schema).unwrap_or_default();
    text.push('\n');
    text
}
