//! Link rules: which documents of a workspace are shown in its collections, and how.
//!
//! [`LinkRules::parse`] reads the file once, at start, and tells everything wrong with it with line and remedy.

pub mod file;
#[cfg(test)]
mod tests;

use std::{collections::BTreeMap, ops::Range};

use shared::{
    content_server::NodePath,
    iconik::ViewId,
    mapping::{
        Diagnostics, Document, KeyPattern, Located, Members, Scope, Template, check_name, check_names_differ,
        check_segment,
    },
};

use self::file::{
    AssetSpec, CollectionSpec, ConfidentialSpec, DetailsSpec, LinksSpec, RuleSpec, ShowSpec, ValueSpec,
};
use crate::view_rules::view_id;

/// The rules in the package, used when no others are configured.
pub const SAMPLE: &str = include_str!("../../rules/link-rules.toml");

/// A rule file.
#[derive(Debug, Clone)]
pub struct LinkRules {
    /// How the collections of a workspace are known.
    pub collection: MappedBy,
    /// Where a link leads; nothing for the address of Content Server that the flow has.
    pub address: Option<Template>,
    /// What is never shown.
    pub confidential: Confidential,
    /// The rules in the order they are tried.
    pub rules: Vec<LinkRule>,
}

/// How the collections of a workspace are known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum MappedBy {
    /// An attribute of the workspace holds their ids.
    Attribute {
        /// The category.
        category: NodePath,
        /// The attribute.
        attribute: String,
    },
    /// Their external id is the number of the workspace.
    ExternalId,
}

/// What is never shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Confidential {
    /// Classifications.
    pub classifications: Vec<NodePath>,
    /// Values.
    pub attributes: Vec<Valued>,
}

/// Values of an attribute.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Valued {
    /// The category.
    pub category: NodePath,
    /// The attribute.
    pub attribute: String,
    /// The values.
    pub values: Vec<String>,
}

/// One rule.
#[derive(Debug, Clone)]
pub struct LinkRule {
    /// Its name.
    pub name: String,
    /// Folders of the workspace, each as its names; the whole workspace when there is none.
    pub folders: Vec<Vec<String>>,
    /// The pattern of document names it takes.
    pub document_name: Option<KeyPattern>,
    /// The media types it takes; all when empty.
    pub content_types: Vec<String>,
    /// The values a document must have.
    pub when: Option<Valued>,
    /// How its documents are shown.
    pub show: Show,
}

/// How documents are shown.
#[derive(Debug, Clone)]
pub enum Show {
    /// As an asset of the type LINK.
    Asset(ShownAsset),
    /// As a value of a field of the collection.
    Field(ShownField),
}

/// A field of a collection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ShownField {
    /// The view.
    pub view: ViewId,
    /// The field.
    pub field: String,
}

/// An asset of the type LINK.
#[derive(Debug, Clone)]
pub struct ShownAsset {
    /// Its title.
    pub title: Template,
    /// Its category.
    pub category: Option<String>,
    /// Values of its metadata: the view, and a text by field.
    pub details: Option<(ViewId, BTreeMap<String, Template>)>,
    /// The relation type, and the categories of the assets that are related to it; all when there is none.
    pub relation: Option<(String, Vec<String>)>,
}

impl LinkRule {
    /// Whether a document that lies in these folders of the workspace, outermost first, is where the rule looks.
    pub fn takes_place(&self, folders: &[&str]) -> bool {
        let within = |wanted: &Vec<String>| {
            wanted.len() <= folders.len() && wanted.iter().zip(folders).all(|(wanted, name)| wanted == name)
        };
        self.folders.is_empty() || self.folders.iter().any(within)
    }

    /// Whether a media type is one of those the rule takes.
    pub fn takes_type(&self, media_type: Option<&str>) -> bool {
        let is_it = |wanted: &String, found: &str| match wanted.strip_suffix("/*") {
            Some(family) => found.split('/').next() == Some(family),
            None => found.eq_ignore_ascii_case(wanted),
        };
        self.content_types.is_empty()
            || media_type.is_some_and(|found| self.content_types.iter().any(|wanted| is_it(wanted, found)))
    }
}

