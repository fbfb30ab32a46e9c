//! The dry run: which rule wins and why the others do not, every value with where it came from, and everything that
//! is wrong. Nothing is changed anywhere.

use std::fmt::{self, Write as _};

use serde::Serialize;
use shared::{
    content_server::NameRules,
    mapping::{MappedField, Record, Violations},
};

use super::{
    IntakeRules,
    names::{NameChange, StoredName, stored_names},
    plan::{After, Limits, Target},
    rule::Draft,
};

/// What the rules make of an object.
#[derive(Debug, Clone, Serialize)]
pub struct Explanation {
    /// The rules in the order they were tried, up to the one that won.
    pub considered: Vec<Considered>,
    /// The rule that won.
    pub rule: Option<String>,
    /// As much of its plan as the object allows.
    pub draft: Option<Draft>,
    /// The names of folders, workspace and document, as Content Server takes them.
    pub names: Vec<StoredName>,
    /// What happens to the object afterwards.
    pub after: Option<After>,
    /// What the rule accepts.
    pub limits: Option<Limits>,
    /// Everything that is wrong.
    pub violations: Violations,
}

/// A rule that was tried.
#[derive(Debug, Clone, Serialize)]
pub struct Considered {
    /// Its name.
    pub rule: String,
    /// The line of the file it stands on.
    pub line: usize,
    /// Why it did not take the object; nothing when it won.
    pub reason: Option<String>,
}

/// Explains what the rules make of an object; `names` says which names the Content Server takes.
pub fn explain(rules: &IntakeRules, record: &Record, names: &NameRules) -> Explanation {
    let mut explanation = Explanation {
        considered: Vec::new(),
        rule: None,
        draft: None,
        names: Vec::new(),
        after: None,
        limits: None,
        violations: Violations::new(),
    };
    for rule in rules.rules() {
        let reason = rule.takes(record).err();
        let won = reason.is_none();
        explanation.considered.push(Considered { rule: rule.name().to_owned(), line: rule.line(), reason });
        if won {
            let (draft, violations) = rule.draft(record);
            explanation.rule = Some(rule.name().to_owned());
            explanation.names = stored_names(&draft, names);
            explanation.draft = Some(draft);
            explanation.after = Some(rule.after().clone());
            explanation.limits = Some(rule.limits().clone());
            explanation.violations = violations;
            break;
        }
    }
    explanation
}

impl fmt::Display for Explanation {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(formatter, "Rules")?;
        let rows = self.considered.iter().map(|considered| {
            let verdict = considered.reason.clone().unwrap_or_else(|| "wins".to_owned());
            vec![considered.rule.clone(), format!("line {}", considered.line), verdict]
        });
        formatter.write_str(&table(rows))?;
        let Some(draft) = &self.draft else {
            return writeln!(formatter, "\nNo rule takes this object: it would be skipped.");
        };
        writeln!(formatter, "\nDocument")?;
        formatter.write_str(&table(self.document_rows(draft)))?;
        if !self.names.is_empty() {
            writeln!(formatter, "\nNames in Content Server")?;
            formatter.write_str(&table(self.names.iter().map(name_row)))?;
        }
        for category in &draft.categories {
            writeln!(formatter, "\nCategory {}", category.category)?;
            formatter.write_str(&table(category.values.fields.iter().map(field_row)))?;
            for set in &category.values.sets {
                writeln!(formatter, "  {} from {}", set.to, set.from)?;
                let rows = set.rows.iter().enumerate().flat_map(|(index, row)| {
                    row.iter().map(move |field| {
                        let mut cells = field_row(field);
                        cells.insert(0, format!("  row {}", index + 1));
                        cells
                    })
                });
                formatter.write_str(&table(rows))?;
            }
        }
        if let Some(review) = &draft.review {
            writeln!(formatter, "\nReview {}", review.workflow)?;
            let title = vec!["title".to_owned(), review.title.clone(), String::new()];
            let attributes = review.attributes.iter().map(field_row);
            formatter.write_str(&table(std::iter::once(title).chain(attributes)))?;
        }
        if let Some(reason) = &draft.no_review {
            writeln!(formatter, "\nNo review: {reason}")?;
        }
        if let Some(permissions) = &draft.permissions {
            writeln!(formatter, "\nPermissions {}", permissions.template)?;
            let standard = [
                ("owner", &permissions.owner),
                ("owner group", &permissions.owner_group),
                ("public", &permissions.public),
            ];
            let standard = standard
                .into_iter()
                .filter_map(|(who, rights)| Some(vec![who.to_owned(), rights_text(rights.as_ref()?)]));
            let assigned = permissions
                .assigned
                .iter()
                .map(|entry| vec![entry.member.to_string(), rights_text(&entry.rights)]);
            formatter.write_str(&table(standard.chain(assigned)))?;
        }
        self.write_verdict(formatter)
    }
}

