//! What was destroyed, and the certificates of it.

use shared::{
    content_server::{ChildFilter, NOT_ACCESSIBLE, NOT_FOUND, Node, NodeId, kind},
    error::Result,
    iconik::{AssetId, AssetStatus},
    reconcile::{Facts, Pair, Seen},
};

use super::{DispositionSides, state};
use crate::{
    disposition_rules::Outcome,
    request_disposition::{
        case::{self, Case, Phase},
        certificate::{Certificate, digest, verify},
        certify::{LARGEST, name_of, number_of},
        chain_of,
    },
    sides::{self, find_node},
};

/// What the names of certificates begin with.
const CERTIFICATE: &str = "Certificate of destruction ";
/// What both sides say of a certificate that can be relied on.
const VALID: &str = "certified by the chain of the asset";

impl DispositionSides {
    /// A disposition whose asset is not in use any more: destroyed, with a certificate, or gone by somebody's hand.
    pub(super) async fn without_asset(&self, id: &str) -> Result<Vec<Pair>> {
        let asset = self.flow.iconik.find_asset(&AssetId::new(id)).await?;
        if asset.as_ref().is_some_and(|asset| asset.status != AssetStatus::Deleted) {
            return Ok(Vec::new());
        }
        let Some(case) = case::case_of(&self.flow.environment.ledger, id).await?.case else {
            return Ok(Vec::new());
        };
        let gone = asset.as_ref().and_then(|asset| asset.deleted.max(asset.modified));
        match &case.phase {
            Phase::Closed { outcome: Some(Outcome::Destroy) } => self.destroyed(&case, gone).await,
            // What was retained, archived or withdrawn may be deleted by people.
            Phase::Closed { .. } => Ok(Vec::new()),
            Phase::Due | Phase::InReview { .. } | Phase::Archiving { .. } => {
                let mut pair = case_pair(&case, "asset");
                pair.changed = gone;
                pair.source = state("its disposition is under way");
                pair.target = state("the asset is not there any more, by somebody's hand");
                pair.note = Some(
                    "Bring it back from the recycle bin while that is possible, or end its review.".into(),
                );
                Ok(vec![pair])
            }
        }
    }

    /// What was destroyed: its certificate, and that what it says is gone is gone.
    async fn destroyed(&self, case: &Case, gone: Option<jiff::Timestamp>) -> Result<Vec<Pair>> {
        let name = name_of(&number_of(case, false));
        let mut pair = case_pair(case, "certificate");
        pair.name.clone_from(&name);
        pair.changed = gone;
        pair.source = state(VALID);
        let escaped = self.flow.content_server.settings().names.escape(&name);
        let node = match self.folder().await? {
            Some(folder) => self.flow.content_server.find_child(folder, &escaped).await?,
            None => None,
        };
        let Some(node) = node else { return Ok(vec![pair]) };
        let (words, certificate, sha256) = self.read(&node).await?;
        pair.changed = pair.changed.max(node.modified);
        pair.target = Seen::There(Facts { sha256: sha256.clone(), state: Some(words), ..Facts::default() });
        if certificate.is_some() {
            // The chain has its hash: the certificate is the one that was filed.
            pair.source = Seen::There(Facts { sha256, state: Some(VALID.into()), ..Facts::default() });
        }
        let mut pairs = vec![pair];
        let documents = certificate.map(|certificate| certificate.documents).unwrap_or_default();
        for document in documents.iter().filter(|document| document.removed) {
            if let Some(found) = find_node(&self.flow.content_server, NodeId(document.node)).await? {
                let mut pair = case_pair(case, &format!("node {}", document.node));
                pair.name.clone_from(&found.name);
                pair.changed = found.modified;
                pair.source = state("certified to be destroyed");
                pair.target = state("there");
                pairs.push(pair);
            }
        }
        Ok(pairs)
    }

