//! Review rules: which assets are regulated, where their evidence is kept, and what each side is told of the other.
//!
//! [`ReviewRules::parse`] reads the file once, at start, and tells everything wrong with it with line and remedy.

pub mod file;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use shared::{
    content_server::NodePath,
    iconik::ViewId,
    mapping::{
        Condition, Diagnostics, Document, Located, Members, Record, Scope, View, check_name,
        check_names_differ, is_name,
    },
};

use self::file::{DocumentSpec, RuleSpec, ToContentServerSpec, ToIconikSpec};
use crate::view_rules::view_id;

/// The rules in the package, used when no others are configured.
pub const SAMPLE: &str = include_str!("../../rules/review-rules.toml");

/// What the flow itself knows of an asset.
const ASSET: [&str; 5] = ["id", "title", "type", "category", "external_id"];

/// A rule file.
#[derive(Debug, Clone)]
pub struct ReviewRules {
    /// The view and field with the number of an asset's document.
    pub document: (ViewId, String),
    /// Views that rules read, by name.
    pub views: BTreeMap<String, ViewId>,
    /// The rules in the order they are tried.
    pub rules: Vec<ReviewRule>,
}

/// One rule.
#[derive(Debug, Clone)]
pub struct ReviewRule {
    /// Its name.
    pub name: String,
    when: Vec<Condition>,
    /// Where evidence is kept; beside the document when there is none.
    pub evidence: Option<NodePath>,
    /// What the document is told.
    pub to_content_server: Option<ToContentServer>,
    /// What the asset is told.
    pub to_iconik: Option<ToIconik>,
}

/// What the document is told of the review.
#[derive(Debug, Clone)]
pub struct ToContentServer {
    /// The category.
    pub category: NodePath,
    /// The attribute with where the review stands.
    pub status: Option<String>,
    /// The one with the names of those who approved.
    pub approved_by: Option<String>,
    /// The one with when it changed.
    pub changed: Option<String>,
    /// The one with the version's number.
    pub version: Option<String>,
    /// The one with how many comments are open.
    pub open_comments: Option<String>,
    words: BTreeMap<String, String>,
}

/// What the asset is told of the document.
#[derive(Debug, Clone)]
pub struct ToIconik {
    /// The category that is read.
    pub category: NodePath,
    /// The attribute with the state.
    pub status: String,
    /// The one with who decided.
    pub decided_by: Option<String>,
    /// The one with when.
    pub decided: Option<String>,
    /// The one with what was said.
    pub remark: Option<String>,
    /// The view that is written.
    pub view: ViewId,
    /// The field with the state.
    pub status_field: Option<String>,
    /// The field with who decided.
    pub decided_by_field: Option<String>,
    /// Whether a comment says it too.
    pub comment: bool,
    words: BTreeMap<String, String>,
}

impl ToContentServer {
    /// What a word of iconik's is called in Content Server.
    pub fn word<'a>(&'a self, word: &'a str) -> &'a str {
        self.words.get(word).map_or(word, String::as_str)
    }
}

impl ToIconik {
    /// What a word of Content Server's is called in iconik.
    pub fn word<'a>(&'a self, word: &'a str) -> &'a str {
        self.words.get(word).map_or(word, String::as_str)
    }
}

impl ReviewRules {
    /// Reads a rule file. Everything wrong with it is told together, each with file, line, column and remedy.
    ///
    /// # Errors
    /// When anything is wrong.
    pub fn parse(text: &str, file: &str) -> Result<Self, Diagnostics> {
        let (mut document, mut diagnostics) = Document::parse(file, text)?;
        let found = &mut diagnostics;
        let place = document.value::<DocumentSpec>("document", found).map(Located::into_value);
        let told = !found.is_empty();
        let views = document.value::<BTreeMap<String, Located<String>>>("views", found);
        let specs = document.list::<RuleSpec>("rule", found);
        let (end, broken) = (document.end(), !found.is_empty());
        document.finish(found);
        if place.is_none() && !told {
            let remedy = "name the view and the field in which an asset says which document it was filed as";
            found.report(end.clone(), "missing-key", "the file has no `[document]`", remedy);
        }
        if specs.is_empty() && !broken {
            found.report(end, "no-rules", "the file has no rules", "add at least one `[[rule]]`");
        }
        check_names_differ("rules", specs.iter().map(|spec| &spec.value().name), found);
        let views = compile_views(&views.map(Located::into_value).unwrap_or_default(), found);
        let own = Members::Only(ASSET.iter().map(|name| (*name).to_owned()).collect());
        let scope =
            views.keys().fold(Scope::new().with("asset", own), |scope, name| scope.with(name, Members::Any));
        let compiled = specs.into_iter().map(|spec| compile(spec.into_value(), &scope, found));
        let rules: Vec<ReviewRule> = compiled.collect::<Vec<_>>().into_iter().flatten().collect();
        let place = place.and_then(|place| {
            Some((view_id(place.view.value(), &place.view.span(), found)?, place.field.into_value()))
        });
        match place {
            Some(document) => diagnostics.finish(Self { document, views, rules }),
            // Why there is none has been reported.
            None => Err(diagnostics),
        }
    }

