//! Whether a Content Server has everything that the rules of `ingest-uploads` need, before the first object comes:
//!
//! ```text
//! WAYBILL_CONTENT_SERVER_URL=https://ecm.example.com/cs/cs \
//!     cargo run -p s3-content-server --example preflight -- --rules my-rules.toml --credential credential.json
//! ```
//!
//! It takes its settings from the environment, like the function: `WAYBILL_CONTENT_SERVER_URL`, `…_SETTINGS` and `…_SECRET`,
//! and `WAYBILL_RULES`. It reads and never writes.
//!
//! Exit code 0: nothing is missing. 1: something is. 2: the command line, the rules or a setting is wrong, or the server
//! cannot be reached.
#![allow(
    clippy::disallowed_methods,
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a program for people at a terminal"
)]

use std::{collections::BTreeMap, process::ExitCode};

use s3_content_server::{
    intake_rules::{IntakeRules, SAMPLE},
    preflight,
};
use shared::{
    aws,
    content_server::Credential,
    context::Context,
    environment::{Environment, Settings},
    http::Transport,
};

const USAGE: &str = "\
Usage: preflight [options]

  --rules FILE       the rule file (without it: WAYBILL_RULES, or else the sample rules of the package)
  --credential FILE  the credential as JSON, as the secret holds it (without it: the secret that
                     WAYBILL_CONTENT_SERVER_SECRET names, with the credentials of AWS)
  --json             JSON instead of text
";

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    match Box::pin(run(std::env::args().skip(1))).await {
        Ok(ready) => ExitCode::from(u8::from(!ready)),
        Err(error) => {
            eprintln!("{error}");
            ExitCode::from(2)
        }
    }
}

async fn run(mut arguments: impl Iterator<Item = String>) -> Result<bool, Box<dyn std::error::Error>> {
    let (mut values, mut json) = (BTreeMap::new(), false);
    while let Some(argument) = arguments.next() {
        match argument.as_str() {
            "--json" => json = true,
            "--rules" | "--credential" => {
                let value = arguments.next().ok_or(format!("`{argument}` needs a value.\n\n{USAGE}"))?;
                values.insert(argument, value);
            }
            "--help" | "-h" => return Err(USAGE.into()),
            other => return Err(format!("`{other}` is not an option.\n\n{USAGE}").into()),
        }
    }
    // The function needs a ledger; this does not.
    let no_ledger = [("WAYBILL_TABLE".to_owned(), "none".to_owned())];
    let mut settings = Settings::from_variables(no_ledger.into_iter().chain(std::env::vars()))?;
    if let Some(rules) = values.remove("--rules") {
        settings.rules = rules;
    }
    let (context, transport) = (Context::system(), Transport::network()?);
    let sdk = aws::connect(&transport, &context).await;
    let environment = Environment::new(settings, context, transport, &sdk);
    let (text, name) = environment.rules_or(SAMPLE).await?;
    let rules = IntakeRules::parse(&text, &name).map_err(|diagnostics| diagnostics.to_string())?;
    let secret = match values.get("--credential") {
        Some(file) => std::fs::read_to_string(file).map_err(|error| format!("{file}: {error}"))?,
        None => environment.secret(&environment.settings.content_server_secret).await?,
    };
    let client = environment.content_server_as(Credential::from_json(&secret)?)?;
    let found = preflight::check(&client, &rules).await?;
    match json {
        true => println!("{}", serde_json::to_string_pretty(&found)?),
        false => print!("{found}"),
    }
    Ok(found.ready)
}
