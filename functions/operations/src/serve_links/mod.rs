//! Expiring links: a token in, a storage address that lives a minute out.
//!
//! `GET` costs a use (see [`shared::links`] for what a use is), `HEAD` costs none; both are redirected to Amazon S3, which
//! serves ranges and downloads of any size itself, and looks at the address' minute only when a download begins.
//!
//! **What nobody learns here.** A token that was never issued, one that is malformed and one that is for somebody else
//! get the same answer after the same reads. That a link has expired, was revoked or is used up is told only to those it
//! was for. Whoever presents too many tokens without a link is answered nothing for a while, whatever they present.
//!
//! **Whom it believes.** The address of the connection and the claims that API Gateway's authorizer verified, both from
//! the event's request context; no header, no query.

mod answer;
mod limit;
mod page;

use std::time::Duration;

use aws_sdk_s3::presigning::{PresignedRequest, PresigningConfig};
use bytes::Bytes;
use http::{Method, Request, Response};
use shared::{
    batch::Invocation,
    context::Context,
    environment::Environment,
    error::{Error, Result, System},
    function::{Authorized, Function, Origin},
    http::Disposition,
    links::{Answer, Ended, Links, Purpose, Target, Token, Visitor},
};

use self::{answer::Refusal, limit::MissLimit};

/// How long a storage address lives.
const ADDRESS_LIFE: Duration = Duration::from_secs(60);

/// The function.
#[derive(Debug)]
pub struct ServeLinks {
    links: Links,
    s3: aws_sdk_s3::Client,
    context: Context,
    window: Duration,
    misses: MissLimit,
}

impl Function for ServeLinks {
    const NAME: &'static str = "serve-links";
    const SYSTEMS: &'static [System] = &[];

    async fn connect(environment: &Environment) -> Result<Self> {
        let settings = &environment.settings;
        Ok(Self {
            links: Links::new(environment.ledger.clone()),
            s3: environment.s3.clone(),
            context: environment.context.clone(),
            window: Duration::from_secs(settings.link_window_minutes.saturating_mul(60)),
            misses: MissLimit::per_minute(settings.link_misses_per_minute),
        })
    }

    async fn answer(&self, request: Request<Bytes>, _: Invocation) -> Response<Bytes> {
        let accept = answer::Accepts::of(request.headers());
        let looks = request.method() == Method::HEAD;
        let response = match self.judge(&request).await {
            Ok(address) => answer::redirect(&address),
            Err(refusal) => refusal.response(accept),
        };
        if looks { response.map(|_| Bytes::new()) } else { response }
    }
}

impl ServeLinks {
    /// The storage address for a request, or why there is none.
    async fn judge(&self, request: &Request<Bytes>) -> std::result::Result<PresignedRequest, Refusal> {
        let purpose = match *request.method() {
            Method::GET => Purpose::Download(self.window),
            Method::HEAD => Purpose::Look,
            _ => return Err(Refusal::Method),
        };
        let visitor = visitor(request);
        let network = visitor.network();
        let now = self.context.now_milliseconds();
        if let Some(wait) = network.as_deref().and_then(|network| self.misses.wait(network, now)) {
            tracing::warn!(outcome = "too many misses", "a visit was not looked at");
            return Err(Refusal::TooMany(wait));
        }
        let token = Token::presented(request.uri().path().rsplit('/').next().unwrap_or_default());
        let visit = self.links.visit(&token, &visitor, purpose, Self::NAME).await;
        let link = match visit.map_err(|error| unavailable(&error))? {
            Answer::Unknown => {
                if let Some(network) = &network {
                    self.misses.missed(network, now);
                }
                tracing::info!(outcome = "unknown", "a visit without a link");
                return Err(Refusal::Unknown);
            }
            Answer::Ended(link, ended) => {
                tracing::info!(link = link.id.short(), outcome = ?ended, "a visit to a link that is over");
                return Err(Refusal::Ended(ended));
            }
            Answer::Open { link, counted } => {
                tracing::info!(link = link.id.short(), outcome = "open", counted, "a visit");
                link
            }
        };
        self.address(&link.target, purpose).await.map_err(|error| unavailable(&error))
    }

    /// The address carries the signature for one method only: `HEAD` gets one of its own.
    async fn address(&self, target: &Target, purpose: Purpose) -> Result<PresignedRequest> {
        let unsigned = |error: &dyn std::error::Error| {
            Error::bug("sign address", format!("the storage address cannot be signed: {error}"))
        };
        let config = PresigningConfig::builder()
            .expires_in(ADDRESS_LIFE)
            .start_time(self.context.now().into())
            .build()
            .map_err(|error| unsigned(&error))?;
        let disposition = Disposition::Attachment.header(&target.file_name);
        let signed = if purpose == Purpose::Look {
            let head = self.s3.head_object().bucket(&target.bucket).key(&target.key);
            let head =
                head.set_version_id(target.version.clone()).response_content_type(&target.content_type);
            head.response_content_disposition(disposition)
                .presigned(config)
                .await
                .map_err(|e| unsigned(&e))?
        } else {
            let get = self.s3.get_object().bucket(&target.bucket).key(&target.key);
            let get = get.set_version_id(target.version.clone()).response_content_type(&target.content_type);
            get.response_content_disposition(disposition).presigned(config).await.map_err(|e| unsigned(&e))?
        };
        // A header that is signed would have to come from the visitor. What else the SDK would send along, such as the
        // trace id that Lambda gives it, is not asked for.
        if !signed.uri().split(['?', '&']).any(|part| part == "X-Amz-SignedHeaders=host") {
            return Err(Error::bug("sign address", "the signature covers more than the host"));
        }
        Ok(signed)
    }
}

/// Who comes, as the service in front says.
fn visitor(request: &Request<Bytes>) -> Visitor {
    Visitor {
        address: request.extensions().get::<Origin>().map(|origin| origin.0),
        email: request.extensions().get::<Authorized>().and_then(verified_email),
    }
}

/// The address that the identity provider itself has verified. Claims come as text through a JWT authorizer, and as they
/// are through one of one's own.
fn verified_email(authorized: &Authorized) -> Option<String> {
    let verified = authorized.0.get("email_verified")?;
    let verified = verified.as_bool().unwrap_or_else(|| verified.as_str() == Some("true"));
    authorized.0.get("email").filter(|_| verified)?.as_str().map(str::to_owned)
}

fn unavailable(error: &Error) -> Refusal {
    tracing::error!(code = error.code(), error = ?error, "a visit could not be judged");
    Refusal::Unavailable
}

impl From<Ended> for page::Words {
    fn from(ended: Ended) -> Self {
        match ended {
            Ended::Revoked => page::REVOKED,
            Ended::Expired => page::EXPIRED,
            Ended::UsedUp => page::USED_UP,
        }
    }
}
