//! Publish rules: which approved documents are published, under which key, for which audiences.
//!
//! [`PublishRules::parse`] reads the file once, at start, and tells everything wrong with it with line and remedy.

pub mod file;
#[cfg(test)]
mod tests;

use std::{collections::BTreeMap, num::NonZeroU32, time::Duration};

use shared::{
    content_server::NodePath,
    http::Disposition,
    links::Audience,
    mapping::{Diagnostics, Document, KeyPattern, Located, Members, PathTemplate, Scope, closest},
};

use self::file::{ApprovedSpec, AudienceSpec, PublicationSpec, RuleSpec};
pub use self::file::{Held, Superseded};
use crate::rule_words::{check_name, is_type_wanted, path};

/// The rules in the package, used when no others are configured.
pub const SAMPLE: &str = include_str!("../../rules/publish-rules.toml");

/// Links live no longer than this, in days.
const LONGEST_LINK: u32 = 3650;

/// All rules of a file.
#[derive(Debug, Clone)]
pub struct PublishRules {
    /// The category that says what was published.
    pub publication: Option<Publication>,
    /// The rules in the order they are tried.
    pub rules: Vec<PublishRule>,
}

/// The category that says what was published, and its attributes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Publication {
    /// Where the category is.
    pub category: NodePath,
    /// The attribute with the state.
    pub state: String,
    /// The attribute with the version.
    pub version: Option<String>,
    /// The attribute with the address of the copy.
    pub location: Option<String>,
    /// The attribute with its SHA-256.
    pub sha256: Option<String>,
    /// The attribute with the moment.
    pub published_at: Option<String>,
    /// The attribute with the reason of a withdrawal.
    pub reason: Option<String>,
    /// The attributes with links, of all audiences.
    pub links: Vec<String>,
}

/// Somebody who is given links.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LinkAudience {
    /// Its name.
    pub name: String,
    /// The attribute that takes the link.
    pub attribute: String,
    /// How long a link lives.
    pub valid: Duration,
    /// How often it may be used.
    pub uses: Option<NonZeroU32>,
    /// Who may use it.
    pub audience: Audience,
    /// What becomes of it when another version is approved.
    pub superseded: Superseded,
}

/// One rule.
#[derive(Debug, Clone)]
pub struct PublishRule {
    /// Its name.
    pub name: String,
    /// The container it applies to.
    pub within: Option<NodePath>,
    /// The pattern of document names it takes.
    pub document_name: Option<KeyPattern>,
    /// The media types it takes; all when empty.
    pub content_types: Vec<String>,
    /// What makes a version an approved one.
    pub approved: Approved,
    /// The key of the copy.
    pub key: PathTemplate,
    /// The audiences that get a link.
    pub audiences: Vec<LinkAudience>,
    /// What a browser does with the copy.
    pub disposition: Disposition,
    /// The attribute with the day from which on the document is not valid.
    pub expires: Option<String>,
    /// Whether a document on hold is published.
    pub held: Held,
    /// Classifications that forbid it.
    pub never_classified: Vec<NodePath>,
    /// Whether documents are published together.
    pub package: Option<Package>,
}

/// What makes a version an approved one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Approved {
    /// An attribute says so.
    Attribute {
        /// The category.
        category: NodePath,
        /// The attribute with the state.
        attribute: String,
        /// The values that mean approved.
        values: Vec<String>,
        /// The attribute with the number of the version.
        version: Option<String>,
    },
    /// A request says so.
    Request,
    /// A workflow that has ended says so.
    Workflow {
        /// The deciding step.
        step: String,
        /// Its dispositions that approve.
        dispositions: Vec<String>,
    },
}

/// Documents that are published together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Package {
    /// The attribute with the name of the package.
    pub id: Option<String>,
}

impl PublishRule {
    /// Whether a media type is one of those the rule takes.
    pub fn takes_type(&self, media_type: Option<&str>) -> bool {
        is_type_wanted(&self.content_types, media_type)
    }
}

impl PublishRules {
    /// Reads a rule file. Everything wrong with it is told together, each with file, line, column and remedy.
    ///
    /// # Errors
    /// When anything is wrong.
    pub fn parse(text: &str, file: &str) -> Result<Self, Diagnostics> {
        let (mut document, mut diagnostics) = Document::parse(file, text)?;
        let publication = document.value::<PublicationSpec>("publication", &mut diagnostics);
        let audiences = document.list::<AudienceSpec>("audience", &mut diagnostics);
        let specs = document.list::<RuleSpec>("rule", &mut diagnostics);
        let end = document.end();
        let broken = !diagnostics.is_empty();
        document.finish(&mut diagnostics);
        if specs.is_empty() && !broken {
            diagnostics.report(end, "no-rules", "the file has no rules", "add at least one `[[rule]]`");
        }
        let mut publication =
            publication.and_then(|spec| publication_of(spec.into_value(), &mut diagnostics));
        let audiences = audiences_of(
            audiences.into_iter().map(Located::into_value),
            publication.as_ref(),
            &mut diagnostics,
        );
        if let Some(publication) = &mut publication {
            publication.links = audiences.values().map(|audience| audience.attribute.clone()).collect();
        }
        let mut rules: Vec<PublishRule> = Vec::new();
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
            rules.extend(rule_of(spec, &audiences, &mut diagnostics));
        }
        diagnostics.finish(Self { publication, rules })
    }

    /// Whether any rule issues links.
    pub fn issues_links(&self) -> bool {
        self.rules.iter().any(|rule| !rule.audiences.is_empty())
    }
}

