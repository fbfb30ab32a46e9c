//! What the account's schema has. Much of it is not documented, so it is asked, and what is built on it is built from the
//! answer: a field that is missing disables what needs it instead of failing everything.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::{
    Client,
    error::{Effect, unexpected},
    selection::{self, Selected},
};
use crate::error::{Error, Result};

/// What a schema was asked for, and has.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Capabilities {
    types: BTreeMap<String, TypeHas>,
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
struct TypeHas {
    fields: BTreeMap<String, Field>,
    inputs: BTreeMap<String, String>,
    values: BTreeSet<String>,
}

/// A field of a type.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Field {
    /// Its type as GraphQL writes it: `[Product!]!`.
    pub of: String,
    /// It gives something that has fields itself.
    pub is_composite: bool,
    /// Its arguments with their types.
    pub arguments: BTreeMap<String, String>,
}

impl Field {
    /// The name of its type, whether it is a list of it or one.
    pub fn type_name(&self) -> &str {
        bare(&self.of)
    }

    /// It cannot be asked for without arguments.
    pub(super) fn needs_arguments(&self) -> bool {
        self.arguments.values().any(|of| of.ends_with('!'))
    }
}

pub(super) fn bare(of: &str) -> &str {
    of.trim_matches(|character| matches!(character, '[' | ']' | '!'))
}

/// Types by their names, three levels of lists and non-nulls deep.
const INTROSPECTION: &str = "\
fragment Known on __Type { name kind \
fields(includeDeprecated: true) { name args { name type { ...Of } } type { ...Of } } \
inputFields { name type { ...Of } } enumValues { name } } \
fragment Of on __Type { kind name ofType { kind name ofType { kind name ofType { kind name } } } }";

/// Rounds of questions until every type that is needed is known.
const MOST_ROUNDS: usize = 8;
/// Types asked for at once.
const AT_ONCE: usize = 12;
const OPERATION: &str = "probe capabilities";

impl Capabilities {
    /// Whether the schema has a type, as far as it was asked.
    pub fn has_type(&self, name: &str) -> bool {
        self.types.contains_key(name)
    }

    /// A field of a type.
    pub fn field(&self, of: &str, name: &str) -> Option<&Field> {
        self.types.get(of)?.fields.get(name)
    }

    /// The fields of a type.
    pub fn fields(&self, of: &str) -> impl Iterator<Item = (&str, &Field)> {
        self.types
            .get(of)
            .into_iter()
            .flat_map(|has| has.fields.iter().map(|(name, field)| (name.as_str(), field)))
    }

    /// The type of an input's field.
    pub fn input(&self, of: &str, name: &str) -> Option<&str> {
        self.types.get(of)?.inputs.get(name).map(String::as_str)
    }

    /// The fields of an input, with their types.
    pub fn inputs(&self, of: &str) -> impl Iterator<Item = (&str, &str)> {
        let inputs = self.types.get(of).into_iter().flat_map(|has| &has.inputs);
        inputs.map(|(name, of)| (name.as_str(), of.as_str()))
    }

    /// The values of an enumeration.
    pub fn values(&self, of: &str) -> impl Iterator<Item = &str> {
        self.types.get(of).into_iter().flat_map(|has| has.values.iter().map(String::as_str))
    }

    /// Of the fields a flow needs, those that are missing, as `Type.field`.
    pub fn missing(&self, needed: &[(&str, &str)]) -> Vec<String> {
        let is_missing =
            |(of, name): &&(&str, &str)| self.field(of, name).is_none() && self.input(of, name).is_none();
        needed.iter().filter(is_missing).map(|(of, name)| format!("{of}.{name}")).collect()
    }

    /// SHA-256 over all of it: when it changes, somebody has to look.
    ///
    /// # Errors
    /// A fault of ours.
    pub fn fingerprint(&self) -> Result<String> {
        let canonical = serde_json_canonicalizer::to_vec(self)
            .map_err(|error| Error::bug("fingerprint a schema", error.to_string()))?;
        Ok(hex::encode(Sha256::digest(canonical)))
    }

