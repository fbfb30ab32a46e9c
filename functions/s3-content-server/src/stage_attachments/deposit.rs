//! A content as a document in a container: found by its mark, made, or added as a version, and verified.

use serde_json::json;
use shared::{
    content_server::{
        COLLISION, External, LargeUpload, NewDocument, NewVersion, Node, NodeId, ProcessId, Upload, kind,
    },
    error::{Error, Result},
    filing::{Mark, Placed, parts},
    flow::{Policy, Reason, Run},
    http::Replayable,
    transfer::{Digests, S3Object, Witness},
};

use super::{StageAttachments, attach::name_taken};
use crate::uploads::{file_name, media_type};

/// A document to be placed.
pub(super) struct Deposit<'a> {
    pub(super) container: NodeId,
    pub(super) name: &'a str,
    pub(super) mark: &'a Mark,
    pub(super) content: &'a Content,
    pub(super) description: String,
    /// It is placed only while this workflow is open.
    pub(super) workflow: ProcessId,
    pub(super) run: &'a Run,
}

/// What is placed.
pub(super) enum Content {
    Object(Box<S3Object>),
    /// A small document that says where the object is.
    Reference {
        bytes: Vec<u8>,
        file_name: String,
    },
}

/// What became of it.
pub(super) enum Deposited {
    Done {
        node: NodeId,
        version: i64,
        digests: Digests,
    },
    /// A later upload of the same key is there already.
    Stale(Reason),
}

enum Placement {
    Done(Placed),
    Stale(Reason),
}

impl Content {
    /// The reference to an object. The same object gives the same bytes.
    pub(super) fn reference(object: &S3Object, digests: &Digests) -> Result<Self> {
        let file_name = file_name(object);
        let reference = json!({
            "schema": "waybill.reference.v1",
            "note": "The content of this attachment is kept in Amazon S3.",
            "bucket": object.bucket, "key": object.key, "versionId": object.version_id,
            "fileName": file_name, "mediaType": object.content_type,
            "size": digests.bytes, "sha256": digests.sha256,
        });
        let bytes = serde_json::to_vec_pretty(&reference)
            .map_err(|error| Error::bug("refer to object", "a reference is not JSON").source(error))?;
        Ok(Self::Reference { bytes, file_name: format!("{file_name}.reference.json") })
    }

    pub(super) fn length(&self) -> u64 {
        match self {
            Self::Object(object) => object.size,
            Self::Reference { bytes, .. } => bytes.len() as u64,
        }
    }

    fn upload(&self, s3: &aws_sdk_s3::Client, witness: &Witness) -> Upload {
        match self {
            Self::Object(object) => Upload {
                content: object.replayable(s3, witness),
                ranges: None,
                file_name: file_name(object),
                content_type: media_type(object),
            },
            Self::Reference { bytes, file_name } => Upload {
                content: Replayable::from_bytes(bytes.clone()),
                ranges: None,
                file_name: file_name.clone(),
                content_type: "application/json".to_owned(),
            },
        }
    }
}

impl StageAttachments {
    pub(super) async fn deposit(&self, deposit: &Deposit<'_>) -> Result<Deposited> {
        let witness = Witness::new();
        let placed = match Box::pin(self.place(deposit, &witness)).await? {
            Placement::Done(placed) => placed,
            Placement::Stale(reason) => return Ok(Deposited::Stale(reason)),
        };
        parts::spent(deposit.run).await?;
        let digests = self.verified(deposit, placed, &witness).await?;
        Ok(Deposited::Done { node: placed.node, version: placed.version, digests })
    }

    async fn place(&self, deposit: &Deposit<'_>, witness: &Witness) -> Result<Placement> {
        let mut found = self.content_server.find_child(deposit.container, deposit.name).await?;
        // Again: a rival may make the document between our look and our call.
        for _ in 0..3 {
            let Some(there) = found else {
                match self.create(deposit, witness).await {
                    Err(error) if error.code() == COLLISION => {
                        found = self.content_server.find_namesake(deposit.container, deposit.name).await?;
                        continue;
                    }
                    outcome => return outcome.map(Placement::Done),
                }
            };
            if there.kind != kind::DOCUMENT {
                return Err(name_taken(deposit.name));
            }
            if deposit.mark.is(there.external.identity.as_deref().unwrap_or_default()) {
                return Ok(Placement::Done(Placed { node: there.id, version: 1, new_document: true }));
            }
            let name = format!("node-{}", there.id);
            return self.alone(&name, deposit.run, Box::pin(self.version(deposit, &there, witness))).await;
        }
        Err(name_taken(deposit.name))
    }

    /// The version of a document that carries a mark, however it came there.
    pub(super) async fn marked_version(&self, node: &Node, mark: &Mark) -> Result<Option<i64>> {
        if node.kind != kind::DOCUMENT {
            return Ok(None);
        }
        if node.external.identity.as_deref().is_some_and(|identity| mark.is(identity)) {
            return Ok(Some(1));
        }
        let versions = self.content_server.list_versions(node.id).await?;
        let ours = versions.iter().find(|version| {
            version.external_identity.as_deref().is_some_and(|identity| mark.is(identity))
                || version.description.contains(&mark.to_string())
        });
        Ok(ours.map(|version| version.number))
    }

