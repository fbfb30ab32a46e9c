//! A request, read: one map of parameters from query, form, `body` and JSON, and the files beside them.

use axum::body::{Body, HttpBody as _};
use axum::extract::{FromRequest as _, Multipart};
use futures_util::StreamExt as _;
use http::{HeaderMap, Method, Request, header};
use serde_json::{Map, Value};

use super::settings::{Settings, WorkspaceInput};
use super::state::{Outcome, Refusal};
use crate::content::{Blob, Spool};

/// Largest request without files.
const FORM_LIMIT: usize = 64 * 1024 * 1024;

/// A file of a multipart form.
#[derive(Debug)]
pub(super) struct Upload {
    pub(super) file_name: String,
    pub(super) mime_type: String,
    pub(super) content: Blob,
}

/// Everything a call says. Later sources win: query, form fields, `body`, a JSON request.
#[derive(Debug, Default)]
pub(super) struct Params {
    map: Map<String, Value>,
    pub(super) files: Vec<(String, Upload)>,
    pub(super) received: u64,
    pub(super) is_multipart: bool,
}

/// The caller went away or sent something that is no HTTP body.
#[derive(Debug)]
pub(super) enum BadRequest {
    /// The body broke off.
    Aborted,
    /// Above the configured limit.
    TooLarge,
}

impl Params {
    /// Reads a request to its end.
    pub(super) async fn read(request: Request<Body>, settings: &Settings) -> Result<Self, BadRequest> {
        let mut params = Self::default();
        if let Some(query) = request.uri().query() {
            params.add_pairs(query.as_bytes());
        }
        let kind = content_type(request.headers()).to_owned();
        let (reads_forms, reads_json) = reads(request.uri().path(), settings);
        if request.method() != Method::GET && kind.starts_with("multipart/form-data") {
            params.is_multipart = true;
            params.read_multipart(request, settings).await?;
        } else {
            let bytes = collect(request.into_body()).await?;
            params.received = bytes.len() as u64;
            if kind.starts_with("application/json") {
                if let (true, Ok(Value::Object(object))) = (reads_json, serde_json::from_slice(&bytes)) {
                    params.map.extend(object);
                }
            } else if reads_forms {
                params.add_pairs(&bytes);
            }
        }
        params.unfold_body();
        Ok(params)
    }

    async fn read_multipart(
        &mut self,
        request: Request<Body>,
        settings: &Settings,
    ) -> Result<(), BadRequest> {
        // Parts of large uploads are joined later and must keep their bytes.
        let is_part = request.uri().path().contains("/multipart/");
        let aborted = |_| BadRequest::Aborted;
        let mut form = Multipart::from_request(request, &()).await.map_err(|_| BadRequest::Aborted)?;
        while let Some(mut field) = form.next_field().await.map_err(aborted)? {
            let name = field.name().unwrap_or_default().to_owned();
            let is_file = field.file_name().is_some() || matches!(name.as_str(), "file" | "part_content");
            if !is_file {
                let text = field.text().await.map_err(aborted)?;
                self.received += text.len() as u64;
                self.add(&name, text);
                continue;
            }
            let file_name = field.file_name().unwrap_or_default().to_owned();
            let mime_type = field.content_type().unwrap_or("application/octet-stream").to_owned();
            let mut spool = match is_part {
                true => Spool::new(settings.memory_threshold_bytes, false),
                false => settings.spool(),
            };
            while let Some(piece) = field.chunk().await.map_err(aborted)? {
                spool.write(&piece).map_err(|_| BadRequest::Aborted)?;
                if settings.max_upload_bytes.is_some_and(|limit| spool.size() > limit) {
                    return Err(BadRequest::TooLarge);
                }
            }
            self.received += spool.size();
            self.files.push((name, Upload { file_name, mime_type, content: spool.finish() }));
        }
        Ok(())
    }

    fn add_pairs(&mut self, bytes: &[u8]) {
        let pairs: Vec<(String, String)> = url::form_urlencoded::parse(bytes).into_owned().collect();
        for (name, value) in pairs {
            self.add(&name, value);
        }
    }

    /// Repeated keys become a list.
    fn add(&mut self, name: &str, value: String) {
        match self.map.get_mut(name) {
            None => drop(self.map.insert(name.to_owned(), Value::from(value))),
            Some(Value::Array(list)) => list.push(Value::from(value)),
            Some(first) => *first = Value::from(vec![first.take(), Value::from(value)]),
        }
    }

