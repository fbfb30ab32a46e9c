//! The end of a run: the manifest from its parts, the marker, the event, the watermark, in this order. And what has to
//! be taken out of a run's folder again.

use std::collections::BTreeSet;

use aws_sdk_s3::types::{Delete, ObjectIdentifier};
use bytes::BytesMut;
use serde_json::json;
use shared::{
    aws::classify,
    bus::BusEvent,
    error::{Error, FailureClass, Result, System},
    flow::{Delivery, Flow, Outcome, Policy, Run},
    http::full,
    transfer::{Progress, RangedSource, UploadSizes, UploadTarget, upload},
};

use super::{
    ExportForAnalysis, ExportRequest,
    documents::{Done, Work},
    gate::{Look, why},
    manifest::{Counts, ManifestObject, Marker, SCHEMA},
    plan::{Plan, WorkObject, read_back},
    select::Selection,
    skipped,
};
use crate::{export_rules::DataSet, version_copy::description_key};

/// The `detail-type` of the event.
const COMPLETED: &str = "waybill.data-set-completed.v1";
const SOURCE: &str = "waybill.export-for-analysis";

const LEFT: &str = "remove left objects";

const MANIFEST: &str = "manifest";
const TOLD: &str = "told";

impl ExportForAnalysis {
    pub(super) async fn publish(
        &self,
        data_set: &DataSet,
        plan: &Plan,
        selection: &Selection,
        done: Done,
        run: &Run,
    ) -> Result<Outcome> {
        let Some(manifest) = Box::pin(self.manifest(data_set, plan, &done, run)).await? else {
            return Ok(Outcome::Continue);
        };
        let marker = Marker {
            schema: SCHEMA.to_owned(),
            data_set: data_set.name.clone(),
            run: plan.run.clone(),
            mode: plan.mode,
            begun: plan.begun.to_string(),
            since: plan.since.map(|since| since.to_string()),
            bucket: self.bucket().to_owned(),
            manifest,
            documents: done.counts,
            excluded: done.excluded,
            bytes: done.bytes,
        };
        let key = format!("{}_SUCCESS", plan.folder(data_set));
        self.mark(&key, &marker, run).await?;
        self.tell(&key, &marker, run).await?;
        // A document that failed is to be found by the next run.
        if let Some(mark) = selection.watermark.filter(|_| !done.incomplete) {
            let text = mark.strftime("%Y-%m-%dT%H:%M:%SZ").to_string();
            self.environment.ledger.advance_watermark(Self::NAME, &data_set.name, &text).await?;
        }
        let Counts { exported, referenced, withdrawn } = marker.documents;
        Ok(Outcome::Delivered(Delivery {
            digest: Some(marker.manifest.sha256.clone()),
            bytes: marker.bytes,
            detail: [
                ("run", plan.run.clone()),
                ("marker", format!("s3://{}/{key}", self.bucket())),
                ("exported", exported.to_string()),
                ("referenced", referenced.to_string()),
                ("withdrawn", withdrawn.to_string()),
                ("excluded", marker.excluded.values().sum::<u64>().to_string()),
            ]
            .map(|(name, fact)| (name.to_owned(), fact))
            .into(),
            result: json!({ "key": key, "marker": marker }),
        }))
    }

    /// Makes one object of the parts, of whatever length, without holding more than one part.
    async fn manifest(
        &self,
        data_set: &DataSet,
        plan: &Plan,
        done: &Done,
        run: &Run,
    ) -> Result<Option<ManifestObject>> {
        if let Some(manifest) = run.recorded(MANIFEST) {
            return Ok(Some(manifest));
        }
        let size = done.parts.iter().map(|part| part.size).sum();
        let mark: String = done.parts.iter().map(|part| part.sha256.as_str()).collect();
        let (s3, bucket, parts) = (self.s3.clone(), self.bucket().to_owned(), done.parts.clone());
        let source = RangedSource::new(&mark, size, move |offset, length| {
            let (s3, bucket, parts) = (s3.clone(), bucket.clone(), parts.clone());
            async move { Ok(full(range_of(&s3, &bucket, &parts, (offset, length)).await?)) }
        });
        let target = UploadTarget {
            content_type: Some("application/x-ndjson".to_owned()),
            ..UploadTarget::new(self.bucket(), format!("{}manifest.jsonl", plan.folder(data_set)))
        };
        let sizes = UploadSizes::default();
        let uploaded = upload(&self.s3, &source, &target, sizes, run, "manifest-upload").await?;
        let Progress::Done(uploaded) = uploaded else { return Ok(None) };
        let manifest = ManifestObject {
            key: target.key,
            sha256: uploaded.digests.sha256,
            size: uploaded.digests.bytes,
            lines: done.lines,
        };
        run.checkpoint(MANIFEST, &manifest).await?;
        Ok(Some(manifest))
    }

    /// Says that everything is there. Whoever writes it writes the same bytes.
    async fn mark(&self, key: &str, marker: &Marker, run: &Run) -> Result<()> {
        let text = serde_json::to_vec_pretty(marker)
            .map_err(|error| Error::bug("write marker", "a marker is not JSON").source(error))?;
        run.effect(
            "mark",
            Policy::RepeatSafe,
            || async { Ok(None) },
            || async {
                let put =
                    self.s3.put_object().bucket(self.bucket()).key(key).content_type("application/json");
                put.body(text.clone().into())
                    .send()
                    .await
                    .map(drop)
                    .map_err(|error| classify(System::S3, "write marker", error))
            },
        )
        .await
    }

