//! `up` and `down`: the demo's systems, left running for files of one's own.

use std::{
    os::unix::process::CommandExt,
    path::{Path, PathBuf},
    process::Stdio,
    time::Duration,
};

use serde::{Deserialize, Serialize};
use simulators::{
    Clock, consonance,
    content_server::{Settings, Simulator},
    iconik, otmm, preservica, serve,
};
use tests::noted::Noted;
use tokio::{
    signal::unix::{SignalKind, signal},
    task::JoinHandle,
};

use super::{
    Result,
    say::Say,
    systems::{self, CREDENTIALS, Stack, StandIn, root, state},
    table,
};

/// The ports asked for; 0 takes free ones.
#[derive(Default)]
pub(crate) struct Ports {
    pub(crate) stand_in: u16,
    pub(crate) simulator: u16,
}

/// The simulators' process, as noted for `down`.
#[derive(Serialize, Deserialize)]
struct Running {
    #[serde(flatten)]
    process: Noted,
    /// Where Content Server is.
    url: String,
    /// The other systems: name and address.
    #[serde(default)]
    others: Vec<(String, String)>,
}

fn folder() -> PathBuf {
    state("up")
}

fn record() -> PathBuf {
    folder().join("simulator.json")
}

fn stand_in_state() -> PathBuf {
    folder().join("stand-in")
}

/// Starts everything, deploys, and leaves.
pub(crate) async fn up(ports: Ports) -> Result<()> {
    let say = Say::new(false);
    if let Some(running) = running()? {
        return Err(format!(
            "It is up already: {}/_simulator/. `make down` stops it, then `make up` starts anew.",
            running.url
        ));
    }
    systems::artefacts()?;
    // What an interrupted `up` may have left.
    StandIn::stop(&stand_in_state())?;
    std::fs::create_dir_all(folder()).map_err(|error| format!("{}: {error}", folder().display()))?;
    let outcome = start(ports, &say).await;
    if outcome.is_err() {
        stop_simulator()?;
        StandIn::stop(&stand_in_state())?;
    }
    outcome
}

async fn start(ports: Ports, say: &Say) -> Result<()> {
    let Running { url: content_server, others, .. } = start_simulator(ports.simulator).await?;
    say.step(&format!("Content Server simulator   {content_server}/_simulator/"));
    for (name, url) in others {
        say.step(&format!("{name:<26} {url}/_simulator/"));
    }
    let mut stand_in = StandIn::start(stand_in_state(), ports.stand_in).await?;
    say.step(&format!("stand-in for AWS           {}", stand_in.url));
    let mut stack = Stack::at(&stand_in.url)?;
    stack.deploy(&content_server, &[], &[]).await?;
    stand_in.ends_with_us = false;
    let intake = stack.intake()?;
    say.step("infra/template.yaml is deployed");
    let aws = format!("aws --endpoint-url {}", stand_in.url);
    say.line("\nUpload a file of your own:");
    say.line(&format!("  export {CREDENTIALS}"));
    say.line(&format!("  {aws} s3 cp some.pdf s3://{intake}/claims/100117/some.pdf"));
    say.line("\nSeconds later it is in Content Server, in the folder Evidence of the claim's workspace:");
    say.line(&format!(
        "  {content_server}/_simulator/   Enterprise / Claims / CLM-100117 Water damage / Evidence"
    ));
    say.line("The keys that are taken, and what is made of them: functions/s3-content-server/rules/intake-rules.toml");
    say.line("\nWhere to look");
    table::show_commands(&stack, &stand_in.url, say)?;
    say.line("\n`make down` stops it.");
    Ok(())
}

