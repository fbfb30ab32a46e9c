//! Texts with placeholders, `Claim {capture.claim_id}`, and paths made of them. A placeholder stands for one value
//! of the input; nothing else can be written between the braces.

use serde_json::Value as Json;

use super::{
    Diagnostics, Located, Scope, View, Violation,
    braces::{Piece, Problem, pieces},
    value::{scalar_text, value_class},
};

/// A compiled text with placeholders.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Template {
    text: String,
    pieces: Vec<Piece>,
}

impl Template {
    /// Compiles a text; whatever is wrong is reported.
    pub fn compile(text: &Located<String>, scope: &Scope, diagnostics: &mut Diagnostics) -> Option<Self> {
        let before = diagnostics.len();
        let compiled = match pieces(text.value()) {
            Ok(pieces) => Self { text: text.value().clone(), pieces },
            Err(problem) => {
                report(text, problem, diagnostics);
                return None;
            }
        };
        for piece in &compiled.pieces {
            if let Piece::Braced { name, tail } = piece {
                if *tail {
                    report(text, tail_outside_path(name), diagnostics);
                } else if let Err((message, remedy)) = scope.check(name) {
                    diagnostics.report(text.span(), "unknown-field", message, remedy);
                }
            }
        }
        (diagnostics.len() == before).then_some(compiled)
    }

    /// The text as it was written.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The paths of all placeholders.
    pub fn paths(&self) -> impl Iterator<Item = &str> {
        self.pieces.iter().filter_map(|piece| match piece {
            Piece::Braced { name, .. } => Some(name.as_str()),
            Piece::Literal(_) => None,
        })
    }

    /// What it always gives, when it has no placeholder.
    pub fn fixed(&self) -> Option<String> {
        fixed(&self.pieces)
    }

    /// The text with every placeholder filled; `field` names what it is for.
    pub fn render(&self, view: &View<'_>, field: &str) -> Result<String, Vec<Violation>> {
        render(&self.pieces, view, field)
    }
}

/// A path of names made of templates. Whatever the input holds, the result stays below the path's beginning: no
/// name is empty or blank, `.` or `..`, and none contains a `/`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PathTemplate {
    text: String,
    segments: Vec<Segment>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Segment {
    /// Literals and placeholders that give one name.
    One(Vec<Piece>),
    /// `{capture.rest...}`: a value whose parts between `/` are names of their own.
    Many(String),
}

impl PathTemplate {
    /// Compiles a path; whatever is wrong is reported.
    pub fn compile(text: &Located<String>, scope: &Scope, diagnostics: &mut Diagnostics) -> Option<Self> {
        match Self::build(text.value(), scope) {
            Ok(path) => Some(path),
            Err(problem) => {
                report(text, problem, diagnostics);
                None
            }
        }
    }

    fn build(text: &str, scope: &Scope) -> Result<Self, Problem> {
        let mut segments = Vec::new();
        for segment in text.split('/') {
            let pieces = pieces(segment)?;
            for piece in &pieces {
                if let Piece::Braced { name, .. } = piece {
                    scope.check(name).map_err(|(message, remedy)| Problem::new(message, remedy))?;
                }
            }
            match pieces.as_slice() {
                [Piece::Braced { name, tail: true }] => segments.push(Segment::Many(name.clone())),
                parts => {
                    if let Some(Piece::Braced { name, .. }) =
                        parts.iter().find(|part| matches!(part, Piece::Braced { tail: true, .. }))
                    {
                        return Err(tail_outside_path(name));
                    }
                    if let [] | [Piece::Literal(_)] = parts {
                        check_segment(segment).map_err(|expected| {
                            Problem::new(
                                format!("the path has a part that is not a name: it must be {expected}"),
                                "remove doubled, leading and trailing `/`, and dots alone",
                            )
                        })?;
                    }
                    segments.push(Segment::One(pieces));
                }
            }
        }
        Ok(Self { text: text.to_owned(), segments })
    }

