//! Rights rules: what is filed of the rights of approved assets, who may use their finals, and what happens when rights lapse.
//!
//! [`RightsRules::parse`] reads the file once, at start, and tells everything wrong with it with line and remedy.

mod compile;
pub mod file;
#[cfg(test)]
mod tests;

use std::{collections::BTreeMap, time::Duration};

use shared::{
    content_server::NodePath,
    filing::{
        FilingPlan, FilingRule, Verify,
        compile::Named,
        permissions::{self, PermissionPlan},
        plan::{CategoryPlan, NodePath as FolderPath, Reference, Root, Target},
    },
    iconik::ViewId,
    mapping::{
        Condition, Diagnostics, Document, Located, Lookups, Mapping, PathTemplate, Record, Template, View,
        Violation, Violations,
    },
};

use self::file::{RuleSpec, ShownSpec};
use crate::{filing::Reading, view_rules::named_views};

/// The rules in the package, used when no others are configured.
pub const SAMPLE: &str = include_str!("../../rules/rights-rules.toml");

/// All rules of a file.
#[derive(Debug, Clone)]
pub struct RightsRules {
    /// The views whose fields are read, by the name rules give them.
    pub views: BTreeMap<String, ViewId>,
    /// Where iconik shows how it stands.
    pub shown: Option<Shown>,
    /// The rules in the order they are tried.
    pub rules: Vec<RightsRule>,
}

/// Where iconik shows how it stands with the rights.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shown {
    /// The view.
    pub view: ViewId,
    /// The field for the statement's number.
    pub statement: Option<String>,
    /// The field for the state.
    pub state: Option<String>,
    /// The field that is true when rights have lapsed.
    pub blocked: Option<String>,
    /// The field that says what has lapsed.
    pub notice: Option<String>,
    /// The word for rights that last.
    pub current: String,
    /// The word for rights that have lapsed.
    pub lapsed: String,
}

/// One rule.
#[derive(Debug, Clone)]
pub struct RightsRule {
    /// Its name.
    pub name: String,
    when: Vec<Condition>,
    folder: Option<PathTemplate>,
    /// Where the last day of the asset's own rights is told.
    pub expires: Option<String>,
    /// What the statement says: label, path, and whether it has to.
    pub facts: Vec<Fact>,
    statement: FilingRule,
    /// Its kinds of releases.
    pub releases: Vec<ReleaseRule>,
    /// Where the number of the final's document is told, when it is not `publish-finals` that files it.
    pub node: Option<String>,
    /// The rights while they last.
    pub access: Option<PermissionPlan>,
    /// The rights afterwards.
    pub narrowed: PermissionPlan,
    categories: Vec<(Reference, Mapping)>,
    /// The task.
    pub task: Option<TaskRule>,
    /// How long is waited.
    pub patience: Duration,
}

/// One line of a statement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fact {
    /// What people read.
    pub label: String,
    /// Where it is told.
    pub from: String,
    /// Whether there has to be a value.
    pub required: bool,
}

/// Releases of one kind.
#[derive(Debug, Clone)]
pub struct ReleaseRule {
    /// The relation type.
    pub relation: String,
    /// Whether there has to be one.
    pub required: bool,
    /// The formats that are filed.
    pub formats: Vec<String>,
    /// Where the last day is told.
    pub expires: Option<String>,
    /// Whether it has to be.
    pub expiry_required: bool,
    filing: FilingRule,
    /// How often a file is read.
    pub reading: Reading,
    /// How a document is compared with its file.
    pub verify: Verify,
}

/// What gives somebody a task.
#[derive(Debug, Clone)]
pub struct TaskRule {
    /// The workflow map.
    pub map: NodePath,
    title: Template,
    attributes: Vec<(String, Template)>,
}

impl RightsRules {
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
        if specs.is_empty() && !broken {
            diagnostics.report(end, "no-rules", "the file has no rules", "add at least one `[[rule]]`");
        }
        let views = named_views(views, &compile::TAKEN, &mut diagnostics);
        let named = Named { lookups, permissions: templates };
        let specs: Vec<RuleSpec> = specs.into_iter().map(Located::into_value).collect();
        let rules = compile::rules(specs, &views, &named, &mut diagnostics);
        let mut compiled = Self { views, shown: None, rules };
        compiled.shown = shown.and_then(|shown| compile::shown(&shown, &compiled, &mut diagnostics));
        diagnostics.finish(compiled)
    }

    /// The first rule that takes an asset.
    pub fn choose(&self, record: &Record) -> Option<&RightsRule> {
        let view = View::of(record);
        self.rules.iter().find(|rule| rule.when.iter().all(|condition| condition.check(&view).is_ok()))
    }

    /// A rule by its name.
    pub fn rule(&self, name: &str) -> Option<&RightsRule> {
        self.rules.iter().find(|rule| rule.name == name)
    }

    /// Every field of a view that any rule reads of an asset.
    pub fn fields_of_assets(&self, view: &str) -> Vec<String> {
        fields(view, self.rules.iter().flat_map(RightsRule::paths))
    }

    /// Every field of a view that any rule reads of a release.
    pub fn fields_of_releases(&self, view: &str) -> Vec<String> {
        let releases = self.rules.iter().flat_map(|rule| &rule.releases);
        fields(view, releases.flat_map(ReleaseRule::paths))
    }
}

