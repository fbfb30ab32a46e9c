//! Signed addresses: whoever has one may read or write the bytes behind it. They are never shown, and lead only to hosts that
//! are allowed.

use std::fmt;

use url::Url;

/// An address with its signature, taken apart but not changed by a byte: a signature covers how it is written.
#[derive(Clone)]
pub struct SignedUrl {
    origin: String,
    target: String,
}

impl fmt::Debug for SignedUrl {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("SignedUrl").field("origin", &self.origin).finish_non_exhaustive()
    }
}

impl SignedUrl {
    /// Takes an address apart: of the system at `base`, which may leave out its own origin, or of one of `hosts`, which are
    /// exact, or `*.` and a domain.
    ///
    /// # Errors
    /// Why it is refused, in words that do not repeat it.
    pub fn parse(text: &str, base: &str, hosts: &[String]) -> Result<Self, String> {
        let base = Url::parse(base).ok();
        let joined;
        let text = if text.starts_with('/') && !text.starts_with("//") {
            let origin = base.as_ref().map(|base| base.origin().ascii_serialization()).unwrap_or_default();
            joined = format!("{origin}{text}");
            &joined
        } else {
            text
        };
        let Some((url, base)) = Url::parse(text).ok().zip(base) else {
            return Err("the signed address is no address".to_owned());
        };
        let Some(host) = url.host_str() else { return Err("the signed address has no host".to_owned()) };
        let own = url.origin() == base.origin();
        let is_safe = url.scheme() == "https" || (url.scheme() == "http" && base.scheme() == "http");
        if !is_safe || !url.username().is_empty() || url.password().is_some() || text.contains('\\') {
            return Err(format!("the signed address at {host} is not a plain https address"));
        }
        if !own && !hosts.iter().any(|allowed| is_allowed(host, allowed)) {
            return Err(format!("the signed address leads to {host}, which is not allowed"));
        }
        let rest = text.split_once("://").map(|(_, rest)| rest).unwrap_or_default();
        let target = rest.find(['/', '?', '#']).and_then(|at| rest.get(at..)).unwrap_or("/");
        let target = target.split('#').next().unwrap_or(target);
        let target = if target.starts_with('/') { target.to_owned() } else { format!("/{target}") };
        Ok(Self { origin: url.origin().ascii_serialization(), target })
    }

    /// Scheme, host and port.
    pub fn origin(&self) -> &str {
        &self.origin
    }

    /// Path and query, as they were written.
    pub(crate) fn target(&self) -> &str {
        &self.target
    }
}

fn is_allowed(host: &str, allowed: &str) -> bool {
    let allowed = allowed.to_ascii_lowercase();
    match allowed.strip_prefix('*') {
        Some(ending) => host.len() > ending.len() && host.ends_with(ending),
        None => host == allowed,
    }
}
