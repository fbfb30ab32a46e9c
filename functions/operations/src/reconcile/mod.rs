//! Compares both sides of flows, and says so in reports.
//!
//! A schedule starts a run for each flow whose time has come, and goes on with those that are under way; a request
//! starts one for one flow. Only one invocation works on a flow's run at a time, by a lock; how far it has come is in the
//! report bucket, and where that is in the ledger.

pub mod file;

use std::collections::BTreeMap;

use bytes::Bytes;
use http::{Method, Request, Response, StatusCode, header};
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::json;
use shared::{
    batch::Invocation,
    environment::Environment,
    error::{Error, Result, System},
    function::{Function, Problem},
    ledger::{Breaker, BreakerState},
    reconcile::{Comparison, Options, Place, Scope, SidesEntry, State},
};

use self::file::FlowPlan;

/// The sides of every flow that can be compared.
pub static SIDES: &[&[SidesEntry]] = &[s3_content_server::SIDES, iconik_content_server::SIDES];

/// The function.
pub struct Reconcile {
    environment: Environment,
    plans: Vec<FlowPlan>,
    queues: BTreeMap<String, String>,
}

/// What the ledger remembers of a flow's last run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Note {
    place: Place,
    started: Timestamp,
    done: bool,
}

/// How a run stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Standing {
    /// Where its reports are, or will be.
    pub place: Place,
    /// How far it is.
    pub state: State,
    /// Whether it is over.
    pub done: bool,
}

/// What a request asks for.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Wanted {
    flow: String,
    deep: Option<bool>,
    repair: Option<bool>,
}

impl Function for Reconcile {
    const NAME: &'static str = "reconcile";
    const SYSTEMS: &'static [System] = &[System::S3, System::ContentServer, System::Iconik];

    async fn connect(environment: &Environment) -> Result<Self> {
        let Some((text, name)) = environment.rules().await? else {
            return Err(Error::configuration("reconcile.no-rules", "there is no file that says what is compared")
                .remedy("put one into the configuration bucket and set WAYBILL_RULES; functions/operations/rules has a sample"));
        };
        let plans = file::parse(&text, &name).map_err(|diagnostics| {
            Error::configuration("rules.invalid", diagnostics.to_string())
                .remedy("correct the lines named above")
        })?;
        if environment.settings.report_bucket.is_empty() {
            return Err(Error::configuration(
                "settings.invalid",
                "the setting WAYBILL_REPORT_BUCKET is missing",
            )
            .remedy("set the variable named above on the function"));
        }
        let queues = queues(&environment.settings.flow_queues)?;
        if let Some(plan) = plans.iter().find(|plan| plan.options.repair && !queues.contains_key(&plan.flow))
        {
            let message = format!("{} is to be repaired, and has no queue", plan.flow);
            return Err(Error::configuration("reconcile.no-queue", message)
                .remedy("add the flow to WAYBILL_FLOW_QUEUES, or remove `repair` from it"));
        }
        Ok(Self { environment: environment.clone(), plans, queues })
    }

    async fn round(&self, invocation: Invocation) -> Result<()> {
        let mut failed = None;
        for plan in &self.plans {
            if self.environment.context.now_milliseconds() >= self.until(invocation) {
                tracing::info!(flow = plan.flow, "no time is left for this flow; the next round goes on");
                break;
            }
            // One flow's trouble is not another's.
            if let Err(error) = self.turn(plan, invocation).await {
                tracing::error!(flow = plan.flow, code = error.code(), error = ?error, "the flow was not compared");
                failed.get_or_insert(error);
            }
        }
        failed.map_or(Ok(()), Err)
    }

    async fn answer(&self, request: Request<Bytes>, invocation: Invocation) -> Response<Bytes> {
        match self.asked(&request, invocation).await {
            Ok(response) => response,
            Err(problem) => problem.response(),
        }
    }
}

impl Reconcile {
    /// The plan of a flow.
    pub fn plan(&self, flow: &str) -> Option<&FlowPlan> {
        self.plans.iter().find(|plan| plan.flow == flow)
    }

    /// The flows that are compared.
    pub fn flows(&self) -> Vec<&str> {
        self.plans.iter().map(|plan| plan.flow.as_str()).collect()
    }

    fn until(&self, invocation: Invocation) -> i64 {
        let margin = i64::try_from(self.environment.settings.margin().as_millis()).unwrap_or(i64::MAX);
        invocation.deadline.saturating_sub(margin)
    }

