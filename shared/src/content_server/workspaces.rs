//! Business workspaces: folders of a type, tied to a business object of a leading system.

use std::sync::atomic::Ordering;

use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::{
    Client,
    call::{Call, segment},
    categories::CategoryValues,
    children::Turn,
    error::{BAD_REQUEST, COLLISION, Effect, NOT_ACCESSIBLE, REFUSED_BY_SERVER, misconfigured, unexpected},
    node::{External, Node, NodeId, NodeProperties, kind},
    wire::{self, Entry, Listing, OneOrMany, Results},
};
use crate::error::{Error, FailureClass, Result};

/// A type of workspace.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct WorkspaceType {
    /// Its id.
    #[serde(rename = "wksp_type_id", deserialize_with = "wire::integer")]
    pub id: i64,
    /// Its name.
    #[serde(rename = "wksp_type_name", deserialize_with = "wire::text")]
    pub name: String,
    /// The templates new workspaces are made from.
    #[serde(default)]
    pub templates: Vec<WorkspaceTemplate>,
}

/// What a new workspace is made from.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct WorkspaceTemplate {
    /// Its id.
    #[serde(deserialize_with = "wire::integer")]
    pub id: i64,
    /// Its name.
    #[serde(deserialize_with = "wire::text")]
    pub name: String,
}

/// What a workspace stands for in a leading system.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BusinessObject {
    /// The connection's name.
    pub system: String,
    /// The object's type there.
    pub kind: String,
    /// The object's id there.
    pub id: String,
}

/// A workspace to be made.
#[derive(Debug, Clone)]
pub struct NewWorkspace {
    /// Its type.
    pub workspace_type: i64,
    /// The template it is made from.
    pub template: i64,
    /// Its name; the type may make its own.
    pub name: String,
    /// Its description.
    pub description: String,
    /// Where it goes; otherwise where the type says.
    pub parent: Option<NodeId>,
    /// What it stands for.
    pub business_object: Option<BusinessObject>,
    /// Categories it has from the beginning.
    pub categories: Vec<CategoryValues>,
    /// What the outside system says about it.
    pub external: External,
}

#[derive(Deserialize)]
struct Created {
    #[serde(deserialize_with = "wire::integer")]
    id: i64,
}

#[derive(Deserialize)]
struct Containing {
    #[serde(default, deserialize_with = "wire::integer_or_none")]
    id: Option<i64>,
}

impl Client {
    /// The types of workspaces, with their templates.
    ///
    /// # Errors
    /// [`super::MODULE_MISSING`] where there are no workspaces.
    pub async fn list_workspace_types(&self) -> Result<Vec<WorkspaceType>> {
        let call = Call::get("list workspace types", "/v2/businessworkspacetypes")
            .query("expand_templates", true)
            .query("expand_wksp_info", true);
        let answer: Results<OneOrMany<Entry<WorkspaceType>>> = self.ask(&call).await?;
        Ok(answer.results.0.into_iter().map(|entry| entry.data.properties).collect())
    }

    /// The types of workspaces that may stand for this type of business object.
    ///
    /// # Errors
    /// [`super::MODULE_MISSING`] where there are no workspaces.
    pub async fn list_workspace_types_for(&self, system: &str, kind: &str) -> Result<Vec<WorkspaceType>> {
        let call = Call::get("list workspace types", "/v2/businessworkspacetypes")
            .query("ext_system_id", system)
            .query("bo_type", kind);
        let answer: Results<OneOrMany<Entry<WorkspaceType>>> = self.ask(&call).await?;
        Ok(answer.results.0.into_iter().map(|entry| entry.data.properties).collect())
    }

    /// One of the workspaces of a type, whichever comes first.
    ///
    /// # Errors
    /// As any call.
    pub async fn first_workspace(&self, workspace_type: i64) -> Result<Option<Node>> {
        let call = Call::get("find a workspace of a type", "/v2/businessworkspaces")
            .query("where_workspace_type_id", workspace_type)
            .query("expanded_view", true)
            .query("page", 1)
            .query("limit", 1)
            .query("fields", "properties");
        let answer: Listing<Entry<NodeProperties>> = self.ask(&call).await?;
        let mut found = answer.results.0.into_iter();
        Ok(found.next().map(|entry| entry.data.properties.into_node(&self.zone)))
    }

