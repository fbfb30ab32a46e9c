//! Signed addresses: made like those of each provider, checked when they are used.

use http::HeaderMap;
use jiff::{SignedDuration, Timestamp};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use sha2::{Digest as _, Sha256};

use super::{State, text};

/// What stays as it is in a path.
const PATH: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~').remove(b'/');

/// What makes a signature this tenant's own.
const SECRET: &str = "the simulated tenant's key";

/// Whether the time of signing may lie back as far as the cache allows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::iconik) enum Signing {
    Fresh,
    Cached,
}

/// What an address allows, before it is signed.
#[derive(Clone, Debug)]
pub(in crate::iconik) struct Unsigned {
    method: String,
    storage: String,
    key: String,
    params: Vec<(String, String)>,
    headers: Vec<(String, String)>,
}

impl Unsigned {
    pub(in crate::iconik) fn new(method: &str, storage: &str, key: &str) -> Self {
        Self {
            method: method.to_owned(),
            storage: storage.to_owned(),
            key: key.to_owned(),
            params: Vec::new(),
            headers: Vec::new(),
        }
    }

    pub(in crate::iconik) fn with(mut self, name: &str, value: &str) -> Self {
        self.params.push((name.to_owned(), value.to_owned()));
        self
    }

    /// A header that whoever uses the address has to send.
    pub(in crate::iconik) fn with_header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }
}

/// How an address came out of the check.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::iconik) enum Given {
    Valid,
    /// Nothing is signed.
    Unsigned,
    /// Signature, method, key, parameter or header differ.
    Tampered,
    Expired {
        lifetime: i64,
        at: Timestamp,
    },
}

/// Names of the parameters of a provider: time of signing, lifetime, headers, signature.
fn names(method: &str) -> [&'static str; 4] {
    match method {
        "GCS" => ["X-Goog-Date", "X-Goog-Expires", "X-Goog-SignedHeaders", "X-Goog-Signature"],
        "AZURE" => ["st", "lifetime", "sh", "sig"],
        _ => ["X-Amz-Date", "X-Amz-Expires", "X-Amz-SignedHeaders", "X-Amz-Signature"],
    }
}

fn stamp(time: Timestamp) -> String {
    time.strftime("%Y%m%dT%H%M%SZ").to_string()
}

fn signature(
    method: &str,
    storage: &str,
    key: &str,
    params: &[(String, String)],
    headers: &[String],
) -> String {
    let mut sorted: Vec<String> = params.iter().map(|(name, value)| format!("{name}={value}")).collect();
    sorted.sort();
    let text = [SECRET, method, storage, key, &sorted.join("&"), &headers.join("\n")].join("\n");
    hex::encode(Sha256::digest(text))
}

impl State {
    /// Address of a storage's bucket.
    pub(in crate::iconik) fn bucket_place(&self, host: &str, storage: &str) -> String {
        let base = self.settings.media.bucket_address.clone().unwrap_or_else(|| format!("http://{host}"));
        format!("{base}/_storage/{storage}")
    }

