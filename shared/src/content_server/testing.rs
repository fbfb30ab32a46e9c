//! A server made of canned answers, which keeps what it was asked.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex},
};

use http_body_util::BodyExt;
use serde_json::Value;

use super::{Client, Credential, Settings};
use crate::{
    context::Context,
    http::{Pace, Transport, full},
};

/// One request as it arrived.
#[derive(Debug, Clone)]
pub(super) struct Asked {
    pub(super) method: String,
    pub(super) target: String,
    pub(super) ticket: String,
    pub(super) headers: http::HeaderMap,
    pub(super) body: Vec<u8>,
}

impl Asked {
    pub(super) fn line(&self) -> String {
        format!("{} {}", self.method, self.target)
    }

    pub(super) fn form(&self) -> Vec<(String, String)> {
        serde_urlencoded::from_bytes(&self.body).unwrap()
    }

    /// The JSON in the form field `body`.
    pub(super) fn json(&self) -> Value {
        let field = self.form().into_iter().find(|(key, _)| key == "body").unwrap();
        serde_json::from_str(&field.1).unwrap()
    }
}

/// One canned answer.
pub(super) struct Answer {
    status: u16,
    headers: Vec<(&'static str, String)>,
    body: String,
}

impl Answer {
    pub(super) fn header(mut self, name: &'static str, value: &str) -> Self {
        self.headers.push((name, value.to_owned()));
        self
    }
}

pub(super) fn answer(status: u16, body: impl ToString) -> Answer {
    Answer { status, headers: vec![("content-type", "application/json".to_owned())], body: body.to_string() }
}

pub(super) fn page(status: u16) -> Answer {
    let body = "<html><body>Please try again later</body></html>".to_owned();
    Answer { status, headers: vec![("content-type", "text/html".to_owned())], body }
}

/// The server. Signing in is always answered with tickets `t1`, `t2`, …; everything else with the next canned answer.
#[derive(Clone, Default)]
pub(super) struct Canned {
    answers: Arc<Mutex<VecDeque<Answer>>>,
    asked: Arc<Mutex<Vec<Asked>>>,
    sign_ins: Arc<Mutex<u32>>,
}

impl Canned {
    pub(super) fn new(answers: impl IntoIterator<Item = Answer>) -> Self {
        let canned = Self::default();
        canned.answers.lock().unwrap().extend(answers);
        canned
    }

    pub(super) fn sign_ins(&self) -> u32 {
        *self.sign_ins.lock().unwrap()
    }

    /// What was asked, signing in left out.
    pub(super) fn asked(&self) -> Vec<Asked> {
        self.asked.lock().unwrap().clone()
    }

    pub(super) fn lines(&self) -> Vec<String> {
        self.asked().iter().map(Asked::line).collect()
    }

    pub(super) fn client(&self) -> Client {
        self.client_with(Settings::at("http://ecm/cs/cs"))
    }

    pub(super) fn client_with(&self, settings: Settings) -> Client {
        let secret = r#"{"mode":"password","username":"svc","password":"hush"}"#;
        self.client_as(settings, Credential::from_json(secret).unwrap())
    }

    pub(super) fn client_as(&self, settings: Settings, credential: Credential) -> Client {
        let canned = self.clone();
        let transport = Transport::in_process(move |request| {
            let canned = canned.clone();
            async move { Ok(canned.respond(request).await) }
        });
        let context = Context::simulated("2031-05-06T07:08:09Z".parse().unwrap(), 7);
        Client::new(settings, credential, transport, context, Pace::per_second(10_000.0))
    }

    async fn respond(&self, request: http::Request<crate::http::Body>) -> http::Response<crate::http::Body> {
        let (head, body) = request.into_parts();
        let target = head.uri.path_and_query().unwrap().as_str();
        let target = target.strip_prefix("/cs/cs/api").unwrap_or(target).to_owned();
        let body = body.collect().await.map(|body| body.to_bytes().to_vec()).unwrap_or_default();
        let ticket = head.headers.get("otcsticket").map(|value| value.to_str().unwrap().to_owned());
        let response = http::Response::builder();
        if target == "/v1/auth" && head.method == "POST" && self.answers_sign_in(&body) {
            let mut sign_ins = self.sign_ins.lock().unwrap();
            *sign_ins += 1;
            return response.body(full(format!("{{\"ticket\":\"t{sign_ins}\"}}"))).unwrap();
        }
        self.asked.lock().unwrap().push(Asked {
            method: head.method.to_string(),
            target,
            ticket: ticket.unwrap_or_default(),
            headers: head.headers,
            body,
        });
        let answer = self.answers.lock().unwrap().pop_front().expect("one call more than canned answers");
        let response = response.status(answer.status);
        let response =
            answer.headers.iter().fold(response, |response, (name, value)| response.header(*name, value));
        response.body(full(answer.body)).unwrap()
    }

    fn answers_sign_in(&self, body: &[u8]) -> bool {
        String::from_utf8_lossy(body).contains("password=hush")
    }
}

/// A node as the server describes it.
pub(super) fn node(id: i64, name: &str, kind: i64) -> Value {
    serde_json::json!({"data": {"properties": {"id": id, "parent_id": 7001, "name": name, "type": kind,
        "type_name": "x", "container": kind == 0, "size": 3, "create_date": "2031-05-06T07:08:09Z",
        "modify_date": "2031-05-06T07:08:09", "reserved": false, "original_id": 0}}})
}
