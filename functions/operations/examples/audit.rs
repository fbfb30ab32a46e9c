//! The audit chain of one asset, for a person at a terminal: taken out of the ledger, and verified anywhere.
//!
//! ```text
//! cargo run -p operations --example audit -- export --node 4711 --out 4711.jsonl
//! cargo run -p operations --example audit -- verify 4711.jsonl --end 5f0c…
//! ```
//!
//! `export` takes the table from the environment, like a function (`WAYBILL_TABLE`, and the credentials of AWS). `verify`
//! needs nothing but the file: neither settings, nor credentials, nor a network.
//!
//! Exit code 0: the chain holds together. 1: it does not, or has no event. 2: it could not be read, or the command line is
//! wrong.
#![allow(
    clippy::disallowed_methods,
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a program for people at a terminal"
)]

use std::{
    io::{Read as _, Write as _},
    process::ExitCode,
};

use serde_json::json;
use shared::{
    audit::{self, Tampering, Verified},
    aws,
    context::Context,
    environment::{Environment, Settings},
    http::Transport,
    ledger::Key,
};

const USAGE: &str = "\
Usage: audit export (--node ID | --object s3://BUCKET/KEY | --asset NAME) [--out FILE] [--json]
       audit verify FILE [--end HASH] [--json]

  export             write the chain of one asset, one event per line
    --node ID        of a node of Content Server
    --object ADDRESS of an object of S3
    --asset NAME     of an asset by its name in the ledger, as in the log field `asset`
    --out FILE       to a file instead of standard output
  verify             check an export, offline; FILE may be - for standard input
    --end HASH       the hash the chain has to end with, as `export` told it and you noted it elsewhere;
                     without it, a chain that is cut at its end cannot be told from a whole one
  --json             what was found as JSON (of `export`: on standard error)
";

#[derive(Default)]
struct Options {
    command: String,
    asset: Option<String>,
    out: Option<String>,
    file: Option<String>,
    end: Option<String>,
    json: bool,
}

fn main() -> ExitCode {
    let outcome = read(std::env::args().skip(1)).and_then(|options| match options.command.as_str() {
        "export" => export(&options),
        _ => verify(&options),
    });
    match outcome {
        Ok(holds) => ExitCode::from(u8::from(!holds)),
        Err(message) => {
            eprintln!("{message}");
            ExitCode::from(2)
        }
    }
}

fn read(mut arguments: impl Iterator<Item = String>) -> Result<Options, String> {
    let command = arguments.next().filter(|word| matches!(word.as_str(), "export" | "verify"));
    let command = command.ok_or_else(|| USAGE.to_owned())?;
    let mut options = Options { command, ..Options::default() };
    let verifies = options.command == "verify";
    while let Some(argument) = arguments.next() {
        let mut value = || arguments.next().ok_or_else(|| format!("`{argument}` needs a value.\n\n{USAGE}"));
        match argument.as_str() {
            "--json" => options.json = true,
            "--end" if verifies => options.end = Some(value()?),
            "--out" if !verifies => options.out = Some(value()?),
            "--node" | "--object" | "--asset" if !verifies && options.asset.is_none() => {
                options.asset = Some(asset(&argument, &value()?)?);
            }
            file if verifies && options.file.is_none() && (file == "-" || !file.starts_with('-')) => {
                options.file = Some(file.to_owned());
            }
            other => return Err(format!("`{other}` is not expected here.\n\n{USAGE}")),
        }
    }
    match (verifies, &options.file, &options.asset) {
        (true, None, _) => Err(format!("Name the file to verify.\n\n{USAGE}")),
        (false, _, None) => Err(format!("Say whose chain: `--node`, `--object` or `--asset`.\n\n{USAGE}")),
        _ => Ok(options),
    }
}