    /// A document in the folder of certificates: whether the chain of its asset knows it.
    pub(super) async fn certificate_there(&self, node: NodeId) -> Result<Option<Pair>> {
        let Some(found) = find_node(&self.flow.content_server, node).await? else { return Ok(None) };
        let (words, certificate, _) = self.read(&found).await?;
        if certificate.is_some() {
            return Ok(None);
        }
        // One in the place of a certificate that is due is told of by the other side.
        if self.is_expected(&found.name).await? {
            return Ok(None);
        }
        let mut pair = Pair::new(format!("node {node}"), &found.name, "");
        pair.changed = found.modified;
        pair.target = Seen::There(Facts::default());
        pair.note = Some(format!("It is called like a certificate: {words}."));
        Ok(Some(pair))
    }

    /// The documents that are called like certificates, in their folder.
    pub(super) async fn certificates_there(&self) -> Result<Vec<NodeId>> {
        let Some(folder) = self.folder().await? else { return Ok(Vec::new()) };
        let filter = ChildFilter { name: Some(CERTIFICATE.to_owned()), kinds: vec![kind::DOCUMENT] };
        let children = self.flow.content_server.list_children(folder, filter).all().await?;
        let named = children.into_iter().filter(|child| child.name.starts_with(CERTIFICATE));
        Ok(named.map(|child| child.id).collect())
    }

    /// The folder of certificates; nothing while there is none.
    async fn folder(&self) -> Result<Option<NodeId>> {
        let (rules, client) = (&self.flow.rules.certificates, &self.flow.content_server);
        let mut folder = client.resolve_path(&rules.root).await?.id;
        for name in &rules.below {
            let name = client.settings().names.escape(name);
            match client.find_child(folder, &name).await? {
                Some(found) => folder = found.id,
                None => return Ok(None),
            }
        }
        Ok(Some(folder))
    }

    /// A certificate, checked against the chain of the asset it names: in words, itself where it can be relied on, and the hash
    /// of what is there.
    async fn read(&self, node: &Node) -> Result<(String, Option<Certificate>, Option<String>)> {
        let text = match self.flow.content_server.download_small(node.id, LARGEST).await {
            Err(error) if matches!(error.code(), NOT_ACCESSIBLE | NOT_FOUND) => {
                return Ok(("it went away".to_owned(), None, None));
            }
            text => text?,
        };
        let sha256 = Some(digest(&text));
        let asset = serde_json::from_slice::<Certificate>(&text).map(|certificate| certificate.asset.id);
        let Ok(asset) = asset else { return Ok(("it is no certificate".to_owned(), None, sha256)) };
        let (lines, end) = self.flow.environment.ledger.export_chain(chain_of(&asset).digest()).await?;
        let checked = verify(&text, &lines.join("\n"), Some(&end));
        Ok(match checked {
            Ok(certificate) => (VALID.to_owned(), Some(certificate), sha256),
            Err(doubt) => (doubt.to_string(), None, sha256),
        })
    }

    /// Whether a name is that of a certificate which is due.
    async fn is_expected(&self, name: &str) -> Result<bool> {
        let number = name.strip_prefix(CERTIFICATE).and_then(|rest| rest.strip_suffix(".json"));
        let Some((asset, _)) = number.and_then(|number| number.rsplit_once('-')) else { return Ok(false) };
        let case = case::case_of(&self.flow.environment.ledger, asset).await?.case;
        let destroyed = case.filter(|case| case.phase == Phase::Closed { outcome: Some(Outcome::Destroy) });
        Ok(destroyed.is_some_and(|case| name_of(&number_of(&case, false)) == name))
    }
}

/// Something of a disposition, of which nothing is known yet.
fn case_pair(case: &Case, what: &str) -> Pair {
    let key = format!("disposition of asset {}, revision {}: {what}", case.asset, case.revision);
    Pair::new(key, format!("disposition of asset {}", case.asset), sides::asset(&case.asset))
}
