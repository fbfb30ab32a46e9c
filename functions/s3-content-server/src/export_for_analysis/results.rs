//! What was found out comes back: read strictly, checked against the document it is about, and applied once.

use http_body_util::BodyExt;
use shared::{
    content_server::{NOT_ACCESSIBLE, NOT_FOUND, Node, NodeId},
    error::{Error, FailureClass, Result, System},
    flow::{Flow, Outcome, Run},
    ledger::Lock,
    s3_notification::ObjectEvent,
    transfer::S3Object,
};

use super::{
    ExportForAnalysis, again,
    remembered::Kept,
    request::{Place, lines_of},
    skipped,
};
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

/// The ending of a result that a later one under the same key has taken the place of.
pub(super) fn superseded() -> Result<Outcome> {
    skipped("result.superseded", "a later result lies under the same key")
}

impl ExportForAnalysis {
    pub(super) async fn take_result(&self, event: &ObjectEvent, run: &Run) -> Result<Outcome> {
        if let Some((name, _)) = lines_of(event.key.as_str()) {
            return Box::pin(self.take_lines(event, name, run)).await;
        }
        let place = Place::of(event.key.as_str()).ok_or_else(|| {
            Error::invalid("result.bad-key", "the key of a result does not say what it is about")
                .field("key")
                .remedy(
                    "put results under results/<data set>/<node>/<version>/<file name>, or values of many documents \
                     under results/<data set>/<file name>.jsonl",
                )
        })?;
        run.note("node", place.node.to_string());
        run.note("data-set", place.data_set);
        let data_set = self.data_set_of(place.data_set)?;
        let Some(object) = self.returned_object(event).await? else { return superseded() };
        let (node, kept) = self.subject(data_set, place.node, place.version).await?;
        let returned =
            Returned { data_set, object, node, version: place.version, kept, file_name: place.file_name };
        self.alone_with(place.node, run, Box::pin(self.apply(&returned, event, run))).await
    }

    /// The data set that a result is for.
    pub(super) fn data_set_of(&self, name: &str) -> Result<&DataSet> {
        self.rules.find(name).ok_or_else(|| {
            Error::invalid("result.no-data-set", "the rules have no data set of the name in the result's key")
                .field("key")
                .remedy("correct the key, or add the data set to the rules")
        })
    }

    /// The object that came back. Of two under one key the later one counts, whichever event comes first: nothing when
    /// this is the earlier.
    pub(super) async fn returned_object(&self, event: &ObjectEvent) -> Result<Option<S3Object>> {
        let (key, version) = (event.key.as_str(), event.version_id.as_deref());
        let object = S3Object::head(&self.s3, &event.bucket, key, version, event.etag.as_deref()).await?;
        let newest = S3Object::head(&self.s3, &event.bucket, key, None, None).await?;
        Ok((newest.version_id == object.version_id).then_some(object))
    }

    /// Applies something to a document while nobody else applies anything to it.
    pub(super) async fn alone_with<T>(
        &self,
        node: i64,
        run: &Run,
        work: impl Future<Output = Result<T>>,
    ) -> Result<T> {
        let lock = self.lock_result(node, run).await?;
        let outcome = work.await;
        // A slow server may add the version yet. Nobody adds another one before it had the time to.
        run.leave_after(&lock, outcome, SETTLING).await
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
    pub(super) async fn subject(&self, data_set: &DataSet, id: i64, version: i64) -> Result<(Node, Kept)> {
        let facts = self.recall(data_set, id).await?.unwrap_or_default();
        let kept = facts.versions.get(&version).cloned().ok_or_else(|| {
            let message = format!("version {version} of node {id} is not in the data set");
            Error::invalid("result.not-exported", message).field("key").remedy(
                "send results only for document versions that a manifest names and no later one withdraws",
            )
        })?;
        let unknown = || {
            let message = format!("node {id} is not there, or the service user may not see it");
            Error::invalid("result.unknown-node", message)
                .field("key")
                .remedy("nothing needs to be done when the document was removed on purpose")
        };
        let node = match self.content_server.get_node(NodeId(id)).await {
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
        if latest.number != version || created != kept.created {
            let message = format!(
                "the result is about version {version}, and the newest of node {id} is {}",
                latest.number
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
