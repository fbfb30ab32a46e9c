//! Sign-off rules: which approved versions are signed off by which workflow, and how iconik shows it.
//!
//! [`SignoffRules::parse`] reads the file once, at start, and tells everything wrong with it with line and remedy.

pub mod file;
mod rule;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use shared::{
    content_server::NodePath,
    iconik::ViewId,
    mapping::{
        Condition, Diagnostics, Document, Located, Members, Record, Scope, Template, View, check_name,
        check_names_differ, is_name,
    },
};

use self::file::{DecisionSpec, DocumentSpec, RuleSpec, ShownSpec};
pub use self::rule::{DocumentRule, SignoffRule, Staged};
use crate::view_rules::view_id;

/// The rules in the package, used when no others are configured.
pub const SAMPLE: &str = include_str!("../../rules/signoff-rules.toml");

/// How long a version is waited for that is not filed yet, unless a rule says otherwise.
const WAIT: jiff::SignedDuration = jiff::SignedDuration::from_hours(4);

/// What the flow itself knows of an asset, by namespace. No view may be called like one of them.
const OURS: &[(&str, &[&str])] = &[
    ("asset", &["id", "title", "type", "category", "external_id"]),
    ("version", &["id", "number"]),
    ("review", &["requested_by", "approved_by", "date"]),
];

/// A rule file.
#[derive(Debug, Clone)]
pub struct SignoffRules {
    /// How iconik shows a sign-off.
    pub shown: Shown,
    /// Views that rules read, by name.
    pub views: BTreeMap<String, ViewId>,
    /// The rules in the order they are tried.
    pub rules: Vec<SignoffRule>,
}

/// How iconik shows a sign-off.
#[derive(Debug, Clone)]
pub struct Shown {
    /// The view.
    pub view: ViewId,
    /// The field with the state.
    pub state: Option<String>,
    /// The field with the step.
    pub step: Option<String>,
    /// The field with the decision.
    pub decision: Option<String>,
    /// The field with who decided.
    pub decided_by: Option<String>,
    /// The words.
    pub words: Words,
}

/// The words for states and decisions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Words {
    /// States: while it runs, approved, rejected, without a decision.
    pub states: [String; 4],
    /// Decisions: approved, rejected, withdrawn, stopped.
    pub decisions: [String; 4],
}

impl SignoffRules {
    /// Reads a rule file. Everything wrong with it is told together, each with file, line, column and remedy.
    ///
    /// # Errors
    /// When anything is wrong.
    pub fn parse(text: &str, file: &str) -> Result<Self, Diagnostics> {
        let (mut document, mut diagnostics) = Document::parse(file, text)?;
        let shown = document.value::<ShownSpec>("shown", &mut diagnostics).map(Located::into_value);
        let told = !diagnostics.is_empty();
        let views = document.value::<BTreeMap<String, Located<String>>>("views", &mut diagnostics);
        let specs = document.list::<RuleSpec>("rule", &mut diagnostics);
        let end = document.end();
        let broken = !diagnostics.is_empty();
        document.finish(&mut diagnostics);
        if shown.is_none() && !told {
            let remedy = "name the metadata view of iconik that shows how a sign-off goes";
            diagnostics.report(end.clone(), "missing-key", "the file has no `[shown]`", remedy);
        }
        if specs.is_empty() && !broken {
            diagnostics.report(end, "no-rules", "the file has no rules", "add at least one `[[rule]]`");
        }
        let specs: Vec<RuleSpec> = specs.into_iter().map(Located::into_value).collect();
        check_names_differ("rules", specs.iter().map(|spec| &spec.name), &mut diagnostics);
        let shown = shown.and_then(|shown| compile_shown(shown, &mut diagnostics));
        let views = compile_views(&views.map(Located::into_value).unwrap_or_default(), &mut diagnostics);
        let scope = scope(&views);
        let mut rules = Vec::new();
        for spec in specs {
            rules.extend(compile(spec, &scope, &mut diagnostics));
        }
        match shown {
            Some(shown) => diagnostics.finish(Self { shown, views, rules }),
            // Why there is none has been reported.
            None => Err(diagnostics),
        }
    }

    /// The first rule whose conditions hold.
    pub fn choose(&self, record: &Record) -> Option<&SignoffRule> {
        let view = View::of(record);
        self.rules.iter().find(|rule| rule.when.iter().all(|condition| condition.check(&view).is_ok()))
    }

    /// A rule by its name.
    pub fn rule(&self, name: &str) -> Option<&SignoffRule> {
        self.rules.iter().find(|rule| rule.name == name)
    }
}

/// What rules may read.
fn scope(views: &BTreeMap<String, ViewId>) -> Scope {
    let ours = OURS.iter().fold(Scope::new(), |scope, (namespace, names)| {
        scope.with(namespace, Members::Only(names.iter().map(|name| (*name).to_owned()).collect()))
    });
    views.keys().fold(ours, |scope, name| scope.with(name, Members::Any))
}

