//! Brings an object uploaded to S3 into Content Server as a governed document.
//!
//! Trigger: S3 event notifications or `EventBridge` events on the flow's queue. The first matching intake rule says
//! where the document goes and what it carries. Safe to repeat: every document and version is marked with the item's
//! key in the creating call itself, and is looked for by that mark before anything is made again. What cannot be
//! accepted is put aside under the quarantine prefix with a machine-readable reason.

mod after;
mod collect;
mod deliver;
mod finish;
mod mapped;

use shared::{
    content_server::{self, NodeId},
    environment::Environment,
    error::{Error, Result, System},
    filing::{Filer, parts},
    flow::{Flow, Item, Outcome, Parsed, Reason, Run},
    reconcile::Eventual,
    s3_notification::{self, Notification, ObjectEvent},
    transfer::S3Object,
};

use crate::{
    intake_rules::{After, Existing, IntakeRules, SAMPLE},
    sides::uploads::{OnBothSides, TakesUploads, is_overtaken},
    uploads::{self, order::Order, put_aside},
};

/// How long an object waits for its required sidecar, in seconds since its upload.
const SIDECAR_PATIENCE: i64 = 120;

/// The flow: what it reads from, what it writes to, and by which rules.
pub struct IngestUploads {
    content_server: content_server::Client,
    rules: IntakeRules,
    environment: Environment,
    s3: aws_sdk_s3::Client,
    filer: Filer,
}

impl Flow for IngestUploads {
    const NAME: &'static str = "ingest-uploads";
    const SYSTEMS: &'static [System] = &[System::S3, System::ContentServer];
    type Event = ObjectEvent;

    async fn connect(environment: &Environment) -> Result<Self> {
        let (text, name) = environment.rules_or(SAMPLE).await?;
        let rules = IntakeRules::parse(&text, &name).map_err(|diagnostics| {
            Error::configuration("rules.invalid", diagnostics.to_string()).remedy(
                "correct the lines named above; the dry-run example checks a rule file without a deployment",
            )
        })?;
        let content_server = environment.content_server().await?;
        Ok(Self {
            filer: Filer::new(Self::NAME, content_server.clone()),
            content_server,
            rules,
            environment: environment.clone(),
            s3: environment.s3.clone(),
        })
    }

    fn parse(&self, body: &str) -> Result<Parsed<ObjectEvent>> {
        match s3_notification::parse(body)? {
            Notification::Objects(parsed) => Ok(parsed),
            Notification::Test => Ok(Parsed::default()),
        }
    }

    fn item(&self, event: &ObjectEvent) -> Item {
        uploads::item(event)
    }

    fn happened(&self, event: &ObjectEvent) -> Option<i64> {
        event.happened()
    }

    async fn handle(&self, event: &ObjectEvent, run: &Run) -> Result<Outcome> {
        run.note("source", format!("s3://{}/{}", event.bucket, event.key));
        if let Some(reason) = self.not_for_us(event) {
            return Ok(Outcome::Skipped(reason));
        }
        let order = Order::read(event.sequencer.as_ref(), &self.item(event).asset, run).await?;
        let outcome = self.handle_in_order(event, &order, run).await?;
        order.note(&outcome, run);
        Ok(outcome)
    }

    async fn put_aside(&self, event: &ObjectEvent, reason: &Reason, run: &Run) -> Result<serde_json::Value> {
        put_aside::quarantine(&self.environment, Self::NAME, event, reason, run).await
    }

    async fn abandon(&self, run: &Run) {
        parts::abandon(&self.content_server, run).await;
    }
}

impl TakesUploads for IngestUploads {
    const MADE: &'static str = "documents and versions in Content Server";

    fn item_of(&self, upload: &ObjectEvent) -> Item {
        self.item(upload)
    }

    fn is_ours(&self, upload: &ObjectEvent) -> bool {
        self.rules.needs(&upload.bucket, upload.key.as_str()).any && self.not_for_us(upload).is_none()
    }

    fn target(&self) -> &content_server::Client {
        &self.content_server
    }

    fn mapped<'a>(
        &'a self,
        upload: &'a ObjectEvent,
        object: &'a S3Object,
        node: NodeId,
    ) -> Eventual<'a, Result<Option<OnBothSides>>> {
        Box::pin(self.map_both_sides(upload, object, node))
    }
}

impl IngestUploads {
    async fn handle_in_order(&self, event: &ObjectEvent, order: &Order<'_>, run: &Run) -> Result<Outcome> {
        if !run.is_dry()
            && let Some(done) = self.finished_before(event, run).await?
        {
            return Ok(done);
        }
        // Where both of two uploads may be kept, the rule that takes this one has to be known first.
        let may_keep_both = self.rules.may_keep_both(&event.bucket, event.key.as_str());
        if let Some(reason) = order.stale().filter(|_| !may_keep_both && !run.is_taken_over()) {
            return Ok(Outcome::Skipped(reason));
        }
        if is_overtaken(&self.s3, event).await? {
            let message = "a newer upload of the same key is there, and is the one that counts";
            return Ok(Outcome::Skipped(Reason::new("event.stale", message)));
        }
        self.environment.renew_credential(&self.content_server).await?;
        let collected = self.collect(event, run).await?;
        let plan = self.plan(&collected, run)?;
        let stale = order.stale().filter(|_| plan.existing != Existing::KeepBoth);
        if let Some(reason) = stale.clone().filter(|_| run.is_dry() || !run.is_taken_over()) {
            return Ok(Outcome::Skipped(reason));
        }
        if run.is_dry() {
            return Ok(Outcome::Skipped(Reason::new("dry-run", format!("rule {} takes it", plan.rule))));
        }
        let known = self.filer.moment();
        let outcome = match stale {
            // What an earlier attempt has made of it may be damaged, and would stay behind the later version.
            Some(reason) => Box::pin(self.verify_begun(event, &collected, &plan, run))
                .await
                .map(|()| Outcome::Skipped(reason)),
            None => Box::pin(self.deliver(event, &collected, &plan, run)).await,
        };
        match outcome {
            Err(pause) if pause.code() == parts::PAUSED => Ok(Outcome::Continue),
            Err(refusal) => Err(self.filer.look_anew(refusal, known, run).await),
            outcome => outcome,
        }
    }

    /// A short name of the item, for marks people may see.
    fn short_item(&self, event: &ObjectEvent) -> String {
        self.item(event).key.short().to_owned()
    }

    /// Why an event is none of our business, when it is not.
    fn not_for_us(&self, event: &ObjectEvent) -> Option<Reason> {
        let key = event.key.as_str();
        if !event.is_created() {
            return Some(Reason::new("event.not-a-creation", format!("the event is {}", event.name)));
        }
        if key.ends_with('/') && event.size.unwrap_or(0) == 0 {
            return Some(Reason::new("event.folder-marker", "the object only marks a folder"));
        }
        if let Some(object) = self.rules.sidecar_of(&event.bucket, key) {
            return Some(Reason::new("event.sidecar", format!("the object is the sidecar of {object}")));
        }
        let ours = self.rules.rules().iter().any(|rule| match rule.after() {
            After::Move(prefix) => key.starts_with(prefix.as_str()),
            _ => false,
        });
        let settings = &self.environment.settings;
        let quarantined =
            event.bucket == settings.quarantine_bucket && key.starts_with(&settings.quarantine_prefix);
        (ours || quarantined).then(|| Reason::new("event.own-work", "the object was put there by this flow"))
    }
}
