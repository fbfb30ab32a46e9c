//! Serves one simulator on a loopback port until interrupted.
//!
//! `cargo run -p simulators --example serve -- content-server --port 8080 [--state FILE] [--settings FILE]`

use std::process::ExitCode;
use std::time::Duration;

use simulators::content_server::{Settings, Simulator, Store};
use simulators::{Clock, serve};

const USAGE: &str = "usage: serve content-server [--port N] [--state FILE] [--settings FILE]

  --port N         loopback port (default 8080; 0 takes a free one and prints it)
  --state FILE     keep the repository in this file across restarts
  --settings FILE  JSON with the switches to change (see the README)";

struct Arguments {
    port: u16,
    state: Option<String>,
    settings: Settings,
}

fn arguments() -> Result<Arguments, String> {
    let mut given = std::env::args().skip(1);
    match given.next().as_deref() {
        Some("content-server") => {}
        Some(other) => return Err(format!("there is no simulator called '{other}'\n{USAGE}")),
        None => return Err(USAGE.to_owned()),
    }
    let mut arguments = Arguments { port: 8080, state: None, settings: Settings::default() };
    while let Some(option) = given.next() {
        let value = given.next().ok_or_else(|| format!("{option} needs a value\n{USAGE}"))?;
        match option.as_str() {
            "--port" => arguments.port = value.parse().map_err(|_| format!("'{value}' is not a port"))?,
            "--state" => arguments.state = Some(value),
            "--settings" => {
                let text = std::fs::read(&value).map_err(|error| format!("{value}: {error}"))?;
                arguments.settings =
                    serde_json::from_slice(&text).map_err(|error| format!("{value}: {error}"))?;
            }
            _ => return Err(format!("there is no option {option}\n{USAGE}")),
        }
    }
    Ok(arguments)
}

#[allow(clippy::print_stdout, reason = "a program for people: it says where it listens")]
async fn run(arguments: Arguments) -> std::io::Result<()> {
    let mut store = arguments.state.map(Store::at);
    let clock = Clock::machine();
    let simulator = match &store {
        Some(store) => store.open(arguments.settings, clock)?,
        None => Simulator::new(arguments.settings, clock),
    };
    let (address, server) = serve(simulator.router(), arguments.port).await?;
    println!(
        "Content Server simulator: http://{address}/otcs/cs.exe/api   page: http://{address}/_simulator/"
    );
    loop {
        tokio::select! {
            _ = tokio::signal::ctrl_c() => break,
            () = tokio::time::sleep(Duration::from_millis(500)) => {
                if let Some(store) = &mut store {
                    store.save(&simulator)?;
                }
            }
        }
    }
    server.abort();
    match &mut store {
        Some(store) => store.save(&simulator),
        None => Ok(()),
    }
}

#[tokio::main]
async fn main() -> ExitCode {
    let outcome = match arguments() {
        Ok(arguments) => run(arguments).await.map_err(|error| error.to_string()),
        Err(reason) => Err(reason),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(reason) => {
            #[allow(clippy::print_stderr, reason = "a program for people: it says why it stops")]
            {
                eprintln!("{reason}");
            }
            ExitCode::FAILURE
        }
    }
}
