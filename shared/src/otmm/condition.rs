//! What a search asks for.

use jiff::Timestamp;
use serde_json::{Value, json};

use super::{
    error::not_configured,
    ids::{FieldId, OperatorId, TableId},
    settings::Settings,
    wire,
};
use crate::error::Result;

/// One condition of a search.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Condition {
    table: Option<TableId>,
    field: FieldId,
    operator: Operator,
    value: String,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Operator {
    TextContains,
    TextIs,
    NumberIs,
    DateFrom,
    Named(OperatorId),
}

/// Conditions of which one has to hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AnyOf(pub Vec<Condition>);

impl From<Condition> for AnyOf {
    fn from(condition: Condition) -> Self {
        Self(vec![condition])
    }
}

impl Condition {
    fn new(field: &FieldId, operator: Operator, value: impl Into<String>) -> Self {
        Self { table: None, field: field.clone(), operator, value: value.into() }
    }

    /// A text contains a word. The server finds more than what is equal: compare what it gives.
    pub fn contains(field: &FieldId, text: impl Into<String>) -> Self {
        Self::new(field, Operator::TextContains, text)
    }

    /// A text is exactly this, where the site's operator for that is known.
    pub fn is(field: &FieldId, text: impl Into<String>) -> Self {
        Self::new(field, Operator::TextIs, text)
    }

    /// A number is this.
    pub fn number_is(field: &FieldId, number: i64) -> Self {
        Self::new(field, Operator::NumberIs, number.to_string())
    }

    /// A moment is this or later, where the site's operator for that is known.
    pub fn from(field: &FieldId, moment: Timestamp) -> Self {
        Self::new(field, Operator::DateFrom, wire::moment_text(moment))
    }

    /// By an operator of the site.
    pub fn by(field: &FieldId, operator: &OperatorId, value: impl Into<String>) -> Self {
        Self::new(field, Operator::Named(operator.clone()), value)
    }

    /// The field is a column of a table, and any row may have the value.
    #[must_use]
    pub fn in_table(mut self, table: &TableId) -> Self {
        self.table = Some(table.clone());
        self
    }

    fn operator<'a>(&'a self, settings: &'a Settings) -> Result<&'a OperatorId> {
        let operators = &settings.ids.operators;
        let (operator, setting) = match &self.operator {
            Operator::TextContains => (&operators.text_contains, "ids.operators.text_contains"),
            Operator::TextIs => (&operators.text_is, "ids.operators.text_is"),
            Operator::NumberIs => (&operators.number_is, "ids.operators.number_is"),
            Operator::DateFrom => (&operators.date_from, "ids.operators.date_from"),
            Operator::Named(operator) => (operator, "the operator"),
        };
        if operator.is_empty() {
            return Err(not_configured(super::search::OPERATION, setting));
        }
        if self.field.is_empty() {
            return Err(not_configured(super::search::OPERATION, "the field of a condition"));
        }
        Ok(operator)
    }

    fn json(&self, settings: &Settings) -> Result<Value> {
        let operator = self.operator(settings)?;
        let scalar = |class: &str| {
            json!({
                "type": class,
                "metadata_field_id": self.field,
                "relational_operator_id": operator,
                "value": self.value,
            })
        };
        Ok(match &self.table {
            None => scalar("com.artesia.search.SearchScalarCondition"),
            Some(table) => {
                let mut column = scalar("com.artesia.search.SearchTabularFieldCondition");
                wire::put(&mut column, "left_paren", "(");
                wire::put(&mut column, "right_paren", ")");
                json!({
                    "type": "com.artesia.search.SearchTabularCondition",
                    "metadata_table_id": table,
                    "tabular_field_list": [column],
                })
            }
        })
    }
}

/// All groups have to hold. Each condition says how it joins the one before it.
pub(super) fn list(groups: &[AnyOf], settings: &Settings) -> Result<Value> {
    let mut all = Vec::new();
    for AnyOf(group) in groups {
        for (index, condition) in group.iter().enumerate() {
            let mut json = condition.json(settings)?;
            if !all.is_empty() {
                wire::put(&mut json, "relational_operator", if index == 0 { "and" } else { "or" });
            }
            if group.len() > 1 && index == 0 {
                wire::put(&mut json, "left_paren", "(");
            }
            if group.len() > 1 && index + 1 == group.len() {
                wire::put(&mut json, "right_paren", ")");
            }
            all.push(json);
        }
    }
    Ok(json!({"search_condition_list": {"search_condition": all}}))
}
