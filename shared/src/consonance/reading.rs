//! Reading single records by GraphQL, and what hangs on them.

use std::collections::BTreeMap;

use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::{
    Capabilities, Client,
    capabilities::Asked,
    contract::{CONTRACT, Contract},
    error::{Effect, failure, unexpected},
    file::{PRODUCTION_FILE, ProductionFile, SUPPORTING_RESOURCE, SupportingResource, WEB_LINK, WebLink},
    product::{PRODUCT, Product, WORK, Work},
    selection::{fit, parse},
    wire,
};
use crate::error::{Error, FailureClass, Result};

/// The account's schema does not have what the call needs.
pub const SCHEMA_LACKS: &str = "consonance.schema-lacks";

/// What is always asked of a schema.
pub(super) const PROBED: &[&str] = &[
    "Query",
    "Mutation",
    "Work",
    "Product",
    "Contract",
    "ProductionFile",
    "SupportingResource",
    "WebLink",
    "ProductSearchAttributes",
    "WorkSearchAttributes",
    "ContractSearchAttributes",
];

/// What is asked of each kind of record.
pub(super) fn asked() -> Vec<Asked> {
    vec![
        ("Product", parse(&product_selection())),
        ("Work", parse(WORK)),
        ("Contract", parse(CONTRACT)),
        ("ProductionFile", parse(PRODUCTION_FILE)),
        ("SupportingResource", parse(SUPPORTING_RESOURCE)),
        ("WebLink", parse(WEB_LINK)),
    ]
}

pub(super) fn product_selection() -> String {
    format!("{PRODUCT} work{{{WORK}}}")
}

impl Client {
    /// One product.
    ///
    /// # Errors
    /// When it cannot be read.
    pub async fn find_product(&self, id: i64) -> Result<Option<Product>> {
        self.one(
            "read product",
            "product",
            ("productSearch", "ProductSearchAttributes"),
            "Product",
            id,
            &product_selection(),
        )
        .await
    }

    /// One work.
    ///
    /// # Errors
    /// When it cannot be read.
    pub async fn find_work(&self, id: i64) -> Result<Option<Work>> {
        self.one("read work", "work", ("workSearch", "WorkSearchAttributes"), "Work", id, WORK).await
    }

    /// One contract. There is no list of them that is known to exist: ids come from events or settings.
    ///
    /// # Errors
    /// When it cannot be read.
    pub async fn find_contract(&self, id: i64) -> Result<Option<Contract>> {
        let search = ("contractSearch", "ContractSearchAttributes");
        self.one("read contract", "contract", search, "Contract", id, CONTRACT).await
    }

    /// The production files of a work, wherever the account's schema has them: at the work, or at its products.
    ///
    /// # Errors
    /// [`SCHEMA_LACKS`] when it has them nowhere.
    pub async fn production_files(&self, work: i64) -> Result<Vec<ProductionFile>> {
        self.of_work("list production files", work, "ProductionFile", PRODUCTION_FILE).await
    }

    /// The images of a work.
    ///
    /// # Errors
    /// [`SCHEMA_LACKS`] when the schema has none.
    pub async fn supporting_resources(&self, work: i64) -> Result<Vec<SupportingResource>> {
        self.of_work("list supporting resources", work, "SupportingResource", SUPPORTING_RESOURCE).await
    }

    /// The links of a work and of its products.
    ///
    /// # Errors
    /// [`SCHEMA_LACKS`] when the schema has none.
    pub async fn web_links(&self, work: i64) -> Result<Vec<WebLink>> {
        self.of_work("list web links", work, "WebLink", WEB_LINK).await
    }

