//! One run of a comparison: the source's listing, the target's, the repairs, the reports. Everything it knows is in a
//! state beside its findings, so that it goes on in another invocation, or after a crash, where it was.

use futures_util::StreamExt;
use jiff::{SignedDuration, Timestamp};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::{
    Action, Counts, Finding, Kind, Listed, Look, Pair, Repair, Side, Sides, Verdict, Words, judge,
    part::{Folder, Stored},
};
use crate::{
    batch::metrics,
    environment::Environment,
    error::{Error, FailureClass, Result},
};

/// Findings one part holds at most.
const PART: usize = 500;
/// Milliseconds after which what is known is kept, whether or not a part is full.
const KEEP_AFTER: i64 = 30_000;
/// How often a step may fail before what cannot be read is told as such.
const STUMBLES: u32 = 3;
/// The same for a page of which nothing could be read.
const STUMBLES_OF_A_SIDE: u32 = 12;

/// How a run goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Options {
    /// Contents are read and hashed where no side states a hash.
    pub deep: bool,
    /// What is safe is put onto the flow's queue.
    pub repair: bool,
    /// Minutes for which a difference counts as being on its way.
    pub grace_minutes: u32,
    /// Repairs one run puts onto the queue at most.
    pub most_repairs: u64,
}

impl Default for Options {
    fn default() -> Self {
        Self { deep: false, repair: false, grace_minutes: 60, most_repairs: 1000 }
    }
}

/// What a run is at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Phase {
    /// What the source lists is looked up in the target.
    Source,
    /// What the target lists is looked up in the source.
    Target,
    /// What is safe is put onto the flow's queue.
    Repair,
    /// The reports are written.
    Report,
    /// All is done.
    Done,
}

/// Where a run is, in its own bucket.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Place {
    /// The bucket.
    pub bucket: String,
    /// The beginning of the keys of the run: `reports/<flow>/<date>/<time>/`.
    pub prefix: String,
}

/// How far a run has come.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct State {
    /// The flow.
    pub flow: String,
    /// When it began.
    pub started: Timestamp,
    /// When it ended.
    pub ended: Option<Timestamp>,
    /// How it goes.
    pub options: Options,
    /// What it is at.
    pub phase: Phase,
    /// Where the listing goes on.
    pub cursor: Option<String>,
    /// What became of everything so far.
    pub counts: Counts,
    /// Parts of findings so far.
    pub parts: u32,
    /// The part and the line in it that is looked at next for a repair.
    pub repaired: (u32, usize),
    /// How often the step at hand failed.
    pub stumbles: u32,
}

impl State {
    fn new(flow: &str, options: Options, now: Timestamp) -> Self {
        Self {
            flow: flow.to_owned(),
            started: now,
            ended: None,
            options,
            phase: Phase::Source,
            cursor: None,
            counts: Counts::default(),
            parts: 0,
            repaired: (0, 0),
            stumbles: 0,
        }
    }
}

/// A run under way.
pub struct Comparison<'a> {
    pub(super) environment: &'a Environment,
    pub(super) sides: &'a dyn Sides,
    pub(super) words: Words,
    /// The flow's queue.
    pub(super) queue: &'a str,
    pub(super) place: Place,
    pub(super) state: State,
    findings: Vec<Stored>,
    kept_at: i64,
}

impl<'a> Comparison<'a> {
    /// Begins a run; its reports go into the bucket under `reports/<flow>/<date>/<time>/`.
    pub fn begin(
        environment: &'a Environment,
        flow: &str,
        sides: &'a dyn Sides,
        queue: &'a str,
        options: Options,
    ) -> Self {
        let now = environment.context.now();
        let moment = now.strftime("%Y-%m-%d/%H%M%SZ");
        let place = Place {
            bucket: environment.settings.report_bucket.clone(),
            prefix: format!("reports/{flow}/{moment}/"),
        };
        Self::at(environment, sides, queue, place, State::new(flow, options, now))
    }

    /// Goes on with a run.
    ///
    /// # Errors
    /// When its state cannot be read.
    pub async fn resume(
        environment: &'a Environment,
        sides: &'a dyn Sides,
        queue: &'a str,
        place: Place,
    ) -> Result<Self> {
        let folder = Folder { s3: &environment.s3, bucket: &place.bucket, prefix: &place.prefix };
        let state = folder.read_state().await?;
        Ok(Self::at(environment, sides, queue, place, state))
    }

