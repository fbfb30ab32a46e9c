//! The document itself: found by its mark, made, or given a new version.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use shared::{
    content_server::{COLLISION, External, NewDocument, NewVersion, Node, NodeId, Upload},
    error::{Error, FailureClass, Result, Retry, System},
    flow::{Delivery, Flow, Outcome, Policy, Reason, Run},
    s3_notification::ObjectEvent,
    transfer::Witness,
};

use super::{IngestUploads, collect::Collected};
use crate::{
    intake_rules::{Existing, IntakePlan},
    uploads::{file_name, is_final, mark::Mark, media_type, order::SAME, passage::Placed},
};

/// How long a version whose answer was lost may take to appear, before it is added again.
const SETTLING: Duration = Duration::from_secs(90);
/// Names tried for a document that is kept beside one of the same name.
pub(super) const MOST_NAMESAKES: u32 = 500;

/// One upload on its way, with everything known about it.
pub(super) struct Job<'a> {
    pub(super) event: &'a ObjectEvent,
    pub(super) collected: &'a Collected,
    pub(super) plan: &'a IntakePlan,
    pub(super) run: &'a Run,
    pub(super) witness: Witness,
    pub(super) mark: Mark,
}

enum Placement {
    Done(Placed),
    LeaveAlone(Reason),
}

/// The checkpoint that says: the document is in place, verified and complete but for its rights. Written only where a
/// rule changes rights, as what takes over may not see the document any more.
pub(super) const FILED: &str = "filed";

/// A document in its place.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Filed {
    pub(super) placed: Placed,
    delivery: Delivery,
}

enum Filing {
    Done(Filed),
    LeaveAlone(Reason),
}

impl IngestUploads {
    pub(super) async fn deliver(
        &self,
        event: &ObjectEvent,
        collected: &Collected,
        plan: &IntakePlan,
        run: &Run,
    ) -> Result<Outcome> {
        let mark = Mark::of(&self.item(event), event.sequencer.as_ref());
        let job = Job { event, collected, plan, run, witness: Witness::new(), mark };
        let filed = match run.recorded::<Filed>(FILED) {
            Some(filed) => filed,
            None => match Box::pin(self.file(&job)).await? {
                Filing::Done(filed) => filed,
                Filing::LeaveAlone(reason) => return Ok(Outcome::Skipped(reason)),
            },
        };
        self.restrict(&job, &filed).await?;
        let Filed { placed, delivery } = filed;
        match self.care_for_source(&job, placed, &delivery).await {
            // The document is delivered; that its source could not be cared for is noted, not made its ending.
            Err(error) if is_final(&error) => {
                tracing::warn!(error = ?error, "the source stays as it is");
                run.note("source-left", error.code());
            }
            outcome => outcome?,
        }
        Ok(Outcome::Delivered(delivery))
    }

    /// Everything but the rights of the document, and its source.
    async fn file(&self, job: &Job<'_>) -> Result<Filing> {
        self.check_content(job.collected, job.plan).await?;
        let container = self.container(&job.plan.target).await?;
        let placed = match Box::pin(self.place(job, container)).await? {
            Placement::Done(placed) => placed,
            Placement::LeaveAlone(reason) => return Ok(Filing::LeaveAlone(reason)),
        };
        crate::parts::spent(job.run).await?;
        let digests = self.verify(job, placed).await?;
        self.finish(job, placed).await?;
        let rule = &job.plan.rule;
        let delivery = Delivery {
            result: serde_json::json!({
                "node": placed.node, "version": placed.version, "rule": rule,
                "sha256": digests.sha256, "bytes": digests.bytes,
            }),
            digest: Some(digests.sha256.clone()),
            bytes: digests.bytes,
            detail: [
                ("node", placed.node.to_string()),
                ("version", placed.version.to_string()),
                ("rule", rule.clone()),
                ("size", digests.bytes.to_string()),
            ]
            .map(|(name, fact)| (name.to_owned(), fact))
            .into(),
        };
        Ok(Filing::Done(Filed { placed, delivery }))
    }

