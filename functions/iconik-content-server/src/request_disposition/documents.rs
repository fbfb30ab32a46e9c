//! The documents in Content Server that were made of an asset, and the holds over them.

use shared::{
    content_server::{NOT_ACCESSIBLE, NOT_FOUND, Node, NodeId},
    error::{Error, FailureClass, Result, System},
    flow::Run,
    iconik::{AssetId, ViewId},
};

use super::{RequestDisposition, asset::Asset};
use crate::{
    disposition_rules::{MissingDocuments, Rule},
    filing::{CONTENT_SERVER, ICONIK},
};

/// The code of a document that is not there, or is hidden: Content Server does not say which.
const GONE: &str = "disposition.document-gone";

/// What earlier steps tell of an asset's documents.
#[derive(Debug, Clone, Copy)]
pub(super) struct Earlier<'a> {
    /// Those that this disposition is about.
    pub(super) asked: &'a [NodeId],
    /// Those that were destroyed.
    pub(super) removed: &'a [NodeId],
}

impl RequestDisposition {
    /// Every document that is known to have been made of an asset, the first being the one that stands for all: those an
    /// earlier step was about, the one that whoever filed the asset noted in the ledger or that the asset names itself, and
    /// those that were made of any of its files, previews and pictures.
    pub(super) async fn documents(
        &self,
        asset: &Asset,
        rule: &Rule,
        Earlier { asked, removed }: Earlier<'_>,
        run: &Run,
    ) -> Result<Vec<Node>> {
        let named = self.named_document(asset, run).await?;
        let known = self.media.known_of(&AssetId::new(&asset.id), &asset.versions, run.ledger()).await?;
        let mut numbers: Vec<NodeId> = Vec::new();
        for number in asked.iter().copied().chain(named).chain(known) {
            if !numbers.contains(&number) && !removed.contains(&number) {
                numbers.push(number);
            }
        }
        let mut documents = Vec::new();
        let mut missing = None;
        for number in numbers {
            match self.document(number).await {
                Err(error)
                    if error.code() == GONE && rule.missing_documents == MissingDocuments::LeaveOut =>
                {
                    run.note("left-out", number.to_string());
                    missing = Some(error);
                }
                found => documents.push(found?),
            }
        }
        match (documents.is_empty(), missing) {
            (false, _) => Ok(documents),
            (true, Some(missing)) => Err(missing),
            (true, None) => Err(not_filed()),
        }
    }

    /// The document that somebody has noted as the asset's.
    async fn named_document(&self, asset: &Asset, run: &Run) -> Result<Option<NodeId>> {
        let noted = run.ledger().find_reference(ICONIK, &asset.id, CONTENT_SERVER).await?;
        let number = match (noted, &self.rules.iconik.node) {
            (Some(noted), _) => Some(noted),
            (None, Some(field)) => {
                let view = ViewId::new(&self.rules.iconik.view);
                self.iconik.get_metadata(&asset.reference(), &view).await?.text(field)
            }
            (None, None) => None,
        };
        Ok(number.and_then(|number| number.trim().parse().ok()).map(NodeId))
    }

    /// A document that has to be there.
    async fn document(&self, node: NodeId) -> Result<Node> {
        match self.content_server.get_node(node).await {
            Err(error) if is_missing(&error) => Err(Error::new(
                FailureClass::Forbidden,
                System::ContentServer,
                "find document",
                GONE,
                format!("the document {node} is not there, or the service user cannot see it"),
            )
            .remedy(
                "let the service user see the document; if it was deleted, restore it, or say missing_documents = \"leave-out\"",
            )
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

fn not_filed() -> Error {
    let message = "nobody has filed this asset in Content Server, so nobody there can decide about it";
    Error::invalid("disposition.not-filed", message)
        .remedy("file it, or set its Content Server node, then set the status again")
}

pub(super) fn is_missing(error: &Error) -> bool {
    error.code() == NOT_ACCESSIBLE || error.code() == NOT_FOUND
}