    /// What is different from an earlier probe, a line each, as `- Type.field: of` and `+ Type.field: of`.
    pub fn changes_since(&self, earlier: &Self) -> Vec<String> {
        let (before, now) = (earlier.lines(), self.lines());
        let gone = before.difference(&now).map(|line| format!("- {line}"));
        gone.chain(now.difference(&before).map(|line| format!("+ {line}"))).collect()
    }

    fn lines(&self) -> BTreeSet<String> {
        let mut lines = BTreeSet::new();
        for (name, has) in &self.types {
            for (field, is) in &has.fields {
                let arguments: Vec<String> =
                    is.arguments.iter().map(|(name, of)| format!("{name}: {of}")).collect();
                lines.insert(format!("{name}.{field}({}): {}", arguments.join(", "), is.of));
            }
            lines.extend(has.inputs.iter().map(|(field, of)| format!("{name}.{field}: {of}")));
            lines.extend(has.values.iter().map(|value| format!("{name}.{value}")));
        }
        lines
    }

    /// Takes a type as introspection shows it.
    pub(super) fn take(&mut self, shown: &Value) {
        let Some(name) = shown.get("name").and_then(Value::as_str) else { return };
        let entries = |key: &str| shown.get(key).and_then(Value::as_array).into_iter().flatten();
        let fields = entries("fields").filter_map(|field| {
            let arguments = field.get("args").and_then(Value::as_array).into_iter().flatten();
            let (of, kind) = written(field.get("type")?);
            Some((
                name_of(field)?,
                Field {
                    of,
                    is_composite: matches!(kind, "OBJECT" | "INTERFACE" | "UNION"),
                    arguments: arguments
                        .filter_map(|argument| Some((name_of(argument)?, written(argument.get("type")?).0)))
                        .collect(),
                },
            ))
        });
        let has = TypeHas {
            fields: fields.collect(),
            inputs: entries("inputFields")
                .filter_map(|field| Some((name_of(field)?, written(field.get("type")?).0)))
                .collect(),
            values: entries("enumValues").filter_map(name_of).collect(),
        };
        self.types.insert(name.to_owned(), has);
    }
}

fn name_of(shown: &Value) -> Option<String> {
    shown.get("name")?.as_str().map(str::to_owned)
}

/// A type as GraphQL writes it, and the kind of what it is a list of or not.
fn written(shown: &Value) -> (String, &str) {
    let within = || shown.get("ofType").filter(|of| !of.is_null()).map(written);
    let kind = shown.get("kind").and_then(Value::as_str).unwrap_or_default();
    match (kind, within()) {
        ("NON_NULL", Some((of, kind))) => (format!("{of}!"), kind),
        ("LIST", Some((of, kind))) => (format!("[{of}]"), kind),
        _ => (shown.get("name").and_then(Value::as_str).unwrap_or_default().to_owned(), kind),
    }
}

