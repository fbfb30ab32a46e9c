//! Which rule takes an upload, what it makes of it, and whether what is filed already is the upload.

use shared::{
    content_server::{NOT_ACCESSIBLE, NOT_FOUND, NodeId, kind},
    error::{Error, Result},
    flow::Run,
    transfer::{Digests, S3Object, Witness},
};

use super::{StageAttachments, attach::Job};
use crate::{
    staging_rules::{Staged, StagingRule},
    uploads::described,
};

impl StageAttachments {
    /// The rule that takes an upload, and what it makes of it.
    pub(super) async fn staged(&self, object: &S3Object, run: &Run) -> Result<(&StagingRule, Staged)> {
        let key = object.key.as_str();
        let rule = self.rules.rules.iter().find(|rule| rule.takes(key)).ok_or_else(no_rule)?;
        run.note("rule", &rule.name);
        if object.size == 0 {
            return Err(Error::invalid("empty-object", "the object is empty").field("object.size"));
        }
        if object.size > rule.max_size {
            let message =
                format!("the rule takes {} bytes at most, the object has {}", rule.max_size, object.size);
            return Err(Error::invalid("object-too-large", message)
                .field("object.size")
                .remedy("raise `max_size` in the rule, or upload a smaller object"));
        }
        let tags = if rule.needs_tags() { object.tags(&self.s3).await? } else { Default::default() };
        let record = described(object, tags, None, run.context().now()).record();
        let (rule, record) = self.rules.choose(key, record).ok_or_else(no_rule)?;
        rule.stage(&record).map(|staged| (rule, staged))
    }

    /// The document a shortcut shall point to, when its newest version has the content of the upload.
    pub(super) async fn same_original(&self, job: &Job<'_>) -> Result<(NodeId, i64, Digests)> {
        let Some(original) = job.staged.original.map(NodeId) else {
            return Err(Error::bug("find original", "a rule with an original has none"));
        };
        let refused = |code: &'static str, message: String, remedy: &str| {
            Err(Error::invalid(code, message).field("attachment.original").remedy(remedy))
        };
        let node = match self.content_server.get_node(original).await {
            Ok(node) => node,
            Err(error) if matches!(error.code(), NOT_ACCESSIBLE | NOT_FOUND) => {
                let message = format!("there is no document {original}, or the service user may not see it");
                return refused(
                    "attachment.original-missing",
                    message,
                    "file the document first, then upload again",
                );
            }
            Err(error) => return Err(error),
        };
        if node.kind != kind::DOCUMENT {
            let message = format!("node {original} is no document");
            return refused("attachment.original-missing", message, "name the number of a document");
        }
        let latest = self.content_server.latest_version(original).await?;
        let source = self.passage(job.run).object_digests(job.object, &Witness::new()).await?;
        let size = latest.file_size.unwrap_or(job.object.size);
        let held = self.passage(job.run).version_digests(original, latest.number, size).await?;
        if held.sha256 != source.sha256 {
            let message = format!("version {} of document {original} has another content", latest.number);
            return refused(
                "attachment.original-differs",
                message,
                "upload what is filed, or file what is uploaded",
            );
        }
        Ok((original, latest.number, source))
    }
}

fn no_rule() -> Error {
    Error::invalid("rule.none", "no staging rule takes this object")
        .field("key")
        .remedy("add a rule for its key, or upload it where a rule expects it")
}
