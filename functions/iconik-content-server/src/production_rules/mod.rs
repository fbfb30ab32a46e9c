//! Production rules: which closed collections become packages in Content Server, what is in them, and what holds them.
//!
//! [`ProductionRules::parse`] reads the file once, at start, and tells everything wrong with it with line and remedy.

pub mod file;
mod target;
#[cfg(test)]
mod tests;

use std::collections::BTreeSet;

use jiff::SignedDuration;
use shared::{
    iconik::{AssetKind, CollectionId, ViewId},
    mapping::{Diagnostics, Document, Located, check_name, check_segment},
};

use crate::{filing::Reading, view_rules::is_uuid};

use self::file::{ClosedSpec, PartSpec, RuleSpec, ShownSpec, ToldSpec};
pub use self::{
    file::{ArchiveStateName, Comments, MissingName, Recycled, VersionName},
    target::Target,
};

/// The rules in the package, used when no others are configured.
pub const SAMPLE: &str = include_str!("../../rules/production-rules.toml");

/// Folder and file names that the package uses itself.
pub const RECORDS_FOLDER: &str = "Records";

/// All rules of a file.
#[derive(Debug, Clone)]
pub struct ProductionRules {
    /// The rules in the order they are tried.
    pub rules: Vec<ProductionRule>,
}

/// One rule.
#[derive(Debug, Clone)]
pub struct ProductionRule {
    /// Its name.
    pub name: String,
    /// The categories of collections it takes; any when there is none.
    pub categories: Vec<String>,
    /// Below which collection.
    pub within: Option<CollectionId>,
    /// When one is closed.
    pub closed: Closed,
    /// Where the package goes.
    pub target: Target,
    /// What is in it.
    pub parts: Vec<Part>,
    /// How often a file is read.
    pub reading: Reading,
    /// Whose comments.
    pub comments: Comments,
    /// What metadata the summary shows.
    pub shown: Vec<Shown>,
    /// What becomes of an asset in the recycle bin.
    pub recycled: Recycled,
    /// When a package that waits is looked at again.
    pub look_again: SignedDuration,
    /// When somebody is told that it waits.
    pub report_after: SignedDuration,
    /// What is said in iconik.
    pub told: Told,
    /// The archive state afterwards.
    pub archive_state: ArchiveStateName,
}

/// When a collection is closed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Closed {
    /// The metadata view.
    pub view: ViewId,
    /// The field.
    pub field: String,
    /// The values that mean closed.
    pub values: Vec<String>,
    /// The field that tells one closing from the next.
    pub revision_field: Option<String>,
}

/// One part of the package.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Part {
    /// The name of its folder.
    pub folder: String,
    /// What the summary calls it.
    pub title: String,
    /// The categories of assets; any when there is none.
    pub categories: Vec<String>,
    /// The kinds of assets; any when there is none.
    pub kinds: Vec<AssetKind>,
    /// The names of formats; any when there is none.
    pub formats: Vec<String>,
    /// Endings of names, in lower case; any when there is none.
    pub extensions: Vec<String>,
    /// Which version.
    pub version: VersionName,
    /// Whether each asset must have a file in it.
    pub every_asset: bool,
    /// How many assets must.
    pub at_least: usize,
    /// What becomes of a file that is missing.
    pub missing: MissingName,
}

/// Metadata that the summary shows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shown {
    /// The view.
    pub view: ViewId,
    /// What it is called.
    pub title: String,
    /// The fields; all when there is none.
    pub fields: Vec<String>,
}

/// What is said in iconik.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Told {
    /// The view of the collection.
    pub view: Option<ViewId>,
    /// The field for the state.
    pub state_field: Option<String>,
    /// What it says while the package is made.
    pub packing: Option<String>,
    /// What it says while the package waits.
    pub held: Option<String>,
    /// What it says in the end.
    pub archived: String,
    /// The field for the node.
    pub node_field: Option<String>,
    /// Whether histories of assets say so.
    pub history: bool,
}

