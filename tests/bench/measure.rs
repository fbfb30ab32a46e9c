//! Reading a process, and making one number of several.

use std::time::Duration;

/// Linux counts processor time for users in hundredths of a second, whatever the machine.
const TICKS_PER_SECOND: f64 = 100.0;

/// Processor time a process has used so far, its own and the kernel's for it.
pub(crate) fn processor_time(process: i32) -> Duration {
    let stat = std::fs::read_to_string(format!("/proc/{process}/stat")).expect("the process is alive");
    // The second field is the program's name in brackets and may hold anything.
    let fields: Vec<&str> =
        stat.rsplit_once(')').map(|(_, rest)| rest.split_whitespace().collect()).unwrap_or_default();
    let ticks = |index: usize| fields[index].parse::<f64>().expect("a number");
    Duration::from_secs_f64((ticks(11) + ticks(12)) / TICKS_PER_SECOND)
}

/// Memory of a process in KiB: what it has in memory now.
pub(crate) fn resident(process: i32) -> f64 {
    status(process, "VmRSS:")
}

/// Memory of a process in KiB that is its own: without the program, which is mapped from its file.
pub(crate) fn own(process: i32) -> f64 {
    status(process, "RssAnon:")
}

/// Memory of a process in KiB: the most it ever had in memory.
pub(crate) fn peak(process: i32) -> f64 {
    status(process, "VmHWM:")
}

fn status(process: i32, name: &str) -> f64 {
    let text = std::fs::read_to_string(format!("/proc/{process}/status")).expect("the process is alive");
    let line = text.lines().find(|line| line.starts_with(name)).expect("Linux tells it");
    line.split_whitespace().nth(1).and_then(|number| number.parse().ok()).expect("a number")
}

/// The one in the middle.
pub(crate) fn median(values: &[f64]) -> f64 {
    let mut values = values.to_vec();
    values.sort_by(f64::total_cmp);
    match values.len() {
        0 => f64::NAN,
        odd if odd % 2 == 1 => values[odd / 2],
        even => f64::midpoint(values[even / 2 - 1], values[even / 2]),
    }
}

/// The median of the ratios of runs that were made in pairs, one right after the other.
pub(crate) fn paired(above: &[f64], below: &[f64]) -> f64 {
    let ratios: Vec<f64> = above.iter().zip(below).map(|(above, below)| above / below).collect();
    median(&ratios)
}

/// Milliseconds, as a number to calculate with.
pub(crate) fn milliseconds(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1000.0
}
