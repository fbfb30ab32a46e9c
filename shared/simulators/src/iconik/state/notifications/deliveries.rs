//! The queue of what is on its way to somebody else's server, and what goes wrong there.

use std::collections::{BTreeMap, VecDeque};

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue};
use jiff::Timestamp;
use rand::rngs::StdRng;
use rand::{RngExt as _, SeedableRng as _};
use serde_json::Value;

use super::super::State;
use crate::iconik::settings::Order;

/// Tried deliveries that are remembered.
const REMEMBERED: usize = 10_000;

/// Who sends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Sender {
    /// The webhook with this id.
    Webhook(String),
    /// The custom action with this id.
    CustomAction(String),
}

/// One POST to somebody else's server.
#[derive(Clone, Debug, PartialEq)]
pub struct Delivery {
    /// Position among all deliveries, from 1. A duplicate has that of its original.
    pub number: u64,
    /// Who sends.
    pub sender: Sender,
    /// To where.
    pub url: String,
    /// Headers that were configured.
    pub headers: BTreeMap<String, String>,
    /// The body, JSON.
    pub body: String,
    /// Not before.
    pub due: Timestamp,
    /// Which try this is, from 1.
    pub attempt: u32,
}

impl Delivery {
    /// The body, read.
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_default()
    }

    /// The request as it is sent. A header that cannot be one is left out.
    pub fn request(&self) -> Option<http::Request<Bytes>> {
        let mut headers = HeaderMap::new();
        headers.insert(http::header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
        headers.insert(http::header::USER_AGENT, HeaderValue::from_static("iconik"));
        for (name, value) in &self.headers {
            let name = HeaderName::from_bytes(name.as_bytes());
            if let (Ok(name), Ok(value)) = (name, HeaderValue::from_str(value)) {
                headers.insert(name, value);
            }
        }
        let mut request =
            http::Request::post(&self.url).body(Bytes::from(self.body.clone().into_bytes())).ok()?;
        *request.headers_mut() = headers;
        Some(request)
    }
}

impl State {
    /// Puts a POST into the queue, or loses it, or puts it there twice.
    pub(super) fn post(
        &mut self,
        sender: Sender,
        url: &str,
        headers: BTreeMap<String, String>,
        body: &Value,
    ) {
        let settings = self.settings.deliveries.clone();
        let notifications = &mut self.notifications;
        notifications.made += 1;
        let number = notifications.made;
        let every = |n: u64| n > 0 && number.is_multiple_of(n);
        let delivery = Delivery {
            number,
            sender,
            url: url.to_owned(),
            headers,
            body: body.to_string(),
            due: self.after(if every(settings.delay_every) { settings.delay_seconds } else { 0 }),
            attempt: 1,
        };
        if every(settings.lose_every) {
            self.notifications.lost.push(delivery);
            return;
        }
        if every(settings.duplicate_every) {
            self.notifications.waiting.push_back(delivery.clone());
        }
        self.notifications.waiting.push_back(delivery);
    }

    /// Takes what is to be sent now, at most so many. Whoever takes has to say what came of it: [`State::delivered`].
    pub fn take_deliveries(&mut self, most: usize) -> Vec<Delivery> {
        self.settle();
        let waiting = std::mem::take(&mut self.notifications.waiting);
        let now = self.now;
        let (mut due, mut later): (Vec<Delivery>, VecDeque<Delivery>) = (Vec::new(), VecDeque::new());
        for delivery in waiting {
            match delivery.due <= now {
                // Whoever was switched off meanwhile stays silent.
                true if !self.still_sends(&delivery.sender) => {}
                true => due.push(delivery),
                false => later.push_back(delivery),
            }
        }
        match self.settings.deliveries.order {
            Order::Kept => due.sort_by_key(|delivery| delivery.due),
            Order::Reversed => due.reverse(),
            Order::Shuffled => shuffle(&mut due, self.notifications.made),
        }
        let rest = due.split_off(most.min(due.len()));
        later.extend(rest);
        self.notifications.waiting = later;
        due
    }

    /// What came of a delivery: the status that was answered, or why there is none.
    pub fn delivered(&mut self, delivery: &Delivery, answer: Result<u16, String>) {
        let settings = &self.settings.deliveries;
        let success = match (&answer, settings.any_2xx_succeeds) {
            (Ok(status), true) => (200..300).contains(status),
            (Ok(status), false) => *status == 200,
            (Err(_), _) => false,
        };
        let (attempts, pause) = (settings.attempts, settings.retry_seconds);
        let error = match &answer {
            Ok(status) => format!("HTTP status {status}"),
            Err(why) => why.clone(),
        };
        match (&delivery.sender, success) {
            (Sender::Webhook(id), true) => self.webhook_succeeded(id),
            (Sender::Webhook(id), false) => self.webhook_failed(id, &error, &delivery.body),
            (Sender::CustomAction(id), true) => self.custom_action_succeeded(id),
            (Sender::CustomAction(id), false) => self.custom_action_failed(id, &error),
        }
        if !success && delivery.attempt < attempts {
            let again =
                Delivery { due: self.after(pause), attempt: delivery.attempt + 1, ..delivery.clone() };
            self.notifications.waiting.push_back(again);
        }
        let tried = &mut self.notifications.tried;
        tried.push_back((delivery.clone(), answer));
        if tried.len() > REMEMBERED {
            tried.pop_front();
        }
    }

    fn still_sends(&self, sender: &Sender) -> bool {
        match sender {
            Sender::Webhook(id) => self.webhook_sends(id),
            Sender::CustomAction(id) => self.notifications.custom_actions.get(id).is_some(),
        }
    }
}

/// The same disorder for the same story.
fn shuffle(deliveries: &mut [Delivery], seed: u64) {
    let mut random = StdRng::seed_from_u64(seed);
    for last in (1..deliveries.len()).rev() {
        deliveries.swap(last, random.random_range(0..=last));
    }
}
