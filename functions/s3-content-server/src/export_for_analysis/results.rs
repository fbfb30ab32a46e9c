//! What was found out comes back: read strictly, checked against the document it is about, and applied once.

use http_body_util::BodyExt;
use shared::{
    content_server::{NOT_ACCESSIBLE, NOT_FOUND, Node, NodeId},
    error::{Error, FailureClass, Result, Retry, System},
    flow::{Flow, Outcome, Run},
    ledger::Lock,
    s3_notification::ObjectEvent,
    transfer::S3Object,
};

use super::{ExportForAnalysis, again, remembered::Kept, request::Place, skipped};
use crate::export_rules::DataSet;

/// How long a version whose answer was lost may take to appear, before it is added again.
const SETTLING: std::time::Duration = std::time::Duration::from_secs(90);

/// A result, and the document it is about as it is now.
pub(super) struct Returned<'a> {
    pub(super) data_set: &'a DataSet,
    pub(super) object: S3Object,
    pub(super) node: Node,
    pub(super) version: i64,
    /// The content it was made from.
    pub(super) kept: Kept,
    pub(super) file_name: &'a str,
}

impl ExportForAnalysis {
    pub(super) async fn take_result(&self, event: &ObjectEvent, run: &Run) -> Result<Outcome> {
        let place = Place::of(event.key.as_str()).ok_or_else(|| {
            Error::invalid("result.bad-key", "the key of a result does not say what it is about")
                .field("key")
                .remedy("put results under results/<data set>/<node>/<version>/<file name>")
        })?;
        run.note("node", place.node.to_string());
        run.note("data-set", place.data_set);
        let data_set = self.rules.find(place.data_set).ok_or_else(|| {
            Error::invalid("result.no-data-set", "the rules have no data set of the name in the result's key")
                .field("key")
                .remedy("correct the key, or add the data set to the rules")
        })?;
        let version = event.version_id.as_deref();
        let object =
            S3Object::head(&self.s3, &event.bucket, event.key.as_str(), version, event.etag.as_deref());
        let object = object.await?;
        // Of two results under one key the later one counts, whichever event comes first.
        let newest = S3Object::head(&self.s3, &event.bucket, event.key.as_str(), None, None).await?;
        if newest.version_id != object.version_id {
            return skipped("result.superseded", "a later result lies under the same key");
        }
        let (node, kept) = self.subject(data_set, &place).await?;
        let returned =
            Returned { data_set, object, node, version: place.version, kept, file_name: place.file_name };
        let lock = self.lock_result(place.node, run).await?;
        let outcome = Box::pin(self.apply(&returned, event, run)).await;
        let left = match &outcome {
            // A slow server may add the version yet. Nobody adds another one before it had the time to.
            Err(error) if error.class() == FailureClass::UnknownOutcome => {
                run.ledger().hold(&lock, SETTLING).await
            }
            _ => run.ledger().unlock(&lock).await,
        };
        if let Err(error) = left {
            tracing::warn!(error = ?error, "the lock stays until the claim ends");
        }
        outcome.map_err(|error| match error.class() {
            FailureClass::UnknownOutcome => error.retry(Retry::After(SETTLING)),
            _ => error,
        })
    }

    async fn apply(&self, returned: &Returned<'_>, event: &ObjectEvent, run: &Run) -> Result<Outcome> {
        let extension = returned.file_name.rsplit_once('.').map(|(_, extension)| extension.to_lowercase());
        match (extension.as_deref(), &returned.data_set.values, &returned.data_set.text) {
            (Some("json"), Some(values), _) => self.take_values(returned, values, run).await,
            (Some("txt"), _, Some(text)) => self.take_text(returned, text, event, run).await,
            _ => Err(Error::invalid("result.not-wanted", "the data set takes no result of this kind")
                .field("key")
                .remedy("send `*.json` or `*.txt`, and describe it under `results` of the data set")),
        }
    }

    /// The document a result is about: one the data set has, in that version, which is still the newest.
    async fn subject(&self, data_set: &DataSet, place: &Place<'_>) -> Result<(Node, Kept)> {
        let facts = self.recall(data_set, place.node).await?.unwrap_or_default();
        let kept = facts.versions.get(&place.version).cloned().ok_or_else(|| {
            let message = format!("version {} of node {} is not in the data set", place.version, place.node);
            Error::invalid("result.not-exported", message).field("key").remedy(
                "send results only for document versions that a manifest names and no later one withdraws",
            )
        })?;
        let unknown = || {
            let message = format!("node {} is not there, or the service user may not see it", place.node);
            Error::invalid("result.unknown-node", message)
                .field("key")
                .remedy("nothing needs to be done when the document was removed on purpose")
        };
        let node = match self.content_server.get_node(NodeId(place.node)).await {
            Ok(node) => node,
            Err(error) if matches!(error.code(), NOT_ACCESSIBLE | NOT_FOUND) => return Err(unknown()),
            Err(error) => return Err(error),
        };
        let latest = match self.content_server.latest_version(node.id).await {
            Ok(latest) => latest,
            Err(error) if matches!(error.code(), NOT_ACCESSIBLE | NOT_FOUND) => return Err(unknown()),
            Err(error) => return Err(error),
        };
        let created = latest.created.map(|created| created.to_string());
        if latest.number != place.version || created != kept.created {
            let message = format!(
                "the result is about version {}, and the newest of node {} is {}",
                place.version, place.node, latest.number
            );
            return Err(Error::invalid("result.version-changed", message)
                .field("key")
                .remedy("analyse the newer version; the next run exports it"));
        }
        Ok((node, kept))
    }

    async fn lock_result(&self, node: i64, run: &Run) -> Result<Lock> {
        let lock = run.ledger().lock(Self::NAME, &format!("result-{node}"), run.lease_until()).await?;
        let pause = std::time::Duration::from_secs(5);
        lock.ok_or_else(|| again("result.busy", "another result of this document is being applied", pause))
    }

    /// Reads a small result whole.
    pub(super) async fn read_result(&self, object: &S3Object, most: u64) -> Result<bytes::Bytes> {
        if object.size > most {
            let message = format!("the result has {} bytes, and at most {most} are taken", object.size);
            return Err(Error::invalid("result.too-large", message).remedy("send a smaller result"));
        }
        let body = object.open(&self.s3, None).await?.collect().await.map_err(|error| {
            let message = "the result broke off while it was read";
            Error::new(FailureClass::Transient, System::S3, "read result", "source.cut", message)
                .source(error)
        })?;
        Ok(body.to_bytes())
    }
}
