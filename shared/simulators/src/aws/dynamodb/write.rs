//! One write: what `PutItem`, `UpdateItem`, `DeleteItem` and each action of a transaction have in common.

use serde_json::{Map, Value as Json, json};

use super::State;
use super::expression::{Condition, Placeholders, Update};
use super::table::{Key, LARGEST_ITEM};
use super::value::{Item, Value, item_from_json, item_to_json, size_of_item};
use crate::aws::failure::Failure;

#[derive(Debug)]
pub(super) enum Effect {
    Put(Item),
    Update(Item, Option<Update>),
    Delete,
    Check,
}

/// A write that is well formed; whether it happens depends on its condition.
#[derive(Debug)]
pub(super) struct Write {
    pub(super) table: String,
    pub(super) key: Key,
    pub(super) effect: Effect,
    condition: Option<Condition>,
    show_item: bool,
}

/// A write judged against the item as it is now.
#[derive(Debug)]
pub(super) struct Judged {
    pub(super) before: Option<Item>,
    pub(super) after: Option<Item>,
    pub(super) units: u64,
}

/// Why a well-formed write does not happen.
#[derive(Debug)]
pub(super) enum Refusal {
    Condition { item: Option<Item>, units: u64 },
    Invalid(Failure),
}

/// Members of the old, expression-less API: nobody should send them any more.
const LEGACY: [&str; 9] = [
    "Expected",
    "ConditionalOperator",
    "AttributeUpdates",
    "AttributesToGet",
    "KeyConditions",
    "QueryFilter",
    "ScanFilter",
    "IndexName",
    "Segment",
];

pub(super) fn refuse_legacy(request: &Map<String, Json>) -> Result<(), Failure> {
    match LEGACY.into_iter().find(|member| request.contains_key(*member)) {
        Some(member) => {
            Err(Failure::validation(format!("{member}: this stand-in does not know this parameter")))
        }
        None => Ok(()),
    }
}

pub(super) fn text<'request>(request: &'request Map<String, Json>, member: &str) -> Option<&'request str> {
    request.get(member).and_then(Json::as_str)
}

pub(super) fn item(request: &Map<String, Json>, member: &str) -> Result<Item, Failure> {
    let given = request.get(member).and_then(Json::as_object).ok_or_else(|| {
        Failure::validation(format!(
            "1 validation error detected: Value null at '{member}' failed to satisfy constraint: Member must not be \
             null"
        ))
    })?;
    item_from_json(given)
}

impl Write {
    /// Reads one write. `kind` is the name of the action in a transaction.
    pub(super) fn read(state: &State, kind: &str, request: &Map<String, Json>) -> Result<Self, Failure> {
        refuse_legacy(request)?;
        let mut placeholders = Placeholders::read(request, &["UpdateExpression", "ConditionExpression"])?;
        let update = text(request, "UpdateExpression")
            .map(|text| Update::parse(text, &mut placeholders))
            .transpose()?;
        let condition = text(request, "ConditionExpression")
            .map(|text| Condition::parse("ConditionExpression", text, &mut placeholders))
            .transpose()?;
        placeholders.finish()?;
        let table = state.table(text(request, "TableName").unwrap_or_default())?;
        let (key, effect) = match kind {
            "Put" => {
                let item = item(request, "Item")?;
                if size_of_item(&item) > LARGEST_ITEM {
                    return Err(Failure::validation("Item size has exceeded the maximum allowed size"));
                }
                (table.key_in(&item)?, Effect::Put(item))
            }
            _ => {
                let given = item(request, "Key")?;
                let key = table.exact_key(&given)?;
                if let Some(update) = &update {
                    update.refuse_keys(&table.keys())?;
                }
                let effect = match kind {
                    "Update" => Effect::Update(given, update),
                    "Delete" => Effect::Delete,
                    _ => Effect::Check,
                };
                (key, effect)
            }
        };
        let show_item = text(request, "ReturnValuesOnConditionCheckFailure") == Some("ALL_OLD");
        Ok(Self { table: table.name.clone(), key, effect, condition, show_item })
    }

