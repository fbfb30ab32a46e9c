//! The figures that Waybill publishes (`make bench`): the binary that ships beside the same function in Python, on the
//! same Runtime API and the same servers, in runs that take turns.
//!
//! Nothing here fails because something is slow. It fails when something is not delivered: then there is no figure.

mod door;
mod generated;
mod large;
mod master;
mod measure;
mod packages;
mod report;
mod scale;
mod small;
mod stage;

use std::path::{Path, PathBuf};

use report::{Figure, Setting, publish};
use stage::Stage;

/// How much of each.
struct Extent {
    starts: usize,
    blocks: usize,
    batches: usize,
    large_runs: usize,
    large_bytes: u64,
    sizes: Vec<u64>,
    masters: [u64; 2],
    packages: [u64; 2],
    records: usize,
    deliveries: usize,
}

impl Extent {
    fn full() -> Self {
        Self {
            starts: 15,
            blocks: 5,
            batches: 20,
            large_runs: 5,
            large_bytes: 1 << 30,
            sizes: vec![1 << 10, 1 << 20, 1 << 26, 1 << 30, 10 << 30],
            masters: [1 << 20, 20 << 30],
            packages: [1 << 30, 100 << 30],
            records: 1_000_000,
            deliveries: 1000,
        }
    }

    fn quick() -> Self {
        Self {
            starts: 5,
            blocks: 3,
            batches: 8,
            large_runs: 2,
            large_bytes: 1 << 28,
            sizes: vec![1 << 10, 1 << 20, 1 << 28],
            masters: [1 << 20, 1 << 28],
            packages: [1 << 26, 1 << 30],
            records: 100_000,
            deliveries: 200,
        }
    }
}

struct Arguments {
    artefacts: PathBuf,
    quick: bool,
    only: Option<String>,
}

fn arguments() -> Result<Arguments, String> {
    let mut chosen = Arguments { artefacts: "target/lambda-bench".into(), quick: false, only: None };
    let mut rest = std::env::args().skip(1);
    while let Some(argument) = rest.next() {
        let mut value = || rest.next().ok_or_else(|| format!("{argument} needs a value"));
        match argument.as_str() {
            "--artefacts" => chosen.artefacts = value()?.into(),
            "--only" => chosen.only = Some(value()?),
            "--quick" => chosen.quick = true,
            other => {
                return Err(format!(
                    "{other} is not an argument: --quick, --only <part>, --artefacts <folder>"
                ));
            }
        }
    }
    Ok(chosen)
}

#[tokio::main]
async fn main() -> std::process::ExitCode {
    let chosen = match arguments() {
        Ok(chosen) => chosen,
        Err(reason) => {
            eprintln!("{reason}");
            return std::process::ExitCode::from(2);
        }
    };
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the checkout").to_owned();
    let extent = if chosen.quick { Extent::quick() } else { Extent::full() };
    let artefacts = std::path::absolute(&chosen.artefacts).expect("a path");
    let figures = measure_all(&root, &artefacts, &extent, chosen.only.as_deref()).await;
    let setting = Setting::of(&root, &artefacts.join("ingest-uploads/bootstrap"), chosen.quick);
    match publish(&root, &setting, &figures) {
        Ok(()) => std::process::ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("the figures cannot be written: {error}");
            std::process::ExitCode::FAILURE
        }
    }
}

async fn measure_all(root: &Path, artefacts: &Path, extent: &Extent, only: Option<&str>) -> Vec<Figure> {
    let wanted = |part: &str| {
        let wanted = only.is_none_or(|only| only == part);
        if wanted {
            eprintln!("· {part}");
        }
        wanted
    };
    let mut figures = Vec::new();
    if wanted("packages") {
        figures.extend(packages::figures(extent.packages).await);
    }
    if only == Some("packages") {
        // The only part that needs no systems and no artefacts.
        return figures;
    }
    let keeping = Stage::new(root, artefacts, true).await;
    if wanted("start") {
        figures.extend(small::start(&keeping, extent.starts).await);
    }
    if wanted("small") {
        figures.push(small::processor(&keeping, extent.blocks, extent.batches).await);
        figures.push(small::ledger(&keeping).await);
    }
    if wanted("large") {
        let stage = Stage::new(root, artefacts, false).await;
        figures.push(large::speed(&stage, extent.large_runs, extent.large_bytes).await);
    }
    if wanted("memory") {
        let stage = Stage::new(root, artefacts, false).await;
        figures.push(large::memory(&stage, &extent.sizes).await);
    }
    if wanted("master") {
        figures.push(master::memory(root, artefacts, extent.masters).await);
    }
    if wanted("door") {
        let stage = Stage::new(root, artefacts, true).await;
        figures.push(door::answer(&stage, artefacts, extent.deliveries).await);
    }
    if wanted("refused") {
        figures.push(large::refused(&keeping, 64 << 20).await);
    }
    if wanted("ledger") {
        let (small, large) =
            (Stage::new(root, artefacts, true).await, Stage::new(root, artefacts, true).await);
        figures.push(scale::ledger(&small, &large, extent.records, extent.blocks).await);
    }
    figures
}
