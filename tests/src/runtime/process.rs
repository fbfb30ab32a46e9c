//! One process of a function and its life: started, given work, frozen, thawed, killed.

use std::{
    net::Ipv4Addr,
    process::{ExitStatus, Stdio},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

use axum::{body::Bytes, serve::ListenerExt};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;
use tokio::{
    io::{AsyncBufReadExt, AsyncRead, BufReader},
    process::Command,
    sync::watch,
    task::AbortHandle,
};

use super::{
    Log, Outcome, Settings,
    api::{self, Api, Work},
};

/// Lambda's limit on the start of a process.
const LONGEST_START: Duration = Duration::from_secs(10);

/// A process of a function. It ends when it is dropped.
pub struct Process {
    pid: Pid,
    started: Instant,
    api: Arc<Api>,
    exit: watch::Receiver<Option<ExitStatus>>,
    tasks: Vec<AbortHandle>,
}

impl Process {
    pub(super) fn start(settings: &Settings, log: &Log) -> std::io::Result<Self> {
        let api = Api::new(&settings.name);
        // Bound before the process starts, so that its first call is taken.
        let listener = std::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        listener.set_nonblocking(true)?;
        let address = listener.local_addr()?;
        // Without it every call waits 40 ms for an acknowledgement.
        let listener = tokio::net::TcpListener::from_std(listener)?.tap_io(|stream| {
            let _ = stream.set_nodelay(true);
        });
        let router = api::router(api.clone());
        let server = tokio::spawn(async move {
            let _ = axum::serve(listener, router).await;
        });
        let started = Instant::now();
        let mut child = Command::new(&settings.bootstrap)
            .args(&settings.arguments)
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap_or_else(|| "/usr/local/bin:/usr/bin:/bin".into()))
            .env("LANG", "en_US.UTF-8")
            .env("TZ", ":UTC")
            .env("AWS_LAMBDA_RUNTIME_API", address.to_string())
            .env("AWS_LAMBDA_FUNCTION_NAME", &settings.name)
            .env("AWS_LAMBDA_FUNCTION_VERSION", "$LATEST")
            .env("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "256")
            .env("AWS_LAMBDA_INITIALIZATION_TYPE", "on-demand")
            .env("AWS_LAMBDA_LOG_GROUP_NAME", format!("/aws/lambda/{}", settings.name))
            .env("AWS_LAMBDA_LOG_STREAM_NAME", "local")
            .env("LAMBDA_TASK_ROOT", settings.bootstrap.parent().unwrap_or(&settings.bootstrap))
            .env("AWS_REGION", "us-east-1")
            .env("AWS_DEFAULT_REGION", "us-east-1")
            .env("AWS_ACCESS_KEY_ID", "test")
            .env("AWS_SECRET_ACCESS_KEY", "test")
            .env("AWS_EC2_METADATA_DISABLED", "true")
            .envs(&settings.variables)
            .current_dir(settings.bootstrap.parent().unwrap_or(&settings.bootstrap))
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .inspect_err(|_| server.abort())?;
        let mut tasks = vec![server.abort_handle()];
        let pid = child.id().and_then(|pid| Pid::from_raw(pid.cast_signed()));
        let pid = pid.ok_or_else(|| std::io::Error::other("the process has no id"))?;
        let outputs = [
            child.stdout.take().map(|output| tokio::spawn(copy_lines(output, log.clone()))),
            child.stderr.take().map(|output| tokio::spawn(copy_lines(output, log.clone()))),
        ];
        let (ended, exit) = watch::channel(None);
        let reaper = tokio::spawn(async move {
            let status = child.wait().await;
            // What it wrote last must be in the log before anybody hears of its end.
            for output in outputs.into_iter().flatten() {
                let _ = output.await;
            }
            ended.send_replace(status.ok());
        });
        tasks.push(reaper.abort_handle());
        Ok(Self { pid, started, api, exit, tasks })
    }

    /// Its number in the operating system.
    pub fn id(&self) -> i32 {
        self.pid.as_raw_nonzero().get()
    }

    /// Whether it still runs.
    pub fn is_alive(&self) -> bool {
        self.exit.borrow().is_none() && self.exit.has_changed().is_ok()
    }

    /// Ends it at once, as `kill -9` does.
    pub fn kill(&self) {
        self.signal(Signal::KILL);
    }

    /// Asks it to end, as Lambda does half a second before it ends the environment.
    pub fn terminate(&self) {
        self.signal(Signal::TERM);
    }

    /// Stops it where it is, as Lambda freezes an execution environment.
    pub fn freeze(&self) {
        self.signal(Signal::STOP);
    }

    /// Lets it go on.
    pub fn thaw(&self) {
        self.signal(Signal::CONT);
    }

    fn signal(&self, signal: Signal) {
        if self.is_alive() {
            // It may end this very moment; then there is nothing to signal.
            let _ = kill_process(self.pid, signal);
        }
    }

    /// Waits until it asks for its first event, then runs one event.
    pub(super) async fn run(
        &self,
        event: &Value,
        settings: &Settings,
        cold: bool,
    ) -> (Outcome, Option<Duration>) {
        if let Err(reason) = self.ready().await {
            return (Outcome::DidNotStart(reason), None);
        }
        let start = cold.then(|| self.started.elapsed());
        #[expect(
            clippy::disallowed_methods,
            reason = "this is the service; the function sees the machine's clock"
        )]
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let mut answer = self.api.hand(Work {
            id: request_id(),
            arn: format!("arn:aws:lambda:us-east-1:000000000000:function:{}", settings.name),
            body: Bytes::from(event.to_string()),
            deadline_milliseconds: (now + settings.timeout).as_millis(),
        });
        let mut exit = self.exit.clone();
        let overrun = async {
            if settings.enforce_timeout {
                tokio::time::sleep(settings.timeout).await;
            } else {
                std::future::pending::<()>().await;
            }
        };
        let outcome = tokio::select! {
            biased;
            Ok(outcome) = &mut answer => outcome,
            _ = exit.wait_for(Option::is_some) => answer.try_recv().unwrap_or_else(|_| Outcome::Exited(self.exit_text())),
            () = overrun => Outcome::TimedOut,
        };
        (outcome, start)
    }

    async fn ready(&self) -> Result<(), String> {
        let (mut ready, mut error, mut exit) =
            (self.api.ready.subscribe(), self.api.start_error.subscribe(), self.exit.clone());
        let outcome = tokio::select! {
            biased;
            Ok(_) = ready.wait_for(|ready| *ready) => Ok(()),
            Ok(reason) = error.wait_for(Option::is_some) => Err(reason.clone().unwrap_or_default()),
            _ = exit.wait_for(Option::is_some) => Err(String::new()),
            () = tokio::time::sleep(LONGEST_START) => Err("it did not ask for an event within ten seconds".into()),
        };
        match outcome {
            Err(reason) if reason.is_empty() => Err(self.exit_text()),
            other => other,
        }
    }

    fn exit_text(&self) -> String {
        self.exit.borrow().map_or_else(|| "it ended".to_owned(), |status| status.to_string())
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // With the reaper goes the child, which is killed when it is dropped.
        for task in &self.tasks {
            task.abort();
        }
    }
}

async fn copy_lines(output: impl AsyncRead + Unpin, log: Log) {
    let mut lines = BufReader::new(output).lines();
    while let Ok(Some(line)) = lines.next_line().await {
        log.push(line);
    }
}

fn request_id() -> String {
    static NUMBER: AtomicU64 = AtomicU64::new(1);
    format!("00000000-0000-4000-8000-{:012x}", NUMBER.fetch_add(1, Ordering::Relaxed))
}
