//! Finals rules: which approved assets become which documents in Content Server, and where iconik is told.
//!
//! [`FinalsRules::parse`] reads the file once, at start, and tells everything wrong with it with line and remedy.

mod compile;
pub mod file;
#[cfg(test)]
mod tests;

use std::{collections::BTreeMap, time::Duration};

use shared::{
    filing::{FilingPlan, FilingRule, Verify, compile::Named, permissions},
    iconik::ViewId,
    mapping::{Condition, Diagnostics, Document, Located, Lookups, Record, View, Violation, Violations},
};

use self::file::{RuleSpec, ShownSpec};
use crate::{
    filing::{Part, Reading},
    view_rules::named_views,
};

/// The rules in the package, used when no others are configured.
pub const SAMPLE: &str = include_str!("../../rules/finals-rules.toml");

/// All rules of a file.
#[derive(Debug, Clone)]
pub struct FinalsRules {
    /// The views whose fields are read, by the name rules give them.
    pub views: BTreeMap<String, ViewId>,
    /// Where iconik is told.
    pub shown: Shown,
    /// The rules in the order they are tried.
    pub rules: Vec<FinalsRule>,
}

/// Where iconik is told what was filed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shown {
    /// The view.
    pub view: ViewId,
    /// The field for the node id.
    pub node: String,
    /// The field for the state.
    pub state: String,
    /// The field for the document's address, and the address with `{node}` in it.
    pub link: Option<(String, String)>,
    /// The word for: everything is filed.
    pub filed: String,
    /// The word for: something could not be filed.
    pub incomplete: String,
}

/// One rule.
#[derive(Debug, Clone)]
pub struct FinalsRule {
    /// Its name.
    pub name: String,
    pub(crate) when: Vec<Condition>,
    /// What is filed, in this order.
    pub contents: Vec<ContentRule>,
    /// How long files that are being written are waited for.
    pub patience: Duration,
    /// The most files of one version.
    pub max_files: usize,
    /// How often a file is read.
    pub reading: Reading,
    /// How a document is compared with its file.
    pub verify: Verify,
}

/// What is filed of a version.
#[derive(Debug, Clone)]
pub struct ContentRule {
    /// What it is of the version.
    pub part: Part,
    /// Whether there must be one.
    pub required: bool,
    pub(crate) filing: FilingRule,
}

impl FinalsRules {
    /// Reads a rule file. Everything wrong with it is told together, each with file, line, column and remedy.
    ///
    /// # Errors
    /// When anything is wrong.
    pub fn parse(text: &str, file: &str) -> Result<Self, Diagnostics> {
        let (mut document, mut diagnostics) = Document::parse(file, text)?;
        let views: Vec<_> = document
            .named::<Located<String>>("views", &mut diagnostics)
            .into_iter()
            .filter_map(|(name, id)| Some((name, id?)))
            .collect();
        let shown = document.value::<ShownSpec>("shown", &mut diagnostics).map(Located::into_value);
        let told = !diagnostics.is_empty();
        let specs = document.list::<RuleSpec>("rule", &mut diagnostics);
        let broken = !diagnostics.is_empty();
        let mut templates = BTreeMap::new();
        for (name, spec) in
            document.named::<permissions::PermissionTemplateSpec>("permission_templates", &mut diagnostics)
        {
            let plan = spec.map(|spec| permissions::compile(name.value(), &spec, &mut diagnostics));
            templates.insert(name.into_value(), plan);
        }
        let lookups: Lookups = document
            .named::<BTreeMap<String, String>>("lookups", &mut diagnostics)
            .into_iter()
            .map(|(name, entries)| (name.into_value(), entries.unwrap_or_default()))
            .collect();
        let end = document.end();
        document.finish(&mut diagnostics);
        if shown.is_none() && !told {
            let remedy = "name the metadata view and its fields that are told what was filed";
            diagnostics.report(end.clone(), "missing-key", "the file has no `[shown]`", remedy);
        }
        if specs.is_empty() && !broken {
            diagnostics.report(end, "no-rules", "the file has no rules", "add at least one `[[rule]]`");
        }
        let views = named_views(views, &compile::TAKEN, &mut diagnostics);
        let shown = shown.and_then(|shown| compile::shown(&shown, &mut diagnostics));
        let named = Named { lookups, permissions: templates };
        let specs = specs.into_iter().map(Located::into_value).collect();
        let rules = compile::rules(specs, &views, &named, &mut diagnostics);
        match shown {
            Some(shown) => diagnostics.finish(Self { views, shown, rules }),
            // Why there is none has been reported.
            None => Err(diagnostics),
        }
    }

    /// The first rule that takes an asset.
    pub fn choose(&self, record: &Record) -> Option<&FinalsRule> {
        let view = View::of(record);
        self.rules.iter().find(|rule| rule.when.iter().all(|condition| condition.check(&view).is_ok()))
    }

    /// Every field of a view that any rule reads.
    pub fn fields_read(&self, view: &str) -> Vec<String> {
        let mut paths: Vec<&str> = Vec::new();
        for rule in &self.rules {
            paths.extend(rule.when.iter().map(Condition::field));
            paths.extend(rule.contents.iter().flat_map(|content| content.filing.paths()));
        }
        let prefix = format!("{view}.");
        let mut fields: Vec<String> =
            paths.into_iter().filter_map(|path| path.strip_prefix(&prefix).map(str::to_owned)).collect();
        fields.sort();
        fields.dedup();
        fields
    }
}

impl ContentRule {
    /// The document a medium becomes, or everything that is wrong with what is known of it.
    ///
    /// # Errors
    /// All violations.
    pub fn plan(&self, record: &Record) -> Result<FilingPlan, Violations> {
        let mut violations = Violations::new();
        let plan = self.filing.plan(record, &mut violations);
        match plan {
            Some(plan) => violations.finish(plan),
            None if violations.is_empty() => {
                violations.push(Violation::new(
                    "no-plan",
                    "document",
                    "nothing",
                    "a document",
                    "correct the rule",
                ));
                Err(violations)
            }
            None => Err(violations),
        }
    }
}

/// The JSON Schema of rule files, for editors.
pub fn schema() -> String {
    let mut schema = schemars::schema_for!(file::FinalsRulesFile);
    schema.insert("title".to_owned(), "Waybill finals rules".into());
    let mut text = serde_json::to_string_pretty(&schema).unwrap_or_default();
    text.push('\n');
    text
}
