//! Staging rules: which uploads become attachments of which workflow, and what becomes of its decision.
//!
//! [`StagingRules::parse`] reads the file once, at start, and tells everything wrong with it with line and remedy.

pub mod file;
mod rule;
#[cfg(test)]
mod tests;

use shared::mapping::{
    Diagnostics, Document, KeyPattern, Located, Members, PathTemplate, Record, Scope, Template,
};

use self::{
    file::{AttachmentSpec, OutputSpec, RuleSpec},
    rule::{FolderTemplate, OutputRule},
};
pub use self::{
    file::{Contents, Form},
    rule::{Attachment, Staged, StagingRule},
};
use crate::{
    intake_rules::HumanSize,
    rule_words::{check_name, check_prefix, path},
};

/// The rules in the package, used when no others are configured.
pub const SAMPLE: &str = include_str!("../../rules/staging-rules.toml");

/// The largest upload, unless a rule says otherwise.
const LARGEST: HumanSize = HumanSize::bytes(50 << 30);

/// All rules of a file.
#[derive(Debug, Clone)]
pub struct StagingRules {
    /// The rules in the order they are tried.
    pub rules: Vec<StagingRule>,
}

impl StagingRules {
    /// Reads a rule file. Everything wrong with it is told together, each with file, line, column and remedy.
    ///
    /// # Errors
    /// When anything is wrong.
    pub fn parse(text: &str, file: &str) -> Result<Self, Diagnostics> {
        let (mut document, mut diagnostics) = Document::parse(file, text)?;
        let specs = document.list::<RuleSpec>("rule", &mut diagnostics);
        let end = document.end();
        let broken = !diagnostics.is_empty();
        document.finish(&mut diagnostics);
        if specs.is_empty() && !broken {
            diagnostics.report(end, "no-rules", "the file has no rules", "add at least one `[[rule]]`");
        }
        let mut rules: Vec<StagingRule> = Vec::new();
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
            rules.extend(compile(spec, &mut diagnostics));
        }
        diagnostics.finish(Self { rules })
    }

    /// The first rule that takes a key, and the record with what its pattern captured.
    pub fn choose(&self, key: &str, record: Record) -> Option<(&StagingRule, Record)> {
        self.rules.iter().find_map(|rule| {
            let captures = rule.key.matches(key).ok()?;
            Some((rule, record.clone().with_captures(&captures)))
        })
    }

    /// A rule by its name.
    pub fn rule(&self, name: &str) -> Option<&StagingRule> {
        self.rules.iter().find(|rule| rule.name == name)
    }
}

/// What templates may read.
fn scope(key: &KeyPattern) -> Scope {
    let object = ["bucket", "key", "name", "stem", "extension", "size", "content_type", "last_modified"];
    Scope::new()
        .with("capture", Members::Only(key.names().into_iter().map(str::to_owned).collect()))
        .with("tag", Members::Any)
        .with("user", Members::AnyLowerCase)
        .with("object", Members::Only(object.map(str::to_owned).to_vec()))
        .with("now", Members::Only(vec!["date".to_owned(), "time".to_owned()]))
}

fn compile(spec: RuleSpec, diagnostics: &mut Diagnostics) -> Option<StagingRule> {
    let before = diagnostics.len();
    check_name(&spec.name, diagnostics);
    let map = path(&spec.workflow.map, diagnostics);
    let key = KeyPattern::compile(&spec.key, &spec.captures, diagnostics);
    let scope = key.as_ref().map(scope)?;
    let title = title(&spec.workflow.title, &scope, diagnostics);
    let mut attributes = Vec::new();
    for (label, text) in &spec.workflow.attributes {
        attributes.extend(Template::compile(text, &scope, diagnostics).map(|text| (label.clone(), text)));
    }
    let default_name = Located::new("{object.name}".to_owned(), spec.name.span());
    let name = spec.attachment.name.as_ref().unwrap_or(&default_name);
    let attachment_name = Template::compile(name, &scope, diagnostics);
    let attachment = attachment(&spec.attachment, &spec.name, &scope, diagnostics);
    if spec.decision.approved.value().is_empty() {
        diagnostics.report(
            spec.decision.approved.span(),
            "nothing-approves",
            "`approved` names no disposition, so nothing would ever be approved",
            "name the dispositions of the step that approve, such as `[\"Approve\"]`",
        );
    }
    let output = output(&spec.output, title.as_ref(), &scope, diagnostics);
    if diagnostics.len() > before {
        return None;
    }
    Some(StagingRule {
        name: spec.name.into_value(),
        key: key?,
        max_size: spec.max_size.unwrap_or(LARGEST).as_bytes(),
        map: map?,
        title: title?,
        start: spec.workflow.start.unwrap_or(true),
        attributes,
        attachment: attachment?,
        attachment_name: attachment_name?,
        decision_step: spec.decision.step.into_value(),
        approved: spec.decision.approved.into_value(),
        output: output?,
    })
}