    /// The type with a name.
    ///
    /// # Errors
    /// `Forbidden` when there is none.
    pub async fn get_workspace_type(&self, name: &str) -> Result<WorkspaceType> {
        let types = self.list_workspace_types().await?;
        types.into_iter().find(|known| known.name == name).ok_or_else(|| {
            let message = format!("there is no workspace type {name:?}");
            misconfigured("find a workspace type", "content-server.no-workspace-type", message)
                .remedy("correct the name in the rules, or let the service user see the type")
        })
    }

    /// The workspace of a business object.
    ///
    /// # Errors
    /// `Forbidden` when several workspaces claim to be it.
    pub async fn find_workspace_of(&self, object: &BusinessObject) -> Result<Option<Node>> {
        const OPERATION: &str = "find a workspace by business object";
        let path = format!(
            "/v2/externalsystems/{}/botypes/{}/boids/{}",
            segment(&object.system),
            segment(&object.kind),
            segment(&object.id)
        );
        let answer: Listing<Entry<NodeProperties>> = match self.ask(&Call::get(OPERATION, path)).await {
            Ok(answer) => answer,
            Err(error) if error.class() == FailureClass::Gone || error.code() == NOT_ACCESSIBLE => {
                return Ok(None);
            }
            Err(error) => return Err(error),
        };
        let mut found = answer.results.0.into_iter().map(|entry| entry.data.properties.into_node(&self.zone));
        match (found.next(), found.next()) {
            (first, None) => Ok(first),
            (_, Some(_)) => {
                let message = format!("several workspaces stand for {} {:?}", object.kind, object.id);
                Err(misconfigured(OPERATION, "content-server.workspace-ambiguous", message)
                    .remedy("remove the reference from all but one of them"))
            }
        }
    }

    /// The workspace of a type with a name: exactly that name.
    ///
    /// # Errors
    /// `Forbidden` when several have it.
    pub async fn find_workspace(&self, workspace_type: i64, name: &str) -> Result<Option<Node>> {
        const OPERATION: &str = "find a workspace by name";
        let mut turn = Turn::with_limit(self, self.settings.page_size.min(500));
        let mut found: Option<Node> = None;
        while let Some(page) = turn.page(OPERATION)? {
            // Without `expanded_view` only recently accessed workspaces are looked at. The name filter is "equals" in
            // one description and "starts with" in another.
            let call = Call::get(OPERATION, "/v2/businessworkspaces")
                .query("where_workspace_type_id", workspace_type)
                .query("where_name", name)
                .query("expanded_view", true)
                .query("page", page)
                .query("limit", turn.limit)
                .query("fields", "properties")
                .query("action", "properties-");
            let answer: Listing<Entry<NodeProperties>> = self.ask(&call).await?;
            turn.took(answer.results.0.len(), answer.paging());
            let nodes = answer.results.0.into_iter().map(|entry| entry.data.properties.into_node(&self.zone));
            for node in nodes.filter(|node| turn.is_new(node.id.0)).filter(|node| node.name == name) {
                if let Some(other) = &found {
                    let message =
                        format!("the workspaces {} and {} are both called {name:?}", other.id, node.id);
                    return Err(misconfigured(OPERATION, "content-server.workspace-ambiguous", message)
                        .remedy("rename one of them, or find workspaces by business object"));
                }
                found = Some(node);
            }
        }
        Ok(found)
    }

