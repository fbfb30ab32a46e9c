//! Copies one version of a Content Server document to S3, verified and resumable. For every flow that needs such a
//! copy.
//!
//! The content goes to a key that follows from node and version, in one call or part by part over as many invocations
//! as it takes. Then the document is read a second time: only when both readings and what S3 keeps have one SHA-256
//! (or, for a copy made of parts, one CRC64-NVME) is the description written beside it. The description vouches for the
//! copy: whoever finds it, and the object it names with the checksum it names, need not copy again.

mod description;
mod layout;

use aws_sdk_s3::types::StorageClass;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use shared::{
    aws::classify,
    content_server::{Client, NodeId, Version},
    error::{Error, FailureClass, Result, System},
    flow::Run,
    transfer::{
        self, Digests, Progress, RangedSource, Ranges, S3Object, UploadSizes, UploadTarget, hash_body,
        hash_resumable,
    },
};

pub(crate) use self::description::categories;
pub(crate) use self::description::records;
pub(crate) use self::description::value as json_value;
pub(crate) use self::layout::{escaped, shortened};
pub use self::{
    description::{
        AttributeDescription, CategoryDescription, GrantDescription, NodeDescription, RecordDescription,
        SCHEMA, StoredDescription, VersionDescription, schema,
    },
    layout::{content_key, description_key},
};

/// The largest description that is read, in bytes.
const LARGEST_DESCRIPTION: i64 = 4 << 20;

/// Where copies go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shelf {
    /// The bucket.
    pub bucket: String,
    /// The beginning of every key, with its slash.
    pub prefix: String,
    /// The storage class of the contents; descriptions are always in the standard one.
    pub storage_class: Option<StorageClass>,
}

/// How a copy is verified.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Reading {
    /// The document is read twice, and both readings must agree: Content Server keeps no checksum to compare with.
    #[default]
    Twice,
    /// One reading of the announced length is trusted.
    Once,
}

/// A version that is in S3, verified.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct StoredVersion {
    /// The bucket.
    pub bucket: String,
    /// The key.
    pub key: String,
    /// The version of the object, in a bucket that keeps them.
    pub version_id: Option<String>,
    /// SHA-256 of the content, hexadecimal.
    pub sha256: String,
    /// CRC64-NVME of the content, as S3 writes it.
    pub crc64_nvme: String,
    /// Bytes.
    pub size: u64,
    /// Its storage class.
    pub storage_class: String,
}

impl StoredVersion {
    /// `s3://bucket/key`.
    pub fn uri(&self) -> String {
        format!("s3://{}/{}", self.bucket, self.key)
    }
}

/// Copies versions of one document.
#[derive(Debug, Clone, Copy)]
pub struct VersionCopy<'a> {
    /// Where they come from.
    pub content_server: &'a Client,
    /// Where they go.
    pub s3: &'a aws_sdk_s3::Client,
    /// The place there.
    pub shelf: &'a Shelf,
    /// How they are verified.
    pub reading: Reading,
    /// How they are cut.
    pub sizes: UploadSizes,
}

