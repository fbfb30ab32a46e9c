//! `If-Match` and its relatives, on reads, writes and copies.

use super::answer::{http_date, parse_http, quoted};
use super::error::{Error, Result};
use super::request::Request;
use super::state::{Bucket, Version};

fn names(list: &str, etag: &str) -> bool {
    list.split(',').map(str::trim).any(|entry| entry == "*" || entry.trim_matches('"') == etag)
}

/// Conditions on reading; `prefix` is empty or `x-amz-copy-source-`.
pub(super) fn check_read(request: &Request, prefix: &str, version: &Version) -> Result<()> {
    let header = |name: &str| request.header(&format!("{prefix}{name}"));
    let seconds = |name: &str| header(name).and_then(parse_http).map(|time| time / 1000);
    let modified = version.modified / 1000;
    match header("if-match") {
        Some(list) if !names(list, &version.etag) => return Err(Error::precondition_failed("If-Match")),
        // A matching tag outweighs the date.
        Some(_) => {}
        None if seconds("if-unmodified-since").is_some_and(|since| modified > since) => {
            return Err(Error::precondition_failed("If-Unmodified-Since"));
        }
        None => {}
    }
    let unchanged = match header("if-none-match") {
        Some(list) => names(list, &version.etag),
        None => seconds("if-modified-since").is_some_and(|since| modified <= since),
    };
    match (unchanged, prefix.is_empty()) {
        (false, _) => Ok(()),
        (true, true) => Err(Error::new(304, "NotModified", "Not Modified")
            .header("etag", quoted(&version.etag))
            .header("last-modified", http_date(version.modified))),
        (true, false) => Err(Error::precondition_failed("x-amz-copy-source-If-None-Match")),
    }
}

/// Conditions on writing: only if absent, or only over a known content.
pub(super) fn check_write(request: &Request, bucket: &Bucket) -> Result<()> {
    let current = bucket.current(&request.key);
    if let Some(wanted) = request.header("if-none-match") {
        if wanted.trim() != "*" {
            return Err(Error::not_implemented("If-None-Match"));
        }
        if current.is_some() {
            return Err(Error::precondition_failed("If-None-Match"));
        }
    }
    match (request.header("if-match"), current) {
        (None, _) => Ok(()),
        (Some(_), None) => Err(Error::no_such_key(&request.key)),
        (Some(list), Some(version)) if names(list, &version.etag) => Ok(()),
        (Some(_), Some(_)) => Err(Error::precondition_failed("If-Match")),
    }
}