    fn unfold_body(&mut self) {
        let parsed = self.map.get("body").and_then(Value::as_str).map(serde_json::from_str);
        if let Some(Ok(Value::Object(object))) = parsed {
            self.map.remove("body");
            self.map.extend(object);
        }
    }

    /// The parameter, whatever its type.
    pub(super) fn get(&self, name: &str) -> Option<&Value> {
        self.map.get(name)
    }

    /// Whether the parameter is there, even without value.
    pub(super) fn has(&self, name: &str) -> bool {
        self.map.contains_key(name)
    }

    /// All parameters.
    pub(super) fn all(&self) -> &Map<String, Value> {
        &self.map
    }

    /// A text; numbers and booleans count as their text.
    pub(super) fn text(&self, name: &str) -> Option<String> {
        as_text(self.map.get(name)?)
    }

    /// A text that is not empty.
    pub(super) fn filled(&self, name: &str) -> Option<String> {
        self.text(name).filter(|text| !text.is_empty())
    }

    /// A text that must be there.
    pub(super) fn needed(&self, name: &'static str) -> Outcome<String> {
        self.filled(name).ok_or(Refusal::Missing(name))
    }

    /// A number, also when sent as text. An empty text is no number.
    pub(super) fn number(&self, name: &str) -> Outcome<Option<i64>> {
        match self.filled(name) {
            None => Ok(None),
            Some(text) => text.trim().parse().map(Some).map_err(|_| Refusal::BadType(name.to_owned())),
        }
    }

    /// A number that must be there.
    pub(super) fn needed_number(&self, name: &'static str) -> Outcome<i64> {
        self.number(name)?.ok_or(Refusal::Missing(name))
    }

    /// A yes or no: `true`, `True`, `1`; a flag without value is a yes.
    pub(super) fn flag(&self, name: &str) -> Option<bool> {
        let text = self.text(name)?.to_lowercase();
        Some(matches!(text.as_str(), "true" | "1" | "" | "yes" | "on"))
    }

    /// A list: repeated keys, a JSON list, or one value.
    pub(super) fn list(&self, name: &str) -> Vec<String> {
        match self.map.get(name) {
            None => Vec::new(),
            Some(Value::Array(items)) => items.iter().filter_map(as_text).collect(),
            Some(one) => as_text(one).into_iter().collect(),
        }
    }

    /// A list of numbers; each entry may itself be a list with commas.
    pub(super) fn numbers(&self, name: &str) -> Outcome<Vec<i64>> {
        self.list(name)
            .iter()
            .flat_map(|entry| entry.split(','))
            .map(|entry| entry.trim().trim_matches(['[', ']', '{', '}']))
            .filter(|entry| !entry.is_empty())
            .map(|entry| entry.parse().map_err(|_| Refusal::BadType(name.to_owned())))
            .collect()
    }

    /// `{a,b}` or `{'a','b'}`, or a plain list.
    pub(super) fn braced(&self, name: &str) -> Vec<String> {
        self.list(name)
            .iter()
            .flat_map(|entry| entry.trim().trim_start_matches('{').trim_end_matches('}').split(','))
            .map(|entry| entry.trim().trim_matches(['\'', '"']).to_owned())
            .filter(|entry| !entry.is_empty())
            .collect()
    }

    /// Takes a file out of the form.
    pub(super) fn take_file(&mut self, accepts: impl Fn(&str) -> bool) -> Option<Upload> {
        let index = self.files.iter().position(|(name, _)| accepts(name))?;
        Some(self.files.swap_remove(index).1)
    }
}

/// Text of a value that has one.
pub(super) fn as_text(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(flag) => Some(flag.to_string()),
        _ => None,
    }
}

/// Whether forms and JSON are read at all under a path.
fn reads(path: &str, settings: &Settings) -> (bool, bool) {
    match settings.workspace_input {
        WorkspaceInput::Form if path.contains("/businessworkspaces") => (true, false),
        WorkspaceInput::Json if path.contains("/businessworkspaces") => (false, true),
        _ => (true, true),
    }
}

fn content_type(headers: &HeaderMap) -> &str {
    headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default()
}

async fn collect(body: Body) -> Result<Vec<u8>, BadRequest> {
    let mut bytes =
        Vec::with_capacity(usize::try_from(body.size_hint().lower()).unwrap_or(0).min(FORM_LIMIT));
    let mut pieces = body.into_data_stream();
    while let Some(piece) = pieces.next().await {
        bytes.extend_from_slice(&piece.map_err(|_| BadRequest::Aborted)?);
        if bytes.len() > FORM_LIMIT {
            return Err(BadRequest::TooLarge);
        }
    }
    Ok(bytes)
}
