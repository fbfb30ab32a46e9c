//! A message about a workspace or folder concerns everything in it: it becomes one message for each thing that is directly
//! in it, on the flow's own queue. The same message twice makes the same messages.

use serde_json::json;
use shared::{
    content_server::{ChildFilter, Node, NodeId, kind},
    error::Result,
    flow::{Delivery, Flow, Outcome, Reason, Run},
    flow_queues::Message,
    iconik::CollectionId,
    ledger::Key,
    node_change::NodeChange,
};

use super::{LinkReferences, REQUEST, standing::is_missing};

impl LinkReferences {
    /// Tells the flow of everything in a container, unless nothing of what matters has changed about the container itself.
    pub(super) async fn spread(&self, change: &NodeChange, container: &Node, run: &Run) -> Result<Outcome> {
        let traits = match Box::pin(self.traits(container)).await {
            Err(error) if is_missing(&error) => {
                return Ok(Outcome::Skipped(Reason::new("node.gone", "the container is not there any more")));
            }
            traits => traits?,
        };
        let note = format!("container {}", container.id);
        let before = self.environment.ledger.note(Self::NAME, &note).await?;
        let asked = change.request.is_some() || is_spread(change);
        if !asked && before.as_deref() == Some(traits.as_str()) {
            let message = "nothing of the container has changed that matters to what is in it";
            return Ok(Outcome::Skipped(Reason::new("link.container-unchanged", message)));
        }
        if run.is_dry() {
            run.note("would-look-into", container.id.to_string());
            let message = "everything in the container would be looked at";
            return Ok(Outcome::Skipped(Reason::new("dry-run", message)));
        }
        let mut told = 0;
        let mut children = self.content_server.list_children(container.id, ChildFilter::default());
        while let Some(page) = children.next_page().await? {
            let concerned = page.iter().filter(|child| child.container || child.kind == kind::DOCUMENT);
            let nodes: Vec<NodeId> = concerned.map(|child| child.id).collect();
            told += self.tell(&occasion(change), &nodes, run).await?;
        }
        if container.kind == kind::WORKSPACE {
            told += self.tell(&occasion(change), &self.members_of(container.id).await?, run).await?;
        }
        // Only now: what was not told to the end is told again.
        self.environment.ledger.set_note(Self::NAME, &note, &traits).await?;
        Ok(Outcome::Delivered(Delivery {
            result: json!({ "told": told }),
            detail: [("looked-into".to_owned(), told.to_string())].into(),
            ..Delivery::default()
        }))
    }

    /// Tells the flow of the documents that were shown of a workspace which is gone.
    pub(super) async fn spread_gone(&self, change: &NodeChange, run: &Run) -> Result<()> {
        if run.is_dry() {
            return Ok(());
        }
        let members = self.members_of(NodeId(change.node)).await?;
        self.tell(&occasion(change), &members, run).await.map(drop)
    }

    /// Tells the flow of documents that it has to look at once more.
    pub(super) async fn look_again(&self, nodes: &[NodeId], run: &Run) -> Result<()> {
        self.tell(&format!("{SPREAD}{}", run.context().new_id()), nodes, run).await.map(drop)
    }

    async fn members_of(&self, workspace: NodeId) -> Result<Vec<NodeId>> {
        self.members(&format!("workspace {workspace}")).await
    }

    /// The nodes of a set.
    pub(super) async fn members(&self, set: &str) -> Result<Vec<NodeId>> {
        let members = self.environment.ledger.members(Self::NAME, set).await?;
        Ok(members.iter().filter_map(|member| member.parse().ok().map(NodeId)).collect())
    }

    /// What of a container matters to what is in it: where it is, what it is called, to which collections it belongs, and
    /// whether it is confidential.
    async fn traits(&self, container: &Node) -> Result<String> {
        let way = self.content_server.list_ancestors(container.id).await?;
        let mut parts: Vec<String> = way.iter().map(|step| format!("{} {}", step.id, step.name)).collect();
        let from = way.iter().position(|step| step.id == container.id).unwrap_or(0);
        let own = way.get(from..).unwrap_or_default();
        if let Some(why) = Box::pin(self.confidential(container.id, own)).await? {
            parts.push(why.message);
        }
        if container.kind == kind::WORKSPACE {
            // A mapping that is wrong is told with each document; here it counts as a mapping like any other.
            match Box::pin(self.collections_of(container.id)).await {
                Ok(collections) => parts.extend(collections.iter().map(CollectionId::to_string)),
                Err(error) if error.class() == shared::error::FailureClass::Invalid => {
                    parts.push(error.message().to_owned());
                }
                Err(error) => return Err(error),
            }
        }
        let parts: Vec<&str> = parts.iter().map(String::as_str).collect();
        Ok(Key::of(&parts).digest().to_owned())
    }

    async fn tell(&self, occasion: &str, nodes: &[NodeId], run: &Run) -> Result<usize> {
        let mut messages = Vec::with_capacity(nodes.len());
        for node in nodes {
            let one = NodeChange::about(node.0, Some(REQUEST), occasion.to_owned());
            let body = one.envelope(Self::NAME, Self::NAME, run.context())?;
            messages.push(Message { flow: Self::NAME.to_owned(), body });
        }
        let sent = self.own_queue.send(&messages).await;
        match sent.failure {
            Some(failure) => Err(failure),
            None => Ok(messages.len()),
        }
    }
}

/// Before the occasion of a message that was made of another one.
const SPREAD: &str = "of ";

fn is_spread(change: &NodeChange) -> bool {
    change.occasion.starts_with(SPREAD)
}

/// The occasion of what is made of a message: that which began it all, by which those are known.
fn occasion(change: &NodeChange) -> String {
    if is_spread(change) { change.occasion.clone() } else { format!("{SPREAD}{}", change.key().digest()) }
}
