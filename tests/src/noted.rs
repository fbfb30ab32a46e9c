//! A process that is noted, to be ended later by whoever reads the note: it, and not another that got its number since.

use rustix::process::{Pid, Signal, kill_process};
use serde::{Deserialize, Serialize};

/// Which process.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Noted {
    /// Its number. Numbers are given again once a process has ended.
    pub pid: i32,
    /// When it began, in the words of the system. A process of which the system says nothing is nobody's.
    pub began: Option<String>,
}

impl Noted {
    /// The process that has this number now.
    pub fn of(pid: i32) -> Self {
        Self { pid, began: began(pid) }
    }

    /// Whether it still runs.
    pub fn is_running(&self) -> bool {
        self.began.is_some() && self.began == began(self.pid)
    }

    /// Asks it to end, if it still runs.
    pub fn end(&self) {
        if let Some(pid) = Pid::from_raw(self.pid).filter(|_| self.is_running()) {
            // That it ended in between is as good.
            let _ = kill_process(pid, Signal::TERM);
        }
    }
}

/// When a process began: ticks since the machine did on Linux, a date elsewhere.
fn began(pid: i32) -> Option<String> {
    if let Ok(stat) = std::fs::read_to_string(format!("/proc/{pid}/stat")) {
        // The name in brackets may hold anything; the 22nd field is the 20th behind it.
        return stat.rsplit_once(") ")?.1.split_whitespace().nth(19).map(str::to_owned);
    }
    let asked = std::process::Command::new("ps").args(["-o", "lstart=", "-p", &pid.to_string()]).output();
    let said = String::from_utf8(asked.ok()?.stdout).ok()?.trim().to_owned();
    (!said.is_empty()).then_some(said)
}
