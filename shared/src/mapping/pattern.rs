//! Key patterns: `claims/{claim_id}/{name}`, `archive/{rest...}` or `archive/{folders...}/{name}`. A capture matches
//! within one part of the key (never a `/`), a tail matches one part or several. Matching is case-sensitive and linear
//! in the length of the key.

use std::collections::BTreeMap;

use regex::Regex;
use serde::Serialize;

use super::{
    Diagnostics, EXPRESSION_SIZE, Located,
    braces::{Piece, Problem, pieces},
    check_syntax, whole_value,
};

/// What the captures of a pattern matched, by name.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct Captures(BTreeMap<String, String>);

impl Captures {
    /// What a capture matched.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str)
    }

    /// All of them, by name.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(name, value)| (name.as_str(), value.as_str()))
    }
}

impl<N: Into<String>, V: Into<String>> FromIterator<(N, V)> for Captures {
    fn from_iter<I: IntoIterator<Item = (N, V)>>(pairs: I) -> Self {
        Self(pairs.into_iter().map(|(name, value)| (name.into(), value.into())).collect())
    }
}

/// Why a key does not match.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mismatch(String);

impl std::fmt::Display for Mismatch {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(&self.0)
    }
}

/// A compiled key pattern.
#[derive(Debug, Clone)]
pub struct KeyPattern {
    text: String,
    parts: Vec<Part>,
    /// What stands between `parts` and `after`; without it there is no `after`.
    tail: Option<Tail>,
    after: Vec<Part>,
}

#[derive(Debug, Clone)]
enum Part {
    Literal(String),
    /// `expression` only when one of the captures has a constraint.
    Captures {
        pieces: Vec<Piece>,
        expression: Option<Regex>,
    },
}

#[derive(Debug, Clone)]
struct Tail {
    name: String,
    constraint: Option<Regex>,
}

impl KeyPattern {
    /// Compiles a pattern; `constraints` are regular expressions that captures must match as a whole. Whatever is
    /// wrong is reported at the pattern's or the constraint's place.
    pub fn compile(
        text: &Located<String>,
        constraints: &BTreeMap<String, Located<String>>,
        diagnostics: &mut Diagnostics,
    ) -> Option<Self> {
        match Self::build(text.value(), constraints) {
            Ok(pattern) => Some(pattern),
            Err(problem) => {
                diagnostics.report(text.span(), "bad-key-pattern", problem.message, problem.remedy);
                None
            }
        }
    }

    fn build(text: &str, constraints: &BTreeMap<String, Located<String>>) -> Result<Self, Problem> {
        refuse_obvious_mistakes(text)?;
        let mut names = Vec::new();
        let (mut parts, mut tail, mut after) = (Vec::new(), None, Vec::new());
        for part in split_at_slashes(pieces(text)?) {
            for piece in &part {
                if let Piece::Braced { name, .. } = piece {
                    check_name(name, &names)?;
                    names.push(name.clone());
                }
            }
            match part.as_slice() {
                [Piece::Braced { tail: true, .. }] if tail.is_some() => {
                    return Err(Problem::new(
                        "the pattern has two captures of several parts, `{…...}`",
                        "keep one; with two it would be unclear where the first one ends",
                    ));
                }
                [Piece::Braced { name, tail: true }] => {
                    tail = Some(Tail { name: name.clone(), constraint: constraint_of(name, constraints)? });
                }
                _ if tail.is_some() => after.push(compile_part(part, constraints)?),
                _ => parts.push(compile_part(part, constraints)?),
            }
        }
        Ok(Self { text: text.to_owned(), parts, tail, after })
    }

    /// The pattern as it was written.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The names of all captures.
    pub fn names(&self) -> Vec<&str> {
        let mut names: Vec<&str> = self.parts.iter().flat_map(Part::names).collect();
        names.extend(self.tail.as_ref().map(|tail| tail.name.as_str()));
        names.extend(self.after.iter().flat_map(Part::names));
        names
    }

    /// Whether a capture is the tail, which may span several parts.
    pub fn is_tail(&self, name: &str) -> bool {
        self.tail.as_ref().is_some_and(|tail| tail.name == name)
    }

    /// The captures of a key that matches, or why it does not.
    pub fn matches(&self, key: &str) -> Result<Captures, Mismatch> {
        let texts: Vec<&str> = key.split('/').collect();
        let fixed = self.parts.len() + self.after.len();
        let mut captures = Captures::default();
        let last = texts.len().saturating_sub(self.after.len());
        let before = self.parts.iter().enumerate();
        let after = self.after.iter().enumerate().map(|(index, part)| (last + index, part));
        for (index, part) in before.chain(after) {
            let Some(text) = texts.get(index) else {
                return Err(Mismatch(format!("the key has fewer parts than `{}`", self.text)));
            };
            if !part.capture(text, &mut captures) {
                return Err(Mismatch(format!("part {} of the key is not {}", index + 1, part.describe())));
            }
        }
        if texts.len() < fixed + usize::from(self.tail.is_some()) {
            return Err(Mismatch(format!("the key has fewer parts than `{}`", self.text)));
        }
        if self.tail.is_none() && texts.len() > fixed {
            return Err(Mismatch(format!("the key has more parts than `{}`", self.text)));
        }
        if let Some(tail) = &self.tail {
            let rest = texts.get(self.parts.len()..last).unwrap_or_default().join("/");
            if rest.is_empty()
                || tail.constraint.as_ref().is_some_and(|constraint| !constraint.is_match(&rest))
            {
                return Err(Mismatch(format!("the key does not have what `{{{}...}}` must be", tail.name)));
            }
            captures.0.insert(tail.name.clone(), rest);
        }
        Ok(captures)
    }

