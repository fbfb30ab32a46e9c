//! Rules and field maps as data, in a closed vocabulary: key patterns, conditions, templates, field transforms and
//! lookup tables. There are no expressions; a need the vocabulary does not cover is a new word here, with a test.
//!
//! A file is read once, at start. Everything wrong with it is reported together, each with file, line, column and
//! remedy ([`Diagnostics`]). Input is checked for every item, and again everything wrong is reported together
//! ([`Violations`]), never with the value itself.

mod braces;
mod captures;
mod condition;
mod diagnostic;
mod document;
mod duration;
mod field;
mod field_check;
mod field_spec;
mod names;
mod pattern;
mod record;
mod rows;
mod scope;
mod suggestion;
mod template;
mod value;
mod value_format;
mod violation;

pub use condition::{Condition, ConditionSpec};
pub use diagnostic::{Diagnostic, Diagnostics, Located, Source};
pub use document::Document;
pub use duration::Duration;
pub use field::{Field, MappedField, Origin};
pub use field_spec::{Case, FieldSpec, FieldType, OneOrMany, Otherwise, TooLong};
pub use names::{FLOWS, ToldFlows, check_name, check_names_differ, is_name, told_flows};
pub use pattern::{Captures, KeyPattern, Mismatch};
pub use record::{Record, View};
pub use rows::{Mapped, MappedSet, Mapping, Rows, RowsSpec};
pub use scope::{Members, Scope};
pub use suggestion::closest;
pub use template::{PathTemplate, Template, check_segment};
pub use value::{Value, value_class};
pub use violation::{Violation, Violations};

/// Lookup tables by name: from the value that comes in to the value that goes out.
pub type Lookups = std::collections::BTreeMap<String, std::collections::BTreeMap<String, String>>;

/// Compiles a regular expression that must match a whole value, within a bounded amount of memory.
/// The engine is linear in the length of the input, whatever the expression.
pub(crate) fn whole_value(expression: &str) -> Result<regex::Regex, regex::Error> {
    check_syntax(expression)?;
    regex::RegexBuilder::new(&format!("^(?:{expression})$")).size_limit(EXPRESSION_SIZE).build()
}

/// Whether an expression can be read by itself, so that it stays within the group it is put into. It is not compiled.
pub(crate) fn check_syntax(expression: &str) -> Result<(), regex::Error> {
    let parsed = regex_syntax::Parser::new().parse(expression);
    parsed.map(|_| ()).map_err(|error| regex::Error::Syntax(error.to_string()))
}

/// An expression made by [`whole_value`], as its author wrote it.
pub(crate) fn as_written(expression: &regex::Regex) -> &str {
    let text = expression.as_str();
    text.strip_prefix("^(?:").and_then(|text| text.strip_suffix(")$")).unwrap_or(text)
}

/// The most memory one compiled expression may take.
pub(crate) const EXPRESSION_SIZE: usize = 1 << 20;

#[cfg(test)]
mod tests;
