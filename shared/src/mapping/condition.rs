//! Conditions on the input: `{ field = "tag.status", is = "final" }`. All conditions of a rule must hold.

use regex::Regex;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value as Json;

use super::{
    Diagnostics, Located, Scope, View, as_written,
    value::{scalar_text, value_class},
    whole_value,
};

/// One condition. Exactly one of `is`, `one_of`, `matches` and `exists` says what must hold.
/// A field with several values meets a condition when one of its values does.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ConditionSpec {
    /// What is looked at, such as `tag.status` or `object.extension`.
    pub field: Located<String>,
    /// The value it must have.
    pub is: Option<Located<String>>,
    /// The values it may have.
    pub one_of: Option<Located<Vec<String>>>,
    /// A regular expression the whole value must match.
    pub matches: Option<Located<String>>,
    /// Whether it must be there (`true`) or must be absent (`false`).
    pub exists: Option<Located<bool>>,
    /// Turns the condition round: it holds when it would not.
    #[serde(default)]
    pub not: bool,
}

/// A compiled condition.
#[derive(Debug, Clone)]
pub struct Condition {
    field: String,
    test: Test,
    not: bool,
}

#[derive(Debug, Clone)]
enum Test {
    OneOf(Vec<String>),
    Matches(Regex),
    Exists(bool),
}

impl Condition {
    /// Compiles a condition; whatever is wrong is reported.
    pub fn compile(spec: &ConditionSpec, scope: &Scope, diagnostics: &mut Diagnostics) -> Option<Self> {
        let before = diagnostics.len();
        if let Err((message, remedy)) = scope.check(spec.field.value()) {
            diagnostics.report(spec.field.span(), "unknown-field", message, remedy);
        }
        let mut tests = Vec::new();
        if let Some(is) = &spec.is {
            tests.push(Test::OneOf(vec![is.value().clone()]));
        }
        if let Some(one_of) = &spec.one_of {
            if one_of.value().is_empty() {
                diagnostics.report(
                    one_of.span(),
                    "never-true",
                    "`one_of` lists no values, so the condition can never hold",
                    "list at least one value",
                );
            }
            tests.push(Test::OneOf(one_of.value().clone()));
        }
        if let Some(matches) = &spec.matches {
            match whole_value(matches.value()) {
                Ok(expression) => tests.push(Test::Matches(expression)),
                Err(error) => report_expression(matches, &error, diagnostics),
            }
        }
        if let Some(exists) = &spec.exists {
            tests.push(Test::Exists(*exists.value()));
        }
        if diagnostics.len() > before {
            return None;
        }
        match <[Test; 1]>::try_from(tests) {
            Ok([test]) => Some(Self { field: spec.field.value().clone(), test, not: spec.not }),
            Err(tests) => {
                diagnostics.report(
                    spec.field.span(),
                    "unclear-condition",
                    format!("expected one of `is`, `one_of`, `matches`, `exists`, found {}", tests.len()),
                    "keep exactly one; write several conditions when all of them must hold",
                );
                None
            }
        }
    }

    /// `Ok` when the condition holds, otherwise why it does not (without the value).
    pub fn check(&self, view: &View<'_>) -> Result<(), String> {
        let value = view.get(&self.field);
        let holds = match (&self.test, value) {
            (Test::Exists(wanted), found) => found.is_some() == *wanted,
            (Test::OneOf(allowed), Some(found)) => {
                any_value(found, &|text| allowed.iter().any(|value| value == text))
            }
            (Test::Matches(expression), Some(found)) => any_value(found, &|text| expression.is_match(text)),
            (_, None) => false,
        };
        if holds != self.not {
            return Ok(());
        }
        let found = value.map_or_else(|| "absent".to_owned(), value_class);
        Err(format!("`{}` must {}; it is {found}", self.field, self.describe()))
    }

    /// What must hold, in words.
    pub fn describe(&self) -> String {
        let not = if self.not { "not " } else { "" };
        match &self.test {
            Test::OneOf(values) => match values.as_slice() {
                [value] => format!("{not}be \"{value}\""),
                _ => format!("{not}be one of {}", quoted(values)),
            },
            Test::Matches(expression) => format!("{not}match {}", as_written(expression)),
            Test::Exists(true) if self.not => "be absent".to_owned(),
            Test::Exists(false) if self.not => "be there".to_owned(),
            Test::Exists(true) => "be there".to_owned(),
            Test::Exists(false) => "be absent".to_owned(),
        }
    }

    /// The path it looks at.
    pub fn field(&self) -> &str {
        &self.field
    }
}

fn quoted(values: &[String]) -> String {
    values.iter().map(|value| format!("\"{value}\"")).collect::<Vec<_>>().join(", ")
}

fn any_value(value: &Json, test: &dyn Fn(&str) -> bool) -> bool {
    match value {
        Json::Array(list) => list.iter().any(|item| scalar_text(item).is_some_and(|text| test(&text))),
        single => scalar_text(single).is_some_and(|text| test(&text)),
    }
}

/// Reports a regular expression that cannot be read.
pub(super) fn report_expression(
    expression: &Located<String>,
    error: &regex::Error,
    diagnostics: &mut Diagnostics,
) {
    let reason = error.to_string();
    let reason = reason.lines().last().unwrap_or_default().trim_start_matches("error: ").to_owned();
    diagnostics.report(
        expression.span(),
        "bad-expression",
        format!("the regular expression cannot be read: {reason}"),
        "correct it (put it in '…' so that backslashes stay)",
    );
}
