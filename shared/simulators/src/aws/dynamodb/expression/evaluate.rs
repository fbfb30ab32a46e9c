//! Conditions against an item.

use std::borrow::Cow;
use std::cmp::Ordering;

use super::super::number::Number;
use super::super::value::{Item, Value};
use super::condition::{Comparator, Condition, Operand};

impl Condition {
    /// Whether the item meets the condition; an absent item is an empty one.
    pub(in super::super) fn holds(&self, item: &Item) -> bool {
        match self {
            Self::And(left, right) => left.holds(item) && right.holds(item),
            Self::Or(left, right) => left.holds(item) || right.holds(item),
            Self::Not(inner) => !inner.holds(item),
            Self::Exists(path) => path.find(item).is_some(),
            Self::NotExists(path) => path.find(item).is_none(),
            Self::Compare(comparator, left, right) => {
                compare(*comparator, left.value(item), right.value(item))
            }
            Self::Between(value, low, high) => match (value.value(item), low.value(item), high.value(item)) {
                (Some(value), Some(low), Some(high)) => {
                    order(&low, &value).is_some_and(Ordering::is_le)
                        && order(&value, &high).is_some_and(Ordering::is_le)
                }
                _ => false,
            },
            Self::In(value, choices) => {
                let Some(value) = value.value(item) else { return false };
                choices.iter().any(|choice| choice.value(item).is_some_and(|choice| choice == value))
            }
            Self::HasType(operand, name) => {
                operand.value(item).is_some_and(|value| value.type_name() == name)
            }
            Self::BeginsWith(text, start) => {
                match (text.value(item).as_deref(), start.value(item).as_deref()) {
                    (Some(Value::S(text)), Some(Value::S(start))) => text.starts_with(start.as_str()),
                    (Some(Value::B(bytes)), Some(Value::B(start))) => bytes.starts_with(start),
                    _ => false,
                }
            }
            Self::Contains(whole, part) => match (whole.value(item), part.value(item)) {
                (Some(whole), Some(part)) => contains(&whole, &part),
                _ => false,
            },
        }
    }
}

impl Operand {
    fn value<'item>(&'item self, item: &'item Item) -> Option<Cow<'item, Value>> {
        match self {
            Self::Path(path) => path.find(item).map(Cow::Borrowed),
            Self::Literal(value) => Some(Cow::Borrowed(value)),
            Self::Size(path) => Some(Cow::Owned(Value::N(size(path.find(item)?)?))),
            Self::SizeOf(value) => Some(Cow::Owned(Value::N(size(value)?))),
        }
    }
}

/// What `size()` counts; nothing for numbers, booleans and null. AWS does not say whether text counts in characters or
/// bytes: these are the bytes of its UTF-8 form.
pub(super) fn size(value: &Value) -> Option<Number> {
    let size = match value {
        Value::S(text) => text.len(),
        Value::B(bytes) => bytes.len(),
        Value::L(values) => values.len(),
        Value::M(members) => members.len(),
        Value::Ss(texts) => texts.len(),
        Value::Ns(numbers) => numbers.len(),
        Value::Bs(blobs) => blobs.len(),
        Value::N(_) | Value::Bool(_) | Value::Null => return None,
    };
    u64::try_from(size).ok().map(Number::from)
}

/// Order of two values of one ordered type: text and binary by bytes, numbers by value.
pub(super) fn order(left: &Value, right: &Value) -> Option<Ordering> {
    match (left, right) {
        (Value::S(left), Value::S(right)) => Some(left.as_bytes().cmp(right.as_bytes())),
        (Value::N(left), Value::N(right)) => Some(left.cmp(right)),
        (Value::B(left), Value::B(right)) => Some(left.cmp(right)),
        _ => None,
    }
}

fn compare(comparator: Comparator, left: Option<Cow<Value>>, right: Option<Cow<Value>>) -> bool {
    // A missing attribute equals nothing, not even another missing one, and so differs from everything.
    let (Some(left), Some(right)) = (left, right) else { return comparator == Comparator::NotEqual };
    let order = || order(&left, &right);
    match comparator {
        Comparator::Equal => left == right,
        Comparator::NotEqual => left != right,
        Comparator::Less => order().is_some_and(Ordering::is_lt),
        Comparator::LessOrEqual => order().is_some_and(Ordering::is_le),
        Comparator::Greater => order().is_some_and(Ordering::is_gt),
        Comparator::GreaterOrEqual => order().is_some_and(Ordering::is_ge),
    }
}

fn contains(whole: &Value, part: &Value) -> bool {
    match (whole, part) {
        (Value::S(text), Value::S(part)) => text.contains(part.as_str()),
        (Value::B(bytes), Value::B(part)) => {
            part.is_empty() || bytes.windows(part.len()).any(|window| window == part.as_slice())
        }
        (Value::L(values), part) => values.contains(part),
        (Value::Ss(texts), Value::S(text)) => texts.contains(text),
        (Value::Ns(numbers), Value::N(number)) => numbers.contains(number),
        (Value::Bs(blobs), Value::B(bytes)) => blobs.contains(bytes),
        _ => false,
    }
}
