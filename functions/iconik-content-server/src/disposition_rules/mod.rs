//! Disposition rules: which status of an asset asks for a decision, how it is asked for, and what it does.
//!
//! [`DispositionRules::parse`] reads the file once, at start, and tells everything wrong with it with line and remedy.

mod compile;
pub mod file;
#[cfg(test)]
mod tests;

use std::{collections::BTreeMap, time::Duration};

use shared::{
    content_server::NodePath,
    mapping::{Diagnostics, Record, Template, View},
};

pub use self::file::{
    DestroyName as Destroy, MissingName as MissingDocuments, OutcomeName as Outcome, StateName as State,
};

/// The rules in the package, used when no others are configured.
pub const SAMPLE: &str = include_str!("../../rules/disposition-rules.toml");

/// Longest title of a workflow, in characters; the mark comes behind it.
const TITLE_LENGTH: usize = 200;

/// A rule file.
#[derive(Debug, Clone)]
pub struct DispositionRules {
    /// Where iconik says the status and is told what became of it.
    pub iconik: Fields,
    /// Where certificates go.
    pub certificates: Certificates,
    /// The rules in the order they are tried.
    pub rules: Vec<Rule>,
}

/// The fields of iconik.
#[derive(Debug, Clone)]
pub struct Fields {
    /// The metadata view.
    pub view: String,
    /// The asset's status.
    pub status: String,
    /// The outcome.
    pub outcome: String,
    /// How far it has come.
    pub state: Option<String>,
    /// The number of the document in Content Server.
    pub node: Option<String>,
    /// Whether a hold is in the way.
    pub hold: Option<String>,
    outcomes: BTreeMap<Outcome, String>,
    states: BTreeMap<State, String>,
}

impl Fields {
    /// What the field of the outcome says.
    pub fn outcome_word(&self, outcome: Outcome) -> &str {
        self.outcomes.get(&outcome).map_or(outcome.word(), String::as_str)
    }

    /// What the field of the state says, if it is told at all.
    pub fn state_word(&self, state: State) -> Option<(&str, &str)> {
        Some((self.state.as_deref()?, self.states.get(&state)?))
    }
}

/// Where certificates go.
#[derive(Debug, Clone)]
pub struct Certificates {
    /// What has to be there.
    pub root: NodePath,
    /// Folders below it, made when they are missing.
    pub below: Vec<String>,
    /// The records management classification of a certificate.
    pub class: Option<NodePath>,
}

/// One rule.
#[derive(Debug, Clone)]
pub struct Rule {
    /// Its name.
    pub name: String,
    statuses: Vec<String>,
    categories: Vec<String>,
    /// What becomes of the record.
    pub record: Option<RecordRule>,
    /// What is done about a document that cannot be seen any more.
    pub missing_documents: MissingDocuments,
    /// How the decision is asked for.
    pub review: Review,
    decisions: BTreeMap<Outcome, Vec<String>>,
    /// Formats that are archived.
    pub archive_formats: Vec<String>,
    /// Whether their files are removed from where they were.
    pub remove_archived: bool,
    /// How long that may take before somebody is told.
    pub archive_within: Duration,
    /// What is removed.
    pub destroy: Destroy,
}

/// What becomes of the record.
#[derive(Debug, Clone)]
pub struct RecordRule {
    /// Its status code while it is decided.
    pub status: String,
    /// Its status code when it is retained.
    pub retained: Option<String>,
    /// The classification of a document that has none.
    pub class: Option<NodePath>,
}

/// How the decision is asked for.
#[derive(Debug, Clone)]
pub enum Review {
    /// By a workflow.
    Workflow(WorkflowReview),
    /// By a category that records managers fill in.
    Category(CategoryReview),
}

/// A workflow in which it is decided.
#[derive(Debug, Clone)]
pub struct WorkflowReview {
    /// The map.
    pub map: NodePath,
    title: Template,
    attributes: Vec<(String, Template)>,
    /// The step in which it is decided.
    pub step: String,
}

/// A category in which it is decided.
#[derive(Debug, Clone)]
pub struct CategoryReview {
    /// The category.
    pub category: NodePath,
    /// The attribute that holds the decision.
    pub decision: String,
    /// The attribute that gets the status.
    pub asked_for: String,
    /// The attribute that says who decided.
    pub decided_by: Option<String>,
}

impl Outcome {
    /// Its name.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Retain => "retain",
            Self::Archive => "archive",
            Self::Destroy => "destroy",
        }
    }
}

impl DispositionRules {
    /// Reads a rule file. Everything wrong with it is told together, each with file, line, column and remedy.
    ///
    /// # Errors
    /// When anything is wrong.
    pub fn parse(text: &str, file: &str) -> Result<Self, Diagnostics> {
        compile::compile(text, file)
    }

    /// The first rule for a status of an asset of a category.
    pub fn choose(&self, status: &str, category: Option<&str>) -> Option<&Rule> {
        self.rules.iter().find(|rule| {
            let is_category = rule.categories.is_empty()
                || category.is_some_and(|found| rule.categories.iter().any(|wanted| wanted == found));
            is_category && rule.statuses.iter().any(|wanted| wanted == status)
        })
    }

    /// A rule by its name.
    pub fn rule(&self, name: &str) -> Option<&Rule> {
        self.rules.iter().find(|rule| rule.name == name)
    }
}

impl Rule {
    /// What a word of the review decides; nothing when it decides nothing.
    pub fn decision(&self, word: &str) -> Option<Outcome> {
        let word = word.trim();
        let says = |words: &Vec<String>| words.iter().any(|known| known == word);
        self.decisions.iter().find(|(_, words)| says(words)).map(|(outcome, _)| *outcome)
    }
}

impl WorkflowReview {
    /// The workflow's title without its mark.
    ///
    /// # Errors
    /// When a placeholder has no value.
    pub fn title(&self, record: &Record) -> shared::error::Result<String> {
        let title = rendered(&self.title, record, "review.title")?;
        Ok(title.chars().take(TITLE_LENGTH).collect())
    }

    /// The attributes by their labels.
    ///
    /// # Errors
    /// When a placeholder has no value.
    pub fn attributes(&self, record: &Record) -> shared::error::Result<Vec<(String, serde_json::Value)>> {
        let one = |(label, text): &(String, Template)| {
            Ok((label.clone(), rendered(text, record, "review.attributes")?.into()))
        };
        self.attributes.iter().map(one).collect()
    }
}

fn rendered(template: &Template, record: &Record, field: &str) -> shared::error::Result<String> {
    template.render(&View::of(record), field).map_err(|violations| {
        let what = violations.first().map(|violation| violation.to_string()).unwrap_or_default();
        shared::error::Error::invalid("disposition.placeholder", what)
            .field(field)
            .remedy("give the asset what the rule reads of it, or take the placeholder out of the rule")
    })
}

/// The JSON Schema of rule files, for editors.
pub fn schema() -> String {
    let mut schema = schemars::schema_for!(file::DispositionRulesFile);
    schema.insert("title".to_owned(), "Waybill disposition rules".into());
    let mut text = serde_json::to_string_pretty(&schema).unwrap_or_default();
    text.push('\n');
    text
}
