//! The documents in Content Server that were made of an asset, and the holds over them.

use shared::{
    content_server::{NOT_ACCESSIBLE, NOT_FOUND, Node, NodeId},
    error::{Error, FailureClass, Result, System},
    flow::Run,
    iconik::ViewId,
};

use super::{RequestDisposition, asset::Asset};

/// How the ledger calls the two systems in its references.
const ICONIK: &str = "iconik";
const CONTENT_SERVER: &str = "content-server";

impl RequestDisposition {
    /// The documents that were made of an asset, the first being the one that stands for all: what whoever filed them
    /// noted in the ledger, or what the asset says itself.
    pub(super) async fn documents(&self, asset: &Asset, run: &Run) -> Result<Vec<Node>> {
        let noted = run.ledger().find_reference(ICONIK, &asset.id, CONTENT_SERVER).await?;
        let number = match (noted, &self.rules.iconik.node) {
            (Some(noted), _) => Some(noted),
            (None, Some(field)) => {
                let view = ViewId::new(&self.rules.iconik.view);
                self.iconik.get_metadata(&asset.reference(), &view).await?.text(field)
            }
            (None, None) => None,
        };
        let number = number.and_then(|number| number.trim().parse().ok()).ok_or_else(|| {
            let message =
                "nobody has filed this asset in Content Server, so nobody there can decide about it";
            Error::invalid("disposition.not-filed", message)
                .remedy("file it, or set its Content Server node, then set the status again")
        })?;
        Ok(vec![self.document(NodeId(number)).await?])
    }

    /// A document that has to be there.
    async fn document(&self, node: NodeId) -> Result<Node> {
        match self.content_server.get_node(node).await {
            Err(error) if is_missing(&error) => Err(Error::new(
                FailureClass::Forbidden,
                System::ContentServer,
                "find document",
                "disposition.document-gone",
                format!("the document {node} is not there, or the service user cannot see it"),
            )
            .remedy("let the service user see the document; if it was deleted, file the asset again")
            .source(error)),
            found => found,
        }
    }

    /// What carries a hold that is in force over any of these documents. One that is gone carries none.
    pub(super) async fn hold_over(&self, nodes: &[NodeId]) -> Result<Option<NodeId>> {
        for node in nodes {
            let found = match self.content_server.get_node(*node).await {
                Ok(found) => found,
                Err(error) if is_missing(&error) => continue,
                Err(error) => return Err(error),
            };
            if let Some(on) = self.content_server.hold_over(&found).await? {
                return Ok(Some(on));
            }
        }
        Ok(None)
    }
}

pub(super) fn is_missing(error: &Error) -> bool {
    error.code() == NOT_ACCESSIBLE || error.code() == NOT_FOUND
}