/// What is asked of a type, for the types it leads to.
pub(super) type Asked = (&'static str, Vec<Selected>);

impl Client {
    /// What the account's schema has, asked once for this process.
    ///
    /// # Errors
    /// When it cannot be asked.
    pub async fn capabilities(&self) -> Result<std::sync::Arc<Capabilities>> {
        let mut known = self.known.lock().await;
        if let Some(known) = &*known {
            return Ok(known.clone());
        }
        let probed = std::sync::Arc::new(self.probe().await?);
        *known = Some(probed.clone());
        Ok(probed)
    }

    /// Asks the account's schema anew, and goes on with what it says.
    ///
    /// # Errors
    /// When it cannot be asked.
    pub async fn probe_again(&self) -> Result<std::sync::Arc<Capabilities>> {
        let probed = std::sync::Arc::new(self.probe().await?);
        *self.known.lock().await = Some(probed.clone());
        Ok(probed)
    }

    async fn probe(&self) -> Result<Capabilities> {
        let mut schema = Capabilities::default();
        let mut asked: BTreeSet<String> = BTreeSet::new();
        for _ in 0..MOST_ROUNDS {
            let wanted: Vec<String> = super::wanted_types(&schema, &self.settings)
                .into_iter()
                .filter(|name| !asked.contains(name))
                .collect();
            if wanted.is_empty() {
                return Ok(schema);
            }
            for some in wanted.chunks(AT_ONCE) {
                self.ask_types(&mut schema, some).await?;
            }
            asked.extend(wanted);
            if !schema.has_type("Query") {
                return Err(unexpected(
                    OPERATION,
                    Effect::Read,
                    "introspection is off, or there is no type Query",
                ));
            }
        }
        Err(unexpected(OPERATION, Effect::Read, "its types never end"))
    }

    async fn ask_types(&self, schema: &mut Capabilities, names: &[String]) -> Result<()> {
        let variables: Vec<String> = (0..names.len()).map(|number| format!("$n{number}: String!")).collect();
        let fields: Vec<String> = (0..names.len())
            .map(|number| format!("t{number}: __type(name: $n{number}) {{ ...Known }}"))
            .collect();
        let text =
            format!("query Probe({}) {{ {} }} {INTROSPECTION}", variables.join(", "), fields.join(" "));
        let values: serde_json::Map<String, Value> =
            (0..).zip(names).map(|(number, name)| (format!("n{number}"), json!(name))).collect();
        let data = self.query(OPERATION, Effect::Read, &text, Value::Object(values)).await?;
        let Value::Object(types) = data else {
            return Err(unexpected(OPERATION, Effect::Read, "no types in it"));
        };
        for (_, shown) in types {
            schema.take(&shown);
        }
        Ok(())
    }
}

/// Types that a selection needs and the schema was not asked for.
pub(super) fn unknown_of(schema: &Capabilities, asked: &[Asked]) -> Vec<String> {
    let mut found = Vec::new();
    for (of, wanted) in asked {
        selection::unknown_types(wanted, of, schema, &mut found);
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn product(of_title: &Value) -> Value {
        json!({
            "name": "Product", "kind": "OBJECT", "inputFields": null, "enumValues": null,
            "fields": [
                {"name": "title", "args": [], "type": of_title},
                {"name": "prices", "type": {"kind": "NON_NULL", "name": null, "ofType": {"kind": "LIST", "name": null,
                    "ofType": {"kind": "NON_NULL", "name": null, "ofType": {"kind": "OBJECT", "name": "Price"}}}},
                 "args": [{"name": "priceSearch", "type": {"kind": "NON_NULL", "name": null,
                    "ofType": {"kind": "INPUT_OBJECT", "name": "PriceSearch"}}}]},
            ],
        })
    }

    fn named(name: &str) -> Value {
        json!({"kind": "SCALAR", "name": name, "ofType": null})
    }

    #[test]
    fn types_are_read_as_graphql_writes_them() {
        let mut schema = Capabilities::default();
        schema.take(&product(&named("String")));
        let prices = schema.field("Product", "prices").unwrap();
        assert_eq!(
            (prices.of.as_str(), prices.type_name(), prices.is_composite),
            ("[Price!]!", "Price", true)
        );
        assert!(prices.needs_arguments());
        assert_eq!(
            schema.missing(&[("Product", "title"), ("Product", "isbn"), ("Work", "id")]),
            ["Product.isbn", "Work.id"]
        );
    }

    #[test]
    fn a_changed_schema_has_another_fingerprint_and_says_what_changed() {
        let (mut before, mut after) = (Capabilities::default(), Capabilities::default());
        before.take(&product(&named("String")));
        after.take(&product(&named("ID")));
        assert_ne!(before.fingerprint().unwrap(), after.fingerprint().unwrap());
        assert_eq!(after.changes_since(&before), ["- Product.title(): String", "+ Product.title(): ID"]);
        assert_eq!(after.changes_since(&after), Vec::<String>::new());
    }
}
