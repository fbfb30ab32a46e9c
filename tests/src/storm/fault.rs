//! What can go wrong with one call.

use std::time::Duration;

use bytes::Bytes;
use http::{Response, StatusCode};
use shared::http::{Body, full};

/// Which family of answers a system speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// Content Server.
    Vendor,
    /// iconik.
    Iconik,
    /// A bucket that a signed address of iconik's leads to.
    IconikStorage,
    /// Preservica.
    Preservica,
    /// An AWS service that answers JSON.
    AwsJson,
    /// S3.
    S3,
}

/// One fault.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// A refusal with this status; nothing was done.
    Refused(u16),
    /// 429 or 503 with `Retry-After`, in seconds; nothing was done.
    Throttled(u16, u32),
    /// A 500 page of HTML, after the call was carried out.
    PageAfter,
    /// A 200 without a body, after the call was carried out.
    EmptyAfter,
    /// The connection breaks before the call arrives.
    DropBefore,
    /// The call is carried out, then the connection breaks.
    DropAfter,
    /// The call is not carried out and no answer comes for this long.
    HoldBefore(Duration),
    /// The call is carried out and its answer comes after this long.
    HoldAfter(Duration),
    /// The connection breaks, and the call is carried out nevertheless, this long afterwards.
    LateEffect(Duration),
    /// The answer's body breaks off in the middle.
    CutAnswer,
    /// One byte of the answer's content is another.
    FlipAnswer,
    /// One byte of what is sent is another when it arrives.
    FlipRequest,
    /// The process dies before the call is sent.
    CrashBefore,
    /// The call is carried out, then the process dies.
    CrashAfter,
}

