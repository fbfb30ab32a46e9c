//! What the intake rules make of an object, without touching anything:
//!
//! ```text
//! cargo run -p s3-content-server --example dry-run -- \
//!     --bucket claims-uploads --key claims/AB123456/report.pdf --tags document-type=report
//! ```
//!
//! It shows names as Content Server takes them: as `WAYBILL_CONTENT_SERVER_SETTINGS` says, or as a default installation does.
//!
//! Exit code 0: the object would be delivered. 1: it would be put aside, with the reasons, or no rule takes it.
//! 2: the rules or the command line are wrong.
#![allow(
    clippy::disallowed_methods,
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a program for people at a terminal"
)]

use std::{collections::BTreeMap, process::ExitCode};

use jiff::Timestamp;
use s3_content_server::intake_rules::{self, IntakeRules, Upload, content};
use shared::content_server::{NameRules, Settings};

const USAGE: &str = "\
Usage: dry-run --bucket NAME --key KEY [options]

  --rules FILE       the rule file (without it: the sample rules of the package)
  --tags k=v,…       the object's tags
  --user k=v,…       its user metadata (x-amz-meta-*, without the prefix)
  --sidecar FILE     its sidecar, a JSON file
  --content FILE     a file with its content, to look at the first bytes and take the size from
  --size BYTES       its size (without --content and --size: 1)
  --type TYPE        the media type it was uploaded with
  --json             JSON instead of text
  --check            only check the rule file
  --schema           only print the JSON Schema of rule files
";

fn main() -> ExitCode {
    match run(std::env::args().skip(1).collect()) {
        Ok(accepted) => ExitCode::from(u8::from(!accepted)),
        Err(message) => {
            eprintln!("{message}");
            ExitCode::from(2)
        }
    }
}

#[derive(Default)]
struct Options {
    values: BTreeMap<&'static str, String>,
    json: bool,
    check: bool,
    schema: bool,
}

const WITH_VALUE: [&str; 9] =
    ["--rules", "--bucket", "--key", "--tags", "--user", "--sidecar", "--content", "--size", "--type"];

fn options(arguments: Vec<String>) -> Result<Options, String> {
    let mut options = Options::default();
    let mut arguments = arguments.into_iter();
    while let Some(argument) = arguments.next() {
        match argument.as_str() {
            "--json" => options.json = true,
            "--check" => options.check = true,
            "--schema" => options.schema = true,
            "--help" | "-h" => return Err(USAGE.to_owned()),
            other => {
                let (name, inline) = match other.split_once('=') {
                    Some((name, value)) if name.starts_with("--") => (name, Some(value.to_owned())),
                    _ => (other, None),
                };
                let Some(known) = WITH_VALUE.into_iter().find(|known| *known == name) else {
                    return Err(format!("`{other}` is not an option.\n\n{USAGE}"));
                };
                let value = inline.or_else(|| arguments.next());
                options
                    .values
                    .insert(known, value.ok_or_else(|| format!("`{known}` needs a value.\n\n{USAGE}"))?);
            }
        }
    }
    Ok(options)
}

fn run(arguments: Vec<String>) -> Result<bool, String> {
    let options = options(arguments)?;
    if options.schema {
        print!("{}", intake_rules::schema());
        return Ok(true);
    }
    let value = |name: &str| options.values.get(name).map(String::as_str);
    let rules = match value("--rules") {
        Some(file) => {
            let text = std::fs::read_to_string(file).map_err(|error| format!("{file}: {error}"))?;
            IntakeRules::parse(&text, file)
        }
        None => IntakeRules::parse(intake_rules::SAMPLE, "intake-rules.toml"),
    };
    let rules = rules.map_err(|diagnostics| diagnostics.to_string())?;
    if options.check {
        println!("{} rules, nothing wrong.", rules.rules().len());
        return Ok(true);
    }
    let (Some(bucket), Some(key)) = (value("--bucket"), value("--key")) else {
        return Err(format!("`--bucket` and `--key` are needed.\n\n{USAGE}"));
    };
    let content = match value("--content") {
        Some(file) => Some(Content::read(file).map_err(|error| format!("{file}: {error}"))?),
        None => None,
    };
    let size = match (value("--size"), &content) {
        (Some(size), _) => size.parse().map_err(|_| format!("`--size {size}` is not a number of bytes"))?,
        (None, Some(content)) => content.size,
        (None, None) => 1,
    };
    let sidecar = match value("--sidecar") {
        Some(file) => {
            let bytes = std::fs::read(file).map_err(|error| format!("{file}: {error}"))?;
            Some(serde_json::from_slice(&bytes).map_err(|error| format!("{file}: {error}"))?)
        }
        None => None,
    };
    let upload = Upload {
        bucket: bucket.to_owned(),
        key: key.to_owned(),
        size,
        content_type: value("--type").map(str::to_owned),
        etag: None,
        version_id: None,
        last_modified: None,
        tags: pairs(value("--tags"))?,
        user: pairs(value("--user"))?,
        sidecar,
        now: Timestamp::now(),
    };
    let mut explanation = intake_rules::explain(&rules, &upload.record(), &names()?);
    if let (Some(content), Some(limits)) = (&content, &explanation.limits) {
        let name = key.rsplit('/').next().unwrap_or_default();
        let found = content::check(limits, name, value("--type"), &content.head);
        explanation.violations.extend(found);
    }
    if options.json {
        println!("{}", serde_json::to_string_pretty(&explanation).map_err(|error| error.to_string())?);
    } else {
        print!("{explanation}");
    }
    Ok(explanation.rule.is_some() && explanation.violations.is_empty())
}

/// Which names the Content Server takes.
fn names() -> Result<NameRules, String> {
    const VARIABLE: &str = "WAYBILL_CONTENT_SERVER_SETTINGS";
    let text = std::env::var(VARIABLE).unwrap_or_default();
    if text.trim().is_empty() {
        return Ok(NameRules::default());
    }
    let settings: Settings = serde_json::from_str(&text).map_err(|error| format!("{VARIABLE}: {error}"))?;
    Ok(settings.names)
}

struct Content {
    size: u64,
    head: Vec<u8>,
}

impl Content {
    fn read(file: &str) -> std::io::Result<Self> {
        use std::io::Read as _;
        let file = std::fs::File::open(file)?;
        let size = file.metadata()?.len();
        let mut head = Vec::new();
        file.take(content::HEAD_LENGTH as u64).read_to_end(&mut head)?;
        Ok(Self { size, head })
    }
}

fn pairs(text: Option<&str>) -> Result<BTreeMap<String, String>, String> {
    let listed = text.unwrap_or_default().split(',').filter(|pair| !pair.is_empty());
    listed
        .map(|pair| match pair.split_once('=') {
            Some((key, value)) => Ok((key.trim().to_owned(), value.to_owned())),
            None => Err(format!("`{pair}` is not of the form key=value")),
        })
        .collect()
}