    /// A flow's part of a round: goes on with what is under way, or begins when the time has come.
    async fn turn(&self, plan: &FlowPlan, invocation: Invocation) -> Result<()> {
        let note = self.note(&plan.flow).await?;
        let now = self.environment.context.now();
        let every = SignedDuration::from_hours(i64::from(plan.every_hours));
        if note.is_some_and(|note| note.done && now.duration_since(note.started) < every) {
            return Ok(());
        }
        for system in entry(&plan.flow)?.systems {
            let breaker = Breaker::new(self.environment.ledger.clone(), *system);
            if let BreakerState::Open(until) = breaker.state().await? {
                tracing::info!(
                    until,
                    system = system.name(),
                    "a side is out of order; the next round looks again"
                );
                return Ok(());
            }
        }
        let standing = self.go(plan, None, invocation.deadline, self.until(invocation)).await?;
        if let Some(standing) = standing {
            tell(&standing);
        }
        Ok(())
    }

    /// Goes on with a flow's run, or begins one (also when the one under way is not of the `wanted` kind), until a moment (milliseconds since the epoch). Nothing when somebody
    /// else is at it; their claim ends at `deadline` at the latest.
    ///
    /// # Errors
    /// When a side cannot be read, or the reports cannot be written. The next call goes on where this one was.
    pub async fn go(
        &self,
        plan: &FlowPlan,
        wanted: Option<Options>,
        deadline: i64,
        until: i64,
    ) -> Result<Option<Standing>> {
        let ledger = &self.environment.ledger;
        let Some(lock) = ledger.lock(Self::NAME, &plan.flow, deadline).await? else {
            tracing::info!(flow = plan.flow, "another invocation compares this flow");
            return Ok(None);
        };
        let gone = self.go_alone(plan, wanted, until).await;
        // A lock that cannot be given back ends by itself.
        if let Err(error) = ledger.unlock(&lock).await {
            tracing::warn!(flow = plan.flow, error = ?error, "the flow stays locked for a while");
        }
        gone.map(Some)
    }

    async fn go_alone(&self, plan: &FlowPlan, wanted: Option<Options>, until: i64) -> Result<Standing> {
        let environment = self.environment_of(plan);
        let scope = Scope { buckets: plan.buckets.clone(), collections: plan.collections.clone() };
        let sides = (entry(&plan.flow)?.connect)(&environment, &scope).await?;
        let queue = self.queues.get(&plan.flow).map(String::as_str).unwrap_or_default();
        let under_way = self.note(&plan.flow).await?.filter(|note| !note.done);
        let under_way = match under_way {
            Some(note) => Some(Comparison::resume(&environment, &*sides, queue, note.place).await?),
            None => None,
        };
        // Who asks for another kind of run does not get the one that is under way.
        let under_way = under_way.filter(|run| wanted.is_none_or(|wanted| run.state().options == wanted));
        let mut comparison = match under_way {
            Some(comparison) => comparison,
            None => {
                let options = wanted.unwrap_or(plan.options);
                let mut comparison = Comparison::begin(&environment, &plan.flow, &*sides, queue, options);
                comparison.keep().await?;
                self.set_note(&plan.flow, &comparison, false).await?;
                comparison
            }
        };
        let done = comparison.run(until).await?;
        if done {
            self.set_note(&plan.flow, &comparison, true).await?;
        }
        Ok(Standing { place: comparison.place().clone(), state: comparison.state().clone(), done })
    }

    /// The environment as the flow's own function would see it.
    fn environment_of(&self, plan: &FlowPlan) -> Environment {
        let mut environment = self.environment.clone();
        environment.settings.rules.clone_from(&plan.rules);
        environment.settings.content_bucket.clone_from(&plan.content_bucket);
        environment.settings.content_region.clone_from(&plan.content_region);
        environment
    }

    async fn note(&self, flow: &str) -> Result<Option<Note>> {
        let text = self.environment.ledger.note(Self::NAME, flow).await?;
        // A note of another release is no note: the run begins anew.
        Ok(text.and_then(|text| serde_json::from_str(&text).ok()))
    }

    async fn set_note(&self, flow: &str, comparison: &Comparison<'_>, done: bool) -> Result<()> {
        let note = Note { place: comparison.place().clone(), started: comparison.state().started, done };
        let text = serde_json::to_string(&note)
            .map_err(|error| Error::bug("remember the run", "a note is not JSON").source(error))?;
        self.environment.ledger.set_note(Self::NAME, flow, &text).await
    }

