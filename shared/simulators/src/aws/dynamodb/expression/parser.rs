//! What every kind of expression shares: paths, values, punctuation and the words of a syntax error.

use std::collections::BTreeSet;
use std::sync::LazyLock;

use super::super::value::Value;
use super::lexer::{Token, tokens};
use super::path::{Path, Step, refuse_overlap};
use super::placeholders::Placeholders;
use crate::aws::failure::Failure;

/// The words that may only be attribute names behind a `#placeholder`.
static RESERVED: LazyLock<BTreeSet<&str>> =
    LazyLock::new(|| include_str!("../reserved_words.txt").split_whitespace().collect());

/// Longest expression accepted, in bytes.
const LONGEST: usize = 4096;

pub(super) struct Parser<'request> {
    kind: &'static str,
    tokens: Vec<Token>,
    position: usize,
    placeholders: &'request mut Placeholders,
}

impl<'request> Parser<'request> {
    pub(super) fn new(
        kind: &'static str,
        text: &str,
        placeholders: &'request mut Placeholders,
    ) -> Result<Self, Failure> {
        if text.trim().is_empty() {
            return Err(Failure::validation(format!("Invalid {kind}: The expression can not be empty;")));
        }
        if text.len() > LONGEST {
            return Err(Failure::validation(format!(
                "Invalid {kind}: Expression size has exceeded the maximum allowed size; expression size: {}",
                text.len()
            )));
        }
        Ok(Self { kind, tokens: tokens(kind, text)?, position: 0, placeholders })
    }

    pub(super) fn peek(&self) -> &Token {
        self.ahead(0)
    }

    pub(super) fn ahead(&self, distance: usize) -> &Token {
        self.tokens.get(self.position + distance).unwrap_or(&Token::End)
    }

    pub(super) fn advance(&mut self) -> Token {
        let token = self.peek().clone();
        self.position += 1;
        token
    }

    pub(super) fn take_symbol(&mut self, symbol: &str) -> bool {
        let found = matches!(self.peek(), Token::Symbol(text) if *text == symbol);
        self.position += usize::from(found);
        found
    }

    pub(super) fn take_keyword(&mut self, keyword: &str) -> bool {
        let found = self.peek().is_keyword(keyword);
        self.position += usize::from(found);
        found
    }

    pub(super) fn expect(&mut self, symbol: &str) -> Result<(), Failure> {
        if self.take_symbol(symbol) { Ok(()) } else { Err(self.syntax_error()) }
    }

    pub(super) fn expect_keyword(&mut self, keyword: &str) -> Result<(), Failure> {
        if self.take_keyword(keyword) { Ok(()) } else { Err(self.syntax_error()) }
    }

    pub(super) fn expect_end(&self) -> Result<(), Failure> {
        if *self.peek() == Token::End { Ok(()) } else { Err(self.syntax_error()) }
    }

    pub(super) fn error(&self, message: &str) -> Failure {
        Failure::validation(format!("Invalid {}: {message}", self.kind))
    }

    pub(super) fn syntax_error(&self) -> Failure {
        let from = self.position.saturating_sub(1);
        let near: Vec<&str> = self
            .tokens
            .iter()
            .skip(from)
            .take(3)
            .filter(|token| **token != Token::End)
            .map(Token::text)
            .collect();
        self.error(&format!("Syntax error; token: \"{}\", near: \"{}\"", self.peek().text(), near.join(" ")))
    }

    pub(super) fn type_error(&self, role: &str, operator: &str, value: &Value) -> Failure {
        self.error(&format!(
            "Incorrect operand type for operator or function; {role}: {operator}, operand type: {}",
            value.type_name()
        ))
    }

    pub(super) fn path(&mut self) -> Result<Path, Failure> {
        let attribute = self.name()?;
        let mut steps = Vec::new();
        loop {
            if self.take_symbol(".") {
                steps.push(Step::Name(self.name()?));
            } else if self.take_symbol("[") {
                let Token::Digits(digits) = self.peek().clone() else { return Err(self.syntax_error()) };
                self.position += 1;
                let index = digits.parse().map_err(|_| {
                    self.error(&format!("List index is not within the allowable range; index: [{digits}]"))
                })?;
                steps.push(Step::Index(index));
                self.expect("]")?;
            } else {
                return Ok(Path { attribute, steps });
            }
        }
    }

    fn name(&mut self) -> Result<String, Failure> {
        let name = match self.peek().clone() {
            Token::Name(name) => {
                if RESERVED.contains(name.to_ascii_uppercase().as_str()) {
                    return Err(self
                        .error(&format!("Attribute name is a reserved keyword; reserved keyword: {name}")));
                }
                name
            }
            Token::NamePlaceholder(key) => self.placeholders.name(self.kind, &key)?,
            _ => return Err(self.syntax_error()),
        };
        self.position += 1;
        Ok(name)
    }

    /// The value of a `:placeholder`, when one comes next.
    pub(super) fn value(&mut self) -> Result<Option<Value>, Failure> {
        let Token::ValuePlaceholder(key) = self.peek().clone() else { return Ok(None) };
        self.position += 1;
        self.placeholders.value(self.kind, &key).map(Some)
    }
}

/// Parses a `ProjectionExpression`.
pub(in super::super) fn projection(
    text: &str,
    placeholders: &mut Placeholders,
) -> Result<Vec<Path>, Failure> {
    let mut parser = Parser::new("ProjectionExpression", text, placeholders)?;
    let mut paths = vec![parser.path()?];
    while parser.take_symbol(",") {
        paths.push(parser.path()?);
    }
    parser.expect_end()?;
    refuse_overlap("ProjectionExpression", &paths.iter().collect::<Vec<_>>())?;
    Ok(paths)
}
