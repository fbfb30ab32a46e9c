//! The dead letters of a flow, for a person at a terminal: what they are, one of them in full, and back onto the queue.
//!
//! ```text
//! cargo run -p operations --example dead-letters -- list
//! cargo run -p operations --example dead-letters -- redrive --code effect.undecided --rate 2 --dry-run
//! ```
//!
//! It takes its settings from the environment, like the function of the flow: `WAYBILL_QUEUE_URL`,
//! `WAYBILL_DEAD_LETTER_QUEUE_URL`, `WAYBILL_TABLE`, and for the trace of items the rest of them; and the credentials of AWS.
//!
//! Exit code 0: there are none (`list`); done. 1: there are some (`list`); there is none such. 2: the command line or a setting
//! is wrong, or a service refused.
#![allow(
    clippy::disallowed_methods,
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a program for people at a terminal"
)]

use std::{io::Write as _, process::ExitCode, time::Duration};

use operations::dead_letters::{DeadLetters, Letter, Trace, groups};
use serde_json::json;
use shared::{
    aws,
    context::Context,
    environment::{Environment, Settings},
    http::Transport,
};

const USAGE: &str = "\
Usage: dead-letters list [options]
       dead-letters show ID [options]
       dead-letters redrive (--id ID | --code CODE) [options]

  list               what there is, by reason code
  show ID            one letter: its body byte for byte on standard output, the rest on standard error
  redrive            back onto the flow's queue, byte for byte; told in the audit
    --id ID          this letter
    --code CODE      those with this reason code (- for those that the queue moved by itself)
    --most N         so many at most (100)
    --rate N         so many per second (1)
    --decision WORD  what was decided about an effect whose end is not known: repeat
    --by NAME        who decided, for the audit
    --dry-run        say which they would be, and do nothing
  --scan N           look at so many letters (1000)
  --json             JSON on standard output
";

#[derive(Default)]
struct Options {
    command: String,
    id: Option<String>,
    code: Option<String>,
    decision: Option<String>,
    by: Option<String>,
    most: Option<usize>,
    scan: Option<usize>,
    rate: Option<f64>,
    dry_run: bool,
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
    let command = arguments.next().filter(|word| matches!(word.as_str(), "list" | "show" | "redrive"));
    let mut options = Options { command: command.ok_or_else(|| USAGE.to_owned())?, ..Options::default() };
    let redrives = options.command == "redrive";
    while let Some(argument) = arguments.next() {
        let mut value = || arguments.next().ok_or_else(|| format!("`{argument}` needs a value.\n\n{USAGE}"));
        match argument.as_str() {
            "--json" => options.json = true,
            "--scan" => options.scan = Some(number(&argument, &value()?)?),
            "--id" if redrives => options.id = Some(value()?),
            "--code" if redrives => options.code = Some(value()?),
            "--most" if redrives => options.most = Some(number(&argument, &value()?)?),
            "--rate" if redrives => options.rate = Some(number(&argument, &value()?)?),
            "--by" if redrives => options.by = Some(value()?),
            "--dry-run" if redrives => options.dry_run = true,
            "--decision" if redrives => match value()?.as_str() {
                "repeat" => options.decision = Some("repeat".to_owned()),
                other => return Err(format!("`{other}` is no decision: it may be `repeat`.\n\n{USAGE}")),
            },
            id if options.command == "show" && options.id.is_none() && !id.starts_with('-') => {
                options.id = Some(id.to_owned());
            }
            other => return Err(format!("`{other}` is not expected here.\n\n{USAGE}")),
        }
    }
    if options.rate.is_some_and(|rate| !(0.01..=1000.0).contains(&rate)) {
        return Err("`--rate` is from 0.01 to 1000 per second.".to_owned());
    }
    let chosen = options.id.is_some() != options.code.is_some();
    match options.command.as_str() {
        "show" if options.id.is_none() => Err(format!("Say which letter to show.\n\n{USAGE}")),
        "redrive" if !chosen => Err(format!("Say what to redrive: `--id` or `--code`.\n\n{USAGE}")),
        _ => Ok(options),
    }
}

fn number<T: std::str::FromStr>(option: &str, value: &str) -> Result<T, String> {
    value.parse().map_err(|_| format!("`{option} {value}` is not a number"))
}

async fn run(options: &Options) -> Outcome {
    let settings = Settings::from_variables(std::env::vars())?;
    let (context, transport) = (Context::system(), Transport::network()?);
    let sdk = aws::connect(&transport, &context).await;
    let letters = DeadLetters::new(Environment::new(settings, context.clone(), transport, &sdk))?;
    let pause = Duration::from_secs_f64(1.0 / options.rate.unwrap_or(1.0));
    let most = options.most.unwrap_or(100);
    // Hidden for as long as it takes, and a minute.
    let needed = pause.saturating_mul(u32::try_from(most).unwrap_or(u32::MAX));
    let hidden = if options.command == "redrive" { needed } else { Duration::ZERO } + Duration::from_secs(60);
    let taken = letters.take(options.scan.unwrap_or(1000), hidden).await?;
    match options.command.as_str() {
        "list" => {
            letters.give_back(&taken).await;
            list(&taken, options.json)
        }
        "show" => {
            let outcome = show(&letters, &taken, options).await;
            letters.give_back(&taken).await;
            outcome
        }
        _ => {
            redrive(&letters, &taken, options, most, |first| {
                let context = context.clone();
                async move {
                    if !first {
                        context.sleep(pause).await;
                    }
                }
            })
            .await
        }
    }
}

