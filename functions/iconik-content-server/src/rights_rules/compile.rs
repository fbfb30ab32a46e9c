//! From the file to rules: everything that can be seen to be wrong before an asset comes is reported.

use std::{collections::BTreeMap, time::Duration};

use shared::{
    content_server::NodePath,
    filing::{
        FilingRule,
        compile::{self, Named, Words},
        file::{CategorySpec, DocumentSpec, Existing, NameOrId, TargetSpec},
    },
    iconik::ViewId,
    mapping::{
        Condition, Diagnostics, Located, Members, PathTemplate, Scope, Template, check_name,
        check_names_differ,
    },
};

use super::{
    Fact, ReleaseRule, RightsRule, RightsRules, Shown, TaskRule,
    file::{ReleaseSpec, RuleSpec, ShownSpec, StatementSpec, TaskSpec},
};
use crate::view_rules::view_id;

/// How long is waited, unless the rule says otherwise.
const PATIENCE: Duration = Duration::from_secs(6 * 3600);
/// The format of releases, unless the rule says otherwise.
const ORIGINAL: &str = "ORIGINAL";
/// Namespaces of records that no view can be called by.
pub(super) const TAKEN: [&str; 8] =
    ["asset", "version", "review", "filed", "lapsed", "release", "final", "media"];

/// Where iconik shows how it stands. A field that rules read would make a revision of every showing.
pub(super) fn shown(spec: &ShownSpec, rules: &RightsRules, diagnostics: &mut Diagnostics) -> Option<Shown> {
    let view = view_id(spec.view.value(), &spec.view.span(), diagnostics)?;
    let read: Vec<String> = rules
        .views
        .iter()
        .filter(|(_, id)| **id == view)
        .flat_map(|(name, _)| [rules.fields_of_assets(name), rules.fields_of_releases(name)].concat())
        .collect();
    for field in [&spec.statement, &spec.state, &spec.blocked, &spec.notice].into_iter().flatten() {
        let (code, message, remedy) = match field.value().trim() {
            "" => ("empty-name", "the name is empty", "write the key of the field in iconik"),
            name if read.iter().any(|read| read == name) => (
                "reads-what-it-writes",
                "the rules read this field, and the flow writes it",
                "show it in a field that no rule reads",
            ),
            _ => continue,
        };
        diagnostics.report(field.span(), code, message, remedy);
    }
    let field = |field: &Option<Located<String>>| field.as_ref().map(|field| field.value().clone());
    let word = |word: &Option<Located<String>>, usual: &str| {
        word.as_ref().map_or_else(|| usual.to_owned(), |word| word.value().clone())
    };
    Some(Shown {
        view,
        statement: field(&spec.statement),
        state: field(&spec.state),
        blocked: field(&spec.blocked),
        notice: field(&spec.notice),
        current: word(&spec.current, "current"),
        lapsed: word(&spec.lapsed, "lapsed"),
    })
}

pub(super) fn rules(
    specs: Vec<RuleSpec>,
    views: &BTreeMap<String, ViewId>,
    named: &Named,
    diagnostics: &mut Diagnostics,
) -> Vec<RightsRule> {
    check_names_differ("rules", specs.iter().map(|spec| &spec.name), diagnostics);
    specs.into_iter().filter_map(|spec| rule(spec, views, named, diagnostics)).collect()
}

