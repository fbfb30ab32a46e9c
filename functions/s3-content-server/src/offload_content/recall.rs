//! Brings content back from S3 as a new version.

use aws_sdk_s3::types::{GlacierJobParameters, RestoreRequest, Tier};
use serde_json::json;
use shared::{
    aws::classify,
    content_server::{
        External as Mark, NewVersion, NodeId, OfficialRecords, RangedSource, Reduction, ReductionRefused,
        Upload, Version,
    },
    error::{Error, FailureClass, Result, System},
    flow::{Delivery, Outcome, Policy, Run},
    http::Body,
    transfer::{S3Object, Witness, hash_body},
};

use super::{
    OffloadContent, again,
    external_content::External,
    later::{TOMORROW, after},
    pointer::is_pointer,
    skipped,
};

/// How long a restored copy can be read, in days.
const RESTORED_DAYS: i32 = 7;
/// Damaged arrivals of one item until it is put aside.
const MISMATCHES_ALLOWED: u32 = 3;

impl OffloadContent {
    pub(super) async fn recall(&self, node: NodeId, run: &Run) -> Result<Outcome> {
        if !run.is_dry() {
            self.note_recall(node, run).await?;
        }
        let Some(external) = self.external(node).await? else {
            return skipped("recall.not-offloaded", "the document has no external content category");
        };
        let versions = self.content_server.list_versions(node).await?;
        let Some(newest) = versions.last() else {
            return skipped("recall.not-offloaded", "the document has no versions");
        };
        let Some(of) = external.document_version else {
            return skipped("recall.not-offloaded", "the category does not say which version was offloaded");
        };
        let mark = format!("waybill:recall:{node}:{of}:{}", newest_pointer(&versions));
        // What an earlier attempt brought is verified before it counts.
        let begun =
            newest.external_identity.as_ref() == Some(&mark) && (external.recall || run.is_taken_over());
        if !is_pointer(newest) && !begun {
            self.answered(node).await?;
            if !run.is_dry() {
                self.recall_is_done(node, run).await?;
            }
            return skipped("recall.not-needed", "the newest version has its content");
        }
        if self.content_server.get_node(node).await?.reserved_by.is_some() {
            if !run.is_dry() {
                self.recall_again(node, after(run.context().now(), TOMORROW), run).await?;
            }
            return skipped("reduction.reserved", "somebody has checked the document out");
        }
        let object = self.copy_of(node, &external).await?;
        if !is_readable(&object) {
            if run.is_dry() {
                return skipped("dry-run", "the copy would be restored from its archive class");
            }
            self.restore(&object).await?;
            return self.await_restoration(node, &mark, run).await;
        }
        if run.is_dry() {
            return skipped("dry-run", "the content would be brought back");
        }
        let number = self.bring_back(node, &external, &object, &mark, run).await?;
        if versions.iter().any(|version| version.number == of && !is_pointer(version)) {
            let pointers =
                versions.iter().filter(|version| is_pointer(version)).map(|version| version.number);
            self.finish_purge(node, (of, object.size), number, pointers.collect(), run).await?;
        }
        self.answered(node).await?;
        self.recall_is_done(node, run).await?;
        Ok(Outcome::Delivered(Delivery {
            result: json!({"node": node, "version": number, "recalledFrom": external.location}),
            digest: Some(external.sha256.clone()),
            bytes: object.size,
            detail: [("recalled", external.location.clone()), ("version", number.to_string())]
                .map(|(name, fact)| (name.to_owned(), fact))
                .into(),
        }))
    }

    /// The copy the category speaks of.
    async fn copy_of(&self, node: NodeId, external: &External) -> Result<S3Object> {
        let Some((bucket, key)) = external.bucket_and_key() else {
            return Err(lost(node, "the category does not say where the content is"));
        };
        let head = S3Object::head(&self.s3, bucket, key, external.object_version.as_deref(), None).await;
        match head {
            Err(error) if error.class() == FailureClass::Gone => {
                Err(lost(node, "the copy the category speaks of is not in S3").source(error))
            }
            outcome => outcome,
        }
    }

    /// Asks S3 to make an archived copy readable. S3 says when it is, and that is when the recall goes on.
    async fn restore(&self, object: &S3Object) -> Result<()> {
        if object.restoration.is_none() {
            let tier = GlacierJobParameters::builder().tier(Tier::Standard).build();
            let tier = tier.map_err(|error| Error::bug("restore", "no tier").source(error))?;
            let request = RestoreRequest::builder().days(RESTORED_DAYS).glacier_job_parameters(tier).build();
            let answer = self
                .s3
                .restore_object()
                .bucket(&object.bucket)
                .key(&object.key)
                .set_version_id(object.version_id.clone())
                .restore_request(request)
                .send()
                .await;
            if let Err(error) = answer {
                let going_on = error
                    .as_service_error()
                    .and_then(aws_sdk_s3::error::ProvideErrorMetadata::code)
                    .is_some_and(|code| code == "RestoreAlreadyInProgress");
                if !going_on {
                    return Err(classify(System::S3, "restore", error)
                        .remedy("let this function restore objects under the prefix (s3:RestoreObject)"));
                }
            }
        }
        Ok(())
    }

