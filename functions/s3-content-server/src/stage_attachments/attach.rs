//! From an upload to an attachment of its workflow.

use std::time::Duration;

use serde_json::json;
use shared::{
    content_server::{COLLISION, NOT_ACCESSIBLE, NOT_FOUND, NewFolder, Node, NodeId, kind},
    error::{Error, FailureClass, Result, Retry, System},
    filing::Mark,
    flow::{Delivery, Item, Outcome, Policy, Reason, Run},
    s3_notification::ObjectEvent,
    transfer::{Digests, S3Object, Witness},
};

use super::{
    SETTLING, StageAttachments, again,
    case::{Case, Input},
    deposit::{Content, Deposit, Deposited},
    skipped,
    workflow::Open,
};
use crate::{
    sides::uploads::is_overtaken,
    staging_rules::{Attachment, Staged, StagingRule},
    uploads::{self, is_final, order::Order},
};

/// The checkpoint that says which workflow the upload was assigned to.
const ASSIGNED: &str = "workflow";
/// The checkpoint that says since when that workflow is known to have ended without it.
const LEAVING: &str = "workflow-ended";

/// One upload on its way, with everything known about it.
pub(super) struct Job<'a> {
    pub(super) object: &'a S3Object,
    pub(super) rule: &'a StagingRule,
    pub(super) staged: &'a Staged,
    pub(super) case: Case,
    /// The attachment's name, as the server takes it.
    pub(super) name: String,
    pub(super) item: Item,
    pub(super) mark: Mark,
    pub(super) run: &'a Run,
}

/// What is attached now.
struct Attached {
    /// The document, or the one the shortcut points to.
    node: NodeId,
    version: i64,
    /// Of the upload's content.
    digests: Digests,
}

enum Attaching {
    Done(Attached),
    LeaveAlone(Reason),
}

impl StageAttachments {
    pub(super) async fn stage(&self, event: &ObjectEvent, run: &Run) -> Result<Outcome> {
        run.note("source", format!("s3://{}/{}", event.bucket, event.key));
        if let Some(reason) = self.not_for_us(event) {
            return Ok(Outcome::Skipped(reason));
        }
        let item = uploads::item(event);
        let order = Order::read(event.sequencer.as_ref(), &item.asset, run).await?;
        if let Some(reason) = order.stale() {
            return Ok(Outcome::Skipped(reason));
        }
        if is_overtaken(&self.s3, event).await? {
            return skipped(
                "event.stale",
                "a newer upload of the same key is there, and is the one that counts",
            );
        }
        self.environment.renew_credential(&self.content_server).await?;
        let object = match run.is_dry() {
            true => uploads::head(&self.s3, event).await?,
            false => uploads::head_to_read(&self.s3, event, &self.content_server).await?,
        };
        let (rule, staged) = self.staged(&object, run).await?;
        if run.is_dry() {
            return skipped("dry-run", &format!("rule {} takes it for {:?}", rule.name, staged.title));
        }
        let job = Job {
            object: &object,
            rule,
            staged: &staged,
            case: Case::of(&rule.name, &staged),
            name: self.content_server.settings().names.escape(&staged.name),
            mark: Mark::of(&item, event.sequencer.as_ref()),
            item,
            run,
        };
        let outcome = self.stage_job(&job).await?;
        order.note(&outcome, run);
        Ok(outcome)
    }

    pub(super) fn not_for_us(&self, event: &ObjectEvent) -> Option<Reason> {
        let settings = &self.environment.settings;
        let key = event.key.as_str();
        if !event.is_created() {
            return Some(Reason::new("event.not-a-creation", format!("the event is {}", event.name)));
        }
        if key.ends_with('/') && event.size.unwrap_or(0) == 0 {
            return Some(Reason::new("event.folder-marker", "the object only marks a folder"));
        }
        let quarantined =
            event.bucket == settings.quarantine_bucket && key.starts_with(&settings.quarantine_prefix);
        let is_output = |bucket: Option<&String>, prefix: &str| {
            event.bucket == *bucket.unwrap_or(&settings.content_bucket) && key.starts_with(prefix)
        };
        let output =
            self.rules.rules.iter().any(|rule| is_output(rule.output.bucket.as_ref(), &rule.output.prefix));
        (quarantined || output)
            .then(|| Reason::new("event.own-work", "the object was put there by this flow"))
    }

