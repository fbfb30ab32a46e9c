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
                (
                    _,
                    "ExpiredToken"
                    | "ExpiredTokenException"
                    | "RequestExpired"
                    | "InvalidClientTokenId"
                    | "UnrecognizedClientException",
                ) => FailureClass::Auth,
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
                // Services that answer in JSON say it with 400.
                (_, "AccessDenied" | "AccessDeniedException") | (401 | 403, _) => FailureClass::Forbidden,
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

#[cfg(test)]
mod tests {
    use aws_smithy_types::error::ErrorMetadata;

    use super::*;

    type Failed = SdkError<ErrorMetadata, HttpResponse>;

    fn answer(status: u16) -> HttpResponse {
        HttpResponse::new(status.try_into().unwrap(), SdkBody::empty())
    }

    /// A refusal with a status and an error code; some answers, such as those to HEAD, have none.
    fn refused(status: u16, code: &str) -> Failed {
        let refusal = ErrorMetadata::builder();
        let refusal = if code.is_empty() { refusal } else { refusal.code(code) };
        Failed::service_error(refusal.build(), answer(status))
    }

    #[test]
    fn what_a_service_refuses_has_its_class() {
        use FailureClass::{Auth, Conflict, Forbidden, Gone, Invalid, Throttled, Transient};
        let table = [
            // Somebody was faster.
            (400, "ConditionalCheckFailedException", Conflict),
            (400, "TransactionCanceledException", Conflict),
            (412, "PreconditionFailed", Conflict),
            (412, "", Conflict),
            // Too much at once, whatever the status says.
            (400, "ThrottlingException", Throttled),
            (400, "Throttling", Throttled),
            (403, "RequestThrottled", Throttled),
            (400, "ProvisionedThroughputExceededException", Throttled),
            (400, "RequestLimitExceeded", Throttled),
            (503, "SlowDown", Throttled),
            (429, "TooManyRequestsException", Throttled),
            (429, "", Throttled),
            // Not there.
            (404, "NoSuchKey", Gone),
            (404, "NoSuchVersion", Gone),
            (404, "NoSuchBucket", Gone),
            (404, "NotFound", Gone),
            (404, "", Gone),
            (400, "ResourceNotFoundException", Gone),
            // The credentials of the function have run out; the next ones are good.
            (400, "ExpiredToken", Auth),
            (403, "ExpiredTokenException", Auth),
            (403, "RequestExpired", Auth),
            (403, "InvalidClientTokenId", Auth),
            (400, "UnrecognizedClientException", Auth),
            // It may go well the next time, though the status says otherwise.
            (403, "RequestTimeTooSkewed", Transient),
            (400, "RequestTimeout", Transient),
            (400, "TransactionInProgressException", Transient),
            (409, "OperationAborted", Transient),
            (400, "BadDigest", Transient),
            (400, "IncompleteBody", Transient),
            (400, "XAmzContentSHA256Mismatch", Transient),
            (500, "InternalError", Transient),
            (503, "ServiceUnavailable", Transient),
            (503, "", Transient),
            // Somebody has to grant it.
            (403, "AccessDenied", Forbidden),
            (400, "AccessDeniedException", Forbidden),
            (403, "", Forbidden),
            (401, "", Forbidden),
            // It is the same as often as it is sent.
            (400, "ValidationException", Invalid),
            (400, "", Invalid),
            // A code nobody knows goes by its status.
            (400, "NeverHeardOf", Invalid),
            (403, "NeverHeardOf", Forbidden),
            (404, "NeverHeardOf", Gone),
            (500, "NeverHeardOf", Transient),
        ];
        for (status, code, class) in table {
            let error = classify(System::S3, "get object", refused(status, code));
            assert_eq!(error.class(), class, "{status} {code}");
            assert_eq!((error.system(), error.code()), (System::S3, "aws.refused"));
            assert!(
                error.message().contains(&status.to_string()) && error.message().contains(code),
                "{error}"
            );
        }
    }

    #[test]
    fn what_got_no_answer_may_go_well_the_next_time_and_what_was_never_formed_cannot() {
        let transport = |kind| Failed::dispatch_failure(connector_error(TransportError::new(kind, "cut")));
        let table = [
            (Failed::construction_failure("no bucket"), FailureClass::Bug, "aws.request"),
            (Failed::timeout_error("a minute"), FailureClass::Transient, "aws.timeout"),
            (transport(TransportErrorKind::Connect), FailureClass::Transient, "aws.no-answer"),
            (transport(TransportErrorKind::Timeout), FailureClass::Transient, "aws.no-answer"),
            (transport(TransportErrorKind::Interrupted), FailureClass::Transient, "aws.no-answer"),
            (Failed::response_error("half of it", answer(200)), FailureClass::Transient, "aws.answer"),
        ];
        for (failed, class, code) in table {
            let error = classify(System::Ledger, "begin", failed);
            assert_eq!((error.class(), error.code()), (class, code), "{error:?}");
        }
    }
}