    async fn place(&self, job: &Job<'_>, container: NodeId) -> Result<Placement> {
        let wanted = self.content_server.settings().names.escape(&job.plan.document.name);
        let mut found = self.content_server.find_child(container, &wanted).await?;
        // Again: a rival may make the document between our look and our call.
        for _ in 0..3 {
            let Some(there) = found else {
                match self.create(job, container, &wanted).await {
                    Err(error) if error.code() == COLLISION => {
                        found = self.content_server.find_namesake(container, &wanted).await?;
                        continue;
                    }
                    outcome => return outcome.map(Placement::Done),
                }
            };
            if let Some(placed) = self.made_by_us(job, &there).await? {
                return Ok(Placement::Done(placed));
            }
            return match job.plan.existing {
                Existing::KeepBoth => self.keep_both(job, container, &wanted).await.map(Placement::Done),
                Existing::NewVersion => self.version(job, &there, false).await,
                Existing::SkipIfSame => self.version(job, &there, true).await,
            };
        }
        Err(Error::new(
            FailureClass::Forbidden,
            System::ContentServer,
            "find document",
            "target.name-taken-unseen",
            "the document's name is taken in the target folder by something the service user cannot see",
        )
        .remedy("let the service user see that item, or rename it"))
    }

    /// What an earlier attempt at this very item left in a document.
    async fn made_by_us(&self, job: &Job<'_>, node: &Node) -> Result<Option<Placed>> {
        let marked = |identity: Option<&String>| identity.is_some_and(|identity| job.mark.is(identity));
        if marked(node.external.identity.as_ref()) {
            return Ok(Some(Placed { node: node.id, version: 1, new_document: true }));
        }
        if !job.run.is_taken_over() {
            return Ok(None);
        }
        let versions = self.content_server.list_versions(node.id).await?;
        let ours = versions.iter().find(|version| marked(version.external_identity.as_ref()));
        Ok(ours.map(|version| Placed { node: node.id, version: version.number, new_document: false }))
    }

    async fn create(&self, job: &Job<'_>, container: NodeId, name: &str) -> Result<Placed> {
        let new = NewDocument {
            parent: container,
            name: name.to_owned(),
            description: job.plan.document.description.clone().unwrap_or_default(),
            external: external(job),
            categories: self.category_values(container, &job.plan.categories).await?,
            advanced_versioning: None,
        };
        let upload = self.upload(job);
        let large = self.passage(job.run).sent_in_parts(&job.collected.object, &upload).await?;
        let made = job
            .run
            .effect(
                "create-document",
                Policy::CheckThenRepeat,
                || async {
                    let found = self.content_server.find_sent(container, name).await?;
                    Ok(found.filter(|node| is_marked(node, &job.mark)).map(|node| node.id.0))
                },
                || async {
                    let made = match &large {
                        Some(large) => self.content_server.create_document_from(&new, large).await,
                        None => self.content_server.create_document(&new, &upload).await,
                    };
                    Ok(made?.id.0)
                },
            )
            .await;
        let node: i64 = match made {
            Err(error) if large.is_some() => return Err(self.passage(job.run).after_refusal(error).await),
            outcome => outcome?,
        };
        Ok(Placed { node: NodeId(node), version: 1, new_document: true })
    }

    async fn keep_both(&self, job: &Job<'_>, container: NodeId, name: &str) -> Result<Placed> {
        for number in 2..=MOST_NAMESAKES {
            let name = numbered(name, number);
            match self.content_server.find_child(container, &name).await? {
                Some(node) if is_marked(&node, &job.mark) => {
                    return Ok(Placed { node: node.id, version: 1, new_document: true });
                }
                Some(_) => {}
                None => match self.create(job, container, &name).await {
                    Err(error) if error.code() == COLLISION => {
                        // A rival's, or our own from an attempt whose answer was lost.
                        let there = self.content_server.find_namesake(container, &name).await?;
                        if let Some(node) = there.filter(|node| is_marked(node, &job.mark)) {
                            return Ok(Placed { node: node.id, version: 1, new_document: true });
                        }
                    }
                    outcome => return outcome,
                },
            }
        }
        Err(Error::invalid(
            "target.too-many-namesakes",
            format!("the target folder holds {MOST_NAMESAKES} documents of this name already"),
        )
        .remedy("use another naming pattern, or `existing = \"new-version\"`"))
    }