fn publication_of(spec: PublicationSpec, diagnostics: &mut Diagnostics) -> Option<Publication> {
    let text = |name: Option<Located<String>>| name.map(Located::into_value);
    Some(Publication {
        category: path(&spec.category, diagnostics)?,
        state: spec.state.into_value(),
        version: text(spec.version),
        location: text(spec.location),
        sha256: text(spec.sha256),
        published_at: text(spec.published_at),
        reason: text(spec.reason),
        links: Vec::new(),
    })
}

fn audiences_of(
    specs: impl Iterator<Item = AudienceSpec>,
    publication: Option<&Publication>,
    diagnostics: &mut Diagnostics,
) -> BTreeMap<String, LinkAudience> {
    let mut audiences = BTreeMap::new();
    for spec in specs {
        let before = diagnostics.len();
        check_name(&spec.name, diagnostics);
        if audiences.contains_key(spec.name.value()) {
            let message = format!("the name `{}` is taken by an earlier audience", spec.name.value());
            diagnostics.report(spec.name.span(), "duplicate-audience", message, "give each its own name");
        }
        if audiences.values().any(|other: &LinkAudience| other.attribute == *spec.link.value()) {
            let message =
                format!("the attribute `{}` takes the links of another audience", spec.link.value());
            diagnostics.report(spec.link.span(), "shared-attribute", message, "give each audience its own");
        }
        if publication.is_none() {
            diagnostics.report(
                spec.link.span(),
                "no-publication",
                "links are told in the publication category, and the file has no `[publication]`",
                "name the category and its attributes under `[publication]`",
            );
        }
        let days = *spec.valid_days.value();
        if days == 0 || days > LONGEST_LINK {
            diagnostics.report(
                spec.valid_days.span(),
                "bad-days",
                format!("a link cannot live {days} days"),
                format!("write 1 to {LONGEST_LINK}"),
            );
        }
        if let Some(none) = spec.uses.as_ref().filter(|uses| *uses.value() == 0) {
            diagnostics.report(none.span(), "no-uses", "a link with 0 uses is none", "write 1 or more");
        }
        let domains: Vec<&str> = spec.email_domains.iter().map(String::as_str).collect();
        let networks = spec.networks.as_ref().map(|list| list.value().as_slice()).unwrap_or_default();
        let networks: Vec<&str> = networks.iter().map(String::as_str).collect();
        let audience = Audience::of(&domains, &networks).map_err(|error| {
            let span = spec.networks.as_ref().filter(|_| error.code() == "link.network");
            let span = span.map_or_else(|| spec.name.span(), Located::span);
            diagnostics.report(
                span,
                "bad-audience",
                error.message(),
                error.remedy_text().unwrap_or_default(),
            );
        });
        let Ok(audience) = audience else { continue };
        if diagnostics.len() > before {
            continue;
        }
        let name = spec.name.into_value();
        audiences.insert(
            name.clone(),
            LinkAudience {
                name,
                attribute: spec.link.into_value(),
                valid: Duration::from_secs(u64::from(days) * 86_400),
                uses: spec.uses.and_then(|uses| NonZeroU32::new(uses.into_value())),
                audience,
                superseded: spec.superseded,
            },
        );
    }
    audiences
}