fn rule(
    spec: RuleSpec,
    views: &BTreeMap<String, ViewId>,
    named: &Named,
    diagnostics: &mut Diagnostics,
) -> Option<RightsRule> {
    let before = diagnostics.len();
    check_name(&spec.name, diagnostics);
    let known = of_asset(views);
    let when =
        spec.when.iter().filter_map(|condition| Condition::compile(condition, &known, diagnostics)).collect();
    let folder = spec.folder.as_ref().and_then(|folder| PathTemplate::compile(folder, &known, diagnostics));
    let expires = path(spec.expires.as_ref(), &known, diagnostics);
    let facts = facts(&spec.statement, &spec.name, &known, diagnostics);
    let with_revision = known.clone().with("filed", only(&["revision", "expires"]));
    let words = OfDocument {
        document: &spec.statement.document,
        usual_name: "{asset.title} rights statement.html",
        existing: Existing::NewVersion,
        categories: &spec.statement.category,
        permissions: spec.statement.permissions.as_ref(),
        classification: spec.statement.classification.as_ref(),
    };
    let statement = document(words, &spec.name, named, &with_revision, diagnostics);
    let of_release = of_release(views);
    let releases: Vec<ReleaseRule> = spec
        .release
        .iter()
        .filter_map(|release| self::release(release, named, &of_release, diagnostics))
        .collect();
    let node = path(spec.final_media.node.as_ref(), &known, diagnostics);
    let access = compile::permissions(spec.final_media.access.as_ref(), named, diagnostics);
    let narrowed = compile::permissions(Some(&spec.final_media.narrowed), named, diagnostics);
    if narrowed.as_ref().is_some_and(|narrowed| narrowed.public.is_none()) {
        diagnostics.report(
            spec.final_media.narrowed.span(),
            "wide-narrowing",
            "the permission template says nothing of everybody, so everybody would keep what they may do",
            "add `public = []` to the template",
        );
    }
    let filed = ["statement", "releases", "revision", "expires", "state", "lapsed"];
    let of_final = known.clone().with("filed", only(&filed));
    let categories = compile::categories(&spec.final_media.category, named, &of_final, diagnostics);
    let of_task = known.with("lapsed", only(&["text", "date"]));
    let task = spec.task.as_ref().and_then(|task| self::task(task, &of_task, diagnostics));
    let patience =
        spec.patience.map_or(PATIENCE, |patience| Duration::try_from(patience.0).unwrap_or(PATIENCE));
    if diagnostics.len() > before {
        return None;
    }
    Some(RightsRule {
        name: spec.name.into_value(),
        when,
        folder,
        expires,
        facts,
        statement: statement?,
        releases,
        node,
        access,
        narrowed: narrowed?,
        categories,
        task,
        patience,
    })
}

fn facts(
    spec: &StatementSpec,
    rule: &Located<String>,
    known: &Scope,
    diagnostics: &mut Diagnostics,
) -> Vec<Fact> {
    if spec.fact.is_empty() {
        diagnostics.report(
            rule.span(),
            "no-facts",
            "the statement says nothing",
            "add `[[rule.statement.fact]]` with `label` and `from`",
        );
    }
    let mut facts = Vec::new();
    for fact in &spec.fact {
        if fact.label.value().trim().is_empty() {
            let remedy = "write what people are to read, such as `Territories`";
            diagnostics.report(fact.label.span(), "empty-name", "the label is empty", remedy);
        }
        if let Some(from) = path(Some(&fact.from), known, diagnostics) {
            facts.push(Fact { label: fact.label.value().clone(), from, required: fact.required });
        }
    }
    facts
}

fn release(
    spec: &ReleaseSpec,
    named: &Named,
    known: &Scope,
    diagnostics: &mut Diagnostics,
) -> Option<ReleaseRule> {
    if spec.relation.value().trim().is_empty() {
        let remedy = "write the name of a relation type that iconik has, such as `rights_document`";
        diagnostics.report(spec.relation.span(), "empty-name", "the relation type has no name", remedy);
    }
    if let Some(formats) = spec.formats.as_ref().filter(|formats| formats.value().is_empty()) {
        diagnostics.report(
            formats.span(),
            "no-formats",
            "no format is named, so nothing of a release would be filed",
            "name at least one, such as `[\"ORIGINAL\"]`",
        );
    }
    if spec.expiry_required && spec.expires.is_none() {
        diagnostics.report(
            spec.relation.span(),
            "no-expiry",
            "a last day is required, and nothing says where it is told",
            "add `expires`, such as `rights.ReleaseExpiry`",
        );
    }
    let expires = path(spec.expires.as_ref(), known, diagnostics);
    let words = OfDocument {
        document: &spec.document,
        usual_name: "{asset.title} {media.name}",
        existing: Existing::SkipIfSame,
        categories: &spec.category,
        permissions: spec.permissions.as_ref(),
        classification: spec.classification.as_ref(),
    };
    let filing = document(words, &spec.relation, named, known, diagnostics)?;
    Some(ReleaseRule {
        relation: spec.relation.value().clone(),
        required: spec.required,
        formats: spec
            .formats
            .as_ref()
            .map_or_else(|| vec![ORIGINAL.to_owned()], |formats| formats.value().clone()),
        expires,
        expiry_required: spec.expiry_required,
        filing,
        reading: spec.reading,
        verify: spec.verify,
    })
}