    fn at(
        environment: &'a Environment,
        sides: &'a dyn Sides,
        queue: &'a str,
        place: Place,
        state: State,
    ) -> Self {
        let kept_at = environment.context.now_milliseconds();
        Self { environment, sides, words: sides.words(), queue, place, state, findings: Vec::new(), kept_at }
    }

    /// Where its reports are.
    pub fn place(&self) -> &Place {
        &self.place
    }

    /// How far it has come.
    pub fn state(&self) -> &State {
        &self.state
    }

    /// Goes on until a moment, in milliseconds since the epoch. True when the run is over.
    ///
    /// # Errors
    /// When a side cannot be read for now: what was done is kept, and the next call goes on behind it. When the report
    /// bucket cannot be written.
    pub async fn run(&mut self, until: i64) -> Result<bool> {
        loop {
            if self.state.phase == Phase::Done {
                return Ok(true);
            }
            if self.environment.context.now_milliseconds() >= until {
                self.keep().await?;
                return Ok(false);
            }
            let step = match self.state.phase {
                Phase::Source => self.compare(Side::Source).await,
                Phase::Target => self.compare(Side::Target).await,
                Phase::Repair => self.repair(until).await,
                Phase::Report | Phase::Done => self.report().await,
            };
            match step {
                Ok(()) => self.state.stumbles = 0,
                Err(error) => {
                    self.state.stumbles += 1;
                    if let Err(trouble) = self.keep().await {
                        tracing::warn!(error = ?trouble, "what was compared since the last save is compared anew");
                    }
                    return Err(error);
                }
            }
        }
    }

    /// One page of a listing. What it found counts only when all of it was looked at.
    async fn compare(&mut self, side: Side) -> Result<()> {
        let page = self.sides.list(side, self.state.cursor.clone()).await?;
        let width = self.environment.settings.target_concurrency.max(1);
        let looks: Vec<_> = page.items.iter().map(|listed| self.look(side, listed)).collect();
        let looked: Vec<_> = futures_util::stream::iter(looks).buffered(width).collect().await;
        for verdict in self.settled(&page.items, looked)? {
            self.state.counts.add(&verdict);
            if let Verdict::Found(finding, message) = verdict {
                self.findings.push(Stored { finding: *finding, message });
            }
        }
        let looked_at = u64::try_from(page.items.len()).unwrap_or(u64::MAX);
        match side {
            Side::Source => self.state.counts.source += looked_at,
            Side::Target => self.state.counts.target += looked_at,
        }
        let over = page.next.is_none();
        self.state.cursor = page.next;
        if over {
            self.state.phase = match side {
                Side::Source => Phase::Target,
                Side::Target if self.state.options.repair => Phase::Repair,
                Side::Target => Phase::Report,
            };
        }
        let late = self.environment.context.now_milliseconds() - self.kept_at >= KEEP_AFTER;
        if over || late || self.findings.len() >= PART { self.keep().await } else { Ok(()) }
    }

    /// What becomes of one listed thing. What looks like a difference is looked at a second time: only what is found
    /// both times is told, everything else was on its way.
    async fn look(&self, side: Side, listed: &Listed) -> Result<Vec<Verdict>> {
        let first = self.judged(side, listed).await?;
        if !first.iter().any(|(_, verdict)| matches!(verdict, Verdict::Found(..))) {
            return Ok(first.into_iter().map(|(_, verdict)| verdict).collect());
        }
        let found = |verdict: &Verdict| match verdict {
            Verdict::Found(finding, _) => Some(finding.kind),
            _ => None,
        };
        let second = self.judged(side, listed).await?;
        Ok(second
            .into_iter()
            .map(|(key, verdict)| match found(&verdict) {
                Some(kind)
                    if !first.iter().any(|(same, before)| *same == key && found(before) == Some(kind)) =>
                {
                    Verdict::InFlight
                }
                _ => verdict,
            })
            .collect())
    }

    async fn judged(&self, side: Side, listed: &Listed) -> Result<Vec<(String, Verdict)>> {
        let look = Look { deep: self.state.options.deep };
        let now = self.environment.context.now();
        let pairs = match self.sides.look(side, listed, look).await {
            Ok(pairs) => pairs,
            Err(error) if is_final(&error) => {
                return Ok(vec![(listed.key.clone(), unreadable(listed, &error, now))]);
            }
            Err(error) => return Err(error),
        };
        let grace = SignedDuration::from_mins(i64::from(self.state.options.grace_minutes));
        let judged = |pair: Pair| {
            let verdict = judge(&pair, side, &self.words, now, grace);
            (pair.key, verdict)
        };
        Ok(pairs.into_iter().map(judged).collect())
    }

