//! Who may push to us: signatures by the Standard Webhooks specification (symmetric, `v1`), and a secret in a header for
//! senders that sign nothing.
//!
//! Not the specification's own crate: that takes the time from the machine, so neither a test nor a replayed schedule can set
//! it, and it brings a second base64 and a date library. This is the same few lines over the `hmac` crate, which compares
//! in constant time.

mod header_secret;
mod kept_secret;
mod memory;

use base64::{Engine, prelude::BASE64_STANDARD};
use hmac::{Hmac, KeyInit, Mac};
use http::HeaderMap;
use jiff::Timestamp;
use serde::Deserialize;
use sha2::Sha256;

use crate::error::{Error, Result};

pub use self::{
    header_secret::HeaderSecret,
    kept_secret::KeptSecret,
    memory::{Memory, Seen},
};

/// How far a push's time may be from ours, in seconds.
pub const TOLERANCE: i64 = 300;
/// The longest id of a push.
const LONGEST_ID: usize = 256;

/// The secrets a sender may sign with.
#[derive(Clone)]
pub struct Verifier {
    keys: Vec<Vec<u8>>,
}

/// A push whose signature is right.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Delivery {
    /// The sender's id of it: the same when it is sent again.
    pub id: String,
    /// When it was signed, in seconds since the epoch.
    pub signed_at: i64,
}

/// Why a push is refused. Senders are told no more than this.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// A header is missing or no text.
    #[error("the headers webhook-id, webhook-timestamp and webhook-signature are needed")]
    Headers,
    /// Its time is too far from ours.
    #[error("webhook-timestamp is more than five minutes away from the receiver's clock")]
    Time,
    /// No signature is right.
    #[error("no signature in webhook-signature is right")]
    Signature,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Secrets {
    current: String,
    #[serde(default)]
    previous: Option<String>,
}

impl Secrets {
    /// Nothing when it is not that: the message of the parser could show a part of the secret.
    fn parse(text: &str) -> Option<Self> {
        serde_json::from_str(text).ok()
    }

    /// Each that counts.
    fn all(self) -> impl Iterator<Item = String> {
        let previous = self.previous.filter(|text| !text.is_empty());
        [Some(self.current), previous].into_iter().flatten()
    }
}

impl Verifier {
    /// From the text of a secret: `{"current": "whsec_…", "previous": "whsec_…"}`. While senders change over, both count.
    ///
    /// # Errors
    /// When it is not that, or a key has fewer than 24 bytes, the least the specification allows.
    pub fn from_json(text: &str) -> Result<Self> {
        let refused = |what: &str| {
            Error::configuration("webhook.secret", format!("the signing secret {what}"))
                .remedy(r#"store {"current": "whsec_<base64 of 24 to 64 random bytes>"}, and "previous" while changing over"#)
        };
        let secrets = Secrets::parse(text).ok_or_else(|| refused("is not the JSON that was expected"))?;
        let keys = secrets.all().map(|secret| {
            let key = BASE64_STANDARD.decode(secret.strip_prefix("whsec_").unwrap_or(&secret));
            let key = key.map_err(|_| refused("has a key that is not base64"))?;
            if key.len() < 24 {
                return Err(refused("has a key of fewer than 24 bytes"));
            }
            Ok(key)
        });
        Ok(Self { keys: keys.collect::<Result<_>>()? })
    }

    /// Checks a push. Whether it came before is not known here.
    ///
    /// # Errors
    /// Why it is refused.
    pub fn verify(&self, headers: &HeaderMap, body: &[u8], now: Timestamp) -> Result<Delivery, Refusal> {
        let header = |name: &str| {
            let value = headers.get(name).and_then(|value| value.to_str().ok());
            value.filter(|value| !value.is_empty()).ok_or(Refusal::Headers)
        };
        let (id, time, signatures) =
            (header("webhook-id")?, header("webhook-timestamp")?, header("webhook-signature")?);
        let signed_at: i64 = time.parse().map_err(|_| Refusal::Headers)?;
        if id.len() > LONGEST_ID {
            return Err(Refusal::Headers);
        }
        let right = signatures
            .split(' ')
            .filter_map(|signature| signature.strip_prefix("v1,"))
            .filter_map(|signature| BASE64_STANDARD.decode(signature).ok())
            .any(|signature| self.keys.iter().any(|key| is_right(key, id, signed_at, body, &signature)));
        if !right {
            return Err(Refusal::Signature);
        }
        if now.as_second().saturating_sub(signed_at).saturating_abs() > TOLERANCE {
            return Err(Refusal::Time);
        }
        Ok(Delivery { id: id.to_owned(), signed_at })
    }

    /// The signature of the current secret, as a sender makes it.
    pub fn sign(&self, id: &str, signed_at: i64, body: &[u8]) -> String {
        let mac = self.keys.first().and_then(|key| mac(key, id, signed_at, body));
        let bytes = mac.map(|mac| mac.finalize().into_bytes());
        format!("v1,{}", bytes.map(|bytes| BASE64_STANDARD.encode(bytes)).unwrap_or_default())
    }
}

fn mac(key: &[u8], id: &str, signed_at: i64, body: &[u8]) -> Option<Hmac<Sha256>> {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).ok()?;
    mac.update(format!("{id}.{signed_at}.").as_bytes());
    mac.update(body);
    Some(mac)
}

