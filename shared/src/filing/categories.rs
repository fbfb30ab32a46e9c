//! Category values of a plan, in the terms of the target.

use std::sync::Arc;

use super::{
    Filer,
    plan::{CategoryPlan, Reference},
};
use crate::{
    content_server::{AttributeValue, CategoryDefinition, CategoryValues, NodeId, NodePath, Root, volume},
    error::{Error, FailureClass, Result, System},
    mapping::{MappedField, Value},
};

impl Filer {
    /// The values of every category of a plan. `near` is any node that may carry them.
    ///
    /// # Errors
    /// What does not fit a category.
    pub async fn category_values(&self, near: NodeId, plans: &[CategoryPlan]) -> Result<Vec<CategoryValues>> {
        let mut all = Vec::with_capacity(plans.len());
        for plan in plans {
            let (definition, values) = self.values_of(near, plan).await?;
            definition.check_required(&values)?;
            all.push(values);
        }
        Ok(all)
    }

    /// The values of a category, with what it is made of.
    ///
    /// # Errors
    /// What does not fit the category.
    pub async fn values_of(
        &self,
        near: NodeId,
        plan: &CategoryPlan,
    ) -> Result<(Arc<CategoryDefinition>, CategoryValues)> {
        let category = self.category_id(&plan.category).await?;
        let definition = self.content_server.category_definition(category, near).await?;
        let mut values = CategoryValues::new(category);
        for field in &plan.values.fields {
            let value = self.attribute_value(field).await?;
            definition.put(&mut values, &field.to, value)?;
        }
        for set in &plan.values.sets {
            let known = set_id(&definition, &set.to)?;
            values.replace_rows(known);
            for (row, fields) in (1_u32..).zip(&set.rows) {
                for field in fields {
                    let value = self.attribute_value(field).await?;
                    definition.put_row(&mut values, &format!("{}:{}", set.to, field.to), row, value)?;
                }
            }
        }
        Ok((definition, values))
    }

    async fn category_id(&self, category: &Reference) -> Result<NodeId> {
        match category {
            Reference::Id(id) => Ok(NodeId(i64::try_from(*id).unwrap_or(i64::MAX))),
            Reference::Path(names) => {
                let name = format!("category {}", names.join("/"));
                if let Some(known) = self.places.get(&name) {
                    return Ok(known);
                }
                let path = NodePath { root: Root::Volume(volume::CATEGORIES), segments: names.clone() };
                let found = self.content_server.resolve_category(&path).await?.id;
                self.places.put(name, found);
                Ok(found)
            }
        }
    }

    async fn attribute_value(&self, field: &MappedField) -> Result<AttributeValue> {
        Ok(match &field.value {
            Value::List(values) => {
                let mut many = Vec::with_capacity(values.len());
                for value in values {
                    many.push(self.single(&field.to, value).await?);
                }
                AttributeValue::Many(many)
            }
            value => self.single(&field.to, value).await?,
        })
    }

    async fn single(&self, field: &str, value: &Value) -> Result<AttributeValue> {
        Ok(match value {
            Value::Text(text) => AttributeValue::Text(text.clone()),
            Value::Integer(number) => AttributeValue::Integer(*number),
            // Content Server has no decimal attribute in its core types: the exact text is kept.
            Value::Decimal(number) => AttributeValue::Text(number.to_string()),
            Value::Boolean(truth) => AttributeValue::Boolean(*truth),
            Value::Date(day) => AttributeValue::Date(*day),
            Value::DateTime(moment) => AttributeValue::Moment(*moment),
            Value::User(login) => AttributeValue::User(self.user(field, login).await?),
            Value::List(_) => return Err(Error::bug("map", "a list inside a list")),
        })
    }
}

fn set_id(definition: &CategoryDefinition, name: &str) -> Result<i64> {
    let mut known = definition.attributes.iter().filter_map(|attribute| attribute.set.as_ref());
    known.find(|set| set.name == name).map(|set| set.id).ok_or_else(|| {
        Error::new(
            FailureClass::Forbidden,
            System::ContentServer,
            "map categories",
            "content-server.set-unknown",
            format!("the category {:?} has no set {name:?}", definition.name),
        )
        .remedy("correct the name in the rule, or add the set to the category")
    })
}