    pub(super) async fn one<T: DeserializeOwned>(
        &self,
        operation: &'static str,
        field: &str,
        (search, attributes): (&str, &str),
        of: &str,
        id: i64,
        wanted: &str,
    ) -> Result<Option<T>> {
        let schema = self.capabilities().await?;
        let selected = select(&schema, operation, of, wanted)?;
        let text =
            format!("query Read($search: {attributes}!) {{ {field}({search}: $search) {{ {selected} }} }}");
        let answered = self.query(operation, Effect::Read, &text, json!({"search": {"idEq": id}})).await;
        let mut data = match answered {
            Ok(data) => data,
            Err(error) if error.code() == super::NOT_FOUND => return Ok(None),
            Err(error) => return Err(error),
        };
        match data.get_mut(field).map(Value::take) {
            Some(Value::Null) | None => Ok(None),
            Some(record) => {
                // A search that the server does not understand would give another record.
                if record.get("id").and_then(wire::as_integer) != Some(id) {
                    return Err(unexpected(operation, Effect::Read, "another record than was asked for"));
                }
                read(operation, record).map(Some)
            }
        }
    }

    /// Records that hang on a work, and those that hang on its products, each once.
    async fn of_work<T: DeserializeOwned>(
        &self,
        operation: &'static str,
        work: i64,
        of: &str,
        wanted: &str,
    ) -> Result<Vec<T>> {
        let schema = self.capabilities().await?;
        let selected = select(&schema, operation, of, wanted)?;
        let held = |owner: &str| {
            let is_it =
                |(_, field): &(&str, &super::Field)| field.type_name() == of && !field.needs_arguments();
            schema.fields(owner).find(is_it).map(|(name, _)| name.to_owned())
        };
        let (at_work, at_product) = (held("Work"), held("Product"));
        if at_work.is_none() && at_product.is_none() {
            return Err(lacks(operation, &format!("neither Work nor Product has a {of}")));
        }
        let own = at_work.iter().map(|name| format!("{name} {{ {selected} }}"));
        let below = at_product.iter().map(|name| format!("products {{ {name} {{ {selected} }} }}"));
        let fields: Vec<String> = own.chain(below).collect();
        let text = format!(
            "query OfWork($search: WorkSearchAttributes!) {{ work(workSearch: $search) {{ id {} }} }}",
            fields.join(" ")
        );
        let mut data = self.query(operation, Effect::Read, &text, json!({"search": {"idEq": work}})).await?;
        let Some(mut found) = data.get_mut("work").map(Value::take).filter(Value::is_object) else {
            return Err(failure(FailureClass::Gone, operation, super::NOT_FOUND, "the work is not there"));
        };
        let mut records = BTreeMap::new();
        let mut take = |list: Option<Value>| {
            for record in list.and_then(into_list).unwrap_or_default() {
                records.insert(record.get("id").and_then(wire::as_integer), record);
            }
        };
        if let Some(name) = &at_work {
            take(found.get_mut(name).map(Value::take));
        }
        let products = found.get_mut("products").map(Value::take).and_then(into_list).unwrap_or_default();
        for mut product in products {
            take(at_product.as_ref().and_then(|name| product.get_mut(name).map(Value::take)));
        }
        records.into_values().map(|record| read(operation, record)).collect()
    }
}

fn into_list(value: Value) -> Option<Vec<Value>> {
    match value {
        Value::Array(list) => Some(list),
        _ => None,
    }
}

pub(super) fn read<T: DeserializeOwned>(operation: &'static str, record: Value) -> Result<T> {
    T::deserialize(record).map_err(|error| unexpected(operation, Effect::Read, &error.to_string()))
}

pub(super) fn select(
    schema: &Capabilities,
    operation: &'static str,
    of: &str,
    wanted: &str,
) -> Result<String> {
    let selected = fit(&parse(wanted), of, schema);
    if schema.field(of, "id").is_none() {
        return Err(lacks(operation, &format!("{of} has no id")));
    }
    Ok(selected)
}

pub(super) fn need_input(schema: &Capabilities, operation: &'static str, of: &str, name: &str) -> Result<()> {
    match schema.input(of, name) {
        Some(_) => Ok(()),
        None => Err(lacks(operation, &format!("{of} has no {name}"))),
    }
}

pub(super) fn lacks(operation: &'static str, what: &str) -> Error {
    failure(
        FailureClass::Forbidden,
        operation,
        SCHEMA_LACKS,
        format!("the account's schema lacks what is needed: {what}"),
    )
    .remedy("ask the vendor's support for it, or turn the flow off")
}