impl VersionCopy<'_> {
    /// Sees to it that a version is in S3, verified. A copy that an earlier delivery (or another flow with the same
    /// shelf) has made and vouched for is checked and not made again. `Paused`: call again in the next invocation.
    ///
    /// # Errors
    /// `version-copy.mismatch` when two readings of the document differ, to be tried again; `version-copy.taken` when
    /// the place is another system's. What Content Server and S3 say.
    pub async fn copy(
        &self,
        node: &NodeDescription,
        version: &Version,
        run: &Run,
    ) -> Result<Progress<StoredVersion>> {
        let described = VersionDescription::of(version);
        if let Some(stored) = self.find(node.id, &described).await? {
            return Ok(Progress::Done(stored));
        }
        let source = version_source(self.content_server, NodeId(node.id), version).await?;
        let to = self.target(node.id, version);
        let name = format!("version-{}", version.number);
        let Progress::Done(copied) = self.content(&source, &to, &name, run).await? else {
            return Ok(Progress::Paused);
        };
        let stored = StoredVersion {
            bucket: to.bucket,
            key: to.key,
            version_id: copied.version_id,
            sha256: copied.digests.sha256,
            crc64_nvme: copied.digests.crc64_nvme,
            size: copied.digests.bytes,
            storage_class: self.class(),
        };
        let description = StoredDescription {
            schema: SCHEMA.to_owned(),
            node: node.clone(),
            version: described,
            content: stored.clone(),
        };
        self.describe(&description).await?;
        Ok(Progress::Done(stored))
    }

    /// Copies a version to a place of the caller's, verified in the same way and vouched for by nobody else. What is
    /// recorded of a long copy is kept under `name`; one name may serve many copies, one after the other.
    ///
    /// # Errors
    /// `version-copy.mismatch` when two readings of the document differ, to be tried again.
    pub(crate) async fn copy_to(
        &self,
        node: NodeId,
        version: &Version,
        key: &str,
        name: &str,
        run: &Run,
    ) -> Result<Progress<Digests>> {
        let source = self.source(node, version).await?;
        let to = UploadTarget { key: key.to_owned(), ..self.target(node.0, version) };
        Ok(match self.content(&source, &to, name, run).await? {
            Progress::Done(copied) => Progress::Done(copied.digests),
            Progress::Paused => Progress::Paused,
        })
    }

    /// A version that is in S3 and vouched for; nothing when there is no such copy or it is not what it was.
    ///
    /// # Errors
    /// `version-copy.taken` when the place is another system's. What S3 says.
    pub async fn find(&self, node: i64, version: &VersionDescription) -> Result<Option<StoredVersion>> {
        let Some(found) = self.description(node, version.number).await? else { return Ok(None) };
        if found.version.created != version.created || found.version.file_name != version.file_name {
            return Err(self.taken(node, version.number));
        }
        let stored = found.content;
        let head =
            S3Object::head(self.s3, &stored.bucket, &stored.key, stored.version_id.as_deref(), None).await;
        let object = match head {
            Ok(object) => object,
            Err(error) if error.class() == FailureClass::Gone => return Ok(None),
            Err(error) => return Err(error),
        };
        let crc = object.checksum_crc64_nvme.as_deref().is_none_or(|crc| crc == stored.crc64_nvme);
        let sha256 = object.checksum_sha256.as_deref().is_none_or(|sha256| sha256 == stored.sha256);
        let vouched = object.checksum_crc64_nvme.is_some() || object.checksum_sha256.is_some();
        Ok((vouched && crc && sha256 && object.size == stored.size).then_some(stored))
    }

    /// What was written beside the copy of a version.
    ///
    /// # Errors
    /// What S3 says.
    pub async fn description(&self, node: i64, version: i64) -> Result<Option<StoredDescription>> {
        let key = description_key(&self.shelf.prefix, node, version);
        let answer = self.s3.get_object().bucket(&self.shelf.bucket).key(&key).send().await;
        let output = match answer.map_err(|error| classify(System::S3, "read description", error)) {
            Ok(output) => output,
            Err(error) if error.class() == FailureClass::Gone => return Ok(None),
            Err(error) => return Err(error),
        };
        if output.content_length().is_some_and(|length| length > LARGEST_DESCRIPTION) {
            return Err(self.taken(node, version));
        }
        let bytes = output.body.collect().await.map_err(|error| {
            Error::new(
                FailureClass::Transient,
                System::S3,
                "read description",
                "source.cut",
                "the description of a stored version broke off",
            )
            .source(error)
        })?;
        serde_json::from_slice::<StoredDescription>(&bytes.into_bytes())
            .ok()
            .filter(|found| {
                found.schema == SCHEMA && found.node.id == node && found.version.number == version
            })
            .map(Some)
            .ok_or_else(|| self.taken(node, version))
    }

    /// The content of a version as something to upload.
    pub(crate) async fn source(&self, node: NodeId, version: &Version) -> Result<RangedSource> {
        version_source(self.content_server, node, version).await
    }

    fn target(&self, node: i64, version: &Version) -> UploadTarget {
        let created = version.created.map(|created| created.to_string()).unwrap_or_default();
        UploadTarget {
            content_type: version.mime_type.clone(),
            user_metadata: [
                ("waybill-node", node.to_string()),
                ("waybill-version", version.number.to_string()),
                ("waybill-created", created),
            ]
            .map(|(name, value)| (name.to_owned(), value))
            .into(),
            storage_class: self.shelf.storage_class.clone(),
            ..UploadTarget::new(
                &self.shelf.bucket,
                content_key(&self.shelf.prefix, node, version.number, &version.file_name),
            )
        }
    }

    /// Copies the content and compares it with the document, in one call or over several invocations.
    pub(crate) async fn content(
        &self,
        source: &RangedSource,
        to: &UploadTarget,
        name: &str,
        run: &Run,
    ) -> Result<Progress<Copied>> {
        // Only an earlier attempt can have left a copy without a description.
        let left = if run.is_taken_over() { self.left_behind(to, source.length()).await? } else { None };
        if let Some(object) = left {
            let Progress::Done(digests) = self.read(source, name, run).await? else {
                return Ok(Progress::Paused);
            };
            if agrees(&object, &digests) {
                return Ok(Progress::Done(Copied { version_id: object.version_id, digests }));
            }
            self.begin_anew(name, run).await?;
        }
        let record = format!("{name}.copy-{}", begun(name, run));
        let Progress::Done(uploaded) =
            transfer::upload(self.s3, source, to, self.sizes, run, &record).await?
        else {
            return Ok(Progress::Paused);
        };
        let copied = Copied { version_id: uploaded.version_id, digests: uploaded.digests };
        if self.reading == Reading::Twice {
            let Progress::Done(second) = self.read(source, name, run).await? else {
                return Ok(Progress::Paused);
            };
            if second != copied.digests {
                self.begin_anew(name, run).await?;
                return Err(mismatch(name));
            }
        }
        Ok(Progress::Done(copied))
    }

    /// Reads the document once more.
    async fn read(&self, source: &RangedSource, name: &str, run: &Run) -> Result<Progress<Digests>> {
        let record = format!("{name}.again-{}", begun(name, run));
        read_version(self.content_server, source, self.sizes, run, &record).await
    }

    /// What was copied so far is not what the document holds: nothing of it is gone on with.
    async fn begin_anew(&self, name: &str, run: &Run) -> Result<()> {
        run.checkpoint(&beginnings(name), &(begun(name, run) + 1)).await
    }

    /// A copy of this very version that nobody has vouched for yet.
    async fn left_behind(&self, to: &UploadTarget, length: u64) -> Result<Option<S3Object>> {
        let object = match S3Object::head(self.s3, &to.bucket, &to.key, None, None).await {
            Ok(object) => object,
            Err(error) if error.class() == FailureClass::Gone => return Ok(None),
            Err(error) => return Err(error),
        };
        let ours = to.user_metadata.iter().all(|(name, value)| object.user_metadata.get(name) == Some(value));
        let class = object.storage_class.as_deref().unwrap_or(STANDARD) == self.class();
        Ok((ours && class && object.size == length).then_some(object))
    }

    async fn describe(&self, description: &StoredDescription) -> Result<()> {
        let text = serde_json::to_vec_pretty(description)
            .map_err(|error| Error::bug("describe version", "a description is not JSON").source(error))?;
        let key = description_key(&self.shelf.prefix, description.node.id, description.version.number);
        self.s3
            .put_object()
            .bucket(&self.shelf.bucket)
            .key(key)
            .content_type("application/json")
            .body(text.into())
            .send()
            .await
            .map(drop)
            .map_err(|error| {
                classify(System::S3, "write description", error)
                    .remedy("let this function put objects under the prefix")
            })
    }

    fn class(&self) -> String {
        self.shelf.storage_class.as_ref().map_or(STANDARD, StorageClass::as_str).to_owned()
    }

    fn taken(&self, node: i64, version: i64) -> Error {
        Error::new(
            FailureClass::Forbidden,
            System::S3,
            "find a stored version",
            "version-copy.taken",
            format!("the place of version {version} of node {node} in S3 holds something else"),
        )
        .remedy("give every Content Server a prefix of its own, used by nothing else")
    }
}

