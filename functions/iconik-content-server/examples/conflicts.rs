//! The conflicts of `sync-asset-metadata`, for a person at a terminal: what waits, one asset's history, and the decision.
//!
//! ```text
//! cargo run -p iconik-content-server --example conflicts -- list
//! cargo run -p iconik-content-server --example conflicts -- resolve 5f0c… --take iconik --by steward@example.com
//! ```
//!
//! It takes its settings from the environment, like the flow: `WAYBILL_TABLE`, for `resolve` also `WAYBILL_QUEUE_URL`; and the
//! credentials of AWS. It shows values, which may be personal.
//!
//! Exit code 0: none waits (`list`); done. 1: some wait (`list`); there is none such. 2: the command line or a setting is
//! wrong, or a service refused.
#![allow(
    clippy::disallowed_methods,
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a program for people at a terminal"
)]

use std::process::ExitCode;

use iconik_content_server::sync_asset_metadata::{
    content::{Content, Scalar},
    memory::{Memory, Recorded},
    state::{Cause, Decision, Grounds, Party, Resolution, Side},
};
use serde_json::json;
use shared::{
    aws,
    context::Context,
    environment::{Environment, Settings},
    http::Transport,
    node_change::NodeChange,
};

const USAGE: &str = "\
Usage: conflicts list [--asset ID] [--json]
       conflicts history --asset ID [--json]
       conflicts resolve ID --take SIDE --by NAME [--json]

  list               what waits for a person, of one asset or of all
  history            every conflict of an asset, however it ended
  resolve ID         decide one that waits: the pair is looked at again at once
    --take SIDE      whose value both sides get: iconik or content-server
    --by NAME        who decided
  --json             JSON on standard output
";

#[derive(Default)]
struct Options {
    command: String,
    asset: Option<String>,
    id: Option<String>,
    take: Option<Side>,
    by: Option<String>,
    json: bool,
}

type Outcome = Result<bool, Box<dyn std::error::Error>>;

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let outcome = match read(std::env::args().skip(1)) {
        Ok(options) => Box::pin(run(&options)).await,
        Err(message) => Err(message.into()),
    };
    match outcome {
        Ok(fine) => ExitCode::from(u8::from(!fine)),
        Err(error) => {
            eprintln!("{error}");
            ExitCode::from(2)
        }
    }
}

fn read(mut arguments: impl Iterator<Item = String>) -> Result<Options, String> {
    let command = arguments.next().filter(|word| matches!(word.as_str(), "list" | "history" | "resolve"));
    let mut options = Options { command: command.ok_or_else(|| USAGE.to_owned())?, ..Options::default() };
    let resolves = options.command == "resolve";
    while let Some(argument) = arguments.next() {
        let mut value = || arguments.next().ok_or_else(|| format!("`{argument}` needs a value.\n\n{USAGE}"));
        match argument.as_str() {
            "--json" => options.json = true,
            "--asset" if !resolves => options.asset = Some(value()?),
            "--by" if resolves => options.by = Some(value()?),
            "--take" if resolves => {
                options.take = Some(match value()?.as_str() {
                    "iconik" => Side::Iconik,
                    "content-server" => Side::ContentServer,
                    other => return Err(format!("`{other}` is no side.\n\n{USAGE}")),
                });
            }
            id if resolves && options.id.is_none() && !id.starts_with('-') => {
                options.id = Some(id.to_owned())
            }
            other => return Err(format!("`{other}` is not expected here.\n\n{USAGE}")),
        }
    }
    let decides = options.id.is_some() && options.take.is_some() && options.by.is_some();
    match options.command.as_str() {
        "history" if options.asset.is_none() => Err(format!("Say whose history: `--asset`.\n\n{USAGE}")),
        "resolve" if !decides => Err(format!("Say which conflict, `--take` and `--by`.\n\n{USAGE}")),
        _ => Ok(options),
    }
}

async fn run(options: &Options) -> Outcome {
    let settings = Settings::from_variables(std::env::vars())?;
    let (context, transport) = (Context::system(), Transport::network()?);
    let sdk = aws::connect(&transport, &context).await;
    let environment = Environment::new(settings, context, transport, &sdk);
    let memory = Memory::new(environment.ledger.clone());
    let asset = options.asset.as_deref();
    match options.command.as_str() {
        "list" => {
            let waiting = memory.waiting(asset).await?;
            tell(&waiting, options.json)?;
            Ok(waiting.is_empty())
        }
        "history" => {
            let history = memory.history(asset.unwrap_or_default()).await?;
            tell(&history, options.json)?;
            Ok(!history.is_empty())
        }
        _ => resolve(&environment, &memory, options).await,
    }
}

