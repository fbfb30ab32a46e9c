use jiff::Timestamp;
use serde::{Deserialize, de::DeserializeOwned};
use serde_json::Value;

use super::{
    Kind,
    data::{
        About, Contract, DocumentLink, FileReference, Manuscript, Milestone, Payment, ProductionFile,
        ReviewPackage, Rights, Title,
    },
};
use crate::title::Isbn;

/// The most bytes of an event.
pub const LARGEST_BODY: usize = 256 * 1024;

/// An event of a type we know.
#[derive(Debug, Clone, PartialEq)]
pub struct Event {
    /// Its type.
    pub kind: Kind,
    /// The account it is from.
    pub account: String,
    /// When it was told.
    pub timestamp: Timestamp,
    /// The record.
    pub about: About,
    /// What else it says.
    pub details: Details,
}

/// What an event says beside the record it is about.
#[derive(Debug, Clone, PartialEq)]
pub enum Details {
    /// Of a manuscript.
    Manuscript(Manuscript),
    /// Of a contract.
    Contract(Contract),
    /// Of rights.
    Rights(Rights),
    /// Of a review package.
    ReviewPackage(ReviewPackage),
    /// Of a production file.
    ProductionFile(ProductionFile),
    /// Of a title.
    Title(Title),
    /// Of a statement or payment.
    Payment(Payment),
    /// Of a milestone.
    Milestone(Milestone),
    /// Of a link that is wanted.
    DocumentLink(DocumentLink),
}

impl Details {
    /// The files it names.
    pub fn files(&self) -> &[FileReference] {
        match self {
            Self::Manuscript(Manuscript { files, .. })
            | Self::Contract(Contract { files, .. })
            | Self::ReviewPackage(ReviewPackage { files, .. })
            | Self::ProductionFile(ProductionFile { files, .. })
            | Self::Payment(Payment { files, .. }) => files,
            Self::Rights(_) | Self::Title(_) | Self::Milestone(_) | Self::DocumentLink(_) => &[],
        }
    }

    /// How many files it has to have.
    fn count(&self) -> (usize, usize) {
        match self {
            Self::Manuscript(_) | Self::ReviewPackage(_) => (1, usize::MAX),
            Self::ProductionFile(_) => (1, 1),
            _ => (0, usize::MAX),
        }
    }
}

/// What came.
#[derive(Debug, Clone, PartialEq)]
pub enum Received {
    /// An event.
    Event(Box<Event>),
    /// An event of a type that this version does not know: it is acknowledged, counted and left alone.
    Unknown(String),
}

/// Why an event is refused. Senders are told no more than this.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// More bytes than are taken.
    #[error("the body is larger than 256 KiB")]
    TooLarge,
    /// No JSON.
    #[error("the body is no JSON object")]
    NotJson,
    /// JSON that says something else than the schema.
    #[error("{what} (at {pointer})")]
    Schema {
        /// Where, as a JSON pointer.
        pointer: String,
        /// What is wrong.
        what: String,
    },
}

impl Fault {
    /// The status to answer with.
    pub const fn status(&self) -> u16 {
        match self {
            Self::TooLarge => 413,
            Self::NotJson => 400,
            Self::Schema { .. } => 422,
        }
    }

    fn at(pointer: &str, what: impl Into<String>) -> Self {
        Self::Schema { pointer: pointer.to_owned(), what: what.into() }
    }
}

/// What stands around the data. Members that are not named here are ignored.
#[derive(Deserialize)]
struct Envelope {
    timestamp: Timestamp,
    schema_version: u64,
    account: String,
    #[serde(default)]
    data: Value,
}

impl Event {
    /// Reads a body whose signature is right.
    ///
    /// # Errors
    /// Why it is refused.
    pub fn read(body: &[u8]) -> Result<Received, Fault> {
        if body.len() > LARGEST_BODY {
            return Err(Fault::TooLarge);
        }
        let value: Value = serde_json::from_slice(body).map_err(|_| Fault::NotJson)?;
        if !value.is_object() {
            return Err(Fault::NotJson);
        }
        // A type we do not know may have any other shape.
        let name = value.get("type").and_then(Value::as_str).unwrap_or_default();
        let kind = Kind::ALL.iter().copied().find(|kind| kind.name() == name);
        let is_type = !name.is_empty()
            && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.'));
        let kind = match kind {
            Some(kind) => kind,
            None if is_type => return Ok(Received::Unknown(name.chars().take(100).collect())),
            None => return Err(Fault::at("/type", "is not the type of an event")),
        };
        let envelope: Envelope = read_at("", &value)?;
        if envelope.schema_version != 1 {
            return Err(Fault::at("/schema_version", "is not 1, the only version there is"));
        }
        if envelope.account.is_empty() {
            return Err(Fault::at("/account", "is empty"));
        }
        if !envelope.data.is_object() {
            return Err(Fault::at("/data", "is no object"));
        }
        let about: About = part(&envelope.data)?;
        check_about(&about)?;
        let details = kind.details(&envelope.data)?;
        check_files(&details)?;
        let Envelope { account, timestamp, .. } = envelope;
        Ok(Received::Event(Box::new(Self { kind, account, timestamp, about, details })))
    }
}

/// A part of the data.
pub(super) fn part<T: DeserializeOwned>(data: &Value) -> Result<T, Fault> {
    read_at("/data", data)
}

fn read_at<T: DeserializeOwned>(base: &str, value: &Value) -> Result<T, Fault> {
    serde_path_to_error::deserialize(value).map_err(|error| {
        let steps = error.path().iter().filter_map(|step| match step {
            serde_path_to_error::Segment::Seq { index } => Some(format!("/{index}")),
            serde_path_to_error::Segment::Map { key } => {
                Some(format!("/{}", key.replace('~', "~0").replace('/', "~1")))
            }
            _ => None,
        });
        let pointer: String = std::iter::once(base.to_owned()).chain(steps).collect();
        Fault::Schema { pointer, what: without_values(&error.into_inner().to_string()) }
    })
}

/// What a parser says, without the value it quotes: that can be anything.
fn without_values(text: &str) -> String {
    match text.split_once(", expected ") {
        Some((_, expected)) => format!("expected {expected}"),
        None if text.starts_with("missing field") => text.to_owned(),
        None => "cannot be read".to_owned(),
    }
}

fn check_about(about: &About) -> Result<(), Fault> {
    if about.work_id.is_none() && about.product_ids.is_empty() && about.isbn13.is_none() {
        return Err(Fault::at("/data", "names no record: work_id, product_ids or isbn13 is needed"));
    }
    if about.isbn13.as_deref().is_some_and(|text| Isbn::parse(text).is_none_or(|isbn| isbn.as_str() != text))
    {
        return Err(Fault::at("/data/isbn13", "is no ISBN of 13 digits, or its check digit is wrong"));
    }
    Ok(())
}

fn check_files(details: &Details) -> Result<(), Fault> {
    let (least, most) = details.count();
    let files = details.files();
    if files.len() < least || files.len() > most {
        return Err(Fault::at("/data/files", "has too few files, or too many"));
    }
    match (0..).zip(files).find_map(|(at, file): (usize, _)| Some((at, file.fault()?))) {
        Some((at, (field, what))) => Err(Fault::at(&format!("/data/files/{at}/{field}"), what)),
        None => Ok(()),
    }
}
