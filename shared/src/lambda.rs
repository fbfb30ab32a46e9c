//! The Lambda side of a flow: everything that knows about Lambda is in this file.

use aws_lambda_events::event::sqs::SqsEvent;
use lambda_runtime::{LambdaEvent, service_fn};
use tracing_subscriber::EnvFilter;

use crate::{
    aws,
    batch::{Invocation, Runner},
    context::Context,
    environment::{Environment, Settings},
    error::Error,
    flow::Entry,
    http::Transport,
};

/// Why a function did not start.
pub type StartError = lambda_runtime::Error;

/// Runs a flow as a Lambda function until the service ends it.
///
/// # Errors
/// When settings, rules or secrets are wrong: the function refuses to start and says why.
pub fn start(entry: &'static Entry) -> Result<(), StartError> {
    tracing_subscriber::fmt()
        .json()
        .flatten_event(true)
        .with_current_span(true)
        .with_span_list(false)
        .with_target(false)
        .with_env_filter(EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("info")))
        .init();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(serve(entry))
}

async fn serve(entry: &'static Entry) -> Result<(), lambda_runtime::Error> {
    let runner = connect(entry).await.inspect_err(|error| {
        tracing::error!(flow = entry.name, code = error.code(), error = ?error, "the function does not start");
    })?;
    // To be told of the shutdown takes an extension. Where the service does not say how it initialised the environment,
    // it is a stand-in without the extensions' interface, and registering would end the process.
    if std::env::var_os("AWS_LAMBDA_INITIALIZATION_TYPE").is_some() {
        lambda_runtime::spawn_graceful_shutdown_handler(|| async {
            tracing::info!("shutting down");
        })
        .await;
    }
    let runner = &runner;
    lambda_runtime::run(service_fn(|event: LambdaEvent<SqsEvent>| async move {
        let deadline = i64::try_from(event.context.deadline).unwrap_or(i64::MAX);
        let span = tracing::info_span!(
            "invocation",
            request_id = event.context.request_id,
            trace = event.context.xray_trace_id.as_deref().unwrap_or_default()
        );
        let batch = runner.run(event.payload, Invocation { deadline });
        Ok::<_, lambda_runtime::Error>(tracing::Instrument::instrument(batch, span).await)
    }))
    .await
}

async fn connect(entry: &'static Entry) -> Result<Runner, Error> {
    let settings = Settings::from_variables(std::env::vars())?;
    let context = Context::system();
    let transport = Transport::network()?;
    let sdk = aws::connect(&transport, &context).await;
    Runner::connect(entry, Environment::new(settings, context, transport, &sdk)).await
}
