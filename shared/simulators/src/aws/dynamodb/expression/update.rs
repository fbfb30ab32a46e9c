//! `UpdateExpression`: the grammar and the checks made before any item is looked at.

use super::super::value::Value;
use super::lexer::Token;
use super::parser::Parser;
use super::path::{Path, refuse_overlap};
use super::placeholders::Placeholders;
use crate::aws::failure::Failure;

const KIND: &str = "UpdateExpression";

/// The right-hand side of a `SET`.
#[derive(Clone, Debug, PartialEq)]
pub(in super::super) enum Source {
    Path(Path),
    Literal(Value),
    IfNotExists(Path, Box<Source>),
    ListAppend(Box<Source>, Box<Source>),
    Plus(Box<Source>, Box<Source>),
    Minus(Box<Source>, Box<Source>),
}

#[derive(Clone, Debug, PartialEq)]
pub(in super::super) enum Action {
    Set(Path, Source),
    Remove(Path),
    Add(Path, Value),
    Delete(Path, Value),
}

impl Action {
    pub(in super::super) fn path(&self) -> &Path {
        match self {
            Self::Set(path, _) | Self::Remove(path) | Self::Add(path, _) | Self::Delete(path, _) => path,
        }
    }
}

/// A parsed update.
#[derive(Clone, Debug, Default, PartialEq)]
pub(in super::super) struct Update {
    pub(in super::super) actions: Vec<Action>,
}

impl Update {
    pub(in super::super) fn parse(text: &str, placeholders: &mut Placeholders) -> Result<Self, Failure> {
        let mut parser = Parser::new(KIND, text, placeholders)?;
        let mut actions = Vec::new();
        let mut seen: Vec<&str> = Vec::new();
        while *parser.peek() != Token::End {
            let Some(clause) =
                ["SET", "REMOVE", "ADD", "DELETE"].into_iter().find(|clause| parser.take_keyword(clause))
            else {
                return Err(parser.syntax_error());
            };
            if seen.contains(&clause) {
                return Err(parser.error(&format!(
                    "The \"{clause}\" section can only be used once in an update expression;"
                )));
            }
            seen.push(clause);
            actions.push(action(&mut parser, clause)?);
            while parser.take_symbol(",") {
                actions.push(action(&mut parser, clause)?);
            }
        }
        refuse_overlap(KIND, &actions.iter().map(Action::path).collect::<Vec<_>>())?;
        Ok(Self { actions })
    }

    /// Key attributes never change.
    pub(in super::super) fn refuse_keys(&self, keys: &[&str]) -> Result<(), Failure> {
        match self.actions.iter().find(|action| keys.contains(&action.path().attribute.as_str())) {
            None => Ok(()),
            Some(action) => Err(Failure::validation(format!(
                "One or more parameter values were invalid: Cannot update attribute {}. This attribute is part of the \
                 key",
                action.path().attribute
            ))),
        }
    }
}

fn action(parser: &mut Parser, clause: &str) -> Result<Action, Failure> {
    let path = parser.path()?;
    match clause {
        "SET" => {
            parser.expect("=")?;
            Ok(Action::Set(path, sum(parser)?))
        }
        "REMOVE" => Ok(Action::Remove(path)),
        _ => {
            let Some(value) = parser.value()? else { return Err(parser.syntax_error()) };
            let set = matches!(value, Value::Ss(_) | Value::Ns(_) | Value::Bs(_));
            let number = clause == "ADD" && matches!(value, Value::N(_));
            if !(set || number) {
                return Err(parser.type_error("operator", clause, &value));
            }
            Ok(if clause == "ADD" { Action::Add(path, value) } else { Action::Delete(path, value) })
        }
    }
}

fn sum(parser: &mut Parser) -> Result<Source, Failure> {
    let left = term(parser)?;
    let operator = if parser.take_symbol("+") {
        "+"
    } else if parser.take_symbol("-") {
        "-"
    } else {
        return Ok(left);
    };
    let right = term(parser)?;
    for side in [&left, &right] {
        if let Source::Literal(value) = side
            && !matches!(value, Value::N(_))
        {
            return Err(parser.type_error("operator or function", operator, value));
        }
    }
    let (left, right) = (Box::new(left), Box::new(right));
    Ok(if operator == "+" { Source::Plus(left, right) } else { Source::Minus(left, right) })
}

fn term(parser: &mut Parser) -> Result<Source, Failure> {
    if parser.take_symbol("(") {
        let inner = sum(parser)?;
        parser.expect(")")?;
        return Ok(inner);
    }
    if let Some(value) = parser.value()? {
        return Ok(Source::Literal(value));
    }
    let (Token::Name(name), Token::Symbol("(")) = (parser.peek().clone(), parser.ahead(1)) else {
        return Ok(Source::Path(parser.path()?));
    };
    parser.advance();
    parser.advance();
    let mut given = vec![term(parser)?];
    while parser.take_symbol(",") {
        given.push(term(parser)?);
    }
    parser.expect(")")?;
    call(parser, &name, given)
}

fn call(parser: &Parser, name: &str, given: Vec<Source>) -> Result<Source, Failure> {
    if matches!(
        name,
        "size" | "attribute_exists" | "attribute_not_exists" | "attribute_type" | "begins_with" | "contains"
    ) {
        return Err(
            parser.error(&format!("The function is not allowed in an update expression; function: {name}"))
        );
    }
    if !matches!(name, "if_not_exists" | "list_append") {
        return Err(parser.error(&format!("Invalid function name; function: {name}")));
    }
    let count = given.len();
    let mut given = given.into_iter();
    let (Some(first), Some(second), None) = (given.next(), given.next(), given.next()) else {
        return Err(parser.error(&format!(
            "Incorrect number of operands for operator or function; operator or function: {name}, number of operands: \
             {count}"
        )));
    };
    if name == "if_not_exists" {
        let Source::Path(path) = first else {
            return Err(parser.error(
                "Operator or function requires a document path; operator or function: if_not_exists",
            ));
        };
        return Ok(Source::IfNotExists(path, Box::new(second)));
    }
    for side in [&first, &second] {
        if let Source::Literal(value) = side
            && !matches!(value, Value::L(_))
        {
            return Err(parser.type_error("operator or function", name, value));
        }
    }
    Ok(Source::ListAppend(Box::new(first), Box::new(second)))
}
