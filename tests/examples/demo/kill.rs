//! Kills the function while it uploads the video, as a machine that goes away would.

use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};
use simulators::content_server::Simulator;

use super::{Result, say::Say};

/// Parts of the video that have arrived when the function is killed.
const ARRIVED: usize = 7;

/// How many parts of large uploads the target has.
fn parts(simulator: &Simulator) -> usize {
    let arrived = |path: &str| path.split_once("/v2/multipart/").is_some_and(|(_, rest)| rest.contains('/'));
    simulator
        .journal()
        .entries()
        .iter()
        .filter(|call| call.method == "POST" && call.status == 200 && arrived(&call.path))
        .count()
}

async fn wait_for_parts(simulator: &Simulator, number: usize) {
    while parts(simulator) < number {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// The process that delivers the video: the only one there is when its first part arrives.
pub(crate) async fn worker(simulator: &Simulator, stand_in: i32) -> Result<i32> {
    let first = tokio::time::timeout(Duration::from_secs(60), wait_for_parts(simulator, 1));
    first.await.map_err(|_| "the video did not begin to arrive within a minute".to_owned())?;
    let processes = functions(stand_in)?;
    processes.into_iter().min().ok_or_else(|| "the stand-in for AWS runs no function".to_owned())
}

/// `kill -9` in the middle of the video.
pub(crate) async fn kill(simulator: &Simulator, worker: i32, say: &Say) -> Result<()> {
    wait_for_parts(simulator, ARRIVED).await;
    let pid = Pid::from_raw(worker).ok_or("no process to kill")?;
    kill_process(pid, Signal::KILL)
        .map_err(|error| format!("process {worker} could not be killed: {error}"))?;
    let arrived = parts(simulator);
    say.step(&format!("kill -9 {worker}: the function is gone, {arrived} parts of the video were through"));
    Ok(())
}

/// Processes of functions that the stand-in has started.
fn functions(stand_in: i32) -> Result<Vec<i32>> {
    let output = std::process::Command::new("ps").args(["-A", "-o", "pid=,ppid=,args="]).output();
    let Ok(output) = output else { return functions_in_proc(stand_in) };
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let found = text.lines().filter_map(|line| {
        let mut words = line.split_whitespace();
        let (pid, parent, program) = (words.next()?, words.next()?, words.next()?);
        (parent.parse() == Ok(stand_in) && program.ends_with("/bootstrap")).then(|| pid.parse().ok())?
    });
    Ok(found.collect())
}

/// Where there is no `ps`, as in small containers.
fn functions_in_proc(stand_in: i32) -> Result<Vec<i32>> {
    let folders =
        std::fs::read_dir("/proc").map_err(|_| "there is neither `ps` nor /proc here".to_owned())?;
    let found = folders.flatten().filter_map(|folder| {
        let pid: i32 = folder.file_name().to_str()?.parse().ok()?;
        let status = std::fs::read_to_string(folder.path().join("stat")).ok()?;
        let parent: i32 = status.rsplit_once(')')?.1.split_whitespace().nth(1)?.parse().ok()?;
        let program = std::fs::read(folder.path().join("cmdline")).ok()?;
        let program = program.split(|byte| *byte == 0).next()?.ends_with(b"/bootstrap");
        (parent == stand_in && program).then_some(pid)
    });
    Ok(found.collect())
}