    /// The path as it was written.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The paths of all placeholders.
    pub fn paths(&self) -> impl Iterator<Item = &str> {
        self.segments.iter().flat_map(|segment| match segment {
            Segment::Many(name) => vec![name.as_str()],
            Segment::One(pieces) => pieces
                .iter()
                .filter_map(|piece| match piece {
                    Piece::Braced { name, .. } => Some(name.as_str()),
                    Piece::Literal(_) => None,
                })
                .collect(),
        })
    }

    /// The names at its beginning that are the same for every input, and whether these are all of them.
    pub fn fixed_names(&self) -> (Vec<String>, bool) {
        let names: Vec<String> = self
            .segments
            .iter()
            .map_while(|segment| match segment {
                Segment::One(pieces) => fixed(pieces),
                Segment::Many(_) => None,
            })
            .collect();
        let whole = names.len() == self.segments.len();
        (names, whole)
    }

    /// The names of the path, from the top; `field` names what it is for.
    pub fn render(&self, view: &View<'_>, field: &str) -> Result<Vec<String>, Vec<Violation>> {
        let mut names = Vec::new();
        let mut violations = Vec::new();
        for segment in &self.segments {
            let rendered = match segment {
                Segment::One(pieces) => render(pieces, view, field).map(|name| vec![name]),
                Segment::Many(path) => {
                    placeholder(path, view, field).map(|value| value.split('/').map(str::to_owned).collect())
                }
            };
            match rendered {
                Ok(found) => names.extend(found),
                Err(found) => violations.extend(found),
            }
        }
        for name in &names {
            if let Err(expected) = check_segment(name) {
                violations.push(Violation::new(
                    "unsafe-path",
                    field,
                    if name.trim().is_empty() { "a blank name".to_owned() } else { text_class(name) },
                    expected,
                    "rename the object, or build the path from other values",
                ));
            }
        }
        if violations.is_empty() { Ok(names) } else { Err(violations) }
    }
}

/// `Ok` for a text that can be one name in a path, otherwise what it must be.
pub fn check_segment(name: &str) -> Result<(), &'static str> {
    if name.trim().is_empty() {
        Err("a name that is not blank")
    } else if name.trim() == "." || name.trim() == ".." {
        Err("a name, not a step within the path")
    } else if name.contains('/') {
        Err("a name without `/`")
    } else if name.chars().any(char::is_control) {
        Err("a name without control characters")
    } else {
        Ok(())
    }
}

fn fixed(pieces: &[Piece]) -> Option<String> {
    pieces
        .iter()
        .map(|piece| match piece {
            Piece::Literal(literal) => Some(literal.as_str()),
            Piece::Braced { .. } => None,
        })
        .collect()
}

fn render(pieces: &[Piece], view: &View<'_>, field: &str) -> Result<String, Vec<Violation>> {
    let mut rendered = String::new();
    let mut violations = Vec::new();
    for piece in pieces {
        match piece {
            Piece::Literal(literal) => rendered.push_str(literal),
            Piece::Braced { name, .. } => match placeholder(name, view, field) {
                Ok(value) => rendered.push_str(&value),
                Err(found) => violations.extend(found),
            },
        }
    }
    if violations.is_empty() { Ok(rendered) } else { Err(violations) }
}

fn placeholder(path: &str, view: &View<'_>, field: &str) -> Result<String, Vec<Violation>> {
    let found = view.get(path);
    match found.and_then(scalar_text) {
        Some(text) if !text.trim().is_empty() => Ok(text),
        _ => Err(vec![Violation::new(
            "missing-value",
            field,
            found.map_or_else(|| format!("nothing at `{path}`"), class_at(path)),
            format!("one value at `{path}`"),
            format!("supply `{path}` with the object, or take it out of the rule"),
        )]),
    }
}

fn class_at(path: &str) -> impl Fn(&Json) -> String {
    move |value| format!("{} at `{path}`", value_class(value))
}

fn text_class(text: &str) -> String {
    value_class(&Json::from(text))
}

fn tail_outside_path(name: &str) -> Problem {
    Problem::new(
        format!("`{{{name}...}}` shares its place with other text"),
        "let it stand alone between two `/` of a folder path, or drop the dots",
    )
}

fn report(text: &Located<String>, problem: Problem, diagnostics: &mut Diagnostics) {
    diagnostics.report(text.span(), "bad-template", problem.message, problem.remedy);
}
