//! From the file to rules: everything that can be seen to be wrong before an asset comes is reported.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use shared::{
    filing::compile::{Named, Words, filing},
    iconik::ViewId,
    mapping::{Condition, Diagnostics, Located, Members, Scope, Template, check_name},
};

use super::{
    ContentRule, FinalsRule, Shown,
    file::{ContentSpec, RuleSpec, ShownSpec},
};
use crate::{filing::Part, view_rules::view_id};

/// How long files that are being written are waited for, unless the rule says otherwise.
const PATIENCE: Duration = Duration::from_secs(6 * 3600);
/// The most files of one version, unless the rule says otherwise; and the most it may say.
const MOST_FILES: usize = 500;
const MOST_FILES_AT_ALL: usize = 5000;
/// Namespaces of the record that no view can be called by.
pub(super) const TAKEN: [&str; 5] = ["asset", "version", "review", "media", "now"];

pub(super) fn shown(spec: &ShownSpec, diagnostics: &mut Diagnostics) -> Option<Shown> {
    let view = view_id(spec.view.value(), &spec.view.span(), diagnostics);
    for field in [Some(&spec.node), Some(&spec.state), spec.link_field.as_ref()].into_iter().flatten() {
        if field.value().trim().is_empty() {
            let remedy = "write the key of the field in iconik, such as `ContentServerNode`";
            diagnostics.report(field.span(), "empty-name", "the name is empty", remedy);
        }
    }
    let link = match (&spec.link_field, &spec.link) {
        (Some(field), Some(link)) => {
            if !link.value().starts_with("https://") || !link.value().contains("{node}") {
                diagnostics.report(
                    link.span(),
                    "bad-link",
                    format!("`{}` is not the address of a document", link.value()),
                    "write an address that begins with `https://` and has `{node}` in it",
                );
            }
            Some((field.value().clone(), link.value().clone()))
        }
        (None, None) => None,
        (Some(other), None) | (None, Some(other)) => {
            let remedy = "write both `link_field` and `link`, or neither";
            diagnostics.report(other.span(), "half-a-link", "a link needs a field and an address", remedy);
            None
        }
    };
    let word = |word: &Option<Located<String>>, usual: &str| {
        word.as_ref().map_or_else(|| usual.to_owned(), |word| word.value().clone())
    };
    Some(Shown {
        view: view?,
        node: spec.node.value().clone(),
        state: spec.state.value().clone(),
        link,
        filed: word(&spec.filed, "filed"),
        incomplete: word(&spec.incomplete, "incomplete"),
    })
}

pub(super) fn rules(
    specs: Vec<RuleSpec>,
    views: &BTreeMap<String, ViewId>,
    named: &Named,
    diagnostics: &mut Diagnostics,
) -> Vec<FinalsRule> {
    let mut names = BTreeSet::new();
    let mut rules = Vec::new();
    for spec in specs {
        if !names.insert(spec.name.value().clone()) {
            diagnostics.report(
                spec.name.span(),
                "duplicate-rule",
                format!("the name `{}` is taken by an earlier rule", spec.name.value()),
                "give each rule its own name",
            );
        }
        rules.extend(rule(&spec, views, named, diagnostics));
    }
    rules
}

fn rule(
    spec: &RuleSpec,
    views: &BTreeMap<String, ViewId>,
    named: &Named,
    diagnostics: &mut Diagnostics,
) -> Option<FinalsRule> {
    let before = diagnostics.len();
    check_name(&spec.name, diagnostics);
    let known = scope(views);
    let when: Vec<Condition> = spec
        .when
        .iter()
        .filter_map(|condition| {
            // Which file it is about is not known yet.
            Condition::compile(condition, &asset_scope(views), diagnostics)
        })
        .collect();
    let contents = contents(spec, named, &known, diagnostics);
    let max_files = spec.max_files.as_ref().map_or(MOST_FILES, |most| *most.value());
    if let Some(most) = spec.max_files.as_ref().filter(|most| !(1..=MOST_FILES_AT_ALL).contains(most.value()))
    {
        diagnostics.report(
            most.span(),
            "bad-max-files",
            format!("{} is not a number of files", most.value()),
            format!("write a number from 1 to {MOST_FILES_AT_ALL}"),
        );
    }
    let patience = match spec.patience {
        Some(patience) => Duration::try_from(patience.0).unwrap_or(PATIENCE),
        None => PATIENCE,
    };
    (diagnostics.len() == before).then(|| FinalsRule {
        name: spec.name.value().clone(),
        when,
        contents,
        patience,
        max_files,
        reading: spec.reading,
        verify: spec.verify,
    })
}

