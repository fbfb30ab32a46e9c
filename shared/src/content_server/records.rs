//! Records management: what a node is as a record.
//!
//! The module answers some writes with nothing at all. Nothing is therefore taken from these answers: after a write
//! whose outcome is not known, the record is read again.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::{
    Client, EDIT_CONFLICT,
    call::Call,
    node::NodeId,
    wire::{self, OneOrMany},
};
use crate::error::{FailureClass, Result};

/// What a node is as a record.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Record {
    #[serde(default, deserialize_with = "wire::text_or_none", rename = "rm_metadataToken")]
    token: Option<String>,
    /// Whether it can be given a classification.
    #[serde(default, deserialize_with = "wire::truth", rename = "canRMClassify")]
    pub can_classify: bool,
    #[serde(default = "none")]
    data: Classifications,
}

/// A list that serde can default.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Classifications(Vec<RecordClassification>);

fn none() -> Classifications {
    Classifications(Vec::new())
}

impl<'de> Deserialize<'de> for Classifications {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        OneOrMany::deserialize(deserializer).map(|list| Self(list.0))
    }
}

impl Record {
    /// Its records management classifications.
    pub fn classifications(&self) -> &[RecordClassification] {
        &self.data.0
    }

    /// Whether it is an official record under any of them.
    pub fn is_official(&self) -> bool {
        self.classifications().iter().any(|classification| classification.official)
    }
}

/// One records management classification of a node, with the record's details under it.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct RecordClassification {
    /// The classification's id.
    #[serde(rename = "rmclassification_id", deserialize_with = "wire::integer")]
    pub id: i64,
    /// The file number.
    #[serde(default, deserialize_with = "wire::text")]
    pub file_number: String,
    /// The retention schedule's code.
    #[serde(default, deserialize_with = "wire::text")]
    pub rsi: String,
    /// The status code.
    #[serde(default, deserialize_with = "wire::text")]
    pub status: String,
    /// The day since which it has this status.
    #[serde(default, deserialize_with = "wire::text")]
    pub status_date: String,
    /// The day the record dates from.
    #[serde(default, deserialize_with = "wire::text")]
    pub record_date: String,
    /// Whether it is official.
    #[serde(default, deserialize_with = "wire::truth")]
    pub official: bool,
}

/// Details of a record. What is `None` stays.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct RecordDetails {
    /// Whether it is official.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub official: Option<bool>,
    /// The retention schedule's code.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rsi: Option<String>,
    /// The status code.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<String>,
    /// The day since which it has this status, as 2031-05-06. Stages of a schedule may count from it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status_date: Option<String>,
    /// How essential it is, as one of the installation's codes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub essential: Option<String>,
    /// Where it is kept, as one of the installation's codes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub storage: Option<String>,
    /// The day it dates from, as 2031-05-06.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub record_date: Option<String>,
}

impl RecordDetails {
    /// Whether what is there says the same, as far as it says anything: storage and essential are not read back.
    fn agree(&self, present: &RecordClassification) -> bool {
        let same =
            |wanted: &Option<String>, present: &str| wanted.as_deref().is_none_or(|wanted| wanted == present);
        self.official.is_none_or(|official| official == present.official)
            && same(&self.rsi, &present.rsi)
            && same(&self.status, &present.status)
            && self.status_date.as_deref().is_none_or(|day| present.status_date.starts_with(day))
            && self.record_date.as_deref().is_none_or(|day| present.record_date.starts_with(day))
    }
}

impl Client {
    /// What a node is as a record.
    ///
    /// # Errors
    /// [`super::MODULE_MISSING`] where there is no records management.
    pub async fn get_record(&self, node: NodeId) -> Result<Record> {
        self.ask(&Call::get("read a record", format!("/v1/nodes/{node}/rmclassifications"))).await
    }

    /// Sees to it that a node has a records management classification. Gives back whether it was missing.
    ///
    /// # Errors
    /// `Forbidden` when the classification cannot be used; [`EDIT_CONFLICT`] when others change the record all the time.
    pub async fn classify_record(
        &self,
        node: NodeId,
        class: NodeId,
        details: &RecordDetails,
    ) -> Result<bool> {
        let mut written = false;
        let mut again = true;
        loop {
            let record = self.get_record(node).await?;
            if record.classifications().iter().any(|present| present.id == class.0) {
                return Ok(written);
            }
            let mut body = fields(details);
            body.insert("class_id".to_owned(), class.0.into());
            let call = Call::post("classify a record", format!("/v1/nodes/{node}/rmclassifications"));
            match self.tell(&with_token(call, body, record.token)).await {
                Ok(()) => return Ok(true),
                Err(error) if again && is_undecided(error.class(), error.code()) => {
                    written = error.class() == FailureClass::UnknownOutcome;
                    again = false;
                }
                Err(error) => return Err(error),
            }
        }
    }

    /// Sees to it that a record has these details. Gives back whether anything was written.
    ///
    /// # Errors
    /// `Forbidden` when this user may not change the record.
    pub async fn update_record(&self, node: NodeId, details: &RecordDetails) -> Result<bool> {
        let mut written = false;
        let mut again = true;
        loop {
            let record = self.get_record(node).await?;
            let same = record.classifications().iter().all(|present| details.agree(present));
            if same && (written || details.storage.is_none() && details.essential.is_none()) {
                return Ok(written);
            }
            let call = Call::put("update a record", format!("/v1/nodes/{node}/rmclassifications")).once();
            match self.tell(&with_token(call, fields(details), record.token)).await {
                Ok(()) => return Ok(true),
                Err(error) if again && is_undecided(error.class(), error.code()) => {
                    written = error.class() == FailureClass::UnknownOutcome;
                    again = false;
                }
                Err(error) => return Err(error),
            }
        }
    }
}

fn fields(details: &RecordDetails) -> Map<String, Value> {
    match serde_json::to_value(details) {
        Ok(Value::Object(fields)) => fields,
        _ => Map::new(),
    }
}

fn with_token(call: Call, mut body: Map<String, Value>, token: Option<String>) -> Call {
    if let Some(token) = token {
        body.insert("rm_metadataToken".to_owned(), token.into());
    }
    call.body(&Value::Object(body))
}

/// Reading again tells what to think of it.
pub(super) fn is_undecided(class: FailureClass, code: &str) -> bool {
    class == FailureClass::UnknownOutcome || code == EDIT_CONFLICT
}
