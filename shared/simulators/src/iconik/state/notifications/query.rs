//! The query of a webhook: `operation = "create" (data.status="CLOSED" OR data.size > 1000) data.name=/\.mov$/`.
//!
//! Comparisons are joined by AND and OR; two beside each other mean AND, which binds tighter. A path leads into the
//! body of the event; through a list it means any of its elements.

use std::cmp::Ordering;
use std::iter::Peekable;
use std::vec::IntoIter;

use regex::Regex;
use serde_json::Value;

/// A query, read.
#[derive(Clone, Debug)]
pub(super) enum Query {
    All(Vec<Query>),
    Any(Vec<Query>),
    Compare(String, Operator, Operand),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Operator {
    Equal,
    NotEqual,
    Less,
    Greater,
    LessOrEqual,
    GreaterOrEqual,
}

#[derive(Clone, Debug)]
pub(super) enum Operand {
    Value(Value),
    Pattern(Regex),
}

#[derive(Clone, Debug, PartialEq)]
enum Token {
    Word(String),
    Text(String),
    Pattern(String),
    Operator(Operator),
    Open,
    Close,
}

/// Reads a query, or says why it is none.
pub(super) fn read(text: &str) -> Result<Query, String> {
    let mut tokens = tokens(text)?.into_iter().peekable();
    let query = any(&mut tokens)?;
    match tokens.next() {
        None => Ok(query),
        Some(token) => Err(format!("unexpected {token:?}")),
    }
}

type Tokens = Peekable<IntoIter<Token>>;

fn is_word(token: Option<&Token>, word: &str) -> bool {
    matches!(token, Some(Token::Word(found)) if found.eq_ignore_ascii_case(word))
}

fn any(tokens: &mut Tokens) -> Result<Query, String> {
    let mut parts = vec![all(tokens)?];
    while is_word(tokens.peek(), "or") {
        tokens.next();
        parts.push(all(tokens)?);
    }
    Ok(Query::Any(parts))
}

fn all(tokens: &mut Tokens) -> Result<Query, String> {
    let mut parts = vec![one(tokens)?];
    loop {
        if is_word(tokens.peek(), "and") {
            tokens.next();
        } else if matches!(tokens.peek(), None | Some(Token::Close)) || is_word(tokens.peek(), "or") {
            return Ok(Query::All(parts));
        }
        parts.push(one(tokens)?);
    }
}

fn one(tokens: &mut Tokens) -> Result<Query, String> {
    match tokens.next() {
        Some(Token::Open) => {
            let query = any(tokens)?;
            match tokens.next() {
                Some(Token::Close) => Ok(query),
                _ => Err("a parenthesis is not closed".to_owned()),
            }
        }
        Some(Token::Word(path)) => {
            let Some(Token::Operator(operator)) = tokens.next() else {
                return Err(format!("an operator is missing after {path}"));
            };
            let operand = match tokens.next() {
                Some(Token::Text(text)) => Operand::Value(text.into()),
                Some(Token::Pattern(pattern)) => {
                    Operand::Pattern(Regex::new(&pattern).map_err(|_| format!("/{pattern}/ is no pattern"))?)
                }
                Some(Token::Word(word)) => Operand::Value(
                    serde_json::from_str(&word.to_lowercase()).map_err(|_| format!("{word} is no value"))?,
                ),
                _ => return Err(format!("a value is missing after {path}")),
            };
            let compares = matches!(operator, Operator::Equal | Operator::NotEqual);
            match operand {
                Operand::Pattern(_) if !compares => Err("a pattern takes = or !=".to_owned()),
                operand => Ok(Query::Compare(path, operator, operand)),
            }
        }
        _ => Err("a comparison is missing".to_owned()),
    }
}

fn tokens(text: &str) -> Result<Vec<Token>, String> {
    let mut tokens = Vec::new();
    let mut rest = text.chars().peekable();
    while let Some(first) = rest.next() {
        let mut followed_by = |wanted: char| rest.next_if_eq(&wanted).is_some();
        tokens.push(match first {
            ' ' | '\t' | '\r' | '\n' => continue,
            '(' => Token::Open,
            ')' => Token::Close,
            '=' => Token::Operator(Operator::Equal),
            '!' if followed_by('=') => Token::Operator(Operator::NotEqual),
            '<' if followed_by('=') => Token::Operator(Operator::LessOrEqual),
            '<' => Token::Operator(Operator::Less),
            '>' if followed_by('=') => Token::Operator(Operator::GreaterOrEqual),
            '>' => Token::Operator(Operator::Greater),
            '"' | '\'' => Token::Text(until(&mut rest, first, false)?),
            '/' => Token::Pattern(until(&mut rest, first, true)?),
            first if first.is_alphanumeric() || matches!(first, '_' | '-' | '+') => {
                let mut word = first.to_string();
                while let Some(next) =
                    rest.next_if(|next| next.is_alphanumeric() || matches!(next, '_' | '-' | '.' | '+'))
                {
                    word.push(next);
                }
                Token::Word(word)
            }
            other => return Err(format!("unexpected '{other}'")),
        });
    }
    Ok(tokens)
}

/// Up to the closing mark. A backslash takes the next character as it is; in a pattern it belongs to the pattern.
fn until(rest: &mut Peekable<std::str::Chars<'_>>, mark: char, is_pattern: bool) -> Result<String, String> {
    let mut text = String::new();
    while let Some(next) = rest.next() {
        match next {
            '\\' => {
                let escaped = rest.next().unwrap_or('\\');
                if is_pattern && escaped != mark {
                    text.push('\\');
                }
                text.push(escaped);
            }
            next if next == mark => return Ok(text),
            next => text.push(next),
        }
    }
    Err(format!("a closing {mark} is missing"))
}

impl Query {
    /// Whether this is true of an event.
    pub(super) fn holds(&self, event: &Value) -> bool {
        match self {
            Self::All(parts) => parts.iter().all(|part| part.holds(event)),
            Self::Any(parts) => parts.iter().any(|part| part.holds(event)),
            Self::Compare(path, operator, operand) => {
                let found = at(event, path.split('.').collect::<Vec<_>>().as_slice());
                match operator {
                    Operator::NotEqual => !found.iter().any(|value| equals(value, operand)),
                    Operator::Equal => found.iter().any(|value| equals(value, operand)),
                    _ => found.iter().any(|value| orders(value, *operator, operand)),
                }
            }
        }
    }
}

/// What a path leads to; `null` when it leads nowhere.
fn at<'a>(value: &'a Value, path: &[&str]) -> Vec<&'a Value> {
    match (value, path.split_first()) {
        (Value::Array(list), _) if !list.is_empty() => list.iter().flat_map(|part| at(part, path)).collect(),
        (value, None) => vec![value],
        (value, Some((name, rest))) => value.get(*name).map_or(vec![&Value::Null], |found| at(found, rest)),
    }
}

