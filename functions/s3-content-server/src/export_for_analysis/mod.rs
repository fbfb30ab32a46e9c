//! Exports chosen documents to S3 for analysis, with a manifest of what they are, and takes back what was found out.
//!
//! Trigger: a request that names a data set (from a schedule or from anybody), or a result that came back under
//! `results/`. Safe to repeat: a run is planned once and goes on from what it recorded; the place of every object
//! follows from run, document and version; lists and the manifest are named by their content or are the same bytes
//! whoever writes them; the marker comes last. What may not be exported is decided by what Content Server says
//! immediately before a copy and again after it; what cannot be read is not exported.

mod documents;
mod gate;
mod lines;
mod manifest;
mod plan;
mod publish;
mod remembered;
mod request;
mod results;
mod select;
pub(crate) mod sides;
mod text;
mod values;

use std::time::Duration;

use serde_json::json;
use shared::{
    content_server,
    environment::Environment,
    error::{Error, FailureClass, Result, Retry, System},
    flow::{Flow, Item, Outcome, Parsed, Reason, Run},
    ledger::Key,
    reason_file,
    s3_notification::{self, Notification},
};

use self::request::{Place, RESULTS, lines_of};
pub use self::{
    manifest::{Line, Marker, State, manifest_schema, marker_schema},
    request::{ExportEvent, ExportRequest, KIND, Mode, Saved},
};
use crate::{
    export_rules::{DataSet, ExportRules, SAMPLE},
    places::Places,
};

/// The flow.
pub struct ExportForAnalysis {
    content_server: content_server::Client,
    environment: Environment,
    s3: aws_sdk_s3::Client,
    rules: ExportRules,
    places: Places,
}

impl Flow for ExportForAnalysis {
    const NAME: &'static str = "export-for-analysis";
    const SYSTEMS: &'static [System] = &[System::S3, System::ContentServer];
    type Event = ExportEvent;

    async fn connect(environment: &Environment) -> Result<Self> {
        let (text, name) = environment.rules_or(SAMPLE).await?;
        let rules = ExportRules::parse(&text, &name).map_err(|diagnostics| {
            Error::configuration("rules.invalid", diagnostics.to_string())
                .remedy("correct the lines named above")
        })?;
        if environment.settings.content_bucket.is_empty() {
            let message = "the function has no bucket for its data sets";
            return Err(Error::configuration("settings.no-content-bucket", message)
                .remedy("set WAYBILL_CONTENT_BUCKET"));
        }
        Ok(Self {
            content_server: environment.content_server().await?,
            environment: environment.clone(),
            s3: environment.s3.clone(),
            rules,
            places: Places::default(),
        })
    }

    fn parse(&self, body: &str) -> Result<Parsed<ExportEvent>> {
        match s3_notification::parse(body) {
            Ok(Notification::Objects(Parsed { events, refused })) => {
                let results = events
                    .into_iter()
                    .filter(|event| event.is_created() && event.key.as_str().starts_with(RESULTS))
                    // Folders that consoles make.
                    .filter(|event| !event.key.as_str().ends_with('/'))
                    .map(ExportEvent::Result);
                Ok(Parsed { events: results.collect(), refused })
            }
            Ok(Notification::Test) => Ok(Parsed::default()),
            Err(_) => ExportRequest::parse(body).map(|request| vec![ExportEvent::Run(request)].into()),
        }
    }

