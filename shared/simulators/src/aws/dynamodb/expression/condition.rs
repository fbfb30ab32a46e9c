//! Conditions and filters: the grammar and the checks `DynamoDB` makes before it looks at any item.

use super::super::value::{TYPE_NAMES, Value};
use super::lexer::Token;
use super::parser::Parser;
use super::path::Path;
use super::placeholders::Placeholders;
use crate::aws::failure::Failure;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in super::super) enum Comparator {
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

impl Comparator {
    fn of(symbol: &str) -> Option<Self> {
        Some(match symbol {
            "=" => Self::Equal,
            "<>" => Self::NotEqual,
            "<" => Self::Less,
            "<=" => Self::LessOrEqual,
            ">" => Self::Greater,
            ">=" => Self::GreaterOrEqual,
            _ => return None,
        })
    }
}

#[derive(Clone, Debug, PartialEq)]
pub(in super::super) enum Operand {
    Path(Path),
    Literal(Value),
    Size(Path),
    /// `size(:value)`, known while parsing.
    SizeOf(Value),
}

#[derive(Clone, Debug, PartialEq)]
pub(in super::super) enum Condition {
    Compare(Comparator, Operand, Operand),
    Between(Operand, Operand, Operand),
    In(Operand, Vec<Operand>),
    And(Box<Condition>, Box<Condition>),
    Or(Box<Condition>, Box<Condition>),
    Not(Box<Condition>),
    Exists(Path),
    NotExists(Path),
    HasType(Operand, String),
    BeginsWith(Operand, Operand),
    Contains(Operand, Operand),
}

impl Condition {
    /// Parses a `ConditionExpression`, `FilterExpression` or `KeyConditionExpression`.
    pub(in super::super) fn parse(
        kind: &'static str,
        text: &str,
        placeholders: &mut Placeholders,
    ) -> Result<Self, Failure> {
        let mut parser = Parser::new(kind, text, placeholders)?;
        let (condition, _) = either(&mut parser)?;
        parser.expect_end()?;
        Ok(condition)
    }

    /// Every path the condition names.
    pub(in super::super) fn paths(&self) -> Vec<&Path> {
        let mut found = Vec::new();
        self.collect_paths(&mut found);
        found
    }

    fn collect_paths<'condition>(&'condition self, found: &mut Vec<&'condition Path>) {
        let mut operands: Vec<&Operand> = Vec::new();
        match self {
            Self::And(left, right) | Self::Or(left, right) => {
                left.collect_paths(found);
                right.collect_paths(found);
            }
            Self::Not(inner) => inner.collect_paths(found),
            Self::Exists(path) | Self::NotExists(path) => found.push(path),
            Self::HasType(operand, _) => operands.push(operand),
            Self::Compare(_, left, right) | Self::BeginsWith(left, right) | Self::Contains(left, right) => {
                operands.extend([left, right]);
            }
            Self::Between(value, low, high) => operands.extend([value, low, high]),
            Self::In(value, choices) => {
                operands.push(value);
                operands.extend(choices);
            }
        }
        found.extend(operands.into_iter().filter_map(|operand| match operand {
            Operand::Path(path) | Operand::Size(path) => Some(path),
            Operand::Literal(_) | Operand::SizeOf(_) => None,
        }));
    }
}

/// A condition, and whether it stood in parentheses of its own.
type Parsed = (Condition, bool);

fn either(parser: &mut Parser) -> Result<Parsed, Failure> {
    let mut left = both(parser)?;
    while parser.take_keyword("OR") {
        let right = both(parser)?;
        left = (Condition::Or(Box::new(left.0), Box::new(right.0)), false);
    }
    Ok(left)
}

fn both(parser: &mut Parser) -> Result<Parsed, Failure> {
    let mut left = negation(parser)?;
    while parser.take_keyword("AND") {
        let right = negation(parser)?;
        left = (Condition::And(Box::new(left.0), Box::new(right.0)), false);
    }
    Ok(left)
}

fn negation(parser: &mut Parser) -> Result<Parsed, Failure> {
    if parser.take_keyword("NOT") {
        return Ok((Condition::Not(Box::new(negation(parser)?.0)), false));
    }
    if parser.take_symbol("(") {
        let (condition, enclosed) = either(parser)?;
        parser.expect(")")?;
        if enclosed {
            return Err(parser.error("The expression has redundant parentheses;"));
        }
        return Ok((condition, true));
    }
    Ok((single(parser)?, false))
}