impl Explanation {
    fn document_rows(&self, draft: &Draft) -> Vec<Vec<String>> {
        let mut rows: Vec<Vec<String>> = draft
            .captures
            .iter()
            .map(|(name, value)| vec![format!("capture.{name}"), value.to_owned()])
            .collect();
        let mut row = |name: &str, value: String| rows.push(vec![name.to_owned(), value]);
        row(
            "target",
            draft.target.as_ref().map_or_else(|| "impossible, see below".to_owned(), describe_target),
        );
        if let Some(document) = &draft.document {
            row("name", document.name.clone());
            if let Some(description) = &document.description {
                row("description", description.clone());
            }
        }
        if let Some(classification) = &draft.classification {
            row("classification", classification.to_string());
        }
        if let Some(after) = &self.after {
            let text = match after {
                After::Keep => "the object stays as it is".to_owned(),
                After::Tag => "the object is tagged".to_owned(),
                After::Move(prefix) => format!("the object moves to {prefix}"),
                After::Delete => "the object is deleted".to_owned(),
            };
            row("afterwards", text);
        }
        rows
    }

    fn write_verdict(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.violations.is_empty() {
            return writeln!(formatter, "\nAccepted: nothing is wrong with this object.");
        }
        let count = self.violations.len();
        let noun = if count == 1 { "violation" } else { "violations" };
        writeln!(formatter, "\nQuarantine: {count} {noun}")?;
        for violation in &self.violations {
            writeln!(formatter, "  {} [{}]", violation.field, violation.code)?;
            writeln!(formatter, "      expected {}", violation.expected)?;
            writeln!(formatter, "      found    {}", violation.found)?;
            writeln!(formatter, "      remedy   {}", violation.remedy)?;
        }
        Ok(())
    }
}

fn describe_target(target: &Target) -> String {
    match target {
        Target::Folder { path, create } => {
            format!("{path}{}", if *create { " (created when missing)" } else { "" })
        }
        Target::Workspace(workspace) => {
            let mut text = format!("workspace of type {}", workspace.workspace_type);
            if let Some(object) = &workspace.business_object {
                let _ = write!(text, ", {} {} {}", object.system, object.object_type, object.id);
            }
            if let Some(name) = &workspace.name {
                let _ = write!(text, ", named {name}");
            }
            if workspace.create {
                text.push_str(" (created when missing)");
            }
            if !workspace.folder.is_empty() {
                let _ = write!(text, ", folder {}", workspace.folder.join("/"));
            }
            text
        }
    }
}

fn name_row(name: &StoredName) -> Vec<String> {
    let change = match name.change {
        NameChange::None => name.change.word().to_owned(),
        changed => format!("{}, for \"{}\"", changed.word(), name.original),
    };
    vec![name.of.word().to_owned(), name.stored.clone(), change]
}

fn field_row(field: &MappedField) -> Vec<String> {
    vec![field.to.clone(), field.value.to_string(), format!("from {}", field.origin)]
}

fn rights_text(rights: &[super::permissions::Right]) -> String {
    if rights.is_empty() {
        return "nothing".to_owned();
    }
    rights.iter().map(|right| right.name()).collect::<Vec<_>>().join(", ")
}

/// Rows of cells in aligned columns, indented. Control characters in values are shown, never sent to a terminal.
fn table(rows: impl IntoIterator<Item = Vec<String>>) -> String {
    let printable = |cell: String| -> String {
        cell.chars()
            .flat_map(|character| {
                let escaped: Vec<char> = match character.is_control() {
                    true => character.escape_default().collect(),
                    false => vec![character],
                };
                escaped
            })
            .collect()
    };
    let rows: Vec<Vec<String>> =
        rows.into_iter().map(|row| row.into_iter().map(printable).collect()).collect();
    let width = |column: usize| {
        let cells = rows.iter().filter(|row| row.len() > column + 1).filter_map(|row| row.get(column));
        cells.map(|cell| cell.chars().count()).max().unwrap_or_default().min(60)
    };
    let mut text = String::new();
    for row in &rows {
        let mut line = String::from(" ");
        for (column, cell) in row.iter().enumerate() {
            let _ = write!(line, " {cell:<width$} ", width = width(column));
        }
        text.push_str(line.trim_end());
        text.push('\n');
    }
    text
}
