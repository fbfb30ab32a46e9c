//! The AWS clients, over the same transport, clock and TLS stack as everything else.

use aws_config::{BehaviorVersion, Region, SdkConfig, retry::RetryConfig, timeout::TimeoutConfig};
use aws_credential_types::{Credentials, provider::SharedCredentialsProvider};
use aws_smithy_async::{rt::sleep::TokioSleep, time::TimeSource};
use aws_smithy_runtime_api::{
    client::{
        http::{HttpConnector, HttpConnectorFuture, SharedHttpClient, SharedHttpConnector, http_client_fn},
        orchestrator::{HttpRequest, HttpResponse},
        result::{ConnectorError, SdkError},
    },
    http::Headers,
};
use aws_smithy_types::body::SdkBody;
use http_body_util::BodyExt;

use crate::{
    context::Context,
    error::{Error, FailureClass, System},
    http::{Transport, TransportError, TransportErrorKind},
};

/// The SDK configuration of a function: credentials, Region and an optional endpoint come from the environment as
/// Lambda and the AWS tools define it.
pub async fn connect(transport: &Transport, context: &Context) -> SdkConfig {
    base(transport, context, aws_config::defaults(BehaviorVersion::latest())).load().await
}

/// The SDK configuration for a stand-in at `endpoint`, with made-up credentials.
pub fn connect_to(transport: &Transport, context: &Context, endpoint: &str, account: &str) -> SdkConfig {
    SdkConfig::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new("us-east-1"))
        .endpoint_url(endpoint)
        .credentials_provider(SharedCredentialsProvider::new(Credentials::new(
            account, "secret", None, None, "stand-in",
        )))
        .http_client(http_client(transport.clone()))
        .time_source(ContextTime(context.clone()))
        .sleep_impl(aws_smithy_async::rt::sleep::SharedAsyncSleep::new(TokioSleep::new()))
        .retry_config(retries())
        .timeout_config(timeouts())
        .build()
}

/// The S3 client of a configuration. Path-style addresses are used whenever an endpoint is configured: stand-ins
/// have no wildcard names.
pub fn s3(config: &SdkConfig) -> aws_sdk_s3::Client {
    let builder = aws_sdk_s3::config::Builder::from(config).force_path_style(config.endpoint_url().is_some());
    aws_sdk_s3::Client::from_conf(builder.build())
}

/// The same S3 client, for buckets of another Region.
pub(crate) fn s3_in(client: &aws_sdk_s3::Client, region: &str) -> aws_sdk_s3::Client {
    let builder = client.config().to_builder().region(aws_sdk_s3::config::Region::new(region.to_owned()));
    aws_sdk_s3::Client::from_conf(builder.build())
}

fn base(
    transport: &Transport,
    context: &Context,
    loader: aws_config::ConfigLoader,
) -> aws_config::ConfigLoader {
    loader
        .http_client(http_client(transport.clone()))
        .time_source(ContextTime(context.clone()))
        .sleep_impl(TokioSleep::new())
        .retry_config(retries())
        .timeout_config(timeouts())
}

fn retries() -> RetryConfig {
    RetryConfig::standard().with_max_attempts(3)
}

fn timeouts() -> TimeoutConfig {
    TimeoutConfig::builder()
        .connect_timeout(std::time::Duration::from_secs(5))
        .operation_attempt_timeout(std::time::Duration::from_secs(60))
        .build()
}

#[derive(Debug)]
struct ContextTime(Context);

impl TimeSource for ContextTime {
    fn now(&self) -> std::time::SystemTime {
        self.0.now().into()
    }
}

fn http_client(transport: Transport) -> SharedHttpClient {
    let connector = SharedHttpConnector::new(Connector(transport));
    http_client_fn(move |_, _| connector.clone())
}

#[derive(Debug)]
struct Connector(Transport);

impl HttpConnector for Connector {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let transport = self.0.clone();
        HttpConnectorFuture::new(async move {
            let request = request.try_into_http1x().map_err(|error| ConnectorError::user(error.into()))?;
            let request = request.map(BodyExt::boxed);
            let response = transport.send(request).await.map_err(connector_error)?;
            let (parts, body) = response.into_parts();
            let status = parts
                .status
                .as_u16()
                .try_into()
                .map_err(|error| ConnectorError::other(Box::new(error), None))?;
            let mut answer = HttpResponse::new(status, SdkBody::from_body_1_x(body));
            *answer.headers_mut() = Headers::try_from(parts.headers)
                .map_err(|error| ConnectorError::other(Box::new(error), None))?;
            Ok(answer)
        })
    }
}

fn connector_error(error: TransportError) -> ConnectorError {
    match error.kind {
        TransportErrorKind::Unsendable => ConnectorError::user(error.into()),
        TransportErrorKind::Timeout => ConnectorError::timeout(error.into()),
        TransportErrorKind::Connect | TransportErrorKind::Interrupted => ConnectorError::io(error.into()),
    }
}

/// Classifies a failure of an AWS call by its status and error code, in one place for every service.
pub fn classify<E>(system: System, operation: &'static str, error: SdkError<E, HttpResponse>) -> Error
where
    E: aws_smithy_types::error::metadata::ProvideErrorMetadata + std::error::Error + Send + Sync + 'static,
{
    let (class, code, message) = match &error {
        SdkError::ServiceError(service) => {
            let status = service.raw().status().as_u16();
            let name = service.err().code().unwrap_or("");
            let class = match (status, name) {
                (
                    _,
                    "ConditionalCheckFailedException" | "TransactionCanceledException" | "PreconditionFailed",
                )
                | (412, _) => FailureClass::Conflict,
                (_, name)
                    if name.contains("Throttl") || name == "SlowDown" || name == "RequestLimitExceeded" =>
                {
                    FailureClass::Throttled
                }
                (_, "ProvisionedThroughputExceededException") => FailureClass::Throttled,
                (_, "NoSuchKey" | "NoSuchVersion" | "NotFound" | "ResourceNotFoundException") | (404, _) => {
                    FailureClass::Gone
                }
                (_, "ExpiredToken" | "ExpiredTokenException" | "RequestExpired" | "InvalidClientTokenId") => {
                    FailureClass::Auth
                }
                (
                    _,
                    "TransactionInProgressException"
                    | "RequestTimeTooSkewed"
                    | "RequestTimeout"
                    | "OperationAborted"
                    // The bytes changed or broke off on the way.
                    | "BadDigest"
                    | "IncompleteBody"
                    | "XAmzContentSHA256Mismatch",
                ) => FailureClass::Transient,
                (429, _) => FailureClass::Throttled,
                (401 | 403, _) => FailureClass::Forbidden,
                (500.., _) => FailureClass::Transient,
                _ => FailureClass::Invalid,
            };
            (
                class,
                "aws.refused",
                format!("status {status}, {}", if name.is_empty() { "no code" } else { name }),
            )
        }
        SdkError::ConstructionFailure(_) => {
            (FailureClass::Bug, "aws.request", "the request could not be formed".to_owned())
        }
        SdkError::TimeoutError(_) => (FailureClass::Transient, "aws.timeout", "no answer in time".to_owned()),
        SdkError::DispatchFailure(_) => {
            (FailureClass::Transient, "aws.no-answer", "no answer from the service".to_owned())
        }
        _ => (FailureClass::Transient, "aws.answer", "the answer could not be read".to_owned()),
    };
    Error::new(class, system, operation, code, message).source(error)
}