async fn resolve(environment: &Environment, memory: &Memory, options: &Options) -> Outcome {
    let (Some(id), Some(take), Some(by)) = (&options.id, options.take, &options.by) else { return Ok(false) };
    if environment.settings.queue_url.is_empty() {
        return Err("the setting WAYBILL_QUEUE_URL is missing: the flow's queue, which is told".into());
    }
    let decision = Decision { conflict: id.clone(), take, by: by.clone() };
    let recorded = match memory.decide(&decision).await {
        Ok(recorded) => recorded,
        Err(error) if error.code() == "conflict.unknown" => {
            eprintln!("{error}");
            return Ok(false);
        }
        Err(error) => return Err(error.into()),
    };
    let change = NodeChange::about(
        recorded.node,
        Some("sync"),
        format!("{id} {take:?} {}", environment.context.now()),
    );
    let body = change.envelope("conflicts", "sync-asset-metadata", &environment.context)?;
    environment.send_to_own_queue("tell of decision", body, 0).await?;
    if options.json {
        println!("{}", json!({"decided": decision, "conflict": recorded}));
    } else {
        println!("{}: the value of {} is taken.", recorded.conflict.field, take.name());
    }
    Ok(true)
}

fn tell(conflicts: &[Recorded], json: bool) -> Result<(), serde_json::Error> {
    if json {
        println!("{}", serde_json::to_string_pretty(conflicts)?);
        return Ok(());
    }
    for recorded in conflicts {
        let conflict = &recorded.conflict;
        println!("{}  {}  asset {}  node {}", conflict.id, conflict.field, recorded.asset, recorded.node);
        println!("    {}, recorded {}", outcome(conflict.resolution), recorded.at);
        let agreed = conflict.agreed.as_ref().map_or_else(|| "never agreed".to_owned(), shown);
        println!("    agreed          {agreed}");
        println!("    iconik          {}", party(&conflict.sides.iconik));
        println!("    Content Server  {}", party(&conflict.sides.content_server));
    }
    println!("{} conflicts.", conflicts.len());
    Ok(())
}

fn party(party: &Party) -> String {
    let content = party.content.as_ref().map_or_else(|| "no place for the field".to_owned(), shown);
    let at = party.changed.at.map(|at| format!(", {at}")).unwrap_or_default();
    let by = party.changed.by.as_ref().map(|by| format!(", by {by}")).unwrap_or_default();
    format!("{content}{at}{by}")
}

fn shown(content: &Content) -> String {
    match content {
        Content::Nothing => "nothing".to_owned(),
        Content::Unfit(why, texts) => format!("{texts:?}, which {}", why.text()),
        Content::Values(values) => {
            let texts: Vec<String> = values.iter().map(one).collect();
            texts.join(", ")
        }
    }
}

fn one(value: &Scalar) -> String {
    match value {
        Scalar::Text(text) => format!("{text:?}"),
        Scalar::Number(number) => number.to_string(),
        Scalar::Boolean(truth) => truth.to_string(),
        Scalar::Date(date) => date.to_string(),
        Scalar::Moment(moment) => moment.to_string(),
    }
}

fn outcome(resolution: Resolution) -> String {
    match resolution {
        Resolution::Took { side, grounds } => {
            let grounds = match grounds {
                Grounds::Owner => "the field is its own",
                Grounds::Newest => "it was changed later",
                Grounds::Tie => "it is named for ties",
                Grounds::Person => "a person decided",
                Grounds::Unseen => {
                    "it was written when somebody else may have written; see the asset's history in iconik"
                }
            };
            format!("the value of {} was taken: {grounds}", side.name())
        }
        Resolution::Waits { cause } => {
            let why = match cause {
                Cause::Manual => "the field is left to a person".to_owned(),
                Cause::Unfit { side, why } => format!("the value of {} {}", side.name(), why.text()),
                Cause::NoPlace { side } => format!("{} has no place for the field", side.name()),
                Cause::Loop => "the sides kept altering each other's values".to_owned(),
            };
            format!("waits: {why}")
        }
    }
}
