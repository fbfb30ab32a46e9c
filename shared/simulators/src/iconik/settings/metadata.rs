//! Switches of metadata.

use serde::{Deserialize, Serialize};

/// What a write does with a field it should not write.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Unwanted {
    /// 400.
    Refused,
    /// The field is left alone; the rest is written.
    Ignored,
    /// It is written.
    Written,
}

/// What an empty list of values does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EmptyValues {
    /// It clears the field.
    Clear,
    /// It leaves the field alone.
    Ignored,
    /// 400.
    Refused,
}

/// Which required fields a write through a view must fill.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Required {
    /// Those it names.
    Named,
    /// All of the view, unless they have a value already.
    All,
}

/// Switches of metadata.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct MetadataRules {
    /// A field that is not in the view.
    pub outside_view: Unwanted,
    /// A field that is read only.
    pub read_only: Unwanted,
    /// An empty list of values.
    pub empty_values: EmptyValues,
    /// Whether a cleared field stays, with an empty list.
    pub cleared_stays: bool,
    /// Whether fields of the view that a write does not name are cleared.
    pub write_replaces_view: bool,
    /// Which required fields a write must fill.
    pub required: Required,
    /// Whether numbers and booleans may be sent as text.
    pub text_for_numbers: bool,
    /// Whether values are kept and shown as text.
    pub values_as_text: bool,
    /// Whether a write moves the object's `date_modified`.
    pub moves_date_modified: bool,
    /// Whether a write makes an entry in an asset's history.
    pub writes_in_history: bool,
    /// Whether what webhooks are told carries the values.
    pub events_carry_values: bool,
}

impl Default for MetadataRules {
    fn default() -> Self {
        Self {
            outside_view: Unwanted::Refused,
            read_only: Unwanted::Refused,
            empty_values: EmptyValues::Clear,
            cleared_stays: false,
            write_replaces_view: false,
            required: Required::Named,
            text_for_numbers: true,
            values_as_text: false,
            moves_date_modified: true,
            writes_in_history: true,
            events_carry_values: true,
        }
    }
}
