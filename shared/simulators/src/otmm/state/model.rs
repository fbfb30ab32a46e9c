//! Metadata models, lookups, security policies, import templates.

use serde::Serialize;

/// What a field holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum Kind {
    /// Text.
    Char,
    /// A number.
    Number,
    /// A time.
    Date,
}

/// A field of a model, or a column of a table.
#[derive(Clone, Debug, Serialize)]
pub struct Field {
    /// Its id, with blanks and dots.
    pub id: String,
    /// Its name for people.
    pub name: String,
    /// What it holds.
    pub kind: Kind,
    /// Where its values come from; any when absent.
    pub domain: Option<String>,
    /// The lookup depends on another.
    pub cascading: bool,
}

impl Field {
    /// A field without a lookup.
    pub fn new(id: &str, name: &str, kind: Kind) -> Self {
        Self { id: id.to_owned(), name: name.to_owned(), kind, domain: None, cascading: false }
    }

    /// The same with values of a lookup.
    #[must_use]
    pub fn of(mut self, domain: &str) -> Self {
        self.domain = Some(domain.to_owned());
        self
    }
}

/// What a group holds.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Element {
    /// A field.
    Field(Field),
    /// A table.
    Table {
        /// Its id.
        id: String,
        /// Its name for people.
        name: String,
        /// Its columns.
        columns: Vec<Field>,
    },
}

/// A group of fields.
#[derive(Clone, Debug, Serialize)]
pub struct Group {
    /// Its id.
    pub id: String,
    /// Its name for people.
    pub name: String,
    /// What it holds.
    pub elements: Vec<Element>,
}

/// A metadata model.
#[derive(Clone, Debug, Serialize)]
pub struct Model {
    /// Its id.
    pub id: String,
    /// Its number.
    pub legacy_id: i64,
    /// Its name for people.
    pub name: String,
    /// Its groups.
    pub groups: Vec<Group>,
}

/// Where a model has a field.
#[derive(Clone, Copy, Debug)]
pub(in crate::otmm) enum Place<'a> {
    /// By itself.
    Alone(&'a Field),
    /// As a column of a table.
    Column(&'a Field),
}

impl Model {
    fn elements(&self) -> impl Iterator<Item = &Element> {
        self.groups.iter().flat_map(|group| &group.elements)
    }

    /// Where a field is.
    pub(in crate::otmm) fn place(&self, id: &str) -> Option<Place<'_>> {
        self.elements().find_map(|element| match element {
            Element::Field(field) => (field.id == id).then_some(Place::Alone(field)),
            Element::Table { columns, .. } => columns.iter().find(|field| field.id == id).map(Place::Column),
        })
    }

    /// The tables with their columns.
    pub(in crate::otmm) fn tables(&self) -> impl Iterator<Item = (&str, &[Field])> {
        self.elements().filter_map(|element| match element {
            Element::Table { id, columns, .. } => Some((id.as_str(), columns.as_slice())),
            Element::Field(_) => None,
        })
    }
}

/// A value that may be chosen.
#[derive(Clone, Debug, Serialize)]
pub struct DomainValue {
    /// What is stored.
    pub value: String,
    /// What people see, with the blanks that somebody once typed.
    pub display: String,
    /// It is not to be chosen any more.
    pub expired: bool,
}

/// A lookup.
#[derive(Clone, Debug, Serialize)]
pub struct Domain {
    /// Its id.
    pub id: String,
    /// Its values.
    pub values: Vec<DomainValue>,
}

impl Domain {
    /// What people see for a value.
    pub fn display(&self, value: &str) -> Option<&DomainValue> {
        self.values.iter().find(|known| known.value == value)
    }
}

/// A security policy.
#[derive(Clone, Debug, Serialize)]
pub struct Policy {
    /// Its number.
    pub id: i64,
    /// Its name.
    pub name: String,
}

/// What an import may be told instead of a representation.
#[derive(Clone, Debug, Serialize)]
pub struct Template {
    /// Its id.
    pub id: String,
    /// The model of what is imported.
    pub model: String,
    /// Its policies.
    pub policies: Vec<i64>,
}

/// The field after whose date an asset has expired.
pub const EXPIRATION: &str = "ARTESIA.FIELD.EXPIRATION DATE";
/// The type of a plain folder.
pub const FOLDER_TYPE: &str = "ARTESIA.BASIC.FOLDER";
/// The model of a plain folder.
pub const FOLDER_MODEL: &str = "ARTESIA.MODEL.BASIC FOLDER";
/// What follows a user's number in the id of the user's own root folder.
pub const USER_ROOT: &str = "N";