    /// Adds a version, alone: two uploads of one name must become versions in the order of their upload.
    async fn version(&self, job: &Job<'_>, node: &Node, unless_same: bool) -> Result<Placement> {
        let ledger = job.run.ledger();
        let lock = ledger.lock(Self::NAME, &format!("node-{}", node.id), job.run.lease_until()).await?;
        let lock =
            lock.ok_or_else(|| busy("target.busy", "another version of this document is being added"))?;
        let outcome = self.version_alone(job, node, unless_same).await;
        let left = match &outcome {
            // A slow server may add the version yet. Nobody adds another one before it had the time to, and whoever
            // does then looks again first.
            Err(error) if error.class() == FailureClass::UnknownOutcome => ledger.hold(&lock, SETTLING).await,
            _ => ledger.unlock(&lock).await,
        };
        if let Err(error) = left {
            tracing::warn!(error = ?error, "the lock stays until the claim ends");
        }
        outcome.map_err(|error| match error.class() {
            FailureClass::UnknownOutcome => error.not_before(SETTLING),
            _ => error,
        })
    }

    async fn version_alone(&self, job: &Job<'_>, node: &Node, unless_same: bool) -> Result<Placement> {
        let latest = self.content_server.latest_version(node.id).await?;
        if latest.external_identity.as_ref().is_some_and(|identity| job.mark.is(identity)) {
            // Somebody who took this item over, by a clock far ahead of ours, was here first.
            return Ok(Placement::Done(Placed {
                node: node.id,
                version: latest.number,
                new_document: false,
            }));
        }
        let newest = latest.external_identity.as_ref().or(node.external.identity.as_ref());
        if newest.is_some_and(|identity| job.mark.is_older_than(identity)) {
            return Ok(Placement::LeaveAlone(Reason::new(
                "event.stale",
                "a later upload of the same key is in the target already",
            )));
        }
        if unless_same && self.is_same(job, node.id, &latest).await? {
            return Ok(Placement::LeaveAlone(Reason::new(
                SAME,
                format!("version {} of node {} has the same content", latest.number, node.id),
            )));
        }
        let new = NewVersion {
            description: format!("{} {}", job.event.key, job.mark),
            major: false,
            external: external(job),
        };
        let upload = self.upload(job);
        let large = self.passage(job.run).sent_in_parts(&job.collected.object, &upload).await?;
        let made = job
            .run
            .effect(
                "add-version",
                Policy::CheckThenRepeat,
                || async {
                    let versions = self.content_server.list_versions(node.id).await?;
                    let ours = versions.iter().find(|version| {
                        version.external_identity.as_ref().is_some_and(|identity| job.mark.is(identity))
                            || version.description.contains(&job.mark.to_string())
                    });
                    Ok(ours.map(|version| version.number))
                },
                || async {
                    let made = match &large {
                        Some(large) => self.content_server.add_version_from(node.id, &new, large).await,
                        None => self.content_server.add_version(node.id, &new, &upload).await,
                    };
                    Ok(made?.number)
                },
            )
            .await;
        let number: i64 = match made {
            Err(error) if large.is_some() => return Err(self.passage(job.run).after_refusal(error).await),
            outcome => outcome?,
        };
        Ok(Placement::Done(Placed { node: node.id, version: number, new_document: false }))
    }

    fn upload(&self, job: &Job<'_>) -> Upload {
        let object = &job.collected.object;
        Upload {
            content: object.replayable(&self.s3, &job.witness),
            ranges: None,
            file_name: file_name(object),
            content_type: media_type(object),
        }
    }
}

fn is_marked(node: &Node, mark: &Mark) -> bool {
    node.external.identity.as_ref().is_some_and(|identity| mark.is(identity))
}

fn external(job: &Job<'_>) -> External {
    External {
        source: Some("cloud_storage".into()),
        identity: Some(job.mark.to_string()),
        identity_type: Some("waybill".into()),
        created: None,
        modified: job.collected.object.last_modified,
    }
}

/// `report.pdf` as `report (2).pdf`.
pub(super) fn numbered(name: &str, number: u32) -> String {
    match name.rsplit_once('.') {
        Some((stem, extension)) if !stem.is_empty() => format!("{stem} ({number}).{extension}"),
        _ => format!("{name} ({number})"),
    }
}

fn busy(code: &'static str, message: &str) -> Error {
    Error::new(FailureClass::Transient, System::Waybill, "deliver", code, message)
        .retry(Retry::After(Duration::from_secs(5)))
}
