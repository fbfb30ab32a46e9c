//! Archive rules: which cases of Content Server become bags in S3, where, for how long, and what becomes of their
//! content.
//!
//! [`ArchiveRules::parse`] reads the file once, at start, and tells everything wrong with it with line and remedy.

pub mod file;
mod retention;
#[cfg(test)]
mod tests;

use aws_sdk_s3::types::StorageClass;
use shared::{
    content_server::{NodePath, OfficialRecords},
    mapping::{Diagnostics, Document, Located},
};

use self::file::{ArchiveCategorySpec, ClosedSpec, RuleSpec};
pub use self::{
    file::{After, RetentionMode, RetrieveSpec, RetrieveTier, Takes, Versions},
    retention::{Period, Retention},
};
use crate::{
    rule_words::{check_name, check_prefix, path},
    version_copy::Reading,
};

/// The rules in the package, used when no others are configured.
pub const SAMPLE: &str = include_str!("../../rules/archive-rules.toml");

/// All rules of a file.
#[derive(Debug, Clone)]
pub struct ArchiveRules {
    /// The category that says where bags are.
    pub archive: ArchiveCategory,
    /// The rules in the order they are tried.
    pub rules: Vec<ArchiveRule>,
}

/// The category that says where the bag of a case is, and its attributes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ArchiveCategory {
    /// Where the category is.
    pub category: NodePath,
    /// The attribute with the address.
    pub location: String,
    /// The attribute with the revision.
    pub revision: String,
    /// The attribute with the state.
    pub state: String,
    /// The attribute with the SHA-256 of the manifest of tag files.
    pub manifest_sha256: String,
    /// The attribute with the end of the retention.
    pub retain_until: Option<String>,
    /// The attribute that says whether a legal hold is on.
    pub legal_hold: Option<String>,
    /// The attribute with the moment.
    pub archived_at: Option<String>,
}

/// One rule.
#[derive(Debug, Clone)]
pub struct ArchiveRule {
    /// Its name.
    pub name: String,
    /// What it takes.
    pub takes: Takes,
    /// The container it applies to.
    pub within: Option<NodePath>,
    /// When a case is closed.
    pub closed: Option<Closed>,
    /// Which versions.
    pub versions: Versions,
    /// The bucket; the function's own when there is none.
    pub bucket: Option<String>,
    /// The beginning of every key.
    pub prefix: String,
    /// The storage class of documents; S3's standard one when there is none.
    pub storage_class: Option<StorageClass>,
    /// How copies are verified.
    pub reading: Reading,
    /// Whose records they are.
    pub source_organization: Option<String>,
    /// How long bags are retained.
    pub retention: Option<Retention>,
    /// What a request `retrieve` does.
    pub retrieve: RetrieveSpec,
    /// What becomes of the content.
    pub after: After,
    /// What becomes of official records.
    pub official_records: OfficialRecords,
}

/// When a case is closed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Closed {
    /// The category.
    pub category: NodePath,
    /// The attribute.
    pub attribute: String,
    /// The values that mean closed.
    pub values: Vec<String>,
}

impl ArchiveRules {
    /// Reads a rule file. Everything wrong with it is told together, each with file, line, column and remedy.
    ///
    /// # Errors
    /// When anything is wrong.
    pub fn parse(text: &str, file: &str) -> Result<Self, Diagnostics> {
        let (mut document, mut diagnostics) = Document::parse(file, text)?;
        let archive = document.value::<ArchiveCategorySpec>("archive", &mut diagnostics);
        let told = !diagnostics.is_empty();
        let specs = document.list::<RuleSpec>("rule", &mut diagnostics);
        let end = document.end();
        let broken = !diagnostics.is_empty();
        document.finish(&mut diagnostics);
        if archive.is_none() && !told {
            diagnostics.report(
                end.clone(),
                "missing-key",
                "the file has no `[archive]`",
                "name the category that says where the bag of a case is, and its attributes",
            );
        }
        if specs.is_empty() && !broken {
            diagnostics.report(end, "no-rules", "the file has no rules", "add at least one `[[rule]]`");
        }
        let archive = archive.and_then(|spec| category(spec.into_value(), &mut diagnostics));
        let mut rules: Vec<ArchiveRule> = Vec::new();
        for spec in specs {
            let spec = spec.into_value();
            if rules.iter().any(|rule| rule.name == *spec.name.value()) {
                diagnostics.report(
                    spec.name.span(),
                    "duplicate-rule",
                    format!("the name `{}` is taken by an earlier rule", spec.name.value()),
                    "give each rule its own name",
                );
            }
            rules.extend(rule(spec, &mut diagnostics));
        }
        match archive {
            Some(archive) => diagnostics.finish(Self { archive, rules }),
            // Why there is none has been reported.
            None => Err(diagnostics),
        }
    }
}

