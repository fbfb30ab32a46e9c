//! One call: what it says, and what repeating it would do.

use std::{fmt::Display, time::Duration};

use http::{Method, header};
use serde_json::Value;

use crate::{
    error::{Error, FailureClass, Result, System},
    http::{Effect, FormData, Payload, Request, path_of},
};

/// A call below `/otmmapi/v6`.
#[derive(Debug, Clone)]
pub(super) struct Call {
    operation: &'static str,
    method: Method,
    path: Vec<String>,
    query: Vec<(String, String)>,
    fields: Vec<(String, String)>,
    /// Ids of the site in what it carries.
    names: Vec<String>,
    payload: Payload,
    effect: Effect,
    timeout: Option<Duration>,
}

impl Call {
    fn new(operation: &'static str, method: Method, path: &[&str], effect: Effect) -> Self {
        Self {
            operation,
            method,
            path: path.iter().map(|&segment| segment.to_owned()).collect(),
            query: Vec::new(),
            fields: Vec::new(),
            names: Vec::new(),
            payload: Payload::Empty,
            effect,
            timeout: None,
        }
    }

    pub(super) fn get(operation: &'static str, path: &[&str]) -> Self {
        Self::new(operation, Method::GET, path, Effect::Read)
    }

    /// A POST that makes something. [`Call::reading`] says otherwise.
    pub(super) fn post(operation: &'static str, path: &[&str]) -> Self {
        Self::new(operation, Method::POST, path, Effect::Once)
    }

    /// A PUT, which leaves the same state however often it is sent. [`Call::once`] says otherwise.
    pub(super) fn put(operation: &'static str, path: &[&str]) -> Self {
        Self::new(operation, Method::PUT, path, Effect::Repeatable)
    }

    /// A PATCH: it sets fields to values, and leaves the same state however often it is sent.
    pub(super) fn patch(operation: &'static str, path: &[&str]) -> Self {
        Self::new(operation, Method::PATCH, path, Effect::Repeatable)
    }

    /// Says that it changes nothing, whatever its method.
    pub(super) fn reading(mut self) -> Self {
        self.effect = Effect::Read;
        self
    }

    /// Says that it must not be repeated by itself.
    pub(super) fn once(mut self) -> Self {
        self.effect = Effect::Once;
        self
    }

    pub(super) fn within(mut self, timeout: Duration) -> Self {
        self.timeout = Some(timeout);
        self
    }

    pub(super) fn query(mut self, key: &str, value: impl Display) -> Self {
        self.query.push((key.to_owned(), value.to_string()));
        self
    }

    /// A field of a form.
    pub(super) fn field(mut self, key: &str, value: impl Display) -> Self {
        self.fields.push((key.to_owned(), value.to_string()));
        self
    }

    pub(super) fn json(mut self, body: &Value) -> Self {
        self.payload = Payload::Bytes("application/json; charset=UTF-8", body.to_string().into());
        self.naming(body)
    }

    /// Says which ids of the site stand in what it carries.
    pub(super) fn naming(mut self, carried: &Value) -> Self {
        collect(carried, &mut self.names);
        self
    }

    /// The ids that it names. A refusal repeats them, and a word in an id tells nothing of what went wrong.
    pub(super) fn names(&self) -> Vec<&str> {
        let is_id = |segment: &&str| !segment.bytes().all(|byte| byte.is_ascii_lowercase());
        let ids = self.path.iter().map(String::as_str).filter(is_id);
        ids.chain(self.names.iter().map(String::as_str)).collect()
    }

    pub(super) fn multipart(mut self, form: &FormData) -> Self {
        self.payload = Payload::from(form);
        self
    }

    pub(super) fn operation(&self) -> &'static str {
        self.operation
    }

    pub(super) fn effect(&self) -> Effect {
        self.effect
    }

    /// Whether it carries content, whose sending costs something.
    pub(super) fn carries_content(&self) -> bool {
        matches!(self.payload, Payload::Stream(..))
    }

    /// # Errors
    /// `Invalid` when a segment is empty or climbs: an empty id would turn "this asset" into "all of them".
    pub(super) fn request(&self, base: &str) -> Result<Request> {
        let Some(path) = path_of(&self.path) else {
            return Err(Error::new(
                FailureClass::Invalid,
                System::Otmm,
                self.operation,
                "otmm.bad-id",
                "an id is empty or no id; nothing was sent",
            ));
        };
        let mut target = format!("{base}{path}");
        // Whatever is not a letter or digit is encoded: servlet containers refuse braces and quotes as they are.
        if !self.query.is_empty() {
            target.push('?');
            target.push_str(&serde_urlencoded::to_string(&self.query).unwrap_or_default());
        }
        let mut request = Request::new(self.operation, self.method.clone(), target)
            .header(header::ACCEPT, "application/json")
            .payload(self.payload.clone());
        if !self.fields.is_empty() {
            request = request.form(&self.fields);
        }
        request = match self.effect {
            Effect::Once => request,
            Effect::Repeatable => request.repeatable_change(),
            Effect::Read => request.idempotent(),
        };
        Ok(match self.timeout {
            Some(timeout) => request.timeout(timeout),
            None => request,
        })
    }
}

/// The texts that stand as `id` or `…_id`.
fn collect(json: &Value, names: &mut Vec<String>) {
    match json {
        Value::Object(members) => {
            for (key, value) in members {
                match value {
                    Value::String(id) if key == "id" || key.ends_with("_id") => names.push(id.clone()),
                    value => collect(value, names),
                }
            }
        }
        Value::Array(list) => list.iter().for_each(|value| collect(value, names)),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_empty_or_climbing_id_never_becomes_a_call_on_everything() {
        for id in ["", ".", ".."] {
            let error = Call::get("get asset", &["assets", id]).request("/otmmapi/v6").unwrap_err();
            assert_eq!(error.code(), "otmm.bad-id");
        }
    }
}
