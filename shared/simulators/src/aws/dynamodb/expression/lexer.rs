//! Text to tokens.

use crate::aws::failure::Failure;

#[derive(Clone, Debug, PartialEq)]
pub(super) enum Token {
    /// A bare name or keyword.
    Name(String),
    /// `#name`, with its sign.
    NamePlaceholder(String),
    /// `:value`, with its sign.
    ValuePlaceholder(String),
    /// Digits: only list indexes are written as numbers.
    Digits(String),
    /// An operator or punctuation.
    Symbol(&'static str),
    End,
}

impl Token {
    pub(super) fn text(&self) -> &str {
        match self {
            Self::Name(text)
            | Self::NamePlaceholder(text)
            | Self::ValuePlaceholder(text)
            | Self::Digits(text) => text,
            Self::Symbol(text) => text,
            Self::End => "<EOF>",
        }
    }

    pub(super) fn is_keyword(&self, keyword: &str) -> bool {
        matches!(self, Self::Name(name) if name.eq_ignore_ascii_case(keyword))
    }
}

/// Longer symbols first, so that `<>` is not read as `<`.
const SYMBOLS: [&str; 14] = ["<>", "<=", ">=", "=", "<", ">", "(", ")", "[", "]", ",", ".", "+", "-"];

/// Splits an expression into its tokens, `End` last.
pub(super) fn tokens(kind: &str, text: &str) -> Result<Vec<Token>, Failure> {
    let mut found = Vec::new();
    let mut rest = text.trim_start();
    while let Some(first) = rest.chars().next() {
        let (token, length) = next(first, rest).ok_or_else(|| {
            let near: String = rest.chars().take(16).collect();
            Failure::validation(format!("Invalid {kind}: Syntax error; token: \"{first}\", near: \"{near}\""))
        })?;
        found.push(token);
        rest = rest.get(length..).unwrap_or_default().trim_start();
    }
    found.push(Token::End);
    Ok(found)
}

fn next(first: char, rest: &str) -> Option<(Token, usize)> {
    let word = |from: usize| {
        let tail = rest.get(from..).unwrap_or_default();
        from + tail
            .find(|letter: char| !letter.is_ascii_alphanumeric() && letter != '_')
            .unwrap_or(tail.len())
    };
    if first == '#' || first == ':' {
        let length = word(1);
        let text = rest.get(..length)?.to_owned();
        let token = if first == '#' { Token::NamePlaceholder(text) } else { Token::ValuePlaceholder(text) };
        return (length > 1).then_some((token, length));
    }
    if first.is_ascii_alphabetic() || first == '_' {
        let length = word(0);
        return Some((Token::Name(rest.get(..length)?.to_owned()), length));
    }
    if first.is_ascii_digit() {
        let length = rest.find(|letter: char| !letter.is_ascii_digit()).unwrap_or(rest.len());
        return Some((Token::Digits(rest.get(..length)?.to_owned()), length));
    }
    let symbol = SYMBOLS.into_iter().find(|symbol| rest.starts_with(symbol))?;
    Some((Token::Symbol(symbol), symbol.len()))
}
