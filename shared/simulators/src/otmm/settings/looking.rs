//! Switches of how values are written, of search, and of lists.

use serde::{Deserialize, Serialize};

/// A field without a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EmptyValue {
    /// Has no `value`.
    Absent,
    /// Has a `value` in which there is none.
    Hollow,
}

/// What `content_checksum` is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Checksum {
    /// MD5.
    Md5,
    /// Something of the same length that cannot be computed from the content.
    Opaque,
    /// Absent.
    Absent,
}

/// How values are written.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Wire {
    /// What the type of a date is called.
    pub date_type: String,
    /// What the type of a number is called.
    pub number_type: String,
    /// A value whose type is called otherwise is refused; else it is taken when it can be read.
    pub types_are_checked: bool,
    /// A field without a value.
    pub empty_value: EmptyValue,
    /// A list of one is written as that one.
    pub single_as_object: bool,
    /// What `content_checksum` is.
    pub checksum: Checksum,
}

impl Default for Wire {
    fn default() -> Self {
        Self {
            date_type: "dateTime".to_owned(),
            number_type: "number".to_owned(),
            types_are_checked: true,
            empty_value: EmptyValue::Absent,
            single_as_object: false,
            checksum: Checksum::Md5,
        }
    }
}

/// What becomes of a condition with an unknown field or operator.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum InvalidConditions {
    /// It is left out, which finds more, and the answer says so.
    LeftOut,
    /// It is left out, and the answer does not say so.
    LeftOutSilently,
    /// Nothing is found, and the answer says why.
    NothingFound,
    /// The search fails.
    Refused,
}

/// What `CONTAINS` means.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Contains {
    /// The text is anywhere in the value.
    Substring,
    /// All words of the text are words of the value.
    Words,
}

/// Search.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Search {
    /// Seconds by which the index is behind.
    pub lag_seconds: i64,
    /// Hits of a page when nothing is said.
    pub usual: usize,
    /// Most hits of a page, whatever is asked for.
    pub most: usize,
    /// Behind so many hits pages are empty, though the total counts on; never when absent.
    pub deepest: Option<usize>,
    /// What was deleted is found.
    pub finds_deleted: bool,
    /// What has expired is found.
    pub finds_expired: bool,
    /// Versions that are not the latest are found.
    pub finds_old_versions: bool,
    /// A condition with an unknown field or operator.
    pub invalid: InvalidConditions,
    /// What `CONTAINS` means.
    pub contains: Contains,
    /// What the operator is called for the same text.
    pub text_is: String,
    /// What the operator is called for no value.
    pub has_no_value: String,
    /// What the operator is called for dates after one.
    pub date_after: String,
    /// What the operator is called for dates after one and the date itself.
    pub date_from: String,
    /// What the operator is called for dates before one.
    pub date_before: String,
}

impl Default for Search {
    fn default() -> Self {
        Self {
            lag_seconds: 3,
            usual: 25,
            most: 200,
            deepest: None,
            finds_deleted: true,
            finds_expired: true,
            finds_old_versions: true,
            invalid: InvalidConditions::LeftOut,
            contains: Contains::Substring,
            text_is: "ARTESIA.OPERATOR.CHAR.IS".to_owned(),
            has_no_value: "ARTESIA.OPERATOR.CHAR.IS EMPTY".to_owned(),
            date_after: "ARTESIA.OPERATOR.DATE.IS AFTER".to_owned(),
            date_from: "ARTESIA.OPERATOR.DATE.IS ON OR AFTER".to_owned(),
            date_before: "ARTESIA.OPERATOR.DATE.IS BEFORE".to_owned(),
        }
    }
}

/// Lists of folders and collections.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Lists {
    /// Entries of a page when nothing is said.
    pub usual: usize,
    /// Most entries of a page, whatever is asked for.
    pub most: usize,
}

impl Default for Lists {
    fn default() -> Self {
        Self { usual: 25, most: 500 }
    }
}
