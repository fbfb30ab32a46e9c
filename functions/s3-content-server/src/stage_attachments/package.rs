//! The output of an approved workflow: its documents, a manifest, and last of all a marker.
//!
//! `<prefix><folder>/<round>/<name>` for each document, `manifest.json` and `_COMPLETE` beside them. Every name follows
//! from what came in. Whoever reads the output waits for the marker: without it nothing of it counts.

use serde::{Deserialize, Serialize};
use serde_json::json;
use shared::{
    aws::classify,
    content_server::{ChildFilter, Node, NodeId, Version, kind},
    error::{Error, FailureClass, Result, System},
    flow::Flow,
    transfer::{
        CopySizes, CopyTarget, Digests, Progress, S3Object, UploadSizes, UploadTarget, copy_resumable,
    },
};

use super::{
    StageAttachments,
    case::{Input, Workflow},
    complete::Ended,
};
use crate::{
    staging_rules::Contents,
    version_copy::{self, Reading, VersionCopy, escaped, shortened},
};

/// The names of manifest and marker; a document of that name is written with a percent sign.
const MANIFEST: &str = "manifest.json";
const MARKER: &str = "_COMPLETE";
/// The schema of the manifest.
const SCHEMA: &str = "waybill.package.v1";
/// Longest name of an object below its folder, in bytes.
const NAME_LENGTH: usize = 255;
/// The checkpoint with the documents that are written.
const WRITTEN: &str = "written";
/// Longest folder below the prefix, in bytes: with prefix, round and name it makes a key S3 takes.
const FOLDER_LENGTH: usize = 400;

/// Where the output of one workflow goes.
#[derive(Debug, Clone)]
pub(super) struct Shelf {
    bucket: String,
    folder: String,
}

impl Shelf {
    pub(super) fn of(bucket: &str, prefix: &str, workflow: &Workflow) -> Self {
        let folder: Vec<String> = workflow.folder.iter().map(|name| escaped(name)).collect();
        let folder = shortened(&folder.join("/"), FOLDER_LENGTH);
        Self { bucket: bucket.to_owned(), folder: format!("{prefix}{folder}/{}/", workflow.round) }
    }

    /// `s3://bucket/folder/`.
    pub(super) fn uri(&self) -> String {
        format!("s3://{}/{}", self.bucket, self.folder)
    }

    fn key(&self, name: &str) -> String {
        format!("{}{name}", self.folder)
    }

    fn document_key(&self, name: &str) -> String {
        match name {
            MANIFEST => self.key("manifest%2Ejson"),
            MARKER => self.key("%5FCOMPLETE"),
            name => self.key(&shortened(&escaped(name), NAME_LENGTH)),
        }
    }
}

/// The documents of an output.
#[derive(Debug, Clone)]
pub(super) struct Package {
    pub(super) documents: Vec<Document>,
    /// Attachments that are no documents, by name.
    left_out: Vec<String>,
}

/// One document of an output.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Document {
    name: String,
    key: String,
    version_id: Option<String>,
    pub(super) size: u64,
    sha256: String,
    crc64_nvme: String,
    media_type: Option<String>,
    node: i64,
    version: i64,
}

impl StageAttachments {
    /// Writes the documents of an approved workflow; nothing when it goes on in the next invocation.
    pub(super) async fn package(&self, ended: &Ended<'_>) -> Result<Option<Package>> {
        let run = ended.run;
        let Some(attachments) = ended.attachments else {
            return Err(Error::bug("package", "an approved workflow without attachments"));
        };
        let mut children =
            self.content_server.list_children(attachments, ChildFilter::default()).all().await?;
        children.sort_by(|one, other| one.name.cmp(&other.name));
        let mut package = Package { documents: Vec::new(), left_out: Vec::new() };
        let before = run.recorded::<Vec<Document>>(WRITTEN).unwrap_or_default();
        for child in children {
            let input = ended.inputs.iter().rev().find(|input| input.name == child.name);
            if ended.rule.output.contents == Contents::Staged && input.is_none() {
                continue;
            }
            if !matches!(child.kind, kind::DOCUMENT | kind::SHORTCUT) {
                package.left_out.push(child.name);
                continue;
            }
            if run.must_stop() {
                run.checkpoint(WRITTEN, &package.documents).await?;
                return Ok(None);
            }
            let Some(node) = self.behind(&child).await? else {
                package.left_out.push(child.name);
                continue;
            };
            match Box::pin(self.write_document(ended, &child.name, node, input, &before)).await? {
                Progress::Done(document) => package.documents.push(document),
                Progress::Paused => {
                    run.checkpoint(WRITTEN, &package.documents).await?;
                    return Ok(None);
                }
            }
        }
        if package.documents.is_empty() {
            return Err(Error::invalid(
                "output.empty",
                "the workflow was approved, and has no documents to give out",
            )
            .remedy("look who took the attachments out of the workflow; ask again when they are back"));
        }
        Ok(Some(package))
    }

