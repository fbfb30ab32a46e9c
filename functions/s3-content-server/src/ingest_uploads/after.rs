//! What becomes of the object once its document is in place and verified: kept, tagged, moved or deleted.

use aws_sdk_s3::types::{Tag, Tagging};
use shared::{
    aws::classify,
    error::{Error, FailureClass, Result, System},
    flow::{Delivery, Outcome, Run},
    s3_notification::ObjectEvent,
    transfer::{self, CopySizes, CopyTarget, S3Object},
};

use super::{
    IngestUploads,
    deliver::{Job, Placed},
};
use crate::intake_rules::After;

/// Tags an object can have.
const MOST_TAGS: usize = 10;
/// The checkpoint that says: delivered and verified, only the source is left to care for.
const DELIVERED: &str = "delivered";

impl IngestUploads {
    pub(super) async fn care_for_source(
        &self,
        job: &Job<'_>,
        placed: Placed,
        delivery: &Delivery,
    ) -> Result<()> {
        match &job.plan.after {
            After::Keep => Ok(()),
            After::Tag => self.tag(job, placed, delivery).await,
            After::Move(prefix) => {
                self.remember(job.run, delivery, &job.plan.after).await?;
                self.move_source(job.event, &job.collected.object, prefix).await
            }
            After::Delete => {
                self.remember(job.run, delivery, &job.plan.after).await?;
                self.remove_source(job.event).await
            }
        }
    }

    /// An earlier attempt delivered the item and may have moved or deleted its source: only that is left to do.
    pub(super) async fn finished_before(&self, event: &ObjectEvent, run: &Run) -> Result<Option<Outcome>> {
        let Some((delivery, after)) = run.recorded::<(Delivery, After)>(DELIVERED) else { return Ok(None) };
        let version = event.version_id.as_deref();
        let expected = if version.is_none() { event.etag.as_deref() } else { None };
        match S3Object::head(&self.s3, &event.bucket, event.key.as_str(), version, expected).await {
            Ok(object) => match &after {
                After::Move(prefix) => self.move_source(event, &object, prefix).await?,
                After::Delete => self.remove_source(event).await?,
                After::Keep | After::Tag => {}
            },
            Err(error) if error.class() == FailureClass::Gone => {}
            Err(error) => return Err(error),
        }
        Ok(Some(Outcome::Delivered(delivery)))
    }

    async fn remember(&self, run: &Run, delivery: &Delivery, after: &After) -> Result<()> {
        run.checkpoint(DELIVERED, &(delivery, after)).await
    }

    async fn tag(&self, job: &Job<'_>, placed: Placed, delivery: &Delivery) -> Result<()> {
        let object = &job.collected.object;
        let mut tags = object.tags(&self.s3).await?;
        tags.insert("waybill-node".into(), placed.node.to_string());
        tags.insert("waybill-sha256".into(), delivery.digest.clone().unwrap_or_default());
        if tags.len() > MOST_TAGS {
            job.run.note("source-not-tagged", "the object has no room for two more tags");
            return Ok(());
        }
        put_tags(&self.s3, object, tags).await
    }

    async fn move_source(&self, event: &ObjectEvent, object: &S3Object, prefix: &str) -> Result<()> {
        let key = format!("{prefix}{}", event.key);
        if key.len() > shared::s3_notification::ObjectKey::LONGEST {
            tracing::warn!("the source stays: its key is too long for the prefix it should move to");
            return Ok(());
        }
        transfer::copy(&self.s3, object, &CopyTarget::new(&event.bucket, key), CopySizes::default()).await?;
        self.remove_source(event).await
    }

    /// Removes the object unless it was replaced meanwhile, up to the very moment of the call. In a versioned bucket
    /// this leaves a delete marker.
    async fn remove_source(&self, event: &ObjectEvent) -> Result<()> {
        let current = S3Object::head(&self.s3, &event.bucket, event.key.as_str(), None, None).await;
        let current = match current {
            Ok(current) => current,
            Err(error) if error.class() == FailureClass::Gone => return Ok(()),
            Err(error) => return Err(error),
        };
        let replaced = match &event.version_id {
            Some(version) => current.version_id.as_ref() != Some(version),
            None => event.etag.as_ref().is_some_and(|etag| *etag != current.etag),
        };
        if replaced {
            return Ok(());
        }
        let deleted = self
            .s3
            .delete_object()
            .bucket(&event.bucket)
            .key(event.key.as_str())
            .if_match(format!("\"{}\"", current.etag))
            .send()
            .await;
        match deleted {
            Ok(_) => Ok(()),
            // Replaced or removed since that look.
            Err(error)
                if error
                    .raw_response()
                    .is_some_and(|response| matches!(response.status().as_u16(), 404 | 412)) =>
            {
                Ok(())
            }
            Err(error) => Err(classify(System::S3, "delete source", error)),
        }
    }
}

/// Replaces an object version's tags.
pub(crate) async fn put_tags(
    s3: &aws_sdk_s3::Client,
    object: &S3Object,
    tags: std::collections::BTreeMap<String, String>,
) -> Result<()> {
    let broken = |error| Error::bug("tag source", "a tag is incomplete").source(error);
    let tags = tags
        .into_iter()
        .map(|(key, value)| Tag::builder().key(key).value(value).build().map_err(broken))
        .collect::<Result<Vec<_>>>()?;
    let tagging = Tagging::builder().set_tag_set(Some(tags)).build().map_err(broken)?;
    s3.put_object_tagging()
        .bucket(&object.bucket)
        .key(&object.key)
        .set_version_id(object.version_id.clone())
        .tagging(tagging)
        .send()
        .await
        .map(drop)
        .map_err(|error| classify(System::S3, "tag source", error))
}