fn single(parser: &mut Parser) -> Result<Condition, Failure> {
    if let Some(condition) = test_function(parser)? {
        return Ok(condition);
    }
    let left = operand(parser)?;
    if parser.take_keyword("BETWEEN") {
        let low = operand(parser)?;
        parser.expect_keyword("AND")?;
        let high = operand(parser)?;
        return between(parser, left, low, high);
    }
    if parser.take_keyword("IN") {
        parser.expect("(")?;
        let mut choices = vec![operand(parser)?];
        while parser.take_symbol(",") {
            choices.push(operand(parser)?);
        }
        parser.expect(")")?;
        // The documentation says 100 choices; the service counts the left operand among them.
        if choices.len() > 99 {
            return Err(operand_count(parser, "IN", choices.len() + 1));
        }
        return Ok(Condition::In(left, choices));
    }
    let Token::Symbol(symbol) = *parser.peek() else {
        return Err(match left {
            Operand::Size(_) | Operand::SizeOf(_) => not_here(parser, "size"),
            _ => parser.syntax_error(),
        });
    };
    let Some(comparator) = Comparator::of(symbol) else {
        return Err(match left {
            Operand::Size(_) | Operand::SizeOf(_) => not_here(parser, "size"),
            _ => parser.syntax_error(),
        });
    };
    parser.advance();
    let right = operand(parser)?;
    if !matches!(comparator, Comparator::Equal | Comparator::NotEqual) {
        refuse_unordered(parser, symbol, [&left, &right])?;
    }
    distinct(parser, symbol, &left, &right)?;
    Ok(Condition::Compare(comparator, left, right))
}

fn between(parser: &Parser, value: Operand, low: Operand, high: Operand) -> Result<Condition, Failure> {
    refuse_unordered(parser, "BETWEEN", [&value, &low, &high])?;
    if let (Operand::Literal(least), Operand::Literal(most)) = (&low, &high) {
        if least.type_name() != most.type_name() {
            return Err(parser.error(&format!(
                "The BETWEEN operator requires same data type for lower and upper bounds; lower bound operand: \
                 AttributeValue: {}, upper bound operand: AttributeValue: {}",
                least.to_json(),
                most.to_json()
            )));
        }
        if super::evaluate::order(least, most) == Some(std::cmp::Ordering::Greater) {
            return Err(parser.error(&format!(
                "The BETWEEN operator requires upper bound to be greater than or equal to lower bound; lower bound \
                 operand: AttributeValue: {}, upper bound operand: AttributeValue: {}",
                least.to_json(),
                most.to_json()
            )));
        }
    }
    Ok(Condition::Between(value, low, high))
}

fn refuse_unordered<const N: usize>(
    parser: &Parser,
    operator: &str,
    operands: [&Operand; N],
) -> Result<(), Failure> {
    for operand in operands {
        if let Operand::Literal(value) = operand
            && !matches!(value, Value::S(_) | Value::N(_) | Value::B(_))
        {
            return Err(parser.type_error("operator", operator, value));
        }
    }
    Ok(())
}

fn distinct(parser: &Parser, operator: &str, left: &Operand, right: &Operand) -> Result<(), Failure> {
    if let (Operand::Path(one), Operand::Path(two)) = (left, right)
        && one == two
    {
        return Err(parser.error(&format!(
            "The first operand must be distinct from the remaining operands for this operator or function; operator: \
             {operator}, first operand: {one}"
        )));
    }
    Ok(())
}

fn not_here(parser: &Parser, function: &str) -> Failure {
    parser.error(&format!(
        "The function is not allowed to be used this way in an expression; function: {function}"
    ))
}

fn operand_count(parser: &Parser, name: &str, count: usize) -> Failure {
    parser.error(&format!(
        "Incorrect number of operands for operator or function; operator or function: {name}, number of operands: \
         {count}"
    ))
}

/// A function call comes next.
fn is_call(parser: &Parser) -> Option<String> {
    match (parser.peek(), parser.ahead(1)) {
        (Token::Name(name), Token::Symbol("(")) => Some(name.clone()),
        _ => None,
    }
}