fn equals(value: &Value, operand: &Operand) -> bool {
    match operand {
        Operand::Pattern(pattern) => value.as_str().is_some_and(|text| pattern.is_match(text)),
        Operand::Value(wanted) => match (value.as_f64(), wanted.as_f64()) {
            (Some(value), Some(wanted)) => value.total_cmp(&wanted) == Ordering::Equal,
            _ => value == wanted,
        },
    }
}

fn orders(value: &Value, operator: Operator, operand: &Operand) -> bool {
    let Operand::Value(wanted) = operand else { return false };
    let order = match (value.as_f64(), wanted.as_f64(), value.as_str(), wanted.as_str()) {
        (Some(value), Some(wanted), ..) => value.total_cmp(&wanted),
        (_, _, Some(value), Some(wanted)) => value.cmp(wanted),
        _ => return false,
    };
    match operator {
        Operator::Less => order.is_lt(),
        Operator::Greater => order.is_gt(),
        Operator::LessOrEqual => order.is_le(),
        Operator::GreaterOrEqual => order.is_ge(),
        Operator::Equal | Operator::NotEqual => false,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn queries_hold_or_not() {
        let event = json!({
            "operation": "create", "object_id": "1",
            "data": {"status": "CLOSED", "size": 1200, "name": "a.mov", "is_online": true, "parents": ["x", "y"],
                     "note": null, "files": [{"size": 3}, {"size": 9}]},
        });
        let cases = [
            (r#"data.status="CLOSED""#, true),
            (r#"data.status = 'OPEN'"#, false),
            ("data.status != \"OPEN\" AND data.size >= 1200", true),
            ("data.size < 1200", false),
            ("data.size > 1e3", true),
            (r"data.name = /\.mov$/", true),
            (r"data.name != /^a/", false),
            (r#"data.status="OPEN" OR data.status="CLOSED" data.size=1"#, false),
            (r#"(data.status="OPEN" OR data.status="CLOSED") data.size=1200"#, true),
            ("data.is_online = true", true),
            ("data.note = null", true),
            ("data.nothing.at.all = null", true),
            ("data.nothing != \"x\"", true),
            (r#"data.parents = "y""#, true),
            ("data.files.size > 8", true),
            ("operation = /e/ and NOTHING = null", true),
        ];
        for (text, expected) in cases {
            assert_eq!(read(text).unwrap().holds(&event), expected, "{text}");
        }
    }

    #[test]
    fn what_is_no_query_says_why() {
        for text in [
            "",
            "data.x",
            "data.x =",
            "data.x = \"a",
            "(a = 1",
            "a = 1)",
            "a = /(/",
            "a < /x/",
            "a & b",
            "a = b",
            "a = 1 OR",
        ] {
            assert!(read(text).is_err(), "{text}");
        }
    }
}
