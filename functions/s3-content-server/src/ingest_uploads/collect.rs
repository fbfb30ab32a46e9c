//! Everything that is known about an upload, read once.

use std::collections::BTreeMap;

use shared::{
    aws::classify,
    error::{Error, FailureClass, Result, Retry, System},
    flow::Run,
    mapping::{Record, Violations},
    s3_notification::ObjectEvent,
    transfer::S3Object,
};

use super::{
    IngestUploads, SIDECAR_PATIENCE,
    deliver::{FILED, Filed},
};
use crate::{
    intake_rules::{IntakePlan, Sidecar, check_sidecar_length, content, parse_sidecar, sidecar_key},
    uploads,
};

/// An upload with everything the rules may ask for.
pub(super) struct Collected {
    /// The object, pinned to the version the event was about.
    pub(super) object: S3Object,
    /// What the rules read.
    pub(super) record: Record,
}

impl IngestUploads {
    pub(super) async fn collect(&self, event: &ObjectEvent, run: &Run) -> Result<Collected> {
        let (bucket, key) = (event.bucket.as_str(), event.key.as_str());
        let needs = self.rules.needs(bucket, key);
        if !needs.any {
            return Err(no_rule());
        }
        let object = if !run.is_dry() && run.recorded::<Filed>(FILED).is_none() {
            uploads::head_to_read(&self.s3, event, &self.content_server).await?
        } else {
            uploads::head(&self.s3, event).await?
        };
        let tags = if needs.tags { object.tags(&self.s3).await? } else { BTreeMap::new() };
        let sidecar = match needs.sidecar {
            Sidecar::Ignored => None,
            wanted => self.sidecar(event, wanted, &object, run).await?,
        };
        let upload = uploads::described(&object, tags, sidecar, run.context().now());
        Ok(Collected { record: upload.record(), object })
    }

    /// The plan of the first rule that takes the upload.
    pub(super) fn plan(&self, collected: &Collected, run: &Run) -> Result<IntakePlan> {
        let (rule, _) = self.rules.choose(&collected.record).ok_or_else(no_rule)?;
        run.note("rule", rule.name());
        rule.plan(&collected.record).map_err(|violations| refused(&violations))
    }

    /// Looks at the first bytes: what the name promises must be what is there. Archives are never opened.
    pub(super) async fn check_content(&self, collected: &Collected, plan: &IntakePlan) -> Result<()> {
        let object = &collected.object;
        if object.size == 0 {
            return Ok(());
        }
        let head = object.peek(&self.s3, content::HEAD_LENGTH as u64).await?;
        let name = object.key.rsplit('/').next().unwrap_or_default();
        let violations = content::check(&plan.limits, name, object.content_type.as_deref(), &head);
        if violations.is_empty() { Ok(()) } else { Err(refused(&violations)) }
    }

    async fn sidecar(
        &self,
        event: &ObjectEvent,
        wanted: Sidecar,
        object: &S3Object,
        run: &Run,
    ) -> Result<Option<serde_json::Value>> {
        match self.read_sidecar(event).await? {
            None if wanted == Sidecar::Required => wait_for_sidecar(object, run).map(|()| None),
            found => Ok(found),
        }
    }

    /// The sidecar of an upload; nothing when there is none.
    pub(super) async fn read_sidecar(&self, event: &ObjectEvent) -> Result<Option<serde_json::Value>> {
        let key = sidecar_key(event.key.as_str());
        if key.len() > s3_key_limit() {
            return Ok(None);
        }
        let output = self.s3.get_object().bucket(&event.bucket).key(&key).send().await;
        let output = match output {
            Ok(output) => output,
            Err(error) => {
                let error = classify(System::S3, "read sidecar", error);
                return if error.class() == FailureClass::Gone { Ok(None) } else { Err(error) };
            }
        };
        let length = u64::try_from(output.content_length().unwrap_or(0)).unwrap_or(0);
        check_sidecar_length(length)?;
        let bytes = output.body.collect().await.map_err(|error| {
            Error::new(
                FailureClass::Transient,
                System::S3,
                "read sidecar",
                "answer.cut",
                "the sidecar broke off",
            )
            .source(error)
        })?;
        parse_sidecar(&bytes.into_bytes()).map(Some)
    }
}

/// A sidecar may arrive after its object; for a while its absence means "not yet".
fn wait_for_sidecar(object: &S3Object, run: &Run) -> Result<()> {
    let age = object
        .last_modified
        .map_or(i64::MAX, |at| run.context().now().as_second().saturating_sub(at.as_second()));
    if age >= SIDECAR_PATIENCE {
        return Ok(());
    }
    let wait = u64::try_from(SIDECAR_PATIENCE - age).unwrap_or(0);
    Err(Error::new(
        FailureClass::Transient,
        System::Waybill,
        "read sidecar",
        "sidecar.not-yet",
        "the sidecar this rule requires is not there yet",
    )
    .retry(Retry::After(std::time::Duration::from_secs(wait.clamp(5, 30)))))
}

fn no_rule() -> Error {
    Error::invalid("rule.none", "no intake rule takes this object")
        .field("key")
        .remedy("add a rule for its key, or upload it where a rule expects it; the dry-run example shows why each rule passes")
}

/// All violations as one reason: the first gives the code and the field, the message tells every one.
fn refused(violations: &Violations) -> Error {
    let Some(first) = violations.iter().next() else {
        return Error::bug("plan", "a plan was refused without a violation");
    };
    let all: Vec<String> = violations.iter().map(ToString::to_string).collect();
    let error = Error::invalid(first.code, all.join("; "));
    error.field(first.field.clone()).remedy(first.remedy.clone())
}

fn s3_key_limit() -> usize {
    shared::s3_notification::ObjectKey::LONGEST
}