    /// The verdicts of a page. What could not be read for now ends the step; when the step has failed again and again,
    /// it is told, so that one broken thing does not keep the others from being compared for ever. A side that gives
    /// nothing at all is out of order, and is waited for a good while longer.
    fn settled(&self, items: &[Listed], looked: Vec<Result<Vec<Verdict>>>) -> Result<Vec<Verdict>> {
        let is_any_well = looked.iter().any(Result::is_ok);
        let patience = if is_any_well { STUMBLES } else { STUMBLES_OF_A_SIDE };
        let now = self.environment.context.now();
        let mut verdicts = Vec::with_capacity(items.len());
        for (listed, outcome) in items.iter().zip(looked) {
            match outcome {
                Ok(known) => verdicts.extend(known),
                Err(error) if self.state.stumbles < patience => return Err(error),
                Err(error) => verdicts.push(unreadable(listed, &error, now)),
            }
        }
        Ok(verdicts)
    }

    /// Keeps what is known.
    ///
    /// # Errors
    /// When the report bucket cannot be written.
    pub async fn keep(&mut self) -> Result<()> {
        let folder =
            Folder { s3: &self.environment.s3, bucket: &self.place.bucket, prefix: &self.place.prefix };
        if !self.findings.is_empty() {
            folder.write_part(self.state.parts, &self.findings).await?;
            self.state.parts += 1;
            self.findings.clear();
        }
        folder.write_state(&self.state).await?;
        self.kept_at = self.environment.context.now_milliseconds();
        Ok(())
    }

    /// The last step: the reports, the metrics, the end.
    async fn report(&mut self) -> Result<()> {
        self.state.ended = Some(self.environment.context.now());
        self.write_reports().await?;
        self.state.phase = Phase::Done;
        self.keep().await?;
        metrics::print(&self.metrics());
        Ok(())
    }

    /// The counts in CloudWatch's embedded metric format, by flow and for the whole environment.
    fn metrics(&self) -> serde_json::Value {
        let counts = &self.state.counts;
        let metric = |name: &str| json!({"Name": name, "Unit": "Count"});
        let metrics = [
            metric("Missing"),
            metric("Different"),
            metric("Extra"),
            metric("Metadata"),
            metric("Unverifiable"),
            metric("InFlight"),
            metric("RepairsQueued"),
        ];
        let mut line = json!({
            "_aws": {
                "Timestamp": self.environment.context.now_milliseconds(),
                "CloudWatchMetrics": [{
                    "Namespace": "Waybill",
                    "Dimensions": [["Environment", "Flow"], ["Environment"]],
                    "Metrics": metrics,
                }],
            },
            "Environment": self.environment.settings.environment,
            "Flow": self.state.flow,
            "InFlight": counts.in_flight,
            "RepairsQueued": counts.queued,
        });
        for (name, kind) in [
            ("Missing", Kind::Missing),
            ("Different", Kind::Different),
            ("Extra", Kind::Extra),
            ("Metadata", Kind::Metadata),
            ("Unverifiable", Kind::Unverifiable),
        ] {
            if let Some(object) = line.as_object_mut() {
                object.insert(name.to_owned(), counts.of(kind).into());
            }
        }
        line
    }
}

/// Whether trying again would give the same answer.
fn is_final(error: &Error) -> bool {
    matches!(error.class(), FailureClass::Forbidden | FailureClass::Invalid | FailureClass::Gone)
}

/// A thing that could not be looked at.
fn unreadable(listed: &Listed, error: &Error, now: Timestamp) -> Verdict {
    let remedy = error.remedy_text().unwrap_or("remove what keeps it from being read, then compare again");
    let finding = Finding {
        kind: Kind::Unverifiable,
        key: listed.key.clone(),
        name: listed.key.clone(),
        asset: String::new(),
        differences: Vec::new(),
        explanation: format!("It could not be compared: {} ({}).", error.message(), error.code()),
        repair: Repair { action: Action::Person, safe: false, what: remedy.to_owned(), queued: false },
        found: now.to_string(),
    };
    Verdict::Found(Box::new(finding), None)
}
