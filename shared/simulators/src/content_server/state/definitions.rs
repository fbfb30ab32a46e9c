//! Category definitions: the attributes a category has.

use serde::{Deserialize, Serialize};

use super::{NodeId, State};

/// Type of an attribute.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum AttributeKind {
    /// One line.
    Text {
        /// Longest value.
        max_length: usize,
    },
    /// Several lines.
    TextArea,
    /// Whole number.
    Integer,
    /// Yes or no.
    Boolean,
    /// Day, perhaps with time.
    Date {
        /// With time.
        with_time: bool,
    },
    /// One of these texts.
    Choice {
        /// The valid values.
        values: Vec<String>,
    },
    /// A user, by number.
    User,
    /// Rows of other attributes.
    Set {
        /// The attributes of a row.
        members: Vec<Attribute>,
        /// Most rows.
        max_rows: usize,
    },
}

impl AttributeKind {
    /// Type number and name on the wire.
    pub fn wire(&self) -> (i64, &'static str) {
        match self {
            Self::Text { .. } => (-1, "String"),
            Self::TextArea => (11, "String"),
            Self::Integer => (2, "Integer"),
            Self::Boolean => (5, "Boolean"),
            Self::Date { with_time: false } => (-7, "Date"),
            Self::Date { with_time: true } => (401, "DateTime"),
            Self::Choice { .. } => (10, "String"),
            Self::User => (12, "Integer"),
            Self::Set { .. } => (-18, "Assoc"),
        }
    }
}

/// One attribute.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attribute {
    /// Number within the category, from 2.
    pub id: i64,
    /// Name.
    pub name: String,
    /// Type.
    pub kind: AttributeKind,
    /// Must have a value.
    pub required: bool,
    /// Holds a list.
    pub multi_value: bool,
}

impl Attribute {
    /// An optional attribute with one value.
    pub fn new(id: i64, name: &str, kind: AttributeKind) -> Self {
        Self { id, name: name.to_owned(), kind, required: false, multi_value: false }
    }

    /// The same, required.
    #[must_use]
    pub fn required(mut self) -> Self {
        self.required = true;
        self
    }

    /// The same, holding a list.
    #[must_use]
    pub fn many(mut self) -> Self {
        self.multi_value = true;
        self
    }
}

/// A category.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CategoryDefinition {
    /// Number of its node.
    pub id: NodeId,
    /// Name.
    pub name: String,
    /// Attributes in their order.
    pub attributes: Vec<Attribute>,
}

impl CategoryDefinition {
    /// The attribute with this number.
    pub fn attribute(&self, id: i64) -> Option<&Attribute> {
        self.attributes.iter().find(|attribute| attribute.id == id)
    }

    /// The attribute with this name; `Set:Member` names a member of a set.
    pub fn named(&self, name: &str) -> Option<&Attribute> {
        match name.split_once(':') {
            None => self.attributes.iter().find(|attribute| attribute.name == name),
            Some((set, member)) => match &self.named(set)?.kind {
                AttributeKind::Set { members, .. } => {
                    members.iter().find(|attribute| attribute.name == member)
                }
                _ => None,
            },
        }
    }
}

impl State {
    /// The category with this name.
    pub fn category_named(&self, name: &str) -> Option<&CategoryDefinition> {
        self.categories.values().find(|category| category.name == name)
    }

    /// A value on an item by the names of category and attribute; row 1 for `Set:Member`.
    pub fn value_of(&self, node: NodeId, category: &str, attribute: &str) -> Option<&serde_json::Value> {
        let category = self.category_named(category)?;
        let assigned = self.nodes.get(&node)?.categories.get(&category.id)?;
        let member = category.named(attribute)?.id;
        let key = match attribute.split_once(':') {
            None => member.to_string(),
            Some((set, _)) => format!("{}_1_{member}", category.named(set)?.id),
        };
        assigned.values.get(&key)
    }
}
