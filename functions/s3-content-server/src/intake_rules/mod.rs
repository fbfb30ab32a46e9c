//! Intake rules: which uploaded objects become which documents in Content Server.
//!
//! [`IntakeRules::parse`] reads the file once, at start. For each object, [`IntakeRules::needs`] says what has to be
//! read of it, [`IntakeRules::choose`] finds the rule that wins, and [`IntakeRule::plan`] resolves everything the rule
//! says into a plain [`IntakePlan`], or tells everything that is wrong with the object. [`explain`] does the same
//! without an effect, for people. `RULES.md` beside this crate is the page for those who write rules.

mod compile;
pub mod content;
mod explain;
pub mod file;
mod names;
pub mod plan;
mod rule;
mod sidecar;
mod size;
mod upload;

use std::collections::BTreeMap;

use shared::filing;
use shared::mapping::{Captures, Diagnostics, Document, Located, Lookups, Record};

pub use shared::filing::permissions;
pub(crate) use shared::filing::{ReferenceTemplate, RootedTemplate, TargetTemplate, WorkspaceTemplate};

pub(crate) use self::rule::ReviewTemplate;
pub use self::{
    explain::{Considered, Explanation, explain},
    file::{Existing, Sidecar, Verify},
    names::{NameChange, Named, StoredName},
    plan::{After, IntakePlan, Limits, Target},
    rule::{Draft, IntakeRule},
    sidecar::{LARGEST_SIDECAR, check_sidecar_length, parse_sidecar, sidecar_key},
    size::HumanSize,
    upload::{SIDECAR_SUFFIX, Upload},
};

/// The rules in the package, used when no others are configured.
pub const SAMPLE: &str = include_str!("../../rules/intake-rules.toml");

/// All rules of a file.
#[derive(Debug, Clone)]
pub struct IntakeRules {
    rules: Vec<IntakeRule>,
}

/// What has to be read of an object before a rule can be chosen and its plan made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Needs {
    /// Whether any rule could take the object at all.
    pub any: bool,
    /// Whether its tags are read.
    pub tags: bool,
    /// Whether its sidecar is read.
    pub sidecar: Sidecar,
}

impl IntakeRules {
    /// Reads a rule file. Everything wrong with it is told together, each with file, line, column and remedy.
    pub fn parse(text: &str, file: &str) -> Result<Self, Diagnostics> {
        let (mut document, mut diagnostics) = Document::parse(file, text)?;
        let specs = document.list::<file::RuleSpec>("rule", &mut diagnostics);
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
        if specs.is_empty() && !broken {
            diagnostics.report(end, "no-rules", "the file has no rules", "add at least one `[[rule]]`");
        }
        let named = filing::compile::Named { lookups, permissions: templates };
        let compiled: Vec<(Located<String>, IntakeRule)> = specs
            .iter()
            .filter_map(|spec| {
                Some((spec.value().name.clone(), compile::rule(spec, &named, &mut diagnostics)?))
            })
            .collect();
        compile::across(&compiled, &mut diagnostics);
        diagnostics.finish(Self { rules: compiled.into_iter().map(|(_, rule)| rule).collect() })
    }

    /// The rules in the order they are tried.
    pub fn rules(&self) -> &[IntakeRule] {
        &self.rules
    }

    /// A rule by its name.
    pub fn rule(&self, name: &str) -> Option<&IntakeRule> {
        self.rules.iter().find(|rule| rule.name() == name)
    }

    /// The first rule that takes an object, with what its key pattern captured.
    pub fn choose(&self, record: &Record) -> Option<(&IntakeRule, Captures)> {
        self.rules.iter().find_map(|rule| Some((rule, rule.takes(record).ok()?)))
    }

    /// What has to be read of an object. Its size and user metadata come with the same request and cost nothing.
    pub fn needs(&self, bucket: &str, key: &str) -> Needs {
        let mut needs = Needs { any: false, tags: false, sidecar: Sidecar::Ignored };
        for rule in self.rules.iter().filter(|rule| rule.match_key(bucket, key).is_ok()) {
            needs.any = true;
            needs.tags |= rule.paths.iter().any(|path| path.starts_with("tag."));
            needs.sidecar = needs.sidecar.max(rule.sidecar);
        }
        needs
    }

    /// Whether a rule that could take the object keeps what is there beside it.
    pub fn may_keep_both(&self, bucket: &str, key: &str) -> bool {
        let mut rules = self.rules.iter().filter(|rule| rule.existing == Existing::KeepBoth);
        rules.any(|rule| rule.match_key(bucket, key).is_ok())
    }

    /// The key of the object that this key is the sidecar of, when a rule wants sidecars for that object.
    pub fn sidecar_of<'a>(&self, bucket: &str, key: &'a str) -> Option<&'a str> {
        let object = key.strip_suffix(SIDECAR_SUFFIX)?;
        (self.needs(bucket, object).sidecar > Sidecar::Ignored).then_some(object)
    }
}

/// The JSON Schema of rule files, for editors.
pub fn schema() -> String {
    let mut schema = schemars::schema_for!(file::IntakeRulesFile);
    schema.insert("title".to_owned(), "Waybill intake rules".into());
    let mut text = serde_json::to_string_pretty(&schema).unwrap_or_default();
    text.push('\n');
    text
}

#[cfg(test)]
mod tests;
