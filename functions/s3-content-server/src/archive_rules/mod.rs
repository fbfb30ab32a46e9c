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
    mapping::{Diagnostics, Located},
};

use self::file::{ArchiveCategorySpec, ClosedSpec, RuleSpec};
pub use self::{
    file::{After, RetentionMode, RetrieveSpec, RetrieveTier, RetrieveTo, Takes, Versions},
    retention::{Period, Retention},
};
use crate::{
    rule_words::{category_and_rules, check_name, check_prefix, compile_rules, path},
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
    /// The attribute with the link to a retrieved bag.
    pub link: Option<String>,
    /// The attribute that says until when that can be had.
    pub available_until: Option<String>,
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
        const REMEDY: &str = "name the category that says where the bag of a case is, and its attributes";
        let (category, specs, mut diagnostics) =
            category_and_rules::<ArchiveCategorySpec, RuleSpec>((text, file), "archive", REMEDY)?;
        let archive = category.and_then(|spec| archive_category(spec, &mut diagnostics));
        let has_link = archive.as_ref().is_none_or(|archive| archive.link.is_some());
        let rules = compile_rules(
            specs,
            |spec| &spec.name,
            &mut diagnostics,
            |spec, diagnostics| rule(spec, has_link, diagnostics),
        );
        match archive {
            Some(archive) => diagnostics.finish(Self { archive, rules }),
            // Why there is none has been reported.
            None => Err(diagnostics),
        }
    }
}

fn archive_category(spec: ArchiveCategorySpec, diagnostics: &mut Diagnostics) -> Option<ArchiveCategory> {
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
        link: text(spec.link),
        available_until: text(spec.available_until),
    })
}

fn rule(spec: RuleSpec, has_link: bool, diagnostics: &mut Diagnostics) -> Option<ArchiveRule> {
    let before = diagnostics.len();
    check_name(&spec.name, diagnostics);
    check_prefix(&spec.prefix, diagnostics);
    if ["work/", "retrieved/"].iter().any(|ours| spec.prefix.value().starts_with(ours)) {
        diagnostics.report(
            spec.prefix.span(),
            "bad-prefix",
            "`work/` is where bags are built, `retrieved/` where they are handed out, and what lies there expires",
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
    let retrieve = spec.retrieve.map(|spec| retrieve(&spec, has_link, diagnostics)).unwrap_or_default();
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
        retrieve,
        after,
        official_records: spec.official_records,
    })
}

fn retrieve(spec: &Located<RetrieveSpec>, has_link: bool, diagnostics: &mut Diagnostics) -> RetrieveSpec {
    let gives_link = spec.value().to == RetrieveTo::Link;
    if gives_link && !has_link {
        diagnostics.report(
            spec.span(),
            "link-nowhere",
            "a link to a retrieved bag has no place to be written to",
            "name the attribute that takes it: `link = \"…\"` in [archive]",
        );
    }
    if gives_link && spec.value().days > 30 {
        diagnostics.report(
            spec.span(),
            "link-too-long",
            "the file behind a link expires after a month",
            "set `days` to at most 30, or `to = \"bag\"`",
        );
    }
    spec.value().clone()
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
