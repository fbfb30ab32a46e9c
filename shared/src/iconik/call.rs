//! One call: what it says, and what repeating it would do.

use std::fmt::Display;

use http::{Method, header};
use serde_json::Value;

use super::error::Effect;
use crate::{
    error::{Error, FailureClass, Result, System},
    http::{Payload, Request, path_of},
};

/// A call to one of the services.
#[derive(Debug, Clone)]
pub(super) struct Call {
    operation: &'static str,
    method: Method,
    path: Vec<String>,
    query: Vec<(String, String)>,
    body: Option<Value>,
    effect: Effect,
}

impl Call {
    /// `path` begins with the service and its version. Every segment is encoded; the slash at the end is added, which
    /// every documented path has.
    fn new(operation: &'static str, method: Method, path: &[&str], effect: Effect) -> Self {
        let path = path.iter().map(|&segment| segment.to_owned()).collect();
        Self { operation, method, path, query: Vec::new(), body: None, effect }
    }

    pub(super) fn get(operation: &'static str, path: &[&str]) -> Self {
        Self::new(operation, Method::GET, path, Effect::Read)
    }

    /// A POST that makes something. [`Call::reading`] and [`Call::repeatable`] say otherwise.
    pub(super) fn post(operation: &'static str, path: &[&str]) -> Self {
        Self::new(operation, Method::POST, path, Effect::Once)
    }

    /// A PUT, which leaves the same state however often it is sent.
    pub(super) fn put(operation: &'static str, path: &[&str]) -> Self {
        Self::new(operation, Method::PUT, path, Effect::Repeatable)
    }

    /// A PATCH: it sets fields to values, and leaves the same state however often it is sent.
    pub(super) fn patch(operation: &'static str, path: &[&str]) -> Self {
        Self::new(operation, Method::PATCH, path, Effect::Repeatable)
    }

    pub(super) fn delete(operation: &'static str, path: &[&str]) -> Self {
        Self::new(operation, Method::DELETE, path, Effect::Repeatable)
    }

    /// Says that it changes nothing, whatever its method.
    pub(super) fn reading(mut self) -> Self {
        self.effect = Effect::Read;
        self
    }

    pub(super) fn repeatable(mut self) -> Self {
        self.effect = Effect::Repeatable;
        self
    }

    /// Says that it must not be repeated by itself, although a second time changes nothing more: what speaks for it may
    /// not speak for it a moment later.
    pub(super) fn once(mut self) -> Self {
        self.effect = Effect::Once;
        self
    }

    pub(super) fn query(mut self, key: &str, value: impl Display) -> Self {
        self.query.push((key.to_owned(), value.to_string()));
        self
    }

    pub(super) fn query_if(self, key: &str, value: Option<impl Display>) -> Self {
        match value {
            Some(value) => self.query(key, value),
            None => self,
        }
    }

    pub(super) fn body(mut self, body: Value) -> Self {
        self.body = Some(body);
        self
    }

    /// Sets one member of the body.
    pub(super) fn member(mut self, key: &str, value: Value) -> Self {
        if let Some(Value::Object(members)) = &mut self.body {
            members.insert(key.to_owned(), value);
        }
        self
    }

    pub(super) fn operation(&self) -> &'static str {
        self.operation
    }

    pub(super) fn effect(&self) -> Effect {
        self.effect
    }

    /// # Errors
    /// `Invalid` when a segment is empty or climbs: an empty id would turn "this object" into "all of them".
    pub(super) fn request(&self) -> Result<Request> {
        let Some(path) = path_of(&self.path) else {
            return Err(Error::new(
                FailureClass::Invalid,
                System::Iconik,
                self.operation,
                "iconik.bad-id",
                "an id is empty or no id; nothing was sent",
            ));
        };
        let mut target = format!("/API{path}/");
        if !self.query.is_empty() {
            target.push('?');
            target.push_str(&serde_urlencoded::to_string(&self.query).unwrap_or_default());
        }
        let mut request = Request::new(self.operation, self.method.clone(), target)
            .header(header::ACCEPT, "application/json");
        if let Some(body) = &self.body {
            request = request.payload(Payload::Bytes("application/json", body.to_string().into()));
        }
        Ok(match self.effect {
            Effect::Once => request,
            Effect::Repeatable => request.repeatable_change(),
            Effect::Read => request.idempotent(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_empty_or_climbing_id_never_becomes_a_call_on_everything() {
        for id in ["", ".", ".."] {
            let error = Call::delete("delete asset", &["assets", "v1", "assets", id]).request().unwrap_err();
            assert_eq!(error.code(), "iconik.bad-id");
        }
    }
}