fn is_right(key: &[u8], id: &str, signed_at: i64, body: &[u8], signature: &[u8]) -> bool {
    mac(key, id, signed_at, body).is_some_and(|mac| mac.verify_slice(signature).is_ok())
}

impl std::fmt::Debug for Verifier {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Verifier").field("keys", &self.keys.len()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The values the specification's reference libraries are tested with.
    const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
    const ID: &str = "msg_p5jXN8AQM9LWM0D4loKWxJek";
    const TIME: i64 = 1_614_265_330;
    const BODY: &[u8] = br#"{"test": 2432232314}"#;
    const SIGNATURE: &str = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=";
    const OTHER: &str = "whsec_QUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUE=";

    fn verifier(text: &str) -> Verifier {
        Verifier::from_json(text).unwrap()
    }

    fn current() -> Verifier {
        verifier(&format!(r#"{{"current": "{SECRET}"}}"#))
    }

    fn headers(signature: &str) -> HeaderMap {
        let mut headers = HeaderMap::new();
        headers.insert("webhook-id", ID.parse().unwrap());
        headers.insert("webhook-timestamp", TIME.into());
        headers.insert("webhook-signature", signature.parse().unwrap());
        headers
    }

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    #[test]
    fn the_reference_signature_is_made_and_taken() {
        assert_eq!(current().sign(ID, TIME, BODY), SIGNATURE);
        let delivery = current().verify(&headers(SIGNATURE), BODY, at(TIME)).unwrap();
        assert_eq!(delivery, Delivery { id: ID.into(), signed_at: TIME });
    }

    #[test]
    fn of_several_signatures_one_right_one_is_enough() {
        let several = format!("v2,AAAA v1,AAAA v1,Ceo5qEr07ixe2NLpvHk3FH9bwy/WavXrAFQ/9tdO6mc= {SIGNATURE}");
        assert!(current().verify(&headers(&several), BODY, at(TIME)).is_ok());
    }

    #[test]
    fn the_previous_secret_counts_while_senders_change_over() {
        let both = verifier(&format!(r#"{{"current": "{OTHER}", "previous": "{SECRET}"}}"#));
        assert!(both.verify(&headers(SIGNATURE), BODY, at(TIME)).is_ok());
        let after = verifier(&format!(r#"{{"current": "{OTHER}", "previous": ""}}"#));
        assert_eq!(after.verify(&headers(SIGNATURE), BODY, at(TIME)), Err(Refusal::Signature));
    }

    #[test]
    fn a_changed_body_id_or_time_is_refused() {
        let refused =
            |headers: &HeaderMap, body: &[u8]| current().verify(headers, body, at(TIME)).unwrap_err();
        assert_eq!(refused(&headers(SIGNATURE), b"{}"), Refusal::Signature);
        for (name, value) in [("webhook-id", "msg_other"), ("webhook-timestamp", "1614265331")] {
            let mut changed = headers(SIGNATURE);
            changed.insert(name, value.parse().unwrap());
            assert_eq!(refused(&changed, BODY), Refusal::Signature, "{name}");
        }
        for (name, value) in [("webhook-timestamp", "soon"), ("webhook-id", ""), ("webhook-signature", "")] {
            let mut changed = headers(SIGNATURE);
            changed.insert(name, value.parse().unwrap());
            assert_eq!(refused(&changed, BODY), Refusal::Headers, "{name}");
        }
        assert_eq!(refused(&HeaderMap::new(), BODY), Refusal::Headers);
        assert_eq!(refused(&headers("v1,%%%"), BODY), Refusal::Signature);
    }

    #[test]
    fn a_push_from_another_time_is_refused_however_well_signed() {
        let verify = |now| current().verify(&headers(SIGNATURE), BODY, at(now));
        assert!(verify(TIME + TOLERANCE).is_ok());
        assert!(verify(TIME - TOLERANCE).is_ok());
        assert_eq!(verify(TIME + TOLERANCE + 1), Err(Refusal::Time));
        assert_eq!(verify(TIME - TOLERANCE - 1), Err(Refusal::Time));
    }

    #[test]
    fn a_secret_that_is_none_is_refused_without_being_shown() {
        for text in
            ["", "whsec_x", r#"{"current": "whsec_%"}"#, r#"{"current": "whsec_QUFB"}"#, r#"{"now": 1}"#]
        {
            let error = Verifier::from_json(text).unwrap_err();
            assert_eq!(error.code(), "webhook.secret");
            assert!(!format!("{error:?}").contains("QUFB"), "{error:?}");
        }
        assert!(!format!("{:?}", current()).contains("MfKQ"));
    }
}
