//! A server made of canned answers, which keeps what it was asked.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex},
};

use http_body_util::BodyExt;
use serde_json::{Value, json};

use super::{Client, Credential, Settings};
pub(super) use crate::http::testing::{Answer, Asked, answer, bytes, lost, nothing, page};
use crate::{
    context::Context,
    http::{Body, Pace, Transport, TransportError, TransportErrorKind},
};

pub(super) const BASE: &str = "https://dam.example.com";
pub(super) const DIRECTORY: &str = "https://otds.example.com";
pub(super) const PASSWORD: &str = r#"{"mode":"password","username":"svc","password":"hush-hush"}"#;

/// The server. Sessions are 1, 2, …; everything else gets the next canned answer.
#[derive(Clone, Default)]
pub(super) struct Canned {
    answers: Arc<Mutex<VecDeque<Answer>>>,
    asked: Arc<Mutex<Vec<Asked>>>,
    openings: Arc<Mutex<Vec<Asked>>>,
    opening_answers: Arc<Mutex<VecDeque<Answer>>>,
}

impl Canned {
    pub(super) fn new(answers: impl IntoIterator<Item = Answer>) -> Self {
        let canned = Self::default();
        canned.answers.lock().unwrap().extend(answers);
        canned
    }

    /// Answers to what opens the door, in place of a session each.
    pub(super) fn doors(self, answers: impl IntoIterator<Item = Answer>) -> Self {
        self.opening_answers.lock().unwrap().extend(answers);
        self
    }

    /// What was asked to open the door.
    pub(super) fn openings(&self) -> Vec<Asked> {
        self.openings.lock().unwrap().clone()
    }

    /// What was asked, openings left out.
    pub(super) fn asked(&self) -> Vec<Asked> {
        self.asked.lock().unwrap().clone()
    }

    pub(super) fn lines(&self) -> Vec<String> {
        self.asked().iter().map(Asked::line).collect()
    }

    pub(super) fn client(&self) -> Client {
        self.client_with(Settings::at(BASE))
    }

    pub(super) fn client_with(&self, settings: Settings) -> Client {
        self.client_as(settings, PASSWORD)
    }

    pub(super) fn client_as(&self, settings: Settings, secret: &str) -> Client {
        settings.validate().unwrap();
        let canned = self.clone();
        let transport = Transport::in_process(move |request| {
            let canned = canned.clone();
            async move { canned.respond(request).await }
        });
        let context = Context::simulated("2031-05-06T07:08:09Z".parse().unwrap(), 7);
        let credential = Credential::from_json(secret).unwrap();
        Client::new(settings, credential, transport, context, Pace::per_second(10_000.0))
    }

    async fn respond(&self, request: http::Request<Body>) -> Result<http::Response<Body>, TransportError> {
        let (head, body) = request.into_parts();
        let broke = |_| TransportError::new(TransportErrorKind::Interrupted, "the request broke off");
        let body = body.collect().await.map_err(broke)?.to_bytes().to_vec();
        let address = head.uri.to_string();
        let target = address.strip_prefix(BASE).unwrap_or(&address);
        let target = target.strip_prefix("/otmmapi/v6/").unwrap_or(target).to_owned();
        let asked =
            Asked { method: head.method.to_string(), target: target.clone(), headers: head.headers, body };
        let opens =
            asked.method != "DELETE" && (target.starts_with("sessions") || target.starts_with("https"));
        if opens {
            let number = {
                let mut openings = self.openings.lock().unwrap();
                openings.push(asked);
                openings.len()
            };
            let canned = self.opening_answers.lock().unwrap().pop_front();
            // So that calls that need a session at the same time really do.
            tokio::time::sleep(std::time::Duration::from_millis(5)).await;
            return canned.unwrap_or_else(|| session(number)).response();
        }
        self.asked.lock().unwrap().push(asked);
        let answer = self.answers.lock().unwrap().pop_front();
        answer.unwrap_or_else(|| panic!("one call more than canned answers: {target}")).response()
    }
}

/// A session with a number.
pub(super) fn session(number: usize) -> Answer {
    let session = json!({
        "id": number, "message_digest": format!("digest{number}"), "user_id": "2001", "login_name": "svc",
        "validation_key": -12345
    });
    answer(200, json!({"session_resource": {"session": session}}))
        .header("set-cookie", &format!("JSESSIONID=s{number}.node1; Path=/otmmapi"))
}

/// A refusal as the server tells it.
pub(super) fn refusal(status: u16, message: &str) -> Answer {
    let body = json!({"http_response_code": status, "message": message, "debug_message": "hush", "error_code": 1000});
    answer(status, json!({ "exception_body": body }))
}

/// An asset with metadata: fields with texts, and one table.
pub(super) fn asset(members: &Value, fields: &[(&str, Option<&str>)], rows: &[&str]) -> Answer {
    let field = |(id, text): &(&str, Option<&str>)| {
        let mut field = json!({"type": "com.artesia.metadata.MetadataField", "id": id});
        if let Some(text) = text {
            field["value"] = json!({"value": {"type": "string", "value": text}});
        }
        field
    };
    let cells: Vec<Value> =
        rows.iter().map(|row| json!({"value": {"type": "string", "value": row}})).collect();
    let column = json!({"type": "com.artesia.metadata.MetadataTableField", "id": "T.COL", "values": cells});
    let table = json!({"type": "com.artesia.metadata.MetadataTable", "id": "T.TAB", "metadata_element_list": [column]});
    let fields: Vec<Value> = fields.iter().map(field).collect();
    let groups = json!([
        {"id": "G.ONE", "metadata_element_list": fields}, {"id": "G.TWO", "metadata_element_list": [table]}
    ]);
    let mut asset = json!({
        "asset_id": "a1", "original_asset_id": "o1", "version": 1, "name": "Trailer", "latest_version": true,
        "date_last_updated": "2031-05-06T07:00:00Z",
        "metadata": {"id": "M", "metadata_element_list": groups}
    });
    for (name, value) in members.as_object().into_iter().flatten() {
        asset[name] = value.clone();
    }
    answer(200, json!({"asset_resource": {"asset": asset}}))
}