fn list(taken: &[Letter], json: bool) -> Outcome {
    let groups = groups(taken);
    if json {
        println!("{}", serde_json::to_string_pretty(&json!({"letters": taken.len(), "groups": groups}))?);
        return Ok(taken.is_empty());
    }
    for group in &groups {
        let flow = group.flow.as_deref().unwrap_or("-");
        let oldest = group.oldest.map(|oldest| format!(", the oldest of {oldest}")).unwrap_or_default();
        println!("{:>6}  {}  {flow}{oldest}", group.count, group.code);
        println!(
            "        {}",
            group.reason.as_deref().unwrap_or("moved by the queue after too many receipts")
        );
        println!("        {}", group.ids.join(" "));
    }
    println!("{} dead letters.", taken.len());
    Ok(taken.is_empty())
}

async fn show(letters: &DeadLetters, taken: &[Letter], options: &Options) -> Outcome {
    let Some(letter) = taken.iter().find(|letter| Some(&letter.id) == options.id.as_ref()) else {
        eprintln!("There is no such letter among the {} that were looked at.", taken.len());
        return Ok(false);
    };
    let trace = letters.trace(letter).await;
    if options.json {
        let (trace, untraced) = match &trace {
            Ok(trace) => (Some(trace), None),
            Err(error) => (None, Some(error.to_string())),
        };
        let shown = json!({
            "id": letter.id, "body": letter.body, "flow": letter.flow(), "code": letter.code(),
            "reason": letter.attribute("waybill-reason"), "sent": letter.sent,
            "message": letter.attribute("waybill-message-id"), "trace": trace, "untraced": untraced,
        });
        println!("{}", serde_json::to_string_pretty(&shown)?);
        return Ok(true);
    }
    std::io::stdout().write_all(letter.body.as_bytes())?;
    let reason = letter.attribute("waybill-reason").unwrap_or("moved by the queue after too many receipts");
    eprintln!("\n{}  {}\n{reason}", letter.code(), letter.flow().unwrap_or("-"));
    match trace {
        Ok(trace) => tell(&trace),
        Err(error) => eprintln!("The items are not known: {error}"),
    }
    Ok(true)
}

fn tell(trace: &Trace) {
    for refused in &trace.refused {
        eprintln!("no item: {refused}");
    }
    for item in &trace.items {
        eprintln!("item {}\n    {}\n    asset {}", item.item, item.about, item.asset);
        let ending = item.ending.unwrap_or("not ended, or not known any more");
        eprintln!("    {ending} {}", item.code.as_deref().unwrap_or_default());
        item.events.iter().for_each(|event| eprintln!("    event {event}"));
    }
}

async fn redrive<F: Future<Output = ()>>(
    letters: &DeadLetters,
    taken: &[Letter],
    options: &Options,
    most: usize,
    pause: impl Fn(bool) -> F,
) -> Outcome {
    let fits = |letter: &&Letter| match (&options.id, &options.code) {
        (Some(id), _) => letter.id == *id,
        (_, Some(code)) => letter.code() == code,
        _ => false,
    };
    let chosen: Vec<&Letter> = taken.iter().filter(fits).take(most).collect();
    let (mut done, mut failure) = (Vec::new(), None);
    if !options.dry_run {
        for (index, letter) in chosen.iter().enumerate() {
            pause(index == 0).await;
            match letters.redrive(letter, options.decision.as_deref(), options.by.as_deref()).await {
                Ok(redriven) => done.push(redriven),
                Err(error) => {
                    failure = Some(error);
                    break;
                }
            }
        }
    }
    letters.give_back(taken.iter().filter(|letter| !done.iter().any(|one| one.id == letter.id))).await;
    let ids: Vec<&str> = chosen.iter().map(|letter| letter.id.as_str()).collect();
    if options.json {
        let told = json!({"chosen": ids, "redriven": done, "dryRun": options.dry_run});
        println!("{}", serde_json::to_string_pretty(&told)?);
    } else if options.dry_run {
        ids.iter().for_each(|id| println!("{id}"));
        println!("{} letters would be put back; nothing was done.", ids.len());
    } else {
        done.iter().for_each(|one| println!("{} is on the queue as {}", one.id, one.message));
        println!("{} of {} letters were put back.", done.len(), ids.len());
    }
    match failure {
        Some(error) => Err(error.into()),
        None => Ok(!chosen.is_empty()),
    }
}