    async fn create(&self, deposit: &Deposit<'_>, witness: &Witness) -> Result<Placed> {
        let new = NewDocument {
            parent: deposit.container,
            name: deposit.name.to_owned(),
            description: deposit.description.clone(),
            external: external(deposit),
            categories: Vec::new(),
            advanced_versioning: None,
        };
        let upload = deposit.content.upload(&self.s3, witness);
        let large = self.sent_in_parts(deposit, &upload).await?;
        let made = deposit
            .run
            .effect(
                "create-attachment",
                Policy::CheckThenRepeat,
                || async {
                    let found = self.content_server.find_sent(deposit.container, deposit.name).await?;
                    let ours = found.filter(|node| {
                        node.external.identity.as_deref().is_some_and(|identity| deposit.mark.is(identity))
                    });
                    Ok(ours.map(|node| node.id.0))
                },
                || async {
                    self.check_open(deposit.workflow).await?;
                    let made = match &large {
                        Some(large) => self.content_server.create_document_from(&new, large).await,
                        None => self.content_server.create_document(&new, &upload).await,
                    };
                    Ok(made?.id.0)
                },
            )
            .await;
        let node: i64 = self.made(deposit, large.as_ref(), made).await?;
        Ok(Placed { node: NodeId(node), version: 1, new_document: true })
    }

    /// Adds a version, where an earlier upload of the same key made the document.
    async fn version(&self, deposit: &Deposit<'_>, node: &Node, witness: &Witness) -> Result<Placement> {
        if let Some(version) = self.marked_version(node, deposit.mark).await? {
            return Ok(Placement::Done(Placed { node: node.id, version, new_document: false }));
        }
        let versions = self.content_server.list_versions(node.id).await?;
        let identities = versions.iter().filter_map(|version| version.external_identity.as_deref());
        let mut all = identities.chain(node.external.identity.as_deref());
        if all.clone().any(|identity| deposit.mark.is_older_than(identity)) {
            let message = "a later upload of the same key is attached already";
            return Ok(Placement::Stale(Reason::new("event.stale", message)));
        }
        if !all.any(|identity| deposit.mark.is_of_same_asset(identity)) {
            return Err(name_taken(deposit.name));
        }
        let new = NewVersion {
            description: format!("{} {}", deposit.description, deposit.mark),
            major: false,
            external: external(deposit),
        };
        let upload = deposit.content.upload(&self.s3, witness);
        let large = self.sent_in_parts(deposit, &upload).await?;
        let made = deposit
            .run
            .effect(
                "add-attachment-version",
                Policy::CheckThenRepeat,
                || self.marked_version(node, deposit.mark),
                || async {
                    self.check_open(deposit.workflow).await?;
                    let made = match &large {
                        Some(large) => self.content_server.add_version_from(node.id, &new, large).await,
                        None => self.content_server.add_version(node.id, &new, &upload).await,
                    };
                    Ok(made?.number)
                },
            )
            .await;
        let version: i64 = self.made(deposit, large.as_ref(), made).await?;
        Ok(Placement::Done(Placed { node: node.id, version, new_document: false }))
    }

    /// The upload of a large object with all its parts; nothing when it goes up in one call.
    async fn sent_in_parts(&self, deposit: &Deposit<'_>, upload: &Upload) -> Result<Option<LargeUpload>> {
        match deposit.content {
            Content::Object(object) => self.passage(deposit.run).sent_in_parts(object, upload).await,
            Content::Reference { .. } => Ok(None),
        }
    }

    /// What was made of an upload; a refusal of one in parts may mean that it has to begin anew.
    async fn made(
        &self,
        deposit: &Deposit<'_>,
        large: Option<&LargeUpload>,
        made: Result<i64>,
    ) -> Result<i64> {
        match made {
            Err(error) if large.is_some() && error.code() != "workflow.ended-meanwhile" => {
                Err(self.passage(deposit.run).after_refusal(error).await)
            }
            outcome => outcome,
        }
    }

    /// The digests of what was placed. What does not agree is taken out again, so that nobody decides about a damaged
    /// document.
    async fn verified(&self, deposit: &Deposit<'_>, placed: Placed, witness: &Witness) -> Result<Digests> {
        let passage = self.passage(deposit.run);
        let source = match deposit.content {
            Content::Reference { bytes, .. } => Digests::of(bytes),
            Content::Object(object) => passage.object_digests(object, witness).await?,
        };
        let held = passage.version_digests(placed.node, placed.version, deposit.content.length()).await?;
        if held.sha256 == source.sha256 && held.bytes == source.bytes {
            return Ok(source);
        }
        let held = format!("{} bytes with another SHA-256", held.bytes);
        Err(passage.reject(placed, &source, &held).await?)
    }
}

fn external(deposit: &Deposit<'_>) -> External {
    External {
        source: Some("cloud_storage".into()),
        identity: Some(deposit.mark.to_string()),
        identity_type: Some("waybill".into()),
        created: None,
        modified: match deposit.content {
            Content::Object(object) => object.last_modified,
            Content::Reference { .. } => None,
        },
    }
}
