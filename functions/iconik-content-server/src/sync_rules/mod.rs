//! Sync rules: which fields of an asset and of its document are kept equal, and who wins.
//!
//! [`SyncRules::parse`] reads the file once, at start, and tells everything wrong with it with line and remedy.

pub mod file;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};

use shared::{
    content_server::NodePath,
    mapping::{Diagnostics, Document, Located, closest},
};

use self::file::{FieldSpec, KindName, ManyName, OptionSpec, PairSpec, PolicyName, SideName};
use crate::{
    sync_asset_metadata::{
        content::{FieldOption, Kind, Many, Shape, normal_text},
        merge::{FieldRule, Policy},
        state::Side,
    },
    view_rules::view_id,
};

/// The rules in the package, used when no others are configured.
pub const SAMPLE: &str = include_str!("../../rules/sync-rules.toml");

/// The most characters of a text attribute in Content Server, unless the rules say otherwise.
const LONGEST: usize = 254;

/// A rule file.
#[derive(Debug, Clone)]
pub struct SyncRules {
    /// The metadata view in iconik.
    pub view: String,
    /// The category in Content Server.
    pub category: NodePath,
    /// Where an asset says which document is its own: a view and a field of it.
    pub node: Option<(String, String)>,
    /// The attribute of the category by which a document tells its asset.
    pub asset: Option<String>,
    /// The fields, in the order of the file.
    pub fields: Vec<Field>,
}

/// One field that is kept equal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Field {
    /// Its name and who wins.
    pub rule: FieldRule,
    /// Its name in iconik.
    pub iconik: String,
    /// Its name in Content Server.
    pub content_server: String,
    /// What it can hold.
    pub shape: Shape,
}

type Lists = BTreeMap<String, Vec<FieldOption>>;
/// A list of options as it is written: its name, and the options unless they are broken.
type ListSpec = (Located<String>, Option<Vec<OptionSpec>>);
/// One of the names of a field.
type NameOf = fn(&FieldSpec) -> &Located<String>;

impl SyncRules {
    /// Reads a rule file. Everything wrong with it is told together, each with file, line, column and remedy.
    ///
    /// # Errors
    /// When anything is wrong.
    pub fn parse(text: &str, file: &str) -> Result<Self, Diagnostics> {
        let (mut document, mut diagnostics) = Document::parse(file, text)?;
        let pair = document.value::<PairSpec>("pair", &mut diagnostics).map(Located::into_value);
        let told = !diagnostics.is_empty();
        let specs = document.list::<FieldSpec>("field", &mut diagnostics);
        let lists = document.named::<Vec<OptionSpec>>("options", &mut diagnostics);
        let end = document.end();
        let broken = !diagnostics.is_empty();
        document.finish(&mut diagnostics);
        if pair.is_none() && !told {
            let remedy = "name the metadata view of iconik and the category of Content Server";
            diagnostics.report(end.clone(), "missing-key", "the file has no `[pair]`", remedy);
        }
        if specs.is_empty() && !broken {
            diagnostics.report(end, "no-fields", "the file has no fields", "add at least one `[[field]]`");
        }
        let pair = pair.and_then(|pair| compile_pair(&pair, &mut diagnostics));
        let specs: Vec<FieldSpec> = specs.into_iter().map(Located::into_value).collect();
        let lists = compile_lists(&lists, &specs, &mut diagnostics);
        check_unique(&specs, &mut diagnostics);
        let fields = specs.iter().filter_map(|spec| compile_field(spec, &lists, &mut diagnostics)).collect();
        match pair {
            Some(Pair { view, category, node, asset }) => {
                diagnostics.finish(Self { view, category, node, asset, fields })
            }
            // Why there is none has been reported.
            None => Err(diagnostics),
        }
    }

    /// What the merge needs to know of the fields.
    pub fn merged(&self) -> Vec<FieldRule> {
        self.fields.iter().map(|field| field.rule.clone()).collect()
    }
}

/// Where both sides are.
struct Pair {
    view: String,
    category: NodePath,
    node: Option<(String, String)>,
    asset: Option<String>,
}

