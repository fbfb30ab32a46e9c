//! Export rules: data sets for analysis, what is never in them, and what may come back.
//!
//! [`ExportRules::parse`] reads the file once, at start, and tells everything wrong with it with line and remedy.

mod compile;
pub mod file;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use shared::{
    content_server::NodePath,
    mapping::{Diagnostics, Document, Lookups, Mapping, Template},
};

pub use self::file::{Find, Overwrite, Versions};
use crate::rule_words::is_type_wanted;

/// The rules in the package, used when no others are configured.
pub const SAMPLE: &str = include_str!("../../rules/export-rules.toml");

/// All data sets of a file.
#[derive(Debug, Clone)]
pub struct ExportRules {
    /// The data sets.
    pub data_sets: Vec<DataSet>,
}

/// One data set.
#[derive(Debug, Clone)]
pub struct DataSet {
    /// Its name.
    pub name: String,
    /// The container its documents are in.
    pub within: NodePath,
    /// How they are found.
    pub find: Find,
    /// What they must match.
    pub query: Option<String>,
    /// Expressions that a request may name.
    pub queries: BTreeMap<String, String>,
    /// Minutes an incremental run looks back.
    pub overlap_minutes: u32,
    /// Which versions.
    pub versions: Versions,
    /// The media types; all when empty.
    pub content_types: Vec<String>,
    /// The largest version, in bytes.
    pub max_size: u64,
    /// Who must be able to read them.
    pub audience: Audience,
    /// What is never exported.
    pub forbid: Forbid,
    /// What the manifest says besides.
    pub fields: Mapping,
    /// Values that may come back.
    pub values: Option<Values>,
    /// Texts that may come back.
    pub text: Option<Text>,
}

/// Who must be able to read a document.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Audience {
    /// Whatever the function's own user can read is enough.
    pub service_user: bool,
    /// What everybody may read.
    pub public: bool,
    /// What one of these groups may read.
    pub groups: Vec<String>,
}

/// What is never exported.
#[derive(Debug, Clone, Default)]
pub struct Forbid {
    /// Classifications.
    pub classifications: Vec<NodePath>,
    /// Records management classifications.
    pub record_classes: Vec<NodePath>,
    /// Official records.
    pub official_records: bool,
    /// What is under a hold.
    pub held: bool,
    /// Category values.
    pub values: Vec<ForbiddenValue>,
}

/// A category value that forbids the export.
#[derive(Debug, Clone)]
pub struct ForbiddenValue {
    /// The category.
    pub category: NodePath,
    /// Its attribute.
    pub attribute: String,
    /// The values, in lower case.
    pub one_of: Vec<String>,
    /// Whether no value forbids it, too.
    pub or_missing: bool,
}

/// Values that may come back.
#[derive(Debug, Clone)]
pub struct Values {
    /// The category they are written to.
    pub category: NodePath,
    /// What may be replaced.
    pub overwrite: Overwrite,
    /// The attributes.
    pub fields: Mapping,
}

/// Texts that may come back.
#[derive(Debug, Clone)]
pub struct Text {
    /// The name of the document.
    pub name: Template,
    /// The largest, in bytes.
    pub max_size: u64,
}

impl ExportRules {
    /// Reads a rule file. Everything wrong with it is told together, each with file, line, column and remedy.
    ///
    /// # Errors
    /// When anything is wrong.
    pub fn parse(text: &str, file: &str) -> Result<Self, Diagnostics> {
        let (mut document, mut diagnostics) = Document::parse(file, text)?;
        let lookups = document.value::<Lookups>("lookups", &mut diagnostics);
        let lookups = lookups.map(shared::mapping::Located::into_value).unwrap_or_default();
        let specs = document.list::<file::DataSetSpec>("data_set", &mut diagnostics);
        let end = document.end();
        let broken = !diagnostics.is_empty();
        document.finish(&mut diagnostics);
        if specs.is_empty() && !broken {
            diagnostics.report(
                end,
                "no-data-sets",
                "the file has no data sets",
                "add at least one `[[data_set]]`",
            );
        }
        let mut data_sets: Vec<DataSet> = Vec::new();
        for spec in specs {
            let spec = spec.into_value();
            if data_sets.iter().any(|known| known.name == *spec.name.value()) {
                diagnostics.report(
                    spec.name.span(),
                    "duplicate-data-set",
                    format!("the name `{}` is taken by an earlier data set", spec.name.value()),
                    "give each data set its own name",
                );
            }
            data_sets.extend(compile::data_set(spec, &lookups, &mut diagnostics));
        }
        diagnostics.finish(Self { data_sets })
    }

    /// The data set of a name.
    pub fn find(&self, name: &str) -> Option<&DataSet> {
        self.data_sets.iter().find(|data_set| data_set.name == name)
    }
}

impl DataSet {
    /// Whether a media type is one of those exported.
    pub fn takes_type(&self, media_type: Option<&str>) -> bool {
        is_type_wanted(&self.content_types, media_type)
    }
}

/// The JSON Schema of rule files, for editors.
pub fn schema() -> String {
    let mut schema = schemars::schema_for!(file::ExportRulesFile);
    schema.insert("title".to_owned(), "Waybill export rules".into());
    let mut text = serde_json::to_string_pretty(&schema).unwrap_or_default();
    text.push('\n');
    text
}