impl ProductionRules {
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
        let specs: Vec<RuleSpec> = specs.into_iter().map(Located::into_value).collect();
        shared::mapping::check_names_differ("rules", specs.iter().map(|spec| &spec.name), &mut diagnostics);
        let rules = specs.into_iter().filter_map(|spec| rule(spec, &mut diagnostics)).collect();
        diagnostics.finish(Self { rules })
    }
}

impl Part {
    /// Whether it takes files of an asset.
    pub fn takes_asset(&self, kind: &AssetKind, category: Option<&str>) -> bool {
        let kind_fits = self.kinds.is_empty() || self.kinds.contains(kind);
        let wanted = |known: &String| category.is_some_and(|category| known.eq_ignore_ascii_case(category));
        kind_fits && (self.categories.is_empty() || self.categories.iter().any(wanted))
    }

    /// Whether it takes files of a format.
    pub fn takes_format(&self, format: &str) -> bool {
        self.formats.is_empty() || self.formats.iter().any(|known| known == format)
    }

    /// Whether it takes a file of this name.
    pub fn takes_name(&self, name: &str) -> bool {
        let extension = name.rsplit_once('.').map(|(_, extension)| extension.to_lowercase());
        self.extensions.is_empty() || extension.is_some_and(|extension| self.extensions.contains(&extension))
    }
}

fn rule(spec: RuleSpec, diagnostics: &mut Diagnostics) -> Option<ProductionRule> {
    let before = diagnostics.len();
    check_name(&spec.name, diagnostics);
    let within = spec.within.as_ref().map(|id| CollectionId::new(self::id(id, "collection", diagnostics)));
    let closed = closed(spec.closed.into_value(), diagnostics);
    let target = Target::compile(&spec.target, diagnostics);
    if spec.part.is_empty() {
        let remedy = "add at least one `[[rule.part]]` with its folder";
        diagnostics.report(spec.name.span(), "no-parts", "nothing goes into the package", remedy);
    }
    let mut folders = BTreeSet::new();
    let parts = spec.part.into_iter().map(|spec| part(spec, &mut folders, diagnostics)).collect();
    let shown = spec.shown.iter().map(|spec| shown(spec, diagnostics)).collect();
    let told = told(spec.told, diagnostics);
    let writes_closing = |field: &Option<String>| field.as_ref() == Some(&closed.field);
    if told.view.as_ref() == Some(&closed.view)
        && (writes_closing(&told.state_field) || writes_closing(&told.node_field))
    {
        let field = &closed.field;
        diagnostics.report(
            spec.name.span(),
            "reopens-itself",
            format!("`{field}` says whether the collection is closed, and would be overwritten by the flow"),
            "let `told.state_field` and `told.node_field` be other fields",
        );
    }
    if diagnostics.len() > before {
        return None;
    }
    Some(ProductionRule {
        name: spec.name.into_value(),
        categories: spec.categories,
        within,
        closed,
        target: target?,
        parts,
        reading: spec.reading,
        comments: spec.comments,
        shown,
        recycled: spec.recycled,
        look_again: SignedDuration::from_mins(i64::from(spec.held.look_again_minutes.max(1))),
        report_after: SignedDuration::from_hours(i64::from(spec.held.report_after_hours)),
        told,
        archive_state: spec.archive_state,
    })
}

/// The id of something in iconik.
fn id(text: &Located<String>, what: &str, diagnostics: &mut Diagnostics) -> String {
    let id = text.value();
    if !is_uuid(id) {
        diagnostics.report(
            text.span(),
            "bad-id",
            format!("`{id}` is not the id of a {what}"),
            format!("write the id that iconik shows in the address of the {what}, 32 hexadecimal digits in five groups"),
        );
    }
    id.to_lowercase()
}

fn not_blank(text: &Located<String>, diagnostics: &mut Diagnostics) -> String {
    if text.value().trim().is_empty() {
        let remedy = "write the key of the field in iconik, such as `ProductionState`";
        diagnostics.report(text.span(), "empty-name", "the name is empty", remedy);
    }
    text.value().clone()
}