/// Starts this program as the simulator, apart from the terminal.
async fn start_simulator(port: u16) -> Result<Running> {
    let program = std::env::current_exe().map_err(|error| error.to_string())?;
    let place = folder().join("simulator.log");
    let log = std::fs::File::create(&place).map_err(|error| format!("{}: {error}", place.display()))?;
    let errors = log.try_clone().map_err(|error| error.to_string())?;
    let mut command = std::process::Command::new(program);
    command.args(["simulator", "--simulator-port", &port.to_string()]).current_dir(root());
    command.stdin(Stdio::null()).stdout(log).stderr(errors).process_group(0);
    let mut child = command.spawn().map_err(|error| format!("the simulator did not start: {error}"))?;
    for _ in 0..200 {
        if let Some(running) = running()? {
            return Ok(running);
        }
        if child.try_wait().is_ok_and(|ended| ended.is_some()) {
            break;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    let log = std::fs::read_to_string(&place).unwrap_or_default();
    Err(format!("The Content Server simulator did not start: {}", log.trim()))
}

/// The systems beside Content Server, each on a free port. Nothing that `up` deploys calls them; they are for whoever sets up a
/// flow that does.
async fn others() -> Result<(Vec<(String, String)>, Vec<JoinHandle<()>>)> {
    let iconik = iconik::Simulator::new(iconik::Settings::default(), Clock::machine());
    let preservica = preservica::Simulator::new(preservica::Settings::default(), Clock::machine());
    let consonance = consonance::Simulator::new(consonance::Settings::default(), Clock::machine());
    let otmm = otmm::Simulator::new(otmm::Settings::default(), Clock::machine());
    let mut tasks = vec![iconik.start_sending(), preservica.start_sending()];
    let mut addresses = Vec::new();
    for (name, router) in [
        ("iconik simulator", iconik.router()),
        ("Preservica simulator", preservica.router()),
        ("Consonance simulator", consonance.router()),
        ("OTMM simulator", otmm.router()),
    ] {
        let (address, task) = serve(router, 0).await.map_err(|error| format!("{name}: {error}"))?;
        addresses.push((name.to_owned(), format!("http://{address}")));
        tasks.push(task);
    }
    let (storage, task) = serve(consonance.storage_router(), 0).await.map_err(|error| error.to_string())?;
    consonance.with_state(|state| state.settings.upload_origin = format!("http://{storage}"));
    tasks.push(task);
    Ok((addresses, tasks))
}

/// The simulators themselves, until they are told to stop.
pub(crate) async fn simulator(port: u16) -> Result<()> {
    let simulator = Simulator::new(Settings::default(), Clock::machine());
    let served = serve(simulator.router(), port).await;
    let (address, server) = served.map_err(|error| match error.kind() {
        std::io::ErrorKind::AddrInUse => {
            format!("port {port} is taken; choose another with --simulator-port")
        }
        _ => error.to_string(),
    })?;
    let pid = i32::try_from(std::process::id()).map_err(|error| error.to_string())?;
    let (others, tasks) = others().await?;
    let running = Running { process: Noted::of(pid), url: format!("http://{address}"), others };
    let text = serde_json::to_string(&running).map_err(|error| error.to_string())?;
    // Whoever reads the note may end us at once.
    let mut terminated = signal(SignalKind::terminate()).map_err(|error| error.to_string())?;
    // Whole or not at all: somebody waits for it.
    let draft = folder().join("simulator.json.new");
    let written = std::fs::write(&draft, text).and_then(|()| std::fs::rename(&draft, record()));
    written.map_err(|error| format!("{}: {error}", record().display()))?;
    tokio::select! {
        _ = tokio::signal::ctrl_c() => {}
        _ = terminated.recv() => {}
    }
    server.abort();
    tasks.iter().for_each(JoinHandle::abort);
    Ok(())
}

/// What is noted as running and still is. A stale note is removed, and said.
fn running() -> Result<Option<Running>> {
    let Ok(text) = std::fs::read(record()) else { return Ok(None) };
    let noted: Option<Running> = serde_json::from_slice(&text).ok();
    match noted {
        Some(running) if running.process.is_running() => Ok(Some(running)),
        other => {
            let pid = other.map_or_else(|| "?".to_owned(), |running| running.process.pid.to_string());
            println!("a stale note of process {pid}, which is gone, is removed from {}", shown(&record()));
            std::fs::remove_file(record()).map_err(|error| error.to_string())?;
            Ok(None)
        }
    }
}

fn stop_simulator() -> Result<bool> {
    let Some(running) = running()? else { return Ok(false) };
    running.process.end();
    let _ = std::fs::remove_file(record());
    Ok(true)
}

/// Stops what `up` started.
pub(crate) async fn down() -> Result<()> {
    let stopped =
        [("simulators", stop_simulator()?), ("stand-in for AWS", StandIn::stop(&stand_in_state())?)];
    for (name, was_running) in stopped {
        println!("{name:<25} {}", if was_running { "stopped" } else { "was not running" });
    }
    Ok(())
}

fn shown(path: &Path) -> String {
    path.strip_prefix(root()).unwrap_or(path).display().to_string()
}
