//! Amazon `DynamoDB`: tables, conditional writes, transactions, queries.
//!
//! Exact in what a ledger depends on: the expression language with its refusals, the atomicity of transactions, write
//! units, the size limits, and expiry that removes nothing by itself. Reads are always current. There are no secondary
//! indexes, streams or legacy parameters: asking for them is refused, never ignored.

mod expression;
pub mod number;
mod read;
mod table;
mod transact;
pub mod value;
mod write;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde_json::{Map, Value as Json, json};

pub use self::table::Counters;
use self::table::Table;
use self::value::Item;
use super::Now;
use super::failure::Failure;

#[derive(Debug, Default)]
struct State {
    tables: BTreeMap<String, Table>,
    tokens: BTreeMap<String, transact::Token>,
}

impl State {
    fn table(&self, name: &str) -> Result<&Table, Failure> {
        self.tables.get(name).ok_or_else(not_found)
    }

    fn table_mut(&mut self, name: &str) -> Result<&mut Table, Failure> {
        self.tables.get_mut(name).ok_or_else(not_found)
    }
}

fn not_found() -> Failure {
    Failure::new("ResourceNotFoundException", "Requested resource not found")
}

/// The service, and its state for a test to look into.
#[derive(Clone)]
pub struct DynamoDb {
    state: Arc<Mutex<State>>,
    now: Now,
}

impl DynamoDb {
    pub(super) fn new(now: Now) -> Self {
        Self { state: Arc::default(), now }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn call(&self, operation: &str, request: &Map<String, Json>) -> Result<Json, Failure> {
        let state = &mut *self.state();
        let now = (self.now)();
        match operation {
            "PutItem" => write::single(state, "Put", request),
            "UpdateItem" => write::single(state, "Update", request),
            "DeleteItem" => write::single(state, "Delete", request),
            "GetItem" => read::get(state, request),
            "BatchGetItem" => read::batch_get(state, request),
            "Query" => read::query(state, request),
            "Scan" => read::scan(state, request),
            "TransactWriteItems" => transact::write_items(state, request, now),
            "CreateTable" => create_table(state, request, now),
            "DescribeTable" => Ok(json!({ "Table": named(state, request)?.describe() })),
            "DeleteTable" => {
                let description = named(state, request)?.describe();
                state.tables.remove(write::text(request, "TableName").unwrap_or_default());
                Ok(json!({ "TableDescription": description }))
            }
            "ListTables" => Ok(json!({ "TableNames": state.tables.keys().collect::<Vec<_>>() })),
            "UpdateTimeToLive" => update_expiry(state, request),
            "DescribeTimeToLive" => {
                let table = named(state, request)?;
                Ok(json!({ "TimeToLiveDescription": match &table.expiry {
                    Some(name) => json!({ "TimeToLiveStatus": "ENABLED", "AttributeName": name }),
                    None => json!({ "TimeToLiveStatus": "DISABLED" }),
                }}))
            }
            _ => Err(Failure::new("UnknownOperationException", format!("{operation} is not simulated"))),
        }
    }

    /// Makes a table with text keys. False when there is one already, or the name is no name.
    pub fn create_table(&self, name: &str, hash: &str, range: Option<&str>) -> bool {
        let keys = || std::iter::once((hash, "HASH")).chain(range.map(|range| (range, "RANGE")));
        let schema = keys().map(|(name, role)| json!({ "AttributeName": name, "KeyType": role }));
        let types = keys().map(|(name, _)| json!({ "AttributeName": name, "AttributeType": "S" }));
        let request = json!({
            "TableName": name,
            "KeySchema": schema.collect::<Vec<_>>(),
            "AttributeDefinitions": types.collect::<Vec<_>>(),
        });
        request.as_object().is_some_and(|request| self.call("CreateTable", request).is_ok())
    }

    /// Every item of a table in key order; empty when there is no such table.
    #[must_use]
    pub fn items(&self, table: &str) -> Vec<Item> {
        self.state()
            .tables
            .get(table)
            .map(|table| table.items.values().cloned().collect())
            .unwrap_or_default()
    }

    /// Every item of a table as the service would write it, in key order.
    #[must_use]
    pub fn dump(&self, table: &str) -> Json {
        self.items(table).iter().map(value::item_to_json).collect()
    }

    /// Requests and units of one table so far.
    #[must_use]
    pub fn counters(&self, table: &str) -> Counters {
        self.state().tables.get(table).map(|table| table.counters).unwrap_or_default()
    }

    /// Starts the counters of one table again at nothing.
    pub fn reset_counters(&self, table: &str) {
        if let Some(table) = self.state().tables.get_mut(table) {
            table.counters = Counters::default();
        }
    }

    /// Does what AWS does some day after an item's expiry: removes it. Returns how many went.
    pub fn remove_expired(&self, table: &str) -> usize {
        let seconds = (self.now)() / 1000;
        let mut state = self.state();
        let Some(table) = state.tables.get_mut(table) else { return 0 };
        let Some(attribute) = table.expiry.clone() else { return 0 };
        let before = table.items.len();
        table.items.retain(|_, item| write::expires(item, &attribute).is_none_or(|at| at > seconds));
        before - table.items.len()
    }
}

fn named<'state>(state: &'state State, request: &Map<String, Json>) -> Result<&'state Table, Failure> {
    let name = write::text(request, "TableName").unwrap_or_default();
    state.tables.get(name).ok_or_else(|| {
        Failure::new(
            "ResourceNotFoundException",
            format!("Requested resource not found: Table: {name} not found"),
        )
    })
}

fn create_table(state: &mut State, request: &Map<String, Json>, now: i64) -> Result<Json, Failure> {
    let table = table::create(request, now)?;
    if state.tables.contains_key(&table.name) {
        return Err(Failure::new("ResourceInUseException", format!("Table already exists: {}", table.name)));
    }
    let description = table.describe();
    state.tables.insert(table.name.clone(), table);
    Ok(json!({ "TableDescription": description }))
}

fn update_expiry(state: &mut State, request: &Map<String, Json>) -> Result<Json, Failure> {
    let wanted = request.get("TimeToLiveSpecification").cloned().unwrap_or_default();
    let enabled = wanted.get("Enabled").and_then(Json::as_bool).unwrap_or(false);
    let attribute = wanted.get("AttributeName").and_then(Json::as_str).unwrap_or_default().to_owned();
    let table = state.table_mut(write::text(request, "TableName").unwrap_or_default())?;
    if enabled == table.expiry.is_some() {
        let status = if enabled { "enabled" } else { "disabled" };
        return Err(Failure::validation(format!("TimeToLive is already {status}")));
    }
    table.expiry = enabled.then_some(attribute);
    Ok(json!({ "TimeToLiveSpecification": wanted }))
}