/// The content of a version as something to upload.
///
/// # Errors
/// `version-copy.no-size` when nobody says how long it is; what Content Server says.
pub async fn version_source(client: &Client, node: NodeId, version: &Version) -> Result<RangedSource> {
    let number = version.number;
    let length = match version.file_size {
        Some(size) => size,
        None => client.download(node, Some(number)).await?.length.ok_or_else(|| {
            Error::new(
                FailureClass::Forbidden,
                System::ContentServer,
                "copy a version",
                "version-copy.no-size",
                format!("neither version {number} of node {node} nor its download says how long it is"),
            )
            .remedy("let the proxy pass Content-Length")
        })?,
    };
    let created = version.created.map(|created| created.to_string()).unwrap_or_default();
    let mark = format!("{node} {number} {created} {length}");
    let client = client.clone();
    if client.settings().range_downloads {
        return Ok(RangedSource::new(&mark, length, move |offset, wanted| {
            let client = client.clone();
            async move { Ok(client.download_range(node, number, offset, wanted).await?.body) }
        }));
    }
    Ok(transfer::from_start(&mark, length, move || {
        let client = client.clone();
        async move { Ok(client.download(node, Some(number)).await?.body) }
    }))
}

/// Reads a version to its end, over several invocations where Content Server gives ranges; progress is recorded under
/// a name.
///
/// # Errors
/// What Content Server says.
pub async fn read_version(
    client: &Client,
    source: &RangedSource,
    sizes: UploadSizes,
    run: &Run,
    name: &str,
) -> Result<Progress<Digests>> {
    if run.must_stop() {
        return Ok(Progress::Paused);
    }
    if source.length() <= sizes.single {
        let body = source.open(0, source.length()).await?;
        return hash_body(body, Some(source.length())).await.map(Progress::Done);
    }
    let anywhere = client.settings().range_downloads;
    let ranges = if anywhere { Ranges::FromAnywhere } else { Ranges::FromTheBeginning };
    hash_resumable(source, ranges, run, name).await
}

