//! Whether the millionth upload costs what the thousandth did.

use axum::{body::Body, http::Request};
use serde_json::{Value, json};

use crate::{
    measure::{median, milliseconds, paired, processor_time},
    report::Figure,
    stage::{Side, Stage},
};

const SMALL: usize = 10 * 1024;

/// Fills a ledger with records like those of real uploads, up to so many.
async fn fill(stage: &Stage, records: usize) {
    let table = &stage.place.table;
    let samples = stage.aws.dynamodb().dump(table);
    let samples: Vec<&Value> = samples.as_array().map(|all| all.iter().collect()).unwrap_or_default();
    assert!(!samples.is_empty(), "there is no upload to copy");
    let mut made = samples.len();
    let mut round = 0_u64;
    while made < records {
        round += 1;
        for sample in &samples {
            let mut item = (*sample).clone();
            // Keys end with a digest: another one for each round.
            let pk = item["pk"]["S"].as_str().unwrap_or_default();
            let (start, _) = pk.rsplit_once('#').unwrap_or((pk, ""));
            item["pk"]["S"] = format!("{start}#{round:064x}").into();
            let body = json!({"TableName": table, "Item": item}).to_string();
            let request =
                Request::post("http://aws.invalid/").header("x-amz-target", "DynamoDB_20120810.PutItem");
            let answer = stage.aws.call(request.body(Body::from(body)).expect("complete")).await;
            assert!(answer.status().is_success());
            made += 1;
        }
    }
}

/// The cost of an upload with a small and a large ledger.
pub(crate) async fn ledger(small: &Stage, large: &Stage, records: usize, blocks: usize) -> Figure {
    let stages = [large, small];
    let functions = stages.map(|stage| stage.function(Side::Waybill));
    for (stage, function) in stages.iter().zip(&functions) {
        let batch = stage.small_batch(10, SMALL).await;
        stage.run(function, &batch).await;
    }
    fill(small, 1000).await;
    fill(large, records).await;
    let (mut times, mut processor, mut units) =
        ([Vec::new(), Vec::new()], [Vec::new(), Vec::new()], [0.0, 0.0]);
    for stage in stages {
        stage.aws.dynamodb().reset_counters(&stage.place.table);
    }
    for _ in 0..blocks {
        for (index, (stage, function)) in stages.iter().zip(&functions).enumerate() {
            let process = function.processes()[0].id();
            let (before, mut spent) = (processor_time(process), 0.0);
            for _ in 0..10 {
                let batch = stage.small_batch(10, SMALL).await;
                spent += milliseconds(stage.run(function, &batch).await.duration);
            }
            times[index].push(spent / 100.0);
            processor[index].push(milliseconds(processor_time(process) - before) / 100.0);
        }
    }
    for (index, stage) in stages.iter().enumerate() {
        let counters = stage.aws.dynamodb().counters(&stage.place.table);
        units[index] = (counters.write_units as f64 + counters.read_units) / (blocks as f64 * 100.0);
    }
    let (time, work, cost) =
        (paired(&times[0], &times[1]), paired(&processor[0], &processor[1]), units[0] / units[1]);
    Figure {
        figure: "cost of an upload with a large ledger",
        waybill: format!("{:.2} units, {:.2} ms at {records} records", units[0], median(&times[0])),
        compared_with: format!("{:.2} units, {:.2} ms at 1000 records", units[1], median(&times[1])),
        ratio: cost.max(time),
        bar: "≤ 1.1",
        passed: cost <= 1.1 && time <= 1.1,
        note: format!(
            "the larger of read and write units ({cost:.3}) and time ({time:.3}); processor time {work:.3}; the ledger is \
             the stand-in in this process, so the time says what the function does and not what DynamoDB does"
        ),
        runs: times,
    }
}