fn title(text: &Located<String>, scope: &Scope, diagnostics: &mut Diagnostics) -> Option<Template> {
    let title = Template::compile(text, scope, diagnostics)?;
    if title.paths().next().is_none() {
        diagnostics.report(
            text.span(),
            "title-without-identity",
            "every upload would belong to one and the same workflow: the title holds nothing of the upload",
            "name the case in it, such as `Review of contract {capture.contract}`",
        );
        return None;
    }
    Some(title)
}

fn attachment(
    spec: &AttachmentSpec,
    rule: &Located<String>,
    scope: &Scope,
    diagnostics: &mut Diagnostics,
) -> Option<Attachment> {
    let form = spec.form.as_ref().map(|form| *form.value()).unwrap_or_default();
    let span = spec.form.as_ref().map_or_else(|| rule.span(), Located::span);
    match (form, &spec.folder, &spec.original) {
        (Form::Document, None, None) => Some(Attachment::Document),
        (Form::Reference, None, None) => Some(Attachment::Reference),
        (Form::Shortcut, Some(folder), None) => {
            folder_template(folder, scope, diagnostics).map(Attachment::Filed)
        }
        (Form::Shortcut, None, Some(original)) => {
            Template::compile(original, scope, diagnostics).map(Attachment::Original)
        }
        (Form::Shortcut, ..) => {
            diagnostics.report(
                span,
                "unclear-shortcut",
                "a shortcut needs either the folder the upload is filed in, or the document it points to",
                "give exactly one of `folder` and `original`",
            );
            None
        }
        (Form::Document | Form::Reference, ..) => {
            diagnostics.report(
                span,
                "no-effect",
                "`folder` and `original` are for shortcuts",
                "write `as = \"shortcut\"`, or remove them",
            );
            None
        }
    }
}

fn folder_template(
    text: &Located<String>,
    scope: &Scope,
    diagnostics: &mut Diagnostics,
) -> Option<FolderTemplate> {
    let (root, below) = text.value().split_once(':').unwrap_or((text.value(), ""));
    let root = path(&Located::new(format!("{root}:"), text.span()), diagnostics)?;
    if below.is_empty() {
        return Some(FolderTemplate { root, below: None });
    }
    let below = PathTemplate::compile(&Located::new(below.to_owned(), text.span()), scope, diagnostics)?;
    Some(FolderTemplate { root, below: Some(below) })
}

fn output(
    spec: &OutputSpec,
    title: Option<&Template>,
    scope: &Scope,
    diagnostics: &mut Diagnostics,
) -> Option<OutputRule> {
    check_prefix(&spec.prefix, diagnostics);
    let folder = match &spec.folder {
        Some(folder) => {
            let compiled = PathTemplate::compile(folder, scope, diagnostics)?;
            let held: Vec<&str> = compiled.paths().collect();
            if let Some(missing) =
                title.and_then(|title| title.paths().find(|path| !held.contains(path)).map(str::to_owned))
            {
                diagnostics.report(
                    folder.span(),
                    "shared-folder",
                    format!("different workflows would write into one folder: it does not hold `{missing}`"),
                    format!("add `{{{missing}}}`, or leave `folder` out"),
                );
            }
            Some(compiled)
        }
        None => None,
    };
    Some(OutputRule {
        bucket: spec.bucket.as_ref().map(|bucket| bucket.value().clone()),
        prefix: spec.prefix.value().clone(),
        folder,
        contents: spec.contents,
    })
}

/// The JSON Schema of rule files, for editors.
pub fn schema() -> String {
    let mut schema = schemars::schema_for!(file::StagingRulesFile);
    schema.insert("title".to_owned(), "Waybill staging rules".into());
    let mut text = serde_json::to_string_pretty(&schema).unwrap_or_default();
    text.push('\n');
    text
}