    /// Adds the content as a version, unless an earlier attempt did, and makes sure of its bytes. Gives its number.
    async fn bring_back(
        &self,
        node: NodeId,
        external: &External,
        object: &S3Object,
        mark: &str,
        run: &Run,
    ) -> Result<i64> {
        let witness = Witness::new();
        let new = NewVersion {
            description: format!("content recalled: {mark}"),
            major: false,
            external: Mark {
                source: Some("cloud_storage".into()),
                identity: Some(mark.to_owned()),
                identity_type: Some("waybill".into()),
                modified: object.last_modified,
                ..Mark::default()
            },
        };
        let upload = self.upload(object, &witness);
        // Looked for on every attempt: an earlier item may have begun this very recall.
        let there = self.recalled(node, mark).await?;
        let number: i64 = match there {
            Some(number) => number,
            None => {
                run.effect(
                    "recall-version",
                    Policy::CheckThenRepeat,
                    || async { self.recalled(node, mark).await },
                    || async { Ok(self.content_server.add_version(node, &new, &upload).await?.number) },
                )
                .await?
            }
        };
        let download = self.content_server.download(node, Some(number)).await?;
        let held = hash_body(download.body, download.length).await?;
        if held.sha256 != external.sha256 {
            self.content_server.delete_version(node, number).await?;
            return Err(self.mismatch(run).await?);
        }
        Ok(number)
    }

    /// An offload that was stopped while it purged may have left the version that now came back. The one that came back
    /// stands for it: both have the SHA-256 of the category. Where older versions are still there too, nobody vouches for
    /// their copies here, and all of them stay until the document is offloaded again.
    async fn finish_purge(
        &self,
        node: NodeId,
        (of, size): (i64, u64),
        newest: i64,
        pointers: Vec<i64>,
        run: &Run,
    ) -> Result<()> {
        let reduction = Reduction {
            node,
            newest,
            verified: [(of, size)].into(),
            pointers,
            official_records: OfficialRecords::Keep,
        };
        let kept: Option<ReductionRefused> = run
            .effect(
                "finish-purge",
                Policy::RepeatSafe,
                || async { Ok(None) },
                || async {
                    Ok(match self.content_server.may_reduce(&reduction, of).await? {
                        Ok(permit) => self.content_server.reduce(permit).await?.err(),
                        Err(why) => Some(why),
                    })
                },
            )
            .await?;
        if let Some(why) = kept.filter(|why| *why != ReductionRefused::Gone) {
            run.note("kept", why.code());
        }
        Ok(())
    }

    /// The version an earlier attempt brought back.
    async fn recalled(&self, node: NodeId, mark: &str) -> Result<Option<i64>> {
        let versions = self.content_server.list_versions(node).await?;
        let ours = versions.iter().find(|version| version.external_identity.as_deref() == Some(mark));
        Ok(ours.map(|version| version.number))
    }

    fn upload(&self, object: &S3Object, witness: &Witness) -> Upload {
        let (s3, source) = (self.s3.clone(), object.clone());
        let ranges = RangedSource::new(object.size, move |offset, length| {
            let (s3, source) = (s3.clone(), source.clone());
            async move { source.open(&s3, Some(offset..offset + length)).await as Result<Body> }
        });
        Upload {
            content: object.replayable(&self.s3, witness),
            ranges: Some(ranges),
            file_name: object.key.rsplit('/').next().unwrap_or_default().to_owned(),
            content_type: object
                .content_type
                .clone()
                .unwrap_or_else(|| "application/octet-stream".to_owned()),
        }
    }

    async fn mismatch(&self, run: &Run) -> Result<Error> {
        let times = run.recorded::<u32>("mismatches").unwrap_or(0) + 1;
        run.checkpoint("mismatches", &times).await?;
        let error = again(
            "recall.mismatch",
            "what arrived has another SHA-256 than what was offloaded; it was taken away",
        );
        let error = error.remedy(
            "compare the copy in S3 with the SHA-256 in the category; look for a proxy that changes bodies",
        );
        Ok(if times >= MISMATCHES_ALLOWED { error.with_class(FailureClass::Invalid) } else { error })
    }
}

/// The pointer a recall answers: the same request again finds what it brought.
fn newest_pointer(versions: &[Version]) -> i64 {
    versions.iter().filter(|version| is_pointer(version)).map(|version| version.number).max().unwrap_or(0)
}

/// Whether an object can be read now: archived ones must have been restored.
fn is_readable(object: &S3Object) -> bool {
    let archived = matches!(object.storage_class.as_deref(), Some("GLACIER" | "DEEP_ARCHIVE"));
    let restored =
        object.restoration.as_deref().is_some_and(|state| state.contains("ongoing-request=\"false\""));
    !archived || restored
}

fn lost(node: NodeId, message: &'static str) -> Error {
    Error::new(
        FailureClass::Invalid,
        System::Waybill,
        "recall",
        "recall.copy-missing",
        format!("node {node}: {message}"),
    )
    .remedy("look for the copy under <prefix><node>/ in the bucket, and correct the category")
}
