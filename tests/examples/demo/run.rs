//! The demo from beginning to end.

use std::{collections::BTreeMap, time::Duration};

use serde_json::{Value, json};
use simulators::{
    Clock,
    content_server::{Settings, Simulator},
    serve,
};
use tokio::signal::unix::{SignalKind, signal};

use super::{
    Result, evidence, kill, ledger,
    promises::{self, Promise},
    report,
    samples::{self, CONTRACT, Sample, VIDEO},
    say::Say,
    stories::STORIES,
    systems::{self, FUNCTION_TIMEOUT, Stack, StandIn, state},
    table,
    uploads::{self, Uploaded},
};

/// What is asked of a run.
#[derive(Default)]
pub(crate) struct Options {
    pub(crate) json: bool,
    pub(crate) keep: bool,
    /// Which flow's story; the main job unless given.
    pub(crate) flow: Option<String>,
}

/// Seconds until what has not ended counts as lost.
pub(crate) const PATIENCE: f64 = 170.0;
/// Seconds for which a message stays invisible once it was received. A function's claim on an item ends this long
/// after the beginning of its invocation (its time-out and half a minute of grace).
const VISIBILITY: u64 = FUNCTION_TIMEOUT + 32;
/// What no flow can make anything of.
pub(crate) const POISON: &str = "{\"this\": \"is not a notification\"}";

/// Everything that was uploaded, and what the ledger says of it.
pub(crate) struct Course {
    pub(crate) uploaded: Vec<Uploaded>,
    pub(crate) records: BTreeMap<String, ledger::Record>,
    pub(crate) killed: bool,
}

/// The main job's flow.
pub(crate) const FLOW: &str = "ingest-uploads";

/// How one flow's story went.
pub(crate) struct Told {
    pub(crate) flow: &'static str,
    pub(crate) promises: Vec<Promise>,
    pub(crate) seconds: f64,
    pub(crate) outputs: BTreeMap<String, String>,
}

impl Told {
    /// Whether every promise held.
    pub(crate) fn held(&self) -> bool {
        self.promises.iter().all(|promise| promise.held)
    }

    /// As a report.
    pub(crate) fn json(&self) -> Value {
        let promises: Vec<Value> = self.promises.iter().map(Promise::json).collect();
        json!({
            "flow": self.flow, "held": self.held(), "seconds": (self.seconds * 10.0).round() / 10.0,
            "promises": promises, "stack": self.outputs,
        })
    }
}

/// Runs the demo. Says whether every promise held.
pub(crate) async fn demo(options: &Options) -> Result<bool> {
    let mut terminated = signal(SignalKind::terminate()).map_err(|error| error.to_string())?;
    tokio::select! {
        outcome = chosen(options) => outcome,
        _ = tokio::signal::ctrl_c() => Err("interrupted; what was started is stopped".into()),
        _ = terminated.recv() => Err("terminated; what was started is stopped".into()),
    }
}

async fn chosen(options: &Options) -> Result<bool> {
    systems::artefacts()?;
    match options.flow.as_deref().unwrap_or(FLOW) {
        FLOW => Ok(everything(options, true).await?.held()),
        "all" if options.keep => Err("--keep is for one flow".into()),
        "all" => {
            let mut told = vec![everything(options, false).await?];
            for story in STORIES {
                told.push(story.tell(options).await?);
            }
            let held = told.iter().all(Told::held);
            table::show_flows(&told, &Say::new(options.json));
            if options.json {
                let flows: Vec<Value> = told.iter().map(Told::json).collect();
                println!("{:#}", json!({"held": held, "flows": flows}));
            }
            Ok(held)
        }
        flow => {
            let story = STORIES.iter().find(|story| story.flow == flow).ok_or_else(|| unknown(flow))?;
            let told = story.tell(options).await?;
            if options.json {
                println!("{:#}", told.json());
            }
            Ok(told.held())
        }
    }
}

fn unknown(flow: &str) -> String {
    let names: Vec<&str> = STORIES.iter().map(|story| story.flow).collect();
    format!("There is no demo of {flow}. There are: {FLOW}, {}, and all.", names.join(", "))
}

/// The main job. `alone` prints its report when JSON is asked for.
async fn everything(options: &Options, alone: bool) -> Result<Told> {
    let say = &Say::new(options.json);
    let simulator = Simulator::new(Settings::default(), Clock::machine());
    let before = evidence::versions(&simulator);
    let (address, server) = serve(simulator.router(), 0).await.map_err(|error| error.to_string())?;
    let content_server = format!("http://{address}");
    say.step(&format!("Content Server simulator   {content_server}/_simulator/"));
    let folder = state(&format!("demo-{}", std::process::id()));
    let stand_in = StandIn::start(folder.clone(), 0).await?;
    say.step(&format!("stand-in for AWS           {}", stand_in.url));
    let mut stack = Stack::at(&stand_in.url)?;
    stack.deploy(&content_server, &[], &[]).await?;
    shorten_visibility(&stack).await?;
    say.step(&format!("infra/template.yaml is deployed; uploads go to s3://{}", stack.intake()?));

    let mut course = Course { uploaded: Vec::new(), records: BTreeMap::new(), killed: false };
    deliver(&stack, &simulator, stand_in.pid, &mut course, say).await?;
    let queue = stack.output("IngestUploadsQueueUrl")?;
    evidence::empties(&stack, queue, 5.0).await?;
    let left = evidence::waiting(&stack, queue).await?;
    if left > 0 {
        say.step(&format!("every upload has ended; {left} messages are hidden for {VISIBILITY} s at most"));
        evidence::empties(&stack, queue, VISIBILITY as f64 + 15.0).await?;
    }
    let seconds = say.seconds();

    let found = evidence::gather(&stack, &simulator, &before, &course).await?;
    let promises = promises::judge(&course, &found, seconds);
    let report =
        report::Report { stack: &stack, course: &course, evidence: &found, promises: &promises, seconds };
    report.save(&state("report"))?;
    table::show(&report, say);
    table::show_where(&stack, &stand_in.url, &content_server, options.keep, say)?;
    if promises.iter().any(|promise| !promise.held) {
        say.line(&format!("  log of the stand-in      {}", folder.join("log.txt").display()));
    }
    if options.json && alone {
        println!("{:#}", report.json());
    }
    if options.keep {
        say.line("Everything is still there. Ctrl-C ends it.");
        std::future::pending::<()>().await;
    }
    server.abort();
    let told = Told { flow: FLOW, promises, seconds, outputs: stack.outputs };
    drop(stand_in);
    if told.held() {
        let _ = std::fs::remove_dir_all(&folder);
    }
    Ok(told)
}