    /// `GET` tells which flows there are; `POST` with `{"flow": …, "deep": …, "repair": …}` compares one.
    async fn asked(
        &self,
        request: &Request<Bytes>,
        invocation: Invocation,
    ) -> Result<Response<Bytes>, Problem> {
        if request.method() == Method::GET {
            return Ok(answered(StatusCode::OK, &json!({"flows": self.flows()})));
        }
        if request.method() != Method::POST {
            return Err(Problem::new(
                StatusCode::METHOD_NOT_ALLOWED,
                "http.method",
                "Flows are compared by POST, and listed by GET",
            ));
        }
        let wanted: Wanted = serde_json::from_slice(request.body()).map_err(|error| {
            Problem::new(StatusCode::BAD_REQUEST, "reconcile.request", "The request is not understood")
                .detail(format!("{error}; send {{\"flow\": \"…\", \"deep\": false, \"repair\": false}}"))
        })?;
        let Some(plan) = self.plan(&wanted.flow) else {
            return Err(Problem::new(StatusCode::NOT_FOUND, "reconcile.no-flow", "No such flow is compared")
                .detail(format!("compared are: {}", self.flows().join(", "))));
        };
        let options = Options {
            deep: wanted.deep.unwrap_or(plan.options.deep),
            repair: wanted.repair.unwrap_or(false),
            ..plan.options
        };
        match self.go(plan, Some(options), invocation.deadline, self.until(invocation)).await {
            Ok(Some(standing)) => {
                tell(&standing);
                let status = if standing.done { StatusCode::OK } else { StatusCode::ACCEPTED };
                Ok(answered(status, &standing.json()))
            }
            Ok(None) => {
                Err(Problem::new(StatusCode::CONFLICT, "reconcile.busy", "This flow is being compared")
                    .detail("ask again when that run is over")
                    .retry_after(60))
            }
            Err(error) => {
                tracing::error!(flow = plan.flow, code = error.code(), error = ?error, "the flow was not compared");
                Err(Problem::new(
                    StatusCode::BAD_GATEWAY,
                    "reconcile.not-compared",
                    "The flow could not be compared",
                )
                .detail(format!("{error}; the next request, or round, goes on where this one was")))
            }
        }
    }
}

impl Standing {
    /// For whoever asked.
    pub fn json(&self) -> serde_json::Value {
        json!({
            "flow": self.state.flow,
            "done": self.done,
            "agree": self.done.then(|| self.state.counts.agree()),
            "options": self.state.options,
            "counts": self.state.counts,
            "reports": format!("s3://{}/{}", self.place.bucket, self.place.prefix),
        })
    }
}

fn tell(standing: &Standing) {
    let counts = &standing.state.counts;
    tracing::info!(
        flow = standing.state.flow,
        done = standing.done,
        agree = counts.agree(),
        missing = counts.missing,
        different = counts.different,
        extra = counts.extra,
        metadata = counts.metadata,
        unverifiable = counts.unverifiable,
        queued = counts.queued,
        reports = format!("s3://{}/{}", standing.place.bucket, standing.place.prefix),
        "compared"
    );
}

fn answered(status: StatusCode, body: &serde_json::Value) -> Response<Bytes> {
    let mut response = Response::new(Bytes::from(body.to_string()));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, header::HeaderValue::from_static("application/json"));
    headers.insert(header::CACHE_CONTROL, header::HeaderValue::from_static("no-store"));
    response
}

/// The sides of a flow.
pub(crate) fn entry(flow: &str) -> Result<&'static SidesEntry> {
    SIDES.iter().copied().flatten().find(|entry| entry.flow == flow).ok_or_else(|| {
        Error::configuration("reconcile.no-sides", format!("nobody knows the two sides of {flow}"))
            .remedy("compare one of the flows that functions/operations/README.md lists")
    })
}

fn queues(text: &str) -> Result<BTreeMap<String, String>> {
    if text.trim().is_empty() {
        return Ok(BTreeMap::new());
    }
    serde_json::from_str(text).map_err(|error| {
        let message = format!("WAYBILL_FLOW_QUEUES is not a JSON object of queue addresses: {error}");
        Error::configuration("reconcile.queues", message)
            .remedy(r#"write {"ingest-uploads": "https://sqs.…"}, one entry per flow"#)
    })
}
