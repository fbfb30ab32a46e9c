//! Words that the rule files of several flows have in common, and their checks.

use std::collections::BTreeSet;

use aws_sdk_s3::types::StorageClass;
use schemars::JsonSchema;
use serde::{Deserialize, de::DeserializeOwned};
use shared::{
    content_server::NodePath,
    mapping::{Diagnostics, Document, Located},
};

/// The storage classes of S3.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum ClassName {
    /// Read at once, three zones.
    #[default]
    Standard,
    /// Read at once, seldom.
    StandardIa,
    /// Read at once, seldom, in one zone.
    OnezoneIa,
    /// Moves by itself.
    IntelligentTiering,
    /// Read at once, very seldom.
    GlacierIr,
    /// Restored in hours before it is read.
    Glacier,
    /// Restored in a day before it is read.
    DeepArchive,
}

impl ClassName {
    /// The class in the SDK's words; nothing for the standard one.
    pub(crate) fn class(self) -> Option<StorageClass> {
        match self {
            Self::Standard => None,
            Self::StandardIa => Some(StorageClass::StandardIa),
            Self::OnezoneIa => Some(StorageClass::OnezoneIa),
            Self::IntelligentTiering => Some(StorageClass::IntelligentTiering),
            Self::GlacierIr => Some(StorageClass::GlacierIr),
            Self::Glacier => Some(StorageClass::Glacier),
            Self::DeepArchive => Some(StorageClass::DeepArchive),
        }
    }
}

/// What a rule file holds that names one category and lists rules, before either is looked at.
pub(crate) type CategoryAndRules<C, S> = (Option<C>, Vec<S>, Diagnostics);

/// Reads a rule file with a table for the category that the flow writes into, and its `[[rule]]`s. What is missing is
/// told; `remedy` says what the table is for.
///
/// # Errors
/// When it is no TOML.
pub(crate) fn category_and_rules<C: DeserializeOwned, S: DeserializeOwned>(
    (text, file): (&str, &str),
    table: &'static str,
    remedy: &str,
) -> Result<CategoryAndRules<C, S>, Diagnostics> {
    let (mut document, mut diagnostics) = Document::parse(file, text)?;
    let category = document.value::<C>(table, &mut diagnostics).map(Located::into_value);
    let told = !diagnostics.is_empty();
    let specs = document.list::<S>("rule", &mut diagnostics);
    let end = document.end();
    let broken = !diagnostics.is_empty();
    document.finish(&mut diagnostics);
    if category.is_none() && !told {
        diagnostics.report(end.clone(), "missing-key", format!("the file has no `[{table}]`"), remedy);
    }
    if specs.is_empty() && !broken {
        diagnostics.report(end, "no-rules", "the file has no rules", "add at least one `[[rule]]`");
    }
    Ok((category, specs.into_iter().map(Located::into_value).collect(), diagnostics))
}

/// Compiles rules one by one, and tells of those that bear a name of an earlier one.
pub(crate) fn compile_rules<S, R>(
    specs: Vec<S>,
    name: fn(&S) -> &Located<String>,
    diagnostics: &mut Diagnostics,
    mut compile: impl FnMut(S, &mut Diagnostics) -> Option<R>,
) -> Vec<R> {
    let mut names = BTreeSet::new();
    let mut rules = Vec::new();
    for spec in specs {
        let called = name(&spec);
        if !names.insert(called.value().clone()) {
            diagnostics.report(
                called.span(),
                "duplicate-rule",
                format!("the name `{}` is taken by an earlier rule", called.value()),
                "give each rule its own name",
            );
        }
        rules.extend(compile(spec, diagnostics));
    }
    rules
}

/// Reads a path in Content Server.
pub(crate) fn path(place: &Located<String>, diagnostics: &mut Diagnostics) -> Option<NodePath> {
    place
        .value()
        .parse()
        .map_err(|_| {
            diagnostics.report(
                place.span(),
                "bad-path",
                format!("`{}` is not a path in Content Server", place.value()),
                "write `Enterprise:Claims/2026`, `Categories:Business/Claim`, `#7001` or `@nickname`",
            );
        })
        .ok()
}

/// Checks the name of a rule.
pub(crate) fn check_name(name: &Located<String>, diagnostics: &mut Diagnostics) {
    let allowed = |letter: char| letter.is_ascii_lowercase() || letter.is_ascii_digit() || letter == '-';
    let text = name.value();
    if text.is_empty() || text.len() > 64 || !text.chars().all(allowed) {
        diagnostics.report(
            name.span(),
            "bad-rule-name",
            format!("`{text}` is not a name for a rule"),
            "use 1 to 64 lower-case letters, digits and `-`",
        );
    }
}

/// Checks the beginning of keys.
pub(crate) fn check_prefix(prefix: &Located<String>, diagnostics: &mut Diagnostics) {
    let text = prefix.value();
    let steps_are_names = text.trim_end_matches('/').split('/').all(|step| !matches!(step, "" | "." | ".."))
        && text.ends_with('/');
    if !steps_are_names || text.len() > 256 || text.chars().any(char::is_control) {
        diagnostics.report(
            prefix.span(),
            "bad-prefix",
            format!("`{text}` is not the beginning of a key"),
            "write names that end with `/` each, such as `offload/`; at most 256 bytes",
        );
    }
}

/// Whether a media type is one of those wanted (`image/*`, `application/pdf`); all are when none is named.
pub(crate) fn is_type_wanted(wanted: &[String], media_type: Option<&str>) -> bool {
    wanted.is_empty()
        || wanted.iter().any(|wanted| {
            media_type.is_some_and(|found| match wanted.strip_suffix("/*") {
                Some(family) => found.split('/').next() == Some(family),
                None => found.eq_ignore_ascii_case(wanted),
            })
        })
}