fn closed(spec: ClosedSpec, diagnostics: &mut Diagnostics) -> Closed {
    if spec.values.value().is_empty() {
        let remedy = "list the values of the field that a closed collection has";
        diagnostics.report(spec.values.span(), "never-closed", "no value means closed", remedy);
    }
    Closed {
        view: ViewId::new(id(&spec.view, "metadata view", diagnostics)),
        field: not_blank(&spec.field, diagnostics),
        values: spec.values.into_value(),
        revision_field: spec.revision_field.map(|field| not_blank(&field, diagnostics)),
    }
}

fn part(spec: PartSpec, folders: &mut BTreeSet<String>, diagnostics: &mut Diagnostics) -> Part {
    let folder = spec.folder.value().clone();
    if let Err(expected) = check_segment(&folder) {
        let message = format!("the folder of a part must be {expected}");
        diagnostics.report(spec.folder.span(), "bad-folder", message, "write one name, such as `Masters`");
    }
    if folder.eq_ignore_ascii_case(RECORDS_FOLDER) {
        let message = format!("`{RECORDS_FOLDER}` is where approvals, comments and the summary are");
        diagnostics.report(spec.folder.span(), "folder-taken", message, "choose another folder");
    } else if !folders.insert(folder.to_lowercase()) {
        let message = format!("two parts have the folder `{folder}`");
        diagnostics.report(spec.folder.span(), "folder-taken", message, "give each part a folder of its own");
    }
    let mut kinds = Vec::new();
    if let Some(words) = &spec.kinds {
        for word in words.value() {
            if KINDS.contains(&word.as_str()) {
                kinds.push(AssetKind::from(word.as_str()));
                continue;
            }
            let message = format!("`{word}` is not a type of asset that has files");
            diagnostics.report(words.span(), "unknown-value", message, format!("use {}", KINDS.join(", ")));
        }
    }
    let extension = |text: String| text.trim_start_matches(['*', '.']).to_lowercase();
    Part {
        title: spec.title.unwrap_or_else(|| folder.clone()),
        folder,
        categories: spec.categories,
        kinds,
        formats: spec.formats,
        extensions: spec.extensions.into_iter().map(extension).collect(),
        version: spec.version,
        every_asset: spec.every_asset,
        at_least: spec.at_least,
        missing: spec.missing,
    }
}

/// Types of assets that have files of their own. A placeholder is to have some.
const KINDS: [&str; 5] = ["ASSET", "SEQUENCE", "NLE_PROJECT", "CUSTOM", "PLACEHOLDER"];

fn shown(spec: &ShownSpec, diagnostics: &mut Diagnostics) -> Shown {
    Shown {
        view: ViewId::new(id(&spec.view, "metadata view", diagnostics)),
        title: spec.title.clone(),
        fields: spec.fields.clone(),
    }
}

fn told(spec: ToldSpec, diagnostics: &mut Diagnostics) -> Told {
    let field = [&spec.state_field, &spec.node_field].into_iter().flatten().next();
    if let (Some(field), None) = (field, &spec.view) {
        let remedy = "add `view = \"…\"` with the id of the metadata view";
        diagnostics.report(field.span(), "no-view", "nothing says in which view the field is", remedy);
    }
    Told {
        view: spec.view.as_ref().map(|view| ViewId::new(id(view, "metadata view", diagnostics))),
        state_field: spec.state_field.map(|field| not_blank(&field, diagnostics)),
        packing: spec.packing,
        held: spec.held,
        archived: spec.archived.unwrap_or_else(|| "archived".to_owned()),
        node_field: spec.node_field.map(|field| not_blank(&field, diagnostics)),
        history: spec.history,
    }
}

/// The JSON Schema of rule files, for editors.
pub fn schema() -> String {
    let mut schema = schemars::schema_for!(file::ProductionRulesFile);
    schema.insert("title".to_owned(), "Waybill production rules".into());
    let mut text = serde_json::to_string_pretty(&schema).unwrap_or_default();
    text.push('\n');
    text
}
