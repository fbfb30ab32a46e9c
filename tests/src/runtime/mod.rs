//! A Lambda service of our own, for what the stand-in for AWS is too coarse: a function that is killed, frozen or timed.
//!
//! [`Function`] keeps up to so many processes of a bootstrap, each behind a Runtime API of its own on loopback, hands
//! them one invocation at a time, ends those that overrun their time, and starts anew what has ended. [`Queue`] feeds
//! a function from an SQS queue, as strict about partial batch responses as AWS is.

mod api;
mod batch_response;
mod process;
mod queue;
#[cfg(test)]
mod tests;

use std::{
    collections::BTreeMap,
    path::PathBuf,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use serde_json::Value;
use tokio::sync::Semaphore;

pub use batch_response::failed_messages;
pub use process::Process;
pub use queue::{Delivery, Poller, Queue};

/// What a function is.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Its name.
    pub name: String,
    /// The program.
    pub bootstrap: PathBuf,
    /// The program's arguments. Lambda gives none; an interpreter needs its script.
    pub arguments: Vec<String>,
    /// Its environment variables, besides those that Lambda sets.
    pub variables: BTreeMap<String, String>,
    /// The time of one invocation, as the function is told.
    pub timeout: Duration,
    /// Whether a process that overruns its time is ended. Lambda always does; off, to see what a process would do
    /// that comes back long after.
    pub enforce_timeout: bool,
    /// Processes at a time.
    pub concurrency: usize,
}

impl Settings {
    /// One process of a bootstrap, with 30 seconds for each invocation.
    pub fn new(name: &str, bootstrap: impl Into<PathBuf>) -> Self {
        Self {
            name: name.to_owned(),
            bootstrap: bootstrap.into(),
            arguments: Vec::new(),
            variables: BTreeMap::new(),
            timeout: Duration::from_secs(30),
            enforce_timeout: true,
            concurrency: 1,
        }
    }

    /// The same with an environment variable.
    #[must_use]
    pub fn variable(mut self, name: &str, value: impl Into<String>) -> Self {
        self.variables.insert(name.to_owned(), value.into());
        self
    }

    /// The same with so many processes.
    #[must_use]
    pub fn concurrency(mut self, processes: usize) -> Self {
        self.concurrency = processes;
        self
    }

    /// The same with another time for each invocation.
    #[must_use]
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }
}

/// How an invocation ended.
#[derive(Debug, Clone, PartialEq)]
pub enum Outcome {
    /// The function answered. `None` when the answer is not JSON.
    Answer(Option<Value>),
    /// The function reported an error.
    Failed(Value),
    /// The process reported that it cannot start, ended before its first event, or took more than ten seconds to ask for it.
    DidNotStart(String),
    /// The process ended in the middle of the work.
    Exited(String),
    /// The process overran its time and was ended.
    TimedOut,
}

/// One invocation, when it is over.
#[derive(Debug, Clone)]
pub struct Invocation {
    /// How it ended.
    pub outcome: Outcome,
    /// From the start of the process to the moment it asked for its first event, when this was the first.
    pub start: Option<Duration>,
    /// From the moment of the call to the outcome, with the start of the process when there was one.
    pub duration: Duration,
}

/// A function, ready to be invoked. When the last clone is dropped its processes end.
#[derive(Clone)]
pub struct Function(Arc<Inner>);

struct Inner {
    settings: Settings,
    free: Semaphore,
    /// Processes that wait for work, the one used last at the end: it is used next, as Lambda does.
    idle: Mutex<Vec<Arc<Process>>>,
    busy: Mutex<Vec<Arc<Process>>>,
    log: Log,
}

impl Function {
    /// A function whose processes start as they are needed.
    pub fn new(settings: Settings) -> Self {
        Self(Arc::new(Inner {
            free: Semaphore::new(settings.concurrency),
            settings,
            idle: Mutex::default(),
            busy: Mutex::default(),
            log: Log::default(),
        }))
    }

    /// What it is.
    pub fn settings(&self) -> &Settings {
        &self.0.settings
    }

    /// What its processes wrote to their outputs.
    pub fn log(&self) -> &Log {
        &self.0.log
    }

    /// Its processes that are alive.
    pub fn processes(&self) -> Vec<Arc<Process>> {
        let mut all = lock(&self.0.busy).clone();
        all.extend(lock(&self.0.idle).iter().cloned());
        all.retain(|process| process.is_alive());
        all
    }

    /// Its processes that have work in hand.
    pub fn busy(&self) -> Vec<Arc<Process>> {
        lock(&self.0.busy).clone()
    }

    /// Ends every process that waits for work; the next invocation starts a new one.
    pub fn forget_idle(&self) {
        lock(&self.0.idle).clear();
    }

    /// Runs one event, once a process is free for it.
    pub async fn invoke(&self, event: &Value) -> Invocation {
        let Ok(_permit) = self.0.free.acquire().await else { unreachable!("the semaphore is never closed") };
        let began = Instant::now();
        let warm = loop {
            let next = lock(&self.0.idle).pop();
            match next {
                Some(process) if !process.is_alive() => {}
                other => break other,
            }
        };
        let cold = warm.is_none();
        let start = || Process::start(&self.0.settings, &self.0.log).map(Arc::new);
        let process = match warm.map_or_else(start, Ok) {
            Ok(process) => process,
            Err(error) => {
                let reason = format!("{}: {error}", self.0.settings.bootstrap.display());
                let outcome = Outcome::DidNotStart(reason);
                return Invocation { outcome, start: None, duration: began.elapsed() };
            }
        };
        lock(&self.0.busy).push(process.clone());
        let (outcome, start) = process.run(event, &self.0.settings, cold).await;
        let duration = began.elapsed();
        lock(&self.0.busy).retain(|other| !Arc::ptr_eq(other, &process));
        if matches!(outcome, Outcome::Answer(_) | Outcome::Failed(_)) && process.is_alive() {
            lock(&self.0.idle).push(process);
        } else {
            process.kill();
        }
        Invocation { outcome, start, duration }
    }
}

/// The lines that a function's processes wrote.
#[derive(Debug, Clone, Default)]
pub struct Log(Arc<Mutex<Vec<String>>>);

impl Log {
    /// All lines so far.
    pub fn lines(&self) -> Vec<String> {
        lock(&self.0).clone()
    }

    /// The lines that are JSON objects.
    pub fn records(&self) -> Vec<Value> {
        let parse = |line: &String| serde_json::from_str::<Value>(line).ok().filter(Value::is_object);
        lock(&self.0).iter().filter_map(parse).collect()
    }

    /// All lines as one text.
    pub fn text(&self) -> String {
        lock(&self.0).join("\n")
    }

    fn push(&self, line: String) {
        lock(&self.0).push(line);
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