    async fn stage_job(&self, job: &Job<'_>) -> Result<Outcome> {
        let open = self.assigned(job).await?;
        job.run.note("workflow", open.process.0.to_string());
        let attached = match Box::pin(self.attach(job, &open)).await.map_err(explained)? {
            Attaching::Done(attached) => attached,
            Attaching::LeaveAlone(reason) => return Ok(Outcome::Skipped(reason)),
        };
        let input = Input {
            bucket: job.object.bucket.clone(),
            key: job.object.key.clone(),
            version_id: job.object.version_id.clone(),
            etag: job.object.etag.clone(),
            sha256: attached.digests.sha256.clone(),
            size: attached.digests.bytes,
            name: job.name.clone(),
            is_reference: matches!(job.rule.attachment, Attachment::Reference),
        };
        self.remember_input(open.process, &job.item.key, &input, job.run).await?;
        self.look_once_more(job, &open).await?;
        Ok(Outcome::Delivered(Delivery {
            result: json!({
                "workflow": open.process, "title": job.case.title, "round": open.round, "rule": job.rule.name,
                "node": attached.node, "version": attached.version, "sha256": attached.digests.sha256,
                "bytes": attached.digests.bytes,
            }),
            digest: Some(attached.digests.sha256.clone()),
            bytes: attached.digests.bytes,
            detail: [
                ("node", attached.node.to_string()),
                ("version", attached.version.to_string()),
                ("round", open.round.to_string()),
                ("size", attached.digests.bytes.to_string()),
            ]
            .map(|(name, fact)| (name.to_owned(), fact))
            .into(),
        }))
    }

    /// Should the workflow have ended in this very moment, its decision is looked for once more, for the sake of this
    /// input. It is attached: that the workflow cannot be looked at does not put it aside.
    async fn look_once_more(&self, job: &Job<'_>, open: &Open) -> Result<()> {
        match self.is_open(open.process).await {
            Ok(true) => return Ok(()),
            Ok(false) => job.run.note("workflow-ended", "after the attachment was placed"),
            Err(error) if is_final(&error) => {
                tracing::warn!(error = ?error, "it is not known whether the workflow goes on");
            }
            Err(error) => return Err(error),
        }
        self.tell(open.process, job.item.key.short(), job.run).await
    }

    /// The workflow this upload belongs to. One it was attached to by an earlier attempt stays it, whatever became of
    /// the workflow meanwhile.
    async fn assigned(&self, job: &Job<'_>) -> Result<Open> {
        let earlier = job.run.recorded::<Open>(ASSIGNED);
        if let Some(open) = earlier
            && self.is_attached(job, &open).await?
        {
            return Ok(open);
        }
        let open = self.open_workflow(job, earlier).await?;
        if earlier != Some(open) {
            job.run.checkpoint(ASSIGNED, &open).await?;
        }
        Ok(open)
    }

    /// An upload leaves a workflow that has ended without it only after a while, and another look: whoever was attaching
    /// it at that moment (a worker that this one has overtaken, a call whose answer was lost) has finished by then.
    pub(super) async fn leave(&self, open: &Open, run: &Run) -> Result<()> {
        let now = run.context().now_milliseconds();
        let since = match run.recorded::<(Open, i64)>(LEAVING) {
            Some((left, since)) if left == *open => since,
            _ => {
                run.checkpoint(LEAVING, &(open, now)).await?;
                now
            }
        };
        let left = SETTLING.saturating_sub(Duration::from_millis(u64::try_from(now - since).unwrap_or(0)));
        if left.is_zero() {
            return Ok(());
        }
        let message =
            "the workflow has ended; it is looked into once more before the upload goes to the next one";
        Err(again("workflow.ended-meanwhile", message).retry(Retry::After(left)))
    }

    async fn is_attached(&self, job: &Job<'_>, open: &Open) -> Result<bool> {
        // The folder, or the document, went with its workflow or by somebody's hand.
        let unless_gone = |error: Error| match error.code() {
            NOT_ACCESSIBLE | NOT_FOUND => Ok(None),
            _ => Err(error),
        };
        let found = self.content_server.find_sent(open.attachments, &job.name).await.or_else(unless_gone)?;
        let document = match (&job.rule.attachment, found) {
            (_, None) => return Ok(false),
            // A later upload of the same key finds the shortcut that an earlier one made.
            (Attachment::Filed(_), Some(Node { kind: kind::SHORTCUT, original: Some(original), .. })) => {
                self.content_server.get_node(original).await.map(Some).or_else(unless_gone)?
            }
            (_, Some(node)) if node.kind == kind::SHORTCUT => return Ok(true),
            (_, found) => found,
        };
        match document {
            Some(document) => Ok(self.marked_version(&document, &job.mark).await?.is_some()),
            None => Ok(false),
        }
    }