fn compile_pair(pair: &PairSpec, diagnostics: &mut Diagnostics) -> Option<Pair> {
    let view = compile_view(&pair.view, diagnostics);
    let category = pair.category.value().parse().map_err(|_| {
        diagnostics.report(
            pair.category.span(),
            "bad-path",
            format!("`{}` is not a path in Content Server", pair.category.value()),
            "write `Categories:Marketing/Campaign Asset`, or `#7001`",
        );
    });
    let named = |name: &Located<String>, remedy: &str, diagnostics: &mut Diagnostics| {
        if name.value().trim().is_empty() {
            diagnostics.report(name.span(), "empty-name", "the name is empty", remedy);
        }
        name.value().clone()
    };
    let asset = pair.asset.as_ref().map(|asset| {
        named(asset, "write the name of the attribute with the asset's id, or remove `asset`", diagnostics)
    });
    let node = pair.node.as_ref().map(|node| {
        let field =
            named(&node.field, "write the key of the field, such as `ContentServerNode`", diagnostics);
        Some((compile_view(&node.view, diagnostics)?, field))
    });
    let node = match node {
        Some(node) => Some(node?),
        None => None,
    };
    Some(Pair { view: view?, category: category.ok()?, node, asset })
}

fn compile_view(view: &Located<String>, diagnostics: &mut Diagnostics) -> Option<String> {
    view_id(view.value(), &view.span(), diagnostics).map(|id| id.to_string())
}

/// The lists of options. No spelling may stand for two options of a list, and each list is for a field.
fn compile_lists(lists: &[ListSpec], fields: &[FieldSpec], diagnostics: &mut Diagnostics) -> Lists {
    let mut compiled = Lists::new();
    for (name, options) in lists {
        let uses =
            |field: &FieldSpec| field.options.as_ref().is_some_and(|list| list.value() == name.value());
        if !fields.iter().any(uses) {
            diagnostics.report(
                name.span(),
                "unused-options",
                format!("no field is chosen from the options `{}`", name.value()),
                "name them in a field, `options = \"…\"`, or remove them",
            );
        }
        let options = options.as_deref().unwrap_or_default();
        check_spellings(options, diagnostics);
        let option = |spec: &OptionSpec| FieldOption {
            iconik: spec.iconik.value().clone(),
            label: spec.label.as_ref().map(|label| label.value().clone()),
            content_server: spec.content_server.value().clone(),
        };
        compiled.insert(name.value().clone(), options.iter().map(option).collect());
    }
    compiled
}

fn check_spellings(options: &[OptionSpec], diagnostics: &mut Diagnostics) {
    let mut known: BTreeMap<String, usize> = BTreeMap::new();
    for (number, option) in options.iter().enumerate() {
        for spelling in [Some(&option.iconik), option.label.as_ref(), Some(&option.content_server)] {
            let Some(spelling) = spelling else { continue };
            let text = normal_text(spelling.value());
            let (code, message) = match known.insert(text.clone(), number) {
                _ if text.is_empty() => ("empty-option", "an option has an empty spelling".to_owned()),
                Some(other) if other != number => {
                    ("ambiguous-option", format!("`{text}` stands for two options of the list"))
                }
                _ => continue,
            };
            diagnostics.report(spelling.span(), code, message, "give each option spellings of its own");
        }
    }
}

/// No two fields have the same name, nor the same field on either side: they would overwrite each other for ever.
fn check_unique(fields: &[FieldSpec], diagnostics: &mut Diagnostics) {
    let names: [(NameOf, &str); 3] = [
        (|field| &field.name, "the name"),
        (|field| &field.iconik, "the field of iconik"),
        (|field| &field.content_server, "the attribute of Content Server"),
    ];
    for (name, what) in names {
        let mut taken = BTreeSet::new();
        for spelled in fields.iter().map(name) {
            if !taken.insert(spelled.value()) {
                diagnostics.report(
                    spelled.span(),
                    "duplicate-field",
                    format!("{what} `{}` is taken by an earlier field", spelled.value()),
                    "keep one of the two",
                );
            }
        }
    }
}