fn contents(
    spec: &RuleSpec,
    named: &Named,
    scope: &Scope,
    diagnostics: &mut Diagnostics,
) -> Vec<ContentRule> {
    if spec.content.is_empty() {
        diagnostics.report(
            spec.name.span(),
            "no-content",
            "the rule files nothing",
            "add `[[rule.content]]` with `format = \"ORIGINAL\"`",
        );
    }
    let usual_name = Located::new("{media.name}".to_owned(), spec.name.span());
    let mut compiled: Vec<ContentRule> = Vec::new();
    for content in &spec.content {
        let Some(part) = part(content, &spec.name, diagnostics) else { continue };
        if compiled.iter().any(|earlier| earlier.part == part) {
            diagnostics.report(
                spec.name.span(),
                "duplicate-content",
                format!("the rule files `{}` twice", part.name()),
                "keep one of the two",
            );
        }
        let required = content.required.unwrap_or(matches!(part, Part::Format(_)));
        // Only the names differ from content to content; the rest is told about once.
        let filing = match compiled.first() {
            Some(first) => {
                let name = content.document.name.as_ref().unwrap_or(&usual_name);
                let Some(name) = Template::compile(name, scope, diagnostics) else { continue };
                let description = content.document.description.as_ref();
                let description = description.and_then(|text| Template::compile(text, scope, diagnostics));
                first.filing.called(name, description)
            }
            None => {
                let words = Words {
                    target: &spec.target,
                    document: &content.document,
                    usual_name: &usual_name,
                    existing: spec.existing,
                    categories: &spec.category,
                    permissions: spec.permissions.as_ref(),
                    classification: spec.classification.as_ref(),
                };
                let Some(filing) = filing(words, named, scope, diagnostics) else { return compiled };
                filing
            }
        };
        compiled.push(ContentRule { part, required, filing });
    }
    compiled
}

fn part(spec: &ContentSpec, rule: &Located<String>, diagnostics: &mut Diagnostics) -> Option<Part> {
    let chosen = |flag: &Option<Located<bool>>| flag.as_ref().is_some_and(|flag| *flag.value());
    match (&spec.format, chosen(&spec.proxy), chosen(&spec.poster)) {
        (Some(format), false, false) => Some(Part::Format(format.value().clone())),
        (None, true, false) => Some(Part::Proxy),
        (None, false, true) => Some(Part::Poster),
        (format, ..) => {
            diagnostics.report(
                format.as_ref().map_or(rule.span(), Located::span),
                "unclear-content",
                "expected exactly one of `format`, `proxy` and `poster` in `[[rule.content]]`",
                "write `format = \"ORIGINAL\"`, `proxy = true` or `poster = true`",
            );
            None
        }
    }
}

fn only(names: &[&str]) -> Members {
    Members::Only(names.iter().map(|name| (*name).to_owned()).collect())
}

/// What conditions may read.
fn asset_scope(views: &BTreeMap<String, ViewId>) -> Scope {
    let mut scope = Scope::new()
        .with("asset", only(&["id", "title", "kind", "category", "external_id"]))
        .with("version", only(&["id", "number"]))
        .with("review", only(&["approved_at", "approved_by"]))
        .with("now", only(&["date", "time"]));
    for name in views.keys() {
        scope = scope.with(name, Members::Any);
    }
    scope
}

/// What names, targets and fields may read.
fn scope(views: &BTreeMap<String, ViewId>) -> Scope {
    asset_scope(views).with("media", only(&["name", "stem", "extension", "part", "folder", "type"]))
}
