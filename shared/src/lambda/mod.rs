//! The Lambda side of flows and functions: everything that knows about Lambda is in this folder.

mod door;

use aws_lambda_events::event::sqs::SqsEvent;
use lambda_runtime::{LambdaEvent, service_fn};
use serde_json::Value;
use tracing::Instrument;
use tracing_subscriber::{EnvFilter, fmt::MakeWriter, util::SubscriberInitExt};

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

/// How logs go out: as JSON, one line each. `span` is the item a line is about, `spans` names the invocation as well.
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
}

async fn serve(entry: &'static Entry) -> Result<(), lambda_runtime::Error> {
    let runner = connect(entry).await.inspect_err(|error| {
        tracing::error!(flow = entry.name, code = error.code(), error = ?error, "the function does not start");
    })?;
    await_shutdown().await;
    let runner = &runner;
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
    await_shutdown().await;
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

async fn await_shutdown() {
    // To be told of the shutdown takes an extension. Where the service does not say how it initialised the environment,
    // it is a stand-in without the extensions' interface, and registering would end the process.
    if std::env::var_os("AWS_LAMBDA_INITIALIZATION_TYPE").is_some() {
        lambda_runtime::spawn_graceful_shutdown_handler(|| async {
            tracing::info!("shutting down");
        })
        .await;
    }
}

async fn connect(entry: &'static Entry) -> Result<Runner, Error> {
    let environment = environment().await?;
    environment.settings.check_queue()?;
    Runner::connect(entry, environment).await
}

async fn environment() -> Result<Environment, Error> {
    let settings = Settings::from_variables(std::env::vars())?;
    let context = Context::system();
    let transport = Transport::network()?;
    let sdk = aws::connect(&transport, &context).await;
    Ok(Environment::new(settings, context, transport, &sdk))
}