fn rule_of(
    spec: RuleSpec,
    audiences: &BTreeMap<String, LinkAudience>,
    diagnostics: &mut Diagnostics,
) -> Option<PublishRule> {
    let before = diagnostics.len();
    check_name(&spec.name, diagnostics);
    let within = spec.within.as_ref().and_then(|place| path(place, diagnostics));
    let document_name = spec
        .document_name
        .as_ref()
        .and_then(|pattern| KeyPattern::compile(pattern, &BTreeMap::new(), diagnostics));
    let span = spec.approved.span();
    let by_attribute = matches!(spec.approved.value(), ApprovedSpec::Attribute { .. });
    check_category(&spec, by_attribute, diagnostics);
    let approved = approved_of(spec.approved, diagnostics);
    let key = PathTemplate::compile(&spec.key, &scope(document_name.as_ref(), by_attribute), diagnostics);
    if spec.package.is_some()
        && let Some(found) =
            key.as_ref().and_then(|key| key.paths().find(|path| !path.starts_with("folder.")))
        && !found.starts_with("package.")
    {
        diagnostics.report(
            spec.key.span(),
            "key-of-one-document",
            format!("`{found}` is of one document, and a package has several"),
            "use `{folder.id}`, `{folder.name}` and `{package.id}`",
        );
    }
    let named = named(&spec.audiences, audiences, diagnostics);
    let never: Vec<NodePath> =
        spec.never_classified.iter().filter_map(|place| path(place, diagnostics)).collect();
    let (Some(approved), Some(key)) = (approved, key) else {
        if diagnostics.len() == before {
            diagnostics.report(span, "bad-approval", "the rule cannot be read", "see the schema");
        }
        return None;
    };
    if diagnostics.len() > before {
        return None;
    }
    Some(PublishRule {
        name: spec.name.into_value(),
        within,
        document_name,
        content_types: spec.content_types.map(Located::into_value).unwrap_or_default(),
        approved,
        key,
        audiences: named,
        disposition: spec.disposition,
        expires: spec.expires.map(Located::into_value),
        held: spec.held,
        never_classified: never,
        package: spec.package.map(|package| Package { id: package.id.map(Located::into_value) }),
    })
}

/// What is named by an attribute needs the category it is in.
fn check_category(spec: &RuleSpec, by_attribute: bool, diagnostics: &mut Diagnostics) {
    let id = spec.package.as_ref().and_then(|package| package.id.as_ref());
    if let Some(needing) = spec.expires.as_ref().or(id)
        && !by_attribute
    {
        diagnostics.report(
            needing.span(),
            "no-category",
            format!(
                "`{}` is an attribute of the approving category, and this rule has none",
                needing.value()
            ),
            "approve by an attribute, or remove it",
        );
    }
}

/// The audiences that a rule names.
fn named(
    names: &[Located<String>],
    audiences: &BTreeMap<String, LinkAudience>,
    diagnostics: &mut Diagnostics,
) -> Vec<LinkAudience> {
    let mut named = Vec::with_capacity(names.len());
    for name in names {
        match audiences.get(name.value()) {
            Some(audience) => named.push(audience.clone()),
            None => {
                let near = closest(name.value(), audiences.keys().map(String::as_str));
                let remedy = near.map_or_else(
                    || "add an `[[audience]]` with this name".to_owned(),
                    |near| format!("did you mean `{near}`?"),
                );
                let message = format!("there is no audience `{}`", name.value());
                diagnostics.report(name.span(), "unknown-audience", message, remedy);
            }
        }
    }
    named
}

fn approved_of(spec: Located<ApprovedSpec>, diagnostics: &mut Diagnostics) -> Option<Approved> {
    let span = spec.span();
    match spec.into_value() {
        ApprovedSpec::Request => Some(Approved::Request),
        ApprovedSpec::Workflow { step, dispositions } => {
            if dispositions.is_empty() || dispositions.iter().any(|name| name.trim().is_empty()) {
                diagnostics.report(
                    span,
                    "no-approval",
                    "no disposition of the step means approved",
                    "write `dispositions = [\"Approve\"]`, as the workflow map has them",
                );
            }
            Some(Approved::Workflow { step, dispositions })
        }
        ApprovedSpec::Attribute { category, attribute, values, version } => {
            if values.is_empty() || values.iter().any(|value| value.trim().is_empty()) {
                diagnostics.report(
                    span.clone(),
                    "no-approval",
                    "no value of the attribute means approved",
                    "write `values = [\"Approved\"]`; an empty attribute approves nothing",
                );
            }
            let category = path(&Located::new(category, span), diagnostics)?;
            Some(Approved::Attribute { category, attribute, values, version })
        }
    }
}

/// What a key may be made of.
fn scope(document_name: Option<&KeyPattern>, by_attribute: bool) -> Scope {
    let only = |names: &[&str]| Members::Only(names.iter().map(|name| (*name).to_owned()).collect());
    let captures = match document_name {
        Some(pattern) => Members::Only(pattern.names().into_iter().map(str::to_owned).collect()),
        None => Members::Closed(
            "has no pattern to come from".to_owned(),
            "write a pattern as `document_name`".to_owned(),
        ),
    };
    let attributes = if by_attribute {
        Members::Any
    } else {
        Members::Closed(
            "has no category to come from".to_owned(),
            "approve by an attribute of a category".to_owned(),
        )
    };
    Scope::new()
        .with("node", only(&["id", "name"]))
        .with("folder", only(&["id", "name"]))
        .with("package", only(&["id"]))
        .with("capture", captures)
        .with("attribute", attributes)
}

/// The JSON Schema of rule files, for editors.
pub fn schema() -> String {
    let mut schema = schemars::schema_for!(file::PublishRulesFile);
    schema.insert("title".to_owned(), "Waybill publish rules".into());
    let mut text = serde_json::to_string_pretty(&schema).unwrap_or_default();
    text.push('\n');
    text
}