/// The name of an asset in the ledger.
fn asset(option: &str, value: &str) -> Result<String, String> {
    match option {
        "--node" => {
            let node: i64 = value.parse().map_err(|_| format!("`--node {value}` is not the id of a node"))?;
            Ok(Key::of(&["content-server", &node.to_string()]).digest().to_owned())
        }
        "--object" => {
            let place = value.strip_prefix("s3://").and_then(|rest| rest.split_once('/'));
            let (bucket, key) =
                place.ok_or_else(|| format!("`--object {value}` is not of the form s3://bucket/key"))?;
            Ok(Key::of(&[bucket, key]).digest().to_owned())
        }
        _ => Ok(value.to_owned()),
    }
}

fn export(options: &Options) -> Result<bool, String> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(|error| error.to_string())?;
    let asset = options.asset.as_deref().unwrap_or_default();
    let (lines, end) = runtime.block_on(stored(asset)).map_err(|error| error.to_string())?;
    let text: String = lines.iter().flat_map(|line| [line.as_str(), "\n"]).collect();
    match &options.out {
        Some(file) => std::fs::write(file, &text).map_err(|error| format!("{file}: {error}"))?,
        None => std::io::stdout().write_all(text.as_bytes()).map_err(|error| error.to_string())?,
    }
    // The export is checked at once, against the hash that is stored beside the last event.
    let found = audit::inspect(&text, Some(&end));
    eprintln!(
        "{}",
        told(&found, Some("as the ledger has it; note it where nobody can change both"), options.json)
    );
    Ok(found.is_ok_and(|chain| chain.events > 0))
}

async fn stored(asset: &str) -> Result<(Vec<String>, String), Box<dyn std::error::Error>> {
    let settings = Settings::from_variables(std::env::vars())?;
    let (context, transport) = (Context::system(), Transport::network()?);
    let sdk = aws::connect(&transport, &context).await;
    Ok(Environment::new(settings, context, transport, &sdk).ledger.export_chain(asset).await?)
}

fn verify(options: &Options) -> Result<bool, String> {
    let file = options.file.as_deref().unwrap_or_default();
    let mut bytes = Vec::new();
    let outcome = match file {
        "-" => std::io::stdin().read_to_end(&mut bytes).map(drop),
        file => std::fs::read(file).map(|read| bytes = read),
    };
    outcome.map_err(|error| format!("{file}: {error}"))?;
    let found = match String::from_utf8(bytes) {
        Ok(text) => audit::inspect(&text, options.end.as_deref()),
        // Whatever is no text was changed in the line where it stops being text.
        Err(error) => {
            let good = error.utf8_error().valid_up_to();
            let before = error.as_bytes().get(..good).unwrap_or_default();
            let line = before.iter().filter(|byte| **byte == b'\n').count() + 1;
            Err(Tampering::Unreadable { line, problem: "it is not UTF-8".to_owned() })
        }
    };
    println!("{}", told(&found, options.end.as_ref().map(|_| "as noted"), options.json));
    Ok(found.is_ok_and(|chain| chain.events > 0))
}

/// What was found, for people or programs; `end` says what the last hash was compared with.
fn told(found: &Result<Verified, Tampering>, end: Option<&str>, json: bool) -> String {
    if json {
        let value = match found {
            Ok(chain) => json!({
                "verified": chain.events > 0, "asset": chain.asset, "events": chain.events,
                "end": chain.end, "endCompared": end.is_some(),
            }),
            Err(tampering) => json!({
                "verified": false, "line": tampering.line(), "code": tampering.code(),
                "message": tampering.to_string(),
            }),
        };
        return value.to_string();
    }
    match found {
        Ok(chain) if chain.events == 0 => "There is no event.".to_owned(),
        Ok(chain) => {
            let asset = chain.asset.as_deref().unwrap_or_default();
            let end = end.unwrap_or("compare it with the one you noted: the end may be cut off");
            format!(
                "Events 1 to {} of asset {asset} hold together.\nThe last hash is {} ({end}).",
                chain.events, chain.end
            )
        }
        Err(tampering) => format!("Broken: {tampering} [{}].", tampering.code()),
    }
}
