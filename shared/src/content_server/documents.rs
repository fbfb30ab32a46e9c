//! Bringing content in.

use serde_json::Value;

use super::{
    Client,
    call::Call,
    categories::CategoryValues,
    edit::{node_fields, roles},
    error::{BAD_REQUEST, COLLISION, Effect, REFUSED_BY_SERVER, unexpected},
    large_upload::LargeUpload,
    node::{External, Node, NodeId, kind},
    versions::{Version, VersionProperties},
    wire::{Data, OneOrMany, Results},
};
use crate::{
    error::{FailureClass, Result},
    http::{FormData, RangedSource, Replayable},
};

/// A document to be made.
#[derive(Debug, Clone)]
pub struct NewDocument {
    /// The folder or workspace it goes into.
    pub parent: NodeId,
    /// Its name; escape it first.
    pub name: String,
    /// Its description.
    pub description: String,
    /// What the outside system says about it. Give the identity: it is how a document whose creation was not confirmed
    /// is recognised.
    pub external: External,
    /// Categories it has from the beginning, in the same call.
    pub categories: Vec<CategoryValues>,
    /// Major and minor versions; `None` leaves it to the folder.
    pub advanced_versioning: Option<bool>,
}

/// A version to be added.
#[derive(Debug, Clone, Default)]
pub struct NewVersion {
    /// Its description; cut to what the server takes. Put a mark of the content in it: it is how a version whose
    /// creation was not confirmed is recognised.
    pub description: String,
    /// A major version, where versions are major and minor.
    pub major: bool,
    /// What the outside system says about it.
    pub external: External,
}

/// Content on its way in.
#[derive(Debug, Clone)]
pub struct Upload {
    /// The bytes, which can be opened as often as needed.
    pub content: Replayable,
    /// The same bytes, from anywhere: needed for sending a large file in parts.
    pub ranges: Option<RangedSource>,
    /// The file's name, which becomes the version's.
    pub file_name: String,
    /// Its media type.
    pub content_type: String,
}