fn task(spec: &TaskSpec, known: &Scope, diagnostics: &mut Diagnostics) -> Option<TaskRule> {
    let map: Option<NodePath> = spec.map.value().parse().ok();
    if map.is_none() {
        diagnostics.report(
            spec.map.span(),
            "bad-path",
            format!("`{}` is not a path in Content Server", spec.map.value()),
            "write `Enterprise:Workflow Maps/Document Review`, `#7001` or `@nickname`",
        );
    }
    let title = Template::compile(&spec.title, known, diagnostics);
    let mut attributes = Vec::new();
    for (label, text) in &spec.attributes {
        attributes.extend(Template::compile(text, known, diagnostics).map(|text| (label.clone(), text)));
    }
    Some(TaskRule { map: map?, title: title?, attributes })
}

/// What a rule says of a document that is filed beside the final.
struct OfDocument<'a> {
    document: &'a DocumentSpec,
    usual_name: &'a str,
    existing: Existing,
    categories: &'a [CategorySpec],
    permissions: Option<&'a Located<String>>,
    classification: Option<&'a Located<NameOrId>>,
}

fn document(
    words: OfDocument<'_>,
    near: &Located<String>,
    named: &Named,
    scope: &Scope,
    diagnostics: &mut Diagnostics,
) -> Option<FilingRule> {
    let OfDocument { document, usual_name, existing, categories, permissions, classification } = words;
    // Where it goes is known when its final is found.
    let folder = Located::new("Enterprise:".to_owned(), near.span());
    let target =
        Located::new(TargetSpec { folder: Some(folder), create: false, workspace: None }, near.span());
    let usual_name = Located::new(usual_name.to_owned(), near.span());
    let words = Words {
        target: &target,
        document,
        usual_name: &usual_name,
        existing,
        categories,
        permissions,
        classification,
    };
    compile::filing(words, named, scope, diagnostics)
}

/// A path of a record.
fn path(path: Option<&Located<String>>, known: &Scope, diagnostics: &mut Diagnostics) -> Option<String> {
    let path = path?;
    match known.check(path.value()) {
        Ok(()) => Some(path.value().clone()),
        Err((message, remedy)) => {
            diagnostics.report(path.span(), "unknown-field", message, remedy);
            None
        }
    }
}

fn only(names: &[&str]) -> Members {
    Members::Only(names.iter().map(|name| (*name).to_owned()).collect())
}

/// What may be read of an asset.
fn of_asset(views: &BTreeMap<String, ViewId>) -> Scope {
    let scope = Scope::new()
        .with("asset", only(&["id", "title", "kind", "category", "external_id"]))
        .with("version", only(&["id", "number"]))
        .with("review", only(&["approved_at", "approved_by"]));
    views.keys().fold(scope, |scope, name| scope.with(name, Members::Any))
}

/// What may be read of a release.
fn of_release(views: &BTreeMap<String, ViewId>) -> Scope {
    let scope = Scope::new()
        .with("asset", only(&["id", "title", "kind", "category", "external_id"]))
        .with("version", only(&["id", "number"]))
        .with("final", only(&["id", "title", "version"]))
        .with("release", only(&["relation", "description", "expires"]))
        .with("media", only(&["name", "stem", "extension", "part", "folder", "type"]));
    views.keys().fold(scope, |scope, name| scope.with(name, Members::Any))
}
