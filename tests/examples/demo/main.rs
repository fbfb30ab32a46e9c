//! `make demo`, `make up` and `make down`: the whole of Waybill on this machine, without an account.
//!
//! The demo starts the stand-in for AWS and the Content Server simulator on loopback ports, deploys the real template
//! with the real artefacts, uploads a generated set of files, kills the function in the middle, and then holds what is
//! in the target, the ledger, the quarantine and the queues against what was promised. `FLOW=` tells another flow's story
//! (`stories`).

mod background;
mod chains;
mod contents;
mod evidence;
mod filed;
mod kill;
mod ledger;
mod promises;
mod report;
mod run;
mod samples;
mod say;
mod stage;
mod stories;
mod systems;
mod table;
mod uploads;

use std::{path::PathBuf, process::ExitCode};

/// What goes wrong is told to people in one line.
type Result<T> = std::result::Result<T, String>;

const USAGE: &str =
    "usage: demo [--flow NAME|all] [--json] [--keep]    deploy, act, prove; exit 0 only when every promise held
       demo up [--port N] [--simulator-port N]    leave it running for files of your own
       demo down                                  stop what `up` started, and nothing else

  --flow             whose story; ingest-uploads unless given
  --json             one JSON document on standard output, progress on standard error
  --keep             leave everything running after the report until interrupted
  --port             loopback port of the stand-in for AWS; a free one unless given
  --simulator-port   loopback port of the Content Server simulator; a free one unless given";

enum Command {
    Demo(run::Options),
    Up(background::Ports),
    Down,
    /// The simulators of `up`, in a process of their own: the port of the first, and the file that says where they are.
    Simulator(u16, Option<PathBuf>),
}

fn command() -> Result<Command> {
    let mut given = std::env::args().skip(1).peekable();
    let word = given.next_if(|first| !first.starts_with('-'));
    let mut run = run::Options::default();
    let (mut ports, mut record) = (background::Ports::default(), None);
    let name = word.as_deref().unwrap_or("");
    while let Some(option) = given.next() {
        let mut port = || {
            let value = given.next().ok_or_else(|| format!("{option} needs a port\n{USAGE}"))?;
            value.parse::<u16>().map_err(|_| format!("{value} is not a port"))
        };
        match (name, option.as_str()) {
            ("", "--json") => run.json = true,
            ("", "--keep") => run.keep = true,
            ("", "--flow") => {
                run.flow = Some(given.next().ok_or_else(|| format!("--flow needs a name\n{USAGE}"))?);
            }
            ("up", "--port") => ports.stand_in = port()?,
            ("up" | "simulator", "--simulator-port") => ports.simulator = port()?,
            ("simulator", "--record") => record = given.next().map(PathBuf::from),
            _ => return Err(format!("there is no option {option} here\n{USAGE}")),
        }
    }
    match name {
        "" => Ok(Command::Demo(run)),
        "up" => Ok(Command::Up(ports)),
        "down" => Ok(Command::Down),
        "simulator" => Ok(Command::Simulator(ports.simulator, record)),
        other => Err(format!("there is no {other} here\n{USAGE}")),
    }
}

#[tokio::main]
async fn main() -> ExitCode {
    let outcome = match command() {
        Ok(Command::Demo(options)) => run::demo(&options).await,
        Ok(Command::Up(ports)) => background::up(ports).await.map(|()| true),
        Ok(Command::Down) => background::down().await.map(|()| true),
        Ok(Command::Simulator(port, record)) => background::simulator(port, record).await.map(|()| true),
        Err(reason) => Err(reason),
    };
    match outcome {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(reason) => {
            eprintln!("{reason}");
            ExitCode::FAILURE
        }
    }
}
