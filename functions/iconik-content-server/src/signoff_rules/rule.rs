//! One rule, and what it makes of an approved version.

use jiff::SignedDuration;
use shared::{
    content_server::NodePath,
    error::Error,
    mapping::{Condition, Record, Template, View, Violations},
};

/// Longest title of a workflow, in characters; the mark comes behind it.
const TITLE_LENGTH: usize = 200;

/// One rule.
#[derive(Debug, Clone)]
pub struct SignoffRule {
    /// Its name.
    pub name: String,
    pub(super) when: Vec<Condition>,
    /// The workflow map.
    pub map: NodePath,
    pub(super) title: Template,
    pub(super) attributes: Vec<(String, Template)>,
    /// The document that is signed off.
    pub document: Option<DocumentRule>,
    /// The steps in which it is decided.
    pub steps: Vec<String>,
    /// The dispositions that approve.
    pub approved: Vec<String>,
}

/// Where the document of a version is told.
#[derive(Debug, Clone)]
pub struct DocumentRule {
    pub(super) node: Template,
    pub(super) holds: Option<Template>,
    /// How long it is waited for.
    pub wait: SignedDuration,
}

/// What a rule makes of an approved version.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Staged {
    /// The title of its workflow.
    pub title: String,
    /// The attributes of its workflow.
    pub attributes: Vec<(String, String)>,
}

impl SignoffRule {
    /// Resolves title and attributes.
    ///
    /// # Errors
    /// Everything that is wrong with the asset, as one refusal.
    pub fn stage(&self, record: &Record) -> Result<Staged, Error> {
        let view = View::of(record);
        let mut violations = Violations::new();
        let mut text = |template: &Template, field: &str| match template.render(&view, field) {
            Ok(text) => text,
            Err(found) => {
                violations.extend(found);
                String::new()
            }
        };
        let title = text(&self.title, "workflow.title");
        let attributes =
            self.attributes.iter().map(|(label, value)| (label.clone(), text(value, label))).collect();
        refuse(&violations)?;
        if title.chars().count() > TITLE_LENGTH {
            let message = format!("the workflow's title has more than {TITLE_LENGTH} characters");
            return Err(Error::invalid("workflow.title-too-long", message)
                .field("workflow.title")
                .remedy("shorten the title in the rule, or the value it holds"));
        }
        Ok(Staged { title, attributes })
    }
}

impl DocumentRule {
    /// The document that holds a version; nothing when it is not filed yet.
    ///
    /// # Errors
    /// When what stands for its number is none.
    pub fn document(&self, record: &Record, version: &str) -> Result<Option<i64>, Error> {
        let view = View::of(record);
        // What has no value has not been told yet.
        let text = |template: &Template, field: &str| template.render(&view, field).ok();
        if let Some(holds) = &self.holds
            && text(holds, "document.holds").is_none_or(|holds| holds.trim() != version)
        {
            return Ok(None);
        }
        let Some(node) = text(&self.node, "document.node") else { return Ok(None) };
        match node.trim().parse::<i64>() {
            Ok(node) if node > 0 => Ok(Some(node)),
            _ if node.trim().is_empty() => Ok(None),
            _ => Err(Error::invalid("document.unreadable", "expected the number of a document")
                .field("document.node")
                .remedy("correct the field in iconik, or the rule, then approve again")),
        }
    }
}

/// All violations as one reason: the first gives the code and the field, the message tells every one.
fn refuse(violations: &Violations) -> Result<(), Error> {
    let Some(first) = violations.iter().next() else { return Ok(()) };
    let all: Vec<String> = violations.iter().map(ToString::to_string).collect();
    Err(Error::invalid(first.code, all.join("; ")).field(first.field.clone()).remedy(first.remedy.clone()))
}
