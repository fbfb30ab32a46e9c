//! Splits `claims/{claim_id}/{rest...}` into literals and names in braces. `{{` and `}}` stand for the braces.

/// A part of a pattern or template.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Piece {
    Literal(String),
    /// A name in braces; `tail` when it ends in `...`.
    Braced {
        name: String,
        tail: bool,
    },
}

/// Why a text cannot be split.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Problem {
    pub(super) message: String,
    pub(super) remedy: String,
}

impl Problem {
    pub(super) fn new(message: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self { message: message.into(), remedy: remedy.into() }
    }
}

/// The pieces of a text, neighbouring literals joined.
pub(super) fn pieces(text: &str) -> Result<Vec<Piece>, Problem> {
    let mut found = Vec::new();
    let mut literal = String::new();
    let mut characters = text.chars().peekable();
    while let Some(character) = characters.next() {
        match character {
            '{' | '}' if characters.peek() == Some(&character) => {
                characters.next();
                literal.push(character);
            }
            '{' => {
                let mut name = String::new();
                loop {
                    match characters.next() {
                        Some('}') => break,
                        Some(next) => name.push(next),
                        None => {
                            return Err(Problem::new(
                                format!("`{{{name}` has no closing brace"),
                                "close it with `}`, or write `{{` for a brace in the text",
                            ));
                        }
                    }
                }
                if !literal.is_empty() {
                    found.push(Piece::Literal(std::mem::take(&mut literal)));
                }
                found.push(braced(&name)?);
            }
            '}' => {
                return Err(Problem::new(
                    "`}` closes nothing",
                    "remove it, or write `}}` for a brace in the text",
                ));
            }
            other => literal.push(other),
        }
    }
    if !literal.is_empty() {
        found.push(Piece::Literal(literal));
    }
    Ok(found)
}

fn braced(inside: &str) -> Result<Piece, Problem> {
    let (name, tail) = match inside.strip_suffix("...") {
        Some(name) => (name, true),
        None => (inside, false),
    };
    if name.is_empty() {
        return Err(Problem::new("`{}` names nothing", "put a name between the braces"));
    }
    if name.contains('{') || name.trim() != name {
        return Err(Problem::new(
            format!("`{{{inside}}}` is not a name"),
            "write the name alone between the braces, without blanks around it",
        ));
    }
    Ok(Piece::Braced { name: name.to_owned(), tail })
}