impl LinkRules {
    /// Reads a rule file. Everything wrong with it is told together, each with file, line, column and remedy.
    ///
    /// # Errors
    /// When anything is wrong.
    pub fn parse(text: &str, file: &str) -> Result<Self, Diagnostics> {
        let (mut document, mut diagnostics) = Document::parse(file, text)?;
        let links = document.value::<LinksSpec>("links", &mut diagnostics).map(Located::into_value);
        let confidential =
            document.value::<ConfidentialSpec>("confidential", &mut diagnostics).map(Located::into_value);
        let told = !diagnostics.is_empty();
        let specs = document.list::<RuleSpec>("rule", &mut diagnostics);
        let end = document.end();
        let broken = !diagnostics.is_empty();
        document.finish(&mut diagnostics);
        let tables = [
            (links.is_some(), "links", "say how a workspace names its collections"),
            (
                confidential.is_some(),
                "confidential",
                "name what is never shown, or write `classifications = []`",
            ),
        ];
        for (_, table, remedy) in tables.into_iter().filter(|(there, ..)| !there && !told) {
            diagnostics.report(end.clone(), "missing-key", format!("the file has no `[{table}]`"), remedy);
        }
        if specs.is_empty() && !broken {
            diagnostics.report(end, "no-rules", "the file has no rules", "add at least one `[[rule]]`");
        }
        let specs: Vec<RuleSpec> = specs.into_iter().map(Located::into_value).collect();
        check_names_differ("rules", specs.iter().map(|spec| &spec.name), &mut diagnostics);
        let links = links.and_then(|links| compile_links(links, &mut diagnostics));
        let confidential = confidential.map(|spec| compile_confidential(&spec, &mut diagnostics));
        let rules = specs.into_iter().filter_map(|spec| compile_rule(spec, &mut diagnostics)).collect();
        match (links, confidential) {
            (Some((collection, address)), Some(confidential)) => {
                diagnostics.finish(Self { collection, address, confidential, rules })
            }
            // Why there is none has been reported.
            _ => Err(diagnostics),
        }
    }
}

fn compile_links(spec: LinksSpec, diagnostics: &mut Diagnostics) -> Option<(MappedBy, Option<Template>)> {
    let span = spec.collection.span();
    let collection = match spec.collection.into_value() {
        CollectionSpec::ExternalId => MappedBy::ExternalId,
        CollectionSpec::Attribute { category, attribute } => {
            let category = path(&category, span, diagnostics)?;
            MappedBy::Attribute { category, attribute }
        }
    };
    let Some(address) = spec.address else { return Some((collection, None)) };
    let scope = Scope::new().with("node", only(&["id"]));
    let template = Template::compile(&address, &scope, diagnostics)?;
    let is_address = ["http://", "https://"].iter().any(|scheme| address.value().starts_with(scheme));
    if !is_address || template.fixed().is_some() {
        diagnostics.report(
            address.span(),
            "bad-address",
            format!("`{}` is not the address of a document", address.value()),
            "write `https://` and a host, with `{node.id}` where the document's number stands",
        );
        return None;
    }
    Some((collection, Some(template)))
}

fn compile_confidential(spec: &ConfidentialSpec, diagnostics: &mut Diagnostics) -> Confidential {
    let classes = spec.classifications.iter();
    Confidential {
        classifications: classes.filter_map(|class| path(class.value(), class.span(), diagnostics)).collect(),
        attributes: spec.attributes.iter().filter_map(|values| valued(values, diagnostics)).collect(),
    }
}

fn valued(spec: &ValueSpec, diagnostics: &mut Diagnostics) -> Option<Valued> {
    let category = path(spec.category.value(), spec.category.span(), diagnostics);
    let values = spec.values.value();
    if values.is_empty() || values.iter().any(|value| value.trim().is_empty()) {
        diagnostics.report(
            spec.values.span(),
            "no-values",
            "no value is named, or an empty one",
            "write what the attribute holds, such as `values = [\"Contract\"]`",
        );
    }
    Some(Valued { category: category?, attribute: spec.attribute.clone(), values: values.clone() })
}

