//! A text that comes back becomes a document beside the one it was made from; a later one becomes its next version.

use serde_json::json;
use shared::{
    content_server::{COLLISION, External, NewDocument, NewVersion, Node, NodeId, Upload},
    error::{Error, FailureClass, Result, System},
    flow::{Delivery, Flow, Outcome, Policy, Run},
    http::Replayable,
    mapping::{Record, View},
    s3_notification::ObjectEvent,
    transfer::hash_body,
};

use super::{ExportEvent, ExportForAnalysis, again, results::Returned, skipped};
use crate::export_rules::Text;

/// A text on its way.
struct Job<'a> {
    parent: NodeId,
    name: String,
    /// Whose text it is: the same for every text of the document.
    family: String,
    /// Which text: this very item.
    mark: String,
    upload: Upload,
    run: &'a Run,
}

impl ExportForAnalysis {
    pub(super) async fn take_text(
        &self,
        returned: &Returned<'_>,
        rule: &Text,
        event: &ObjectEvent,
        run: &Run,
    ) -> Result<Outcome> {
        let bytes = self.read_result(&returned.object, rule.max_size).await?;
        let text = std::str::from_utf8(&bytes).map_err(|error| {
            let message = format!("the text is not UTF-8: byte {} is not", error.valid_up_to());
            Error::invalid("result.unreadable", message).remedy("send the text in UTF-8")
        })?;
        if text.trim().is_empty() || text.contains('\0') {
            return Err(Error::invalid("result.no-text", "the text is empty, or no text")
                .remedy("send nothing where there is no text"));
        }
        let record = Record::new().with("node", json!({ "name": returned.node.name }));
        let name = rule.name.render(&View::of(&record), "name").map_err(|violations| {
            let mut all = shared::mapping::Violations::new();
            all.extend(violations);
            Error::from(all)
        })?;
        let name = self.content_server.settings().names.escape(&name);
        if run.is_dry() {
            return skipped("dry-run", "the text would become a document beside its source");
        }
        let item = self.item(&ExportEvent::Result(event.clone()));
        let family = format!("waybill-text:{}:{}", returned.data_set.name, returned.node.id);
        let job = Job {
            parent: returned.node.parent,
            mark: format!("{family}:{}", item.key.short()),
            family,
            upload: Upload {
                content: Replayable::from_bytes(bytes.clone()),
                ranges: None,
                file_name: name.clone(),
                content_type: "text/plain".to_owned(),
            },
            name,
            run,
        };
        let (node, version) = Box::pin(self.place_text(&job)).await?;
        let sha256 = self.check_text(&job, node, version).await?;
        Ok(Outcome::Delivered(Delivery {
            result: json!({ "node": returned.node.id, "text": node, "version": version, "sha256": sha256 }),
            digest: Some(sha256),
            bytes: job.upload.content.length(),
            detail: [("text", node.to_string()), ("version", version.to_string())]
                .map(|(name, fact)| (name.to_owned(), fact))
                .into(),
        }))
    }

    async fn place_text(&self, job: &Job<'_>) -> Result<(NodeId, i64)> {
        let mut found = self.content_server.find_child(job.parent, &job.name).await?;
        // Again: somebody may make a document of the name between our look and our call.
        for _ in 0..3 {
            let Some(there) = found else {
                match self.create_text(job).await {
                    Err(error) if error.code() == COLLISION => {
                        found = self.content_server.find_namesake(job.parent, &job.name).await?;
                        continue;
                    }
                    made => return made,
                }
            };
            return self.next_text(job, &there).await;
        }
        Err(taken())
    }

    async fn create_text(&self, job: &Job<'_>) -> Result<(NodeId, i64)> {
        let new = NewDocument {
            parent: job.parent,
            name: job.name.clone(),
            description: String::new(),
            external: external(job),
            categories: Vec::new(),
            advanced_versioning: None,
        };
        let node: i64 = job
            .run
            .effect(
                "create-text",
                Policy::CheckThenRepeat,
                || async {
                    let found = self.content_server.find_sent(job.parent, &job.name).await?;
                    let ours = found.filter(|node| node.external.identity.as_ref() == Some(&job.mark));
                    Ok(ours.map(|node| node.id.0))
                },
                || async { Ok(self.content_server.create_document(&new, &job.upload).await?.id.0) },
            )
            .await?;
        Ok((NodeId(node), 1))
    }

    /// A further version of a text; a document of the name that is not ours stays as it is.
    async fn next_text(&self, job: &Job<'_>, there: &Node) -> Result<(NodeId, i64)> {
        let identity = there.external.identity.as_deref().unwrap_or_default();
        if !identity.starts_with(&format!("{}:", job.family)) {
            return Err(taken());
        }
        if let Some(version) = self.version_of(job, there.id).await? {
            return Ok((there.id, version));
        }
        if identity == job.mark && there.size.is_some() && !self.has_versions(there.id).await? {
            return Ok((there.id, 1));
        }
        let new = NewVersion { description: job.mark.clone(), major: false, external: external(job) };
        let version: i64 = job
            .run
            .effect(
                "add-text",
                Policy::CheckThenRepeat,
                || self.version_of(job, there.id),
                || async { Ok(self.content_server.add_version(there.id, &new, &job.upload).await?.number) },
            )
            .await?;
        Ok((there.id, version))
    }

    /// The version that holds this very text.
    async fn version_of(&self, job: &Job<'_>, node: NodeId) -> Result<Option<i64>> {
        let versions = self.content_server.list_versions(node).await?;
        let ours = versions.iter().find(|version| {
            version.external_identity.as_ref() == Some(&job.mark) || version.description.contains(&job.mark)
        });
        Ok(ours.map(|version| version.number))
    }

    /// Whether there is more than the version the document was made with.
    async fn has_versions(&self, node: NodeId) -> Result<bool> {
        Ok(self.content_server.list_versions(node).await?.len() > 1)
    }

    /// What arrived damaged is taken away again.
    async fn check_text(&self, job: &Job<'_>, node: NodeId, version: i64) -> Result<String> {
        let sent = hash_body(job.upload.content.open().await?, None).await?;
        let download = self.content_server.download(node, Some(version)).await?;
        let held = hash_body(download.body, download.length).await?;
        if held.sha256 == sent.sha256 {
            return Ok(sent.sha256);
        }
        if self.has_versions(node).await? {
            self.content_server.delete_version(node, version).await?;
        } else {
            self.content_server.delete_node(node).await?;
        }
        let pause = std::time::Duration::from_secs(5);
        Err(again("result.damaged", "the text arrived damaged and was taken away again", pause))
    }
}

fn external(job: &Job<'_>) -> External {
    External {
        source: Some("cloud_storage".into()),
        identity: Some(job.mark.clone()),
        identity_type: Some("waybill".into()),
        ..External::default()
    }
}

fn taken() -> Error {
    Error::new(
        FailureClass::Invalid,
        System::ContentServer,
        "file text",
        "result.name-taken",
        "a document of the text's name is there that no result made",
    )
    .field("name")
    .remedy("rename that document, or choose another `name` under `results.text`")
}
