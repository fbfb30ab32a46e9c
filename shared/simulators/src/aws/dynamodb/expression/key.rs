//! `KeyConditionExpression`: equality on the partition key, one comparison on the sort key.

use super::super::value::Value;
use super::condition::{Comparator, Condition, Operand};
use super::path::Path;
use super::placeholders::Placeholders;
use crate::aws::failure::Failure;

/// The partition asked for, and the condition on the sort key.
#[derive(Debug)]
pub(in super::super) struct KeyCondition {
    pub(in super::super) partition: Value,
    pub(in super::super) sort: Option<Condition>,
}

impl KeyCondition {
    pub(in super::super) fn parse(
        text: &str,
        placeholders: &mut Placeholders,
        hash: &str,
        range: Option<&str>,
    ) -> Result<Self, Failure> {
        let parsed = Condition::parse("KeyConditionExpression", text, placeholders)?;
        let mut parts = match parsed {
            Condition::And(left, right) => vec![*left, *right],
            Condition::Or(..) => return Err(invalid("Invalid operator used in KeyConditionExpression: OR")),
            Condition::Not(_) => return Err(invalid("Invalid operator used in KeyConditionExpression: NOT")),
            single => vec![single],
        };
        let place = parts.iter().position(|part| attribute(part) == Some(hash));
        let missed = || Failure::validation(format!("Query condition missed key schema element: {hash}"));
        let partition = match place.map(|place| parts.remove(place)) {
            Some(Condition::Compare(Comparator::Equal, Operand::Path(_), Operand::Literal(value))) => value,
            Some(_) => return Err(Failure::validation("Query key condition not supported")),
            None => return Err(missed()),
        };
        let sort = parts.pop();
        if let Some(part) = &sort {
            check_sort(part, range)?;
        }
        Ok(Self { partition, sort })
    }
}

fn invalid(message: &str) -> Failure {
    Failure::validation(message)
}

fn attribute(condition: &Condition) -> Option<&str> {
    let (Condition::Compare(_, first, _) | Condition::Between(first, ..) | Condition::BeginsWith(first, _)) =
        condition
    else {
        return None;
    };
    match first {
        Operand::Path(Path { attribute, steps }) if steps.is_empty() => Some(attribute),
        _ => None,
    }
}

fn check_sort(part: &Condition, range: Option<&str>) -> Result<(), Failure> {
    let unsupported = || Failure::validation("Query key condition not supported");
    let named = attribute(part).ok_or_else(unsupported)?;
    match range {
        Some(range) if range == named => {}
        Some(range) => {
            return Err(Failure::validation(format!("Query condition missed key schema element: {range}")));
        }
        None => return Err(unsupported()),
    }
    let literals: &[&Operand] = match part {
        Condition::Compare(Comparator::NotEqual, ..) => return Err(unsupported()),
        Condition::Compare(_, _, value) | Condition::BeginsWith(_, value) => &[value],
        Condition::Between(_, low, high) => &[low, high],
        _ => return Err(unsupported()),
    };
    if literals.iter().all(|operand| matches!(operand, Operand::Literal(_))) {
        Ok(())
    } else {
        Err(unsupported())
    }
}
