//! The Lambda side of flows and functions: everything that knows about Lambda is in this folder.

mod door;

use std::{sync::Arc, time::Duration};

use aws_lambda_events::event::sqs::SqsEvent;
use lambda_runtime::{LambdaEvent, service_fn};
use serde_json::Value;
use tracing::{Instrument, Level, Metadata};
use tracing_subscriber::{
    EnvFilter, filter::filter_fn, fmt::MakeWriter, layer::SubscriberExt, util::SubscriberInitExt,
};

use self::door::Door;

use crate::{
    aws,
    batch::{Invocation, Runner},
    context::Context,
    environment::{Environment, Settings},
    error::Error,
    flow::Entry,
    function::{AnyFunction, FunctionEntry},
    http::Transport,
};

/// Why a function did not start.
pub type StartError = lambda_runtime::Error;

/// Runs a flow as a Lambda function until the service ends it.
///
/// # Errors
/// When settings, rules or secrets are wrong: the function refuses to start and says why.
pub fn start(entry: &'static Entry) -> Result<(), StartError> {
    tell();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(serve(entry))
}

/// Runs a function that a schedule or HTTP requests start, until the service ends it.
///
/// # Errors
/// When settings, configuration or secrets are wrong: the function refuses to start and says why.
pub fn start_function(entry: &'static FunctionEntry) -> Result<(), StartError> {
    tell();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(serve_function(entry))
}

fn tell() {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("info"));
    log_lines(filter, std::io::stdout).init();
}

/// The crates whose every line may be read by anybody who reads logs: ours.
pub const OURS: &[&str] =
    &["iconik_content_server", "operations", "s3_content_server", "shared", "watch", "webhooks"];

/// Below `info`, libraries write what passes through them: whole events, headers, signatures. However the filter is set,
/// such lines come from our own code only.
fn is_fit_to_be_read(line: &Metadata<'_>) -> bool {
    let origin = line.target().split("::").next().unwrap_or_default();
    *line.level() <= Level::INFO || OURS.contains(&origin)
}

/// How logs go out: as JSON, one line each. `span` is the item a line is about, `spans` names the invocation as well.
/// Of what libraries have to say, nothing below `info`.
pub fn log_lines<W>(filter: EnvFilter, to: W) -> impl tracing::Subscriber + Send + Sync
where
    W: for<'line> MakeWriter<'line> + Send + Sync + 'static,
{
    tracing_subscriber::fmt()
        .json()
        .flatten_event(true)
        .with_current_span(true)
        .with_span_list(true)
        .with_target(false)
        .with_env_filter(filter)
        .with_writer(to)
        .finish()
        .with(filter_fn(is_fit_to_be_read))
}

async fn serve(entry: &'static Entry) -> Result<(), lambda_runtime::Error> {
    let runner = connect(entry).await.inspect_err(|error| {
        tracing::error!(flow = entry.name, code = error.code(), error = ?error, "the function does not start");
    })?;
    let runner = Arc::new(runner);
    let stopping = runner.clone();
    await_shutdown(move || async move {
        if tokio::time::timeout(GIVE_BACK_WITHIN, stopping.stop()).await.is_err() {
            tracing::warn!(flow = entry.name, "work under way is left until its claim ends");
        }
        // The runtime is about to hand the batch's answer over.
        tokio::time::sleep(ANSWER_WITHIN).await;
    })
    .await;
    let runner = &*runner;
    lambda_runtime::run(service_fn(|event: LambdaEvent<SqsEvent>| async move {
        let (invocation, span) = bounds(&event.context);
        let batch = runner.run(event.payload, invocation);
        Ok::<_, lambda_runtime::Error>(batch.instrument(span).await)
    }))
    .await
}

async fn serve_function(entry: &'static FunctionEntry) -> Result<(), lambda_runtime::Error> {
    let connected = async { entry.connect(&environment().await?).await };
    let function = connected.await.inspect_err(|error: &Error| {
        tracing::error!(flow = entry.name, code = error.code(), error = ?error, "the function does not start");
    })?;
    // A round or an answer that is cut goes on from what the ledger holds, or is asked for again.
    await_shutdown(|| async {}).await;
    let function = &*function;
    lambda_runtime::run(service_fn(|event: LambdaEvent<Value>| async move {
        let (invocation, span) = bounds(&event.context);
        let answer = invoke(function, entry.name, event.payload, invocation);
        answer.instrument(span).await
    }))
    .await
}

