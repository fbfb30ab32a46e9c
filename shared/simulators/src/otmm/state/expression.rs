//! Conditions of a search: each joined to the one before it, with parentheses.

use serde_json::Value;

use super::metadata::{as_text, date_of, entries};
use super::{Asset, Outcome, Refusal, State};
use crate::otmm::settings::Contains;

/// Deepest nesting that is read.
const DEEPEST: usize = 64;

/// A condition, read.
#[derive(Clone, Debug)]
pub(in crate::otmm) enum Expression {
    And(Box<Expression>, Box<Expression>),
    Or(Box<Expression>, Box<Expression>),
    /// A field, an operator, and what it is compared with.
    Scalar(String, Operator, String),
    /// Something that holds for one row of a table.
    Row(Vec<String>, Box<Expression>),
    /// Words anywhere in a field, or anywhere at all.
    Words(Option<String>, String),
    /// A condition that the site does not know.
    Invalid,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::otmm) enum Operator {
    Contains,
    Is,
    Empty,
    NumberIs,
    After,
    From,
    Before,
}

enum Token {
    Open,
    Close,
    And,
    Or,
    Term(Expression),
}

impl State {
    /// Reads the conditions of a search; none for an empty list.
    pub(in crate::otmm) fn read_conditions(&self, list: Option<&Value>) -> Outcome<Option<Expression>> {
        let mut tokens = Vec::new();
        for condition in entries(list) {
            let term = self.read_term(condition)?;
            push(&mut tokens, condition, term)?;
        }
        parse_all(tokens)
    }

    fn read_term(&self, condition: &Value) -> Outcome<Expression> {
        let text = |name: &str| condition.get(name).and_then(as_text);
        let kind = text("type").unwrap_or_default();
        match kind.rsplit('.').next().unwrap_or_default() {
            "SearchScalarCondition" | "SearchTabularFieldCondition" => Ok(self.read_scalar(condition)),
            "SearchTabularCondition" => {
                let table = text("metadata_table_id").unwrap_or_default();
                let columns = self.models.iter().flat_map(super::Model::tables).find(|(id, _)| *id == table);
                let Some((_, columns)) = columns else { return Ok(Expression::Invalid) };
                let columns: Vec<String> = columns.iter().map(|column| column.id.clone()).collect();
                let mut tokens = Vec::new();
                for field in entries(condition.get("tabular_field_list")) {
                    let is_here = field
                        .get("metadata_field_id")
                        .and_then(as_text)
                        .is_some_and(|id| columns.contains(&id));
                    let term = if is_here { self.read_scalar(field) } else { Expression::Invalid };
                    push(&mut tokens, field, term)?;
                }
                Ok(match parse_all(tokens)? {
                    None | Some(Expression::Invalid) => Expression::Invalid,
                    Some(inner) => Expression::Row(columns, Box::new(inner)),
                })
            }
            "SearchFulltextCondition" => {
                let field = text("metadata_field_id").filter(|field| self.knows(field));
                Ok(Expression::Words(field, text("keyword").unwrap_or_default()))
            }
            _ => Err(Refusal::Invalid(format!("There is no search condition of type '{kind}'"))),
        }
    }

    fn read_scalar(&self, condition: &Value) -> Expression {
        let text = |name: &str| condition.get(name).and_then(as_text).unwrap_or_default();
        let (field, operator, value) =
            (text("metadata_field_id"), text("relational_operator_id"), text("value"));
        let names = &self.settings.search;
        let operator = match operator.as_str() {
            "ARTESIA.OPERATOR.CHAR.CONTAINS" => Operator::Contains,
            "ARTESIA.OPERATOR.NUMBER.IS" => Operator::NumberIs,
            name if name == names.text_is => Operator::Is,
            name if name == names.has_no_value => Operator::Empty,
            name if name == names.date_after => Operator::After,
            name if name == names.date_from => Operator::From,
            name if name == names.date_before => Operator::Before,
            _ => return Expression::Invalid,
        };
        let is_date = matches!(operator, Operator::After | Operator::From | Operator::Before);
        if !self.knows(&field) || is_date && date_of(&value).is_none() {
            return Expression::Invalid;
        }
        Expression::Scalar(field, operator, value)
    }