    /// The document an attachment stands for; nothing when a shortcut leads to something else.
    async fn behind(&self, child: &Node) -> Result<Option<NodeId>> {
        if child.kind == kind::DOCUMENT {
            return Ok(Some(child.id));
        }
        let Some(original) = child.original else { return Ok(None) };
        let node = self.content_server.get_node(original).await?;
        Ok((node.kind == kind::DOCUMENT).then_some(node.id))
    }

    async fn write_document(
        &self,
        ended: &Ended<'_>,
        name: &str,
        node: NodeId,
        input: Option<&Input>,
        before: &[Document],
    ) -> Result<Progress<Document>> {
        let version = self.content_server.latest_version(node).await?;
        let known = before.iter().find(|document| {
            document.name == name && document.node == node.0 && document.version == version.number
        });
        if let Some(known) = known {
            return Ok(Progress::Done(known.clone()));
        }
        if let Some(input) = input.filter(|input| input.is_reference) {
            return self.copy_object(ended, name, input, (node, &version)).await;
        }
        let shelf = version_copy::Shelf {
            bucket: ended.shelf.bucket.clone(),
            prefix: ended.shelf.folder.clone(),
            storage_class: None,
        };
        let copy = VersionCopy {
            content_server: &self.content_server,
            s3: &self.s3,
            shelf: &shelf,
            reading: Reading::Twice,
            sizes: UploadSizes::default(),
        };
        let to = UploadTarget {
            content_type: version.mime_type.clone(),
            user_metadata: metadata(node, &version).into(),
            ..UploadTarget::new(&ended.shelf.bucket, ended.shelf.document_key(name))
        };
        let source = copy.source(node, &version).await?;
        let record = format!("version-{}", version.number);
        let Progress::Done(copied) = Box::pin(copy.content(&source, &to, &record, ended.run)).await? else {
            return Ok(Progress::Paused);
        };
        Ok(Progress::Done(document(name, to.key, node, &version, copied.version_id, copied.digests)))
    }

    /// The object behind a reference goes from S3 to S3.
    async fn copy_object(
        &self,
        ended: &Ended<'_>,
        name: &str,
        input: &Input,
        (node, version): (NodeId, &Version),
    ) -> Result<Progress<Document>> {
        let expected = if input.version_id.is_none() { Some(input.etag.as_str()) } else { None };
        let object =
            S3Object::head(&self.s3, &input.bucket, &input.key, input.version_id.as_deref(), expected).await;
        let object = object.map_err(|error| match error.class() {
            // That an input is gone is no reason to end the workflow's item without a word.
            FailureClass::Gone => {
                Error::invalid("output.object-gone", "the object behind a reference is gone")
                    .remedy("bring the object back, then ask again")
                    .source(error)
            }
            _ => error,
        })?;
        let original = input.key.rsplit('/').next().unwrap_or(name);
        let key = ended.shelf.document_key(original);
        let to = CopyTarget {
            user_metadata: Some(metadata(node, version).into()),
            content_type: object.content_type.clone(),
            tags: Some(std::collections::BTreeMap::new()),
            ..CopyTarget::new(&ended.shelf.bucket, &key)
        };
        let progress =
            copy_resumable(&self.s3, &object, &to, CopySizes::default(), ended.run, "copy-object").await?;
        let Progress::Done(copied) = progress else { return Ok(Progress::Paused) };
        let digests = Digests {
            sha256: input.sha256.clone(),
            crc64_nvme: object.checksum_crc64_nvme.clone().unwrap_or_default(),
            bytes: object.size,
        };
        Ok(Progress::Done(document(name, key, node, version, copied.version_id, digests)))
    }