    fn item(&self, event: &ExportEvent) -> Item {
        let (key, asset, asset_text) = match event {
            ExportEvent::Run(request) => (
                request.key(),
                Key::of(&["data-set", &request.data_set]),
                format!("data set {}", request.data_set),
            ),
            ExportEvent::Result(event) => {
                let of = |text: &Option<String>| text.clone().unwrap_or_default();
                let version = event.version_id.clone().unwrap_or_else(|| of(&event.etag));
                let sequencer = event.sequencer.as_ref().map_or("", |sequencer| sequencer.as_str());
                let key = Key::of(&["result", &event.bucket, event.key.as_str(), &version, sequencer]);
                match Place::of(event.key.as_str()) {
                    Some(place) => (
                        key,
                        Key::of(&["content-server", &place.node.to_string()]),
                        format!("node {}", place.node),
                    ),
                    None => match lines_of(event.key.as_str()) {
                        Some((data_set, _)) => {
                            (key, Key::of(&["data-set", data_set]), format!("data set {data_set}"))
                        }
                        None => (key, Key::of(&[&event.bucket, event.key.as_str()]), event.key.to_string()),
                    },
                }
            }
        };
        Item { payload_hash: key.digest().to_owned(), key, asset: asset.digest().to_owned(), asset_text }
    }

    async fn handle(&self, event: &ExportEvent, run: &Run) -> Result<Outcome> {
        self.environment.renew_credential(&self.content_server).await?;
        match event {
            ExportEvent::Run(request) => Box::pin(self.export(request, run)).await,
            ExportEvent::Result(event) => Box::pin(self.take_result(event, run)).await,
        }
    }

    /// Writes the reason where people look. A result stays where it is.
    async fn put_aside(&self, event: &ExportEvent, reason: &Reason, run: &Run) -> Result<serde_json::Value> {
        let (name, source) = match event {
            ExportEvent::Run(request) => (request.data_set.clone(), json!({ "request": request })),
            ExportEvent::Result(event) => {
                let name = event.key.as_str().rsplit('/').next().unwrap_or_default().to_owned();
                (name, json!({ "object": event }))
            }
        };
        // A name from outside is one step of a key, and not a long one.
        let name: String = name
            .chars()
            .map(|character| if character.is_control() || character == '/' { '-' } else { character })
            .take(120)
            .collect();
        reason_file::write(
            &self.environment,
            Self::NAME,
            &self.item(event),
            ("content-server", &name, source),
            reason,
            run,
        )
        .await
    }
}

impl ExportForAnalysis {
    fn bucket(&self) -> &str {
        &self.environment.settings.content_bucket
    }

    async fn export(&self, request: &ExportRequest, run: &Run) -> Result<Outcome> {
        run.note("data-set", &request.data_set);
        let data_set = self.rules.find(&request.data_set).ok_or_else(|| {
            Error::invalid("export.no-data-set", "the rules have no data set of the name that was asked for")
                .field("data_set")
                .remedy("correct the name in the request, or add the data set to the rules")
        })?;
        if run.is_dry() {
            return Box::pin(self.rehearse(data_set, request, run)).await;
        }
        let name = format!("data-set-{}", data_set.name);
        let lock = run.ledger().lock(Self::NAME, &name, run.lease_until()).await?;
        let lock = lock.ok_or_else(|| {
            again("export.busy", "another run of this data set is being worked on", Duration::from_secs(30))
        })?;
        let outcome = Box::pin(self.go_on(data_set, request, run)).await;
        run.leave(&lock).await;
        outcome
    }

    /// From wherever an earlier invocation has come to the end, or as far as this one may go.
    async fn go_on(&self, data_set: &DataSet, request: &ExportRequest, run: &Run) -> Result<Outcome> {
        let plan = self.plan(data_set, request, run).await?;
        let bounds = self.bounds(data_set).await?;
        let Some(selection) = Box::pin(self.select(data_set, &plan, &bounds, run)).await? else {
            return Ok(Outcome::Continue);
        };
        let Some(progress) = Box::pin(self.documents(data_set, &plan, &bounds, &selection, run)).await?
        else {
            return Ok(Outcome::Continue);
        };
        Box::pin(self.publish(data_set, &plan, &selection, progress, run)).await
    }
}

fn skipped(code: &str, message: &str) -> Result<Outcome> {
    Ok(Outcome::Skipped(Reason::new(code, message)))
}

/// To be tried again soon.
fn again(code: &'static str, message: impl Into<String>, pause: Duration) -> Error {
    Error::new(FailureClass::Transient, System::Waybill, "export", code, message).retry(Retry::After(pause))
}