    /// Signs an address.
    pub(in crate::iconik) fn sign(&self, host: &str, unsigned: Unsigned, signing: Signing) -> String {
        let Unsigned { method, storage, key, mut params, headers } = unsigned;
        let provider = self.media.storages.get(&storage).map_or("", |storage| text(storage, "method"));
        let [date, expires, signed_headers, sign] = names(provider);
        let cache = i64::try_from(self.settings.media.address_cache_seconds).unwrap_or(0);
        let age = match signing {
            Signing::Cached if cache > 0 => self.now.as_second() % cache,
            _ => 0,
        };
        let signed_at = self.now.checked_sub(SignedDuration::from_secs(age)).unwrap_or(self.now);
        let day = signed_at.strftime("%Y%m%d");
        match provider {
            "GCS" => {
                params.push(("X-Goog-Algorithm".to_owned(), "GOOG4-RSA-SHA256".to_owned()));
                let scope = format!("media@simulated.example/{day}/auto/storage/goog4_request");
                params.push(("X-Goog-Credential".to_owned(), scope));
            }
            "AZURE" => params.push(("sv".to_owned(), "2024-11-04".to_owned())),
            _ => {
                params.push(("X-Amz-Algorithm".to_owned(), "AWS4-HMAC-SHA256".to_owned()));
                let scope = format!("SIMULATEDKEYOFMEDIA/{day}/us-east-1/s3/aws4_request");
                params.push(("X-Amz-Credential".to_owned(), scope));
            }
        }
        params.push((date.to_owned(), stamp(signed_at)));
        params.push((expires.to_owned(), self.settings.media.address_lifetime_seconds.to_string()));
        let mut names: Vec<String> = headers.iter().map(|(name, _)| name.clone()).collect();
        names.push("host".to_owned());
        names.sort();
        params.push((signed_headers.to_owned(), names.join(";")));
        let values: Vec<String> = names
            .iter()
            .filter_map(|name| headers.iter().find(|(sent, _)| sent == name).map(|(_, value)| value.clone()))
            .collect();
        let signed = signature(&method, &storage, &key, &params, &values);
        params.push((sign.to_owned(), signed));
        let place = self.bucket_place(host, &storage);
        let query = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(&params).finish();
        format!("{place}/{}?{}", utf8_percent_encode(&key, PATH), query.replace('+', "%20"))
    }

    /// Checks an address that is used.
    pub(in crate::iconik) fn check_signature(
        &self,
        method: &str,
        storage: &str,
        key: &str,
        params: &[(String, String)],
        headers: &HeaderMap,
    ) -> Given {
        let provider = self.media.storages.get(storage).map_or("", |storage| text(storage, "method"));
        let [date, expires, signed_headers, sign] = names(provider);
        let value =
            |wanted: &str| params.iter().find(|(name, _)| name == wanted).map(|(_, value)| value.as_str());
        let Some(claimed) = value(sign) else { return Given::Unsigned };
        let rest: Vec<(String, String)> = params.iter().filter(|(name, _)| name != sign).cloned().collect();
        let sent: Vec<String> = value(signed_headers)
            .unwrap_or_default()
            .split(';')
            .filter(|name| *name != "host")
            .map(|name| {
                headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default().to_owned()
            })
            .collect();
        let heads = method == "HEAD" && self.settings.media.head_with_get_address;
        let fits = [method, if heads { "GET" } else { method }]
            .iter()
            .any(|method| signature(method, storage, key, &rest, &sent) == claimed);
        if !fits {
            return Given::Tampered;
        }
        let lifetime: i64 = value(expires).and_then(|text| text.parse().ok()).unwrap_or(0);
        let signed_at = value(date)
            .and_then(|text| jiff::civil::DateTime::strptime("%Y%m%dT%H%M%SZ", text).ok())
            .and_then(|time| time.to_zoned(jiff::tz::TimeZone::UTC).ok())
            .map_or(Timestamp::UNIX_EPOCH, |time| time.timestamp());
        let at = signed_at.checked_add(SignedDuration::from_secs(lifetime)).unwrap_or(signed_at);
        if self.now >= at { Given::Expired { lifetime, at } } else { Given::Valid }
    }

    /// What B2 calls an authorization token: good for one object, as long as a signed address.
    pub(in crate::iconik) fn token_for(&self, storage: &str, key: &str) -> String {
        let lifetime = i64::try_from(self.settings.media.address_lifetime_seconds).unwrap_or(i64::MAX);
        let until = self.now.as_second().saturating_add(lifetime);
        format!("4_{until}_{}", signature("B2", storage, key, &[], &[until.to_string()]))
    }

    /// Whether a token of B2 is good for this object now; `None` when it never was.
    pub(in crate::iconik) fn check_token(&self, token: &str, storage: &str, key: &str) -> Option<bool> {
        let until = token.strip_prefix("4_")?.split('_').next()?;
        let fits = token == format!("4_{until}_{}", signature("B2", storage, key, &[], &[until.to_owned()]));
        fits.then(|| until.parse().is_ok_and(|until: i64| self.now.as_second() < until))
    }
}
