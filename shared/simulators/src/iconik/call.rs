//! A request, read: query, JSON body, caller.

use bytes::Bytes;
use http::{HeaderMap, Method};
use serde_json::{Map, Value};

use super::reply::{Outcome, Refusal};
use super::state::{State, Token};

/// One call, with everything it may use.
pub(super) struct Call<'a> {
    pub(super) state: &'a mut State,
    pub(super) method: Method,
    /// The path as called, with its trailing slash.
    pub(super) path: String,
    pub(super) query: Vec<(String, String)>,
    /// `Null` when there is none, or none that is JSON.
    pub(super) body: Value,
    /// The body as it came.
    pub(super) bytes: Bytes,
    pub(super) headers: &'a HeaderMap,
    /// Id of the caller.
    pub(super) user: String,
    /// The token that the call came with; none for calls without one.
    pub(super) token: Option<Token>,
}

impl Call<'_> {
    /// A parameter of the query that is not empty.
    pub(super) fn text(&self, name: &str) -> Option<&str> {
        let found = self.query.iter().find(|(key, _)| key == name);
        found.map(|(_, value)| value.as_str()).filter(|value| !value.is_empty())
    }

    /// A yes or no of the query. Clients write `true` and `True`.
    pub(super) fn flag(&self, name: &str, default: bool) -> bool {
        match self.text(name).map(str::to_lowercase).as_deref() {
            Some("true" | "1") => true,
            Some("false" | "0") => false,
            _ => default,
        }
    }

    /// A number of the query.
    pub(super) fn number(&self, name: &str) -> Outcome<Option<usize>> {
        let parse = |text: &str| text.parse().map_err(|_| Refusal::field(name, "Not a valid integer."));
        self.text(name).map(parse).transpose()
    }

    /// A whole number of the query that may be negative.
    pub(super) fn seconds(&self, name: &str) -> Outcome<Option<i64>> {
        let parse = |text: &str| text.parse().map_err(|_| Refusal::field(name, "Not a valid integer."));
        self.text(name).map(parse).transpose()
    }

    /// A list of the query: given several times, or with commas.
    pub(super) fn texts(&self, name: &str) -> Vec<String> {
        let given = self.query.iter().filter(|(key, _)| key == name);
        given
            .flat_map(|(_, value)| value.split(','))
            .filter(|part| !part.is_empty())
            .map(str::to_owned)
            .collect()
    }

    /// The fields of a body that is a form.
    pub(super) fn form(&self) -> Vec<(String, String)> {
        url::form_urlencoded::parse(&self.bytes).into_owned().collect()
    }

    /// The body, which has to be an object.
    pub(super) fn object(&self) -> Outcome<&Map<String, Value>> {
        self.body.as_object().ok_or_else(|| Refusal::field("_schema", "Invalid input type."))
    }

    /// A list of ids in the body.
    pub(super) fn ids(&self, name: &str) -> Outcome<Vec<String>> {
        let list = self.object()?.get(name).and_then(Value::as_array);
        let list = list.ok_or_else(|| Refusal::field(name, "Missing data for required field."))?;
        let ids: Option<Vec<String>> = list.iter().map(|id| id.as_str().map(str::to_owned)).collect();
        ids.ok_or_else(|| Refusal::field(name, "Not a valid UUID."))
    }

    /// The caller has to hold this role.
    pub(super) fn needs(&self, role: &str) -> Outcome<()> {
        if self.state.has_role(&self.user, role) {
            return Ok(());
        }
        Err(Refusal::Forbidden(format!("User does not have the role {role}")))
    }
}
