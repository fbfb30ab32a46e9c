//! Updates applied to an item: every operand is read from the item as it was before.

use std::collections::BTreeSet;

use super::super::number::Number;
use super::super::value::{Item, Value};
use super::path::{Path, Step};
use super::update::{Action, Source, Update};
use crate::aws::failure::Failure;

impl Update {
    /// The item after the update.
    pub(in super::super) fn apply(&self, before: &Item) -> Result<Item, Failure> {
        let mut after = before.clone();
        let mut sets = Vec::new();
        let mut removals = Vec::new();
        for action in &self.actions {
            match action {
                Action::Set(path, source) => sets.push((path, source.value(before)?)),
                Action::Add(path, value) => sets.push((path, add(path.find(before), value)?)),
                Action::Delete(path, value) => match delete(path.find(before), value)? {
                    Some(rest) => sets.push((path, rest)),
                    None => removals.push(path),
                },
                Action::Remove(path) => removals.push(path),
            }
        }
        // List elements set beyond the end are appended in the order of their indexes, and removals, from the last
        // index down, do not shift one another.
        sets.sort_by_key(|(path, _)| last_index(path));
        removals.sort_by_key(|path| std::cmp::Reverse(last_index(path)));
        for (path, value) in sets {
            set(&mut after, path, value)?;
        }
        for path in removals {
            remove(&mut after, path)?;
        }
        Ok(after)
    }
}

impl Source {
    fn value(&self, item: &Item) -> Result<Value, Failure> {
        match self {
            Self::Literal(value) => Ok(value.clone()),
            Self::Path(path) => path.find(item).cloned().ok_or_else(|| {
                Failure::validation(
                    "The provided expression refers to an attribute that does not exist in the item",
                )
            }),
            Self::IfNotExists(path, otherwise) => match path.find(item) {
                Some(value) => Ok(value.clone()),
                None => otherwise.value(item),
            },
            Self::ListAppend(front, back) => match (front.value(item)?, back.value(item)?) {
                (Value::L(mut front), Value::L(back)) => {
                    front.extend(back);
                    Ok(Value::L(front))
                }
                _ => Err(wrong_type()),
            },
            Self::Plus(left, right) => arithmetic(&left.value(item)?, &right.value(item)?, Number::plus),
            Self::Minus(left, right) => arithmetic(&left.value(item)?, &right.value(item)?, Number::minus),
        }
    }
}

fn wrong_type() -> Failure {
    Failure::validation("An operand in the update expression has an incorrect data type")
}

fn bad_path() -> Failure {
    Failure::validation("The document path provided in the update expression is invalid for update")
}

fn arithmetic(
    left: &Value,
    right: &Value,
    operation: impl Fn(&Number, &Number) -> Result<Number, String>,
) -> Result<Value, Failure> {
    match (left, right) {
        (Value::N(left), Value::N(right)) => {
            operation(left, right).map(Value::N).map_err(Failure::validation)
        }
        _ => Err(wrong_type()),
    }
}

fn add(current: Option<&Value>, value: &Value) -> Result<Value, Failure> {
    Ok(match (current, value) {
        (None, value) => value.clone(),
        (Some(Value::N(left)), Value::N(right)) => Value::N(left.plus(right).map_err(Failure::validation)?),
        (Some(Value::Ss(left)), Value::Ss(right)) => Value::Ss(left | right),
        (Some(Value::Ns(left)), Value::Ns(right)) => Value::Ns(left | right),
        (Some(Value::Bs(left)), Value::Bs(right)) => Value::Bs(left | right),
        _ => return Err(wrong_type()),
    })
}

/// What is left of a set; nothing when it becomes empty or never existed.
fn delete(current: Option<&Value>, value: &Value) -> Result<Option<Value>, Failure> {
    fn rest<T: Ord + Clone>(
        left: &BTreeSet<T>,
        right: &BTreeSet<T>,
        wrap: fn(BTreeSet<T>) -> Value,
    ) -> Option<Value> {
        let rest = left - right;
        (!rest.is_empty()).then(|| wrap(rest))
    }
    Ok(match (current, value) {
        (None, _) => None,
        (Some(Value::Ss(left)), Value::Ss(right)) => rest(left, right, Value::Ss),
        (Some(Value::Ns(left)), Value::Ns(right)) => rest(left, right, Value::Ns),
        (Some(Value::Bs(left)), Value::Bs(right)) => rest(left, right, Value::Bs),
        _ => return Err(wrong_type()),
    })
}

fn last_index(path: &Path) -> usize {
    match path.steps.last() {
        Some(Step::Index(index)) => *index,
        _ => 0,
    }
}

/// The container that the last step of a path names something in.
fn parent<'item>(item: &'item mut Item, path: &'item Path) -> Option<(&'item mut Value, &'item Step)> {
    let (last, before) = path.steps.split_last()?;
    let parent =
        before.iter().try_fold(item.get_mut(&path.attribute)?, |value, step| match (value, step) {
            (Value::M(members), Step::Name(name)) => members.get_mut(name),
            (Value::L(values), Step::Index(index)) => values.get_mut(*index),
            _ => None,
        })?;
    Some((parent, last))
}

fn set(item: &mut Item, path: &Path, value: Value) -> Result<(), Failure> {
    if path.steps.is_empty() {
        item.insert(path.attribute.clone(), value);
        return Ok(());
    }
    match parent(item, path).ok_or_else(bad_path)? {
        (Value::M(members), Step::Name(name)) => {
            members.insert(name.clone(), value);
        }
        (Value::L(values), Step::Index(index)) => match values.get_mut(*index) {
            Some(place) => *place = value,
            None => values.push(value),
        },
        _ => return Err(bad_path()),
    }
    Ok(())
}

fn remove(item: &mut Item, path: &Path) -> Result<(), Failure> {
    if path.steps.is_empty() {
        item.remove(&path.attribute);
        return Ok(());
    }
    match parent(item, path).ok_or_else(bad_path)? {
        (Value::M(members), Step::Name(name)) => {
            members.remove(name);
        }
        (Value::L(values), Step::Index(index)) => {
            if *index < values.len() {
                values.remove(*index);
            }
        }
        _ => return Err(bad_path()),
    }
    Ok(())
}
