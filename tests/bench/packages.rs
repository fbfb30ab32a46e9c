//! Packages for archives: what it takes to measure a content and to make its package, by its size.

use std::process::Stdio;

use serde::Deserialize;
use tokio::process::Command;

use crate::{large::named, report::Figure};

const MIB: f64 = 1024.0 * 1024.0;

/// What the program says.
#[derive(Deserialize)]
struct Packed {
    length: u64,
    measure_seconds: f64,
    pack_seconds: f64,
    peak_kib: f64,
}

impl Packed {
    /// MiB a second while a content is measured: read once, SHA-256 and both CRCs at a time.
    fn measured(&self) -> f64 {
        self.length as f64 / MIB / self.measure_seconds
    }

    /// MiB a second while the package passes, its CRCs compared with those known before.
    fn packed(&self) -> f64 {
        self.length as f64 / MIB / self.pack_seconds
    }
}

/// Throughput and peak memory of the same work on a small and a large content, each in a process of its own.
pub(crate) async fn figures(sizes: [u64; 2]) -> [Figure; 2] {
    let [small, large] = [packed(sizes[0]).await, packed(sizes[1]).await];
    [speed(sizes, &small, &large), memory(sizes, &small, &large)]
}

/// Both steps, one after the other: a flow measures first and packs while it uploads.
fn speed(sizes: [u64; 2], small: &Packed, large: &Packed) -> Figure {
    let both = |of: &Packed| of.length as f64 / MIB / (of.measure_seconds + of.pack_seconds);
    let ratio = both(large) / both(small);
    Figure {
        figure: "throughput by the size of a package",
        waybill: format!("{:.0} MiB/s at {}", both(large), named(sizes[1])),
        compared_with: format!("{:.0} MiB/s at {}", both(small), named(sizes[0])),
        ratio,
        bar: "no slower than by 10 %",
        passed: ratio >= 0.9,
        note: format!(
            "generated content, nothing is stored; measured once (SHA-256, CRC-32, CRC64-NVME) at {:.0} MiB/s, {:.0} at {}; \
             packed as XIP in ranges of 64 MiB, its CRCs compared with those known before, at {:.0} MiB/s, {:.0} at {}",
            large.measured(),
            small.measured(),
            named(sizes[0]),
            large.packed(),
            small.packed(),
            named(sizes[0]),
        ),
        runs: [vec![both(large)], vec![both(small)]],
    }
}

/// The most memory a process ever had that measured a generated content and made its package, in the ranges of an upload.
fn memory(sizes: [u64; 2], small: &Packed, large: &Packed) -> Figure {
    let ratio = large.peak_kib / small.peak_kib;
    Figure {
        figure: "peak memory by the size of a package",
        waybill: format!("{:.1} MiB at {}", large.peak_kib / 1024.0, named(sizes[1])),
        compared_with: format!("{:.1} MiB at {}", small.peak_kib / 1024.0, named(sizes[0])),
        ratio,
        bar: "flat within 10 %",
        passed: ratio <= 1.1,
        note: String::new(),
        runs: [vec![large.peak_kib], vec![small.peak_kib]],
    }
}

/// In a process of its own: what others needed does not count. The program was built with the bench. How far it is, it says itself.
async fn packed(bytes: u64) -> Packed {
    eprintln!("  {}", named(bytes));
    let program = std::env::current_exe().expect("this program").with_file_name("package");
    let mut command = Command::new(program);
    command.args(["generated", &bytes.to_string()]).stderr(Stdio::inherit());
    let output = command.output().await.expect("the example `package` of shared is beside the bench");
    assert!(output.status.success(), "the package of {} was not made", named(bytes));
    serde_json::from_slice(&output.stdout).expect("it says what it took")
}