fn arguments(parser: &mut Parser) -> Result<Vec<Operand>, Failure> {
    parser.advance();
    parser.expect("(")?;
    let mut arguments = vec![operand(parser)?];
    while parser.take_symbol(",") {
        arguments.push(operand(parser)?);
    }
    parser.expect(")")?;
    Ok(arguments)
}

fn operand(parser: &mut Parser) -> Result<Operand, Failure> {
    if let Some(value) = parser.value()? {
        return Ok(Operand::Literal(value));
    }
    let Some(function) = is_call(parser) else { return Ok(Operand::Path(parser.path()?)) };
    match function.as_str() {
        "size" => {
            let mut given = arguments(parser)?;
            let count = given.len();
            match given.pop() {
                Some(Operand::Path(path)) if count == 1 => Ok(Operand::Size(path)),
                Some(Operand::Literal(value)) if count == 1 => {
                    if super::evaluate::size(&value).is_none() {
                        return Err(parser.type_error("operator or function", "size", &value));
                    }
                    Ok(Operand::SizeOf(value))
                }
                Some(_) if count == 1 => Err(not_here(parser, "size")),
                _ => Err(operand_count(parser, "size", count)),
            }
        }
        "attribute_exists" | "attribute_not_exists" | "attribute_type" | "begins_with" | "contains" => {
            Err(not_here(parser, &function))
        }
        "if_not_exists" | "list_append" => Err(parser
            .error(&format!("The function is not allowed in a condition expression; function: {function}"))),
        _ => Err(parser.error(&format!("Invalid function name; function: {function}"))),
    }
}

fn test_function(parser: &mut Parser) -> Result<Option<Condition>, Failure> {
    let Some(function) = is_call(parser) else { return Ok(None) };
    let wanted = match function.as_str() {
        "attribute_exists" | "attribute_not_exists" => 1,
        "attribute_type" | "begins_with" | "contains" => 2,
        _ => return Ok(None),
    };
    let given = arguments(parser)?;
    if given.len() != wanted {
        return Err(operand_count(parser, &function, given.len()));
    }
    let mut given = given.into_iter();
    let (Some(first), second) = (given.next(), given.next()) else { return Err(parser.syntax_error()) };
    if matches!(first, Operand::Size(_) | Operand::SizeOf(_)) {
        return Err(not_here(parser, "size"));
    }
    if let Token::Symbol(symbol) = parser.peek()
        && Comparator::of(symbol).is_some()
    {
        return Err(not_here(parser, &function));
    }
    let Some(second) = second else {
        let Operand::Path(path) = first else {
            return Err(parser.error(&format!(
                "Operator or function requires a document path; operator or function: {function}"
            )));
        };
        let found =
            if function == "attribute_exists" { Condition::Exists(path) } else { Condition::NotExists(path) };
        return Ok(Some(found));
    };
    two_operands(parser, &function, first, second).map(Some)
}

fn two_operands(
    parser: &Parser,
    function: &str,
    first: Operand,
    second: Operand,
) -> Result<Condition, Failure> {
    match function {
        "attribute_type" => {
            let Operand::Literal(value) = second else {
                return Err(parser.error(
                    "Incorrect operand type for operator or function; operator or function: \
                                         attribute_type, operand type: {DOCUMENT_PATH}",
                ));
            };
            let Value::S(name) = &value else {
                return Err(parser.type_error("operator or function", function, &value));
            };
            if !TYPE_NAMES.contains(&name.as_str()) {
                return Err(parser.error(&format!(
                    "Invalid attribute type name found; type: {name}, valid types: {{B,NULL,SS,BOOL,L,BS,N,NS,S,M}}"
                )));
            }
            Ok(Condition::HasType(first, name.clone()))
        }
        "begins_with" => {
            for operand in [&first, &second] {
                if let Operand::Literal(value) = operand
                    && !matches!(value, Value::S(_) | Value::B(_))
                {
                    return Err(parser.type_error("operator or function", function, value));
                }
            }
            distinct(parser, function, &first, &second)?;
            Ok(Condition::BeginsWith(first, second))
        }
        _ => {
            distinct(parser, function, &first, &second)?;
            Ok(Condition::Contains(first, second))
        }
    }
}
