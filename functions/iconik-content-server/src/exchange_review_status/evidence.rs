//! The evidence in Content Server: a document with the chain, an entry a line. It only grows, by versions; what somebody
//! else put there is left, and a person has to look.

use serde_json::json;
use shared::{
    audit,
    content_server::{External, NewDocument, NewVersion, Node, NodeId, Upload},
    error::{Error, Result},
    flow::{Policy, Run},
    http::Replayable,
    iconik::AssetId,
    transfer::{Hasher, hash_body},
};

use super::{ExchangeReviewStatus, Subject, again, chain::Chain};

/// How often it is written again because it arrived damaged or behind.
const TRIES: usize = 3;

/// Where it is, and whether this run has written it.
pub(super) struct Evidence {
    pub(super) node: NodeId,
    pub(super) written: bool,
}

/// How what is there stands to what is to be there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Standing {
    /// It is the whole.
    Same,
    /// It is the beginning of it.
    Behind,
    /// It is something else.
    Altered,
}

/// What the names of evidence begin with, and end with; the asset is between.
const NAMED: (&str, &str) = ("Review evidence ", ".jsonl");

/// The name of the evidence of an asset.
pub(super) fn name_of(asset: &AssetId) -> String {
    format!("{}{asset}{}", NAMED.0, NAMED.1)
}

/// The asset whose evidence is called so; nothing when no evidence is.
pub(super) fn asset_of(name: &str) -> Option<AssetId> {
    let asset = name.strip_prefix(NAMED.0)?.strip_suffix(NAMED.1)?;
    Some(AssetId::new(asset))
}

/// What the evidence of a chain is to hold.
pub(super) fn content_of(chain: &Chain) -> Result<String> {
    Ok(format!("{}\n", chain.lines()?.join("\n")))
}

impl ExchangeReviewStatus {
    /// Sees to it that the newest version of the document is the whole chain.
    pub(super) async fn keep_evidence(
        &self,
        subject: &Subject<'_>,
        chain: &Chain,
        run: &Run,
    ) -> Result<Evidence> {
        let end = chain.end().to_owned();
        let content = content_of(chain)?;
        if let Err(tampering) = audit::verify(&content, Some(&end)) {
            return Err(Error::invalid(
                "review.chain-broken",
                format!("the chain in the ledger does not verify: {tampering}"),
            )
            .remedy("find out who changed the table; the evidence in Content Server is as it was"));
        }
        let folder = self.folder_of(subject).await?;
        let name = name_of(&subject.asset);
        let (node, mut written) = match self.content_server.find_child(folder, &name).await? {
            Some(found) => (found.id, false),
            None => (self.begin_evidence(folder, &name, &content, &end, run).await?, true),
        };
        for _ in 0..TRIES {
            let mut standing = self.standing(node, &content).await?;
            if standing == Standing::Altered {
                // It may be the reading that was damaged.
                standing = self.standing(node, &content).await?;
            }
            match standing {
                Standing::Same => return Ok(Evidence { node, written }),
                Standing::Altered if !written => return Err(altered()),
                // Ours arrived damaged, or somebody slow wrote an earlier state over it: the whole is added once more.
                Standing::Altered | Standing::Behind => {
                    self.extend_evidence(node, &name, &content, &end, run).await?;
                    written = true;
                }
            }
        }
        Err(again("review.evidence-overtaken", "the evidence is not what was written: it is looked at anew"))
    }

    /// Where the evidence of an asset is.
    pub(super) async fn folder_of(&self, subject: &Subject<'_>) -> Result<NodeId> {
        match (&subject.rule.evidence, subject.document) {
            (Some(path), _) => Ok(self.content_server.resolve_path(path).await?.id),
            (None, Some(document)) => Ok(self.content_server.get_node(document).await?.parent),
            (None, None) => Err(Error::bug("keep evidence", "there is neither folder nor document")),
        }
    }

    async fn begin_evidence(
        &self,
        folder: NodeId,
        name: &str,
        content: &str,
        end: &str,
        run: &Run,
    ) -> Result<NodeId> {
        let new = NewDocument {
            parent: folder,
            name: name.to_owned(),
            description: "Who said what of the asset, and when. Verify it with: audit verify".to_owned(),
            external: mark(end),
            categories: Vec::new(),
            advanced_versioning: Some(false),
        };
        let id = |node: Node| node.id.0;
        let probe = || async { Ok(self.content_server.find_child(folder, name).await?.map(id)) };
        let act =
            || async { Ok(id(self.content_server.create_document(&new, &upload(name, content)).await?)) };
        run.effect("create evidence", Policy::CheckThenRepeat, probe, act).await.map(NodeId)
    }

    async fn extend_evidence(
        &self,
        node: NodeId,
        name: &str,
        content: &str,
        end: &str,
        run: &Run,
    ) -> Result<()> {
        let new = NewVersion { description: format!("ends with {end}"), major: false, external: mark(end) };
        let probe = || async {
            let is_there = self.standing(node, content).await? == Standing::Same;
            Ok(is_there.then(|| json!(true)))
        };
        let act = || async {
            self.content_server.add_version(node, &new, &upload(name, content)).await?;
            Ok(json!(true))
        };
        run.effect("extend evidence", Policy::CheckThenRepeat, probe, act).await.map(drop)
    }

    /// Holds the newest version against what is to be there: the same, its beginning, or something else.
    pub(super) async fn standing(&self, node: NodeId, content: &str) -> Result<Standing> {
        let download = self.content_server.download(node, None).await?;
        let held = hash_body(download.body, download.length).await?;
        let length = usize::try_from(held.bytes).unwrap_or(usize::MAX);
        let Some(beginning) = content.as_bytes().get(..length) else { return Ok(Standing::Altered) };
        let mut hasher = Hasher::new();
        hasher.update(beginning);
        let is_beginning =
            hasher.finish().sha256 == held.sha256 && (length == 0 || beginning.ends_with(b"\n"));
        Ok(match (is_beginning, length == content.len()) {
            (true, true) => Standing::Same,
            (true, false) => Standing::Behind,
            (false, _) => Standing::Altered,
        })
    }
}

fn altered() -> Error {
    let message = "the document with the evidence holds something else than the chain";
    Error::invalid("review.evidence-altered", message)
        .remedy("look who added that version, and take it away; then send the asset's change again")
}

fn upload(name: &str, content: &str) -> Upload {
    Upload {
        content: Replayable::from_bytes(content.to_owned().into_bytes()),
        ranges: None,
        file_name: name.to_owned(),
        content_type: "application/x-ndjson".to_owned(),
    }
}

fn mark(end: &str) -> External {
    External {
        source: Some("file_system".to_owned()),
        identity: Some(format!("waybill:review:{}", end.get(..32).unwrap_or(end))),
        identity_type: Some("waybill".to_owned()),
        ..External::default()
    }
}
