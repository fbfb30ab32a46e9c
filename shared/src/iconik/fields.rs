//! What metadata there can be: fields, and the views that group them.

use serde::Deserialize;
use serde_json::{Value, json};

use super::{
    Client,
    call::Call,
    error::{CONFLICT, failure, unexpected},
    ids::ViewId,
    metadata_values::{MetadataChange, scalar_text},
    wire::{self, words},
};
use crate::error::{Error, FailureClass, Result};

words! {
    /// What a field holds.
    FieldKind {
        /// Whole numbers.
        Integer = "integer",
        /// Numbers.
        Float = "float",
        /// Yes or no.
        Boolean = "boolean",
        /// A text that is searched by its words.
        String = "string",
        /// A text that is searched as a whole.
        StringExact = "string_exact",
        /// A long text.
        Text = "text",
        /// A day.
        Date = "date",
        /// A moment.
        DateTime = "datetime",
        /// Tags.
        TagCloud = "tag_cloud",
        /// An address.
        Url = "url",
        /// One of several choices.
        DropDown = "drop_down",
        /// A mail address.
        Email = "email",
    }
}

/// One of a field's choices.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Choice {
    /// What is kept.
    #[serde(default, deserialize_with = "wire::text")]
    pub value: String,
    /// What people see.
    #[serde(default, deserialize_with = "wire::text")]
    pub label: String,
}

/// A field.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct Field {
    /// Its name, which never changes.
    #[serde(default, deserialize_with = "wire::text")]
    pub name: String,
    /// What people see. Some have none.
    #[serde(default, deserialize_with = "wire::text")]
    pub label: String,
    /// What it holds.
    #[serde(default, rename = "field_type")]
    pub kind: FieldKind,
    /// Its choices.
    #[serde(default, deserialize_with = "wire::list")]
    pub options: Vec<Choice>,
    /// Whether it holds several values.
    #[serde(default, deserialize_with = "wire::truth")]
    pub multi: bool,
    /// Whether it must have a value.
    #[serde(default, deserialize_with = "wire::truth")]
    pub required: bool,
    /// Whether people are kept from writing it.
    #[serde(default, deserialize_with = "wire::truth")]
    pub read_only: bool,
}

/// A field as a view has it. With the definition merged in it has its kind.
pub type ViewField = Field;

/// A view.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct View {
    /// Its id.
    pub id: ViewId,
    /// Its name.
    #[serde(default, deserialize_with = "wire::text")]
    pub name: String,
    /// Its fields, in order. A line between them is one too, by the name `__separator__`.
    #[serde(default, rename = "view_fields", deserialize_with = "wire::list")]
    pub fields: Vec<ViewField>,
}

/// The view lacks a field.
pub(super) const FIELD_MISSING: &str = "iconik.field-not-in-view";
/// A value is not among a field's choices.
pub(super) const NO_SUCH_CHOICE: &str = "iconik.no-such-choice";

impl View {
    /// The field with a name.
    pub fn field(&self, name: &str) -> Option<&ViewField> {
        self.fields.iter().find(|field| field.name == name)
    }

    /// Whether a change can be written to this view: what the server would refuse in words nobody documents, or ignore
    /// without a word, is refused here by name.
    ///
    /// # Errors
    /// `iconik.field-not-in-view` (`Forbidden`: the tenant is not as configured), `iconik.no-such-choice`,
    /// `iconik.too-many-values` and `iconik.value-required` (`Invalid`), each with the field.
    pub fn check(&self, change: &MetadataChange) -> Result<()> {
        for (name, values) in change.fields() {
            let Some(field) = self.field(name) else {
                let message = format!("the metadata view {:?} has no field {name:?}", self.name);
                return Err(refused(FailureClass::Forbidden, FIELD_MISSING, name, message)
                    .remedy("add the field to the view, or correct the mapping"));
            };
            if field.required && values.is_empty() {
                let message = format!("the field {name:?} must have a value");
                return Err(refused(FailureClass::Invalid, "iconik.value-required", name, message));
            }
            if !field.multi && values.len() > 1 && field.kind != FieldKind::TagCloud {
                let message = format!("the field {name:?} takes one value, and {} came", values.len());
                return Err(refused(FailureClass::Invalid, "iconik.too-many-values", name, message));
            }
            let is_choice = |value: &Value| {
                let text = scalar_text(value);
                field.options.iter().any(|option| option.value == text)
            };
            if !field.options.is_empty() && !values.iter().all(is_choice) {
                let message = format!("a value for the field {name:?} is not among its choices");
                return Err(refused(FailureClass::Invalid, NO_SUCH_CHOICE, name, message)
                    .remedy("add the choice in iconik, or map the value to one that is there"));
            }
        }
        Ok(())
    }
}

