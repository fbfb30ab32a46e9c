//! Bringing files: a mutation makes the entry and gives a signed address, the bytes go there, and the server prepares them
//! afterwards. How that address is called and served is not documented; see [`super::Settings`].

use http::{Method, StatusCode};
use serde_json::{Map, Value, json};

use super::{
    Client, UploadMethod,
    error::{Effect, failure, unexpected},
    reading::lacks,
    writing::{input_of, is_address, made_id},
};
use crate::{
    error::{Error, FailureClass, Result, System},
    http::{Client as HttpClient, Limits, Pace, Payload, Replayable, Request, SignedUrl},
};

/// A signed address that leads somewhere unexpected.
pub const FOREIGN_HOST: &str = "consonance.foreign-host";
/// The storage takes nothing at the address: it has ended, or wants what was not sent.
pub const SIGNED_URL_REFUSED: &str = "consonance.signed-url-refused";
/// An image that is no JPEG: nothing else is taken.
pub const NOT_JPEG: &str = "consonance.not-jpeg";

const OPERATION: &str = "upload";

/// An image to be made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewResource {
    /// The work it belongs to.
    pub work_id: i64,
    /// The products it belongs to; all of the work when empty.
    pub product_ids: Vec<i64>,
    /// Its name, which ends with `.jpg`.
    pub file_name: String,
    /// A caption.
    pub caption: Option<String>,
}

/// A production file to be made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewProductionFile {
    /// The product it belongs to.
    pub product_id: i64,
    /// Its name.
    pub file_name: String,
    /// Which file of the product it is: a value of the schema's `ProductionFileFileVariant`.
    pub variant: String,
}

impl Client {
    /// Makes an image entry and brings its bytes; gives its id. Preparation goes on by itself: `is_processing` says.
    ///
    /// # Errors
    /// [`NOT_JPEG`], [`FOREIGN_HOST`], [`SIGNED_URL_REFUSED`]. After the last two the entry is there without bytes.
    pub async fn upload_resource(&self, new: &NewResource, content: &Replayable) -> Result<i64> {
        let name = new.file_name.to_lowercase();
        if !name.ends_with(".jpg") && !name.ends_with(".jpeg") {
            let message = "images are taken as JPEG only; nothing was sent";
            return Err(failure(FailureClass::Invalid, OPERATION, NOT_JPEG, message).field("file_name"));
        }
        let mut input = Map::from_iter([
            ("workId".to_owned(), json!(new.work_id)),
            ("resourceFileName".to_owned(), json!(new.file_name)),
        ]);
        if let Some(caption) = &new.caption {
            input.insert("caption".to_owned(), json!(caption));
        }
        // One or the other, never both.
        match new.product_ids.as_slice() {
            [] => input.insert("linkToAllProducts".to_owned(), json!(true)),
            some => input.insert("productIds".to_owned(), json!(some)),
        };
        self.make_and_send("createSupportingResource", input, content).await
    }

    /// Makes the entry of a production file and brings its bytes; gives its id.
    ///
    /// # Errors
    /// As [`Client::upload_resource`].
    pub async fn upload_production_file(&self, new: &NewProductionFile, content: &Replayable) -> Result<i64> {
        const MUTATION: &str = "createProductionFile";
        let schema = self.capabilities().await?;
        let of = input_of(&schema, OPERATION, MUTATION)?;
        let by_name = |part: &str| {
            let found = schema.inputs(of).find(|(name, _)| name.to_lowercase().contains(part));
            found.map(|(name, of)| (name.to_owned(), of.starts_with('[')))
        };
        let missing = |what: &str| lacks(OPERATION, &format!("{of} has no {what}"));
        let (file_name, _) = by_name("filename").ok_or_else(|| missing("file name"))?;
        let (product, is_list) = by_name("productid").ok_or_else(|| missing("product"))?;
        let (variant, _) = by_name("variant").ok_or_else(|| missing("variant"))?;
        let input = Map::from_iter([
            (file_name, json!(new.file_name)),
            (product, if is_list { json!([new.product_id]) } else { json!(new.product_id) }),
            (variant, json!(new.variant)),
        ]);
        self.make_and_send(MUTATION, input, content).await
    }

    async fn make_and_send(
        &self,
        mutation: &str,
        input: Map<String, Value>,
        content: &Replayable,
    ) -> Result<i64> {
        let payload = self.mutate(OPERATION, mutation, Effect::Once, input).await?;
        let not_there = |what: &str| unexpected(OPERATION, Effect::Once, what);
        let id = made_id(&payload).ok_or_else(|| not_there("no id of what was made in it"))?;
        let address = self.address_in(&payload).ok_or_else(|| not_there("no address for the bytes in it"))?;
        self.send_content(&address, content).await?;
        let follow_up = self.settings.upload_follow_up.as_str();
        if !follow_up.is_empty() {
            let input = Map::from_iter([("id".to_owned(), json!(id))]);
            self.mutate("finish upload", follow_up, Effect::Repeatable, input).await?;
        }
        Ok(id)
    }

    /// The address in a payload, or in what was made.
    fn address_in(&self, payload: &Value) -> Option<String> {
        let wanted = self.settings.upload_url_field.as_str();
        let of = |members: &Map<String, Value>| {
            let mut texts = members.iter().filter_map(|(name, value)| Some((name, value.as_str()?)));
            let found = texts.find(|(name, _)| match wanted {
                "" => is_address(name),
                wanted => *name == wanted,
            });
            found.map(|(_, text)| text.to_owned())
        };
        let members = payload.as_object()?;
        of(members).or_else(|| members.values().filter_map(Value::as_object).find_map(of))
    }

    async fn send_content(&self, address: &str, content: &Replayable) -> Result<()> {
        let url = SignedUrl::parse(address, &self.settings.base_url, &self.settings.upload_hosts);
        let url = url.map_err(|what| {
            failure(FailureClass::Forbidden, OPERATION, FOREIGN_HOST, what)
                .remedy("when the storage is meant, add its host to upload_hosts")
        })?;
        let method = match self.settings.upload_method {
            UploadMethod::Put => Method::PUT,
            UploadMethod::Post => Method::POST,
        };
        let kind = self.settings.upload_content_type.clone();
        let request = Request::new(OPERATION, method, url.target())
            .payload(Payload::Stream(kind, content.clone()))
            .timeout(self.settings.transfer_time(content.length()))
            .idempotent();
        let limits = Limits { attempts: self.settings.attempts, ..Limits::default() };
        let (transport, context) = (self.transport.clone(), self.http.context().clone());
        let pace = Pace::per_second(super::Settings::PACE);
        let storage = HttpClient::new(System::Consonance, url.origin(), transport, context, pace, limits);
        let response = storage.send(&request).await?;
        match response.status {
            status if status.is_success() => Ok(()),
            status => Err(storage_failure(status)),
        }
    }
}

fn storage_failure(status: StatusCode) -> Error {
    let message = format!("the storage answered {status}");
    match status.as_u16() {
        400 | 401 | 403 | 405 => failure(FailureClass::Forbidden, OPERATION, SIGNED_URL_REFUSED, message)
            .remedy("the address has ended, or the storage wants another method or content type: see upload_method"),
        429 => failure(FailureClass::Throttled, OPERATION, "consonance.storage-throttled", message),
        500..=599 => failure(FailureClass::Transient, OPERATION, "consonance.storage-failed", message),
        _ => failure(FailureClass::Invalid, OPERATION, "consonance.storage-refused", message),
    }
}