/// One invocation through either door. What a schedule started and failed is reported as a failed invocation, so that
/// the service counts it and tries again; a request always gets an answer.
async fn invoke(
    function: &dyn AnyFunction,
    name: &'static str,
    event: Value,
    invocation: Invocation,
) -> Result<Value, lambda_runtime::Error> {
    match Door::of(event) {
        Ok(Door::Schedule) => match function.round(invocation).await {
            Ok(()) => Ok(Value::Null),
            Err(error) => {
                tracing::error!(flow = name, code = error.code(), error = ?error, "the round failed");
                Err(error.into())
            }
        },
        Ok(Door::Http(request)) => Ok(door::response(&function.answer(*request, invocation).await)),
        Err(error) => {
            tracing::error!(flow = name, code = error.code(), error = ?error, "the event is not understood");
            Err(error.into())
        }
    }
}

fn bounds(context: &lambda_runtime::Context) -> (Invocation, tracing::Span) {
    let deadline = i64::try_from(context.deadline).unwrap_or(i64::MAX);
    let trace = context.xray_trace_id.as_deref().unwrap_or_default();
    (Invocation { deadline }, invocation_span(&context.request_id, trace))
}

/// What every log line of one invocation carries.
pub fn invocation_span(request_id: &str, trace: &str) -> tracing::Span {
    tracing::info_span!("invocation", request_id, trace)
}

/// Of the half second between the service's signal and the end: for giving back what is under way, and for the answer.
const GIVE_BACK_WITHIN: Duration = Duration::from_millis(350);
const ANSWER_WITHIN: Duration = Duration::from_millis(50);

/// Registers what is done when the service ends the process.
async fn await_shutdown<Fut>(hook: impl FnOnce() -> Fut + Send + 'static)
where
    Fut: Future<Output = ()> + Send + 'static,
{
    // To be told of the shutdown takes an extension. Where the service does not say how it initialised the environment,
    // it is a stand-in without the extensions' interface, and registering would end the process.
    if std::env::var_os("AWS_LAMBDA_INITIALIZATION_TYPE").is_some() {
        lambda_runtime::spawn_graceful_shutdown_handler(move || async move {
            tracing::info!("shutting down");
            hook().await;
        })
        .await;
    }
}

async fn connect(entry: &'static Entry) -> Result<Runner, Error> {
    let environment = environment().await?;
    environment.settings.check_queue()?;
    Runner::connect(entry, environment).await
}

#[expect(clippy::disallowed_methods, reason = "this is where the settings of a function are read")]
async fn environment() -> Result<Environment, Error> {
    let settings = Settings::from_variables(std::env::vars())?;
    let context = Context::system();
    let transport = Transport::network()?;
    let sdk = aws::connect(&transport, &context).await;
    Ok(Environment::new(settings, context, transport, &sdk))
}

#[cfg(test)]
mod tests {
    use std::{
        io,
        sync::{Arc, Mutex},
    };

    use super::*;

    #[derive(Clone, Default)]
    struct Lines(Arc<Mutex<Vec<u8>>>);

    impl io::Write for Lines {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().write(bytes)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    /// Libraries write secrets there: `lambda_runtime` each event as it came, `aws_sigv4` what it signs.
    #[test]
    fn below_info_only_our_own_code_speaks_however_the_filter_is_set() {
        for filter in ["trace", "info,aws_sigv4=trace,lambda_runtime=debug,shared=trace"] {
            let lines = Lines::default();
            let to = lines.clone();
            let subscriber = log_lines(EnvFilter::new(filter), move || to.clone());
            tracing::subscriber::with_default(subscriber, || {
                tracing::trace!(target: "aws_sigv4::http_request::sign", "canonical request");
                tracing::debug!(target: "lambda_runtime::deserializer", "raw event");
                tracing::trace!(target: "shared_by_others", "no crate of ours");
                tracing::warn!(target: "aws_config::default_provider", "no region");
                tracing::debug!(target: "shared::content_server", "could not be cancelled");
            });
            let text = String::from_utf8(lines.0.lock().unwrap().clone()).unwrap();
            let told =
                text.lines().map(|line| serde_json::from_str::<Value>(line).unwrap()["message"].clone());
            assert_eq!(told.collect::<Vec<_>>(), ["no region", "could not be cancelled"], "{filter}");
        }
    }
}