    /// The first rule whose conditions hold.
    pub fn choose(&self, record: &Record) -> Option<&ReviewRule> {
        let view = View::of(record);
        self.rules.iter().find(|rule| rule.when.iter().all(|condition| condition.check(&view).is_ok()))
    }
}

fn compile_views(
    views: &BTreeMap<String, Located<String>>,
    diagnostics: &mut Diagnostics,
) -> BTreeMap<String, ViewId> {
    let mut compiled = BTreeMap::new();
    for (name, id) in views {
        if !is_name(name) || name == "asset" {
            let message = format!("a view cannot be called `{name}`");
            diagnostics.report(id.span(), "bad-view-name", message, "use lower-case letters, digits and `-`");
        }
        compiled.extend(view_id(id.value(), &id.span(), diagnostics).map(|id| (name.clone(), id)));
    }
    compiled
}

fn compile(spec: RuleSpec, scope: &Scope, diagnostics: &mut Diagnostics) -> Option<ReviewRule> {
    let before = diagnostics.len();
    check_name(&spec.name, diagnostics);
    if spec.when.is_empty() {
        let message = "the rule would take every asset of the tenant";
        diagnostics.report(
            spec.name.span(),
            "takes-everything",
            message,
            "say in `when` which assets are regulated",
        );
    }
    check_loop(&spec, diagnostics);
    let when: Vec<Condition> =
        spec.when.iter().filter_map(|spec| Condition::compile(spec, scope, diagnostics)).collect();
    let evidence = spec.evidence.as_ref().and_then(|place| path(place, diagnostics));
    let to_content_server = spec.to_content_server.and_then(|spec| compile_out(spec, diagnostics));
    let to_iconik = spec.to_iconik.and_then(|spec| compile_in(spec, diagnostics));
    (diagnostics.len() == before).then(|| ReviewRule {
        name: spec.name.into_value(),
        when,
        evidence,
        to_content_server,
        to_iconik,
    })
}

/// What is written there must not be what is read there: it would go round for ever.
fn check_loop(spec: &RuleSpec, diagnostics: &mut Diagnostics) {
    let (Some(out), Some(back)) = (&spec.to_content_server, &spec.to_iconik) else { return };
    if out.category.value() != back.category.value() {
        return;
    }
    let read = [Some(&back.status), back.decided_by.as_ref(), back.decided.as_ref(), back.remark.as_ref()];
    let written = [&out.status, &out.approved_by, &out.changed, &out.version, &out.open_comments];
    for written in written.into_iter().flatten() {
        if read.iter().flatten().any(|read| read.value() == written.value()) {
            let message = format!("`{}` is written, and read as what Content Server says", written.value());
            diagnostics.report(
                written.span(),
                "goes-round",
                message,
                "use an attribute of its own for each direction",
            );
        }
    }
}

fn compile_out(spec: ToContentServerSpec, diagnostics: &mut Diagnostics) -> Option<ToContentServer> {
    let name = |name: Option<Located<String>>| name.map(Located::into_value);
    Some(ToContentServer {
        category: path(&spec.category, diagnostics)?,
        status: name(spec.status),
        approved_by: name(spec.approved_by),
        changed: name(spec.changed),
        version: name(spec.version),
        open_comments: name(spec.open_comments),
        words: spec.words,
    })
}

fn compile_in(spec: ToIconikSpec, diagnostics: &mut Diagnostics) -> Option<ToIconik> {
    let name = |name: Option<Located<String>>| name.map(Located::into_value);
    let (category, view) =
        (path(&spec.category, diagnostics), view_id(spec.view.value(), &spec.view.span(), diagnostics));
    Some(ToIconik {
        category: category?,
        status: spec.status.into_value(),
        decided_by: name(spec.decided_by),
        decided: name(spec.decided),
        remark: name(spec.remark),
        view: view?,
        status_field: name(spec.status_field),
        decided_by_field: name(spec.decided_by_field),
        comment: spec.comment.unwrap_or(true),
        words: spec.words,
    })
}

fn path(place: &Located<String>, diagnostics: &mut Diagnostics) -> Option<NodePath> {
    let path = place.value().parse();
    if path.is_err() {
        let message = format!("`{}` is not a path in Content Server", place.value());
        let remedy = "write `Enterprise:Review Evidence`, `#7001` or `@nickname`";
        diagnostics.report(place.span(), "bad-path", message, remedy);
    }
    path.ok()
}

/// The JSON Schema of rule files, for editors.
pub fn schema() -> String {
    let mut schema = schemars::schema_for!(file::ReviewRulesFile);
    schema.insert("title".to_owned(), "Waybill review rules".into());
    let mut text = serde_json::to_string_pretty(&schema).unwrap_or_default();
    text.push('\n');
    text
}