fn compile_rule(spec: RuleSpec, diagnostics: &mut Diagnostics) -> Option<LinkRule> {
    let before = diagnostics.len();
    check_name(&spec.name, diagnostics);
    let folders = spec.folders.iter().map(|folder| names(folder, diagnostics)).collect();
    let pattern = spec.document_name.as_ref();
    let document_name =
        pattern.and_then(|pattern| KeyPattern::compile(pattern, &BTreeMap::new(), diagnostics));
    let when = spec.when.as_ref().and_then(|values| valued(values, diagnostics));
    let span = spec.show.span();
    let show = match spec.show.into_value() {
        ShowSpec::Field { view, field } => {
            let view = view_id(&view, &span, diagnostics);
            if field.trim().is_empty() {
                let remedy = "write the key of the field in iconik, such as `ContentServerLink`";
                diagnostics.report(span, "empty-name", "the name is empty", remedy);
            }
            view.map(|view| Show::Field(ShownField { view, field }))
        }
        ShowSpec::Asset(asset) => compile_asset(*asset, &span, document_name.as_ref(), diagnostics),
    };
    if diagnostics.len() > before {
        return None;
    }
    Some(LinkRule {
        name: spec.name.into_value(),
        folders,
        document_name,
        content_types: spec.content_types,
        when,
        show: show?,
    })
}

fn compile_asset(
    spec: AssetSpec,
    span: &Range<usize>,
    document_name: Option<&KeyPattern>,
    diagnostics: &mut Diagnostics,
) -> Option<Show> {
    let scope = scope(document_name);
    let title = spec.title.unwrap_or_else(|| "{node.name}".to_owned());
    let title = Template::compile(&Located::new(title, span.clone()), &scope, diagnostics);
    let details = match spec.details {
        None => None,
        Some(DetailsSpec { view, values }) => {
            let view = view_id(&view, span, diagnostics);
            let mut compiled = BTreeMap::new();
            for (field, text) in values {
                let text = Template::compile(&Located::new(text, span.clone()), &scope, diagnostics);
                compiled.extend(text.map(|text| (field, text)));
            }
            view.map(|view| (view, compiled))
        }
    };
    let relation = spec.relation.map(|relation| (relation.kind, relation.categories));
    if relation.as_ref().is_some_and(|(kind, _)| kind.trim().is_empty()) {
        let remedy = "write the name of a relation type that iconik has, such as `reference`";
        diagnostics.report(span.clone(), "empty-name", "the relation type has no name", remedy);
    }
    Some(Show::Asset(ShownAsset { title: title?, category: spec.category, details, relation }))
}

/// What a title may be made of.
fn scope(document_name: Option<&KeyPattern>) -> Scope {
    let captures = match document_name {
        Some(pattern) => Members::Only(pattern.names().into_iter().map(str::to_owned).collect()),
        None => Members::Closed(
            "has no pattern to come from".to_owned(),
            "write a pattern as `document_name`".to_owned(),
        ),
    };
    Scope::new()
        .with("node", only(&["id", "name"]))
        .with("version", only(&["number"]))
        .with("workspace", only(&["id", "name"]))
        .with("capture", captures)
}

fn only(names: &[&str]) -> Members {
    Members::Only(names.iter().map(|name| (*name).to_owned()).collect())
}

/// The names of a way through folders.
fn names(folder: &Located<String>, diagnostics: &mut Diagnostics) -> Vec<String> {
    let names: Vec<String> = folder.value().split('/').map(str::to_owned).collect();
    if names.iter().any(|name| check_segment(name).is_err()) {
        diagnostics.report(
            folder.span(),
            "bad-folder",
            format!("`{}` is not a way through folders of a workspace", folder.value()),
            "write names with `/` between them, such as `Contracts` or `Briefs/Final`",
        );
    }
    names
}

fn path(text: &str, span: Range<usize>, diagnostics: &mut Diagnostics) -> Option<NodePath> {
    text.parse()
        .map_err(|_| {
            diagnostics.report(
                span,
                "bad-path",
                format!("`{text}` is not a path in Content Server"),
                "write `Categories:Business/Production`, `Classifications:Sensitivity/Confidential`, or `#7001`",
            );
        })
        .ok()
}

/// The JSON Schema of rule files, for editors.
pub fn schema() -> String {
    let mut schema = schemars::schema_for!(file::LinkRulesFile);
    schema.insert("title".to_owned(), "Waybill link rules".into());
    let mut text = serde_json::to_string_pretty(&schema).unwrap_or_default();
    text.push('\n');
    text
}