    async fn attach(&self, job: &Job<'_>, open: &Open) -> Result<Attaching> {
        match &job.rule.attachment {
            Attachment::Document => {
                let content = Content::Object(Box::new(job.object.clone()));
                self.attach_document(job, open, open.attachments, &content).await
            }
            Attachment::Filed(_) => {
                let folder = self.filing_folder(job).await?;
                let content = Content::Object(Box::new(job.object.clone()));
                let attaching = self.attach_document(job, open, folder, &content).await?;
                if let Attaching::Done(attached) = &attaching {
                    self.shortcut(job, open, attached.node).await?;
                }
                Ok(attaching)
            }
            Attachment::Original(_) => {
                let (node, version, digests) = self.same_original(job).await?;
                self.shortcut(job, open, node).await?;
                Ok(Attaching::Done(Attached { node, version, digests }))
            }
            Attachment::Reference => {
                let digests = self.passage(job.run).object_digests(job.object, &Witness::new()).await?;
                let content = Content::reference(job.object, &digests)?;
                match self.attach_document(job, open, open.attachments, &content).await? {
                    Attaching::Done(attached) => Ok(Attaching::Done(Attached { digests, ..attached })),
                    left => Ok(left),
                }
            }
        }
    }

    async fn attach_document(
        &self,
        job: &Job<'_>,
        open: &Open,
        container: NodeId,
        content: &Content,
    ) -> Result<Attaching> {
        let deposit = Deposit {
            container,
            name: &job.name,
            mark: &job.mark,
            content,
            description: format!("{} for {}", job.rule.name, job.case.title),
            workflow: open.process,
            run: job.run,
        };
        match Box::pin(self.deposit(&deposit)).await? {
            Deposited::Done { node, version, digests } => {
                Ok(Attaching::Done(Attached { node, version, digests }))
            }
            Deposited::Stale(reason) => Ok(Attaching::LeaveAlone(reason)),
        }
    }

    async fn filing_folder(&self, job: &Job<'_>) -> Result<NodeId> {
        let Some((root, below)) = &job.staged.filed else {
            return Err(Error::bug("file", "a rule that files has no folder"));
        };
        let root = self.places.id(&self.content_server, root).await?;
        let rules = &self.content_server.settings().names;
        let names: Vec<String> = below.iter().map(|name| rules.escape(name)).collect();
        Ok(self.content_server.ensure_folder_path(root, &names, &NewFolder::default()).await?.folder.id)
    }

    /// A shortcut among the attachments, made once.
    async fn shortcut(&self, job: &Job<'_>, open: &Open, original: NodeId) -> Result<()> {
        let told = |there: Option<Node>| there.map(|node| (node.id.0, is_shortcut_to(&node, original)));
        let find = || async { Ok(told(self.content_server.find_sent(open.attachments, &job.name).await?)) };
        let there = match find().await? {
            Some(there) => there,
            None => {
                job.run
                    .effect("attach-shortcut", Policy::CheckThenRepeat, find, || async {
                        self.check_open(open.process).await?;
                        let made =
                            self.content_server.create_shortcut(open.attachments, &job.name, original).await;
                        match made {
                            Ok(node) => Ok((node.id.0, true)),
                            // A rival's, or our own of an attempt whose answer was lost.
                            Err(error) if error.code() == COLLISION => {
                                let taken = self.content_server.find_namesake(open.attachments, &job.name);
                                told(taken.await?).ok_or(error)
                            }
                            Err(error) => Err(error),
                        }
                    })
                    .await?
            }
        };
        if there.1 { Ok(()) } else { Err(name_taken(&job.name)) }
    }
}

fn is_shortcut_to(node: &Node, original: NodeId) -> bool {
    node.kind == kind::SHORTCUT && node.original == Some(original)
}

/// Something else has the attachment's name.
pub(super) fn name_taken(name: &str) -> Error {
    Error::invalid("attachment.name-taken", format!("another attachment is called {name:?}"))
        .field("attachment.name")
        .remedy("upload the object under another name, or give the rule another `attachment.name`")
}

/// What a refusal by the attachments' folder means.
fn explained(error: Error) -> Error {
    let refused = error.system() == System::ContentServer && error.class() == FailureClass::Forbidden;
    match error.code() {
        NOT_ACCESSIBLE => error.with_code("attachments.not-accessible").remedy(
            "the folder of the attachments or a document is not there, or the service user may not see it",
        ),
        "content-server.forbidden" | "content-server.action-refused" if refused => {
            error.with_code("attachments.forbidden").remedy(
                "let the service user add items to the workflow's attachments (and to the rule's folder)",
            )
        }
        _ => error,
    }
}
