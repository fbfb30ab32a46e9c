//! Automations: what iconik does by itself when something has happened.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{
    Client,
    approvals::ApprovalStatus,
    call::Call,
    custom_actions::ActionContext,
    ids::{AutomationId, CustomActionId},
    wire,
};
use crate::error::{FailureClass, Result};

/// What sets an automation off.
#[derive(Debug, Clone, PartialEq)]
pub enum Trigger {
    /// A review gets one of these states: the documented way to be told of an approval.
    ReviewStatusChanged(Vec<ApprovalStatus>),
    /// Something else, as the interface has it.
    Other(Value),
}

/// What an automation does.
#[derive(Debug, Clone, PartialEq)]
pub enum Action {
    /// It calls a custom action.
    CustomAction {
        /// Which.
        action: CustomActionId,
        /// On what.
        context: ActionContext,
    },
    /// Something else, as the interface has it.
    Other(Value),
}

impl Serialize for Trigger {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error> {
        match self {
            Self::ReviewStatusChanged(statuses) => {
                json!({"type": REVIEW, "parameters": {"statuses": statuses}}).serialize(serializer)
            }
            Self::Other(value) => value.serialize(serializer),
        }
    }
}

impl Serialize for Action {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error> {
        match self {
            Self::CustomAction { action, context } => {
                json!({"type": ACTION, "parameters": {"action_id": action, "context": context}})
                    .serialize(serializer)
            }
            Self::Other(value) => value.serialize(serializer),
        }
    }
}

impl<'de> Deserialize<'de> for Trigger {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> std::result::Result<Self, D::Error> {
        let value = Value::deserialize(deserializer)?;
        let statuses = parameter(&value, "statuses").cloned();
        let known = statuses.filter(|_| is(&value, REVIEW));
        Ok(match known.and_then(|statuses| serde_json::from_value(statuses).ok()) {
            Some(statuses) => Self::ReviewStatusChanged(statuses),
            None => Self::Other(value),
        })
    }
}

impl<'de> Deserialize<'de> for Action {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> std::result::Result<Self, D::Error> {
        let value = Value::deserialize(deserializer)?;
        let text = |key| parameter(&value, key).and_then(Value::as_str).unwrap_or_default();
        Ok(match (is(&value, ACTION), text("action_id")) {
            (true, action) if !action.is_empty() => Self::CustomAction {
                action: CustomActionId::new(action),
                context: ActionContext::from(text("context")),
            },
            _ => Self::Other(value),
        })
    }
}

const REVIEW: &str = "REVIEW_STATUS_CHANGED";
const ACTION: &str = "CUSTOM_ACTION";

fn parameter<'a>(value: &'a Value, key: &str) -> Option<&'a Value> {
    value.get("parameters")?.get(key)
}

fn is(value: &Value, kind: &str) -> bool {
    value.get("type").and_then(Value::as_str) == Some(kind)
}

/// An automation.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct Automation {
    /// Its id.
    pub id: AutomationId,
    /// Its name.
    #[serde(default, deserialize_with = "wire::text")]
    pub name: String,
    /// `ACTIVE` or `INACTIVE`.
    #[serde(default, deserialize_with = "wire::text")]
    pub status: String,
    /// All of these must have happened, in any order, however long ago.
    #[serde(default, deserialize_with = "wire::list")]
    pub triggers: Vec<Trigger>,
    /// Then all of these are done.
    #[serde(default, deserialize_with = "wire::list")]
    pub actions: Vec<Action>,
}

/// An automation to be made.
#[derive(Debug, Clone, PartialEq)]
pub struct NewAutomation {
    /// Its name, by which it is recognised.
    pub name: String,
    /// What sets it off: all of these.
    pub triggers: Vec<Trigger>,
    /// What it does.
    pub actions: Vec<Action>,
}

const PATH: [&str; 3] = ["automations", "v1", "automations"];

impl Client {
    /// Every automation.
    ///
    /// # Errors
    /// As any call.
    pub async fn list_automations(&self) -> Result<Vec<Automation>> {
        self.listed(&Call::get("list automations", &PATH)).await
    }

    /// Makes an automation, active from the beginning.
    ///
    /// # Errors
    /// `UnknownOutcome` when no answer came: look for its name before trying again.
    pub async fn create_automation(&self, new: &NewAutomation) -> Result<Automation> {
        let body = json!({
            "name": new.name, "triggers": new.triggers, "actions": new.actions, "status": "ACTIVE",
        });
        self.ask(&Call::post("create automation", &PATH).body(body)).await
    }

    /// The automation with a name, made when there is none. It may do something else than wanted: compare.
    ///
    /// # Errors
    /// As any call.
    pub async fn ensure_automation(&self, new: &NewAutomation) -> Result<Automation> {
        let find = async || -> Result<Option<Automation>> {
            Ok(self.list_automations().await?.into_iter().find(|found| found.name == new.name))
        };
        if let Some(found) = find().await? {
            return Ok(found);
        }
        match self.create_automation(new).await {
            Err(failure) if failure.class() == FailureClass::UnknownOutcome => find().await?.ok_or(failure),
            outcome => outcome,
        }
    }
}
