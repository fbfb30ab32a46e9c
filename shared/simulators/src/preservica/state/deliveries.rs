//! Who is told of what happens, and what is on its way to them.

use std::fmt::Write as _;

use bytes::Bytes;
use hmac::{Hmac, KeyInit as _, Mac as _};
use http::{HeaderValue, header};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use sha2::Sha256;

use super::State;
use crate::preservica::settings::TimeForm;

/// What is signed before the body.
const PREFIX: &[u8] = b"preservica-webhook-auth";

/// Somebody who is told.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Subscription {
    /// Its id.
    pub id: String,
    /// Where to.
    pub url: String,
    /// Of what.
    pub trigger: String,
    /// What pushes are signed with.
    pub secret: String,
    /// Pushes name the identifiers of entities.
    pub include_identifiers: bool,
}

/// A push on its way.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Delivery {
    /// Position among all pushes. A duplicate has that of its original.
    pub number: u64,
    /// Who is told.
    pub subscription: String,
    /// Where to.
    pub url: String,
    /// The body: JSON without anything but ASCII, because a widely used receiver signs its bytes as Latin-1.
    pub body: String,
    /// The signature.
    pub signature: String,
    /// Not before.
    pub due: Timestamp,
    /// Which try this is, from 1.
    pub attempt: u32,
}

impl Delivery {
    /// The request as it is sent.
    pub fn request(&self) -> Option<http::Request<Bytes>> {
        let signature = HeaderValue::from_str(&self.signature).ok()?;
        http::Request::post(&self.url)
            .header(header::CONTENT_TYPE, "application/json")
            .header("Preservica-Signature", signature)
            .body(Bytes::from(self.body.clone().into_bytes()))
            .ok()
    }
}

/// The signature of a body.
pub fn sign(secret: &str, body: &[u8]) -> String {
    tag(secret, &[PREFIX, body])
}

/// What answers a handshake.
pub fn challenge_response(secret: &str, code: &str) -> String {
    tag(secret, &[code.as_bytes()])
}

fn tag(secret: &str, parts: &[&[u8]]) -> String {
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(secret.as_bytes()) else { return String::new() };
    for part in parts {
        mac.update(part);
    }
    hex::encode(mac.finalize().into_bytes().as_slice())
}

/// JSON without anything but ASCII.
fn ascii(value: &Value) -> String {
    let mut text = String::new();
    for character in value.to_string().chars() {
        if character.is_ascii() {
            text.push(character);
            continue;
        }
        for unit in character.encode_utf16(&mut [0; 2]) {
            let _ = write!(text, "\\u{unit:04x}");
        }
    }
    text
}

impl State {
    /// Tells everybody who wants to know.
    pub(super) fn notify(&mut self, trigger: &str, entities: &[String]) {
        let concerned: Vec<Subscription> =
            self.subscriptions.iter().filter(|known| known.trigger == trigger).cloned().collect();
        for subscription in concerned {
            let events: Vec<Value> = entities
                .iter()
                .filter_map(|entity| self.told(entity, subscription.include_identifiers))
                .collect();
            let settings = self.settings.deliveries.clone();
            let timestamp = match settings.timestamp {
                TimeForm::Iso => Value::from(self.now.strftime("%Y-%m-%dT%H:%M:%S%.3fZ").to_string()),
                TimeForm::Milliseconds => Value::from(self.now.as_millisecond()),
            };
            let body = ascii(&json!({
                "subscriptionId": subscription.id, "trigger": trigger, "timestamp": timestamp, "tenant": self.tenant,
                "events": events,
            }));
            let number = self.next();
            let delivery = Delivery {
                number,
                signature: sign(&subscription.secret, body.as_bytes()),
                subscription: subscription.id,
                url: subscription.url,
                body,
                due: self.after(settings.delay_seconds),
                attempt: 1,
            };
            if settings.duplicate_every > 0 && number.is_multiple_of(settings.duplicate_every) {
                self.waiting.push(delivery.clone());
            }
            self.waiting.push(delivery);
        }
    }

    fn told(&self, reference: &str, with_identifiers: bool) -> Option<Value> {
        let entity = self.entities.get(reference)?;
        let mut event = json!({"entityRef": reference, "entityType": entity.kind.short()});
        if with_identifiers && let Some(object) = event.as_object_mut() {
            let all = entity.identifiers.iter().map(|id| json!({ id.kind.clone(): id.value }));
            object.insert("identifiers".to_owned(), all.collect());
        }
        Some(event)
    }

    /// Takes what is to be sent now, at most so many. Whoever takes has to say what came of it: [`State::delivered`].
    pub fn take_deliveries(&mut self, most: usize) -> Vec<Delivery> {
        let now = self.now;
        let subscriptions: Vec<String> = self.subscriptions.iter().map(|known| known.id.clone()).collect();
        let (mut due, mut later): (Vec<Delivery>, Vec<Delivery>) =
            std::mem::take(&mut self.waiting).into_iter().partition(|delivery| delivery.due <= now);
        // Who has unsubscribed is told nothing more.
        due.retain(|delivery| subscriptions.contains(&delivery.subscription));
        match self.settings.deliveries.newest_first {
            true => due.reverse(),
            false => due.sort_by_key(|delivery| delivery.due),
        }
        later.extend(due.split_off(most.min(due.len())));
        self.waiting = later;
        due
    }

    /// What came of a push: the status that was answered, or why there is none.
    pub fn delivered(&mut self, delivery: &Delivery, answer: &Result<u16, String>) {
        let is_taken = matches!(answer, Ok(status) if (200..300).contains(status));
        let settings = &self.settings.deliveries;
        if !is_taken && delivery.attempt < settings.attempts {
            let due = self.after(settings.retry_seconds);
            self.waiting.push(Delivery { due, attempt: delivery.attempt + 1, ..delivery.clone() });
        }
    }
}
