//! Answers over HTTP.

use aws_sdk_s3::presigning::PresignedRequest;
use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Response, StatusCode, header};
use shared::{function::Problem, links::Ended};

use super::page;

/// Why there is no storage address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Refusal {
    /// No such link for this visitor.
    Unknown,
    /// One that is over, for somebody it was for.
    Ended(Ended),
    /// Too many misses; come again after so many seconds.
    TooMany(u32),
    /// It could not be found out.
    Unavailable,
    /// Neither GET nor HEAD.
    Method,
}

impl Refusal {
    fn status(self) -> StatusCode {
        match self {
            Self::Unknown => StatusCode::NOT_FOUND,
            Self::Ended(_) => StatusCode::GONE,
            Self::TooMany(_) => StatusCode::TOO_MANY_REQUESTS,
            Self::Unavailable => StatusCode::SERVICE_UNAVAILABLE,
            Self::Method => StatusCode::METHOD_NOT_ALLOWED,
        }
    }

    fn words(self) -> page::Words {
        match self {
            Self::Unknown => page::UNKNOWN,
            Self::Ended(ended) => ended.into(),
            Self::TooMany(_) => page::TOO_MANY,
            Self::Unavailable => page::UNAVAILABLE,
            Self::Method => page::METHOD,
        }
    }

    pub(super) fn response(self, accepts: Accepts) -> Response<Bytes> {
        let words = self.words();
        let mut response = match accepts {
            Accepts::Json => {
                Problem::new(self.status(), words.code, words.title).detail(words.advice).response()
            }
            Accepts::Page => {
                let mut response = Response::new(Bytes::from(page::html(words)));
                *response.status_mut() = self.status();
                let headers = response.headers_mut();
                headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8"));
                if let Ok(policy) = HeaderValue::from_str(&page::POLICY) {
                    headers.insert(header::CONTENT_SECURITY_POLICY, policy);
                }
                response
            }
        };
        let headers = response.headers_mut();
        match self {
            Self::TooMany(seconds) => drop(headers.insert(header::RETRY_AFTER, seconds.into())),
            Self::Unavailable => drop(headers.insert(header::RETRY_AFTER, 5.into())),
            Self::Method => drop(headers.insert(header::ALLOW, HeaderValue::from_static("GET, HEAD"))),
            Self::Unknown | Self::Ended(_) => {}
        }
        headers.insert(header::VARY, HeaderValue::from_static("accept"));
        guard(headers);
        response
    }
}

/// The way to the content.
pub(super) fn redirect(address: &PresignedRequest) -> Response<Bytes> {
    let Ok(location) = HeaderValue::from_str(address.uri()) else {
        return Refusal::Unavailable.response(Accepts::Page);
    };
    let mut response = Response::new(Bytes::new());
    // 307 and not 302: the address is signed for this very method.
    *response.status_mut() = StatusCode::TEMPORARY_REDIRECT;
    response.headers_mut().insert(header::LOCATION, location);
    guard(response.headers_mut());
    response
}

/// What every answer carries: nobody keeps it, indexes it, guesses at it or tells others the address it came from.
fn guard(headers: &mut HeaderMap) {
    for (name, value) in [
        (header::CACHE_CONTROL, "no-store"),
        (header::REFERRER_POLICY, "no-referrer"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::STRICT_TRANSPORT_SECURITY, "max-age=31536000"),
        (header::HeaderName::from_static("x-robots-tag"), "noindex, nofollow"),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
}

/// What a client would rather have: a page, or problem details (RFC 9457).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Accepts {
    Page,
    Json,
}

impl Accepts {
    /// JSON for those who ask for it by name and do not like a page as much.
    pub(super) fn of(headers: &HeaderMap) -> Self {
        let (mut page, mut json) = (0.0_f32, 0.0_f32);
        for text in headers.get_all(header::ACCEPT).iter().filter_map(|value| value.to_str().ok()) {
            for range in text.split(',') {
                let mut parts = range.split(';').map(str::trim);
                let kind = parts.next().unwrap_or_default().to_ascii_lowercase();
                let quality = parts.find_map(|part| part.strip_prefix("q=")?.parse().ok()).unwrap_or(1.0_f32);
                match kind.as_str() {
                    "application/problem+json" | "application/json" => json = json.max(quality),
                    "text/html" => page = page.max(quality),
                    _ => {}
                }
            }
        }
        if json > page { Self::Json } else { Self::Page }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn accepts(text: &'static str) -> Accepts {
        Accepts::of(&HeaderMap::from_iter([(header::ACCEPT, HeaderValue::from_static(text))]))
    }

    #[test]
    fn a_browser_gets_a_page_and_a_program_that_asks_gets_json() {
        assert_eq!(Accepts::of(&HeaderMap::new()), Accepts::Page);
        for page in
            ["*/*", "text/html,application/xhtml+xml,*/*;q=0.8", "text/html, application/json", "x;q=;;,,"]
        {
            assert_eq!(accepts(page), Accepts::Page, "{page}");
        }
        for json in
            ["application/problem+json", "Application/JSON", "text/html;q=0.5, application/problem+json"]
        {
            assert_eq!(accepts(json), Accepts::Json, "{json}");
        }
    }

    #[test]
    fn every_refusal_is_guarded_whoever_asks() {
        let all = [
            Refusal::Unknown,
            Refusal::Ended(Ended::Expired),
            Refusal::Ended(Ended::Revoked),
            Refusal::Ended(Ended::UsedUp),
            Refusal::TooMany(9),
            Refusal::Unavailable,
            Refusal::Method,
        ];
        for refusal in all {
            for accepts in [Accepts::Page, Accepts::Json] {
                let response = refusal.response(accepts);
                let headers = response.headers();
                assert_eq!(headers["cache-control"], "no-store");
                assert_eq!(headers["referrer-policy"], "no-referrer");
                assert_eq!(headers["x-content-type-options"], "nosniff");
                assert_eq!(headers["vary"], "accept");
                let kind = if accepts == Accepts::Page {
                    "text/html; charset=utf-8"
                } else {
                    "application/problem+json"
                };
                assert_eq!(headers["content-type"], kind);
                assert_eq!(headers.contains_key("content-security-policy"), accepts == Accepts::Page);
                assert!((400..600).contains(&response.status().as_u16()));
            }
        }
    }

    #[test]
    fn the_page_loads_nothing_runs_nothing_and_can_be_read_aloud() {
        let page = page::html(page::EXPIRED);
        for forbidden in
            ["http:", "https:", "<script", "<img", "src=", "style=\"", "onload", "@import", "url("]
        {
            assert!(!page.contains(forbidden), "{forbidden}");
        }
        for needed in
            ["<html lang=\"en\">", "<title>This link has expired</title>", "<main>", "<h1>", "viewport"]
        {
            assert!(page.contains(needed), "{needed}");
        }
        let style = page.split("<style>").nth(1).and_then(|rest| rest.split("</style>").next()).unwrap();
        use base64::Engine;
        use sha2::Digest;
        let hash = base64::prelude::BASE64_STANDARD.encode(sha2::Sha256::digest(style.as_bytes()));
        assert!(
            page::POLICY.contains(&format!("style-src 'sha256-{hash}'")),
            "the policy lets the style through"
        );
        assert!(page::POLICY.starts_with("default-src 'none'"));
    }
}
