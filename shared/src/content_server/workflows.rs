//! Workflows: which there are for a document, starting one, and how it goes.
//!
//! Starting is the one thing that cannot be undone and takes no key of ours. The draft is not yet a process, so the
//! only uncertain moment is [`Client::initiate_draft`]: give the process a title that says what it is for, and look
//! for that title before starting again.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::{
    Client,
    call::Call,
    error::misconfigured,
    node::NodeId,
    wire::{self, Data, OneOrMany, Results},
};
use crate::error::Result;

/// The key of the title in the form of a draft.
pub(super) const TITLE: &str = "WorkflowForm_Title";

/// A workflow map that fits a document.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct WorkflowMap {
    /// The map's id.
    #[serde(rename = "DataID", deserialize_with = "wire::integer")]
    pub id: i64,
    /// The map's name.
    #[serde(rename = "Name", deserialize_with = "wire::text")]
    pub name: String,
}

/// A workflow that has been prepared and not started.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct DraftId(pub i64);

/// A workflow that runs or ran.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ProcessId(pub i64);

/// A workflow to be started.
#[derive(Debug, Clone)]
pub struct NewWorkflow {
    /// The map.
    pub map: NodeId,
    /// The documents it is about.
    pub documents: Vec<NodeId>,
    /// What it is called. It is how a workflow whose start was not confirmed is recognised.
    pub title: String,
    /// Attributes by their label on the form.
    pub attributes: Vec<(String, Value)>,
    /// What is said when it starts.
    pub comment: String,
}

#[derive(Deserialize)]
struct Drafted {
    #[serde(deserialize_with = "wire::integer")]
    draftprocess_id: i64,
}

#[derive(Deserialize)]
struct Started {
    #[serde(deserialize_with = "wire::integer")]
    process_id: i64,
}

impl Client {
    /// The workflow maps that may be started for a document.
    ///
    /// # Errors
    /// As any call.
    pub async fn list_workflow_maps(&self, document: NodeId, parent: NodeId) -> Result<Vec<WorkflowMap>> {
        let call = Call::get("list workflow maps", "/v2/docworkflows")
            .query("doc_id", document)
            .query("parent_id", parent);
        let answer: Results<Data<OneOrMany<WorkflowMap>>> = self.ask(&call).await?;
        Ok(answer.results.data.0)
    }

    /// Prepares a workflow with its documents attached. Nothing runs yet.
    ///
    /// # Errors
    /// `Forbidden` when the map cannot be used.
    pub async fn create_draft(&self, map: NodeId, documents: &[NodeId]) -> Result<DraftId> {
        // A second draft is forgotten in time and disturbs nobody.
        let call = Call::post("prepare a workflow", "/v2/draftprocesses").repeatable();
        let mut body = json!({ "workflow_id": map });
        if let (false, Some(fields)) = (documents.is_empty(), body.as_object_mut()) {
            fields.insert("doc_ids".to_owned(), listed(documents).into());
            fields.insert("AttachDocuments".to_owned(), "true".into());
        }
        let answer: Results<Drafted> = self.ask(&call.body(&body)).await?;
        Ok(DraftId(answer.results.draftprocess_id))
    }

    /// Fills in the form of a draft, by the labels people see.
    ///
    /// # Errors
    /// `Forbidden` when the form has no field with that label.
    pub async fn update_draft(
        &self,
        draft: DraftId,
        title: &str,
        attributes: &[(String, Value)],
    ) -> Result<()> {
        let mut values = Map::new();
        values.insert(TITLE.to_owned(), title.into());
        if !attributes.is_empty() {
            let fields = self.draft_fields(draft).await?;
            for (label, value) in attributes {
                let known = fields.iter().find(|(key, known)| known == label || key == label);
                let (key, _) = known.ok_or_else(|| {
                    let message = format!("the workflow's form has no field {label:?}");
                    misconfigured("fill in a workflow", "content-server.attribute-unknown", message)
                        .field(label)
                        .remedy("correct the name in the rules, or add the attribute to the workflow map")
                })?;
                values.insert(key.clone(), value.clone());
            }
        }
        let body = json!({ "action": "formUpdate", "values": values });
        let call = Call::put("fill in a workflow", format!("/v2/draftprocesses/{}", draft.0));
        self.tell(&call.body(&body)).await
    }

    /// Key and label of every field of a draft's form.
    async fn draft_fields(&self, draft: DraftId) -> Result<Vec<(String, String)>> {
        let call = Call::get("read a workflow's form", "/v1/forms/draftprocesses/update")
            .query("draftprocess_id", draft.0);
        let answer = self.json(&call).await?;
        let forms = answer.get("forms").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
        let mut fields = Vec::new();
        for form in forms {
            let Some(properties) = form.pointer("/schema/properties").and_then(Value::as_object) else {
                continue;
            };
            for (key, schema) in properties {
                let option = form.pointer("/options/fields").and_then(|fields| fields.get(key));
                let label = schema.get("title").or_else(|| option.and_then(|option| option.get("label")));
                let label = label.and_then(Value::as_str).unwrap_or_default();
                fields.push((key.clone(), label.to_owned()));
            }
        }
        Ok(fields)
    }

    /// Starts a workflow that has been prepared.
    ///
    /// # Errors
    /// `UnknownOutcome` when no answer came: look for its title before starting another.
    pub async fn initiate_draft(&self, draft: DraftId, comment: &str) -> Result<ProcessId> {
        let body = json!({ "action": "Initiate", "comment": comment });
        let call =
            Call::put("start a workflow", format!("/v2/draftprocesses/{}", draft.0)).once().body(&body);
        let answer: Results<Started> = self.ask(&call).await?;
        Ok(ProcessId(answer.results.process_id))
    }

    /// Prepares, fills in and starts a workflow.
    ///
    /// # Errors
    /// As [`Client::update_draft`] and [`Client::initiate_draft`].
    pub async fn start_workflow(&self, new: &NewWorkflow) -> Result<ProcessId> {
        let draft = self.create_draft(new.map, &new.documents).await?;
        self.update_draft(draft, &new.title, &new.attributes).await?;
        self.initiate_draft(draft, &new.comment).await
    }

    /// Starts a workflow in one call. The server takes it only where the map's start step is switched off.
    ///
    /// # Errors
    /// `Invalid` when the start step wants to be filled in; `UnknownOutcome` when no answer came.
    pub async fn start_workflow_at_once(&self, map: NodeId, documents: &[NodeId]) -> Result<ProcessId> {
        let body = json!({ "workflow_id": map, "doc_ids": listed(documents) });
        let call = Call::post("start a workflow", "/v2/draftprocesses/startwf").body(&body);
        let answer: Results<Started> = self.ask(&call).await?;
        Ok(ProcessId(answer.results.process_id))
    }
}

fn listed(documents: &[NodeId]) -> String {
    documents.iter().map(ToString::to_string).collect::<Vec<_>>().join(",")
}
