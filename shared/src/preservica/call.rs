//! One call: what it says, and what repeating it would do.

use std::fmt::Display;

use bytes::Bytes;
use http::{HeaderName, Method, header};
use serde_json::Value;

use super::{error::Effect, xml::Element};
use crate::{
    error::{Error, FailureClass, Result, System},
    http::{Payload, Request, path_of},
};

/// The interface that a path is in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Service {
    /// `/api/entity`, in one version where the settings say so.
    Entity,
    /// Everything else below `/api`.
    Other,
}

/// A call.
#[derive(Debug, Clone)]
pub(super) struct Call {
    operation: &'static str,
    method: Method,
    service: Service,
    path: Vec<String>,
    /// A path and query that an answer gave, in place of ours.
    given: Option<String>,
    query: Vec<(String, String)>,
    headers: Vec<(HeaderName, String)>,
    payload: Payload,
    effect: Effect,
}

impl Call {
    fn new(operation: &'static str, method: Method, path: &[&str], effect: Effect) -> Self {
        Self {
            operation,
            method,
            service: Service::Entity,
            path: path.iter().map(|&segment| segment.to_owned()).collect(),
            given: None,
            query: Vec::new(),
            headers: Vec::new(),
            payload: Payload::Empty,
            effect,
        }
    }

    pub(super) fn get(operation: &'static str, path: &[&str]) -> Self {
        Self::new(operation, Method::GET, path, Effect::Read)
    }

    /// A POST that makes something. [`Call::reading`] says otherwise.
    pub(super) fn post(operation: &'static str, path: &[&str]) -> Self {
        Self::new(operation, Method::POST, path, Effect::Once)
    }

    /// A PUT, which leaves the same state however often it is sent.
    pub(super) fn put(operation: &'static str, path: &[&str]) -> Self {
        Self::new(operation, Method::PUT, path, Effect::Repeatable)
    }

    pub(super) fn delete(operation: &'static str, path: &[&str]) -> Self {
        Self::new(operation, Method::DELETE, path, Effect::Repeatable)
    }

    /// A GET of what an answer gave the address of: path and query.
    pub(super) fn follow(operation: &'static str, target: &str) -> Self {
        Self { given: Some(target.to_owned()), ..Self::get(operation, &[]) }
    }

    /// Below `/api`, and not below `/api/entity`.
    pub(super) fn elsewhere(mut self) -> Self {
        self.service = Service::Other;
        self
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

    pub(super) fn header(mut self, name: HeaderName, value: &str) -> Self {
        self.headers.push((name, value.to_owned()));
        self
    }

    pub(super) fn xml(self, root: &Element) -> Self {
        self.payload(Payload::Bytes("application/xml;charset=UTF-8", root.document().into()))
    }

    pub(super) fn word(self, text: &str) -> Self {
        self.payload(Payload::Bytes("text/plain;charset=UTF-8", Bytes::copy_from_slice(text.as_bytes())))
    }

    pub(super) fn json(self, body: &Value) -> Self {
        self.payload(Payload::Bytes("application/json", body.to_string().into()))
    }

    pub(super) fn form(self, fields: &[(&str, String)]) -> Self {
        let encoded = serde_urlencoded::to_string(fields).unwrap_or_default();
        self.payload(Payload::Bytes("application/x-www-form-urlencoded", encoded.into()))
    }

    pub(super) fn payload(mut self, payload: Payload) -> Self {
        self.payload = payload;
        self
    }

    pub(super) fn operation(&self) -> &'static str {
        self.operation
    }

    pub(super) fn effect(&self) -> Effect {
        self.effect
    }

    /// # Errors
    /// `Invalid` when a segment is empty or climbs: an empty reference would turn "this object" into "all of them".
    pub(super) fn request(&self, entity_version: &str) -> Result<Request> {
        let Some(path) = path_of(&self.path) else {
            return Err(Error::new(
                FailureClass::Invalid,
                System::Preservica,
                self.operation,
                "preservica.bad-reference",
                "a reference is empty or none; nothing was sent",
            ));
        };
        let mut target = match (&self.given, self.service) {
            (Some(given), _) => given.clone(),
            (None, Service::Entity) if entity_version.is_empty() => "/api/entity".to_owned(),
            (None, Service::Entity) => format!("/api/entity/v{entity_version}"),
            (None, Service::Other) => "/api".to_owned(),
        };
        target.push_str(&path);
        if !self.query.is_empty() {
            target.push('?');
            target.push_str(&serde_urlencoded::to_string(&self.query).unwrap_or_default());
        }
        let mut request = Request::new(self.operation, self.method.clone(), target)
            .header(header::ACCEPT, "*/*")
            .payload(self.payload.clone());
        for (name, value) in &self.headers {
            request = request.header(name.clone(), value);
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
    fn an_empty_or_climbing_reference_never_becomes_a_call_on_everything() {
        for reference in ["", ".", ".."] {
            let call = Call::delete("remove", &["structural-objects", reference]);
            assert_eq!(call.request("").unwrap_err().code(), "preservica.bad-reference");
        }
    }
}