fn compile_field(spec: &FieldSpec, lists: &Lists, diagnostics: &mut Diagnostics) -> Option<Field> {
    let before = diagnostics.len();
    check_names(spec, diagnostics);
    let options = match &spec.options {
        Some(list) => options(list, spec.kind, lists, diagnostics),
        None => Vec::new(),
    };
    check_fitting(spec, diagnostics);
    let side = |side: SideName| match side {
        SideName::Iconik => Side::Iconik,
        SideName::ContentServer => Side::ContentServer,
    };
    let tie = spec.tie.as_ref().map_or(Side::ContentServer, |tie| side(*tie.value()));
    let policy = match spec.policy.value() {
        PolicyName::Iconik => Policy::Owner(Side::Iconik),
        PolicyName::ContentServer => Policy::Owner(Side::ContentServer),
        PolicyName::Newest => Policy::Newest { tie },
        PolicyName::Manual => Policy::Manual,
    };
    if diagnostics.len() > before {
        return None;
    }
    let longest =
        spec.max_length.as_ref().map_or(LONGEST, |most| usize::try_from(*most.value()).unwrap_or(usize::MAX));
    Some(Field {
        rule: FieldRule { name: spec.name.value().clone(), policy },
        iconik: spec.iconik.value().clone(),
        content_server: spec.content_server.value().clone(),
        shape: Shape {
            kind: kind(spec.kind),
            many: many(spec.many),
            options,
            longest: (spec.kind == KindName::Text).then_some(longest),
            separator: spec.separator.as_ref().map(|separator| separator.value().clone()),
        },
    })
}

const fn kind(name: KindName) -> Kind {
    match name {
        KindName::Text => Kind::Text,
        KindName::Integer => Kind::Integer,
        KindName::Decimal => Kind::Decimal,
        KindName::Boolean => Kind::Boolean,
        KindName::Date => Kind::Date,
        KindName::DateTime => Kind::DateTime,
    }
}

const fn many(name: ManyName) -> Many {
    match name {
        ManyName::One => Many::One,
        ManyName::List => Many::List,
        ManyName::Set => Many::Set,
    }
}

fn check_names(spec: &FieldSpec, diagnostics: &mut Diagnostics) {
    let name = spec.name.value();
    let allowed = |letter: char| letter.is_ascii_lowercase() || letter.is_ascii_digit() || letter == '-';
    if name.is_empty() || name.len() > 64 || !name.chars().all(allowed) {
        diagnostics.report(
            spec.name.span(),
            "bad-field-name",
            format!("`{name}` is not a name for a field"),
            "use 1 to 64 lower-case letters, digits and `-`",
        );
    }
    for (place, remedy) in [
        (&spec.iconik, "write the key of the field in iconik, such as `RightsStatus`"),
        (&spec.content_server, "write the name of the attribute, such as `Rights Status`"),
    ] {
        if place.value().trim().is_empty() {
            diagnostics.report(place.span(), "empty-name", "the name is empty", remedy);
        }
    }
}

fn options(
    list: &Located<String>,
    kind: KindName,
    lists: &Lists,
    diagnostics: &mut Diagnostics,
) -> Vec<FieldOption> {
    if kind != KindName::Text {
        diagnostics.report(
            list.span(),
            "options-of-text-only",
            "options are text",
            "remove `type`, or `options`",
        );
    }
    let found = lists.get(list.value());
    if found.is_none_or(Vec::is_empty) {
        let remedy = match closest(list.value(), lists.keys().map(String::as_str)) {
            Some(near) if near != list.value() => format!("did you mean `{near}`?"),
            _ => format!("add `[[options.{}]]` for each option", list.value()),
        };
        let message = format!("there are no options `{}`", list.value());
        diagnostics.report(list.span(), "unknown-options", message, remedy);
    }
    found.cloned().unwrap_or_default()
}

/// Whether the settings of a field make sense together.
fn check_fitting(spec: &FieldSpec, diagnostics: &mut Diagnostics) {
    if let Some(tie) = spec.tie.as_ref().filter(|_| *spec.policy.value() != PolicyName::Newest) {
        diagnostics.report(
            tie.span(),
            "tie-without-newest",
            "only `policy = \"newest\"` can end in a tie",
            "remove `tie`",
        );
    }
    if let Some(most) = &spec.max_length
        && (spec.kind != KindName::Text || *most.value() == 0)
    {
        let remedy = "write at least 1, and only for text";
        diagnostics.report(most.span(), "bad-max-length", "it is the most characters of a text", remedy);
    }
    if let Some(separator) = &spec.separator {
        let text = separator.value().trim();
        if text.is_empty() || spec.many == ManyName::One || spec.kind != KindName::Text {
            diagnostics.report(
                separator.span(),
                "bad-separator",
                "a separator is a visible text between several values of text",
                "write one such as `\"; \"` and `many = \"set\"`, or remove it",
            );
        }
    }
}

/// The JSON Schema of rule files, for editors.
pub fn schema() -> String {
    let mut schema = schemars::schema_for!(file::SyncRulesFile);
    schema.insert("title".to_owned(), "Waybill sync rules".into());
    let mut text = serde_json::to_string_pretty(&schema).unwrap_or_default();
    text.push('\n');
    text
}