fn compile_shown(spec: ShownSpec, diagnostics: &mut Diagnostics) -> Option<Shown> {
    let view = view_id(spec.view.value(), &spec.view.span(), diagnostics);
    let field = |field: Option<Located<String>>| field.map(Located::into_value);
    let words = spec.words;
    let word = |word: Option<Located<String>>, usual: &str| {
        word.map_or_else(|| usual.to_owned(), |word| word.value().trim().to_owned())
    };
    Some(Shown {
        view: view?,
        state: field(spec.state),
        step: field(spec.step),
        decision: field(spec.decision),
        decided_by: field(spec.decided_by),
        words: Words {
            states: [
                word(words.in_signoff, "in_signoff"),
                word(words.signed_off, "signed_off"),
                word(words.refused, "rejected"),
                word(words.undecided, "not_signed_off"),
            ],
            decisions: [
                word(words.approved, "approved"),
                word(words.rejected, "rejected"),
                word(words.withdrawn, "withdrawn"),
                word(words.stopped, "stopped"),
            ],
        },
    })
}

fn compile_views(
    views: &BTreeMap<String, Located<String>>,
    diagnostics: &mut Diagnostics,
) -> BTreeMap<String, ViewId> {
    let mut compiled = BTreeMap::new();
    for (name, id) in views {
        if !is_name(name) || OURS.iter().any(|(ours, _)| ours == name) {
            diagnostics.report(
                id.span(),
                "bad-view-name",
                format!("a view cannot be called `{name}`"),
                "use lower-case letters, digits and `-`, and none of `asset`, `version`, `review`",
            );
        }
        compiled.extend(view_id(id.value(), &id.span(), diagnostics).map(|id| (name.clone(), id)));
    }
    compiled
}

fn compile(spec: RuleSpec, scope: &Scope, diagnostics: &mut Diagnostics) -> Option<SignoffRule> {
    let before = diagnostics.len();
    check_name(&spec.name, diagnostics);
    let when: Vec<Condition> =
        spec.when.iter().filter_map(|spec| Condition::compile(spec, scope, diagnostics)).collect();
    let map = path(&spec.workflow.map, diagnostics);
    let title = Template::compile(&spec.workflow.title, scope, diagnostics);
    let mut attributes = Vec::new();
    for (label, text) in &spec.workflow.attributes {
        attributes.extend(Template::compile(text, scope, diagnostics).map(|text| (label.clone(), text)));
    }
    let document = spec.document.as_ref().and_then(|document| compile_document(document, scope, diagnostics));
    check_decision(&spec.decision, diagnostics);
    if diagnostics.len() > before {
        return None;
    }
    Some(SignoffRule {
        name: spec.name.into_value(),
        when,
        map: map?,
        title: title?,
        attributes,
        document,
        steps: spec.decision.steps.into_value(),
        approved: spec.decision.approved.into_value(),
    })
}

fn compile_document(
    spec: &DocumentSpec,
    scope: &Scope,
    diagnostics: &mut Diagnostics,
) -> Option<DocumentRule> {
    let node = Template::compile(&spec.node, scope, diagnostics);
    let holds = match &spec.holds {
        Some(holds) => Some(Template::compile(holds, scope, diagnostics)?),
        None => None,
    };
    Some(DocumentRule { node: node?, holds, wait: spec.wait.map_or(WAIT, |wait| wait.0) })
}

fn check_decision(spec: &DecisionSpec, diagnostics: &mut Diagnostics) {
    for (list, code, message, remedy) in [
        (
            &spec.steps,
            "no-steps",
            "`steps` names no step, so nothing would ever be decided",
            "name the steps of the map in which it is decided, such as `[\"Review\"]`",
        ),
        (
            &spec.approved,
            "nothing-approves",
            "`approved` names no disposition, so nothing would ever be approved",
            "name the dispositions of the steps that approve, such as `[\"Approve\"]`",
        ),
    ] {
        if list.value().is_empty() {
            diagnostics.report(list.span(), code, message, remedy);
        }
    }
}

fn path(place: &Located<String>, diagnostics: &mut Diagnostics) -> Option<NodePath> {
    place
        .value()
        .parse()
        .map_err(|_| {
            diagnostics.report(
                place.span(),
                "bad-path",
                format!("`{}` is not a path in Content Server", place.value()),
                "write `Enterprise:Workflow Maps/Document Review`, `#7001` or `@nickname`",
            );
        })
        .ok()
}

/// The JSON Schema of rule files, for editors.
pub fn schema() -> String {
    let mut schema = schemars::schema_for!(file::SignoffRulesFile);
    schema.insert("title".to_owned(), "Waybill sign-off rules".into());
    let mut text = serde_json::to_string_pretty(&schema).unwrap_or_default();
    text.push('\n');
    text
}