    /// Tells the bus. An answer that is lost makes a second event of the same run, which names itself.
    async fn tell(&self, key: &str, marker: &Marker, run: &Run) -> Result<()> {
        if run.recorded::<bool>(TOLD) == Some(true) {
            return Ok(());
        }
        let detail = json!({
            "dataSet": marker.data_set, "run": marker.run, "mode": marker.mode, "bucket": marker.bucket,
            "marker": key, "manifest": marker.manifest, "documents": marker.documents, "bytes": marker.bytes,
        });
        let event = BusEvent { source: SOURCE, kind: COMPLETED, time: run.context().now(), detail: &detail };
        let act = || self.environment.put_event(&event);
        run.effect("tell", Policy::RepeatSafe, || async { Ok(None) }, act).await?;
        run.checkpoint(TOLD, &true).await
    }

    /// Takes out of this run's folder what is there of a document, but for the contents that belong there: every
    /// version of every object, for good.
    pub(super) async fn sweep(&self, work: &Work<'_>, node: i64, own: &BTreeSet<&str>) -> Result<()> {
        let folder = work.plan.content_folder(work.data_set);
        let descriptions: BTreeSet<String> = own
            .iter()
            .filter_map(|key| key.strip_prefix(&folder)?.split('/').nth(1)?.parse().ok())
            .map(|version| description_key(&folder, node, version))
            .collect();
        let is_own = |key: &str| own.contains(key) || descriptions.contains(key);
        let mut next: (Option<String>, Option<String>) = (None, None);
        loop {
            let listed = self
                .s3
                .list_object_versions()
                .bucket(self.bucket())
                .prefix(format!("{folder}{node}/"))
                .set_key_marker(next.0)
                .set_version_id_marker(next.1)
                .send()
                .await
                .map_err(|error| classify(System::S3, LEFT, error))?;
            let objects =
                listed.versions.unwrap_or_default().into_iter().map(|one| (one.key, one.version_id));
            let markers = listed.delete_markers.unwrap_or_default().into_iter();
            let stray = objects
                .chain(markers.map(|one| (one.key, one.version_id)))
                .filter_map(|(key, version)| Some((key.filter(|key| !is_own(key))?, version)))
                .collect();
            self.remove(stray, work.run).await?;
            if listed.is_truncated != Some(true) {
                return Ok(());
            }
            next = (listed.next_key_marker, listed.next_version_id_marker);
        }
    }

    /// Removes versions of objects for good.
    async fn remove(&self, stray: Vec<(String, Option<String>)>, run: &Run) -> Result<()> {
        let stray: Vec<ObjectIdentifier> = stray
            .into_iter()
            .filter_map(|(key, version)| {
                ObjectIdentifier::builder().key(key).set_version_id(version).build().ok()
            })
            .collect();
        if stray.is_empty() {
            return Ok(());
        }
        let delete = Delete::builder().set_objects(Some(stray)).quiet(true).build();
        let delete = delete.map_err(|error| Error::bug(LEFT, "an incomplete request").source(error))?;
        run.effect(
            "take-away",
            Policy::RepeatSafe,
            || async { Ok(None) },
            || async {
                let request = self.s3.delete_objects().bucket(self.bucket()).delete(delete.clone());
                let output = request.send().await;
                let output = output.map_err(|error| classify(System::S3, LEFT, error))?;
                match output.errors().first() {
                    None => Ok(()),
                    Some(left) => Err(Error::new(
                        FailureClass::Transient,
                        System::S3,
                        LEFT,
                        "export.not-removed",
                        format!(
                            "an object that must not be in the data set stayed ({})",
                            left.code().unwrap_or("no code")
                        ),
                    )
                    .remedy("let this function delete object versions under the data sets")),
                }
            },
        )
        .await
    }

    /// What a run would do with its first documents. Nothing is written.
    pub(super) async fn rehearse(
        &self,
        data_set: &DataSet,
        request: &ExportRequest,
        run: &Run,
    ) -> Result<Outcome> {
        let plan = self.new_plan(data_set, request, run).await?;
        let bounds = self.bounds(data_set).await?;
        let nodes = self.glance(data_set, &plan, &bounds).await?;
        let mut permitted = 0;
        for node in &nodes {
            if run.must_stop() {
                break;
            }
            let look = self.look(data_set, &bounds, shared::content_server::NodeId(*node)).await?;
            match look {
                Look::In(seen) if data_set.takes_type(seen.node.mime_type.as_deref()) => permitted += 1,
                Look::In(_) => tracing::info!(node, code = why::MEDIA_TYPE, "would not be exported"),
                Look::Out(why) => tracing::info!(node, code = why, "would not be exported"),
            }
        }
        let mode = plan.mode;
        skipped(
            "dry-run",
            &format!(
                "{mode:?} run: of the first {} documents found, {permitted} would be exported",
                nodes.len()
            ),
        )
    }
}

/// A range of parts that lie one behind the other. It is asked for in the pieces of an upload and held for one of them.
async fn range_of(
    s3: &aws_sdk_s3::Client,
    bucket: &str,
    parts: &[WorkObject],
    (offset, length): (u64, u64),
) -> Result<BytesMut> {
    let end = offset + length;
    let mut from = 0;
    let mut bytes = BytesMut::new();
    for part in parts {
        let (begin, behind) = (from, from + part.size);
        from = behind;
        if behind > offset && begin < end {
            let part = read_back(s3, bucket, part).await?;
            let at = |place: u64| usize::try_from(place).unwrap_or(usize::MAX).min(part.len());
            let piece = part.get(at(offset.saturating_sub(begin))..at(end - begin));
            bytes.extend_from_slice(piece.unwrap_or_default());
        }
    }
    Ok(bytes)
}