fn fields<'a>(view: &str, paths: impl Iterator<Item = &'a str>) -> Vec<String> {
    let prefix = format!("{view}.");
    let mut fields: Vec<String> =
        paths.filter_map(|path| path.strip_prefix(&prefix).map(str::to_owned)).collect();
    fields.sort();
    fields.dedup();
    fields
}

impl RightsRule {
    /// Every path of an asset's record it reads.
    pub(crate) fn paths(&self) -> Vec<&str> {
        let mut paths: Vec<&str> = self.when.iter().map(Condition::field).collect();
        paths.extend(self.folder.iter().flat_map(PathTemplate::paths));
        paths.extend(self.expires.as_deref());
        paths.extend(self.facts.iter().map(|fact| fact.from.as_str()));
        paths.extend(self.statement.paths());
        paths.extend(self.node.as_deref());
        paths.extend(self.categories.iter().flat_map(|(_, mapping)| mapping.paths()));
        if let Some(task) = &self.task {
            paths.extend(task.title.paths());
            paths.extend(task.attributes.iter().flat_map(|(_, text)| text.paths()));
        }
        paths
    }

    /// The folder in which rights are filed, beside a final in `parent`.
    ///
    /// # Errors
    /// What is missing, or cannot be a name.
    pub fn place(&self, parent: i64, record: &Record) -> Result<Target, Violations> {
        let mut violations = Violations::new();
        let names = match &self.folder {
            None => Vec::new(),
            Some(folder) => folder.render(&View::of(record), "folder").unwrap_or_else(|found| {
                violations.extend(found);
                Vec::new()
            }),
        };
        let root = Root::Node(u64::try_from(parent).unwrap_or_default());
        violations.finish(Target::Folder { path: FolderPath { root, names }, create: true })
    }

    /// The statement's document.
    ///
    /// # Errors
    /// All violations.
    pub fn statement(&self, record: &Record, place: &Target) -> Result<FilingPlan, Violations> {
        placed(&self.statement, record, place)
    }

    /// The categories of the final's documents.
    ///
    /// # Errors
    /// All violations.
    pub fn categories(&self, record: &Record) -> Result<Vec<CategoryPlan>, Violations> {
        let mut violations = Violations::new();
        let plans = self
            .categories
            .iter()
            .map(|(category, mapping)| CategoryPlan {
                category: category.clone(),
                values: mapping.apply(record, &category.to_string(), &mut violations),
            })
            .collect();
        violations.finish(plans)
    }
}

impl ReleaseRule {
    /// Every path of a release's record it reads.
    pub(crate) fn paths(&self) -> Vec<&str> {
        let mut paths = self.filing.paths();
        paths.extend(self.expires.as_deref());
        paths
    }

    /// The document of a file of a release.
    ///
    /// # Errors
    /// All violations.
    pub fn document(&self, record: &Record, place: &Target) -> Result<FilingPlan, Violations> {
        placed(&self.filing, record, place)
    }
}

impl TaskRule {
    /// Title and attributes.
    ///
    /// # Errors
    /// All violations.
    pub fn stage(&self, record: &Record) -> Result<(String, Vec<(String, String)>), Violations> {
        let view = View::of(record);
        let mut violations = Violations::new();
        let mut text = |template: &Template, field: &str| {
            template.render(&view, field).unwrap_or_else(|found| {
                violations.extend(found);
                String::new()
            })
        };
        let title = text(&self.title, "task.title");
        let attributes =
            self.attributes.iter().map(|(label, value)| (label.clone(), text(value, label))).collect();
        violations.finish((title, attributes))
    }
}

/// What a rule makes of a record, beside the final.
fn placed(rule: &FilingRule, record: &Record, place: &Target) -> Result<FilingPlan, Violations> {
    let mut violations = Violations::new();
    match rule.plan(record, &mut violations) {
        Some(plan) => violations.finish(FilingPlan { target: place.clone(), ..plan }),
        None if violations.is_empty() => {
            let what = ("no-plan", "document", "nothing", "a document", "correct the rule");
            violations.push(Violation::new(what.0, what.1, what.2, what.3, what.4));
            Err(violations)
        }
        None => Err(violations),
    }
}

/// The JSON Schema of rule files, for editors.
pub fn schema() -> String {
    let mut schema = schemars::schema_for!(file::RightsRulesFile);
    schema.insert("title".to_owned(), "Waybill rights rules".into());
    let mut text = serde_json::to_string_pretty(&schema).unwrap_or_default();
    text.push('\n');
    text
}