const STANDARD: &str = "STANDARD";

/// Under which name it is kept how often a copy was begun anew.
fn beginnings(name: &str) -> String {
    format!("{name}.begun-anew")
}

fn begun(name: &str, run: &Run) -> u32 {
    run.recorded(&beginnings(name)).unwrap_or(0)
}

/// What a copy of a content made.
pub(crate) struct Copied {
    /// The version of the object, in a bucket that keeps them.
    pub(crate) version_id: Option<String>,
    /// What was read and is there.
    pub(crate) digests: Digests,
}

/// Whether an object has these digests, by a checksum S3 keeps of the whole of it.
fn agrees(object: &S3Object, digests: &Digests) -> bool {
    let sha256 = object.checksum_sha256.as_ref();
    let crc = object.checksum_crc64_nvme.as_ref();
    object.size == digests.bytes
        && (sha256.is_some() || crc.is_some())
        && sha256.is_none_or(|sha256| *sha256 == digests.sha256)
        && crc.is_none_or(|crc| *crc == digests.crc64_nvme)
}

fn mismatch(name: &str) -> Error {
    Error::new(
        FailureClass::Transient,
        System::Waybill,
        "verify",
        "version-copy.mismatch",
        format!("two readings ({name}) are not the same bytes"),
    )
    .remedy("look for a proxy before Content Server that changes or cuts bodies")
}
