//! A compiled rule: whether it takes an object, and what it makes of it.

use serde::Serialize;
use shared::{
    filing::{ReferenceTemplate, TargetTemplate},
    mapping::{Captures, Condition, KeyPattern, Mapping, Record, Template, View, Violation, Violations},
};

use super::{
    file::{Existing, Sidecar},
    permissions::PermissionPlan,
    plan::{After, CategoryPlan, DocumentPlan, IntakePlan, Limits, Reference, ReviewPlan, Target},
    size::HumanSize,
};

/// One rule, ready for use.
#[derive(Debug, Clone)]
pub struct IntakeRule {
    pub(super) name: String,
    pub(super) line: usize,
    pub(super) bucket: BucketPattern,
    pub(super) keys: Vec<KeyPattern>,
    pub(super) when: Vec<Condition>,
    pub(super) sidecar: Sidecar,
    pub(crate) target: TargetTemplate,
    pub(super) document_name: Template,
    pub(super) document_description: Option<Template>,
    pub(crate) existing: Existing,
    pub(crate) categories: Vec<(Reference, Mapping)>,
    pub(crate) permissions: Option<PermissionPlan>,
    pub(crate) classification: Option<ReferenceTemplate>,
    pub(crate) review: Option<ReviewTemplate>,
    pub(super) after: After,
    pub(crate) limits: Limits,
    /// Every path of the record the rule reads.
    pub(super) paths: Vec<String>,
}

/// The buckets a rule applies to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum BucketPattern {
    Any,
    Name(String),
    Suffix(String),
}

impl BucketPattern {
    pub(super) fn matches(&self, bucket: &str) -> bool {
        match self {
            Self::Any => true,
            Self::Name(name) => name == bucket,
            Self::Suffix(suffix) => bucket.ends_with(suffix.as_str()),
        }
    }

    /// Whether every bucket of the other pattern is one of this.
    pub(super) fn covers(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Any, _) => true,
            (Self::Suffix(mine), Self::Suffix(theirs) | Self::Name(theirs)) => {
                theirs.ends_with(mine.as_str())
            }
            (Self::Name(mine), Self::Name(theirs)) => mine == theirs,
            _ => false,
        }
    }
}

impl std::fmt::Display for BucketPattern {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Any => formatter.write_str("every bucket"),
            Self::Name(name) => formatter.write_str(name),
            Self::Suffix(suffix) => write!(formatter, "*{suffix}"),
        }
    }
}

#[derive(Debug, Clone)]
pub(crate) struct ReviewTemplate {
    pub(crate) workflow: Reference,
    pub(crate) title: Template,
    pub(crate) attributes: Mapping,
    pub(crate) when: Vec<Condition>,
}

/// As much of a plan as an input allows.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Draft {
    /// What the key pattern captured.
    pub captures: Captures,
    /// The target, unless it is impossible.
    pub target: Option<Target>,
    /// The document's name, unless it is impossible.
    pub document: Option<DocumentPlan>,
    /// The categories, with the values that are right.
    pub categories: Vec<CategoryPlan>,
    /// The permission list.
    pub permissions: Option<PermissionPlan>,
    /// The classification.
    pub classification: Option<Reference>,
    /// The workflow to start.
    pub review: Option<ReviewPlan>,
    /// Why no workflow is started although the rule names one.
    pub no_review: Option<String>,
}

impl IntakeRule {
    /// Its name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The line of the file it stands on.
    pub fn line(&self) -> usize {
        self.line
    }

    /// Whether it wants a sidecar.
    pub fn sidecar(&self) -> Sidecar {
        self.sidecar
    }

    /// What it accepts.
    pub fn limits(&self) -> &Limits {
        &self.limits
    }

    /// What happens to the object afterwards.
    pub fn after(&self) -> &After {
        &self.after
    }

    /// What a bucket and key capture, or why they do not match.
    pub fn match_key(&self, bucket: &str, key: &str) -> Result<Captures, String> {
        if !self.bucket.matches(bucket) {
            return Err(format!("the bucket is not {}", self.bucket));
        }
        let mut reasons = Vec::new();
        for pattern in &self.keys {
            match pattern.matches(key) {
                Ok(captures) => return Ok(captures),
                Err(mismatch) => reasons.push(mismatch.to_string()),
            }
        }
        Err(reasons.join("; "))
    }

    /// What the rule captures from an object it takes, or why it does not take it.
    pub fn takes(&self, record: &Record) -> Result<Captures, String> {
        let captures = self.match_key(text(record, "object.bucket"), text(record, "object.key"))?;
        let record = record.clone().with_captures(&captures);
        unmet(&self.when, &record).map_or(Ok(captures), Err)
    }

