//! Small uploads: the start, the memory, the processor time of one, and what the ledger costs.

use crate::{
    measure::{median, milliseconds, own, paired, processor_time, resident},
    report::Figure,
    stage::{Side, Stage},
};

/// Bytes of a small upload.
const SMALL: usize = 10 * 1024;

/// Process start to first answer, and what the process has in memory then.
pub(crate) async fn start(stage: &Stage, runs: usize) -> Vec<Figure> {
    let mut times = [Vec::new(), Vec::new()];
    let (mut memory, mut heap) = ([Vec::new(), Vec::new()], [Vec::new(), Vec::new()]);
    // The first pair only warms the machine's caches.
    for run in 0..=runs {
        for (index, side) in [Side::Waybill, Side::Peer].into_iter().enumerate() {
            let function = stage.function(side);
            let batch = stage.small_batch(1, SMALL).await;
            let invocation = stage.run(&function, &batch).await;
            if run > 0 {
                times[index].push(milliseconds(invocation.duration));
                let process = function.processes()[0].id();
                memory[index].push(resident(process) / 1024.0);
                heap[index].push(own(process) / 1024.0);
            }
        }
    }
    let (time, size) = (paired(&times[1], &times[0]), paired(&memory[0], &memory[1]));
    vec![
        Figure {
            figure: "cold start: process start to first answer",
            waybill: format!("{:.1} ms", median(&times[0])),
            compared_with: format!("Python {:.0} ms", median(&times[1])),
            ratio: time,
            bar: "≥ 20 times faster",
            passed: time >= 20.0,
            note: "one upload of 10 KiB, with log-in, claim, read, upload, read-back and tags".into(),
            runs: times,
        },
        Figure {
            figure: "resident memory after the first invocation",
            waybill: format!("{:.1} MiB", median(&memory[0])),
            compared_with: format!("Python {:.1} MiB", median(&memory[1])),
            ratio: size,
            bar: "≤ 0.2",
            passed: size <= 0.2,
            note: format!(
                "without the program itself, which is mapped from its file: {:.1} MiB against {:.1} MiB",
                median(&heap[0]),
                median(&heap[1])
            ),
            runs: memory,
        },
    ]
}

/// Processor time of an upload once the process is warm.
pub(crate) async fn processor(stage: &Stage, blocks: usize, batches: usize) -> Figure {
    let functions = [stage.function(Side::Waybill), stage.function(Side::Peer)];
    for function in &functions {
        let batch = stage.small_batch(10, SMALL).await;
        stage.run(function, &batch).await;
    }
    let (mut times, mut rates) = ([Vec::new(), Vec::new()], [Vec::new(), Vec::new()]);
    for _ in 0..blocks {
        for (index, function) in functions.iter().enumerate() {
            let process = function.processes()[0].id();
            let (before, mut spent) = (processor_time(process), 0.0);
            for _ in 0..batches {
                let batch = stage.small_batch(10, SMALL).await;
                spent += stage.run(function, &batch).await.duration.as_secs_f64();
            }
            let items = (batches * 10) as f64;
            times[index].push(milliseconds(processor_time(process) - before) / items);
            rates[index].push(items / spent);
        }
    }
    let ratio = paired(&times[0], &times[1]);
    Figure {
        figure: "processor time per upload of 10 KiB",
        waybill: format!("{:.2} ms", median(&times[0])),
        compared_with: format!("Python {:.2} ms", median(&times[1])),
        ratio,
        bar: "≤ 0.1",
        passed: ratio <= 0.1,
        note: format!(
            "batches of 10; {:.0} uploads a second against {:.0} with one process and every system on this machine",
            median(&rates[0]),
            median(&rates[1])
        ),
        runs: times,
    }
}

/// What an upload costs in the ledger.
pub(crate) async fn ledger(stage: &Stage) -> Figure {
    let function = stage.function(Side::Waybill);
    let first = stage.small_batch(1, SMALL).await;
    stage.run(&function, &first).await;
    stage.aws.dynamodb().reset_counters(&stage.place.table);
    stage.aws.dynamodb().reset_counters("peer");
    let batch = stage.small_batch(10, SMALL).await;
    stage.run(&function, &batch).await;
    let peer = stage.function(Side::Peer);
    let batch = stage.small_batch(10, SMALL).await;
    stage.run(&peer, &batch).await;
    let counters = stage.aws.dynamodb().counters(&stage.place.table);
    let others = stage.aws.dynamodb().counters("peer");
    let units = counters.write_units as f64 / 10.0;
    Figure {
        figure: "ledger, per small upload",
        waybill: format!("{:.1} writes, {units:.1} write units", counters.writes as f64 / 10.0),
        compared_with: format!(
            "Python {:.1} writes, {:.1} write units, no audit chain, no fence",
            others.writes as f64 / 10.0,
            others.write_units as f64 / 10.0
        ),
        ratio: units,
        bar: "2 writes + audit, ≤ 6 write units",
        passed: counters.writes <= 30 && units <= 6.0,
        note: format!(
            "{:.1} reads, {:.1} read units per upload; the breaker's state is read besides, at most every five seconds",
            counters.reads as f64 / 10.0,
            counters.read_units / 10.0
        ),
        runs: [vec![units], vec![others.write_units as f64 / 10.0]],
    }
}
