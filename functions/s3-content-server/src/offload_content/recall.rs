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
        let is_ours = newest.external_identity.as_ref() == Some(&mark);
        // An offload that was stopped while it purged has left the version that came back.
        let is_repeated = versions.iter().any(|version| version.number == of && !is_pointer(version));
        // What an earlier attempt brought is verified before it counts.
        let to_verify = is_ours && (external.recall || run.is_taken_over());
        let begun = to_verify || is_ours && is_repeated;
        if !is_pointer(newest) && !begun {
            self.answered(node).await?;
            if !run.is_dry() {
                self.recall_is_done(node, run).await?;
            }
            return skipped("recall.not-needed", "the newest version has its content");
        }
        if let Some(why) = self.not_now(node, begun && !to_verify, run).await? {
            return skipped(why.code(), &why.to_string());
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
        let kept = match is_repeated {
            true => self.drop_repeated(node, (of, object.size), number, run).await?,
            false => None,
        };
        self.answered(node).await?;
        self.ask_again(node, kept.as_ref(), run).await?;
        Ok(Outcome::Delivered(Delivery {
            result: json!({"node": node, "version": number, "recalledFrom": external.location}),
            digest: Some(external.sha256.clone()),
            bytes: object.size,
            detail: [("recalled", external.location.clone()), ("version", number.to_string())]
                .map(|(name, fact)| (name.to_owned(), fact))
                .into(),
        }))
    }

    /// Why nothing is done today: somebody has checked the document out, or all that is left is to take away what must
    /// not be touched.
    async fn not_now(&self, node: NodeId, only_drops: bool, run: &Run) -> Result<Option<ReductionRefused>> {
        let why = if only_drops {
            self.content_server.untouchable(node, OfficialRecords::Keep).await?
        } else {
            let reserved_by = self.content_server.get_node(node).await?.reserved_by;
            reserved_by.map(|_| ReductionRefused::Reserved)
        };
        if why.is_some() && !run.is_dry() {
            self.ask_again(node, why.as_ref(), run).await?;
        }
        Ok(why)
    }

    /// A recall that something keeps from its end is asked after on the next day, when that may be over.
    async fn ask_again(&self, node: NodeId, kept: Option<&ReductionRefused>, run: &Run) -> Result<()> {
        use ReductionRefused::{Held, Locked, Reserved};
        match kept {
            Some(Held { .. } | Reserved | Locked(_)) => {
                self.recall_again(node, after(run.context().now(), TOMORROW), run).await
            }
            _ => self.recall_is_done(node, run).await,
        }
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

    /// Takes the version away that now stands in the newest one too: both have the SHA-256 of the category. Gives back
    /// why it is kept.
    async fn drop_repeated(
        &self,
        node: NodeId,
        (version, size): (i64, u64),
        newest: i64,
        run: &Run,
    ) -> Result<Option<ReductionRefused>> {
        let reduction = Reduction {
            node,
            newest,
            verified: [(version, size)].into(),
            pointers: Vec::new(),
            official_records: OfficialRecords::Keep,
        };
        let kept: Option<ReductionRefused> = run
            .effect(
                "drop-repeated",
                Policy::RepeatSafe,
                || async { Ok(None) },
                || async {
                    Ok(match self.content_server.may_drop_repeated(&reduction, version).await? {
                        Ok(permit) => self.content_server.reduce(permit).await?.err(),
                        Err(why) => Some(why),
                    })
                },
            )
            .await?;
        let kept = kept.filter(|why| *why != ReductionRefused::Gone);
        if let Some(why) = &kept {
            run.note("kept", why.code());
        }
        Ok(kept)
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
