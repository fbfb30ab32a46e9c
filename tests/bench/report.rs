//! The figures as a table and as JSON.

use std::{path::Path, process::Command};

use serde::Serialize;

/// One row.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Figure {
    /// What was measured.
    pub(crate) figure: &'static str,
    /// What came out for Waybill.
    pub(crate) waybill: String,
    /// What it is compared with, and what came out for that.
    pub(crate) compared_with: String,
    /// The number the bar is about.
    pub(crate) ratio: f64,
    /// The bar in words.
    pub(crate) bar: &'static str,
    /// Whether it was met.
    pub(crate) passed: bool,
    /// What to know about it.
    pub(crate) note: String,
    /// Each run's value: Waybill's and the other's.
    pub(crate) runs: [Vec<f64>; 2],
}

/// Where and with what it was measured.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Setting {
    date: String,
    processor: String,
    processors: usize,
    memory: String,
    system: String,
    waybill: &'static str,
    artefact_bytes: u64,
    rust: String,
    python: String,
    quick: bool,
}

impl Setting {
    pub(crate) fn of(root: &Path, bootstrap: &Path, quick: bool) -> Self {
        let said = |program: &str, arguments: &[&str]| {
            let output = Command::new(program).args(arguments).output();
            output.map(|output| String::from_utf8_lossy(&output.stdout).trim().to_owned()).unwrap_or_default()
        };
        let value = |file: &str, name: &str| {
            let text = std::fs::read_to_string(file).unwrap_or_default();
            let line = text.lines().find(|line| line.starts_with(name)).unwrap_or_default();
            line.split_once(':').map(|(_, value)| value.trim().to_owned()).unwrap_or_default()
        };
        let versions = "import sys, importlib.metadata as m; print('Python', sys.version.split()[0], *(f'{n} {m.version(n)}' \
            for n in ('boto3', 'requests', 'aws-lambda-powertools', 'awslambdaric')), sep=', ')";
        let python = root.join(".venv/bench/bin/python");
        Self {
            date: jiff::Timestamp::now().strftime("%Y-%m-%d %H:%M UTC").to_string(),
            processor: value("/proc/cpuinfo", "model name"),
            processors: std::thread::available_parallelism().map_or(0, std::num::NonZero::get),
            memory: value("/proc/meminfo", "MemTotal"),
            system: said("uname", &["-srm"]),
            waybill: env!("CARGO_PKG_VERSION"),
            artefact_bytes: std::fs::metadata(bootstrap).map_or(0, |data| data.len()),
            rust: said("rustc", &["--version"]),
            python: said(&python.display().to_string(), &["-c", versions]),
            quick,
        }
    }
}

/// Writes both files and prints the table.
pub(crate) fn publish(root: &Path, setting: &Setting, figures: &[Figure]) -> std::io::Result<()> {
    let folder = root.join("target/bench");
    std::fs::create_dir_all(&folder)?;
    let document = serde_json::json!({"setting": setting, "figures": figures});
    std::fs::write(folder.join("figures.json"), format!("{document:#}\n"))?;
    let table = markdown(setting, figures);
    std::fs::write(folder.join("figures.md"), &table)?;
    println!("\n{table}\n{} and figures.json beside it", folder.join("figures.md").display());
    Ok(())
}

fn markdown(setting: &Setting, figures: &[Figure]) -> String {
    let mut text = String::from(
        "| figure | Waybill | compared with | ratio | bar | met |\n| --- | --- | --- | --- | --- | --- |\n",
    );
    for figure in figures {
        text += &format!(
            "| {} | {} | {} | {:.2} | {} | {} |\n",
            figure.figure,
            figure.waybill,
            figure.compared_with,
            figure.ratio,
            figure.bar,
            if figure.passed { "yes" } else { "**no**" }
        );
    }
    text += "\n";
    for figure in figures.iter().filter(|figure| !figure.note.is_empty()) {
        text += &format!("- {}: {}\n", figure.figure, figure.note);
    }
    text + &format!(
        "\nMedians of paired, interleaved runs{}, {}. {} × {}, {}, {}. Waybill {}, bootstrap {:.1} MB, {}. {}.\n",
        if setting.quick { ", few of them (--quick)" } else { "" },
        setting.date,
        setting.processors,
        setting.processor,
        setting.memory,
        setting.system,
        setting.waybill,
        setting.artefact_bytes as f64 / 1e6,
        setting.rust,
        setting.python
    )
}
