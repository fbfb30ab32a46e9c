//! Changing what a node has in a category.

use serde_json::{Map, Value, json};

use super::{CategoryValues, read::values_in};
use crate::{
    content_server::{Client, EDIT_CONFLICT, NodeId, call::Call, error::CATEGORY_EXISTS, wire},
    error::{FailureClass, Result},
};

/// What became of setting a category.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CategoryOutcome {
    /// The node did not have it before.
    Added,
    /// The node had it with other values.
    Updated,
    /// The node had all of it already; nothing was written.
    Unchanged,
}

impl Client {
    /// Gives a node these values, adding the category when the node does not have it. Attributes not spoken of stay as
    /// they are. When somebody else edits in between, their values are read and these are put on top, once.
    ///
    /// # Errors
    /// [`EDIT_CONFLICT`] when it happens again; `Forbidden` when the category or the node cannot be used.
    pub async fn set_category(&self, node: NodeId, values: &CategoryValues) -> Result<CategoryOutcome> {
        self.change_category(node, values.category(), |_| Ok(Some(values.clone()))).await
    }

    /// Gives a node the values that are decided upon by what it has at that moment, or none. Where the server keeps
    /// tokens, nobody's change between the look and the change is overwritten: it is looked at again, once.
    ///
    /// # Errors
    /// As [`Client::set_category`]; what `decide` says.
    pub async fn change_category(
        &self,
        node: NodeId,
        category: NodeId,
        decide: impl Fn(Option<&CategoryValues>) -> Result<Option<CategoryValues>> + Send + Sync,
    ) -> Result<CategoryOutcome> {
        let mut again = true;
        loop {
            // The token first: whatever is read after it is at least as new, so a change in between is noticed.
            let token = self.category_token(node, category).await?;
            let present = self.get_categories(node).await?;
            let present = present.iter().find(|present| present.category() == category);
            let Some(values) = decide(present)? else { return Ok(CategoryOutcome::Unchanged) };
            let outcome = match present {
                Some(present) if values.agrees(present, &self.zone) => return Ok(CategoryOutcome::Unchanged),
                Some(present) => {
                    let surplus = values.surplus_rows(present);
                    self.update_category(node, &values, &surplus, token)
                        .await
                        .map(|()| CategoryOutcome::Updated)
                }
                None => self.add_category(node, &values).await.map(|()| CategoryOutcome::Added),
            };
            match outcome {
                Err(error) if again && is_worth_a_second_look(error.class(), error.code()) => again = false,
                outcome => return outcome,
            }
        }
    }

    /// Gives a node these values on the condition that nobody changed what it has in the category since `token` and then
    /// `present` were read ([`Client::category_token`], [`Client::get_categories`]). One attempt, so that whoever is told of a
    /// refusal knows that nothing was written. Where the server keeps no tokens there is no condition.
    ///
    /// # Errors
    /// [`EDIT_CONFLICT`] when somebody was faster; `UnknownOutcome` when no answer came.
    pub async fn set_category_as_read(
        &self,
        node: NodeId,
        values: &CategoryValues,
        present: Option<&CategoryValues>,
        token: Option<String>,
    ) -> Result<()> {
        match present {
            Some(present) => self.update_category(node, values, &values.surplus_rows(present), token).await,
            None => self.add_category(node, values).await.map_err(|error| match error.code() {
                CATEGORY_EXISTS => error.with_class(FailureClass::Conflict).with_code(EDIT_CONFLICT),
                _ => error,
            }),
        }
    }

    async fn add_category(&self, node: NodeId, values: &CategoryValues) -> Result<()> {
        let mut body = Map::new();
        body.insert("category_id".to_owned(), values.category().0.into());
        body.extend(values.wire(self.settings.dates_with_time));
        let call = Call::post("add a category", format!("/v2/nodes/{node}/categories"));
        self.tell(&call.body(&Value::Object(body))).await
    }

    async fn update_category(
        &self,
        node: NodeId,
        values: &CategoryValues,
        surplus: &[String],
        token: Option<String>,
    ) -> Result<()> {
        let category = values.category();
        let mut body: Map<String, Value> = values.wire(self.settings.dates_with_time).collect();
        body.extend(surplus.iter().map(|row| (row.clone(), "".into())));
        let call = Call::put("update a category", format!("/v2/nodes/{node}/categories/{category}"));
        let call = match token {
            Some(token) => {
                body.insert(format!("{category}_1"), json!({ "metadata_token": token }));
                // A token is spent with the change, so the second of two equal calls fails.
                call.once()
            }
            None => call,
        };
        self.tell(&call.body(&Value::Object(body))).await
    }

    /// Stands for what a node has in a category at the moment it was read: another one after every change, and what makes
    /// an update conditional. Nothing where the server keeps none.
    ///
    /// # Errors
    /// As any call.
    pub async fn category_token(&self, node: NodeId, category: NodeId) -> Result<Option<String>> {
        let call = Call::get("read a node's state", format!("/v2/nodes/{node}"))
            .query("fields", "properties{id}")
            .flag("state");
        let answer = self.json(&call).await?;
        let tokens = answer.pointer("/results/state/categories").unwrap_or(&Value::Null);
        let own = tokens.get(format!("{category}_1")).or_else(|| tokens.get(category.to_string()));
        Ok(own.and_then(|own| wire::as_text(own.get("metadata_token").unwrap_or(own))))
    }

    /// Takes a category off a node. That it was not on it is no failure.
    ///
    /// # Errors
    /// `Forbidden` when a right is missing.
    pub async fn remove_category(&self, node: NodeId, category: NodeId) -> Result<()> {
        let call = Call::delete("remove a category", format!("/v2/nodes/{node}/categories/{category}"));
        match self.tell(&call).await {
            Err(error) if error.class() != FailureClass::Auth => {
                let present = self.get_categories(node).await?;
                let still = present.iter().any(|present| present.category() == category);
                if still { Err(error) } else { Ok(()) }
            }
            outcome => outcome,
        }
    }

    /// Says whether new items inside a container get the category as well.
    ///
    /// # Errors
    /// As any call.
    pub async fn set_category_inheritance(&self, node: NodeId, category: NodeId, on: bool) -> Result<()> {
        let path = format!("/v2/nodes/{node}/categories/{category}/inheritance");
        let call = if on {
            Call::post("switch inheritance on", path).repeatable()
        } else {
            Call::delete("switch inheritance off", path)
        };
        self.tell(&call).await
    }

    /// What one version of a document has in its categories.
    ///
    /// # Errors
    /// As any call.
    pub async fn get_version_categories(&self, node: NodeId, version: i64) -> Result<Vec<CategoryValues>> {
        let path = format!("/v2/nodes/{node}/versions/{version}/categories");
        let answer = self.json(&Call::get("read a version's categories", path)).await?;
        Ok(values_in(answer.get("results").unwrap_or(&Value::Null)))
    }
}

/// Somebody else was faster, or our own write may have worked: reading again tells.
fn is_worth_a_second_look(class: FailureClass, code: &str) -> bool {
    class == FailureClass::UnknownOutcome || matches!(code, EDIT_CONFLICT | CATEGORY_EXISTS)
}
