//! What becomes of the object once its document is in place and verified: kept, tagged, moved or deleted.

use shared::{
    aws::classify,
    error::{FailureClass, Result, System},
    filing::Placed,
    flow::{Delivery, Outcome, Policy, Run},
    s3_notification::ObjectEvent,
    transfer::{self, CopySizes, CopyTarget, S3Object},
};

use super::{IngestUploads, deliver::Job};
use crate::{
    intake_rules::After,
    uploads::{self, tags},
};

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
                self.move_source(job.event, &job.collected.object, prefix, job.run).await
            }
            After::Delete => {
                self.remember(job.run, delivery, &job.plan.after).await?;
                self.remove_source(job.event, job.run).await
            }
        }
    }

    /// An earlier attempt delivered the item and may have moved or deleted its source: only that is left to do.
    pub(super) async fn finished_before(&self, event: &ObjectEvent, run: &Run) -> Result<Option<Outcome>> {
        let Some((delivery, after)) = run.recorded::<(Delivery, After)>(DELIVERED) else { return Ok(None) };
        match uploads::head(&self.s3, event).await {
            Ok(object) => match &after {
                After::Move(prefix) => self.move_source(event, &object, prefix, run).await?,
                After::Delete => self.remove_source(event, run).await?,
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
        let (node, sha256) = (placed.node.to_string(), delivery.digest.as_deref().unwrap_or_default());
        let said = [("waybill-node", node.as_str()), ("waybill-sha256", sha256)];
        let add = || tags::add(&self.s3, &job.collected.object, &said);
        let add = job.run.effect("tag-source", Policy::RepeatSafe, || async { Ok(None) }, add);
        if !add.await? {
            job.run.note("source-not-tagged", "the object has no room for two more tags");
        }
        Ok(())
    }

    async fn move_source(
        &self,
        event: &ObjectEvent,
        object: &S3Object,
        prefix: &str,
        run: &Run,
    ) -> Result<()> {
        let key = format!("{prefix}{}", event.key);
        if key.len() > shared::s3_notification::ObjectKey::LONGEST {
            run.note("source-not-moved", "its key would be too long below the prefix it should move to");
            return Ok(());
        }
        let to = CopyTarget::new(&event.bucket, key);
        let copy = || async { transfer::copy(&self.s3, object, &to, CopySizes::default()).await.map(drop) };
        run.effect("copy-source", Policy::RepeatSafe, || async { Ok(None) }, copy).await?;
        self.remove_source(event, run).await
    }

    async fn remove_source(&self, event: &ObjectEvent, run: &Run) -> Result<()> {
        let remove = || self.remove_unless_replaced(event);
        run.effect("remove-source", Policy::RepeatSafe, || async { Ok(None) }, remove).await
    }

    /// Removes the object unless it was replaced meanwhile, up to the very moment of the call. In a versioned bucket
    /// this leaves a delete marker.
    async fn remove_unless_replaced(&self, event: &ObjectEvent) -> Result<()> {
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