    /// Writes manifest and marker: from then on the output counts.
    pub(super) async fn publish(&self, ended: &Ended<'_>, package: &Package) -> Result<()> {
        let sources: Vec<_> = ended
            .inputs
            .iter()
            .map(|input| {
                json!({
                    "name": input.name, "bucket": input.bucket, "key": input.key, "versionId": input.version_id,
                    "size": input.size, "sha256": input.sha256,
                })
            })
            .collect();
        let manifest = json!({
            "schema": SCHEMA, "flow": Self::NAME, "rule": ended.rule.name,
            "workflow": {
                "process": ended.process, "title": ended.workflow.title, "round": ended.workflow.round,
                "step": ended.rule.decision_step, "disposition": ended.decision.disposition(),
            },
            "documents": package.documents, "leftOut": package.left_out, "inputs": sources,
        });
        let text = serde_json::to_vec_pretty(&manifest)
            .map_err(|error| Error::bug("write manifest", "a manifest is not JSON").source(error))?;
        let sha256 = Digests::of(&text).sha256;
        self.put(&ended.shelf, MANIFEST, text).await?;
        let marker = json!({ "manifest": ended.shelf.key(MANIFEST), "sha256": sha256 }).to_string();
        self.put(&ended.shelf, MARKER, marker.into_bytes()).await
    }

    async fn put(&self, shelf: &Shelf, name: &str, text: Vec<u8>) -> Result<()> {
        let digest = Digests::of(&text).sha256_base64()?;
        self.s3
            .put_object()
            .bucket(&shelf.bucket)
            .key(shelf.key(name))
            .content_type("application/json")
            .checksum_sha256(digest)
            .body(text.into())
            .send()
            .await
            .map(drop)
            .map_err(|error| {
                classify(System::S3, "write output", error)
                    .remedy("let this function put objects under the rule's output prefix")
            })
    }

    /// Takes back what lies in the place of an output that is not, or no longer, approved: the marker first.
    pub(super) async fn withdraw(&self, shelf: &Shelf) -> Result<()> {
        let mut pages =
            self.s3.list_objects_v2().bucket(&shelf.bucket).prefix(&shelf.folder).into_paginator().send();
        let mut keys = Vec::new();
        while let Some(page) = pages.next().await {
            let page = page.map_err(|error| classify(System::S3, "list output", error))?;
            keys.extend(page.contents.unwrap_or_default().into_iter().filter_map(|object| object.key));
        }
        let marker = shelf.key(MARKER);
        keys.sort_by_key(|key| (*key != marker, key.clone()));
        for key in keys {
            let delete = self.s3.delete_object().bucket(&shelf.bucket).key(&key).send().await;
            delete.map_err(|error| {
                classify(System::S3, "withdraw output", error)
                    .remedy("let this function delete objects under the rule's output prefix")
            })?;
        }
        Ok(())
    }
}

fn metadata(node: NodeId, version: &Version) -> [(String, String); 3] {
    let created = version.created.map(|created| created.to_string()).unwrap_or_default();
    [
        ("waybill-node", node.to_string()),
        ("waybill-version", version.number.to_string()),
        ("waybill-created", created),
    ]
    .map(|(name, value)| (name.to_owned(), value))
}

fn document(
    name: &str,
    key: String,
    node: NodeId,
    version: &Version,
    version_id: Option<String>,
    digests: Digests,
) -> Document {
    Document {
        name: name.to_owned(),
        key,
        version_id,
        size: digests.bytes,
        sha256: digests.sha256,
        crc64_nvme: digests.crc64_nvme,
        media_type: version.mime_type.clone(),
        node: node.0,
        version: version.number,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_key_follows_from_the_input_and_is_one_s3_takes() {
        let workflow = |folder: &str, round| Workflow {
            rule: "a".into(),
            title: "t".into(),
            folder: folder.split('|').map(str::to_owned).collect(),
            round,
            closed: None,
        };
        let shelf = Shelf::of("out", "approved/", &workflow("C-1|Nord/Süd", 2));
        assert_eq!(shelf.uri(), "s3://out/approved/C-1/Nord%2FSüd/2/");
        for (name, key) in [
            ("draft 1.pdf", "draft 1.pdf"),
            ("manifest.json", "manifest%2Ejson"),
            ("_COMPLETE", "%5FCOMPLETE"),
            ("a/b.pdf", "a%2Fb.pdf"),
        ] {
            assert_eq!(shelf.document_key(name), format!("approved/C-1/Nord%2FSüd/2/{key}"));
        }
        let prefix = format!("{}/", "p".repeat(255));
        let long = Shelf::of("out", &prefix, &workflow(&"x".repeat(3000), u32::MAX));
        assert!(long.document_key(&format!("{}.pdf", "ü".repeat(900))).len() <= 1024);
    }
}