fn category(spec: ArchiveCategorySpec, diagnostics: &mut Diagnostics) -> Option<ArchiveCategory> {
    let text = |name: Option<Located<String>>| name.map(Located::into_value);
    Some(ArchiveCategory {
        category: path(&spec.category, diagnostics)?,
        location: spec.location.into_value(),
        revision: spec.revision.into_value(),
        state: spec.state.into_value(),
        manifest_sha256: spec.manifest_sha256.into_value(),
        retain_until: text(spec.retain_until),
        legal_hold: text(spec.legal_hold),
        archived_at: text(spec.archived_at),
    })
}

fn rule(spec: RuleSpec, diagnostics: &mut Diagnostics) -> Option<ArchiveRule> {
    let before = diagnostics.len();
    check_name(&spec.name, diagnostics);
    check_prefix(&spec.prefix, diagnostics);
    if spec.prefix.value().starts_with("work/") {
        diagnostics.report(
            spec.prefix.span(),
            "bad-prefix",
            "`work/` is where bags are built, and expires",
            "choose another beginning of keys, such as `archive/`",
        );
    }
    let within = spec.within.as_ref().and_then(|place| path(place, diagnostics));
    if spec.closed.is_none() && spec.takes == Takes::Cases {
        diagnostics.report(
            spec.name.span(),
            "never-closed",
            "the rule takes cases and does not say when one is closed",
            "add `closed = { category = \"…\", attribute = \"…\", values = [\"…\"] }`",
        );
    }
    let closed = spec.closed.and_then(|spec| closed(spec.into_value(), diagnostics));
    let retention = spec.retention.and_then(|spec| Retention::of(spec.into_value(), diagnostics));
    let after = spec.after.as_ref().map(|after| *after.value()).unwrap_or_default();
    if let Some(span) = spec.after.as_ref().map(Located::span)
        && after != After::Keep
        && (spec.reading == Reading::Once || spec.versions == Versions::Latest)
    {
        diagnostics.report(
            span,
            "reduced-without-proof",
            "content that is reduced must have been read twice, in all its versions",
            "remove `reading = \"once\"` and `versions = \"latest\"`, or set `after = \"keep\"`",
        );
    }
    if diagnostics.len() > before {
        return None;
    }
    Some(ArchiveRule {
        name: spec.name.into_value(),
        takes: spec.takes,
        within,
        closed,
        versions: spec.versions,
        bucket: spec.bucket.map(Located::into_value),
        prefix: spec.prefix.into_value(),
        storage_class: spec.storage_class.class(),
        reading: spec.reading,
        source_organization: spec.source_organization.map(Located::into_value),
        retention,
        retrieve: spec.retrieve,
        after,
        official_records: spec.official_records,
    })
}

fn closed(spec: ClosedSpec, diagnostics: &mut Diagnostics) -> Option<Closed> {
    if spec.values.value().is_empty() {
        diagnostics.report(
            spec.values.span(),
            "never-closed",
            "no value means closed",
            "list the values of the attribute that a closed case has",
        );
    }
    Some(Closed {
        category: path(&spec.category, diagnostics)?,
        attribute: spec.attribute.into_value(),
        values: spec.values.into_value(),
    })
}

/// The JSON Schema of rule files, for editors.
pub fn schema() -> String {
    let mut schema = schemars::schema_for!(file::ArchiveRulesFile);
    schema.insert("title".to_owned(), "Waybill archive rules".into());
    let mut text = serde_json::to_string_pretty(&schema).unwrap_or_default();
    text.push('\n');
    text
}
