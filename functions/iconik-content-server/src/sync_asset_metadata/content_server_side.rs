//! The document in Content Server: what its mapped attributes hold, whether they can take something else, and writing them.

use std::{collections::BTreeMap, sync::Arc};

use jiff::{Timestamp, tz::TimeZone};
use serde_json::Value as Json;
use shared::{
    content_server::{
        AttributeValue, CategoryDefinition, CategoryValues, Client, EDIT_CONFLICT, Node, NodeId,
    },
    error::{Error, FailureClass, Result, System},
};

use super::{
    again,
    content::{Content, Misfit},
    merge::{Reading, Seen},
    state::{Changed, Side},
};
use crate::sync_rules::Field;

/// Stands for a document that does not have the category.
const NO_CATEGORY: &str = "no category";

/// The document as it was read.
pub(super) struct ContentServerSide {
    node: NodeId,
    category: NodeId,
    definition: Arc<CategoryDefinition>,
    zone: TimeZone,
    present: Option<CategoryValues>,
    token: Option<String>,
    pub(super) reading: Reading,
}

impl ContentServerSide {
    /// Reads the category. An attribute that the category does not have, or has in a set, has no place; one of a category
    /// that the document does not have holds nothing.
    ///
    /// Whether an edit of a category moves the document's date is a setting of the server. One from before the last look at
    /// the pair is not that of what was found changed since.
    pub(super) async fn read(
        client: &Client,
        node: &Node,
        category: NodeId,
        fields: &[Field],
        looked: Option<Timestamp>,
    ) -> Result<Self> {
        let definition = client.category_definition(category, node.id).await?;
        let zone = client.time_zone().clone();
        // The token first: whatever is read after it is at least as new.
        let token = client.category_token(node.id, category).await?;
        let present = present(client, node.id, category).await?;
        let mark = token.clone().or_else(|| present.is_none().then(|| NO_CATEGORY.to_owned()));
        let reading = Reading::new();
        let mut side = Self { node: node.id, category, definition, zone, present, token, reading };
        let at = node.modified.filter(|modified| looked.is_none_or(|looked| *modified > looked));
        for field in fields {
            let seen = Seen {
                content: side.content(field, side.present.as_ref()),
                changed: Changed { at, by: None },
                mark: mark.clone(),
                refused_there: None,
            };
            side.reading.insert(field.rule.name.clone(), seen);
        }
        Ok(side)
    }

    /// Whether the document has the category at all.
    pub(super) fn has_category(&self) -> bool {
        self.present.is_some()
    }

    fn content(&self, field: &Field, present: Option<&CategoryValues>) -> Option<Content> {
        let attribute = self.definition.attribute(&field.content_server)?;
        if attribute.set.is_some() {
            return None;
        }
        let value = present.and_then(|values| values.get(&attribute.key));
        let values = value.map(json).unwrap_or_default();
        Some(match values.as_slice() {
            [Json::String(text)] => field.shape.content_of_joined(text, &self.zone),
            values => field.shape.content(values, &self.zone),
        })
    }

    /// Notes in the other side's reading what this one would not take of it.
    pub(super) fn check(&self, fields: &[Field], other: &mut Reading) {
        for field in fields {
            let Some(seen) = other.get_mut(&field.rule.name) else { continue };
            seen.refused_there = seen.content.as_ref().and_then(|content| self.misfit(field, content));
        }
    }

    fn misfit(&self, field: &Field, content: &Content) -> Option<Misfit> {
        let attribute = self.definition.attribute(&field.content_server)?;
        let spelled = field.shape.spell(content, Side::ContentServer)?;
        if spelled.is_empty() && attribute.required {
            return Some(Misfit::Required);
        }
        let is_choice =
            |value: &Json| value.as_str().is_none_or(|text| attribute.choices.iter().any(|one| one == text));
        if !attribute.choices.is_empty() && !spelled.iter().all(is_choice) {
            return Some(Misfit::Option);
        }
        let mut values = CategoryValues::new(self.category);
        match self.put(&mut values, field, &spelled).err()?.code() {
            "content-server.attribute-too-long" => Some(Misfit::Long),
            "content-server.attribute-single" => Some(Misfit::Several),
            _ => Some(Misfit::Type),
        }
    }