    pub(super) fn judge(&self, state: &State) -> Result<Judged, Refusal> {
        let table = state.table(&self.table).map_err(Refusal::Invalid)?;
        let before = table.items.get(&self.key).cloned();
        let nothing = Item::new();
        let current = before.as_ref().unwrap_or(&nothing);
        let units = |item: &Item| write_units(size_of_item(item));
        if self.condition.as_ref().is_some_and(|condition| !condition.holds(current)) {
            let units = units(current);
            return Err(Refusal::Condition { item: before.filter(|_| self.show_item), units });
        }
        let after = match &self.effect {
            Effect::Put(item) => Some(item.clone()),
            Effect::Update(key, update) => {
                let mut item = before.clone().unwrap_or_else(|| key.clone());
                if let Some(update) = update {
                    // Operands see the item as it was: for a new item that is nothing, not even its key.
                    item = update.apply(current).map_err(Refusal::Invalid)?;
                    item.extend(key.clone());
                }
                if size_of_item(&item) > LARGEST_ITEM {
                    return Err(Refusal::Invalid(Failure::validation(
                        "Item size to update has exceeded the maximum allowed size",
                    )));
                }
                Some(item)
            }
            Effect::Delete => None,
            Effect::Check => before.clone(),
        };
        let units = units(current).max(after.as_ref().map_or(1, units));
        Ok(Judged { before, after, units })
    }

    pub(super) fn commit(&self, state: &mut State, judged: &Judged) {
        if matches!(self.effect, Effect::Check) {
            return;
        }
        let Ok(table) = state.table_mut(&self.table) else { return };
        match &judged.after {
            Some(item) => table.items.insert(self.key.clone(), item.clone()),
            None => table.items.remove(&self.key),
        };
    }

    /// What `ReturnValues` asks for.
    pub(super) fn returned(&self, wanted: &str, judged: &Judged) -> Option<Json> {
        let updated = |item: Option<&Item>| {
            let Effect::Update(_, Some(update)) = &self.effect else { return None };
            let paths: Vec<_> = update.actions.iter().map(|action| action.path().clone()).collect();
            let found = super::expression::path::project(item?, &paths);
            (!found.is_empty()).then(|| item_to_json(&found))
        };
        match wanted {
            "ALL_OLD" => judged.before.as_ref().map(item_to_json),
            "ALL_NEW" => judged.after.as_ref().map(item_to_json),
            "UPDATED_OLD" => updated(judged.before.as_ref()),
            "UPDATED_NEW" => updated(judged.after.as_ref()),
            _ => None,
        }
    }
}

/// One write unit per started kilobyte, at least one.
pub(super) fn write_units(size: usize) -> u64 {
    u64::try_from(size.div_ceil(1024).max(1)).unwrap_or(u64::MAX)
}

/// `ConsumedCapacity`, when the request asks for it.
pub(super) fn consumed(request: &Map<String, Json>, table: &str, member: &str, units: f64) -> Option<Json> {
    let mut report = Map::new();
    report.insert("TableName".to_owned(), json!(table));
    report.insert("CapacityUnits".to_owned(), json!(units));
    match text(request, "ReturnConsumedCapacity") {
        Some("INDEXES") => {
            report.insert("Table".to_owned(), json!({ "CapacityUnits": units }));
        }
        Some("TOTAL") => {}
        _ => return None,
    }
    if !member.is_empty() {
        report.insert(member.to_owned(), json!(units));
    }
    Some(Json::Object(report))
}

/// `PutItem`, `UpdateItem`, `DeleteItem`.
pub(super) fn single(state: &mut State, kind: &str, request: &Map<String, Json>) -> Result<Json, Failure> {
    let wanted = text(request, "ReturnValues").unwrap_or("NONE");
    if kind != "Update" && !matches!(wanted, "NONE" | "ALL_OLD") {
        return Err(Failure::validation("Return values set to invalid value"));
    }
    let write = Write::read(state, kind, request)?;
    let judged = write.judge(state);
    let units = match &judged {
        Ok(judged) => judged.units,
        Err(Refusal::Condition { units, .. }) => *units,
        Err(Refusal::Invalid(_)) => 0,
    };
    let counters = &mut state.table_mut(&write.table)?.counters;
    counters.writes += 1;
    counters.write_units += units;
    let judged = match judged {
        Ok(judged) => judged,
        Err(Refusal::Invalid(failure)) => return Err(failure),
        Err(Refusal::Condition { item, .. }) => {
            let failure = Failure::new("ConditionalCheckFailedException", "The conditional request failed");
            return Err(match item {
                Some(item) => failure.with("Item", item_to_json(&item)),
                None => failure,
            });
        }
    };
    write.commit(state, &judged);
    let mut answer = Map::new();
    if let Some(attributes) = write.returned(wanted, &judged) {
        answer.insert("Attributes".to_owned(), attributes);
    }
    #[expect(clippy::cast_precision_loss, reason = "a write is at most a few hundred units")]
    if let Some(report) = consumed(request, &write.table, "", units as f64) {
        answer.insert("ConsumedCapacity".to_owned(), report);
    }
    Ok(Json::Object(answer))
}

/// When the item expires, in seconds, by the table's expiry attribute.
pub(super) fn expires(item: &Item, attribute: &str) -> Option<i64> {
    match item.get(attribute)? {
        Value::N(number) => number.to_string().split('.').next()?.parse().ok(),
        _ => None,
    }
}
