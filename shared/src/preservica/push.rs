//! What Preservica pushes: whether it is from there, and what it says. It is a hint: read the entity before anything is done
//! about it. The same push may come more than once, under the same [`Push::key`]; whoever takes it as a [`Push::delivery`] knows it
//! again ([`crate::webhook::Memory`]).

use hmac::{Hmac, KeyInit, Mac};
use http::HeaderMap;
use serde::Deserialize;
use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};

use super::{entity::EntityKind, ids::Reference};
use crate::{
    error::{Error, Result},
    webhook::Delivery,
};

/// What is signed before the body.
const PREFIX: &[u8] = b"preservica-webhook-auth";
const SIGNATURE: &str = "preservica-signature";
/// The fewest characters of a secret.
const SHORTEST: usize = 24;
/// From here on a number that is a time counts milliseconds: as seconds it would be the year 5138.
const MILLISECONDS: i64 = 100_000_000_000;
/// The longest code of a challenge.
const LONGEST_CODE: usize = 256;

/// The secrets a subscription was made with.
#[derive(Clone)]
pub struct PushSecret {
    keys: Vec<Vec<u8>>,
}

/// Why a push is refused. Senders are told no more than this.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PushRefusal {
    /// There is no signature, or none that is one.
    #[error("the header Preservica-Signature is needed")]
    Header,
    /// The signature is wrong.
    #[error("the signature in Preservica-Signature is not right")]
    Signature,
    /// It is signed, and not understood.
    #[error("the body is not a push of Preservica")]
    Body,
}

/// A push.
#[derive(Debug, Clone, PartialEq)]
pub struct Push {
    /// The subscription it belongs to.
    pub subscription: String,
    /// Of what it tells: `FULL_TEXT_INDEXED` …
    pub trigger: String,
    /// When, in whatever form it came.
    pub timestamp: String,
    /// The tenant.
    pub tenant: String,
    /// About what.
    pub entities: Vec<PushedEntity>,
}

/// An entity that a push is about.
#[derive(Debug, Clone, PartialEq)]
pub struct PushedEntity {
    /// Its reference.
    pub reference: Reference,
    /// What it is, where that is told and known.
    pub kind: Option<EntityKind>,
    /// What others call it: type and value of each.
    pub identifiers: Vec<(String, String)>,
}

impl Push {
    /// What a push has in common with itself when it comes again, and with no other.
    pub fn key(&self) -> String {
        let mut key = format!("{}/{}/{}", self.subscription, self.trigger, self.timestamp);
        for entity in &self.entities {
            key.push('/');
            key.push_str(entity.reference.as_str());
        }
        key
    }