    /// Whether any model has a field, or every asset has it.
    pub(super) fn knows(&self, field: &str) -> bool {
        self.system_fields.contains_key(field) || self.models.iter().any(|model| model.place(field).is_some())
    }

    /// Whether an asset is found by this.
    pub(super) fn matches(&self, asset: &Asset, expression: &Expression) -> bool {
        match expression {
            Expression::And(one, other) => self.matches(asset, one) && self.matches(asset, other),
            Expression::Or(one, other) => self.matches(asset, one) || self.matches(asset, other),
            Expression::Scalar(field, operator, wanted) => {
                self.compare(&self.values_of(asset, field), *operator, wanted)
            }
            Expression::Row(columns, inner) => {
                let rows = columns.iter().map(|column| asset.columns.get(column).map_or(0, Vec::len)).max();
                (0..rows.unwrap_or(0)).any(|row| self.row_matches(asset, row, inner))
            }
            Expression::Words(field, words) => {
                let all = match field {
                    Some(field) => {
                        self.values_of(asset, field).iter().filter_map(as_text).collect::<Vec<_>>().join(" ")
                    }
                    None => self.all_words(asset),
                };
                has_words(&all, words)
            }
            Expression::Invalid => true,
        }
    }

    fn row_matches(&self, asset: &Asset, row: usize, expression: &Expression) -> bool {
        match expression {
            Expression::And(one, other) => {
                self.row_matches(asset, row, one) && self.row_matches(asset, row, other)
            }
            Expression::Or(one, other) => {
                self.row_matches(asset, row, one) || self.row_matches(asset, row, other)
            }
            Expression::Scalar(column, operator, wanted) => {
                let cell = asset.columns.get(column).and_then(|rows| rows.get(row)).cloned().flatten();
                self.compare(&cell.into_iter().collect::<Vec<_>>(), *operator, wanted)
            }
            _ => true,
        }
    }

    fn compare(&self, values: &[Value], operator: Operator, wanted: &str) -> bool {
        let one = |value: &Value| {
            let text = as_text(value).unwrap_or_default();
            let dates = || Some((date_of(&text)?, date_of(wanted)?));
            match operator {
                Operator::Contains => match self.settings.search.contains {
                    Contains::Substring => text.to_lowercase().contains(&wanted.to_lowercase()),
                    Contains::Words => has_words(&text, wanted),
                },
                Operator::Is => text.to_lowercase() == wanted.to_lowercase(),
                Operator::NumberIs => {
                    text.parse::<f64>().ok().is_some_and(|number| wanted.parse::<f64>() == Ok(number))
                }
                Operator::After => dates().is_some_and(|(date, wanted)| date > wanted),
                Operator::From => dates().is_some_and(|(date, wanted)| date >= wanted),
                Operator::Before => dates().is_some_and(|(date, wanted)| date < wanted),
                Operator::Empty => false,
            }
        };
        match operator {
            Operator::Empty => values.is_empty(),
            _ => values.iter().any(one),
        }
    }

    /// Everything of an asset that words are looked for in.
    pub(super) fn all_words(&self, asset: &Asset) -> String {
        let values = asset.values.values().chain(asset.columns.values().flatten().flatten());
        let texts = values.filter_map(as_text);
        texts.chain([asset.name.clone()]).collect::<Vec<_>>().join(" ")
    }
}

fn words(text: &str) -> Vec<String> {
    let parts = text.split(|character: char| !character.is_alphanumeric()).filter(|word| !word.is_empty());
    parts.map(str::to_lowercase).collect()
}