    /// The workspace a node is in.
    ///
    /// # Errors
    /// As any call.
    pub async fn find_workspace_around(&self, node: NodeId) -> Result<Option<NodeId>> {
        let call =
            Call::get("find the workspace around a node", format!("/v1/nodes/{node}/businessworkspace"));
        match self.ask::<Containing>(&call).await {
            Ok(answer) => Ok(answer.id.filter(|id| *id > 0).map(NodeId)),
            Err(error) if error.class() == FailureClass::Gone => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Makes a workspace. This takes the server long.
    ///
    /// # Errors
    /// [`COLLISION`] when the name is taken; `UnknownOutcome` when no answer came.
    pub async fn create_workspace(&self, new: &NewWorkspace) -> Result<NodeId> {
        let call = Call::post("create a workspace", "/v2/businessworkspaces")
            .body(&workspace_fields(new, self.settings.dates_with_time))
            .within(self.settings.slow());
        let answer = self.write_workspace(&call).await?;
        let made = Results::<Created>::deserialize(answer)
            .map_err(|error| unexpected(call.operation(), call.effect(), error))?;
        Ok(NodeId(made.results.id))
    }

    /// Makes a call that writes to the workspace interface. The vendor describes a JSON body, the vendor's own client
    /// sends a form, and what a server does not read it takes for missing: a call that is refused one way is made the
    /// other way, and what was read goes first from then on.
    pub(super) async fn write_workspace(&self, call: &Call) -> Result<Value> {
        let json_first = self.workspaces_read_json.load(Ordering::Relaxed);
        let json = call.as_json();
        let (first, second) = if json_first { (&json, call) } else { (call, &json) };
        let refusal = match self.json(first).await {
            Err(error) if may_be_unread(&error) => error,
            outcome => return outcome,
        };
        match self.json(second).await {
            // It was not for the form that it was refused.
            Err(error) if may_be_unread(&error) => Err(refusal.source(error)),
            Err(error) => Err(error),
            Ok(answer) => {
                self.workspaces_read_json.store(!json_first, Ordering::Relaxed);
                Ok(answer)
            }
        }
    }

    /// The workspace for a business object or, without one, of the type with the name: found, or else made. The second
    /// value says whether this call made it.
    ///
    /// # Errors
    /// As [`Client::create_workspace`].
    pub async fn ensure_workspace(&self, new: &NewWorkspace) -> Result<(NodeId, bool)> {
        if let Some(node) = self.find_workspace_like(new).await? {
            return Ok((node.id, false));
        }
        match self.create_workspace(new).await {
            Ok(node) => Ok((node, true)),
            // A rival made it, or our own call whose answer was lost; or the refusal is in a language we do not read.
            Err(error)
                if error.class() == FailureClass::UnknownOutcome
                    || error.code() == COLLISION
                    || may_be_unread(&error) =>
            {
                match self.find_workspace_like(new).await? {
                    Some(node) => Ok((node.id, false)),
                    None => Err(error),
                }
            }
            Err(error) => Err(error),
        }
    }

    /// The workspace that a new one would be the second of: by its business object, or else by its name.
    pub(crate) async fn find_workspace_like(&self, new: &NewWorkspace) -> Result<Option<Node>> {
        match &new.business_object {
            Some(object) => self.find_workspace_of(object).await,
            None => self.find_workspace(new.workspace_type, &new.name).await,
        }
    }

    /// A workspace's own facts.
    ///
    /// # Errors
    /// As any call.
    pub async fn get_workspace(&self, workspace: NodeId) -> Result<Node> {
        let path = format!("/v2/businessworkspaces/{workspace}");
        let call = Call::get("read a workspace", path).query("fields", "properties");
        let answer: Results<OneOrMany<Entry<NodeProperties>>> = self.ask(&call).await?;
        let entry = answer.results.0.into_iter().next();
        let entry =
            entry.ok_or_else(|| unexpected("read a workspace", Effect::Read, "no workspace in it"))?;
        Ok(entry.data.properties.into_node(&self.zone))
    }
}

/// Whether a refusal may be due to parameters that were not read. It had no effect then.
fn may_be_unread(error: &Error) -> bool {
    matches!(error.code(), BAD_REQUEST | REFUSED_BY_SERVER)
}

fn workspace_fields(new: &NewWorkspace, dates_with_time: bool) -> Value {
    let mut body = json!({
        "type": kind::WORKSPACE,
        "wksp_type_id": new.workspace_type,
        "template_id": new.template,
        "name": new.name,
    });
    let Some(fields) = body.as_object_mut() else { return body };
    if !new.description.is_empty() {
        fields.insert("description".to_owned(), new.description.as_str().into());
    }
    if let Some(parent) = new.parent {
        fields.insert("parent_id".to_owned(), parent.0.into());
    }
    if let Some(object) = &new.business_object {
        fields.insert("ext_system_id".to_owned(), object.system.as_str().into());
        fields.insert("bo_type".to_owned(), object.kind.as_str().into());
        fields.insert("bo_id".to_owned(), object.id.as_str().into());
    }
    fields.extend(new.external.fields().into_iter().map(|(key, value)| (key.to_owned(), value.into())));
    // Unlike nodes, workspaces take categories nested.
    let nested: Map<String, Value> = new
        .categories
        .iter()
        .map(|values| (values.category().to_string(), Value::Object(values.wire(dates_with_time).collect())))
        .collect();
    if !nested.is_empty() {
        fields.insert("roles".to_owned(), json!({ "categories": nested }));
    }
    body
}