    /// What [`crate::webhook::Memory`] remembers of it. Its id is the checksum of its [`Push::key`]: a push may tell of more
    /// entities than a key of the ledger has room for. Its time is what the push says of itself, and 0 where that is not
    /// understood: nobody has said in which form it comes, and it is not checked.
    pub fn delivery(&self) -> Delivery {
        let signed_at = match (self.timestamp.parse::<jiff::Timestamp>(), self.timestamp.parse::<i64>()) {
            (Ok(time), _) => time.as_second(),
            (_, Ok(number)) if number >= MILLISECONDS => number / 1000,
            (_, Ok(number)) => number,
            _ => 0,
        };
        Delivery { id: hex::encode(Sha256::digest(self.key()).as_slice()), signed_at }
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Secrets {
    current: String,
    #[serde(default)]
    previous: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Sent {
    #[serde(default)]
    subscription_id: Value,
    #[serde(default)]
    trigger: String,
    #[serde(default)]
    timestamp: Value,
    #[serde(default)]
    tenant: Option<String>,
    #[serde(default)]
    events: Vec<SentEvent>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct SentEvent {
    entity_ref: String,
    #[serde(default)]
    entity_type: Option<String>,
    /// Each an object with one pair.
    #[serde(default)]
    identifiers: Vec<Map<String, Value>>,
}

fn plain(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Null => String::new(),
        other => other.to_string(),
    }
}

impl PushSecret {
    /// From the text of a secret: `{"current": "…", "previous": "…"}`. While subscriptions change over, both count.
    ///
    /// # Errors
    /// When it is not that, or one has fewer than 24 characters.
    pub fn from_json(text: &str) -> Result<Self> {
        let refused = |what: &str| {
            Error::configuration("preservica.push-secret", format!("the secret for pushes {what}"))
                .remedy(r#"store {"current": "<at least 24 random letters and digits>"}, and "previous" while changing over"#)
        };
        // The message of the parser could show a part of the secret.
        let secrets: Secrets =
            serde_json::from_str(text).map_err(|_| refused("is not the JSON that was expected"))?;
        let previous = secrets.previous.filter(|text| !text.is_empty());
        let keys: Vec<Vec<u8>> =
            [Some(secrets.current), previous].into_iter().flatten().map(String::into_bytes).collect();
        // Where the sender is known to take characters for single bytes, others would never verify.
        match keys.iter().all(|key| key.len() >= SHORTEST && key.iter().all(u8::is_ascii_graphic)) {
            true => Ok(Self { keys }),
            false => {
                Err(refused("is shorter than 24 characters, or has others than letters, digits and signs"))
            }
        }
    }

    /// The answer to a challenge, `challengeCode` in the query of the first push, that only whoever has the current secret can
    /// give. None for what is no code.
    pub fn answer_challenge(&self, code: &str) -> Option<Value> {
        let is_code = !code.is_empty()
            && code.len() <= LONGEST_CODE
            && code.bytes().all(|byte| byte.is_ascii_graphic());
        let key = self.keys.first().filter(|_| is_code)?;
        let tag = tag(key, &[code.as_bytes()])?.finalize().into_bytes();
        Some(json!({"challengeCode": code, "challengeResponse": hex::encode(tag.as_slice())}))
    }

    /// Checks a push and reads it. The body has to be the bytes that came, before anything has read them. Whether it came before is
    /// not known here.
    ///
    /// # Errors
    /// Why it is refused.
    pub fn verify(&self, headers: &HeaderMap, body: &[u8]) -> Result<Push, PushRefusal> {
        let signature =
            headers.get(SIGNATURE).and_then(|value| value.to_str().ok()).ok_or(PushRefusal::Header)?;
        let signature = hex::decode(signature.trim()).map_err(|_| PushRefusal::Header)?;
        let is_right = self.keys.iter().fold(false, |right, key| {
            let same = tag(key, &[PREFIX, body]).is_some_and(|tag| tag.verify_slice(&signature).is_ok());
            right | same
        });
        if !is_right {
            return Err(PushRefusal::Signature);
        }
        // A list would be taken for the members of an object, in order.
        let sent: Map<String, Value> = serde_json::from_slice(body).map_err(|_| PushRefusal::Body)?;
        let sent = Sent::deserialize(Value::Object(sent)).map_err(|_| PushRefusal::Body)?;
        let entities = sent.events.into_iter().map(|event| PushedEntity {
            reference: Reference::new(event.entity_ref),
            kind: event.entity_type.as_deref().and_then(EntityKind::named),
            identifiers: event
                .identifiers
                .into_iter()
                .flatten()
                .map(|(kind, value)| (kind, plain(&value)))
                .collect(),
        });
        Ok(Push {
            subscription: plain(&sent.subscription_id),
            trigger: sent.trigger,
            timestamp: plain(&sent.timestamp),
            tenant: sent.tenant.unwrap_or_default(),
            entities: entities.collect(),
        })
    }

    /// The signature of a body with the current secret, as the sender makes it.
    pub fn sign(&self, body: &[u8]) -> String {
        let tag = self.keys.first().and_then(|key| tag(key, &[PREFIX, body]));
        tag.map(|tag| hex::encode(tag.finalize().into_bytes().as_slice())).unwrap_or_default()
    }
}

fn tag(key: &[u8], parts: &[&[u8]]) -> Option<Hmac<Sha256>> {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).ok()?;
    for part in parts {
        mac.update(part);
    }
    Some(mac)
}

impl std::fmt::Debug for PushSecret {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("PushSecret").field("keys", &self.keys.len()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NEW: &str = "kR3nVd8sQm1xZt7bLw5cYf2h";
    const OLD: &str = "aaaaaaaaaaaaaaaaaaaaaaaa";
    const BODY: &str = r#"{"subscriptionId":"s","trigger":"MOVED","timestamp":1935817689123,"tenant":"DEMO",
        "events":[{"entityRef":"r","entityType":"IO","identifiers":[{"OTMM":"a:1"},{"ISBN":"9"}]}]}"#;

    fn secret(text: &str) -> PushSecret {
        PushSecret::from_json(text).unwrap()
    }

    fn headers(signature: &str) -> HeaderMap {
        let mut headers = HeaderMap::new();
        headers.insert(SIGNATURE, signature.parse().unwrap());
        headers
    }

    #[test]
    fn what_is_signed_with_the_current_or_previous_secret_is_read() {
        let old = secret(&format!(r#"{{"current":"{OLD}"}}"#));
        let both = secret(&format!(r#"{{"current":"{NEW}","previous":"{OLD}"}}"#));
        for signed in [both.sign(BODY.as_bytes()), old.sign(BODY.as_bytes()).to_uppercase()] {
            let push = both.verify(&headers(&signed), BODY.as_bytes()).unwrap();
            assert_eq!((push.trigger.as_str(), push.timestamp.as_str()), ("MOVED", "1935817689123"));
            let entity = &push.entities[0];
            assert_eq!((entity.kind, entity.reference.as_str()), (Some(EntityKind::Asset), "r"));
            assert_eq!(entity.identifiers[0], ("OTMM".to_owned(), "a:1".to_owned()));
            assert_eq!(push.key(), "s/MOVED/1935817689123/r");
            assert_eq!((push.delivery().id.len(), push.delivery().signed_at), (64, 1_935_817_689));
        }
    }

    #[test]
    fn the_time_of_a_push_is_read_in_every_form_that_is_known() {
        for (written, signed_at) in [
            ("2031-05-06T07:08:09.123Z", 1_935_817_689),
            ("2031-05-06T09:08:09+02:00", 1_935_817_689),
            ("1935817689", 1_935_817_689),
            ("1935817689123", 1_935_817_689),
            ("yesterday", 0),
            ("", 0),
        ] {
            let push = Push {
                subscription: "s".to_owned(),
                trigger: "MOVED".to_owned(),
                timestamp: written.to_owned(),
                tenant: String::new(),
                entities: Vec::new(),
            };
            assert_eq!(push.delivery().signed_at, signed_at, "{written}");
        }
    }

    #[test]
    fn what_is_not_signed_or_changed_or_no_push_is_refused() {
        let secret = secret(&format!(r#"{{"current":"{NEW}"}}"#));
        let signed = secret.sign(BODY.as_bytes());
        let refused = |headers: &HeaderMap, body: &[u8]| secret.verify(headers, body).unwrap_err();
        assert_eq!(refused(&HeaderMap::new(), BODY.as_bytes()), PushRefusal::Header);
        assert_eq!(refused(&headers("no hex"), BODY.as_bytes()), PushRefusal::Header);
        assert_eq!(refused(&headers(&signed), b"{}"), PushRefusal::Signature);
        assert_eq!(refused(&headers(&signed[2..]), BODY.as_bytes()), PushRefusal::Signature);
        assert_eq!(refused(&headers(&secret.sign(b"[]")), b"[]"), PushRefusal::Body);
    }

    #[test]
    fn a_challenge_is_answered_with_the_known_value_and_what_is_none_is_not() {
        let secret = secret(r#"{"current":"0123456789abcdef01234567"}"#);
        let answer = secret.answer_challenge("code").unwrap();
        assert_eq!(answer["challengeCode"], "code");
        assert_eq!(answer["challengeResponse"].as_str().unwrap().len(), 64);
        for code in ["", "a b", "ü", &"x".repeat(257)] {
            assert!(secret.answer_challenge(code).is_none(), "{code}");
        }
    }

    #[test]
    fn a_secret_that_can_be_guessed_is_refused_without_being_shown() {
        for text in ["", "{}", r#"{"current":"QUFBQUFB"}"#, r#"{"current":"QUFBQUFBäQUFBQUFBQUFBQUFBQUFB"}"#]
        {
            let error = PushSecret::from_json(text).unwrap_err();
            assert_eq!(error.code(), "preservica.push-secret", "{text}");
            assert!(!format!("{error:?}").contains("QUFB"), "{error:?}");
        }
        assert!(!format!("{:?}", secret(&format!(r#"{{"current":"{NEW}"}}"#))).contains("kR3n"));
    }
}
