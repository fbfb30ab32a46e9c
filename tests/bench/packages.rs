//! Packages for archives: what it takes to measure a content and to make its package, by its size.

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

/// The most memory a process ever had that measured a generated content and made its package, in the ranges of an upload.
pub(crate) async fn figure(sizes: [u64; 2]) -> Figure {
    let [small, large] = [packed(sizes[0]).await, packed(sizes[1]).await];
    let ratio = large.peak_kib / small.peak_kib;
    let speed = |of: &Packed, seconds: f64| of.length as f64 / MIB / seconds;
    Figure {
        figure: "peak memory by the size of a package",
        waybill: format!("{:.1} MiB at {}", large.peak_kib / 1024.0, named(sizes[1])),
        compared_with: format!("{:.1} MiB at {}", small.peak_kib / 1024.0, named(sizes[0])),
        ratio,
        bar: "flat within 10 %",
        passed: ratio <= 1.1,
        note: format!(
            "generated content, nothing is stored; measured once (SHA-256, CRC-32, CRC64-NVME) at {:.0} MiB/s, {:.0} at {}; \
             packed as XIP in ranges of 64 MiB, its CRCs compared with those known before, at {:.0} MiB/s, {:.0} at {}",
            speed(&large, large.measure_seconds),
            speed(&small, small.measure_seconds),
            named(sizes[0]),
            speed(&large, large.pack_seconds),
            speed(&small, small.pack_seconds),
            named(sizes[0]),
        ),
        runs: [vec![small.peak_kib, large.peak_kib], vec![small.pack_seconds, large.pack_seconds]],
    }
}

/// In a process of its own: what others needed does not count. The program was built with the bench.
async fn packed(bytes: u64) -> Packed {
    let program = std::env::current_exe().expect("this program").with_file_name("package");
    let output = Command::new(program).args(["generated", &bytes.to_string()]).output().await;
    let output = output.expect("the example `package` of shared is beside the bench");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).expect("it says what it took")
}
