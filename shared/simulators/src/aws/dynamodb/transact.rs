//! `TransactWriteItems`: all actions or none.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value as Json, json};

use super::State;
use super::value::item_to_json;
use super::write::{Effect, Judged, Refusal, Write, consumed, text};
use crate::aws::failure::Failure;

const KINDS: [&str; 4] = ["Put", "Update", "Delete", "ConditionCheck"];
const MOST_ACTIONS: usize = 100;
/// How long a client token protects against repetition.
const TOKEN_LIFE: i64 = 10 * 60 * 1000;

/// A transaction that went through under a client token.
#[derive(Debug)]
pub(super) struct Token {
    until: i64,
    request: Json,
    answer: Json,
}

pub(super) fn write_items(state: &mut State, request: &Map<String, Json>, now: i64) -> Result<Json, Failure> {
    let actions = request.get("TransactItems").and_then(Json::as_array).cloned().unwrap_or_default();
    if actions.is_empty() || actions.len() > MOST_ACTIONS {
        return Err(Failure::validation(format!(
            "1 validation error detected: Value at 'transactItems' failed to satisfy constraint: Member must have \
             length less than or equal to {MOST_ACTIONS} and at least 1"
        )));
    }
    let token = text(request, "ClientRequestToken").map(str::to_owned);
    state.tokens.retain(|_, token| token.until > now);
    if let Some(earlier) = token.as_ref().and_then(|token| state.tokens.get(token)) {
        if earlier.request != Json::Array(actions) {
            return Err(Failure::new(
                "IdempotentParameterMismatchException",
                "The client token has been used with a different request",
            ));
        }
        return Ok(earlier.answer.clone());
    }
    let writes = read(state, &actions)?;
    let mut judged = Vec::with_capacity(writes.len());
    let mut reasons = Vec::with_capacity(writes.len());
    let mut units: BTreeMap<String, (u64, u64)> = BTreeMap::new();
    for write in &writes {
        let outcome = write.judge(state);
        let (reason, cost) = reason(&outcome);
        judged.extend(outcome);
        reasons.push(reason);
        let used = units.entry(write.table.clone()).or_default();
        *used = (used.0 + 1, used.1 + 2 * cost);
    }
    for (table, (count, cost)) in &units {
        let counters = &mut state.table_mut(table)?.counters;
        counters.writes += count;
        counters.write_units += cost;
    }
    if judged.len() < writes.len() {
        return Err(cancelled(reasons));
    }
    for (write, judged) in writes.iter().zip(&judged) {
        write.commit(state, judged);
    }
    let mut answer = Map::new();
    #[expect(clippy::cast_precision_loss, reason = "a transaction is at most some thousand units")]
    let report: Vec<Json> = units
        .iter()
        .filter_map(|(table, (_, cost))| consumed(request, table, "WriteCapacityUnits", *cost as f64))
        .collect();
    if !report.is_empty() {
        answer.insert("ConsumedCapacity".to_owned(), Json::Array(report));
    }
    let answer = Json::Object(answer);
    if let Some(token) = token {
        let request = Json::Array(actions);
        state.tokens.insert(token, Token { until: now + TOKEN_LIFE, request, answer: answer.clone() });
    }
    Ok(answer)
}

fn read(state: &State, actions: &[Json]) -> Result<Vec<Write>, Failure> {
    let mut writes = Vec::with_capacity(actions.len());
    let mut touched = BTreeSet::new();
    for action in actions {
        let found: Vec<_> =
            KINDS.into_iter().filter_map(|kind| Some((kind, action.get(kind)?.as_object()?))).collect();
        let [(kind, members)] = found.as_slice() else {
            return Err(Failure::validation(
                "TransactItems can only contain one of Check, Put, Update or Delete",
            ));
        };
        if *kind == "ConditionCheck" && !members.contains_key("ConditionExpression") {
            return Err(Failure::validation(
                "1 validation error detected: Value null at 'transactItems.1.member.conditionCheck.conditionExpression' \
                 failed to satisfy constraint: Member must not be null",
            ));
        }
        let write = Write::read(state, kind, members)?;
        if !touched.insert((write.table.clone(), write.key.clone())) {
            return Err(Failure::validation(
                "Transaction request cannot include multiple operations on one item",
            ));
        }
        writes.push(write);
    }
    let size: usize = writes
        .iter()
        .map(|write| match &write.effect {
            Effect::Put(item) => super::value::size_of_item(item),
            _ => 0,
        })
        .sum();
    if size > 4 * 1024 * 1024 {
        return Err(Failure::validation("Collection size has exceeded the maximum allowed size"));
    }
    Ok(writes)
}

fn cancelled(reasons: Vec<Json>) -> Failure {
    let codes: Vec<&str> =
        reasons.iter().map(|reason| reason.get("Code").and_then(Json::as_str).unwrap_or("None")).collect();
    let message = format!(
        "Transaction cancelled, please refer cancellation reasons for specific reasons [{}]",
        codes.join(", ")
    );
    Failure::new("TransactionCanceledException", message).with("CancellationReasons", Json::Array(reasons))
}

/// What an action adds to the cancellation reasons, and the units it costs either way.
fn reason(outcome: &Result<Judged, Refusal>) -> (Json, u64) {
    match outcome {
        Ok(judged) => (json!({ "Code": "None" }), judged.units),
        Err(Refusal::Condition { item, units }) => {
            let message = "The conditional request failed";
            let reason = match item {
                Some(item) => {
                    json!({ "Code": "ConditionalCheckFailed", "Message": message, "Item": item_to_json(item) })
                }
                None => json!({ "Code": "ConditionalCheckFailed", "Message": message }),
            };
            (reason, *units)
        }
        Err(Refusal::Invalid(failure)) => {
            (json!({ "Code": "ValidationError", "Message": failure.message }), 1)
        }
    }
}