/// The queue would show a message again after six time-outs: right for an installation, long for a demonstration.
async fn shorten_visibility(stack: &Stack) -> Result<()> {
    let set = stack.sqs.set_queue_attributes().queue_url(stack.output("IngestUploadsQueueUrl")?);
    let set =
        set.attributes(aws_sdk_sqs::types::QueueAttributeName::VisibilityTimeout, VISIBILITY.to_string());
    set.send().await.map(drop).map_err(|error| format!("the queue's visibility time-out: {error:?}"))
}

/// Uploads everything, kills the function once, and waits until every upload has ended.
async fn deliver(
    stack: &Stack,
    simulator: &Simulator,
    stand_in: i32,
    course: &mut Course,
    say: &Say,
) -> Result<()> {
    let (second, first): (Vec<Sample>, Vec<Sample>) =
        samples::all().into_iter().partition(|sample| sample.second);
    let (video, files): (Vec<Sample>, Vec<Sample>) =
        first.into_iter().partition(|sample| sample.key == VIDEO);
    for sample in &video {
        course.uploaded.extend(uploads::upload(stack, sample).await?);
    }
    say.step("the video is uploaded (300 MB, made part by part); its delivery begins");
    let worker = kill::worker(simulator, stand_in).await?;
    let mut attempts = BTreeMap::new();
    let files = async {
        for sample in &files {
            course.uploaded.extend(uploads::upload(stack, sample).await?);
            look(stack, course, &mut attempts, say).await?;
        }
        uploads::send(stack, POISON).await?;
        say.step(&format!("all {} objects are uploaded, sidecars among them", course.uploaded.len()));
        Ok::<_, String>(())
    };
    let killing = tokio::time::timeout(Duration::from_secs(20), kill::kill(simulator, worker, say));
    let (uploaded, killed) = tokio::join!(files, killing);
    uploaded?;
    match killed {
        Ok(killed) => killed?,
        Err(_) => {
            return Err("the video did not get far enough to kill the function in the middle of it".into());
        }
    }
    course.killed = true;
    say.step(&format!(
        "the queue shows its message again {VISIBILITY} s after it was received; the others go on meanwhile"
    ));
    settle(stack, course, say, |uploaded| uploaded.key != VIDEO).await?;
    for sample in &second {
        course.uploaded.extend(uploads::upload(stack, sample).await?);
    }
    if let Some(contract) = course.uploaded.iter().find(|uploaded| uploaded.key == CONTRACT) {
        uploads::notify_again(stack, contract).await?;
    }
    say.step("a new version, a file that is there already, and a notification that came before are uploaded");
    settle(stack, course, say, |_| true).await
}

/// Waits until the uploads asked for have ended.
async fn settle(
    stack: &Stack,
    course: &mut Course,
    say: &Say,
    wanted: impl Fn(&Uploaded) -> bool,
) -> Result<()> {
    let mut attempts = BTreeMap::new();
    while course.open().any(&wanted) && say.seconds() < PATIENCE {
        look(stack, course, &mut attempts, say).await?;
        tokio::time::sleep(Duration::from_millis(250)).await;
    }
    Ok(())
}

/// Asks the ledger about everything that has not ended, and tells what is new.
async fn look(
    stack: &Stack,
    course: &mut Course,
    attempts: &mut BTreeMap<String, i64>,
    say: &Say,
) -> Result<()> {
    let open: Vec<&Uploaded> = course.open().collect();
    let records = open.iter().map(|uploaded| ledger::record(stack, FLOW, &uploaded.item));
    let records = futures_util::future::join_all(records).await;
    let mut ended = Vec::new();
    for (uploaded, record) in open.into_iter().zip(records) {
        let Some(record) = record? else { continue };
        if record.has_ended() {
            if !uploaded.sidecar {
                say.ended(&record.status, &uploaded.key, &table::outcome(&record));
            }
            ended.push((uploaded.item.clone(), record));
        } else if attempts
            .insert(uploaded.item.clone(), record.attempts)
            .is_some_and(|last| last < record.attempts)
        {
            say.step(&format!("attempt {} at {}", record.attempts, samples::shortened(&uploaded.key, 60)));
        }
    }
    course.records.extend(ended);
    Ok(())
}

impl Course {
    /// The uploads that have not ended.
    fn open(&self) -> impl Iterator<Item = &Uploaded> {
        self.uploaded.iter().filter(|uploaded| !self.records.contains_key(&uploaded.item))
    }
}