/// Whether all words of one text are words of another.
pub(super) fn has_words(text: &str, wanted: &str) -> bool {
    let known = words(text);
    words(wanted).iter().all(|word| known.contains(word))
}

/// Puts a condition behind those before it: how it is joined to them, its parentheses, itself.
fn push(tokens: &mut Vec<Token>, condition: &Value, term: Expression) -> Outcome<()> {
    let text = |name: &str| condition.get(name).and_then(Value::as_str).unwrap_or_default();
    if !tokens.is_empty() {
        tokens.push(match text("relational_operator").to_ascii_lowercase().as_str() {
            "and" | "" => Token::And,
            "or" => Token::Or,
            other => return Err(Refusal::Invalid(format!("There is no relational_operator '{other}'"))),
        });
    }
    tokens.extend(text("left_paren").chars().map(|_| Token::Open));
    tokens.push(Token::Term(term));
    tokens.extend(text("right_paren").chars().map(|_| Token::Close));
    Ok(())
}

fn parse_all(tokens: Vec<Token>) -> Outcome<Option<Expression>> {
    if tokens.is_empty() {
        return Ok(None);
    }
    let mut rest = tokens.into_iter().peekable();
    let parsed = any_of(&mut rest, 0);
    match (parsed, rest.next()) {
        (Some(expression), None) => Ok(Some(expression)),
        _ => Err(Refusal::Invalid("The parentheses of the search conditions do not match".to_owned())),
    }
}

type Tokens = std::iter::Peekable<std::vec::IntoIter<Token>>;

fn any_of(tokens: &mut Tokens, depth: usize) -> Option<Expression> {
    let mut found = all_of(tokens, depth)?;
    while tokens.next_if(|token| matches!(token, Token::Or)).is_some() {
        found = join(Expression::Or, found, all_of(tokens, depth)?);
    }
    Some(found)
}

fn all_of(tokens: &mut Tokens, depth: usize) -> Option<Expression> {
    let mut found = one_of(tokens, depth)?;
    while tokens.next_if(|token| matches!(token, Token::And)).is_some() {
        found = join(Expression::And, found, one_of(tokens, depth)?);
    }
    Some(found)
}

fn one_of(tokens: &mut Tokens, depth: usize) -> Option<Expression> {
    match tokens.next()? {
        Token::Term(expression) => Some(expression),
        Token::Open if depth < DEEPEST => {
            let inner = any_of(tokens, depth + 1)?;
            matches!(tokens.next()?, Token::Close).then_some(inner)
        }
        _ => None,
    }
}

/// What is left of two conditions when one of them is left out: the other.
fn join(
    how: fn(Box<Expression>, Box<Expression>) -> Expression,
    one: Expression,
    other: Expression,
) -> Expression {
    match (one, other) {
        (Expression::Invalid, rest) | (rest, Expression::Invalid) => rest,
        (one, other) => how(Box::new(one), Box::new(other)),
    }
}

impl State {
    /// Whether some condition of these is not known. Asked of the list as it came: what was left out is not in the expression.
    pub(in crate::otmm) fn has_invalid(&self, list: Option<&Value>) -> bool {
        entries(list).into_iter().any(|condition| match self.read_term(condition) {
            Ok(Expression::Invalid) => true,
            Ok(Expression::Row(..)) => self.row_is_invalid(condition),
            _ => false,
        })
    }

    fn row_is_invalid(&self, condition: &Value) -> bool {
        let table = condition.get("metadata_table_id").and_then(Value::as_str).unwrap_or_default();
        let columns = self.models.iter().flat_map(super::Model::tables).find(|(id, _)| *id == table);
        let knows =
            |id: &str| columns.is_some_and(|(_, columns)| columns.iter().any(|column| column.id == id));
        entries(condition.get("tabular_field_list")).into_iter().any(|field| {
            let id = field.get("metadata_field_id").and_then(as_text).unwrap_or_default();
            !knows(&id) || matches!(self.read_scalar(field), Expression::Invalid)
        })
    }
}
