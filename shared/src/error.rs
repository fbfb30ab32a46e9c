//! One error type for the whole of Waybill. It answers two separate questions: what went wrong
//! ([`FailureClass`]) and whether trying again can help ([`Retry`]). Only the batch runner acts on the answer;
//! everything below it merely describes.

use std::{error::Error as StdError, fmt, time::Duration};

/// The result of everything here that can fail.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// What went wrong, in the vocabulary every client maps its statuses to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum FailureClass {
    /// Out of order for a while: connection cut, 5xx, an HTML page where JSON was due.
    Transient,
    /// The other side asks for less: 429, 503 with `Retry-After`.
    Throttled,
    /// The credential was refused even after one renewal.
    Auth,
    /// Somebody else changed the same thing first; read again, merge, retry.
    Conflict,
    /// The input cannot be accepted as it is; it is put aside.
    Invalid,
    /// The target refuses or cannot take it as configured: rights, a missing category, a vanished workflow map.
    /// The item is put aside and somebody is told.
    Forbidden,
    /// What was to be read is not there any more.
    Gone,
    /// The call may or may not have taken effect; ask the target before doing anything else.
    UnknownOutcome,
    /// A fault of ours, or a message that can never be understood: dead letter, and somebody is told.
    Bug,
}

/// Whether the same delivery may be tried again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Retry {
    /// Trying again gives the same answer.
    Never,
    /// Later, after the runner's own backoff.
    Later,
    /// Not before this much time has passed, as the other side asked.
    After(Duration),
}

/// The system an error came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum System {
    /// OpenText Content Server / Extended ECM.
    ContentServer,
    /// iconik.
    Iconik,
    /// OpenText Media Management (OTMM).
    Otmm,
    /// Preservica.
    Preservica,
    /// Consonance.
    Consonance,
    /// Amazon S3.
    S3,
    /// Amazon DynamoDB, which holds the ledger.
    Ledger,
    /// Amazon SQS.
    Sqs,
    /// Amazon EventBridge.
    EventBridge,
    /// AWS Secrets Manager.
    Secrets,
    /// Waybill itself: configuration, rules, parsing.
    Waybill,
}

impl System {
    /// The name used in logs, metrics and breaker records.
    pub const fn name(self) -> &'static str {
        match self {
            Self::ContentServer => "content-server",
            Self::Iconik => "iconik",
            Self::Otmm => "otmm",
            Self::Preservica => "preservica",
            Self::Consonance => "consonance",
            Self::S3 => "s3",
            Self::Ledger => "ledger",
            Self::Sqs => "sqs",
            Self::EventBridge => "eventbridge",
            Self::Secrets => "secrets",
            Self::Waybill => "waybill",
        }
    }
}

/// A failure with everything a person or the runner needs to decide what happens next.
pub struct Error {
    class: FailureClass,
    retry: Retry,
    system: System,
    operation: &'static str,
    code: &'static str,
    message: String,
    field: Option<String>,
    remedy: Option<String>,
    source: Option<Box<dyn StdError + Send + Sync>>,
}

impl Error {
    /// An error of a class, from a system, during an operation. `code` is the stable machine-readable reason,
    /// `message` says what was expected, what came and where. Never pass a secret, a signed URL or a personal datum.
    pub fn new(
        class: FailureClass,
        system: System,
        operation: &'static str,
        code: &'static str,
        message: impl Into<String>,
    ) -> Self {
        let retry = match class {
            FailureClass::Transient
            | FailureClass::Throttled
            | FailureClass::Auth
            | FailureClass::Conflict
            | FailureClass::UnknownOutcome => Retry::Later,
            FailureClass::Invalid | FailureClass::Forbidden | FailureClass::Gone | FailureClass::Bug => {
                Retry::Never
            }
        };
        Self {
            class,
            retry,
            system,
            operation,
            code,
            message: message.into(),
            field: None,
            remedy: None,
            source: None,
        }
    }

    /// Bad input that is put aside with this reason.
    pub fn invalid(code: &'static str, message: impl Into<String>) -> Self {
        Self::new(FailureClass::Invalid, System::Waybill, "validate", code, message)
    }

    /// A start that must not happen: settings or rules are wrong.
    pub fn configuration(code: &'static str, message: impl Into<String>) -> Self {
        Self::new(FailureClass::Forbidden, System::Waybill, "configure", code, message)
    }

    /// A fault of ours.
    pub fn bug(operation: &'static str, message: impl Into<String>) -> Self {
        Self::new(FailureClass::Bug, System::Waybill, operation, "bug", message)
    }

    /// Sets when to try again.
    #[must_use]
    pub fn retry(mut self, retry: Retry) -> Self {
        self.retry = retry;
        self
    }

    /// Not to be tried again before so much time has passed. A longer pause that was asked for stays.
    #[must_use]
    pub fn not_before(self, pause: Duration) -> Self {
        let pause = match self.retry {
            Retry::After(asked) => asked.max(pause),
            Retry::Later | Retry::Never => pause,
        };
        self.retry(Retry::After(pause))
    }

    /// Names the field the failure is about.
    #[must_use]
    pub fn field(mut self, field: impl Into<String>) -> Self {
        self.field = Some(field.into());
        self
    }

    /// Says what a person can do about it.
    #[must_use]
    pub fn remedy(mut self, remedy: impl Into<String>) -> Self {
        self.remedy = Some(remedy.into());
        self
    }

    /// Keeps the cause.
    #[must_use]
    pub fn source(mut self, source: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        self.source = Some(source.into());
        self
    }

    /// The same failure, seen as another class (a caller that knows more).
    #[must_use]
    pub fn with_class(mut self, class: FailureClass) -> Self {
        let fresh = Self::new(class, self.system, self.operation, self.code, String::new());
        self.class = class;
        self.retry = fresh.retry;
        self
    }

    /// The same failure under a more telling code.
    #[must_use]
    pub fn with_code(mut self, code: &'static str) -> Self {
        self.code = code;
        self
    }

    /// What went wrong.
    pub fn class(&self) -> FailureClass {
        self.class
    }

    /// Whether to try again.
    pub fn retry_advice(&self) -> Retry {
        self.retry
    }

    /// Where it came from.
    pub fn system(&self) -> System {
        self.system
    }

    /// What was being done.
    pub fn operation(&self) -> &'static str {
        self.operation
    }

    /// The stable reason.
    pub fn code(&self) -> &'static str {
        self.code
    }

    /// The sentence for people.
    pub fn message(&self) -> &str {
        &self.message
    }

    /// The field at fault, when there is one.
    pub fn field_name(&self) -> Option<&str> {
        self.field.as_deref()
    }

    /// What to do about it, when it is known.
    pub fn remedy_text(&self) -> Option<&str> {
        self.remedy.as_deref()
    }
}

impl fmt::Display for Error {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} {}: {} ({})", self.system.name(), self.operation, self.message, self.code)?;
        if let Some(remedy) = &self.remedy {
            write!(formatter, "; {remedy}")?;
        }
        Ok(())
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "[{:?}, {:?}] {self}", self.class, self.retry)?;
        let mut cause = self.source.as_deref().map(|source| source as &(dyn StdError + 'static));
        while let Some(error) = cause {
            write!(formatter, " <- {error}")?;
            cause = error.source();
        }
        Ok(())
    }
}

impl StdError for Error {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.source.as_deref().map(|source| source as &(dyn StdError + 'static))
    }
}
