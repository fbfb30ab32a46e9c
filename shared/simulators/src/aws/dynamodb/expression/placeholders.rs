//! `ExpressionAttributeNames` and `ExpressionAttributeValues`, and which of them an expression used.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value as Json};

use super::super::value::Value;
use crate::aws::failure::Failure;

/// The two maps of one request, shared by all its expressions.
#[derive(Debug, Default)]
pub(in super::super) struct Placeholders {
    names: BTreeMap<String, String>,
    values: BTreeMap<String, Value>,
    used: BTreeSet<String>,
}

impl Placeholders {
    /// Reads both maps. `expressions` names the request members that may hold an expression: without any, neither map
    /// may be given.
    pub(in super::super) fn read(request: &Map<String, Json>, expressions: &[&str]) -> Result<Self, Failure> {
        let mut read = Self::default();
        let any = expressions.iter().any(|member| request.contains_key(*member));
        for member in ["ExpressionAttributeNames", "ExpressionAttributeValues"] {
            let Some(given) = request.get(member) else { continue };
            if !any {
                return Err(Failure::validation(format!(
                    "{member} can only be specified when using expressions: {} is null",
                    expressions.join(" and ")
                )));
            }
            let given = given
                .as_object()
                .ok_or_else(|| Failure::new("SerializationException", format!("{member} must be a map")))?;
            if given.is_empty() {
                return Err(Failure::validation(format!("{member} must not be empty")));
            }
            read.members(member, given)?;
        }
        Ok(read)
    }

    fn members(&mut self, member: &str, given: &Map<String, Json>) -> Result<(), Failure> {
        let sign = if member == "ExpressionAttributeNames" { '#' } else { ':' };
        for (key, value) in given {
            let rest = key.strip_prefix(sign).unwrap_or_default();
            if rest.is_empty() || !rest.chars().all(|letter| letter.is_ascii_alphanumeric() || letter == '_')
            {
                return Err(Failure::validation(format!(
                    "{member} contains invalid key: Syntax error; key: \"{key}\""
                )));
            }
            if sign == '#' {
                let name = value.as_str().ok_or_else(|| {
                    Failure::new("SerializationException", format!("{key} must be a string"))
                })?;
                self.names.insert(key.clone(), name.to_owned());
            } else {
                let value = Value::from_json(value).map_err(|failure| {
                    Failure::validation(format!(
                        "ExpressionAttributeValues contains invalid value: {} for key {key}",
                        failure.message
                    ))
                })?;
                self.values.insert(key.clone(), value);
            }
        }
        Ok(())
    }

    pub(super) fn name(&mut self, kind: &str, key: &str) -> Result<String, Failure> {
        self.used.insert(key.to_owned());
        self.names.get(key).cloned().ok_or_else(|| {
            Failure::validation(format!(
                "Invalid {kind}: An expression attribute name used in the document path is not defined; attribute \
                 name: {key}"
            ))
        })
    }

    pub(super) fn value(&mut self, kind: &str, key: &str) -> Result<Value, Failure> {
        self.used.insert(key.to_owned());
        self.values.get(key).cloned().ok_or_else(|| {
            Failure::validation(format!(
                "Invalid {kind}: An expression attribute value used in expression is not defined; attribute value: \
                 {key}"
            ))
        })
    }

    /// To call once every expression is parsed: a placeholder nobody used is an error.
    pub(in super::super) fn finish(&self) -> Result<(), Failure> {
        let unused = |keys: Vec<&String>| {
            let keys: Vec<&str> =
                keys.into_iter().filter(|key| !self.used.contains(*key)).map(String::as_str).collect();
            (!keys.is_empty()).then(|| keys.join(", "))
        };
        for (member, keys) in [
            ("ExpressionAttributeNames", unused(self.names.keys().collect())),
            ("ExpressionAttributeValues", unused(self.values.keys().collect())),
        ] {
            if let Some(keys) = keys {
                return Err(Failure::validation(format!(
                    "Value provided in {member} unused in expressions: keys: {{{keys}}}"
                )));
            }
        }
        Ok(())
    }
}
