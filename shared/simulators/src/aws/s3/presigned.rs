//! Signed addresses: whether their time is now. Signatures themselves are not checked.

use jiff::{Timestamp, civil::DateTime, tz::TimeZone};

use super::error::{Error, Result};
use super::request::Request;

/// A clock may be off by so many seconds.
const SKEW: i64 = 900;

/// Refuses an address whose time is over or has not come, as S3 does when a request begins.
pub(super) fn check(request: &Request, now: i64) -> Result<()> {
    let Some(expires) = request.query("X-Amz-Expires") else { return Ok(()) };
    let unreadable = |what: &str| {
        Error::new(400, "AuthorizationQueryParametersError", format!("{what} could not be read"))
    };
    let seconds: i64 = expires.parse().map_err(|_| unreadable("X-Amz-Expires"))?;
    let date = request.query("X-Amz-Date").unwrap_or_default();
    let signed = DateTime::strptime("%Y%m%dT%H%M%SZ", date).and_then(|date| date.to_zoned(TimeZone::UTC));
    let signed = signed.map_err(|_| unreadable("X-Amz-Date"))?.timestamp().as_second();
    let now = Timestamp::from_millisecond(now).map_or(0, Timestamp::as_second);
    if signed > now + SKEW {
        return Err(Error::new(403, "AccessDenied", "Request is not yet valid"));
    }
    if now >= signed + seconds {
        return Err(Error::new(403, "AccessDenied", "Request has expired").with("X-Amz-Expires", expires));
    }
    Ok(())
}