    /// The key these captures came from; `None` when one is missing.
    pub fn render(&self, captures: &Captures) -> Option<String> {
        let mut rendered = Vec::new();
        for part in &self.parts {
            rendered.push(part.render(captures)?);
        }
        if let Some(tail) = &self.tail {
            rendered.push(captures.get(&tail.name)?.to_owned());
        }
        for part in &self.after {
            rendered.push(part.render(captures)?);
        }
        Some(rendered.join("/"))
    }

    /// Whether every key the other pattern matches is matched by this one, as far as that can be seen from their
    /// form. Never true when it is not so.
    pub fn covers(&self, other: &Self) -> bool {
        let pairs = |mine: &[Part], theirs: &[Part]| {
            mine.iter().zip(theirs).all(|(mine, theirs)| mine.covers(theirs))
        };
        match (&self.tail, &other.tail) {
            (None, None) => self.parts.len() == other.parts.len() && pairs(&self.parts, &other.parts),
            (None, Some(_)) => false,
            (Some(tail), _) if tail.constraint.is_some() => false,
            (Some(_), None) => {
                let Some(last) = other.parts.len().checked_sub(self.after.len()) else { return false };
                let inside = other.parts.get(self.parts.len()..last).unwrap_or_default();
                let filled = match inside {
                    [] => false,
                    [Part::Literal(literal)] => !literal.is_empty(),
                    _ => true,
                };
                filled
                    && pairs(&self.parts, &other.parts)
                    && pairs(&self.after, other.parts.get(last..).unwrap_or_default())
            }
            (Some(_), Some(_)) => {
                let Some(skipped) = other.after.len().checked_sub(self.after.len()) else { return false };
                self.parts.len() <= other.parts.len()
                    && pairs(&self.parts, &other.parts)
                    && pairs(&self.after, other.after.get(skipped..).unwrap_or_default())
            }
        }
    }
}

impl Part {
    fn capture(&self, text: &str, captures: &mut Captures) -> bool {
        match self {
            Self::Literal(literal) => literal == text,
            Self::Captures { pieces, expression: None } => {
                let Some(found) = super::captures::split(pieces, text) else { return false };
                captures.0.extend(found.into_iter().map(|(name, value)| (name.to_owned(), value.to_owned())));
                true
            }
            Self::Captures { expression: Some(expression), .. } => {
                let Some(found) = expression.captures(text) else { return false };
                for name in self.names() {
                    let Some(value) = found.name(&group_name(name)) else { return false };
                    captures.0.insert(name.to_owned(), value.as_str().to_owned());
                }
                true
            }
        }
    }

    fn names(&self) -> Vec<&str> {
        match self {
            Self::Literal(_) => Vec::new(),
            Self::Captures { pieces, .. } => pieces
                .iter()
                .filter_map(|piece| match piece {
                    Piece::Braced { name, .. } => Some(name.as_str()),
                    Piece::Literal(_) => None,
                })
                .collect(),
        }
    }

    fn render(&self, captures: &Captures) -> Option<String> {
        match self {
            Self::Literal(literal) => Some(literal.clone()),
            Self::Captures { pieces, .. } => {
                let texts = pieces.iter().map(|piece| match piece {
                    Piece::Literal(literal) => Some(literal.as_str()),
                    Piece::Braced { name, .. } => captures.get(name),
                });
                texts.collect()
            }
        }
    }

    fn covers(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Literal(mine), Self::Literal(theirs)) => mine == theirs,
            // One bare capture takes any part that is not empty.
            (Self::Captures { pieces, expression: None }, Self::Literal(theirs)) if pieces.len() == 1 => {
                !theirs.is_empty()
            }
            (Self::Captures { pieces, expression: None }, Self::Captures { .. }) if pieces.len() == 1 => true,
            (
                Self::Captures { pieces: mine, expression: None },
                Self::Captures { pieces: theirs, expression: None },
            ) => mine == theirs,
            (
                Self::Captures { expression: Some(mine), .. },
                Self::Captures { expression: Some(theirs), .. },
            ) => mine.as_str() == theirs.as_str(),
            _ => false,
        }
    }

    fn describe(&self) -> String {
        match self {
            Self::Literal(literal) => format!("`{literal}`"),
            Self::Captures { pieces, .. } => {
                let text: String = pieces
                    .iter()
                    .map(|piece| match piece {
                        Piece::Literal(literal) => literal.clone(),
                        Piece::Braced { name, .. } => format!("{{{name}}}"),
                    })
                    .collect();
                format!("what `{text}` must be")
            }
        }
    }
}

