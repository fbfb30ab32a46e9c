//! Compares both sides of a flow, for a person at a terminal. It takes its settings from the environment, like the function
//! (`WAYBILL_TABLE`, `WAYBILL_REPORT_BUCKET`, `WAYBILL_CONTENT_SERVER_URL` and so on, and the credentials of AWS):
//!
//! ```text
//! cargo run -p operations --example reconcile -- --flow ingest-uploads
//! ```
//!
//! Exit code 0: both sides agree. 1: there are differences. 2: they could not be compared.
#![allow(
    clippy::disallowed_methods,
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a program for people at a terminal"
)]

use std::{process::ExitCode, time::Duration};

use operations::reconcile::{Reconcile, Standing};
use shared::{
    aws,
    context::Context,
    environment::{Environment, Settings},
    function::Function,
    http::Transport,
    reconcile::{Options, Report},
};

const USAGE: &str = "\
Usage: reconcile --flow NAME [options]

  --flow NAME     the flow; without it: which flows the rules name
  --rules FILE    what is compared (without it: WAYBILL_RULES)
  --deep          read and hash contents where no side states a hash
  --repair        put what is safe onto the flow's queue
  --json          the report as JSON on standard output
";

/// How long one step takes at most, between two lines of progress.
const STEP: Duration = Duration::from_secs(5);

#[derive(Default)]
struct Arguments {
    flow: Option<String>,
    rules: Option<String>,
    deep: bool,
    repair: bool,
    json: bool,
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let arguments = match read(std::env::args().skip(1)) {
        Ok(arguments) => arguments,
        Err(message) => {
            eprintln!("{message}");
            return ExitCode::from(2);
        }
    };
    match Box::pin(run(&arguments)).await {
        Ok(agree) => ExitCode::from(u8::from(!agree)),
        Err(error) => {
            eprintln!("{error}");
            ExitCode::from(2)
        }
    }
}

fn read(mut arguments: impl Iterator<Item = String>) -> Result<Arguments, String> {
    let mut read = Arguments::default();
    while let Some(argument) = arguments.next() {
        let mut value = || arguments.next().ok_or_else(|| format!("`{argument}` needs a value.\n\n{USAGE}"));
        match argument.as_str() {
            "--flow" => read.flow = Some(value()?),
            "--rules" => read.rules = Some(value()?),
            "--deep" => read.deep = true,
            "--repair" => read.repair = true,
            "--json" => read.json = true,
            "--help" | "-h" => return Err(USAGE.to_owned()),
            other => return Err(format!("`{other}` is not an option.\n\n{USAGE}")),
        }
    }
    Ok(read)
}

async fn run(arguments: &Arguments) -> Result<bool, Box<dyn std::error::Error>> {
    let mut settings = Settings::from_variables(std::env::vars())?;
    if let Some(rules) = &arguments.rules {
        settings.rules.clone_from(rules);
    }
    let (context, transport) = (Context::system(), Transport::network()?);
    let sdk = aws::connect(&transport, &context).await;
    let environment = Environment::new(settings, context, transport, &sdk);
    let reconcile = Reconcile::connect(&environment).await?;
    let Some(flow) = &arguments.flow else {
        println!("{}", reconcile.flows().join("\n"));
        return Ok(true);
    };
    let plan = reconcile.plan(flow).ok_or_else(|| {
        format!("The rules do not compare {flow}; they compare {}.", reconcile.flows().join(", "))
    })?;
    let options =
        Options { deep: arguments.deep || plan.options.deep, repair: arguments.repair, ..plan.options };
    loop {
        let now = environment.context.now_milliseconds();
        let step = i64::try_from(STEP.as_millis()).unwrap_or(i64::MAX);
        let standing = reconcile.go(plan, Some(options), now + 60 * step, now + step).await?;
        let standing = standing.ok_or("Somebody else compares this flow at the moment; try again later.")?;
        if standing.done {
            return tell(&environment, &standing, arguments.json).await;
        }
        progress(&standing);
    }
}

fn progress(standing: &Standing) {
    let counts = &standing.state.counts;
    eprintln!(
        "{} of the source, {} of the target; {} missing, {} different, {} with other metadata, {} extra, \
         {} unverifiable",
        counts.source,
        counts.target,
        counts.missing,
        counts.different,
        counts.metadata,
        counts.extra,
        counts.unverifiable
    );
}

async fn tell(
    environment: &Environment,
    standing: &Standing,
    json: bool,
) -> Result<bool, Box<dyn std::error::Error>> {
    progress(standing);
    let place = &standing.place;
    eprintln!("reports: s3://{}/{}", place.bucket, place.prefix);
    let key = format!("{}report.json", place.prefix);
    let object = environment.s3.get_object().bucket(&place.bucket).key(key).send().await?;
    let bytes = object.body.collect().await?.into_bytes();
    if json {
        println!("{}", String::from_utf8_lossy(&bytes));
    } else {
        let report: Report = serde_json::from_slice(&bytes)?;
        for finding in &report.findings {
            println!("{}: {}", finding.kind.name(), finding.name);
            println!("    {}", finding.key);
            println!("    {}", finding.explanation);
            let safe = if finding.repair.safe { "with --repair" } else { "a person" };
            println!("    to do ({safe}): {}", finding.repair.what);
        }
        println!("{}", if report.agree { "Both sides agree." } else { "The sides differ." });
    }
    Ok(standing.state.counts.agree())
}
