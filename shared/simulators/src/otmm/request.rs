//! A request, read: parameters of query and form, the JSON body, and the files of a form.

use axum::body::Body;
use axum::extract::{FromRequest as _, Multipart};
use http::{Request, header};
use md5::Digest as _;
use serde_json::Value;

use super::reply::{Outcome, Refusal};
use super::settings::Settings;
use crate::content::{Blob, Spool};
use crate::frame;

/// Largest request that is not content, and largest part of a form that is none.
const LIMIT: usize = 16 * 1024 * 1024;

/// A file that came.
#[derive(Clone, Debug)]
pub(super) struct Upload {
    pub(super) name: String,
    pub(super) mime_type: String,
    pub(super) content: Blob,
    pub(super) md5: String,
}

/// What a request says.
#[derive(Debug, Default)]
pub(super) struct Params {
    fields: Vec<(String, String)>,
    pub(super) files: Vec<Upload>,
    pub(super) json: Option<Value>,
    /// The body claimed to be JSON.
    pub(super) is_json: bool,
    pub(super) received: u64,
}

impl Params {
    /// Reads a request to its end.
    pub(super) async fn read(request: Request<Body>, settings: &Settings) -> Outcome<Self> {
        let mut params = Self::default();
        params.add_pairs(request.uri().query().unwrap_or_default().as_bytes());
        let kind = request.headers().get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok());
        let kind = kind.unwrap_or_default().to_ascii_lowercase();
        if kind.starts_with("multipart/form-data") {
            params.read_multipart(request, settings).await?;
            return Ok(params);
        }
        let too_large = || Refusal::Page(413, "Request Entity Too Large".to_owned());
        let bytes = frame::read(request.into_body(), LIMIT).await.ok_or_else(too_large)?;
        params.received = bytes.len() as u64;
        if kind.starts_with("application/json") {
            params.is_json = true;
            params.json = serde_json::from_slice(&bytes).ok();
        } else if kind.starts_with("application/x-www-form-urlencoded") {
            params.add_pairs(&bytes);
        }
        Ok(params)
    }

    async fn read_multipart(&mut self, request: Request<Body>, settings: &Settings) -> Outcome<()> {
        let broken = |_| Refusal::Invalid("The form could not be read".to_owned());
        let failed = |_| Refusal::Invalid("The form broke off".to_owned());
        let mut form = Multipart::from_request(request, &()).await.map_err(broken)?;
        let mut is_too_large = false;
        while let Some(mut field) = form.next_field().await.map_err(failed)? {
            let name = field.name().unwrap_or_default().to_owned();
            let is_file = matches!(name.as_str(), "file" | "files");
            let (mut spool, mut hash) = (Spool::new(settings.memory_threshold_bytes, false), md5::Md5::new());
            let most =
                if is_file { settings.imports.largest_bytes.unwrap_or(u64::MAX) } else { LIMIT as u64 };
            let file_name = field.file_name().unwrap_or_default().to_owned();
            let mime_type = field.content_type().unwrap_or("application/octet-stream").to_owned();
            while let Some(piece) = field.chunk().await.map_err(failed)? {
                self.received += piece.len() as u64;
                // Read on to the end: a client notices a refusal only after it has sent all.
                is_too_large |= spool.size() + piece.len() as u64 > most;
                if !is_too_large {
                    hash.update(&piece);
                    spool.write(&piece).map_err(|error| Refusal::Status(507, error.to_string()))?;
                }
            }
            let content = spool.finish();
            if is_file {
                let md5 = hex::encode(hash.finalize().as_slice());
                self.files.push(Upload { name: file_name, mime_type, content, md5 });
            } else {
                let bytes = content.bytes().map_err(|error| Refusal::Status(507, error.to_string()))?;
                let text = String::from_utf8(bytes.to_vec());
                let text = text.map_err(|_| Refusal::Invalid(format!("{name} is not UTF-8")))?;
                self.fields.push((name, text));
            }
        }
        match is_too_large {
            true => Err(Refusal::Page(413, "Request Entity Too Large".to_owned())),
            false => Ok(()),
        }
    }

    fn add_pairs(&mut self, bytes: &[u8]) {
        self.fields.extend(url::form_urlencoded::parse(bytes).into_owned());
    }

    /// A parameter that is not empty; of several the last.
    pub(super) fn text(&self, name: &str) -> Option<&str> {
        let found = self.fields.iter().rfind(|(key, _)| key == name);
        found.map(|(_, value)| value.as_str()).filter(|value| !value.is_empty())
    }

    /// A parameter that has to be there.
    pub(super) fn required(&self, name: &str) -> Outcome<&str> {
        self.text(name).ok_or_else(|| Refusal::Invalid(format!("The parameter {name} is missing")))
    }

    /// A whole number.
    pub(super) fn number(&self, name: &str) -> Outcome<Option<usize>> {
        let parse = |text: &str| text.parse().map_err(|_| Refusal::Invalid(format!("{name} is no number")));
        self.text(name).map(parse).transpose()
    }

    /// A yes or no; no when absent.
    pub(super) fn flag(&self, name: &str) -> bool {
        self.text(name).is_some_and(|text| text.eq_ignore_ascii_case("true"))
    }

    /// A parameter that is JSON.
    pub(super) fn parsed(&self, name: &str) -> Outcome<Option<Value>> {
        let Some(text) = self.text(name) else { return Ok(None) };
        let parsed = serde_json::from_str(text)
            .map_err(|error| Refusal::Invalid(format!("{name} is no JSON: {error}")));
        parsed.map(Some)
    }

    /// The body, which has to be JSON.
    pub(super) fn body(&self) -> Outcome<&Value> {
        match (&self.json, self.is_json) {
            (Some(json), _) => Ok(json),
            (None, true) => Err(Refusal::Invalid("The body is no JSON".to_owned())),
            (None, false) => Err(Refusal::Status(415, "The body has to be application/json".to_owned())),
        }
    }
}