/// Where the bytes of a new document or version are.
enum Source<'a> {
    /// In the same call.
    Here(&'a Upload),
    /// On the server already, as a large upload.
    There(&'a LargeUpload),
}

impl Client {
    /// Makes a document from its content, in parts when it is large and the server takes parts.
    ///
    /// # Errors
    /// [`COLLISION`] when a sibling has the name; `UnknownOutcome` when no answer came: look for a document with the
    /// same external identity before trying again.
    pub async fn create_document(&self, new: &NewDocument, upload: &Upload) -> Result<Node> {
        match self.offered_parts(upload).await? {
            Some(source) => {
                let large = self.upload_in_parts(upload, source).await?;
                let outcome = self.create_document_from(new, &large).await;
                self.cancel_if_definite(&large, outcome).await
            }
            None => self.create_from(new, Source::Here(upload)).await,
        }
    }

    /// Makes a document from a large upload whose parts have all arrived.
    ///
    /// # Errors
    /// As [`Client::create_document`].
    pub async fn create_document_from(&self, new: &NewDocument, large: &LargeUpload) -> Result<Node> {
        if self.settings.large_upload.close_creates_node {
            let fields = document_fields(new, self.settings.dates_with_time);
            let node = self.close_large_upload(large, Some(&fields)).await?;
            let node =
                node.ok_or_else(|| unexpected("create a document", Effect::Once, "no id of the new node"))?;
            return self.get_node(node).await.map_err(|error| error.with_class(FailureClass::UnknownOutcome));
        }
        self.close_large_upload(large, None).await?;
        self.create_from(new, Source::There(large)).await
    }

    async fn create_from(&self, new: &NewDocument, source: Source<'_>) -> Result<Node> {
        let mut fields = document_fields(new, self.settings.dates_with_time);
        let call = Call::post("create a document", "/v2/nodes");
        let call = match source {
            Source::Here(upload) => {
                let form = FormData::new(&self.http.context().new_id())
                    .text("body", &fields.to_string())
                    .file("file", &upload.file_name, &upload.content_type, upload.content.clone());
                call.multipart(form).within(self.settings.upload_time(upload.content.length()))
            }
            Source::There(large) => {
                if let Some(fields) = fields.as_object_mut() {
                    fields.insert("upload_key".to_owned(), large.key().into());
                }
                call.body(&fields).within(self.settings.slow())
            }
        };
        match self.made_node(&call).await {
            // The sentence may be in a language we do not read. What is there now tells a collision from the rest.
            Err(failure)
                if matches!(failure.code(), REFUSED_BY_SERVER | BAD_REQUEST)
                    && self.find_namesake(new.parent, &new.name).await?.is_some() =>
            {
                Err(failure.with_class(FailureClass::Conflict).with_code(COLLISION))
            }
            outcome => outcome,
        }
    }

    /// Adds a version to a document, in parts when it is large and the server takes parts.
    ///
    /// # Errors
    /// [`super::RESERVED`] when somebody has checked the document out; `UnknownOutcome` when no answer came: look at the
    /// latest version before trying again.
    pub async fn add_version(&self, node: NodeId, new: &NewVersion, upload: &Upload) -> Result<Version> {
        match self.offered_parts(upload).await? {
            Some(source) => {
                let large = self.upload_in_parts(upload, source).await?;
                let outcome = self.add_version_from(node, new, &large).await;
                self.cancel_if_definite(&large, outcome).await
            }
            None => self.add_from(node, new, Source::Here(upload)).await,
        }
    }

    /// Adds a version from a large upload whose parts have all arrived.
    ///
    /// # Errors
    /// As [`Client::add_version`].
    pub async fn add_version_from(
        &self,
        node: NodeId,
        new: &NewVersion,
        large: &LargeUpload,
    ) -> Result<Version> {
        self.close_large_upload(large, None).await?;
        self.add_from(node, new, Source::There(large)).await
    }

    async fn add_from(&self, node: NodeId, new: &NewVersion, source: Source<'_>) -> Result<Version> {
        let mut fields = new.external.fields();
        let description = new.description.chars().take(self.settings.version_description_length).collect();
        fields.push(("description", description));
        if new.major {
            fields.push(("add_major_version", "true".to_owned()));
        }
        let call = Call::post("add a version", format!("/v2/nodes/{node}/versions"));
        let call = match source {
            Source::Here(upload) => {
                let form = FormData::new(&self.http.context().new_id());
                let form = fields.iter().fold(form, |form, (key, value)| form.text(key, value));
                let content = upload.content.clone();
                let form = form.file("file", &upload.file_name, &upload.content_type, content);
                call.multipart(form).within(self.settings.upload_time(upload.content.length()))
            }
            Source::There(large) => {
                let call = fields.iter().fold(call, |call, (key, value)| call.field(key, value));
                call.field("upload_key", large.key()).within(self.settings.slow())
            }
        };
        let answer: Results<Data<AddedVersion>> = self.ask(&call).await?;
        match answer.results.data.versions.0.into_iter().max_by_key(VersionProperties::number) {
            Some(version) => Ok(version.into_version(&self.zone)),
            // It is there, only the answer does not describe it.
            None => self
                .latest_version(node)
                .await
                .map_err(|error| error.with_class(FailureClass::UnknownOutcome)),
        }
    }

    async fn cancel_if_definite<T>(&self, large: &LargeUpload, outcome: Result<T>) -> Result<T> {
        if let Err(failure) = &outcome
            && failure.class() != FailureClass::UnknownOutcome
        {
            self.cancel_large_upload(large).await;
        }
        outcome
    }
}

#[derive(serde::Deserialize)]
struct AddedVersion {
    #[serde(default = "nothing")]
    versions: OneOrMany<VersionProperties>,
}

fn nothing() -> OneOrMany<VersionProperties> {
    OneOrMany(Vec::new())
}

fn document_fields(new: &NewDocument, dates_with_time: bool) -> Value {
    let mut fields = node_fields(kind::DOCUMENT, new.parent, &new.name, &new.description, &new.external);
    if let Some(advanced) = new.advanced_versioning {
        fields.insert("advanced_versioning".to_owned(), advanced.into());
    }
    if let Some(roles) = roles(&new.categories, dates_with_time) {
        fields.insert("roles".to_owned(), roles);
    }
    Value::Object(fields)
}