fn refused(class: FailureClass, code: &'static str, field: &str, message: String) -> Error {
    failure(class, "check metadata", code, message).field(field)
}

/// A field to be made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewField {
    /// Its name.
    pub name: String,
    /// What people see.
    pub label: String,
    /// What it holds.
    pub kind: FieldKind,
    /// Its choices.
    pub options: Vec<Choice>,
    /// Whether it holds several values.
    pub multi: bool,
}

impl Client {
    /// A view with the definitions of its fields.
    ///
    /// # Errors
    /// [`super::NOT_FOUND`].
    pub async fn get_view(&self, view: &ViewId) -> Result<View> {
        let call = Call::get("get metadata view", &["metadata", "v1", "views", view.as_str()]);
        self.ask(&call.query("merge_fields", true)).await
    }

    /// Every view, without the definitions.
    ///
    /// # Errors
    /// As any call.
    pub async fn list_views(&self) -> Result<Vec<View>> {
        let call = Call::get("list metadata views", &["metadata", "v1", "views"]);
        self.listed(&call).await
    }

    /// A field, if it is there.
    ///
    /// # Errors
    /// As any call.
    pub async fn find_field(&self, name: &str) -> Result<Option<Field>> {
        self.look(&Call::get("get metadata field", &["metadata", "v1", "fields", name])).await
    }

    /// Every field.
    ///
    /// # Errors
    /// As any call.
    pub async fn list_fields(&self) -> Result<Vec<Field>> {
        // Fields have a way of paging of their own: behind the last name seen.
        const AT_ONCE: usize = 500;
        let mut fields: Vec<Field> = Vec::new();
        loop {
            let last = fields.last().map(|field| field.name.clone());
            let call = Call::get("list metadata fields", &["metadata", "v1", "fields"])
                .query("per_page", AT_ONCE)
                .query_if("last_field_name", last);
            let page: Vec<Field> = self.listed(&call).await?;
            let known = fields.len();
            for field in page {
                if !fields.iter().any(|seen| seen.name == field.name) {
                    fields.push(field);
                }
            }
            if fields.len() - known < AT_ONCE {
                return Ok(fields);
            }
        }
    }

    /// Makes a field unless there is one by that name, which then may be another than wanted: compare.
    ///
    /// # Errors
    /// As any call.
    pub async fn ensure_field(&self, new: &NewField) -> Result<Field> {
        if let Some(found) = self.find_field(&new.name).await? {
            return Ok(found);
        }
        let options: Vec<Value> =
            new.options.iter().map(|option| json!({"value": option.value, "label": option.label})).collect();
        let mut body = json!({
            "name": new.name, "label": new.label, "field_type": new.kind, "multi": new.multi,
        });
        if let Some(members) = body.as_object_mut().filter(|_| !options.is_empty()) {
            members.insert("options".to_owned(), options.into());
        }
        let call = Call::post("create metadata field", &["metadata", "v1", "fields"]).repeatable();
        match self.ask(&call.body(body)).await {
            Err(error) if error.code() == CONFLICT => {
                self.ask(&Call::get("get metadata field", &["metadata", "v1", "fields", &new.name])).await
            }
            outcome => outcome,
        }
    }

    /// Makes a view of fields.
    ///
    /// # Errors
    /// `UnknownOutcome` when no answer came: look for its name before trying again.
    pub async fn create_view(&self, name: &str, fields: &[&str]) -> Result<View> {
        let fields: Vec<Value> = fields.iter().map(|field| json!({"name": field})).collect();
        let body = json!({"name": name, "view_fields": fields});
        self.ask(&Call::post("create metadata view", &["metadata", "v1", "views"]).body(body)).await
    }

    /// A list that is not paged, or paged by a way of its own: one object with `objects`, or a bare list.
    pub(super) async fn listed<T: serde::de::DeserializeOwned>(&self, call: &Call) -> Result<Vec<T>> {
        let answer = self.json(call).await?;
        let list = match answer {
            Value::Object(mut members) => members.remove("objects").unwrap_or_default(),
            other => other,
        };
        let Value::Array(list) = list else {
            return Err(unexpected(call.operation(), call.effect(), "no list in it"));
        };
        let read = |item| {
            serde_json::from_value(item).map_err(|error| unexpected(call.operation(), call.effect(), error))
        };
        list.into_iter().map(read).collect()
    }
}