    /// Writes fields on the condition that nobody changed the category since it was read; gives those that were found as they
    /// were written.
    pub(super) async fn write(
        &self,
        client: &Client,
        fields: &[Field],
        writes: &BTreeMap<String, Content>,
    ) -> Result<Vec<String>> {
        let written: Vec<&Field> =
            fields.iter().filter(|field| writes.contains_key(&field.rule.name)).collect();
        let wanted = self.wanted(&written, writes)?;
        if self.token.is_none() {
            // No condition that the server would check: so we look again, at the last moment.
            let present = present(client, self.node, self.category).await?;
            let is_as_read = |field: &&Field| {
                let read = self.reading.get(&field.rule.name).and_then(|seen| seen.content.as_ref());
                self.content(field, present.as_ref()).as_ref() == read
            };
            if !written.iter().all(is_as_read) {
                return Err(changed_meanwhile());
            }
        }
        let present = self.present.as_ref();
        client.set_category_as_read(self.node, &wanted, present, self.token.clone()).await?;
        // What is refused here is the look. The write was made, so it is no refusal of that.
        self.found(client, fields, writes).await.map_err(|error| match error.code() {
            EDIT_CONFLICT => {
                again("sync.unverified", "the document could not be read again after a write").source(error)
            }
            _ => error,
        })
    }

    /// The fields that hold what was written.
    pub(super) async fn found(
        &self,
        client: &Client,
        fields: &[Field],
        writes: &BTreeMap<String, Content>,
    ) -> Result<Vec<String>> {
        let present = present(client, self.node, self.category).await?;
        let is_there = |field: &&Field| {
            let wanted = writes.get(&field.rule.name);
            wanted.is_some() && self.content(field, present.as_ref()).as_ref() == wanted
        };
        Ok(fields.iter().filter(is_there).map(|field| field.rule.name.clone()).collect())
    }

    fn wanted(&self, fields: &[&Field], writes: &BTreeMap<String, Content>) -> Result<CategoryValues> {
        let mut values = CategoryValues::new(self.category);
        for field in fields {
            let spelled = writes
                .get(&field.rule.name)
                .and_then(|content| field.shape.spell(content, Side::ContentServer))
                .ok_or_else(|| Error::bug("write category", "an unfit value is to be written"))?;
            self.put(&mut values, field, &spelled)?;
        }
        Ok(values)
    }

    fn put(&self, values: &mut CategoryValues, field: &Field, spelled: &[Json]) -> Result<()> {
        let several =
            self.definition.attribute(&field.content_server).is_some_and(|attribute| attribute.multi_value);
        let mut spelled: Vec<AttributeValue> = spelled.iter().map(attribute_value).collect();
        let value = match (spelled.len(), several) {
            (0, _) => AttributeValue::Empty,
            (1, false) => spelled.remove(0),
            _ => AttributeValue::Many(spelled),
        };
        self.definition.put(values, &field.content_server, value)
    }
}

fn changed_meanwhile() -> Error {
    let message = "a mapped attribute was changed between our look and our write; nothing was written";
    Error::new(FailureClass::Conflict, System::ContentServer, "write category", EDIT_CONFLICT, message)
}

async fn present(client: &Client, node: NodeId, category: NodeId) -> Result<Option<CategoryValues>> {
    let categories = client.get_categories(node).await?;
    Ok(categories.into_iter().find(|values| values.category() == category))
}

fn json(value: &AttributeValue) -> Vec<Json> {
    match value {
        AttributeValue::Empty => Vec::new(),
        AttributeValue::Text(text) => vec![text.as_str().into()],
        AttributeValue::Integer(number) | AttributeValue::User(number) => vec![(*number).into()],
        AttributeValue::Boolean(truth) => vec![(*truth).into()],
        AttributeValue::Date(day) => vec![day.to_string().into()],
        AttributeValue::Moment(moment) => vec![moment.to_string().into()],
        AttributeValue::Many(values) => values.iter().flat_map(json).collect(),
    }
}

/// The definition makes of the text what the attribute holds.
fn attribute_value(value: &Json) -> AttributeValue {
    match value {
        Json::String(text) => AttributeValue::Text(text.clone()),
        Json::Bool(truth) => AttributeValue::Boolean(*truth),
        Json::Number(number) => {
            number.as_i64().map_or_else(|| AttributeValue::Text(number.to_string()), AttributeValue::Integer)
        }
        _ => AttributeValue::Empty,
    }
}
