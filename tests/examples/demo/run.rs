//! The demo from beginning to end.

use std::{collections::BTreeMap, time::Duration};

use simulators::{
    Clock,
    content_server::{Settings, Simulator},
    serve,
};
use tokio::signal::unix::{SignalKind, signal};

use super::{
    Result, evidence, kill, ledger, promises, report,
    samples::{self, CONTRACT, Sample, VIDEO},
    say::Say,
    systems::{self, FUNCTION_TIMEOUT, Stack, StandIn, state},
    table,
    uploads::{self, Uploaded},
};

/// What is asked of a run.
#[derive(Default)]
pub(crate) struct Options {
    pub(crate) json: bool,
    pub(crate) keep: bool,
}

/// Seconds until what has not ended counts as lost.
const PATIENCE: f64 = 170.0;
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

/// Runs the demo. Says whether every promise held.
pub(crate) async fn demo(options: &Options) -> Result<bool> {
    let say = Say::new(options.json);
    let mut terminated = signal(SignalKind::terminate()).map_err(|error| error.to_string())?;
    tokio::select! {
        outcome = everything(options, &say) => outcome,
        _ = tokio::signal::ctrl_c() => Err("interrupted; what was started is stopped".into()),
        _ = terminated.recv() => Err("terminated; what was started is stopped".into()),
    }
}

async fn everything(options: &Options, say: &Say) -> Result<bool> {
    systems::artefacts()?;
    let simulator = Simulator::new(Settings::default(), Clock::machine());
    let before = evidence::versions(&simulator);
    let (address, server) = serve(simulator.router(), 0).await.map_err(|error| error.to_string())?;
    let content_server = format!("http://{address}");
    say.step(&format!("Content Server simulator   {content_server}/_simulator/"));
    let folder = state(&format!("demo-{}", std::process::id()));
    let stand_in = StandIn::start(folder.clone(), 0).await?;
    say.step(&format!("stand-in for AWS           {}", stand_in.url));
    let stack = Stack::deploy(&stand_in.url, &content_server).await?;
    shorten_visibility(&stack).await?;
    say.step(&format!("infra/template.yaml is deployed; uploads go to s3://{}", stack.intake()?));

    let mut course = Course { uploaded: Vec::new(), records: BTreeMap::new(), killed: false };
    deliver(&stack, &simulator, stand_in.pid, &mut course, say).await?;
    evidence::queue_is_empty(&stack, 20.0).await?;
    let seconds = say.seconds();

    let found = evidence::gather(&stack, &simulator, &before, &course).await?;
    let promises = promises::judge(&course, &found);
    let report =
        report::Report { stack: &stack, course: &course, evidence: &found, promises: &promises, seconds };
    report.save(&state("report"))?;
    table::show(&report, say);
    table::show_where(&stack, &stand_in.url, &content_server, options.keep, say)?;
    if promises.iter().any(|promise| !promise.held) {
        say.line(&format!("  log of the stand-in      {}", folder.join("log.txt").display()));
    }
    if options.json {
        println!("{:#}", report.json());
    }
    if options.keep {
        say.line("Everything is still there. Ctrl-C ends it.");
        std::future::pending::<()>().await;
    }
    server.abort();
    let held = promises.iter().all(|promise| promise.held);
    drop(stand_in);
    if held {
        let _ = std::fs::remove_dir_all(&folder);
    }
    Ok(held)
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
    let records = open.iter().map(|uploaded| ledger::record(stack, &uploaded.item));
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