impl Fault {
    /// The faults a call to a system can meet.
    pub fn all(form: Form) -> &'static [Self] {
        const LONG: Duration = Duration::from_secs(900);
        const SLOW: Duration = Duration::from_secs(20);
        const LATE: Duration = Duration::from_secs(30);
        const EVERY: &[Fault] = &[
            Fault::DropBefore,
            Fault::DropAfter,
            Fault::CrashBefore,
            Fault::CrashAfter,
            Fault::HoldBefore(LONG),
            Fault::HoldAfter(LONG),
            Fault::HoldAfter(SLOW),
            Fault::LateEffect(LATE),
            Fault::CutAnswer,
            Fault::Refused(500),
            Fault::Throttled(503, 1),
        ];
        const VENDOR: &[Fault] = &[
            Fault::DropBefore,
            Fault::DropAfter,
            Fault::CrashBefore,
            Fault::CrashAfter,
            Fault::HoldBefore(LONG),
            Fault::HoldAfter(LONG),
            Fault::HoldAfter(SLOW),
            Fault::LateEffect(LATE),
            Fault::CutAnswer,
            Fault::Refused(401),
            Fault::Refused(403),
            Fault::Refused(409),
            Fault::Refused(423),
            Fault::Refused(500),
            Fault::Refused(502),
            Fault::Throttled(429, 2),
            Fault::Throttled(503, 120),
            Fault::PageAfter,
            Fault::EmptyAfter,
            Fault::FlipRequest,
            Fault::FlipAnswer,
        ];
        // Without the last two: what is sent to iconik in its interface is JSON, which TLS protects.
        const ICONIK: &[Fault] = VENDOR.split_at(VENDOR.len() - 2).0;
        const STORAGE: &[Fault] = &[
            Fault::DropBefore,
            Fault::DropAfter,
            Fault::CrashBefore,
            Fault::CrashAfter,
            Fault::HoldBefore(LONG),
            Fault::HoldAfter(LONG),
            Fault::HoldAfter(SLOW),
            Fault::LateEffect(LATE),
            Fault::CutAnswer,
            Fault::FlipAnswer,
            Fault::Refused(500),
            Fault::Throttled(503, 1),
        ];
        match form {
            Form::Vendor | Form::Preservica => VENDOR,
            Form::Iconik => ICONIK,
            Form::AwsJson => EVERY,
            Form::S3 | Form::IconikStorage => STORAGE,
        }
    }

    /// Whether it says nothing about the item: after it has passed, the item must end as in a clean run.
    pub fn passes(self, form: Form) -> bool {
        match self {
            // A vendor system answers so when it will not carry out the call, however often it is asked.
            Self::Refused(403 | 409 | 423) => !matches!(form, Form::Vendor | Form::Iconik | Form::Preservica),
            Self::Refused(500) => form != Form::Vendor,
            Self::FlipRequest | Self::FlipAnswer => false,
            _ => true,
        }
    }

    /// Whether the call itself is carried out.
    pub fn takes_effect(self) -> bool {
        !matches!(
            self,
            Self::Refused(_)
                | Self::Throttled(..)
                | Self::DropBefore
                | Self::HoldBefore(_)
                | Self::CrashBefore
        )
    }

    /// The answer of a refusal.
    pub fn answer(self, form: Form) -> Option<Response<Body>> {
        let (status, pause) = match self {
            Self::Refused(status) => (status, None),
            Self::Throttled(status, pause) => (status, Some(pause)),
            Self::PageAfter => return Some(page()),
            Self::EmptyAfter => return Some(respond(200, "application/json", Bytes::new())),
            _ => return None,
        };
        let mut response = match (form, status) {
            (Form::Vendor, 401) => respond(401, "application/json", r#"{"error":"Authentication Required"}"#),
            (Form::Vendor, 502..=504) => {
                respond(status, "text/html", "<html><body>Bad Gateway</body></html>")
            }
            (Form::Vendor, _) => {
                respond(status, "application/json", format!(r#"{{"error":"Refused with {status}"}}"#))
            }
            (Form::Iconik, 401) => {
                respond(401, "application/json", r#"{"errors":["Token is invalid or has expired"]}"#)
            }
            (Form::Iconik, 502..=504) => {
                respond(status, "text/html", "<html><body>Bad Gateway</body></html>")
            }
            (Form::Iconik, _) => {
                respond(status, "application/json", format!(r#"{{"errors":["Refused with {status}"]}}"#))
            }
            (Form::Preservica, 401) => {
                respond(401, "application/json", r#"{"success":false,"message":"The token has expired"}"#)
            }
            (Form::Preservica, 502..=504) => {
                respond(status, "text/html", "<html><body>Bad Gateway</body></html>")
            }
            (Form::Preservica, _) => respond(status, "text/plain", format!("Refused with {status}")),
            (Form::AwsJson, 503) => {
                respond(503, JSON_1_0, r#"{"__type":"ServiceUnavailable","message":"busy"}"#)
            }
            (Form::AwsJson, _) => {
                respond(status, JSON_1_0, r#"{"__type":"InternalServerError","message":"x"}"#)
            }
            (Form::S3 | Form::IconikStorage, 503) => {
                respond(503, "application/xml", error_document("SlowDown"))
            }
            (Form::S3 | Form::IconikStorage, _) => {
                respond(status, "application/xml", error_document("InternalError"))
            }
        };
        if let Some(pause) = pause {
            response.headers_mut().insert(http::header::RETRY_AFTER, pause.into());
        }
        Some(response)
    }
}

const JSON_1_0: &str = "application/x-amz-json-1.0";

fn error_document(code: &str) -> String {
    format!("<?xml version=\"1.0\"?><Error><Code>{code}</Code><Message>x</Message></Error>")
}

fn page() -> Response<Body> {
    respond(500, "text/html", "<html><body>Content Server Client Error. Please try again.</body></html>")
}

fn respond(status: u16, content_type: &'static str, body: impl Into<Bytes>) -> Response<Body> {
    let mut response = Response::new(full(body.into()));
    *response.status_mut() = StatusCode::from_u16(status).expect("a status");
    response.headers_mut().insert(http::header::CONTENT_TYPE, http::HeaderValue::from_static(content_type));
    response
}