    /// The plan for an object the rule takes, or everything that is wrong with the object.
    pub fn plan(&self, record: &Record) -> Result<IntakePlan, Violations> {
        let (draft, violations) = self.draft(record);
        match (draft.target, draft.document) {
            (Some(target), Some(document)) if violations.is_empty() => Ok(IntakePlan {
                rule: self.name.clone(),
                target,
                document,
                existing: self.existing,
                categories: draft.categories,
                permissions: draft.permissions,
                classification: draft.classification,
                review: draft.review,
                after: self.after.clone(),
                limits: self.limits.clone(),
            }),
            _ => Err(violations),
        }
    }

    /// As much of the plan as the object allows, and everything that is wrong with it.
    pub fn draft(&self, record: &Record) -> (Draft, Violations) {
        let mut violations = Violations::new();
        let captures = self.takes(record).unwrap_or_else(|reason| {
            violations.push(Violation::new(
                "not-for-this-rule",
                format!("rule {}", self.name),
                "another object",
                reason,
                "plan objects with the rule that was chosen for them",
            ));
            Captures::default()
        });
        let record = record.clone().with_captures(&captures);
        self.check_object(&record, &mut violations);
        let view = View::of(&record);
        let document = keep(self.document(&view), &mut violations);
        let target = keep(self.target.render(&view), &mut violations);
        let categories = self
            .categories
            .iter()
            .map(|(category, mapping)| CategoryPlan {
                category: category.clone(),
                values: mapping.apply(&record, &category.to_string(), &mut violations),
            })
            .collect();
        let classification =
            self.classification.as_ref().and_then(|class| class.plan(&view, &mut violations));
        let (review, no_review) = self.review(&record, &mut violations);
        let permissions = self.permissions.clone();
        (
            Draft { captures, target, document, categories, permissions, classification, review, no_review },
            violations,
        )
    }

    fn document(&self, view: &View<'_>) -> Result<DocumentPlan, Vec<Violation>> {
        let name = self.document_name.render(view, "document name")?;
        let description = match &self.document_description {
            Some(template) => Some(template.render(view, "document description")?),
            None => None,
        };
        Ok(DocumentPlan { name, description })
    }

    fn review(&self, record: &Record, violations: &mut Violations) -> (Option<ReviewPlan>, Option<String>) {
        let Some(review) = &self.review else { return (None, None) };
        if let Some(reason) = unmet(&review.when, record) {
            return (None, Some(reason));
        }
        let attributes = review.attributes.apply(record, "review", violations).fields;
        let title = keep(review.title.render(&View::of(record), "review title"), violations);
        (title.map(|title| ReviewPlan { workflow: review.workflow.clone(), title, attributes }), None)
    }

    /// What can be seen of the object without reading it.
    fn check_object(&self, record: &Record, violations: &mut Violations) {
        let size = record.get("object.size").and_then(serde_json::Value::as_u64).unwrap_or_default();
        if size == 0 && !self.limits.allow_empty {
            violations.push(Violation::new(
                "empty-object",
                "object.size",
                "0 bytes",
                "at least 1 byte",
                "upload the file again; set `limits.allow_empty = true` when empty files are meant",
            ));
        }
        if size > self.limits.max_size.as_bytes() {
            violations.push(Violation::new(
                "object-too-large",
                "object.size",
                HumanSize::bytes(size).to_string(),
                format!("at most {}", self.limits.max_size),
                "split the file, or raise `limits.max_size`",
            ));
        }
        if self.sidecar == Sidecar::Required && !record.has("sidecar") {
            violations.push(Violation::new(
                "missing-sidecar",
                "sidecar",
                "nothing",
                "a JSON object with the metadata at the object's key followed by `.metadata.json`",
                "upload the sidecar, then the object again",
            ));
        }
    }

    /// Whether every object the other rule could take is taken by this one.
    pub(super) fn covers(&self, other: &Self) -> bool {
        self.when.is_empty()
            && self.bucket.covers(&other.bucket)
            && other.keys.iter().all(|theirs| self.keys.iter().any(|mine| mine.covers(theirs)))
    }
}

fn unmet(conditions: &[Condition], record: &Record) -> Option<String> {
    let view = View::of(record);
    conditions.iter().find_map(|condition| condition.check(&view).err())
}

fn keep<T>(result: Result<T, Vec<Violation>>, violations: &mut Violations) -> Option<T> {
    match result {
        Ok(value) => Some(value),
        Err(found) => {
            violations.extend(found);
            None
        }
    }
}

pub(super) fn text<'a>(record: &'a Record, path: &str) -> &'a str {
    record.get(path).and_then(serde_json::Value::as_str).unwrap_or_default()
}