fn refuse_obvious_mistakes(text: &str) -> Result<(), Problem> {
    if text.is_empty() {
        return Err(Problem::new("the key pattern is empty", "write a pattern, such as `inbox/{name}`"));
    }
    if text.starts_with('/') {
        return Err(Problem::new(
            "the key pattern begins with `/`, which object keys do not",
            "remove the leading `/`",
        ));
    }
    if text.contains('*') {
        return Err(Problem::new(
            "`*` is not a wildcard in key patterns",
            "write `{name}` for one part of the key, or `{rest...}` for one part or several",
        ));
    }
    Ok(())
}

fn check_name(name: &str, taken: &[String]) -> Result<(), Problem> {
    if taken.iter().any(|other| other == name) {
        return Err(Problem::new(
            format!("the capture `{name}` stands twice in the pattern"),
            "give each capture its own name",
        ));
    }
    let mut characters = name.chars();
    let first = characters.next().is_some_and(|first| first.is_ascii_lowercase());
    if !first || !characters.all(|next| next.is_ascii_lowercase() || next.is_ascii_digit() || next == '_') {
        return Err(Problem::new(
            format!("`{name}` is not a name for a capture"),
            "use lower-case letters, digits and `_`, beginning with a letter",
        ));
    }
    Ok(())
}

fn constraint_of(
    name: &str,
    constraints: &BTreeMap<String, Located<String>>,
) -> Result<Option<Regex>, Problem> {
    let Some(constraint) = constraints.get(name) else { return Ok(None) };
    whole_value(constraint.value()).map(Some).map_err(|error| bad_expression(name, &error))
}

fn bad_expression(name: &str, error: &regex::Error) -> Problem {
    let reason = error.to_string();
    let reason = reason.lines().last().unwrap_or_default().trim_start_matches("error: ").to_owned();
    Problem::new(
        format!("the expression for the capture `{name}` cannot be read: {reason}"),
        "correct the regular expression (put it in '…' so that backslashes stay)",
    )
}

fn compile_part(part: Vec<Piece>, constraints: &BTreeMap<String, Located<String>>) -> Result<Part, Problem> {
    if let [] | [Piece::Literal(_)] = part.as_slice() {
        let literal = part.into_iter().next();
        return Ok(Part::Literal(match literal {
            Some(Piece::Literal(literal)) => literal,
            _ => String::new(),
        }));
    }
    let mut expression = String::from("(?s)^");
    let mut constrained = None;
    let mut after_capture = false;
    for piece in &part {
        match piece {
            Piece::Literal(literal) => {
                expression.push_str(&regex::escape(literal));
                after_capture = false;
            }
            Piece::Braced { name, tail: true } => {
                return Err(Problem::new(
                    format!("`{{{name}...}}` shares its part of the key with something else"),
                    "let it stand alone between two `/`, or at the end",
                ));
            }
            Piece::Braced { .. } if after_capture => {
                return Err(Problem::new(
                    "two captures follow each other with nothing between them",
                    "put a separator such as `-` or `/` between them",
                ));
            }
            Piece::Braced { name, .. } => {
                let inside = match constraints.get(name) {
                    Some(constraint) => {
                        check_syntax(constraint.value()).map_err(|error| bad_expression(name, &error))?;
                        constrained = Some(name);
                        constraint.value()
                    }
                    None => ".+",
                };
                expression.push_str(&format!("(?P<{}>{inside})", group_name(name)));
                after_capture = true;
            }
        }
    }
    let expression = match constrained {
        None => None,
        Some(name) => {
            expression.push('$');
            let expression = regex::RegexBuilder::new(&expression).size_limit(EXPRESSION_SIZE).build();
            Some(expression.map_err(|error| bad_expression(name, &error))?)
        }
    };
    Ok(Part::Captures { pieces: part, expression })
}

/// A name that a group inside a constraint is unlikely to have.
fn group_name(name: &str) -> String {
    format!("capture_{name}")
}

fn split_at_slashes(pieces: Vec<Piece>) -> Vec<Vec<Piece>> {
    let mut parts = vec![Vec::new()];
    for piece in pieces {
        match piece {
            Piece::Literal(literal) => {
                for (index, text) in literal.split('/').enumerate() {
                    if index > 0 {
                        parts.push(Vec::new());
                    }
                    if !text.is_empty()
                        && let Some(part) = parts.last_mut()
                    {
                        part.push(Piece::Literal(text.to_owned()));
                    }
                }
            }
            braced @ Piece::Braced { .. } => {
                if let Some(part) = parts.last_mut() {
                    part.push(braced);
                }
            }
        }
    }
    parts
}
