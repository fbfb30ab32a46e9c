//! The page a person sees. It stands alone: nothing is loaded from anywhere, nothing runs.

use std::sync::LazyLock;

use base64::{Engine, prelude::BASE64_STANDARD};
use sha2::{Digest, Sha256};

/// What a refusal says: for machines, in a heading, and in a sentence on what to do.
#[derive(Debug, Clone, Copy)]
pub(super) struct Words {
    pub(super) code: &'static str,
    pub(super) title: &'static str,
    pub(super) advice: &'static str,
}

pub(super) const UNKNOWN: Words = Words {
    code: "link.unknown",
    title: "This link does not work",
    advice: "There is nothing here for you under this address. It may be incomplete or mistyped, or it may be meant for \
             somebody else or for another network. Ask the person who gave it to you.",
};
pub(super) const EXPIRED: Words = Words {
    code: "link.expired",
    title: "This link has expired",
    advice: "The time in which the document could be downloaded is over. Ask the person who gave you the link for a new \
             one.",
};
pub(super) const REVOKED: Words = Words {
    code: "link.revoked",
    title: "This link was withdrawn",
    advice: "The document is not offered under this link any more; there may be a newer version of it. Ask the person \
             who gave you the link.",
};
pub(super) const USED_UP: Words = Words {
    code: "link.used-up",
    title: "This link has been used",
    advice: "It could be used a limited number of times, and was. If that was not you, tell the person who gave it to \
             you; they can give you a new one.",
};
pub(super) const TOO_MANY: Words = Words {
    code: "link.too-many-attempts",
    title: "Too many attempts",
    advice: "Too many links that do not work were tried from your network. Wait a minute and try again.",
};
pub(super) const UNAVAILABLE: Words = Words {
    code: "link.unavailable",
    title: "Please try again",
    advice: "Your link could not be looked at just now. Nothing is wrong with it as far as is known; try again in a few \
             seconds.",
};
pub(super) const METHOD: Words = Words {
    code: "link.method",
    title: "A link can only be opened",
    advice: "Only GET and HEAD are answered here.",
};

const STYLE: &str = "\
:root{color-scheme:light dark}\
body{margin:0;font:1.125rem/1.6 system-ui,sans-serif;color:#1a1a1a;background:#fff}\
main{max-width:34rem;margin:0 auto;padding:12vh 1.5rem}\
h1{font-size:1.75rem;line-height:1.25}\
@media(prefers-color-scheme:dark){body{color:#f2f2f2;background:#161616}}";

/// What the page may do: use its own style, and have no icon.
pub(super) static POLICY: LazyLock<String> = LazyLock::new(|| {
    let style = BASE64_STANDARD.encode(Sha256::digest(STYLE.as_bytes()));
    format!(
        "default-src 'none'; style-src 'sha256-{style}'; img-src data:; base-uri 'none'; form-action 'none'; \
         frame-ancestors 'none'"
    )
});

/// The page. Every word of it is ours: nothing that came with the request or stands in the link is shown.
pub(super) fn html(words: Words) -> String {
    let Words { title, advice, .. } = words;
    // The empty icon keeps browsers from asking for one, which would look like one more token.
    format!(
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <meta name=\"robots\" content=\"noindex\">\n<link rel=\"icon\" href=\"data:,\">\n\
         <title>{title}</title>\n<style>{STYLE}</style>\n</head>\n\
         <body>\n<main>\n<h1>{title}</h1>\n<p>{advice}</p>\n</main>\n</body>\n</html>\n"
    )
}
